// SPDX-License-Identifier: MIT
/*
 * counts.c - counters as text in a shared mapping: the kernel keeps it when the process is killed,
 * and a shell can read it at any time. Relies on the operating system alone. One process at a time
 * for each file.
 */
#include "counts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

enum {
	COUNTS_BYTES = 1 << 17, /* of some 100 each */
	DIGITS = 16,
};

static char nowhere[DIGITS]; /* of counters without a line */
static char *text = NULL;    /* NUL bytes behind the last line */

bool sf_counts_open(const char *path)
{
	char *p = sf_map_file(path, COUNTS_BYTES);

	if (!p)
		return false;
	text = p;
	text[COUNTS_BYTES - 1] = 0;
	return true;
}

char *sf_counter(const char *name)
{
	size_t len = strlen(name);
	char *line = text;

	if (!text)
		return nowhere;
	while (*line) {
		char *end = strchr(line, '\n');

		if (!end)
			return nowhere; /* somebody else's file */
		if (end - line == DIGITS + 1 + (long)len && !memcmp(line + DIGITS + 1, name, len))
			return line;
		line = end + 1;
	}
	if (line + DIGITS + len + 3 > text + COUNTS_BYTES)
		return nowhere;
	/* The first byte last: until then there is no line. */
	snprintf(line + 1, DIGITS + len + 2, "%0*d %s\n", DIGITS - 1, 0, name);
	line[0] = '0';
	return line;
}

void sf_counter_add(char *counter, uint64_t n)
{
	unsigned int carry = 0;

	for (int i = DIGITS - 1; i >= 0 && (n || carry); i--, n /= 10) {
		unsigned int digit = (unsigned int)((counter[i] - '0') & 15) + n % 10 + carry;

		carry = digit >= 10;
		counter[i] = (char)('0' + digit % 10);
	}
}

void sf_counter_raise(char *counter, uint64_t n)
{
	char digits[DIGITS + 8];

	snprintf(digits, sizeof(digits), "%0*llu", DIGITS,
		 (unsigned long long)n % 10000000000000000u);
	if (memcmp(digits, counter, DIGITS) > 0)
		memcpy(counter, digits, DIGITS);
}

uint64_t sf_counter_value(const char *counter)
{
	uint64_t n = 0;

	for (int i = 0; i < DIGITS && counter[i]; i++)
		n = n * 10 + (uint64_t)((counter[i] - '0') & 15);
	return n;
}

void sf_counts_each(const char *path, void (*each)(void *ctx, const char *name, uint64_t n),
		    void *ctx)
{
	char *all = sf_read_file(path, NULL), *end;

	for (char *line = all; line && *line && (end = strchr(line, '\n')); line = end + 1) {
		*end = 0;
		if (strspn(line, "0123456789") == DIGITS && line[DIGITS] == ' ')
			each(ctx, line + DIGITS + 1, strtoull(line, NULL, 10));
	}
	free(all);
}
