/* SPDX-License-Identifier: MIT */
/*
 * user_bench.h - a heap with a user for the tests of lru.c, rcu.c and memcg.c: it makes objects,
 * and writes down what happens to them as a line of words.
 *
 * Words: -3s is going (s: shrinker, o: with its owner, r: by RCU), .3 is gone, !3 was refused, ~3s
 * is deferred, >3 moved. Events, if `events` is set: G a grace period, B one at a barrier, F a slab
 * is given back, D a slab is deferred, +72 a charge, =72 an uncharge, R72 a refused charge, O an
 * OOM.
 */
#ifndef SLABFUZZ_TESTS_USER_BENCH_H
#define SLABFUZZ_TESTS_USER_BENCH_H

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

#define LINE_BYTES 8192
#define GROUPS_MAX 8

struct bench {
	struct sf_settings set;
	struct sf_sink sink;
	struct sf_user user;
	struct sf_heap *heap;
	const struct sf_allocator *a;
	bool quiet, events;
	char line[LINE_BYTES];
	size_t len;
	uint64_t nr_gone, nr_deferred, warns, ooms, memcg_ooms, ops;
	/* of the last look(): */
	struct sf_ev_counters counters;
	struct sf_ev_snapmemcg group[GROUPS_MAX];
	uint32_t cache; /* asked for; and of it: */
	struct sf_ev_snapcache info;
	uint64_t inuse, parked, waiting, queued, deferred_slabs;
};

static inline void say(struct bench *b, const char *fmt, ...)
{
	va_list ap;

	if (b->quiet)
		return;
	va_start(ap, fmt);
	b->len += (size_t)vsnprintf(b->line + b->len, sizeof(b->line) - b->len, fmt, ap);
	va_end(ap);
	assert_true(b->len + 64 < sizeof(b->line));
}

static inline char letter(enum sf_free_how how)
{
	assert_true(how == SF_FREE_SHRINK || how == SF_FREE_OWNER || how == SF_KFREE_RCU);
	return how == SF_FREE_SHRINK ? 's' : how == SF_FREE_OWNER ? 'o' : 'r';
}

static void going(void *ctx, uint32_t cookie, uint64_t addr, enum sf_free_how how)
{
	(void)addr;
	say(ctx, " -%u%c", cookie, letter(how));
}

static void gone(void *ctx, uint32_t cookie, uint64_t addr, enum sf_status status)
{
	struct bench *b = ctx;

	(void)addr;
	b->nr_gone++;
	say(b, " %c%u", status == SF_OK ? '.' : '!', cookie);
}

static void deferred(void *ctx, uint32_t cookie, uint64_t addr, enum sf_free_how how)
{
	struct bench *b = ctx;

	(void)addr;
	b->nr_deferred++;
	say(b, " ~%u%c", cookie, letter(how));
}

static void moved(void *ctx, uint32_t cookie, uint64_t from, uint64_t to)
{
	assert_true(from != to);
	say(ctx, " >%u", cookie);
}

static void keep_snapshot(struct bench *b, const struct sf_event *ev)
{
	const struct sf_ev_snapsheaf *sheaf = &ev->snapsheaf;

	if (ev->type == SF_EV_SNAP_COUNTERS)
		b->counters = ev->counters;
	if (ev->type == SF_EV_SNAP_MEMCG && ev->snapmemcg.id < GROUPS_MAX)
		b->group[ev->snapmemcg.id] = ev->snapmemcg;
	if (ev->type == SF_EV_SNAP_CACHE && ev->snapcache.cache == b->cache)
		b->info = ev->snapcache;
	if (ev->type == SF_EV_SNAP_SLAB && ev->snapslab.cache == b->cache) {
		b->inuse += ev->snapslab.inuse;
		b->deferred_slabs += ev->snapslab.list == SF_SLAB_DEFERRED;
	}
	if (ev->type == SF_EV_SNAP_SHEAF && sheaf->cache == b->cache)
		*(sheaf->kind != SF_SHEAF_RCU ? &b->parked :
		  sheaf->cpu == 0xff ? &b->queued : &b->waiting) += sheaf->nr;
}

static void hear(void *ctx, const struct sf_event *ev)
{
	struct bench *b = ctx;

	keep_snapshot(b, ev);
	b->warns += ev->type == SF_EV_WARN;
	b->ooms += ev->type == SF_EV_OOM && ev->oom.memcg == SF_NONE;
	b->memcg_ooms += ev->type == SF_EV_OOM && ev->oom.memcg != SF_NONE;
	if (!b->events)
		return;
	if (ev->type == SF_EV_GRACE)
		say(b, ev->grace.barrier ? " B" : " G");
	if (ev->type == SF_EV_SLAB_FREE || ev->type == SF_EV_SLAB_DEFER)
		say(b, ev->type == SF_EV_SLAB_FREE ? " F" : " D");
	if (ev->type == SF_EV_CHARGE)
		say(b, " %c%llu", ev->charge.refused ? 'R' : ev->charge.uncharge ? '=' : '+',
		    (unsigned long long)ev->charge.bytes);
	if (ev->type == SF_EV_OOM)
		say(b, " O");
}

/* After an operation: the first ones, then ever fewer, as a check costs what the heap holds. */
static inline void sound(struct bench *b)
{
	if (b->ops++ < 100 || !(b->ops & (b->ops - 1)))
		assert_sound(b->heap);
}

/* bench_set(), then changes to b->set, then bench_open(). */
static inline struct bench *bench_set(uint64_t pages)
{
	struct bench *b = test_calloc(1, sizeof(*b));

	b->a = &sf_baseline;
	sf_settings_init(&b->set);
	b->set.pages = pages;
	b->set.cpus = 1;
	return b;
}

static inline struct bench *bench_open(struct bench *b)
{
	struct sf_error err;

	b->sink = (struct sf_sink){ .emit = hear, .ctx = b, .op = SF_NONE };
	b->user = (struct sf_user){ .going = going, .gone = gone, .deferred = deferred,
				    .moved = moved, .ctx = b };
	b->heap = b->a->create(b->a, &b->set, &b->sink, &err);
	assert_non_null(b->heap);
	b->a->set_user(b->heap, &b->user);
	return b;
}

static inline struct bench *bench_new(uint64_t pages)
{
	return bench_open(bench_set(pages));
}

static inline void bench_end(struct bench *b)
{
	assert_sound(b->heap);
	b->a->destroy(b->heap);
	test_free(b);
}

static inline void look(struct bench *b, uint32_t cache)
{
	b->cache = cache;
	b->inuse = b->parked = b->waiting = b->queued = b->deferred_slabs = 0;
	b->info = (struct sf_ev_snapcache){ 0 };
	assert_sound(b->heap);
	b->a->walk(b->heap, &b->sink, false, false);
}

static inline uint64_t indirect(struct bench *b)
{
	look(b, SF_NONE);
	assert_int_equal(b->counters.nr_kernel_misc_reclaimable, b->counters.indirect_bytes >> 12);
	return b->counters.indirect_bytes;
}

/* What was written since the last time. */
static inline void expect(struct bench *b, const char *line)
{
	assert_string_equal(b->len ? b->line + 1 : "", line);
	b->len = 0;
	b->line[0] = '\0';
}

static inline uint32_t make_cache(struct bench *b, const char *name, uint32_t size, uint32_t flags)
{
	struct sf_cache_request rq = { .name = name, .size = size,
				       .flags = flags | SF_SLAB_NO_MERGE };
	bool merged;
	uint32_t cache = b->a->cache_create(b->heap, &rq, &merged);

	assert_int_not_equal(cache, SF_NONE);
	return cache;
}

static inline uint64_t object(struct bench *b, uint32_t cache, uint32_t gfp)
{
	struct sf_result rs;

	b->a->cache_alloc(b->heap, cache, gfp, &rs);
	sound(b);
	return rs.addr;
}

/* Of a cache with SLAB_RECLAIM_ACCOUNT, and its shrinker knows it. */
static inline uint64_t inode(struct bench *b, uint32_t cache, uint32_t cookie)
{
	uint64_t p = object(b, cache, SF_GFP_KERNEL);

	assert_true(p != 0);
	b->a->track(b->heap, p, cookie, true);
	return p;
}

static inline uint64_t api_alloc(struct bench *b, uint8_t api, uint64_t size, uint32_t gfp)
{
	struct sf_request rq = { .api = api, .gfp = gfp, .n = 1, .size = size, .bucket = SF_NONE };
	struct sf_result rs;

	b->a->alloc(b->heap, &rq, &rs);
	sound(b);
	return rs.addr;
}

static inline uint64_t kmalloc(struct bench *b, uint64_t size, uint32_t gfp)
{
	return api_alloc(b, SF_API_KMALLOC, size, gfp);
}

/* kmalloc() and track(), no shrinker. */
static inline uint64_t thing(struct bench *b, uint64_t size, uint32_t gfp, uint32_t cookie)
{
	uint64_t p = kmalloc(b, size, gfp);

	assert_true(p != 0);
	b->a->track(b->heap, p, cookie, false);
	return p;
}

static inline uint64_t api_realloc(struct bench *b, uint8_t api, uint64_t p, uint64_t size)
{
	struct sf_request rq = { .api = api, .gfp = SF_GFP_KERNEL, .n = 1, .size = size,
				 .bucket = SF_NONE };
	struct sf_result rs;

	b->a->realloc(b->heap, p, &rq, &rs);
	sound(b);
	return rs.addr;
}

static inline enum sf_status free_as(struct bench *b, uint64_t p, enum sf_free_how how)
{
	struct sf_result rs;

	b->a->free(b->heap, p, how, &rs);
	sound(b);
	return rs.status;
}

static inline void kfree(struct bench *b, uint64_t p)
{
	assert_int_equal(free_as(b, p, SF_KFREE), SF_OK);
}

static inline void kfree_rcu(struct bench *b, uint64_t p)
{
	assert_int_equal(free_as(b, p, SF_KFREE_RCU), SF_OK);
}

static inline bool owns(struct bench *b, uint64_t p, uint64_t q)
{
	bool done = b->a->owns(b->heap, p, q);

	sound(b);
	return done;
}

static inline uint32_t cache_of(struct bench *b, uint64_t p)
{
	struct sf_place pl;

	b->a->place(b->heap, p, &pl);
	return pl.cache;
}

#endif
