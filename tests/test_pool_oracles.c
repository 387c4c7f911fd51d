// SPDX-License-Identifier: MIT
/*
 * test_pool_oracles.c - PMA-1 to PMA-9 on events made by hand: each stream that breaks one has its
 * exact title, each that only looks like it has none.
 *
 * A pool of two pages, the frames of which are not neighbours, is filled, sealed, written to and
 * destroyed; the process's mappings are emitted as the test has them in a table. Relies on
 * event_fixture.h.
 */
#define PAGES 2048u
#define CAPS (((1ull << 24) - 1) | SF_CAP_POOLS)
#define POOL 1u
#define OTHER 2u
#define AREA SF_VMALLOC                    /* of POOL: frames 10 and 20 */
#define AREA2 (SF_VMALLOC + 16 * SF_PAGE_SIZE) /* a second one: frames 30 and 31 */
#define FIRST AREA                         /* its objects: 0, of 100 bytes, in the first page; */
#define CROSSING (AREA + 4000)             /* 1, of 200 bytes, crosses the pages */
#define RUNS_MAX 16

#define FIXTURE_MEMBERS struct sf_ev_mapping run[RUNS_MAX]; unsigned int nr_runs;

#include "event_fixture.h"

static void heap(struct fixture *f)
{
	EMIT(f, HEAP, heap, .allocator = "test", .caps = f->caps, .settings = &f->set,
	     .direct_map = SF_DIRECT_MAP, .pages = PAGES, .vmalloc = SF_VMALLOC,
	     .vmalloc_pages = PAGES, .exact = true);
	EMIT(f, CACHE, cache, .name = "kmalloc-64", .id = 0, .object_size = 64, .stride = 64,
	     .align = 64, .objects = 64, .kind = SF_CACHE_KMALLOC, .boot = true,
	     .class_size = 64, .bucket = SF_NONE, .flags = SF_SLAB_NO_MERGE);
	f->op = SF_NONE;
	EMIT(f, BEGIN, run, .ops = 1);
	f->op = 0;
	/* all of the first chunk is in use: by whom does not matter */
	EMIT(f, BLOCK_DEL, block, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_ALLOC, page, .order = 10, .list = 0xff);
	f->op++;
}

/* --- mappings --- */

static void run(struct fixture *f, uint8_t kind, const char *rwx, uint64_t addr, uint64_t pfn,
		uint64_t pages)
{
	assert_true(f->nr_runs < RUNS_MAX);
	f->run[f->nr_runs++] = (struct sf_ev_mapping){
		.kind = kind, .read = rwx[0] == 'r', .write = rwx[1] == 'w', .exec = rwx[2] == 'x',
		.addr = addr, .pfn = pfn, .pages = pages,
	};
}

static void direct(struct fixture *f, const char *rwx, uint64_t pfn, uint64_t end)
{
	run(f, SF_MAPPING_DIRECT, rwx, at(pfn), pfn, end - pfn);
}

/* The area's two pages, each with permissions of its own. */
static void area(struct fixture *f, const char *first, const char *second)
{
	run(f, SF_MAPPING_AREA, first, AREA, 10, 1);
	run(f, SF_MAPPING_AREA, second, AREA + SF_PAGE_SIZE, 20, 1);
}

static void alias(struct fixture *f, const char *rwx, uint64_t page, uint64_t pfn)
{
	run(f, SF_MAPPING_ALIAS, rwx, page << SF_PAGE_SHIFT, pfn, 1);
}

/* What is in the table is emitted, and is all. */
static void emit_maps(struct fixture *f, uint8_t when, uint32_t pool, uint64_t addr, uint64_t size)
{
	for (unsigned int i = 0; i < f->nr_runs; i++)
		emit(f, SF_EV_MAPPING, (struct sf_event){ .mapping = f->run[i] });
	EMIT(f, MAPS, maps, .when = when, .pool = pool, .nr = f->nr_runs, .addr = addr,
	     .size = size);
	f->nr_runs = 0;
}

/* All as it is to be: the pool's two pages are sealed, or not. */
static void good_maps(struct fixture *f, uint8_t when, bool sealed)
{
	bool strict = f->set.directmap && sealed;

	direct(f, "rw-", 0, 10);
	direct(f, strict ? "r--" : "rw-", 10, 11);
	direct(f, "rw-", 11, 20);
	direct(f, strict ? "r--" : "rw-", 20, 21);
	direct(f, "rw-", 21, PAGES);
	area(f, sealed ? "r--" : "rw-", sealed ? "r--" : "rw-");
	emit_maps(f, when, when == SF_MAPS_WALK ? 0 : POOL, 0, 0);
}

/* --- a pool --- */

static void act(struct fixture *f, uint32_t pool, uint8_t what, uint8_t mode, uint8_t status)
{
	EMIT(f, POOL, pool, .pool = pool, .act = what, .mode = mode, .status = status,
	     .refill = 2);
	f->op++;
}

static void map(struct fixture *f, uint32_t pool, uint64_t addr, uint64_t first, uint64_t second)
{
	const uint64_t pfns[] = { first, second };

	EMIT(f, MAP, map, .addr = addr, .pages = 2, .pfns = pfns, .pool = pool);
}

static void unmap(struct fixture *f, uint64_t addr, uint64_t dirty)
{
	EMIT(f, UNMAP, map, .addr = addr, .pages = 2, .pool = POOL, .dirty = dirty);
}

static void pmalloc(struct fixture *f, uint32_t id, uint32_t pool, uint64_t n, uint64_t size,
		    uint64_t addr)
{
	uint64_t product;
	bool over = __builtin_mul_overflow(n, size, &product);

	EMIT(f, ALLOC, alloc, .id = addr ? id : SF_NONE, .res = f->op, .api = SF_API_PMALLOC,
	     .status = addr ? SF_OK : SF_NULL, .n = n, .elem = size, .overflow = over,
	     .size = over ? UINT64_MAX : product, .addr = addr, .dirty = SF_GOOD, .zeroed = size,
	     .bad = SF_GOOD, .gfp = SF_GFP_KERNEL, .cache = SF_NONE, .bucket = SF_NONE,
	     .old_id = SF_NONE, .pool = pool,
	     .place = { .kind = addr ? SF_PLACE_POOL : SF_PLACE_UNKNOWN, .cache = SF_NONE,
			.base = AREA, .pool = pool });
	f->op++;
}

/* A pool of that mode with one area and two objects. */
static void fill(struct fixture *f, uint8_t mode)
{
	act(f, POOL, SF_POOL_CREATE, mode, SF_OK);
	map(f, POOL, AREA, 10, 20);
	pmalloc(f, 0, POOL, 1, 100, FIRST);
	pmalloc(f, 1, POOL, 1, 200, CROSSING);
}

static void protect(struct fixture *f)
{
	good_maps(f, SF_MAPS_PROTECT, true);
	act(f, POOL, SF_POOL_PROTECT, 0, SF_OK);
}

static void sealed(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	protect(f);
}

static void strict(struct fixture *f)
{
	f->set.directmap = 1;
}

static void life(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	good_maps(f, SF_MAPS_WALK, false);
	protect(f);
	good_maps(f, SF_MAPS_WALK, true);
	good_maps(f, SF_MAPS_UNPROTECT, false);
	act(f, POOL, SF_POOL_UNPROTECT, 0, SF_OK);
	protect(f);
	unmap(f, AREA, SF_GOOD);
	direct(f, "rw-", 0, PAGES);
	emit_maps(f, SF_MAPS_DESTROY, POOL, 0, 0);
	act(f, POOL, SF_POOL_DESTROY, 0, SF_OK);
	direct(f, "rw-", 0, PAGES);
	emit_maps(f, SF_MAPS_WALK, 0, 0, 0);
}

static void not_shown(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	act(f, POOL, SF_POOL_PROTECT, 0, SF_OK);
}

static void not_placed(struct fixture *f)
{
	act(f, POOL, SF_POOL_CREATE, SF_POOL_WR, SF_OK);
	map(f, POOL, AREA, 10, 20);
	EMIT(f, ALLOC, alloc, .api = SF_API_PMALLOC, .n = 1, .elem = 8, .size = 8, .addr = FIRST,
	     .dirty = SF_GOOD, .bad = SF_GOOD, .gfp = SF_GFP_KERNEL, .cache = SF_NONE,
	     .bucket = SF_NONE, .old_id = SF_NONE, .pool = POOL);
}

static void small_area(struct fixture *f)
{
	const uint64_t pfn = 10;

	act(f, POOL, SF_POOL_CREATE, SF_POOL_WR, SF_OK);
	EMIT(f, MAP, map, .addr = AREA, .pages = 1, .pfns = &pfn, .pool = POOL);
	pmalloc(f, 0, POOL, 1, 100, FIRST);
}

/*
 * The system refused to seal, which it does not for so few pages: nothing is known until the pool's
 * event, then nothing is sealed.
 */
static void not_sealed(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	EMIT(f, WARN, warn, .what = "mprotect");
	good_maps(f, SF_MAPS_PROTECT, false);
	act(f, POOL, SF_POOL_PROTECT, 0, SF_NULL);
	good_maps(f, SF_MAPS_WALK, false);
}

/* An area that seals the one before it; one that is sealed from the start. */
static void self_sealing(struct fixture *f)
{
	fill(f, SF_POOL_AUTO_RO);
	map(f, POOL, AREA2, 30, 31);
	good_maps(f, SF_MAPS_PROTECT, true); /* emitted before the new one is there */
	pmalloc(f, 2, POOL, 1, 8, AREA2);
	act(f, OTHER, SF_POOL_CREATE, SF_POOL_START_WR, SF_OK);
	map(f, OTHER, AREA2 + 8 * SF_PAGE_SIZE, 40, 41);
	pmalloc(f, 3, OTHER, 1, 8, AREA2 + 8 * SF_PAGE_SIZE);
}

/* --- PMA-1, PMA-2 --- */

static void last_page_open(struct fixture *f)
{
	fill(f, SF_POOL_RO);
	area(f, "r--", "rw-");
	emit_maps(f, SF_MAPS_PROTECT, POOL, 0, 0);
}

static void opened_by_rare_write(struct fixture *f)
{
	sealed(f);
	area(f, "rw-", "r--");
	alias(f, "rw-", 1000, 10);
	emit_maps(f, SF_MAPS_MIDST, POOL, FIRST, 100);
}

static void older_area_open(struct fixture *f)
{
	fill(f, SF_POOL_AUTO_WR);
	map(f, POOL, AREA2, 30, 31);
	area(f, "rw-", "rw-");
	run(f, SF_MAPPING_AREA, "rw-", AREA2, 30, 2);
	emit_maps(f, SF_MAPS_PROTECT, POOL, 0, 0);
}

static void page_gone(struct fixture *f)
{
	sealed(f);
	area(f, "r--", "---");
	emit_maps(f, SF_MAPS_WALK, 0, 0, 0);
}

static void page_exchanged(struct fixture *f)
{
	sealed(f);
	run(f, SF_MAPPING_AREA, "r--", AREA, 10, 1);
	run(f, SF_MAPPING_AREA, "r--", AREA + SF_PAGE_SIZE, 21, 1);
	emit_maps(f, SF_MAPS_WALK, 0, 0, 0);
}

static void directmap_open(struct fixture *f)
{
	fill(f, SF_POOL_RO);
	direct(f, "rw-", 0, PAGES);
	area(f, "r--", "r--");
	emit_maps(f, SF_MAPS_PROTECT, POOL, 0, 0);
}

static void mapped_elsewhere(struct fixture *f)
{
	sealed(f);
	area(f, "r--", "r--");
	run(f, SF_MAPPING_OTHER, "rw-", 0, 19, 4);
	emit_maps(f, SF_MAPS_WALK, 0, 0, 0);
}

static void mapped_elsewhere_harmlessly(struct fixture *f)
{
	sealed(f);
	area(f, "r--", "r--");
	run(f, SF_MAPPING_OTHER, "rw-", 0, 21, 4);
	run(f, SF_MAPPING_OTHER, "r--", 0, 10, 1);
	emit_maps(f, SF_MAPS_WALK, 0, 0, 0);
}

/* --- PMA-3 --- */

static void rare_good(struct fixture *f)
{
	sealed(f);
	area(f, "r--", "r--");
	alias(f, "rw-", 1000, 10);
	alias(f, "rw-", 1001, 20);
	emit_maps(f, SF_MAPS_MIDST, POOL, CROSSING, 200);
	good_maps(f, SF_MAPS_RARE, true);
	f->op++;
	area(f, "r--", "r--");
	alias(f, "rw-", 7, 20);
	emit_maps(f, SF_MAPS_MIDST, POOL, AREA + 4096, 104);
	good_maps(f, SF_MAPS_RARE, true);
}

static void rare_one(struct fixture *f, const char *rwx, uint64_t page, uint64_t pfn)
{
	alias(f, rwx, page, pfn);
	emit_maps(f, SF_MAPS_MIDST, POOL, FIRST, 100);
	f->op++;
}

static void rare_exec(struct fixture *f)
{
	sealed(f);
	rare_one(f, "rwx", 1000, 10);
}

static void rare_read_only(struct fixture *f)
{
	sealed(f);
	rare_one(f, "r--", 1000, 10);
}

static void rare_wrong_page(struct fixture *f)
{
	sealed(f);
	rare_one(f, "rw-", 1000, 20);
}

static void rare_wide(struct fixture *f)
{
	sealed(f);
	alias(f, "rw-", 1000, 10);
	rare_one(f, "rw-", 1001, 20);
}

static void rare_narrow(struct fixture *f)
{
	sealed(f);
	alias(f, "rw-", 1000, 10);
	emit_maps(f, SF_MAPS_MIDST, POOL, CROSSING, 200);
}

static void rare_two(struct fixture *f)
{
	sealed(f);
	alias(f, "rw-", 1000, 10);
	alias(f, "rw-", 2000, 20);
	emit_maps(f, SF_MAPS_MIDST, POOL, CROSSING, 200);
}

static void rare_same_place(struct fixture *f)
{
	sealed(f);
	rare_one(f, "rw-", 1000, 10);
	rare_one(f, "rw-", 1000, 10);
}

static void rare_leaked(struct fixture *f)
{
	sealed(f);
	rare_one(f, "rw-", 1000, 10);
	alias(f, "rw-", 1000, 10);
	emit_maps(f, SF_MAPS_RARE, POOL, FIRST, 100);
}

static void rare_leaked_in_the_end(struct fixture *f)
{
	sealed(f);
	area(f, "r--", "r--");
	alias(f, "r--", 1000, 10);
	emit_maps(f, SF_MAPS_WALK, 0, 0, 0);
}

/* --- PMA-4, PMA-5 --- */

static void rare(struct fixture *f, uint32_t pool, uint64_t addr, uint64_t offset, uint64_t size,
		 uint8_t status)
{
	EMIT(f, RARE, rare, .pool = pool, .id = 0, .addr = addr, .offset = offset, .size = size,
	     .status = status, .before = SF_GOOD, .after = SF_GOOD, .bad = SF_GOOD, .seen = 3);
	f->op++;
}

static void authority_good(struct fixture *f)
{
	sealed(f);
	rare(f, POOL, FIRST, 0, 100, SF_OK);
	rare(f, POOL, FIRST, 50, 50, SF_OK);
	rare(f, POOL, FIRST, 50, 4150, SF_OK);   /* up to the last object's end */
	rare(f, POOL, FIRST, 0, 0, SF_NOTICED);
	rare(f, POOL, FIRST, 0, 3 * SF_PAGE_SIZE, SF_NOTICED);
	rare(f, POOL, FIRST, UINT64_MAX, 2, SF_NOTICED);
	rare(f, POOL, FIRST, 0, 8, SF_NULL);     /* no mapping was to be had */
	act(f, OTHER, SF_POOL_CREATE, SF_POOL_WR, SF_OK);
	rare(f, OTHER, FIRST, 0, 8, SF_NOTICED);
	good_maps(f, SF_MAPS_UNPROTECT, false);
	act(f, POOL, SF_POOL_UNPROTECT, 0, SF_OK);
	rare(f, POOL, FIRST, 0, 8, SF_OK);
}

static void authority_mode(struct fixture *f)
{
	fill(f, SF_POOL_RO);
	protect(f);
	rare(f, POOL, FIRST, 0, 8, SF_OK);
}

static void authority_other(struct fixture *f)
{
	sealed(f);
	act(f, OTHER, SF_POOL_CREATE, SF_POOL_WR, SF_OK);
	rare(f, OTHER, FIRST, 0, 8, SF_OK);
}

static void authority_outside(struct fixture *f)
{
	sealed(f);
	rare(f, POOL, FIRST, 2 * SF_PAGE_SIZE - 8, 16, SF_OK);
}

static void authority_beyond(struct fixture *f)
{
	sealed(f);
	rare(f, POOL, CROSSING, 192, 16, SF_OK);
}

static void authority_nothing(struct fixture *f)
{
	sealed(f);
	rare(f, POOL, FIRST, 0, 0, SF_OK);
}

static void authority_wraps(struct fixture *f)
{
	sealed(f);
	rare(f, POOL, FIRST, 0, UINT64_MAX, SF_OK);
}

static void authority_refused(struct fixture *f)
{
	sealed(f);
	rare(f, POOL, FIRST, 96, 4, SF_NOTICED);
}

static void opened_ro(struct fixture *f)
{
	fill(f, SF_POOL_AUTO_RO);
	good_maps(f, SF_MAPS_UNPROTECT, false);
	act(f, POOL, SF_POOL_UNPROTECT, 0, SF_OK);
}

static void not_opened(struct fixture *f)
{
	sealed(f);
	act(f, POOL, SF_POOL_UNPROTECT, 0, SF_NOTICED);
}

static void write_to(struct fixture *f, uint8_t status, uint64_t bad)
{
	EMIT(f, WRITE, write, .id = 0, .addr = FIRST, .size = 100, .status = status, .bad = bad,
	     .verified = 100);
	f->op++;
}

static void writes_good(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	write_to(f, SF_OK, SF_GOOD);
	protect(f);
	write_to(f, SF_NOTICED, SF_GOOD);
	good_maps(f, SF_MAPS_UNPROTECT, false);
	act(f, POOL, SF_POOL_UNPROTECT, 0, SF_OK);
	write_to(f, SF_OK, SF_GOOD);
	rare(f, POOL, FIRST, 0, 8, SF_OK);
}

static void write_unnoticed(struct fixture *f)
{
	sealed(f);
	write_to(f, SF_OK, SF_GOOD);
}

static void write_half(struct fixture *f)
{
	sealed(f);
	write_to(f, SF_NOTICED, 8);
}

static void write_refused(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	write_to(f, SF_NOTICED, SF_GOOD);
}

static void write_lost(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	write_to(f, SF_OK, 99);
}

static void seen(struct fixture *f, uint8_t status, uint8_t bits, uint64_t before, uint64_t after,
		 uint64_t bad)
{
	sealed(f);
	EMIT(f, RARE, rare, .pool = POOL, .id = 0, .addr = FIRST, .size = 8, .status = status,
	     .seen = bits, .before = before, .after = after, .bad = bad);
}

static void seen_early(struct fixture *f)
{
	seen(f, SF_OK, 3, 0, SF_GOOD, SF_GOOD);
}

static void seen_late(struct fixture *f)
{
	seen(f, SF_OK, 3, SF_GOOD, 4, SF_GOOD);
}

static void seen_by_nobody(struct fixture *f)
{
	seen(f, SF_OK, 0, 0, 4, SF_GOOD);
}

static void rare_lost(struct fixture *f)
{
	seen(f, SF_OK, 3, SF_GOOD, SF_GOOD, 7);
}

static void rare_refused_and_written(struct fixture *f)
{
	seen(f, SF_NOTICED, 0, SF_GOOD, SF_GOOD, 0);
}

/* --- PMA-6, PMA-7, PMA-9 --- */

static void page_twice(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	map(f, OTHER, AREA2, 30, 20);
}

static void page_free(struct fixture *f)
{
	act(f, POOL, SF_POOL_CREATE, SF_POOL_WR, SF_OK);
	map(f, POOL, AREA, 10, 1024);
}

static void page_of_slab(struct fixture *f)
{
	EMIT(f, SLAB_NEW, slab, .cache = 0, .pfn = 20, .objects = 64, .addr = at(20));
	f->op++;
	act(f, POOL, SF_POOL_CREATE, SF_POOL_WR, SF_OK);
	map(f, POOL, AREA, 10, 20);
}

static void page_of_vmalloc(struct fixture *f)
{
	map(f, 0, AREA2, 10, 11);
	act(f, POOL, SF_POOL_CREATE, SF_POOL_WR, SF_OK);
	map(f, POOL, AREA, 10, 20);
}

static void area_over_another(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	map(f, POOL, AREA, 30, 31);
}

static void slab_of_pool(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	EMIT(f, SLAB_NEW, slab, .cache = 0, .pfn = 20, .objects = 64, .addr = at(20));
}

static void object_of_others(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	act(f, OTHER, SF_POOL_CREATE, SF_POOL_WR, SF_OK);
	pmalloc(f, 2, OTHER, 1, 8, AREA + 4800);
}

static void object_of_none(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	pmalloc(f, 2, POOL, 1, 16, AREA + 2 * SF_PAGE_SIZE - 8);
}

static void object_sealed(struct fixture *f)
{
	sealed(f);
	pmalloc(f, 2, POOL, 1, 8, AREA + 4800);
}

static void sizes_good(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	pmalloc(f, 2, POOL, 1, 0, 0);
	pmalloc(f, 2, POOL, 1ull << 32, 1ull << 33, 0);
	pmalloc(f, 2, POOL, 3, 8, AREA + 4800);
}

static void size_zero(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	pmalloc(f, 2, POOL, 0, 8, AREA + 4800);
}

static void size_overflows(struct fixture *f)
{
	fill(f, SF_POOL_WR);
	pmalloc(f, 2, POOL, 1ull << 32, 1ull << 33, AREA + 4800);
}

/* --- PMA-8 --- */

static void end_dirty(struct fixture *f)
{
	sealed(f);
	unmap(f, AREA, 17);
}

static void end_other(struct fixture *f)
{
	sealed(f);
	unmap(f, AREA + SF_PAGE_SIZE, SF_GOOD);
}

static void end_area_left(struct fixture *f)
{
	sealed(f);
	act(f, POOL, SF_POOL_DESTROY, 0, SF_OK);
}

static void end_still_mapped(struct fixture *f)
{
	sealed(f);
	unmap(f, AREA, SF_GOOD);
	area(f, "r--", "r--");
	emit_maps(f, SF_MAPS_DESTROY, POOL, 0, 0);
}

static void end_read_only(struct fixture *f)
{
	sealed(f);
	unmap(f, AREA, SF_GOOD);
	direct(f, "rw-", 0, 10);
	direct(f, "r--", 10, 11);
	direct(f, "rw-", 11, PAGES);
	emit_maps(f, SF_MAPS_DESTROY, POOL, 0, 0);
}

/* title: NULL, none */
static const struct stream streams[] = {
	{ SF_INV_PMA_1, life, NULL, NULL },
	{ SF_INV_PMA_1, not_sealed, "PMA-1: a pool was not sealed or opened that could be", NULL },
	{ SF_INV_PMA_1, not_shown, "PMA-1: a pool was changed and its mappings were not shown",
	  NULL },
	{ SF_INV_PMA_6, not_placed, "PMA-6: an object of a pool is said to lie elsewhere", NULL },
	{ SF_INV_PMA_6, small_area, "PMA-6: a new area of a pool has other pages than it is to",
	  NULL },
	{ SF_INV_PMA_1, self_sealing, NULL, NULL },
	{ SF_INV_PMA_1, rare_good, NULL, NULL },
	{ SF_INV_PMA_1, last_page_open, "PMA-1: a page of a sealed area is writable", NULL },
	{ SF_INV_PMA_1, opened_by_rare_write, "PMA-1: a page of a sealed area is writable", NULL },
	{ SF_INV_PMA_1, older_area_open, "PMA-1: a page of a sealed area is writable", NULL },
	{ SF_INV_PMA_1, page_gone, "PMA-1: a page of a sealed area cannot be read", NULL },
	{ SF_INV_PMA_1, page_exchanged, "PMA-1: an area shows a page that is not its own", NULL },
	{ SF_INV_PMA_2, life, NULL, strict },
	{ SF_INV_PMA_2, life, NULL, NULL },
	{ SF_INV_PMA_2, rare_good, NULL, strict },
	{ SF_INV_PMA_2, directmap_open, NULL, NULL },
	{ SF_INV_PMA_2, mapped_elsewhere_harmlessly, NULL, NULL },
	{ SF_INV_PMA_2, directmap_open,
	  "PMA-2: a sealed page is writable through the direct map", strict },
	{ SF_INV_PMA_2, mapped_elsewhere,
	  "PMA-2: a sealed page is writable through a mapping that nobody knows", NULL },
	{ SF_INV_PMA_3, life, NULL, strict },
	{ SF_INV_PMA_3, rare_good, NULL, NULL },
	{ SF_INV_PMA_3, rare_exec, "PMA-3: the mapping of a rare write is executable", NULL },
	{ SF_INV_PMA_3, rare_read_only, "PMA-3: the mapping of a rare write cannot be written",
	  NULL },
	{ SF_INV_PMA_3, rare_wrong_page,
	  "PMA-3: the mapping of a rare write shows other pages than it is for", NULL },
	{ SF_INV_PMA_3, rare_wide,
	  "PMA-3: the mapping of a rare write shows other pages than it is for", NULL },
	{ SF_INV_PMA_3, rare_narrow,
	  "PMA-3: the mapping of a rare write does not cover what is written", NULL },
	{ SF_INV_PMA_3, rare_two, "PMA-3: a rare write has more than one mapping", NULL },
	{ SF_INV_PMA_3, rare_same_place, "PMA-3: a rare write is mapped where the last one was",
	  NULL },
	{ SF_INV_PMA_3, rare_leaked, "PMA-3: a rare write left its mapping behind", NULL },
	{ SF_INV_PMA_3, rare_leaked_in_the_end, "PMA-3: a rare write left its mapping behind",
	  NULL },
	{ SF_INV_PMA_4, authority_good, NULL, NULL },
	{ SF_INV_PMA_4, life, NULL, NULL },
	{ SF_INV_PMA_4, authority_mode,
	  "PMA-4: a rare write was carried out in a pool whose mode is not for it", NULL },
	{ SF_INV_PMA_4, authority_other,
	  "PMA-4: a rare write outside of the pool that it names was carried out", NULL },
	{ SF_INV_PMA_4, authority_outside,
	  "PMA-4: a rare write outside of the pool that it names was carried out", NULL },
	{ SF_INV_PMA_4, authority_beyond,
	  "PMA-4: a rare write beyond the objects of an area was carried out", NULL },
	{ SF_INV_PMA_4, authority_nothing, "PMA-4: a rare write of nothing was carried out", NULL },
	{ SF_INV_PMA_4, authority_wraps,
	  "PMA-4: a rare write beyond all addresses was carried out", NULL },
	{ SF_INV_PMA_4, authority_refused, "PMA-4: a legitimate rare write was refused", NULL },
	{ SF_INV_PMA_4, opened_ro, "PMA-4: a pool was opened whose mode is not for it", NULL },
	{ SF_INV_PMA_4, not_opened, "PMA-4: a pool was not opened whose mode is for it", NULL },
	{ SF_INV_PMA_5, writes_good, NULL, NULL },
	{ SF_INV_PMA_5, seen_by_nobody, NULL, NULL },
	{ SF_INV_PMA_5, write_unnoticed, "PMA-5: a write to sealed memory did not fault", NULL },
	{ SF_INV_PMA_5, write_half, "PMA-5: a write to sealed memory faulted and changed it",
	  NULL },
	{ SF_INV_PMA_5, write_refused, "PMA-5: a write to memory that is not sealed faulted",
	  NULL },
	{ SF_INV_PMA_5, write_lost, "PMA-5: a write to a pool left other contents than it wrote",
	  NULL },
	{ SF_INV_PMA_5, seen_early, "PMA-5: a reader saw a rare write before its first store",
	  NULL },
	{ SF_INV_PMA_5, seen_late,
	  "PMA-5: a reader did not see a rare write after its last store", NULL },
	{ SF_INV_PMA_5, rare_lost, "PMA-5: a rare write left other contents than it wrote", NULL },
	{ SF_INV_PMA_5, rare_refused_and_written,
	  "PMA-5: a rare write that was refused changed contents", NULL },
	{ SF_INV_PMA_6, life, NULL, NULL },
	{ SF_INV_PMA_6, self_sealing, NULL, NULL },
	{ SF_INV_PMA_6, page_twice, "PMA-6: a page of a pool is in another area", NULL },
	{ SF_INV_PMA_6, page_free, "PMA-6: a pool has a page that is not allocated", NULL },
	{ SF_INV_PMA_6, page_of_slab, "PMA-6: a page of a pool is in a slab", NULL },
	{ SF_INV_PMA_6, page_of_vmalloc, "PMA-6: a page of a pool is in use elsewhere", NULL },
	{ SF_INV_PMA_6, area_over_another, "PMA-6: an area of a pool lies over another one", NULL },
	{ SF_INV_PMA_6, slab_of_pool, "PMA-6: a slab of kmalloc-64 is made of a pool's pages",
	  NULL },
	{ SF_INV_PMA_6, object_of_others, "PMA-6: an object lies in another pool's area", NULL },
	{ SF_INV_PMA_6, object_of_none, "PMA-6: an object of a pool lies in none of its areas",
	  NULL },
	{ SF_INV_PMA_7, self_sealing, NULL, NULL },
	{ SF_INV_PMA_7, object_sealed, "PMA-7: an object comes from an area that is sealed", NULL },
	{ SF_INV_PMA_8, life, NULL, strict },
	{ SF_INV_PMA_8, self_sealing, NULL, strict },
	{ SF_INV_PMA_8, end_dirty, "PMA-8: pages of a pool go back with its contents", NULL },
	{ SF_INV_PMA_8, end_other, "PMA-8: what was unmapped is no area of the pool", NULL },
	{ SF_INV_PMA_8, end_area_left, "PMA-8: a destroyed pool keeps an area", NULL },
	{ SF_INV_PMA_8, end_still_mapped, "PMA-8: a destroyed pool is still mapped", NULL },
	{ SF_INV_PMA_8, end_read_only,
	  "PMA-8: pages of no sealed area are read-only in the direct map", NULL },
	{ SF_INV_PMA_9, sizes_good, NULL, NULL },
	{ SF_INV_PMA_9, size_zero, "PMA-9: a request for nothing got memory of a pool", NULL },
	{ SF_INV_PMA_9, size_overflows, "PMA-9: a product that overflows got memory of a pool",
	  NULL },
};

#define NR_STREAMS (sizeof(streams) / sizeof(streams[0]))

static void test_streams_have_exact_titles(void **state)
{
	(void)state;
	check_streams(streams, NR_STREAMS);
}

/* A stream that is clean for one is clean for all of its family; each is broken by some. */
static void test_clean_is_clean_for_all(void **state)
{
	struct fixture *f;
	sf_invariant_set all = 0;
	bool broken[SF_INV_COUNT] = { false };

	(void)state;
	for (unsigned int inv = SF_INV_PMA_1; inv <= SF_INV_PMA_9; inv++)
		all |= sf_invariant_bit(inv);
	for (size_t i = 0; i < NR_STREAMS; i++) {
		broken[streams[i].inv] |= streams[i].title != NULL;
		if (streams[i].title || streams[i].run == directmap_open)
			continue;
		f = play(&streams[i], all);
		if (f->nr_titles)
			fail_msg("stream %zu: \"%s\"", i, f->title[0]);
		fixture_close(f);
	}
	for (unsigned int inv = SF_INV_PMA_1; inv <= SF_INV_PMA_9; inv++)
		if (!broken[inv])
			fail_msg("%s is broken by no stream", sf_invariants[inv].id);
}

static void no_pools(struct fixture *f)
{
	f->caps &= ~(uint64_t)SF_CAP_POOLS;
}

static void test_others_are_not_judged(void **state)
{
	(void)state;
	check_not_judged(streams, NR_STREAMS, SF_INV_COUNT, no_pools);
}

/* Misuse may seal, write and map what it likes; and the next program knows nothing of it. */
static void test_taint_and_begin(void **state)
{
	const struct stream s = { .run = sealed };
	struct fixture *f;

	(void)state;
	f = play(&s, sf_invariant_bit(SF_INV_PMA_1) | sf_invariant_bit(SF_INV_PMA_3));
	run(f, SF_MAPPING_AREA, "rw-", AREA, 10, 1);
	emit(f, SF_EV_MAPPING, (struct sf_event){ .mapping = f->run[0] });
	EMIT(f, TAINT, taint, .code = 1);
	emit_maps(f, SF_MAPS_WALK, 0, 0, 0);
	f->op = SF_NONE;
	EMIT(f, BEGIN, run, .ops = 1);
	f->op = 0;
	area(f, "rw-", "rw-");
	emit_maps(f, SF_MAPS_WALK, 0, 0, 0);
	assert_int_equal(f->nr_titles, 0);
	rare_leaked_in_the_end(f);
	assert_int_equal(f->nr_titles, 1);
	fixture_close(f);
}

/* What events say is not trusted: nothing of this may crash. */
static void test_hostile_events(void **state)
{
	static const uint64_t odd[] = { 0, 1, AREA - 1, AREA, AREA + 5, AREA2, UINT64_MAX - 4096,
					UINT64_MAX };
	const struct stream s = { .run = sealed };
	struct fixture *f;

	(void)state;
	f = play(&s, 0);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
			const uint64_t pfns[] = { odd[i], odd[k] };

			EMIT(f, MAP, map, .addr = odd[i], .pages = 2, .pfns = pfns, .pool = 5);
			EMIT(f, UNMAP, map, .addr = odd[i], .pages = odd[k], .pool = POOL);
			EMIT(f, POOL, pool, .pool = (uint32_t)odd[i], .act = (uint8_t)k);
			run(f, (uint8_t)k, "rwx", odd[i], odd[k], 2);
			emit_maps(f, (uint8_t)k, (uint32_t)i, odd[i], odd[k]);
			rare(f, (uint32_t)i, odd[i], odd[k], odd[i], SF_OK);
			EMIT(f, WRITE, write, .id = (uint32_t)odd[i], .addr = odd[i],
			     .size = odd[k]);
		}
	assert_true(f->nr_titles > 0);
	fixture_close(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_have_exact_titles),
		cmocka_unit_test(test_clean_is_clean_for_all),
		cmocka_unit_test(test_others_are_not_judged),
		cmocka_unit_test(test_taint_and_begin),
		cmocka_unit_test(test_hostile_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
