// SPDX-License-Identifier: MIT
/*
 * test_accounting.c - reclaim, deferral, groups and out of memory on synthetic events: for each
 * title a stream that breaks the invariant, for each invariant one that must stay silent, and the
 * sums and causes that the judge hands out, worked out by hand.
 *
 * The events come from a tiny heap written here: pages in ascending order, slabs of one page, no
 * sheaves but those a test fills. Relies on oracles/oracle.h only.
 */
#include <stdio.h>

#include "../oracles/oracle.h"

#define PAGES 65536u     /* 1 % of them is more than a page block */
#define MIN_MARK 512u    /* isqrt(16 * 262144 KiB) / 4 */
#define HIGH_MARK 768u   /* all that is reserved */
#define LOW_MARK 640u
#define ADMIN 2048u      /* 8 MiB: a 32nd of all memory */
#define SLABS 8u
#define OBJECTS 96u
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

#define FIXTURE_MEMBERS                                                                            \
	uint64_t next_page, free_pages, round_progress;                                            \
	struct {                                                                                   \
		uint64_t pfn;                                                                      \
		uint8_t cache, state; /* state: 0 none, 1 slab, 2 deferred */                      \
	} slab[SLABS];                                                                             \
	struct {                                                                                   \
		bool live, parked, waits;                                                          \
		uint8_t cache;                                                                     \
		uint64_t addr;                                                                     \
	} obj[OBJECTS];                                                                            \
	uint64_t large_pages, reserved, free_reserve;                                              \
	struct sf_ev_counters c; /* added to what is true */                                       \
	struct sf_ev_snapmemcg group, child;                                                       \
	bool final;

#include "event_fixture.h"

/* --- pages: each order-10 block is taken whole, and handed out from below --- */

static uint64_t take(struct fixture *f, uint8_t order)
{
	uint64_t nr = 1ull << order, pfn = (f->next_page + nr - 1) & ~(nr - 1);

	if (pfn + nr > f->next_page - f->next_page % 1024 + 1024 || !(f->next_page % 1024)) {
		pfn = f->next_page % 1024 ? (f->next_page / 1024 + 1) * 1024 : f->next_page;
		EMIT(f, BLOCK_DEL, block, .pfn = pfn, .order = 10,
		     .migratetype = SF_MIGRATE_MOVABLE);
		for (uint64_t p = 0; p < 1024; p++)
			EMIT(f, BLOCK_ADD, block, .pfn = pfn + p,
			     .migratetype = SF_MIGRATE_MOVABLE);
	}
	for (uint64_t p = pfn; p < pfn + nr; p++)
		EMIT(f, BLOCK_DEL, block, .pfn = p, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_ALLOC, page, .pfn = pfn, .order = order, .list = 0xff, .gfp = SF_GFP_KERNEL,
	     .attempt = SF_ATTEMPT_SLOW, .free_before = f->free_pages, .mark = MIN_MARK);
	f->next_page = pfn + nr;
	f->free_pages -= nr;
	return pfn;
}

static void give(struct fixture *f, uint64_t pfn, uint8_t order)
{
	EMIT(f, PAGE_FREE, page, .pfn = pfn, .order = order, .list = 0xff);
	EMIT(f, BLOCK_ADD, block, .pfn = pfn, .order = order, .migratetype = SF_MIGRATE_MOVABLE);
	f->free_pages += 1ull << order;
}

/* All but `left` pages are of users that no event names. */
static void use_up(struct fixture *f, uint64_t left)
{
	f->next_page = (f->next_page + 1023) / 1024 * 1024;
	while (f->next_page < PAGES) {
		uint64_t pfn = f->next_page;

		EMIT(f, BLOCK_DEL, block, .pfn = pfn, .order = 10,
		     .migratetype = SF_MIGRATE_MOVABLE);
		EMIT(f, PAGE_ALLOC, page, .pfn = pfn, .order = 10, .list = 0xff,
		     .gfp = SF_GFP_KERNEL);
		f->next_page += 1024;
		f->free_pages -= 1024;
	}
	if (left < f->free_pages)
		fail_msg("%u pages are left", (unsigned int)f->free_pages);
	for (uint64_t p = PAGES - 1; f->free_pages < left; p -= 2) /* every other page */
		give(f, p, 0);
}

static void fill(struct fixture *f, uint64_t left)
{
	for (uint64_t p = f->next_page; p % 1024; p++) { /* the rest of the first block */
		EMIT(f, BLOCK_DEL, block, .pfn = p, .migratetype = SF_MIGRATE_MOVABLE);
		EMIT(f, PAGE_ALLOC, page, .pfn = p);
		f->free_pages--;
	}
	use_up(f, left);
}

/* --- slabs and objects --- */

static uint32_t slab(struct fixture *f, uint8_t cache)
{
	uint32_t i = 0;

	while (f->slab[i].state)
		i++;
	assert_true(i < SLABS);
	f->slab[i].pfn = take(f, 0);
	f->slab[i].cache = cache;
	f->slab[i].state = 1;
	EMIT(f, SLAB_NEW, slab, .cache = cache, .objects = (uint16_t)(4096 / caches[cache].size),
	     .gfp = SF_GFP_KERNEL, .pfn = f->slab[i].pfn, .addr = at(f->slab[i].pfn),
	     .dirty = SF_GOOD);
	return i;
}

static struct sf_event object(struct fixture *f, uint32_t id, uint32_t s, uint32_t index)
{
	uint8_t cache = f->slab[s].cache;
	uint32_t size = caches[cache].size;
	bool named = caches[cache].kind == SF_CACHE_NAMED;
	uint64_t base = at(f->slab[s].pfn);

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
			   .base = base, .pfn = f->slab[s].pfn },
	} };
}

static void allocated(struct fixture *f, struct sf_event ev)
{
	uint32_t id = ev.alloc.id;

	assert_true(id < OBJECTS);
	f->obj[id].live = true;
	f->obj[id].addr = ev.alloc.addr;
	f->obj[id].cache = (uint8_t)ev.alloc.place.cache;
	emit(f, SF_EV_ALLOC, ev);
}

static void obj(struct fixture *f, uint32_t id, uint32_t s, uint32_t index)
{
	allocated(f, object(f, id, s, index));
	f->op++;
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

static void large(struct fixture *f, uint32_t id, uint8_t order)
{
	allocated(f, block(id, SF_API_KMALLOC, SF_PLACE_LARGE, take(f, order), order));
	f->large_pages += 1u << order;
	f->op++;
}

static void freed(struct fixture *f, uint32_t id, uint8_t how)
{
	f->obj[id].live = false;
	EMIT(f, FREE, free, .id = id, .res = id, .cache = SF_NONE, .addr = f->obj[id].addr,
	     .how = how, .bad = SF_GOOD, .known = true);
}

static void owns(struct fixture *f, uint32_t owner, uint32_t owned)
{
	EMIT(f, OWNS, owns, .owner = owner, .owned = owned);
	f->op++;
}

static void pin(struct fixture *f, uint32_t id, bool on)
{
	EMIT(f, PIN, pin, .id = id, .on = on);
	f->op++;
}

static void defer(struct fixture *f, uint32_t id, uint8_t how)
{
	EMIT(f, DEFER, defer, .id = id, .addr = f->obj[id].addr, .how = how, .bad = SF_GOOD);
	f->obj[id].waits = how == SF_KFREE_RCU;
}

static void grace(struct fixture *f)
{
	EMIT(f, GRACE, grace, .nr = 1);
}

static void slab_gone(struct fixture *f, uint32_t s)
{
	EMIT(f, SLAB_FREE, slab, .cache = f->slab[s].cache, .pfn = f->slab[s].pfn,
	     .addr = at(f->slab[s].pfn));
	give(f, f->slab[s].pfn, 0);
	f->slab[s].state = 0;
}

static void slab_defer(struct fixture *f, uint32_t s)
{
	EMIT(f, SLAB_DEFER, slab, .cache = f->slab[s].cache, .pfn = f->slab[s].pfn,
	     .addr = at(f->slab[s].pfn));
	f->slab[s].state = 2;
}

/* --- the snapshot that is true, and what a test adds to it --- */

static void snap_slab(struct fixture *f, uint32_t s)
{
	uint32_t size = caches[f->slab[s].cache].size, nr = 0, inuse = 0;
	uint64_t list[64], base = at(f->slab[s].pfn);

	for (uint32_t i = 0; i < 4096 / size; i++) {
		bool used = false;

		for (uint32_t id = 0; id < OBJECTS; id++)
			used |= (f->obj[id].live || f->obj[id].parked) &&
				f->obj[id].addr == base + (uint64_t)i * size;
		if (used)
			inuse++;
		else
			list[nr++] = base + (uint64_t)i * size;
	}
	EMIT(f, SNAP_SLAB, snapslab, .cache = f->slab[s].cache, .pfn = f->slab[s].pfn,
	     .addr = base, .unwiped = SF_GOOD, .flag_partial = nr && f->slab[s].state == 1,
	     .list = f->slab[s].state == 2 ? SF_SLAB_DEFERRED : nr ? SF_SLAB_PARTIAL
								   : SF_SLAB_UNLISTED,
	     .objects = 4096 / size, .inuse = inuse, .nr_free = nr, .free = list);
}

static void snap_sheaf(struct fixture *f, uint8_t cache)
{
	uint64_t parked[OBJECTS], waiting[OBJECTS];
	uint32_t nr = 0, waits = 0;

	for (uint32_t id = 0; id < OBJECTS; id++)
		if (f->obj[id].cache != cache)
			continue;
		else if (f->obj[id].parked)
			parked[nr++] = f->obj[id].addr;
		else if (f->obj[id].live && f->obj[id].waits)
			waiting[waits++] = f->obj[id].addr;
	if (waits)
		EMIT(f, SNAP_SHEAF, snapsheaf, .cache = cache, .kind = SF_SHEAF_RCU, .nr = waits,
		     .capacity = 60, .objs = waiting, .unwiped = SF_GOOD);
	if (nr)
		EMIT(f, SNAP_SHEAF, snapsheaf, .cache = cache, .kind = SF_SHEAF_MAIN, .nr = nr,
		     .capacity = 60, .objs = parked, .unwiped = SF_GOOD);
}

static void counters(struct fixture *f)
{
	struct sf_ev_counters c = f->c;
	uint64_t rcl = 0, other = f->large_pages, misc = c.indirect_bytes >> 12, cap;

	for (uint32_t s = 0; s < SLABS; s++)
		if (f->slab[s].state && (caches[f->slab[s].cache].flags & SF_SLAB_RECLAIM_ACCOUNT))
			rcl++;
		else if (f->slab[s].state)
			other++;
	cap = rcl / 2 < LOW_MARK ? rcl / 2 : LOW_MARK;
	c.nr_free_pages = f->free_pages;
	c.nr_slab_reclaimable += rcl;
	c.nr_slab_unreclaimable += other;
	c.watermark_min += MIN_MARK;
	c.watermark_low += LOW_MARK;
	c.watermark_high += HIGH_MARK;
	c.totalreserve += HIGH_MARK;
	if (f->set.accounting == 1)
		c.nr_kernel_misc_reclaimable += misc;
	c.mem_available += f->free_pages + rcl - cap + (f->set.accounting == 1 ? misc : 0);
	c.mem_available = c.mem_available > HIGH_MARK ? c.mem_available - HIGH_MARK : 0;
	c.nr_highatomic += f->reserved;
	c.nr_free_highatomic += f->free_reserve;
	emit(f, SF_EV_SNAP_COUNTERS, (struct sf_event){ .counters = c });
}

static void snap_end(struct fixture *f)
{
	counters(f);
	EMIT(f, SNAP_END, snap, .managed = PAGES, .final = f->final);
	f->op++;
}

static void snap(struct fixture *f)
{
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES, .final = f->final);
	for (uint32_t s = 0; s < SLABS; s++)
		if (f->slab[s].state)
			snap_slab(f, s);
	for (unsigned int c = 0; c < NR_CACHES; c++)
		snap_sheaf(f, (uint8_t)c);
	if (f->group.id)
		emit(f, SF_EV_SNAP_MEMCG, (struct sf_event){ .snapmemcg = f->group });
	if (f->child.id)
		emit(f, SF_EV_SNAP_MEMCG, (struct sf_event){ .snapmemcg = f->child });
	snap_end(f);
}

/* --- heaps --- */

static void in_none(struct fixture *f)
{
	f->set.accounting = 0;
}

static void in_indirect(struct fixture *f)
{
	f->set.accounting = 1;
}

static void in_flush(struct fixture *f)
{
	f->set.oom = SF_OOM_FLUSH;
}

static void in_416(struct fixture *f)
{
	f->set.oom = SF_OOM_416;
}

static void in_416_none(struct fixture *f)
{
	in_416(f);
	in_none(f);
}

static void in_nokmem(struct fixture *f)
{
	f->set.nokmem = 1;
}

static void begin(struct fixture *f)
{
	f->op = SF_NONE;
	EMIT(f, BEGIN, run, .ops = 1);
	for (uint32_t i = C_DENTRY; i < NR_CACHES; i++)
		EMIT(f, CACHE, cache, .name = caches[i].name, .id = i,
		     .object_size = caches[i].size, .stride = caches[i].size,
		     .align = 8, .min_partial = 2, .sheaf_capacity = 60,
		     .objects = (uint16_t)(4096 / caches[i].size),
		     .min_objects = (uint16_t)(4096 / caches[i].size), .kind = caches[i].kind,
		     .flags = caches[i].flags, .bucket = SF_NONE);
	f->op = 0;
	f->next_page = 0;
	f->free_pages = PAGES;
	memset(f->slab, 0, sizeof(f->slab));
	memset(f->obj, 0, sizeof(f->obj));
	f->large_pages = 0;
}

static void heap(struct fixture *f)
{
	f->set.pages = PAGES;
	EMIT(f, HEAP, heap, .allocator = "test", .caps = f->caps, .settings = &f->set,
	     .direct_map = SF_DIRECT_MAP, .pages = PAGES, .vmalloc = SF_VMALLOC,
	     .vmalloc_pages = PAGES, .exact = true);
	for (uint32_t i = 0; i < C_DENTRY; i++)
		EMIT(f, CACHE, cache, .name = caches[i].name, .id = i,
		     .object_size = caches[i].size, .stride = caches[i].size,
		     .align = 64, .min_partial = 5, .sheaf_capacity = 60, .objects = 64,
		     .min_objects = 64, .kind = caches[i].kind, .flags = caches[i].flags,
		     .class_size = 64, .boot = true, .bucket = SF_NONE);
	begin(f);
}

/*
 * Dentries 0..3 (of slab 0) with names 10..13 (of slab 1, of `names`): 0 owns 10, and so on; 1 is
 * pinned, name 12 is.
 */
static void dentries(struct fixture *f, uint8_t names)
{
	uint32_t d = slab(f, C_DENTRY), n = slab(f, names);

	for (uint32_t i = 0; i < 4; i++) {
		obj(f, i, d, i);
		obj(f, 10 + i, n, i);
		owns(f, i, 10 + i);
	}
	pin(f, 1, true);
	pin(f, 12, true);
}

/* --- counters --- */

static void acc_8_reclaimable(struct fixture *f)
{
	dentries(f, C_RCL_64);
	f->c.nr_slab_reclaimable = (uint64_t)-1;
	snap(f);
}

static void acc_8_unreclaimable(struct fixture *f)
{
	slab(f, C_64);
	large(f, 0, 2);
	f->c.nr_slab_unreclaimable = 1;
	snap(f);
}

static void acc_9_below(struct fixture *f)
{
	f->c.nr_slab_unreclaimable = (uint64_t)-1;
	snap(f);
}

static void acc_9_above(struct fixture *f)
{
	f->c.nr_slab_reclaimable = PAGES + 1;
	snap(f);
}

static void acc_13_reserve(struct fixture *f)
{
	f->c.totalreserve = 1;
	snap(f);
}

static void acc_13_mark(struct fixture *f)
{
	f->c.watermark_low = 1;
	snap(f);
}

static void acc_13_misc(struct fixture *f)
{
	f->c.nr_kernel_misc_reclaimable = 1;
	snap(f);
}

static void acc_13_available(struct fixture *f)
{
	f->c.mem_available = 1;
	snap(f);
}

static void acc_16_sheaf(struct fixture *f)
{
	uint64_t objs[61];
	uint32_t s = slab(f, C_64);

	for (uint32_t i = 0; i < 61; i++)
		objs[i] = at(f->slab[s].pfn) + i * 64;
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_SHEAF, snapsheaf, .cache = C_64, .nr = 61, .capacity = 60, .objs = objs);
	snap_end(f);
}

/* 2 CPUs: 16 sheaves and no more; those that wait for a grace period do not count. */
static void sheaves(struct fixture *f, unsigned int nr)
{
	uint64_t objs[60] = { 0 };

	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	for (unsigned int i = 0; i < 4; i++)
		EMIT(f, SNAP_SHEAF, snapsheaf, .cache = C_64, .kind = SF_SHEAF_RCU, .cpu = 0xff,
		     .nr = 60, .capacity = 60, .objs = objs);
	for (unsigned int i = 0; i < nr; i++)
		EMIT(f, SNAP_SHEAF, snapsheaf, .cache = C_64, .kind = SF_SHEAF_BARN, .cpu = 0xff,
		     .nr = 60, .capacity = 60, .objs = objs);
	snap_end(f);
}

/* Reclaim may have freed what a sheaf was refilled with meanwhile: then the barn has no bound. */
static void acc_16_barn(struct fixture *f)
{
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .begin = true, .memcg = SF_NONE);
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .memcg = SF_NONE, .passes = 2);
	sheaves(f, 16);
	assert_no_title(f);
	sheaves(f, 17);
}

static void acc_16_barn_full(struct fixture *f)
{
	sheaves(f, 10);
	assert_no_title(f);
	sheaves(f, 11);
}

/* `nr` objects of 60 in one sheaf. */
static void one_sheaf(struct fixture *f, uint8_t kind, uint32_t nr)
{
	uint64_t objs[60] = { 0 };

	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_SHEAF, snapsheaf, .cache = C_64, .kind = kind, .nr = nr, .capacity = 60,
	     .objs = objs);
	snap_end(f);
}

static void acc_16_barn_part(struct fixture *f)
{
	one_sheaf(f, SF_SHEAF_BARN, 60);
	assert_no_title(f);
	one_sheaf(f, SF_SHEAF_BARN, 59);
}

static void acc_16_spare(struct fixture *f)
{
	one_sheaf(f, SF_SHEAF_SPARE, 60);
	assert_no_title(f);
	one_sheaf(f, SF_SHEAF_SPARE, 1);
}

static void acc_16_rcu(struct fixture *f)
{
	one_sheaf(f, SF_SHEAF_RCU, 59);
	assert_no_title(f);
	one_sheaf(f, SF_SHEAF_RCU, 60);
}

/* --- ACC-10 --- */

static void acc_10_more(struct fixture *f)
{
	dentries(f, C_64);
	f->c.indirect_bytes = 4 * 64 + 8;
	snap(f);
}

static void acc_10_less(struct fixture *f)
{
	dentries(f, C_64);
	f->c.indirect_bytes = 4 * 60; /* as asked, not ksize() */
	snap(f);
}

static void acc_10_left(struct fixture *f)
{
	dentries(f, C_64);
	for (uint32_t i = 0; i < 4; i++)
		freed(f, 10 + i, SF_KFREE);
	f->c.indirect_bytes = 64;
	snap(f);
}

static void acc_10_design(struct fixture *f)
{
	dentries(f, C_RCL_64);
	f->c.indirect_bytes = 256;
	snap(f);
}

/* --- ACC-11, ACC-12 --- */

static void acc_11_more(struct fixture *f)
{
	dentries(f, C_RCL_64);
	f->c.nr_slab_reclaimable = 1;
	snap(f);
}

static void acc_11_less(struct fixture *f)
{
	dentries(f, C_RCL_64);
	f->c.nr_slab_reclaimable = (uint64_t)-1;
	snap(f);
}

static void acc_11_uncounted(struct fixture *f)
{
	uint32_t d = slab(f, C_DENTRY), n = slab(f, C_64);
	struct sf_event ev = object(f, 1, n, 0);

	obj(f, 0, d, 0);
	ev.alloc.gfp |= SF_GFP_RECLAIMABLE;
	allocated(f, ev);
	owns(f, 0, 1);
	snap(f);
}

static void acc_12(struct fixture *f)
{
	struct sf_event ev = object(f, 0, slab(f, C_RCL_64), 0);

	ev.alloc.gfp = SF_GFP_KERNEL;
	allocated(f, ev);
}

/* --- ACC-15 --- */

static void reclaim_begin(struct fixture *f, uint8_t kind)
{
	EMIT(f, RECLAIM, reclaim, .kind = kind, .begin = true, .gfp = SF_GFP_KERNEL,
	     .memcg = SF_NONE);
}

static void reclaim_end(struct fixture *f, uint8_t kind, uint64_t progress)
{
	EMIT(f, RECLAIM, reclaim, .kind = kind, .gfp = SF_GFP_KERNEL, .memcg = SF_NONE,
	     .passes = progress ? 1 : 2, .progress = progress);
}

static void shrunk(struct fixture *f, uint8_t cache, uint8_t priority)
{
	EMIT(f, SHRINK, shrink, .cache = cache, .memcg = SF_NONE, .priority = priority,
	     .freeable = 1);
}

static void acc_15_nested(struct fixture *f)
{
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
}

static void acc_15_end(struct fixture *f)
{
	reclaim_end(f, SF_RECLAIM_DIRECT, 0);
}

static void acc_15_kind(struct fixture *f)
{
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	reclaim_end(f, SF_RECLAIM_MEMCG, 0);
}

static void acc_15_more(struct fixture *f)
{
	uint32_t s = slab(f, C_64);

	reclaim_begin(f, SF_RECLAIM_DIRECT);
	slab_gone(f, s);
	reclaim_end(f, SF_RECLAIM_DIRECT, 2);
}

static void acc_15_less(struct fixture *f)
{
	uint32_t s = slab(f, C_64);

	reclaim_begin(f, SF_RECLAIM_SHRINK);
	slab_gone(f, s);
	reclaim_end(f, SF_RECLAIM_SHRINK, 0);
}

/* --- ACC-22 --- */

/* Four dentries, alone on their shrinker's list. */
static void four(struct fixture *f)
{
	uint32_t s = slab(f, C_DENTRY);

	for (uint32_t id = 0; id < 4; id++)
		obj(f, id, s, id);
}

/* The call that is due at priority 0 of a shrinker with these four; it frees `freed` of them. */
static struct sf_ev_shrink last_pass(struct fixture *f, uint32_t nr)
{
	for (uint32_t id = 0; id < nr; id++)
		freed(f, id, SF_FREE_SHRINK);
	return (struct sf_ev_shrink){ .cache = C_DENTRY, .memcg = SF_NONE, .freeable = 4,
				      .delta = 8, .total = 8, .scanned = 8, .freed = nr };
}

static void call(struct fixture *f, struct sf_ev_shrink s)
{
	emit(f, SF_EV_SHRINK, (struct sf_event){ .shrink = s });
}

static void acc_22_outside(struct fixture *f)
{
	four(f);
	call(f, last_pass(f, 4));
}

static void acc_22_freed(struct fixture *f)
{
	struct sf_ev_shrink s;

	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	s = last_pass(f, 4);
	s.scanned = 3;
	call(f, s);
}

static void acc_22_counted(struct fixture *f)
{
	struct sf_ev_shrink s;

	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	s = last_pass(f, 4);
	s.freeable = 5;
	call(f, s);
}

static void acc_22_told(struct fixture *f)
{
	struct sf_ev_shrink s;

	four(f);
	reclaim_begin(f, SF_RECLAIM_SHRINK);
	s = last_pass(f, 2);
	s.priority = 0xff;
	s.delta = s.total = 3;
	s.scanned = 2;
	call(f, s);
}

static void acc_22_put_off(struct fixture *f)
{
	struct sf_ev_shrink s;

	four(f);
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .begin = true, .gfp = SF_GFP_NOFS,
	     .memcg = SF_NONE);
	s = last_pass(f, 0);
	s.priority = 1;
	s.delta = s.total = 4;
	s.scanned = 0;
	s.stopped = true;
	call(f, s); /* four are put off */
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .gfp = SF_GFP_NOFS, .memcg = SF_NONE,
	     .passes = 2);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	call(f, last_pass(f, 4));
}

static void acc_22_share(struct fixture *f)
{
	struct sf_ev_shrink s;

	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	s = last_pass(f, 4);
	s.delta = 17;
	call(f, s);
}

static void acc_22_total(struct fixture *f)
{
	struct sf_ev_shrink s;

	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	s = last_pass(f, 4);
	s.total = 9;
	call(f, s);
}

static void acc_22_halfway(struct fixture *f)
{
	struct sf_ev_shrink s;

	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	s = last_pass(f, 4);
	s.scanned = 4;
	call(f, s);
}

static void acc_22_no_stop(struct fixture *f)
{
	struct sf_ev_shrink s;

	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	s = last_pass(f, 4);
	s.stopped = true;
	call(f, s);
}

static void acc_22_may_go_on(struct fixture *f)
{
	struct sf_ev_shrink s;

	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	s = last_pass(f, 0);
	s.stopped = true;
	s.scanned = 0;
	call(f, s);
}

static void acc_22_no_fs(struct fixture *f)
{
	four(f);
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .begin = true, .gfp = SF_GFP_NOFS,
	     .memcg = SF_NONE);
	call(f, last_pass(f, 4));
}

static void acc_22_left(struct fixture *f)
{
	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	call(f, last_pass(f, 3));
}

/* A round that frees 32 pages at once has enough. */
static void acc_22_enough(struct fixture *f)
{
	uint64_t pfn = take(f, 5);
	struct sf_ev_shrink s;

	EMIT(f, SLAB_NEW, slab, .cache = C_64, .order = 5, .objects = 2048, .gfp = SF_GFP_KERNEL,
	     .pfn = pfn, .addr = at(pfn), .dirty = SF_GOOD);
	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	s = last_pass(f, 2);
	s.priority = 2;
	s.delta = s.total = s.scanned = 2;
	EMIT(f, SLAB_FREE, slab, .cache = C_64, .order = 5, .pfn = pfn, .addr = at(pfn));
	give(f, pfn, 5);
	call(f, s);
	for (uint32_t id = 2; id < 4; id++)
		freed(f, id, SF_FREE_SHRINK);
	call(f, (struct sf_ev_shrink){ .cache = C_DENTRY, .memcg = SF_NONE, .freeable = 2,
				       .priority = 1, .delta = 2, .total = 2, .scanned = 2,
				       .freed = 2 });
}

/* Its last pass, as it is due. */
static void acc_22_clean(struct fixture *f)
{
	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	call(f, last_pass(f, 4));
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .gfp = SF_GFP_KERNEL,
	     .memcg = SF_NONE, .passes = 2, .scanned = 8, .freed = 4);
}

static void acc_22_sums(struct fixture *f)
{
	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	call(f, last_pass(f, 4));
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .gfp = SF_GFP_KERNEL,
	     .memcg = SF_NONE, .passes = 2, .scanned = 8, .freed = 3);
}

static void acc_22_early(struct fixture *f)
{
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .gfp = SF_GFP_KERNEL,
	     .memcg = SF_NONE, .priority = 1);
}

/* One that began with nothing to shrink, and ended so. */
static void acc_22_ends(struct fixture *f, struct sf_ev_reclaim end)
{
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .begin = true, .gfp = end.gfp,
	     .order = end.order, .memcg = SF_NONE);
	end.kind = SF_RECLAIM_DIRECT;
	end.memcg = SF_NONE;
	emit(f, SF_EV_RECLAIM, (struct sf_event){ .reclaim = end });
}

/* For 32 pages compaction has what it needs, at once or in the second pass. */
static void acc_22_ready(struct fixture *f)
{
	acc_22_ends(f, (struct sf_ev_reclaim){ .gfp = SF_GFP_KERNEL, .order = 5, .passes = 1,
					       .priority = 12, .ready = true });
	acc_22_ends(f, (struct sf_ev_reclaim){ .gfp = SF_GFP_KERNEL, .order = 5, .passes = 2,
					       .priority = 3, .ready = true });
	acc_22_ends(f, (struct sf_ev_reclaim){ .gfp = SF_GFP_KERNEL, .passes = 2 });
}

static void acc_22_ready_cheap(struct fixture *f)
{
	acc_22_ends(f, (struct sf_ev_reclaim){ .gfp = SF_GFP_KERNEL, .order = 3, .passes = 1,
					       .priority = 12, .ready = true });
}

static void acc_22_costly_early(struct fixture *f)
{
	acc_22_ends(f, (struct sf_ev_reclaim){ .gfp = SF_GFP_KERNEL, .order = 5, .passes = 1,
					       .priority = 12 });
}

static void acc_22_once(struct fixture *f)
{
	acc_22_ends(f, (struct sf_ev_reclaim){ .gfp = SF_GFP_KERNEL, .passes = 1 });
}

static void acc_22_twice(struct fixture *f)
{
	acc_22_ends(f, (struct sf_ev_reclaim){ .gfp = SF_GFP_KERNEL, .passes = 2,
					       .progress = 1 });
}

static void acc_22_balanced(struct fixture *f)
{
	four(f);
	reclaim_begin(f, SF_RECLAIM_KSWAPD);
	call(f, (struct sf_ev_shrink){ .cache = C_DENTRY, .memcg = SF_NONE, .priority = 12,
				       .freeable = 4 });
}

/* Nothing but the minimum is left. */
static void acc_22_kswapd_early(struct fixture *f)
{
	fill(f, MIN_MARK);
	reclaim_begin(f, SF_RECLAIM_KSWAPD);
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_KSWAPD, .memcg = SF_NONE, .priority = 1);
}

/* --- ACC-23 --- */

/* Some of all that is counted; `more`: of one there is one more than was. */
static void counted(struct fixture *f, uint64_t *more)
{
	struct sf_ev_shrink s;

	f->c.slabs_scanned = 12;
	f->c.pgscan_slab = 12;
	f->c.pgsteal_slab = 0;
	f->c.drop_slab = 1;
	f->c.oom_kill = 1;
	f->c.pgmigrate_success = 5;
	f->c.allocstall = 2;
	f->c.compact_stall = 1;
	f->c.compact_success = 1;
	if (more)
		*more += 1;
	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	call(f, last_pass(f, 0));
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .memcg = SF_NONE, .passes = 2,
	     .scanned = 8);
	reclaim_begin(f, SF_RECLAIM_SHRINK);
	s = last_pass(f, 4);
	s.priority = 0xff;
	s.total = s.delta = s.scanned = 4;
	call(f, s);
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_SHRINK, .memcg = SF_NONE, .scanned = 4,
	     .freed = 4);
	EMIT(f, OOM, oom, .gfp = SF_GFP_KERNEL, .memcg = SF_NONE);
	EMIT(f, COMPACT, compact, .order = 9, .begin = true, .gfp = SF_GFP_KERNEL,
	     .mode = SF_COMPACT_ASYNC);
	EMIT(f, COMPACT, compact, .order = 9, .migrated = 5, .mode = SF_COMPACT_ASYNC);
	EMIT(f, PAGE_ALLOC, page, .list = 0xff, .attempt = SF_ATTEMPT_COMPACTED);
	EMIT(f, COMPACT, compact, .order = 9, .skipped = true, .gfp = SF_GFP_KERNEL,
	     .mode = SF_COMPACT_ASYNC);
	snap(f);
}

static void acc_23_clean(struct fixture *f)
{
	counted(f, NULL);
}

static void acc_23_scanned(struct fixture *f)
{
	counted(f, &f->c.slabs_scanned);
}

static void acc_23_pgscan(struct fixture *f)
{
	counted(f, &f->c.pgscan_slab);
}

static void acc_23_pgsteal(struct fixture *f)
{
	counted(f, &f->c.pgsteal_slab);
}

static void acc_23_drop(struct fixture *f)
{
	counted(f, &f->c.drop_slab);
}

static void acc_23_oom(struct fixture *f)
{
	counted(f, &f->c.oom_kill);
}

static void acc_23_migrated(struct fixture *f)
{
	counted(f, &f->c.pgmigrate_success);
}

static void acc_23_stall(struct fixture *f)
{
	counted(f, &f->c.allocstall);
}

static void acc_23_compactions(struct fixture *f)
{
	counted(f, &f->c.compact_stall);
}

/* Progress that was made when priorities were gone through again: a second stall. */
static void acc_23_again(struct fixture *f)
{
	struct sf_ev_shrink s;

	four(f);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	call(f, last_pass(f, 0));
	s = last_pass(f, 0);
	s.priority = 12;
	call(f, s);
	f->c.slabs_scanned = f->c.pgscan_slab = 16;
	f->c.pgsteal_slab = 1;
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_DIRECT, .memcg = SF_NONE, .scanned = 16,
	     .passes = 2, .progress = 1, .priority = 12);
	f->c.allocstall = 1;
	snap(f);
}

static void acc_23_success(struct fixture *f)
{
	counted(f, &f->c.compact_success);
}

/* --- ACC-21 --- */

static void acc_21_pinned(struct fixture *f)
{
	dentries(f, C_RCL_64);
	freed(f, 11, SF_FREE_OWNER);
	freed(f, 1, SF_FREE_SHRINK);
}

static void acc_21_no_lru(struct fixture *f)
{
	obj(f, 0, slab(f, C_64), 0);
	freed(f, 0, SF_FREE_SHRINK);
}

static void acc_21_pinned_name(struct fixture *f)
{
	dentries(f, C_RCL_64);
	freed(f, 12, SF_FREE_OWNER);
	freed(f, 2, SF_FREE_SHRINK);
}

static void acc_21_no_owner(struct fixture *f)
{
	obj(f, 0, slab(f, C_RCL_64), 0);
	freed(f, 0, SF_FREE_OWNER);
}

static void acc_21_outlived(struct fixture *f)
{
	dentries(f, C_RCL_64);
	freed(f, 0, SF_FREE_SHRINK);
	f->op++;
	pin(f, 1, false);
}

static void acc_21_zero(struct fixture *f)
{
	uint32_t n = slab(f, C_64);
	struct sf_event ev = object(f, 0, n, 0);

	obj(f, 0, n, 0);
	obj(f, 1, n, 1);
	owns(f, 0, 1);
	ev.alloc.old_id = 0;
	ev.alloc.size = 0;
	ev.alloc.addr = SF_ZERO_SIZE_PTR;
	emit(f, SF_EV_REALLOC, ev);
	f->op++;
	pin(f, 1, false);
}

static void acc_21_stayed(struct fixture *f)
{
	dentries(f, C_RCL_64);
	freed(f, 10, SF_FREE_OWNER);
	f->op++;
	pin(f, 1, false);
}

static void acc_21_twice(struct fixture *f)
{
	obj(f, 0, slab(f, C_64), 0);
	defer(f, 0, SF_KFREE_RCU);
	defer(f, 0, SF_KFREE_RCU);
}

/* --- MEM-19 --- */

static void mem_19_early(struct fixture *f)
{
	obj(f, 0, slab(f, C_64), 0);
	grace(f); /* before it was deferred */
	defer(f, 0, SF_KFREE_RCU);
	freed(f, 0, SF_KFREE_RCU);
}

static void mem_19_undeferred(struct fixture *f)
{
	obj(f, 0, slab(f, C_64), 0);
	grace(f);
	freed(f, 0, SF_KFREE_RCU);
}

static void mem_19_other(struct fixture *f)
{
	obj(f, 0, slab(f, C_64), 0);
	defer(f, 0, SF_KFREE_RCU);
	grace(f);
	freed(f, 0, SF_KFREE);
}

static void mem_19_slab(struct fixture *f)
{
	uint32_t s = slab(f, C_RCU);

	slab_defer(f, s);
	slab_gone(f, s);
}

static void mem_19_at_once(struct fixture *f)
{
	slab_gone(f, slab(f, C_RCU));
}

static void mem_19_slab_twice(struct fixture *f)
{
	uint32_t s = slab(f, C_RCU);

	slab_defer(f, s);
	slab_defer(f, s);
}

/* --- BUD-12 --- */

/* Block 0 is split and one page of it is taken; page block 0 becomes the reserve's. */
static void reserve(struct fixture *f, uint64_t start, uint8_t from, uint8_t to, bool release)
{
	EMIT(f, RESERVE, claim, .pfn = start, .start = start, .nr_pages = 512, .from = from,
	     .to = to, .release = release);
}

static void bud_12_shape(struct fixture *f)
{
	reserve(f, 7, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
}

static void bud_12_type(struct fixture *f)
{
	reserve(f, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	reserve(f, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
}

/* 655 pages are 1 %: two page blocks. */
static void bud_12_bound(struct fixture *f)
{
	for (uint64_t i = 0; i < 3; i++)
		reserve(f, 512 * i, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
}

static void bud_12_release(struct fixture *f)
{
	reserve(f, 0, SF_MIGRATE_HIGHATOMIC, SF_MIGRATE_UNMOVABLE, true);
}

static void bud_12_below(struct fixture *f)
{
	reserve(f, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	EMIT(f, RESERVE, claim, .nr_pages = 1024, .order = 10, .from = SF_MIGRATE_HIGHATOMIC,
	     .to = SF_MIGRATE_UNMOVABLE, .release = true);
}

/* Of a block of two page blocks. */
static void bud_12_part(struct fixture *f)
{
	EMIT(f, RESERVE, claim, .nr_pages = 512, .order = 10, .from = SF_MIGRATE_MOVABLE,
	     .to = SF_MIGRATE_HIGHATOMIC);
}

/* --- BUD-13 --- */

static void boosted(struct fixture *f, uint64_t pages)
{
	f->c.watermark_boost = pages;
	snap(f);
}

/* A part of page block 0 is claimed for a request of these flags. */
static void claimed(struct fixture *f, uint32_t gfp)
{
	EMIT(f, CLAIM, claim, .nr_pages = 512, .order = 8, .from = SF_MIGRATE_MOVABLE,
	     .to = SF_MIGRATE_UNMOVABLE);
	EMIT(f, PAGE_ALLOC, page, .list = 0xff, .gfp = gfp);
}

static void bud_13_bound(struct fixture *f)
{
	boosted(f, 1 << 20);
}

static void bud_13_part(struct fixture *f)
{
	claimed(f, SF_GFP_HIGH);
	boosted(f, 100);
}

/* In a page block in use, blocks of orders 8 and 7. */
static void two_tries(struct fixture *f)
{
	EMIT(f, BLOCK_DEL, block, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, BLOCK_ADD, block, .pfn = 256, .order = 8, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, BLOCK_ADD, block, .pfn = 128, .order = 7, .migratetype = SF_MIGRATE_MOVABLE);
}

/* What is stolen could be claimed at neither order; once a refill steals it tries no more. */
static void stolen(struct fixture *f, bool again)
{
	two_tries(f);
	for (uint64_t p = 128; p <= 256; p += again ? 128 : 256) {
		uint8_t order = p == 128 ? 7 : 8;

		EMIT(f, BLOCK_DEL, block, .pfn = p, .order = order,
		     .migratetype = SF_MIGRATE_MOVABLE);
		EMIT(f, RMQUEUE, rmqueue, .pfn = p, .migratetype = SF_MIGRATE_UNMOVABLE,
		     .from_order = order, .from_type = SF_MIGRATE_MOVABLE,
		     .mode = SF_RMQUEUE_STEAL, .to_pcp = again);
	}
	EMIT(f, PAGE_ALLOC, page, .pfn = 128, .list = 0xff, .gfp = SF_GFP_HIGH, .pcp = again);
}

static void bud_13_stolen(struct fixture *f)
{
	stolen(f, true);
	boosted(f, 2 * 512);
	assert_no_title(f);
	boosted(f, 512);
}

/* The last attempt wakes nobody; any but the first comes after somebody was. */
static void bud_13_woken(struct fixture *f)
{
	claimed(f, SF_GFP_HIGH);
	EMIT(f, PAGE_ALLOC, page, .list = 0xff, .gfp = SF_GFP_KERNEL);
	boosted(f, 512);
	assert_no_title(f);
	EMIT(f, PAGE_ALLOC, page, .list = 0xff, .gfp = SF_GFP_KERNEL,
	     .attempt = SF_ATTEMPT_LAST);
	boosted(f, 512);
}

static void bud_13_left(struct fixture *f)
{
	claimed(f, SF_GFP_HIGH);
	boosted(f, 512);
	claimed(f, SF_GFP_KERNEL);
	boosted(f, 512);
}

static void bud_13_nothing(struct fixture *f)
{
	claimed(f, SF_GFP_HIGH);
	boosted(f, 0);
}

/* --- MEM-12, and the reserve --- */

/* Page block 0 is the reserve's, and all else is in use. */
static void reserve_alone(struct fixture *f)
{
	EMIT(f, BLOCK_DEL, block, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	reserve(f, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	EMIT(f, BLOCK_ADD, block, .pfn = 0, .order = 9, .migratetype = SF_MIGRATE_HIGHATOMIC);
	f->next_page = 1024;
	f->free_pages -= 1024;
	use_up(f, 0);
}

static void mem_12_reserve(struct fixture *f)
{
	reserve_alone(f);
	EMIT(f, PAGE_FAIL, pagefail, .gfp = SF_GFP_NOMEMALLOC, .mark = MIN_MARK);
	assert_no_title(f);
	EMIT(f, PAGE_FAIL, pagefail, .gfp = SF_GFP_HIGH, .mark = MIN_MARK);
}

/* --- MEM-20 --- */

static void sensitive(struct fixture *f, uint64_t left, uint64_t left_end)
{
	obj(f, 0, slab(f, C_64), 1);
	EMIT(f, FREE, free, .id = 0, .cache = SF_NONE, .addr = f->obj[0].addr, .bad = SF_GOOD,
	     .how = SF_KFREE_SENSITIVE, .known = true, .wiped = 64, .left = left,
	     .left_end = left_end);
}

static void mem_20_tail(struct fixture *f)
{
	sensitive(f, 60, 64);
}

/* The free pointer alone is where it must be. */
static void mem_20_more(struct fixture *f)
{
	sensitive(f, 0, 9);
}

static void mem_20_clean(struct fixture *f)
{
	sensitive(f, 0, 8);
}

/* --- ACC-17 --- */

static void acc_17_deferred(struct fixture *f)
{
	obj(f, 0, slab(f, C_DENTRY), 0);
	defer(f, 0, SF_KFREE_RCU);
	EMIT(f, CACHE_DESTROY, cacheop, .cache = C_DENTRY, .status = SF_NOTICED);
}

/* By a shrinker, with call_rcu(): nothing waits for that. */
static void acc_17_clean(struct fixture *f)
{
	obj(f, 0, slab(f, C_DENTRY), 0);
	defer(f, 0, SF_FREE_SHRINK);
	EMIT(f, CACHE_DESTROY, cacheop, .cache = C_DENTRY, .status = SF_NOTICED);
}

static void oom(struct fixture *f, uint8_t order, uint32_t gfp)
{
	EMIT(f, OOM, oom, .policy = (uint8_t)f->set.oom, .order = order, .gfp = gfp,
	     .memcg = SF_NONE, .free = f->free_pages);
}

static void bud_12_oom(struct fixture *f)
{
	EMIT(f, BLOCK_DEL, block, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	reserve(f, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	EMIT(f, BLOCK_ADD, block, .pfn = 0, .order = 9, .migratetype = SF_MIGRATE_HIGHATOMIC);
	oom(f, 0, SF_GFP_KERNEL);
}

static void bud_12_counter(struct fixture *f)
{
	reserve(f, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	snap(f);
}

static void bud_12_free(struct fixture *f)
{
	f->c.nr_free_highatomic = 4;
	snap(f);
}

/* --- ACC-14 --- */

/* A round that reaches priority 0 of every shrinker and frees nothing. */
static void last_round(struct fixture *f)
{
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	shrunk(f, C_DENTRY, 12);
	shrunk(f, C_DENTRY, 0);
	reclaim_end(f, SF_RECLAIM_DIRECT, 0);
}

static void acc_14_costly(struct fixture *f)
{
	use_up(f, 0);
	last_round(f);
	oom(f, 4, SF_GFP_KERNEL);
}

static void acc_14_forbidden(struct fixture *f)
{
	use_up(f, 0);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL | SF_GFP_NORETRY);
}

static void acc_14_nofs(struct fixture *f)
{
	use_up(f, 0);
	last_round(f);
	oom(f, 0, SF_GFP_NOFS);
}

static void acc_14_at_hand(struct fixture *f)
{
	use_up(f, MIN_MARK + 1);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

static void acc_14_no_round(struct fixture *f)
{
	use_up(f, 0);
	oom(f, 0, SF_GFP_KERNEL);
}

static void acc_14_last_pass(struct fixture *f)
{
	dentries(f, C_RCL_64);
	use_up(f, 1022);
	EMIT(f, PAGE_ALLOC, page, .pfn = 2, .order = 10); /* what is left of the first block */
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	shrunk(f, C_DENTRY, 0); /* of an earlier round */
	reclaim_end(f, SF_RECLAIM_DIRECT, 0);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	shrunk(f, C_DENTRY, 1);
	reclaim_end(f, SF_RECLAIM_DIRECT, 31);
	oom(f, 3, SF_GFP_KERNEL | SF_GFP_HIGH);
}

static void acc_14_pcp(struct fixture *f)
{
	uint64_t pfn;

	use_up(f, 0);
	pfn = PAGES - 1;
	EMIT(f, PAGE_FREE, page, .pfn = pfn, .pcp = true);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

/* So many slabs without a live object, and MIN pages are free: one more would do. */
static void parked(struct fixture *f, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		slab(f, C_64);
	f->op++;
	for (uint64_t p = f->next_page; p < 1024; p++) {
		EMIT(f, BLOCK_DEL, block, .pfn = p, .migratetype = SF_MIGRATE_MOVABLE);
		EMIT(f, PAGE_ALLOC, page, .pfn = p);
		f->free_pages--;
	}
	use_up(f, MIN_MARK);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

static void acc_14_parked(struct fixture *f)
{
	parked(f, 6);
	f->op++;
	pin(f, 0, true);
}

static void guess(struct fixture *f, uint64_t pages, uint64_t guessed)
{
	EMIT(f, OOM, oom, .policy = (uint8_t)f->set.oom, .guess = true, .memcg = SF_NONE,
	     .pages = pages, .guessed = guessed, .free = f->free_pages);
}

static void ask(struct fixture *f, uint64_t pages)
{
	EMIT(f, ASK, ask, .pages = pages, .status = SF_OK);
}

static void acc_14_granted(struct fixture *f)
{
	ask(f, PAGES);
	ask(f, PAGES + 1);
}

static void acc_14_guess_granted(struct fixture *f)
{
	ask(f, PAGES - HIGH_MARK - ADMIN - 1);
	ask(f, PAGES - HIGH_MARK - ADMIN);
}

static void acc_14_refused(struct fixture *f)
{
	guess(f, PAGES, PAGES);
}

static void acc_14_wrong_guess(struct fixture *f)
{
	guess(f, PAGES, PAGES);
}

static void acc_14_guessed(struct fixture *f)
{
	guess(f, PAGES - HIGH_MARK - ADMIN - 1, PAGES - HIGH_MARK - ADMIN);
}

/* A name that the design should count is a page of its own, and would be enough. */
static void acc_14_uncounted(struct fixture *f)
{
	uint32_t d = slab(f, C_DENTRY), n = slab(f, C_64);
	struct sf_event ev = object(f, 1, n, 0);

	obj(f, 0, d, 0);
	ev.alloc.gfp |= SF_GFP_RECLAIMABLE;
	allocated(f, ev);
	owns(f, 0, 1);
	guess(f, PAGES - HIGH_MARK - ADMIN - 1, PAGES - 1 - HIGH_MARK - ADMIN);
}

static void acc_14_policy(struct fixture *f)
{
	f->set.oom = SF_OOM_FLUSH; /* the heap was made under another */
	use_up(f, 0);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

/* --- ACC-19 --- */

#define GROUP 5u
#define CHILD 6u

static void memcg(struct fixture *f, uint8_t act, uint32_t id, uint32_t parent, uint64_t max)
{
	EMIT(f, MEMCG, memcg, .act = act, .id = id, .parent = parent, .max = max);
	f->op++;
}

static void group(struct fixture *f, uint64_t max)
{
	memcg(f, SF_MEMCG_CREATE, GROUP, SF_NONE, max);
	memcg(f, SF_MEMCG_SET, GROUP, SF_NONE, 0);
	f->group = (struct sf_ev_snapmemcg){ .id = GROUP, .parent = SF_NONE, .online = true,
					     .max = max };
}

static void charge(struct fixture *f, uint64_t addr, uint64_t bytes)
{
	EMIT(f, CHARGE, charge, .memcg = GROUP, .addr = addr, .bytes = bytes);
	f->group.usage += bytes;
}

static void uncharge(struct fixture *f, uint64_t addr, uint64_t bytes)
{
	EMIT(f, CHARGE, charge, .memcg = GROUP, .addr = addr, .bytes = bytes, .uncharge = true);
	f->group.usage -= bytes;
}

/* Object `id` of a cache that is accounted, charged as it should be. */
static void accounted(struct fixture *f, uint32_t id, uint32_t s)
{
	struct sf_event ev = object(f, id, s, id);

	charge(f, ev.alloc.addr, 72);
	allocated(f, ev);
	f->op++;
}

/* A page that moves within the first page block, or to the second one. */
static void moved_to(struct fixture *f, uint64_t to)
{
	EMIT(f, MIGRATE, migrate, .id = 0, .from = at(3), .to = at(to), .bad = SF_GOOD);
}

static void compact_once(struct fixture *f, int order, uint8_t mode, uint32_t gfp)
{
	EMIT(f, COMPACT, compact, .order = (int8_t)order, .begin = true, .mode = mode, .gfp = gfp);
}

/* What waits has been tried without waiting before. */
static void compact(struct fixture *f, int order, uint8_t mode)
{
	f->op++;
	if (order > 0 && mode != SF_COMPACT_ASYNC) {
		compact_once(f, order, SF_COMPACT_ASYNC, SF_GFP_KERNEL);
		EMIT(f, COMPACT, compact, .order = (int8_t)order, .mode = SF_COMPACT_ASYNC);
	}
	compact_once(f, order, mode, SF_GFP_KERNEL);
}

static void bud_16(struct fixture *f)
{
	compact(f, -1, SF_COMPACT_SYNC_LIGHT);
	moved_to(f, 511);
}

static void bud_16_up(struct fixture *f)
{
	compact(f, -1, SF_COMPACT_SYNC_LIGHT);
	moved_to(f, 512);
}

static void bud_16_not_begun(struct fixture *f)
{
	moved_to(f, 512);
}

/* Nothing of order 10 is free, as each block has a page in use: a request could be met by moves. */
static void broken_up(struct fixture *f, uint64_t from)
{
	for (uint64_t p = from; p < PAGES; p += 1024) {
		EMIT(f, BLOCK_DEL, block, .pfn = p, .order = 10,
		     .migratetype = SF_MIGRATE_MOVABLE);
		for (uint8_t k = 0; k < 10; k++)
			EMIT(f, BLOCK_ADD, block, .pfn = p + (1ull << k), .order = k,
			     .migratetype = SF_MIGRATE_MOVABLE);
	}
}

/* Page block `p` is RECLAIMABLE from now on. */
static void reclaimable(struct fixture *f, uint64_t p)
{
	EMIT(f, CLAIM, claim, .pfn = p, .start = p, .nr_pages = 512, .order = 9,
	     .from = SF_MIGRATE_MOVABLE, .to = SF_MIGRATE_RECLAIMABLE, .whole = true);
}

static void bud_16_source(struct fixture *f)
{
	broken_up(f, 0);
	compact(f, 10, SF_COMPACT_SYNC_LIGHT);
	moved_to(f, 512);
	compact(f, 10, SF_COMPACT_ASYNC);
	moved_to(f, 512);
	reclaimable(f, 0);
	assert_no_title(f);
	moved_to(f, 512);
}

static void bud_16_target(struct fixture *f)
{
	broken_up(f, 0);
	reclaimable(f, 512);
	compact(f, 10, SF_COMPACT_SYNC_FULL);
	moved_to(f, 512);
	assert_no_title(f);
	compact(f, 10, SF_COMPACT_SYNC_LIGHT);
	moved_to(f, 512);
}

static void bud_16_large(struct fixture *f)
{
	EMIT(f, BLOCK_DEL, block, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_ALLOC, page, .order = 10, .list = 0xff, .gfp = SF_GFP_MOVABLE);
	allocated(f, block(0, SF_API_PAGES, SF_PLACE_PAGES, 0, 10));
	broken_up(f, 1024);
	compact(f, 10, SF_COMPACT_SYNC_FULL);
	moved_to(f, 1024);
}

static void bud_16_at_hand(struct fixture *f)
{
	compact(f, 10, SF_COMPACT_ASYNC);
}

static void bud_16_page(struct fixture *f)
{
	use_up(f, 0);
	compact(f, 0, SF_COMPACT_SYNC_LIGHT);
}

static void bud_16_no_io(struct fixture *f)
{
	broken_up(f, 0);
	compact_once(f, 10, SF_COMPACT_ASYNC, SF_GFP_NOWAIT);
}

static void bud_16_slow(struct fixture *f)
{
	broken_up(f, 0);
	compact_once(f, 10, SF_COMPACT_SYNC_LIGHT, SF_GFP_KERNEL);
}

/* __GFP_NORETRY: never. */
static void bud_16_slow_later(struct fixture *f)
{
	broken_up(f, 0);
	compact_once(f, 10, SF_COMPACT_ASYNC, SF_GFP_KERNEL | SF_GFP_NORETRY);
	EMIT(f, COMPACT, compact, .order = 10, .mode = SF_COMPACT_ASYNC);
	compact_once(f, 10, SF_COMPACT_ASYNC, SF_GFP_KERNEL | SF_GFP_NORETRY);
	EMIT(f, COMPACT, compact, .order = 10, .mode = SF_COMPACT_ASYNC);
	assert_no_title(f);
	compact_once(f, 10, SF_COMPACT_SYNC_LIGHT, SF_GFP_KERNEL | SF_GFP_NORETRY);
}

static void bud_16_quick_later(struct fixture *f)
{
	broken_up(f, 0);
	compact_once(f, 10, SF_COMPACT_ASYNC, SF_GFP_KERNEL);
	EMIT(f, COMPACT, compact, .order = 10, .mode = SF_COMPACT_ASYNC);
	compact_once(f, 10, SF_COMPACT_ASYNC, SF_GFP_KERNEL);
}

static void bud_16_hopeless(struct fixture *f)
{
	use_up(f, 0);
	compact(f, 3, SF_COMPACT_ASYNC);
}

static void bud_16_skipped(struct fixture *f)
{
	broken_up(f, 0);
	EMIT(f, COMPACT, compact, .order = 10, .skipped = true, .mode = SF_COMPACT_ASYNC,
	     .gfp = SF_GFP_KERNEL);
}

static void bud_16_other(struct fixture *f)
{
	broken_up(f, 0);
	compact(f, 10, SF_COMPACT_ASYNC);
	EMIT(f, COMPACT, compact, .order = 9, .mode = SF_COMPACT_ASYNC);
}

static void bud_16_no_block(struct fixture *f)
{
	broken_up(f, 0);
	compact(f, 10, SF_COMPACT_ASYNC);
	EMIT(f, COMPACT, compact, .order = 10, .mode = SF_COMPACT_ASYNC);
	assert_no_title(f);
	compact(f, 10, SF_COMPACT_ASYNC);
	EMIT(f, COMPACT, compact, .order = 10, .mode = SF_COMPACT_ASYNC, .success = true);
}

static void bud_16_block(struct fixture *f)
{
	broken_up(f, 0);
	compact(f, 10, SF_COMPACT_ASYNC);
	EMIT(f, BLOCK_ADD, block, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	for (uint8_t k = 0; k < 10; k++)
		EMIT(f, BLOCK_DEL, block, .pfn = 1ull << k, .order = k,
		     .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, BLOCK_ADD, block, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, COMPACT, compact, .order = 10, .mode = SF_COMPACT_ASYNC);
}

static void acc_21_group(struct fixture *f)
{
	obj(f, 0, slab(f, C_DENTRY), 0);
	group(f, 4096);
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_MEMCG, .begin = true, .gfp = SF_GFP_KERNEL,
	     .memcg = GROUP);
	freed(f, 0, SF_FREE_SHRINK);
}

static void acc_9_never(struct fixture *f)
{
	group(f, 4096);
	uncharge(f, at(3), 72);
}

static void acc_9_group(struct fixture *f)
{
	group(f, 4096);
	f->group.usage = (uint64_t)-72;
	snap(f);
}

static void acc_19_other_bytes(struct fixture *f)
{
	group(f, 4096);
	accounted(f, 0, slab(f, C_CG_64));
	uncharge(f, f->obj[0].addr, 64);
}

static void acc_19_nokmem(struct fixture *f)
{
	group(f, 4096);
	charge(f, at(3), 72);
}

static void acc_19_refused(struct fixture *f)
{
	group(f, 72);
	EMIT(f, CHARGE, charge, .memcg = GROUP, .bytes = 72, .refused = true);
}

static void acc_19_not_shown(struct fixture *f)
{
	group(f, 4096);
	f->group.id = 0;
	snap(f);
}

static void acc_19_inactive(struct fixture *f)
{
	group(f, 4096);
	memcg(f, SF_MEMCG_CREATE, CHILD, GROUP, 4096);
	EMIT(f, CHARGE, charge, .memcg = CHILD, .addr = at(3), .bytes = 72);
}

static void acc_19_twice(struct fixture *f)
{
	group(f, 4096);
	accounted(f, 0, slab(f, C_CG_64));
	charge(f, f->obj[0].addr, 72);
}

static void acc_19_not_to_be(struct fixture *f)
{
	struct sf_event ev = object(f, 0, slab(f, C_64), 0);

	group(f, 4096);
	charge(f, ev.alloc.addr, 72);
	allocated(f, ev);
}

static void acc_19_size(struct fixture *f)
{
	struct sf_event ev = object(f, 0, slab(f, C_CG_64), 0);

	group(f, 4096);
	charge(f, ev.alloc.addr, 68);
	allocated(f, ev);
}

static void acc_19_uncharged(struct fixture *f)
{
	uint32_t s = slab(f, C_CG_64);

	group(f, 4096);
	obj(f, 0, s, 0);
}

static void acc_19_mixed(struct fixture *f)
{
	uint64_t pfn = take(f, 1);
	struct sf_event ev = block(0, SF_API_EXACT, SF_PLACE_PAGES, pfn, 0);

	group(f, 65536);
	charge(f, at(pfn), 4096);
	memcg(f, SF_MEMCG_CREATE, CHILD, SF_NONE, 65536);
	memcg(f, SF_MEMCG_SET, CHILD, SF_NONE, 0);
	EMIT(f, CHARGE, charge, .memcg = CHILD, .addr = at(pfn + 1), .bytes = 4096);
	ev.alloc.size = 8192;
	ev.alloc.gfp |= SF_GFP_ACCOUNT;
	allocated(f, ev);
}

/* Who may kill fails without; who may not does so soundly. */
static void acc_14_quiet(struct fixture *f)
{
	EMIT(f, PAGE_FAIL, pagefail, .gfp = SF_GFP_KERNEL | SF_GFP_NORETRY, .mark = MIN_MARK);
	EMIT(f, PAGE_FAIL, pagefail, .order = 4, .gfp = SF_GFP_KERNEL, .mark = MIN_MARK);
	assert_no_title(f);
	EMIT(f, PAGE_FAIL, pagefail, .order = 3, .gfp = SF_GFP_KERNEL, .mark = MIN_MARK);
}

static void refused(struct fixture *f, uint32_t gfp)
{
	struct sf_event ev = object(f, 0, slab(f, C_CG_64), 0);

	EMIT(f, CHARGE, charge, .memcg = GROUP, .refused = true, .bytes = 72);
	ev.alloc.status = SF_NULL;
	ev.alloc.addr = 0;
	ev.alloc.gfp = gfp;
	emit(f, SF_EV_ALLOC, ev);
	f->op++;
}

static void acc_14_group_quiet(struct fixture *f)
{
	group(f, 64);
	refused(f, SF_GFP_KERNEL_ACCOUNT | SF_GFP_NORETRY);
	assert_no_title(f);
	refused(f, SF_GFP_KERNEL_ACCOUNT);
}

static void acc_19_limit(struct fixture *f)
{
	uint32_t s = slab(f, C_CG_64);

	group(f, 100);
	accounted(f, 0, s);
	accounted(f, 1, s);
}

static void acc_19_still(struct fixture *f)
{
	group(f, 4096);
	accounted(f, 0, slab(f, C_CG_64));
	freed(f, 0, SF_KFREE);
}

static void acc_19_usage(struct fixture *f)
{
	group(f, 4096);
	accounted(f, 0, slab(f, C_CG_64));
	f->group.usage = 64;
	snap(f);
}

static void acc_19_max(struct fixture *f)
{
	group(f, 4096);
	f->group.max = 8192;
	snap(f);
}

static void acc_19_nobody(struct fixture *f)
{
	group(f, 4096);
	charge(f, at(3), 72);
	f->op++;
	snap(f);
}

static void acc_19_live(struct fixture *f)
{
	group(f, 4096);
	accounted(f, 0, slab(f, C_CG_64));
	uncharge(f, f->obj[0].addr, 72);
	snap(f);
}

static void group_oom(struct fixture *f, uint8_t order, uint32_t gfp, uint32_t id)
{
	group(f, 4096);
	EMIT(f, OOM, oom, .order = order, .gfp = gfp, .memcg = id);
}

static void acc_14_group_costly(struct fixture *f)
{
	group_oom(f, 4, SF_GFP_KERNEL, GROUP);
}

static void acc_14_group_gfp(struct fixture *f)
{
	group_oom(f, 0, SF_GFP_KERNEL | SF_GFP_RETRY_MAYFAIL, GROUP);
}

static void acc_14_group_no_round(struct fixture *f)
{
	group_oom(f, 0, SF_GFP_KERNEL, GROUP);
}

/* A dentry of the group's is asked for at priority 1, and not to the last. */
static void group_round(struct fixture *f, uint8_t priority)
{
	struct sf_event ev = object(f, 0, slab(f, C_DENTRY), 0);

	group(f, 4096);
	charge(f, ev.alloc.addr, 200);
	allocated(f, ev);
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_MEMCG, .begin = true, .gfp = SF_GFP_KERNEL,
	     .memcg = GROUP);
	EMIT(f, SHRINK, shrink, .cache = C_DENTRY, .memcg = GROUP, .priority = priority,
	     .freeable = 1);
	EMIT(f, RECLAIM, reclaim, .kind = SF_RECLAIM_MEMCG, .gfp = SF_GFP_KERNEL, .memcg = GROUP,
	     .passes = 2);
	EMIT(f, OOM, oom, .gfp = SF_GFP_KERNEL, .memcg = GROUP);
}

static void acc_14_group_pass(struct fixture *f)
{
	group_round(f, 1);
}

static void acc_14_group_clean(struct fixture *f)
{
	group_round(f, 0);
}

static void acc_14_group_none(struct fixture *f)
{
	group_oom(f, 0, SF_GFP_KERNEL, CHILD);
}

/* --- MEM: what moves and what waits --- */

static void movable(struct fixture *f, uint32_t id)
{
	struct sf_event ev = block(id, SF_API_PAGES, SF_PLACE_PAGES, take(f, 0), 0);

	ev.alloc.gfp |= SF_GFP_MOVABLE;
	allocated(f, ev);
	f->op++;
}

static void mem_1_moved(struct fixture *f)
{
	movable(f, 0);
	EMIT(f, MIGRATE, migrate, .id = 0, .from = f->obj[0].addr, .to = at(4000),
	     .bad = SF_GOOD);
}

static void mem_5_moved(struct fixture *f)
{
	uint64_t to;

	movable(f, 0);
	to = at(take(f, 0));
	EMIT(f, MIGRATE, migrate, .id = 0, .from = f->obj[0].addr, .to = to, .bad = 9);
}

static void mem_5_deferred(struct fixture *f)
{
	obj(f, 0, slab(f, C_64), 0);
	EMIT(f, DEFER, defer, .id = 0, .addr = f->obj[0].addr, .how = SF_KFREE_RCU, .bad = 3);
}

static void mem_7_not_waiting(struct fixture *f)
{
	uint32_t s = slab(f, C_64);

	obj(f, 0, s, 0);
	EMIT(f, DEFER, defer, .id = 0, .addr = f->obj[0].addr, .how = SF_KFREE_RCU,
	     .bad = SF_GOOD);
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	snap_slab(f, s);
	snap_end(f);
}

static void mem_7_rcu(struct fixture *f)
{
	uint32_t s = slab(f, C_64);
	uint64_t parked_at = at(f->slab[s].pfn);

	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	snap_slab(f, s);
	EMIT(f, SNAP_SHEAF, snapsheaf, .cache = C_64, .kind = SF_SHEAF_RCU, .nr = 1,
	     .capacity = 60, .objs = &parked_at, .unwiped = SF_GOOD);
	snap_end(f);
}

static void acc_1_deferred(struct fixture *f)
{
	uint32_t s = slab(f, C_RCU);

	slab_defer(f, s);
	EMIT(f, SNAP_BEGIN, snap, .managed = PAGES);
	EMIT(f, SNAP_SLAB, snapslab, .cache = C_RCU, .pfn = f->slab[s].pfn, .objects = 64,
	     .addr = at(f->slab[s].pfn), .list = SF_SLAB_DEFERRED, .inuse = 1);
	snap_end(f);
}

/* A page that nothing moves to was an allocation, below the mark. */
static void bud_8_unmoved(struct fixture *f)
{
	uint64_t pfn = take(f, 0);

	f->op++;
	EMIT(f, BLOCK_DEL, block, .pfn = 1024, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_ALLOC, page, .pfn = 1024, .order = 10, .gfp = SF_GFP_KERNEL,
	     .free_before = PAGES - 1, .attempt = SF_ATTEMPT_MOVE);
	f->op++;
	EMIT(f, PAGE_FREE, page, .pfn = pfn);
}

static const struct stream broken[] = {
	STREAM(ACC, 8, acc_8_reclaimable, "NR_SLAB_RECLAIMABLE_B is wrong"),
	STREAM(ACC, 8, acc_8_unreclaimable, "NR_SLAB_UNRECLAIMABLE_B is wrong"),
	STREAM(ACC, 9, acc_9_below, "NR_SLAB_UNRECLAIMABLE_B is below 0"),
	STREAM(ACC, 9, acc_9_above, "NR_SLAB_RECLAIMABLE_B is more than all memory"),
	STREAM(ACC, 9, acc_9_never, "something was uncharged that was never charged"),
	STREAM(ACC, 9, acc_9_group, "the usage of a memory cgroup is below 0"),
	STREAM_IN(in_indirect, ACC, 10, acc_10_more,
		  "more bytes are counted as indirectly reclaimable than are owned"),
	STREAM_IN(in_indirect, ACC, 10, acc_10_less,
		  "fewer bytes are counted as indirectly reclaimable than are owned"),
	STREAM_IN(in_indirect, ACC, 10, acc_10_left,
		  "indirectly reclaimable bytes are left when none is owned"),
	STREAM(ACC, 10, acc_10_design,
	       "indirectly reclaimable bytes are counted in a design that has no such counter"),
	STREAM(ACC, 11, acc_11_more, "more is counted as reclaimable than can be explained"),
	STREAM(ACC, 11, acc_11_less, "less is counted as reclaimable than is there"),
	STREAM(ACC, 11, acc_11_uncounted, "a reclaimable kmalloc-64 object is not counted"),
	STREAM(ACC, 12, acc_12, "a slab of kmalloc-rcl-64 is held by what nobody can reclaim"),
	STREAM(ACC, 13, acc_13_reserve, "totalreserve_pages is wrong"),
	STREAM(ACC, 13, acc_13_mark, "a watermark is wrong"),
	STREAM(ACC, 13, acc_13_misc, "NR_KERNEL_MISC_RECLAIMABLE is wrong"),
	STREAM(ACC, 13, acc_13_available, "the available-memory estimate is wrong"),
	STREAM(ACC, 14, acc_14_costly, "OOM was declared for a costly order"),
	STREAM(ACC, 14, acc_14_forbidden, "OOM was declared for a request that forbids it"),
	STREAM(ACC, 14, acc_14_nofs, "OOM was declared for a request that forbids it"),
	STREAM(ACC, 14, acc_14_at_hand, "OOM was declared with memory at hand"),
	STREAM(ACC, 14, acc_14_no_round, "OOM was declared without a round of reclaim"),
	STREAM(ACC, 14, acc_14_last_pass, "OOM was declared before the last shrinker pass"),
	STREAM(ACC, 14, acc_14_pcp, "OOM was declared with pages in per-CPU lists"),
	STREAM_IN(in_flush, ACC, 14, acc_14_parked,
		  "OOM was declared over parked objects, though they are to be flushed first"),
	STREAM(ACC, 14, acc_14_refused, "vm_enough_memory refused less than there is memory"),
	STREAM(ACC, 14, acc_14_granted, "vm_enough_memory granted more than there is"),
	STREAM_IN(in_416, ACC, 14, acc_14_guess_granted,
		  "vm_enough_memory granted more than it guessed was there"),
	STREAM_IN(in_416, ACC, 14, acc_14_wrong_guess, "the guess of available pages is wrong"),
	STREAM_IN(in_416, ACC, 14, acc_14_guessed,
		  "vm_enough_memory refused what it guessed was there"),
	STREAM_IN(in_416, ACC, 14, acc_14_uncounted,
		  "vm_enough_memory refused for want of memory that the design should count"),
	STREAM(ACC, 14, acc_14_policy, "OOM was declared under another policy than is in force"),
	STREAM(ACC, 14, acc_14_group_no_round,
	       "a memory cgroup declared OOM without a round of reclaim"),
	STREAM(ACC, 14, acc_14_group_pass,
	       "a memory cgroup declared OOM before the last shrinker pass"),
	{ SF_INV_ACC_14, acc_14_group_clean, NULL, NULL },
	STREAM(ACC, 14, acc_14_group_costly, "a memory cgroup declared OOM for a costly order"),
	STREAM(ACC, 14, acc_14_group_gfp,
	       "a memory cgroup declared OOM for a request that forbids it"),
	STREAM(ACC, 14, acc_14_group_none, "a memory cgroup declared OOM that does not exist"),
	STREAM(ACC, 15, acc_15_nested, "a round of reclaim began inside another"),
	STREAM(ACC, 15, acc_15_end, "a round of reclaim ended that had not begun"),
	STREAM(ACC, 15, acc_15_kind, "a round of reclaim ended as another"),
	STREAM(ACC, 15, acc_15_more, "a round of reclaim told more progress than it made"),
	STREAM(ACC, 15, acc_15_less,
	       "a round of reclaim was not credited with slab pages that it freed"),
	STREAM(ACC, 16, acc_16_sheaf, "a sheaf of kmalloc-64 holds more than its capacity"),
	STREAM(ACC, 16, acc_16_barn, "more objects of kmalloc-64 are parked than sheaves may hold"),
	STREAM(ACC, 16, acc_16_barn_full,
	       "more objects of kmalloc-64 are parked than sheaves may hold"),
	STREAM(ACC, 16, acc_16_barn_part, "a sheaf of kmalloc-64 in the barn is not full"),
	STREAM(ACC, 16, acc_16_spare, "a spare sheaf of kmalloc-64 is neither empty nor full"),
	STREAM(ACC, 16, acc_16_rcu,
	       "a full sheaf of kmalloc-64 does not wait for its grace period"),
	STREAM(ACC, 19, acc_19_other_bytes, "other bytes were uncharged than charged"),
	STREAM_IN(in_nokmem, ACC, 19, acc_19_nokmem,
		  "a memory cgroup was charged though none is accounted to"),
	STREAM(ACC, 19, acc_19_refused, "a charge within all limits was refused"),
	STREAM(ACC, 19, acc_19_inactive, "a memory cgroup was charged that is not the active one"),
	STREAM(ACC, 19, acc_19_twice, "memory was charged twice"),
	STREAM(ACC, 19, acc_19_not_to_be, "a kmalloc-64 object is charged that is not to be"),
	STREAM(ACC, 19, acc_19_size,
	       "a kmalloc-cg-64 object is charged for other bytes than it takes"),
	STREAM(ACC, 19, acc_19_uncharged, "a kmalloc-cg-64 object is not charged"),
	STREAM(ACC, 19, acc_19_mixed,
	       "a alloc_pages_exact object is charged to more than one memory cgroup"),
	STREAM(ACC, 19, acc_19_limit, "a memory cgroup went over its limit"),
	STREAM(ACC, 19, acc_19_still, "a freed kmalloc-cg-64 object is still charged"),
	STREAM(ACC, 19, acc_19_usage, "the usage of a memory cgroup is wrong"),
	STREAM(ACC, 19, acc_19_max, "the limit of a memory cgroup is wrong"),
	STREAM(ACC, 19, acc_19_nobody, "a memory cgroup is charged for what is not there"),
	STREAM(ACC, 19, acc_19_live, "a live object was uncharged"),
	STREAM(BUD, 16, bud_16, "compaction moved pages to no higher page block"),
	{ SF_INV_BUD_16, bud_16_up, NULL, NULL },
	STREAM(BUD, 16, bud_16_not_begun, "compaction moved pages that had not begun"),
	STREAM(BUD, 16, bud_16_source,
	       "compaction without waiting emptied a page block of another type"),
	STREAM(BUD, 16, bud_16_target, "compaction filled a page block that is not movable"),
	STREAM(BUD, 16, bud_16_large, "compaction moved a block as large as what is wanted"),
	STREAM(BUD, 16, bud_16_at_hand, "compaction was tried with a block at hand"),
	STREAM(BUD, 16, bud_16_page, "compaction was tried for a request that it is not for"),
	STREAM(BUD, 16, bud_16_no_io, "compaction was tried for a request that it is not for"),
	STREAM(BUD, 16, bud_16_slow, "compaction waited for a request that is to be quick"),
	STREAM(BUD, 16, bud_16_slow_later,
	       "compaction waited for a request that is to be quick"),
	STREAM(BUD, 16, bud_16_quick_later,
	       "compaction did not wait for a request that had been tried before"),
	STREAM(BUD, 16, bud_16_hopeless, "compaction was tried with too little memory for it"),
	STREAM(BUD, 16, bud_16_skipped,
	       "compaction was not tried though it could have worked"),
	STREAM(BUD, 16, bud_16_other, "compaction ended that had not begun"),
	STREAM(BUD, 16, bud_16_no_block,
	       "compaction says that there is a block, and there is none"),
	STREAM(BUD, 16, bud_16_block, "compaction says that there is no block, and there is"),
	STREAM(ACC, 22, acc_22_outside, "a shrinker was asked outside a round of reclaim"),
	STREAM(ACC, 22, acc_22_freed,
	       "a shrinker freed or scanned more than it was asked for"),
	STREAM(ACC, 22, acc_22_counted, "a shrinker counted its objects wrong"),
	STREAM(ACC, 22, acc_22_told, "a shrinker did not scan what it was told to"),
	STREAM(ACC, 22, acc_22_share, "a shrinker was asked for more than its share"),
	STREAM(ACC, 22, acc_22_total,
	       "a shrinker was not asked for its share and for what it had put off"),
	STREAM(ACC, 22, acc_22_halfway, "a shrinker did not scan what it was asked for"),
	STREAM(ACC, 22, acc_22_no_stop, "a shrinker scanned objects and stopped"),
	STREAM(ACC, 22, acc_22_may_go_on, "a shrinker stopped that may go on"),
	STREAM(ACC, 22, acc_22_no_fs, "a shrinker went on without __GFP_FS"),
	STREAM(ACC, 22, acc_22_left, "a shrinker left objects that it was asked to free"),
	STREAM(ACC, 22, acc_22_enough, "reclaim went on though it had freed enough"),
	STREAM(ACC, 22, acc_22_put_off, "a shrinker was not asked for what it had put off"),
	STREAM(ACC, 22, acc_22_sums,
	       "a round of reclaim does not count what its shrinkers did"),
	STREAM(ACC, 22, acc_22_early, "a round of direct reclaim ended before its last pass"),
	STREAM(ACC, 22, acc_22_costly_early,
	       "a round of direct reclaim ended before its last pass"),
	STREAM(ACC, 22, acc_22_ready_cheap,
	       "a round of direct reclaim was given up for a compaction that is none"),
	STREAM(ACC, 22, acc_22_once,
	       "a round of direct reclaim without progress was not gone through again"),
	STREAM(ACC, 22, acc_22_twice,
	       "a round of direct reclaim was gone through again despite its progress"),
	STREAM(ACC, 22, acc_22_balanced, "kswapd reclaimed from a zone in balance"),
	STREAM(ACC, 22, acc_22_kswapd_early, "kswapd gave up before its last pass"),
	STREAM(ACC, 23, acc_23_scanned, "slabs_scanned is wrong"),
	STREAM(ACC, 23, acc_23_pgscan, "pgscan_slab is wrong"),
	STREAM(ACC, 23, acc_23_pgsteal, "pgsteal_slab is wrong"),
	STREAM(ACC, 23, acc_23_drop, "drop_slab is wrong"),
	STREAM(ACC, 23, acc_23_oom, "oom_kill is wrong"),
	STREAM(ACC, 23, acc_23_migrated, "pgmigrate_success is wrong"),
	STREAM(ACC, 23, acc_23_stall, "allocstall is wrong"),
	STREAM(ACC, 23, acc_23_again, "allocstall is wrong"),
	STREAM(ACC, 23, acc_23_compactions, "compact_stall is wrong"),
	STREAM(ACC, 23, acc_23_success, "compact_success is wrong"),
	STREAM(ACC, 21, acc_21_pinned, "a pinned named cache object was reclaimed"),
	STREAM(ACC, 19, acc_19_not_shown, "a memory cgroup is not shown"),
	STREAM(ACC, 21, acc_21_group,
	       "a named cache object was reclaimed for another memory cgroup's limit"),
	STREAM(ACC, 21, acc_21_no_lru,
	       "a kmalloc-64 object was reclaimed that no shrinker may free"),
	STREAM(ACC, 21, acc_21_pinned_name, "a pinned kmalloc-rcl-64 object went with its owner"),
	STREAM(ACC, 21, acc_21_no_owner,
	       "a kmalloc-rcl-64 object went with an owner that it does not have"),
	STREAM(ACC, 21, acc_21_outlived, "a kmalloc-rcl-64 object outlived its owner"),
	STREAM(ACC, 21, acc_21_zero, "a kmalloc-64 object outlived its owner"),
	STREAM(ACC, 21, acc_21_stayed,
	       "a named cache object stayed when what it owns had gone with it"),
	STREAM(ACC, 21, acc_21_twice, "a kmalloc-64 object was deferred twice"),
	STREAM(ACC, 1, acc_1_deferred,
	       "a slab of named cache that waits for a grace period is in use"),
	STREAM(MEM, 1, mem_1_moved, "a alloc_pages object moved to where it cannot be"),
	STREAM(MEM, 5, mem_5_moved, "contents of a alloc_pages object changed"),
	STREAM(MEM, 5, mem_5_deferred, "contents of a kmalloc-64 object changed"),
	STREAM(MEM, 7, mem_7_not_waiting,
	       "rcu_free sheaves of kmalloc-64 do not hold all that is deferred"),
	STREAM(MEM, 7, mem_7_rcu, "an rcu_free sheaf of kmalloc-64 holds what is not deferred"),
	STREAM(MEM, 19, mem_19_early,
	       "a deferred kmalloc-64 object was freed before a grace period had passed"),
	STREAM(MEM, 19, mem_19_undeferred,
	       "a kmalloc-64 object was freed by RCU that was not deferred"),
	STREAM(MEM, 19, mem_19_other, "a deferred kmalloc-64 object was freed by somebody else"),
	STREAM(MEM, 19, mem_19_slab,
	       "a slab of named cache was freed before a grace period had passed"),
	STREAM(MEM, 19, mem_19_at_once,
	       "a slab of named cache was freed without waiting for a grace period"),
	STREAM(MEM, 19, mem_19_slab_twice, "a slab of named cache was deferred twice"),
	STREAM(BUD, 8, bud_8_unmoved,
	       "an allocation was held against a mark that is none of the zone's"),
	STREAM(BUD, 12, bud_12_shape,
	       "the HIGHATOMIC reserve takes or lets go of what is no page block"),
	STREAM(BUD, 12, bud_12_type,
	       "the HIGHATOMIC reserve takes a page block that is no ordinary one"),
	STREAM(BUD, 12, bud_12_bound, "the HIGHATOMIC reserve grows above its bound"),
	STREAM(BUD, 12, bud_12_release,
	       "the HIGHATOMIC reserve lets go of a page block that is not its own"),
	STREAM(BUD, 12, bud_12_below, "the HIGHATOMIC reserve is below 0"),
	STREAM(BUD, 12, bud_12_part,
	       "the HIGHATOMIC reserve takes or lets go of some page blocks of a block"),
	STREAM(BUD, 13, bud_13_bound, "the watermark boost is above its bound"),
	STREAM(BUD, 13, bud_13_part,
	       "the watermark boost is not a page block for each claim that was tried"),
	STREAM(BUD, 13, bud_13_stolen,
	       "the watermark boost is not a page block for each claim that was tried"),
	STREAM(BUD, 13, bud_13_woken, "the watermark boost is left when kswapd was woken"),
	STREAM(BUD, 13, bud_13_left, "the watermark boost is left when kswapd was woken"),
	STREAM(BUD, 13, bud_13_nothing, "a page block was claimed and nothing boosted"),
	STREAM(MEM, 12, mem_12_reserve, "the page allocator gave up with memory at hand"),
	{ SF_INV_MEM_20, mem_20_clean, NULL, NULL },
	{ SF_INV_ACC_17, acc_17_clean, NULL, NULL },
	{ SF_INV_ACC_22, acc_22_clean, NULL, NULL },
	{ SF_INV_ACC_22, acc_22_ready, NULL, NULL },
	{ SF_INV_ACC_23, acc_23_clean, NULL, NULL },
	STREAM(MEM, 20, mem_20_tail, "kfree_sensitive left bytes of a kmalloc-64 object"),
	STREAM(MEM, 20, mem_20_more, "kfree_sensitive left bytes of a kmalloc-64 object"),
	STREAM(ACC, 17, acc_17_deferred,
	       "destroying named cache did not wait for what kfree_rcu() deferred"),
	STREAM(ACC, 14, acc_14_quiet, "the page allocator gave up without declaring OOM"),
	STREAM(ACC, 14, acc_14_group_quiet, "a memory cgroup refused without declaring OOM"),
	STREAM(BUD, 12, bud_12_oom, "OOM was declared before the HIGHATOMIC reserve was let go"),
	STREAM(BUD, 12, bud_12_counter, "nr_reserved_highatomic is wrong"),
	STREAM(BUD, 12, bud_12_free, "nr_free_highatomic is wrong"),
};

static void test_broken_streams_have_exact_titles(void **state)
{
	(void)state;
	check_streams(broken, sizeof(broken) / sizeof(broken[0]));
}

/* --- silence, and sums --- */

#define BIT(family_nr) sf_invariant_bit(SF_INV_##family_nr)

/* Whatever these streams say all of. */
static sf_invariant_set judged_in_full(void)
{
	return BIT(ACC_8) | BIT(ACC_9) | BIT(ACC_10) | BIT(ACC_11) | BIT(ACC_12) | BIT(ACC_13) |
	       BIT(ACC_14) | BIT(ACC_15) | BIT(ACC_16) | BIT(ACC_19) | BIT(ACC_21) | BIT(MEM_1) |
	       BIT(MEM_5) | BIT(MEM_7) | BIT(MEM_8) | BIT(MEM_9) | BIT(MEM_19) | BIT(ACC_1) |
	       BIT(ACC_2) | BIT(ACC_4) | BIT(ISO_14) | BIT(BUD_12);
}

static void assert_silent(struct fixture *f, sf_invariant_set judged)
{
	const struct sf_oracle_count *c = sf_judge_counts(f->j);

	if (f->nr_titles)
		fail_msg("%s", f->title[0]);
	for (unsigned int inv = 0; inv < SF_INV_COUNT; inv++)
		if ((judged >> inv & 1) && !c[inv].checked)
			fail_msg("%s was not checked", sf_invariants[inv].id);
}

/*
 * Four dentries of 192 bytes with names of 64, two of them pinned on one side or the other; two
 * names without an owner, one name parked, an empty slab. By hand: 2 dentries go (0, 3), dentry 2
 * goes and leaves its name; names 10 and 13 go.
 */
static void test_terms_add_up(void **state)
{
	struct fixture *f = fixture_open(judged_in_full(), NULL);
	const struct sf_reclaim_sums *r = sf_judge_reclaim(f->j);
	uint32_t n;

	(void)state;
	assert_false(r->valid);
	dentries(f, C_RCL_64);
	n = 1;
	obj(f, 20, n, 20);
	obj(f, 21, n, 21);
	f->obj[30].parked = true;
	f->obj[30].cache = C_RCL_64;
	f->obj[30].addr = at(f->slab[n].pfn) + 30 * 64;
	slab(f, C_DENTRY);
	defer(f, 21, SF_KFREE_RCU);
	snap(f);
	assert_silent(f, BIT(ACC_8) | BIT(ACC_11) | BIT(ACC_13));
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
	fixture_close(f);
}

/* The same dentries with plain names, in each design. */
static void test_designs_differ(void **state)
{
	static const struct {
		void (*mode)(struct fixture *f);
		uint64_t indirect, counted, truth, shortfall, miscount;
	} design[] = {
		{ in_none, 0, 4096, 3 * 192 + 2 * 64, 2 * 64, 0 },
		{ in_indirect, 256, 4096 + 256, 3 * 192 + 2 * 64, 0, 0 },
		{ NULL, 0, 4096, 3 * 192 + 2 * 64, 0, 2 * 64 },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fixture *f = fixture_open(judged_in_full(), design[i].mode);
		const struct sf_reclaim_sums *r = sf_judge_reclaim(f->j);

		dentries(f, C_64);
		f->c.indirect_bytes = design[i].indirect;
		snap(f);
		assert_silent(f, BIT(ACC_10) | BIT(ACC_11));
		assert_int_equal(r->counted, design[i].counted);
		assert_int_equal(r->truth, design[i].truth);
		assert_int_equal(r->uncounted[SF_UNCOUNTED_SHORTFALL], design[i].shortfall);
		assert_int_equal(r->uncounted[SF_UNCOUNTED_MISCOUNT], design[i].miscount);
		fixture_close(f);
	}
}

/* accounting=indirect: what is owned is counted until it is gone, by whatever way it goes. */
static void test_indirect_moments(void **state)
{
	struct fixture *f = fixture_open(judged_in_full(), in_indirect);
	struct sf_event ev;

	(void)state;
	dentries(f, C_64);
	large(f, 20, 2);
	owns(f, 3, 20);
	f->c.indirect_bytes = 4 * 64 + 16384;
	snap(f);
	ev = block(10, SF_API_KMALLOC, SF_PLACE_LARGE, take(f, 3), 3); /* krealloc moves it */
	ev.alloc.old_id = 10;
	ev.alloc.moved = true;
	emit(f, SF_EV_REALLOC, ev);
	f->obj[10].addr = ev.alloc.addr;
	f->large_pages += 8;
	f->c.indirect_bytes += 32768 - 64;
	f->op++;
	snap(f);
	ev = object(f, 11, 1, 40);
	ev.alloc.id = 31; /* under another id */
	ev.alloc.old_id = 11;
	ev.alloc.moved = true;
	emit(f, SF_EV_REALLOC, ev);
	f->obj[31] = f->obj[11];
	f->obj[11].live = false;
	f->obj[31].addr = ev.alloc.addr;
	f->op++;
	snap(f);
	freed(f, 2, SF_FREE_SHRINK); /* name 12 is pinned: without an owner from now on */
	f->c.indirect_bytes -= 64;
	f->op++;
	snap(f);
	defer(f, 13, SF_KFREE_RCU); /* counted until it is free */
	f->op++;
	snap(f);
	grace(f);
	freed(f, 13, SF_KFREE_RCU);
	f->c.indirect_bytes -= 64;
	f->op++;
	snap(f);
	give(f, (f->obj[20].addr - SF_DIRECT_MAP) >> 12, 2);
	f->large_pages -= 4;
	freed(f, 20, SF_FREE_OWNER);
	freed(f, 3, SF_KFREE);
	f->c.indirect_bytes -= 16384;
	f->op++;
	snap(f);
	freed(f, 31, SF_FREE_OWNER);
	freed(f, 1, SF_KFREE); /* pinned, but by its user */
	f->c.indirect_bytes -= 64;
	f->op++;
	snap(f);
	assert_silent(f, BIT(ACC_8) | BIT(ACC_9) | BIT(ACC_10) | BIT(ACC_11) | BIT(ACC_13) |
			 BIT(ACC_21) | BIT(MEM_19) | BIT(MEM_7) | BIT(MEM_1));
	fixture_close(f);
}

/* Chains and fan-out, a pin in the middle, a deferred owner. */
static void test_states(void **state)
{
	struct fixture *f = fixture_open(judged_in_full(), NULL);
	const struct sf_reclaim_sums *r = sf_judge_reclaim(f->j);
	uint32_t d = slab(f, C_DENTRY), n = slab(f, C_RCL_64);

	(void)state;
	obj(f, 0, d, 0);
	for (uint32_t i = 1; i < 10; i++)
		obj(f, i, n, i);
	for (uint32_t i = 0; i < 5; i++)
		owns(f, i, i + 1); /* 0 > 1 > 2 > 3 > 4 > 5 */
	owns(f, 1, 6);
	owns(f, 3, 7);
	owns(f, 5, 0); /* no tree: as if there had been no such event */
	snap(f);
	assert_int_equal(r->term[SF_TERM_TRUTH], 192 + 7 * 64);
	assert_int_equal(r->term[SF_TERM_UNOWNED], 2 * 64);
	pin(f, 3, true);
	snap(f);
	assert_int_equal(r->term[SF_TERM_TRUTH], 192 + 3 * 64);
	assert_int_equal(r->term[SF_TERM_PINNED], 4 * 64);
	defer(f, 4, SF_KFREE_RCU); /* leaves its owner, and keeps what it owns */
	f->op++;
	snap(f);
	assert_int_equal(r->term[SF_TERM_DEFERRED], 2 * 64);
	assert_int_equal(r->term[SF_TERM_PINNED], 2 * 64);
	pin(f, 3, false);
	snap(f);
	assert_int_equal(r->term[SF_TERM_TRUTH], 192 + 5 * 64);
	for (uint32_t i = 7; i; i--) /* deepest first; 4 and 5 wait */
		if (i != 4 && i != 5)
			freed(f, i, SF_FREE_OWNER);
	freed(f, 0, SF_FREE_SHRINK);
	f->op++;
	grace(f);
	freed(f, 5, SF_FREE_OWNER);
	freed(f, 4, SF_KFREE_RCU);
	f->op++;
	snap(f);
	assert_int_equal(r->truth, 0);
	assert_silent(f, BIT(ACC_21) | BIT(MEM_19) | BIT(ACC_11));
	fixture_close(f);
}

/* A dentry's shrinker that waits for RCU, and a slab that does. */
static void test_deferred(void **state)
{
	struct fixture *f = fixture_open(judged_in_full(), NULL);
	uint32_t s;

	(void)state;
	dentries(f, C_RCL_64);
	defer(f, 10, SF_FREE_OWNER);
	defer(f, 0, SF_FREE_SHRINK);
	f->op++;
	snap(f);
	grace(f);
	freed(f, 10, SF_KFREE_RCU);
	freed(f, 0, SF_KFREE_RCU);
	f->op++;
	s = slab(f, C_RCU);
	obj(f, 20, s, 0);
	slab_defer(f, s); /* FREE is emitted after what it caused */
	freed(f, 20, SF_KFREE);
	f->op++;
	snap(f);
	grace(f);
	slab_gone(f, s);
	f->op++;
	snap(f);
	assert_silent(f, BIT(ACC_21) | BIT(MEM_19) | BIT(ISO_14) | BIT(ACC_1));
	fixture_close(f);
}

/* A block of a group becomes pages, moves, is its parent's, and is gone. */
static void test_groups(void **state)
{
	struct fixture *f = fixture_open(judged_in_full(), NULL);
	uint32_t s = slab(f, C_CG_64);
	uint64_t pfn, to;
	struct sf_event ev;

	(void)state;
	group(f, 1 << 20);
	accounted(f, 0, s);
	pfn = take(f, 2); /* alloc_pages_exact() of 3 pages */
	charge(f, at(pfn), 16384);
	uncharge(f, at(pfn + 3), 4096);
	give(f, pfn + 3, 0);
	ev = block(1, SF_API_EXACT, SF_PLACE_PAGES, pfn, 0);
	ev.alloc.size = 3 * 4096;
	ev.alloc.gfp |= SF_GFP_ACCOUNT;
	allocated(f, ev);
	f->op++;
	snap(f);
	pfn = take(f, 0);
	charge(f, at(pfn), 4096);
	ev = block(2, SF_API_PAGES, SF_PLACE_PAGES, pfn, 0);
	ev.alloc.gfp |= SF_GFP_ACCOUNT | SF_GFP_MOVABLE;
	allocated(f, ev);
	f->op++;
	to = take(f, 0);
	EMIT(f, MIGRATE, migrate, .id = 2, .from = at(pfn), .to = at(to), .bad = SF_GOOD);
	give(f, pfn, 0);
	f->obj[2].addr = at(to);
	f->op++;
	snap(f);
	memcg(f, SF_MEMCG_CREATE, CHILD, GROUP, 4096);
	memcg(f, SF_MEMCG_SET, CHILD, SF_NONE, 0);
	ev = object(f, 3, s, 3);
	EMIT(f, CHARGE, charge, .memcg = CHILD, .addr = ev.alloc.addr, .bytes = 72);
	f->group.usage += 72; /* with what is below it */
	f->child = (struct sf_ev_snapmemcg){ .id = CHILD, .parent = GROUP, .online = true,
					     .max = 4096, .usage = 72 };
	allocated(f, ev);
	f->op++;
	EMIT(f, CHARGE, charge, .memcg = CHILD, .bytes = 4096, .refused = true);
	f->op++;
	snap(f);
	memcg(f, SF_MEMCG_SET, SF_NONE, SF_NONE, 0);
	memcg(f, SF_MEMCG_DESTROY, CHILD, SF_NONE, 0);
	f->child.id = 0;
	uncharge(f, f->obj[3].addr, 72);
	freed(f, 3, SF_KFREE);
	uncharge(f, at(to), 4096);
	give(f, to, 0);
	freed(f, 2, SF_KFREE);
	f->op++;
	snap(f);
	obj(f, 4, s, 4); /* the root is never charged */
	assert_silent(f, BIT(ACC_19) | BIT(ACC_9) | BIT(MEM_1));
	fixture_close(f);
}

static void forced(uint32_t gfp)
{
	struct fixture *f = fixture_open(judged_in_full(), NULL);
	uint32_t s = slab(f, C_CG_64);
	struct sf_event ev = object(f, 0, s, 0);

	group(f, 16);
	charge(f, ev.alloc.addr, 72);
	ev.alloc.gfp |= gfp;
	allocated(f, ev);
	f->op++;
	assert_silent(f, BIT(ACC_19));
	fixture_close(f);
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
	struct fixture *f = fixture_open(BIT(ACC_16), NULL);

	(void)state;
	sheaves(f, 10);
	assert_silent(f, BIT(ACC_16));
	fixture_close(f);
}

/* 655 pages are 1 % of the zone: two page blocks, and one of them comes back. */
static void test_reserve(void **state)
{
	struct fixture *f = fixture_open(judged_in_full(), NULL);

	(void)state;
	reserve(f, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	reserve(f, 512, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	reserve(f, 0, SF_MIGRATE_HIGHATOMIC, SF_MIGRATE_UNMOVABLE, true);
	f->reserved = 512;
	snap(f);
	EMIT(f, BLOCK_DEL, block, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, BLOCK_ADD, block, .pfn = 512, .order = 8, .migratetype = SF_MIGRATE_HIGHATOMIC);
	EMIT(f, PAGE_ALLOC, page, .pfn = 0, .order = 9);
	EMIT(f, PAGE_ALLOC, page, .pfn = 768, .order = 8);
	f->free_pages -= 768;
	f->free_reserve = 256;
	snap(f);
	assert_silent(f, BIT(BUD_12));
	fixture_close(f);
}

/* --- causes --- */

static void because_exhausted(struct fixture *f)
{
	obj(f, 0, slab(f, C_64), 0);
	fill(f, MIN_MARK);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

static void because_parked(struct fixture *f)
{
	slab(f, C_64);
	f->op++;
	fill(f, MIN_MARK);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

static void because_deferred(struct fixture *f)
{
	obj(f, 0, slab(f, C_64), 0);
	defer(f, 0, SF_KFREE_RCU);
	fill(f, MIN_MARK);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

static void because_deferred_slab(struct fixture *f)
{
	slab_defer(f, slab(f, C_RCU));
	fill(f, MIN_MARK);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

static void because_counted(struct fixture *f)
{
	obj(f, 0, slab(f, C_DENTRY), 0);
	fill(f, MIN_MARK);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

/* A name beside one without an owner: its page cannot be had. */
static void because_pinned(struct fixture *f)
{
	uint32_t d = slab(f, C_DENTRY), n = slab(f, C_64);

	obj(f, 0, d, 0);
	obj(f, 1, n, 0);
	obj(f, 2, n, 1);
	owns(f, 0, 1);
	pin(f, 0, true);
	fill(f, MIN_MARK);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

/* A large name: 4 pages that are the block. */
static void because_uncounted(struct fixture *f)
{
	uint32_t d = slab(f, C_DENTRY);

	obj(f, 0, d, 0);
	for (int i = 0; i < 3; i++)
		take(f, 0);
	large(f, 1, 2);
	owns(f, 0, 1);
	fill(f, MIN_MARK + 3);
	last_round(f);
	oom(f, 2, SF_GFP_KERNEL);
}

static void because_movable(struct fixture *f)
{
	use_up(f, 600);
	for (uint32_t i = 0; i < 4; i++) {
		struct sf_event ev = block(i, SF_API_PAGES, SF_PLACE_PAGES, PAGES - 2 - 2 * i, 0);

		EMIT(f, PAGE_FREE, page, .pfn = PAGES - 2 - 2 * i);
		EMIT(f, PAGE_ALLOC, page, .pfn = PAGES - 2 - 2 * i);
		ev.alloc.gfp |= SF_GFP_MOVABLE;
		allocated(f, ev);
	}
	last_round(f);
	oom(f, 2, SF_GFP_KERNEL);
}

static void because_pcp(struct fixture *f)
{
	fill(f, MIN_MARK);
	EMIT(f, PAGE_FREE, page, .pfn = 1024, .pcp = true);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

static void because_reserve(struct fixture *f)
{
	EMIT(f, BLOCK_DEL, block, .pfn = 0, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	reserve(f, 0, SF_MIGRATE_MOVABLE, SF_MIGRATE_HIGHATOMIC, false);
	EMIT(f, BLOCK_ADD, block, .pfn = 0, .order = 3, .migratetype = SF_MIGRATE_HIGHATOMIC);
	for (uint64_t p = 8; p < 1024; p++)
		EMIT(f, PAGE_ALLOC, page, .pfn = p);
	f->next_page = 1024;
	f->free_pages = PAGES - 1024;
	use_up(f, MIN_MARK);
	last_round(f);
	oom(f, 0, SF_GFP_KERNEL);
}

/* A guess: a name of 1 page is not counted, and the last page that was needed. */
static void because_guess(struct fixture *f)
{
	uint32_t d = slab(f, C_DENTRY);

	obj(f, 0, d, 0);
	large(f, 1, 4);
	owns(f, 0, 1);
	/* free, and the slab, are counted: 16 pages are not */
	guess(f, PAGES - 16 - HIGH_MARK - ADMIN, PAGES - 16 - HIGH_MARK - ADMIN);
}

static void because_too_much(struct fixture *f)
{
	guess(f, PAGES - HIGH_MARK - ADMIN, PAGES - HIGH_MARK - ADMIN);
}

static void test_causes(void **state)
{
	static const struct {
		void (*mode)(struct fixture *f);
		void (*stream)(struct fixture *f);
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
		struct fixture *f = fixture_open(BIT(ACC_14), oomed[i].mode);
		struct sf_ooms due = { .total = 1, .guesses = oomed[i].guess };

		if (oomed[i].cause < 0)
			due.exhausted = 1;
		else
			due.cause[oomed[i].cause] = 1;
		oomed[i].stream(f);
		if (memcmp(sf_judge_ooms(f->j), &due, sizeof(due)))
			print_error("case %zu\n", i);
		assert_memory_equal(sf_judge_ooms(f->j), &due, sizeof(due));
		/* lists and reserve are to be empty by then; all else is the kernel's way */
		if (oomed[i].stream != because_pcp && f->nr_titles)
			fail_msg("case %zu: %s", i, f->title[0]);
		sf_judge_clear_counts(f->j);
		assert_int_equal(sf_judge_ooms(f->j)->total, 0);
		fixture_close(f);
	}
}

/* Empty slabs within min_partial are not flushed. */
static void test_flush_leaves_empty_slabs(void **state)
{
	struct fixture *f = fixture_open(BIT(ACC_14), in_flush);

	(void)state;
	parked(f, 5);
	assert_silent(f, BIT(ACC_14));
	assert_int_equal(sf_judge_ooms(f->j)->cause[SF_CAUSE_PARKED], 1);
	fixture_close(f);
}

/* Objects that the failing request had got already are in no slab's list and in no sheaf. */
static void test_flush_leaves_what_is_under_way(void **state)
{
	struct fixture *f = fixture_open(BIT(ACC_14), in_flush);

	(void)state;
	parked(f, 6);
	EMIT(f, ALLOC, alloc, .id = SF_NONE, .api = SF_API_KMALLOC, .status = SF_NULL, .size = 64,
	     .cache = SF_NONE, .gfp = SF_GFP_KERNEL, .n = 1, .dirty = SF_GOOD, .bad = SF_GOOD,
	     .old_id = SF_NONE, .bucket = SF_NONE);
	f->op++;
	pin(f, 0, true);
	assert_silent(f, BIT(ACC_14));
	fixture_close(f);
}

/* krealloc() of a name, in which its dentry is reclaimed: the name is its user's, and stays. */
static void test_krealloc_holds(void **state)
{
	struct fixture *f = fixture_open(BIT(ACC_21) | BIT(ACC_11), NULL);
	struct sf_event ev;

	(void)state;
	dentries(f, C_RCL_64);
	freed(f, 0, SF_FREE_SHRINK);
	ev = object(f, 10, 1, 0);
	ev.alloc.old_id = 10;
	ev.alloc.old_addr = ev.alloc.addr;
	emit(f, SF_EV_REALLOC, ev);
	f->op++;
	snap(f);
	assert_silent(f, BIT(ACC_21) | BIT(ACC_11));
	assert_int_equal(sf_judge_reclaim(f->j)->term[SF_TERM_UNOWNED], 64);
	fixture_close(f);
}

/* A round that gave all that was asked of it need not go on to priority 0. */
static void test_enough_progress(void **state)
{
	struct fixture *f = fixture_open(BIT(ACC_14), NULL);

	(void)state;
	obj(f, 0, slab(f, C_DENTRY), 0);
	fill(f, MIN_MARK);
	reclaim_begin(f, SF_RECLAIM_DIRECT);
	shrunk(f, C_DENTRY, 12);
	reclaim_end(f, SF_RECLAIM_DIRECT, 32);
	oom(f, 0, SF_GFP_KERNEL);
	assert_silent(f, BIT(ACC_14));
	fixture_close(f);
}

/* A page that was taken for something to move to, from wherever it was. */
static void test_compaction_is_no_allocation(void **state)
{
	struct fixture *f = fixture_open(BIT(BUD_8) | BIT(MEM_1), NULL);

	(void)state;
	movable(f, 0);
	EMIT(f, BLOCK_DEL, block, .pfn = 1024, .order = 10, .migratetype = SF_MIGRATE_MOVABLE);
	EMIT(f, PAGE_ALLOC, page, .pfn = 1024, .attempt = SF_ATTEMPT_MOVE,
	     .free_before = PAGES - 1024);
	EMIT(f, MIGRATE, migrate, .id = 0, .from = f->obj[0].addr, .to = at(1024),
	     .bad = SF_GOOD);
	f->op++;
	EMIT(f, PAGE_FREE, page, .pfn = 0);
	assert_no_title(f);
	fixture_close(f);
}

/* A refused charge is a reason to fail; what reclaim gave back meanwhile is no leak. */
static void test_failure_by_limit(void **state)
{
	struct fixture *f = fixture_open(BIT(MEM_12), NULL);
	struct sf_event ev = { .alloc = {
		.id = SF_NONE, .api = SF_API_KMALLOC, .status = SF_NULL, .cache = SF_NONE,
		.gfp = SF_GFP_KERNEL_ACCOUNT, .n = 1, .elem = 64, .size = 64, .dirty = SF_GOOD,
		.old_id = SF_NONE, .bad = SF_GOOD, .bucket = SF_NONE,
	} };

	(void)state;
	group(f, 64);
	obj(f, 0, slab(f, C_DENTRY), 0);
	large(f, 1, 2);
	owns(f, 0, 1);
	give(f, (f->obj[1].addr - SF_DIRECT_MAP) >> 12, 2);
	freed(f, 1, SF_FREE_OWNER);
	freed(f, 0, SF_FREE_SHRINK);
	EMIT(f, CHARGE, charge, .memcg = GROUP, .bytes = 72, .refused = true);
	emit(f, SF_EV_ALLOC, ev);
	assert_silent(f, BIT(MEM_12));
	f->op++;
	emit(f, SF_EV_ALLOC, ev); /* and no reason in the next operation */
	assert_int_equal(f->nr_titles, 1);
	assert_string_equal(f->title[0], "MEM-12: an allocation failed without a reason");
	fixture_close(f);
}

/* kmalloc-rcl is for no design but the one that has it. */
static void test_selection_by_design(void **state)
{
	static const struct {
		void (*mode)(struct fixture *f);
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
		struct fixture *f = fixture_open(BIT(ISO_1), way[i].mode);
		struct sf_event ev = object(f, 0, slab(f, way[i].cache), 0);

		ev.alloc.gfp = SF_GFP_KERNEL | SF_GFP_RECLAIMABLE;
		allocated(f, ev);
		assert_string_equal(f->nr_titles ? f->title[0] : "", way[i].title);
		fixture_close(f);
	}
}

/* Ties of one program are nothing to the next. */
static void test_begin_forgets(void **state)
{
	struct fixture *f = fixture_open(judged_in_full(), NULL);

	(void)state;
	for (int i = 0; i < 2; i++) {
		dentries(f, C_RCL_64);
		group(f, 4096);
		accounted(f, 20, slab(f, C_CG_64));
		defer(f, 13, SF_KFREE_RCU);
		begin(f);
		memset(&f->group, 0, sizeof(f->group));
		snap(f);
		assert_int_equal(sf_judge_reclaim(f->j)->counted, 0);
	}
	assert_silent(f, 0);
	fixture_close(f);
}

/* A chain of owners as long as a million is built, judged and taken apart in linear time. */
static void test_long_chain(void **state)
{
	struct fixture *f = fixture_open(BIT(ACC_21) | BIT(ACC_11), NULL);
	const uint32_t nr = 1u << 20;

	(void)state;
	for (uint32_t i = 0; i < nr; i++)
		EMIT(f, ALLOC, alloc, .id = i, .res = i, .api = SF_API_KMALLOC, .cache = SF_NONE,
		     .n = 1, .elem = 8, .size = 8, .usable = 8, .addr = SF_VMALLOC + 8ull * i,
		     .dirty = SF_GOOD, .old_id = SF_NONE, .bad = SF_GOOD, .bucket = SF_NONE,
		     .lru = !i);
	for (uint32_t i = 1; i < nr; i++)
		EMIT(f, OWNS, owns, .owner = i - 1, .owned = i);
	snap(f);
	assert_int_equal(sf_judge_reclaim(f->j)->uncounted[SF_UNCOUNTED_MISCOUNT], 8ull * nr);
	for (uint32_t i = nr - 1; i; i--)
		EMIT(f, FREE, free, .id = i, .cache = SF_NONE, .addr = SF_VMALLOC + 8ull * i,
		     .how = SF_FREE_OWNER, .bad = SF_GOOD, .known = true);
	EMIT(f, FREE, free, .id = 0, .cache = SF_NONE, .addr = SF_VMALLOC, .how = SF_FREE_SHRINK,
	     .bad = SF_GOOD, .known = true);
	f->op++;
	snap(f);
	assert_int_equal(sf_judge_reclaim(f->j)->truth, 0);
	assert_silent(f, BIT(ACC_21) | BIT(ACC_11));
	fixture_close(f);
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
		cmocka_unit_test(test_states),
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
