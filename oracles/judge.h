/* SPDX-License-Identifier: MIT */
/*
 * judge.h - the judge's state: what it believes of the heap, and what has happened in the operation
 * and the run that are under way.
 *
 * intake.c writes it, rules read it and keep in it what they must remember until later. Relies on
 * shadow.h, snap.h and report.h; it knows no rule.
 */
#ifndef SLABFUZZ_JUDGE_H
#define SLABFUZZ_JUDGE_H

#include "report.h"
#include "shadow.h"
#include "snap.h"

#define SF_TAINTED "tainted by misuse"

/* Pages that left a slab or a user while objects were alive on them, until the free is reported. */
struct sf_leaving {
	uint64_t pfn, addr;
	uint32_t cache; /* of the slab, SF_NONE: no slab */
	uint8_t order;
};

/*
 * BUD-8: a page that something is moved to asks for no watermark. That it was taken for that is
 * reported later, by MIGRATE. Invariant: valid only inside the operation of `ev`.
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
	uint8_t priority;    /* of its last shrinker; SF_NOT_ASKED: none was asked */
	uint32_t gfp, memcg;
	uint64_t scanned, freed; /* objects, by its shrinkers */
	uint32_t direct;     /* rounds of direct reclaim in this operation */
	uint32_t tried;      /* ... and for the request for pages that is under way; */
	uint32_t compacted;  /* runs of compaction for it */
	bool again;          /* a shrinker saw priorities gone through a second time */
	uint64_t before;     /* pages of slabs that had been freed when it began ... */
	uint64_t then;       /* ... and after its last shrinker */
	uint64_t progress;   /* of the last one of direct reclaim */
};

#define SF_NOT_ASKED 0xff /* sf_ev_shrink.priority: not by reclaim */

/* What /proc/vmstat must count, of this run. */
struct sf_vmstat {
	uint64_t slabs_scanned, pgscan_slab, pgsteal_slab, drop_slab, oom_kill, pgmigrate_success;
	uint64_t direct; /* rounds of direct reclaim */
	uint64_t allocstall, compact_stall, compact_success;
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

/*
 * What has happened since the operation began. Cleared for each: what is behind `seldom` only if
 * something was written there, which goes through sf_change_large() and sf_change_rounds().
 */
struct sf_op_state {
	uint32_t nr;          /* index in the program */
	bool fault, page_fail;
	bool refused;         /* a charge was */
	uint64_t refused_bytes; /* ... the last one */
	bool oom_zone, oom_group; /* OOM was declared */
	bool grace;           /* a grace period ended */
	uint32_t over;        /* group that went over its limit: index + 1 */
	uint32_t slab_news, slab_frees;
	uint32_t going;       /* owners that must go: what they owned has */
	uint32_t going_id;    /* ... the last of them */
	uint32_t left_id;     /* what an owner left behind, SF_NONE: nothing */
	uint32_t parked[2];   /* caches that kept parked objects over an OOM; nr_parked of them */
	uint8_t nr_parked;
	bool warned;          /* the allocator complained */
	bool excused;         /* ... and may have (MEM-22) */
	uint8_t maps;         /* bits by enum sf_maps_when: mappings were shown */
	bool from_sheaf;      /* what it allocates is from a prefilled sheaf */
	uint64_t held;        /* pages with users that are no slab, when it began ... */
	uint64_t free, boost; /* ... pages on free lists that anybody may have, and the boost */
	uint32_t slab_gfp;    /* that the last slab was made with */
	uint8_t slab_order;   /* ... and its order */
	uint32_t fail_gfp;    /* that the page allocator gave up on last */
	uint32_t early;       /* cache that gave a slab back which it would keep, plus 1; 0: none */
	struct sf_ev_compact compact; /* run of compaction under way: `begin` says that one is */
	bool seldom;          /* what follows is not all zero */
	struct sf_large_try large;
	struct sf_rounds rounds;
};

/* What misuse has done in this run. */
struct sf_misuse {
	bool tainted;
	uint32_t attacks;     /* that are over */
	uint32_t op;          /* of the last one */
	uint32_t unnoticed;   /* attacks about which there was no complaint yet */
	uint16_t by_code[SF_ATTACK_CODES]; /* ... by operation code */
	/* the last object that was freed, if nothing else was in its operation: for MEM-9 */
	uint64_t freed;
	uint32_t freed_op;
	bool freed_hardened;  /* ... and went to the head of a list that is checked */
};

struct sf_hardening; /* hardening.c's own */
struct sf_needs;     /* oom.c's own */
struct sf_movables;  /* large_rules.c's own */
struct sf_places;    /* consistency.c's own */
struct sf_sheaves;   /* sheaf_rules.c's own */
struct sf_malloc_state; /* malloc_state.h */

struct sf_judge {
	struct sf_reports report;
	/* judged; skipped, with a reason; of these: skipped once a run, not at each event */
	sf_invariant_set active, missing, once;
	const char *reason[SF_INV_COUNT];
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
	struct sf_places *places;       /* NULL until consistency.c needs some */
	struct sf_sheaves *sheaves;     /* NULL until a sheaf is prefilled */
	struct sf_malloc_state *user;   /* NULL until a rule of user space needs some */
	struct sf_ev_mapping *mapping;  /* since the last MAPS */
	size_t nr_mappings, cap_mappings;
	char complaint[64];             /* the last one's words */
	struct sf_held held;
	uint32_t round;                 /* of reclaim: no other in the judge's life has it */
	struct sf_reclaim_sums sums;
	struct sf_ooms ooms;
	struct sf_vmstat vm;
};

static inline struct sf_large_try *sf_change_large(struct sf_judge *j)
{
	j->op.seldom = true;
	return &j->op.large;
}

static inline struct sf_rounds *sf_change_rounds(struct sf_judge *j)
{
	j->op.seldom = true;
	return &j->op.rounds;
}

/* Has the operation got pages that no slab accounts for, or given some back? */
static inline bool sf_pages_changed(const struct sf_judge *j)
{
	const struct sf_zone *z = &j->sh.zone;

	return z->on && z->out_pages - z->slab_pages != j->op.held;
}

/* Were slabs made in it, pages taken, or memory reclaimed? */
static inline bool sf_made_effort(const struct sf_judge *j)
{
	return j->op.slab_news || j->op.page_fail || j->op.rounds.direct || sf_pages_changed(j);
}

static inline bool sf_judges(const struct sf_judge *j, enum sf_invariant inv)
{
	return (bool)(j->active >> inv & 1);
}

#endif
