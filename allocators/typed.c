// SPDX-License-Identifier: MIT
/*
 * typed.c - KMALLOC_PARTITION_TYPED of Linux 7.2: sixteen copies of the ordinary kmalloc caches,
 * chosen by the allocation token that the compiler infers from the type allocated.
 *
 * Tokens 0 to 7 are types without pointers, 8 to 15 those with (clang's typehashpointersplit), so
 * that no cache holds both; what has no type that could be inferred has token 0. The same in every
 * boot. Only ordinary kmalloc is spread: what is charged, reclaimable or for DMA, what comes from a
 * bucket, and what is larger than 8 KiB goes where it went before (kmalloc.c).
 */
#include "model.h"

#define PARTITIONS 16u

/* include/linux/slab.h:kmalloc_type: the token is the type's number. */
static unsigned int typed_partition(const struct sf_heap *h, const struct sf_request *rq)
{
	(void)h;
	return rq->token % PARTITIONS;
}

static const struct policy typed_policy = {
	.partition = typed_partition,
	.partitions = PARTITIONS,
};

static struct sf_heap *typed_create(const struct sf_allocator *self,
				    const struct sf_settings *set, struct sf_sink *sink,
				    struct sf_error *err)
{
	return heap_create(self, &typed_policy, set, sink, err);
}

const struct sf_allocator sf_typed = {
	SF_MODEL(SF_CAP_TYPED, 0),
	.name = "typed",
	.summary = "ordinary kmalloc in 16 partitions, by the type's allocation token",
	.create = typed_create,
};
