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

/*
 * ISO-15's ledger, since create or the last clear: pages at whose address a slab was made where a
 * slab of another cache had been. `stale`: objects had been handed out there, so somebody may hold
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

/* Bytes of memory that the judge's shadow takes, and live objects it tracks: for the benchmark. */
void sf_judge_memory(const struct sf_judge *j, size_t *bytes, size_t *live);

/*
 * Ends the process in a function of its own, named after the invariant (sf_violation_MEM_1), never
 * inlined, after writing title and detail to stderr: so that engines and sanitizers tell bugs
 * apart. If the environment has SLABFUZZ_EXPECT and the title does not begin with it, returns
 * instead.
 */
void sf_trap(const struct sf_violation *v);

#endif
