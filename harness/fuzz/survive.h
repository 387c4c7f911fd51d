/* SPDX-License-Identifier: MIT */
/*
 * survive.h - a call that may crash without ending the process (survive.c): for long runs, in which
 * a find must not keep others from being made.
 */
#ifndef SLABFUZZ_SURVIVE_H
#define SLABFUZZ_SURVIVE_H

#include <stdbool.h>

#include "where.h"

/* Takes the signals of crashes from now on: those within sf_survive(), all others are passed on. */
void sf_survive_setup(void);
/*
 * Calls fn(ctx). False: a signal ended that; `crash` is its title ("ASan: SEGV in slab_free"). What
 * fn() was about is in any state: locks may be held, memory is lost.
 */
bool sf_survive(void (*fn)(void *ctx), void *ctx, char crash[SF_CRASH_MAX]);
/* In a handler of another signal: the title that a crash of that name would have there. */
void sf_survive_title(const char *name, const void *context, char crash[SF_CRASH_MAX]);

#endif
