/* SPDX-License-Identifier: MIT */
/*
 * reduce_internal.h - private to reduce*.c: the best program so far, and the one question that is
 * asked of all others.
 */
#ifndef SLABFUZZ_REDUCE_INTERNAL_H
#define SLABFUZZ_REDUCE_INTERNAL_H

#include "../../allocators/base/hash_map.h"
#include "reduce.h"

struct reduce {
	const struct sf_reduce *how;
	struct sf_prog *best;
	struct sf_reduce_point at; /* where the best one shows it */
	struct sf_prog trial;      /* scratch: what is asked about */
	struct sf_map asked;       /* hashes of programs */
	uint8_t *bytes;
	size_t cap;
};

static inline bool reduce_stops(const struct reduce *r)
{
	return r->how->stop(r->how->ctx);
}

/* The best program into the scratch one, to be changed. */
void reduce_copy(struct reduce *r);
/* Repairs the scratch program and asks about it; if it shows it, it is the best. */
bool reduce_try(struct reduce *r);

/* One round over all arguments, settings and names. True: something is simpler. */
bool reduce_arguments(struct reduce *r);
bool reduce_settings(struct reduce *r);
void reduce_names(struct reduce *r);

#endif
