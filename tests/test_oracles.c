// SPDX-License-Identifier: MIT
/*
 * test_oracles.c - invariants on synthetic events: silent on a clean stream, and on a stream
 * that breaks it exactly one report with the exact title.
 *
 * The events come from a tiny heap, so that no allocator is needed to test the judge. Families that
 * need more have files of their own: test_buddy_oracles.c, test_accounting.c, test_hardening.c,
 * test_large_oracles.c, test_pool_oracles.c, test_boots.c. That each rule has a stream in one of
 * them is measured: `make mutants ORACLES=1`. Relies on tiny_heap.h.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tiny_heap.h"

/* Heaps of other kinds than the plain one. */
static void in_random(struct fixture *f)
{
	f->caps |= SF_CAP_RANDOM;
}

static void in_typed(struct fixture *f)
{
	f->caps |= SF_CAP_TYPED;
}

static void in_nokmem(struct fixture *f)
{
	f->caps |= SF_CAP_TYPED;
	f->set.nokmem = 1;
}

static void in_no_memcg(struct fixture *f)
{
	f->caps |= SF_CAP_TYPED;
	f->set.memcg = 0;
}

static void in_virtual(struct fixture *f)
{
	f->set.slab_virtual = 1;
}

static void in_offset(struct fixture *f)
{
	f->set.slot_offset = 1;
}

static void in_aligned(struct fixture *f)
{
	f->set.type_align = 1;
}

static void in_wiped(struct fixture *f)
{
	f->set.init_on_free = 1;
	f->set.freelist_hardened = 1;
	f->set.shuffle = 1;
}

static void in_misuse(struct fixture *f)
{
	f->set.misuse = 1;
}

static void in_hardened(struct fixture *f)
{
	f->set.misuse = 1;
	f->set.freelist_hardened = 1;
}

static void in_slow_hardened(struct fixture *f)
{
	in_hardened(f);
	f->set.sheaves = 0;
}

static void in_nomerge(struct fixture *f)
{
	f->set.slab_nomerge = 1;
}

static void in_bare(struct fixture *f)
{
	f->set.usercopy = 0;
}

/* MEM */
static void mem_1_overlap(struct fixture *f)
{
	uint64_t pfn = four_objects(f);
	struct sf_event ev = object(9, pfn, 1);

	ev.alloc.addr += 32;
	alloc(f, ev);
}

static void mem_1_free_page(struct fixture *f)
{
	alloc(f, whole(0, SF_API_PAGES, SF_PLACE_PAGES, 2048, 0));
}

static void mem_1_outside(struct fixture *f)
{
	alloc(f, whole(0, SF_API_PAGES, SF_PLACE_PAGES, PAGES + 5, 0));
}

static void mem_1_map(struct fixture *f)
{
	uint64_t pfns[1] = { 4000 };

	EMIT(f, MAP, map, .addr = SF_VMALLOC, .pages = 1, .pfns = pfns);
}

static void mem_1_map_outside(struct fixture *f)
{
	uint64_t pfns[1] = { PAGES + 4 };

	EMIT(f, MAP, map, .addr = SF_VMALLOC, .pages = 1, .pfns = pfns);
}

static void mem_1_map_live(struct fixture *f)
{
	uint64_t pfns[1] = { four_objects(f) };

	EMIT(f, MAP, map, .addr = SF_VMALLOC, .pages = 1, .pfns = pfns);
}

static void mem_2(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.addr += 8;
	alloc(f, ev);
}

static void mem_2_index(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.place.objects = 7;
	alloc(f, ev);
}

static void mem_2_nowhere(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.place = (struct sf_place){ .kind = SF_PLACE_NOWHERE, .cache = SF_NONE };
	alloc(f, ev);
}

static void mem_3(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.addr += 32;
	alloc(f, ev);
}

static void mem_3_named(struct fixture *f)
{
	uint64_t pfn;
	struct sf_event ev;

	cache(f, C_NAMED, "foo", SF_CACHE_NAMED, 128, 128, 0, 0);
	pfn = slab_of(f, C_NAMED, 0, SF_MIGRATE_UNMOVABLE, 32);
	ev = object(9, pfn, 1);
	ev.alloc.api = SF_API_CACHE;
	ev.alloc.cache = C_NAMED;
	ev.alloc.place.cache = C_NAMED;
	alloc(f, ev);
}

static void mem_4(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.gfp |= SF_GFP_ZERO;
	ev.alloc.zeroed = 64;
	ev.alloc.dirty = 62;
	alloc(f, ev);
}

static void mem_5_content(struct fixture *f)
{
	four_objects(f);
	EMIT(f, CONTENT, content, .id = 2, .addr = at(0) + 128, .bad = 8, .verified = 60);
	EMIT(f, CONTENT, content, .id = 2, .addr = at(0) + 128, .bad = 9, .verified = 60);
}

static void mem_5_free(struct fixture *f)
{
	four_objects(f);
	EMIT(f, FREE, free, .id = 2, .cache = SF_NONE, .addr = at(0) + 128, .bad = 0,
	     .verified = 60, .known = true);
}

static struct sf_event resized(uint32_t id, uint32_t old, uint64_t pfn, uint32_t index)
{
	struct sf_event ev = object(id, pfn, index);

	ev.alloc.old_id = old;
	ev.alloc.old_addr = at(pfn) + 64 * old;
	ev.alloc.old_size = 60;
	ev.alloc.moved = id != old;
	ev.alloc.kept = 60;
	return ev;
}

static void mem_6(struct fixture *f)
{
	struct sf_event ev = resized(8, 1, four_objects(f), 8);

	ev.alloc.bad = 3;
	emit(f, SF_EV_REALLOC, ev);
}

static void mem_6_zero(struct fixture *f)
{
	struct sf_event ev = resized(1, 1, four_objects(f), 1);

	ev.alloc.size = 0;
	emit(f, SF_EV_REALLOC, ev);
}

static void mem_6_stayed(struct fixture *f)
{
	struct sf_event ev = resized(1, 1, four_objects(f), 1);

	ev.alloc.moved = true;
	emit(f, SF_EV_REALLOC, ev);
}

static void mem_7_twice(struct fixture *f)
{
	look(f, four_objects(f));
	f->parked[0] = f->list[3];
	snap(f);
}

static void mem_7_live(struct fixture *f)
{
	look(f, four_objects(f));
	f->parked[0] = at(0) + 64;
	snap(f);
}

static void mem_7_lost(struct fixture *f)
{
	look(f, four_objects(f));
	f->sheaf.nr = 0;
	snap(f);
}

static void mem_7_foreign(struct fixture *f)
{
	look(f, four_objects(f));
	f->sheaf.cache = C_96;
	snap(f);
}

/* What was parked is on its slab's list; the sheaf holds `addr` instead. */
static void snap_parked(struct fixture *f, uint64_t addr)
{
	look(f, four_objects(f));
	f->list[59] = f->parked[0];
	f->slab.nr_free = 60;
	f->slab.inuse = 4;
	f->parked[0] = addr;
	snap(f);
}

static void mem_7_no_slab(struct fixture *f)
{
	snap_parked(f, at(2048));
}

static void mem_7_no_object(struct fixture *f)
{
	snap_parked(f, at(0) + 4 * 64 + 8);
}

static void mem_8_cycle(struct fixture *f)
{
	look(f, four_objects(f));
	f->slab.error = SF_WALK_CYCLE;
	snap(f);
}

static void mem_8_outside(struct fixture *f)
{
	look(f, four_objects(f));
	f->list[7] = at(1);
	snap(f);
}

static void mem_8_unaligned(struct fixture *f)
{
	look(f, four_objects(f));
	f->list[7] += 8;
	snap(f);
}

static void mem_8_length(struct fixture *f)
{
	look(f, four_objects(f));
	f->slab.nr_free = 58;
	snap(f);
}

static void mem_9_twice(struct fixture *f)
{
	four_objects(f);
	freed(f, 1, at(0) + 64);
	freed(f, 1, at(0) + 64);
}

static void mem_9_refused(struct fixture *f)
{
	four_objects(f);
	EMIT(f, FREE, free, .id = 1, .status = SF_NOTICED, .cache = SF_NONE, .addr = at(0) + 64,
	     .bad = SF_GOOD, .known = true);
}

static void mem_10_inside(struct fixture *f)
{
	four_objects(f);
	freed(f, 1, at(0) + 72);
}

static void mem_10_cache(struct fixture *f)
{
	four_objects(f);
	EMIT(f, FREE, free, .id = 1, .cache = C_96, .addr = at(0) + 64, .bad = SF_GOOD,
	     .known = true);
}

static void mem_11_null(struct fixture *f)
{
	struct sf_event ev = failed(SF_GFP_KERNEL);

	ev.alloc.size = 0;
	alloc(f, ev);
}

static void mem_11_free(struct fixture *f)
{
	EMIT(f, FREE, free, .id = SF_NONE, .status = SF_NOTICED, .cache = SF_NONE, .bad = SF_GOOD);
}

static void mem_11_err_ptr(struct fixture *f)
{
	EMIT(f, WARN, warn, .what = "it is none");
	EMIT(f, FREE, free, .id = SF_NONE, .status = SF_NOTICED, .cache = SF_NONE, .bad = SF_GOOD,
	     .addr = -12ull, .known = true);
}

static void mem_11_err_ptr_silent(struct fixture *f)
{
	EMIT(f, FREE, free, .id = SF_NONE, .cache = SF_NONE, .bad = SF_GOOD, .addr = -12ull,
	     .known = true);
}

static void right_err_ptr(struct fixture *f)
{
	EMIT(f, WARN, warn, .what = "it is none");
	mem_11_err_ptr_silent(f);
}

static void mem_11_ksize(struct fixture *f)
{
	EMIT(f, KSIZE, ksize, .id = SF_NONE, .addr = SF_ZERO_SIZE_PTR, .value = 8);
}

static void mem_12_reason(struct fixture *f)
{
	EMIT(f, FAULT, fault, .kind = SF_FAULT_SLAB);
	f->op++; /* the failure was another operation's */
	alloc(f, failed(SF_GFP_KERNEL));
}

static void mem_12_nofail(struct fixture *f)
{
	EMIT(f, FAULT, fault, .kind = SF_FAULT_SLAB);
	alloc(f, failed(SF_GFP_KERNEL | SF_GFP_NOFAIL));
}

static void mem_12_kept(struct fixture *f)
{
	f->op++;
	EMIT(f, FAULT, fault, .kind = SF_FAULT_SLAB);
	take(f, 0, SF_MIGRATE_UNMOVABLE);
	alloc(f, failed(SF_GFP_KERNEL));
}

static void mem_12_blocked(struct fixture *f)
{
	struct sf_event ev = failed(SF_GFP_KERNEL | SF_GFP_NOFAIL);

	ev.alloc.status = SF_BLOCKED;
	alloc(f, ev);
}

static void mem_12_page_fail(struct fixture *f)
{
	EMIT(f, PAGE_FAIL, pagefail, .order = 3, .gfp = SF_GFP_KERNEL, .free = PAGES,
	     .mark = MIN_MARK);
}

static void mem_12_address(struct fixture *f)
{
	struct sf_event ev = failed(SF_GFP_KERNEL);

	ev.alloc.addr = at(5);
	alloc(f, ev);
}

static void mem_12_may_fail(struct fixture *f)
{
	struct sf_event ev = failed(SF_GFP_KERNEL);

	ev.alloc.status = SF_BLOCKED;
	alloc(f, ev);
}

static void mem_12_null(struct fixture *f)
{
	struct sf_event ev = failed(SF_GFP_KERNEL);

	ev.alloc.status = SF_OK;
	alloc(f, ev);
}

static void mem_12_refused(struct fixture *f)
{
	EMIT(f, PAGE_FAIL, pagefail, .order = 3, .gfp = SF_GFP_KERNEL, .refused = true);
}

/* No block of order 10 is left, and a page that would make one again is on a per-CPU list. */
static void round_of_reclaim(struct fixture *f, uint32_t gfp)
{
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .begin = true, .gfp = gfp, .order = 10,
	     .memcg = SF_NONE);
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .gfp = gfp, .order = 10,
	     .memcg = SF_NONE);
}

static void fails_after(struct fixture *f, unsigned int rounds, uint8_t order, uint32_t gfp)
{
	while (rounds--)
		round_of_reclaim(f, gfp);
	EMIT(f, PAGE_FAIL, pagefail, .order = order, .gfp = gfp, .mark = MIN_MARK);
}

/* Each once, or as often as it is worth it. */
static void mem_12_retried(struct fixture *f)
{
	while (find(f, 10, SF_MIGRATE_MOVABLE) != SF_NO_PFN)
		take(f, 10, SF_MIGRATE_MOVABLE);
	fails_after(f, 1, 10, SF_GFP_KERNEL | SF_GFP_NORETRY);
	fails_after(f, 1, 10, SF_GFP_KERNEL);
	fails_after(f, 3, 10, SF_GFP_KERNEL | SF_GFP_RETRY_MAYFAIL);
	fails_after(f, 3, 3, SF_GFP_KERNEL);
	assert_no_title(f);
	fails_after(f, 2, 10, SF_GFP_KERNEL);
}

static void mem_12_retried_anyway(struct fixture *f)
{
	while (find(f, 10, SF_MIGRATE_MOVABLE) != SF_NO_PFN)
		take(f, 10, SF_MIGRATE_MOVABLE);
	fails_after(f, 2, 0, SF_GFP_KERNEL | SF_GFP_NORETRY);
}

/* kmalloc_nolock() has what per-CPU lists have, and no other block. */
static void nolock_slab(struct fixture *f, uint8_t order)
{
	uint64_t pfn = take(f, order, SF_MIGRATE_UNMOVABLE);
	struct sf_event ev;

	EMIT(f, SLAB_NEW, slab, .cache = C_64, .order = order, .objects = 64, .gfp = 0,
	     .pfn = pfn, .addr = at(pfn), .dirty = SF_GOOD);
	ev = object(0, pfn, 0);
	ev.alloc.api = SF_API_NOLOCK;
	ev.alloc.gfp = 0;
	alloc(f, ev);
}

static void mem_12_nolock(struct fixture *f)
{
	nolock_slab(f, 3);
	assert_no_title(f);
	nolock_slab(f, 4);
}

static void mem_12_undrained(struct fixture *f)
{
	parked_page(f);
	while (find(f, 10, SF_MIGRATE_MOVABLE) != SF_NO_PFN)
		take(f, 10, SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_FAIL, pagefail, .order = 10, .gfp = SF_GFP_KERNEL, .mark = MIN_MARK);
}

/* A single page of those that matter most is not held against the boost. */
static void mem_12_mark(struct fixture *f)
{
	while (f->free_pages > 1024)
		take(f, 10, SF_MIGRATE_MOVABLE);
	EMIT(f, BLOCK_DEL, block, .pfn = find(f, 10, SF_MIGRATE_MOVABLE), .order = 10,
	     .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_FAIL, pagefail, .gfp = SF_GFP_HIGH, .mark = MIN_MARK);
	assert_no_title(f);
	EMIT(f, PAGE_FAIL, pagefail, .gfp = SF_GFP_HIGH, .mark = MIN_MARK + 512);
}

static void mem_12_effort(struct fixture *f)
{
	EMIT(f, PAGE_FAIL, pagefail, .order = 11, .refused = true,
	     .gfp = SF_GFP_KERNEL & ~SF_GFP_DIRECT_RECLAIM);
	alloc(f, failed(SF_GFP_KERNEL));
}

/* A slab that is made without reclaim, for somebody who may. */
static void mem_12_slab(struct fixture *f)
{
	uint32_t s = four_objects(f);
	struct sf_event ev = object(9, s, 7);

	f->op++;
	EMIT(f, SLAB_NEW, slab, .cache = C_64, .pfn = PAGES, .gfp = SF_GFP_NOWAIT);
	alloc(f, ev);
}

static void mem_13(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.n = 1ull << 63;
	ev.alloc.elem = 3;
	alloc(f, ev);
}

static void mem_17_roundup(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.usable = 96;
	ev.alloc.place.stride = 96;
	alloc(f, ev);
}

static void mem_17_less(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.usable = 56;
	alloc(f, ev);
}

static void mem_17_place(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.place.object_size = 72;
	alloc(f, ev);
}

static void mem_17_ksize(struct fixture *f)
{
	four_objects(f);
	EMIT(f, KSIZE, ksize, .id = 1, .addr = at(0) + 64, .value = 96);
}

/* ACC */
static void acc_1_sum(struct fixture *f)
{
	look(f, four_objects(f));
	f->slab.inuse = 4;
	snap(f);
}

static void acc_1_objects(struct fixture *f)
{
	look(f, four_objects(f));
	f->slab.objects = 63;
	f->slab.inuse = 4;
	snap(f);
}

static void acc_1_order(struct fixture *f)
{
	look(f, four_objects(f));
	f->slab.order = 1;
	snap(f);
}

static void acc_1_more(struct fixture *f)
{
	look(f, four_objects(f));
	f->slab.inuse = 65;
	snap(f);
}

static void acc_2(struct fixture *f)
{
	look(f, four_objects(f));
	f->sheaf.nr = 0;
	snap(f);
}

static void acc_3_partial(struct fixture *f)
{
	look(f, four_objects(f));
	f->sc.nr_partial = 0;
	snap(f);
}

static void acc_3_not_shown(struct fixture *f)
{
	look(f, four_objects(f));
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	emit(f, SF_EV_SNAP_SLAB, (struct sf_event){ .snapslab = f->slab });
	EMIT(f, SNAP_END, snap, .managed = PAGES);
}

/* Of kmalloc-64, while another cache is. */
static void acc_3_left_out(struct fixture *f)
{
	look(f, four_objects(f));
	f->sc = (struct sf_ev_snapcache){ .cache = C_96, .refs = 1, .objsize = 96,
					  .objperslab = 42, .pagesperslab = 1 };
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	emit(f, SF_EV_SNAP_CACHE, (struct sf_event){ .snapcache = f->sc });
	EMIT(f, SNAP_END, snap, .managed = PAGES);
}

static void acc_3_slabs(struct fixture *f)
{
	look(f, four_objects(f));
	f->sc.nr_slabs = 2;
	snap(f);
}

static void acc_3_objects(struct fixture *f)
{
	look(f, four_objects(f));
	f->sc.total_objects = 128;
	snap(f);
}

static void acc_3_lost(struct fixture *f)
{
	uint64_t pfn = four_objects(f);

	slab_of(f, C_64, 0, SF_MIGRATE_UNMOVABLE, 64);
	look(f, pfn);
	snap(f);
}

static void acc_4_lost(struct fixture *f)
{
	look(f, four_objects(f));
	f->slab.list = SF_SLAB_UNLISTED;
	snap(f);
}

static void acc_4_flag(struct fixture *f)
{
	look(f, four_objects(f));
	f->slab.flag_partial = false;
	snap(f);
}

static void acc_4_full(struct fixture *f)
{
	look(f, four_objects(f));
	f->slab.inuse = 64;
	f->slab.nr_free = 0;
	snap(f);
}

static void acc_4_twice(struct fixture *f)
{
	look(f, four_objects(f));
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	for (unsigned int i = 0; i < 2; i++)
		emit(f, SF_EV_SNAP_SLAB, (struct sf_event){ .snapslab = f->slab });
	EMIT(f, SNAP_END, snap, .managed = PAGES);
}

static void acc_5(struct fixture *f)
{
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	for (uint64_t p = 0; p < 6; p++)
		EMIT(f, SNAP_SLAB, snapslab, .cache = C_64, .pfn = p, .list = SF_SLAB_PARTIAL,
		     .flag_partial = true, .objects = 64);
	EMIT(f, SNAP_END, snap, .managed = PAGES);
}

/* A named cache with one slab, its objects all free. */
static uint64_t named(struct fixture *f)
{
	cache(f, C_NAMED, "foo", SF_CACHE_NAMED, 64, 8, 0, 0);
	EMIT(f, CACHE_CREATE, cacheop, .cache = C_NAMED, .name = "foo", .size = 64);
	return slab_of(f, C_NAMED, 0, SF_MIGRATE_UNMOVABLE, 64);
}

/* The only one; a shrink would do that. */
static void acc_5_early(struct fixture *f)
{
	uint64_t pfn = slab_of(f, C_96, 0, SF_MIGRATE_UNMOVABLE, 42);

	f->op++;
	EMIT(f, SLAB_FREE, slab, .cache = C_96, .objects = 42, .pfn = pfn);
	EMIT(f, CACHE_SHRINK, cacheop, .cache = C_96);
	assert_no_title(f);
	pfn = slab_of(f, C_96, 0, SF_MIGRATE_UNMOVABLE, 42);
	EMIT(f, SLAB_FREE, slab, .cache = C_96, .objects = 42, .pfn = pfn);
	f->op++;
	EMIT(f, WARN, warn, .what = "another operation");
}

static void acc_6_ret(struct fixture *f)
{
	named(f);
	EMIT(f, CACHE_SHRINK, cacheop, .cache = C_NAMED, .ret = 0);
}

static void acc_6_empty(struct fixture *f)
{
	look(f, named(f));
	EMIT(f, CACHE_SHRINK, cacheop, .cache = C_NAMED, .ret = 1);
	f->slab.cache = C_NAMED;
	f->slab.inuse = 0;
	f->sheaf.nr = 0;
	snap(f);
}

static void acc_6_parked(struct fixture *f)
{
	look(f, named(f));
	EMIT(f, CACHE_SHRINK, cacheop, .cache = C_NAMED, .ret = 1);
	f->slab.cache = C_NAMED;
	f->sheaf.cache = C_NAMED;
	snap(f);
}

/* Fewest free first: 3 come behind 20. */
static void acc_6_order(struct fixture *f)
{
	const uint64_t pfn[2] = { named(f), slab_of(f, C_NAMED, 0, SF_MIGRATE_UNMOVABLE, 64) };

	EMIT(f, CACHE_SHRINK, cacheop, .cache = C_NAMED, .ret = 1);
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	for (uint32_t i = 0; i < 2; i++)
		EMIT(f, SNAP_SLAB, snapslab, .cache = C_NAMED, .pfn = pfn[i], .addr = at(pfn[i]),
		     .list = SF_SLAB_PARTIAL, .flag_partial = true, .objects = 64, .position = i,
		     .inuse = i ? 61 : 44, .unwiped = SF_GOOD);
	EMIT(f, SNAP_END, snap, .managed = PAGES);
}

static void acc_7_twice(struct fixture *f)
{
	look(f, four_objects(f));
	f->block[f->nr_blocks++] = (struct sf_ev_snapblock){ .pfn = 0 };
	snap(f);
}

static void acc_7_lost(struct fixture *f)
{
	look(f, four_objects(f));
	f->nr_blocks--;
	snap(f);
}

/* A page in use that the snapshot says is of that kind. */
static void snap_used(struct fixture *f, uint8_t kind)
{
	uint64_t pfn = take(f, 0, SF_MIGRATE_UNMOVABLE);

	look(f, pfn);
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES, .final = f->final);
	snap_zone(f);
	EMIT(f, SNAP_USED, snapused, .pfn = pfn, .order = 0, .kind = kind);
	EMIT(f, SNAP_END, snap, .managed = PAGES, .final = f->final);
}

static void acc_7_owner(struct fixture *f)
{
	snap_used(f, SF_PLACE_LARGE);
}

static void acc_7_nowhere(struct fixture *f)
{
	snap_used(f, SF_PLACE_NOWHERE);
}

static void destroy(struct fixture *f, uint8_t status)
{
	EMIT(f, CACHE_DESTROY, cacheop, .cache = C_NAMED, .status = status);
	f->op++;
}

static void acc_17_left(struct fixture *f)
{
	named(f);
	destroy(f, SF_OK);
}

static struct sf_event named_object(uint32_t id, uint64_t pfn)
{
	struct sf_event ev = object(id, pfn, 0);

	ev.alloc.api = SF_API_CACHE;
	ev.alloc.cache = C_NAMED;
	ev.alloc.place.cache = C_NAMED;
	return ev;
}

static void acc_17_live(struct fixture *f)
{
	alloc(f, named_object(0, named(f)));
	destroy(f, SF_OK);
}

static void acc_17_alias(struct fixture *f)
{
	uint64_t pfn = named(f);

	EMIT(f, CACHE_CREATE, cacheop, .cache = C_NAMED, .merged = true, .name = "bar", .size = 64);
	f->op++;
	EMIT(f, SLAB_FREE, slab, .cache = C_NAMED, .pfn = pfn, .objects = 64);
	destroy(f, SF_OK);
}

static void acc_17_alias_failed(struct fixture *f)
{
	named(f);
	EMIT(f, CACHE_CREATE, cacheop, .cache = C_NAMED, .merged = true, .name = "bar", .size = 64);
	f->op++;
	destroy(f, SF_NOTICED);
}

static void acc_17_empty(struct fixture *f)
{
	named(f);
	destroy(f, SF_NOTICED);
}

static void acc_18_slab(struct fixture *f)
{
	look(f, slab_of(f, C_64, 0, SF_MIGRATE_UNMOVABLE, 64));
	f->final = true;
	snap(f);
}

static void acc_18_merged(struct fixture *f)
{
	look(f, 0);
	f->final = true;
	f->no_slab = true;
	f->block[0].order = 9;
	f->block[f->nr_blocks++] = (struct sf_ev_snapblock){ .pfn = 512, .order = 9 };
	snap(f);
}

static void acc_18_parked(struct fixture *f)
{
	look(f, 0);
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES, .final = true);
	emit(f, SF_EV_SNAP_SHEAF, (struct sf_event){ .snapsheaf = f->sheaf });
	snap_zone(f);
	EMIT(f, SNAP_END, snap, .managed = PAGES, .final = true);
}

static void acc_18_pcp(struct fixture *f)
{
	uint64_t pfn = parked_page(f);

	look(f, 0);
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES, .final = true);
	EMIT(f, SNAP_PCP, snappcp, .nr = 1, .pfns = &pfn, .count = 1, .high = PCP_HIGH, .batch = 1);
	snap_zone(f);
	EMIT(f, SNAP_END, snap, .managed = PAGES, .final = true);
}

static void acc_18_used(struct fixture *f)
{
	f->final = true;
	snap_used(f, SF_PLACE_LARGE);
}

#define ACC_20(field)                            \
	static void acc_20_##field(struct fixture *f)\
	{                                        \
		look(f, four_objects(f));               \
		f->sc.field++;                   \
		snap(f);                         \
	}
ACC_20(active_objs)
ACC_20(num_objs)
ACC_20(objsize)
ACC_20(objperslab)
ACC_20(pagesperslab)
ACC_20(active_slabs)
ACC_20(num_slabs)

/* ISO */
static void iso_1_rcl(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.gfp |= SF_GFP_RECLAIMABLE | SF_GFP_ACCOUNT;
	alloc(f, ev);
}

static void iso_1_class(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.size = 65;
	alloc(f, ev);
}

static void iso_2_fit(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.size = 65;
	alloc(f, ev);
}

static void iso_2_smallest(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.size = 32;
	alloc(f, ev);
}

static void iso_2_pages(struct fixture *f)
{
	struct sf_event ev = whole(9, SF_API_KMALLOC, SF_PLACE_LARGE, 0, 0);

	ev.alloc.size = 100;
	alloc(f, ev);
}

static void iso_3_none(struct fixture *f)
{
	alloc(f, object(9, 700, 7));
}

static void iso_3_other(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.place.cache = C_CG_64;
	alloc(f, ev);
}

static void iso_3_asked(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.api = SF_API_CACHE;
	ev.alloc.cache = C_96;
	alloc(f, ev);
}

static void iso_3_two(struct fixture *f)
{
	four_objects(f);
	EMIT(f, SLAB_NEW, slab, .cache = C_96, .objects = 42, .pfn = 0);
}

static void iso_3_under(struct fixture *f)
{
	four_objects(f);
	EMIT(f, PAGE_FREE, page, .pfn = 0, .order = 0);
}

static void iso_3_unallocated(struct fixture *f)
{
	EMIT(f, SLAB_NEW, slab, .cache = C_64, .objects = 64, .pfn = 2048);
}

static void iso_3_never(struct fixture *f)
{
	EMIT(f, SLAB_FREE, slab, .cache = C_64, .objects = 64, .pfn = 2048);
}

static void iso_3_freed_as(struct fixture *f)
{
	uint64_t pfn = slab_of(f, C_64, 0, SF_MIGRATE_UNMOVABLE, 64);

	EMIT(f, SLAB_FREE, slab, .cache = C_96, .objects = 64, .pfn = pfn);
}

static void iso_14_slab(struct fixture *f)
{
	uint64_t pfn = four_objects(f);

	EMIT(f, SLAB_FREE, slab, .cache = C_64, .objects = 64, .pfn = pfn);
	give(f, pfn, 0, SF_MIGRATE_UNMOVABLE);
	freed(f, 3, at(pfn) + 192);
	EMIT(f, CONTENT, content, .id = 1, .addr = at(pfn) + 64, .bad = SF_GOOD);
}

static void iso_14_large(struct fixture *f)
{
	uint64_t pfn = take(f, 2, SF_MIGRATE_UNMOVABLE);

	alloc(f, whole(0, SF_API_KMALLOC, SF_PLACE_LARGE, pfn, 2));
	give(f, pfn, 2, SF_MIGRATE_UNMOVABLE);
	f->op++;
	EMIT(f, CONTENT, content, .id = 0, .addr = at(pfn), .bad = SF_GOOD);
}

static void iso_14_mapped(struct fixture *f)
{
	uint64_t pfns[1] = { take(f, 0, SF_MIGRATE_UNMOVABLE) };

	EMIT(f, MAP, map, .addr = SF_VMALLOC, .pages = 1, .pfns = pfns);
	f->op++;
	give(f, pfns[0], 0, SF_MIGRATE_UNMOVABLE);
	f->op++;
	EMIT(f, CONTENT, content, .id = 0, .addr = SF_VMALLOC, .bad = SF_GOOD);
}

static void iso_18_cache(struct fixture *f)
{
	struct sf_event ev = resized(1, 1, four_objects(f), 1);

	ev.alloc.place.cache = C_CG_64;
	emit(f, SF_EV_REALLOC, ev);
}

static void iso_18_moved(struct fixture *f)
{
	struct sf_event ev = resized(8, 1, four_objects(f), 8);

	ev.alloc.gfp |= SF_GFP_THISNODE | SF_GFP_ACCOUNT;
	emit(f, SF_EV_REALLOC, ev);
}

static void iso_18_small(struct fixture *f)
{
	struct sf_event ev = resized(1, 1, four_objects(f), 1);

	ev.alloc.size = 65;
	emit(f, SF_EV_REALLOC, ev);
}

static void iso_18_kind(struct fixture *f)
{
	struct sf_event ev = resized(1, 1, four_objects(f), 1);

	ev.alloc.place.kind = SF_PLACE_LARGE;
	emit(f, SF_EV_REALLOC, ev);
}

static void iso_18_room(struct fixture *f)
{
	emit(f, SF_EV_REALLOC, resized(8, 1, four_objects(f), 8));
}

static void iso_2_above(struct fixture *f)
{
	struct sf_event ev;
	uint64_t pfn = slab_of(f, C_96, 0, SF_MIGRATE_UNMOVABLE, 42);

	ev = object(9, pfn, 0);
	ev.alloc.api = SF_API_NOLOCK;
	ev.alloc.size = 32; /* kmalloc-32 or kmalloc-64 */
	ev.alloc.place.cache = C_96;
	ev.alloc.place.object_size = 96;
	ev.alloc.place.stride = 96;
	alloc(f, ev);
}

static void iso_2_align(struct fixture *f)
{
	struct sf_event ev = object(9, slab_of(f, C_96, 0, SF_MIGRATE_UNMOVABLE, 42), 0);

	ev.alloc.size = 96;
	ev.alloc.type_align = 64; /* kmalloc-128 */
	ev.alloc.place.cache = C_96;
	ev.alloc.place.object_size = 96;
	alloc(f, ev);
}

static struct sf_event shifted(struct fixture *f, uint32_t by, uint32_t align)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.size = 40;
	ev.alloc.type_align = align;
	ev.alloc.addr += by;
	ev.alloc.usable -= by;
	ev.alloc.place.offset = by;
	return ev;
}

static void iso_2_shifted(struct fixture *f)
{
	alloc(f, shifted(f, 32, 8));
}

static void mem_2_offset(struct fixture *f)
{
	alloc(f, shifted(f, 8, 8)); /* without slot_offset */
}

static void mem_2_untyped(struct fixture *f)
{
	alloc(f, shifted(f, 8, 0));
}

static void mem_2_step(struct fixture *f)
{
	alloc(f, shifted(f, 8, 16));
}

static void mem_2_out(struct fixture *f)
{
	alloc(f, shifted(f, 32, 16));
}

static void mem_2_resized(struct fixture *f)
{
	struct sf_event ev = shifted(f, 16, 16);

	alloc(f, ev);
	ev.alloc.old_id = 9;
	ev.alloc.old_addr = ev.alloc.addr;
	ev.alloc.kept = 40;
	ev.alloc.place.offset = 8;
	ev.alloc.addr -= 8;
	emit(f, SF_EV_REALLOC, ev);
}

static void mem_3_offset(struct fixture *f)
{
	alloc(f, shifted(f, 8, 16));
}

static void mem_3_class(struct fixture *f)
{
	struct sf_event ev = object(9, slab_of(f, C_96, 0, SF_MIGRATE_UNMOVABLE, 42), 0);

	ev.alloc.addr += 96;
	ev.alloc.type_align = 64;
	ev.alloc.size = 96;
	alloc(f, ev);
}

static void mem_17_offset(struct fixture *f)
{
	struct sf_event ev = shifted(f, 16, 16);

	ev.alloc.usable += 8;
	alloc(f, ev);
}

static void mem_9_nolock(struct fixture *f)
{
	alloc(f, whole(0, SF_API_KMALLOC, SF_PLACE_LARGE, take(f, 2, SF_MIGRATE_UNMOVABLE), 2));
	EMIT(f, FREE, free, .id = 0, .how = SF_KFREE_NOLOCK, .cache = SF_NONE, .addr = at(0),
	     .bad = SF_GOOD, .known = true);
}

#define OP_DOUBLE_FREE 64
#define OP_INNER_FREE 65
#define OP_WRONG_CACHE_FREE 66

/* Of what result 1 is or was. */
static void attack(struct fixture *f, uint8_t code, uint32_t cache_id, uint64_t addr, bool noticed)
{
	EMIT(f, TAINT, taint, .code = code);
	EMIT(f, ATTACK, attack, .code = code, .noticed = noticed, .reached = 1u << SF_REACH_NOTHING,
	     .res = 1, .cache = cache_id, .addr = addr);
	f->op++;
}

/* A block of 16 KiB came and went. */
static uint64_t gone(struct fixture *f)
{
	uint64_t pfn = take(f, 2, SF_MIGRATE_UNMOVABLE);

	alloc(f, whole(0, SF_API_KMALLOC, SF_PLACE_LARGE, pfn, 2));
	give(f, pfn, 2, SF_MIGRATE_UNMOVABLE);
	freed(f, 0, at(pfn));
	return pfn;
}

static void mem_9_large(struct fixture *f)
{
	attack(f, OP_DOUBLE_FREE, SF_NONE, at(gone(f)), false);
}

static void mem_9_slab_gone(struct fixture *f)
{
	uint64_t pfn = slab_of(f, C_64, 0, SF_MIGRATE_UNMOVABLE, 64);

	alloc(f, object(0, pfn, 0));
	EMIT(f, SLAB_FREE, slab, .cache = C_64, .objects = 64, .pfn = pfn, .addr = at(pfn));
	give(f, pfn, 0, SF_MIGRATE_UNMOVABLE);
	freed(f, 0, at(pfn));
	attack(f, OP_DOUBLE_FREE, C_64, at(pfn), false);
}

static void mem_9_head(struct fixture *f)
{
	uint64_t pfn = four_objects(f);

	freed(f, 1, at(pfn) + 64);
	attack(f, OP_DOUBLE_FREE, C_64, at(pfn) + 64, false);
}

static void mem_10_inner(struct fixture *f)
{
	uint64_t pfn = take(f, 2, SF_MIGRATE_UNMOVABLE);

	alloc(f, whole(1, SF_API_KMALLOC, SF_PLACE_LARGE, pfn, 2));
	attack(f, OP_INNER_FREE, SF_NONE, at(pfn) + 4096, false);
}

static void mem_10_wrong(struct fixture *f)
{
	uint64_t pfn = four_objects(f);

	attack(f, OP_WRONG_CACHE_FREE, C_64, at(pfn) + 64, false);
}

static struct sf_event in_cache(uint32_t id, uint32_t cache_id, uint64_t pfn, uint32_t index)
{
	struct sf_event ev = object(id, pfn, index);

	ev.alloc.place.cache = cache_id;
	return ev;
}

static uint64_t slab_in(struct fixture *f, uint32_t cache_id)
{
	return slab_of(f, cache_id, 0, SF_MIGRATE_UNMOVABLE, 64);
}

static struct sf_event typed(uint32_t id, uint32_t cache_id, uint64_t pfn, uint16_t type,
			     uint16_t token)
{
	struct sf_event ev = in_cache(id, cache_id, pfn, id);

	ev.alloc.type = type;
	ev.alloc.token = token;
	ev.alloc.place.partition = cache_id == C_P9 ? 9 : cache_id == C_P3 ? 3 : 0;
	return ev;
}

static void iso_1_site(struct fixture *f)
{
	struct sf_event ev = in_cache(0, C_P9, slab_in(f, C_P9), 0);

	ev.alloc.site = 3;
	alloc(f, ev);
}

static void iso_1_token(struct fixture *f)
{
	alloc(f, typed(0, C_64, slab_in(f, C_64), T_POINTER, 9));
}

static void iso_1_nokmem(struct fixture *f)
{
	struct sf_event ev = typed(0, C_P9, slab_in(f, C_P9), T_POINTER, 9);

	ev.alloc.gfp |= SF_GFP_ACCOUNT;
	alloc(f, ev);
}

static void iso_1_partitioned_rcl(struct fixture *f)
{
	struct sf_event ev = typed(0, C_P9, slab_in(f, C_P9), T_POINTER, 9);

	ev.alloc.gfp |= SF_GFP_RECLAIMABLE;
	alloc(f, ev);
}

static void bucket(struct fixture *f, uint32_t id)
{
	cache(f, id, id == C_B0 ? "msg_msg-64" : "memdup-64", SF_CACHE_BUCKET, 64, 8, 0, 0);
}

static struct sf_event of_bucket(uint32_t id, uint32_t asked, uint32_t cache_id, uint64_t pfn)
{
	struct sf_event ev = in_cache(id, cache_id, pfn, id);

	ev.alloc.bucket = asked;
	return ev;
}

static void iso_12_plain(struct fixture *f)
{
	bucket(f, C_B0);
	alloc(f, of_bucket(0, SF_NONE, C_B0, slab_in(f, C_B0)));
}

static void iso_12_ignored(struct fixture *f)
{
	bucket(f, C_B0);
	alloc(f, of_bucket(0, 0, C_64, slab_in(f, C_64)));
}

static void iso_12_other(struct fixture *f)
{
	bucket(f, C_B0);
	bucket(f, C_B1);
	alloc(f, of_bucket(0, 0, C_B1, slab_in(f, C_B1)));
}

static void iso_4_flag(struct fixture *f)
{
	struct sf_event ev = cache_event(C_P9, "kmalloc-part-09-64", SF_CACHE_KMALLOC, 64, 64, 0,
					 SF_SLAB_KMALLOC);

	ev.cache.flags &= ~(uint32_t)SF_SLAB_NO_MERGE;
	emit(f, SF_EV_CACHE, ev);
}

static void iso_4_bucket_flag(struct fixture *f)
{
	struct sf_event ev = cache_event(C_B0, "msg_msg-64", SF_CACHE_BUCKET, 64, 8, 0, 0);

	ev.cache.flags = 0;
	emit(f, SF_EV_CACHE, ev);
}

static void iso_4_shared(struct fixture *f)
{
	cache(f, C_64, "msg_msg-64", SF_CACHE_BUCKET, 64, 8, 0, 0);
}

static void iso_4_named(struct fixture *f)
{
	EMIT(f, CACHE_CREATE, cacheop, .cache = C_64, .merged = true, .name = "foo", .size = 64);
}

static void iso_4_refs(struct fixture *f)
{
	look(f, four_objects(f));
	f->sc.refs = 2;
	snap(f);
}

static void alias(struct fixture *f, uint32_t flags, uint32_t size, uint32_t align, uint32_t window)
{
	EMIT(f, CACHE_CREATE, cacheop, .cache = C_NAMED, .merged = true, .name = "bar",
	     .size = size, .align = align, .flags = flags, .usersize = window);
}

static void named_as(struct fixture *f, uint32_t flags)
{
	cache(f, C_NAMED, "foo", SF_CACHE_NAMED, 64, 8, 0, flags);
}

/* It could have been an alias of the older one. */
static void iso_5_not(struct fixture *f)
{
	named_as(f, 0);
	cache(f, C_NAMED + 1, "bar", SF_CACHE_NAMED, 72, 8, 0, 0);
	EMIT(f, CACHE_CREATE, cacheop, .cache = C_NAMED + 1, .name = "bar", .size = 72); /* sound */
	f->op++;
	cache(f, C_NAMED + 2, "baz", SF_CACHE_NAMED, 64, 8, 0, 0);
	EMIT(f, CACHE_CREATE, cacheop, .cache = C_NAMED + 2, .name = "baz", .size = 61);
}

static void iso_5_off(struct fixture *f)
{
	named_as(f, 0);
	alias(f, 0, 64, 0, 0);
}

static void iso_5_never(struct fixture *f)
{
	named_as(f, 0);
	alias(f, SF_SLAB_TYPESAFE_BY_RCU, 64, 0, 0);
}

static void iso_5_window(struct fixture *f)
{
	named_as(f, 0);
	alias(f, 0, 64, 0, 16);
}

static void iso_5_ctor(struct fixture *f)
{
	named_as(f, SF_SLAB_CTOR);
	alias(f, 0, 64, 0, 0);
}

static void iso_5_flags(struct fixture *f)
{
	named_as(f, SF_SLAB_ACCOUNT);
	alias(f, SF_SLAB_RECLAIM_ACCOUNT | SF_SLAB_ACCOUNT, 64, 0, 0);
}

static void iso_5_small(struct fixture *f)
{
	named_as(f, 0);
	alias(f, 0, 65, 0, 0);
}

static void iso_5_large(struct fixture *f)
{
	named_as(f, 0);
	alias(f, 0, 56, 0, 0);
}

static void iso_5_align(struct fixture *f)
{
	cache(f, C_NAMED, "foo", SF_CACHE_NAMED, 72, 8, 0, 0);
	alias(f, 0, 72, 16, 0);
	f->op++;
	cache(f, C_NAMED, "foo", SF_CACHE_NAMED, 96, 8, 0, 0);
	alias(f, 0, 93, 32, 0); /* sound */
}

static void iso_6_data(struct fixture *f)
{
	uint64_t pfn = slab_in(f, C_P3);

	alloc(f, typed(0, C_P3, pfn, T_DATA, TOKEN_DATA));
	alloc(f, typed(1, C_P3, pfn, T_POINTER, TOKEN_POINTER));
}

static void iso_6_pointer(struct fixture *f)
{
	uint64_t pfn = slab_in(f, C_P9);

	alloc(f, typed(0, C_P9, pfn, T_POINTER, TOKEN_POINTER));
	alloc(f, typed(1, C_P9, pfn, T_NONE, 0));
}

static void iso_6_after(struct fixture *f)
{
	uint64_t pfn = slab_in(f, C_P9);

	alloc(f, typed(0, C_P9, pfn, T_DATA, TOKEN_DATA));
	freed(f, 0, at(pfn)); /* nothing lives together so far */
	alloc(f, typed(1, C_P9, pfn, T_POINTER, TOKEN_POINTER));
	assert_int_equal(f->nr_titles, 0);
	alloc(f, typed(2, C_P9, pfn, T_DATA, TOKEN_DATA));
}

static void ctype(struct fixture *f, const char *canonical, uint8_t token, bool pointer)
{
	EMIT(f, CTYPE, ctype, .index = 7, .name = canonical, .canonical = canonical,
	     .token = token, .pointer = pointer);
}

static void iso_7_hash(struct fixture *f)
{
	ctype(f, "unsigned long long", 5, false); /* 4 */
}

static void iso_7_half(struct fixture *f)
{
	ctype(f, "hp", 1, true);
}

static void iso_7_other_half(struct fixture *f)
{
	ctype(f, "np", 13, false);
}

static void iso_7_large(struct fixture *f)
{
	alloc(f, typed(0, C_P9, slab_in(f, C_P9), T_POINTER, 25));
}

static void iso_7_untyped(struct fixture *f)
{
	alloc(f, typed(0, C_P9, slab_in(f, C_P9), T_NONE, 9));
}

static void iso_7_other(struct fixture *f)
{
	alloc(f, typed(0, C_P9, slab_in(f, C_P9), T_CONST, TOKEN_POINTER));
}

static void iso_8(struct fixture *f)
{
	struct sf_event ev = in_cache(0, C_P9, slab_in(f, C_P9), 0);

	alloc(f, ev);
	begin(f); /* for as long as the heap lives */
	ev = in_cache(1, C_P3, slab_in(f, C_P3), 1);
	alloc(f, ev);
}

/* Sets of buckets are made, or not, in a kernel that has none, or some. */
static void buckets(struct fixture *f, bool on, uint32_t set)
{
	f->set.buckets = on;
	heap_with(f, f->caps);
	begin(f);
	EMIT(f, BUCKETS_CREATE, cacheop, .cache = set, .name = "set");
}

static void iso_13_buckets(struct fixture *f)
{
	buckets(f, true, 0);
	buckets(f, false, SF_BUCKETS_OFF);
	buckets(f, false, 0);
}

static void iso_13_no_buckets(struct fixture *f)
{
	buckets(f, true, SF_BUCKETS_OFF);
}

static void iso_13_refused(struct fixture *f)
{
	f->set.buckets = true;
	heap_with(f, f->caps);
	begin(f);
	EMIT(f, BUCKETS_CREATE, cacheop, .cache = SF_NONE, .name = "set", .status = SF_NULL);
}

/* Sizes are in their names; a set of buckets has a name of its own before them. */
static void iso_13_names(struct fixture *f)
{
	heap_with(f, f->caps);
	cache(f, 40, "kmalloc-rcl-96", SF_CACHE_KMALLOC_RCL, 96, 96, 0, SF_SLAB_KMALLOC);
	cache(f, 41, "kmalloc-2k", SF_CACHE_KMALLOC, 2048, 2048, 0, SF_SLAB_KMALLOC);
	cache(f, 42, "msg_msg-1k", SF_CACHE_BUCKET, 1024, 1024, 0, 0);
}

static void iso_13_misnamed(struct fixture *f)
{
	iso_13_names(f);
	assert_no_title(f);
	cache(f, 43, "kmalloc-rcl-64", SF_CACHE_KMALLOC_RCL, 96, 96, 0, SF_SLAB_KMALLOC);
}

static void iso_13_no_size(struct fixture *f)
{
	heap_with(f, f->caps);
	cache(f, 40, "msg_msg", SF_CACHE_BUCKET, 96, 96, 0, 0);
}

static void iso_13_no_kmalloc(struct fixture *f)
{
	heap_with(f, f->caps);
	cache(f, 40, "malloc-96", SF_CACHE_KMALLOC, 96, 96, 0, SF_SLAB_KMALLOC);
}

static void iso_13_exists(struct fixture *f)
{
	f->set.zone_dma = false;
	heap_with(f, f->caps);
	cache(f, 40, "dma-kmalloc-64", SF_CACHE_KMALLOC_DMA, 64, 64, 0, SF_SLAB_KMALLOC);
}

static void iso_13_plain(struct fixture *f)
{
	alloc(f, in_cache(0, C_RCL_64, slab_of(f, C_RCL_64, 0, SF_MIGRATE_RECLAIMABLE, 64), 0));
}

static void iso_13_lost(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.gfp |= SF_GFP_RECLAIMABLE;
	alloc(f, ev);
}

static void iso_17(struct fixture *f)
{
	struct sf_event ev = in_cache(0, C_8K, slab_of(f, C_8K, 3, SF_MIGRATE_UNMOVABLE, 4), 0);

	ev.alloc.size = 8193;
	alloc(f, ev);
}

static void iso_18_partition(struct fixture *f)
{
	uint64_t pfn = slab_in(f, C_64);
	struct sf_event ev = typed(0, C_64, pfn, T_NONE, 0);

	alloc(f, ev);
	ev = resized(8, 0, pfn, 8);
	ev.alloc.gfp |= SF_GFP_THISNODE;
	ev.alloc.type = T_POINTER;
	ev.alloc.token = TOKEN_POINTER;
	emit(f, SF_EV_REALLOC, ev);
}

/* A slab at page `page` of the slab window. */
static uint64_t window_slab(struct fixture *f, uint32_t cache_id, uint64_t page)
{
	uint64_t pfn = take(f, 0, SF_MIGRATE_UNMOVABLE);

	EMIT(f, SLAB_NEW, slab, .cache = cache_id, .objects = 64, .gfp = SF_GFP_KERNEL, .pfn = pfn,
	     .addr = SF_SLAB_WINDOW + page * SF_PAGE_SIZE, .dirty = SF_GOOD);
	return pfn;
}

static struct sf_event window_object(uint32_t id, uint32_t cache_id, uint64_t page, uint64_t pfn)
{
	struct sf_event ev = in_cache(id, cache_id, pfn, id);

	ev.alloc.place.base = SF_SLAB_WINDOW + page * SF_PAGE_SIZE;
	ev.alloc.addr = ev.alloc.place.base + 64 * id;
	return ev;
}

static void window_slab_free(struct fixture *f, uint32_t cache_id, uint64_t page, uint64_t pfn)
{
	EMIT(f, SLAB_FREE, slab, .cache = cache_id, .objects = 64, .pfn = pfn,
	     .addr = SF_SLAB_WINDOW + page * SF_PAGE_SIZE);
	give(f, pfn, 0, SF_MIGRATE_UNMOVABLE);
}

static void iso_15(struct fixture *f)
{
	uint64_t pfn = window_slab(f, C_64, 5);

	window_slab_free(f, C_64, 5, pfn);
	window_slab(f, C_CG_64, 5);
}

static void iso_15_named(struct fixture *f)
{
	uint64_t pfn;

	named_as(f, 0);
	pfn = window_slab(f, C_NAMED, 5);
	window_slab_free(f, C_NAMED, 5, pfn);
	EMIT(f, CACHE_DESTROY, cacheop, .cache = C_NAMED);
	named_as(f, 0); /* the number is another cache's now */
	window_slab(f, C_NAMED, 5);
}

static void iso_14_window(struct fixture *f)
{
	uint64_t pfn = window_slab(f, C_64, 5);

	alloc(f, window_object(0, C_64, 5, pfn));
	window_slab_free(f, C_64, 5, pfn);
	f->op++;
	EMIT(f, CONTENT, content, .id = 0, .addr = SF_SLAB_WINDOW + 5 * SF_PAGE_SIZE,
	     .bad = SF_GOOD);
}

static void iso_3_window(struct fixture *f)
{
	window_slab(f, C_64, 5);
	window_slab(f, C_64, 5);
}

static void iso_3_window_place(struct fixture *f)
{
	uint64_t pfn = window_slab(f, C_64, 5);
	struct sf_event ev = window_object(0, C_64, 5, pfn);

	ev.alloc.place.base += SF_PAGE_SIZE;
	ev.alloc.addr += SF_PAGE_SIZE;
	alloc(f, ev);
}

static void mem_1_window(struct fixture *f)
{
	uint64_t pfn = window_slab(f, C_64, 5);

	alloc(f, window_object(0, C_64, 5, pfn));
	alloc(f, window_object(1, C_64, 5, pfn));
	pfn = window_slab(f, C_64, 6);
	for (uint32_t i = 0; i < 2; i++) { /* the second again at the first's address */
		struct sf_event ev = window_object(2, C_64, 5, pfn);

		ev.alloc.id = 2 + i;
		alloc(f, ev);
	}
}

static void mem_1_unmapped(struct fixture *f)
{
	uint64_t pfn = window_slab(f, C_64, 5);

	window_slab_free(f, C_64, 5, pfn);
	alloc(f, window_object(0, C_64, 5, pfn));
}

/* The snapshot that is true of four objects of C_64 at page 5 of the window. */
static void look_window(struct fixture *f)
{
	uint64_t pfn = window_slab(f, C_64, 5), base = SF_SLAB_WINDOW + 5 * SF_PAGE_SIZE;

	for (uint32_t i = 0; i < 4; i++)
		alloc(f, window_object(i, C_64, 5, pfn));
	look(f, pfn);
	f->slab.addr = base;
	f->parked[0] = base + 4 * 64;
	for (uint32_t i = 0; i < 59; i++)
		f->list[i] = base + (5 + i) * 64;
}

static void mem_7_window(struct fixture *f)
{
	look_window(f);
	f->parked[0] -= 64;
	snap(f);
}

static void mem_8_window(struct fixture *f)
{
	look_window(f);
	f->list[7] += SF_PAGE_SIZE;
	snap(f);
}

static const struct stream broken[] = {
	STREAM(MEM, 1, mem_1_overlap, "object of kmalloc-64 overlaps a live object"),
	STREAM(MEM, 1, mem_1_free_page, "object of alloc_pages lies on a free page"),
	STREAM(MEM, 1, mem_1_outside, "object of alloc_pages lies outside the allocator's memory"),
	STREAM(MEM, 1, mem_1_map, "a mapping covers a free page"),
	STREAM(MEM, 1, mem_1_map_outside, "a mapping covers a page outside the allocator's memory"),
	STREAM(MEM, 1, mem_1_map_live, "a mapping covers a page with a live object"),
	STREAM(MEM, 2, mem_2, "object of kmalloc-64 is not where its slab puts it"),
	STREAM(MEM, 2, mem_2_index, "object of kmalloc-64 is not where its slab puts it"),
	STREAM(MEM, 2, mem_2_nowhere, "object of kmalloc is nowhere"),
	STREAM(MEM, 3, mem_3, "object of kmalloc-64 is not aligned as promised"),
	STREAM(MEM, 3, mem_3_named, "object of named cache is not aligned as promised"),
	STREAM(MEM, 4, mem_4, "a zeroed object of kmalloc-64 holds old data"),
	STREAM(MEM, 5, mem_5_content, "contents of a kmalloc-64 object changed"),
	STREAM(MEM, 5, mem_5_free, "contents of a kmalloc-64 object changed"),
	STREAM(MEM, 6, mem_6, "krealloc to kmalloc-64 lost contents"),
	STREAM(MEM, 6, mem_6_zero, "krealloc to size 0 did not free"),
	STREAM(MEM, 6, mem_6_stayed, "krealloc says it moved and did not"),
	STREAM(MEM, 7, mem_7_twice, "an object of kmalloc-64 is free twice"),
	STREAM(MEM, 7, mem_7_live, "a live object of kmalloc-64 is free too"),
	STREAM(MEM, 7, mem_7_lost, "a free object of kmalloc-64 is on no list"),
	STREAM(MEM, 7, mem_7_foreign, "a sheaf of kmalloc-96 holds another cache's object"),
	STREAM(MEM, 7, mem_7_no_slab, "a sheaf of kmalloc-64 holds what lies in no slab"),
	STREAM(MEM, 7, mem_7_no_object, "a sheaf of kmalloc-64 holds what is no object"),
	STREAM(MEM, 8, mem_8_cycle, "the free list of a kmalloc-64 slab has a cycle"),
	STREAM(MEM, 8, mem_8_outside, "the free list of a kmalloc-64 slab leaves it"),
	STREAM(MEM, 8, mem_8_unaligned,
	       "the free list of a kmalloc-64 slab holds what is no object"),
	STREAM(MEM, 8, mem_8_length,
	       "the free list of a kmalloc-64 slab is not as long as objects - inuse"),
	STREAM(MEM, 9, mem_9_twice, "a kmalloc-64 object was freed twice"),
	STREAM(MEM, 9, mem_9_refused, "a correct free of a kmalloc-64 object was refused"),
	STREAM(MEM, 10, mem_10_inside, "a free inside a kmalloc-64 object went unnoticed"),
	STREAM(MEM, 10, mem_10_cache, "a kmalloc-64 object was freed to kmalloc-96"),
	STREAM(MEM, 11, mem_11_null, "an allocation of 0 bytes is not ZERO_SIZE_PTR"),
	STREAM(MEM, 11, mem_11_free, "a free of NULL or ZERO_SIZE_PTR is no no-op"),
	STREAM(MEM, 11, mem_11_err_ptr, "a free of an error pointer is no no-op"),
	STREAM(MEM, 11, mem_11_err_ptr_silent,
	       "a free of an error pointer went without a warning"),
	STREAM(MEM, 11, mem_11_ksize, "ksize of NULL or ZERO_SIZE_PTR is not 0"),
	STREAM(MEM, 12, mem_12_reason, "an allocation failed without a reason"),
	STREAM(MEM, 12, mem_12_nofail, "a __GFP_NOFAIL request failed"),
	STREAM(MEM, 12, mem_12_kept, "a failed allocation kept pages"),
	STREAM(MEM, 12, mem_12_blocked, "a request blocked with memory at hand"),
	STREAM(MEM, 12, mem_12_page_fail, "the page allocator gave up with memory at hand"),
	STREAM(MEM, 12, mem_12_address, "a failed allocation left an address"),
	STREAM(MEM, 12, mem_12_may_fail, "a request that may fail blocked"),
	STREAM(MEM, 12, mem_12_null, "NULL was returned as a success"),
	STREAM(MEM, 12, mem_12_refused, "a block order that exists was refused"),
	STREAM(MEM, 12, mem_12_retried, "a request that is not to be tried again was"),
	STREAM(MEM, 12, mem_12_retried_anyway, "a request that is not to be tried again was"),
	STREAM(MEM, 12, mem_12_nolock,
	       "kmalloc_nolock() made a slab of an order that it cannot have"),
	STREAM(MEM, 12, mem_12_undrained,
	       "the page allocator gave up with pages in per-CPU lists"),
	STREAM(MEM, 12, mem_12_mark,
	       "the page allocator gave up at a mark that is none of the zone's"),
	STREAM(MEM, 12, mem_12_effort,
	       "an allocation failed after less effort than its flags ask for"),
	STREAM(MEM, 12, mem_12_slab,
	       "a slab was made with more or less effort than flags ask for"),
	STREAM(MEM, 13, mem_13, "a product that overflows was allocated"),
	STREAM(MEM, 17, mem_17_roundup, "ksize of a kmalloc-64 object is not kmalloc_size_roundup"),
	STREAM(MEM, 17, mem_17_less, "ksize of a kmalloc-64 object is less than was asked"),
	STREAM(MEM, 17, mem_17_place,
	       "ksize of a kmalloc-64 object is not between object size and stride"),
	STREAM(MEM, 17, mem_17_ksize, "ksize of a kmalloc-64 object changed"),
	STREAM(ACC, 1, acc_1_sum, "in use and free do not add up in a slab of kmalloc-64"),
	STREAM(ACC, 1, acc_1_objects, "a slab of kmalloc-64 has a wrong number of objects"),
	STREAM(ACC, 1, acc_1_order,
	       "a slab of kmalloc-64 has an order that is neither preferred nor smallest"),
	STREAM(ACC, 1, acc_1_more, "a slab of kmalloc-64 has more in use than objects"),
	STREAM(ACC, 2, acc_2, "objects in use of kmalloc-64 are neither live nor parked"),
	STREAM(ACC, 3, acc_3_left_out, "slabs of kmalloc-64 are not shown"),
	STREAM(ACC, 3, acc_3_not_shown, "slabs of kmalloc-64 are shown without it"),
	STREAM(ACC, 3, acc_3_partial, "nr_partial of kmalloc-64 is wrong"),
	STREAM(ACC, 3, acc_3_slabs, "nr_slabs of kmalloc-64 is wrong"),
	STREAM(ACC, 3, acc_3_objects, "total_objects of kmalloc-64 is wrong"),
	STREAM(ACC, 3, acc_3_lost, "slabs of kmalloc-64 were lost or never made"),
	STREAM(ACC, 4, acc_4_lost, "a slab of kmalloc-64 with free objects is on no partial list"),
	STREAM(ACC, 4, acc_4_flag, "a slab of kmalloc-64 has SL_partial wrong"),
	STREAM(ACC, 4, acc_4_full, "a full slab of kmalloc-64 is on the partial list"),
	STREAM(ACC, 4, acc_4_twice, "a slab of kmalloc-64 is on two lists"),
	STREAM(ACC, 5, acc_5, "kmalloc-64 keeps more empty slabs than min_partial"),
	STREAM(ACC, 5, acc_5_early, "kmalloc-96 gave back an empty slab that it is to keep"),
	STREAM(ACC, 6, acc_6_ret, "kmem_cache_shrink of named cache returned the wrong thing"),
	STREAM(ACC, 6, acc_6_empty, "named cache keeps empty slabs after a shrink"),
	STREAM(ACC, 6, acc_6_parked, "objects of named cache are parked after a shrink"),
	STREAM(ACC, 6, acc_6_order,
	       "the partial list of named cache is not in order after a shrink"),
	STREAM(ACC, 7, acc_7_twice, "a page is free and slab"),
	STREAM(ACC, 7, acc_7_lost, "pages are neither free nor in use"),
	STREAM(ACC, 7, acc_7_owner, "pages are in use without an owner"),
	STREAM(ACC, 7, acc_7_nowhere, "pages are neither free nor in use"),
	STREAM(ACC, 17, acc_17_left, "destroying named cache left slabs behind"),
	STREAM(ACC, 17, acc_17_live, "named cache was destroyed with live objects"),
	STREAM(ACC, 17, acc_17_alias, "destroying an alias of named cache freed slabs"),
	STREAM(ACC, 17, acc_17_alias_failed, "destroying an alias of named cache failed"),
	STREAM(ACC, 17, acc_17_empty, "an empty named cache could not be destroyed"),
	STREAM(ACC, 18, acc_18_slab, "a slab is left after teardown"),
	STREAM(ACC, 18, acc_18_merged, "free memory is not merged after teardown"),
	STREAM(ACC, 18, acc_18_parked, "objects are parked after teardown"),
	STREAM(ACC, 18, acc_18_pcp, "pages are on per-CPU lists after teardown"),
	STREAM(ACC, 18, acc_18_used, "pages are in use after teardown"),
	STREAM(ACC, 20, acc_20_active_objs, "active_objs of kmalloc-64 is wrong"),
	STREAM(ACC, 20, acc_20_num_objs, "num_objs of kmalloc-64 is wrong"),
	STREAM(ACC, 20, acc_20_objsize, "objsize of kmalloc-64 is wrong"),
	STREAM(ACC, 20, acc_20_objperslab, "objperslab of kmalloc-64 is wrong"),
	STREAM(ACC, 20, acc_20_pagesperslab, "pagesperslab of kmalloc-64 is wrong"),
	STREAM(ACC, 20, acc_20_active_slabs, "active_slabs of kmalloc-64 is wrong"),
	STREAM(ACC, 20, acc_20_num_slabs, "num_slabs of kmalloc-64 is wrong"),
	STREAM(ISO, 1, iso_1_rcl, "kmalloc-64 where kmalloc-rcl-64 was due"),
	STREAM(ISO, 1, iso_1_class, "kmalloc-64 where kmalloc-96 was due"),
	STREAM(ISO, 2, iso_2_fit, "an object of kmalloc-64 is smaller than was asked"),
	STREAM(ISO, 2, iso_2_smallest, "kmalloc-64 is not the smallest class that fits"),
	STREAM(ISO, 2, iso_2_pages, "large kmalloc memory holds a request that has a class"),
	STREAM(ISO, 3, iso_3_none, "an object of kmalloc-64 lies in no slab"),
	STREAM(ISO, 3, iso_3_other, "an object of kmalloc-cg-64 lies in another cache's slab"),
	STREAM(ISO, 3, iso_3_asked, "an object of kmalloc-96 lies in a slab of kmalloc-64"),
	STREAM(ISO, 3, iso_3_two, "a slab of kmalloc-96 was made on another slab's pages"),
	STREAM(ISO, 3, iso_3_under, "pages of a slab were freed under it"),
	STREAM(ISO, 3, iso_3_unallocated,
	       "a slab of kmalloc-64 was made on pages that were not allocated"),
	STREAM(ISO, 3, iso_3_never, "a slab of kmalloc-64 was freed that was never made"),
	STREAM(ISO, 3, iso_3_freed_as, "a slab of kmalloc-64 was freed as another's"),
	STREAM(ISO, 14, iso_14_slab, "a slab of kmalloc-64 was freed with live objects"),
	STREAM(ISO, 14, iso_14_large, "pages of a live large kmalloc object were freed"),
	STREAM(ISO, 14, iso_14_mapped, "mapped pages were freed"),
	STREAM(ISO, 18, iso_18_cache, "krealloc in place left kmalloc-64"),
	STREAM(ISO, 18, iso_18_moved, "kmalloc-64 where kmalloc-cg-64 was due"),
	STREAM(ISO, 18, iso_18_small, "krealloc stayed in a kmalloc-64 object that is too small"),
	STREAM(ISO, 18, iso_18_kind, "krealloc in place changed what a kmalloc-64 object is"),
	STREAM(ISO, 18, iso_18_room, "krealloc moved a kmalloc-64 object that had room"),
	STREAM_IN(in_virtual, MEM, 1, mem_1_window, "object of kmalloc-64 overlaps a live object"),
	STREAM_IN(in_virtual, MEM, 1, mem_1_unmapped, "object of kmalloc-64 lies on a free page"),
	STREAM(MEM, 2, mem_2_offset, "object of kmalloc-64 is not where its slab puts it"),
	STREAM_IN(in_offset, MEM, 2, mem_2_untyped,
		  "object of kmalloc-64 is not where its slab puts it"),
	STREAM_IN(in_offset, MEM, 2, mem_2_step,
		  "object of kmalloc-64 is not where its slab puts it"),
	STREAM_IN(in_offset, MEM, 2, mem_2_out,
		  "object of kmalloc-64 is not where its slab puts it"),
	STREAM_IN(in_offset, MEM, 2, mem_2_resized,
		  "object of kmalloc-64 is not where its slab puts it"),
	STREAM_IN(in_offset, MEM, 3, mem_3_offset,
		  "object of kmalloc-64 is not aligned as promised"),
	STREAM_IN(in_aligned, MEM, 3, mem_3_class,
		  "object of kmalloc-64 is not aligned as promised"),
	STREAM_IN(in_virtual, MEM, 7, mem_7_window, "a live object of kmalloc-64 is free too"),
	STREAM_IN(in_virtual, MEM, 8, mem_8_window, "the free list of a kmalloc-64 slab leaves it"),
	STREAM(MEM, 9, mem_9_nolock, "kfree_nolock took a large kmalloc object"),
	STREAM_IN(in_misuse, MEM, 9, mem_9_large, "a double free of a large object went unnoticed"),
	STREAM_IN(in_misuse, MEM, 9, mem_9_slab_gone,
		  "a double free of a kmalloc-64 object went unnoticed"),
	STREAM_IN(in_slow_hardened, MEM, 9, mem_9_head,
		  "a double free of a kmalloc-64 object went unnoticed"),
	STREAM_IN(in_misuse, MEM, 10, mem_10_inner,
		  "a free inside a large kmalloc object went unnoticed"),
	STREAM_IN(in_hardened, MEM, 10, mem_10_wrong,
		  "a kmalloc-64 object was freed to another cache unnoticed"),
	STREAM_IN(in_offset, MEM, 17, mem_17_offset,
		  "ksize of a kmalloc-64 object is not kmalloc_size_roundup"),
	STREAM_IN(in_random, ISO, 1, iso_1_site,
		  "kmalloc-part-09-64 where kmalloc-part-11-64 was due"),
	STREAM_IN(in_typed, ISO, 1, iso_1_token, "kmalloc-64 where kmalloc-part-09-64 was due"),
	STREAM_IN(in_nokmem, ISO, 1, iso_1_nokmem, "kmalloc-part-09-64 where kmalloc-64 was due"),
	STREAM_IN(in_typed, ISO, 1, iso_1_partitioned_rcl,
		  "kmalloc-part-09-64 where kmalloc-rcl-64 was due"),
	STREAM(ISO, 1, iso_12_plain, "bucket cache where kmalloc-64 was due"),
	STREAM(ISO, 1, iso_12_ignored, "kmalloc-64 where a bucket cache was due"),
	STREAM(ISO, 1, iso_12_other, "bucket cache where another bucket cache was due"),
	STREAM(ISO, 2, iso_2_above, "kmalloc-96 is not the smallest class that fits"),
	STREAM_IN(in_aligned, ISO, 2, iso_2_align,
		  "kmalloc-96 is not the smallest class that fits"),
	STREAM_IN(in_offset, ISO, 2, iso_2_shifted,
		  "an object of kmalloc-64 is smaller than was asked"),
	STREAM_IN(in_virtual, ISO, 3, iso_3_window,
		  "a slab of kmalloc-64 was made at another slab's address"),
	STREAM_IN(in_virtual, ISO, 3, iso_3_window_place,
		  "a slab of kmalloc-64 is not as it was made"),
	STREAM_IN(in_random, ISO, 4, iso_4_flag, "kmalloc-part-09-64 may be merged"),
	STREAM(ISO, 4, iso_4_bucket_flag, "bucket cache may be merged"),
	STREAM(ISO, 4, iso_4_shared, "kmalloc-64 became another cache's"),
	STREAM(ISO, 4, iso_4_named, "kmalloc-64 got another name"),
	STREAM(ISO, 4, iso_4_refs, "kmalloc-64 has aliases"),
	STREAM_IN(in_nomerge, ISO, 5, iso_5_off,
		  "a cache was merged into named cache though merging is off"),
	STREAM(ISO, 5, iso_5_not, "a cache was not merged into named cache, which can serve it"),
	STREAM(ISO, 5, iso_5_never, "a cache that never merges was merged into named cache"),
	STREAM(ISO, 5, iso_5_window, "a cache that never merges was merged into named cache"),
	STREAM(ISO, 5, iso_5_ctor, "a cache was merged into named cache, which never merges"),
	STREAM(ISO, 5, iso_5_flags, "a cache was merged into named cache, which has other flags"),
	STREAM(ISO, 5, iso_5_small,
	       "a cache was merged into named cache, whose objects are smaller"),
	STREAM(ISO, 5, iso_5_large,
	       "a cache was merged into named cache, whose objects are larger"),
	STREAM(ISO, 5, iso_5_align,
	       "a cache was merged into named cache, which is not aligned for it"),
	STREAM_IN(in_typed, ISO, 6, iso_6_data,
		  "kmalloc-part-03-64 holds a pointer-bearing object"),
	STREAM_IN(in_typed, ISO, 6, iso_6_pointer,
		  "kmalloc-part-09-64 holds a pointer-free object"),
	STREAM_IN(in_typed, ISO, 6, iso_6_after, "kmalloc-part-09-64 holds a pointer-free object"),
	STREAM_IN(in_typed, ISO, 7, iso_7_hash, "a token is not the hash of its type"),
	STREAM_IN(in_typed, ISO, 7, iso_7_half,
		  "a type with pointers has a token of the pointer-free half"),
	STREAM_IN(in_typed, ISO, 7, iso_7_other_half,
		  "a type without pointers has a token of the pointer-bearing half"),
	STREAM_IN(in_typed, ISO, 7, iso_7_large, "a token is 16 or more"),
	STREAM_IN(in_typed, ISO, 7, iso_7_untyped, "an allocation without a type has a token"),
	STREAM_IN(in_typed, ISO, 7, iso_7_other, "a token is not its type's"),
	STREAM_IN(in_random, ISO, 8, iso_8, "a call site changed its partition"),
	STREAM(ISO, 12, iso_12_plain, "a bucket holds what was not asked of it"),
	STREAM(ISO, 12, iso_12_ignored, "an object that was asked of a bucket lies in kmalloc-64"),
	STREAM(ISO, 12, iso_12_other, "an object that was asked of a bucket lies in another one"),
	STREAM(ISO, 13, iso_13_exists, "dma-kmalloc-64 exists, which nothing selects"),
	STREAM(ISO, 13, iso_13_refused, "kmem_buckets_create failed"),
	STREAM(ISO, 13, iso_13_misnamed, "a size class does not have the name of one"),
	STREAM(ISO, 13, iso_13_no_size, "a size class does not have the name of one"),
	STREAM(ISO, 13, iso_13_no_kmalloc, "a size class does not have the name of one"),
	STREAM(ISO, 13, iso_13_buckets, "buckets were made where there are none"),
	STREAM(ISO, 13, iso_13_no_buckets, "no buckets were made where there are some"),
	STREAM(ISO, 13, iso_13_plain, "kmalloc-rcl-64 holds what is not reclaimable"),
	STREAM(ISO, 13, iso_13_lost, "a reclaimable object lies in kmalloc-64"),
	STREAM_IN(in_virtual, ISO, 14, iso_14_window,
		  "a slab of kmalloc-64 was freed with live objects"),
	STREAM_IN(in_virtual, ISO, 15, iso_15,
		  "an address of kmalloc-64 became one of kmalloc-cg-64"),
	STREAM_IN(in_virtual, ISO, 15, iso_15_named,
		  "an address of a destroyed cache became one of named cache"),
	STREAM(ISO, 17, iso_17, "kmalloc-8k holds a request above 8 KiB"),
	STREAM_IN(in_typed, ISO, 18, iso_18_partition,
		  "kmalloc-64 where kmalloc-part-09-64 was due"),
};

#define NR_BROKEN (sizeof(broken) / sizeof(broken[0]))

static void test_broken_streams_have_exact_titles(void **state)
{
	(void)state;
	check_streams(broken, NR_BROKEN);
}

/* Objects of every kind come, change and go; misuse that must stay silent is in between. */
static void clean_objects(struct fixture *f)
{
	uint64_t pfn = four_objects(f), big = take(f, 2, SF_MIGRATE_UNMOVABLE), few;
	struct sf_event ev;

	look(f, pfn);
	f->slab.inuse = 5;
	alloc(f, whole(4, SF_API_KMALLOC, SF_PLACE_LARGE, big, 2));
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	emit(f, SF_EV_SNAP_CACHE, (struct sf_event){ .snapcache = f->sc });
	emit(f, SF_EV_SNAP_SLAB, (struct sf_event){ .snapslab = f->slab });
	emit(f, SF_EV_SNAP_SHEAF, (struct sf_event){ .snapsheaf = f->sheaf });
	look(f, pfn);
	for (unsigned int i = 0; i < f->nr_blocks; i++)
		emit(f, SF_EV_SNAP_BLOCK, (struct sf_event){ .snapblock = f->block[i] });
	EMIT(f, SNAP_USED, snapused, .pfn = big, .order = 2, .kind = SF_PLACE_LARGE);
	estimate(f);
	emit(f, SF_EV_SNAP_COUNTERS, (struct sf_event){ .counters = f->counters });
	EMIT(f, SNAP_END, snap, .managed = PAGES);

	ev = object(5, pfn, 9);
	ev.alloc.gfp |= SF_GFP_ZERO;
	ev.alloc.zeroed = 64;
	alloc(f, ev);
	ev = resized(1, 1, pfn, 1); /* in place: keeps its cache whatever gfp says */
	ev.alloc.gfp |= SF_GFP_ACCOUNT;
	ev.alloc.size = 40;
	ev.alloc.usable = 64;
	emit(f, SF_EV_REALLOC, ev);
	EMIT(f, KSIZE, ksize, .id = 1, .addr = at(pfn) + 64, .value = 64);
	EMIT(f, KSIZE, ksize, .id = SF_NONE, .addr = 0, .value = 0);
	EMIT(f, CONTENT, content, .id = 1, .addr = at(pfn) + 64, .bad = SF_GOOD, .verified = 40);
	f->op++;
	ev = failed(SF_GFP_KERNEL);
	ev.alloc.n = 1ull << 62;
	ev.alloc.elem = 8;
	ev.alloc.size = UINT64_MAX;
	ev.alloc.overflow = true;
	alloc(f, ev);
	ev = failed(SF_GFP_KERNEL | SF_GFP_NOFAIL); /* order 11: not even __GFP_NOFAIL */
	ev.alloc.size = (4ull << 20) + 1;
	EMIT(f, WARN, warn, .what = "order > MAX_PAGE_ORDER");
	alloc(f, ev);
	EMIT(f, FAULT, fault, .kind = SF_FAULT_SLAB);
	alloc(f, failed(SF_GFP_ATOMIC));

	few = take(f, 2, SF_MIGRATE_UNMOVABLE);
	give(f, few + 3, 0, SF_MIGRATE_UNMOVABLE);
	alloc(f, exact(6, few, 3 * 4096));
	for (uint64_t p = few; p < few + 3; p++)
		give(f, p, 0, SF_MIGRATE_UNMOVABLE);
	EMIT(f, FREE, free, .id = 6, .api = SF_API_EXACT, .cache = SF_NONE, .addr = at(few),
	     .bad = SF_GOOD, .known = true);
	f->op++;

	give(f, big, 2, SF_MIGRATE_UNMOVABLE); /* tracepoints come before the result */
	freed(f, 4, at(big));
	for (uint32_t i = 1; i < 4; i++)
		freed(f, i, at(pfn) + i * 64);
	freed(f, 5, at(pfn) + 9 * 64);
	EMIT(f, FREE, free, .id = SF_NONE, .cache = SF_NONE, .addr = 0, .bad = SF_GOOD);
	freed(f, 0, at(pfn));
	EMIT(f, SLAB_FREE, slab, .cache = C_64, .objects = 64, .pfn = pfn);
	give(f, pfn, 0, SF_MIGRATE_UNMOVABLE);
	EMIT(f, CACHE_SHRINK, cacheop, .cache = C_64, .ret = 0); /* or it would be kept */
	f->op++;
	pfn = take(f, 4, SF_MIGRATE_UNMOVABLE);
	give(f, pfn, 4, SF_MIGRATE_UNMOVABLE);
}

static void clean_cache_and_end(struct fixture *f)
{
	uint64_t pfn = named(f), page = parked_page(f);

	EMIT(f, CACHE_CREATE, cacheop, .cache = C_NAMED, .merged = true, .name = "bar", .size = 64);
	destroy(f, SF_OK);
	alloc(f, named_object(0, pfn));
	EMIT(f, FREE, free, .id = 0, .api = SF_API_CACHE, .cache = C_NAMED, .addr = at(pfn),
	     .bad = SF_GOOD, .known = true);
	f->op++;
	EMIT(f, SLAB_FREE, slab, .cache = C_NAMED, .objects = 64, .pfn = pfn);
	give(f, pfn, 0, SF_MIGRATE_UNMOVABLE);
	EMIT(f, CACHE_SHRINK, cacheop, .cache = C_NAMED, .ret = 0);
	f->op++;
	look(f, 0);
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_CACHE, snapcache, .cache = C_NAMED, .refs = 1, .objsize = 64, .objperslab = 64,
	     .pagesperslab = 1);
	for (unsigned int i = 0; i < f->nr_blocks; i++)
		emit(f, SF_EV_SNAP_BLOCK, (struct sf_event){ .snapblock = f->block[i] });
	EMIT(f, SNAP_PCP, snappcp, .nr = 1, .pfns = &page, .count = 1, .high = PCP_HIGH,
	     .batch = 1);
	estimate(f);
	emit(f, SF_EV_SNAP_COUNTERS, (struct sf_event){ .counters = f->counters });
	EMIT(f, SNAP_END, snap, .managed = PAGES);
	destroy(f, SF_OK);
	EMIT(f, PCP_DRAIN, page, .pfn = page, .order = 0, .pcp = true);
	for (uint8_t order = 0; order < 10; order++) {
		block_del(f, page ^ (1ull << order));
		page &= ~(1ull << order);
	}
	block_add(f, page, 10, SF_MIGRATE_UNMOVABLE);
	look(f, 0);
	f->final = true;
	f->no_slab = true;
	snap(f);
	EMIT(f, END, run, .ops = f->op);
}

/* Objects of all partitions that the heap has, of buckets, and an alias that is sound. */
static void clean_partitions(struct fixture *f)
{
	bool random = f->caps & SF_CAP_RANDOM, typed_heap = f->caps & SF_CAP_TYPED;
	uint64_t pfn;
	struct sf_event ev;

	bucket(f, C_B0);
	pfn = slab_in(f, C_B0);
	EMIT(f, BUCKETS_CREATE, cacheop, .cache = 0, .name = "msg_msg");
	ev = of_bucket(0, 0, C_B0, pfn); /* whatever gfp says */
	ev.alloc.gfp |= SF_GFP_RECLAIMABLE | SF_GFP_ACCOUNT;
	alloc(f, ev);
	named_as(f, SF_SLAB_TEMPORARY);
	alias(f, SF_SLAB_RECLAIM_ACCOUNT, 60, 8, 0);
	f->op++;
	if (random || typed_heap) {
		pfn = slab_in(f, C_P9);
		alloc(f, typed(1, C_P9, pfn, typed_heap ? T_POINTER : T_NONE,
			       typed_heap ? TOKEN_POINTER : 0));
		ev = in_cache(2, C_P9, pfn, 2);
		ev.alloc.token = random ? 0 : 9; /* as the program named it: no type of its */
		ev.alloc.forced = typed_heap;
		ev.alloc.type = typed_heap ? T_DATA : T_NONE;
		alloc(f, ev);
		ev = in_cache(3, C_P9, pfn, 3);
		ev.alloc.api = SF_API_NOLOCK;
		ev.alloc.type = typed_heap ? T_POINTER : T_NONE;
		ev.alloc.token = typed_heap ? TOKEN_POINTER : 0;
		ev.alloc.gfp = SF_GFP_ZERO;
		ev.alloc.size = 30; /* 32, or 64 */
		ev.alloc.zeroed = 64;
		alloc(f, ev);
	}
	ev = in_cache(4, C_RCL_64, slab_of(f, C_RCL_64, 0, SF_MIGRATE_RECLAIMABLE, 64), 4);
	ev.alloc.gfp |= SF_GFP_RECLAIMABLE | SF_GFP_ACCOUNT;
	ev.alloc.token = typed_heap ? TOKEN_POINTER : 0;
	ev.alloc.type = typed_heap ? T_POINTER : T_NONE;
	alloc(f, ev);
	ev = whole(5, SF_API_KMALLOC, SF_PLACE_LARGE, take(f, 2, SF_MIGRATE_UNMOVABLE), 2);
	ev.alloc.bucket = 0; /* large: neither buckets nor kinds */
	ev.alloc.gfp |= SF_GFP_RECLAIMABLE;
	alloc(f, ev);
	EMIT(f, FREE, free, .id = 5, .how = SF_KFREE_NOLOCK, .cache = SF_NONE, .bad = SF_GOOD,
	     .addr = ev.alloc.addr, .known = true, .status = SF_NOTICED);
	f->op++;
	EMIT(f, SLAB_ORDER, slaborder, .cache = C_64);
}

/* Skipped for what it is, in a heap that has not what it needs. */
static void assert_skips(const struct fixture *f, unsigned int inv, uint64_t runs)
{
	const struct sf_oracle_count *c = &sf_judge_counts(f->j)[inv];

	if (!c->skipped)
		return;
	assert_non_null(c->reason);
	assert_int_equal(c->skipped, runs);
	if (sf_invariants[inv].cost == SF_COST_BOOTS)
		assert_string_equal(c->reason, "judged over many boots (slabfuzz boots)");
	else if (sf_invariants[inv].needs & ~f->caps)
		assert_int_equal(strncmp(c->reason, "the allocator lacks '", 21), 0);
	else
		assert_non_null(strstr(c->reason, " is off"));
}

/* One life of a heap; adds what was judged to `checked`. */
static void live_cleanly(void (*mode)(struct fixture *f), uint64_t *checked)
{
	struct fixture *f;
	const struct sf_oracle_count *count;
	size_t bytes, live;

	f = fixture_open(0, mode);
	for (int round = 0; round < 2; round++) { /* the second on what BEGIN wiped */
		if (!(f->caps & (SF_CAP_RANDOM | SF_CAP_TYPED))) {
			clean_objects(f);
			clean_cache_and_end(f);
			f->final = false;
			f->no_slab = false;
			begin(f);
		}
		clean_partitions(f);
		assert_no_title(f);
		begin(f);
	}
	count = sf_judge_counts(f->j);
	for (unsigned int inv = 0; inv < SF_INV_COUNT; inv++) {
		assert_int_equal(count[inv].violations, 0);
		assert_skips(f, inv, f->caps & (SF_CAP_RANDOM | SF_CAP_TYPED) ? 3 : 5);
		checked[inv] += count[inv].checked;
	}
	sf_judge_memory(f->j, &bytes, &live);
	assert_int_equal(live, 0);
	assert_true(bytes > sizeof(struct sf_violation));
	sf_judge_clear_counts(f->j);
	assert_int_equal(count[SF_INV_MEM_1].checked, 0);
	assert_int_equal(sf_judge_ledger(f->j)->fresh, 0);
	fixture_close(f);
}

static void test_clean_stream_is_silent(void **state)
{
	uint64_t checked[SF_INV_COUNT] = { 0 };

	(void)state;
	live_cleanly(NULL, checked);
	live_cleanly(in_random, checked);
	live_cleanly(in_typed, checked);
	for (size_t i = 0; i < NR_BROKEN; i++)
		if (!checked[broken[i].inv])
			fail_msg("%s was not checked", sf_invariants[broken[i].inv].id);
	for (unsigned int inv = SF_INV_BUD_1; inv <= SF_INV_BUD_11; inv++)
		if (!checked[inv])
			fail_msg("%s was not checked", sf_invariants[inv].id);
}

/* What looks wrong and is not: none of these may be reported. */
static void right_in_place(struct fixture *f)
{
	uint64_t pfn = slab_in(f, C_P9);
	struct sf_event ev = typed(0, C_P9, pfn, T_POINTER, TOKEN_POINTER);

	alloc(f, ev);
	ev.alloc.old_id = 0; /* krealloc in place: old cache, old half */
	ev.alloc.old_addr = ev.alloc.addr;
	ev.alloc.old_size = 60;
	ev.alloc.size = 10;
	ev.alloc.type = T_DATA;
	ev.alloc.token = TOKEN_DATA;
	ev.alloc.gfp |= SF_GFP_RECLAIMABLE;
	emit(f, SF_EV_REALLOC, ev);
	f->op++;
	alloc(f, typed(1, C_P9, pfn, T_POINTER, TOKEN_POINTER));
}

static void right_nokmem(struct fixture *f)
{
	uint64_t pfn = slab_in(f, C_64);
	struct sf_event ev = typed(0, C_64, pfn, T_POINTER, TOKEN_POINTER);

	ev.alloc.gfp |= SF_GFP_ACCOUNT;
	alloc(f, ev);
	alloc(f, typed(1, C_64, pfn, T_NONE, 0)); /* beside it */
}

static void right_const(struct fixture *f)
{
	alloc(f, typed(0, C_P9, slab_in(f, C_P9), T_POINTER, TOKEN_POINTER));
	alloc(f, typed(1, C_P14, slab_in(f, C_P14), T_CONST, TOKEN_CONST));
}

static void right_account(struct fixture *f)
{
	struct sf_event ev = typed(0, C_P9, slab_in(f, C_P9), T_POINTER, TOKEN_POINTER);

	ev.alloc.gfp |= SF_GFP_ACCOUNT; /* without CONFIG_MEMCG a plain request */
	alloc(f, ev);
}

static void right_alias(struct fixture *f)
{
	/* without a usercopy window an ordinary cache is kmalloc-rcl-64 */
	EMIT(f, CACHE_CREATE, cacheop, .cache = C_RCL_64, .merged = true, .name = "foo",
	     .size = 64, .flags = SF_SLAB_RECLAIM_ACCOUNT);
}

static void right_shifted(struct fixture *f)
{
	struct sf_event ev = shifted(f, 16, 16);

	alloc(f, ev);
	ev.alloc.old_id = 9;
	ev.alloc.old_addr = ev.alloc.addr;
	ev.alloc.old_size = 40;
	ev.alloc.kept = 40;
	ev.alloc.type_align = 0;
	ev.alloc.size = 48;
	emit(f, SF_EV_REALLOC, ev);
	f->op++;
	ev = resized(8, 9, 0, 8); /* 48 bytes of room: it has to move */
	ev.alloc.old_addr = at(0) + 7 * 64 + 16;
	ev.alloc.size = 49;
	emit(f, SF_EV_REALLOC, ev);
}

static void right_aligned(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.size = 20;
	ev.alloc.type_align = 64;
	alloc(f, ev);
}

static void right_count(struct fixture *f)
{
	struct sf_event ev = failed(SF_GFP_KERNEL);

	ev.alloc.counter_size = 1;
	ev.alloc.count = 300;
	alloc(f, ev);
}

static void right_dirty(struct fixture *f)
{
	struct sf_event ev = object(9, four_objects(f), 7);

	ev.alloc.zeroed = 64; /* looked at for init_on_free, not asked for: not MEM-4's */
	ev.alloc.dirty = 8;
	alloc(f, ev);
}

static void right_window(struct fixture *f)
{
	uint64_t pfn;

	look_window(f);
	f->sc.cache = C_64;
	snap(f);
	pfn = window_slab(f, C_64, 9);
	alloc(f, window_object(4, C_64, 9, pfn));
	freed(f, 4, SF_SLAB_WINDOW + 9 * SF_PAGE_SIZE + 4 * 64);
	EMIT(f, SLAB_FREE, slab, .cache = C_64, .objects = 64, .pfn = pfn,
	     .addr = SF_SLAB_WINDOW + 9 * SF_PAGE_SIZE);
	give(f, pfn, 0, SF_MIGRATE_UNMOVABLE);
	EMIT(f, CACHE_SHRINK, cacheop, .cache = C_64, .ret = 1);
	f->op++;
	window_slab(f, C_64, 9); /* the same cache's again */
}

/* Misuse that no kernel promises to notice. */
static void right_sheaf(struct fixture *f)
{
	uint64_t pfn = four_objects(f);

	freed(f, 1, at(pfn) + 64);
	attack(f, OP_DOUBLE_FREE, C_64, at(pfn) + 64, false);
}

static void right_between(struct fixture *f)
{
	uint64_t pfn = four_objects(f);

	freed(f, 1, at(pfn) + 64);
	freed(f, 2, at(pfn) + 128);
	attack(f, OP_DOUBLE_FREE, C_64, at(pfn) + 64, false);
}

static void right_popped(struct fixture *f)
{
	uint64_t pfn = four_objects(f);

	freed(f, 1, at(pfn) + 64);
	alloc(f, object(9, pfn, 7)); /* the head is another now */
	attack(f, OP_DOUBLE_FREE, C_64, at(pfn) + 64, false);
}

static void right_reused(struct fixture *f)
{
	uint64_t pfn = gone(f);

	assert_int_equal(take(f, 2, SF_MIGRATE_UNMOVABLE), pfn);
	alloc(f, whole(2, SF_API_KMALLOC, SF_PLACE_LARGE, pfn, 2));
	attack(f, OP_DOUBLE_FREE, SF_NONE, at(pfn), false); /* frees the new one */
}

static void right_first_page(struct fixture *f)
{
	uint64_t pfn = take(f, 2, SF_MIGRATE_UNMOVABLE);

	alloc(f, whole(1, SF_API_KMALLOC, SF_PLACE_LARGE, pfn, 2));
	attack(f, OP_INNER_FREE, SF_NONE, at(pfn) + 4088, false);
}

static void right_wrong_cache(struct fixture *f)
{
	attack(f, OP_WRONG_CACHE_FREE, C_64, at(four_objects(f)) + 64, false);
}

static void right_noticed(struct fixture *f)
{
	attack(f, OP_DOUBLE_FREE, SF_NONE, at(gone(f)), true);
	attack(f, OP_DOUBLE_FREE, SF_NONE, at(0), false); /* it cannot be told any more */
}

/* Whatever follows a misuse is the program's fault. */
static void right_after(struct fixture *f)
{
	right_noticed(f);
	iso_3_two(f);
	freed(f, 2, at(0) + 72);
	mem_1_overlap(f);
	look(f, 0);
	f->slab.error = SF_WALK_CYCLE;
	snap(f);
}

static void test_negative_controls(void **state)
{
	static const struct {
		void (*mode)(struct fixture *f);
		void (*stream)(struct fixture *f);
	} control[] = {
		{ NULL, right_err_ptr }, { in_typed, right_in_place }, { in_nokmem, right_nokmem },
		{ in_typed, right_const }, { in_no_memcg, right_account }, { in_bare, right_alias },
		{ in_offset, right_shifted }, { in_aligned, right_aligned }, { NULL, right_count },
		{ in_wiped, right_dirty }, { in_virtual, right_window }, { in_misuse, right_sheaf },
		{ in_slow_hardened, right_between }, { in_slow_hardened, right_popped },
		{ in_hardened, right_sheaf },
		{ in_misuse, right_reused }, { in_hardened, right_reused },
		{ in_misuse, right_first_page },
		{ in_misuse, right_wrong_cache }, { in_misuse, right_noticed },
		{ in_misuse, right_after },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(control) / sizeof(control[0]); i++) {
		struct fixture *f;

		f = fixture_open(~sf_invariant_bit(SF_INV_MEM_18), control[i].mode);
		control[i].stream(f);
		if (f->nr_titles)
			fail_msg("control %zu: %s", i, f->title[0]);
		fixture_close(f);
	}
}

static void test_taint_stops_the_rest(void **state)
{
	struct fixture *f;
	const struct sf_oracle_count *c;
	uint64_t before;

	(void)state;
	f = fixture_open(0, in_misuse);
	c = sf_judge_counts(f->j);
	right_noticed(f);
	before = c[SF_INV_MEM_1].checked;
	assert_int_equal(c[SF_INV_MEM_9].checked, 2); /* the free, and the first misuse */
	assert_string_equal(c[SF_INV_MEM_9].reason, "tainted by misuse");
	mem_1_overlap(f);
	assert_int_equal(f->nr_titles, 0);
	assert_int_equal(c[SF_INV_MEM_1].checked, before);
	assert_int_equal(c[SF_INV_MEM_1].skipped, 5);
	assert_string_equal(c[SF_INV_MEM_1].reason, "tainted by misuse");
	begin(f); /* forgiven */
	mem_1_overlap(f);
	assert_int_equal(c[SF_INV_MEM_1].violations, 1);
	assert_int_equal(c[SF_INV_MEM_1].skipped, 5);
	fixture_close(f);
}

static void test_attacks_are_counted(void **state)
{
	struct fixture *f;
	const struct sf_attack_count *n;

	(void)state;
	f = fixture_open(0, in_misuse);
	n = &sf_judge_attacks(f->j)[61];
	for (unsigned int i = 0; i < 5; i++) {
		EMIT(f, TAINT, taint, .code = 61);
		EMIT(f, ATTACK, attack, .code = 61, .noticed = i == 2, .cache = SF_NONE,
		     .reached = 1u << (i & 1 ? SF_REACH_POINTER : SF_REACH_SLACK));
		if (i == 4) /* of the same operation: that would be `noticed` */
			EMIT(f, WARN, warn, .what = "late");
		f->op++;
	}
	assert_int_equal(n->attacks, 5);
	assert_int_equal(n->noticed, 1);
	assert_int_equal(n->later, 0);
	assert_int_equal(n->reached[SF_REACH_POINTER], 2);
	assert_int_equal(n->reached[SF_REACH_SLACK], 3);
	EMIT(f, WARN, warn, .what = "late");
	EMIT(f, WARN, warn, .what = "late");
	assert_int_equal(n->later, 4);
	begin(f);
	EMIT(f, WARN, warn, .what = "of another run");
	assert_int_equal(n->later, 4);
	sf_judge_clear_counts(f->j);
	assert_int_equal(n->attacks + n->later + n->reached[SF_REACH_SLACK], 0);
	fixture_close(f);
}

/* A slab of a cache at pfn 0, with an object handed out or not, that goes again. */
static void pass(struct fixture *f, uint32_t cache_id, bool handed_out)
{
	uint64_t pfn = slab_in(f, cache_id);

	assert_int_equal(pfn, 0);
	if (handed_out) {
		alloc(f, in_cache(0, cache_id, pfn, 0));
		freed(f, 0, at(pfn));
	}
	EMIT(f, SLAB_FREE, slab, .cache = cache_id, .objects = 64, .pfn = pfn, .addr = at(pfn));
	give(f, pfn, 0, SF_MIGRATE_UNMOVABLE);
	f->op++;
}

static void test_ledger(void **state)
{
	static const struct sf_ledger due = {
		.fresh = 2, .same = 1, .other_cache = 5, .other_partition = 3, .other_half = 2,
		.stale_cache = 2, .stale_partition = 1, .stale_half = 1,
	};
	struct fixture *f;

	(void)state;
	f = fixture_open(sf_invariant_bit(SF_INV_ISO_15), in_typed);
	pass(f, C_P9, true);
	pass(f, C_P3, false); /* the other half, stale */
	pass(f, C_P3, false);
	pass(f, C_P9, false); /* the other half */
	pass(f, C_P11, true); /* another partition */
	pass(f, C_CG_64, false); /* another cache, stale */
	pass(f, C_P9, false);    /* that was none of ordinary kmalloc: only another cache */
	begin(f);
	pass(f, C_P9, false);
	assert_memory_equal(sf_judge_ledger(f->j), &due, sizeof(due));
	assert_int_equal(sf_judge_counts(f->j)[SF_INV_ISO_15].checked, 8);
	assert_int_equal(f->nr_titles, 0);
	fixture_close(f);
}

/* A full program's objects are gone after BEGIN, whatever was left alive. */
static void test_begin_forgets(void **state)
{
	struct fixture *f;

	(void)state;
	f = fixture_open(0, NULL);
	for (int i = 0; i < 3; i++) {
		look(f, four_objects(f));
		snap(f);
		begin(f);
	}
	assert_no_title(f);
	fixture_close(f);
}

static void test_skips_are_counted_with_reason(void **state)
{
	struct fixture *f;
	const struct sf_oracle_count *count;

	(void)state;
	f = fixture_open(0, NULL);
	heap_with(f, CAPS & ~(uint64_t)(SF_CAP_ADDRESS | SF_CAP_USABLE | SF_CAP_TRACE));
	EMIT(f, BEGIN, run, .ops = 1);
	alloc(f, object(0, 0, 1));
	alloc(f, object(1, 0, 1)); /* on top of it: without addresses it does not show */
	count = sf_judge_counts(f->j);
	assert_int_equal(f->nr_titles, 0);
	assert_int_equal(count[SF_INV_MEM_1].checked, 0);
	assert_int_equal(count[SF_INV_MEM_1].skipped, 2);
	assert_string_equal(count[SF_INV_MEM_1].reason, "pointers are hashes");
	assert_int_equal(count[SF_INV_MEM_17].skipped, 2);
	assert_string_equal(count[SF_INV_MEM_17].reason, "the allocator lacks 'usable'");
	assert_int_equal(count[SF_INV_ISO_6].skipped, 2); /* once a run */
	assert_string_equal(count[SF_INV_ISO_6].reason, "the allocator lacks 'typed'");
	assert_int_equal(count[SF_INV_MEM_15].skipped, 2);
	assert_string_equal(count[SF_INV_MEM_15].reason, "freelist_hardened is off");
	assert_int_equal(count[SF_INV_ISO_10].skipped, 2);
	assert_string_equal(count[SF_INV_ISO_10].reason, "judged over many boots (slabfuzz boots)");
	assert_int_equal(count[SF_INV_ISO_1].checked, 2);
	EMIT(f, FREE, free, .id = 1, .cache = SF_NONE, .bad = SF_GOOD, .known = true);
	assert_int_equal(count[SF_INV_MEM_9].skipped, 1);
	fixture_close(f);
}

/* Of a recording: frees of older objects and implied ones are no violation, and are counted. */
static void test_recorded_frees(void **state)
{
	struct fixture *f;
	const struct sf_oracle_count *count;

	(void)state;
	f = fixture_open(0, NULL);
	EMIT(f, HEAP, heap, .allocator = "trace", .settings = &f->set,
	     .caps = SF_CAP_ADDRESS | SF_CAP_KMALLOC | SF_CAP_USABLE);
	EMIT(f, BEGIN, run, .ops = 1);
	count = sf_judge_counts(f->j);
	EMIT(f, FREE, free, .id = 7, .cache = SF_NONE, .addr = at(9), .bad = SF_GOOD);
	assert_int_equal(count[SF_INV_MEM_9].skipped, 1);
	assert_string_equal(count[SF_INV_MEM_9].reason, "born before the recording");
	for (uint32_t i = 0; i < 2000; i++) { /* far pages: the table grows and is swept */
		struct sf_event ev = object(0, i, 0);

		ev.alloc.place = (struct sf_place){ .cache = SF_NONE };
		alloc(f, ev);
		EMIT(f, FREE, free, .id = 0, .cache = SF_NONE, .addr = ev.alloc.addr,
		     .bad = SF_GOOD, .known = true, .implied = i & 1);
	}
	assert_int_equal(f->nr_titles, 0);
	assert_int_equal(count[SF_INV_MEM_1].checked, 2000);
	assert_int_equal(count[SF_INV_MEM_9].skipped, 1001);
	freed(f, 0, at(1999));
	assert_int_equal(f->nr_titles, 1);
	assert_string_equal(f->title[0], "MEM-9: a kmalloc object was freed twice");
	fixture_close(f);
}

/* In far pages, of any width and alignment: ranges without a byte in common never collide. */
static void test_far_objects(void **state)
{
	static const struct {
		uint64_t addr, size;
		bool hit;
	} step[] = {
		{ 0x10000, 13, false }, { 0x1000d, 3, false }, { 0x10010, 1, false },
		{ 0x10008, 8, true }, { 0x20ff8, 16, false }, { 0x21000, 8, true },
		{ 1ull << 40, 1ull << 38, false }, { (1ull << 40) + 4096, 8, true },
		{ (1ull << 41), 1ull << 30, false }, { 0xf000, 1ull << 30, true },
		{ UINT64_MAX - 23, 16, false }, { UINT64_MAX - 4096, 1ull << 20, true },
	};
	struct fixture *f;
	const struct sf_oracle_count *count;
	uint64_t hits = 0;

	(void)state;
	f = fixture_open(sf_invariant_bit(SF_INV_MEM_1), NULL);
	EMIT(f, HEAP, heap, .allocator = "far", .caps = SF_CAP_ADDRESS, .settings = &f->set);
	EMIT(f, BEGIN, run, .ops = 1);
	count = sf_judge_counts(f->j);
	for (uint32_t i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
		EMIT(f, ALLOC, alloc, .id = i, .api = SF_API_FOREIGN, .cache = SF_NONE, .n = 1,
		     .addr = step[i].addr, .size = step[i].size, .dirty = SF_GOOD,
		     .old_id = SF_NONE, .bad = SF_GOOD);
		hits += step[i].hit;
		if (count[SF_INV_MEM_1].violations != hits)
			print_error("step %u\n", i);
		assert_int_equal(count[SF_INV_MEM_1].violations, hits);
	}
	EMIT(f, BEGIN, run, .ops = 1);
	EMIT(f, ALLOC, alloc, .id = 0, .api = SF_API_FOREIGN, .cache = SF_NONE, .n = 1,
	     .addr = 0x10008, .size = 1ull << 41, .dirty = SF_GOOD, .old_id = SF_NONE,
	     .bad = SF_GOOD);
	assert_int_equal(count[SF_INV_MEM_1].violations, hits);
	fixture_close(f);
}

static void make_new_valid(struct sf_event *ev, bool odd)
{
	if (ev->type == SF_EV_PIN)
		ev->pin.on = odd;
	if (ev->type == SF_EV_OOM)
		ev->oom.guess = odd;
	if (ev->type == SF_EV_SHRINK)
		ev->shrink.stopped = odd;
	if (ev->type == SF_EV_RECLAIM)
		ev->reclaim.begin = odd;
	if (ev->type == SF_EV_GRACE)
		ev->grace.barrier = odd;
	if (ev->type == SF_EV_RESERVE)
		ev->claim.whole = ev->claim.merge = ev->claim.release = odd;
	if (ev->type == SF_EV_CHARGE)
		ev->charge.uncharge = ev->charge.refused = odd && ev->charge.bytes % 2;
	if (ev->type == SF_EV_SNAP_MEMCG)
		ev->snapmemcg.online = odd;
	if (ev->type == SF_EV_ALLOC || ev->type == SF_EV_REALLOC)
		ev->alloc.touched = odd;
	if (ev->type == SF_EV_STATS)
		ev->stats.final = odd;
	if (ev->type == SF_EV_INTEGRITY)
		ev->integrity.what = odd ? "hostile" : NULL;
	if (ev->type == SF_EV_WARN)
		ev->warn.what = odd ? "hostile" : NULL;
	if (ev->type == SF_EV_CRASH) {
		ev->crash.refusal = odd;
		ev->crash.title = "hostile";
	}
}

/*
 * What the sender of an event vouches for even if nothing in it is true: pointers, and a bool that
 * is neither 0 nor 1 is undefined before the judge sees it.
 */
static void make_valid(struct sf_event *ev, const uint64_t words[4], const uint16_t index[4],
		       bool odd)
{
	if (ev->type == SF_EV_CACHE) {
		ev->cache.name = "hostile";
		ev->cache.boot = false;
		ev->cache.large = odd;
	}
	if (ev->type == SF_EV_COMPACT)
		ev->compact.begin = ev->compact.skipped = ev->compact.success = odd;
	if (ev->type == SF_EV_MAPPING)
		ev->mapping.read = ev->mapping.write = ev->mapping.exec = odd;
	if (ev->type == SF_EV_CTYPE) {
		ev->ctype.canonical = ev->ctype.name = "hostile";
		ev->ctype.pointer = odd;
	}
	if (ev->type == SF_EV_MAP)
		ev->map = (struct sf_ev_map){ .addr = words[0], .pages = 4, .pfns = words };
	if (ev->type == SF_EV_SLAB_ORDER) {
		ev->slaborder.objects %= 5;
		ev->slaborder.index = index;
	}
	if (ev->type == SF_EV_SNAP_SLAB) {
		ev->snapslab.nr_free %= 5;
		ev->snapslab.free = words;
		ev->snapslab.stored = odd ? words : NULL;
		ev->snapslab.flag_partial = odd;
	}
	if (ev->type == SF_EV_SNAP_SHEAF) {
		ev->snapsheaf.nr %= 5;
		ev->snapsheaf.objs = words;
	}
	if (ev->type == SF_EV_SNAP_PCP) {
		ev->snappcp.nr %= 5;
		ev->snappcp.pfns = words;
	}
	if (ev->type == SF_EV_ALLOC || ev->type == SF_EV_REALLOC)
		ev->alloc.overflow = ev->alloc.moved = ev->alloc.forced = ev->alloc.lru = odd;
	if (ev->type == SF_EV_FREE)
		ev->free.known = !(ev->free.implied = false);
	if (ev->type >= SF_EV_CACHE_CREATE && ev->type <= SF_EV_BUCKETS_CREATE)
		ev->cacheop.merged = odd;
	if (ev->type == SF_EV_ATTACK)
		ev->attack.noticed = odd;
	if (ev->type == SF_EV_RMQUEUE)
		ev->rmqueue.nofragment = ev->rmqueue.to_pcp = odd;
	if (ev->type == SF_EV_CLAIM)
		ev->claim.whole = ev->claim.merge = ev->claim.release = odd;
	if (ev->type >= SF_EV_PAGE_ALLOC && ev->type <= SF_EV_PCP_DRAIN)
		ev->page.pcp = ev->page.reserve = odd;
	if (ev->type == SF_EV_PAGE_FAIL)
		ev->pagefail.refused = odd;
	make_new_valid(ev, odd);
	if (ev->type == SF_EV_SNAP_BEGIN)
		ev->snap.final = odd;
}

static void in_all(struct fixture *f)
{
	f->caps |= SF_CAP_RANDOM | SF_CAP_TYPED | SF_CAP_RECLAIM | SF_CAP_RCU | SF_CAP_MEMCG |
		   SF_CAP_COMPACT;
	f->set.accounting = 1;
	in_virtual(f);
	in_offset(f);
	in_aligned(f);
	in_wiped(f);
	in_misuse(f);
}

static void hostile(void (*mode)(struct fixture *f))
{
	static const uint64_t edge[] = { 0, 1, 2, 5, 10, 11, 63, 255, 4095, PAGES - 1, PAGES,
					 1ull << 31, SF_NONE, SF_DIRECT_MAP, SF_VMALLOC,
					 SF_DIRECT_MAP + 64, SF_SLAB_WINDOW,
					 SF_SLAB_WINDOW + WINDOW_PAGES * SF_PAGE_SIZE - 8,
					 1ull << 63, UINT64_MAX };
	struct fixture *f;
	uint64_t x = 1, words[4] = { 0 };

	f = fixture_open(0, mode);
	for (unsigned int i = 0; i < 60000; i++) {
		uint16_t index[4] = { (uint16_t)i, 1, (uint16_t)(i >> 3), 0 };
		struct sf_event ev;
		uint64_t raw[sizeof(ev) / 8];

		for (size_t k = 0; k < sizeof(raw) / 8; k++) {
			x = x * 6364136223846793005ull + 1442695040888963407ull;
			raw[k] = x >> 60 < 9 ? x >> 62 : edge[(x >> 40) % (sizeof(edge) / 8)];
		}
		memcpy(&ev, raw, sizeof(raw));
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		ev.type = 1 + (x >> 33) % (SF_EV_TYPES - 1);
		if (i % 500 == 0)
			begin(f);
		if (ev.type == SF_EV_TAINT && i % 500 < 400)
			continue;
		words[i % 4] = raw[3];
		make_valid(&ev, words, index, i & 1);
		sf_judge_event(f->j, &ev);
	}
	assert_true(f->nr_titles > 0);
	fixture_close(f);
}

/* Whatever events say, the judge neither crashes nor loops (run this one under the sanitizers). */
static void test_hostile_events(void **state)
{
	(void)state;
	hostile(NULL);
	hostile(in_all);
}

/* Runs sf_trap() in a child: the signal it died of, or 0 if it returned. */
static int trap_signal(const char *expect)
{
	struct sf_violation v = { .invariant = SF_INV_BUD_3, .op = 4 };
	int status;
	pid_t pid;

	snprintf(v.title, sizeof(v.title), "BUD-3: free buddies were not merged");
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (expect)
			setenv("SLABFUZZ_EXPECT", expect, 1);
		else
			unsetenv("SLABFUZZ_EXPECT");
		signal(SIGILL, SIG_DFL); /* cmocka's handlers would go on in the child */
		signal(SIGTRAP, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		if (!freopen("/dev/null", "w", stderr))
			_exit(3);
		sf_trap(&v);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	return WEXITSTATUS(status) ? -WEXITSTATUS(status) : 0;
}

static void test_trap_and_expect(void **state)
{
	(void)state;
	assert_true(trap_signal(NULL) > 0);
	assert_true(trap_signal("BUD-3: free buddies") > 0);
	assert_int_equal(trap_signal("BUD-2"), 0);
}

static void test_table(void **state)
{
	(void)state;
	assert_string_equal(sf_invariants[SF_INV_MEM_17].id, "MEM-17");
	assert_string_equal(sf_invariants[SF_INV_ISO_18].id, "ISO-18");
	assert_int_equal(sf_invariants[SF_INV_ACC_7].cost, SF_COST_WALK);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_clean_stream_is_silent),
		cmocka_unit_test(test_broken_streams_have_exact_titles),
		cmocka_unit_test(test_negative_controls),
		cmocka_unit_test(test_taint_stops_the_rest),
		cmocka_unit_test(test_attacks_are_counted),
		cmocka_unit_test(test_ledger),
		cmocka_unit_test(test_begin_forgets),
		cmocka_unit_test(test_skips_are_counted_with_reason),
		cmocka_unit_test(test_recorded_frees),
		cmocka_unit_test(test_far_objects),
		cmocka_unit_test(test_hostile_events),
		cmocka_unit_test(test_trap_and_expect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
