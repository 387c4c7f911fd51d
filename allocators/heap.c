// SPDX-License-Identifier: MIT
/*
 * heap.c - a model's heap put together: creation, reset, warnings, and the parts of the interface
 * that are one call into the mechanism.
 */
#include "base/hash.h"
#include "heap_assert.h"
#include "heap_check.h"
#include "model.h"
#include "slab.h"
#include "window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void warn(struct sf_heap *h, const char *what, uint64_t addr)
{
	EMIT(h, WARN, warn, .what = what, .addr = addr);
}

uint64_t heap_random(struct sf_heap *h)
{
	h->rng += SF_GOLDEN;
	return sf_mix64(h->rng);
}

uint64_t heap_boot_random(const struct sf_heap *h, uint64_t what)
{
	return sf_mix64(sf_mix64(h->set.seed + SF_GOLDEN) + what * SF_GOLDEN);
}

/* Where the seed puts a boot: get_random_u64() as create_kmalloc_caches() gets it, and the rest. */
#define PARTITION_STREAM 1
#define RNG_STREAM 2

static void announce(struct sf_heap *h)
{
	EMIT(h, HEAP, heap, .allocator = h->ops->name, .caps = h->ops->caps, .settings = &h->set,
	     .direct_map = SF_DIRECT_MAP, .pages = h->set.pages, .vmalloc = SF_VMALLOC,
	     .vmalloc_pages = VMAP_PAGES, .slabs = h->arena.smap ? SF_SLAB_WINDOW : 0,
	     .slab_pages = h->arena.smap ? SMAP_PAGES : 0, .partition_seed = h->partition_seed,
	     .exact = h->ops->reset_kind == SF_RESET_EXACT);
	for (uint32_t i = 0; i < h->nr_boot; i++)
		cache_announce(h, h->cache[i]);
}

struct sf_heap *heap_create(const struct sf_allocator *ops, const struct policy *policy,
			    const struct sf_settings *set, struct sf_sink *sink,
			    struct sf_error *err)
{
	struct sf_heap *h = calloc(1, sizeof(*h));

	if (!h) {
		snprintf(err->text, sizeof(err->text), "no memory for a heap");
		return NULL;
	}
	h->set = *set;
	sf_settings_fixup(&h->set);
	h->ops = ops;
	h->policy = policy;
	h->memcg = SF_NONE;
	h->walk_cap = (uint32_t)set->pages + 64;
	if (h->walk_cap < MAX_SLAB_OBJECTS)
		h->walk_cap = MAX_SLAB_OBJECTS;
	h->partition_seed = heap_boot_random(h, PARTITION_STREAM);
	h->partition_key = h->partition_seed ^ sf_code_location(0);
	h->rng = heap_boot_random(h, RNG_STREAM);
	if (!arena_init(h, err)) {
		free(h);
		return NULL;
	}
	h->walk_buf = h->arena.walk;
	h->order_buf = h->arena.order;
	cache_init(h);
	if (!pool_init(h, err) || !zone_init(h, err) || !kmalloc_init(h, err)) {
		heap_destroy(h);
		return NULL;
	}
	h->nr_boot = h->nr_caches;
	h->sink = sink;
	announce(h);
	return h;
}

void heap_destroy(struct sf_heap *h)
{
	if (!h)
		return;
	lru_free(h);
	vmscan_free(h);
	rcu_free(h);
	memcg_free(h);
	cache_free_all(h);
	zone_free(h);
	pool_free(h);
	arena_free(h);
	free(h);
}

void heap_reset(struct sf_heap *h)
{
	heap_assert_slow(h, h->set.misuse || !heap_check(h));
	h->cpu = 0;
	h->rng = heap_boot_random(h, RNG_STREAM);
	fault_reset(h);
	lru_reset(h);
	vmscan_reset(h);
	rcu_reset(h);
	memcg_reset(h);
	window_reset(h);
	pool_reset(h);
	arena_reset(h);
	zone_reset(h);
	cache_reset(h);
	bucket_reset(h);
	heap_assert(h, !h->nr_tracked && !h->nr_charged && !h->nr_sheaves && !h->nr_buckets);
	heap_assert(h, !h->reclaiming && h->memcg == SF_NONE && !h->faults);
	heap_assert(h, h->zone.nr_free_pages == h->zone.managed);
	heap_assert(h, !h->nr_slab_reclaimable && !h->nr_slab_unreclaimable);
	heap_assert_slow(h, !heap_check(h));
}

void heap_set_cpu(struct sf_heap *h, unsigned int cpu)
{
	heap_assert(h, cpu < h->set.cpus);
	h->cpu = cpu;
}

/* --- named caches --- */

void heap_cache_alloc(struct sf_heap *h, uint32_t cache, uint32_t gfp, struct sf_result *rs)
{
	struct kcache *s = h->cache[cache];
	enum sf_status status;

	heap_assert(h, cache < h->nr_caches && s->refs);
	rs->addr = slab_alloc(h, s, gfp, s->object_size, &status);
	rs->status = (uint8_t)status;
}

/* mm/slub.c:warn_free_bad_obj; without SLAB_FREELIST_HARDENED a kernel faults in the first case. */
static bool is_bad(struct sf_heap *h, const struct kcache *s, uint64_t addr)
{
	uint32_t head;
	const struct kcache *of = slab_cache(h, addr, &head);

	if (!of)
		warn(h, "kmem_cache_free: object is not in a slab page", addr);
	else if (of != s && h->set.freelist_hardened)
		warn(h, "kmem_cache_free: object belongs to different cache", addr);
	else
		return false;
	return true;
}

/* The object is parked as the named cache's: only SLAB_FREELIST_HARDENED looks at its slab. */
void heap_cache_free(struct sf_heap *h, uint32_t cache, uint64_t addr, struct sf_result *rs)
{
	struct kcache *s = h->cache[cache];
	bool suspicious = h->set.freelist_hardened || h->set.misuse;

	heap_assert(h, cache < h->nr_caches);
	*rs = (struct sf_result){ .status = SF_NOTICED };
	if (suspicious && is_bad(h, s, addr))
		return;
	lru_forget(h, addr);
	if (slab_free(h, s, addr))
		rs->status = SF_OK;
}

void heap_cache_alloc_bulk(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t n,
			   uint64_t *addrs, struct sf_result *rs)
{
	enum sf_status status;

	heap_assert(h, cache < h->nr_caches && n > 0);
	slab_alloc_bulk(h, h->cache[cache], gfp, n, addrs, &status);
	*rs = (struct sf_result){ .status = (uint8_t)status };
}

void heap_cache_free_bulk(struct sf_heap *h, uint32_t cache, uint32_t n, const uint64_t *addrs,
			  struct sf_result *rs)
{
	heap_assert(h, cache < h->nr_caches && n > 0);
	lru_forget_bulk(h, n, addrs);
	slab_free_bulk(h, h->cache[cache], n, addrs);
	*rs = (struct sf_result){ .status = SF_OK };
}

/* --- memory as it is --- */

uint64_t heap_peek(struct sf_heap *h, uint64_t addr, void *to, uint64_t len)
{
	return arena_peek(h, addr, to, len);
}

uint64_t heap_poke(struct sf_heap *h, uint64_t addr, const void *from, uint64_t len)
{
	return arena_poke(h, addr, from, len);
}

/* --- pages --- */

static uint32_t page_gfp(const struct sf_heap *h, uint32_t gfp)
{
	return h->set.init_on_alloc ? gfp | SF_GFP_ZERO : gfp;
}

void heap_pages_alloc(struct sf_heap *h, uint32_t gfp, unsigned int order, struct sf_result *rs)
{
	enum sf_status status = SF_OK;
	uint32_t pfn = page_alloc(h, page_gfp(h, gfp), order, &status);

	rs->status = (uint8_t)status;
	rs->addr = 0;
	if (pfn == NO_PFN)
		return;
	rs->status = SF_OK;
	rs->addr = pfn_addr(pfn);
	heap_assert(h, h->arena.page[pfn].state == PAGE_USED);
	arena_open(h, rs->addr, SF_PAGE_SIZE << order);
}

void heap_pages_free(struct sf_heap *h, uint64_t addr, unsigned int order)
{
	heap_assert(h, is_block(h, addr_pfn(h, addr), order));
	lru_forget(h, addr);
	if (page_free(h, addr_pfn(h, addr), order))
		arena_close(h, addr, SF_PAGE_SIZE << order);
}

uint32_t heap_pages_alloc_bulk(struct sf_heap *h, uint32_t gfp, uint32_t n, uint64_t *pages,
			       struct sf_result *rs)
{
	enum sf_status status = SF_OK;
	uint32_t filled = page_alloc_bulk(h, page_gfp(h, gfp), n, pages, &status);

	heap_assert(h, filled <= n);
	*rs = (struct sf_result){ .status = (uint8_t)status };
	return filled;
}

void heap_exact_alloc(struct sf_heap *h, uint64_t size, uint32_t gfp, struct sf_result *rs)
{
	enum sf_status status = SF_OK;
	uint32_t pfn;

	pfn = page_alloc_exact(h, size, page_gfp(h, gfp), &status);
	rs->addr = 0;
	rs->status = (uint8_t)status;
	if (pfn == NO_PFN)
		return;
	rs->status = SF_OK;
	rs->addr = pfn_addr(pfn);
	arena_open(h, rs->addr, (size + SF_PAGE_SIZE - 1) & ~(SF_PAGE_SIZE - 1));
}

void heap_exact_free(struct sf_heap *h, uint64_t addr, uint64_t size)
{
	heap_assert(h, size && addr_pfn(h, addr) != NO_PFN);
	lru_forget(h, addr);
	page_free_exact(h, addr_pfn(h, addr), size);
}
