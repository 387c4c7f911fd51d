/* SPDX-License-Identifier: MIT */
/*
 * freelist.h - free lists of slabs (freelist.c): links, their encoding, the order of a fresh slab;
 * after mm/slub.c of Linux 7.2. For slab.c.
 *
 * A list is the descriptor's `freelist` and the next-words in free objects: 0 ends it.
 */
#ifndef SLABFUZZ_FREELIST_H
#define SLABFUZZ_FREELIST_H

#include "arena.h"
#include "heap_assert.h"

/* A next-word as it is stored at address `at`, and back (mm/slub.c:freelist_ptr_encode). */
static inline uint64_t freelist_code(const struct sf_heap *h, const struct kcache *s, uint64_t word,
				     uint64_t at)
{
	return h->set.freelist_hardened ? word ^ s->secret ^ __builtin_bswap64(at) : word;
}

/* The object becomes the head of the list of its slab, which begins at `base`. */
static inline void freelist_push(struct sf_heap *h, const struct kcache *s, struct page *pg,
				 uint64_t base, uint64_t addr)
{
	uint64_t at = addr + s->freeptr;

	heap_assert(h, addr >= base && addr - base < SF_PAGE_SIZE << pg->order);
	raw_store(h, at, freelist_code(h, s, pg->freelist ? base + (pg->freelist - 1) * 8ull : 0,
				       at));
	pg->freelist = (uint32_t)((addr - base) / 8) + 1;
}

/* The list leads out of its slab, to `addr`: it ends here. */
void freelist_corrupt(struct sf_heap *h, struct page *pg, uint64_t addr) __attribute__((cold));

/*
 * The head of a list that is not empty, and the list goes on with the next. A word that misuse left
 * there may say anything: what is no word of this slab ends the list.
 */
static inline uint64_t freelist_pop(struct sf_heap *h, const struct kcache *s, struct page *pg,
				    uint64_t base)
{
	uint64_t addr = base + (pg->freelist - 1) * 8ull, at = addr + s->freeptr;
	uint64_t next = freelist_code(h, s, raw_load(h, at), at), off = next - base;
	uint64_t word = off >> 3 | off << 61; /* far too large unless a multiple of 8 */

	heap_assert(h, pg->freelist && (pg->freelist - 1) * 8ull < SF_PAGE_SIZE << pg->order);
	if (!next)
		pg->freelist = 0;
	else if (word < (SF_PAGE_SIZE / 8) << pg->order)
		pg->freelist = (uint32_t)word + 1;
	else
		freelist_corrupt(h, pg, next);
	return addr;
}

/*
 * The order in which a fresh slab hands out its objects, in h->order_buf: ascending, or with
 * freelist_random from a random place of the cache's permutation on, cyclically.
 */
void freelist_order(struct sf_heap *h, struct kcache *s, unsigned int objects);
/* Emits SLAB_ORDER: `n` objects were taken at once, the list is walked for the rest. */
void freelist_emit(struct sf_heap *h, const struct kcache *s, uint32_t head, const uint64_t *taken,
		   unsigned int n);
/* Objects on the list of the slab at `head`; one more than the slab has where it has no end. */
uint32_t freelist_length(const struct sf_heap *h, const struct kcache *s, uint32_t head);

#endif
