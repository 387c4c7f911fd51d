/* SPDX-License-Identifier: MIT */
/*
 * crash_file.h - the text of a find: lines about it ("# title: …", "# allocator: …" and so
 * on), then its program (crash_file.c). Who writes one and who reads one agree here.
 */
#ifndef SLABFUZZ_CRASH_FILE_H
#define SLABFUZZ_CRASH_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { SF_CRASH_REPORT_LINES = 40 };

/* The value of "# KEY: VALUE" in the lines at the beginning, the first; to be freed. NULL: none. */
char *sf_crash_file_get(const char *text, const char *key);
/* The program below the lines about it. */
const char *sf_crash_file_program(const char *text);

/* "# KEY: " and each line of `value`, at most `max`; nothing for NULL or "". */
void sf_crash_file_put(FILE *f, const char *key, const char *value, int max);

#endif
