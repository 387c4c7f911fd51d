// SPDX-License-Identifier: MIT
/*
 * freelist.c - free lists of slabs beyond their links, which are inline in slab_internal.h: the
 * order of a fresh slab's objects, its report, and what happens to a list that misuse has broken.
 *
 * After mm/slub.c (init_slab_obj_iter, next_slab_obj) and mm/slab_common.c
 * (cache_random_seq_create) of Linux 7.2. slab.c relies on it.
 */
#include "arena.h"
#include "base/grow.h"
#include "freelist.h"
#include "heap_assert.h"

#include <stdlib.h>

void freelist_corrupt(struct sf_heap *h, struct page *pg, uint64_t addr)
{
	warn(h, "slab: free pointer corrupt", addr);
	pg->freelist = 0;
}

/* Fisher-Yates; what the seed and the cache decide, so that reset has nothing to undo. */
static void make_permutation(struct sf_heap *h, struct kcache *s)
{
	uint64_t stream = ((uint64_t)s->id + 1) << 32;

	if (s->cap_seq < s->objects) {
		free(s->order_seq);
		s->order_seq = sf_grow(NULL, s->objects, sizeof(*s->order_seq));
		s->cap_seq = s->objects;
	}
	for (uint32_t i = 0; i < s->objects; i++)
		s->order_seq[i] = (uint16_t)i;
	for (uint32_t i = s->objects; i-- > 1;) {
		uint32_t k = (uint32_t)(heap_boot_random(h, stream + i) % (i + 1));
		uint16_t other = s->order_seq[k];

		s->order_seq[k] = s->order_seq[i];
		s->order_seq[i] = other;
	}
	s->has_seq = true;
}

void freelist_order(struct sf_heap *h, struct kcache *s, unsigned int objects)
{
	unsigned int pos;

	heap_assert(h, objects && objects <= s->objects);
	if (!h->set.freelist_random || objects < 2) {
		for (unsigned int i = 0; i < objects; i++)
			h->order_buf[i] = (uint16_t)i;
		return;
	}
	if (!s->has_seq)
		make_permutation(h, s);
	pos = (unsigned int)(heap_random(h) % s->objects);
	for (unsigned int i = 0; i < objects;) {
		uint16_t index = s->order_seq[pos];

		pos = pos + 1 < s->objects ? pos + 1 : 0;
		/* A slab of the smallest order has fewer than the permutation. */
		if (index < objects)
			h->order_buf[i++] = index;
	}
}

void freelist_emit(struct sf_heap *h, const struct kcache *s, uint32_t head, const uint64_t *taken,
		   unsigned int n)
{
	const struct page *pg = &h->arena.page[head];
	uint64_t base = slab_addr(h, head);
	uint64_t addr = pg->freelist ? base + (pg->freelist - 1) * 8ull : 0;
	/* Exact for multiples of the stride, and faster than a division. */
	uint64_t factor = (1ull << 32) / s->stride + 1;
	unsigned int i = 0;

	heap_assert(h, n <= pg->objects && n == pg->inuse);
	for (; i < n; i++)
		h->order_buf[i] = (uint16_t)((taken[i] - base) * factor >> 32);
	while (addr && i < pg->objects) {
		uint64_t at = addr + s->freeptr;

		h->order_buf[i++] = (uint16_t)((addr - base) * factor >> 32);
		addr = freelist_code(h, s, raw_load(h, at), at);
	}
	heap_assert(h, i == pg->objects && !addr);
	EMIT(h, SLAB_ORDER, slaborder, .cache = s->id, .objects = (uint16_t)i, .pfn = head,
	     .index = h->order_buf);
}

uint32_t freelist_length(const struct sf_heap *h, const struct kcache *s, uint32_t head)
{
	const struct page *pg = &h->arena.page[head];
	uint64_t base = slab_addr(h, head);
	uint64_t addr = pg->freelist ? base + (pg->freelist - 1) * 8ull : 0;
	uint32_t n = 0;

	for (; addr - base < (uint64_t)pg->objects * s->stride && n <= pg->objects; n++) {
		uint64_t at = addr + s->freeptr;

		addr = freelist_code(h, s, raw_load(h, at), at);
	}
	return n;
}
