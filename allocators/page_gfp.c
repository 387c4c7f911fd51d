// SPDX-License-Identifier: MIT
/*
 * page_gfp.c - what gfp flags buy: watermarks, the slow path; the calls of the page allocator.
 *
 * Follows Linux 7.2's mm/page_alloc.c (get_page_from_freelist, __alloc_pages_slowpath). Relies on
 * page_alloc.c and page_pcp.c; slabs, large kmalloc and vmalloc get their pages here. What the
 * model leaves out: nothing can be reclaimed or compacted, so a slow path that may do either drains
 * all per-CPU lists once, tries again and is at its end. kswapd runs at once when it is woken, and
 * all it can do is to take back the watermark boost. An out-of-memory killer finds
 * nobody to kill: where the kernel would kill and loop, the request fails after OOM was declared.
 */
#include "page_internal.h"

#include <string.h>

enum {
	WMARK_MIN,
	WMARK_LOW,
	WMARK_HIGH,
};

enum alloc_flags {
	ALLOC_MIN_RESERVE = 1u << 0,   /* __GFP_HIGH: half of the mark */
	ALLOC_NON_BLOCK = 1u << 1,     /* no direct reclaim: with the above a quarter less still */
	ALLOC_NO_WATERMARKS = 1u << 2,
	ALLOC_HIGHATOMIC = 1u << 3,    /* may use the reserve for high orders, which must be felt */
	ALLOC_KSWAPD = 1u << 4,
};

/* One request as it goes down the slow path. */
struct request {
	uint32_t gfp;
	unsigned int order, type;
	uint64_t mark; /* the last one it was held against */
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
}

static bool has_block(const struct zone *z, unsigned int order)
{
	for (unsigned int o = order; o <= MAX_PAGE_ORDER; o++) {
		if (!z->nr_free[o])
			continue;
		for (unsigned int t = 0; t < SF_MIGRATE_HIGHATOMIC; t++)
			if (z->free[o][t].head != NO_PFN)
				return true;
	}
	return false;
}

/* mm/page_alloc.c:__zone_watermark_ok. The comparison is strict. */
static bool watermark_ok(const struct zone *z, unsigned int order, uint64_t mark,
			 unsigned int flags)
{
	int64_t left = (int64_t)z->nr_free_pages - ((1 << order) - 1);
	int64_t min = (int64_t)mark;

	if (flags & ALLOC_MIN_RESERVE) {
		min -= min / 2;
		if (flags & ALLOC_NON_BLOCK)
			min -= min / 4;
	}
	return left > min && (order == 0 || has_block(z, order));
}

/* mm/page_alloc.c:zone_watermark_fast; leaves the mark in the request. */
static bool may_take(const struct zone *z, struct request *rq, unsigned int wmark,
		     unsigned int flags)
{
	rq->mark = z->wmark[wmark] + z->boost;
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

static void hand_out(struct sf_heap *h, uint32_t pfn, const struct request *rq)
{
	struct page *pg = &h->arena.page[pfn];
	uint32_t n = 1u << rq->order;

	touch_block(&h->arena, pfn, rq->order);
	pg->next = pg->prev = NO_PFN;
	pg->state = PAGE_USED;
	pg->order = (uint8_t)rq->order;
	pg->list = (uint8_t)rq->type;
	for (uint32_t i = 1; i < n; i++) {
		pg[i].state = PAGE_TAIL;
		pg[i].head = pfn;
	}
}

/* mm/page_alloc.c:get_page_from_freelist, rmqueue */
static uint32_t get_page(struct sf_heap *h, struct request *rq, unsigned int wmark,
			 unsigned int flags)
{
	struct zone *z = &h->zone;
	const struct take tk = { .order = rq->order, .type = rq->type,
				 .kswapd = flags & ALLOC_KSWAPD };
	unsigned int list = pcp_index(z, rq->order, rq->type);
	enum sf_rmqueue_mode mode = SF_RMQUEUE_OWN;
	uint64_t before = z->nr_free_pages;
	uint32_t pfn = NO_PFN;
	bool pcp, ok = !z->below_high && may_take(z, rq, WMARK_HIGH, flags);

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
		pfn = buddy_take(h, &tk, &mode);
	/* kswapd runs at once, and has nothing to reclaim: the boost is what it takes back. */
	if (z->boosted && tk.kswapd)
		z->boost = z->boosted = 0;
	if (pfn == NO_PFN)
		return NO_PFN;
	hand_out(h, pfn, rq);
	EMIT(h, PAGE_ALLOC, page, .pfn = pfn, .order = (uint8_t)rq->order,
	     .migratetype = (uint8_t)rq->type, .list = (uint8_t)(pcp ? list : NO_LIST),
	     .cpu = (uint8_t)h->cpu, .gfp = rq->gfp, .pcp = pcp,
	     .reserve = flags & (ALLOC_MIN_RESERVE | ALLOC_NO_WATERMARKS),
	     .free_before = pcp ? 0 : before, .mark = pcp ? 0 : rq->mark);
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

/*
 * Whether the kernel would get as far as out_of_memory(). Without __GFP_FS that kills nobody, but
 * the caller is told to go on as if it had (mm/oom_kill.c:out_of_memory).
 */
static bool reaches_oom(const struct request *rq)
{
	return rq->order <= PAGE_ALLOC_COSTLY_ORDER &&
	       !(rq->gfp & (SF_GFP_NORETRY | SF_GFP_RETRY_MAYFAIL | SF_GFP_THISNODE | SF_GFP_DMA |
			    SF_GFP_DMA32));
}

static uint32_t out_of_memory(struct sf_heap *h, struct request *rq)
{
	if (rq->gfp & SF_GFP_FS)
		EMIT(h, OOM, pagefail, .order = (uint8_t)rq->order,
		     .migratetype = (uint8_t)rq->type, .gfp = rq->gfp,
		     .free = h->zone.nr_free_pages, .mark = rq->mark);
	if (rq->gfp & SF_GFP_NOFAIL)
		return get_page(h, rq, WMARK_MIN, ALLOC_NO_WATERMARKS);
	return NO_PFN;
}

/* __GFP_NOFAIL at its end: a last look, then it would loop for ever. */
static uint32_t never_fail(struct sf_heap *h, struct request *rq, enum sf_status *status)
{
	uint32_t pfn;

	if (!(rq->gfp & SF_GFP_DIRECT_RECLAIM))
		return NO_PFN;
	pfn = get_page(h, rq, WMARK_MIN, ALLOC_MIN_RESERVE);
	*status = SF_BLOCKED;
	return pfn;
}

/* mm/page_alloc.c:__alloc_pages_slowpath */
static uint32_t slow_path(struct sf_heap *h, struct request *rq, enum sf_status *status)
{
	unsigned int flags = alloc_flags(rq->gfp, rq->order);
	uint32_t pfn;

	if ((rq->gfp & SF_GFP_NOFAIL) && !(rq->gfp & SF_GFP_DIRECT_RECLAIM))
		EMIT(h, WARN, warn, .what = "__GFP_NOFAIL without __GFP_DIRECT_RECLAIM");
	if (rq->gfp & SF_GFP_KSWAPD_RECLAIM)
		h->zone.boost = 0;
	pfn = get_page(h, rq, WMARK_MIN, flags);
	if (pfn == NO_PFN && (rq->gfp & SF_GFP_MEMALLOC) && !(rq->gfp & SF_GFP_NOMEMALLOC)) {
		flags = ALLOC_NO_WATERMARKS | (flags & ALLOC_KSWAPD);
		pfn = get_page(h, rq, WMARK_MIN, flags);
	}
	if (pfn == NO_PFN && (rq->gfp & SF_GFP_DIRECT_RECLAIM)) {
		page_drain_all(h);
		pfn = get_page(h, rq, WMARK_MIN, flags);
		if (pfn == NO_PFN && reaches_oom(rq))
			pfn = out_of_memory(h, rq);
	}
	if (pfn == NO_PFN && (rq->gfp & SF_GFP_NOFAIL))
		pfn = never_fail(h, rq, status);
	if (pfn == NO_PFN)
		EMIT(h, PAGE_FAIL, pagefail, .order = (uint8_t)rq->order,
		     .migratetype = (uint8_t)rq->type, .gfp = rq->gfp,
		     .free = h->zone.nr_free_pages,
		     .mark = flags & ALLOC_NO_WATERMARKS ? 0 : rq->mark);
	return pfn;
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

uint32_t page_alloc(struct sf_heap *h, uint32_t gfp, unsigned int order, enum sf_status *status)
{
	struct request rq = { .gfp = gfp, .order = order };
	uint32_t pfn;

	*status = SF_NULL;
	if (order > MAX_PAGE_ORDER)
		return refuse(h, gfp, order);
	if (!(gfp & SF_GFP_NOFAIL) && fault_fires(h, SF_FAULT_PAGE))
		return NO_PFN;
	rq.type = request_type(h, gfp);
	pfn = get_page(h, &rq, WMARK_LOW, gfp & SF_GFP_KSWAPD_RECLAIM ? ALLOC_KSWAPD : 0);
	if (pfn == NO_PFN)
		pfn = slow_path(h, &rq, status);
	if (pfn == NO_PFN)
		return NO_PFN;
	*status = SF_OK;
	/* With init_on_free it was wiped before: no work, even where somebody wrote meanwhile. */
	if (((gfp & SF_GFP_ZERO) || h->set.init_on_alloc) && !h->set.init_on_free)
		raw_wipe(h, pfn_addr(pfn), SF_PAGE_SIZE << order);
	return pfn;
}

/* mm/page_alloc.c:__free_pages_prepare */
static void free_prepare(struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	touch_block(&h->arena, pfn, order);
	memset(&h->arena.page[pfn], 0, sizeof(struct page) << order);
	if (h->set.init_on_free)
		raw_wipe(h, pfn_addr(pfn), SF_PAGE_SIZE << order);
}

void page_free(struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	const struct zone *z = &h->zone;
	unsigned int type = block_type(z, pfn), list = pcp_index(z, order, type);

	free_prepare(h, pfn, order);
	EMIT(h, PAGE_FREE, page, .pfn = pfn, .order = (uint8_t)order, .migratetype = (uint8_t)type,
	     .list = (uint8_t)list, .cpu = (uint8_t)h->cpu, .pcp = list != NO_LIST);
	if (list != NO_LIST) {
		pcp_push(h, pfn, order, list);
		return;
	}
	/* Each page block for itself: types may differ (mm/page_alloc.c:split_large_buddy). */
	for (uint32_t end = pfn + (1u << order); pfn < end; pfn += 1u << order) {
		if (order > z->pageblock_order)
			order = z->pageblock_order;
		buddy_free(h, pfn, order, false);
	}
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

	for (uint32_t i = 0; i < 1u << order; i++)
		pg[i] = (struct page){ .next = NO_PFN, .prev = NO_PFN, .state = PAGE_USED,
				       .list = type };
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
	page_split(h, pfn, order);
	for (uint32_t p = keep; p < end; p++) {
		free_prepare(h, p, 0);
		EMIT(h, PAGE_FREE, page, .pfn = p, .migratetype = (uint8_t)block_type(&h->zone, p),
		     .list = NO_LIST, .cpu = (uint8_t)h->cpu);
		buddy_free(h, p, 0, true);
	}
	return pfn;
}

void page_free_exact(struct sf_heap *h, uint32_t pfn, uint64_t size)
{
	uint32_t end = pfn + (uint32_t)((size - 1) >> SF_PAGE_SHIFT) + 1;

	for (; pfn < end; pfn++)
		page_free(h, pfn, 0);
}
