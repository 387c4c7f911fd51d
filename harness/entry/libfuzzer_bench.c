// SPDX-License-Identifier: MIT
/*
 * libfuzzer_bench.c - the program target with a clock in it: what a program costs that `make fuzz`
 * runs, by part. libFuzzer draws the programs, from a corpus and with our mutator as always; once
 * it has warmed up, each is timed whole and kept, and in the end the kept ones are run again with
 * parts of the work left out. What is left of the time is the end of programs, and what it costs
 * that they are all different.
 *
 * SLABFUZZ_BENCH_RESULT names a file for the parts: a line for each, its name and microseconds a
 * program. Relies on fuzz.h and on what lies below it; `bench` runs it. Forced by the engine's
 * interface: static state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../allocators/base/grow.h"
#include "../../oracles/oracle.h"
#include "../exec/exec.h"
#include "libfuzzer_mutator.h"

#define WARM_UP 1000u   /* programs: the corpus is read, heaps are there */
#define PROGRAMS 2000u

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* PARTS(X): X(name), in the order of the work */
#define PARTS(X)                                                                       \
	X(heap_opening) X(decoding) X(running) X(contents) X(judging) X(end) X(engine)

enum part {
#define X(name) PART_##name,
	PARTS(X)
#undef X
	NR_PARTS,
};

struct kept {
	uint8_t *data;
	size_t size;
	struct sf_settings set; /* as it ran */
};

static struct {
	struct kept kept[PROGRAMS];
	uint32_t nr, seen;
	uint64_t begun, over;   /* the program at hand began; the one before it was over */
	uint64_t ns[NR_PARTS];
	uint64_t work;          /* from the begin of programs to their end */
} bench;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The heap is there and clean. */
static void begin(void)
{
	if (!bench.begun)
		bench.begun = now();
	forget_coverage();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sf_fuzz_setup();
	sf_fuzz_forget_coverage = begin;
	return 0;
}

/* --- once more, in parts --- */

/* Not the subject: `bench` has the target pass over them too (SLABFUZZ_EXPECT). */
static void on_violation(void *ctx, const struct sf_violation *v)
{
	(void)ctx;
	(void)v;
}

/* What programs do, from nothing but the allocator's work to everything but the end. */
static const struct {
	enum part part;
	bool contents, judged;
} ways[] = {
	{ PART_running, false, false },
	{ PART_contents, true, false },
	{ PART_judging, true, true },
};

#define NR_WAYS (sizeof(ways) / sizeof(ways[0]))

struct fixture {
	struct sf_exec *exec[NR_WAYS];
	struct sf_judge *judge;
};

static bool open_fixture(struct fixture *f, const struct sf_allocator *a,
			 const struct sf_settings *set)
{
	struct sf_judge_options judging = { .violation = on_violation };
	struct sf_error err;

	f->judge = sf_judge_create(&judging);
	for (size_t i = 0; i < NR_WAYS; i++) {
		struct sf_exec_options how = { .end = SF_END_PLAIN, .contents = ways[i].contents };

		f->exec[i] = sf_exec_create(a, set, &how, ways[i].judged ? sf_judge_event : NULL,
					    f->judge, &err);
		if (!f->exec[i])
			return false;
	}
	return true;
}

static void close_fixture(struct fixture *f)
{
	for (size_t i = 0; i < NR_WAYS && f->exec[i]; i++)
		sf_exec_destroy(f->exec[i]);
	sf_judge_destroy(f->judge);
	memset(f, 0, sizeof(*f));
}

static void run_ways(struct fixture *f, const struct kept *k, struct sf_prog *p)
{
	uint64_t start = now(), before = 0, took;
	struct sf_error err;

	sf_bytes_decode(p, k->data, k->size, SF_FUZZ_OPS_MAX);
	bench.ns[PART_decoding] += now() - start;
	p->settings = k->set;
	for (size_t i = 0; i < NR_WAYS; i++) {
		start = now();
		sf_exec_run(f->exec[i], p, NULL, &err);
		took = now() - start;
		bench.ns[ways[i].part] += took > before ? took - before : 0;
		before = took;
	}
}

static int by_settings(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;
	int diff = memcmp(&x->set, &y->set, sizeof(x->set));

	return diff ? diff : (x->data > y->data) - (x->data < y->data);
}

static bool write_parts(void)
{
	static const char *const names[] = {
#define X(name) #name,
		PARTS(X)
#undef X
	};
	const char *path = getenv("SLABFUZZ_BENCH_RESULT");
	FILE *f = path ? fopen(path, "w") : NULL;

	for (int i = 0; f && i < NR_PARTS; i++)
		fprintf(f, "%s %.3f\n", names[i], (double)bench.ns[i] / 1000 / bench.nr);
	return f && !fclose(f);
}

static _Noreturn void finish(void)
{
	const char *name = getenv("SLABFUZZ_ALLOCATOR");
	const struct sf_allocator *a = sf_allocator_by_name(name && *name ? name : "baseline");
	struct fixture fixture = { .judge = NULL };
	uint64_t known;
	struct sf_prog p;

	sf_prog_init(&p);
	qsort(bench.kept, bench.nr, sizeof(bench.kept[0]), by_settings);
	for (uint32_t i = 0; i < bench.nr; i++) {
		const struct kept *k = &bench.kept[i];

		if (!i || memcmp(&k->set, &k[-1].set, sizeof(k->set))) {
			if (i)
				close_fixture(&fixture);
			if (!open_fixture(&fixture, a, &k->set))
				_Exit(2);
		}
		run_ways(&fixture, k, &p);
	}
	/* The clock cannot tell them apart in one program, but in all. */
	known = bench.ns[PART_running] + bench.ns[PART_contents] + bench.ns[PART_judging];
	bench.ns[PART_end] = bench.work > known ? bench.work - known : 0;
	known = bench.ns[PART_decoding];
	bench.ns[PART_heap_opening] -= bench.ns[PART_heap_opening] > known ? known : 0;
	_Exit(write_parts() ? 0 : 2);
}

/* --- what the engine calls --- */

static void keep(const uint8_t *data, size_t size)
{
	struct kept *k = &bench.kept[bench.nr++];

	k->data = sf_grow(NULL, size + 1, 1);
	memcpy(k->data, data, size);
	k->size = size;
	k->set = sf_fuzz_last()->settings;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t start = now(), end;

	bench.begun = 0;
	sf_fuzz_program(data, size);
	end = now();
	if (++bench.seen <= WARM_UP || !bench.begun) {
		bench.over = end;
		return 0;
	}
	bench.ns[PART_engine] += start - bench.over;
	bench.ns[PART_heap_opening] += bench.begun - start;
	bench.work += end - bench.begun;
	keep(data, size);
	if (bench.nr == PROGRAMS)
		finish();
	bench.over = now();
	return 0;
}
