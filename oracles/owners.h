/* SPDX-License-Identifier: MIT */
/*
 * owners.h - who is on a shrinker's list, who owns whom, who is pinned, who waits for a grace
 * period; beside the objects, for those that have any such tie. Relies on objects.h; intake.c
 * drives it, rules of reclaim, of OOM and of groups read it.
 */
#ifndef SLABFUZZ_OWNERS_H
#define SLABFUZZ_OWNERS_H

#include "objects.h"

enum sf_side_flags {
	SF_SIDE_LRU = 1,      /* its cache's shrinker may free it */
	SF_SIDE_PINNED = 2,
	SF_SIDE_DEFERRED = 4, /* freed after a grace period; unowned until then */
	SF_SIDE_GOING = 8,    /* something it owned has gone: it must go in the same operation */
	SF_SIDE_RCU = 16,     /* deferred by kfree_rcu(): what kvfree_rcu_barrier() waits for */
};

/* What becomes of an object if all that can be reclaimed is (sf_side_states()). */
enum sf_side_state {
	SF_STATE_STAYS,    /* no shrinker knows it or what owns it */
	SF_STATE_GOES,
	SF_STATE_PINNED,   /* it, or what owns it, directly or not */
	SF_STATE_DEFERRED, /* likewise */
	SF_STATES,
};

/*
 * What only some objects have: by id, beside `obj`. Objects are linked by id + 1, 0: none.
 * Invariant: x is in the list of y exactly if y is the owner of x; nothing DEFERRED has an owner.
 */
struct sf_side {
	uint32_t owner, owned, next, prev; /* owned: the first; next, prev: of the same owner */
	uint32_t group;    /* that is charged for it: index + 1, 0: none */
	uint32_t grace;    /* grace periods that had ended when it was deferred */
	uint64_t charged;  /* bytes */
	uint64_t indirect; /* bytes that accounting=indirect counts for it */
	uint8_t flags, state;
};

static inline struct sf_side *sf_side_at(const struct sf_shadow *sh, const struct sf_shadow_obj *o)
{
	return o->flags & SF_OBJ_SIDE ? &sh->side[o - sh->obj] : NULL;
}

static inline bool sf_side_has(const struct sf_shadow *sh, const struct sf_shadow_obj *o,
			       enum sf_side_flags flag)
{
	return (o->flags & SF_OBJ_SIDE) && (sh->side[o - sh->obj].flags & flag);
}

static inline bool sf_side_freeable(const struct sf_side *s)
{
	return (s->flags & (SF_SIDE_LRU | SF_SIDE_PINNED | SF_SIDE_DEFERRED)) == SF_SIDE_LRU;
}

/* One more, or one less, of SF_SIDE_LRU, SF_SIDE_PINNED. */
void sf_side_set(struct sf_shadow *sh, struct sf_shadow_obj *o, enum sf_side_flags flag, bool on);
void sf_side_own(struct sf_shadow *sh, struct sf_shadow_obj *owner, struct sf_shadow_obj *owned);
void sf_side_defer(struct sf_shadow *sh, struct sf_shadow_obj *o, enum sf_free_how how);
/* What it is worth may be another number, who is charged for it (CHARGE came before) another. */
void sf_side_revalue(struct sf_shadow *sh, struct sf_shadow_obj *o);
/* Of an object that dies; what it owned has no owner any more. */
void sf_side_drop(struct sf_shadow *sh, struct sf_shadow_obj *o);
/* The entry is taken out of the table: nothing is counted for it any more. False: there is none. */
bool sf_side_take(struct sf_shadow *sh, struct sf_shadow_obj *o, struct sf_side *kept);
/* The object is another entry of `obj`, or another thing in the same one: its ties go with it. */
void sf_side_carry(struct sf_shadow *sh, struct sf_side *kept, uint32_t from,
		   struct sf_shadow_obj *to);
/* Fills in `state` of every live object that has an entry: linear in them. */
void sf_side_states(struct sf_shadow *sh);
/* Is it counted as reclaimable because of the slab it lies in? */
bool sf_shadow_in_reclaim_slab(const struct sf_shadow *sh, const struct sf_shadow_obj *o);
/* What it is worth where no slab counts it: ksize(), or its pages. */
uint64_t sf_shadow_worth(const struct sf_shadow_obj *o);

#endif
