// SPDX-License-Identifier: MIT
/*
 * bench_oracles.c - what a family of oracles adds to a run: the same programs under all oracles,
 * and under all but these, in turn.
 *
 * Relies on the executor, the judge and generated programs; isolation.c and reclaim.c use it.
 */
#include <stdio.h>

#include "bench.h"

#define PROGRAMS 8
#define PROGRAM_OPS 1024

static void stop(void *ctx, const struct sf_violation *v)
{
	(void)ctx;
	bench_die("a violation: %s", v->title);
}

static struct sf_exec *judged(const struct sf_allocator *a, const struct sf_settings *set,
			      struct sf_judge *judge)
{
	static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true };
	struct sf_error err;
	struct sf_exec *x = sf_exec_create(a, set, &how, sf_judge_event, judge, &err);

	if (!x)
		bench_die("%s: %s", a->name, err.text);
	return x;
}

static double run_for(struct sf_exec *x, const struct sf_prog *programs, uint32_t nr, bool quick)
{
	uint64_t start = bench_now(), enough = quick ? 20000000 : 150000000, ops = 0;
	struct sf_error err;

	do {
		for (uint32_t i = 0; i < nr; i++)
			ops += (uint64_t)sf_exec_run(x, &programs[i], "bench", &err);
	} while (bench_now() - start < enough);
	return (double)(bench_now() - start) / (double)ops;
}

void bench_oracles_on(struct bench *b, const struct sf_allocator *a, const char *name,
		      bool (*of_family)(unsigned int inv), double target,
		      const struct sf_prog *programs, uint32_t nr)
{
	struct sf_judge_options all = { .violation = stop }, less = { .violation = stop };
	struct series ratio = { .nr = 0 };
	struct sf_judge *judge[2];
	struct sf_exec *x[2];
	char full[64];

	for (unsigned int inv = 0; inv < SF_INV_COUNT; inv++)
		if (!of_family(inv))
			less.only |= sf_invariant_bit((enum sf_invariant)inv);
	judge[0] = sf_judge_create(&less);
	judge[1] = sf_judge_create(&all);
	for (int i = 0; i < 2; i++) {
		x[i] = judged(a, &programs[0].settings, judge[i]);
		run_for(x[i], programs, nr, true);
	}
	for (unsigned int r = 0; r < b->rounds; r++) {
		double without = run_for(x[0], programs, nr, b->quick);

		series_add(&ratio, run_for(x[1], programs, nr, b->quick) / without);
	}
	snprintf(full, sizeof(full), "%.20s_oracles_%.30s", name, a->name);
	bench_add(b, BENCH_RATIO, full, &ratio, target, "");
	for (int i = 0; i < 2; i++) {
		sf_exec_destroy(x[i]);
		sf_judge_destroy(judge[i]);
	}
}

void bench_oracles(struct bench *b, const struct sf_allocator *a, const char *name,
		   bool (*of_family)(unsigned int inv), double target)
{
	struct sf_prog programs[PROGRAMS];

	for (uint32_t i = 0; i < PROGRAMS; i++) {
		sf_prog_init(&programs[i]);
		bench_generate(&programs[i], PROGRAM_OPS, 2000 + i, false);
	}
	bench_oracles_on(b, a, name, of_family, target, programs, PROGRAMS);
	for (uint32_t i = 0; i < PROGRAMS; i++)
		sf_prog_free(&programs[i]);
}
