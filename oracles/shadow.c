// SPDX-License-Identifier: MIT
/*
 * shadow.c - objects, taken bytes and caches of the shadow model; the zone is in zone.c.
 *
 * Relies on shadow.h; judge.c calls it for every event that changes what is believed.
 */
#include "shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define FAR_PAGES_MAX 16384u /* wider objects go to the list of wide ones */
#define WIDE_MAX 4096u

static void out_of_memory(void)
{
	fputs("slabfuzz: out of memory in the judge\n", stderr);
	abort();
}

void *sf_shadow_zalloc(size_t nr, size_t size, size_t *bytes)
{
	void *p = calloc(nr ? nr : 1, size);

	if (!p)
		out_of_memory();
	*bytes += nr * size;
	return p;
}

void *sf_shadow_grow(void *p, size_t *cap, size_t need, size_t size, size_t *bytes)
{
	size_t to = *cap ? *cap : 64;

	if (need <= *cap)
		return p;
	while (to < need)
		to *= 2;
	p = realloc(p, to * size);
	if (!p)
		out_of_memory();
	memset((char *)p + *cap * size, 0, (to - *cap) * size);
	*bytes += (to - *cap) * size;
	*cap = to;
	return p;
}

void *sf_shadow_map(size_t nr, size_t size, size_t *bytes)
{
	void *p;

	if (!nr)
		return NULL;
	p = mmap(NULL, nr * size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		out_of_memory();
	*bytes += nr * size;
	return p;
}

void sf_shadow_unmap(void *p, size_t nr, size_t size, size_t *bytes)
{
	if (!p)
		return;
	munmap(p, nr * size);
	*bytes -= nr * size;
}

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

static bool window_has(const struct sf_window *w, uint64_t addr)
{
	return w->pages && addr >= w->base && (addr - w->base) >> SF_PAGE_SHIFT < w->pages;
}

static bool window_holds(const struct sf_window *w, uint64_t addr, uint64_t size)
{
	return window_has(w, addr) && size <= (w->pages << SF_PAGE_SHIFT) - (addr - w->base);
}

static size_t far_hash(const struct sf_far *f, uint64_t page)
{
	return (size_t)((page * 0x9e3779b97f4a7c15ull) >> 17) & (f->cap - 1);
}

static struct sf_far_page *far_find(const struct sf_far *f, uint64_t page)
{
	size_t i;

	if (!f->cap)
		return NULL;
	for (i = far_hash(f, page); f->slot[i].page; i = (i + 1) & (f->cap - 1))
		if (f->slot[i].page == page + 1)
			return &f->slot[i];
	return NULL;
}

/* Doubles, or only sweeps out pages with nothing on them when those are most. */
static void far_rehash(struct sf_far *f, size_t *bytes)
{
	struct sf_far old = *f;
	size_t used = 0;

	for (size_t i = 0; i < old.cap; i++)
		used += old.slot[i].used != 0;
	f->cap = old.cap ? old.cap : 256;
	while (f->cap < 4 * used)
		f->cap *= 2;
	f->slot = sf_shadow_zalloc(f->cap, sizeof(*f->slot), bytes);
	f->filled = used;
	for (size_t i = 0; i < old.cap; i++) {
		size_t at;

		if (!old.slot[i].used)
			continue;
		for (at = far_hash(f, old.slot[i].page - 1); f->slot[at].page;)
			at = (at + 1) & (f->cap - 1);
		f->slot[at] = old.slot[i];
	}
	free(old.slot);
	*bytes -= old.cap * sizeof(*f->slot);
}

static struct sf_far_page *far_make(struct sf_far *f, uint64_t page, size_t *bytes)
{
	struct sf_far_page *p = far_find(f, page);
	size_t i;

	if (p)
		return p;
	if (2 * (f->filled + 1) > f->cap)
		far_rehash(f, bytes);
	for (i = far_hash(f, page); f->slot[i].page;)
		i = (i + 1) & (f->cap - 1);
	f->slot[i].page = page + 1;
	f->filled++;
	return &f->slot[i];
}

static bool far_wide_hit(const struct sf_far *f, uint64_t addr, uint64_t end)
{
	for (size_t i = 0; i < f->nr_wide; i++)
		if (addr < f->wide[i].end && f->wide[i].addr < end)
			return true;
	return false;
}

static bool is_wide(struct span s)
{
	return (s.g1 - s.g0) / SF_PAGE_GRANULES >= FAR_PAGES_MAX;
}

static enum sf_claim far_take_wide(struct sf_shadow *sh, uint64_t addr, uint64_t size)
{
	struct sf_far *f = &sh->far;
	uint64_t end = addr + size;

	if (far_wide_hit(f, addr, end))
		return SF_CLAIM_OVERLAP;
	for (size_t i = 0; i < f->cap; i++) {
		uint64_t page = (f->slot[i].page - 1) << SF_PAGE_SHIFT;

		if (f->slot[i].used && page >= addr && page + SF_PAGE_SIZE <= end)
			return SF_CLAIM_OVERLAP;
	}
	if (f->nr_wide >= WIDE_MAX)
		return SF_CLAIM_TOO_WIDE;
	f->wide =
		sf_shadow_grow(f->wide, &f->cap_wide, f->nr_wide + 1, sizeof(*f->wide), &sh->bytes);
	f->wide[f->nr_wide++] = (struct sf_wide){ addr, end };
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
		const struct sf_far_page *fp = far_find(&sh->far, p);

		if (fp && page_busy(fp->used, fp->bits.w, span_lo(s, p), span_hi(s, p)))
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
		for (size_t i = 0; i < f->nr_wide; i++)
			if (f->wide[i].addr == addr) {
				f->wide[i] = f->wide[--f->nr_wide];
				return;
			}
		return;
	}
	for (uint64_t p = s.g0 / SF_PAGE_GRANULES; p <= (s.g1 - 1) / SF_PAGE_GRANULES; p++) {
		struct sf_far_page *fp = far_find(f, p);

		if (fp)
			page_give(&fp->used, fp->bits.w, span_lo(s, p), span_hi(s, p));
	}
}

/* The same of the slab window: is a frame that somebody uses behind each page? */
static bool slabs_out(const struct sf_shadow *sh, uint64_t addr, uint64_t size)
{
	uint64_t first = (addr - sh->slabs.base) >> SF_PAGE_SHIFT;
	uint64_t last = (addr + size - 1 - sh->slabs.base) >> SF_PAGE_SHIFT;

	for (uint64_t p = first; p <= last; p++)
		if (!sh->frame[p] || !sf_bit(sh->zone.out, sh->frame[p] - 1))
			return false;
	return true;
}

/* Are all pages of the range in somebody's use? */
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

static enum sf_claim take(struct sf_shadow *sh, uint64_t addr, uint64_t size)
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
	if (!window_has(w, addr))
		w = window_has(&sh->slabs, addr) ? &sh->slabs : &sh->vmalloc;
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

static void give(struct sf_shadow *sh, uint64_t addr, uint64_t size)
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
	} else if (window_has(&sh->direct, addr)) {
		window_give(&sh->direct, span_of(addr, size));
	} else if (window_has(&sh->slabs, addr)) {
		window_give(&sh->slabs, span_of(addr, size));
	} else {
		window_give(&sh->vmalloc, span_of(addr, size));
		sh->vm_used -= sf_pages_of(size);
	}
}

/* Ids are dense: one far above all that were seen is no id. */
static struct sf_shadow_obj *obj_slot(struct sf_shadow *sh, uint32_t id)
{
	if (id == SF_NONE)
		return NULL;
	if (id >= sh->cap_obj) {
		if (id > 2 * sh->peak + 4096) {
			sh->untracked++;
			return NULL;
		}
		sh->obj = sf_shadow_grow(sh->obj, &sh->cap_obj, (size_t)id + 1, sizeof(*sh->obj),
				  &sh->bytes);
	}
	if (id >= sh->peak)
		sh->peak = (size_t)id + 1;
	return &sh->obj[id];
}

uint64_t sf_shadow_pages_of(const struct sf_shadow_obj *o)
{
	switch (o->kind) {
	case SF_PLACE_LARGE:
		return o->order <= SF_MAX_ORDER ? SF_PAGE_SIZE << o->order : 0;
	case SF_PLACE_PAGES:
		if (o->api == SF_API_EXACT)
			return sf_pages_of(o->size) * SF_PAGE_SIZE;
		return o->order <= SF_MAX_ORDER ? SF_PAGE_SIZE << o->order : 0;
	case SF_PLACE_VMALLOC:
		return sf_pages_of(o->usable ? o->usable : o->size) * SF_PAGE_SIZE;
	default:
		return 0;
	}
}

void sf_shadow_drop(struct sf_shadow *sh, struct sf_shadow_obj *o)
{
	struct sf_shadow_cache *c = sf_shadow_cache_at(sh, o->cache);
	struct sf_shadow_slab *slab = NULL;

	if (!(o->flags & SF_OBJ_ALIVE))
		return;
	sh->changes++;
	if (o->flags & SF_OBJ_SIDE)
		sf_side_drop(sh, o);
	if (o->kind == SF_PLACE_LARGE)
		sh->large_pages -= sf_shadow_pages_of(o) / SF_PAGE_SIZE;
	if (o->flags & SF_OBJ_CLAIMED)
		give(sh, o->addr, o->extent);
	if (o->kind == SF_PLACE_POOL && (o->flags & SF_OBJ_CLAIMED) &&
	    window_has(&sh->vmalloc, o->addr))
		sh->vm_used += sf_pages_of(o->extent); /* its area is counted, not the object */
	if (o->slab != SF_NONE)
		slab = sf_zone_slab_at(&sh->zone, o->slab);
	if (slab && slab->live)
		slab->live--;
	if (c) {
		c->shrunk = false;
		if (c->live)
			c->live--;
		if (o->flags & (SF_OBJ_DATA | SF_OBJ_POINTER))
			c->half[(o->flags & SF_OBJ_POINTER) != 0]--;
	}
	sh->orphans -= (o->flags & SF_OBJ_ORPHAN) != 0;
	o->flags &= (uint8_t)(SF_OBJ_BORN | SF_OBJ_REPORTED);
	sh->live--;
}

/* First pfn of the slab that the place tells of. */
static uint32_t slab_pfn(const struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	uint64_t back;

	if (a->place.kind != SF_PLACE_SLAB || !sh->zone.on || a->addr < a->place.base)
		return SF_NONE;
	back = (a->addr >> SF_PAGE_SHIFT) - (a->place.base >> SF_PAGE_SHIFT);
	if (a->place.pfn >= sh->zone.pages || back > a->place.pfn)
		return SF_NONE;
	return (uint32_t)(a->place.pfn - back);
}

/*
 * The half that its token says an object is of. Only ordinary kmalloc has halves; what the compiler
 * knew no type of is in the pointer-free one.
 */
static uint8_t half_of(const struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	const struct sf_shadow_type *t = sf_shadow_type_at(sh, a->type);
	bool pointer = a->token >= 8;

	if (a->place.kind != SF_PLACE_SLAB || a->bucket < SF_BUCKETS_OFF ||
	    (a->api != SF_API_KMALLOC && a->api != SF_API_KVMALLOC && a->api != SF_API_NOLOCK) ||
	    a->size > SF_KMALLOC_CACHE_MAX || !sf_is_ordinary(&sh->set, a->gfp))
		return 0;
	if (!a->forced)
		pointer = a->type && (t ? t->pointer : pointer);
	return pointer ? SF_OBJ_POINTER : SF_OBJ_DATA;
}

static void obj_init(struct sf_shadow *sh, struct sf_shadow_obj *o, const struct sf_ev_alloc *a)
{
	bool slab = a->place.kind == SF_PLACE_SLAB;

	*o = (struct sf_shadow_obj){
		.addr = a->addr,
		.size = a->size,
		.extent = a->usable ? a->usable : a->size,
		.usable = a->usable,
		.res = a->res,
		.gfp = a->gfp,
		.cache = slab ? a->place.cache : a->cache,
		.object_size = slab ? a->place.object_size : 0,
		.slab = slab_pfn(sh, a),
		.offset = slab ? (uint16_t)a->place.offset : 0,
		.api = a->api,
		.kind = a->place.kind,
		.order = a->place.order,
		.flags = sh->caps & SF_CAP_TYPED ? half_of(sh, a) : 0,
	};
}

static void obj_birth(struct sf_shadow *sh, struct sf_shadow_obj *o)
{
	struct sf_shadow_cache *c = sf_shadow_cache_at(sh, o->cache);
	struct sf_shadow_slab *slab = NULL;

	sh->changes++;
	o->flags &= SF_OBJ_DATA | SF_OBJ_POINTER;
	o->flags |= SF_OBJ_ALIVE | SF_OBJ_BORN;
	if (o->kind == SF_PLACE_LARGE)
		sh->large_pages += sf_shadow_pages_of(o) / SF_PAGE_SIZE;
	if (sh->claim == SF_CLAIM_OK)
		o->flags |= SF_OBJ_CLAIMED;
	if (o->slab != SF_NONE)
		slab = sf_zone_slab_at(&sh->zone, o->slab);
	if (slab) {
		slab->live++;
		slab->used = true;
	}
	if (c) {
		sf_touch_cache(sh, o->cache);
		c->live++;
		c->shrunk = false;
		if (o->flags & (SF_OBJ_DATA | SF_OBJ_POINTER))
			c->half[(o->flags & SF_OBJ_POINTER) != 0]++;
	}
	sh->live++;
}

static bool obj_came(const struct sf_ev_alloc *a)
{
	return a->status == SF_OK && a->addr && a->id != SF_NONE;
}

void sf_shadow_alloc(struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	struct sf_shadow_cache *c = sf_shadow_cache_at(sh, a->cache);
	struct sf_shadow_obj *o;

	sh->claim = SF_CLAIM_NONE;
	if (c) /* a failure may have filled its sheaves */
		c->shrunk = false;
	if (!obj_came(a))
		return;
	o = obj_slot(sh, a->id);
	if (!o)
		return;
	if (o->flags & SF_OBJ_ALIVE)
		sf_shadow_drop(sh, o);
	obj_init(sh, o, a);
	if (a->addr > SF_ZERO_SIZE_PTR)
		sh->claim = take(sh, o->addr, o->extent);
	else
		o->extent = 0;
	if (o->kind == SF_PLACE_POOL && sh->claim == SF_CLAIM_OK &&
	    window_has(&sh->vmalloc, o->addr))
		sh->vm_used -= sf_pages_of(o->extent);
	obj_birth(sh, o);
	if (a->lru)
		sf_side_set(sh, o, SF_SIDE_LRU, true);
	if (sh->groups.used)
		sf_side_revalue(sh, o);
}

/* In place, with another usable size: a vmalloc area that shrank. */
static void resize(struct sf_shadow *sh, struct sf_shadow_obj *o, uint64_t usable)
{
	if (o->flags & SF_OBJ_CLAIMED)
		give(sh, o->addr, o->extent);
	o->flags &= (uint8_t)~SF_OBJ_CLAIMED;
	o->usable = usable;
	o->extent = usable;
	sh->claim = take(sh, o->addr, usable);
	if (sh->claim == SF_CLAIM_OK)
		o->flags |= SF_OBJ_CLAIMED;
}

static void resize_in_place(struct sf_shadow *sh, struct sf_shadow_obj *o,
			    const struct sf_ev_alloc *a)
{
	o->size = a->size;
	o->res = a->res;
	if (a->usable && a->usable != o->usable)
		resize(sh, o, a->usable);
	sf_side_revalue(sh, o);
}

void sf_shadow_realloc(struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	struct sf_shadow_obj *old = sf_shadow_find(sh, a->old_id), *o, fresh;
	bool alive = old && (old->flags & SF_OBJ_ALIVE), stays = alive && a->addr == old->addr;
	bool lru, has_side = false;
	struct sf_side kept;

	sh->claim = SF_CLAIM_NONE;
	if (a->status != SF_OK || !a->addr)
		return;
	obj_init(sh, &fresh, a);
	if (stays && a->id == a->old_id) {
		resize_in_place(sh, old, a);
		return;
	}
	lru = alive && sf_side_has(sh, old, SF_SIDE_LRU);
	if (alive && a->addr > SF_ZERO_SIZE_PTR) /* size 0 frees: all ties end */
		has_side = sf_side_take(sh, old, &kept);
	if (stays) { /* where it lies was decided when it was allocated */
		fresh.flags = old->flags & (SF_OBJ_DATA | SF_OBJ_POINTER);
		fresh.gfp = old->gfp;
		sf_shadow_drop(sh, old);
	}
	if (a->addr > SF_ZERO_SIZE_PTR)
		sh->claim = take(sh, fresh.addr, fresh.extent); /* while a moved one's old lives */
	if (old && !stays)
		sf_shadow_drop(sh, old);
	o = obj_slot(sh, a->id);
	if (!o) {
		if (sh->claim == SF_CLAIM_OK)
			give(sh, fresh.addr, fresh.extent);
		return;
	}
	sf_shadow_drop(sh, o);
	*o = fresh;
	obj_birth(sh, o);
	if (has_side) {
		sf_side_carry(sh, &kept, a->old_id, o);
		sf_side_set(sh, o, SF_SIDE_LRU, lru);
	}
	sf_side_revalue(sh, o);
}

void sf_shadow_migrate(struct sf_shadow *sh, struct sf_shadow_obj *o, uint64_t to)
{
	sh->changes++;
	if (o->flags & SF_OBJ_CLAIMED)
		give(sh, o->addr, o->extent);
	o->flags &= (uint8_t)~SF_OBJ_CLAIMED;
	if (sh->groups.used)
		sf_group_move(sh, o->addr, to);
	o->addr = to;
	sh->claim = take(sh, to, o->extent);
	if (sh->claim == SF_CLAIM_OK)
		o->flags |= SF_OBJ_CLAIMED;
}

const struct sf_shadow_obj *sf_shadow_hit(const struct sf_shadow *sh, uint64_t addr, uint64_t size,
					  const struct sf_shadow_obj *skip)
{
	for (size_t i = 0; i < sh->peak; i++) {
		const struct sf_shadow_obj *o = &sh->obj[i];

		if (o != skip && (o->flags & SF_OBJ_CLAIMED) && o->addr - addr < size)
			return o;
		if (o != skip && (o->flags & SF_OBJ_CLAIMED) && addr - o->addr < o->extent)
			return o;
	}
	return NULL;
}

const struct sf_window *sf_shadow_window(const struct sf_shadow *sh, uint64_t addr, uint64_t size,
					 uint64_t *page)
{
	const struct sf_window *w = window_has(&sh->direct, addr) ? &sh->direct : &sh->slabs;

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

static void drop_all(struct sf_shadow *sh)
{
	for (size_t i = 0; i < sh->peak; i++) {
		sh->obj[i].flags &= (uint8_t)~SF_OBJ_SIDE; /* all ties end at once */
		if (sh->obj[i].flags & SF_OBJ_ALIVE)
			sf_shadow_drop(sh, &sh->obj[i]);
		sh->obj[i].flags = 0;
	}
	sh->peak = 0;
	sh->live = 0;
	sh->untracked = 0;
	sh->nr_sides = 0;
	sh->nr_deferred = 0;
	sh->indirect_bytes = 0;
	sh->large_pages = 0;
	sh->grace = 0;
	if (sh->groups.used)
		sf_groups_begin(&sh->groups);
	for (size_t i = 0; sh->vm_mapped && i < sh->vm_high; i++) {
		if (!sh->vm_pfn[i])
			continue;
		sh->direct.used[sh->vm_pfn[i] - 1] = 0;
		sh->vm_pfn[i] = 0;
		sh->vm_mapped--;
	}
	sh->vm_high = 0;
	sh->vm_mapped = 0;
	if (sh->pools.used)
		sf_pools_begin(sh);
}

/* Nothing is alive: only what is mapped is left to forget. */
static void slabs_forget(struct sf_shadow *sh)
{
	if (sh->slabs.pages)
		memset(sh->frame, 0, sh->slabs.pages * sizeof(*sh->frame));
	sh->slabs.pages = 0;
}

static void slabs_setup(struct sf_shadow *sh, const struct sf_ev_heap *heap)
{
	slabs_forget(sh);
	sh->slabs.base = heap->slabs & ~(SF_PAGE_SIZE - 1);
	sh->slab_limit = heap->slab_pages <= SF_PAGES_MAX ? heap->slab_pages : 0;
}

/* The windows' own memory, of which a later heap may need more. */
static void windows_setup(struct sf_shadow *sh, const struct sf_ev_heap *heap)
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

void sf_shadow_heap(struct sf_shadow *sh, const struct sf_ev_heap *heap)
{
	drop_all(sh);
	sh->run++;
	sh->caps = heap->caps;
	sh->exact = heap->exact;
	sh->partition_seed = heap->partition_seed;
	if (heap->settings)
		sh->set = *heap->settings;
	else
		sf_settings_init(&sh->set);
	sh->nr_type = 0;
	sh->nr_cache = 0;
	if (sh->cap_cache)
		memset(sh->touched, 0, sh->cap_cache / 64 * sizeof(*sh->touched));
	if (sh->site_seen)
		memset(sh->site, 0, SF_SITES);
	sh->site_seen = false;
	windows_setup(sh, heap);
	sf_zone_setup(sh, (heap->caps & SF_CAP_TRACE) ? sh->direct.pages : 0);
}

static void cache_begin(struct sf_shadow *sh, struct sf_shadow_cache *c)
{
	c->live = 0;
	c->half[0] = 0;
	c->half[1] = 0;
	c->freeable = 0;
	c->asked = 0;
	c->shrunk = false;
	c->nolock = false;
	if (sh->exact)
		c->slabs = 0;
	c->refs = c->boot;
	c->present &= c->boot;
}

void sf_shadow_begin(struct sf_shadow *sh)
{
	drop_all(sh);
	if (sh->exact) {
		sh->run++;
		slabs_forget(sh);
		sf_zone_begin(&sh->zone);
	}
	for (uint32_t i = 0; i < (sh->nr_cache + 63) / 64; i++) {
		for (uint64_t m = sh->touched[i]; m; m &= m - 1)
			cache_begin(sh, &sh->cache[i * 64 + (uint32_t)__builtin_ctzll(m)]);
		sh->touched[i] = 0;
	}
}

static void caches_grow(struct sf_shadow *sh, uint32_t nr)
{
	size_t cap = sh->cap_cache, names = sh->cap_cache, words = sh->cap_cache / 64;

	sh->cache = sf_shadow_grow(sh->cache, &cap, nr, sizeof(*sh->cache), &sh->bytes);
	sh->name = sf_shadow_grow(sh->name, &names, nr, sizeof(*sh->name), &sh->bytes);
	sh->touched = sf_shadow_grow(sh->touched, &words, cap / 64, sizeof(*sh->touched),
				     &sh->bytes);
	sh->cap_cache = (uint32_t)cap;
	for (; sh->nr_cache < nr; sh->nr_cache++)
		sh->cache[sh->nr_cache].present = false;
}

void sf_shadow_cache(struct sf_shadow *sh, const struct sf_ev_cache *c)
{
	struct sf_shadow_cache *sc, was = { .refs = 1 };

	if (c->id >= SF_CACHES_MAX)
		return;
	if (sf_shadow_cache_at(sh, c->id)) /* told again: a merge has changed it */
		was = sh->cache[c->id];
	else
		was.serial = ++sh->serial;
	if (c->id >= sh->nr_cache)
		caches_grow(sh, c->id + 1);
	if (!c->boot)
		sf_touch_cache(sh, c->id);
	sc = &sh->cache[c->id];
	*sc = (struct sf_shadow_cache){
		.object_size = c->object_size, .stride = c->stride, .align = c->align,
		.flags = c->flags, .min_partial = c->min_partial, .class_size = c->class_size,
		.refs = was.refs, .live = was.live, .slabs = was.slabs, .shrunk = was.shrunk,
		.half = { was.half[0], was.half[1] }, .nolock = was.nolock, .serial = was.serial,
		.objects = c->objects, .min_objects = c->min_objects,
		.order = c->order, .min_order = c->min_order, .kind = c->kind,
		.partition = c->partition, .present = true, .boot = c->boot,
		.is = sf_selector_of(c->kind, c->partition, c->class_size, c->bucket),
		.usersize = c->usersize, .bucket = c->bucket, .freeptr = c->freeptr,
		.secret = c->secret, .sheaf_capacity = c->sheaf_capacity,
		.freeable = was.freeable, .asked = was.asked,
		.large = c->large, .asked_order = c->asked_order, .asked_sheaf = was.asked_sheaf,
	};
	snprintf(sh->name[c->id], sizeof(sh->name[0]), "%s", c->name ? c->name : "?");
}

void sf_shadow_type(struct sf_shadow *sh, const struct sf_ev_ctype *t)
{
	sh->type = sf_shadow_grow(sh->type, &sh->cap_type, t->index + 1u, sizeof(*sh->type),
				  &sh->bytes);
	for (; sh->nr_type <= t->index; sh->nr_type++)
		sh->type[sh->nr_type].known = false;
	sh->type[t->index] = (struct sf_shadow_type){ true, t->pointer, t->token };
}

/* The CACHE of a new cache came before and counts as its first reference. */
void sf_shadow_create(struct sf_shadow *sh, const struct sf_ev_cacheop *c)
{
	struct sf_shadow_cache *sc = sf_shadow_cache_at(sh, c->cache);

	if (!sc)
		return;
	sf_touch_cache(sh, c->cache);
	if (c->merged)
		sc->refs++;
	else
		sc->asked_sheaf = c->sheaf_capacity;
	if (c->merged && c->size > sc->object_size)
		sc->object_size = c->size;
	/* What was asked binds, whatever the allocator says its alignment is. */
	if (c->align > sc->align && !(c->align & (c->align - 1)))
		sc->align = c->align;
}

/* Objects that outlive their cache belong to no cache: its id may be used again. */
void sf_shadow_destroy(struct sf_shadow *sh, uint32_t id)
{
	struct sf_zone *z = &sh->zone;
	struct sf_shadow_cache *c = sf_shadow_cache_at(sh, id);

	if (!c)
		return;
	sf_touch_cache(sh, id);
	if (c->refs)
		c->refs--;
	if (c->refs)
		return;
	c->present = false;
	for (size_t i = 0; c->live && i < sh->peak; i++)
		if ((sh->obj[i].flags & SF_OBJ_ALIVE) && sh->obj[i].cache == id) {
			sh->obj[i].cache = SF_NONE;
			sh->obj[i].flags |= SF_OBJ_ORPHAN;
			sh->orphans++;
		}
	for (uint32_t k = 0; c->slabs && k < z->nr_journal; k++)
		for (uint64_t p = (uint64_t)z->journal[k] << SF_CHUNK_SHIFT,
			      end = p + SF_CHUNK_PAGES;
		     p < end && p < z->pages; p++)
			if (sf_bit(z->slab_heads, p) && z->slab[p].cache == id &&
			    !z->slab[p].deferred && !z->slab[p].orphan) {
				z->slab[p].orphan = true;
				z->orphan_pages += 1ull << z->slab[p].order;
			}
	c->live = 0;
	c->slabs = 0;
}

const char *sf_name_of_cache(struct sf_shadow *sh, uint32_t id)
{
	if (id >= sh->nr_cache)
		return "an unknown cache";
	if (sh->cache[id].boot || !(sh->caps & SF_CAP_CACHES))
		return sh->name[id];
	sh->told = sh->name[id];
	return sh->cache[id].kind == SF_CACHE_BUCKET ? "bucket cache" : "named cache";
}

static const char *name_by_kind(uint8_t kind, uint8_t api)
{
	static const char *const by_api[SF_APIS] = {
		[SF_API_KMALLOC] = "kmalloc", [SF_API_KVMALLOC] = "kvmalloc",
		[SF_API_CACHE] = "kmem_cache_alloc", [SF_API_PAGES] = "alloc_pages",
		[SF_API_EXACT] = "alloc_pages_exact", [SF_API_FOREIGN] = "malloc",
		[SF_API_NOLOCK] = "kmalloc_nolock", [SF_API_PMALLOC] = "pmalloc",
	};

	if (kind == SF_PLACE_LARGE)
		return "large kmalloc";
	if (kind == SF_PLACE_VMALLOC)
		return "vmalloc";
	return api < SF_APIS ? by_api[api] : "an unknown function";
}

const char *sf_name_of(struct sf_shadow *sh, const struct sf_shadow_obj *o)
{
	if (o->cache < sh->nr_cache)
		return sf_name_of_cache(sh, o->cache);
	return name_by_kind(o->kind, o->api);
}

const char *sf_name_of_event(struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	if (a->place.kind == SF_PLACE_SLAB && a->place.cache < sh->nr_cache)
		return sf_name_of_cache(sh, a->place.cache);
	if (a->cache < sh->nr_cache)
		return sf_name_of_cache(sh, a->cache);
	return name_by_kind(a->place.kind, a->api);
}

void sf_shadow_free(struct sf_shadow *sh)
{
	free(sh->obj);
	sf_shadow_unmap(sh->past, sh->direct.cap, sizeof(*sh->past), &sh->bytes);
	sf_shadow_unmap(sh->vm_pfn, sh->vmalloc.cap, sizeof(*sh->vm_pfn), &sh->bytes);
	window_free(&sh->direct, &sh->bytes);
	window_free(&sh->vmalloc, &sh->bytes);
	free(sh->slabs.used);
	free(sh->slabs.bits);
	free(sh->frame);
	free(sh->slab_past);
	free(sh->far.slot);
	free(sh->far.wide);
	free(sh->cache);
	free(sh->name);
	free(sh->touched);
	free(sh->type);
	free(sh->site);
	free(sh->side);
	sf_groups_free(&sh->groups);
	sf_pools_free(sh);
	sf_zone_free(&sh->zone);
}
