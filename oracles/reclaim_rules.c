// SPDX-License-Identifier: MIT
/*
 * reclaim_rules.c - what reclaim may take and what it takes (ACC-11, ACC-12, ACC-15, ACC-21,
 * ACC-22), and frees that wait for a grace period (MEM-19).
 *
 * The truth about reclaimable memory is known from ownership: an object goes if a shrinker may free
 * it, or what owns it, and nothing on the way is pinned or deferred. Everything else that counts as
 * reclaimable is explained by a term of its own. Relies on judge.h and owners.c's states; listed in
 * listing.h.
 */
#include "reclaim_rules.h"
#include "caches.h"
#include "groups.h"
#include "judge.h"
#include "listing.h"
#include "objects.h"
#include "owners.h"
#include "report.h"
#include "requests.h"
#include "rules.h"
#include "snap.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))
#define SWAP_CLUSTER 32u  /* SWAP_CLUSTER_MAX */

const struct sf_named_doc sf_reclaim_terms[SF_TERMS] = {
#define X(id, name, doc) { name, doc },
	SF_RECLAIM_TERMS(X)
#undef X
};

const struct sf_named_doc sf_uncounteds[SF_UNCOUNTEDS] = {
#define X(id, name, doc) { name, doc },
	SF_UNCOUNTED(X)
#undef X
};

/* --- ACC-11 --- */

bool sf_callers_miscount(const struct sf_shadow *sh, const struct sf_shadow_obj *o)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(sh, o->cache);

	return sh->set.accounting == SF_ACCOUNTING_RECLAIMABLE &&
	       (o->kind != SF_PLACE_SLAB || !c || c->kind == SF_CACHE_NAMED ||
		c->kind == SF_CACHE_BUCKET || c->kind == SF_CACHE_KMALLOC_LARGE ||
		o->api == SF_API_NOLOCK || !(o->gfp & SF_GFP_RECLAIMABLE) ||
		sf_kind_of(&sh->set, o->gfp) != SF_CACHE_KMALLOC_RCL);
}

/* Reclaimable, and no slab of it counts: does the design? */
static void sum_uncounted(struct sf_judge *j, const struct sf_event *ev,
			  const struct sf_shadow_obj *o)
{
	uint64_t bytes = sf_shadow_worth(o);

	if (sf_callers_miscount(&j->sh, o)) {
		j->sums.uncounted[SF_UNCOUNTED_MISCOUNT] += bytes;
		return;
	}
	j->sums.uncounted[SF_UNCOUNTED_SHORTFALL] += bytes;
	if (j->sh.set.accounting == SF_ACCOUNTING_NONE)
		return;
	sf_title(j, SF_INV_ACC_11, "a reclaimable %s object is not counted", sf_name_of(&j->sh, o));
	sf_report(j, ev, o->res, SF_NONE, "%llu bytes at %#llx", ULL(bytes), ULL(o->addr));
}

static void sum_object(struct sf_judge *j, const struct sf_event *ev, const struct sf_shadow_obj *o)
{
	static const uint8_t terms[SF_STATES] = {
		[SF_STATE_STAYS] = SF_TERM_UNOWNED, [SF_STATE_GOES] = SF_TERM_TRUTH,
		[SF_STATE_PINNED] = SF_TERM_PINNED, [SF_STATE_DEFERRED] = SF_TERM_DEFERRED,
	};
	const struct sf_side *side = sf_side_at(&j->sh, o);
	const struct sf_shadow_cache *c;
	unsigned int state = side ? side->state : SF_STATE_STAYS;

	if (sf_shadow_in_reclaim_slab(&j->sh, o)) {
		c = sf_shadow_cache_at(&j->sh, o->cache);
		if (c && !(o->flags & SF_OBJ_ORPHAN))
			j->sums.term[terms[state]] += c->stride;
	} else if (side && side->indirect) {
		j->sums.term[terms[state]] += side->indirect;
	} else if (state == SF_STATE_GOES) {
		sum_uncounted(j, ev, o);
	}
}

/*
 * What is not alive in the slabs that count as reclaimable. As long as no program says who owns
 * whom, the objects need not be looked at one by one: all that live there are unowned.
 */
static void sum_slab(struct sf_judge *j, const struct sf_snap_slab *slab)
{
	const struct sf_ev_snapslab *ev = &slab->ev;
	const struct sf_shadow_slab *made = sf_zone_slab_at(&j->sh.zone, ev->pfn);
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, ev->cache);
	uint64_t *term = j->sums.term, bytes;

	if (!made || !made->reclaim)
		return;
	bytes = SF_PAGE_SIZE << made->order;
	if (made->deferred) {
		term[SF_TERM_DEFERRED] += bytes;
	} else if (made->orphan || !c) {
		term[SF_TERM_UNOWNED] += bytes;
	} else if (!ev->inuse) {
		term[SF_TERM_EMPTY] += bytes;
	} else {
		term[SF_TERM_PARKED] += (uint64_t)slab->parked * c->stride;
		term[SF_TERM_FREE] += (uint64_t)ev->nr_free * c->stride;
		term[SF_TERM_SLACK] += bytes - (uint64_t)made->objects * c->stride;
		if (!j->sh.nr_sides)
			term[SF_TERM_UNOWNED] += (uint64_t)made->live * c->stride;
	}
}

static uint64_t sum_all(struct sf_judge *j, const struct sf_event *ev)
{
	uint64_t sum = 0;

	sf_side_states(&j->sh);
	for (size_t i = 0; i < j->snap.nr_slabs; i++)
		sum_slab(j, &j->snap.slabs[i]);
	for (size_t i = 0; j->sh.nr_sides && i < j->sh.peak; i++)
		if (j->sh.obj[i].flags & SF_OBJ_ALIVE)
			sum_object(j, ev, &j->sh.obj[i]);
	for (unsigned int t = 0; t < SF_TERMS; t++)
		sum += j->sums.term[t];
	j->sums.truth = j->sums.term[SF_TERM_TRUTH];
	for (unsigned int u = 0; u < SF_UNCOUNTEDS; u++)
		j->sums.truth += j->sums.uncounted[u];
	return sum;
}

unsigned int sf_acc_11(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_counters *c = &j->snap.counters;
	uint64_t explained;

	if (!j->snap.has_counters || !j->sh.exact || j->sh.untracked) {
		sf_skip(j, SF_INV_ACC_11, "counters, or what they count, are not known");
		return 0;
	}
	if (j->snap.head.final) /* everything is gone: ACC-8 and ACC-10 */
		return 0;
	j->sums = (struct sf_reclaim_sums){ .valid = true };
	explained = sum_all(j, ev);
	j->sums.counted = (c->nr_slab_reclaimable << SF_PAGE_SHIFT) + c->indirect_bytes;
	j->sums.available = c->mem_available;
	if (explained == j->sums.counted)
		return 1;
	if (explained < j->sums.counted)
		sf_title(j, SF_INV_ACC_11, "more is counted as reclaimable than can be explained");
	else
		sf_title(j, SF_INV_ACC_11, "less is counted as reclaimable than is there");
	sf_report(j, ev, SF_NONE, SF_NONE,
		  "%llu bytes counted, %llu explained: %llu could be reclaimed, %llu pinned, "
		  "%llu unowned, %llu deferred, %llu parked, %llu free, %llu in empty slabs, "
		  "%llu slack", ULL(j->sums.counted), ULL(explained),
		  ULL(j->sums.term[SF_TERM_TRUTH]), ULL(j->sums.term[SF_TERM_PINNED]),
		  ULL(j->sums.term[SF_TERM_UNOWNED]), ULL(j->sums.term[SF_TERM_DEFERRED]),
		  ULL(j->sums.term[SF_TERM_PARKED]), ULL(j->sums.term[SF_TERM_FREE]),
		  ULL(j->sums.term[SF_TERM_EMPTY]), ULL(j->sums.term[SF_TERM_SLACK]));
	return 1;
}

/* --- ACC-12 --- */

unsigned int sf_acc_12(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_cache *c;

	if (!sf_in_kmalloc_slab(a) || !sf_fresh(ev))
		return 0;
	c = sf_shadow_cache_at(&j->sh, a->place.cache);
	if (!c || c->kind != SF_CACHE_KMALLOC_RCL)
		return 0;
	if (a->gfp & SF_GFP_RECLAIMABLE)
		return 1;
	sf_title(j, SF_INV_ACC_12, "a slab of %s is held by what nobody can reclaim",
		 sf_name_of_cache(&j->sh, a->place.cache));
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes, gfp %#x", ULL(a->size), a->gfp);
	return 1;
}

/* --- ACC-15 --- */

/* RECLAIM, before the shadow. */
unsigned int sf_acc_15(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_reclaim *r = &ev->reclaim;
	const struct sf_rounds *rounds = &j->op.rounds;
	uint64_t freed = j->sh.zone.freed_slab_pages - rounds->before;
	const char *fault = NULL;

	if (r->begin == rounds->open)
		fault = r->begin ? "a round of reclaim began inside another"
				 : "a round of reclaim ended that had not begun";
	else if (!r->begin && r->kind != rounds->kind)
		fault = "a round of reclaim ended as another";
	else if (!r->begin && r->progress > freed)
		fault = "a round of reclaim told more progress than it made";
	else if (!r->begin && r->progress < freed)
		fault = "a round of reclaim was not credited with slab pages that it freed";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ACC_15, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "progress %llu, %llu pages of slabs freed, kind %u",
		  ULL(r->progress), ULL(freed), r->kind);
	return 1;
}

/* --- ACC-22 --- */

/* Objects that its shrinker could free when it was called: none else goes meanwhile. */
static uint64_t freeable_before(const struct sf_judge *j, const struct sf_shadow_cache *c)
{
	return c->freeable + (c->gone_in == j->sh.shrinks ? c->gone : 0);
}

/*
 * How much it was to scan. What one scan costs (seeks) is its own affair, but nothing is cheaper
 * than 1; nor is it known how many it takes at once: it may leave what is less than that.
 */
static const char *share_fault(const struct sf_judge *j, const struct sf_ev_shrink *s,
			       const struct sf_shadow_cache *c)
{
	uint64_t share, most = 2 * s->freeable;

	if (s->priority == SF_NOT_ASKED)
		return s->scanned == (s->total < s->freeable ? s->total : s->freeable) ? NULL :
			"a shrinker did not scan what it was told to";
	if (s->memcg == SF_NONE && c && j->sh.exact && s->deferred != c->put_off)
		return "a shrinker was not asked for what it had put off";
	if (s->priority > 12 || s->delta > (s->freeable >> s->priority) * 4)
		return "a shrinker was asked for more than its share";
	share = (s->deferred >> s->priority) + s->delta;
	if (s->total != (share < most ? share : most))
		return "a shrinker was not asked for its share and for what it had put off";
	if (!s->stopped && s->total - s->scanned >= s->freeable)
		return "a shrinker did not scan what it was asked for";
	return NULL;
}

/* fs/super.c:super_cache_scan; whoever shrinks without that says so by SHRINK_STOP. */
static const char *stop_fault(const struct sf_rounds *r, const struct sf_ev_shrink *s)
{
	bool forbidden = !(r->gfp & SF_GFP_FS);

	if (s->priority == SF_NOT_ASKED)
		return NULL;
	if (s->stopped && s->scanned)
		return "a shrinker scanned objects and stopped";
	if (s->stopped && !forbidden)
		return "a shrinker stopped that may go on";
	return forbidden && s->scanned ? "a shrinker went on without __GFP_FS" : NULL;
}

/* mm/vmscan.c:pgdat_balanced */
static bool is_balanced(const struct sf_zone *z)
{
	return sf_zone_can_give(z, 0, SF_GFP_KERNEL, z->marks.high + z->boost);
}

static const char *shrink_fault(const struct sf_judge *j, const struct sf_ev_shrink *s)
{
	const struct sf_rounds *r = &j->op.rounds;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, s->cache);
	const char *fault;

	if (!r->open)
		return "a shrinker was asked outside a round of reclaim";
	if (s->freed > s->scanned || s->scanned > s->total)
		return "a shrinker freed or scanned more than it was asked for";
	if (s->memcg == SF_NONE && c && j->sh.exact && s->freeable != freeable_before(j, c))
		return "a shrinker counted its objects wrong";
	fault = share_fault(j, s, c);
	if (!fault)
		fault = stop_fault(r, s);
	if (fault)
		return fault;
	if (s->memcg == SF_NONE && c && j->sh.exact && s->freed < s->scanned && c->freeable)
		return "a shrinker left objects that it was asked to free";
	if (r->kind == SF_RECLAIM_KSWAPD && r->priority == SF_NOT_ASKED && j->sh.zone.on &&
	    j->sh.exact && !j->sh.zone.boost && is_balanced(&j->sh.zone))
		return "kswapd reclaimed from a zone in balance";
	/* all shrinkers are asked before that is looked at */
	if ((r->kind == SF_RECLAIM_DIRECT || r->kind == SF_RECLAIM_MEMCG) &&
	    r->priority != SF_NOT_ASKED && s->priority < r->priority &&
	    r->then - r->before >= SWAP_CLUSTER)
		return "reclaim went on though it had freed enough";
	return NULL;
}

/* SHRINK, before the shadow. */
unsigned int sf_acc_22(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_shrink *s = &ev->shrink;
	const char *fault = shrink_fault(j, s);

	if (!fault)
		return 1;
	sf_title(j, SF_INV_ACC_22, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE,
		  "cache %u, priority %u, gfp %#x: %llu objects, %llu put off, share %llu: %llu "
		  "asked, %llu scanned, %llu freed", s->cache, s->priority, j->op.rounds.gfp,
		  ULL(s->freeable), ULL(s->deferred), ULL(s->delta), ULL(s->total),
		  ULL(s->scanned), ULL(s->freed));
	return 1;
}

/*
 * mm/vmscan.c:do_try_to_free_pages: down to priority 0, or until enough is freed; without any
 * progress all of it once more. For costly orders it ends as soon as compaction can do the rest.
 */
static const char *direct_fault(const struct sf_rounds *rounds, const struct sf_ev_reclaim *r)
{
	if (r->ready && (r->kind != SF_RECLAIM_DIRECT || r->order <= SF_COSTLY_ORDER ||
			 !(r->gfp & SF_GFP_IO)))
		return "a round of direct reclaim was given up for a compaction that is none";
	if (r->priority && r->progress < SWAP_CLUSTER && !r->ready)
		return "a round of direct reclaim ended before its last pass";
	if (r->passes < 1u + (rounds->again || (!r->progress && !r->ready)))
		return "a round of direct reclaim without progress was not gone through again";
	if (r->passes > 1u + (rounds->again || !r->progress))
		return "a round of direct reclaim was gone through again despite its progress";
	return NULL;
}

/* mm/vmscan.c:do_try_to_free_pages, balance_pgdat */
static const char *round_fault(const struct sf_judge *j, const struct sf_ev_reclaim *r)
{
	const struct sf_rounds *rounds = &j->op.rounds;

	if (r->scanned != rounds->scanned || r->freed != rounds->freed)
		return "a round of reclaim does not count what its shrinkers did";
	if (r->kind == SF_RECLAIM_DIRECT || r->kind == SF_RECLAIM_MEMCG)
		return direct_fault(rounds, r);
	if (r->kind == SF_RECLAIM_KSWAPD && r->priority && j->sh.zone.on && j->sh.exact &&
	    !is_balanced(&j->sh.zone))
		return "kswapd gave up before its last pass";
	return NULL;
}

/* RECLAIM, before the shadow. */
unsigned int sf_acc_22_round(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_reclaim *r = &ev->reclaim;
	const struct sf_rounds *rounds = &j->op.rounds;
	const char *fault;

	if (r->begin || !rounds->open)
		return 0;
	fault = round_fault(j, r);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ACC_22, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE,
		  "priority %u, progress %llu; %llu of %llu scanned, %llu of %llu freed",
		  r->priority, ULL(r->progress), ULL(r->scanned), ULL(rounds->scanned),
		  ULL(r->freed), ULL(rounds->freed));
	return 1;
}

/* --- ACC-21 --- */

static void tie_fault(struct sf_judge *j, const struct sf_event *ev, const struct sf_shadow_obj *o,
		      const char *fault)
{
	sf_title(j, SF_INV_ACC_21, fault, sf_name_of(&j->sh, o));
	sf_report(j, ev, o->res, SF_NONE, "%#llx", ULL(o->addr));
}

/* Its owner must follow in the same operation. */
static void expect_owner(struct sf_judge *j, const struct sf_side *side)
{
	struct sf_side *owner = &j->sh.side[side->owner - 1];

	if (owner->flags & SF_SIDE_GOING)
		return;
	owner->flags |= SF_SIDE_GOING;
	j->op.going++;
	j->op.going_id = side->owner - 1;
}

static void went(struct sf_judge *j, struct sf_side *side)
{
	if (!(side->flags & SF_SIDE_GOING))
		return;
	side->flags &= (uint8_t)~SF_SIDE_GOING;
	if (j->op.going)
		j->op.going--;
}

/* A limit is met by what is charged below it (mm/vmscan.c:shrink_node_memcgs). */
static bool is_others(const struct sf_judge *j, const struct sf_side *side)
{
	const struct sf_rounds *r = &j->op.rounds;
	uint32_t group = r->memcg == SF_NONE ? 0 : sf_group_of(&j->sh.groups, r->memcg);

	return r->open && group && j->sh.exact &&
	       !sf_group_below(&j->sh.groups, side->group, group);
}

/* FREE and DEFER: who let go of it had a right to. */
static const char *right_fault(struct sf_judge *j, const struct sf_side *side, uint8_t how)
{
	unsigned int flags = side ? side->flags : 0;

	if (how == SF_FREE_SHRINK) {
		if (flags & SF_SIDE_PINNED)
			return "a pinned %s object was reclaimed";
		if (!(flags & SF_SIDE_LRU) || (flags & SF_SIDE_DEFERRED))
			return "a %s object was reclaimed that no shrinker may free";
		if (is_others(j, side))
			return "a %s object was reclaimed for another memory cgroup's limit";
	}
	if (how == SF_FREE_OWNER) {
		if (flags & SF_SIDE_PINNED)
			return "a pinned %s object went with its owner";
		if (!side || !side->owner)
			return "a %s object went with an owner that it does not have";
		expect_owner(j, side);
	}
	return NULL;
}

/*
 * What it owns should have gone before it. krealloc() holds a reference to what it works on, of
 * which only its own REALLOC reports, later.
 */
static void left_behind(struct sf_judge *j, const struct sf_side *side)
{
	for (uint32_t b = side->owned; b; b = j->sh.side[b - 1].next)
		if (!(j->sh.side[b - 1].flags & SF_SIDE_PINNED))
			j->op.left_id = b - 1;
}

unsigned int sf_acc_21_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, f->id);
	struct sf_side *side = o ? sf_side_at(&j->sh, o) : NULL;
	const char *fault;

	if (!o || f->status != SF_OK || (!side && f->how < SF_KFREE_RCU))
		return 0;
	fault = right_fault(j, side, f->how);
	if (fault)
		tie_fault(j, ev, o, fault);
	if (side) {
		left_behind(j, side);
		went(j, side);
	}
	return 1;
}

unsigned int sf_acc_21_defer(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, ev->defer.id);
	struct sf_side *side = o ? sf_side_at(&j->sh, o) : NULL;
	const char *fault;

	if (!o)
		return 0;
	fault = right_fault(j, side, ev->defer.how);
	if (!fault && side && (side->flags & SF_SIDE_DEFERRED))
		fault = "a %s object was deferred twice";
	if (fault)
		tie_fault(j, ev, o, fault);
	if (side)
		went(j, side);
	return 1;
}

/* REALLOC, before the shadow: size 0 frees. */
unsigned int sf_acc_21_realloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, a->old_id);
	struct sf_side *side = o ? sf_side_at(&j->sh, o) : NULL;

	if (o && a->old_id == j->op.left_id)
		j->op.left_id = SF_NONE;
	if (!side || a->status != SF_OK || a->addr != SF_ZERO_SIZE_PTR)
		return 0;
	left_behind(j, side);
	went(j, side);
	return 1;
}

void sf_going_settle(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, j->op.left_id);
	struct sf_side *side;
	bool judged = sf_judges(j, SF_INV_ACC_21);

	if (judged && o)
		tie_fault(j, ev, o, "a %s object outlived its owner");
	o = j->op.going ? sf_shadow_alive(&j->sh, j->op.going_id) : NULL;
	side = o ? sf_side_at(&j->sh, o) : NULL;
	j->op.going = 0;
	j->op.left_id = SF_NONE;
	if (!judged || !side || !(side->flags & SF_SIDE_GOING))
		return;
	side->flags &= (uint8_t)~SF_SIDE_GOING;
	tie_fault(j, ev, o, "a %s object stayed when what it owns had gone with it");
}

/* --- MEM-19 --- */

unsigned int sf_mem_19_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, f->id);
	const struct sf_side *side = o ? sf_side_at(&j->sh, o) : NULL;
	bool deferred = side && (side->flags & SF_SIDE_DEFERRED);
	const char *fault = NULL;

	if (!o || f->status != SF_OK || (!deferred && f->how != SF_KFREE_RCU))
		return 0;
	if (!deferred)
		fault = "a %s object was freed by RCU that was not deferred";
	else if (side->grace >= j->sh.grace)
		fault = "a deferred %s object was freed before a grace period had passed";
	else if (f->how != SF_KFREE_RCU)
		fault = "a deferred %s object was freed by somebody else";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MEM_19, fault, sf_name_of(&j->sh, o));
	sf_report(j, ev, o->res, f->res, "%#llx, deferred after %u grace periods, freed after %u",
		  ULL(o->addr), side ? side->grace : 0, j->sh.grace);
	return 1;
}

/* SLAB_FREE and SLAB_DEFER, before the shadow. */
unsigned int sf_mem_19_slab(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_slab *slab = sf_zone_slab_at(&j->sh.zone, ev->slab.pfn);
	const struct sf_shadow_cache *c = slab ? sf_shadow_cache_at(&j->sh, slab->cache) : NULL;
	const char *fault = NULL;

	if (!slab || !j->sh.exact)
		return 0;
	if (ev->type == SF_EV_SLAB_DEFER)
		fault = slab->deferred ? "a slab of %s was deferred twice" : NULL;
	else if (slab->deferred && slab->grace >= j->sh.grace)
		fault = "a slab of %s was freed before a grace period had passed";
	else if (!slab->deferred && !slab->orphan && c && (c->flags & SF_SLAB_TYPESAFE_BY_RCU))
		fault = "a slab of %s was freed without waiting for a grace period";
	if (!fault)
		return slab->deferred || ev->type == SF_EV_SLAB_DEFER;
	sf_title(j, SF_INV_MEM_19, fault, sf_name_of_cache(&j->sh, slab->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx", ULL(ev->slab.pfn));
	return 1;
}
