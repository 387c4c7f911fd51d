// SPDX-License-Identifier: MIT
/*
 * undefined.c - reports of UndefinedBehaviorSanitizer as finds. Its runtime, where there is one,
 * calls __ubsan_on_report() for each, once for each place in a process, and then goes on unless
 * that code was compiled to end: what an allocator does after a shift too far is what it does for
 * its users. Relies on the runtime's interface, where.h and find.h; fuzz.c relies on it.
 */
#include "undefined.h"

#include <execinfo.h>
#include <stdio.h>
#include <string.h>

#include "crash.h"
#include "find.h"
#include "where.h"

enum { FRAMES_MAX = 24 };

void __ubsan_on_report(void);
void __ubsan_get_current_report_data(const char **kind, const char **message, const char **file,
				     unsigned int *line, unsigned int *col, char **address)
	__attribute__((weak));

static bool told;

/* " in FUNCTION", as other titles have it. */
static void place(char out[SF_CRASH_MAX])
{
	static const char kind[] = "x", before[] = "ASan: x";
	uintptr_t pc[FRAMES_MAX];
	void *frame[FRAMES_MAX];
	int nr = backtrace(frame, FRAMES_MAX);

	/* This file's own come first: they are the program's, not the allocator's. */
	for (int i = 2; i < nr; i++)
		pc[i - 2] = (uintptr_t)frame[i] - 1;
	sf_where_title(kind, sizeof(kind) - 1, pc, nr > 2 ? (unsigned int)nr - 2 : 0, out);
	memmove(out, out + sizeof(before) - 1, strlen(out) - sizeof(before) + 2);
}

void __ubsan_on_report(void)
{
	const char *kind = NULL, *message = NULL, *file = NULL;
	char title[SF_TITLE_MAX], where[SF_CRASH_MAX], *address = NULL;
	unsigned int line = 0, col = 0;
	size_t len;

	if (!__ubsan_get_current_report_data)
		return;
	__ubsan_get_current_report_data(&kind, &message, &file, &line, &col, &address);
	if (!message)
		return;
	sf_crash_undefined(title, message);
	place(where);
	len = strlen(title);
	snprintf(title + len, sizeof(title) - len, "%s", where);
	if (!sf_find_expected(title))
		return;
	if (sf_find_goes_on()) {
		sf_find_note(title);
		return;
	}
	fprintf(stderr, "%s\n", title);
	told = true;
}

bool sf_undefined_told(void)
{
	bool was = told;

	told = false;
	return was;
}
