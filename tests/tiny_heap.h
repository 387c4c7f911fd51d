/* SPDX-License-Identifier: MIT */
/*
 * tiny_heap.h - a heap just large enough to make events with: one zone, first fit, no per-CPU
 * lists, a few caches of one page. It makes streams of which all is true but what a test changes,
 * and the snapshot that is true of them.
 *
 * Relies on event_fixture.h; test_oracles.c and test_buddy_oracles.c rely on it.
 */
#ifndef SLABFUZZ_TEST_TINY_HEAP_H
#define SLABFUZZ_TEST_TINY_HEAP_H

#include "../oracles/oracle.h"

#define PAGES 8192u
#define PCP_HIGH 113u /* of such a zone: its LOW mark is 226, for two CPUs */
#define MIN_MARK 181u /* isqrt(16 * 32768 KiB) / 4 */
#define LOW_MARK 226u
#define CAPS (((1ull << 24) - 1) & ~(uint64_t)SF_CAP_NOLOCK) /* a model's, but for its variant */
#define SEED 0x0123456789abcdefull /* call site 0 is partition 9's under it, 3 is 11's */
#define WINDOW_PAGES 4096u
#define ALL_OBJECTS 64

enum { C_64, C_RCL_64, C_CG_64, C_96, C_8K, C_P3, C_P9, C_P11, C_P14, C_NAMED, C_B0, C_B1 };

/* Types that CTYPE names, with clang's tokens for their names. */
enum { T_NONE, T_DATA, T_POINTER, T_CONST };
#define TOKEN_DATA 5     /* np */
#define TOKEN_POINTER 9  /* hp */
#define TOKEN_CONST 14   /* const hp */

/* What the heap here has, and the snapshot that is being made. */
#define FIXTURE_MEMBERS                                                                            \
	uint8_t head[PAGES], type[PAGES]; /* 1 + order of a free block, its list */                \
	uint64_t free_pages;                                                                       \
	uint64_t slab_pages, rcl_pages, large_pages; /* of slabs; of C_RCL_64's; large kmalloc */  \
	uint8_t large[ALL_OBJECTS]; /* by object: pages */                                         \
	uint64_t list[ALL_OBJECTS];                                                                \
	struct sf_ev_snapcache sc;                                                                 \
	struct sf_ev_snapslab slab;                                                                \
	struct sf_ev_snapsheaf sheaf;                                                              \
	struct sf_ev_snapblock block[64];                                                          \
	unsigned int nr_blocks;                                                                    \
	struct sf_ev_counters counters;                                                            \
	uint64_t parked[2];                                                                        \
	bool no_slab, final;

struct fixture;
static inline void count(struct fixture *f, const struct sf_event *ev);
#define ON_EMIT(f, ev) count(f, ev)

#include "event_fixture.h"

/* What the kernel's counters count. */
static inline void count(struct fixture *f, const struct sf_event *ev)
{
	uint64_t pages = ev->type == SF_EV_SLAB_NEW ? 1ull << ev->slab.order :
			 ev->type == SF_EV_SLAB_FREE ? 0 - (1ull << ev->slab.order) : 0;
	uint32_t id = ev->type == SF_EV_FREE ? ev->free.id : ev->alloc.id;

	f->slab_pages += pages;
	if (pages && ev->slab.cache == C_RCL_64)
		f->rcl_pages += pages;
	if ((ev->type != SF_EV_ALLOC && ev->type != SF_EV_FREE) || id >= ALL_OBJECTS ||
	    (ev->type == SF_EV_FREE && ev->free.status != SF_OK))
		return;
	f->large_pages -= f->large[id];
	f->large[id] = 0;
	if (ev->type == SF_EV_ALLOC && ev->alloc.place.kind == SF_PLACE_LARGE)
		f->large[id] = (uint8_t)(1u << ev->alloc.place.order);
	f->large_pages += f->large[id];
}

static inline void block_put(struct fixture *f, uint64_t pfn, uint8_t order, uint8_t mt, bool tail)
{
	f->head[pfn] = 1 + order;
	f->type[pfn] = mt;
	f->free_pages += 1u << order;
	EMIT(f, BLOCK_ADD, block, .pfn = pfn, .order = order, .migratetype = mt, .tail = tail);
}

static inline void block_add(struct fixture *f, uint64_t pfn, uint8_t order, uint8_t mt)
{
	block_put(f, pfn, order, mt, false);
}

static inline void block_del(struct fixture *f, uint64_t pfn)
{
	uint8_t order = f->head[pfn] - 1;

	f->head[pfn] = 0;
	f->free_pages -= 1u << order;
	EMIT(f, BLOCK_DEL, block, .pfn = pfn, .order = order, .migratetype = f->type[pfn]);
}

static inline uint64_t find(const struct fixture *f, uint8_t order, uint8_t mt)
{
	for (uint64_t p = 0; p < PAGES; p++)
		if (f->head[p] == 1 + order && f->type[p] == mt)
			return p;
	return SF_NO_PFN;
}

static inline void expand(struct fixture *f, uint64_t pfn, uint8_t from, uint8_t to, uint8_t mt)
{
	while (from-- > to)
		block_add(f, pfn + (1ull << from), from, mt);
}

static inline uint64_t finish_take(struct fixture *f, uint64_t pfn, uint8_t order, uint8_t mt,
				   uint32_t gfp, uint64_t before)
{
	bool pcp = order <= 3; /* through a list that is refilled with one block */

	EMIT(f, PAGE_ALLOC, page, .pfn = pfn, .order = order, .migratetype = mt,
	     .list = pcp ? (uint8_t)(3 * order + mt) : 0xff, .pcp = pcp, .gfp = gfp,
	     .attempt = SF_ATTEMPT_SLOW, .free_before = before, .mark = MIN_MARK);
	return pfn;
}

static inline uint64_t take(struct fixture *f, uint8_t order, uint8_t mt)
{
	uint64_t pfn, before = f->free_pages;

	for (uint8_t k = order; k <= 10; k++) {
		pfn = find(f, k, mt);
		if (pfn == SF_NO_PFN)
			continue;
		block_del(f, pfn);
		EMIT(f, RMQUEUE, rmqueue, .pfn = pfn, .order = order, .migratetype = mt,
		     .from_order = k, .from_type = mt, .mode = SF_RMQUEUE_OWN,
		     .to_pcp = order <= 3);
		expand(f, pfn, k, order, mt);
		return finish_take(f, pfn, order, mt, SF_GFP_KERNEL, before);
	}
	pfn = find(f, 10, SF_MIGRATE_MOVABLE);
	assert_true(pfn != SF_NO_PFN);
	EMIT(f, CLAIM, claim, .pfn = pfn, .order = 10, .from = SF_MIGRATE_MOVABLE, .to = mt,
	     .whole = true, .start = pfn, .nr_pages = 1024, .want = order);
	block_del(f, pfn);
	EMIT(f, RMQUEUE, rmqueue, .pfn = pfn, .order = order, .migratetype = mt, .from_order = 10,
	     .from_type = SF_MIGRATE_MOVABLE, .mode = SF_RMQUEUE_CLAIM, .to_pcp = order <= 3);
	expand(f, pfn, 10, order, mt);
	return finish_take(f, pfn, order, mt, SF_GFP_KERNEL, before);
}

static inline void give(struct fixture *f, uint64_t pfn, uint8_t order, uint8_t mt)
{
	EMIT(f, PAGE_FREE, page, .pfn = pfn, .order = order, .migratetype = mt, .list = 0xff);
	for (; order < 10; order++) {
		uint64_t buddy = pfn ^ (1ull << order);

		if (f->head[buddy] != 1 + order)
			break;
		block_del(f, buddy);
		pfn &= buddy;
	}
	block_put(f, pfn, order, mt, order < 9 && f->head[(pfn & ~(1ull << order)) ^
							  (2ull << order)] == order + 2);
}

static inline struct sf_event cache_event(uint32_t id, const char *name, uint8_t kind,
					  uint32_t size, uint32_t align, uint8_t order,
					  uint32_t flags)
{
	uint16_t objects = (uint16_t)((4096u << order) / size);
	bool boot = kind != SF_CACHE_NAMED && kind != SF_CACHE_BUCKET;

	if (kind == SF_CACHE_KMALLOC || kind == SF_CACHE_BUCKET)
		flags |= SF_SLAB_NO_MERGE;
	return (struct sf_event){ .cache = {
		.name = name, .id = id, .object_size = size, .stride = size, .align = align,
		.freeptr = size / 2 & ~7u, .min_partial = size < 4096 ? 5 : 6,
		.objects = objects, .order = order,
		.min_order = order,
		.min_objects = objects, .kind = kind, .flags = flags, .boot = boot,
		.class_size = kind == SF_CACHE_NAMED ? 0 : size,
		.secret = 0x1001ull * (id + 1), .sheaf_capacity = size > 4096 ? 4 : 60,
		.bucket = kind == SF_CACHE_BUCKET ? id - C_B0 : SF_NONE,
		.partition = id == C_P3 ? 3 : id == C_P9 ? 9 :
			     id == C_P11 ? 11 : id == C_P14 ? 14 : 0,
	} };
}

static inline void cache(struct fixture *f, uint32_t id, const char *name, uint8_t kind,
			 uint32_t size, uint32_t align, uint8_t order, uint32_t flags)
{
	struct sf_event ev = cache_event(id, name, kind, size, align, order, flags);

	if (!f->set.sheaves)
		ev.cache.sheaf_capacity = 0;
	emit(f, SF_EV_CACHE, ev);
}

static inline void types(struct fixture *f)
{
	EMIT(f, CTYPE, ctype, .index = T_DATA, .name = "struct np", .canonical = "np", .size = 16,
	     .token = TOKEN_DATA);
	EMIT(f, CTYPE, ctype, .index = T_POINTER, .name = "struct hp", .canonical = "hp",
	     .size = 16, .token = TOKEN_POINTER, .pointer = true);
	EMIT(f, CTYPE, ctype, .index = T_CONST, .name = "const struct hp",
	     .canonical = "const hp", .size = 16, .token = TOKEN_CONST, .pointer = true);
}

static inline void heap_with(struct fixture *f, uint64_t caps)
{
	bool window = f->set.slab_virtual;

	EMIT(f, HEAP, heap, .allocator = "test", .caps = caps, .settings = &f->set,
	     .direct_map = SF_DIRECT_MAP, .pages = PAGES, .vmalloc = SF_VMALLOC,
	     .vmalloc_pages = PAGES, .slabs = window ? SF_SLAB_WINDOW : 0,
	     .slab_pages = window ? WINDOW_PAGES : 0, .partition_seed = SEED, .exact = true);
	cache(f, C_64, "kmalloc-64", SF_CACHE_KMALLOC, 64, 64, 0, SF_SLAB_KMALLOC);
	cache(f, C_RCL_64, "kmalloc-rcl-64", SF_CACHE_KMALLOC_RCL, 64, 64, 0,
	      SF_SLAB_KMALLOC | SF_SLAB_RECLAIM_ACCOUNT);
	if (f->set.memcg && !f->set.nokmem)
		cache(f, C_CG_64, "kmalloc-cg-64", SF_CACHE_KMALLOC_CG, 64, 64, 0,
		      SF_SLAB_KMALLOC | SF_SLAB_ACCOUNT);
	cache(f, C_96, "kmalloc-96", SF_CACHE_KMALLOC, 96, 32, 0, SF_SLAB_KMALLOC);
	cache(f, C_8K, "kmalloc-8k", SF_CACHE_KMALLOC, 8192, 8192, 3, SF_SLAB_KMALLOC);
	types(f);
	if (!(caps & (SF_CAP_RANDOM | SF_CAP_TYPED)))
		return;
	cache(f, C_P3, "kmalloc-part-03-64", SF_CACHE_KMALLOC, 64, 64, 0, SF_SLAB_KMALLOC);
	cache(f, C_P9, "kmalloc-part-09-64", SF_CACHE_KMALLOC, 64, 64, 0, SF_SLAB_KMALLOC);
	cache(f, C_P11, "kmalloc-part-11-64", SF_CACHE_KMALLOC, 64, 64, 0, SF_SLAB_KMALLOC);
	cache(f, C_P14, "kmalloc-part-14-64", SF_CACHE_KMALLOC, 64, 64, 0, SF_SLAB_KMALLOC);
}

static inline void begin(struct fixture *f)
{
	memset(f->head, 0, sizeof(f->head));
	for (uint64_t p = 0; p < PAGES; p += 1024) {
		f->head[p] = 11;
		f->type[p] = SF_MIGRATE_MOVABLE;
	}
	f->free_pages = PAGES;
	f->slab_pages = f->rcl_pages = f->large_pages = 0;
	memset(f->large, 0, sizeof(f->large));
	f->op = SF_NONE;
	EMIT(f, BEGIN, run, .ops = 1);
	f->op = 0;
}

static void heap(struct fixture *f)
{
	f->set.pages = PAGES;
	heap_with(f, f->caps);
	begin(f);
}

static inline uint64_t slab_of(struct fixture *f, uint32_t id, uint8_t order, uint8_t mt,
			       uint16_t objects)
{
	uint64_t pfn = take(f, order, mt);

	EMIT(f, SLAB_NEW, slab, .cache = id, .order = order, .migratetype = mt, .objects = objects,
	     .gfp = SF_GFP_KERNEL, .pfn = pfn, .addr = at(pfn), .dirty = SF_GOOD);
	return pfn;
}

/* An object of a 64-byte kmalloc cache in the slab at pfn, as a clean result. */
static inline struct sf_event object(uint32_t id, uint64_t pfn, uint32_t index)
{
	return (struct sf_event){ .alloc = {
		.id = id, .res = id, .api = SF_API_KMALLOC, .gfp = SF_GFP_KERNEL, .cache = SF_NONE,
		.n = 1, .elem = 60, .size = 60, .addr = at(pfn) + index * 64, .usable = 64,
		.dirty = SF_GOOD, .old_id = SF_NONE, .bad = SF_GOOD, .bucket = SF_NONE,
		.place = { .kind = SF_PLACE_SLAB, .cache = C_64, .stride = 64, .object_size = 64,
			   .index = index, .objects = 64, .base = at(pfn), .pfn = pfn },
	} };
}

static inline void alloc(struct fixture *f, struct sf_event ev)
{
	emit(f, SF_EV_ALLOC, ev);
	f->op++;
}

static inline struct sf_event whole(uint32_t id, uint8_t api, uint8_t kind, uint64_t pfn,
				    uint8_t order)
{
	struct sf_event ev = object(id, pfn, 0);

	ev.alloc.api = api;
	ev.alloc.size = 4096ull << order;
	ev.alloc.elem = ev.alloc.size;
	ev.alloc.usable = kind == SF_PLACE_LARGE ? ev.alloc.size : 0;
	ev.alloc.place = (struct sf_place){ .kind = kind, .order = order, .cache = SF_NONE,
					    .stride = 4096u << order, .base = at(pfn), .pfn = pfn };
	return ev;
}

static inline struct sf_event failed(uint32_t gfp)
{
	return (struct sf_event){ .alloc = {
		.id = SF_NONE, .api = SF_API_KMALLOC, .status = SF_NULL, .gfp = gfp,
		.cache = SF_NONE, .n = 1, .elem = 64, .size = 64, .dirty = SF_GOOD,
		.old_id = SF_NONE, .bad = SF_GOOD, .bucket = SF_NONE,
	} };
}

static inline void freed(struct fixture *f, uint32_t id, uint64_t addr)
{
	EMIT(f, FREE, free, .id = id, .res = id, .cache = SF_NONE, .addr = addr, .bad = SF_GOOD,
	     .verified = 64, .known = true);
	f->op++;
}

/* A slab of kmalloc-64 at pfn 0 with objects 0..3 alive, 4 parked, the rest on its list. */
static inline uint64_t four_objects(struct fixture *f)
{
	uint64_t pfn = slab_of(f, C_64, 0, SF_MIGRATE_UNMOVABLE, 64);

	for (uint32_t i = 0; i < 4; i++)
		alloc(f, object(i, pfn, i));
	return pfn;
}

/* The snapshot that is true of four_objects(). */
static inline void look(struct fixture *f, uint64_t pfn)
{
	f->parked[0] = at(pfn) + 4 * 64;
	for (uint32_t i = 0; i < 59; i++)
		f->list[i] = at(pfn) + (5 + i) * 64;
	f->slab = (struct sf_ev_snapslab){ .cache = C_64, .pfn = pfn, .addr = at(pfn),
					   .unwiped = SF_GOOD, .list = SF_SLAB_PARTIAL,
					   .flag_partial = true, .objects = 64, .inuse = 5,
					   .nr_free = 59, .free = f->list };
	f->sheaf = (struct sf_ev_snapsheaf){ .cache = C_64, .kind = SF_SHEAF_MAIN, .nr = 1,
					     .capacity = 60, .objs = f->parked,
					     .unwiped = SF_GOOD };
	f->sc = (struct sf_ev_snapcache){ .cache = C_64, .refs = 1, .nr_slabs = 1,
					  .total_objects = 64, .nr_partial = 1, .active_objs = 5,
					  .num_objs = 64, .objsize = 64, .objperslab = 64,
					  .pagesperslab = 1, .active_slabs = 1, .num_slabs = 1 };
	f->nr_blocks = 0;
	f->counters = (struct sf_ev_counters){ .nr_free_pages = f->free_pages };
	for (uint64_t p = 0; p < PAGES; p++) {
		if (!f->head[p])
			continue;
		assert_true(f->nr_blocks < 64);
		f->block[f->nr_blocks++] = (struct sf_ev_snapblock){
			.pfn = p, .order = f->head[p] - 1, .list = f->type[p],
			.pageblock = f->type[p],
		};
		f->counters.nr_free[f->head[p] - 1]++;
	}
}

/* Of a zone of PAGES pages: its LOW mark is 226; its HIGH mark, all that is reserved, 271. */
static inline void estimate(struct fixture *f)
{
	struct sf_ev_counters *c = &f->counters;
	uint64_t cap = f->rcl_pages / 2 < 226 ? f->rcl_pages / 2 : 226;

	c->nr_slab_reclaimable = f->rcl_pages;
	c->nr_slab_unreclaimable = f->slab_pages - f->rcl_pages + f->large_pages;
	c->watermark_min = MIN_MARK;
	c->watermark_low = 226;
	c->watermark_high = 271;
	c->totalreserve = 271;
	c->mem_available = f->free_pages - 271 + f->rcl_pages - cap;
}

/* Blocks and counters of the snapshot in hand. */
static inline void snap_zone(struct fixture *f)
{
	for (unsigned int i = 0; i < f->nr_blocks; i++)
		emit(f, SF_EV_SNAP_BLOCK, (struct sf_event){ .snapblock = f->block[i] });
	emit(f, SF_EV_SNAP_COUNTERS, (struct sf_event){ .counters = f->counters });
}

static inline void snap(struct fixture *f)
{
	estimate(f);
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES, .final = f->final);
	if (!f->no_slab) {
		emit(f, SF_EV_SNAP_CACHE, (struct sf_event){ .snapcache = f->sc });
		emit(f, SF_EV_SNAP_SLAB, (struct sf_event){ .snapslab = f->slab });
		emit(f, SF_EV_SNAP_SHEAF, (struct sf_event){ .snapsheaf = f->sheaf });
	}
	snap_zone(f);
	EMIT(f, SNAP_END, snap, .managed = PAGES, .final = f->final);
}

/* Order 0 at pfn on CPU 0's list for unmovable pages. */
static inline uint64_t parked_page(struct fixture *f)
{
	uint64_t pfn = take(f, 0, SF_MIGRATE_UNMOVABLE);

	EMIT(f, PAGE_FREE, page, .pfn = pfn, .order = 0, .list = 0, .pcp = true);
	return pfn;
}

static inline struct sf_event exact(uint32_t id, uint64_t pfn, uint64_t size)
{
	struct sf_event ev = whole(id, SF_API_EXACT, SF_PLACE_PAGES, pfn, 0);

	ev.alloc.size = size;
	ev.alloc.elem = size;
	return ev;
}

#endif
