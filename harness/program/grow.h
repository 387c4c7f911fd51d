/* SPDX-License-Identifier: MIT */
/*
 * grow.h - tables of the harness that grow. Relies on nothing. Without memory the process ends: not
 * what an allocator under test gets is meant.
 */
#ifndef SLABFUZZ_GROW_H
#define SLABFUZZ_GROW_H

#include <stddef.h>
#include <stdint.h>

/* `old`, or NULL, as `nr` entries of `size` bytes; new ones are whatever they are. */
void *sf_grow(void *old, uint64_t nr, size_t size);

/* A table of *cap entries, doubled until it has `need`; the new ones are zero. */
void *sf_grow_zeroed(void *old, size_t *cap, size_t need, size_t size);

#endif
