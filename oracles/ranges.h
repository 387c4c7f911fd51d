/* SPDX-License-Identifier: MIT */
/*
 * ranges.h - the shadow of several threads: which addresses are whose, and whether two have one.
 * Relies on nothing of the allocator and on no C library at work (a thread may be another one's):
 * all memory is there from the beginning. harness/lockstep/concurrent.c relies on it.
 *
 * What an allocator handed out is claimed after it did, and dropped before it is given back: so two
 * that are claimed at once were handed out at once, whoever was faster.
 */
#ifndef SLABFUZZ_RANGES_H
#define SLABFUZZ_RANGES_H

#include <stdbool.h>
#include <stdint.h>

struct sf_ranges;

/* For so many ranges at once. NULL: no memory. */
struct sf_ranges *sf_ranges_create(uint32_t most);
void sf_ranges_free(struct sf_ranges *r);
/* Nothing is claimed. Not while others are at work. */
void sf_ranges_clear(struct sf_ranges *r);

/*
 * [addr, addr + size) is `owner`'s, a number. False: some of it is another's, *other; of two that
 * claim at once one at least is told. It is claimed all the same. Nothing for size 0.
 */
bool sf_ranges_claim(struct sf_ranges *r, uint64_t addr, uint64_t size, uint32_t owner,
		     uint32_t *other);
/* It was claimed with just these. */
void sf_ranges_drop(struct sf_ranges *r, uint64_t addr, uint64_t size, uint32_t owner);
/* Claimed and not dropped. Not while others are at work. */
uint32_t sf_ranges_count(const struct sf_ranges *r);

#endif
