// SPDX-License-Identifier: MIT
/*
 * test_large_cost.c - what `slabfuzz compare --large` and `--sealed` are made of: figures of large
 * objects from events made by hand, programs with alloc_pages_exact() in place of kmalloc(), and
 * blind writes into a pool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/measure/blind.h"
#include "../harness/measure/large_cost.h"

#define MIB (1ull << 20)

static void emit(struct sf_large *l, struct sf_event ev)
{
	sf_large_event(l, &ev);
}

static void tell_alloc(struct sf_large *l, uint32_t id, uint8_t api, uint64_t size, uint64_t addr,
		       struct sf_place place)
{
	emit(l, (struct sf_event){ .type = SF_EV_ALLOC,
				   .alloc = { .id = addr ? id : SF_NONE, .api = api, .size = size,
					      .addr = addr, .place = place, .old_id = SF_NONE,
					      .status = addr ? SF_OK : SF_NULL } });
	sf_large_step(l);
}

static void tell_free(struct sf_large *l, uint32_t id)
{
	emit(l, (struct sf_event){ .type = SF_EV_FREE, .free = { .id = id } });
	sf_large_step(l);
}

static const struct sf_place block = { .kind = SF_PLACE_LARGE, .order = 8 };
static const struct sf_place in_slab = { .kind = SF_PLACE_SLAB };
static const struct sf_place mapped = { .kind = SF_PLACE_VMALLOC };
static const struct sf_place pages = { .kind = SF_PLACE_PAGES };

static void backing_is_blocks_and_slabs(void **state)
{
	struct sf_large l = { 0 };

	(void)state;
	emit(&l, (struct sf_event){ .type = SF_EV_CACHE,
				    .cache = { .id = 3, .object_size = 655360 } });
	emit(&l, (struct sf_event){ .type = SF_EV_CACHE, .cache = { .id = 4, .object_size = 64 } });
	emit(&l, (struct sf_event){ .type = SF_EV_SLAB_NEW, .slab = { .cache = 3, .order = 9 } });
	emit(&l, (struct sf_event){ .type = SF_EV_SLAB_NEW, .slab = { .cache = 4, .order = 0 } });
	tell_alloc(&l, 0, SF_API_CACHE, 655360, 16 * MIB, in_slab);
	assert_int_equal(l.now.requested, 655360);
	assert_int_equal(l.now.backing, 2 * MIB);
	tell_alloc(&l, 1, SF_API_KMALLOC, 655360, 32 * MIB, block);
	assert_int_equal(l.now.backing, 3 * MIB);
	tell_alloc(&l, 2, SF_API_EXACT, 655360, 40 * MIB, pages);
	assert_int_equal(l.now.backing, 3 * MIB + 655360);
	tell_free(&l, 0);
	tell_free(&l, 1);
	/* The slab stays where it is until it is given back. */
	assert_int_equal(l.now.backing, 2 * MIB + 655360);
	emit(&l, (struct sf_event){ .type = SF_EV_SLAB_FREE, .slab = { .cache = 3, .order = 9 } });
	assert_int_equal(l.now.backing, 655360);
	assert_int_equal(l.peak, 3 * 655360);
	assert_int_equal(l.peak_operations, 3);
	sf_large_free(&l);
}

static void small_and_page_requests_do_not_count(void **state)
{
	struct sf_large l = { 0 };

	(void)state;
	tell_alloc(&l, 0, SF_API_KMALLOC, 4096, MIB, in_slab);
	tell_alloc(&l, 1, SF_API_PAGES, 2 * MIB, 2 * MIB, pages);
	assert_int_equal(l.requests, 0);
	assert_int_equal(l.now.requested, 0);
	tell_alloc(&l, 2, SF_API_KMALLOC, 4097, 0, in_slab);
	tell_alloc(&l, 2, SF_API_KVMALLOC, 8 * MIB, MIB << 20, mapped);
	assert_int_equal(l.requests, 2);
	assert_int_equal(l.failures, 1);
	assert_int_equal(l.fallbacks, 1);
	sf_large_free(&l);
}

/* Two objects in one region, one across a boundary, one mapped page by page. */
static void regions_are_counted_once(void **state)
{
	struct sf_large l = { 0 };

	(void)state;
	tell_alloc(&l, 0, SF_API_KMALLOC, 655360, 32 * MIB, block);
	tell_alloc(&l, 1, SF_API_KMALLOC, 655360, 33 * MIB, block);
	tell_alloc(&l, 2, SF_API_EXACT, 2 * MIB, 35 * MIB, pages);
	tell_alloc(&l, 3, SF_API_KVMALLOC, 5000, 1ull << 40, mapped);
	sf_large_regions(&l);
	assert_int_equal(l.now.regions, 4);
	assert_int_equal(l.now.regions_each, 5);
	assert_int_equal(l.now.small_pages, 2);
	tell_free(&l, 2);
	sf_large_regions(&l);
	assert_int_equal(l.now.regions, 2);
	sf_large_free(&l);
}

/* mm/vmstat.c: what it would print for these blocks. */
static void indices_are_those_of_the_kernel(void **state)
{
	struct sf_large_moment m = { 0 };

	(void)state;
	assert_int_equal(sf_large_fragmentation(&m, 9), 0);
	assert_int_equal(sf_large_unusable(&m, 9), 1000);
	m.free[8] = 1; /* half a block: too little memory, not fragmentation */
	assert_int_equal(sf_large_fragmentation(&m, 9), 1000 - (1000 + 500));
	assert_int_equal(sf_large_unusable(&m, 9), 1000);
	m.free[8] = 0;
	m.free[0] = 2048; /* enough, in single pages */
	assert_int_equal(sf_large_fragmentation(&m, 9), 1000 - (1000 + 4000) / 2048);
	m.free[10] = 1;
	assert_int_equal(sf_large_fragmentation(&m, 9), -1000);
	assert_int_equal(sf_large_unusable(&m, 9), 2048 * 1000 / (2048 + 1024));
	m.pcp_blocks = 3;
	assert_int_equal(sf_large_blocks(&m), 2 + 3);
	assert_int_equal(sf_large_free_pages(&m), 2048 + 1024);
}

/* --- alloc_pages_exact() in their place --- */

struct run {
	struct sf_large large;
	struct sf_exactly exactly;
	unsigned int api[SF_APIS], live;
};

static void listen(void *ctx, const struct sf_event *ev)
{
	struct run *r = ctx;

	sf_large_event(&r->large, ev);
	if (ev->type == SF_EV_ALLOC && ev->alloc.status == SF_OK) {
		r->api[ev->alloc.api]++;
		r->live++;
	}
	if (ev->type == SF_EV_FREE && ev->free.status == SF_OK && ev->free.id != SF_NONE)
		r->live--;
}

static void run_exactly(struct run *r, const char *text)
{
	static const struct sf_exec_options how = { .end = SF_END_PLAIN };
	struct sf_text_error te;
	struct sf_error err = { "" };
	struct sf_exec *x;
	struct sf_prog p;

	*r = (struct run){ 0 };
	sf_exactly_init(&r->exactly);
	sf_prog_init(&p);
	if (sf_text_parse(&p, text, strlen(text), &te))
		fail_msg("%u:%u: %s", te.line, te.col, te.text);
	x = sf_exec_create(&sf_baseline, &p.settings, &how, listen, r, &err);
	assert_non_null(x);
	sf_exec_begin(x, "test");
	for (uint32_t i = 0; i < p.nr_ops; i++)
		assert_true(sf_exactly_step(&r->exactly, x, &p.ops[i], p.strings));
	sf_exec_end(x);
	sf_exec_destroy(x);
	sf_prog_free(&p);
}

static void done(struct run *r)
{
	sf_large_free(&r->large);
	sf_exactly_free(&r->exactly);
}

static void only_what_gains_is_exact(void **state)
{
	struct run r;

	(void)state;
	run_exactly(&r, "r0 = kmalloc(655360, GFP_KERNEL)\n"
			"r1 = kmalloc(4096, GFP_KERNEL)\n"
			"r2 = kmalloc(1048576, GFP_KERNEL)\n"
			"r3 = kvcalloc(5, 1001, GFP_KERNEL)\n"
			"c0 = kmem_cache_create(\"blocks\", 20480, 4096, 0)\n"
			"r4 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
			"kfree(r0)\nkvfree(r3)\nkmem_cache_free(c0, r4)\n");
	assert_int_equal(r.api[SF_API_EXACT], 3);
	assert_int_equal(r.api[SF_API_KMALLOC], 2);
	assert_int_equal(r.api[SF_API_CACHE], 0);
	assert_int_equal(r.live, 2);
	assert_int_equal(r.large.now.requested, 1048576);
	assert_int_equal(r.large.now.backing, 1048576);
	done(&r);
}

static void resizes_move_between_them(void **state)
{
	struct run r;

	(void)state;
	run_exactly(&r, "r0 = kmalloc(100, GFP_KERNEL)\n"
			"r1 = krealloc(r0, 20000, GFP_KERNEL)\n"
			"r2 = krealloc(r1, 30000, GFP_KERNEL)\n"
			"r3 = krealloc(r2, 64, GFP_KERNEL)\n");
	assert_int_equal(r.api[SF_API_EXACT], 2);
	assert_int_equal(r.live, 1);
	assert_int_equal(r.large.now.backing, 0);
	done(&r);
}

/* 1 MiB of memory holds no second block of 512 KiB: the oldest goes, or vmalloc() serves. */
static void failures_are_made_good(void **state)
{
	static const char cached[] =
		"heap pages=256\n"
		"c0 = kmem_cache_create(\"blocks\", 500000, 0, SLAB_RECLAIM_ACCOUNT)\n"
		"r0 = kmem_cache_alloc(c0, GFP_NOIO)\n"
		"r1 = kmem_cache_alloc(c0, GFP_NOIO)\n"
		"r2 = kmem_cache_alloc(c0, GFP_NOWAIT)\n"
		"kmem_cache_free(c0, r0)\n";
	struct run r;

	(void)state;
	run_exactly(&r, cached);
	assert_true(r.exactly.reclaimed >= 1);
	assert_int_equal(r.exactly.again, r.exactly.reclaimed);
	assert_int_equal(r.large.requests - r.exactly.again, 3);
	assert_int_equal(r.large.failures - r.exactly.again, 1); /* GFP_NOWAIT takes nobody's */
	assert_int_equal(r.live, 1);
	done(&r);
	run_exactly(&r, "heap pages=256\n"
			"r0 = kvmalloc(500000, GFP_KERNEL)\n"
			"r1 = kvmalloc(400000, GFP_KERNEL)\n");
	assert_int_equal(r.large.failures - r.exactly.again, 0);
	assert_int_equal(r.large.fallbacks, 1);
	assert_int_equal(r.live, 2);
	done(&r);
}

/* --- blind writes --- */

static void blind(uint64_t directmap, struct sf_blind_result *r)
{
	struct sf_blind_options opt = { .allocator = &sf_protected, .pool_pages = 16,
					.writes = 64 * 256, .seed = 1 };
	struct sf_error err = { "" };

	sf_settings_init(&opt.settings);
	opt.settings.pages = 256;
	opt.settings.directmap = directmap;
	if (!sf_blind_run(&opt, r, &err))
		fail_msg("%s", err.text);
}

static void an_open_direct_map_reaches_a_sealed_pool(void **state)
{
	struct sf_blind_result r;

	(void)state;
	blind(0, &r);
	assert_int_equal(r.writes, 64 * 256);
	assert_int_equal(r.known, r.layouts);
	assert_int_equal(r.refused, 0);
	/* One write in 16 is expected to hit the pool, one in 4096 the object. */
	assert_in_range(r.pool, 900, 1150);
	assert_in_range(r.object, 1, 12);
}

static void a_sealed_one_does_not(void **state)
{
	struct sf_blind_result r;

	(void)state;
	blind(1, &r);
	assert_int_equal(r.known, 0);
	assert_int_equal(r.pool, 0);
	assert_int_equal(r.object, 0);
	assert_in_range(r.refused, 900, 1150);
}

static void pools_are_needed(void **state)
{
	struct sf_blind_options opt = { .allocator = &sf_baseline, .pool_pages = 1, .writes = 64 };
	struct sf_blind_result r;
	struct sf_error err = { "" };

	(void)state;
	sf_settings_init(&opt.settings);
	assert_false(sf_blind_run(&opt, &r, &err));
	opt.allocator = &sf_protected;
	opt.settings.pages = 64;
	opt.pool_pages = 4096;
	assert_false(sf_blind_run(&opt, &r, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backing_is_blocks_and_slabs),
		cmocka_unit_test(small_and_page_requests_do_not_count),
		cmocka_unit_test(regions_are_counted_once),
		cmocka_unit_test(indices_are_those_of_the_kernel),
		cmocka_unit_test(only_what_gains_is_exact),
		cmocka_unit_test(resizes_move_between_them),
		cmocka_unit_test(failures_are_made_good),
		cmocka_unit_test(an_open_direct_map_reaches_a_sealed_pool),
		cmocka_unit_test(a_sealed_one_does_not),
		cmocka_unit_test(pools_are_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
