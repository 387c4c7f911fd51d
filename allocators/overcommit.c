// SPDX-License-Identifier: MIT
/*
 * overcommit.c - how much memory the counters say there is: MemAvailable, and whether a process may
 * have what it asks for.
 *
 * Follows mm/show_mem.c:si_mem_available and mm/util.c:__vm_enough_memory of Linux 7.2, and the
 * latter of 4.16 and 4.17 under the setting oom=4.16. Relies on the counters in struct sf_heap;
 * snapshots and the interface read it. Left out: there is no page cache, no swap, and nothing is
 * committed: a process that may have its pages does not get them.
 */
#include "overcommit.h"
#include "page_internal.h"

#define ADMIN_RESERVE_MAX 2048 /* 8 MiB (mm/mmap.c:init_admin_reserve) */

/* mm/page_alloc.c:calculate_totalreserve_pages: of the marks as they were set up, without boost. */
uint64_t totalreserve(const struct sf_heap *h)
{
	const struct zone *z = &h->zone;

	return z->wmark[WMARK_HIGH] < z->managed ? z->wmark[WMARK_HIGH] : z->managed;
}

/* The counter of 4.17 became NR_KERNEL_MISC_RECLAIMABLE, in pages. Nothing writes it in 7.2. */
uint64_t misc_reclaimable(const struct sf_heap *h)
{
	return h->indirect_bytes >> SF_PAGE_SHIFT;
}

/* mm/show_mem.c:si_mem_available. 4.17 added the indirect bytes in full, beside the cap. */
uint64_t mem_available(const struct sf_heap *h)
{
	const struct zone *z = &h->zone;
	uint64_t reclaimable = h->nr_slab_reclaimable, low = z->wmark[WMARK_LOW] + z->boost;
	uint64_t have = z->nr_free_pages + misc_reclaimable(h), reserve = totalreserve(h);

	have += reclaimable - (reclaimable / 2 < low ? reclaimable / 2 : low);
	return have > reserve ? have - reserve : 0;
}

/* mm/util.c:__vm_enough_memory in 4.16, OVERCOMMIT_GUESS: a request must ask for less than this. */
static uint64_t guess_416(const struct sf_heap *h)
{
	uint64_t admin = h->zone.managed / 32, off = totalreserve(h);
	uint64_t have = h->zone.nr_free_pages + h->nr_slab_reclaimable + misc_reclaimable(h);

	off += admin < ADMIN_RESERVE_MAX ? admin : ADMIN_RESERVE_MAX;
	return have > off ? have - off : 0;
}

enum sf_status overcommit_enough(struct sf_heap *h, uint64_t pages)
{
	bool old = h->set.oom == SF_OOM_416;
	uint64_t guessed = old ? guess_416(h) : h->zone.managed;

	if (old ? pages < guessed : pages <= guessed)
		return SF_OK;
	EMIT(h, OOM, oom, .policy = (uint8_t)h->set.oom, .guess = true, .memcg = SF_NONE,
	     .free = h->zone.nr_free_pages, .mark = old ? totalreserve(h) : 0, .pages = pages,
	     .guessed = guessed);
	return SF_NULL;
}
