// SPDX-License-Identifier: MIT
/*
 * heap.c - a model's heap put together: creation, reset, injected failures, warnings, and the parts
 * of the interface that are one call into the mechanism.
 */
#include "heap.h"
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool fault_fires(struct sf_heap *h, enum sf_fault kind)
{
	if (!h->fault_after[kind] || --h->fault_after[kind])
		return false;
	EMIT(h, FAULT, fault, .kind = (uint8_t)kind);
	return true;
}

void warn(struct sf_heap *h, const char *what, uint64_t addr)
{
	EMIT(h, WARN, warn, .what = what, .addr = addr);
}

static void announce(struct sf_heap *h)
{
	EMIT(h, HEAP, heap, .allocator = h->ops->name, .caps = h->ops->caps, .settings = &h->set,
	     .direct_map = SF_DIRECT_MAP, .pages = h->set.pages, .vmalloc = SF_VMALLOC,
	     .vmalloc_pages = VMAP_PAGES, .exact = h->ops->reset_kind == SF_RESET_EXACT);
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
	h->walk_cap = (uint32_t)set->pages + 64;
	if (h->walk_cap < 32768)
		h->walk_cap = 32768; /* the objects of the largest slab */
	h->walk_buf = malloc(h->walk_cap * sizeof(*h->walk_buf));
	if (!h->walk_buf)
		snprintf(err->text, sizeof(err->text), "no memory for a heap");
	if (!h->walk_buf || !arena_init(h, err) || !zone_init(h, err) || !slab_init(h, err) ||
	    !kmalloc_init(h, err)) {
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
	slab_free_all(h);
	zone_free(h);
	arena_free(h);
	free(h->walk_buf);
	free(h);
}

void heap_reset(struct sf_heap *h)
{
	h->cpu = 0;
	memset(h->fault_after, 0, sizeof(h->fault_after));
	arena_reset(h);
	zone_reset(h);
	slab_reset(h);
}

void heap_set_cpu(struct sf_heap *h, unsigned int cpu)
{
	h->cpu = cpu;
}

void heap_fail(struct sf_heap *h, enum sf_fault kind, uint64_t after)
{
	h->fault_after[kind] = after + 1;
}

/* --- named caches --- */

void heap_cache_alloc(struct sf_heap *h, uint32_t cache, uint32_t gfp, struct sf_result *rs)
{
	struct kcache *s = h->cache[cache];
	enum sf_status status;

	rs->addr = slab_alloc(h, s, gfp, s->object_size, &status);
	rs->status = (uint8_t)status;
}

/* The object is parked as the named cache's: only SLAB_FREELIST_HARDENED looks at its slab. */
void heap_cache_free(struct sf_heap *h, uint32_t cache, uint64_t addr, struct sf_result *rs)
{
	slab_free(h, h->cache[cache], addr);
	*rs = (struct sf_result){ .status = SF_OK };
}

void heap_cache_alloc_bulk(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t n,
			   uint64_t *addrs, struct sf_result *rs)
{
	enum sf_status status;

	slab_alloc_bulk(h, h->cache[cache], gfp, n, addrs, &status);
	*rs = (struct sf_result){ .status = (uint8_t)status };
}

void heap_cache_free_bulk(struct sf_heap *h, uint32_t cache, uint32_t n, const uint64_t *addrs,
			  struct sf_result *rs)
{
	slab_free_bulk(h, h->cache[cache], n, addrs);
	*rs = (struct sf_result){ .status = SF_OK };
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
	arena_open(h, rs->addr, SF_PAGE_SIZE << order);
}

void heap_pages_free(struct sf_heap *h, uint64_t addr, unsigned int order)
{
	arena_close(h, addr, SF_PAGE_SIZE << order);
	page_free(h, addr_pfn(h, addr), order);
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
	arena_close(h, addr, (size + SF_PAGE_SIZE - 1) & ~(SF_PAGE_SIZE - 1));
	page_free_exact(h, addr_pfn(h, addr), size);
}
