/* SPDX-License-Identifier: MIT */
/*
 * rng.h - random numbers, the same everywhere: xoroshiro128+ (Blackman, Vigna), seeded by
 * splitmix64.
 *
 * No rule of any allocator lives in this folder, which is why both sides may include it. For what
 * generates and measures; what a kernel would draw is its model's own stream. Relies on hash.h.
 */
#ifndef SLABFUZZ_BASE_RNG_H
#define SLABFUZZ_BASE_RNG_H

#include <stdbool.h>

#include "hash.h"

struct sf_rng {
	uint64_t s[2]; /* never both zero */
};

static inline uint64_t sf_rotl(uint64_t x, unsigned int k)
{
	return x << k | x >> (64 - k);
}

static inline void sf_rng_seed(struct sf_rng *r, uint64_t seed)
{
	r->s[0] = sf_mix64(seed + SF_GOLDEN);
	r->s[1] = sf_mix64(seed + 2 * SF_GOLDEN) | 1;
}

static inline uint64_t sf_rng_next(struct sf_rng *r)
{
	uint64_t a = r->s[0], b = r->s[1], out = a + b;

	b ^= a;
	r->s[0] = sf_rotl(a, 24) ^ b ^ b << 16;
	r->s[1] = sf_rotl(b, 37);
	return out;
}

/* Uniform in [0, n); 0 if n is 0. The bias of the high part of a product is n / 2^64. */
static inline uint64_t sf_rng_below(struct sf_rng *r, uint64_t n)
{
	return (uint64_t)((unsigned __int128)sf_rng_next(r) * n >> 64);
}

/* True once in n. */
static inline bool sf_rng_one_in(struct sf_rng *r, uint64_t n)
{
	return !sf_rng_below(r, n);
}

#endif
