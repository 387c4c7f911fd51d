/* SPDX-License-Identifier: MIT */
/*
 * results.h - what a command found out, independent of how it is printed. session.c and cmd_judge.c
 * fill it in; print.c, json.c, junit.c and sarif.c
 * show it. Everything in it is its own copy.
 */
#ifndef SLABFUZZ_RESULTS_H
#define SLABFUZZ_RESULTS_H

#include "../../oracles/oracle.h"
#include "../fuzz/crash.h"
#include "../trace/trace.h"

#define SF_DISAGREEMENTS_SHOWN 10

/* A violation that no expectation asked for. */
struct sf_found {
	uint32_t trial;    /* index in sf_results.trials */
	uint8_t invariant; /* enum sf_invariant */
	uint32_t op;       /* index of the operation, SF_NONE: after the last */
	uint64_t line;     /* of the program or recording, 0: none */
	char *text;        /* the operation as text, NULL: none */
	char *title, *detail;
};

/* A process that the allocator brought down (crash.h). */
struct sf_crashed {
	uint32_t trial, op;  /* as in struct sf_found */
	uint64_t line;
	enum sf_crash_kind kind;
	char *text;          /* the operation as text, NULL: none */
	char *title, *report;
};

/* An expectation that did not hold. */
struct sf_missed {
	uint32_t trial, op;
	uint64_t line;
	char *text, *expected, *got;
};

struct sf_agreement {
	uint64_t agree, total;
};

/* Only for recordings. */
struct sf_replay {
	char *format;
	bool hashed; /* pointers are %p hashes */
	struct sf_trace_counts counts;
	struct sf_agreement kmalloc, named; /* bytes_alloc: the model's against the recorded */
	uint64_t nulls;                     /* NULL where the recording had an object */
	char *shown[SF_DISAGREEMENTS_SHOWN];
	uint32_t nr_shown;
	char *kernel;                       /* what is unlike a plain one; "": nothing */
	char **remarks;                     /* sf_trace_remark() */
	uint32_t nr_remarks;
};

/* One file on one allocator. */
struct sf_trial {
	char *file;
	const char *allocator;
	char *error; /* why it could not be run, NULL: it was */
	bool said;   /* on standard error already */
	uint64_t operations, skipped, events;
	uint32_t found, missed;          /* how many of each list are its own */
	uint32_t held, unjudged;         /* expectations */
	uint32_t crashed;                /* 0, or 1: and then there are no more counts of it */
	struct sf_replay *replay;        /* recordings only, else NULL */
};

/* Who reused whose addresses, and what misuse came to, on one allocator. */
struct sf_isolation {
	const char *allocator;
	struct sf_ledger ledger;
	struct sf_attack_count attacks[SF_ATTACK_CODES];
};

struct sf_results {
	struct sf_trial *trials;
	uint32_t nr_trials, cap_trials;
	uint32_t nr_complete; /* of these: nothing comes to them any more */
	struct sf_found *found;
	uint32_t nr_found, cap_found;
	struct sf_missed *missed;
	uint32_t nr_missed, cap_missed;
	struct sf_crashed *crashed;
	uint32_t nr_crashed, cap_crashed;
	struct sf_oracle_count oracles[SF_INV_COUNT];
	struct sf_isolation *isolation; /* of each allocator */
	uint32_t nr_isolation, cap_isolation;
	sf_invariant_set only; /* oracles that were asked for, as in sf_judge_options */
	uint32_t files;
	int status;        /* worst enum sf_exit of an error so far */
	/* Where the work is, for whoever has to say where it ended. */
	struct {
		uint32_t position; /* of the trial, in order; */
		uint32_t op;       /* of its operation, SF_NONE: none */
		uint64_t line;     /* of a recording, 0: not known */
		uint64_t size;     /* of the operation */
		uint8_t code;
	} now;
	/*
	 * Shared with a process that does the work: all of this is in `arena`, lists at places of
	 * their own, so that what is complete never moves. NULL: private memory.
	 */
	uint8_t *arena;
	size_t used, size;
};

/* Empty ones, in memory that forked processes share. */
struct sf_results *sf_results_shared(void);
/* Memory of the results' own. */
void *sf_results_alloc(struct sf_results *r, size_t n);
/* A string that was allocated, from now on the results'; NULL stays NULL. */
char *sf_results_keep(struct sf_results *r, char *s);

struct sf_trial *sf_results_trial(struct sf_results *r, const char *file, const char *allocator);
static inline struct sf_trial *sf_results_last(struct sf_results *r)
{
	return &r->trials[r->nr_trials - 1];
}
/* Appended to the last trial; `where` has op, line and text, which becomes the results'. */
void sf_results_found(struct sf_results *r, const struct sf_violation *v,
		      const struct sf_found *where);
/* Likewise; strings are copied. */
void sf_results_crashed(struct sf_results *r, const struct sf_crash *c, const char *report,
			const struct sf_found *where);
void sf_results_unfound(struct sf_results *r, uint32_t index);
/* Strings become the results'. */
void sf_results_missed(struct sf_results *r, const struct sf_missed *m);
/* What a judge has counted by now; `since` is what it had when this was last called. */
struct sf_counted {
	struct sf_oracle_count oracles[SF_INV_COUNT];
	struct sf_isolation isolation;
};
void sf_results_count(struct sf_results *r, const struct sf_judge *j, const char *allocator,
		      struct sf_counted *since);
/* What the recording has to say of itself, after its last pass. */
void sf_results_remarks(struct sf_results *r, struct sf_replay *p, struct sf_trace *t);
void sf_results_free(struct sf_results *r);

bool sf_trial_wrong(const struct sf_trial *t);
int sf_results_exit(const struct sf_results *r);
/*
 * Events of a recording that have no other half in it: allocations without a free, and frees
 * without an allocation.
 */
uint64_t sf_replay_unpaired(const struct sf_replay *p);

/* Slabs were made, or misuse was carried out. */
static inline bool sf_isolation_counted(const struct sf_isolation *i)
{
	for (int code = 0; code < SF_ATTACK_CODES; code++)
		if (i->attacks[code].attacks)
			return true;
	return i->ledger.fresh || i->ledger.same || i->ledger.other_cache;
}

/* How they are shown. */
/* `all`: a line for each oracle, and whose slabs got whose pages; else they are summed up. */
void sf_print_results(const struct sf_results *r, bool all, FILE *out);
/* `all`: of a recording the counts that are 0 too. */
void sf_print_trial(const struct sf_results *r, uint32_t index, bool all, FILE *out);
/* The violations and missed expectations of one trial. */
void sf_print_violations(const struct sf_results *r, uint32_t index, FILE *out);
void sf_print_counts(const struct sf_trace_counts *c, bool all, FILE *out);
void sf_print_remarks(const struct sf_replay *p, FILE *out);
void sf_json_results(const struct sf_results *r, FILE *out);
void sf_junit_results(const struct sf_results *r, FILE *out);
/* TAP 13, or the kernel's KTAP 1. */
void sf_tap_results(const struct sf_results *r, bool ktap, FILE *out);
/* SARIF 2.1.0: a result for each thing that is wrong, under its invariant's id. */
void sf_sarif_results(const struct sf_results *r, FILE *out);
/* A line for each, as GitHub's workflows take for an annotation ("::error file=…"). */
void sf_annotate_results(const struct sf_results *r, FILE *out);

#endif
