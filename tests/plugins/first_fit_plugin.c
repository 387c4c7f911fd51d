// SPDX-License-Identifier: MIT
#include <slabfuzz/plugin.h>

#include "first_fit.h"

static void *create_at(void *block, size_t size)
{
	return ff_init(block, size);
}

static void *alloc(void *heap, size_t size)
{
	return ff_malloc(heap, size);
}

static void *memalign(void *heap, size_t align, size_t size)
{
	return ff_memalign(heap, align, size);
}

static void *resize(void *heap, void *p, size_t size)
{
	return ff_realloc(heap, p, size);
}

static void give_back(void *heap, void *p)
{
	ff_free(heap, p);
}

SLABFUZZ_PLUGIN(.name = "first_fit", .summary = "first fit in one block",
		.traits = "error=0 align_small=1", .create_at = create_at, .malloc = alloc,
		.free = give_back, .realloc = resize, .memalign = memalign);
