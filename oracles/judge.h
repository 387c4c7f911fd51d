/* SPDX-License-Identifier: MIT */
/*
 * judge.h - what the families of oracles share: the judge, its rules, how a violation is raised.
 *
 * A rule is an invariant and a function that looks at one event. It returns how many judgements it
 * made: 0 if the event has nothing for it. Rules run in the order of judge.c's tables, some before
 * and some after the shadow takes the event in. Relies on shadow.h; one file per family, and
 * hardening.c, rely on it.
 */
#ifndef SLABFUZZ_JUDGE_H
#define SLABFUZZ_JUDGE_H

#include "oracle.h"
#include "shadow.h"
#include "snap.h"

#define SF_SEEN_SLOTS 256u /* titles told in one run */
#define SF_TAINTED "tainted by misuse"

/* Pages that left a slab or a user while objects were alive on them, until the free is reported. */
struct sf_leaving {
	uint64_t pfn, addr;
	uint32_t cache; /* of the slab, SF_NONE: no slab */
	uint8_t order;
};

/*
 * BUD-8: a page that something is moved to asks for no watermark. That it was taken for that is
 * told later, by MIGRATE. Invariant: valid only inside the operation of `ev`.
 */
struct sf_held {
	bool valid;
	const char *fault;
	uint64_t free; /* pages on the lists then */
	struct sf_event ev;
};

/* A round of reclaim, and the rounds of an operation. */
struct sf_rounds {
	bool open;           /* between begin and end */
	uint8_t kind, order; /* of the last one */
	uint32_t direct;     /* rounds of direct reclaim in this operation */
	uint64_t before;     /* pages of slabs that had been freed when it began */
	uint64_t progress;   /* of the last one of direct reclaim */
};

/* BIG-2, BIG-7: attempts to get blocks of 2 MiB in this operation, and what goes back. */
struct sf_large_try {
	uint16_t failed;      /* bits by order: PAGE_FAIL */
	bool compacted;       /* for a block of 2 MiB */
	/* when the last of order 9 failed: */
	bool at_hand;         /* a block could have been taken */
	bool parked;          /* a whole one was on a per-CPU list */
	bool movable;         /* compaction could surely have made one */
	uint32_t gfp, rounds; /* of direct reclaim until then */
	uint64_t goes;        /* pfn of the slab that was freed last, plus 1, until its pages are */
};

/* What has happened since the operation began. */
struct sf_op_state {
	uint32_t nr;          /* index in the program */
	bool fault, page_fail;
	bool refused;         /* a charge was */
	bool grace;           /* a grace period ended */
	uint32_t over;        /* group that went over its limit: index + 1 */
	uint32_t slab_news, slab_frees;
	uint32_t going;       /* owners that must go: what they owned has */
	uint32_t going_id;    /* ... the last of them */
	uint32_t left_id;     /* what an owner left behind, SF_NONE: nothing */
	uint32_t parked[2];   /* caches that kept parked objects over an OOM; nr_parked of them */
	uint8_t nr_parked;
	bool warned;          /* the allocator complained */
	uint64_t held;        /* pages with users that are no slab, when it began */
	struct sf_large_try large;
	struct sf_rounds rounds;
};

/* What misuse has done in this run. */
struct sf_misuse {
	bool tainted;
	uint32_t attacks;     /* that are over */
	uint32_t op;          /* of the last one */
	uint32_t unnoticed;   /* attacks that nobody has complained about yet */
	uint16_t by_code[SF_ATTACK_CODES]; /* ... by operation code */
	/* the last object that was freed, if nothing else was in its operation: for MEM-9 */
	uint64_t freed;
	uint32_t freed_op;
	bool freed_hardened;  /* ... and went to the head of a list that is checked */
};

struct sf_hardening; /* hardening.c's own */
struct sf_needs;     /* oom.c's own */
struct sf_movables;  /* large_rules.c's own */

struct sf_judge {
	struct sf_judge_options opt;
	/* judged; skipped, with a reason; of these: skipped once a run, not at each event */
	sf_invariant_set active, missing, once;
	const char *reason[SF_INV_COUNT];
	struct sf_oracle_count count[SF_INV_COUNT];
	struct sf_shadow sh;
	struct sf_snapshot snap;
	struct sf_op_state op;
	struct sf_leaving *leaving;
	size_t nr_leaving, cap_leaving;
	struct sf_ledger ledger;
	struct sf_attack_count attack[SF_ATTACK_CODES];
	struct sf_misuse misuse;
	struct sf_hardening *hardening; /* NULL until hardening.c needs some */
	struct sf_needs *needs;         /* NULL until oom.c needs some */
	struct sf_movables *movables;   /* NULL until large_rules.c needs some */
	struct sf_ev_mapping *mapping;  /* since the last MAPS */
	size_t nr_mappings, cap_mappings;
	struct sf_held held;
	uint32_t round;                 /* of reclaim: no other in the judge's life has it */
	struct sf_reclaim_sums sums;
	struct sf_ooms ooms;
	uint64_t seen[SF_SEEN_SLOTS]; /* hashes of titles told since BEGIN; 0: empty */
	uint32_t nr_seen;
	struct sf_violation v;        /* being written */
};

/*
 * A violation: sf_title() then sf_report(). The title gets the id in front and must be stable; a
 * title already told in this run is counted but not told again.
 */
__attribute__((format(printf, 3, 4), cold)) void
sf_title(struct sf_judge *j, enum sf_invariant inv, const char *fmt, ...);
__attribute__((format(printf, 5, 6), cold)) void
sf_report(struct sf_judge *j, const struct sf_event *ev, uint32_t res, uint32_t other,
	  const char *fmt, ...);
/* A judgement that could not be made. */
void sf_skip(struct sf_judge *j, enum sf_invariant inv, const char *why);

static inline bool sf_judges(const struct sf_judge *j, enum sf_invariant inv)
{
	return (bool)(j->active >> inv & 1);
}

/* An allocation that gave memory. */
static inline bool sf_got(const struct sf_ev_alloc *a)
{
	return a->status == SF_OK && a->addr > SF_ZERO_SIZE_PTR;
}

/* ... and not an object that was resized where it lay. */
static inline bool sf_fresh(const struct sf_event *ev)
{
	return sf_got(&ev->alloc) && (ev->type == SF_EV_ALLOC || ev->alloc.old_id == SF_NONE ||
				      ev->alloc.moved);
}

/* Is it MEM-4 that says this memory must be zero? */
static inline bool sf_zeroing_due(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	const struct sf_shadow_cache *c = a->place.kind == SF_PLACE_SLAB ?
						  sf_shadow_cache_at(&j->sh, a->place.cache) : NULL;

	if (a->api == SF_API_PMALLOC) /* always */
		return true;
	return sf_zero_due(&j->sh.set, a->gfp, c ? c->flags : 0);
}

static inline bool sf_is_kmalloc(uint8_t api)
{
	return api == SF_API_KMALLOC || api == SF_API_KVMALLOC || api == SF_API_NOLOCK;
}

/* Pages of the slot in a block of 2 MiB that kmalloc owes this request; 0: none. */
static inline uint32_t sf_due_slot(const struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	if (!(sh->caps & SF_CAP_LARGE) || a->size <= SF_KMALLOC_CACHE_MAX ||
	    (a->api != SF_API_KMALLOC && a->api != SF_API_KVMALLOC) ||
	    ((a->gfp & SF_GFP_DMA) && sh->set.zone_dma) || sh->set.min_order > SF_LARGE_ORDER)
		return 0;
	return sf_large_slot(a->size);
}

/* Ordinary kmalloc memory of a slab: what the rules of selection are about. */
static inline bool sf_in_kmalloc_slab(const struct sf_ev_alloc *a)
{
	return sf_got(a) && a->size && a->place.kind == SF_PLACE_SLAB && sf_is_kmalloc(a->api);
}

/* Asked of a set of buckets that exists? With the setting `buckets` off there is none. */
static inline bool sf_of_bucket(const struct sf_ev_alloc *a)
{
	return a->bucket < SF_BUCKETS_OFF;
}

/* SF_RULES(X): every rule there is, by file. X(function) */
#define SF_RULES(X)                                                                              \
	/* memory.c */                                                                           \
	X(sf_mem_1) X(sf_mem_1_map) X(sf_mem_2) X(sf_mem_3) X(sf_mem_4) X(sf_mem_5_content)      \
	X(sf_mem_5_free) X(sf_mem_6) X(sf_mem_7) X(sf_mem_8) X(sf_mem_9) X(sf_mem_10)            \
	X(sf_mem_9_attack) X(sf_mem_10_attack)                                                   \
	X(sf_mem_11_alloc) X(sf_mem_11_free) X(sf_mem_11_ksize) X(sf_mem_12_alloc)               \
	X(sf_mem_12_fail) X(sf_mem_13) X(sf_mem_17_alloc) X(sf_mem_17_ksize)                     \
	X(sf_mem_1_migrate) X(sf_mem_5_defer) X(sf_mem_5_migrate)                                \
	/* hardening.c */                                                                        \
	X(sf_mem_14) X(sf_mem_15) X(sf_mem_15_cache) X(sf_mem_16) X(sf_mem_18_alloc)         \
	X(sf_mem_18_walk) X(sf_iso_16) X(sf_shf_1)                                               \
	/* buddy.c */                                                                            \
	X(sf_bud_1_add) X(sf_bud_1_page) X(sf_bud_2_add) X(sf_bud_2_del) X(sf_bud_2_alloc)       \
	X(sf_bud_2_free) X(sf_bud_2_drain) X(sf_bud_3) X(sf_bud_3_walk) X(sf_bud_4)              \
	X(sf_bud_5_add) X(sf_bud_5_rmqueue) X(sf_bud_5_done) X(sf_bud_6_claim)                   \
	X(sf_bud_6_rmqueue) X(sf_bud_7) X(sf_bud_8) X(sf_bud_9) X(sf_bud_10_alloc)               \
	X(sf_bud_10_free) X(sf_bud_11) X(sf_bud_12_change) X(sf_bud_12_oom) X(sf_bud_12_walk)    \
	/* slab_rules.c */                                                                      \
	X(sf_acc_1) X(sf_acc_2) X(sf_acc_3) X(sf_acc_4) X(sf_acc_5) X(sf_acc_6_shrink)           \
	X(sf_acc_6) X(sf_acc_7) X(sf_acc_17) X(sf_acc_18) X(sf_acc_20)                           \
	/* accounting.c */                                                                       \
	X(sf_acc_8) X(sf_acc_9) X(sf_acc_9_charge) X(sf_acc_10) X(sf_acc_13) X(sf_acc_16)        \
	X(sf_acc_19_charge) X(sf_acc_19_alloc) X(sf_acc_19_free) X(sf_acc_19)                    \
	/* reclaim_rules.c */                                                                   \
	X(sf_acc_11) X(sf_acc_12) X(sf_acc_15) X(sf_acc_21_free) X(sf_acc_21_defer)              \
	X(sf_acc_21_realloc) X(sf_mem_19_free) X(sf_mem_19_slab)                                 \
	/* oom.c */                                                                              \
	X(sf_acc_14) X(sf_acc_14_ask)                                                            \
	/* partition.c */                                                                        \
	X(sf_iso_1) X(sf_iso_6) X(sf_iso_7_type) X(sf_iso_7) X(sf_iso_8) X(sf_iso_12)            \
	X(sf_iso_13) X(sf_iso_17)                                                                \
	/* isolation.c */                                                                        \
	X(sf_iso_2) X(sf_iso_3_alloc) X(sf_iso_3_new) X(sf_iso_3_slab_free)                      \
	X(sf_iso_3_page_free) X(sf_iso_4_cache) X(sf_iso_4_create) X(sf_iso_4_refs) X(sf_iso_5)  \
	X(sf_iso_14) X(sf_iso_15) X(sf_iso_18)                                                   \
	/* large_rules.c */                                                                     \
	X(sf_big_1_new) X(sf_big_1_alloc) X(sf_big_2) X(sf_big_2_fail) X(sf_big_3)               \
	X(sf_big_4_cache) X(sf_big_4_alloc) X(sf_big_5_cache) X(sf_big_5_new)                    \
	X(sf_big_6_cache) X(sf_big_6_new) X(sf_big_7_slab) X(sf_big_7_page) X(sf_big_7)          \
	X(sf_big_8)                                                                              \
	/* pool_rules.c */                                                                      \
	X(sf_pma_1) X(sf_pma_2) X(sf_pma_3) X(sf_pma_4) X(sf_pma_4_open) X(sf_pma_5_write)       \
	X(sf_pma_5_rare) X(sf_pma_6_map) X(sf_pma_6_slab) X(sf_pma_6_alloc) X(sf_pma_7)          \
	X(sf_pma_8) X(sf_pma_8_unmap) X(sf_pma_8_maps) X(sf_pma_9)

#define X(fn) unsigned int fn(struct sf_judge *j, const struct sf_event *ev);
SF_RULES(X)
#undef X

/* ISO-1 and, where an object moved, ISO-18: is it in the cache that its request selects? */
unsigned int sf_judge_selection(struct sf_judge *j, const struct sf_event *ev,
				enum sf_invariant inv);
/* What a request that has a class is due (partition.c). */
sf_selector sf_due_selector(const struct sf_shadow *sh, const struct sf_ev_alloc *a);

/*
 * buddy.c: a fault that was held back is raised, or dropped if it is the page's. A block that is
 * given back in the same operation was nobody's.
 */
void sf_held_raise(struct sf_judge *j);
void sf_held_drop(struct sf_judge *j, uint64_t pfn);
/* reclaim_rules.c: the operation is over. */
void sf_going_settle(struct sf_judge *j, const struct sf_event *ev);
/* Could the request be met at this mark, by the free lists alone? (memory.c) */
bool sf_possible(const struct sf_zone *z, unsigned int order, uint32_t gfp, uint64_t mark);
/*
 * The design is `reclaimable`, and it is the caller's fault that no slab counts this object?
 * (reclaim_rules.c)
 */
bool sf_callers_miscount(const struct sf_shadow *sh, const struct sf_shadow_obj *o);
/* oom.c: `a` tells what the operation that met OOM asked for; NULL: no allocation did. */
void sf_parked_settle(struct sf_judge *j, const struct sf_ev_alloc *a);
void sf_needs_free(struct sf_judge *j);

/* large_rules.c: its memory goes. */
void sf_movables_free(struct sf_judge *j);
/*
 * pool_rules.c: MAPS tells of what is only reported later (POOL): what is sealed or opened is so
 * from here on.
 */
void sf_pool_expect(struct sf_judge *j, const struct sf_event *ev);

/* hardening.c: its memory goes. What it knows of a cache it keeps by the cache's serial. */
void sf_hardening_free(struct sf_judge *j);

/* ISO-14: the free that goes with pages that left has been reported, or must have been by now. */
void sf_leaving_settle(struct sf_judge *j, const struct sf_event *ev);
void sf_leaving_drop(struct sf_judge *j, uint64_t pfn, unsigned int order);

#endif
