/* SPDX-License-Identifier: MIT */
/*
 * diff.h - what `slabfuzz diff` was asked and has found: cmd_diff.c runs programs, diff_show.c
 * shows what came of it as text, JSON and JUnit. Relies on lockstep.h.
 */
#ifndef SLABFUZZ_DIFF_H
#define SLABFUZZ_DIFF_H

#include "../lockstep/lockstep.h"
#include "cmd.h"
#include "members.h"

/* In which orders threads call (concurrent.h). */
enum sf_orders { SF_ORDERS_SEEDED, SF_ORDERS_ALL, SF_ORDERS_FREE };

struct sf_diff_plan {
	struct sf_members on;
	struct sf_overrides overrides;
	uint32_t relations; /* bits, by enum sf_relation: of the first member */
	struct sf_exec_options exec;
	uint32_t threads, rounds; /* threads 0: one operation after the other */
	uint8_t order;            /* enum sf_orders */
	uint32_t programs;
	uint64_t seed;
	const char *junit;
	uint32_t timeout; /* seconds, of an operation in a worker; 0: none */
	bool worker, here, json, all;
};

/* A divergence, kept. */
struct sf_diff_kept {
	char *file;
	uint32_t op, a, b;
	uint8_t property;
	bool consequence;
	char *what, *a_has, *b_has, *title;
};

struct sf_diff {
	const struct sf_diff_plan *plan;
	struct sf_lockstep *lockstep;
	struct sf_diff_kept *kept;
	uint32_t nr, cap;
	const char *file; /* in hand */
	uint32_t programs;
	bool generated;   /* it is: nothing is said of those that show no difference */
	uint32_t contradictory; /* of these, what members' settings cannot go with */
	uint64_t operations;
};

/* A file as a program in words of the members; a generated one, and what it is called. */
int sf_diff_read(const struct sf_diff_plan *plan, const char *name, struct sf_prog *p);
void sf_diff_generate(const struct sf_diff_plan *plan, uint32_t nr, struct sf_prog *p,
		      char name[40]);

/* A program, with what was kept from `from` on: first divergence first. */
void sf_diff_print_file(const struct sf_diff *f, const char *name, const struct sf_prog *p,
			uint32_t from);
void sf_diff_print_pairs(const struct sf_diff *f);
void sf_diff_print_json(const struct sf_diff *f);
/* A suite for each pair, in it a case for each property; one that was never compared is skipped. */
void sf_diff_junit(const struct sf_diff *f, FILE *out);

/* The settings of its heap; nothing if they are all as they are without a word. */
void sf_diff_print_heap(const struct sf_prog *p);

/* Of the first member and `b`, over all properties. */
void sf_diff_sum(const struct sf_diff *f, uint32_t b, uint64_t *compared, uint64_t *skipped,
		 uint64_t *diverged);
const char *sf_diff_label(const struct sf_diff *f, uint32_t member);

#endif
