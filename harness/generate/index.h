/* SPDX-License-Identifier: MIT */
/*
 * index.h - what draw.c looks up in a program that only grows: which operations define what a
 * reference could mean, whether that is still alive, what is dead. The answers are those that a
 * walk over the program gives, in a time that does not depend on its length.
 *
 * Relies on program.h. generate.c keeps one for long programs; draw.c asks it, and says of each
 * operation what it is.
 */
#ifndef SLABFUZZ_INDEX_H
#define SLABFUZZ_INDEX_H

#include "../program/program.h"

enum { SF_INDEX_GROUPS = 32 };

/* What an operation is to those that come after it. */
struct sf_index_entry {
	uint32_t groups;  /* bits: the groups that it is in */
	uint32_t gone;    /* a result that is dead after it; SF_NONE */
	uint32_t ends;    /* the result that ends with it; SF_NONE */
	/*
	 * 0, or bits of enum sf_res_kind: `ends` is of one of these, or is spared (it may be none
	 * at all), and so does end what came from there, but for results of these kinds.
	 */
	uint32_t ends_many;
	bool object;      /* it defines an object, of RES_OBJ */
};

struct sf_index;

struct sf_index *sf_index_create(void);
void sf_index_free(struct sf_index *ix);
/* The operation at the end of the program so far, with what it is. */
void sf_index_add(struct sf_index *ix, const struct sf_op *op, const struct sf_index_entry *e);

/* The last operation before `pos` in one of the groups; SF_NONE. */
uint32_t sf_index_before(const struct sf_index *ix, uint32_t groups, uint32_t pos);
/* Whether what operation `i` defines has not ended. */
bool sf_index_alive(const struct sf_index *ix, uint32_t i);
/* The operation that defines a result; SF_NONE. */
uint32_t sf_index_definer(const struct sf_index *ix, uint32_t res);
/* What is dead after operation `i`; the last object that came from a cache; SF_NONE. */
uint32_t sf_index_gone(const struct sf_index *ix, uint32_t i);
uint32_t sf_index_last_object(const struct sf_index *ix, uint32_t cache);

#endif
