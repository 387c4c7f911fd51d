// SPDX-License-Identifier: MIT
/*
 * gfp.c - gfp flags as recordings print them, to bits.
 *
 * Names come from the tables of gfp.h; what only older or newer kernels print is listed here
 * (include/trace/events/mmflags.h: a few single bits print under a name without underscores).
 * Relies on nothing else; the readers rely on it.
 */
#include <string.h>

#include "../../allocators/gfp.h"
#include "private.h"

#define SF_GFP_THP_LIGHT ((SF_GFP_HIGHUSER_MOVABLE | SF_GFP_COMP | SF_GFP_NOMEMALLOC |  \
			   SF_GFP_NOWARN) & ~(uint32_t)SF_GFP_RECLAIM)

struct name {
	const char *text;
	uint8_t len;
	uint32_t bits;
};

#define N(text, bits) { text, sizeof(text) - 1, bits }

static const struct name names[] = {
#define X(id, name, ...) N(name, SF_GFP_##id),
	SF_GFP_NAMES(X)
	SF_GFP_BITS(X)
#undef X
	N("__GFP_RECLAIM", SF_GFP_RECLAIM),
	N("GFP_DMA", SF_GFP_DMA),
	N("GFP_DMA32", SF_GFP_DMA32),
	N("GFP_TRANSHUGE_LIGHT", SF_GFP_THP_LIGHT),
	N("GFP_TRANSHUGE", SF_GFP_THP_LIGHT | SF_GFP_DIRECT_RECLAIM),
	N("none", 0),
	N("0", 0),
};

static const struct name *find(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].len == len && !memcmp(names[i].text, s, len))
			return &names[i];
	return NULL;
}

uint32_t sf_tr_gfp_name(const char *s, size_t len)
{
	const struct name *n = find(s, len);

	return n ? n->bits : 0;
}

/* Bits that a printer knew no name for: "0x800000". */
static bool raw(const char *s, size_t len, uint32_t *bits)
{
	uint64_t v = 0;

	if (len < 3 || len > 18 || s[0] != '0' || s[1] != 'x')
		return false;
	for (size_t i = 2; i < len; i++) {
		const char *hex = "0123456789abcdef", *at = memchr(hex, s[i], 16);

		if (!at)
			return false;
		v = v << 4 | (uint64_t)(at - hex);
	}
	*bits = (uint32_t)(v & SF_GFP_ALL);
	return !(v & ~(uint64_t)SF_GFP_ALL);
}

uint32_t sf_tr_gfp(const char *s, size_t len, uint64_t *unknown)
{
	uint32_t gfp = 0;

	while (len) {
		const char *bar = memchr(s, '|', len);
		size_t n = bar ? (size_t)(bar - s) : len;
		const struct name *name = find(s, n);
		uint32_t bits = 0;

		if (name)
			bits = name->bits;
		else if (!raw(s, n, &bits))
			++*unknown;
		gfp |= bits;
		s += n + (bar != NULL);
		len -= n + (bar != NULL);
	}
	return gfp;
}
