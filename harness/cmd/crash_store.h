/* SPDX-License-Identifier: MIT */
/*
 * crash_store.h - finds that are kept, a folder for each title (crash_store.c): program.txt, the
 * smallest program (and its bytes, `program`); find.json, when it was first and last seen, how
 * often, where, what was said. Each file is whole at any moment. Relies on jansson and files.h;
 * triage and fuzz rely on it.
 */
#ifndef SLABFUZZ_CRASH_STORE_H
#define SLABFUZZ_CRASH_STORE_H

#include <time.h>

#include "../fuzz/rerun.h"

struct sf_stored {
	const struct sf_symptom *shows;
	const struct sf_prog *prog;
	const char *allocator;     /* as -a has it; of a difference all members */
	const char *report;        /* of a crash; NULL */
	uint32_t repeated, tried;  /* by this program; tried 0: nobody looked */
	uint64_t times;            /* that it was met, this time */
	uint64_t input;            /* hash of what showed it: counted once; 0: always */
	time_t seen;
};

/* What the folder of a title says. */
struct sf_stored_find {
	char *title, *folder, *program; /* program: path */
	char *allocator, *kind;
	char first[24], last[24];  /* UTC: "2026-11-30T07:00:00Z" */
	uint64_t count;
	uint32_t operations, repeated, tried;
};

/*
 * Adds to the folder of its title in `store`, which is made if it is not there. A smaller program
 * takes the place of the one that is there. 0, or SF_EXIT_BAD after a message.
 */
int sf_store_add(const char *store, const struct sf_stored *f, struct sf_stored_find *now);
void sf_stored_free(struct sf_stored_find *f);

/* The text of a find: lines about it, and the program. */
void sf_store_text(const struct sf_stored *f, FILE *out);

#endif
