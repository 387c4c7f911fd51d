// SPDX-License-Identifier: MIT
/*
 * test_large_oracles.c - BIG-1 to BIG-8 on events made by hand: each stream that breaks one has its
 * exact title, each that only looks like it has none.
 *
 * Streams say what the one rule that is judged needs, and no more. Relies on event_fixture.h.
 */
#define PAGES 8192u
#define CAPS (((1ull << 24) - 1) | SF_CAP_COMPACT | SF_CAP_LARGE | SF_CAP_MIN_ORDER)
#define KIB 1024u
#define SIZE (640 * KIB)
#define SLOT (170 * 4096) /* kmalloc's, three in a block */

enum { C_PLAIN, C_SLOT, C_NAMED };

#define FIXTURE_MEMBERS uint32_t id;

#include "event_fixture.h"

/* A cache as it should be: large, of objects of `size` bytes. */
static struct sf_ev_cache large(uint32_t id, uint8_t kind, uint32_t size)
{
	uint32_t low = size & -size;

	return (struct sf_ev_cache){
		.name = kind == SF_CACHE_NAMED ? "buffers" : "kmalloc-large-680k", .id = id,
		.object_size = size, .stride = (size + 7) & ~7u,
		.align = low > 4096 ? 4096 : low < 8 ? 8 : low, .kind = kind,
		.order = 9, .min_order = 9, .boot = kind != SF_CACHE_NAMED, .large = true,
		.objects = (uint16_t)((2048 * KIB) / size),
		.min_objects = (uint16_t)((2048 * KIB) / size),
		.class_size = kind == SF_CACHE_NAMED ? 0 : size, .bucket = SF_NONE,
	};
}

/* Another one: with the geometry that is given. */
static struct sf_ev_cache plain(uint32_t size, uint8_t order, uint8_t min_order)
{
	return (struct sf_ev_cache){
		.name = "buffers", .id = C_NAMED, .object_size = size, .stride = size, .align = 8,
		.kind = SF_CACHE_NAMED, .order = order, .min_order = min_order,
		.objects = (uint16_t)((4096u << order) / size),
		.min_objects = (uint16_t)((4096u << min_order) / size), .bucket = SF_NONE,
		.min_partial = 5,
	};
}

static void make(struct fixture *f, struct sf_ev_cache c)
{
	emit(f, SF_EV_CACHE, (struct sf_event){ .cache = c });
}

/* ... and its create, which asked for that min_order. */
static void create(struct fixture *f, struct sf_ev_cache c, uint8_t min_order)
{
	make(f, c);
	EMIT(f, CACHE_CREATE, cacheop, .cache = c.id, .size = c.object_size,
	     .min_order = min_order, .name = "buffers");
	f->op++;
}

static void heap(struct fixture *f)
{
	EMIT(f, HEAP, heap, .allocator = "test", .caps = f->caps, .settings = &f->set,
	     .direct_map = SF_DIRECT_MAP, .pages = PAGES, .vmalloc = SF_VMALLOC,
	     .vmalloc_pages = PAGES, .exact = true);
	make(f, (struct sf_ev_cache){ .name = "kmalloc-64", .id = C_PLAIN, .object_size = 64,
				      .stride = 64, .align = 64, .objects = 64, .min_objects = 64,
				      .kind = SF_CACHE_KMALLOC, .boot = true, .class_size = 64,
				      .bucket = SF_NONE, .flags = SF_SLAB_NO_MERGE });
	make(f, large(C_SLOT, SF_CACHE_KMALLOC_LARGE, SLOT));
	f->op = SF_NONE;
	EMIT(f, BEGIN, run, .ops = 1);
	f->op = 0;
}

/* The block at pfn, of the largest that boot made: the lower half of it is allocated. */
static void take(struct fixture *f, uint64_t pfn)
{
	EMIT(f, BLOCK_DEL, block, .pfn = pfn, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, BLOCK_ADD, block, .pfn = pfn + 512, .order = 9, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_ALLOC, page, .pfn = pfn, .order = 9, .list = 0xff, .gfp = SF_GFP_KERNEL);
}

static void slab(struct fixture *f, uint32_t cache, uint64_t pfn, uint8_t order, uint16_t objects)
{
	take(f, pfn);
	EMIT(f, SLAB_NEW, slab, .cache = cache, .pfn = pfn, .order = order, .objects = objects,
	     .addr = at(pfn), .dirty = SF_GOOD, .gfp = SF_GFP_KERNEL);
}

static struct sf_ev_alloc request(struct fixture *f, uint8_t api, uint64_t size, uint32_t gfp)
{
	return (struct sf_ev_alloc){
		.id = SF_NONE, .res = f->op, .api = api, .status = SF_NULL, .gfp = gfp, .n = 1,
		.elem = size, .size = size, .dirty = SF_GOOD, .bad = SF_GOOD, .bucket = SF_NONE,
		.cache = api == SF_API_CACHE ? (uint32_t)C_NAMED : SF_NONE, .old_id = SF_NONE,
	};
}

/* Object `index` of the slab at pfn. */
static void object(struct fixture *f, uint8_t api, uint64_t size, uint32_t cache, uint64_t pfn,
		   uint32_t stride, uint32_t index, uint64_t shift)
{
	struct sf_ev_alloc a = request(f, api, size, SF_GFP_KERNEL);

	a.id = f->id++;
	a.status = SF_OK;
	a.addr = at(pfn) + (uint64_t)index * stride + shift;
	a.usable = stride;
	a.place = (struct sf_place){
		.kind = SF_PLACE_SLAB, .order = 9, .cache = cache, .stride = stride,
		.object_size = stride, .index = index, .objects = 3, .base = at(pfn), .pfn = pfn,
	};
	emit(f, SF_EV_ALLOC, (struct sf_event){ .alloc = a });
	f->op++;
}

static void large_block(struct fixture *f, uint64_t size, uint64_t addr)
{
	struct sf_ev_alloc a = request(f, SF_API_KMALLOC, size, SF_GFP_KERNEL);

	a.id = f->id++;
	a.status = SF_OK;
	a.addr = addr;
	a.place = (struct sf_place){ .kind = SF_PLACE_LARGE, .order = 8, .cache = SF_NONE,
				     .base = addr };
	emit(f, SF_EV_ALLOC, (struct sf_event){ .alloc = a });
	f->op++;
}

/* --- BIG-1 --- */

static void slab_good(struct fixture *f)
{
	create(f, large(C_NAMED, SF_CACHE_NAMED, SIZE), 0);
	slab(f, C_NAMED, 1024, 9, 3);
	object(f, SF_API_CACHE, SIZE, C_NAMED, 1024, SIZE, 2, 0);
	slab(f, C_SLOT, 2048, 9, 3);
	object(f, SF_API_KMALLOC, SIZE, C_SLOT, 2048, SLOT, 2, 0);
}

static void slab_small(struct fixture *f)
{
	slab(f, C_SLOT, 1024, 8, 1);
}

static void slab_askew(struct fixture *f)
{
	take(f, 1024);
	EMIT(f, SLAB_NEW, slab, .cache = C_SLOT, .pfn = 1024 + 256, .order = 9, .objects = 3);
}

static void slab_overfull(struct fixture *f)
{
	create(f, large(C_NAMED, SF_CACHE_NAMED, SIZE), 0);
	slab(f, C_NAMED, 1024, 9, 4);
}

static void object_outside(struct fixture *f)
{
	slab(f, C_SLOT, 1024, 9, 3);
	object(f, SF_API_KMALLOC, SIZE, C_SLOT, 1024, SLOT, 3, 0);
}

static void object_smaller(struct fixture *f)
{
	struct sf_ev_alloc a = request(f, SF_API_KMALLOC, SIZE, SF_GFP_KERNEL);

	a.id = f->id++;
	a.status = SF_OK;
	a.addr = at(1024);
	a.place = (struct sf_place){ .kind = SF_PLACE_SLAB, .order = 8, .cache = C_SLOT,
				     .stride = SLOT, .object_size = SLOT, .objects = 1,
				     .base = a.addr, .pfn = 1024 };
	emit(f, SF_EV_ALLOC, (struct sf_event){ .alloc = a });
}

/* --- BIG-2 --- */

static void refuse(struct fixture *f, uint8_t api, uint32_t gfp)
{
	emit(f, SF_EV_ALLOC, (struct sf_event){ .alloc = request(f, api, SIZE, gfp) });
	f->op++;
}

static void page_fail(struct fixture *f, uint8_t order, uint32_t gfp)
{
	EMIT(f, PAGE_FAIL, pagefail, .order = order, .gfp = gfp, .mark = 1u << 20);
}

static void reclaim(struct fixture *f)
{
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .begin = true, .order = 9,
	     .memcg = SF_NONE);
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .order = 9, .memcg = SF_NONE,
	     .passes = 2);
}

/* No block of 2 MiB is left in the zone: all is allocated, as blocks of order 10. */
static void fill_up(struct fixture *f)
{
	for (uint64_t p = 0; p < PAGES; p += 1024) {
		EMIT(f, BLOCK_DEL, block, .pfn = p, .order = 10,
		     .migratetype = SF_MIGRATE_MOVABLE);
		EMIT(f, PAGE_ALLOC, page, .pfn = p, .order = 10, .list = 0xff);
	}
	f->op++;
}

/*
 * Every other page is free, and every other, of the page blocks from `first` on, has a movable
 * object: the zone is half free, and there is no block.
 */
static void fragment(struct fixture *f, uint64_t movable_until)
{
	fill_up(f);
	for (uint64_t p = 1; p < PAGES; p += 2) {
		EMIT(f, PAGE_FREE, page, .pfn = p, .list = 0xff);
		EMIT(f, BLOCK_ADD, block, .pfn = p, .migratetype = SF_MIGRATE_MOVABLE);
	}
	f->op++;
	for (uint64_t p = 0; p < movable_until; p += 2) {
		struct sf_ev_alloc a = request(f, SF_API_PAGES, 4096,
					       SF_GFP_KERNEL | SF_GFP_MOVABLE);

		a.id = f->id++;
		a.status = SF_OK;
		a.addr = at(p);
		a.place = (struct sf_place){ .kind = SF_PLACE_PAGES, .base = at(p), .pfn = p };
		emit(f, SF_EV_ALLOC, (struct sf_event){ .alloc = a });
		f->op++;
	}
}

static void refused_good(struct fixture *f)
{
	fill_up(f);
	page_fail(f, 9, SF_GFP_NOWAIT);
	refuse(f, SF_API_KMALLOC, SF_GFP_NOWAIT);
	reclaim(f);
	page_fail(f, 9, SF_GFP_KERNEL);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL);
	/* by a fault on purpose; kvmalloc has its own fallback */
	EMIT(f, FAULT, fault, .kind = SF_FAULT_SLAB);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL);
	refuse(f, SF_API_KVMALLOC, SF_GFP_KERNEL);
	/* the page allocator's orders fail for others too */
	page_fail(f, 3, SF_GFP_KERNEL);
	reclaim(f);
	page_fail(f, 9, SF_GFP_KERNEL | SF_GFP_NORETRY | SF_GFP_COMP);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL | SF_GFP_NORETRY);
}

static void refused_silently(struct fixture *f)
{
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL);
}

static void refused_smaller(struct fixture *f)
{
	create(f, large(C_NAMED, SF_CACHE_NAMED, SIZE), 0);
	fill_up(f);
	reclaim(f);
	page_fail(f, 9, SF_GFP_KERNEL);
	page_fail(f, 8, SF_GFP_KERNEL);
	refuse(f, SF_API_CACHE, SF_GFP_KERNEL);
}

static void refused_noretry(struct fixture *f)
{
	fill_up(f);
	reclaim(f);
	page_fail(f, 9, SF_GFP_KERNEL | SF_GFP_NORETRY);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL);
}

static void refused_stripped(struct fixture *f)
{
	fill_up(f);
	page_fail(f, 9, SF_GFP_KERNEL & ~(uint32_t)SF_GFP_DIRECT_RECLAIM);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL);
}

static void refused_at_hand(struct fixture *f)
{
	EMIT(f, PAGE_FAIL, pagefail, .order = 9, .gfp = SF_GFP_KERNEL, .mark = 0);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL);
}

static void refused_idle(struct fixture *f)
{
	fill_up(f);
	page_fail(f, 9, SF_GFP_KERNEL);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL);
}

static void refused_pcp(struct fixture *f)
{
	fill_up(f);
	EMIT(f, PAGE_FREE, page, .pfn = 512, .order = 9, .pcp = true, .list = 12);
	f->op++;
	reclaim(f);
	page_fail(f, 9, SF_GFP_KERNEL);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL);
}

static void refused_uncompacted(struct fixture *f)
{
	fragment(f, 512);
	reclaim(f);
	page_fail(f, 9, SF_GFP_KERNEL);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL);
}

static void refused_after_compaction(struct fixture *f)
{
	fragment(f, 512);
	reclaim(f);
	EMIT(f, COMPACT, compact, .order = 9);
	page_fail(f, 9, SF_GFP_KERNEL | SF_GFP_NORETRY);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL | SF_GFP_NORETRY);
}

/* Nothing moves; it moves and is pinned; the flags do not allow it. */
static void refused_immovable(struct fixture *f)
{
	fragment(f, 0);
	reclaim(f);
	page_fail(f, 9, SF_GFP_KERNEL);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL);
}

static void refused_pinned(struct fixture *f)
{
	fragment(f, 512);
	EMIT(f, PIN, pin, .id = 7, .on = true);
	f->op++;
	reclaim(f);
	page_fail(f, 9, SF_GFP_KERNEL);
	refuse(f, SF_API_KMALLOC, SF_GFP_KERNEL);
}

static void refused_noio(struct fixture *f)
{
	fragment(f, 512);
	reclaim(f);
	page_fail(f, 9, SF_GFP_NOIO);
	refuse(f, SF_API_KMALLOC, SF_GFP_NOIO);
}

/* --- BIG-3, BIG-7 --- */

struct walk {
	uint32_t cache, objects, inuse;
};

static void walk(struct fixture *f, uint64_t pfn, struct walk w)
{
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_SLAB, snapslab, .cache = w.cache, .pfn = pfn, .order = 9,
	     .list = w.inuse < w.objects ? SF_SLAB_PARTIAL : SF_SLAB_UNLISTED,
	     .objects = w.objects, .inuse = w.inuse, .addr = at(pfn), .unwiped = SF_GOOD);
	EMIT(f, SNAP_END, snap, .managed = PAGES);
	f->op++;
}

static void walk_good(struct fixture *f)
{
	slab(f, C_SLOT, 1024, 9, 3);
	object(f, SF_API_KMALLOC, SIZE, C_SLOT, 1024, SLOT, 0, 0);
	walk(f, 1024, (struct walk){ C_SLOT, 3, 1 });
}

static void walk_fewer(struct fixture *f)
{
	struct sf_ev_cache c = large(C_NAMED, SF_CACHE_NAMED, SIZE);

	c.stride = 1024 * KIB;
	c.objects = c.min_objects = 2;
	create(f, c, 0);
	slab(f, C_NAMED, 1024, 9, 2);
	object(f, SF_API_CACHE, SIZE, C_NAMED, 1024, 1024 * KIB, 0, 0);
	walk(f, 1024, (struct walk){ C_NAMED, 2, 1 });
}

static void walk_more(struct fixture *f)
{
	slab(f, C_SLOT, 1024, 9, 3);
	object(f, SF_API_KMALLOC, SIZE, C_SLOT, 1024, SLOT, 0, 0);
	walk(f, 1024, (struct walk){ C_SLOT, 4, 1 });
}

static void walk_held(struct fixture *f)
{
	slab(f, C_SLOT, 1024, 9, 3);
	f->op++;
	walk(f, 1024, (struct walk){ C_SLOT, 3, 1 });
}

static void walk_empty(struct fixture *f)
{
	slab(f, C_SLOT, 1024, 9, 3);
	f->op++;
	walk(f, 1024, (struct walk){ C_SLOT, 3, 0 });
}

static void one_empty(struct fixture *f)
{
	f->set.large_min_partial = 1;
}

static void sheaves_asked(struct fixture *f)
{
	struct sf_ev_cache c = large(C_NAMED, SF_CACHE_NAMED, SIZE);

	c.sheaf_capacity = 4;
	make(f, c);
	EMIT(f, CACHE_CREATE, cacheop, .cache = C_NAMED, .size = SIZE, .sheaf_capacity = 4);
	f->op++;
	slab(f, C_NAMED, 1024, 9, 3);
	f->op++;
	object(f, SF_API_CACHE, SIZE, C_NAMED, 1024, SIZE, 0, 0);
	walk(f, 1024, (struct walk){ C_NAMED, 3, 1 });
}

static void sheaves_unasked(struct fixture *f)
{
	struct sf_ev_cache c = large(C_NAMED, SF_CACHE_NAMED, SIZE);

	c.sheaf_capacity = 4;
	create(f, c, 0);
	slab(f, C_NAMED, 1024, 9, 3);
	f->op++;
	walk(f, 1024, (struct walk){ C_NAMED, 3, 3 });
}

static void back(struct fixture *f, uint8_t order)
{
	slab(f, C_SLOT, 1024, 9, 3);
	f->op++;
	EMIT(f, SLAB_FREE, slab, .cache = C_SLOT, .pfn = 1024, .order = 9, .objects = 3,
	     .addr = at(1024));
	EMIT(f, PAGE_FREE, page, .pfn = 1024, .order = order, .list = 12, .pcp = true);
	f->op++;
}

static void back_whole(struct fixture *f)
{
	back(f, 9);
}

static void back_in_parts(struct fixture *f)
{
	back(f, 8);
}

/* --- BIG-4 --- */

/* An object whose free pointer lies behind it. */
static struct sf_ev_cache behind(struct sf_ev_cache c)
{
	c.object_size -= 8;
	c.freeptr = c.object_size;
	return c;
}

/* Objects that kernels have, and the last sizes that gain. */
static void sizes_good(struct fixture *f)
{
	static const uint32_t gain[] = { 8448, 5856, 33000, 40 * KIB, 80 * KIB, 160 * KIB,
					 320 * KIB, 640 * KIB, 699048, 419424, 51472, 75792 };
	static const struct {
		uint32_t size;
		uint8_t order;
	} same[] = { { 704 * KIB, 8 }, { 699056, 8 }, { 1280 * KIB, 9 }, { 2048 * KIB, 9 },
		     { 3072 * KIB, 10 }, { 64 * KIB, 4 }, { 8192, 3 }, { 4096, 3 }, { 1000, 2 } };

	for (size_t i = 0; i < sizeof(gain) / sizeof(gain[0]); i++)
		create(f, large(C_NAMED + (uint32_t)i, SF_CACHE_NAMED, gain[i]), 0);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct sf_ev_cache c = plain(same[i].size, same[i].order, same[i].order);

		c.id = C_NAMED + 100 + (uint32_t)i;
		create(f, c, 0);
	}
	/* with a free pointer behind it, it would be aligned to three pages */
	create(f, behind(plain(8200, 3, 2)), 0);
	/* from slabs of 2 MiB there is nothing to gain, and above them it cannot be had */
	create(f, plain(640 * KIB, 9, 9), 9);
	create(f, plain(640 * KIB, 10, 10), 10);
	large_block(f, 704 * KIB, at(0));
	large_block(f, 32 * KIB, at(1024));
	object(f, SF_API_KMALLOC, 33000, C_SLOT, 2048, SLOT, 0, 0);
}

static void size_lost(struct fixture *f)
{
	create(f, plain(SIZE, 8, 8), 0);
}

static void size_gains_nothing(struct fixture *f)
{
	create(f, large(C_NAMED, SF_CACHE_NAMED, 704 * KIB), 0);
}

static void kmalloc_gains_nothing(struct fixture *f)
{
	object(f, SF_API_KMALLOC, 704 * KIB, C_SLOT, 1024, SLOT, 0, 0);
}

static void kmalloc_lost(struct fixture *f)
{
	large_block(f, SIZE, at(0));
}

/* --- BIG-5, BIG-6 --- */

static struct sf_ev_cache asked(struct sf_ev_cache c, uint8_t order)
{
	c.asked_order = order;
	return c;
}

static void orders_good(struct fixture *f)
{
	create(f, plain(64, 0, 0), 0);
	create(f, asked(plain(64, 3, 3), 3), 3);
	create(f, asked(plain(192, 5, 5), 5), 5);
	create(f, asked(plain(8, 5, 5), 9), 9); /* no more objects than 32767 */
	create(f, asked(plain(64, 8, 8), 9), 9);
	create(f, plain(4096, 3, 0), 0);
	create(f, large(C_NAMED, SF_CACHE_NAMED, SIZE), 0);
	create(f, asked(plain(64, 3, 3), 3), 3);
	slab(f, C_NAMED, 1024, 3, 512);
}

static void order_below(struct fixture *f)
{
	create(f, asked(plain(64, 3, 3), 3), 3);
	slab(f, C_NAMED, 1024, 0, 64);
}

static void order_falls_back(struct fixture *f)
{
	create(f, asked(plain(64, 3, 0), 3), 3);
}

static void order_unheeded(struct fixture *f)
{
	create(f, asked(plain(64, 0, 3), 3), 3);
}

static void order_of_others(struct fixture *f)
{
	create(f, asked(plain(64, 3, 3), 3), 0);
}

static void order_lost(struct fixture *f)
{
	create(f, plain(64, 0, 0), 3);
}

static void order_spread(struct fixture *f)
{
	create(f, plain(64, 3, 0), 0);
}

static void order_too_large(struct fixture *f)
{
	create(f, asked(plain(64, 5, 5), 3), 3);
}

static void objects_too_many(struct fixture *f)
{
	create(f, asked(plain(8, 9, 9), 9), 9);
}

static void slab_too_many(struct fixture *f)
{
	EMIT(f, SLAB_NEW, slab, .cache = C_PLAIN, .pfn = 0, .order = 9, .objects = 32768);
}

static void order_lowered(struct fixture *f)
{
	create(f, asked(plain(8, 3, 3), 9), 9);
}

/* --- BIG-8 --- */

static void aligned_good(struct fixture *f)
{
	object(f, SF_API_CACHE, 640 * KIB, C_NAMED, 1024, 640 * KIB, 1, 0);
	create(f, large(C_NAMED, SF_CACHE_NAMED, 33000), 0); /* 8 divides it */
	object(f, SF_API_CACHE, 33000, C_NAMED, 1024, 33000, 1, 0);
	object(f, SF_API_KMALLOC, 600 * KIB, C_SLOT, 2048, SLOT, 1, 0);
	large_block(f, 704 * KIB, at(4096));
}

static void askew_named(struct fixture *f)
{
	create(f, large(C_NAMED, SF_CACHE_NAMED, 640 * KIB), 0);
	object(f, SF_API_CACHE, 640 * KIB, C_NAMED, 1024, 640 * KIB, 1, 512);
}

static void askew_kmalloc(struct fixture *f)
{
	object(f, SF_API_KMALLOC, 600 * KIB, C_SLOT, 1024, SLOT, 1, 8);
}

static void askew_block(struct fixture *f)
{
	large_block(f, 704 * KIB, at(4096) + 64);
}

/* title: NULL, none */
static const struct stream streams[] = {
	{ SF_INV_BIG_1, slab_good, NULL, NULL },
	{ SF_INV_BIG_1, slab_small, "BIG-1: a slab of kmalloc-large-680k is no block of 2 MiB",
	  NULL },
	{ SF_INV_BIG_1, slab_askew, "BIG-1: a slab of kmalloc-large-680k is no block of 2 MiB",
	  NULL },
	{ SF_INV_BIG_1, slab_overfull, "BIG-1: objects of named cache leave their block of 2 MiB",
	  NULL },
	{ SF_INV_BIG_1, object_smaller,
	  "BIG-1: an object of kmalloc-large-680k is in no block of 2 MiB", NULL },
	{ SF_INV_BIG_1, object_outside,
	  "BIG-1: an object of kmalloc-large-680k leaves its block of 2 MiB", NULL },
	{ SF_INV_BIG_2, refused_good, NULL, NULL },
	{ SF_INV_BIG_2, refused_immovable, NULL, NULL },
	{ SF_INV_BIG_2, refused_pinned, NULL, NULL },
	{ SF_INV_BIG_2, refused_noio, NULL, NULL },
	{ SF_INV_BIG_2, refused_silently,
	  "BIG-2: a large request failed without asking for a block of 2 MiB", NULL },
	{ SF_INV_BIG_2, refused_smaller, "BIG-2: a smaller block was tried for a large request",
	  NULL },
	{ SF_INV_BIG_2, refused_noretry, "BIG-2: a block of 2 MiB was asked for with "
	  "__GFP_NORETRY, which is not the caller's", NULL },
	{ SF_INV_BIG_2, refused_stripped,
	  "BIG-2: a block of 2 MiB was asked for with less than the caller's flags", NULL },
	{ SF_INV_BIG_2, refused_at_hand,
	  "BIG-2: a large request was refused with a block of 2 MiB at hand", NULL },
	{ SF_INV_BIG_2, refused_idle,
	  "BIG-2: a large request was refused without a round of reclaim", NULL },
	{ SF_INV_BIG_2, refused_pcp,
	  "BIG-2: a large request was refused with a block of 2 MiB on a per-CPU list", NULL },
	{ SF_INV_BIG_2, refused_uncompacted,
	  "BIG-2: a large request was refused without compaction", NULL },
	{ SF_INV_BIG_2, refused_after_compaction,
	  "BIG-2: a large request was refused over pages that could move", NULL },
	{ SF_INV_BIG_3, walk_good, NULL, NULL },
	{ SF_INV_BIG_3, walk_empty, NULL, NULL },
	{ SF_INV_BIG_3, walk_fewer, "BIG-3: a block of named cache holds fewer objects than fit",
	  NULL },
	{ SF_INV_BIG_3, walk_more,
	  "BIG-3: a block of kmalloc-large-680k holds more objects than fit", NULL },
	{ SF_INV_BIG_3, walk_held, "BIG-3: a block of kmalloc-large-680k is held by nothing",
	  NULL },
	{ SF_INV_BIG_4, sizes_good, NULL, NULL },
	{ SF_INV_BIG_4, size_lost, "BIG-4: named cache is not large and would gain by it", NULL },
	{ SF_INV_BIG_4, size_gains_nothing, "BIG-4: named cache is large and gains nothing by it",
	  NULL },
	{ SF_INV_BIG_4, kmalloc_gains_nothing,
	  "BIG-4: kmalloc-large-680k holds a request that gains nothing by it", NULL },
	{ SF_INV_BIG_4, kmalloc_lost,
	  "BIG-4: large kmalloc holds a request that gains by a block of 2 MiB", NULL },
	{ SF_INV_BIG_5, orders_good, NULL, NULL },
	{ SF_INV_BIG_5, order_below, "BIG-5: a slab of named cache is smaller than its min_order",
	  NULL },
	{ SF_INV_BIG_5, order_falls_back,
	  "BIG-5: named cache falls back to slabs below its min_order", NULL },
	{ SF_INV_BIG_5, order_unheeded,
	  "BIG-5: slabs of named cache are smaller than its min_order", NULL },
	{ SF_INV_BIG_5, order_of_others,
	  "BIG-5: named cache has a min_order that nobody asked for", NULL },
	{ SF_INV_BIG_5, order_lost, "BIG-5: named cache has not the min_order that was asked for",
	  NULL },
	{ SF_INV_BIG_5, order_spread,
	  "BIG-5: slabs of named cache are not as they are without min_order", NULL },
	{ SF_INV_BIG_5, order_too_large,
	  "BIG-5: slabs of named cache are not the smallest that its min_order allows", NULL },
	{ SF_INV_BIG_6, orders_good, NULL, NULL },
	{ SF_INV_BIG_6, objects_too_many,
	  "BIG-6: a slab of named cache has room for more than 32767 objects", NULL },
	{ SF_INV_BIG_6, slab_too_many, "BIG-6: a slab of kmalloc-64 has more than 32767 objects",
	  NULL },
	{ SF_INV_BIG_6, order_lowered,
	  "BIG-6: the order of named cache was lowered more than its objects need", NULL },
	{ SF_INV_BIG_7, walk_good, NULL, NULL },
	{ SF_INV_BIG_7, back_whole, NULL, NULL },
	{ SF_INV_BIG_7, walk_empty, NULL, one_empty },
	{ SF_INV_BIG_7, sheaves_asked, NULL, NULL },
	{ SF_INV_BIG_7, walk_empty, "BIG-7: kmalloc-large-680k keeps more empty blocks of 2 MiB "
	  "than large_min_partial", NULL },
	{ SF_INV_BIG_7, sheaves_unasked, "BIG-7: sheaves of named cache hold more than large_sheaf",
	  NULL },
	{ SF_INV_BIG_7, back_in_parts, "BIG-7: a block of 2 MiB went back in parts", NULL },
	{ SF_INV_BIG_8, aligned_good, NULL, NULL },
	{ SF_INV_BIG_8, askew_named,
	  "BIG-8: an object of named cache is not aligned as its size is", NULL },
	{ SF_INV_BIG_8, askew_kmalloc,
	  "BIG-8: an object of kmalloc-large-680k is not aligned as its size is", NULL },
	{ SF_INV_BIG_8, askew_block,
	  "BIG-8: an object of large kmalloc is not aligned as its size is", NULL },
};

#define NR_STREAMS (sizeof(streams) / sizeof(streams[0]))

static void test_streams_have_exact_titles(void **state)
{
	(void)state;
	check_streams(streams, NR_STREAMS);
}

static void test_each_is_broken_and_kept(void **state)
{
	(void)state;
	for (unsigned int inv = SF_INV_BIG_1; inv <= SF_INV_BIG_8; inv++) {
		unsigned int clean = 0, broken = 0;

		for (size_t i = 0; i < NR_STREAMS; i++) {
			clean += streams[i].inv == inv && !streams[i].title;
			broken += streams[i].inv == inv && streams[i].title;
		}
		if (!clean || !broken)
			fail_msg("%s: %u clean streams, %u broken", sf_invariants[inv].id, clean,
				 broken);
	}
}

/* Without `large` and `min_order` the same events are not judged, and said to be skipped. */
static void no_large(struct fixture *f)
{
	f->caps &= ~(uint64_t)(SF_CAP_LARGE | SF_CAP_MIN_ORDER);
}

static void test_others_are_not_judged(void **state)
{
	(void)state;
	check_not_judged(streams, NR_STREAMS, SF_INV_BIG_6, no_large);
}

/* What events say is not trusted: nothing of this may crash. */
static void test_hostile_events(void **state)
{
	static const uint64_t odd[] = { 0, 1, 7, 9, 10, 255, 4096, 1u << 31, UINT32_MAX,
					UINT64_MAX - 4096 };
	const struct stream s = { .run = slab_good };
	struct fixture *f;

	(void)state;
	f = play(&s, 0);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
			struct sf_ev_cache c = large(C_NAMED, (uint8_t)(k % 2), 8);

			c.stride = c.object_size = (uint32_t)odd[i];
			c.align = c.freeptr = (uint32_t)odd[k];
			c.order = c.asked_order = (uint8_t)odd[k];
			c.large = i & 1;
			create(f, c, (uint8_t)odd[i]);
			EMIT(f, SLAB_NEW, slab, .cache = C_NAMED, .pfn = odd[k],
			     .order = (uint8_t)odd[i], .objects = (uint16_t)odd[k]);
			EMIT(f, PAGE_FAIL, pagefail, .order = (uint8_t)odd[i], .gfp = ~0u);
			refuse(f, (uint8_t)k, (uint32_t)odd[i]);
			object(f, (uint8_t)i, odd[k], C_NAMED, odd[i], (uint32_t)odd[k], 1, 3);
			EMIT(f, SLAB_FREE, slab, .cache = C_NAMED, .pfn = odd[k]);
			EMIT(f, PAGE_FREE, page, .pfn = odd[i], .order = (uint8_t)odd[k]);
			walk(f, odd[i], (struct walk){ C_NAMED, (uint32_t)odd[k], 1 });
		}
	assert_true(f->nr_titles > 0);
	fixture_close(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_have_exact_titles),
		cmocka_unit_test(test_each_is_broken_and_kept),
		cmocka_unit_test(test_others_are_not_judged),
		cmocka_unit_test(test_hostile_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
