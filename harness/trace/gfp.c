// SPDX-License-Identifier: MIT
/*
 * gfp.c - gfp flags as recordings print them, to bits.
 *
 * Names come from the tables of gfp.h; what only older or newer kernels print is listed here
 * (include/trace/events/gfpflags.h to 4.5, mmflags.h since: single bits print under a name without
 * underscores to 4.5, a few of them still do). Some mean nothing to the model, and are known.
 * Relies on nothing else; the readers rely on it.
 */
#include <stdio.h>
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
	/* To 4.5: one name for each bit. */
	N("GFP_WAIT", SF_GFP_RECLAIM),
	N("__GFP_WAIT", SF_GFP_RECLAIM),
	N("GFP_HIGH", SF_GFP_HIGH),
	N("GFP_IO", SF_GFP_IO),
	N("GFP_FS", SF_GFP_FS),
	N("GFP_COLD", 0),
	N("GFP_NOWARN", SF_GFP_NOWARN),
	N("GFP_REPEAT", SF_GFP_RETRY_MAYFAIL),
	N("GFP_NOFAIL", SF_GFP_NOFAIL),
	N("GFP_NORETRY", SF_GFP_NORETRY),
	N("GFP_COMP", SF_GFP_COMP),
	N("GFP_ZERO", SF_GFP_ZERO),
	N("GFP_NOMEMALLOC", SF_GFP_NOMEMALLOC),
	N("GFP_MEMALLOC", SF_GFP_MEMALLOC),
	N("GFP_HARDWALL", SF_GFP_HARDWALL),
	N("GFP_THISNODE", SF_GFP_THISNODE),
	N("GFP_RECLAIMABLE", SF_GFP_RECLAIMABLE),
	N("GFP_MOVABLE", SF_GFP_MOVABLE),
	N("GFP_NOTRACK", 0),
	N("GFP_OTHER_NODE", 0),
	N("GFP_NO_KSWAPD", 0),
	N("GFP_WRITE", SF_GFP_WRITE),
	N("GFP_KMEMCG", SF_GFP_ACCOUNT),
	N("GFP_DIRECT_RECLAIM", SF_GFP_DIRECT_RECLAIM),
	N("GFP_KSWAPD_RECLAIM", SF_GFP_KSWAPD_RECLAIM),
	/* What has gone since, or means nothing to an allocator without it. */
	N("GFP_TEMPORARY", SF_GFP_KERNEL | SF_GFP_RECLAIMABLE),
	N("GFP_IOFS", SF_GFP_IO | SF_GFP_FS),
	N("GFP_NOTRACK_FALSE_POSITIVE", 0),
	N("__GFP_NOTRACK_FALSE_POSITIVE", 0),
	N("__GFP_COLD", 0),
	N("__GFP_REPEAT", SF_GFP_RETRY_MAYFAIL),
	N("__GFP_NO_KSWAPD", 0),
	N("__GFP_OTHER_NODE", 0),
	N("__GFP_NOTRACK", 0),
	N("__GFP_KMEMCG", SF_GFP_ACCOUNT),
	N("__GFP_NOACCOUNT", 0),
	N("__GFP_ATOMIC", 0),
	N("___GFP_ATOMIC", 0),
	N("__GFP_ZEROTAGS", 0),
	N("__GFP_SKIP_ZERO", 0),
	N("__GFP_SKIP_KASAN", 0),
	N("__GFP_SKIP_KASAN_UNPOISON", 0),
	N("__GFP_SKIP_KASAN_POISON", 0),
	N("__GFP_NOLOCKDEP", 0),
	N("__GFP_NO_OBJ_EXT", 0),
	N("__GFP_NO_CODETAG", 0),
	N("___GFP_UNUSED", 0),
	N("__GFP_UNUSED", 0),
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

bool sf_tr_gfp_begins(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].len > len && !memcmp(names[i].text, s, len))
			return true;
	return false;
}

uint32_t sf_tr_gfp_name(const char *s, size_t len, bool *known)
{
	const struct name *n = find(s, len);

	*known = n != NULL;
	return n ? n->bits : 0;
}

/*
 * Where the bits were in kernels that number them otherwise (include/linux/gfp.h). The lowest ones
 * (DMA, HIGHMEM, DMA32, MOVABLE, HIGH, IO, FS) have never moved. 0: a bit that means nothing here.
 */
enum era {
	ERA_WAIT,   /* to 4.3: one bit means reclaim */
	ERA_NODE,   /* to 4.9 */
	ERA_COLD,   /* to 4.18 */
	ERA_SPARE,  /* to 5.0 */
	ERA_NOW,
};

#define B(bit, id) [bit] = SF_GFP_##id
#define LOW B(0, DMA), B(1, HIGHMEM), B(2, DMA32), B(3, MOVABLE), B(5, HIGH), B(6, IO), B(7, FS)
#define MIDDLE B(9, NOWARN), B(10, RETRY_MAYFAIL), B(11, NOFAIL), B(12, NORETRY), B(13, MEMALLOC), \
	       B(14, COMP), B(15, ZERO), B(16, NOMEMALLOC), B(17, HARDWALL), B(18, THISNODE)
static const uint32_t eras[ERA_NOW][32] = {
	[ERA_WAIT] = { LOW, MIDDLE, [4] = SF_GFP_RECLAIM, B(19, RECLAIMABLE), B(24, WRITE) },
	[ERA_NODE] = { LOW, MIDDLE, B(4, RECLAIMABLE), B(20, ACCOUNT), B(22, DIRECT_RECLAIM),
		       B(24, WRITE), B(25, KSWAPD_RECLAIM) },
	[ERA_COLD] = { LOW, MIDDLE, B(4, RECLAIMABLE), B(20, ACCOUNT), B(22, DIRECT_RECLAIM),
		       B(23, WRITE), B(24, KSWAPD_RECLAIM) },
	[ERA_SPARE] = { LOW, MIDDLE, B(4, RECLAIMABLE), B(8, WRITE), B(20, ACCOUNT),
			B(21, DIRECT_RECLAIM), B(22, KSWAPD_RECLAIM) },
};

/* Of the bits that every request has some of: those that let it reclaim. */
static enum era era_of(uint64_t bits)
{
	bool io = (bits & 0xc0) == 0xc0;

	if ((bits & 0xc00) == 0xc00)
		return ERA_NOW;
	if (io && (bits & 0x600000) == 0x600000)
		return ERA_SPARE;
	if (bits & 0xc00 && !(bits & 0x3000000 && io))
		return ERA_NOW;
	if (bits & 0x2000000)
		return ERA_NODE;
	if (bits & 0x1000000)
		return ERA_COLD;
	if (bits & 0x400000)
		return ERA_SPARE;
	return bits & 0x30 ? ERA_WAIT : ERA_NOW;
}

uint32_t sf_tr_gfp_raw(uint64_t bits, struct sf_tr_notes *notes)
{
	enum era era = era_of(bits);
	uint32_t out = 0;

	if (era != ERA_NOW) {
		for (uint64_t left = bits & UINT32_MAX; left; left &= left - 1)
			out |= eras[era][__builtin_ctzll(left)];
		return out;
	}
	for (uint64_t left = bits & ~(uint64_t)SF_GFP_ALL; left; left &= left - 1) {
		unsigned int bit = (unsigned int)__builtin_ctzll(left);
		char name[24];

		/* 9, and from 23 to 27: what KASAN, tags and profiling use. */
		if (bit == 9 || (bit >= 23 && bit <= 27))
			continue;
		notes->unknown_gfp++;
		snprintf(name, sizeof(name), "0x%llx", 1ull << bit);
		sf_tr_tally(&notes->heard->gfp, name, strlen(name));
	}
	return (uint32_t)(bits & SF_GFP_ALL);
}

/* "0x800000", or a number. */
static bool number(const char *s, size_t len, uint64_t *v)
{
	bool hex = len > 2 && s[0] == '0' && s[1] == 'x';
	size_t i = hex ? 2 : 0;

	*v = 0;
	if (!len || len > 18)
		return false;
	for (; i < len; i++) {
		const char *digits = "0123456789abcdef";
		const char *at = memchr(digits, s[i], hex ? 16 : 10);

		if (!at)
			return false;
		*v = hex ? *v << 4 | (uint64_t)(at - digits) : *v * 10 + (uint64_t)(at - digits);
	}
	return true;
}

uint32_t sf_tr_gfp(const char *s, size_t len, struct sf_tr_notes *notes)
{
	bool alone = !memchr(s, '|', len);
	uint32_t gfp = 0;

	while (len) {
		const char *bar = memchr(s, '|', len);
		size_t n = bar ? (size_t)(bar - s) : len;
		const struct name *name = find(s, n);
		uint64_t v;

		if (name) {
			gfp |= name->bits;
		} else if (number(s, n, &v)) {
			/* Alone it is a raw field; behind names, what the printer had none for. */
			gfp |= alone ? sf_tr_gfp_raw(v, notes) : (uint32_t)(v & SF_GFP_ALL);
			if (!alone && v & ~(uint64_t)SF_GFP_ALL) {
				notes->unknown_gfp++;
				sf_tr_tally(&notes->heard->gfp, s, n);
			}
		} else {
			notes->unknown_gfp++;
			sf_tr_tally(&notes->heard->gfp, s, n);
		}
		s += n + (bar != NULL);
		len -= n + (bar != NULL);
	}
	return gfp;
}
