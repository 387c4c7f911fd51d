/* SPDX-License-Identifier: MIT */
/*
 * intake.h - the one way into the state of judge.h that is no event: an operation begins. What
 * takes events in is declared by listing.h, where it is listed. judge.c relies on it.
 */
#ifndef SLABFUZZ_INTAKE_H
#define SLABFUZZ_INTAKE_H

struct sf_judge;
struct sf_event;

/* `ev` is the first event of another operation than the last: what that left open is settled. */
void sf_op_begin(struct sf_judge *j, const struct sf_event *ev);

#endif
