/* SPDX-License-Identifier: MIT */
/*
 * partition.h - which kmalloc cache a request is due: for the other rules of isolation.
 * Relies on judge.h.
 */
#ifndef SLABFUZZ_PARTITION_H
#define SLABFUZZ_PARTITION_H

#include "judge.h"

/* ISO-1 and, where an object moved, ISO-18: is it in the cache that its request selects? */
unsigned int sf_judge_selection(struct sf_judge *j, const struct sf_event *ev,
				enum sf_invariant inv);

#endif
