// SPDX-License-Identifier: MIT
/*
 * heap_assert.c - how an assertion fails. Relies on nothing of a heap but its settings.
 */
#include "heap_assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void heap_assert_failed(const struct sf_heap *h, const char *file, int line, const char *function,
			const char *cond)
{
	const char *level = getenv("SLABFUZZ_ASSERT");

	if (h->set.misuse || (level && !strcmp(level, "0")))
		return;
	fprintf(stderr, "%s:%d: %s: assertion '%s' failed\n", file, line, function, cond);
	abort();
}
