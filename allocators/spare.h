/* SPDX-License-Identifier: MIT */
/*
 * spare.h - arenas of heaps that are gone, closed and clean, for the next heap (spare.c). To map
 * 16 MiB and to poison it costs as much as dozens of short programs. An arena that is kept is
 * indistinguishable from a new one, so no event depends on it.
 *
 * The only state of allocators/ that outlives a heap. It belongs to the process, under a lock:
 * heaps stay independent, each with a thread of its own.
 */
#ifndef SLABFUZZ_SPARE_H
#define SLABFUZZ_SPARE_H

#include "heap.h"

/*
 * An arena of at least `pages` frames, `shared` (pools) or not. True: *a is it, with the `pages` of
 * the heap that had it, and the caller's from now on. False: there is none, *a is as it was.
 */
bool spare_take(struct arena *a, uint32_t pages, bool shared);
/*
 * True: *a is kept, its mappings and tables are no longer the caller's. False: it is too large, or
 * too many are kept. All frames are zero and poisoned, all descriptors and windows zero.
 */
bool spare_keep(const struct arena *a);
/* The one that was kept for longest is the caller's again: *a. False: none is kept. */
bool spare_drop(struct arena *a);

#endif
