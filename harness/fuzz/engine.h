/* SPDX-License-Identifier: MIT */
/*
 * engine.h - a run of a fuzzing engine: its processes started, kept going and stopped, and what
 * came of it (engine.c: what engines share; with_libfuzzer.c, with_afl.c: each). Knows targets, not
 * allocators. Relies on files.h, seeds.h and finds.h.
 */
#ifndef SLABFUZZ_ENGINE_H
#define SLABFUZZ_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../allocators/allocator.h"
#include "finds.h"

struct sf_engine_plan {
	const char *target;      /* program */
	const char *mutator;     /* AFL++: our library */
	const char *allocators;  /* names with blanks between them; NULL: it runs on none */
	const char *corpus;      /* folder; what else a run needs is beside it, CORPUS-* */
	const char *crashes;     /* folder */
	const char *const *seeds;/* folders, NULL at the end */
	const char *flags;       /* more options for the engine, words; may be NULL */
	const char *dict;        /* libFuzzer: a dictionary; may be NULL */
	const char *coverage;    /* libFuzzer: what was covered, by function, goes there; or NULL */
	bool raw;                /* seeds are what the target takes */
	bool progress;           /* drawn on standard error */
	uint32_t seconds, jobs, max_len;
	uint64_t seed;           /* 0: the engine draws it */
};

struct sf_engine_allocator {
	char *name;
	uint64_t runs, edges;
};

struct sf_engine_result {
	double seconds;
	uint64_t executions, edges, edges_total; /* total: 0, not known */
	uint64_t cpu;          /* ns, of all jobs; 0: not known; ... */
	uint64_t opening, running, costliest; /* ... of these the target's: heaps, programs */
	uint64_t compared, uncompared;           /* values, in lockstep; of all jobs */
	char *corpus;          /* folder with what was kept */
	char *log;
	size_t files, seeds;   /* in the corpus; given */
	char stability[16];    /* "100.00%"; "": the engine does not say */
	bool interrupted;
	struct sf_engine_allocator *allocators;
	uint32_t nr_allocators;
	struct sf_finds finds;
};

/*
 * Runs the engine until its time is over or a signal asks for the end (SIGINT, SIGTERM; a second
 * one asks to hurry). 0, or an exit status and err: 2 what was given is no good, 3 it does not run.
 */
int sf_with_libfuzzer(const struct sf_engine_plan *plan, struct sf_engine_result *r,
		      struct sf_error *err);
int sf_with_afl(const struct sf_engine_plan *plan, struct sf_engine_result *r,
		struct sf_error *err);
void sf_engine_result_free(struct sf_engine_result *r);

/* --- for the engines --- */

/* A process of the engine's. */
struct sf_engine_job {
	pid_t pid; /* 0: none is running */
	int status;
};

struct sf_engine_run {
	const struct sf_engine_plan *plan;
	struct sf_engine_job *job; /* plan->jobs of them */
	double start, deadline;    /* monotonic, seconds */
	bool stopping, interrupted;
	uint64_t cpu;              /* ns, of the processes that ended */
	/* A job's process has ended, and time is left: it may start another. */
	void (*ended)(void *ctx, uint32_t nr);
	/* A line about how it goes, without an end. */
	void (*tell)(void *ctx, char *line, size_t size);
	void *ctx;
};

double sf_engine_now(void);
/*
 * The program of a job, with these words, NULL at the end, and "NAME=VALUE" added to the
 * environment; what it says is appended to `log`. A single job has one CPU to itself.
 */
void sf_engine_start(struct sf_engine_run *run, uint32_t nr, const char *const *argv,
		     const char *const *env, const char *log);
/* Until all have ended. */
void sf_engine_wait(struct sf_engine_run *run);

/* Words that grow; for argv and env. The strings are its own. */
struct sf_words {
	char **word; /* NULL at the end */
	size_t nr, cap;
};
void sf_words_add(struct sf_words *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Each word of a text. */
void sf_words_split(struct sf_words *w, const char *text);
void sf_words_free(struct sf_words *w);

/* What AddressSanitizer is told in targets; `more` in front of what the user says, or NULL. */
void sf_engine_asan(struct sf_words *env, const char *more);

/* `CORPUS-what` */
char *sf_engine_beside(const struct sf_engine_plan *plan, const char *what);
/* Folders made, seeds prepared, the result begun. 0, or as above. */
int sf_engine_prepare(const struct sf_engine_plan *plan, struct sf_engine_result *r,
		      struct sf_error *err);

#endif
