// SPDX-License-Identifier: MIT
/*
 * wild.c - a plug-in with a bug for tests: requests of some sizes crash it, in a function of its
 * own that is not exported.
 */
#include <string.h>

#include <slabfuzz/plugin.h>

static char block[1 << 22];
static size_t used;
static char *volatile nowhere;

__attribute__((noinline)) static void write_wildly(size_t size)
{
	if (size > 3000 && size < 5000)
		*nowhere = 1;
}

static void *take(void *heap, size_t size)
{
	(void)heap;
	write_wildly(size);
	size = size < sizeof(block) ? (size + 31) & ~(size_t)15 : size;
	if (size > sizeof(block) - used)
		return NULL;
	used += size;
	return block + used - size;
}

static void drop(void *heap, void *p)
{
	(void)heap;
	(void)p;
}

static void reset(void *heap)
{
	(void)heap;
	used = 0;
}

/* What is freed is not used again: after 4 MiB even malloc(0) fails. */
SLABFUZZ_PLUGIN(.name = "wild", .traits = "malloc_zero=any", .malloc = take, .free = drop,
		.reset = reset);
