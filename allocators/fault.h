/* SPDX-License-Identifier: MIT */
/*
 * fault.h - injected failures (fault.c), after lib/fault-inject.c, mm/failslab.c and
 * mm/fail_page_alloc.c of Linux 7.2.
 */
#ifndef SLABFUZZ_FAULT_H
#define SLABFUZZ_FAULT_H

#include "heap.h"

/* The interface's fail(): the request after `after` more fails. */
void fault_fail(struct sf_heap *h, enum sf_fault kind, uint64_t after);
/* The interface's fault_attr(). */
void fault_set(struct sf_heap *h, enum sf_fault kind, const struct sf_fault_attr *attr);
/* None is injected any more. */
void fault_reset(struct sf_heap *h);
bool fault_fires_slow(struct sf_heap *h, enum sf_fault kind, uint32_t gfp, uint64_t size);

/*
 * True if an injected failure of that kind fires now, which emits FAULT. `size`: bytes (SLAB), or
 * the order (PAGE). __GFP_NOFAIL is never failed.
 */
static inline bool fault_fires(struct sf_heap *h, enum sf_fault kind, uint32_t gfp, uint64_t size)
{
	return __builtin_expect(h->faults, false) && fault_fires_slow(h, kind, gfp, size);
}

#endif
