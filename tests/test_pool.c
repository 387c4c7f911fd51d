// SPDX-License-Identifier: MIT
/*
 * test_pool.c - pools of the protected variant: what they hand out, that sealed memory is sealed
 * for the processor too, rare writes, and that faults not asked for still end the process.
 *
 * What is mapped is read here from /proc/self/maps a second time, in another way than maps.c does.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail /* a member of struct sf_allocator has that name */

#include "../allocators/arena.h"
#include "../allocators/trap.h"
#include "sound.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#endif

#define PAGE SF_PAGE_SIZE
#define MAX_EVENTS 4096

static const struct sf_allocator *const a = &sf_protected;

struct rig {
	struct sf_heap *h;
	struct sf_settings set;
	struct sf_sink sink;
	struct sf_event ev[MAX_EVENTS]; /* of the types that hear() keeps */
	uint32_t nr;
	unsigned int warnings;
	uint64_t pfn[64];               /* of the last MAP */
	/* midst(): what it is to look at, and what it saw */
	uint64_t addr, size, was, is;
	uint64_t before, after;
	unsigned int calls;
};

static void hear(void *ctx, const struct sf_event *ev)
{
	struct rig *r = ctx;

	r->warnings += ev->type == SF_EV_WARN;
	if (ev->type != SF_EV_MAP && ev->type != SF_EV_UNMAP && ev->type != SF_EV_MAPPING &&
	    ev->type != SF_EV_MAPS && ev->type != SF_EV_SNAP_USED)
		return;
	assert_in_range(r->nr, 0, MAX_EVENTS - 1);
	r->ev[r->nr] = *ev;
	if (ev->type == SF_EV_MAP) {
		for (uint64_t i = 0; i < ev->map.pages && i < 64; i++)
			r->pfn[i] = ev->map.pfns[i];
		r->ev[r->nr].map.pfns = NULL;
	}
	r->nr++;
}

static void midst(void *ctx, bool after)
{
	struct rig *r = ctx;
	uint64_t bad = a->verify(r->h, r->addr, r->size, after ? r->is : r->was,
				 SF_CONTENTS_WHOLE);

	*(after ? &r->after : &r->before) = bad;
	r->calls++;
}

static const struct sf_user *user_of(struct rig *r)
{
	static struct sf_user user;

	user = (struct sf_user){ .midst = midst, .ctx = r };
	return &user;
}

static struct rig *rig_with(uint64_t directmap, uint64_t misuse, bool listen)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct sf_error err;

	assert_non_null(r);
	sf_settings_init(&r->set);
	r->set.pages = 4096;
	r->set.directmap = directmap;
	r->set.misuse = misuse;
	r->sink = (struct sf_sink){ .emit = hear, .ctx = r };
	r->h = a->create(a, &r->set, listen ? &r->sink : NULL, &err);
	assert_non_null(r->h);
	r->nr = 0;
	return r;
}

static struct rig *rig(void)
{
	return rig_with(0, 0, true);
}

static void rig_close(struct rig *r)
{
	assert_sound(r->h);
	a->destroy(r->h);
	free(r);
}

static uint32_t pool(struct rig *r, enum sf_pool_mode mode, uint32_t refill)
{
	const struct sf_pool_request rq = { .mode = (uint8_t)mode, .refill = refill };

	return a->pool_create(r->h, &rq);
}

static uint64_t take(struct rig *r, uint32_t id, uint64_t size)
{
	struct sf_result rs;

	a->pool_alloc(r->h, id, 1, size, &rs);
	assert_int_equal(rs.status, rs.addr ? SF_OK : SF_NULL);
	return rs.addr;
}

static bool writes(struct rig *r, uint64_t addr, uint64_t size, uint64_t key)
{
	return a->pool_write(r->h, addr, size, key, SF_CONTENTS_WHOLE) == SF_OK;
}

static bool holds(struct rig *r, uint64_t addr, uint64_t size, uint64_t key)
{
	return a->verify(r->h, addr, size, key, SF_CONTENTS_WHOLE) == SF_GOOD;
}

static const struct sf_event *last(const struct rig *r, enum sf_event_type type)
{
	for (uint32_t i = r->nr; i--;)
		if (r->ev[i].type == type)
			return &r->ev[i];
	return NULL;
}

static uint32_t count(const struct rig *r, enum sf_event_type type)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->nr; i++)
		n += r->ev[i].type == type;
	return n;
}

/* --- the memory map, read by the test --- */

enum { NONE, RO, RW };

/* What the process may do at a host address, if the frames' file is mapped there at all. */
static int access_at(const struct rig *r, const uint8_t *p)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long from, end, offset, ino;
	unsigned int major, minor;
	char perms[5], line[512];
	struct stat st;
	int found = NONE;

	assert_non_null(f);
	assert_int_equal(fstat(r->h->arena.fd, &st), 0);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &from, &end, perms, &offset, &major,
			   &minor, &ino) != 7 || ino != st.st_ino)
			continue;
		if ((uintptr_t)p < from || (uintptr_t)p >= end)
			continue;
		assert_int_equal(perms[0], 'r');
		assert_int_equal(perms[2], '-');
		found = perms[1] == 'w' ? RW : RO;
	}
	fclose(f);
	return found;
}

/* Pages of the file that are mapped in [p, p + bytes). */
static uint64_t mapped_in(const struct rig *r, const uint8_t *p, uint64_t bytes)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long from, end, ino;
	uint64_t pages = 0;
	char line[512];
	struct stat st;

	assert_non_null(f);
	assert_int_equal(fstat(r->h->arena.fd, &st), 0);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx %*s %*s %*s %lu", &from, &end, &ino) == 3 &&
		    ino == st.st_ino && from - (uintptr_t)p < bytes)
			pages += (end - from) / PAGE;
	fclose(f);
	return pages;
}

static uint64_t mapped_areas(const struct rig *r)
{
	return mapped_in(r, r->h->arena.areas, (uint64_t)VMAP_PAGES * PAGE);
}

static uint64_t mapped_aliases(const struct rig *r)
{
	return mapped_in(r, r->h->arena.alias, (uint64_t)ALIAS_PAGES * PAGE);
}

static uint8_t *host(const struct rig *r, uint64_t addr)
{
	return r->h->arena.areas + (addr - SF_VMALLOC);
}

static uint64_t pfn_of(const struct rig *r, uint64_t addr)
{
	struct sf_place pl;

	a->place(r->h, addr, &pl);
	return pl.pfn;
}

static uint8_t *direct(const struct rig *r, uint64_t addr)
{
	return r->h->arena.mem + pfn_of(r, addr) * PAGE + addr % PAGE;
}

/* --- allocation --- */

static void test_objects_follow_each_other(void **state)
{
	struct rig *r = rig();
	uint32_t id = pool(r, SF_POOL_RO, 2);
	uint64_t x, y, z, far;

	(void)state;
	assert_int_equal(id, 1);
	x = take(r, id, 13);
	y = take(r, id, 5000);
	z = take(r, id, 1);
	assert_int_equal(x % PAGE, 0);
	assert_int_equal(y, x + 16);
	assert_int_equal(z, y + 5000);
	assert_int_equal(count(r, SF_EV_MAP), 1);
	assert_int_equal(last(r, SF_EV_MAP)->map.pages, 2);
	assert_int_equal(last(r, SF_EV_MAP)->map.pool, id);
	assert_int_equal(a->zeroed(r->h, x, 0, 13, SF_CONTENTS_WHOLE), SF_GOOD);
	assert_int_equal(a->zeroed(r->h, y, 0, 5000, SF_CONTENTS_WHOLE), SF_GOOD);
	/* What does not fit any more gets an area of its own; the rest of this one is left. */
	far = take(r, id, 3 * PAGE - 1);
	assert_int_equal(last(r, SF_EV_MAP)->map.pages, 3);
	assert_int_equal(far, last(r, SF_EV_MAP)->map.addr);
	assert_int_not_equal(take(r, id, 1), z + 8);
	assert_true(writes(r, y, 5000, 77));
	assert_true(holds(r, y, 5000, 77));
	assert_int_equal(a->zeroed(r->h, x, 0, 13, SF_CONTENTS_WHOLE), SF_GOOD);
	rig_close(r);
}

static void test_an_area_is_used_to_its_end(void **state)
{
	struct rig *r = rig();
	uint32_t id = pool(r, SF_POOL_RO, 0);
	uint64_t x = take(r, id, PAGE - 8), y = take(r, id, 8);

	(void)state;
	assert_int_equal(y, x + PAGE - 8);
	assert_int_equal(count(r, SF_EV_MAP), 1);
	take(r, id, 1);
	assert_int_equal(count(r, SF_EV_MAP), 2);
	rig_close(r);
}

static void test_refused_requests(void **state)
{
	static const struct { uint64_t n, size; unsigned int warns; } rows[] = {
		{ 0, 8, 0 }, { 8, 0, 0 }, { 0, 0, 0 }, { 1ull << 32, 1ull << 32, 0 },
		{ UINT64_MAX, 2, 0 }, { 3, UINT64_MAX / 3 + 1, 0 },
		{ 1, 1ull << 31, 1 }, { 1, UINT64_MAX, 1 }, { 1, 4096 * PAGE + 1, 1 },
	};
	struct rig *r = rig();
	uint32_t id = pool(r, SF_POOL_WR, 1);
	struct sf_result rs;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r->warnings = 0;
		a->pool_alloc(r->h, id, rows[i].n, rows[i].size, &rs);
		assert_int_equal(rs.status, SF_NULL);
		assert_int_equal(rs.addr, 0);
		assert_int_equal(r->warnings, rows[i].warns);
	}
	assert_int_equal(count(r, SF_EV_MAP), 0);
	assert_int_equal(mapped_areas(r), 0);
	/* More than there is free: pages that it got go back. */
	assert_int_equal(take(r, id, 4095 * PAGE), 0);
	a->drain(r->h);
	assert_int_equal(mapped_areas(r), 0);
	assert_int_equal(take(r, pool(r, SF_POOL_WR, 5000), 1), 0);
	a->fail(r->h, SF_FAULT_PAGE, 0);
	assert_int_equal(take(r, id, 1), 0);
	assert_int_not_equal(take(r, id, 1), 0);
	rig_close(r);
}

static void test_pools_share_no_page(void **state)
{
	struct rig *r = rig();
	uint32_t one = pool(r, SF_POOL_RO, 1), two = pool(r, SF_POOL_RO, 1);
	uint64_t x = take(r, one, 8), y = take(r, two, 8);
	struct sf_place pl;

	(void)state;
	assert_int_not_equal(pfn_of(r, x), pfn_of(r, y));
	a->place(r->h, y, &pl);
	assert_int_equal(pl.kind, SF_PLACE_POOL);
	assert_int_equal(pl.pool, two);
	assert_int_equal(pl.base, y);
	/* The same page by its other address */
	a->place(r->h, SF_DIRECT_MAP + pl.pfn * PAGE, &pl);
	assert_int_equal(pl.kind, SF_PLACE_POOL);
	assert_int_equal(pl.pool, two);
	rig_close(r);
}

static void test_not_for_kfree(void **state)
{
	static const enum sf_free_how hows[] = { SF_KFREE, SF_KVFREE, SF_KFREE_SENSITIVE,
						 SF_KFREE_NOLOCK };
	struct rig *r = rig();
	uint64_t x = take(r, pool(r, SF_POOL_RO, 1), 100);
	struct sf_result rs;

	(void)state;
	assert_true(writes(r, x, 100, 5));
	assert_int_equal(a->usable(r->h, x), 0);
	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		r->warnings = 0;
		a->free(r->h, x, hows[i], &rs);
		assert_int_equal(rs.status, SF_NOTICED);
		assert_int_equal(r->warnings, 1);
	}
	assert_true(holds(r, x, 100, 5));
	assert_int_equal(access_at(r, host(r, x)), RW);
	rig_close(r);
}

static void test_neither_charged_nor_moved(void **state)
{
	struct rig *r = rig();
	uint32_t id = pool(r, SF_POOL_RO, 4), group = a->memcg_create(r->h, SF_NONE, 1);
	uint64_t x, pfn;

	(void)state;
	a->memcg_set(r->h, group);
	x = take(r, id, 4 * PAGE);
	assert_int_not_equal(x, 0);
	pfn = pfn_of(r, x);
	assert_true(writes(r, x, 4 * PAGE, 9));
	a->compact(r->h);
	assert_int_equal(pfn_of(r, x), pfn);
	assert_true(holds(r, x, 4 * PAGE, 9));
	rig_close(r);
}

/* --- sealing --- */

/* Every page of two areas, the last one too, cannot be written, and can be read. */
static void test_seal_covers_all(void **state)
{
	struct rig *r = rig();
	uint32_t id = pool(r, SF_POOL_WR, 3);
	uint64_t x = take(r, id, 2 * PAGE), y = take(r, id, 3 * PAGE), areas[] = { x, y };

	(void)state;
	assert_true(writes(r, x, 2 * PAGE, 1));
	assert_true(writes(r, y, 3 * PAGE, 2));
	assert_int_equal(a->pool_protect(r->h, id), SF_OK);
	for (size_t i = 0; i < 2; i++)
		for (uint64_t p = 0; p < 3; p++)
			assert_int_equal(access_at(r, host(r, areas[i] + p * PAGE)), RO);
	assert_int_equal(mapped_areas(r), 6);
	assert_false(writes(r, x, 2 * PAGE, 3));
	assert_false(writes(r, y + 2 * PAGE, PAGE, 3));
	assert_false(writes(r, y + 3 * PAGE - 8, 8, 3));
	assert_true(holds(r, x, 2 * PAGE, 1));
	assert_true(holds(r, y, 3 * PAGE, 2));
	/* Nothing to do */
	assert_int_equal(a->pool_protect(r->h, id), SF_OK);
	assert_int_equal(a->pool_unprotect(r->h, id), SF_OK);
	for (size_t i = 0; i < 2; i++)
		for (uint64_t p = 0; p < 3; p++)
			assert_int_equal(access_at(r, host(r, areas[i] + p * PAGE)), RW);
	assert_true(writes(r, y, 3 * PAGE, 3));
	rig_close(r);
}

static void test_later_objects_get_new_areas(void **state)
{
	struct rig *r = rig();
	uint32_t id = pool(r, SF_POOL_WR, 1);
	uint64_t x = take(r, id, 8), y;

	(void)state;
	assert_int_equal(a->pool_protect(r->h, id), SF_OK);
	y = take(r, id, 8);
	assert_int_not_equal(y / PAGE, x / PAGE);
	assert_true(writes(r, y, 8, 1));
	assert_false(writes(r, x, 8, 1));
	assert_int_equal(a->pool_protect(r->h, id), SF_OK);
	assert_int_equal(a->pool_unprotect(r->h, id), SF_OK);
	/* What was left of it is lost for good. */
	assert_int_not_equal(take(r, id, 8) / PAGE, y / PAGE);
	rig_close(r);
}

static void test_modes(void **state)
{
	static const struct { enum sf_pool_mode mode; bool older, newer, change; } rows[] = {
		/* writable: what is in the older of two areas, in the newer */
		{ SF_POOL_RO, true, true, false },      { SF_POOL_WR, true, true, true },
		{ SF_POOL_AUTO_RO, false, true, false }, { SF_POOL_AUTO_WR, false, true, true },
		{ SF_POOL_START_WR, false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < SF_POOL_MODE_COUNT; i++) {
		struct rig *r = rig();
		uint32_t id = pool(r, rows[i].mode, 1);
		uint64_t x = take(r, id, 3000), y = take(r, id, 3000);

		assert_int_equal(writes(r, x, 3000, 1), rows[i].older);
		assert_int_equal(writes(r, y, 3000, 1), rows[i].newer);
		assert_int_equal(count(r, SF_EV_MAPS), !rows[i].older + !rows[i].newer);
		/* Allocation goes on in the same area, sealed or not. */
		assert_int_equal(take(r, id, 8), y + 3000);
		assert_int_equal(a->rare_write(r->h, id, x, 0, 3000, 2),
				 rows[i].change ? SF_OK : SF_NOTICED);
		assert_int_equal(holds(r, x, 3000, 2), rows[i].change);
		assert_int_equal(a->pool_protect(r->h, id), SF_OK);
		assert_int_equal(access_at(r, host(r, y)), RO);
		assert_int_equal(a->pool_unprotect(r->h, id),
				 rows[i].change ? SF_OK : SF_NOTICED);
		assert_int_equal(access_at(r, host(r, x)), rows[i].change ? RW : RO);
		rig_close(r);
	}
}

static void test_direct_map(void **state)
{
	uint64_t word = 42, have = 0;

	(void)state;
	for (uint64_t sealed = 0; sealed < 2; sealed++) {
		struct rig *r = rig_with(sealed, 1, true);
		uint32_t id = pool(r, SF_POOL_WR, 2);
		uint64_t x = take(r, id, 2 * PAGE), phys;
		uint8_t bytes[64] = { 1 };

		phys = SF_DIRECT_MAP + pfn_of(r, x) * PAGE;
		assert_int_equal(access_at(r, direct(r, x)), RW);
		assert_int_equal(a->pool_protect(r->h, id), SF_OK);
		assert_int_equal(access_at(r, direct(r, x)), sealed ? RO : RW);
		assert_int_equal(access_at(r, direct(r, x + PAGE)), sealed ? RO : RW);
		assert_int_equal(a->poke(r->h, phys, &word, 8), sealed ? 0 : 8);
		assert_int_equal(a->peek(r->h, x, &have, 8), 8);
		assert_int_equal(have, sealed ? 0 : 42);
		/* Where it is sealed anyway */
		assert_int_equal(a->poke(r->h, x, &word, 8), 0);
		/* Up to the first byte that cannot be written */
		if (sealed && pfn_of(r, x) > 0 && access_at(r, direct(r, x) - PAGE) == RW)
			assert_int_equal(a->poke(r->h, phys - 20, bytes, 64), 20);
		/* Raw accessors of a heap that was misused: dropped */
		raw_store(r->h, x, 1);
		raw_wipe(r->h, x, 2 * PAGE);
		raw_copy(r->h, x, phys + PAGE, 8);
		assert_int_equal(raw_load(r->h, x), sealed ? 0 : 42);
		assert_int_equal(a->pool_unprotect(r->h, id), SF_OK);
		assert_int_equal(access_at(r, direct(r, x)), RW);
		assert_int_equal(a->poke(r->h, phys, &word, 8), 8);
		raw_store(r->h, x, 1);
		assert_int_equal(raw_load(r->h, phys), 1);
		rig_close(r);
	}
}

/* --- what is reported of mappings --- */

/* Of the last MAPS: pages of that kind that may be written, or may not. */
static uint64_t reported(const struct rig *r, enum sf_mapping_kind kind, bool write)
{
	uint64_t pages = 0;
	const struct sf_event *maps = last(r, SF_EV_MAPS), *ev;

	assert_non_null(maps);
	for (ev = maps; ev > r->ev && ev[-1].type == SF_EV_MAPPING; ev--) {
		const struct sf_ev_mapping *m = &ev[-1].mapping;

		assert_true(m->read);
		assert_false(m->exec);
		if (m->kind == kind && m->write == write)
			pages += m->pages;
	}
	assert_int_equal(maps->maps.nr, maps - ev);
	return pages;
}

static void test_maps_are_those_of_the_process(void **state)
{
	(void)state;
	for (uint64_t sealed = 0; sealed < 2; sealed++) {
		struct rig *r = rig_with(sealed, 0, true);
		uint32_t id = pool(r, SF_POOL_WR, 3), other = pool(r, SF_POOL_WR, 2);

		take(r, other, 8);
		take(r, id, 8);
		a->pool_protect(r->h, id);
		assert_int_equal(last(r, SF_EV_MAPS)->maps.when, SF_MAPS_PROTECT);
		assert_int_equal(last(r, SF_EV_MAPS)->maps.pool, id);
		assert_int_equal(reported(r, SF_MAPPING_AREA, false), 3);
		assert_int_equal(reported(r, SF_MAPPING_AREA, true), 2);
		assert_int_equal(reported(r, SF_MAPPING_DIRECT, false), sealed ? 3 : 0);
		assert_int_equal(reported(r, SF_MAPPING_DIRECT, true), sealed ? 4093 : 4096);
		assert_int_equal(reported(r, SF_MAPPING_ALIAS, true), 0);
		assert_int_equal(reported(r, SF_MAPPING_OTHER, true), 0);
		a->walk(r->h, &r->sink, true, false);
		assert_int_equal(last(r, SF_EV_MAPS)->maps.when, SF_MAPS_WALK);
		assert_int_equal(reported(r, SF_MAPPING_AREA, false), 3);
		a->pool_unprotect(r->h, id);
		assert_int_equal(last(r, SF_EV_MAPS)->maps.when, SF_MAPS_UNPROTECT);
		assert_int_equal(reported(r, SF_MAPPING_AREA, true), 5);
		a->pool_destroy(r->h, other);
		assert_int_equal(last(r, SF_EV_MAPS)->maps.when, SF_MAPS_DESTROY);
		assert_int_equal(reported(r, SF_MAPPING_AREA, true), 3);
		rig_close(r);
	}
}

/* An area of frames that do not follow each other, and a mapping that pool.c knows nothing of. */
static void test_maps_of_odd_mappings(void **state)
{
	struct rig *r = rig();
	uint32_t id = pool(r, SF_POOL_WR, 1);
	uint64_t big = take(r, id, 64 * PAGE);
	void *p;

	(void)state;
	assert_true(writes(r, big, 64 * PAGE, 4));
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r->h->arena.fd,
		 (off_t)(pfn_of(r, big) * PAGE));
	assert_ptr_not_equal(p, MAP_FAILED);
	a->pool_protect(r->h, id);
	assert_int_equal(reported(r, SF_MAPPING_OTHER, true), 2);
	assert_int_equal(reported(r, SF_MAPPING_AREA, false), 64);
	munmap(p, 2 * PAGE);
	/* By hand, what a mistake of pool.c would do: one page is writable. */
	assert_int_equal(mprotect(host(r, big) + 5 * PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	a->pool_protect(r->h, id);
	assert_int_equal(reported(r, SF_MAPPING_OTHER, true), 0);
	assert_int_equal(reported(r, SF_MAPPING_AREA, false), 63);
	assert_int_equal(reported(r, SF_MAPPING_AREA, true), 1);
	rig_close(r);
}

static void test_nobody_looks_before_there_are_pools(void **state)
{
	struct rig *r = rig();

	(void)state;
	a->walk(r->h, &r->sink, true, false);
	assert_int_equal(count(r, SF_EV_MAPS), 0);
	pool(r, SF_POOL_RO, 1);
	a->walk(r->h, &r->sink, true, false);
	assert_int_equal(count(r, SF_EV_MAPS), 1);
	rig_close(r);
}

static void test_snapshot_has_pages_of_pools(void **state)
{
	struct rig *r = rig();
	unsigned int pages = 0;

	(void)state;
	take(r, pool(r, SF_POOL_RO, 5), 8);
	a->walk(r->h, &r->sink, true, false);
	for (uint32_t i = 0; i < r->nr; i++)
		if (r->ev[i].type == SF_EV_SNAP_USED && r->ev[i].snapused.kind == SF_PLACE_POOL)
			pages += 1u << r->ev[i].snapused.order;
	assert_int_equal(pages, 5);
	rig_close(r);
}

/* --- rare writes --- */

static void test_rare_write(void **state)
{
	struct rig *r = rig();
	uint32_t id = pool(r, SF_POOL_WR, 1);
	uint64_t x = take(r, id, 3 * PAGE);

	(void)state;
	a->set_user(r->h, user_of(r));
	r->addr = x;
	r->size = 3 * PAGE;
	assert_true(writes(r, x, 3 * PAGE, 1));
	for (unsigned int i = 0; i < 2; i++) { /* not sealed yet; sealed */
		r->was = i + 1;
		r->is = i + 2;
		assert_int_equal(a->rare_write(r->h, id, x, 0, 3 * PAGE, r->is), SF_OK);
		assert_int_equal(r->calls, 2 * (i + 1));
		assert_int_equal(r->before, SF_GOOD);
		assert_int_equal(r->after, SF_GOOD);
		assert_true(holds(r, x, 3 * PAGE, r->is));
		assert_int_equal(last(r, SF_EV_MAPS)->maps.when, SF_MAPS_RARE);
		assert_int_equal(reported(r, SF_MAPPING_ALIAS, true), 0);
		assert_int_equal(mapped_aliases(r), 0);
		assert_int_equal(access_at(r, host(r, x)), i ? RO : RW);
		a->pool_protect(r->h, id);
	}
	rig_close(r);
}

/* Each range of an object of 24 bytes, and where it crosses a page. */
static void test_rare_write_of_bytes(void **state)
{
	struct rig *r = rig_with(0, 0, false);
	uint32_t id = pool(r, SF_POOL_START_WR, 2);
	uint64_t x, seed = 1;
	uint8_t due[24] = { 0 }, have[24];

	(void)state;
	take(r, id, PAGE - 8);
	x = take(r, id, 24);
	take(r, id, 8);
	for (uint64_t off = 0; off < 24; off++)
		for (uint64_t n = 1; n <= 24 - off; n++) {
			uint64_t key = seed++ * 0xd6e8feb86659fd93ull;

			for (uint64_t i = off; i < off + n; i++)
				due[i] = (uint8_t)(sf_pattern(key, i / 8) >> (8 * (i % 8)));
			assert_int_equal(a->rare_write(r->h, id, x, off, n, key), SF_OK);
			assert_int_equal(a->peek(r->h, x, have, 24), 24);
			assert_memory_equal(have, due, 24);
		}
	assert_int_equal(a->zeroed(r->h, x + 24, 0, 8, SF_CONTENTS_WHOLE), SF_GOOD);
	assert_int_equal(a->zeroed(r->h, x - 8, 0, 8, SF_CONTENTS_WHOLE), SF_GOOD);
	rig_close(r);
}

/* While it is written there is one more mapping: of these pages, elsewhere each time. */
static void test_alias(void **state)
{
	struct rig *r = rig();
	uint32_t id = pool(r, SF_POOL_WR, 4);
	uint64_t x = take(r, id, 4 * PAGE), at = UINT64_MAX;

	(void)state;
	a->pool_protect(r->h, id);
	for (unsigned int i = 0; i < 50; i++) {
		struct sf_ev_mapping m = { .pages = 0 };

		r->nr = 0;
		assert_int_equal(a->rare_write(r->h, id, x, PAGE - 1, 2, i), SF_OK);
		for (uint32_t k = 0; k < r->nr; k++)
			if (r->ev[k].type == SF_EV_MAPPING &&
			    r->ev[k].mapping.kind == SF_MAPPING_ALIAS) {
				assert_int_equal(m.pages, 0);
				m = r->ev[k].mapping;
			}
		assert_int_equal(m.pages, 2);
		assert_int_equal(m.pfn, pfn_of(r, x));
		assert_true(m.write && m.read && !m.exec);
		assert_int_not_equal(m.addr, at);
		assert_in_range(m.addr, 0, (uint64_t)(ALIAS_PAGES - 2) * PAGE);
		at = m.addr;
		assert_int_equal(count(r, SF_EV_MAPS), 2);
		assert_int_equal(last(r, SF_EV_MAPS)->maps.addr, x + PAGE - 1);
		assert_int_equal(last(r, SF_EV_MAPS)->maps.size, 2);
		assert_int_equal(mapped_aliases(r), 0);
	}
	rig_close(r);
}

static void test_refused_rare_writes(void **state)
{
	struct rig *r = rig();
	uint32_t id = pool(r, SF_POOL_WR, 2), other = pool(r, SF_POOL_WR, 1);
	uint32_t fixed = pool(r, SF_POOL_RO, 1), gone = pool(r, SF_POOL_WR, 1);
	uint64_t x = take(r, id, 100), y = take(r, other, 100), z = take(r, fixed, 100);
	uint64_t second, slab;
	struct sf_request rq = { .size = 64, .n = 1, .gfp = SF_GFP_KERNEL, .bucket = SF_NONE };
	struct sf_result rs;

	(void)state;
	take(r, id, 20);
	second = take(r, id, 2 * PAGE);
	take(r, gone, 8);
	a->pool_destroy(r->h, gone);
	a->alloc(r->h, &rq, &rs);
	slab = rs.addr;
	r->nr = 0;
#define REFUSED(...) assert_int_equal(a->rare_write(r->h, __VA_ARGS__, 7), SF_NOTICED)
	REFUSED(id, x, 0, 0);
	REFUSED(other, x, 0, 8);
	REFUSED(id, y, 0, 8);
	REFUSED(fixed, z, 0, 8);
	REFUSED(gone, x, 0, 8);
	REFUSED(99, x, 0, 8);
	REFUSED(0, x, 0, 8);
	REFUSED(SF_NONE, x, 0, 8);
	REFUSED(id, x, 0, 125);              /* 104 + 20: so much was handed out */
	REFUSED(id, x, 124, 1);
	REFUSED(id, x, PAGE, 8);             /* in the area, of no object */
	REFUSED(id, x, 0, 3 * PAGE + 8);
	REFUSED(id, x, second - x - 8, 16);  /* from one area into the next */
	REFUSED(id, x, UINT64_MAX, 2);
	REFUSED(id, x, 8, UINT64_MAX);
	REFUSED(id, x, 0, UINT64_MAX);
	REFUSED(id, x, UINT64_MAX - x, 16);
	REFUSED(id, slab, 0, 8);
	REFUSED(id, SF_DIRECT_MAP + pfn_of(r, x) * PAGE, 0, 8); /* its page, by another name */
#undef REFUSED
	assert_int_equal(r->nr, 0);
	assert_int_equal(a->zeroed(r->h, x, 0, 100, SF_CONTENTS_WHOLE), SF_GOOD);
	assert_int_equal(a->zeroed(r->h, z, 0, 100, SF_CONTENTS_WHOLE), SF_GOOD);
	/* All that there is, and into the next object */
	assert_int_equal(a->rare_write(r->h, id, x, 0, 124, 7), SF_OK);
	assert_int_equal(a->rare_write(r->h, id, x, second - x, 2 * PAGE, 7), SF_OK);
	rig_close(r);
}

/* --- a reader that does not wait --- */

enum { RARE_WRITES = 100000, WORDS = 3 };

#define STEP 0x9e3779b97f4a7c15ull /* as in sf_pattern() */

struct reading {
	const uint64_t *word;
	bool stop;
	uint64_t seen, torn, early;
};

/* The number of the write that a word is of; keys have it twice, so a torn word shows. */
static uint32_t write_of(uint64_t word, uint64_t i, bool *torn)
{
	uint64_t key = word ^ i * STEP;

	*torn = (uint32_t)(key >> 32) >> 1 != (uint32_t)key >> 1;
	return (uint32_t)(key >> 32);
}

static void *reader(void *ctx)
{
	struct reading *rd = ctx;
	uint32_t nr[WORDS];
	bool torn;

	while (!__atomic_load_n(&rd->stop, __ATOMIC_RELAXED)) {
		/* From the end: a word further on is never newer than one before it. */
		for (unsigned int i = WORDS; i--;) {
			nr[i] = write_of(__atomic_load_n(&rd->word[i], __ATOMIC_ACQUIRE), i, &torn);
			rd->torn += torn;
		}
		for (unsigned int i = 1; i < WORDS; i++)
			rd->early += nr[i] > nr[i - 1];
		rd->seen++;
	}
	return NULL;
}

static void test_a_reader_sees_whole_words(void **state)
{
	struct rig *r = rig_with(0, 0, false);
	uint32_t id = pool(r, SF_POOL_START_WR, 2);
	struct reading rd = { .stop = false };
	uint64_t x;
	pthread_t t;

	(void)state;
	take(r, id, PAGE - 8);
	x = take(r, id, WORDS * 8); /* on two pages */
	rd.word = (const uint64_t *)host(r, x);
	assert_int_equal(a->rare_write(r->h, id, x, 0, WORDS * 8, 0x200000002ull), SF_OK);
	assert_int_equal(pthread_create(&t, NULL, reader, &rd), 0);
	for (uint64_t k = 2; k < RARE_WRITES + 2; k++)
		if (a->rare_write(r->h, id, x, 0, WORDS * 8, k << 32 | k) != SF_OK)
			break;
	__atomic_store_n(&rd.stop, true, __ATOMIC_RELAXED);
	pthread_join(t, NULL);
	assert_int_not_equal(rd.seen, 0);
	assert_int_equal(rd.torn, 0);
	assert_int_equal(rd.early, 0);
	assert_true(holds(r, x, WORDS * 8, (RARE_WRITES + 1) * 0x100000001ull));
	rig_close(r);
}

/* --- the end --- */

static void test_destroy_leaves_nothing(void **state)
{
	(void)state;
	for (uint64_t sealed = 0; sealed < 2; sealed++) {
		struct rig *r = rig_with(sealed, 0, true);
		uint64_t free_before, x, y, first;
		uint32_t id, keep;

		keep = pool(r, SF_POOL_WR, 1);
		y = take(r, keep, 8);
		assert_true(writes(r, y, 8, 3));
		a->drain(r->h);
		free_before = r->h->zone.nr_free_pages;
		id = pool(r, SF_POOL_WR, 3);
		x = take(r, id, 3 * PAGE);
		first = pfn_of(r, x);
		take(r, id, 1);
		assert_true(writes(r, x, 3 * PAGE, 1));
		a->pool_protect(r->h, id);
		a->rare_write(r->h, id, x, 0, 3 * PAGE, 2);
		take(r, id, 5 * PAGE);
		r->nr = 0;
		a->pool_destroy(r->h, id);
		assert_int_equal(count(r, SF_EV_UNMAP), 3);
		for (uint32_t i = 0; i < r->nr; i++)
			if (r->ev[i].type == SF_EV_UNMAP) {
				assert_int_equal(r->ev[i].map.pool, id);
				assert_int_equal(r->ev[i].map.dirty, SF_GOOD);
			}
		assert_int_equal(mapped_areas(r), 1);
		assert_int_equal(access_at(r, host(r, x)), NONE);
		assert_int_equal(reported(r, SF_MAPPING_DIRECT, true), 4096);
		for (uint64_t i = 0; i < 3 * PAGE; i += 8)
			assert_int_equal(raw_load(r->h, SF_DIRECT_MAP + first * PAGE + i), 0);
		a->drain(r->h);
		assert_int_equal(r->h->zone.nr_free_pages, free_before);
		assert_true(holds(r, y, 8, 3));
		assert_int_equal(a->pool_protect(r->h, keep), SF_OK);
		/* Gone is gone */
		a->pool_destroy(r->h, id);
		assert_int_equal(take(r, id, 8), 0);
		rig_close(r);
	}
}

static void life(struct rig *r)
{
	uint32_t one, two;
	uint64_t x;

	a->set_user(r->h, NULL);
	one = pool(r, SF_POOL_WR, 2);
	two = pool(r, SF_POOL_AUTO_RO, 1);
	x = take(r, one, 5000);
	writes(r, x, 5000, 1);
	take(r, two, 4000);
	take(r, two, 4000);
	a->pool_protect(r->h, one);
	a->rare_write(r->h, one, x, 10, 4900, 2);
	take(r, one, 100);
	a->walk(r->h, &r->sink, true, false);
	a->pool_destroy(r->h, two);
	take(r, pool(r, SF_POOL_START_WR, 1), 10);
}

static void same_mapping(const struct sf_ev_mapping *x, const struct sf_ev_mapping *y)
{
	assert_int_equal(x->kind, y->kind);
	assert_int_equal(x->read | x->write << 1 | x->exec << 2,
			 y->read | y->write << 1 | y->exec << 2);
	assert_int_equal(x->addr, y->addr);
	assert_int_equal(x->pfn, y->pfn);
	assert_int_equal(x->pages, y->pages);
}

static void same_maps(const struct sf_ev_maps *x, const struct sf_ev_maps *y)
{
	assert_int_equal(x->when, y->when);
	assert_int_equal(x->pool, y->pool);
	assert_int_equal(x->nr, y->nr);
	assert_int_equal(x->addr, y->addr);
	assert_int_equal(x->size, y->size);
}

/* Two heaps, and the second life of the first: the same to the byte. */
static void test_reset_is_exact(void **state)
{
	(void)state;
	for (uint64_t sealed = 0; sealed < 2; sealed++) {
		struct rig *r = rig_with(sealed, 0, true), *s = rig_with(sealed, 0, true);

		life(r);
		life(s);
		assert_int_not_equal(r->nr, 0);
		for (unsigned int round = 0; round < 3; round++) {
			assert_int_equal(r->nr, s->nr);
			for (uint32_t i = 0; i < r->nr; i++) {
				assert_int_equal(r->ev[i].type, s->ev[i].type);
				if (r->ev[i].type == SF_EV_MAPPING)
					same_mapping(&r->ev[i].mapping, &s->ev[i].mapping);
				else if (r->ev[i].type == SF_EV_MAPS)
					same_maps(&r->ev[i].maps, &s->ev[i].maps);
				else if (r->ev[i].type != SF_EV_SNAP_USED)
					assert_int_equal(r->ev[i].map.addr, s->ev[i].map.addr);
			}
			a->reset(r->h);
			assert_int_equal(mapped_areas(r), 0);
			assert_int_equal(mapped_aliases(r), 0);
			assert_int_equal(access_at(r, r->h->arena.mem), RW);
			assert_int_equal(mapped_in(r, r->h->arena.mem, 4096 * PAGE), 4096);
			for (uint64_t i = 0; i < r->h->arena.pages * PAGE; i += 4096)
				assert_int_equal(raw_load(r->h, SF_DIRECT_MAP + i), 0);
			r->nr = 0;
			life(r);
		}
		rig_close(r);
		rig_close(s);
	}
}

/* --- when the system refuses --- */

/* In a child: as many mappings as the system allows. False: it allows too many. */
static bool exhaust_mappings(uint8_t **p, size_t pages)
{
	*p = mmap(NULL, pages * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		  0);
	if (*p == MAP_FAILED)
		return false;
	for (size_t i = 0; i < pages; i += 2)
		if (mprotect(*p + i * PAGE, PAGE, PROT_READ))
			return true;
	return false;
}

enum { CANNOT = 77 };

#define CHECK(x) do { if (!(x)) _exit(__LINE__ % 70 + 1); } while (0)

static void live_without_mappings(struct rig *r)
{
	size_t pages = 1u << 18;
	uint32_t id = pool(r, SF_POOL_WR, 64), start = pool(r, SF_POOL_START_WR, 1);
	uint32_t gap = pool(r, SF_POOL_WR, 64);
	uint64_t x, y, free_pages;
	uint8_t *p;

	/* Neighbours would be sealed without a mapping more. */
	y = take(r, start, 8);
	take(r, gap, 64 * PAGE);
	x = take(r, id, 64 * PAGE);
	take(r, gap, 64 * PAGE);

	CHECK(writes(r, x, 64 * PAGE, 1));
	a->drain(r->h);
	free_pages = r->h->zone.nr_free_pages;
	r->warnings = 0;
	if (!exhaust_mappings(&p, pages))
		_exit(CANNOT);
	CHECK(a->pool_protect(r->h, id) == SF_NULL);
	CHECK(r->warnings == 1);
	CHECK(a->rare_write(r->h, id, x, 0, 8, 2) == SF_NULL);
	CHECK(a->rare_write(r->h, start, y, 0, 8, 2) == SF_NULL);
	CHECK(r->warnings == 3);
	CHECK(!take(r, id, 64 * PAGE));
	CHECK(!take(r, start, PAGE));
	CHECK(r->warnings == 5);
	munmap(p, pages * PAGE);
	/* Nothing has changed, and everything works again. */
	CHECK(mapped_areas(r) == 193);
	CHECK(mapped_aliases(r) == 0);
	CHECK(access_at(r, host(r, x)) == RW);
	CHECK(access_at(r, host(r, x) + 63 * PAGE) == RW);
	CHECK(access_at(r, direct(r, x)) == RW);
	CHECK(holds(r, x, 64 * PAGE, 1));
	CHECK(a->zeroed(r->h, y, 0, 8, SF_CONTENTS_WHOLE) == SF_GOOD);
	a->drain(r->h);
	CHECK(r->h->zone.nr_free_pages == free_pages);
	CHECK(a->pool_protect(r->h, id) == SF_OK);
	CHECK(!writes(r, x, 64 * PAGE, 1));
	CHECK(a->rare_write(r->h, id, x, 0, 8, 2) == SF_OK);
	CHECK(take(r, id, 64 * PAGE));
	_exit(0);
}

static void test_when_there_are_no_mappings_left(void **state)
{
	int status;
	pid_t pid;

	(void)state;
#ifdef HAVE_ASAN
	skip(); /* it does not survive that itself */
#endif
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		live_without_mappings(rig_with(1, 0, true));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- faults that were not asked for --- */

struct stray {
	struct rig *r;
	uint64_t x;
	uint8_t *readonly;   /* a page that pools know nothing of */
};

static void poke_readonly(void *ctx)
{
	*(volatile uint8_t *)((struct stray *)ctx)->readonly = 1;
}

static void poke_null(void *ctx)
{
	volatile uintptr_t nowhere = 8;

	(void)ctx;
	*(volatile uint8_t *)nowhere = 1;
}

static void send_signal(void *ctx)
{
	(void)ctx;
	raise(SIGSEGV);
}

static void stray_outside(struct stray *s)
{
	*(volatile uint8_t *)host(s->r, s->x) = 1;
}

static void stray_fill(struct stray *s)
{
	arena_fill(s->r->h, s->x, 8, 1, SF_CONTENTS_WHOLE);
}

/* While stores to sealed memory are trapped, another one misses it. */
static void stray_meanwhile(struct stray *s)
{
	trap_store(host(s->r, s->x), PAGE, poke_readonly, s);
}

static void stray_to_null(struct stray *s)
{
	trap_store(host(s->r, s->x), PAGE, poke_null, s);
}

/* In the range, but there is nothing: not what a seal is. */
static void stray_unmapped(struct stray *s)
{
	uint8_t *p = s->readonly;

	munmap(p, PAGE);
	trap_store(p, PAGE, poke_readonly, s);
}

static void stray_signal(struct stray *s)
{
	trap_store(host(s->r, s->x), PAGE, send_signal, s);
}

static void stray_after(struct stray *s)
{
	CHECK(!writes(s->r, s->x, 8, 1));
	poke_readonly(s);
}

static void *poke_from_thread(void *ctx)
{
	poke_readonly(ctx);
	return NULL;
}

static void wait_for_thread(void *ctx)
{
	pthread_t t;

	if (!pthread_create(&t, NULL, poke_from_thread, ctx))
		pthread_join(t, NULL);
}

/* Another thread faults meanwhile, in the very range. */
static void stray_thread(struct stray *s)
{
	trap_store(s->readonly, PAGE, wait_for_thread, s);
}

static void dies(void (*stray)(struct stray *s))
{
	char text[16384];
	size_t len = 0;
	ssize_t n;
	int fd[2], status;
	pid_t pid;

	fflush(NULL);
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct stray s = { .r = rig_with(0, 0, false) };
		uint32_t id = pool(s.r, SF_POOL_WR, 1);

		signal(SIGSEGV, SIG_DFL); /* cmocka's; AddressSanitizer keeps its own */
		dup2(fd[1], 2);
		s.x = take(s.r, id, 8);
		s.readonly = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		a->pool_protect(s.r->h, id);
		stray(&s);
		_exit(0);
	}
	close(fd[1]);
	while (len < sizeof(text) - 1 && (n = read(fd[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (WIFSIGNALED(status))
		assert_int_equal(WTERMSIG(status), SIGSEGV);
	else
		assert_non_null(strstr(text, "AddressSanitizer: "));
}

static void test_real_faults_are_real(void **state)
{
	(void)state;
	dies(stray_outside);
	dies(stray_fill);
	dies(stray_meanwhile);
	dies(stray_to_null);
	dies(stray_unmapped);
	dies(stray_signal);
	dies(stray_after);
	dies(stray_thread);
}

#ifdef HAVE_ASAN
static void stray_beyond(struct stray *s)
{
	/* The object has 8 bytes. The area is not sealed: nothing else objects. */
	a->pool_unprotect(s->r->h, 1);
	a->pool_write(s->r->h, s->x, 16, 1, SF_CONTENTS_WHOLE);
}

static void stray_by_direct_map(struct stray *s)
{
	a->pool_unprotect(s->r->h, 1);
	arena_fill(s->r->h, SF_DIRECT_MAP + pfn_of(s->r, s->x) * PAGE, 8, 1, SF_CONTENTS_WHOLE);
}

static void stray_read(struct stray *s)
{
	a->pool_unprotect(s->r->h, 1);
	CHECK(writes(s->r, s->x, 8, 1));
	a->verify(s->r->h, s->x, 9, 1, SF_CONTENTS_WHOLE);
}
#endif

/* What is no object's is poisoned, in an area as anywhere. */
static void test_poison(void **state)
{
	(void)state;
#ifdef HAVE_ASAN
	dies(stray_beyond);
	dies(stray_by_direct_map);
	dies(stray_read);
#else
	skip();
#endif
}

static void other_handler(int sig)
{
	(void)sig;
}

static void test_the_handler_does_not_stay(void **state)
{
	const struct sigaction mine = { .sa_handler = other_handler };
	struct sigaction was, now;
	struct rig *r = rig_with(0, 0, false);
	uint32_t id = pool(r, SF_POOL_START_WR, 1);
	uint64_t x = take(r, id, 8);
	sigset_t before, after;

	(void)state;
	sigaction(SIGSEGV, &mine, &was);
	sigprocmask(SIG_SETMASK, NULL, &before);
	for (unsigned int i = 0; i < 1000; i++)
		assert_false(writes(r, x, 8, 1));
	sigaction(SIGSEGV, &was, &now);
	sigprocmask(SIG_SETMASK, NULL, &after);
	assert_ptr_equal(now.sa_handler, other_handler);
	assert_int_equal(sigismember(&after, SIGSEGV), sigismember(&before, SIGSEGV));
	rig_close(r);
}

/* A child's mappings are its own: the parent's file would show the parent's. */
static void test_maps_of_a_child(void **state)
{
	struct rig *r = rig();
	uint32_t id = pool(r, SF_POOL_RO, 1);
	int status;
	pid_t pid;

	(void)state;
	take(r, id, 8);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r->h->arena.fd, 0) !=
		      MAP_FAILED);
		a->walk(r->h, &r->sink, true, false);
		CHECK(reported(r, SF_MAPPING_OTHER, true) == 1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	a->walk(r->h, &r->sink, true, false);
	assert_int_equal(reported(r, SF_MAPPING_OTHER, true), 0);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects_follow_each_other),
		cmocka_unit_test(test_an_area_is_used_to_its_end),
		cmocka_unit_test(test_refused_requests),
		cmocka_unit_test(test_pools_share_no_page),
		cmocka_unit_test(test_not_for_kfree),
		cmocka_unit_test(test_neither_charged_nor_moved),
		cmocka_unit_test(test_seal_covers_all),
		cmocka_unit_test(test_later_objects_get_new_areas),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_direct_map),
		cmocka_unit_test(test_maps_are_those_of_the_process),
		cmocka_unit_test(test_maps_of_odd_mappings),
		cmocka_unit_test(test_nobody_looks_before_there_are_pools),
		cmocka_unit_test(test_snapshot_has_pages_of_pools),
		cmocka_unit_test(test_rare_write),
		cmocka_unit_test(test_rare_write_of_bytes),
		cmocka_unit_test(test_alias),
		cmocka_unit_test(test_refused_rare_writes),
		cmocka_unit_test(test_a_reader_sees_whole_words),
		cmocka_unit_test(test_destroy_leaves_nothing),
		cmocka_unit_test(test_reset_is_exact),
		cmocka_unit_test(test_when_there_are_no_mappings_left),
		cmocka_unit_test(test_real_faults_are_real),
		cmocka_unit_test(test_poison),
		cmocka_unit_test(test_the_handler_does_not_stay),
		cmocka_unit_test(test_maps_of_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
