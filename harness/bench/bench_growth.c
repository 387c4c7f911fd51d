// SPDX-License-Identifier: MIT
/*
 * bench_growth.c - does the cost of one unit grow with the number of units? An operation as
 * programs get longer (drawn, and run), as more objects are alive, as the heap is larger. The work
 * of a unit is the same at each size, so what is left is what somebody walks that he should not,
 * and the machine's caches. bench_replay.c does the same for events of recordings. Relies on the
 * executor, the judge and the generator.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../allocators/base/rng.h"
#include "../generate/mutate.h"
#include "bench.h"

#define SIZES 5
#define LIMIT 1.5

struct scale {
	const char *name;
	uint64_t n;
};

/* Nanoseconds for a unit at a size, each round at all of them; then the last by the first. */
static void bench_scale(struct bench *b, const char *what, const struct scale scale[SIZES],
			double (*ns)(const struct bench *b, uint64_t n))
{
	struct series at[SIZES] = { { .nr = 0 } }, ratio = { .nr = 0 };
	char name[64];

	for (unsigned int r = 0; r < b->rounds; r++) {
		for (unsigned int i = 0; i < SIZES; i++)
			series_add(&at[i], ns(b, scale[i].n));
		series_add(&ratio, at[SIZES - 1].value[r] / at[0].value[r]);
	}
	for (unsigned int i = 0; i < SIZES; i++) {
		snprintf(name, sizeof(name), "%s_at_%s", what, scale[i].name);
		bench_add(b, BENCH_RATE, name, &at[i], 0, "ns");
	}
	snprintf(name, sizeof(name), "%s_growth", what);
	bench_add(b, BENCH_RATIO, name, &ratio, LIMIT, "");
}

static uint64_t enough(const struct bench *b)
{
	return b->quick ? 10000000 : 60000000;
}

/* --- length of programs --- */

/* The same swarms at each length. */
static double draw_ns(const struct bench *b, uint64_t n)
{
	uint64_t start = bench_now(), ops = 0, seed = 0;
	struct sf_prog p;

	sf_prog_init(&p);
	do {
		bench_generate(&p, (uint32_t)n, 1 + seed++ % 16, false);
		ops += n;
	} while (seed < 16 && (seed % 4 || bench_now() - start < enough(b) * 4));
	sf_prog_free(&p);
	return (double)(bench_now() - start) / (double)ops;
}

/* What is alive is bounded, so that an operation has the same to do early and late. */
struct ring {
	struct sf_exec *x;
	struct sf_rng rng;
	uint32_t nr, at;
	bool full;
};

static void ring_step(struct ring *r)
{
	static const uint16_t sizes[] = { 16, 32, 40, 64, 96, 128, 192, 256 };
	struct sf_op put = sf_op_make(SF_OP_KFREE), get = sf_op_make(SF_OP_KMALLOC);

	put.obj = get.res = r->at;
	get.gfp = SF_GFP_KERNEL;
	get.size = sizes[sf_rng_next(&r->rng) % 8];
	if (r->full)
		sf_exec_step(r->x, &put, "");
	sf_exec_step(r->x, &get, "");
	if (++r->at < r->nr)
		return;
	r->at = 0;
	r->full = true;
}

static void ring_begin(struct ring *r, struct sf_exec *x, uint32_t nr)
{
	*r = (struct ring){ .x = x, .nr = nr };
	sf_rng_seed(&r->rng, 1);
	sf_exec_begin(x, "growth");
}

static struct sf_exec *open_heap(uint64_t pages, struct sf_judge **judge)
{
	struct sf_settings set;

	sf_settings_init(&set);
	set.pages = pages;
	*judge = bench_judge();
	return bench_exec(&set, *judge, 0);
}

static void close_heap(struct sf_exec *x, struct sf_judge *judge)
{
	sf_exec_destroy(x);
	sf_judge_destroy(judge);
}

/* Two operations a step, once the ring is full. */
static double program_ns(const struct bench *b, uint64_t n)
{
	struct sf_judge *judge;
	struct sf_exec *x = open_heap(16384, &judge);
	uint64_t start = 0, ops = 0;
	double ns;

	for (unsigned int i = 0; i < 2 || bench_now() - start < enough(b); i++) {
		struct ring r;

		if (i == 1) {
			start = bench_now();
			ops = 0;
		}
		ring_begin(&r, x, 16);
		for (uint64_t k = 0; k < n; k += 1u + r.full)
			ring_step(&r);
		sf_exec_end(x);
		ops += n;
	}
	ns = (double)(bench_now() - start) / (double)ops;
	close_heap(x, judge);
	return ns;
}

/* Memory is out after half of the operations; the rest are refused. */
static double refused_ns(const struct bench *b, uint64_t n)
{
	struct sf_op get = sf_op_make(SF_OP_KMALLOC);
	struct sf_judge *judge;
	struct sf_exec *x = open_heap(n * 3 / 4, &judge);
	uint64_t start = 0, ops = 0;
	double ns;

	get.gfp = SF_GFP_KERNEL;
	for (unsigned int i = 0; i < 2 || bench_now() - start < enough(b); i++) {
		if (i == 1) {
			start = bench_now();
			ops = 0;
		}
		sf_exec_begin(x, "growth");
		for (uint64_t k = 0; k < n; k++) {
			get.res = (uint32_t)k;
			get.size = SF_PAGE_SIZE << k % 2;
			sf_exec_step(x, &get, "");
		}
		sf_exec_end(x);
		ops += n;
	}
	ns = (double)(bench_now() - start) / (double)ops;
	close_heap(x, judge);
	return ns;
}

/* --- objects alive --- */

static double live_ns(const struct bench *b, uint64_t n)
{
	struct sf_judge *judge;
	struct sf_exec *x = open_heap(131072, &judge);
	uint64_t start, steps = 0;
	struct ring r;
	double ns;

	ring_begin(&r, x, (uint32_t)n);
	/* Full, and what is warm is warm. */
	while (!r.full || r.at < (n < 4096 ? n - 1 : 4096))
		ring_step(&r);
	start = bench_now();
	while (steps % 1024 || bench_now() - start < enough(b)) {
		ring_step(&r);
		steps++;
	}
	ns = (double)(bench_now() - start) / (double)(2 * steps);
	sf_exec_end(x);
	close_heap(x, judge);
	return ns;
}

/* --- size of the heap --- */

static double heap_ns(const struct bench *b, uint64_t pages)
{
	struct sf_judge *judge;
	struct sf_exec *x = open_heap(pages, &judge);
	uint64_t start = 0, ops = 0;
	double ns;

	/* The first program finds it fresh; the others what resets leave. */
	for (unsigned int i = 0; i < 2 || bench_now() - start < enough(b); i++) {
		struct ring r;

		if (i == 1) {
			start = bench_now();
			ops = 0;
		}
		ring_begin(&r, x, 64);
		for (unsigned int k = 0; k < 1024; k++)
			ring_step(&r);
		sf_exec_end(x);
		ops += 2 * 1024 - 64;
	}
	ns = (double)(bench_now() - start) / (double)ops;
	close_heap(x, judge);
	return ns;
}

/* From nothing to a heap and back. What is the same is a block of 4 MiB. */
static double open_ns(const struct bench *b, uint64_t pages)
{
	uint64_t start = bench_now(), nr = 0;

	do {
		struct sf_judge *judge;
		struct sf_exec *x = open_heap(pages, &judge);

		close_heap(x, judge);
		nr++;
	} while (bench_now() - start < enough(b) / 4);
	return (double)(bench_now() - start) / (double)nr * 1024 / (double)pages;
}

/* A snapshot, and every oracle looks at it. */
static double check_ns(const struct bench *b, uint64_t pages)
{
	struct sf_op check = sf_op_make(SF_OP_CHECK);
	struct sf_judge *judge;
	struct sf_exec *x = open_heap(pages, &judge);
	uint64_t start = 0, nr = 0;
	double ns;

	sf_exec_begin(x, "growth");
	for (unsigned int i = 0; i < 2 || bench_now() - start < enough(b) / 4; i++) {
		if (i == 1) {
			start = bench_now();
			nr = 0;
		}
		sf_exec_step(x, &check, "");
		nr++;
	}
	ns = (double)(bench_now() - start) / (double)nr * 1024 / (double)pages;
	sf_exec_end(x);
	close_heap(x, judge);
	return ns;
}

void bench_growth(struct bench *b)
{
	static const struct scale ops[SIZES] = { { "32", 32 }, { "256", 256 }, { "2048", 2048 },
						 { "16384", 16384 }, { "65536", 65536 } };
	static const struct scale full[SIZES] = { { "1024", 1024 }, { "2048", 2048 },
						  { "8192", 8192 }, { "16384", 16384 },
						  { "65536", 65536 } };
	static const struct scale live[SIZES] = { { "100", 100 }, { "1000", 1000 },
						  { "10000", 10000 }, { "100000", 100000 },
						  { "1000000", 1000000 } };
	static const struct scale heaps[SIZES] = { { "16MiB", 1u << 12 }, { "128MiB", 1u << 15 },
						   { "1GiB", 1u << 18 }, { "8GiB", 1u << 21 },
						   { "32GiB", 1u << 23 } };

	bench_scale(b, "draw_op", ops, draw_ns);
	bench_scale(b, "program_op", ops, program_ns);
	bench_scale(b, "refused_op", full, refused_ns);
	bench_scale(b, "live_op", live, live_ns);
	bench_scale(b, "heap_op", heaps, heap_ns);
	bench_scale(b, "heap_open_4MiB", heaps, open_ns);
	bench_scale(b, "heap_check_4MiB", heaps, check_ns);
}
