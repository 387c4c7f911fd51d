// SPDX-License-Identifier: MIT
/*
 * cmd_diff.c - `slabfuzz diff`: programs on several allocators in lockstep. lockstep.c compares;
 * this reads the options and runs the programs, diff_show.c shows what came of it.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/worker_end.h"
#include "../generate/mutate.h"
#include "diff.h"
#include "diff_threads.h"
#include "input.h"
#include "json.h"
#include "output.h"
#include "session.h"

enum {
	ROUNDS = 50,
	ORDERS = 10000,
	GENERATED_OPS = 48,
	GENERATED_PAGES = 4096, /* at most: more takes longer to run out of */
};

/* "NAME,…"; NULL: all. */
static int take_relations(void *to, const struct sf_usage *u, const char *list)
{
	uint32_t *set = to;

	if (!list) {
		*set = (1u << SF_RELATION_COUNT) - (1u << 1);
		return 0;
	}
	for (size_t len; list += strspn(list, ","), (len = strcspn(list, ",")); list += len) {
		enum sf_relation r = sf_relation_by_name(list, len);

		if (!r)
			return sf_usage_error(u, "no relation '%.*s' (see slabfuzz list relations)",
					      (int)len, list);
		*set |= 1u << r;
	}
	return *set ? 0 : sf_usage_error(u, "--relations: which?");
}

static const char *const orders[] = {
	[SF_ORDERS_SEEDED] = "seeded",
	[SF_ORDERS_ALL] = "all",
	[SF_ORDERS_FREE] = "free",
	NULL,
};

static const struct sf_row rows[] = {
	SF_CALL('a', "allocator", "NAME[@KEY=VALUE]…,…", struct sf_diff_plan, on,
		sf_members_add,
		"members: allocators, each with settings of its own; the first with each other"),
	SF_SET_ROW(struct sf_diff_plan, overrides, "change a heap setting of all members"),
	SF_CALL(0, "relations", "[=NAME,…]", struct sf_diff_plan, relations, take_relations,
		"the first also with programs that it must treat alike (list relations)"),
	SF_NUMBER("threads", "N", struct sf_diff_plan, threads, 2, SF_THREADS_MAX,
		  "each member on N threads at once, held against the reference"),
	SF_WORD("schedules", "HOW", struct sf_diff_plan, order, orders,
		"seeded (default), all, or free: the order of the threads' calls"),
	SF_NUMBER("rounds", "N", struct sf_diff_plan, rounds, 1, 100000000,
		  "schedules of each program (default: 50; of all 10000 at most)"),
	SF_NUMBER("walk-every", "N", struct sf_diff_plan, exec.walk_every, 0, UINT32_MAX - 1,
		  "compare snapshots every N operations (default: at check and the end)"),
	SF_NUMBER("programs", "N", struct sf_diff_plan, programs, 1, 100000000,
		  "also N generated programs, named after their seeds"),
	SF_NUMBER("seed", "N", struct sf_diff_plan, seed, 0, UINT64_MAX,
		  "of the first of these, then counted up (default: 0)"),
	{ .letter = 'v', .name = "properties", .kind = SF_ROW_FLAG,
	  .offset = SF_ROW_AT(struct sf_diff_plan, all, bool),
	  .help = "a line for each pair and property" },
	SF_FLAG("worker", struct sf_diff_plan, worker,
		"each in a process of its own (default: if one is from outside): a crash differs"),
	SF_FLAG("here", struct sf_diff_plan, here,
		"all in this process, for a debugger: a crash ends it"),
	SF_NUMBER("timeout", "SECONDS", struct sf_diff_plan, timeout, 0, 1000000,
		  "there, an operation that takes longer hangs (default: 60; 0: none does)"),
	SF_TEXT(0, "junit", "FILE", struct sf_diff_plan, junit, "write a JUnit report too"),
	SF_JSON(struct sf_diff_plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"diff", "[FILE…]",
	"Runs each FILE, a program or a recording of malloc(), on all members and compares the\n"
	"first with each of the others after every operation: what both claim and nothing that\n"
	"tells them apart may change (docs/lockstep.md). A difference is shown where it is.\n"
	"One member will do with --relations; with --threads each is held against what every\n"
	"order of calls must give.",
	rows,
};

static void keep(void *ctx, const struct sf_divergence *d)
{
	struct sf_diff *f = ctx;

	SF_GROW(f->kept, f->nr, f->cap);
	f->kept[f->nr++] = (struct sf_diff_kept){
		.file = sf_strdup(f->file), .op = d->op, .a = d->a, .b = d->b,
		.property = d->property, .consequence = d->consequence, .what = sf_strdup(d->what),
		.a_has = sf_strdup(d->a_has), .b_has = sf_strdup(d->b_has),
		.title = sf_strdup(d->title),
	};
}

static int diff_program(struct sf_diff *f, const char *name, const struct sf_prog *p)
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
	sf_diff_print_file(f, name, p, from);
	return 0;
}

static bool add_recorded(void *ctx, const struct sf_op *op, const char *strings,
			 const struct sf_trace_record *rec)
{
	struct sf_op *added = sf_prog_add(ctx, op);

	(void)strings;
	added->line = rec ? (uint32_t)rec->line : 0;
	return true;
}

/* A recording of malloc() as a program, in words that all members know. */
static int recorded_program(const struct sf_diff_plan *plan, const struct sf_input *in,
			    struct sf_prog *p)
{
	struct sf_import_options opt = { .unique_results = true, .op = add_recorded, .ctx = p };
	struct sf_trace_scan *scan = NULL;
	struct sf_error err = { "" };
	int status;
	struct sf_trace *t = sf_input_trace(in, &status);

	if (!t)
		return status;
	for (uint32_t i = 0; i < plan->on.nr; i++)
		if (!(plan->on.m[i].allocator->caps & SF_CAP_MALLOC))
			opt.kernel_words = true;
	if (!sf_trace_is_calls(t))
		status = sf_bad("%s: a recording of a kernel: turn it into a program first "
				"(slabfuzz import)", in->name);
	else if (!(scan = sf_trace_scan(t, &err)) || sf_trace_import(t, scan, &opt, NULL, &err))
		status = sf_bad("%s", err.text);
	else
		status = 0;
	if (!status)
		p->settings = *sf_trace_scan_settings(scan);
	sf_trace_scan_free(scan);
	sf_trace_close(t);
	return status;
}

int sf_diff_read(const struct sf_diff_plan *plan, const char *name, struct sf_prog *p)
{
	struct sf_input in;
	int status = sf_input_open(&in, name, false);

	if (!status && in.kind == SF_INPUT_TRACE)
		status = recorded_program(plan, &in, p);
	else if (!status)
		status = sf_input_program(&in, p);
	sf_input_close(&in);
	return status;
}

static int diff_file(struct sf_diff *f, const char *name)
{
	struct sf_prog prog;
	int status;

	sf_prog_init(&prog);
	status = sf_diff_read(f->plan, name, &prog);
	if (!status)
		status = diff_program(f, name, &prog);
	sf_prog_free(&prog);
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

void sf_diff_generate(const struct sf_diff_plan *plan, uint32_t nr, struct sf_prog *p,
		      char name[40])
{
	snprintf(name, 40, "generated/%" PRIu64, plan->seed + nr);
	generate(p, caps_to_draw(&plan->on), plan->seed + nr);
}

static int diff_generated(struct sf_diff *f)
{
	struct sf_prog prog;
	char name[40];
	int status = 0;

	sf_prog_init(&prog);
	f->generated = true;
	for (uint32_t i = 0; i < f->plan->programs && !status; i++) {
		sf_diff_generate(f->plan, i, &prog, name);
		status = diff_program(f, name, &prog);
	}
	f->file = NULL;
	sf_prog_free(&prog);
	return status;
}

/* Two that were never compared are not alike. */
static int hold_pairs(const struct sf_diff *f)
{
	uint64_t compared, skipped, diverged;
	int status = f->nr ? SF_EXIT_WRONG : SF_EXIT_GOOD;

	for (uint32_t b = 1; b < f->plan->on.nr; b++) {
		sf_diff_sum(f, b, &compared, &skipped, &diverged);
		if (compared || diverged)
			continue;
		sf_say("diff: %s and %s: nothing was compared", sf_diff_label(f, 0),
		       sf_diff_label(f, b));
		status = SF_EXIT_WRONG;
	}
	return status;
}

static void diff_free(struct sf_diff *f)
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

static int write_junit(const struct sf_diff *f)
{
	struct sf_out out;
	int status = sf_out_open(&out, f->plan->junit);

	if (status)
		return status;
	sf_diff_junit(f, out.file);
	return sf_out_commit(&out);
}

/* The same title as that of a crash in a run. */
static void crash_title(void *ctx, const struct sf_worker_end *end, char title[SF_CRASH_TITLE_MAX])
{
	char *named = sf_crash_symbolize(end->text);
	struct sf_crash c = { .kind = SF_CRASH_NONE };

	(void)ctx;
	sf_worker_crash(end, named ? named : end->text, &c);
	snprintf(title, SF_CRASH_TITLE_MAX, "%s", c.title);
	free(named);
}

/* Members of their own, behind the others. */
static void add_relations(struct sf_diff_plan *p)
{
	for (unsigned int r = 1; r < SF_RELATION_COUNT; r++)
		if (p->relations >> r & 1)
			sf_members_relate(&p->on, (enum sf_relation)r);
}

static int diff_files(struct sf_diff_plan *p, char **files)
{
	const struct sf_tape_options worker = {
		.exec = p->exec, .timeout_ms = p->timeout * 1000, .inside = sf_worker_speaks,
		.title = crash_title,
	};
	struct sf_lockstep_options opt = { .exec = p->exec, .diverged = keep,
					   .worker = p->worker ? &worker : NULL };
	struct sf_diff f = { .plan = p };
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
		sf_diff_print_json(&f);
	else
		sf_diff_print_pairs(&f);
	bad = p->junit ? write_junit(&f) : 0;
	status = bad > status ? bad : status;
	if (!status)
		status = hold_pairs(&f);
	diff_free(&f);
	return status;
}

static bool is_from_outside(const struct sf_member *m)
{
	return m->allocator->instance || !strncmp(m->label, "model:", strlen("model:"));
}

/* Code from elsewhere may crash, and may exit with our status. */
static bool wants_worker(const struct sf_diff_plan *p)
{
	for (uint32_t i = 0; i < p->on.nr; i++)
		if (is_from_outside(&p->on.m[i]))
			return !p->here;
	return p->worker;
}

static int diff_threads(struct sf_diff_plan *p, int argc, char **argv)
{
	if (!p->on.nr)
		return sf_usage_error(&usage, "-a: which allocator?");
	if (optind == argc && !p->programs)
		return sf_usage_error(&usage, "which file? Or --programs=N");
	if (p->relations || p->exec.walk_every || p->worker || p->here || p->all)
		return sf_usage_error(&usage, "--threads goes with -a, --set, --schedules, "
				      "--rounds, --programs, --seed, --timeout, --junit, --json");
	if (!p->rounds)
		p->rounds = p->order == SF_ORDERS_ALL ? ORDERS : ROUNDS;
	return sf_diff_threads(p, argv + optind);
}

static int diff(struct sf_diff_plan *p, int argc, char **argv)
{
	int status = sf_take_options(&usage, p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (p->threads)
		return diff_threads(p, argc, argv);
	if (p->order || p->rounds)
		return sf_usage_error(&usage, "--schedules and --rounds go with --threads");
	if (p->on.nr < (p->relations ? 1 : 2))
		return sf_usage_error(&usage, "-a: which members? Two at least");
	if (optind == argc && !p->programs)
		return sf_usage_error(&usage, "which file? Or --programs=N");
	if (p->relations && p->exec.walk_every)
		return sf_usage_error(&usage, "--walk-every: related programs have other numbers");
	add_relations(p);
	if (p->worker && p->here)
		return sf_usage_error(&usage, "--worker or --here?");
	p->worker = wants_worker(p);
	return diff_files(p, argv + optind);
}

int sf_cmd_diff(int argc, char **argv)
{
	struct sf_diff_plan p = { .exec = { .end = SF_END_TEARDOWN, .contents = true },
				  .timeout = 60 };
	int status = diff(&p, argc, argv);

	sf_members_free(&p.on);
	sf_overrides_free(&p.overrides);
	return status;
}
