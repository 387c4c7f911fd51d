/* SPDX-License-Identifier: MIT */
/*
 * survive.h - a call that may crash without ending the process (survive.c): for long runs, in which
 * a find must not keep others from being made.
 */
#ifndef SLABFUZZ_SURVIVE_H
#define SLABFUZZ_SURVIVE_H

#include <stdbool.h>

enum { SF_CRASH_MAX = 80 };

/* Takes the signals of crashes from now on: those within sf_survive(), all others are passed on. */
void sf_survive_setup(void);
/*
 * Calls fn(ctx). False: a signal ended that; `crash` says which, and where in the program's file
 * ("SIGSEGV at +0x1234 +0x5678": of the same crash of the same file always the same text). What
 * fn() was about is in any state: locks may be held, memory is lost.
 */
bool sf_survive(void (*fn)(void *ctx), void *ctx, char crash[SF_CRASH_MAX]);

#endif
