/* SPDX-License-Identifier: MIT */
/*
 * undefined.h - whether UndefinedBehaviorSanitizer has said something (undefined.c).
 */
#ifndef SLABFUZZ_UNDEFINED_H
#define SLABFUZZ_UNDEFINED_H

#include <stdbool.h>

/*
 * A report, of what is a find, since the last call, in a process that finds end: its title is on
 * standard error. Where a run goes on it is counted and saved at once.
 */
bool sf_undefined_told(void);

#endif
