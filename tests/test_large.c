// SPDX-License-Identifier: MIT
/*
 * test_large.c - slabs of 2 MiB and min_order: which caches and sizes they are for, that there is
 * no fallback, how hard is tried for each kind of flags, and that what is freed is given back.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../allocators/page_alloc.h"
#include "sound.h"

#define PAGES_MAX 65536
#define CACHES_MAX 256
#define KIB 1024u
#define LARGE_SIZE (2048u * KIB)

/* What the heap said, and what its user holds. */
struct rig {
	const struct sf_allocator *a;
	struct sf_heap *h;
	struct sf_settings set;
	struct sf_sink sink;
	struct sf_user user;
	struct sf_ev_cache cache[CACHES_MAX], last;
	char name[CACHES_MAX][64];
	uint32_t nr_caches;
	uint64_t seen[SF_EV_TYPES], slabs_of_order[SF_NR_ORDERS];
	uint64_t parked, moved;
	uint32_t parked_of;
	struct sf_ev_pagefail failed;
	struct sf_ev_slab slab;
	uint64_t page[PAGES_MAX]; /* single movable pages, by cookie; 0: none */
	uint32_t nr_pages;
};

static void hear(void *ctx, const struct sf_event *ev)
{
	struct rig *r = ctx;

	r->seen[ev->type]++;
	if (ev->type == SF_EV_CACHE) {
		assert_true(ev->cache.id < CACHES_MAX);
		r->last = r->cache[ev->cache.id] = ev->cache;
		snprintf(r->name[ev->cache.id], sizeof(r->name[0]), "%s", ev->cache.name);
		if (r->nr_caches <= ev->cache.id)
			r->nr_caches = ev->cache.id + 1;
	} else if (ev->type == SF_EV_SLAB_NEW) {
		r->slab = ev->slab;
		r->slabs_of_order[ev->slab.order]++;
	} else if (ev->type == SF_EV_PAGE_FAIL) {
		r->failed = ev->pagefail;
	} else if (ev->type == SF_EV_SNAP_SHEAF && ev->snapsheaf.cache == r->parked_of) {
		r->parked += ev->snapsheaf.nr;
	}
}

static void moved(void *ctx, uint32_t cookie, uint64_t from, uint64_t to)
{
	struct rig *r = ctx;

	assert_int_equal(r->page[cookie], from);
	r->page[cookie] = to;
	r->moved++;
}

static struct rig *rig_new(const struct sf_allocator *a, uint64_t pages)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	sf_settings_init(&r->set);
	r->a = a;
	r->set.pages = pages;
	r->set.cpus = 1;
	r->sink = (struct sf_sink){ .emit = hear, .ctx = r, .op = SF_NONE };
	r->user = (struct sf_user){ .moved = moved, .ctx = r };
	return r;
}

static struct rig *rig_start(struct rig *r)
{
	struct sf_error err = { "" };

	r->h = r->a->create(r->a, &r->set, &r->sink, &err);
	if (!r->h)
		fail_msg("%s", err.text);
	r->a->set_user(r->h, &r->user);
	return r;
}

static struct rig *rig_open(const struct sf_allocator *a, uint64_t pages)
{
	return rig_start(rig_new(a, pages));
}

static void rig_close(struct rig *r)
{
	assert_sound(r->h);
	r->a->destroy(r->h);
	free(r);
}

static void forget(struct rig *r)
{
	memset(r->seen, 0, sizeof(r->seen));
	memset(r->slabs_of_order, 0, sizeof(r->slabs_of_order));
	r->moved = 0;
}

static uint32_t create_as(struct rig *r, const struct sf_cache_request *rq)
{
	bool merged;

	return r->a->cache_create(r->h, rq, &merged);
}

static uint32_t create(struct rig *r, const char *name, uint32_t size)
{
	const struct sf_cache_request rq = { .name = name, .size = size };
	uint32_t id = create_as(r, &rq);

	assert_true(id != SF_NONE);
	return id;
}

static uint64_t cache_alloc(struct rig *r, uint32_t cache, uint32_t gfp)
{
	struct sf_result rs;

	r->a->cache_alloc(r->h, cache, gfp, &rs);
	assert_int_equal(rs.status, rs.addr ? SF_OK : SF_NULL);
	return rs.addr;
}

static void cache_free(struct rig *r, uint32_t cache, uint64_t p)
{
	struct sf_result rs;

	r->a->cache_free(r->h, cache, p, &rs);
	assert_int_equal(rs.status, SF_OK);
}

static uint64_t alloc_by(struct rig *r, uint8_t api, uint64_t size, uint32_t gfp)
{
	struct sf_request rq = { .api = api, .gfp = gfp, .n = 1, .size = size, .bucket = SF_NONE };
	struct sf_result rs;

	r->a->alloc(r->h, &rq, &rs);
	return rs.addr;
}

static uint64_t kmalloc(struct rig *r, uint64_t size, uint32_t gfp)
{
	return alloc_by(r, SF_API_KMALLOC, size, gfp);
}

static void release(struct rig *r, uint64_t p)
{
	struct sf_result rs;

	r->a->free(r->h, p, SF_KVFREE, &rs);
	assert_int_equal(rs.status, SF_OK);
}

static struct sf_place place(struct rig *r, uint64_t p)
{
	struct sf_place pl;

	r->a->place(r->h, p, &pl);
	return pl;
}

static uint64_t free_blocks(const struct rig *r, unsigned int order)
{
	uint64_t n = 0;

	for (unsigned int o = order; o < SF_NR_ORDERS; o++)
		n += r->h->zone.nr_free[o] << (o - order);
	return n;
}

/* All memory is free again, and whole. */
static void assert_all_free(struct rig *r)
{
	r->a->drain(r->h);
	assert_int_equal(r->h->zone.nr_free_pages, r->set.pages);
	assert_int_equal(free_blocks(r, SF_NR_ORDERS - 1), r->set.pages >> (SF_NR_ORDERS - 1));
}

/* --- memory in pieces --- */

static uint64_t page(struct rig *r, uint32_t gfp)
{
	struct sf_result rs;

	r->a->pages_alloc(r->h, gfp, 0, &rs);
	return rs.addr;
}

static void page_give(struct rig *r, uint32_t cookie)
{
	r->a->pages_free(r->h, r->page[cookie], 0);
	r->page[cookie] = 0;
}

static bool movable_page(struct rig *r)
{
	uint64_t addr = page(r, SF_GFP_KERNEL | SF_GFP_MOVABLE | SF_GFP_MEMALLOC);

	if (!addr)
		return false;
	r->page[r->nr_pages] = addr;
	r->a->track(r->h, addr, r->nr_pages++, false);
	return true;
}

static uint64_t frame(uint64_t addr)
{
	return (addr - SF_DIRECT_MAP) >> SF_PAGE_SHIFT;
}

/* Nothing but single movable pages, each other one of which is free again. */
static void break_up(struct rig *r)
{
	while (movable_page(r))
		;
	for (uint32_t i = 0; i < r->nr_pages; i++)
		if (frame(r->page[i]) % 2)
			page_give(r, i);
	r->a->drain(r->h);
	assert_int_equal(free_blocks(r, 1), 0);
	forget(r);
}

static void pin_all(struct rig *r)
{
	for (uint32_t i = 0; i < r->nr_pages; i++)
		if (r->page[i])
			r->a->pin(r->h, r->page[i], true);
}

/*
 * The lower half of memory: page blocks that are not for movable pages, with every eighth page free
 * and movable pages in the rest, which took what was left there. The upper half: page blocks for
 * movable pages, each other of which is free, and the rest is pinned. So a block can only come from
 * the lower half, which compaction leaves alone unless it is allowed to work.
 */
static void break_up_foreign(struct rig *r)
{
	static uint64_t taken[PAGES_MAX];
	uint64_t half = r->set.pages / 2;
	uint32_t n = 0;

	/* Upper and lower half: whatever the order, all of memory is taken. */
	while (movable_page(r))
		;
	for (uint32_t i = 0; i < r->nr_pages; i++)
		if (frame(r->page[i]) < half)
			page_give(r, i);
	r->a->drain(r->h);
	while ((taken[n] = page(r, SF_GFP_KERNEL | SF_GFP_MEMALLOC)) != 0)
		n++;
	assert_true(n >= half);
	/* What is free is too small to be claimed for movable pages: they steal it. */
	for (unsigned int turn = 0; turn < 4; turn++) {
		for (uint32_t i = 0; i < n; i++)
			if (frame(taken[i]) % 8 == 2 * turn || frame(taken[i]) % 8 == 2 * turn + 1)
				r->a->pages_free(r->h, taken[i], 0);
		r->a->drain(r->h);
		while (movable_page(r))
			;
	}
	for (uint32_t i = 0; i < r->nr_pages; i++) {
		uint64_t pfn = r->page[i] ? frame(r->page[i]) : 0;

		if (!r->page[i])
			continue;
		if (pfn < half ? pfn % 8 == 0 : pfn % 2 == 0)
			page_give(r, i);
		else if (pfn >= half)
			r->a->pin(r->h, r->page[i], true);
	}
	r->a->drain(r->h);
	for (uint64_t pfn = 0; pfn < half; pfn += 512)
		assert_int_equal(page_block_type(r->h, (uint32_t)pfn), SF_MIGRATE_UNMOVABLE);
	assert_int_equal(page_block_type(r->h, (uint32_t)half), SF_MIGRATE_MOVABLE);
	assert_int_equal(free_blocks(r, 1), 0);
	forget(r);
}

/* --- which caches --- */

static void expect_cache(struct rig *r, uint32_t size, uint32_t flags, uint32_t objects)
{
	const struct sf_cache_request rq = { .name = "it", .size = size,
					     .flags = flags | SF_SLAB_NO_MERGE };
	const struct sf_ev_cache *c = &r->last;

	assert_true(create_as(r, &rq) != SF_NONE);
	if (c->large != (objects != 0))
		fail_msg("%u bytes: large is %d", size, c->large);
	if (!objects)
		return;
	if (c->objects != objects)
		fail_msg("%u bytes: %u objects, not %u", size, c->objects, objects);
	assert_int_equal(c->order, 9);
	assert_int_equal(c->min_order, 9);
	assert_int_equal(c->min_objects, objects);
	assert_int_equal(c->sheaf_capacity, 0);
	assert_int_equal(c->min_partial, 0);
	assert_int_equal(c->asked_order, 0);
	assert_true((uint64_t)c->objects * c->stride <= LARGE_SIZE);
	assert_true((uint64_t)(c->objects + 1) * c->stride > LARGE_SIZE);
}

static void named_caches(void **state)
{
	/* Objects of drivers and file systems, and what 2 MiB hold of them. 0: it is not large. */
	static const uint32_t table[][2] = {
		{ 4096, 0 },       { 4104, 511 },    { 4232, 495 },    { 4288, 489 },
		{ 5856, 358 },     { 8192, 0 },      { 8448, 248 },    { 8672, 241 },
		{ 33000, 63 },     { 40960, 51 },    { 51472, 40 },    { 75792, 27 },
		{ 80 * KIB, 25 },  { 160 * KIB, 12 }, { 320 * KIB, 6 }, { 386504, 5 },
		{ 640 * KIB, 3 },  { 704 * KIB, 0 }, { 1280 * KIB, 0 }, { 2048 * KIB, 0 },
		{ 3072 * KIB, 0 }, { 64 * KIB, 0 },  { 512 * KIB, 0 }, { 1024 * KIB, 0 },
		/* The last that gain, and the first that do not. */
		{ 699048, 3 },     { 699049, 0 },    { 699056, 0 },    { 419424, 5 },
		{ 419432, 0 },     { 524296, 3 },    { 1048584, 0 },
	};
	struct rig *r = rig_open(&sf_large, 4096);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_cache(r, table[i][0], 0, table[i][1]);
	/* No other variant has any. */
	rig_close(r);
	r = rig_open(&sf_baseline, 4096);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_cache(r, table[i][0], 0, 0);
	rig_close(r);
}

static void preferred_orders_count(void **state)
{
	struct rig *r = rig_new(&sf_large, 4096);

	(void)state;
	/* Where ordinary slabs are as good, they stay. */
	r->set.slab_min_order = r->set.slab_max_order = 9;
	rig_start(r);
	expect_cache(r, 640 * KIB, 0, 0);
	assert_int_equal(r->last.order, 9);
	assert_int_equal(r->last.min_order, 8);
	rig_close(r);
	r = rig_new(&sf_large, 4096);
	r->set.slab_max_order = 5; /* 80 KiB: one in 128 KiB, 16 in 2 MiB */
	rig_start(r);
	expect_cache(r, 80 * KIB, 0, 25);
	expect_cache(r, 40 * KIB, 0, 51); /* three in 128 KiB: 48 */
	expect_cache(r, 42 * KIB, 0, 0);  /* three again, and 48 in 2 MiB */
	rig_close(r);
}

static void settings_keep_more(void **state)
{
	struct rig *r = rig_new(&sf_large, 4096);
	struct sf_cache_request rq = { .name = "it", .size = 640 * KIB, .sheaf_capacity = 9 };

	(void)state;
	r->set.large_sheaf = 5;
	r->set.large_min_partial = 2;
	rig_start(r);
	create(r, "plain", 640 * KIB);
	assert_int_equal(r->last.sheaf_capacity, 5);
	assert_int_equal(r->last.min_partial, 2);
	create_as(r, &rq);
	assert_true(r->last.large);
	assert_int_equal(r->last.sheaf_capacity, 9);
	rq.flags = SF_SLAB_NOLEAKTRACE;
	create_as(r, &rq);
	assert_int_equal(r->last.sheaf_capacity, 0);
	/* Others are as ever. */
	create(r, "small", 512);
	assert_int_equal(r->last.sheaf_capacity, 28);
	assert_int_equal(r->last.min_partial, 5);
	rig_close(r);
	r = rig_new(&sf_large, 4096);
	r->set.large_sheaf = 5;
	r->set.sheaves = 0;
	rig_start(r);
	create(r, "plain", 640 * KIB);
	assert_int_equal(r->last.sheaf_capacity, 0);
	rig_close(r);
}

static void alignment(void **state)
{
	static const uint32_t table[][2] = { /* size, what has to divide addresses */
		{ 640 * KIB, 4096 }, { 51472, 16 }, { 8448, 256 }, { 75792, 16 }, { 41472, 512 },
	};
	struct rig *r = rig_open(&sf_large, 16384);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint32_t cache = create(r, "aligned", table[i][0]);

		assert_int_equal(r->last.align, table[i][1]);
		for (unsigned int n = 0; n < 10; n++) {
			uint64_t p = cache_alloc(r, cache, SF_GFP_KERNEL);

			assert_true(p != 0);
			assert_int_equal(p % table[i][1], 0);
		}
	}
	/* A free pointer behind the object takes a page then, and that may be too much. */
	expect_cache(r, 640 * KIB, SF_SLAB_CTOR, 3);
	assert_int_equal(r->last.stride, 644 * KIB);
	expect_cache(r, 8192, SF_SLAB_TYPESAFE_BY_RCU, 0);
	assert_int_equal(r->last.stride, 8200);
	/* 640 KiB merge with a little less, and are aligned as they have to be all the same. */
	rig_close(r);
	r = rig_open(&sf_large, 16384);
	create(r, "less", 640 * KIB - 4);
	assert_int_equal(r->last.align, 8);
	assert_int_equal(create(r, "more", 640 * KIB), r->last.id);
	assert_string_equal(r->name[r->last.id], "less");
	assert_int_equal(r->last.align, 4096);
	rig_close(r);
}

/* --- kmalloc --- */

static void kmalloc_sizes(void **state)
{
	static const struct {
		uint64_t size;
		uint32_t slot; /* 0: whole pages */
	} table[] = {
		{ 8193, 0 },        { 32 * KIB, 0 },   { 32 * KIB + 1, 36 }, { 36 * KIB, 36 },
		{ 36 * KIB + 1, 40 }, { 60 * KIB, 60 }, { 60 * KIB + 1, 0 }, { 64 * KIB, 0 },
		{ 64 * KIB + 1, 68 }, { 120 * KIB, 120 }, { 121 * KIB, 0 },  { 132 * KIB, 136 },
		{ 408 * KIB, 408 }, { 408 * KIB + 1, 0 }, { 419430, 0 },     { 512 * KIB + 1, 680 },
		{ 640 * KIB, 680 }, { 680 * KIB, 680 }, { 680 * KIB + 1, 0 }, { 704 * KIB, 0 },
		{ 1280 * KIB, 0 },  { 2048 * KIB, 0 }, { 2049 * KIB, 0 },
	};
	struct rig *r = rig_open(&sf_large, 16384);
	unsigned int caches = 0;

	(void)state;
	for (uint32_t i = 0; i < r->nr_caches; i++) {
		const struct sf_ev_cache *c = &r->cache[i];
		char name[64];

		if (c->kind != SF_CACHE_KMALLOC_LARGE) {
			assert_false(c->large);
			continue;
		}
		caches++;
		snprintf(name, sizeof(name), "kmalloc-large-%uk", c->class_size / KIB);
		assert_string_equal(r->name[i], name);
		assert_true(c->large && c->boot);
		assert_int_equal(c->stride, c->class_size);
		assert_int_equal(c->align, 4096);
		assert_int_equal(c->usersize, c->class_size);
		/* The largest that many of which fit. */
		assert_true((uint64_t)c->objects * (c->class_size + 4096) > LARGE_SIZE);
	}
	assert_int_equal(caches, 30);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t p = kmalloc(r, table[i].size, SF_GFP_KERNEL), slot = table[i].slot * KIB;
		struct sf_place pl = place(r, p);

		if (pl.kind != (slot ? SF_PLACE_SLAB : SF_PLACE_LARGE))
			fail_msg("%" PRIu64 " bytes lie elsewhere", table[i].size);
		if (slot) {
			assert_int_equal(pl.object_size, slot);
			assert_int_equal(pl.order, 9);
			assert_int_equal(r->a->usable(r->h, p), slot);
		}
		assert_int_equal(p % 4096, 0);
		release(r, p);
	}
	assert_int_equal(kmalloc(r, UINT64_MAX, SF_GFP_KERNEL), 0);
	assert_all_free(r);
	rig_close(r);
}

/* Nothing but DMA decides where it goes; __GFP_ACCOUNT is charged for the object. */
static void kmalloc_flags(void **state)
{
	struct rig *r = rig_open(&sf_large, 16384);
	uint64_t p[4];
	uint32_t group;

	(void)state;
	p[0] = kmalloc(r, 640 * KIB, SF_GFP_KERNEL);
	p[1] = kmalloc(r, 640 * KIB, SF_GFP_KERNEL | SF_GFP_RECLAIMABLE);
	p[2] = kmalloc(r, 640 * KIB, SF_GFP_KERNEL_ACCOUNT);
	p[3] = kmalloc(r, 640 * KIB, SF_GFP_KERNEL | SF_GFP_DMA);
	assert_int_equal(place(r, p[0]).base, place(r, p[1]).base);
	assert_int_equal(place(r, p[0]).base, place(r, p[2]).base);
	assert_int_equal(place(r, p[3]).kind, SF_PLACE_LARGE);
	assert_int_equal(place(r, p[3]).order, 8);
	for (unsigned int i = 0; i < 4; i++)
		release(r, p[i]);
	group = r->a->memcg_create(r->h, SF_NONE, 2 * (680 * KIB + 8));
	r->a->memcg_set(r->h, group);
	p[0] = kmalloc(r, 640 * KIB, SF_GFP_KERNEL_ACCOUNT);
	p[1] = kmalloc(r, 640 * KIB, SF_GFP_KERNEL_ACCOUNT);
	assert_true(p[0] && p[1]);
	assert_int_equal(kmalloc(r, 640 * KIB, SF_GFP_KERNEL_ACCOUNT), 0);
	p[2] = kmalloc(r, 640 * KIB, SF_GFP_KERNEL);
	release(r, p[1]);
	p[1] = kmalloc(r, 640 * KIB, SF_GFP_KERNEL_ACCOUNT);
	assert_true(p[1] && p[2]);
	for (unsigned int i = 0; i < 3; i++)
		release(r, p[i]);
	/* A charge that is refused leaves no block behind. */
	r->a->memcg_set(r->h, r->a->memcg_create(r->h, SF_NONE, 4096));
	assert_int_equal(kmalloc(r, 640 * KIB, SF_GFP_KERNEL_ACCOUNT), 0);
	assert_all_free(r);
	rig_close(r);
	r = rig_new(&sf_large, 16384);
	r->set.zone_dma = 0;
	rig_start(r);
	p[0] = kmalloc(r, 640 * KIB, SF_GFP_KERNEL | SF_GFP_DMA);
	assert_int_equal(place(r, p[0]).kind, SF_PLACE_SLAB);
	rig_close(r);
}

static uint64_t krealloc(struct rig *r, uint64_t p, uint64_t size)
{
	struct sf_request rq = { .gfp = SF_GFP_KERNEL, .n = 1, .size = size, .bucket = SF_NONE };
	struct sf_result rs;

	r->a->realloc(r->h, p, &rq, &rs);
	return rs.addr;
}

static void krealloc_sizes(void **state)
{
	struct rig *r = rig_open(&sf_large, 16384);
	uint64_t p = kmalloc(r, 600 * KIB, SF_GFP_KERNEL), q;

	(void)state;
	r->a->fill(r->h, p, 600 * KIB, 7, SF_CONTENTS_SPARSE);
	assert_int_equal(krealloc(r, p, 680 * KIB), p);
	q = krealloc(r, p, 700 * KIB);
	assert_int_equal(place(r, q).kind, SF_PLACE_LARGE);
	assert_int_equal(r->a->verify(r->h, q, 600 * KIB, 7, SF_CONTENTS_SPARSE), SF_GOOD);
	assert_int_equal(place(r, p).kind, SF_PLACE_NOWHERE);
	release(r, q);
	assert_all_free(r);
	rig_close(r);
}

/* --- no fallback, and how hard is tried --- */

static void no_fallback(void **state)
{
	struct rig *r = rig_open(&sf_large, 8192);
	uint32_t cache = create(r, "bufio", 640 * KIB), medium = create(r, "medium", 5856);
	uint64_t before, addrs[4];
	struct sf_result rs;

	(void)state;
	break_up(r);
	pin_all(r);
	before = r->h->zone.nr_free_pages;
	assert_int_equal(cache_alloc(r, cache, SF_GFP_KERNEL), 0);
	assert_int_equal(cache_alloc(r, medium, SF_GFP_KERNEL), 0);
	assert_int_equal(kmalloc(r, 640 * KIB, SF_GFP_KERNEL), 0);
	assert_int_equal(kmalloc(r, 40 * KIB, SF_GFP_KERNEL), 0);
	r->a->cache_alloc_bulk(r->h, medium, SF_GFP_KERNEL, 4, addrs, &rs);
	assert_int_equal(rs.status, SF_NULL);
	/* Each was one attempt, of order 9. */
	assert_int_equal(r->seen[SF_EV_PAGE_FAIL], 5);
	assert_int_equal(r->failed.order, 9);
	assert_int_equal(r->seen[SF_EV_SLAB_NEW], 0);
	assert_int_equal(r->seen[SF_EV_PAGE_ALLOC], 0);
	assert_int_equal(r->h->zone.nr_free_pages, before);
	assert_int_equal(r->h->cache[cache]->nr_slabs, 0);
	assert_int_equal(r->h->cache[medium]->nr_slabs, 0);
	rig_close(r);
}

/* A bulk that needs a second block and does not get it gives back the first. */
static void bulk_all_or_none(void **state)
{
	struct rig *r = rig_new(&sf_large, 1024);
	uint64_t addrs[6];
	struct sf_result rs;
	uint32_t cache;

	(void)state;
	r->set.watermarks = 0;
	rig_start(r);
	cache = create(r, "bufio", 640 * KIB);
	r->a->cache_alloc_bulk(r->h, cache, SF_GFP_KERNEL, 6, addrs, &rs);
	assert_int_equal(rs.status, SF_OK);
	assert_int_equal(r->slabs_of_order[9], 2);
	r->a->cache_free_bulk(r->h, cache, 6, addrs, &rs);
	assert_all_free(r);
	assert_true(page(r, SF_GFP_KERNEL) != 0);
	forget(r);
	r->a->cache_alloc_bulk(r->h, cache, SF_GFP_KERNEL, 6, addrs, &rs);
	assert_int_equal(rs.status, SF_NULL);
	assert_int_equal(r->seen[SF_EV_SLAB_NEW], 1);
	assert_int_equal(r->seen[SF_EV_SLAB_FREE], 1);
	assert_int_equal(r->h->cache[cache]->nr_slabs, 0);
	rig_close(r);
}

/* What the flags allow, on memory that only has to be moved. */
static void effort(void **state)
{
	static const struct {
		const char *what;
		uint32_t gfp;
		bool works;
	} table[] = {
		{ "GFP_KERNEL", SF_GFP_KERNEL, true },
		{ "GFP_NOFS", SF_GFP_NOFS, true },
		{ "__GFP_NORETRY", SF_GFP_KERNEL | SF_GFP_NORETRY, true },
		{ "__GFP_RETRY_MAYFAIL", SF_GFP_KERNEL | SF_GFP_RETRY_MAYFAIL, true },
		{ "__GFP_NOFAIL", SF_GFP_KERNEL | SF_GFP_NOFAIL, true },
		/* Compaction may do I/O; the others may not wait for anything. */
		{ "GFP_NOIO", SF_GFP_NOIO, false },
		{ "GFP_ATOMIC", SF_GFP_ATOMIC, false },
		{ "GFP_NOWAIT", SF_GFP_NOWAIT, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct rig *r = rig_open(&sf_large, 8192);
		uint32_t cache = create(r, "bufio", 640 * KIB);
		uint64_t p;

		break_up(r);
		p = cache_alloc(r, cache, table[i].gfp);
		if (table[i].works != (p != 0))
			fail_msg("%s: %s", table[i].what, p ? "got one" : "gave up");
		assert_int_equal(r->moved != 0, table[i].works);
		assert_int_equal(r->slab.gfp & SF_GFP_NORETRY, table[i].gfp & SF_GFP_NORETRY);
		assert_int_equal(r->slabs_of_order[9], table[i].works);
		rig_close(r);
	}
}

/* For a block of pages __GFP_NORETRY is a lottery: nothing moves out of such page blocks. */
static void noretry_is_one_round(void **state)
{
	struct rig *r = rig_open(&sf_large, 8192);
	uint32_t cache = create(r, "bufio", 640 * KIB);
	struct sf_result rs;
	uint64_t stalls;

	(void)state;
	break_up_foreign(r);
	r->a->pages_alloc(r->h, SF_GFP_KERNEL | SF_GFP_NORETRY, 9, &rs);
	assert_int_equal(rs.addr, 0);
	assert_int_equal(r->moved, 0);
	assert_true(r->seen[SF_EV_COMPACT] > 0);
	assert_true(cache_alloc(r, cache, SF_GFP_KERNEL | SF_GFP_NORETRY) != 0);
	assert_true(r->moved > 0);
	rig_close(r);

	/* One round, where it does not help: reclaim once, compaction before and after it. */
	r = rig_open(&sf_large, 8192);
	cache = create(r, "bufio", 640 * KIB);
	break_up(r);
	pin_all(r);
	stalls = r->h->vm.allocstall;
	assert_int_equal(cache_alloc(r, cache, SF_GFP_KERNEL | SF_GFP_NORETRY), 0);
	assert_int_equal(r->seen[SF_EV_COMPACT], 4); /* each begins and ends */
	assert_int_equal(r->h->vm.allocstall - stalls, 1);
	assert_int_equal(r->seen[SF_EV_OOM], 0);
	rig_close(r);
}

/* A block that waits on the list of another CPU is found by who may wait for it. */
static void lists_are_drained(void **state)
{
	struct rig *r = rig_new(&sf_large, 16384);
	uint32_t cache;

	(void)state;
	r->set.cpus = 2;
	r->set.watermarks = 0;
	rig_start(r);
	cache = create(r, "bufio", 640 * KIB);
	for (unsigned int i = 0; i < 3; i++)
		assert_true(cache_alloc(r, cache, SF_GFP_KERNEL) != 0);
	/* Two blocks left the zone for the first slab: the second is still on the list. */
	assert_int_equal(free_blocks(r, 9), 30);
	r->a->set_cpu(r->h, 1);
	for (unsigned int i = 0; i < 3 * 30; i++)
		assert_true(cache_alloc(r, cache, SF_GFP_KERNEL) != 0);
	assert_int_equal(free_blocks(r, 9), 0);
	assert_int_equal(r->h->cache[cache]->nr_slabs, 31);
	assert_int_equal(cache_alloc(r, cache, SF_GFP_ATOMIC), 0);
	assert_true(cache_alloc(r, cache, SF_GFP_KERNEL | SF_GFP_NORETRY) != 0);
	assert_int_equal(r->h->cache[cache]->nr_slabs, 32);
	rig_close(r);
}

static void nofail_blocks(void **state)
{
	struct rig *r = rig_open(&sf_large, 8192);
	uint32_t cache = create(r, "bufio", 640 * KIB);
	struct sf_result rs;

	(void)state;
	break_up(r);
	pin_all(r);
	r->a->cache_alloc(r->h, cache, SF_GFP_KERNEL | SF_GFP_NOFAIL, &rs);
	assert_int_equal(rs.status, SF_BLOCKED);
	assert_int_equal(r->seen[SF_EV_SLAB_NEW], 0);
	rig_close(r);
}

/* kvmalloc() is a caller with a fallback of its own. */
static void kvmalloc_falls_back(void **state)
{
	struct rig *r = rig_open(&sf_large, 8192);
	uint64_t p = alloc_by(r, SF_API_KVMALLOC, 640 * KIB, SF_GFP_KERNEL);

	(void)state;
	assert_int_equal(place(r, p).kind, SF_PLACE_SLAB);
	release(r, p);
	break_up(r);
	/* It does not reclaim for the first try, unless it is told that failing is worse. */
	p = alloc_by(r, SF_API_KVMALLOC, 640 * KIB, SF_GFP_KERNEL);
	assert_int_equal(place(r, p).kind, SF_PLACE_VMALLOC);
	assert_int_equal(r->moved, 0);
	release(r, p);
	p = alloc_by(r, SF_API_KVMALLOC, 640 * KIB, SF_GFP_KERNEL | SF_GFP_RETRY_MAYFAIL);
	assert_int_equal(place(r, p).kind, SF_PLACE_SLAB);
	assert_true(r->moved > 0);
	release(r, p);
	rig_close(r);
}

/* --- what is freed --- */

/* Pages that a cache keeps after 100 objects of 640 KiB were allocated, and freed. */
static uint64_t kept(struct rig *r)
{
	uint64_t p[100];
	uint32_t cache = create(r, "bufio", 640 * KIB);

	for (unsigned int i = 0; i < 100; i++) {
		p[i] = cache_alloc(r, cache, SF_GFP_KERNEL);
		assert_true(p[i] != 0);
	}
	for (unsigned int i = 0; i < 100; i++)
		cache_free(r, cache, p[i]);
	r->a->drain(r->h);
	r->parked_of = cache;
	r->a->walk(r->h, &r->sink, true, false);
	return r->set.pages - r->h->zone.nr_free_pages;
}

static void nothing_is_kept(void **state)
{
	struct rig *r = rig_open(&sf_baseline, 32768);

	(void)state;
	/* Linux 7.2, one CPU: 57 MiB; twelve sheaves of four, and nine empty slabs. */
	assert_int_equal(kept(r), (12 * 4 + 9) * 256);
	assert_int_equal(r->parked, 12 * 4);
	rig_close(r);
	r = rig_open(&sf_large, 32768);
	assert_int_equal(kept(r), 0);
	assert_int_equal(r->parked, 0);
	/* 34 blocks for 100, where baseline takes 50. */
	assert_int_equal(r->slabs_of_order[9], 34);
	assert_all_free(r);
	rig_close(r);
	r = rig_new(&sf_large, 32768);
	r->set.large_min_partial = 2;
	assert_int_equal(kept(rig_start(r)), 2 * 512 - 512);
	rig_close(r);
	r = rig_new(&sf_large, 32768);
	r->set.large_sheaf = 4;
	assert_true(kept(rig_start(r)) >= 12 * 4 / 3 * 512);
	assert_int_equal(r->parked, 12 * 4);
	rig_close(r);
}

/* One object keeps its block, and nothing else does. */
static void one_object_keeps_a_block(void **state)
{
	struct rig *r = rig_open(&sf_large, 8192);
	uint32_t cache = create(r, "bufio", 640 * KIB);
	uint64_t p[9];

	(void)state;
	for (unsigned int i = 0; i < 9; i++) {
		p[i] = cache_alloc(r, cache, SF_GFP_KERNEL);
		r->a->fill(r->h, p[i], 640 * KIB, i, SF_CONTENTS_SPARSE);
		assert_true(p[i] % LARGE_SIZE + 640 * KIB <= LARGE_SIZE);
	}
	for (unsigned int i = 0; i < 9; i++)
		if (i % 3)
			cache_free(r, cache, p[i]);
	assert_int_equal(r->h->cache[cache]->nr_slabs, 3);
	for (unsigned int i = 0; i < 9; i += 3) {
		assert_int_equal(r->a->verify(r->h, p[i], 640 * KIB, i, SF_CONTENTS_SPARSE),
				 SF_GOOD);
		cache_free(r, cache, p[i]);
		assert_int_equal(r->h->cache[cache]->nr_slabs, 2 - i / 3);
	}
	assert_int_equal(r->a->cache_destroy(r->h, cache), SF_OK);
	assert_all_free(r);
	rig_close(r);
}

/* A shrinker frees them as others, and the block is to be had at once. */
static void reset_is_exact(void **state)
{
	struct rig *r = rig_open(&sf_large, 8192);
	uint64_t p = kmalloc(r, 640 * KIB, SF_GFP_KERNEL), q;

	(void)state;
	kmalloc(r, 100 * KIB, SF_GFP_KERNEL);
	r->a->reset(r->h);
	assert_int_equal(r->h->zone.nr_free_pages, 8192);
	q = kmalloc(r, 640 * KIB, SF_GFP_KERNEL);
	assert_int_equal(p, q);
	assert_int_equal(r->h->cache[place(r, q).cache]->nr_slabs, 1);
	rig_close(r);
}

/* --- min_order --- */

static const struct sf_ev_cache *create_min(struct rig *r, uint32_t size, uint8_t min_order)
{
	const struct sf_cache_request rq = { .name = "it", .size = size, .min_order = min_order };

	assert_true(create_as(r, &rq) != SF_NONE);
	return &r->last;
}

static void min_order_geometry(void **state)
{
	static const struct {
		uint32_t size;
		uint8_t asked, order, min_order;
		uint32_t objects;
	} table[] = {
		{ 64, 0, 0, 0, 64 },       { 64, 1, 1, 1, 128 },     { 64, 3, 3, 3, 512 },
		{ 512, 0, 0, 0, 8 },       { 512, 1, 1, 1, 16 },     { 512, 5, 5, 5, 256 },
		{ 4288, 2, 3, 2, 7 },      { 4288, 4, 4, 4, 15 },    { 4288, 10, 10, 10, 978 },
		/* No more than 32767 objects: lowered, and so is what to fall back to. */
		{ 8, 9, 5, 5, 16384 },     { 16, 9, 6, 6, 16384 },   { 32, 9, 7, 7, 16384 },
		{ 64, 9, 8, 8, 16384 },    { 64, 8, 8, 8, 16384 },   { 128, 9, 9, 9, 16384 },
		{ 24, 10, 7, 7, 21845 },   { 8, 5, 5, 5, 16384 },
		/* Larger than what was asked. */
		{ 640 * KIB, 3, 8, 8, 1 }, { 640 * KIB, 9, 9, 9, 3 }, { 640 * KIB, 10, 10, 10, 6 },
		{ 3072 * KIB, 9, 10, 10, 1 },
	};
	struct rig *r = rig_open(&sf_baseline, 4096);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct sf_ev_cache *c = create_min(r, table[i].size, table[i].asked);

		if (c->order != table[i].order || c->objects != table[i].objects ||
		    c->min_order != table[i].min_order)
			fail_msg("%u bytes, min_order %u: order %u (%u objects) or %u",
				 table[i].size, table[i].asked, c->order, c->objects, c->min_order);
		assert_int_equal(c->asked_order, table[i].asked);
		assert_int_equal(c->min_objects, (4096u << c->min_order) / c->stride);
	}
	/* No order is larger. */
	assert_int_equal(create_as(r, &(struct sf_cache_request){ .name = "it", .size = 64,
								  .min_order = 11 }), SF_NONE);
	rig_close(r);
}

/* What one cache asks for changes no other. */
static void min_order_is_its_own(void **state)
{
	struct rig *r = rig_open(&sf_baseline, 4096);
	uint32_t first, same;
	bool merged;

	(void)state;
	first = create_min(r, 1000, 6)->id;
	assert_true(r->last.flags & SF_SLAB_NO_MERGE);
	same = create(r, "plain", 1000);
	assert_int_not_equal(first, same);
	assert_int_equal(r->last.order, 1);
	assert_int_equal(r->last.min_order, 0);
	assert_int_equal(create_as(r, &(struct sf_cache_request){ .name = "it", .size = 1000,
								  .min_order = 2 }), same + 1);
	/* Without it they merge as ever. */
	assert_int_equal(r->a->cache_create(r->h, &(struct sf_cache_request){ .name = "again",
									       .size = 1000 },
					    &merged), same);
	assert_true(merged);
	for (uint32_t i = 0; i < r->h->nr_boot; i++)
		assert_int_equal(r->cache[i].asked_order, 0);
	rig_close(r);
}

/* The setting is for all, kmalloc too, and there are still merges. */
static void min_order_of_all(void **state)
{
	struct rig *r = rig_new(&sf_baseline, 4096);
	uint32_t cache;

	(void)state;
	r->set.min_order = 4;
	rig_start(r);
	for (uint32_t i = 0; i < r->nr_caches; i++) {
		assert_int_equal(r->cache[i].asked_order, 4);
		assert_int_equal(r->cache[i].order, 4);
		assert_int_equal(r->cache[i].min_order, 4);
	}
	cache = create(r, "one", 1000);
	assert_int_equal(create(r, "other", 1000), cache);
	assert_int_equal(create_min(r, 1000, 2)->asked_order, 4);
	assert_int_equal(create_min(r, 1000, 6)->asked_order, 6);
	assert_int_equal(place(r, kmalloc(r, 8, SF_GFP_KERNEL)).order, 4);
	rig_close(r);
	/* Slabs of 4 MiB leave no large ones. */
	r = rig_new(&sf_large, 4096);
	r->set.min_order = 10;
	rig_start(r);
	for (uint32_t i = 0; i < r->nr_caches; i++)
		assert_true(!r->cache[i].large && r->cache[i].kind != SF_CACHE_KMALLOC_LARGE);
	create(r, "bufio", 640 * KIB);
	assert_false(r->last.large);
	assert_int_equal(r->last.objects, 6);
	assert_int_equal(place(r, kmalloc(r, 640 * KIB, SF_GFP_KERNEL)).kind, SF_PLACE_LARGE);
	rig_close(r);
	/* One that asks for less is large as ever; one that asks for 2 MiB has them anyway. */
	r = rig_open(&sf_large, 4096);
	assert_true(create_min(r, 640 * KIB, 8)->large);
	assert_int_equal(r->last.asked_order, 8);
	assert_false(create_min(r, 640 * KIB, 9)->large);
	assert_int_equal(r->last.objects, 3);
	assert_int_equal(r->last.min_order, 9);
	assert_false(create_min(r, 640 * KIB, 10)->large);
	rig_close(r);
}

/* In pieces of one page an ordinary cache goes on, and one that asks for more does not. */
static void min_order_when_short(void **state)
{
	struct rig *r = rig_open(&sf_baseline, 8192);
	uint32_t plain = create(r, "plain", 512), one = create_min(r, 512, 1)->id;

	(void)state;
	break_up(r);
	pin_all(r);
	assert_true(cache_alloc(r, plain, SF_GFP_NOWAIT) != 0);
	assert_int_equal(r->slabs_of_order[0], 28 / 8 + 1);
	assert_int_equal(cache_alloc(r, one, SF_GFP_NOWAIT), 0);
	assert_int_equal(r->h->cache[one]->nr_slabs, 0);
	assert_int_equal(r->failed.order, 1);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named_caches),
		cmocka_unit_test(preferred_orders_count),
		cmocka_unit_test(settings_keep_more),
		cmocka_unit_test(alignment),
		cmocka_unit_test(kmalloc_sizes),
		cmocka_unit_test(kmalloc_flags),
		cmocka_unit_test(krealloc_sizes),
		cmocka_unit_test(no_fallback),
		cmocka_unit_test(bulk_all_or_none),
		cmocka_unit_test(effort),
		cmocka_unit_test(noretry_is_one_round),
		cmocka_unit_test(lists_are_drained),
		cmocka_unit_test(nofail_blocks),
		cmocka_unit_test(kvmalloc_falls_back),
		cmocka_unit_test(nothing_is_kept),
		cmocka_unit_test(one_object_keeps_a_block),
		cmocka_unit_test(reset_is_exact),
		cmocka_unit_test(min_order_geometry),
		cmocka_unit_test(min_order_is_its_own),
		cmocka_unit_test(min_order_of_all),
		cmocka_unit_test(min_order_when_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
