/* SPDX-License-Identifier: MIT */
/*
 * shadow_mem.h - memory for what the judge knows: running out ends the process, every byte is
 * counted. Relies on nothing; every part of the shadow relies on it.
 */
#ifndef SLABFUZZ_SHADOW_MEM_H
#define SLABFUZZ_SHADOW_MEM_H

#include "../allocators/base/hash_map.h"

/* grow.h's, counted in *bytes. */
void *sf_shadow_zalloc(size_t nr, size_t size, size_t *bytes);
void *sf_shadow_grow(void *p, size_t *cap, size_t need, size_t size, size_t *bytes);
/* hash_map.h's, likewise. */
void sf_shadow_put(struct sf_map *m, uint64_t key, uint32_t value, size_t *bytes);
/*
 * For tables as long as a window, of which little is ever touched: a leak checker at a process' end
 * would read, and so make, every page of what malloc() gave.
 */
void *sf_shadow_map(size_t nr, size_t size, size_t *bytes);
void sf_shadow_unmap(void *p, size_t nr, size_t size, size_t *bytes);

#endif
