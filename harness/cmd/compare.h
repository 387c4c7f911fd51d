/* SPDX-License-Identifier: MIT */
/*
 * compare.h - what the tables of `slabfuzz compare` share. cmd_compare.c takes the options and
 * makes the tables of costs and attacks, compare_reclaim.c that of reclaim.
 */
#ifndef SLABFUZZ_COMPARE_H
#define SLABFUZZ_COMPARE_H

#include "input.h"
#include "json.h"
#include "select.h"

struct sf_compare {
	struct sf_selection on;
	struct sf_overrides overrides;
	bool json;
	json_t *list;
	/* --reclaim */
	struct sf_overrides each; /* a row for each of these on top */
	uint64_t every;           /* operations from one look to the next; 0: by what FILE is */
	uint64_t ask;             /* percent of what could be had */
	bool asked;               /* --ask was given */
};

/* "KEY=VALUE,VALUE…", in place of what was there. 0, or the exit status after a message. */
int sf_compare_each(struct sf_compare *c, const struct sf_usage *u, const char *s);
/* One file: prints its table, or appends to the list. 0, or the exit status after a message. */
int sf_compare_reclaim(struct sf_compare *c, const struct sf_input *in, const struct sf_prog *prog);
json_t *sf_compare_settings(const struct sf_overrides *set);

#endif
