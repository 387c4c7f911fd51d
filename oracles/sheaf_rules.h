/* SPDX-License-Identifier: MIT */
/*
 * sheaf_rules.h - what sheaf_rules.c keeps of prefilled sheaves; judge.c ends it.
 */
#ifndef SLABFUZZ_SHEAF_RULES_H
#define SLABFUZZ_SHEAF_RULES_H

struct sf_judge;

void sf_sheaves_free(struct sf_judge *j);

#endif
