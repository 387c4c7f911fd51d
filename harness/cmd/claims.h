/* SPDX-License-Identifier: MIT */
/*
 * claims.h - what somebody says that an allocator promises, from a file, and whether trials show it
 * (docs/attacks.md#claims). Relies on tally.h; compare_promises.c relies on it.
 */
#ifndef SLABFUZZ_CLAIMS_H
#define SLABFUZZ_CLAIMS_H

#include "../measure/tally.h"

struct sf_claim {
	uint32_t line, col;
	char *text;            /* as written, blanks made one */
	struct sf_figure figure;
	bool least;            /* >=, else <= */
	double value;
};

struct sf_claims {
	const char *file;      /* NULL: there are none */
	struct sf_claim *c;
	uint32_t nr, cap;
};

enum sf_claim_state {
	SF_CLAIM_SHOWN,     /* the whole interval is on its side */
	SF_CLAIM_NOT_SHOWN, /* the interval has both */
	SF_CLAIM_REFUTED,   /* the whole interval is on the other side */
};

extern const char *const sf_claim_states[];

/* 0, or what to exit with after "FILE:LINE:COLUMN: …". */
int sf_claims_read(struct sf_claims *claims, const char *file);
void sf_claims_free(struct sf_claims *claims);

/* What was measured, in words: a share, bits, or frees; with its interval and trials. */
#define SF_MEASURED_MAX 120
enum sf_claim_state sf_claim_check(const struct sf_claim *c, const struct sf_tally *t,
				   char measured[SF_MEASURED_MAX]);

#endif
