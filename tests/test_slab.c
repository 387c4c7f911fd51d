// SPDX-License-Identifier: MIT
/*
 * test_slab.c - the slab layer and kmalloc of the model against figures seen on running kernels,
 * and against the rules in mm/slub.c.
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

#include "../allocators/allocator.h"
#include "sound.h"

struct heard {
	uint32_t cache;          /* of which slabinfo and parked objects are kept */
	struct sf_ev_snapcache info;
	uint64_t parked, empty_slabs, slabs, warns, slab_pages;
	uint64_t frees[2];       /* of pages, by CPU */
	uint32_t next_order[64]; /* free objects of the partial list, in list order */
	unsigned int nr_next;
};

struct bench {
	struct sf_settings set;
	struct sf_sink sink;
	struct heard heard;
	struct sf_heap *heap;
	const struct sf_allocator *a;
};

static void hear(void *ctx, const struct sf_event *ev)
{
	struct heard *h = ctx;

	if (ev->type == SF_EV_WARN)
		h->warns++;
	if (ev->type == SF_EV_PAGE_FREE)
		h->frees[ev->page.cpu & 1]++;
	if (ev->type == SF_EV_SNAP_CACHE && ev->snapcache.cache == h->cache)
		h->info = ev->snapcache;
	if (ev->type == SF_EV_SNAP_SHEAF && ev->snapsheaf.cache == h->cache)
		h->parked += ev->snapsheaf.nr;
	if (ev->type == SF_EV_SNAP_SLAB && ev->snapslab.cache == h->cache) {
		h->slabs++;
		h->slab_pages += 1ull << ev->snapslab.order;
		h->empty_slabs += ev->snapslab.inuse == 0;
		if (ev->snapslab.list == SF_SLAB_PARTIAL && h->nr_next < 64)
			h->next_order[h->nr_next++] = ev->snapslab.nr_free;
	}
}

static struct bench *bench_new(uint64_t pages, uint64_t cpus)
{
	static struct bench b;
	struct sf_error err;

	memset(&b, 0, sizeof(b));
	b.a = &sf_baseline;
	sf_settings_init(&b.set);
	b.set.pages = pages;
	b.set.cpus = cpus;
	b.sink = (struct sf_sink){ .emit = hear, .ctx = &b.heard, .op = SF_NONE };
	b.heap = b.a->create(b.a, &b.set, &b.sink, &err);
	assert_non_null(b.heap);
	return &b;
}

static void bench_end(struct bench *b)
{
	assert_sound(b->heap);
	b->a->destroy(b->heap);
}

static uint64_t kmalloc(struct bench *b, uint64_t size, uint32_t gfp)
{
	struct sf_request rq = { .api = SF_API_KMALLOC, .gfp = gfp, .n = 1, .size = size };
	struct sf_result rs;

	b->a->alloc(b->heap, &rq, &rs);
	return rs.addr;
}

static uint64_t krealloc(struct bench *b, uint64_t p, uint64_t size, uint32_t gfp)
{
	struct sf_request rq = { .api = SF_API_KMALLOC, .gfp = gfp, .n = 1, .size = size };
	struct sf_result rs;

	b->a->realloc(b->heap, p, &rq, &rs);
	return rs.addr;
}

static void kfree(struct bench *b, uint64_t p)
{
	struct sf_result rs;

	b->a->free(b->heap, p, SF_KFREE, &rs);
	assert_int_equal(rs.status, SF_OK);
}

static uint32_t cache_of(struct bench *b, uint64_t p)
{
	struct sf_place pl;

	b->a->place(b->heap, p, &pl);
	assert_int_equal(pl.kind, SF_PLACE_SLAB);
	return pl.cache;
}

static void look(struct bench *b, uint32_t cache)
{
	memset(&b->heard, 0, sizeof(b->heard));
	b->heard.cache = cache;
	assert_sound(b->heap);
	b->a->walk(b->heap, &b->sink, true, false);
	assert_int_equal(b->heard.slabs, b->heard.info.nr_slabs);
}

/* Linux 7.2, one CPU: 3000 objects of 512 bytes made and freed; slabinfo: 336 of 376, 47 slabs. */
static void parked_objects_count_as_active(void **state)
{
	struct bench *b = bench_new(16384, 1);
	static uint64_t p[3000];
	uint32_t cache;

	(void)state;
	for (unsigned int i = 0; i < 3000; i++)
		p[i] = kmalloc(b, 512, SF_GFP_KERNEL);
	cache = cache_of(b, p[0]);
	for (unsigned int i = 0; i < 3000; i++)
		kfree(b, p[i]);
	look(b, cache);
	assert_int_equal(b->heard.info.active_objs, 336);
	assert_int_equal(b->heard.info.num_objs, 376);
	assert_int_equal(b->heard.info.num_slabs, 47);
	assert_int_equal(b->heard.parked, 12 * 28);
	assert_true(b->heard.empty_slabs >= 1 && b->heard.empty_slabs <= 5);
	bench_end(b);
}

/* The same kernel: 2000 objects of 1 KiB; shrink gives everything back and returns 0. */
static void shrink_releases_everything(void **state)
{
	struct bench *b = bench_new(16384, 1);
	static uint64_t p[2000];
	uint32_t cache;

	(void)state;
	for (unsigned int i = 0; i < 2000; i++)
		p[i] = kmalloc(b, 1024, SF_GFP_KERNEL);
	cache = cache_of(b, p[0]);
	for (unsigned int i = 0; i < 2000; i++)
		kfree(b, p[i]);
	look(b, cache);
	assert_true(b->heard.slab_pages >= 36);
	assert_int_equal(b->heard.parked, 12 * 12);
	assert_int_equal(b->a->cache_shrink(b->heap, cache), 0);
	look(b, cache);
	assert_int_equal(b->heard.slabs, 0);
	assert_int_equal(b->heard.parked, 0);
	bench_end(b);
}

/*
 * The same kernel, a cache of 640 KiB objects, 100 made and freed: 57 MiB stay: 12 sheaves of 4 and
 * min_partial - 1 slabs of 256 pages each.
 */
static void big_objects_stay_parked(void **state)
{
	struct bench *b = bench_new(65536, 1);
	struct sf_cache_request rq = { .name = "big", .size = 655360 };
	struct sf_result rs;
	uint64_t p[100];
	uint32_t cache;
	bool merged;

	(void)state;
	cache = b->a->cache_create(b->heap, &rq, &merged);
	assert_int_not_equal(cache, SF_NONE);
	for (unsigned int i = 0; i < 100; i++) {
		b->a->cache_alloc(b->heap, cache, SF_GFP_KERNEL, &rs);
		assert_int_equal(rs.status, SF_OK);
		p[i] = rs.addr;
	}
	for (unsigned int i = 0; i < 100; i++)
		b->a->cache_free(b->heap, cache, p[i], &rs);
	look(b, cache);
	assert_int_equal(b->heard.parked, 48);
	assert_int_equal(b->heard.slab_pages, 48 * 256 + 9 * 256);
	bench_end(b);
}

static void freed_object_comes_back_first(void **state)
{
	struct bench *b = bench_new(4096, 2);
	uint64_t p = kmalloc(b, 64, SF_GFP_KERNEL), q;

	(void)state;
	kfree(b, p);
	assert_true(kmalloc(b, 64, SF_GFP_KERNEL) == p);
	/* But not on another CPU. */
	kfree(b, p);
	b->a->set_cpu(b->heap, 1);
	q = kmalloc(b, 64, SF_GFP_KERNEL);
	assert_true(q && q != p);
	bench_end(b);
}

static void selection_follows_gfp(void **state)
{
	struct bench *b = bench_new(4096, 1);
	uint32_t cg = cache_of(b, kmalloc(b, 64, SF_GFP_KERNEL_ACCOUNT));
	uint32_t rcl = cache_of(b, kmalloc(b, 64, SF_GFP_KERNEL | SF_GFP_RECLAIMABLE));
	uint32_t dma = cache_of(b, kmalloc(b, 64, SF_GFP_KERNEL | SF_GFP_DMA));
	uint32_t normal = cache_of(b, kmalloc(b, 64, SF_GFP_KERNEL));

	(void)state;
	assert_true(cg != rcl && cg != dma && cg != normal && rcl != dma && rcl != normal);
	/* RECLAIMABLE beats ACCOUNT, DMA beats both; movability and zeroing do not matter. */
	assert_int_equal(cache_of(b, kmalloc(b, 64, SF_GFP_KERNEL_ACCOUNT | SF_GFP_RECLAIMABLE)),
			 rcl);
	assert_int_equal(cache_of(b, kmalloc(b, 64,
					     SF_GFP_DMA | SF_GFP_RECLAIMABLE | SF_GFP_ACCOUNT)),
			 dma);
	assert_int_equal(cache_of(b, kmalloc(b, 64, SF_GFP_KERNEL | SF_GFP_ZERO | SF_GFP_MOVABLE)),
			 normal);
	bench_end(b);
}

static void every_size_has_its_class(void **state)
{
	static const uint64_t classes[] = { 8,	 16,  32,  64,	 96,   128,  192,
					    256, 512, 1024, 2048, 4096, 8192 };
	struct bench *b = bench_new(4096, 1);
	unsigned int c = 0;

	(void)state;
	for (uint64_t size = 1; size <= 8192; size++) {
		uint64_t p = kmalloc(b, size, SF_GFP_KERNEL);

		if (size > classes[c])
			c++;
		assert_int_equal(b->a->usable(b->heap, p), classes[c]);
		/* The kernel's promise: the largest power of two that divides the class. */
		assert_int_equal(p & ((classes[c] & -classes[c]) - 1), 0);
		kfree(b, p);
	}
	assert_int_equal(c, 12);
	bench_end(b);
}

static void krealloc_in_place_and_moved(void **state)
{
	struct bench *b = bench_new(4096, 1);
	uint64_t p = kmalloc(b, 100, SF_GFP_KERNEL_ACCOUNT), q;
	uint32_t cg = cache_of(b, p);

	(void)state;
	/* In place it keeps its cache, whatever the flags say now. */
	q = krealloc(b, p, 128, SF_GFP_KERNEL);
	assert_true(q == p);
	assert_int_equal(cache_of(b, q), cg);
	b->a->fill(b->heap, q, 128, 42, SF_CONTENTS_WHOLE);
	p = krealloc(b, q, 129, SF_GFP_KERNEL);
	assert_true(p && p != q);
	assert_int_not_equal(cache_of(b, p), cg);
	assert_true(b->a->verify(b->heap, p, 128, 42, SF_CONTENTS_WHOLE) == SF_GOOD);
	assert_true(b->a->verify(b->heap, p, 128, 44, SF_CONTENTS_WHOLE) == 0);
	/* Shrinking 64 KiB to 10 bytes keeps 64 KiB. */
	q = kmalloc(b, 65536, SF_GFP_KERNEL);
	assert_true(krealloc(b, q, 10, SF_GFP_KERNEL) == q);
	assert_int_equal(b->a->usable(b->heap, q), 65536);
	/* Size 0 frees. NULL allocates. Failure leaves the old one alone. */
	assert_true(krealloc(b, p, 0, SF_GFP_KERNEL) == SF_ZERO_SIZE_PTR);
	assert_true(krealloc(b, 0, 0, SF_GFP_KERNEL) == SF_ZERO_SIZE_PTR);
	assert_true(krealloc(b, 0, 10, SF_GFP_KERNEL) > SF_ZERO_SIZE_PTR);
	assert_true(krealloc(b, q, 5u << 20, SF_GFP_KERNEL) == 0);
	assert_int_equal(b->a->usable(b->heap, q), 65536);
	bench_end(b);
}

static void stale_bytes_show_where_the_kernel_shows_them(void **state)
{
	struct bench *b = bench_new(4096, 1);
	uint64_t p = kmalloc(b, 64, SF_GFP_KERNEL | SF_GFP_ZERO);

	(void)state;
	b->a->fill(b->heap, p, 64, 7, SF_CONTENTS_WHOLE);
	/* A shrink without, then growth with __GFP_ZERO: the bytes between are stale by design. */
	assert_true(krealloc(b, p, 20, SF_GFP_KERNEL) == p);
	assert_true(krealloc(b, p, 40, SF_GFP_KERNEL | SF_GFP_ZERO) == p);
	assert_true(b->a->zeroed(b->heap, p, 20, 40, SF_CONTENTS_WHOLE) == 20);
	assert_true(b->a->zeroed(b->heap, p, 40, 64, SF_CONTENTS_WHOLE) == SF_GOOD);
	bench_end(b);
}

static void ksize_may_exceed_object_size(void **state)
{
	struct bench *b = bench_new(4096, 1);
	struct sf_cache_request rq = { .name = "odd", .size = 100, .align = 64 };
	struct sf_result rs;
	bool merged;
	uint32_t cache = b->a->cache_create(b->heap, &rq, &merged);

	(void)state;
	b->a->cache_alloc(b->heap, cache, SF_GFP_KERNEL, &rs);
	assert_int_equal(b->a->usable(b->heap, rs.addr), 128);
	bench_end(b);
}

static uint32_t create(struct bench *b, const char *name, uint32_t size, uint32_t align,
		       uint32_t flags, uint32_t usersize, bool *merged)
{
	struct sf_cache_request rq = { .name = name, .size = size, .align = align, .flags = flags,
				       .usersize = usersize };

	return b->a->cache_create(b->heap, &rq, merged);
}

static void merging(void **state)
{
	struct bench *b = bench_new(4096, 1);
	bool merged;
	uint32_t a = create(b, "a", 60, 0, 0, 0, &merged), c;

	(void)state;
	assert_false(merged);
	assert_int_equal(create(b, "b", 64, 0, 0, 0, &merged), a);
	assert_true(merged);
	assert_int_equal(create(b, "c", 57, 8, 0, 0, &merged), a);
	/* Not: a step smaller, other accounting, a window, a constructor, RCU, too much align. */
	assert_int_not_equal(create(b, "d", 56, 0, 0, 0, &merged), a);
	assert_int_not_equal(create(b, "e", 64, 0, SF_SLAB_RECLAIM_ACCOUNT, 0, &merged), a);
	assert_int_not_equal(create(b, "f", 64, 0, SF_SLAB_ACCOUNT, 0, &merged), a);
	assert_int_not_equal(create(b, "g", 64, 0, 0, 8, &merged), a);
	assert_int_not_equal(create(b, "h", 64, 0, SF_SLAB_CTOR, 0, &merged), a);
	assert_int_not_equal(create(b, "i", 64, 0, SF_SLAB_TYPESAFE_BY_RCU, 0, &merged), a);
	assert_int_not_equal(create(b, "j", 64, 128, 0, 0, &merged), a);
	assert_int_not_equal(create(b, "k", 64, 0, SF_SLAB_NO_MERGE, 0, &merged), a);
	assert_false(merged);
	/* An alias only lets go of the shared cache. */
	c = create(b, "l", 64, 0, 0, 0, &merged);
	assert_int_equal(c, a);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(b->a->cache_destroy(b->heap, a), SF_OK);
	bench_end(b);
}

static void destroy_with_live_objects(void **state)
{
	struct bench *b = bench_new(4096, 1);
	bool merged;
	uint32_t cache = create(b, "left", 1000, 0, SF_SLAB_NO_MERGE, 0, &merged);
	struct sf_result rs;

	(void)state;
	b->a->cache_alloc(b->heap, cache, SF_GFP_KERNEL, &rs);
	b->a->fill(b->heap, rs.addr, 1000, 3, SF_CONTENTS_WHOLE);
	b->heard.warns = 0;
	assert_int_equal(b->a->cache_destroy(b->heap, cache), SF_NOTICED);
	assert_int_equal(b->heard.warns, 1);
	assert_true(b->a->verify(b->heap, rs.addr, 1000, 3, SF_CONTENTS_WHOLE) == SF_GOOD);
	bench_end(b);
}

static void shrink_sorts_fullest_first(void **state)
{
	struct bench *b = bench_new(16384, 1);
	bool merged;
	uint32_t cache;
	uint64_t p[64];
	struct sf_result rs;

	(void)state;
	b->a->destroy(b->heap);
	b->set.sheaves = 0; /* every free goes straight to its slab */
	b->heap = b->a->create(b->a, &b->set, &b->sink, &(struct sf_error){ 0 });
	cache = create(b, "s", 1024, 0, SF_SLAB_NO_MERGE, 0, &merged);
	for (unsigned int i = 0; i < 64; i++) {
		b->a->cache_alloc(b->heap, cache, SF_GFP_KERNEL, &rs);
		p[i] = rs.addr;
	}
	/* One CPU: 8 objects a slab. Free 1 of the last, 3 of the first, 2 of the second. */
	b->a->cache_free(b->heap, cache, p[56], &rs);
	for (unsigned int i = 0; i < 3; i++)
		b->a->cache_free(b->heap, cache, p[i], &rs);
	for (unsigned int i = 8; i < 10; i++)
		b->a->cache_free(b->heap, cache, p[i], &rs);
	assert_int_equal(b->a->cache_shrink(b->heap, cache), 1);
	look(b, cache);
	assert_int_equal(b->heard.nr_next, 3);
	assert_int_equal(b->heard.next_order[0], 1);
	assert_int_equal(b->heard.next_order[1], 2);
	assert_int_equal(b->heard.next_order[2], 3);
	bench_end(b);
}

static uint32_t bulk_cache(struct bench *b, uint32_t size, bool sheaves)
{
	bool merged;

	b->a->destroy(b->heap);
	b->set.sheaves = sheaves;
	b->heap = b->a->create(b->a, &b->set, &b->sink, &(struct sf_error){ 0 });
	return create(b, "bulk", size, 0, SF_SLAB_NO_MERGE, 0, &merged);
}

static void bulk_alloc(struct bench *b, uint32_t cache, uint32_t n, uint64_t *p)
{
	struct sf_result rs;

	b->a->cache_alloc_bulk(b->heap, cache, SF_GFP_KERNEL, n, p, &rs);
	assert_int_equal(rs.status, SF_OK);
}

/* A bulk takes the top of the main sheaf as it lies there, not from the top down. */
static void bulk_alloc_copies_the_sheaf(void **state)
{
	struct bench *b = bench_new(4096, 1);
	uint32_t cache = bulk_cache(b, 64, true);
	struct sf_result rs;
	uint64_t p[5], q[3];

	(void)state;
	bulk_alloc(b, cache, 5, p);
	for (unsigned int i = 0; i < 5; i++)
		b->a->cache_free(b->heap, cache, p[i], &rs);
	bulk_alloc(b, cache, 3, q);
	assert_memory_equal(q, p + 2, sizeof(q));
	b->a->cache_alloc(b->heap, cache, SF_GFP_KERNEL, &rs);
	assert_true(rs.addr == p[1]);
	bench_end(b);
}

/* A bulk fills main and makes no second sheaf: the rest goes to the slabs (60 of 64 are parked). */
static void bulk_free_makes_no_sheaf(void **state)
{
	struct bench *b = bench_new(4096, 1);
	uint32_t cache = bulk_cache(b, 64, true);
	struct sf_result rs;
	uint64_t p[64];

	(void)state;
	bulk_alloc(b, cache, 64, p);
	b->a->cache_free_bulk(b->heap, cache, 64, p, &rs);
	look(b, cache);
	assert_int_equal(b->heard.parked, 60);
	bulk_alloc(b, cache, 64, p);
	for (unsigned int i = 0; i < 64; i++)
		b->a->cache_free(b->heap, cache, p[i], &rs);
	look(b, cache);
	assert_int_equal(b->heard.parked, 64);
	bench_end(b);
}

/*
 * A whole slab that comes back at once was never on the partial list, so it does not count itself:
 * min_partial (5) empty slabs stay, where single frees leave 4.
 */
static void bulk_free_keeps_one_slab_more(void **state)
{
	struct bench *b = bench_new(4096, 1);
	uint32_t cache = bulk_cache(b, 1024, false);
	struct sf_result rs;
	uint64_t p[64]; /* 8 slabs of 8 */

	(void)state;
	bulk_alloc(b, cache, 64, p);
	b->a->cache_free_bulk(b->heap, cache, 64, p, &rs);
	look(b, cache);
	assert_int_equal(b->heard.empty_slabs, 5);
	assert_int_equal(b->heard.slabs, 5);
	bulk_alloc(b, cache, 64, p);
	for (unsigned int i = 64; i-- > 0;)
		b->a->cache_free(b->heap, cache, p[i], &rs);
	look(b, cache);
	assert_int_equal(b->heard.slabs, 4);
	bench_end(b);
}

/* Each CPU flushes its own sheaves, so that the pages of emptied slabs are freed there. */
static void shrink_frees_on_each_cpu(void **state)
{
	struct bench *b = bench_new(4096, 2);
	uint32_t cache = bulk_cache(b, 4096, true);
	struct sf_result rs;
	uint64_t p[8 * 8];

	(void)state;
	/* Of eight slabs CPU 1 parks 4 objects of one and empties the others; min_partial is 6. */
	bulk_alloc(b, cache, 8 * 8, p);
	b->a->set_cpu(b->heap, 1);
	b->a->cache_free(b->heap, cache, p[0], &rs);
	b->a->cache_free_bulk(b->heap, cache, 8 * 8 - 1, p + 1, &rs);
	b->a->set_cpu(b->heap, 0);
	memset(&b->heard, 0, sizeof(b->heard));
	assert_int_equal(b->a->cache_shrink(b->heap, cache), 0);
	/* The slab of the four parked objects is the seventh empty one: CPU 1 frees it. */
	assert_int_equal(b->heard.frees[1], 1);
	assert_int_equal(b->heard.frees[0], 6);
	look(b, cache);
	assert_int_equal(b->heard.slabs, 0);
	bench_end(b);
}

/* A usercopy window that does not fit is none: the cache is made, and may merge. */
static void usercopy_windows(void **state)
{
	struct bench *b = bench_new(4096, 1);
	bool merged;
	uint32_t a = create(b, "a", 64, 0, 0, 65, &merged);

	(void)state;
	assert_int_not_equal(a, SF_NONE);
	assert_int_equal(create(b, "b", 64, 0, 0, 0, &merged), a);
	assert_int_not_equal(create(b, "c", 64, 0, 0, 64, &merged), a);
	b->a->destroy(b->heap);
	b->set.usercopy = 0;
	b->heap = b->a->create(b->a, &b->set, &b->sink, &(struct sf_error){ 0 });
	create(b, "a", 64, 0, SF_SLAB_NO_MERGE, 0, &merged);
	assert_false(merged);
	a = create(b, "d", 72, 0, 0, 72, &merged);
	assert_int_equal(create(b, "e", 72, 0, 0, 8, &merged), a);
	bench_end(b);
}

/*
 * One page is left, and a sheaf of four such objects takes four: without __GFP_NOFAIL one object
 * comes past the sheaves; with it the refill of the sheaf itself may not fail.
 */
static void nofail_holds_for_the_sheaf(void **state)
{
	static const uint32_t gfp[] = { SF_GFP_KERNEL, SF_GFP_KERNEL | SF_GFP_NOFAIL };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct bench *b = bench_new(64, 1);
		struct sf_request rq = { .api = SF_API_KMALLOC, .gfp = gfp[i], .n = 1,
					 .size = 4096 };
		struct sf_result rs;

		b->a->destroy(b->heap);
		b->set.watermarks = 0;
		b->heap = b->a->create(b->a, &b->set, &b->sink, &(struct sf_error){ 0 });
		b->a->exact_alloc(b->heap, 63 * 4096, SF_GFP_KERNEL, &rs);
		assert_int_equal(rs.status, SF_OK);
		b->a->alloc(b->heap, &rq, &rs);
		assert_int_equal(rs.status, i ? SF_BLOCKED : SF_OK);
		bench_end(b);
	}
}

static uint64_t kvrealloc(struct bench *b, uint64_t p, uint64_t size, uint32_t gfp)
{
	struct sf_request rq = { .api = SF_API_KVMALLOC, .gfp = gfp, .n = 1, .size = size };
	struct sf_result rs;

	b->a->realloc(b->heap, p, &rq, &rs);
	return rs.addr;
}

/* vrealloc(): a shrink gives pages back unless NOFS or NOIO; growth in place zeroes nothing. */
static void vrealloc_in_place(void **state)
{
	struct bench *b = bench_new(4096, 1);
	uint32_t zero = SF_GFP_KERNEL | SF_GFP_ZERO;
	uint64_t p = kvrealloc(b, 0, 5u << 20, zero);

	(void)state;
	assert_true(p >= SF_VMALLOC);
	assert_int_equal(b->a->usable(b->heap, p), 5u << 20);
	b->a->fill(b->heap, p, 5u << 20, 5, SF_CONTENTS_WHOLE);
	assert_true(kvrealloc(b, p, 10000, SF_GFP_NOFS | SF_GFP_ZERO) == p);
	assert_int_equal(b->a->usable(b->heap, p), 5u << 20);
	assert_true(kvrealloc(b, p, 9000, zero) == p);
	assert_int_equal(b->a->usable(b->heap, p), 3 * 4096);
	assert_true(kvrealloc(b, p, 12000, zero) == p);
	assert_true(b->a->zeroed(b->heap, p, 9000, 12000, SF_CONTENTS_WHOLE) == SF_GOOD);
	assert_true(b->a->verify(b->heap, p, 9000, 5, SF_CONTENTS_WHOLE) == SF_GOOD);
	/* Stale where a shrink did not zero. */
	b->a->fill(b->heap, p, 12000, 6, SF_CONTENTS_WHOLE);
	assert_true(kvrealloc(b, p, 11000, SF_GFP_KERNEL) == p);
	assert_true(kvrealloc(b, p, 12000, zero) == p);
	assert_true(b->a->zeroed(b->heap, p, 11000, 12000, SF_CONTENTS_WHOLE) == 11000);
	/* More than the pages that are left: moved. */
	assert_true(kvrealloc(b, p, 3 * 4096 + 1, SF_GFP_KERNEL) > SF_VMALLOC);
	bench_end(b);
}

static void kvmalloc_falls_back(void **state)
{
	struct bench *b = bench_new(4096, 1);
	struct sf_request rq = { .api = SF_API_KVMALLOC, .gfp = SF_GFP_KERNEL | SF_GFP_ZERO, .n = 1,
				 .size = 6u << 20 };
	struct sf_result rs;
	struct sf_place pl;

	(void)state;
	/* 6 MiB is larger than any block: vmalloc. */
	b->a->alloc(b->heap, &rq, &rs);
	assert_int_equal(rs.status, SF_OK);
	b->a->place(b->heap, rs.addr, &pl);
	assert_int_equal(pl.kind, SF_PLACE_VMALLOC);
	assert_true(b->a->zeroed(b->heap, rs.addr, 0, rq.size, SF_CONTENTS_WHOLE) == SF_GOOD);
	b->a->fill(b->heap, rs.addr, rq.size, 9, SF_CONTENTS_SPARSE);
	assert_true(b->a->verify(b->heap, rs.addr, rq.size, 9, SF_CONTENTS_SPARSE) == SF_GOOD);
	b->a->free(b->heap, rs.addr, SF_KVFREE, &rs);
	/* More than INT_MAX is refused; so is what no memory can hold. */
	rq.size = 1ull << 31;
	b->a->alloc(b->heap, &rq, &rs);
	assert_int_equal(rs.status, SF_NULL);
	rq.size = 100u << 20;
	b->a->alloc(b->heap, &rq, &rs);
	assert_int_equal(rs.status, SF_NULL);
	/* A page or less never falls back. */
	rq.size = 4096;
	b->a->alloc(b->heap, &rq, &rs);
	b->a->place(b->heap, rs.addr, &pl);
	assert_int_equal(pl.kind, SF_PLACE_SLAB);
	bench_end(b);
}

static void products_that_overflow(void **state)
{
	struct bench *b = bench_new(4096, 1);
	struct sf_request rq = { .api = SF_API_KMALLOC, .gfp = SF_GFP_KERNEL, .array = true,
				 .n = 1ull << 33, .size = 1ull << 33 };
	struct sf_result rs;

	(void)state;
	b->a->alloc(b->heap, &rq, &rs);
	assert_int_equal(rs.status, SF_NULL);
	rq.n = 3;
	rq.size = 100;
	b->a->alloc(b->heap, &rq, &rs);
	assert_int_equal(b->a->usable(b->heap, rs.addr), 512);
	bench_end(b);
}

static void misuse_is_noticed_where_the_kernel_notices(void **state)
{
	struct bench *b = bench_new(4096, 1);
	struct sf_result rs;

	(void)state;
	b->a->free(b->heap, 0, SF_KFREE, &rs);
	assert_int_equal(rs.status, SF_OK);
	b->a->free(b->heap, SF_ZERO_SIZE_PTR, SF_KFREE, &rs);
	assert_int_equal(rs.status, SF_OK);
	b->heard.warns = 0;
	b->a->free(b->heap, SF_DIRECT_MAP + 1000 * SF_PAGE_SIZE, SF_KFREE, &rs);
	assert_int_equal(rs.status, SF_NOTICED);
	assert_int_equal(b->heard.warns, 1);
	bench_end(b);
}

static void failslab_fires_once(void **state)
{
	struct bench *b = bench_new(4096, 1);

	(void)state;
	b->a->fail(b->heap, SF_FAULT_SLAB, 1);
	assert_true(kmalloc(b, 64, SF_GFP_KERNEL) != 0);
	assert_true(kmalloc(b, 64, SF_GFP_KERNEL) == 0);
	assert_true(kmalloc(b, 64, SF_GFP_KERNEL) != 0);
	/* It never hits __GFP_NOFAIL. */
	b->a->fail(b->heap, SF_FAULT_SLAB, 0);
	assert_true(kmalloc(b, 64, SF_GFP_KERNEL | SF_GFP_NOFAIL) != 0);
	bench_end(b);
}

static void reset_is_exact(void **state)
{
	struct bench *b = bench_new(4096, 2);
	uint64_t first[200], again[200];

	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		uint64_t *p = round ? again : first;

		for (unsigned int i = 0; i < 200; i++) {
			p[i] = kmalloc(b, 1 + i * 61, SF_GFP_KERNEL);
			assert_true(p[i] != 0);
			b->a->fill(b->heap, p[i], 1 + i * 61, i, SF_CONTENTS_WHOLE);
			if (i % 3 == 0)
				kfree(b, p[i]);
			b->a->set_cpu(b->heap, i & 1);
		}
		b->a->reset(b->heap);
	}
	assert_memory_equal(first, again, sizeof(first));
	/* Fresh memory is zero again, all of it. */
	for (unsigned int i = 0; i < 200; i++) {
		uint64_t p = kmalloc(b, 5000, SF_GFP_KERNEL);

		assert_true(b->a->zeroed(b->heap, p, 8, 2048, SF_CONTENTS_WHOLE) == SF_GOOD);
	}
	bench_end(b);
}

/* Linux 7.2: no check on the sheaf path; free twice, and the next two allocations are the same. */
static void double_free_is_silent_on_the_sheaf_path(void **state)
{
	struct bench *b = bench_new(4096, 1);
	uint64_t p = kmalloc(b, 64, SF_GFP_KERNEL);

	(void)state;
	b->heard.warns = 0;
	kfree(b, p);
	kfree(b, p);
	assert_int_equal(b->heard.warns, 0);
	assert_true(kmalloc(b, 64, SF_GFP_KERNEL) == p);
	assert_true(kmalloc(b, 64, SF_GFP_KERNEL) == p);
	bench_end(b);
}

/* --- the order and the words of free lists --- */

#define ORDERS_MAX 64

/* What a cache's slabs were reported to be. */
struct watch {
	uint32_t cache;
	uint64_t secret;
	uint32_t freeptr, nr_orders, warns;
	struct {
		uint64_t pfn, addr, dirty;
		uint16_t objects, index[512];
	} order[ORDERS_MAX];
	uint64_t new_pfn, new_addr, new_dirty;
	struct sf_ev_snapslab slab; /* the first on the partial list */
	uint64_t free[512], stored[512];
};

static void watch(void *ctx, const struct sf_event *ev)
{
	struct watch *w = ctx;

	if (ev->type == SF_EV_WARN)
		w->warns++;
	if (ev->type == SF_EV_CACHE && ev->cache.id == w->cache) {
		w->secret = ev->cache.secret;
		w->freeptr = ev->cache.freeptr;
	}
	if (ev->type == SF_EV_SLAB_NEW && ev->slab.cache == w->cache) {
		w->new_pfn = ev->slab.pfn;
		w->new_addr = ev->slab.addr;
		w->new_dirty = ev->slab.dirty;
	}
	if (ev->type == SF_EV_SLAB_ORDER && ev->slaborder.cache == w->cache) {
		assert_true(w->nr_orders < ORDERS_MAX && ev->slaborder.objects <= 512);
		assert_int_equal(ev->slaborder.pfn, w->new_pfn);
		w->order[w->nr_orders].pfn = ev->slaborder.pfn;
		w->order[w->nr_orders].addr = w->new_addr;
		w->order[w->nr_orders].dirty = w->new_dirty;
		w->order[w->nr_orders].objects = ev->slaborder.objects;
		memcpy(w->order[w->nr_orders++].index, ev->slaborder.index,
		       ev->slaborder.objects * sizeof(uint16_t));
	}
	if (ev->type == SF_EV_SNAP_SLAB && ev->snapslab.cache == w->cache &&
	    ev->snapslab.list == SF_SLAB_PARTIAL && ev->snapslab.position == 0) {
		w->slab = ev->snapslab;
		assert_true(ev->snapslab.nr_free <= 512);
		memcpy(w->free, ev->snapslab.free, ev->snapslab.nr_free * sizeof(w->free[0]));
		if (ev->snapslab.stored)
			memcpy(w->stored, ev->snapslab.stored,
			       ev->snapslab.nr_free * sizeof(w->stored[0]));
	}
}

/* A heap with these settings and a cache of that size, the first that is made. */
static struct bench *watched(struct watch *w, const struct sf_settings *set, uint32_t size,
			     uint32_t flags)
{
	static struct bench b;
	struct sf_error err;
	bool merged;

	memset(w, 0, sizeof(*w));
	memset(&b, 0, sizeof(b));
	b.a = &sf_baseline;
	b.set = *set;
	b.sink = (struct sf_sink){ .emit = watch, .ctx = w, .op = SF_NONE };
	b.heap = b.a->create(b.a, &b.set, &b.sink, &err);
	assert_non_null(b.heap);
	if (size) {
		w->cache = 52;
		assert_int_equal(create(&b, "watched", size, 0, flags | SF_SLAB_NO_MERGE, 0,
					&merged), w->cache);
	}
	return &b;
}

static struct sf_settings settings(uint64_t pages)
{
	struct sf_settings set;

	sf_settings_init(&set);
	set.pages = pages;
	set.cpus = 1;
	return set;
}

static uint64_t cache_alloc(struct bench *b, uint32_t cache)
{
	struct sf_result rs;

	b->a->cache_alloc(b->heap, cache, SF_GFP_KERNEL, &rs);
	assert_int_equal(rs.status, SF_OK);
	return rs.addr;
}

static uint8_t cache_free(struct bench *b, uint32_t cache, uint64_t addr)
{
	struct sf_result rs;

	b->a->cache_free(b->heap, cache, addr, &rs);
	return rs.status;
}

/* Is `b` the cyclic sequence `a` from another place on, without what a smaller slab has not? */
static bool is_rotation(const uint16_t *a, unsigned int n, const uint16_t *b, unsigned int m)
{
	uint16_t left[512];
	unsigned int k = 0, at = 0;

	for (unsigned int i = 0; i < n; i++)
		if (a[i] < m)
			left[k++] = a[i];
	if (k != m)
		return false;
	while (at < m && left[at] != b[0])
		at++;
	for (unsigned int i = 0; i < m; i++)
		if (left[(at + i) % m] != b[i])
			return false;
	return true;
}

/* Ascending without, rotations of one order with; reported as the objects then come. */
static void slabs_hand_out_in_their_order(void **state)
{
	struct sf_settings set = settings(4096);
	static struct watch w;

	(void)state;
	set.sheaves = 0;
	for (set.freelist_random = 0; set.freelist_random < 2; set.freelist_random++) {
		struct bench *b = watched(&w, &set, 512, 0);
		unsigned int starts = 0, ascending = 0;
		uint16_t first[512];
		struct sf_place pl;

		for (unsigned int i = 0; i < 20 * 8; i++) {
			uint64_t p = cache_alloc(b, w.cache);
			unsigned int slab = w.nr_orders - 1;

			b->a->place(b->heap, p, &pl);
			assert_int_equal(pl.objects, 8);
			assert_true(pl.base == w.order[slab].addr);
			assert_int_equal(pl.index, w.order[slab].index[i % 8]);
		}
		assert_int_equal(w.nr_orders, 20);
		for (unsigned int i = 0; i < 20; i++) {
			assert_int_equal(w.order[i].objects, 8);
			assert_true(is_rotation(w.order[0].index, 8, w.order[i].index, 8));
			starts |= 1u << w.order[i].index[0];
			for (unsigned int k = 0; k < 8; k++)
				ascending += w.order[i].index[k] == k;
		}
		assert_int_equal(ascending == 160, !set.freelist_random);
		/* Where they begin is random. */
		assert_true(set.freelist_random ? (starts & (starts - 1)) != 0 : starts == 1);
		/* Reset: the same again; another seed: another order. */
		memcpy(first, w.order[0].index, sizeof(first));
		b->a->reset(b->heap);
		w.nr_orders = 0;
		assert_int_equal(create(b, "watched", 512, 0, SF_SLAB_NO_MERGE, 0,
					&(bool){ false }), w.cache);
		cache_alloc(b, w.cache);
		assert_memory_equal(w.order[0].index, first, 8 * sizeof(first[0]));
		bench_end(b);
	}
}

/* Caches differ from one another, seeds from one another; the permutation is any. */
static void orders_differ_by_cache_and_seed(void **state)
{
	struct sf_settings set = settings(256);
	unsigned int same = 0;
	static struct watch w;
	uint16_t last[64] = { 0 };

	(void)state;
	set.freelist_random = 1;
	set.sheaves = set.watermarks = 0;
	for (set.seed = 0; set.seed < 50; set.seed++) {
		struct bench *b = watched(&w, &set, 64, 0);

		cache_alloc(b, w.cache);
		assert_int_equal(w.order[0].objects, 64);
		same += is_rotation(last, 64, w.order[0].index, 64);
		memcpy(last, w.order[0].index, sizeof(last));
		w.cache++;
		create(b, "second", 64, 0, SF_SLAB_NO_MERGE, 0, &(bool){ false });
		cache_alloc(b, w.cache);
		same += is_rotation(last, 64, w.order[1].index, 64);
		bench_end(b);
	}
	assert_int_equal(same, 0);
}

/* A slab of the smallest order leaves out what it has no room for. */
static void small_slabs_skip(void **state)
{
	struct sf_settings set = settings(256);
	static uint64_t page[256];
	static struct watch w;
	unsigned int nr = 0, starts = 0;
	struct sf_result rs;
	struct bench *b;

	(void)state;
	set.freelist_random = 1;
	set.sheaves = set.watermarks = 0;
	b = watched(&w, &set, 1024, 0);
	cache_alloc(b, w.cache);
	assert_int_equal(w.order[0].objects, 8);
	for (;;) {
		b->a->pages_alloc(b->heap, SF_GFP_KERNEL, 0, &rs);
		if (!rs.addr)
			break;
		page[nr++] = rs.addr;
	}
	/* Every other page is free: no slab of order 1 can be had. */
	for (unsigned int i = 0; i < nr; i++)
		if (page[i] >> SF_PAGE_SHIFT & 1)
			b->a->pages_free(b->heap, page[i], 0);
	while (w.nr_orders < 40)
		cache_alloc(b, w.cache);
	for (unsigned int i = 1; i < 40; i++) {
		assert_int_equal(w.order[i].objects, 4);
		assert_true(is_rotation(w.order[0].index, 8, w.order[i].index, 4));
		starts |= 1u << w.order[i].index[0];
	}
	assert_int_equal(starts, 15);
	bench_end(b);
}

/* Stored words are the pointers of the list XOR the cache's secret XOR their own place, swapped. */
static void hardened_words(void **state)
{
	static const uint32_t flags[] = { 0, SF_SLAB_CTOR };
	struct sf_settings set = settings(4096);
	static struct watch w;

	(void)state;
	set.sheaves = 0;
	for (unsigned int n = 0; n < 8; n++) {
		struct bench *b;
		uint64_t p[64], at, word;

		set.freelist_hardened = n & 1;
		set.slab_virtual = n >> 1 & 1;
		b = watched(&w, &set, 64, flags[n >> 2]);
		assert_int_equal(w.secret != 0, set.freelist_hardened);
		for (unsigned int i = 0; i < 20; i++)
			p[i] = cache_alloc(b, w.cache);
		for (unsigned int i = 0; i < 20; i += 3)
			assert_int_equal(cache_free(b, w.cache, p[i]), SF_OK);
		b->a->walk(b->heap, &b->sink, true, false);
		assert_int_equal(w.slab.error, SF_WALK_OK);
		assert_true(w.slab.nr_free > 10);
		assert_true(w.free[0] == p[18] && w.free[6] == p[0]);
		for (unsigned int i = 0; i < w.slab.nr_free; i++) {
			at = w.free[i] + w.freeptr;
			assert_int_equal(b->a->peek(b->heap, at, &word, 8), 8);
			if (set.freelist_hardened) {
				assert_true(w.stored[i] == word);
				word ^= w.secret ^ __builtin_bswap64(at);
			}
			assert_true(word == (i + 1 < w.slab.nr_free ? w.free[i + 1] : 0));
		}
		bench_end(b);
	}
}

/* No check on the sheaf path; the list's head is looked at, and nothing but the head. */
static void hardened_double_free(void **state)
{
	struct sf_settings set = settings(4096);
	static struct watch w;

	(void)state;
	set.misuse = 1;
	for (unsigned int n = 0; n < 4; n++) {
		struct bench *b;
		uint64_t p, q;

		set.freelist_hardened = n & 1;
		set.sheaves = n >> 1;
		b = watched(&w, &set, 64, 0);
		p = cache_alloc(b, w.cache);
		q = cache_alloc(b, w.cache);
		cache_alloc(b, w.cache);
		assert_int_equal(cache_free(b, w.cache, p), SF_OK);
		assert_int_equal(cache_free(b, w.cache, p),
				 n == 1 ? SF_NOTICED : SF_OK);
		assert_int_equal(w.warns, n == 1);
		if (n == 1) { /* dropped: the list is whole */
			assert_true(cache_alloc(b, w.cache) == p);
			assert_true(cache_alloc(b, w.cache) != p);
		} else { /* handed out twice; without sheaves for ever */
			for (unsigned int i = 0; i < (set.sheaves ? 2 : 100); i++)
				assert_true(cache_alloc(b, w.cache) == p);
		}
		/* Not in a row: p q p makes a circle, and it is not seen. */
		w.warns = 0;
		cache_free(b, w.cache, p);
		cache_free(b, w.cache, q);
		assert_int_equal(cache_free(b, w.cache, p), SF_OK);
		assert_int_equal(w.warns, 0);
		bench_end(b);
	}
}

/* kmem_cache_free() to another cache: looked at only if hardened. What is in no slab: always. */
static void wrong_cache(void **state)
{
	struct sf_settings set = settings(4096);
	static struct watch w;

	(void)state;
	set.misuse = 1;
	for (set.freelist_hardened = 0; set.freelist_hardened < 2; set.freelist_hardened++) {
		struct bench *b = watched(&w, &set, 64, 0);
		uint64_t p = kmalloc(b, 64, SF_GFP_KERNEL), big = kmalloc(b, 9000, SF_GFP_KERNEL);

		assert_int_equal(cache_free(b, w.cache, p),
				 set.freelist_hardened ? SF_NOTICED : SF_OK);
		assert_int_equal(w.warns, set.freelist_hardened);
		if (!set.freelist_hardened) /* it is the other cache's now */
			assert_true(cache_alloc(b, w.cache) == p);
		w.warns = 0;
		assert_int_equal(cache_free(b, w.cache, big), SF_NOTICED);
		assert_int_equal(w.warns, 1);
		bench_end(b);
	}
}

/* As a kernel: an address inside an object is taken for one; in a block's first page for it. */
static void inner_frees(void **state)
{
	struct sf_settings set = settings(4096);
	static struct watch w;
	struct bench *b;
	struct sf_result rs;
	uint64_t p;

	(void)state;
	set.misuse = 1;
	b = watched(&w, &set, 0, 0);
	p = kmalloc(b, 128, SF_GFP_KERNEL);
	kfree(b, p + 40);
	assert_true(kmalloc(b, 128, SF_GFP_KERNEL) == p + 40);
	kfree(b, p + 43);
	assert_true(kmalloc(b, 128, SF_GFP_KERNEL) == p + 40);
	p = kmalloc(b, 50000, SF_GFP_KERNEL);
	b->a->free(b->heap, p + 4096, SF_KFREE, &rs);
	assert_int_equal(rs.status, SF_NOTICED);
	kfree(b, p + 4095);
	b->a->free(b->heap, p, SF_KFREE, &rs);
	assert_int_equal(rs.status, SF_NOTICED);
	p = kvrealloc(b, 0, 6u << 20, SF_GFP_KERNEL);
	b->a->free(b->heap, p, SF_KVFREE, &rs);
	assert_int_equal(rs.status, SF_OK);
	b->a->free(b->heap, p, SF_KVFREE, &rs);
	assert_int_equal(rs.status, SF_NOTICED);
	/* Under slab_virtual a slab's frames are no slab: its addresses are elsewhere. */
	bench_end(b);
	set.slab_virtual = 1;
	b = watched(&w, &set, 64, 0);
	p = cache_alloc(b, w.cache);
	assert_true(w.new_addr >= SF_SLAB_WINDOW);
	b->a->free(b->heap, SF_DIRECT_MAP + (w.new_pfn << SF_PAGE_SHIFT), SF_KFREE, &rs);
	assert_int_equal(rs.status, SF_NOTICED);
	kfree(b, p);
	bench_end(b);
}

/*
 * Bulk frees past the sheaves: objects of one slab are linked as they are found, and a cache
 * without sheaves turns them round once more (mm/slub.c:slab_free_freelist_hook).
 */
static void bulk_frees_link_slabs(void **state)
{
	struct sf_settings set = settings(4096);
	static struct watch w;

	(void)state;
	for (set.sheaves = 0; set.sheaves < 2; set.sheaves++) {
		struct bench *b = watched(&w, &set, 256, 0);
		struct sf_result rs;
		uint64_t p[80]; /* of 16 a slab */

		bulk_alloc(b, w.cache, 80, p);
		b->a->cache_free_bulk(b->heap, w.cache, 28, p, &rs); /* a sheaf is full */
		w.slab.nr_free = 0;
		b->a->cache_free_bulk(b->heap, w.cache, 4, p + 64, &rs);
		b->a->walk(b->heap, &b->sink, true, false);
		if (set.sheaves) {
			assert_int_equal(w.slab.nr_free, 4);
			for (unsigned int i = 0; i < 4; i++)
				assert_true(w.free[i] == p[64 + i]);
		} else {
			/* The first slab's 16 were freed first, the last of them is the head. */
			assert_int_equal(w.slab.pfn, w.order[1].pfn);
			assert_true(w.free[0] == p[27] && w.free[11] == p[16]);
		}
		bench_end(b);
	}
}

/* --- init_on_free --- */

static uint64_t bytes_set(struct bench *b, uint64_t addr, uint64_t len)
{
	static uint8_t bytes[16384];
	uint64_t n = 0;

	assert_int_equal(b->a->peek(b->heap, addr, bytes, len), len);
	for (uint64_t i = 0; i < len; i++)
		n += bytes[i] != 0;
	return n;
}

/* What is freed is wiped, slack and all; not a constructor's, nor what kfree_nolock() takes. */
static void frees_wipe(void **state)
{
	struct sf_settings set = settings(4096);
	static struct watch w;

	(void)state;
	set.init_on_free = 1;
	for (unsigned int n = 0; n < 4; n++) {
		uint32_t flags = n & 1 ? SF_SLAB_CTOR : 0;
		struct bench *b;
		struct sf_result rs;
		uint64_t p, q;

		set.sheaves = n >> 1;
		b = watched(&w, &set, 100, flags);
		p = cache_alloc(b, w.cache);
		cache_alloc(b, w.cache);
		assert_int_equal(w.order[0].dirty == SF_GOOD, true);
		b->a->fill(b->heap, p, 100, 3, SF_CONTENTS_WHOLE);
		cache_free(b, w.cache, p);
		if (flags)
			assert_true(bytes_set(b, p, 100) > 90);
		else if (set.sheaves)
			assert_int_equal(bytes_set(b, p, 104), 0);
		else /* but for the free pointer */
			assert_true(bytes_set(b, p, 48) == 0 && bytes_set(b, p + 56, 48) == 0);
		assert_true(cache_alloc(b, w.cache) == p);
		assert_int_equal(bytes_set(b, p, 100) != 0, flags != 0);

		q = kmalloc(b, 4096, SF_GFP_KERNEL);
		b->a->fill(b->heap, q, 4096, 4, SF_CONTENTS_WHOLE);
		b->a->free(b->heap, q, SF_KFREE_NOLOCK, &rs);
		assert_true(bytes_set(b, q, 4096) > 4000);
		/* Only where the free pointer is: it is cleared. */
		assert_true(kmalloc(b, 4096, SF_GFP_KERNEL) == q);
		assert_int_equal(bytes_set(b, q + 2048, 8), 0);
		assert_true(bytes_set(b, q, 2048) > 2000);
		bench_end(b);
	}
}

/* A slab's pages are zero before its list is written, also when they had other owners. */
static void fresh_slabs_are_zero(void **state)
{
	struct sf_settings set = settings(256);
	static struct watch w;
	struct sf_result rs;
	struct bench *b;

	(void)state;
	set.init_on_free = 1;
	set.watermarks = 0;
	b = watched(&w, &set, 1024, 0);
	for (unsigned int i = 0; i < 40; i++) {
		uint64_t p[32];

		b->a->pages_alloc(b->heap, SF_GFP_KERNEL, 5, &rs);
		b->a->fill(b->heap, rs.addr, 32 * 4096, i, SF_CONTENTS_WHOLE);
		b->a->pages_free(b->heap, rs.addr, 5);
		bulk_alloc(b, w.cache, 32, p);
		for (unsigned int k = 0; k < 32; k++)
			b->a->fill(b->heap, p[k], 1024, i, SF_CONTENTS_WHOLE);
		b->a->cache_free_bulk(b->heap, w.cache, 32, p, &rs);
		b->a->cache_shrink(b->heap, w.cache);
		for (unsigned int k = 0; k < w.nr_orders; k++)
			assert_true(w.order[k].dirty == SF_GOOD);
		w.nr_orders = 0;
	}
	bench_end(b);
}

/* --- slab_virtual --- */

/* Caches come and go over the same frames; an address is one cache's for ever. */
static void addresses_are_never_reused(void **state)
{
	struct sf_settings set = settings(512);
	static uint32_t owner[1 << 16];
	unsigned int reused = 0, frames[512] = { 0 };
	static struct watch w;
	struct sf_place pl;
	struct bench *b;
	bool merged;

	(void)state;
	set.slab_virtual = 1;
	set.watermarks = 0;
	b = watched(&w, &set, 0, 0);
	memset(owner, 0, sizeof(owner));
	for (unsigned int round = 0; round < 200; round++) {
		uint32_t cache = create(b, "short-lived", 64 << round % 7, 0, SF_SLAB_NO_MERGE, 0,
					&merged);

		for (unsigned int again = 0; again < 3; again++) {
			uint64_t p[64];

			for (unsigned int i = 0; i < 64; i++) {
				uint32_t *o;

				p[i] = cache_alloc(b, cache);
				b->a->place(b->heap, p[i], &pl);
				assert_true(pl.base >= SF_SLAB_WINDOW && p[i] >= pl.base);
				o = &owner[(p[i] - SF_SLAB_WINDOW) >> SF_PAGE_SHIFT];
				assert_true(*o == 0 || *o == cache + 1);
				reused += again && *o;
				*o = cache + 1;
				frames[pl.pfn]++;
				b->a->fill(b->heap, p[i], 64 << round % 7, i, SF_CONTENTS_WHOLE);
			}
			for (unsigned int i = 0; i < 64; i++) {
				assert_true(b->a->verify(b->heap, p[i], 64 << round % 7, i,
							 SF_CONTENTS_WHOLE) == SF_GOOD);
				assert_int_equal(cache_free(b, cache, p[i]), SF_OK);
			}
			assert_int_equal(b->a->cache_shrink(b->heap, cache), 0);
		}
		assert_int_equal(b->a->cache_destroy(b->heap, cache), SF_OK);
	}
	assert_true(reused > 1000);
	for (unsigned int i = 0; i < 512; i++)
		assert_true(frames[i] < 200 * 3 * 64);
	/* As at boot after reset. */
	b->a->reset(b->heap);
	assert_true(kmalloc(b, 8, SF_GFP_KERNEL) - SF_SLAB_WINDOW < 4096);
	bench_end(b);
}

/* --- misuse --- */

#define THINGS 96

/* Everything that a run of misuse may do, drawn from `x`; nothing of it may stop the model. */
struct vandal {
	struct bench *b;
	uint64_t x;
	uint64_t live[THINGS], dead[THINGS];
	uint8_t sort[THINGS]; /* of live: 0 kmalloc, else a cache's, plus 1 */
	uint32_t nr_live, nr_dead, cache[4];
	unsigned int heard; /* complaints */
};

static uint64_t draw(struct vandal *v, uint64_t below)
{
	v->x ^= v->x << 13;
	v->x ^= v->x >> 7;
	v->x ^= v->x << 17;
	return (v->x >> 11) % below;
}

static void keep(struct vandal *v, uint64_t addr, uint8_t sort)
{
	if (addr <= SF_ZERO_SIZE_PTR || v->nr_live == THINGS)
		return;
	v->sort[v->nr_live] = sort;
	v->live[v->nr_live++] = addr;
}

static uint64_t someplace(struct vandal *v)
{
	if (v->nr_dead && draw(v, 2))
		return v->dead[draw(v, v->nr_dead)];
	return v->nr_live ? v->live[draw(v, v->nr_live)] : SF_DIRECT_MAP;
}

/* Bytes turned over, words that could be free pointers, zeroes, anything. */
static void scribble(struct vandal *v)
{
	uint64_t word[40], at = someplace(v) + draw(v, 400) - 120, len = 1 + draw(v, 300);
	uint64_t how = draw(v, 4);

	if (draw(v, 32) == 0)
		at = draw(v, UINT64_MAX);
	if (how == 1)
		at &= ~7ull;
	memset(word, 0, sizeof(word));
	v->b->a->peek(v->b->heap, at, word, len);
	for (unsigned int i = 0; i < 40; i++) {
		if (how == 0)
			word[i] = ~word[i];
		else if (how == 1)
			word[i] = someplace(v) + draw(v, 3) * draw(v, 200);
		else
			word[i] = how == 2 ? 0 : draw(v, UINT64_MAX);
	}
	v->b->a->poke(v->b->heap, at, word, len);
}

static void free_something(struct vandal *v)
{
	const struct sf_allocator *a = v->b->a;
	uint32_t i = v->nr_live ? (uint32_t)draw(v, v->nr_live) : 0;
	struct sf_result rs;
	uint64_t addr;
	uint8_t sort;

	if (!v->nr_live)
		return;
	addr = v->live[i];
	sort = v->sort[i];
	v->live[i] = v->live[--v->nr_live];
	v->sort[i] = v->sort[v->nr_live];
	v->dead[v->nr_dead < THINGS ? v->nr_dead++ : draw(v, THINGS)] = addr;
	if (sort)
		a->cache_free(v->b->heap, v->cache[sort - 1], addr, &rs);
	else
		a->free(v->b->heap, addr, (enum sf_free_how)draw(v, SF_FREE_HOWS), &rs);
}

static void bulk_something(struct vandal *v)
{
	const struct sf_allocator *a = v->b->a;
	uint64_t p[70];
	uint32_t n = 1 + (uint32_t)draw(v, 70), cache = v->cache[draw(v, 4)];
	struct sf_result rs;

	a->cache_alloc_bulk(v->b->heap, cache, SF_GFP_KERNEL, n, p, &rs);
	if (rs.status != SF_OK)
		return;
	if (draw(v, 4) == 0) /* a mistake in the array */
		p[draw(v, n)] = someplace(v) & ~7ull;
	a->cache_free_bulk(v->b->heap, cache, n, p, &rs);
}

static void misuse_something(struct vandal *v)
{
	const struct sf_allocator *a = v->b->a;
	struct sf_heap *h = v->b->heap;
	struct sf_result rs;

	switch (draw(v, 6)) {
	case 0:
		a->free(h, someplace(v), (enum sf_free_how)draw(v, SF_FREE_HOWS), &rs);
		break;
	case 1:
		a->free(h, someplace(v) + 1 + draw(v, draw(v, 2) ? 65535 : 100), SF_KFREE, &rs);
		break;
	case 2:
		a->cache_free(h, v->cache[draw(v, 4)], someplace(v), &rs);
		break;
	case 3:
		a->free(h, draw(v, UINT64_MAX), (enum sf_free_how)draw(v, SF_FREE_HOWS), &rs);
		break;
	default:
		scribble(v);
	}
}

static void act(struct vandal *v)
{
	const struct sf_allocator *a = v->b->a;
	struct sf_heap *h = v->b->heap;
	struct sf_request rq = { .api = SF_API_KMALLOC, .gfp = SF_GFP_KERNEL, .n = 1,
				 .bucket = SF_NONE, .size = 1ull << draw(v, 15) };
	struct sf_result rs;
	uint32_t i;

	switch (draw(v, 16)) {
	case 0:
		a->set_cpu(h, (unsigned int)draw(v, v->b->set.cpus));
		break;
	case 1:
		a->cache_shrink(h, v->cache[draw(v, 4)]);
		break;
	case 2:
		bulk_something(v);
		break;
	case 3:
		i = v->nr_live ? (uint32_t)draw(v, v->nr_live) : 0;
		if (!v->nr_live || v->sort[i])
			break;
		rq.api = draw(v, 2) ? SF_API_KVMALLOC : SF_API_KMALLOC;
		rq.gfp |= draw(v, 2) ? SF_GFP_ZERO : 0;
		a->realloc(h, v->live[i], &rq, &rs);
		if (rs.addr)
			v->live[i] = rs.addr;
		break;
	case 4:
		i = (uint32_t)draw(v, 4);
		a->cache_alloc(h, v->cache[i], SF_GFP_KERNEL | (draw(v, 2) ? SF_GFP_ZERO : 0), &rs);
		keep(v, rs.addr, (uint8_t)(i + 1));
		break;
	case 5:
	case 6:
	case 7:
		rq.api = draw(v, 4) ? SF_API_KMALLOC : SF_API_NOLOCK;
		rq.type_align = draw(v, 2) ? 8 : 0;
		a->alloc(h, &rq, &rs);
		keep(v, rs.addr, 0);
		break;
	case 8:
	case 9:
	case 10:
		free_something(v);
		break;
	case 11:
		a->usable(h, someplace(v) + draw(v, 100));
		a->walk(h, &v->b->sink, true, false);
		break;
	default:
		misuse_something(v);
	}
}

/* A hash of what the events say, members that matter. */
static void digest(void *ctx, const struct sf_event *ev)
{
	uint64_t *sum = ctx, v[6] = { ev->type };

	if (ev->type == SF_EV_SNAP_SLAB) {
		v[1] = ev->snapslab.pfn;
		v[2] = ev->snapslab.inuse;
		v[3] = ev->snapslab.nr_free;
		v[4] = ev->snapslab.addr;
		v[5] = ev->snapslab.nr_free ? ev->snapslab.free[ev->snapslab.nr_free / 2] : 0;
	} else if (ev->type == SF_EV_SLAB_NEW) {
		v[1] = ev->slab.pfn;
		v[2] = ev->slab.addr;
	} else if (ev->type == SF_EV_SLAB_ORDER) {
		v[1] = ev->slaborder.index[0];
		v[2] = ev->slaborder.index[ev->slaborder.objects / 2];
	} else if (ev->type == SF_EV_SNAP_CACHE) {
		v[1] = ev->snapcache.nr_slabs;
		v[2] = ev->snapcache.nr_partial;
		v[3] = ev->snapcache.refs;
	} else if (ev->type == SF_EV_SNAP_BLOCK) {
		v[1] = ev->snapblock.pfn;
		v[2] = ev->snapblock.order;
	} else if (ev->type == SF_EV_CACHE) {
		v[1] = ev->cache.object_size;
		v[2] = ev->cache.secret;
	} else if (ev->type == SF_EV_SNAP_COUNTERS) {
		v[1] = ev->counters.nr_free_pages;
		v[2] = ev->counters.nr_slab_unreclaimable;
	}
	for (unsigned int i = 0; i < 6; i++)
		*sum = (*sum ^ v[i]) * 0x100000001b3ull;
}

/* Each complaint that slabs have, once. */
static void complaints(void *ctx, const struct sf_event *ev)
{
	static const char *const known[] = {
		"slab: free pointer corrupt", "slab: free list ends too early",
		"slab: object freed twice in a row", "slab: object freed whose slab is gone",
		"slab: more objects freed than are in use",
		"kmem_cache_free: object is not in a slab page",
		"kmem_cache_free: object belongs to different cache",
		"kfree: object not allocated by kmalloc",
		"large_kmalloc is not supported by kfree_nolock()", "Slab cache still has objects",
	};

	if (ev->type == SF_EV_WARN)
		for (unsigned int i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (!strcmp(ev->warn.what, known[i]))
				*(unsigned int *)ctx |= 1u << i;
}

static void make_caches(struct vandal *v)
{
	static const uint32_t size[] = { 64, 200, 1000, 5000 };
	static const uint32_t flags[] = { 0, SF_SLAB_CTOR, SF_SLAB_RECLAIM_ACCOUNT, 0 };

	for (unsigned int i = 0; i < 4; i++)
		v->cache[i] = create(v->b, "vandal", size[i], 0, flags[i] | SF_SLAB_NO_MERGE, 0,
				     &(bool){ false });
	v->nr_live = v->nr_dead = 0;
}

/* A run that does nothing wrong, and all that can be seen of it. */
static uint64_t clean_run(struct vandal *v)
{
	const struct sf_allocator *a = v->b->a;
	uint64_t sum = 0xcbf29ce484222325ull, p[120];
	struct sf_result rs;

	v->b->sink = (struct sf_sink){ .emit = digest, .ctx = &sum, .op = SF_NONE };
	a->walk(v->b->heap, &v->b->sink, false, false);
	make_caches(v);
	a->buckets_create(v->b->heap, "set", 0, 0);
	for (unsigned int i = 0; i < 120; i++)
		p[i] = i % 3 ? kmalloc(v->b, 1 + i * 37, SF_GFP_KERNEL) :
			       cache_alloc(v->b, v->cache[i % 4]);
	for (unsigned int i = 0; i < 120; i += 2)
		kfree(v->b, p[i]);
	a->walk(v->b->heap, &v->b->sink, false, false);
	for (unsigned int i = 1; i < 120; i += 2) {
		if (i % 3)
			a->free(v->b->heap, p[i], SF_KFREE_SENSITIVE, &rs);
		assert_true(a->zeroed(v->b->heap, kmalloc(v->b, 300, SF_GFP_KERNEL | SF_GFP_ZERO),
				      0, 300, SF_CONTENTS_WHOLE) == SF_GOOD);
	}
	a->walk(v->b->heap, &v->b->sink, true, false);
	v->b->sink = (struct sf_sink){ .emit = complaints, .ctx = &v->heard, .op = SF_NONE };
	a->reset(v->b->heap);
	return sum;
}

/* Thousands of runs of misuse: the models survive each, and reset is exact. */
static void misuse_is_survived(void **state)
{
	struct vandal v = { .x = 0x9e3779b97f4a7c15ull };
	struct sf_settings set = settings(512);
	struct watch unused;

	(void)state;
	set.misuse = 1;
	set.cpus = 2;
	set.watermarks = 0;
	for (unsigned int n = 0; n < 64; n++) {
		uint64_t sum;

		set.sheaves = n & 1;
		set.freelist_hardened = n >> 1 & 1;
		set.freelist_random = n >> 2 & 1;
		set.init_on_free = n >> 3 & 1;
		set.slab_virtual = n >> 4 & 1;
		set.slot_offset = n >> 5 & 1;
		set.seed = n;
		v.b = watched(&unused, &set, 0, 0);
		v.b->a->reset(v.b->heap);
		sum = clean_run(&v);
		for (unsigned int run = 0; run < 50; run++) {
			make_caches(&v);
			for (unsigned int i = 0; i < 200; i++)
				act(&v);
			for (unsigned int i = 0; i < 4; i++)
				v.b->a->cache_destroy(v.b->heap, v.cache[i]);
			v.b->a->walk(v.b->heap, &v.b->sink, true, true);
			v.b->a->reset(v.b->heap);
			if (run % 10 == 9)
				assert_true(clean_run(&v) == sum);
		}
		bench_end(v.b);
	}
	assert_int_equal(v.heard, (1u << 10) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(double_free_is_silent_on_the_sheaf_path),
		cmocka_unit_test(parked_objects_count_as_active),
		cmocka_unit_test(shrink_releases_everything),
		cmocka_unit_test(big_objects_stay_parked),
		cmocka_unit_test(freed_object_comes_back_first),
		cmocka_unit_test(selection_follows_gfp),
		cmocka_unit_test(every_size_has_its_class),
		cmocka_unit_test(krealloc_in_place_and_moved),
		cmocka_unit_test(stale_bytes_show_where_the_kernel_shows_them),
		cmocka_unit_test(ksize_may_exceed_object_size),
		cmocka_unit_test(merging),
		cmocka_unit_test(destroy_with_live_objects),
		cmocka_unit_test(shrink_sorts_fullest_first),
		cmocka_unit_test(bulk_alloc_copies_the_sheaf),
		cmocka_unit_test(bulk_free_makes_no_sheaf),
		cmocka_unit_test(bulk_free_keeps_one_slab_more),
		cmocka_unit_test(shrink_frees_on_each_cpu),
		cmocka_unit_test(usercopy_windows),
		cmocka_unit_test(nofail_holds_for_the_sheaf),
		cmocka_unit_test(vrealloc_in_place),
		cmocka_unit_test(kvmalloc_falls_back),
		cmocka_unit_test(products_that_overflow),
		cmocka_unit_test(misuse_is_noticed_where_the_kernel_notices),
		cmocka_unit_test(failslab_fires_once),
		cmocka_unit_test(reset_is_exact),
		cmocka_unit_test(slabs_hand_out_in_their_order),
		cmocka_unit_test(orders_differ_by_cache_and_seed),
		cmocka_unit_test(small_slabs_skip),
		cmocka_unit_test(hardened_words),
		cmocka_unit_test(hardened_double_free),
		cmocka_unit_test(wrong_cache),
		cmocka_unit_test(inner_frees),
		cmocka_unit_test(bulk_frees_link_slabs),
		cmocka_unit_test(frees_wipe),
		cmocka_unit_test(fresh_slabs_are_zero),
		cmocka_unit_test(addresses_are_never_reused),
		cmocka_unit_test(misuse_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
