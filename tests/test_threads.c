// SPDX-License-Identifier: MIT
/*
 * test_threads.c - deal.h, ranges.h, concurrent.h: programs are dealt whole, orders are possible
 * and all there, overlaps are seen whoever is faster, and each rule of threads is heard when it is
 * broken and silent when it is not.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/lockstep/concurrent.h"
#include "../oracles/ranges.h"

static const struct sf_allocator *libc(void)
{
	struct sf_error err;
	const struct sf_allocator *a = sf_allocator_open("malloc:", NULL, &err);

	assert_non_null(a);
	return a;
}

static void parse(struct sf_prog *p, const char *text)
{
	struct sf_text_error err;

	sf_prog_init(p);
	if (sf_text_parse(p, text, strlen(text), &err))
		fail_msg("%u: %s", err.line, err.text);
}

/* --- dealing --- */

static const char mixed[] =
	"r0 = malloc(64)\n"
	"r1 = calloc(3, 40)\n"
	"write(r0)\n"
	"r2 = realloc(r0, 400)\n"
	"verify(r1)\n"
	"free(r1)\n"
	"r3 = malloc(64)\n"
	"malloc_usable_size(r3)\n"
	"free(r2)\n"
	"check\n";

/* Each operation once; what may be alive at the end is freed; an object's steps are in order. */
static void test_deal(void **state)
{
	struct sf_deal d = { .nr = 0 };
	struct sf_prog p;
	uint32_t ends = 0;

	(void)state;
	parse(&p, mixed);
	for (uint32_t seed = 0; seed < 20; seed++) {
		sf_deal(&d, &p, libc(), 3, seed);
		assert_int_equal(d.left_out, 0);
		ends = 0;
		for (uint32_t i = 0; i < d.nr; i++) {
			const struct sf_step *s = &d.step[i];

			assert_true(s->thread < 3);
			ends += s->op == SF_NONE;
			if (s->before == SF_NONE)
				continue;
			assert_true(s->before < i);
			assert_int_equal(d.step[s->before].object, s->object);
		}
		/* r0, which was resized, and r3. */
		assert_int_equal(ends, 2);
		assert_int_equal(d.nr, 9 + ends);
	}
	sf_prog_free(&p);
	sf_deal_free(&d);
}

/* What is the kernel's, or too large, is nobody's; neither is what hangs on it. */
static void test_left_out(void **state)
{
	struct sf_deal d = { .nr = 0 };
	struct sf_prog p;

	(void)state;
	parse(&p, "r0 = kmalloc(10, GFP_KERNEL)\n"
		  "r1 = malloc(5000000000)\n"
		  "r2 = malloc(1)\n"
		  "kfree(r0)\n"
		  "free(r1)\n"
		  "free(r2)\n");
	sf_deal(&d, &p, libc(), 2, 1);
	assert_int_equal(d.left_out, 4);
	assert_int_equal(d.nr, 2);
	sf_prog_free(&p);
	sf_deal_free(&d);
}

static void check_order(const struct sf_deal *d, const uint32_t *order)
{
	bool *done = calloc(d->nr, sizeof(*done));
	uint32_t last[SF_THREADS_MAX];

	memset(last, 0xff, sizeof(last));
	for (uint32_t i = 0; i < d->nr; i++) {
		const struct sf_step *s = &d->step[order[i]];

		assert_false(done[order[i]]);
		assert_true(s->before == SF_NONE || done[s->before]);
		assert_true(last[s->thread] == UINT32_MAX || last[s->thread] < order[i]);
		last[s->thread] = order[i];
		done[order[i]] = true;
	}
	free(done);
}

static uint32_t count_orders(const struct sf_deal *d)
{
	uint32_t *order = calloc(d->nr + 1, sizeof(*order)), nr = 0;
	uint32_t *was = calloc(d->nr + 1, sizeof(*order));

	sf_order_first(d, order);
	do {
		check_order(d, order);
		/* They grow: none comes twice. */
		for (uint32_t i = 0; nr && i < d->nr; i++) {
			if (was[i] == order[i])
				continue;
			assert_true(d->step[was[i]].thread < d->step[order[i]].thread);
			break;
		}
		memcpy(was, order, d->nr * sizeof(*was));
		nr++;
	} while (sf_order_next(d, order));
	free(order);
	free(was);
	return nr;
}

static void test_all_orders(void **state)
{
	static const struct {
		const char *text;
		uint32_t threads, orders;
	} row[] = {
		/* 8! / (4! 4!) */
		{ "thread(0)\nr0 = malloc(1)\nr1 = malloc(2)\nfree(r0)\nfree(r1)\n"
		  "thread(1)\nr2 = malloc(3)\nr3 = malloc(4)\nfree(r2)\nfree(r3)\n", 2, 70 },
		/* 6! / (2! 2! 2!) */
		{ "r0 = malloc(1)\nfree(r0)\nthread(1)\nr1 = malloc(1)\nfree(r1)\n"
		  "thread(2)\nr2 = malloc(1)\nfree(r2)\n", 3, 90 },
		/* Handed over: one after the other. */
		{ "r0 = malloc(1)\nthread(1)\nfree(r0)\n", 2, 1 },
		/* The first free may come before the second malloc, or after it. */
		{ "r0 = malloc(1)\nr1 = malloc(1)\nthread(1)\nfree(r0)\nfree(r1)\n", 2, 2 },
		/* What calls nobody makes no order. */
		{ "r0 = malloc(1)\nwrite(r0)\nverify(r0)\nfree(r0)\n"
		  "thread(1)\nr1 = malloc(1)\nwrite(r1)\nfree(r1)\n", 2, 6 },
	};
	struct sf_deal d = { .nr = 0 };
	struct sf_prog p;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		parse(&p, row[i].text);
		sf_deal(&d, &p, libc(), row[i].threads, 0);
		assert_int_equal(count_orders(&d), row[i].orders);
		sf_prog_free(&p);
	}
	sf_deal_free(&d);
}

/* Drawn orders are possible, differ, and are the same for the same numbers; each is a program. */
static void test_drawn_orders(void **state)
{
	uint32_t order[64], again[64], first[64], at[64], others = 0;
	struct sf_deal d = { .nr = 0 };
	struct sf_prog p, q;
	struct sf_rng r;

	(void)state;
	parse(&p, mixed);
	sf_prog_init(&q);
	sf_deal(&d, &p, libc(), 3, 5);
	for (uint32_t seed = 0; seed < 50; seed++) {
		sf_rng_seed(&r, seed);
		sf_order_draw(&d, &r, order);
		check_order(&d, order);
		sf_rng_seed(&r, seed);
		sf_order_draw(&d, &r, again);
		assert_memory_equal(order, again, d.nr * sizeof(*order));
		if (!seed)
			memcpy(first, order, d.nr * sizeof(*first));
		others += memcmp(first, order, d.nr * sizeof(*first)) != 0;
		sf_order_program(&d, &p, order, &q, at);
		for (uint32_t i = 0; i < p.nr_ops; i++)
			if (p.ops[i].code != SF_OP_CHECK)
				assert_int_equal(q.ops[at[i]].code, p.ops[i].code);
	}
	assert_true(others > 20);
	sf_prog_free(&p);
	sf_prog_free(&q);
	sf_deal_free(&d);
}

/* --- the shadow --- */

static void test_ranges(void **state)
{
	static const struct {
		uint64_t addr, size;
		bool alone;
	} row[] = {
		{ 0x10000, 64, true },     { 0x10040, 64, true },    { 0x1003f, 1, false },
		{ 0x1fff0, 32, true },     { 0x20000, 8, false },    { 0x1ffff, 1, false },
		{ 0x100000, 0x40000, true }, { 0x120000, 16, false },  { 0x13ffff, 2, false },
		{ 0x140001, 16, true },     { 0xff000, 0x2000, false }, { 0x0, 0x10000, true },
		{ 0x200000, 0, true },
	};
	struct sf_ranges *r = sf_ranges_create(32);
	uint32_t nr = sizeof(row) / sizeof(row[0]), other = 99;

	(void)state;
	assert_non_null(r);
	for (uint32_t i = 0; i < nr; i++) {
		bool alone = sf_ranges_claim(r, row[i].addr, row[i].size, i, &other);

		assert_int_equal(alone, row[i].alone);
		if (!alone) {
			assert_true(other < i);
			sf_ranges_drop(r, row[i].addr, row[i].size, i);
		}
	}
	for (uint32_t i = 0; i < nr; i++)
		if (row[i].alone)
			sf_ranges_drop(r, row[i].addr, row[i].size, i);
	assert_int_equal(sf_ranges_count(r), 0);
	/* Larger ones that come first are seen by smaller ones, and the other way round. */
	assert_true(sf_ranges_claim(r, 0x50000, 0x80000, 1, &other));
	assert_false(sf_ranges_claim(r, 0x60000, 8, 2, &other));
	sf_ranges_clear(r);
	assert_true(sf_ranges_claim(r, 0x60000, 8, 2, &other));
	assert_false(sf_ranges_claim(r, 0x50000, 0x80000, 1, &other));
	sf_ranges_free(r);
}

struct clash {
	struct sf_ranges *r;
	pthread_barrier_t *both;
	uint32_t owner, told;
};

enum { CLASHES = 3000 };

static void *claim_much(void *arg)
{
	struct clash *c = arg;

	for (uint32_t i = 0; i < CLASHES; i++) {
		uint64_t at = (uint64_t)i % 7 * 0x9000 + c->owner * 8;
		uint64_t size = i % 3 ? 24 : 0x12000;
		uint32_t other;

		pthread_barrier_wait(c->both);
		c->told += !sf_ranges_claim(c->r, at, size, c->owner, &other);
		pthread_barrier_wait(c->both);
		sf_ranges_drop(c->r, at, size, c->owner);
	}
	return NULL;
}

/* Of two that claim at once one at least is told, each time. */
static void test_ranges_at_once(void **state)
{
	struct clash c[2];
	pthread_barrier_t both;
	pthread_t other;

	(void)state;
	pthread_barrier_init(&both, NULL, 2);
	c[0] = (struct clash){ .r = sf_ranges_create(8), .both = &both, .owner = 1 };
	c[1] = (struct clash){ .r = c[0].r, .both = &both, .owner = 2 };
	assert_int_equal(pthread_create(&other, NULL, claim_much, &c[1]), 0);
	claim_much(&c[0]);
	pthread_join(other, NULL);
	assert_true(c[0].told + c[1].told >= CLASHES);
	assert_int_equal(sf_ranges_count(c[0].r), 0);
	sf_ranges_free(c[0].r);
	pthread_barrier_destroy(&both);
}

/* --- rules --- */

/* The C library's, with one answer twisted. */
static struct {
	const struct sf_allocator *is;
	enum sf_thread_rule rule;
	bool on;
	uint32_t calls;
	_Alignas(16) unsigned char slot[64]; /* that everybody gets */
} twist;

static bool twists(enum sf_thread_rule rule)
{
	return twist.on && twist.rule == rule;
}

static void twist_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	uint32_t nr = __atomic_fetch_add(&twist.calls, 1, __ATOMIC_RELAXED);

	twist.is->alloc(h, rq, rs);
	if (!rs->addr) {
		rs->error = twists(SF_THREAD_ERROR) ? 0 : rs->error;
		return;
	}
	if (twists(SF_THREAD_OVERLAP))
		rs->addr = (uintptr_t)twist.slot;
	if (twists(SF_THREAD_RESULT) && nr == 2)
		*rs = (struct sf_result){ .status = SF_NULL, .error = 12 };
	if (twists(SF_THREAD_ALIGNMENT))
		rs->addr += 8;
}

static uint64_t twist_usable(struct sf_heap *h, uint64_t addr)
{
	if (addr == (uintptr_t)twist.slot)
		return sizeof(twist.slot);
	return twists(SF_THREAD_USABLE) ? 1 : twist.is->usable(h, addr & ~15ull) - addr % 16;
}

static void twist_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how,
		       struct sf_result *rs)
{
	if (addr != (uintptr_t)twist.slot)
		twist.is->free(h, addr, how, rs);
}

static uint64_t twist_zeroed(struct sf_heap *h, uint64_t addr, uint64_t from, uint64_t to,
			     enum sf_contents how)
{
	return twists(SF_THREAD_ZEROING) ? from : twist.is->zeroed(h, addr, from, to, how);
}

static uint64_t twist_verify(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
			     enum sf_contents how)
{
	return twists(SF_THREAD_CONTENTS) ? 0 : twist.is->verify(h, addr, size, key, how);
}

static void twist_stats(struct sf_heap *h, struct sf_stats *out)
{
	(void)h;
	*out = (struct sf_stats){ SF_UNKNOWN, SF_UNKNOWN, SF_UNKNOWN, SF_UNKNOWN, SF_UNKNOWN };
	out->live = twists(SF_THREAD_LIVE) ? __atomic_load_n(&twist.calls, __ATOMIC_RELAXED) : 0;
}

static const char *twist_integrity(struct sf_heap *h)
{
	(void)h;
	return twists(SF_THREAD_COMPLAINTS) ? "twisted" : NULL;
}

static struct sf_allocator twisted(void)
{
	struct sf_allocator a;

	twist.is = libc();
	a = *twist.is;
	a.caps |= SF_CAP_STATS | SF_CAP_INTEGRITY;
	a.alloc = twist_alloc;
	a.usable = twist_usable;
	a.free = twist_free;
	a.user_free = NULL;
	a.zeroed = twist_zeroed;
	a.verify = twist_verify;
	a.stats = twist_stats;
	a.integrity = twist_integrity;
	return a;
}

/* All are alive at once, in any order: what frees them takes the last one first. */
static const char rules_text[] =
	"r0 = malloc(64)\n"
	"r1 = malloc(SIZE_MAX-4096)\n"
	"r2 = calloc(2, 32)\n"
	"r3 = malloc(64)\n"
	"thread(1)\n"
	"verify(r0)\n"
	"free(r3)\n"
	"free(r2)\n"
	"free(r0)\n";

static enum sf_ran run_twisted(const struct sf_allocator *a, const uint32_t *order,
			       const struct sf_deal *d, const struct sf_prog *p, bool enough,
			       struct sf_thread_fault *fault)
{
	struct sf_answer must[16], alone[16];
	struct sf_error err;
	struct sf_concurrent *ref = sf_concurrent_create(sf_allocator_by_name("reference"),
							 &p->settings, &err);
	struct sf_concurrent *c = sf_concurrent_create(a, &p->settings, &err);
	struct sf_concurrent_run run = { .deal = d, .prog = p, .order = order, .must = must,
					 .alone = alone, .enough = enough };
	uint64_t calls = 0;
	enum sf_ran ran;

	assert_non_null(ref);
	assert_non_null(c);
	memset(fault, 0, sizeof(*fault));
	twist.on = false;
	sf_concurrent_alone(ref, d, p, must);
	sf_concurrent_alone(c, d, p, alone);
	twist.on = true;
	twist.calls = 0;
	ran = sf_concurrent_run(c, &run, fault, &calls);
	twist.on = false;
	assert_true(ran == SF_RAN_FAULT || calls >= 7);
	sf_concurrent_destroy(ref);
	sf_concurrent_destroy(c);
	return ran;
}

/* In turns and freely; a rule without a twist fails. */
static void test_each_rule(void **state)
{
	struct sf_allocator a = twisted();
	struct sf_deal d = { .nr = 0 };
	struct sf_thread_fault fault;
	uint32_t order[16];
	struct sf_prog p;

	(void)state;
	parse(&p, rules_text);
	sf_deal(&d, &p, &a, 2, 3);
	sf_order_first(&d, order);
	for (int free_run = 0; free_run < 2; free_run++) {
		for (unsigned int rule = 0; rule < SF_THREAD_RULE_COUNT; rule++) {
			twist.rule = (enum sf_thread_rule)rule;
			if (run_twisted(&a, free_run ? NULL : order, &d, &p, true, &fault) !=
			    SF_RAN_FAULT)
				fail_msg("%s is not heard", sf_thread_rules[rule].name);
			if (fault.rule != rule)
				fail_msg("%s is heard as %s", sf_thread_rules[rule].name,
					 sf_thread_rules[fault.rule].name);
			assert_true(fault.what[0]);
		}
		twist.rule = SF_THREAD_RULE_COUNT;
		assert_int_equal(run_twisted(&a, free_run ? NULL : order, &d, &p, true, &fault),
				 SF_RAN_WELL);
	}
	/* Nobody knows that there is memory: no fault. */
	twist.rule = SF_THREAD_RESULT;
	assert_int_equal(run_twisted(&a, order, &d, &p, false, &fault), SF_RAN_SHORT);
	sf_prog_free(&p);
	sf_deal_free(&d);
}

static void test_room(void **state)
{
	const struct sf_allocator *a = libc();
	struct sf_concurrent_run run = { .seed = 1 };
	struct sf_deal d = { .nr = 0 };
	struct sf_answer must[16];
	struct sf_concurrent *c;
	struct sf_error err;
	struct sf_prog p;

	(void)state;
	parse(&p, rules_text);
	sf_deal(&d, &p, a, 2, 3);
	c = sf_concurrent_create(a, &p.settings, &err);
	sf_concurrent_alone(c, &d, &p, must);
	run.deal = &d;
	run.prog = &p;
	run.must = must;
	assert_true(sf_concurrent_has_room(c, &run));
	/* As if that had been possible. */
	must[1].status = SF_OK;
	assert_false(sf_concurrent_has_room(c, &run));
	sf_concurrent_destroy(c);
	sf_prog_free(&p);
	sf_deal_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deal),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_all_orders),
		cmocka_unit_test(test_drawn_orders),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_ranges_at_once),
		cmocka_unit_test(test_each_rule),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
