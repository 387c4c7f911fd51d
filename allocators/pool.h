/* SPDX-License-Identifier: MIT */
/*
 * pool.h - pools of memory that is sealed (pool.c), after the pmalloc series of 2018.
 *
 * The interface's functions, whose contract is in allocator.h, and what others must know of a pool.
 * Ids count from 1.
 */
#ifndef SLABFUZZ_POOL_H
#define SLABFUZZ_POOL_H

#include "heap.h"

/* --- the structures: of pool.c, which alone changes them, and for heap_check.c to walk --- */

struct pool {
	uint32_t first, last;    /* areas, in the order of their making; SF_NONE: there is none */
	uint32_t current;        /* is allocated from, SF_NONE: the next object begins a new one */
	uint32_t refill;
	uint8_t mode;
	bool live;
};

struct pools {
	struct pool *pool;       /* by id - 1 */
	uint32_t nr, cap;
	uint64_t last_alias;     /* page of its window where the last rare write was mapped */
};

/* --- what can be done --- */

/* Nothing to do where the policy has no pools. False, and one line in `err`: the host refused. */
bool pool_init(struct sf_heap *h, struct sf_error *err);
/* pool_reset(), and no pool can be made any more. Before arena_free(). */
void pool_free(struct sf_heap *h);
/* Before arena_reset(): nothing is sealed, or mapped a second time. */
void pool_reset(struct sf_heap *h);
/* The interface's functions of these names, pool_write() and rare_write(). */
uint32_t pool_create(struct sf_heap *h, const struct sf_pool_request *rq);
void pool_alloc(struct sf_heap *h, uint32_t pool, uint64_t n, uint64_t size, struct sf_result *rs);
enum sf_status pool_protect(struct sf_heap *h, uint32_t pool);
enum sf_status pool_unprotect(struct sf_heap *h, uint32_t pool);
void pool_destroy(struct sf_heap *h, uint32_t pool);
enum sf_status pool_write(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
			  enum sf_contents how);
enum sf_status pool_rare_write(struct sf_heap *h, uint32_t pool, uint64_t addr, uint64_t offset,
			       uint64_t size, uint64_t key);
/* There have been pools since reset. */
bool pool_any(const struct sf_heap *h);
/* The area of a pool that the address lies in, by either window; NULL: none. */
struct vm_area *pool_area(const struct sf_heap *h, uint64_t addr);

#endif
