/* SPDX-License-Identifier: MIT */
/*
 * boot_runs.h - drives an allocator through many boots: a heap with a seed of its own each time,
 * and the same few operations, chosen to show what oracles/boots.h judges.
 */
#ifndef SLABFUZZ_HARNESS_BOOTS_H
#define SLABFUZZ_HARNESS_BOOTS_H

#include "../../allocators/allocator.h"

/*
 * `set` with seeds set->seed, set->seed + 1, … False with a line in `err`: a heap was refused.
 */
bool sf_boots_drive(const struct sf_allocator *a, const struct sf_settings *set, uint32_t boots,
		    void (*emit)(void *ctx, const struct sf_event *ev), void *ctx,
		    struct sf_error *err);

#endif
