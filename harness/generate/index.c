// SPDX-License-Identifier: MIT
/*
 * index.c - index.h: a bit for each operation and group, and one for each word of those bits; the
 * rest are arrays by operation and by result.
 */
#include "index.h"

#include <stdlib.h>

#include "../../allocators/base/grow.h"

struct by_op {
	uint32_t gone;  /* a result that is dead after it; SF_NONE */
	uint32_t older; /* the one before it that came from the same cache; SF_NONE */
	uint8_t res_kind;
	bool ended;     /* what it defines has */
};

struct by_res {
	uint32_t definer;
	/* Of what comes from it, if it is a cache, a device or a pool. */
	uint32_t newest, last_object;
};

/* Bits of one word, of each group. */
struct word {
	uint64_t of[SF_INDEX_GROUPS];
};

struct sf_index {
	struct word *ops, *words; /* by 64 operations, by 4096 */
	size_t cap_ops, cap_words;
	struct by_op *op;
	uint32_t nr, cap;
	struct by_res *res;       /* by result + 1: entry 0 is what comes from nowhere */
	uint32_t nr_res, cap_res;
};

struct sf_index *sf_index_create(void)
{
	return sf_zalloc(1, sizeof(struct sf_index));
}

void sf_index_free(struct sf_index *ix)
{
	if (!ix)
		return;
	free(ix->ops);
	free(ix->words);
	free(ix->op);
	free(ix->res);
	free(ix);
}

/* Entry of a result, or of SF_NONE. */
static struct by_res *res_at(struct sf_index *ix, uint32_t res)
{
	for (uint32_t at = res + 1; ix->nr_res <= at; ix->nr_res++) {
		SF_GROW(ix->res, ix->nr_res, ix->cap_res);
		ix->res[ix->nr_res] = (struct by_res){ SF_NONE, SF_NONE, SF_NONE };
	}
	return &ix->res[res + 1]; /* SF_NONE + 1 is 0 */
}

static void end_one(struct sf_index *ix, uint32_t res, uint32_t kinds)
{
	uint32_t i = sf_index_definer(ix, res);

	if (i != SF_NONE && kinds >> ix->op[i].res_kind & 1)
		ix->op[i].ended = true;
}

/* What ends leaves the list of its cache, so that no operation is met twice for long. */
static void end_many(struct sf_index *ix, uint32_t cache, uint32_t kinds)
{
	uint32_t *link = &res_at(ix, cache)->newest;

	while (*link != SF_NONE) {
		struct by_op *o = &ix->op[*link];

		if (!o->ended && kinds >> o->res_kind & 1) {
			link = &o->older;
			continue;
		}
		o->ended = true;
		*link = o->older;
	}
}

static void set_bits(struct sf_index *ix, uint32_t i, uint32_t groups)
{
	/* The word behind the last bit is there too. */
	ix->ops = sf_grow_zeroed(ix->ops, &ix->cap_ops, i / 64 + 2, sizeof(*ix->ops));
	ix->words = sf_grow_zeroed(ix->words, &ix->cap_words, i / 4096 + 2, sizeof(*ix->words));
	for (uint32_t m = groups; m; m &= m - 1) {
		unsigned int g = (unsigned int)__builtin_ctz(m);

		ix->ops[i / 64].of[g] |= 1ull << i % 64;
		ix->words[i / 4096].of[g] |= 1ull << i / 64 % 64;
	}
}

void sf_index_add(struct sf_index *ix, const struct sf_op *op, const struct sf_index_entry *e)
{
	uint32_t i = ix->nr;
	struct by_res *from;

	end_one(ix, e->ends, e->ends_many ? e->ends_many : UINT32_MAX);
	if (e->ends_many)
		end_many(ix, e->ends, e->ends_many);
	SF_GROW(ix->op, ix->nr, ix->cap);
	ix->op[ix->nr++] = (struct by_op){ .gone = e->gone,
					   .older = SF_NONE,
					   .res_kind = sf_op_table[op->code].res };
	set_bits(ix, i, e->groups);
	if (op->res == SF_NONE)
		return;
	res_at(ix, op->res)->definer = i;
	from = res_at(ix, op->cache);
	ix->op[i].older = from->newest;
	from->newest = i;
	if (e->object)
		from->last_object = op->res;
}

/* --- questions --- */

static uint64_t bits_of(const struct word *w, uint32_t groups)
{
	uint64_t m = 0;

	for (; groups; groups &= groups - 1)
		m |= w->of[__builtin_ctz(groups)];
	return m;
}

/* The bits of a word below bit `n`, which is below 64. */
static uint64_t bits_below(const struct word *w, uint32_t groups, uint32_t n)
{
	return n ? bits_of(w, groups) & ((1ull << n) - 1) : 0;
}

uint32_t sf_index_before(const struct sf_index *ix, uint32_t groups, uint32_t pos)
{
	uint32_t w = pos / 64, s = w / 64;
	uint64_t m = bits_below(&ix->ops[w], groups, pos % 64), sum;

	if (m)
		return w * 64 + 63 - (uint32_t)__builtin_clzll(m);
	sum = bits_below(&ix->words[s], groups, w % 64);
	while (!sum && s)
		sum = bits_of(&ix->words[--s], groups);
	if (!sum)
		return SF_NONE;
	w = s * 64 + 63 - (uint32_t)__builtin_clzll(sum);
	m = bits_of(&ix->ops[w], groups);
	return w * 64 + 63 - (uint32_t)__builtin_clzll(m);
}

bool sf_index_alive(const struct sf_index *ix, uint32_t i)
{
	return !ix->op[i].ended;
}

uint32_t sf_index_definer(const struct sf_index *ix, uint32_t res)
{
	return res != SF_NONE && res + 1 < ix->nr_res ? ix->res[res + 1].definer : SF_NONE;
}

uint32_t sf_index_gone(const struct sf_index *ix, uint32_t i)
{
	return ix->op[i].gone;
}

uint32_t sf_index_last_object(const struct sf_index *ix, uint32_t cache)
{
	uint32_t at = cache + 1;

	return at < ix->nr_res ? ix->res[at].last_object : SF_NONE;
}
