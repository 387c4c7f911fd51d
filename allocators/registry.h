/* SPDX-License-Identifier: MIT */
/*
 * registry.h - the one list of the allocators in this build. A variant is a file and a row here.
 *
 * registry.c makes sf_allocators[] of it, and model.h declares to a variant's file its own table;
 * nothing else includes this, so that a new row rebuilds those few objects. Whoever wants an
 * allocator asks for it by name, or goes through sf_allocators[] (allocator.h).
 */
#ifndef SLABFUZZ_REGISTRY_H
#define SLABFUZZ_REGISTRY_H

#include "allocator.h"

/* SF_ALLOCATORS(X): X(name), of the table sf_<name>, in the order in which they are listed. */
#define SF_ALLOCATORS(X) \
	X(baseline)      \
	X(random)        \
	X(typed)         \
	X(large)         \
	X(protected)

/* Those that are asked for by name alone: they are of another sort, and no part of `all`. */
#define SF_OTHER_ALLOCATORS(X) \
	X(reference)

#define X(name) extern const struct sf_allocator sf_##name;
SF_ALLOCATORS(X)
SF_OTHER_ALLOCATORS(X)
#undef X

#endif
