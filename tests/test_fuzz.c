// SPDX-License-Identifier: MIT
/*
 * test_fuzz.c - what fuzz targets go on with after a find: counters in a file, crashes survived,
 * marks of allocators, programs stopped, heaps replaced, arenas that are kept.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../allocators/heap_assert.h"
#include "../harness/exec/exec.h"
#include "../harness/fuzz/counts.h"
#include "../harness/fuzz/survive.h"
#include "../harness/fuzz/mark.h"
#include "each_allocator.h"
#include "../harness/exec/event_hash.h"

static char *read_all(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = 0;
	return text;
}

static void test_counts(void **state)
{
	char path[] = "/tmp/slabfuzz-counts-XXXXXX", *runs, *title;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	sf_counter_add(sf_counter("before"), 1); /* goes nowhere */
	assert_true(sf_counts_open(path));
	runs = sf_counter("runs baseline");
	title = sf_counter("title MEM-1: a title");
	sf_counter_add(runs, 999);
	sf_counter_add(runs, 1);
	sf_counter_add(title, 12345678901ull);
	sf_counter_raise(title, 7); /* less than it is */
	assert_string_equal(read_all(path), "0000000000001000 runs baseline\n"
					    "0000012345678901 title MEM-1: a title\n");
	/* The next process. */
	assert_true(sf_counts_open(path));
	sf_counter_add(sf_counter("runs baseline"), 9999);
	sf_counter_raise(sf_counter("edges"), 42);
	assert_string_equal(read_all(path), "0000000000010999 runs baseline\n"
					    "0000012345678901 title MEM-1: a title\n"
					    "0000000000000042 edges\n");
	unlink(path);
	assert_int_equal(sf_counter_value(sf_counter("runs baseline")), 10999);
	assert_int_equal(sf_counter_value(sf_counter("title MEM-1: a title")), 12345678901);
	assert_int_equal(sf_counter_value(sf_counter("new")), 0);
	assert_false(sf_counts_open("/nonexistent/counts"));
}

static void fine(void *ctx)
{
	++*(int *)ctx;
}

static void crash(void *ctx)
{
	++*(int *)ctx;
	raise(SIGFPE);
	++*(int *)ctx;
}

static void give_up(void *ctx)
{
	++*(int *)ctx;
	abort();
}

static void test_guard(void **state)
{
	char why[SF_CRASH_MAX] = "", again[SF_CRASH_MAX] = "";
	int calls = 0;

	(void)state;
	sf_survive_setup();
	assert_true(sf_survive(fine, &calls, why));
	assert_string_equal(why, "");
	assert_false(sf_survive(crash, &calls, why));
	assert_int_equal(calls, 2);
	assert_string_equal(why, "ASan: FPE in crash");
	assert_false(sf_survive(crash, &calls, again));
	assert_string_equal(why, again);
	assert_false(sf_survive(give_up, &calls, why));
	assert_string_equal(why, "ASan: ABRT in give_up");
	assert_false(sf_survive(give_up, &calls, why));
	assert_int_equal(calls, 5);
	assert_true(sf_survive(fine, &calls, why));
}

/* Whose function it is, and not whose business the sanitizer's and assertions' own are. */
static void test_where(void **state)
{
	uintptr_t stack[] = { 8, (uintptr_t)heap_assert_failed + 1, (uintptr_t)give_up + 1,
			      (uintptr_t)crash + 1 };
	char title[SF_CRASH_MAX];

	(void)state;
	sf_where_setup();
	sf_where_title("SEGV on", 4, stack, 4, title);
	assert_string_equal(title, "ASan: SEGV in give_up");
	sf_where_title("use-after-poison", 16, stack + 3, 1, title);
	assert_string_equal(title, "ASan: use-after-poison in crash");
	sf_where_title("SEGV", 4, stack, 1, title);
	assert_string_equal(title, "ASan: SEGV at an unknown place");
	sf_where_title("SEGV", 4, stack, 0, title);
	assert_string_equal(title, "ASan: SEGV at an unknown place");
}

static size_t encode(const char *text, uint8_t *out, size_t cap)
{
	struct sf_text_error err;
	struct sf_prog p;
	size_t n;

	sf_prog_init(&p);
	assert_int_equal(sf_text_parse(&p, text, strlen(text), &err), 0);
	n = sf_bytes_encode(&p, out, cap);
	sf_prog_free(&p);
	return n;
}

static const char program[] = "heap pages=512 seed=3\n"
			      "r0 = kmalloc(100, GFP_KERNEL)\n"
			      "cpu(1)\n"
			      "kfree(r0)\n"
			      "r1 = kmalloc(5000, GFP_KERNEL)\n";

/* A marked program is the same program. */
static void test_mark(void **state)
{
	uint8_t plain[1024], marked[1024];
	size_t n = encode(program, plain, sizeof(plain)), m;
	char name[SF_MARK_NAME_MAX + 1];
	struct sf_prog a, b;

	(void)state;
	assert_false(sf_mark_get(plain, n, name));
	memcpy(marked, plain, n);
	m = sf_mark_put(marked, n, "protected");
	assert_int_equal(m, n + sf_mark_size());
	assert_true(sf_mark_get(marked, m, name));
	assert_string_equal(name, "protected");
	sf_prog_init(&a);
	sf_prog_init(&b);
	sf_bytes_decode(&a, plain, n, 0);
	sf_bytes_decode(&b, marked, m, 0);
	assert_true(sf_prog_equal(&a, &b));
	sf_prog_free(&a);
	sf_prog_free(&b);
	assert_int_equal(sf_mark_strip(marked, m), n);
	assert_memory_equal(marked, plain, n);
	assert_int_equal(sf_mark_strip(marked, n), n);
	assert_int_equal(sf_mark_put(marked, 3, "typed"), 3);
	assert_false(sf_mark_get(marked, 20, name));
}

struct watch {
	struct sf_exec *x;
	uint32_t stop_at; /* operation */
	uint32_t last, ends;
	uint64_t hash;
};

static void watch(void *ctx, const struct sf_event *ev)
{
	struct watch *w = ctx;

	if (ev->type == SF_EV_BEGIN)
		w->hash = 0;
	hash_event(&w->hash, ev);
	if (ev->op != SF_NONE)
		w->last = ev->op;
	w->ends += ev->type == SF_EV_END;
	if (ev->op != SF_NONE && ev->op == w->stop_at)
		sf_exec_stop(w->x);
}

static void parse(struct sf_prog *p)
{
	struct sf_text_error err;

	sf_prog_init(p);
	assert_int_equal(sf_text_parse(p, program, strlen(program), &err), 0);
}

static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true };

/* Stopped in the midst of an operation, a program is over; the next one is as ever. */
static void test_stop(void **state)
{
	struct sf_error err;
	struct sf_prog p;

	(void)state;
	parse(&p);
	FOR_EACH_ALLOCATOR(a, 0) {
		struct watch w = { .stop_at = SF_NONE };
		uint64_t hash;

		w.x = sf_exec_create(a, &p.settings, &how, watch, &w, &err);
		assert_non_null(w.x);
		assert_int_equal(sf_exec_run(w.x, &p, NULL, &err), 4);
		assert_int_equal(w.ends, 1);
		hash = w.hash;
		w.stop_at = 2;
		w.last = 0;
		assert_int_equal(sf_exec_run(w.x, &p, NULL, &err), 3);
		assert_int_equal(w.last, 2);
		assert_int_equal(w.ends, 1);
		w.stop_at = SF_NONE;
		assert_int_equal(sf_exec_run(w.x, &p, NULL, &err), 4);
		assert_true(w.hash == hash);
		sf_exec_destroy(w.x);
	}
	sf_prog_free(&p);
}

/* A heap on the arena of one that is gone, smaller or larger, is as one on a new arena. */
static void test_reopen(void **state)
{
	struct sf_error err;
	struct sf_prog p;

	(void)state;
	parse(&p);
	FOR_EACH_ALLOCATOR(a, 0) {
		static const uint32_t pages[] = { 512, 4096, 256, 512, 1024, 512 };
		struct watch w = { .stop_at = SF_NONE };
		uint64_t hash = 0;

		w.x = sf_exec_create(a, &p.settings, &how, watch, &w, &err);
		assert_non_null(w.x);
		for (unsigned int i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
			p.settings.pages = pages[i];
			p.settings.slab_virtual = i == 1;
			assert_true(sf_exec_open(w.x, a, &p.settings, &err));
			/* What it leaves behind is not torn down. */
			sf_exec_set_end(w.x, i & 1 ? SF_END_PLAIN : SF_END_TEARDOWN);
			assert_int_equal(sf_exec_run(w.x, &p, NULL, &err), 4);
			sf_exec_set_end(w.x, SF_END_WALK);
			assert_int_equal(sf_exec_run(w.x, &p, NULL, &err), 4);
			if (pages[i] != 512)
				continue;
			assert_true(!hash || w.hash == hash);
			hash = w.hash;
		}
		sf_exec_destroy(w.x);
	}
	sf_prog_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts), cmocka_unit_test(test_guard),
		cmocka_unit_test(test_where),
		cmocka_unit_test(test_mark),   cmocka_unit_test(test_stop),
		cmocka_unit_test(test_reopen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
