/* SPDX-License-Identifier: MIT */
/*
 * model.h - the interface table of a model: the mechanism's functions under the contract's names.
 *
 * A variant's file is a policy, a create() that hands it over, and one table made with SF_MODEL.
 */
#ifndef SLABFUZZ_MODEL_H
#define SLABFUZZ_MODEL_H

#include "arena.h"
#include "bucket.h"
#include "cache.h"
#include "compact.h"
#include "fault.h"
#include "kmalloc.h"
#include "lru.h"
#include "memcg.h"
#include "overcommit.h"
#include "page_alloc.h"
#include "pool.h"
#include "prefill.h"
#include "rcu.h"
#include "registry.h"
#include "snapshot.h"
#include "vmscan.h"

/* --- heap.c --- */

/*
 * A variant's create(): a heap as at boot, announced to `sink`. NULL, and one line in `err`: the
 * host has no memory for it. The rest is the interface's functions of these names.
 */
struct sf_heap *heap_create(const struct sf_allocator *ops, const struct policy *policy,
			    const struct sf_settings *set, struct sf_sink *sink,
			    struct sf_error *err);
void heap_destroy(struct sf_heap *h);
void heap_reset(struct sf_heap *h);
void heap_set_cpu(struct sf_heap *h, unsigned int cpu);
void heap_cache_alloc(struct sf_heap *h, uint32_t cache, uint32_t gfp, struct sf_result *rs);
void heap_cache_free(struct sf_heap *h, uint32_t cache, uint64_t addr, struct sf_result *rs);
void heap_cache_alloc_bulk(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t n,
			   uint64_t *addrs, struct sf_result *rs);
void heap_cache_free_bulk(struct sf_heap *h, uint32_t cache, uint32_t n, const uint64_t *addrs,
			  struct sf_result *rs);
void heap_pages_alloc(struct sf_heap *h, uint32_t gfp, unsigned int order, struct sf_result *rs);
void heap_pages_free(struct sf_heap *h, uint64_t addr, unsigned int order);
uint32_t heap_pages_alloc_bulk(struct sf_heap *h, uint32_t gfp, uint32_t n, uint64_t *pages,
			       struct sf_result *rs);
void heap_exact_alloc(struct sf_heap *h, uint64_t size, uint32_t gfp, struct sf_result *rs);
void heap_exact_free(struct sf_heap *h, uint64_t addr, uint64_t size);
uint64_t heap_peek(struct sf_heap *h, uint64_t addr, void *to, uint64_t len);
uint64_t heap_poke(struct sf_heap *h, uint64_t addr, const void *from, uint64_t len);

/* --- the table --- */

/* What every model can do. */
#define SF_MODEL_CAPS                                                                            \
	(SF_CAP_USABLE | SF_CAP_REALLOC | SF_CAP_ZERO | SF_CAP_CONTENTS | SF_CAP_CACHES |        \
	 SF_CAP_PAGES | SF_CAP_EXACT | SF_CAP_PLACE | SF_CAP_WALK | SF_CAP_TRACE | SF_CAP_CPUS | \
	 SF_CAP_FAIL | SF_CAP_KVMALLOC | SF_CAP_ARRAY | SF_CAP_BULK | SF_CAP_GFP | SF_CAP_DRAIN | \
	 SF_CAP_KMALLOC | SF_CAP_TEARDOWN | SF_CAP_ADDRESS | SF_CAP_BUCKETS | SF_CAP_NOLOCK |    \
	 SF_CAP_FLEX | SF_CAP_MISUSE | SF_CAP_RECLAIM | SF_CAP_RCU | SF_CAP_MEMCG |              \
	 SF_CAP_COMPACT | SF_CAP_FAULT_ATTR | SF_CAP_OVERCOMMIT | SF_CAP_MIN_ORDER |             \
	 SF_CAP_REALLOC_ALIGN | SF_CAP_ERR_PTR | SF_CAP_PAGES_BULK | SF_CAP_SHEAVES)

/* Settings that have an effect only where there is the capability. */
#define SF_CAP_SETTINGS(caps, cap, set) ((caps) & SF_CAP_##cap ? 0 : (uint64_t)(set))
#define SF_MODEL_SETTINGS(caps)                                                              \
	~(SF_CAP_SETTINGS(caps, LARGE, 1ull << SF_SET_large_sheaf |                          \
			  1ull << SF_SET_large_min_partial) |                                \
	  SF_CAP_SETTINGS(caps, POOLS, 1ull << SF_SET_directmap) |                           \
	  SF_CAP_SETTINGS(caps, BUCKETS, 1ull << SF_SET_buckets) |                           \
	  SF_CAP_SETTINGS(caps, FLEX, 1ull << SF_SET_flex) |                                 \
	  SF_CAP_SETTINGS(caps, MISUSE, 1ull << SF_SET_misuse))

/*
 * `more`: capabilities beyond those of every model; `less`: those of every model that the variant
 * does not have, as what it changes does not go with them. Their functions stay in the table and
 * are never called.
 */
#define SF_MODEL_HAS(more, less) ((SF_MODEL_CAPS | (more)) & ~(uint64_t)(less))
#define SF_MODEL(more, less)                                                                 \
	.abi = SF_ALLOCATOR_ABI, .caps = SF_MODEL_HAS(more, less),                           \
	.settings = SF_MODEL_SETTINGS(SF_MODEL_HAS(more, less)),                             \
	.reset_kind = SF_RESET_EXACT, .destroy = heap_destroy, .reset = heap_reset,          \
	.alloc = kmalloc_alloc, .free = kmalloc_free, .usable = kmalloc_usable,              \
	.realloc = kmalloc_realloc, .fill = arena_fill, .verify = arena_verify,              \
	.zeroed = arena_zeroed, .cache_create = cache_create, .cache_destroy = cache_destroy,\
	.cache_shrink = cache_shrink, .cache_alloc = heap_cache_alloc,                       \
	.cache_free = heap_cache_free, .cache_alloc_bulk = heap_cache_alloc_bulk,            \
	.cache_free_bulk = heap_cache_free_bulk, .pages_alloc = heap_pages_alloc,            \
	.pages_free = heap_pages_free, .exact_alloc = heap_exact_alloc,                      \
	.exact_free = heap_exact_free, .set_cpu = heap_set_cpu, .fail = fault_fail,           \
	.drain = page_drain_all, .place = snapshot_place, .walk = snapshot_walk,             \
	.buckets_create = bucket_create, .buckets_shrink = bucket_shrink,              \
	.peek = heap_peek, .poke = heap_poke, .set_user = lru_set_user, .track = lru_track,  \
	.owns = lru_owns, .pin = lru_pin, .shrinker = lru_shrinker, .shrink = vmscan_shrink, \
	.kswapd = vmscan_kswapd, .grace_period = rcu_grace_period, .rcu_barrier = rcu_barrier, \
	.memcg_create = memcg_create, .memcg_set = memcg_set,                                \
	.memcg_destroy = memcg_destroy, .compact = compact_zone, .fault_attr = fault_set,    \
	.vm_enough_memory = overcommit_enough, .pages_alloc_bulk = heap_pages_alloc_bulk, \
	.sheaf_prefill = sheaf_prefill, .sheaf_alloc = sheaf_alloc,                          \
	.sheaf_refill = sheaf_refill, .sheaf_return = sheaf_return, .sheaf_size = sheaf_size

/* And of one with pools. */
#define SF_MODEL_POOLS                                                                       \
	.pool_create = pool_create, .pool_alloc = pool_alloc, .pool_protect = pool_protect,  \
	.pool_unprotect = pool_unprotect, .pool_destroy = pool_destroy,                      \
	.pool_write = pool_write, .rare_write = pool_rare_write

#endif
