/* SPDX-License-Identifier: MIT */
/*
 * page_internal.h - what the files of the page allocator share, and no other may use.
 *
 *   page_alloc.c  the buddy: free lists, splitting, claiming, stealing, merging; boot layout
 *   page_pcp.c    per-CPU page lists
 *   page_gfp.c    watermarks, the slow path, alloc_pages_exact(); the calls of page_alloc.h
 *   vmscan.c      reclaim
 *   compact.c     compaction
 *   overcommit.c  estimates
 *   shuffle.c     the order of the largest free blocks
 *
 * Relies on arena.h. One rule holds everywhere: the descriptor of a page that is neither the head
 * of a block nor the tail of a block in use is all zero, so what leaves a list is cleared at once.
 * But a large block on a per-CPU list may keep its tails (has_tails()).
 */
#ifndef SLABFUZZ_PAGE_INTERNAL_H
#define SLABFUZZ_PAGE_INTERNAL_H

#include "arena.h"

#define MAX_PAGE_ORDER (SF_NR_ORDERS - 1)
#define NO_LIST 0xff /* sf_ev_page.list: no per-CPU list was involved */
#define SWAP_CLUSTER_MAX 32 /* pages that a round of direct reclaim is to free */

enum {
	WMARK_MIN,
	WMARK_LOW,
	WMARK_HIGH,
};

enum alloc_flags {
	ALLOC_MIN_RESERVE = 1u << 0,   /* __GFP_HIGH: half of the mark */
	ALLOC_NON_BLOCK = 1u << 1,     /* no direct reclaim: with the above a quarter less still */
	ALLOC_NO_WATERMARKS = 1u << 2,
	ALLOC_HIGHATOMIC = 1u << 3,    /* high orders that may not wait: the reserve is theirs */
	ALLOC_KSWAPD = 1u << 4,
	/* Whose watermark counts the free pages of the HIGHATOMIC reserve. */
	ALLOC_RESERVES = ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK | ALLOC_HIGHATOMIC,
};

/* What is looked for in the free lists. */
struct take {
	unsigned int order;
	unsigned int type;
	bool to_pcp; /* refills a per-CPU list */
	bool kswapd; /* may wake kswapd */
};

static inline struct page_list empty_list(void)
{
	return (struct page_list){ NO_PFN, NO_PFN, 0 };
}

static inline void touch_block(struct arena *a, uint32_t pfn, unsigned int order)
{
	uint32_t end = pfn + (1u << order);

	for (uint32_t p = pfn; p < end; p = (p | 63) + 1)
		arena_touch(a, p);
}

static inline void page_list_add(struct arena *a, struct page_list *l, uint32_t pfn, bool tail)
{
	struct page *pg = &a->page[pfn];
	uint32_t old = tail ? l->tail : l->head;

	pg->next = tail ? NO_PFN : old;
	pg->prev = tail ? old : NO_PFN;
	if (old == NO_PFN) {
		l->head = l->tail = pfn;
	} else {
		arena_touch(a, old);
		*(tail ? &a->page[old].next : &a->page[old].prev) = pfn;
		*(tail ? &l->tail : &l->head) = pfn;
	}
	l->nr++;
}

static inline void page_list_del(struct arena *a, struct page_list *l, uint32_t pfn)
{
	struct page *pg = &a->page[pfn];

	if (pg->prev != NO_PFN)
		arena_touch(a, pg->prev);
	if (pg->next != NO_PFN)
		arena_touch(a, pg->next);
	*(pg->prev == NO_PFN ? &l->head : &a->page[pg->prev].next) = pg->next;
	*(pg->next == NO_PFN ? &l->tail : &a->page[pg->next].prev) = pg->prev;
	l->nr--;
}

static inline unsigned int block_type(const struct zone *z, uint32_t pfn)
{
	return z->block_type[pfn >> z->pageblock_order];
}

/*
 * A block that comes from a per-CPU list, or goes to one, has the tails that it needs: to clear the
 * descriptors of 2 MiB and write them again is most of what its next owner would pay for it. They
 * are cleared when it is drained. Small blocks are not worth the question.
 */
static inline bool has_tails(const struct page *pg, unsigned int order)
{
	return order > PAGE_ALLOC_COSTLY_ORDER && pg[1].state == PAGE_TAIL;
}

/* --- page_alloc.c --- */

/*
 * A block off the free lists, its descriptors all zero; NO_PFN if there is none (mm/page_alloc.c:
 * __rmqueue). `mode` goes in and out: a bulk goes on where it last succeeded, and begins with OWN.
 */
uint32_t buddy_take(struct sf_heap *h, const struct take *tk, enum sf_rmqueue_mode *mode);
/* Back to the free lists, merged. Descriptors are all zero; order <= pageblock_order. */
void buddy_free(struct sf_heap *h, uint32_t pfn, unsigned int order, bool to_tail);
/* As buddy_take(), from the HIGHATOMIC reserve. */
uint32_t buddy_take_reserve(struct sf_heap *h, const struct take *tk);
/* The low 2^order pages of the free block at `pfn`, for compaction; the rest stays free. */
void buddy_isolate(struct sf_heap *h, uint32_t pfn, unsigned int order);
/* Would buddy_take() find a block without stealing (mm/compaction.c:__compact_finished)? */
bool buddy_has(const struct sf_heap *h, unsigned int order, unsigned int type);
/* The page blocks around a block just taken are kept for high-order atomic requests from now on. */
void reserve_highatomic(struct sf_heap *h, uint32_t pfn, unsigned int order);
/*
 * A page block of the reserve becomes one of `type`. True if it had free pages. The last one is let
 * go only by force.
 */
bool unreserve_highatomic(struct sf_heap *h, unsigned int type, bool force);

/* --- page_pcp.c --- */

/* Batch and high mark, from the zone's size and marks. */
void pcp_setup(struct sf_heap *h);
/* All lists are empty, all marks as at boot. */
void pcp_reset(struct sf_heap *h);
/* Index of the list, NO_LIST if blocks of that order do not go through per-CPU lists. */
unsigned int pcp_index(const struct zone *z, unsigned int order, unsigned int type);
/* As buddy_take(), from this CPU's list; an empty one is refilled if `refill`. */
uint32_t pcp_pop(struct sf_heap *h, const struct take *tk, bool refill);
/* The same, and no run of frees ends by it. */
uint32_t pcp_take(struct sf_heap *h, const struct take *tk, bool refill);
/* A block off all lists, to the head of this CPU's list; what is too much goes to the buddy. */
void pcp_push(struct sf_heap *h, uint32_t pfn, unsigned int order, unsigned int index);
/* All lists of one CPU are emptied. */
void pcp_drain(struct sf_heap *h, unsigned int cpu);

/* --- page_gfp.c --- */

/* MIN, LOW and HIGH from the zone's size; all 0 with watermarks off. */
void wmark_setup(struct sf_heap *h);
/* mm/page_alloc.c:__zone_watermark_ok: are there more pages than the mark, and a block? */
bool watermark_ok(const struct zone *z, unsigned int order, uint64_t mark, unsigned int flags);

static inline uint64_t wmark_pages(const struct zone *z, unsigned int wmark)
{
	return z->wmark[wmark] + z->boost;
}

/* The descriptors of a block off the lists become its new owner's. */
void page_hand_out(struct sf_heap *h, uint32_t pfn, unsigned int order, unsigned int type);

#endif
