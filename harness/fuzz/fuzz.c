// SPDX-License-Identifier: MIT
/*
 * fuzz.c - one input of a fuzzer: decode, run, judge; and what a find does to the heap that it was
 * made on. Relies on the executor, the judge and the bytes' decoder; the entry points
 * (harness/entry) rely on it. Its state is static because the engines' entry points carry no
 * context.
 */
#include "fuzz.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../allocators/base/rng.h"
#include "../generate/mutate.h"
#include "../program/program.h"
#include "counts.h"
#include "find.h"
#include "forked.h"
#include "mark.h"
#include "rig.h"
#include "survive.h"
#include "undefined.h"
#include "where.h"

enum {
	HEAPS_MAX = 96,        /* kept, by allocator and settings: to open one costs some runs */
	FUZZ_PAGES_MAX = 4096, /* a few of the largest blocks; more takes longer to run out of */
	ALLOCATORS_MAX = 16,
	TURN_RUNS = 2000,      /* most programs of so many are for one allocator */
	COVERAGE_EVERY = 256,  /* runs: then the edges are counted; and at powers of two */
	COUNTERS_MAX = 1 << 18,
	RANGES_MAX = ALLOCATORS_MAX + 1,
	NAMES_MAX = 4096,      /* of all allocators */
	STACK_MAX = 24,        /* of a report, of which its title is made */
	DETAIL_MAX = 600,
	RARELY = 512,
};

static const uint64_t TOUCH_MAX = 5ull << 30; /* one request of 4 GiB, and some */

struct fuzz_heap {
	struct sf_rig rig;
	const struct subject *of;
	struct sf_settings settings;
	uint64_t used;        /* when: the run's number */
	bool broken;          /* a find was made on it: it makes way for a new one */
};

/* An allocator that is fuzzed. */
struct subject {
	const struct sf_allocator *allocator;
	struct sf_members on; /* itself; in lockstep its partners, too */
	uint64_t settings;    /* that all of them heed */
	char *runs, *edges;   /* counters */
	char *broken;         /* likewise; not 0: what it is in now no reset can mend */
	bool forked;          /* each run in a child of its own */
	uint8_t *seen;        /* by coverage counter */
	uint32_t since;       /* runs since edges were counted */
};

static struct {
	struct subject subject[ALLOCATORS_MAX];
	unsigned int nr_subjects;
	unsigned int first;   /* whose turn it is first */
	bool any;             /* SLABFUZZ_ALLOCATOR is not set: who is marked runs on its own */
	struct fuzz_heap heaps[HEAPS_MAX];
	unsigned int nr_heaps; /* of these, used */
	uint64_t runs;
	struct sf_prog prog;
	struct sf_settings asked; /* by the input in hand: prog has what the allocator can */
	struct fuzz_heap *in_use;
	bool thorough;        /* SLABFUZZ_THOROUGH: every program ends in full */
	struct {
		struct sf_range range[RANGES_MAX]; /* of counters: this program's, plug-ins' */
		unsigned int nr_ranges;
		uint8_t *most; /* of the runs of this input */
		size_t nr;     /* counters */
	} coverage;
	uint64_t opening;     /* ns that went into opening heaps, of this input */
	uint64_t elsewhere;   /* ns that a child ran it */
} fz;

void (*sf_fuzz_forget_coverage)(void);

/* --- finds --- */

/* The operation in hand is finished; nothing that it does any more is looked at. */
static void stop(void)
{
	if (!fz.in_use)
		return;
	fz.in_use->broken = true;
	sf_rig_stop(&fz.in_use->rig);
}

static void on_violation(void *ctx, const struct sf_violation *v)
{
	(void)ctx;
	if (!sf_find_expected(v->title))
		return;
	sf_find_save(v->title, v->detail);
	if (sf_find_goes_on())
		stop();
	else
		sf_trap(v);
}

/* The number makes the functions differ, so that nothing folds them into one (named_traps.c). */
#define X(id, name, group, needs, doc)                                              \
	__attribute__((noinline, noreturn, cold)) static void sf_diff_##id(void)    \
	{                                                                           \
		volatile int number = SF_PROP_##id;                                 \
		(void)number;                                                       \
		__builtin_trap();                                                   \
	}
SF_PROPERTIES(X)
#undef X

static void (*const differ[SF_PROPERTY_COUNT])(void) = {
#define X(id, name, group, needs, doc) sf_diff_##id,
	SF_PROPERTIES(X)
#undef X
};

/* How to see it whole. */
static void describe(const struct sf_divergence *d, char detail[DETAIL_MAX])
{
	const struct sf_members *on = fz.in_use->rig.on;
	char at[32] = "at the end";
	int n;

	if (d->op != SF_NONE)
		snprintf(at, sizeof(at), "at operation %u", d->op);
	n = snprintf(detail, DETAIL_MAX, "%s %s (%s): %s %s, %s %s\nslabfuzz diff -a ", at,
		     sf_properties[d->property].name, d->what, on->m[d->a].label, d->a_has,
		     on->m[d->b].label, d->b_has);
	if (on->m[d->b].relation && n < DETAIL_MAX) {
		snprintf(detail + n, (size_t)(DETAIL_MAX - n), "%s,%s", on->m[d->a].label,
			 on->m[d->b].label);
		return;
	}
	for (uint32_t i = 0; i < on->nr && n < DETAIL_MAX; i++)
		n += snprintf(detail + n, (size_t)(DETAIL_MAX - n), "%s%s", i ? "," : "",
			      on->m[i].label);
}

/* Nobody is at fault yet: the heaps stay. What follows from a difference is not looked at. */
static void on_diverged(void *ctx, const struct sf_divergence *d)
{
	char detail[DETAIL_MAX];

	(void)ctx;
	if (d->consequence || sf_find_made() || !sf_find_expected(d->key))
		return;
	describe(d, detail);
	sf_find_save(d->key, detail);
	if (sf_find_goes_on()) {
		sf_rig_stop(&fz.in_use->rig);
		return;
	}
	fprintf(stderr, "%s\n  %s\n", d->key, detail);
	fflush(stderr);
	differ[d->property]();
}

bool sf_fuzz_caught(const char *title, const char *detail)
{
	if (!sf_find_expected(title))
		return false;
	if (!sf_find_goes_on())
		fprintf(stderr, "%s\n%s\n", title, detail);
	sf_find_save(title, detail);
	return !sf_find_goes_on();
}

/*
 * AddressSanitizer's report. The hook for the end of the process (__sanitizer_set_death_callback)
 * has a single place, which libFuzzer takes to save its own copy of the input, so this is the hook
 * for reports. Absent when there is no AddressSanitizer.
 */
void __asan_set_error_report_callback(void (*callback)(const char *report)) __attribute__((weak));

/* The addresses of the first stack in a report: "    #0 0x55e0...", a line each. */
static unsigned int stack_of(const char *report, uintptr_t *pc, unsigned int max)
{
	unsigned int n = 0;
	char mark[16];

	while (n < max) {
		const char *line;

		snprintf(mark, sizeof(mark), "    #%u 0x", n);
		line = strstr(report, mark);
		if (!line)
			break;
		report = line + strlen(mark);
		pc[n++] = (uintptr_t)strtoull(report, NULL, 16);
	}
	return n;
}

/* "SUMMARY: AddressSanitizer: KIND ..." has the kind. */
static void asan_title(const char *report, char title[SF_CRASH_MAX])
{
	static const char mark[] = "SUMMARY: AddressSanitizer: ";
	const char *kind = strstr(report, mark), *at = strstr(report, "ERROR: AddressSanitizer: ");
	uintptr_t pc[STACK_MAX];

	/* What another sanitizer said before is in it, too. */
	report = at ? at : report;
	kind = kind ? kind + sizeof(mark) - 1 : "report";
	sf_where_title(kind, strcspn(kind, " \n"), pc, stack_of(report, pc, STACK_MAX), title);
}

static void on_asan_report(const char *report)
{
	char title[SF_CRASH_MAX];

	if (sf_find_made())
		return;
	asan_title(report, title);
	if (!sf_find_goes_on())
		fprintf(stderr, "%s\n", title);
	sf_find_save(title, "");
	if (sf_find_goes_on())
		stop();
}

/* --- heaps --- */

/*
 * Brings settings to what is worth a heap of its own: bounded, and at the default where they do
 * nothing.
 */
static void normalise(struct sf_settings *set, uint64_t heeded)
{
	for (size_t i = 0; i < sf_setting_count; i++)
		if (!(heeded & 1ull << sf_setting_table[i].code))
			*sf_setting_slot(set, &sf_setting_table[i]) = sf_setting_table[i].def;
	if (set->pages > FUZZ_PAGES_MAX)
		set->pages = FUZZ_PAGES_MAX;
	sf_settings_fixup(set);
}

/* The operation that the report was about is over. */
__attribute__((noinline, noreturn, cold)) static void sf_undefined_behaviour(void)
{
	__builtin_trap();
}

static void on_event(void *judge, const struct sf_event *ev)
{
	if (ev->type == SF_EV_BEGIN && sf_fuzz_forget_coverage)
		sf_fuzz_forget_coverage();
	if (__builtin_expect(sf_undefined_told(), false))
		sf_undefined_behaviour();
	/* After a find the judge's picture is of no use, and more of the same would be said. */
	if (judge && __builtin_expect(!fz.in_use || !fz.in_use->broken, true))
		sf_judge_event(judge, ev);
}

static const struct sf_rig_hooks hooks = {
	.event = on_event, .judging = { .violation = on_violation }, .diverged = on_diverged,
};

static void close_heap(void *ctx)
{
	struct fuzz_heap *h = ctx;

	sf_rig_close(&h->rig);
}

static bool open_heap(struct fuzz_heap *h, const struct subject *of, const struct sf_settings *set,
		      struct sf_error *err)
{
	h->of = of;
	h->settings = *set;
	h->broken = false;
	return sf_rig_open(&h->rig, &of->on, set, &hooks, err);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	if (!sf_find_goes_on())
		return 0;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct opening {
	struct fuzz_heap *heap;
	const struct subject *of;
	const struct sf_settings *set;
	struct sf_error *err;
	bool opened;
};

static void open_guarded(void *ctx)
{
	struct opening *o = ctx;

	o->opened = open_heap(o->heap, o->of, o->set, o->err);
}

/*
 * What a find was made on may be in any state: closing it may crash again, and then it is left
 * where it is.
 */
static bool replace_heap(struct fuzz_heap *h, const struct subject *of,
			 const struct sf_settings *set, struct sf_error *err)
{
	struct opening o = { .heap = h, .of = of, .set = set, .err = err };
	uint64_t start = now_ns();
	char crash[SF_CRASH_MAX];

	if (!sf_find_goes_on()) {
		open_guarded(&o);
	} else if (!sf_survive(open_guarded, &o, crash)) {
		sf_find_save(crash, "");
		h->rig = (struct sf_rig){ .judge = NULL };
		snprintf(err->text, sizeof(err->text), "%s", crash);
		return false;
	}
	fz.opening += now_ns() - start;
	sf_counter_add(sf_counter("heaps"), 1);
	return o.opened;
}

/* The heap with these settings; the one that was not used for longest makes way. */
static struct fuzz_heap *find_heap(const struct subject *of, const struct sf_settings *set,
				   struct sf_error *err)
{
	struct fuzz_heap *oldest = &fz.heaps[0];

	for (struct fuzz_heap *h = fz.heaps; h < fz.heaps + fz.nr_heaps; h++) {
		if (h->rig.judge && h->of == of && !memcmp(&h->settings, set, sizeof(*set))) {
			oldest = h;
			break;
		}
		if (!h->rig.judge || (oldest->rig.judge && h->used < oldest->used))
			oldest = h;
	}
	if (oldest->rig.judge && !oldest->broken && oldest->of == of &&
	    !memcmp(&oldest->settings, set, sizeof(*set)))
		return oldest;
	return replace_heap(oldest, of, set, err) ? oldest : NULL;
}

/* --- set-up --- */

static void refuse(const char *variable, const char *value, const char *why)
{
	fprintf(stderr, "slabfuzz: %s=%s: %s\n", variable, value, why);
	exit(2);
}

static void refuse_name(const char *name, const char *why)
{
	refuse("SLABFUZZ_ALLOCATOR", name, why);
}

static void add_range(uint8_t *begin, size_t size)
{
	if (begin && size && fz.coverage.nr_ranges < RANGES_MAX)
		fz.coverage.range[fz.coverage.nr_ranges++] = (struct sf_range){ begin, size };
}

/* The functions and the coverage counters of an allocator from outside. */
static void add_object(const char *path)
{
	size_t size = 0;
	uint8_t *begin = sf_where_add(path, "__sancov_cntrs", &size);

	add_range(begin, size);
}

/* Another allocator, or settings of its own; relations of another one are not for this one. */
static bool is_partner(const struct sf_member *m, const struct sf_allocator *a)
{
	return m->relation ? m->allocator == a : m->allocator != a || m->overrides.nr;
}

static void add_relations(struct sf_members *on)
{
	for (unsigned int r = 1; r < SF_RELATION_COUNT; r++)
		sf_members_relate(on, (enum sf_relation)r);
}

/*
 * Partners of SLABFUZZ_LOCKSTEP; "default": whom member.h names; "relations": the allocator under
 * each. None is an allocator's own.
 */
static void add_partners(struct sf_members *on, const struct sf_allocator *a)
{
	const char *env = getenv("SLABFUZZ_LOCKSTEP");
	struct sf_members read = { .nr = 0 };
	struct sf_error err = { "" };
	char *beside = NULL;

	if (!env || !*env)
		return;
	if (!strcmp(env, "relations")) {
		add_relations(on);
		return;
	}
	if (!strcmp(env, "default"))
		env = beside = sf_members_beside(a);
	if (!sf_members_read_all(&read, env, &err))
		refuse("SLABFUZZ_LOCKSTEP", env, err.text);
	for (uint32_t i = 0; i < read.nr; i++)
		if (is_partner(&read.m[i], a))
			sf_members_move(on, &read.m[i]);
	sf_members_free(&read);
	if (on->nr > SF_MEMBERS_MAX)
		refuse("SLABFUZZ_LOCKSTEP", env, "too many members");
	if (on->nr < 2)
		refuse("SLABFUZZ_LOCKSTEP", env, "names no other than the allocator itself");
	free(beside);
}

static struct subject *add_subject(const struct sf_allocator *a, const char *name)
{
	struct subject *s = &fz.subject[fz.nr_subjects];
	char line[NAMES_MAX + 16];
	unsigned int kept;

	if (fz.nr_subjects == ALLOCATORS_MAX)
		refuse_name(name, "too many allocators");
	s->allocator = a;
	sf_members_put(&s->on, a);
	add_partners(&s->on, a);
	s->settings = ~0ull;
	kept = HEAPS_MAX / (s->on.nr > 1 ? s->on.nr : 1);
	for (uint32_t i = 0; i < s->on.nr; i++)
		s->settings &= s->on.m[i].allocator->settings;
	if (kept < fz.nr_heaps || !fz.nr_heaps)
		fz.nr_heaps = kept;
	fz.nr_subjects++;
	snprintf(line, sizeof(line), "runs %s", name);
	s->runs = sf_counter(line);
	snprintf(line, sizeof(line), "edges %s", name);
	s->edges = sf_counter(line);
	if (strchr(name, ':'))
		add_object(strchr(name, ':') + 1);
	snprintf(line, sizeof(line), "broken %s", name);
	s->broken = sf_counter(line);
	s->forked = sf_traits_of(s->allocator)->history && sf_counter_value(s->broken);
	return s;
}

static void add_named(const char *name)
{
	struct sf_error err = { "" };
	const struct sf_allocator *a = sf_allocator_open(name, getenv("SLABFUZZ_TRAITS"), &err);

	if (!a)
		refuse_name(name, err.text);
	add_subject(a, name);
}

/* Who has had the fewest runs: engines that are ended early would never get to the last. */
static unsigned int first_turn(void)
{
	unsigned int least = 0;

	for (unsigned int i = 1; i < fz.nr_subjects; i++)
		if (sf_counter_value(fz.subject[i].runs) <
		    sf_counter_value(fz.subject[least].runs))
			least = i;
	return least;
}

/* Names with blanks between them. */
static void choose_allocators(void)
{
	const char *env = getenv("SLABFUZZ_ALLOCATOR");
	char names[NAMES_MAX], *save = NULL, *name;

	fz.any = !env || !*env;
	snprintf(names, sizeof(names), "%s", fz.any ? "baseline" : env);
	for (name = strtok_r(names, " ", &save); name; name = strtok_r(NULL, " ", &save))
		add_named(name);
	if (!fz.nr_subjects)
		refuse_name(env, "names no allocator");
	fz.first = first_turn();
}

void sf_fuzz_setup(void)
{
	const char *thorough = getenv("SLABFUZZ_THOROUGH");
	struct sf_error err;

	sf_find_setup();
	sf_where_setup();
	choose_allocators();
	fz.thorough = thorough && *thorough;
	sf_prog_init(&fz.prog);
	if (sf_find_goes_on())
		sf_survive_setup();
	normalise(&fz.prog.settings, fz.subject[0].settings);
	if (!find_heap(&fz.subject[0], &fz.prog.settings, &err)) {
		fprintf(stderr, "slabfuzz: %s: %s\n", fz.subject[0].allocator->name, err.text);
		exit(3);
	}
	if (__asan_set_error_report_callback)
		__asan_set_error_report_callback(on_asan_report);
}

/* Models are drawn for together, whichever of them there are: what one lacks is compared, too. */
uint64_t sf_fuzz_caps(void)
{
	uint64_t caps = 0;

	for (unsigned int i = 0; i < fz.nr_subjects; i++)
		caps |= fz.subject[i].allocator->caps;
	return !caps || caps & SF_CAP_KMALLOC ? SF_DRAW_KERNEL : caps;
}

void sf_fuzz_counters(uint8_t *begin, uint8_t *end)
{
	add_range(begin, (size_t)(end - begin));
	for (unsigned int i = 0; i < fz.coverage.nr_ranges; i++)
		fz.coverage.nr += fz.coverage.range[i].size;
	if (!sf_find_goes_on() || fz.coverage.nr > COUNTERS_MAX)
		fz.coverage.nr = 0;
	if (!fz.coverage.nr)
		return;
	fz.coverage.most = calloc(fz.nr_subjects + 1, fz.coverage.nr);
	if (!fz.coverage.most)
		abort();
	for (unsigned int i = 0; i < fz.nr_subjects; i++)
		fz.subject[i].seen = fz.coverage.most + (i + 1) * fz.coverage.nr;
}

/* --- one input --- */

void sf_fuzz_take(const uint8_t *data, size_t size)
{
	sf_find_take(data, size);
}

/*
 * A snapshot and a teardown cost as much as a short program, and a program can ask for snapshots
 * itself (`check`). So a quarter of the programs are looked at as they end and a quarter are torn
 * down. Which is the program's own doing, so a find stays one; replays do both, and find whatever
 * either does.
 */
static enum sf_end how_it_ends(const struct sf_prog *p)
{
	uint32_t sum = p->nr_ops;

	for (uint32_t i = 0; i < p->nr_ops; i++)
		sum += p->ops[i].code;
	switch (sum & 3) {
	case 0:
		return SF_END_ONLY_TEARDOWN;
	case 1:
		return SF_END_WALK;
	}
	return SF_END_PLAIN;
}

/* Gigabytes are zeroed for few programs: the others are ten thousands in that time. */
static uint64_t touch_max(const struct sf_prog *p)
{
	uint32_t sum = p->nr_ops;

	for (uint32_t i = 0; i < p->nr_ops; i++)
		sum = sum * 31 + (p->ops[i].code ^ (uint32_t)p->ops[i].size);
	return fz.thorough || sum % RARELY == 0 ? TOUCH_MAX : SF_RIG_TOUCH_MAX;
}

static void run_guarded(void *ctx)
{
	(void)ctx;
	sf_rig_run(&fz.in_use->rig, &fz.prog,
		   fz.thorough ? SF_END_TEARDOWN : how_it_ends(&fz.prog), touch_max(&fz.prog));
}

/* Values that were compared, and those that were not: nobody is to believe in none. */
static void count_compared(const struct fuzz_heap *h, uint64_t compared, uint64_t skipped)
{
	static char *c, *s;
	uint64_t c_now, s_now;

	if (!c) {
		c = sf_counter("compared");
		s = sf_counter("uncompared");
	}
	sf_lockstep_totals(h->rig.lockstep, &c_now, &s_now);
	sf_counter_add(c, c_now - compared);
	sf_counter_add(s, s_now - skipped);
}

/* An abort that its traits announce says no more than NULL does. */
static bool is_refusal(const struct fuzz_heap *h, const char *crash)
{
	static const char mark[] = "ASan: ABRT ";
	uint32_t op = h->rig.exec ? sf_exec_op(h->rig.exec) : SF_NONE;

	return op < fz.prog.nr_ops && !strncmp(crash, mark, sizeof(mark) - 1) &&
	       sf_exec_abort_refuses(sf_traits_of(h->of->allocator), &fz.prog.ops[op], false);
}

static void run_here(struct fuzz_heap *h)
{
	uint64_t compared = 0, skipped = 0;
	char crash[SF_CRASH_MAX];

	if (h->rig.lockstep)
		sf_lockstep_totals(h->rig.lockstep, &compared, &skipped);
	if (sf_survive(run_guarded, NULL, crash)) {
		if (h->rig.lockstep)
			count_compared(h, compared, skipped);
		return;
	}
	if (!is_refusal(h, crash))
		sf_find_save(crash, "");
	h->broken = true;
	/*
	 * Executor and judge were in the midst of something, too. Where the process is over with
	 * this run, closing would but do more harm.
	 */
	if (sf_traits_of(h->of->allocator)->history || !sf_survive(close_heap, h, crash))
		h->rig = (struct sf_rig){ .judge = NULL };
}

static void run_on(struct fuzz_heap *h)
{
	h->used = ++fz.runs;
	fz.in_use = h;
	if (sf_find_goes_on())
		run_here(h);
	else
		run_guarded(NULL);
	fz.in_use = NULL;
}

/*
 * What a run covered is this allocator's. An input that runs on several has the most that any run
 * of it had, by counter, so that it does not depend on how many there are.
 */
static void take_coverage(struct subject *s, bool first, bool last)
{
	uint8_t *most = fz.coverage.most, *seen = s->seen;
	uint64_t edges = 0;

	for (unsigned int k = 0; k < fz.coverage.nr_ranges; k++) {
		uint8_t *now = fz.coverage.range[k].begin;
		size_t nr = fz.coverage.range[k].size;

		for (size_t i = 0; i < nr; i++)
			seen[i] |= now[i];
		if (!first || !last)
			for (size_t i = 0; i < nr; i++)
				most[i] = first || now[i] > most[i] ? now[i] : most[i];
		if (last && !first)
			memcpy(now, most, nr);
		most += nr;
		seen += nr;
	}
	/* An engine may not live for long. */
	if (++s->since % COVERAGE_EVERY && (s->since & (s->since - 1)))
		return;
	for (size_t i = 0; i < fz.coverage.nr; i++)
		edges += s->seen[i] != 0;
	sf_counter_raise(s->edges, edges);
}

/* False: what it was run on is broken. */
static bool run_subject(const struct subject *of)
{
	struct sf_error err;
	struct fuzz_heap *h;

	fz.prog.settings = fz.asked;
	normalise(&fz.prog.settings, of->settings);
	sf_find_is(&fz.prog, of->allocator->name);
	h = find_heap(of, &fz.prog.settings, &err);
	if (!h) {
		/* A heap that cannot be: the allocator says so in words, that is no bug. */
		static bool said;

		if (!said)
			fprintf(stderr, "slabfuzz: an input's heap is refused: %s\n", err.text);
		said = true;
		return true;
	}
	run_on(h);
	return !h->broken;
}

/* --- where no reset brings a state back --- */

static void take(const uint8_t *data, size_t size)
{
	sf_find_take(data, size);
	sf_bytes_decode(&fz.prog, data, size, SF_FUZZ_OPS_MAX);
	fz.asked = fz.prog.settings;
}

static bool run_in_child(unsigned int subject, const uint8_t *data, size_t size)
{
	static pid_t begun;

	if (begun != getpid())
		sf_find_forget();
	begun = getpid();
	take(data, size);
	return run_subject(&fz.subject[subject]);
}

/* Which function it is found in is a matter of chance. */
static void save_hang(const void *context)
{
	static const char mark[] = "ASan: ";
	char title[SF_CRASH_MAX];

	sf_survive_title("hang", context, title);
	sf_find_save(title + (strncmp(title, mark, sizeof(mark) - 1) ? 0 : sizeof(mark) - 1), "");
}

/* What ends the child ends this process in the same way, for the engine to see. */
static void run_forked(unsigned int subject, const uint8_t *data, size_t size)
{
	const struct sf_forked how = { .work = run_in_child, .hung = save_hang,
				       .range = fz.coverage.range,
				       .nr_ranges = fz.coverage.nr_ranges };
	int status = sf_forked(&how, subject, data, size);

	fz.elsewhere = sf_forked_ns();
	if (status > 0 && WIFEXITED(status) && WEXITSTATUS(status) == SF_FORKED_HUNG)
		return; /* the child has said so */
	if (status > 0 && WIFEXITED(status) && WEXITSTATUS(status) == SF_FORKED_MEMORY)
		sf_find_save("memory runs away", "");
	else if (status > 0 && WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		exit(1);
	else if (status)
		_exit(status > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : SF_FIND_AGAIN);
}

/*
 * The first find on an allocator that keeps a state of its own leaves this process in no state to
 * go on in, nor to fork from: the next one forks.
 */
static void run_counted(unsigned int nr, const uint8_t *data, size_t size)
{
	struct subject *s = &fz.subject[nr];

	if (s->forked) {
		run_forked(nr, data, size);
	} else if (!run_subject(s) && sf_traits_of(s->allocator)->history &&
		   sf_find_goes_on()) {
		sf_counter_raise(s->broken, 1);
		_exit(SF_FIND_AGAIN);
	}
}

/* Where the time of this process goes, by the runs' own times: the costliest 1 % of them. */
enum { BUCKETS = 256 };
static struct {
	uint64_t nr, nr_in[BUCKETS], ns_in[BUCKETS];
} times;

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int log = 63 - (unsigned int)__builtin_clzll(ns | 4);

	return log * 4 + (unsigned int)(ns >> (log - 2) & 3);
}

static uint64_t costliest_ns(void)
{
	uint64_t left = times.nr / 100, ns = 0;

	for (unsigned int i = BUCKETS; i-- > 0 && left;) {
		uint64_t n = times.nr_in[i];

		if (!n)
			continue;
		ns += n <= left ? times.ns_in[i] : times.ns_in[i] / n * left;
		left -= n < left ? n : left;
	}
	return ns;
}

static void take_time(uint64_t ns)
{
	static char *running, *opening, *costliest;

	if (!running) {
		running = sf_counter("ns running");
		opening = sf_counter("ns opening");
		costliest = sf_counter("ns costliest");
	}
	ns -= fz.opening;
	sf_counter_add(running, ns);
	sf_counter_add(opening, fz.opening);
	times.nr++;
	times.nr_in[bucket_of(ns)]++;
	times.ns_in[bucket_of(ns)] += ns;
	if (times.nr % COVERAGE_EVERY == 0)
		sf_counter_raise(costliest, costliest_ns());
}

static const struct sf_allocator *marked_for(const uint8_t *data, size_t size)
{
	char name[SF_MARK_NAME_MAX + 1];

	return sf_mark_get(data, size, name) ? sf_allocator_by_name(name) : NULL;
}

/* Whom an input names, if any will do: a subject from then on. */
static struct subject *subject_of(const struct sf_allocator *a)
{
	for (unsigned int i = 0; i < fz.nr_subjects; i++)
		if (fz.subject[i].allocator == a)
			return &fz.subject[i];
	return add_subject(a, a->name);
}

/* Runs [*first, *last) of the subjects: whom the input is marked for, or all. */
static void choose_subjects(const struct sf_allocator *a, unsigned int *first, unsigned int *last)
{
	*first = 0;
	*last = fz.nr_subjects;
	for (unsigned int i = 0; i < fz.nr_subjects; i++) {
		if (fz.subject[i].allocator != a)
			continue;
		*first = i;
		*last = i + 1;
	}
}

void sf_fuzz_program(const uint8_t *data, size_t size)
{
	const struct sf_allocator *a = marked_for(data, size);
	unsigned int first, last;

	take(data, size);
	if (fz.any && a) {
		run_subject(subject_of(a));
		return;
	}
	choose_subjects(a, &first, &last);
	for (unsigned int i = first; i < last; i++) {
		uint64_t start = now_ns();

		if (i > first)
			sf_find_take(data, size);
		fz.opening = fz.elsewhere = 0;
		run_counted(i, data, size);
		if (!sf_find_goes_on())
			continue;
		sf_counter_add(fz.subject[i].runs, 1);
		take_time(now_ns() - start + fz.elsewhere);
		if (fz.coverage.nr)
			take_coverage(&fz.subject[i], i == first, i == last - 1);
	}
}

const struct sf_prog *sf_fuzz_last(void)
{
	return &fz.prog;
}

/* --- inputs for several allocators --- */

size_t sf_fuzz_unmark(uint8_t *data, size_t size, char name[SF_MARK_NAME_MAX + 1])
{
	name[0] = 0;
	sf_mark_get(data, size, name);
	return sf_mark_strip(data, size);
}

size_t sf_fuzz_room(size_t max_size)
{
	size_t mark = sf_mark_size();

	return fz.nr_subjects > 1 && max_size > 2 * mark ? max_size - mark : max_size;
}

size_t sf_fuzz_mark(uint8_t *data, size_t size, size_t max_size, const char *was, uint64_t seed)
{
	const char *name = was;
	unsigned int turn;
	struct sf_rng r;

	if (fz.nr_subjects < 2 || sf_fuzz_room(max_size) == max_size)
		return size;
	sf_rng_seed(&r, seed);
	/*
	 * One allocator at a time, so that its heaps are there already; some stay with their
	 * parent's: what an input is about may be only there.
	 */
	turn = (unsigned int)((fz.first + fz.runs / TURN_RUNS) % fz.nr_subjects);
	if (!*name || sf_rng_below(&r, 8))
		name = fz.subject[turn].allocator->name;
	return sf_mark_put(data, size, name);
}
