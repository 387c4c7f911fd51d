/* SPDX-License-Identifier: MIT */
/*
 * user_block.h - a block of memory for somebody else's heap, with what shows that he wrote outside
 * of it: pages that nothing may touch on both sides, and known bytes up to them (poisoned under
 * AddressSanitizer). What is in a new one is no zeroes at its beginning, and the same each time.
 * Relied on by user_heap.c.
 */
#ifndef SLABFUZZ_USER_BLOCK_H
#define SLABFUZZ_USER_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct user_block {
	uint8_t *start;
	size_t size;
	uint8_t *map;         /* with the pages around it; NULL: there is no block */
	size_t map_size;
};

/* `at` bytes behind a page boundary. False: no memory, or `size` is 0 or beyond all reason. */
bool user_block_make(struct user_block *b, uint64_t size, uint32_t at);
/* What is in it is as it was when it was new. */
void user_block_renew(struct user_block *b);
void user_block_drop(struct user_block *b);
/* Nothing outside of it was written. */
bool user_block_sound(const struct user_block *b);

static inline bool user_block_has(const struct user_block *b, uint64_t addr, uint64_t size)
{
	return addr >= (uintptr_t)b->start && addr - (uintptr_t)b->start < b->size &&
	       size <= b->size - (addr - (uintptr_t)b->start);
}

#endif
