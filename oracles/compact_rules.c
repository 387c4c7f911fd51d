// SPDX-License-Identifier: MIT
/*
 * compact_rules.c - compaction (BUD-16): when it is tried, out of which page blocks it takes pages
 * and into which it puts them, and what it says in the end.
 *
 * That MIGRATE keeps contents is judged in memory.c, what compaction is counted as in accounting.c.
 * Relies on judge.h and zone.h; listed in listing.h.
 */
#include "judge.h"
#include "listing.h"
#include "objects.h"
#include "report.h"
#include "rules.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))

#define EXTFRAG_THRESHOLD 500 /* sysctl_extfrag_threshold */

static void fault_at(struct sf_judge *j, const struct sf_event *ev, const char *fault, uint64_t pfn)
{
	const struct sf_ev_compact *c = &j->op.compact;

	sf_title(j, SF_INV_BUD_16, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx; order %d wanted, type %u, mode %u, gfp %#x",
		  ULL(pfn), c->order, c->migratetype, c->mode, c->gfp);
}

/*
 * mm/compaction.c:suitable_migration_source: without waiting only page blocks of the request's own
 * type are emptied. What is as large as a page block comes out of movable ones alone.
 */
static bool source_good(const struct sf_zone *z, const struct sf_ev_compact *c, uint64_t from)
{
	uint8_t type = sf_zone_type(z, from);

	if (c->order < 0 || c->mode != SF_COMPACT_ASYNC)
		return true;
	return type == ((unsigned int)c->order >= z->pageblock_order ? SF_MIGRATE_MOVABLE :
								      c->migratetype);
}

static const char *move_fault(const struct sf_judge *j, uint64_t from, uint64_t to, uint64_t size)
{
	const struct sf_ev_compact *c = &j->op.compact;
	const struct sf_zone *z = &j->sh.zone;
	unsigned int order = size ? sf_order_of(size) : 0;

	/* compact_scanners_met: the scanner of free pages begins at the end */
	if (to >> z->pageblock_order <= from >> z->pageblock_order)
		return "compaction moved pages to no higher page block";
	if (!c->begin)
		return "compaction moved pages that had not begun";
	if (!source_good(z, c, from))
		return "compaction without waiting emptied a page block of another type";
	/* suitable_migration_target */
	if (c->mode != SF_COMPACT_SYNC_FULL && sf_zone_type(z, to) != SF_MIGRATE_MOVABLE)
		return "compaction filled a page block that is not movable";
	/* skip_isolation_on_order: it would be of use where it is */
	if (order >= (c->order < 0 ? z->pageblock_order : (unsigned int)c->order))
		return "compaction moved a block as large as what is wanted";
	return NULL;
}

/* MIGRATE, before the shadow. */
unsigned int sf_bud_16(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	uint64_t base = j->sh.direct.base, from = (ev->migrate.from - base) >> SF_PAGE_SHIFT;
	uint64_t to = (ev->migrate.to - base) >> SF_PAGE_SHIFT;
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, ev->migrate.id);
	const char *fault;

	if (!z->on || from >= z->pages || to >= z->pages)
		return 0;
	fault = move_fault(j, from, to, o ? o->size : 0);
	if (fault)
		fault_at(j, ev, fault, to);
	return 1;
}

/*
 * mm/compaction.c:__compact_finished: a block of its own type, or of one that stands in for it and
 * may be claimed.
 */
static bool has_block(const struct sf_zone *z, const struct sf_ev_compact *c)
{
	for (unsigned int k = (unsigned int)c->order; k <= SF_MAX_ORDER; k++)
		if (z->nr[k][c->migratetype] || (sf_may_claim(z, c->migratetype, k) &&
						 sf_zone_fallback(z, c->migratetype, k) >= 0))
			return true;
	return false;
}

/* mm/vmstat.c:__fragmentation_index: does a request fail for lack of memory, rather? */
static bool lacks_memory(const struct sf_zone *z, unsigned int order)
{
	int64_t blocks = 0, pages = 0, index;

	for (unsigned int k = 0; k <= SF_MAX_ORDER; k++) {
		int64_t nr = 0;

		for (unsigned int t = 0; t < SF_MIGRATE_TYPES; t++)
			nr += z->nr[k][t];
		if (nr && k >= order)
			return false;
		blocks += nr;
		pages += nr << k;
	}
	index = blocks ? 1000 - (1000 + (pages * 1000 >> order)) / blocks : 0;
	return index >= 0 && index <= EXTFRAG_THRESHOLD;
}

/* mm/compaction.c:compaction_suitable: are there pages enough to move things to? */
static bool suitable(const struct sf_zone *z, const struct sf_ev_compact *c)
{
	unsigned int order = (unsigned int)c->order;
	uint64_t free = z->free_pages - sf_zone_free_reserve(z), gap = 2ull << order;
	uint64_t mark = z->marks.min + sf_zone_boost(z, c->gfp, SF_ATTEMPT_SLOW);

	if (gap > 32) /* compact_gap(): at most COMPACT_CLUSTER_MAX pages are on their way */
		gap = 32;
	if (order <= SF_COSTLY_ORDER)
		return free > mark + gap;
	return free > mark + gap + z->marks.low - z->marks.min && !lacks_memory(z, order);
}

/*
 * mm/page_alloc.c:__alloc_pages_slowpath: the first run for what is costly, or spreads over page
 * blocks that are not its own, is one without waiting; so is each for __GFP_NORETRY then. Large
 * caches ask for more (whole blocks).
 */
static const char *mode_fault(const struct sf_judge *j, const struct sf_ev_compact *c)
{
	bool early = c->order > (int)SF_COSTLY_ORDER || c->migratetype != SF_MIGRATE_MOVABLE;
	bool async = c->mode == SF_COMPACT_ASYNC;

	if (!c->order || !(c->gfp & SF_GFP_DIRECT_RECLAIM) || !(c->gfp & SF_GFP_IO))
		return "compaction was tried for a request that it is not for";
	if (!early || ((c->gfp & SF_GFP_NORETRY) && (j->sh.caps & SF_CAP_LARGE)))
		return NULL;
	if ((c->gfp & SF_GFP_NORETRY) || !j->op.rounds.compacted)
		return async ? NULL : "compaction waited for a request that is to be quick";
	return async ? "compaction did not wait for a request that had been tried before" : NULL;
}

/* What needs no move is had at once, what cannot work is not tried. */
static const char *begin_fault(const struct sf_judge *j, const struct sf_ev_compact *c)
{
	const struct sf_zone *z = &j->sh.zone;
	const char *fault;
	uint64_t mark = z->marks.min + sf_zone_boost(z, c->gfp, SF_ATTEMPT_SLOW);
	uint32_t gfp = c->gfp & ~(uint32_t)(SF_GFP_NOFAIL | SF_GFP_MEMALLOC);

	if (c->order < 0)
		return NULL;
	fault = mode_fault(j, c);
	if (fault)
		return fault;
	if (sf_zone_can_give(z, (unsigned int)c->order, gfp, mark))
		return c->success ? NULL : "compaction was tried with a block at hand";
	if (!suitable(z, c))
		return c->skipped ? NULL : "compaction was tried with too little memory for it";
	return c->begin ? NULL : "compaction was not tried though it could have worked";
}

static const char *end_fault(const struct sf_judge *j, const struct sf_ev_compact *c,
			     const struct sf_ev_compact *began)
{
	const struct sf_zone *z = &j->sh.zone;

	if (!began->begin)
		return begin_fault(j, c);
	if (c->order != began->order || c->mode != began->mode)
		return "compaction ended that had not begun";
	if (c->order >= 0 && c->success != has_block(z, c))
		return c->success ? "compaction says that there is a block, and there is none" :
				    "compaction says that there is no block, and there is";
	return NULL;
}

/* COMPACT, before it is taken in. A request that was given up meanwhile began none. */
unsigned int sf_bud_16_run(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_compact *c = &ev->compact;
	const struct sf_zone *z = &j->sh.zone;
	const char *fault;

	if (!z->on || !j->sh.exact || c->order > (int)SF_MAX_ORDER ||
	    c->migratetype >= SF_MIGRATE_HIGHATOMIC)
		return 0;
	fault = c->begin ? begin_fault(j, c) : end_fault(j, c, &j->op.compact);
	if (!fault)
		return 1;
	j->op.compact = *c;
	fault_at(j, ev, fault, 0);
	return 1;
}
