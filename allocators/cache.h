/* SPDX-License-Identifier: MIT */
/*
 * cache.h - caches: geometry, merging, creation, destruction (cache.c), after mm/slub.c and
 * mm/slab_common.c of Linux 7.2.
 *
 * A cache is known by its id, which is its place in h->cache[] and is never used again before
 * reset.
 */
#ifndef SLABFUZZ_CACHE_H
#define SLABFUZZ_CACHE_H

#include "heap.h"

/* No cache yet, no sheaf. After arena_init(). */
void cache_init(struct sf_heap *h);
/* All caches, buckets and sheaves, at the end of a heap. Before arena_free(). */
void cache_free_all(struct sf_heap *h);
/* Boot caches as at boot, others gone. Slab pages are the arena's to reset, and were. */
void cache_reset(struct sf_heap *h);
/*
 * A cache without slabs, after what rq asks for; not announced. NULL: no slab can hold such an
 * object, or the host has no memory. Boot caches are made before the heap is handed out.
 */
struct kcache *cache_new(struct sf_heap *h, const struct sf_cache_request *rq, uint8_t kind,
			 unsigned int partition, uint32_t class_size);
/* CACHE: what it is, again when that has changed. */
void cache_announce(struct sf_heap *h, const struct kcache *s);
/* The interface's functions of these names. */
uint32_t cache_create(struct sf_heap *h, const struct sf_cache_request *rq, bool *merged);
enum sf_status cache_destroy(struct sf_heap *h, uint32_t cache);
int cache_shrink(struct sf_heap *h, uint32_t cache);

#endif
