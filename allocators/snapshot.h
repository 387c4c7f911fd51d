/* SPDX-License-Identifier: MIT */
/*
 * snapshot.h - walks of a heap (snapshot.c): the interface's place() and walk(). Nothing is changed
 * but h->walk_buf and h->order_buf.
 */
#ifndef SLABFUZZ_SNAPSHOT_H
#define SLABFUZZ_SNAPSHOT_H

#include "heap.h"

/* The interface's walk(): SNAP_BEGIN to SNAP_END to `sink`. */
void snapshot_walk(struct sf_heap *h, struct sf_sink *sink, bool touched, bool final);
/* The interface's place(), of any address; SF_PLACE_NOWHERE where nothing is. */
void snapshot_place(struct sf_heap *h, uint64_t addr, struct sf_place *pl);

#endif
