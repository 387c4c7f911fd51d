/* SPDX-License-Identifier: MIT */
/*
 * reclaim_rules.h - what the rules of reclaim settle later, and who is at fault for what is not
 * counted. intake.c and oom.c rely on it.
 */
#ifndef SLABFUZZ_RECLAIM_RULES_H
#define SLABFUZZ_RECLAIM_RULES_H

#include "judge.h"

/* ACC-21: the operation is over. */
void sf_going_settle(struct sf_judge *j, const struct sf_event *ev);
/* The design is `reclaimable`, and it is the caller's fault that no slab counts this object? */
bool sf_callers_miscount(const struct sf_shadow *sh, const struct sf_shadow_obj *o);

#endif
