/* SPDX-License-Identifier: MIT */
/*
 * memcg.h - memory cgroups (memcg.c), after mm/memcontrol.c of Linux 7.2.
 *
 * Groups are known by their ids, SF_NONE is the root, which is never charged. Charges are bytes and
 * belong to an address.
 */
#ifndef SLABFUZZ_MEMCG_H
#define SLABFUZZ_MEMCG_H

#include "base/hash_map.h"
#include "heap.h"

/* --- the structures: of memcg.c, which alone changes them, and for heap_check.c to walk --- */

/* By id. One that is destroyed stays, as a step on the way up for what it was charged for. */
struct memcg_group {
	uint32_t parent;    /* SF_NONE: the root */
	uint32_t children;  /* that are online */
	bool online;
	uint64_t max;
	uint64_t usage;     /* bytes, with all below it */
	uint64_t failcnt;   /* charges that its limit refused */
	uint64_t nr_lru;    /* objects on lists of shrinkers, without those below it */
};

struct memcg_charge {
	uint64_t addr, bytes;
	uint32_t group;     /* unused entries: links them */
};

struct memcgs {
	struct memcg_group *group;
	uint32_t nr, cap;
	struct memcg_charge *charge;
	uint32_t nr_charges, cap_charges, unused;
	struct sf_map by_addr;
};

/* --- what can be done --- */

/* The interface's functions of these names (allocator.h). */
uint32_t memcg_create(struct sf_heap *h, uint32_t parent, uint64_t max);
void memcg_set(struct sf_heap *h, uint32_t memcg);
enum sf_status memcg_destroy(struct sf_heap *h, uint32_t memcg);

/* Is an object charged for that is asked of this cache with these flags? */
static inline bool memcg_is_due(const struct sf_heap *h, const struct kcache *s, uint32_t gfp)
{
	return (gfp & SF_GFP_ACCOUNT || s->flags & SF_SLAB_ACCOUNT) && h->set.memcg &&
	       !h->set.nokmem;
}

/*
 * Charges the active group for what is at `addr`; false: over a limit, and reclaim did not help:
 * the caller gives the memory back and fails. Call only while h->memcg is not SF_NONE.
 */
bool memcg_charge(struct sf_heap *h, uint64_t addr, uint64_t bytes, uint32_t gfp);
/* Call where nr_charged is not 0; what was not charged is left alone. */
void memcg_uncharge(struct sf_heap *h, uint64_t addr);
/* A charged block is single pages from now on (mm/memcontrol.c:split_page_memcg). */
void memcg_split(struct sf_heap *h, uint32_t pfn, unsigned int order);
/* The charge of a block goes with it to another place. */
void memcg_moved(struct sf_heap *h, uint64_t from, uint64_t to);

/* The group that is charged for what is at `addr`, be it destroyed since; SF_NONE: not charged. */
uint32_t memcg_of(const struct sf_heap *h, uint64_t addr);
/* Is `group` that one, or below it? */
bool memcg_below(const struct sf_heap *h, uint32_t group, uint32_t memcg);
/* One more or less that a shrinker could free is charged to it. */
void memcg_count_lru(struct sf_heap *h, uint32_t group, bool more);
/* Could a shrinker free anything that is charged to the group or below? */
bool memcg_has_lru(const struct sf_heap *h, uint32_t memcg);
/* The groups, from *at == 0 on. False: no more. */
bool memcg_next(const struct sf_heap *h, uint32_t *at, struct sf_ev_snapmemcg *ev);

/* No group, no charge, the root is active. */
void memcg_reset(struct sf_heap *h);
void memcg_free(struct sf_heap *h);

#endif
