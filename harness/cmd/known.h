/* SPDX-License-Identifier: MIT */
/*
 * known.h - titles that are known (known.c): a file of lines "TITLE | ADDRESS | EXPIRY", which are
 * counted and not reported. Relies on libc; triage and fuzz rely on it.
 */
#ifndef SLABFUZZ_KNOWN_H
#define SLABFUZZ_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

struct sf_known {
	struct sf_known_title {
		char *title;   /* "TITLE*": whatever begins so */
		char *address; /* of its issue; "" */
		char *expiry;  /* "2027-01-31": the last day; "": never */
		uint64_t seen; /* titles that were met */
	} *list;
	uint32_t nr, cap;
	char today[12];
};

/* 0, or SF_EXIT_BAD after "FILE:LINE: …". NULL as path: nothing is known. */
int sf_known_read(struct sf_known *k, const char *path);
void sf_known_free(struct sf_known *k);

/* Who is that? Counts it. NULL: it is new, or what was known of it has expired. */
const struct sf_known_title *sf_known_find(struct sf_known *k, const char *title);
/* The same, counted before. */
const struct sf_known_title *sf_known_of(const struct sf_known *k, const char *title);
/* On standard output: those that were not met, and those that have expired. */
void sf_known_print_rest(const struct sf_known *k);

#endif
