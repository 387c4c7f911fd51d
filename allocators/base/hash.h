/* SPDX-License-Identifier: MIT */
/*
 * hash.h - numbers from numbers and from bytes.
 *
 * No rule of any allocator lives in this folder, which is why allocators and oracles may both
 * include it: containers, and the arithmetic that they and files' names are made with. Headers
 * only: there is no symbol that one side could share with the other. Relies on libc only.
 */
#ifndef SLABFUZZ_BASE_HASH_H
#define SLABFUZZ_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define SF_GOLDEN 0x9e3779b97f4a7c15ull /* 2^64 divided by the golden ratio; odd */

/* Multiplicative (Knuth): good for numbers that lie close together or are aligned. */
static inline uint32_t sf_hash_u64(uint64_t x)
{
	return (uint32_t)(x * SF_GOLDEN >> 32);
}

/* splitmix64 (Steele, Lea, Flood 2014) of its state: each bit depends on every bit. */
static inline uint64_t sf_mix64(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

/* FNV-1a, begun with SF_FNV_START and continued with what it gave. */
#define SF_FNV_START 0xcbf29ce484222325ull
#define SF_FNV_PRIME 0x100000001b3ull

static inline uint64_t sf_fnv1a(uint64_t h, const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size--)
		h = (h ^ *p++) * SF_FNV_PRIME;
	return h;
}

static inline uint64_t sf_fnv1a_text(const char *s)
{
	uint64_t h = SF_FNV_START;

	while (*s)
		h = (h ^ (uint8_t)*s++) * SF_FNV_PRIME;
	return h;
}

#endif
