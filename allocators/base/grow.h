/* SPDX-License-Identifier: MIT */
/*
 * grow.h - arrays that grow.
 *
 * No rule of any allocator lives in this folder, which is why both sides may include it. Without
 * memory for bookkeeping the process ends, with one line and exit status 3: a result could not be
 * trusted any more, and what an allocator under test gets is not meant. Relies on libc only.
 */
#ifndef SLABFUZZ_BASE_GROW_H
#define SLABFUZZ_BASE_GROW_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static inline void sf_out_of_memory(void)
{
	fputs("slabfuzz: out of memory\n", stderr);
	exit(3);
}

#ifdef __clang_analyzer__
/* It looks at one function at a time, and would take what others have written for garbage. */
void *sf_grow(void *old, uint64_t nr, size_t size);
void *sf_zalloc(size_t nr, size_t size);
#else
/* `old`, or NULL, as `nr` entries of `size` bytes; new ones are whatever they are. Never NULL. */
static inline void *sf_grow(void *old, uint64_t nr, size_t size)
{
	void *mem = nr <= SIZE_MAX / size ? realloc(old, nr ? (size_t)nr * size : 1) : NULL;

	if (!mem)
		sf_out_of_memory();
	return mem;
}

/* `nr` entries of `size` bytes, all zero. Never NULL. */
static inline void *sf_zalloc(size_t nr, size_t size)
{
	void *mem = calloc(nr ? nr : 1, size);

	if (!mem)
		sf_out_of_memory();
	return mem;
}
#endif

/* An array of *cap entries, doubled until it has `need`; the new ones are zero. */
static inline void *sf_grow_zeroed(void *old, size_t *cap, size_t need, size_t size)
{
	size_t to = *cap ? *cap : 64;
	char *p;

	if (__builtin_expect(need <= *cap, 1))
		return old;
	while (to < need)
		to *= 2;
	p = sf_grow(old, to, size);
	memset(p + *cap * size, 0, (to - *cap) * size);
	*cap = to;
	return p;
}

/* Room for one more element, which is not cleared; `cap` doubles. */
#define SF_GROW(array, nr, cap)                                                \
	do {                                                                   \
		if ((nr) == (cap)) {                                           \
			(cap) = (cap) ? 2 * (cap) : 16;                        \
			(array) = sf_grow((array), (cap), sizeof(*(array)));   \
		}                                                              \
	} while (0)

#endif
