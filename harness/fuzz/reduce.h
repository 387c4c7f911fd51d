/* SPDX-License-Identifier: MIT */
/*
 * reduce.h - a smaller program that still does what it did (reduce.c: operations; reduce_args.c:
 * what is in them). Knows programs, and asks whoever calls what one of them does. Deterministic:
 * the same answers give the same result. Relies on ddmin.h; minimising and finds rely on it.
 */
#ifndef SLABFUZZ_REDUCE_H
#define SLABFUZZ_REDUCE_H

#include "../program/program.h"

/* Where a program shows it: what does not lead there goes first. */
struct sf_reduce_point {
	uint32_t op;         /* SF_NONE: at the end, or nobody knows */
	uint32_t objects[2]; /* result numbers involved, SF_NONE */
};

struct sf_reduce {
	/* Does it still show it, and where? No program is asked about twice. */
	bool (*keeps)(void *ctx, const struct sf_prog *p, struct sf_reduce_point *at);
	/* No more is to be tried: the result is the best so far. */
	bool (*stop)(void *ctx);
	/* There is a smaller one. May be NULL. */
	void (*smaller)(void *ctx, const struct sf_prog *p);
	void *ctx;
};

/* `p` shows it at `at`; afterwards it is as small as it gets. */
void sf_reduce(const struct sf_reduce *how, struct sf_prog *p, const struct sf_reduce_point *at);

#endif
