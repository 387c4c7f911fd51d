// SPDX-License-Identifier: MIT
/*
 * test_memcg.c - who is charged for what: exact sums along the hierarchy, limits and what passes
 * them, reclaim within a group, and that a charge ends when its memory is freed, parked or not.
 */
#include "user_bench.h"

#define RECLAIM SF_SLAB_RECLAIM_ACCOUNT
#define K SF_GFP_KERNEL
#define KA SF_GFP_KERNEL_ACCOUNT
#define NO_LIMIT UINT64_MAX

static uint32_t group_new(struct bench *b, uint32_t parent, uint64_t max)
{
	uint32_t g = b->a->memcg_create(b->heap, parent, max);

	assert_int_not_equal(g, SF_NONE);
	return g;
}

static uint64_t usage(struct bench *b, uint32_t group)
{
	look(b, b->cache);
	return b->group[group].usage;
}

static void enter(struct bench *b, uint32_t group)
{
	b->a->memcg_set(b->heap, group);
}

static struct bench *telling(struct bench *b)
{
	b->events = true;
	return b;
}

/* Class 128 and struct slabobj_ext, 8 bytes. */
#define CHARGE_100 136u

static void charges_are_exact(void **state)
{
	struct bench *b = telling(bench_new(8192));
	uint32_t g = group_new(b, SF_NONE, NO_LIMIT);
	uint32_t named = make_cache(b, "n", 100, SF_SLAB_ACCOUNT);
	struct sf_result rs;
	uint64_t p[8];

	(void)state;
	kfree(b, kmalloc(b, 100, KA)); /* the root is never charged */
	enter(b, g);
	p[0] = kmalloc(b, 100, KA);
	assert_int_equal(usage(b, g), CHARGE_100);
	p[1] = kmalloc(b, 100, K);
	p[2] = kmalloc(b, 100, KA | SF_GFP_RECLAIMABLE);
	p[3] = kmalloc(b, 10000, KA);
	p[4] = object(b, named, K);
	b->a->pages_alloc(b->heap, KA, 3, &rs);
	p[5] = rs.addr;
	expect(b, "+136 +136 +16384 +112 +32768");
	b->quiet = true;
	p[6] = api_alloc(b, SF_API_KVMALLOC, 6 << 20, KA);
	b->a->exact_alloc(b->heap, 5 * 4096, KA, &rs);
	p[7] = rs.addr;
	assert_int_equal(usage(b, g), 2 * 136 + 16384 + 112 + 32768 + (6 << 20) + 5 * 4096);
	enter(b, SF_NONE); /* who frees it does not matter */
	assert_int_equal(free_as(b, p[6], SF_KVFREE), SF_OK);
	b->a->exact_free(b->heap, p[7], 5 * 4096);
	b->quiet = false;
	kfree(b, p[0]);
	kfree(b, p[1]);
	kfree(b, p[2]);
	kfree(b, p[3]);
	b->a->cache_free(b->heap, named, p[4], &rs);
	b->a->pages_free(b->heap, p[5], 3);
	expect(b, "=136 =136 =16384 =112 =32768");
	assert_int_equal(usage(b, g), 0);
	bench_end(b);
}

static void nobody_is_charged_where_groups_are_off(void **state)
{
	struct bench *b = bench_set(4096);
	uint32_t g;

	(void)state;
	b->set.memcg = 0;
	bench_open(b);
	assert_int_equal(b->a->memcg_create(b->heap, SF_NONE, NO_LIMIT), SF_NONE);
	bench_end(b);
	b = bench_set(4096);
	b->set.nokmem = 1;
	telling(bench_open(b));
	g = group_new(b, SF_NONE, 0);
	enter(b, g);
	assert_true(kmalloc(b, 100, KA) != 0);
	assert_true(kmalloc(b, 10000, KA) != 0);
	expect(b, "");
	bench_end(b);
}

static void usage_adds_up_the_hierarchy(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t top = group_new(b, SF_NONE, NO_LIMIT), left = group_new(b, top, NO_LIMIT);
	uint32_t right = group_new(b, top, NO_LIMIT), leaf = group_new(b, left, NO_LIMIT);
	uint64_t p[3];

	(void)state;
	enter(b, top);
	p[0] = kmalloc(b, 100, KA);
	enter(b, right);
	p[1] = kmalloc(b, 100, KA);
	enter(b, leaf);
	p[2] = kmalloc(b, 100, KA);
	assert_int_equal(usage(b, top), 3 * CHARGE_100);
	assert_int_equal(usage(b, left), CHARGE_100);
	assert_int_equal(usage(b, right), CHARGE_100);
	assert_int_equal(usage(b, leaf), CHARGE_100);
	assert_int_equal(b->group[leaf].parent, left);
	assert_int_equal(b->group[top].parent, SF_NONE);
	kfree(b, p[2]);
	assert_int_equal(usage(b, top), 2 * CHARGE_100);
	assert_int_equal(usage(b, left), 0);
	kfree(b, p[0]);
	kfree(b, p[1]);
	assert_int_equal(usage(b, top), 0);
	bench_end(b);
}

/* --- limits --- */

static void limits_refuse(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t top = group_new(b, SF_NONE, 3 * CHARGE_100), g = group_new(b, top, NO_LIMIT);
	uint32_t cache;
	uint64_t p;

	(void)state;
	enter(b, g);
	for (int i = 0; i < 3; i++)
		assert_true(kmalloc(b, 100, KA) != 0);
	expect(b, "+136 +136 +136");
	assert_int_equal(kmalloc(b, 100, KA), 0); /* the limit of the one above */
	expect(b, "O R136");
	assert_int_equal(b->memcg_ooms, 1);
	assert_int_equal(usage(b, top), 3 * CHARGE_100);
	assert_int_equal(b->group[top].failcnt, 1);
	assert_int_equal(b->group[g].failcnt, 0);
	/* no process is killed for these */
	assert_int_equal(kmalloc(b, 100, KA | SF_GFP_NORETRY), 0);
	assert_int_equal(kmalloc(b, 100, KA | SF_GFP_RETRY_MAYFAIL), 0);
	assert_int_equal(kmalloc(b, 100, SF_GFP_NOWAIT | SF_GFP_ACCOUNT), 0);
	assert_int_equal(kmalloc(b, 100000, KA), 0);
	expect(b, "R136 R136 R136 R131072");
	/* these must not fail, or are an emergency */
	p = kmalloc(b, 100, KA | SF_GFP_NOFAIL);
	assert_true(p != 0);
	assert_true(kmalloc(b, 100, SF_GFP_ATOMIC | SF_GFP_ACCOUNT) != 0);
	expect(b, "O +136 +136");
	assert_int_equal(usage(b, top), 5 * CHARGE_100);
	/* what was refused went back to its slab: all that is in use is alive or parked */
	cache = cache_of(b, p);
	look(b, cache);
	assert_int_equal(b->inuse, 5 + b->parked);
	assert_int_equal(b->warns, 0);
	bench_end(b);
}

static void refused_objects_bypass_sheaves(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t g = group_new(b, SF_NONE, 0), cache;
	uint64_t p = kmalloc(b, 100, KA), parked;

	(void)state;
	cache = cache_of(b, p);
	look(b, cache);
	parked = b->parked;
	enter(b, g);
	assert_int_equal(kmalloc(b, 100, KA), 0);
	look(b, cache);
	assert_int_equal(b->parked, parked - 1);
	assert_int_equal(b->inuse, 1 + b->parked);
	bench_end(b);
}

static void bulk_all_or_nothing(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t g = group_new(b, SF_NONE, 4 * 112), s = make_cache(b, "n", 100, SF_SLAB_ACCOUNT);
	struct sf_result rs;
	uint64_t p[6];

	(void)state;
	enter(b, g);
	b->a->cache_alloc_bulk(b->heap, s, K, 3, p, &rs);
	assert_int_equal(rs.status, SF_OK);
	expect(b, "+112 +112 +112");
	b->a->cache_alloc_bulk(b->heap, s, K | SF_GFP_NORETRY, 3, p + 3, &rs);
	assert_int_equal(rs.status, SF_NULL);
	expect(b, "+112 R112 =112");
	b->a->cache_free_bulk(b->heap, s, 3, p, &rs);
	expect(b, "=112 =112 =112");
	assert_int_equal(usage(b, g), 0);
	assert_int_equal(b->a->cache_shrink(b->heap, s), 0);
	bench_end(b);
}

/* kmalloc_nolock() tries the next class if there is no memory, not if it may not have it. */
static void nolock_is_refused_once(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t g = group_new(b, SF_NONE, 200);
	uint64_t p;

	(void)state;
	enter(b, g);
	p = api_alloc(b, SF_API_NOLOCK, 100, SF_GFP_ACCOUNT);
	assert_true(p != 0);
	assert_int_equal(api_alloc(b, SF_API_NOLOCK, 100, SF_GFP_ACCOUNT), 0);
	expect(b, "+136 R136");
	assert_int_equal(free_as(b, p, SF_KFREE_NOLOCK), SF_OK);
	expect(b, "=136");
	bench_end(b);
}

/* --- reclaim at a limit --- */

static void reclaim_stays_in_its_group(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM | SF_SLAB_ACCOUNT);
	uint32_t mine = group_new(b, SF_NONE, 100 * 200), other = group_new(b, SF_NONE, NO_LIMIT);

	(void)state;
	b->quiet = true;
	enter(b, other);
	for (uint32_t i = 0; i < 50; i++)
		inode(b, s, 1000 + i);
	enter(b, mine);
	for (uint32_t i = 0; i < 100; i++)
		inode(b, s, i);
	assert_int_equal(usage(b, mine), 100 * 200);
	assert_int_equal(b->nr_gone, 0);
	b->quiet = false;
	inode(b, s, 100);
	assert_true(b->nr_gone > 0 && b->nr_gone <= 100);
	assert_memory_equal(b->line, " -0s .0", 7); /* the oldest of the group, not of the list */
	assert_null(strstr(b->line, "-1000s"));
	assert_int_equal(usage(b, mine), (101 - b->nr_gone) * 200);
	assert_int_equal(usage(b, other), 50 * 200);
	assert_int_equal(b->memcg_ooms, 0);
	bench_end(b);
}

static void reclaim_below_the_group_too(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM | SF_SLAB_ACCOUNT);
	uint32_t top = group_new(b, SF_NONE, 40 * 200), leaf = group_new(b, top, NO_LIMIT);
	uint32_t dead = group_new(b, top, NO_LIMIT);

	(void)state;
	b->quiet = true;
	enter(b, dead);
	for (uint32_t i = 0; i < 20; i++)
		inode(b, s, i);
	enter(b, leaf);
	for (uint32_t i = 0; i < 20; i++)
		inode(b, s, i);
	assert_int_equal(b->a->memcg_destroy(b->heap, dead), SF_OK);
	for (uint32_t i = 0; i < 100; i++)
		inode(b, s, i);
	assert_true(b->nr_gone >= 100);
	assert_int_equal(usage(b, top), (140 - b->nr_gone) * 200);
	bench_end(b);
}

/* What an owner drags along is uncharged with it; what is deferred, when it is freed. */
static void owned_is_uncharged_with_its_owner(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM | SF_SLAB_ACCOUNT);
	uint32_t g = group_new(b, SF_NONE, NO_LIMIT);
	struct sf_shrinker how = { .rcu = true };
	uint64_t d, n;

	(void)state;
	enter(b, g);
	d = inode(b, s, 0);
	n = thing(b, 100, KA | SF_GFP_RECLAIMABLE, 1);
	assert_true(owns(b, d, n));
	b->a->shrink(b->heap, 1);
	expect(b, "+200 +136 -1o =136 .1 -0s =200 .0");
	assert_int_equal(usage(b, g), 0);
	b->a->shrinker(b->heap, s, &how);
	d = inode(b, s, 2);
	n = thing(b, 100, KA | SF_GFP_RECLAIMABLE, 3);
	assert_true(owns(b, d, n));
	b->a->shrink(b->heap, 1);
	expect(b, "+200 +136 ~3o ~2s");
	assert_int_equal(usage(b, g), 336);
	b->a->grace_period(b->heap);
	expect(b, "G -3r =136 .3 -2r =200 .2");
	n = thing(b, 100, KA, 4);
	kfree_rcu(b, n);
	b->a->grace_period(b->heap);
	assert_int_equal(usage(b, g), 136);
	b->a->rcu_barrier(b->heap);
	expect(b, "+136 ~4r G B -4r =136 .4");
	assert_int_equal(usage(b, g), 0);
	bench_end(b);
}

/* A million may be on the list: a group that has none of them costs nothing to ask. */
static void a_group_without_any_is_not_searched(void **state)
{
	struct bench *b = bench_new(16384);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM), g = group_new(b, SF_NONE, 100);

	(void)state;
	b->quiet = true;
	for (uint32_t i = 0; i < 100000; i++)
		inode(b, s, i);
	enter(b, g);
	for (uint32_t i = 0; i < 20000; i++)
		assert_int_equal(kmalloc(b, 100, KA), 0);
	assert_int_equal(b->nr_gone, 0);
	assert_int_equal(b->memcg_ooms, 20000);
	bench_end(b);
}

/* --- when charges end --- */

static void uncharged_before_it_is_parked(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t s = make_cache(b, "big", 200000, SF_SLAB_ACCOUNT);
	uint32_t g = group_new(b, SF_NONE, NO_LIMIT);
	struct sf_result rs;
	uint64_t p;

	(void)state;
	enter(b, g);
	p = object(b, s, K);
	b->a->cache_free(b->heap, s, p, &rs);
	expect(b, "+200008 =200008");
	look(b, s);
	assert_int_equal(b->inuse, b->parked);
	assert_true(b->parked > 0);
	assert_int_equal(b->group[g].usage, 0);
	bench_end(b);
	/* the slab follows where nothing parks it */
	b = bench_set(4096);
	b->set.sheaves = 0;
	telling(bench_open(b));
	s = make_cache(b, "big", 2000000, SF_SLAB_ACCOUNT);
	g = group_new(b, SF_NONE, NO_LIMIT);
	enter(b, g);
	p = object(b, s, K);
	b->a->cache_free(b->heap, s, p, &rs);
	assert_int_equal(b->a->cache_shrink(b->heap, s), 0);
	expect(b, "+2000008 =2000008 F");
	bench_end(b);
}

static void krealloc_moves_the_charge(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t g = group_new(b, SF_NONE, NO_LIMIT);
	struct sf_request rq = { .api = SF_API_KMALLOC, .gfp = KA, .n = 1, .size = 3000,
				 .bucket = SF_NONE };
	struct sf_result rs;
	uint64_t p;

	(void)state;
	enter(b, g);
	p = kmalloc(b, 100, KA);
	b->a->realloc(b->heap, p, &rq, &rs);
	expect(b, "+136 +4104 =136");
	assert_int_equal(usage(b, g), 4104);
	/* who asks again without the flag gets memory that no group is charged for */
	rq.gfp = K;
	rq.size = 5000;
	b->a->realloc(b->heap, rs.addr, &rq, &rs);
	expect(b, "=4104");
	kfree(b, rs.addr);
	expect(b, "");
	bench_end(b);
}

static void charges_of_a_dead_group_are_its_parents(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t top = group_new(b, SF_NONE, 1000), mid = group_new(b, top, NO_LIMIT);
	uint32_t leaf = group_new(b, mid, NO_LIMIT);
	uint64_t p;

	(void)state;
	enter(b, leaf);
	p = kmalloc(b, 100, KA);
	assert_int_equal(b->a->memcg_destroy(b->heap, leaf), SF_NULL); /* it is active */
	assert_int_equal(b->a->memcg_destroy(b->heap, mid), SF_NULL); /* it has a child */
	enter(b, SF_NONE);
	assert_int_equal(b->a->memcg_destroy(b->heap, leaf), SF_OK);
	assert_int_equal(b->a->memcg_destroy(b->heap, leaf), SF_NULL);
	assert_int_equal(b->a->memcg_create(b->heap, leaf, 1), SF_NONE);
	enter(b, leaf); /* not to be entered again */
	assert_int_equal(usage(b, mid), CHARGE_100);
	assert_false(b->group[leaf].online);
	assert_int_equal(b->a->memcg_destroy(b->heap, mid), SF_OK);
	assert_int_equal(usage(b, top), CHARGE_100);
	kfree(b, p);
	assert_int_equal(usage(b, top), 0);
	kfree(b, kmalloc(b, 100, KA));
	assert_int_equal(usage(b, top), 0);
	bench_end(b);
}

static void reset_forgets_groups(void **state)
{
	struct bench *b = telling(bench_new(4096));

	(void)state;
	for (int run = 0; run < 3; run++) {
		uint32_t g = group_new(b, SF_NONE, 10000);

		assert_int_equal(g, 0);
		enter(b, g);
		assert_true(kmalloc(b, 100, KA) != 0);
		expect(b, "+136");
		assert_int_equal(usage(b, g), CHARGE_100);
		b->a->reset(b->heap);
		assert_true(kmalloc(b, 100, KA) != 0); /* the root's again */
		expect(b, "");
		b->a->reset(b->heap);
	}
	bench_end(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(charges_are_exact),
		cmocka_unit_test(nobody_is_charged_where_groups_are_off),
		cmocka_unit_test(usage_adds_up_the_hierarchy),
		cmocka_unit_test(limits_refuse),
		cmocka_unit_test(refused_objects_bypass_sheaves),
		cmocka_unit_test(bulk_all_or_nothing),
		cmocka_unit_test(nolock_is_refused_once),
		cmocka_unit_test(reclaim_stays_in_its_group),
		cmocka_unit_test(reclaim_below_the_group_too),
		cmocka_unit_test(owned_is_uncharged_with_its_owner),
		cmocka_unit_test(a_group_without_any_is_not_searched),
		cmocka_unit_test(uncharged_before_it_is_parked),
		cmocka_unit_test(krealloc_moves_the_charge),
		cmocka_unit_test(charges_of_a_dead_group_are_its_parents),
		cmocka_unit_test(reset_forgets_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
