// SPDX-License-Identifier: MIT
/*
 * test_memory.c - memory as the models simulate it: windows, raw access, address ranges of slabs,
 * settings, and what a snapshot says of memory that was written to.
 *
 * The arena's accessors are compared byte by byte with a copy that this file keeps and with a
 * second idea of what is mapped where. Relies on allocators/heap.h for the parts of a heap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* a member of struct sf_allocator has that name */

#include "allocators/arena.h"
#include "allocators/page_alloc.h"
#include "allocators/vmalloc.h"
#include "allocators/window.h"
#include "tests/sound.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE SF_PAGE_SIZE

static uint64_t dice = 88172645463325252ull;

static uint64_t rnd(uint64_t below)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice % below;
}

/* --- an arena and a zone, without slabs --- */

struct bare {
	struct sf_heap *h;
	struct sf_sink sink;
	const char *warned;
	uint64_t warns;
};

static void on_event(void *ctx, const struct sf_event *ev)
{
	struct bare *b = ctx;

	if (ev->type == SF_EV_WARN) {
		b->warned = ev->warn.what;
		b->warns++;
	}
}

static struct sf_settings settings(uint64_t pages)
{
	struct sf_settings set;

	sf_settings_init(&set);
	set.pages = pages;
	set.watermarks = 0;
	set.pageblock_order = 4;
	return set;
}

static void bare_open(struct bare *b, const struct sf_settings *set)
{
	struct sf_error err;

	memset(b, 0, sizeof(*b));
	b->sink = (struct sf_sink){ .emit = on_event, .ctx = b };
	b->h = calloc(1, sizeof(*b->h));
	assert_non_null(b->h);
	b->h->set = *set;
	b->h->sink = &b->sink;
	b->h->walk_cap = (uint32_t)set->pages;
	b->h->walk_buf = calloc(set->pages, sizeof(*b->h->walk_buf));
	assert_non_null(b->h->walk_buf);
	assert_true(arena_init(b->h, &err));
	assert_true(zone_init(b->h, &err));
}

static void bare_close(struct bare *b)
{
	zone_free(b->h);
	arena_free(b->h);
	free(b->h->walk_buf);
	free(b->h);
}

static uint64_t map_area(struct bare *b, uint64_t pages)
{
	enum sf_status status;
	uint64_t addr = vmalloc(b->h, pages * PAGE, SF_GFP_KERNEL, &status);

	assert_int_equal(status, SF_OK);
	return addr;
}

/* --- windows --- */

static void test_windows(void **state)
{
	struct sf_settings set = settings(256);
	struct bare b;
	struct kcache s = { .id = 0 };
	uint64_t area;

	(void)state;
	set.slab_virtual = 1;
	bare_open(&b, &set);
	assert_int_equal(addr_pfn(b.h, SF_DIRECT_MAP - 1), NO_PFN);
	assert_int_equal(addr_pfn(b.h, SF_DIRECT_MAP), 0);
	assert_int_equal(addr_pfn(b.h, SF_DIRECT_MAP + 256 * PAGE - 1), 255);
	assert_int_equal(addr_pfn(b.h, SF_DIRECT_MAP + 256 * PAGE), NO_PFN);
	assert_int_equal(addr_pfn(b.h, 0), NO_PFN);
	assert_int_equal(addr_pfn(b.h, UINT64_MAX), NO_PFN);

	area = map_area(&b, 3);
	assert_int_equal(addr_pfn(b.h, area - 1), NO_PFN);
	assert_int_equal(pfn_addr(addr_pfn(b.h, area + 2 * PAGE)),
			 pfn_addr(b.h->arena.vmap[b.h->arena.area[0].start + 2] - 1));
	assert_int_equal(addr_pfn(b.h, area + 3 * PAGE), NO_PFN);
	assert_ptr_equal(vmalloc_area(b.h, area), &b.h->arena.area[0]);
	assert_null(vmalloc_area(b.h, area + PAGE));
	vfree(b.h, area);
	assert_int_equal(addr_pfn(b.h, area), NO_PFN);

	assert_int_equal(addr_pfn(b.h, SF_SLAB_WINDOW), NO_PFN);
	assert_true(window_map(b.h, &s, 40, 1));
	assert_int_equal(slab_window(b.h), SF_SLAB_WINDOW);
	assert_int_equal(slab_addr(b.h, 40), SF_SLAB_WINDOW);
	assert_int_equal(addr_pfn(b.h, SF_SLAB_WINDOW - 1), NO_PFN);
	assert_int_equal(addr_pfn(b.h, SF_SLAB_WINDOW), 40);
	assert_int_equal(addr_pfn(b.h, SF_SLAB_WINDOW + 2 * PAGE - 1), 41);
	assert_int_equal(addr_pfn(b.h, SF_SLAB_WINDOW + 2 * PAGE), NO_PFN);
	window_unmap(b.h, &s, 40, 1);
	assert_int_equal(addr_pfn(b.h, SF_SLAB_WINDOW), NO_PFN);
	assert_int_equal(addr_pfn(b.h, SF_SLAB_WINDOW + PAGE), NO_PFN);
	bare_close(&b);
}

/* Without slab_virtual slabs are in the direct map, and the window is not there. */
static void test_no_slab_window(void **state)
{
	struct sf_settings set = settings(64);
	struct bare b;
	struct kcache s = { .id = 0 };

	(void)state;
	bare_open(&b, &set);
	assert_null(b.h->arena.smap);
	assert_true(window_map(b.h, &s, 7, 0));
	assert_int_equal(slab_window(b.h), SF_DIRECT_MAP);
	assert_int_equal(slab_addr(b.h, 7), pfn_addr(7));
	assert_int_equal(addr_pfn(b.h, SF_SLAB_WINDOW), NO_PFN);
	window_unmap(b.h, &s, 7, 0);
	window_reset(b.h);
	assert_false(s.touched);
	bare_close(&b);
}

/* A double vfree is noticed, and changes nothing. */
static void test_vfree_twice(void **state)
{
	struct sf_settings set = settings(64);
	struct bare b;
	uint64_t area, left;

	(void)state;
	bare_open(&b, &set);
	area = map_area(&b, 2);
	vfree(b.h, area);
	left = b.h->zone.nr_free_pages;
	assert_null(vmalloc_area(b.h, area));
	assert_int_equal(b.warns, 0);
	vfree(b.h, area);
	vfree(b.h, area + PAGE);
	vfree(b.h, 0x1234);
	assert_int_equal(b.warns, 3);
	assert_string_equal(b.warned, "vfree: nonexistent vm area");
	assert_int_equal(b.h->zone.nr_free_pages, left);
	bare_close(&b);
}

/* --- ranges of the slab window --- */

static uint64_t map_slab(struct bare *b, struct kcache *s, uint32_t pfn, unsigned int order)
{
	assert_true(window_map(b->h, s, pfn, order));
	assert_true(s->touched);
	return slab_addr(b->h, pfn);
}

/* The last range left is taken first; only by the same cache, and for the same order. */
static void test_range_reuse(void **state)
{
	struct sf_settings set = settings(256);
	struct bare b;
	struct kcache s[2] = { { .id = 0 }, { .id = 1 } };
	uint64_t a0, a1, a2, other, big;

	(void)state;
	set.slab_virtual = 1;
	bare_open(&b, &set);
	a0 = map_slab(&b, &s[0], 10, 1);
	a1 = map_slab(&b, &s[0], 12, 1);
	a2 = map_slab(&b, &s[0], 14, 1);
	window_unmap(b.h, &s[0], 10, 1);
	window_unmap(b.h, &s[0], 14, 1);
	other = map_slab(&b, &s[1], 10, 1);
	assert_true(other != a0 && other != a1 && other != a2);
	big = map_slab(&b, &s[0], 16, 2);
	assert_true(big > other && (big - SF_SLAB_WINDOW) % (4 * PAGE) == 0);
	assert_int_equal(map_slab(&b, &s[0], 30, 1), a2);
	assert_int_equal(map_slab(&b, &s[0], 32, 1), a0);
	assert_true(map_slab(&b, &s[0], 34, 1) > big);
	assert_int_equal(addr_pfn(b.h, a0 + PAGE), 33);
	assert_int_equal(addr_pfn(b.h, a2), 30);
	bare_close(&b);
}

#define CACHES 12

struct mapped {
	uint32_t pfn, order, cache;
	uint64_t addr;
};

static struct kcache range_caches[CACHES];
static uint8_t owner[1 << 16]; /* by page of the window: cache + 1 */

static void check_range(const struct bare *b, const struct mapped *m, bool mapped)
{
	for (uint32_t p = 0; p < 1u << m->order; p++)
		assert_int_equal(addr_pfn(b->h, m->addr + p * PAGE), mapped ? m->pfn + p : NO_PFN);
}

/* True if the range was the cache's before. Slot `i` of 128 has 16 frames for it. */
static bool map_some(struct bare *b, struct mapped *m, uint32_t i)
{
	uint64_t n;
	bool reused;

	*m = (struct mapped){ i * 16, (uint32_t)rnd(5), (uint32_t)rnd(CACHES), 0 };
	m->addr = map_slab(b, &range_caches[m->cache], m->pfn, m->order);
	n = (m->addr - SF_SLAB_WINDOW) / PAGE;
	assert_int_equal(n % (1u << m->order), 0);
	assert_true(n + 16 < ARRAY_SIZE(owner));
	reused = owner[n];
	for (uint32_t p = 0; p < 1u << m->order; p++) {
		assert_true(!owner[n + p] || owner[n + p] == m->cache + 1);
		owner[n + p] = (uint8_t)(m->cache + 1);
	}
	return reused;
}

/* Thousands of slabs of several caches: an address is one cache's for ever. */
static void test_ranges_at_random(void **state)
{
	struct kcache *boot[CACHES], *s = range_caches;
	struct sf_settings set = settings(2048);
	struct bare b;
	uint64_t first[2] = { 0, 0 };
	uint32_t reused = 0;

	(void)state;
	set.slab_virtual = 1;
	bare_open(&b, &set);
	for (uint32_t i = 0; i < CACHES; i++)
		boot[i] = &s[i];
	b.h->cache = boot;
	b.h->nr_boot = CACHES;
	for (unsigned int round = 0; round < 2; round++) {
		struct mapped slab[128];
		bool live[128] = { false };

		memset(owner, 0, sizeof(owner));
		for (unsigned int op = 0; op < 20000; op++) {
			uint32_t i = (uint32_t)rnd(128);

			if (live[i]) {
				check_range(&b, &slab[i], true);
				window_unmap(b.h, &s[slab[i].cache], slab[i].pfn, slab[i].order);
				check_range(&b, &slab[i], false);
			} else {
				reused += map_some(&b, &slab[i], i);
			}
			live[i] = !live[i];
		}
		/* As at boot again, and it costs what was used. */
		window_reset(b.h);
		assert_int_equal(b.h->arena.smap_next, 0);
		for (uint32_t n = 0; n < ARRAY_SIZE(owner); n++)
			assert_int_equal(b.h->arena.smap[n], 0);
		for (uint32_t i = 0; i < CACHES; i++) {
			for (unsigned int o = 0; o < SF_NR_ORDERS; o++)
				assert_int_equal(s[i].ranges[o], 0);
			s[i].touched = false;
		}
		first[round] = map_slab(&b, &s[3], 5, 0);
		window_unmap(b.h, &s[3], 5, 0);
		window_reset(b.h);
	}
	assert_int_equal(first[0], SF_SLAB_WINDOW);
	assert_int_equal(first[1], SF_SLAB_WINDOW);
	assert_true(reused > 1000);
	bare_close(&b);
}

/* 32 GiB of addresses, then none; what a cache left it still gets. */
static void test_window_used_up(void **state)
{
	struct sf_settings set = settings(1024);
	struct kcache s = { .id = 0 }, t = { .id = 1 };
	struct bare b;
	uint64_t last = 0;
	uint32_t n;

	(void)state;
	set.slab_virtual = 1;
	bare_open(&b, &set);
	for (n = 0; window_map(b.h, &s, 0, 10); n++)
		last = slab_addr(b.h, 0);
	assert_int_equal(n, SMAP_PAGES >> 10);
	assert_int_equal(last, SF_SLAB_WINDOW + (SMAP_PAGES - 1024) * PAGE);
	/* A sheaf's entry can name the last object. */
	assert_true((last + 1024 * PAGE - 8 - SF_SLAB_WINDOW) / 8 <= UINT32_MAX);
	assert_false(window_map(b.h, &t, 0, 0));
	window_unmap(b.h, &s, 0, 10);
	assert_false(window_map(b.h, &t, 0, 0));
	assert_int_equal(map_slab(&b, &s, 0, 10), last);
	bare_close(&b);
}

/* --- raw access --- */

#define PAGES 96

/*
 * An arena of 96 pages with an area of frames that are not in order, a slab range and the hole of a
 * range that a slab left; and a copy of what should be in it.
 */
struct twin {
	struct bare b;
	struct kcache s;
	uint8_t *copy;
	uint64_t edge[32]; /* addresses where something begins or ends */
	unsigned int nr_edges;
};

static void twin_open(struct twin *t, uint64_t misuse)
{
	struct sf_settings set = settings(PAGES);
	uint64_t gone;
	uint32_t frames[3];
	struct vm_area *v;

	memset(t, 0, sizeof(*t));
	set.slab_virtual = 1;
	set.misuse = misuse;
	bare_open(&t->b, &set);
	t->copy = calloc(PAGES, PAGE);
	assert_non_null(t->copy);
	gone = map_area(&t->b, 2);
	t->edge[t->nr_edges++] = map_area(&t->b, 3);
	v = vmalloc_area(t->b.h, t->edge[0]);
	/* Out of order, whatever the page allocator gave. */
	for (unsigned int i = 0; i < 3; i++)
		frames[i] = t->b.h->arena.vmap[v->start + i];
	for (unsigned int i = 0; i < 3; i++)
		t->b.h->arena.vmap[v->start + i] = frames[2 - i];
	vfree(t->b.h, gone);
	t->edge[t->nr_edges++] = gone;
	for (unsigned int i = 1; i <= 3; i++)
		t->edge[t->nr_edges++] = t->edge[0] + i * PAGE;
	t->edge[t->nr_edges++] = map_slab(&t->b, &t->s, 80, 0);
	t->edge[t->nr_edges++] = map_slab(&t->b, &t->s, 90, 1);
	t->edge[t->nr_edges++] = map_slab(&t->b, &t->s, 95, 0);
	t->edge[t->nr_edges++] = map_slab(&t->b, &t->s, 70, 0);
	window_unmap(t->b.h, &t->s, 95, 0);
	for (unsigned int i = 5; i <= 7; i++)
		t->edge[t->nr_edges++] = t->edge[i] + PAGE;
	t->edge[t->nr_edges++] = SF_DIRECT_MAP;
	t->edge[t->nr_edges++] = SF_DIRECT_MAP + PAGE;
	t->edge[t->nr_edges++] = SF_DIRECT_MAP + 33 * PAGE;
	t->edge[t->nr_edges++] = SF_DIRECT_MAP + PAGES * PAGE;
	t->edge[t->nr_edges++] = SF_VMALLOC;
	t->edge[t->nr_edges++] = SF_VMALLOC + VMAP_PAGES * PAGE;
	t->edge[t->nr_edges++] = SF_SLAB_WINDOW;
	t->edge[t->nr_edges++] = SF_SLAB_WINDOW + SMAP_PAGES * PAGE;
	t->edge[t->nr_edges++] = 0;
	t->edge[t->nr_edges++] = 16;
}

static void twin_close(struct twin *t)
{
	bare_close(&t->b);
	free(t->copy);
}

/* Where that byte is in the copy, NULL if nothing is mapped there. */
static uint8_t *byte_at(const struct twin *t, uint64_t addr)
{
	const struct arena *a = &t->b.h->arena;
	uint64_t page = addr >> 12, pfn;

	if (page >= SF_DIRECT_MAP >> 12 && page < (SF_DIRECT_MAP >> 12) + PAGES)
		pfn = page - (SF_DIRECT_MAP >> 12);
	else if (page >= SF_SLAB_WINDOW >> 12 && page < (SF_SLAB_WINDOW >> 12) + a->smap_next &&
		 a->smap[page - (SF_SLAB_WINDOW >> 12)] - 1 < PAGES)
		pfn = a->smap[page - (SF_SLAB_WINDOW >> 12)] - 1;
	else if (page >= SF_VMALLOC >> 12 && page < (SF_VMALLOC >> 12) + a->vmap_next &&
		 a->vmap[page - (SF_VMALLOC >> 12)] - 1 < PAGES)
		pfn = a->vmap[page - (SF_VMALLOC >> 12)] - 1;
	else
		return NULL;
	return t->copy + pfn * PAGE + (addr & (PAGE - 1));
}

static uint64_t mapped_bytes(const struct twin *t, uint64_t addr, uint64_t len)
{
	uint64_t n = 0;

	while (n < len && byte_at(t, addr + n))
		n++;
	return n;
}

/* All bytes agree, and what is not zero is known to be dirty, its group to be touched. */
static void check_twin(const struct twin *t)
{
	const struct arena *a = &t->b.h->arena;
	static uint8_t have[PAGE];

	for (uint32_t p = 0; p < PAGES; p++) {
		bool zero = true;

		assert_int_equal(arena_peek(t->b.h, pfn_addr(p), have, PAGE), PAGE);
		assert_memory_equal(have, t->copy + p * PAGE, PAGE);
		for (unsigned int i = 0; i < PAGE; i++)
			zero = zero && !have[i];
		if (!zero) {
			assert_true(a->dirty[p / 64] >> (p % 64) & 1);
			assert_true(a->touched[0] >> (p / 64) & 1);
		}
	}
}

static uint64_t some_address(const struct twin *t)
{
	return t->edge[rnd(t->nr_edges)] + rnd(41) - 20;
}

/* Around every boundary, at every distance: exactly the bytes that are mapped, up to the first. */
static void test_peek_and_poke(void **state)
{
	static uint8_t bytes[9000], got[9000];
	struct twin t;

	(void)state;
	twin_open(&t, 0);
	for (unsigned int i = 0; i < t.nr_edges * 40u; i++) {
		uint64_t addr = t.edge[i / 40] + i % 40 - 20;

		for (uint64_t len = 0; len < 44; len++) {
			uint64_t n = mapped_bytes(&t, addr, len);

			for (uint64_t k = 0; k < len; k++)
				bytes[k] = (uint8_t)rnd(256);
			assert_int_equal(arena_poke(t.b.h, addr, bytes, len), n);
			for (uint64_t k = 0; k < n; k++)
				*byte_at(&t, addr + k) = bytes[k];
			memset(got, 0xa5, sizeof(got));
			assert_int_equal(arena_peek(t.b.h, addr, got, len), n);
			assert_memory_equal(got, bytes, n);
			for (uint64_t k = n; k < 64; k++)
				assert_int_equal(got[k], 0xa5);
		}
	}
	check_twin(&t);
	/* Over several pages, frames that are not in order, and the ends of windows. */
	for (unsigned int i = 0; i < 3000; i++) {
		uint64_t addr = some_address(&t) - rnd(2) * rnd(PAGE), len = rnd(sizeof(bytes));
		uint64_t n = mapped_bytes(&t, addr, len);

		memset(bytes, (int)i, sizeof(bytes));
		assert_int_equal(arena_poke(t.b.h, addr, bytes, len), n);
		for (uint64_t k = 0; k < n; k++)
			*byte_at(&t, addr + k) = (uint8_t)i;
		assert_int_equal(arena_peek(t.b.h, addr, got, len), n);
		assert_memory_equal(got, bytes, n);
	}
	check_twin(&t);
	twin_close(&t);
}

/* Words at any address; wipes and copies that leave out what is not mapped. */
static void test_raw_accessors(void **state)
{
	struct twin t;

	(void)state;
	twin_open(&t, 0);
	for (unsigned int i = 0; i < 60000; i++) {
		uint64_t addr = some_address(&t), word = rnd(UINT64_MAX), want = 0;

		for (uint64_t k = mapped_bytes(&t, addr, 8); k--;) {
			if (i & 1)
				*byte_at(&t, addr + k) = (uint8_t)(word >> 8 * k);
			want |= (uint64_t)*byte_at(&t, addr + k) << 8 * k;
		}
		if (i & 1)
			raw_store(t.b.h, addr, word);
		assert_int_equal(raw_load(t.b.h, addr), want);
	}
	check_twin(&t);
	for (unsigned int i = 0; i < 600; i++) {
		uint64_t addr = some_address(&t), len = rnd(3 * PAGE), from = some_address(&t);

		raw_wipe(t.b.h, addr, len);
		for (uint64_t k = 0; k < len; k++)
			if (byte_at(&t, addr + k))
				*byte_at(&t, addr + k) = 0;
		/* Never onto itself: in which order bytes are copied is not promised. */
		len = rnd(40);
		if (!byte_at(&t, addr) || !byte_at(&t, from) ||
		    llabs(byte_at(&t, addr) - byte_at(&t, from)) < 2 * (int64_t)PAGE)
			continue;
		raw_copy(t.b.h, addr, from, len);
		for (uint64_t k = 0; k < len; k++)
			if (byte_at(&t, addr + k) && byte_at(&t, from + k))
				*byte_at(&t, addr + k) = *byte_at(&t, from + k);
	}
	check_twin(&t);
	twin_close(&t);
}

/* Whatever was written where, reset leaves zeroes: also on pages that were never allocated. */
static void test_reset_after_pokes(void **state)
{
	struct sf_settings set = settings(8192);
	struct bare b;

	(void)state;
	bare_open(&b, &set);
	for (unsigned int i = 0; i < 500; i++) {
		uint64_t addr = SF_DIRECT_MAP + rnd(8192 * PAGE - 8);

		if (i & 1)
			arena_poke(b.h, addr, "misused", 8);
		else
			raw_store(b.h, addr, 0x1122334455667788ull);
	}
	assert_int_not_equal(arena_dirty(b.h, 0, 8192), SF_GOOD);
	arena_reset(b.h);
	zone_reset(b.h);
	for (uint32_t i = 0; i < b.h->arena.groups; i++)
		assert_int_equal(b.h->arena.dirty[i], 0);
	for (uint64_t i = 0; i < 8192 * PAGE; i += 8)
		assert_int_equal(raw_load(b.h, SF_DIRECT_MAP + i), 0);
	bare_close(&b);
}

static void test_first_dirty_byte(void **state)
{
	struct sf_settings set = settings(64);
	struct bare b;

	(void)state;
	bare_open(&b, &set);
	assert_int_equal(arena_dirty(b.h, 0, 64), SF_GOOD);
	for (unsigned int i = 0; i < 200; i++) {
		uint64_t at = rnd(8 * PAGE);

		arena_poke(b.h, pfn_addr(8) + at, "x", 1);
		assert_int_equal(arena_dirty(b.h, 8, 8), at);
		assert_int_equal(arena_dirty(b.h, 0, 64), 8 * PAGE + at);
		assert_int_equal(arena_dirty(b.h, 8, (uint32_t)(at / PAGE)), SF_GOOD);
		raw_wipe(b.h, pfn_addr(8) + at, 1);
		assert_int_equal(arena_dirty(b.h, 0, 64), SF_GOOD);
	}
	/* A page that was wiped whole is clean: nothing will look at it again. */
	arena_poke(b.h, pfn_addr(3) + 100, "x", 1);
	raw_wipe(b.h, pfn_addr(3), PAGE);
	assert_int_equal(b.h->arena.dirty[0] >> 3 & 1, 0);
	bare_close(&b);
}

/* After a misuse an object's memory may be gone: then its contents are bad, and nothing crashes. */
static void test_contents_of_nothing(void **state)
{
	static const uint64_t lens[] = { 1, 8, 4096, 9000, 20000 };
	struct twin t;

	(void)state;
	twin_open(&t, 1);
	for (unsigned int i = 0; i < t.nr_edges; i++) {
		for (unsigned int k = 0; k < ARRAY_SIZE(lens); k++) {
			uint64_t addr = t.edge[i], n = mapped_bytes(&t, addr, lens[k]);
			uint64_t bad;

			arena_open(t.b.h, addr, lens[k]);
			arena_fill(t.b.h, addr, lens[k], 77, SF_CONTENTS_WHOLE);
			bad = arena_verify(t.b.h, addr, lens[k], 77, SF_CONTENTS_WHOLE);
			assert_int_equal(bad, n == lens[k] ? SF_GOOD : n);
			raw_wipe(t.b.h, addr, lens[k]);
			bad = arena_zeroed(t.b.h, addr, 0, lens[k], SF_CONTENTS_WHOLE);
			assert_int_equal(bad, n == lens[k] ? SF_GOOD : n);
			arena_close(t.b.h, addr, lens[k]);
		}
	}
	twin_close(&t);
}

/* --- init_on_free beyond pages --- */

static void test_vmalloc_is_wiped(void **state)
{
	struct sf_settings set = settings(256);
	enum sf_status status;
	struct bare b;
	uint64_t a;

	(void)state;
	for (set.init_on_free = 0; set.init_on_free < 2; set.init_on_free++) {
		bool wiped = set.init_on_free;

		bare_open(&b, &set);
		a = map_area(&b, 9);
		for (uint64_t p = 0; p < 9; p++)
			arena_poke(b.h, a + p * PAGE + p, "mine", 4);
		/* Shrunk in place: what lies beyond the new size (mm/vmalloc.c:vrealloc). */
		assert_int_equal(vrealloc(b.h, a, 4 * PAGE + 2, SF_GFP_NOFS, &status), a);
		assert_int_equal(arena_zeroed(b.h, a, 4 * PAGE + 2, 9 * PAGE, SF_CONTENTS_WHOLE),
				 wiped ? SF_GOOD : 4 * PAGE + 4);
		assert_int_equal(arena_zeroed(b.h, a, PAGE, 2 * PAGE, SF_CONTENTS_WHOLE), PAGE + 1);
		vfree(b.h, a);
		page_drain_all(b.h);
		assert_int_equal(arena_dirty(b.h, 0, 256) == SF_GOOD, wiped);
		bare_close(&b);
	}
}

/* --- settings --- */

static const struct sf_setting_info *setting(const char *name)
{
	const struct sf_setting_info *info = sf_setting_by_name(name, strlen(name));

	assert_non_null(info);
	return info;
}

static void reads_as(const char *name, const char *text, uint64_t value)
{
	uint64_t v = ~value;
	char buf[120];

	assert_null(sf_setting_parse(setting(name), text, strlen(text), &v, buf));
	assert_int_equal(v, value);
}

static void is_refused(const char *name, const char *text, const char *expected)
{
	uint64_t v = 4711;
	char buf[120];
	const char *what = sf_setting_parse(setting(name), text, strlen(text), &v, buf);

	assert_non_null(what);
	assert_string_equal(what, expected);
	assert_int_equal(v, 4711);
}

static void test_setting_values(void **state)
{
	(void)state;
	reads_as("pages", "64", 64);
	reads_as("pages", "0x40", 64);
	reads_as("pages", "0X1fF", 511);
	reads_as("seed", "18446744073709551615", UINT64_MAX);
	reads_as("seed", "0xffffffffffffffff", UINT64_MAX);
	reads_as("flex", "documented", 0);
	reads_as("flex", "implemented", 1);
	reads_as("flex", "1", 1);
	is_refused("pages", "63", "a number from 64 to 8388608");
	is_refused("pages", "", "a number from 64 to 8388608");
	is_refused("pages", "0x", "a number from 64 to 8388608");
	is_refused("pages", "12f", "a number from 64 to 8388608");
	is_refused("pages", "-1", "a number from 64 to 8388608");
	is_refused("pages", "64 ", "a number from 64 to 8388608");
	is_refused("seed", "18446744073709551616", "a number from 0 to 18446744073709551615");
	is_refused("seed", "0x10000000000000000", "a number from 0 to 18446744073709551615");
	reads_as("watermarks", "on", 1);
	reads_as("watermarks", "off", 0);
	reads_as("watermarks", "yes", 1);
	reads_as("watermarks", "no", 0);
	reads_as("watermarks", "y", 1);
	reads_as("watermarks", "n", 0);
	reads_as("watermarks", "0x1", 1);
	is_refused("shuffle", "2", "on, off, 1 or 0");
	is_refused("shuffle", "o", "on, off, 1 or 0");
	is_refused("shuffle", "onn", "on, off, 1 or 0");
	is_refused("shuffle", "", "on, off, 1 or 0");
	is_refused("slab_max_order", "on", "a number from 0 to 10");
	is_refused("slab_max_order", "11", "a number from 0 to 10");
	is_refused("flex", "implement", "documented or implemented");
	is_refused("flex", "implemented|", "documented or implemented");
	is_refused("flex", "", "documented or implemented");
	is_refused("flex", "2", "documented or implemented");
}

/* A word that ends in the middle of a text, and one with a zero byte. */
static void test_setting_lengths(void **state)
{
	char buf[120];
	uint64_t v = 0;

	(void)state;
	assert_null(sf_setting_parse(setting("seed"), "1234", 2, &v, buf));
	assert_int_equal(v, 12);
	assert_null(sf_setting_parse(setting("flex"), "implemented,", 11, &v, buf));
	assert_int_equal(v, 1);
	assert_non_null(sf_setting_parse(setting("seed"), "1\0002", 3, &v, buf));
	assert_non_null(sf_setting_parse(setting("seed"), "\000", 1, &v, buf));
}

static void test_setting_choices(void **state)
{
	static const struct sf_setting_info three = { .name = "mode",
						      .max = 2,
						      .unit = "off|on|a while" };
	uint64_t v = 9;
	char buf[120];

	(void)state;
	assert_null(sf_setting_parse(&three, "a while", 7, &v, buf));
	assert_int_equal(v, 2);
	assert_string_equal(sf_setting_parse(&three, "of", 2, &v, buf), "off, on or a while");
	assert_string_equal(sf_setting_text(&three, 0, buf), "off");
	assert_string_equal(sf_setting_text(&three, 2, buf), "a while");
	assert_string_equal(sf_setting_text(&three, 3, buf), "3");
}

/* Every value that can be written reads as itself. */
static void test_setting_round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < sf_setting_count; i++) {
		const struct sf_setting_info *info = &sf_setting_table[i];
		uint64_t values[] = { info->min, info->max, info->def, info->min + 1 };

		for (unsigned int k = 0; k < ARRAY_SIZE(values); k++) {
			char text[40], buf[120];
			uint64_t v = ~values[k];

			sf_setting_text(info, values[k], text);
			assert_null(sf_setting_parse(info, text, strlen(text), &v, buf));
			assert_int_equal(v, values[k]);
		}
	}
}

static void test_contradictions(void **state)
{
	struct sf_settings set;

	(void)state;
	sf_settings_init(&set);
	assert_null(sf_settings_fault(&set));
	set.nokmem = 1;
	assert_null(sf_settings_fault(&set));
	set.memcg = 0;
	assert_string_equal(sf_settings_fault(&set),
			    "nokmem=1 needs memcg=1: it says what memory cgroups leave alone");
	sf_settings_fixup(&set);
	assert_int_equal(set.nokmem, 0);
	assert_null(sf_settings_fault(&set));

	sf_settings_init(&set);
	set.shuffle = 1;
	assert_null(sf_settings_fault(&set));
	set.pages = 1024;
	assert_null(sf_settings_fault(&set));
	set.pages = 1023;
	assert_string_equal(sf_settings_fault(&set),
			    "shuffle=1 needs pages=1024 or more: it shuffles blocks of order 10");
	sf_settings_fixup(&set);
	assert_int_equal(set.shuffle, 0);

	/* The kernel's own fix-up is no contradiction. */
	sf_settings_init(&set);
	set.slab_min_order = 5;
	set.slab_max_order = 1;
	assert_null(sf_settings_fault(&set));
	sf_settings_fixup(&set);
	assert_int_equal(set.slab_max_order, 5);
}

/* Whatever a byte program says, once brought in line it is sound. */
static void test_fixup_leaves_no_fault(void **state)
{
	uint32_t faults = 0;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		struct sf_settings set, again;

		for (size_t k = 0; k < sf_setting_count; k++) {
			const struct sf_setting_info *info = &sf_setting_table[k];
			uint64_t most = info->max - info->min < 4096 ? info->max - info->min : 4095;

			*sf_setting_slot(&set, info) = info->min + rnd(most + 1);
		}
		faults += sf_settings_fault(&set) != NULL;
		sf_settings_fixup(&set);
		assert_null(sf_settings_fault(&set));
		again = set;
		sf_settings_fixup(&again);
		assert_memory_equal(&again, &set, sizeof(set));
	}
	assert_true(faults > 1000);
}

/* --- whole heaps: placement and snapshots --- */

#define OBJECTS 600

/* One heap and what its events said; the last slabs, free objects and sheaves of a snapshot. */
struct whole {
	const struct sf_allocator *a;
	struct sf_heap *h;
	struct sf_settings set;
	struct sf_sink sink;
	struct sf_ev_cache cache[1024];
	uint64_t obj[OBJECTS];
	uint64_t hash, slabs, free_objects, parked, walked[4], sheaf_unwiped, unwiped, nr_unwiped;
	struct {
		uint64_t addr, word; /* of a free object; of its free pointer */
	} free[1 << 15];
	uint32_t nr_free;
};

static void mix(struct whole *w, uint64_t x)
{
	w->hash = (w->hash ^ x) * 0x100000001b3ull;
	w->hash ^= w->hash >> 29;
}

/* The list as the stored words say, each decoded here: key and place of the word. */
static void check_stored(const struct whole *w, const struct sf_ev_snapslab *s)
{
	const struct sf_ev_cache *c = &w->cache[s->cache];

	for (uint32_t i = 0; i < s->nr_free; i++) {
		uint64_t at = s->free[i] + c->freeptr, swapped = 0;

		for (unsigned int k = 0; k < 8; k++)
			swapped |= (at >> 8 * k & 0xff) << (56 - 8 * k);
		if (i + 1 < s->nr_free)
			assert_int_equal(s->stored[i] ^ c->secret ^ swapped, s->free[i + 1]);
		else if (s->error == SF_WALK_OK)
			assert_int_equal(s->stored[i] ^ c->secret ^ swapped, 0);
	}
}

static void on_slab(struct whole *w, const struct sf_ev_snapslab *s)
{
	const struct sf_ev_cache *c = &w->cache[s->cache];

	w->slabs++;
	w->walked[s->error]++;
	w->free_objects += s->nr_free;
	mix(w, s->pfn << 16 | s->inuse);
	mix(w, s->nr_free << 8 | s->error);
	if (s->unwiped != SF_GOOD) {
		w->unwiped = s->unwiped;
		w->nr_unwiped++;
	}
	assert_int_equal(s->stored != NULL, w->set.freelist_hardened);
	assert_true(s->nr_free <= s->objects);
	if (w->set.slab_virtual)
		assert_in_range(s->addr, SF_SLAB_WINDOW, SF_SLAB_WINDOW + SMAP_PAGES * PAGE);
	else
		assert_int_equal(s->addr, SF_DIRECT_MAP + s->pfn * PAGE);
	for (uint32_t i = 0; i < s->nr_free; i++) {
		assert_int_equal((s->free[i] - s->addr) % c->stride, 0);
		assert_true((s->free[i] - s->addr) / c->stride < s->objects);
		mix(w, s->free[i]);
		if (w->nr_free < ARRAY_SIZE(w->free)) {
			w->free[w->nr_free].addr = s->free[i];
			w->free[w->nr_free++].word = s->free[i] + c->freeptr;
		}
	}
	if (s->stored)
		check_stored(w, s);
}

static void hear(void *ctx, const struct sf_event *ev)
{
	struct whole *w = ctx;

	if (ev->type == SF_EV_CACHE) {
		assert_true(ev->cache.id < ARRAY_SIZE(w->cache));
		w->cache[ev->cache.id] = ev->cache;
	} else if (ev->type == SF_EV_SNAP_SLAB) {
		on_slab(w, &ev->snapslab);
	} else if (ev->type == SF_EV_SNAP_SHEAF) {
		w->parked += ev->snapsheaf.nr;
		for (uint32_t i = 0; i < ev->snapsheaf.nr; i++)
			mix(w, ev->snapsheaf.objs[i]);
		if (ev->snapsheaf.unwiped != SF_GOOD)
			w->sheaf_unwiped = ev->snapsheaf.unwiped;
	} else if (ev->type == SF_EV_SNAP_BLOCK) {
		mix(w, ev->snapblock.pfn << 8 | ev->snapblock.order);
	}
}

static void whole_open(struct whole *w, const struct sf_settings *set)
{
	struct sf_error err;

	memset(w, 0, sizeof(*w));
	w->a = &sf_baseline;
	w->set = *set;
	w->sink = (struct sf_sink){ .emit = hear, .ctx = w, .op = SF_NONE };
	w->h = w->a->create(w->a, set, &w->sink, &err);
	assert_non_null(w->h);
}

static void whole_close(struct whole *w)
{
	w->a->destroy(w->h);
}

static uint64_t get(struct whole *w, uint64_t size)
{
	struct sf_request rq = { .api = SF_API_KMALLOC, .gfp = SF_GFP_KERNEL, .n = 1, .size = size,
				 .bucket = SF_NONE };
	struct sf_result rs;

	w->a->alloc(w->h, &rq, &rs);
	return rs.status == SF_OK ? rs.addr : 0;
}

static void give(struct whole *w, uint64_t addr)
{
	struct sf_result rs;

	w->a->free(w->h, addr, SF_KFREE, &rs);
}

static void walk(struct whole *w)
{
	w->hash = w->slabs = w->free_objects = w->parked = w->nr_free = w->nr_unwiped = 0;
	memset(w->walked, 0, sizeof(w->walked));
	w->unwiped = w->sheaf_unwiped = SF_GOOD;
	assert_sound(w->h);
	w->a->walk(w->h, &w->sink, false, false);
}

static void churn(struct whole *w, unsigned int ops)
{
	while (ops--) {
		uint64_t *p = &w->obj[rnd(OBJECTS)];

		if (*p)
			give(w, *p);
		*p = *p ? 0 : get(w, 1 + rnd(rnd(30) ? 600 : 20000));
		if (*p)
			w->a->poke(w->h, *p, "contents", 1 + rnd(8));
	}
}

/* The five settings that snapshots follow, by bits. */
static struct sf_settings combination(unsigned int bits)
{
	struct sf_settings set = settings(4096);

	set.sheaves = bits & 1;
	set.slab_virtual = bits >> 1 & 1;
	set.freelist_hardened = bits >> 2 & 1;
	set.init_on_free = bits >> 3 & 1;
	set.freelist_random = bits >> 4 & 1;
	set.seed = bits;
	return set;
}

/* An address inside an object is placed there; through either window under slab_virtual. */
static void test_inner_places(void **state)
{
	static struct whole w;
	struct sf_place at, in;
	uint64_t p;

	(void)state;
	for (unsigned int virtual = 0; virtual < 2; virtual++) {
		struct sf_settings set = combination(virtual << 1);

		whole_open(&w, &set);
		for (unsigned int i = 0; i < 300; i++) {
			p = get(&w, 1 + rnd(8192));
			w.a->place(w.h, p, &at);
			assert_int_equal(at.kind, SF_PLACE_SLAB);
			assert_int_equal(at.offset, 0);
			assert_int_equal(at.base + (uint64_t)at.index * at.stride, p);
			for (unsigned int k = 0; k < 10; k++) {
				uint64_t inner = rnd(at.stride);

				w.a->place(w.h, p + inner, &in);
				assert_int_equal(in.offset, inner);
				assert_int_equal(in.index, at.index);
				assert_int_equal(in.base, at.base);
				assert_int_equal(in.cache, at.cache);
				assert_int_equal(in.pfn, addr_pfn(w.h, p + inner));
				/* Through the direct map. */
				inner += pfn_addr((uint32_t)in.pfn) - ((p + inner) & ~(PAGE - 1));
				w.a->place(w.h, p + inner, &at);
				assert_int_equal(at.offset, in.offset);
				assert_int_equal(at.base, in.base);
				assert_int_equal(at.index, in.index);
			}
		}
		p = get(&w, 20000);
		w.a->place(w.h, p + 9999, &in);
		assert_int_equal(in.kind, SF_PLACE_LARGE);
		assert_int_equal(in.offset, 9999);
		assert_int_equal(in.base, p);
		assert_int_equal(in.pfn, addr_pfn(w.h, p) + 2);
		give(&w, p);
		w.a->place(w.h, p, &in);
		assert_int_equal(in.kind, SF_PLACE_NOWHERE);
		w.a->place(w.h, SF_SLAB_WINDOW + SMAP_PAGES * PAGE - 8, &in);
		assert_int_equal(in.kind, SF_PLACE_NOWHERE);
		w.a->place(w.h, SF_SLAB_WINDOW + SMAP_PAGES * PAGE, &in);
		assert_int_equal(in.kind, SF_PLACE_NOWHERE);
		whole_close(&w);
	}
}

/* Whatever the settings: lists are whole, words decode, what is free is wiped if it should be. */
static void test_snapshots(void **state)
{
	static struct whole w;

	(void)state;
	for (unsigned int bits = 0; bits < 32; bits++) {
		struct sf_settings set = combination(bits);
		uint64_t fresh;

		whole_open(&w, &set);
		walk(&w);
		fresh = w.hash;
		for (unsigned int i = 0; i < 20; i++) {
			churn(&w, 400);
			walk(&w);
			assert_int_equal(w.walked[SF_WALK_OK], w.slabs);
			assert_int_equal(w.unwiped, SF_GOOD);
			assert_int_equal(w.sheaf_unwiped, SF_GOOD);
		}
		assert_true(w.free_objects > 300);
		assert_int_equal(w.parked > 100, set.sheaves);
		w.a->reset(w.h);
		memset(w.obj, 0, sizeof(w.obj));
		walk(&w);
		assert_int_equal(w.hash, fresh);
		whole_close(&w);
	}
}

/* A byte in a free object, listed or parked: it is in the event, and only with init_on_free. */
static void test_unwiped(void **state)
{
	static struct whole w;
	uint64_t p;

	(void)state;
	for (unsigned int bits = 0; bits < 32; bits++) {
		struct sf_settings set = combination(bits);
		unsigned int at = bits & 16 ? 72 : 5; /* behind the free pointer, before it */

		set.misuse = 1;
		whole_open(&w, &set);
		for (unsigned int i = 0; i < 100; i++)
			w.obj[i] = get(&w, 100);
		for (unsigned int i = 0; i < 100; i += 3)
			give(&w, w.obj[i]);
		p = w.obj[60];
		w.a->poke(w.h, p + at + 13, "!", 1);
		w.a->poke(w.h, p + at, "!", 1);
		walk(&w);
		if (!set.init_on_free) {
			assert_int_equal(w.unwiped, SF_GOOD);
			assert_int_equal(w.sheaf_unwiped, SF_GOOD);
		} else {
			assert_int_equal(set.sheaves ? w.sheaf_unwiped : w.unwiped, p + at);
			assert_int_equal(set.sheaves ? w.unwiped : w.sheaf_unwiped, SF_GOOD);
		}
		whole_close(&w);
	}
}

/* Caches whose objects keep their contents while free are not looked at. */
static void test_kept_contents(void **state)
{
	static struct whole w;
	struct sf_cache_request rq = { .name = "kept", .size = 100 };
	struct sf_settings set = combination(8);
	struct sf_result rs;
	uint64_t p[2];
	uint32_t c;
	bool merged;

	(void)state;
	whole_open(&w, &set);
	for (unsigned int i = 0; i < 2; i++) {
		rq.flags = i ? SF_SLAB_CTOR : SF_SLAB_TYPESAFE_BY_RCU;
		c = w.a->cache_create(w.h, &rq, &merged);
		for (unsigned int k = 0; k < 2; k++) {
			w.a->cache_alloc(w.h, c, SF_GFP_KERNEL, &rs);
			p[k] = rs.addr;
			w.a->poke(w.h, p[k], "kept", 4);
		}
		w.a->cache_free(w.h, c, p[0], &rs);
		walk(&w);
		assert_int_equal(w.unwiped, SF_GOOD);
		assert_int_not_equal(w.a->zeroed(w.h, p[1], 0, 4, SF_CONTENTS_WHOLE), SF_GOOD);
	}
	whole_close(&w);
}

/* A word that no free pointer should be. */
static uint64_t wild_word(const struct whole *w, uint64_t addr)
{
	uint64_t other = w->free[rnd(w->nr_free)].addr;

	switch (rnd(9)) {
	case 0:
		return addr; /* a ring of one */
	case 1:
		return addr + 8 * (1 + rnd(4));
	case 2:
		return addr + rnd(4096);
	case 3:
		return other;
	case 4:
		return SF_DIRECT_MAP + rnd(2 * 4096 * PAGE);
	case 5:
		return SF_SLAB_WINDOW + rnd(1024 * PAGE);
	case 6:
		return SF_DIRECT_MAP + 4096 * PAGE - rnd(16);
	case 7:
		return rnd(UINT64_MAX);
	default:
		return rnd(2) ? 0 : UINT64_MAX - rnd(16);
	}
}

/*
 * Free pointers overwritten with anything: a snapshot says what is broken, and goes no further. The
 * heap goes on too, and after a reset nothing of it is left.
 */
static void test_snapshots_of_wreckage(void **state)
{
	static struct whole w;
	uint64_t broken[4] = { 0 };

	(void)state;
	for (unsigned int bits = 0; bits < 32; bits++) {
		struct sf_settings set = combination(bits);
		uint64_t fresh;

		set.misuse = 1;
		whole_open(&w, &set);
		walk(&w);
		fresh = w.hash;
		for (unsigned int round = 0; round < 12; round++) {
			for (unsigned int i = 0; i < 6; i++) {
				churn(&w, 150);
				walk(&w);
				for (unsigned int k = 0; k < 5 && w.nr_free; k++) {
					uint32_t n = (uint32_t)rnd(w.nr_free);
					uint64_t word = wild_word(&w, w.free[n].addr);

					w.a->poke(w.h, w.free[n].word, &word, sizeof(word));
				}
				walk(&w);
				for (unsigned int k = 0; k < 4; k++)
					broken[k] += w.walked[k];
			}
			w.a->reset(w.h);
			memset(w.obj, 0, sizeof(w.obj));
			walk(&w);
			assert_int_equal(w.hash, fresh);
		}
		whole_close(&w);
	}
	for (unsigned int k = 0; k < 4; k++)
		assert_true(broken[k] > 50);
}

/* Sheaves that hold what is no object of theirs: reported as it is, looked at no further. */
static void test_sheaves_of_wreckage(void **state)
{
	static struct whole w;

	(void)state;
	for (unsigned int virtual = 0; virtual < 2; virtual++) {
		struct sf_settings set = combination(9 | virtual << 1);
		uint64_t window = virtual ? SF_SLAB_WINDOW : SF_DIRECT_MAP;
		uint64_t same, other, tail, fresh;
		struct sf_place at;
		struct sheaf *sh;

		set.misuse = 1;
		whole_open(&w, &set);
		walk(&w);
		fresh = w.hash;
		/* At a place where an object of the class half its size could be. */
		do {
			other = get(&w, 192);
			w.a->place(w.h, other, &at);
		} while (at.index > 5);
		same = get(&w, 96);
		w.a->place(w.h, same, &at);
		sh = &w.h->sheaves[w.h->cache[at.cache]->cpu[0].main];
		assert_true(sh->nr > 3);
		tail = at.base + (uint64_t)at.objects * at.stride;
		assert_true(tail < at.base + (PAGE << at.order));
		for (uint64_t k = 0; k < 64; k += 8) {
			w.a->poke(w.h, same + k, "contents", 8);
			w.a->poke(w.h, other + k, "contents", 8);
			w.a->poke(w.h, tail + k, "contents", 8);
		}
		/* Another cache's, one that begins in a slot, the end of a slab, nothing at all. */
		sh->obj[0] = (uint32_t)((other - window) / 8);
		sh->obj[1] = (uint32_t)((same + 8 - window) / 8);
		sh->obj[2] = (uint32_t)((tail - window) / 8);
		sh->obj[3] = UINT32_MAX;
		walk(&w);
		assert_int_equal(w.sheaf_unwiped, SF_GOOD);
		/* A live object of the cache is one that was not wiped. */
		sh->obj[2] = (uint32_t)((same - window) / 8);
		walk(&w);
		assert_int_equal(w.sheaf_unwiped, same);
		churn(&w, 3000);
		for (unsigned int round = 0; round < 200; round++) {
			sh = &w.h->sheaves[rnd(w.h->nr_sheaves)];
			if (sh->nr)
				sh->obj[rnd(sh->nr)] = (uint32_t)rnd(1ull << (rnd(3) ? 21 : 32));
			walk(&w);
		}
		w.a->reset(w.h);
		memset(w.obj, 0, sizeof(w.obj));
		walk(&w);
		assert_int_equal(w.hash, fresh);
		whole_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_no_slab_window),
		cmocka_unit_test(test_vfree_twice),
		cmocka_unit_test(test_range_reuse),
		cmocka_unit_test(test_ranges_at_random),
		cmocka_unit_test(test_window_used_up),
		cmocka_unit_test(test_peek_and_poke),
		cmocka_unit_test(test_raw_accessors),
		cmocka_unit_test(test_reset_after_pokes),
		cmocka_unit_test(test_first_dirty_byte),
		cmocka_unit_test(test_contents_of_nothing),
		cmocka_unit_test(test_vmalloc_is_wiped),
		cmocka_unit_test(test_setting_values),
		cmocka_unit_test(test_setting_lengths),
		cmocka_unit_test(test_setting_choices),
		cmocka_unit_test(test_setting_round_trip),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_fixup_leaves_no_fault),
		cmocka_unit_test(test_inner_places),
		cmocka_unit_test(test_snapshots),
		cmocka_unit_test(test_unwiped),
		cmocka_unit_test(test_kept_contents),
		cmocka_unit_test(test_snapshots_of_wreckage),
		cmocka_unit_test(test_sheaves_of_wreckage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
