/* SPDX-License-Identifier: MIT */
/*
 * promise.h - what hardened allocators promise, measured: mistakes are made in a worker, which may
 * die of them, and what came of each is read from its events. Any allocator can be asked: a model,
 * a library, a plug-in.
 *
 * A trial is a process of its own, forked from a warm one, so what the allocator drew when it began
 * is the same for all trials of one start. Whoever wants chances over that too runs parts of the
 * trials in starts of their own: which trials there are does not depend on how many parts.
 * Relies on scenario.h and the worker; `slabfuzz compare` relies on it.
 */
#ifndef SLABFUZZ_PROMISE_H
#define SLABFUZZ_PROMISE_H

#include "scenario.h"

/*
 * What can come of a mistake; several may. SF_OUTCOMES(X): X(IDENTIFIER, name, name in claims, what
 * it is)
 */
#define SF_OUTCOMES(X)                                                                            \
	X(OBJECT, "object", "reaches-other-object", "another live object: its bytes changed, "    \
	  "or its memory was handed out again")                                                   \
	X(CLASS, "class", "reaches-other-class", "one of another size class, cache or heap, as "  \
	  "far as the allocator shows them")                                                      \
	X(POINTER, "pointers", "reaches-pointers", "one of a type with pointers")                 \
	X(OWN, "own data", "reaches-allocator-data", "bytes that the allocator wrote for itself") \
	X(AT_ONCE, "at once", "noticed-at-once", "refused, or ended by abort(), a trap or a "     \
	  "guard page, in the same operation; or something was said")                             \
	X(LATER, "later", "noticed-later", "the same in a later operation")                       \
	X(DIED, "crash", "crashes", "the process crashed or hung, by no check of the allocator's") \
	X(UNMAPPED, "unmapped", "hits-unmapped", "memory that is not mapped, or not writable")    \
	X(ZEROED, "zeroed", "zeroed", "freed memory is zero, but for 16 bytes at most")           \
	X(FILLED, "filled", "filled", "freed memory was written, but for 16 bytes at most, and "  \
	  "is not zero")

enum sf_outcome_kind {
#define X(id, name, claim, doc) SF_OUTCOME_##id,
	SF_OUTCOMES(X)
#undef X
	SF_OUTCOME_COUNT,
};

struct sf_outcome_info {
	const char *name, *claim, *doc;
};

extern const struct sf_outcome_info sf_outcomes[SF_OUTCOME_COUNT];

#define SF_NEVER UINT32_MAX

struct sf_trial {
	bool ran;       /* false: nothing to misuse, it cannot be done there, or it died before */
	uint32_t what;  /* bits 1 << enum sf_outcome_kind */
	/*
	 * LATER, DIED: operations from the mistake on. REUSE: frees between the object's own and
	 * the allocation that got its memory; SF_NEVER. GUARD: bytes up to what is unmapped.
	 */
	uint32_t after;
	uint64_t first, next; /* PLACE: the address; how far it is from the one before */
};

struct sf_promise_options {
	const struct sf_allocator *allocator;
	struct sf_settings settings;
	uint32_t trials;
	uint32_t part, parts;         /* trials that leave `part` when divided by `parts` */
	uint16_t bytes;               /* that a write writes; at least 1 */
	uint64_t seed;
	const struct sf_prog *layout; /* NULL: generated */
};

/*
 * Each trial's outcome, as it comes; PLACE has one only, numbered `part`. False, with a line in
 * `err`: the allocator refuses, cannot be misused, or its worker cannot be.
 */
bool sf_promise_run(const struct sf_promise_options *opt,
		    void (*tell)(void *ctx, enum sf_scenario what, uint32_t trial,
				 const struct sf_trial *outcome),
		    void *ctx, struct sf_error *err);

#endif
