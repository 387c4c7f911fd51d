// SPDX-License-Identifier: MIT
/*
 * cache.c - caches: geometry, merging, creation, shrinking, destruction, as in mm/slub.c and
 * mm/slab_common.c of Linux 7.2.
 *
 * Relies on slab.c for the slabs themselves and on rcu.c for what kmem_cache_destroy() waits for.
 * kmalloc.c makes its size classes here.
 */
#include "base/names.h"
#include "cache.h"
#include "heap_assert.h"
#include "lru.h"
#include "page_alloc.h"
#include "rcu.h"
#include "slab_internal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_OBJS_PER_SLAB 32767u /* slab->objects has 15 bits */
#define CACHE_LINE 64u
#define KMALLOC_MAX_SIZE (4u << 20)
#define SECRET_STREAM 0x7365637265740000ull /* "secret": kmem_cache.random of each cache */

static uint64_t align_up(uint64_t n, uint64_t align)
{
	return (n + align - 1) & ~(align - 1);
}

static unsigned int fls32(uint32_t n)
{
	return n ? 32 - (unsigned int)__builtin_clz(n) : 0;
}

static uint64_t order_objects(unsigned int order, uint64_t size)
{
	return (SF_PAGE_SIZE << order) / size;
}

static unsigned int min_objects(const struct sf_settings *set, uint64_t size,
				unsigned int max_order)
{
	uint64_t n = set->slab_min_objects, max = order_objects(max_order, size);

	if (!n)
		n = 4 * (fls32((uint32_t)set->cpus) + 1);
	if (!max)
		max = 1;
	return (unsigned int)(n < max ? n : max);
}

/* That order, or the largest in which a slab holds no more objects than can be counted. */
static unsigned int countable(unsigned int order, uint64_t size)
{
	if (order_objects(order, size) > MAX_OBJS_PER_SLAB)
		return get_order(size * MAX_OBJS_PER_SLAB) - 1;
	return order;
}

static unsigned int larger(uint64_t a, uint64_t b)
{
	return (unsigned int)(a < b ? b : a);
}

/*
 * mm/slub.c:calculate_order, where what is asked of one cache is as if slab_min_order asked it of
 * all. -1: too large for any slab.
 */
static int calculate_order(const struct sf_settings *set, uint64_t size, unsigned int asked)
{
	unsigned int max_order = larger(set->slab_max_order, asked);
	unsigned int first = get_order(min_objects(set, size, max_order) * size);

	first = larger(first, larger(set->slab_min_order, asked));
	if (order_objects(first, size) > MAX_OBJS_PER_SLAB)
		return (int)countable(first, size);
	for (unsigned int fraction = 16; fraction > 1; fraction /= 2) {
		for (unsigned int order = first; order <= max_order; order++) {
			uint64_t slab = SF_PAGE_SIZE << order;

			if (slab % size <= slab / fraction)
				return (int)order;
		}
	}
	first = get_order(size);
	return first < SF_NR_ORDERS ? (int)first : -1;
}

/* mm/slab_common.c:calculate_alignment */
static uint32_t calculate_alignment(uint32_t flags, uint32_t align, uint32_t size)
{
	if (flags & SF_SLAB_HWCACHE_ALIGN) {
		uint32_t line = CACHE_LINE;

		while (size <= line / 2)
			line /= 2;
		if (align < line)
			align = line;
	}
	return align < 8 ? 8 : align;
}

/* mm/slub.c:calculate_sheaf_capacity: a sheaf fills a kmalloc class with its 32-byte header. */
static uint32_t usual_capacity(uint32_t stride)
{
	uint32_t n, class_size = 64;

	if (stride >= 4096)
		n = 4;
	else if (stride >= 1024)
		n = 12;
	else if (stride >= 256)
		n = 26;
	else
		n = 60;
	n = 32 + 8 * n;
	while (class_size < n)
		class_size *= 2;
	if (n <= class_size / 4 * 3 && class_size <= 256)
		class_size = class_size / 4 * 3; /* classes 96 and 192 */
	return (class_size - 32) / 8;
}

/* Objects of a sheaf. A large cache has none unless asked for: a single object would keep 2 MiB. */
static uint32_t sheaf_capacity(const struct sf_heap *h, const struct kcache *s, uint32_t asked)
{
	uint32_t n;

	if (!h->set.sheaves || (s->flags & SF_SLAB_NOLEAKTRACE))
		return 0;
	n = larger(s->large ? h->set.large_sheaf : usual_capacity(s->stride), asked);
	return n < SHEAF_MAX ? n : SHEAF_MAX;
}

static uint32_t calculate_min_partial(uint32_t stride)
{
	uint32_t n = (fls32(stride) - 1) / 2;

	return n < 5 ? 5 : n > 10 ? 10 : n;
}

/* The object and what lies behind it: bytes, before alignment. */
static uint64_t lay_out(struct kcache *s)
{
	uint64_t size = align_up(s->object_size, 8);

	s->inuse = (uint32_t)size;
	if (s->flags & (SF_SLAB_TYPESAFE_BY_RCU | SF_SLAB_CTOR)) {
		/* The object keeps its contents while free: the pointer goes behind it. */
		s->freeptr = (uint32_t)size;
		size += 8;
	} else {
		s->freeptr = (s->object_size / 2) & ~7u;
	}
	return size;
}

/* What is asked of the cache holds for the order to fall back to as well. */
static void set_orders(struct kcache *s, uint64_t stride, unsigned int order, unsigned int asked)
{
	s->stride = (uint32_t)stride;
	s->order = (uint8_t)order;
	s->objects = (uint16_t)order_objects(order, stride);
	s->min_order = (uint8_t)larger(get_order(stride), countable(asked, stride));
	s->min_objects = (uint16_t)order_objects(s->min_order, stride);
}

/*
 * The alignment that users of large objects build on, up to a page: dm-bufio asks for just that
 * (drivers/md/dm-bufio.c:dm_bufio_client_create).
 */
static uint32_t large_align(const struct kcache *s)
{
	uint64_t align = s->object_size & -(uint64_t)s->object_size;

	return larger(s->align, align < SF_PAGE_SIZE ? align : SF_PAGE_SIZE);
}

/*
 * With the geometry that it would have otherwise. Of kmalloc, it was found to fit better
 * (kmalloc.c); what kmalloc and buckets have up to 8 KiB is relied on not to fail.
 */
static bool is_large(const struct sf_heap *h, const struct kcache *s, uint64_t stride)
{
	uint64_t otherwise = (uint64_t)s->objects << LARGE_ORDER >> s->order;

	if (!h->policy->is_large || s->asked_order > LARGE_ORDER)
		return false;
	if (s->kind != SF_CACHE_NAMED)
		return s->kind == SF_CACHE_KMALLOC_LARGE;
	return h->policy->is_large(stride, otherwise);
}

/* Empty slabs are kept if a setting wants it so: each is 2 MiB. */
static void make_large(const struct sf_heap *h, struct kcache *s, uint64_t stride)
{
	s->large = true;
	s->align = large_align(s);
	set_orders(s, stride, LARGE_ORDER, LARGE_ORDER);
	s->min_partial = (uint32_t)h->set.large_min_partial;
}

/* mm/slub.c:calculate_sizes. False: no slab can hold an object. */
static bool calculate_sizes(const struct sf_heap *h, struct kcache *s, uint32_t asked_capacity)
{
	uint64_t size = lay_out(s), stride = align_up(size, s->align);
	int order;

	if (stride > SF_PAGE_SIZE << (SF_NR_ORDERS - 1))
		return false;
	order = calculate_order(&h->set, stride, s->asked_order);
	if (order < 0)
		return false;
	set_orders(s, stride, (unsigned int)order, s->asked_order);
	s->min_partial = calculate_min_partial(s->stride);
	stride = align_up(size, large_align(s));
	if (is_large(h, s, stride))
		make_large(h, s, stride);
	s->sheaf_capacity = sheaf_capacity(h, s, asked_capacity);
	heap_assert(h, s->objects && s->min_objects && s->objects <= MAX_OBJS_PER_SLAB);
	heap_assert(h, s->min_order <= s->order);
	heap_assert(h, (uint64_t)s->objects * s->stride <= SF_PAGE_SIZE << s->order);
	heap_assert(h, s->stride % s->align == 0 && s->inuse <= s->stride);
	heap_assert(h, s->freeptr % 8 == 0 && s->freeptr + 8u <= s->stride);
	return true;
}

/* A slot for the next cache id; the structures are kept over reset, and by the arena. */
static struct kcache *cache_slot(struct sf_heap *h)
{
	struct kcache *s;
	uint16_t *seq;
	uint32_t cap_seq;

	if (h->nr_caches == h->cap_caches) {
		uint32_t cap = h->cap_caches ? 2 * h->cap_caches : 128;
		struct kcache **p = realloc(h->cache, cap * sizeof(struct kcache *));

		if (!p)
			return NULL;
		memset(p + h->cap_caches, 0, (cap - h->cap_caches) * sizeof(struct kcache *));
		h->cache = p;
		h->cap_caches = cap;
	}
	s = h->cache[h->nr_caches];
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return NULL;
		h->cache[h->nr_caches] = s;
	}
	seq = s->order_seq;
	cap_seq = s->cap_seq;
	memset(s, 0, offsetof(struct kcache, cpu) + h->set.cpus * sizeof(s->cpu[0]));
	s->order_seq = seq;
	s->cap_seq = cap_seq;
	s->id = h->nr_caches;
	return s;
}

static void empty_lists(const struct sf_heap *h, struct kcache *s)
{
	s->partial = (struct page_list){ NO_PFN, NO_PFN, 0 };
	s->barn = (struct barn){ NO_SHEAF, NO_SHEAF, 0, 0 };
	for (unsigned int i = 0; i < h->set.cpus; i++)
		s->cpu[i] = (struct cpu_cache){ NO_SHEAF, NO_SHEAF, NO_SHEAF };
	s->nr_slabs = s->total_objects = 0;
}

struct kcache *cache_new(struct sf_heap *h, const struct sf_cache_request *rq, uint8_t kind,
			 unsigned int partition, uint32_t class_size)
{
	struct kcache *s = cache_slot(h);

	if (!s)
		return NULL;
	sf_name_add(s->name, 0, sizeof(s->name), rq->name);
	s->object_size = rq->size;
	s->flags = rq->flags;
	s->usersize = rq->usersize;
	s->align = calculate_alignment(rq->flags, rq->align, rq->size);
	s->kind = kind;
	s->partition = (uint8_t)partition;
	s->class_size = class_size;
	s->migratetype = s->flags & SF_SLAB_RECLAIM_ACCOUNT ? SF_MIGRATE_RECLAIMABLE :
							      SF_MIGRATE_UNMOVABLE;
	s->refs = 1;
	s->bucket = SF_NONE;
	if (h->set.freelist_hardened)
		s->secret = heap_boot_random(h, SECRET_STREAM + s->id);
	/* mm/slab.h:slab_want_init_on_alloc, slab_want_init_on_free */
	s->init = h->set.init_on_alloc && !(s->flags & (SF_SLAB_CTOR | SF_SLAB_TYPESAFE_BY_RCU));
	s->wipe = h->set.init_on_free && !(s->flags & (SF_SLAB_CTOR | SF_SLAB_TYPESAFE_BY_RCU));
	s->asked_order = (uint8_t)larger(rq->min_order, h->set.min_order);
	if (!calculate_sizes(h, s, rq->sheaf_capacity))
		return NULL;
	if (rq->sheaf_capacity || rq->min_order)
		s->flags |= SF_SLAB_NO_MERGE;
	empty_lists(h, s);
	h->nr_caches++;
	heap_assert(h, s->refs == 1 && h->cache[s->id] == s);
	return s;
}

void cache_announce(struct sf_heap *h, const struct kcache *s)
{
	EMIT(h, CACHE, cache, .name = s->name, .id = s->id, .object_size = s->object_size,
	     .stride = s->stride, .align = s->align, .freeptr = s->freeptr, .flags = s->flags,
	     .min_partial = s->min_partial, .sheaf_capacity = s->sheaf_capacity,
	     .objects = s->objects, .min_objects = s->min_objects, .order = s->order,
	     .min_order = s->min_order, .kind = s->kind, .partition = s->partition,
	     .allocflags_mt = s->migratetype, .boot = s->boot, .class_size = s->class_size,
	     .usersize = s->usersize, .bucket = s->bucket, .secret = s->secret, .large = s->large,
	     .asked_order = s->asked_order);
}

#define NEVER_MERGE                                                                            \
	(SF_SLAB_TYPESAFE_BY_RCU | SF_SLAB_NOLEAKTRACE | SF_SLAB_NO_MERGE | SF_SLAB_CTOR |     \
	 SF_SLAB_NO_OBJ_EXT)
#define MERGE_SAME                                                                             \
	(SF_SLAB_RECLAIM_ACCOUNT | SF_SLAB_CACHE_DMA | SF_SLAB_CACHE_DMA32 | SF_SLAB_ACCOUNT)

/* The oldest cache that can serve this one too (mm/slab_common.c:find_mergeable). */
static struct kcache *find_mergeable(struct sf_heap *h, const struct sf_cache_request *rq)
{
	uint64_t size = align_up(rq->size, 8);
	uint32_t align = calculate_alignment(rq->flags, rq->align, (uint32_t)size);

	if (h->set.slab_nomerge || (rq->flags & NEVER_MERGE) || rq->usersize ||
	    rq->sheaf_capacity || rq->min_order)
		return NULL;
	size = align_up(size, align);
	for (uint32_t i = 0; i < h->nr_caches; i++) {
		struct kcache *s = h->cache[i];

		if (!s->refs || s->leaked || (s->flags & NEVER_MERGE) || s->usersize)
			continue;
		if (size > s->stride || s->stride - size >= 8)
			continue;
		if ((rq->flags & MERGE_SAME) != (s->flags & MERGE_SAME))
			continue;
		/* A multiple of the alignment: slabs are page aligned, so objects are too. */
		if (s->stride & (align - 1))
			continue;
		return s;
	}
	return NULL;
}

uint32_t cache_create(struct sf_heap *h, const struct sf_cache_request *asked, bool *merged)
{
	struct sf_cache_request rq = *asked;
	struct kcache *s;

	*merged = false;
	if (rq.flags & SF_SLAB_TEMPORARY)
		rq.flags = (rq.flags & ~SF_SLAB_TEMPORARY) | SF_SLAB_RECLAIM_ACCOUNT;
	if (!h->set.memcg)
		rq.flags &= ~(uint32_t)SF_SLAB_ACCOUNT; /* include/linux/slab.h: no such flag */
	if (rq.size == 0 || rq.size > KMALLOC_MAX_SIZE || (rq.align & (rq.align - 1)) ||
	    rq.min_order >= SF_NR_ORDERS)
		return SF_NONE;
	/* A window that cannot be is none: all of the object is out of bounds. */
	if (h->set.usercopy && rq.usersize > rq.size)
		warn(h, "kmem_cache_create: usersize > size", 0);
	if (!h->set.usercopy || rq.usersize > rq.size)
		rq.usersize = 0;
	s = find_mergeable(h, &rq);
	if (s) {
		uint32_t inuse = (uint32_t)align_up(rq.size, 8);

		s->refs++;
		if (s->object_size < rq.size)
			s->object_size = rq.size;
		if (s->inuse < inuse)
			s->inuse = inuse;
		if (s->large)
			s->align = large_align(s); /* a multiple of it already */
		heap_assert(h, s->refs > 1 && !s->leaked && s->inuse <= s->stride);
		s->touched = true;
		*merged = true;
		/* Once more: its object_size may have grown. */
		cache_announce(h, s);
		return s->id;
	}
	s = cache_new(h, &rq, SF_CACHE_NAMED, 0, 0);
	if (!s)
		return SF_NONE;
	s->touched = true;
	cache_announce(h, s);
	return s->id;
}

int cache_shrink(struct sf_heap *h, uint32_t cache)
{
	struct kcache *s = h->cache[cache];

	heap_assert(h, cache < h->nr_caches && s->refs);
	sheaves_flush(h, s);
	slab_shrink_partial(h, s);
	heap_assert(h, s->partial.nr <= s->nr_slabs);
	heap_assert(h, !s->nr_slabs == !s->total_objects);
	return s->nr_slabs != 0;
}

static void drop_sheaves(struct sf_heap *h, struct kcache *s)
{
	/* Flushed already: what is left are empty sheaves, which a dead cache must not keep. */
	for (unsigned int i = 0; i < h->set.cpus; i++) {
		if (s->cpu[i].main == NO_SHEAF)
			continue;
		heap_assert(h, h->sheaves[s->cpu[i].main].nr == 0);
		heap_assert(h, s->cpu[i].spare == NO_SHEAF && s->cpu[i].rcu_free == NO_SHEAF);
		h->sheaves[s->cpu[i].main].next = h->free_sheaf;
		h->free_sheaf = s->cpu[i].main;
		s->cpu[i].main = NO_SHEAF;
	}
}

/* With objects left the cache and its slabs stay for ever (mm/slab_common.c:kmem_cache_destroy). */
enum sf_status cache_destroy(struct sf_heap *h, uint32_t cache)
{
	struct kcache *s = h->cache[cache];

	heap_assert(h, cache < h->nr_caches && s->refs);
	heap_assert(h, !s->leaked);
	rcu_barrier_on_cache(h, s);
	if (--s->refs)
		return SF_OK;
	sheaves_flush(h, s);
	slab_free_empty(h, s);
	drop_sheaves(h, s);
	if (s->nr_slabs) {
		s->leaked = true;
		lru_cache_gone(h, cache);
		warn(h, "Slab cache still has objects", 0);
		return SF_NOTICED;
	}
	if (s->flags & SF_SLAB_TYPESAFE_BY_RCU)
		rcu_barrier_on_slabs(h);
	heap_assert(h, !s->total_objects && !s->partial.nr);
	return SF_OK;
}

void cache_init(struct sf_heap *h)
{
	h->free_sheaf = NO_SHEAF;
	h->cache = h->arena.cache;
	h->cap_caches = h->arena.cap_caches;
	h->arena.cache = NULL;
	h->arena.cap_caches = 0;
}

/* The structures are the arena's again: hundreds, which cost more to take from the system. */
void cache_free_all(struct sf_heap *h)
{
	for (uint32_t i = 0; i < h->cap_caches; i++) {
		struct kcache *s = h->cache[i];

		if (!s)
			continue;
		free(s->order_seq);
		s->order_seq = NULL;
		s->cap_seq = 0;
	}
	free(h->bucket);
	free(h->sheaves);
	h->arena.cache = h->cache;
	h->arena.cap_caches = h->cap_caches;
}

/* Slab pages are gone already (arena_reset); what is left is what a cache remembers of them. */
void cache_reset(struct sf_heap *h)
{
	for (uint32_t i = 0; i < h->nr_boot; i++) {
		struct kcache *s = h->cache[i];

		if (!s->touched)
			continue;
		empty_lists(h, s);
		s->refs = 1;
		s->object_size = s->boot_object_size;
		s->inuse = s->boot_inuse;
		s->touched = false;
	}
	h->nr_caches = h->nr_boot;
	h->nr_sheaves = h->nr_prefilled = 0;
	h->free_sheaf = NO_SHEAF;
	h->nr_slab_reclaimable = h->nr_slab_unreclaimable = 0;
	heap_assert(h, h->nr_caches == h->nr_boot);
}
