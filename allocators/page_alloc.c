// SPDX-License-Identifier: MIT
/*
 * page_alloc.c - the buddy: free lists by order and type; splitting, claiming, stealing, merging.
 *
 * Follows Linux 7.2's mm/page_alloc.c. Relies on arena.c for page descriptors and on shuffle.c for
 * the order of the largest blocks; page_pcp.c and page_gfp.c are built on it. What the model leaves
 * out: there is one zone on one node, so ALLOC_NOFRAGMENT is never set (it takes a lower zone, or
 * defrag_mode); there is no CMA and no isolation; no page is a guard page.
 */
#include "arena.h"
#include "heap_assert.h"
#include "page_alloc.h"
#include "page_internal.h"
#include "shuffle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* mm/page_alloc.c:fallbacks */
static const uint8_t fallbacks[][2] = {
	[SF_MIGRATE_UNMOVABLE] = { SF_MIGRATE_RECLAIMABLE, SF_MIGRATE_MOVABLE },
	[SF_MIGRATE_MOVABLE] = { SF_MIGRATE_RECLAIMABLE, SF_MIGRATE_UNMOVABLE },
	[SF_MIGRATE_RECLAIMABLE] = { SF_MIGRATE_UNMOVABLE, SF_MIGRATE_MOVABLE },
};

/* --- free lists and page blocks --- */

static void add_free(struct sf_heap *h, uint32_t pfn, unsigned int order, unsigned int type,
		     bool tail)
{
	struct zone *z = &h->zone;
	struct page *pg = &h->arena.page[pfn];

	heap_assert(h, is_block(h, pfn, order));
	heap_assert(h, type < SF_MIGRATE_TYPES);
	heap_assert(h, pg->state == PAGE_BOOT);
	arena_touch(&h->arena, pfn);
	pg->state = PAGE_FREE;
	pg->order = (uint8_t)order;
	pg->list = (uint8_t)type;
	page_list_add(&h->arena, &z->free[order][type], pfn, tail);
	z->nr_free[order]++;
	z->nr_free_pages += 1u << order;
	if (type == SF_MIGRATE_HIGHATOMIC)
		z->nr_free_highatomic += 1u << order;
	EMIT(h, BLOCK_ADD, block, .pfn = pfn, .order = (uint8_t)order, .migratetype = (uint8_t)type,
	     .tail = tail);
	heap_assert(h, page_is_linked(h, &z->free[order][type], pfn));
	heap_assert(h, z->nr_free_pages <= z->managed);
	heap_assert(h, z->nr_free_highatomic <= z->nr_free_pages);
}

static void del_free(struct sf_heap *h, uint32_t pfn)
{
	struct zone *z = &h->zone;
	struct page *pg = &h->arena.page[pfn];
	unsigned int order = pg->order, type = pg->list;

	heap_assert(h, pg->state == PAGE_FREE);
	heap_assert(h, is_block(h, pfn, order) && type < SF_MIGRATE_TYPES);
	heap_assert(h, page_is_linked(h, &z->free[order][type], pfn));
	heap_assert(h, z->nr_free[order] > 0);
	heap_assert(h, z->nr_free_pages >= 1u << order);
	heap_assert(h, type != SF_MIGRATE_HIGHATOMIC || z->nr_free_highatomic >= 1u << order);
	arena_touch(&h->arena, pfn);
	page_list_del(&h->arena, &z->free[order][type], pfn);
	*pg = (struct page){ 0 };
	z->nr_free[order]--;
	z->nr_free_pages -= 1u << order;
	if (type == SF_MIGRATE_HIGHATOMIC)
		z->nr_free_highatomic -= 1u << order;
	EMIT(h, BLOCK_DEL, block, .pfn = pfn, .order = (uint8_t)order,
	     .migratetype = (uint8_t)type);
	heap_assert(h, page_list_agrees(&z->free[order][type]));
	heap_assert(h, pg->state == PAGE_BOOT);
}

/* The page blocks of 2^order pages from pfn on; at least one. */
static void set_block_type(struct zone *z, uint32_t pfn, unsigned int order, unsigned int type)
{
	uint32_t first = pfn >> z->pageblock_order;
	uint32_t last = (pfn + (1u << order) - 1) >> z->pageblock_order;

	for (uint32_t b = first; b <= last; b++) {
		if (!z->was_retyped[b]) {
			z->was_retyped[b] = 1;
			z->retyped[z->nr_retyped++] = b;
		}
		z->block_type[b] = (uint8_t)type;
	}
}

unsigned int page_block_type(const struct sf_heap *h, uint32_t pfn)
{
	return block_type(&h->zone, pfn);
}

/* --- taking --- */

/* Off its list; the low part is the caller's, the rest goes to the lists of `rest_type`. */
static uint32_t take_block(struct sf_heap *h, const struct take *tk, uint32_t pfn,
			   enum sf_rmqueue_mode mode, unsigned int rest_type)
{
	unsigned int order = h->arena.page[pfn].order, from = h->arena.page[pfn].list;

	heap_assert(h, order >= tk->order && is_block(h, pfn, order));
	/* After misuse a list may have what is no such block (mm/page_alloc.c:check_new_pages). */
	if (order < tk->order || !is_block(h, pfn, order))
		return NO_PFN;
	heap_assert(h, from < SF_MIGRATE_TYPES && rest_type < SF_MIGRATE_TYPES);
	del_free(h, pfn);
	EMIT(h, RMQUEUE, rmqueue, .pfn = pfn, .order = (uint8_t)tk->order,
	     .migratetype = (uint8_t)tk->type, .from_order = (uint8_t)order,
	     .from_type = (uint8_t)from, .mode = (uint8_t)mode, .to_pcp = tk->to_pcp);
	while (order > tk->order) {
		order--;
		add_free(h, pfn + (1u << order), order, rest_type, false);
	}
	heap_assert(h, is_block(h, pfn, tk->order));
	heap_assert(h, h->arena.page[pfn].state == PAGE_BOOT);
	return pfn;
}

static uint32_t take_smallest(struct sf_heap *h, const struct take *tk, enum sf_rmqueue_mode mode)
{
	for (unsigned int o = tk->order; o <= MAX_PAGE_ORDER; o++) {
		uint32_t pfn = h->zone.free[o][tk->type].head;

		if (pfn != NO_PFN)
			return take_block(h, tk, pfn, mode, tk->type);
	}
	return NO_PFN;
}

/* The list to fall back to at that order; NULL if neither of the two has a block. */
static const struct page_list *fallback(const struct zone *z, unsigned int order, unsigned int type)
{
	for (int i = 0; i < 2; i++) {
		const struct page_list *l = &z->free[order][fallbacks[type][i]];

		if (l->head != NO_PFN)
			return l;
	}
	return NULL;
}

/* mm/page_alloc.c:boost_watermark: every claim of a part of a page block asks for some reclaim. */
static void boost_watermark(struct zone *z, bool kswapd)
{
	uint64_t block = 1ull << z->pageblock_order, max = z->wmark[2] * 3 / 2;

	if (4 * block > z->managed || max == 0)
		return;
	if (max < block)
		max = block;
	z->boost = z->boost + block < max ? z->boost + block : max;
	z->boosted = z->boosted || kswapd;
}

/*
 * Pages of the page block at `start` that are on free lists, and those that count as movable. The
 * kernel asks whether a page is on an LRU list; the model has none, and takes for movable what was
 * asked for with __GFP_MOVABLE and is neither a slab nor a large kmalloc.
 */
static void count_block(const struct sf_heap *h, uint32_t start, uint32_t *nr_free,
			uint32_t *movable)
{
	uint32_t end = start + (1u << h->zone.pageblock_order), pfn = start;

	heap_assert(h, !(start & ((1u << h->zone.pageblock_order) - 1)));
	heap_assert(h, end <= h->zone.managed);
	*nr_free = *movable = 0;
	while (pfn < end) {
		const struct page *pg = &h->arena.page[pfn];
		uint32_t n = 1u << pg->order;

		if (pg->state == PAGE_FREE)
			*nr_free += n;
		else if (pg->state == PAGE_USED && pg->list == SF_MIGRATE_MOVABLE)
			*movable += n;
		else
			n = 1;
		pfn += n;
	}
	heap_assert(h, *nr_free + *movable <= end - start);
}

static void move_free_blocks(struct sf_heap *h, uint32_t start, unsigned int type)
{
	uint32_t end = start + (1u << h->zone.pageblock_order), pfn = start;

	heap_assert(h, type < SF_MIGRATE_TYPES);
	heap_assert(h, end <= h->zone.managed);
	while (pfn < end) {
		const struct page *pg = &h->arena.page[pfn];
		unsigned int order = pg->order;

		if (pg->state != PAGE_FREE) {
			pfn++;
			continue;
		}
		heap_assert(h, pfn + (1u << order) <= end);
		del_free(h, pfn);
		add_free(h, pfn, order, type, true);
		pfn += 1u << order;
	}
}

/*
 * Makes the page block around a free block ours if enough of it is free or alike; in any case where
 * mobility is not grouped by.
 */
static uint32_t claim_part(struct sf_heap *h, const struct take *tk, uint32_t pfn)
{
	struct zone *z = &h->zone;
	uint32_t size = 1u << z->pageblock_order, start = pfn & ~(size - 1);
	unsigned int order = h->arena.page[pfn].order, from = h->arena.page[pfn].list;
	uint32_t nr_free, movable, alike = 0;

	heap_assert(h, order < z->pageblock_order);
	heap_assert(h, from != tk->type);
	heap_assert(h, tk->type < SF_MIGRATE_HIGHATOMIC);
	boost_watermark(z, tk->kswapd);
	/* A page block that reaches beyond the zone keeps its type. */
	if (start + size > z->managed)
		return NO_PFN;
	count_block(h, start, &nr_free, &movable);
	if (tk->type == SF_MIGRATE_MOVABLE)
		alike = movable;
	else if (from == SF_MIGRATE_MOVABLE)
		alike = size - nr_free - movable;
	if (nr_free + alike < size / 2 && !z->one_type)
		return NO_PFN;
	EMIT(h, CLAIM, claim, .pfn = pfn, .order = (uint8_t)order, .from = (uint8_t)from,
	     .to = (uint8_t)tk->type, .start = start, .nr_pages = size, .free = nr_free,
	     .alike = alike, .want = (uint8_t)tk->order);
	move_free_blocks(h, start, tk->type);
	set_block_type(z, start, z->pageblock_order, tk->type);
	heap_assert(h, h->arena.page[pfn].list == tk->type);
	return take_smallest(h, tk, SF_RMQUEUE_CLAIM);
}

static uint32_t claim_whole(struct sf_heap *h, const struct take *tk, uint32_t pfn)
{
	unsigned int order = h->arena.page[pfn].order, from = h->arena.page[pfn].list;

	heap_assert(h, order >= h->zone.pageblock_order);
	heap_assert(h, from != tk->type);
	EMIT(h, CLAIM, claim, .pfn = pfn, .order = (uint8_t)order, .from = (uint8_t)from,
	     .to = (uint8_t)tk->type, .whole = true, .start = pfn, .nr_pages = 1ull << order,
	     .want = (uint8_t)tk->order);
	set_block_type(&h->zone, pfn, order, tk->type);
	return take_block(h, tk, pfn, SF_RMQUEUE_CLAIM, tk->type);
}

/*
 * mm/page_alloc.c:should_try_claim_block. Movable pages fit anywhere: no need to turn foreign page
 * blocks for few.
 */
static bool may_claim(const struct zone *z, unsigned int order, unsigned int type)
{
	return type != SF_MIGRATE_MOVABLE || order >= z->pageblock_order / 2;
}

/* From the largest order down: what is taken from another type should be worth it. */
static uint32_t claim(struct sf_heap *h, const struct take *tk)
{
	const struct zone *z = &h->zone;

	for (unsigned int o = MAX_PAGE_ORDER + 1; o-- > tk->order;) {
		const struct page_list *l;
		uint32_t pfn;

		if (!may_claim(z, o, tk->type))
			break;
		l = fallback(z, o, tk->type);
		if (!l)
			continue;
		pfn = o >= z->pageblock_order ? claim_whole(h, tk, l->head) :
						claim_part(h, tk, l->head);
		if (pfn != NO_PFN)
			return pfn;
	}
	return NO_PFN;
}

/* From the smallest order up: what cannot be claimed is spoilt as little as possible. */
static uint32_t steal(struct sf_heap *h, const struct take *tk)
{
	for (unsigned int o = tk->order; o <= MAX_PAGE_ORDER; o++) {
		const struct page_list *l = fallback(&h->zone, o, tk->type);

		heap_assert(h, !l || h->arena.page[l->head].list != tk->type);
		if (l)
			return take_block(h, tk, l->head, SF_RMQUEUE_STEAL,
					  h->arena.page[l->head].list);
	}
	return NO_PFN;
}

uint32_t buddy_take(struct sf_heap *h, const struct take *tk, enum sf_rmqueue_mode *mode)
{
	uint32_t pfn;

	heap_assert(h, tk->order <= MAX_PAGE_ORDER);
	heap_assert(h, tk->type < SF_MIGRATE_HIGHATOMIC);
	if (*mode == SF_RMQUEUE_OWN) {
		pfn = take_smallest(h, tk, SF_RMQUEUE_OWN);
		if (pfn != NO_PFN)
			return pfn;
	}
	if (*mode != SF_RMQUEUE_STEAL) {
		pfn = claim(h, tk);
		if (pfn != NO_PFN) {
			*mode = SF_RMQUEUE_OWN;
			return pfn;
		}
	}
	pfn = steal(h, tk);
	if (pfn != NO_PFN)
		*mode = SF_RMQUEUE_STEAL;
	heap_assert(h, pfn == NO_PFN || h->arena.page[pfn].state == PAGE_BOOT);
	return pfn;
}

bool buddy_has(const struct sf_heap *h, unsigned int order, unsigned int type)
{
	const struct zone *z = &h->zone;

	for (unsigned int o = order; o <= MAX_PAGE_ORDER; o++) {
		if (z->free[o][type].head != NO_PFN)
			return true;
		if (may_claim(z, o, type) && fallback(z, o, type))
			return true;
	}
	return false;
}

/*
 * mm/page_alloc.c:__isolate_free_page, but that the kernel keeps the rest of the block to itself
 * until compaction is over.
 */
void buddy_isolate(struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	unsigned int from = h->arena.page[pfn].order, type = h->arena.page[pfn].list;

	heap_assert(h, h->arena.page[pfn].state == PAGE_FREE);
	heap_assert(h, from >= order);
	del_free(h, pfn);
	while (from > order) {
		from--;
		add_free(h, pfn + (1u << from), from, type, false);
	}
	heap_assert(h, h->arena.page[pfn].state == PAGE_BOOT);
}

/* --- the HIGHATOMIC reserve --- */

uint32_t buddy_take_reserve(struct sf_heap *h, const struct take *tk)
{
	struct take own = *tk;

	own.type = SF_MIGRATE_HIGHATOMIC;
	return take_smallest(h, &own, SF_RMQUEUE_OWN);
}

/* The page block around a block, or all of those it consists of, enter or leave the reserve. */
static void retype(struct sf_heap *h, uint32_t pfn, unsigned int order, unsigned int from,
		   unsigned int to)
{
	const struct zone *z = &h->zone;
	bool whole = order >= z->pageblock_order;
	unsigned int span = whole ? order : z->pageblock_order;
	uint32_t start = pfn & ~((1u << span) - 1);

	heap_assert(h, from != to);
	heap_assert(h, start + (1u << span) <= z->managed);
	EMIT(h, RESERVE, claim, .pfn = pfn, .order = (uint8_t)order, .from = (uint8_t)from,
	     .to = (uint8_t)to, .whole = whole, .release = from == SF_MIGRATE_HIGHATOMIC,
	     .start = start, .nr_pages = 1ull << span);
	set_block_type(&h->zone, start, span, to);
	heap_assert(h, block_type(z, pfn) == to);
}

/* mm/page_alloc.c:reserve_highatomic_pageblock: about 1 % of the zone, if that is a page block. */
void reserve_highatomic(struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	struct zone *z = &h->zone;
	uint32_t block = 1u << z->pageblock_order, start = pfn & ~(block - 1);
	uint32_t percent = z->managed / 100, max = (percent + block - 1) & ~(block - 1);
	unsigned int type = block_type(z, pfn);

	if (percent < block || z->nr_highatomic >= max || type == SF_MIGRATE_HIGHATOMIC)
		return;
	/* A page block that reaches beyond the zone keeps its type. */
	if (order < z->pageblock_order && start + block > z->managed)
		return;
	retype(h, pfn, order, type, SF_MIGRATE_HIGHATOMIC);
	if (order < z->pageblock_order)
		move_free_blocks(h, start, SF_MIGRATE_HIGHATOMIC);
	z->nr_highatomic += order < z->pageblock_order ? block : 1u << order;
	heap_assert(h, z->nr_highatomic <= max + (1u << MAX_PAGE_ORDER));
}

/*
 * A free block of a page block or more, off the reserve. The kernel moves it from list to list and
 * leaves a free buddy of another list where it is; here they merge.
 */
static void release_whole(struct sf_heap *h, uint32_t pfn, unsigned int order, unsigned int type)
{
	unsigned int step = h->zone.pageblock_order;

	heap_assert(h, h->arena.page[pfn].list == SF_MIGRATE_HIGHATOMIC);
	heap_assert(h, order >= step);
	del_free(h, pfn);
	retype(h, pfn, order, SF_MIGRATE_HIGHATOMIC, type);
	for (uint32_t p = pfn; p < pfn + (1u << order); p += 1u << step)
		buddy_free(h, p, step, true);
	heap_assert(h, block_type(&h->zone, pfn) == type);
}

/* mm/page_alloc.c:unreserve_highatomic_pageblock */
bool unreserve_highatomic(struct sf_heap *h, unsigned int type, bool force)
{
	struct zone *z = &h->zone;
	uint32_t block = 1u << z->pageblock_order;

	if (!force && z->nr_highatomic <= block)
		return false;
	for (unsigned int o = 0; o <= MAX_PAGE_ORDER; o++) {
		uint32_t pfn = z->free[o][SF_MIGRATE_HIGHATOMIC].head;

		if (pfn == NO_PFN)
			continue;
		heap_assert(h, z->nr_highatomic >= (o < z->pageblock_order ? block : 1u << o));
		z->nr_highatomic -= o < z->pageblock_order ? block : 1u << o;
		if (o >= z->pageblock_order) {
			release_whole(h, pfn, o, type);
			return true;
		}
		retype(h, pfn, o, SF_MIGRATE_HIGHATOMIC, type);
		move_free_blocks(h, pfn & ~(block - 1), type);
		return true;
	}
	return false;
}

/* --- giving back --- */

static bool is_free_block(const struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	return pfn < h->zone.managed && h->arena.page[pfn].state == PAGE_FREE &&
	       h->arena.page[pfn].order == order;
}

/* Takes in the free buddy at `pfn`; false if the page blocks' types forbid that. */
static bool merge_buddy(struct sf_heap *h, uint32_t pfn, unsigned int order, unsigned int type)
{
	struct zone *z = &h->zone;
	unsigned int other = block_type(z, pfn);

	heap_assert(h, h->arena.page[pfn].order == order);
	heap_assert(h, h->arena.page[pfn].list == other);
	if (other != type && (other >= SF_MIGRATE_HIGHATOMIC || type >= SF_MIGRATE_HIGHATOMIC))
		return false;
	del_free(h, pfn);
	if (other != type) {
		EMIT(h, CLAIM, claim, .pfn = pfn, .order = (uint8_t)order, .from = (uint8_t)other,
		     .to = (uint8_t)type, .whole = true, .merge = true, .start = pfn,
		     .nr_pages = 1ull << order, .want = (uint8_t)order);
		set_block_type(z, pfn, order, type);
	}
	return true;
}

void buddy_free(struct sf_heap *h, uint32_t pfn, unsigned int order, bool to_tail)
{
	unsigned int type = block_type(&h->zone, pfn);

	heap_assert(h, is_block(h, pfn, order));
	heap_assert(h, order <= h->zone.pageblock_order);
	heap_assert(h, h->arena.page[pfn].state == PAGE_BOOT);
	for (; order < MAX_PAGE_ORDER; order++) {
		uint32_t buddy = pfn ^ (1u << order);

		if (!is_free_block(h, buddy, order) || !merge_buddy(h, buddy, order, type))
			break;
		pfn &= buddy;
	}
	if (order == MAX_PAGE_ORDER) {
		to_tail = to_tail || (h->set.shuffle && shuffle_pick_tail(h));
	} else if (order < MAX_PAGE_ORDER - 1) {
		/* If only our buddy lacks for a merge two orders up, let it come: be used last. */
		uint32_t higher = pfn & ~(1u << order);

		to_tail = to_tail || is_free_block(h, higher ^ (2u << order), order + 1);
	}
	add_free(h, pfn, order, type, to_tail);
	heap_assert(h, h->arena.page[pfn].state == PAGE_FREE && h->arena.page[pfn].order == order);
}

/* --- boot --- */

/*
 * As memblock frees memory at boot: the largest aligned blocks, lists in ascending order until they
 * are shuffled.
 */
static void boot_lists(struct sf_heap *h)
{
	struct zone *z = &h->zone;
	uint32_t pfn = 0;

	for (unsigned int o = 0; o <= MAX_PAGE_ORDER; o++) {
		z->nr_free[o] = 0;
		for (unsigned int t = 0; t < SF_MIGRATE_TYPES; t++)
			z->free[o][t] = empty_list();
	}
	while (pfn < z->managed) {
		unsigned int o = pfn ? (unsigned int)__builtin_ctz(pfn) : MAX_PAGE_ORDER;
		struct page_list *l;
		struct page *pg = &h->arena.page[pfn];

		if (o > MAX_PAGE_ORDER)
			o = MAX_PAGE_ORDER;
		while (z->managed - pfn < 1u << o)
			o--;
		l = &z->free[o][SF_MIGRATE_MOVABLE];
		*pg = (struct page){ .next = NO_PFN, .prev = l->tail, .state = PAGE_FREE,
				     .order = (uint8_t)o, .list = SF_MIGRATE_MOVABLE };
		arena_boot_touch(&h->arena, pfn);
		*(l->head == NO_PFN ? &l->head : &h->arena.page[l->tail].next) = pfn;
		l->tail = pfn;
		l->nr++;
		z->nr_free[o]++;
		pfn += 1u << o;
	}
	z->nr_free_pages = z->managed;
	if (h->set.shuffle)
		shuffle_zone(h);
	heap_assert(h, z->free[MAX_PAGE_ORDER][SF_MIGRATE_MOVABLE].nr ==
		    z->managed >> MAX_PAGE_ORDER);
}

bool zone_init(struct sf_heap *h, struct sf_error *err)
{
	struct zone *z = &h->zone;

	z->managed = (uint32_t)h->set.pages;
	z->pageblock_order = (uint32_t)h->set.pageblock_order;
	z->nr_blocks = ((z->managed - 1) >> z->pageblock_order) + 1;
	wmark_setup(h);
	pcp_setup(h);
	/*
	 * mm/page_alloc.c:build_all_zonelists; types are those this model has. At boot that comes
	 * before watermarks, which count as 0, and after page blocks, which are MOVABLE in any
	 * case.
	 */
	z->one_type = z->managed < (uint64_t)SF_MIGRATE_TYPES << z->pageblock_order;
	z->block_type = malloc(z->nr_blocks);
	z->was_retyped = calloc(z->nr_blocks, sizeof(*z->was_retyped));
	z->retyped = calloc(z->nr_blocks, sizeof(*z->retyped));
	if (!z->block_type || !z->was_retyped || !z->retyped) {
		snprintf(err->text, sizeof(err->text), "no memory for the types of %u page blocks",
			 z->nr_blocks);
		zone_free(h);
		return false;
	}
	memset(z->block_type, SF_MIGRATE_MOVABLE, z->nr_blocks);
	boot_lists(h);
	return true;
}

void zone_free(struct sf_heap *h)
{
	struct zone *z = &h->zone;

	free(z->block_type);
	free(z->was_retyped);
	free(z->retyped);
	z->block_type = NULL;
	z->was_retyped = NULL;
	z->retyped = NULL;
}

void zone_reset(struct sf_heap *h)
{
	struct zone *z = &h->zone;

	while (z->nr_retyped) {
		uint32_t b = z->retyped[--z->nr_retyped];

		z->block_type[b] = SF_MIGRATE_MOVABLE;
		z->was_retyped[b] = 0;
	}
	z->boost = 0;
	z->boosted = z->below_high = z->reclaim_active = false;
	z->nr_highatomic = z->nr_free_highatomic = 0;
	pcp_reset(h);
	shuffle_reset(h);
	boot_lists(h);
	heap_assert(h, z->nr_free_pages == z->managed);
	heap_assert(h, z->nr_retyped == 0);
}
