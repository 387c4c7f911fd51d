/* SPDX-License-Identifier: MIT */
/*
 * window.h - addresses of slabs under slab_virtual (window.c).
 */
#ifndef SLABFUZZ_WINDOW_H
#define SLABFUZZ_WINDOW_H

#include "heap.h"

/*
 * Addresses for a slab's 2^order frames from `pfn` on: a range that this cache had before, or a new
 * one; sets page[pfn].window. False: the window is used up, nothing has changed. window_unmap()
 * leaves the range to the cache. Both do nothing without slab_virtual.
 */
bool window_map(struct sf_heap *h, struct kcache *s, uint32_t pfn, unsigned int order);
void window_unmap(struct sf_heap *h, struct kcache *s, uint32_t pfn, unsigned int order);
/* All ranges are as at boot: none. Before slab_reset(), which forgets what was touched. */
void window_reset(struct sf_heap *h);

#endif
