/* SPDX-License-Identifier: MIT */
/*
 * runner.h - runs a program or a recording on one allocator with a listener of one's own, no judge:
 * for commands that look at a heap. Relies on the executor and the importer; compare and slabinfo
 * rely on it.
 */
#ifndef SLABFUZZ_RUNNER_H
#define SLABFUZZ_RUNNER_H

#include "../exec/exec.h"
#include "input.h"
#include "select.h"

struct sf_runner {
	const struct sf_allocator *allocator;
	const struct sf_overrides *overrides;
	uint64_t stop_at; /* so many operations, 0: all */
	void (*emit)(void *ctx, const struct sf_event *ev);
	/* Before the program ends: the heap as it is. May be NULL. */
	void (*at_end)(void *ctx, struct sf_exec *x, const struct sf_allocator *a);
	/* The same after every so many operations; 0: never. */
	uint64_t look_every;
	void (*look)(void *ctx, struct sf_exec *x, const struct sf_allocator *a);
	void *look_ctx;
	/* In place of sf_exec_step(); NULL: that. */
	bool (*step)(void *step_ctx, struct sf_exec *x, const struct sf_op *op,
		     const char *strings);
	void *step_ctx;
	/* Before the first operation. May be NULL. */
	void (*at_begin)(void *ctx);
	void *ctx;
};

/* `prog` is what is in `in` unless that is a recording. 0, or the exit status after a message. */
int sf_runner_run(const struct sf_runner *r, const struct sf_input *in, const struct sf_prog *prog);

#endif
