// SPDX-License-Identifier: MIT
/*
 * page_pcp.c - per-CPU page lists: blocks of small orders, and of order 9, that are handed out
 * again without looking at the buddy.
 *
 * Follows Linux 7.2's mm/page_alloc.c (rmqueue_pcplist, free_frozen_page_commit,
 * free_pcppages_bulk) read for one thread. Relies on page_alloc.c; page_gfp.c relies on it. No
 * clock ticks, so the high mark never decays by itself (decay_pcp_high). A CPU's data cache is
 * taken to hold more than three batches (PCPF_FREE_HIGH_BATCH).
 */
#include "arena.h"
#include "heap_assert.h"
#include "page_alloc.h"
#include "page_internal.h"

#include <string.h>

#define PCP_BATCH_SCALE_MAX 5
#define NR_LOWORDER_LISTS 12
#define PMD_ORDER 9

static uint32_t at_least(uint32_t n, uint32_t least)
{
	return n < least ? least : n;
}

static uint32_t at_most(uint32_t n, uint32_t most)
{
	return n > most ? most : n;
}

/* The kernel's: in a tiny zone the least high mark is above the greatest, which wins if reached. */
static uint32_t clamp(uint32_t n, uint32_t lo, uint32_t hi)
{
	if (n >= hi)
		return hi;
	return at_least(n, lo);
}

void pcp_setup(struct sf_heap *h)
{
	struct zone *z = &h->zone;
	uint32_t batch = z->managed >> 12, cpus = (uint32_t)h->set.cpus;

	/* mm/page_alloc.c:zone_batchsize: 256 KiB at most, one less than a power of two */
	if (batch > 64)
		batch = 64;
	batch += batch / 2;
	if (batch >= 4)
		batch = (1u << (31 - __builtin_clz(batch))) - 1;
	else
		batch = 1;
	/* mm/page_alloc.c:zone_highsize: all lists full must not wake kswapd; an eighth at most */
	z->pcp_batch = batch;
	z->pcp_high_min = at_least((uint32_t)(z->wmark[WMARK_LOW] / cpus), 4 * batch);
	z->pcp_high_max = at_least(z->managed / 8 / cpus, 4 * batch);
	z->pcp_used = h->set.cpus < 64 ? (1ull << h->set.cpus) - 1 : ~0ull;
	pcp_reset(h);
	heap_assert(h, z->pcp_batch > 0 && z->pcp_high_min >= 4 * z->pcp_batch);
}

void pcp_reset(struct sf_heap *h)
{
	struct zone *z = &h->zone;

	for (; z->pcp_used; z->pcp_used &= z->pcp_used - 1) {
		struct pcp *p = &z->pcp[__builtin_ctzll(z->pcp_used)];

		*p = (struct pcp){ 0 };
		for (unsigned int i = 0; i < NR_PCP_LISTS; i++)
			p->list[i] = empty_list();
	}
}

/* Unmovable and reclaimable blocks of order 9 share a list (mm/page_alloc.c:order_to_pindex). */
unsigned int pcp_index(const struct zone *z, unsigned int order, unsigned int type)
{
	if (order <= PAGE_ALLOC_COSTLY_ORDER)
		return 3 * order + type;
	if (order == PMD_ORDER && z->pageblock_order == PMD_ORDER)
		return NR_LOWORDER_LISTS + (type == SF_MIGRATE_MOVABLE);
	return NO_LIST;
}

static unsigned int index_order(unsigned int index)
{
	return index < NR_LOWORDER_LISTS ? index / 3 : PMD_ORDER;
}

static struct pcp *this_pcp(struct sf_heap *h)
{
	h->zone.pcp_used |= 1ull << h->cpu;
	return &h->zone.pcp[h->cpu];
}

/*
 * Blocks to refill with: pages of order 0 double each time, until a free comes in between. While
 * memory abounds each refill raises the high mark, so that the next frees stay here.
 */
static uint32_t nr_pcp_alloc(const struct zone *z, struct pcp *p, unsigned int order)
{
	uint32_t base = z->pcp_batch, batch = order ? base : base << p->alloc_factor, max = base;

	p->high = clamp(p->high, z->pcp_high_min, z->pcp_high_max);
	if (!z->below_high && z->pcp_high_min != z->pcp_high_max)
		p->high = at_most(p->high + batch, z->pcp_high_max);
	if (order == 0) {
		if (p->high > p->count + 2 * base)
			max = p->high - p->count - base;
		if (batch <= max && p->alloc_factor < PCP_BATCH_SCALE_MAX)
			p->alloc_factor++;
		batch = at_most(batch, max);
	}
	return batch > 1 ? at_least(batch >> order, 2) : batch;
}

static void refill(struct sf_heap *h, struct pcp *p, unsigned int index, struct take tk, uint32_t n)
{
	enum sf_rmqueue_mode mode = SF_RMQUEUE_OWN;

	heap_assert(h, index == pcp_index(&h->zone, tk.order, tk.type));
	heap_assert(h, p->list[index].nr == 0);
	tk.to_pcp = true;
	for (; n; n--) {
		uint32_t pfn = buddy_take(h, &tk, &mode);
		struct page *pg;

		if (pfn == NO_PFN)
			return;
		arena_touch(&h->arena, pfn);
		pg = &h->arena.page[pfn];
		heap_assert(h, pg->state == PAGE_BOOT && is_block(h, pfn, tk.order));
		pg->state = PAGE_PCP;
		pg->order = (uint8_t)tk.order;
		pg->list = (uint8_t)index;
		page_list_add(&h->arena, &p->list[index], pfn, true);
		p->count += 1u << tk.order;
		heap_assert(h, page_is_linked(h, &p->list[index], pfn));
	}
}

static void unlist(struct sf_heap *h, struct pcp *p, unsigned int index, uint32_t pfn)
{
	heap_assert(h, h->arena.page[pfn].state == PAGE_PCP && h->arena.page[pfn].list == index);
	heap_assert(h, h->arena.page[pfn].order == index_order(index));
	heap_assert(h, is_block(h, pfn, index_order(index)));
	heap_assert(h, page_is_linked(h, &p->list[index], pfn));
	heap_assert(h, p->count >= 1u << index_order(index));
	arena_touch(&h->arena, pfn);
	page_list_del(&h->arena, &p->list[index], pfn);
	h->arena.page[pfn] = (struct page){ 0 };
	p->count -= 1u << index_order(index);
	heap_assert(h, page_list_agrees(&p->list[index]));
	heap_assert(h, h->arena.page[pfn].state == PAGE_BOOT);
}

uint32_t pcp_take(struct sf_heap *h, const struct take *tk, bool may_refill)
{
	struct pcp *p = this_pcp(h);
	unsigned int index = pcp_index(&h->zone, tk->order, tk->type);
	uint32_t pfn;

	heap_assert(h, index < NR_PCP_LISTS);
	if (index == NO_LIST) /* not of those orders */
		return NO_PFN;
	if (p->list[index].head == NO_PFN) {
		uint32_t n = nr_pcp_alloc(&h->zone, p, tk->order);

		if (!may_refill)
			return NO_PFN;
		refill(h, p, index, *tk, n);
	}
	pfn = p->list[index].head;
	if (pfn != NO_PFN)
		unlist(h, p, index, pfn);
	heap_assert(h, pfn == NO_PFN || h->arena.page[pfn].state == PAGE_BOOT);
	return pfn;
}

uint32_t pcp_pop(struct sf_heap *h, const struct take *tk, bool may_refill)
{
	this_pcp(h)->free_count >>= 1;
	return pcp_take(h, tk, may_refill);
}

/*
 * At least `count` pages from list tails, the given list first, then the next that has something. A
 * list is emptied before the next one is looked at (mm/page_alloc.c:free_pcppages_bulk).
 */
static void bulk_free(struct sf_heap *h, unsigned int cpu, uint32_t count, unsigned int index)
{
	struct pcp *p = &h->zone.pcp[cpu];
	unsigned int empty = 0;

	heap_assert(h, cpu < h->set.cpus && index < NR_PCP_LISTS);
	while (count && p->count && empty < NR_PCP_LISTS) {
		uint32_t pfn = p->list[index].tail;
		unsigned int order = index_order(index);

		if (pfn == NO_PFN) {
			index = (index + 1) % NR_PCP_LISTS;
			empty++;
			continue;
		}
		empty = 0;
		unlist(h, p, index, pfn);
		if (has_tails(&h->arena.page[pfn], order))
			memset(&h->arena.page[pfn], 0, sizeof(struct page) << order);
		EMIT(h, PCP_DRAIN, page, .pfn = pfn, .order = (uint8_t)order,
		     .migratetype = (uint8_t)block_type(&h->zone, pfn), .list = (uint8_t)index,
		     .cpu = (uint8_t)cpu, .pcp = true);
		buddy_free(h, pfn, order, false);
		count -= count < 1u << order ? count : 1u << order;
	}
	heap_assert(h, empty < NR_PCP_LISTS || !p->count);
	/* After a misuse less may be listed than is counted. */
	if (empty == NR_PCP_LISTS)
		p->count = 0;
}

/* True if a run of frees of small blocks should be let through: they fragment what is kept here. */
static bool free_high(const struct zone *z, struct pcp *p, unsigned int order)
{
	bool before = p->prev_high_order;

	p->prev_high_order = order > 0 && order <= PAGE_ALLOC_COSTLY_ORDER;
	return before && p->prev_high_order && p->count >= z->pcp_batch &&
	       p->free_count >= z->pcp_batch + z->pcp_high_min / 2;
}

/*
 * How many pages are too many now; 0: none (mm/page_alloc.c:nr_pcp_high, nr_pcp_free). Below the
 * zone's HIGH mark the lists shrink with each free; above it they learn to take a whole run. While
 * kswapd is at work they keep four batches.
 */
static uint32_t nr_pcp_free(const struct zone *z, struct pcp *p, bool let_through)
{
	uint32_t min = z->pcp_high_min, max = z->pcp_high_max, batch = z->pcp_batch;
	uint32_t most = batch << PCP_BATCH_SCALE_MAX, run = at_least(p->free_count, batch), high;

	high = p->high = clamp(p->high, min, max);
	if (let_through) {
		p->high = at_least(high - at_most(high, most), min);
		return at_most(p->count, most);
	}
	if (z->reclaim_active) {
		p->high = at_least(high - at_most(high, run), min);
		high = at_most(4 * batch, p->high);
	} else if (min != max && z->below_high) {
		p->high = at_least(high - at_most(high, run), min);
		high = at_least(p->count, min);
	} else if (min != max && p->count >= high && high < p->free_count + batch) {
		p->high = clamp(p->free_count + batch, min, max);
	}
	return p->count < high ? 0 : at_most(run, high - batch);
}

void pcp_push(struct sf_heap *h, uint32_t pfn, unsigned int order, unsigned int index)
{
	struct zone *z = &h->zone;
	struct pcp *p = this_pcp(h);
	struct page *pg = &h->arena.page[pfn];
	bool let_through;
	uint32_t n, step;

	heap_assert(h, is_block(h, pfn, order) && pg->state == PAGE_BOOT);
	heap_assert(h, index < NR_PCP_LISTS && index_order(index) == order);
	p->alloc_factor >>= 1;
	pg->state = PAGE_PCP;
	pg->order = (uint8_t)order;
	pg->list = (uint8_t)index;
	page_list_add(&h->arena, &p->list[index], pfn, false);
	p->count += 1u << order;
	heap_assert(h, page_is_linked(h, &p->list[index], pfn) && p->count <= z->managed);
	let_through = free_high(z, p, order);
	if (p->free_count < z->pcp_batch << PCP_BATCH_SCALE_MAX)
		p->free_count += 1u << order;
	/* In steps of a batch, each beginning with our list: a large block counts as one step. */
	n = nr_pcp_free(z, p, let_through);
	if (!n)
		return;
	for (; n && p->count; n -= step) {
		step = at_most(n, z->pcp_batch);
		bulk_free(h, h->cpu, step, index);
	}
	if (z->below_high && watermark_ok(z, 0, wmark_pages(z, WMARK_HIGH), 0))
		z->below_high = false;
	heap_assert(h, p->count <= z->managed);
}

void pcp_drain(struct sf_heap *h, unsigned int cpu)
{
	uint32_t most = h->zone.pcp_batch << PCP_BATCH_SCALE_MAX;
	const struct pcp *p = &h->zone.pcp[cpu];

	heap_assert(h, cpu < h->set.cpus);
	while (p->count)
		bulk_free(h, cpu, at_most(p->count, most), 0);
}

void page_drain_all(struct sf_heap *h)
{
	for (uint64_t cpus = h->zone.pcp_used; cpus; cpus &= cpus - 1)
		pcp_drain(h, (unsigned int)__builtin_ctzll(cpus));
}
