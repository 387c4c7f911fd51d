// SPDX-License-Identifier: MIT
/*
 * bench_reclaim.c - what reclaim and its oracles cost: time that the accounting oracles add to
 * generated programs and to the dentry workload; time per object of reclaiming many objects against
 * few.
 *
 * Relies on the models, the judge and workload.h.
 */
#include <stdlib.h>
#include <string.h>

#include "../generate/workload.h"
#include "bench.h"

static bool of_accounting(unsigned int inv)
{
	static const char *const more[] = { "MEM-19", "BUD-12" };

	if (!strncmp(sf_invariants[inv].id, "ACC-", 4) && atoi(sf_invariants[inv].id + 4) >= 8 &&
	    atoi(sf_invariants[inv].id + 4) != 17 && atoi(sf_invariants[inv].id + 4) != 18 &&
	    atoi(sf_invariants[inv].id + 4) != 20)
		return true;
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (!strcmp(sf_invariants[inv].id, more[i]))
			return true;
	return false;
}

static void bench_workload(struct bench *b)
{
	struct sf_workload_options opt;
	struct sf_prog p;

	sf_workload_defaults(&opt);
	opt.pages = 4096;
	sf_prog_init(&p);
	sf_workloads[0].make(&p, &opt);
	bench_oracles_on(b, &sf_baseline, "accounting_dentry", of_accounting, 1.20, &p, 1);
	sf_prog_free(&p);
}

/* --- reclaim --- */

#define FEW 10000u
#define MANY 1000000u /* of these half are owned by the other half */

static void nothing(void *ctx, uint32_t cookie, uint64_t addr, enum sf_free_how how)
{
	(void)cookie;
	(void)addr;
	(void)how;
	++*(uint64_t *)ctx;
}

static void gone(void *ctx, uint32_t cookie, uint64_t addr, enum sf_status status)
{
	(void)ctx;
	(void)cookie;
	(void)addr;
	(void)status;
}

static void moved(void *ctx, uint32_t cookie, uint64_t from, uint64_t to)
{
	(void)ctx;
	(void)cookie;
	(void)from;
	(void)to;
}

static void fill(struct sf_heap *h, const struct sf_allocator *a, uint32_t n)
{
	struct sf_cache_request dentry = { .name = "dentry", .size = 192, .align = 8,
					   .flags = SF_SLAB_RECLAIM_ACCOUNT };
	struct sf_request name = { .api = SF_API_KMALLOC, .n = 1, .size = 200, .bucket = SF_NONE,
				   .gfp = SF_GFP_KERNEL | SF_GFP_RECLAIMABLE };
	bool merged;
	uint32_t cache = a->cache_create(h, &dentry, &merged);

	for (uint32_t i = 0; i < n; i += 2) {
		struct sf_result d, r;

		a->cache_alloc(h, cache, SF_GFP_KERNEL, &d);
		a->alloc(h, &name, &r);
		if (!d.addr || !r.addr)
			bench_die("no memory for %u objects", n);
		a->track(h, d.addr, i, true);
		a->track(h, r.addr, i + 1, false);
		a->owns(h, d.addr, r.addr);
	}
}

/* Nanoseconds for each of `n` objects, half of them owned. */
static double reclaim(uint32_t n)
{
	const struct sf_allocator *a = &sf_baseline;
	uint64_t freed = 0, start;
	struct sf_user user = { .going = nothing, .gone = gone, .deferred = nothing,
				.moved = moved, .ctx = &freed };
	struct sf_settings set;
	struct sf_error err;
	struct sf_heap *h;

	sf_settings_init(&set);
	set.pages = 1u << 17;
	h = a->create(a, &set, NULL, &err);
	if (!h)
		bench_die("%s", err.text);
	a->set_user(h, &user);
	fill(h, a, n);
	start = bench_now();
	a->shrink(h, n);
	start = bench_now() - start;
	if (freed != n)
		bench_die("%llu of %u objects were reclaimed", (unsigned long long)freed, n);
	a->destroy(h);
	return (double)start / n;
}

static void bench_linear(struct bench *b)
{
	struct series ratio = { .nr = 0 }, each = { .nr = 0 };

	for (unsigned int r = 0; r < b->rounds; r++) {
		double few = reclaim(FEW), many = reclaim(MANY);

		series_add(&each, many);
		series_add(&ratio, many / few);
	}
	bench_add(b, BENCH_RATE, "reclaim_1000000", &each, 0, "ns/object");
	/* Tables that no cache holds any more cost more an object; what is not linear, far more. */
	bench_add(b, BENCH_RATIO, "reclaim_linear", &ratio, 8, "");
}

void bench_reclaim(struct bench *b)
{
	for (int i = 0; sf_allocators[i]; i++)
		bench_oracles(b, sf_allocators[i], "accounting", of_accounting, 1.20);
	bench_workload(b);
	bench_linear(b);
}
