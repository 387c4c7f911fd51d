// SPDX-License-Identifier: MIT
/*
 * grow.c - grow.h.
 */
#include "grow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *sf_grow(void *old, uint64_t nr, size_t size)
{
	void *mem = nr <= SIZE_MAX / size ? realloc(old, (size_t)nr * size) : NULL;

	if (mem)
		return mem;
	fputs("slabfuzz: out of memory\n", stderr);
	exit(3);
}

void *sf_grow_zeroed(void *old, size_t *cap, size_t need, size_t size)
{
	size_t to = *cap ? *cap : 64;
	char *p;

	if (need <= *cap)
		return old;
	while (to < need)
		to *= 2;
	p = sf_grow(old, to, size);
	memset(p + *cap * size, 0, (to - *cap) * size);
	*cap = to;
	return p;
}
