/* SPDX-License-Identifier: MIT */
/*
 * report_page.h - what `slabfuzz report` collects and its page (report_page.c). Relies on session.h
 * and film.h.
 */
#ifndef SLABFUZZ_REPORT_PAGE_H
#define SLABFUZZ_REPORT_PAGE_H

#include "../measure/film.h"
#include "cmd.h"
#include "output.h"
#include "session.h"

/* A file on an allocator. */
struct sf_report_run {
	char *file, *program; /* program: its text, cut off where it is long; NULL: a recording */
	const char *allocator;
	uint32_t op;          /* in hand, SF_NONE: none */
	struct sf_film film;
};

struct sf_report {
	struct sf_results *results;
	struct sf_report_run **runs; /* the trials of the results, in their order */
	uint32_t nr, cap;
};

/* One more; `prog` NULL: a recording. At most so many operations are shown. */
struct sf_report_run *sf_report_add(struct sf_report *r, const struct sf_input *in,
				    const struct sf_prog *prog, const char *allocator,
				    uint32_t ops);
/* The whole page. */
void sf_report_write(const struct sf_report *r, FILE *out);
void sf_report_free(struct sf_report *r);

/* Folders in a folder, not those that begin with a dot; in no order. */
void sf_report_folders(const char *folder, char ***names, uint32_t *nr, uint32_t *cap);

#endif
