/* SPDX-License-Identifier: MIT */
/*
 * finds.h - what a run of an engine has found, each title once (finds.c): titles of crashes in
 * words, engines' own finds taken in, and each confirmed in a fresh process, alone or with the
 * programs before it. Relies on find.h, target.h and ddmin.h.
 */
#ifndef SLABFUZZ_FINDS_H
#define SLABFUZZ_FINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "crash.h"
#include "target.h"

struct sf_find {
	char title[SF_TITLE_MAX];
	enum sf_crash_kind kind;
	char *text;            /* path of the smallest program of that title; without .txt: bytes */
	char *allocator;       /* NULL: none */
	size_t size;           /* of the text */
	uint64_t times;        /* that it was met; 0: nobody counted */
	uint32_t repeated, tried; /* in fresh processes */
	uint32_t before;       /* after so many programs, in NAME.history/; 0: alone */
};

struct sf_finds {
	struct sf_find *list;
	uint32_t nr, cap;
	/* "title ..." counters of all jobs, under the titles of the run. */
	struct sf_find_count {
		char title[SF_TITLE_MAX];
		uint64_t n;
	} *counts;
	uint32_t nr_counts, cap_counts;
};

struct sf_finds_options {
	struct sf_target target;
	const char *crashes;    /* folder of what the target saved; */
	struct timespec since;  /* since then */
	const char *allocators; /* what an input runs on that names none; NULL: on none */
	bool programs;          /* inputs are byte programs */
};

void sf_finds_count(struct sf_finds *f, const char *title, uint64_t n);
/*
 * A find that only the engine saved: becomes a crash file, under the title that it has when it is
 * run again, or what the engine's log says of it.
 */
void sf_finds_adopt(struct sf_finds *f, const struct sf_finds_options *opt, const char *path,
		    const char *log);
/* All that the target saved, each title once, confirmed. */
void sf_finds_collect(struct sf_finds *f, const struct sf_finds_options *opt);
void sf_finds_free(struct sf_finds *f);

#endif
