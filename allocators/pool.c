// SPDX-License-Identifier: MIT
/*
 * pool.c - pools: memory that is filled, and then sealed read-only for real (pmalloc of 2018, never
 * merged).
 *
 * Relies on vmalloc.c for the pages and addresses of areas, on the arena's frames being a file in
 * memory, which mmap() and mprotect() map as often and as is needed, and on trap.c and maps.c. The
 * users of an object reach it where its area is mapped, never through the direct map. Rare writes
 * go through a mapping of their own, which is there while they last. protected.c relies on it.
 */
#include "arena.h"
#include "base/grow.h"
#include "heap_assert.h"
#include "maps.h"
#include "pool.h"
#include "vmalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define NO_ALIAS UINT64_MAX

#define EACH_AREA(h, p, v)                                                             \
	(struct vm_area *v = area_at(h, (p)->first); v; v = area_at(h, v->next))

static struct vm_area *area_at(const struct sf_heap *h, uint32_t index)
{
	return index == SF_NONE ? NULL : &h->arena.area[index];
}

static uint64_t bytes_of(const struct vm_area *v)
{
	return (uint64_t)v->pages << SF_PAGE_SHIFT;
}

bool pool_init(struct sf_heap *h, struct sf_error *err)
{
	if (!h->policy->pools)
		return true;
	h->pools = calloc(1, sizeof(*h->pools));
	if (!h->pools) {
		snprintf(err->text, sizeof(err->text), "no memory for a heap");
		return false;
	}
	h->pools->last_alias = NO_ALIAS;
	return maps_init(h, err);
}

bool pool_any(const struct sf_heap *h)
{
	return h->pools && h->pools->nr;
}

/* NULL: there is none of that id, or no longer. */
static struct pool *pool_of(const struct sf_heap *h, uint32_t id)
{
	struct pools *ps = h->pools;

	return id - 1 < ps->nr && ps->pool[id - 1].live ? &ps->pool[id - 1] : NULL;
}

uint32_t pool_create(struct sf_heap *h, const struct sf_pool_request *rq)
{
	struct pools *ps = h->pools;

	heap_assert(h, ps->nr <= ps->cap);
	heap_assert(h, rq->mode < SF_POOL_MODE_COUNT);
	if (ps->nr == ps->cap) {
		ps->cap = ps->cap ? 2 * ps->cap : 16;
		ps->pool = sf_grow(ps->pool, ps->cap, sizeof(*ps->pool));
	}
	ps->pool[ps->nr] = (struct pool){ .first = SF_NONE, .last = SF_NONE, .current = SF_NONE,
					  .refill = rq->refill ? rq->refill : 1,
					  .mode = rq->mode, .live = true };
	return ++ps->nr;
}

struct vm_area *pool_area(const struct sf_heap *h, uint64_t addr)
{
	const struct arena *a = &h->arena;
	uint32_t pfn = addr_pfn(h, addr);
	uint64_t n = (addr - SF_VMALLOC) >> SF_PAGE_SHIFT;
	struct vm_area *v;

	if (pfn == NO_PFN || a->page[pfn].state != PAGE_POOL)
		return NULL;
	v = &a->area[a->page[pfn].cache];
	if (addr - SF_DIRECT_MAP < (uint64_t)a->pages << SF_PAGE_SHIFT)
		return v;
	return n - v->start < v->pages ? v : NULL;
}

/* --- on the host --- */

static uint8_t *area_host(const struct sf_heap *h, const struct vm_area *v)
{
	return h->arena.areas + ((uint64_t)v->start << SF_PAGE_SHIFT);
}

/* What undoes something needs no mapping more than there was before: it cannot be refused. */
static void must(bool done)
{
	if (!done)
		abort();
}

/* Nothing is there any more, but the addresses stay reserved. */
static void unmap_host(uint8_t *p, uint64_t bytes)
{
	must(mmap(p, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		  0) == p);
}

/* The run of contiguous frames that page i of an area begins. */
static uint32_t run_at(const struct sf_heap *h, const struct vm_area *v, uint32_t i, uint32_t end)
{
	const uint32_t *map = h->arena.vmap + v->start;
	uint32_t nr = 1;

	heap_assert(h, i < end && end <= v->pages);
	while (i + nr < end && map[i + nr] == map[i] + nr)
		nr++;
	return nr;
}

/*
 * Pages [from, end) of an area at `to`. MAP_POPULATE in `flags` saves a fault for each page that is
 * about to be written. False: nothing is mapped there.
 */
static bool map_host(struct sf_heap *h, const struct vm_area *v, uint32_t from, uint32_t end,
		     uint8_t *to, int flags)
{
	const uint32_t *map = h->arena.vmap + v->start;

	for (uint32_t i = from, nr; i < end; i += nr) {
		uint8_t *at = to + (uint64_t)(i - from) * SF_PAGE_SIZE;

		nr = run_at(h, v, i, end);
		if (mmap(at, (uint64_t)nr * SF_PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_NORESERVE | MAP_FIXED | flags, h->arena.fd,
			 (off_t)((map[i] - 1ull) << SF_PAGE_SHIFT)) == at)
			continue;
		/* No more than what is mapped: more might need mappings that there are none of. */
		if (i > from)
			unmap_host(to, (uint64_t)(i - from) * SF_PAGE_SIZE);
		return false;
	}
	return true;
}

/* The frames of the first `pages` pages in the direct map. Returns how many it is done for. */
static uint32_t protect_direct(struct sf_heap *h, const struct vm_area *v, uint32_t pages, int prot)
{
	const uint32_t *map = h->arena.vmap + v->start;

	for (uint32_t i = 0, nr; i < pages; i += nr) {
		nr = run_at(h, v, i, pages);
		if (mprotect(h->arena.mem + (map[i] - 1ull) * SF_PAGE_SIZE,
			     (uint64_t)nr * SF_PAGE_SIZE, prot))
			return i;
	}
	return pages;
}

/* Pages of an area, where it is mapped and in the direct map. False: nothing has changed. */
static bool protect_host(struct sf_heap *h, const struct vm_area *v, bool sealed)
{
	int prot = sealed ? PROT_READ : PROT_READ | PROT_WRITE;
	int was = sealed ? PROT_READ | PROT_WRITE : PROT_READ;
	uint32_t done = v->pages;

	if (h->set.directmap)
		done = protect_direct(h, v, v->pages, prot);
	if (done == v->pages && !mprotect(area_host(h, v), bytes_of(v), prot))
		return true;
	if (h->set.directmap)
		must(protect_direct(h, v, done, was) == done);
	must(!mprotect(area_host(h, v), bytes_of(v), was));
	return false;
}

static bool set_sealed(struct sf_heap *h, struct vm_area *v, bool sealed)
{
	heap_assert(h, v->sealed != sealed && v->pages);
	if (!protect_host(h, v, sealed))
		return false;
	v->sealed = sealed;
	arena_sealed(h, sealed ? 1 : -1);
	return true;
}

/* All areas; or none, if one cannot be sealed, or opened. */
static bool set_all(struct sf_heap *h, const struct pool *p, bool sealed)
{
	bool done = true;

	for EACH_AREA(h, p, v) {
		v->changed = done && v->sealed != sealed;
		if (v->changed)
			done = v->changed = set_sealed(h, v, sealed);
	}
	if (done)
		return true;
	for EACH_AREA(h, p, v)
		if (v->changed)
			must(set_sealed(h, v, !sealed));
	warn(h, sealed ? "pmalloc: a pool cannot be sealed" : "pmalloc: a pool cannot be opened",
	     0);
	return false;
}

/* An area no longer has any mapping of its own, and is writable in the direct map. */
static void forget_host(struct sf_heap *h, struct vm_area *v)
{
	heap_assert(h, v->pages && v->pool);
	if (v->sealed && h->set.directmap)
		must(protect_direct(h, v, v->pages, PROT_READ | PROT_WRITE) == v->pages);
	if (v->sealed)
		arena_sealed(h, -1);
	v->sealed = false;
	/* What is poisoned would be so for whatever is mapped there next. */
	arena_open(h, area_addr(v), bytes_of(v));
	unmap_host(area_host(h, v), bytes_of(v));
	heap_assert(h, !v->sealed);
}

/* --- areas --- */

/* Where the next object in an area begins; beyond its end if it is full. */
static uint64_t next_in(const struct vm_area *v)
{
	return (v->size + 7) & ~7ull;
}

static bool fits(const struct vm_area *v, uint64_t bytes)
{
	return v && next_in(v) <= bytes_of(v) && bytes <= bytes_of(v) - next_in(v);
}

static bool is_auto(const struct pool *p)
{
	return p->mode == SF_POOL_AUTO_RO || p->mode == SF_POOL_AUTO_WR;
}

/* It comes to be mapped, and what is to be sealed now is. False: nothing has changed. */
static bool map_area(struct sf_heap *h, struct pool *p, uint32_t area)
{
	struct vm_area *v = area_at(h, area);

	heap_assert(h, v->pages && !v->sealed && !v->size);
	if (!map_host(h, v, 0, v->pages, area_host(h, v), 0)) {
		warn(h, "pmalloc: an area cannot be mapped", 0);
		return false;
	}
	arena_close(h, area_addr(v), bytes_of(v));
	if (p->mode == SF_POOL_START_WR && !set_sealed(h, v, true)) {
		warn(h, "pmalloc: a pool cannot be sealed", 0);
		forget_host(h, v);
		return false;
	}
	if (is_auto(p) && !set_all(h, p, true)) {
		forget_host(h, v);
		return false;
	}
	return true;
}

static void emit_area(struct sf_heap *h, const struct vm_area *v)
{
	const uint32_t *map = h->arena.vmap + v->start;

	for (uint32_t i = 0; h->sink && i < v->pages; i++)
		h->walk_buf[i] = map[i] - 1;
	EMIT(h, MAP, map, .addr = area_addr(v), .pages = v->pages, .pfns = h->walk_buf,
	     .pool = v->pool, .dirty = SF_GOOD);
}

static void give_pages(struct sf_heap *h, uint32_t area)
{
	const struct vm_area *v = area_at(h, area);

	heap_assert(h, v->pool && !v->sealed);
	for (uint32_t i = 0; i < v->pages; i++) {
		struct page *pg = &h->arena.page[h->arena.vmap[v->start + i] - 1];

		heap_assert(h, pg->state == PAGE_POOL && pg->cache == area);
		pg->state = PAGE_USED;
	}
	vmalloc_give(h, area);
}

/* Becomes the current one. */
static bool begin_area(struct sf_heap *h, uint32_t id, uint64_t bytes)
{
	struct pool *p = pool_of(h, id);
	uint64_t pages = (bytes + SF_PAGE_SIZE - 1) >> SF_PAGE_SHIFT;
	bool old = p->first != SF_NONE;
	uint32_t area;

	heap_assert(h, bytes > 0);
	heap_assert(h, old == (p->last != SF_NONE));
	if (pages < p->refill)
		pages = p->refill;
	if (pages > h->zone.managed) {
		warn(h, "pmalloc: exceeds total pages", 0);
		return false;
	}
	area = vmalloc_take(h, (uint32_t)pages, id);
	if (area == SF_NONE)
		return false;
	if (!map_area(h, p, area)) {
		give_pages(h, area);
		return false;
	}
	if (old)
		area_at(h, p->last)->next = area;
	else
		p->first = area;
	p->last = p->current = area;
	heap_assert(h, fits(area_at(h, area), bytes) && area_at(h, area)->pool == id);
	emit_area(h, area_at(h, area));
	if (p->mode == SF_POOL_START_WR || (old && is_auto(p)))
		maps_emit(h, h->sink, SF_MAPS_PROTECT, id, 0, 0);
	return true;
}


void pool_alloc(struct sf_heap *h, uint32_t pool, uint64_t n, uint64_t size, struct sf_result *rs)
{
	struct pool *p = pool_of(h, pool);
	struct vm_area *v;
	uint64_t bytes;

	*rs = (struct sf_result){ .status = SF_NULL };
	if (!p || __builtin_mul_overflow(n, size, &bytes) || !bytes)
		return;
	if (bytes > INT32_MAX) {
		warn(h, "pmalloc: size over INT_MAX", 0);
		return;
	}
	if (!fits(area_at(h, p->current), bytes) && !begin_area(h, pool, bytes))
		return;
	v = area_at(h, p->current);
	heap_assert(h, fits(v, bytes) && v->pool == pool);
	heap_assert(h, !v->sealed || p->mode == SF_POOL_START_WR);
	*rs = (struct sf_result){ .status = SF_OK, .addr = area_addr(v) + next_in(v) };
	v->size = next_in(v) + bytes;
	arena_open(h, rs->addr, bytes);
	heap_assert(h, v->size <= bytes_of(v) && rs->addr % 8 == 0);
}

/* --- sealing --- */

enum sf_status pool_protect(struct sf_heap *h, uint32_t pool)
{
	struct pool *p = pool_of(h, pool);

	if (!p || !set_all(h, p, true))
		return SF_NULL;
	p->current = SF_NONE;
	maps_emit(h, h->sink, SF_MAPS_PROTECT, pool, 0, 0);
	return SF_OK;
}

static bool may_change(const struct pool *p)
{
	return p->mode == SF_POOL_WR || p->mode == SF_POOL_AUTO_WR || p->mode == SF_POOL_START_WR;
}

enum sf_status pool_unprotect(struct sf_heap *h, uint32_t pool)
{
	struct pool *p = pool_of(h, pool);

	if (!p || !may_change(p))
		return SF_NOTICED;
	if (!set_all(h, p, false))
		return SF_NULL;
	maps_emit(h, h->sink, SF_MAPS_UNPROTECT, pool, 0, 0);
	return SF_OK;
}

static uint64_t first_dirty(const struct sf_heap *h, const struct vm_area *v)
{
	const uint32_t *map = h->arena.vmap + v->start;

	for (uint32_t i = 0, nr; i < v->pages; i += nr) {
		uint64_t bad;

		nr = run_at(h, v, i, v->pages);
		bad = arena_dirty(h, map[i] - 1, nr);
		if (bad != SF_GOOD)
			return (uint64_t)i * SF_PAGE_SIZE + bad;
	}
	return SF_GOOD;
}

static void destroy_area(struct sf_heap *h, uint32_t area)
{
	struct vm_area *v = area_at(h, area);

	heap_assert(h, area < h->arena.nr_areas && v->pool);
	forget_host(h, v);
	for (uint32_t i = 0; i < v->pages; i++)
		raw_wipe(h, pfn_addr(h->arena.vmap[v->start + i] - 1), SF_PAGE_SIZE);
	EMIT(h, UNMAP, map, .addr = area_addr(v), .pages = v->pages, .pool = v->pool,
	     .dirty = first_dirty(h, v));
	give_pages(h, area);
	heap_assert(h, !v->pages);
}

void pool_destroy(struct sf_heap *h, uint32_t pool)
{
	struct pool *p = pool_of(h, pool);

	if (!p)
		return;
	for (uint32_t area = p->first; area != SF_NONE; area = area_at(h, area)->next)
		destroy_area(h, area);
	p->live = false;
	maps_emit(h, h->sink, SF_MAPS_DESTROY, pool, 0, 0);
}

/* Pages, descriptors and contents are the arena's to reset. */
void pool_reset(struct sf_heap *h)
{
	struct pools *ps = h->pools;

	for (uint32_t i = 0; ps && i < ps->nr; i++)
		if (ps->pool[i].live)
			for EACH_AREA(h, &ps->pool[i], v)
				forget_host(h, v);
	if (ps) {
		ps->nr = 0;
		ps->last_alias = NO_ALIAS;
	}
	heap_assert(h, !h->arena.sealed);
}

void pool_free(struct sf_heap *h)
{
	if (!h->pools)
		return;
	pool_reset(h);
	maps_free(h);
	free(h->pools->pool);
	free(h->pools);
	h->pools = NULL;
}

/* --- writes --- */

enum sf_status pool_write(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
			  enum sf_contents how)
{
	return arena_try_fill(h, addr, size, key, how) ? SF_OK : SF_NOTICED;
}

/* A rare write, and where its mapping is. */
struct rare {
	uint64_t at, size;   /* simulated address of the first byte */
	uint64_t offset;     /* of it in its object */
	uint64_t key;
	uint64_t *word;      /* in the second mapping: that holds the first byte */
};

/* The area that all of it lies in, NULL: it is not for this pool. */
static struct vm_area *rare_area(const struct sf_heap *h, uint32_t pool, const struct rare *w)
{
	struct vm_area *v = pool_area(h, w->at);
	uint64_t off;

	if (!v || v->pool != pool || w->at < SF_VMALLOC)
		return NULL;
	off = w->at - area_addr(v);
	return off < v->size && w->size <= v->size - off ? v : NULL;
}

/* A page of the window where so many fit; never the last one again. */
static uint64_t draw_alias(struct sf_heap *h, uint32_t pages)
{
	uint64_t at;

	heap_assert(h, pages > 0 && pages < ALIAS_PAGES);
	do
		at = heap_random(h) % (ALIAS_PAGES - pages + 1);
	while (at == h->pools->last_alias);
	h->pools->last_alias = at;
	return at;
}

/*
 * Word by word, each in one store: who reads meanwhile sees it before or after. Of the first and
 * last word some bytes may stay.
 */
static void store_words(const struct rare *w)
{
	uint64_t from = w->offset & 7, end = from + w->size;

	for (uint64_t i = 0; 8 * i < end; i++) {
		uint64_t mask = ~0ull, value = sf_pattern(w->key, w->offset / 8 + i);

		if (i == 0)
			mask <<= 8 * from;
		if (end - 8 * i < 8)
			mask &= (1ull << 8 * (end - 8 * i)) - 1;
		if (~mask)
			value = (value & mask) | (w->word[i] & ~mask);
		__atomic_store_n(&w->word[i], value, __ATOMIC_RELEASE);
	}
}

static void notify_midst(struct sf_heap *h, bool after)
{
	if (h->user && h->user->midst)
		h->user->midst(h->user->ctx, after);
}

/* False: there was no mapping to be had. */
static bool write_alias(struct sf_heap *h, const struct vm_area *v, struct rare *w)
{
	uint64_t off = w->at - area_addr(v);
	uint32_t first = (uint32_t)(off >> SF_PAGE_SHIFT);
	uint32_t end = (uint32_t)((off + w->size - 1) >> SF_PAGE_SHIFT) + 1;
	uint8_t *alias = h->arena.alias + (draw_alias(h, end - first) << SF_PAGE_SHIFT);

	heap_assert(h, first < end && end <= v->pages);
	if (!map_host(h, v, first, end, alias, MAP_POPULATE)) {
		warn(h, "pmalloc: no mapping for a rare write", 0);
		return false;
	}
	w->word = (uint64_t *)(alias + (off & (SF_PAGE_SIZE - 1) & ~7ull));
	notify_midst(h, false);
	for (uint32_t i = first; i < end; i++)
		arena_dirtied(h, h->arena.vmap[v->start + i] - 1);
	store_words(w);
	notify_midst(h, true);
	maps_emit(h, h->sink, SF_MAPS_MIDST, v->pool, w->at, w->size);
	unmap_host(alias, (uint64_t)(end - first) << SF_PAGE_SHIFT);
	return true;
}

enum sf_status pool_rare_write(struct sf_heap *h, uint32_t pool, uint64_t addr, uint64_t offset,
			       uint64_t size, uint64_t key)
{
	const struct pool *p = pool_of(h, pool);
	struct rare w = { .at = addr + offset, .size = size, .offset = offset, .key = key };
	const struct vm_area *v;
	bool done;

	if (!p || !may_change(p) || !size || (addr & 7) || w.at < addr)
		return SF_NOTICED;
	v = rare_area(h, pool, &w);
	if (!v)
		return SF_NOTICED;
	done = write_alias(h, v, &w);
	maps_emit(h, h->sink, SF_MAPS_RARE, pool, w.at, size);
	return done ? SF_OK : SF_NULL;
}
