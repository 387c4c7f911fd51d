/* SPDX-License-Identifier: MIT */
/*
 * unpack.h - gzip, xz and zstd as one thing: bytes in, bytes out. Told apart by the first bytes.
 * Relies on private.h; source.c relies on it.
 */
#ifndef SLABFUZZ_TRACE_UNPACK_H
#define SLABFUZZ_TRACE_UNPACK_H

#include "private.h"

enum sf_packing {
	SF_PLAIN,
	SF_GZIP,
	SF_XZ,
	SF_ZSTD,
};
#define SF_PACKING_MAGIC 6u /* bytes that it takes to tell */

enum sf_packing sf_packing_of(const uint8_t *head, size_t len);

struct sf_unpack;
/* NULL with err; `exit_code` becomes 3 if this build lacks the library. */
struct sf_unpack *sf_unpack_create(enum sf_packing kind, const char *name, struct sf_error *err,
				   int *exit_code);
void sf_unpack_destroy(struct sf_unpack *u);
void sf_unpack_rewind(struct sf_unpack *u);

struct sf_unpack_step {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
	bool last; /* nothing follows `in` */
};
/*
 * Moves `in` and `out` on as far as it gets. 0, or -1 with err: the data are broken. Without
 * progress at `last` the end is reached, perhaps too early.
 */
int sf_unpack(struct sf_unpack *u, struct sf_unpack_step *step, const char *name,
	      struct sf_error *err);

/* After all of it: if it ended in the middle, what kind of data it is; else NULL. */
const char *sf_unpack_early(const struct sf_unpack *u);

#endif
