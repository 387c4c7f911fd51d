/* SPDX-License-Identifier: MIT */
/*
 * cost.h - what a workload costs in memory, added up from events: bytes asked for, pages taken.
 *
 * Relies on event.h alone; `slabfuzz compare` relies on it.
 */
#ifndef SLABFUZZ_COST_H
#define SLABFUZZ_COST_H

#include <stddef.h>

#include "../../allocators/event.h"

struct sf_cost {
	uint64_t operations, allocations, failures;
	uint64_t requested;      /* bytes asked for by what is alive now */
	uint64_t pages;          /* with users now: slabs, large blocks, pages, mappings */
	uint64_t slabs;          /* now */
	uint64_t caches;         /* that ever had a slab */
	uint64_t most_pages;     /* ever */
	/* when most bytes that were asked for were alive, first */
	uint64_t peak_pages, peak_requested, peak_slabs;
	uint64_t *size;          /* by object id */
	uint8_t *used;           /* by cache id */
	size_t cap_size, cap_used;
};

/* Fits struct sf_sink.emit. */
void sf_cost_event(void *cost, const struct sf_event *ev);
void sf_cost_free(struct sf_cost *c);

/* Share of the pages then that were not asked for, 0 to 1; 0 if there were none. */
double sf_cost_overhead(const struct sf_cost *c);

#endif
