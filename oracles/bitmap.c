// SPDX-License-Identifier: MIT
/*
 * bitmap.c - ranges of bits that do not lie in one word. See bitmap.h.
 */
#include "bitmap.h"

/* Blocks of more than 64 pages: nothing but whole words. */
static bool whole_words(uint64_t from, uint64_t nr)
{
	return (from | nr) % 64 == 0;
}

void sf_bits_set_long(uint64_t *b, uint64_t from, uint64_t nr)
{
	if (whole_words(from, nr)) {
		for (uint64_t i = from / 64; i < (from + nr) / 64; i++)
			b[i] = ~0ull;
		return;
	}
	sf_each_word(i, mask, from, nr)
		b[i] |= mask;
}

void sf_bits_clear_long(uint64_t *b, uint64_t from, uint64_t nr)
{
	if (whole_words(from, nr)) {
		for (uint64_t i = from / 64; i < (from + nr) / 64; i++)
			b[i] = 0;
		return;
	}
	sf_each_word(i, mask, from, nr)
		b[i] &= ~mask;
}

uint64_t sf_bits_count_long(const uint64_t *b, uint64_t from, uint64_t nr)
{
	uint64_t count = 0;

	sf_each_word(i, mask, from, nr) {
		uint64_t set = b[i] & mask;

		count += set == ~0ull ? 64 : set ? (uint64_t)__builtin_popcountll(set) : 0;
	}
	return count;
}

bool sf_bits_any_long(const uint64_t *b, uint64_t from, uint64_t nr)
{
	if (whole_words(from, nr)) {
		for (uint64_t i = from / 64; i < (from + nr) / 64; i++)
			if (b[i])
				return true;
		return false;
	}
	sf_each_word(i, mask, from, nr)
		if (b[i] & mask)
			return true;
	return false;
}

bool sf_bits_all_long(const uint64_t *b, uint64_t from, uint64_t nr)
{
	sf_each_word(i, mask, from, nr)
		if ((b[i] & mask) != mask)
			return false;
	return true;
}

uint64_t sf_bits_next(const uint64_t *b, uint64_t from, uint64_t end)
{
	for (uint64_t i = from / 64; from < end; from = ++i * 64) {
		uint64_t word = b[i] >> (from % 64);

		if (word)
			from += (uint64_t)__builtin_ctzll(word);
		if (word)
			return from < end ? from : end;
	}
	return end;
}
