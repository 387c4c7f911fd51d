/* SPDX-License-Identifier: MIT */
/*
 * diff_threads.h - `slabfuzz diff --threads`: what was asked, in which rounds a program runs, and
 * what was found. Relies on concurrent.h.
 */
#ifndef SLABFUZZ_DIFF_THREADS_H
#define SLABFUZZ_DIFF_THREADS_H

#include "../lockstep/concurrent.h"
#include "diff.h"

/* Which round, of which program, on which member. */
struct sf_threads_at {
	uint32_t member, program, round;
};

struct sf_threads_total {
	uint64_t calls, rounds, falls_short, left_out;
	uint32_t programs, faults, given_up;
	bool more; /* there are more orders than were run */
};

enum sf_room { SF_ROOM_UNKNOWN, SF_ROOM_ENOUGH, SF_ROOM_SCARCE };

/* In memory that the child shares. */
struct sf_threads_shared {
	struct sf_threads_at at; /* in hand */
	bool only;               /* that round alone ... */
	uint32_t repeats;        /* ... so often */
	bool done;               /* all of them */
	uint8_t ran;             /* enum sf_ran */
	uint8_t room;            /* enum sf_room: of the program in hand */
	struct sf_thread_fault fault;
	struct sf_threads_total total[SF_MEMBERS_MAX];
	char why[200];           /* it cannot go on */
};

struct sf_threads_find {
	struct sf_threads_at at;
	struct sf_thread_fault fault;
	bool crash;
	bool known; /* one of that title was found before */
	bool again; /* in a process of its own, too */
	char title[240];
};

struct sf_threads {
	const struct sf_diff_plan *plan;
	char **file;           /* names; generated programs come behind */
	struct sf_prog *prog;
	uint32_t nr_progs, cap_progs, cap_files;
	struct sf_prog drawn;  /* of these, the one in hand */
	struct sf_threads_shared *shared;
	struct sf_threads_find *find;
	uint32_t nr_finds, cap_finds;
};

/* By number, files first. */
const struct sf_prog *sf_threads_program(struct sf_threads *t, uint32_t nr);
uint32_t sf_threads_programs(const struct sf_threads *t);

/* False: one line in *err. */
bool sf_threads_run(struct sf_threads *t, struct sf_error *err);

/* Who does what in a round, and in which order. */
struct sf_rounds {
	const struct sf_diff_plan *plan;
	struct sf_deal deal;
	uint32_t *order, cap;
	uint32_t made; /* SF_ORDERS_ALL: `order` is that of this round; UINT32_MAX: of none */
};

void sf_rounds_init(struct sf_rounds *r, const struct sf_diff_plan *plan);
/* Before another program. */
void sf_rounds_forget(struct sf_rounds *r);
/* False: there are not so many orders. */
bool sf_rounds_make(struct sf_rounds *r, const struct sf_allocator *a, const struct sf_prog *p,
		    uint32_t nr);
void sf_rounds_free(struct sf_rounds *r);

void sf_threads_print(struct sf_threads *t);
void sf_threads_print_json(struct sf_threads *t);
/* A suite for each member, in it a case for each rule, and one for crashes. */
void sf_threads_junit(struct sf_threads *t, FILE *out);

/* cmd_diff.c hands over. */
int sf_diff_threads(const struct sf_diff_plan *plan, char **files);

#endif
