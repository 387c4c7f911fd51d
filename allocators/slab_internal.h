/* SPDX-License-Identifier: MIT */
/*
 * slab_internal.h - what slab.c offers to cache.c, prefill.c and rcu.c alone: sheaves, and slabs as
 * such.
 *
 * Sheaves are known by their index in h->sheaves[], which may move whenever one is made.
 */
#ifndef SLABFUZZ_SLAB_INTERNAL_H
#define SLABFUZZ_SLAB_INTERNAL_H

#include "heap.h"

/*
 * Everything parked in sheaves of all CPUs and in the barn goes back to the slabs; what waits for a
 * grace period is handed to RCU.
 */
void sheaves_flush(struct sf_heap *h, struct kcache *s);
/* An empty sheaf of that cache's capacity, which belongs to the caller until it is dropped. */
uint32_t sheaf_new(struct sf_heap *h, const struct kcache *s);
/* The same of any capacity, up to SHEAF_ROOM. */
uint32_t sheaf_of(struct sf_heap *h, uint32_t capacity);
/* The sheaves of this CPU, made at first use. */
struct cpu_cache *sheaf_cpu(struct sf_heap *h, struct kcache *s);
/* It is empty. */
void sheaf_drop(struct sf_heap *h, uint32_t id);
/* Its objects go to their slabs, at most `batch` at once. */
void sheaf_flush(struct sf_heap *h, struct kcache *s, uint32_t id, uint32_t batch);
/* The head of a list of `*nr` sheaves, at least one; and a sheaf to its head. */
uint32_t sheaf_list_pop(struct sf_heap *h, uint32_t *list, uint32_t *nr);
void sheaf_list_push(struct sf_heap *h, uint32_t *list, uint32_t *nr, uint32_t id);
/*
 * Up to `max` objects from the slabs, past the sheaves; what is not needed goes back there by
 * slab_return_unused(), which reorders the array.
 */
unsigned int slab_refill(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint64_t *out,
			 unsigned int max, enum sf_status *status);
void slab_return_unused(struct sf_heap *h, struct kcache *s, uint64_t *obj, uint32_t n);
/*
 * An object that was parked becomes its user's: zeroed if due, opened, charged whatever the limit.
 */
void slab_hand_over(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint64_t addr);
/* What is due when an object is freed, before it is parked: uncharged, wiped, poisoned. */
void slab_free_hook(struct sf_heap *h, struct kcache *s, uint64_t addr);
/* The grace period of an empty slab (rcu_defer_slab()) is over. */
void slab_free_deferred(struct sf_heap *h, uint32_t head);
/* kmem_cache_shrink()'s part: frees empty slabs, orders the rest by free objects. */
void slab_shrink_partial(struct sf_heap *h, struct kcache *s);
/* kmem_cache_destroy()'s part: frees empty slabs. */
void slab_free_empty(struct sf_heap *h, struct kcache *s);

#endif
