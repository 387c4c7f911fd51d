/* SPDX-License-Identifier: MIT */
/*
 * rules.h - the kernel's arithmetic as the oracles know it: size classes, orders, watermarks,
 * flags.
 *
 * Written from the kernel's documentation of these rules and from nothing in allocators/: a rule
 * that is shared with what is judged checks nothing. Relies on the contract headers; every oracle
 * relies on it.
 */
#ifndef SLABFUZZ_RULES_H
#define SLABFUZZ_RULES_H

#include "../allocators/allocator.h"

#define SF_KMALLOC_CACHE_MAX 8192u    /* KMALLOC_MAX_CACHE_SIZE */
#define SF_KMALLOC_MAX (4096ull << 10) /* KMALLOC_MAX_SIZE */
#define SF_KVMALLOC_MAX 0x7fffffffull /* INT_MAX */
#define SF_MAX_ORDER 10u
#define SF_COSTLY_ORDER 3u            /* PAGE_ALLOC_COSTLY_ORDER */
#define SF_PCP_HUGE_ORDER 9u          /* the one order above 3 that has per-CPU lists */
#define SF_LARGE_ORDER 9u             /* of the slabs of large caches */
#define SF_LARGE_PAGES 512ull
#define SF_WIDE_POW2(n) (1ull << (64 - __builtin_clzll((n) - 1)))

/* Size class of 1..8192 (mm/slab_common.c:kmalloc_size_index). */
static inline uint32_t sf_class_of(uint64_t size)
{
	if (size <= 8)
		return 8;
	if (size > 64 && size <= 96)
		return 96;
	if (size > 128 && size <= 192)
		return 192;
	return (uint32_t)SF_WIDE_POW2(size);
}

/*
 * Size class under the setting type_align: the smallest that holds `size` and whose objects all lie
 * at multiples of the type's alignment.
 */
static inline uint32_t sf_type_class(const struct sf_settings *set, uint64_t size,
				     uint32_t type_align)
{
	uint32_t class = sf_class_of(size);

	if (!set->type_align || type_align <= 8)
		return class;
	while (class < SF_KMALLOC_CACHE_MAX && (class & -class) < type_align)
		class = sf_class_of(class + 1);
	return class;
}

/* get_order(): smallest block that holds `size`, which is not 0. 52 and more: no such block. */
static inline unsigned int sf_order_of(uint64_t size)
{
	return size <= SF_PAGE_SIZE ? 0 : 52 - (unsigned int)__builtin_clzll(size - 1);
}

/* kmalloc_size_roundup() (mm/slab_common.c). */
static inline uint64_t sf_roundup(uint64_t size)
{
	if (!size || size > SF_KMALLOC_MAX)
		return size;
	if (size <= SF_KMALLOC_CACHE_MAX)
		return sf_class_of(size);
	return SF_PAGE_SIZE << sf_order_of(size);
}

/*
 * LARGE: pages of the slot that kmalloc() of `size` bytes gets in a block of 2 MiB; 0: it gets
 * none. Below 32 KiB callers rely on what does not fail; above, slots must fit better than blocks
 * that are powers of two.
 */
static inline uint32_t sf_large_slot(uint64_t size)
{
	uint64_t pages = size / SF_PAGE_SIZE + (size % SF_PAGE_SIZE != 0), n;

	if (size <= SF_PAGE_SIZE << SF_COSTLY_ORDER || pages > SF_LARGE_PAGES)
		return 0;
	n = SF_LARGE_PAGES / pages;
	return n > (SF_LARGE_PAGES << SF_PAGE_SHIFT) / SF_WIDE_POW2(size) ?
		       (uint32_t)(SF_LARGE_PAGES / n) : 0;
}

/* Pages that `size` bytes take; rounds up, never wraps. */
static inline uint64_t sf_pages_of(uint64_t size)
{
	return size / SF_PAGE_SIZE + (size % SF_PAGE_SIZE != 0);
}

/* The setting `accounting`, as it is spelled. */
enum sf_accounting {
	SF_ACCOUNTING_NONE,
	SF_ACCOUNTING_INDIRECT,
	SF_ACCOUNTING_RECLAIMABLE,
};

/* Does gfp select a kmalloc-rcl cache? Only since there are some (4.20). */
static inline bool sf_selects_rcl(const struct sf_settings *set, uint32_t gfp)
{
	return (gfp & SF_GFP_RECLAIMABLE) && set->accounting == SF_ACCOUNTING_RECLAIMABLE;
}

/* Kind of kmalloc cache that gfp selects (include/linux/slab.h:kmalloc_type). */
static inline enum sf_cache_kind sf_kind_of(const struct sf_settings *set, uint32_t gfp)
{
	if ((gfp & SF_GFP_DMA) && set->zone_dma)
		return SF_CACHE_KMALLOC_DMA;
	if (sf_selects_rcl(set, gfp))
		return SF_CACHE_KMALLOC_RCL;
	if ((gfp & SF_GFP_ACCOUNT) && set->memcg && !set->nokmem)
		return SF_CACHE_KMALLOC_CG;
	return SF_CACHE_KMALLOC;
}

/* ... and whether it selects ordinary kmalloc, the only one that has partitions. */
static inline bool sf_is_ordinary(const struct sf_settings *set, uint32_t gfp)
{
	return !((gfp & SF_GFP_DMA) && set->zone_dma) && !sf_selects_rcl(set, gfp) &&
	       !((gfp & SF_GFP_ACCOUNT) && set->memcg);
}

/* Partition of a call site: hash_64() of its address and the seed, in 4 bits. */
static inline uint8_t sf_site_partition(uint32_t site, uint64_t seed)
{
	return (uint8_t)((sf_code_location(site) ^ seed) * 0x61c8864680b583ebull >> 60);
}

/*
 * What selects a kmalloc cache, in one number: equal numbers, equal caches. 0: nothing can be
 * selected by it.
 */
typedef uint64_t sf_selector;

static inline sf_selector sf_selector_of(enum sf_cache_kind kind, uint8_t partition,
					 uint32_t class, uint32_t bucket)
{
	if (kind == SF_CACHE_NAMED || kind == SF_CACHE_INTERNAL)
		return 0;
	return (uint64_t)kind << 56 |
	       (uint64_t)(kind == SF_CACHE_KMALLOC ? partition : 0) << 48 |
	       (uint64_t)((kind == SF_CACHE_KMALLOC_LARGE ? class >> SF_PAGE_SHIFT : class) &
			  0xffff) << 32 |
	       (kind == SF_CACHE_BUCKET ? bucket : 0);
}

/*
 * Must memory be zero because that was asked for, or because all fresh memory is? `flags`: of the
 * cache it is from, 0 if it is from none (mm/slab.h:slab_want_init_on_alloc).
 */
static inline bool sf_zero_due(const struct sf_settings *set, uint32_t gfp, uint32_t flags)
{
	if (!set->init_on_alloc || (flags & SF_SLAB_TYPESAFE_BY_RCU))
		return gfp & SF_GFP_ZERO;
	return !(flags & SF_SLAB_CTOR);
}

/* Does the counter of a flexible array hold its count? */
static inline bool sf_counter_fits(uint8_t counter_size, uint64_t count)
{
	return counter_size >= 8 || !(count >> (8 * counter_size));
}

struct sf_marks {
	uint64_t min, low, high;
};

/* One zone of `pages` (mm/page_alloc.c:calculate_min_free_kbytes, __setup_per_zone_wmarks). */
static inline struct sf_marks sf_marks_of(uint64_t pages, bool on)
{
	uint64_t sixteenfold = 16 * 4 * pages, kbytes = 0, gap;

	if (!on)
		return (struct sf_marks){ 0, 0, 0 };
	for (uint64_t bit = 1ull << 31; bit; bit >>= 1)
		if ((kbytes | bit) * (kbytes | bit) <= sixteenfold)
			kbytes |= bit;
	if (kbytes < 128)
		kbytes = 128;
	if (kbytes > 262144)
		kbytes = 262144;
	gap = kbytes / 16;
	if (gap < pages * 10 / 10000)
		gap = pages * 10 / 10000;
	return (struct sf_marks){ kbytes / 4, kbytes / 4 + gap, kbytes / 4 + 2 * gap };
}

/* What flags ask for, and may not be lost on the way to the page allocator. */
#define SF_EFFORT (SF_GFP_DIRECT_RECLAIM | SF_GFP_KSWAPD_RECLAIM | SF_GFP_IO | SF_GFP_FS | \
		   SF_GFP_HIGH | SF_GFP_RETRY_MAYFAIL | SF_GFP_NOFAIL)

/* __GFP_NOFAIL counts only for those who may reclaim. */
static inline bool sf_never_fails(uint32_t gfp)
{
	return (gfp & SF_GFP_NOFAIL) && (gfp & SF_GFP_DIRECT_RECLAIM);
}

/* May these flags take the zone below its mark? (mm/page_alloc.c:gfp_to_alloc_flags) */
static inline bool sf_may_use_reserve(uint32_t gfp)
{
	if ((gfp & SF_GFP_MEMALLOC) && !(gfp & SF_GFP_NOMEMALLOC))
		return true;
	return (gfp & SF_GFP_HIGH) || sf_never_fails(gfp);
}

/* May these flags count pages of the HIGHATOMIC reserve as theirs? (ALLOC_RESERVES) */
static inline bool sf_counts_reserve(uint32_t gfp)
{
	if (gfp & SF_GFP_HIGH)
		return true;
	if (gfp & SF_GFP_NOMEMALLOC)
		return false;
	return (gfp & SF_GFP_MEMALLOC) || !(gfp & SF_GFP_DIRECT_RECLAIM);
}

/*
 * ... and be handed blocks of it (ALLOC_HIGHATOMIC; mm/page_alloc.c:rmqueue_buddy)? With
 * __GFP_MEMALLOC no mark holds in the end, and no block of it is to be had then.
 */
static inline bool sf_takes_reserve(uint32_t gfp, unsigned int order)
{
	return !(gfp & (SF_GFP_DIRECT_RECLAIM | SF_GFP_NOMEMALLOC | SF_GFP_MEMALLOC)) &&
	       (order == 0 || (gfp & SF_GFP_HIGH));
}

/* Pages that go to or from a per-CPU list at once (mm/page_alloc.c:zone_batchsize). */
static inline uint32_t sf_pcp_batch(uint64_t pages)
{
	uint64_t batch = pages >> 12 < 64 ? pages >> 12 : 64;

	if (batch <= 1)
		return 1;
	batch += batch / 2;
	return (1u << (63 - __builtin_clzll(batch))) - 1;
}

/* The most pages that the reserve may have (mm/page_alloc.c:reserve_highatomic_pageblock). */
static inline uint64_t sf_reserve_max(uint64_t pages, unsigned int pageblock_order)
{
	uint64_t block = 1ull << pageblock_order;

	return pages / 100 < block ? 0 : (pages / 100 + block - 1) & ~(block - 1);
}

/* The most that the mark is boosted by, in pages (mm/page_alloc.c:boost_watermark). */
static inline uint64_t sf_boost_max(const struct sf_marks *m, uint64_t pages, uint64_t block)
{
	uint64_t most = m->high * 3 / 2; /* watermark_boost_factor: 15000 of 10000 */

	if (4 * block > pages || !most)
		return 0;
	return most > block ? most : block;
}

/* totalreserve_pages of one zone (mm/page_alloc.c:calculate_totalreserve_pages). */
static inline uint64_t sf_totalreserve(const struct sf_marks *marks, uint64_t pages)
{
	return marks->high < pages ? marks->high : pages;
}

/* si_mem_available() without page cache (mm/show_mem.c); `indirect` pages in full, as in 4.17. */
static inline uint64_t sf_mem_available(uint64_t free, uint64_t reclaimable, uint64_t indirect,
					uint64_t totalreserve, uint64_t low)
{
	uint64_t have = reclaimable - (reclaimable / 2 < low ? reclaimable / 2 : low) + free +
			indirect;

	return have > totalreserve ? have - totalreserve : 0;
}

/*
 * Pages that Linux 4.16 guessed a process could have (mm/util.c:__vm_enough_memory): what counts as
 * free or reclaimable without reserves, root's (mm/mmap.c:init_admin_reserve) among them. A
 * request must ask for less.
 */
static inline uint64_t sf_guess_416(uint64_t countable, uint64_t totalreserve, uint64_t pages)
{
	uint64_t admin = pages / 32 < 2048 ? pages / 32 : 2048, off = totalreserve + admin;

	return countable > off ? countable - off : 0;
}

/* `mark` after what these flags take off it. */
static inline uint64_t sf_reduced_mark(uint64_t mark, uint32_t gfp)
{
	if ((gfp & SF_GFP_MEMALLOC) && !(gfp & SF_GFP_NOMEMALLOC))
		return 0;
	if (gfp & SF_GFP_HIGH) {
		mark -= mark / 2;
		if (!(gfp & (SF_GFP_DIRECT_RECLAIM | SF_GFP_NOMEMALLOC)))
			mark -= mark / 4;
	} else if (sf_never_fails(gfp)) {
		mark -= mark / 2;
	}
	return mark;
}

#endif
