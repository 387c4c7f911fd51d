// SPDX-License-Identifier: MIT
/*
 * test_plugin.c - the example of docs/plugin.md does what that page says: a stranger's allocator
 * with malloc and free alone runs every program, the oracles that need no more judge it, the others
 * are counted as skipped; and a bug in it is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/exec/exec.h"
#include "../oracles/oracle.h"
#include "example_allocator.c"

static const char program[] = "r0 = kmalloc(100, GFP_KERNEL)\n"
			      "r1 = kzalloc(200, GFP_KERNEL)\n"
			      "r2 = kmalloc_array(SIZE_MAX, 16, GFP_KERNEL)  # NULL\n"
			      "c0 = kmem_cache_create(\"x\", 64, 0, 0)\n"
			      "r3 = alloc_pages(GFP_KERNEL, 0)\n"
			      "check\n"
			      "kfree(r1)\n"
			      "r4 = kmalloc(100, GFP_KERNEL)\n"
			      "kfree(r0)\n";

struct found {
	unsigned int nr;
	char title[SF_TITLE_MAX];
};

static void note(void *ctx, const struct sf_violation *v)
{
	struct found *found = ctx;

	if (!found->nr++)
		memcpy(found->title, v->title, sizeof(found->title));
}

static void judge_program(const struct sf_allocator *a, struct found *found,
			  struct sf_oracle_count counts[SF_INV_COUNT],
			  struct sf_exec_counts *done)
{
	const struct sf_exec_options options = { .end = SF_END_TEARDOWN, .contents = true };
	const struct sf_judge_options judging = { .violation = note, .ctx = found };
	struct sf_text_error where;
	struct sf_error err = { "" };
	struct sf_judge *judge;
	struct sf_prog prog;
	struct sf_exec *x;

	memset(found, 0, sizeof(*found));
	sf_prog_init(&prog);
	if (sf_text_parse(&prog, program, strlen(program), &where))
		fail_msg("%u:%u: %s", where.line, where.col, where.text);
	judge = sf_judge_create(&judging);
	x = sf_exec_create(a, &prog.settings, &options, sf_judge_event, judge, &err);
	assert_non_null(x);
	/* Twice: after a best-effort reset nothing of the first run may be left. */
	assert_int_equal(sf_exec_run(x, &prog, "example", &err), prog.nr_ops);
	assert_int_equal(sf_exec_run(x, &prog, "example", &err), prog.nr_ops);
	sf_exec_counts(x, done);
	memcpy(counts, sf_judge_counts(judge), SF_INV_COUNT * sizeof(counts[0]));
	sf_exec_destroy(x);
	sf_judge_destroy(judge);
	sf_prog_free(&prog);
}

static void test_runs_clean(void **state)
{
	struct sf_oracle_count counts[SF_INV_COUNT];
	struct sf_exec_counts done;
	struct found found;

	(void)state;
	judge_program(&sf_example, &found, counts, &done);
	assert_string_equal(found.title, "");
	assert_int_equal(found.nr, 0);
	assert_int_equal(done.live, 0);
	assert_true(counts[SF_INV_MEM_1].checked > 0);
	assert_true(counts[SF_INV_MEM_13].checked > 0);
}

static void test_skips_are_counted(void **state)
{
	struct sf_oracle_count counts[SF_INV_COUNT];
	struct sf_exec_counts done;
	struct found found;

	(void)state;
	judge_program(&sf_example, &found, counts, &done);
	/* A cache and a page block were asked for in each of the two runs. */
	assert_true(done.skipped[SF_SKIP_NO_CAP] >= 2);
	assert_int_equal(counts[SF_INV_ISO_1].checked, 0);
	assert_true(counts[SF_INV_ISO_1].skipped > 0);
	assert_non_null(counts[SF_INV_ISO_1].reason);
}

static uint64_t first_addr;

/* Hands the first object out again and again. */
static void alloc_overlapping(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	if (first_addr) {
		*rs = (struct sf_result){ .status = SF_OK, .addr = first_addr + 8 };
		return;
	}
	alloc(h, rq, rs);
	first_addr = rs->addr;
}

static void free_nothing(struct sf_heap *h, uint64_t addr, enum sf_free_how how,
			 struct sf_result *rs)
{
	(void)h;
	(void)addr;
	(void)how;
	*rs = (struct sf_result){ .status = SF_OK };
}

static void test_bug_is_found(void **state)
{
	struct sf_oracle_count counts[SF_INV_COUNT];
	struct sf_allocator broken = sf_example;
	struct sf_exec_counts done;
	struct found found;

	(void)state;
	broken.alloc = alloc_overlapping;
	broken.free = free_nothing;
	judge_program(&broken, &found, counts, &done);
	assert_true(found.nr > 0);
	assert_memory_equal(found.title, "MEM-1: ", 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs_clean),
		cmocka_unit_test(test_skips_are_counted),
		cmocka_unit_test(test_bug_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
