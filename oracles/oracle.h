/* SPDX-License-Identifier: MIT */
/*
 * oracle.h - the judge: takes events, raises violations.
 *
 * It knows no allocator, no program and no fuzzing engine. Where the events come from (a model, a
 * library, a kernel, a recording) makes no difference but for what they carry: an invariant whose
 * needs the source cannot meet is skipped, and each skip is counted with its reason.
 *
 * One judge, one thread. Nothing on the event path allocates once the shadow has grown to the size
 * of the heap's live set.
 */
#ifndef SLABFUZZ_ORACLE_H
#define SLABFUZZ_ORACLE_H

#include <stddef.h>
#include <stdint.h>

#include "../allocators/event.h"
#include "invariants.h"

#define SF_TITLE_MAX 160

struct sf_violation {
	enum sf_invariant invariant;
	uint32_t op;               /* operation index, SF_NONE outside one */
	uint32_t objects[2];       /* result numbers involved, SF_NONE */
	/*
	 * "ISO-1: kmalloc-64 where kmalloc-rcl-64 was due": stable, without addresses, counts,
	 * operation numbers or names that a program chose. `detail` has them.
	 */
	char title[SF_TITLE_MAX];
	char detail[400];
};

struct sf_oracle_count {
	uint64_t checked; /* judgements made */
	uint64_t skipped; /* judgements that could not be made */
	const char *reason; /* of the skips; NULL: none */
	uint64_t violations;
};

/* Why it judged less than all, for people: NULL if it judged, and skipped nothing. */
static inline const char *sf_oracle_why(const struct sf_oracle_count *c)
{
	if (c->skipped || (!c->checked && c->reason))
		return c->reason;
	return c->checked ? NULL : "nothing to judge came up";
}

struct sf_judge;

struct sf_judge_options {
	sf_invariant_set only; /* judge these; 0: all */
	/*
	 * Called for each violation, before the event is over. NULL: only counted. In a fuzz target
	 * it calls sf_trap(), elsewhere it records.
	 */
	void (*violation)(void *ctx, const struct sf_violation *v);
	void *ctx;
};

/* Memory comes from malloc; running out ends the process. */
struct sf_judge *sf_judge_create(const struct sf_judge_options *opt);
void sf_judge_destroy(struct sf_judge *j);

/* Fits struct sf_sink.emit: ctx is the judge. */
void sf_judge_event(void *judge, const struct sf_event *ev);

/* Since create, or the last clear. SF_INV_COUNT entries. */
const struct sf_oracle_count *sf_judge_counts(const struct sf_judge *j);
void sf_judge_clear_counts(struct sf_judge *j);
/* Why nothing of this heap can be judged by it, whether that came up or not; NULL: it can. */
const char *sf_judge_lacks(const struct sf_judge *j, enum sf_invariant inv);

/*
 * ISO-15's ledger, since create or the last clear: pages at whose address a slab was made where a
 * slab of another cache had been. `stale`: objects had been handed out there, so a caller may hold
 * a handle. What is reused by the same cache counts as `same`. Partitions: ordinary kmalloc of
 * another partition; halves: of the other half, pointer-bearing to pointer-free or back (TYPED).
 */
struct sf_ledger {
	uint64_t fresh, same, other_cache, other_partition, other_half;
	uint64_t stale_cache, stale_partition, stale_half; /* of these, with a stale handle */
};
const struct sf_ledger *sf_judge_ledger(const struct sf_judge *j);

/*
 * Misuse, since create or the last clear: by operation code. reached[] counts attacks, not victims;
 * `noticed`: at once; `later`: the allocator complained in a later operation of the run.
 */
struct sf_attack_count {
	uint64_t attacks, noticed, later, reached[SF_REACHES];
};
#define SF_ATTACK_CODES 128
const struct sf_attack_count *sf_judge_attacks(const struct sf_judge *j); /* SF_ATTACK_CODES */

/*
 * What counts as reclaimable, explained: SF_RECLAIM_TERMS(X): X(identifier, name, what it is).
 * Bytes; of slabs of SLAB_RECLAIM_ACCOUNT caches, and of what accounting=indirect counts.
 */
#define SF_RECLAIM_TERMS(X)                                                                       \
	X(TRUTH, "truth", "live, and reclaim could free it now")                                  \
	X(PINNED, "pinned", "live, and it or an owner of it is pinned")                           \
	X(UNOWNED, "unowned", "live, asked for as reclaimable, and no shrinker can get at it")    \
	X(DEFERRED, "deferred", "waits for a grace period: objects, and what they own; slabs")    \
	X(PARKED, "parked", "free objects in sheaves")                                            \
	X(FREE, "free slots", "free objects in slabs that are in use")                            \
	X(EMPTY, "empty slabs", "slabs without any object in use")                                \
	X(SLACK, "slack", "what is left behind the last object of a slab")

/* SF_UNCOUNTED(X): what reclaim could free and is not counted. */
#define SF_UNCOUNTED(X)                                                                           \
	X(SHORTFALL, "shortfall", "owned by what is reclaimable: the design does not count it")   \
	X(MISCOUNT, "miscount", "the same, but the caller did not ask for it as reclaimable, or " \
	  "asked for what has no kmalloc-rcl cache")

enum sf_reclaim_term {
#define X(id, name, doc) SF_TERM_##id,
	SF_RECLAIM_TERMS(X)
#undef X
	SF_TERMS,
};

enum sf_uncounted {
#define X(id, name, doc) SF_UNCOUNTED_##id,
	SF_UNCOUNTED(X)
#undef X
	SF_UNCOUNTEDS,
};

struct sf_named_doc {
	const char *name, *doc;
};

extern const struct sf_named_doc sf_reclaim_terms[SF_TERMS];
extern const struct sf_named_doc sf_uncounteds[SF_UNCOUNTEDS];

struct sf_reclaim_sums {
	bool valid;                         /* there was a snapshot with counters */
	uint64_t term[SF_TERMS];
	uint64_t uncounted[SF_UNCOUNTEDS];
	uint64_t counted;  /* bytes that the allocator's counters say are reclaimable */
	uint64_t truth;    /* bytes that reclaim could free, counted or not */
	uint64_t available; /* si_mem_available(), pages */
};

/* Of the last snapshot before teardown. */
const struct sf_reclaim_sums *sf_judge_reclaim(const struct sf_judge *j);

/*
 * Why memory was out: the first of these, added up in this order, with which the request could have
 * been met. SF_OOM_CAUSES(X): X(identifier, name, what it is).
 */
#define SF_OOM_CAUSES(X)                                                                          \
	X(PCP, "per-CPU pages", "pages were on per-CPU lists")                                    \
	X(RESERVE, "reserve", "pages were free in the HIGHATOMIC reserve")                        \
	X(PARKED, "parked", "slabs held nothing but free and parked objects")                     \
	X(DEFERRED, "deferred", "memory waited for a grace period")                               \
	X(COUNTED, "counted", "memory was reclaimable and counted, and not reclaimed")            \
	X(MISCOUNT, "miscount", "memory was reclaimable and, by its caller's fault, not counted") \
	X(UNCOUNTED, "uncounted", "memory was reclaimable and the design does not count it")      \
	X(COMPACTION, "compaction", "there was no block, but movable pages stood in the way")

enum sf_oom_cause {
#define X(id, name, doc) SF_CAUSE_##id,
	SF_OOM_CAUSES(X)
#undef X
	SF_CAUSES,
};

extern const struct sf_named_doc sf_oom_causes[SF_CAUSES];

/* Since create, or the last clear. total = exhausted + memcg + the sum of causes. */
struct sf_ooms {
	uint64_t total;
	uint64_t exhausted; /* truly: nothing would have helped */
	uint64_t memcg;     /* at a group's limit: not classed */
	uint64_t cause[SF_CAUSES];
	uint64_t guesses;   /* of total: requests that vm_enough_memory() refused */
};
const struct sf_ooms *sf_judge_ooms(const struct sf_judge *j);

/* Bytes of memory that the judge's shadow takes, and live objects it tracks: for the benchmark. */
void sf_judge_memory(const struct sf_judge *j, size_t *bytes, size_t *live);

/*
 * Ends the process in a function of its own, named after the invariant (sf_violation_MEM_1), never
 * inlined, after writing title and detail to stderr: so that engines and sanitizers keep bugs
 * apart. If the environment has SLABFUZZ_EXPECT and the title does not begin with it, returns
 * instead.
 */
void sf_trap(const struct sf_violation *v);

#endif
