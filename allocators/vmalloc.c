// SPDX-License-Identifier: MIT
/*
 * vmalloc.c - memory that is contiguous in addresses only: kvmalloc's fallback (mm/vmalloc.c).
 *
 * Relies on page_alloc.c for single pages and on the arena's second window. An area is preceded by a
 * guard page; address ranges are not used again in one program, so a stale address finds nothing.
 */
#include "heap.h"

#include <stdlib.h>

struct vm_area *vmalloc_area(const struct sf_heap *h, uint64_t addr)
{
	uint64_t n = (addr - SF_VMALLOC) >> SF_PAGE_SHIFT;
	uint32_t guard;

	if (addr < SF_VMALLOC || (addr & (SF_PAGE_SIZE - 1)) || n == 0 || n >= h->arena.vmap_next)
		return NULL;
	guard = h->arena.vmap[n - 1];
	if (!(guard & VMAP_AREA))
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
		v = realloc(a->area, a->cap_areas * sizeof(*v));
		if (!v)
			abort(); /* no memory for bookkeeping: not the model's failure */
		a->area = v;
	}
	v = &a->area[a->nr_areas];
	v->start = a->vmap_next + 1;
	v->pages = 0;
	a->vmap[a->vmap_next] = VMAP_AREA | a->nr_areas++;
	a->vmap_next += pages + 1;
	return v;
}

static uint64_t area_addr(const struct vm_area *v)
{
	return SF_VMALLOC + ((uint64_t)v->start << SF_PAGE_SHIFT);
}

static void release(struct sf_heap *h, struct vm_area *v)
{
	uint32_t *map = h->arena.vmap + v->start;

	for (uint32_t i = 0; i < v->pages; i++) {
		page_free(h, map[i] - 1, 0);
		map[i] = 0;
	}
	v->pages = 0;
}

uint64_t vmalloc(struct sf_heap *h, uint64_t size, uint32_t gfp, enum sf_status *status)
{
	uint64_t pages = (size + SF_PAGE_SIZE - 1) >> SF_PAGE_SHIFT;
	struct arena *a = &h->arena;
	struct vm_area *v;

	*status = SF_NULL;
	/* More than there is: refused before a page is taken (mm/vmalloc.c:__vmalloc_node_range). */
	if (pages == 0 || pages > h->zone.managed) {
		warn(h, "vmalloc: exceeds total pages", 0);
		return 0;
	}
	v = new_area(a, (uint32_t)pages);
	if (!v) {
		warn(h, "vmalloc: address space exhausted", 0);
		return 0;
	}
	v->size = size;
	for (uint32_t i = 0; i < pages; i++) {
		/* Which migrate type is the caller's business as anywhere; highmem and movable are not. */
		uint32_t pfn = page_alloc(h, gfp, 0, status);

		if (pfn == NO_PFN) {
			release(h, v);
			return 0;
		}
		a->vmap[v->start + i] = pfn + 1;
		h->walk_buf[i] = pfn;
		v->pages++;
	}
	*status = SF_OK;
	EMIT(h, MAP, map, .addr = area_addr(v), .pages = pages, .pfns = h->walk_buf);
	arena_open(h, area_addr(v), size);
	return area_addr(v);
}

void vfree(struct sf_heap *h, uint64_t addr)
{
	struct vm_area *v = vmalloc_area(h, addr);

	arena_close(h, addr, (uint64_t)v->pages << SF_PAGE_SHIFT);
	EMIT(h, UNMAP, map, .addr = addr, .pages = v->pages);
	release(h, v);
}

/* In place while the pages suffice (mm/vmalloc.c:vrealloc_node_align). */
uint64_t vrealloc(struct sf_heap *h, uint64_t addr, uint64_t size, uint32_t gfp,
		  enum sf_status *status)
{
	struct vm_area *v = vmalloc_area(h, addr);
	bool zero = (gfp & SF_GFP_ZERO) || h->set.init_on_alloc;
	uint64_t room = (uint64_t)v->pages << SF_PAGE_SHIFT, old = v->size, to;

	*status = SF_OK;
	if (size <= room) {
		if (zero && size < old)
			raw_wipe(h, addr + size, old - size);
		else if (zero)
			raw_wipe(h, addr + old, size - old);
		arena_close(h, addr, room);
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
