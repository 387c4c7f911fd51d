/* SPDX-License-Identifier: MIT */
/*
 * debug.h - a program run in this process for a debugger (debug_inside.c): functions to stop at,
 * and functions to call from there. They are named in the scripts of cmd_debug.c.
 */
#ifndef SLABFUZZ_DEBUG_H
#define SLABFUZZ_DEBUG_H

#include "crash_input.h"

/* Runs it; stops before operation `at` (from 0; behind the last: before the end). Exit status. */
int sf_debug_inside(struct sf_crash_input *in, uint32_t at);

/* Breakpoints. */
void sf_debug_stop(void);
void sf_debug_violation(const char *title);

/* Print what is known. A number is that of a result, else an address. */
void sf_debug_program(void);
void sf_debug_objects(void);
void sf_debug_object(unsigned long which);
void sf_debug_slab(unsigned long which);
void sf_debug_page(unsigned long which);
/* Stop before the next operation, too. */
void sf_debug_next(void);

#endif
