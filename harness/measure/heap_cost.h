/* SPDX-License-Identifier: MIT */
/*
 * heap_cost.h - what a recording of malloc() costs an allocator: the calls alone, made in a process
 * of their own, so that what that process holds is what the allocator holds.
 *
 * Two processes for each: in one every byte that is handed out is written, and what is resident is
 * looked at; in the other nothing is written or looked at, and time is taken. Relies on allocator.h
 * and ops.h; `slabfuzz compare` relies on it.
 */
#ifndef SLABFUZZ_HEAP_COST_H
#define SLABFUZZ_HEAP_COST_H

#include "../program/ops.h"
#include "../../allocators/allocator.h"

/* How what an allocator holds is known. SF_HELD(X): X(IDENTIFIER, name, how) */
#define SF_HELD(X)                                                                              \
	X(RESIDENT, "resident", "anonymous memory of its process that is resident, beyond what " \
	  "was before the first call")                                                          \
	X(BLOCK, "block", "from the beginning of its block to the end of the farthest object")  \
	X(PAGES, "pages", "pages that its page allocator has handed out")

enum sf_held {
#define X(id, name, doc) SF_HELD_##id,
	SF_HELD(X)
#undef X
	SF_HELD_COUNT,
};

extern const char *const sf_held_names[SF_HELD_COUNT];

struct sf_heap_cost {
	uint64_t operations; /* carried out */
	uint64_t skipped;    /* it lacks what they need, or their object never came */
	uint64_t failures;   /* allocations that it refused */
	uint64_t peak_live;  /* most bytes asked for and not given back */
	uint64_t peak_held;  /* most bytes that it held */
	uint64_t end_held;   /* RESIDENT: when all was given back */
	uint8_t held;        /* enum sf_held; PAGES: peak_held is 0, it is in its events */
	double ns;           /* for a call */
};

struct sf_heap_cost_options {
	const struct sf_allocator *allocator;
	struct sf_settings settings;
	/*
	 * Says all operations, the words of malloc() or kmalloc(), by calling op(), which returns
	 * false to stop. Is called several times. 0, or what ends the measurement.
	 */
	int (*feed)(void *ctx, bool (*op)(void *op_ctx, const struct sf_op *op), void *op_ctx);
	void *ctx;
};

/* 0; what feed() returned; or -1 with one line in *err: no heap, or the process died. */
int sf_heap_cost_run(const struct sf_heap_cost_options *opt, struct sf_heap_cost *out,
		     struct sf_error *err);

#endif
