/* SPDX-License-Identifier: MIT */
/*
 * mark.h - which allocator a byte program is for, when one engine fuzzes several: a record in front
 * that every decoder passes over, as it does every setting that it does not know. Bytes without
 * one mean what they always did.
 */
#ifndef SLABFUZZ_MARK_H
#define SLABFUZZ_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SF_MARK_NAME_MAX = 30 };

/* The name that is in front; false: none is. Ends with NUL. */
bool sf_mark_get(const uint8_t *data, size_t size, char name[SF_MARK_NAME_MAX + 1]);
/* Without the mark, if there is one; the new size. */
size_t sf_mark_strip(uint8_t *data, size_t size);
/*
 * Room that a mark takes. sf_mark_put() puts one in front of what has none, in a buffer with that
 * much more room; the new size. Less than a header stays as it is.
 */
size_t sf_mark_size(void);
size_t sf_mark_put(uint8_t *data, size_t size, const char *name);

#endif
