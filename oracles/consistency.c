// SPDX-License-Identifier: MIT
/*
 * consistency.c - a design of kmalloc that no row of designs.h describes (ISO-1): equal requests
 * lie in equal places, and no page holds two of its partitions.
 *
 * A place is a cache, or none (pages of its own); partitions are what keeps its caches apart.
 * What is remembered is bounded: the last request of each slot of a table, and who lives on a page.
 * Relies on judge.h; partition.c calls it.
 */
#include "consistency.h"

#include <stdlib.h>

#include "../allocators/base/hash.h"
#include "caches.h"
#include "designs.h"
#include "judge.h"
#include "report.h"
#include "requests.h"
#include "shadow_mem.h"
#include "taken.h"

#define ULL(x) ((unsigned long long)(x))
#define SLOTS 4096u
#define NO_CACHE UINT32_MAX

/* Where a request got its memory. Valid if `run` is the shadow's. */
struct place {
	uint64_t request; /* hash of all that it says */
	uint32_t run;
	uint32_t cache;   /* NO_CACHE: in none */
	uint8_t kind;
};

/* A page: the partition of those who live on it. Valid if `run` is the shadow's. */
struct tenant {
	uint64_t partition;
	uint32_t run, cache;
};

struct sf_places {
	struct place place[SLOTS];
	struct tenant *tenant; /* by page of the direct map */
	size_t cap;
};

void sf_places_free(struct sf_judge *j)
{
	if (j->places)
		sf_shadow_unmap(j->places->tenant, j->places->cap, sizeof(*j->places->tenant),
				&j->sh.bytes);
	free(j->places);
	j->places = NULL;
}

static struct sf_places *mine(struct sf_judge *j)
{
	struct sf_places *p = j->places;

	if (!p)
		p = j->places = sf_shadow_zalloc(1, sizeof(*p), &j->sh.bytes);
	if (p->cap < j->sh.direct.pages) {
		sf_shadow_unmap(p->tenant, p->cap, sizeof(*p->tenant), &j->sh.bytes);
		p->cap = j->sh.direct.pages;
		p->tenant = sf_shadow_map(p->cap, sizeof(*p->tenant), &j->sh.bytes);
	}
	return p;
}

/* All that it says, and the CPU that it is made on: some keep theirs apart. */
static uint64_t request_of(const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const uint64_t says[] = { ev->cpu, a->size, a->n, a->elem, a->gfp,
				  a->site, a->bucket, a->type, a->token,
				  a->align, a->type_align, a->api, a->counter_size };
	uint64_t hash = SF_FNV_START;

	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		hash = (hash ^ says[i]) * SF_GOLDEN;
		hash ^= hash >> 29;
	}
	return hash;
}

static const char *name_of(struct sf_judge *j, uint32_t cache)
{
	return cache == NO_CACHE ? "no cache" : sf_name_of_cache(&j->sh, cache);
}

static void same_place(struct sf_judge *j, const struct sf_event *ev, uint32_t cache)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint64_t request = request_of(ev);
	struct place *p = &mine(j)->place[request % SLOTS];
	struct place now = { request, j->sh.run, cache, a->place.kind };

	if (p->run == now.run && p->request == request &&
	    (p->cache != cache || p->kind != now.kind)) {
		sf_title(j, SF_INV_ISO_1, "equal requests lie in different places");
		sf_report(j, ev, a->res, SF_NONE, "%llu bytes, gfp %#x, token %u, site %u: in %s, "
			  "earlier in %s", ULL(a->size), a->gfp, a->token, a->site,
			  name_of(j, cache), name_of(j, p->cache));
	}
	*p = now;
}

/* Kind, partition and bucket, whatever the size class; any other cache is one of its own. */
static uint64_t partition_of(struct sf_judge *j, uint32_t cache)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, cache);

	if (!c)
		return 1;
	return c->is ? c->is & ~(0xffffull << 32) : ~(uint64_t)c->serial;
}

/* Whose page it was when nothing is alive on it any more is of no interest. */
static void apart(struct sf_judge *j, const struct sf_event *ev, uint32_t cache)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint64_t first = (a->addr - j->sh.direct.base) >> SF_PAGE_SHIFT, partition;
	uint64_t end = (a->addr + a->size - 1 - j->sh.direct.base) >> SF_PAGE_SHIFT;
	struct sf_places *all = mine(j);
	bool reported = false;

	if (!j->sh.addresses || !sf_window_has(&j->sh.direct, a->addr))
		return;
	partition = partition_of(j, cache);
	for (uint64_t p = first; p <= end && p < j->sh.direct.pages; p++) {
		struct tenant *t = &all->tenant[p];

		if (!reported && t->run == j->sh.run && t->partition != partition &&
		    j->sh.direct.used[p]) {
			reported = true;
			sf_title(j, SF_INV_ISO_1, "a page holds two partitions");
			sf_report(j, ev, a->res, SF_NONE, "page %#llx: %s, and %s", ULL(p),
				  name_of(j, t->cache), name_of(j, cache));
		}
		*t = (struct tenant){ partition, j->sh.run, cache };
	}
}

unsigned int sf_judge_consistency(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint32_t cache = a->place.kind == SF_PLACE_SLAB ? a->place.cache : NO_CACHE;

	if (!sf_fresh(ev) || !a->size || !sf_is_kmalloc(a->api))
		return 0;
	sf_skip(j, SF_INV_ISO_1, SF_NO_DESIGN);
	if (a->place.kind == SF_PLACE_UNKNOWN || a->place.kind == SF_PLACE_VMALLOC)
		return 0;
	/* mm/slub.c:__kmalloc_nolock_noprof may take another place than it did */
	if (a->api != SF_API_NOLOCK && ev->type == SF_EV_ALLOC)
		same_place(j, ev, cache);
	apart(j, ev, cache);
	return 1;
}
