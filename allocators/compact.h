/* SPDX-License-Identifier: MIT */
/*
 * compact.h - compaction (compact.c), after mm/compaction.c of Linux 7.2. Orders and marks as in
 * page_internal.h.
 */
#ifndef SLABFUZZ_COMPACT_H
#define SLABFUZZ_COMPACT_H

#include "page_internal.h"

enum compact_result {
	COMPACT_SKIPPED,  /* too few free pages to work with */
	COMPACT_COMPLETE, /* nothing more to be had */
	COMPACT_SUCCESS,  /* there is a block now */
};

/* mm/compaction.c:compact_gap: free pages that compaction needs above a mark. */
static inline uint64_t compact_gap(unsigned int order)
{
	uint64_t gap = 2ull << order;

	return gap < SWAP_CLUSTER_MAX ? gap : SWAP_CLUSTER_MAX;
}

/* Are there free pages enough to work with (mm/compaction.c:__compaction_suitable)? */
bool compaction_has_pages(const struct zone *z, unsigned int order, uint64_t mark);
/* ... and is fragmentation the reason that a request would fail? */
bool compaction_suitable(const struct zone *z, unsigned int order, uint64_t mark);
/* For a request of that order, with its alloc_flags (mm/compaction.c:try_to_compact_pages). */
enum compact_result compact_order(struct sf_heap *h, uint32_t gfp, unsigned int order,
				  unsigned int type, unsigned int flags,
				  enum sf_compact_mode priority);
/* The interface's compact(). */
void compact_zone(struct sf_heap *h);

#endif
