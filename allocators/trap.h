/* SPDX-License-Identifier: MIT */
/*
 * trap.h - stores that may fault (trap.c).
 */
#ifndef SLABFUZZ_TRAP_H
#define SLABFUZZ_TRAP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Calls store(ctx). False if it wrote into p[0..len) what cannot be written there: it was left at
 * that store. Any other fault is what it would be without this. One thread at a time.
 */
bool trap_store(const void *p, uint64_t len, void (*store)(void *ctx), void *ctx);

#endif
