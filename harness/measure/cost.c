// SPDX-License-Identifier: MIT
/*
 * cost.c - cost.h: one small rule for each event that moves bytes or pages.
 */
#include "cost.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

static void allocated(struct sf_cost *c, const struct sf_ev_alloc *a)
{
	c->size = sf_grow_zeroed(c->size, &c->cap_size, (size_t)a->id + 1, sizeof(*c->size));
	c->size[a->id] = a->size;
	c->requested += a->size;
	/* Its pages are counted: an allocation is reported when it is over. */
	if (c->requested <= c->peak_requested)
		return;
	c->peak_requested = c->requested;
	c->peak_pages = c->pages;
	c->peak_slabs = c->slabs;
}

static void died(struct sf_cost *c, uint32_t id)
{
	if (id == SF_NONE || id >= c->cap_size)
		return;
	c->requested -= c->size[id];
	c->size[id] = 0;
}

static void on_alloc(struct sf_cost *c, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	bool came = a->status == SF_OK && a->id != SF_NONE;

	c->allocations++;
	c->failures += a->status != SF_OK;
	if (came && ev->type == SF_EV_REALLOC)
		died(c, a->old_id);
	if (came)
		allocated(c, a);
}

static void on_slab(struct sf_cost *c, uint32_t cache)
{
	c->slabs++;
	c->used = sf_grow_zeroed(c->used, &c->cap_used, (size_t)cache + 1, 1);
	c->caches += !c->used[cache];
	c->used[cache] = 1;
}

static void on_pages(struct sf_cost *c, unsigned int order)
{
	c->pages += 1ull << order;
	if (c->pages > c->most_pages)
		c->most_pages = c->pages;
}

void sf_cost_event(void *cost, const struct sf_event *ev)
{
	struct sf_cost *c = cost;

	switch (ev->type) {
	case SF_EV_ALLOC:
	case SF_EV_REALLOC:
		on_alloc(c, ev);
		break;
	case SF_EV_FREE:
		if (ev->free.status == SF_OK)
			died(c, ev->free.id);
		break;
	case SF_EV_SLAB_NEW:
		on_slab(c, ev->slab.cache);
		break;
	case SF_EV_SLAB_FREE:
		c->slabs--;
		break;
	case SF_EV_PAGE_ALLOC:
		on_pages(c, ev->page.order);
		break;
	case SF_EV_PAGE_FREE:
		c->pages -= 1ull << ev->page.order;
		break;
	}
}

void sf_cost_free(struct sf_cost *c)
{
	free(c->size);
	free(c->used);
	*c = (struct sf_cost){ 0 };
}

double sf_cost_overhead(const struct sf_cost *c)
{
	double bytes = (double)c->peak_pages * (double)SF_PAGE_SIZE;

	return c->peak_pages ? (bytes - (double)c->peak_requested) / bytes : 0;
}
