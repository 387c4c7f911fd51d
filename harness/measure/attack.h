/* SPDX-License-Identifier: MIT */
/*
 * attack.h - how far a mistake reaches: scenarios of memory corruption on heaps laid out at random,
 * carried out, and counted by what they reached.
 *
 * A trial is a fresh heap with a seed of its own, a layout, and one mistake with a *plain buffer*
 * (an object of a type without pointers) that an attacker controls. The same trial numbers give the
 * same programs on every allocator and setting, so rows differ by the allocator alone. Nothing is
 * concluded from names: the executor does the misuse and reports what changed (exec_misuse.c).
 * Relies on the executor and the generator of layouts here; `slabfuzz compare` relies on it.
 */
#ifndef SLABFUZZ_ATTACK_H
#define SLABFUZZ_ATTACK_H

#include "../program/program.h"

/* SF_SCENARIOS(X): X(IDENTIFIER, name, what happens) */
#define SF_SCENARIOS(X)                                                                         \
	X(OVERFLOW, "overflow", "a live plain buffer is written beyond its end")                \
	X(UNDERFLOW, "underflow", "the bytes before a live plain buffer are written")           \
	X(STALE, "stale write", "a plain buffer is freed, the kernel goes on, and the buffer is " \
	  "written")                                                                            \
	X(CROSS, "cross-cache", "an attacker fills slabs with plain buffers and frees them all, " \
	  "the kernel allocates objects with pointers, and one of the buffers is written")      \
	X(DOUBLE, "double free", "a plain buffer is freed, the kernel goes on, and the buffer is " \
	  "freed again")

enum sf_scenario {
#define X(id, name, doc) SF_SCENARIO_##id,
	SF_SCENARIOS(X)
#undef X
	SF_SCENARIO_COUNT,
};

struct sf_scenario_info {
	const char *name, *doc;
};

extern const struct sf_scenario_info sf_scenarios[SF_SCENARIO_COUNT];

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

/* False, with a line in `err`: the allocator refuses the heap, or cannot be misused. */
bool sf_attack_run(const struct sf_attack_options *opt,
		   struct sf_attack_result result[SF_SCENARIO_COUNT], struct sf_error *err);

#endif
