/* SPDX-License-Identifier: MIT */
/*
 * rcu.h - frees that wait for a grace period (rcu.c), after mm/slub.c and mm/slab_common.c of
 * Linux 7.2.
 */
#ifndef SLABFUZZ_RCU_H
#define SLABFUZZ_RCU_H

#include "heap.h"

/* --- the structures: of rcu.c, which alone changes them, and for heap_check.c to walk --- */

enum rcu_kind {
	RCU_OBJECT,       /* `what`: its address */
	RCU_SLAB,         /* its head */
	RCU_SHEAF,        /* which; it goes to the barn */
	RCU_SHEAF_NOBARN, /* ... to the slabs */
};

struct rcu_callback {
	uint64_t what;
	uint32_t cache; /* of a sheaf */
	uint8_t kind;   /* enum rcu_kind */
	uint8_t cpu;    /* where it was queued, and runs */
};

struct rcu {
	struct rcu_callback *queue;
	uint32_t nr, cap;
	uint32_t nr_open; /* sheaves that CPUs are filling, of all caches */
	uint64_t nr_graces;
};

/* --- what can be done --- */

/* The interface's grace_period() and rcu_barrier(). */
void rcu_grace_period(struct sf_heap *h);
void rcu_barrier(struct sf_heap *h);
/*
 * A tracked object waits for a grace period; its user is notified. SF_KFREE_RCU: kfree_rcu(), by a
 * sheaf where the cache has some (mm/slub.c:__kfree_rcu_sheaf); else call_rcu(), and a plain free
 * then. 0 and SF_ZERO_SIZE_PTR: nothing happens.
 */
void rcu_defer(struct sf_heap *h, uint64_t addr, enum sf_free_how how);
/* An empty slab of a SLAB_TYPESAFE_BY_RCU cache, off all lists. */
void rcu_defer_slab(struct sf_heap *h, uint32_t head);
/* This CPU's sheaf of kfree_rcu() does not wait to become full (mm/slub.c:flush_rcu_sheaf). */
void rcu_hand_over(struct sf_heap *h, struct kcache *s);
/*
 * kmem_cache_destroy() waits for all that may concern the cache (kvfree_rcu_barrier_on_cache), and
 * at its end for the slabs that it freed (rcu_barrier).
 */
void rcu_barrier_on_cache(struct sf_heap *h, struct kcache *s);
void rcu_barrier_on_slabs(struct sf_heap *h);
/* Sheaves that are queued, from *at == 0 on. False: no more. */
bool rcu_next_sheaf(const struct sf_heap *h, uint32_t *at, uint32_t *cache, uint32_t *sheaf);
/* Nothing waits any more; sheaves and slabs are reset by their owners. */
void rcu_reset(struct sf_heap *h);
void rcu_free(struct sf_heap *h);

#endif
