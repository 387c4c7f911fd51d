/* SPDX-License-Identifier: MIT */
/*
 * minimize.h - the smallest program with the same title (minimize.c). Relies on rerun.h, which runs
 * candidates, and on reduce.h, which makes them; `minimize`, `triage` and the end of a fuzzing run
 * rely on it.
 */
#ifndef SLABFUZZ_MINIMIZE_H
#define SLABFUZZ_MINIMIZE_H

#include <signal.h>

#include "reduce.h"
#include "rerun.h"

struct sf_minimize {
	struct sf_rerun *again;
	const char *title;    /* NULL: the first that it shows */
	uint32_t tries;       /* runs that a candidate has to show it in; 0: by how often it does */
	double seconds;       /* 0: no bound */
	const volatile sig_atomic_t *interrupted; /* not 0: enough. May be NULL */
	/* From time to time: where it is. May be NULL. */
	void (*progress)(void *ctx, const struct sf_prog *best, uint64_t runs, double seconds);
	void *ctx;
};

struct sf_minimized {
	struct sf_symptom shows; /* of the result */
	uint32_t before, after;  /* operations */
	uint32_t repeated, runs; /* how often the result shows it, of so many times */
	uint32_t tries;          /* as used */
	uint64_t candidates;     /* runs in all */
	double seconds;
	bool cut_short;          /* its time was over, or it was interrupted */
};

/*
 * False with one line in `err`: it does not show the title, or cannot run; then *p is as it was.
 */
bool sf_minimize(const struct sf_minimize *how, struct sf_prog *p, struct sf_minimized *m,
		 struct sf_error *err);

#endif
