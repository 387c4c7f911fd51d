/* SPDX-License-Identifier: MIT */
/*
 * taken.h - which bytes are in use: a bit for each 8 bytes of the windows of addresses that HEAP
 * reports, and of single pages outside them. Relies on the contract headers; objects.c takes and
 * gives, rules ask.
 */
#ifndef SLABFUZZ_TAKEN_H
#define SLABFUZZ_TAKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../allocators/base/hash_map.h"
#include "../allocators/event.h"

#define SF_PAGES_MAX (1ull << 26)     /* a window above this counts as unknown */
#define SF_PAGE_GRANULES 512u         /* of 8 bytes */
#define SF_PAGE_WHOLE UINT16_MAX

struct sf_shadow;

/* A window of addresses. Invariant: used[p] is SF_PAGE_WHOLE or counts the bits set in bits[p]. */
struct sf_page_bits {
	uint64_t w[SF_PAGE_GRANULES / 64];
};

struct sf_window {
	uint64_t base, pages, cap;
	uint16_t *used;
	struct sf_page_bits *bits;
};

/* A page outside both windows (or anywhere, when the windows are unknown). */
struct sf_far_page {
	uint64_t page; /* address >> 12 */
	uint16_t used;
	struct sf_page_bits bits;
};

struct sf_far {
	struct sf_map by_page; /* index in `page` */
	struct sf_far_page *page;
	size_t nr, cap;
	struct sf_wide { /* objects too wide for page entries */
		uint64_t addr, end;
	} *wide;
	size_t nr_wide, cap_wide;
};

enum sf_claim {
	SF_CLAIM_NONE, /* nothing to claim */
	SF_CLAIM_OK,
	SF_CLAIM_OVERLAP,
	SF_CLAIM_OUTSIDE,
	SF_CLAIM_FREE_PAGE,
	SF_CLAIM_TOO_WIDE,
};

/* Takes the bytes for an object: all or, if any of them cannot be, none. */
enum sf_claim sf_bytes_take(struct sf_shadow *sh, uint64_t addr, uint64_t size);
/* What was taken. */
void sf_bytes_give(struct sf_shadow *sh, uint64_t addr, uint64_t size);

static inline bool sf_window_has(const struct sf_window *w, uint64_t addr)
{
	return w->pages && addr >= w->base && (addr - w->base) >> SF_PAGE_SHIFT < w->pages;
}

/* HEAP: windows of a heap on which nothing is alive. */
void sf_windows_setup(struct sf_shadow *sh, const struct sf_ev_heap *heap);
void sf_windows_free(struct sf_shadow *sh);
/* Nothing is alive: only what is mapped in the slab window is left to forget. */
void sf_slabs_forget(struct sf_shadow *sh);
/* Room for slabs on these pages of the slab window; false: there can be none. */
bool sf_slabs_reach(struct sf_shadow *sh, uint64_t addr, uint64_t nr);

bool sf_shadow_live_at(const struct sf_shadow *sh, uint64_t addr);
/* Is something alive on these pages: by frame, in the direct map, and by address, anywhere? */
bool sf_shadow_pages_live(const struct sf_shadow *sh, uint64_t pfn, uint64_t nr);
bool sf_shadow_range_live(const struct sf_shadow *sh, uint64_t addr, uint64_t nr);
/* Page frame behind an address where slabs can be, or SF_NO_PFN. */
uint64_t sf_shadow_frame(const struct sf_shadow *sh, uint64_t addr);
/*
 * The window that holds all of [addr, addr + size), with arrays, and the page of addr in it; only
 * windows where slabs can be. NULL: none does.
 */
const struct sf_window *sf_shadow_window(const struct sf_shadow *sh, uint64_t addr, uint64_t size,
					 uint64_t *page);

#endif
