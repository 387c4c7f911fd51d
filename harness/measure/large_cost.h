/* SPDX-License-Identifier: MIT */
/*
 * large_cost.h - objects of more than a page: what they take and what they leave of the zone, added
 * up from events. And a rival for them: the same program with alloc_pages_exact() in their place.
 *
 * A *large object* is what kmalloc(), kvmalloc(), kmem_cache_alloc() or alloc_pages_exact() was
 * asked for in a size above a page. Its backing is the slabs of all caches of such objects,
 * whatever is in them, and whole blocks and mappings.
 *
 * sf_large relies on event.h alone, sf_exactly on the executor; `slabfuzz compare --large` relies
 * on both.
 */
#ifndef SLABFUZZ_LARGE_COST_H
#define SLABFUZZ_LARGE_COST_H

#include "../exec/exec.h"

struct sf_large_object;

/* What the zone and the objects were like at one moment. */
struct sf_large_moment {
	uint64_t operations;      /* before it */
	uint64_t objects, requested, backing; /* bytes */
	uint64_t free[SF_NR_ORDERS];          /* blocks on the free lists */
	uint64_t pcp_blocks;      /* of order 9, on per-CPU lists */
	uint64_t regions;         /* of 2 MiB that large objects touch */
	uint64_t regions_each;    /* the same, of each object by itself, summed up */
	uint64_t small_pages;     /* that only 4 KiB entries can map: they lie in vmalloc */
};

struct sf_large {
	uint64_t requests, failures, fallbacks; /* fallbacks: it came from vmalloc() */
	uint64_t peak, peak_operations; /* most bytes of large objects, and when that was first */
	struct sf_large_moment now;     /* its free blocks are those of the last snapshot */
	struct sf_large_object *obj;    /* by object id */
	uint8_t *cache;                 /* by cache id: 1, its objects are large */
	size_t cap_obj, cap_cache;
};

/* Fits struct sf_sink.emit. */
void sf_large_event(void *large, const struct sf_event *ev);
/* An operation is over. */
void sf_large_step(struct sf_large *l);
/* Fills in l->now's regions; its free blocks are filled in by a snapshot. */
void sf_large_regions(struct sf_large *l);
void sf_large_free(struct sf_large *l);

/* Pages in free blocks; blocks of 2 MiB that can be had at once. */
uint64_t sf_large_free_pages(const struct sf_large_moment *m);
uint64_t sf_large_blocks(const struct sf_large_moment *m);
/*
 * mm/vmstat.c:__fragmentation_index and unusable_free_index for `order`, in thousandths: towards 0
 * an allocation fails for lack of memory, towards 1000 for fragmentation, -1000: it would not fail;
 * and the share of free memory that it could not use.
 */
int64_t sf_large_fragmentation(const struct sf_large_moment *m, unsigned int order);
uint64_t sf_large_unusable(const struct sf_large_moment *m, unsigned int order);

/* --- alloc_pages_exact() in their place --- */

struct sf_exactly_result;

struct sf_exactly {
	struct sf_exactly_result *res; /* by result number */
	size_t cap;
	uint32_t oldest, newest; /* of what its user would give back under pressure; SF_NONE */
	uint64_t again;          /* requests that were made again after that, or as vmalloc() */
	uint64_t reclaimed;      /* objects that were given back so */
};

void sf_exactly_init(struct sf_exactly *e);
void sf_exactly_free(struct sf_exactly *e);
/*
 * sf_exec_step() of an operation, or of what stands for it: large requests whose size is no power
 * of two are alloc_pages_exact(), and so is what their frees and resizes become. kvmalloc() still
 * falls back to vmalloc(). Objects of SLAB_RECLAIM_ACCOUNT caches are no longer the kernel's to
 * reclaim then: when a request that may reclaim fails, the oldest of them go, one by one, as their
 * user's own shrinker would have it. Ownership and pins of such objects are left out.
 */
bool sf_exactly_step(struct sf_exactly *e, struct sf_exec *x, const struct sf_op *op,
		     const char *strings);

#endif
