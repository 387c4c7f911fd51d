// SPDX-License-Identifier: MIT
/*
 * json.c - results as JSON (results.h, json.h). Relies on jansson.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../program/ops.h"
#include "cmd.h"
#include "json.h"
#include "results.h"

json_t *sf_json_text(const char *s)
{
	json_t *j;
	char *copy;

	if (!s)
		return json_null();
	j = json_string(s);
	if (j)
		return j;
	copy = sf_strdup(s);
	for (char *c = copy; *c; c++)
		if (*c & 0x80)
			*c = '?';
	j = json_string(copy);
	free(copy);
	return j;
}

json_t *sf_json_number(uint64_t n)
{
	char text[24];

	if (n <= INT64_MAX)
		return json_integer((json_int_t)n);
	snprintf(text, sizeof(text), "%" PRIu64, n);
	return json_string(text);
}

const char *sf_json_key(const char *name, char buf[40])
{
	size_t n = 0;

	for (; n < 39 && name[n]; n++)
		buf[n] = isalnum((unsigned char)name[n]) ? name[n] : '_';
	buf[n] = 0;
	return buf;
}

void sf_json_print(json_t *j, FILE *out)
{
	json_dumpf(j, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(j);
}

json_t *sf_json_op(uint32_t op)
{
	return op == SF_NONE ? json_null() : json_integer(op);
}

json_t *sf_json_oracle(const struct sf_oracle_count *c)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "checked", sf_json_number(c->checked), "skipped",
			 sf_json_number(c->skipped), "reason",
			 sf_json_text(sf_oracle_why(c)), "violations",
			 sf_json_number(c->violations));
}

static json_t *json_found(const struct sf_results *r)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->nr_found; i++) {
		const struct sf_found *f = &r->found[i];
		const struct sf_trial *t = &r->trials[f->trial];

		json_array_append_new(
			list, json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "title",
					sf_json_text(f->title), "invariant",
					sf_invariants[f->invariant].id, "allocator", t->allocator,
					"program", sf_json_text(t->file), "op", sf_json_op(f->op),
					"line", sf_json_number(f->line), "text",
					sf_json_text(f->text), "detail", sf_json_text(f->detail)));
	}
	return list;
}

static json_t *json_missed(const struct sf_results *r)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->nr_missed; i++) {
		const struct sf_missed *m = &r->missed[i];
		const struct sf_trial *t = &r->trials[m->trial];

		json_array_append_new(
			list, json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "expected",
					sf_json_text(m->expected), "got", sf_json_text(m->got),
					"allocator", t->allocator, "program",
					sf_json_text(t->file), "op", sf_json_op(m->op), "line",
					sf_json_number(m->line), "text", sf_json_text(m->text)));
	}
	return list;
}

static json_t *json_crashed(const struct sf_results *r)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->nr_crashed; i++) {
		const struct sf_crashed *c = &r->crashed[i];
		const struct sf_trial *t = &r->trials[c->trial];

		json_array_append_new(
			list, json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "title",
					sf_json_text(c->title), "kind", sf_crash_key(c->kind),
					"allocator", t->allocator, "program",
					sf_json_text(t->file), "op", sf_json_op(c->op), "line",
					sf_json_number(c->line), "text", sf_json_text(c->text),
					"report", sf_json_text(c->report)));
	}
	return list;
}

static json_t *json_oracles(const struct sf_results *r)
{
	json_t *all = json_object();

	for (int i = 0; i < SF_INV_COUNT; i++)
		if (!r->only || (r->only & sf_invariant_bit((enum sf_invariant)i)))
			json_object_set_new(all, sf_invariants[i].id,
					    sf_json_oracle(&r->oracles[i]));
	return all;
}

static json_t *json_agreement(uint64_t agree, uint64_t total)
{
	return json_pack("{s:o, s:o}", "agree", sf_json_number(agree), "total",
			 sf_json_number(total));
}

static json_t *json_replay(const struct sf_trial *t)
{
	const struct sf_replay *p = t->replay;
	json_t *counts = json_object(), *shown = json_array(), *remarks = json_array();

#define X(field, what) json_object_set_new(counts, #field, sf_json_number(p->counts.field));
	SF_TRACE_COUNTS(X)
#undef X
	for (uint32_t i = 0; i < p->nr_shown; i++)
		json_array_append_new(shown, sf_json_text(p->shown[i]));
	for (uint32_t i = 0; i < p->nr_remarks; i++)
		json_array_append_new(remarks, sf_json_text(p->remarks[i]));
	return json_pack("{s:o, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "program",
			 sf_json_text(t->file), "allocator", t->allocator, "format",
			 sf_json_text(p->format), "hashed", p->hashed, "counts", counts, "kmalloc",
			 json_agreement(p->kmalloc.agree, p->kmalloc.total), "named",
			 json_agreement(p->named.agree, p->named.total), "nulls",
			 sf_json_number(p->nulls), "disagreements", shown, "remarks", remarks,
			 "kernel", sf_json_text(p->kernel && *p->kernel ? p->kernel : NULL));
}

/* All recordings together; each by itself is in "recordings". */
static void add_traces(const struct sf_results *r, json_t *root)
{
	uint64_t events = 0, unpaired = 0, agree = 0, total = 0;
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->nr_trials; i++) {
		const struct sf_replay *p = r->trials[i].replay;

		if (!p)
			continue;
		events += p->counts.events;
		unpaired += sf_replay_unpaired(p);
		agree += p->kmalloc.agree + p->named.agree;
		total += p->kmalloc.total + p->named.total;
		json_array_append_new(list, json_replay(&r->trials[i]));
	}
	json_object_set_new(root, "trace",
			    json_pack("{s:o, s:o, s:o}", "events", sf_json_number(events),
				      "unpaired", sf_json_number(unpaired), "bytes_alloc",
				      json_agreement(agree, total)));
	json_object_set_new(root, "recordings", list);
}

static json_t *json_attacks(const struct sf_isolation *i)
{
	static const char *const names[] = {
#define X(id, name, doc) name,
		SF_REACH(X)
#undef X
	};
	json_t *list = json_array();
	char key[40];

	for (int code = 0; code < SF_ATTACK_CODES; code++) {
		const struct sf_attack_count *a = &i->attacks[code];
		json_t *reached = json_object();

		for (int k = 0; k < SF_REACHES; k++)
			json_object_set_new(reached, sf_json_key(names[k], key),
					    sf_json_number(a->reached[k]));
		if (a->attacks)
			json_array_append_new(
				list, json_pack("{s:s, s:o, s:o, s:o, s:O}", "op",
						sf_op_table[code].name, "attacks",
						sf_json_number(a->attacks), "noticed",
						sf_json_number(a->noticed), "later",
						sf_json_number(a->later), "reached", reached));
		json_decref(reached);
	}
	return list;
}

static json_t *json_isolation(const struct sf_results *r)
{
	json_t *list = json_array();

	for (uint32_t k = 0; k < r->nr_isolation; k++) {
		const struct sf_isolation *i = &r->isolation[k];
		const struct sf_ledger *l = &i->ledger;
		json_t *pages = json_object();

#define X(field) json_object_set_new(pages, #field, sf_json_number(l->field));
		X(fresh) X(same) X(other_cache) X(other_partition) X(other_half)
		X(stale_cache) X(stale_partition) X(stale_half)
#undef X
		json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "allocator", i->allocator,
						      "pages", pages, "attacks", json_attacks(i)));
	}
	return list;
}

void sf_json_results(const struct sf_results *r, FILE *out)
{
	uint64_t operations = 0, skipped = 0, events = 0;
	uint32_t held = 0, unjudged = 0;
	json_t *errors = json_array(), *root;

	for (uint32_t i = 0; i < r->nr_trials; i++) {
		const struct sf_trial *t = &r->trials[i];

		operations += t->operations;
		skipped += t->skipped;
		events += t->events;
		held += t->held;
		unjudged += t->unjudged;
		if (t->error)
			json_array_append_new(errors, json_pack("{s:o, s:s, s:o}", "program",
								sf_json_text(t->file), "allocator",
								t->allocator, "message",
								sf_json_text(t->error)));
	}
	root = json_pack("{s:i, s:o, s:o, s:o, s:o, s:o}", "programs", (int)r->files, "operations",
			 sf_json_number(operations), "skipped", sf_json_number(skipped), "events",
			 sf_json_number(events), "violations", json_found(r), "oracles",
			 json_oracles(r));
	json_object_set_new(root, "expectations",
			    json_pack("{s:i, s:i, s:o}", "held", (int)held, "unjudged",
				      (int)unjudged, "missed", json_missed(r)));
	json_object_set_new(root, "crashes", json_crashed(r));
	json_object_set_new(root, "errors", errors);
	json_object_set_new(root, "isolation", json_isolation(r));
	add_traces(r, root);
	sf_json_print(root, out);
}
