// SPDX-License-Identifier: MIT
/*
 * heap_check.c - heap_check.h: the structures of a heap against each other.
 *
 * Written from what heap.h and the headers of each concept say of the structures, and from nothing
 * that snapshot.c, an oracle or the mechanism's own functions make of them: links and words are
 * followed here once more. In pairs: what a list holds must say that it is on the list, and what
 * says so must be found there. Each part returns false after the first fault, which check->line
 * says.
 */
#include "heap_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lru.h"
#include "memcg.h"
#include "pool.h"
#include "rcu.h"

#define WORDS_PER_PAGE (SF_PAGE_SIZE / 8)

/* What the walk has seen: a flag for each page, sheaf, and word of memory. */
struct check {
	struct sf_heap *h;
	uint8_t *listed;     /* pages: heads that were found on a list, or in an area */
	uint8_t *sheaf;      /* by id: belongs to something */
	uint64_t *idle;      /* a bit for each word: an object on a list or in a sheaf begins */
	uint64_t *nr_slabs, *nr_objects; /* by cache, of page descriptors */
};

__attribute__((format(printf, 2, 3))) static bool fault(struct check *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->h->fault_line, sizeof(c->h->fault_line), format, args);
	va_end(args);
	return false;
}

/* Unless cond holds, the part ends with that line. */
#define EXPECT(cond, ...)                            \
	do {                                         \
		if (!(cond))                         \
			return fault(c, __VA_ARGS__); \
	} while (0)

static bool is_aligned(const struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	return order < SF_NR_ORDERS && pfn < h->arena.pages && !(pfn & ((1u << order) - 1)) &&
	       (1u << order) <= h->arena.pages - pfn;
}

/* --- lists of pages --- */

/* What is on a list, in order: each entry is `state`, linked both ways, and on no other list. */
static bool check_list(struct check *c, const struct page_list *l, uint8_t state, const char *name)
{
	uint32_t prev = NO_PFN, nr = 0;

	for (uint32_t pfn = l->head; pfn != NO_PFN; nr++) {
		const struct page *pg;

		EXPECT(pfn < c->h->arena.pages, "%s: leads to page %u, which is none", name, pfn);
		pg = &c->h->arena.page[pfn];
		EXPECT(pg->state == state, "%s: page %u has state %u", name, pfn, pg->state);
		EXPECT(pg->prev == prev, "%s: page %u does not link back", name, pfn);
		EXPECT(!c->listed[pfn], "%s: page %u is listed twice", name, pfn);
		c->listed[pfn] = 1;
		prev = pfn;
		pfn = pg->next;
	}
	EXPECT(l->tail == prev, "%s: the last page is %u, not the tail", name, prev);
	EXPECT(l->nr == nr, "%s: counts %u pages, has %u", name, l->nr, nr);
	return true;
}

/* --- the zone --- */

/* The kernel merges no block of the reserve with one that is not. */
static bool may_stay_apart(const struct zone *z, uint32_t a, uint32_t b)
{
	uint8_t ta = z->block_type[a >> z->pageblock_order];
	uint8_t tb = z->block_type[b >> z->pageblock_order];

	return ta != tb && (ta >= SF_MIGRATE_HIGHATOMIC || tb >= SF_MIGRATE_HIGHATOMIC);
}

static bool check_free_block(struct check *c, uint32_t pfn, unsigned int order, unsigned int type)
{
	const struct sf_heap *h = c->h;
	const struct zone *z = &h->zone;
	uint32_t buddy = pfn ^ (1u << order);
	const struct page *pg = &h->arena.page[pfn];

	EXPECT(is_aligned(h, pfn, order), "free block %u: not aligned to order %u", pfn, order);
	EXPECT(pg->order == order, "free block %u: order %u on a list of order %u", pfn, pg->order,
	       order);
	EXPECT(pg->list == type, "free block %u: type %u on a list of type %u", pfn, pg->list,
	       type);
	EXPECT(z->block_type[pfn >> z->pageblock_order] == type,
	       "free block %u: type %u in a page block of another", pfn, type);
	if (order == SF_NR_ORDERS - 1 || !is_aligned(h, buddy, order))
		return true;
	EXPECT(h->arena.page[buddy].state != PAGE_FREE || h->arena.page[buddy].order != order ||
	       may_stay_apart(z, pfn, buddy), "free block %u: its buddy is free too", pfn);
	return true;
}

static bool check_free_lists(struct check *c)
{
	const struct zone *z = &c->h->zone;
	const struct page *page = c->h->arena.page;
	uint64_t pages = 0, reserve = 0;

	for (unsigned int o = 0; o < SF_NR_ORDERS; o++) {
		uint64_t nr = 0;

		for (unsigned int t = 0; t < SF_MIGRATE_TYPES; t++) {
			const struct page_list *l = &z->free[o][t];

			if (!check_list(c, l, PAGE_FREE, "free list"))
				return false;
			for (uint32_t pfn = l->head; pfn != NO_PFN; pfn = page[pfn].next)
				if (!check_free_block(c, pfn, o, t))
					return false;
			nr += l->nr;
			reserve += t == SF_MIGRATE_HIGHATOMIC ? (uint64_t)l->nr << o : 0;
		}
		EXPECT(z->nr_free[o] == nr, "nr_free[%u]: %llu, listed %llu", o,
		       (unsigned long long)z->nr_free[o], (unsigned long long)nr);
		pages += nr << o;
	}
	EXPECT(z->nr_free_pages == pages, "nr_free_pages: %llu, listed %llu",
	       (unsigned long long)z->nr_free_pages, (unsigned long long)pages);
	EXPECT(z->nr_free_highatomic == reserve, "nr_free_highatomic: %llu, listed %llu",
	       (unsigned long long)z->nr_free_highatomic, (unsigned long long)reserve);
	return true;
}

static bool check_pcp(struct check *c, unsigned int cpu)
{
	const struct sf_heap *h = c->h;
	const struct pcp *p = &h->zone.pcp[cpu];
	uint32_t count = 0;

	for (unsigned int i = 0; i < NR_PCP_LISTS; i++) {
		unsigned int order = i < 12 ? i / 3 : 9;

		if (!check_list(c, &p->list[i], PAGE_PCP, "per-CPU list"))
			return false;
		for (uint32_t pfn = p->list[i].head; pfn != NO_PFN; pfn = h->arena.page[pfn].next) {
			const struct page *pg = &h->arena.page[pfn];

			EXPECT(pg->list == i && pg->order == order && is_aligned(h, pfn, order),
			       "per-CPU list %u of CPU %u: page %u says list %u, order %u", i, cpu,
			       pfn, pg->list, pg->order);
			count += 1u << order;
		}
	}
	EXPECT(p->count == count, "per-CPU lists of CPU %u: count %u, listed %u", cpu, p->count,
	       count);
	EXPECT(!count || h->zone.pcp_used >> cpu & 1, "per-CPU lists of CPU %u: not marked as used",
	       cpu);
	return true;
}

static bool check_page_blocks(struct check *c)
{
	const struct zone *z = &c->h->zone;
	uint64_t reserve = 0;
	uint32_t set = 0;

	for (uint32_t b = 0; b < z->nr_blocks; b++) {
		EXPECT(z->block_type[b] < SF_MIGRATE_TYPES, "page block %u: type %u", b,
		       z->block_type[b]);
		EXPECT(z->was_retyped[b] || z->block_type[b] == SF_MIGRATE_MOVABLE,
		       "page block %u: reset would not restore its type", b);
		set += z->was_retyped[b];
		if (z->block_type[b] == SF_MIGRATE_HIGHATOMIC)
			reserve += 1u << z->pageblock_order;
	}
	EXPECT(z->nr_retyped == set, "page blocks: %u to be reset, %u listed", set, z->nr_retyped);
	EXPECT(z->nr_highatomic == reserve, "nr_highatomic: %llu, of page blocks %llu",
	       (unsigned long long)z->nr_highatomic, (unsigned long long)reserve);
	return true;
}

static bool check_zone(struct check *c)
{
	const struct zone *z = &c->h->zone;

	if (!z->block_type)
		return true; /* a test made no zone */
	EXPECT(z->managed == c->h->arena.pages, "zone: %u pages managed, %u there", z->managed,
	       c->h->arena.pages);
	EXPECT(z->wmark[0] <= z->wmark[1] && z->wmark[1] <= z->wmark[2],
	       "watermarks: not in order");
	EXPECT(!z->reclaim_active && !c->h->reclaiming, "reclaim: left on");
	for (unsigned int cpu = 0; cpu < c->h->set.cpus; cpu++)
		if (!check_pcp(c, cpu))
			return false;
	return check_free_lists(c) && check_page_blocks(c);
}

/* --- page descriptors --- */

/* Inside a block: tails that lead to its head, or nothing at all in one that is free. */
static bool check_tails(struct check *c, uint32_t head, unsigned int order, bool used)
{
	const struct page *page = c->h->arena.page;
	bool tails = used || page[head].state == PAGE_PCP;

	for (uint32_t p = head + 1; p < head + (1u << order); p++) {
		EXPECT(page[p].state == PAGE_TAIL || (!used && page[p].state == PAGE_BOOT),
		       "page %u: state %u inside the block at %u", p, page[p].state, head);
		EXPECT(page[p].state != PAGE_TAIL || (tails && page[p].head == head),
		       "page %u: a tail that is not of the block at %u", p, head);
	}
	return true;
}

static bool check_slab_page(struct check *c, uint32_t pfn)
{
	const struct page *pg = &c->h->arena.page[pfn];
	const struct kcache *s;

	EXPECT(pg->cache < c->h->nr_caches, "slab %u: of cache %u, which is none", pfn, pg->cache);
	s = c->h->cache[pg->cache];
	EXPECT(s->refs || s->leaked || pg->state == PAGE_RCU, "slab %u: of %s, which is destroyed",
	       pfn, s->name);
	EXPECT(pg->order == s->order ? pg->objects == s->objects :
	       pg->order == s->min_order && pg->objects == s->min_objects,
	       "slab %u of %s: %u objects in order %u", pfn, s->name, pg->objects, pg->order);
	EXPECT(pg->inuse <= pg->objects, "slab %u of %s: %u of %u objects in use", pfn, s->name,
	       pg->inuse, pg->objects);
	if (pg->state == PAGE_RCU) {
		EXPECT(!pg->inuse && !pg->on_partial, "slab %u of %s: in use, and waits to go", pfn,
		       s->name);
		return true;
	}
	EXPECT(!pg->on_partial == (pg->inuse == pg->objects),
	       "slab %u of %s: %u of %u objects in use, and %son the partial list", pfn, s->name,
	       pg->inuse, pg->objects, pg->on_partial ? "" : "not ");
	c->nr_slabs[pg->cache]++;
	c->nr_objects[pg->cache] += pg->objects;
	return true;
}

/* The block that begins at `pfn`. */
static bool check_head(struct check *c, uint32_t pfn)
{
	const struct page *pg = &c->h->arena.page[pfn];

	EXPECT(pg->state != PAGE_BOOT, "page %u: belongs to nothing", pfn);
	EXPECT(pg->state != PAGE_TAIL, "page %u: a tail without its block", pfn);
	EXPECT(pg->state < PAGE_TAIL, "page %u: state %u", pfn, pg->state);
	EXPECT(is_aligned(c->h, pfn, pg->order), "page %u: a block of order %u", pfn, pg->order);
	switch (pg->state) {
	case PAGE_FREE:
	case PAGE_PCP:
		EXPECT(c->listed[pfn], "page %u: free, and on no list", pfn);
		return check_tails(c, pfn, pg->order, false);
	case PAGE_POOL:
		EXPECT(c->listed[pfn] && !pg->order, "page %u: of a pool, and in no area", pfn);
		return true;
	case PAGE_SLAB:
	case PAGE_RCU:
		if (!check_slab_page(c, pfn))
			return false;
	}
	return check_tails(c, pfn, pg->order, true);
}

/* Where nothing was touched since boot, reset looks at nothing. */
static bool check_untouched(struct check *c, uint32_t pfn)
{
	const struct arena *a = &c->h->arena;
	uint32_t group = pfn / 64;

	if (a->touched[group / 64] >> (group % 64) & 1)
		return true;
	EXPECT(a->page[pfn].state <= PAGE_FREE, "page %u: reset would leave it", pfn);
	EXPECT(!a->dirty[group] && !a->open[group] && !a->shaded[group],
	       "page %u: reset would not wipe it", pfn);
	return true;
}

static bool check_pages(struct check *c)
{
	const struct arena *a = &c->h->arena;
	uint64_t reclaimable = 0, unreclaimable = 0;

	for (uint32_t pfn = 0; pfn < a->pages; pfn++)
		if (!check_untouched(c, pfn))
			return false;
	for (uint32_t pfn = 0; c->h->zone.block_type && pfn < a->pages;) {
		const struct page *pg = &a->page[pfn];
		uint64_t n;

		if (!check_head(c, pfn))
			return false;
		n = 1ull << pg->order;
		pfn += (uint32_t)n;
		if ((pg->state == PAGE_SLAB || pg->state == PAGE_RCU) &&
		    c->h->cache[pg->cache]->flags & SF_SLAB_RECLAIM_ACCOUNT)
			reclaimable += n;
		else if (pg->state == PAGE_SLAB || pg->state == PAGE_RCU || pg->state == PAGE_LARGE)
			unreclaimable += n;
	}
	EXPECT(c->h->nr_slab_reclaimable == reclaimable,
	       "nr_slab_reclaimable: %llu, there are %llu",
	       (unsigned long long)c->h->nr_slab_reclaimable, (unsigned long long)reclaimable);
	EXPECT(c->h->nr_slab_unreclaimable == unreclaimable,
	       "nr_slab_unreclaimable: %llu, there are %llu",
	       (unsigned long long)c->h->nr_slab_unreclaimable, (unsigned long long)unreclaimable);
	return true;
}

/* --- objects --- */

/* Where the addresses of a slab begin. */
static uint64_t slab_base(const struct sf_heap *h, uint32_t head)
{
	const struct page *pg = &h->arena.page[head];

	return h->arena.smap ? SF_SLAB_WINDOW + ((uint64_t)pg->window << SF_PAGE_SHIFT) :
			       SF_DIRECT_MAP + ((uint64_t)head << SF_PAGE_SHIFT);
}

/* An object that is not its user's begins at `off` of the slab at `head`; only one does. */
static bool mark_idle(struct check *c, uint32_t head, uint64_t off, const char *where)
{
	const struct page *pg = &c->h->arena.page[head];
	const struct kcache *s = c->h->cache[pg->cache];
	uint64_t word = (uint64_t)head * WORDS_PER_PAGE + off / 8, bit = 1ull << (word & 63);

	EXPECT(off % s->stride == 0 && off / s->stride < pg->objects,
	       "%s of %s: offset %llu of slab %u is no object", where, s->name,
	       (unsigned long long)off, head);
	EXPECT(!(c->idle[word / 64] & bit), "%s of %s: the object at %llu of slab %u is free twice",
	       where, s->name, (unsigned long long)off, head);
	c->idle[word / 64] |= bit;
	return true;
}

/* Free objects are poisoned: that is for their users. */
__attribute__((noinline, no_sanitize("address"))) static uint64_t read_word(const uint64_t *word)
{
	return *word;
}

static bool check_free_objects(struct check *c, uint32_t head)
{
	const struct sf_heap *h = c->h;
	const struct page *pg = &h->arena.page[head];
	const struct kcache *s = h->cache[pg->cache];
	const uint64_t *mem = (const uint64_t *)(h->arena.mem + ((uint64_t)head << SF_PAGE_SHIFT));
	uint64_t base = slab_base(h, head), off = pg->freelist ? (pg->freelist - 1) * 8ull : 0;
	uint32_t nr = 0;

	for (bool more = pg->freelist; more; nr++) {
		uint64_t at, word;

		if (!mark_idle(c, head, off, "free list"))
			return false;
		at = off + s->freeptr;
		word = read_word(mem + at / 8);
		if (h->set.freelist_hardened)
			word ^= s->secret ^ __builtin_bswap64(base + at);
		more = word;
		off = word - base;
	}
	EXPECT(nr == (uint32_t)pg->objects - pg->inuse,
	       "slab %u of %s: %u objects on its list, %u of %u in use", head, s->name, nr,
	       pg->inuse, pg->objects);
	return true;
}

static bool check_window(struct check *c, uint32_t head)
{
	const struct arena *a = &c->h->arena;
	const struct page *pg = &a->page[head];

	for (uint32_t i = 0; a->smap && i < 1u << pg->order; i++)
		EXPECT(pg->window + i < a->smap_next && a->smap[pg->window + i] == head + i + 1,
		       "slab %u: page %u of its addresses is mapped elsewhere", head, i);
	return true;
}

static bool check_slabs(struct check *c)
{
	const struct arena *a = &c->h->arena;

	for (uint32_t pfn = 0; c->h->zone.block_type && pfn < a->pages; pfn++) {
		const struct page *pg = &a->page[pfn];

		if (pg->state != PAGE_SLAB && pg->state != PAGE_RCU)
			continue;
		if (!check_window(c, pfn) || !check_free_objects(c, pfn))
			return false;
		EXPECT(pg->state == PAGE_RCU || !pg->on_partial == !c->listed[pfn],
		       "slab %u of %s: says that it is %son the partial list", pfn,
		       c->h->cache[pg->cache]->name, pg->on_partial ? "" : "not ");
		EXPECT(!pg->freelist == (pg->inuse == pg->objects),
		       "slab %u: full with a free list", pfn);
	}
	return true;
}

/* --- sheaves --- */

/* The page that a slab's address stands for, of either window; NO_PFN: of none. */
static uint32_t frame_of(const struct sf_heap *h, uint64_t addr)
{
	const struct arena *a = &h->arena;
	uint64_t n = (addr - (a->smap ? SF_SLAB_WINDOW : SF_DIRECT_MAP)) >> SF_PAGE_SHIFT;

	if (a->smap)
		return n < a->smap_next && !(a->smap[n] & SMAP_FREE) ? a->smap[n] - 1 : NO_PFN;
	return n < a->pages ? (uint32_t)n : NO_PFN;
}

/* `inner`: as its user knew it, which with slot_offset is anywhere in its slot. */
static bool check_parked(struct check *c, const struct kcache *s, uint64_t addr, bool inner)
{
	const struct sf_heap *h = c->h;
	uint32_t head = frame_of(h, addr);
	uint64_t off;

	if (head != NO_PFN && h->arena.page[head].state == PAGE_TAIL)
		head = h->arena.page[head].head;
	EXPECT(head != NO_PFN && h->arena.page[head].state == PAGE_SLAB &&
	       h->arena.page[head].cache == s->id, "sheaf of %s: holds what is in no slab of it",
	       s->name);
	off = addr - slab_base(h, head);
	if (inner && h->set.slot_offset)
		off -= off % s->stride;
	return mark_idle(c, head, off, "sheaf");
}

/* It belongs to what was walked, and to nothing else. */
static bool claim_sheaf(struct check *c, uint32_t id, const char *name)
{
	EXPECT(id < c->h->nr_sheaves, "%s: sheaf %u, which is none", name, id);
	EXPECT(!c->sheaf[id], "%s: sheaf %u belongs to two", name, id);
	c->sheaf[id] = 1;
	return true;
}

/* One that its caller has may be larger than those of its cache. */
static bool fits_capacity(const struct kcache *s, const struct sheaf *sh)
{
	return sh->capacity == s->sheaf_capacity ||
	       (sh->holder != SF_NONE && sh->capacity > s->sheaf_capacity &&
		sh->capacity <= SHEAF_ROOM);
}

static bool check_sheaf(struct check *c, const struct kcache *s, uint32_t id, bool waits)
{
	const struct sf_heap *h = c->h;
	uint64_t window = h->arena.smap ? SF_SLAB_WINDOW : SF_DIRECT_MAP;
	const struct sheaf *sh;

	if (id == NO_SHEAF)
		return true;
	if (!claim_sheaf(c, id, s->name))
		return false;
	sh = &h->sheaves[id];
	EXPECT(fits_capacity(s, sh), "sheaf %u of %s: capacity %u", id, s->name,
	       sh->capacity);
	EXPECT(sh->nr <= sh->capacity, "sheaf %u of %s: %u objects in %u", id, s->name, sh->nr,
	       sh->capacity);
	for (uint32_t i = 0; i < sh->nr; i++)
		if (!check_parked(c, s, window + sh->obj[i] * 8ull, waits))
			return false;
	return true;
}

/* Sheaves of a barn: `each` objects in every one. */
static bool check_barn(struct check *c, const struct kcache *s, uint32_t id, uint32_t nr,
		       uint32_t each)
{
	uint32_t n = 0;

	for (; id != NO_SHEAF; id = c->h->sheaves[id].next, n++) {
		if (!check_sheaf(c, s, id, false))
			return false;
		EXPECT(c->h->sheaves[id].nr == each, "barn of %s: sheaf %u has %u objects", s->name,
		       id, c->h->sheaves[id].nr);
	}
	EXPECT(n == nr, "barn of %s: counts %u sheaves, has %u", s->name, nr, n);
	return true;
}

static bool check_parts(struct check *c, const struct kcache *s)
{
	for (unsigned int cpu = 0; cpu < c->h->set.cpus; cpu++) {
		const struct cpu_cache *pc = &s->cpu[cpu];

		EXPECT(pc->main != NO_SHEAF || pc->spare == NO_SHEAF, "%s: a spare without a main",
		       s->name);
		if (!check_sheaf(c, s, pc->main, false) || !check_sheaf(c, s, pc->spare, false) ||
		    !check_sheaf(c, s, pc->rcu_free, true))
			return false;
	}
	return check_barn(c, s, s->barn.full, s->barn.nr_full, s->sheaf_capacity) &&
	       check_barn(c, s, s->barn.empty, s->barn.nr_empty, 0);
}

static bool check_rcu(struct check *c)
{
	const struct sf_heap *h = c->h;
	const struct rcu *r = h->rcu;
	uint32_t open = 0, queued = 0, deferred = 0;

	for (uint32_t i = 0; i < h->nr_caches; i++)
		for (unsigned int cpu = 0; cpu < h->set.cpus; cpu++)
			open += h->cache[i]->cpu[cpu].rcu_free != NO_SHEAF;
	EXPECT(open == (r ? r->nr_open : 0), "RCU: %u sheaves open, %u counted", open,
	       r ? r->nr_open : 0);
	for (uint32_t i = 0; r && i < r->nr; i++) {
		const struct rcu_callback *cb = &r->queue[i];

		EXPECT(cb->cpu < h->set.cpus, "RCU: callback %u runs on CPU %u", i, cb->cpu);
		if (cb->kind == RCU_SLAB) {
			EXPECT(cb->what < h->arena.pages &&
			       h->arena.page[cb->what].state == PAGE_RCU,
			       "RCU: callback %u: page %llu is no slab that waits", i,
			       (unsigned long long)cb->what);
			queued++;
		} else if (cb->kind != RCU_OBJECT) {
			EXPECT(cb->cache < h->nr_caches, "RCU: callback %u: no such cache", i);
			if (!check_sheaf(c, h->cache[cb->cache], (uint32_t)cb->what, true))
				return false;
		}
	}
	for (uint32_t pfn = 0; pfn < h->arena.pages; pfn++)
		deferred += h->arena.page[pfn].state == PAGE_RCU;
	EXPECT(queued == deferred, "RCU: %u slabs wait, %u are queued", deferred, queued);
	return true;
}

static bool check_prefilled(struct check *c)
{
	const struct sf_heap *h = c->h;
	uint32_t nr = 0;

	for (uint32_t id = 0; id < h->nr_sheaves; id++) {
		uint32_t cache = h->sheaves[id].holder;

		if (cache == SF_NONE)
			continue;
		EXPECT(cache < h->nr_caches, "sheaf %u: of cache %u, which is none", id, cache);
		if (!check_sheaf(c, h->cache[cache], id, false))
			return false;
		nr++;
	}
	EXPECT(nr == h->nr_prefilled, "%u sheaves are prefilled, %u counted", nr, h->nr_prefilled);
	return true;
}

static bool check_sheaves(struct check *c)
{
	const struct sf_heap *h = c->h;

	for (uint32_t i = 0; i < h->nr_caches; i++)
		if (!check_parts(c, h->cache[i]))
			return false;
	if (!check_rcu(c) || !check_prefilled(c))
		return false;
	for (uint32_t id = h->nr_sheaves ? h->free_sheaf : NO_SHEAF; id != NO_SHEAF;
	     id = h->sheaves[id].next)
		if (!claim_sheaf(c, id, "unused sheaves"))
			return false;
	for (uint32_t id = 0; id < h->nr_sheaves; id++)
		EXPECT(c->sheaf[id], "sheaf %u: belongs to nothing", id);
	return true;
}

/* --- caches --- */

static bool check_cache(struct check *c, const struct kcache *s)
{
	const struct page *page = c->h->arena.page;

	EXPECT(s->stride && s->objects && s->min_objects && s->sheaf_capacity <= SHEAF_MAX,
	       "%s: no geometry", s->name);
	EXPECT(s->object_size <= s->stride && s->freeptr + 8u <= s->stride && s->freeptr % 8 == 0,
	       "%s: the free pointer is at %u of %u", s->name, s->freeptr, s->stride);
	EXPECT((uint64_t)s->objects * s->stride <= SF_PAGE_SIZE << s->order &&
	       (uint64_t)s->min_objects * s->stride <= SF_PAGE_SIZE << s->min_order,
	       "%s: %u objects of %u in order %u", s->name, s->objects, s->stride, s->order);
	if (!check_list(c, &s->partial, PAGE_SLAB, s->name))
		return false;
	for (uint32_t pfn = s->partial.head; pfn != NO_PFN; pfn = page[pfn].next)
		EXPECT(page[pfn].cache == s->id && page[pfn].on_partial,
		       "%s: slab %u on its partial list says otherwise", s->name, pfn);
	EXPECT(s->nr_slabs == c->nr_slabs[s->id], "%s: nr_slabs %llu, there are %llu", s->name,
	       (unsigned long long)s->nr_slabs, (unsigned long long)c->nr_slabs[s->id]);
	EXPECT(s->total_objects == c->nr_objects[s->id], "%s: total_objects %llu, there are %llu",
	       s->name, (unsigned long long)s->total_objects,
	       (unsigned long long)c->nr_objects[s->id]);
	EXPECT(s->refs || s->leaked || !s->nr_slabs, "%s: destroyed, and has slabs", s->name);
	EXPECT(!s->boot || s->refs, "%s: destroyed, and was there at boot", s->name);
	return true;
}

static bool check_caches(struct check *c)
{
	const struct sf_heap *h = c->h;

	EXPECT(h->nr_boot <= h->nr_caches && h->nr_caches <= h->cap_caches, "caches: %u of %u",
	       h->nr_caches, h->cap_caches);
	for (uint32_t i = 0; i < h->nr_caches; i++) {
		EXPECT(h->cache[i]->id == i, "%s: cache %u in place %u", h->cache[i]->name,
		       h->cache[i]->id, i);
		if (!check_cache(c, h->cache[i]))
			return false;
	}
	for (uint32_t b = 0; b < h->nr_buckets; b++)
		for (unsigned int slot = 1; slot < NR_CLASSES; slot++)
			EXPECT(h->bucket[b][slot] < h->nr_caches &&
			       h->cache[h->bucket[b][slot]]->bucket == b,
			       "bucket %u: slot %u is of another set", b, slot);
	return true;
}

/* --- areas and pools --- */

static bool check_area(struct check *c, uint32_t i)
{
	const struct arena *a = &c->h->arena;
	const struct vm_area *v = &a->area[i];

	EXPECT(v->start && v->start + v->pages <= a->vmap_next, "area %u: beyond the window", i);
	EXPECT(a->vmap[v->start - 1] == (VMAP_AREA | i),
	       "area %u: its guard page says otherwise", i);
	EXPECT(v->pages || !v->sealed, "area %u: gone, and sealed", i);
	EXPECT(!v->pages || v->size <= (uint64_t)v->pages << SF_PAGE_SHIFT,
	       "area %u: too small", i);
	for (uint32_t k = 0; k < v->pages; k++) {
		uint32_t pfn = a->vmap[v->start + k] - 1;
		const struct page *pg;

		EXPECT(pfn < a->pages, "area %u: page %u is not mapped", i, k);
		pg = &a->page[pfn];
		EXPECT(!c->listed[pfn], "area %u: frame %u is mapped twice", i, pfn);
		EXPECT(v->pool ? pg->state == PAGE_POOL && pg->cache == i : pg->state == PAGE_USED,
		       "area %u: frame %u has state %u", i, pfn, pg->state);
		c->listed[pfn] = 1;
	}
	for (uint32_t k = v->start + v->pages; k < a->vmap_next && !(a->vmap[k] & VMAP_AREA); k++)
		EXPECT(!a->vmap[k], "area %u: mapped beyond its end", i);
	return true;
}

/* Areas of a pool are linked; all but what a sealed pool begins anew are its own. */
static bool check_pool(struct check *c, uint32_t id, uint32_t *nr)
{
	const struct arena *a = &c->h->arena;
	const struct pool *p = &c->h->pools->pool[id - 1];
	uint32_t last = SF_NONE;

	for (uint32_t i = p->first; i != SF_NONE; i = a->area[i].next, ++*nr) {
		EXPECT(i < a->nr_areas && a->area[i].pool == id && a->area[i].pages,
		       "pool %u: area %u is not its own", id, i);
		EXPECT(*nr < a->nr_areas, "pool %u: its areas lead round", id);
		last = i;
	}
	EXPECT(p->last == last, "pool %u: its last area is %u", id, last);
	EXPECT(p->current == SF_NONE || p->current == last, "pool %u: allocates from area %u", id,
	       p->current);
	return true;
}

static bool check_areas(struct check *c)
{
	const struct arena *a = &c->h->arena;
	const struct pools *ps = c->h->pools;
	uint32_t sealed = 0, owned = 0, of_pools = 0;

	for (uint32_t i = 0; i < a->nr_areas; i++) {
		if (!check_area(c, i))
			return false;
		sealed += a->area[i].sealed;
		owned += a->area[i].pool && a->area[i].pages;
	}
	EXPECT(a->sealed == sealed, "areas: %u are sealed, %u counted", sealed, a->sealed);
	for (uint32_t id = 1; ps && id <= ps->nr; id++)
		if (ps->pool[id - 1].live && !check_pool(c, id, &of_pools))
			return false;
	EXPECT(owned == of_pools, "pools: %u areas, %u of them linked", owned, of_pools);
	return true;
}

/* --- memory cgroups --- */

static bool check_groups(struct check *c, uint64_t *usage, uint32_t *children)
{
	const struct memcgs *m = c->h->memcgs;

	for (uint32_t i = 0; i < m->nr; i++) {
		const struct memcg_group *g = &m->group[i];

		/* A group is made below an older one: no way up leads round. */
		EXPECT(g->parent == SF_NONE || g->parent < i, "group %u: below %u", i, g->parent);
		if (g->online && g->parent != SF_NONE)
			children[g->parent]++;
	}
	for (uint32_t i = m->nr; i-- > 0;) {
		const struct memcg_group *g = &m->group[i];

		EXPECT(g->usage == usage[i], "group %u: usage %llu, charged %llu", i,
		       (unsigned long long)g->usage, (unsigned long long)usage[i]);
		EXPECT(g->children == children[i], "group %u: %u children, %u there", i,
		       g->children, children[i]);
		EXPECT(g->online || !g->children, "group %u: destroyed, and has children", i);
		if (g->parent != SF_NONE)
			usage[g->parent] += usage[i];
	}
	return true;
}

static bool check_charges(struct check *c, uint64_t *usage, uint8_t *unused)
{
	const struct memcgs *m = c->h->memcgs;
	uint32_t nr = 0;

	for (uint32_t i = m->unused; i != SF_MAP_NONE; i = m->charge[i].group) {
		EXPECT(i < m->nr_charges && !unused[i], "unused charges: lead round");
		unused[i] = 1;
	}
	for (uint32_t i = 0; i < m->nr_charges; i++) {
		const struct memcg_charge *ch = &m->charge[i];

		if (unused[i])
			continue;
		EXPECT(ch->group < m->nr && sf_map_get(&m->by_addr, ch->addr) == i,
		       "charge %u: of group %u, not found by its address", i, ch->group);
		usage[ch->group] += ch->bytes;
		nr++;
	}
	EXPECT(c->h->nr_charged == nr && m->by_addr.nr == nr, "charges: %u there, %u counted", nr,
	       c->h->nr_charged);
	return true;
}

static bool check_memcgs(struct check *c)
{
	const struct memcgs *m = c->h->memcgs;
	uint64_t *usage;
	uint32_t *children;
	uint8_t *unused;
	bool sound;

	EXPECT(m || !c->h->nr_charged, "groups: charged without any");
	if (!m)
		return true;
	EXPECT(c->h->memcg == SF_NONE || (c->h->memcg < m->nr && m->group[c->h->memcg].online),
	       "groups: %u is active and not there", c->h->memcg);
	usage = calloc(m->nr + 1, sizeof(*usage));
	children = calloc(m->nr + 1, sizeof(*children));
	unused = calloc(m->nr_charges + 1, sizeof(*unused));
	if (!usage || !children || !unused)
		abort(); /* no memory for a check */
	sound = check_charges(c, usage, unused) && check_groups(c, usage, children);
	free(usage);
	free(children);
	free(unused);
	return sound;
}

/* --- tracked objects --- */

static bool check_shrinker(struct check *c, uint32_t id, uint32_t *listed)
{
	const struct shrinker *s = &c->h->shrinker[id];
	const struct lru *l = c->h->lru;
	uint32_t older = NO_ENTRY;
	uint64_t nr = 0;

	EXPECT(s->cache < c->h->nr_caches && s->seeks && s->batch, "shrinker %u: of no cache", id);
	for (uint32_t i = s->head; i != NO_ENTRY; i = l->e[i].newer, nr++) {
		EXPECT(i < l->nr && nr < l->nr, "shrinker %u: its list leads astray", id);
		EXPECT(l->e[i].listed && l->e[i].shrinker == id && l->e[i].older == older,
		       "shrinker %u: entry %u is not linked back", id, i);
		EXPECT(!l->e[i].pinned && !l->e[i].deferred,
		       "shrinker %u: entry %u is held", id, i);
		older = i;
	}
	EXPECT(s->tail == older && s->nr == nr, "shrinker %u: counts %llu objects, has %llu", id,
	       (unsigned long long)s->nr, (unsigned long long)nr);
	*listed += (uint32_t)nr;
	return true;
}

/* What an entry owns: linked both ways, in order. */
static bool check_owned(struct check *c, uint32_t owner, uint32_t *owned)
{
	const struct lru *l = c->h->lru;
	uint32_t prev = NO_ENTRY, n = 0;

	for (uint32_t i = l->e[owner].first; i != NO_ENTRY; i = l->e[i].next) {
		EXPECT(i < l->nr && n++ < l->nr, "object %u: what it owns leads round", owner);
		EXPECT(l->e[i].owner == owner && l->e[i].prev == prev && l->e[i].addr,
		       "object %u: object %u, which it owns, says otherwise", owner, i);
		prev = i;
	}
	EXPECT(l->e[owner].last == prev, "object %u: the last that it owns is %u", owner, prev);
	*owned += n;
	return true;
}

static bool check_entries(struct check *c, uint32_t listed, uint64_t *nr_lru)
{
	const struct lru *l = c->h->lru;
	uint32_t live = 0, on = 0, owned = 0, with_owner = 0;
	uint64_t indirect = 0;

	for (uint32_t i = 0; i < l->nr; i++) {
		const struct lru_entry *e = &l->e[i];

		if (!e->addr)
			continue;
		live++;
		on += e->listed;
		with_owner += e->owner != NO_ENTRY;
		indirect += e->indirect;
		EXPECT(sf_map_get(&l->by_addr, e->addr) == i,
		       "object %u: not found by its address", i);
		EXPECT(!e->deferred || (e->owner == NO_ENTRY && !e->pinned && !e->listed),
		       "object %u: waits for a grace period, and is held", i);
		if (!check_owned(c, i, &owned))
			return false;
		if (!e->listed || e->group == SF_NONE)
			continue;
		EXPECT(nr_lru && e->group < c->h->memcgs->nr, "object %u: of group %u", i,
		       e->group);
		nr_lru[e->group]++;
	}
	EXPECT(c->h->nr_tracked == live && l->by_addr.nr == live, "objects: %u tracked, %u counted",
	       live, c->h->nr_tracked);
	EXPECT(on == listed, "objects: %u say that they are listed, %u are", on, listed);
	EXPECT(owned == with_owner, "objects: %u have owners, %u are owned", with_owner, owned);
	EXPECT(c->h->indirect_bytes == indirect, "indirect_bytes: %llu, of objects %llu",
	       (unsigned long long)c->h->indirect_bytes, (unsigned long long)indirect);
	return true;
}

static bool check_lru(struct check *c)
{
	const struct memcgs *m = c->h->memcgs;
	uint64_t *nr_lru = NULL;
	uint32_t listed = 0;
	bool sound = true;

	if (!c->h->lru)
		return true;
	if (m) {
		nr_lru = calloc(m->nr + 1, sizeof(*nr_lru));
		if (!nr_lru)
			abort(); /* no memory for a check */
	}
	for (uint32_t i = 0; sound && i < c->h->nr_shrinkers; i++)
		sound = check_shrinker(c, i, &listed);
	sound = sound && check_entries(c, listed, nr_lru);
	for (uint32_t i = 0; sound && nr_lru && i < m->nr; i++)
		if (m->group[i].nr_lru != nr_lru[i])
			sound = fault(c, "group %u: %llu objects listed, %llu counted", i,
				      (unsigned long long)nr_lru[i],
				      (unsigned long long)m->group[i].nr_lru);
	free(nr_lru);
	return sound;
}

/* --- all of it --- */

static bool check_faults(struct check *c)
{
	bool any = false;

	for (unsigned int kind = 0; kind < SF_FAULTS; kind++)
		any |= c->h->fault_after[kind] || c->h->fault_attr[kind].probability;
	EXPECT(c->h->faults == any, "failures: %s, and the flag says otherwise",
	       any ? "on" : "off");
	EXPECT(c->h->cpu < c->h->set.cpus, "CPU %u: there is none", c->h->cpu);
	return true;
}

const char *heap_check(struct sf_heap *h)
{
	struct check c = { .h = h };
	bool sound;

	c.listed = calloc(h->arena.pages, sizeof(*c.listed));
	c.sheaf = calloc(h->nr_sheaves + 1, sizeof(*c.sheaf));
	c.idle = calloc((uint64_t)h->arena.pages * WORDS_PER_PAGE / 64, sizeof(*c.idle));
	c.nr_slabs = calloc(h->nr_caches + 1, sizeof(*c.nr_slabs));
	c.nr_objects = calloc(h->nr_caches + 1, sizeof(*c.nr_objects));
	if (!c.listed || !c.sheaf || !c.idle || !c.nr_slabs || !c.nr_objects)
		abort(); /* no memory for a check */
	sound = check_faults(&c) && check_zone(&c) && check_areas(&c) && check_pages(&c) &&
		check_caches(&c) && check_slabs(&c) && check_sheaves(&c) && check_memcgs(&c) &&
		check_lru(&c);
	free(c.listed);
	free(c.sheaf);
	free(c.idle);
	free(c.nr_slabs);
	free(c.nr_objects);
	return sound ? NULL : h->fault_line;
}
