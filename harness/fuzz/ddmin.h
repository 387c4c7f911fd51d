/* SPDX-License-Identifier: MIT */
/*
 * ddmin.h - delta debugging over a list: leaves out halves, quarters … down to single items, as
 * long as what is left is still good (ddmin.c). Knows nothing of what the items are; the minimiser
 * of programs and that of histories rely on it.
 */
#ifndef SLABFUZZ_DDMIN_H
#define SLABFUZZ_DDMIN_H

#include <stdbool.h>
#include <stdint.h>

struct sf_ddmin {
	/*
	 * Is what is left without the items `out` still good? It may leave out more, which then
	 * stays left out if it is.
	 */
	bool (*good)(void *ctx, bool *out);
	/* No more is to be tried. NULL: never. */
	bool (*stop)(void *ctx);
	void *ctx;
};

/*
 * Of `nr` items those left out already are in `out`; so is the result: each item that is left is
 * needed, unless it was stopped. Later items are tried first: those before them hang on nothing.
 * Returns how many are left.
 */
uint32_t sf_ddmin(const struct sf_ddmin *d, bool *out, uint32_t nr);

#endif
