/* SPDX-License-Identifier: MIT */
/*
 * complaints.h - what complaints.c has for intake.c.
 */
#ifndef SLABFUZZ_COMPLAINTS_H
#define SLABFUZZ_COMPLAINTS_H

struct sf_event;
struct sf_judge;

/* The operation is over, and there was a complaint in it: MEM-22. */
void sf_complaint_settle(struct sf_judge *j, const struct sf_event *ev);

#endif
