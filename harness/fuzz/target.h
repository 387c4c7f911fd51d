/* SPDX-License-Identifier: MIT */
/*
 * target.h - inputs run again by a fuzz target, or anything else that takes files, in a process of
 * its own, with what it said (target.c). Relies on child.h and crash.h.
 */
#ifndef SLABFUZZ_TARGET_H
#define SLABFUZZ_TARGET_H

#include <stdbool.h>

#include "crash.h"

struct sf_target {
	const char *program;    /* runs the files that it is given */
	const char *const *env; /* "NAME=VALUE" added to the environment; NULL: none */
};

/*
 * The inputs, in one process, on `allocator` (NULL: what they name), minding no title but `expect`
 * (NULL: as the environment has it). True: it crashed, of *c; *said (unless NULL) is what was said,
 * with names of functions, to be freed.
 */
bool sf_target_run(const struct sf_target *t, const char *allocator, const char *expect,
		   const char *const *paths, struct sf_crash *c, char **said);

#endif
