// SPDX-License-Identifier: MIT
/*
 * pressure.c - pressure.h: listens behind the judge, and adds up what page blocks hold.
 */
#include "pressure.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

enum {
	HOLDS_RECLAIMABLE = 1,
	HOLDS_OTHER = 2,
};

void sf_pressure_init(struct sf_pressure *p, struct sf_judge *judge)
{
	*p = (struct sf_pressure){ .judge = judge, .pageblock_order = 9 };
}

void sf_pressure_free(struct sf_pressure *p)
{
	free(p->block);
	free(p->reclaimable);
}

static void on_cache(struct sf_pressure *p, const struct sf_ev_cache *c)
{
	p->reclaimable = sf_grow_zeroed(p->reclaimable, &p->cap_caches, (size_t)c->id + 1, 1);
	p->reclaimable[c->id] = c->flags & SF_SLAB_RECLAIM_ACCOUNT ? 1 : 0;
}

static void begin(struct sf_pressure *p, const struct sf_ev_snap *snap)
{
	p->nr_blocks = (size_t)(snap->managed >> p->pageblock_order) + 1;
	p->block = sf_grow_zeroed(p->block, &p->cap_blocks, p->nr_blocks, 1);
	memset(p->block, 0, p->nr_blocks);
	p->now = (struct sf_pressure_moment){ .managed = snap->managed };
}

static void holds(struct sf_pressure *p, uint64_t pfn, uint8_t what)
{
	uint64_t b = pfn >> p->pageblock_order;

	if (b < p->nr_blocks)
		p->block[b] |= what;
}

static void end(struct sf_pressure *p)
{
	for (size_t i = 0; i < p->nr_blocks; i++) {
		p->now.blocks += p->block[i] & HOLDS_RECLAIMABLE;
		p->now.mixed += p->block[i] == (HOLDS_RECLAIMABLE | HOLDS_OTHER);
	}
	p->now.sums = *sf_judge_reclaim(p->judge);
}

void sf_pressure_event(void *pressure, const struct sf_event *ev)
{
	struct sf_pressure *p = pressure;

	sf_judge_event(p->judge, ev);
	switch (ev->type) {
	case SF_EV_HEAP:
		p->pageblock_order = ev->heap.settings->pageblock_order;
		break;
	case SF_EV_CACHE:
		on_cache(p, &ev->cache);
		break;
	case SF_EV_SNAP_BEGIN:
		begin(p, &ev->snap);
		break;
	case SF_EV_SNAP_SLAB:
		holds(p, ev->snapslab.pfn, ev->snapslab.cache < p->cap_caches &&
						   p->reclaimable[ev->snapslab.cache] ?
					   HOLDS_RECLAIMABLE : HOLDS_OTHER);
		break;
	case SF_EV_SNAP_USED:
		holds(p, ev->snapused.pfn, HOLDS_OTHER);
		break;
	case SF_EV_SNAP_COUNTERS:
		p->now.free = ev->counters.nr_free_pages;
		p->now.slab_reclaimable = ev->counters.nr_slab_reclaimable;
		p->now.slab_unreclaimable = ev->counters.nr_slab_unreclaimable;
		p->now.totalreserve = ev->counters.totalreserve;
		break;
	case SF_EV_SNAP_END:
		end(p);
		break;
	}
}

void sf_pressure_note(struct sf_pressure *p, uint64_t operations)
{
	p->now.operations = operations;
	if (!p->most.sums.valid || p->now.sums.truth > p->most.sums.truth)
		p->most = p->now;
}

#define ADMIN_RESERVE_MAX (8192u / 4) /* sysctl_admin_reserve_kbytes, in pages */

uint64_t sf_pressure_obtainable(const struct sf_pressure_moment *m)
{
	uint64_t there = m->free + m->sums.truth / SF_PAGE_SIZE, reserve = m->managed / 32;

	reserve = (reserve < ADMIN_RESERVE_MAX ? reserve : ADMIN_RESERVE_MAX) + m->totalreserve + 1;
	return there > reserve ? there - reserve : 0;
}
