// SPDX-License-Identifier: MIT
/*
 * bench_operations.c - what oracles cost: the same programs on the baseline with no events emitted,
 * and with every always-on oracle; how long a reset takes; what an object alive costs in memory.
 * Relies on the executor and the judge.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../allocators/heap.h"
#include "../trace/trace.h"
#include "bench.h"

#define PROGRAMS 16
#define PROGRAM_OPS 1024
/* Files with long names: dentries, inodes, names, maple nodes, skbs. */
#define RECORDED "longnames-6.18.ftrace.txt.zst"

static uint64_t run_all(struct sf_exec *x, const struct sf_prog *programs, uint32_t nr,
			uint64_t *operations)
{
	uint64_t start = bench_now();
	struct sf_error err;

	for (uint32_t i = 0; i < nr; i++) {
		int64_t n = sf_exec_run(x, &programs[i], "bench", &err);

		if (n < 0)
			bench_die("%s", err.text);
		*operations += (uint64_t)n;
	}
	return bench_now() - start;
}

static double ns_per_op(struct sf_exec *x, const struct sf_prog *programs, uint32_t nr, bool quick)
{
	uint64_t operations = 0, ns = 0, enough = quick ? 20000000 : 200000000;

	while (ns < enough)
		ns += run_all(x, programs, nr, &operations);
	return (double)ns / (double)operations;
}

static void bench_programs(struct bench *b)
{
	struct series off = { .nr = 0 }, on = { .nr = 0 }, ratio = { .nr = 0 };
	struct sf_judge *judge = bench_judge();
	struct sf_prog programs[PROGRAMS];
	struct sf_exec *bare, *judged;

	for (uint32_t i = 0; i < PROGRAMS; i++) {
		sf_prog_init(&programs[i]);
		bench_generate(&programs[i], PROGRAM_OPS, 1000 + i, false);
	}
	bare = bench_exec(&programs[0].settings, NULL, 0);
	judged = bench_exec(&programs[0].settings, judge, 0);
	ns_per_op(bare, programs, PROGRAMS, true);
	ns_per_op(judged, programs, PROGRAMS, true);
	for (unsigned int r = 0; r < b->rounds; r++) {
		double x = ns_per_op(bare, programs, PROGRAMS, b->quick);
		double y = ns_per_op(judged, programs, PROGRAMS, b->quick);

		series_add(&off, x);
		series_add(&on, y);
		series_add(&ratio, y / x);
	}
	bench_add(b, BENCH_RATE, "operation_oracles_off", &off, 0, "ns");
	bench_add(b, BENCH_RATE, "operation_oracles_on", &on, 0, "ns");
	bench_add(b, BENCH_RATIO, "oracles_on_off", &ratio, 2.0, "");
	sf_exec_destroy(bare);
	sf_exec_destroy(judged);
	sf_judge_destroy(judge);
	for (uint32_t i = 0; i < PROGRAMS; i++)
		sf_prog_free(&programs[i]);
}

/* --- the same with what a kernel asked for --- */

static bool keep(void *ctx, const struct sf_op *op, const char *strings,
		 const struct sf_trace_record *rec)
{
	struct bench_recording *r = ctx;
	struct sf_op copy = *op;
	uint32_t res = op->res;

	(void)rec;
	if (op->name)
		copy.name = sf_prog_string(&r->prog, strings + op->name,
					   strlen(strings + op->name));
	/* Numbers are as the importer recycles them, not as a program counts them. */
	sf_prog_add(&r->prog, &copy)->res = res;
	return true;
}

bool bench_record(struct bench *b, struct bench_recording *r)
{
	struct sf_import_options opt = { .op = keep, .ctx = r };
	struct sf_trace_counts counts = { 0 };
	struct sf_trace_scan *scan = NULL;
	struct sf_error err;
	int code, status = -1;
	char path[4352];
	struct sf_trace *t;

	sf_prog_init(&r->prog);
	snprintf(path, sizeof(path), "%s/" RECORDED, b->traces);
	t = sf_trace_open(path, &err, &code);
	if (t)
		scan = sf_trace_scan(t, &err);
	if (scan) {
		r->set = *sf_trace_scan_settings(scan);
		status = sf_trace_import(t, scan, &opt, &counts, &err);
		sf_trace_scan_free(scan);
	}
	if (t)
		sf_trace_close(t);
	if (status) {
		bench_skip(b, "recorded operations: %.120s cannot be read", path);
		sf_prog_free(&r->prog);
	}
	return !status;
}

static double ns_per_step(struct sf_exec *x, const struct bench_recording *r, bool quick)
{
	uint64_t start = bench_now(), operations = 0, enough = quick ? 20000000 : 200000000;

	do {
		sf_exec_begin(x, "recorded");
		for (uint32_t i = 0; i < r->prog.nr_ops; i++)
			sf_exec_step(x, &r->prog.ops[i], r->prog.strings);
		sf_exec_end(x);
		operations += r->prog.nr_ops;
	} while (bench_now() - start < enough);
	return (double)(bench_now() - start) / (double)operations;
}

static void bench_recorded(struct bench *b)
{
	struct series off = { .nr = 0 }, on = { .nr = 0 }, ratio = { .nr = 0 };
	struct sf_judge *judge = bench_judge();
	struct sf_exec *bare, *judged;
	struct bench_recording r;

	if (!bench_record(b, &r)) {
		sf_judge_destroy(judge);
		return;
	}
	bare = bench_exec(&r.set, NULL, 0);
	judged = bench_exec(&r.set, judge, 0);
	ns_per_step(bare, &r, true);
	ns_per_step(judged, &r, true);
	for (unsigned int i = 0; i < b->rounds; i++) {
		double x = ns_per_step(bare, &r, b->quick), y = ns_per_step(judged, &r, b->quick);

		series_add(&off, x);
		series_add(&on, y);
		series_add(&ratio, y / x);
	}
	bench_add(b, BENCH_RATE, "recorded_oracles_off", &off, 0, "ns");
	bench_add(b, BENCH_RATE, "recorded_oracles_on", &on, 0, "ns");
	bench_add(b, BENCH_RATIO, "recorded_on_off", &ratio, 2.0, "");
	sf_exec_destroy(bare);
	sf_exec_destroy(judged);
	sf_judge_destroy(judge);
	sf_prog_free(&r.prog);
}

void bench_operations(struct bench *b)
{
	bench_programs(b);
	bench_recorded(b);
}

/* --- reset --- */

#ifndef __SANITIZE_ADDRESS__
/* What reset would zero, zeroed beforehand, so that the clock sees the rest. */
static void zero_beforehand(struct sf_heap *h)
{
	struct arena *a = &h->arena;

	for (uint32_t g = 0; g < a->groups; g++) {
		for (uint64_t bits = a->dirty[g]; bits; bits &= bits - 1)
			memset(a->mem + ((uint64_t)g * 64 + (uint64_t)__builtin_ctzll(bits)) *
						SF_PAGE_SIZE, 0, SF_PAGE_SIZE);
		a->dirty[g] = 0;
	}
}

static double reset_ns(struct bench *b, struct sf_exec *x, bool zeroed)
{
	double *ns = sf_zalloc(b->nr_sample, sizeof(*ns)), median;
	struct sf_heap *h;
	struct sf_error err;
	uint64_t start;

	for (uint32_t i = 0; i < b->nr_sample; i++) {
		if (sf_exec_run(x, &b->sample[i], "bench", &err) < 0)
			bench_die("%s", err.text);
		h = sf_exec_heap(x);
		if (zeroed)
			zero_beforehand(h);
		start = bench_now_wall();
		sf_baseline.reset(h);
		ns[i] = (double)(bench_now_wall() - start);
	}
	median = median_of(ns, b->nr_sample);
	free(ns);
	return median;
}

void bench_reset(struct bench *b)
{
	struct series whole = { .nr = 0 }, apart = { .nr = 0 };
	struct sf_settings set;
	struct sf_exec *x;

	sf_settings_init(&set);
	x = bench_exec(&set, NULL, 0);
	reset_ns(b, x, false);
	for (unsigned int r = 0; r < b->rounds; r++) {
		series_add(&whole, reset_ns(b, x, false));
		series_add(&apart, reset_ns(b, x, true));
	}
	bench_add(b, BENCH_RATE, "reset_with_zeroing", &whole, 0, "ns");
	bench_add(b, BENCH_RATIO, "reset_64MiB", &apart, 2000, "ns");
	sf_exec_destroy(x);
}
#else
void bench_reset(struct bench *b)
{
	(void)b;
}
#endif

static long resident_bytes(void)
{
	long total, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fscanf(f, "%ld %ld", &total, &resident) != 2)
		resident = 0;
	if (f)
		fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

/* By how much this process grows with so many objects alive. */
static long growth(uint32_t objects, bool judged)
{
	static const uint16_t sizes[] = { 24, 64, 100, 192, 256, 500 };
	struct sf_judge *judge = judged ? bench_judge() : NULL;
	struct sf_op op = sf_op_make(SF_OP_KMALLOC);
	struct sf_settings set;
	size_t bytes, live;
	struct sf_exec *x;
	long before;

	sf_settings_init(&set);
	set.pages = 32768;
	before = resident_bytes();
	x = bench_exec(&set, judge, 0);
	sf_exec_begin(x, "memory");
	op.gfp = SF_GFP_KERNEL;
	for (uint32_t i = 0; i < objects; i++) {
		op.res = i;
		op.size = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
		sf_exec_step(x, &op, "");
	}
	if (judged) {
		sf_judge_memory(judge, &bytes, &live);
		if (live != objects)
			bench_die("the judge tracks %zu of %u objects", live, objects);
	}
	return resident_bytes() - before;
}

/* In a process of its own, where nothing was freed that could be used again. */
static long growth_apart(uint32_t objects, bool judged)
{
	long bytes = -1;
	int fd[2], status;
	pid_t pid;

	if (pipe(fd) || (pid = fork()) < 0)
		bench_die("memory: no process to be had");
	if (!pid) {
		bytes = growth(objects, judged);
		_exit(write(fd[1], &bytes, sizeof(bytes)) != sizeof(bytes));
	}
	close(fd[1]);
	if (read(fd[0], &bytes, sizeof(bytes)) != sizeof(bytes))
		bytes = -1;
	close(fd[0]);
	waitpid(pid, &status, 0);
	return bytes;
}

/*
 * What the judge takes that the same run without it does not, as the system counts it:
 * sf_judge_memory() counts address space too, of windows that are never touched.
 */
void bench_memory(struct bench *b)
{
	uint32_t objects = b->quick ? 50000 : 200000;
	struct series s = { .nr = 0 };

	for (unsigned int r = 0; r < b->rounds; r++) {
		long more = growth_apart(objects, true) - growth_apart(objects, false);

		series_add(&s, (double)more / objects);
	}
	bench_add(b, BENCH_RATE, "judge_memory_per_live_object", &s, 0, "bytes");
}
