// SPDX-License-Identifier: MIT
/*
 * test_inject.c - failures injected into small programs: how many there are, known by hand, where
 * each is, and that what a broken allocator does after one is laid at its door. Relies on
 * harness/measure/inject.c and the baseline.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/measure/inject.h"

/* Without sheaves a cache takes one slab for its first object, and no more. */
#define PLAIN "heap sheaves=0\n"

#define FOUND_MAX 64u

struct found {
	unsigned int nr;
	struct sf_injection at[FOUND_MAX];
	struct sf_violation v[FOUND_MAX];
};

static void note(void *ctx, const struct sf_injection *at, const struct sf_violation *v)
{
	struct found *f = ctx;

	assert_true(f->nr < FOUND_MAX);
	f->at[f->nr] = *at;
	f->v[f->nr++] = *v;
}

static bool try_inject(const struct sf_allocator *a, const char *text, uint64_t max,
		       struct found *f, struct sf_inject_result *r, struct sf_error *err)
{
	struct sf_inject_options opt = { .allocator = a, .max = max, .found = note, .ctx = f };
	struct sf_text_error where;
	struct sf_prog prog;
	bool fine;

	memset(f, 0, sizeof(*f));
	err->text[0] = 0;
	sf_prog_init(&prog);
	if (sf_text_parse(&prog, text, strlen(text), &where))
		fail_msg("%u:%u: %s", where.line, where.col, where.text);
	opt.settings = &prog.settings;
	fine = sf_inject_run(&opt, &prog, "test", r, err);
	sf_prog_free(&prog);
	return fine;
}

static void inject(const struct sf_allocator *a, const char *text, uint64_t max, struct found *f,
		   struct sf_inject_result *r)
{
	struct sf_error err;

	if (!try_inject(a, text, max, f, r, &err))
		fail_msg("%s", err.text);
	assert_int_equal(r->violations, f->nr);
}

static const struct sf_allocator *baseline(void)
{
	return sf_allocator_by_name("baseline");
}

static void test_failures_are_counted(void **state)
{
	static const struct {
		const char *text;
		unsigned int ops;
		uint64_t slab, page, outage;
	} rows[] = {
		{ PLAIN, 0, 0, 0, 0 },
		{ PLAIN "r0 = kmalloc(100, GFP_KERNEL)\n"
			"r1 = kmalloc(1000, GFP_KERNEL)\n", 2, 2, 2, 2 },
		{ PLAIN "r0 = kmalloc(100, GFP_KERNEL)\n"
			"r1 = kmalloc(100, GFP_KERNEL)\n"
			"kfree(r0)\n", 3, 2, 1, 1 },
		/* Past the classes there is no slab to fail. */
		{ PLAIN "r0 = kmalloc(20000, GFP_KERNEL)\n"
			"r1 = alloc_pages(GFP_KERNEL, 2)\n", 2, 0, 2, 2 },
		/* Blocks of 1024, 512 and 1, when the order that holds all of it is too large. */
		{ PLAIN "r0 = kvmalloc(0x601000, GFP_KERNEL)\n", 1, 0, 3, 1 },
		{ PLAIN "r0 = kmalloc(100, GFP_KERNEL|__GFP_NOFAIL)\n", 1, 0, 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/*
		 * As it is, each failure, for either kind one run in which it never came, and each
		 * operation without any pages: all of these allocate, but kfree().
		 */
		uint64_t allocs = rows[i].ops - (strstr(rows[i].text, "kfree(") ? 1 : 0);
		uint64_t runs = 1 + rows[i].slab + rows[i].page + SF_FAULTS + allocs;
		struct sf_inject_result r;
		struct found f;

		inject(baseline(), rows[i].text, 0, &f, &r);
		if (r.failures[SF_FAULT_SLAB] != rows[i].slab ||
		    r.failures[SF_FAULT_PAGE] != rows[i].page ||
		    r.failures[SF_INJECT_OUTAGE] != rows[i].outage)
			fail_msg("row %u: %u slab, %u page, %u outage", (unsigned int)i,
				 (unsigned int)r.failures[SF_FAULT_SLAB],
				 (unsigned int)r.failures[SF_FAULT_PAGE],
				 (unsigned int)r.failures[SF_INJECT_OUTAGE]);
		assert_false(r.cut[SF_FAULT_SLAB] || r.cut[SF_FAULT_PAGE]);
		assert_int_equal(r.operations, rows[i].ops * runs);
		if (f.nr)
			fail_msg("row %u: %s", (unsigned int)i, f.v[0].title);
		/* Each run was torn down. */
		assert_true(r.oracles[SF_INV_ACC_18].checked >= runs);
	}
}

/* With its own fail() a program would fail again and again at the same place, and never end. */
static void test_own_failures_are_left_out(void **state)
{
	struct sf_inject_result r;
	struct found f;

	(void)state;
	inject(baseline(), PLAIN "fail(slab)\nr0 = kmalloc(100, GFP_KERNEL)\n"
				 "fail(page)\nr1 = kmalloc(100, GFP_KERNEL)\n", 0, &f, &r);
	assert_int_equal(r.failures[SF_FAULT_SLAB], 2);
	assert_int_equal(r.failures[SF_FAULT_PAGE], 1);
	assert_int_equal(f.nr, 0);
}

static void test_max(void **state)
{
	static const char text[] = PLAIN "r0 = kmalloc(100, GFP_KERNEL)\n"
					 "r1 = kmalloc(100, GFP_KERNEL)\n"
					 "r2 = kmalloc(100, GFP_KERNEL)\n";
	struct sf_inject_result r;
	struct found f;

	(void)state;
	for (uint64_t max = 1; max <= 5; max++) {
		inject(baseline(), text, max, &f, &r);
		assert_int_equal(r.failures[SF_FAULT_SLAB], max < 3 ? max : 3);
		assert_int_equal(r.cut[SF_FAULT_SLAB], max <= 3);
		assert_int_equal(r.failures[SF_FAULT_PAGE], 1);
		assert_int_equal(r.cut[SF_FAULT_PAGE], max <= 1);
	}
}

static void test_who_cannot_fail_is_refused(void **state)
{
	static const uint64_t needed[] = { SF_CAP_FAIL, SF_CAP_TRACE };

	(void)state;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		struct sf_allocator a = *baseline();
		struct sf_inject_result r;
		struct sf_error err;
		struct found f;

		a.caps &= ~needed[i];
		assert_false(try_inject(&a, "r0 = kmalloc(8, GFP_KERNEL)\n", 0, &f, &r, &err));
		assert_non_null(strstr(err.text, "'fail'"));
		assert_null(strchr(err.text, '\n'));
		assert_int_equal(r.operations, 0);
	}
}

/* --- the baseline, but for what comes of a failure --- */

static bool failed;

static void forgetful_reset(struct sf_heap *h)
{
	failed = false;
	baseline()->reset(h);
}

/* Once an allocation has failed, twice the size that is asked for: the next class. */
static void generous_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	struct sf_request twice = *rq;

	if (failed)
		twice.size *= 2;
	baseline()->alloc(h, &twice, rs);
	failed |= !rs->addr;
}

/* NULL, and yet an object is taken. */
static void leaking_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	struct sf_result lost;

	baseline()->alloc(h, rq, rs);
	if (!rs->addr)
		baseline()->alloc(h, rq, &lost);
}

static struct sf_allocator broken(void (*alloc)(struct sf_heap *h, const struct sf_request *rq,
						struct sf_result *rs))
{
	struct sf_allocator a = *baseline();

	a.alloc = alloc;
	a.reset = forgetful_reset;
	return a;
}

static const char three[] = PLAIN "r0 = kmalloc(100, GFP_KERNEL)\n"
				  "r1 = kmalloc(1000, GFP_KERNEL)\n"
				  "r2 = kmalloc(100, GFP_KERNEL)\n";

static void test_what_follows_a_failure(void **state)
{
	static const char wide[] = "ISO-2: kmalloc-2k is not the smallest class that fits";
	static const char narrow[] = "ISO-2: kmalloc-256 is not the smallest class that fits";
	/* One failing page is made up for by a smaller slab, an outage is not. */
	static const struct {
		uint8_t kind;
		uint64_t nth;
		uint32_t failed, seen;
		const char *title;
	} due[] = {
		{ SF_INJECT_SLAB, 1, 0, 1, wide },
		{ SF_INJECT_SLAB, 1, 0, 2, narrow },
		{ SF_INJECT_SLAB, 2, 1, 2, narrow },
		{ SF_INJECT_OUTAGE, 1, 0, 1, wide },
		{ SF_INJECT_OUTAGE, 1, 0, 2, narrow },
		{ SF_INJECT_OUTAGE, 2, 1, 2, narrow },
	};
	struct sf_allocator a = broken(generous_alloc);
	struct sf_inject_result r;
	struct found f;
	size_t n = 0;

	(void)state;
	inject(&a, three, 0, &f, &r);
	for (unsigned int i = 0; i < f.nr; i++) {
		/* Others see the same object. */
		if (f.v[i].invariant != SF_INV_ISO_2)
			continue;
		if (n == sizeof(due) / sizeof(due[0]))
			fail_msg("one more: %s", f.v[i].title);
		assert_int_equal(f.at[i].kind, due[n].kind);
		assert_int_equal(f.at[i].nth, due[n].nth);
		assert_int_equal(f.at[i].op, due[n].failed);
		assert_int_equal(f.v[i].op, due[n].seen);
		assert_string_equal(f.v[i].title, due[n].title);
		n++;
	}
	assert_int_equal(n, sizeof(due) / sizeof(due[0]));
}

/* The failure is named even where it is only seen when everything has been given back. */
static void test_what_is_left_at_the_end(void **state)
{
	struct sf_allocator a = broken(leaking_alloc);
	bool left[3] = { false };
	struct sf_inject_result r;
	struct found f;

	(void)state;
	inject(&a, three, 0, &f, &r);
	for (unsigned int i = 0; i < f.nr; i++) {
		assert_int_not_equal(f.at[i].kind, SF_INJECT_PAGE);
		assert_int_equal(f.at[i].op, f.at[i].nth - 1);
		if (f.v[i].op == SF_NONE && f.v[i].invariant == SF_INV_ACC_18)
			left[f.at[i].op] = true;
	}
	assert_true(left[0] && left[1] && left[2]);
}

/* What is wrong without any failure is not laid at the door of one. */
static void test_the_program_as_it_is(void **state)
{
	struct sf_allocator a = broken(leaking_alloc);
	struct sf_inject_result r;
	struct found f;

	(void)state;
	inject(&a, PLAIN "fail(slab)\nr0 = kmalloc(100, GFP_KERNEL)\n", 0, &f, &r);
	assert_true(f.nr > 0);
	assert_int_equal(f.at[0].nth, 0);
	assert_int_equal(f.at[0].op, SF_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures_are_counted),
		cmocka_unit_test(test_own_failures_are_left_out),
		cmocka_unit_test(test_max),
		cmocka_unit_test(test_who_cannot_fail_is_refused),
		cmocka_unit_test(test_what_follows_a_failure),
		cmocka_unit_test(test_what_is_left_at_the_end),
		cmocka_unit_test(test_the_program_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
