// SPDX-License-Identifier: MIT
/*
 * page_gfp.c - what gfp flags buy: watermarks, the slow path; the calls of the page allocator.
 *
 * Follows Linux 7.2's mm/page_alloc.c (get_page_from_freelist, __alloc_pages_slowpath). Relies on
 * page_alloc.c and page_pcp.c, vmscan.c and compact.c; slabs, large kmalloc and vmalloc get their
 * pages here. Reclaim and a charge change any list, cache or group: nothing is kept over them.
 *
 * What differs from the kernel: an out-of-memory killer finds no process to kill: where the kernel
 * would kill and loop, the request fails after OOM was declared. There are no pages but of slabs to
 * reclaim, which the kernel's should_reclaim_retry() does not count, as it relies on the page
 * cache: here a round that met its goal is reason enough for another one. For the same reason
 * per-CPU lists are drained after a round without progress too. kswapd takes back the watermark
 * boost as soon as it is woken; all else it does on request. Compaction does not capture
 * the block that it makes.
 */
#include "arena.h"
#include "compact.h"
#include "fault.h"
#include "heap_assert.h"
#include "memcg.h"
#include "page_alloc.h"
#include "page_internal.h"
#include "slab.h"
#include "vmscan.h"

#include <string.h>

#define MAX_RECLAIM_RETRIES 16
#define MAX_COMPACT_RETRIES 16

/* One request as it goes down the slow path. */
struct request {
	uint32_t gfp;
	unsigned int order, type;
	bool whole;           /* a smaller block is of no use: page_alloc_whole() */
	uint64_t mark;        /* the last one it was held against */
	unsigned int flags;   /* enum alloc_flags, of the slow path */
	enum sf_attempt attempt;
	bool reserves;        /* flags were changed for __GFP_MEMALLOC */
	uint32_t rounds;      /* of direct reclaim */
	uint64_t progress;    /* of the last of them */
	unsigned int no_progress; /* rounds without, in a row */
	bool compact_first;
	enum sf_compact_mode priority;
	enum compact_result compacted;
	unsigned int compactions; /* that should have helped, at this priority */
};

/* --- watermarks --- */

static uint64_t isqrt(uint64_t n)
{
	uint64_t root = 0;

	for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
		if ((root + bit) * (root + bit) <= n)
			root += bit;
	return root;
}

/*
 * mm/page_alloc.c:calculate_min_free_kbytes, __setup_per_zone_wmarks. That khugepaged raises the
 * minimum where there are transparent huge pages is left out.
 */
void wmark_setup(struct sf_heap *h)
{
	struct zone *z = &h->zone;
	uint64_t kbytes = isqrt(16 * 4 * (uint64_t)z->managed), min, gap;

	memset(z->wmark, 0, sizeof(z->wmark));
	if (!h->set.watermarks)
		return;
	if (kbytes < 128)
		kbytes = 128;
	if (kbytes > 262144)
		kbytes = 262144;
	min = kbytes / 4;
	gap = z->managed / 1000; /* watermark_scale_factor: 10 of 10000 */
	if (gap < min / 4)
		gap = min / 4;
	z->wmark[WMARK_MIN] = min;
	z->wmark[WMARK_LOW] = min + gap;
	z->wmark[WMARK_HIGH] = min + 2 * gap;
	heap_assert(h, z->wmark[WMARK_MIN] < z->wmark[WMARK_LOW]);
	heap_assert(h, z->wmark[WMARK_LOW] < z->wmark[WMARK_HIGH]);
}

static bool has_block(const struct zone *z, unsigned int order, unsigned int flags)
{
	unsigned int types = flags & ALLOC_HIGHATOMIC ? SF_MIGRATE_TYPES : SF_MIGRATE_HIGHATOMIC;

	for (unsigned int o = order; o <= MAX_PAGE_ORDER; o++) {
		if (!z->nr_free[o])
			continue;
		for (unsigned int t = 0; t < types; t++)
			if (z->free[o][t].head != NO_PFN)
				return true;
	}
	return false;
}

/* The comparison is strict. */
bool watermark_ok(const struct zone *z, unsigned int order, uint64_t mark, unsigned int flags)
{
	int64_t left = (int64_t)z->nr_free_pages - ((1 << order) - 1);
	int64_t min = (int64_t)mark;

	if (!(flags & ALLOC_RESERVES))
		left -= (int64_t)z->nr_free_highatomic;
	if (flags & ALLOC_MIN_RESERVE) {
		min -= min / 2;
		if (flags & ALLOC_NON_BLOCK)
			min -= min / 4;
	}
	return left > min && (order == 0 || has_block(z, order, flags));
}

/* mm/page_alloc.c:zone_watermark_fast; leaves the mark in the request. */
static bool may_take(const struct zone *z, struct request *rq, unsigned int wmark,
		     unsigned int flags)
{
	rq->mark = wmark_pages(z, wmark);
	if (watermark_ok(z, rq->order, rq->mark, flags))
		return true;
	/* A boost is no reason to fail the small requests that matter most. */
	if (rq->order == 0 && (flags & ALLOC_MIN_RESERVE) && wmark == WMARK_MIN && z->boost) {
		rq->mark = z->wmark[WMARK_MIN];
		return watermark_ok(z, 0, rq->mark, flags);
	}
	return false;
}

/* --- one attempt --- */

void page_hand_out(struct sf_heap *h, uint32_t pfn, unsigned int order, unsigned int type)
{
	struct page *pg = &h->arena.page[pfn];
	uint32_t n = 1u << order;

	heap_assert(h, is_block(h, pfn, order));
	heap_assert(h, pg->state == PAGE_BOOT);
	heap_assert(h, type < SF_MIGRATE_HIGHATOMIC);
	touch_block(&h->arena, pfn, order);
	pg->next = pg->prev = NO_PFN;
	pg->state = PAGE_USED;
	pg->order = (uint8_t)order;
	pg->list = (uint8_t)type;
	if (has_tails(pg, order))
		return;
	for (uint32_t i = 1; i < n; i++) {
		pg[i].state = PAGE_TAIL;
		pg[i].head = pfn;
	}
}

/*
 * mm/page_alloc.c:rmqueue_buddy. The reserve is first for whom it is for, and last for others who
 * cannot wait: to fail them now is worse.
 */
static uint32_t take_buddy(struct sf_heap *h, const struct take *tk, unsigned int flags)
{
	enum sf_rmqueue_mode mode = SF_RMQUEUE_OWN;
	uint32_t pfn = NO_PFN;

	heap_assert(h, tk->type < SF_MIGRATE_HIGHATOMIC);
	if (flags & ALLOC_HIGHATOMIC)
		pfn = buddy_take_reserve(h, tk);
	if (pfn == NO_PFN)
		pfn = buddy_take(h, tk, &mode);
	if (pfn == NO_PFN && (flags & ALLOC_NON_BLOCK))
		pfn = buddy_take_reserve(h, tk);
	if (pfn != NO_PFN && (flags & ALLOC_HIGHATOMIC))
		reserve_highatomic(h, pfn, tk->order);
	return pfn;
}

/* mm/page_alloc.c:get_page_from_freelist, rmqueue */
static uint32_t get_page(struct sf_heap *h, struct request *rq, unsigned int wmark,
			 unsigned int flags)
{
	struct zone *z = &h->zone;
	const struct take tk = { .order = rq->order, .type = rq->type,
				 .kswapd = flags & ALLOC_KSWAPD };
	unsigned int list = pcp_index(z, rq->order, rq->type);
	uint64_t before = z->nr_free_pages;
	uint32_t pfn = NO_PFN;
	bool pcp, ok = !z->below_high && may_take(z, rq, WMARK_HIGH, flags);

	heap_assert(h, rq->order <= MAX_PAGE_ORDER && rq->type < SF_MIGRATE_HIGHATOMIC);
	heap_assert(h, wmark <= WMARK_HIGH);
	if (!ok) {
		z->below_high = true;
		ok = may_take(z, rq, wmark, flags);
	}
	if (!ok && !(flags & ALLOC_NO_WATERMARKS))
		return NO_PFN;
	if (list != NO_LIST)
		pfn = pcp_pop(h, &tk, !(flags & ALLOC_HIGHATOMIC));
	pcp = pfn != NO_PFN;
	if (!pcp)
		pfn = take_buddy(h, &tk, flags);
	if (z->boosted && tk.kswapd)
		z->boost = z->boosted = 0;
	if (pfn == NO_PFN)
		return NO_PFN;
	page_hand_out(h, pfn, rq->order, rq->type);
	EMIT(h, PAGE_ALLOC, page, .pfn = pfn, .order = (uint8_t)rq->order,
	     .migratetype = (uint8_t)rq->type, .list = (uint8_t)(pcp ? list : NO_LIST),
	     .cpu = (uint8_t)h->cpu, .gfp = rq->gfp, .pcp = pcp,
	     .attempt = (uint8_t)rq->attempt,
	     .reserve = flags & (ALLOC_MIN_RESERVE | ALLOC_NO_WATERMARKS),
	     .free_before = pcp ? 0 : before, .mark = pcp ? 0 : rq->mark);
	heap_assert(h, h->arena.page[pfn].state == PAGE_USED);
	return pfn;
}

/* --- the slow path --- */

/* mm/page_alloc.c:gfp_to_alloc_flags */
static unsigned int alloc_flags(uint32_t gfp, unsigned int order)
{
	unsigned int flags = gfp & SF_GFP_HIGH ? ALLOC_MIN_RESERVE : 0;

	if (gfp & SF_GFP_KSWAPD_RECLAIM)
		flags |= ALLOC_KSWAPD;
	if (!(gfp & SF_GFP_DIRECT_RECLAIM) && !(gfp & SF_GFP_NOMEMALLOC)) {
		flags |= ALLOC_NON_BLOCK;
		if (order > 0 && (gfp & SF_GFP_HIGH))
			flags |= ALLOC_HIGHATOMIC;
	}
	return flags;
}

/* mm/page_alloc.c:__gfp_pfmemalloc_flags. Who reclaims is PF_MEMALLOC. */
static bool may_use_reserves(const struct sf_heap *h, uint32_t gfp)
{
	return !(gfp & SF_GFP_NOMEMALLOC) && ((gfp & SF_GFP_MEMALLOC) || h->reclaiming);
}

/* include/linux/gfp.h:gfp_compaction_allowed */
static bool can_compact(const struct request *rq)
{
	return (rq->gfp & SF_GFP_DIRECT_RECLAIM) && (rq->gfp & SF_GFP_IO);
}

static bool is_costly(const struct request *rq)
{
	return rq->order > PAGE_ALLOC_COSTLY_ORDER;
}

/* mm/page_alloc.c:__alloc_pages_direct_reclaim */
static uint32_t direct_reclaim(struct sf_heap *h, struct request *rq)
{
	uint32_t pfn = NO_PFN;

	rq->rounds++;
	rq->attempt = SF_ATTEMPT_RECLAIMED;
	rq->progress = vmscan_direct(h, rq->gfp, rq->order);
	heap_assert(h, !h->reclaiming || !rq->progress);
	if (rq->progress)
		pfn = get_page(h, rq, WMARK_MIN, rq->flags);
	if (pfn != NO_PFN)
		return pfn;
	/* Pages may be kept in the reserve or on per-CPU lists. */
	unreserve_highatomic(h, rq->type, false);
	page_drain_all(h);
	return get_page(h, rq, WMARK_MIN, rq->flags);
}

/* mm/page_alloc.c:__alloc_pages_direct_compact */
static uint32_t direct_compact(struct sf_heap *h, struct request *rq)
{
	uint32_t pfn;

	if (!rq->order || !can_compact(rq))
		return NO_PFN;
	rq->compacted = compact_order(h, rq->gfp, rq->order, rq->type, rq->flags,
				      rq->priority);
	if (rq->compacted == COMPACT_SKIPPED || !h->nr_tracked)
		return NO_PFN;
	h->vm.compact_stall++;
	rq->attempt = SF_ATTEMPT_COMPACTED;
	pfn = get_page(h, rq, WMARK_MIN, rq->flags);
	if (pfn != NO_PFN)
		h->vm.compact_success++;
	return pfn;
}

/* Before OOM the last page block of the reserve goes. */
static bool should_reclaim_retry(struct sf_heap *h, struct request *rq)
{
	const struct zone *z = &h->zone;

	if (rq->progress && !is_costly(rq))
		rq->no_progress = 0;
	else
		rq->no_progress++;
	if (rq->no_progress <= MAX_RECLAIM_RETRIES) {
		if (watermark_ok(z, rq->order, wmark_pages(z, WMARK_MIN), rq->flags))
			return true;
		if (!is_costly(rq) && rq->progress >= SWAP_CLUSTER_MAX)
			return true;
	}
	return unreserve_highatomic(h, rq->type, true);
}

static bool should_compact_retry(const struct sf_heap *h, struct request *rq)
{
	unsigned int most = is_costly(rq) ? MAX_COMPACT_RETRIES / 4 : MAX_COMPACT_RETRIES;

	if (!rq->order)
		return false;
	if (rq->compacted == COMPACT_SKIPPED)
		return compaction_has_pages(&h->zone, rq->order,
					    wmark_pages(&h->zone, WMARK_MIN));
	if (rq->compacted == COMPACT_SUCCESS && ++rq->compactions <= most)
		return true;
	if (rq->priority <= (is_costly(rq) ? SF_COMPACT_SYNC_LIGHT : SF_COMPACT_SYNC_FULL))
		return false;
	rq->priority--;
	rq->compactions = 0;
	return true;
}

/*
 * Without __GFP_FS no process is killed, but the caller goes on as if one had been
 * (mm/oom_kill.c:out_of_memory).
 */
static void out_of_memory(struct sf_heap *h, const struct request *rq)
{
	if (!(rq->gfp & SF_GFP_FS))
		return;
	h->vm.oom_kill++;
	EMIT(h, OOM, oom, .policy = (uint8_t)h->set.oom, .order = (uint8_t)rq->order,
	     .migratetype = (uint8_t)rq->type, .gfp = rq->gfp, .memcg = SF_NONE,
	     .rounds = rq->rounds, .free = h->zone.nr_free_pages, .mark = rq->mark);
}

/* mm/page_alloc.c:__alloc_pages_may_oom, and what the setting oom=flush does before it. */
static uint32_t may_oom(struct sf_heap *h, struct request *rq)
{
	uint64_t mark = rq->mark;
	uint32_t pfn;

	rq->attempt = SF_ATTEMPT_LAST;
	pfn = get_page(h, rq, WMARK_HIGH, 0);
	rq->mark = mark;
	if (pfn != NO_PFN || is_costly(rq) ||
	    (rq->gfp & (SF_GFP_RETRY_MAYFAIL | SF_GFP_THISNODE | SF_GFP_DMA | SF_GFP_DMA32)))
		return pfn;
	if (h->set.oom == SF_OOM_FLUSH) {
		slab_flush_all(h);
		page_drain_all(h);
		rq->attempt = SF_ATTEMPT_SLOW;
		pfn = get_page(h, rq, WMARK_MIN, rq->flags);
		if (pfn != NO_PFN)
			return pfn;
	}
	rq->attempt = SF_ATTEMPT_LAST;
	out_of_memory(h, rq);
	if (rq->gfp & SF_GFP_NOFAIL)
		return get_page(h, rq, WMARK_MIN, ALLOC_NO_WATERMARKS);
	return NO_PFN;
}

/* With the flags that slow_path() begins with, and then with those of whom reserves are for. */
static uint32_t try_flags(struct sf_heap *h, struct request *rq)
{
	uint32_t pfn;

	rq->attempt = SF_ATTEMPT_SLOW;
	if (rq->flags & ALLOC_KSWAPD)
		h->zone.boost = 0;
	pfn = get_page(h, rq, WMARK_MIN, rq->flags);
	if (pfn != NO_PFN || rq->reserves || !may_use_reserves(h, rq->gfp))
		return pfn;
	rq->reserves = true;
	rq->flags = ALLOC_NO_WATERMARKS | (rq->flags & ALLOC_KSWAPD);
	return get_page(h, rq, WMARK_MIN, rq->flags);
}

/* Reclaim and compaction. True: try again; else *pfn is what came of it. */
static bool make_room(struct sf_heap *h, struct request *rq, uint32_t *pfn)
{
	bool noretry = rq->gfp & SF_GFP_NORETRY;

	if (!(rq->gfp & SF_GFP_DIRECT_RECLAIM) || h->reclaiming)
		return false;
	if (!rq->compact_first)
		*pfn = direct_reclaim(h, rq);
	if (*pfn == NO_PFN)
		*pfn = direct_compact(h, rq);
	if (*pfn != NO_PFN)
		return false;
	if (rq->compact_first) {
		/* No pressure on one node for this; per-CPU lists are drained as ever. */
		if (noretry && (rq->gfp & SF_GFP_THISNODE)) {
			page_drain_all(h);
			rq->attempt = SF_ATTEMPT_SLOW;
			*pfn = get_page(h, rq, WMARK_MIN, rq->flags);
			return false;
		}
		if (!noretry)
			rq->priority = SF_COMPACT_SYNC_LIGHT;
		rq->compact_first = false;
		return true;
	}
	if (noretry || (is_costly(rq) && !(can_compact(rq) && rq->gfp & SF_GFP_RETRY_MAYFAIL)))
		return false;
	if (should_reclaim_retry(h, rq))
		return true;
	if (rq->progress && can_compact(rq) && should_compact_retry(h, rq))
		return true;
	*pfn = may_oom(h, rq);
	return false;
}

/*
 * __GFP_NORETRY has only what is quick tried for it, as most who say so have a smaller order next.
 * For a whole block its one round is a real one: pages move out of page blocks of any type.
 */
static bool is_quick(const struct request *rq)
{
	return rq->compact_first && !(rq->whole && rq->gfp & SF_GFP_NORETRY);
}

static void prepare(const struct sf_heap *h, struct request *rq)
{
	rq->flags = alloc_flags(rq->gfp, rq->order);
	/* What is not movable should not spread over page blocks if some can be emptied for it. */
	rq->compact_first = h->nr_tracked && can_compact(rq) &&
			    (is_costly(rq) || (rq->order && rq->type != SF_MIGRATE_MOVABLE));
	rq->priority = is_quick(rq) ? SF_COMPACT_ASYNC : SF_COMPACT_SYNC_LIGHT;
	rq->compacted = COMPACT_SKIPPED;
}

/*
 * mm/page_alloc.c:__alloc_pages_slowpath. __GFP_NOFAIL, where others give up, gets a last look into
 * the reserves and begins anew; once nothing more is reclaimed that would go on for ever.
 */
static uint32_t slow_path(struct sf_heap *h, struct request *rq, enum sf_status *status)
{
	bool nofail = rq->gfp & SF_GFP_NOFAIL, direct = rq->gfp & SF_GFP_DIRECT_RECLAIM;
	uint64_t stolen;
	uint32_t pfn;

	if (nofail && !direct)
		EMIT(h, WARN, warn, .what = "__GFP_NOFAIL without __GFP_DIRECT_RECLAIM");
	prepare(h, rq);
	do {
		stolen = h->vm.pgsteal_slab;
		do {
			pfn = try_flags(h, rq);
		} while (pfn == NO_PFN && make_room(h, rq, &pfn));
		if (pfn == NO_PFN && nofail && direct) {
			rq->attempt = SF_ATTEMPT_LAST;
			pfn = get_page(h, rq, WMARK_MIN, ALLOC_MIN_RESERVE);
		}
	} while (pfn == NO_PFN && nofail && h->vm.pgsteal_slab != stolen);
	if (pfn != NO_PFN)
		return pfn;
	if (nofail && direct)
		*status = SF_BLOCKED;
	EMIT(h, PAGE_FAIL, pagefail, .order = (uint8_t)rq->order,
	     .migratetype = (uint8_t)rq->type, .gfp = rq->gfp, .free = h->zone.nr_free_pages,
	     .mark = rq->flags & ALLOC_NO_WATERMARKS ? 0 : rq->mark);
	return NO_PFN;
}

/* --- the calls --- */

/* mm/page_alloc.c: both bits set are the caller's bug; gfp_migratetype() reads that as MOVABLE. */
static unsigned int request_type(const struct sf_heap *h, uint32_t gfp)
{
	return h->zone.one_type ? SF_MIGRATE_UNMOVABLE : gfp_migratetype(gfp);
}

static uint32_t refuse(struct sf_heap *h, uint32_t gfp, unsigned int order)
{
	if (!(gfp & SF_GFP_NOWARN))
		EMIT(h, WARN, warn, .what = "order > MAX_PAGE_ORDER");
	EMIT(h, PAGE_FAIL, pagefail, .order = (uint8_t)order,
	     .migratetype = (uint8_t)request_type(h, gfp), .gfp = gfp,
	     .free = h->zone.nr_free_pages, .refused = true);
	return NO_PFN;
}

/* mm/page_alloc.c:__alloc_frozen_pages_noprof: __GFP_ACCOUNT, once there is a page. */
static bool is_charged(const struct sf_heap *h, uint32_t gfp)
{
	return (gfp & SF_GFP_ACCOUNT) && h->memcg != SF_NONE && h->set.memcg && !h->set.nokmem;
}

static uint32_t alloc_block(struct sf_heap *h, uint32_t gfp, unsigned int order, bool whole,
			    enum sf_status *status)
{
	struct request rq = { .gfp = gfp, .order = order, .whole = whole };
	uint32_t pfn;

	*status = SF_NULL;
	if (order > MAX_PAGE_ORDER)
		return refuse(h, gfp, order);
	if (fault_fires(h, SF_FAULT_PAGE, gfp, order))
		return NO_PFN;
	rq.type = request_type(h, gfp);
	pfn = get_page(h, &rq, WMARK_LOW, gfp & SF_GFP_KSWAPD_RECLAIM ? ALLOC_KSWAPD : 0);
	if (pfn == NO_PFN)
		pfn = slow_path(h, &rq, status);
	if (pfn == NO_PFN)
		return NO_PFN;
	*status = SF_OK;
	heap_assert(h, h->arena.page[pfn].state == PAGE_USED && h->arena.page[pfn].order == order);
	heap_assert(h, !order || h->arena.page[pfn + (1u << order) - 1].head == pfn);
	/* With init_on_free it was wiped before: no work, even if it was written to since. */
	if (((gfp & SF_GFP_ZERO) || h->set.init_on_alloc) && !h->set.init_on_free)
		raw_wipe(h, pfn_addr(pfn), SF_PAGE_SIZE << order);
	if (is_charged(h, gfp) &&
	    !memcg_charge(h, pfn_addr(pfn), SF_PAGE_SIZE << order, gfp)) {
		page_free(h, pfn, order);
		*status = SF_NULL;
		return NO_PFN;
	}
	heap_assert(h, h->arena.page[pfn].state == PAGE_USED);
	return pfn;
}

uint32_t page_alloc(struct sf_heap *h, uint32_t gfp, unsigned int order, enum sf_status *status)
{
	return alloc_block(h, gfp, order, false, status);
}

uint32_t page_alloc_whole(struct sf_heap *h, uint32_t gfp, unsigned int order,
			  enum sf_status *status)
{
	return alloc_block(h, gfp, order, true, status);
}

/* The one page of alloc_pages_bulk() that comes by the way of all others. */
static uint32_t bulk_single(struct sf_heap *h, uint32_t gfp, uint64_t *page, enum sf_status *status)
{
	uint32_t pfn = page_alloc(h, gfp, 0, status);

	if (pfn == NO_PFN)
		return 0;
	*page = pfn_addr(pfn);
	arena_open(h, *page, SF_PAGE_SIZE);
	return 1;
}

/*
 * A page from this CPU's lists, no watermark asked (mm/page_alloc.c:__rmqueue_pcplist); 0: none.
 * That a run of frees is over (rmqueue_pcplist) a bulk does not notice.
 */
static uint64_t bulk_page(struct sf_heap *h, const struct request *rq)
{
	const struct take tk = { .order = 0, .type = rq->type };
	uint32_t pfn = pcp_take(h, &tk, true);

	if (pfn == NO_PFN)
		return 0;
	page_hand_out(h, pfn, 0, rq->type);
	EMIT(h, PAGE_ALLOC, page, .pfn = pfn, .migratetype = (uint8_t)rq->type,
	     .list = (uint8_t)pcp_index(&h->zone, 0, rq->type), .cpu = (uint8_t)h->cpu,
	     .gfp = rq->gfp, .pcp = true, .attempt = SF_ATTEMPT_BULK);
	if (((rq->gfp & SF_GFP_ZERO) || h->set.init_on_alloc) && !h->set.init_on_free)
		raw_wipe(h, pfn_addr(pfn), SF_PAGE_SIZE);
	arena_open(h, pfn_addr(pfn), SF_PAGE_SIZE);
	return pfn_addr(pfn);
}

/*
 * What is charged, a single page, and what the mark LOW does not allow all of, comes one page at a
 * time: that is, one page.
 */
uint32_t page_alloc_bulk(struct sf_heap *h, uint32_t gfp, uint32_t n, uint64_t *pages,
			 enum sf_status *status)
{
	struct request rq = { .gfp = gfp };
	const struct zone *z = &h->zone;
	uint32_t at = 0, got = 0;

	*status = SF_OK;
	while (at < n && pages[at])
		at++;
	if (at == n)
		return n;
	*status = SF_NULL;
	if (n - at == 1 || ((gfp & SF_GFP_ACCOUNT) && h->set.memcg && !h->set.nokmem))
		return at + bulk_single(h, gfp, &pages[at], status);
	if (fault_fires(h, SF_FAULT_PAGE, gfp, 0))
		return at;
	rq.type = request_type(h, gfp);
	if (!watermark_ok(z, 0, wmark_pages(z, WMARK_LOW) + n - at, 0))
		return at + bulk_single(h, gfp, &pages[at], status);
	for (; at < n; at++) {
		if (pages[at])
			continue;
		pages[at] = bulk_page(h, &rq);
		if (!pages[at])
			break;
		got++;
	}
	if (!got)
		return at + bulk_single(h, gfp, &pages[at], status);
	*status = SF_OK;
	return at;
}

/* Of a block that may consist of pages that were charged each for itself (page_split()). */
static void uncharge(struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	for (uint32_t p = pfn; h->nr_charged && p < pfn + (1u << order); p++)
		memcg_uncharge(h, pfn_addr(p));
}

/* mm/page_alloc.c:__free_pages_prepare; `tails` are left as they are. */
static void free_prepare(struct sf_heap *h, uint32_t pfn, unsigned int order, bool tails)
{
	heap_assert(h, is_block(h, pfn, order));
	if (h->nr_charged)
		uncharge(h, pfn, order);
	touch_block(&h->arena, pfn, order);
	memset(&h->arena.page[pfn], 0, sizeof(struct page) << (tails ? 0 : order));
	if (h->set.init_on_free)
		raw_wipe(h, pfn_addr(pfn), SF_PAGE_SIZE << order);
}

/* One block in use, or nothing but whole ones: what is freed twice is not. */
static bool in_use(const struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	uint64_t end = pfn + (1ull << order), p = pfn;

	if (!is_block(h, pfn, order))
		return false;
	while (p < end && h->arena.page[p].state == PAGE_USED)
		p += 1ull << h->arena.page[p].order;
	return p == end;
}

bool page_free(struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	const struct zone *z = &h->zone;
	unsigned int type, list;

	heap_assert(h, in_use(h, pfn, order));
	heap_assert(h, h->arena.page[pfn].order == order || h->arena.page[pfn].order == 0);
	if (!in_use(h, pfn, order)) {
		warn(h, "page: freed, and not in use", pfn_addr(pfn));
		return false;
	}
	type = block_type(z, pfn);
	/* What belongs to the reserve gets back there when it is drained. */
	list = pcp_index(z, order, type < SF_MIGRATE_HIGHATOMIC ? type : SF_MIGRATE_MOVABLE);
	free_prepare(h, pfn, order, list != NO_LIST && has_tails(&h->arena.page[pfn], order));
	EMIT(h, PAGE_FREE, page, .pfn = pfn, .order = (uint8_t)order, .migratetype = (uint8_t)type,
	     .list = (uint8_t)list, .cpu = (uint8_t)h->cpu, .pcp = list != NO_LIST);
	heap_assert(h, h->arena.page[pfn].state == PAGE_BOOT);
	if (list != NO_LIST) {
		pcp_push(h, pfn, order, list);
		return true;
	}
	/* Each page block for itself: types may differ (mm/page_alloc.c:split_large_buddy). */
	for (uint32_t end = pfn + (1u << order); pfn < end; pfn += 1u << order) {
		if (order > z->pageblock_order)
			order = z->pageblock_order;
		buddy_free(h, pfn, order, false);
	}
	return true;
}

unsigned int get_order(uint64_t size)
{
	uint64_t last = (size - 1) >> SF_PAGE_SHIFT; /* size 0: as in the kernel, far too large */

	return last ? 64 - (unsigned int)__builtin_clzll(last) : 0;
}

void page_split(struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	struct page *pg = &h->arena.page[pfn];
	uint8_t type = pg->list;

	heap_assert(h, pg->state == PAGE_USED && pg->order == order);
	heap_assert(h, is_block(h, pfn, order));
	if (h->nr_charged)
		memcg_split(h, pfn, order);
	for (uint32_t i = 0; i < 1u << order; i++)
		pg[i] = (struct page){ .next = NO_PFN, .prev = NO_PFN, .state = PAGE_USED,
				       .list = type };
	heap_assert(h, pg[(1u << order) - 1].state == PAGE_USED);
}

/* mm/page_alloc.c:make_alloc_exact: the rest passes by the per-CPU lists, to the tail. */
uint32_t page_alloc_exact(struct sf_heap *h, uint64_t size, uint32_t gfp, enum sf_status *status)
{
	unsigned int order = get_order(size);
	uint32_t pfn, end, keep;

	if (gfp & (SF_GFP_COMP | SF_GFP_HIGHMEM)) {
		EMIT(h, WARN, warn, .what = "alloc_pages_exact: __GFP_COMP or __GFP_HIGHMEM");
		gfp &= ~(uint32_t)(SF_GFP_COMP | SF_GFP_HIGHMEM);
	}
	pfn = page_alloc(h, gfp, order, status);
	if (pfn == NO_PFN)
		return NO_PFN;
	end = pfn + (1u << order);
	keep = pfn + (uint32_t)((size - 1) >> SF_PAGE_SHIFT) + 1;
	heap_assert(h, size && keep > pfn && keep <= end);
	page_split(h, pfn, order);
	for (uint32_t p = keep; p < end; p++) {
		free_prepare(h, p, 0, false);
		EMIT(h, PAGE_FREE, page, .pfn = p, .migratetype = (uint8_t)block_type(&h->zone, p),
		     .list = NO_LIST, .cpu = (uint8_t)h->cpu);
		buddy_free(h, p, 0, true);
	}
	return pfn;
}

void page_free_exact(struct sf_heap *h, uint32_t pfn, uint64_t size)
{
	uint32_t end = pfn + (uint32_t)((size - 1) >> SF_PAGE_SHIFT) + 1;

	heap_assert(h, size && end <= h->zone.managed);
	for (; pfn < end; pfn++)
		if (page_free(h, pfn, 0))
			arena_close(h, pfn_addr(pfn), SF_PAGE_SIZE);
}
