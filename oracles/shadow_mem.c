// SPDX-License-Identifier: MIT
/*
 * shadow_mem.c - memory for what the judge knows. Relies on the C library; see shadow_mem.h.
 */
#include "shadow_mem.h"

#include <sys/mman.h>

void *sf_shadow_zalloc(size_t nr, size_t size, size_t *bytes)
{
	*bytes += nr * size;
	return sf_zalloc(nr, size);
}

void *sf_shadow_grow(void *p, size_t *cap, size_t need, size_t size, size_t *bytes)
{
	size_t was = *cap;

	p = sf_grow_zeroed(p, cap, need, size);
	*bytes += (*cap - was) * size;
	return p;
}

void sf_shadow_put(struct sf_map *m, uint64_t key, uint32_t value, size_t *bytes)
{
	size_t was = sf_map_bytes(m);

	sf_map_put(m, key, value);
	*bytes += sf_map_bytes(m) - was;
}

void *sf_shadow_map(size_t nr, size_t size, size_t *bytes)
{
	void *p;

	if (!nr)
		return NULL;
	p = mmap(NULL, nr * size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		sf_out_of_memory();
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
