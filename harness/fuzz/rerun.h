/* SPDX-License-Identifier: MIT */
/*
 * rerun.h - a program run again: what does it show? On one allocator under the judge, or on several
 * in lockstep; in a worker, which may die of it (rerun.c). Relies on worker.h, lockstep.h and the
 * oracles; the commands that take finds further (minimize, repro, triage …) rely on it.
 */
#ifndef SLABFUZZ_RERUN_H
#define SLABFUZZ_RERUN_H

#include "../../oracles/oracle.h"
#include "../lockstep/member.h"
#include "crash.h"
#include "target.h"

/* One thing that is wrong with a program. */
struct sf_symptom {
	char title[SF_TITLE_MAX];
	char detail[400];
	enum sf_crash_kind kind;  /* VIOLATION, DIFFERENCE, or a crash */
	uint8_t invariant;        /* of a VIOLATION: enum sf_invariant */
	uint32_t op;              /* SF_NONE: at the end */
	uint32_t objects[2];      /* result numbers involved, SF_NONE */
};

struct sf_rerun_options {
	const struct sf_members *on; /* one is judged; of several the first is held against each */
	uint32_t timeout_ms;         /* of an operation; 0: none */
	uint64_t memory_bytes;       /* of a worker; 0: no limit */
	bool here;                   /* in this process, for a debugger; one member only */
	const struct sf_target *target; /* in this program instead: what only its sanitizers see */
	/* Each event of the one member, behind the judge. NULL: not wanted. */
	void (*event)(void *ctx, const struct sf_event *ev);
	void *ctx;
};

struct sf_rerun;

/* All of `opt` is copied, its members outlive it. NULL with one line in `err`. */
struct sf_rerun *sf_rerun_open(const struct sf_rerun_options *opt, struct sf_error *err);
void sf_rerun_close(struct sf_rerun *r);
/*
 * Runs it. True: `title` is among what it shows, or (NULL) anything is; *seen is the first such.
 * "TITLE*": one that begins so.
 * Expectations of its lines are not looked at. A program that cannot run shows nothing: err says
 * why, else it is "".
 */
bool sf_rerun(struct sf_rerun *r, const struct sf_prog *p, const char *title,
	      struct sf_symptom *seen, struct sf_error *err);
/* The same, quicker where it does not: for who asks about many. */
bool sf_rerun_candidate(struct sf_rerun *r, const struct sf_prog *p, const char *title,
			struct sf_symptom *seen, struct sf_error *err);
/* What the process said that the last crash ended, with names of functions; NULL: none did. */
const char *sf_rerun_report(const struct sf_rerun *r);
/* Runs so far. */
uint64_t sf_rerun_runs(const struct sf_rerun *r);

#endif
