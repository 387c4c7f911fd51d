/* SPDX-License-Identifier: MIT */
/*
 * maps.h - the process's own memory map, as far as it concerns the arena's frames (maps.c). For
 * pools.
 */
#ifndef SLABFUZZ_MAPS_H
#define SLABFUZZ_MAPS_H

#include "heap.h"

/* False, and one line in `err`: /proc/self/maps cannot be read. */
bool maps_init(struct sf_heap *h, struct sf_error *err);
void maps_free(struct sf_heap *h);
/*
 * Emits the mappings of the arena's frames, as /proc/self/maps has them now, one by one and then
 * MAPS with the rest of the arguments. Nothing happens if sink is NULL.
 */
void maps_emit(struct sf_heap *h, struct sf_sink *sink, enum sf_maps_when when, uint32_t pool,
	       uint64_t addr, uint64_t size);

#endif
