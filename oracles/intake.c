// SPDX-License-Identifier: MIT
/*
 * intake.c - events taken in: what each of them changes in the shadow and in what is known of the
 * operation, the run and its misuse. It judges nothing.
 *
 * A function for each type of event that changes anything, run in its place in listing.h's list.
 * Relies on judge.h and the shadow, and on the rules that hold something back until an operation is
 * over; judge.c calls it.
 */
#include "intake.h"

#include <stddef.h>
#include <string.h>

#include "areas.h"
#include "buddy.h"
#include "caches.h"
#include "complaints.h"
#include "groups.h"
#include "isolation.h"
#include "judge.h"
#include "listing.h"
#include "objects.h"
#include "oom.h"
#include "owners.h"
#include "reclaim_rules.h"
#include "requests.h"
#include "rules.h"
#include "shadow_mem.h"
#include "slab_rules.h"
#include "snap.h"
#include "taken.h"
#include "zone.h"

static void op_state(struct sf_judge *j)
{
	const struct sf_zone *z = &j->sh.zone;

	j->op.slab_frees = 0;
	if (!z->on)
		return;
	j->op.held = z->out_pages - z->slab_pages;
	j->op.free = z->free_pages - (z->reserved ? sf_zone_free_reserve(z) : 0);
	j->op.boost = z->boost;
}

/* What could only be judged once all that the operation did is known. */
void sf_settle(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->nr_leaving)
		sf_leaving_settle(j, ev);
	if (j->held.valid)
		sf_held_raise(j);
	if (j->op.going || j->op.left_id != SF_NONE)
		sf_going_settle(j, ev);
	if (j->op.nr_parked)
		sf_parked_settle(j, NULL);
	if (j->op.early)
		sf_early_settle(j, ev);
	if (j->op.warned)
		sf_complaint_settle(j, ev);
}

void sf_op_begin(struct sf_judge *j, const struct sf_event *ev)
{
	sf_settle(j, ev);
	if (__builtin_expect(j->op.seldom, false))
		j->op = (struct sf_op_state){ 0 };
	else
		memset(&j->op, 0, offsetof(struct sf_op_state, seldom));
	j->op.nr = ev->op;
	j->op.left_id = SF_NONE;
	op_state(j);
}

/* Nothing that is under way survives a new heap, a new program or misuse. */
static void forget_op(struct sf_judge *j)
{
	j->nr_leaving = 0;
	j->snap.open = false;
	j->held.valid = false;
	j->op.going = 0;
	j->op.left_id = SF_NONE;
	j->op.nr_parked = 0;
	j->op.early = 0;
	j->op.warned = j->op.excused = false;
	j->nr_mappings = 0;
}

/* From here on the heap may be anything. Not undone before the next BEGIN. */
void sf_on_taint(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	if (j->misuse.tainted)
		return;
	j->misuse.tainted = true;
	forget_op(j);
}

static void misuse_begin(struct sf_judge *j)
{
	if (j->misuse.attacks)
		memset(j->misuse.by_code, 0, sizeof(j->misuse.by_code));
	j->misuse.tainted = false;
	j->misuse.attacks = 0;
	j->misuse.unnoticed = 0;
	j->misuse.freed = 0;
}

void sf_on_attack(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_attack *t = &ev->attack;
	struct sf_attack_count *n;

	if (t->code >= SF_ATTACK_CODES)
		return;
	n = &j->attack[t->code];
	n->attacks++;
	n->noticed += t->noticed;
	for (unsigned int r = 0; r < SF_REACHES; r++)
		n->reached[r] += t->reached >> r & 1;
	j->misuse.attacks++;
	j->misuse.op = ev->op;
	if (!t->noticed && j->misuse.by_code[t->code] < UINT16_MAX) {
		j->misuse.by_code[t->code]++;
		j->misuse.unnoticed++;
	}
}

/* Late is better than never: whatever went unnoticed so far may be what this is about. */
void sf_on_warn(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_misuse *m = &j->misuse;

	j->op.warned = true;
	if (!m->unnoticed || ev->op == m->op)
		return;
	for (unsigned int code = 0; code < SF_ATTACK_CODES; code++) {
		j->attack[code].later += m->by_code[code];
		m->by_code[code] = 0;
	}
	m->unnoticed = 0;
}

void sf_on_heap(struct sf_judge *j, const struct sf_event *ev)
{
	forget_op(j);
	j->sh.addresses = ev->heap.caps & SF_CAP_ADDRESS;
	sf_shadow_heap(&j->sh, &ev->heap);
	misuse_begin(j);
	op_state(j);
}

void sf_on_cache(struct sf_judge *j, const struct sf_event *ev)
{
	sf_shadow_cache(&j->sh, &ev->cache);
}

void sf_on_ctype(struct sf_judge *j, const struct sf_event *ev)
{
	sf_shadow_type(&j->sh, &ev->ctype);
}

void sf_on_begin(struct sf_judge *j, const struct sf_event *ev)
{
	forget_op(j);
	sf_shadow_begin(&j->sh);
	j->vm = (struct sf_vmstat){ 0 };
	misuse_begin(j);
	sf_op_begin(j, ev);
}

void sf_on_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->op.nr_parked)
		sf_parked_settle(j, &ev->alloc);
	sf_shadow_alloc(&j->sh, &ev->alloc);
	if (ev->alloc.api == SF_API_PMALLOC && sf_got(&ev->alloc))
		sf_pools_handed(&j->sh, &ev->alloc);
}

/* Pages that left are explained once nothing lives on them. */
static void forget_left(struct sf_judge *j)
{
	for (size_t i = 0; i < j->nr_leaving;)
		if (sf_shadow_range_live(&j->sh, j->leaving[i].addr, 1ull << j->leaving[i].order))
			i++;
		else
			j->leaving[i] = j->leaving[--j->nr_leaving];
}

void sf_on_realloc(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->op.nr_parked)
		sf_parked_settle(j, &ev->alloc);
	sf_shadow_realloc(&j->sh, &ev->alloc);
	if (j->nr_leaving)
		forget_left(j);
}

/* What was freed last, alone in its operation, may still be the head of its slab's list. */
static void note_freed(struct sf_judge *j, const struct sf_event *ev, const struct sf_shadow_obj *o)
{
	struct sf_misuse *m = &j->misuse;

	m->freed = m->freed_op == ev->op && m->freed ? 1 : ev->free.addr;
	m->freed_op = ev->op;
	m->freed_hardened = o->kind == SF_PLACE_SLAB && j->sh.set.freelist_hardened &&
			    !j->sh.set.sheaves && ev->free.how != SF_KFREE_NOLOCK;
}

void sf_on_free(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_obj *o = sf_shadow_find(&j->sh, ev->free.id);

	if (o && ev->free.status == SF_OK) {
		struct sf_shadow_cache *c;

		if (ev->free.how == SF_KFREE_NOLOCK && (c = sf_shadow_cache_at(&j->sh, o->cache)))
			c->nolock = true;
		if (j->sh.set.misuse)
			note_freed(j, ev, o);
		if ((o->flags & SF_OBJ_ALIVE) && j->sh.zone.on)
			j->op.held -= sf_shadow_pages_of(o) / SF_PAGE_SIZE;
		sf_shadow_drop(&j->sh, o);
	}
	if (j->nr_leaving)
		forget_left(j);
	j->op.slab_frees = 0;
}

void sf_on_owns(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_obj *owner = sf_shadow_alive(&j->sh, ev->owns.owner);
	struct sf_shadow_obj *owned = sf_shadow_alive(&j->sh, ev->owns.owned);

	if (owner && owned)
		sf_side_own(&j->sh, owner, owned);
}

void sf_on_pin(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, ev->pin.id);

	if (o)
		sf_side_set(&j->sh, o, SF_SIDE_PINNED, ev->pin.on);
}

void sf_on_defer(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, ev->defer.id);

	if (o)
		sf_side_defer(&j->sh, o, ev->defer.how);
}

void sf_on_migrate(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, ev->migrate.id);

	sf_held_drop(j, sf_shadow_frame(&j->sh, ev->migrate.to));
	j->sh.claim = SF_CLAIM_NONE;
	if (o)
		sf_shadow_migrate(&j->sh, o, ev->migrate.to);
	if (j->nr_leaving)
		forget_left(j);
}

void sf_on_memcg(struct sf_judge *j, const struct sf_event *ev)
{
	sf_groups_act(&j->sh, &ev->memcg);
}

/* mm/shrinker.c:do_shrink_slab: what was not scanned is for the next time, within reason. */
static void shrinker_called(struct sf_judge *j, const struct sf_ev_shrink *s,
			       struct sf_shadow_cache *c)
{
	struct sf_rounds *rounds = sf_change_rounds(j);
	uint64_t due = s->deferred + s->delta, left = due > s->scanned ? due - s->scanned : 0;

	j->sh.shrinks++;
	j->vm.slabs_scanned += s->scanned;
	rounds->scanned += s->scanned;
	rounds->freed += s->freed;
	rounds->again |= rounds->open && s->priority != SF_NOT_ASKED &&
			 rounds->priority != SF_NOT_ASKED && s->priority > rounds->priority;
	rounds->priority = s->priority;
	rounds->then = j->sh.zone.freed_slab_pages;
	if (c && s->memcg == SF_NONE && s->priority != SF_NOT_ASKED)
		c->put_off = left < 2 * s->freeable ? left : 2 * s->freeable;
}

void sf_on_shrinker(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, ev->shrink.cache);

	shrinker_called(j, &ev->shrink, c);
	if (c && j->op.rounds.open && !ev->shrink.priority && !ev->shrink.stopped)
		*(ev->shrink.memcg == SF_NONE ? &c->asked : &c->asked_group) = j->round;
}

void sf_on_reclaim(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_reclaim *r = &ev->reclaim;
	struct sf_rounds *rounds = sf_change_rounds(j);

	if (r->kind == SF_RECLAIM_KSWAPD && !r->begin)
		j->sh.zone.boost = 0;
	rounds->open = r->begin;
	rounds->kind = r->kind;
	rounds->order = r->order;
	if (r->begin) {
		rounds->before = j->sh.zone.freed_slab_pages;
		rounds->gfp = r->gfp;
		rounds->memcg = r->memcg;
		rounds->scanned = rounds->freed = 0;
		rounds->priority = SF_NOT_ASKED;
		rounds->again = false;
		j->sh.shrinks++;
		j->vm.direct += r->kind == SF_RECLAIM_DIRECT;
		rounds->direct += r->kind == SF_RECLAIM_DIRECT;
		rounds->tried += r->kind == SF_RECLAIM_DIRECT;
		j->round++;
		return;
	}
	if (r->kind == SF_RECLAIM_DIRECT) {
		rounds->progress = r->progress;
		j->vm.allocstall += r->passes;
	}
	j->vm.pgscan_slab += r->scanned;
	j->vm.pgsteal_slab += r->progress;
	j->vm.drop_slab += r->kind == SF_RECLAIM_SHRINK;
}

void sf_on_grace(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	j->sh.grace++;
	j->op.grace = true;
}

void sf_on_slab_defer(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_slab_defer(&j->sh, &ev->slab);
}

void sf_on_reserve(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_reserve(&j->sh.zone, &ev->claim);
}

void sf_on_oom(struct sf_judge *j, const struct sf_event *ev)
{
	j->vm.oom_kill += !ev->oom.guess;
	if (ev->oom.memcg != SF_NONE)
		j->op.oom_group = true;
	else
		j->op.oom_zone |= !ev->oom.guess;
}

void sf_on_charge(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_charge *c = &ev->charge;
	uint32_t group = sf_group_of(&j->sh.groups, c->memcg);

	if (c->refused) {
		j->op.refused = true;
		j->op.refused_bytes = c->bytes;
	} else if (c->uncharge) {
		sf_group_uncharge(&j->sh, c->addr, c->bytes);
	} else if (group && c->bytes && c->bytes < UINT32_MAX) {
		sf_group_charge(&j->sh, c->addr, (uint32_t)c->bytes, group);
		group = sf_group_full(&j->sh.groups, group, 0);
		j->op.over = group ? group : j->op.over;
	}
}

void sf_on_create(struct sf_judge *j, const struct sf_event *ev)
{
	sf_shadow_create(&j->sh, &ev->cacheop);
}

void sf_on_destroy(struct sf_judge *j, const struct sf_event *ev)
{
	sf_shadow_destroy(&j->sh, ev->cacheop.cache);
	op_state(j);
}

void sf_on_shrink(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	op_state(j);
}

void sf_on_slab_new(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_slab *slab;

	j->op.slab_news++;
	j->op.slab_gfp = ev->slab.gfp;
	j->op.slab_order = ev->slab.order;
	sf_zone_slab_new(&j->sh, &ev->slab);
	slab = sf_zone_slab_at(&j->sh.zone, ev->slab.pfn);
	if (slab)
		slab->op = ev->op;
}

void sf_on_slab_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_slab *slab = sf_zone_slab_at(&j->sh.zone, ev->slab.pfn);

	j->op.slab_frees += !slab || !slab->deferred; /* it was let go of earlier */
	sf_zone_slab_free(&j->sh, &ev->slab);
}

void sf_on_block_add(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_add(&j->sh.zone, &ev->block);
}

void sf_on_block_del(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_del(&j->sh.zone, &ev->block);
}

void sf_on_rmqueue(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_rmqueue(&j->sh.zone, &ev->rmqueue, ev->cpu);
}

void sf_on_claim(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_claim(&j->sh.zone, &ev->claim);
}

/* A request for pages is answered; what follows is another's. */
static void answered(struct sf_judge *j)
{
	if (j->op.seldom)
		j->op.rounds.tried = j->op.rounds.compacted = 0;
}

void sf_on_page_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	if (ev->page.attempt != SF_ATTEMPT_MOVE)
		answered(j);
	if (j->nr_leaving)
		sf_leaving_drop(j, ev->page.pfn, ev->page.order);
	sf_zone_page_alloc(&j->sh.zone, &ev->page);
	j->vm.compact_success += ev->page.attempt == SF_ATTEMPT_COMPACTED;
}

void sf_on_page_free(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->held.valid)
		sf_held_drop(j, ev->page.pfn);
	sf_zone_page_free(&j->sh.zone, &ev->page);
}

void sf_on_drain(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_drain(&j->sh.zone, &ev->page);
}

void sf_on_fail(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_pagefail *f = &ev->pagefail;
	struct sf_zone *z = &j->sh.zone;

	if (!f->refused)
		z->boost = sf_zone_boost(z, f->gfp, SF_ATTEMPT_SLOW);
	z->tries = 0;
	answered(j);
	j->op.page_fail = true;
	j->op.fail_gfp = f->gfp;
}

void sf_on_fault(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	j->op.fault = true;
}

void sf_on_map(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_map(&j->sh, &ev->map);
	if (ev->map.pool)
		sf_pools_map(&j->sh, &ev->map, ev->op);
}

void sf_on_unmap(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->sh.pools.used)
		sf_pools_unmap(&j->sh, &ev->map);
	sf_zone_unmap(&j->sh, &ev->map);
}

void sf_on_pool(struct sf_judge *j, const struct sf_event *ev)
{
	sf_pools_act(&j->sh, &ev->pool);
}

void sf_on_mapping(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->misuse.tainted)
		return;
	j->mapping = sf_shadow_grow(j->mapping, &j->cap_mappings, j->nr_mappings + 1,
				    sizeof(*j->mapping), &j->sh.bytes);
	j->mapping[j->nr_mappings++] = ev->mapping;
}

void sf_on_maps(struct sf_judge *j, const struct sf_event *ev)
{
	j->op.maps |= (uint8_t)(1u << ev->maps.when % 8);
	j->nr_mappings = 0;
}

void sf_on_compact(struct sf_judge *j, const struct sf_event *ev)
{
	bool more = j->op.compact.begin; /* it began before */

	j->op.compact = ev->compact;
	if (!more)
		sf_change_rounds(j)->compacted++;
	if (ev->compact.begin)
		return;
	j->vm.compact_stall += ev->compact.order >= 0 && !ev->compact.skipped;
	j->vm.pgmigrate_success += ev->compact.migrated;
	sf_change_large(j)->compacted |= ev->compact.order == (int)SF_LARGE_ORDER;
}

void sf_on_snap_begin(struct sf_judge *j, const struct sf_event *ev)
{
	sf_snap_begin(&j->snap, &ev->snap);
}

void sf_on_snap(struct sf_judge *j, const struct sf_event *ev)
{
	if (!j->misuse.tainted)
		sf_snap_add(&j->snap, ev, &j->sh.bytes);
}

void sf_on_snap_end(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	if (!j->misuse.tainted)
		sf_snap_close(&j->snap, &j->sh, &j->sh.bytes);
	j->snap.open = false;
}
