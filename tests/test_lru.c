// SPDX-License-Identifier: MIT
/*
 * test_lru.c - what goes with what, in which order, and what stays: ownership, pins, the shrinkers'
 * lists, and the counter of accounting=indirect through every path.
 */
#include "user_bench.h"

#include <time.h>

#define RECLAIM SF_SLAB_RECLAIM_ACCOUNT
#define K SF_GFP_KERNEL

/* --- the lists --- */

static void oldest_first(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "inode", 640, RECLAIM);
	uint32_t t = make_cache(b, "dentry", 192, RECLAIM);
	uint64_t p[3];

	(void)state;
	inode(b, t, 9);
	for (uint32_t i = 0; i < 3; i++)
		p[i] = inode(b, s, i);
	/* cookies change, places on the list do not */
	b->a->track(b->heap, p[0], 7, true);
	assert_int_equal(b->a->shrink(b->heap, 2), 3);
	expect(b, "-7s .7 -1s .1 -9s .9");
	assert_int_equal(b->a->shrink(b->heap, 2), 1);
	expect(b, "-2s .2");
	assert_int_equal(b->a->shrink(b->heap, 2), 0);
	bench_end(b);
}

static void only_what_is_tracked_in_such_a_cache(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t plain = make_cache(b, "plain", 640, 0), s = make_cache(b, "inode", 640, RECLAIM);

	(void)state;
	inode(b, plain, 0); /* says so, but no shrinker can know it */
	object(b, s, K);
	b->a->track(b->heap, object(b, s, K), 1, false);
	thing(b, 100, K | SF_GFP_RECLAIMABLE, 2);
	assert_int_equal(b->a->shrink(b->heap, 100), 0);
	expect(b, "");
	bench_end(b);
}

static void pinned_stays_and_comes_last(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "inode", 640, RECLAIM);
	uint64_t p[4];

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		p[i] = inode(b, s, i);
	b->a->pin(b->heap, p[0], true);
	b->a->pin(b->heap, p[0], true);
	b->a->pin(b->heap, p[1], true);
	b->a->pin(b->heap, p[1], false);
	b->a->pin(b->heap, p[2], false); /* it was not */
	assert_int_equal(b->a->shrink(b->heap, 10), 3);
	expect(b, "-2s .2 -3s .3 -1s .1");
	assert_int_equal(b->a->shrink(b->heap, 10), 0);
	b->a->pin(b->heap, p[0], false);
	assert_int_equal(b->a->shrink(b->heap, 10), 1);
	expect(b, "-0s .0");
	bench_end(b);
}

static void what_outlives_its_cache_is_leaked(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "inode", 640, RECLAIM);
	uint64_t p[3];

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		p[i] = inode(b, s, i);
	b->a->pin(b->heap, p[1], true);
	assert_int_equal(b->a->cache_destroy(b->heap, s), SF_NOTICED);
	b->a->pin(b->heap, p[1], false);
	assert_int_equal(b->a->shrink(b->heap, 10), 0);
	expect(b, "");
	bench_end(b);
}

/* --- ownership --- */

static void chain_goes_from_its_end(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	uint64_t p[4];

	(void)state;
	p[0] = inode(b, s, 0);
	for (uint32_t i = 1; i < 4; i++) {
		p[i] = thing(b, 64, K, i);
		assert_true(owns(b, p[i - 1], p[i]));
	}
	assert_int_equal(b->a->shrink(b->heap, 1), 1);
	expect(b, "-3o .3 -2o .2 -1o .1 -0s .0");
	bench_end(b);
}

/* 0 owns 1, 2 and 3; 1 owns 4 and 5; 3 owns 6. */
static void tree_goes_in_order(void **state)
{
	static const uint8_t owner[7] = { 0, 0, 0, 0, 1, 1, 3 };
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	uint64_t p[7];

	(void)state;
	for (uint32_t i = 0; i < 7; i++)
		p[i] = i ? thing(b, 32 * i, K, i) : inode(b, s, 0);
	for (uint32_t i = 1; i < 7; i++)
		assert_true(owns(b, p[owner[i]], p[i]));
	kfree(b, p[0]);
	expect(b, "-4o .4 -5o .5 -1o .1 -2o .2 -6o .6 -3o .3");
	assert_int_equal(b->a->shrink(b->heap, 10), 0);
	bench_end(b);
}

static void every_kind_of_memory_goes(void **state)
{
	struct bench *b = bench_new(8192);
	uint32_t named = make_cache(b, "named", 100, 0), s = make_cache(b, "dentry", 192, RECLAIM);
	struct sf_result pages;
	uint64_t p[6], before;

	(void)state;
	p[0] = inode(b, s, 0);
	look(b, named);
	before = b->counters.nr_free_pages;
	p[1] = object(b, named, K);
	p[2] = kmalloc(b, 100000, K);
	p[3] = api_alloc(b, SF_API_KVMALLOC, 6 << 20, K);
	b->a->pages_alloc(b->heap, K | SF_GFP_MOVABLE, 2, &pages);
	p[4] = pages.addr;
	p[5] = inode(b, s, 5);
	for (uint32_t i = 1; i < 6; i++) {
		assert_true(p[i] != 0);
		b->a->track(b->heap, p[i], i, false);
		assert_true(owns(b, p[0], p[i]));
	}
	assert_int_equal(b->a->shrink(b->heap, 1), 1);
	expect(b, "-1o .1 -2o .2 -3o .3 -4o .4 -5o .5 -0s .0");
	assert_int_equal(b->a->cache_shrink(b->heap, named), 0);
	b->a->drain(b->heap);
	look(b, named);
	assert_int_equal(b->counters.nr_free_pages, before);
	assert_int_equal(b->warns, 0);
	bench_end(b);
}

static void no_cycles_and_one_owner(void **state)
{
	struct bench *b = bench_new(4096);
	uint64_t p[5], stranger = kmalloc(b, 64, K);

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		p[i] = thing(b, 64, K, i);
	assert_false(owns(b, p[0], p[0]));
	assert_false(owns(b, p[0], stranger));
	assert_false(owns(b, stranger, p[0]));
	assert_true(owns(b, p[1], p[2]));
	assert_true(owns(b, p[0], p[1]));
	assert_true(owns(b, p[2], p[3]));
	for (uint32_t i = 1; i < 4; i++)
		assert_false(owns(b, p[i], p[0]));
	assert_false(owns(b, p[3], p[1]));
	assert_false(owns(b, p[4], p[2])); /* it has an owner */
	assert_true(owns(b, p[4], p[0]));
	assert_false(owns(b, p[3], p[4]));
	kfree(b, p[4]);
	expect(b, "-3o .3 -2o .2 -1o .1 -0o .0");
	bench_end(b);
}

static void pinned_outlives_its_owner(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	uint64_t p[4];

	(void)state;
	p[0] = inode(b, s, 0);
	for (uint32_t i = 1; i < 4; i++)
		p[i] = thing(b, 64, K, i);
	assert_true(owns(b, p[0], p[1]));
	assert_true(owns(b, p[1], p[2]));
	assert_true(owns(b, p[0], p[3]));
	b->a->pin(b->heap, p[1], true);
	assert_int_equal(b->a->shrink(b->heap, 1), 1);
	expect(b, "-3o .3 -0s .0");
	/* without an owner, and still the owner of what it owns */
	p[0] = inode(b, s, 0);
	assert_true(owns(b, p[0], p[1]));
	b->a->pin(b->heap, p[1], false);
	assert_int_equal(b->a->shrink(b->heap, 1), 1);
	expect(b, "-2o .2 -1o .1 -0s .0");
	bench_end(b);
}

static void users_free_in_any_order(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	struct sf_result rs;
	uint64_t p[4];

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		p[i] = i == 0 || i == 2 ? inode(b, s, i) : thing(b, 64, K, i);
	assert_true(owns(b, p[0], p[1]));
	assert_true(owns(b, p[2], p[3]));
	b->a->pin(b->heap, p[1], true);
	kfree(b, p[1]); /* its own user may */
	expect(b, "");
	b->a->cache_free(b->heap, s, p[2], &rs);
	assert_int_equal(rs.status, SF_OK);
	expect(b, "-3o .3");
	/* the same memory again, and nothing is known of it */
	assert_int_equal(kmalloc(b, 64, K), p[3]);
	assert_int_equal(b->a->shrink(b->heap, 10), 1);
	expect(b, "-0s .0");
	bench_end(b);
}

static void owned_may_be_reclaimed_first(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	uint64_t p[4];

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		p[i] = inode(b, s, i);
	assert_true(owns(b, p[2], p[0]));
	assert_true(owns(b, p[2], p[3]));
	assert_int_equal(b->a->shrink(b->heap, 2), 2);
	expect(b, "-0s .0 -1s .1");
	/* 3 is next on the list, and goes with 2 before its turn comes */
	assert_int_equal(b->a->shrink(b->heap, 2), 1);
	expect(b, "-3o .3 -2s .2");
	bench_end(b);
}

static void bulk_of_what_owns_one_another(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	uint64_t p[3], q;
	struct sf_result rs;

	(void)state;
	b->a->cache_alloc_bulk(b->heap, s, K, 3, p, &rs);
	assert_int_equal(rs.status, SF_OK);
	for (uint32_t i = 0; i < 3; i++)
		b->a->track(b->heap, p[i], i, true);
	q = thing(b, 64, K, 3);
	assert_true(owns(b, p[0], p[1]));
	assert_true(owns(b, p[1], q));
	b->a->cache_free_bulk(b->heap, s, 3, p, &rs);
	expect(b, "-3o .3");
	look(b, s);
	assert_int_equal(b->inuse, b->parked);
	assert_int_equal(b->a->cache_shrink(b->heap, s), 0);
	bench_end(b);
}

static void refused_frees_leave_all_as_it_was(void **state)
{
	struct bench *b = bench_set(4096);
	struct sf_result rs;
	uint32_t s, other;
	uint64_t p[6];

	(void)state;
	b->set.freelist_hardened = 1;
	bench_open(b);
	s = make_cache(b, "dentry", 192, RECLAIM);
	other = make_cache(b, "other", 192, 0);
	p[0] = inode(b, s, 0);
	p[1] = thing(b, 64, K, 1);
	p[2] = thing(b, 10000, K, 2);
	p[3] = thing(b, 64, K, 3);
	b->a->pages_alloc(b->heap, K | SF_GFP_MOVABLE, 0, &rs);
	p[4] = rs.addr;
	b->a->track(b->heap, p[4], 4, false);
	p[5] = thing(b, 64, K, 5);
	assert_true(owns(b, p[0], p[1]));
	assert_true(owns(b, p[2], p[3]));
	assert_true(owns(b, p[4], p[5]));
	b->a->cache_free(b->heap, other, p[0], &rs);
	assert_int_equal(rs.status, SF_NOTICED);
	assert_int_equal(free_as(b, p[2], SF_KFREE_NOLOCK), SF_NOTICED);
	assert_int_equal(free_as(b, p[4], SF_KFREE), SF_NOTICED);
	expect(b, "");
	kfree(b, p[2]);
	b->a->pages_free(b->heap, p[4], 0);
	b->a->shrink(b->heap, 1);
	expect(b, "-3o .3 -5o .5 -1o .1 -0s .0");
	bench_end(b);
}

/* --- krealloc --- */

static void krealloc_keeps_ties(void **state)
{
	struct bench *b = bench_new(4096);
	uint64_t p[3], to;

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		p[i] = thing(b, 64, K, i);
	assert_true(owns(b, p[0], p[1]));
	assert_true(owns(b, p[1], p[2]));
	to = api_realloc(b, SF_API_KMALLOC, p[1], 3000);
	assert_int_not_equal(to, p[1]);
	expect(b, "");
	assert_int_equal(kmalloc(b, 64, K), p[1]); /* nothing is known of the old place */
	assert_false(owns(b, p[1], p[0]));
	assert_false(owns(b, to, p[0]));
	kfree(b, p[0]);
	expect(b, "-2o .2 -1o .1");
	bench_end(b);
}

static void krealloc_to_nothing_frees(void **state)
{
	struct bench *b = bench_new(8192);
	uint64_t p[4];

	(void)state;
	p[0] = thing(b, 64, K, 0);
	p[1] = thing(b, 64, K, 1);
	p[2] = api_alloc(b, SF_API_KVMALLOC, 6 << 20, K);
	b->a->track(b->heap, p[2], 2, false);
	p[3] = thing(b, 64, K, 3);
	assert_true(owns(b, p[0], p[1]));
	assert_true(owns(b, p[2], p[3]));
	assert_int_equal(api_realloc(b, SF_API_KMALLOC, p[0], 0), SF_ZERO_SIZE_PTR);
	assert_int_equal(api_realloc(b, SF_API_KVMALLOC, p[2], 0), SF_ZERO_SIZE_PTR);
	expect(b, "-1o .1 -3o .3");
	bench_end(b);
}

/* --- accounting --- */

static struct bench *bench_indirect(uint64_t pages)
{
	struct bench *b = bench_set(pages);

	b->set.accounting = 1;
	return bench_open(b);
}

/* Class 96 is 96 bytes, 97 are 128, 3000 are 4096. */
static void indirect_by_class_not_by_request(void **state)
{
	struct bench *b = bench_indirect(4096);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	uint64_t d = inode(b, s, 0), p = thing(b, 90, K | SF_GFP_RECLAIMABLE, 1);

	(void)state;
	assert_int_equal(indirect(b), 0);
	assert_true(owns(b, d, p));
	assert_int_equal(indirect(b), 96);
	assert_int_equal(api_realloc(b, SF_API_KMALLOC, p, 80), p);
	assert_int_equal(indirect(b), 96);
	p = api_realloc(b, SF_API_KMALLOC, p, 97);
	assert_int_equal(indirect(b), 128);
	p = api_realloc(b, SF_API_KMALLOC, p, 3000);
	assert_int_equal(indirect(b), 4096);
	assert_int_equal(b->counters.nr_kernel_misc_reclaimable, 1);
	p = api_realloc(b, SF_API_KMALLOC, p, 20000);
	assert_int_equal(indirect(b), 32768);
	kfree(b, p);
	assert_int_equal(indirect(b), 0);
	bench_end(b);
}

static void indirect_of_mappings(void **state)
{
	struct bench *b = bench_indirect(8192);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	uint64_t d = inode(b, s, 0), p = api_alloc(b, SF_API_KVMALLOC, (6 << 20) + 1, K), to;

	(void)state;
	b->a->track(b->heap, p, 1, false);
	assert_true(owns(b, d, p));
	assert_int_equal(indirect(b), (6 << 20) + 4096);
	assert_int_equal(api_realloc(b, SF_API_KVMALLOC, p, 5 << 20), p); /* pages go back */
	assert_int_equal(indirect(b), 5 << 20);
	to = api_realloc(b, SF_API_KVMALLOC, p, 7 << 20);
	assert_int_not_equal(to, p);
	assert_int_equal(indirect(b), 7 << 20);
	assert_int_equal(b->a->shrink(b->heap, 1), 1);
	expect(b, "-1o .1 -0s .0");
	assert_int_equal(indirect(b), 0);
	bench_end(b);
}

static void indirect_only_what_nothing_else_counts(void **state)
{
	struct bench *b = bench_indirect(4096);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	uint32_t t = make_cache(b, "inode", 640, RECLAIM);
	uint32_t plain = make_cache(b, "plain", 100, 0);
	uint64_t d = inode(b, s, 0), i = inode(b, t, 1), o = object(b, plain, K);
	uint64_t p = thing(b, 64, K, 3);
	struct sf_result pages;

	(void)state;
	b->a->pages_alloc(b->heap, K | SF_GFP_MOVABLE, 3, &pages);
	b->a->track(b->heap, pages.addr, 4, false);
	b->a->track(b->heap, o, 2, false);
	assert_true(owns(b, d, i));
	assert_int_equal(indirect(b), 0);
	assert_true(owns(b, i, o));
	assert_int_equal(indirect(b), 104);
	assert_true(owns(b, o, p));
	assert_int_equal(indirect(b), 168);
	assert_true(owns(b, i, pages.addr));
	assert_int_equal(indirect(b), 168 + 32768);
	b->a->pages_free(b->heap, pages.addr, 3);
	assert_int_equal(indirect(b), 168);
	/* held while its owner goes: not reclaimable any more, and owns what it owned */
	b->a->pin(b->heap, o, true);
	assert_int_equal(indirect(b), 168);
	assert_int_equal(b->a->shrink(b->heap, 1), 1);
	expect(b, "-1o .1 -0s .0");
	assert_int_equal(indirect(b), 64);
	kfree(b, o);
	expect(b, "-3o .3");
	assert_int_equal(indirect(b), 0);
	bench_end(b);
}

static void designs_select(void **state)
{
	for (uint64_t design = 0; design < 3; design++) {
		struct bench *b = bench_set(4096);
		uint32_t s, plain, rcl, both, account;
		uint64_t d, p;

		(void)state;
		b->set.accounting = design;
		bench_open(b);
		plain = cache_of(b, kmalloc(b, 100, K));
		account = cache_of(b, kmalloc(b, 100, K | SF_GFP_ACCOUNT));
		rcl = cache_of(b, kmalloc(b, 100, K | SF_GFP_RECLAIMABLE));
		both = cache_of(b, kmalloc(b, 100, K | SF_GFP_RECLAIMABLE | SF_GFP_ACCOUNT));
		assert_int_not_equal(plain, account);
		if (design == 2) {
			assert_int_not_equal(rcl, plain);
			assert_int_equal(both, rcl);
		} else {
			assert_int_equal(rcl, plain);
			assert_int_equal(both, account);
		}
		s = make_cache(b, "dentry", 192, RECLAIM);
		d = inode(b, s, 0);
		p = thing(b, 100, K | SF_GFP_RECLAIMABLE, 1);
		assert_true(owns(b, d, p));
		assert_int_equal(indirect(b), design == 1 ? 128 : 0);
		look(b, s);
		assert_true(b->counters.nr_slab_reclaimable >= (design == 2 ? 2 : 1));
		bench_end(b);
	}
}

static void reset_forgets(void **state)
{
	struct bench *b = bench_indirect(4096);

	(void)state;
	for (int run = 0; run < 3; run++) {
		uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
		uint64_t d = inode(b, s, 0), e = inode(b, s, 1), p = thing(b, 64, K, 2);
		struct sf_shrinker how = { .rcu = run == 0 };

		b->a->shrinker(b->heap, s, &how);
		assert_true(owns(b, d, p));
		b->a->pin(b->heap, e, true);
		assert_int_equal(indirect(b), 64);
		assert_int_equal(b->a->shrink(b->heap, 5), 1);
		expect(b, run == 0 ? "~2o ~0s" : "-2o .2 -0s .0");
		b->a->reset(b->heap);
		assert_int_equal(indirect(b), 0);
		assert_int_equal(b->a->shrink(b->heap, 5), 0);
		b->a->rcu_barrier(b->heap);
		expect(b, "");
	}
	bench_end(b);
}

/* --- reclaim in the midst of an allocation --- */

/*
 * Memory is full of one cache's objects: filling a sheaf of that cache frees some of them, into the
 * sheaf that was empty before. Nothing gets lost, nothing is handed out twice.
 */
static void reclaim_while_a_sheaf_is_filled(void **state)
{
	struct bench *b = bench_new(1024);
	uint32_t s = make_cache(b, "inode", 1024, RECLAIM);
	uint64_t made = 0;

	(void)state;
	b->quiet = true;
	for (uint32_t i = 0; i < 20000; i++) {
		uint64_t p = object(b, s, K);

		assert_true(p != 0);
		b->a->track(b->heap, p, i, true);
		made++;
		if (i % 1000 && i < 19000)
			continue;
		look(b, s);
		assert_int_equal(b->inuse, made - b->nr_gone + b->parked);
	}
	assert_true(b->nr_gone > 10000);
	assert_int_equal(b->ooms, 0);
	b->a->shrink(b->heap, UINT64_MAX);
	assert_int_equal(b->nr_gone, made);
	assert_int_equal(b->a->cache_shrink(b->heap, s), 0);
	bench_end(b);
}

/* --- how long it takes --- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A chain, and as many objects side by side. Returns the time it took to reclaim them. */
static double reclaim_many(uint32_t n)
{
	struct bench *b = bench_new(16384);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	uint64_t root = inode(b, s, 0), last = root;
	double begin;

	b->quiet = true;
	b->sink.emit = hear;
	for (uint32_t i = 0; i < n / 2; i++) {
		uint64_t p = thing(b, 8, K, 1), q = thing(b, 8, K, 2);

		assert_true(owns(b, last, p));
		assert_true(owns(b, root, q));
		last = p;
	}
	begin = seconds();
	assert_int_equal(b->a->shrink(b->heap, 1), 1);
	begin = seconds() - begin;
	assert_int_equal(b->nr_gone, n + 1);
	bench_end(b);
	return begin;
}

/* A tenfold in a quadratic way would take a hundred times as long. */
static void a_million_owned_objects(void **state)
{
	double few = reclaim_many(100000), many = reclaim_many(1000000);

	(void)state;
	print_message("# 100,000: %.3f s, 1,000,000: %.3f s\n", few, many);
	assert_true(many < 40 * few + 0.5);
}

/* Many on the list, and each owns one that is on it too. */
static void a_list_of_owners(void **state)
{
	const uint32_t n = 100000;
	struct bench *b = bench_new(32768);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	double begin;

	(void)state;
	b->quiet = true;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t p = inode(b, s, 1), q = inode(b, s, 2);

		assert_true(owns(b, p, q));
	}
	begin = seconds();
	assert_int_equal(b->a->shrink(b->heap, UINT64_MAX), n);
	assert_int_equal(b->nr_gone, 2 * n);
	assert_true(seconds() - begin < 5);
	bench_end(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_first),
		cmocka_unit_test(only_what_is_tracked_in_such_a_cache),
		cmocka_unit_test(pinned_stays_and_comes_last),
		cmocka_unit_test(what_outlives_its_cache_is_leaked),
		cmocka_unit_test(chain_goes_from_its_end),
		cmocka_unit_test(tree_goes_in_order),
		cmocka_unit_test(every_kind_of_memory_goes),
		cmocka_unit_test(no_cycles_and_one_owner),
		cmocka_unit_test(pinned_outlives_its_owner),
		cmocka_unit_test(users_free_in_any_order),
		cmocka_unit_test(owned_may_be_reclaimed_first),
		cmocka_unit_test(bulk_of_what_owns_one_another),
		cmocka_unit_test(refused_frees_leave_all_as_it_was),
		cmocka_unit_test(krealloc_keeps_ties),
		cmocka_unit_test(krealloc_to_nothing_frees),
		cmocka_unit_test(indirect_by_class_not_by_request),
		cmocka_unit_test(indirect_of_mappings),
		cmocka_unit_test(indirect_only_what_nothing_else_counts),
		cmocka_unit_test(designs_select),
		cmocka_unit_test(reset_forgets),
		cmocka_unit_test(reclaim_while_a_sheaf_is_filled),
		cmocka_unit_test(a_million_owned_objects),
		cmocka_unit_test(a_list_of_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
