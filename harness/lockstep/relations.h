/* SPDX-License-Identifier: MIT */
/*
 * relations.h - programs that an allocator must treat alike: one table. A relation makes of any
 * program another one, and says which operation of it corresponds to which; what may differ between
 * the two is a column, all else is held. Relies on properties.h and programs; members of a lockstep
 * may be under one (member.h).
 */
#ifndef SLABFUZZ_RELATIONS_H
#define SLABFUZZ_RELATIONS_H

#include "../exec/exec.h"
#include "../program/program.h"
#include "properties.h"

/*
 * SF_RELATIONS(X): X(IDENTIFIER, name, what may differ, what more may differ where an allocator
 * places by rules of its own, who makes it (make_MAKE() of relations.c), how often that runs before
 * it is compared, what is done to the program).
 *
 * Operations that are put in move the numbers of operations and objects, which whole events have.
 * What allocates, or is done in another order, gets other memory. Who is no kernel's allocator may
 * round by what is free, and tidy up when asked for what it has not.
 */
#define SF_RELATIONS(X)                                                                   \
	X(AGAIN, "again", 0, 0, same, 2, "the same program twice: after a reset")         \
	X(CHECKS, "checks", SF_PROP(WHOLE), 0, checks, 1, "checks put in")                \
	X(BYTES, "bytes", 0, 0, bytes, 1, "through bytes and text, and back")             \
	X(FRESH, "fresh", SF_LAYOUT, SF_WHERE, fresh, 1,                                  \
	  "an allocation of a fresh cache and its free put in")                           \
	X(FAILING, "failing", SF_PROP(WHOLE), SF_WHERE, failing, 1,                       \
	  "requests put in that must fail, and change nothing")                           \
	X(EXCHANGED, "exchanged", SF_LAYOUT, SF_WHERE, exchanged, 1,                      \
	  "neighbouring operations on unrelated objects exchanged")                       \
	X(RENAMED, "renamed", SF_PROP(WHOLE), 0, renamed, 1,                              \
	  "caches under other names, other bytes written to objects")

enum sf_relation {
	SF_RELATION_NONE,
#define X(id, ...) SF_RELATION_##id,
	SF_RELATIONS(X)
#undef X
	SF_RELATION_COUNT,
};

/* A program made of another one. Zeroed there is none yet; it keeps its memory. */
struct sf_related {
	struct sf_prog prog;
	uint32_t *at;     /* of each operation of the other one: its number here */
	uint32_t nr, cap; /* operations of the other one */
};

struct sf_relation_info {
	const char *name, *doc;
	/* False with one line in `err`: the two are not what they must be before anything runs. */
	bool (*make)(const struct sf_prog *p, const struct sf_allocator *a, struct sf_related *to,
		     struct sf_error *err);
	uint32_t rounds; /* how often it runs; the last time is compared */
};

/* By enum sf_relation; that of SF_RELATION_NONE has no name. */
extern const struct sf_relation_info sf_relations[SF_RELATION_COUNT];

/* What stands before the names of caches in one that is renamed; 0: not in front of this. */
size_t sf_renamed_prefix(const char *name);
/* What a relation wants of the executor besides a program. */
void sf_relation_exec(enum sf_relation r, struct sf_exec_options *opt);
/* SF_RELATION_NONE: there is none of that name. */
enum sf_relation sf_relation_by_name(const char *name, size_t len);
/* What may differ between a program and what a relation made of it, on this allocator. */
sf_property_set sf_relation_reach(enum sf_relation r, const struct sf_allocator *a);
/* Was this operation of the other program exchanged with a neighbour of it? */
bool sf_related_moved(const struct sf_related *r, uint32_t nr);
void sf_related_free(struct sf_related *r);

#endif
