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
 * may go below it does so one page at a time, what is charged too, and so does what wants but one.
 */
static const char *number_fault(const struct sf_judge *j, const struct sf_ev_pagesbulk *e)
{
	const struct sf_zone *z = &j->sh.zone;
	bool charged = (e->gfp & SF_GFP_ACCOUNT) && j->sh.set.memcg && !j->sh.set.nokmem;
	bool all = e->n > 1 && !charged && j->op.free > z->marks.low + j->op.boost + e->n;

	if (!z->on || !j->sh.exact || j->op.fault)
		return NULL;
	if (all && e->empty < e->n)
		return "alloc_pages_bulk gave up with memory at hand";
	return !all && e->got > 1 ? "alloc_pages_bulk took several pages where one is due" : NULL;
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
	else
		fault = number_fault(j, e);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_BUD_17, "%s", fault);
	sf_report(j, ev, e->res, SF_NONE,
		  "%u entries, %u full before, %u new, %u counted, entry %u is empty, gfp %#x; "
		  "%llu pages were free, the boost was %llu", e->n, e->full, e->got, e->filled,
		  e->empty, e->gfp, (unsigned long long)j->op.free,
		  (unsigned long long)j->op.boost);
	return 1;
}
