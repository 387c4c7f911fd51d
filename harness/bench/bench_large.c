// SPDX-License-Identifier: MIT
/*
 * bench_large.c - what objects in slabs of 2 MiB cost in time, beside a kmalloc of 8 KiB on the
 * baseline; what a least order of slabs costs when every cache pays; and how fast the workload of
 * buffers runs.
 *
 * A pair is an allocation and a free in a steady state: so many objects live, the one that goes is
 * drawn. No events are emitted. Relies on the models and workload.h.
 */
#include <stdio.h>

#include "../../allocators/base/rng.h"
#include "../generate/workload.h"
#include "bench.h"

#define LIVE 24u    /* large objects */
#define SIZE 655360u
#define SMALL 1000u /* objects of 256 bytes */
#define LIVE_MAX 1000u

struct work {
	const struct sf_allocator *a;
	struct sf_heap *h;
	struct sf_request rq;
	uint32_t cache;      /* SF_NONE: kmalloc() */
	uint32_t live;
	uint64_t addr[LIVE_MAX];
	struct sf_rng rng;
};

static uint64_t take(struct work *w)
{
	struct sf_result rs;

	if (w->cache == SF_NONE)
		w->a->alloc(w->h, &w->rq, &rs);
	else
		w->a->cache_alloc(w->h, w->cache, w->rq.gfp, &rs);
	if (!rs.addr)
		bench_die("%s has no memory for %llu bytes", w->a->name,
			  (unsigned long long)w->rq.size);
	return rs.addr;
}

static void drop(struct work *w, uint64_t addr)
{
	struct sf_result rs;

	if (w->cache == SF_NONE)
		w->a->free(w->h, addr, SF_KFREE, &rs);
	else
		w->a->cache_free(w->h, w->cache, addr, &rs);
}

static void begin(struct work *w, const struct sf_allocator *a, uint64_t size, bool named,
		  uint32_t live, uint64_t min_order)
{
	struct sf_cache_request cache = { .name = "blocks", .size = (uint32_t)size,
					  .align = SF_PAGE_SIZE };
	struct sf_settings set;
	struct sf_error err;
	bool merged;

	*w = (struct work){ .a = a, .cache = SF_NONE, .live = live };
	w->rq = (struct sf_request){ .api = SF_API_KMALLOC, .n = 1, .size = size,
				     .gfp = SF_GFP_KERNEL, .bucket = SF_NONE };
	sf_settings_init(&set);
	set.pages = 16384;
	set.min_order = min_order;
	w->h = a->create(a, &set, NULL, &err);
	if (!w->h)
		bench_die("%s", err.text);
	if (named)
		w->cache = a->cache_create(w->h, &cache, &merged);
	sf_rng_seed(&w->rng, 1);
	for (uint32_t i = 0; i < live; i++)
		w->addr[i] = take(w);
}

static void finish(struct work *w)
{
	w->a->destroy(w->h);
}

static double ns_per_pair(struct work *w, bool quick)
{
	uint64_t start = bench_now(), enough = quick ? 2000000 : 50000000, pairs = 0;

	do {
		for (unsigned int i = 0; i < 1000; i++, pairs++) {
			uint32_t at = (uint32_t)sf_rng_below(&w->rng, w->live);

			drop(w, w->addr[at]);
			w->addr[at] = take(w);
		}
	} while (bench_now() - start < enough);
	return (double)(bench_now() - start) / (double)pairs;
}

/* --- pairs of 640 KiB --- */

static void bench_pairs(struct bench *b)
{
	static const char *const names[] = { "pair_8k_baseline", "pair_640k_large_kmalloc",
					     "pair_640k_large_cache", "pair_640k_alone" };
	struct series ns[4] = { { .nr = 0 } }, ratio[2] = { { .nr = 0 } };
	struct work w[4];

	begin(&w[0], &sf_baseline, 8192, false, LIVE, 0);
	begin(&w[1], &sf_large, SIZE, false, LIVE, 0);
	begin(&w[2], &sf_large, SIZE, true, LIVE, 0);
	begin(&w[3], &sf_large, SIZE, true, 1, 0);
	for (int i = 0; i < 4; i++)
		ns_per_pair(&w[i], true);
	for (unsigned int r = 0; r < b->rounds; r++) {
		double base = ns_per_pair(&w[0], b->quick);

		series_add(&ns[0], base);
		for (int i = 1; i < 4; i++)
			series_add(&ns[i], ns_per_pair(&w[i], b->quick));
		series_add(&ratio[0], ns[1].value[r] / base);
		series_add(&ratio[1], ns[2].value[r] / base);
	}
	for (int i = 0; i < 4; i++) {
		bench_add(b, BENCH_RATE, names[i], &ns[i], 0, "ns");
		finish(&w[i]);
	}
	bench_add(b, BENCH_RATIO, "large_kmalloc_8k", &ratio[0], 2.0, "");
	bench_add(b, BENCH_RATIO, "large_cache_8k", &ratio[1], 2.0, "");
}

/* --- a least order for every cache --- */

static void bench_min_order(struct bench *b)
{
	static const uint64_t order[] = { 0, 3, 9 };
	struct series ns[3] = { { .nr = 0 } };
	struct work w[3];
	char name[64];

	for (int i = 0; i < 3; i++) {
		begin(&w[i], &sf_baseline, 256, false, SMALL, order[i]);
		ns_per_pair(&w[i], true);
	}
	for (unsigned int r = 0; r < b->rounds; r++)
		for (int i = 0; i < 3; i++)
			series_add(&ns[i], ns_per_pair(&w[i], b->quick));
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "pair_256_min_order_%u", (unsigned int)order[i]);
		bench_add(b, BENCH_RATE, name, &ns[i], 0, "ns");
		finish(&w[i]);
	}
}

/* --- the workload, as a fuzzer runs it --- */

void bench_workload_rates(struct bench *b, const struct sf_allocator *a, const char *workload)
{
	struct sf_judge *judge = bench_judge();
	struct series off = { .nr = 0 }, on = { .nr = 0 };
	struct sf_workload_options opt;
	struct sf_prog p;
	char name[64];

	sf_workload_defaults(&opt);
	sf_prog_init(&p);
	sf_workload_by_name(workload)->make(&p, &opt);
	for (unsigned int r = 0; r < b->rounds; r++) {
		series_add(&off, bench_run_program(b, a, &p, NULL));
		series_add(&on, bench_run_program(b, a, &p, judge));
	}
	snprintf(name, sizeof(name), "%.20s_%.20s_oracles_off", workload, a->name);
	bench_add(b, BENCH_RATE, name, &off, 0, "ns/op");
	snprintf(name, sizeof(name), "%.20s_%.20s_oracles_on", workload, a->name);
	bench_add(b, BENCH_RATE, name, &on, 0, "ns/op");
	sf_prog_free(&p);
	sf_judge_destroy(judge);
}

double bench_run_program(const struct bench *b, const struct sf_allocator *a,
			 const struct sf_prog *p, struct sf_judge *judge)
{
	static const struct sf_exec_options how = { .end = SF_END_PLAIN, .contents = true };
	uint64_t start, ops = 0, enough = b->quick ? 5000000 : 60000000;
	struct sf_error err;
	struct sf_exec *x = sf_exec_create(a, &p->settings, &how, judge ? sf_judge_event : NULL,
					   judge, &err);

	if (!x)
		bench_die("%s: %s", a->name, err.text);
	start = bench_now();
	do {
		ops += (uint64_t)sf_exec_run(x, p, "bench", &err);
	} while (bench_now() - start < enough);
	start = bench_now() - start;
	sf_exec_destroy(x);
	return (double)start / (double)ops;
}

void bench_large(struct bench *b)
{
	bench_pairs(b);
	bench_min_order(b);
	bench_workload_rates(b, &sf_baseline, "buffers");
	bench_workload_rates(b, &sf_large, "buffers");
}
