/* SPDX-License-Identifier: MIT */
/*
 * buddy.h - what the rules of the page allocator hold back until more is known. intake.c
 * relies on it.
 */
#ifndef SLABFUZZ_BUDDY_H
#define SLABFUZZ_BUDDY_H

#include <stdint.h>

struct sf_judge;

/*
 * BUD-8: a fault that was held back is raised, or dropped if it is the page's. A block that is
 * given back in the same operation had no user.
 */
void sf_held_raise(struct sf_judge *j);
void sf_held_drop(struct sf_judge *j, uint64_t pfn);

#endif
