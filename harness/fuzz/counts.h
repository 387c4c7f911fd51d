/* SPDX-License-Identifier: MIT */
/*
 * counts.h - named counters that outlive the process: lines "0000000000001234 NAME" of a text file
 * that is mapped, so that however a process ends, what it counted is there (counts.c). The next one
 * goes on with the same file. fuzz.c counts with them, with_libfuzzer.c reads them.
 */
#ifndef SLABFUZZ_COUNTS_H
#define SLABFUZZ_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

/* False: the file cannot be had, errno says why. Until then counters go nowhere. */
bool sf_counts_open(const char *path);

/* The counter of that name (one line): the digits of it, for the calls below. Never NULL. */
char *sf_counter(const char *name);
void sf_counter_add(char *counter, uint64_t n);
/* It becomes at least n. */
void sf_counter_raise(char *counter, uint64_t n);
uint64_t sf_counter_value(const char *counter);

/* All counters of a file, whoever is writing it; a line that is no counter is passed over. */
void sf_counts_each(const char *path, void (*each)(void *ctx, const char *name, uint64_t n),
		    void *ctx);

#endif
