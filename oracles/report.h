/* SPDX-License-Identifier: MIT */
/*
 * report.h - how a rule says what it found: a violation, with its title, or that it could not
 * judge. Relies on oracle.h; every file with rules relies on it.
 */
#ifndef SLABFUZZ_REPORT_H
#define SLABFUZZ_REPORT_H

#include "oracle.h"

#define SF_SEEN_SLOTS 256u /* titles reported in one run */

struct sf_judge;

struct sf_reports {
	struct sf_judge_options opt;
	struct sf_oracle_count count[SF_INV_COUNT];
	uint64_t seen[SF_SEEN_SLOTS]; /* hashes of titles reported since BEGIN; 0: empty */
	uint32_t nr_seen;
	struct sf_violation v;        /* being written */
};

/*
 * A violation: sf_title() then sf_report(). The title gets the id in front and must be stable; a
 * title already reported in this run is counted but not reported again.
 */
__attribute__((format(printf, 3, 4), cold)) void
sf_title(struct sf_judge *j, enum sf_invariant inv, const char *fmt, ...);
__attribute__((format(printf, 5, 6), cold)) void
sf_report(struct sf_judge *j, const struct sf_event *ev, uint32_t res, uint32_t other,
	  const char *fmt, ...);
/* A judgement that could not be made. */
void sf_skip(struct sf_judge *j, enum sf_invariant inv, const char *why);

#endif
