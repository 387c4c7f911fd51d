// SPDX-License-Identifier: MIT
/*
 * designs.c - the designs of kmalloc that are known, and which of them a heap announces. See
 * designs.h.
 */
#include "designs.h"

#include <stddef.h>

static const struct sf_design designs[] = {
#define X(id, caps, partitions, by, pointers_from) { caps, partitions, SF_BY_##by, pointers_from },
	SF_DESIGNS(X)
#undef X
};

const struct sf_design *sf_design_of(uint64_t caps)
{
	for (size_t i = 0; i < sizeof(designs) / sizeof(designs[0]); i++)
		if (designs[i].caps == (caps & SF_DESIGN_CAPS))
			return &designs[i];
	return NULL;
}
