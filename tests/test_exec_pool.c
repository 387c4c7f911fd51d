// SPDX-License-Identifier: MIT
/*
 * test_exec_pool.c - what the executor asks and emits of pools: allocations, writes, rare writes,
 * what a reader sees in their midst, destruction; and that it sees it when something is wrong with
 * any of that. Relies on the executor and on the protected model, which is made to err by wrappers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/exec/exec.h"

#define EVENTS 512

struct run {
	struct sf_event ev[EVENTS];
	uint32_t nr;
	struct sf_exec_counts counts;
};

static struct run seen;

static void on_event(void *ctx, const struct sf_event *ev)
{
	(void)ctx;
	switch (ev->type) {
	case SF_EV_ALLOC:
	case SF_EV_FREE:
	case SF_EV_SKIP:
	case SF_EV_CACHE_CREATE:
	case SF_EV_CONTENT:
	case SF_EV_POOL:
	case SF_EV_WRITE:
	case SF_EV_RARE:
	case SF_EV_TAINT:
	case SF_EV_REACH:
	case SF_EV_ATTACK:
		assert_true(seen.nr < EVENTS);
		seen.ev[seen.nr++] = *ev;
	}
}

static void run_with(const struct sf_allocator *a, bool contents, enum sf_end end, const char *text)
{
	const struct sf_exec_options how = { .end = (uint8_t)end, .contents = contents };
	struct sf_text_error where;
	struct sf_error err;
	struct sf_exec *x;
	struct sf_prog p;

	memset(&seen, 0, sizeof(seen));
	sf_prog_init(&p);
	if (sf_text_parse(&p, text, strlen(text), &where))
		fail_msg("%u:%u: %s", where.line, where.col, where.text);
	x = sf_exec_create(a, &p.settings, &how, on_event, NULL, &err);
	assert_non_null(x);
	assert_int_equal(sf_exec_run(x, &p, "test", &err), p.nr_ops);
	sf_exec_counts(x, &seen.counts);
	sf_exec_destroy(x);
	sf_prog_free(&p);
}

static void run(const char *text)
{
	run_with(&sf_protected, true, SF_END_TEARDOWN, text);
	assert_int_equal(seen.counts.live, 0);
}

/* The n-th event of that type, of operation `op`. */
static const struct sf_event *nth(uint32_t op, uint8_t type, uint32_t n)
{
	for (uint32_t i = 0; i < seen.nr; i++)
		if (seen.ev[i].op == op && seen.ev[i].type == type && !n--)
			return &seen.ev[i];
	return NULL;
}

static const struct sf_event *of(uint32_t op, uint8_t type)
{
	const struct sf_event *ev = nth(op, type, 0);

	if (!ev)
		fail_msg("operation %u told no event of type %u", op, type);
	assert_null(nth(op, type, 1));
	return ev;
}

static const struct sf_ev_rare *rare_of(uint32_t op)
{
	return &of(op, SF_EV_RARE)->rare;
}

static const struct sf_ev_write *write_of(uint32_t op)
{
	return &of(op, SF_EV_WRITE)->write;
}

/* --- allocations and pools --- */

static void test_pools_are_told(void **state)
{
	const struct sf_ev_pool *p;

	(void)state;
	run("r0 = pmalloc_create_pool(ro, refill=3)\nr1 = pmalloc_create_pool(start_wr)\n"
	    "pmalloc_protect_pool(r0)\npmalloc_unprotect_pool(r0)\npmalloc_destroy_pool(r0)\n");
	p = &of(0, SF_EV_POOL)->pool;
	assert_int_equal(p->act, SF_POOL_CREATE);
	assert_int_equal(p->mode, SF_POOL_RO);
	assert_int_equal(p->refill, 3);
	assert_int_equal(p->res, 0);
	assert_int_equal(p->status, SF_OK);
	assert_int_equal(of(1, SF_EV_POOL)->pool.mode, SF_POOL_START_WR);
	assert_int_not_equal(of(1, SF_EV_POOL)->pool.pool, p->pool);
	assert_int_equal(of(2, SF_EV_POOL)->pool.act, SF_POOL_PROTECT);
	assert_int_equal(of(2, SF_EV_POOL)->pool.pool, p->pool);
	assert_int_equal(of(3, SF_EV_POOL)->pool.act, SF_POOL_UNPROTECT);
	assert_int_equal(of(3, SF_EV_POOL)->pool.status, SF_NOTICED);
	assert_int_equal(of(4, SF_EV_POOL)->pool.act, SF_POOL_DESTROY);
	/* What is left goes at the end. */
	assert_int_equal(of(SF_NONE, SF_EV_POOL)->pool.act, SF_POOL_DESTROY);
	assert_int_equal(of(SF_NONE, SF_EV_POOL)->pool.res, 1);
}

static void test_allocations(void **state)
{
	const struct sf_ev_alloc *a;

	(void)state;
	run("r0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 100)\nr2 = pmalloc_array(r0, 7, 9)\n"
	    "r3 = pcalloc(r0, SIZE_MAX, 3)\nr4 = pmalloc(r0, 0)\n");
	a = &of(1, SF_EV_ALLOC)->alloc;
	assert_int_equal(a->api, SF_API_PMALLOC);
	assert_int_equal(a->pool, of(0, SF_EV_POOL)->pool.pool);
	assert_int_equal(a->place.kind, SF_PLACE_POOL);
	assert_int_equal(a->place.pool, a->pool);
	assert_int_equal(a->gfp, SF_GFP_KERNEL);
	assert_int_equal(a->size, 100);
	assert_int_equal(a->zeroed, 100); /* whatever was asked, it is zero */
	assert_true(a->dirty == SF_GOOD);
	a = &of(2, SF_EV_ALLOC)->alloc;
	assert_int_equal(a->n, 7);
	assert_int_equal(a->elem, 9);
	assert_int_equal(a->size, 63);
	a = &of(3, SF_EV_ALLOC)->alloc;
	assert_true(a->overflow && a->size == UINT64_MAX && a->status == SF_NULL);
	assert_int_equal(a->gfp, SF_GFP_KERNEL | SF_GFP_ZERO);
	assert_int_equal(of(4, SF_EV_ALLOC)->alloc.status, SF_NULL);
	assert_false(of(4, SF_EV_ALLOC)->alloc.overflow);
}

/* The objects are verified while they are there, and reported after; those of other pools stay. */
static void test_destroy(void **state)
{
	uint32_t ids = 0;

	(void)state;
	run_with(&sf_protected, true, SF_END_PLAIN,
		 "r0 = pmalloc_create_pool(wr)\nr1 = pmalloc_create_pool(wr)\n"
		 "r2 = pmalloc(r0, 100)\nr3 = pmalloc(r1, 200)\nr4 = pmalloc(r0, 5000)\n"
		 "pmalloc_rare_write(r0, r4, off=3, n=4500)\npmalloc_destroy_pool(r0)\n");
	assert_int_equal(seen.counts.live, 1);
	for (uint32_t n = 0; n < 2; n++) {
		const struct sf_event *ev = nth(6, SF_EV_FREE, n);

		assert_non_null(ev);
		assert_int_equal(ev->free.how, SF_FREE_POOL);
		assert_int_equal(ev->free.api, SF_API_PMALLOC);
		assert_true(ev->free.bad == SF_GOOD && ev->free.known);
		assert_int_equal(ev->free.verified, ev->free.res == 2 ? 100 : 5000);
		ids |= 1u << ev->free.res;
	}
	assert_null(nth(6, SF_EV_FREE, 2));
	assert_int_equal(ids, 1u << 2 | 1u << 4);
	assert_ptr_equal(&seen.ev[seen.nr - 1], of(6, SF_EV_POOL));
}

static void test_what_cannot_is_skipped(void **state)
{
	(void)state;
	run_with(&sf_baseline, true, SF_END_TEARDOWN,
		 "heap misuse=1\nr0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 8)\nwrite(r1)\n"
		 "pmalloc_protect_pool(r0)\npmalloc_unprotect_pool(r0)\n"
		 "pmalloc_rare_write(r0, r1)\n"
		 "directmap_write(r1, 8)\npmalloc_destroy_pool(r0)\n");
	assert_int_equal(seen.counts.skipped[SF_SKIP_NO_CAP], 7);
	assert_int_equal(seen.counts.skipped[SF_SKIP_DEAD], 1); /* write() it can */
	assert_null(nth(6, SF_EV_TAINT, 0));
}

static void test_min_order_is_passed_on(void **state)
{
	(void)state;
	run("c0 = kmem_cache_create(\"a\", 64, 0, 0, min_order=4)\n");
	assert_int_equal(of(0, SF_EV_CACHE_CREATE)->cacheop.min_order, 4);
}

/* --- contents --- */

static void test_writes(void **state)
{
	(void)state;
	run("r0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 300)\nwrite(r1)\n"
	    "pmalloc_protect_pool(r0)\nwrite(r1)\nverify(r1)\npmalloc_unprotect_pool(r0)\n"
	    "write(r1)\n");
	for (uint32_t op = 2; op <= 7; op += op == 2 ? 2 : 3) {
		assert_int_equal(write_of(op)->status, op == 4 ? SF_NOTICED : SF_OK);
		assert_true(write_of(op)->bad == SF_GOOD);
		assert_int_equal(write_of(op)->verified, 300);
		assert_int_equal(write_of(op)->size, 300);
	}
	assert_true(of(5, SF_EV_CONTENT)->content.bad == SF_GOOD);
	assert_int_equal(of(5, SF_EV_CONTENT)->content.verified, 300);
}

static void good(const struct sf_ev_rare *r, uint64_t offset, uint64_t size)
{
	assert_int_equal(r->status, SF_OK);
	assert_int_equal(r->seen, 3);
	assert_int_equal(r->offset, offset);
	assert_int_equal(r->size, size);
	assert_true(r->before == SF_GOOD && r->after == SF_GOOD && r->bad == SF_GOOD);
	assert_true(r->verified > 0);
}

/* Patches on patches, words shared by three of them, short tails, and all of it whole again. */
static void test_rare_writes_add_up(void **state)
{
	static const uint16_t parts[][2] = {
		{ 0, 8 },  { 8, 8 },   { 4, 8 },   { 5, 1 },  { 6, 1 },  { 90, 11 }, { 100, 1 },
		{ 1, 99 }, { 0, 101 }, { 50, 51 }, { 49, 3 }, { 0, 49 }, { 96, 5 },  { 3, 95 },
	};
	char text[4096];
	size_t len = 0;

	(void)state;
	len += (size_t)snprintf(text, sizeof(text), "r0 = pmalloc_create_pool(wr)\n"
				"r1 = pmalloc(r0, 101)\npmalloc_protect_pool(r0)\n");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"pmalloc_rare_write(r0, r1, off=%u, n=%u)\nverify(r1)\n",
					parts[i][0], parts[i][1]);
	run(text);
	for (uint32_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		good(rare_of(3 + 2 * i), parts[i][0], parts[i][1]);
		assert_true(of(4 + 2 * i, SF_EV_CONTENT)->content.bad == SF_GOOD);
	}
}

static void test_rare_writes_across_objects(void **state)
{
	(void)state;
	run("r0 = pmalloc_create_pool(wr, refill=3)\nr1 = pmalloc(r0, 20)\nr2 = pmalloc(r0, 9)\n"
	    "r3 = pmalloc(r0, 7000)\npmalloc_protect_pool(r0)\n"
	    "pmalloc_rare_write(r0, r1, off=17, n=4000)\ncheck\n"
	    "pmalloc_rare_write(r0, r2, off=3, n=50)\ncheck\n"
	    "pmalloc_rare_write(r0, r1, off=24, n=4)\ncheck\nwrite(r3)\n"
	    "pmalloc_rare_write(r0, r3)\ncheck\n");
	good(rare_of(5), 17, 4000);
	good(rare_of(7), 3, 50);
	good(rare_of(9), 24, 4);
	for (uint32_t op = 6; op <= 13; op += op == 10 ? 3 : 2)
		for (uint32_t n = 0; n < 3; n++)
			assert_true(nth(op, SF_EV_CONTENT, n)->content.bad == SF_GOOD);
	assert_true(write_of(11)->bad == SF_GOOD);
	assert_int_equal(write_of(11)->status, SF_NOTICED);
	good(rare_of(12), 0, 7000);
}

/* What is refused changes nothing, and no walk comes in its midst. */
static void test_refused_rare_writes(void **state)
{
	(void)state;
	run("r0 = pmalloc_create_pool(wr)\nr1 = pmalloc_create_pool(ro)\nr2 = pmalloc(r0, 100)\n"
	    "r3 = pmalloc(r1, 100)\npmalloc_protect_pool(r0)\npmalloc_protect_pool(r1)\n"
	    "pmalloc_rare_write(r1, r3, n=8)\npmalloc_rare_write(r0, r3)\n"
	    "pmalloc_rare_write(r1, r2)\npmalloc_rare_write(r0, r2, off=96, n=5000)\n"
	    "pmalloc_rare_write(r0, r2, off=100)\npmalloc_rare_write(r0, r2, off=8, n=SIZE_MAX)\n");
	for (uint32_t op = 6; op <= 11; op++) {
		assert_int_equal(rare_of(op)->status, SF_NOTICED);
		assert_int_equal(rare_of(op)->seen, 0);
		assert_true(rare_of(op)->bad == SF_GOOD);
		assert_int_equal(rare_of(op)->verified, 100);
	}
	assert_int_equal(rare_of(7)->pool, of(0, SF_EV_POOL)->pool.pool);
}

/* Of a pool that is sealed from the start the first contents come by a rare write. */
static void test_start_sealed(void **state)
{
	(void)state;
	run("r0 = pmalloc_create_pool(start_wr)\nr1 = pmalloc(r0, 100)\nwrite(r1)\nverify(r1)\n");
	good(rare_of(1), 0, 100);
	assert_int_equal(write_of(2)->status, SF_NOTICED);
	assert_true(of(3, SF_EV_CONTENT)->content.bad == SF_GOOD);
}

static void test_no_contents(void **state)
{
	(void)state;
	run_with(&sf_protected, false, SF_END_TEARDOWN,
		 "r0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 100)\npmalloc_protect_pool(r0)\n"
		 "write(r1)\npmalloc_rare_write(r0, r1, off=8, n=8)\n");
	assert_int_equal(write_of(3)->status, SF_NOTICED);
	assert_int_equal(write_of(3)->verified, 0);
	assert_int_equal(rare_of(4)->status, SF_OK);
	assert_int_equal(rare_of(4)->verified, 0);
	assert_int_equal(rare_of(4)->seen, 0);
}

/* --- models that err --- */

static enum sf_status short_write(struct sf_heap *h, uint32_t pool, uint64_t addr, uint64_t offset,
				  uint64_t size, uint64_t key)
{
	return sf_protected.rare_write(h, pool, addr, offset, size - 1, key);
}

static enum sf_status long_write(struct sf_heap *h, uint32_t pool, uint64_t addr, uint64_t offset,
				 uint64_t size, uint64_t key)
{
	return sf_protected.rare_write(h, pool, addr, offset, size + 1, key);
}

static enum sf_status denied_write(struct sf_heap *h, uint32_t pool, uint64_t addr, uint64_t offset,
				   uint64_t size, uint64_t key)
{
	sf_protected.rare_write(h, pool, addr, offset, size, key);
	return SF_NOTICED;
}

static enum sf_status lost_store(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
				 enum sf_contents how)
{
	(void)h;
	(void)addr;
	(void)size;
	(void)key;
	(void)how;
	return SF_OK;
}

static uint64_t bad_after(enum sf_status (*rare)(struct sf_heap *, uint32_t, uint64_t, uint64_t,
						 uint64_t, uint64_t), uint8_t status)
{
	struct sf_allocator a = sf_protected;

	a.rare_write = rare;
	run_with(&a, true, SF_END_PLAIN,
		 "r0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 100)\npmalloc_protect_pool(r0)\n"
		 "pmalloc_rare_write(r0, r1, off=30, n=20)\nverify(r1)\n");
	assert_int_equal(rare_of(3)->status, status);
	assert_true(rare_of(3)->bad == of(4, SF_EV_CONTENT)->content.bad);
	return rare_of(3)->bad;
}

static void test_wrong_rare_writes_are_seen(void **state)
{
	(void)state;
	assert_int_equal(bad_after(short_write, SF_OK), 49);
	assert_int_equal(rare_of(3)->after, 49);
	assert_true(rare_of(3)->before == SF_GOOD);
	assert_int_equal(bad_after(long_write, SF_OK), 50);
	assert_in_range(bad_after(denied_write, SF_NOTICED), 30, 49);
}

static void test_a_lost_store_is_seen(void **state)
{
	struct sf_allocator a = sf_protected;

	(void)state;
	a.pool_write = lost_store;
	run_with(&a, true, SF_END_PLAIN,
		 "r0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 100)\nwrite(r1)\n");
	assert_int_equal(write_of(2)->bad, 0);
	assert_int_equal(write_of(2)->status, SF_OK);
}

static void (*real_midst)(void *ctx, bool after);
static void *real_ctx;

static void midst_late(void *ctx, bool after)
{
	(void)ctx;
	if (after) { /* both looks when everything is written */
		real_midst(real_ctx, false);
		real_midst(real_ctx, true);
	}
}

static void set_late_user(struct sf_heap *h, const struct sf_user *u)
{
	static struct sf_user late;

	late = *u;
	real_midst = u->midst;
	real_ctx = u->ctx;
	late.midst = midst_late;
	sf_protected.set_user(h, &late);
}

static void test_a_reader_sees_what_is_too_early(void **state)
{
	struct sf_allocator a = sf_protected;

	(void)state;
	a.set_user = set_late_user;
	run_with(&a, true, SF_END_PLAIN,
		 "r0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 100)\npmalloc_protect_pool(r0)\n"
		 "pmalloc_rare_write(r0, r1, off=32, n=16)\n");
	assert_int_equal(rare_of(3)->seen, 3);
	assert_in_range(rare_of(3)->before, 32, 47);
	assert_true(rare_of(3)->after == SF_GOOD && rare_of(3)->bad == SF_GOOD);
}

/* --- the direct map --- */

static const char attack[] =
	"r0 = pmalloc_create_pool(ro)\nr1 = pmalloc(r0, 100)\nr2 = pmalloc(r0, 9000)\n"
	"pmalloc_protect_pool(r0)\ndirectmap_write(r1, 60)\ndirectmap_write(r2, 65535)\n";

static void attacked(const char *heap)
{
	char text[512];

	snprintf(text, sizeof(text), "%s\n%s", heap, attack);
	run_with(&sf_protected, true, SF_END_TEARDOWN, text);
}

static void test_open_direct_map(void **state)
{
	(void)state;
	attacked("heap misuse=1");
	for (uint32_t op = 4; op <= 5; op++) {
		const struct sf_ev_reach *r = &of(op, SF_EV_REACH)->reach;

		assert_int_equal(r->what, SF_REACH_POOLED);
		assert_int_equal(r->res, op - 3);
		assert_int_equal(r->size, op == 4 ? 60 : 9000); /* no further than the object */
		assert_int_equal(r->addr, of(op - 3, SF_EV_ALLOC)->alloc.addr);
		assert_int_equal(of(op, SF_EV_ATTACK)->attack.reached, 1u << SF_REACH_POOLED);
		assert_false(of(op, SF_EV_ATTACK)->attack.noticed);
	}
	of(4, SF_EV_TAINT);
}

static void test_sealed_direct_map(void **state)
{
	(void)state;
	attacked("heap misuse=1 directmap=sealed");
	for (uint32_t op = 4; op <= 5; op++) {
		assert_null(nth(op, SF_EV_REACH, 0));
		assert_int_equal(of(op, SF_EV_ATTACK)->attack.reached, 1u << SF_REACH_NOTHING);
		assert_true(of(op, SF_EV_ATTACK)->attack.noticed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pools_are_told),
		cmocka_unit_test(test_allocations),
		cmocka_unit_test(test_destroy),
		cmocka_unit_test(test_what_cannot_is_skipped),
		cmocka_unit_test(test_min_order_is_passed_on),
		cmocka_unit_test(test_writes),
		cmocka_unit_test(test_rare_writes_add_up),
		cmocka_unit_test(test_rare_writes_across_objects),
		cmocka_unit_test(test_refused_rare_writes),
		cmocka_unit_test(test_start_sealed),
		cmocka_unit_test(test_no_contents),
		cmocka_unit_test(test_wrong_rare_writes_are_seen),
		cmocka_unit_test(test_a_lost_store_is_seen),
		cmocka_unit_test(test_a_reader_sees_what_is_too_early),
		cmocka_unit_test(test_open_direct_map),
		cmocka_unit_test(test_sealed_direct_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
