// SPDX-License-Identifier: MIT
/*
 * diff_show.c - diff.h: programs with the lines at which two members differ, and what was compared
 * of each pair, as text, JSON and JUnit.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "diff.h"
#include "json.h"
#include "output.h"

const char *sf_diff_label(const struct sf_diff *f, uint32_t member)
{
	return f->plan->on.m[member].label;
}

/* What differs under the line that it differs at. */
static void print_kept(const struct sf_diff *f, const struct sf_diff_kept *k)
{
	printf("    %s%s (%s): %s %s, %s %s\n", k->consequence ? "then " : "",
	       sf_properties[k->property].name, k->what, sf_diff_label(f, k->a), k->a_has,
	       sf_diff_label(f, k->b), k->b_has);
}

void sf_diff_print_heap(const struct sf_prog *p)
{
	struct sf_prog heap = { .settings = p->settings };
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	sf_text_write(&heap, f);
	fclose(f);
	if (len)
		printf("    %s", text);
	free(text);
}

static void print_program(const struct sf_diff *f, const struct sf_prog *p, uint32_t from)
{
	sf_diff_print_heap(p);
	for (uint32_t op = 0; op <= p->nr_ops; op++) {
		uint32_t at = op < p->nr_ops ? op : SF_NONE, found = 0;

		for (uint32_t i = from; i < f->nr; i++)
			found += f->kept[i].op == at;
		if (at == SF_NONE && !found)
			return;
		fputs(found ? ">>> " : "    ", stdout);
		if (at == SF_NONE)
			puts("the end");
		else
			sf_text_write_op(p, op, stdout);
		for (uint32_t i = from; i < f->nr; i++)
			if (f->kept[i].op == at)
				print_kept(f, &f->kept[i]);
	}
}

/* First divergence first; what only follows from one has no title of its own. */
void sf_diff_print_file(const struct sf_diff *f, const char *name, const struct sf_prog *p,
		       uint32_t from)
{
	if (f->plan->json)
		return;
	if (from == f->nr) {
		if (!f->generated)
			printf("%s: %u operations, no difference\n", name, p->nr_ops);
		return;
	}
	printf("%s:\n", name);
	for (uint32_t i = from; i < f->nr; i++)
		if (!f->kept[i].consequence)
			printf("  %s\n", f->kept[i].title);
	print_program(f, p, from);
}

/* Over all properties. */
void sf_diff_sum(const struct sf_diff *f, uint32_t b, uint64_t *compared, uint64_t *skipped,
		 uint64_t *diverged)
{
	*compared = *skipped = *diverged = 0;
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++) {
		const struct sf_compared *c =
			sf_lockstep_counts(f->lockstep, b, (enum sf_property)p);

		*compared += c->compared;
		*diverged += c->diverged;
		for (unsigned int r = 0; r < SF_UNCOMPARED_COUNT; r++)
			*skipped += c->skipped[r];
	}
}

static void print_property(const struct sf_compared *c, enum sf_property p)
{
	printf("  %-12s %10" PRIu64 " compared %6" PRIu64 " diverged", sf_properties[p].name,
	       c->compared, c->diverged);
	for (unsigned int r = 0; r < SF_UNCOMPARED_COUNT; r++)
		if (c->skipped[r])
			printf("  %s %" PRIu64, sf_uncompared_names[r], c->skipped[r]);
	putchar('\n');
}

void sf_diff_print_pairs(const struct sf_diff *f)
{
	uint64_t compared, skipped, diverged;

	for (uint32_t b = 1; b < f->plan->on.nr; b++) {
		sf_diff_sum(f, b, &compared, &skipped, &diverged);
		printf("%s, %s: %" PRIu64 " compared, %" PRIu64 " skipped, %" PRIu64 " diverged\n",
		       sf_diff_label(f, 0), sf_diff_label(f, b), compared, skipped, diverged);
		for (unsigned int p = 0; f->plan->all && p < SF_PROPERTY_COUNT; p++)
			print_property(sf_lockstep_counts(f->lockstep, b, (enum sf_property)p),
				       (enum sf_property)p);
	}
	if (f->contradictory)
		printf("%u generated programs left out: their settings contradict a member's\n",
		       f->contradictory);
	printf("%u programs, %" PRIu64 " operations, %" PRIu64
	       " left out (not all members can); %u divergences\n",
	       f->programs, f->operations, sf_lockstep_reduced(f->lockstep), f->nr);
}

static json_t *property_json(const struct sf_compared *c)
{
	json_t *skipped = json_object();

	for (unsigned int r = 0; r < SF_UNCOMPARED_COUNT; r++)
		json_object_set_new(skipped, sf_uncompared_names[r], sf_json_number(c->skipped[r]));
	return json_pack("{s:o, s:o, s:o}", "compared", sf_json_number(c->compared), "diverged",
			 sf_json_number(c->diverged), "skipped", skipped);
}

static json_t *pair_json(const struct sf_diff *f, uint32_t b)
{
	uint64_t compared, skipped, diverged;
	json_t *by = json_object();

	sf_diff_sum(f, b, &compared, &skipped, &diverged);
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++)
		json_object_set_new(by, sf_properties[p].name,
				    property_json(sf_lockstep_counts(f->lockstep, b,
								     (enum sf_property)p)));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "a",
			 sf_json_text(sf_diff_label(f, 0)), "b",
			 sf_json_text(sf_diff_label(f, b)), "compared",
			 sf_json_number(compared),
			 "skipped", sf_json_number(skipped), "diverged", sf_json_number(diverged),
			 "properties", by);
}

static json_t *divergence_json(const struct sf_diff *f, const struct sf_diff_kept *k)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "file",
			 sf_json_text(k->file), "op", sf_json_op(k->op), "what",
			 sf_json_text(sf_properties[k->property].name), "value",
			 sf_json_text(k->what), "members",
			 json_pack("[o, o]", sf_json_text(sf_diff_label(f, k->a)),
				   sf_json_text(sf_diff_label(f, k->b))),
			 "a", sf_json_text(k->a_has), "b", sf_json_text(k->b_has), "title",
			 sf_json_text(k->title), "consequence", k->consequence);
}

void sf_diff_print_json(const struct sf_diff *f)
{
	json_t *pairs = json_array(), *divergences = json_array();

	for (uint32_t b = 1; b < f->plan->on.nr; b++)
		json_array_append_new(pairs, pair_json(f, b));
	for (uint32_t i = 0; i < f->nr; i++)
		json_array_append_new(divergences, divergence_json(f, &f->kept[i]));
	sf_json_print(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "contradictory",
				sf_json_number(f->contradictory), "programs",
				sf_json_number(f->programs),
				"operations", sf_json_number(f->operations), "reduced",
				sf_json_number(sf_lockstep_reduced(f->lockstep)), "pairs", pairs,
				"divergences", divergences),
		      stdout);
}

/* --- JUnit --- */

static void put_failures(const struct sf_diff *f, uint32_t b, unsigned int p, FILE *out)
{
	for (uint32_t i = 0; i < f->nr; i++) {
		const struct sf_diff_kept *k = &f->kept[i];

		if (k->b != b || k->property != p)
			continue;
		fputs("      <failure message=\"", out);
		sf_put_xml(k->title, out);
		fputs("\">", out);
		sf_put_xml(k->file, out);
		fprintf(out, ": %s", k->consequence ? "a consequence, " : "");
		if (k->op == SF_NONE)
			fputs("at the end", out);
		else
			fprintf(out, "operation %u", k->op);
		fputs("</failure>\n", out);
	}
}

static void put_property(const struct sf_diff *f, uint32_t b, unsigned int p, FILE *out)
{
	const struct sf_compared *c = sf_lockstep_counts(f->lockstep, b, (enum sf_property)p);
	uint64_t skipped = 0;

	fputs("    <testcase classname=\"", out);
	sf_put_xml(sf_diff_label(f, 0), out);
	fputs(", ", out);
	sf_put_xml(sf_diff_label(f, b), out);
	fprintf(out, "\" name=\"%s\">\n", sf_properties[p].name);
	put_failures(f, b, p, out);
	for (unsigned int r = 0; r < SF_UNCOMPARED_COUNT; r++)
		skipped += c->skipped[r];
	if (!c->compared && !c->diverged)
		fputs("      <skipped message=\"never compared\"/>\n", out);
	fprintf(out, "      <system-out>compared %" PRIu64 ", skipped %" PRIu64
		", diverged %" PRIu64, c->compared, skipped, c->diverged);
	for (unsigned int r = 0; r < SF_UNCOMPARED_COUNT; r++)
		if (c->skipped[r])
			fprintf(out, "; %s %" PRIu64, sf_uncompared_names[r], c->skipped[r]);
	fputs("</system-out>\n    </testcase>\n", out);
}

static void put_pair(const struct sf_diff *f, uint32_t b, FILE *out)
{
	unsigned int failures = 0, skipped = 0;

	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++) {
		const struct sf_compared *c =
			sf_lockstep_counts(f->lockstep, b, (enum sf_property)p);

		failures += c->diverged != 0;
		skipped += !c->compared && !c->diverged;
	}
	fputs("  <testsuite name=\"", out);
	sf_put_xml(sf_diff_label(f, 0), out);
	fputs(", ", out);
	sf_put_xml(sf_diff_label(f, b), out);
	fprintf(out, "\" tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\">\n",
		(unsigned int)SF_PROPERTY_COUNT, failures, skipped);
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++)
		put_property(f, b, p, out);
	fputs("  </testsuite>\n", out);
}

void sf_diff_junit(const struct sf_diff *f, FILE *out)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", out);
	for (uint32_t b = 1; b < f->plan->on.nr; b++)
		put_pair(f, b, out);
	fputs("</testsuites>\n", out);
}
