// SPDX-License-Identifier: MIT
/*
 * caches.c - caches and C types of the shadow. Relies on caches.h, and on objects and the zone for
 * what outlives its cache.
 */
#include "caches.h"

#include <stdlib.h>
#include <string.h>

#include "../allocators/base/names.h"
#include "bitmap.h"
#include "objects.h"
#include "rules.h"
#include "shadow.h"
#include "shadow_mem.h"
#include "zone.h"

static void cache_begin(struct sf_shadow *sh, struct sf_shadow_cache *c)
{
	c->live = 0;
	c->half[0] = 0;
	c->half[1] = 0;
	c->freeable = 0;
	c->deferred = 0;
	c->put_off = 0;
	c->asked = c->asked_group = 0;
	c->shrunk = false;
	c->nolock = false;
	c->prefilled = false;
	if (sh->exact)
		c->slabs = 0;
	c->refs = c->boot;
	c->present &= c->boot;
}

void sf_caches_begin(struct sf_shadow *sh)
{
	for (uint32_t i = 0; i < (sh->nr_cache + 63) / 64; i++) {
		for (uint64_t m = sh->touched[i]; m; m &= m - 1)
			cache_begin(sh, &sh->cache[i * 64 + (uint32_t)__builtin_ctzll(m)]);
		sh->touched[i] = 0;
	}
}

void sf_caches_clear(struct sf_shadow *sh)
{
	sh->nr_type = 0;
	sh->nr_cache = 0;
	if (sh->cap_cache)
		memset(sh->touched, 0, sh->cap_cache / 64 * sizeof(*sh->touched));
}

void sf_caches_free(struct sf_shadow *sh)
{
	free(sh->cache);
	free(sh->name);
	free(sh->touched);
	free(sh->type);
}

static void caches_grow(struct sf_shadow *sh, uint32_t nr)
{
	size_t cap = sh->cap_cache, names = sh->cap_cache, words = sh->cap_cache / 64;

	sh->cache = sf_shadow_grow(sh->cache, &cap, nr, sizeof(*sh->cache), &sh->bytes);
	sh->name = sf_shadow_grow(sh->name, &names, nr, sizeof(*sh->name), &sh->bytes);
	sh->touched = sf_shadow_grow(sh->touched, &words, cap / 64, sizeof(*sh->touched),
				     &sh->bytes);
	sh->cap_cache = (uint32_t)cap;
	for (; sh->nr_cache < nr; sh->nr_cache++)
		sh->cache[sh->nr_cache].present = false;
}

/* What the event says; all else is what has happened to the cache. */
static void describe(struct sf_shadow_cache *sc, const struct sf_ev_cache *c)
{
	sc->present = true;
	sc->boot = c->boot;
	sc->object_size = c->object_size;
	sc->stride = c->stride;
	sc->align = c->align;
	sc->flags = c->flags;
	sc->min_partial = c->min_partial;
	sc->class_size = c->class_size;
	sc->objects = c->objects;
	sc->min_objects = c->min_objects;
	sc->order = c->order;
	sc->min_order = c->min_order;
	sc->kind = c->kind;
	sc->partition = c->partition;
	sc->is = sf_selector_of(c->kind, c->partition, c->class_size, c->bucket);
	sc->usersize = c->usersize;
	sc->bucket = c->bucket;
	sc->freeptr = c->freeptr;
	sc->secret = c->secret;
	sc->sheaf_capacity = c->sheaf_capacity;
	sc->large = c->large;
	sc->asked_order = c->asked_order;
}

void sf_shadow_cache(struct sf_shadow *sh, const struct sf_ev_cache *c)
{
	struct sf_shadow_cache *sc, was = { .refs = 1 };

	if (c->id >= SF_CACHES_MAX)
		return;
	if (sf_shadow_cache_at(sh, c->id)) {
		was = sh->cache[c->id];
		was.again = true;
	} else {
		was.serial = ++sh->serial;
	}
	if (c->id >= sh->nr_cache)
		caches_grow(sh, c->id + 1);
	if (!c->boot)
		sf_touch_cache(sh, c->id);
	sc = &sh->cache[c->id];
	*sc = was;
	describe(sc, c);
	sf_name_add(sh->name[c->id], 0, sizeof(sh->name[0]), c->name ? c->name : "?");
}

void sf_shadow_type(struct sf_shadow *sh, const struct sf_ev_ctype *t)
{
	sh->type = sf_shadow_grow(sh->type, &sh->cap_type, t->index + 1u, sizeof(*sh->type),
				  &sh->bytes);
	for (; sh->nr_type <= t->index; sh->nr_type++)
		sh->type[sh->nr_type].known = false;
	sh->type[t->index] = (struct sf_shadow_type){ true, t->pointer, t->token };
}

/* The CACHE of a new cache came before and counts as its first reference. */
void sf_shadow_create(struct sf_shadow *sh, const struct sf_ev_cacheop *c)
{
	struct sf_shadow_cache *sc = sf_shadow_cache_at(sh, c->cache);

	if (!sc)
		return;
	sf_touch_cache(sh, c->cache);
	if (c->merged)
		sc->refs++;
	else
		sc->asked_sheaf = c->sheaf_capacity;
	if (c->merged && c->size > sc->object_size)
		sc->object_size = c->size;
	/* What was asked binds, whatever the allocator says its alignment is. */
	if (c->align > sc->align && !(c->align & (c->align - 1)))
		sc->align = c->align;
}

/* Objects that outlive their cache belong to no cache: its id may be used again. */
void sf_shadow_destroy(struct sf_shadow *sh, uint32_t id)
{
	struct sf_zone *z = &sh->zone;
	struct sf_shadow_cache *c = sf_shadow_cache_at(sh, id);

	if (!c)
		return;
	sf_touch_cache(sh, id);
	if (c->refs)
		c->refs--;
	if (c->refs)
		return;
	c->present = false;
	for (size_t i = 0; c->live && i < sh->peak; i++)
		if ((sh->obj[i].flags & SF_OBJ_ALIVE) && sh->obj[i].cache == id) {
			sh->obj[i].cache = SF_NONE;
			sh->obj[i].flags |= SF_OBJ_ORPHAN;
			sh->orphans++;
		}
	for (uint32_t k = 0; c->slabs && k < z->nr_journal; k++)
		for (uint64_t p = (uint64_t)z->journal[k] << SF_CHUNK_SHIFT,
			      end = p + SF_CHUNK_PAGES;
		     p < end && p < z->pages; p++)
			if (sf_bit(z->slab_heads, p) && z->slab[p].cache == id &&
			    !z->slab[p].deferred && !z->slab[p].orphan) {
				z->slab[p].orphan = true;
				z->changes++;
				z->orphan_pages += 1ull << z->slab[p].order;
			}
	c->live = 0;
	c->slabs = 0;
}

const char *sf_name_of_cache(struct sf_shadow *sh, uint32_t id)
{
	if (id >= sh->nr_cache)
		return "an unknown cache";
	if (sh->cache[id].boot || !(sh->caps & SF_CAP_CACHES))
		return sh->name[id];
	sh->left_out = sh->name[id];
	return sh->cache[id].kind == SF_CACHE_BUCKET ? "bucket cache" : "named cache";
}
