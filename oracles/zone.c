// SPDX-License-Identifier: MIT
/*
 * zone.c - the page allocator's part of the shadow: free blocks, per-CPU pages, users, slabs.
 *
 * At boot all memory is free in the largest naturally aligned blocks. From there only events move
 * pages. An event that contradicts what is known is reported by buddy.c and leaves no trace here.
 * Relies on zone.h.
 */
#include "zone.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "caches.h"
#include "rules.h"
#include "shadow.h"
#include "shadow_mem.h"
#include "taken.h"

const uint8_t sf_fallbacks[SF_MIGRATE_HIGHATOMIC][2] = {
	[SF_MIGRATE_UNMOVABLE] = { SF_MIGRATE_RECLAIMABLE, SF_MIGRATE_MOVABLE },
	[SF_MIGRATE_MOVABLE] = { SF_MIGRATE_RECLAIMABLE, SF_MIGRATE_UNMOVABLE },
	[SF_MIGRATE_RECLAIMABLE] = { SF_MIGRATE_UNMOVABLE, SF_MIGRATE_MOVABLE },
};

unsigned int sf_zone_boot_order(uint64_t pfn, uint64_t end)
{
	unsigned int order = SF_MAX_ORDER;

	while (order && ((pfn & ((1ull << order) - 1)) || (1ull << order) > end - pfn))
		order--;
	return order;
}

bool sf_zone_known_long(const struct sf_zone *z, uint64_t pfn, uint64_t nr)
{
	sf_each_word(i, mask, pfn, nr)
		if ((z->listed[i] | z->out[i] | z->pcp[i]) & mask)
			return true;
	return false;
}

static void touch(struct sf_zone *z, uint64_t pfn)
{
	uint64_t chunk = pfn >> SF_CHUNK_SHIFT;

	z->changes++;
	if (z->touched[chunk])
		return;
	z->touched[chunk] = true;
	z->journal[z->nr_journal++] = (uint32_t)chunk;
}

static void put_head(struct sf_zone *z, uint64_t pfn, unsigned int order, unsigned int type)
{
	z->head[pfn] = sf_head(order, type);
	z->heads[pfn / 64] |= 1ull << (pfn % 64);
	sf_bits_set(z->listed, pfn, 1ull << order);
}

static void boot_chunk(struct sf_zone *z, uint64_t chunk)
{
	uint64_t first = chunk << SF_CHUNK_SHIFT, end = first + SF_CHUNK_PAGES;
	uint64_t *const maps[] = { z->listed, z->pcp, z->out, z->slabs, z->fallback,
				   z->heads, z->slab_heads };

	for (uint64_t w = first / 64; w < end / 64; w++)
		for (uint64_t m = z->heads[w]; m; m &= m - 1)
			z->head[w * 64 + (uint64_t)__builtin_ctzll(m)] = 0;
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		memset(maps[i] + first / 64, 0, SF_CHUNK_PAGES / 8);
	if (end > z->pages)
		end = z->pages;
	sf_lists_boot(&z->lists, first, SF_CHUNK_PAGES);
	memset(z->pbtype + (first >> z->pageblock_order), z->boot_type,
	       ((end - 1) >> z->pageblock_order) - (first >> z->pageblock_order) + 1);
	for (uint64_t pfn = first; pfn < end;) {
		unsigned int order = sf_zone_boot_order(pfn, end);

		put_head(z, pfn, order, z->boot_type);
		pfn += 1ull << order;
	}
}

void sf_zone_begin(struct sf_zone *z)
{
	if (!z->on)
		return;
	for (uint32_t i = 0; i < z->nr_journal; i++) {
		boot_chunk(z, z->journal[i]);
		z->touched[z->journal[i]] = false;
	}
	z->nr_journal = 0;
	memset(z->nr, 0, sizeof(z->nr));
	for (unsigned int o = 0; o <= SF_MAX_ORDER; o++)
		z->nr[o][z->boot_type] = z->boot_nr[o];
	sf_lists_begin(&z->lists, z->cpus, z->boot_type, z->boot_nr);
	z->freed.nr = z->moved.nr = 0;
	z->drained.cpu = z->freed_to.cpu = 0;
	z->free_pages = z->pages;
	z->out_pages = 0;
	z->slab_pages = 0;
	z->idle_pages = 0;
	z->orphan_pages = 0;
	z->reclaim_pages = 0;
	z->reserved = 0;
	z->boost = z->tries = 0;
	z->stolen = false;
	z->last_del.valid = false;
	z->last_alloc.valid = false;
	z->split.orders = 0;
	z->claim.valid = false;
}

void sf_zone_free(struct sf_zone *z)
{
	free(z->head);
	free(z->pbtype);
	free(z->listed);
	free(z->pcp);
	free(z->out);
	free(z->slabs);
	free(z->fallback);
	free(z->heads);
	free(z->slab_heads);
	free(z->slab);
	free(z->touched);
	free(z->journal);
	sf_lists_free(&z->lists);
}

static void zone_grow(struct sf_zone *z, uint64_t pages, size_t *bytes)
{
	uint64_t cap = (pages + SF_CHUNK_PAGES - 1) & ~(uint64_t)(SF_CHUNK_PAGES - 1);
	uint64_t **const maps[] = { &z->listed, &z->pcp, &z->out, &z->slabs,
				    &z->fallback, &z->heads, &z->slab_heads };

	sf_zone_free(z);
	z->cap = cap;
	z->head = sf_shadow_zalloc(cap, sizeof(*z->head), bytes);
	z->pbtype = sf_shadow_zalloc(cap, sizeof(*z->pbtype), bytes);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		*maps[i] = sf_shadow_zalloc(cap / 64, sizeof(uint64_t), bytes);
	sf_lists_grow(&z->lists, cap, bytes);
	z->slab = sf_shadow_zalloc(cap, sizeof(*z->slab), bytes);
	z->touched = sf_shadow_zalloc(cap >> SF_CHUNK_SHIFT, 1, bytes);
	z->journal = sf_shadow_zalloc(cap >> SF_CHUNK_SHIFT, sizeof(*z->journal), bytes);
}

void sf_zone_setup(struct sf_shadow *sh, uint64_t pages)
{
	struct sf_zone *z = &sh->zone;

	z->on = pages != 0;
	z->pages = pages;
	if (!z->on)
		return;
	if (pages > z->cap)
		zone_grow(z, pages, &sh->bytes);
	z->pageblock_order = sh->set.pageblock_order <= SF_MAX_ORDER ?
				     (uint8_t)sh->set.pageblock_order : SF_MAX_ORDER;
	z->cpus = (uint32_t)sh->set.cpus;
	z->lists.shuffled = sh->set.shuffle;
	z->marks = sf_marks_of(pages, sh->set.watermarks);
	/* decided at boot, before there are marks; page blocks are MOVABLE by then in any case */
	z->grouping = pages >> z->pageblock_order >= SF_MIGRATE_TYPES;
	z->boot_type = SF_MIGRATE_MOVABLE;
	memset(z->boot_nr, 0, sizeof(z->boot_nr));
	for (uint64_t pfn = 0; pfn < pages;) {
		unsigned int order = sf_zone_boot_order(pfn, pages);

		z->boot_nr[order]++;
		pfn += 1ull << order;
	}
	memset(z->touched, 0, z->cap >> SF_CHUNK_SHIFT);
	z->nr_journal = 0;
	for (uint64_t pfn = 0; pfn < z->cap; pfn += SF_CHUNK_PAGES)
		touch(z, pfn);
	/* chunks above the end may hold what a larger heap left */
	for (; z->nr_journal > (pages + SF_CHUNK_PAGES - 1) >> SF_CHUNK_SHIFT; z->nr_journal--)
		z->touched[z->journal[z->nr_journal - 1]] = false;
	sf_zone_begin(z);
}

void sf_zone_add(struct sf_zone *z, const struct sf_ev_block *b)
{
	uint64_t nr = 1ull << (b->order <= SF_MAX_ORDER ? b->order : 0);

	if (!z->on || !sf_zone_has(z, b->pfn, b->order) || b->migratetype >= SF_MIGRATE_TYPES ||
	    (b->pfn & (nr - 1)))
		return;
	if (z->split.orders >> b->order & 1)
		z->split.orders &= ~(1u << b->order);
	if (sf_bits_any(z->listed, b->pfn, nr))
		return;
	touch(z, b->pfn);
	if (nr <= 64) { /* aligned: in one word */
		uint64_t i = b->pfn / 64, mask = sf_bits_mask(b->pfn, nr);

		z->pcp[i] &= ~mask;
		z->fallback[i] &= ~mask;
		z->listed[i] |= mask;
	} else {
		sf_bits_clear_long(z->pcp, b->pfn, nr);
		sf_bits_clear_long(z->fallback, b->pfn, nr);
		sf_bits_set_long(z->listed, b->pfn, nr);
	}
	z->head[b->pfn] = sf_head(b->order, b->migratetype);
	z->heads[b->pfn / 64] |= 1ull << (b->pfn % 64);
	z->nr[b->order][b->migratetype]++;
	z->free_pages += nr;
	sf_list_add(&z->lists, sf_free_list(b->order, b->migratetype), b->pfn, b->tail);
	if (z->freed.nr && z->freed.pfn - b->pfn < nr) { /* a part of it, or merged with others */
		uint64_t part = b->pfn + nr - z->freed.pfn;

		z->freed.nr -= part < z->freed.nr ? part : z->freed.nr;
		z->freed.pfn += part;
	}
}

void sf_zone_del(struct sf_zone *z, const struct sf_ev_block *b)
{
	uint8_t head;

	z->last_del.valid = false;
	if (!z->on || !sf_zone_has(z, b->pfn, b->order))
		return;
	head = z->head[b->pfn];
	if (!head || (head & 15) - 1 != b->order)
		return;
	touch(z, b->pfn);
	z->last_del.first = sf_list_first(&z->lists, sf_free_list(b->order, head >> 4), b->pfn);
	sf_list_del(&z->lists, sf_free_list(b->order, head >> 4), b->pfn);
	z->head[b->pfn] = 0;
	z->heads[b->pfn / 64] &= ~(1ull << (b->pfn % 64));
	sf_bits_clear(z->listed, b->pfn, 1ull << b->order);
	z->nr[b->order][head >> 4]--;
	z->free_pages -= 1ull << b->order;
	z->last_del.pfn = b->pfn;
	z->last_del.order = b->order;
	z->last_del.type = head >> 4;
	z->last_del.valid = true;
}

/* The per-CPU list of blocks of that order and type (mm/page_alloc.c:order_to_pindex). */
static unsigned int pcp_list(unsigned int order, unsigned int type)
{
	if (order == SF_PCP_HUGE_ORDER)
		return 12 + (type == SF_MIGRATE_MOVABLE);
	return order <= SF_COSTLY_ORDER && type < 3 ? 3 * order + type : SF_PCP_LISTS;
}

static void put_pcp(struct sf_zone *z, unsigned int cpu, unsigned int list, uint64_t pfn, bool tail)
{
	if (cpu < z->lists.cpus && list < SF_PCP_LISTS)
		sf_list_add(&z->lists, sf_pcp_list(cpu, list), pfn, tail);
}

int sf_zone_fallback(const struct sf_zone *z, unsigned int type, unsigned int order)
{
	for (unsigned int i = 0; i < 2; i++)
		if (z->nr[order][sf_fallbacks[type][i]])
			return sf_fallbacks[type][i];
	return -1;
}

/*
 * Claims of a part of a page block are tried from above, at each order where there is a block to
 * begin with; how many down to `order` (mm/page_alloc.c:__rmqueue_claim).
 */
static uint32_t tries_down_to(const struct sf_zone *z, unsigned int type, unsigned int order)
{
	uint32_t tries = 0;

	for (unsigned int k = order; k < z->pageblock_order; k++)
		tries += sf_may_claim(z, type, k) && sf_zone_fallback(z, type, k) >= 0;
	return tries;
}

/*
 * What is stolen could not be claimed, at any order; but once a refill has stolen it goes on with
 * that (mm/page_alloc.c:rmqueue_bulk). The block itself is off its list by now.
 */
static void count_tries(struct sf_zone *z, const struct sf_ev_rmqueue *r)
{
	unsigned int type = z->last_del.type, order = z->last_del.order;

	if (r->mode != SF_RMQUEUE_STEAL || r->migratetype >= SF_MIGRATE_HIGHATOMIC) {
		z->stolen = false;
		return;
	}
	if (!z->stolen && z->last_del.valid) {
		z->nr[order][type]++;
		z->tries += tries_down_to(z, r->migratetype, r->order);
		z->nr[order][type]--;
	}
	z->stolen = r->to_pcp;
}

void sf_zone_rmqueue(struct sf_zone *z, const struct sf_ev_rmqueue *r, unsigned int cpu)
{
	uint64_t nr = 1ull << (r->order <= SF_MAX_ORDER ? r->order : 0);

	z->split.orders = 0;
	z->claim.valid = false;
	if (r->mode == SF_RMQUEUE_STEAL || z->stolen)
		count_tries(z, r);
	if (!z->on || !sf_zone_has(z, r->pfn, r->order) || r->from_order > SF_MAX_ORDER)
		return;
	touch(z, r->pfn);
	z->split.pfn = r->pfn;
	z->split.type = r->mode == SF_RMQUEUE_CLAIM ? r->migratetype : r->from_type;
	if (r->from_order > r->order)
		z->split.orders = (1u << r->from_order) - (1u << r->order);
	if (r->mode == SF_RMQUEUE_OWN)
		sf_bits_clear(z->fallback, r->pfn, nr);
	else
		sf_bits_set(z->fallback, r->pfn, nr);
	z->moved.nr = z->freed.nr = 0;
	if (!r->to_pcp || sf_bits_any(z->listed, r->pfn, nr))
		return;
	sf_bits_set(z->pcp, r->pfn, nr);
	put_pcp(z, cpu, pcp_list(r->order, r->migratetype), r->pfn, true);
}

/* Page blocks change their type; where that ends, or 0: nowhere. */
static uint64_t retype(struct sf_zone *z, const struct sf_ev_claim *c)
{
	uint64_t end;

	if (!z->on || c->to >= SF_MIGRATE_TYPES || c->start >= z->pages || !c->nr_pages)
		return 0;
	end = c->nr_pages > z->pages - c->start ? z->pages : c->start + c->nr_pages;
	for (uint64_t p = c->start; p < end;
	     p = ((p >> z->pageblock_order) + 1) << z->pageblock_order) {
		touch(z, p);
		z->pbtype[p >> z->pageblock_order] = c->to;
	}
	/* pages that are not free change the type of their page block under their user's feet */
	sf_each_word(i, mask, c->start, end - c->start)
		z->fallback[i] |= mask & ~z->listed[i];
	return end;
}

/* Of a part of a page block: its free blocks go from list to list one by one. */
static void moves(struct sf_zone *z, const struct sf_ev_claim *c, uint64_t end)
{
	z->moved.start = c->start;
	z->moved.nr = c->order < z->pageblock_order ? end - c->start : 0;
}

void sf_zone_reserve(struct sf_zone *z, const struct sf_ev_claim *c)
{
	uint64_t end = retype(z, c);

	if (!end)
		return;
	moves(z, c, end);
	z->changes++;
	if (!c->release)
		z->reserved += end - c->start;
	else if (z->reserved >= end - c->start)
		z->reserved -= end - c->start;
}

uint64_t sf_zone_free_reserve(const struct sf_zone *z)
{
	uint64_t pages = 0;

	for (unsigned int k = 0; z->reserved && k < SF_NR_ORDERS; k++)
		pages += (uint64_t)z->nr[k][SF_MIGRATE_HIGHATOMIC] << k;
	return pages;
}

/*
 * Free pages of the HIGHATOMIC reserve count for whoever may use any reserve; its blocks are handed
 * to whom it is for, and to a single page's request that cannot wait (mm/page_alloc.c:
 * __zone_watermark_ok, rmqueue_buddy).
 */
bool sf_zone_can_give(const struct sf_zone *z, unsigned int order, uint32_t gfp, uint64_t mark)
{
	uint64_t least = sf_reduced_mark(mark, gfp), usable = z->free_pages, of_order = 0;
	unsigned int types = sf_takes_reserve(gfp, order) ? SF_MIGRATE_HIGHATOMIC + 1 :
							    SF_MIGRATE_HIGHATOMIC;

	if (order > SF_MAX_ORDER)
		return false;
	if (!sf_counts_reserve(gfp))
		usable -= sf_zone_free_reserve(z);
	for (unsigned int k = order; k <= SF_MAX_ORDER; k++)
		for (unsigned int t = 0; t < types; t++)
			of_order += z->nr[k][t];
	return of_order && usable > least + (1ull << order) - 1;
}

void sf_zone_claim(struct sf_zone *z, const struct sf_ev_claim *c)
{
	uint64_t end = retype(z, c);

	if (!end || c->merge)
		return;
	moves(z, c, end);
	if (!c->whole && c->to < SF_MIGRATE_HIGHATOMIC)
		z->tries += 1 + tries_down_to(z, c->to, c->order + 1u);
	z->claim.pfn = c->pfn;
	z->claim.start = c->start;
	z->claim.nr = end - c->start;
	z->claim.order = c->order;
	z->claim.to = c->to;
	z->claim.whole = c->whole;
	z->claim.valid = true;
}

uint64_t sf_zone_boost(const struct sf_zone *z, uint32_t gfp, unsigned int attempt)
{
	bool slow = attempt >= SF_ATTEMPT_SLOW && attempt <= SF_ATTEMPT_LAST;

	return slow && (gfp & SF_GFP_KSWAPD_RECLAIM) ? 0 : z->boost;
}

/*
 * Each try to claim a part of a page block boosts by a page block, up to a bound (mm/page_alloc.c:
 * boost_watermark). Who may wake kswapd has that taken back at once (rmqueue), and all of it before
 * a second attempt (wake_all_kswapds).
 */
static void boost(struct sf_zone *z, const struct sf_ev_page *p)
{
	uint64_t block = 1ull << z->pageblock_order, most;

	z->boost = sf_zone_boost(z, p->gfp, p->attempt);
	if (!z->tries)
		return;
	most = sf_boost_max(&z->marks, z->pages, block);
	z->boost += z->tries * block;
	if (z->boost > most)
		z->boost = most;
	if ((p->gfp & SF_GFP_KSWAPD_RECLAIM) && p->attempt < SF_ATTEMPT_LAST)
		z->boost = 0;
	z->tries = 0;
}

/* A boost is no reason to fail the single pages that matter most (zone_watermark_fast). */
uint64_t sf_zone_mark(const struct sf_zone *z, unsigned int order, uint32_t gfp)
{
	if (!order && ((gfp & SF_GFP_HIGH) || sf_never_fails(gfp)))
		return z->marks.min;
	return z->marks.min + sf_zone_boost(z, gfp, SF_ATTEMPT_SLOW);
}

void sf_zone_page_alloc(struct sf_zone *z, const struct sf_ev_page *p)
{
	uint64_t nr = 1ull << (p->order <= SF_MAX_ORDER ? p->order : 0);

	z->split.orders = 0;
	z->last_alloc.valid = false;
	z->stolen = false;
	if (z->tries || z->boost)
		boost(z, p);
	if (!z->on || !sf_zone_has(z, p->pfn, p->order))
		return;
	touch(z, p->pfn);
	z->moved.nr = z->freed.nr = 0;
	if (sf_bit(z->pcp, p->pfn))
		sf_list_del(&z->lists, sf_pcp_list(0, 0), p->pfn);
	sf_bits_clear(z->pcp, p->pfn, nr);
	if (sf_bits_any(z->listed, p->pfn, nr))
		return;
	z->out_pages += nr - sf_bits_count(z->out, p->pfn, nr);
	sf_bits_set(z->out, p->pfn, nr);
	z->last_alloc.pfn = p->pfn;
	z->last_alloc.order = p->order;
	z->last_alloc.type = p->migratetype;
	z->last_alloc.gfp = p->gfp;
	z->last_alloc.valid = true;
}

void sf_zone_page_free(struct sf_zone *z, const struct sf_ev_page *p)
{
	uint64_t nr = 1ull << (p->order <= SF_MAX_ORDER ? p->order : 0);

	if (!z->on || !sf_zone_has(z, p->pfn, p->order))
		return;
	touch(z, p->pfn);
	z->out_pages -= sf_bits_count(z->out, p->pfn, nr);
	z->slab_pages -= sf_bits_count(z->slabs, p->pfn, nr);
	sf_bits_clear(z->out, p->pfn, nr);
	sf_bits_clear(z->slabs, p->pfn, nr);
	z->moved.nr = 0;
	z->freed.pfn = p->pfn;
	z->freed.nr = p->pcp ? 0 : nr;
	z->freed.to_tail = p->order <= SF_COSTLY_ORDER; /* it passes by its per-CPU list */
	if (!p->pcp || sf_bits_any(z->listed, p->pfn, nr))
		return;
	sf_bits_set(z->pcp, p->pfn, nr);
	sf_bits_clear(z->fallback, p->pfn, nr);
	put_pcp(z, p->cpu, p->list, p->pfn, false);
	z->freed_to.cpu = p->cpu + 1u;
	z->freed_to.list = p->list;
	z->drained.cpu = 0;
}

void sf_zone_drain(struct sf_zone *z, const struct sf_ev_page *p)
{
	if (!z->on || !sf_zone_has(z, p->pfn, p->order))
		return;
	touch(z, p->pfn);
	if (sf_bit(z->pcp, p->pfn))
		sf_list_del(&z->lists, sf_pcp_list(0, 0), p->pfn);
	sf_bits_clear(z->pcp, p->pfn, 1ull << p->order);
	z->moved.nr = 0;
	z->freed.pfn = p->pfn;
	z->freed.nr = 1ull << p->order;
	z->freed.to_tail = false;
	z->drained.cpu = p->cpu + 1u;
	z->drained.list = p->list;
}

/* Pages of the slab window get frames; the first of them, plus 1, or 0: the slab is not there. */
static uint32_t window_map(struct sf_shadow *sh, const struct sf_ev_slab *s, uint64_t nr)
{
	uint64_t first = (s->addr - sh->slabs.base) >> SF_PAGE_SHIFT;

	if (s->addr < sh->slabs.base || first >= sh->slab_limit || !sf_slabs_reach(sh, s->addr, nr))
		return 0;
	for (uint64_t i = 0; i < nr; i++)
		sh->frame[first + i] = (uint32_t)(s->pfn + i) + 1;
	return (uint32_t)first + 1;
}

/* Who had been handed objects of it may still know their addresses. */
static void go_stale(struct sf_shadow *sh, const struct sf_shadow_slab *slab, uint64_t pfn,
		     uint64_t nr)
{
	struct sf_past *past = slab->window ? &sh->slab_past[slab->window - 1] : &sh->past[pfn];

	for (uint64_t i = 0; i < nr; i++)
		past[i].stale = true;
}

void sf_zone_slab_new(struct sf_shadow *sh, const struct sf_ev_slab *s)
{
	struct sf_shadow_cache *c = sf_shadow_cache_at(sh, s->cache);
	struct sf_zone *z = &sh->zone;
	uint64_t nr = 1ull << (s->order <= SF_MAX_ORDER ? s->order : 0);

	if (!z->on || !sf_zone_has(z, s->pfn, s->order) || sf_bits_any(z->slabs, s->pfn, nr) ||
	    !sf_bits_all(z->out, s->pfn, nr))
		return;
	touch(z, s->pfn);
	sf_bits_set(z->slabs, s->pfn, nr);
	sf_bits_set(z->slab_heads, s->pfn, 1);
	z->slab_pages += nr;
	z->idle_pages += nr;
	z->slab[s->pfn] = (struct sf_shadow_slab){
		.cache = s->cache, .objects = s->objects, .order = s->order,
		.window = sh->slab_limit ? window_map(sh, s, nr) : 0,
		.reclaim = c && (c->flags & SF_SLAB_RECLAIM_ACCOUNT),
	};
	z->reclaim_pages += z->slab[s->pfn].reclaim ? nr : 0;
	if (c) {
		sf_touch_cache(sh, s->cache);
		c->slabs++;
		c->shrunk = false;
	}
}

void sf_zone_slab_free(struct sf_shadow *sh, const struct sf_ev_slab *s)
{
	struct sf_shadow_slab *slab = sf_zone_slab_at(&sh->zone, s->pfn);
	struct sf_shadow_cache *c;
	struct sf_zone *z = &sh->zone;
	uint64_t nr;

	if (!slab)
		return;
	c = sf_shadow_cache_at(sh, slab->cache);
	nr = 1ull << slab->order;
	z->slab_pages -= sf_bits_count(z->slabs, s->pfn, nr);
	sf_bits_clear(z->slabs, s->pfn, nr);
	sf_bits_clear(z->slab_heads, s->pfn, 1);
	if (slab->used)
		go_stale(sh, slab, s->pfn, nr);
	if (slab->window)
		memset(&sh->frame[slab->window - 1], 0, nr * sizeof(*sh->frame));
	z->freed_slab_pages += nr;
	if (sf_slab_idle(slab))
		z->idle_pages -= nr;
	if (slab->reclaim)
		z->reclaim_pages -= nr;
	if (slab->orphan)
		z->orphan_pages -= nr;
	else if (!slab->deferred && c && c->slabs)
		c->slabs--;
}

/* Its cache's no more, but still a slab. */
void sf_zone_slab_defer(struct sf_shadow *sh, const struct sf_ev_slab *s)
{
	struct sf_shadow_slab *slab = sf_zone_slab_at(&sh->zone, s->pfn);
	struct sf_shadow_cache *c;

	if (!slab || slab->deferred)
		return;
	c = sf_shadow_cache_at(sh, slab->cache);
	sh->zone.changes++;
	if (!sf_slab_idle(slab))
		sh->zone.idle_pages += 1ull << slab->order;
	slab->deferred = true;
	slab->grace = sh->grace;
	if (!slab->orphan && c && c->slabs)
		c->slabs--;
}

/* Pages behind a mapping are taken in the direct map too: they are taken. */
void sf_zone_map(struct sf_shadow *sh, const struct sf_ev_map *m)
{
	uint64_t first = (m->addr - sh->vmalloc.base) >> SF_PAGE_SHIFT;

	if (m->addr < sh->vmalloc.base || first >= sh->vmalloc.pages || !m->pfns ||
	    m->pages > sh->vmalloc.pages - first || !sh->addresses)
		return;
	for (uint64_t i = 0; i < m->pages; i++) {
		uint64_t pfn = m->pfns[i];

		if (pfn >= sh->direct.pages || sh->direct.used[pfn] || sh->vm_pfn[first + i])
			continue;
		sh->direct.used[pfn] = SF_PAGE_WHOLE;
		sh->vm_pfn[first + i] = (uint32_t)pfn + 1;
		sh->vm_mapped++;
	}
	if (first + m->pages > sh->vm_high)
		sh->vm_high = first + m->pages;
}

void sf_zone_unmap(struct sf_shadow *sh, const struct sf_ev_map *m)
{
	uint64_t first = (m->addr - sh->vmalloc.base) >> SF_PAGE_SHIFT;

	if (m->addr < sh->vmalloc.base || first >= sh->vmalloc.pages)
		return;
	for (uint64_t p = first; p < sh->vm_high && p - first < m->pages; p++) {
		if (!sh->vm_pfn[p])
			continue;
		sh->direct.used[sh->vm_pfn[p] - 1] = 0;
		sh->vm_pfn[p] = 0;
		sh->vm_mapped--;
	}
}
