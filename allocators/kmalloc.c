// SPDX-License-Identifier: MIT
/*
 * kmalloc.c - size classes and their selection, large kmalloc, krealloc, kvmalloc
 * (mm/slab_common.c, mm/slub.c, include/linux/slab.h of Linux 7.2).
 *
 * Relies on cache.c and slab.c for the classes, on page_alloc.c above 8 KiB, on vmalloc.c for the
 * fallback. What a variant changes (which copy of a class an allocation goes to) is its policy.
 */
#include "heap.h"

#include <stdio.h>
#include <string.h>

#define KMALLOC_MAX_CACHE_SIZE 8192u
#define INT_LIMIT 0x7fffffffull

static const uint32_t class_sizes[NR_CLASSES] = {
	0, 96, 192, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192
};

/* Slot by size, as mm/slab.h:kmalloc_slab: a table of eight-byte steps, then powers of two. */
static unsigned int class_slot(uint64_t size)
{
	static const uint8_t small[24] = {
		3, 4, 5, 5, 6, 6, 6, 6, 1, 1, 1, 1, 7, 7, 7, 7, 2, 2, 2, 2, 2, 2, 2, 2
	};

	if (size <= 192)
		return small[(size - 1) / 8];
	return 64 - (unsigned int)__builtin_clzll(size - 1);
}

/* include/linux/slab.h:kmalloc_type: DMA beats RECLAIMABLE beats ACCOUNT. */
static unsigned int type_of(const struct sf_heap *h, const struct sf_request *rq)
{
	uint32_t special = SF_GFP_RECLAIMABLE | (h->set.zone_dma ? SF_GFP_DMA : 0) |
			   (h->set.memcg ? SF_GFP_ACCOUNT : 0);

	if (!(rq->gfp & special))
		return h->policy->partition ? h->policy->partition(h, rq) : KMALLOC_NORMAL;
	if (rq->gfp & special & SF_GFP_DMA)
		return KMALLOC_DMA;
	if (rq->gfp & SF_GFP_RECLAIMABLE)
		return KMALLOC_RECLAIM;
	return KMALLOC_CGROUP;
}

/* --- boot --- */

static void class_name(char *buf, size_t len, const char *prefix, uint32_t size)
{
	if (size >= 1024)
		snprintf(buf, len, "%s-%uk", prefix, size / 1024);
	else
		snprintf(buf, len, "%s-%u", prefix, size);
}

static bool new_class(struct sf_heap *h, unsigned int type, unsigned int slot, const char *prefix,
		      uint8_t kind, uint32_t flags)
{
	char name[32];
	uint32_t size = class_sizes[slot];
	struct sf_cache_request rq = { .name = name,
				       .size = size,
				       .flags = flags | SF_SLAB_KMALLOC };
	struct kcache *s;

	class_name(name, sizeof(name), prefix, size);
	/* The promise of kmalloc: aligned to the largest power of two that divides the class. */
	rq.align = size & -size;
	rq.usersize = h->set.usercopy ? size : 0;
	s = cache_new(h, &rq, kind, type < KMALLOC_RECLAIM ? type : 0, size);
	if (!s)
		return false;
	s->boot = true;
	s->boot_object_size = s->object_size;
	s->boot_inuse = s->inuse;
	h->kmalloc[type][slot] = s->id;
	return true;
}

static bool new_type(struct sf_heap *h, unsigned int type, const char *prefix, uint8_t kind,
		     uint32_t flags)
{
	/* 96 and 192 first (mm/slab_common.c:create_kmalloc_caches): so merging looks at them. */
	for (unsigned int slot = 1; slot < NR_CLASSES; slot++)
		if (!new_class(h, type, slot, prefix, kind, flags))
			return false;
	return true;
}

bool kmalloc_init(struct sf_heap *h, struct sf_error *err)
{
	unsigned int partitions = h->policy->partitions ? h->policy->partitions : 1;
	uint32_t normal = h->set.memcg || partitions > 1 ? SF_SLAB_NO_MERGE : 0;
	char prefix[24];
	bool ok = new_type(h, KMALLOC_NORMAL, "kmalloc", SF_CACHE_KMALLOC, normal);

	for (unsigned int i = 1; ok && i < partitions; i++) {
		snprintf(prefix, sizeof(prefix), "kmalloc-part-%02u", i);
		ok = new_type(h, i, prefix, SF_CACHE_KMALLOC, SF_SLAB_NO_MERGE);
	}
	ok = ok && new_type(h, KMALLOC_RECLAIM, "kmalloc-rcl", SF_CACHE_KMALLOC_RCL,
			    SF_SLAB_RECLAIM_ACCOUNT);
	if (ok && h->set.zone_dma)
		ok = new_type(h, KMALLOC_DMA, "dma-kmalloc", SF_CACHE_KMALLOC_DMA,
			      SF_SLAB_CACHE_DMA);
	if (ok && h->set.memcg && !h->set.nokmem)
		ok = new_type(h, KMALLOC_CGROUP, "kmalloc-cg", SF_CACHE_KMALLOC_CG,
			      SF_SLAB_ACCOUNT);
	else
		memcpy(h->kmalloc[KMALLOC_CGROUP], h->kmalloc[KMALLOC_NORMAL],
		       sizeof(h->kmalloc[0]));
	if (!ok)
		snprintf(err->text, sizeof(err->text), "no memory for kmalloc caches");
	return ok;
}

/* --- large kmalloc: whole blocks (mm/slub.c:___kmalloc_large_node) --- */

static uint64_t large_alloc(struct sf_heap *h, uint64_t size, uint32_t gfp, enum sf_status *status)
{
	unsigned int order = get_order(size);
	uint32_t pfn;

	gfp &= ~(uint32_t)(SF_GFP_DMA32 | SF_GFP_HIGHMEM); /* GFP_SLAB_BUG_MASK */
	gfp |= SF_GFP_COMP | (h->set.init_on_alloc ? SF_GFP_ZERO : 0);
	pfn = page_alloc(h, gfp, order, status);
	if (pfn == NO_PFN)
		return 0;
	h->arena.page[pfn].state = PAGE_LARGE;
	h->nr_slab_unreclaimable += 1ull << order;
	arena_open(h, pfn_addr(pfn), size);
	return pfn_addr(pfn);
}

static void large_free(struct sf_heap *h, uint32_t pfn)
{
	struct page *pg = &h->arena.page[pfn];
	unsigned int order = pg->order;

	arena_close(h, pfn_addr(pfn), SF_PAGE_SIZE << order);
	h->nr_slab_unreclaimable -= 1ull << order;
	pg->state = PAGE_USED;
	page_free(h, pfn, order);
}

/* The head of the large block that begins at addr, or NO_PFN. */
static uint32_t large_head(const struct sf_heap *h, uint64_t addr)
{
	uint64_t n = (addr - SF_DIRECT_MAP) >> SF_PAGE_SHIFT;

	if (addr < SF_DIRECT_MAP || (addr & (SF_PAGE_SIZE - 1)) || n >= h->arena.pages ||
	    h->arena.page[n].state != PAGE_LARGE)
		return NO_PFN;
	return (uint32_t)n;
}

/* --- kmalloc, kfree, ksize --- */

static uint64_t do_kmalloc(struct sf_heap *h, const struct sf_request *rq, uint64_t size,
			   uint32_t gfp, enum sf_status *status)
{
	*status = SF_OK;
	if (size > KMALLOC_MAX_CACHE_SIZE)
		return large_alloc(h, size, gfp, status);
	if (size == 0)
		return SF_ZERO_SIZE_PTR;
	return slab_alloc(h, h->cache[h->kmalloc[type_of(h, rq)][class_slot(size)]], gfp, size,
			  status);
}

static void do_kfree(struct sf_heap *h, uint64_t addr, struct sf_result *rs)
{
	uint32_t head;
	struct kcache *s;

	rs->status = SF_OK;
	rs->addr = 0;
	if (addr <= SF_ZERO_SIZE_PTR)
		return;
	s = slab_cache(h, addr, &head);
	if (s) {
		slab_free(h, s, addr);
		return;
	}
	head = large_head(h, addr);
	if (head == NO_PFN) {
		warn(h, "kfree: object not allocated by kmalloc", addr);
		rs->status = SF_NOTICED;
		return;
	}
	large_free(h, head);
}

/* mm/slab_common.c:__ksize, mm/slub.c:slab_ksize */
uint64_t kmalloc_usable(struct sf_heap *h, uint64_t addr)
{
	const struct vm_area *v;
	const struct kcache *s;
	uint32_t head;

	if (addr <= SF_ZERO_SIZE_PTR)
		return 0;
	s = slab_cache(h, addr, &head);
	if (s)
		return s->flags & SF_SLAB_TYPESAFE_BY_RCU ? s->inuse : s->stride;
	head = large_head(h, addr);
	if (head != NO_PFN)
		return SF_PAGE_SIZE << h->arena.page[head].order;
	v = vmalloc_area(h, addr);
	return v ? (uint64_t)v->pages << SF_PAGE_SHIFT : 0;
}

/* Bytes that krealloc may use in place: object_size, not the stride that ksize() tells. */
static uint64_t room(struct sf_heap *h, uint64_t addr)
{
	uint32_t head;
	const struct kcache *s = slab_cache(h, addr, &head);

	return s ? s->object_size : kmalloc_usable(h, addr);
}

/* --- kvmalloc (mm/slub.c:__kvmalloc_node_noprof) --- */

static uint32_t kvmalloc_gfp(uint32_t gfp, uint64_t size)
{
	if (size <= SF_PAGE_SIZE)
		return gfp;
	gfp |= SF_GFP_NOWARN;
	if (!(gfp & SF_GFP_RETRY_MAYFAIL))
		gfp &= ~SF_GFP_DIRECT_RECLAIM;
	return gfp & ~SF_GFP_NOFAIL;
}

static uint64_t do_kvmalloc(struct sf_heap *h, const struct sf_request *rq, uint64_t size,
			    enum sf_status *status)
{
	uint64_t addr = do_kmalloc(h, rq, size, kvmalloc_gfp(rq->gfp, size), status);

	if (addr || size <= SF_PAGE_SIZE)
		return addr;
	if (size > INT_LIMIT) {
		if (!(rq->gfp & SF_GFP_NOWARN))
			warn(h, "kvmalloc: size over INT_MAX", 0);
		*status = SF_NULL;
		return 0;
	}
	return vmalloc(h, size, rq->gfp | (h->set.init_on_alloc ? SF_GFP_ZERO : 0), status);
}

/* --- krealloc (mm/slub.c:__do_krealloc) --- */

static uint64_t do_krealloc(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
			    uint64_t size, uint32_t gfp, enum sf_status *status)
{
	struct sf_result rs;
	uint64_t have, to;
	bool zero = (gfp & SF_GFP_ZERO) || h->set.init_on_alloc;

	*status = SF_OK;
	if (size == 0) {
		do_kfree(h, addr, &rs);
		return SF_ZERO_SIZE_PTR;
	}
	if (addr <= SF_ZERO_SIZE_PTR)
		return do_kmalloc(h, rq, size, gfp, status);
	have = room(h, addr);
	if (size <= have && !(rq->align && (addr & (rq->align - 1)))) {
		/*
		 * The requested size is not tracked: zeroing covers what lies beyond the new one.
		 */
		if (zero)
			raw_wipe(h, addr + size, have - size);
		arena_close(h, addr, (have + 7) & ~7ull);
		arena_open(h, addr, size);
		return addr;
	}
	to = do_kmalloc(h, rq, size, gfp, status);
	if (!to)
		return 0;
	raw_copy(h, to, addr, size < have ? size : have);
	do_kfree(h, addr, &rs);
	return to;
}

/*
 * kvrealloc (mm/slub.c:kvrealloc_node_align_noprof). There vrealloc() to size 0 returns NULL, and
 * the old memory is gone; here it is as in krealloc(), so that NULL always means that it is not.
 */
static uint64_t do_kvrealloc(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
			     uint64_t size, enum sf_status *status)
{
	struct sf_result rs;
	uint64_t to, have;

	if (vmalloc_area(h, addr)) {
		if (size)
			return vrealloc(h, addr, size, rq->gfp, status);
		vfree(h, addr);
		*status = SF_OK;
		return SF_ZERO_SIZE_PTR;
	}
	to = do_krealloc(h, addr, rq, size, kvmalloc_gfp(rq->gfp, size), status);
	if (to)
		return to;
	to = do_kvmalloc(h, rq, size, status);
	if (to && addr > SF_ZERO_SIZE_PTR) {
		have = kmalloc_usable(h, addr);
		raw_copy(h, to, addr, have < size ? have : size);
		do_kfree(h, addr, &rs);
	}
	return to;
}

/* --- the interface --- */

/* kmalloc_array and friends: NULL, silently, if the product does not fit. */
static bool request_size(const struct sf_request *rq, uint64_t *size)
{
	*size = rq->size;
	return !rq->array || !__builtin_mul_overflow(rq->n, rq->size, size);
}

static void finish(struct sf_result *rs, uint64_t addr, enum sf_status status)
{
	rs->addr = addr;
	rs->status = addr ? SF_OK : status;
}

void kmalloc_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	enum sf_status status = SF_NULL;
	uint64_t size, addr = 0;

	if (request_size(rq, &size))
		addr = rq->api == SF_API_KVMALLOC ? do_kvmalloc(h, rq, size, &status) :
						    do_kmalloc(h, rq, size, rq->gfp, &status);
	finish(rs, addr, status);
}

void kmalloc_realloc(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
		     struct sf_result *rs)
{
	enum sf_status status = SF_NULL;
	uint64_t size, to = 0;

	if (request_size(rq, &size))
		to = rq->api == SF_API_KVMALLOC ? do_kvrealloc(h, addr, rq, size, &status) :
						  do_krealloc(h, addr, rq, size, rq->gfp, &status);
	finish(rs, to, status);
}

void kmalloc_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how, struct sf_result *rs)
{
	if (how == SF_KVFREE && vmalloc_area(h, addr)) {
		vfree(h, addr);
		finish(rs, 0, SF_OK);
		return;
	}
	if (how == SF_KFREE_SENSITIVE && addr > SF_ZERO_SIZE_PTR)
		raw_wipe(h, addr, kmalloc_usable(h, addr));
	do_kfree(h, addr, rs);
}
