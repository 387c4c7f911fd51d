/* SPDX-License-Identifier: MIT */
/*
 * bench.h - the benchmark behind `make bench`: what its measurements share. Every target is a
 * ratio or a time taken in this run on this machine, as the median of interleaved rounds with the
 * extremes beside it.
 */
#ifndef SLABFUZZ_BENCH_H
#define SLABFUZZ_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "../../allocators/base/grow.h"
#include "../../oracles/oracle.h"
#include "../exec/exec.h"

#define BENCH_ROUNDS_MAX 64
#define BENCH_RESULTS_MAX 192
#define BENCH_POOLS 3      /* sizes of pools */
#define BENCH_POOL_STEPS 7

enum bench_kind {
	BENCH_RATIO, /* has a target */
	BENCH_RATE,  /* is reported, and promises nothing */
};

struct bench_result {
	char name[64];
	uint8_t kind;      /* enum bench_kind */
	double median, min, max;
	double target;     /* at most; 0: none */
	const char *unit;  /* "" for ratios */
};

/* A pool, and the same objects in plain mappings of their own: medians, in nanoseconds. */
struct bench_pool {
	uint32_t pages, objects;
	uint64_t bytes;                     /* asked for */
	double ns[2][BENCH_POOL_STEPS];     /* pool, plain */
	uint64_t used[2], mappings[2];      /* pages; entries of /proc/self/maps when sealed */
};

/* A recording as operations; their numbers are as the importer recycles them. */
struct bench_recording {
	struct sf_prog prog;
	struct sf_settings set;
};

extern const char *const bench_pool_steps[BENCH_POOL_STEPS];

struct bench {
	bool quick;
	unsigned int rounds;
	const char *corpus;  /* folder of programs that fuzzing begins with */
	const char *traces;  /* folder of recordings */
	const char *target;  /* libFuzzer program, NULL: look beside this one */
	const char *asan;    /* this benchmark built with AddressSanitizer */
	char folder[4096];   /* where this program is */

	struct sf_prog *sample; /* of `corpus` */
	uint32_t nr_sample;

	struct bench_result result[BENCH_RESULTS_MAX];
	uint32_t nr_results;
	struct bench_pool pool[BENCH_POOLS]; /* pages 0: not measured */
	char skipped[8][160];
	uint32_t nr_skipped;
};

/* One value a round, in the order of measurement. */
struct series {
	double value[BENCH_ROUNDS_MAX];
	unsigned int nr;
};

void bench_add(struct bench *b, enum bench_kind kind, const char *name, const struct series *s,
	       double target, const char *unit);
void bench_add_value(struct bench *b, enum bench_kind kind, const char *name, double value,
		     double target, const char *unit);
void bench_skip(struct bench *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void series_add(struct series *s, double value);
/* Sorts. */
double median_of(double *values, unsigned int nr);

/* Nanoseconds of this process's CPU time: what else runs on the machine is not our subject. */
uint64_t bench_now(void);
/* Nanoseconds of the monotonic clock: for spans so short that asking for CPU time would show. */
uint64_t bench_now_wall(void);
/* Ends the process with a message: nothing that follows would mean anything. */
_Noreturn void bench_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

struct sf_exec *bench_exec(const struct sf_settings *set, struct sf_judge *judge,
			   uint32_t walk_every);
/* False: it cannot be read, and bench_skip() was told. */
bool bench_record(struct bench *b, struct bench_recording *r);
/* A judge whose first violation ends the process: what is wrong is not worth timing. */
struct sf_judge *bench_judge(void);
/* Fills `p` with a program of `nr_ops` operations on a heap of default settings. */
void bench_generate(struct sf_prog *p, uint32_t nr_ops, uint64_t seed, bool checks);

void bench_operations(struct bench *b); /* oracles off and on */
void bench_user(struct bench *b);       /* a C library's malloc(), bare and judged */
void bench_reset(struct bench *b);
void bench_replay(struct bench *b);     /* nanoseconds per event by length */
void bench_memory(struct bench *b);
void bench_target(struct bench *b);     /* libFuzzer */
void bench_growth(struct bench *b);     /* nanoseconds per unit by number of units */
void bench_isolation(struct bench *b);  /* partitions, their oracles, types */
void bench_reclaim(struct bench *b);    /* reclaim, its oracles */
void bench_worker(struct bench *b);     /* programs in another process */
void bench_lockstep(struct bench *b);   /* members beside one another, and each alone */
void bench_large(struct bench *b);      /* slabs of 2 MiB, least orders */
void bench_pools(struct bench *b);      /* sealing, and plain mappings beside it */

/* Rates WORKLOAD_ALLOCATOR_oracles_off and _on: nanoseconds an operation, contents and all. */
void bench_workload_rates(struct bench *b, const struct sf_allocator *a, const char *workload);
/* Nanoseconds an operation; `judge` may be NULL. */
double bench_run_program(const struct bench *b, const struct sf_allocator *a,
			 const struct sf_prog *p, struct sf_judge *judge);

/*
 * What oracles add to generated programs, or to these (which have the settings of the first):
 * a ratio NAME_oracles_ALLOCATOR.
 */
void bench_oracles(struct bench *b, const struct sf_allocator *a, const char *name,
		   bool (*of_family)(unsigned int inv), double target);
void bench_oracles_on(struct bench *b, const struct sf_allocator *a, const char *name,
		      bool (*of_family)(unsigned int inv), double target,
		      const struct sf_prog *programs, uint32_t nr);

#endif
