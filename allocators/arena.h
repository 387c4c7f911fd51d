/* SPDX-License-Identifier: MIT */
/*
 * arena.h - simulated memory as the models see it (arena.c): addresses and frames, raw accessors,
 * what is poisoned, contents of objects.
 *
 * Addresses are simulated (event.h: SF_DIRECT_MAP, SF_VMALLOC, SF_SLAB_WINDOW); a frame has 4096
 * bytes; lengths are bytes unless said otherwise. Everything of allocators/ touches memory through
 * these.
 */
#ifndef SLABFUZZ_ARENA_H
#define SLABFUZZ_ARENA_H

#include "heap.h"

/*
 * False, and one line in `err`: the host has no memory for it. arena_free() undoes it, also in
 * part.
 */
bool arena_init(struct sf_heap *h, struct sf_error *err);
/* It is kept for the next heap (spare.h), or nothing of it is mapped any more. */
void arena_free(struct sf_heap *h);
/* Descriptors, dirty pages, poison, vmalloc window: as at boot. Costs what was touched. */
void arena_reset(struct sf_heap *h);
/* The frame is written, or about to be, by other means than the functions below. */
void arena_dirtied(struct sf_heap *h, uint32_t pfn);
/* So many areas more (or less) are sealed. */
void arena_sealed(struct sf_heap *h, int32_t more);

/* The descriptor of that frame differs from boot, or is about to: reset must look at it. */
static inline void arena_touch(struct arena *a, uint32_t pfn)
{
	a->touched[pfn >> 12] |= 1ull << ((pfn >> 6) & 63);
}

/* The same at boot, where reset need not look. */
static inline void arena_boot_touch(struct arena *a, uint32_t pfn)
{
	a->used[pfn >> 12] |= 1ull << ((pfn >> 6) & 63);
}

static inline uint64_t pfn_addr(uint32_t pfn)
{
	return SF_DIRECT_MAP + ((uint64_t)pfn << SF_PAGE_SHIFT);
}

/* Of any window. NO_PFN if the address is in none, or nothing is mapped there. */
uint32_t addr_pfn(const struct sf_heap *h, uint64_t addr);

/* Where slabs have their addresses: free pointers and sheaves count from here. */
static inline uint64_t slab_window(const struct sf_heap *h)
{
	return h->arena.smap ? SF_SLAB_WINDOW : SF_DIRECT_MAP;
}

/* Address of the first object of the slab that begins at frame `head`. */
static inline uint64_t slab_addr(const struct sf_heap *h, uint32_t head)
{
	if (h->arena.smap)
		return SF_SLAB_WINDOW + ((uint64_t)h->arena.page[head].window << SF_PAGE_SHIFT);
	return pfn_addr(head);
}

/* Does the block of 2^order frames lie in the arena, aligned to its size? */
static inline bool is_block(const struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	return order < SF_NR_ORDERS && !(pfn & ((1u << order) - 1)) &&
	       pfn < h->arena.pages && 1u << order <= h->arena.pages - pfn;
}

/* Is the page on that list, as far as the list and its neighbours say? */
static inline bool page_is_linked(const struct sf_heap *h, const struct page_list *l, uint32_t pfn)
{
	const struct page *page = h->arena.page, *pg = &page[pfn];

	return l->nr && (pg->prev == NO_PFN ? l->head : page[pg->prev].next) == pfn &&
	       (pg->next == NO_PFN ? l->tail : page[pg->next].prev) == pfn;
}

/* Do head, tail and count agree that the list is empty, or that it is not? */
static inline bool page_list_agrees(const struct page_list *l)
{
	return l->nr ? l->head != NO_PFN && l->tail != NO_PFN :
		       l->head == NO_PFN && l->tail == NO_PFN;
}

/* The first byte of `nr` frames that is not zero, as an offset, or SF_GOOD. */
uint64_t arena_dirty(const struct sf_heap *h, uint32_t pfn, uint32_t nr);
/*
 * Memory as it is, of any address of any window: how many bytes from the first on are mapped and
 * were copied. Never AddressSanitizer's business.
 */
uint64_t arena_peek(const struct sf_heap *h, uint64_t addr, void *to, uint64_t len);
uint64_t arena_poke(struct sf_heap *h, uint64_t addr, const void *from, uint64_t len);

/*
 * Raw accessors: the listed few that may touch poisoned memory. Everything else goes through
 * instrumented code. Of any window. A misuse may have left any address in a free list: what nothing
 * is mapped at loads as 0 and is not stored, wiped or copied.
 */
uint64_t raw_load(const struct sf_heap *h, uint64_t addr);
void raw_store(struct sf_heap *h, uint64_t addr, uint64_t value);
/* Zeroes [addr, addr + len); pages known to be zero are left alone. */
void raw_wipe(struct sf_heap *h, uint64_t addr, uint64_t len);
void raw_copy(struct sf_heap *h, uint64_t to, uint64_t from, uint64_t len);

/* [addr, addr + len) of any window becomes usable / poisoned (nothing happens without ASan). */
void arena_open(struct sf_heap *h, uint64_t addr, uint64_t len);
void arena_close(struct sf_heap *h, uint64_t addr, uint64_t len);

/* The interface's fill(), verify(), zeroed(). */
void arena_fill(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		enum sf_contents how);
/* arena_fill() of what may be sealed: false: it faulted, nothing was written from there on. */
bool arena_try_fill(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		    enum sf_contents how);
uint64_t arena_verify(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		      enum sf_contents how);
uint64_t arena_zeroed(struct sf_heap *h, uint64_t addr, uint64_t from, uint64_t to,
		      enum sf_contents how);

#endif
