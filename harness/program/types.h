/* SPDX-License-Identifier: MIT */
/*
 * types.h - the table of C types that give allocations their type tags.
 *
 * Real types, compiled: sizes and alignments come from sizeof and _Alignof. Numbers are permanent
 * (the byte encoding uses them): types are only ever appended. Number 0 is "no type".
 */
#ifndef SLABFUZZ_TYPES_H
#define SLABFUZZ_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sf_type {
	const char *name;    /* as in C: "struct cred", "u8", "void *[4]" */
	const char *canonical; /* as clang names it for allocation tokens: no tag keyword, typedefs
				  resolved, qualifiers and array bounds kept */
	uint32_t size, align;
	bool pointer;        /* contains a pointer, by clang's rules (uintptr_t counts) */
	uint8_t counter;     /* bytes of the member that __counted_by names, 0: none */
	uint32_t flex_elem;  /* size of an element of its flexible array member, 0: it has none */
	uint32_t flex_offset;/* offset of that member */
	uint32_t counter_offset; /* of the member that is the counter */
};

extern const struct sf_type sf_types[];
extern const uint32_t sf_type_count; /* including number 0 */

/* NULL if there is none; whitespace in `name` is as in the table. */
const struct sf_type *sf_type_by_name(const char *name, size_t len);
static inline uint32_t sf_type_index(const struct sf_type *t)
{
	return t ? (uint32_t)(t - sf_types) : 0;
}

#endif
