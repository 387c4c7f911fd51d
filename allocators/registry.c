// SPDX-License-Identifier: MIT
/*
 * registry.c - the allocators of this build, in order and by name, made from registry.h.
 */
#include "registry.h"

#include <string.h>

const struct sf_allocator *const sf_allocators[] = {
#define X(name) &sf_##name,
	SF_ALLOCATORS(X)
#undef X
	NULL,
};

const struct sf_allocator *sf_allocator_by_name(const char *name)
{
	for (size_t i = 0; sf_allocators[i]; i++)
		if (!strcmp(sf_allocators[i]->name, name))
			return sf_allocators[i];
	return NULL;
}
