/* SPDX-License-Identifier: MIT */
/*
 * each_allocator.h - what holds for every allocator of this build that can something is tested on
 * each of them, whichever they are. Relies on allocator.h.
 */
#ifndef SLABFUZZ_TEST_EACH_ALLOCATOR_H
#define SLABFUZZ_TEST_EACH_ALLOCATOR_H

#include "../allocators/allocator.h"

/* A loop over those that have all of these capabilities. */
#define FOR_EACH_ALLOCATOR(a, needs)                                                       \
	for (const struct sf_allocator *const *each_ = sf_allocators, *a; (a = *each_);    \
	     each_++)                                                                      \
		if ((uint64_t)(needs) & ~a->caps)                                          \
			continue;                                                          \
		else

#endif
