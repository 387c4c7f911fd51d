/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.h - allocation by size: kmalloc.c, after mm/slab_common.c, mm/slub.c and
 * include/linux/slab.h of Linux 7.2.
 */
#ifndef SLABFUZZ_KMALLOC_H
#define SLABFUZZ_KMALLOC_H

#include "arena.h"

/*
 * Makes all caches that kmalloc has at boot. False, and one line in `err`: no memory on the host.
 */
bool kmalloc_init(struct sf_heap *h, struct sf_error *err);
/*
 * Is it neither charged, reclaimable nor for DMA, and from no set of buckets? Such requests are
 * what a policy divides (kmalloc_type() of include/linux/slab.h).
 */
bool kmalloc_is_ordinary(const struct sf_heap *h, const struct sf_request *rq);
/* The interface's alloc(), realloc(), free(), usable(). */
void kmalloc_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs);
void kmalloc_realloc(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
		     struct sf_result *rs);
void kmalloc_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how, struct sf_result *rs);
uint64_t kmalloc_usable(struct sf_heap *h, uint64_t addr);

/*
 * How far into its slot an object of the slab at frame `head` begins, bytes: 0 without the setting
 * slot_offset.
 */
static inline uint64_t offset_in_slot(const struct sf_heap *h, const struct kcache *s,
				      uint32_t head, uint64_t addr)
{
	return h->set.slot_offset ? (addr - slab_addr(h, head)) % s->stride : 0;
}

#endif
