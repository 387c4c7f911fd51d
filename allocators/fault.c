// SPDX-License-Identifier: MIT
/*
 * fault.c - injected failures: the n-th request from now, and by the rules of fault-inject.
 *
 * Follows Linux 7.2's lib/fault-inject.c:should_fail_ex, mm/failslab.c and mm/fail_page_alloc.c,
 * whose /proc/self/fail-nth is fail() here: while it counts, nothing else is asked. Relies on
 * heap.h; slab.c and page_gfp.c ask before each request. Left out: filters by task, cache and stack
 * trace; requests for high memory are passed over as by default (ignore-gfp-highmem).
 */
#include "fault.h"
#include "heap_assert.h"

#include <string.h>

/* What is used up costs nothing more. */
static void update(struct sf_heap *h)
{
	h->faults = false;
	for (unsigned int kind = 0; kind < SF_FAULTS; kind++)
		if (h->fault_after[kind] || h->fault_attr[kind].probability)
			h->faults = true;
}

void fault_fail(struct sf_heap *h, enum sf_fault kind, uint64_t after)
{
	h->fault_after[kind] = after + 1;
	update(h);
}

void fault_set(struct sf_heap *h, enum sf_fault kind, const struct sf_fault_attr *attr)
{
	struct sf_fault_attr *own = &h->fault_attr[kind];

	*own = *attr;
	if (own->interval == 0)
		own->interval = 1;
	if (own->times == 0)
		own->times = 1;
	h->fault_count[kind] = 0;
	update(h);
}

void fault_reset(struct sf_heap *h)
{
	memset(h->fault_after, 0, sizeof(h->fault_after));
	memset(h->fault_attr, 0, sizeof(h->fault_attr));
	memset(h->fault_count, 0, sizeof(h->fault_count));
	h->faults = false;
}

/* mm/failslab.c:should_failslab, mm/fail_page_alloc.c:should_fail_alloc_page */
static bool exempt(const struct sf_fault_attr *attr, enum sf_fault kind, uint32_t gfp,
		   uint64_t order)
{
	if ((gfp & SF_GFP_DIRECT_RECLAIM) && !attr->wait)
		return true;
	return kind == SF_FAULT_PAGE && (order < attr->min_order || (gfp & SF_GFP_HIGHMEM));
}

/* lib/fault-inject.c:should_fail_ex: the order of the rules is part of what they mean. */
static bool attr_fires(struct sf_heap *h, enum sf_fault kind, uint64_t size)
{
	struct sf_fault_attr *attr = &h->fault_attr[kind];

	heap_assert(h, attr->interval && attr->times);
	/* What remains when a request is larger stays for those after it. */
	if (attr->space > size) {
		attr->space -= size;
		return false;
	}
	if (attr->interval > 1 && ++h->fault_count[kind] % attr->interval)
		return false;
	if (attr->probability <= (heap_random(h) >> 32) * 100 >> 32)
		return false;
	if (attr->times != UINT64_MAX && --attr->times == 0)
		attr->probability = 0;
	return true;
}

bool fault_fires_slow(struct sf_heap *h, enum sf_fault kind, uint32_t gfp, uint64_t size)
{
	const struct sf_fault_attr *attr = &h->fault_attr[kind];
	bool fires = false;

	heap_assert(h, h->faults);
	if (gfp & SF_GFP_NOFAIL)
		return false;
	if (h->fault_after[kind])
		fires = --h->fault_after[kind] == 0;
	else if (attr->probability && !exempt(attr, kind, gfp, size))
		fires = attr_fires(h, kind, kind == SF_FAULT_PAGE ? 1ull << size : size);
	if (!fires)
		return false;
	update(h);
	EMIT(h, FAULT, fault, .kind = (uint8_t)kind);
	return true;
}
