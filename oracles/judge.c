// SPDX-License-Identifier: MIT
/*
 * judge.c - the judge itself: which rules see which event, in which order; counts and reports.
 *
 * Per event it walks one short static list. SHADOW entries take the event into the shadow model;
 * rules before them see the heap as it was, rules after them as it is. Relies on judge.h and the
 * families; the command, the fuzz targets and the tests use it through oracle.h.
 */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SF_INV_COUNT < 64, "invariants are bits of a word");

const struct sf_invariant_info sf_invariants[SF_INV_COUNT] = {
#define X(family, nr, cost, needs, statement, source) \
	{ #family "-" #nr, SF_COST_##cost, needs, statement, source },
	SF_INVARIANTS(X)
#undef X
};

/* Addresses must be addresses for these, whatever else they need. */
#define ADDRESS_RULES                                                                    \
	(1ull << SF_INV_MEM_1 | 1ull << SF_INV_MEM_2 | 1ull << SF_INV_MEM_3 |            \
	 1ull << SF_INV_MEM_9 | 1ull << SF_INV_MEM_10 | 1ull << SF_INV_ISO_14)

void sf_skip(struct sf_judge *j, enum sf_invariant inv, const char *why)
{
	j->count[inv].skipped++;
	j->count[inv].reason = why;
}

void sf_title(struct sf_judge *j, enum sf_invariant inv, const char *fmt, ...)
{
	size_t size = sizeof(j->v.title);
	size_t n = (size_t)snprintf(j->v.title, size, "%s: ", sf_invariants[inv].id);
	va_list ap;

	j->v.invariant = inv;
	va_start(ap, fmt);
	vsnprintf(j->v.title + n, size - n, fmt, ap);
	va_end(ap);
}

/* Has this title been told in this run? Too many different ones count as told. */
static bool told(struct sf_judge *j)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	uint32_t at;

	for (const char *s = j->v.title; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3ull;
	hash |= 1;
	for (at = hash >> 32 & (SF_SEEN_SLOTS - 1); j->seen[at];
	     at = (at + 1) & (SF_SEEN_SLOTS - 1))
		if (j->seen[at] == hash)
			return true;
	if (j->nr_seen >= SF_SEEN_SLOTS / 2)
		return true;
	j->nr_seen++;
	j->seen[at] = hash;
	return false;
}

void sf_report(struct sf_judge *j, const struct sf_event *ev, uint32_t res, uint32_t other,
	       const char *fmt, ...)
{
	const char *name = j->sh.told;
	va_list ap;
	int n;

	j->sh.told = NULL;
	j->count[j->v.invariant].violations++;
	if (told(j) || !j->opt.violation)
		return;
	j->v.op = ev->op;
	j->v.objects[0] = res;
	j->v.objects[1] = other;
	va_start(ap, fmt);
	n = vsnprintf(j->v.detail, sizeof(j->v.detail), fmt, ap);
	va_end(ap);
	if (name && n >= 0 && (size_t)n < sizeof(j->v.detail))
		snprintf(j->v.detail + n, sizeof(j->v.detail) - (size_t)n, "; cache \"%s\"", name);
	j->opt.violation(j->opt.ctx, &j->v);
}

static void op_state(struct sf_judge *j)
{
	j->op.slab_frees = 0;
	j->op.held = j->sh.zone.on ? j->sh.zone.out_pages - j->sh.zone.slab_pages : 0;
}

static void op_begin(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->nr_leaving)
		sf_leaving_settle(j, ev);
	j->op.nr = ev->op;
	j->op.fault = false;
	j->op.page_fail = false;
	op_state(j);
}

/* What the source cannot show is skipped from here on, with this as the reason. */
static const char *missing_cap(const struct sf_shadow *sh, unsigned int inv)
{
	static const struct {
		uint64_t bit;
		const char *reason;
	} caps[] = {
#define X(id, name, nr, doc) { SF_CAP_##id, "the allocator lacks '" name "'" },
		SF_CAPS(X)
#undef X
	};
	uint64_t needs = sf_invariants[inv].needs;

	if ((ADDRESS_RULES >> inv & 1) && !sh->addresses)
		return "pointers are hashes";
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		if (needs & caps[i].bit & ~sh->caps)
			return caps[i].reason;
	if ((needs & SF_CAP_TRACE) && !sh->zone.on)
		return "the arena's size is unknown";
	return NULL;
}

static void set_active(struct sf_judge *j)
{
	j->active = 0;
	j->missing = 0;
	for (unsigned int inv = 0; inv < SF_INV_COUNT; inv++) {
		if (j->opt.only && !(j->opt.only >> inv & 1))
			continue;
		j->reason[inv] = missing_cap(&j->sh, inv);
		if (j->reason[inv])
			j->missing |= 1ull << inv;
		else
			j->active |= 1ull << inv;
	}
}

/* The shadow's own rules. */
static void on_heap(struct sf_judge *j, const struct sf_event *ev)
{
	j->nr_leaving = 0;
	j->snap.open = false;
	j->sh.addresses = ev->heap.caps & SF_CAP_ADDRESS;
	sf_shadow_heap(&j->sh, &ev->heap);
	set_active(j);
	op_state(j);
}

static void on_cache(struct sf_judge *j, const struct sf_event *ev)
{
	sf_shadow_cache(&j->sh, &ev->cache);
}

static void on_begin(struct sf_judge *j, const struct sf_event *ev)
{
	j->nr_leaving = 0;
	j->snap.open = false;
	if (j->nr_seen)
		memset(j->seen, 0, sizeof(j->seen));
	j->nr_seen = 0;
	sf_shadow_begin(&j->sh);
	op_begin(j, ev);
}

static void settle(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->nr_leaving)
		sf_leaving_settle(j, ev);
}

static void on_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	sf_shadow_alloc(&j->sh, &ev->alloc);
}

/* Pages that left are explained once nothing lives on them. */
static void forget_left(struct sf_judge *j)
{
	for (size_t i = 0; i < j->nr_leaving;)
		if (sf_shadow_pages_live(&j->sh, j->leaving[i].pfn, 1ull << j->leaving[i].order))
			i++;
		else
			j->leaving[i] = j->leaving[--j->nr_leaving];
}

static void on_realloc(struct sf_judge *j, const struct sf_event *ev)
{
	sf_shadow_realloc(&j->sh, &ev->alloc);
	if (j->nr_leaving)
		forget_left(j);
}

static void on_free(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_obj *o = sf_shadow_find(&j->sh, ev->free.id);

	if (o && ev->free.status == SF_OK)
		sf_shadow_drop(&j->sh, o);
	if (j->nr_leaving)
		forget_left(j);
	op_state(j);
}

static void on_create(struct sf_judge *j, const struct sf_event *ev)
{
	sf_shadow_create(&j->sh, &ev->cacheop);
}

static void on_destroy(struct sf_judge *j, const struct sf_event *ev)
{
	sf_shadow_destroy(&j->sh, ev->cacheop.cache);
	op_state(j);
}

static void on_shrink(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	op_state(j);
}

static void on_slab_new(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_slab_new(&j->sh, &ev->slab);
}

static void on_slab_free(struct sf_judge *j, const struct sf_event *ev)
{
	j->op.slab_frees++;
	sf_zone_slab_free(&j->sh, &ev->slab);
}

static void on_block_add(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_add(&j->sh.zone, &ev->block);
}

static void on_block_del(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_del(&j->sh.zone, &ev->block);
}

static void on_rmqueue(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_rmqueue(&j->sh.zone, &ev->rmqueue);
}

static void on_claim(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_claim(&j->sh.zone, &ev->claim);
}

static void on_page_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->nr_leaving)
		sf_leaving_drop(j, ev->page.pfn, ev->page.order);
	sf_zone_page_alloc(&j->sh.zone, &ev->page);
}

static void on_page_free(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_page_free(&j->sh.zone, &ev->page);
}

static void on_drain(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_drain(&j->sh.zone, &ev->page);
}

static void on_fail(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	j->op.page_fail = true;
}

static void on_fault(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	j->op.fault = true;
}

static void on_map(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_map(&j->sh, &ev->map);
}

static void on_unmap(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_unmap(&j->sh, &ev->map);
}

static void on_snap_begin(struct sf_judge *j, const struct sf_event *ev)
{
	sf_snap_begin(&j->snap, &ev->snap);
}

static void on_snap(struct sf_judge *j, const struct sf_event *ev)
{
	sf_snap_add(&j->snap, ev, &j->sh.bytes);
}

static void on_snap_end(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	sf_snap_close(&j->snap, &j->sh, &j->sh.bytes);
	j->snap.open = false;
}

/*
 * Every event type has a list, in the order in which its rules run. A rule that is not judged is
 * skipped, with the reason if the source cannot show what it needs.
 */
#define ON_HEAP(RULE, SHADOW) SHADOW(on_heap)
#define ON_CACHE(RULE, SHADOW) SHADOW(on_cache)
#define ON_BEGIN(RULE, SHADOW) SHADOW(on_begin)
#define ON_END(RULE, SHADOW) SHADOW(settle)
#define ON_ALLOC(RULE, SHADOW)                                                           \
	RULE(MEM_13, sf_mem_13) RULE(MEM_11, sf_mem_11_alloc)                            \
	RULE(MEM_12, sf_mem_12_alloc) RULE(ISO_2, sf_iso_2) RULE(ISO_1, sf_iso_1)        \
	RULE(MEM_17, sf_mem_17_alloc) RULE(MEM_2, sf_mem_2) RULE(MEM_3, sf_mem_3)        \
	RULE(ISO_3, sf_iso_3_alloc) SHADOW(on_alloc) RULE(MEM_1, sf_mem_1)               \
	RULE(MEM_4, sf_mem_4) RULE(BUD_10, sf_bud_10_alloc)
#define ON_FREE(RULE, SHADOW)                                                            \
	RULE(MEM_11, sf_mem_11_free) RULE(MEM_9, sf_mem_9) RULE(MEM_10, sf_mem_10)       \
	RULE(MEM_5, sf_mem_5_free) RULE(BUD_10, sf_bud_10_free) SHADOW(on_free)
#define ON_REALLOC(RULE, SHADOW)                                                         \
	RULE(MEM_13, sf_mem_13) RULE(MEM_11, sf_mem_11_alloc)                            \
	RULE(MEM_12, sf_mem_12_alloc) RULE(MEM_6, sf_mem_6) RULE(ISO_2, sf_iso_2)        \
	RULE(ISO_1, sf_iso_1) RULE(ISO_18, sf_iso_18) RULE(MEM_17, sf_mem_17_alloc)      \
	RULE(MEM_2, sf_mem_2) RULE(MEM_3, sf_mem_3) RULE(ISO_3, sf_iso_3_alloc)          \
	SHADOW(on_realloc) RULE(MEM_1, sf_mem_1) RULE(MEM_4, sf_mem_4)
#define ON_KSIZE(RULE, SHADOW) RULE(MEM_11, sf_mem_11_ksize) RULE(MEM_17, sf_mem_17_ksize)
#define ON_CONTENT(RULE, SHADOW) RULE(MEM_5, sf_mem_5_content)
#define ON_CACHE_CREATE(RULE, SHADOW) SHADOW(on_create)
#define ON_CACHE_DESTROY(RULE, SHADOW) SHADOW(settle) RULE(ACC_17, sf_acc_17) SHADOW(on_destroy)
#define ON_CACHE_SHRINK(RULE, SHADOW)                                                    \
	SHADOW(settle) RULE(ACC_6, sf_acc_6_shrink) SHADOW(on_shrink)
#define ON_SLAB_NEW(RULE, SHADOW)                                                        \
	RULE(ISO_3, sf_iso_3_new) RULE(BUD_11, sf_bud_11) SHADOW(on_slab_new)
#define ON_SLAB_FREE(RULE, SHADOW)                                                       \
	RULE(ISO_3, sf_iso_3_slab_free) RULE(ISO_14, sf_iso_14) SHADOW(on_slab_free)
#define ON_BLOCK_ADD(RULE, SHADOW)                                                       \
	RULE(BUD_1, sf_bud_1_add) RULE(BUD_5, sf_bud_5_add) RULE(BUD_2, sf_bud_2_add)    \
	RULE(BUD_3, sf_bud_3) SHADOW(on_block_add)
#define ON_BLOCK_DEL(RULE, SHADOW)                                                       \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_2, sf_bud_2_del) SHADOW(on_block_del)
#define ON_RMQUEUE(RULE, SHADOW)                                                         \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_7, sf_bud_7) RULE(BUD_5, sf_bud_5_rmqueue)   \
	RULE(BUD_6, sf_bud_6_rmqueue) SHADOW(on_rmqueue)
#define ON_CLAIM(RULE, SHADOW)                                                           \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_6, sf_bud_6_claim) SHADOW(on_claim)
#define ON_PAGE_ALLOC(RULE, SHADOW)                                                      \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_1, sf_bud_1_page)                            \
	RULE(BUD_2, sf_bud_2_alloc) RULE(BUD_8, sf_bud_8) SHADOW(on_page_alloc)
#define ON_PAGE_FREE(RULE, SHADOW)                                                       \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_2, sf_bud_2_free)                            \
	RULE(ISO_3, sf_iso_3_page_free) RULE(ISO_14, sf_iso_14) SHADOW(on_page_free)
#define ON_PCP_DRAIN(RULE, SHADOW)                                                       \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_2, sf_bud_2_drain) SHADOW(on_drain)
#define ON_PAGE_FAIL(RULE, SHADOW) RULE(MEM_12, sf_mem_12_fail) SHADOW(on_fail)
#define ON_FAULT(RULE, SHADOW) SHADOW(on_fault)
#define ON_MAP(RULE, SHADOW) RULE(MEM_1, sf_mem_1_map) SHADOW(on_map)
#define ON_UNMAP(RULE, SHADOW) SHADOW(on_unmap)
#define ON_SNAP_BEGIN(RULE, SHADOW) SHADOW(settle) SHADOW(on_snap_begin)
#define ON_SNAP_CACHE(RULE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_SLAB(RULE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_SHEAF(RULE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_BLOCK(RULE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_PCP(RULE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_USED(RULE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_PAGEBLOCK(RULE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_COUNTERS(RULE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_END(RULE, SHADOW)                                                        \
	SHADOW(on_snap_end) RULE(MEM_8, sf_mem_8) RULE(MEM_7, sf_mem_7)                  \
	RULE(ACC_1, sf_acc_1) RULE(ACC_2, sf_acc_2) RULE(ACC_3, sf_acc_3)                \
	RULE(ACC_4, sf_acc_4) RULE(ACC_5, sf_acc_5) RULE(ACC_6, sf_acc_6)                \
	RULE(ACC_7, sf_acc_7) RULE(ACC_20, sf_acc_20) RULE(BUD_3, sf_bud_3_walk)         \
	RULE(BUD_4, sf_bud_4) RULE(BUD_9, sf_bud_9) RULE(ACC_18, sf_acc_18)

#define EVENTS_WITH_RULES(X) \
	X(HEAP) X(CACHE) X(BEGIN) X(END) X(ALLOC) X(FREE) X(REALLOC) X(KSIZE) X(CONTENT) \
	X(CACHE_CREATE) X(CACHE_DESTROY) X(CACHE_SHRINK) X(SLAB_NEW) X(SLAB_FREE) \
	X(BLOCK_ADD) X(BLOCK_DEL) X(RMQUEUE) X(CLAIM) X(PAGE_ALLOC) X(PAGE_FREE) \
	X(PCP_DRAIN) X(PAGE_FAIL) X(FAULT) X(MAP) X(UNMAP) X(SNAP_BEGIN) X(SNAP_CACHE) \
	X(SNAP_SLAB) X(SNAP_SHEAF) X(SNAP_BLOCK) X(SNAP_PCP) X(SNAP_USED) \
	X(SNAP_PAGEBLOCK) X(SNAP_COUNTERS) X(SNAP_END)

#define BIT(inv, fn) | 1ull << SF_INV_##inv
#define NO_BIT(fn)
#define JUDGE(inv, fn) j->count[SF_INV_##inv].checked += fn(j, ev);
#define JUDGE_OR_SKIP(inv, fn)                                                      \
	if (j->active >> SF_INV_##inv & 1)                                          \
		j->count[SF_INV_##inv].checked += fn(j, ev);                        \
	else if (j->missing >> SF_INV_##inv & 1)                                    \
		sf_skip(j, SF_INV_##inv, j->reason[SF_INV_##inv]);
#define TAKE_IN(fn) fn(j, ev);

/* As straight code: this is where the judge's time goes. */
#define X(id)                                                                       \
	static void run_##id(struct sf_judge *j, const struct sf_event *ev)         \
	{                                                                           \
		const uint64_t all = 0 ON_##id(BIT, NO_BIT);                        \
										    \
		if ((j->active & all) == all) {                                     \
			ON_##id(JUDGE, TAKE_IN)                                     \
			return;                                                     \
		}                                                                   \
		ON_##id(JUDGE_OR_SKIP, TAKE_IN)                                     \
	}
EVENTS_WITH_RULES(X)
#undef X

static void (*const run[SF_EV_TYPES])(struct sf_judge *j, const struct sf_event *ev) = {
#define X(id) [SF_EV_##id] = run_##id,
	EVENTS_WITH_RULES(X)
#undef X
};

/* Out of the way of the events that follow, which are most. */
__attribute__((noinline)) static void run_first(struct sf_judge *j, const struct sf_event *ev)
{
	op_begin(j, ev);
	run[ev->type](j, ev);
}

void sf_judge_event(void *judge, const struct sf_event *ev)
{
	struct sf_judge *j = judge;
	unsigned int type = ev->type;

	if (type >= SF_EV_TYPES || !run[type])
		return;
	if (type == SF_EV_SNAP_END && !j->snap.open)
		return;
	if (ev->op != j->op.nr)
		run_first(j, ev);
	else
		run[type](j, ev);
}

struct sf_judge *sf_judge_create(const struct sf_judge_options *opt)
{
	size_t bytes = 0;
	struct sf_judge *j = sf_shadow_zalloc(1, sizeof(*j), &bytes);

	if (opt)
		j->opt = *opt;
	j->sh.bytes = bytes;
	j->op.nr = SF_NONE;
	sf_settings_init(&j->sh.set);
	set_active(j);
	return j;
}

void sf_judge_destroy(struct sf_judge *j)
{
	if (!j)
		return;
	sf_shadow_free(&j->sh);
	sf_snap_free(&j->snap);
	free(j->leaving);
	free(j);
}

const struct sf_oracle_count *sf_judge_counts(const struct sf_judge *j)
{
	return j->count;
}

void sf_judge_clear_counts(struct sf_judge *j)
{
	memset(j->count, 0, sizeof(j->count));
}

void sf_judge_memory(const struct sf_judge *j, size_t *bytes, size_t *live)
{
	*bytes = j->sh.bytes;
	*live = j->sh.live;
}
