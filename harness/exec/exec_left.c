// SPDX-License-Identifier: MIT
/*
 * exec_left.c - whose are bytes that are no live object's? Where an allocator shows no free lists,
 * it is known by what it writes: dead memory in which there is something else than its last owner
 * left, and memory that nobody had yet in which there is something at all. Old headers that the
 * allocator has no use for any more count as its own.
 *
 * Relies on the patterns that objects are filled with. exec_misuse.c relies on it.
 */
#include "exec_internal.h"

#include <stdlib.h>

/* What byte may be expected, beside a value. */
enum {
	FRESH = 0x100, /* what memory holds that nobody had */
	ANYTHING,
};

struct dead {
	uint64_t addr, size, key;
	uint64_t filled; /* bytes that hold the pattern, from the first on */
	uint64_t spare;  /* behind its size, with a pattern of their own */
};

struct left {
	struct dead *dead; /* in the order in which they died */
	uint32_t nr, cap;
	uint64_t addr, size;
	uint16_t expect[X_RANGE_MAX];
};

struct left *x_left_create(void)
{
	return sf_zalloc(1, sizeof(struct left));
}

void x_left_free(struct left *l)
{
	if (!l)
		return;
	free(l->dead);
	free(l);
}

void x_left_begin(struct left *l)
{
	l->nr = 0;
}

/* Of long ones the middle is hardly written. */
static uint64_t filled(const struct sf_exec *x, const struct object *o)
{
	if (!x_has_contents(x, o, o->size))
		return 0;
	return o->size <= SF_SPARSE_MIN || o->whole || x->opt.whole ? o->size : SF_SPARSE_EDGE;
}

void x_left_note(struct left *l, const struct sf_exec *x, const struct object *o)
{
	SF_GROW(l->dead, l->nr, l->cap);
	l->dead[l->nr++] = (struct dead){ .addr = o->addr, .size = o->size, .key = o->key,
					  .filled = filled(x, o), .spare = o->spare };
}

/* `d`: as its owner left it; NULL: it may be anything. */
static void expect(struct left *l, uint64_t addr, uint64_t size, const struct dead *d)
{
	uint64_t from = addr > l->addr ? addr : l->addr;
	uint64_t to = addr + size < l->addr + l->size ? addr + size : l->addr + l->size;

	for (uint64_t at = from; at < to; at++) {
		uint64_t i = at - addr;

		l->expect[at - l->addr] = !d || i >= d->filled ? ANYTHING :
			(uint8_t)(sf_pattern(d->key, i / 8) >> (i % 8 * 8));
	}
}

void x_left_aim(struct left *l, uint64_t addr, uint64_t size)
{
	l->addr = addr;
	l->size = size < X_RANGE_MAX ? size : X_RANGE_MAX;
	for (uint64_t i = 0; i < l->size; i++)
		l->expect[i] = FRESH;
	for (uint32_t i = 0; i < l->nr; i++) {
		const struct dead *d = &l->dead[i];

		expect(l, d->addr, d->size, d);
		expect(l, d->addr + d->size, d->spare, NULL);
	}
}

void x_left_pass(struct left *l, uint64_t addr, uint64_t size)
{
	expect(l, addr, size, NULL);
}

bool x_left_strange(const struct left *l, uint64_t i, uint8_t byte)
{
	if (!byte) /* wiped; a zero says nothing of itself */
		return false;
	if (l->expect[i] == FRESH)
		return byte != SF_BLOCK_JUNK;
	return l->expect[i] != ANYTHING && l->expect[i] != byte;
}
