/* SPDX-License-Identifier: MIT */
/*
 * deal.h - a program dealt to threads: which operation is which thread's, what must have been done
 * before it, and the orders in which all that can happen. Relies on programs alone; concurrent.h
 * carries it out.
 *
 * Operations on one object keep their order, whoever does them: an object is handed over, never
 * shared. All else may happen in any order, which is what an allocator must bear.
 */
#ifndef SLABFUZZ_DEAL_H
#define SLABFUZZ_DEAL_H

#include "../../allocators/base/rng.h"
#include "../program/program.h"

struct sf_step {
	uint32_t op;     /* of the program; SF_NONE: what is left of the object is freed */
	uint32_t object; /* the first of its results; SF_NONE: of none */
	uint32_t before; /* the step before it with that object; SF_NONE: none */
	uint8_t thread;
	bool call;       /* it calls the allocator: others may come before it, not in it */
};

/* Zeroed there is none yet; it keeps its memory. */
struct sf_deal {
	struct sf_step *step; /* in an order that is possible: the program's */
	uint32_t nr, cap;
	uint32_t threads;
	uint32_t left_out;    /* operations that no thread can do */
	uint32_t *first;      /* of each result: that of the object which it is a name of */
	uint32_t *last;       /* of each object: its step so far */
	bool *resized;        /* of each object: which of its names is good is known later */
	size_t cap_results;
};

/*
 * Where the program says thread(), it has dealt itself; else a thread is drawn for each operation,
 * by `seed`. What is alive at the end is freed, by any thread. Words of user space with the first
 * heap are dealt, as far as `a` has them and they do not end the process; all else is left out.
 */
void sf_deal(struct sf_deal *d, const struct sf_prog *p, const struct sf_allocator *a,
	     uint32_t threads, uint64_t seed);
void sf_deal_free(struct sf_deal *d);

/* One of the orders: indices of steps into order[0 .. d->nr). */
void sf_order_draw(const struct sf_deal *d, struct sf_rng *r, uint32_t *order);
/*
 * All orders in which calls can follow each other, one after the other; the first has thread 0 as
 * early as can be. False: that was the last.
 */
void sf_order_first(const struct sf_deal *d, uint32_t *order);
bool sf_order_next(const struct sf_deal *d, uint32_t *order);

/*
 * An order as a program: thread() before each change of threads. What is freed at the end is left
 * out. at[op]: where the operation is in it, SF_NONE: nowhere; may be NULL.
 */
void sf_order_program(const struct sf_deal *d, const struct sf_prog *p, const uint32_t *order,
		      struct sf_prog *to, uint32_t *at);

#endif
