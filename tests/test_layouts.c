// SPDX-License-Identifier: MIT
/*
 * test_layouts.c - recordings as all the kernels and their tools print them: every file of
 * corpora/layouts with its counts, flags of all eras, what a recording teaches about its kernel,
 * several files of one recording, and files that are none.
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
#include <sys/stat.h>
#include <unistd.h>

#include "../harness/trace/trace.h"
#include "../oracles/oracle.h"
#include "text_trace.h"

#define DIR "corpora/layouts/"

static void take_violation(void *ctx, const struct sf_violation *v)
{
	char *title = ctx;

	if (!*title)
		snprintf(title, SF_TITLE_MAX, "%s", v->title);
}

/* Judges; the first title, "" if there is none. */
static void judge(struct sf_trace *t, struct sf_trace_counts *c, char title[SF_TITLE_MAX])
{
	struct sf_judge_options opt = { .violation = take_violation, .ctx = title };
	struct sf_judge *j = sf_judge_create(&opt);
	struct sf_error err = { "" };

	*title = '\0';
	if (sf_trace_judge(t, sf_judge_event, j, c, &err))
		fail_msg("%s", err.text);
	sf_judge_destroy(j);
}

static bool remarked(struct sf_trace *t, const char *what)
{
	const char *text;

	for (unsigned int i = 0; (text = sf_trace_remark(t, i)); i++)
		if (strstr(text, what))
			return true;
	return false;
}

/* ---- files ---- */

struct file {
	const char *name, *format;
	struct sf_trace_counts want; /* those that are 0 must be 0, but for lines and bytes */
	const char *remark;          /* NULL: none is looked for */
};

static const struct file files[] = {
	{ "null-padded-32bit.txt", "ftrace",
	  { .kmalloc = 1, .kfree = 2, .paired = 1, .free_null = 1 }, NULL },
	{ "ptrval.txt", "ftrace",
	  { .kmalloc = 2, .kfree = 1, .paired = 1, .alloc_no_ptr = 1 }, NULL },
	{ "page-failed.txt", "ftrace",
	  { .page_alloc = 3, .page_free = 1, .page_failed = 2, .page_paired = 1 }, NULL },
	{ "latency.txt", "ftrace", { .kmalloc = 1, .kfree = 1, .paired = 1 }, NULL },
	{ "latency-verbose.txt", "ftrace",
	  { .kmalloc = 1, .kfree = 1, .paired = 1, .overwritten = 4 }, NULL },
	{ "report-ts-diff.txt", "trace-cmd report",
	  { .kmalloc = 1, .kfree = 1, .paired = 1 }, NULL },
	{ "report-latency.txt", "trace-cmd report",
	  { .kmalloc = 1, .kfree = 1, .paired = 1 }, NULL },
	{ "report-raw.txt", "trace-cmd report",
	  { .kmalloc = 1, .kfree = 1, .paired = 1, .page_alloc = 1, .page_failed = 1 }, NULL },
	{ "tabs.txt", "ftrace", { .kmalloc = 1, .kfree = 1, .paired = 1 }, NULL },
	{ "function-graph.txt", "ftrace", { .kmalloc = 1, .kfree = 1, .paired = 1 }, NULL },
	{ "perf-sparse.txt", "perf script",
	  { .kmalloc = 2, .kfree = 1, .paired = 1, .alive = 1 }, NULL },
	{ "excerpts.txt", "ftrace", { .kmalloc = 2, .kfree = 1, .paired = 1, .alive = 1 }, NULL },
	{ "fields.txt", "ftrace",
	  { .cache_alloc = 1, .cache_free = 1, .paired = 1, .caches = 1 }, NULL },
	{ "order-13.txt", "ftrace",
	  { .kmalloc = 1, .page_alloc = 1, .alive = 1, .page_alive = 1, .page_too_large = 1 },
	  NULL },
	{ "gfp-to-4.5.txt", "ftrace", { .kmalloc = 2, .alive = 2 }, NULL },
	{ "events-before-3.3.txt", "ftrace",
	  { .page_alloc = 1, .page_free = 1, .page_paired = 1 }, NULL },
	{ "pages-told-twice.txt", "trace-cmd report",
	  { .page_alloc = 2, .page_free = 4, .page_paired = 2, .page_echo = 2 }, NULL },
	{ "least-size-64.txt", "ftrace", { .kmalloc = 1, .kfree = 1, .paired = 1 },
	  "recorded kernel: kmalloc's least size is 64 bytes" },
	{ "slub-debug.txt", "ftrace",
	  { .kmalloc = 3, .cache_alloc = 1, .alive = 4, .caches = 1, .odd_caches = 1 },
	  "recorded kernel: kmalloc's objects are larger than their class" },
	{ "pages-of-64k.txt", "ftrace",
	  { .kmalloc = 2, .alive = 2, .page_alloc = 2, .slab_pages = 2, .page_alive = 2 },
	  "recorded kernel: its pages are of 65536 bytes" },
	{ "cut-off.txt", "ftrace", { .kmalloc = 1, .alive = 1, .cut_off = 1 },
	  "first damaged event: line 8: ptr=00000000a1b2: no such value" },
	{ "torn.txt", "ftrace",
	  { .kmalloc = 1, .kfree = 1, .free_unborn = 1, .alive = 1, .torn = 2 },
	  "first damaged event: line 7: another event begins in the midst of it" },
	{ "kernel-log.txt", "kernel log", { .kmalloc = 1, .kfree = 1, .paired = 1 }, NULL },
	{ "no-final-newline.txt", "ftrace", { .kmalloc = 1, .kfree = 1, .paired = 1 }, NULL },
	{ "two-events-only.txt", "ftrace",
	  { .kmalloc = 2, .kfree = 2, .paired = 1, .free_unborn = 1, .alive = 1 },
	  "not judged: double frees, overlaps and alignment: not all of kmalloc" },
	{ "overwritten.txt", "ftrace",
	  { .kmalloc = 2, .kfree = 2, .free_unborn = 2, .implied_free = 1, .alive = 1, .lost = 7,
	    .unknown_gfp = 1, .overwritten = 1000, .started = 1 },
	  "unknown gfp flags: __GFP_SOMETHING 1" },
};

static void same_counts(const char *name, struct sf_trace_counts got, struct sf_trace_counts want)
{
	want.events = want.kmalloc + want.kfree + want.cache_alloc + want.cache_free +
		      want.page_alloc + want.page_free;
	got.peak_bytes = got.foreign_lines = 0;
#define X(field, what)                                                                      \
	if (got.field != want.field)                                                        \
		fail_msg("%s: " #field " is %llu, not %llu", name,                          \
			 (unsigned long long)got.field, (unsigned long long)want.field);
	SF_TRACE_COUNTS(X)
#undef X
}

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[100], title[SF_TITLE_MAX];
		struct sf_error err = { "" };
		struct sf_trace_counts c;
		struct sf_trace *t;
		int code = 0;

		snprintf(path, sizeof(path), DIR "%s", files[i].name);
		t = sf_trace_open(path, &err, &code);
		if (!t)
			fail_msg("%s", err.text);
		judge(t, &c, title);
		assert_string_equal(sf_trace_format(t), files[i].format);
		same_counts(files[i].name, c, files[i].want);
		/* none of these kernels made a mistake */
		assert_string_equal(title, "");
		if (files[i].remark)
			assert_true(remarked(t, files[i].remark));
		sf_trace_close(t);
	}
}

/* Of what a layout has, everything is read. */
static void test_prefixes(void **state)
{
	static const struct {
		const char *name, *comm;
		int32_t pid;
		uint32_t cpu;
		uint64_t time_ns;
	} want[] = {
		{ "latency.txt", "alpha", 77, 0, 12000 },
		{ "latency-verbose.txt", "alpha", 77, 1, 12345000 },
		{ "report-latency.txt", "alpha", 77, 1, 12000001000 },
		{ "report-ts-diff.txt", "alpha", 77, 0, 12000001000 },
		{ "tabs.txt", "alpha", 77, 0, 12000001000 },
		{ "function-graph.txt", "alpha", 77, 1, 12000002000 },
		{ "perf-sparse.txt", "alpha", 77, 1, 0 },
		{ "kernel-log.txt", "alpha", 77, 0, 12300001000 },
		{ "excerpts.txt", "", 0, 1, 12000001000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct sf_error err = { "" };
		struct sf_trace_record rec;
		struct sf_trace *t;
		char path[100];
		int code = 0;

		snprintf(path, sizeof(path), DIR "%s", want[i].name);
		t = sf_trace_open(path, &err, &code);
		assert_non_null(t);
		assert_int_equal(sf_trace_read(t, &rec, &err), 1);
		assert_int_equal(rec.kind, SF_TRACE_KMALLOC);
		assert_string_equal(rec.comm, want[i].comm);
		assert_int_equal(rec.pid, want[i].pid);
		assert_int_equal(rec.cpu, want[i].cpu);
		assert_int_equal(rec.time_ns, want[i].time_ns);
		assert_int_equal(rec.bytes_req, 24);
		assert_int_equal(rec.gfp, SF_GFP_KERNEL);
		sf_trace_close(t);
	}
}

#define TAIL " call_site=f+0x1/0x2 ptr=00000000a1b2c3d4"
#define BYTES " bytes_req=24 bytes_alloc=32 gfp_flags=GFP_KERNEL"
#define START "  alpha-77 [001] d..1.  12.000001: "
#define LINE(what) START what "\n"
#define FREED LINE("kfree:" TAIL)

/* Layouts and damage by the line: what comes of it, followed by the free of the object. */
static void test_lines(void **state)
{
	static const struct {
		const char *text;
		uint64_t paired, cut, torn;
	} cases[] = {
		/* printk's caller, syslog, journald; marks of the latency format; another clock */
		{ "[   12.3][  T77]    alpha-77      1d..1   12us+: kmalloc:" TAIL BYTES "\n",
		  1, 0, 0 },
		{ "<4>[   12.3] alpha-77      1d..1   12us#: kmalloc:" TAIL BYTES "\n", 1, 0, 0 },
		{ "Nov 29 08:00:00 host kernel: [   12.3]    alpha-77      1.N..   12us*: kmalloc:"
		  TAIL BYTES "\n", 1, 0, 0 },
		{ "Nov 29 08:00:00 host kernel:    alpha-77      1d..1   12us : kmalloc:" TAIL BYTES
		  "\n", 1, 0, 0 },
		{ "   alpha-77      1d..1   1234 : kmalloc:" TAIL BYTES "\n", 1, 0, 0 },
		/* a graph without CPUs, with a duration that is none */
		{ "               |  /* kmalloc:" TAIL BYTES " */\n", 1, 0, 0 },
		{ " 1)  alpha-77   | # 1234.5 us |  /* kmalloc:" TAIL BYTES " */\n", 1, 0, 0 },
		/* perf script: all, less, an event of another group */
		{ "alpha 77/78 [001] 12.000001: 1 kmem:kmalloc:" TAIL BYTES "\n", 1, 0, 0 },
		{ "alpha    77  12.000001: kmem:kmalloc:" TAIL BYTES "\n", 1, 0, 0 },
		{ "kmem:kmalloc:" TAIL BYTES "\n", 1, 0, 0 },
		{ "alpha 77 [001] 12.000001: probe:kmalloc:" TAIL BYTES "\n", 0, 0, 0 },
		/* dates, with the recorder's time and without; times since the event before */
		{ "alpha 77 [001] 2026-11-29 09:00:01.000003 12.000001: kmem:kmalloc:" TAIL BYTES
		  "\n", 1, 0, 0 },
		{ "alpha 77 2026-11-29 09:00:01.000003 12.000001: 1 kmem:kmalloc:" TAIL BYTES "\n",
		  1, 0, 0 },
		{ "alpha 77 [001] d..1. 2026-11-29 09:00:01.000003: kmem:kmalloc:" TAIL BYTES "\n",
		  1, 0, 0 },
		{ "2026-11-29T09:00:01.000003+0100 alpha-77 [001] 12.000001: kmalloc:" TAIL BYTES
		  "\n", 1, 0, 0 },
		{ "alpha-77 [001] +0.000001: kmalloc:" TAIL BYTES "\n", 1, 0, 0 },
		/* colours of grep, whole and cut off */
		{ START "\x1b[01;31m\x1b[Kkmalloc\x1b[m\x1b[K:" TAIL BYTES "\n", 1, 0, 0 },
		{ START "kmalloc:" TAIL BYTES "\x1b[01;3\n", 1, 0, 0 },
		/* two events on a line: the first cut off before its name, in it, in its fields */
		{ START "kmal  " LINE("kmalloc:" TAIL BYTES), 0, 0, 2 },
		{ " bytes_alloc=32 gfp_flags=GFP_KERN  " LINE("kmalloc:" TAIL BYTES), 0, 0, 2 },
		{ START "kmalloc:" TAIL " bytes_req=2 " FREED, 0, 0, 2 },
		{ START "kmalloc:" TAIL " bytes_req=2" FREED, 0, 0, 2 },
		/* a field that such an event has not; a flag cut off, and behind a flag */
		{ LINE("kfree:" TAIL " name=dentry"), 0, 0, 1 },
		{ LINE("mm_page_alloc: page=0000000011112222 pfn=7 order=0 gfp_flags=GFP_KERNEL|_"),
		  0, 1, 0 },
		{ LINE("mm_page_alloc: page=0000000011112222 pfn=7 order=0 gfp_flags=GFP_KERNEL|"),
		  0, 1, 0 },
		/* 64 bits with the top one set have 16 digits */
		{ LINE("kfree: ptr=0xffff888100000040") LINE("kfree: ptr=0xffff8881000"), 0, 1, 0 },
		/* cut off in the midst of the file */
		{ LINE("kmalloc:" TAIL " bytes_req=24 byt"), 0, 1, 0 },
		{ LINE("kmalloc:" TAIL " bytes_req=24 bytes_alloc=32 gfp_flags="), 0, 1, 0 },
		{ LINE("kmalloc: call_site=f+0x1/0x2 ptr=00000000a1"), 0, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024], title[SF_TITLE_MAX];
		struct sf_trace_counts c;
		struct sf_trace *t;

		/* something to read whatever comes of the rest */
		snprintf(text, sizeof(text), "%s%s%s", LINE("mm_page_alloc: page=0000000011112222 "
			 "pfn=7 order=0 migratetype=0 gfp_flags=GFP_KERNEL"), cases[i].text, FREED);
		t = open_text(text);
		judge(t, &c, title);
		if (c.paired != cases[i].paired || c.cut_off != cases[i].cut ||
		    c.torn != cases[i].torn || c.paired + c.free_unborn < 1)
			fail_msg("%zu: paired %d, cut off %d, torn %d", i, (int)c.paired,
				 (int)c.cut_off, (int)c.torn);
		sf_trace_close(t);
	}
}

/* A date is a time where there is no other; what went before the event tells no order. */
static void test_dates(void **state)
{
	static const struct {
		const char *text;
		uint64_t time_ns;
	} cases[] = {
		{ "a 7 [001] 2026-11-29 09:00:01.000003 12.000001: kmem:kfree:" TAIL "\n",
		  12000001000 },
		{ "a 7 [001] 2026-11-29 09:00:01.000003: kmem:kfree:" TAIL "\n",
		  1795942801000003000 },
		{ "a 7 [001] 2026-11-29 09:00:01.000003 kmem:kfree:" TAIL "\n",
		  1795942801000003000 },
		{ "a 7 2026-11-29 09:00:01.000003 kmem:kfree:" TAIL "\n", 1795942801000003000 },
		{ "a 7 2026-11-29 09:00:01.000003 12.000001: kmem:kfree:" TAIL "\n", 12000001000 },
		{ "2026-11-29 09:00:01.000003 a-7 [001] 12.000001: kfree:" TAIL "\n",
		  12000001000 },
		{ "a-7 [001] +0.000001: kfree:" TAIL "\n", 0 },
		{ "a 7 kmem:kfree:" TAIL "\n", 0 },
		{ "a-7 [001] ..... \x1b[1m12.000001\x1b[0m: kfree:" TAIL "\n", 12000001000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sf_trace *t = open_text(cases[i].text);
		struct sf_error err = { "" };
		struct sf_trace_record rec;

		assert_int_equal(sf_trace_read(t, &rec, &err), 1);
		if (rec.time_ns != cases[i].time_ns || rec.pid != 7 || strcmp(rec.comm, "a"))
			fail_msg("%zu: %llu, '%s' %d", i, (unsigned long long)rec.time_ns, rec.comm,
				 rec.pid);
		sf_trace_close(t);
	}
	/* nothing before the event, so no time */
	{
		struct sf_trace *t = open_text("kmem:kfree:" TAIL "\n");
		struct sf_error err = { "" };
		struct sf_trace_record rec;

		assert_int_equal(sf_trace_read(t, &rec, &err), 1);
		assert_int_equal(rec.time_ns, 0);
		sf_trace_close(t);
	}
}

/* Events of one name have the same fields; another kernel's follow, and are got used to. */
static void test_same_fields(void **state)
{
	char *text = NULL, title[SF_TITLE_MAX];
	struct sf_trace_counts c;
	struct sf_trace *t;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_non_null(f);
	fputs(LINE("kmalloc:" TAIL BYTES), f);
	for (int i = 0; i < 20; i++)
		fputs(LINE("kmem_cache_free:" TAIL " name=dentry"), f);
	fputs(LINE("kmem_cache_free:" TAIL), f); /* cut off */
	for (int i = 0; i < 20; i++)
		fputs(LINE("kmem_cache_free:" TAIL " name=dentry"), f);
	for (int i = 0; i < 100; i++)
		fputs(LINE("kmem_cache_free:" TAIL), f); /* to 5.11 */
	fclose(f);
	t = open_text(text);
	judge(t, &c, title);
	assert_true(c.cut_off > 1 && c.cut_off <= 1 + 32);
	assert_int_equal(c.cache_free + c.cut_off, 141);
	sf_trace_close(t);
	free(text);
}

/* The last line has no newline: whole if its last field must be, or is one told before. */
static void test_last_line(void **state)
{
	static const struct {
		const char *last;
		uint64_t events;
	} cases[] = {
		{ "kfree:" TAIL, 2 },
		{ "kfree: call_site=f ptr=00000000a1b2c3d", 1 },
		{ "kmem_cache_free:" TAIL " name=dentry", 2 },
		{ "kmem_cache_free:" TAIL " name=dent", 1 },
		{ "kmalloc:" TAIL BYTES, 2 },
		{ "kmalloc:" TAIL BYTES "|__GFP_ZER", 1 },
		{ "kmalloc:" TAIL BYTES " node=-1 accounted=tru", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024], title[SF_TITLE_MAX];
		struct sf_trace_counts c;
		struct sf_trace *t;

		snprintf(text, sizeof(text), "%s  alpha-77 [001] d..1.  12.000002: %s",
			 LINE("kmem_cache_alloc:" TAIL " name=dentry" BYTES), cases[i].last);
		t = open_text(text);
		judge(t, &c, title);
		if (c.events != cases[i].events || c.events + c.cut_off != 2)
			fail_msg("%s: %d events, %d cut off", cases[i].last, (int)c.events,
				 (int)c.cut_off);
		sf_trace_close(t);
	}
}

/* Of 64 KiB pages: what is larger than the model's largest block is counted, not replayed. */
static void test_large(void **state)
{
	struct sf_trace_counts c;
	char title[SF_TITLE_MAX];
	struct sf_trace *t;

	(void)state;
	t = open_text(LINE("kmalloc:" TAIL " bytes_req=200000000 bytes_alloc=268435456 "
			   "gfp_flags=GFP_KERNEL") FREED
		      LINE("kmalloc:" TAIL " bytes_req=4000000 bytes_alloc=4194304 "
			   "gfp_flags=GFP_KERNEL") FREED);
	judge(t, &c, title);
	assert_string_equal(title, "");
	assert_int_equal(c.alloc_too_large, 1);
	assert_int_equal(c.paired, 2);
	assert_int_equal(c.peak_bytes, 4194304);
	sf_trace_close(t);
}

/* ---- flags ---- */

static uint32_t gfp_of(const char *text, uint64_t *unknown)
{
	struct sf_error err = { "" };
	struct sf_trace_record rec;
	struct sf_trace_counts c;
	char line[300], title[SF_TITLE_MAX];
	struct sf_trace *t;
	uint32_t gfp;

	snprintf(line, sizeof(line), "  a-1 [000] .....  1.0: kmalloc: call_site=f "
		 "ptr=ffff880012340140 bytes_req=24 bytes_alloc=32 gfp_flags=%s\n", text);
	t = open_text(line);
	assert_int_equal(sf_trace_read(t, &rec, &err), 1);
	gfp = rec.gfp;
	judge(t, &c, title);
	*unknown = c.unknown_gfp;
	sf_trace_close(t);
	return gfp;
}

static void test_gfp(void **state)
{
	static const struct {
		const char *text;
		uint32_t gfp;
	} cases[] = {
		{ "GFP_KERNEL|GFP_ZERO", SF_GFP_KERNEL | SF_GFP_ZERO },
		{ "GFP_TEMPORARY", SF_GFP_KERNEL | SF_GFP_RECLAIMABLE },
		{ "GFP_WAIT|GFP_IO", SF_GFP_NOFS },
		{ "GFP_KERNEL|__GFP_REPEAT|__GFP_COLD", SF_GFP_KERNEL | SF_GFP_RETRY_MAYFAIL },
		{ "GFP_KERNEL|__GFP_ZEROTAGS|__GFP_SKIP_KASAN_POISON", SF_GFP_KERNEL },
		{ "GFP_KERNEL|__GFP_NOTRACK", SF_GFP_KERNEL },
		/* GFP_KERNEL as a number: to 4.3, to 4.9, to 4.18, to 5.0, since */
		{ "0xd0", SF_GFP_KERNEL },
		{ "0x24000c0", SF_GFP_KERNEL },
		{ "0x14000c0", SF_GFP_KERNEL },
		{ "0x6000c0", SF_GFP_KERNEL },
		{ "0xcc0", SF_GFP_KERNEL },
		{ "3264", SF_GFP_KERNEL },
		/* with __GFP_ZERO */
		{ "0x80d0", SF_GFP_KERNEL | SF_GFP_ZERO },
		{ "0x24080c0", SF_GFP_KERNEL | SF_GFP_ZERO },
		{ "0x14080c0", SF_GFP_KERNEL | SF_GFP_ZERO },
		{ "0x6080c0", SF_GFP_KERNEL | SF_GFP_ZERO },
		{ "0xdc0", SF_GFP_KERNEL | SF_GFP_ZERO },
		/* GFP_HIGHUSER_MOVABLE and GFP_ATOMIC */
		{ "0x200da", SF_GFP_HIGHUSER_MOVABLE },
		{ "0x24200ca", SF_GFP_HIGHUSER_MOVABLE },
		{ "0x14200ca", SF_GFP_HIGHUSER_MOVABLE },
		{ "0x6200ca", SF_GFP_HIGHUSER_MOVABLE },
		{ "0x100cca", SF_GFP_HIGHUSER_MOVABLE },
		{ "0x1080020", SF_GFP_ATOMIC },
		{ "0x480020", SF_GFP_ATOMIC },
		{ "0xa20", SF_GFP_ATOMIC },
		{ "0x820", SF_GFP_ATOMIC },
	};
	uint64_t unknown;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t gfp = gfp_of(cases[i].text, &unknown);

		if (gfp != cases[i].gfp || unknown)
			fail_msg("%s: %#x, not %#x; %d unknown", cases[i].text, gfp, cases[i].gfp,
				 (int)unknown);
	}
	assert_int_equal(gfp_of("GFP_KERNEL|__GFP_NEW|__GFP_NEWER", &unknown), SF_GFP_KERNEL);
	assert_int_equal(unknown, 2);
}

/* ---- what is learned ---- */

#define ALLOC(ptr, req, alloc)                                                              \
	"  a-1 [000] .....  1.0: kmalloc: call_site=f ptr=" ptr " bytes_req=" #req          \
	" bytes_alloc=" #alloc " gfp_flags=GFP_KERNEL node=-1 accounted=false\n"
#define AT(n) "ffff8800123" n

static void test_kernels(void **state)
{
	static const struct {
		const char *text, *title, *kernel; /* kernel NULL: a plain one */
	} cases[] = {
		/* each size alone may be another kernel's; with a small one it is a mistake */
		{ ALLOC(AT("00000"), 60, 128), "", "least size is 128" },
		{ ALLOC(AT("00000"), 60, 128) ALLOC(AT("01000"), 64, 64),
		  "ISO-2: kmalloc-128 is not the smallest class that fits", NULL },
		{ ALLOC(AT("00000"), 60, 32) ALLOC(AT("01000"), 8, 8),
		  "ISO-2: an object of kmalloc-32 is smaller than was asked", NULL },
		/* slub_debug=P,kmalloc-64 */
		{ ALLOC(AT("00000"), 60, 128) ALLOC(AT("01000"), 8, 8), "", "red zones" },
		{ ALLOC(AT("00000"), 5, 32) ALLOC(AT("01000"), 90, 128)
		  ALLOC(AT("02000"), 190, 192), "",
		  "least size is 32 bytes, and it has none of 96" },
		{ ALLOC(AT("00000"), 5, 16) ALLOC(AT("01000"), 90, 96), "", "least size is 16" },
		{ ALLOC(AT("00000"), 64, 392) ALLOC(AT("01000"), 8, 336), "", "red zones" },
		/* one class in two sizes that no kernel has, and plain ones: half of them */
		{ ALLOC(AT("00000"), 64, 64) ALLOC(AT("01000"), 10, 16)
		  ALLOC(AT("02000"), 64, 128),
		  "ISO-2: kmalloc-128 is not the smallest class that fits", NULL },
		{ ALLOC(AT("00000"), 20, 24) ALLOC(AT("01000"), 21, 25) ALLOC(AT("02000"), 5, 9),
		  "", "of no kernel known here" },
		{ ALLOC(AT("00000"), 9000, 9008), "", "of no kernel known here" },
		{ ALLOC(AT("00000"), 9000, 16384), "", NULL },
		/* unaligned, as before 5.4 */
		{ ALLOC(AT("00008"), 64, 64), "", "not aligned" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sf_trace *t = open_text(cases[i].text);
		struct sf_trace_counts c;
		char title[SF_TITLE_MAX];

		judge(t, &c, title);
		assert_string_equal(title, cases[i].title);
		if (cases[i].kernel && !strstr(sf_trace_kernel(t), cases[i].kernel))
			fail_msg("%zu: '%s' lacks '%s'", i, sf_trace_kernel(t), cases[i].kernel);
		if (!cases[i].kernel)
			assert_string_equal(sf_trace_kernel(t), "");
		sf_trace_close(t);
	}
}

static void test_hints(void **state)
{
	struct sf_trace_hints h = { .source = "" };
	char title[SF_TITLE_MAX];
	struct sf_trace_counts c;
	struct sf_trace *t;

	(void)state;
	assert_non_null(sf_trace_hints_set(&h, "kmalloc_min"));
	assert_string_equal(sf_trace_hints_set(&h, "kmalloc_min=60"),
			    "a power of two from 8 to 4096");
	assert_string_equal(sf_trace_hints_set(&h, "page_size=1"),
			    "a power of two from 4096 to 65536");
	assert_string_equal(sf_trace_hints_set(&h, "slub_debug=2"), "0 or 1");
	assert_non_null(sf_trace_hints_set(&h, "pages=1"));
	assert_null(sf_trace_hints_set(&h, "kmalloc_min=64"));
	assert_null(sf_trace_hints_set(&h, "page_size=65536"));
	/* what would be a mistake of a plain kernel */
	t = open_text(ALLOC(AT("00000"), 60, 128) ALLOC(AT("01000"), 64, 64));
	sf_trace_set_hints(t, &h);
	judge(t, &c, title);
	assert_string_equal(title, "");
	assert_string_equal(sf_trace_kernel(t), "kmalloc's least size is 64 (--set); its pages are "
			    "of 65536 bytes, replayed by order");
	sf_trace_close(t);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_listings(void **state)
{
	static const struct {
		const char *text;
		uint64_t kmalloc_min;
		bool debug, plain;
	} cases[] = {
		{ "slabinfo - version: 2.1\n# name <active_objs>\n"
		  "dentry 100 100 192 21 1 : tunables 0 0 0 : slabdata 5 5 0\n"
		  "kmalloc-64 100 128 64 64 1 : tunables 0 0 0 : slabdata 2 2 0\n"
		  "kmalloc-8 512 512 8 512 1 : tunables 0 0 0 : slabdata 1 1 0\n", 0, false, true },
		{ "kmalloc-128 1 32 128 32 1 : tunables 0 0 0 : slabdata 1 1 0\n"
		  "kmalloc-rcl-64 1 32 64 32 1 : tunables 0 0 0 : slabdata 1 1 0\n", 128, false,
		  false },
		{ "kmalloc-8 1 32 336 12 1 : tunables 0 0 0 : slabdata 1 1 0\n", 0, true, false },
		{ "/sys/kernel/slab/kmalloc-8/slab_size:8\n/sys/kernel/slab/kmalloc-8/red_zone:1\n",
		  0, true, false },
		{ "kmalloc-8/slab_size:8\nkmalloc-8/red_zone:0\nkmalloc-1k/slab_size:1024\n",
		  0, false, true },
	};
	char path[] = "/tmp/slabfuzz-listing-XXXXXX";
	struct sf_trace_hints h = { .source = "" };
	struct sf_error err = { "" };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		h = (struct sf_trace_hints){ .source = "" };
		write_file(path, cases[i].text);
		assert_int_equal(sf_trace_hints_listing(&h, path, &err), 0);
		assert_int_equal(h.kmalloc_min, cases[i].kmalloc_min);
		assert_int_equal(h.slub_debug, cases[i].debug);
		assert_int_equal(h.plain, cases[i].plain);
	}
	write_file(path, "Node 0, zone DMA 1 1 1\n");
	assert_int_equal(sf_trace_hints_listing(&h, path, &err), -1);
	assert_non_null(strstr(err.text, "no kmalloc cache in it"));
	unlink(path);
	assert_int_equal(sf_trace_hints_listing(&h, path, &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
}

/* ---- evidence ---- */

#define EVENT(task, time, what) "  " task " [000] .....  " time ": " what "\n"
#define KM(time, ptr) EVENT("a-1", time, "kmalloc: call_site=f ptr=" ptr " bytes_req=8 "    \
			    "bytes_alloc=8 gfp_flags=GFP_KERNEL node=-1 accounted=false")
#define KF(time, ptr) EVENT("a-1", time, "kfree: call_site=f ptr=" ptr)
#define CA(task) EVENT(task, "1.0", "kmem_cache_alloc: call_site=f ptr=ffff880012380000 "   \
		       "bytes_req=8 bytes_alloc=8 gfp_flags=GFP_KERNEL node=-1")
#define CF EVENT("a-1", "1.0", "kmem_cache_free: call_site=f ptr=ffff880012380000 name=x")
#define SLAB(pfn, ptr) EVENT("a-1", "1.0", "mm_page_alloc: page=ffffea0000000040 pfn=" pfn  \
			     " order=0 migratetype=0 gfp_flags=GFP_KERNEL|__GFP_NOWARN|"     \
			     "__GFP_NORETRY|__GFP_COMP") KM("1.0", ptr)
#define PAGE SLAB("0x12500", "ffff880012500000") SLAB("0x12501", "ffff880012501000")        \
	     EVENT("a-1", "1.0", "mm_page_alloc: page=ffffea0000000040 pfn=1 order=0 "       \
		   "migratetype=0 gfp_flags=GFP_KERNEL")                                     \
	     EVENT("a-1", "1.0", "mm_page_free: page=ffffea0000000040 pfn=1 order=0")
#define TWICE KM("2.0", AT("00000")) KF("2.1", AT("00000")) KF("2.2", AT("00000"))          \
	      KM("2.3", AT("00008"))

/* A double free is one only if everything that could explain it was recorded. */
static void test_evidence(void **state)
{
	static const struct {
		const char *text;
		bool accused;
		const char *why;
	} cases[] = {
		{ CA("idle-0") CF PAGE TWICE, true, NULL },
		{ CA("idle-0") CF TWICE, false, "mm_page_alloc and mm_page_free" },
		{ PAGE TWICE, false, "not all of kmalloc" },
		{ CA("idle-0") PAGE TWICE, false, "not all of kmalloc" },
		{ CA("a-1") CF PAGE TWICE, false, "not all tasks" },
		{ "# entries-in-buffer/entries-written: 4/5   #P:1\n" CA("idle-0") CF PAGE TWICE,
		  false, "overwritten" },
		{ "##### CPU 1 buffer started ####\n" CA("idle-0") CF PAGE TWICE, false,
		  "overwritten" },
		{ CA("idle-0") CF PAGE "  a-1 [000] .....  1.0: kmalloc: call_site=f\n" TWICE,
		  false, "damaged" },
		/* wherever the recorder says so */
		{ CA("idle-0") CF PAGE TWICE "PERF_RECORD_LOST lost 600\n" KM("3.0", AT("00100")),
		  false, "the recorder lost events" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sf_trace *t = open_text(cases[i].text);
		struct sf_trace_counts c;
		char title[SF_TITLE_MAX];

		judge(t, &c, title);
		assert_string_equal(title, cases[i].accused ?
				    "MEM-9: a kmalloc-8 object was freed twice" : "");
		assert_int_equal(remarked(t, "not judged: "), !cases[i].accused);
		if (cases[i].why && !remarked(t, cases[i].why))
			fail_msg("%zu: no remark has '%s'", i, cases[i].why);
		sf_trace_close(t);
	}
}

#define PA(pfn, order) EVENT("a-1", "3.0", "mm_page_alloc: page=ffffea0000000040 pfn=" pfn      \
			     " order=" order " migratetype=0 gfp_flags=GFP_KERNEL")
#define PF(pfn, order) EVENT("a-1", "3.0", "mm_page_free: page=ffffea0000000040 pfn=" pfn      \
			     " order=" order)
#define CN(name) EVENT("a-1", "3.0", "kmem_cache_alloc: call_site=f ptr=ffff880012390000 "    \
		       "name=" name   \
		       " bytes_req=8 bytes_alloc=8 gfp_flags=GFP_KERNEL node=-1")
#define CNF(name) EVENT("a-1", "3.0", "kmem_cache_free: call_site=f ptr=ffff880012390000 "    \
			"name=" name)
#define REST CN("x") CNF("x") PA("2", "0") PF("2", "0") KM("4.0", AT("00ff8"))

/* One sign more than the double free itself, and events are missing: then nothing is proof. */
static void test_gaps(void **state)
{
	static const struct {
		const char *text, *sign; /* NULL: a complete recording may have it */
	} cases[] = {
		{ "", NULL },
		{ PA("20", "0") PA("20", "0"), "1 pages handed out twice" },
		{ PA("20", "2") PA("22", "0"), "1 pages handed out twice" },
		{ PA("768", "0") PF("768", "0") KM("3.0", "ffff880000300000"),
		  "1 objects on pages given back" },
		{ PA("768", "0") KM("3.0", "ffff880000300000") KF("3.0", "ffff880000300008"),
		  "1 frees of what was never allocated" },
		{ KM("3.0", AT("00100")) KF("3.0", AT("00100"))
		  EVENT("a-1", "3.0", "kfree: call_site=g ptr=" AT("00100")),
		  "2 places that free what is free" },
		{ CN("filp") CNF("filp") CNF("filp"), "1 frees with no allocation" },
		{ CN("filp") CN("filp"), "1 allocations with no free" },
		/* the same mistake again, blocks given back in pieces, bulk, contiguous ranges */
		{ KM("3.0", AT("00100")) KF("3.0", AT("00100")) KF("3.0", AT("00100")), NULL },
		{ PA("20", "1") PF("21", "0") PA("21", "0") PF("20", "0") PF("21", "0"), NULL },
		{ CN("maple_node") CN("maple_node") CNF("maple_node") CNF("maple_node"), NULL },
		{ KM("3.0", AT("00100")) KM("3.0", AT("00100")), NULL },
		{ PA("20", "0") PF("20", "0") PF("20", "0"), NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sf_trace_counts c;
		char *text, title[SF_TITLE_MAX];
		struct sf_trace *t;

		assert_true(asprintf(&text, "%s%s%s", CA("idle-0") CF PAGE TWICE, cases[i].text,
				     REST) > 0);
		t = open_text(text);
		judge(t, &c, title);
		if (!*title != !!cases[i].sign)
			fail_msg("%zu: '%s'", i, title);
		assert_int_equal(remarked(t, "events are missing though nothing says so"),
				 cases[i].sign != NULL);
		if (cases[i].sign && !remarked(t, cases[i].sign))
			fail_msg("%zu: no remark has '%s'", i, cases[i].sign);
		sf_trace_close(t);
		free(text);
	}
}

/* ---- nothing to be said ---- */

static void no_content(const char *text, const char *want)
{
	struct sf_trace *t = open_text(text);
	struct sf_error err = { "" };

	assert_null(sf_trace_scan(t, &err));
	if (!strstr(err.text, want))
		fail_msg("'%s' lacks '%s'", err.text, want);
	assert_null(strchr(err.text, '\n'));
	sf_trace_close(t);
}

#define CUT "  a-1 [000] .....  1.0: kmalloc: call_site=f ptr=ffff88001238\n"

static void test_nothing(void **state)
{
	char *many = NULL;
	size_t len;
	FILE *f = open_memstream(&many, &len);

	(void)state;
	no_content("# tracer: nop\n",
		   "0 memory events in 1 lines: enable events/kmem; seen: no others");
	no_content(EVENT("a-1", "1.0", "sched_switch: x") EVENT("a-1", "1.0", "sched_wakeup: x")
		   EVENT("a-1", "1.0", "sched_switch: x"),
		   "0 memory events in 3 lines: enable events/kmem; seen: sched_switch 2, "
		   "sched_wakeup 1");
	no_content(KF("1.0", AT("00000"))
		   EVENT("a-1", "1.0", "mm_page_free: page=1111222233334444 pfn=1 order=0"),
		   "no allocation among 2 memory events");
	/* what cannot be read is no allocation: lines cut at a column, torn ones */
	no_content(KF("1.0", AT("00000")) CUT CUT CUT,
		   "memory:2: no allocation among 1 memory events read, and 3 that cannot be; "
		   "3 end at column 61: lines were cut there");
	no_content(CUT CUT CUT, "none of 3 memory events can be read; 3 end at column 61");
	no_content(KF("1.0", AT("00000")) CUT, "among 1 memory events read, and 1 that cannot be");
	/* crumbs among others */
	assert_non_null(f);
	fputs(KM("1.0", AT("00000")), f);
	for (int i = 0; i < 1000; i++)
		fputs(EVENT("a-1", "1.0", "sched_switch: x"), f);
	fclose(f);
	no_content(many,
		   "1 memory events in 1001 lines: enable events/kmem; seen: sched_switch 1000");
	free(many);
}

/* ---- several files ---- */

static void test_merge(void **state)
{
	char a[] = "/tmp/slabfuzz-a-XXXXXX", b[] = "/tmp/slabfuzz-b-XXXXXX";
	const char *paths[] = { a, b };
	struct sf_error err = { "" };
	struct sf_trace_record rec;
	struct sf_trace_counts c, again;
	char title[SF_TITLE_MAX];
	uint64_t last = 0, n = 0;
	struct sf_trace *t;
	int code = 0;

	(void)state;
	close(mkstemp(a));
	close(mkstemp(b));
	write_file(a, "# entries-in-buffer/entries-written: 3/4   #P:2\n" KM("1.0", AT("00000"))
		   KM("3.0", AT("00040")) KF("5.0", AT("00080")));
	write_file(b, "CPU:1 [LOST 3 EVENTS]\n" KF("2.0", AT("00000")) KM("4.0", AT("00080"))
		   "  a-1 [000] ..... 6.0: kfree: call_site=f\n");
	t = sf_trace_open_files(paths, 2, &err, &code);
	assert_non_null(t);
	while (sf_trace_read(t, &rec, &err) > 0) {
		assert_true(rec.time_ns > last);
		last = rec.time_ns;
		assert_int_equal(rec.line, ++n);
	}
	assert_int_equal(n, 5);
	assert_int_equal(sf_trace_rewind(t, &err), 0);
	judge(t, &c, title);
	assert_string_equal(title, "");
	assert_int_equal(c.kmalloc, 3);
	assert_int_equal(c.kfree, 2);
	assert_int_equal(c.lost, 3);
	assert_int_equal(c.overwritten, 1);
	assert_int_equal(c.cut_off, 1);
	assert_true(remarked(t, b));
	assert_true(remarked(t, ": line 4: kfree event without ptr"));
	judge(t, &again, title);
	assert_memory_equal(&c, &again, sizeof(c));
	assert_int_equal(c.backwards, 0);
	sf_trace_close(t);
	/* the same events in two files: once; not those of one file, which a kernel may repeat */
	write_file(a, KM("1.0", AT("00000")) KM("3.0", AT("00040")) KM("3.0", AT("00040")));
	write_file(b, KM("3.0", AT("00040")) KM("4.0", AT("00080")));
	t = sf_trace_open_files(paths, 2, &err, &code);
	assert_non_null(t);
	judge(t, &c, title);
	assert_int_equal(c.kmalloc, 4);
	assert_int_equal(c.duplicates, 1);
	assert_true(remarked(t, "too, since 3.000000: taken once"));
	sf_trace_close(t);
	/* the same as one file, put together by cat */
	write_file(b, KM("2.0", AT("00000")) KM("1.0", AT("00040")) KF("5.0", AT("00080")));
	t = sf_trace_open(b, &err, &code);
	assert_non_null(t);
	judge(t, &c, title);
	assert_int_equal(c.backwards, 1);
	assert_true(remarked(t, "times go backwards"));
	sf_trace_close(t);
	unlink(b);
	assert_null(sf_trace_open_files(paths, 2, &err, &code));
	assert_int_equal(code, 2);
	assert_non_null(strstr(err.text, b));
	unlink(a);
}

/* ---- files of other kinds ---- */

static void test_foreign(void **state)
{
	static const struct {
		const char *text, *what;
	} cases[] = {
		{ "slabinfo - version: 2.1\n", "/proc/slabinfo" },
		{ "Node 0, zone   Normal   1   2   3\n", "buddyinfo" },
		{ "[  1.0] bash invoked oom-killer: gfp_mask=0xcc0\n[  1.1] Mem-Info:\n",
		  "the report of an OOM kill" },
		{ "[  1.0] a: page allocation failure: order:4, mode:0x40cc0\n",
		  "a failed page allocation" },
		{ "PERFILE2........", "perf script -i" },
		{ "  1.5%  (f+0x1) call_site=f ptr=0x1 bytes_req=8 bytes_alloc=8\n",
		  "output of perf report" },
		{ "> a-1 [000] ..... 1.0: kfree: call_site=3Df ptr=3D00\n", "quoted-printable" },
		{ "unreferenced object 0xffff8881 (size 64):\n", "kmemleak" },
		{ "{\n\t\"linux-perf-json-version\": 1\n}\n", "JSON" },
		{ " [\n  {\"event\": 1}\n]\n", "JSON" },
		{ "time,event,ptr\n1.0,kmalloc,0xffff\n", "comma-separated" },
		{ "# event histogram\n#\n{ call_site: 18 } hitcount: 1\n", "a hist trigger" },
		{ "Attaching 2 probes...\n@[alloc]: 1\n", "bpftrace" },
		{ "@bytes: \n[8, 16)   3 |@@@   |\n", "bpftrace" },
		{ "BZh91AY&SY", "bunzip2" },
		{ "PK\x03\x04........", "zip" },
		{ "\xff\xfe.", "iconv" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sf_error err = { "" };
		const char *what;
		struct sf_trace *t;
		int code = 0;

		what = sf_trace_foreign((const uint8_t *)cases[i].text, strlen(cases[i].text));
		if (!what || !strstr(what, cases[i].what))
			fail_msg("%zu: '%s' lacks '%s'", i, what ? what : "", cases[i].what);
		/* a log is read to its end, for a dump may follow */
		t = sf_trace_open_memory(cases[i].text, strlen(cases[i].text), &err, &code);
		assert_int_equal(t != NULL, cases[i].text[0] == '[');
		assert_int_equal(code, 2);
		if (t)
			assert_null(sf_trace_scan(t, &err));
		sf_trace_close(t);
		assert_non_null(strstr(err.text, cases[i].what));
	}
	assert_null(sf_trace_foreign((const uint8_t *)"r0 = kmalloc(64, GFP_KERNEL)\n", 29));
	assert_null(sf_trace_foreign((const uint8_t *)"", 0));
	/* nor is a program a recording for what it says of kernels */
	assert_false(sf_trace_probe((const uint8_t *)"check # as in the kernel: 1\n", 28));
	assert_false(sf_trace_probe((const uint8_t *)"# the kernel: kfree: ptr=0\n", 27));
	assert_false(sf_trace_probe((const uint8_t *)"kfree(r0) # kfree: ptr=00000000a1b2c3d4\n",
				    40));
	assert_true(sf_trace_probe((const uint8_t *)"Nov 29 08:00:00 host kernel: usb\n", 33));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_same_fields),
		cmocka_unit_test(test_last_line),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_gfp),
		cmocka_unit_test(test_kernels),
		cmocka_unit_test(test_hints),
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
