/* SPDX-License-Identifier: MIT */
/*
 * heap_check.h - is a whole heap sound? For unit tests around each operation, for a debugger, and
 * for assertions of level 2 (heap_assert.h).
 */
#ifndef SLABFUZZ_HEAP_CHECK_H
#define SLABFUZZ_HEAP_CHECK_H

struct sf_heap;

/*
 * Walks all structures of a heap that is in no call: every free list and per-CPU list, every page
 * descriptor, slab, free object, sheaf, cache, area, pool, charge, tracked object and callback, and
 * compares them with each other and with every counter. NULL, or the first fault as one line, valid
 * until the next call for this heap. Changes nothing else, and emits nothing. Costs what the arena
 * holds. What misuse has done to a heap may well be a fault.
 */
const char *heap_check(struct sf_heap *h);

#endif
