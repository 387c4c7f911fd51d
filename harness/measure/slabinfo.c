// SPDX-License-Identifier: MIT
/*
 * slabinfo.c - slabinfo.h: a table of caches that follows the events.
 */
#include "slabinfo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

static struct sf_slabinfo_cache *cache_at(struct sf_slabinfo *s, uint32_t id)
{
	return id < s->nr_caches && s->cache[id].present ? &s->cache[id] : NULL;
}

static void on_cache(struct sf_slabinfo *s, const struct sf_ev_cache *c)
{
	struct sf_slabinfo_cache *to;

	s->cache = sf_grow_zeroed(s->cache, &s->cap_caches, (size_t)c->id + 1, sizeof(*s->cache));
	if (c->id >= s->nr_caches)
		s->nr_caches = (size_t)c->id + 1;
	if (c->boot)
		s->nr_boot = s->nr_caches;
	to = &s->cache[c->id];
	if (!to->present) {
		*to = (struct sf_slabinfo_cache){ .present = true };
		snprintf(to->name, sizeof(to->name), "%s", c->name);
	}
	to->kind = c->kind;
	to->partition = c->partition;
	to->class_size = c->class_size;
}

static void died(struct sf_slabinfo *s, uint32_t id)
{
	struct sf_slabinfo_cache *c;

	if (id >= s->cap_objects || !s->object[id].cache)
		return;
	c = cache_at(s, s->object[id].cache - 1);
	if (c) {
		c->live--;
		c->live_bytes -= s->object[id].size;
	}
	s->object[id].cache = 0;
}

static void on_alloc(struct sf_slabinfo *s, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	struct sf_slabinfo_cache *c;

	if (a->status != SF_OK || a->id == SF_NONE)
		return;
	if (ev->type == SF_EV_REALLOC)
		died(s, a->old_id);
	c = cache_at(s, a->place.cache);
	if (a->place.kind != SF_PLACE_SLAB || !c)
		return;
	s->object = sf_grow_zeroed(s->object, &s->cap_objects, (size_t)a->id + 1,
				   sizeof(*s->object));
	s->object[a->id].cache = a->place.cache + 1;
	s->object[a->id].size = a->size;
	c->live++;
	c->live_bytes += a->size;
}

static void on_snap(struct sf_slabinfo *s, const struct sf_ev_snapcache *snap)
{
	struct sf_slabinfo_cache *c = cache_at(s, snap->cache);

	if (!c)
		return;
	c->shown = true;
	c->snap = *snap;
}

void sf_slabinfo_event(void *info, const struct sf_event *ev)
{
	struct sf_slabinfo *s = info;

	switch (ev->type) {
	case SF_EV_HEAP:
		s->caps = ev->heap.caps;
		break;
	case SF_EV_CACHE:
		on_cache(s, &ev->cache);
		break;
	case SF_EV_ALLOC:
	case SF_EV_REALLOC:
		on_alloc(s, ev);
		break;
	case SF_EV_FREE:
		if (ev->free.status == SF_OK)
			died(s, ev->free.id);
		break;
	case SF_EV_SNAP_BEGIN:
		for (size_t i = 0; i < s->nr_caches; i++)
			s->cache[i].shown = false;
		break;
	case SF_EV_SNAP_CACHE:
		on_snap(s, &ev->snapcache);
		break;
	}
}

void sf_slabinfo_free(struct sf_slabinfo *s)
{
	free(s->cache);
	free(s->object);
	*s = (struct sf_slabinfo){ 0 };
}

void sf_slabinfo_partitions(const struct sf_slabinfo *s,
			    struct sf_slabinfo_partition part[SF_PARTITIONS])
{
	memset(part, 0, SF_PARTITIONS * sizeof(*part));
	for (size_t i = 0; i < s->nr_caches; i++) {
		const struct sf_slabinfo_cache *c = &s->cache[i];
		struct sf_slabinfo_partition *p = &part[c->partition % SF_PARTITIONS];

		if (!c->present || c->kind != SF_CACHE_KMALLOC)
			continue;
		p->live += c->live;
		p->live_bytes += c->live_bytes;
		p->slabs += c->snap.nr_slabs;
		p->pages += c->snap.nr_slabs * c->snap.pagesperslab;
	}
}
