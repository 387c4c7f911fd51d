/* SPDX-License-Identifier: MIT */
/*
 * shuffle.h - the order of the largest free blocks (shuffle.c), after mm/shuffle.c of Linux 7.2.
 * For page_alloc.c alone.
 */
#ifndef SLABFUZZ_SHUFFLE_H
#define SLABFUZZ_SHUFFLE_H

#include "heap.h"

/* At boot, once the free lists are made: mm/shuffle.c:__shuffle_free_memory. */
void shuffle_zone(struct sf_heap *h);
/* Does a freed block of the largest order go to the tail (mm/shuffle.c:shuffle_pick_tail)? */
bool shuffle_pick_tail(struct sf_heap *h);
/* Random bits that were not used up are none any more. */
void shuffle_reset(struct sf_heap *h);

#endif
