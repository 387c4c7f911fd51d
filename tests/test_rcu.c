// SPDX-License-Identifier: MIT
/*
 * test_rcu.c - frees that wait for a grace period: sheaves of kfree_rcu() by known counts, whole
 * trees that a shrinker defers, slabs of SLAB_TYPESAFE_BY_RCU caches, and who waits for whom.
 */
#include "user_bench.h"

#include "../allocators/slab.h"

#define RECLAIM SF_SLAB_RECLAIM_ACCOUNT
#define K SF_GFP_KERNEL

static struct bench *telling(struct bench *b)
{
	b->events = true;
	return b;
}

static void grace(struct bench *b)
{
	b->a->grace_period(b->heap);
}

/* Objects of 4 KiB and more: sheaves of four. */
#define PER_SHEAF 4u

static void only_full_sheaves_are_queued(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t cache;
	uint64_t p[PER_SHEAF];

	(void)state;
	for (uint32_t i = 0; i < PER_SHEAF; i++)
		p[i] = thing(b, 4096, K, i);
	cache = cache_of(b, p[0]);
	for (uint32_t i = 0; i < 3; i++)
		kfree_rcu(b, p[i]);
	expect(b, "~0r ~1r ~2r");
	grace(b);
	expect(b, "G");
	look(b, cache);
	assert_int_equal(b->waiting, 3);
	assert_int_equal(b->queued, 0);
	kfree_rcu(b, p[3]);
	expect(b, "~3r");
	look(b, cache);
	assert_int_equal(b->waiting, 0);
	assert_int_equal(b->queued, 4);
	assert_int_equal(b->parked, 0);
	assert_int_equal(b->inuse, 4);
	grace(b);
	expect(b, "G -0r .0 -1r .1 -2r .2 -3r .3");
	look(b, cache);
	assert_int_equal(b->queued, 0);
	assert_int_equal(b->parked, 4); /* a full sheaf in the barn */
	assert_int_equal(b->inuse, 4);
	bench_end(b);
}

/* The sheaf comes back from the barn whole, and its last object first. */
static void freed_sheaves_serve_again(void **state)
{
	struct bench *b = bench_new(4096);
	uint64_t p[2 * PER_SHEAF];

	(void)state;
	/* two sheaves full, so that main is empty at the end */
	for (uint32_t i = 0; i < 2 * PER_SHEAF; i++)
		p[i] = thing(b, 4096, K, i);
	for (uint32_t i = 0; i < PER_SHEAF; i++)
		kfree_rcu(b, p[i]);
	grace(b);
	for (uint32_t i = PER_SHEAF; i-- > 0;)
		assert_int_equal(kmalloc(b, 4096, K), p[i]);
	bench_end(b);
}

/* Ten full sheaves are what a barn takes; the eleventh goes to the slabs. */
static void a_full_barn_takes_no_more(void **state)
{
	struct bench *b = bench_new(4096);
	uint64_t p[11 * PER_SHEAF];
	uint32_t cache;

	(void)state;
	b->quiet = true;
	for (uint32_t i = 0; i < 11 * PER_SHEAF; i++)
		p[i] = thing(b, 4096, K, i);
	cache = cache_of(b, p[0]);
	look(b, cache);
	assert_int_equal(b->parked, 0);
	for (uint32_t i = 0; i < 11 * PER_SHEAF; i++)
		kfree_rcu(b, p[i]);
	grace(b);
	look(b, cache);
	assert_int_equal(b->nr_gone, 11 * PER_SHEAF);
	assert_int_equal(b->parked, 10 * PER_SHEAF);
	assert_int_equal(b->inuse, 10 * PER_SHEAF);
	bench_end(b);
}

static void barrier_frees_what_waits_for_more(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint64_t p = thing(b, 4096, K, 0), q = thing(b, 64, K, 1);
	uint32_t cache = cache_of(b, p);

	(void)state;
	b->a->rcu_barrier(b->heap); /* there is nothing to wait for */
	expect(b, "");
	kfree_rcu(b, p);
	kfree_rcu(b, q);
	b->a->rcu_barrier(b->heap);
	/* the newest cache first: 4k comes after 64 */
	expect(b, "~0r ~1r B -0r .0 -1r .1");
	look(b, cache);
	assert_int_equal(b->waiting + b->queued, 0);
	bench_end(b);
}

static void what_has_no_sheaf_waits_for_the_next(void **state)
{
	struct bench *b = telling(bench_new(8192));
	uint32_t bare = make_cache(b, "bare", 100, SF_SLAB_NOLEAKTRACE);
	uint64_t p[3];

	(void)state;
	p[0] = kmalloc(b, 100000, K);
	p[1] = api_alloc(b, SF_API_KVMALLOC, 6 << 20, K);
	p[2] = object(b, bare, K);
	for (uint32_t i = 0; i < 3; i++) {
		assert_true(p[i] != 0);
		b->a->track(b->heap, p[i], i, false);
		kfree_rcu(b, p[i]);
	}
	kfree_rcu(b, 0);
	kfree_rcu(b, SF_ZERO_SIZE_PTR);
	grace(b);
	expect(b, "~0r ~1r ~2r G -0r .0 -1r .1 -2r .2");
	look(b, bare);
	assert_int_equal(b->inuse, 0);
	assert_int_equal(b->warns, 0);
	bench_end(b);
}

/* Each CPU has a sheaf; what is reported of them says whose. */
static void each_cpu_fills_its_own(void **state)
{
	struct bench *b = bench_set(4096);
	uint64_t p[6];
	uint32_t cache;

	(void)state;
	b->set.cpus = 2;
	bench_open(b);
	for (uint32_t i = 0; i < 6; i++)
		p[i] = thing(b, 4096, K, i);
	cache = cache_of(b, p[0]);
	for (uint32_t i = 0; i < 6; i++) {
		b->a->set_cpu(b->heap, i % 2);
		kfree_rcu(b, p[i]);
	}
	grace(b);
	expect(b, "~0r ~1r ~2r ~3r ~4r ~5r");
	look(b, cache);
	assert_int_equal(b->waiting, 6);
	b->a->cache_shrink(b->heap, cache); /* hands them over, and frees them not to the barn */
	look(b, cache);
	assert_int_equal(b->waiting, 0);
	assert_int_equal(b->queued, 6);
	grace(b);
	expect(b, "-0r .0 -2r .2 -4r .4 -1r .1 -3r .3 -5r .5");
	look(b, cache);
	assert_int_equal(b->parked, 0);
	assert_int_equal(b->inuse, 0);
	bench_end(b);
}

/* --- who goes with whom --- */

static void owned_goes_at_the_end_of_the_grace_period(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint64_t p[5];

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		p[i] = thing(b, i ? 64 : 20000, K, i);
	assert_true(owns(b, p[0], p[1]));
	assert_true(owns(b, p[1], p[2]));
	assert_true(owns(b, p[0], p[3]));
	kfree_rcu(b, p[0]);
	expect(b, "~0r");
	/* it has no owner now; what it owns is its users' still */
	assert_false(owns(b, p[0], p[4]));
	assert_false(owns(b, p[4], p[0]));
	assert_false(owns(b, p[4], p[1]));
	kfree(b, p[2]);
	b->a->pin(b->heap, p[3], true);
	b->a->pin(b->heap, p[0], true); /* too late */
	grace(b);
	expect(b, "G -1o .1 -0r .0");
	assert_true(owns(b, p[4], p[3]));
	bench_end(b);
}

static void deferred_leaves_its_owner(void **state)
{
	struct bench *b = bench_new(4096);
	uint32_t s = make_cache(b, "dentry", 192, RECLAIM);
	uint64_t d = inode(b, s, 0), e = inode(b, s, 1), p = thing(b, 20000, K, 2);

	(void)state;
	assert_true(owns(b, d, p));
	kfree_rcu(b, p);
	kfree_rcu(b, e);
	assert_int_equal(b->a->shrink(b->heap, 10), 1);
	expect(b, "~2r ~1r -0s .0");
	grace(b);
	expect(b, "-2r .2");
	b->a->rcu_barrier(b->heap);
	expect(b, "-1r .1");
	bench_end(b);
}

/* A dentry, its name, what hangs on that, and a name that is held. */
static void rcu_shrinker_defers_whole_trees(void **state)
{
	struct bench *b = bench_set(4096);
	struct sf_shrinker how = { .rcu = true };
	uint64_t p[5], reclaimable;
	uint32_t s;

	(void)state;
	b->set.accounting = 1;
	telling(bench_open(b));
	s = make_cache(b, "dentry", 192, RECLAIM);
	b->a->shrinker(b->heap, s, &how);
	p[0] = inode(b, s, 0);
	for (uint32_t i = 1; i < 5; i++)
		p[i] = thing(b, 64, K, i);
	assert_true(owns(b, p[0], p[1]));
	assert_true(owns(b, p[1], p[2]));
	assert_true(owns(b, p[0], p[3]));
	assert_true(owns(b, p[3], p[4]));
	b->a->pin(b->heap, p[3], true);
	look(b, s);
	reclaimable = b->counters.nr_slab_reclaimable;
	assert_int_equal(b->a->shrink(b->heap, 1), 1);
	expect(b, "~2o ~1o ~0s");
	assert_int_equal(b->a->shrink(b->heap, 1), 0);
	/* nothing is freed yet, and all of it is counted */
	look(b, s);
	assert_int_equal(b->counters.nr_slab_reclaimable, reclaimable);
	assert_int_equal(b->counters.indirect_bytes, 256);
	assert_int_equal(b->nr_gone, 0);
	grace(b);
	expect(b, "G -2r .2 -1r .1 -0r .0");
	assert_int_equal(indirect(b), 64); /* of 4, which 3 owns */
	kfree(b, p[3]);
	expect(b, "-4o .4");
	assert_int_equal(indirect(b), 0);
	bench_end(b);
}

/* Held when its owner was deferred, and let go of since. */
static void unpinned_before_the_grace_period_ends(void **state)
{
	struct bench *b = bench_set(4096);
	struct sf_shrinker how = { .rcu = true };
	uint64_t d, p;
	uint32_t s;

	(void)state;
	b->set.accounting = 1;
	bench_open(b);
	s = make_cache(b, "dentry", 192, RECLAIM);
	b->a->shrinker(b->heap, s, &how);
	d = inode(b, s, 0);
	p = thing(b, 64, K, 1);
	assert_true(owns(b, d, p));
	b->a->pin(b->heap, p, true);
	b->a->shrink(b->heap, 1);
	expect(b, "~0s");
	b->a->pin(b->heap, p, false);
	assert_int_equal(indirect(b), 64);
	grace(b);
	expect(b, "-1o .1 -0r .0");
	assert_int_equal(indirect(b), 0);
	bench_end(b);
}

/* In a slot with an offset: the sheaf waits with the object, the slot goes to the barn. */
static void objects_inside_their_slots(void **state)
{
	struct bench *b = bench_set(4096);
	uint64_t p[64];
	uint32_t cache;
	bool offset = false;

	(void)state;
	b->set.slot_offset = 1;
	bench_open(b);
	for (uint32_t i = 0; i < 64; i++) {
		struct sf_request rq = { .api = SF_API_KMALLOC, .gfp = K, .n = 1, .size = 300,
					 .type = 1, .type_align = 8, .bucket = SF_NONE };
		struct sf_result rs;
		struct sf_place pl;

		b->a->alloc(b->heap, &rq, &rs);
		p[i] = rs.addr;
		b->a->place(b->heap, p[i], &pl);
		offset |= pl.offset != 0;
		b->a->track(b->heap, p[i], i, false);
	}
	assert_true(offset);
	cache = cache_of(b, p[0]);
	for (uint32_t i = 0; i < 64; i++)
		kfree_rcu(b, p[i]);
	b->a->rcu_barrier(b->heap);
	assert_int_equal(b->nr_gone, 64);
	assert_int_equal(b->a->cache_shrink(b->heap, cache), 0);
	look(b, cache);
	assert_int_equal(b->info.nr_slabs, 0);
	assert_int_equal(b->warns, 0);
	bench_end(b);
}

/* What is wiped on free is so when it is freed, and not before. */
static void wiped_after_the_grace_period(void **state)
{
	struct bench *b = bench_set(4096);
	uint64_t p, word = 0x1122334455667788ull, got;

	(void)state;
	b->set.init_on_free = 1;
	bench_open(b);
	p = thing(b, 64, K, 0);
	b->a->poke(b->heap, p, &word, 8);
	kfree_rcu(b, p);
	b->a->peek(b->heap, p, &got, 8);
	assert_true(got == word);
	b->a->rcu_barrier(b->heap);
	b->a->peek(b->heap, p, &got, 8);
	assert_true(got == 0);
	bench_end(b);
}

/* --- slabs --- */

static void typesafe_slabs_wait(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t s = make_cache(b, "anon_vma", 4000, SF_SLAB_TYPESAFE_BY_RCU);
	uint64_t p[8], pages, slabs;

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		p[i] = object(b, s, K);
	look(b, s);
	slabs = b->info.nr_slabs;
	pages = b->counters.nr_slab_unreclaimable;
	for (uint32_t i = 0; i < 8; i++) {
		struct sf_result rs;

		b->a->cache_free(b->heap, s, p[i], &rs);
	}
	assert_int_equal(slabs, 2); /* for a sheaf of twelve */
	assert_int_equal(b->a->cache_shrink(b->heap, s), 0);
	expect(b, "D D");
	look(b, s);
	assert_int_equal(b->info.nr_slabs, 0);
	assert_int_equal(b->info.total_objects, 0);
	assert_int_equal(b->deferred_slabs, 2);
	assert_int_equal(b->inuse, 0);
	assert_int_equal(b->counters.nr_slab_unreclaimable, pages);
	grace(b);
	expect(b, "G F F");
	look(b, s);
	assert_int_equal(b->deferred_slabs, 0);
	assert_int_equal(b->counters.nr_slab_unreclaimable, 0);
	bench_end(b);
}

/* What callbacks queue waits for the next grace period. */
static void one_grace_period_after_the_other(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t s = make_cache(b, "sighand", 200000, SF_SLAB_TYPESAFE_BY_RCU);
	uint64_t p[12];

	(void)state;
	for (uint32_t i = 0; i < 12; i++) {
		p[i] = object(b, s, K);
		b->a->track(b->heap, p[i], i, false);
	}
	b->quiet = true;
	for (uint32_t i = 0; i < 12; i++)
		kfree_rcu(b, p[i]);
	b->a->cache_shrink(b->heap, s);
	grace(b);
	assert_int_equal(b->nr_gone, 12);
	b->a->cache_shrink(b->heap, s); /* all that was in the barn */
	look(b, s);
	assert_int_equal(b->info.nr_slabs, 0);
	assert_int_equal(b->deferred_slabs, 12);
	grace(b);
	look(b, s);
	assert_int_equal(b->deferred_slabs, 0);
	for (uint32_t i = 0; i < 2; i++) {
		uint64_t q = object(b, s, K);

		b->a->track(b->heap, q, i, false);
		kfree_rcu(b, q);
	}
	b->quiet = false;
	b->a->cache_shrink(b->heap, s);
	expect(b, "D D"); /* of the two of four that were never handed out */
	b->a->rcu_barrier(b->heap);
	expect(b, "B -0r .0 -1r .1 F F");
	b->a->cache_shrink(b->heap, s);
	expect(b, "D D");
	b->a->rcu_barrier(b->heap);
	expect(b, "B F F");
	bench_end(b);
}

static void deferred_slabs_are_no_progress(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t plain = make_cache(b, "inode", 16384, RECLAIM);
	uint32_t s = make_cache(b, "sock", 16384, RECLAIM | SF_SLAB_TYPESAFE_BY_RCU);
	uint64_t stolen;

	(void)state;
	b->quiet = true;
	for (uint32_t i = 0; i < 200; i++)
		inode(b, s, i);
	b->a->shrink(b->heap, UINT64_MAX);
	look(b, s);
	assert_int_equal(b->counters.pgsteal_slab, 0);
	assert_true(b->deferred_slabs > 10);
	for (uint32_t i = 0; i < 200; i++)
		inode(b, plain, i);
	b->a->shrink(b->heap, UINT64_MAX);
	look(b, s);
	stolen = b->counters.pgsteal_slab;
	assert_true(stolen > 40);
	grace(b);
	look(b, s);
	assert_int_equal(b->deferred_slabs, 0);
	assert_int_equal(b->counters.pgsteal_slab, stolen);
	bench_end(b);
}

/* --- kmem_cache_destroy() --- */

static void destroy_waits(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t s = make_cache(b, "request", 4096, 0), t = make_cache(b, "other", 4096, 0);
	uint64_t p = object(b, s, K), q = object(b, t, K), r = thing(b, 20000, K, 3);

	(void)state;
	b->a->track(b->heap, p, 1, false);
	b->a->track(b->heap, q, 2, false);
	kfree_rcu(b, p);
	kfree_rcu(b, q);
	kfree_rcu(b, r);
	expect(b, "~1r ~2r ~3r");
	/* its own sheaf, and all that was queued; not another cache's sheaf */
	assert_int_equal(b->a->cache_destroy(b->heap, s), SF_OK);
	expect(b, "B -3r .3 -1r .1 F");
	b->a->rcu_barrier(b->heap);
	expect(b, "B -2r .2");
	assert_int_equal(b->a->cache_destroy(b->heap, t), SF_OK);
	expect(b, "F");
	bench_end(b);
}

static void destroy_of_typesafe_waits_for_its_slabs(void **state)
{
	struct bench *b = telling(bench_new(4096));
	uint32_t s = make_cache(b, "sock", 4096, SF_SLAB_TYPESAFE_BY_RCU);
	struct sf_result rs;
	uint64_t p = object(b, s, K);

	(void)state;
	b->a->cache_free(b->heap, s, p, &rs);
	expect(b, "");
	assert_int_equal(b->a->cache_destroy(b->heap, s), SF_OK);
	expect(b, "D B F");
	s = make_cache(b, "leaks", 4096, SF_SLAB_TYPESAFE_BY_RCU);
	object(b, s, K);
	assert_int_equal(b->a->cache_destroy(b->heap, s), SF_NOTICED);
	expect(b, "");
	bench_end(b);
}

/* --- what must not harm --- */

static void deferred_twice_is_survived(void **state)
{
	struct bench *b = bench_set(4096);
	uint64_t p[3];

	(void)state;
	b->set.misuse = 1;
	bench_open(b);
	for (uint32_t i = 0; i < 3; i++)
		p[i] = thing(b, i == 2 ? 20000 : 64, K, i);
	kfree_rcu(b, p[0]);
	kfree_rcu(b, p[0]);
	kfree_rcu(b, p[1]);
	kfree(b, p[1]);
	kfree_rcu(b, p[2]);
	kfree(b, p[2]);
	expect(b, "~0r ~1r ~2r");
	b->a->rcu_barrier(b->heap);
	expect(b, "-0r .0"); /* once; what was freed before is not reported */
	assert_int_equal(b->warns, 1);
	b->a->cache_shrink(b->heap, cache_of(b, thing(b, 64, K, 9)));
	b->a->reset(b->heap);
	b->a->rcu_barrier(b->heap);
	expect(b, "");
	bench_end(b);
}

/* Freed behind RCU's back, and pages since: kvfree() does not take those. */
static void pages_are_not_freed_for_what_was_there(void **state)
{
	struct bench *b = bench_set(4096);
	struct sf_result rs;
	uint64_t p;

	(void)state;
	b->set.misuse = 1;
	telling(bench_open(b));
	p = thing(b, 20000, K, 0);
	kfree_rcu(b, p);
	kfree(b, p);
	b->a->pages_alloc(b->heap, K, 3, &rs);
	assert_int_equal(rs.addr, p);
	grace(b);
	expect(b, "~0r G");
	assert_int_equal(b->warns, 1);
	b->a->pages_free(b->heap, p, 3);
	b->a->drain(b->heap);
	look(b, SF_NONE);
	assert_int_equal(b->counters.nr_free_pages, 4096);
	bench_end(b);
}

/* oom=flush empties sheaves; what waits for a grace period is only handed over. */
static void flushing_all_frees_nothing_deferred(void **state)
{
	struct bench *b = bench_new(4096);
	uint64_t p = thing(b, 64, K, 0), q = thing(b, 64, K, 1);
	uint32_t cache = cache_of(b, p);

	(void)state;
	kfree_rcu(b, p);
	kfree(b, q);
	slab_flush_all(b->heap);
	look(b, cache);
	assert_int_equal(b->parked, 0);
	assert_int_equal(b->queued, 1);
	assert_int_equal(b->inuse, 1);
	grace(b);
	expect(b, "~0r -0r .0");
	look(b, cache);
	assert_int_equal(b->inuse, 0);
	bench_end(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_full_sheaves_are_queued),
		cmocka_unit_test(freed_sheaves_serve_again),
		cmocka_unit_test(a_full_barn_takes_no_more),
		cmocka_unit_test(barrier_frees_what_waits_for_more),
		cmocka_unit_test(what_has_no_sheaf_waits_for_the_next),
		cmocka_unit_test(each_cpu_fills_its_own),
		cmocka_unit_test(owned_goes_at_the_end_of_the_grace_period),
		cmocka_unit_test(deferred_leaves_its_owner),
		cmocka_unit_test(rcu_shrinker_defers_whole_trees),
		cmocka_unit_test(unpinned_before_the_grace_period_ends),
		cmocka_unit_test(objects_inside_their_slots),
		cmocka_unit_test(wiped_after_the_grace_period),
		cmocka_unit_test(typesafe_slabs_wait),
		cmocka_unit_test(one_grace_period_after_the_other),
		cmocka_unit_test(deferred_slabs_are_no_progress),
		cmocka_unit_test(destroy_waits),
		cmocka_unit_test(destroy_of_typesafe_waits_for_its_slabs),
		cmocka_unit_test(deferred_twice_is_survived),
		cmocka_unit_test(pages_are_not_freed_for_what_was_there),
		cmocka_unit_test(flushing_all_frees_nothing_deferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
