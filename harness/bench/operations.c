// SPDX-License-Identifier: MIT
/*
 * operations.c - what oracles cost: the same programs on the baseline with nobody listening, and with
 * every always-on oracle; how long a reset takes; what an object alive costs in memory. Relies on the
 * executor and the judge.
 */
#include <stdlib.h>
#include <string.h>

#include "../../allocators/heap.h"
#include "bench.h"

#define PROGRAMS 16
#define PROGRAM_OPS 1024

static uint64_t run_all(struct sf_exec *x, const struct sf_prog *programs, uint32_t nr,
			uint64_t *operations)
{
	uint64_t start = bench_now();
	struct sf_error err;

	for (uint32_t i = 0; i < nr; i++) {
		int64_t n = sf_exec_run(x, &programs[i], "bench", &err);

		if (n < 0)
			bench_die("%s", err.text);
		*operations += (uint64_t)n;
	}
	return bench_now() - start;
}

static double ns_per_op(struct sf_exec *x, const struct sf_prog *programs, uint32_t nr, bool quick)
{
	uint64_t operations = 0, ns = 0, enough = quick ? 20000000 : 200000000;

	while (ns < enough)
		ns += run_all(x, programs, nr, &operations);
	return (double)ns / (double)operations;
}

void bench_operations(struct bench *b)
{
	struct series off = { .nr = 0 }, on = { .nr = 0 }, ratio = { .nr = 0 };
	struct sf_judge *judge = bench_judge();
	struct sf_prog programs[PROGRAMS];
	struct sf_exec *bare, *judged;

	for (uint32_t i = 0; i < PROGRAMS; i++) {
		sf_prog_init(&programs[i]);
		bench_generate(&programs[i], PROGRAM_OPS, 1000 + i, false);
	}
	bare = bench_exec(&programs[0].settings, NULL, 0);
	judged = bench_exec(&programs[0].settings, judge, 0);
	ns_per_op(bare, programs, PROGRAMS, true);
	ns_per_op(judged, programs, PROGRAMS, true);
	for (unsigned int r = 0; r < b->rounds; r++) {
		double x = ns_per_op(bare, programs, PROGRAMS, b->quick);
		double y = ns_per_op(judged, programs, PROGRAMS, b->quick);

		series_add(&off, x);
		series_add(&on, y);
		series_add(&ratio, y / x);
	}
	bench_add(b, BENCH_RATE, "operation_oracles_off", &off, 0, "ns");
	bench_add(b, BENCH_RATE, "operation_oracles_on", &on, 0, "ns");
	bench_add(b, BENCH_RATIO, "oracles_on_off", &ratio, 2.0, "");
	sf_exec_destroy(bare);
	sf_exec_destroy(judged);
	sf_judge_destroy(judge);
	for (uint32_t i = 0; i < PROGRAMS; i++)
		sf_prog_free(&programs[i]);
}

#ifndef __SANITIZE_ADDRESS__
/* What reset would zero, zeroed beforehand, so that the clock sees the rest. */
static void zero_beforehand(struct sf_heap *h)
{
	struct arena *a = &h->arena;

	for (uint32_t g = 0; g < a->groups; g++) {
		for (uint64_t bits = a->dirty[g]; bits; bits &= bits - 1)
			memset(a->mem + ((uint64_t)g * 64 + (uint64_t)__builtin_ctzll(bits)) *
						SF_PAGE_SIZE, 0, SF_PAGE_SIZE);
		a->dirty[g] = 0;
	}
}

static double reset_ns(struct bench *b, struct sf_exec *x, bool zeroed)
{
	double *ns = calloc(b->nr_sample, sizeof(*ns)), median;
	struct sf_heap *h;
	struct sf_error err;
	uint64_t start;

	for (uint32_t i = 0; i < b->nr_sample; i++) {
		if (sf_exec_run(x, &b->sample[i], "bench", &err) < 0)
			bench_die("%s", err.text);
		h = sf_exec_heap(x);
		if (zeroed)
			zero_beforehand(h);
		start = bench_now();
		sf_baseline.reset(h);
		ns[i] = (double)(bench_now() - start);
	}
	median = median_of(ns, b->nr_sample);
	free(ns);
	return median;
}

void bench_reset(struct bench *b)
{
	struct series whole = { .nr = 0 }, apart = { .nr = 0 };
	struct sf_settings set;
	struct sf_exec *x;

	sf_settings_init(&set);
	x = bench_exec(&set, NULL, 0);
	reset_ns(b, x, false);
	for (unsigned int r = 0; r < b->rounds; r++) {
		series_add(&whole, reset_ns(b, x, false));
		series_add(&apart, reset_ns(b, x, true));
	}
	bench_add(b, BENCH_RATE, "reset_with_zeroing", &whole, 0, "ns");
	bench_add(b, BENCH_RATIO, "reset_64MiB", &apart, 2000, "ns");
	sf_exec_destroy(x);
}
#else
void bench_reset(struct bench *b)
{
	(void)b;
}
#endif

void bench_memory(struct bench *b)
{
	static const uint16_t sizes[] = { 24, 64, 100, 192, 256, 500 };
	uint32_t objects = b->quick ? 20000 : 200000;
	struct sf_judge *judge = bench_judge();
	struct sf_op op = sf_op_make(SF_OP_KMALLOC);
	struct sf_settings set;
	size_t bytes, live;
	struct sf_exec *x;

	sf_settings_init(&set);
	set.pages = 32768;
	x = bench_exec(&set, judge, 0);
	sf_exec_begin(x, "memory");
	op.gfp = SF_GFP_KERNEL;
	for (uint32_t i = 0; i < objects; i++) {
		op.res = i;
		op.size = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
		sf_exec_step(x, &op, "");
	}
	sf_judge_memory(judge, &bytes, &live);
	if (live < objects)
		bench_die("the judge tracks %zu of %u objects", live, objects);
	bench_add_value(b, BENCH_RATE, "judge_memory_per_live_object",
			(double)bytes / (double)live, 0, "bytes");
	sf_exec_end(x);
	sf_exec_destroy(x);
	sf_judge_destroy(judge);
}
