/* SPDX-License-Identifier: MIT */
/*
 * scenario.h - mistakes as programs: a heap laid out at random, and one misuse of it. The same
 * numbers give the same programs for every allocator and setting, so figures differ by the
 * allocator alone. Relies on programs and types; attack.h and promise.h run them.
 */
#ifndef SLABFUZZ_SCENARIO_H
#define SLABFUZZ_SCENARIO_H

#include "../../allocators/base/rng.h"
#include "../program/program.h"

/* What a scenario is for: the reach of mistakes on models; what any allocator promises; both. */
enum sf_scenario_use {
	SF_FOR_REACH = 1,
	SF_FOR_PROMISE = 2,
	SF_FOR_BOTH = 3,
};

/* SF_SCENARIOS(X): X(IDENTIFIER, name, use, what happens) */
#define SF_SCENARIOS(X)                                                                         \
	X(OVERFLOW, "overflow", BOTH, "a live plain buffer is written beyond its end")          \
	X(UNDERFLOW, "underflow", BOTH, "the bytes before a live plain buffer are written")     \
	X(STALE, "stale write", BOTH, "a plain buffer is freed, the kernel goes on, and the "   \
	  "buffer is written")                                                                  \
	X(CROSS, "cross-cache", REACH, "an attacker fills slabs with plain buffers and frees "  \
	  "them all, the kernel allocates objects with pointers, and one of the buffers is "    \
	  "written")                                                                            \
	X(DOUBLE, "double free", BOTH, "a plain buffer is freed, the kernel goes on, and the "  \
	  "buffer is freed again")                                                              \
	X(AGAIN, "free twice", PROMISE, "a plain buffer is freed twice in a row")               \
	X(INNER, "inner free", PROMISE, "a pointer into a live plain buffer is freed")          \
	X(WILD, "wild free", PROMISE, "an address that the allocator never had is freed")       \
	X(FOREIGN, "foreign free", PROMISE, "an object is freed to another heap or cache; "     \
	  "where there is one only, one of another allocator is")                               \
	X(EDGE, "past usable", PROMISE, "8 bytes behind what an object may use are written, "   \
	  "and it is freed")                                                                    \
	X(GUARD, "guard page", PROMISE, "up to 64 KiB behind a live plain buffer are written")  \
	X(LOOK, "freed memory", PROMISE, "an object is freed, and looked at")                   \
	X(REUSE, "reuse", PROMISE, "an object is freed, and others of its size are allocated "  \
	  "and freed in turn")                                                                  \
	X(PLACE, "next address", PROMISE, "two objects of 64 bytes are allocated, in the same " \
	  "layout each time")

enum sf_scenario {
#define X(id, name, use, doc) SF_SCENARIO_##id,
	SF_SCENARIOS(X)
#undef X
	SF_SCENARIO_COUNT,
};

struct sf_scenario_info {
	const char *name, *doc;
	uint8_t use; /* enum sf_scenario_use */
};

extern const struct sf_scenario_info sf_scenarios[SF_SCENARIO_COUNT];

#define SF_REUSE_FREES 1024u  /* REUSE: frees after the object's own */
#define SF_PLACE_SIZE 64u
#define SF_EDGES 4u           /* sizes that EDGE takes turns with */

struct sf_scene_options {
	uint64_t caps;                /* of the allocator: which words it is spoken to in */
	struct sf_settings settings;  /* misuse is switched on */
	uint16_t bytes;               /* that a write writes; at least 1 */
	uint64_t seed;                /* of the layouts */
	const struct sf_prog *layout; /* laid out by this program; NULL: generated */
	/* The program goes on for a while after the mistake, and frees all that it has. */
	bool goes_on;
	uint16_t edge[SF_EDGES];      /* EDGE: sizes of which every byte may be used */
};

struct sf_scene; /* scratch of building, kept while warm */

/* NULL: the type table has no types of both sorts. */
struct sf_scene *sf_scene_create(const struct sf_scene_options *opt);
void sf_scene_destroy(struct sf_scene *s);
/*
 * Trial number `trial` of a scenario, into `out`. The index of the operation that is the mistake
 * (REUSE: of the free, PLACE: of the last allocation); SF_NONE: there is nothing to misuse.
 */
uint32_t sf_scene_build(struct sf_scene *s, enum sf_scenario what, uint32_t trial,
			struct sf_prog *out);

#endif
