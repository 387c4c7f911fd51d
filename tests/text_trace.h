/* SPDX-License-Identifier: MIT */
/*
 * text_trace.h - a recording from a string, for tests; one that is none fails the test. Include it
 * after cmocka.h.
 */
#ifndef SLABFUZZ_TEXT_TRACE_H
#define SLABFUZZ_TEXT_TRACE_H

#include <string.h>

#include "../harness/trace/trace.h"

static inline struct sf_trace *open_text(const char *text)
{
	struct sf_error err = { "" };
	struct sf_trace *t;
	int code = 0;

	t = sf_trace_open_memory(text, strlen(text), &err, &code);
	if (!t)
		fail_msg("%s", err.text);
	return t;
}

#endif
