// SPDX-License-Identifier: MIT
/*
 * page_pcp.c - per-CPU page lists: blocks of small orders, and of order 9, that are handed out
 * again without looking at the buddy.
 *
 * Follows Linux 7.2's mm/page_alloc.c (rmqueue_pcplist, free_frozen_page_commit,
 * free_pcppages_bulk) read for one thread. Relies on page_alloc.c; page_gfp.c relies on it. The
 * high mark stays at the kernel's high_min: its automatic tuning follows reclaim and kswapd, which
 * the model does not have. A CPU's data cache is taken to hold more than three batches
 * (PCPF_FREE_HIGH_BATCH).
 */
#include "page_internal.h"

#define PCP_BATCH_SCALE_MAX 5
#define NR_LOWORDER_LISTS 12
#define PMD_ORDER 9

void pcp_setup(struct sf_heap *h)
{
	struct zone *z = &h->zone;
	uint32_t batch = z->managed >> 12, high;

	/* mm/page_alloc.c:zone_batchsize: 256 KiB at most, one less than a power of two */
	if (batch > 64)
		batch = 64;
	batch += batch / 2;
	if (batch >= 4)
		batch = (1u << (31 - __builtin_clz(batch))) - 1;
	else
		batch = 1;
	/* mm/page_alloc.c:zone_highsize: all lists full must not wake kswapd */
	high = (uint32_t)(z->wmark[1] / h->set.cpus);
	z->pcp_batch = batch;
	z->pcp_high = high > 4 * batch ? high : 4 * batch;
	z->pcp_used = h->set.cpus < 64 ? (1ull << h->set.cpus) - 1 : ~0ull;
	pcp_reset(h);
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

/* Blocks to refill with: pages of order 0 double each time, until a free comes in between. */
static uint32_t nr_pcp_alloc(const struct zone *z, struct pcp *p, unsigned int order)
{
	uint32_t batch = z->pcp_batch, max = z->pcp_batch;

	if (order == 0) {
		if (z->pcp_high > p->count + 2 * batch)
			max = z->pcp_high - p->count - batch;
		batch <<= p->alloc_factor;
		if (batch <= max && p->alloc_factor < PCP_BATCH_SCALE_MAX)
			p->alloc_factor++;
		if (batch > max)
			batch = max;
	}
	if (batch > 1) {
		batch >>= order;
		if (batch < 2)
			batch = 2;
	}
	return batch;
}

static void refill(struct sf_heap *h, struct pcp *p, unsigned int index, const struct take *tk)
{
	enum sf_rmqueue_mode mode = SF_RMQUEUE_OWN;

	for (uint32_t n = nr_pcp_alloc(&h->zone, p, tk->order); n; n--) {
		uint32_t pfn = buddy_take(h, tk, &mode);
		struct page *pg;

		if (pfn == NO_PFN)
			return;
		arena_touch(&h->arena, pfn);
		pg = &h->arena.page[pfn];
		pg->state = PAGE_PCP;
		pg->order = (uint8_t)tk->order;
		pg->list = (uint8_t)index;
		page_list_add(&h->arena, &p->list[index], pfn, true);
		p->count += 1u << tk->order;
	}
}

static void unlist(struct sf_heap *h, struct pcp *p, unsigned int index, uint32_t pfn)
{
	arena_touch(&h->arena, pfn);
	page_list_del(&h->arena, &p->list[index], pfn);
	h->arena.page[pfn] = (struct page){ 0 };
	p->count -= 1u << index_order(index);
}

uint32_t pcp_pop(struct sf_heap *h, unsigned int order, unsigned int type)
{
	struct pcp *p = this_pcp(h);
	unsigned int index = pcp_index(&h->zone, order, type);
	uint32_t pfn;

	p->free_count >>= 1;
	if (p->list[index].head == NO_PFN) {
		const struct take tk = { .order = order, .type = type, .to_pcp = true };

		refill(h, p, index, &tk);
	}
	pfn = p->list[index].head;
	if (pfn != NO_PFN)
		unlist(h, p, index, pfn);
	return pfn;
}

/*
 * At least `count` pages from list tails, the given list first, then the next that has something. A
 * list is emptied before the next one is looked at (mm/page_alloc.c:free_pcppages_bulk).
 */
static void bulk_free(struct sf_heap *h, unsigned int cpu, uint32_t count, unsigned int index)
{
	struct pcp *p = &h->zone.pcp[cpu];

	while (count && p->count) {
		uint32_t pfn = p->list[index].tail;
		unsigned int order = index_order(index);

		if (pfn == NO_PFN) {
			index = (index + 1) % NR_PCP_LISTS;
			continue;
		}
		unlist(h, p, index, pfn);
		EMIT(h, PCP_DRAIN, page, .pfn = pfn, .order = (uint8_t)order,
		     .migratetype = (uint8_t)block_type(&h->zone, pfn), .list = (uint8_t)index,
		     .cpu = (uint8_t)cpu, .pcp = true);
		buddy_free(h, pfn, order, false);
		count -= count < 1u << order ? count : 1u << order;
	}
}

/* True if a run of frees of small blocks should be let through: they fragment what is kept here. */
static bool free_high(const struct zone *z, struct pcp *p, unsigned int order)
{
	bool before = p->prev_high_order;

	p->prev_high_order = order > 0 && order <= PAGE_ALLOC_COSTLY_ORDER;
	return before && p->prev_high_order && p->free_count >= z->pcp_batch + z->pcp_high / 2 &&
	       p->count >= z->pcp_batch;
}

/* How many pages are too many now; 0: none. */
static uint32_t nr_pcp_free(const struct zone *z, const struct pcp *p, bool let_through)
{
	uint32_t n = p->free_count, max = z->pcp_high - z->pcp_batch;

	if (let_through) {
		n = z->pcp_batch << PCP_BATCH_SCALE_MAX;
		return n < p->count ? n : p->count;
	}
	if (p->count < z->pcp_high)
		return 0;
	if (n < z->pcp_batch)
		n = z->pcp_batch;
	return n < max ? n : max;
}

void pcp_push(struct sf_heap *h, uint32_t pfn, unsigned int order, unsigned int index)
{
	struct zone *z = &h->zone;
	struct pcp *p = this_pcp(h);
	struct page *pg = &h->arena.page[pfn];
	uint32_t n, step;
	bool let_through;

	p->alloc_factor >>= 1;
	pg->state = PAGE_PCP;
	pg->order = (uint8_t)order;
	pg->list = (uint8_t)index;
	page_list_add(&h->arena, &p->list[index], pfn, false);
	p->count += 1u << order;
	let_through = free_high(z, p, order);
	if (p->free_count < z->pcp_batch << PCP_BATCH_SCALE_MAX)
		p->free_count += 1u << order;
	/* In steps of a batch, each beginning with our list: a large block counts as one step. */
	for (n = nr_pcp_free(z, p, let_through); n && p->count; n -= step) {
		step = n < z->pcp_batch ? n : z->pcp_batch;
		bulk_free(h, h->cpu, step, index);
	}
}

void page_drain_all(struct sf_heap *h)
{
	struct zone *z = &h->zone;
	uint32_t most = z->pcp_batch << PCP_BATCH_SCALE_MAX;

	for (uint64_t cpus = z->pcp_used; cpus; cpus &= cpus - 1) {
		unsigned int cpu = (unsigned int)__builtin_ctzll(cpus);
		const struct pcp *p = &z->pcp[cpu];

		while (p->count)
			bulk_free(h, cpu, p->count < most ? p->count : most, 0);
	}
}
