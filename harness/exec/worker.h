/* SPDX-License-Identifier: MIT */
/*
 * worker.h - an executor and its allocator in another process, which may die: programs go in, a
 * batch at a time, events come out, through shared memory (docs/worker.md). Relies on the executor
 * and on Linux; `run` and the benchmark rely on it.
 *
 * A worker is warm: the library is there, its heap made; who executes is forked from that, again
 * when it has died, and (SF_FORK_PROGRAM, SF_FORK_BATCH) for each program or batch, which is a
 * reset that an allocator cannot get wrong. Nothing that it does ends or stops this process: a
 * crash becomes an event, SF_EV_CRASH, at the operation in hand.
 *
 * One thread. Callbacks must not call back into the worker.
 */
#ifndef SLABFUZZ_WORKER_H
#define SLABFUZZ_WORKER_H

#include "exec.h"

/* SF_WORKER_FORKS(X): X(identifier, name, what is forked for) */
#define SF_WORKER_FORKS(X)                                            \
	X(NONE, "none", "one process, until it dies")                 \
	X(BATCH, "batch", "a process for each batch of programs")     \
	X(PROGRAM, "program", "a process for each program")

enum sf_worker_fork {
#define X(id, name, doc) SF_FORK_##id,
	SF_WORKER_FORKS(X)
#undef X
};

/* SF_WORKER_FATES(X): X(identifier, how a program ended) */
#define SF_WORKER_FATES(X)                                                          \
	X(DONE, "it ran to its end")                                                \
	X(NO_HEAP, "its heap cannot be made: `why` says so; no event came of it")   \
	X(SIGNAL, "a signal that nobody here sent: `status`")                       \
	X(EXIT, "exit() in the midst of it: `status`")                              \
	X(HANG, "an operation took longer than the limit")                          \
	X(MEMORY, "it took more memory than the limit")                             \
	X(OUTPUT, "it wrote more text than the limit")                              \
	X(CLOSED, "it closed descriptors that were not its own")                    \
	X(SCRIBBLED, "it wrote over the memory that carries the events: `why`")

enum sf_worker_fate {
#define X(id, doc) SF_FATE_##id,
	SF_WORKER_FATES(X)
#undef X
};

#define SF_CRASH_TITLE_MAX 160

struct sf_worker_end {
	uint8_t fate;            /* enum sf_worker_fate */
	bool refusal;            /* an abort that the allocator's traits allow in this place */
	int status;              /* of waitpid(); 0: not known */
	uint32_t op;             /* in hand when it died; SF_NONE: none */
	struct sf_exec_counts counts; /* of what did not die */
	/* Of a crash: what its batch wrote to standard output and error; ends with NUL. */
	const char *text;
	size_t text_len;
	char why[200];           /* one line, or "" */
	char title[SF_CRASH_TITLE_MAX]; /* of a crash */
};

/* After an operation, its events having come. */
struct sf_worker_step {
	uint32_t op;
	struct sf_outcome outcome;
	uint64_t no_cap;         /* operations so far that the allocator cannot do */
	uint64_t live;           /* objects */
	bool said;               /* it wrote text meanwhile */
};

struct sf_worker_options {
	struct sf_exec_options exec;
	uint8_t fork;            /* enum sf_worker_fork */
	uint32_t batch;          /* programs, at most; 0: 64 */
	uint32_t timeout_ms;     /* of an operation; 0: none */
	uint64_t memory_bytes;   /* resident, beyond what it begins with; 0: no limit */
	uint64_t text_bytes;     /* 0: 16 MiB */
	/* Strings and arrays in an event are the worker's, until the callback returns. */
	void (*emit)(void *ctx, const struct sf_event *ev);
	void (*step)(void *ctx, const struct sf_worker_step *step); /* NULL: not wanted */
	bool step_said;          /* only those in which text was written */
	/*
	 * After the last event of the program, and after title(). `job`: its place in what
	 * sf_worker_run() got.
	 */
	void (*over)(void *ctx, uint32_t job, const struct sf_worker_end *end);
	/* In the worker, before its allocator does anything. May be NULL. */
	void (*inside)(void);
	/* Titles of crashes; NULL: the kind, and the signal's name. */
	void (*title)(void *ctx, const struct sf_worker_end *end,
		      char title[SF_CRASH_TITLE_MAX]);
	void *ctx;
};

struct sf_worker_job {
	const struct sf_prog *prog;
	const struct sf_settings *settings; /* NULL: the program's */
	const char *name;                   /* for the event BEGIN; may be NULL */
};

struct sf_worker;

/*
 * NULL on failure, with one line in `err`: no process, no memory, or the allocator refuses
 * (best-effort ones have a heap at once, others with the first program). All of `opt` is copied.
 */
struct sf_worker *sf_worker_open(const struct sf_allocator *a, const struct sf_settings *set,
				 const struct sf_worker_options *opt, struct sf_error *err);
/*
 * Runs them in order. False: the worker is no more and cannot be made again (err: one line); jobs
 * that over() was not called for did not run.
 */
bool sf_worker_run(struct sf_worker *w, const struct sf_worker_job *jobs, uint32_t nr,
		   struct sf_error *err);
/* Its processes are gone when this returns. NULL is fine. */
void sf_worker_close(struct sf_worker *w);

#endif
