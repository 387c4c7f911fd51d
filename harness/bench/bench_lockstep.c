// SPDX-License-Identifier: MIT
/*
 * bench_lockstep.c - what it costs to compare: programs on several members in lockstep, and on each
 * of them alone. Relies on lockstep.h and on generated programs.
 */
#include "../lockstep/lockstep.h"
#include "bench.h"

enum {
	PROGRAMS = 128,
	PROGRAM_OPS = 48,
	PAGES = 1024,
	MEMBERS = 4,
};

static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true };

static void hear(void *ctx, const struct sf_event *ev)
{
	(void)ev;
	++*(uint64_t *)ctx;
}

static void differ(void *ctx, const struct sf_divergence *d)
{
	(void)ctx;
	bench_die("members of a lockstep differ: %s", d->title);
}

static double run_apart(struct sf_exec **x, const struct sf_prog *p)
{
	uint64_t start = bench_now();
	struct sf_error err;

	for (uint32_t m = 0; m < MEMBERS; m++)
		for (uint32_t i = 0; i < PROGRAMS; i++)
			if (sf_exec_run(x[m], &p[i], NULL, &err) < 0)
				bench_die("%s", err.text);
	return (double)(bench_now() - start);
}

static double run_together(struct sf_lockstep *l, const struct sf_prog *p,
			   const struct sf_settings *set)
{
	uint64_t start = bench_now();
	struct sf_error err;

	for (uint32_t i = 0; i < PROGRAMS; i++)
		if (sf_lockstep_run(l, &p[i], NULL, set, &err) < 0)
			bench_die("%s", err.text);
	return (double)(bench_now() - start);
}

/* Rounds of both, one after the other; what the first of each warms up is not counted. */
static void measure(struct bench *b, const struct sf_members *on, const struct sf_prog *p)
{
	const struct sf_lockstep_options opt = { .exec = how, .diverged = differ };
	struct sf_exec *x[MEMBERS];
	struct sf_settings set[MEMBERS];
	struct series ratio = { .nr = 0 };
	struct sf_lockstep *l;
	struct sf_error err;
	uint64_t events = 0;

	l = sf_lockstep_create(on, &opt, &err);
	if (!l || !sf_lockstep_settings(l, &p->settings, NULL, set, &err))
		bench_die("%s", err.text);
	for (uint32_t m = 0; m < MEMBERS; m++) {
		x[m] = sf_exec_create(on->m[m].allocator, &set[m], &how, hear, &events, &err);
		if (!x[m])
			bench_die("%s", err.text);
	}
	run_apart(x, p);
	run_together(l, p, set);
	for (unsigned int i = 0; i < b->rounds; i++) {
		double apart = run_apart(x, p);

		series_add(&ratio, run_together(l, p, set) / apart);
	}
	bench_add(b, BENCH_RATIO, "lockstep", &ratio, 1.3, "");
	for (uint32_t m = 0; m < MEMBERS; m++)
		sf_exec_destroy(x[m]);
	sf_lockstep_destroy(l);
}

void bench_lockstep(struct bench *b)
{
	static struct sf_prog programs[PROGRAMS];
	struct sf_members on = { .nr = 0 };
	struct sf_error err;

	if (!sf_members_read_all(&on, "baseline typed random protected", &err))
		bench_die("%s", err.text);
	for (uint32_t i = 0; i < PROGRAMS; i++) {
		sf_prog_init(&programs[i]);
		bench_generate(&programs[i], PROGRAM_OPS, i, false);
		programs[i].settings.pages = PAGES;
		sf_prog_fixup(&programs[i]);
	}
	measure(b, &on, programs);
	for (uint32_t i = 0; i < PROGRAMS; i++)
		sf_prog_free(&programs[i]);
	sf_members_free(&on);
}
