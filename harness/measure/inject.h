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

#include "../../oracles/oracle.h"
#include "../program/program.h"

/*
 * SF_INJECTIONS(X): X(IDENTIFIER, name, what fails). The first ones are those of enum sf_fault.
 */
#define SF_INJECTIONS(X)                                                                        \
	X(SLAB, "slab", "one request to a cache")                                               \
	X(PAGE, "page", "one request to the page allocator")                                    \
	X(OUTAGE, "outage", "every request to the page allocator while one operation lasts")

enum sf_injection_kind {
#define X(id, name, doc) SF_INJECT_##id,
	SF_INJECTIONS(X)
#undef X
	SF_INJECTION_KINDS,
};

extern const char *const sf_injection_names[SF_INJECTION_KINDS];

/* What failed. */
struct sf_injection {
	uint8_t kind; /* enum sf_injection_kind */
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
	uint64_t failures[SF_INJECTION_KINDS]; /* runs in which an allocation failed */
	bool cut[SF_INJECTION_KINDS];          /* `max` was reached: there may be more */
	/* Over all runs: */
	uint64_t operations, violations;
	struct sf_oracle_count oracles[SF_INV_COUNT];
};

/*
 * First the program as it is; then, without what it says of failures itself, for each of its
 * allocations, and with SF_CAP_FAULT_ATTR for each operation that allocates. False with one line in
 * `err`: there is no heap, or the allocator lacks SF_CAP_FAIL or SF_CAP_TRACE (one that does not
 * tell when a failure fires would have to be run for ever).
 */
bool sf_inject_run(const struct sf_inject_options *opt, const struct sf_prog *p, const char *name,
		   struct sf_inject_result *r, struct sf_error *err);

#endif
