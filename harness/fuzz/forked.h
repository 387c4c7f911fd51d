/* SPDX-License-Identifier: MIT */
/*
 * forked.h - inputs run in a child process that goes on until one of them has broken what no reset
 * can mend; then there is another, forked from the state that this process has kept (forked.c). For
 * targets. Relies on the operating system alone; fuzz.c relies on it.
 */
#ifndef SLABFUZZ_FORKED_H
#define SLABFUZZ_FORKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that are as they were in the child after an input: coverage counters. */
struct sf_range {
	uint8_t *begin;
	size_t size;
};

struct sf_forked {
	/* In the child. False: it is broken, the next input needs another. */
	bool (*work)(unsigned int which, const uint8_t *data, size_t size);
	/* In the child, from the midst of work() and a signal's handler: it takes too long. */
	void (*hung)(const void *context);
	const struct sf_range *range;
	unsigned int nr_ranges;
};

enum {
	/* Exit status of a child ... */
	SF_FORKED_HUNG = 98,   /* that was told to be hung */
	SF_FORKED_MEMORY = 99, /* that memory ran away in */
};

/*
 * One input. 0: it was run, and the ranges are as the child left them; else how the child ended, as
 * from waitpid(), or -1: there can be no child.
 */
int sf_forked(const struct sf_forked *f, unsigned int which, const uint8_t *data, size_t size);
/* CPU time that the child took for the last one, if it did not end with it. */
uint64_t sf_forked_ns(void);

#endif
