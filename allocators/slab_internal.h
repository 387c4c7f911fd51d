/* SPDX-License-Identifier: MIT */
/*
 * slab_internal.h - what cache.c needs of slab.c.
 */
#ifndef SLABFUZZ_SLAB_INTERNAL_H
#define SLABFUZZ_SLAB_INTERNAL_H

#include "heap.h"

/* Everything parked in sheaves of all CPUs and in the barn goes back to the slabs. */
void sheaves_flush(struct sf_heap *h, struct kcache *s);
/* kmem_cache_shrink()'s part: frees empty slabs, orders the rest by free objects. */
void slab_shrink_partial(struct sf_heap *h, struct kcache *s);
/* kmem_cache_destroy()'s part: frees empty slabs. */
void slab_free_empty(struct sf_heap *h, struct kcache *s);

#endif
