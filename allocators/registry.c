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

const struct sf_allocator *const sf_other_allocators[] = {
#define X(name) &sf_##name,
	SF_OTHER_ALLOCATORS(X)
#undef X
	NULL,
};

static const struct sf_allocator *named(const struct sf_allocator *const *a, const char *name)
{
	while (*a && strcmp((*a)->name, name))
		a++;
	return *a;
}

const struct sf_allocator *sf_allocator_by_name(const char *name)
{
	const struct sf_allocator *a = named(sf_allocators, name);

	return a ? a : named(sf_other_allocators, name);
}
