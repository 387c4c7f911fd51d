// SPDX-License-Identifier: MIT
/*
 * test_trace.c - recordings: the readers, the rules of the importer, what comes out, and broken
 * input.
 *
 * Small recordings written here show one rule each, with the exact counts. The excerpts in
 * corpora/traces/ are always tested; whole recordings too, if SLABFUZZ_TRACES names a folder with
 * some.
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
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../harness/exec/exec.h"
#include "../harness/program/program.h"
#include "../harness/trace/trace.h"
#include "../oracles/oracle.h"
#include "text_trace.h"

/* One line of each format. `F`: ftrace, hashed pointers. `P`: perf script, real ones. */
#define F_TASK(task, cpu, what) "  " task "   [00" cpu "] .....   1.000001: " what "\n"
#define F(what) F_TASK("bash-100", "0", what)
#define P_TASK(task, cpu, what) "  " task " [00" cpu "]   1.000001:   kmem:" what "\n"
#define P(what) P_TASK("bash 100", "0", what)

#define BYTES(req, alloc) " bytes_req=" #req " bytes_alloc=" #alloc
#define TAIL(gfp) " gfp_flags=" gfp " node=-1 accounted=false"
#define KMALLOC_GFP(ptr, req, alloc, gfp) \
	"kmalloc: call_site=foo+0x10/0x20 ptr=" ptr BYTES(req, alloc) TAIL(gfp)
#define KMALLOC(ptr, req, alloc) KMALLOC_GFP(ptr, req, alloc, "GFP_KERNEL")
#define KFREE(ptr) "kfree: call_site=bar+0x1/0x2 ptr=" ptr
#define CALLOC(name, ptr, req, alloc)                                              \
	"kmem_cache_alloc: call_site=baz+0x3/0x9 ptr=" ptr " name=" name BYTES(req, alloc) \
	TAIL("GFP_KERNEL")
#define CFREE(name, ptr) "kmem_cache_free: call_site=qux+0x4/0x8 ptr=" ptr " name=" name
#define PAGES(pfn, order, gfp)                                                            \
	"mm_page_alloc: page=00000000aabbccdd pfn=" pfn " order=" #order                  \
	" migratetype=0 gfp_flags=" gfp
#define PFREE(pfn, order) "mm_page_free: page=00000000aabbccdd pfn=" pfn " order=" #order
#define SLAB_GFP "GFP_KERNEL|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP"

#define A "00000000aaaa0a01"
#define B "00000000aaaa0b01"
#define RA "0xffff888100001000"
#define RB "0xffff888100001040"

struct digest {
	uint64_t ops, hash, stop_at;
	uint64_t by_code[SF_CODE_MAX + 1];
};

static void mix(uint64_t *h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		*h = (*h ^ p[i]) * 0x100000001b3ull;
}

static bool take_op(void *ctx, const struct sf_op *op, const char *strings,
		    const struct sf_trace_record *rec)
{
	struct digest *d = ctx;

	d->ops++;
	d->by_code[op->code]++;
	mix(&d->hash, op, sizeof(*op));
	if (op->name)
		mix(&d->hash, strings + op->name, strlen(strings + op->name));
	if (rec)
		mix(&d->hash, &rec->line, sizeof(rec->line));
	return d->ops != d->stop_at;
}

static struct sf_trace *open_file(const char *path)
{
	struct sf_error err = { "" };
	struct sf_trace *t;
	int code = 0;

	t = sf_trace_open(path, &err, &code);
	if (!t)
		fail_msg("%s", err.text);
	return t;
}

static void check_sums(const struct sf_trace_counts *c)
{
	assert_int_equal(c->kfree + c->cache_free,
			 c->paired + c->free_null + c->free_unborn + c->free_no_ptr);
	assert_int_equal(c->kmalloc + c->cache_alloc,
			 c->failed + c->paired + c->implied_free + c->alive + c->alloc_no_ptr);
	assert_int_equal(c->page_free, c->page_paired + c->page_mismatch + c->page_unborn +
					       c->page_echo + c->page_free_no_frame);
	assert_int_equal(c->events, c->kmalloc + c->kfree + c->cache_alloc + c->cache_free +
					    c->page_alloc + c->page_free);
	assert_int_equal(c->odd_caches, 0);
}

/* Both passes; the counts and what came out. */
static struct digest import(struct sf_trace *t, bool unique, struct sf_trace_counts *c)
{
	struct sf_error err = { "" };
	struct digest d = { .hash = 1 };
	struct sf_import_options opt = { .unique_results = unique, .op = take_op, .ctx = &d };
	struct sf_trace_scan *s;

	assert_int_equal(sf_trace_rewind(t, &err), 0);
	s = sf_trace_scan(t, &err);
	if (!s)
		fail_msg("%s", err.text);
	if (sf_trace_import(t, s, &opt, c, &err))
		fail_msg("%s", err.text);
	sf_trace_scan_free(s);
	assert_int_equal(c->ops, d.ops);
	return d;
}

static struct digest counted(const char *text, struct sf_trace_counts *c)
{
	struct sf_trace *t = open_text(text);
	struct digest d = import(t, false, c);

	check_sums(c);
	sf_trace_close(t);
	return d;
}

/* ---- readers ---- */

static void read_one(const char *text, struct sf_trace **t, struct sf_trace_record *rec)
{
	struct sf_error err = { "" };

	*t = open_text(text);
	if (sf_trace_read(*t, rec, &err) != 1)
		fail_msg("no record: %s", err.text);
}

static void test_formats(void **state)
{
	static const struct {
		const char *format, *text;
	} cases[] = {
		{ "ftrace", "# tracer: nop\n#\n" F(KFREE(A)) },
		{ "ftrace", "  a b-c-100   (  77) [003] d.h1.   1.000001: " KFREE(A) "\n" },
		{ "trace-cmd report", "cpus=2\n  bash-100 [003]   1.000001: " KFREE(A) "\n" },
		{ "trace-cmd report", "  bash-100 [003]   1.000001: " KFREE(A) "\n" },
		{ "perf script", "  a b-c 100/100 [003]   1.000001:   kmem:" KFREE(A) "\n" },
		{ "perf script", "  bash 100 [003]   1.000001:   1 kmem:" KFREE(A) "\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sf_trace_record rec;
		struct sf_trace *t;

		assert_true(sf_trace_probe((const uint8_t *)cases[i].text, strlen(cases[i].text)));
		read_one(cases[i].text, &t, &rec);
		assert_string_equal(sf_trace_format(t), cases[i].format);
		assert_int_equal(rec.kind, SF_TRACE_KFREE);
		assert_int_equal(rec.pid, 100);
		assert_int_equal(rec.ptr, 0xaaaa0a01);
		assert_int_equal(rec.time_ns, 1000001000);
		assert_string_equal(rec.site, "bar+0x1");
		assert_int_equal(rec.cpu, i == 0 ? 0 : 3);
		if (strstr(cases[i].text, "a b-c"))
			assert_string_equal(rec.comm, "a b-c");
		sf_trace_close(t);
	}
	assert_false(sf_trace_probe((const uint8_t *)"r0 = kmalloc(64, GFP_KERNEL)\n", 29));
	assert_false(sf_trace_probe((const uint8_t *)"", 0));
}

static void test_fields(void **state)
{
	struct sf_trace_record rec;
	struct sf_trace *t;

	(void)state;
	read_one(F("kmalloc_node: node=0 accounted=true gfp_flags=GFP_ATOMIC|__GFP_ZERO new=1 "
		   "bytes_alloc=512 bytes_req=312 ptr=" A " call_site=f+0x1/0x2 [ext4]"), &t, &rec);
	assert_int_equal(rec.kind, SF_TRACE_KMALLOC);
	assert_true(rec.accounted);
	assert_int_equal(rec.gfp, SF_GFP_ATOMIC | SF_GFP_ZERO);
	assert_int_equal(rec.bytes_alloc, 512);
	assert_int_equal(rec.bytes_req, 312);
	assert_string_equal(rec.site, "f+0x1");
	assert_true(sf_trace_hashed(t));
	sf_trace_close(t);

	read_one(P("kmem_cache_alloc: call_site=f+0x1 ptr=" RA " name=a cache of spaces"
		   " bytes_req=8 bytes_alloc=8 gfp_flags=GFP_DMA|0x400 node=-1"), &t, &rec);
	assert_int_equal(rec.kind, SF_TRACE_CACHE_ALLOC);
	assert_string_equal(rec.cache, "a cache of spaces");
	assert_int_equal(rec.gfp, SF_GFP_DMA | SF_GFP_DIRECT_RECLAIM);
	assert_int_equal(rec.ptr, 0xffff888100001000);
	assert_false(sf_trace_hashed(t));
	sf_trace_close(t);

	read_one(F(PAGES("0x1f", 3, "none")), &t, &rec);
	assert_int_equal(rec.kind, SF_TRACE_PAGE_ALLOC);
	assert_int_equal(rec.pfn, 0x1f);
	assert_int_equal(rec.order, 3);
	assert_int_equal(rec.gfp, 0);
	sf_trace_close(t);
}

static void test_notes(void **state)
{
	struct sf_trace_counts c;

	(void)state;
	counted("# tracer: nop\n# entries-in-buffer/entries-written: 1/1   #P:2\n"
		F(KFREE("0000000000000000")) "CPU:1 [LOST 12 EVENTS]\n"
		"CPU:0 [3 EVENTS DROPPED]\nPERF_RECORD_LOST lost 7\n"
		"  bash-100 [000] ..... 1.0: sched_switch: prev=1\n"
		F("mm_page_pcpu_drain: page=00000000aabbccdd pfn=0x1 order=0 migratetype=0")
		F(PAGES("0x1", 0, "GFP_KERNEL|__GFP_ZEROTAGS|__GFP_NEW|0x80000000")), &c);
	assert_int_equal(c.events, 2);
	assert_int_equal(c.lost, 22);
	assert_int_equal(c.foreign_lines, 7);
	assert_int_equal(c.other_events, 2);
	assert_int_equal(c.unknown_gfp, 2);
	assert_int_equal(c.free_null, 1);
}

/* ---- rules ---- */

static void test_rule_frees(void **state)
{
	struct sf_trace_counts c;
	struct digest d;

	(void)state;
	d = counted(F(KFREE(B)) F(KMALLOC(A, 60, 64)) F(KFREE(A)) F(KFREE("0000000000000000"))
		    F(KMALLOC(A, 60, 64)) F(CFREE("x", B)), &c);
	assert_int_equal(c.paired, 1);
	assert_int_equal(c.free_unborn, 2);
	assert_int_equal(c.free_null, 1);
	assert_int_equal(c.alive, 1);
	assert_int_equal(c.peak_bytes, 64);
	assert_int_equal(d.by_code[SF_OP_KMALLOC], 2);
	assert_int_equal(d.by_code[SF_OP_KFREE], 1);
	assert_int_equal(d.by_code[SF_OP_SITE], 1);
	assert_int_equal(d.ops, 4);
	/* all three ways to print NULL, and ZERO_SIZE_PTR as it is */
	counted(P(KFREE("(nil)")) P(KFREE("(null)")) P(KFREE("0x0")) P(KFREE("0x10"))
		P(KFREE("          (null)")) P(KMALLOC(RA, 60, 64)), &c);
	assert_int_equal(c.free_null, 5);
}

static void test_rule_implied(void **state)
{
	struct sf_trace_counts c;
	struct digest d;

	(void)state;
	d = counted(F(CALLOC("maple_node", A, 256, 256)) F(CALLOC("maple_node", A, 256, 256)), &c);
	assert_int_equal(c.implied_free, 1);
	assert_int_equal(c.hash_collision, 0);
	assert_int_equal(c.alive, 1);
	assert_int_equal(d.by_code[SF_OP_CACHE_FREE], 1);
	/* real pointers: another cache is another slab at that address */
	counted(P(CALLOC("x", RA, 64, 64)) P(CALLOC("y", RA, 64, 64)), &c);
	assert_int_equal(c.implied_free, 1);
	assert_int_equal(c.hash_collision, 0);
}

static void test_rule_collision(void **state)
{
	struct sf_trace_counts c;

	(void)state;
	/* two of one hash: each free finds its own */
	counted(F(CALLOC("x", A, 64, 64)) F(CALLOC("y", A, 32, 32)) F(CFREE("x", A))
		F(CFREE("y", A)), &c);
	assert_int_equal(c.hash_collision, 1);
	assert_int_equal(c.paired, 2);
	assert_int_equal(c.implied_free, 0);
	/* the free of one that was born before: the other stays */
	counted(F(CALLOC("x", A, 64, 64)) F(CFREE("y", A)) F(CFREE("x", A)), &c);
	assert_int_equal(c.hash_collision, 1);
	assert_int_equal(c.free_unborn, 1);
	assert_int_equal(c.paired, 1);
	/* no more than a few under one hash */
	counted(F(CALLOC("a", A, 8, 8)) F(CALLOC("b", A, 8, 8)) F(CALLOC("c", A, 8, 8))
		F(CALLOC("d", A, 8, 8)) F(CALLOC("e", A, 8, 8)), &c);
	assert_int_equal(c.implied_free, 1);
	assert_int_equal(c.alive, 4);
}

static void test_rule_caches(void **state)
{
	struct sf_trace_counts c;
	struct digest d;

	(void)state;
	d = counted(P(CALLOC("skb", RA, 576, 576)) P(KFREE(RA)), &c);
	assert_int_equal(c.kfree_of_named, 1);
	assert_int_equal(c.paired, 1);
	assert_int_equal(d.by_code[SF_OP_KFREE], 1);
	assert_int_equal(d.by_code[SF_OP_CACHE_FREE], 0);
	counted(P(CALLOC("x", RA, 64, 64)) P(CFREE("y", RA)), &c);
	assert_int_equal(c.wrong_cache, 1);
	assert_int_equal(c.paired, 1);
	/* one name, two strides: two caches */
	d = counted(P(CALLOC("x", RA, 64, 64)) P(CALLOC("x", RB, 60, 128)), &c);
	assert_int_equal(c.caches, 2);
	assert_int_equal(d.by_code[SF_OP_CACHE_CREATE], 2);
}

static void test_rule_pages(void **state)
{
	struct sf_trace_counts c;
	struct digest d;

	(void)state;
	d = counted(F(PAGES("0x10", 2, "GFP_KERNEL")) F(PFREE("0x10", 2)) F(PFREE("0x40", 0))
		    F(PAGES("0x80", 0, "GFP_KERNEL")) F(PAGES("0x80", 0, "GFP_KERNEL")), &c);
	assert_int_equal(c.page_paired, 1);
	assert_int_equal(c.page_unborn, 1);
	assert_int_equal(c.page_implied, 1);
	assert_int_equal(c.page_alive, 1);
	assert_int_equal(d.by_code[SF_OP_ALLOC_PAGES], 3);
	assert_int_equal(d.by_code[SF_OP_FREE_PAGES], 2);
	/* given back in pieces: gone when all of it is */
	d = counted(F(PAGES("0x10", 1, "GFP_KERNEL")) F(PFREE("0x11", 0)), &c);
	assert_int_equal(c.page_mismatch, 1);
	assert_int_equal(c.page_alive, 1);
	assert_int_equal(d.by_code[SF_OP_FREE_PAGES], 0);
	d = counted(F(PAGES("0x10", 1, "GFP_KERNEL")) F(PFREE("0x11", 0)) F(PFREE("0x10", 0)), &c);
	assert_int_equal(c.page_mismatch, 2);
	assert_int_equal(c.page_alive, 0);
	assert_int_equal(d.by_code[SF_OP_FREE_PAGES], 1);
	/* a larger block over smaller ones */
	counted(F(PAGES("0x11", 0, "GFP_KERNEL")) F(PAGES("0x12", 0, "GFP_KERNEL"))
		F(PAGES("0x10", 2, "GFP_KERNEL")), &c);
	assert_int_equal(c.page_implied, 2);
	counted("  bash-100 [000] ..... 1.0: mm_page_alloc: page=0000000000000000 "
		"pfn=0xffffffffffffffff order=9 migratetype=0 gfp_flags=GFP_NOWAIT\n", &c);
	assert_int_equal(c.page_failed, 1);
}

static void test_rule_backing(void **state)
{
	struct sf_trace_counts c;
	struct digest d;

	(void)state;
	/* hashed: by shape and the next event of that task on that CPU */
	d = counted(F(PAGES("0x10", 0, SLAB_GFP)) F_TASK("other-7", "1", KFREE(B))
		    F(KMALLOC(A, 60, 64)) F(PFREE("0x10", 0)), &c);
	assert_int_equal(c.slab_pages, 1);
	assert_int_equal(c.page_paired, 1);
	assert_int_equal(d.by_code[SF_OP_ALLOC_PAGES], 0);
	assert_int_equal(d.by_code[SF_OP_FREE_PAGES], 0);
	counted(F(PAGES("0x10", 0, SLAB_GFP)) F(KFREE(B)) F(KMALLOC(A, 60, 64)), &c);
	assert_int_equal(c.slab_pages, 0);
	/* a slab of a charged cache: its extension comes first, from a slab of its own */
	counted(F(PAGES("0x10", 0, SLAB_GFP)) F(PAGES("0x11", 0, SLAB_GFP))
		F("kmalloc: call_site=alloc_slab_obj_exts+0x58/0x9 ptr=" B BYTES(128, 128)
		  TAIL("GFP_KERNEL")) F(CALLOC("x", A, 64, 64)), &c);
	assert_int_equal(c.slab_pages, 2);
	/* page fragments of the network look alike */
	counted(F(PAGES("0x10", 3, "GFP_NOWAIT|__GFP_IO|__GFP_FS|__GFP_NORETRY|__GFP_COMP"))
		F(KMALLOC(A, 60, 64)), &c);
	assert_int_equal(c.slab_pages, 0);
	/* page cache does not */
	counted(F(PAGES("0x10", 0, SLAB_GFP "|__GFP_MOVABLE")) F(KMALLOC(A, 60, 64)), &c);
	assert_int_equal(c.slab_pages, 0);
	/* large kmalloc is its own block */
	d = counted(F(PAGES("0x10", 2, "GFP_KERNEL|__GFP_COMP")) F(KMALLOC(A, 9000, 16384))
		    F(KFREE(A)) F(PFREE("0x10", 2)), &c);
	assert_int_equal(c.slab_pages, 1);
	assert_int_equal(d.by_code[SF_OP_ALLOC_PAGES], 0);
	assert_int_equal(d.by_code[SF_OP_KMALLOC], 1);
	counted(F(PAGES("0x10", 3, "GFP_KERNEL|__GFP_COMP")) F(KMALLOC(A, 9000, 16384)), &c);
	assert_int_equal(c.slab_pages, 0);
}

/* Two slabs show where the direct map begins; the third block is known by address alone. */
#define BASE_SHOWN                                                      \
	P(PAGES("0x100010", 0, SLAB_GFP))                               \
	P(KMALLOC("0xffff888100010000", 60, 64))                        \
	P(PAGES("0x100011", 0, SLAB_GFP))                               \
	P(KMALLOC("0xffff888100011000", 60, 64))

static void test_rule_addresses(void **state)
{
	struct sf_trace_counts c;

	(void)state;
	counted(BASE_SHOWN P(PAGES("0x100020", 1, "GFP_KERNEL")) P(KFREE("(nil)"))
		P(KMALLOC("0xffff888100021040", 60, 64)), &c);
	assert_int_equal(c.slab_pages, 3);
	/* the shape alone no longer counts */
	counted(BASE_SHOWN P(PAGES("0x100020", 0, SLAB_GFP))
		P(KMALLOC("0xffff888100010040", 60, 64)), &c);
	assert_int_equal(c.slab_pages, 2);
	/* a slab that is given back takes what was freed in bulk with it */
	counted(BASE_SHOWN P(PFREE("0x100011", 0)), &c);
	assert_int_equal(c.implied_free, 1);
	assert_int_equal(c.alive, 1);
	assert_int_equal(c.page_paired, 1);
}

static void test_rule_owner(void **state)
{
	static const char dentry[] = F("kmem_cache_alloc: call_site=__d_alloc+0x2d/0x230 ptr=" A
				       " name=dentry" BYTES(192, 192) TAIL("GFP_KERNEL"));
	static const char name[] =
		F("kmalloc: call_site=__d_alloc+0x80/0x230 ptr=" B BYTES(100, 128)
		  TAIL("GFP_KERNEL_ACCOUNT|__GFP_RECLAIMABLE"));
	struct sf_trace_counts c;
	struct digest d;
	char text[2048];

	(void)state;
	snprintf(text, sizeof(text), "%s" F_TASK("other-7", "1", KFREE("00000000aaaa0c01")) "%s",
		 dentry, name);
	d = counted(text, &c);
	assert_int_equal(c.owners, 1);
	assert_int_equal(d.by_code[SF_OP_OWNS], 1);
	snprintf(text, sizeof(text), "%s%s%s", dentry, F(CFREE("dentry", A)), name);
	counted(text, &c);
	assert_int_equal(c.owners, 0);
	counted(name, &c);
	assert_int_equal(c.owners, 0);
}

static void test_rule_failed(void **state)
{
	struct sf_trace_counts c;
	struct digest d;

	(void)state;
	d = counted(F(KMALLOC("0000000000000000", 18446744073709551615, 0))
		    F(KMALLOC(A, 60, 64)), &c);
	assert_int_equal(c.failed, 1);
	assert_int_equal(d.by_code[SF_OP_KMALLOC], 1);
}

/* ---- operations ---- */

static char *to_text(struct sf_trace *t, size_t *len)
{
	struct sf_error err = { "" };
	struct sf_trace_counts c;
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	assert_non_null(f);
	if (sf_trace_import_text(t, NULL, f, &c, &err))
		fail_msg("%s", err.text);
	fclose(f);
	return text;
}

static void test_text(void **state)
{
	static const char want[] =
		"heap cpus=3\n"
		"c0 = kmem_cache_create(\"filp\", 184, 16, SLAB_NO_MERGE|SLAB_ACCOUNT)\n"
		"c1 = kmem_cache_create(\"anon_vma\", 96, 8, SLAB_NO_MERGE|SLAB_CTOR)\n"
		"c2 = kmem_cache_create(\"TCP\", 2304, 64, SLAB_NO_MERGE|SLAB_CTOR)\n"
		"site(1, \"baz+0x3\")\n"
		"r0 = kmem_cache_alloc(c0, GFP_KERNEL, site=1)\n"
		"r1 = kmem_cache_alloc(c1, GFP_KERNEL, site=1)\n"
		"r2 = kmem_cache_alloc(c2, GFP_KERNEL, site=1)\n"
		"cpu(2)\n"
		"site(2, \"foo+0x10\")\n"
		"r3 = kmalloc(200, GFP_KERNEL_ACCOUNT|__GFP_RECLAIMABLE, site=2)\n"
		"cpu(0)\n"
		"kmem_cache_free(c1, r1)\n"
		"r4 = kmem_cache_alloc(c1, GFP_KERNEL, site=1)\n"
		"kfree(r0)\n"
		"r5 = alloc_pages(GFP_HIGHUSER_MOVABLE|__GFP_COMP, 3)\n"
		"__free_pages(r5)\n"
		"kfree(r3)\n";
	struct sf_trace *t = open_text(
		F("kmem_cache_alloc: call_site=baz+0x3/0x9 ptr=" A " name=filp" BYTES(184, 192)
		  " gfp_flags=GFP_KERNEL node=-1 accounted=true")
		F(CALLOC("anon_vma", B, 96, 104)) F(CALLOC("TCP", "00000000aaaa0c01", 2304, 2368))
		F_TASK("x-1", "2", KMALLOC_GFP("00000000aaaa0d01", 200, 256,
					       "GFP_KERNEL_ACCOUNT|__GFP_RECLAIMABLE"))
		F(CALLOC("anon_vma", B, 96, 104)) F(KFREE(A))
		F(PAGES("0x18", 3, "GFP_HIGHUSER_MOVABLE|__GFP_COMP")) F(PFREE("0x18", 3))
		F(KFREE("00000000aaaa0d01")));
	size_t len = 0;
	char *text = to_text(t, &len);

	(void)state;
	assert_string_equal(text, want);
	free(text);
	sf_trace_close(t);
}

/* What is written is canonical: the parser takes it, and writes it again byte for byte. */
static void canonical(struct sf_trace *t)
{
	struct sf_text_error where = { .line = 0 };
	size_t len = 0, again_len = 0;
	char *text = to_text(t, &len), *again = NULL;
	FILE *f = open_memstream(&again, &again_len);
	struct sf_prog p;

	assert_non_null(f);
	sf_prog_init(&p);
	if (sf_text_parse(&p, text, len, &where))
		fail_msg("%u:%u: %s", where.line, where.col, where.text);
	sf_text_write(&p, f);
	fclose(f);
	assert_int_equal(len, again_len);
	assert_memory_equal(text, again, len);
	sf_prog_free(&p);
	free(text);
	free(again);
}

static void test_recycle(void **state)
{
	struct sf_trace_counts c;
	struct digest few, many, again;
	struct sf_trace *t = open_text(F(KMALLOC(A, 60, 64)) F(KFREE(A)) F(KMALLOC(B, 60, 64))
				       F(KFREE(B)));

	(void)state;
	few = import(t, false, &c);
	many = import(t, true, &c);
	again = import(t, false, &c);
	assert_int_equal(few.hash, again.hash);
	assert_int_not_equal(few.hash, many.hash);
	assert_int_equal(few.ops, many.ops);
	sf_trace_close(t);
}

static void test_stop(void **state)
{
	struct digest d = { .hash = 1, .stop_at = 2 };
	struct sf_import_options opt = { .op = take_op, .ctx = &d };
	struct sf_trace *t = open_text(F(KMALLOC(A, 60, 64)) F(KFREE(A)) F(KMALLOC(A, 60, 64)));
	struct sf_error err = { "" };
	struct sf_trace_scan *s = sf_trace_scan(t, &err);

	(void)state;
	assert_non_null(s);
	assert_int_equal(sf_trace_import(t, s, &opt, NULL, &err), 1);
	assert_int_equal(d.ops, 2);
	sf_trace_scan_free(s);
	sf_trace_close(t);
}

/* ---- judge ---- */

struct verdict {
	unsigned int violations;
	char title[SF_TITLE_MAX];
	uint32_t op;
};

static void take_violation(void *ctx, const struct sf_violation *v)
{
	struct verdict *w = ctx;

	if (!w->violations++) {
		snprintf(w->title, sizeof(w->title), "%s", v->title);
		w->op = v->op;
	}
}

static struct verdict judge(struct sf_trace *t, struct sf_oracle_count *counts,
			    struct sf_trace_counts *c)
{
	struct verdict w = { 0 };
	struct sf_judge_options opt = { .violation = take_violation, .ctx = &w };
	struct sf_judge *j = sf_judge_create(&opt);
	struct sf_error err = { "" };

	if (sf_trace_judge(t, sf_judge_event, j, c, &err))
		fail_msg("%s", err.text);
	if (counts)
		memcpy(counts, sf_judge_counts(j), SF_INV_COUNT * sizeof(*counts));
	sf_judge_destroy(j);
	return w;
}

/*
 * What shows that a recording has everything in it: all kinds of events, of the idle task, too; and
 * that its kernel is a plain one, with objects of 8 bytes, aligned as they should be.
 */
#define EIGHT P(KMALLOC("0xffff888100e00000", 8, 8)) P(KFREE("0xffff888100e00000"))
#define EVIDENCE                                                                        \
	BASE_SHOWN P_TASK("swapper 0", "1", CALLOC("z", "0xffff888100f00000", 64, 64))             \
	P(CFREE("z", "0xffff888100f00000")) P(PAGES("0x500", 0, "GFP_KERNEL"))          \
	P(PFREE("0x500", 0)) EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT
#define EVIDENCE_LINES 24

static void test_judge(void **state)
{
	static const struct {
		const char *title, *text; /* title NULL: clean */
		uint32_t line;
	} cases[] = {
		{ NULL,
		  P(KMALLOC(RA, 60, 64)) P(KMALLOC(RB, 60, 64)) P(KFREE(RA)) P(KFREE(RB)), 0 },
		{ "MEM-1: object of kmalloc-128 overlaps a live object",
		  P(KMALLOC(RB, 60, 64)) P(KMALLOC("0xffff888100001000", 100, 128)), 2 },
		{ "MEM-3: object of kmalloc-64 is not aligned as promised",
		  P(KMALLOC("0xffff888100001008", 60, 64)), 1 },
		/* The class, and with it the usable size. */
		{ "ISO-2: kmalloc-128 is not the smallest class that fits",
		  P(KMALLOC(RA, 60, 128)) P(KMALLOC("0xffff888100001100", 60, 64)), 1 },
		{ "ISO-2: an object of kmalloc-64 is smaller than was asked",
		  P(KMALLOC(RA, 65, 64)), 1 },
		{ "MEM-9: a kmalloc-64 object was freed twice",
		  P(KMALLOC(RA, 60, 64)) P(KFREE(RA)) P(KFREE(RA)) P(KMALLOC(RB, 60, 64)), 3 },
		{ "MEM-10: a x object was freed to y",
		  P(CALLOC("y", RB, 64, 64)) P(CALLOC("x", RA, 64, 64)) P(CFREE("y", RA)), 3 },
		/* what proves nothing */
		{ NULL, F(KMALLOC(A, 60, 64)) F(KFREE(A)) F(KFREE(A)) F(KMALLOC(B, 60, 64)), 0 },
		{ NULL, P(KMALLOC(RA, 60, 64)) P(KFREE(RA)) P(KFREE(RA)), 0 },
		{ NULL, P(CALLOC("x", RA, 64, 64)) P(CFREE("x", RA)) P(CFREE("x", RA))
			P(KMALLOC(RB, 60, 64)), 0 },
		{ NULL, P(KMALLOC(RA, 60, 64)) P(KFREE(RA)) "PERF_RECORD_LOST lost 1\n"
			P(KFREE(RA)) P(KMALLOC(RB, 60, 64)), 0 },
		{ NULL, P(KMALLOC(RB, 60, 64)) "PERF_RECORD_LOST lost 1\n"
			P(KMALLOC("0xffff888100001000", 100, 128)), 0 },
		{ NULL, BASE_SHOWN P(PFREE("0x100011", 0)) P(PAGES("0x100011", 0, SLAB_GFP))
			P(KMALLOC("0xffff888100011000", 1000, 1024)), 0 },
		{ NULL, P(CALLOC("x", RA, 60, 64)) P(CALLOC("x", RA, 60, 64)), 0 },
		{ NULL, P(KFREE("(nil)")) P(KFREE(RA)) P(KMALLOC(RA, 60, 64)), 0 },
		/* KFENCE: at the end of a page; its page is another object's next */
		{ NULL, P(KMALLOC("0xffff888102000fb8", 70, 96))
			P(KFREE("0xffff888102000fb8")), 0 },
		{ NULL, P(CALLOC("odd", "0xffff888102000ff4", 12, 12)), 0 },
		{ NULL, P(KMALLOC("0xffff888102000fa0", 96, 96))
			P(CALLOC("x", "0xffff888102000f40", 192, 192)), 0 },
		{ "MEM-3: object of kmalloc-96 is not aligned as promised",
		  P(KMALLOC("0xffff888102000f48", 70, 96)), 1 },
		{ "MEM-3: object of kmalloc-96 is not aligned as promised",
		  P(KMALLOC("0xffff888102000008", 70, 96)), 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sf_trace_counts c;
		struct sf_trace *t;
		struct verdict w;
		char *text;

		assert_true(asprintf(&text, "%s%s", EVIDENCE, cases[i].text) > 0);
		t = open_text(text);
		w = judge(t, NULL, &c);

		if (cases[i].title)
			assert_string_equal(w.title, cases[i].title);
		else
			assert_string_equal(w.title, "");
		/* A wrong class is a wrong usable size, too: ISO-2, then MEM-17. */
		assert_int_equal(w.violations, (cases[i].title != NULL) +
				 (cases[i].title && !strncmp(cases[i].title, "ISO-2", 5)));
		if (cases[i].title)
			assert_int_equal(w.op, cases[i].line + EVIDENCE_LINES);
		assert_int_equal(c.double_free, cases[i].title && strstr(cases[i].title, "MEM-9"));
		assert_int_equal(c.kfence != 0,
				 !cases[i].title && strstr(cases[i].text, "02000f"));
		sf_trace_close(t);
		free(text);
	}
}

/* ---- broken input ---- */

static void refused_text(const char *text, size_t len, const char *want)
{
	struct sf_error err = { "" };
	struct sf_trace_record rec;
	struct sf_trace *t;
	int code = 0, r = -1;

	t = sf_trace_open_memory(text, len, &err, &code);
	if (t)
		while ((r = sf_trace_read(t, &rec, &err)) > 0)
			;
	else
		assert_int_equal(code, 2);
	assert_int_equal(r, -1);
	assert_string_equal(err.text, want);
	sf_trace_close(t);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "memory: empty: no recording" },
		{ "r0 = kmalloc(64, GFP_KERNEL)\n",
		  "memory: neither ftrace text, trace-cmd report, perf script, trace.dat nor calls "
		  "of malloc" },
		{ "\x17\x08\x44tracing7", "memory: trace.dat with a header that makes no sense" },
		{ "slabinfo - version: 2.1\n",
		  "memory: /proc/slabinfo, a listing of caches: give it beside a recording "
		  "(judge --slabinfo FILE)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused_text(cases[i].text, strlen(cases[i].text), cases[i].want);
}

/* A damaged event costs itself: the next one is read. */
static void test_damaged(void **state)
{
	static const struct {
		const char *text, *why;
		uint64_t cut, torn, bad;
	} cases[] = {
		{ F(PAGES("0x1", 18, "none")), "order=18: no such value", 0, 0, 1 },
		{ F(PAGES("0x10000000001", 0, "none")), "pfn out of range", 0, 0, 1 },
		{ F(PAGES("0x12345678123456789", 0, "none")),
		  "pfn=0x12345678123456789: no such value", 0, 0, 1 },
		{ F(KMALLOC(A, 18446744073709551616, 64)),
		  "bytes_req=18446744073709551616: no such value", 0, 0, 1 },
		{ F(KMALLOC(A, 64, 18446744073709551615)), "bytes_alloc out of range", 0, 0, 1 },
		{ F(KMALLOC(A, -1, 64)), "bytes_req=-1: no such value", 0, 0, 1 },
		{ F(KFREE("1234567812345678f")), "ptr=1234567812345678f: no such value", 1, 0, 0 },
		{ F_TASK("bash-2147483648", "0", KFREE(A)), "process number out of range",
		  0, 0, 1 },
		{ "  b-1 [9999] .....  1.0: " KFREE(A) "\n", "CPU number out of range", 0, 0, 1 },
		{ F("kfree: call_site=x"), "kfree event without ptr", 1, 0, 0 },
		{ F("kmalloc: call_site=x ptr=" A " bytes_re"), "kmalloc event without gfp_flags",
		  1, 0, 0 },
		{ F("kfree: call_site=x ptr=0000000000001"), "ptr=0000000000001: no such value",
		  1, 0, 0 },
		/* torn in the midst of a pointer, of a name, before a field told twice */
		{ "  b-1 [000] .....  1.0: kfree: call_site=x ptr=00000000a1b2 " F(KFREE(A)),
		  "another event begins in the midst of it", 0, 2, 0 },
		{ "  b-1 [000] .....  1.0: kmem_cache_free: call_site=x ptr=" A " name=ab "
		  F(KFREE(A)), "another event begins in the midst of it", 0, 2, 0 },
		{ F(KFREE(A) " ptr=" B), "another event begins in the midst of it", 0, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[1024], want[200];
		struct sf_trace_counts c;
		struct sf_trace *t;

		snprintf(text, sizeof(text), "%s%s%s", F(KMALLOC(B, 60, 64)), cases[i].text,
			 F(KFREE(B)));
		t = open_text(text);
		import(t, false, &c);
		check_sums(&c);
		assert_int_equal(c.events, 2);
		assert_int_equal(c.paired, 1);
		assert_int_equal(c.cut_off, cases[i].cut);
		assert_int_equal(c.torn, cases[i].torn);
		assert_int_equal(c.bad_values, cases[i].bad);
		snprintf(want, sizeof(want), "first damaged event: line 2: %s", cases[i].why);
		assert_string_equal(sf_trace_remark(t, 0), want);
		sf_trace_close(t);
	}
}

static void test_files_refused(void **state)
{
	struct sf_error err = { "" };
	int code = 0;

	(void)state;
	assert_null(sf_trace_open("/nonexistent/x", &err, &code));
	assert_int_equal(code, 2);
	assert_string_equal(err.text, "/nonexistent/x: No such file or directory");
	assert_null(sf_trace_open("/", &err, &code));
	assert_int_equal(code, 2);
	assert_string_equal(err.text, "/: Is a directory");
}

/* Writes to a pipe from a child; returns the reading end's path. */
static pid_t feed(void (*writer)(int fd), char path[32])
{
	int fd[2];
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fd[0]);
		writer(fd[1]);
		_exit(0);
	}
	close(fd[1]);
	snprintf(path, 32, "/dev/fd/%d", fd[0]);
	return pid;
}

static void unfeed(pid_t pid, const char *path)
{
	int status;

	close(atoi(path + 8));
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void put_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void write_long_line(int fd)
{
	static char line[1 << 20];

	signal(SIGPIPE, SIG_DFL);
	put_all(fd, F(KFREE(A)), strlen(F(KFREE(A))));
	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 1024; i++)
		put_all(fd, line, sizeof(line));
}

static void test_gigabyte_line(void **state)
{
	struct sf_error err = { "" };
	struct sf_trace_record rec;
	char path[32], want[100];
	pid_t pid = feed(write_long_line, path);
	struct sf_trace *t = open_file(path);

	(void)state;
	assert_int_equal(sf_trace_read(t, &rec, &err), 1);
	assert_int_equal(sf_trace_read(t, &rec, &err), -1);
	snprintf(want, sizeof(want), "%s:2: a line of more than 65536 bytes: no recording", path);
	assert_string_equal(err.text, want);
	sf_trace_close(t);
	unfeed(pid, path);
}

static void write_some(int fd)
{
	for (int i = 0; i < 3000; i++) {
		char line[400];
		int n = snprintf(line, sizeof(line), F("kmalloc: call_site=f+0x1/0x2 "
				 "ptr=%016x bytes_req=60 bytes_alloc=64 gfp_flags=GFP_KERNEL"),
				 i + 0x2000);

		put_all(fd, line, (size_t)n);
	}
}

static void test_pipe_twice(void **state)
{
	char path[32];
	pid_t pid = feed(write_some, path);
	struct sf_trace *t = open_file(path);
	struct sf_trace_counts c;
	struct digest one, two;

	(void)state;
	one = import(t, false, &c);
	assert_int_equal(c.kmalloc, 3000);
	two = import(t, false, &c);
	assert_int_equal(one.hash, two.hash);
	sf_trace_close(t);
	unfeed(pid, path);
}

/* Every prefix of a recording is read, but for the event that is cut. */
static void test_cut_anywhere(void **state)
{
	static const char text[] = F(KMALLOC(A, 60, 64)) F(CALLOC("x", B, 64, 64))
		F(PAGES("0x10", 0, SLAB_GFP)) F(CFREE("x", B)) F(KFREE(A)) F(PFREE("0x10", 0));
	unsigned int whole = 0, cut = 0;

	(void)state;
	for (size_t len = strlen(F(KMALLOC(A, 60, 64))); len < sizeof(text); len++) {
		struct sf_error err = { "" };
		struct sf_trace_record rec;
		struct sf_trace *t;
		unsigned int events = 0, lines = 0;
		int code = 0, r;

		t = sf_trace_open_memory(text, len, &err, &code);
		assert_non_null(t);
		while ((r = sf_trace_read(t, &rec, &err)) > 0) {
			events++;
			/* no value is half of another */
			assert_true(!rec.ptr || rec.ptr == 0xaaaa0a01 || rec.ptr == 0xaaaa0b01);
			assert_true(!*rec.cache || !strcmp(rec.cache, "x"));
		}
		assert_int_equal(r, 0);
		for (size_t i = 0; i < len; i++)
			lines += text[i] == '\n';
		assert_true(events >= lines);
		assert_true(events <= lines + 1);
		whole += events > lines;
		cut += events == lines;
		sf_trace_close(t);
	}
	assert_true(whole > 5);
	assert_true(cut > 100);
}

static uint64_t prng(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void ignore_event(void *ctx, const struct sf_event *ev)
{
	mix(ctx, &ev->type, sizeof(ev->type));
}

/* Imports and judges whatever it is; sums must hold if it is read. */
static bool survive(const char *data, size_t len)
{
	struct sf_error err = { "" };
	struct sf_trace_counts c;
	struct sf_trace_scan *s;
	struct digest d = { .hash = 1 };
	struct sf_import_options opt = { .op = take_op, .ctx = &d };
	struct sf_trace *t;
	uint64_t h = 1;
	int code = 0, r;

	t = sf_trace_open_memory(data, len, &err, &code);
	if (!t)
		return false;
	s = sf_trace_scan(t, &err);
	r = s ? sf_trace_import(t, s, &opt, &c, &err) : -1;
	if (!r) {
		c.odd_caches = 0; /* a hostile stride may have no shape */
		check_sums(&c);
		assert_int_equal(sf_trace_judge(t, ignore_event, &h, &c, &err), 0);
	} else {
		assert_non_null(strstr(err.text, "memory"));
	}
	sf_trace_scan_free(s);
	sf_trace_close(t);
	return !r;
}

static void test_mutations(void **state)
{
	static const char text[] = BASE_SHOWN P(KMALLOC(RA, 60, 64)) P(CALLOC("x", RB, 64, 64))
		P(PAGES("0x10", 3, SLAB_GFP)) P(CFREE("x", RB)) P(KFREE(RA)) P(PFREE("0x10", 3))
		F(KMALLOC(A, 60, 64)) F(CALLOC("x", B, 64, 64)) F(CFREE("x", B)) F(KFREE(A));
	static const char alphabet[] = "0123456789abcdef=: \n[]|x-";
	char buf[sizeof(text)], noise[4096];
	unsigned int read = 0;
	uint64_t s = 88172645463325252ull;

	(void)state;
	for (int i = 0; i < 4000; i++) {
		memcpy(buf, text, sizeof(text));
		for (uint64_t k = prng(&s) % 4 + 1; k; k--)
			buf[prng(&s) % (sizeof(text) - 1)] = i % 8 ?
				alphabet[prng(&s) % (sizeof(alphabet) - 1)] : (char)prng(&s);
		read += survive(buf, sizeof(text) - 1);
	}
	assert_true(read > 1000);
	for (int i = 0; i < 200; i++) {
		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (char)prng(&s);
		assert_false(survive(noise, sizeof(noise)));
	}
}

static void test_output_refused(void **state)
{
	struct sf_trace *t = open_text(F(KMALLOC(A, 60, 64)) F(KFREE(A)));
	struct sf_error err = { "" };
	struct sf_trace_counts c;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_int_equal(sf_trace_import_text(t, "/nonexistent/x", NULL, &c, &err), -1);
	assert_string_equal(err.text, "/nonexistent/x: No such file or directory");
	assert_non_null(full);
	assert_int_equal(sf_trace_import_text(t, NULL, full, &c, &err), -1);
	assert_string_equal(err.text, "output: No space left on device");
	fclose(full);
	sf_trace_close(t);
}

/* A file appears whole or not at all. */
static void test_output_whole(void **state)
{
	char dir[] = "/tmp/slabfuzz-trace-XXXXXX", path[64];
	struct sf_trace *good = open_text(F(KMALLOC(A, 60, 64)) F(KFREE(A)));
	struct sf_trace *bad = open_text(F("kfree: call_site=x"));
	struct sf_error err = { "" };
	struct sf_trace_counts c;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/p", dir);
	assert_int_equal(sf_trace_import_text(bad, path, NULL, &c, &err), -1);
	assert_string_equal(err.text, "memory:1: kfree event without ptr; none of 1 memory events "
			    "can be read");
	assert_int_equal(rmdir(dir), 0); /* empty: not even a temporary file */
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(sf_trace_import_text(good, path, NULL, &c, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size,
			 strlen("heap cpus=1\nsite(1, \"foo+0x10\")\n"
				"r0 = kmalloc(60, GFP_KERNEL, site=1)\nkfree(r0)\n"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	sf_trace_close(good);
	sf_trace_close(bad);
}

/* ---- memory ---- */

struct usage {
	uint64_t ops;
	size_t early, late;
};

static bool measure(void *ctx, const struct sf_op *op, const char *strings,
		    const struct sf_trace_record *rec)
{
	struct usage *u = ctx;

	(void)op;
	(void)strings;
	(void)rec;
	if (++u->ops == 20000)
		u->early = mallinfo2().uordblks;
	u->late = mallinfo2().uordblks;
	return true;
}

/* However long the recording, with as many objects alive: the same memory. */
static void test_memory_bounded(void **state)
{
	struct usage u = { 0 };
	struct sf_import_options opt = { .op = measure, .ctx = &u };
	struct sf_error err = { "" };
	struct sf_trace_counts c;
	struct sf_trace_scan *s;
	struct sf_trace *t;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int code;

	(void)state;
	assert_non_null(f);
	for (unsigned int i = 0; i < 50000; i++) {
		fprintf(f, F("kmalloc: call_site=f ptr=%016x bytes_req=60 bytes_alloc=64 "
			     "gfp_flags=GFP_KERNEL"), 0x2000 + i * 64 % 65536);
		fprintf(f, F("mm_page_alloc: page=00000000aabbccdd pfn=0x%x order=0 "
			     "migratetype=0 gfp_flags=GFP_KERNEL"), i);
		fprintf(f, F("kfree: call_site=g ptr=%016x"), 0x2000 + i * 64 % 65536);
		fprintf(f, F("mm_page_free: page=00000000aabbccdd pfn=0x%x order=0"), i);
	}
	fclose(f);
	t = sf_trace_open_memory(text, len, &err, &code);
	assert_non_null(t);
	s = sf_trace_scan(t, &err);
	assert_non_null(s);
	assert_int_equal(sf_trace_import(t, s, &opt, &c, &err), 0);
	assert_int_equal(u.ops, 200001);
	assert_true(u.late <= u.early + 4096);
	sf_trace_scan_free(s);
	sf_trace_close(t);
	free(text);
}

/* ---- recordings ---- */

struct folder {
	char dir[400];
	char *file[64];
	unsigned int nr;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(struct folder *l, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	l->nr = 0;
	snprintf(l->dir, sizeof(l->dir), "%s", dir);
	if (!d) {
		fail_msg("%s: no such folder", dir);
		return;
	}
	while ((e = readdir(d)) && l->nr < 64)
		if (strstr(e->d_name, ".txt") || strstr(e->d_name, ".dat"))
			assert_true(asprintf(&l->file[l->nr++], "%s/%s", dir, e->d_name) > 0);
	closedir(d);
	qsort(l->file, l->nr, sizeof(l->file[0]), by_name);
	assert_true(l->nr > 0);
}

static void unlist(struct folder *l)
{
	while (l->nr)
		free(l->file[--l->nr]);
}

/* Counts by searching lines for the event's name, which shares nothing with the reader. */
static bool grep(const char *path, uint64_t nr[SF_TRACE_KINDS])
{
	static const char *const name[SF_TRACE_KINDS] = {
		[SF_TRACE_KMALLOC] = "kmalloc: ", [SF_TRACE_KFREE] = "kfree: ",
		[SF_TRACE_CACHE_ALLOC] = "kmem_cache_alloc: ",
		[SF_TRACE_CACHE_FREE] = "kmem_cache_free: ",
		[SF_TRACE_PAGE_ALLOC] = "mm_page_alloc: ",
		[SF_TRACE_PAGE_FREE] = "mm_page_free: ",
	};
	char cmd[600], line[2000];
	FILE *f;

	if (!strstr(path, ".zst"))
		return false;
	snprintf(cmd, sizeof(cmd), "zstd -qdc '%s'", path);
	f = popen(cmd, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		for (int k = 0; k < SF_TRACE_KINDS; k++)
			nr[k] += strstr(line, name[k]) != NULL;
	return pclose(f) == 0;
}

static void check_kinds(const char *path, const struct sf_trace_counts *c)
{
	uint64_t nr[SF_TRACE_KINDS] = { 0 };

	if (!grep(path, nr)) {
		if (strstr(path, ".zst"))
			print_message("skipped: counting %s needs the zstd command\n", path);
		return;
	}
	assert_int_equal(nr[SF_TRACE_KMALLOC], c->kmalloc);
	assert_int_equal(nr[SF_TRACE_KFREE], c->kfree);
	assert_int_equal(nr[SF_TRACE_CACHE_ALLOC], c->cache_alloc);
	assert_int_equal(nr[SF_TRACE_CACHE_FREE], c->cache_free);
	assert_int_equal(nr[SF_TRACE_PAGE_ALLOC], c->page_alloc);
	assert_int_equal(nr[SF_TRACE_PAGE_FREE], c->page_free);
}

struct replay {
	struct sf_judge *judge;
	struct sf_exec *x;
	struct sf_ev_alloc last;
	bool got;
	uint64_t agree, total, failed;
};

static void replay_event(void *ctx, const struct sf_event *ev)
{
	struct replay *r = ctx;

	sf_judge_event(r->judge, ev);
	if (ev->type != SF_EV_ALLOC)
		return;
	r->last = ev->alloc;
	r->got = true;
}

static bool replay_op(void *ctx, const struct sf_op *op, const char *strings,
		      const struct sf_trace_record *rec)
{
	struct replay *r = ctx;

	r->got = false;
	if (!sf_exec_step(r->x, op, strings))
		return false;
	if (!r->got)
		return true;
	r->failed += r->last.status != SF_OK;
	if (op->code != SF_OP_KMALLOC && op->code != SF_OP_CACHE_ALLOC)
		return true;
	r->total++;
	r->agree += r->last.place.kind == SF_PLACE_LARGE ? r->last.usable == rec->bytes_alloc :
							   r->last.place.stride == rec->bytes_alloc;
	return true;
}

/* The model gives the kernel's bytes_alloc for every event, nothing fails, no oracle objects. */
static void check_replay(struct sf_trace *t)
{
	struct verdict w = { 0 };
	struct sf_judge_options jopt = { .violation = take_violation, .ctx = &w };
	struct sf_exec_options xopt = { .end = SF_END_TEARDOWN, .contents = true };
	struct replay r = { .judge = sf_judge_create(&jopt) };
	struct sf_import_options iopt = { .op = replay_op, .ctx = &r };
	struct sf_error err = { "" };
	struct sf_trace_scan *s;
	struct sf_trace_counts c;
	struct sf_exec_counts counts;

	assert_int_equal(sf_trace_rewind(t, &err), 0);
	s = sf_trace_scan(t, &err);
	assert_non_null(s);
	r.x = sf_exec_create(&sf_baseline, sf_trace_scan_settings(s), &xopt, replay_event, &r,
			     &err);
	if (!r.x)
		fail_msg("%s", err.text);
	sf_exec_begin(r.x, "recording");
	assert_int_equal(sf_trace_import(t, s, &iopt, &c, &err), 0);
	sf_exec_end(r.x);
	sf_exec_counts(r.x, &counts);
	assert_string_equal(w.title, "");
	assert_int_equal(r.total, c.kmalloc + c.cache_alloc - c.failed);
	assert_int_equal(r.agree, r.total);
	assert_int_equal(r.failed, 0);
	for (int i = 0; i < SF_SKIP_REASONS; i++)
		assert_int_equal(counts.skipped[i], 0);
	sf_exec_destroy(r.x);
	sf_judge_destroy(r.judge);
	sf_trace_scan_free(s);
}

static void check_judged(struct sf_trace *t)
{
	struct sf_oracle_count n[SF_INV_COUNT];
	struct sf_trace_counts c;
	struct verdict w = judge(t, n, &c);

	assert_string_equal(w.title, "");
	assert_int_equal(w.violations, 0);
	/* every allocation is asked whether it got what it asked for; with addresses, more */
	assert_true(n[SF_INV_MEM_17].checked >= c.kmalloc + c.cache_alloc - c.failed);
	assert_int_equal(n[SF_INV_MEM_11].checked, c.free_null);
	if (sf_trace_hashed(t))
		return;
	/* Events are missing: then nothing is proof, and that is counted with the reason. */
	if (!n[SF_INV_MEM_1].checked) {
		assert_true(n[SF_INV_MEM_1].skipped > 0 && n[SF_INV_MEM_1].reason);
		return;
	}
	assert_true(n[SF_INV_MEM_1].checked + c.kfence >= c.kmalloc + c.cache_alloc - c.failed);
	assert_true(n[SF_INV_MEM_3].checked + c.kfence >= c.kmalloc + c.cache_alloc - c.failed);
	assert_true(n[SF_INV_MEM_9].checked + c.kfence >= c.paired);
}

static void check_recording(const char *path)
{
	struct sf_trace *t = open_file(path);
	struct sf_trace_counts c, again;
	struct digest one, two;

	one = import(t, false, &c);
	check_sums(&c);
	check_kinds(path, &c);
	two = import(t, false, &again);
	assert_int_equal(one.hash, two.hash);
	assert_memory_equal(&c, &again, sizeof(c));
	check_judged(t);
	check_replay(t);
	canonical(t);
	sf_trace_close(t);
}

/* The same recording in two formats: the same records, but for the text's microseconds. */
static void check_same(const char *a, const char *b)
{
	struct sf_trace *ta = open_file(a), *tb = open_file(b);
	struct sf_error err = { "" };
	struct sf_trace_record x, y;
	uint64_t n = 0;
	int r;

	while ((r = sf_trace_read(ta, &x, &err)) == 1) {
		assert_int_equal(sf_trace_read(tb, &y, &err), 1);
		assert_int_equal(x.kind, y.kind);
		assert_int_equal(x.accounted, y.accounted);
		assert_int_equal(x.order, y.order);
		assert_int_equal(x.migratetype, y.migratetype);
		assert_int_equal(x.cpu, y.cpu);
		assert_int_equal(x.pid, y.pid);
		if (strcmp(y.comm, "task")) /* stands for tasks that are not the workload's */
			assert_string_equal(x.comm, y.comm);
		assert_string_equal(x.site, y.site);
		assert_string_equal(x.cache, y.cache);
		assert_true(x.time_ns - y.time_ns + 1000 <= 2000);
		assert_int_equal(x.pfn, y.pfn);
		assert_int_equal(x.ptr, y.ptr);
		assert_int_equal(x.bytes_req, y.bytes_req);
		assert_int_equal(x.bytes_alloc, y.bytes_alloc);
		assert_int_equal(x.gfp, y.gfp);
		n++;
	}
	assert_int_equal(r, 0);
	assert_int_equal(sf_trace_read(tb, &y, &err), 0);
	assert_true(n >= 5000);
	sf_trace_close(ta);
	sf_trace_close(tb);
}

static bool readable(const char *path)
{
	struct sf_error err = { "" };
	struct sf_trace *t;
	int code = 0;

	t = sf_trace_open(path, &err, &code);
	if (!t && code == 3) {
		print_message("skipped: %s\n", err.text);
		return false;
	}
	assert_non_null(t);
	sf_trace_close(t);
	return true;
}

static void check_folder(const char *dir)
{
	const char *dat = NULL, *report = NULL;
	struct folder l;

	list(&l, dir);
	for (unsigned int i = 0; i < l.nr; i++) {
		if (!readable(l.file[i]))
			continue;
		if (strstr(l.file[i], "sockets") && strstr(l.file[i], ".dat"))
			dat = l.file[i];
		if (strstr(l.file[i], "sockets") && strstr(l.file[i], "report"))
			report = l.file[i];
		check_recording(l.file[i]);
	}
	if (dat && report)
		check_same(dat, report);
	unlist(&l);
}

static void test_excerpts(void **state)
{
	(void)state;
	check_folder("corpora/traces");
}

static void test_recordings(void **state)
{
	const char *dir = getenv("SLABFUZZ_TRACES");

	(void)state;
	if (!dir || !*dir) {
		print_message("skipped: SLABFUZZ_TRACES is not set, no whole recordings tested\n");
		skip();
		return;
	}
	check_folder(dir);
}

static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *data = malloc(1 << 20);

	if (!f || !data)
		abort();
	*len = fread(data, 1, 1 << 20, f);
	fclose(f);
	return data;
}

/* Compressed data cut at any place, or with a byte changed. */
static void test_broken_zstd(void **state)
{
	static const char path[] = "corpora/traces/sockets-6.18.trace-cmd-report.txt.zst";
	unsigned int early = 0, broken = 0;
	uint64_t read = 0;
	size_t len;
	char *data;

	(void)state;
	if (!readable(path))
		skip();
	data = slurp(path, &len);
	for (size_t cut = 5; cut < len; cut += len / 23) {
		struct sf_error err = { "" };
		struct sf_trace_record rec;
		struct sf_trace *t;
		int code = 0, r = -1;

		t = sf_trace_open_memory(data, cut, &err, &code);
		while (t && (r = sf_trace_read(t, &rec, &err)) > 0)
			read++;
		if (t) {
			/* As far as it goes, and that is counted. */
			struct sf_trace_counts c;
			struct digest d = import(t, false, &c);

			assert_int_equal(r, 0);
			assert_int_equal(c.ended_early, 1);
			assert_true(d.ops > 0 && c.events <= 5000);
		} else {
			assert_string_equal(err.text, "memory: zstd data ends too early, before "
					    "anything that can be unpacked");
			assert_int_equal(code, 2);
		}
		sf_trace_close(t);
		early++;
	}
	assert_true(read > 10000);
	assert_true(early >= 20);
	for (size_t at = 6; at < len; at += len / 23) {
		char was = data[at];

		data[at] ^= 0x41;
		broken += !survive(data, len);
		data[at] = was;
	}
	assert_true(broken >= 15);
	assert_true(survive(data, len));
	free(data);
}

/* Some of these crash libtracecmd, in its own process: the file is read or refused in words. */
static unsigned int damage_dat(const char *temp, int fd, char *data, size_t len)
{
	unsigned int refused = 0;
	uint64_t s = 88172645463325252ull;

	for (int i = 0; i < 120; i++) {
		size_t at = 16 + prng(&s) % (i % 2 ? len - 16 : 600);
		struct sf_error err = { "" };
		struct sf_trace_record rec;
		struct sf_trace *t;
		int code = 0, r = -1;
		char was = data[at];

		data[at] = (char)prng(&s);
		assert_int_equal(pwrite(fd, data, len, 0), len);
		t = sf_trace_open(temp, &err, &code);
		while (t && (r = sf_trace_read(t, &rec, &err)) > 0)
			;
		if (r < 0)
			assert_memory_equal(err.text, temp, strlen(temp));
		if (!t)
			assert_int_equal(code, 2);
		refused += r < 0;
		sf_trace_close(t);
		data[at] = was;
	}
	return refused;
}

static void test_broken_dat(void **state)
{
	static const char path[] = "corpora/traces/sockets-6.18.trace.dat";
	char temp[] = "/tmp/slabfuzz-trace-XXXXXX";
	struct sf_error err = { "" };
	int fd, code = 0;
	size_t len;
	char *data;

	(void)state;
	if (!readable(path))
		skip();
	data = slurp(path, &len);
	fd = mkstemp(temp);
	assert_true(fd >= 0);
	put_all(fd, data, 300);
	assert_null(sf_trace_open(temp, &err, &code));
	assert_int_equal(code, 2);
	assert_non_null(strstr(err.text, "libtracecmd cannot read it"));
	/* a page size of 5 */
	data[14] = 5;
	assert_int_equal(pwrite(fd, data, len, 0), len);
	assert_null(sf_trace_open(temp, &err, &code));
	assert_int_equal(code, 2);
	assert_non_null(strstr(err.text, "a header that makes no sense"));
	data[14] = 0;
	assert_true(damage_dat(temp, fd, data, len) > 20);
	close(fd);
	unlink(temp);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_rule_frees),
		cmocka_unit_test(test_rule_implied),
		cmocka_unit_test(test_rule_collision),
		cmocka_unit_test(test_rule_caches),
		cmocka_unit_test(test_rule_pages),
		cmocka_unit_test(test_rule_backing),
		cmocka_unit_test(test_rule_addresses),
		cmocka_unit_test(test_rule_owner),
		cmocka_unit_test(test_rule_failed),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_recycle),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_files_refused),
		cmocka_unit_test(test_gigabyte_line),
		cmocka_unit_test(test_pipe_twice),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_output_refused),
		cmocka_unit_test(test_output_whole),
		cmocka_unit_test(test_memory_bounded),
		cmocka_unit_test(test_excerpts),
		cmocka_unit_test(test_recordings),
		cmocka_unit_test(test_broken_zstd),
		cmocka_unit_test(test_broken_dat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
