// SPDX-License-Identifier: MIT
/*
 * areas.c - pools as the shadow model knows them: areas from MAP and UNMAP, modes and seals from
 * POOL, and from MODE what seals itself.
 *
 * An area is found by address through a table as long as the vmalloc window; its frames are bits,
 * so that a list of mappings is judged by words. Addresses of areas are not used again in a run:
 * what was unmapped keeps its entry. Relies on areas.h; pool_rules.c judges.
 */
#include "areas.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "shadow.h"
#include "shadow_mem.h"

#define POOLS_MAX (1u << 20) /* an id above is no id */

static uint64_t page_of(const struct sf_shadow *sh, uint64_t addr)
{
	return (addr - sh->vmalloc.base) >> SF_PAGE_SHIFT;
}

struct sf_pool *sf_pool_of(const struct sf_shadow *sh, uint32_t pool)
{
	const struct sf_pools *p = &sh->pools;

	return pool < p->nr_pools && p->pool[pool].known ? &p->pool[pool] : NULL;
}

struct sf_area *sf_area_of(const struct sf_shadow *sh, uint64_t addr, uint64_t size)
{
	const struct sf_pools *p = &sh->pools;
	uint64_t page = page_of(sh, addr);
	struct sf_area *a;

	if (!p->used || addr < sh->vmalloc.base || page >= p->cap_area_at || !p->area_at[page])
		return NULL;
	a = &p->area[p->area_at[page] - 1];
	return size <= (a->pages << SF_PAGE_SHIFT) - (addr - a->addr) ? a : NULL;
}

/* Tables for what is seen first. */
static void prepare(struct sf_shadow *sh)
{
	struct sf_pools *p = &sh->pools;
	size_t words = (size_t)(sh->direct.pages + 63) / 64;

	p->used = true;
	if (p->cap_area_at < sh->vmalloc.pages) {
		sf_shadow_unmap(p->area_at, p->cap_area_at, sizeof(*p->area_at), &sh->bytes);
		p->cap_area_at = sh->vmalloc.pages;
		p->area_at = sf_shadow_map(p->cap_area_at, sizeof(*p->area_at), &sh->bytes);
	}
	if (p->cap_pages < words) {
		size_t other = p->cap_pages;

		p->pages = sf_shadow_grow(p->pages, &other, words, sizeof(*p->pages), &sh->bytes);
		p->sealed = sf_shadow_grow(p->sealed, &p->cap_pages, words, sizeof(*p->sealed),
					   &sh->bytes);
	}
}

/* Nothing is mapped any more. */
void sf_pools_begin(struct sf_shadow *sh)
{
	struct sf_pools *p = &sh->pools;

	for (size_t i = 0; i < p->nr_areas; i++) {
		if (!p->area[i].mapped)
			continue;
		memset(&p->area_at[page_of(sh, p->area[i].addr)], 0,
		       p->area[i].pages * sizeof(*p->area_at));
		sh->vm_used -= p->area[i].pages;
	}
	if (p->nr_areas) {
		memset(p->pages, 0, p->cap_pages * sizeof(*p->pages));
		memset(p->sealed, 0, p->cap_pages * sizeof(*p->sealed));
	}
	if (p->nr_pools)
		memset(p->pool, 0, p->nr_pools * sizeof(*p->pool));
	p->used = false;
	p->nr_areas = 0;
	p->nr_sealed = 0;
	p->aliased = false;
}

void sf_pools_free(struct sf_shadow *sh)
{
	struct sf_pools *p = &sh->pools;

	sf_shadow_unmap(p->area_at, p->cap_area_at, sizeof(*p->area_at), &sh->bytes);
	free(p->area);
	free(p->pool);
	free(p->pages);
	free(p->sealed);
}

/* Frame behind a page of the window, or SF_NO_PFN. */
static uint64_t frame(const struct sf_shadow *sh, uint64_t page)
{
	return page < sh->vm_high && sh->vm_pfn[page] ? sh->vm_pfn[page] - 1 : SF_NO_PFN;
}

static void set_sealed(struct sf_shadow *sh, struct sf_area *a, bool sealed)
{
	struct sf_pools *p = &sh->pools;
	uint64_t first = page_of(sh, a->addr);

	if (!a->mapped || a->sealed == sealed)
		return;
	a->sealed = sealed;
	for (uint64_t i = first; i < first + a->pages; i++) {
		uint64_t pfn = frame(sh, i);

		if (pfn == SF_NO_PFN || sf_bit(p->sealed, pfn) == sealed)
			continue;
		p->sealed[pfn / 64] ^= 1ull << (pfn % 64);
		p->nr_sealed += sealed ? 1 : -1ull;
	}
}

void sf_pools_seal(struct sf_shadow *sh, uint32_t pool, bool sealed, size_t but)
{
	for (size_t i = 0; i < sh->pools.nr_areas; i++)
		if (sh->pools.area[i].pool == pool && i != but)
			set_sealed(sh, &sh->pools.area[i], sealed);
}

/* After the zone has taken in the mapping. */
void sf_pools_map(struct sf_shadow *sh, const struct sf_ev_map *m, uint32_t op)
{
	struct sf_pools *p = &sh->pools;
	uint64_t first = page_of(sh, m->addr);
	struct sf_pool *pool;
	struct sf_area *a;

	if (m->addr < sh->vmalloc.base || first >= sh->vmalloc.pages || !m->pfns || !m->pages ||
	    m->pages > sh->vmalloc.pages - first || !sh->addresses)
		return;
	prepare(sh);
	p->area = sf_shadow_grow(p->area, &p->cap_areas, p->nr_areas + 1, sizeof(*p->area),
				 &sh->bytes);
	a = &p->area[p->nr_areas++];
	*a = (struct sf_area){ .addr = m->addr & ~(SF_PAGE_SIZE - 1), .pages = m->pages,
			       .pool = m->pool, .mapped = true };
	for (uint64_t i = first; i < first + m->pages; i++) {
		uint64_t pfn = frame(sh, i);

		p->area_at[i] = (uint32_t)p->nr_areas;
		if (pfn != SF_NO_PFN)
			sf_bits_set(p->pages, pfn, 1);
	}
	sh->vm_used += m->pages;
	pool = sf_pool_of(sh, m->pool);
	if (!pool)
		return;
	pool->areas++;
	pool->map_op = op + 1;
	if (pool->mode == SF_POOL_AUTO_RO || pool->mode == SF_POOL_AUTO_WR)
		sf_pools_seal(sh, m->pool, true, p->nr_areas - 1);
	if (pool->mode == SF_POOL_START_WR)
		set_sealed(sh, a, true);
}

/* Before the zone forgets the mapping. */
void sf_pools_unmap(struct sf_shadow *sh, const struct sf_ev_map *m)
{
	struct sf_area *a = sf_area_of(sh, m->addr, 1);
	struct sf_pool *pool;
	uint64_t first;

	if (!a || a->addr != m->addr)
		return;
	first = page_of(sh, a->addr);
	set_sealed(sh, a, false);
	for (uint64_t i = first; i < first + a->pages; i++) {
		uint64_t pfn = frame(sh, i);

		sh->pools.area_at[i] = 0;
		if (pfn != SF_NO_PFN)
			sf_bits_clear(sh->pools.pages, pfn, 1);
	}
	sh->vm_used -= a->pages;
	a->mapped = false;
	pool = sf_pool_of(sh, a->pool);
	if (pool && pool->areas)
		pool->areas--;
}

void sf_pools_act(struct sf_shadow *sh, const struct sf_ev_pool *e)
{
	struct sf_pools *p = &sh->pools;
	struct sf_pool *pool = sf_pool_of(sh, e->pool);

	if (e->status != SF_OK || e->pool >= POOLS_MAX)
		return;
	switch (e->act) {
	case SF_POOL_CREATE:
		prepare(sh);
		p->pool = sf_shadow_grow(p->pool, &p->nr_pools, e->pool + 1u, sizeof(*p->pool),
					 &sh->bytes);
		p->pool[e->pool] = (struct sf_pool){ .known = true, .mode = e->mode,
						     .refill = e->refill };
		break;
	case SF_POOL_PROTECT:
	case SF_POOL_UNPROTECT:
		if (pool)
			sf_pools_seal(sh, e->pool, e->act == SF_POOL_PROTECT, SIZE_MAX);
		break;
	case SF_POOL_DESTROY:
		if (pool)
			pool->known = false;
		break;
	}
}

void sf_pools_handed(struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	struct sf_area *area = sf_area_of(sh, a->addr, a->size);
	uint64_t end;

	if (!area)
		return;
	end = a->addr + a->size - area->addr;
	if (end > area->used)
		area->used = end;
}
