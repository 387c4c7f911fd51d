// SPDX-License-Identifier: MIT
/*
 * cmd_diff.c - `slabfuzz diff`: programs on several allocators in lockstep. lockstep.c compares;
 * this reads the options and shows each program with the lines at which two members differ.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../generate/mutate.h"
#include "../lockstep/lockstep.h"
#include "cmd.h"
#include "input.h"
#include "json.h"
#include "members.h"

enum {
	GENERATED_OPS = 48,
	GENERATED_PAGES = 4096, /* at most: more takes longer to run out of */
};

struct plan {
	struct sf_members on;
	struct sf_overrides overrides;
	struct sf_exec_options exec;
	uint32_t programs;
	uint64_t seed;
	bool json, all;
};

static const struct sf_row rows[] = {
	SF_CALL('a', "allocator", "NAME[@KEY=VALUE]…,…", struct plan, on, sf_members_add,
		"members: allocators, each with settings of its own; the first with each other"),
	SF_SET_ROW(struct plan, overrides, "change a heap setting of all members"),
	SF_NUMBER("walk-every", "N", struct plan, exec.walk_every, 0, UINT32_MAX - 1,
		  "compare snapshots every N operations (default: at check and the end)"),
	SF_NUMBER("programs", "N", struct plan, programs, 1, 100000000,
		  "also N generated programs, named after their seeds"),
	SF_NUMBER("seed", "N", struct plan, seed, 0, UINT64_MAX,
		  "of the first of these, then counted up (default: 0)"),
	{ .letter = 'v', .name = "properties", .kind = SF_ROW_FLAG,
	  .offset = SF_ROW_AT(struct plan, all, bool),
	  .help = "a line for each pair and property" },
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"diff", "[FILE…]",
	"Runs each FILE, a program as text or bytes, on all members at once and compares the\n"
	"first with each of the others after every operation: what both claim and nothing that\n"
	"tells them apart may change (docs/lockstep.md). A difference is shown where it is.",
	rows,
};

/* A divergence, kept. */
struct kept {
	char *file;
	uint32_t op, a, b;
	uint8_t property;
	bool consequence;
	char *what, *a_has, *b_has, *title;
};

struct diff {
	const struct plan *plan;
	struct sf_lockstep *lockstep;
	struct kept *kept;
	uint32_t nr, cap;
	const char *file; /* in hand */
	uint32_t programs;
	bool generated;   /* it is: nothing is said of those that show no difference */
	uint32_t contradictory; /* of these, what members' settings cannot go with */
	uint64_t operations;
};

static void keep(void *ctx, const struct sf_divergence *d)
{
	struct diff *f = ctx;

	SF_GROW(f->kept, f->nr, f->cap);
	f->kept[f->nr++] = (struct kept){
		.file = sf_strdup(f->file), .op = d->op, .a = d->a, .b = d->b, .property = d->property,
		.consequence = d->consequence, .what = sf_strdup(d->what),
		.a_has = sf_strdup(d->a_has), .b_has = sf_strdup(d->b_has),
		.title = sf_strdup(d->title),
	};
}

static const char *label(const struct diff *f, uint32_t member)
{
	return f->plan->on.m[member].label;
}

/* What differs under the line that it differs at. */
static void print_kept(const struct diff *f, const struct kept *k)
{
	printf("    %s%s (%s): %s %s, %s %s\n", k->consequence ? "then " : "",
	       sf_properties[k->property].name, k->what, label(f, k->a), k->a_has,
	       label(f, k->b), k->b_has);
}

/* Nothing if they are all as they are without a word. */
static void print_heap(const struct sf_prog *p)
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

static void print_program(const struct diff *f, const struct sf_prog *p, uint32_t from)
{
	print_heap(p);
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
static void print_file(const struct diff *f, const char *name, const struct sf_prog *p,
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

static int diff_program(struct diff *f, const char *name, const struct sf_prog *p)
{
	struct sf_settings set[SF_MEMBERS_MAX];
	struct sf_error err = { "" };
	uint32_t from = f->nr;
	int64_t done;

	f->file = name;
	if (!sf_lockstep_settings(f->lockstep, &p->settings, &f->plan->overrides, set, &err)) {
		/* Nobody wrote this one for these members. */
		f->contradictory += f->generated;
		return f->generated ? 0 : sf_bad("%s: %s", name, err.text);
	}
	f->programs++;
	done = sf_lockstep_run(f->lockstep, p, name, set, &err);
	if (done < 0)
		return sf_bad("%s: %s", name, err.text);
	f->operations += (uint64_t)done;
	print_file(f, name, p, from);
	return 0;
}

static int diff_file(struct diff *f, const char *name)
{
	struct sf_prog prog;
	struct sf_input in;
	int status = sf_input_open(&in, name, false);

	sf_prog_init(&prog);
	if (!status && in.kind == SF_INPUT_TRACE)
		status = sf_bad("%s: a recording: turn it into a program first (slabfuzz import)",
				name);
	if (!status)
		status = sf_input_program(&in, &prog);
	if (!status)
		status = diff_program(f, name, &prog);
	sf_prog_free(&prog);
	sf_input_close(&in);
	return status;
}

/* In words that at least one of them has. */
static uint64_t caps_to_draw(const struct sf_members *on)
{
	uint64_t caps = 0;

	for (uint32_t i = 0; i < on->nr; i++)
		caps |= on->m[i].allocator->caps;
	return caps & SF_CAP_KMALLOC ? SF_DRAW_KERNEL : caps;
}

static void generate(struct sf_prog *p, uint64_t caps, uint64_t seed)
{
	struct sf_swarm sw;
	struct sf_rng r;

	sf_rng_seed(&r, seed);
	sf_swarm_draw(&sw, caps, &r);
	sf_generate(p, GENERATED_OPS, &sw, &r);
	if (p->settings.pages > GENERATED_PAGES)
		p->settings.pages = GENERATED_PAGES;
	sf_prog_fixup(p);
}

static int diff_generated(struct diff *f)
{
	uint64_t caps = caps_to_draw(&f->plan->on);
	struct sf_prog prog;
	char name[40];
	int status = 0;

	sf_prog_init(&prog);
	f->generated = true;
	for (uint32_t i = 0; i < f->plan->programs && !status; i++) {
		snprintf(name, sizeof(name), "generated/%" PRIu64, f->plan->seed + i);
		generate(&prog, caps, f->plan->seed + i);
		status = diff_program(f, name, &prog);
	}
	sf_prog_free(&prog);
	return status;
}

/* Over all properties. */
static void sum_pair(const struct diff *f, uint32_t b, uint64_t *compared, uint64_t *skipped,
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

static void print_pairs(const struct diff *f)
{
	uint64_t compared, skipped, diverged;

	for (uint32_t b = 1; b < f->plan->on.nr; b++) {
		sum_pair(f, b, &compared, &skipped, &diverged);
		printf("%s, %s: %" PRIu64 " compared, %" PRIu64 " skipped, %" PRIu64 " diverged\n",
		       label(f, 0), label(f, b), compared, skipped, diverged);
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

static json_t *pair_json(const struct diff *f, uint32_t b)
{
	uint64_t compared, skipped, diverged;
	json_t *by = json_object();

	sum_pair(f, b, &compared, &skipped, &diverged);
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++)
		json_object_set_new(by, sf_properties[p].name,
				    property_json(sf_lockstep_counts(f->lockstep, b,
								     (enum sf_property)p)));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "a", sf_json_text(label(f, 0)), "b",
			 sf_json_text(label(f, b)), "compared", sf_json_number(compared),
			 "skipped", sf_json_number(skipped), "diverged", sf_json_number(diverged),
			 "properties", by);
}

static json_t *divergence_json(const struct diff *f, const struct kept *k)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "file",
			 sf_json_text(k->file), "op", sf_json_op(k->op), "what",
			 sf_json_text(sf_properties[k->property].name), "value",
			 sf_json_text(k->what), "members",
			 json_pack("[o, o]", sf_json_text(label(f, k->a)),
				   sf_json_text(label(f, k->b))),
			 "a", sf_json_text(k->a_has), "b", sf_json_text(k->b_has), "title",
			 sf_json_text(k->title), "consequence", k->consequence);
}

static void print_json(const struct diff *f)
{
	json_t *pairs = json_array(), *divergences = json_array();

	for (uint32_t b = 1; b < f->plan->on.nr; b++)
		json_array_append_new(pairs, pair_json(f, b));
	for (uint32_t i = 0; i < f->nr; i++)
		json_array_append_new(divergences, divergence_json(f, &f->kept[i]));
	sf_json_print(json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "contradictory",
				sf_json_number(f->contradictory), "programs", sf_json_number(f->programs),
				"operations", sf_json_number(f->operations), "reduced",
				sf_json_number(sf_lockstep_reduced(f->lockstep)), "pairs", pairs,
				"divergences", divergences),
		      stdout);
}

/* Two that were never compared are not alike. */
static int hold_pairs(const struct diff *f)
{
	uint64_t compared, skipped, diverged;
	int status = f->nr ? SF_EXIT_WRONG : SF_EXIT_GOOD;

	for (uint32_t b = 1; b < f->plan->on.nr; b++) {
		sum_pair(f, b, &compared, &skipped, &diverged);
		if (compared || diverged)
			continue;
		sf_say("diff: %s and %s: nothing was compared", label(f, 0), label(f, b));
		status = SF_EXIT_WRONG;
	}
	return status;
}

static void diff_free(struct diff *f)
{
	for (uint32_t i = 0; i < f->nr; i++) {
		free(f->kept[i].file);
		free(f->kept[i].what);
		free(f->kept[i].a_has);
		free(f->kept[i].b_has);
		free(f->kept[i].title);
	}
	free(f->kept);
	sf_lockstep_destroy(f->lockstep);
}

static int diff_files(struct plan *p, char **files)
{
	struct sf_lockstep_options opt = { .exec = p->exec, .diverged = keep };
	struct diff f = { .plan = p };
	struct sf_error err = { "" };
	int status = 0, bad;

	opt.ctx = &f;
	f.lockstep = sf_lockstep_create(&p->on, &opt, &err);
	if (!f.lockstep)
		return sf_bad("diff: %s", err.text);
	for (; *files; files++) {
		bad = diff_file(&f, *files);
		status = bad > status ? bad : status;
	}
	bad = diff_generated(&f);
	status = bad > status ? bad : status;
	if (p->json)
		print_json(&f);
	else
		print_pairs(&f);
	if (!status)
		status = hold_pairs(&f);
	diff_free(&f);
	return status;
}

static int diff(struct plan *p, int argc, char **argv)
{
	int status = sf_take_options(&usage, p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (p->on.nr < 2)
		return sf_usage_error(&usage, "-a: which members? Two at least");
	if (optind == argc && !p->programs)
		return sf_usage_error(&usage, "which file? Or --programs=N");
	return diff_files(p, argv + optind);
}

int sf_cmd_diff(int argc, char **argv)
{
	struct plan p = { .exec = { .end = SF_END_TEARDOWN, .contents = true } };
	int status = diff(&p, argc, argv);

	sf_members_free(&p.on);
	sf_overrides_free(&p.overrides);
	return status;
}
