// SPDX-License-Identifier: MIT
/*
 * random.c - KMALLOC_PARTITION_RANDOM of Linux 7.2: sixteen copies of the ordinary kmalloc caches,
 * chosen by a hash of the call site and a seed that each boot draws.
 *
 * One call site always gets the same copy; which one, and who else gets it, an attacker cannot know
 * beforehand. Only ordinary kmalloc is spread: what is charged, reclaimable or for DMA, what comes
 * from a bucket, and what is larger than 8 KiB goes where it went before (kmalloc.c).
 */
#include "model.h"

#define PARTITION_BITS 4
#define GOLDEN_RATIO_64 0x61C8864680B583EBull /* include/linux/hash.h */

/*
 * The upper bits of hash_64(code location ^ seed): include/linux/slab.h:kmalloc_type,
 * include/linux/hash.h:hash_64_generic. What all code locations have in common is in the key.
 */
static unsigned int random_partition(const struct sf_heap *h, const struct sf_request *rq)
{
	uint64_t token = (sf_code_location(rq->site) - sf_code_location(0)) ^ h->partition_key;

	return (unsigned int)(token * GOLDEN_RATIO_64 >> (64 - PARTITION_BITS));
}

static const struct policy random_policy = {
	.partition = random_partition,
	.partitions = 1u << PARTITION_BITS,
};

static struct sf_heap *random_create(const struct sf_allocator *self,
				     const struct sf_settings *set, struct sf_sink *sink,
				     struct sf_error *err)
{
	return heap_create(self, &random_policy, set, sink, err);
}

const struct sf_allocator sf_random = {
	SF_MODEL(SF_CAP_RANDOM, 0),
	.name = "random",
	.summary = "ordinary kmalloc in 16 partitions, by call site and a seed drawn at boot",
	.create = random_create,
};
