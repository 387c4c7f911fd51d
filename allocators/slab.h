/* SPDX-License-Identifier: MIT */
/*
 * slab.h - objects of caches: the calls of slab.c, after mm/slub.c of Linux 7.2.
 *
 * Addresses are those of objects' slots; sizes are bytes. What the slab layer's own files share is
 * in slab_internal.h.
 */
#ifndef SLABFUZZ_SLAB_H
#define SLABFUZZ_SLAB_H

#include "heap.h"

/*
 * One object, unpoisoned to `size` bytes, zeroed whole if gfp asks for it, charged if that is due
 * (memcg.h). 0: none; *status says SF_NULL or SF_BLOCKED.
 */
uint64_t slab_alloc(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint64_t size,
		    enum sf_status *status);
/*
 * As above for kmalloc_nolock(): takes what is there and makes no effort. *refused: by the limit of
 * a memory cgroup, and not for lack of memory.
 */
uint64_t slab_alloc_nolock(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint64_t size,
			   bool *refused);
/*
 * The object to the cache, which after a misuse need not be that of its slab: uncharged, wiped with
 * init_on_free, poisoned. False: noticed, and dropped.
 */
bool slab_free(struct sf_heap *h, struct kcache *s, uint64_t addr);
/* kfree_nolock(): makes no effort and does not wipe. */
bool slab_free_nolock(struct sf_heap *h, struct kcache *s, uint64_t addr);
/*
 * mm/slub.c:kmem_cache_alloc_bulk: n objects in addrs[], or none and false; errors as slab_alloc().
 */
bool slab_alloc_bulk(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint32_t n, uint64_t *addrs,
		     enum sf_status *status);
/* mm/slub.c:kmem_cache_free_bulk: to sheaves as long as that makes no work, the rest to slabs. */
void slab_free_bulk(struct sf_heap *h, struct kcache *s, uint32_t n, const uint64_t *addrs);
/* All that is parked of all caches goes back to the slabs, and empty slabs go (oom=flush). */
void slab_flush_all(struct sf_heap *h);
/*
 * The cache that the slab at addr belongs to, and that slab's first frame; NULL: it is in no slab.
 */
struct kcache *slab_cache(struct sf_heap *h, uint64_t addr, uint32_t *head);

#endif
