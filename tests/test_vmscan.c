// SPDX-License-Identifier: MIT
/*
 * test_vmscan.c - reclaim in the model: what shrinkers are asked for, by figures worked out by
 * hand; when requests reclaim, retry and give up; the reserve and the policies on the way to OOM.
 *
 * Objects are of a cache of 192 bytes (21 in a page) without sheaves, unless parked objects are the
 * subject: so pages come back as soon as their objects are gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* a member of struct sf_allocator has that name */

#include "../allocators/vmscan.h"
#include "sound.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PER_PAGE 21
#define MAX_OBJECTS 40000
#define MAX_HEARD 4096
#define NO_SHEAVES SF_SLAB_NOLEAKTRACE

struct rig {
	struct sf_heap *h;
	const struct sf_allocator *a;
	struct sf_sink sink;
	struct sf_user user;
	uint64_t addr[MAX_OBJECTS]; /* by cookie; 0: gone */
	uint32_t nr;
	uint32_t gone[MAX_OBJECTS], nr_gone; /* cookies, in order */
	uint64_t seen[SF_EV_TYPES];
	struct sf_ev_shrink shrink[MAX_HEARD];
	struct sf_ev_reclaim reclaim[MAX_HEARD]; /* ends */
	struct sf_ev_oom oom;
	unsigned int nr_shrink, nr_reclaim, releases;
	uint64_t released_before_oom;
	uint64_t freed;              /* pages of slabs since the round began */
	bool open;
};

static void hear_reclaim(struct rig *r, const struct sf_ev_reclaim *ev)
{
	assert_int_equal(r->open, !ev->begin);
	r->open = ev->begin;
	if (ev->begin) {
		r->freed = 0;
		return;
	}
	assert_int_equal(ev->progress, r->freed);
	assert_true(r->nr_reclaim < MAX_HEARD);
	r->reclaim[r->nr_reclaim++] = *ev;
}

static void hear(void *ctx, const struct sf_event *ev)
{
	struct rig *r = ctx;

	r->seen[ev->type]++;
	switch (ev->type) {
	case SF_EV_SHRINK:
		assert_true(r->open && r->nr_shrink < MAX_HEARD);
		r->shrink[r->nr_shrink++] = ev->shrink;
		break;
	case SF_EV_RECLAIM:
		hear_reclaim(r, &ev->reclaim);
		break;
	case SF_EV_SLAB_FREE:
		r->freed += 1ull << ev->slab.order;
		break;
	case SF_EV_RESERVE:
		r->releases += ev->claim.release;
		break;
	case SF_EV_OOM:
		r->oom = ev->oom;
		r->released_before_oom = r->releases;
		break;
	}
}

static void going(void *ctx, uint32_t cookie, uint64_t addr, enum sf_free_how how)
{
	struct rig *r = ctx;

	assert_int_equal(r->addr[cookie], addr);
	assert_true(how == SF_FREE_SHRINK || how == SF_FREE_OWNER);
	r->addr[cookie] = 0;
	r->gone[r->nr_gone++] = cookie;
}

static void gone(void *ctx, uint32_t cookie, uint64_t addr, enum sf_status status)
{
	const struct rig *r = ctx;

	assert_int_equal(r->addr[cookie], 0);
	assert_int_equal(status, SF_OK);
	assert_int_not_equal(addr, 0);
}

static struct sf_settings settings(uint64_t pages)
{
	struct sf_settings set;

	sf_settings_init(&set);
	set.pages = pages;
	set.cpus = 2;
	return set;
}

static struct rig *rig_open(const struct sf_settings *set)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct sf_error err = { "" };

	assert_non_null(r);
	r->a = &sf_baseline;
	r->sink = (struct sf_sink){ .emit = hear, .ctx = r };
	r->user = (struct sf_user){ .going = going, .gone = gone, .ctx = r };
	r->h = r->a->create(r->a, set, &r->sink, &err);
	assert_non_null(r->h);
	r->a->set_user(r->h, &r->user);
	return r;
}

static void rig_close(struct rig *r)
{
	assert_sound(r->h);
	assert_false(r->open);
	r->a->destroy(r->h);
	free(r);
}

static uint32_t cache(struct rig *r, const char *name, uint32_t flags)
{
	struct sf_cache_request rq = { .name = name, .size = 192, .align = 8,
				       .flags = flags | SF_SLAB_RECLAIM_ACCOUNT |
						SF_SLAB_NO_MERGE };
	bool merged;
	uint32_t id = r->a->cache_create(r->h, &rq, &merged);

	assert_int_not_equal(id, SF_NONE);
	return id;
}

/* A tracked object; false: there is no memory. */
static bool object(struct rig *r, uint32_t id, uint32_t gfp)
{
	struct sf_result rs;

	r->a->cache_alloc(r->h, id, gfp, &rs);
	if (!rs.addr)
		return false;
	assert_true(r->nr < MAX_OBJECTS);
	r->addr[r->nr] = rs.addr;
	r->a->track(r->h, rs.addr, r->nr, true);
	r->nr++;
	return true;
}

static void objects(struct rig *r, uint32_t id, uint32_t n)
{
	while (n--)
		assert_true(object(r, id, SF_GFP_KERNEL));
}

static uint64_t take(struct rig *r, uint32_t gfp, unsigned int order, uint8_t *status)
{
	struct sf_result rs;

	r->a->pages_alloc(r->h, gfp, order, &rs);
	if (status)
		*status = rs.status;
	return rs.addr;
}

/* Down to the last page: reserves will not help either. */
static void exhaust(struct rig *r)
{
	do {
		r->a->drain(r->h);
		while (take(r, SF_GFP_MEMALLOC, 0, NULL))
			;
	} while (r->h->zone.pcp[0].count || r->h->zone.pcp[1].count);
	assert_int_equal(r->h->zone.nr_free_pages, 0);
}

/* Objects and pages until a request that cannot reclaim fails: free is at the low mark. */
static uint32_t crowd(struct rig *r, uint32_t id, uint32_t pages_of_objects)
{
	while (r->nr < pages_of_objects * PER_PAGE && object(r, id, SF_GFP_NOWAIT))
		;
	while (take(r, SF_GFP_NOWAIT, 0, NULL))
		;
	return r->nr;
}

static void forget(struct rig *r)
{
	memset(r->seen, 0, sizeof(r->seen));
	r->nr_shrink = r->nr_reclaim = r->nr_gone = r->releases = 0;
}

/* --- the arithmetic of mm/shrinker.c:do_shrink_slab --- */

struct row {
	uint64_t priority, freeable, deferred, delta, total, scanned, freed;
};

static void check_rows(const struct rig *r, const struct row *rows, unsigned int nr)
{
	assert_int_equal(r->nr_shrink, nr);
	for (unsigned int i = 0; i < nr; i++) {
		const struct sf_ev_shrink *s = &r->shrink[i];
		const struct row got = { s->priority, s->freeable, s->deferred, s->delta,
					 s->total, s->scanned, s->freed };

		if (memcmp(&got, &rows[i], sizeof(got)))
			print_error("call %u of the shrinker: priority %u\n", i, s->priority);
		assert_memory_equal(&got, &rows[i], sizeof(got));
	}
}

static void test_priorities(void **state)
{
	static const struct row rows[] = {
		{ 12, 300, 0, 0, 0, 0, 0 },	 { 11, 300, 0, 0, 0, 0, 0 },
		{ 10, 300, 0, 0, 0, 0, 0 },	 { 9, 300, 0, 0, 0, 0, 0 },
		{ 8, 300, 0, 2, 2, 0, 0 },	 { 7, 300, 2, 4, 4, 0, 0 },
		{ 6, 300, 6, 8, 8, 0, 0 },	 { 5, 300, 14, 18, 18, 0, 0 },
		{ 4, 300, 32, 36, 38, 0, 0 },	 { 3, 300, 68, 74, 82, 0, 0 },
		{ 2, 300, 142, 150, 185, 128, 128 },
		{ 1, 172, 164, 172, 254, 128, 128 },
		{ 0, 44, 208, 88, 88, 88, 44 },
	};
	struct sf_settings set = settings(4096);
	struct rig *r = rig_open(&set);

	(void)state;
	objects(r, cache(r, "dentry", NO_SHEAVES), 300);
	/* 15 pages, 4 of which stay with the cache as empty slabs. */
	assert_int_equal(vmscan_direct(r->h, SF_GFP_KERNEL, 0), 11);
	check_rows(r, rows, ARRAY_SIZE(rows));
	assert_int_equal(r->h->shrinker[0].nr_deferred, 88);
	assert_int_equal(r->nr_reclaim, 1);
	assert_int_equal(r->reclaim[0].kind, SF_RECLAIM_DIRECT);
	assert_int_equal(r->reclaim[0].priority, 0);
	assert_int_equal(r->reclaim[0].scanned, 128 + 128 + 88);
	assert_int_equal(r->reclaim[0].freed, 300);
	assert_int_equal(r->h->vm.allocstall, 1);
	assert_int_equal(r->h->vm.slabs_scanned, 344);
	assert_int_equal(r->nr_gone, 300);
	for (uint32_t i = 0; i < 300; i++) /* the oldest first */
		assert_int_equal(r->gone[i], i);
	rig_close(r);
}

/* Objects that are dear to make are spared; a round without progress is gone through twice. */
static void test_seeks_and_batch(void **state)
{
	static const struct row rows[] = {
		{ 12, 64, 0, 0, 0, 0, 0 },     { 11, 64, 0, 0, 0, 0, 0 },
		{ 10, 64, 0, 0, 0, 0, 0 },     { 9, 64, 0, 0, 0, 0, 0 },
		{ 8, 64, 0, 0, 0, 0, 0 },      { 7, 64, 0, 0, 0, 0, 0 },
		{ 6, 64, 0, 0, 0, 0, 0 },      { 5, 64, 0, 1, 1, 0, 0 },
		{ 4, 64, 1, 2, 2, 0, 0 },      { 3, 64, 3, 4, 4, 4, 4 },
		{ 2, 60, 3, 7, 7, 4, 4 },      { 1, 56, 6, 14, 17, 16, 16 },
		{ 0, 40, 4, 20, 24, 24, 24 },
		{ 12, 16, 0, 0, 0, 0, 0 },     { 11, 16, 0, 0, 0, 0, 0 },
		{ 10, 16, 0, 0, 0, 0, 0 },     { 9, 16, 0, 0, 0, 0, 0 },
		{ 8, 16, 0, 0, 0, 0, 0 },      { 7, 16, 0, 0, 0, 0, 0 },
		{ 6, 16, 0, 0, 0, 0, 0 },      { 5, 16, 0, 0, 0, 0, 0 },
		{ 4, 16, 0, 0, 0, 0, 0 },      { 3, 16, 0, 1, 1, 0, 0 },
		{ 2, 16, 1, 2, 2, 0, 0 },      { 1, 16, 3, 4, 5, 4, 4 },
		{ 0, 12, 3, 6, 9, 8, 8 },
	};
	struct sf_shrinker how = { .seeks = 8, .batch = 4 };
	struct sf_settings set = settings(4096);
	struct rig *r = rig_open(&set);
	uint32_t id = cache(r, "dentry", NO_SHEAVES);

	(void)state;
	objects(r, id, 64);
	r->a->shrinker(r->h, id, &how);
	assert_int_equal(vmscan_direct(r->h, SF_GFP_KERNEL, 0), 0);
	check_rows(r, rows, ARRAY_SIZE(rows));
	assert_int_equal(r->nr_gone, 60);
	assert_int_equal(r->h->shrinker[0].nr_deferred, 1);
	assert_int_equal(r->h->vm.allocstall, 2);
	assert_int_equal(r->nr_reclaim, 1);
	rig_close(r);
}

/* Without __GFP_FS nothing is freed; what was not done is kept for whoever may. */
static void test_nofs_stops(void **state)
{
	struct sf_settings set = settings(4096);
	struct rig *r = rig_open(&set);

	(void)state;
	objects(r, cache(r, "dentry", NO_SHEAVES), 300);
	assert_int_equal(vmscan_direct(r->h, SF_GFP_NOFS, 0), 0);
	assert_int_equal(r->nr_gone, 0);
	assert_int_equal(r->nr_shrink, 26);
	for (unsigned int i = 0; i < r->nr_shrink; i++) {
		assert_int_equal(r->shrink[i].scanned, 0);
		assert_int_equal(r->shrink[i].stopped, r->shrink[i].total >= 128);
	}
	assert_true(r->shrink[12].stopped && r->shrink[12].priority == 0);
	assert_int_equal(r->h->shrinker[0].nr_deferred, 600); /* twice what there is, at most */
	forget(r);
	vmscan_direct(r->h, SF_GFP_KERNEL, 0);
	assert_int_equal(r->shrink[0].deferred, 600);
	assert_int_equal(r->nr_gone, 300);
	rig_close(r);
}

/* Enough is enough: 32 pages end a round, at the priority at which they came. */
static void test_goal_ends_round(void **state)
{
	struct sf_settings set = settings(8192);
	struct rig *r = rig_open(&set);
	uint64_t progress;

	(void)state;
	objects(r, cache(r, "dentry", NO_SHEAVES), 20000);
	progress = vmscan_direct(r->h, SF_GFP_KERNEL, 0);
	assert_in_range(progress, 32, 100);
	assert_int_equal(r->reclaim[0].progress, progress);
	assert_true(r->reclaim[0].priority > 3);
	assert_int_equal(r->shrink[r->nr_shrink - 1].priority, r->reclaim[0].priority);
	assert_in_range(r->nr_gone, 32 * PER_PAGE, 2500);
	rig_close(r);
}

/* Shrinkers come in the order of their caches, whichever was tracked first. */
static void test_order_of_shrinkers(void **state)
{
	struct sf_settings set = settings(4096);
	struct rig *r = rig_open(&set);
	uint32_t id[4], last = 0;

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		id[i] = cache(r, (const char *[]){ "a", "b", "c", "d" }[i], NO_SHEAVES);
	objects(r, id[2], 10);
	objects(r, id[0], 10);
	r->a->shrink(r->h, 1);
	objects(r, id[3], 10);
	objects(r, id[1], 10);
	forget(r);
	r->a->shrink(r->h, 1);
	assert_int_equal(r->nr_shrink, 4);
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(r->shrink[i].cache, id[i]);
		assert_true(i == 0 || id[i] > last);
		last = id[i];
	}
	forget(r);
	vmscan_direct(r->h, SF_GFP_KERNEL, 0);
	for (unsigned int i = 0; i < r->nr_shrink; i++)
		assert_int_equal(r->shrink[i].cache, id[i % 4]);
	/* A reset forgets them; the same caches come in another order. */
	r->a->reset(r->h);
	r->nr = 0;
	forget(r);
	id[0] = cache(r, "a", NO_SHEAVES);
	id[1] = cache(r, "b", NO_SHEAVES);
	objects(r, id[1], 10);
	objects(r, id[0], 10);
	r->a->shrink(r->h, 10);
	assert_int_equal(r->nr_shrink, 2);
	assert_int_equal(r->shrink[0].cache, id[0]);
	assert_int_equal(r->shrink[1].cache, id[1]);
	rig_close(r);
}

static void test_shrink(void **state)
{
	struct sf_settings set = settings(4096);
	struct rig *r = rig_open(&set);
	uint32_t a = cache(r, "a", NO_SHEAVES), b = cache(r, "b", NO_SHEAVES);

	(void)state;
	objects(r, a, 50);
	objects(r, b, 7);
	r->a->pin(r->h, r->addr[3], true);
	assert_int_equal(r->a->shrink(r->h, 10), 17);
	assert_int_equal(r->nr_shrink, 2);
	assert_int_equal(r->shrink[0].priority, 0xff);
	assert_int_equal(r->shrink[0].freeable, 49);
	assert_int_equal(r->shrink[0].freed, 10);
	assert_int_equal(r->shrink[1].freed, 7);
	assert_int_equal(r->reclaim[0].kind, SF_RECLAIM_SHRINK);
	assert_int_equal(r->reclaim[0].freed, 17);
	assert_int_not_equal(r->addr[3], 0); /* held */
	assert_int_equal(r->addr[10], 0);
	assert_int_not_equal(r->addr[11], 0);
	assert_int_equal(r->h->vm.drop_slab, 1);
	assert_int_equal(r->a->shrink(r->h, 1000), 39);
	assert_int_equal(r->a->shrink(r->h, 1000), 0);
	r->a->pin(r->h, r->addr[3], false);
	assert_int_equal(r->a->shrink(r->h, 1000), 1);
	rig_close(r);
}

/* --- who reclaims --- */

static void test_kernel_reclaims(void **state)
{
	struct sf_settings set = settings(4096);
	struct rig *r = rig_open(&set);
	uint32_t nr = crowd(r, cache(r, "dentry", NO_SHEAVES), 1000);
	uint32_t n = 0;

	(void)state;
	assert_true(nr == 1000 * PER_PAGE && r->nr_gone == 0 && r->nr_reclaim == 0);
	/* The pages that objects had are handed out, but for what the cache keeps. */
	while (!r->seen[SF_EV_OOM] && take(r, SF_GFP_KERNEL, 0, NULL))
		n++;
	assert_int_equal(r->nr_gone, nr);
	assert_in_range(n, 990, 1100);
	assert_int_equal(r->seen[SF_EV_OOM], 1);
	assert_int_equal(r->oom.memcg, SF_NONE);
	assert_int_equal(r->oom.policy, SF_OOM_KERNEL);
	assert_false(r->oom.guess);
	assert_true(r->oom.rounds >= 1);
	/* Not before priority 0 was through, in the last round. */
	assert_int_equal(r->reclaim[r->nr_reclaim - 1].priority, 0);
	assert_int_equal(r->h->vm.oom_kill, 1);
	/* Linear: each round but the last met its goal. */
	assert_in_range(r->nr_reclaim, 2, 1000 / 32 + 3);
	rig_close(r);
}

static void test_others_do_not(void **state)
{
	static const struct {
		uint32_t gfp;
		bool rounds;
	} rows[] = {
		{ SF_GFP_ATOMIC, false },
		{ SF_GFP_NOWAIT, false },
		{ SF_GFP_NOFS, true }, /* it reclaims, and its shrinkers stop */
		{ SF_GFP_NOIO, true },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sf_settings set = settings(4096);
		struct rig *r = rig_open(&set);

		crowd(r, cache(r, "dentry", NO_SHEAVES), 100);
		while (take(r, rows[i].gfp, 0, NULL))
			;
		assert_int_equal(r->nr_gone, 0);
		assert_int_equal(r->nr_reclaim > 0, rows[i].rounds);
		assert_int_equal(r->seen[SF_EV_OOM], 0);
		assert_true(r->seen[SF_EV_PAGE_FAIL] > 0);
		rig_close(r);
	}
}

/* What is held, or owned by what is held, does not go: OOM over it. */
static void test_pinned_stay(void **state)
{
	struct sf_settings set = settings(4096);
	struct rig *r = rig_open(&set);
	uint32_t nr = crowd(r, cache(r, "dentry", NO_SHEAVES), 100);

	(void)state;
	for (uint32_t i = 0; i < nr; i++)
		r->a->pin(r->h, r->addr[i], true);
	while (take(r, SF_GFP_KERNEL, 0, NULL))
		;
	assert_int_equal(r->nr_gone, 0);
	assert_int_equal(r->nr_shrink, 0);
	assert_int_equal(r->seen[SF_EV_OOM], 1);
	rig_close(r);
}

/* How often and how far, by flags and order. Nothing can be freed: everything is held. */
static void test_rounds(void **state)
{
	static const struct {
		uint32_t gfp;
		uint8_t order, rounds, oom, status;
	} rows[] = {
		{ SF_GFP_KERNEL, 0, 1, 1, SF_NULL },
		{ SF_GFP_KERNEL, 3, 1, 1, SF_NULL },
		{ SF_GFP_KERNEL, 4, 1, 0, SF_NULL },
		{ SF_GFP_KERNEL | SF_GFP_NORETRY, 0, 1, 0, SF_NULL },
		{ SF_GFP_KERNEL | SF_GFP_RETRY_MAYFAIL, 0, 1, 0, SF_NULL },
		{ SF_GFP_KERNEL | SF_GFP_RETRY_MAYFAIL, 5, 1, 0, SF_NULL },
		{ SF_GFP_KERNEL | SF_GFP_THISNODE, 0, 1, 0, SF_NULL },
		{ SF_GFP_KERNEL | SF_GFP_THISNODE | SF_GFP_NORETRY, 4, 0, 0, SF_NULL },
		{ SF_GFP_NOFS, 0, 1, 0, SF_NULL },
		{ SF_GFP_KERNEL | SF_GFP_NOFAIL, 0, 1, 1, SF_BLOCKED },
		{ SF_GFP_KERNEL | SF_GFP_NOFAIL, 4, 1, 0, SF_BLOCKED },
		{ SF_GFP_DIRECT_RECLAIM, 0, 1, 0, SF_NULL },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sf_settings set = settings(4096);
		struct rig *r = rig_open(&set);
		uint8_t status = SF_OK;
		uint32_t nr;

		nr = crowd(r, cache(r, "dentry", NO_SHEAVES), 10);
		for (uint32_t n = 0; n < nr; n++)
			r->a->pin(r->h, r->addr[n], true);
		exhaust(r);
		forget(r);
		assert_int_equal(take(r, rows[i].gfp, rows[i].order, &status), 0);
		assert_int_equal(status, rows[i].status);
		assert_int_equal(r->nr_reclaim, rows[i].rounds);
		assert_int_equal(r->seen[SF_EV_OOM], rows[i].oom);
		assert_int_equal(r->seen[SF_EV_PAGE_FAIL], 1);
		rig_close(r);
	}
}

/* One round of 32 pages does not fill the gap that others left: reclaim goes on while it pays. */
static void test_deep_gap(void **state)
{
	struct sf_settings set = settings(16384);
	struct rig *r = rig_open(&set);

	(void)state;
	crowd(r, cache(r, "dentry", NO_SHEAVES), 1500);
	exhaust(r);
	forget(r);
	assert_int_not_equal(take(r, SF_GFP_KERNEL, 0, NULL), 0);
	assert_true(r->nr_reclaim > 3);
	assert_int_equal(r->seen[SF_EV_OOM], 0);
	assert_true(r->nr_gone < r->nr);
	/* One round is all that __GFP_NORETRY gets. */
	exhaust(r);
	forget(r);
	assert_int_equal(take(r, SF_GFP_KERNEL | SF_GFP_NORETRY, 0, NULL), 0);
	assert_int_equal(r->nr_reclaim, 1);
	assert_true(r->nr_gone > 0);
	assert_int_equal(r->seen[SF_EV_OOM], 0);
	rig_close(r);
}

/* A request that must not fail goes on as long as anything is reclaimed. */
static void test_nofail(void **state)
{
	struct sf_settings set = settings(4096);
	struct rig *r = rig_open(&set);
	uint8_t status;

	(void)state;
	crowd(r, cache(r, "dentry", NO_SHEAVES), 400);
	exhaust(r);
	/* A costly order has no second round, but for this. */
	assert_int_equal(take(r, SF_GFP_KERNEL, 5, &status), 0);
	assert_int_not_equal(take(r, SF_GFP_KERNEL | SF_GFP_NOFAIL, 5, &status), 0);
	assert_int_equal(status, SF_OK);
	while (take(r, SF_GFP_KERNEL | SF_GFP_NOFAIL, 0, &status))
		assert_int_equal(status, SF_OK);
	assert_int_equal(status, SF_BLOCKED);
	assert_int_equal(r->nr_gone, r->nr);
	rig_close(r);
}

/* A slab's own pages may come from its cache's objects: reclaim inside an allocation. */
static void test_objects_make_room(void **state)
{
	struct sf_settings set = settings(2048);
	struct rig *r = rig_open(&set);
	uint32_t id = cache(r, "dentry", NO_SHEAVES), sheaves = cache(r, "inode", 0);

	(void)state;
	for (unsigned int i = 0; i < MAX_OBJECTS / 2 - 1; i++) {
		assert_true(object(r, id, SF_GFP_KERNEL));
		if (r->nr < MAX_OBJECTS - 1)
			assert_true(object(r, sheaves, SF_GFP_KERNEL));
	}
	while (r->nr < MAX_OBJECTS)
		assert_true(object(r, id, SF_GFP_KERNEL));
	assert_int_equal(r->nr_gone + r->h->nr_tracked, r->nr);
	assert_int_equal(r->seen[SF_EV_OOM], 0);
	rig_close(r);
}

/* --- policies --- */

/* All objects freed by their user, and most of them parked in sheaves. */
static struct rig *parked(uint64_t policy)
{
	struct sf_settings set = settings(2048);
	struct rig *r;
	struct sf_result rs;
	uint32_t id;

	set.oom = policy;
	set.cpus = 1;
	r = rig_open(&set);
	id = cache(r, "inode", 0);
	crowd(r, id, 30);
	for (uint32_t i = 0; i < r->nr; i++)
		r->a->cache_free(r->h, id, r->addr[i], &rs);
	assert_int_equal(r->h->nr_tracked, 0);
	forget(r);
	return r;
}

static void test_policies(void **state)
{
	static const struct {
		uint64_t policy;
		uint32_t gfp;
		bool flushed;
	} rows[] = {
		{ SF_OOM_KERNEL, SF_GFP_KERNEL, false }, { SF_OOM_FLUSH, SF_GFP_KERNEL, true },
		{ SF_OOM_416, SF_GFP_KERNEL, false },    { SF_OOM_FLUSH, SF_GFP_NOFS, true },
		{ SF_OOM_FLUSH, SF_GFP_KERNEL | SF_GFP_NORETRY, false },
		{ SF_OOM_FLUSH, SF_GFP_KERNEL | SF_GFP_RETRY_MAYFAIL, false },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rig *r = parked(rows[i].policy);
		uint64_t slabs = r->h->nr_slab_reclaimable;
		uint32_t n = 0;

		assert_true(slabs >= 20);
		while (take(r, rows[i].gfp, 0, NULL))
			n++;
		/* Flushed are the empty slabs, too, that a cache keeps. */
		assert_int_equal(r->h->nr_slab_reclaimable, rows[i].flushed ? 0 : slabs);
		if (r->seen[SF_EV_OOM])
			assert_int_equal(r->oom.policy, rows[i].policy);
		if (rows[i].flushed)
			assert_true(n >= slabs - 4);
		rig_close(r);
	}
}

/* --- kswapd --- */

static void test_kswapd(void **state)
{
	struct sf_settings set = settings(4096);
	struct rig *r = rig_open(&set);
	const struct zone *z;

	(void)state;
	z = &r->h->zone;
	r->a->kswapd(r->h);
	assert_int_equal(r->nr_reclaim, 1);
	assert_int_equal(r->nr_shrink, 0);
	crowd(r, cache(r, "dentry", NO_SHEAVES), 1000);
	assert_true(z->nr_free_pages <= z->wmark[2]);
	forget(r);
	r->a->kswapd(r->h);
	assert_int_equal(r->reclaim[0].kind, SF_RECLAIM_KSWAPD);
	assert_true(z->nr_free_pages > z->wmark[2]);
	assert_true(r->nr_gone > 0 && r->nr_gone < r->nr / 2);
	assert_true(r->reclaim[0].priority >= 1);
	assert_false(z->reclaim_active);
	forget(r);
	r->a->kswapd(r->h);
	assert_int_equal(r->nr_gone, 0);
	rig_close(r);
}

/* It gives up at priority 1, and a boost is worked off only gently, and then forgotten. */
static void test_kswapd_gives_up(void **state)
{
	struct sf_settings set = settings(4096);
	struct rig *r = rig_open(&set);
	uint32_t nr = crowd(r, cache(r, "dentry", NO_SHEAVES), 2);

	(void)state;
	for (uint32_t i = 0; i < nr; i++)
		r->a->pin(r->h, r->addr[i], true);
	r->a->pin(r->h, r->addr[0], false);
	forget(r);
	r->a->kswapd(r->h);
	assert_int_equal(r->nr_shrink, 12);
	assert_int_equal(r->shrink[11].priority, 1);
	assert_int_equal(r->nr_gone, 0); /* half of one object is none */
	r->a->pin(r->h, r->addr[1], false);
	r->a->kswapd(r->h);
	assert_int_equal(r->nr_gone, 2);
	rig_close(r);

	r = rig_open(&set);
	objects(r, cache(r, "dentry", NO_SHEAVES), 4000);
	r->h->zone.boost = 10;
	forget(r);
	r->a->kswapd(r->h);
	assert_int_equal(r->h->zone.boost, 0);
	/* At priority 12 there is nothing to be had: that is the end of it. */
	assert_int_equal(r->nr_shrink, 1);
	assert_int_equal(r->nr_gone, 0);
	rig_close(r);
}

/* --- groups --- */

static void test_group(void **state)
{
	struct sf_settings set = settings(4096);
	struct rig *r;
	uint32_t id, group;

	(void)state;
	set.memcg = 1;
	r = rig_open(&set);
	id = cache(r, "dentry", NO_SHEAVES);
	group = r->a->memcg_create(r->h, SF_NONE, UINT64_MAX);
	objects(r, id, 100);
	r->a->memcg_set(r->h, group);
	for (unsigned int i = 0; i < 100; i++)
		assert_true(object(r, id, SF_GFP_KERNEL_ACCOUNT));
	r->a->memcg_set(r->h, SF_NONE);
	vmscan_memcg(r->h, group, SF_GFP_KERNEL);
	assert_int_equal(r->reclaim[0].kind, SF_RECLAIM_MEMCG);
	assert_int_equal(r->reclaim[0].memcg, group);
	assert_int_equal(r->nr_gone, 100);
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(r->addr[i] != 0, i < 100);
	for (unsigned int i = 0; i < r->nr_shrink; i++)
		assert_int_equal(r->shrink[i].memcg, group);
	assert_int_equal(r->h->shrinker[0].nr_deferred, 0);
	assert_int_equal(r->h->vm.allocstall, 0);
	rig_close(r);
}

/* Blocks: charged once they are there, given back if that is refused; pages of exact ones. */
static void test_charged_blocks(void **state)
{
	struct sf_settings set = settings(4096);
	struct sf_result rs;
	struct rig *r;
	uint32_t group;
	uint64_t block, used;
	uint8_t status;

	(void)state;
	set.memcg = 1;
	r = rig_open(&set);
	group = r->a->memcg_create(r->h, SF_NONE, 8 * 4096);
	block = take(r, SF_GFP_KERNEL_ACCOUNT, 1, NULL);
	assert_int_equal(r->seen[SF_EV_CHARGE], 0); /* the root is not charged */
	r->a->memcg_set(r->h, group);
	used = take(r, SF_GFP_KERNEL_ACCOUNT, 1, NULL);
	assert_int_equal(r->h->nr_charged, 1);
	take(r, SF_GFP_KERNEL, 1, NULL);
	assert_int_equal(r->h->nr_charged, 1);
	assert_int_equal(take(r, SF_GFP_KERNEL_ACCOUNT, 3, &status), 0);
	assert_int_equal(status, SF_NULL);
	assert_int_equal(r->h->nr_charged, 1);
	assert_int_equal(r->seen[SF_EV_PAGE_ALLOC] - r->seen[SF_EV_PAGE_FREE], 3);
	assert_int_not_equal(take(r, SF_GFP_KERNEL_ACCOUNT | SF_GFP_NOFAIL, 3, &status), 0);
	r->a->pages_free(r->h, used, 1);
	r->a->pages_free(r->h, block, 1);
	assert_int_equal(r->h->nr_charged, 1);
	r->a->memcg_set(r->h, r->a->memcg_create(r->h, SF_NONE, 8 * 4096));
	r->a->exact_alloc(r->h, 5 * 4096, SF_GFP_KERNEL_ACCOUNT, &rs);
	assert_int_equal(rs.status, SF_OK);
	assert_int_equal(r->h->nr_charged, 1 + 5);
	r->a->exact_free(r->h, rs.addr, 5 * 4096);
	assert_int_equal(r->h->nr_charged, 1);
	rig_close(r);
}

/* --- the HIGHATOMIC reserve --- */

/* Page blocks of 16 pages: 1 % of 4096 pages makes three of them. */
static struct rig *reserving(void)
{
	struct sf_settings set = settings(4096);

	set.pageblock_order = 4;
	return rig_open(&set);
}

static void test_reserve(void **state)
{
	struct rig *r = reserving();
	const struct zone *z = &r->h->zone;
	uint64_t high;

	(void)state;
	while (take(r, SF_GFP_NOWAIT, 0, NULL))
		;
	assert_int_equal(z->nr_highatomic, 0);
	/* The first that needs it makes it; it grows to its bound. */
	assert_int_not_equal(take(r, SF_GFP_ATOMIC, 2, NULL), 0);
	assert_int_equal(z->nr_highatomic, 16);
	assert_int_equal(z->free[4][SF_MIGRATE_HIGHATOMIC].nr, 0);
	while (take(r, SF_GFP_ATOMIC, 2, NULL))
		assert_true(z->nr_highatomic <= 48);
	assert_int_equal(z->nr_highatomic, 48);
	assert_int_equal(r->seen[SF_EV_RESERVE], 3);
	high = z->nr_free_highatomic;
	/* Who may wait gets nothing of it until all else has failed: then it goes before OOM. */
	take(r, SF_GFP_KERNEL, 0, NULL);
	assert_int_equal(r->releases > 0, high > 0);
	assert_int_equal(r->released_before_oom, r->seen[SF_EV_OOM] ? r->releases : 0);
	assert_int_equal(z->nr_free_highatomic, 0);
	rig_close(r);
}

/* Free pages of the reserve: not counted by others, taken first by whom it is for. */
static void test_reserve_is_kept(void **state)
{
	struct rig *r = reserving();
	const struct zone *z = &r->h->zone;
	uint64_t block[3], free_pages;

	(void)state;
	while (take(r, SF_GFP_NOWAIT, 0, NULL))
		;
	for (unsigned int i = 0; i < 3; i++)
		block[i] = take(r, SF_GFP_ATOMIC, 4, NULL);
	assert_true(block[0] && block[1] && block[2]);
	assert_int_equal(z->nr_highatomic, 48);
	assert_int_equal(z->nr_free_highatomic, 0);
	for (unsigned int i = 0; i < 3; i++)
		r->a->pages_free(r->h, block[i], 4);
	assert_int_equal(z->nr_free_highatomic, 48);
	r->a->drain(r->h);
	free_pages = z->nr_free_pages;
	/* Not for others, but who may reclaim lets go of a block, if it is not the last. */
	assert_int_equal(take(r, SF_GFP_NOWAIT, 4, NULL), 0);
	assert_int_equal(r->releases, 0);
	assert_int_equal(take(r, SF_GFP_KERNEL | SF_GFP_NORETRY, 4, NULL), 0);
	assert_int_equal(z->nr_highatomic, 32);
	assert_int_equal(z->nr_free_pages, free_pages);
	assert_int_equal(r->releases, 1);
	forget(r);
	assert_int_not_equal(block[0] = take(r, SF_GFP_ATOMIC, 4, NULL), 0);
	assert_int_equal(z->nr_free_highatomic, 16);
	assert_int_equal(r->seen[SF_EV_RESERVE], 0);
	r->a->pages_free(r->h, block[0], 4);
	/* Pages of it that are freed singly are kept with movable ones, and find their way back. */
	assert_int_not_equal(block[0] = take(r, SF_GFP_ATOMIC, 1, NULL), 0);
	r->a->pages_free(r->h, block[0], 1);
	assert_int_equal(z->pcp[0].list[3 * 1 + SF_MIGRATE_MOVABLE].nr, 1);
	r->a->drain(r->h);
	assert_int_equal(z->nr_free_highatomic, 32);
	assert_int_equal(z->nr_highatomic, 32);
	rig_close(r);
}

/* Smaller than a page block, 1 % reserves nothing. */
static void test_no_reserve(void **state)
{
	struct sf_settings set = settings(4096);
	struct rig *r = rig_open(&set);

	(void)state;
	while (take(r, SF_GFP_NOWAIT, 0, NULL))
		;
	while (take(r, SF_GFP_ATOMIC, 2, NULL))
		;
	assert_int_equal(r->seen[SF_EV_RESERVE], 0);
	rig_close(r);
}

/* --- without anything to reclaim --- */

static void test_nothing_to_do(void **state)
{
	struct sf_settings set = settings(1024);
	struct rig *r = rig_open(&set);

	(void)state;
	assert_int_equal(vmscan_direct(r->h, SF_GFP_KERNEL, 0), 0);
	assert_int_equal(r->a->shrink(r->h, 100), 0);
	r->a->kswapd(r->h);
	assert_int_equal(r->nr_shrink, 0);
	assert_int_equal(r->nr_reclaim, 3);
	/* Reclaim does not reclaim. */
	r->h->reclaiming = true;
	assert_int_equal(vmscan_direct(r->h, SF_GFP_KERNEL, 0), 0);
	assert_int_equal(vmscan_memcg(r->h, 0, SF_GFP_KERNEL), 0);
	assert_int_equal(r->nr_reclaim, 3);
	r->h->reclaiming = false;
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_seeks_and_batch),
		cmocka_unit_test(test_nofs_stops),
		cmocka_unit_test(test_goal_ends_round),
		cmocka_unit_test(test_order_of_shrinkers),
		cmocka_unit_test(test_shrink),
		cmocka_unit_test(test_kernel_reclaims),
		cmocka_unit_test(test_others_do_not),
		cmocka_unit_test(test_pinned_stay),
		cmocka_unit_test(test_rounds),
		cmocka_unit_test(test_deep_gap),
		cmocka_unit_test(test_nofail),
		cmocka_unit_test(test_objects_make_room),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_kswapd),
		cmocka_unit_test(test_kswapd_gives_up),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_charged_blocks),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_reserve_is_kept),
		cmocka_unit_test(test_no_reserve),
		cmocka_unit_test(test_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
