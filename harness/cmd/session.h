/* SPDX-License-Identifier: MIT */
/*
 * session.h - one allocator under the oracles: runs programs and replays recordings on it, and
 * adds what comes out to the results. Relies on the executor, the judge and the importer; `run`
 * relies on it.
 */
#ifndef SLABFUZZ_SESSION_H
#define SLABFUZZ_SESSION_H

#include "../exec/worker.h"
#include "input.h"
#include "results.h"
#include "select.h"

/*
 * Who looks on: at what the judge sees, on its way to it; at each operation before its events, with
 * its text (NULL: before the first, after the last); at violations, expected ones too.
 */
struct sf_session_tap {
	void (*op)(void *ctx, uint32_t op, const char *text);
	void (*event)(void *ctx, const struct sf_event *ev);
	void (*violation)(void *ctx, const struct sf_violation *v);
	void *ctx;
	/* Texts of a program's operations, if who looks on has them: each alone takes O(n). */
	const char *const *lines;
};

struct sf_session_options {
	const struct sf_session_tap *tap; /* NULL: nobody */
	sf_invariant_set only; /* oracles, 0: all */
	struct sf_exec_options exec;   /* walk_every: SF_WALK_UNSAID, or as asked for */
	struct sf_overrides overrides; /* of settings */
	struct sf_trace_hints hints;   /* of recorded kernels */
	uint8_t worker;                /* enum sf_worker_use */
	uint32_t timeout_ms;           /* of an operation in a worker; 0: none */
	uint64_t memory_bytes;         /* of a worker; 0: no limit */
};

/* Where programs are executed (exec/worker.h). Recordings are replayed in this process. */
enum sf_worker_use {
	SF_WORKER_NO,      /* in this process */
	SF_WORKER_BATCH,   /* in a worker, all in one process */
	SF_WORKER_PROGRAM, /* in a worker, each in a process of its own */
	SF_WORKER_UNSAID,  /* PROGRAM for libraries and plug-ins, else NO */
};

/* A recording is looked at as a whole every so many operations if the user does not say. */
#define SF_WALK_UNSAID UINT32_MAX
#define SF_REPLAY_WALK_EVERY 100000u

struct sf_session;

struct sf_session *sf_session_create(const struct sf_allocator *a,
				     const struct sf_session_options *opt, struct sf_results *r);
void sf_session_destroy(struct sf_session *s);

/* Each adds one trial to the results, and what the oracles counted. */
void sf_session_program(struct sf_session *s, const char *file, const struct sf_prog *p);
/* `paths` are what sf_trace_open_files() takes, `name` is what the user calls it. */
void sf_session_recording(struct sf_session *s, const char *name, const char *const *paths,
			  unsigned int nr);

/*
 * Where the work was that results say was in hand: op, line and text of it; `p` is its program,
 * NULL: a recording.
 */
void sf_session_where(const struct sf_results *r, const struct sf_prog *p, struct sf_found *where);

#endif
