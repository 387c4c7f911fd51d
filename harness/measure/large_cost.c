// SPDX-License-Identifier: MIT
/*
 * large_cost.c - large_cost.h: the adding up. The indices are those of mm/vmstat.c.
 */
#include "large_cost.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

#define BLOCK_ORDER 9u
#define REGION_SHIFT (SF_PAGE_SHIFT + BLOCK_ORDER)

struct sf_large_object {
	uint64_t addr, size;
	uint64_t backing; /* of its own: 0 in a slab */
	bool alive, vmalloc;
};

static uint64_t pages_of(uint64_t size)
{
	return (size + SF_PAGE_SIZE - 1) / SF_PAGE_SIZE;
}

static bool asked_large(const struct sf_ev_alloc *a)
{
	return a->size > SF_PAGE_SIZE && !a->overflow &&
	       (a->api == SF_API_KMALLOC || a->api == SF_API_KVMALLOC || a->api == SF_API_CACHE ||
		a->api == SF_API_EXACT);
}

static void died(struct sf_large *l, uint32_t id)
{
	struct sf_large_object *o = id < l->cap_obj ? &l->obj[id] : NULL;

	if (!o || !o->alive)
		return;
	l->now.objects--;
	l->now.requested -= o->size;
	l->now.backing -= o->backing;
	o->alive = false;
}

static void allocated(struct sf_large *l, const struct sf_ev_alloc *a)
{
	struct sf_large_object *o;

	l->obj = sf_grow_zeroed(l->obj, &l->cap_obj, (size_t)a->id + 1, sizeof(*l->obj));
	o = &l->obj[a->id];
	*o = (struct sf_large_object){ .addr = a->addr, .size = a->size, .alive = true,
				       .vmalloc = a->place.kind == SF_PLACE_VMALLOC };
	if (a->place.kind == SF_PLACE_LARGE)
		o->backing = SF_PAGE_SIZE << a->place.order;
	else if (a->place.kind != SF_PLACE_SLAB)
		o->backing = pages_of(a->size) * SF_PAGE_SIZE;
	l->fallbacks += o->vmalloc;
	l->now.objects++;
	l->now.requested += o->size;
	l->now.backing += o->backing;
}

static void on_alloc(struct sf_large *l, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	bool came = a->status == SF_OK && a->id != SF_NONE;

	if (came && ev->type == SF_EV_REALLOC && a->old_id != SF_NONE)
		died(l, a->old_id);
	if (!asked_large(a))
		return;
	l->requests++;
	if (came)
		allocated(l, a);
	else
		l->failures++;
}

static void on_cache(struct sf_large *l, const struct sf_ev_cache *c)
{
	l->cache = sf_grow_zeroed(l->cache, &l->cap_cache, (size_t)c->id + 1, 1);
	l->cache[c->id] = c->object_size > SF_PAGE_SIZE;
}

static void on_slab(struct sf_large *l, const struct sf_event *ev)
{
	uint64_t bytes = SF_PAGE_SIZE << ev->slab.order;

	if (ev->slab.cache >= l->cap_cache || !l->cache[ev->slab.cache])
		return;
	l->now.backing += ev->type == SF_EV_SLAB_NEW ? bytes : -bytes;
}

void sf_large_event(void *large, const struct sf_event *ev)
{
	struct sf_large *l = large;

	switch (ev->type) {
	case SF_EV_CACHE:
		on_cache(l, &ev->cache);
		break;
	case SF_EV_ALLOC:
	case SF_EV_REALLOC:
		on_alloc(l, ev);
		break;
	case SF_EV_FREE:
		if (ev->free.status == SF_OK && ev->free.id != SF_NONE)
			died(l, ev->free.id);
		break;
	case SF_EV_SLAB_NEW:
	case SF_EV_SLAB_FREE:
		on_slab(l, ev);
		break;
	case SF_EV_SNAP_BEGIN:
		memset(l->now.free, 0, sizeof(l->now.free));
		l->now.pcp_blocks = 0;
		break;
	case SF_EV_SNAP_BLOCK:
		if (ev->snapblock.order < SF_NR_ORDERS)
			l->now.free[ev->snapblock.order]++;
		break;
	case SF_EV_SNAP_PCP:
		if (ev->snappcp.order == BLOCK_ORDER)
			l->now.pcp_blocks += ev->snappcp.nr;
		break;
	}
}

void sf_large_step(struct sf_large *l)
{
	l->now.operations++;
	if (l->now.requested <= l->peak)
		return;
	l->peak = l->now.requested;
	l->peak_operations = l->now.operations;
}

/* --- regions --- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t distinct(uint64_t *v, size_t nr)
{
	uint64_t n = 0;

	qsort(v, nr, sizeof(*v), by_value);
	for (size_t i = 0; i < nr; i++)
		n += !i || v[i] != v[i - 1];
	return n;
}

void sf_large_regions(struct sf_large *l)
{
	uint64_t *region = NULL;
	size_t nr = 0, cap = 0;

	l->now.regions_each = l->now.small_pages = 0;
	for (size_t i = 0; i < l->cap_obj; i++) {
		const struct sf_large_object *o = &l->obj[i];

		if (!o->alive)
			continue;
		if (o->vmalloc)
			l->now.small_pages += pages_of(o->size);
		for (uint64_t r = o->addr >> REGION_SHIFT;
		     r <= (o->addr + o->size - 1) >> REGION_SHIFT; r++) {
			region = sf_grow_zeroed(region, &cap, nr + 1, sizeof(*region));
			region[nr++] = r;
		}
	}
	l->now.regions_each = nr;
	l->now.regions = nr ? distinct(region, nr) : 0;
	free(region);
}

void sf_large_free(struct sf_large *l)
{
	free(l->obj);
	free(l->cache);
	*l = (struct sf_large){ 0 };
}

/* --- free memory --- */

uint64_t sf_large_free_pages(const struct sf_large_moment *m)
{
	uint64_t n = 0;

	for (unsigned int order = 0; order < SF_NR_ORDERS; order++)
		n += m->free[order] << order;
	return n;
}

/* Blocks of `order` that free blocks hold. */
static uint64_t suitable(const struct sf_large_moment *m, unsigned int order)
{
	uint64_t n = 0;

	for (unsigned int i = order; i < SF_NR_ORDERS; i++)
		n += m->free[i] << (i - order);
	return n;
}

uint64_t sf_large_blocks(const struct sf_large_moment *m)
{
	return suitable(m, BLOCK_ORDER) + m->pcp_blocks;
}

int64_t sf_large_fragmentation(const struct sf_large_moment *m, unsigned int order)
{
	uint64_t blocks = 0, pages = sf_large_free_pages(m);

	for (unsigned int i = 0; i < SF_NR_ORDERS; i++)
		blocks += m->free[i];
	if (!blocks)
		return 0;
	if (suitable(m, order))
		return -1000;
	return 1000 - (int64_t)((1000 + pages * 1000 / (1ull << order)) / blocks);
}

uint64_t sf_large_unusable(const struct sf_large_moment *m, unsigned int order)
{
	uint64_t pages = sf_large_free_pages(m);

	return pages ? (pages - (suitable(m, order) << order)) * 1000 / pages : 1000;
}
