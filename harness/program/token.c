// SPDX-License-Identifier: MIT
/*
 * token.c - clang's allocation tokens, computed as LLVM does
 * (llvm/lib/Support/SipHash.cpp:getStableSipHash, clang's typehashpointersplit): they must agree
 * bit for bit.
 *
 * Relies on types.c for the types of the table. The executor, `slabfuzz types` and the kernel's
 * calls rely on it.
 */
#include "token.h"

static uint64_t word_at(const char *s, size_t len)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++)
		v |= (uint64_t)(unsigned char)s[i] << (8 * i);
	return v;
}

static uint64_t rotate(uint64_t v, unsigned int by)
{
	return v << by | v >> (64 - by);
}

struct sip {
	uint64_t a, b, c, d;
};

static void mix(struct sip *s, unsigned int rounds)
{
	while (rounds--) {
		s->a += s->b;
		s->c += s->d;
		s->b = rotate(s->b, 13) ^ s->a;
		s->d = rotate(s->d, 16) ^ s->c;
		s->a = rotate(s->a, 32);
		s->c += s->b;
		s->a += s->d;
		s->b = rotate(s->b, 17) ^ s->c;
		s->d = rotate(s->d, 21) ^ s->a;
		s->c = rotate(s->c, 32);
	}
}

static void take(struct sip *s, uint64_t word)
{
	s->d ^= word;
	mix(s, 2);
	s->a ^= word;
}

uint64_t sf_token_hash(const char *canonical, size_t len)
{
	/* b5 d4 c9 eb 79 10 4a 79 6f ec 8b 1b 42 87 81 d4 */
	const uint64_t key[2] = { 0x794a1079ebc9d4b5ull, 0xd48187421b8bec6full };
	struct sip s = {
		key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull,
		key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull,
	};
	size_t at = 0;

	for (; len - at >= 8; at += 8)
		take(&s, word_at(canonical + at, 8));
	take(&s, word_at(canonical + at, len - at) | (uint64_t)len << 56);
	s.c ^= 0xff;
	mix(&s, 4);
	return s.a ^ s.b ^ s.c ^ s.d;
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

uint64_t sf_token_of(const char *canonical, bool pointer, uint64_t max)
{
	uint64_t half = (max ? max : UINT64_MAX) / 2;

	if (!half)
		return 0;
	return sf_token_hash(canonical, length(canonical)) % half + (pointer ? half : 0);
}

uint8_t sf_type_token(uint32_t type)
{
	if (!type || type >= sf_type_count)
		return 0;
	return (uint8_t)sf_token_of(sf_types[type].canonical, sf_types[type].pointer, SF_TOKENS);
}
