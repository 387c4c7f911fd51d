// SPDX-License-Identifier: MIT
/*
 * protected.c - memory that is written once and then sealed: pmalloc, as proposed for Linux in 2018
 * and never merged.
 *
 * What is kmalloc's stays as in baseline.c. Beside it there are pools (pool.c): a pool is filled,
 * object after object, and then sealed, from where on a store faults, whoever makes it. What was
 * sealed changes by rare writes alone, if the pool was made for them, or goes with the whole pool.
 * Sealed are the addresses that users of the objects have. The same frames are in the direct map
 * too, as all memory is: the setting `directmap` says whether they can be written there, as the
 * critics of the series said that they can, or are sealed there as well.
 */
#include "model.h"

static const struct policy protected_policy = {
	.partitions = 1,
	.pools = true,
};

static struct sf_heap *protected_create(const struct sf_allocator *self,
					const struct sf_settings *set, struct sf_sink *sink,
					struct sf_error *err)
{
	return heap_create(self, &protected_policy, set, sink, err);
}

const struct sf_allocator sf_protected = {
	SF_MODEL(SF_CAP_POOLS, 0),
	SF_MODEL_POOLS,
	.name = "protected",
	.summary = "pools of memory that is sealed read-only, and rare writes to it",
	.create = protected_create,
};
