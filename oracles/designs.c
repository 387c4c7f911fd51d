// SPDX-License-Identifier: MIT
/*
 * designs.c - the designs of kmalloc that are known, and which of them a heap announces. See
 * designs.h.
 */
#include "designs.h"

#include <stddef.h>

const struct sf_design sf_designs[SF_DESIGN_ROWS] = {
#define X(id, caps, partitions, by, pointers_from) { caps, partitions, SF_BY_##by, pointers_from },
	SF_DESIGNS(X)
#undef X
};

const struct sf_design *sf_design_of(uint64_t caps)
{
	for (unsigned int i = 0; i < SF_DESIGN_ROWS; i++)
		if (sf_designs[i].caps == (caps & SF_DESIGN_CAPS))
			return &sf_designs[i];
	return NULL;
}
