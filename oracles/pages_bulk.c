// SPDX-License-Identifier: MIT
/*
 * pages_bulk.c - alloc_pages_bulk() (BUD-17): what it says of the array, and whether it gave up too
 * soon. That the pages are disjoint, of the right type and zeroed is judged as of any other.
 *
 * Relies on judge.h and what the zone has free; listed in listing.h.
 */
#include "judge.h"
#include "listing.h"
#include "report.h"
#include "rules.h"
#include "zone.h"

/*
 * All are due when the mark LOW leaves room for as many as were wanted, whoever wants them: what
 * may go below it does so one page at a time (zone_watermark_fast). HIGH is above it, and a boost
 * adds half of that or a page block, at most; what is charged comes one page at a time. What was
 * taken counts as if it were not there any more, which is to the allocator's good.
 */
static bool is_too_few(const struct sf_judge *j, const struct sf_ev_pagesbulk *e)
{
	const struct sf_zone *z = &j->sh.zone;
	uint64_t boost = z->marks.high + z->marks.high / 2;

	if (boost < 1ull << z->pageblock_order)
		boost = 1ull << z->pageblock_order;
	/* Reclaim for the one page that it then asked for has made room since. */
	if (j->op.rounds.direct)
		return false;
	return e->empty < e->n && !(e->gfp & SF_GFP_ACCOUNT) && !j->op.fault && z->on &&
	       sf_zone_can_give(z, 0, SF_GFP_NOMEMALLOC, z->marks.high + boost + e->n);
}

unsigned int sf_bud_17(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_pagesbulk *e = &ev->pagesbulk;
	const char *fault = NULL;

	if (e->changed)
		fault = "alloc_pages_bulk changed entries that were full";
	else if (e->filled > e->n || e->empty < e->filled)
		fault = "alloc_pages_bulk counts entries that are empty";
	else if (e->beyond)
		fault = "alloc_pages_bulk filled entries that it does not count";
	else if (!e->got != (e->status != SF_OK) && e->full < e->n)
		fault = "alloc_pages_bulk does not say whether it got pages";
	else if (is_too_few(j, e))
		fault = "alloc_pages_bulk gave up with memory at hand";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_BUD_17, "%s", fault);
	sf_report(j, ev, e->res, SF_NONE,
		  "%u entries, %u full before, %u new, %u counted, entry %u is empty, gfp %#x",
		  e->n, e->full, e->got, e->filled, e->empty, e->gfp);
	return 1;
}
