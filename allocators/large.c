// SPDX-License-Identifier: MIT
/*
 * large.c - slabs of 2 MiB for objects that fit better there (proposed in 2018 for the
 * deduplication index of dm-bufio, whose objects of 640 KiB take 1 MiB each).
 *
 * A cache is large if 2 MiB hold more of its objects as one slab than as the slabs that it would
 * have otherwise. All slabs of a large cache are blocks of order 9. If there is none, a request
 * fails: it is not met by a smaller slab, for who asks for such objects has a fallback of his own
 * (kvmalloc() is one). But one attempt is made with all that the caller's flags allow, and
 * __GFP_NORETRY means one round of that, not a half one (page_alloc_whole()). What is freed is not
 * kept: no sheaves, no empty slabs, unless large_sheaf and large_min_partial say so (cache.c).
 *
 * Sizes of kmalloc() above 32 KiB that fit better there lie in such caches too, one for each number
 * of objects in 2 MiB (kmalloc.c); up to there callers rely on kmalloc() not to fail. They are
 * aligned to a page and no more, where Documentation/core-api/memory-allocation.rst promises the
 * largest power of two that divides the size, and large kmalloc keeps that.
 */
#include "model.h"

/* Sizes of up to a page are packed well enough by slabs of any order. */
static bool fits_better(uint64_t stride, uint64_t otherwise)
{
	return stride > SF_PAGE_SIZE && (SF_PAGE_SIZE << LARGE_ORDER) / stride > otherwise;
}

static const struct policy large_policy = {
	.partitions = 1,
	.is_large = fits_better,
};

static struct sf_heap *large_create(const struct sf_allocator *self,
				    const struct sf_settings *set, struct sf_sink *sink,
				    struct sf_error *err)
{
	return heap_create(self, &large_policy, set, sink, err);
}

const struct sf_allocator sf_large = {
	SF_MODEL(SF_CAP_LARGE, 0),
	.name = "large",
	.summary = "objects larger than a page that fit better there in slabs of 2 MiB, or nowhere",
	.create = large_create,
};
