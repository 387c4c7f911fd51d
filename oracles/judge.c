// SPDX-License-Identifier: MIT
/*
 * judge.c - the judge itself: which rules see which event, in which order; counts and reports.
 *
 * Per event it walks one short static list. SHADOW entries take the event into the shadow model;
 * rules before them see the heap as it was, rules after them as it is. Relies on judge.h, the
 * families and hardening.c; the command, the fuzz targets and the tests use it through oracle.h.
 */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SF_INV_COUNT <= 128, "invariants are bits of an sf_invariant_set");

const struct sf_invariant_info sf_invariants[SF_INV_COUNT] = {
#define X(family, nr, cost, needs, statement, source) \
	{ #family "-" #nr, SF_COST_##cost, needs, statement, source },
	SF_INVARIANTS(X)
#undef X
};

#define BIT_OF(family_nr) ((sf_invariant_set)1 << SF_INV_##family_nr)

/* Addresses must be addresses for these, whatever else they need. */
#define ADDRESS_RULES                                                          \
	(BIT_OF(MEM_1) | BIT_OF(MEM_2) | BIT_OF(MEM_3) | BIT_OF(MEM_9) |       \
	 BIT_OF(MEM_10) | BIT_OF(ISO_14) | BIT_OF(ISO_15))

/* These go on after misuse has begun: they are about it. */
#define MISUSE_RULES (BIT_OF(MEM_9) | BIT_OF(MEM_10))

/* Settings without which there is nothing to judge. SETTINGS(X): X(invariant, setting) */
#define SETTINGS(X)                                                            \
	X(MEM_15, freelist_hardened)                                           \
	X(MEM_18, init_on_free)                                                \
	X(ISO_12, buckets)                                                     \
	X(ISO_16, init_on_free)                                                \
	X(SHF_1, shuffle)

/*
 * Every event type has a list, in the order in which its rules run. A RULE that is not judged is
 * skipped at each event, with the reason if the source cannot show what it needs. A MODE is of some
 * variants, some settings: where it is not judged, it costs a look at a bit, and is skipped once a
 * run.
 */
#define ON_HEAP(RULE, MODE, SHADOW) SHADOW(on_heap)
#define ON_CACHE(RULE, MODE, SHADOW)                                                     \
	RULE(ISO_4, sf_iso_4_cache) SHADOW(on_cache) MODE(MEM_15, sf_mem_15_cache)       \
	MODE(BIG_4, sf_big_4_cache) MODE(BIG_5, sf_big_5_cache) MODE(BIG_6, sf_big_6_cache)
#define ON_CTYPE(RULE, MODE, SHADOW) MODE(ISO_7, sf_iso_7_type) SHADOW(on_ctype)
#define ON_BEGIN(RULE, MODE, SHADOW) SHADOW(on_begin)
#define ON_END(RULE, MODE, SHADOW) SHADOW(settle)
#define ON_ALLOC(RULE, MODE, SHADOW)                                                     \
	MODE(PMA_9, sf_pma_9) MODE(BIG_2, sf_big_2) MODE(BIG_4, sf_big_4_alloc)          \
	MODE(BIG_1, sf_big_1_alloc) MODE(PMA_6, sf_pma_6_alloc) MODE(PMA_7, sf_pma_7)    \
	RULE(MEM_13, sf_mem_13) RULE(MEM_11, sf_mem_11_alloc)                            \
	RULE(MEM_12, sf_mem_12_alloc) MODE(MEM_14, sf_mem_14) RULE(ISO_2, sf_iso_2)      \
	RULE(ISO_1, sf_iso_1) RULE(ISO_13, sf_iso_13) RULE(ISO_17, sf_iso_17)            \
	MODE(ISO_7, sf_iso_7) MODE(ISO_8, sf_iso_8) MODE(ISO_12, sf_iso_12)              \
	RULE(MEM_17, sf_mem_17_alloc) RULE(MEM_2, sf_mem_2) RULE(MEM_3, sf_mem_3)        \
	MODE(BIG_8, sf_big_8)                                                            \
	RULE(ISO_3, sf_iso_3_alloc) MODE(ACC_12, sf_acc_12) SHADOW(on_alloc)             \
	MODE(ISO_6, sf_iso_6) RULE(MEM_1, sf_mem_1) RULE(MEM_4, sf_mem_4)                \
	MODE(MEM_18, sf_mem_18_alloc) RULE(BUD_10, sf_bud_10_alloc)                      \
	MODE(ACC_19, sf_acc_19_alloc)
#define ON_FREE(RULE, MODE, SHADOW)                                                      \
	RULE(MEM_11, sf_mem_11_free) RULE(MEM_9, sf_mem_9) RULE(MEM_10, sf_mem_10)       \
	RULE(MEM_5, sf_mem_5_free) RULE(BUD_10, sf_bud_10_free)                          \
	MODE(MEM_19, sf_mem_19_free) MODE(ACC_21, sf_acc_21_free)                        \
	MODE(ACC_19, sf_acc_19_free) SHADOW(on_free)
#define ON_REALLOC(RULE, MODE, SHADOW)                                                   \
	MODE(BIG_2, sf_big_2) MODE(BIG_4, sf_big_4_alloc) MODE(BIG_1, sf_big_1_alloc)    \
	MODE(BIG_8, sf_big_8)                                                            \
	RULE(MEM_13, sf_mem_13) RULE(MEM_11, sf_mem_11_alloc)                            \
	RULE(MEM_12, sf_mem_12_alloc) RULE(MEM_6, sf_mem_6) RULE(ISO_2, sf_iso_2)        \
	RULE(ISO_1, sf_iso_1) RULE(ISO_13, sf_iso_13) RULE(ISO_17, sf_iso_17)            \
	MODE(ISO_7, sf_iso_7) MODE(ISO_8, sf_iso_8) MODE(ISO_12, sf_iso_12)              \
	RULE(ISO_18, sf_iso_18) RULE(MEM_17, sf_mem_17_alloc) RULE(MEM_2, sf_mem_2)      \
	RULE(MEM_3, sf_mem_3) RULE(ISO_3, sf_iso_3_alloc) MODE(ACC_12, sf_acc_12)        \
	MODE(ACC_21, sf_acc_21_realloc) SHADOW(on_realloc)                               \
	MODE(ISO_6, sf_iso_6) RULE(MEM_1, sf_mem_1) RULE(MEM_4, sf_mem_4)                \
	MODE(MEM_18, sf_mem_18_alloc) MODE(ACC_19, sf_acc_19_alloc)
#define ON_KSIZE(RULE, MODE, SHADOW)                                                     \
	RULE(MEM_11, sf_mem_11_ksize) RULE(MEM_17, sf_mem_17_ksize)
#define ON_CONTENT(RULE, MODE, SHADOW) RULE(MEM_5, sf_mem_5_content)
#define ON_CACHE_CREATE(RULE, MODE, SHADOW)                                              \
	RULE(ISO_4, sf_iso_4_create) RULE(ISO_5, sf_iso_5) MODE(BIG_4, sf_big_4_cache)   \
	MODE(BIG_5, sf_big_5_cache) MODE(BIG_6, sf_big_6_cache) SHADOW(on_create)
#define ON_CACHE_DESTROY(RULE, MODE, SHADOW)                                             \
	SHADOW(settle) RULE(ACC_17, sf_acc_17) SHADOW(on_destroy)
#define ON_CACHE_SHRINK(RULE, MODE, SHADOW)                                              \
	SHADOW(settle) RULE(ACC_6, sf_acc_6_shrink) SHADOW(on_shrink)
#define ON_OWNS(RULE, MODE, SHADOW) SHADOW(on_owns)
#define ON_PIN(RULE, MODE, SHADOW) SHADOW(on_pin)
#define ON_DEFER(RULE, MODE, SHADOW)                                                     \
	RULE(MEM_5, sf_mem_5_defer) MODE(ACC_21, sf_acc_21_defer) SHADOW(on_defer)
#define ON_MIGRATE(RULE, MODE, SHADOW)                                                   \
	RULE(MEM_5, sf_mem_5_migrate) SHADOW(on_migrate) RULE(MEM_1, sf_mem_1_migrate)
#define ON_MEMCG(RULE, MODE, SHADOW) SHADOW(on_memcg)
#define ON_POOL(RULE, MODE, SHADOW)                                                      \
	MODE(PMA_4, sf_pma_4_open) MODE(PMA_8, sf_pma_8) SHADOW(on_pool)
#define ON_WRITE(RULE, MODE, SHADOW) MODE(PMA_5, sf_pma_5_write)
#define ON_RARE(RULE, MODE, SHADOW) MODE(PMA_4, sf_pma_4) MODE(PMA_5, sf_pma_5_rare)
#define ON_TAINT(RULE, MODE, SHADOW) SHADOW(on_taint)
#define ON_ATTACK(RULE, MODE, SHADOW)                                                    \
	RULE(MEM_9, sf_mem_9_attack) RULE(MEM_10, sf_mem_10_attack) SHADOW(on_attack)
#define ON_SLAB_NEW(RULE, MODE, SHADOW)                                                  \
	MODE(BIG_1, sf_big_1_new) MODE(BIG_5, sf_big_5_new) MODE(BIG_6, sf_big_6_new)    \
	MODE(PMA_6, sf_pma_6_slab)                                                       \
	RULE(ISO_3, sf_iso_3_new) RULE(BUD_11, sf_bud_11) MODE(ISO_16, sf_iso_16)        \
	SHADOW(on_slab_new) RULE(ISO_15, sf_iso_15)
#define ON_SLAB_ORDER(RULE, MODE, SHADOW) RULE(MEM_16, sf_mem_16)
#define ON_SLAB_FREE(RULE, MODE, SHADOW)                                                 \
	MODE(BIG_7, sf_big_7_slab)                                                       \
	RULE(ISO_3, sf_iso_3_slab_free) RULE(ISO_14, sf_iso_14)                          \
	MODE(MEM_19, sf_mem_19_slab) SHADOW(on_slab_free)
#define ON_SLAB_DEFER(RULE, MODE, SHADOW)                                                \
	RULE(ISO_3, sf_iso_3_slab_free) RULE(ISO_14, sf_iso_14)                          \
	MODE(MEM_19, sf_mem_19_slab) SHADOW(on_slab_defer)
#define ON_BLOCK_ADD(RULE, MODE, SHADOW)                                                 \
	RULE(BUD_1, sf_bud_1_add) RULE(BUD_5, sf_bud_5_add) RULE(BUD_2, sf_bud_2_add)    \
	RULE(BUD_3, sf_bud_3) SHADOW(on_block_add)
#define ON_BLOCK_DEL(RULE, MODE, SHADOW)                                                 \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_2, sf_bud_2_del) SHADOW(on_block_del)
#define ON_RMQUEUE(RULE, MODE, SHADOW)                                                   \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_7, sf_bud_7) RULE(BUD_5, sf_bud_5_rmqueue)   \
	RULE(BUD_6, sf_bud_6_rmqueue) SHADOW(on_rmqueue)
#define ON_CLAIM(RULE, MODE, SHADOW)                                                     \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_6, sf_bud_6_claim) SHADOW(on_claim)
#define ON_PAGE_ALLOC(RULE, MODE, SHADOW)                                                \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_1, sf_bud_1_page)                            \
	RULE(BUD_2, sf_bud_2_alloc) RULE(BUD_8, sf_bud_8) SHADOW(on_page_alloc)
#define ON_PAGE_FREE(RULE, MODE, SHADOW)                                                 \
	RULE(BUD_5, sf_bud_5_done) MODE(BIG_7, sf_big_7_page)                            \
	RULE(BUD_2, sf_bud_2_free)                                                       \
	RULE(ISO_3, sf_iso_3_page_free) RULE(ISO_14, sf_iso_14) SHADOW(on_page_free)
#define ON_PCP_DRAIN(RULE, MODE, SHADOW)                                                 \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_2, sf_bud_2_drain) SHADOW(on_drain)
#define ON_PAGE_FAIL(RULE, MODE, SHADOW)                                                 \
	MODE(BIG_2, sf_big_2_fail) RULE(MEM_12, sf_mem_12_fail) SHADOW(on_fail)
#define ON_FAULT(RULE, MODE, SHADOW) SHADOW(on_fault)
#define ON_ASK(RULE, MODE, SHADOW) MODE(ACC_14, sf_acc_14_ask)
#define ON_OOM(RULE, MODE, SHADOW) MODE(BUD_12, sf_bud_12_oom) MODE(ACC_14, sf_acc_14)
#define ON_SHRINK(RULE, MODE, SHADOW) SHADOW(on_shrinker)
#define ON_RECLAIM(RULE, MODE, SHADOW) MODE(ACC_15, sf_acc_15) SHADOW(on_reclaim)
#define ON_COMPACT(RULE, MODE, SHADOW) SHADOW(on_compact)
#define ON_GRACE(RULE, MODE, SHADOW) SHADOW(on_grace)
#define ON_RESERVE(RULE, MODE, SHADOW)                                                   \
	RULE(BUD_5, sf_bud_5_done) MODE(BUD_12, sf_bud_12_change) SHADOW(on_reserve)
#define ON_CHARGE(RULE, MODE, SHADOW)                                                    \
	RULE(ACC_9, sf_acc_9_charge) MODE(ACC_19, sf_acc_19_charge) SHADOW(on_charge)
#define ON_WARN(RULE, MODE, SHADOW) SHADOW(on_warn)
#define ON_MAP(RULE, MODE, SHADOW)                                                       \
	MODE(PMA_6, sf_pma_6_map) RULE(MEM_1, sf_mem_1_map) SHADOW(on_map)
#define ON_UNMAP(RULE, MODE, SHADOW) MODE(PMA_8, sf_pma_8_unmap) SHADOW(on_unmap)
#define ON_MAPPING(RULE, MODE, SHADOW) SHADOW(on_mapping)
#define ON_MAPS(RULE, MODE, SHADOW)                                                      \
	SHADOW(sf_pool_expect) MODE(PMA_3, sf_pma_3) MODE(PMA_1, sf_pma_1)               \
	MODE(PMA_2, sf_pma_2) MODE(PMA_8, sf_pma_8_maps) SHADOW(on_maps)
#define ON_SNAP_BEGIN(RULE, MODE, SHADOW) SHADOW(settle) SHADOW(on_snap_begin)
#define ON_SNAP_CACHE(RULE, MODE, SHADOW) RULE(ISO_4, sf_iso_4_refs) SHADOW(on_snap)
#define ON_SNAP_SLAB(RULE, MODE, SHADOW)                                                 \
	SHADOW(on_snap) MODE(MEM_15, sf_mem_15) MODE(MEM_18, sf_mem_18_walk)
#define ON_SNAP_SHEAF(RULE, MODE, SHADOW) SHADOW(on_snap) MODE(MEM_18, sf_mem_18_walk)
#define ON_SNAP_BLOCK(RULE, MODE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_PCP(RULE, MODE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_USED(RULE, MODE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_PAGEBLOCK(RULE, MODE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_MEMCG(RULE, MODE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_COUNTERS(RULE, MODE, SHADOW) SHADOW(on_snap)
#define ON_SNAP_END(RULE, MODE, SHADOW)                                                  \
	SHADOW(on_snap_end) RULE(MEM_8, sf_mem_8) RULE(MEM_7, sf_mem_7)                  \
	MODE(BIG_3, sf_big_3) MODE(BIG_7, sf_big_7)                                      \
	RULE(ACC_1, sf_acc_1) RULE(ACC_2, sf_acc_2) RULE(ACC_3, sf_acc_3)                \
	RULE(ACC_4, sf_acc_4) RULE(ACC_5, sf_acc_5) RULE(ACC_6, sf_acc_6)                \
	RULE(ACC_7, sf_acc_7) RULE(ACC_8, sf_acc_8) RULE(ACC_9, sf_acc_9)                \
	MODE(ACC_10, sf_acc_10) MODE(ACC_11, sf_acc_11) RULE(ACC_13, sf_acc_13)          \
	RULE(ACC_16, sf_acc_16) MODE(ACC_19, sf_acc_19) RULE(ACC_20, sf_acc_20)          \
	RULE(BUD_3, sf_bud_3_walk) RULE(BUD_4, sf_bud_4) RULE(BUD_9, sf_bud_9)           \
	MODE(BUD_12, sf_bud_12_walk) MODE(SHF_1, sf_shf_1)                               \
	RULE(ACC_18, sf_acc_18)

#define EVENTS_WITH_RULES(X) \
	X(HEAP) X(CACHE) X(CTYPE) X(BEGIN) X(END) X(ALLOC) X(FREE) X(REALLOC) X(KSIZE) \
	X(CONTENT) X(CACHE_CREATE) X(CACHE_DESTROY) X(CACHE_SHRINK) X(OWNS) X(PIN) X(DEFER) \
	X(MIGRATE) X(MEMCG) X(POOL) X(WRITE) X(RARE) X(COMPACT) X(MAPPING) X(MAPS) \
	X(TAINT) X(ATTACK) \
	X(SLAB_NEW) X(SLAB_ORDER) X(SLAB_FREE) X(BLOCK_ADD) X(BLOCK_DEL) X(RMQUEUE) X(CLAIM) \
	X(PAGE_ALLOC) X(PAGE_FREE) X(PCP_DRAIN) X(PAGE_FAIL) X(FAULT) X(ASK) X(OOM) X(SHRINK) \
	X(RECLAIM) X(GRACE) X(SLAB_DEFER) X(RESERVE) X(CHARGE) X(WARN) X(MAP) X(UNMAP) \
	X(SNAP_BEGIN) X(SNAP_CACHE) X(SNAP_SLAB) X(SNAP_SHEAF) X(SNAP_BLOCK) X(SNAP_PCP) \
	X(SNAP_USED) X(SNAP_PAGEBLOCK) X(SNAP_MEMCG) X(SNAP_COUNTERS) X(SNAP_END)

#define BIT(inv, fn) | BIT_OF(inv)
#define NO_BIT(inv, fn)
#define NO_SHADOW(fn)
/* What is skipped once a run: MODE rules, and what the judge never judges. */
static const sf_invariant_set once_a_run = 0
#define X(id) ON_##id(NO_BIT, BIT, NO_SHADOW)
	EVENTS_WITH_RULES(X)
#undef X
#define X(family, nr, cost, needs, statement, source) \
	| (SF_COST_##cost == SF_COST_BOOTS ? BIT_OF(family##_##nr) : 0)
	SF_INVARIANTS(X);
#undef X

static bool has(sf_invariant_set set, unsigned int inv)
{
	return (bool)(set >> inv & 1);
}

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

/* What could only be judged once all that the operation did is known. */
static void settle(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->nr_leaving)
		sf_leaving_settle(j, ev);
	if (j->held.valid)
		sf_held_raise(j);
	if (j->op.going || j->op.left_id != SF_NONE)
		sf_going_settle(j, ev);
	if (j->op.nr_parked)
		sf_parked_settle(j, NULL);
}

static void op_begin(struct sf_judge *j, const struct sf_event *ev)
{
	settle(j, ev);
	j->op = (struct sf_op_state){ .nr = ev->op, .left_id = SF_NONE };
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
	j->nr_mappings = 0;
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

	if (has(ADDRESS_RULES, inv) && !sh->addresses)
		return "pointers are hashes";
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		if (needs & caps[i].bit & ~sh->caps)
			return caps[i].reason;
	if ((needs & SF_CAP_TRACE) && !sh->zone.on)
		return "the arena's size is unknown";
	return NULL;
}

static const char *missing_setting(const struct sf_settings *set, unsigned int inv)
{
#define X(family_nr, setting)                             \
	if (inv == SF_INV_##family_nr && !set->setting)   \
		return #setting " is off";
	SETTINGS(X)
#undef X
	return NULL;
}

static const char *missing(const struct sf_judge *j, unsigned int inv)
{
	const char *why = NULL;

	if (sf_invariants[inv].cost == SF_COST_BOOTS)
		return "judged over many boots (slabfuzz boots)";
	why = missing_cap(&j->sh, inv);
	return why ? why : missing_setting(&j->sh.set, inv);
}

static void set_active(struct sf_judge *j)
{
	j->active = 0;
	j->missing = 0;
	for (unsigned int inv = 0; inv < SF_INV_COUNT; inv++) {
		if (j->opt.only && !has(j->opt.only, inv))
			continue;
		j->reason[inv] = missing(j, inv);
		if (j->reason[inv])
			j->missing |= sf_invariant_bit(inv);
		else
			j->active |= sf_invariant_bit(inv);
	}
	j->once = j->missing & once_a_run;
}

static void skip_all(struct sf_judge *j, sf_invariant_set set)
{
	for (unsigned int inv = 0; set; inv++, set >>= 1)
		if (set & 1)
			sf_skip(j, inv, j->reason[inv]);
}

/* From here on the heap may be anything. Not undone before the next BEGIN. */
static void on_taint(struct sf_judge *j, const struct sf_event *ev)
{
	sf_invariant_set gone = j->active & ~MISUSE_RULES;

	(void)ev;
	if (j->misuse.tainted)
		return;
	j->misuse.tainted = true;
	forget_op(j);
	for (unsigned int inv = 0; inv < SF_INV_COUNT; inv++)
		if (has(gone, inv))
			j->reason[inv] = SF_TAINTED;
	j->active &= MISUSE_RULES;
	j->missing |= gone;
	skip_all(j, gone & once_a_run);
}

static void misuse_begin(struct sf_judge *j)
{
	if (j->misuse.tainted)
		set_active(j);
	if (j->misuse.attacks)
		memset(j->misuse.by_code, 0, sizeof(j->misuse.by_code));
	j->misuse.tainted = false;
	j->misuse.attacks = 0;
	j->misuse.unnoticed = 0;
	j->misuse.freed = 0;
}

static void on_attack(struct sf_judge *j, const struct sf_event *ev)
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
static void on_warn(struct sf_judge *j, const struct sf_event *ev)
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

/* The shadow's own rules. */
static void on_heap(struct sf_judge *j, const struct sf_event *ev)
{
	forget_op(j);
	j->sh.addresses = ev->heap.caps & SF_CAP_ADDRESS;
	sf_shadow_heap(&j->sh, &ev->heap);
	misuse_begin(j);
	set_active(j);
	op_state(j);
}

static void on_cache(struct sf_judge *j, const struct sf_event *ev)
{
	sf_shadow_cache(&j->sh, &ev->cache);
}

static void on_ctype(struct sf_judge *j, const struct sf_event *ev)
{
	sf_shadow_type(&j->sh, &ev->ctype);
}

static void on_begin(struct sf_judge *j, const struct sf_event *ev)
{
	forget_op(j);
	if (j->nr_seen)
		memset(j->seen, 0, sizeof(j->seen));
	j->nr_seen = 0;
	sf_shadow_begin(&j->sh);
	misuse_begin(j);
	skip_all(j, j->once);
	op_begin(j, ev);
}

static void on_alloc(struct sf_judge *j, const struct sf_event *ev)
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

static void on_realloc(struct sf_judge *j, const struct sf_event *ev)
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

static void on_free(struct sf_judge *j, const struct sf_event *ev)
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

static void on_owns(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_obj *owner = sf_shadow_alive(&j->sh, ev->owns.owner);
	struct sf_shadow_obj *owned = sf_shadow_alive(&j->sh, ev->owns.owned);

	if (owner && owned)
		sf_side_own(&j->sh, owner, owned);
}

static void on_pin(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, ev->pin.id);

	if (o)
		sf_side_set(&j->sh, o, SF_SIDE_PINNED, ev->pin.on);
}

static void on_defer(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, ev->defer.id);

	if (o)
		sf_side_defer(&j->sh, o);
}

static void on_migrate(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, ev->migrate.id);

	sf_held_drop(j, sf_shadow_frame(&j->sh, ev->migrate.to));
	j->sh.claim = SF_CLAIM_NONE;
	if (o)
		sf_shadow_migrate(&j->sh, o, ev->migrate.to);
	if (j->nr_leaving)
		forget_left(j);
}

static void on_memcg(struct sf_judge *j, const struct sf_event *ev)
{
	sf_groups_act(&j->sh, &ev->memcg);
}

static void on_shrinker(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, ev->shrink.cache);

	if (c && j->op.rounds.open && !ev->shrink.priority && !ev->shrink.stopped &&
	    ev->shrink.memcg == SF_NONE)
		c->asked = j->round;
}

static void on_reclaim(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_reclaim *r = &ev->reclaim;
	struct sf_rounds *rounds = &j->op.rounds;

	rounds->open = r->begin;
	rounds->kind = r->kind;
	rounds->order = r->order;
	if (r->begin) {
		rounds->before = j->sh.zone.freed_slab_pages;
		rounds->direct += r->kind == SF_RECLAIM_DIRECT;
		j->round++;
	} else if (r->kind == SF_RECLAIM_DIRECT) {
		rounds->progress = r->progress;
	}
}

static void on_grace(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	j->sh.grace++;
	j->op.grace = true;
}

static void on_slab_defer(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_slab_defer(&j->sh, &ev->slab);
}

static void on_reserve(struct sf_judge *j, const struct sf_event *ev)
{
	sf_zone_reserve(&j->sh.zone, &ev->claim);
}

static void on_charge(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_charge *c = &ev->charge;
	uint32_t group = sf_group_of(&j->sh.groups, c->memcg);

	if (c->refused) {
		j->op.refused = true;
	} else if (c->uncharge) {
		sf_group_uncharge(&j->sh, c->addr, c->bytes);
	} else if (group && c->bytes && c->bytes < UINT32_MAX) {
		sf_group_charge(&j->sh, c->addr, (uint32_t)c->bytes, group);
		group = sf_group_full(&j->sh.groups, group, 0);
		j->op.over = group ? group : j->op.over;
	}
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
	struct sf_shadow_slab *slab;

	j->op.slab_news++;
	sf_zone_slab_new(&j->sh, &ev->slab);
	slab = sf_zone_slab_at(&j->sh.zone, ev->slab.pfn);
	if (slab)
		slab->op = ev->op;
}

static void on_slab_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_slab *slab = sf_zone_slab_at(&j->sh.zone, ev->slab.pfn);

	j->op.slab_frees += !slab || !slab->deferred; /* it was let go of earlier */
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
	if (j->held.valid)
		sf_held_drop(j, ev->page.pfn);
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
	if (ev->map.pool)
		sf_pools_map(&j->sh, &ev->map, ev->op);
}

static void on_unmap(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->sh.pools.used)
		sf_pools_unmap(&j->sh, &ev->map);
	sf_zone_unmap(&j->sh, &ev->map);
}

static void on_pool(struct sf_judge *j, const struct sf_event *ev)
{
	sf_pools_act(&j->sh, &ev->pool);
}

static void on_mapping(struct sf_judge *j, const struct sf_event *ev)
{
	if (j->misuse.tainted)
		return;
	j->mapping = sf_shadow_grow(j->mapping, &j->cap_mappings, j->nr_mappings + 1,
				    sizeof(*j->mapping), &j->sh.bytes);
	j->mapping[j->nr_mappings++] = ev->mapping;
}

static void on_maps(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	j->nr_mappings = 0;
}

static void on_compact(struct sf_judge *j, const struct sf_event *ev)
{
	j->op.large.compacted |= ev->compact.order == (int)SF_LARGE_ORDER;
}

static void on_snap_begin(struct sf_judge *j, const struct sf_event *ev)
{
	sf_snap_begin(&j->snap, &ev->snap);
}

static void on_snap(struct sf_judge *j, const struct sf_event *ev)
{
	if (!j->misuse.tainted)
		sf_snap_add(&j->snap, ev, &j->sh.bytes);
}

static void on_snap_end(struct sf_judge *j, const struct sf_event *ev)
{
	(void)ev;
	if (!j->misuse.tainted)
		sf_snap_close(&j->snap, &j->sh, &j->sh.bytes);
	j->snap.open = false;
}

#define JUDGE(inv, fn) j->count[SF_INV_##inv].checked += fn(j, ev);
#define JUDGE_OR_SKIP(inv, fn)                                                      \
	if (sf_judges(j, SF_INV_##inv))                                             \
		j->count[SF_INV_##inv].checked += fn(j, ev);                        \
	else if (has(j->missing, SF_INV_##inv))                                     \
		sf_skip(j, SF_INV_##inv, j->reason[SF_INV_##inv]);
#define JUDGE_IF(inv, fn)                                                           \
	if (sf_judges(j, SF_INV_##inv))                                             \
		j->count[SF_INV_##inv].checked += fn(j, ev);
#define TAKE_IN(fn) fn(j, ev);

/* As straight code: this is where the judge's time goes. */
#define X(id)                                                                       \
	static void run_##id(struct sf_judge *j, const struct sf_event *ev)         \
	{                                                                           \
		const sf_invariant_set all = 0 ON_##id(BIT, NO_BIT, NO_SHADOW);     \
										    \
		if ((j->active & all) == all) {                                     \
			ON_##id(JUDGE, JUDGE_IF, TAKE_IN)                           \
			return;                                                     \
		}                                                                   \
		ON_##id(JUDGE_OR_SKIP, JUDGE_IF, TAKE_IN)                           \
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
	j->op.left_id = SF_NONE;
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
	sf_hardening_free(j);
	sf_needs_free(j);
	sf_movables_free(j);
	free(j->mapping);
	free(j);
}

const struct sf_oracle_count *sf_judge_counts(const struct sf_judge *j)
{
	return j->count;
}

void sf_judge_clear_counts(struct sf_judge *j)
{
	memset(j->count, 0, sizeof(j->count));
	memset(j->attack, 0, sizeof(j->attack));
	j->ledger = (struct sf_ledger){ 0 };
	j->ooms = (struct sf_ooms){ 0 };
}

const struct sf_ledger *sf_judge_ledger(const struct sf_judge *j)
{
	return &j->ledger;
}

const struct sf_reclaim_sums *sf_judge_reclaim(const struct sf_judge *j)
{
	return &j->sums;
}

const struct sf_ooms *sf_judge_ooms(const struct sf_judge *j)
{
	return &j->ooms;
}

const struct sf_attack_count *sf_judge_attacks(const struct sf_judge *j)
{
	return j->attack;
}

void sf_judge_memory(const struct sf_judge *j, size_t *bytes, size_t *live)
{
	*bytes = j->sh.bytes;
	*live = j->sh.live;
}
