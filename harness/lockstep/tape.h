/* SPDX-License-Identifier: MIT */
/*
 * tape.h - what a member did with a whole program, step by step, to be held against another's
 * afterwards: in a worker, which may have died of it, or here. Relies on worker.h and observe.h.
 */
#ifndef SLABFUZZ_TAPE_H
#define SLABFUZZ_TAPE_H

#include "../exec/worker.h"
#include "observe.h"

struct sf_tape_options {
	struct sf_exec_options exec;
	bool no_whole;         /* whole events are not compared */
	bool here;             /* in this process; what is below is for workers */
	uint32_t timeout_ms;   /* of an operation; 0: none */
	uint64_t memory_bytes; /* 0: no limit */
	/* As of a worker (worker.h); may be NULL. */
	void (*inside)(void);
	void (*title)(void *ctx, const struct sf_worker_end *end,
		      char title[SF_CRASH_TITLE_MAX]);
	void *ctx;
};

struct sf_tape;

struct sf_tape *sf_tape_create(const struct sf_allocator *a, const struct sf_tape_options *opt);
void sf_tape_free(struct sf_tape *t);
/* The next program gets a fresh heap, also if it is one like the last. */
void sf_tape_renew(struct sf_tape *t);
/* How programs end from now on. Here alone. */
void sf_tape_set_end(struct sf_tape *t, enum sf_end end);

/* The program, in place of what was there. False with one line in `err`: it did not run. */
bool sf_tape_record(struct sf_tape *t, const struct sf_prog *p, const char *name,
		    const struct sf_settings *set, struct sf_error *err);
/*
 * What was seen in operation `nr`; SF_NONE: when the program ended. False: it went no further, for
 * it blocked or crashed. Strings are the tape's.
 */
bool sf_tape_play(const struct sf_tape *t, uint32_t nr, struct sf_observer *to,
		  struct sf_outcome *out);
/* Operations that it went through, with the one that it blocked or crashed in. */
uint32_t sf_tape_steps(const struct sf_tape *t);

#endif
