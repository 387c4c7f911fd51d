/* SPDX-License-Identifier: MIT */
/*
 * boots.h - invariants that only many boots can show: uniformity over seeds, fresh seeds, sameness.
 *
 * A judge like oracle.h's, but for the events of many heaps one after the other: each HEAP begins a
 * boot, and sf_boots_finish() raises what they show together. Statistical rules are two-sided tests
 * whose false-alarm rate over all boots of one call is below 1e-6 for each rule (chi-squared, 1e-7:
 * 0.796 to 64.055 with 15 degrees of freedom, 0.637 to 62.104 with 14). Relies on invariants.h; the
 * command `boots` and the tests rely on it.
 */
#ifndef SLABFUZZ_BOOTS_H
#define SLABFUZZ_BOOTS_H

#include "oracle.h"

struct sf_boots;

/* Fewer boots than this show nothing: the invariants are skipped then, with that reason. */
#define SF_BOOTS_MIN 320u

struct sf_boots *sf_boots_create(const struct sf_judge_options *opt);
void sf_boots_destroy(struct sf_boots *b);
/* Fits struct sf_sink.emit: ctx is the struct sf_boots. */
void sf_boots_event(void *boots, const struct sf_event *ev);
/* Judges, and counts. Call once, after the last boot. */
void sf_boots_finish(struct sf_boots *b);
/* SF_INV_COUNT entries; only those of SF_COST_BOOTS, MEM-15 and MEM-16 are ever counted. */
const struct sf_oracle_count *sf_boots_counts(const struct sf_boots *b);

#endif
