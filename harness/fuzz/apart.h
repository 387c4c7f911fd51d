/* SPDX-License-Identifier: MIT */
/*
 * apart.h - work that may die: it is done in a child process, watched by this one (apart.c). What
 * both know of it is in memory that they share; a crash becomes a title (crash.h). Relies on the
 * operating system alone; `run` relies on it.
 */
#ifndef SLABFUZZ_APART_H
#define SLABFUZZ_APART_H

#include <stdbool.h>
#include <stdint.h>

#include "crash.h"

/* Shared by both sides; the child writes it, and no more than numbers are believed of it. */
struct sf_apart_state {
	volatile uint64_t beat; /* changes with every step of the work */
	volatile bool midst;    /* the allocator's code is, or may be, running */
	volatile bool finished;
	volatile bool closed;   /* descriptors were not what they should be */
	volatile int64_t said;  /* where what it says about the step in hand begins */
};

struct sf_apart_options {
	unsigned int seconds;  /* a step that takes longer hangs; 0: none does */
	uint64_t memory_bytes; /* resident; more has run away; 0: no limit */
	/* In this process, soon after the child called sf_apart_tell(). May be NULL. */
	void (*told)(void *ctx);
	/* In the child. */
	void (*work)(void *ctx);
	void *ctx;
};

struct sf_apart_end {
	struct sf_crash crash; /* kind NONE: the work is done */
	char *report;          /* what was said of that, with names of functions; to be freed */
};

/* A page that both share. It stays for as long as this process lives. */
struct sf_apart_state *sf_apart_state(void);

/*
 * Does the work, and waits for its end. In the child, what goes to standard error is kept: the
 * report of a crash; printed when there is none. False: no child could be made, errno says why.
 */
bool sf_apart_run(const struct sf_apart_options *opt, struct sf_apart_end *end);

/* In the child: the next step, with what there is to say about it. Ends it if it was robbed. */
void sf_apart_step(bool midst);
void sf_apart_tell(void);

/* Where this process's own messages go: standard error, whatever work done apart makes of that. */
int sf_apart_messages(void);

#endif
