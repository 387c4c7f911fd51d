// SPDX-License-Identifier: MIT
/*
 * kmalloc.c - size classes and their selection, large kmalloc, krealloc, kvmalloc
 * (mm/slab_common.c, mm/slub.c, include/linux/slab.h of Linux 7.2).
 *
 * Relies on cache.c and slab.c for the classes, on page_alloc.c above 8 KiB, on vmalloc.c for the
 * fallback. What a variant changes (which copy of a class an allocation goes to) is its policy.
 * Whatever is freed here, lru_forget() is called before: what it owns goes first.
 */
#include "arena.h"
#include "base/names.h"
#include "cache.h"
#include "heap_assert.h"
#include "kmalloc.h"
#include "lru.h"
#include "page_alloc.h"
#include "rcu.h"
#include "slab.h"
#include "vmalloc.h"

#include <stdio.h>
#include <string.h>

#define KMALLOC_MAX_CACHE_SIZE 8192u
#define INT_LIMIT 0x7fffffffull

static const uint32_t class_sizes[NR_CLASSES] = {
	0, 96, 192, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192
};

/* Slot by size, as mm/slab.h:kmalloc_slab: a table of eight-byte steps, then powers of two. */
static inline unsigned int class_slot(uint64_t size)
{
	static const uint8_t small[24] = {
		3, 4, 5, 5, 6, 6, 6, 6, 1, 1, 1, 1, 7, 7, 7, 7, 2, 2, 2, 2, 2, 2, 2, 2
	};

	if (size <= 192)
		return small[(size - 1) / 8];
	return 64 - (unsigned int)__builtin_clzll(size - 1);
}

/* With type_align: the next class from there on whose objects are all aligned as the type is. */
static unsigned int aligned_slot(unsigned int slot, uint32_t align)
{
	while (class_sizes[slot] < KMALLOC_MAX_CACHE_SIZE &&
	       (class_sizes[slot] & -class_sizes[slot]) < align)
		slot = class_slot(class_sizes[slot] + 1);
	return slot;
}

bool kmalloc_is_ordinary(const struct sf_heap *h, const struct sf_request *rq)
{
	return !(rq->gfp & h->kmalloc_special) && rq->bucket >= h->nr_buckets;
}

/* include/linux/slab.h:kmalloc_type: DMA beats RECLAIMABLE beats ACCOUNT. */
static inline unsigned int type_of(const struct sf_heap *h, const struct sf_request *rq)
{
	uint32_t special = rq->gfp & h->kmalloc_special;

	if (!special)
		return KMALLOC_NORMAL + (h->policy->partition ? h->policy->partition(h, rq) : 0);
	if (special & SF_GFP_DMA)
		return KMALLOC_DMA;
	if (special & SF_GFP_RECLAIMABLE)
		return KMALLOC_RECLAIM;
	return KMALLOC_CGROUP;
}

/* --- boot --- */

static void class_name(char *buf, size_t len, const char *prefix, uint32_t size)
{
	size_t at = sf_name_add(buf, 0, len, prefix);

	at = sf_name_add(buf, at, len, "-");
	at = sf_name_add_number(buf, at, len, size >= 1024 ? size / 1024 : size);
	if (size >= 1024)
		sf_name_add(buf, at, len, "k");
}

static struct kcache *boot_cache(struct sf_heap *h, const char *prefix, uint32_t size,
				 uint32_t align, uint8_t kind, unsigned int partition,
				 uint32_t flags)
{
	char name[32];
	struct sf_cache_request rq = { .name = name,
				       .size = size,
				       .align = align,
				       .flags = flags | SF_SLAB_KMALLOC,
				       .usersize = h->set.usercopy ? size : 0 };
	struct kcache *s;

	class_name(name, sizeof(name), prefix, size);
	s = cache_new(h, &rq, kind, partition, size);
	if (!s)
		return NULL;
	s->boot = true;
	s->boot_object_size = s->object_size;
	s->boot_inuse = s->inuse;
	return s;
}

static bool new_class(struct sf_heap *h, unsigned int type, unsigned int slot, const char *prefix,
		      uint8_t kind, uint32_t flags)
{
	uint32_t size = class_sizes[slot];
	struct kcache *s;

	/* The promise of kmalloc: aligned to the largest power of two that divides the class. */
	s = boot_cache(h, prefix, size, size & -size, kind, type < KMALLOC_RECLAIM ? type : 0,
		       flags);
	if (!s)
		return false;
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

#define LARGE_PAGES (1u << LARGE_ORDER)

/*
 * One for each number of objects that 2 MiB can hold where that is more than large kmalloc would
 * get out of them. Not of what callers rely on to be had (PAGE_ALLOC_COSTLY_ORDER).
 */
static bool new_large(struct sf_heap *h)
{
	struct kcache *s = NULL;
	uint32_t last = 0;

	if (!h->policy->is_large || h->set.min_order > LARGE_ORDER)
		return true;
	for (uint32_t pages = (1u << PAGE_ALLOC_COSTLY_ORDER) + 1; pages <= LARGE_PAGES; pages++) {
		uint32_t slot = LARGE_PAGES / (LARGE_PAGES / pages);
		uint32_t otherwise = LARGE_PAGES >> get_order((uint64_t)pages << SF_PAGE_SHIFT);

		if (!h->policy->is_large((uint64_t)slot << SF_PAGE_SHIFT, otherwise))
			continue;
		if (slot != last)
			s = boot_cache(h, "kmalloc-large", slot << SF_PAGE_SHIFT, SF_PAGE_SIZE,
				       SF_CACHE_KMALLOC_LARGE, 0, SF_SLAB_NO_MERGE);
		if (!s)
			return false;
		h->kmalloc_large[pages] = s->id;
		last = slot;
	}
	return true;
}

bool kmalloc_init(struct sf_heap *h, struct sf_error *err)
{
	unsigned int partitions = h->policy->partitions;
	uint32_t normal = h->set.memcg || partitions > 1 ? SF_SLAB_NO_MERGE : 0;
	bool rcl = h->set.accounting == ACCOUNTING_RECLAIMABLE, ok;
	char prefix[24];

	/* Before 4.20 kmalloc() made nothing of __GFP_RECLAIMABLE. */
	h->kmalloc_special = (rcl ? SF_GFP_RECLAIMABLE : 0) | (h->set.zone_dma ? SF_GFP_DMA : 0) |
			     (h->set.memcg ? SF_GFP_ACCOUNT : 0);
	h->kmalloc_classes = h->policy->whole_pages ? 0 : KMALLOC_MAX_CACHE_SIZE;
	ok = new_type(h, KMALLOC_NORMAL, "kmalloc", SF_CACHE_KMALLOC, normal);

	for (unsigned int i = 1; ok && i < partitions; i++) {
		snprintf(prefix, sizeof(prefix), "kmalloc-part-%02u", i);
		ok = new_type(h, i, prefix, SF_CACHE_KMALLOC, SF_SLAB_NO_MERGE);
	}
	if (ok && rcl)
		ok = new_type(h, KMALLOC_RECLAIM, "kmalloc-rcl", SF_CACHE_KMALLOC_RCL,
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
	ok = ok && new_large(h);
	if (!ok)
		snprintf(err->text, sizeof(err->text), "no memory for kmalloc caches");
	return ok;
}

/* --- large kmalloc: whole blocks (mm/slub.c:___kmalloc_large_node) --- */

static uint64_t large_pages(struct sf_heap *h, uint64_t size, uint32_t gfp, enum sf_status *status)
{
	unsigned int order = get_order(size);
	uint32_t pfn;

	gfp &= ~(uint32_t)(SF_GFP_DMA32 | SF_GFP_HIGHMEM); /* GFP_SLAB_BUG_MASK */
	gfp |= SF_GFP_COMP | (h->set.init_on_alloc ? SF_GFP_ZERO : 0);
	pfn = page_alloc(h, gfp, order, status);
	if (pfn == NO_PFN)
		return 0;
	heap_assert(h, h->arena.page[pfn].order == order && size <= SF_PAGE_SIZE << order);
	h->arena.page[pfn].state = PAGE_LARGE;
	h->nr_slab_unreclaimable += 1ull << order;
	arena_open(h, pfn_addr(pfn), size);
	return pfn_addr(pfn);
}

/*
 * In slabs of 2 MiB, if the size fits better there: NULL if not. Charged or reclaimable they share
 * one, as large kmalloc does not distinguish them either; memory for DMA is where it was.
 */
static struct kcache *large_cache(struct sf_heap *h, uint64_t size, uint32_t gfp)
{
	uint64_t pages = ((size - 1) >> SF_PAGE_SHIFT) + 1;

	if (pages > LARGE_PAGES || !h->kmalloc_large[pages] ||
	    (gfp & h->kmalloc_special & SF_GFP_DMA))
		return NULL;
	return h->cache[h->kmalloc_large[pages]];
}

static uint64_t large_alloc(struct sf_heap *h, uint64_t size, uint32_t gfp, enum sf_status *status)
{
	struct kcache *s = large_cache(h, size, gfp);

	heap_assert(h, size > 0);
	heap_assert(h, !s || (s->large && size <= s->object_size));
	return s ? slab_alloc(h, s, gfp, size, status) : large_pages(h, size, gfp, status);
}

static void large_free(struct sf_heap *h, uint32_t pfn)
{
	struct page *pg = &h->arena.page[pfn];
	unsigned int order = pg->order;

	heap_assert(h, pg->state == PAGE_LARGE && is_block(h, pfn, order));
	heap_assert(h, h->nr_slab_unreclaimable >= 1ull << order);
	arena_close(h, pfn_addr(pfn), SF_PAGE_SIZE << order);
	h->nr_slab_unreclaimable -= 1ull << order;
	pg->state = PAGE_USED;
	page_free(h, pfn, order);
}

/*
 * The head of the large block whose first page addr is in, or NO_PFN: only that page has the type
 * that is looked for (mm/slub.c:free_large_kmalloc).
 */
static uint32_t large_head(const struct sf_heap *h, uint64_t addr)
{
	uint64_t n = (addr - SF_DIRECT_MAP) >> SF_PAGE_SHIFT;

	if (n >= h->arena.pages || h->arena.page[n].state != PAGE_LARGE)
		return NO_PFN;
	return (uint32_t)n;
}

/* --- kmalloc, kfree, ksize --- */

/* The set that the request names, or the type of plain kmalloc that it is. */
static inline const uint32_t *classes_of(const struct sf_heap *h, const struct sf_request *rq)
{
	if (rq->bucket < h->nr_buckets)
		return h->bucket[rq->bucket];
	return h->kmalloc[type_of(h, rq)];
}

/*
 * An object whose type is known. With slot_offset it begins anywhere in its slot that its alignment
 * allows and where it fits.
 */
__attribute__((noinline)) static uint64_t alloc_typed(struct sf_heap *h,
						      const struct sf_request *rq, uint64_t size,
						      uint32_t gfp, enum sf_status *status)
{
	uint32_t step = rq->type_align > 8 ? rq->type_align : 8;
	unsigned int slot = class_slot(size);
	struct kcache *s;
	uint64_t addr;

	if (h->set.type_align)
		slot = aligned_slot(slot, step);
	s = h->cache[classes_of(h, rq)[slot]];
	heap_assert(h, size <= s->object_size && step >= 8 && !(step & (step - 1)));
	if (!h->set.slot_offset)
		return slab_alloc(h, s, gfp, size, status);
	addr = slab_alloc(h, s, gfp, 0, status);
	if (!addr)
		return 0;
	addr += heap_random(h) % ((s->object_size - size) / step + 1) * step;
	heap_assert(h, kmalloc_usable(h, addr) >= size);
	arena_open(h, addr, size);
	return addr;
}

/* Of one larger than kmalloc_classes. */
static bool is_whole(const struct sf_heap *h, const struct sf_request *rq, uint64_t size)
{
	return size > KMALLOC_MAX_CACHE_SIZE || h->policy->whole_pages(h, rq);
}

static uint64_t do_kmalloc(struct sf_heap *h, const struct sf_request *rq, uint64_t size,
			   uint32_t gfp, enum sf_status *status)
{
	*status = SF_OK;
	if (size > h->kmalloc_classes && is_whole(h, rq, size))
		return large_alloc(h, size, gfp, status);
	if (size == 0)
		return SF_ZERO_SIZE_PTR;
	if (rq->type_align)
		return alloc_typed(h, rq, size, gfp, status);
	return slab_alloc(h, h->cache[classes_of(h, rq)[class_slot(size)]], gfp, size, status);
}

/*
 * mm/slub.c:__kmalloc_nolock_noprof: no effort, but a second try in the next larger class. Flags
 * that it does not take select a cache all the same: only a debug build complains.
 */
static uint64_t do_kmalloc_nolock(struct sf_heap *h, const struct sf_request *rq, uint64_t size,
				  enum sf_status *status)
{
	const uint32_t *classes = h->kmalloc[type_of(h, rq)];
	uint64_t addr = 0, class = size;
	bool refused = false;

	*status = SF_NULL;
	if (size == 0)
		return SF_ZERO_SIZE_PTR;
	for (int tries = 0; !addr && !refused && tries < 2 && class <= KMALLOC_MAX_CACHE_SIZE;
	     tries++) {
		struct kcache *s = h->cache[classes[class_slot(class)]];

		addr = slab_alloc_nolock(h, s, rq->gfp, size, &refused);
		class = s->object_size + 1;
	}
	return addr;
}

static void do_kfree(struct sf_heap *h, uint64_t addr, struct sf_result *rs)
{
	uint32_t head;
	struct kcache *s;

	rs->status = SF_OK;
	rs->addr = 0;
	if (addr <= SF_ZERO_SIZE_PTR)
		return;
	if (__builtin_expect(SF_IS_ERR(addr), false)) {
		warn(h, "kfree: error pointer", addr);
		return;
	}
	s = slab_cache(h, addr, &head);
	if (s) {
		lru_forget(h, addr);
		if (!slab_free(h, s, addr - offset_in_slot(h, s, head, addr)))
			rs->status = SF_NOTICED;
		return;
	}
	head = large_head(h, addr);
	if (head == NO_PFN) {
		warn(h, "kfree: object not allocated by kmalloc", addr);
		rs->status = SF_NOTICED;
		return;
	}
	lru_forget(h, addr);
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
		return (s->flags & SF_SLAB_TYPESAFE_BY_RCU ? s->inuse : s->stride) -
		       offset_in_slot(h, s, head, addr);
	head = large_head(h, addr);
	if (head != NO_PFN)
		return SF_PAGE_SIZE << h->arena.page[head].order;
	v = vmalloc_area(h, addr);
	return v ? (uint64_t)v->pages << SF_PAGE_SHIFT : 0;
}

/* Bytes that krealloc may use in place: object_size, not the stride that ksize() returns. */
static uint64_t room(struct sf_heap *h, uint64_t addr)
{
	uint32_t head;
	const struct kcache *s = slab_cache(h, addr, &head);
	uint64_t off;

	if (!s)
		return kmalloc_usable(h, addr);
	off = offset_in_slot(h, s, head, addr);
	return off < s->object_size ? s->object_size - off : 0;
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

/* Or it has another size: who owns it, and what it owns, stays as it was. */
static inline void moved(struct sf_heap *h, uint64_t from, uint64_t to)
{
	if (h->nr_tracked)
		lru_resized(h, from, to);
}

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
	heap_assert(h, to != addr && room(h, to) >= size);
	raw_copy(h, to, addr, size < have ? size : have);
	moved(h, addr, to);
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
		if (size) {
			to = vrealloc(h, addr, size, rq->gfp, status);
			if (to)
				moved(h, addr, to);
			return to;
		}
		lru_forget(h, addr);
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
		heap_assert(h, to != addr && kmalloc_usable(h, to) >= size);
		raw_copy(h, to, addr, have < size ? have : size);
		moved(h, addr, to);
		do_kfree(h, addr, &rs);
	}
	return to;
}

/* --- the interface --- */

/* Can the counter hold the count? (include/linux/overflow.h:overflows_flex_counter_type) */
static bool counter_fits(const struct sf_request *rq)
{
	return rq->counter_size >= sizeof(rq->count) || !(rq->count >> 8 * rq->counter_size);
}

/* include/linux/slab.h:__alloc_flex: what does not fit is cut off. */
static void store_counter(struct sf_heap *h, const struct sf_request *rq, uint64_t size,
			  uint64_t addr)
{
	uint8_t bytes[sizeof(rq->count)];
	unsigned int n = rq->counter_size < sizeof(bytes) ? rq->counter_size : sizeof(bytes);

	if (rq->counter_at + (uint64_t)n > size)
		return;
	for (unsigned int i = 0; i < n; i++)
		bytes[i] = (uint8_t)(rq->count >> 8 * i);
	arena_poke(h, addr + rq->counter_at, bytes, n);
}

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

static inline uint64_t alloc_by_api(struct sf_heap *h, const struct sf_request *rq, uint64_t size,
				    enum sf_status *status)
{
	if (rq->api == SF_API_KMALLOC)
		return do_kmalloc(h, rq, size, rq->gfp, status);
	if (rq->api == SF_API_KVMALLOC)
		return do_kvmalloc(h, rq, size, status);
	return do_kmalloc_nolock(h, rq, size, status);
}

__attribute__((noinline)) static uint64_t alloc_flex(struct sf_heap *h, const struct sf_request *rq,
						     uint64_t size, enum sf_status *status)
{
	uint64_t addr;

	if (!h->set.flex && !counter_fits(rq))
		return 0;
	addr = alloc_by_api(h, rq, size, status);
	if (addr > SF_ZERO_SIZE_PTR)
		store_counter(h, rq, size, addr);
	return addr;
}

void kmalloc_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	enum sf_status status = SF_NULL;
	uint64_t size, addr = 0;

	if (request_size(rq, &size))
		addr = rq->counter_size ? alloc_flex(h, rq, size, &status) :
					  alloc_by_api(h, rq, size, &status);
	finish(rs, addr, status);
}

void kmalloc_realloc(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
		     struct sf_result *rs)
{
	enum sf_status status = SF_NULL;
	struct sf_request plain;
	uint64_t size, to = 0;

	if (rq->bucket < h->nr_buckets) {
		/* There is no krealloc() into a set. */
		plain = *rq;
		plain.bucket = SF_NONE;
		rq = &plain;
	}
	if (request_size(rq, &size))
		to = rq->api == SF_API_KVMALLOC ? do_kvrealloc(h, addr, rq, size, &status) :
						  do_krealloc(h, addr, rq, size, rq->gfp, &status);
	finish(rs, to, status);
}

static void do_kfree_sensitive(struct sf_heap *h, uint64_t addr, struct sf_result *rs)
{
	if (addr > SF_ZERO_SIZE_PTR)
		raw_wipe(h, addr, kmalloc_usable(h, addr));
	do_kfree(h, addr, rs);
}

static void do_kvfree(struct sf_heap *h, uint64_t addr, struct sf_result *rs)
{
	if (addr - SF_VMALLOC >= (uint64_t)VMAP_PAGES << SF_PAGE_SHIFT) {
		do_kfree(h, addr, rs);
		return;
	}
	finish(rs, 0, SF_NOTICED);
	if (vmalloc_area(h, addr)) {
		lru_forget(h, addr);
		rs->status = SF_OK;
	}
	vfree(h, addr);
}

static void kfree_rcu(struct sf_heap *h, uint64_t addr, struct sf_result *rs)
{
	finish(rs, 0, SF_OK);
	rcu_defer(h, addr, SF_KFREE_RCU);
}

/* mm/slub.c:kfree_nolock */
static void free_nolock(struct sf_heap *h, uint64_t addr, struct sf_result *rs)
{
	struct kcache *s;
	uint32_t head;

	finish(rs, 0, SF_OK);
	if (addr <= SF_ZERO_SIZE_PTR)
		return;
	s = slab_cache(h, addr, &head);
	if (s) {
		lru_forget(h, addr);
		if (!slab_free_nolock(h, s, addr - offset_in_slot(h, s, head, addr)))
			rs->status = SF_NOTICED;
		return;
	}
	warn(h, "large_kmalloc is not supported by kfree_nolock()", addr);
	rs->status = SF_NOTICED;
}

void kmalloc_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how, struct sf_result *rs)
{
	if (how == SF_KFREE)
		do_kfree(h, addr, rs);
	else if (how == SF_KFREE_NOLOCK)
		free_nolock(h, addr, rs);
	else if (how == SF_KVFREE)
		do_kvfree(h, addr, rs);
	else if (how == SF_KFREE_RCU)
		kfree_rcu(h, addr, rs);
	else
		do_kfree_sensitive(h, addr, rs);
}
