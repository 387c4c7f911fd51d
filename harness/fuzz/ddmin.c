// SPDX-License-Identifier: MIT
/*
 * ddmin.c - ddmin.h. Chunks are of what is left, not of the list: a sparse list is as quick as a
 * short one.
 */
#include "ddmin.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

struct run {
	const struct sf_ddmin *d;
	bool *out, *trial;
	uint32_t *left;     /* items, in order */
	uint32_t nr, nr_left;
};

static void list_left(struct run *r)
{
	r->nr_left = 0;
	for (uint32_t i = 0; i < r->nr; i++)
		if (!r->out[i])
			r->left[r->nr_left++] = i;
}

static bool is_over(const struct run *r)
{
	return r->d->stop && r->d->stop(r->d->ctx);
}

/* Without the places from..to of those left. */
static bool try_without(struct run *r, uint32_t from, uint32_t to)
{
	memcpy(r->trial, r->out, r->nr * sizeof(*r->trial));
	for (uint32_t i = from; i < to; i++)
		r->trial[r->left[i]] = true;
	if (!r->d->good(r->d->ctx, r->trial))
		return false;
	memcpy(r->out, r->trial, r->nr * sizeof(*r->out));
	return true;
}

/* Once over all chunks of that size, the last first. True: something went. */
static bool pass(struct run *r, uint32_t chunk)
{
	uint32_t to = r->nr_left, limit;
	bool any = false;

	while (to && !is_over(r)) {
		uint32_t from = to > chunk ? to - chunk : 0;

		if (!try_without(r, from, to)) {
			to = from;
			continue;
		}
		any = true;
		/* More than the chunk may have gone: of what was before it, too. */
		limit = r->left[from];
		list_left(r);
		for (to = 0; to < r->nr_left && r->left[to] < limit; to++)
			;
	}
	return any;
}

uint32_t sf_ddmin(const struct sf_ddmin *d, bool *out, uint32_t nr)
{
	struct run r = { .d = d, .out = out, .nr = nr };

	r.trial = sf_grow(NULL, nr + 1, sizeof(*r.trial));
	r.left = sf_grow(NULL, nr + 1, sizeof(*r.left));
	list_left(&r);
	for (uint32_t chunk = r.nr_left; chunk && !is_over(&r);) {
		if (chunk > r.nr_left)
			chunk = r.nr_left;
		if (!chunk)
			break;
		/* Single ones until none can go. */
		if (!pass(&r, chunk) || chunk > 1)
			chunk /= 2;
	}
	free(r.trial);
	free(r.left);
	return r.nr_left;
}
