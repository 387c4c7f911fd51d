/* SPDX-License-Identifier: MIT */
/*
 * bucket.h - sets of caches, one a size class (bucket.c), after kmem_buckets_create() of
 * mm/slab_common.c of Linux 7.2.
 */
#ifndef SLABFUZZ_BUCKET_H
#define SLABFUZZ_BUCKET_H

#include "heap.h"

/* The interface's buckets_create() and buckets_shrink(). */
uint32_t bucket_create(struct sf_heap *h, const char *name, uint32_t flags, uint32_t usersize);
void bucket_shrink(struct sf_heap *h, uint32_t bucket);
/* There are no sets any more; their caches are cache_reset()'s. */
void bucket_reset(struct sf_heap *h);

#endif
