// SPDX-License-Identifier: MIT
/*
 * compact.c - compaction: movable pages move to the end of the zone, so that large blocks come
 * together.
 *
 * Follows Linux 7.2's mm/compaction.c: one scanner looks from below for pages to migrate, the other
 * from above for free pages to migrate them to, until they meet or a request can be met. What can
 * move: blocks that alloc_pages() handed out, that their user has made known (lru.c) and does not
 * hold a reference to. Relies on page_alloc.c and lru.c; page_gfp.c and the interface call it.
 *
 * A page to migrate to is taken off a free list like this: BLOCK_DEL of the whole free block,
 * BLOCK_ADD of what is not needed, PAGE_ALLOC. There is no RMQUEUE: it is not the next block in
 * turn. The kernel keeps the rest to itself until it is done. Left out: what it remembers from one
 * run to the next (deferral, skipped page blocks, cached positions), its searches of free lists,
 * and that without waiting it gives up a block of the order at the first page that stays.
 */
#include "arena.h"
#include "compact.h"
#include "heap_assert.h"
#include "lru.h"
#include "memcg.h"
#include "page_alloc.h"
#include "page_internal.h"

#define EXTFRAG_THRESHOLD 500 /* vm.extfrag_threshold */

/* Where free pages for a block of one order were sought last: all that was passed by is smaller. */
struct cursor {
	uint32_t block; /* page block */
	uint32_t pfn;   /* in it */
};

struct control {
	int order;         /* wanted; -1: move all that can be */
	uint32_t gfp;
	unsigned int type; /* migrate type of the request */
	enum sf_compact_mode priority;
	uint32_t source;   /* page block that is being emptied */
	unsigned int limit;/* only blocks of lower orders can still move */
	struct cursor cursor[SF_NR_ORDERS];
	uint64_t migrated, failed; /* pages */
};

/* --- is it worth while? --- */

bool compaction_has_pages(const struct zone *z, unsigned int order, uint64_t mark)
{
	mark += compact_gap(order);
	if (order > PAGE_ALLOC_COSTLY_ORDER)
		mark += z->wmark[WMARK_LOW] - z->wmark[WMARK_MIN];
	return watermark_ok(z, 0, mark, 0);
}

/*
 * mm/vmstat.c:fragmentation_index: from 0, a request would fail for lack of memory, to 1000, for
 * fragmentation; -1000: it would not fail.
 */
static int64_t fragmentation_index(const struct zone *z, unsigned int order)
{
	int64_t blocks = 0, pages = 0;

	for (unsigned int o = 0; o <= MAX_PAGE_ORDER; o++) {
		if (o >= order && z->nr_free[o])
			return -1000;
		blocks += (int64_t)z->nr_free[o];
		pages += (int64_t)(z->nr_free[o] << o);
	}
	return blocks ? 1000 - (1000 + (pages * 1000 >> order)) / blocks : 0;
}

bool compaction_suitable(const struct zone *z, unsigned int order, uint64_t mark)
{
	int64_t index;

	if (!compaction_has_pages(z, order, mark))
		return false;
	if (order <= PAGE_ALLOC_COSTLY_ORDER)
		return true;
	index = fragmentation_index(z, order);
	return index < 0 || index > EXTFRAG_THRESHOLD;
}

/* --- the free scanner --- */

/* mm/compaction.c:suitable_migration_target: the largest blocks are not for taking apart. */
static bool suitable_target(const struct sf_heap *h, const struct control *c, uint32_t pfn)
{
	const struct page *pg = &h->arena.page[pfn];
	unsigned int large = c->order > 0 ? (unsigned int)c->order : h->zone.pageblock_order;

	if (pg->state == PAGE_FREE && pg->order >= large)
		return false;
	return c->priority == SF_COMPACT_SYNC_FULL ||
	       block_type(&h->zone, pfn) == SF_MIGRATE_MOVABLE;
}

/* Frames to the next descriptor that can be a head. */
static uint32_t span(const struct page *pg)
{
	return pg->state == PAGE_BOOT || pg->state == PAGE_TAIL ? 1 : 1u << pg->order;
}

/* A free block of at least that order, NO_PFN: the scanners have met. */
static uint32_t find_target(const struct sf_heap *h, struct control *c, unsigned int order)
{
	const struct zone *z = &h->zone;
	struct cursor *at = &c->cursor[order];

	for (; at->block > c->source; at->pfn = --at->block << z->pageblock_order) {
		uint32_t start = at->block << z->pageblock_order;
		uint32_t limit = start + (1u << z->pageblock_order);

		if (at->pfn == start && !suitable_target(h, c, start))
			continue;
		if (limit > z->managed)
			limit = z->managed;
		while (at->pfn < limit) {
			const struct page *pg = &h->arena.page[at->pfn];

			if (pg->state == PAGE_FREE && pg->order >= order)
				return at->pfn;
			at->pfn += span(pg);
		}
	}
	return NO_PFN;
}

/* --- the migration scanner --- */

/* mm/compaction.c:suitable_migration_source */
static bool suitable_source(const struct sf_heap *h, const struct control *c)
{
	const struct zone *z = &h->zone;
	unsigned int type = z->block_type[c->source];

	if (c->order < 0 || c->priority != SF_COMPACT_ASYNC)
		return true;
	if (c->type == SF_MIGRATE_MOVABLE || (unsigned int)c->order >= z->pageblock_order)
		return type == SF_MIGRATE_MOVABLE;
	return type == c->type;
}

/* Where mobility is not grouped by, no page says that it was asked for as movable. */
static bool is_movable(const struct sf_heap *h, uint32_t pfn)
{
	const struct page *pg = &h->arena.page[pfn];

	return pg->state == PAGE_USED &&
	       (pg->list == SF_MIGRATE_MOVABLE || h->zone.one_type) &&
	       lru_may_move(h, pfn_addr(pfn));
}

/* mm/migrate.c:migrate_pages, of one block. Its user has it at the new place, then the old goes. */
static void migrate(struct sf_heap *h, uint32_t from, uint32_t to, unsigned int order)
{
	uint64_t bytes = SF_PAGE_SIZE << order, before = h->zone.nr_free_pages;

	heap_assert(h, h->arena.page[from].state == PAGE_USED && h->arena.page[from].order ==
		    order);
	heap_assert(h, h->arena.page[to].state == PAGE_FREE && h->arena.page[to].order >= order);
	heap_assert(h, from < to);
	buddy_isolate(h, to, order);
	page_hand_out(h, to, order, h->arena.page[from].list);
	EMIT(h, PAGE_ALLOC, page, .pfn = to, .order = (uint8_t)order,
	     .migratetype = h->arena.page[from].list, .list = NO_LIST, .cpu = (uint8_t)h->cpu,
	     .gfp = SF_GFP_MOVABLE, .attempt = SF_ATTEMPT_MOVE, .reserve = true,
	     .free_before = before,
	     .mark = h->zone.wmark[WMARK_MIN]);
	arena_open(h, pfn_addr(to), bytes);
	raw_copy(h, pfn_addr(to), pfn_addr(from), bytes);
	if (h->nr_charged)
		memcg_moved(h, pfn_addr(from), pfn_addr(to));
	heap_assert(h, h->arena.page[to].state == PAGE_USED && h->arena.page[to].order == order);
	lru_moved(h, pfn_addr(from), pfn_addr(to));
	arena_close(h, pfn_addr(from), bytes);
	page_free(h, from, order);
}

/* One block; if it cannot move, blocks of its order and above cannot from now on. */
static bool move_block(struct sf_heap *h, struct control *c, uint32_t pfn, unsigned int order)
{
	const struct zone *z = &h->zone;
	uint32_t to = NO_PFN;

	/* mm/page_alloc.c:__isolate_free_page */
	if (watermark_ok(z, 0, z->wmark[WMARK_MIN] + (1u << order), 0))
		to = find_target(h, c, order);
	if (to == NO_PFN) {
		c->limit = order;
		c->failed += 1u << order;
		return false;
	}
	migrate(h, pfn, to, order);
	c->cursor[order].pfn = to + (1u << order);
	c->migrated += 1u << order;
	heap_assert(h, h->arena.page[pfn].state != PAGE_USED);
	return true;
}

/* True if pages of the page block have moved. */
static bool empty_block(struct sf_heap *h, struct control *c)
{
	uint32_t pfn = c->source << h->zone.pageblock_order, limit;
	bool moved = false;

	heap_assert(h, c->source < h->zone.nr_blocks && c->limit <= h->zone.pageblock_order);
	limit = pfn + (1u << h->zone.pageblock_order);
	if (limit > h->zone.managed)
		limit = h->zone.managed;
	while (pfn < limit && c->limit) {
		const struct page *pg = &h->arena.page[pfn];
		uint32_t next = pfn + span(pg);

		if (pg->order < c->limit && is_movable(h, pfn))
			moved = move_block(h, c, pfn, pg->order) || moved;
		pfn = next;
	}
	return moved;
}

/* mm/compaction.c:compact_zone */
static bool run(struct sf_heap *h, struct control *c)
{
	const struct zone *z = &h->zone;
	bool direct = c->order > 0, done = direct && buddy_has(h, (unsigned int)c->order, c->type);

	EMIT(h, COMPACT, compact, .order = (int8_t)c->order, .begin = true, .gfp = c->gfp,
	     .mode = (uint8_t)c->priority, .migratetype = (uint8_t)c->type);
	/* Larger blocks than is asked for would be of use as they are. */
	c->limit = z->pageblock_order;
	if (direct && (unsigned int)c->order < c->limit)
		c->limit = (unsigned int)c->order;
	for (unsigned int o = 0; o < SF_NR_ORDERS; o++) {
		c->cursor[o].block = z->nr_blocks - 1;
		c->cursor[o].pfn = (z->nr_blocks - 1) << z->pageblock_order;
	}
	for (; h->nr_tracked && !done && c->limit && c->source < z->nr_blocks; c->source++) {
		if (!suitable_source(h, c) || !empty_block(h, c) || !direct)
			continue;
		/* What was freed merges only on the free lists. */
		pcp_drain(h, h->cpu);
		done = buddy_has(h, (unsigned int)c->order, c->type);
	}
	h->vm.pgmigrate_success += c->migrated;
	EMIT(h, COMPACT, compact, .order = (int8_t)c->order, .mode = (uint8_t)c->priority,
	     .migratetype = (uint8_t)c->type, .gfp = c->gfp, .success = done,
	     .migrated = c->migrated, .failed = c->failed);
	return done;
}

/* mm/compaction.c:compaction_suit_allocation_order */
static bool must_skip(const struct zone *z, unsigned int order, enum sf_compact_mode priority)
{
	uint64_t mark = wmark_pages(z, WMARK_MIN);

	if (order > PAGE_ALLOC_COSTLY_ORDER && priority == SF_COMPACT_ASYNC &&
	    !watermark_ok(z, 0, mark + compact_gap(order), 0))
		return true;
	return !compaction_suitable(z, order, mark);
}

enum compact_result compact_order(struct sf_heap *h, uint32_t gfp, unsigned int order,
				  unsigned int type, unsigned int flags,
				  enum sf_compact_mode priority)
{
	struct control c = { .order = (int)order, .gfp = gfp, .type = type,
			     .priority = priority };
	bool has_block = watermark_ok(&h->zone, order, wmark_pages(&h->zone, WMARK_MIN), flags);
	bool skip = !has_block && must_skip(&h->zone, order, priority);

	if (has_block || skip) {
		if (h->nr_tracked)
			EMIT(h, COMPACT, compact, .order = (int8_t)order,
			     .mode = (uint8_t)priority, .migratetype = (uint8_t)type, .gfp = gfp,
			     .skipped = skip, .success = has_block);
		return skip ? COMPACT_SKIPPED : COMPACT_SUCCESS;
	}
	if (!h->nr_tracked)
		return COMPACT_COMPLETE;
	return run(h, &c) ? COMPACT_SUCCESS : COMPACT_COMPLETE;
}

void compact_zone(struct sf_heap *h)
{
	struct control c = { .order = -1, .priority = SF_COMPACT_SYNC_LIGHT };

	run(h, &c);
}
