/* SPDX-License-Identifier: MIT */
/*
 * large_rules.h - what the rules of 2 MiB slabs remember. judge.c relies on it.
 */
#ifndef SLABFUZZ_LARGE_RULES_H
#define SLABFUZZ_LARGE_RULES_H

struct sf_judge;

/* Its memory goes. */
void sf_movables_free(struct sf_judge *j);

#endif
