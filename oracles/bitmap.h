/* SPDX-License-Identifier: MIT */
/*
 * bitmap.h - ranges of bits in arrays of words: most ranges lie in one word, and are no call.
 * Relies on nothing; the zone, pools and snapshots rely on it.
 */
#ifndef SLABFUZZ_BITMAP_H
#define SLABFUZZ_BITMAP_H

#include <stdbool.h>
#include <stdint.h>

static inline bool sf_bit(const uint64_t *b, uint64_t i)
{
	return b[i / 64] >> (i % 64) & 1;
}

/* The first bit from `from` on, `end` if there is none before. */
uint64_t sf_bits_next(const uint64_t *b, uint64_t from, uint64_t end);
/* for SF_EACH_BIT(p, b, from, end): p is each bit that is set, in order. */
#define SF_EACH_BIT(p, b, from, end)                                             \
	(uint64_t p = sf_bits_next(b, from, end); p < (end); p = sf_bits_next(b, p + 1, end))
void sf_bits_set_long(uint64_t *b, uint64_t from, uint64_t nr);
void sf_bits_clear_long(uint64_t *b, uint64_t from, uint64_t nr);
uint64_t sf_bits_count_long(const uint64_t *b, uint64_t from, uint64_t nr);
bool sf_bits_any_long(const uint64_t *b, uint64_t from, uint64_t nr);
bool sf_bits_all_long(const uint64_t *b, uint64_t from, uint64_t nr);

/* Each word of [from, from + nr), with the mask of the bits in it. */
#define sf_each_word(i, mask, from, nr)                                                    \
	for (uint64_t i = (from) / 64, first_ = i, last_ = ((from) + (nr) - 1) / 64, mask; \
	     (nr) && i <= last_ &&                                                         \
	     (mask = (i == first_ ? ~0ull << (from) % 64 : ~0ull) &                        \
		     (i == last_ ? ~0ull >> (63 - ((from) + (nr) - 1) % 64) : ~0ull),      \
	      true);                                                                       \
	     i++)

/* Most ranges lie in one word: those need no loop. */
static inline bool sf_bits_short(uint64_t from, uint64_t nr)
{
	return nr - 1 <= 63 - from % 64;
}

static inline uint64_t sf_bits_mask(uint64_t from, uint64_t nr)
{
	return ~0ull >> ((64 - nr) & 63) << (from % 64); /* nr >= 1 */
}

static inline void sf_bits_set(uint64_t *b, uint64_t from, uint64_t nr)
{
	if (sf_bits_short(from, nr))
		b[from / 64] |= sf_bits_mask(from, nr);
	else
		sf_bits_set_long(b, from, nr);
}

static inline void sf_bits_clear(uint64_t *b, uint64_t from, uint64_t nr)
{
	if (sf_bits_short(from, nr))
		b[from / 64] &= ~sf_bits_mask(from, nr);
	else
		sf_bits_clear_long(b, from, nr);
}

static inline bool sf_bits_any(const uint64_t *b, uint64_t from, uint64_t nr)
{
	if (sf_bits_short(from, nr))
		return b[from / 64] & sf_bits_mask(from, nr);
	return sf_bits_any_long(b, from, nr);
}

static inline bool sf_bits_all(const uint64_t *b, uint64_t from, uint64_t nr)
{
	if (sf_bits_short(from, nr))
		return !(~b[from / 64] & sf_bits_mask(from, nr));
	return sf_bits_all_long(b, from, nr);
}

/* Mostly all or none: on many machines counting is a call. */
static inline uint64_t sf_bits_count(const uint64_t *b, uint64_t from, uint64_t nr)
{
	uint64_t mask, set;

	if (!sf_bits_short(from, nr))
		return sf_bits_count_long(b, from, nr);
	mask = sf_bits_mask(from, nr);
	set = b[from / 64] & mask;
	if (set == mask)
		return nr;
	return set ? (uint64_t)__builtin_popcountll(set) : 0;
}

#endif
