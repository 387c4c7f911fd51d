/* SPDX-License-Identifier: MIT */
/*
 * areas.h - pools and their areas as the shadow knows them. Relies on the contract headers;
 * intake.c drives it, pool_rules.c judges.
 */
#ifndef SLABFUZZ_AREAS_H
#define SLABFUZZ_AREAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../allocators/allocator.h"

struct sf_shadow;

struct sf_area {
	uint64_t addr, pages;
	uint64_t used;       /* bytes from `addr` on in which objects have been handed out */
	uint32_t pool;
	bool mapped, sealed;
};

struct sf_pool {
	bool known;
	uint8_t mode;
	uint32_t refill;     /* pages of an area, at least */
	uint32_t areas;      /* that are mapped */
	uint32_t map_op;     /* operation of its last MAP, plus 1 */
};

/* Invariant: `pages` are those of mapped areas, `sealed` of these those of sealed ones. */
struct sf_pools {
	bool used;
	struct sf_area *area;
	size_t nr_areas, cap_areas;
	struct sf_pool *pool;        /* by id */
	size_t nr_pools;
	uint32_t *area_at;           /* by page of the vmalloc window: 1 + index in area */
	uint64_t *pages, *sealed;    /* bit by pfn */
	size_t cap_area_at, cap_pages; /* cap_pages in words */
	uint64_t nr_sealed;          /* pages */
	bool aliased;                /* there has been a rare write in this run ... */
	uint64_t last_alias;         /* ... and its mapping was there */
};

void sf_pools_begin(struct sf_shadow *sh);
void sf_pools_free(struct sf_shadow *sh);
void sf_pools_map(struct sf_shadow *sh, const struct sf_ev_map *m, uint32_t op);
void sf_pools_unmap(struct sf_shadow *sh, const struct sf_ev_map *m);
void sf_pools_act(struct sf_shadow *sh, const struct sf_ev_pool *p);
/* All areas of the pool, `but` the one with that index. */
void sf_pools_seal(struct sf_shadow *sh, uint32_t pool, bool sealed, size_t but);
void sf_pools_handed(struct sf_shadow *sh, const struct sf_ev_alloc *a);
/* The mapped area that holds all of [addr, addr + size), or NULL. */
struct sf_area *sf_area_of(const struct sf_shadow *sh, uint64_t addr, uint64_t size);
/* What is known of a pool, or NULL. */
struct sf_pool *sf_pool_of(const struct sf_shadow *sh, uint32_t pool);

/* May it be opened again, and written to by rare writes? */
static inline bool sf_pool_rewritable(const struct sf_pool *p)
{
	return p->mode == SF_POOL_WR || p->mode == SF_POOL_AUTO_WR || p->mode == SF_POOL_START_WR;
}

#endif
