/* SPDX-License-Identifier: MIT */
/*
 * oom.h - what the rules of OOM settle later, and what they remember. intake.c and judge.c
 * rely on it.
 */
#ifndef SLABFUZZ_OOM_H
#define SLABFUZZ_OOM_H

struct sf_judge;
struct sf_ev_alloc;

/* `a`: what the operation that met OOM asked for; NULL: no allocation did. */
void sf_parked_settle(struct sf_judge *j, const struct sf_ev_alloc *a);
/* Its memory goes. */
void sf_needs_free(struct sf_judge *j);

#endif
