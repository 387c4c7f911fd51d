/* SPDX-License-Identifier: MIT */
/*
 * slab_internal.h - what the files of the slab layer share, and what lru.c, rcu.c, memcg.c and
 * snapshot.c need of them and of each other; nobody else may use it.
 */
#ifndef SLABFUZZ_SLAB_INTERNAL_H
#define SLABFUZZ_SLAB_INTERNAL_H

#include "heap.h"

/* --- slab.c --- */

/*
 * Everything parked in sheaves of all CPUs and in the barn goes back to the slabs; what waits for a
 * grace period is handed to RCU.
 */
void sheaves_flush(struct sf_heap *h, struct kcache *s);
uint32_t sheaf_new(struct sf_heap *h, const struct kcache *s);
void sheaf_drop(struct sf_heap *h, uint32_t id);
/* Its objects go to their slabs, at most `batch` at once. */
void sheaf_flush(struct sf_heap *h, struct kcache *s, uint32_t id, uint32_t batch);
uint32_t sheaf_list_pop(struct sf_heap *h, uint32_t *list, uint32_t *nr);
void sheaf_list_push(struct sf_heap *h, uint32_t *list, uint32_t *nr, uint32_t id);
/* What is due when an object is freed, before it is parked: uncharged, wiped, poisoned. */
void slab_free_hook(struct sf_heap *h, struct kcache *s, uint64_t addr);
/* The grace period of an empty slab (rcu_defer_slab()) is over. */
void slab_free_deferred(struct sf_heap *h, uint32_t head);
/* kmem_cache_shrink()'s part: frees empty slabs, orders the rest by free objects. */
void slab_shrink_partial(struct sf_heap *h, struct kcache *s);
/* kmem_cache_destroy()'s part: frees empty slabs. */
void slab_free_empty(struct sf_heap *h, struct kcache *s);

/* --- kmalloc.c --- */

/* How far into its slot an object of that slab begins. */
static inline uint64_t offset_in_slot(const struct sf_heap *h, const struct kcache *s,
				      uint32_t head, uint64_t addr)
{
	return h->set.slot_offset ? (addr - slab_addr(h, head)) % s->stride : 0;
}

/* --- lru.c --- */

/* Values of the setting. */
enum accounting {
	ACCOUNTING_NONE,
	ACCOUNTING_INDIRECT,
	ACCOUNTING_RECLAIMABLE,
};

/* krealloc(): the object is at `to` now, or has another size. Call where nr_tracked is not 0. */
void lru_resized(struct sf_heap *h, uint64_t from, uint64_t to);
/* lru_forget() of objects that are freed at once, which may own one another. */
void lru_forget_bulk(struct sf_heap *h, uint32_t n, const uint64_t *addrs);
/* What a cache was destroyed over is leaked: its shrinker frees no more. */
void lru_cache_gone(struct sf_heap *h, uint32_t cache);
/* rcu_defer()'s part: tells its user, whose it is not from here on. */
void lru_defer(struct sf_heap *h, uint64_t addr, enum sf_free_how how);
/*
 * A deferred object goes now, and what it owns before it; lru_gone() is to follow its free. False:
 * what is there was not deferred, which takes a misuse, and nobody is told.
 */
bool lru_going(struct sf_heap *h, uint64_t addr, uint32_t *cookie);
void lru_gone(struct sf_heap *h, uint32_t cookie, uint64_t addr, bool freed);
/* All of that, by what its address is. */
void lru_free_deferred(struct sf_heap *h, uint64_t addr);

/* --- rcu.c --- */

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

/* --- memcg.c --- */

/* Is an object charged for that is asked of this cache with these flags? */
static inline bool memcg_is_due(const struct sf_heap *h, const struct kcache *s, uint32_t gfp)
{
	return (gfp & SF_GFP_ACCOUNT || s->flags & SF_SLAB_ACCOUNT) && h->set.memcg &&
	       !h->set.nokmem;
}

/* Who is charged for what is at `addr`, be it destroyed since; SF_NONE: nobody. */
uint32_t memcg_of(const struct sf_heap *h, uint64_t addr);
/* Is `group` that one, or below it? */
bool memcg_below(const struct sf_heap *h, uint32_t group, uint32_t memcg);
/* One more or less that a shrinker could free is charged to it. */
void memcg_count_lru(struct sf_heap *h, uint32_t group, bool more);
/* Could a shrinker free anything that is charged to the group or below? */
bool memcg_has_lru(const struct sf_heap *h, uint32_t memcg);
/* The groups, from *at == 0 on. False: no more. */
bool memcg_next(const struct sf_heap *h, uint32_t *at, struct sf_ev_snapmemcg *ev);

/* --- freelist.c --- */

/* A next-word as it is stored at address `at`, and back (mm/slub.c:freelist_ptr_encode). */
static inline uint64_t freelist_code(const struct sf_heap *h, const struct kcache *s, uint64_t word,
				     uint64_t at)
{
	return h->set.freelist_hardened ? word ^ s->secret ^ __builtin_bswap64(at) : word;
}

/* The object becomes the head of the list of its slab, which begins at `base`. */
static inline void freelist_push(struct sf_heap *h, const struct kcache *s, struct page *pg,
				 uint64_t base, uint64_t addr)
{
	uint64_t at = addr + s->freeptr;

	raw_store(h, at, freelist_code(h, s, pg->freelist ? base + (pg->freelist - 1) * 8ull : 0,
				       at));
	pg->freelist = (uint32_t)((addr - base) / 8) + 1;
}

/* The list leads out of its slab, to `addr`: it ends here. */
void freelist_corrupt(struct sf_heap *h, struct page *pg, uint64_t addr) __attribute__((cold));

/*
 * The head of a list that is not empty, and the list goes on with the next. A word that misuse left
 * there may say anything: what is no word of this slab ends the list.
 */
static inline uint64_t freelist_pop(struct sf_heap *h, const struct kcache *s, struct page *pg,
				    uint64_t base)
{
	uint64_t addr = base + (pg->freelist - 1) * 8ull, at = addr + s->freeptr;
	uint64_t next = freelist_code(h, s, raw_load(h, at), at), off = next - base;
	uint64_t word = off >> 3 | off << 61; /* far too large unless a multiple of 8 */

	if (!next)
		pg->freelist = 0;
	else if (word < (SF_PAGE_SIZE / 8) << pg->order)
		pg->freelist = (uint32_t)word + 1;
	else
		freelist_corrupt(h, pg, next);
	return addr;
}

/*
 * The order in which a fresh slab hands out its objects, in h->order_buf: ascending, or with
 * freelist_random from a random place of the cache's permutation on, cyclically.
 */
void freelist_order(struct sf_heap *h, struct kcache *s, unsigned int objects);
/* SLAB_ORDER: `n` objects were taken at once, the list is walked for the rest. */
void freelist_tell(struct sf_heap *h, const struct kcache *s, uint32_t head, const uint64_t *taken,
		   unsigned int n);

#endif
