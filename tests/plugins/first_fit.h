/* SPDX-License-Identifier: MIT */
/*
 * first_fit.h - a small allocator for one block of memory, as firmware has them: the subject of the
 * example in docs/plugin.md. It knows nothing of slabfuzz.
 */
#ifndef FIRST_FIT_H
#define FIRST_FIT_H

#include <stddef.h>

struct ff_heap;

/* NULL: the block is too small. Objects are aligned to 16 bytes. */
struct ff_heap *ff_init(void *block, size_t size);
void *ff_malloc(struct ff_heap *h, size_t size);
void *ff_memalign(struct ff_heap *h, size_t align, size_t size);
void *ff_realloc(struct ff_heap *h, void *p, size_t size);
void ff_free(struct ff_heap *h, void *p);

#endif
