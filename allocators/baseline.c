// SPDX-License-Identifier: MIT
/*
 * baseline.c - the allocator as Linux 7.2 has it without kmalloc partitions: there is but one.
 */
#include "model.h"

static const struct policy baseline_policy = {
	.partitions = 1,
};

static struct sf_heap *baseline_create(const struct sf_allocator *self,
				       const struct sf_settings *set, struct sf_sink *sink,
				       struct sf_error *err)
{
	return heap_create(self, &baseline_policy, set, sink, err);
}

const struct sf_allocator sf_baseline = {
	SF_MODEL(0, 0),
	.name = "baseline",
	.summary = "buddy and SLUB-style slabs with sheaves, as in Linux 7.2; no partitions",
	.create = baseline_create,
};
