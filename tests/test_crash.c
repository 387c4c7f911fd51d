// SPDX-License-Identifier: MIT
/*
 * test_crash.c - titles of crashes: of reports as sanitizers and engines print them, and of an
 * allocator that crashes for real in each way there is, in a child that is watched.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../harness/fuzz/apart.h"
#include "../harness/fuzz/child.h"
#include "../harness/fuzz/crash.h"

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#if __has_feature(undefined_behavior_sanitizer)
#define UBSAN 1
#endif
#endif

/* --- an allocator that crashes, on request --- */

#define CRASHES __attribute__((noinline))

static volatile uintptr_t nowhere = 16;
static volatile int zero, most = INT32_MAX, nr = 4;

CRASHES static void toy_segv(void)
{
	*(volatile char *)nowhere = 1;
}

/* The innermost frame is the C library's. */
CRASHES static void toy_copy(void)
{
	memcpy((void *)nowhere, "0123456789", (size_t)nr + 4);
	zero++;
}

CRASHES static void toy_bus(void)
{
	volatile char *p;
	FILE *f = tmpfile();

	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
	*p = 1;
}

CRASHES static void toy_divides(void)
{
#ifdef __x86_64__
	__asm__ volatile("xorl %%ecx, %%ecx\n\tmovl $1, %%eax\n\tcltd\n\tidivl %%ecx"
			 : : : "eax", "ecx", "edx");
#else
	raise(SIGFPE);
#endif
}

CRASHES static void toy_traps(void)
{
	__builtin_trap();
}

CRASHES static void toy_gives_up(void)
{
	fprintf(stderr, "toy: a line before\n");
	fprintf(stderr, "toy: block 0x7f001234 of 512 bytes is not mine\n");
	abort();
}

CRASHES static void toy_asserts(void)
{
	fprintf(stderr, "toy.c:12: toy_asserts: assertion 'b->size >= 16' failed\n");
	abort();
}

CRASHES static void toy_hangs(void)
{
	while (!zero)
		;
}

CRASHES static void toy_grows(void)
{
	for (;;) {
		volatile char *p = malloc(1 << 20);

		for (int i = 0; p && i < 1 << 20; i += 1024)
			p[i] = 1;
	}
}

CRASHES static void toy_exits(void)
{
	exit(0);
}

CRASHES static void toy_closes(void)
{
	for (int fd = 0; fd < 256; fd++)
		close(fd);
}

CRASHES static void toy_overflows(void)
{
	most += nr;
}

CRASHES static void toy_reads_freed(void)
{
	char *p = malloc(100);

	free(p);
	zero += ((volatile char *)p)[10]; /* NOLINT: the crash */
}

/* --- each of them, and its title --- */

struct real {
	const char *name;
	void (*crash)(void);
	enum sf_crash_kind kind;
	const char *title;   /* of this process; */
	const char *asan;    /* with AddressSanitizer; NULL: the same */
};

static const struct real reals[] = {
	{ "segv", toy_segv, SF_CRASH_SEGV, "SIGSEGV in toy_segv", "ASan: SEGV in toy_segv" },
	{ "copy", toy_copy, SF_CRASH_SEGV, "SIGSEGV in toy_copy", "ASan: SEGV in toy_copy" },
	{ "bus", toy_bus, SF_CRASH_BUS, "SIGBUS in toy_bus", "ASan: BUS in toy_bus" },
	{ "fpe", toy_divides, SF_CRASH_FPE, "SIGFPE in toy_divides", "ASan: FPE in toy_divides" },
	{ "trap", toy_traps, SF_CRASH_TRAP, "trap in toy_traps", NULL },
	{ "abort", toy_gives_up, SF_CRASH_ABORT,
	  "abort: toy: block N of N bytes is not mine in toy_gives_up", NULL },
	{ "assertion", toy_asserts, SF_CRASH_ASSERTION,
	  "assertion b->size >= 16 in toy_asserts", NULL },
	{ "hang", toy_hangs, SF_CRASH_HANG, "hang in toy_hangs", NULL },
	{ "exit", toy_exits, SF_CRASH_EXIT, "exit() in toy_exits", NULL },
	{ "closed", toy_closes, SF_CRASH_CLOSED, "closes the process's own descriptors", NULL },
#ifdef UBSAN
	{ "ubsan", toy_overflows, SF_CRASH_UBSAN, "UBSan: signed integer overflow in ", NULL },
#endif
#ifdef ASAN
	{ "asan", toy_reads_freed, SF_CRASH_ASAN,
	  "ASan: heap-use-after-free in toy_reads_freed", NULL },
#else
	/* AddressSanitizer's own memory is not what it looks like. */
	{ "memory", toy_grows, SF_CRASH_MEMORY, "memory runs away", NULL },
#endif
};

static void work(void *ctx)
{
	const struct real *r = ctx;

	sf_apart_step(true);
	r->crash();
	sf_apart_step(false);
}

enum { NR_REALS = sizeof(reals) / sizeof(reals[0]) };

static struct sf_apart_end ends[NR_REALS];
static bool ran[NR_REALS];

/* Before cmocka has handlers of its own for these signals. */
static void crash_all(void)
{
	for (int i = 0; i < NR_REALS; i++) {
		const struct real *r = &reals[i];
		const struct sf_apart_options opt = {
			.seconds = r->crash == toy_hangs ? 1 : 60,
			.memory_bytes = r->crash == toy_grows ? 256 << 20 : 0,
			.work = work, .ctx = (void *)(uintptr_t)r,
		};

		ran[i] = sf_apart_run(&opt, &ends[i]);
	}
}

static void test_real(void **state)
{
	(void)state;
	for (int i = 0; i < NR_REALS; i++) {
		const struct real *r = &reals[i];
		struct sf_apart_end end = ends[i];
		const char *due = r->title;

#ifdef ASAN
		due = r->asan ? r->asan : due;
#endif
		assert_true(ran[i]);
		if (strncmp(end.crash.title, due, strlen(due)))
			fail_msg("%s: '%s', not '%s':\n%s", r->name, end.crash.title, due,
				 end.report);
		if (due == r->title)
			assert_int_equal(end.crash.kind, r->kind);
		else
			assert_int_equal(end.crash.kind, SF_CRASH_ASAN);
		free(end.report);
	}
	/* What is not crashed in this flavor is used all the same. */
	(void)toy_overflows;
	(void)toy_reads_freed;
	(void)toy_grows;
}

static void fine(void *ctx)
{
	sf_apart_step(true);
	++*(volatile int *)ctx;
	sf_apart_step(false);
	sf_apart_tell();
}

static void count(void *ctx)
{
	++*(volatile int *)ctx;
}

static void test_nothing(void **state)
{
	volatile int told = 0;
	const struct sf_apart_options opt = { .seconds = 60, .work = fine, .told = count,
					      .ctx = (void *)(uintptr_t)&told };
	struct sf_apart_end end;

	(void)state;
	assert_true(sf_apart_run(&opt, &end));
	assert_int_equal(end.crash.kind, SF_CRASH_NONE);
	assert_true(told >= 1); /* here; the child's own count is its own */
	assert_true(sf_apart_state()->finished);
	free(end.report);
}

/* --- reports --- */

static const struct canned {
	const char *text, *title;
	enum sf_crash_kind kind;
	int status; /* of waitpid(); 0: a report alone */
} canned[] = {
	{ "==12==ERROR: AddressSanitizer: attempting double-free on 0x602000000010 in thread T0:\n"
	  "    #0 0x55e in free (/x/alloc+0xc1)\n"
	  "    #1 0x55f in heap_give (/x/alloc+0xd2) (BuildId: 00)\n"
	  "    #2 0x560 in main /x/main.c:3:1\n\n"
	  "0x602000000010 is located\n    #0 0x1 in malloc\n"
	  "SUMMARY: AddressSanitizer: double-free (/x/alloc+0xc1) in free\n",
	  "ASan: double-free in heap_give", SF_CRASH_ASAN, 0 },
	{ "==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x6020 at pc 0x1\n"
	  "WRITE of size 512 at 0x6020 thread T0\n"
	  "    #0 0x1 in __asan_memcpy (/x/fuzz+0x123)\n"
	  "    #1 0x2 in tlsf::pool<int, 4>::grow(unsigned long, int) /x/tlsf.cpp:100:3\n"
	  "    #2 0x3 in exec_malloc harness/exec/exec_ops.c:10:2\n",
	  "ASan: heap-buffer-overflow in tlsf::pool<int, 4>::grow", SF_CRASH_ASAN, 0 },
	/* Nothing of the allocator's is on the stack. */
	{ "==1==ERROR: AddressSanitizer: use-after-poison on address 0x6020 at pc 0x1\n"
	  "    #0 0x1 in exec_write /x/harness/exec/exec_ops.c:10:2\n"
	  "    #1 0x2 in main /x/harness/cmd/main.c:70:2\n",
	  "ASan: use-after-poison in exec_write", SF_CRASH_ASAN, 0 },
	{ "heap.c:12:7: runtime error: shift exponent 64 is too large for 64-bit type 'uint64_t' "
	  "(aka 'unsigned long')\n"
	  "    #0 0x1 in map_size /x/heap.c:12:7\n",
	  "UBSan: shift exponent N is too large for N-bit type 'uint64_t' (aka 'unsigned long') "
	  "in map_size", SF_CRASH_UBSAN, 0 },
	{ "/x/y/heap.c:12:7: runtime error: signed integer overflow: 2147483647 + 1 cannot be "
	  "represented in type 'int'\n",
	  "UBSan: signed integer overflow in heap.c", SF_CRASH_UBSAN, 0 },
	/* The other way round is the same race; its frames have no address. */
	{ "WARNING: ThreadSanitizer: data race (pid=1)\n"
	  "  Write of size 4 at 0x7f by thread T1:\n"
	  "    #0 memset <null> (slabfuzz+0x1)\n"
	  "    #1 toy_give /x/toy.c:95:10 (toy.so+0x1) (BuildId: 0)\n"
	  "    #2 call_alloc /x/allocators/user_heap.c (slabfuzz+0x2)\n\n"
	  "  Previous write of size 4 at 0x7f by main thread:\n"
	  "    #0 <null> <null> (libother.so+0x1)\n"
	  "    #1 toy_take /x/toy.c:95:10 (toy.so+0x1)\n",
	  "TSan: data race in libother.so and toy_give", SF_CRASH_TSAN, 0 },
	{ "WARNING: ThreadSanitizer: data race (pid=1)\n"
	  "  Read of size 4 at 0x7f by thread T1:\n    #0 toy_take /x/toy.c:9:1 (toy.so+0x1)\n\n"
	  "  Previous write of size 4 at 0x7f by thread T2:\n"
	  "    #0 toy_give /x/toy.c:9:1 (toy.so+0x1)\n",
	  "TSan: data race in toy_give and toy_take", SF_CRASH_TSAN, 0 },
	{ "WARNING: ThreadSanitizer: unlock of an unlocked mutex (or by a wrong thread) (pid=1)\n"
	  "    #0 pthread_mutex_unlock <null> (slabfuzz+0x1)\n"
	  "    #1 toy_take /x/toy.c:9:1 (toy.so+0x1)\n",
	  "TSan: unlock of an unlocked mutex in toy_take", SF_CRASH_TSAN, 0 },
	{ "prog: /x/heap.c:77: void heap_free(struct heap *, void *): Assertion `b->used' failed.\n"
	  "slabfuzz: SIGABRT\n    #0 0x1 in pthread_kill (/lib/libc.so.6+0x1)\n"
	  "    #1 0x2 (/lib/libc.so.6+0x2)\n    #2 0x3 in heap_free /x/heap.c:77:2\n",
	  "assertion b->used in heap_free", SF_CRASH_ASSERTION, SIGABRT },
	{ "Assertion failed: n < 4 (heap.c: heap_map: 12)\n", "assertion n < 4",
	  SF_CRASH_ASSERTION, SIGABRT },
	{ "free(): invalid pointer\nslabfuzz: SIGABRT\n    #0 0x1 in raise (/lib/libc.so.6+0x1)\n"
	  "    #1 0x1 in take.part.0 (/usr/lib/libtoy.so.2+0x99)\n",
	  "abort: free(): invalid pointer in take", SF_CRASH_ABORT, SIGABRT },
	/* Stripped: the library is named. */
	{ "slabfuzz: SIGSEGV\n    #0 0x1 (/lib/x86_64-linux-gnu/libc.so.6+0x12)\n"
	  "    #1 0x2 (/usr/lib/libtoy.so.2+0x1234)\n",
	  "SIGSEGV in libtoy.so.2", SF_CRASH_SEGV, SIGSEGV },
	{ "MEM-1: an object overlaps another\n  at operation 3: 0x1\n==1==ERROR: libFuzzer: deadly "
	  "signal\n    #0 0x1 in sf_violation_MEM_1 (/x+0x1)\n",
	  "MEM-1: an object overlaps another", SF_CRASH_VIOLATION, 0 },
	{ "diff usable: a N, b N after krealloc\n  at operation 3\n==1==ERROR: libFuzzer: deadly "
	  "signal\n    #0 0x1 in sf_diff_USABLE (/x+0x1)\n",
	  "diff usable: a N, b N after krealloc", SF_CRASH_DIFFERENCE, 0 },
	{ "relation fresh: usable: N, N after kmalloc\n  at operation 3\n==1==ERROR: libFuzzer: "
	  "deadly signal\n    #0 0x1 in sf_diff_USABLE (/x+0x1)\n",
	  "relation fresh: usable: N, N after kmalloc", SF_CRASH_DIFFERENCE, 0 },
	/* Nothing of ours is called that. */
	{ "diff nosuch: a, b\nslabfuzz: SIGSEGV\n    #0 0x1 in take (/usr/lib/libtoy.so.2+0x99)\n",
	  "SIGSEGV in take", SF_CRASH_SEGV, SIGSEGV },
	{ "==9== ERROR: libFuzzer: timeout after 10 seconds\n"
	  "    #0 0x1 in fuzzer::PrintStackTrace() (/x+0x1)\n"
	  "    #1 0x2 in heap_merge /x/heap.c:1:1\n",
	  "hang in heap_merge", SF_CRASH_HANG, 0 },
	{ "==9== ERROR: libFuzzer: out-of-memory (used: 3080Mb; limit: 3072Mb)\n",
	  "memory runs away", SF_CRASH_MEMORY, 0 },
	{ "==9== ERROR: libFuzzer: fuzz target exited\n    #0 0x1 in exit (/x+0x1)\n"
	  "    #1 0x2 in heap_panic /x/heap.c:1:1\n",
	  "exit() in heap_panic", SF_CRASH_EXIT, 0 },
	{ "", "killed by SIGKILL", SF_CRASH_KILLED, SIGKILL },
};

static void test_canned(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(canned) / sizeof(canned[0]); i++) {
		const struct sf_crash_end end = { .status = canned[i].status };
		struct sf_crash c;

		assert_true(sf_crash_read(&c, canned[i].text, end.status ? &end : NULL));
		assert_string_equal(c.title, canned[i].title);
		assert_int_equal(c.kind, canned[i].kind);
	}
}

static void test_no_crash(void **state)
{
	const struct sf_crash_end end = { .status = 0 };
	struct sf_crash c;

	(void)state;
	assert_false(sf_crash_read(&c, "INFO: Seed: 1\nall is well\n", &end));
	assert_false(sf_crash_read(&c, "", NULL));
	assert_string_equal(c.title, "");
	/* Words, cut off in any place, are read without harm. */
	for (size_t i = 0; i < sizeof(canned) / sizeof(canned[0]); i++) {
		for (size_t n = 0; n < strlen(canned[i].text); n++) {
			char *part = strndup(canned[i].text, n);

			sf_crash_read(&c, part, NULL);
			free(part);
		}
	}
}

static void test_keys(void **state)
{
	(void)state;
	for (int i = 0; i < SF_CRASH_KINDS; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(sf_crash_key((enum sf_crash_kind)i),
						sf_crash_key((enum sf_crash_kind)k));
}

static void test_child(void **state)
{
	const char *const cat[] = { "sh", "-c", "cat; echo $TOY >&2; exit 3", NULL };
	const char *const slow[] = { "sleep", "100", NULL };
	const char *const none[] = { "/nonexistent/program", NULL };
	const char *const env[] = { "TOY=value", NULL };
	struct sf_child child = { .argv = cat, .env = env, .input = "in\n", .seconds = 60 };
	struct sf_child_output out;

	(void)state;
	assert_true(sf_child_run(&child, &out));
	assert_string_equal(out.text, "in\nvalue\n");
	assert_int_equal(WEXITSTATUS(out.status), 3);
	assert_false(out.hung);
	free(out.text);
	child = (struct sf_child){ .argv = slow, .seconds = 1 };
	assert_true(sf_child_run(&child, &out));
	assert_true(out.hung);
	free(out.text);
	child.argv = none;
	assert_true(sf_child_run(&child, &out));
	assert_int_equal(WEXITSTATUS(out.status), 127);
	free(out.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canned),  cmocka_unit_test(test_no_crash),
		cmocka_unit_test(test_keys),    cmocka_unit_test(test_child),
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_real),
	};

	crash_all();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
