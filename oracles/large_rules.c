// SPDX-License-Identifier: MIT
/*
 * large_rules.c - slabs of 2 MiB (BIG): which caches have them, what lies in them, what a refusal
 * must have tried, what goes back; and the smallest order that a cache may ask for.
 *
 * The geometry of slabs is computed here a second time, from mm/slub.c:calculate_order and what
 * allocator.h says of min_order. Relies on judge.h; listed in listing.h.
 */
#include "large_rules.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "caches.h"
#include "judge.h"
#include "listing.h"
#include "objects.h"
#include "report.h"
#include "requests.h"
#include "rules.h"
#include "shadow_mem.h"
#include "snap.h"
#include "taken.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))
#define LARGE_BYTES (SF_LARGE_PAGES << SF_PAGE_SHIFT)
#define SLAB_OBJECTS_MAX 32767u /* slab->objects has 15 bits */

/* --- geometry --- */

struct geometry {
	unsigned int order, min_order;
	uint64_t objects, min_objects;
};

static uint64_t fit(unsigned int order, uint64_t stride)
{
	return (SF_PAGE_SIZE << order) / stride;
}

static unsigned int bits_of(uint64_t n)
{
	return n ? 64 - (unsigned int)__builtin_clzll(n) : 0;
}

/* An order that was asked for, as far as a slab may hold so many objects. */
static unsigned int allowed_order(unsigned int asked, uint64_t stride)
{
	unsigned int most = sf_order_of(SLAB_OBJECTS_MAX * stride);

	if (fit(asked, stride) <= SLAB_OBJECTS_MAX)
		return asked;
	return most ? most - 1 : 0;
}

static unsigned int preferred_order(const struct sf_settings *set, uint64_t stride,
				    unsigned int asked)
{
	uint64_t objects = set->slab_min_objects, least = set->slab_min_order;
	uint64_t most = set->slab_max_order;

	if (!objects)
		objects = 4 * (bits_of(set->cpus) + 1ull);
	if (asked > least)
		least = asked;
	if (most < least)
		most = least;
	if (most > SF_MAX_ORDER)
		most = SF_MAX_ORDER;
	if (objects > fit((unsigned int)most, stride))
		objects = fit((unsigned int)most, stride);
	if (objects > 1 && least < sf_order_of(objects * stride))
		least = sf_order_of(objects * stride);
	else if (least < sf_order_of(stride))
		least = sf_order_of(stride);
	if (fit((unsigned int)least, stride) > SLAB_OBJECTS_MAX)
		return allowed_order((unsigned int)least, stride);
	for (unsigned int part = 16; part >= 2; part /= 2)
		for (uint64_t k = least; k <= most; k++)
			if ((SF_PAGE_SIZE << k) % stride <= (SF_PAGE_SIZE << k) / part)
				return (unsigned int)k;
	return sf_order_of(stride);
}

/* Bytes that an object needs: what was asked, a free pointer where it lies behind, alignment. */
static uint64_t stride_of(const struct sf_shadow_cache *c, uint64_t align)
{
	uint64_t size = (c->object_size + 7ull) & ~7ull;

	if (align < 8 || (align & (align - 1)))
		align = 8;
	if (c->freeptr >= size)
		size += 8;
	return (size + align - 1) & ~(align - 1);
}

static uint64_t due_stride(const struct sf_shadow_cache *c)
{
	return stride_of(c, c->align);
}

/* Do 2 MiB hold more objects as one block, aligned as BIG-8 says, than as slabs of that order? */
static bool fits_better(const struct sf_shadow_cache *c, unsigned int order)
{
	uint64_t align = c->object_size & -(uint64_t)c->object_size, stride;
	uint64_t otherwise = fit(order, due_stride(c)) << SF_LARGE_ORDER >> order;

	if (align > SF_PAGE_SIZE)
		align = SF_PAGE_SIZE;
	stride = stride_of(c, c->align > align ? c->align : align);
	return stride > SF_PAGE_SIZE && LARGE_BYTES / stride > otherwise;
}

/* What a cache must be like that is not large, given its stride and the min_order asked for. */
static struct geometry geometry_of(const struct sf_shadow *sh, uint64_t stride, unsigned int asked)
{
	struct geometry g = { .order = preferred_order(&sh->set, stride, asked),
			      .min_order = sf_order_of(stride) };
	unsigned int allowed = allowed_order(asked, stride);

	if (g.min_order < allowed)
		g.min_order = allowed;
	g.objects = fit(g.order, stride);
	g.min_objects = fit(g.min_order, stride);
	return g;
}

static void geometry_fault(struct sf_judge *j, const struct sf_event *ev, enum sf_invariant inv,
			   const char *fault, uint32_t id, const struct geometry *g)
{
	const struct sf_shadow_cache *c = &j->sh.cache[id];

	sf_title(j, inv, fault, sf_name_of_cache(&j->sh, id));
	sf_report(j, ev, SF_NONE, SF_NONE,
		  "objects of %u bytes, stride %u, order %u/%u, %u/%u objects, min_order %u; due: "
		  "order %u/%u, %llu/%llu objects",
		  c->object_size, c->stride, c->order, c->min_order, c->objects, c->min_objects,
		  c->asked_order, g->order, g->min_order, ULL(g->objects), ULL(g->min_objects));
}

/* The min_order that holds for a cache: its own is reported by its CACHE_CREATE. */
static unsigned int due_asked(const struct sf_judge *j, const struct sf_event *ev)
{
	unsigned int asked = (unsigned int)j->sh.set.min_order;

	if (ev->type == SF_EV_CACHE_CREATE && ev->cacheop.min_order > asked)
		asked = ev->cacheop.min_order;
	return asked < SF_MAX_ORDER ? asked : SF_MAX_ORDER;
}

/*
 * CACHE, after the shadow, and CACHE_CREATE of a cache of its own: when all is known that was asked
 * for. NULL: it is not to be judged now.
 */
static const struct sf_shadow_cache *made(struct sf_judge *j, const struct sf_event *ev,
					  uint32_t *id)
{
	bool create = ev->type == SF_EV_CACHE_CREATE;
	const struct sf_shadow_cache *c;

	*id = create ? ev->cacheop.cache : ev->cache.id;
	c = sf_shadow_cache_at(&j->sh, *id);
	if (!c || !c->stride || c->order > SF_MAX_ORDER || c->min_order > SF_MAX_ORDER ||
	    (create && ev->cacheop.merged) || (c->kind == SF_CACHE_NAMED) != create)
		return NULL;
	return c;
}

unsigned int sf_big_4_cache(struct sf_judge *j, const struct sf_event *ev)
{
	uint32_t id;
	const struct sf_shadow_cache *c = made(j, ev, &id);
	unsigned int asked = due_asked(j, ev);
	struct geometry g;

	if (!c)
		return 0;
	g = geometry_of(&j->sh, due_stride(c), asked);
	if (c->large == (c->kind == SF_CACHE_KMALLOC_LARGE ||
			 (c->kind == SF_CACHE_NAMED && asked <= SF_LARGE_ORDER &&
			  fits_better(c, g.order))))
		return 1;
	geometry_fault(j, ev, SF_INV_BIG_4,
		       c->large ? "%s is large and gains nothing by it"
				: "%s is not large and would gain by it", id, &g);
	return 1;
}

unsigned int sf_big_6_cache(struct sf_judge *j, const struct sf_event *ev)
{
	uint32_t id;
	const struct sf_shadow_cache *c = made(j, ev, &id);
	struct geometry g;

	if (!c)
		return 0;
	g = geometry_of(&j->sh, c->stride, due_asked(j, ev));
	if (c->objects > SLAB_OBJECTS_MAX || fit(c->order, c->stride) > SLAB_OBJECTS_MAX ||
	    fit(c->min_order, c->stride) > SLAB_OBJECTS_MAX)
		geometry_fault(j, ev, SF_INV_BIG_6,
			       "a slab of %s has room for more than 32767 objects", id, &g);
	else if ((j->sh.caps & SF_CAP_MIN_ORDER) &&
		 fit(due_asked(j, ev), c->stride) > SLAB_OBJECTS_MAX &&
		 fit(c->order + 1u, c->stride) < SLAB_OBJECTS_MAX)
		geometry_fault(j, ev, SF_INV_BIG_6,
			       "the order of %s was lowered more than its objects need", id, &g);
	return 1;
}

unsigned int sf_big_6_new(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_slab *s = &ev->slab;

	if (s->objects <= SLAB_OBJECTS_MAX)
		return 1;
	sf_title(j, SF_INV_BIG_6, "a slab of %s has more than 32767 objects",
		 sf_name_of_cache(&j->sh, s->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "%u objects, order %u", s->objects, s->order);
	return 1;
}

static const char *order_fault(const struct sf_shadow_cache *c, const struct geometry *g,
			       unsigned int asked)
{
	if (c->large)
		return NULL; /* BIG-1, BIG-3 */
	if (c->asked_order > asked)
		return "%s has a min_order that nobody asked for";
	if (c->asked_order < asked)
		return "%s has not the min_order that was asked for";
	if (fit(asked, c->stride) > SLAB_OBJECTS_MAX)
		return NULL; /* BIG-6 */
	if (c->min_order < g->min_order)
		return "%s falls back to slabs below its min_order";
	if (c->order < g->min_order)
		return "slabs of %s are smaller than its min_order";
	if (c->order == g->order && c->min_order == g->min_order && c->objects == g->objects &&
	    c->min_objects == g->min_objects)
		return NULL;
	return asked ? "slabs of %s are not the smallest that its min_order allows"
		     : "slabs of %s are not as they are without min_order";
}

unsigned int sf_big_5_cache(struct sf_judge *j, const struct sf_event *ev)
{
	uint32_t id;
	const struct sf_shadow_cache *c = made(j, ev, &id);
	unsigned int asked = due_asked(j, ev);
	struct geometry g;
	const char *fault;

	if (!c)
		return 0;
	g = geometry_of(&j->sh, c->stride, asked);
	fault = order_fault(c, &g, asked);
	if (fault)
		geometry_fault(j, ev, SF_INV_BIG_5, fault, id, &g);
	return 1;
}

/* SLAB_NEW */
unsigned int sf_big_5_new(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_slab *s = &ev->slab;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, s->cache);

	if (!c || !c->asked_order || !c->stride || c->large || c->asked_order > SF_MAX_ORDER)
		return 0;
	if (s->order >= allowed_order(c->asked_order, c->stride))
		return 1;
	sf_title(j, SF_INV_BIG_5, "a slab of %s is smaller than its min_order",
		 sf_name_of_cache(&j->sh, s->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "order %u, min_order %u, stride %u", s->order,
		  c->asked_order, c->stride);
	return 1;
}

/* --- what lies where --- */

static const struct sf_shadow_cache *large_cache(const struct sf_judge *j, uint32_t id)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, id);

	return c && c->large ? c : NULL;
}

unsigned int sf_big_1_new(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_slab *s = &ev->slab;
	const struct sf_shadow_cache *c = large_cache(j, s->cache);
	const char *fault;

	if (!c)
		return 0;
	if (s->order != SF_LARGE_ORDER || s->pfn % SF_LARGE_PAGES)
		fault = "a slab of %s is no block of 2 MiB";
	else if ((uint64_t)s->objects * c->stride > LARGE_BYTES)
		fault = "objects of %s leave their block of 2 MiB";
	else
		return 1;
	sf_title(j, SF_INV_BIG_1, fault, sf_name_of_cache(&j->sh, s->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "order %u at pfn %#llx, %u objects of %u bytes",
		  s->order, ULL(s->pfn), s->objects, c->stride);
	return 1;
}

/* ALLOC and REALLOC: by what the object's place says. */
unsigned int sf_big_1_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_place *pl = &a->place;
	const char *fault;

	if (pl->kind != SF_PLACE_SLAB || !sf_got(a) || !large_cache(j, pl->cache))
		return 0;
	if (pl->order != SF_LARGE_ORDER)
		fault = "an object of %s is in no block of 2 MiB";
	else if (a->addr < pl->base || a->addr - pl->base > LARGE_BYTES ||
		 pl->stride > LARGE_BYTES - (a->addr - pl->base))
		fault = "an object of %s leaves its block of 2 MiB";
	else
		return 1;
	sf_title(j, SF_INV_BIG_1, fault, sf_name_of_cache(&j->sh, pl->cache));
	sf_report(j, ev, a->res, SF_NONE, "%#llx + %u bytes, slab of order %u at %#llx",
		  ULL(a->addr), pl->stride, pl->order, ULL(pl->base));
	return 1;
}

/* ALLOC and REALLOC: kmalloc's own large caches, by size alone. */
unsigned int sf_big_4_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_cache *c;
	bool in;

	if (a->size <= SF_KMALLOC_CACHE_MAX || !sf_is_kmalloc(a->api) || !sf_fresh(ev) ||
	    a->place.kind == SF_PLACE_VMALLOC || a->place.kind == SF_PLACE_UNKNOWN)
		return 0;
	c = a->place.kind == SF_PLACE_SLAB ? sf_shadow_cache_at(&j->sh, a->place.cache) : NULL;
	in = c && c->kind == SF_CACHE_KMALLOC_LARGE;
	if (in == (sf_due_slot(&j->sh, a) != 0))
		return 1;
	if (in)
		sf_title(j, SF_INV_BIG_4, "%s holds a request that gains nothing by it",
			 sf_name_of_cache(&j->sh, a->place.cache));
	else
		sf_title(j, SF_INV_BIG_4, "large kmalloc holds a request that gains by a block of "
			 "2 MiB");
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes, gfp %#x", ULL(a->size), a->gfp);
	return 1;
}

/* ALLOC and REALLOC */
unsigned int sf_big_8(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint64_t align = SF_PAGE_SIZE;

	if (!sf_fresh(ev) || !a->size)
		return 0;
	if (a->place.kind == SF_PLACE_SLAB) {
		const struct sf_shadow_cache *c = large_cache(j, a->place.cache);

		if (!c)
			return 0;
		if (c->kind == SF_CACHE_NAMED && (a->size & -a->size) < align)
			align = a->size & -a->size;
	} else if (a->place.kind != SF_PLACE_LARGE) {
		return 0;
	}
	if (!(a->addr & (align - 1)))
		return 1;
	sf_title(j, SF_INV_BIG_8, "an object of %s is not aligned as its size is",
		 sf_name_of_event(&j->sh, a));
	sf_report(j, ev, a->res, SF_NONE, "%#llx, %llu bytes", ULL(a->addr), ULL(a->size));
	return 1;
}

/* --- BIG-2 --- */

/* Movable pages in each page block, for refusals that compaction might have prevented. */
struct sf_movables {
	uint32_t *pages;
	size_t cap;
	unsigned int order; /* of the largest block among them */
};

void sf_movables_free(struct sf_judge *j)
{
	if (j->movables)
		free(j->movables->pages);
	free(j->movables);
	j->movables = NULL;
}

/* A block that may move to another place now, whatever the flags of who wants that. */
static bool moves(const struct sf_shadow *sh, const struct sf_shadow_obj *o)
{
	return (o->flags & SF_OBJ_ALIVE) && !(o->flags & SF_OBJ_SIDE) &&
	       o->kind == SF_PLACE_PAGES && o->api == SF_API_PAGES &&
	       (o->gfp & (SF_GFP_MOVABLE | SF_GFP_RECLAIMABLE)) == SF_GFP_MOVABLE &&
	       o->order < SF_LARGE_ORDER && sf_shadow_frame(sh, o->addr) < sh->zone.pages;
}

static struct sf_movables *movables(struct sf_judge *j)
{
	struct sf_shadow *sh = &j->sh;
	size_t blocks = (size_t)(sh->zone.pages >> SF_LARGE_ORDER) + 1;
	struct sf_movables *m;

	if (!j->movables)
		j->movables = sf_shadow_zalloc(1, sizeof(*j->movables), &sh->bytes);
	m = j->movables;
	m->pages = sf_shadow_grow(m->pages, &m->cap, blocks, sizeof(*m->pages), &sh->bytes);
	memset(m->pages, 0, blocks * sizeof(*m->pages));
	m->order = 0;
	for (size_t i = 0; i < sh->peak; i++) {
		const struct sf_shadow_obj *o = &sh->obj[i];

		if (!moves(sh, o))
			continue;
		m->pages[sf_shadow_frame(sh, o->addr) >> SF_LARGE_ORDER] += 1u << o->order;
		if (o->order > m->order)
			m->order = o->order;
	}
	return m;
}

/*
 * Is it for fragmentation that there is no block (mm/vmstat.c:fragmentation_index), by a margin,
 * with pages to spare for compaction to work with (mm/compaction.c:compaction_suitable)?
 */
static bool fragmented(const struct sf_zone *z)
{
	uint64_t blocks = 0, order = 1ull << SF_LARGE_ORDER;

	for (unsigned int k = 0; k <= SF_MAX_ORDER; k++)
		for (unsigned int t = 0; t < SF_MIGRATE_TYPES; t++) {
			if (k >= SF_LARGE_ORDER && z->nr[k][t])
				return false;
			blocks += z->nr[k][t];
		}
	return z->free_pages > 2 * z->marks.high + 6 * order &&
	       (1000 + z->free_pages * 1000 / order) < 400 * blocks;
}

/* Free pages of a page block where `order` pages at once can go. */
static uint64_t room_in(const struct sf_zone *z, uint64_t start, unsigned int order)
{
	uint64_t end = start + SF_LARGE_PAGES < z->pages ? start + SF_LARGE_PAGES : z->pages;
	uint64_t pages = 0;

	if (sf_zone_type(z, start) != SF_MIGRATE_MOVABLE)
		return 0;
	for SF_EACH_BIT(p, z->heads, start, end)
		if ((z->head[p] & 15u) - 1 >= order)
			pages += 1ull << ((z->head[p] & 15) - 1);
	return pages;
}

/*
 * Is there a page block of nothing but free and movable pages, with room for twice what must move
 * in the page blocks above it, where compaction looks? From below it may move all it meets first.
 * Which free pages it takes for what is open, thus the margin; whether it is tried, and what it
 * says in the end, is judged without one (BUD-16).
 */
static bool could_empty(struct sf_judge *j)
{
	const struct sf_zone *z = &j->sh.zone;
	uint64_t above = 0, below = 0, blocks = z->pages >> SF_LARGE_ORDER;
	struct sf_movables *m;

	if (!(j->sh.caps & SF_CAP_COMPACT) || z->pageblock_order != SF_LARGE_ORDER ||
	    !z->grouping || z->reserved || !fragmented(z))
		return false;
	m = movables(j);
	for (uint64_t b = 0; b < blocks; b++)
		above += room_in(z, b << SF_LARGE_ORDER, m->order);
	for (uint64_t b = 0; b < blocks; b++) {
		uint64_t start = b << SF_LARGE_ORDER;

		above -= room_in(z, start, m->order);
		below += m->pages[b];
		if (above < 2 * below + SF_LARGE_PAGES)
			return false;
		if (m->pages[b] && sf_bits_count(z->listed, start, SF_LARGE_PAGES) + m->pages[b] ==
					   SF_LARGE_PAGES)
			return true;
	}
	return false;
}

static bool whole_in_pcp(const struct sf_zone *z)
{
	for (uint64_t p = 0; p + SF_LARGE_PAGES <= z->pages; p += SF_LARGE_PAGES)
		if (sf_bits_all(z->pcp, p, SF_LARGE_PAGES))
			return true;
	return false;
}

/* PAGE_FAIL: what may matter if it is a large request that goes without. */
unsigned int sf_big_2_fail(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_pagefail *f = &ev->pagefail;
	const struct sf_zone *z = &j->sh.zone;
	struct sf_large_try *t = sf_change_large(j);
	const uint32_t compacts = SF_GFP_DIRECT_RECLAIM | SF_GFP_IO;

	if (f->order <= SF_MAX_ORDER)
		t->failed |= (uint16_t)(1u << f->order);
	if (f->order != SF_LARGE_ORDER || f->refused)
		return 0;
	t->gfp = f->gfp;
	t->rounds = j->op.rounds.direct;
	t->at_hand = sf_zone_can_give(z, SF_LARGE_ORDER, f->gfp, f->mark);
	t->parked = z->pages > z->free_pages + z->out_pages && whole_in_pcp(z);
	/* with these together per-CPU lists are drained only after compaction */
	t->movable = (f->gfp & compacts) == compacts &&
		     (f->gfp & (SF_GFP_THISNODE | SF_GFP_NORETRY)) !=
			     (SF_GFP_THISNODE | SF_GFP_NORETRY) &&
		     could_empty(j);
	return 0;
}

static const char *effort_fault(const struct sf_judge *j, const struct sf_ev_alloc *a,
				const struct sf_shadow_cache *c)
{
	const struct sf_large_try *t = &j->op.large;
	unsigned int smaller = c && c->stride ? sf_order_of(c->stride) : 0;

	if (smaller > SF_COSTLY_ORDER && smaller < SF_LARGE_ORDER && (t->failed >> smaller & 1))
		return "a smaller block was tried for a large request";
	if (!(t->failed >> SF_LARGE_ORDER & 1))
		return "a large request failed without asking for a block of 2 MiB";
	if (t->gfp & ~a->gfp & SF_GFP_NORETRY)
		return "a block of 2 MiB was asked for with __GFP_NORETRY, which is not the "
		       "caller's";
	if (a->gfp & ~t->gfp & SF_EFFORT)
		return "a block of 2 MiB was asked for with less than the caller's flags";
	if (t->at_hand)
		return "a large request was refused with a block of 2 MiB at hand";
	if (!(a->gfp & SF_GFP_DIRECT_RECLAIM))
		return NULL;
	if (!t->rounds && (!(a->gfp & SF_GFP_THISNODE) || !(a->gfp & SF_GFP_NORETRY)))
		return "a large request was refused without a round of reclaim";
	if (t->parked)
		return "a large request was refused with a block of 2 MiB on a per-CPU list";
	if (t->movable)
		return t->compacted ? "a large request was refused over pages that could move"
				    : "a large request was refused without compaction";
	return NULL;
}

/* ALLOC and REALLOC */
unsigned int sf_big_2(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_cache *c = a->api == SF_API_CACHE ? large_cache(j, a->cache) : NULL;
	const struct sf_large_try *t = &j->op.large;
	const char *fault;

	if (a->status != SF_NULL && a->status != SF_BLOCKED)
		return 0;
	if (j->op.from_sheaf) /* MEM-21 */
		return 0;
	if (!c && (a->api != SF_API_KMALLOC || a->overflow || !sf_due_slot(&j->sh, a)))
		return 0;
	if (j->op.fault || j->op.refused || !j->sh.zone.on ||
	    (a->counter_size && !sf_counter_fits(a->counter_size, a->count)))
		return 1;
	fault = effort_fault(j, a, c);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_BIG_2, "%s", fault);
	sf_report(j, ev, a->res, SF_NONE,
		  "%llu bytes, gfp %#x, asked for with %#x; orders that failed %#x, %u rounds of "
		  "reclaim, %llu pages free", ULL(a->size), a->gfp, t->gfp, t->failed, t->rounds,
		  ULL(j->sh.zone.free_pages));
	return 1;
}

/* --- what is kept, and what goes back --- */

/* SNAP_END */
unsigned int sf_big_3(struct sf_judge *j, const struct sf_event *ev)
{
	unsigned int checks = 0;

	for (size_t i = 0; i < j->snap.nr_slabs; i++) {
		const struct sf_snap_slab *slab = &j->snap.slabs[i];
		const struct sf_shadow_cache *c = large_cache(j, slab->ev.cache);
		const char *fault = NULL;

		if (!c || slab->orphan || slab->ev.list == SF_SLAB_DEFERRED)
			continue;
		checks++;
		if (slab->ev.objects < LARGE_BYTES / due_stride(c))
			fault = "a block of %s holds fewer objects than fit";
		else if (slab->ev.objects > LARGE_BYTES / due_stride(c))
			fault = "a block of %s holds more objects than fit";
		else if (slab->ev.inuse && !slab->live && !slab->parked && j->sh.exact &&
			 !j->sh.untracked)
			fault = "a block of %s is held by nothing";
		if (!fault)
			continue;
		sf_title(j, SF_INV_BIG_3, fault, sf_name_of_cache(&j->sh, slab->ev.cache));
		sf_report(j, ev, SF_NONE, SF_NONE,
			  "pfn %#llx: %u objects, %llu due; %u in use, %u live, %u parked",
			  ULL(slab->ev.pfn), slab->ev.objects, ULL(LARGE_BYTES / due_stride(c)),
			  slab->ev.inuse, slab->live, slab->parked);
	}
	return checks;
}

/* SLAB_FREE, before the shadow: its pages must follow as they came. */
unsigned int sf_big_7_slab(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_slab *slab = sf_zone_slab_at(&j->sh.zone, ev->slab.pfn);

	if (!slab || slab->order != SF_LARGE_ORDER || !large_cache(j, ev->slab.cache))
		return 0;
	sf_change_large(j)->goes = ev->slab.pfn + 1;
	return 1;
}

/* PAGE_FREE */
unsigned int sf_big_7_page(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_page *p = &ev->page;
	uint64_t pfn = j->op.large.goes - 1;

	if (!j->op.large.goes || p->pfn - pfn >= SF_LARGE_PAGES)
		return 0;
	sf_change_large(j)->goes = 0;
	if (p->pfn == pfn && p->order == SF_LARGE_ORDER)
		return 1;
	sf_title(j, SF_INV_BIG_7, "a block of 2 MiB went back in parts");
	sf_report(j, ev, SF_NONE, SF_NONE, "order %u at pfn %#llx, the block is at %#llx",
		  p->order, ULL(p->pfn), ULL(pfn));
	return 1;
}

/* SNAP_END */
unsigned int sf_big_7(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_settings *set = &j->sh.set;
	unsigned int checks = 0;

	for (size_t i = 0; i < j->snap.nr_ids; i++) {
		uint32_t id = j->snap.ids[i];
		const struct sf_shadow_cache *c = large_cache(j, id);
		const struct sf_snap_sum *sum = &j->snap.sum[id];
		uint64_t sheaf = c && c->asked_sheaf > set->large_sheaf ? c->asked_sheaf :
									   set->large_sheaf;
		const char *fault = NULL;

		if (!c)
			continue;
		checks++;
		if (sum->empty > set->large_min_partial)
			fault = "%s keeps more empty blocks of 2 MiB than large_min_partial";
		else if (c->sheaf_capacity > sheaf)
			fault = "sheaves of %s hold more than large_sheaf";
		if (!fault)
			continue;
		sf_title(j, SF_INV_BIG_7, fault, sf_name_of_cache(&j->sh, id));
		sf_report(j, ev, SF_NONE, SF_NONE,
			  "%llu empty blocks of %llu, %llu parked objects, sheaves of %u",
			  ULL(sum->empty), ULL(sum->slabs), ULL(sum->parked), c->sheaf_capacity);
	}
	return checks;
}
