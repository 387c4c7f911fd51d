// SPDX-License-Identifier: MIT
/*
 * test_overcommit.c - the estimates of available memory, by figures worked out by hand.
 *
 * 4096 pages: min_free_kbytes = isqrt(16 * 16384) = 512, MIN 128 pages, LOW 160, HIGH 192. The
 * counters are set as they might be: who counts what is another test's business.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* a member of struct sf_allocator has that name */

#include "../allocators/overcommit.h"

struct rig {
	struct sf_heap h;
	struct sf_sink sink;
	struct sf_ev_oom oom;
	unsigned int ooms;
};

static void hear(void *ctx, const struct sf_event *ev)
{
	struct rig *r = ctx;

	if (ev->type != SF_EV_OOM)
		return;
	r->oom = ev->oom;
	r->ooms++;
}

static struct rig *rig_open(uint64_t oom)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct zone *z = &r->h.zone;

	assert_non_null(r);
	r->sink = (struct sf_sink){ .emit = hear, .ctx = r };
	sf_settings_init(&r->h.set);
	r->h.set.oom = oom;
	r->h.sink = &r->sink;
	z->managed = 4096;
	z->wmark[0] = 128;
	z->wmark[1] = 160;
	z->wmark[2] = 192;
	z->nr_free_pages = 1000;
	return r;
}

static void test_available(void **state)
{
	static const struct {
		uint64_t free, reclaimable, indirect_bytes, boost, available;
	} rows[] = {
		{ 1000, 0, 0, 0, 808 },
		{ 192, 0, 0, 0, 0 },
		{ 100, 0, 0, 0, 0 },
		{ 100, 93, 0, 0, 0 },        /* 100 + 93 - 46 - 192 < 0 */
		{ 100, 185, 0, 0, 1 },       /* 185 - 92 */
		{ 1000, 100, 0, 0, 858 },    /* half of it may be in use */
		{ 1000, 320, 0, 0, 968 },
		{ 1000, 1000, 0, 0, 1648 },  /* all but LOW */
		{ 1000, 1000, 0, 64, 1584 },
		{ 1000, 1, 0, 0, 809 },      /* half of one is none */
		{ 1000, 0, 40960, 0, 818 },  /* in full */
		{ 1000, 100, 40959, 0, 867 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig *r = rig_open(SF_OOM_KERNEL);

		r->h.zone.nr_free_pages = rows[i].free;
		r->h.zone.boost = rows[i].boost;
		r->h.nr_slab_reclaimable = rows[i].reclaimable;
		r->h.indirect_bytes = rows[i].indirect_bytes;
		assert_int_equal(mem_available(&r->h), rows[i].available);
		assert_int_equal(misc_reclaimable(&r->h), rows[i].indirect_bytes / 4096);
		free(r);
	}
}

static void test_totalreserve(void **state)
{
	struct rig *r = rig_open(SF_OOM_KERNEL);

	(void)state;
	assert_int_equal(totalreserve(&r->h), 192);
	r->h.zone.boost = 100;
	assert_int_equal(totalreserve(&r->h), 192);
	r->h.zone.managed = 64;
	assert_int_equal(totalreserve(&r->h), 64);
	free(r);
}

/* Linux 7.2: only more than all memory is refused, however little is free. */
static void test_now(void **state)
{
	struct rig *r = rig_open(SF_OOM_KERNEL);

	(void)state;
	r->h.zone.nr_free_pages = 3;
	assert_int_equal(overcommit_enough(&r->h, 4096), SF_OK);
	assert_int_equal(r->ooms, 0);
	assert_int_equal(overcommit_enough(&r->h, 4097), SF_NULL);
	assert_int_equal(r->ooms, 1);
	assert_true(r->oom.guess);
	assert_int_equal(r->oom.policy, SF_OOM_KERNEL);
	assert_int_equal(r->oom.pages, 4097);
	assert_int_equal(r->oom.guessed, 4096);
	assert_int_equal(r->oom.memcg, SF_NONE);
	free(r);
}

/* 4.16: free + reclaimable (4.17: + indirect) - 192 - 4096 / 32, and less than that. */
static void test_then(void **state)
{
	static const struct {
		uint64_t free, reclaimable, indirect_bytes, guess;
	} rows[] = {
		{ 1000, 0, 0, 680 },    { 1000, 500, 0, 1180 }, { 1000, 500, 8192, 1182 },
		{ 1000, 0, 4095, 680 }, { 320, 0, 0, 0 },       { 321, 0, 0, 1 },
		{ 10, 20, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig *r = rig_open(SF_OOM_416);

		r->h.zone.nr_free_pages = rows[i].free;
		r->h.nr_slab_reclaimable = rows[i].reclaimable;
		r->h.indirect_bytes = rows[i].indirect_bytes;
		if (rows[i].guess)
			assert_int_equal(overcommit_enough(&r->h, rows[i].guess - 1), SF_OK);
		assert_int_equal(r->ooms, 0);
		assert_int_equal(overcommit_enough(&r->h, rows[i].guess), SF_NULL);
		assert_int_equal(r->ooms, 1);
		assert_int_equal(r->oom.guessed, rows[i].guess);
		assert_int_equal(r->oom.policy, SF_OOM_416);
		free(r);
	}
}

/* What is kept for root: 3 %, at most 8 MiB. */
static void test_admin_reserve(void **state)
{
	struct rig *r = rig_open(SF_OOM_416);

	(void)state;
	r->h.zone.managed = 1u << 20;
	r->h.zone.nr_free_pages = 1u << 20;
	assert_int_equal(overcommit_enough(&r->h, (1u << 20) - 192 - 2048), SF_NULL);
	assert_int_equal(overcommit_enough(&r->h, (1u << 20) - 192 - 2048 - 1), SF_OK);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_available),
		cmocka_unit_test(test_totalreserve),
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_then),
		cmocka_unit_test(test_admin_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
