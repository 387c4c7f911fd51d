// SPDX-License-Identifier: MIT
/*
 * first_fit.c - first_fit.h: chunks lie one behind the other, each knows its size and the one
 * before it; the first free one that is large enough is taken. e2e_plugin.sh plants bugs in it.
 */
#include "first_fit.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ALIGN 16u

struct chunk {
	_Alignas(ALIGN) struct chunk *before; /* NULL: it is the first */
	size_t size;                          /* with this header; lowest bit: in use */
};

struct ff_heap {
	_Alignas(ALIGN) struct chunk *first, *end;
};

static size_t size_of(const struct chunk *c)
{
	return c->size & ~(size_t)1;
}

static bool used(const struct chunk *c)
{
	return c->size & 1;
}

static struct chunk *after(const struct chunk *c)
{
	return (struct chunk *)((char *)c + size_of(c));
}

/* Bytes of a chunk for a request, 0: it cannot be. */
static size_t chunk_size(size_t size)
{
	if (size > PTRDIFF_MAX)
		return 0;
	return (size + sizeof(struct chunk) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

struct ff_heap *ff_init(void *block, size_t size)
{
	size_t skip = -(uintptr_t)block % ALIGN;
	struct ff_heap *h = (struct ff_heap *)((char *)block + skip);
	size_t room;

	if (size < skip + sizeof(*h) + 2 * sizeof(struct chunk))
		return NULL;
	room = (size - skip - sizeof(*h)) & ~(size_t)(ALIGN - 1);
	h->first = (struct chunk *)(h + 1);
	h->end = (struct chunk *)((char *)h->first + room);
	*h->first = (struct chunk){ .size = room };
	return h;
}

/* What lies behind the first `size` bytes becomes a chunk of its own if there is room for one. */
static void split(struct ff_heap *h, struct chunk *c, size_t size)
{
	struct chunk *rest = (struct chunk *)((char *)c + size);
	size_t left = size_of(c) - size;

	if (left < sizeof(struct chunk))
		return;
	*rest = (struct chunk){ .before = c, .size = left };
	c->size = size | used(c);
	if (after(rest) != h->end)
		after(rest)->before = rest;
}

/* With the one behind it, if that is free. */
static void join(struct ff_heap *h, struct chunk *c)
{
	struct chunk *next = after(c);

	if (next == h->end || used(next))
		return;
	c->size += next->size;
	if (after(c) != h->end)
		after(c)->before = c;
}

void *ff_memalign(struct ff_heap *h, size_t align, size_t size)
{
	size_t want = chunk_size(size);

	if (align & (align - 1) || !align || !want)
		return NULL;
	for (struct chunk *c = h->first; c != h->end; c = after(c)) {
		size_t skip = align > ALIGN ? -(uintptr_t)(c + 1) % align : 0;

		if (used(c) || size_of(c) < want || size_of(c) - want < skip)
			continue;
		if (skip) {
			split(h, c, skip);
			c = after(c);
		}
		c->size |= 1;
		split(h, c, want);
		return c + 1;
	}
	return NULL;
}

void *ff_malloc(struct ff_heap *h, size_t size)
{
	return ff_memalign(h, ALIGN, size);
}

void ff_free(struct ff_heap *h, void *p)
{
	struct chunk *c;

	if (!p)
		return;
	c = (struct chunk *)p - 1;
	c->size &= ~(size_t)1;
	join(h, c);
	if (c->before && !used(c->before))
		join(h, c->before);
}

void *ff_realloc(struct ff_heap *h, void *p, size_t size)
{
	struct chunk *c;
	size_t want = chunk_size(size), had;
	void *new;

	if (!p)
		return ff_malloc(h, size);
	if (!want)
		return NULL;
	c = (struct chunk *)p - 1;
	had = size_of(c) - sizeof(*c);
	if (want > size_of(c))
		join(h, c);
	if (want <= size_of(c)) {
		split(h, c, want);
		if (after(c) != h->end && !used(after(c)))
			join(h, after(c));
		return p;
	}
	new = ff_malloc(h, size);
	if (!new)
		return NULL;
	memcpy(new, p, had < size ? had : size);
	ff_free(h, p);
	return new;
}
