/* SPDX-License-Identifier: MIT */
/*
 * shadow.h - what the oracles believe the heap looks like, built from events alone.
 *
 * Objects in a dense table by event id (objects.h); which bytes are taken (taken.h); the zone by
 * page frame (zone.h); caches and C types by number (caches.h); who owns whom (owners.h), and who
 * is charged for what (groups.h), beside the objects once a program says so; pools (areas.h).
 * Events are not trusted: whatever they say, the shadow stays inside its arrays. Relies on the
 * headers of its parts; intake.c drives it and every oracle reads it.
 */
#ifndef SLABFUZZ_SHADOW_H
#define SLABFUZZ_SHADOW_H

#include "areas.h"
#include "groups.h"
#include "taken.h"
#include "zone.h"

#define SF_CACHE_NAME 56
#define SF_SITES 65536u

struct sf_design;
struct sf_shadow_cache;
struct sf_shadow_obj;
struct sf_shadow_type;
struct sf_side;

/* Of live objects, as the statistics of user space count them; modulo 2^64. */
struct sf_sums {
	uint64_t asked, usable;
	size_t unsized; /* objects whose usable size is not known */
};

struct sf_shadow {
	uint64_t caps;
	const struct sf_design *design; /* NULL: no row describes it */
	struct sf_settings set;
	struct sf_traits traits;
	struct sf_sums sums;
	bool exact, addresses;
	uint64_t partition_seed;
	struct sf_shadow_obj *obj;
	size_t cap_obj, peak; /* peak: highest id of this run, plus 1 */
	size_t live, orphans, untracked;
	/*
	 * Live objects that could leave their place: they have an entry in `side`, or are movable
	 * pages. By id, in any order.
	 */
	uint32_t *tied;
	size_t nr_tied, cap_tied;
	struct sf_window direct, vmalloc;
	/*
	 * The slab window grows with the slabs that are made in it: slabs.pages is what this run
	 * has touched, slab_limit what HEAP reported.
	 */
	struct sf_window slabs;
	uint64_t slab_limit;
	uint32_t *frame;      /* by page of the slab window: pfn + 1; 0: nothing is there */
	struct sf_past *past, *slab_past; /* by page of the direct map, of the slab window */
	uint32_t run;         /* programs begun on a fresh heap */
	uint32_t *vm_pfn;     /* by page of the vmalloc window: pfn + 1 */
	size_t vm_mapped, vm_high, vm_used;
	struct sf_far far;
	struct sf_zone zone;
	struct sf_shadow_cache *cache;
	char (*name)[SF_CACHE_NAME];
	uint32_t cap_cache, nr_cache, serial;
	uint64_t *touched;    /* bit by cache: this run has done something to it */
	struct sf_shadow_type *type;
	size_t cap_type, nr_type;
	uint8_t *site;        /* by call site below SF_SITES: 1 + its partition, 0: unknown */
	bool site_seen;
	struct sf_side *side; /* as long as cap_side, which is 0 until a program needs it */
	size_t cap_side, nr_sides; /* nr_sides: live objects that have an entry */
	uint64_t nr_deferred; /* live objects that wait for a grace period */
	uint64_t indirect_bytes, large_pages; /* of live objects */
	uint64_t changes;     /* in what is alive, owned, pinned or deferred */
	uint32_t grace;       /* grace periods that have ended in this run */
	uint32_t shrinks;     /* calls of shrinkers, and rounds of reclaim that began, ever */
	struct sf_groups groups;
	struct sf_pools pools;
	enum sf_claim claim;  /* how the last object's went */
	const char *left_out;     /* name that a title leaves out, for the detail */
	size_t bytes;         /* of memory, for the benchmark */
};

void sf_shadow_free(struct sf_shadow *sh);
void sf_shadow_heap(struct sf_shadow *sh, const struct sf_ev_heap *heap);
void sf_shadow_begin(struct sf_shadow *sh);

/* Where a slab's first object is: as reported, or (not reported) in the direct map. */
static inline uint64_t sf_slab_addr(const struct sf_shadow *sh, uint64_t reported, uint64_t pfn)
{
	return reported ? reported : sh->direct.base + (pfn << SF_PAGE_SHIFT);
}

#endif
