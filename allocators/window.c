// SPDX-License-Identifier: MIT
/*
 * window.c - addresses of slabs under slab_virtual: a range of the slab window belongs for ever to
 * the cache that had it first, whatever frames lie behind it.
 *
 * After the proposed SLAB_VIRTUAL of Linux (not merged). Relies on the arena's map of the window,
 * whose page n is a frame; slab.c maps each slab here. A range is as long as a slab of its order
 * and naturally aligned. One that a slab left finds nothing until the cache takes it again, the
 * last one left first; until then the entry of its first page links it to the one left before.
 */
#include "heap_assert.h"
#include "window.h"

#include <string.h>

static bool new_range(struct arena *a, unsigned int order, uint32_t *range)
{
	uint32_t pages = 1u << order, first = (a->smap_next + pages - 1) & ~(pages - 1);

	if (first > SMAP_PAGES - pages)
		return false;
	a->smap_next = first + pages;
	*range = first;
	return true;
}

bool window_map(struct sf_heap *h, struct kcache *s, uint32_t pfn, unsigned int order)
{
	struct arena *a = &h->arena;
	uint32_t range;

	if (!a->smap)
		return true;
	if (s->ranges[order]) {
		range = s->ranges[order] - 1;
		s->ranges[order] = a->smap[range] & ~SMAP_FREE;
	} else if (!new_range(a, order, &range)) {
		return false;
	}
	heap_assert(h, range + (1u << order) <= a->smap_next && !(range & ((1u << order) - 1)));
	heap_assert(h, order == 0 || !a->smap[range + 1]);
	s->touched = true;
	a->page[pfn].window = range;
	for (uint32_t i = 0; i < 1u << order; i++)
		a->smap[range + i] = pfn + i + 1;
	return true;
}

void window_unmap(struct sf_heap *h, struct kcache *s, uint32_t pfn, unsigned int order)
{
	struct arena *a = &h->arena;
	uint32_t range = a->page[pfn].window;

	if (!a->smap)
		return;
	heap_assert(h, a->smap[range] == pfn + 1 && a->smap[range + (1u << order) - 1] ==
		    pfn + (1u << order));
	memset(a->smap + range, 0, sizeof(*a->smap) << order);
	a->smap[range] = SMAP_FREE | s->ranges[order];
	s->ranges[order] = range + 1;
}

/* Caches that are not there at boot are made anew, without ranges. */
void window_reset(struct sf_heap *h)
{
	struct arena *a = &h->arena;

	if (!a->smap)
		return;
	memset(a->smap, 0, a->smap_next * sizeof(*a->smap));
	a->smap_next = 0;
	for (uint32_t i = 0; i < h->nr_boot; i++)
		if (h->cache[i]->touched)
			memset(h->cache[i]->ranges, 0, sizeof(h->cache[i]->ranges));
}
