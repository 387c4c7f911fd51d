/* SPDX-License-Identifier: MIT */
/*
 * inject.h - a program again and again, and each time another of its allocations fails: what
 * fail-nth of lib/fault-inject.c is to a kernel. Under all oracles, with everything given back at
 * the end, so that what a failure path forgets is seen.
 *
 * One allocation fails in a run and no more: where another try follows (a slab of the least order
 * after one of the preferred) it succeeds, and that is what is tested.
 *
 * Relies on the executor and the judge; `slabfuzz inject` relies on it.
 */
#ifndef SLABFUZZ_INJECT_H
#define SLABFUZZ_INJECT_H

#include "../oracles/oracle.h"
#include "program.h"

/* The allocation that failed. */
struct sf_injection {
	uint8_t kind; /* enum sf_fault */
	uint64_t nth; /* of those that could have, from 1; 0: none, the program as it is */
	uint32_t op;  /* the operation in which it did; SF_NONE: not yet, or in none */
};

struct sf_inject_options {
	const struct sf_allocator *allocator;
	const struct sf_settings *settings; /* the program's, or what shall be instead */
	uint64_t max;                       /* failures of each kind, at most; 0: all */
	/* A violation; the same title may come in every run. */
	void (*found)(void *ctx, const struct sf_injection *at, const struct sf_violation *v);
	void *ctx;
};

struct sf_inject_result {
	uint64_t failures[SF_FAULTS]; /* runs in which an allocation failed */
	bool cut[SF_FAULTS];          /* `max` was reached: there may be more */
	/* Over all runs: */
	uint64_t operations, violations;
	struct sf_oracle_count oracles[SF_INV_COUNT];
};

/*
 * First the program as it is; then, for each of its allocations, without what it says of failures
 * itself. False with one line in `err`: there is no heap, or the allocator lacks SF_CAP_FAIL or
 * SF_CAP_TRACE (one that does not tell when a failure fires would have to be run for ever).
 */
bool sf_inject_run(const struct sf_inject_options *opt, const struct sf_prog *p, const char *name,
		   struct sf_inject_result *r, struct sf_error *err);

#endif
