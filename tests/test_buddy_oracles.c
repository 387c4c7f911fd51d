// SPDX-License-Identifier: MIT
/*
 * test_buddy_oracles.c - BUD-1 to BUD-11, BUD-14 and BUD-15 on events made by hand: each title of
 * theirs has a stream that earns it. Streams that are clean for them all are in test_oracles.c,
 * BUD-12 is in test_accounting.c. Relies on tiny_heap.h.
 */
#include "tiny_heap.h"

static void bud_1_align(struct fixture *f)
{
	EMIT(f, BLOCK_ADD, block, .pfn = 6, .order = 2);
}

static void bud_1_zone(struct fixture *f)
{
	EMIT(f, BLOCK_ADD, block, .pfn = PAGES, .order = 0);
}

static void bud_1_order(struct fixture *f)
{
	EMIT(f, BLOCK_ADD, block, .pfn = 0, .order = 11);
}

static void bud_1_allocated(struct fixture *f)
{
	EMIT(f, PAGE_ALLOC, page, .pfn = 1, .order = 1);
}

static void bud_2_free(struct fixture *f)
{
	EMIT(f, BLOCK_ADD, block, .pfn = 8, .order = 3, .migratetype = SF_MIGRATE_MOVABLE);
}

static void bud_2_used(struct fixture *f)
{
	uint64_t pfn = take(f, 0, SF_MIGRATE_UNMOVABLE);

	EMIT(f, BLOCK_ADD, block, .pfn = pfn, .order = 0);
}

static void bud_2_again(struct fixture *f)
{
	uint64_t pfn = take(f, 0, SF_MIGRATE_UNMOVABLE);

	EMIT(f, PAGE_ALLOC, page, .pfn = pfn, .order = 0, .pcp = true);
}

static void bud_2_idle(struct fixture *f)
{
	uint64_t pfn = take(f, 0, SF_MIGRATE_UNMOVABLE);

	give(f, pfn, 0, SF_MIGRATE_UNMOVABLE);
	EMIT(f, PAGE_FREE, page, .pfn = pfn, .order = 0);
}

static void bud_2_pcp(struct fixture *f)
{
	EMIT(f, PCP_DRAIN, page, .pfn = 3, .order = 0, .pcp = true);
}

static void bud_2_parked(struct fixture *f)
{
	EMIT(f, BLOCK_ADD, block, .pfn = parked_page(f));
}

static void bud_2_not_listed(struct fixture *f)
{
	EMIT(f, BLOCK_DEL, block, .pfn = 5);
}

static void bud_2_listed(struct fixture *f)
{
	EMIT(f, PAGE_ALLOC, page, .pfn = 0, .order = 10);
}

static void bud_2_not_parked(struct fixture *f)
{
	block_del(f, 0);
	EMIT(f, PAGE_ALLOC, page, .pfn = 0, .pcp = true);
}

static void bud_2_still_parked(struct fixture *f)
{
	EMIT(f, PAGE_ALLOC, page, .pfn = parked_page(f));
}

static void bud_3(struct fixture *f)
{
	uint64_t pfn = take(f, 3, SF_MIGRATE_UNMOVABLE);

	EMIT(f, PAGE_FREE, page, .pfn = pfn, .order = 3);
	EMIT(f, BLOCK_ADD, block, .pfn = pfn, .order = 3);
}

/* A free block of order 10 that the snapshot finds in two halves. */
static void look_halved(struct fixture *f)
{
	look(f, four_objects(f));
	f->block[f->nr_blocks - 1].order = 9;
	f->block[f->nr_blocks] = f->block[f->nr_blocks - 1];
	f->block[f->nr_blocks++].pfn += 512;
	f->counters.nr_free[10]--;
	f->counters.nr_free[9] += 2;
}

static void halves_walked(struct fixture *f)
{
	look_halved(f);
	snap(f);
}

static void bud_4_list(struct fixture *f)
{
	look(f, four_objects(f));
	f->block[0].pageblock = SF_MIGRATE_RECLAIMABLE;
	snap(f);
}

static void bud_4_nr_free(struct fixture *f)
{
	look(f, four_objects(f));
	f->counters.nr_free[4]++;
	snap(f);
}

static void bud_4_pages(struct fixture *f)
{
	look(f, four_objects(f));
	f->counters.nr_free_pages--;
	snap(f);
}

static void bud_4_lost(struct fixture *f)
{
	look(f, four_objects(f));
	f->nr_blocks--;
	f->counters.nr_free[10]--;
	f->counters.nr_free_pages -= 1024;
	snap(f);
}

static void bud_4_retyped(struct fixture *f)
{
	look(f, four_objects(f));
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_PAGEBLOCK, snappb, .pfn = PAGES - 512, .migratetype = SF_MIGRATE_RECLAIMABLE);
	snap_zone(f);
	EMIT(f, SNAP_END, snap, .managed = PAGES);
}

static void bud_5_high(struct fixture *f)
{
	block_del(f, 0);
	EMIT(f, RMQUEUE, rmqueue, .pfn = 512, .order = 9, .migratetype = SF_MIGRATE_MOVABLE,
	     .from_order = 10, .from_type = SF_MIGRATE_MOVABLE);
}

static void bud_5_type(struct fixture *f)
{
	block_del(f, 0);
	EMIT(f, RMQUEUE, rmqueue, .pfn = 0, .order = 9, .migratetype = SF_MIGRATE_MOVABLE,
	     .from_order = 10, .from_type = SF_MIGRATE_MOVABLE);
	block_add(f, 512, 9, SF_MIGRATE_UNMOVABLE);
}

static void bud_5_lost(struct fixture *f)
{
	block_del(f, 0);
	EMIT(f, RMQUEUE, rmqueue, .pfn = 0, .order = 8, .migratetype = SF_MIGRATE_MOVABLE,
	     .from_order = 10, .from_type = SF_MIGRATE_MOVABLE);
	block_add(f, 512, 9, SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_ALLOC, page, .pfn = 0, .order = 8, .free_before = PAGES, .mark = MIN_MARK);
}

static void bud_5_lower_half(struct fixture *f)
{
	block_del(f, 0);
	EMIT(f, RMQUEUE, rmqueue, .pfn = 0, .order = 9, .migratetype = SF_MIGRATE_MOVABLE,
	     .from_order = 10, .from_type = SF_MIGRATE_MOVABLE);
	block_add(f, 0, 9, SF_MIGRATE_MOVABLE);
}

static void bud_5_not_taken(struct fixture *f)
{
	EMIT(f, RMQUEUE, rmqueue, .pfn = 0, .order = 9, .migratetype = SF_MIGRATE_MOVABLE,
	     .from_order = 10, .from_type = SF_MIGRATE_MOVABLE);
}

static void bud_5_small(struct fixture *f)
{
	take(f, 9, SF_MIGRATE_MOVABLE);
	block_del(f, 512);
	EMIT(f, RMQUEUE, rmqueue, .pfn = 512, .order = 10, .migratetype = SF_MIGRATE_MOVABLE,
	     .from_order = 9, .from_type = SF_MIGRATE_MOVABLE);
}

static void claim(struct fixture *f, uint64_t pfn, uint8_t order, uint8_t from, uint8_t to)
{
	EMIT(f, CLAIM, claim, .pfn = pfn, .order = order, .from = from, .to = to,
	     .whole = order >= 9, .start = pfn & ~511ull, .nr_pages = order == 10 ? 1024 : 512);
}

static void bud_6_need(struct fixture *f)
{
	take(f, 0, SF_MIGRATE_UNMOVABLE);
	claim(f, 1024, 10, SF_MIGRATE_MOVABLE, SF_MIGRATE_UNMOVABLE);
}

static void bud_6_table(struct fixture *f)
{
	uint64_t pfn = take(f, 10, SF_MIGRATE_RECLAIMABLE);

	give(f, pfn, 10, SF_MIGRATE_RECLAIMABLE);
	claim(f, 1024, 10, SF_MIGRATE_MOVABLE, SF_MIGRATE_UNMOVABLE);
}

static void bud_6_down(struct fixture *f)
{
	take(f, 9, SF_MIGRATE_MOVABLE);
	claim(f, 512, 9, SF_MIGRATE_MOVABLE, SF_MIGRATE_UNMOVABLE);
}

/* All but 128 pages, the last, are in use; their page block is claimed, with what is counted. */
static void claim_last(struct fixture *f, uint16_t free, uint16_t alike)
{
	while (f->free_pages > 128)
		take(f, 7, SF_MIGRATE_MOVABLE);
	EMIT(f, CLAIM, claim, .pfn = PAGES - 128, .order = 7, .from = SF_MIGRATE_MOVABLE,
	     .to = SF_MIGRATE_UNMOVABLE, .start = PAGES - 512, .nr_pages = 512, .free = free,
	     .alike = alike);
}

static void bud_6_threshold(struct fixture *f)
{
	claim_last(f, 128, 127);
}

static void bud_6_free(struct fixture *f)
{
	claim_last(f, 127, 256);
}

static void bud_6_alike(struct fixture *f)
{
	claim_last(f, 128, 385);
}

static void bud_6_not_whole(struct fixture *f)
{
	EMIT(f, CLAIM, claim, .order = 10, .from = SF_MIGRATE_MOVABLE, .to = SF_MIGRATE_UNMOVABLE,
	     .nr_pages = 1024);
}

static void bud_6_own_type(struct fixture *f)
{
	claim(f, 0, 10, SF_MIGRATE_MOVABLE, SF_MIGRATE_MOVABLE);
}

static void bud_6_smaller(struct fixture *f)
{
	EMIT(f, CLAIM, claim, .order = 9, .from = SF_MIGRATE_MOVABLE, .to = SF_MIGRATE_UNMOVABLE,
	     .whole = true, .nr_pages = 512, .want = 10);
}

static void bud_6_not_listed(struct fixture *f)
{
	claim(f, 512, 9, SF_MIGRATE_MOVABLE, SF_MIGRATE_UNMOVABLE);
}

static void bud_6_movable(struct fixture *f)
{
	take(f, 0, SF_MIGRATE_UNMOVABLE);
	while (find(f, 10, SF_MIGRATE_MOVABLE) != SF_NO_PFN)
		take(f, 10, SF_MIGRATE_MOVABLE);
	claim(f, 1, 0, SF_MIGRATE_UNMOVABLE, SF_MIGRATE_MOVABLE);
}

static void bud_6_split(struct fixture *f)
{
	uint64_t pfn = take(f, 3, SF_MIGRATE_MOVABLE);

	(void)pfn;
	block_del(f, 1024);
	EMIT(f, RMQUEUE, rmqueue, .pfn = 1024, .order = 3, .migratetype = SF_MIGRATE_MOVABLE,
	     .from_order = 10, .from_type = SF_MIGRATE_MOVABLE);
}

/* The block at pfn, of `from` pages by order and of a type, is taken for a request. */
static void rmqueue(struct fixture *f, uint64_t pfn, uint8_t from, uint8_t order, uint8_t mt,
		    uint8_t from_type, uint8_t mode)
{
	block_del(f, pfn);
	EMIT(f, RMQUEUE, rmqueue, .pfn = pfn, .order = order, .migratetype = mt,
	     .from_order = from, .from_type = from_type, .mode = mode);
}

/* ... for an unmovable one of a page, from movable memory. */
static void steal(struct fixture *f, uint64_t pfn, uint8_t from)
{
	rmqueue(f, pfn, from, 0, SF_MIGRATE_UNMOVABLE, SF_MIGRATE_MOVABLE, SF_RMQUEUE_STEAL);
}

static void bud_6_steal(struct fixture *f)
{
	steal(f, 0, 10);
}

static void bud_6_nofragment(struct fixture *f)
{
	block_del(f, 0);
	EMIT(f, RMQUEUE, rmqueue, .pfn = 0, .order = 0, .migratetype = SF_MIGRATE_UNMOVABLE,
	     .from_order = 10, .from_type = SF_MIGRATE_MOVABLE, .mode = SF_RMQUEUE_STEAL,
	     .nofragment = true);
}

static void bud_6_steal_need(struct fixture *f)
{
	take(f, 0, SF_MIGRATE_UNMOVABLE);
	steal(f, 1024, 10);
}

static void bud_6_steal_own(struct fixture *f)
{
	rmqueue(f, 0, 10, 0, SF_MIGRATE_UNMOVABLE, SF_MIGRATE_UNMOVABLE, SF_RMQUEUE_STEAL);
}

static void bud_6_steal_table(struct fixture *f)
{
	give(f, take(f, 10, SF_MIGRATE_RECLAIMABLE), 10, SF_MIGRATE_RECLAIMABLE);
	rmqueue(f, 1024, 10, 10, SF_MIGRATE_UNMOVABLE, SF_MIGRATE_MOVABLE, SF_RMQUEUE_STEAL);
}

static void bud_6_steal_up(struct fixture *f)
{
	take(f, 9, SF_MIGRATE_MOVABLE);
	steal(f, 1024, 10);
}

static void bud_6_steal_other(struct fixture *f)
{
	take(f, 3, SF_MIGRATE_MOVABLE);
	steal(f, 8, 3);
}

static void bud_6_no_fallback(struct fixture *f)
{
	rmqueue(f, 0, 10, 0, SF_MIGRATE_UNMOVABLE, SF_MIGRATE_MOVABLE, SF_RMQUEUE_OWN);
}

static void bud_6_no_claim(struct fixture *f)
{
	rmqueue(f, 0, 10, 0, SF_MIGRATE_UNMOVABLE, SF_MIGRATE_MOVABLE, SF_RMQUEUE_CLAIM);
}

static void bud_6_other_block(struct fixture *f)
{
	take(f, 9, SF_MIGRATE_MOVABLE);
	claim(f, 1024, 10, SF_MIGRATE_MOVABLE, SF_MIGRATE_UNMOVABLE);
	rmqueue(f, 512, 9, 0, SF_MIGRATE_UNMOVABLE, SF_MIGRATE_MOVABLE, SF_RMQUEUE_CLAIM);
}

static void bud_7(struct fixture *f)
{
	take(f, 9, SF_MIGRATE_MOVABLE);
	while (find(f, 10, SF_MIGRATE_MOVABLE) != SF_NO_PFN)
		take(f, 10, SF_MIGRATE_MOVABLE);
	block_del(f, 512);
	block_add(f, 512, 8, SF_MIGRATE_MOVABLE);
	take(f, 7, SF_MIGRATE_MOVABLE);
	claim(f, 640, 7, SF_MIGRATE_MOVABLE, SF_MIGRATE_UNMOVABLE);
	EMIT(f, RMQUEUE, rmqueue, .pfn = 640, .order = 7, .migratetype = SF_MIGRATE_UNMOVABLE,
	     .from_order = 7, .from_type = SF_MIGRATE_UNMOVABLE, .mode = SF_RMQUEUE_CLAIM);
}

static void bud_8(struct fixture *f)
{
	while (f->free_pages > MIN_MARK + 32)
		take(f, 5, SF_MIGRATE_MOVABLE);
	take(f, 5, SF_MIGRATE_MOVABLE);
}

static void bud_8_before(struct fixture *f)
{
	block_del(f, 0);
	EMIT(f, RMQUEUE, rmqueue, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE,
	     .from_order = 10, .from_type = SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_ALLOC, page, .pfn = 0, .order = 10, .gfp = SF_GFP_KERNEL,
	     .free_before = PAGES - 1, .mark = MIN_MARK);
}

/* 32 pages are left, for a caller who may go to a quarter of the mark. */
static void bud_8_reserve(struct fixture *f)
{
	for (uint64_t p = 0; p < PAGES; p += 1024)
		block_del(f, p);
	EMIT(f, PAGE_ALLOC, page, .pfn = 0, .order = 5, .gfp = SF_GFP_ATOMIC, .free_before = 32,
	     .attempt = SF_ATTEMPT_SLOW, .mark = MIN_MARK);
}

static void snap_pcp(struct fixture *f, uint64_t pfn, uint8_t list, uint8_t order, uint32_t count)
{
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_PCP, snappcp, .list = list, .order = order, .nr = 1, .pfns = &pfn,
	     .count = count, .high = PCP_HIGH, .batch = 1);
	EMIT(f, SNAP_END, snap, .managed = PAGES);
}

static void bud_9_high(struct fixture *f)
{
	uint64_t pfn = parked_page(f);

	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_PCP, snappcp, .nr = 1, .pfns = &pfn, .count = 1, .high = PCP_HIGH - 1,
	     .batch = 1);
	EMIT(f, SNAP_END, snap, .managed = PAGES);
}

static void bud_9_batch(struct fixture *f)
{
	uint64_t pfn = parked_page(f);

	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_PCP, snappcp, .nr = 1, .pfns = &pfn, .count = 1, .high = PCP_HIGH,
	     .batch = 3);
	EMIT(f, SNAP_END, snap, .managed = PAGES);
}

/* Two more than the high mark may have come at once; this is one more than that. */
static void bud_9_bound(struct fixture *f)
{
	uint64_t pfn[PCP_HIGH + 3];

	for (unsigned int i = 0; i < PCP_HIGH + 3; i++)
		pfn[i] = parked_page(f);
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_PCP, snappcp, .nr = PCP_HIGH + 3, .pfns = pfn, .count = PCP_HIGH + 3,
	     .high = PCP_HIGH, .batch = 1);
	EMIT(f, SNAP_END, snap, .managed = PAGES);
}

static void bud_9_count(struct fixture *f)
{
	snap_pcp(f, parked_page(f), 0, 0, 2);
}

static void bud_9_order(struct fixture *f)
{
	snap_pcp(f, parked_page(f), 3, 0, 1);
}

static void bud_9_type(struct fixture *f)
{
	snap_pcp(f, parked_page(f), 1, 0, 1);
}

static void bud_9_no_block(struct fixture *f)
{
	snap_pcp(f, PAGES, 0, 0, 1);
}

static void bud_9_not_parked(struct fixture *f)
{
	snap_pcp(f, 5, 0, 0, 1);
}

static void bud_10_kept(struct fixture *f)
{
	alloc(f, exact(0, take(f, 2, SF_MIGRATE_UNMOVABLE), 3 * 4096));
}

static void bud_10_back(struct fixture *f)
{
	alloc(f, exact(0, take(f, 0, SF_MIGRATE_UNMOVABLE), 2 * 4096));
}

static void bud_10_freed(struct fixture *f)
{
	alloc(f, exact(0, take(f, 0, SF_MIGRATE_UNMOVABLE), 4096));
	EMIT(f, FREE, free, .id = 0, .api = SF_API_EXACT, .cache = SF_NONE, .addr = at(0),
	     .bad = SF_GOOD, .known = true);
}

static void bud_11(struct fixture *f)
{
	slab_of(f, C_RCL_64, 0, SF_MIGRATE_UNMOVABLE, 64);
}

static void bud_11_effort(struct fixture *f)
{
	uint64_t pfn = take(f, 0, SF_MIGRATE_UNMOVABLE);

	EMIT(f, SLAB_NEW, slab, .cache = C_64, .objects = 64, .pfn = pfn,
	     .gfp = SF_GFP_KERNEL | SF_GFP_HIGH);
}

static void bud_11_block(struct fixture *f)
{
	uint64_t pfn = take(f, 0, SF_MIGRATE_MOVABLE);

	EMIT(f, PAGE_FREE, page, .pfn = pfn, .order = 0, .list = 1, .pcp = true);
	EMIT(f, PAGE_ALLOC, page, .pfn = pfn, .order = 0, .list = 0, .pcp = true);
	EMIT(f, SLAB_NEW, slab, .cache = C_64, .objects = 64, .pfn = pfn);
}

/* Page 0 is free; with its buddy it would merge with pages 2 and 3. */
static void bud_14_front(struct fixture *f)
{
	take(f, 0, SF_MIGRATE_UNMOVABLE);
	take(f, 0, SF_MIGRATE_UNMOVABLE);
	EMIT(f, PAGE_FREE, page, .pfn = 0, .order = 0, .list = 0xff);
	block_add(f, 0, 0, SF_MIGRATE_UNMOVABLE);
}

/* Of what boot left the lowest comes first. */
static void bud_14_boot(struct fixture *f)
{
	take(f, 10, SF_MIGRATE_MOVABLE);
	assert_no_title(f);
	block_del(f, 2048);
	EMIT(f, RMQUEUE, rmqueue, .pfn = 2048, .order = 10, .migratetype = SF_MIGRATE_MOVABLE,
	     .from_order = 10, .from_type = SF_MIGRATE_MOVABLE);
}

static void bud_14_end(struct fixture *f)
{
	take(f, 4, SF_MIGRATE_UNMOVABLE);
	take(f, 4, SF_MIGRATE_UNMOVABLE);
	take(f, 5, SF_MIGRATE_UNMOVABLE);
	EMIT(f, PAGE_FREE, page, .pfn = 0, .order = 4, .list = 0xff);
	block_put(f, 0, 4, SF_MIGRATE_UNMOVABLE, true);
}

static void bud_14_split(struct fixture *f)
{
	rmqueue(f, 0, 10, 9, SF_MIGRATE_MOVABLE, SF_MIGRATE_MOVABLE, SF_RMQUEUE_OWN);
	block_put(f, 512, 9, SF_MIGRATE_MOVABLE, true);
}

static void bud_14_moved(struct fixture *f)
{
	claim_last(f, 128, 128);
	block_del(f, PAGES - 128);
	block_add(f, PAGES - 128, 7, SF_MIGRATE_UNMOVABLE);
}

/* Two blocks of order 9 are free, that at 1536 before that at 512. */
static void two_halves(struct fixture *f)
{
	take(f, 9, SF_MIGRATE_MOVABLE);
	rmqueue(f, 1024, 10, 9, SF_MIGRATE_MOVABLE, SF_MIGRATE_MOVABLE, SF_RMQUEUE_OWN);
	block_add(f, 1536, 9, SF_MIGRATE_MOVABLE);
}

static void bud_14_second(struct fixture *f)
{
	two_halves(f);
	rmqueue(f, 512, 9, 9, SF_MIGRATE_MOVABLE, SF_MIGRATE_MOVABLE, SF_RMQUEUE_OWN);
}

static void bud_14_claim(struct fixture *f)
{
	two_halves(f);
	claim(f, 512, 9, SF_MIGRATE_MOVABLE, SF_MIGRATE_UNMOVABLE);
}

static void bud_15_alloc(struct fixture *f)
{
	uint64_t pfn = parked_page(f);

	parked_page(f);
	EMIT(f, PAGE_ALLOC, page, .pfn = pfn, .order = 0, .list = 0, .pcp = true);
}

/* One that a CPU has, and the reserve is not this CPU's list. */
static void bud_15_past(struct fixture *f)
{
	uint64_t before;

	parked_page(f);
	before = f->free_pages;
	rmqueue(f, 1024, 10, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_MOVABLE, SF_RMQUEUE_OWN);
	expand(f, 1024, 10, 0, SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_ALLOC, page, .pfn = 1024, .migratetype = SF_MIGRATE_UNMOVABLE, .list = 0xff,
	     .gfp = SF_GFP_NOWAIT, .attempt = SF_ATTEMPT_SLOW, .free_before = before,
	     .mark = MIN_MARK);
}

static void past_empty_list(struct fixture *f, uint32_t gfp)
{
	uint64_t before = f->free_pages;

	rmqueue(f, 0, 10, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_MOVABLE, SF_RMQUEUE_OWN);
	expand(f, 0, 10, 0, SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_ALLOC, page, .pfn = 0, .migratetype = SF_MIGRATE_MOVABLE, .list = 0xff,
	     .gfp = gfp, .attempt = SF_ATTEMPT_SLOW, .free_before = before, .mark = MIN_MARK);
}

static void bud_15_not_refilled(struct fixture *f)
{
	past_empty_list(f, SF_GFP_KERNEL);
}

static void bud_15_atomic(struct fixture *f)
{
	past_empty_list(f, SF_GFP_NOWAIT);
}

static void bud_15_drain(struct fixture *f)
{
	uint64_t first = take(f, 0, SF_MIGRATE_UNMOVABLE), pfn = take(f, 0, SF_MIGRATE_UNMOVABLE);

	EMIT(f, PAGE_FREE, page, .pfn = first, .order = 0, .list = 0, .pcp = true);
	EMIT(f, PAGE_FREE, page, .pfn = pfn, .order = 0, .list = 0, .pcp = true);
	EMIT(f, PCP_DRAIN, page, .pfn = pfn, .order = 0, .list = 0, .pcp = true);
}

static void bud_15_turn(struct fixture *f)
{
	uint64_t pfn = take(f, 0, SF_MIGRATE_MOVABLE);

	EMIT(f, PAGE_FREE, page, .pfn = pfn, .order = 0, .list = 1, .pcp = true);
	parked_page(f);
	EMIT(f, PCP_DRAIN, page, .pfn = pfn, .order = 0, .list = 1, .pcp = true);
}

/* From list 1 it goes on to list 2, and comes to list 0 last. */
static void bud_15_clean(struct fixture *f)
{
	uint64_t pfn[3] = { take(f, 0, SF_MIGRATE_RECLAIMABLE), parked_page(f),
			    take(f, 0, SF_MIGRATE_MOVABLE) };

	EMIT(f, PAGE_FREE, page, .pfn = pfn[0], .order = 0, .list = 2, .pcp = true);
	EMIT(f, PAGE_FREE, page, .pfn = pfn[2], .order = 0, .list = 1, .pcp = true);
	EMIT(f, PCP_DRAIN, page, .pfn = pfn[2], .order = 0, .list = 1, .pcp = true);
	EMIT(f, PCP_DRAIN, page, .pfn = pfn[0], .order = 0, .list = 2, .pcp = true);
	EMIT(f, PCP_DRAIN, page, .pfn = pfn[1], .order = 0, .list = 0, .pcp = true);
}

static const struct stream broken[] = {
	STREAM(BUD, 14, bud_14_front,
	       "a freed block is to be used before its next higher buddy can merge"),
	STREAM(BUD, 14, bud_14_end,
	       "a freed block was put at the end of its list for no merge"),
	STREAM(BUD, 14, bud_14_split, "the rest of a split was put at the end of its list"),
	STREAM(BUD, 14, bud_14_moved,
	       "a free block changed its type and is first on its list"),
	STREAM(BUD, 14, bud_14_boot, "a block was taken that is not the first of its list"),
	STREAM(BUD, 14, bud_14_second, "a block was taken that is not the first of its list"),
	STREAM(BUD, 14, bud_14_claim,
	       "a page block was chosen by what is not the first of its list"),
	STREAM(BUD, 15, bud_15_alloc, "a per-CPU list gave what is not its first"),
	STREAM(BUD, 15, bud_15_drain, "a per-CPU list was drained of what is not its last"),
	STREAM(BUD, 15, bud_15_turn, "a per-CPU list was drained before its turn"),
	{ SF_INV_BUD_15, bud_15_clean, NULL, NULL },
	{ SF_INV_BUD_15, bud_15_atomic, NULL, NULL },
	STREAM(BUD, 15, bud_15_past, "a block was taken past this CPU's list, which had one"),
	STREAM(BUD, 15, bud_15_not_refilled,
	       "a block was taken past this CPU's list, which was not refilled"),
	STREAM(BUD, 1, bud_1_align, "a block is not naturally aligned"),
	STREAM(BUD, 1, bud_1_zone, "a block leaves the zone"),
	STREAM(BUD, 1, bud_1_order, "a block has an order above 10"),
	STREAM(BUD, 1, bud_1_allocated, "a block is not naturally aligned"),
	STREAM(BUD, 2, bud_2_free, "a free block overlaps a free block"),
	STREAM(BUD, 2, bud_2_used, "a free block overlaps pages in use"),
	STREAM(BUD, 2, bud_2_again, "pages in use were allocated again"),
	STREAM(BUD, 2, bud_2_idle, "pages were freed that were not in use"),
	STREAM(BUD, 2, bud_2_pcp, "a per-CPU list was drained of pages that it did not have"),
	STREAM(BUD, 2, bud_2_parked, "a free block overlaps a per-CPU list"),
	STREAM(BUD, 2, bud_2_not_listed, "a block was taken off a free list that it was not on"),
	STREAM(BUD, 2, bud_2_listed, "allocated pages are still on a free list"),
	STREAM(BUD, 2, bud_2_not_parked, "a per-CPU list gave pages that it did not have"),
	STREAM(BUD, 2, bud_2_still_parked, "allocated pages are still on a per-CPU list"),
	STREAM(BUD, 3, bud_3, "free buddies were not merged"),
	STREAM(BUD, 3, halves_walked, "free buddies were not merged"),
	STREAM(BUD, 4, bud_4_list, "a free block is on the list of another type"),
	STREAM(BUD, 4, bud_4_nr_free, "nr_free is not the length of the lists"),
	STREAM(BUD, 4, bud_4_pages, "NR_FREE_PAGES is not the pages on the lists"),
	STREAM(BUD, 4, halves_walked, "a free list holds a block that no event put there"),
	STREAM(BUD, 4, bud_4_lost, "the free lists lost or gained pages"),
	STREAM(BUD, 4, bud_4_retyped, "a page block changed its type without a claim"),
	STREAM(BUD, 5, bud_5_high, "a split did not keep the low part"),
	STREAM(BUD, 5, bud_5_type, "a split put its rest on another type's list"),
	STREAM(BUD, 5, bud_5_lost, "a split lost a part"),
	STREAM(BUD, 5, bud_5_lower_half, "a split put back a part that is not its upper half"),
	STREAM(BUD, 5, bud_5_not_taken, "a block was chosen that was not taken off its list"),
	STREAM(BUD, 5, bud_5_small, "a block was chosen that is smaller than the request"),
	STREAM(BUD, 6, bud_6_need, "a page block was claimed though the own lists had a block"),
	STREAM(BUD, 6, bud_6_table, "a claim did not follow the fallback table"),
	STREAM(BUD, 6, bud_6_down, "a claim did not scan from the largest block down"),
	STREAM(BUD, 6, bud_6_threshold,
	       "a page block was claimed that is less than half free or alike"),
	STREAM(BUD, 6, bud_6_split, "a larger block was split than need be"),
	STREAM(BUD, 6, bud_6_steal, "a block was stolen that could be claimed"),
	STREAM(BUD, 6, bud_6_free, "a claim counted free pages wrong"),
	STREAM(BUD, 6, bud_6_alike, "a claim counted pages of like mobility wrong"),
	STREAM(BUD, 6, bud_6_not_whole,
	       "a claim took page blocks whole that are not, or the reverse"),
	STREAM(BUD, 6, bud_6_own_type, "a page block was claimed from its own type"),
	STREAM(BUD, 6, bud_6_smaller, "a claim took a block smaller than the request"),
	STREAM(BUD, 6, bud_6_not_listed, "a claim found a block that is not on that list"),
	STREAM(BUD, 6, bud_6_movable, "a movable request claimed a small block"),
	STREAM(BUD, 6, bud_6_nofragment, "a block was stolen under NOFRAGMENT"),
	STREAM(BUD, 6, bud_6_steal_need, "a block was stolen though the own lists had one"),
	STREAM(BUD, 6, bud_6_steal_own, "a steal did not follow the fallback table"),
	STREAM(BUD, 6, bud_6_steal_table, "a steal did not follow the fallback table"),
	STREAM(BUD, 6, bud_6_steal_up, "a steal did not scan from the smallest block up"),
	STREAM(BUD, 6, bud_6_steal_other, "a block was stolen though another could be claimed"),
	STREAM(BUD, 6, bud_6_no_fallback, "another type's block was taken without a fallback"),
	STREAM(BUD, 6, bud_6_no_claim, "a claimed block was taken without a claim"),
	STREAM(BUD, 6, bud_6_other_block, "a claim used another block"),
	STREAM(BUD, 7, bud_7, "a claim left free pages on the old type's list"),
	STREAM(BUD, 8, bud_8, "an allocation without reserve rights broke the watermark"),
	STREAM(BUD, 8, bud_8_before,
	       "NR_FREE_PAGES before an allocation is not the pages on the lists"),
	STREAM(BUD, 8, bud_8_reserve,
	       "an allocation took more of the reserve than its flags allow"),
	STREAM(BUD, 9, bud_9_high, "a per-CPU high mark is out of its range"),
	STREAM(BUD, 9, bud_9_batch, "a per-CPU batch is not the zone's"),
	STREAM(BUD, 9, bud_9_bound, "per-CPU lists are above their bound"),
	STREAM(BUD, 9, bud_9_count, "a per-CPU count is not the pages on its lists"),
	STREAM(BUD, 9, bud_9_order, "pages are on a per-CPU list of another order"),
	STREAM(BUD, 9, bud_9_type, "pages are on a per-CPU list of another type"),
	STREAM(BUD, 9, bud_9_no_block, "a per-CPU list holds what is no block"),
	STREAM(BUD, 9, bud_9_not_parked, "a per-CPU list holds pages that no event put there"),
	STREAM(BUD, 10, bud_10_kept, "alloc_pages_exact kept pages beyond its size"),
	STREAM(BUD, 10, bud_10_back, "alloc_pages_exact gave back pages that it needs"),
	STREAM(BUD, 10, bud_10_freed, "free_pages_exact kept pages"),
	STREAM(BUD, 11, bud_11,
	       "pages for a slab of kmalloc-rcl-64 were asked with another mobility"),
	STREAM(BUD, 11, bud_11_effort,
	       "pages for a slab of kmalloc-64 were asked with more or less effort than is due"),
	STREAM(BUD, 11, bud_11_block,
	       "a slab of kmalloc-64 lies in a page block of another mobility"),
};

static void test_broken_streams_have_exact_titles(void **state)
{
	(void)state;
	check_streams(broken, sizeof(broken) / sizeof(broken[0]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_broken_streams_have_exact_titles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
