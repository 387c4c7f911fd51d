/* SPDX-License-Identifier: MIT */
/*
 * output.h - files that a command writes: whole or not at all. Relies on libc; every subcommand
 * that takes a file to write relies on it.
 */
#ifndef SLABFUZZ_OUTPUT_H
#define SLABFUZZ_OUTPUT_H

#include <stdio.h>

/*
 * Invariant: until sf_out_commit() the file at `path` is what it was before; `temp` is NULL if it
 * is no regular file ("-", a pipe, a device), which is written in place.
 */
struct sf_out {
	FILE *file;
	char *path, *temp;
};

/* 0, or SF_EXIT_BAD after a message. "-" is standard output. */
int sf_out_open(struct sf_out *o, const char *path);
/* Flushes, syncs, renames: 0, or SF_EXIT_BAD after a message with nothing left behind. */
int sf_out_commit(struct sf_out *o);
void sf_out_abort(struct sf_out *o);

/* As text of XML 1.0, which has no way to write most control characters: the rest becomes '?'. */
void sf_put_xml(const char *s, FILE *out);

#endif
