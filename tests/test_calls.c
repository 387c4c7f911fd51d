// SPDX-License-Identifier: MIT
/*
 * test_calls.c - recordings of malloc(): every file of corpora/calls with its counts, each format
 * with each way in which a file can be wrong, what is paired with what, and the words that come of
 * it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/program/program.h"
#include "../harness/trace/trace.h"
#include "text_trace.h"

#define DIR "corpora/calls/"

static struct sf_trace *open_calls(const char *text)
{
	struct sf_trace *t = open_text(text);

	assert_true(sf_trace_is_calls(t));
	return t;
}

static bool remarked(struct sf_trace *t, const char *what)
{
	const char *text;

	for (unsigned int i = 0; (text = sf_trace_remark(t, i)); i++)
		if (strstr(text, what))
			return true;
	return false;
}

/* ---- what adds up ---- */

static void hold_sums(const char *name, const struct sf_trace_counts *c)
{
	if (c->calls != c->mallocs + c->callocs + c->reallocs + c->aligned + c->frees)
		fail_msg("%s: calls", name);
	if (c->frees + c->realloc_freed !=
	    c->paired + c->free_null + c->free_unborn + c->freed_twice)
		fail_msg("%s: frees", name);
	if (c->calls - c->frees != c->failed + c->alloc_no_ptr + c->resized + c->realloc_freed +
					   c->paired + c->implied_free + c->alive)
		fail_msg("%s: allocations", name);
}

struct tally {
	uint64_t ops, of[256];
};

static bool count_op(void *ctx, const struct sf_op *op, const char *strings,
		     const struct sf_trace_record *rec)
{
	struct tally *t = ctx;

	(void)strings;
	t->ops++;
	t->of[op->code]++;
	if (rec)
		assert_int_equal(rec->kind, SF_TRACE_CALL);
	return true;
}

/* Both passes; the operations are those that are counted. */
static void import(const char *name, struct sf_trace *t, bool kernel_words,
		   struct sf_trace_counts *c, struct tally *ops)
{
	struct sf_import_options opt = { .kernel_words = kernel_words, .op = count_op, .ctx = ops };
	struct sf_error err = { "" };
	struct sf_trace_scan *s = sf_trace_scan(t, &err);

	if (!s)
		fail_msg("%s: %s", name, err.text);
	memset(ops, 0, sizeof(*ops));
	if (sf_trace_import(t, s, &opt, c, &err))
		fail_msg("%s: %s", name, err.text);
	hold_sums(name, c);
	assert_int_equal(c->ops, ops->ops);
	sf_trace_scan_free(s);
}

/* ---- files ---- */

struct file {
	const char *name, *format;
	struct sf_trace_counts want; /* all of them */
	const char *remark;          /* NULL: there is none */
};

static const struct file files[] = {
	{ "drawn.rep", "malloc lab (.rep)",
	  { .paired = 63, .peak_bytes = 83116, .ops = 144, .calls = 144, .mallocs = 63,
	    .reallocs = 18, .frees = 63, .threads = 1, .resized = 18 },
	  NULL },
	{ "fork.ltrace", "ltrace",
	  { .foreign_lines = 12, .paired = 32, .free_null = 8, .free_unborn = 2, .failed = 1,
	    .alive = 1, .peak_bytes = 305186, .ops = 86, .other_events = 12, .alloc_no_ptr = 1,
	    .calls = 90, .mallocs = 31, .callocs = 1, .reallocs = 13, .aligned = 3, .frees = 42,
	    .threads = 1, .resized = 13, .forked = 3 },
	  "other lines: +++ 2, fork 2, strchr 2, waitpid 2, --- 1, others 3" },
	{ "fork.mtrace", "mtrace",
	  { .foreign_lines = 1, .paired = 35, .failed = 1, .alive = 1, .peak_bytes = 306192,
	    .ops = 84, .other_events = 1, .calls = 94, .mallocs = 37, .reallocs = 13, .frees = 44,
	    .threads = 1, .resized = 13, .freed_twice = 9 },
	  "line 95 frees what line 83 freed: a double free of the progr" },
	{ "nested.ltrace", "ltrace",
	  { .foreign_lines = 1, .paired = 30, .free_null = 8, .free_unborn = 4, .failed = 1,
	    .alive = 1, .peak_bytes = 304664, .ops = 82, .other_events = 1, .calls = 87,
	    .mallocs = 32, .reallocs = 13, .frees = 42, .threads = 1, .resized = 13,
	    .nested = 86 },
	  "other lines: +++ 1" },
	{ "operators.ltrace", "ltrace",
	  { .foreign_lines = 90, .paired = 67, .free_unborn = 35, .peak_bytes = 3976, .ops = 134,
	    .other_events = 90, .calls = 169, .mallocs = 67, .frees = 102, .threads = 1 },
	  "other lines: _ZNSt7__cxx1112basic_stringIcSt11char_t 40, _ZS" },
	{ "plain.memory_replay.txt", "memory_replay",
	  { .paired = 49, .alive = 23, .peak_bytes = 26307, .ops = 236, .calls = 140,
	    .mallocs = 47, .callocs = 20, .reallocs = 19, .aligned = 5, .frees = 49, .threads = 3,
	    .resized = 19 },
	  NULL },
	{ "sort.heaptrack.zst", "heaptrack",
	  { .paired = 71, .alive = 151, .peak_bytes = 143036, .ops = 293, .calls = 293,
	    .mallocs = 222, .frees = 71, .threads = 1, .by_kind = 71 },
	  NULL },
	{ "sort.mtrace", "mtrace",
	  { .paired = 206, .alive = 14, .peak_bytes = 70348, .ops = 427, .calls = 427,
	    .mallocs = 220, .reallocs = 1, .frees = 206, .threads = 1, .resized = 1 },
	  NULL },
	{ "threads.heaptrack-raw.zst", "heaptrack",
	  { .paired = 178, .free_unborn = 1, .alive = 4, .peak_bytes = 380543, .ops = 360,
	    .calls = 361, .mallocs = 182, .frees = 179, .threads = 1 },
	  NULL },
	{ "threads.heaptrack.zst", "heaptrack",
	  { .paired = 178, .alive = 4, .peak_bytes = 380543, .ops = 360, .calls = 360,
	    .mallocs = 182, .frees = 178, .threads = 1, .by_kind = 178 },
	  NULL },
	{ "threads.ltrace", "ltrace",
	  { .foreign_lines = 16, .paired = 113, .free_null = 24, .free_unborn = 2, .failed = 1,
	    .alive = 1, .peak_bytes = 312367, .ops = 435, .other_events = 16, .alloc_no_ptr = 1,
	    .calls = 318, .mallocs = 112, .callocs = 1, .reallocs = 63, .aligned = 3,
	    .frees = 139, .threads = 4, .resized = 63 },
	  "other lines: +++ 4, pthread_create 4, pthread_join 4, strchr" },
	{ "threads.mtrace", "mtrace",
	  { .paired = 118, .failed = 1, .alive = 1, .peak_bytes = 314515, .ops = 300,
	    .calls = 301, .mallocs = 120, .reallocs = 63, .frees = 118, .threads = 1,
	    .resized = 63 },
	  NULL },
	{ "three.rep", "malloc lab (.rep)",
	  { .paired = 3, .alive = 1, .peak_bytes = 780, .ops = 8, .calls = 8, .mallocs = 2,
	    .callocs = 2, .reallocs = 2, .frees = 2, .threads = 1, .resized = 1,
	    .realloc_freed = 1 },
	  NULL },
	{ "times.memory_replay.txt", "memory_replay",
	  { .paired = 49, .alive = 23, .peak_bytes = 26307, .ops = 236, .calls = 140,
	    .mallocs = 47, .callocs = 20, .reallocs = 19, .aligned = 5, .frees = 49, .threads = 3,
	    .resized = 19 },
	  NULL },
};

#define FILES (sizeof(files) / sizeof(files[0]))

static void same_counts(const char *name, const struct sf_trace_counts *got,
			const struct sf_trace_counts *want)
{
#define X(field, what)                                                                        \
	if (got->field != want->field)                                                        \
		fail_msg("%s: %s is %llu, not %llu", name, #field,                            \
			 (unsigned long long)got->field, (unsigned long long)want->field);
	SF_TRACE_COUNTS(X)
#undef X
}

static struct sf_trace *open_file(const char *name)
{
	struct sf_error err = { "" };
	struct sf_trace *t;
	char path[200];
	int code = 0;

	snprintf(path, sizeof(path), DIR "%s", name);
	t = sf_trace_open(path, &err, &code);
	if (!t)
		fail_msg("%s", err.text);
	return t;
}

/* In the words of the kernel nothing else is counted. */
static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < FILES; i++) {
		struct sf_trace *t = open_file(files[i].name);
		struct sf_trace_counts c, again;
		struct tally ops;

		assert_true(sf_trace_is_calls(t));
		assert_string_equal(sf_trace_format(t), files[i].format);
		import(files[i].name, t, false, &c, &ops);
		same_counts(files[i].name, &c, &files[i].want);
		if (files[i].remark && !remarked(t, files[i].remark))
			fail_msg("%s: '%s' is not said", files[i].name, files[i].remark);
		if (!files[i].remark)
			assert_null(sf_trace_remark(t, 0));
		assert_int_equal(ops.of[SF_OP_MALLOC], c.mallocs + c.realloc_unborn -
				 (c.failed > c.mallocs ? 0 : c.failed));
		assert_int_equal(ops.of[SF_OP_FREE], c.paired + c.implied_free + c.free_null);
		assert_int_equal(sf_trace_rewind(t, &(struct sf_error){ "" }), 0);
		import(files[i].name, t, true, &again, &ops);
		same_counts(files[i].name, &again, &c);
		assert_int_equal(ops.of[SF_OP_MALLOC] + ops.of[SF_OP_FREE], 0);
		assert_int_equal(ops.of[SF_OP_KFREE] + ops.of[SF_OP_KVFREE],
				 c.paired + c.implied_free + c.free_null);
		sf_trace_close(t);
	}
}

/* Two tools, one program: all but what they do not tell is the same. */
static void test_same_run(void **state)
{
	struct sf_trace_counts times, plain;
	struct tally a, b;
	struct sf_trace *t = open_file("times.memory_replay.txt");

	(void)state;
	import("times", t, false, &times, &a);
	sf_trace_close(t);
	t = open_file("plain.memory_replay.txt");
	import("plain", t, false, &plain, &b);
	sf_trace_close(t);
	same_counts("plain", &plain, &times);
	assert_memory_equal(&a, &b, sizeof(a));
}

/* ---- words ---- */

/* The operations as text, without the line of the heap. */
static char *text_of(const char *recording)
{
	struct sf_trace *t = open_calls(recording);
	struct sf_trace_counts c;
	struct sf_error err = { "" };
	struct sf_text_error where;
	struct sf_prog p;
	size_t len = 0;
	char *text = NULL, *ops;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	if (sf_trace_import_text(t, NULL, f, &c, &err))
		fail_msg("%s", err.text);
	fclose(f);
	sf_prog_init(&p);
	if (sf_text_parse(&p, text, len, &where))
		fail_msg("%u:%u: %s in\n%s", where.line, where.col, where.text, text);
	sf_prog_free(&p);
	sf_trace_close(t);
	hold_sums(recording, &c);
	ops = strdup(strncmp(text, "heap ", 5) ? text : strchr(text, '\n') + 1);
	free(text);
	return ops;
}

static void test_words(void **state)
{
	static const struct {
		const char *recording, *text;
	} cases[] = {
		/* malloc lab: ids are given again, realloc of nothing is malloc */
		{ "9\n2\n8\n1\na 0 512\nr 0 640\nf 0\na 0 8\nr 1 9\nr 0 0\nf -1\nf 1\n",
		  "r0 = malloc(512)\nr1 = realloc(r0, 640)\nfree(r1)\nr2 = malloc(8)\n"
		  "r3 = realloc(NULL, 9)\nfree(r2)\nfree(NULL)\nfree(r3)\n" },
		{ "2\n3\n1\r\nc 0 4 25\r\nc 1 9\r\nf 0",
		  "r0 = calloc(4, 25)\nr1 = calloc(1, 9)\nfree(r0)\n" },
		/* weight, ids, operations */
		{ "1\n1\n2\na 0 16\nf 0\n", "r0 = malloc(16)\nfree(r0)\n" },
		/* memory_replay: new address first; threads as they come */
		{ "7: malloc 0x10 16\n9: realloc 0x20 0x10 32 5 6\n7: realloc 0x0 0x20 0\n"
		  "7: realloc 0x30 0x0 8\n7: memalign 0x100 64 8\n7: malloc 0x0 99999\n"
		  "7: free 0x0\n7: thread_done 0x0\n",
		  "r0 = malloc(16)\nthread(1)\nr1 = realloc(r0, 32)\nthread(0)\nfree(r1)\n"
		  "r2 = realloc(NULL, 8)\nr3 = memalign(64, 8)\nfree(NULL)\n" },
		/* mtrace: two lines for realloc; a failed one changes nothing; no callers */
		{ "= Start\n@ ./a b:[0x1] + 0x10 0x18\n@ ./a:(f+0x1)[0x2] < 0x10\n"
		  "@ ./a:(f+0x1)[0x2] > 0x40 0x30\n! 0x40 0xffffffffffff\n+ (nil) 0xfff\n"
		  "- 0x40\n= End\n",
		  "r0 = malloc(24)\nr1 = realloc(r0, 48)\nfree(r1)\n" },
		/* an address that is in use had a free that was not seen */
		{ "= Start\n+ 0x10 0x1\n+ 0x10 0x2\n- 0x10\n- 0x10\n- 0x99\n",
		  "r0 = malloc(1)\nfree(r0)\nr1 = malloc(2)\nfree(r1)\n" },
		/* heaptrack: the last of a kind; raw ones by address */
		{ "v 10400 3\na 10 1\n+ 0\n+ 0\na 20 1\n+ 1\n- 0\n- 1\n- 0\n- 0\nc 5\n",
		  "r0 = malloc(16)\nr1 = malloc(16)\nr2 = malloc(32)\nfree(r1)\nfree(r2)\n"
		  "free(r0)\n" },
		{ "v 10400 3\n+ 10 1 aa0\n+ ff 1 bb0\n- aa0\n- bb0\n",
		  "r0 = malloc(16)\nr1 = malloc(255)\nfree(r0)\nfree(r1)\n" },
		/* ltrace: names, prefixes, operators */
		{ "[pid 7] malloc(24, 1, 2)   = 0x10\n7 libx.so->calloc(2, 8) = 0x20\n"
		  "12:00:01.5 [0x401] realloc@libc.so.6(0x10, 30) = 0x40\n"
		  "operator new[](unsigned long)(7, 0x1) = 0x50\n_ZdaPv(0x50) = <void>\n"
		  "_ZnwmSt11align_val_t(8, 128) = 0x80\nposix_memalign(0x7ff, 16, 8) = 0\n"
		  "reallocarray(0x40, 3, 9) = 0x60\nfree(0x60) = <void>\nfree(nil) = <void>\n",
		  "r0 = malloc(24)\nr1 = calloc(2, 8)\nthread(1)\nr2 = realloc(r0, 30)\n"
		  "r3 = malloc(7)\nfree(r3)\nr4 = memalign(128, 8)\n"
		  "r5 = reallocarray(r2, 3, 9)\nfree(r5)\nfree(NULL)\n" },
		/*
		 * Calls in two lines: a free takes effect when it begins, an address that realloc
		 * gave up may be another's before it ends, and back again if that fails.
		 */
		{ "1 malloc(8) = 0x10\n1 free(0x10 <unfinished ...>\n2 malloc(9) = 0x10\n"
		  "1 <... free resumed> ) = <void>\n2 realloc(0x10, 20 <unfinished ...>\n"
		  "1 malloc(10) = 0x10\n2 <... realloc resumed> ) = 0x30\n"
		  "2 free(0x30) = <void>\n1 realloc(0x10, 99 <no return ...>\n"
		  "1 <... realloc resumed> ) = 0\n1 free(0x10) = <void>\n",
		  "r0 = malloc(8)\nfree(r0)\nthread(1)\nr1 = malloc(9)\nthread(0)\n"
		  "r2 = malloc(10)\nthread(1)\nr3 = realloc(r1, 20)\nfree(r3)\nthread(0)\n"
		  "free(r2)\n" },
		/* what a call calls itself, and what a child does */
		{ "1 a->malloc(8 <unfinished ...>\n1 malloc@libc.so.6(8) = 0x10\n"
		  "1 <... malloc resumed> ) = 0x10\n1 fork() = 5\n5 free(0x10) = <void>\n"
		  "1 free(0x10) = <void>\n",
		  "r0 = malloc(8)\nfree(r0)\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = text_of(cases[i].recording);

		assert_string_equal(text, cases[i].text);
		free(text);
	}
}

/* ---- what is wrong ---- */

#define REP "9\n2\n4\n1\na 0 512\n"

static void test_errors(void **state)
{
	static const struct {
		const char *recording, *said;
	} cases[] = {
		{ REP "a 1 x\n", "memory:6:5: expected a number of bytes, not 'x'" },
		{ REP "a 1\n", "memory:6:4: expected a number of bytes" },
		{ REP "a 1 18446744073709551616\n", "memory:6:5: expected a number of bytes" },
		{ REP "a 1 18446744073709551615\n", "memory:6:5: an object of more than 1 TiB" },
		{ REP "a 1 8 9\n", "memory:6:7: expected the end of the line" },
		{ REP "f 1\n", "memory:6:3: 1 is not allocated here" },
		{ REP "a 0 3\n", "memory:6:3: 0 is allocated already" },
		{ REP "q 0 3\n", "memory:6:1: expected a, r, f or c" },
		{ REP "a 1 1\nf 0\n", "memory:7: ends after 3 of the 4 operations" },
		{ REP "a 1 1\nf", "memory:7:2: the file is cut off here, before the id" },
		{ "1: malloc 0x10 8\nx: free 0x10\n", "memory:2:1: expected the number of a" },
		{ "1: malloc 0x10 8\n1: mallok 0x10 8\n", "memory:2:4: expected malloc, calloc" },
		{ "1: malloc 0x10 8\n1: free 0x1z\n", "memory:2:9: expected an address, not" },
		{ "1: malloc 0x10 8 5\n", "memory:1:19: expected the time of the end" },
		{ "1: malloc 0x10 8\n1: calloc 0x20 99999999999 99999999999\n",
		  "memory:2:16: an object of more than 1 TiB" },
		{ "1: malloc 0x10 8\n1: rea", "memory:2:7: the file is cut off here" },
		{ "v 10400 3\na 10 1\n+ 1\n", "memory:3:3: kind 1 of object, and 1 are known" },
		{ "v 10400 3\na 10\n", "memory:2:5: expected the number of a stack" },
		{ "v 10400 3\na zz 1\n", "memory:2:3: expected a size, not 'zz'" },
		{ "v 10400 9\n+ 0\n", "memory:1:2: version 9 of heaptrack's file is not read" },
		{ "v 10400 3\na 10 1\n+ 0\n\x01\x02\x03\n", "memory:4:2: expected a letter and a" },
		{ "v 10400 3\na 10 1\n+", "memory:3:2: the file is cut off here, before numbers" },
		{ "v 10400 3\na 10 1\n", "no allocation among 0 calls of malloc" },
		{ "= Start\n- 0x10\n= End\n", "no allocation among 1 calls of malloc" },
		{ "= Start\n@ ./a:[0x1] + 0xzz 0x1\n", "memory:2: column 15: expected an address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sf_trace *t = open_calls(cases[i].recording);
		struct sf_error err = { "" };
		struct sf_trace_scan *s = sf_trace_scan(t, &err);

		if (s || !strstr(err.text, cases[i].said) || strchr(err.text, '\n'))
			fail_msg("%zu: '%s' lacks '%s'", i, err.text, cases[i].said);
		sf_trace_close(t);
	}
}

/* In formats that lose lines one that is wrong costs itself. */
static void test_damage(void **state)
{
	static const struct {
		const char *recording;
		uint64_t cut_off, torn, bad_values, foreign, calls;
		const char *said;
	} cases[] = {
		{ "= Start\n+ 0x10 0x8\n@ ./a:[0x1] +\nnonsense here\n- 0x10\n", 1, 0, 0, 1, 2,
		  "first damaged event: line 3: column 14: expected an address" },
		{ "= Start\n+ 0x10 0x8\n+ 0x20 0x9g\n- 0x10\n", 0, 0, 1, 0, 2,
		  "line 3: column 8: expected a size, not '0x9g'" },
		{ "= Start\n+ 0x10 0x8\n> 0x20 0x8\n- 0x10\n", 0, 1, 0, 0, 2,
		  "line 3: column 1: '>', and no '<' in the line before" },
		{ "= Start\n+ 0x10 0x8\n< 0x10\n- 0x10\n", 0, 1, 0, 0, 2, NULL },
		{ "= Start\n+ 0x10 0x8\n+ 0x20 0xffffffffffffff\n", 0, 0, 1, 0, 1,
		  "an object of more than 1 TiB" },
		{ "= Start\n+ 0x10 0x8\n- 0x", 0, 0, 1, 0, 1, "line 3: column 3: expected an" },
		{ "malloc(8) = 0x10\nmalloc(9\nputs(\"malloc(3) = 0x1\") = 1\nhello\n", 1, 0, 0, 2,
		  1, "line 2: column 9: expected \") = \" and a result" },
		{ "malloc(8) = 0x10\nfree(zz) = <void>\n", 0, 0, 1, 0, 1,
		  "line 2: column 6: expected a number or an address, not 'zz'" },
		{ "malloc(8) = 0x10\ncalloc(8) = 0x20\n", 0, 0, 1, 0, 1,
		  "line 2: column 9: expected another argument" },
		{ "malloc(8) = 0x10\n1 <... malloc resumed> ) = 0x20\n", 1, 0, 0, 0, 1,
		  "the end of a call, and its beginning is not there" },
		{ "malloc(8) = 0x10\n1 malloc(8 <unfinished ...>\n1 +++ exited (status 0) +++\n",
		  1, 0, 0, 1, 1, "other lines: +++ 1" },
		{ "malloc(8) = 0x10\nmalloc(8 <unfinished ...>\n", 1, 0, 0, 0, 1, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sf_trace *t = open_calls(cases[i].recording);
		struct sf_trace_counts c;
		struct tally ops;
		char name[20];

		snprintf(name, sizeof(name), "%zu", i);
		import(name, t, false, &c, &ops);
		if (c.cut_off != cases[i].cut_off || c.torn != cases[i].torn ||
		    c.bad_values != cases[i].bad_values || c.foreign_lines != cases[i].foreign ||
		    c.calls != cases[i].calls)
			fail_msg("%zu: cut %llu, torn %llu, bad %llu, foreign %llu, calls %llu",
				 i, (unsigned long long)c.cut_off, (unsigned long long)c.torn,
				 (unsigned long long)c.bad_values,
				 (unsigned long long)c.foreign_lines, (unsigned long long)c.calls);
		if (cases[i].said && !remarked(t, cases[i].said))
			fail_msg("%zu: '%s' is not said", i, cases[i].said);
		sf_trace_close(t);
	}
}

/* A double free is told by its lines, and left out, for it may be the recording's. */
static void test_double_free(void **state)
{
	struct sf_trace *t = open_calls("= Start\n+ 0x10 0x8\n- 0x10\n- 0x10\n+ 0x10 0x9\n"
				       "- 0x10\n");
	struct sf_trace_counts c;
	struct tally ops;

	(void)state;
	import("double", t, false, &c, &ops);
	assert_int_equal(c.freed_twice, 1);
	assert_int_equal(c.free_unborn, 0);
	assert_int_equal(c.paired, 2);
	assert_true(remarked(t, "line 4 frees what line 3 freed: a double free"));
	sf_trace_close(t);
}

/* ---- what they are not ---- */

static void test_not_calls(void **state)
{
	static const char *const texts[] = {
		"r0 = malloc(24)\nfree(r0)\n",
		"free(r0)  # = 0x10\nmalloc(24)\n",
		"heap pages=64\nr0 = malloc(8)  # ok\n",
		"v 3\n+ 1\n",
		"1\n2\n3\nhello\n",
		"1: hello 0x1\n",
	};
	struct sf_error err = { "" };
	struct sf_trace *t;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(sf_trace_probe((const uint8_t *)texts[i], strlen(texts[i])));
	/* nor have they events of a kernel */
	t = open_calls("= Start\n+ 0x10 0x8\n");
	assert_int_equal(sf_trace_judge(t, NULL, NULL, NULL, &err), -1);
	assert_non_null(strstr(err.text, "calls of malloc, no kernel's events to judge"));
	sf_trace_close(t);
}

static void test_one_file(void **state)
{
	const char *const paths[] = { DIR "sort.mtrace", DIR "threads.mtrace" };
	struct sf_error err = { "" };
	int code = 0;

	(void)state;
	assert_null(sf_trace_open_files(paths, 2, &err, &code));
	assert_int_equal(code, 2);
	assert_non_null(strstr(err.text, "mtrace has no times to merge files by"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),	    cmocka_unit_test(test_same_run),
		cmocka_unit_test(test_words),	    cmocka_unit_test(test_errors),
		cmocka_unit_test(test_damage),	    cmocka_unit_test(test_double_free),
		cmocka_unit_test(test_not_calls),   cmocka_unit_test(test_one_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
