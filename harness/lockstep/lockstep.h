/* SPDX-License-Identifier: MIT */
/*
 * lockstep.h - one program on several members at once, compared after every operation and at every
 * snapshot, the first member with each of the others. Relies on the executor and properties.h.
 *
 * It judges no member: a difference in what both claim, and nothing allows to differ, is a
 * divergence, whoever is right. What was compared, skipped and ended is counted by property.
 */
#ifndef SLABFUZZ_LOCKSTEP_H
#define SLABFUZZ_LOCKSTEP_H

#include "../exec/exec.h"
#include "member.h"
#include "properties.h"
#include "tape.h"

#define SF_MEMBERS_MAX 16u

/* SF_UNCOMPARED(X): X(IDENTIFIER, name, why a property was not compared after an operation) */
#define SF_UNCOMPARED(X)                                                                       \
	X(CLAIM, "claim", "not both members have the capability")                             \
	X(DIFFER, "differ", "a setting or a design that tells them apart may change it")      \
	X(ENDED, "ended", "it depends on what was legitimately different before")             \
	X(OPERATION, "operation", "one of them did not carry the operation out")

enum sf_uncompared {
#define X(id, name, doc) SF_UNCOMPARED_##id,
	SF_UNCOMPARED(X)
#undef X
	SF_UNCOMPARED_COUNT,
};

extern const char *const sf_uncompared_names[SF_UNCOMPARED_COUNT];

/* Of one pair and one property, over all programs. */
struct sf_compared {
	uint64_t compared, diverged;
	uint64_t skipped[SF_UNCOMPARED_COUNT];
};

struct sf_divergence {
	uint32_t op;              /* SF_NONE: at the end */
	uint8_t property;         /* enum sf_property */
	uint32_t a, b;            /* members */
	const char *what;         /* value that differs */
	const char *a_has, *b_has;/* valid during the call */
	bool consequence;         /* they had diverged before, in this program */
	const char *title;        /* "diff usable: baseline 64, typed 128 after krealloc" */
	/* The same for the same bug: "diff usable: baseline N, typed N after krealloc" */
	const char *key;
};

/* What has to stay for a smaller program to show the same: numbers and operations may change. */
struct sf_difference {
	uint8_t property; /* enum sf_property */
	uint32_t a, b;    /* members */
};

struct sf_lockstep_options {
	struct sf_exec_options exec;
	void (*diverged)(void *ctx, const struct sf_divergence *d);
	/* All that member `nr` tells, for who wants to judge it. May be NULL. */
	void (*event)(void *ctx, uint32_t nr, const struct sf_event *ev);
	void *ctx;
	/*
	 * Every member runs in a worker (tape.h, which has its options): one that crashes differs,
	 * and ends nothing. NULL: in this process. Not with sf_lockstep_stop() and _set_end();
	 * `event` is not called.
	 */
	const struct sf_tape_options *worker;
};

struct sf_lockstep;

/* 2 to SF_MEMBERS_MAX members, which outlive it. NULL after one line in `err`. */
struct sf_lockstep *sf_lockstep_create(const struct sf_members *members,
				       const struct sf_lockstep_options *opt,
				       struct sf_error *err);
void sf_lockstep_destroy(struct sf_lockstep *l);

/*
 * What each member gets for a program with the settings `of`: those that one of them does not heed
 * have their defaults in all; on top of them `more` (NULL: nothing), and then what is its own.
 * False with one line in `err`: that contradicts itself.
 */
bool sf_lockstep_settings(const struct sf_lockstep *l, const struct sf_settings *of,
			  const struct sf_overrides *more, struct sf_settings *set,
			  struct sf_error *err);

/* Fresh heaps, member i under set[i], also if they were these. False with one line in `err`. */
bool sf_lockstep_open(struct sf_lockstep *l, const struct sf_settings *set, struct sf_error *err);

/*
 * A whole program, member i under set[i]. The operations that all carried out; -1 with one line in
 * `err`: a heap could not be made.
 */
int64_t sf_lockstep_run(struct sf_lockstep *l, const struct sf_prog *p, const char *name,
			const struct sf_settings *set, struct sf_error *err);
/*
 * For who is called from the midst of a run and has seen enough: the program is over with the
 * operation in hand, which is not compared any more.
 */
void sf_lockstep_stop(struct sf_lockstep *l);
/* How programs end from now on. */
void sf_lockstep_set_end(struct sf_lockstep *l, enum sf_end end);

/* The first difference of the last program. False: there was none. */
bool sf_lockstep_first(const struct sf_lockstep *l, struct sf_difference *d);
/*
 * For who makes a program smaller: does it still show `d` first? (settings as
 * sf_lockstep_settings()). One that cannot run does not.
 */
bool sf_lockstep_keeps(struct sf_lockstep *l, const struct sf_prog *p,
		       const struct sf_overrides *more, const struct sf_difference *d);

/* Of the pair (0, b); NULL where b is no other member. */
const struct sf_compared *sf_lockstep_counts(const struct sf_lockstep *l, uint32_t b,
					     enum sf_property p);
/* All that was compared (those that diverged count), and all that was skipped. */
void sf_lockstep_totals(const struct sf_lockstep *l, uint64_t *compared, uint64_t *skipped);
/* Operations that were left out in all because one lacks what they need. */
uint64_t sf_lockstep_reduced(const struct sf_lockstep *l);

#endif
