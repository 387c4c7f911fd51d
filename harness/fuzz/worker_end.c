// SPDX-License-Identifier: MIT
/*
 * worker_end.c - worker_end.h.
 */
#include "worker_end.h"

void sf_worker_crash(const struct sf_worker_end *end, const char *text, struct sf_crash *c)
{
	const struct sf_crash_end how = {
		.status = end->status,
		.hung = end->fate == SF_FATE_HANG,
		.memory = end->fate == SF_FATE_MEMORY,
		.left = end->fate == SF_FATE_EXIT,
		.closed = end->fate == SF_FATE_CLOSED,
	};

	if (end->fate != SF_FATE_SCRIBBLED && end->fate != SF_FATE_OUTPUT &&
	    sf_crash_read(c, text, &how))
		return;
	c->kind = SF_CRASH_KILLED;
	c->title[0] = 0;
}

void sf_worker_speaks(void)
{
	static const volatile bool midst = true;

	sf_crash_speak(&midst);
}
