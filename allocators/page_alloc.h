/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.h - the page allocator's calls (page_gfp.c, and page_alloc.c for the zone), after
 * mm/page_alloc.c of Linux 7.2.
 *
 * Blocks are named by their first frame and have 2^order frames. A block belongs to the caller from
 * page_alloc() until page_free(), descriptors included. What the page allocator's own files share
 * is in page_internal.h.
 */
#ifndef SLABFUZZ_PAGE_ALLOC_H
#define SLABFUZZ_PAGE_ALLOC_H

#include "heap.h"

/* False, and one line in `err`: the host has no memory for it. After arena_init(). */
bool zone_init(struct sf_heap *h, struct sf_error *err);
void zone_free(struct sf_heap *h);
/* After arena_reset(): free lists, counters, block types, per-CPU lists as at boot. */
void zone_reset(struct sf_heap *h);

/*
 * include/linux/gfp.h:gfp_migratetype, of the bits (MOVABLE, RECLAIMABLE). Both together is a
 * caller's bug, there as here: treated as MOVABLE.
 */
static inline unsigned int gfp_migratetype(uint32_t gfp)
{
	if (gfp & SF_GFP_MOVABLE)
		return SF_MIGRATE_MOVABLE;
	return gfp & SF_GFP_RECLAIMABLE ? SF_MIGRATE_RECLAIMABLE : SF_MIGRATE_UNMOVABLE;
}

/* Migrate type of the page block that the frame is in. */
unsigned int page_block_type(const struct sf_heap *h, uint32_t pfn);
/* include/asm-generic/getorder.h: ceil(log2(pages of `size` bytes)); size >= 1. */
unsigned int get_order(uint64_t size);

/*
 * A block of 2^order frames whose descriptors are its owner's from now on (state PAGE_USED, head
 * set in every tail; the caller changes state as it needs). NO_PFN if it cannot be had; *status
 * says SF_NULL or SF_BLOCKED (__GFP_NOFAIL that can never be met). Zeroed if gfp has __GFP_ZERO,
 * charged to the active memory cgroup if it has __GFP_ACCOUNT. An order above the largest is
 * refused with a warning, as there.
 */
uint32_t page_alloc(struct sf_heap *h, uint32_t gfp, unsigned int order, enum sf_status *status);
/* As above, for who has no use for a smaller block: __GFP_NORETRY is one real try (page_gfp.c). */
uint32_t page_alloc_whole(struct sf_heap *h, uint32_t gfp, unsigned int order,
			  enum sf_status *status);
/*
 * mm/page_alloc.c:alloc_pages_bulk_noprof: single pages into what is 0 of pages[0..n), opened for
 * their owner, until the per-CPU lists and what refills them give no more. Returns how many entries
 * are filled, from the first on.
 */
uint32_t page_alloc_bulk(struct sf_heap *h, uint32_t gfp, uint32_t n, uint64_t *pages,
			 enum sf_status *status);
/*
 * The whole block, or single pages after page_split(). Uncharges; wipes with init_on_free. False:
 * the block is not in use, or not all of it: it stays as it is, after a warning. A second free does
 * not end a page's references, so that the kernel frees nothing either (mm/page_alloc.c:
 * ___free_pages, put_page_testzero()). Only a misuse leads there.
 */
bool page_free(struct sf_heap *h, uint32_t pfn, unsigned int order);
/* A block in use becomes single pages, each to be freed by itself (or in any larger block). */
void page_split(struct sf_heap *h, uint32_t pfn, unsigned int order);
/*
 * mm/page_alloc.c:alloc_pages_exact: ceil(size / 4096) single pages in a row, the rest of the block
 * given back page by page, to the tail. Errors as page_alloc(). size >= 1, and the same to free.
 */
uint32_t page_alloc_exact(struct sf_heap *h, uint64_t size, uint32_t gfp, enum sf_status *status);
/* Closes what is freed, too. */
void page_free_exact(struct sf_heap *h, uint32_t pfn, uint64_t size);
/*
 * mm/page_alloc.c:drain_all_pages: all CPUs' lists go back to the buddy. The interface's drain().
 */
void page_drain_all(struct sf_heap *h);

#endif
