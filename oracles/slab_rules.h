/* SPDX-License-Identifier: MIT */
/*
 * slab_rules.h - what slab_rules.c holds back until an operation is over. intake.c relies on it.
 */
#ifndef SLABFUZZ_SLAB_RULES_H
#define SLABFUZZ_SLAB_RULES_H

struct sf_event;
struct sf_judge;

/* The operation is over, and was none that gives back all empty slabs: ACC-5. */
void sf_early_settle(struct sf_judge *j, const struct sf_event *ev);

#endif
