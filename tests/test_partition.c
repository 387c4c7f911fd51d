// SPDX-License-Identifier: MIT
/*
 * test_partition.c - which cache an allocation goes to: partitions, buckets, flags and classes in
 * all variants, and what the type of an object changes in its slot.
 *
 * Caches are named as /proc/slabinfo names them, and known by the CACHE events. What is expected is
 * written down here, or computed a second time.
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

#include "each_allocator.h"

#define CACHES_MAX 1024

struct known_cache {
	struct sf_ev_cache ev;
	char name[64];
};

struct fixture {
	struct sf_settings set;
	struct sf_sink sink;
	struct sf_heap *heap;
	const struct sf_allocator *a;
	struct known_cache cache[CACHES_MAX];
	uint32_t nr_caches;
	uint64_t seed, warns, page_gfp;
	uint8_t slab_migratetype;
};

static void hear(void *ctx, const struct sf_event *ev)
{
	struct fixture *f = ctx;
	struct known_cache *t;

	if (ev->type == SF_EV_WARN)
		f->warns++;
	if (ev->type == SF_EV_HEAP)
		f->seed = ev->heap.partition_seed;
	if (ev->type == SF_EV_SLAB_NEW)
		f->page_gfp = ev->slab.gfp;
	if (ev->type != SF_EV_CACHE)
		return;
	assert_true(ev->cache.id < CACHES_MAX);
	t = &f->cache[ev->cache.id];
	t->ev = ev->cache;
	snprintf(t->name, sizeof(t->name), "%s", ev->cache.name);
	if (f->nr_caches <= ev->cache.id)
		f->nr_caches = ev->cache.id + 1;
}

static void boot(struct fixture *f)
{
	struct sf_error err;

	if (f->heap)
		f->a->destroy(f->heap);
	f->nr_caches = 0;
	f->sink = (struct sf_sink){ .emit = hear, .ctx = f, .op = SF_NONE };
	f->heap = f->a->create(f->a, &f->set, &f->sink, &err);
	assert_non_null(f->heap);
}

static struct fixture *fixture_new(const struct sf_allocator *a)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.a = a;
	sf_settings_init(&f.set);
	f.set.pages = 4096;
	boot(&f);
	return &f;
}

static void fixture_end(struct fixture *f)
{
	f->a->destroy(f->heap);
}

static struct sf_request request(uint64_t size, uint32_t gfp)
{
	return (struct sf_request){ .api = SF_API_KMALLOC, .gfp = gfp, .n = 1, .size = size,
				    .bucket = SF_NONE };
}

static uint64_t alloc(struct fixture *f, const struct sf_request *rq)
{
	struct sf_result rs;

	f->a->alloc(f->heap, rq, &rs);
	assert_int_equal(rs.status, rs.addr ? SF_OK : SF_NULL);
	return rs.addr;
}

static const struct known_cache *cache_of(struct fixture *f, uint64_t addr)
{
	struct sf_place pl;

	f->a->place(f->heap, addr, &pl);
	assert_int_equal(pl.kind, SF_PLACE_SLAB);
	assert_true(pl.cache < f->nr_caches);
	assert_int_equal(pl.partition, f->cache[pl.cache].ev.partition);
	return &f->cache[pl.cache];
}

static uint8_t kfree_how(struct fixture *f, uint64_t addr, enum sf_free_how how)
{
	struct sf_result rs;

	f->a->free(f->heap, addr, how, &rs);
	return rs.status;
}

static void kfree(struct fixture *f, uint64_t addr)
{
	assert_int_equal(kfree_how(f, addr, SF_KFREE), SF_OK);
}

/* Name of the cache that a request goes to; the object is freed again. */
static const char *goes_to(struct fixture *f, const struct sf_request *rq)
{
	uint64_t p = alloc(f, rq);
	const struct known_cache *t = cache_of(f, p);

	kfree(f, p);
	return t->name;
}

/* --- the truth table of include/linux/slab.h:kmalloc_type, class 64 --- */

/* A second idea of the hash: schoolbook multiplication in 16-bit digits, upper 4 bits. */
static unsigned int hash_4(uint64_t value)
{
	static const uint16_t golden[4] = { 0x83eb, 0x80b5, 0x8646, 0x61c8 };
	uint64_t digit[4] = { 0 };

	for (unsigned int i = 0; i < 4; i++)
		for (unsigned int k = 0; i + k < 4; k++) {
			uint64_t product = (value >> 16 * i & 0xffff) * golden[k];

			for (unsigned int d = i + k; d < 4; d++) {
				digit[d] += product & 0xffff;
				product = (product >> 16) + (digit[d] >> 16);
				digit[d] &= 0xffff;
			}
		}
	return (unsigned int)(digit[3] >> 12);
}

static bool partitioned(const struct sf_allocator *a)
{
	return a->caps & (SF_CAP_RANDOM | SF_CAP_TYPED);
}

static unsigned int due_partition(const struct fixture *f, const struct sf_request *rq)
{
	uint64_t place = 0xffffffff81000000ull;

	if (f->a->caps & SF_CAP_TYPED)
		return rq->token;
	if (!(f->a->caps & SF_CAP_RANDOM))
		return 0;
	place += (uint64_t)rq->site * 2654435769u % (1ull << 32) / 4096 * 16;
	return hash_4(place ^ f->seed);
}

static void due_name(char *to, const struct fixture *f, const struct sf_request *rq)
{
	bool dma = (rq->gfp & SF_GFP_DMA) && f->set.zone_dma;
	bool account = (rq->gfp & SF_GFP_ACCOUNT) && f->set.memcg;
	unsigned int partition = due_partition(f, rq);

	if (dma)
		strcpy(to, "dma-kmalloc-64");
	else if (rq->gfp & SF_GFP_RECLAIMABLE)
		strcpy(to, "kmalloc-rcl-64");
	else if (account)
		strcpy(to, f->set.nokmem ? "kmalloc-64" : "kmalloc-cg-64");
	else if (partition)
		sprintf(to, "kmalloc-part-%02u-64", partition);
	else
		strcpy(to, "kmalloc-64");
}

static void selection_truth_table(void **state)
{
	static const uint32_t bits[] = { SF_GFP_ACCOUNT, SF_GFP_RECLAIMABLE, SF_GFP_DMA,
					 SF_GFP_ZERO | SF_GFP_MOVABLE | SF_GFP_HARDWALL };
	unsigned int rows = 0, variants = 0;
	char due[64];

	(void)state;
	FOR_EACH_ALLOCATOR(of, SF_CAP_KMALLOC) {
		struct fixture *f = fixture_new(of);

		variants++;
		for (unsigned int how = 0; how < 8; how++) {
			f->set.memcg = how & 1;
			f->set.zone_dma = how >> 1 & 1;
			f->set.nokmem = (how >> 2 & 1) && f->set.memcg;
			boot(f);
			for (unsigned int row = 0; row < 16 * 8; row++) {
				struct sf_request rq = request(33 + row % 32, SF_GFP_KERNEL);

				for (unsigned int i = 0; i < 4; i++)
					rq.gfp |= row >> i & 1 ? bits[i] : 0;
				rq.site = row * 77;
				rq.token = (uint16_t)(row / 8);
				due_name(due, f, &rq);
				assert_string_equal(goes_to(f, &rq), due);
				rows++;
			}
		}
		fixture_end(f);
	}
	assert_true(variants >= 3);
	assert_int_equal(rows, variants * 8 * 128);
}

/* As a kernel reported them: the rows of the table for token 9, all options on. */
static void typed_selection_as_reported(void **state)
{
	struct fixture *f = fixture_new(&sf_typed);
	struct sf_request rq = request(64, SF_GFP_KERNEL);

	(void)state;
	rq.token = 9;
	assert_string_equal(goes_to(f, &rq), "kmalloc-part-09-64");
	rq.gfp = SF_GFP_KERNEL_ACCOUNT;
	assert_string_equal(goes_to(f, &rq), "kmalloc-cg-64");
	rq.gfp = SF_GFP_KERNEL_ACCOUNT | SF_GFP_RECLAIMABLE;
	assert_string_equal(goes_to(f, &rq), "kmalloc-rcl-64");
	rq.gfp = SF_GFP_KERNEL_ACCOUNT | SF_GFP_RECLAIMABLE | SF_GFP_DMA;
	assert_string_equal(goes_to(f, &rq), "dma-kmalloc-64");
	f->set.nokmem = 1;
	boot(f);
	rq.gfp = SF_GFP_KERNEL_ACCOUNT;
	assert_string_equal(goes_to(f, &rq), "kmalloc-64");
	f->set.nokmem = f->set.memcg = 0;
	boot(f);
	assert_string_equal(goes_to(f, &rq), "kmalloc-part-09-64");
	fixture_end(f);
}

/* 16 partitions of 13 classes, by name, kind, number and flag. */
static void partition_caches(void **state)
{
	static const uint32_t classes[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048,
					    4096, 8192 };
	(void)state;
	FOR_EACH_ALLOCATOR(of, SF_CAP_KMALLOC) {
		struct fixture *f = fixture_new(of);
		unsigned int seen[16][13] = { { 0 } };

		for (uint32_t i = 0; i < f->nr_caches; i++) {
			const struct sf_ev_cache *c = &f->cache[i].ev;
			char name[64], size[16];

			assert_true(c->boot);
			assert_int_equal(c->bucket, SF_NONE);
			assert_int_equal(c->secret, 0);
			if (c->kind != SF_CACHE_KMALLOC)
				continue;
			for (unsigned int k = 0; k < 13; k++)
				seen[c->partition][k] += classes[k] == c->class_size;
			assert_true(c->flags & SF_SLAB_NO_MERGE);
			snprintf(size, sizeof(size), c->class_size >= 1024 ? "%uk" : "%u",
				 c->class_size >= 1024 ? c->class_size / 1024 : c->class_size);
			if (c->partition)
				snprintf(name, sizeof(name), "kmalloc-part-%02u-%s", c->partition,
					 size);
			else
				snprintf(name, sizeof(name), "kmalloc-%s", size);
			assert_string_equal(f->cache[i].name, name);
		}
		for (unsigned int p = 0; p < 16; p++)
			for (unsigned int k = 0; k < 13; k++)
				assert_int_equal(seen[p][k], p == 0 || partitioned(of));
		fixture_end(f);
	}
}

/* Partitions beside MEMCG=n: partition 0 is NO_MERGE too, as there are others. */
static void partitions_never_merge(void **state)
{
	struct sf_cache_request rq = { .name = "alias", .size = 64 };
	bool merged;

	(void)state;
	FOR_EACH_ALLOCATOR(of, SF_CAP_KMALLOC) {
		struct fixture *f = fixture_new(of);

		f->set.memcg = f->set.usercopy = 0;
		boot(f);
		f->a->cache_create(f->heap, &rq, &merged);
		assert_int_equal(merged, !partitioned(of));
		/* Without MEMCG there is no SLAB_ACCOUNT to keep caches apart. */
		rq.flags = SF_SLAB_ACCOUNT;
		f->a->cache_create(f->heap, &rq, &merged);
		assert_true(merged);
		rq.flags = 0;
		fixture_end(f);
	}
}

/* Computed elsewhere (in another language) from what HEAP says for these seeds. */
static void random_partitions_as_computed(void **state)
{
	static const struct {
		uint64_t seed, reported;
		uint8_t part[20];
	} want[] = {
		{ 0, 0xa706dd2f4d197e6full,
		  { 2, 12, 10, 2, 2, 13, 4, 10, 12, 0, 7, 14, 6, 2, 1, 15, 11, 8, 6, 4 } },
		{ 1, 0x5e41ab087439611eull,
		  { 4, 14, 3, 15, 4, 0, 4, 10, 6, 10, 8, 5, 2, 2, 9, 7, 4, 12, 14, 7 } },
		{ 7, 0xb8b4c2977eabce45ull,
		  { 15, 10, 4, 7, 2, 13, 1, 10, 3, 2, 11, 0, 8, 15, 7, 3, 7, 10, 14, 7 } },
	};
	static const uint32_t more[] = { 65535, 12345, 4096, 100 };
	struct fixture *f = fixture_new(&sf_random);

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		f->set.seed = want[i].seed;
		boot(f);
		assert_true(f->seed == want[i].reported);
		for (uint32_t k = 0; k < 20; k++) {
			struct sf_request rq = request(200, SF_GFP_KERNEL);
			uint64_t p;

			rq.site = k < 16 ? k : more[k - 16];
			rq.token = 3;
			p = alloc(f, &rq);
			assert_int_equal(cache_of(f, p)->ev.partition, want[i].part[k]);
			assert_int_equal(cache_of(f, p)->ev.class_size, 256);
		}
	}
	fixture_end(f);
}

/* Within a boot a site has one partition, over reset too; over boots it has them all. */
static void random_sites_over_boots(void **state)
{
	struct fixture *f = fixture_new(&sf_random);
	unsigned int count[16] = { 0 };
	double chi2 = 0;

	(void)state;
	f->set.pages = 256;
	f->set.watermarks = 0;
	for (f->set.seed = 0; f->set.seed < 1600; f->set.seed++) {
		struct sf_request rq = request(8, SF_GFP_KERNEL);
		unsigned int part;

		boot(f);
		rq.site = 1234;
		part = cache_of(f, alloc(f, &rq))->ev.partition;
		count[part]++;
		f->a->reset(f->heap);
		assert_int_equal(cache_of(f, alloc(f, &rq))->ev.partition, part);
		rq.size = 16;
		assert_int_equal(cache_of(f, alloc(f, &rq))->ev.partition, part);
	}
	for (unsigned int i = 0; i < 16; i++)
		chi2 += (count[i] - 100.0) * (count[i] - 100.0) / 100;
	/* 15 degrees of freedom: beyond either once in a million; the seeds are fixed. */
	assert_true(chi2 < 56.49 && chi2 > 1.22);
	fixture_end(f);
}

static void typed_tokens_are_partitions(void **state)
{
	struct fixture *f = fixture_new(&sf_typed);

	(void)state;
	for (uint16_t token = 0; token < 16; token++) {
		for (uint64_t size = 1; size <= 8192; size = size * 2 + 1) {
			struct sf_request rq = request(size, SF_GFP_KERNEL);
			uint64_t p;

			rq.token = token;
			rq.site = (uint32_t)size;
			p = alloc(f, &rq);
			assert_int_equal(cache_of(f, p)->ev.partition, token);
			kfree(f, p);
		}
	}
	fixture_end(f);
}

/* What is larger than 8 KiB is in no cache, partitioned or not; kvmalloc below that is. */
static void only_small_kmalloc_is_partitioned(void **state)
{
	struct fixture *f = fixture_new(&sf_typed);
	struct sf_request rq = request(8193, SF_GFP_KERNEL);
	struct sf_place pl;

	(void)state;
	rq.token = 12;
	f->a->place(f->heap, alloc(f, &rq), &pl);
	assert_int_equal(pl.kind, SF_PLACE_LARGE);
	rq.api = SF_API_KVMALLOC;
	rq.size = 8192;
	assert_string_equal(goes_to(f, &rq), "kmalloc-part-12-8k");
	rq.size = 0;
	assert_true(alloc(f, &rq) == SF_ZERO_SIZE_PTR);
	fixture_end(f);
}

static uint64_t krealloc(struct fixture *f, uint64_t p, const struct sf_request *rq)
{
	struct sf_result rs;

	f->a->realloc(f->heap, p, rq, &rs);
	return rs.addr;
}

/* In place an object keeps its cache; moved it goes where the new call says. */
static void krealloc_keeps_or_moves(void **state)
{
	static const uint8_t apis[] = { SF_API_KMALLOC, SF_API_KVMALLOC };
	struct fixture *f = fixture_new(&sf_typed);

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct sf_request rq = request(40, SF_GFP_KERNEL);
		uint64_t p, q;

		rq.api = apis[i];
		rq.token = 3;
		p = alloc(f, &rq);
		rq.token = 11;
		rq.size = 64;
		assert_true(krealloc(f, p, &rq) == p);
		assert_string_equal(cache_of(f, p)->name, "kmalloc-part-03-64");
		rq.gfp = SF_GFP_KERNEL | SF_GFP_RECLAIMABLE;
		assert_true(krealloc(f, p, &rq) == p);
		rq.size = 65;
		rq.gfp = SF_GFP_KERNEL;
		q = krealloc(f, p, &rq);
		assert_string_equal(cache_of(f, q)->name, "kmalloc-part-11-96");
		rq.size = 200;
		rq.gfp = SF_GFP_KERNEL | SF_GFP_RECLAIMABLE;
		q = krealloc(f, q, &rq);
		assert_string_equal(cache_of(f, q)->name, "kmalloc-rcl-256");
		kfree(f, q);
	}
	fixture_end(f);
}

/* --- buckets --- */

static void bucket_caches(void **state)
{
	struct fixture *f = fixture_new(&sf_random);
	uint32_t first = f->nr_caches, id = f->a->buckets_create(f->heap, "msg_msg", 0, 100);
	struct sf_request rq = request(0, SF_GFP_KERNEL);
	static const struct {
		const char *name;
		uint32_t size, usersize;
	} want[] = {
		{ "msg_msg-96", 96, 96 },     { "msg_msg-192", 192, 100 },
		{ "msg_msg-8", 8, 8 },	      { "msg_msg-16", 16, 16 },
		{ "msg_msg-32", 32, 32 },     { "msg_msg-64", 64, 64 },
		{ "msg_msg-128", 128, 100 },  { "msg_msg-256", 256, 100 },
		{ "msg_msg-512", 512, 100 },  { "msg_msg-1k", 1024, 100 },
		{ "msg_msg-2k", 2048, 100 },  { "msg_msg-4k", 4096, 100 },
		{ "msg_msg-8k", 8192, 100 },
	};

	(void)state;
	assert_int_equal(id, 0);
	assert_int_equal(f->nr_caches, first + 13);
	for (unsigned int i = 0; i < 13; i++) {
		const struct known_cache *t = &f->cache[first + i];

		assert_string_equal(t->name, want[i].name);
		assert_int_equal(t->ev.class_size, want[i].size);
		assert_int_equal(t->ev.object_size, want[i].size);
		assert_int_equal(t->ev.usersize, want[i].usersize);
		assert_int_equal(t->ev.align, 8);
		assert_int_equal(t->ev.kind, SF_CACHE_BUCKET);
		assert_int_equal(t->ev.bucket, 0);
		assert_int_equal(t->ev.partition, 0);
		assert_int_equal(t->ev.flags, SF_SLAB_NO_MERGE);
		assert_false(t->ev.boot);
	}
	/* Flags, site and token count for nothing; too large and empty requests go by them. */
	rq.bucket = id;
	rq.site = 5;
	rq.token = 9;
	rq.gfp = SF_GFP_DMA | SF_GFP_RECLAIMABLE | SF_GFP_ACCOUNT;
	for (rq.size = 1; rq.size <= 8192; rq.size = rq.size * 5 / 4 + 1) {
		uint64_t p = alloc(f, &rq);

		assert_int_equal(cache_of(f, p)->ev.bucket, 0);
		assert_true(f->a->usable(f->heap, p) >= rq.size);
		assert_true(f->a->usable(f->heap, p) < 2 * rq.size + 8);
		kfree(f, p);
	}
	rq.size = 0;
	assert_true(alloc(f, &rq) == SF_ZERO_SIZE_PTR);
	rq.gfp = SF_GFP_KERNEL;
	rq.size = 8193;
	assert_int_equal(f->a->usable(f->heap, alloc(f, &rq)), 16384);
	fixture_end(f);
}

static void buckets_are_apart(void **state)
{
	struct fixture *f = fixture_new(&sf_baseline);
	struct sf_cache_request cr = { .name = "other", .size = 64 };
	uint32_t a = f->a->buckets_create(f->heap, "a", SF_SLAB_ACCOUNT, 0);
	uint32_t c = f->a->buckets_create(f->heap, "a", SF_SLAB_RECLAIM_ACCOUNT, 0);
	struct sf_request rq = request(64, SF_GFP_KERNEL);
	uint64_t p[3];
	bool merged;

	(void)state;
	assert_true(a == 0 && c == 1);
	p[0] = alloc(f, &rq);
	rq.bucket = a;
	p[1] = alloc(f, &rq);
	assert_int_equal(cache_of(f, p[1])->ev.flags, SF_SLAB_NO_MERGE | SF_SLAB_ACCOUNT);
	rq.bucket = c;
	p[2] = alloc(f, &rq);
	assert_int_equal(cache_of(f, p[2])->ev.flags, SF_SLAB_NO_MERGE | SF_SLAB_RECLAIM_ACCOUNT);
	assert_true(f->page_gfp & SF_GFP_RECLAIMABLE);
	assert_true(cache_of(f, p[0]) != cache_of(f, p[1]));
	assert_true(cache_of(f, p[1]) != cache_of(f, p[2]));
	f->a->cache_create(f->heap, &cr, &merged);
	assert_false(merged);
	/* kvmalloc takes from a set too; krealloc moves to plain kmalloc; kfree is as ever. */
	rq.api = SF_API_KVMALLOC;
	assert_int_equal(cache_of(f, alloc(f, &rq))->ev.bucket, 1);
	rq.api = SF_API_KMALLOC;
	rq.size = 60;
	assert_true(krealloc(f, p[2], &rq) == p[2]);
	rq.size = 100;
	p[2] = krealloc(f, p[2], &rq);
	assert_string_equal(cache_of(f, p[2])->name, "kmalloc-128");
	kfree(f, p[1]);
	f->a->buckets_shrink(f->heap, a);
	/* Sets are gone with reset, and their numbers begin again. */
	f->a->reset(f->heap);
	assert_int_equal(f->a->buckets_create(f->heap, "z", 0, 0), 0);
	fixture_end(f);
}

static void buckets_off(void **state)
{
	struct fixture *f = fixture_new(&sf_typed);
	struct sf_request rq = request(64, SF_GFP_KERNEL);
	uint32_t before, id;

	(void)state;
	f->set.buckets = 0;
	boot(f);
	before = f->nr_caches;
	id = f->a->buckets_create(f->heap, "msg_msg", 0, 0);
	assert_int_equal(id, SF_BUCKETS_OFF);
	assert_int_equal(f->nr_caches, before);
	rq.bucket = id;
	rq.token = 5;
	assert_string_equal(goes_to(f, &rq), "kmalloc-part-05-64");
	rq.gfp = SF_GFP_KERNEL_ACCOUNT;
	assert_string_equal(goes_to(f, &rq), "kmalloc-cg-64");
	f->a->buckets_shrink(f->heap, id);
	fixture_end(f);
}

/* --- kmalloc_nolock --- */

static void nolock_selects_as_kmalloc(void **state)
{
	struct fixture *f = fixture_new(&sf_typed);
	struct sf_request rq = request(64, SF_GFP_ACCOUNT);
	uint64_t p;

	(void)state;
	rq.api = SF_API_NOLOCK;
	rq.token = 9;
	assert_string_equal(goes_to(f, &rq), "kmalloc-cg-64");
	rq.gfp = SF_GFP_ZERO;
	p = alloc(f, &rq);
	assert_string_equal(cache_of(f, p)->name, "kmalloc-part-09-64");
	assert_true(f->page_gfp & SF_GFP_NOMEMALLOC && !(f->page_gfp & SF_GFP_RECLAIM));
	assert_int_equal(kfree_how(f, p, SF_KFREE_NOLOCK), SF_OK);
	rq.size = 0;
	assert_true(alloc(f, &rq) == SF_ZERO_SIZE_PTR);
	assert_int_equal(kfree_how(f, SF_ZERO_SIZE_PTR, SF_KFREE_NOLOCK), SF_OK);
	assert_int_equal(kfree_how(f, 0, SF_KFREE_NOLOCK), SF_OK);
	rq.size = 8193;
	assert_true(alloc(f, &rq) == 0);
	fixture_end(f);
}

/* Neither injected failure stops it; it does not refill sheaves. */
static void nolock_passes_by(void **state)
{
	struct fixture *f = fixture_new(&sf_baseline);
	struct sf_request rq = request(64, 0), plain = request(64, SF_GFP_KERNEL);
	uint64_t p, q;

	(void)state;
	rq.api = SF_API_NOLOCK;
	f->a->fail(f->heap, SF_FAULT_SLAB, 0);
	f->a->fail(f->heap, SF_FAULT_PAGE, 0);
	p = alloc(f, &rq);
	assert_true(p != 0);
	assert_true(alloc(f, &plain) == 0); /* the failures are still to come */
	/* Past the sheaves from a new slab: the next one is its neighbour. */
	q = alloc(f, &rq);
	assert_true(q == p + 64);
	/* It is parked, and comes back first. */
	assert_int_equal(kfree_how(f, p, SF_KFREE_NOLOCK), SF_OK);
	assert_true(alloc(f, &rq) == p);
	fixture_end(f);
}

/* The class has no pages left, the next one does: taken from there, but once only. */
static void nolock_retries_in_the_next_class(void **state)
{
	struct fixture *f = fixture_new(&sf_baseline);
	struct sf_request rq = request(0, SF_GFP_KERNEL), eat = request(4096, SF_GFP_KERNEL);
	uint64_t p;

	(void)state;
	f->set.pages = 256;
	f->set.watermarks = 0;
	boot(f);
	rq.size = 96;
	kfree(f, alloc(f, &rq));
	while (alloc(f, &eat))
		;
	rq.api = SF_API_NOLOCK;
	rq.gfp = 0;
	rq.size = 65;
	p = alloc(f, &rq);
	assert_string_equal(cache_of(f, p)->name, "kmalloc-96");
	rq.size = 64; /* class 64 is empty, 96 is the next */
	p = alloc(f, &rq);
	assert_string_equal(cache_of(f, p)->name, "kmalloc-96");
	assert_int_equal(f->a->usable(f->heap, p), 96);
	rq.size = 32; /* 32, then 64: not 96 */
	assert_true(alloc(f, &rq) == 0);
	rq.size = 8192;
	assert_true(alloc(f, &rq) == 0);
	fixture_end(f);
}

static void kfree_nolock_of_large(void **state)
{
	struct fixture *f = fixture_new(&sf_baseline);
	struct sf_request rq = request(20000, SF_GFP_KERNEL);
	uint64_t p = alloc(f, &rq);

	(void)state;
	assert_int_equal(kfree_how(f, p, SF_KFREE_NOLOCK), SF_NOTICED);
	assert_int_equal(f->warns, 1);
	assert_int_equal(f->a->usable(f->heap, p), 32768);
	kfree(f, p);
	fixture_end(f);
}

/* --- what a type changes --- */

static void flexible_arrays(void **state)
{
	static const struct {
		uint64_t count;
		uint8_t size;
		bool fits;
	} rows[] = {
		{ 0, 1, true },		{ 255, 1, true },	  { 256, 1, false },
		{ 65535, 2, true },	{ 65536, 2, false },	  { 0xffffffff, 4, true },
		{ 1ull << 32, 4, false }, { UINT64_MAX, 8, true }, { 0x1234, 1, false },
	};
	struct fixture *f = fixture_new(&sf_typed);

	(void)state;
	for (f->set.flex = 0; f->set.flex < 2; f->set.flex++) {
		boot(f);
		for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct sf_request rq = request(100, SF_GFP_KERNEL | SF_GFP_ZERO);
			uint8_t bytes[32];
			uint64_t p;

			rq.api = i & 1 ? SF_API_KVMALLOC : SF_API_KMALLOC;
			rq.type_align = 8;
			rq.counter_size = rows[i].size;
			rq.counter_at = 12;
			rq.count = rows[i].count;
			f->a->fail(f->heap, SF_FAULT_SLAB, 0);
			p = alloc(f, &rq);
			assert_true(p == 0); /* refused before anything, or the failure */
			if (f->set.flex || rows[i].fits) {
				p = alloc(f, &rq);
				assert_true(p != 0);
			} else {
				/* The failure is still to come. */
				struct sf_request plain = request(100, SF_GFP_KERNEL);

				assert_true(alloc(f, &plain) == 0);
				continue;
			}
			assert_int_equal(f->a->peek(f->heap, p, bytes, 32), 32);
			for (unsigned int k = 0; k < 32; k++) {
				bool in = k >= 12 && k < 12u + rows[i].size;

				assert_int_equal(bytes[k],
						 in ? rows[i].count >> 8 * (k - 12) & 0xff : 0);
			}
		}
	}
	fixture_end(f);
}

/* The smallest class from the size on that is aligned as the type is. */
static void types_are_aligned(void **state)
{
	static const uint64_t classes[] = { 8,	 16,  32,  64,	 96,   128,  192,
					    256, 512, 1024, 2048, 4096, 8192 };
	struct fixture *f = fixture_new(&sf_typed);

	(void)state;
	for (f->set.type_align = 0; f->set.type_align < 2; f->set.type_align++) {
		boot(f);
		for (uint32_t align = 1; align <= 4096; align *= 2) {
			for (uint64_t size = 1; size <= 8192; size = size * 9 / 8 + 1) {
				struct sf_request rq = request(size, SF_GFP_KERNEL);
				unsigned int k = 0;
				uint64_t p;

				rq.type_align = align;
				p = alloc(f, &rq);
				while (classes[k] < size ||
				       (f->set.type_align && align > 8 && classes[k] % align))
					k++;
				assert_int_equal(f->a->usable(f->heap, p), classes[k]);
				if (f->set.type_align)
					assert_int_equal(p % align, 0);
				kfree(f, p);
			}
		}
	}
	fixture_end(f);
}

/* Objects of a known type begin anywhere in their slot; no others do. */
static void objects_move_in_their_slots(void **state)
{
	struct fixture *f = fixture_new(&sf_typed);
	uint64_t seen[12] = { 0 };
	struct sf_place pl;

	(void)state;
	f->set.slot_offset = 1;
	boot(f);
	for (unsigned int i = 0; i < 3000; i++) {
		uint32_t aligns[] = { 0, 1, 8, 16, 64 }, align = aligns[i % 5];
		struct sf_request rq = request(1 + i * 7919 % 6000, SF_GFP_KERNEL | SF_GFP_ZERO);
		uint32_t step = align > 8 ? align : 8;
		uint64_t p;

		rq.type_align = align;
		rq.token = (uint16_t)(i % 16);
		p = alloc(f, &rq);
		f->a->place(f->heap, p, &pl);
		assert_int_equal(pl.kind, SF_PLACE_SLAB);
		assert_true(pl.offset + rq.size <= pl.object_size);
		assert_int_equal(pl.offset % step, 0);
		assert_true(align || !pl.offset);
		assert_int_equal((p - pl.base) / pl.stride, pl.index);
		assert_int_equal((p - pl.base) % pl.stride, pl.offset);
		assert_int_equal(f->a->usable(f->heap, p), pl.stride - pl.offset);
		/* The whole slot was zeroed, the object can be written and given back. */
		assert_true(f->a->zeroed(f->heap, p, 0, rq.size, SF_CONTENTS_WHOLE) == SF_GOOD);
		f->a->fill(f->heap, p, rq.size, i, SF_CONTENTS_WHOLE);
		kfree(f, p);
	}
	/* Uniform over what fits: 12 places of 8 bytes for 8 of 96. */
	for (unsigned int i = 0; i < 1200; i++) {
		struct sf_request rq = request(65, SF_GFP_KERNEL);
		uint64_t p;

		rq.size = 8;
		rq.type_align = 4;
		f->set.type_align = 0;
		p = alloc(f, &rq);
		f->a->place(f->heap, p, &pl);
		assert_int_equal(pl.offset, 0);
		kfree(f, p);
		rq.size = 66;
		p = alloc(f, &rq);
		f->a->place(f->heap, p, &pl);
		assert_true(pl.offset <= 24);
		seen[pl.offset / 8]++;
		kfree(f, p);
	}
	for (unsigned int i = 0; i < 12; i++)
		assert_true(i < 4 ? seen[i] > 240 && seen[i] < 360 : seen[i] == 0);
	fixture_end(f);
}

/* krealloc in place has the room behind the offset; a free finds the slot's beginning again. */
static void krealloc_in_a_slot(void **state)
{
	struct fixture *f = fixture_new(&sf_baseline);
	unsigned int stayed = 0, moved = 0;

	(void)state;
	f->set.slot_offset = 1;
	boot(f);
	for (unsigned int i = 0; i < 400; i++) {
		struct sf_request rq = request(100, SF_GFP_KERNEL);
		struct sf_place pl, now;
		uint64_t p, q, same;

		rq.type_align = 8;
		p = alloc(f, &rq);
		f->a->fill(f->heap, p, 100, i, SF_CONTENTS_WHOLE);
		f->a->place(f->heap, p, &pl);
		rq.type_align = 0;
		rq.size = 100 + i % 29;
		q = krealloc(f, p, &rq);
		f->a->place(f->heap, q, &now);
		if (pl.offset + rq.size <= 128) {
			assert_true(q == p);
			stayed++;
		} else {
			assert_int_equal(now.offset, 0);
			assert_int_equal(now.object_size, 128);
			moved++;
		}
		assert_true(f->a->verify(f->heap, q, 100, i, SF_CONTENTS_WHOLE) == SF_GOOD);
		same = now.base + (uint64_t)now.index * now.stride;
		kfree(f, q);
		rq.size = 128;
		assert_true(alloc(f, &rq) == same);
		kfree(f, same);
	}
	assert_true(stayed > 50 && moved > 50);
	fixture_end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selection_truth_table),
		cmocka_unit_test(typed_selection_as_reported),
		cmocka_unit_test(partition_caches),
		cmocka_unit_test(partitions_never_merge),
		cmocka_unit_test(random_partitions_as_computed),
		cmocka_unit_test(random_sites_over_boots),
		cmocka_unit_test(typed_tokens_are_partitions),
		cmocka_unit_test(only_small_kmalloc_is_partitioned),
		cmocka_unit_test(krealloc_keeps_or_moves),
		cmocka_unit_test(bucket_caches),
		cmocka_unit_test(buckets_are_apart),
		cmocka_unit_test(buckets_off),
		cmocka_unit_test(nolock_selects_as_kmalloc),
		cmocka_unit_test(nolock_passes_by),
		cmocka_unit_test(nolock_retries_in_the_next_class),
		cmocka_unit_test(kfree_nolock_of_large),
		cmocka_unit_test(flexible_arrays),
		cmocka_unit_test(types_are_aligned),
		cmocka_unit_test(objects_move_in_their_slots),
		cmocka_unit_test(krealloc_in_a_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
