// SPDX-License-Identifier: MIT
/*
 * oom.c - out of memory (ACC-14): was it legal to declare it, and was it true?
 *
 * Each page frame gets a level: what would have to be given up, drained, waited for or reclaimed
 * until it is free. Where a request first finds enough frames, in a block, is the cause; nowhere:
 * memory was exhausted. A slab is as hard to get as the hardest object in it. Relies on judge.h and
 * owners.c's states; listed in listing.h. Linear in pages and in objects that have ties, once for
 * requests that fail one after the other without anything changing, whatever they ask for.
 */
#include "oom.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "caches.h"
#include "groups.h"
#include "judge.h"
#include "listing.h"
#include "objects.h"
#include "owners.h"
#include "reclaim_rules.h"
#include "report.h"
#include "requests.h"
#include "rules.h"
#include "shadow_mem.h"
#include "taken.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))
#define SWAP_CLUSTER 32u  /* SWAP_CLUSTER_MAX */

/* Levels: 0, free; 1 and up, causes in their order; last, never. */
#define LEVEL_OF(cause) (1 + SF_CAUSE_##cause)
#define NEVER (1 + SF_CAUSES)

const struct sf_named_doc sf_oom_causes[SF_CAUSES] = {
#define X(id, name, doc) { name, doc },
	SF_OOM_CAUSES(X)
#undef X
};

/* What levels depend on: equal keys, equal levels. */
struct key {
	uint64_t changes, zone;
	uint32_t run, grace;
};

_Static_assert(sizeof(struct key) == 24, "compared as bytes: no padding");

#define UNKNOWN 0xff /* no level */

struct sf_needs {
	uint8_t *level;      /* by pfn */
	size_t cap;
	uint64_t nr[NEVER + 1]; /* frames of each level */
	uint32_t *idle;      /* by cache: slabs with nothing alive in them */
	size_t cap_idle;
	struct sf_event oom; /* the last one that parked objects might have been flushed for */
	uint8_t block[SF_NR_ORDERS]; /* level of the best block of an order; UNKNOWN */
	uint32_t *rest;      /* by first pfn of a slab: live objects in it that have no ties */
	size_t cap_rest;
	struct key key;      /* that `level`, `nr` and `block` are of */
	bool known;
};

static struct sf_needs *mine(struct sf_judge *j)
{
	if (!j->needs)
		j->needs = sf_shadow_zalloc(1, sizeof(*j->needs), &j->sh.bytes);
	j->needs->level = sf_shadow_grow(j->needs->level, &j->needs->cap, j->sh.zone.pages, 1,
					 &j->sh.bytes);
	j->needs->rest = sf_shadow_grow(j->needs->rest, &j->needs->cap_rest, j->sh.zone.pages,
					sizeof(*j->needs->rest), &j->sh.bytes);
	return j->needs;
}

void sf_needs_free(struct sf_judge *j)
{
	if (j->needs) {
		free(j->needs->level);
		free(j->needs->rest);
		free(j->needs->idle);
	}
	free(j->needs);
	j->needs = NULL;
}

/* --- levels --- */

static uint8_t object_level(const struct sf_judge *j, const struct sf_shadow_obj *o)
{
	const struct sf_side *side = sf_side_at(&j->sh, o);
	unsigned int state = side ? side->state : SF_STATE_STAYS;

	if (state == SF_STATE_DEFERRED)
		return LEVEL_OF(DEFERRED);
	if (state == SF_STATE_GOES) {
		if (sf_shadow_in_reclaim_slab(&j->sh, o) || side->indirect)
			return LEVEL_OF(COUNTED);
		if (sf_callers_miscount(&j->sh, o))
			return LEVEL_OF(MISCOUNT);
		return LEVEL_OF(UNCOUNTED);
	}
	if (o->kind == SF_PLACE_PAGES && o->api == SF_API_PAGES && (o->gfp & SF_GFP_MOVABLE) &&
	    state == SF_STATE_STAYS && (j->sh.caps & SF_CAP_COMPACT))
		return LEVEL_OF(COMPACTION);
	return NEVER;
}

static void set_bits(uint8_t *level, const uint64_t *bits, uint64_t pages, uint8_t to)
{
	for (uint64_t w = 0; w <= (pages - 1) / 64; w++)
		for (uint64_t m = bits[w]; m; m &= m - 1)
			level[w * 64 + (uint64_t)__builtin_ctzll(m)] = to;
}

static void raise_level(struct sf_needs *n, uint64_t pfn, uint64_t nr, uint64_t end, uint8_t to)
{
	for (uint64_t p = pfn; p < end && p - pfn < nr; p++)
		n->level[p] = to;
}

/* Frames of an object that is in no slab; only objects of programs that use ties can go. */
static void level_pages(struct sf_judge *j, struct sf_needs *n, const struct sf_shadow_obj *o,
			uint8_t level)
{
	const struct sf_shadow *sh = &j->sh;
	uint64_t nr = sf_shadow_pages_of(o) >> SF_PAGE_SHIFT, first;

	if (o->kind != SF_PLACE_VMALLOC) {
		raise_level(n, sf_shadow_frame(sh, o->addr), nr, sh->zone.pages, level);
		return;
	}
	first = (o->addr - sh->vmalloc.base) >> SF_PAGE_SHIFT;
	for (uint64_t p = first; o->addr >= sh->vmalloc.base && p < sh->vm_high && p - first < nr;
	     p++)
		if (sh->vm_pfn[p] && sh->vm_pfn[p] <= sh->zone.pages)
			n->level[sh->vm_pfn[p] - 1] = level;
}

/* Made for what is being allocated now: who has its objects is reported when that is over. */
static bool under_way(const struct sf_judge *j, const struct sf_shadow_slab *slab)
{
	return slab->op == j->op.nr && !slab->live;
}

/* The first frame of a slab holds the level of all of it until slabs_spread(). */
static void slabs_begin(struct sf_judge *j, struct sf_needs *n)
{
	const struct sf_zone *z = &j->sh.zone;

	for SF_EACH_BIT(p, z->slab_heads, 0, z->pages) {
		const struct sf_shadow_slab *slab = &z->slab[p];

		n->rest[p] = slab->live;
		if (slab->deferred)
			n->level[p] = LEVEL_OF(DEFERRED);
		else if (slab->orphan || (slab->live && !j->sh.nr_sides) || under_way(j, slab))
			n->level[p] = NEVER;
		else
			n->level[p] = LEVEL_OF(PARKED);
	}
}

static void slabs_spread(struct sf_judge *j, struct sf_needs *n)
{
	const struct sf_zone *z = &j->sh.zone;

	for SF_EACH_BIT(p, z->slab_heads, 0, z->pages)
		raise_level(n, p, 1ull << z->slab[p].order, z->pages,
			    n->rest[p] ? NEVER : n->level[p]);
}

/* An object without ties stays where it is. */
static void objects(struct sf_judge *j, struct sf_needs *n)
{
	sf_side_states(&j->sh);
	for (size_t i = 0; i < j->sh.nr_tied; i++) {
		const struct sf_shadow_obj *o = &j->sh.obj[j->sh.tied[i]];
		uint8_t level;

		if (o->addr <= SF_ZERO_SIZE_PTR)
			continue;
		level = object_level(j, o);
		if (o->slab != SF_NONE && o->slab < j->sh.zone.pages) {
			if (level > n->level[o->slab])
				n->level[o->slab] = level;
			if (n->rest[o->slab])
				n->rest[o->slab]--;
		} else if (level != NEVER) {
			level_pages(j, n, o, level);
		}
	}
}

static void reserves(const struct sf_zone *z, struct sf_needs *n)
{
	for SF_EACH_BIT(p, z->heads, 0, z->pages)
		if (z->head[p] >> 4 == SF_MIGRATE_HIGHATOMIC)
			raise_level(n, p, 1ull << ((z->head[p] & 15) - 1), z->pages,
				    LEVEL_OF(RESERVE));
}

static void levels(struct sf_judge *j, struct sf_needs *n)
{
	const struct sf_zone *z = &j->sh.zone;

	memset(n->level, NEVER, z->pages);
	set_bits(n->level, z->listed, z->pages, 0);
	set_bits(n->level, z->pcp, z->pages, LEVEL_OF(PCP));
	if (z->reserved)
		reserves(z, n);
	slabs_begin(j, n);
	objects(j, n);
	slabs_spread(j, n);
	memset(n->block, UNKNOWN, sizeof(n->block));
	memset(n->nr, 0, sizeof(n->nr));
	for (uint64_t p = 0; p < z->pages; p++)
		n->nr[n->level[p]]++;
}

/* --- the level that is needed --- */

/*
 * The least level at which more than `above` frames are free; `reserve`: what the reserve holds is.
 * Movable pages only change places.
 */
static uint8_t level_for_count(const struct sf_needs *n, uint64_t above, bool reserve)
{
	uint64_t have = reserve ? n->nr[LEVEL_OF(RESERVE)] : 0;

	for (unsigned int l = 0; l < LEVEL_OF(COMPACTION); l++) {
		have += reserve && l == LEVEL_OF(RESERVE) ? 0 : n->nr[l];
		if (have > above)
			return (uint8_t)l;
	}
	return NEVER;
}

/* ... and at which some block of the order is. */
static uint8_t level_for_block(const struct sf_needs *n, uint64_t pages, unsigned int order)
{
	uint64_t nr = 1ull << order;
	uint8_t best = NEVER;

	for (uint64_t p = 0; best && nr <= pages && p <= pages - nr; p += nr) {
		uint8_t worst = 0;

		for (uint64_t i = p; i < p + nr; i++)
			if (n->level[i] > worst)
				worst = n->level[i];
		if (worst < best)
			best = worst;
	}
	return best;
}

static uint64_t mark_of(const struct sf_judge *j, uint32_t gfp)
{
	uint64_t min = j->sh.zone.marks.min;

	return gfp & SF_GFP_HIGH ? min - min / 2 : min;
}

static uint8_t needed_for_pages(struct sf_judge *j, struct sf_needs *n, const struct sf_ev_oom *o)
{
	uint8_t count, block;

	count = level_for_count(n, mark_of(j, o->gfp) + (1ull << o->order) - 1, false);
	if (count == NEVER)
		return NEVER;
	if (n->block[o->order] == UNKNOWN)
		n->block[o->order] = level_for_block(n, j->sh.zone.pages, o->order);
	block = n->block[o->order];
	return count > block ? count : block;
}

/*
 * A guess counts free pages, the reserve's too, and reclaimable ones. What was needed for it to be
 * right to say yes?
 */
static uint8_t needed_for_guess(struct sf_judge *j, struct sf_needs *n, const struct sf_ev_oom *o)
{
	uint64_t pages = j->sh.zone.pages, reserve = sf_totalreserve(&j->sh.zone.marks, pages);
	uint64_t admin = sf_guess_416(UINT64_MAX, reserve, pages);

	if (o->pages > pages)
		return NEVER;
	return level_for_count(n, o->pages + (UINT64_MAX - admin), true);
}

/* No fewer pages than all would come to that has a level below NEVER, compaction apart. */
static uint64_t at_most(const struct sf_judge *j, uint64_t enough)
{
	const struct sf_zone *z = &j->sh.zone;
	uint64_t nr = z->pages - z->out_pages + z->idle_pages;

	for (size_t i = 0; j->sh.nr_sides && i < j->sh.nr_tied && nr <= enough; i++) {
		const struct sf_shadow_obj *o = &j->sh.obj[j->sh.tied[i]];

		if (!(o->flags & SF_OBJ_SIDE) || (sf_side_has(&j->sh, o, SF_SIDE_PINNED) &&
						  !sf_side_has(&j->sh, o, SF_SIDE_DEFERRED)))
			continue;
		nr += sf_shadow_pages_of(o) >> SF_PAGE_SHIFT;
		if (o->slab != SF_NONE && o->slab < z->pages)
			nr += 1ull << z->slab[o->slab].order;
	}
	return nr;
}

/* Most programs that fill memory have little that could be given up: no look at each frame then. */
static bool surely_exhausted(const struct sf_judge *j, const struct sf_ev_oom *o)
{
	uint64_t enough = mark_of(j, o->gfp) + (1ull << o->order) - 1;

	return !o->guess && at_most(j, enough) <= enough;
}

static uint8_t needed(struct sf_judge *j, const struct sf_ev_oom *o)
{
	struct sf_needs *n = mine(j);
	struct key key;

	if (surely_exhausted(j, o))
		return NEVER;
	key.changes = j->sh.changes;
	key.zone = j->sh.zone.changes;
	key.run = j->sh.run;
	key.grace = j->sh.grace;
	if (j->op.slab_news || !n->known || memcmp(&key, &n->key, sizeof(key)))
		levels(j, n);
	n->key = key;
	n->known = !j->op.slab_news; /* a slab that is under way is that for no other operation */
	return o->guess ? needed_for_guess(j, n, o) : needed_for_pages(j, n, o);
}

/* --- ACC-14 --- */

/* mm/memcontrol.c:try_charge_memcg asks no more than this. */
static bool may_retry(uint32_t gfp)
{
	return (gfp & SF_GFP_DIRECT_RECLAIM) && !(gfp & (SF_GFP_NORETRY | SF_GFP_RETRY_MAYFAIL));
}

static bool may_kill(uint32_t gfp)
{
	return may_retry(gfp) && !(gfp & SF_GFP_THISNODE);
}

/*
 * The last round of direct reclaim must have gone down to priority 0, unless it had made all the
 * progress that was asked of it.
 */
static const struct sf_shadow_cache *not_asked(const struct sf_judge *j, uint32_t *id)
{
	const struct sf_rounds *r = &j->op.rounds;
	uint64_t enough = 1ull << (r->order <= SF_MAX_ORDER ? r->order : 0);

	if (r->progress >= (enough > SWAP_CLUSTER ? enough : SWAP_CLUSTER))
		return NULL;
	for (uint32_t w = 0; w < (j->sh.nr_cache + 63) / 64; w++)
		for (uint64_t m = j->sh.touched[w]; m; m &= m - 1) {
			const struct sf_shadow_cache *c;

			*id = w * 64 + (uint32_t)__builtin_ctzll(m);
			c = sf_shadow_cache_at(&j->sh, *id);
			if (c && c->freeable && c->asked != j->round)
				return c;
		}
	return NULL;
}

/*
 * After a flush a cache keeps no more empty slabs than min_partial: more of them hold objects that
 * are still parked, or, of the cache that is being allocated from, under way. Which one that is
 * will be reported later: remembers two.
 */
static void still_parked(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	struct sf_needs *n = mine(j);

	j->op.nr_parked = 0;
	n->oom = *ev;
	n->idle = sf_shadow_grow(n->idle, &n->cap_idle, j->sh.nr_cache, sizeof(*n->idle),
				 &j->sh.bytes);
	memset(n->idle, 0, j->sh.nr_cache * sizeof(*n->idle));
	for SF_EACH_BIT(p, z->slab_heads, 0, z->pages) {
		const struct sf_shadow_slab *slab = &z->slab[p];
		const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, slab->cache);

		if (c && !slab->orphan && !slab->deferred && !slab->live &&
		    ++n->idle[slab->cache] == c->min_partial + 1 && j->op.nr_parked < 2)
			j->op.parked[j->op.nr_parked++] = slab->cache;
	}
}

void sf_parked_settle(struct sf_judge *j, const struct sf_ev_alloc *a)
{
	unsigned int others = 0;

	for (unsigned int i = 0; i < j->op.nr_parked; i++) {
		const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, j->op.parked[i]);

		if (c && c->prefilled)
			continue; /* or is being: what a caller holds is not parked */
		if (a && (a->cache == j->op.parked[i] ||
			  (c && sf_is_kmalloc(a->api) && c->kind != SF_CACHE_NAMED)))
			continue;
		others++;
	}
	j->op.nr_parked = 0;
	if (!others || !sf_judges(j, SF_INV_ACC_14))
		return;
	sf_title(j, SF_INV_ACC_14, "OOM was declared over parked objects, though they are to be "
		 "flushed first");
	sf_report(j, &j->needs->oom, SF_NONE, SF_NONE, "order %u, gfp %#x",
		  j->needs->oom.oom.order, j->needs->oom.oom.gfp);
}

static const char *zone_fault(struct sf_judge *j, const struct sf_ev_oom *o)
{
	const struct sf_zone *z = &j->sh.zone;
	uint32_t id;

	if (o->order > SF_COSTLY_ORDER)
		return "OOM was declared for a costly order";
	if (!may_kill(o->gfp) || !(o->gfp & SF_GFP_FS))
		return "OOM was declared for a request that forbids it";
	if (sf_zone_can_give(z, o->order, o->gfp & ~(uint32_t)SF_GFP_NOFAIL,
			     sf_zone_mark(z, o->order, o->gfp & ~(uint32_t)SF_GFP_NOFAIL)))
		return "OOM was declared with memory at hand";
	if (!j->op.rounds.direct || j->op.rounds.open)
		return "OOM was declared without a round of reclaim";
	if (not_asked(j, &id))
		return "OOM was declared before the last shrinker pass";
	if (z->pages != z->free_pages + z->out_pages)
		return "OOM was declared with pages in per-CPU lists";
	return NULL;
}

/* What 4.16 takes to be there: a request for less is granted. */
static uint64_t guess_of(const struct sf_shadow *sh)
{
	const struct sf_zone *z = &sh->zone;
	uint64_t countable = z->free_pages + z->reclaim_pages +
			     (sh->indirect_bytes >> SF_PAGE_SHIFT);

	return sf_guess_416(countable, sf_totalreserve(&z->marks, z->pages), z->pages);
}

static const char *guess_fault(struct sf_judge *j, const struct sf_ev_oom *o, uint8_t level)
{
	const struct sf_zone *z = &j->sh.zone;
	uint64_t guess = guess_of(&j->sh);

	if (j->sh.set.oom != SF_OOM_416)
		return o->pages > z->pages ? NULL
					   : "vm_enough_memory refused less than there is memory";
	if (o->guessed != guess)
		return "the guess of available pages is wrong";
	if (o->pages < guess)
		return "vm_enough_memory refused what it guessed was there";
	if (level == LEVEL_OF(UNCOUNTED) && j->sh.set.accounting != SF_ACCOUNTING_NONE)
		return "vm_enough_memory refused for want of memory that the design should count";
	return NULL;
}

/* A cache with objects below the group that its shrinker was not asked for, to the last. */
static bool group_not_asked(const struct sf_judge *j, uint32_t group)
{
	for (size_t i = 0; j->sh.nr_sides && i < j->sh.peak; i++) {
		const struct sf_shadow_obj *o = &j->sh.obj[i];
		const struct sf_side *side = o->flags & SF_OBJ_ALIVE ? sf_side_at(&j->sh, o) : NULL;
		const struct sf_shadow_cache *c;

		if (!side || !sf_side_freeable(side) ||
		    !sf_group_below(&j->sh.groups, side->group, group))
			continue;
		c = sf_shadow_cache_at(&j->sh, o->cache);
		if (c && c->asked_group != j->round)
			return true;
	}
	return false;
}

static const char *group_fault(const struct sf_judge *j, const struct sf_ev_oom *o)
{
	if (o->order > SF_COSTLY_ORDER)
		return "a memory cgroup declared OOM for a costly order";
	if (!may_retry(o->gfp))
		return "a memory cgroup declared OOM for a request that forbids it";
	if (!sf_group_of(&j->sh.groups, o->memcg))
		return "a memory cgroup declared OOM that does not exist";
	if (j->op.rounds.kind != SF_RECLAIM_MEMCG || j->op.rounds.memcg != o->memcg ||
	    j->op.rounds.open || !j->round)
		return "a memory cgroup declared OOM without a round of reclaim";
	if ((o->gfp & SF_GFP_FS) && group_not_asked(j, sf_group_of(&j->sh.groups, o->memcg)))
		return "a memory cgroup declared OOM before the last shrinker pass";
	return NULL;
}

static void count(struct sf_judge *j, const struct sf_ev_oom *o, uint8_t level)
{
	j->ooms.total++;
	j->ooms.guesses += o->guess;
	if (o->memcg != SF_NONE)
		j->ooms.memcg++;
	else if (level && level < NEVER)
		j->ooms.cause[level - 1]++;
	else
		j->ooms.exhausted++;
}

/*
 * PAGE_FAIL. Who may kill does not give up before that (mm/page_alloc.c:__alloc_pages_may_oom); who
 * reclaims fails without (PF_MEMALLOC).
 */
unsigned int sf_acc_14_fail(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_pagefail *f = &ev->pagefail;

	if (f->refused || f->order > SF_COSTLY_ORDER || !may_kill(f->gfp) || j->op.rounds.open ||
	    !(f->gfp & SF_GFP_FS) || (f->gfp & (SF_GFP_DMA | SF_GFP_DMA32 | SF_GFP_NOFAIL)))
		return 0;
	if (j->op.oom_zone)
		return 1;
	sf_title(j, SF_INV_ACC_14, "the page allocator gave up without declaring OOM");
	sf_report(j, ev, SF_NONE, SF_NONE, "order %u, gfp %#x", f->order, f->gfp);
	return 1;
}

/*
 * ALLOC, REALLOC. Nor does a memory cgroup (mm/memcontrol.c:try_charge_memcg). What kvmalloc asks
 * of it has other flags than were asked for.
 */
unsigned int sf_acc_14_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;

	if (a->status != SF_NULL || !j->op.refused || a->api == SF_API_KVMALLOC ||
	    !may_retry(a->gfp) || sf_order_of(j->op.refused_bytes) > SF_COSTLY_ORDER)
		return 0;
	if (j->op.oom_group)
		return 1;
	sf_title(j, SF_INV_ACC_14, "a memory cgroup refused without declaring OOM");
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes, gfp %#x", ULL(j->op.refused_bytes), a->gfp);
	return 1;
}

/* A refusal is judged by its OOM. */
unsigned int sf_acc_14_ask(struct sf_judge *j, const struct sf_event *ev)
{
	bool guessing = j->sh.set.oom == SF_OOM_416;
	uint64_t have = guessing ? guess_of(&j->sh) : j->sh.zone.pages;

	if (ev->ask.status != SF_OK)
		return 0;
	if (guessing ? ev->ask.pages < have : ev->ask.pages <= have)
		return 1;
	sf_title(j, SF_INV_ACC_14, "vm_enough_memory granted more than %s",
		 guessing ? "it guessed was there" : "there is");
	sf_report(j, ev, SF_NONE, SF_NONE, "%llu pages of %llu", ULL(ev->ask.pages), ULL(have));
	return 1;
}

unsigned int sf_acc_14(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_oom *o = &ev->oom;
	const char *fault;
	uint8_t level = NEVER;

	if (!j->sh.exact || j->sh.untracked || o->order > SF_MAX_ORDER) {
		sf_skip(j, SF_INV_ACC_14, "what is in use is not known");
		return 0;
	}
	if (o->memcg == SF_NONE)
		level = needed(j, o);
	count(j, o, level);
	if (o->policy != j->sh.set.oom)
		fault = "OOM was declared under another policy than is in force";
	else if (o->memcg != SF_NONE)
		fault = group_fault(j, o);
	else
		fault = o->guess ? guess_fault(j, o, level) : zone_fault(j, o);
	if (!fault && o->memcg == SF_NONE && !o->guess && j->sh.set.oom == SF_OOM_FLUSH &&
	    level == LEVEL_OF(PARKED))
		still_parked(j, ev);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ACC_14, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE,
		  "order %u, gfp %#x, %llu pages free, %u rounds; guess: %llu pages of %llu; %s",
		  o->order, o->gfp, ULL(j->sh.zone.free_pages), j->op.rounds.direct, ULL(o->pages),
		  ULL(o->guessed),
		  level && level < NEVER ? sf_oom_causes[level - 1].doc
					 : "nothing would have helped");
	return 1;
}
