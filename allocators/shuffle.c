// SPDX-License-Identifier: MIT
/*
 * shuffle.c - free blocks of the largest order in random places of their list, as in mm/shuffle.c
 * of Linux 7.2: all of them at boot, then one end or the other for each that is freed.
 *
 * Relies on the free lists of page_alloc.c, which calls it. Smaller blocks are never moved: what a
 * large block is split into comes out in the order of addresses.
 */
#include "arena.h"
#include "heap_assert.h"
#include "page_internal.h"
#include "shuffle.h"

#define SHUFFLE_ORDER MAX_PAGE_ORDER
#define SHUFFLE_RETRY 10
#define BOOT_STREAM 0x73687566666c6500ull /* "shuffle": the numbers drawn at boot */

static bool can_move(const struct sf_heap *h, uint32_t pfn)
{
	const struct page *pg = &h->arena.page[pfn];

	return pg->state == PAGE_FREE && pg->order == SHUFFLE_ORDER;
}

/* Two blocks of a list change places; `b` may follow `a` or precede it. */
static void swap_blocks(struct arena *arena, struct page_list *l, uint32_t a, uint32_t b)
{
	struct page *page = arena->page;
	struct page *pa = &page[a], *pb = &page[b];
	uint32_t next, prev;

	if (pb->next == a) {
		swap_blocks(arena, l, b, a);
		return;
	}
	next = pb->next;
	prev = pb->prev;
	pb->prev = pa->prev;
	pb->next = pa->next == b ? a : pa->next;
	pa->prev = prev == a ? b : prev;
	pa->next = next;
	*(pa->prev == NO_PFN ? &l->head : &page[pa->prev].next) = a;
	*(pa->next == NO_PFN ? &l->tail : &page[pa->next].prev) = a;
	*(pb->prev == NO_PFN ? &l->head : &page[pb->prev].next) = b;
	*(pb->next == NO_PFN ? &l->tail : &page[pb->next].prev) = b;
}

/* A block to change places with `pfn`, NO_PFN if none was hit. */
static uint32_t pick_other(const struct sf_heap *h, uint32_t pfn, uint64_t *draws)
{
	for (unsigned int retry = 0; retry < SHUFFLE_RETRY; retry++) {
		uint64_t r = heap_boot_random(h, BOOT_STREAM + (*draws)++);
		uint32_t other = (uint32_t)(r % h->zone.managed) & ~((1u << SHUFFLE_ORDER) - 1);

		if (other != pfn && can_move(h, other))
			return other;
	}
	return NO_PFN;
}

void shuffle_zone(struct sf_heap *h)
{
	struct zone *z = &h->zone;
	uint64_t draws = 0;

	for (uint32_t pfn = 0; pfn < z->managed; pfn += 1u << SHUFFLE_ORDER) {
		uint32_t other = can_move(h, pfn) ? pick_other(h, pfn, &draws) : NO_PFN;
		unsigned int type = block_type(z, pfn);

		if (other == NO_PFN || block_type(z, other) != type)
			continue;
		heap_assert(h, page_is_linked(h, &z->free[SHUFFLE_ORDER][type], pfn));
		heap_assert(h, page_is_linked(h, &z->free[SHUFFLE_ORDER][type], other));
		swap_blocks(&h->arena, &z->free[SHUFFLE_ORDER][type], pfn, other);
		heap_assert(h, page_is_linked(h, &z->free[SHUFFLE_ORDER][type], pfn));
		heap_assert(h, page_is_linked(h, &z->free[SHUFFLE_ORDER][type], other));
	}
}

bool shuffle_pick_tail(struct sf_heap *h)
{
	struct zone *z = &h->zone;
	bool tail;

	if (z->shuffle_bits == 0) {
		z->shuffle = heap_random(h);
		z->shuffle_bits = 64;
	}
	tail = z->shuffle & 1;
	z->shuffle >>= 1;
	z->shuffle_bits--;
	heap_assert(h, z->shuffle_bits < 64);
	return tail;
}

void shuffle_reset(struct sf_heap *h)
{
	h->zone.shuffle = 0;
	h->zone.shuffle_bits = 0;
}
