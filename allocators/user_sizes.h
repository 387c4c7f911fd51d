/* SPDX-License-Identifier: MIT */
/*
 * user_sizes.h - what objects were asked for with, for an allocator that wants to be told when they
 * are freed and has no free() without. Relied on by user_heap.c.
 */
#ifndef SLABFUZZ_USER_SIZES_H
#define SLABFUZZ_USER_SIZES_H

#include "base/hash_map.h"

struct user_size {
	uint64_t size, align; /* 0: no alignment was asked for */
};

/* All zero: empty. */
struct user_sizes {
	struct sf_map at;       /* address to index */
	struct user_size *list;
	uint32_t nr, cap;
	uint32_t *spare;        /* indices without an object */
	uint32_t nr_spare, cap_spare;
};

void user_sizes_put(struct user_sizes *s, uint64_t addr, struct user_size size);
/* NULL: there is no such object. Valid until the next put. */
const struct user_size *user_sizes_get(const struct user_sizes *s, uint64_t addr);
void user_sizes_del(struct user_sizes *s, uint64_t addr);
void user_sizes_clear(struct user_sizes *s);
void user_sizes_free(struct user_sizes *s);

#endif
