/* SPDX-License-Identifier: MIT */
/*
 * attack.h - how far a mistake reaches: scenarios of memory corruption on heaps of a model that
 * survives them, laid out at random, carried out, and counted by what they reached.
 *
 * A trial is a fresh heap with a seed of its own, a layout, and one mistake with a *plain buffer*
 * (an object of a type without pointers) that an attacker controls. Nothing is concluded from
 * names: the executor does the misuse and reports what changed (exec_misuse.c). Allocators that may
 * die of it are measured by promise.h.
 * Relies on the executor and scenario.h; `slabfuzz compare` relies on it.
 */
#ifndef SLABFUZZ_ATTACK_H
#define SLABFUZZ_ATTACK_H

#include "scenario.h"

struct sf_attack_options {
	const struct sf_allocator *allocator;
	struct sf_settings settings;  /* misuse is switched on */
	uint32_t trials;
	uint16_t bytes;               /* that a write writes; at least 1 */
	uint64_t seed;                /* of the layouts */
	const struct sf_prog *layout; /* laid out by this program; NULL: generated */
};

/* Of one scenario: trials in which something of that sort was reached, and was noticed. */
struct sf_attack_result {
	uint64_t trials, noticed, reached[SF_REACHES];
	uint64_t left_out; /* trials without a plain buffer to misuse, or that could not be run */
};

/*
 * Those scenarios that are for the reach; the others stay 0. False, with a line in `err`: the
 * allocator refuses the heap, or cannot be misused.
 */
bool sf_attack_run(const struct sf_attack_options *opt,
		   struct sf_attack_result result[SF_SCENARIO_COUNT], struct sf_error *err);

#endif
