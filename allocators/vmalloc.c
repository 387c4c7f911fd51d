// SPDX-License-Identifier: MIT
/*
 * vmalloc.c - memory that is contiguous in addresses only: kvmalloc's fallback (mm/vmalloc.c), and
 * what areas of pools consist of (pool.c, which maps them).
 *
 * Relies on page_alloc.c for pages and on the arena's second window. An area is preceded by a guard
 * page; address ranges are not used again in one program, so a stale address finds nothing. There
 * are no huge mappings, and what the kernel allocates to keep books of an area is kept beside.
 */
#include "arena.h"
#include "base/grow.h"
#include "heap_assert.h"
#include "page_alloc.h"
#include "vmalloc.h"

#include <stdlib.h>
#include <string.h>

struct vm_area *vmalloc_area(const struct sf_heap *h, uint64_t addr)
{
	uint64_t n = (addr - SF_VMALLOC) >> SF_PAGE_SHIFT;
	uint32_t guard;

	if (addr < SF_VMALLOC || (addr & (SF_PAGE_SIZE - 1)) || n == 0 || n >= h->arena.vmap_next)
		return NULL;
	guard = h->arena.vmap[n - 1];
	if (!(guard & VMAP_AREA) || !h->arena.area[guard & ~VMAP_AREA].pages ||
	    h->arena.area[guard & ~VMAP_AREA].pool)
		return NULL;
	return &h->arena.area[guard & ~VMAP_AREA];
}

static struct vm_area *new_area(struct arena *a, uint32_t pages)
{
	struct vm_area *v;

	if (pages > VMAP_PAGES - 1 - a->vmap_next)
		return NULL;
	if (a->nr_areas == a->cap_areas) {
		a->cap_areas = a->cap_areas ? 2 * a->cap_areas : 64;
		a->area = sf_grow(a->area, a->cap_areas, sizeof(*a->area));
	}
	v = &a->area[a->nr_areas];
	*v = (struct vm_area){ .start = a->vmap_next + 1, .next = SF_NONE };
	a->vmap[a->vmap_next] = VMAP_AREA | a->nr_areas++;
	a->vmap_next += pages + 1;
	return v;
}

static unsigned int ilog2(uint32_t n)
{
	return 31 - (unsigned int)__builtin_clz(n);
}

/* Pages from index `from` on go back, contiguous runs in the largest blocks that they make. */
static void release(struct sf_heap *h, struct vm_area *v, uint32_t from)
{
	uint32_t *map = h->arena.vmap + v->start;

	heap_assert(h, from <= v->pages);
	heap_assert(h, v->start + v->pages <= h->arena.vmap_next);
	for (uint32_t i = from, nr; i < v->pages; i += nr) {
		uint32_t pfn = map[i] - 1;

		heap_assert(h, map[i] && pfn < h->arena.pages);
		for (nr = 1; i + nr < v->pages && map[i + nr] == map[i] + nr;)
			nr++;
		for (uint32_t left = nr; left;) {
			unsigned int order = ilog2(left);

			if (order >= SF_NR_ORDERS)
				order = SF_NR_ORDERS - 1;
			while (pfn & ((1u << order) - 1))
				order--;
			page_free(h, pfn, order);
			pfn += 1u << order;
			left -= 1u << order;
		}
	}
	memset(map + from, 0, (v->pages - from) * sizeof(*map));
	v->pages = from;
	heap_assert(h, v->pages == from);
}

/*
 * Large blocks first, without effort, each order given up at its first failure; then single pages
 * (mm/vmalloc.c:vm_area_alloc_pages). Which migrate type is the caller's business as anywhere.
 */
static bool take_pages(struct sf_heap *h, struct vm_area *v, uint32_t pages, uint32_t gfp,
		       enum sf_status *status)
{
	uint32_t large = (gfp | SF_GFP_NOWARN) & ~(uint32_t)(SF_GFP_NOFAIL | SF_GFP_DIRECT_RECLAIM);
	unsigned int most = SF_NR_ORDERS - 1;

	heap_assert(h, pages > 0 && v->pages == 0);
	while (v->pages < pages) {
		unsigned int order = ilog2(pages - v->pages);
		uint32_t pfn;

		if (order > most)
			order = most;
		pfn = page_alloc(h, order ? large : gfp | SF_GFP_NOWARN, order, status);
		if (pfn == NO_PFN) {
			if (order == 0)
				return false;
			most = order - 1;
			continue;
		}
		if (order)
			page_split(h, pfn, order);
		for (uint32_t i = 0; i < 1u << order; i++, v->pages++) {
			h->arena.vmap[v->start + v->pages] = pfn + i + 1;
			h->walk_buf[v->pages] = pfn + i;
		}
	}
	heap_assert(h, v->pages == pages);
	return true;
}

uint64_t vmalloc(struct sf_heap *h, uint64_t size, uint32_t gfp, enum sf_status *status)
{
	uint64_t pages = (size + SF_PAGE_SIZE - 1) >> SF_PAGE_SHIFT;
	struct arena *a = &h->arena;
	struct vm_area *v;

	*status = SF_NULL;
	/*
	 * More than there is: refused before a page is taken (mm/vmalloc.c:__vmalloc_node_range).
	 */
	if (size == 0 || size >> SF_PAGE_SHIFT > h->zone.managed) {
		if (!(gfp & SF_GFP_NOWARN))
			warn(h, "vmalloc: exceeds total pages", 0);
		return 0;
	}
	v = new_area(a, (uint32_t)pages);
	if (!v) {
		if (!(gfp & SF_GFP_NOWARN))
			warn(h, "vmalloc: address space exhausted", 0);
		return 0;
	}
	v->size = size;
	heap_assert(h, !v->pages && v->start + pages == a->vmap_next);
	if (!take_pages(h, v, (uint32_t)pages, gfp, status)) {
		release(h, v, 0);
		return 0;
	}
	*status = SF_OK;
	EMIT(h, MAP, map, .addr = area_addr(v), .pages = pages, .pfns = h->walk_buf);
	arena_open(h, area_addr(v), size);
	heap_assert(h, vmalloc_area(h, area_addr(v)) == v);
	return area_addr(v);
}

uint32_t vmalloc_take(struct sf_heap *h, uint32_t pages, uint32_t pool)
{
	struct arena *a = &h->arena;
	struct vm_area *v = new_area(a, pages);
	enum sf_status status;

	if (!v)
		return SF_NONE;
	v->pool = pool;
	if (!take_pages(h, v, pages, SF_GFP_KERNEL | SF_GFP_ZERO, &status)) {
		release(h, v, 0);
		return SF_NONE;
	}
	for (uint32_t i = 0; i < pages; i++) {
		struct page *pg = &a->page[a->vmap[v->start + i] - 1];

		heap_assert(h, pg->state == PAGE_USED && pg->order == 0);
		pg->state = PAGE_POOL;
		pg->cache = (uint32_t)(v - a->area);
	}
	return (uint32_t)(v - a->area);
}

void vmalloc_give(struct sf_heap *h, uint32_t area)
{
	heap_assert(h, area < h->arena.nr_areas);
	heap_assert(h, h->arena.area[area].pool && !h->arena.area[area].sealed);
	release(h, &h->arena.area[area], 0);
}

void vfree(struct sf_heap *h, uint64_t addr)
{
	struct vm_area *v = vmalloc_area(h, addr);

	if (!v) {
		warn(h, "vfree: nonexistent vm area", addr);
		return;
	}
	heap_assert(h, v->pages && v->size <= (uint64_t)v->pages << SF_PAGE_SHIFT);
	arena_close(h, addr, (uint64_t)v->pages << SF_PAGE_SHIFT);
	EMIT(h, UNMAP, map, .addr = addr, .pages = v->pages);
	release(h, v, 0);
}

/*
 * In place while the pages suffice (mm/vmalloc.c:vrealloc_node_align). Pages that a shrink leaves
 * over go back at once. Growth zeroes nothing: what lies beyond the size was zeroed at allocation
 * or by the shrink, or else it is stale.
 */
uint64_t vrealloc(struct sf_heap *h, uint64_t addr, uint64_t size, uint32_t gfp,
		  enum sf_status *status)
{
	struct vm_area *v = vmalloc_area(h, addr);
	bool zero = (gfp & SF_GFP_ZERO) || h->set.init_on_alloc || h->set.init_on_free;
	uint64_t room = (uint64_t)v->pages << SF_PAGE_SHIFT, old = v->size, to;
	uint32_t pages = (uint32_t)((size + SF_PAGE_SIZE - 1) >> SF_PAGE_SHIFT);

	heap_assert(h, size > 0 && old <= room);
	*status = SF_OK;
	if (size <= room) {
		if (zero && size < old)
			raw_wipe(h, addr + size, old - size);
		arena_close(h, addr, room);
		if (size <= old && pages < v->pages && (gfp & SF_GFP_IO) && (gfp & SF_GFP_FS)) {
			EMIT(h, UNMAP, map, .addr = addr + ((uint64_t)pages << SF_PAGE_SHIFT),
			     .pages = v->pages - pages);
			release(h, v, pages);
		}
		arena_open(h, addr, size);
		v->size = size;
		return addr;
	}
	to = vmalloc(h, size, gfp, status);
	if (!to)
		return 0;
	raw_copy(h, to, addr, old);
	vfree(h, addr);
	return to;
}
