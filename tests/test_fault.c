// SPDX-License-Identifier: MIT
/*
 * test_fault.c - injected failures by known sequences: fail(), and the rules of fault_attr in the
 * order in which lib/fault-inject.c:should_fail_ex asks them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* a member of struct sf_allocator has that name */

#include "../allocators/fault.h"

#define FOREVER UINT64_MAX

struct rig {
	struct sf_heap *h;
	struct sf_sink sink;
	uint64_t faults[SF_FAULTS];
};

static void hear(void *ctx, const struct sf_event *ev)
{
	struct rig *r = ctx;

	if (ev->type == SF_EV_FAULT)
		r->faults[ev->fault.kind]++;
}

/* No memory is needed to fail. */
static void rig_open(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	r->h = calloc(1, sizeof(*r->h));
	assert_non_null(r->h);
	r->sink = (struct sf_sink){ .emit = hear, .ctx = r };
	r->h->sink = &r->sink;
}

static void rig_close(struct rig *r)
{
	free(r->h);
}

static bool slab(struct rig *r, uint32_t gfp, uint64_t size)
{
	return fault_fires(r->h, SF_FAULT_SLAB, gfp, size);
}

static bool page(struct rig *r, uint32_t gfp, uint64_t order)
{
	return fault_fires(r->h, SF_FAULT_PAGE, gfp, order);
}

/* A letter a request: x failed, - did not. */
static void expect(struct rig *r, enum sf_fault kind, uint32_t gfp, uint64_t size, const char *what)
{
	for (const char *c = what; *c; c++) {
		uint64_t before = r->faults[kind];
		bool fires = fault_fires(r->h, kind, gfp, size);

		if (fires != (*c == 'x'))
			print_error("%s: request %d\n", what, (int)(c - what));
		assert_int_equal(fires, *c == 'x');
		assert_int_equal(r->faults[kind] - before, fires);
	}
}

static void set(struct rig *r, enum sf_fault kind, struct sf_fault_attr attr)
{
	fault_set(r->h, kind, &attr);
}

static void test_nth(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	assert_false(slab(&r, SF_GFP_KERNEL, 8));
	fault_fail(r.h, SF_FAULT_SLAB, 3);
	/* Requests of the other kind do not count, nor those that must not fail. */
	expect(&r, SF_FAULT_PAGE, SF_GFP_KERNEL, 0, "-----");
	expect(&r, SF_FAULT_SLAB, SF_GFP_KERNEL | SF_GFP_NOFAIL, 8, "-----");
	expect(&r, SF_FAULT_SLAB, SF_GFP_KERNEL, 8, "---x---");
	assert_false(r.h->faults);
	fault_fail(r.h, SF_FAULT_PAGE, 0);
	expect(&r, SF_FAULT_PAGE, SF_GFP_ATOMIC, 10, "x-");
	rig_close(&r);
}

static void test_interval_and_times(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	set(&r, SF_FAULT_SLAB, (struct sf_fault_attr){ .probability = 100, .interval = 3,
						       .times = 2 });
	expect(&r, SF_FAULT_SLAB, SF_GFP_NOWAIT, 64, "--x--x------");
	assert_false(r.h->faults);
	/* Left out: each request, once. */
	set(&r, SF_FAULT_SLAB, (struct sf_fault_attr){ .probability = 100 });
	expect(&r, SF_FAULT_SLAB, SF_GFP_NOWAIT, 64, "x---");
	set(&r, SF_FAULT_SLAB, (struct sf_fault_attr){ .probability = 100, .times = FOREVER });
	expect(&r, SF_FAULT_SLAB, SF_GFP_NOWAIT, 64, "xxxxxxxxxx");
	assert_true(r.h->faults);
	set(&r, SF_FAULT_SLAB, (struct sf_fault_attr){ .probability = 0, .times = FOREVER });
	expect(&r, SF_FAULT_SLAB, SF_GFP_NOWAIT, 64, "---");
	assert_false(r.h->faults);
	rig_close(&r);
}

/* So many bytes first; and what is left of them bars smaller requests later. */
static void test_space(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	set(&r, SF_FAULT_SLAB, (struct sf_fault_attr){ .probability = 100, .times = FOREVER,
						       .space = 200 });
	expect(&r, SF_FAULT_SLAB, SF_GFP_NOWAIT, 64, "---"); /* 136, 72, 8 left */
	expect(&r, SF_FAULT_SLAB, SF_GFP_NOWAIT, 64, "xx");
	expect(&r, SF_FAULT_SLAB, SF_GFP_NOWAIT, 7, "-xx");  /* 1 left */
	set(&r, SF_FAULT_PAGE, (struct sf_fault_attr){ .probability = 100, .times = FOREVER,
						       .space = 7 });
	expect(&r, SF_FAULT_PAGE, SF_GFP_NOWAIT, 1, "---x"); /* pages: 5, 3, 1 left */
	rig_close(&r);
}

/* What is passed over for its space does not count for the interval. */
static void test_space_before_interval(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	set(&r, SF_FAULT_SLAB, (struct sf_fault_attr){ .probability = 100, .times = FOREVER,
						       .space = 150, .interval = 2 });
	expect(&r, SF_FAULT_SLAB, SF_GFP_NOWAIT, 100, "--x-x-x");
	rig_close(&r);
}

static void test_who_is_exempt(void **state)
{
	static const struct {
		uint32_t gfp;
		bool wait, slab, page;
	} rows[] = {
		{ SF_GFP_NOWAIT, false, true, true },
		{ SF_GFP_ATOMIC, false, true, true },
		{ SF_GFP_KERNEL, false, false, false },
		{ SF_GFP_KERNEL, true, true, true },
		{ SF_GFP_NOFS, true, true, true },
		{ SF_GFP_KERNEL | SF_GFP_NOFAIL, true, false, false },
		{ SF_GFP_NOWAIT | SF_GFP_NOFAIL, true, false, false },
		{ SF_GFP_HIGHUSER_MOVABLE, true, true, false },
		{ SF_GFP_NOWAIT | SF_GFP_HIGHMEM, false, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sf_fault_attr attr = { .probability = 100, .times = FOREVER,
					      .wait = rows[i].wait };
		struct rig r;

		rig_open(&r);
		set(&r, SF_FAULT_SLAB, attr);
		set(&r, SF_FAULT_PAGE, attr);
		assert_int_equal(slab(&r, rows[i].gfp, 8), rows[i].slab);
		assert_int_equal(page(&r, rows[i].gfp, 1), rows[i].page);
		rig_close(&r);
	}
}

static void test_min_order(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	set(&r, SF_FAULT_PAGE, (struct sf_fault_attr){ .probability = 100, .times = FOREVER,
						       .min_order = 2, .interval = 2 });
	for (unsigned int i = 0; i < 4; i++) {
		expect(&r, SF_FAULT_PAGE, SF_GFP_NOWAIT, 1, "--");
		expect(&r, SF_FAULT_PAGE, SF_GFP_NOWAIT, 2, i % 2 ? "x" : "-");
	}
	rig_close(&r);
}

/* fail() comes first, and as long as it counts nothing else is asked. */
static void test_nth_comes_first(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	set(&r, SF_FAULT_SLAB, (struct sf_fault_attr){ .probability = 100, .times = 1 });
	fault_fail(r.h, SF_FAULT_SLAB, 2);
	expect(&r, SF_FAULT_SLAB, SF_GFP_NOWAIT, 8, "--xx---");
	assert_false(r.h->faults);
	rig_close(&r);
}

static uint64_t count(struct rig *r, uint64_t seed, unsigned int percent, uint64_t *pattern)
{
	uint64_t n = 0;

	r->h->rng = seed;
	set(r, SF_FAULT_SLAB, (struct sf_fault_attr){ .probability = (uint8_t)percent,
						      .times = FOREVER });
	*pattern = 0;
	for (unsigned int i = 0; i < 10000; i++) {
		bool fires = slab(r, SF_GFP_NOWAIT, 8);

		n += fires;
		*pattern = *pattern * 31 + fires;
	}
	return n;
}

/* The seed decides, and about so many of a hundred fail: five standard deviations of 10000. */
static void test_probability(void **state)
{
	uint64_t first, again, other;
	struct rig r;

	(void)state;
	rig_open(&r);
	assert_in_range(count(&r, 1, 50, &first), 4750, 5250);
	assert_in_range(count(&r, 1, 50, &again), 4750, 5250);
	assert_in_range(count(&r, 2, 50, &other), 4750, 5250);
	assert_int_equal(first, again);
	assert_int_not_equal(first, other);
	assert_in_range(count(&r, 3, 1, &first), 50, 150);
	assert_in_range(count(&r, 3, 99, &first), 9850, 9950);
	rig_close(&r);
}

static void test_reset(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r);
	fault_fail(r.h, SF_FAULT_SLAB, 0);
	set(&r, SF_FAULT_PAGE, (struct sf_fault_attr){ .probability = 100, .times = FOREVER,
						       .interval = 2 });
	expect(&r, SF_FAULT_PAGE, SF_GFP_NOWAIT, 0, "-x-");
	fault_reset(r.h);
	assert_false(r.h->faults);
	expect(&r, SF_FAULT_SLAB, SF_GFP_NOWAIT, 8, "--");
	expect(&r, SF_FAULT_PAGE, SF_GFP_NOWAIT, 0, "--");
	set(&r, SF_FAULT_PAGE, (struct sf_fault_attr){ .probability = 100, .times = FOREVER,
						       .interval = 2 });
	expect(&r, SF_FAULT_PAGE, SF_GFP_NOWAIT, 0, "-x-x");
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nth),
		cmocka_unit_test(test_interval_and_times),
		cmocka_unit_test(test_space),
		cmocka_unit_test(test_space_before_interval),
		cmocka_unit_test(test_who_is_exempt),
		cmocka_unit_test(test_min_order),
		cmocka_unit_test(test_nth_comes_first),
		cmocka_unit_test(test_probability),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
