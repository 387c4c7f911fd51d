// SPDX-License-Identifier: MIT
/*
 * test_accounting.c - reclaim, deferral, groups and out of memory on synthetic events: for each
 * title a stream that breaks the invariant, for each invariant one that must stay silent, and the
 * sums and causes that the judge hands out, worked out by hand.
 *
 * The events come from a tiny heap written here: pages in ascending order, slabs of one page, no
 * sheaves but those a test fills. Relies on oracles/oracle.h only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../oracles/oracle.h"

#define PAGES 65536u     /* 1 % of them is more than a page block */
#define MIN_MARK 512u    /* isqrt(16 * 262144 KiB) / 4 */
#define HIGH_MARK 768u   /* all that is reserved */
#define LOW_MARK 640u
#define ADMIN 2048u      /* 8 MiB: a 32nd of all memory */
#define SLABS 8u
#define OBJECTS 96u
#define TITLES_MAX 8u
#define CAPS                                                                                    \
	((((1ull << 24) - 1) & ~(uint64_t)SF_CAP_NOLOCK) | SF_CAP_RECLAIM | SF_CAP_RCU |        \
	 SF_CAP_MEMCG | SF_CAP_COMPACT | SF_CAP_OVERCOMMIT)

/* dentry: 21 to a page, and 64 bytes left over. */
enum { C_64, C_RCL_64, C_CG_64, C_DENTRY, C_RCU, NR_CACHES };
static const struct {
	const char *name;
	uint8_t kind;
	uint32_t size, flags;
} caches[NR_CACHES] = {
	{ "kmalloc-64", SF_CACHE_KMALLOC, 64, SF_SLAB_KMALLOC | SF_SLAB_NO_MERGE },
	{ "kmalloc-rcl-64", SF_CACHE_KMALLOC_RCL, 64, SF_SLAB_KMALLOC | SF_SLAB_RECLAIM_ACCOUNT },
	{ "kmalloc-cg-64", SF_CACHE_KMALLOC_CG, 64, SF_SLAB_KMALLOC | SF_SLAB_ACCOUNT },
	{ "dentry", SF_CACHE_NAMED, 192, SF_SLAB_RECLAIM_ACCOUNT },
	{ "anon_vma", SF_CACHE_NAMED, 64, SF_SLAB_TYPESAFE_BY_RCU },
};

struct bed {
	struct sf_judge *j;
	struct sf_settings set;
	char title[TITLES_MAX][SF_TITLE_MAX];
	unsigned int nr_titles;
	uint32_t op;
	uint64_t next_page, free_pages, round_progress;
	struct {
		uint64_t pfn;
		uint8_t cache, state; /* state: 0 none, 1 slab, 2 deferred */
	} slab[SLABS];
	struct {
		bool live, parked;
		uint8_t cache;
		uint64_t addr;
	} obj[OBJECTS];
	uint64_t large_pages, reserved, free_reserve;
	struct sf_ev_counters c; /* added to what is true */
	struct sf_ev_snapmemcg group;
	bool final;
};

static void record(void *ctx, const struct sf_violation *v)
{
	struct bed *b = ctx;

	if (b->nr_titles < TITLES_MAX)
		strcpy(b->title[b->nr_titles++], v->title);
}

static void emit(struct bed *b, uint8_t type, struct sf_event ev)
{
	ev.type = type;
	ev.op = b->op;
	sf_judge_event(b->j, &ev);
}

#define EMIT(b, TYPE, member, ...) \
	emit(b, SF_EV_##TYPE, (struct sf_event){ .member = { __VA_ARGS__ } })

static uint64_t at(uint64_t pfn)
{
	return SF_DIRECT_MAP + (pfn << SF_PAGE_SHIFT);
}

/* --- pages: each order-10 block is taken whole, and handed out from below --- */

static uint64_t take(struct bed *b, uint8_t order)
{
	uint64_t nr = 1ull << order, pfn = (b->next_page + nr - 1) & ~(nr - 1);

	if (pfn + nr > b->next_page - b->next_page % 1024 + 1024 || !(b->next_page % 1024)) {
		pfn = b->next_page % 1024 ? (b->next_page / 1024 + 1) * 1024 : b->next_page;
		EMIT(b, BLOCK_DEL, block, .pfn = pfn, .order = 10,
		     .migratetype = SF_MIGRATE_MOVABLE);
		for (uint64_t p = 0; p < 1024; p++)
			EMIT(b, BLOCK_ADD, block, .pfn = pfn + p,
			     .migratetype = SF_MIGRATE_MOVABLE);
	}
	for (uint64_t p = pfn; p < pfn + nr; p++)
		EMIT(b, BLOCK_DEL, block, .pfn = p, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(b, PAGE_ALLOC, page, .pfn = pfn, .order = order, .list = 0xff, .gfp = SF_GFP_KERNEL,
	     .free_before = b->free_pages, .mark = MIN_MARK);
	b->next_page = pfn + nr;
	b->free_pages -= nr;
	return pfn;
}

static void give(struct bed *b, uint64_t pfn, uint8_t order)
{
	EMIT(b, PAGE_FREE, page, .pfn = pfn, .order = order, .list = 0xff);
	EMIT(b, BLOCK_ADD, block, .pfn = pfn, .order = order, .migratetype = SF_MIGRATE_MOVABLE);
	b->free_pages += 1ull << order;
}

/* All but `left` pages are somebody's whom nobody knows. */
static void use_up(struct bed *b, uint64_t left)
{
	b->next_page = (b->next_page + 1023) / 1024 * 1024;
	while (b->next_page < PAGES) {
		uint64_t pfn = b->next_page;

		EMIT(b, BLOCK_DEL, block, .pfn = pfn, .order = 10,
		     .migratetype = SF_MIGRATE_MOVABLE);
		EMIT(b, PAGE_ALLOC, page, .pfn = pfn, .order = 10, .list = 0xff,
		     .gfp = SF_GFP_KERNEL);
		b->next_page += 1024;
		b->free_pages -= 1024;
	}
	if (left < b->free_pages)
		fail_msg("%u pages are left", (unsigned int)b->free_pages);
	for (uint64_t p = PAGES - 1; b->free_pages < left; p -= 2) /* every other page */
		give(b, p, 0);
}

/* --- slabs and objects --- */

static uint32_t slab(struct bed *b, uint8_t cache)
{
	uint32_t i = 0;

	while (b->slab[i].state)
		i++;
	assert_true(i < SLABS);
	b->slab[i].pfn = take(b, 0);
	b->slab[i].cache = cache;
	b->slab[i].state = 1;
	EMIT(b, SLAB_NEW, slab, .cache = cache, .objects = (uint16_t)(4096 / caches[cache].size),
	     .gfp = SF_GFP_KERNEL, .pfn = b->slab[i].pfn, .addr = at(b->slab[i].pfn),
	     .dirty = SF_GOOD);
	return i;
}

static struct sf_event object(struct bed *b, uint32_t id, uint32_t s, uint32_t index)
{
	uint8_t cache = b->slab[s].cache;
	uint32_t size = caches[cache].size;
	bool named = caches[cache].kind == SF_CACHE_NAMED;
	uint64_t base = at(b->slab[s].pfn);

	return (struct sf_event){ .alloc = {
		.id = id, .res = id, .api = named ? SF_API_CACHE : SF_API_KMALLOC,
		.gfp = SF_GFP_KERNEL | (cache == C_RCL_64 ? SF_GFP_RECLAIMABLE : 0) |
		       (cache == C_CG_64 ? SF_GFP_ACCOUNT : 0),
		.cache = named ? cache : SF_NONE, .n = 1, .elem = size, .size = size,
		.lru = named && (caches[cache].flags & SF_SLAB_RECLAIM_ACCOUNT),
		.addr = base + (uint64_t)index * size, .usable = size, .dirty = SF_GOOD,
		.old_id = SF_NONE, .bad = SF_GOOD, .bucket = SF_NONE,
		.place = { .kind = SF_PLACE_SLAB, .cache = cache, .stride = size,
			   .object_size = size, .index = index, .objects = 4096 / size,
			   .base = base, .pfn = b->slab[s].pfn },
	} };
}

static void born(struct bed *b, struct sf_event ev)
{
	uint32_t id = ev.alloc.id;

	assert_true(id < OBJECTS);
	b->obj[id].live = true;
	b->obj[id].addr = ev.alloc.addr;
	b->obj[id].cache = (uint8_t)ev.alloc.place.cache;
	emit(b, SF_EV_ALLOC, ev);
}

static void obj(struct bed *b, uint32_t id, uint32_t s, uint32_t index)
{
	born(b, object(b, id, s, index));
	b->op++;
}

static struct sf_event block(uint32_t id, uint8_t api, uint8_t kind, uint64_t pfn, uint8_t order)
{
	uint64_t size = 4096ull << order;

	return (struct sf_event){ .alloc = {
		.id = id, .res = id, .api = api, .gfp = SF_GFP_KERNEL, .cache = SF_NONE, .n = 1,
		.elem = size, .size = size, .addr = at(pfn), .dirty = SF_GOOD, .old_id = SF_NONE,
		.usable = kind == SF_PLACE_LARGE ? size : 0, .bad = SF_GOOD, .bucket = SF_NONE,
		.place = { .kind = kind, .order = order, .cache = SF_NONE, .base = at(pfn),
			   .pfn = pfn },
	} };
}

static void large(struct bed *b, uint32_t id, uint8_t order)
{
	born(b, block(id, SF_API_KMALLOC, SF_PLACE_LARGE, take(b, order), order));
	b->large_pages += 1u << order;
	b->op++;
}

static void freed(struct bed *b, uint32_t id, uint8_t how)
{
	b->obj[id].live = false;
	EMIT(b, FREE, free, .id = id, .res = id, .cache = SF_NONE, .addr = b->obj[id].addr,
	     .how = how, .bad = SF_GOOD, .known = true);
}

static void owns(struct bed *b, uint32_t owner, uint32_t owned)
{
	EMIT(b, OWNS, owns, .owner = owner, .owned = owned);
	b->op++;
}

static void pin(struct bed *b, uint32_t id, bool on)
{
	EMIT(b, PIN, pin, .id = id, .on = on);
	b->op++;
}

static void defer(struct bed *b, uint32_t id, uint8_t how)
{
	EMIT(b, DEFER, defer, .id = id, .addr = b->obj[id].addr, .how = how, .bad = SF_GOOD);
}

static void grace(struct bed *b)
{
	EMIT(b, GRACE, grace, .nr = 1);
}

static void slab_gone(struct bed *b, uint32_t s)
{
	EMIT(b, SLAB_FREE, slab, .cache = b->slab[s].cache, .pfn = b->slab[s].pfn,
	     .addr = at(b->slab[s].pfn));
	give(b, b->slab[s].pfn, 0);
	b->slab[s].state = 0;
}

static void slab_defer(struct bed *b, uint32_t s)
{
	EMIT(b, SLAB_DEFER, slab, .cache = b->slab[s].cache, .pfn = b->slab[s].pfn,
	     .addr = at(b->slab[s].pfn));
	b->slab[s].state = 2;
}

/* --- the snapshot that is true, and what a test adds to it --- */

static void snap_slab(struct bed *b, uint32_t s)
{
	uint32_t size = caches[b->slab[s].cache].size, nr = 0, inuse = 0;
	uint64_t list[64], base = at(b->slab[s].pfn);

	for (uint32_t i = 0; i < 4096 / size; i++) {
		bool used = false;

		for (uint32_t id = 0; id < OBJECTS; id++)
			used |= (b->obj[id].live || b->obj[id].parked) &&
				b->obj[id].addr == base + (uint64_t)i * size;
		if (used)
			inuse++;
		else
			list[nr++] = base + (uint64_t)i * size;
	}
	EMIT(b, SNAP_SLAB, snapslab, .cache = b->slab[s].cache, .pfn = b->slab[s].pfn,
	     .addr = base, .unwiped = SF_GOOD, .flag_partial = nr && b->slab[s].state == 1,
	     .list = b->slab[s].state == 2 ? SF_SLAB_DEFERRED : nr ? SF_SLAB_PARTIAL
								   : SF_SLAB_UNLISTED,
	     .objects = 4096 / size, .inuse = inuse, .nr_free = nr, .free = list);
}

static void snap_sheaf(struct bed *b, uint8_t cache)
{
	uint64_t parked[OBJECTS];
	uint32_t nr = 0;

	for (uint32_t id = 0; id < OBJECTS; id++)
		if (b->obj[id].parked && b->obj[id].cache == cache)
			parked[nr++] = b->obj[id].addr;
	if (nr)
		EMIT(b, SNAP_SHEAF, snapsheaf, .cache = cache, .kind = SF_SHEAF_MAIN, .nr = nr,
		     .capacity = 60, .objs = parked, .unwiped = SF_GOOD);
}

static void counters(struct bed *b)
{
	struct sf_ev_counters c = b->c;
	uint64_t rcl = 0, other = b->large_pages, misc = c.indirect_bytes >> 12, cap;

	for (uint32_t s = 0; s < SLABS; s++)
		if (b->slab[s].state && (caches[b->slab[s].cache].flags & SF_SLAB_RECLAIM_ACCOUNT))
			rcl++;
		else if (b->slab[s].state)
			other++;
	cap = rcl / 2 < LOW_MARK ? rcl / 2 : LOW_MARK;
	c.nr_free_pages = b->free_pages;
	c.nr_slab_reclaimable += rcl;
	c.nr_slab_unreclaimable += other;
	c.totalreserve += HIGH_MARK;
	if (b->set.accounting == 1)
		c.nr_kernel_misc_reclaimable += misc;
	c.mem_available += b->free_pages + rcl - cap + (b->set.accounting == 1 ? misc : 0);
	c.mem_available = c.mem_available > HIGH_MARK ? c.mem_available - HIGH_MARK : 0;
	c.nr_highatomic += b->reserved;
	c.nr_free_highatomic += b->free_reserve;
	emit(b, SF_EV_SNAP_COUNTERS, (struct sf_event){ .counters = c });
}

static void snap_end(struct bed *b)
{
	counters(b);
	EMIT(b, SNAP_END, snap, .managed = PAGES, .final = b->final);
	b->op++;
}

static void snap(struct bed *b)
{
	EMIT(b, SNAP_BEGIN, snap, .managed = PAGES, .final = b->final);
	for (uint32_t s = 0; s < SLABS; s++)
		if (b->slab[s].state)
			snap_slab(b, s);
	for (unsigned int c = 0; c < NR_CACHES; c++)
		snap_sheaf(b, (uint8_t)c);
	if (b->group.id)
		emit(b, SF_EV_SNAP_MEMCG, (struct sf_event){ .snapmemcg = b->group });
	snap_end(b);
}

/* --- heaps --- */

static void in_none(struct bed *b)
{
	b->set.accounting = 0;
}

static void in_indirect(struct bed *b)
{
	b->set.accounting = 1;
}

static void in_flush(struct bed *b)
{
	b->set.oom = SF_OOM_FLUSH;
}

static void in_416(struct bed *b)
{
	b->set.oom = SF_OOM_416;
}

static void in_416_none(struct bed *b)
{
	in_416(b);
	in_none(b);
}

static void in_nokmem(struct bed *b)
{
	b->set.nokmem = 1;
}

static void begin(struct bed *b)
{
	b->op = SF_NONE;
	EMIT(b, BEGIN, run, .ops = 1);
	for (uint32_t i = C_DENTRY; i < NR_CACHES; i++)
		EMIT(b, CACHE, cache, .name = caches[i].name, .id = i,
		     .object_size = caches[i].size, .stride = caches[i].size,
		     .align = 8, .min_partial = 2, .sheaf_capacity = 60,
		     .objects = (uint16_t)(4096 / caches[i].size),
		     .min_objects = (uint16_t)(4096 / caches[i].size), .kind = caches[i].kind,
		     .flags = caches[i].flags, .bucket = SF_NONE);
	b->op = 0;
	b->next_page = 0;
	b->free_pages = PAGES;
	memset(b->slab, 0, sizeof(b->slab));
	memset(b->obj, 0, sizeof(b->obj));
	b->large_pages = 0;
}

static struct bed *bed_open(sf_invariant_set only, void (*mode)(struct bed *b))
{
	struct bed *b = calloc(1, sizeof(*b));
	struct sf_judge_options opt = { .only = only, .violation = record, .ctx = b };

	assert_non_null(b);
	sf_settings_init(&b->set);
	b->set.pages = PAGES;
	b->group.id = 0;
	if (mode)
		mode(b);
	b->j = sf_judge_create(&opt);
	EMIT(b, HEAP, heap, .allocator = "test", .caps = CAPS, .settings = &b->set,
	     .direct_map = SF_DIRECT_MAP, .pages = PAGES, .vmalloc = SF_VMALLOC,
	     .vmalloc_pages = PAGES, .exact = true);
	for (uint32_t i = 0; i < C_DENTRY; i++)
		EMIT(b, CACHE, cache, .name = caches[i].name, .id = i,
		     .object_size = caches[i].size, .stride = caches[i].size,
		     .align = 64, .min_partial = 5, .sheaf_capacity = 60, .objects = 64,
		     .min_objects = 64, .kind = caches[i].kind, .flags = caches[i].flags,
		     .class_size = 64, .boot = true, .bucket = SF_NONE);
	begin(b);
	return b;
}

static void bed_close(struct bed *b)
{
	sf_judge_destroy(b->j);
	free(b);
}

/*
 * Dentries 0..3 (of slab 0) with names 10..13 (of slab 1, of `names`): 0 owns 10, and so on; 1 is
 * pinned, name 12 is.
 */
static void dentries(struct bed *b, uint8_t names)
{
	uint32_t d = slab(b, C_DENTRY), n = slab(b, names);

	for (uint32_t i = 0; i < 4; i++) {
		obj(b, i, d, i);
		obj(b, 10 + i, n, i);
		owns(b, i, 10 + i);
	}
	pin(b, 1, true);
	pin(b, 12, true);
}

/* --- counters --- */

static void acc_8_reclaimable(struct bed *b)
{
	dentries(b, C_RCL_64);
	b->c.nr_slab_reclaimable = (uint64_t)-1;
	snap(b);
}

static void acc_8_unreclaimable(struct bed *b)
{
	slab(b, C_64);
	large(b, 0, 2);
	b->c.nr_slab_unreclaimable = 1;
	snap(b);
}

static void acc_9_below(struct bed *b)
{
	b->c.nr_slab_unreclaimable = (uint64_t)-1;
	snap(b);
}

static void acc_9_above(struct bed *b)
{
	b->c.nr_slab_reclaimable = PAGES + 1;
	snap(b);
}

static void acc_13_reserve(struct bed *b)
{
	b->c.totalreserve = 1;
	snap(b);
}

static void acc_13_misc(struct bed *b)
{
	b->c.nr_kernel_misc_reclaimable = 1;
	snap(b);
}

static void acc_13_available(struct bed *b)
{
	b->c.mem_available = 1;
	snap(b);
}

static void acc_16_sheaf(struct bed *b)
{
	uint64_t objs[61];
	uint32_t s = slab(b, C_64);

	for (uint32_t i = 0; i < 61; i++)
		objs[i] = at(b->slab[s].pfn) + i * 64;
	EMIT(b, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(b, SNAP_SHEAF, snapsheaf, .cache = C_64, .nr = 61, .capacity = 60, .objs = objs);
	snap_end(b);
}

/* 2 CPUs: 16 sheaves and no more; those that wait for a grace period do not count. */
static void sheaves(struct bed *b, unsigned int nr)
{
	uint64_t objs[60] = { 0 };

	EMIT(b, SNAP_BEGIN, snap, .managed = PAGES);
	for (unsigned int i = 0; i < 4; i++)
		EMIT(b, SNAP_SHEAF, snapsheaf, .cache = C_64, .kind = SF_SHEAF_RCU, .cpu = 0xff,
		     .nr = 60, .capacity = 60, .objs = objs);
	for (unsigned int i = 0; i < nr; i++)
		EMIT(b, SNAP_SHEAF, snapsheaf, .cache = C_64, .kind = SF_SHEAF_BARN, .cpu = 0xff,
		     .nr = 60, .capacity = 60, .objs = objs);
	snap_end(b);
}

static void acc_16_barn(struct bed *b)
{
	sheaves(b, 17);
}

/* --- ACC-10 --- */

static void acc_10_more(struct bed *b)
{
	dentries(b, C_64);
	b->c.indirect_bytes = 4 * 64 + 8;
	snap(b);
}

static void acc_10_less(struct bed *b)
{
	dentries(b, C_64);
	b->c.indirect_bytes = 4 * 60; /* as asked, not ksize() */
	snap(b);
}

static void acc_10_left(struct bed *b)
{
	dentries(b, C_64);
	for (uint32_t i = 0; i < 4; i++)
		freed(b, 10 + i, SF_KFREE);
	b->c.indirect_bytes = 64;
	snap(b);
}

static void acc_10_design(struct bed *b)
{
	dentries(b, C_RCL_64);
	b->c.indirect_bytes = 256;
	snap(b);
}

/* --- ACC-11, ACC-12 --- */

static void acc_11_more(struct bed *b)
{
	dentries(b, C_RCL_64);
	b->c.nr_slab_reclaimable = 1;
	snap(b);
}

static void acc_11_less(struct bed *b)
{
	dentries(b, C_RCL_64);
	b->c.nr_slab_reclaimable = (uint64_t)-1;
	snap(b);
}

static void acc_11_uncounted(struct bed *b)
{
	uint32_t d = slab(b, C_DENTRY), n = slab(b, C_64);
	struct sf_event ev = object(b, 1, n, 0);

	obj(b, 0, d, 0);
	ev.alloc.gfp |= SF_GFP_RECLAIMABLE;
	born(b, ev);
	owns(b, 0, 1);
	snap(b);
}

static void acc_12(struct bed *b)
{
	struct sf_event ev = object(b, 0, slab(b, C_RCL_64), 0);

	ev.alloc.gfp = SF_GFP_KERNEL;
	born(b, ev);
}

/* --- ACC-15 --- */

static void reclaim_begin(struct bed *b, uint8_t kind)
{
	EMIT(b, RECLAIM, reclaim, .kind = kind, .begin = true, .gfp = SF_GFP_KERNEL,
	     .memcg = SF_NONE);
}

static void reclaim_end(struct bed *b, uint8_t kind, uint64_t progress)
{
	EMIT(b, RECLAIM, reclaim, .kind = kind, .gfp = SF_GFP_KERNEL, .memcg = SF_NONE,
	     .progress = progress);
}

static void shrunk(struct bed *b, uint8_t cache, uint8_t priority)
{
	EMIT(b, SHRINK, shrink, .cache = cache, .memcg = SF_NONE, .priority = priority,
	     .freeable = 1);
}

static void acc_15_nested(struct bed *b)
{
	reclaim_begin(b, SF_RECLAIM_DIRECT);
	reclaim_begin(b, SF_RECLAIM_DIRECT);
}

static void acc_15_end(struct bed *b)
{
	reclaim_end(b, SF_RECLAIM_DIRECT, 0);
}

static void acc_15_kind(struct bed *b)
{
	reclaim_begin(b, SF_RECLAIM_DIRECT);
	reclaim_end(b, SF_RECLAIM_MEMCG, 0);
}

static void acc_15_more(struct bed *b)
{
	uint32_t s = slab(b, C_64);

	reclaim_begin(b, SF_RECLAIM_DIRECT);
	slab_gone(b, s);
	reclaim_end(b, SF_RECLAIM_DIRECT, 2);
}

static void acc_15_less(struct bed *b)
{
	uint32_t s = slab(b, C_64);

	reclaim_begin(b, SF_RECLAIM_SHRINK);
	slab_gone(b, s);
	reclaim_end(b, SF_RECLAIM_SHRINK, 0);
}

/* --- ACC-21 --- */

static void acc_21_pinned(struct bed *b)
{
	dentries(b, C_RCL_64);
	freed(b, 11, SF_FREE_OWNER);
	freed(b, 1, SF_FREE_SHRINK);
}

static void acc_21_no_lru(struct bed *b)
{
	obj(b, 0, slab(b, C_64), 0);
	freed(b, 0, SF_FREE_SHRINK);
}

static void acc_21_pinned_name(struct bed *b)
{
	dentries(b, C_RCL_64);
	freed(b, 12, SF_FREE_OWNER);
	freed(b, 2, SF_FREE_SHRINK);
}

static void acc_21_no_owner(struct bed *b)
{
	obj(b, 0, slab(b, C_RCL_64), 0);
	freed(b, 0, SF_FREE_OWNER);
}

static void acc_21_outlived(struct bed *b)
{
	dentries(b, C_RCL_64);
	freed(b, 0, SF_FREE_SHRINK);
	b->op++;
	pin(b, 1, false);
}

static void acc_21_zero(struct bed *b)
{
	uint32_t n = slab(b, C_64);
	struct sf_event ev = object(b, 0, n, 0);

	obj(b, 0, n, 0);
	obj(b, 1, n, 1);
	owns(b, 0, 1);
	ev.alloc.old_id = 0;
	ev.alloc.size = 0;
	ev.alloc.addr = SF_ZERO_SIZE_PTR;
	emit(b, SF_EV_REALLOC, ev);
	b->op++;
	pin(b, 1, false);
}

static void acc_21_stayed(struct bed *b)
{
	dentries(b, C_RCL_64);
	freed(b, 10, SF_FREE_OWNER);
	b->op++;
	pin(b, 1, false);
}

static void acc_21_twice(struct bed *b)
{
	obj(b, 0, slab(b, C_64), 0);
	defer(b, 0, SF_KFREE_RCU);
	defer(b, 0, SF_KFREE_RCU);
}

/* --- MEM-19 --- */

static void mem_19_early(struct bed *b)
{
	obj(b, 0, slab(b, C_64), 0);
	grace(b); /* before it was deferred */
	defer(b, 0, SF_KFREE_RCU);
	freed(b, 0, SF_KFREE_RCU);
}

static void mem_19_undeferred(struct bed *b)
{
	obj(b, 0, slab(b, C_64), 0);
	grace(b);
	freed(b, 0, SF_KFREE_RCU);
}

static void mem_19_other(struct bed *b)
{
	obj(b, 0, slab(b, C_64), 0);
	defer(b, 0, SF_KFREE_RCU);
	grace(b);
	freed(b, 0, SF_KFREE);
}

static void mem_19_slab(struct bed *b)
{
	uint32_t s = slab(b, C_RCU);

	slab_defer(b, s);
	slab_gone(b, s);
}

static void mem_19_at_once(struct bed *b)
{
	slab_gone(b, slab(b, C_RCU));
}

static void mem_19_slab_twice(struct bed *b)
{
	uint32_t s = slab(b, C_RCU);

	slab_defer(b, s);
	slab_defer(b, s);
}

/* --- BUD-12 --- */

/* Block 0 is split and one page of it is taken; page block 0 becomes the reserve's. */
static void reserve(struct bed *b, uint64_t start, uint8_t from, uint8_t to, bool release)
{
	EMIT(b, RESERVE, claim, .pfn = start, .start = start, .nr_pages = 512, .from = from,
	     .to = to, .release = release);
}

static void bud_12_shape(struct bed *b)
{
	reserve(b, 7, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
}

static void bud_12_type(struct bed *b)
{
	reserve(b, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	reserve(b, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
}

/* 655 pages are 1 %: two page blocks. */
static void bud_12_bound(struct bed *b)
{
	for (uint64_t i = 0; i < 3; i++)
		reserve(b, 512 * i, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
}

static void bud_12_release(struct bed *b)
{
	reserve(b, 0, SF_MIGRATE_HIGHATOMIC, SF_MIGRATE_UNMOVABLE, true);
}

static void oom(struct bed *b, uint8_t order, uint32_t gfp)
{
	EMIT(b, OOM, oom, .policy = (uint8_t)b->set.oom, .order = order, .gfp = gfp,
	     .memcg = SF_NONE, .free = b->free_pages);
}

static void bud_12_oom(struct bed *b)
{
	EMIT(b, BLOCK_DEL, block, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	reserve(b, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	EMIT(b, BLOCK_ADD, block, .pfn = 0, .order = 9, .migratetype = SF_MIGRATE_HIGHATOMIC);
	oom(b, 0, SF_GFP_KERNEL);
}

static void bud_12_counter(struct bed *b)
{
	reserve(b, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	snap(b);
}

static void bud_12_free(struct bed *b)
{
	b->c.nr_free_highatomic = 4;
	snap(b);
}

/* --- ACC-14 --- */

/* A round that reaches priority 0 of every shrinker and frees nothing. */
static void last_round(struct bed *b)
{
	reclaim_begin(b, SF_RECLAIM_DIRECT);
	shrunk(b, C_DENTRY, 12);
	shrunk(b, C_DENTRY, 0);
	reclaim_end(b, SF_RECLAIM_DIRECT, 0);
}

static void acc_14_costly(struct bed *b)
{
	use_up(b, 0);
	last_round(b);
	oom(b, 4, SF_GFP_KERNEL);
}

static void acc_14_forbidden(struct bed *b)
{
	use_up(b, 0);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL | SF_GFP_NORETRY);
}

static void acc_14_nofs(struct bed *b)
{
	use_up(b, 0);
	last_round(b);
	oom(b, 0, SF_GFP_NOFS);
}

static void acc_14_at_hand(struct bed *b)
{
	use_up(b, MIN_MARK + 1);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

static void acc_14_no_round(struct bed *b)
{
	use_up(b, 0);
	oom(b, 0, SF_GFP_KERNEL);
}

static void acc_14_last_pass(struct bed *b)
{
	dentries(b, C_RCL_64);
	use_up(b, 1022);
	EMIT(b, PAGE_ALLOC, page, .pfn = 2, .order = 10); /* what is left of the first block */
	reclaim_begin(b, SF_RECLAIM_DIRECT);
	shrunk(b, C_DENTRY, 0); /* of an earlier round */
	reclaim_end(b, SF_RECLAIM_DIRECT, 0);
	reclaim_begin(b, SF_RECLAIM_DIRECT);
	shrunk(b, C_DENTRY, 1);
	reclaim_end(b, SF_RECLAIM_DIRECT, 31);
	oom(b, 3, SF_GFP_KERNEL | SF_GFP_HIGH);
}

static void acc_14_pcp(struct bed *b)
{
	uint64_t pfn;

	use_up(b, 0);
	pfn = PAGES - 1;
	EMIT(b, PAGE_FREE, page, .pfn = pfn, .pcp = true);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

/* So many slabs without a live object, and MIN pages are free: one more would do. */
static void parked(struct bed *b, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		slab(b, C_64);
	b->op++;
	for (uint64_t p = b->next_page; p < 1024; p++) {
		EMIT(b, BLOCK_DEL, block, .pfn = p, .migratetype = SF_MIGRATE_MOVABLE);
		EMIT(b, PAGE_ALLOC, page, .pfn = p);
		b->free_pages--;
	}
	use_up(b, MIN_MARK);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

static void acc_14_parked(struct bed *b)
{
	parked(b, 6);
	b->op++;
	pin(b, 0, true);
}

static void guess(struct bed *b, uint64_t pages, uint64_t guessed)
{
	EMIT(b, OOM, oom, .policy = (uint8_t)b->set.oom, .guess = true, .memcg = SF_NONE,
	     .pages = pages, .guessed = guessed, .free = b->free_pages);
}

static void ask(struct bed *b, uint64_t pages)
{
	EMIT(b, ASK, ask, .pages = pages, .status = SF_OK);
}

static void acc_14_granted(struct bed *b)
{
	ask(b, PAGES);
	ask(b, PAGES + 1);
}

static void acc_14_guess_granted(struct bed *b)
{
	ask(b, PAGES - HIGH_MARK - ADMIN - 1);
	ask(b, PAGES - HIGH_MARK - ADMIN);
}

static void acc_14_refused(struct bed *b)
{
	guess(b, PAGES, PAGES);
}

static void acc_14_wrong_guess(struct bed *b)
{
	guess(b, PAGES, PAGES);
}

static void acc_14_guessed(struct bed *b)
{
	guess(b, PAGES - HIGH_MARK - ADMIN - 1, PAGES - HIGH_MARK - ADMIN);
}

/* A name that the design should count is a page of its own, and would be enough. */
static void acc_14_uncounted(struct bed *b)
{
	uint32_t d = slab(b, C_DENTRY), n = slab(b, C_64);
	struct sf_event ev = object(b, 1, n, 0);

	obj(b, 0, d, 0);
	ev.alloc.gfp |= SF_GFP_RECLAIMABLE;
	born(b, ev);
	owns(b, 0, 1);
	guess(b, PAGES - HIGH_MARK - ADMIN - 1, PAGES - 1 - HIGH_MARK - ADMIN);
}

static void acc_14_policy(struct bed *b)
{
	b->set.oom = SF_OOM_FLUSH; /* the heap was made under another */
	use_up(b, 0);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

/* --- ACC-19 --- */

#define GROUP 5u
#define CHILD 6u

static void memcg(struct bed *b, uint8_t act, uint32_t id, uint32_t parent, uint64_t max)
{
	EMIT(b, MEMCG, memcg, .act = act, .id = id, .parent = parent, .max = max);
	b->op++;
}

static void group(struct bed *b, uint64_t max)
{
	memcg(b, SF_MEMCG_CREATE, GROUP, SF_NONE, max);
	memcg(b, SF_MEMCG_SET, GROUP, SF_NONE, 0);
	b->group = (struct sf_ev_snapmemcg){ .id = GROUP, .parent = SF_NONE, .online = true,
					     .max = max };
}

static void charge(struct bed *b, uint64_t addr, uint64_t bytes)
{
	EMIT(b, CHARGE, charge, .memcg = GROUP, .addr = addr, .bytes = bytes);
	b->group.usage += bytes;
}

static void uncharge(struct bed *b, uint64_t addr, uint64_t bytes)
{
	EMIT(b, CHARGE, charge, .memcg = GROUP, .addr = addr, .bytes = bytes, .uncharge = true);
	b->group.usage -= bytes;
}

/* Object `id` of a cache that is accounted, charged as it should be. */
static void accounted(struct bed *b, uint32_t id, uint32_t s)
{
	struct sf_event ev = object(b, id, s, id);

	charge(b, ev.alloc.addr, 72);
	born(b, ev);
	b->op++;
}

static void acc_9_never(struct bed *b)
{
	group(b, 4096);
	uncharge(b, at(3), 72);
}

static void acc_9_group(struct bed *b)
{
	group(b, 4096);
	b->group.usage = (uint64_t)-72;
	snap(b);
}

static void acc_19_other_bytes(struct bed *b)
{
	group(b, 4096);
	accounted(b, 0, slab(b, C_CG_64));
	uncharge(b, b->obj[0].addr, 64);
}

static void acc_19_nokmem(struct bed *b)
{
	group(b, 4096);
	charge(b, at(3), 72);
}

static void acc_19_refused(struct bed *b)
{
	group(b, 72);
	EMIT(b, CHARGE, charge, .memcg = GROUP, .bytes = 72, .refused = true);
}

static void acc_19_inactive(struct bed *b)
{
	group(b, 4096);
	memcg(b, SF_MEMCG_CREATE, CHILD, GROUP, 4096);
	EMIT(b, CHARGE, charge, .memcg = CHILD, .addr = at(3), .bytes = 72);
}

static void acc_19_twice(struct bed *b)
{
	group(b, 4096);
	accounted(b, 0, slab(b, C_CG_64));
	charge(b, b->obj[0].addr, 72);
}

static void acc_19_not_to_be(struct bed *b)
{
	struct sf_event ev = object(b, 0, slab(b, C_64), 0);

	group(b, 4096);
	charge(b, ev.alloc.addr, 72);
	born(b, ev);
}

static void acc_19_size(struct bed *b)
{
	struct sf_event ev = object(b, 0, slab(b, C_CG_64), 0);

	group(b, 4096);
	charge(b, ev.alloc.addr, 68);
	born(b, ev);
}

static void acc_19_uncharged(struct bed *b)
{
	uint32_t s = slab(b, C_CG_64);

	group(b, 4096);
	obj(b, 0, s, 0);
}

static void acc_19_mixed(struct bed *b)
{
	uint64_t pfn = take(b, 1);
	struct sf_event ev = block(0, SF_API_EXACT, SF_PLACE_PAGES, pfn, 0);

	group(b, 65536);
	charge(b, at(pfn), 4096);
	memcg(b, SF_MEMCG_CREATE, CHILD, SF_NONE, 65536);
	memcg(b, SF_MEMCG_SET, CHILD, SF_NONE, 0);
	EMIT(b, CHARGE, charge, .memcg = CHILD, .addr = at(pfn + 1), .bytes = 4096);
	ev.alloc.size = 8192;
	ev.alloc.gfp |= SF_GFP_ACCOUNT;
	born(b, ev);
}

static void acc_19_limit(struct bed *b)
{
	uint32_t s = slab(b, C_CG_64);

	group(b, 100);
	accounted(b, 0, s);
	accounted(b, 1, s);
}

static void acc_19_still(struct bed *b)
{
	group(b, 4096);
	accounted(b, 0, slab(b, C_CG_64));
	freed(b, 0, SF_KFREE);
}

static void acc_19_usage(struct bed *b)
{
	group(b, 4096);
	accounted(b, 0, slab(b, C_CG_64));
	b->group.usage = 64;
	snap(b);
}

static void acc_19_max(struct bed *b)
{
	group(b, 4096);
	b->group.max = 8192;
	snap(b);
}

static void acc_19_nobody(struct bed *b)
{
	group(b, 4096);
	charge(b, at(3), 72);
	b->op++;
	snap(b);
}

static void acc_19_live(struct bed *b)
{
	group(b, 4096);
	accounted(b, 0, slab(b, C_CG_64));
	uncharge(b, b->obj[0].addr, 72);
	snap(b);
}

static void group_oom(struct bed *b, uint8_t order, uint32_t gfp, uint32_t id)
{
	group(b, 4096);
	EMIT(b, OOM, oom, .order = order, .gfp = gfp, .memcg = id);
}

static void acc_14_group_costly(struct bed *b)
{
	group_oom(b, 4, SF_GFP_KERNEL, GROUP);
}

static void acc_14_group_gfp(struct bed *b)
{
	group_oom(b, 0, SF_GFP_KERNEL | SF_GFP_RETRY_MAYFAIL, GROUP);
}

static void acc_14_group_none(struct bed *b)
{
	group_oom(b, 0, SF_GFP_KERNEL, CHILD);
}

/* --- MEM: what moves and what waits --- */

static void movable(struct bed *b, uint32_t id)
{
	struct sf_event ev = block(id, SF_API_PAGES, SF_PLACE_PAGES, take(b, 0), 0);

	ev.alloc.gfp |= SF_GFP_MOVABLE;
	born(b, ev);
	b->op++;
}

static void mem_1_moved(struct bed *b)
{
	movable(b, 0);
	EMIT(b, MIGRATE, migrate, .id = 0, .from = b->obj[0].addr, .to = at(4000),
	     .bad = SF_GOOD);
}

static void mem_5_moved(struct bed *b)
{
	uint64_t to;

	movable(b, 0);
	to = at(take(b, 0));
	EMIT(b, MIGRATE, migrate, .id = 0, .from = b->obj[0].addr, .to = to, .bad = 9);
}

static void mem_5_deferred(struct bed *b)
{
	obj(b, 0, slab(b, C_64), 0);
	EMIT(b, DEFER, defer, .id = 0, .addr = b->obj[0].addr, .how = SF_KFREE_RCU, .bad = 3);
}

static void mem_7_rcu(struct bed *b)
{
	uint32_t s = slab(b, C_64);
	uint64_t parked_at = at(b->slab[s].pfn);

	EMIT(b, SNAP_BEGIN, snap, .managed = PAGES);
	snap_slab(b, s);
	EMIT(b, SNAP_SHEAF, snapsheaf, .cache = C_64, .kind = SF_SHEAF_RCU, .nr = 1,
	     .capacity = 60, .objs = &parked_at, .unwiped = SF_GOOD);
	snap_end(b);
}

static void acc_1_deferred(struct bed *b)
{
	uint32_t s = slab(b, C_RCU);

	slab_defer(b, s);
	EMIT(b, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(b, SNAP_SLAB, snapslab, .cache = C_RCU, .pfn = b->slab[s].pfn, .objects = 64,
	     .addr = at(b->slab[s].pfn), .list = SF_SLAB_DEFERRED, .inuse = 1);
	snap_end(b);
}

/* A page that nothing moves to was an allocation, below the mark. */
static void bud_8_unmoved(struct bed *b)
{
	uint64_t pfn = take(b, 0);

	b->op++;
	EMIT(b, BLOCK_DEL, block, .pfn = 1024, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(b, PAGE_ALLOC, page, .pfn = 1024, .order = 10, .gfp = SF_GFP_KERNEL,
	     .free_before = PAGES - 1, .reserve = true);
	b->op++;
	EMIT(b, PAGE_FREE, page, .pfn = pfn);
}

static const struct broken {
	enum sf_invariant inv;
	void (*mode)(struct bed *b);
	void (*stream)(struct bed *b);
	const char *title;
} broken[] = {
#define B(family, nr, stream, title) B_IN(NULL, family, nr, stream, title)
#define B_IN(mode, family, nr, stream, title) \
	{ SF_INV_##family##_##nr, mode, stream, #family "-" #nr ": " title }
	B(ACC, 8, acc_8_reclaimable, "NR_SLAB_RECLAIMABLE_B is wrong"),
	B(ACC, 8, acc_8_unreclaimable, "NR_SLAB_UNRECLAIMABLE_B is wrong"),
	B(ACC, 9, acc_9_below, "NR_SLAB_UNRECLAIMABLE_B is below 0"),
	B(ACC, 9, acc_9_above, "NR_SLAB_RECLAIMABLE_B is more than all memory"),
	B(ACC, 9, acc_9_never, "something was uncharged that was never charged"),
	B(ACC, 9, acc_9_group, "the usage of a memory cgroup is below 0"),
	B_IN(in_indirect, ACC, 10, acc_10_more,
	     "more bytes are counted as indirectly reclaimable than are owned"),
	B_IN(in_indirect, ACC, 10, acc_10_less,
	     "fewer bytes are counted as indirectly reclaimable than are owned"),
	B_IN(in_indirect, ACC, 10, acc_10_left,
	     "indirectly reclaimable bytes are left when none is owned"),
	B(ACC, 10, acc_10_design,
	  "indirectly reclaimable bytes are counted in a design that has no such counter"),
	B(ACC, 11, acc_11_more, "more is counted as reclaimable than can be explained"),
	B(ACC, 11, acc_11_less, "less is counted as reclaimable than is there"),
	B(ACC, 11, acc_11_uncounted, "a reclaimable kmalloc-64 object is not counted"),
	B(ACC, 12, acc_12, "a slab of kmalloc-rcl-64 is held by what nobody can reclaim"),
	B(ACC, 13, acc_13_reserve, "totalreserve_pages is wrong"),
	B(ACC, 13, acc_13_misc, "NR_KERNEL_MISC_RECLAIMABLE is wrong"),
	B(ACC, 13, acc_13_available, "the available-memory estimate is wrong"),
	B(ACC, 14, acc_14_costly, "OOM was declared for a costly order"),
	B(ACC, 14, acc_14_forbidden, "OOM was declared for a request that forbids it"),
	B(ACC, 14, acc_14_nofs, "OOM was declared for a request that forbids it"),
	B(ACC, 14, acc_14_at_hand, "OOM was declared with memory at hand"),
	B(ACC, 14, acc_14_no_round, "OOM was declared without a round of reclaim"),
	B(ACC, 14, acc_14_last_pass, "OOM was declared before the last shrinker pass"),
	B(ACC, 14, acc_14_pcp, "OOM was declared with pages in per-CPU lists"),
	B_IN(in_flush, ACC, 14, acc_14_parked,
	     "OOM was declared over parked objects, though they are to be flushed first"),
	B(ACC, 14, acc_14_refused, "vm_enough_memory refused less than there is memory"),
	B(ACC, 14, acc_14_granted, "vm_enough_memory granted more than there is"),
	B_IN(in_416, ACC, 14, acc_14_guess_granted,
	     "vm_enough_memory granted more than it guessed was there"),
	B_IN(in_416, ACC, 14, acc_14_wrong_guess, "the guess of available pages is wrong"),
	B_IN(in_416, ACC, 14, acc_14_guessed,
	     "vm_enough_memory refused what it guessed was there"),
	B_IN(in_416, ACC, 14, acc_14_uncounted,
	     "vm_enough_memory refused for want of memory that the design should count"),
	B(ACC, 14, acc_14_policy, "OOM was declared under another policy than is in force"),
	B(ACC, 14, acc_14_group_costly, "a memory cgroup declared OOM for a costly order"),
	B(ACC, 14, acc_14_group_gfp,
	  "a memory cgroup declared OOM for a request that forbids it"),
	B(ACC, 14, acc_14_group_none, "a memory cgroup declared OOM that does not exist"),
	B(ACC, 15, acc_15_nested, "a round of reclaim began inside another"),
	B(ACC, 15, acc_15_end, "a round of reclaim ended that had not begun"),
	B(ACC, 15, acc_15_kind, "a round of reclaim ended as another"),
	B(ACC, 15, acc_15_more, "a round of reclaim told more progress than it made"),
	B(ACC, 15, acc_15_less,
	  "a round of reclaim was not credited with slab pages that it freed"),
	B(ACC, 16, acc_16_sheaf, "a sheaf of kmalloc-64 holds more than its capacity"),
	B(ACC, 16, acc_16_barn, "more objects of kmalloc-64 are parked than sheaves may hold"),
	B(ACC, 19, acc_19_other_bytes, "other bytes were uncharged than charged"),
	B_IN(in_nokmem, ACC, 19, acc_19_nokmem,
	     "a memory cgroup was charged though none is accounted to"),
	B(ACC, 19, acc_19_refused, "a charge within all limits was refused"),
	B(ACC, 19, acc_19_inactive, "a memory cgroup was charged that is not the active one"),
	B(ACC, 19, acc_19_twice, "memory was charged twice"),
	B(ACC, 19, acc_19_not_to_be, "a kmalloc-64 object is charged that is not to be"),
	B(ACC, 19, acc_19_size, "a kmalloc-cg-64 object is charged for other bytes than it takes"),
	B(ACC, 19, acc_19_uncharged, "a kmalloc-cg-64 object is not charged"),
	B(ACC, 19, acc_19_mixed,
	  "a alloc_pages_exact object is charged to more than one memory cgroup"),
	B(ACC, 19, acc_19_limit, "a memory cgroup went over its limit"),
	B(ACC, 19, acc_19_still, "a freed kmalloc-cg-64 object is still charged"),
	B(ACC, 19, acc_19_usage, "the usage of a memory cgroup is wrong"),
	B(ACC, 19, acc_19_max, "the limit of a memory cgroup is wrong"),
	B(ACC, 19, acc_19_nobody, "a memory cgroup is charged for what is not there"),
	B(ACC, 19, acc_19_live, "a live object was uncharged"),
	B(ACC, 21, acc_21_pinned, "a pinned named cache object was reclaimed"),
	B(ACC, 21, acc_21_no_lru, "a kmalloc-64 object was reclaimed that no shrinker may free"),
	B(ACC, 21, acc_21_pinned_name, "a pinned kmalloc-rcl-64 object went with its owner"),
	B(ACC, 21, acc_21_no_owner,
	  "a kmalloc-rcl-64 object went with an owner that it does not have"),
	B(ACC, 21, acc_21_outlived, "a kmalloc-rcl-64 object outlived its owner"),
	B(ACC, 21, acc_21_zero, "a kmalloc-64 object outlived its owner"),
	B(ACC, 21, acc_21_stayed, "a named cache object stayed when what it owns had gone with it"),
	B(ACC, 21, acc_21_twice, "a kmalloc-64 object was deferred twice"),
	B(ACC, 1, acc_1_deferred, "a slab of named cache that waits for a grace period is in use"),
	B(MEM, 1, mem_1_moved, "a alloc_pages object moved to where it cannot be"),
	B(MEM, 5, mem_5_moved, "contents of a alloc_pages object changed"),
	B(MEM, 5, mem_5_deferred, "contents of a kmalloc-64 object changed"),
	B(MEM, 7, mem_7_rcu, "an rcu_free sheaf of kmalloc-64 holds what is not deferred"),
	B(MEM, 19, mem_19_early,
	  "a deferred kmalloc-64 object was freed before a grace period had passed"),
	B(MEM, 19, mem_19_undeferred, "a kmalloc-64 object was freed by RCU that was not deferred"),
	B(MEM, 19, mem_19_other, "a deferred kmalloc-64 object was freed by somebody else"),
	B(MEM, 19, mem_19_slab, "a slab of named cache was freed before a grace period had passed"),
	B(MEM, 19, mem_19_at_once,
	  "a slab of named cache was freed without waiting for a grace period"),
	B(MEM, 19, mem_19_slab_twice, "a slab of named cache was deferred twice"),
	B(BUD, 8, bud_8_unmoved, "the mark is below the zone's minimum"),
	B(BUD, 12, bud_12_shape,
	  "the HIGHATOMIC reserve takes or lets go of what is no page block"),
	B(BUD, 12, bud_12_type,
	  "the HIGHATOMIC reserve takes a page block that is no ordinary one"),
	B(BUD, 12, bud_12_bound, "the HIGHATOMIC reserve grows above its bound"),
	B(BUD, 12, bud_12_release,
	  "the HIGHATOMIC reserve lets go of a page block that is not its own"),
	B(BUD, 12, bud_12_oom, "OOM was declared before the HIGHATOMIC reserve was let go"),
	B(BUD, 12, bud_12_counter, "nr_reserved_highatomic is wrong"),
	B(BUD, 12, bud_12_free, "nr_free_highatomic is wrong"),
#undef B_IN
#undef B
};

static void test_broken_streams_have_exact_titles(void **state)
{
	unsigned int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct bed *b = bed_open(sf_invariant_bit(broken[i].inv), broken[i].mode);

		broken[i].stream(b);
		if (b->nr_titles != 1 || strcmp(b->title[0], broken[i].title)) {
			print_error("want \"%s\", got %u: \"%s\"\n", broken[i].title, b->nr_titles,
				    b->title[0]);
			bad++;
		}
		bed_close(b);
	}
	assert_int_equal(bad, 0);
}

/* --- silence, and sums --- */

#define BIT(family_nr) sf_invariant_bit(SF_INV_##family_nr)

/* What these streams tell in full. */
static sf_invariant_set told(void)
{
	return BIT(ACC_8) | BIT(ACC_9) | BIT(ACC_10) | BIT(ACC_11) | BIT(ACC_12) | BIT(ACC_13) |
	       BIT(ACC_14) | BIT(ACC_15) | BIT(ACC_16) | BIT(ACC_19) | BIT(ACC_21) | BIT(MEM_1) |
	       BIT(MEM_5) | BIT(MEM_7) | BIT(MEM_8) | BIT(MEM_9) | BIT(MEM_19) | BIT(ACC_1) |
	       BIT(ACC_2) | BIT(ACC_4) | BIT(ISO_14) | BIT(BUD_12);
}

static void assert_silent(struct bed *b, sf_invariant_set judged)
{
	const struct sf_oracle_count *c = sf_judge_counts(b->j);

	if (b->nr_titles)
		fail_msg("%s", b->title[0]);
	for (unsigned int inv = 0; inv < SF_INV_COUNT; inv++)
		if ((judged >> inv & 1) && !c[inv].checked)
			fail_msg("%s was not checked", sf_invariants[inv].id);
}

/*
 * Four dentries of 192 bytes with names of 64, two of them pinned on one side or the other; two
 * names that nobody owns, one name parked, an empty slab. By hand: 2 dentries go (0, 3), dentry 2
 * goes and leaves its name; names 10 and 13 go.
 */
static void test_terms_add_up(void **state)
{
	struct bed *b = bed_open(told(), NULL);
	const struct sf_reclaim_sums *r = sf_judge_reclaim(b->j);
	uint32_t n;

	(void)state;
	assert_false(r->valid);
	dentries(b, C_RCL_64);
	n = 1;
	obj(b, 20, n, 20);
	obj(b, 21, n, 21);
	b->obj[30].parked = true;
	b->obj[30].cache = C_RCL_64;
	b->obj[30].addr = at(b->slab[n].pfn) + 30 * 64;
	slab(b, C_DENTRY);
	defer(b, 21, SF_KFREE_RCU);
	snap(b);
	assert_silent(b, BIT(ACC_8) | BIT(ACC_11) | BIT(ACC_13));
	assert_true(r->valid);
	assert_int_equal(r->counted, 3 * 4096);
	assert_int_equal(r->term[SF_TERM_TRUTH], 3 * 192 + 2 * 64);
	assert_int_equal(r->term[SF_TERM_PINNED], 192 + 64 + 64);
	assert_int_equal(r->term[SF_TERM_UNOWNED], 64);
	assert_int_equal(r->term[SF_TERM_DEFERRED], 64);
	assert_int_equal(r->term[SF_TERM_PARKED], 64);
	assert_int_equal(r->term[SF_TERM_FREE], 17 * 192 + 57 * 64);
	assert_int_equal(r->term[SF_TERM_EMPTY], 4096);
	assert_int_equal(r->term[SF_TERM_SLACK], 64);
	assert_int_equal(r->truth, 3 * 192 + 2 * 64);
	assert_int_equal(r->uncounted[SF_UNCOUNTED_SHORTFALL], 0);
	bed_close(b);
}

/* The same dentries with plain names, in each design. */
static void test_designs_differ(void **state)
{
	static const struct {
		void (*mode)(struct bed *b);
		uint64_t indirect, counted, truth, shortfall, miscount;
	} design[] = {
		{ in_none, 0, 4096, 3 * 192 + 2 * 64, 2 * 64, 0 },
		{ in_indirect, 256, 4096 + 256, 3 * 192 + 2 * 64, 0, 0 },
		{ NULL, 0, 4096, 3 * 192 + 2 * 64, 0, 2 * 64 },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct bed *b = bed_open(told(), design[i].mode);
		const struct sf_reclaim_sums *r = sf_judge_reclaim(b->j);

		dentries(b, C_64);
		b->c.indirect_bytes = design[i].indirect;
		snap(b);
		assert_silent(b, BIT(ACC_10) | BIT(ACC_11));
		assert_int_equal(r->counted, design[i].counted);
		assert_int_equal(r->truth, design[i].truth);
		assert_int_equal(r->uncounted[SF_UNCOUNTED_SHORTFALL], design[i].shortfall);
		assert_int_equal(r->uncounted[SF_UNCOUNTED_MISCOUNT], design[i].miscount);
		bed_close(b);
	}
}

/* accounting=indirect: what is owned is counted until it is gone, by whatever way it goes. */
static void test_indirect_moments(void **state)
{
	struct bed *b = bed_open(told(), in_indirect);
	struct sf_event ev;

	(void)state;
	dentries(b, C_64);
	large(b, 20, 2);
	owns(b, 3, 20);
	b->c.indirect_bytes = 4 * 64 + 16384;
	snap(b);
	ev = block(10, SF_API_KMALLOC, SF_PLACE_LARGE, take(b, 3), 3); /* krealloc moves it */
	ev.alloc.old_id = 10;
	ev.alloc.moved = true;
	emit(b, SF_EV_REALLOC, ev);
	b->obj[10].addr = ev.alloc.addr;
	b->large_pages += 8;
	b->c.indirect_bytes += 32768 - 64;
	b->op++;
	snap(b);
	ev = object(b, 11, 1, 40);
	ev.alloc.id = 31; /* under another id */
	ev.alloc.old_id = 11;
	ev.alloc.moved = true;
	emit(b, SF_EV_REALLOC, ev);
	b->obj[31] = b->obj[11];
	b->obj[11].live = false;
	b->obj[31].addr = ev.alloc.addr;
	b->op++;
	snap(b);
	freed(b, 2, SF_FREE_SHRINK); /* name 12 is pinned: nobody's from now on */
	b->c.indirect_bytes -= 64;
	b->op++;
	snap(b);
	defer(b, 13, SF_KFREE_RCU); /* counted until it is free */
	b->op++;
	snap(b);
	grace(b);
	freed(b, 13, SF_KFREE_RCU);
	b->c.indirect_bytes -= 64;
	b->op++;
	snap(b);
	give(b, (b->obj[20].addr - SF_DIRECT_MAP) >> 12, 2);
	b->large_pages -= 4;
	freed(b, 20, SF_FREE_OWNER);
	freed(b, 3, SF_KFREE);
	b->c.indirect_bytes -= 16384;
	b->op++;
	snap(b);
	freed(b, 31, SF_FREE_OWNER);
	freed(b, 1, SF_KFREE); /* pinned, but by its user */
	b->c.indirect_bytes -= 64;
	b->op++;
	snap(b);
	assert_silent(b, BIT(ACC_8) | BIT(ACC_9) | BIT(ACC_10) | BIT(ACC_11) | BIT(ACC_13) |
			 BIT(ACC_21) | BIT(MEM_19) | BIT(MEM_7) | BIT(MEM_1));
	bed_close(b);
}

/* Chains and fan-out, a pin in the middle, a deferred owner. */
static void test_fates(void **state)
{
	struct bed *b = bed_open(told(), NULL);
	const struct sf_reclaim_sums *r = sf_judge_reclaim(b->j);
	uint32_t d = slab(b, C_DENTRY), n = slab(b, C_RCL_64);

	(void)state;
	obj(b, 0, d, 0);
	for (uint32_t i = 1; i < 10; i++)
		obj(b, i, n, i);
	for (uint32_t i = 0; i < 5; i++)
		owns(b, i, i + 1); /* 0 > 1 > 2 > 3 > 4 > 5 */
	owns(b, 1, 6);
	owns(b, 3, 7);
	owns(b, 5, 0); /* no tree: as if it had not been told */
	snap(b);
	assert_int_equal(r->term[SF_TERM_TRUTH], 192 + 7 * 64);
	assert_int_equal(r->term[SF_TERM_UNOWNED], 2 * 64);
	pin(b, 3, true);
	snap(b);
	assert_int_equal(r->term[SF_TERM_TRUTH], 192 + 3 * 64);
	assert_int_equal(r->term[SF_TERM_PINNED], 4 * 64);
	defer(b, 4, SF_KFREE_RCU); /* leaves its owner, and keeps what it owns */
	b->op++;
	snap(b);
	assert_int_equal(r->term[SF_TERM_DEFERRED], 2 * 64);
	assert_int_equal(r->term[SF_TERM_PINNED], 2 * 64);
	pin(b, 3, false);
	snap(b);
	assert_int_equal(r->term[SF_TERM_TRUTH], 192 + 5 * 64);
	for (uint32_t i = 7; i; i--) /* deepest first; 4 and 5 wait */
		if (i != 4 && i != 5)
			freed(b, i, SF_FREE_OWNER);
	freed(b, 0, SF_FREE_SHRINK);
	b->op++;
	grace(b);
	freed(b, 5, SF_FREE_OWNER);
	freed(b, 4, SF_KFREE_RCU);
	b->op++;
	snap(b);
	assert_int_equal(r->truth, 0);
	assert_silent(b, BIT(ACC_21) | BIT(MEM_19) | BIT(ACC_11));
	bed_close(b);
}

/* A dentry's shrinker that waits for RCU, and a slab that does. */
static void test_deferred(void **state)
{
	struct bed *b = bed_open(told(), NULL);
	uint32_t s;

	(void)state;
	dentries(b, C_RCL_64);
	defer(b, 10, SF_FREE_OWNER);
	defer(b, 0, SF_FREE_SHRINK);
	b->op++;
	snap(b);
	grace(b);
	freed(b, 10, SF_KFREE_RCU);
	freed(b, 0, SF_KFREE_RCU);
	b->op++;
	s = slab(b, C_RCU);
	obj(b, 20, s, 0);
	slab_defer(b, s); /* FREE is told after what it caused */
	freed(b, 20, SF_KFREE);
	b->op++;
	snap(b);
	grace(b);
	slab_gone(b, s);
	b->op++;
	snap(b);
	assert_silent(b, BIT(ACC_21) | BIT(MEM_19) | BIT(ISO_14) | BIT(ACC_1));
	bed_close(b);
}

/* A block of a group becomes pages, moves, is its parent's, and is gone. */
static void test_groups(void **state)
{
	struct bed *b = bed_open(told(), NULL);
	uint32_t s = slab(b, C_CG_64);
	uint64_t pfn, to;
	struct sf_event ev;

	(void)state;
	group(b, 1 << 20);
	accounted(b, 0, s);
	pfn = take(b, 2); /* alloc_pages_exact() of 3 pages */
	charge(b, at(pfn), 16384);
	uncharge(b, at(pfn + 3), 4096);
	give(b, pfn + 3, 0);
	ev = block(1, SF_API_EXACT, SF_PLACE_PAGES, pfn, 0);
	ev.alloc.size = 3 * 4096;
	ev.alloc.gfp |= SF_GFP_ACCOUNT;
	born(b, ev);
	b->op++;
	snap(b);
	pfn = take(b, 0);
	charge(b, at(pfn), 4096);
	ev = block(2, SF_API_PAGES, SF_PLACE_PAGES, pfn, 0);
	ev.alloc.gfp |= SF_GFP_ACCOUNT | SF_GFP_MOVABLE;
	born(b, ev);
	b->op++;
	to = take(b, 0);
	EMIT(b, MIGRATE, migrate, .id = 2, .from = at(pfn), .to = at(to), .bad = SF_GOOD);
	give(b, pfn, 0);
	b->obj[2].addr = at(to);
	b->op++;
	snap(b);
	memcg(b, SF_MEMCG_CREATE, CHILD, GROUP, 4096);
	memcg(b, SF_MEMCG_SET, CHILD, SF_NONE, 0);
	ev = object(b, 3, s, 3);
	EMIT(b, CHARGE, charge, .memcg = CHILD, .addr = ev.alloc.addr, .bytes = 72);
	b->group.usage += 72; /* with what is below it */
	born(b, ev);
	b->op++;
	EMIT(b, CHARGE, charge, .memcg = CHILD, .bytes = 4096, .refused = true);
	b->op++;
	snap(b);
	memcg(b, SF_MEMCG_SET, SF_NONE, SF_NONE, 0);
	memcg(b, SF_MEMCG_DESTROY, CHILD, SF_NONE, 0);
	uncharge(b, b->obj[3].addr, 72);
	freed(b, 3, SF_KFREE);
	uncharge(b, at(to), 4096);
	give(b, to, 0);
	freed(b, 2, SF_KFREE);
	b->op++;
	snap(b);
	obj(b, 4, s, 4); /* the root is never charged */
	assert_silent(b, BIT(ACC_19) | BIT(ACC_9) | BIT(MEM_1));
	bed_close(b);
}

static void forced(uint32_t gfp)
{
	struct bed *b = bed_open(told(), NULL);
	uint32_t s = slab(b, C_CG_64);
	struct sf_event ev = object(b, 0, s, 0);

	group(b, 16);
	charge(b, ev.alloc.addr, 72);
	ev.alloc.gfp |= gfp;
	born(b, ev);
	b->op++;
	assert_silent(b, BIT(ACC_19));
	bed_close(b);
}

static void test_forced_charges(void **state)
{
	(void)state;
	forced(SF_GFP_NOFAIL);
	forced(SF_GFP_HIGH);
}

/* 6 sheaves of two CPUs and 10 of the barn, beside those that wait. */
static void test_sheaves_within_bounds(void **state)
{
	struct bed *b = bed_open(BIT(ACC_16), NULL);

	(void)state;
	sheaves(b, 16);
	assert_silent(b, BIT(ACC_16));
	bed_close(b);
}

/* 655 pages are 1 % of the zone: two page blocks, and one of them comes back. */
static void test_reserve(void **state)
{
	struct bed *b = bed_open(told(), NULL);

	(void)state;
	reserve(b, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	reserve(b, 512, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	reserve(b, 0, SF_MIGRATE_HIGHATOMIC, SF_MIGRATE_UNMOVABLE, true);
	b->reserved = 512;
	snap(b);
	EMIT(b, BLOCK_DEL, block, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(b, BLOCK_ADD, block, .pfn = 512, .order = 8, .migratetype = SF_MIGRATE_HIGHATOMIC);
	EMIT(b, PAGE_ALLOC, page, .pfn = 0, .order = 9);
	EMIT(b, PAGE_ALLOC, page, .pfn = 768, .order = 8);
	b->free_pages -= 768;
	b->free_reserve = 256;
	snap(b);
	assert_silent(b, BIT(BUD_12));
	bed_close(b);
}

/* --- causes --- */

static void fill(struct bed *b, uint64_t left)
{
	for (uint64_t p = b->next_page; p % 1024; p++) { /* the rest of the first block */
		EMIT(b, BLOCK_DEL, block, .pfn = p, .migratetype = SF_MIGRATE_MOVABLE);
		EMIT(b, PAGE_ALLOC, page, .pfn = p);
		b->free_pages--;
	}
	use_up(b, left);
}

static void because_exhausted(struct bed *b)
{
	obj(b, 0, slab(b, C_64), 0);
	fill(b, MIN_MARK);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

static void because_parked(struct bed *b)
{
	slab(b, C_64);
	b->op++;
	fill(b, MIN_MARK);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

static void because_deferred(struct bed *b)
{
	obj(b, 0, slab(b, C_64), 0);
	defer(b, 0, SF_KFREE_RCU);
	fill(b, MIN_MARK);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

static void because_deferred_slab(struct bed *b)
{
	slab_defer(b, slab(b, C_RCU));
	fill(b, MIN_MARK);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

static void because_counted(struct bed *b)
{
	obj(b, 0, slab(b, C_DENTRY), 0);
	fill(b, MIN_MARK);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

/* A name beside one that nobody owns: its page cannot be had. */
static void because_pinned(struct bed *b)
{
	uint32_t d = slab(b, C_DENTRY), n = slab(b, C_64);

	obj(b, 0, d, 0);
	obj(b, 1, n, 0);
	obj(b, 2, n, 1);
	owns(b, 0, 1);
	pin(b, 0, true);
	fill(b, MIN_MARK);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

/* A large name: 4 pages that are the block. */
static void because_uncounted(struct bed *b)
{
	uint32_t d = slab(b, C_DENTRY);

	obj(b, 0, d, 0);
	for (int i = 0; i < 3; i++)
		take(b, 0);
	large(b, 1, 2);
	owns(b, 0, 1);
	fill(b, MIN_MARK + 3);
	last_round(b);
	oom(b, 2, SF_GFP_KERNEL);
}

static void because_movable(struct bed *b)
{
	use_up(b, 600);
	for (uint32_t i = 0; i < 4; i++) {
		struct sf_event ev = block(i, SF_API_PAGES, SF_PLACE_PAGES, PAGES - 2 - 2 * i, 0);

		EMIT(b, PAGE_FREE, page, .pfn = PAGES - 2 - 2 * i);
		EMIT(b, PAGE_ALLOC, page, .pfn = PAGES - 2 - 2 * i);
		ev.alloc.gfp |= SF_GFP_MOVABLE;
		born(b, ev);
	}
	last_round(b);
	oom(b, 2, SF_GFP_KERNEL);
}

static void because_pcp(struct bed *b)
{
	fill(b, MIN_MARK);
	EMIT(b, PAGE_FREE, page, .pfn = 1024, .pcp = true);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

static void because_reserve(struct bed *b)
{
	EMIT(b, BLOCK_DEL, block, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	reserve(b, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	EMIT(b, BLOCK_ADD, block, .pfn = 0, .order = 3, .migratetype = SF_MIGRATE_HIGHATOMIC);
	for (uint64_t p = 8; p < 1024; p++)
		EMIT(b, PAGE_ALLOC, page, .pfn = p);
	b->next_page = 1024;
	b->free_pages = PAGES - 1024;
	use_up(b, MIN_MARK);
	last_round(b);
	oom(b, 0, SF_GFP_KERNEL);
}

/* A guess: a name of 1 page is not counted, and the last page that was needed. */
static void because_guess(struct bed *b)
{
	uint32_t d = slab(b, C_DENTRY);

	obj(b, 0, d, 0);
	large(b, 1, 4);
	owns(b, 0, 1);
	/* free, and the slab, are counted: 16 pages are not */
	guess(b, PAGES - 16 - HIGH_MARK - ADMIN, PAGES - 16 - HIGH_MARK - ADMIN);
}

static void because_too_much(struct bed *b)
{
	guess(b, PAGES - HIGH_MARK - ADMIN, PAGES - HIGH_MARK - ADMIN);
}

static void test_causes(void **state)
{
	static const struct {
		void (*mode)(struct bed *b);
		void (*stream)(struct bed *b);
		int cause; /* -1: exhausted */
		bool guess;
	} oomed[] = {
		{ NULL, because_exhausted, -1, false },
		{ NULL, because_parked, SF_CAUSE_PARKED, false },
		{ NULL, because_deferred, SF_CAUSE_DEFERRED, false },
		{ NULL, because_deferred_slab, SF_CAUSE_DEFERRED, false },
		{ NULL, because_counted, SF_CAUSE_COUNTED, false },
		{ NULL, because_pinned, -1, false },
		{ in_none, because_uncounted, SF_CAUSE_UNCOUNTED, false },
		{ in_indirect, because_uncounted, SF_CAUSE_COUNTED, false },
		{ NULL, because_uncounted, SF_CAUSE_MISCOUNT, false },
		{ NULL, because_movable, SF_CAUSE_COMPACTION, false },
		{ NULL, because_pcp, SF_CAUSE_PCP, false },
		{ NULL, because_reserve, SF_CAUSE_RESERVE, false },
		{ in_416_none, because_guess, SF_CAUSE_UNCOUNTED, true },
		{ in_416, because_guess, SF_CAUSE_MISCOUNT, true },
		{ in_416, because_too_much, -1, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(oomed) / sizeof(oomed[0]); i++) {
		struct bed *b = bed_open(BIT(ACC_14), oomed[i].mode);
		struct sf_ooms due = { .total = 1, .guesses = oomed[i].guess };

		if (oomed[i].cause < 0)
			due.exhausted = 1;
		else
			due.cause[oomed[i].cause] = 1;
		oomed[i].stream(b);
		if (memcmp(sf_judge_ooms(b->j), &due, sizeof(due)))
			print_error("case %zu\n", i);
		assert_memory_equal(sf_judge_ooms(b->j), &due, sizeof(due));
		/* lists and reserve are to be empty by then; all else is the kernel's way */
		if (oomed[i].stream != because_pcp && b->nr_titles)
			fail_msg("case %zu: %s", i, b->title[0]);
		sf_judge_clear_counts(b->j);
		assert_int_equal(sf_judge_ooms(b->j)->total, 0);
		bed_close(b);
	}
}

/* Empty slabs within min_partial are not flushed. */
static void test_flush_leaves_empty_slabs(void **state)
{
	struct bed *b = bed_open(BIT(ACC_14), in_flush);

	(void)state;
	parked(b, 5);
	assert_silent(b, BIT(ACC_14));
	assert_int_equal(sf_judge_ooms(b->j)->cause[SF_CAUSE_PARKED], 1);
	bed_close(b);
}

/* Objects that the failing request had got already are in no slab's list and in no sheaf. */
static void test_flush_leaves_what_is_under_way(void **state)
{
	struct bed *b = bed_open(BIT(ACC_14), in_flush);

	(void)state;
	parked(b, 6);
	EMIT(b, ALLOC, alloc, .id = SF_NONE, .api = SF_API_KMALLOC, .status = SF_NULL, .size = 64,
	     .cache = SF_NONE, .gfp = SF_GFP_KERNEL, .n = 1, .dirty = SF_GOOD, .bad = SF_GOOD,
	     .old_id = SF_NONE, .bucket = SF_NONE);
	b->op++;
	pin(b, 0, true);
	assert_silent(b, BIT(ACC_14));
	bed_close(b);
}

/* krealloc() of a name, in which its dentry is reclaimed: the name is somebody's, and stays. */
static void test_krealloc_holds(void **state)
{
	struct bed *b = bed_open(BIT(ACC_21) | BIT(ACC_11), NULL);
	struct sf_event ev;

	(void)state;
	dentries(b, C_RCL_64);
	freed(b, 0, SF_FREE_SHRINK);
	ev = object(b, 10, 1, 0);
	ev.alloc.old_id = 10;
	ev.alloc.old_addr = ev.alloc.addr;
	emit(b, SF_EV_REALLOC, ev);
	b->op++;
	snap(b);
	assert_silent(b, BIT(ACC_21) | BIT(ACC_11));
	assert_int_equal(sf_judge_reclaim(b->j)->term[SF_TERM_UNOWNED], 64);
	bed_close(b);
}

/* A round that gave all that was asked of it need not go on to priority 0. */
static void test_enough_progress(void **state)
{
	struct bed *b = bed_open(BIT(ACC_14), NULL);

	(void)state;
	obj(b, 0, slab(b, C_DENTRY), 0);
	fill(b, MIN_MARK);
	reclaim_begin(b, SF_RECLAIM_DIRECT);
	shrunk(b, C_DENTRY, 12);
	reclaim_end(b, SF_RECLAIM_DIRECT, 32);
	oom(b, 0, SF_GFP_KERNEL);
	assert_silent(b, BIT(ACC_14));
	bed_close(b);
}

/* A page that was taken for something to move to, from wherever it was. */
static void test_compaction_is_no_allocation(void **state)
{
	struct bed *b = bed_open(BIT(BUD_8) | BIT(MEM_1), NULL);

	(void)state;
	movable(b, 0);
	EMIT(b, BLOCK_DEL, block, .pfn = 1024, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(b, PAGE_ALLOC, page, .pfn = 1024, .reserve = true, .free_before = PAGES - 1024);
	EMIT(b, MIGRATE, migrate, .id = 0, .from = b->obj[0].addr, .to = at(1024),
	     .bad = SF_GOOD);
	b->op++;
	EMIT(b, PAGE_FREE, page, .pfn = 0);
	assert_string_equal(b->nr_titles ? b->title[0] : "", "");
	bed_close(b);
}

/* A refused charge is a reason to fail; what reclaim gave back meanwhile is no leak. */
static void test_failure_by_limit(void **state)
{
	struct bed *b = bed_open(BIT(MEM_12), NULL);
	struct sf_event ev = { .alloc = {
		.id = SF_NONE, .api = SF_API_KMALLOC, .status = SF_NULL, .cache = SF_NONE,
		.gfp = SF_GFP_KERNEL_ACCOUNT, .n = 1, .elem = 64, .size = 64, .dirty = SF_GOOD,
		.old_id = SF_NONE, .bad = SF_GOOD, .bucket = SF_NONE,
	} };

	(void)state;
	group(b, 64);
	obj(b, 0, slab(b, C_DENTRY), 0);
	large(b, 1, 2);
	owns(b, 0, 1);
	give(b, (b->obj[1].addr - SF_DIRECT_MAP) >> 12, 2);
	freed(b, 1, SF_FREE_OWNER);
	freed(b, 0, SF_FREE_SHRINK);
	EMIT(b, CHARGE, charge, .memcg = GROUP, .bytes = 72, .refused = true);
	emit(b, SF_EV_ALLOC, ev);
	assert_silent(b, BIT(MEM_12));
	b->op++;
	emit(b, SF_EV_ALLOC, ev); /* and no reason in the next operation */
	assert_int_equal(b->nr_titles, 1);
	assert_string_equal(b->title[0], "MEM-12: an allocation failed without a reason");
	bed_close(b);
}

/* kmalloc-rcl is for no design but the one that has it. */
static void test_selection_by_design(void **state)
{
	static const struct {
		void (*mode)(struct bed *b);
		uint8_t cache;
		const char *title;
	} way[] = {
		{ NULL, C_RCL_64, "" },
		{ NULL, C_64, "ISO-1: kmalloc-64 where kmalloc-rcl-64 was due" },
		{ in_none, C_64, "" },
		{ in_indirect, C_64, "" },
		{ in_indirect, C_RCL_64, "ISO-1: kmalloc-rcl-64 where kmalloc-64 was due" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		struct bed *b = bed_open(BIT(ISO_1), way[i].mode);
		struct sf_event ev = object(b, 0, slab(b, way[i].cache), 0);

		ev.alloc.gfp = SF_GFP_KERNEL | SF_GFP_RECLAIMABLE;
		born(b, ev);
		assert_string_equal(b->nr_titles ? b->title[0] : "", way[i].title);
		bed_close(b);
	}
}

/* Ties of one program are nothing to the next. */
static void test_begin_forgets(void **state)
{
	struct bed *b = bed_open(told(), NULL);

	(void)state;
	for (int i = 0; i < 2; i++) {
		dentries(b, C_RCL_64);
		group(b, 4096);
		accounted(b, 20, slab(b, C_CG_64));
		defer(b, 13, SF_KFREE_RCU);
		begin(b);
		memset(&b->group, 0, sizeof(b->group));
		snap(b);
		assert_int_equal(sf_judge_reclaim(b->j)->counted, 0);
	}
	assert_silent(b, 0);
	bed_close(b);
}

/* A chain of owners as long as a million is built, judged and taken apart in linear time. */
static void test_long_chain(void **state)
{
	struct bed *b = bed_open(BIT(ACC_21) | BIT(ACC_11), NULL);
	const uint32_t nr = 1u << 20;

	(void)state;
	for (uint32_t i = 0; i < nr; i++)
		EMIT(b, ALLOC, alloc, .id = i, .res = i, .api = SF_API_KMALLOC, .cache = SF_NONE,
		     .n = 1, .elem = 8, .size = 8, .usable = 8, .addr = SF_VMALLOC + 8ull * i,
		     .dirty = SF_GOOD, .old_id = SF_NONE, .bad = SF_GOOD, .bucket = SF_NONE,
		     .lru = !i);
	for (uint32_t i = 1; i < nr; i++)
		EMIT(b, OWNS, owns, .owner = i - 1, .owned = i);
	snap(b);
	assert_int_equal(sf_judge_reclaim(b->j)->uncounted[SF_UNCOUNTED_MISCOUNT], 8ull * nr);
	for (uint32_t i = nr - 1; i; i--)
		EMIT(b, FREE, free, .id = i, .cache = SF_NONE, .addr = SF_VMALLOC + 8ull * i,
		     .how = SF_FREE_OWNER, .bad = SF_GOOD, .known = true);
	EMIT(b, FREE, free, .id = 0, .cache = SF_NONE, .addr = SF_VMALLOC, .how = SF_FREE_SHRINK,
	     .bad = SF_GOOD, .known = true);
	b->op++;
	snap(b);
	assert_int_equal(sf_judge_reclaim(b->j)->truth, 0);
	assert_silent(b, BIT(ACC_21) | BIT(ACC_11));
	bed_close(b);
}

static void test_tables(void **state)
{
	(void)state;
	assert_string_equal(sf_reclaim_terms[SF_TERM_SLACK].name, "slack");
	assert_string_equal(sf_uncounteds[SF_UNCOUNTED_MISCOUNT].name, "miscount");
	assert_string_equal(sf_oom_causes[SF_CAUSE_COMPACTION].name, "compaction");
	assert_string_equal(sf_invariants[SF_INV_ACC_21].id, "ACC-21");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_broken_streams_have_exact_titles),
		cmocka_unit_test(test_terms_add_up),
		cmocka_unit_test(test_designs_differ),
		cmocka_unit_test(test_indirect_moments),
		cmocka_unit_test(test_fates),
		cmocka_unit_test(test_deferred),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_forced_charges),
		cmocka_unit_test(test_sheaves_within_bounds),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_flush_leaves_empty_slabs),
		cmocka_unit_test(test_flush_leaves_what_is_under_way),
		cmocka_unit_test(test_enough_progress),
		cmocka_unit_test(test_krealloc_holds),
		cmocka_unit_test(test_compaction_is_no_allocation),
		cmocka_unit_test(test_failure_by_limit),
		cmocka_unit_test(test_selection_by_design),
		cmocka_unit_test(test_begin_forgets),
		cmocka_unit_test(test_long_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
