// SPDX-License-Identifier: MIT
/*
 * owners.c - the side table of the shadow model: who is on a shrinker's list, who owns whom, who is
 * pinned, who waits for a grace period; and what would become of each if all were reclaimed.
 *
 * Entries are links and flags only; only this file writes them. It leaves out whether an allocator
 * respects any of it: reclaim_rules.c judges that. Relies on owners.h; objects.c and intake.c
 * call it.
 */
#include "owners.h"
#include "caches.h"
#include "groups.h"
#include "objects.h"
#include "rules.h"
#include "shadow.h"
#include "shadow_mem.h"
#include "zone.h"

static struct sf_side *side_make(struct sf_shadow *sh, struct sf_shadow_obj *o)
{
	uint32_t id = sf_shadow_id(sh, o);

	if (o->flags & SF_OBJ_SIDE)
		return &sh->side[id];
	sh->side = sf_shadow_grow(sh->side, &sh->cap_side, (size_t)id + 1, sizeof(*sh->side),
				  &sh->bytes);
	sh->side[id] = (struct sf_side){ 0 };
	o->flags |= SF_OBJ_SIDE;
	sh->nr_sides++;
	sf_shadow_tie(sh, o);
	return &sh->side[id];
}

static void count_freeable(struct sf_shadow *sh, const struct sf_shadow_obj *o, bool was, bool is)
{
	struct sf_shadow_cache *c = was == is ? NULL : sf_shadow_cache_at(sh, o->cache);

	if (!c)
		return;
	if (is) {
		c->freeable++;
		return;
	}
	c->freeable -= c->freeable != 0;
	if (c->gone_in != sh->shrinks)
		c->gone = 0;
	c->gone_in = sh->shrinks;
	c->gone++;
}

void sf_side_set(struct sf_shadow *sh, struct sf_shadow_obj *o, enum sf_side_flags flag, bool on)
{
	struct sf_side *s = sf_side_at(sh, o);
	bool was;

	if (!s && !on)
		return;
	s = side_make(sh, o);
	was = sf_side_freeable(s);
	s->flags = (uint8_t)(on ? s->flags | flag : s->flags & ~(unsigned int)flag);
	count_freeable(sh, o, was, sf_side_freeable(s));
	sh->changes++;
}

/* x leaves its owner's list. */
static void leave(struct sf_shadow *sh, struct sf_side *x)
{
	if (!x->owner)
		return;
	if (x->prev)
		sh->side[x->prev - 1].next = x->next;
	else
		sh->side[x->owner - 1].owned = x->next;
	if (x->next)
		sh->side[x->next - 1].prev = x->prev;
	x->owner = x->next = x->prev = 0;
}

static void end_indirect(struct sf_shadow *sh, struct sf_side *s)
{
	sh->indirect_bytes -= s->indirect;
	s->indirect = 0;
}

/* What accounting=indirect counts for it: only what has an owner. */
static void count_indirect(struct sf_shadow *sh, const struct sf_shadow_obj *o, struct sf_side *s)
{
	if (!s->owner || sh->set.accounting != SF_ACCOUNTING_INDIRECT)
		return;
	end_indirect(sh, s);
	s->indirect = sf_shadow_in_reclaim_slab(sh, o) ? 0 : sf_shadow_worth(o);
	sh->indirect_bytes += s->indirect;
}

static void uncharge(struct sf_shadow *sh, struct sf_side *s)
{
	if (s->group)
		sh->groups.group[s->group - 1].objects -= s->charged;
	s->group = 0;
}

static void charge(struct sf_shadow *sh, struct sf_shadow_obj *o)
{
	struct sf_side *s = sf_side_at(sh, o);
	uint32_t group;
	bool mixed;
	uint64_t bytes = sf_group_of_object(sh, o, &group, &mixed);

	if (s)
		uncharge(sh, s);
	if (!s && !bytes)
		return;
	s = side_make(sh, o);
	s->group = bytes ? group : 0;
	s->charged = bytes;
	if (bytes)
		sh->groups.group[group - 1].objects += bytes;
}

void sf_side_revalue(struct sf_shadow *sh, struct sf_shadow_obj *o)
{
	struct sf_side *s = sf_side_at(sh, o);

	if (s)
		count_indirect(sh, o, s);
	if (sh->groups.used)
		charge(sh, o);
}

void sf_side_own(struct sf_shadow *sh, struct sf_shadow_obj *owner, struct sf_shadow_obj *owned)
{
	struct sf_side *a, *b;
	uint32_t id_a = sf_shadow_id(sh, owner), id_b = sf_shadow_id(sh, owned);

	side_make(sh, owner);
	b = side_make(sh, owned);
	a = sf_side_at(sh, owner); /* the table may have grown */
	sh->changes++;
	if (a == b || b->owner || ((a->flags | b->flags) & SF_SIDE_DEFERRED))
		return;
	/* What events say need not be a tree; everything here relies on one. */
	for (const struct sf_side *up = a; b->owned && up->owner; up = &sh->side[up->owner - 1])
		if (up->owner == id_b + 1)
			return;
	b->owner = id_a + 1;
	b->next = a->owned;
	if (a->owned)
		sh->side[a->owned - 1].prev = id_b + 1;
	a->owned = id_b + 1;
	count_indirect(sh, owned, b);
}

/* Counts, for its cache, what kfree_rcu() has deferred. */
static void count_deferred(struct sf_shadow *sh, const struct sf_shadow_obj *o, struct sf_side *s,
			   bool on)
{
	struct sf_shadow_cache *c = o->kind == SF_PLACE_SLAB ? sf_shadow_cache_at(sh, o->cache) :
							       NULL;

	if (c && on != (bool)(s->flags & SF_SIDE_RCU)) {
		c->deferred += on ? 1 : UINT32_MAX;
		s->flags ^= SF_SIDE_RCU;
	}
}

void sf_side_defer(struct sf_shadow *sh, struct sf_shadow_obj *o, enum sf_free_how how)
{
	struct sf_side *s = side_make(sh, o);

	if (s->flags & SF_SIDE_DEFERRED)
		return;
	count_deferred(sh, o, s, how == SF_KFREE_RCU);
	leave(sh, s);
	s->grace = sh->grace;
	sh->nr_deferred++;
	sf_side_set(sh, o, SF_SIDE_DEFERRED, true);
}

static void out_of_table(struct sf_shadow *sh, struct sf_shadow_obj *o, struct sf_side *s)
{
	end_indirect(sh, s);
	uncharge(sh, s);
	o->flags &= (uint8_t)~SF_OBJ_SIDE;
	sh->nr_sides--;
	sf_shadow_tie(sh, o);
}

void sf_side_drop(struct sf_shadow *sh, struct sf_shadow_obj *o)
{
	struct sf_side *s = sf_side_at(sh, o);

	count_freeable(sh, o, sf_side_freeable(s), false);
	count_deferred(sh, o, s, false);
	sh->nr_deferred -= (s->flags & SF_SIDE_DEFERRED) != 0;
	while (s->owned) {
		struct sf_side *b = &sh->side[s->owned - 1];

		end_indirect(sh, b);
		leave(sh, b);
	}
	leave(sh, s);
	out_of_table(sh, o, s);
}

bool sf_side_take(struct sf_shadow *sh, struct sf_shadow_obj *o, struct sf_side *kept)
{
	struct sf_side *s = sf_side_at(sh, o);

	if (!s)
		return false;
	sf_side_set(sh, o, SF_SIDE_LRU, false);
	out_of_table(sh, o, s);
	*kept = *s;
	return true;
}

void sf_side_carry(struct sf_shadow *sh, struct sf_side *kept, uint32_t from,
		   struct sf_shadow_obj *to)
{
	uint32_t id = sf_shadow_id(sh, to);
	struct sf_side *s = side_make(sh, to);

	*s = *kept;
	if (id == from)
		return;
	if (s->prev)
		sh->side[s->prev - 1].next = id + 1;
	else if (s->owner)
		sh->side[s->owner - 1].owned = id + 1;
	if (s->next)
		sh->side[s->next - 1].prev = id + 1;
	for (uint32_t b = s->owned; b; b = sh->side[b - 1].next)
		sh->side[b - 1].owner = id + 1;
}

/* What is decided by the object itself; SF_STATE_STAYS: its owner decides. */
static enum sf_side_state own_state(const struct sf_side *s)
{
	if (s->flags & SF_SIDE_DEFERRED)
		return SF_STATE_DEFERRED;
	if (s->flags & SF_SIDE_PINNED)
		return SF_STATE_PINNED;
	return s->flags & SF_SIDE_LRU ? SF_STATE_GOES : SF_STATE_STAYS;
}

/* Whatever it owns, directly or not, shares its state, down to what has one of its own. */
static void hand_down(struct sf_shadow *sh, struct sf_side *root)
{
	struct sf_side *s = root;

	for (;;) {
		if (s->owned && (s == root || own_state(s) == SF_STATE_STAYS)) {
			s = &sh->side[s->owned - 1];
		} else {
			while (s != root && !s->next)
				s = &sh->side[s->owner - 1];
			if (s == root)
				return;
			s = &sh->side[s->next - 1];
		}
		if (own_state(s) == SF_STATE_STAYS)
			s->state = root->state;
	}
}

void sf_side_states(struct sf_shadow *sh)
{
	if (!sh->nr_sides)
		return;
	for (size_t i = 0; i < sh->nr_tied; i++)
		if (sh->obj[sh->tied[i]].flags & SF_OBJ_SIDE)
			sh->side[sh->tied[i]].state = (uint8_t)own_state(&sh->side[sh->tied[i]]);
	for (size_t i = 0; i < sh->nr_tied; i++)
		if ((sh->obj[sh->tied[i]].flags & SF_OBJ_SIDE) && sh->side[sh->tied[i]].owned &&
		    own_state(&sh->side[sh->tied[i]]) != SF_STATE_STAYS)
			hand_down(sh, &sh->side[sh->tied[i]]);
}

bool sf_shadow_in_reclaim_slab(const struct sf_shadow *sh, const struct sf_shadow_obj *o)
{
	const struct sf_shadow_cache *c;
	const struct sf_shadow_slab *slab;

	if (o->kind != SF_PLACE_SLAB)
		return false;
	slab = o->slab != SF_NONE ? sf_zone_slab_at(&sh->zone, o->slab) : NULL;
	if (slab)
		return slab->reclaim;
	c = sf_shadow_cache_at(sh, o->cache);
	return c && (c->flags & SF_SLAB_RECLAIM_ACCOUNT);
}

uint64_t sf_shadow_worth(const struct sf_shadow_obj *o)
{
	uint64_t pages = sf_shadow_pages_of(o);

	if (pages)
		return pages;
	return o->usable ? o->usable : o->size;
}
