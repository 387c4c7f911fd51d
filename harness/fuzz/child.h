/* SPDX-License-Identifier: MIT */
/*
 * child.h - another program, run to its end, with all that it said (child.c). Relies on the
 * operating system alone.
 */
#ifndef SLABFUZZ_CHILD_H
#define SLABFUZZ_CHILD_H

#include <stdbool.h>
#include <stddef.h>

struct sf_child {
	const char *const *argv;    /* ends with NULL; looked for as execvp() does */
	const char *const *env;     /* "NAME=VALUE" added to this process's own; NULL: none */
	const char *input;          /* its standard input; NULL: empty */
	unsigned int seconds;       /* then it is killed */
};

struct sf_child_output {
	char *text; /* standard output and standard error; to be freed; ends with NUL */
	size_t len; /* what is beyond some MiB is dropped */
	int status; /* of waitpid() */
	bool hung;  /* its time was over */
};

/* False: it cannot be run at all, errno says why. Ends what it started also when time is over. */
bool sf_child_run(const struct sf_child *child, struct sf_child_output *out);

/*
 * What a target of an engine may take. An allocator that zeroes 4 GiB for calloc() is right, and
 * needs its time on a machine that is busy: it neither hangs nor runs away.
 */
enum { SF_HANG_SECONDS = 25 };
/* Half of all memory, 3 GiB at least, 12 GiB at most. */
unsigned int sf_memory_mb(void);

#endif
