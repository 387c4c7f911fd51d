/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.h - areas of pages that are contiguous in addresses only (vmalloc.c), after mm/vmalloc.c
 * of Linux 7.2; and what areas of pools consist of.
 */
#ifndef SLABFUZZ_VMALLOC_H
#define SLABFUZZ_VMALLOC_H

#include "heap.h"

/* `size` bytes in an area of its own. 0: none; *status says SF_NULL or SF_BLOCKED. */
uint64_t vmalloc(struct sf_heap *h, uint64_t size, uint32_t gfp, enum sf_status *status);
/* The area that begins at `addr`; else nothing but a warning. */
void vfree(struct sf_heap *h, uint64_t addr);
/*
 * mm/vmalloc.c:vrealloc_node_align, of an area that begins at `addr`: in place while its pages
 * suffice. 0: none, the old area is as it was; *status as vmalloc().
 */
uint64_t vrealloc(struct sf_heap *h, uint64_t addr, uint64_t size, uint32_t gfp,
		  enum sf_status *status);
/* NULL if no area begins there, or it is a pool's. */
struct vm_area *vmalloc_area(const struct sf_heap *h, uint64_t addr);

static inline uint64_t area_addr(const struct vm_area *v)
{
	return SF_VMALLOC + ((uint64_t)v->start << SF_PAGE_SHIFT);
}

/*
 * An area for a pool, by its index: addresses, and pages that are all zero. No event, and nothing
 * is mapped on the host. SF_NONE: it cannot be had.
 */
uint32_t vmalloc_take(struct sf_heap *h, uint32_t pages, uint32_t pool);
/* Its pages go back. */
void vmalloc_give(struct sf_heap *h, uint32_t area);

#endif
