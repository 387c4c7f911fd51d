// SPDX-License-Identifier: MIT
/*
 * objects.c - live objects of the shadow: they come, move, change their size and go.
 *
 * Relies on objects.h, on taken.h for their bytes, and on caches, the zone, owners and groups, in
 * which each object counts.
 */
#include "objects.h"
#include "caches.h"
#include "designs.h"
#include "groups.h"
#include "owners.h"
#include "rules.h"
#include "shadow.h"
#include "shadow_mem.h"
#include "taken.h"
#include "zone.h"

/* Ids are dense: one far above all that were seen is no id. */
static struct sf_shadow_obj *obj_slot(struct sf_shadow *sh, uint32_t id)
{
	if (id == SF_NONE)
		return NULL;
	if (id >= sh->cap_obj) {
		if (id > 2 * sh->peak + 4096) {
			sh->untracked++;
			return NULL;
		}
		sh->obj = sf_shadow_grow(sh->obj, &sh->cap_obj, (size_t)id + 1, sizeof(*sh->obj),
				  &sh->bytes);
	}
	if (id >= sh->peak)
		sh->peak = (size_t)id + 1;
	return &sh->obj[id];
}

uint64_t sf_shadow_pages_of(const struct sf_shadow_obj *o)
{
	switch (o->kind) {
	case SF_PLACE_LARGE:
		return o->order <= SF_MAX_ORDER ? SF_PAGE_SIZE << o->order : 0;
	case SF_PLACE_PAGES:
		if (o->api == SF_API_EXACT)
			return sf_pages_of(o->size) * SF_PAGE_SIZE;
		return o->order <= SF_MAX_ORDER ? SF_PAGE_SIZE << o->order : 0;
	case SF_PLACE_VMALLOC:
		return sf_pages_of(o->usable ? o->usable : o->size) * SF_PAGE_SIZE;
	default:
		return 0;
	}
}

static bool is_tied(const struct sf_shadow_obj *o)
{
	if (!(o->flags & SF_OBJ_ALIVE))
		return false;
	return (o->flags & SF_OBJ_SIDE) || (o->kind == SF_PLACE_PAGES && o->api == SF_API_PAGES &&
					    (o->gfp & SF_GFP_MOVABLE));
}

void sf_shadow_tie(struct sf_shadow *sh, struct sf_shadow_obj *o)
{
	uint32_t last;

	if (is_tied(o) == (o->tied != 0))
		return;
	if (!o->tied) {
		sh->tied = sf_shadow_grow(sh->tied, &sh->cap_tied, sh->nr_tied + 1,
					  sizeof(*sh->tied), &sh->bytes);
		sh->tied[sh->nr_tied++] = sf_shadow_id(sh, o);
		o->tied = (uint32_t)sh->nr_tied;
		return;
	}
	last = sh->tied[--sh->nr_tied];
	sh->tied[o->tied - 1] = last;
	sh->obj[last].tied = o->tied;
	o->tied = 0;
}

/* Modulo 2^64, so that nothing is off once what a broken allocator claims is gone. */
static void sums_add(struct sf_shadow *sh, const struct sf_shadow_obj *o)
{
	sh->sums.asked += o->size;
	sh->sums.usable += o->usable;
	sh->sums.unsized += !o->usable;
}

static void sums_sub(struct sf_shadow *sh, const struct sf_shadow_obj *o)
{
	sh->sums.asked -= o->size;
	sh->sums.usable -= o->usable;
	sh->sums.unsized -= !o->usable;
}

void sf_shadow_drop(struct sf_shadow *sh, struct sf_shadow_obj *o)
{
	struct sf_shadow_cache *c = sf_shadow_cache_at(sh, o->cache);
	struct sf_shadow_slab *slab = NULL;

	if (!(o->flags & SF_OBJ_ALIVE))
		return;
	sh->changes++;
	sums_sub(sh, o);
	if (o->flags & SF_OBJ_SIDE)
		sf_side_drop(sh, o);
	if (o->kind == SF_PLACE_LARGE)
		sh->large_pages -= sf_shadow_pages_of(o) / SF_PAGE_SIZE;
	if (o->flags & SF_OBJ_CLAIMED)
		sf_bytes_give(sh, o->addr, o->extent);
	if (o->kind == SF_PLACE_POOL && (o->flags & SF_OBJ_CLAIMED) &&
	    sf_window_has(&sh->vmalloc, o->addr))
		sh->vm_used += sf_pages_of(o->extent); /* its area is counted, not the object */
	if (o->slab != SF_NONE)
		slab = sf_zone_slab_at(&sh->zone, o->slab);
	if (slab && slab->live)
		sf_slab_count(&sh->zone, slab, false);
	if (c) {
		c->shrunk = false;
		if (c->live)
			c->live--;
		if (o->flags & (SF_OBJ_DATA | SF_OBJ_POINTER))
			c->half[(o->flags & SF_OBJ_POINTER) != 0]--;
	}
	sh->orphans -= (o->flags & SF_OBJ_ORPHAN) != 0;
	o->flags &= (uint8_t)(SF_OBJ_KNOWN | SF_OBJ_REPORTED);
	sf_shadow_tie(sh, o);
	sh->live--;
}

/* First pfn of the slab that the place names. */
static uint32_t slab_pfn(const struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	uint64_t back;

	if (a->place.kind != SF_PLACE_SLAB || !sh->zone.on || a->addr < a->place.base)
		return SF_NONE;
	back = (a->addr >> SF_PAGE_SHIFT) - (a->place.base >> SF_PAGE_SHIFT);
	if (a->place.pfn >= sh->zone.pages || back > a->place.pfn)
		return SF_NONE;
	return (uint32_t)(a->place.pfn - back);
}

/*
 * The half that its token says an object is of, if the design has halves. Only ordinary kmalloc has
 * them; what the compiler knew no type of is in the pointer-free one.
 */
static uint8_t half_of(const struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	const struct sf_shadow_type *t = sf_shadow_type_at(sh, a->type);
	bool pointer = sf_design_pointers(sh->design, a->token);

	if (a->place.kind != SF_PLACE_SLAB || a->bucket < SF_BUCKETS_OFF ||
	    (a->api != SF_API_KMALLOC && a->api != SF_API_KVMALLOC && a->api != SF_API_NOLOCK) ||
	    a->size > SF_KMALLOC_CACHE_MAX || !sf_is_ordinary(&sh->set, a->gfp))
		return 0;
	if (!a->forced)
		pointer = a->type && (t ? t->pointer : pointer);
	return pointer ? SF_OBJ_POINTER : SF_OBJ_DATA;
}

/* Bytes that are nobody else's. An object of user space that has none is still its own. */
static uint64_t extent_of(const struct sf_ev_alloc *a)
{
	if (a->usable || a->size)
		return a->usable ? a->usable : a->size;
	return a->api == SF_API_FOREIGN;
}

static void obj_init(struct sf_shadow *sh, struct sf_shadow_obj *o, const struct sf_ev_alloc *a)
{
	bool slab = a->place.kind == SF_PLACE_SLAB;

	*o = (struct sf_shadow_obj){
		.addr = a->addr,
		.size = a->size,
		.extent = extent_of(a),
		.usable = a->usable,
		.res = a->res,
		.gfp = a->api == SF_API_FOREIGN ? a->heap : a->gfp,
		.cache = slab ? a->place.cache : a->cache,
		.object_size = slab ? a->place.object_size : 0,
		.slab = slab_pfn(sh, a),
		.offset = slab ? (uint16_t)a->place.offset : 0,
		.api = a->api,
		.kind = a->place.kind,
		.order = a->place.order,
		.flags = sf_design_halves(sh->design) ? half_of(sh, a) : 0,
	};
}

static void obj_add(struct sf_shadow *sh, struct sf_shadow_obj *o)
{
	struct sf_shadow_cache *c = sf_shadow_cache_at(sh, o->cache);
	struct sf_shadow_slab *slab = NULL;

	sh->changes++;
	o->flags &= SF_OBJ_DATA | SF_OBJ_POINTER;
	o->flags |= SF_OBJ_ALIVE | SF_OBJ_KNOWN;
	if (o->kind == SF_PLACE_LARGE)
		sh->large_pages += sf_shadow_pages_of(o) / SF_PAGE_SIZE;
	if (sh->claim == SF_CLAIM_OK)
		o->flags |= SF_OBJ_CLAIMED;
	if (o->slab != SF_NONE)
		slab = sf_zone_slab_at(&sh->zone, o->slab);
	if (slab) {
		sf_slab_count(&sh->zone, slab, true);
		slab->used = true;
	}
	if (c) {
		sf_touch_cache(sh, o->cache);
		c->live++;
		c->shrunk = false;
		if (o->flags & (SF_OBJ_DATA | SF_OBJ_POINTER))
			c->half[(o->flags & SF_OBJ_POINTER) != 0]++;
	}
	sf_shadow_tie(sh, o);
	sums_add(sh, o);
	sh->live++;
}

static bool obj_came(const struct sf_ev_alloc *a)
{
	return a->status == SF_OK && a->addr && a->id != SF_NONE;
}

void sf_shadow_alloc(struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	struct sf_shadow_cache *c = sf_shadow_cache_at(sh, a->cache);
	struct sf_shadow_obj *o;

	sh->claim = SF_CLAIM_NONE;
	if (c) /* a failure may have filled its sheaves */
		c->shrunk = false;
	if (!obj_came(a))
		return;
	o = obj_slot(sh, a->id);
	if (!o)
		return;
	if (o->flags & SF_OBJ_ALIVE)
		sf_shadow_drop(sh, o);
	obj_init(sh, o, a);
	if (a->addr > SF_ZERO_SIZE_PTR)
		sh->claim = sf_bytes_take(sh, o->addr, o->extent);
	else
		o->extent = 0;
	if (o->kind == SF_PLACE_POOL && sh->claim == SF_CLAIM_OK &&
	    sf_window_has(&sh->vmalloc, o->addr))
		sh->vm_used -= sf_pages_of(o->extent);
	obj_add(sh, o);
	if (a->lru)
		sf_side_set(sh, o, SF_SIDE_LRU, true);
	if (sh->groups.used)
		sf_side_revalue(sh, o);
}

/* In place, with another usable size: a vmalloc area that shrank, or anything in user space. */
static void resize(struct sf_shadow *sh, struct sf_shadow_obj *o, uint64_t extent)
{
	if (o->flags & SF_OBJ_CLAIMED)
		sf_bytes_give(sh, o->addr, o->extent);
	o->flags &= (uint8_t)~SF_OBJ_CLAIMED;
	o->extent = extent;
	sh->claim = sf_bytes_take(sh, o->addr, extent);
	if (sh->claim == SF_CLAIM_OK)
		o->flags |= SF_OBJ_CLAIMED;
}

static void resize_in_place(struct sf_shadow *sh, struct sf_shadow_obj *o,
			    const struct sf_ev_alloc *a)
{
	sums_sub(sh, o);
	o->size = a->size;
	o->res = a->res;
	/* Of kmalloc, what is not said stays; others promise no slot: what is let go is free. */
	if (a->usable || !(sh->caps & SF_CAP_KMALLOC)) {
		o->usable = a->usable;
		if (extent_of(a) != o->extent)
			resize(sh, o, extent_of(a));
	}
	sums_add(sh, o);
	sf_side_revalue(sh, o);
}

void sf_shadow_realloc(struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	struct sf_shadow_obj *old = sf_shadow_find(sh, a->old_id), *o, fresh;
	bool alive = old && (old->flags & SF_OBJ_ALIVE), stays = alive && a->addr == old->addr;
	/* Only of kmalloc is it known that old and new are there at once, to copy from and to. */
	bool first = stays || (alive && !(sh->caps & SF_CAP_KMALLOC));
	bool lru, has_side = false;
	struct sf_side kept;

	sh->claim = SF_CLAIM_NONE;
	if (a->status == SF_FREED && alive)
		sf_shadow_drop(sh, old);
	if (a->status != SF_OK || !a->addr)
		return;
	obj_init(sh, &fresh, a);
	if (stays && a->id == a->old_id) {
		resize_in_place(sh, old, a);
		return;
	}
	lru = alive && sf_side_has(sh, old, SF_SIDE_LRU);
	if (alive && a->addr > SF_ZERO_SIZE_PTR) /* size 0 frees: all ties end */
		has_side = sf_side_take(sh, old, &kept);
	if (stays) { /* where it lies was decided when it was allocated */
		fresh.flags = old->flags & (SF_OBJ_DATA | SF_OBJ_POINTER);
		fresh.gfp = old->gfp;
	}
	if (first)
		sf_shadow_drop(sh, old);
	if (a->addr > SF_ZERO_SIZE_PTR) /* while a moved one's old lives */
		sh->claim = sf_bytes_take(sh, fresh.addr, fresh.extent);
	if (old && !first)
		sf_shadow_drop(sh, old);
	o = obj_slot(sh, a->id);
	if (!o) {
		if (sh->claim == SF_CLAIM_OK)
			sf_bytes_give(sh, fresh.addr, fresh.extent);
		return;
	}
	sf_shadow_drop(sh, o);
	*o = fresh;
	obj_add(sh, o);
	if (has_side) {
		sf_side_carry(sh, &kept, a->old_id, o);
		sf_side_set(sh, o, SF_SIDE_LRU, lru);
	}
	sf_side_revalue(sh, o);
}

void sf_shadow_migrate(struct sf_shadow *sh, struct sf_shadow_obj *o, uint64_t to)
{
	sh->changes++;
	if (o->flags & SF_OBJ_CLAIMED)
		sf_bytes_give(sh, o->addr, o->extent);
	o->flags &= (uint8_t)~SF_OBJ_CLAIMED;
	if (sh->groups.used)
		sf_group_move(sh, o->addr, to);
	o->addr = to;
	sh->claim = sf_bytes_take(sh, to, o->extent);
	if (sh->claim == SF_CLAIM_OK)
		o->flags |= SF_OBJ_CLAIMED;
}

const struct sf_shadow_obj *sf_shadow_hit(const struct sf_shadow *sh, uint64_t addr, uint64_t size,
					  const struct sf_shadow_obj *skip)
{
	for (size_t i = 0; i < sh->peak; i++) {
		const struct sf_shadow_obj *o = &sh->obj[i];

		if (o != skip && (o->flags & SF_OBJ_CLAIMED) && o->addr - addr < size)
			return o;
		if (o != skip && (o->flags & SF_OBJ_CLAIMED) && addr - o->addr < o->extent)
			return o;
	}
	return NULL;
}

static const char *name_by_kind(uint8_t kind, uint8_t api)
{
	static const char *const by_api[SF_APIS] = {
		[SF_API_KMALLOC] = "kmalloc", [SF_API_KVMALLOC] = "kvmalloc",
		[SF_API_CACHE] = "kmem_cache_alloc", [SF_API_PAGES] = "alloc_pages",
		[SF_API_EXACT] = "alloc_pages_exact", [SF_API_FOREIGN] = "malloc",
		[SF_API_NOLOCK] = "kmalloc_nolock", [SF_API_PMALLOC] = "pmalloc",
	};

	if (kind == SF_PLACE_LARGE)
		return "large kmalloc";
	if (kind == SF_PLACE_VMALLOC)
		return "vmalloc";
	return api < SF_APIS ? by_api[api] : "an unknown function";
}

void sf_objects_clear(struct sf_shadow *sh)
{
	for (size_t i = 0; i < sh->peak; i++) {
		sh->obj[i].flags &= (uint8_t)~SF_OBJ_SIDE; /* all ties end at once */
		if (sh->obj[i].flags & SF_OBJ_ALIVE)
			sf_shadow_drop(sh, &sh->obj[i]);
		sh->obj[i].flags = 0;
		sh->obj[i].tied = 0;
	}
	sh->sums = (struct sf_sums){ 0 };
	sh->nr_tied = 0;
	sh->peak = 0;
	sh->live = 0;
	sh->untracked = 0;
	sh->nr_sides = 0;
	sh->nr_deferred = 0;
	sh->indirect_bytes = 0;
	sh->large_pages = 0;
}

const char *sf_name_of(struct sf_shadow *sh, const struct sf_shadow_obj *o)
{
	if (o->cache < sh->nr_cache)
		return sf_name_of_cache(sh, o->cache);
	return name_by_kind(o->kind, o->api);
}

const char *sf_name_of_event(struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	if (a->place.kind == SF_PLACE_SLAB && a->place.cache < sh->nr_cache)
		return sf_name_of_cache(sh, a->place.cache);
	if (a->cache < sh->nr_cache)
		return sf_name_of_cache(sh, a->cache);
	return name_by_kind(a->place.kind, a->api);
}
