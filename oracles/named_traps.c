// SPDX-License-Identifier: MIT
/*
 * named_traps.c - the end of a fuzz target's process: one function per invariant, so that stacks
 * differ.
 *
 * Sanitizers and fuzzers tell crashes apart by frames and sizes, and minimisers drift from one bug
 * to another without this. Relies on invariants.h; fuzzer entry points call sf_trap().
 */
#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number makes the functions differ, so that nothing folds them into one. */
#define X(family, nr, cost, needs, setting, marks, statement, source)                      \
	__attribute__((noinline, noreturn, cold)) void sf_violation_##family##_##nr(void); \
	void sf_violation_##family##_##nr(void)                                            \
	{                                                                                  \
		volatile int number = SF_INV_##family##_##nr;                              \
		(void)number;                                                              \
		__builtin_trap();                                                          \
	}
SF_INVARIANTS(X)
#undef X

static void (*const traps[SF_INV_COUNT])(void) = {
#define X(family, nr, cost, needs, setting, marks, statement, source) sf_violation_##family##_##nr,
	SF_INVARIANTS(X)
#undef X
};

void sf_trap(const struct sf_violation *v)
{
	const char *expect = getenv("SLABFUZZ_EXPECT");

	if (expect && *expect && strncmp(v->title, expect, strlen(expect)))
		return;
	fprintf(stderr, "%s\n", v->title);
	if (v->op == SF_NONE)
		fprintf(stderr, "  %s\n", v->detail);
	else
		fprintf(stderr, "  at operation %u: %s\n", v->op, v->detail);
	fflush(stderr);
	if (v->invariant < SF_INV_COUNT)
		traps[v->invariant]();
	abort();
}
