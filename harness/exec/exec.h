/* SPDX-License-Identifier: MIT */
/*
 * exec.h - the executor: carries out operations on an allocator and emits what happened as events.
 *
 * It judges nothing. It is the allocator's user: it fills what it gets with a pattern of object and
 * position, verifies that before it gives it back, and never touches memory but through the
 * interface.
 */
#ifndef SLABFUZZ_EXEC_H
#define SLABFUZZ_EXEC_H

#include "../program/program.h"
#include "../program/types.h"

enum sf_end {
	SF_END_PLAIN, /* free nothing, look at nothing */
	SF_END_WALK,  /* a snapshot */
	/* A snapshot; free everything, destroy caches, shrink, drain; a last snapshot. */
	SF_END_TEARDOWN,
	/*
	 * The same without the first snapshot: fuzzers take turns with this, WALK and PLAIN, so
	 * that one run does not pay for everything.
	 */
	SF_END_ONLY_TEARDOWN,
};

/* User space: larger objects are never written whole. */
#define SF_USER_WHOLE_MAX (1u << 20)

struct sf_exec_options {
	uint8_t end;            /* enum sf_end */
	bool contents;          /* fill and verify objects */
	bool whole;             /* always whole contents, never sparse */
	uint32_t walk_every;    /* a snapshot every so many operations, 0: at check and the end */
	uint32_t check_every;   /* INTEGRITY every so many operations, 0: after each */
	/*
	 * Bytes that a program may make an allocator zero, and copy in realloc(), in all; what
	 * would be beyond is skipped. 0: no limit. A gigabyte takes as long as thousands of short
	 * programs.
	 */
	uint64_t touch_max;
	/* What objects are filled with is another one's for another number. */
	uint64_t keys;
};

struct sf_exec;

/*
 * An executor with a heap of its own. `emit` may be NULL (the allocator traces nothing then). NULL
 * on failure with one line in `err`.
 */
struct sf_exec *sf_exec_create(const struct sf_allocator *a, const struct sf_settings *set,
			       const struct sf_exec_options *opt,
			       void (*emit)(void *ctx, const struct sf_event *ev), void *ctx,
			       struct sf_error *err);
void sf_exec_destroy(struct sf_exec *x);

/*
 * Whole program: reset, begin, every operation, end. Returns the operations carried out. If the
 * program's settings are not the heap's, the heap is replaced (-1 with err: that failed).
 * Nothing is allocated per operation once the executor has seen a program of that size.
 */
int64_t sf_exec_run(struct sf_exec *x, const struct sf_prog *p, const char *name,
		    struct sf_error *err);

/*
 * Another heap instead of the one it has, also if their settings are the same: the tables stay.
 * False with one line in `err`: then it has none, and can but try again or be destroyed.
 */
bool sf_exec_open(struct sf_exec *x, const struct sf_allocator *a, const struct sf_settings *set,
		  struct sf_error *err);

/*
 * The program is over with the operation in hand, and does not end: nothing more is looked at or
 * freed. For who is called from the midst of an operation and has seen enough.
 */
void sf_exec_stop(struct sf_exec *x);

/*
 * The same piecewise, for programs that are never whole in memory (traces): begin; step for each
 * operation; end. `strings` holds what the operation's name refers to. A result number may be used
 * again once its object is gone. step() returns false when the program is over (blocked).
 */
void sf_exec_begin(struct sf_exec *x, const char *name);
bool sf_exec_step(struct sf_exec *x, const struct sf_op *op, const char *strings);
void sf_exec_end(struct sf_exec *x);

/*
 * One operation of the kmalloc_obj family, of op->size bytes. `type` says what the type table does
 * for others: alignment and counter. op->type is its number, or 0: the table does not know it.
 */
bool sf_exec_step_object(struct sf_exec *x, const struct sf_op *op, const struct sf_type *type);

/* What the last operation that allocated gave: for expectations. */
struct sf_outcome {
	uint8_t status; /* enum sf_status */
	uint64_t addr;
	bool skipped;
	int64_t ret;    /* of kmem_cache_shrink(), shrink() */
};
const struct sf_outcome *sf_exec_outcome(const struct sf_exec *x);

/* Objects alive now, operations carried out, and skipped by reason. */
struct sf_exec_counts {
	uint64_t live, ops, skipped[SF_SKIP_REASONS];
};
void sf_exec_counts(const struct sf_exec *x, struct sf_exec_counts *out);

/* Capabilities without which an operation of this code is skipped; 0: none, or no such code. */
uint64_t sf_exec_needs(unsigned int code);

/* How programs end from now on. */
void sf_exec_set_end(struct sf_exec *x, enum sf_end end);
/* touch_max from now on. */
void sf_exec_set_touch_max(struct sf_exec *x, uint64_t bytes);

struct sf_heap *sf_exec_heap(struct sf_exec *x);
/* Which operation is in hand; SF_NONE: before the first, or after the last. */
uint32_t sf_exec_op(const struct sf_exec *x);

/* enum sf_user_call: how an operation of user space is spelled to the allocator. */
uint8_t sf_exec_call(const struct sf_op *op);

/* An abort at this operation is one that the traits announce: a refusal. */
bool sf_exec_abort_refuses(const struct sf_traits *t, const struct sf_op *op, bool tainted);

#endif
