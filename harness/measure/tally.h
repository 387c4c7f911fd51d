/* SPDX-License-Identifier: MIT */
/*
 * tally.h - outcomes of trials (promise.h), collected, and the figures that they give. Each figure
 * has a name that claims use: `SUBJECT: MEASURE`. Relies on promise.h and chance.h; the command's
 * table and claims rely on it.
 */
#ifndef SLABFUZZ_TALLY_H
#define SLABFUZZ_TALLY_H

#include "chance.h"
#include "promise.h"

struct sf_tally {
	uint32_t trials, starts;
	struct sf_trial *trial[SF_SCENARIO_COUNT]; /* PLACE: of each start */
};

void sf_tally_init(struct sf_tally *t, uint32_t trials, uint32_t starts);
void sf_tally_free(struct sf_tally *t);
/* A callback of sf_promise_run(); numbers beyond what there is are dropped. */
void sf_tally_add(void *tally, enum sf_scenario what, uint32_t trial, const struct sf_trial *it);

enum sf_figure_unit {
	SF_FIGURE_SHARE, /* of the trials */
	SF_FIGURE_FREES, /* a claim names how many: the share of trials that had so many at least */
	SF_FIGURE_BITS,  /* of the chance of the likeliest value */
};

struct sf_figure {
	char subject[20], measure[28]; /* names in claims */
	uint32_t any, none;            /* SHARE: trials with one of these outcomes, none of those */
	uint32_t within;               /* SHARE: `after` at most this; 0: any */
	uint8_t scenario, unit;        /* enum sf_scenario, enum sf_figure_unit */
	bool nothing;                  /* SHARE: trials without any outcome */
};

/* The i-th figure that there is. False: there are no more. */
bool sf_figure_at(uint32_t i, struct sf_figure *f);
/* The one of these names; `measure` NULL: the first of its subject. False: there is none. */
bool sf_figure_find(const char *subject, const char *measure, struct sf_figure *f);

/* FREES: `least` frees. */
struct sf_chance sf_tally_chance(const struct sf_tally *t, const struct sf_figure *f,
				 uint32_t least);
/* Trials that could not be run. */
uint32_t sf_tally_left_out(const struct sf_tally *t, enum sf_scenario what);

/* Of a chance, in bits: what is not known is 0, and high is infinite if the chance may be 0. */
struct sf_bits {
	double bits, low, high;
};
struct sf_bits sf_bits(const struct sf_chance *c);
/* Bits of the addresses that are not the same in all starts. */
unsigned int sf_tally_varying(const struct sf_tally *t);

/* Of `after` where one of the outcomes `any` was seen; false: there is none. */
struct sf_spread {
	uint32_t least, median, most; /* REUSE: SF_NEVER */
};
bool sf_tally_after(const struct sf_tally *t, enum sf_scenario what, uint32_t any,
		    struct sf_spread *s);

#endif
