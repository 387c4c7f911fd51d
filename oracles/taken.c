// SPDX-License-Identifier: MIT
/*
 * taken.c - which bytes are in use, and what lies behind addresses.
 *
 * Most objects lie in one page of the direct map: that is the fast way. Relies on taken.h and the
 * zone (bytes of a free page cannot be taken).
 */
#include "taken.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "rules.h"
#include "shadow.h"
#include "shadow_mem.h"

#define FAR_PAGES_MAX 64u /* wider objects go to the list of wide ones */
#define WIDE_MAX 65536u

/* Bits [lo, hi) of one page. */
static bool bits_busy(const uint64_t *w, unsigned int lo, unsigned int hi)
{
	unsigned int i = lo / 64, last = (hi - 1) / 64;
	uint64_t first_mask = ~0ull << (lo % 64), last_mask = ~0ull >> (63 - (hi - 1) % 64);

	if (i == last)
		return w[i] & first_mask & last_mask;
	if (w[i] & first_mask)
		return true;
	while (++i < last)
		if (w[i])
			return true;
	return w[last] & last_mask;
}

static void bits_flip(uint64_t *w, unsigned int lo, unsigned int hi)
{
	unsigned int i = lo / 64, last = (hi - 1) / 64;
	uint64_t first_mask = ~0ull << (lo % 64), last_mask = ~0ull >> (63 - (hi - 1) % 64);

	if (i == last) {
		w[i] ^= first_mask & last_mask;
		return;
	}
	w[i] ^= first_mask;
	while (++i < last)
		w[i] = ~w[i];
	w[last] ^= last_mask;
}

static bool page_busy(uint16_t used, const uint64_t *w, unsigned int lo, unsigned int hi)
{
	if (!used)
		return false;
	if (used == SF_PAGE_WHOLE || hi - lo == SF_PAGE_GRANULES)
		return true;
	return bits_busy(w, lo, hi);
}

static void page_take(uint16_t *used, uint64_t *w, unsigned int lo, unsigned int hi)
{
	if (hi - lo == SF_PAGE_GRANULES) {
		*used = SF_PAGE_WHOLE;
		return;
	}
	bits_flip(w, lo, hi);
	*used = (uint16_t)(*used + hi - lo);
}

static void page_give(uint16_t *used, uint64_t *w, unsigned int lo, unsigned int hi)
{
	if (hi - lo == SF_PAGE_GRANULES) {
		*used = 0;
		return;
	}
	if (lo / 64 == (hi - 1) / 64)
		w[lo / 64] ^= sf_bits_mask(lo, hi - lo);
	else
		bits_flip(w, lo, hi);
	*used = (uint16_t)(*used - (hi - lo));
}

/* Takes what is free as a whole. */
static bool page_try(uint16_t *used, uint64_t *w, unsigned int lo, unsigned int hi)
{
	uint64_t mask;

	if (*used == SF_PAGE_WHOLE || lo / 64 != (hi - 1) / 64) {
		if (page_busy(*used, w, lo, hi))
			return false;
		page_take(used, w, lo, hi);
		return true;
	}
	mask = sf_bits_mask(lo, hi - lo);
	if (w[lo / 64] & mask)
		return false;
	w[lo / 64] |= mask;
	*used = (uint16_t)(*used + hi - lo);
	return true;
}

/*
 * Granules [g0, g1) that a byte range takes: both ends round up, so that ranges without a byte in
 * common never have a granule in common.
 */
struct span {
	uint64_t g0, g1;
};

static struct span span_of(uint64_t addr, uint64_t size)
{
	uint64_t end = addr + size < addr ? UINT64_MAX : addr + size;

	return (struct span){ addr / 8 + (addr % 8 != 0), end / 8 + (end % 8 != 0) };
}

static unsigned int span_lo(struct span s, uint64_t page)
{
	return s.g0 / SF_PAGE_GRANULES == page ? s.g0 % SF_PAGE_GRANULES : 0;
}

static unsigned int span_hi(struct span s, uint64_t page)
{
	return (s.g1 - 1) / SF_PAGE_GRANULES == page ? (s.g1 - 1) % SF_PAGE_GRANULES + 1
						     : SF_PAGE_GRANULES;
}

static bool window_take(struct sf_window *w, struct span s)
{
	uint64_t base = w->base >> SF_PAGE_SHIFT;
	uint64_t first = s.g0 / SF_PAGE_GRANULES, last = (s.g1 - 1) / SF_PAGE_GRANULES;

	for (uint64_t p = first; p <= last; p++)
		if (page_busy(w->used[p - base], w->bits[p - base].w, span_lo(s, p), span_hi(s, p)))
			return false;
	for (uint64_t p = first; p <= last; p++)
		page_take(&w->used[p - base], w->bits[p - base].w, span_lo(s, p), span_hi(s, p));
	return true;
}

static void window_give(struct sf_window *w, struct span s)
{
	uint64_t base = w->base >> SF_PAGE_SHIFT;
	uint64_t first = s.g0 / SF_PAGE_GRANULES, last = (s.g1 - 1) / SF_PAGE_GRANULES;

	for (uint64_t p = first + 1; p < last; p++)
		w->used[p - base] = 0;
	page_give(&w->used[first - base], w->bits[first - base].w, span_lo(s, first),
		  span_hi(s, first));
	if (last > first)
		page_give(&w->used[last - base], w->bits[last - base].w, 0, span_hi(s, last));
}

static bool window_holds(const struct sf_window *w, uint64_t addr, uint64_t size)
{
	return sf_window_has(w, addr) && size <= (w->pages << SF_PAGE_SHIFT) - (addr - w->base);
}

static struct sf_far_page *far_find(const struct sf_far *f, uint64_t page)
{
	uint32_t i = sf_map_get(&f->by_page, page);

	return i == SF_MAP_NONE ? NULL : &f->page[i];
}

/* Pages with nothing on them go; the last one takes the place of each. */
static void far_sweep(struct sf_far *f)
{
	for (size_t i = 0; f->page && i < f->nr;) {
		struct sf_far_page *p = &f->page[i];

		if (p->used) {
			i++;
			continue;
		}
		sf_map_del(&f->by_page, p->page);
		*p = f->page[--f->nr];
		if (i < f->nr)
			sf_map_put(&f->by_page, p->page, (uint32_t)i);
	}
}

static struct sf_far_page *far_make(struct sf_far *f, uint64_t page, size_t *bytes)
{
	struct sf_far_page *p = far_find(f, page);

	if (p)
		return p;
	if (f->nr == f->cap || !f->page) {
		far_sweep(f);
		if (!f->page || f->nr >= f->cap / 2) /* else it would soon be swept again */
			f->page = sf_shadow_grow(f->page, &f->cap, f->cap + 1, sizeof(*f->page),
						 bytes);
	}
	f->page[f->nr] = (struct sf_far_page){ .page = page };
	sf_shadow_put(&f->by_page, page, (uint32_t)f->nr, bytes);
	return &f->page[f->nr++];
}

/* The first wide object that ends behind `addr`; they are disjoint, in the order of addresses. */
static size_t far_wide_at(const struct sf_far *f, uint64_t addr)
{
	size_t lo = 0, hi = f->nr_wide;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->wide[mid].end > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static bool far_wide_hit(const struct sf_far *f, uint64_t addr, uint64_t end)
{
	size_t i = far_wide_at(f, addr);

	return i < f->nr_wide && f->wide[i].addr < end;
}

static bool is_wide(struct span s)
{
	return (s.g1 - s.g0) / SF_PAGE_GRANULES >= FAR_PAGES_MAX;
}

static bool far_page_hit(const struct sf_far_page *p, struct span s)
{
	return p && page_busy(p->used, p->bits.w, span_lo(s, p->page), span_hi(s, p->page));
}

/* Does a narrow object have bytes of it? However wide it is, that costs no more than there is. */
static bool far_pages_hit(const struct sf_far *f, struct span s)
{
	uint64_t first = s.g0 / SF_PAGE_GRANULES, last = (s.g1 - 1) / SF_PAGE_GRANULES;

	if (last - first < f->nr) {
		for (uint64_t p = first; p <= last; p++)
			if (far_page_hit(far_find(f, p), s))
				return true;
		return false;
	}
	for (size_t i = 0; i < f->nr; i++)
		if (f->page[i].page >= first && f->page[i].page <= last &&
		    far_page_hit(&f->page[i], s))
			return true;
	return false;
}

static enum sf_claim far_take_wide(struct sf_shadow *sh, uint64_t addr, uint64_t size)
{
	struct sf_far *f = &sh->far;
	size_t i = far_wide_at(f, addr);

	if (far_wide_hit(f, addr, addr + size) || far_pages_hit(f, span_of(addr, size)))
		return SF_CLAIM_OVERLAP;
	if (f->nr_wide >= WIDE_MAX)
		return SF_CLAIM_TOO_WIDE;
	f->wide =
		sf_shadow_grow(f->wide, &f->cap_wide, f->nr_wide + 1, sizeof(*f->wide), &sh->bytes);
	memmove(&f->wide[i + 1], &f->wide[i], (f->nr_wide - i) * sizeof(*f->wide));
	f->wide[i] = (struct sf_wide){ addr, addr + size };
	f->nr_wide++;
	return SF_CLAIM_OK;
}

static enum sf_claim far_take(struct sf_shadow *sh, uint64_t addr, uint64_t size)
{
	struct span s = span_of(addr, size);
	uint64_t first = s.g0 / SF_PAGE_GRANULES, last = (s.g1 - 1) / SF_PAGE_GRANULES;

	if (addr + size < addr)
		return SF_CLAIM_OUTSIDE;
	if (is_wide(s))
		return far_take_wide(sh, addr, size);
	if (sh->far.nr_wide && far_wide_hit(&sh->far, addr, addr + size))
		return SF_CLAIM_OVERLAP;
	for (uint64_t p = first; p <= last; p++) {
		if (far_page_hit(far_find(&sh->far, p), s))
			return SF_CLAIM_OVERLAP;
	}
	for (uint64_t p = first; p <= last; p++) {
		struct sf_far_page *fp = far_make(&sh->far, p, &sh->bytes);

		page_take(&fp->used, fp->bits.w, span_lo(s, p), span_hi(s, p));
	}
	return SF_CLAIM_OK;
}

static void far_give(struct sf_shadow *sh, uint64_t addr, uint64_t size)
{
	struct sf_far *f = &sh->far;
	struct span s = span_of(addr, size);

	if (is_wide(s)) {
		size_t i = far_wide_at(f, addr);

		if (i < f->nr_wide && f->wide[i].addr == addr)
			memmove(&f->wide[i], &f->wide[i + 1],
				(--f->nr_wide - i) * sizeof(*f->wide));
		return;
	}
	for (uint64_t p = s.g0 / SF_PAGE_GRANULES; p <= (s.g1 - 1) / SF_PAGE_GRANULES; p++) {
		struct sf_far_page *fp = far_find(f, p);

		if (fp)
			page_give(&fp->used, fp->bits.w, span_lo(s, p), span_hi(s, p));
	}
}

/* The same of the slab window: is a frame in use behind each page? */
static bool slabs_out(const struct sf_shadow *sh, uint64_t addr, uint64_t size)
{
	uint64_t first = (addr - sh->slabs.base) >> SF_PAGE_SHIFT;
	uint64_t last = (addr + size - 1 - sh->slabs.base) >> SF_PAGE_SHIFT;

	for (uint64_t p = first; p <= last; p++)
		if (!sh->frame[p] || !sf_bit(sh->zone.out, sh->frame[p] - 1))
			return false;
	return true;
}

/* Are all pages of the range in use? */
static bool range_out(const struct sf_shadow *sh, uint64_t addr, uint64_t size)
{
	uint64_t first = (addr - sh->direct.base) >> SF_PAGE_SHIFT;
	uint64_t last = (addr + size - 1 - sh->direct.base) >> SF_PAGE_SHIFT;

	return last < sh->zone.pages && sf_bits_all(sh->zone.out, first, last - first + 1);
}

/* Granules [*lo, *hi) of the page of the direct map that holds the whole range, or false. */
static bool one_page(const struct sf_window *w, uint64_t addr, uint64_t size, unsigned int *lo,
		     unsigned int *hi)
{
	uint64_t in = addr % SF_PAGE_SIZE;

	if ((addr - w->base) >> SF_PAGE_SHIFT >= w->pages || size > SF_PAGE_SIZE - in)
		return false;
	*lo = (unsigned int)(in + 7) / 8;
	*hi = (unsigned int)(in + size + 7) / 8;
	return *lo < *hi;
}

enum sf_claim sf_bytes_take(struct sf_shadow *sh, uint64_t addr, uint64_t size)
{
	struct span s;
	struct sf_window *w = &sh->direct;
	unsigned int lo, hi;

	if (sh->addresses && one_page(w, addr, size, &lo, &hi)) { /* most objects */
		uint64_t p = (addr - w->base) >> SF_PAGE_SHIFT;

		if (sh->zone.on && (p >= sh->zone.pages || !sf_bit(sh->zone.out, p)))
			return SF_CLAIM_FREE_PAGE;
		return page_try(&w->used[p], w->bits[p].w, lo, hi) ? SF_CLAIM_OK : SF_CLAIM_OVERLAP;
	}
	s = span_of(addr, size);
	if (!sh->addresses || s.g0 >= s.g1)
		return SF_CLAIM_NONE;
	if (!sh->direct.pages)
		return far_take(sh, addr, size);
	if (!sf_window_has(w, addr))
		w = sf_window_has(&sh->slabs, addr) ? &sh->slabs : &sh->vmalloc;
	if (!window_holds(w, addr, size))
		return SF_CLAIM_OUTSIDE;
	if (sh->zone.on && ((w == &sh->direct && !range_out(sh, addr, size)) ||
			    (w == &sh->slabs && !slabs_out(sh, addr, size))))
		return SF_CLAIM_FREE_PAGE;
	if (!window_take(w, s))
		return SF_CLAIM_OVERLAP;
	if (w == &sh->vmalloc)
		sh->vm_used += sf_pages_of(size);
	return SF_CLAIM_OK;
}

void sf_bytes_give(struct sf_shadow *sh, uint64_t addr, uint64_t size)
{
	struct sf_window *w = &sh->direct;
	unsigned int lo, hi;

	if (one_page(w, addr, size, &lo, &hi)) {
		uint64_t p = (addr - w->base) >> SF_PAGE_SHIFT;

		page_give(&w->used[p], w->bits[p].w, lo, hi);
		return;
	}
	if (!sh->direct.pages) {
		far_give(sh, addr, size);
	} else if (sf_window_has(&sh->direct, addr)) {
		window_give(&sh->direct, span_of(addr, size));
	} else if (sf_window_has(&sh->slabs, addr)) {
		window_give(&sh->slabs, span_of(addr, size));
	} else {
		window_give(&sh->vmalloc, span_of(addr, size));
		sh->vm_used -= sf_pages_of(size);
	}
}

const struct sf_window *sf_shadow_window(const struct sf_shadow *sh, uint64_t addr, uint64_t size,
					 uint64_t *page)
{
	const struct sf_window *w = sf_window_has(&sh->direct, addr) ? &sh->direct : &sh->slabs;

	if (!window_holds(w, addr, size))
		return NULL;
	*page = (addr - w->base) >> SF_PAGE_SHIFT;
	return w;
}

uint64_t sf_shadow_frame(const struct sf_shadow *sh, uint64_t addr)
{
	uint64_t page;
	const struct sf_window *w = sf_shadow_window(sh, addr, 1, &page);

	if (!w || w == &sh->direct)
		return w ? page : SF_NO_PFN;
	return sh->frame[page] ? sh->frame[page] - 1 : SF_NO_PFN;
}

bool sf_shadow_live_at(const struct sf_shadow *sh, uint64_t addr)
{
	uint64_t p, g = addr / 8 % SF_PAGE_GRANULES;
	const struct sf_window *w = sf_shadow_window(sh, addr, 1, &p);

	return w && (w->used[p] == SF_PAGE_WHOLE || sf_bit(w->bits[p].w, g));
}

bool sf_shadow_range_live(const struct sf_shadow *sh, uint64_t addr, uint64_t nr)
{
	uint64_t first = 0;
	const struct sf_window *w = sf_shadow_window(sh, addr, 1, &first);

	for (uint64_t p = first; w && p < w->pages && p - first < nr; p++)
		if (w->used[p])
			return true;
	return false;
}

bool sf_shadow_pages_live(const struct sf_shadow *sh, uint64_t pfn, uint64_t nr)
{
	for (uint64_t p = pfn; p < sh->direct.pages && p - pfn < nr; p++)
		if (sh->direct.used[p])
			return true;
	return false;
}

static void window_free(struct sf_window *w, size_t *bytes)
{
	sf_shadow_unmap(w->used, w->cap, sizeof(*w->used), bytes);
	sf_shadow_unmap(w->bits, w->cap, sizeof(*w->bits), bytes);
}

static void window_setup(struct sf_window *w, uint64_t base, uint64_t pages, size_t *bytes)
{
	w->base = base & ~(SF_PAGE_SIZE - 1);
	w->pages = pages <= SF_PAGES_MAX ? pages : 0;
	if (w->pages <= w->cap)
		return; /* nothing is alive: what is there is zero */
	window_free(w, bytes);
	w->cap = w->pages;
	w->used = sf_shadow_map(w->cap, sizeof(*w->used), bytes);
	w->bits = sf_shadow_map(w->cap, sizeof(*w->bits), bytes);
}

void sf_slabs_forget(struct sf_shadow *sh)
{
	if (sh->slabs.pages)
		memset(sh->frame, 0, sh->slabs.pages * sizeof(*sh->frame));
	sh->slabs.pages = 0;
}

static void slabs_setup(struct sf_shadow *sh, const struct sf_ev_heap *heap)
{
	sf_slabs_forget(sh);
	sh->slabs.base = heap->slabs & ~(SF_PAGE_SIZE - 1);
	sh->slab_limit = heap->slab_pages <= SF_PAGES_MAX ? heap->slab_pages : 0;
}

/* The windows' own memory, of which a later heap may need more. */
void sf_windows_setup(struct sf_shadow *sh, const struct sf_ev_heap *heap)
{
	uint64_t vm_cap = sh->vmalloc.cap, cap = sh->direct.cap;

	window_setup(&sh->direct, heap->direct_map, heap->pages, &sh->bytes);
	window_setup(&sh->vmalloc, heap->vmalloc, heap->vmalloc_pages, &sh->bytes);
	if (sh->vmalloc.cap > vm_cap) {
		sf_shadow_unmap(sh->vm_pfn, vm_cap, sizeof(*sh->vm_pfn), &sh->bytes);
		sh->vm_pfn = sf_shadow_map(sh->vmalloc.cap, sizeof(*sh->vm_pfn), &sh->bytes);
	}
	if (sh->direct.cap > cap) {
		sf_shadow_unmap(sh->past, cap, sizeof(*sh->past), &sh->bytes);
		sh->past = sf_shadow_map(sh->direct.cap, sizeof(*sh->past), &sh->bytes);
	}
	slabs_setup(sh, heap);
}

/* Slabs fill their window from below: far above them there are none. */
bool sf_slabs_reach(struct sf_shadow *sh, uint64_t addr, uint64_t nr)
{
	struct sf_window *w = &sh->slabs;
	uint64_t end = ((addr - w->base) >> SF_PAGE_SHIFT) + nr;
	size_t used = w->cap, bits = w->cap, frames = w->cap, past = w->cap;

	if (addr < w->base || end > sh->slab_limit || end > 2 * w->pages + 65536)
		return false;
	if (end > w->cap) {
		w->used = sf_shadow_grow(w->used, &used, end, sizeof(*w->used), &sh->bytes);
		w->bits = sf_shadow_grow(w->bits, &bits, end, sizeof(*w->bits), &sh->bytes);
		sh->frame = sf_shadow_grow(sh->frame, &frames, end, sizeof(*sh->frame), &sh->bytes);
		sh->slab_past = sf_shadow_grow(sh->slab_past, &past, end, sizeof(*sh->slab_past),
					       &sh->bytes);
		w->cap = used;
	}
	if (end > w->pages)
		w->pages = end;
	return true;
}

void sf_windows_free(struct sf_shadow *sh)
{
	sf_shadow_unmap(sh->past, sh->direct.cap, sizeof(*sh->past), &sh->bytes);
	sf_shadow_unmap(sh->vm_pfn, sh->vmalloc.cap, sizeof(*sh->vm_pfn), &sh->bytes);
	window_free(&sh->direct, &sh->bytes);
	window_free(&sh->vmalloc, &sh->bytes);
	free(sh->slabs.used);
	free(sh->slabs.bits);
	free(sh->frame);
	free(sh->slab_past);
	free(sh->far.page);
	sf_map_free(&sh->far.by_page);
	free(sh->far.wide);
}
