// SPDX-License-Identifier: MIT
/*
 * test_compact.c - compaction in the model: what moves and what stays, that contents, owners and
 * charges go along, and which requests it helps.
 *
 * Page blocks of 16 pages. All of memory is taken as single movable pages; some are freed again, so
 * that what is free is in pieces. Every block holds a pattern of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* a member of struct sf_allocator has that name */

#include "../allocators/compact.h"
#include "../allocators/memcg.h"
#include "sound.h"

#define PAGES 512
#define BLOCK 16

struct rig {
	struct sf_heap *h;
	const struct sf_allocator *a;
	struct sf_sink sink;
	struct sf_user user;
	uint64_t addr[PAGES]; /* by cookie; 0: none */
	unsigned int order[PAGES];
	uint32_t nr, moved, from, to, runs;
	uint64_t seen[SF_EV_TYPES];
	uint8_t *state;       /* by page, from events: free, in use, between */
	struct sf_ev_compact last;
	bool telling;         /* moved() was called and the old pages have not come back yet */
};

enum { FREE, USED, MOVING, PCP };

static void change(struct rig *r, uint64_t pfn, unsigned int order, unsigned int from,
		   unsigned int to)
{
	for (uint64_t p = pfn; p < pfn + (1u << order); p++) {
		assert_int_equal(r->state[p], from);
		r->state[p] = (uint8_t)to;
	}
}

/* Every page is somewhere at any time, and nothing is in two places. */
static void hear(void *ctx, const struct sf_event *ev)
{
	struct rig *r = ctx;

	r->seen[ev->type]++;
	switch (ev->type) {
	case SF_EV_BLOCK_ADD:
		change(r, ev->block.pfn, ev->block.order, MOVING, FREE);
		break;
	case SF_EV_BLOCK_DEL:
		change(r, ev->block.pfn, ev->block.order, FREE, MOVING);
		break;
	case SF_EV_RMQUEUE:
		if (ev->rmqueue.to_pcp)
			change(r, ev->rmqueue.pfn, ev->rmqueue.order, MOVING, PCP);
		break;
	case SF_EV_PAGE_ALLOC:
		change(r, ev->page.pfn, ev->page.order, ev->page.pcp ? PCP : MOVING, USED);
		break;
	case SF_EV_PAGE_FREE:
		change(r, ev->page.pfn, ev->page.order, USED, ev->page.pcp ? PCP : MOVING);
		r->telling = false;
		break;
	case SF_EV_PCP_DRAIN:
		change(r, ev->page.pfn, ev->page.order, PCP, MOVING);
		break;
	case SF_EV_COMPACT:
		r->last = ev->compact;
		r->runs += !ev->compact.begin;
		break;
	}
}

static uint64_t bytes_of(const struct rig *r, uint32_t cookie)
{
	return SF_PAGE_SIZE << r->order[cookie];
}

/* The new place has the contents, and the old one is not free yet. */
static void moved(void *ctx, uint32_t cookie, uint64_t from, uint64_t to)
{
	struct rig *r = ctx;
	uint64_t pfn = (from - SF_DIRECT_MAP) >> SF_PAGE_SHIFT;

	assert_false(r->telling);
	assert_int_equal(r->addr[cookie], from);
	assert_true(to > from);
	assert_int_equal(r->state[pfn], USED);
	assert_int_equal(r->a->verify(r->h, to, bytes_of(r, cookie), cookie, SF_CONTENTS_WHOLE),
			 SF_GOOD);
	r->addr[cookie] = to;
	r->moved++;
	r->telling = true;
}

static struct rig *rig_open(uint64_t pages, uint64_t pageblock_order, uint64_t watermarks)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct sf_error err = { "" };
	struct sf_settings set;

	assert_non_null(r);
	sf_settings_init(&set);
	set.pages = pages;
	set.cpus = 1;
	set.pageblock_order = pageblock_order;
	set.watermarks = watermarks;
	set.memcg = 1;
	r->a = &sf_baseline;
	r->state = calloc(pages, 1);
	r->sink = (struct sf_sink){ .emit = hear, .ctx = r };
	r->user = (struct sf_user){ .moved = moved, .ctx = r };
	r->h = r->a->create(r->a, &set, &r->sink, &err);
	assert_non_null(r->h);
	r->a->set_user(r->h, &r->user);
	return r;
}

static void rig_close(struct rig *r)
{
	assert_sound(r->h);
	r->a->destroy(r->h);
	free(r->state);
	free(r);
}

static uint64_t take(struct rig *r, uint32_t gfp, unsigned int order)
{
	struct sf_result rs;

	r->a->pages_alloc(r->h, gfp, order, &rs);
	return rs.addr;
}

/* A tracked block with contents; false: there is no memory. */
static bool movable(struct rig *r, uint32_t gfp, unsigned int order)
{
	uint32_t cookie = r->nr;
	uint64_t addr = take(r, gfp | SF_GFP_MOVABLE, order);

	if (!addr)
		return false;
	assert_true(cookie < PAGES);
	r->nr++;
	r->addr[cookie] = addr;
	r->order[cookie] = order;
	r->a->fill(r->h, addr, bytes_of(r, cookie), cookie, SF_CONTENTS_WHOLE);
	r->a->track(r->h, addr, cookie, false);
	return true;
}

static void give(struct rig *r, uint32_t cookie)
{
	r->a->pages_free(r->h, r->addr[cookie], r->order[cookie]);
	r->addr[cookie] = 0;
}

static void check_contents(const struct rig *r)
{
	for (uint32_t i = 0; i < r->nr; i++)
		if (r->addr[i])
			assert_int_equal(r->a->verify(r->h, r->addr[i], bytes_of(r, i), i,
						      SF_CONTENTS_WHOLE), SF_GOOD);
}

/* All memory in single movable pages, each `step`th of which is free again. */
static struct rig *holes(uint64_t pages, unsigned int step)
{
	struct rig *r = rig_open(pages, 4, 0);

	while (movable(r, SF_GFP_MEMALLOC, 0))
		;
	assert_int_equal(r->nr, pages);
	for (uint32_t i = 0; i < r->nr; i++)
		if (((r->addr[i] - SF_DIRECT_MAP) >> SF_PAGE_SHIFT) % step == 0)
			give(r, i);
	r->a->drain(r->h);
	assert_int_equal(r->h->zone.nr_free_pages, (pages + step - 1) / step);
	memset(r->seen, 0, sizeof(r->seen));
	return r;
}

static uint64_t blocks_free(const struct rig *r, unsigned int order)
{
	uint64_t n = 0;

	for (unsigned int o = order; o < SF_NR_ORDERS; o++)
		n += r->h->zone.nr_free[o] << (o - order);
	return n;
}

/* --- the whole zone --- */

static void test_zone(void **state)
{
	struct rig *r = holes(256, 2);

	(void)state;
	assert_int_equal(blocks_free(r, 1), 0);
	r->a->compact(r->h);
	/* From below into the holes above, until the two scanners meet in the middle. */
	assert_int_equal(r->last.order, -1);
	assert_int_equal(r->last.migrated, r->moved);
	assert_int_equal(r->h->vm.pgmigrate_success, r->moved);
	assert_in_range(r->moved, 56, 64);
	check_contents(r);
	r->a->drain(r->h);
	assert_int_equal(r->h->zone.nr_free_pages, 128);
	assert_true(blocks_free(r, 4) >= 7);
	/* What is below is empty now. */
	for (uint32_t i = 0; i < r->nr; i++)
		assert_true(!r->addr[i] || r->addr[i] >= SF_DIRECT_MAP + 112 * SF_PAGE_SIZE);
	/* A second run finds nothing more to do. */
	r->moved = 0;
	r->a->compact(r->h);
	assert_int_equal(r->moved, 0);
	for (uint32_t i = 0; i < r->nr; i++)
		if (r->addr[i])
			give(r, i);
	r->a->drain(r->h);
	assert_int_equal(r->h->zone.nr_free_pages, 256);
	rig_close(r);
}

static void test_pinned_stay(void **state)
{
	struct rig *r = holes(256, 2);
	uint64_t was[PAGES];

	(void)state;
	memcpy(was, r->addr, sizeof(was));
	for (uint32_t i = 0; i < r->nr; i += 3)
		if (r->addr[i])
			r->a->pin(r->h, r->addr[i], true);
	r->a->compact(r->h);
	assert_true(r->moved > 20);
	for (uint32_t i = 0; i < r->nr; i += 3)
		assert_int_equal(r->addr[i], was[i]);
	check_contents(r);
	rig_close(r);
}

/* What its user has not made known stays, and so do slabs, and pages that were not asked for so. */
static void test_others_stay(void **state)
{
	struct sf_request rq = { .gfp = SF_GFP_KERNEL, .n = 1, .size = 64, .bucket = SF_NONE };
	struct rig *r = rig_open(256, 4, 0);
	struct sf_result rs;
	uint64_t kept[200];
	uint32_t n = 0;

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		kept[n++] = take(r, SF_GFP_HIGHUSER_MOVABLE, 0);
		kept[n++] = take(r, SF_GFP_KERNEL, 0);
	}
	for (unsigned int i = 0; i < 200; i += 2)
		if (i % 4 == 0)
			r->a->pages_free(r->h, kept[i], 0);
	r->a->alloc(r->h, &rq, &rs);
	assert_int_equal(rs.status, SF_OK);
	r->a->drain(r->h);
	r->a->track(r->h, rs.addr, 0, false);
	r->a->compact(r->h);
	assert_int_equal(r->moved, 0);
	assert_int_equal(r->last.migrated, 0);
	rig_close(r);
}

/* Blocks move as a whole, to blocks, up to the size of a page block. */
static void test_larger_blocks(void **state)
{
	struct rig *r = rig_open(512, 4, 0);

	(void)state;
	for (unsigned int order = 0; movable(r, SF_GFP_NOWAIT, order); order = (order + 1) % 5)
		;
	for (uint32_t i = 0; i < r->nr; i++)
		if (i % 7 < 3 || i > r->nr / 2)
			give(r, i);
	r->a->drain(r->h);
	r->a->compact(r->h);
	assert_true(r->moved > 5);
	for (uint32_t i = 0; i < r->nr; i++)
		if (r->addr[i])
			assert_int_equal(r->addr[i] & (bytes_of(r, i) - 1), 0);
	check_contents(r);
	for (uint32_t i = 0; i < r->nr; i++)
		if (r->addr[i])
			give(r, i);
	r->a->drain(r->h);
	assert_int_equal(r->h->zone.nr_free_pages, 512);
	assert_int_equal(blocks_free(r, 9), 1);
	rig_close(r);
}

/* The charge of a page goes with it: none is left at the old place, one is at the new. */
static void test_charges_move(void **state)
{
	struct rig *r = rig_open(256, 4, 0);
	uint32_t group = r->a->memcg_create(r->h, SF_NONE, UINT64_MAX), left = 0;

	(void)state;
	r->a->memcg_set(r->h, group);
	while (movable(r, SF_GFP_MEMALLOC | SF_GFP_ACCOUNT, 0))
		;
	r->a->memcg_set(r->h, SF_NONE);
	for (uint32_t i = 0; i < r->nr; i += 2)
		give(r, i);
	r->a->drain(r->h);
	r->a->compact(r->h);
	assert_true(r->moved > 50);
	for (uint32_t i = 0; i < r->nr; i++)
		if (r->addr[i]) {
			assert_true(memcg_below(r->h, memcg_of(r->h, r->addr[i]), group));
			left++;
		}
	assert_int_equal(r->h->nr_charged, left);
	assert_int_equal(r->seen[SF_EV_CHARGE], 256 + (256 - left));
	for (uint32_t i = 0; i < r->nr; i++)
		if (r->addr[i])
			give(r, i);
	assert_int_equal(r->h->nr_charged, 0);
	rig_close(r);
}

/* A free page must be left for whoever may not wait: MIN and what is moved at once. */
static void test_obeys_the_mark(void **state)
{
	struct rig *r = rig_open(256, 4, 1);

	(void)state;
	assert_int_equal(r->h->zone.wmark[0], 32);
	while (movable(r, SF_GFP_MEMALLOC, 0))
		;
	for (uint32_t i = 0; i < 32; i++)
		give(r, i * 8);
	r->a->drain(r->h);
	r->a->compact(r->h);
	assert_int_equal(r->moved, 0);
	assert_int_equal(r->last.failed, 1);
	give(r, 1);
	give(r, 3);
	r->a->drain(r->h);
	assert_int_equal(r->h->zone.nr_free_pages, 34);
	r->a->compact(r->h);
	assert_true(r->moved > 0);
	rig_close(r);
}

/* --- for a request --- */

static void test_makes_a_block(void **state)
{
	static const struct {
		uint32_t gfp;
		unsigned int order;
		bool runs, helps;
	} rows[] = {
		{ SF_GFP_HIGHUSER_MOVABLE, 1, true, true },
		{ SF_GFP_HIGHUSER_MOVABLE, 3, true, true },
		{ SF_GFP_HIGHUSER_MOVABLE, 4, true, true },
		{ SF_GFP_HIGHUSER_MOVABLE | SF_GFP_NORETRY, 2, true, true },
		{ SF_GFP_KERNEL, 2, true, true },
		{ SF_GFP_KERNEL | SF_GFP_RECLAIMABLE, 3, true, true },
		/* its one run is a light one, which keeps to page blocks of its type */
		{ SF_GFP_KERNEL | SF_GFP_NORETRY, 2, true, false },
		{ SF_GFP_NOWAIT, 2, false, false },
		{ SF_GFP_ATOMIC, 2, false, false },
		{ SF_GFP_NOIO, 2, false, false }, /* gfp_compaction_allowed() */
		{ SF_GFP_HIGHUSER_MOVABLE, 8, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig *r = holes(256, 2);
		uint64_t addr = take(r, rows[i].gfp, rows[i].order);

		assert_int_equal(addr != 0, rows[i].helps);
		check_contents(r);
		assert_int_equal(r->runs > 0, rows[i].runs);
		if (rows[i].helps) {
			assert_true(r->last.success && r->last.order == (int)rows[i].order);
			assert_true(r->moved > 0);
			/* No more than needed: a page block or two. */
			assert_true(rows[i].order == 4 || r->moved <= 2 * BLOCK);
			assert_true(r->h->vm.compact_stall >= 1);
			assert_int_equal(r->h->vm.compact_success, 1);
			assert_int_equal(r->seen[SF_EV_OOM], 0);
		}
		rig_close(r);
	}
}

/* With nothing that may move all is as if there was no compaction. */
static void test_nothing_may_move(void **state)
{
	struct rig *r = holes(256, 2);

	(void)state;
	for (uint32_t i = 0; i < r->nr; i++)
		if (r->addr[i])
			r->a->pin(r->h, r->addr[i], true);
	assert_int_equal(take(r, SF_GFP_KERNEL, 2), 0);
	assert_int_equal(r->seen[SF_EV_OOM], 1);
	assert_int_equal(r->moved, 0);
	for (uint32_t i = 0; i < r->nr; i++)
		if (r->addr[i])
			r->a->pin(r->h, r->addr[i], false);
	assert_int_not_equal(take(r, SF_GFP_KERNEL, 2), 0);
	rig_close(r);

	/* Nothing tracked: nothing is looked at. */
	r = rig_open(256, 4, 0);
	for (unsigned int i = 0; i < 256; i++)
		r->addr[i] = take(r, SF_GFP_HIGHUSER_MOVABLE, 0);
	for (unsigned int i = 0; i < 256; i += 2)
		r->a->pages_free(r->h, r->addr[i], 0);
	assert_int_equal(take(r, SF_GFP_KERNEL, 2), 0);
	assert_int_equal(r->runs, 0);
	assert_int_equal(r->h->vm.compact_stall, 0);
	rig_close(r);
}

/*
 * A zone too small to group by mobility: no page tells what it was asked for as, and no page block
 * is MOVABLE any more: only the hardest run finds somewhere to go.
 */
static void test_one_type(void **state)
{
	struct rig *r = rig_open(48, 4, 0);

	(void)state;
	assert_true(r->h->zone.one_type);
	while (movable(r, SF_GFP_MEMALLOC, 0))
		;
	for (uint32_t i = 0; i < r->nr; i += 2)
		give(r, i);
	r->a->drain(r->h);
	assert_int_equal(compact_order(r->h, SF_GFP_KERNEL, 1, SF_MIGRATE_UNMOVABLE, 0,
				       SF_COMPACT_ASYNC),
			 COMPACT_COMPLETE);
	assert_int_equal(compact_order(r->h, SF_GFP_KERNEL, 1, SF_MIGRATE_UNMOVABLE, 0,
				       SF_COMPACT_SYNC_LIGHT),
			 COMPACT_COMPLETE);
	assert_int_equal(r->moved, 0);
	assert_int_equal(compact_order(r->h, SF_GFP_KERNEL, 1, SF_MIGRATE_UNMOVABLE, 0,
				       SF_COMPACT_SYNC_FULL),
			 COMPACT_SUCCESS);
	assert_true(r->moved > 0);
	check_contents(r);
	assert_int_equal(compact_order(r->h, SF_GFP_KERNEL, 1, SF_MIGRATE_UNMOVABLE, 0,
				       SF_COMPACT_ASYNC),
			 COMPACT_SUCCESS); /* there is a block */
	assert_int_equal(compact_order(r->h, SF_GFP_KERNEL, 5, SF_MIGRATE_UNMOVABLE, 0,
				       SF_COMPACT_SYNC_FULL),
			 COMPACT_SKIPPED);
	rig_close(r);
}

/* --- what it is worth --- */

static void test_suitable(void **state)
{
	struct zone z = { .managed = 4096, .pageblock_order = 9, .wmark = { 100, 125, 150 } };

	(void)state;
	/* Twice the order above the mark, 32 pages at most; above order 3 LOW - MIN as well. */
	static const struct {
		unsigned int order;
		uint64_t enough;
	} rows[] = { { 1, 105 }, { 2, 109 }, { 3, 117 }, { 4, 158 }, { 5, 158 }, { 9, 158 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		z.nr_free_pages = rows[i].enough;
		z.nr_free[0] = rows[i].enough;
		assert_true(compaction_has_pages(&z, rows[i].order, 100));
		assert_true(compaction_suitable(&z, rows[i].order, 100));
		z.nr_free_pages--;
		assert_false(compaction_has_pages(&z, rows[i].order, 100));
		assert_false(compaction_suitable(&z, rows[i].order, 100));
	}
	/* 1000 - (1000 + 1024 * 1000 / 512) / 2 = -500: would not be for lack of anything. */
	memset(z.nr_free, 0, sizeof(z.nr_free));
	z.nr_free_pages = 512;
	z.nr_free[8] = 2; /* index 0: 1000 - (1000 + 1000) / 2 */
	assert_false(compaction_suitable(&z, 9, 100));
	z.nr_free[8] = 1;
	z.nr_free[4] = 16; /* 1000 - 2000 / 17 = 883 */
	assert_true(compaction_suitable(&z, 9, 100));
	z.nr_free[4] = 0;
	z.nr_free[9] = 1; /* there is a block: no matter */
	assert_true(compaction_suitable(&z, 9, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone),
		cmocka_unit_test(test_pinned_stay),
		cmocka_unit_test(test_others_stay),
		cmocka_unit_test(test_larger_blocks),
		cmocka_unit_test(test_charges_move),
		cmocka_unit_test(test_obeys_the_mark),
		cmocka_unit_test(test_makes_a_block),
		cmocka_unit_test(test_nothing_may_move),
		cmocka_unit_test(test_one_type),
		cmocka_unit_test(test_suitable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
