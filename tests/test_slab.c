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
	b.heap = b.a->create(&b.set, &b.sink, &err);
	assert_non_null(b.heap);
	return &b;
}

static void bench_end(struct bench *b)
{
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
	b->heap = b->a->create(&b->set, &b->sink, &(struct sf_error){ 0 });
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
	b->heap = b->a->create(&b->set, &b->sink, &(struct sf_error){ 0 });
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
	b->heap = b->a->create(&b->set, &b->sink, &(struct sf_error){ 0 });
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
		b->heap = b->a->create(&b->set, &b->sink, &(struct sf_error){ 0 });
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
