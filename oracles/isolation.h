/* SPDX-License-Identifier: MIT */
/*
 * isolation.h - pages that left a slab or a user with live objects on them. intake.c
 * relies on it.
 */
#ifndef SLABFUZZ_ISOLATION_H
#define SLABFUZZ_ISOLATION_H

#include <stdint.h>

struct sf_judge;
struct sf_event;

/* ISO-14: the free that goes with pages that left has been reported, or must have been by now. */
void sf_leaving_settle(struct sf_judge *j, const struct sf_event *ev);
void sf_leaving_drop(struct sf_judge *j, uint64_t pfn, unsigned int order);

#endif
