// SPDX-License-Identifier: MIT
/*
 * shadow_mem.c - memory for what the judge knows. Relies on the C library; see shadow_mem.h.
 */
#include "shadow_mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void out_of_memory(void)
{
	fputs("slabfuzz: out of memory in the judge\n", stderr);
	abort();
}

void *sf_shadow_zalloc(size_t nr, size_t size, size_t *bytes)
{
	void *p = calloc(nr ? nr : 1, size);

	if (!p)
		out_of_memory();
	*bytes += nr * size;
	return p;
}

void *sf_shadow_grow(void *p, size_t *cap, size_t need, size_t size, size_t *bytes)
{
	size_t to = *cap ? *cap : 64;

	if (need <= *cap)
		return p;
	while (to < need)
		to *= 2;
	p = realloc(p, to * size);
	if (!p)
		out_of_memory();
	memset((char *)p + *cap * size, 0, (to - *cap) * size);
	*bytes += (to - *cap) * size;
	*cap = to;
	return p;
}

void *sf_shadow_map(size_t nr, size_t size, size_t *bytes)
{
	void *p;

	if (!nr)
		return NULL;
	p = mmap(NULL, nr * size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		out_of_memory();
	*bytes += nr * size;
	return p;
}

void sf_shadow_unmap(void *p, size_t nr, size_t size, size_t *bytes)
{
	if (!p)
		return;
	munmap(p, nr * size);
	*bytes -= nr * size;
}
