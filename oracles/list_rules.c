// SPDX-License-Identifier: MIT
/*
 * list_rules.c - which end of a list a block goes to and comes from: the zone's free lists
 * (BUD-14), per-CPU lists (BUD-15).
 *
 * Where blocks of the largest order go under shuffle is open (SHF-2). Relies on judge.h
 * and lists.h; listed in listing.h. All rules here come before the shadow takes the event in.
 */
#include "judge.h"
#include "listing.h"
#include "lists.h"
#include "report.h"
#include "rules.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))

/* Only what was watched from the start is known. */
static bool known(const struct sf_judge *j)
{
	return j->sh.zone.on && j->sh.exact && !j->sh.untracked;
}

/* --- BUD-14 --- */

/*
 * mm/page_alloc.c:buddy_merge_likely: if only its buddy lacks for a merge two orders up, it is to
 * be used last.
 */
static bool merge_likely(const struct sf_zone *z, uint64_t pfn, unsigned int order)
{
	uint64_t higher = pfn & ~(1ull << order), other = higher ^ (2ull << order);

	return order < SF_MAX_ORDER - 1 && sf_zone_has(z, other, order + 1) &&
	       (z->head[other] & 15) == order + 2;
}

static const char *freed_fault(const struct sf_judge *j, const struct sf_ev_block *b)
{
	const struct sf_zone *z = &j->sh.zone;

	if (b->order == SF_MAX_ORDER && j->sh.set.shuffle)
		return NULL;
	if (merge_likely(z, b->pfn, b->order) && !b->tail)
		return "a freed block is to be used before its next higher buddy can merge";
	/* alloc_pages_exact() asks for the end for what it gives back (FPI_TO_TAIL) */
	if (!merge_likely(z, b->pfn, b->order) && b->tail && !z->freed.to_tail)
		return "a freed block was put at the end of its list for no merge";
	return NULL;
}

static const char *end_fault(const struct sf_judge *j, const struct sf_ev_block *b)
{
	const struct sf_zone *z = &j->sh.zone;

	if (z->split.orders)
		return b->tail ? "the rest of a split was put at the end of its list" : NULL;
	if (z->moved.nr && b->pfn - z->moved.start < z->moved.nr)
		return b->tail ? NULL : "a free block changed its type and is first on its list";
	if (z->freed.nr && z->freed.pfn - b->pfn < 1ull << b->order)
		return freed_fault(j, b);
	return NULL;
}

static void list_fault(struct sf_judge *j, const struct sf_event *ev, enum sf_invariant inv,
		       const char *fault, uint64_t pfn, unsigned int order)
{
	sf_title(j, inv, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "order %u at pfn %#llx", order, ULL(pfn));
}

unsigned int sf_bud_14_add(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_block *b = &ev->block;
	const char *fault;

	if (!known(j) || !sf_zone_has(&j->sh.zone, b->pfn, b->order) ||
	    b->migratetype >= SF_MIGRATE_TYPES)
		return 0;
	fault = end_fault(j, b);
	if (fault)
		list_fault(j, ev, SF_INV_BUD_14, fault, b->pfn, b->order);
	return 1;
}

/* get_page_from_free_area(): after the block was taken off. */
unsigned int sf_bud_14_rmqueue(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;

	if (!known(j) || !z->last_del.valid || z->last_del.pfn != ev->rmqueue.pfn)
		return 0;
	if (!z->last_del.first)
		list_fault(j, ev, SF_INV_BUD_14, "a block was taken that is not the first of its "
			   "list", z->last_del.pfn, z->last_del.order);
	return 1;
}

/* CLAIM; RESERVE that lets go: the block that it begins with is the first of its list. */
unsigned int sf_bud_14_claim(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_claim *c = &ev->claim;
	struct sf_zone *z = &j->sh.zone;

	if (!known(j) || c->merge || c->pfn >= z->pages || c->order > SF_MAX_ORDER ||
	    c->from >= SF_MIGRATE_TYPES || (ev->type == SF_EV_RESERVE && !c->release) ||
	    z->head[c->pfn] != sf_head(c->order, c->from))
		return 0;
	if (!sf_list_first(&z->lists, sf_free_list(c->order, c->from), c->pfn))
		list_fault(j, ev, SF_INV_BUD_14, "a page block was chosen by what is not the first "
			   "of its list", c->pfn, c->order);
	return 1;
}

/* --- BUD-15 --- */

static bool pcp_known(const struct sf_judge *j, const struct sf_ev_page *p)
{
	const struct sf_zone *z = &j->sh.zone;

	return known(j) && p->pcp && p->list < SF_PCP_LISTS && p->cpu < z->lists.cpus &&
	       sf_zone_has(z, p->pfn, p->order);
}

/* The list that blocks of this order and type go through; SF_PCP_LISTS: none. */
static unsigned int list_of(const struct sf_zone *z, const struct sf_ev_page *p)
{
	if (p->order <= SF_COSTLY_ORDER)
		return 3u * p->order + p->migratetype;
	if (p->order == SF_PCP_HUGE_ORDER && z->pageblock_order == SF_PCP_HUGE_ORDER)
		return 12u + (p->migratetype == SF_MIGRATE_MOVABLE);
	return SF_PCP_LISTS;
}

/*
 * mm/page_alloc.c:rmqueue. Only who cannot wait gets by: the lists are not refilled for high-order
 * atomic requests, nor out of the HIGHATOMIC reserve. Compaction takes what it finds.
 */
static const char *bypass_fault(const struct sf_judge *j, const struct sf_ev_page *p)
{
	const struct sf_zone *z = &j->sh.zone;
	unsigned int list = list_of(z, p);

	if (!known(j) || list >= SF_PCP_LISTS || p->cpu >= z->lists.cpus ||
	    p->migratetype >= SF_MIGRATE_HIGHATOMIC || p->attempt == SF_ATTEMPT_MOVE)
		return NULL;
	if (!sf_list_empty(&z->lists, sf_pcp_list(p->cpu, list)))
		return "a block was taken past this CPU's list, which had one";
	return p->gfp & SF_GFP_DIRECT_RECLAIM ?
		       "a block was taken past this CPU's list, which was not refilled" : NULL;
}

unsigned int sf_bud_15_bypass(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_page *p = &ev->page;
	const char *fault;

	if (p->pcp)
		return 0;
	fault = bypass_fault(j, p);
	if (fault)
		list_fault(j, ev, SF_INV_BUD_15, fault, p->pfn, p->order);
	return 1;
}

unsigned int sf_bud_15_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_page *p = &ev->page;

	if (!pcp_known(j, p))
		return 0;
	if (!sf_list_first(&j->sh.zone.lists, sf_pcp_list(p->cpu, p->list), p->pfn))
		list_fault(j, ev, SF_INV_BUD_15, "a per-CPU list gave what is not its first",
			   p->pfn, p->order);
	return 1;
}

/* The first list from that one on, and round, that holds something. */
static unsigned int next_list(const struct sf_lists *l, unsigned int cpu, unsigned int from)
{
	for (unsigned int i = 0; i < SF_PCP_LISTS; i++)
		if (!sf_list_empty(l, sf_pcp_list(cpu, (from + i) % SF_PCP_LISTS)))
			return (from + i) % SF_PCP_LISTS;
	return SF_PCP_LISTS;
}

/*
 * mm/page_alloc.c:free_pcppages_bulk begins with the list of what was freed, or with the first if
 * all are drained, and empties a list before it goes on to the next.
 */
static bool turn_good(const struct sf_zone *z, const struct sf_ev_page *p)
{
	const struct sf_lists *l = &z->lists;

	return p->list == next_list(l, p->cpu, 0) ||
	       (z->drained.cpu == p->cpu + 1u &&
		p->list == next_list(l, p->cpu, z->drained.list)) ||
	       (z->freed_to.cpu == p->cpu + 1u &&
		p->list == next_list(l, p->cpu, z->freed_to.list));
}

unsigned int sf_bud_15_drain(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_page *p = &ev->page;
	const struct sf_zone *z = &j->sh.zone;
	const char *fault = NULL;

	if (!pcp_known(j, p))
		return 0;
	if (!sf_list_last(&z->lists, sf_pcp_list(p->cpu, p->list), p->pfn))
		fault = "a per-CPU list was drained of what is not its last";
	else if (!turn_good(z, p))
		fault = "a per-CPU list was drained before its turn";
	if (fault)
		list_fault(j, ev, SF_INV_BUD_15, fault, p->pfn, p->order);
	return 1;
}
