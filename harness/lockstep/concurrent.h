/* SPDX-License-Identifier: MIT */
/*
 * concurrent.h - a program that was dealt to threads (deal.h), carried out by them on one heap, in
 * a given order of calls or as they come; held against what the reference does with it in order.
 * Relies on allocators that announce SF_CAP_PARALLEL, and on oracles/ranges.h.
 *
 * What every interleaving must give, and nothing more, is a row of SF_THREAD_RULES. Who crashes or
 * hangs does so in this process.
 */
#ifndef SLABFUZZ_CONCURRENT_H
#define SLABFUZZ_CONCURRENT_H

#include "deal.h"

/* SF_THREAD_RULES(X): X(IDENTIFIER, name, what every interleaving must give) */
#define SF_THREAD_RULES(X)                                                                   \
	X(OVERLAP, "overlap", "no object has bytes of another one that is alive")            \
	X(CONTENTS, "contents",                                                              \
	  "what its owner wrote to an object is there until it is given back, and after a "  \
	  "realloc")                                                                         \
	X(RESULT, "result",                                                                  \
	  "an object where the reference has one and there is memory for all that is ever "  \
	  "asked for; none of more than PTRDIFF_MAX bytes")                                  \
	X(ERROR, "error", "errno of a failure, on its thread, as it is in order")            \
	X(ALIGNMENT, "alignment", "objects are aligned as asked, and as promised")           \
	X(USABLE, "usable", "as many bytes as asked for at least, and no fewer later")       \
	X(ZEROING, "zeroing", "objects of calloc are zero, as far as promised")              \
	X(LIVE, "live", "with everything freed nothing is in use, by the statistics")        \
	X(COMPLAINTS, "complaints", "the allocator finds itself sound afterwards")

enum sf_thread_rule {
#define X(id, name, doc) SF_THREAD_##id,
	SF_THREAD_RULES(X)
#undef X
	SF_THREAD_RULE_COUNT,
};

struct sf_thread_rule_info {
	const char *name, *doc;
};

extern const struct sf_thread_rule_info sf_thread_rules[SF_THREAD_RULE_COUNT];

/* What was wrong first. It holds no pointer: it may lie in memory that processes share. */
struct sf_thread_fault {
	uint32_t op;        /* of the program; SF_NONE: at the end */
	uint32_t other;     /* the operation that made what it overlaps; SF_NONE: none */
	uint8_t rule;       /* enum sf_thread_rule */
	uint8_t thread;
	char what[100];     /* the same for the same bug: it stands in titles */
	char detail[160];   /* with numbers */
};

/* What one operation gave: as far as others must give the same. */
struct sf_answer {
	uint8_t status; /* enum sf_status */
	bool done;      /* it was carried out: its object was there */
	int32_t error;
};

struct sf_concurrent;

/* A heap of `a` with these settings. NULL: one line in *err. */
struct sf_concurrent *sf_concurrent_create(const struct sf_allocator *a,
					   const struct sf_settings *set, struct sf_error *err);
void sf_concurrent_destroy(struct sf_concurrent *c);

/*
 * In the program's order, on this thread, on a fresh heap: answers[op], of all operations; those
 * that were not dealt are not done. For the reference, and for the allocator itself.
 */
void sf_concurrent_alone(struct sf_concurrent *c, const struct sf_deal *d, const struct sf_prog *p,
			 struct sf_answer *answers);

struct sf_concurrent_run {
	const struct sf_deal *deal;
	const struct sf_prog *prog;
	const uint32_t *order; /* one call after the other; NULL: as they come */
	/* By operation: of the reference, and of this allocator alone. */
	const struct sf_answer *must, *alone;
	uint64_t seed;         /* without an order: how long threads dawdle */
	bool enough;           /* no NULL where the reference has an object is for want of memory */
};

/* SF_RAN_: how it went. */
enum sf_ran {
	SF_RAN_WELL,
	SF_RAN_FAULT,    /* *fault */
	SF_RAN_SHORT,    /* NULL where the reference has an object: a fault if there is `enough` */
	SF_RAN_NOT,      /* there can be no such threads */
};

/* On a fresh heap. `calls` is added to. */
enum sf_ran sf_concurrent_run(struct sf_concurrent *c, const struct sf_concurrent_run *run,
			      struct sf_thread_fault *fault, uint64_t *calls);

/*
 * Is there memory for everything that the program asks for, twice, with nothing ever freed, by the
 * same threads? Then there is for the program, wherever its objects lie. Best asked in a process of
 * its own, since it fills the heap.
 */
bool sf_concurrent_has_room(struct sf_concurrent *c, const struct sf_concurrent_run *run);

#endif
