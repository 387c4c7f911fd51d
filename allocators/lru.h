/* SPDX-License-Identifier: MIT */
/*
 * lru.h - what users have made known of their objects (lru.c): which may be reclaimed and in what
 * order, which go with which, which are held.
 *
 * An object is known by its address. Where nr_tracked is 0 none is, and the callers need not ask.
 */
#ifndef SLABFUZZ_LRU_H
#define SLABFUZZ_LRU_H

#include "base/hash_map.h"
#include "heap.h"

/* Values of the setting. */
enum accounting {
	ACCOUNTING_NONE,
	ACCOUNTING_INDIRECT,
	ACCOUNTING_RECLAIMABLE,
};

/* --- the structures: of lru.c, which alone changes them, and for heap_check.c to walk --- */

#define NO_ENTRY SF_MAP_NONE

struct lru_entry {
	uint64_t addr;
	uint64_t indirect;     /* bytes of h->indirect_bytes that are its */
	uint32_t cookie;
	uint32_t shrinker;     /* NO_ENTRY: none may free it */
	uint32_t group;        /* listed: the memory cgroup that is charged for it */
	uint32_t older, newer; /* listed */
	uint32_t owner;
	uint32_t first, last;  /* of what it owns, in the order of owns() */
	uint32_t next, prev;   /* of what its owner owns; `next` links unused entries */
	bool block;            /* of alloc_pages(), not of kmalloc() and its like */
	bool listed;           /* on its shrinker's list; pinned or deferred: never */
	bool pinned;
	bool deferred;         /* unowned, and waits for a grace period; it has no owner */
};

struct lru {
	struct lru_entry *e;
	uint32_t nr, cap, unused;
	uint32_t cursor;       /* what a scan looks at next, whatever goes meanwhile */
	struct sf_map by_addr;
};

/* --- the interface's set_user(), track(), owns(), pin(), shrinker() (allocator.h) --- */

void lru_set_user(struct sf_heap *h, const struct sf_user *user);
void lru_track(struct sf_heap *h, uint64_t addr, uint32_t cookie, bool lru);
bool lru_owns(struct sf_heap *h, uint64_t a, uint64_t b);
void lru_pin(struct sf_heap *h, uint64_t addr, bool on);
void lru_shrinker(struct sf_heap *h, uint32_t cache, const struct sf_shrinker *how);

/* --- reclaim --- */

/* Objects that a shrinker could free: all, or what is charged to `memcg` and below. */
uint64_t lru_count(struct sf_heap *h, uint32_t shrinker, uint32_t memcg);
/* Frees, or defers, up to `nr` of them, the oldest first, with all they own: how many (owners). */
uint64_t lru_scan(struct sf_heap *h, uint32_t shrinker, uint64_t nr, uint32_t memcg);

/* --- what happens to tracked objects --- */

void lru_forget_slow(struct sf_heap *h, uint64_t addr);
/* Its user has freed it, or is about to: what it owns goes too. */
static inline void lru_forget(struct sf_heap *h, uint64_t addr)
{
	if (h->nr_tracked)
		lru_forget_slow(h, addr);
}
/* lru_forget() of objects that are freed at once, which may own one another. */
void lru_forget_bulk(struct sf_heap *h, uint32_t n, const uint64_t *addrs);
/* krealloc(): the object is at `to` now, or has another size. Call where nr_tracked is not 0. */
void lru_resized(struct sf_heap *h, uint64_t from, uint64_t to);
/* A pinned or unknown block stays where it is; else it may migrate. */
bool lru_may_move(const struct sf_heap *h, uint64_t addr);
/* The tracked block has moved; its user is notified. */
void lru_moved(struct sf_heap *h, uint64_t from, uint64_t to);
/* What a cache was destroyed over is leaked: its shrinker frees no more. */
void lru_cache_gone(struct sf_heap *h, uint32_t cache);

/* --- grace periods, for rcu.c --- */

/* rcu_defer()'s part: notifies the user, whose it is not from here on. */
void lru_defer(struct sf_heap *h, uint64_t addr, enum sf_free_how how);
/*
 * A deferred object goes now, and what it owns before it; lru_gone() is to follow its free. False:
 * what is there was not deferred, which takes a misuse, and no user is notified.
 */
bool lru_going(struct sf_heap *h, uint64_t addr, uint32_t *cookie);
void lru_gone(struct sf_heap *h, uint32_t cookie, uint64_t addr, bool freed);
/* All of that, and the free, by what its address is. */
void lru_free_deferred(struct sf_heap *h, uint64_t addr);

/* --- heaps --- */

/* No object is known; the user stays. */
void lru_reset(struct sf_heap *h);
void lru_free(struct sf_heap *h);

#endif
