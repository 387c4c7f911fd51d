/* SPDX-License-Identifier: MIT */
/*
 * consistency.h - ISO-1 where no row of designs.h says which place a request is due. partition.c
 * relies on it.
 */
#ifndef SLABFUZZ_CONSISTENCY_H
#define SLABFUZZ_CONSISTENCY_H

struct sf_judge;
struct sf_event;

/* ALLOC and REALLOC, before they are taken in. */
unsigned int sf_judge_consistency(struct sf_judge *j, const struct sf_event *ev);
/* Its memory goes. */
void sf_places_free(struct sf_judge *j);

#endif
