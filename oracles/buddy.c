// SPDX-License-Identifier: MIT
/*
 * buddy.c - the page allocator (BUD): blocks, splits, merges, fallbacks, watermarks, per-CPU lists.
 *
 * Rules on tracepoints run before the shadow takes the event in, so that they see the zone as the
 * allocator saw it. Relies on judge.h; listed in listing.h.
 */
#include "buddy.h"
#include "bitmap.h"
#include "caches.h"
#include "judge.h"
#include "listing.h"
#include "objects.h"
#include "report.h"
#include "requests.h"
#include "rules.h"
#include "snap.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))

static const char *shape_fault(const struct sf_zone *z, uint64_t pfn, unsigned int order)
{
	if (order > SF_MAX_ORDER)
		return "a block has an order above 10";
	if (pfn & ((1ull << order) - 1))
		return "a block is not naturally aligned";
	if (!sf_zone_has(z, pfn, order))
		return "a block leaves the zone";
	return NULL;
}

static unsigned int shape(struct sf_judge *j, const struct sf_event *ev, uint64_t pfn,
			  unsigned int order)
{
	const char *fault;

	if (!j->sh.zone.on)
		return 0;
	fault = shape_fault(&j->sh.zone, pfn, order);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_BUD_1, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx, order %u, %llu pages", ULL(pfn), order,
		  ULL(j->sh.zone.pages));
	return 1;
}

unsigned int sf_bud_1_add(struct sf_judge *j, const struct sf_event *ev)
{
	return shape(j, ev, ev->block.pfn, ev->block.order);
}

unsigned int sf_bud_1_page(struct sf_judge *j, const struct sf_event *ev)
{
	return shape(j, ev, ev->page.pfn, ev->page.order);
}

static void overlap(struct sf_judge *j, const struct sf_event *ev, const char *fault, uint64_t pfn,
		    unsigned int order)
{
	sf_title(j, SF_INV_BUD_2, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx, order %u", ULL(pfn), order);
}

unsigned int sf_bud_2_add(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_block *b = &ev->block;
	uint64_t nr;

	if (!z->on || !sf_zone_has(z, b->pfn, b->order))
		return 0;
	nr = 1ull << b->order;
	if (!sf_zone_known(z, b->pfn, nr))
		return 1;
	if (sf_bits_any(z->listed, b->pfn, nr))
		overlap(j, ev, "a free block overlaps a free block", b->pfn, b->order);
	else if (sf_bits_any(z->out, b->pfn, nr))
		overlap(j, ev, "a free block overlaps pages in use", b->pfn, b->order);
	else if (sf_bits_any(z->pcp, b->pfn, nr))
		overlap(j, ev, "a free block overlaps a per-CPU list", b->pfn, b->order);
	return 1;
}

unsigned int sf_bud_2_del(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_block *b = &ev->block;

	if (!z->on)
		return 0;
	if (!sf_zone_has(z, b->pfn, b->order) ||
	    z->head[b->pfn] != sf_head(b->order, b->migratetype))
		overlap(j, ev, "a block was taken off a free list that it was not on", b->pfn,
			b->order);
	return 1;
}

unsigned int sf_bud_2_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_page *p = &ev->page;
	uint64_t nr;

	if (!z->on || !sf_zone_has(z, p->pfn, p->order))
		return 0;
	nr = 1ull << p->order;
	if (sf_bits_any(z->out, p->pfn, nr))
		overlap(j, ev, "pages in use were allocated again", p->pfn, p->order);
	else if (sf_bits_any(z->listed, p->pfn, nr))
		overlap(j, ev, "allocated pages are still on a free list", p->pfn, p->order);
	else if (p->pcp && !sf_bits_all(z->pcp, p->pfn, nr))
		overlap(j, ev, "a per-CPU list gave pages that it did not have", p->pfn, p->order);
	else if (!p->pcp && sf_bits_any(z->pcp, p->pfn, nr))
		overlap(j, ev, "allocated pages are still on a per-CPU list", p->pfn, p->order);
	return 1;
}

unsigned int sf_bud_2_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_page *p = &ev->page;

	if (!z->on)
		return 0;
	if (!sf_zone_has(z, p->pfn, p->order) || !sf_bits_all(z->out, p->pfn, 1ull << p->order))
		overlap(j, ev, "pages were freed that were not in use", p->pfn, p->order);
	return 1;
}

unsigned int sf_bud_2_drain(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_page *p = &ev->page;

	if (!z->on)
		return 0;
	if (!sf_zone_has(z, p->pfn, p->order) || !sf_bits_all(z->pcp, p->pfn, 1ull << p->order))
		overlap(j, ev, "a per-CPU list was drained of pages that it did not have", p->pfn,
			p->order);
	return 1;
}

static bool would_merge(unsigned int a, unsigned int b)
{
	return a == b || (a < SF_MIGRATE_HIGHATOMIC && b < SF_MIGRATE_HIGHATOMIC);
}

unsigned int sf_bud_3(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_block *b = &ev->block;
	uint64_t buddy = b->pfn ^ (1ull << (b->order & 15));

	if (!z->on || b->order >= SF_MAX_ORDER || !sf_zone_has(z, buddy, b->order))
		return 0;
	if ((z->head[buddy] & 15) != b->order + 1 ||
	    !would_merge(z->head[buddy] >> 4, b->migratetype))
		return 1;
	sf_title(j, SF_INV_BUD_3, "free buddies were not merged");
	sf_report(j, ev, SF_NONE, SF_NONE, "order %u at pfn %#llx and %#llx", b->order, ULL(b->pfn),
		  ULL(buddy));
	return 1;
}

unsigned int sf_bud_3_walk(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_snapshot *s = &j->snap;

	if (!s->pages)
		return 0;
	for (size_t i = 0; i < s->nr_blocks; i++) {
		const struct sf_ev_snapblock *b = &s->blocks[i];
		uint64_t buddy = b->pfn ^ (1ull << (b->order & 15));

		if (b->order >= SF_MAX_ORDER || buddy >= s->pages || buddy < b->pfn ||
		    s->head_at[buddy] != b->order + 1 || b->pageblock >= SF_MIGRATE_HIGHATOMIC)
			continue;
		if (j->sh.zone.on && !would_merge(sf_zone_type(&j->sh.zone, buddy), b->pageblock))
			continue;
		sf_title(j, SF_INV_BUD_3, "free buddies were not merged");
		sf_report(j, ev, SF_NONE, SF_NONE, "order %u at pfn %#llx and %#llx", b->order,
			  ULL(b->pfn), ULL(buddy));
	}
	return (unsigned int)s->nr_blocks;
}

/* BUD-4: the lists themselves. */
static void list_truth(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_snapshot *s = &j->snap;
	const struct sf_zone *z = &j->sh.zone;

	for (size_t i = 0; i < s->nr_blocks; i++) {
		const struct sf_ev_snapblock *b = &s->blocks[i];
		const char *fault = NULL;

		if (b->list != b->pageblock)
			fault = "a free block is on the list of another type";
		else if (z->on && j->sh.exact && sf_zone_has(z, b->pfn, b->order) &&
			 z->head[b->pfn] != sf_head(b->order, b->list))
			fault = "a free list holds a block that no event put there";
		if (!fault)
			continue;
		sf_title(j, SF_INV_BUD_4, "%s", fault);
		sf_report(j, ev, SF_NONE, SF_NONE,
			  "order %u at pfn %#llx, list %u, page block of type %u, events say %#x",
			  b->order, ULL(b->pfn), b->list, b->pageblock,
			  z->on && b->pfn < z->pages ? z->head[b->pfn] : 0);
	}
	for (size_t i = 0; z->on && j->sh.exact && i < s->nr_pbs; i++) {
		const struct sf_ev_snappb *pb = &s->pbs[i];

		if (pb->pfn >= z->pages || sf_zone_type(z, pb->pfn) == pb->migratetype)
			continue;
		sf_title(j, SF_INV_BUD_4, "a page block changed its type without a claim");
		sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx: %u, events say %u", ULL(pb->pfn),
			  pb->migratetype, sf_zone_type(z, pb->pfn));
	}
}

/* BUD-4: the counters, against the lists that were walked. */
unsigned int sf_bud_4(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_snapshot *s = &j->snap;
	const struct sf_zone *z = &j->sh.zone;
	uint64_t nr[SF_NR_ORDERS] = { 0 }, pages = 0;

	list_truth(j, ev);
	for (size_t i = 0; i < s->nr_blocks; i++)
		if (s->blocks[i].order <= SF_MAX_ORDER) {
			nr[s->blocks[i].order]++;
			pages += 1ull << s->blocks[i].order;
		}
	if (z->on && j->sh.exact && pages != z->free_pages) {
		sf_title(j, SF_INV_BUD_4, "the free lists lost or gained pages");
		sf_report(j, ev, SF_NONE, SF_NONE, "%llu pages, events say %llu", ULL(pages),
			  ULL(z->free_pages));
	}
	if (!s->has_counters)
		return 1;
	for (unsigned int o = 0; o < SF_NR_ORDERS; o++) {
		if (s->counters.nr_free[o] == nr[o])
			continue;
		sf_title(j, SF_INV_BUD_4, "nr_free is not the length of the lists");
		sf_report(j, ev, SF_NONE, SF_NONE, "order %u: %llu blocks, nr_free %llu", o,
			  ULL(nr[o]), ULL(s->counters.nr_free[o]));
	}
	if (s->counters.nr_free_pages != pages) {
		sf_title(j, SF_INV_BUD_4, "NR_FREE_PAGES is not the pages on the lists");
		sf_report(j, ev, SF_NONE, SF_NONE, "%llu pages, NR_FREE_PAGES %llu", ULL(pages),
			  ULL(s->counters.nr_free_pages));
	}
	return 2;
}

static void split_fault(struct sf_judge *j, const struct sf_event *ev, const char *fault)
{
	const struct sf_zone *z = &j->sh.zone;

	sf_title(j, SF_INV_BUD_5, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "block taken at pfn %#llx, orders missing %#x, type %u",
		  ULL(z->split.pfn), z->split.orders, z->split.type);
}

unsigned int sf_bud_5_add(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_block *b = &ev->block;

	if (!z->on || !z->split.orders)
		return 0;
	if (b->order > SF_MAX_ORDER || !(z->split.orders >> b->order & 1) ||
	    b->pfn != z->split.pfn + (1ull << b->order))
		split_fault(j, ev, "a split put back a part that is not its upper half");
	else if (b->migratetype != z->split.type)
		split_fault(j, ev, "a split put its rest on another type's list");
	return 1;
}

/* Whatever comes after a split comes after all of its parts. */
unsigned int sf_bud_5_done(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_zone *z = &j->sh.zone;

	if (!z->on || !z->split.orders)
		return 0;
	split_fault(j, ev, "a split lost a part");
	z->split.orders = 0;
	return 1;
}

unsigned int sf_bud_5_rmqueue(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_rmqueue *r = &ev->rmqueue;
	const char *fault = NULL;

	if (!z->on)
		return 0;
	if (!z->last_del.valid || z->last_del.order != r->from_order)
		fault = "a block was chosen that was not taken off its list";
	else if (r->from_order < r->order)
		fault = "a block was chosen that is smaller than the request";
	else if (z->last_del.pfn != r->pfn)
		fault = "a split did not keep the low part";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_BUD_5, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx, order %u of %u; taken off: %#llx, order %u",
		  ULL(r->pfn), r->order, r->from_order, ULL(z->last_del.pfn), z->last_del.order);
	return 1;
}

static bool any_free(const struct sf_zone *z, unsigned int type, unsigned int from, unsigned int to)
{
	for (unsigned int k = from; k < to; k++)
		if (z->nr[k][type])
			return true;
	return false;
}

static uint64_t pageblock_free(const struct sf_zone *z, uint64_t pfn)
{
	uint64_t nr = 1ull << z->pageblock_order, start = pfn & ~(nr - 1);

	if (nr > z->pages - start)
		nr = z->pages - start;
	return sf_bits_count(z->listed, start, nr);
}

/*
 * Must a claim of some block of that order and type have worked? Below pageblock order only if
 * every such block lies in a page block that is half free (pages of like mobility can only add to
 * that). Where mobility is not grouped by, any page block that lies in the zone is claimed.
 */
static bool surely_claimable(const struct sf_zone *z, unsigned int order, unsigned int type)
{
	if (order >= z->pageblock_order)
		return true;
	for (uint64_t w = 0; w <= (z->pages - 1) / 64; w++)
		for (uint64_t m = z->heads[w]; m; m &= m - 1) {
			uint64_t pfn = w * 64 + (uint64_t)__builtin_ctzll(m);
			uint64_t end = ((pfn >> z->pageblock_order) + 1) << z->pageblock_order;

			if (z->head[pfn] != sf_head(order, type))
				continue;
			if (end > z->pages ||
			    (z->grouping &&
			     pageblock_free(z, pfn) < 1ull << (z->pageblock_order - 1)))
				return false;
		}
	return true;
}

static const char *claim_threshold_fault(const struct sf_zone *z, const struct sf_ev_claim *c)
{
	uint64_t block = 1ull << z->pageblock_order;

	if (c->whole != (c->order >= z->pageblock_order))
		return "a claim took page blocks whole that are not, or the reverse";
	if (c->whole)
		return NULL;
	if (c->free != pageblock_free(z, c->pfn))
		return "a claim counted free pages wrong";
	if (c->alike > block - c->free || (c->alike && c->from != SF_MIGRATE_MOVABLE &&
					   c->to != SF_MIGRATE_MOVABLE))
		return "a claim counted pages of like mobility wrong";
	if (z->grouping && c->free + c->alike < block / 2)
		return "a page block was claimed that is less than half free or alike";
	return NULL;
}

static const char *claim_fault(const struct sf_zone *z, const struct sf_ev_claim *c)
{
	unsigned int want = c->want <= SF_MAX_ORDER ? c->want : 0;

	if (c->from == c->to)
		return "a page block was claimed from its own type";
	if (c->order < want)
		return "a claim took a block smaller than the request";
	if (z->head[c->pfn] != sf_head(c->order, c->from))
		return "a claim found a block that is not on that list";
	if (any_free(z, c->to, want, SF_NR_ORDERS))
		return "a page block was claimed though the own lists had a block";
	if (!sf_may_claim(z, c->to, c->order))
		return "a movable request claimed a small block";
	if (sf_zone_fallback(z, c->to, c->order) != c->from)
		return "a claim did not follow the fallback table";
	for (unsigned int k = c->order + 1u; k <= SF_MAX_ORDER; k++) {
		int type = sf_zone_fallback(z, c->to, k);

		if (type >= 0 && surely_claimable(z, k, (unsigned int)type))
			return "a claim did not scan from the largest block down";
	}
	return claim_threshold_fault(z, c);
}

unsigned int sf_bud_6_claim(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_claim *c = &ev->claim;
	const struct sf_zone *z = &j->sh.zone;
	const char *fault;

	if (!z->on || c->merge || c->to >= SF_MIGRATE_HIGHATOMIC ||
	    c->from >= SF_MIGRATE_HIGHATOMIC || c->pfn >= z->pages || c->order > SF_MAX_ORDER)
		return 0;
	fault = claim_fault(z, c);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_BUD_6, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE,
		  "pfn %#llx, order %u, type %u to %u, order %u wanted, free %u, alike %u",
		  ULL(c->pfn), c->order, c->from, c->to, c->want, c->free, c->alike);
	return 1;
}

static const char *steal_fault(const struct sf_zone *z, const struct sf_ev_rmqueue *r)
{
	const uint8_t *table = sf_fallbacks[r->migratetype];

	if (r->nofragment)
		return "a block was stolen under NOFRAGMENT";
	if (any_free(z, r->migratetype, r->order, SF_NR_ORDERS))
		return "a block was stolen though the own lists had one";
	if (r->from_type != table[0] && r->from_type != table[1])
		return "a steal did not follow the fallback table";
	for (unsigned int i = 0; i < 2; i++)
		if (any_free(z, table[i], r->order, r->from_order))
			return "a steal did not scan from the smallest block up";
	if (r->from_type == table[1] && z->nr[r->from_order][table[0]])
		return "a steal did not follow the fallback table";
	if (r->from_order >= z->pageblock_order)
		return "a block was stolen that could be claimed";
	for (unsigned int i = 0; i < 2; i++)
		if (any_free(z, table[i], z->pageblock_order, SF_NR_ORDERS))
			return "a block was stolen though another could be claimed";
	return NULL;
}

/* RMQUEUE comes after the BLOCK_DEL of its source: the zone no longer counts that block. */
static const char *rmqueue_fault(const struct sf_zone *z, const struct sf_ev_rmqueue *r)
{
	if (r->mode == SF_RMQUEUE_STEAL)
		return steal_fault(z, r);
	if (r->mode == SF_RMQUEUE_OWN && r->from_type != r->migratetype)
		return "another type's block was taken without a fallback";
	if (r->mode == SF_RMQUEUE_CLAIM) {
		if (!z->claim.valid || z->claim.to != r->migratetype)
			return "a claimed block was taken without a claim";
		if (z->claim.whole)
			return r->from_order == z->claim.order ? NULL
							       : "a claim used another block";
	}
	if (any_free(z, r->migratetype, r->order, r->from_order))
		return "a larger block was split than need be";
	return NULL;
}

unsigned int sf_bud_6_rmqueue(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_rmqueue *r = &ev->rmqueue;
	const struct sf_zone *z = &j->sh.zone;
	const char *fault;

	if (!z->on || r->from_order > SF_MAX_ORDER || r->order > SF_MAX_ORDER ||
	    r->migratetype >= SF_MIGRATE_HIGHATOMIC || r->from_type >= SF_MIGRATE_HIGHATOMIC)
		return 0;
	fault = rmqueue_fault(z, r);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_BUD_6, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx, order %u of %u, type %u from %u, mode %u",
		  ULL(r->pfn), r->order, r->from_order, r->migratetype, r->from_type, r->mode);
	return 1;
}

/* After the claim's moves, before the next block is taken for good. */
unsigned int sf_bud_7(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	uint64_t end;

	if (!z->on || !z->claim.valid)
		return 0;
	end = z->claim.start + z->claim.nr;
	for SF_EACH_BIT(p, z->heads, z->claim.start, end) {
		if (z->head[p] >> 4 == z->claim.to)
			continue;
		sf_title(j, SF_INV_BUD_7, "a claim left free pages on the old type's list");
		sf_report(j, ev, SF_NONE, SF_NONE,
			  "order %u at pfn %#llx is of type %u, the page block of type %u",
			  (z->head[p] & 15) - 1u, ULL(p), z->head[p] >> 4, z->claim.to);
		break;
	}
	return 1;
}

/*
 * HIGH as long as the zone is above it, which is not asked each time (ZONE_BELOW_HIGH); else LOW,
 * and MIN from the second attempt on; with its boost, where that is no reason to fail.
 */
static bool mark_good(const struct sf_zone *z, const struct sf_ev_page *p)
{
	uint64_t boost = sf_zone_boost(z, p->gfp, p->attempt);
	bool first = p->attempt == SF_ATTEMPT_FIRST;

	return p->mark == z->marks.high + boost ||
	       p->mark == (first ? z->marks.low : z->marks.min) + boost ||
	       (!first && p->mark == sf_zone_mark(z, p->order, p->gfp));
}

static const char *watermark_fault(const struct sf_zone *z, const struct sf_ev_page *p)
{
	bool rights = p->attempt != SF_ATTEMPT_FIRST && sf_may_use_reserve(p->gfp);
	uint64_t free = z->free_pages + (1ull << p->order);
	uint64_t rest = free - ((1ull << p->order) - 1);

	if (z->reserved && (p->attempt == SF_ATTEMPT_FIRST || !sf_counts_reserve(p->gfp))) {
		uint64_t reserve = sf_zone_free_reserve(z);

		rest = rest > reserve ? rest - reserve : 0;
	}
	if (p->free_before != free)
		return "NR_FREE_PAGES before an allocation is not the pages on the lists";
	if (!mark_good(z, p))
		return "an allocation was held against a mark that is none of the zone's";
	if (!rights)
		return rest > p->mark ? NULL : "an allocation without reserve rights broke the "
					       "watermark";
	if (sf_never_fails(p->gfp)) /* after OOM it may take the last page */
		return NULL;
	if (rest <= sf_reduced_mark(p->mark, p->gfp))
		return "an allocation took more of the reserve than its flags allow";
	return NULL;
}

static void report_mark(struct sf_judge *j, const struct sf_event *ev, const char *fault,
			uint64_t free)
{
	const struct sf_ev_page *p = &ev->page;

	sf_title(j, SF_INV_BUD_8, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE,
		  "order %u, gfp %#x, mark %llu (min %llu), free %llu, on the lists then %llu",
		  p->order, p->gfp, ULL(p->mark), ULL(j->sh.zone.marks.min), ULL(p->free_before),
		  ULL(free + (1ull << p->order)));
}

unsigned int sf_bud_8(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_page *p = &ev->page;
	const char *fault;

	if (!j->sh.zone.on || p->pcp || p->order > SF_MAX_ORDER)
		return 0;
	if (j->held.valid)
		sf_held_raise(j);
	fault = watermark_fault(&j->sh.zone, p);
	if (!fault)
		return 1;
	if ((j->sh.caps & SF_CAP_COMPACT) && p->attempt == SF_ATTEMPT_MOVE &&
	    p->free_before == j->sh.zone.free_pages + (1ull << p->order))
		j->held = (struct sf_held){ true, fault, j->sh.zone.free_pages, *ev };
	else
		report_mark(j, ev, fault, j->sh.zone.free_pages);
	return 1;
}

void sf_held_drop(struct sf_judge *j, uint64_t pfn)
{
	if (j->held.ev.page.pfn == pfn)
		j->held.valid = false;
}

void sf_held_raise(struct sf_judge *j)
{
	if (j->held.valid && sf_judges(j, SF_INV_BUD_8))
		report_mark(j, &j->held.ev, j->held.fault, j->held.free);
	j->held.valid = false;
}

static bool pcp_index_good(const struct sf_ev_snappcp *p)
{
	if (p->order == SF_PCP_HUGE_ORDER)
		return p->list == 12 || p->list == 13;
	return p->order <= 3 && p->list / 3 == p->order && p->list < 12;
}

/* A page's type is its list's, or the page came or changed by a fallback that was traced. */
static bool pcp_type_good(const struct sf_zone *z, const struct sf_ev_snappcp *p, uint64_t pfn)
{
	uint8_t type = sf_zone_type(z, pfn);

	if (sf_bit(z->fallback, pfn))
		return true;
	if (type >= SF_MIGRATE_HIGHATOMIC)
		type = SF_MIGRATE_MOVABLE;
	if (p->list >= 12)
		return (p->list == 13) == (type == SF_MIGRATE_MOVABLE);
	return p->list % 3 == type;
}

static const char *pcp_fault(struct sf_judge *j, const struct sf_snap_pcp *pcp)
{
	const struct sf_zone *z = &j->sh.zone;

	if (!pcp_index_good(&pcp->ev))
		return "pages are on a per-CPU list of another order";
	for (uint32_t k = 0; z->on && j->sh.exact && k < pcp->ev.nr; k++) {
		uint64_t pfn = j->snap.pool[pcp->pfns + k];

		if (!sf_zone_has(z, pfn, pcp->ev.order) || (pfn & ((1ull << pcp->ev.order) - 1)))
			return "a per-CPU list holds what is no block";
		if (!sf_bits_all(z->pcp, pfn, 1ull << pcp->ev.order))
			return "a per-CPU list holds pages that no event put there";
		if (!pcp_type_good(z, &pcp->ev, pfn))
			return "pages are on a per-CPU list of another type";
	}
	return NULL;
}

/*
 * Where a CPU's high mark may stand: its share of LOW at least, of an eighth of the zone at most,
 * never below four batches (mm/page_alloc.c:zone_highsize). In a tiny zone least is greatest.
 */
static bool pcp_high_good(const struct sf_judge *j, const struct sf_ev_snappcp *p)
{
	const struct sf_zone *z = &j->sh.zone;
	uint64_t cpus = j->sh.set.cpus, least = z->marks.low / cpus, most = z->pages / 8 / cpus;

	if (least < 4ull * p->batch)
		least = 4ull * p->batch;
	if (most < least)
		most = least;
	return !z->on || (p->high >= least && p->high <= most);
}

/*
 * Sums of one CPU. Where `high` stands between its bounds is the kernel's tuning, and time takes it
 * back (mm/page_alloc.c:decay_pcp_high): not judged. Each list that was refilled may stand above
 * `high` by what came at once.
 */
static void pcp_sum(struct sf_judge *j, const struct sf_event *ev, uint8_t cpu)
{
	const struct sf_snap_pcp *first = NULL;
	uint64_t pages = 0, slack = 0;
	const char *fault = NULL;

	for (size_t i = 0; i < j->snap.nr_pcps; i++) {
		const struct sf_snap_pcp *pcp = &j->snap.pcps[i];

		if (pcp->ev.cpu != cpu || pcp->ev.order > SF_MAX_ORDER)
			continue;
		first = first ? first : pcp;
		pages += (uint64_t)pcp->ev.nr << pcp->ev.order;
		if (pcp->ev.nr)
			slack += pcp->ev.batch > 2u << pcp->ev.order ? pcp->ev.batch :
								      2u << pcp->ev.order;
	}
	if (!first)
		return;
	if (first->ev.count != pages)
		fault = "a per-CPU count is not the pages on its lists";
	else if (j->sh.zone.on && first->ev.batch != sf_pcp_batch(j->sh.zone.pages))
		fault = "a per-CPU batch is not the zone's";
	else if (!pcp_high_good(j, &first->ev))
		fault = "a per-CPU high mark is out of its range";
	else if (pages > first->ev.high + slack)
		fault = "per-CPU lists are above their bound";
	if (!fault)
		return;
	sf_title(j, SF_INV_BUD_9, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "CPU %u: %llu pages, count %u, high %u, batch %u", cpu,
		  ULL(pages), first->ev.count, first->ev.high, first->ev.batch);
}

unsigned int sf_bud_9(struct sf_judge *j, const struct sf_event *ev)
{
	uint8_t done[SF_CPUS_MAX] = { 0 };

	for (size_t i = 0; i < j->snap.nr_pcps; i++) {
		const struct sf_snap_pcp *pcp = &j->snap.pcps[i];
		const char *fault = pcp_fault(j, pcp);

		if (fault) {
			sf_title(j, SF_INV_BUD_9, "%s", fault);
			sf_report(j, ev, SF_NONE, SF_NONE, "CPU %u, list %u, order %u, %u blocks",
				  pcp->ev.cpu, pcp->ev.list, pcp->ev.order, pcp->ev.nr);
		}
		if (!done[pcp->ev.cpu])
			pcp_sum(j, ev, pcp->ev.cpu);
		done[pcp->ev.cpu] = 1;
	}
	return (unsigned int)j->snap.nr_pcps;
}

/* Pages of an alloc_pages_exact() object; false: not in the zone. */
static bool exact_range(const struct sf_judge *j, uint64_t addr, uint64_t size, uint64_t *pfn,
			uint64_t *nr)
{
	*pfn = (addr - j->sh.direct.base) >> SF_PAGE_SHIFT;
	*nr = sf_pages_of(size);
	return j->sh.zone.on && addr >= j->sh.direct.base && *pfn < j->sh.zone.pages &&
	       *nr <= j->sh.zone.pages - *pfn;
}

unsigned int sf_bud_10_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_zone *z = &j->sh.zone;
	const char *fault = NULL;
	uint64_t pfn, nr, whole;

	if (a->api != SF_API_EXACT || !sf_got(a) || !exact_range(j, a->addr, a->size, &pfn, &nr))
		return 0;
	whole = a->size ? 1ull << (sf_order_of(a->size) & 63) : 0;
	if (whole > z->pages - pfn)
		whole = z->pages - pfn;
	if (!sf_bits_all(z->out, pfn, nr))
		fault = "alloc_pages_exact gave back pages that it needs";
	else if (whole > nr && sf_bits_any(z->out, pfn + nr, whole - nr))
		fault = "alloc_pages_exact kept pages beyond its size";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_BUD_10, "%s", fault);
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes at pfn %#llx", ULL(a->size), ULL(pfn));
	return 1;
}

unsigned int sf_bud_10_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;
	const struct sf_shadow_obj *o;
	uint64_t pfn, nr;

	if (f->api != SF_API_EXACT)
		return 0;
	o = sf_shadow_alive(&j->sh, f->id);
	if (!o || f->status != SF_OK || !exact_range(j, o->addr, o->size, &pfn, &nr))
		return 0;
	if (!sf_bits_any(j->sh.zone.out, pfn, nr))
		return 1;
	sf_title(j, SF_INV_BUD_10, "free_pages_exact kept pages");
	sf_report(j, ev, o->res, SF_NONE, "%llu bytes at pfn %#llx", ULL(o->size), ULL(pfn));
	return 1;
}

/*
 * mm/slub.c:allocate_slab: the preferred order without effort, as long as a smaller one is to come;
 * then the smallest with all that the caller allows. A large cache has that second attempt alone.
 */
static bool effort_good(const struct sf_shadow_cache *c, const struct sf_ev_slab *s, uint32_t asked)
{
	uint32_t easy = (s->gfp | SF_GFP_NOWARN | SF_GFP_NORETRY) & ~(uint32_t)SF_GFP_NOFAIL;

	if ((easy & SF_GFP_DIRECT_RECLAIM) && c->order > c->min_order)
		easy = (easy | SF_GFP_NOMEMALLOC) & ~(uint32_t)SF_GFP_RECLAIM;
	return (s->order == c->order && asked == easy && !c->large) ||
	       (s->order == c->min_order && asked == s->gfp);
}

/* SLAB_NEW: what its cache's mobility asks for, and where the pages are. */
unsigned int sf_bud_11(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_slab *s = &ev->slab;
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, s->cache);
	uint8_t due, type;
	const char *fault = NULL;

	if (!z->on || !c || !sf_zone_has(z, s->pfn, s->order))
		return 0;
	due = c->kind == SF_CACHE_KMALLOC_RCL || (c->flags & SF_SLAB_RECLAIM_ACCOUNT) ?
		      SF_MIGRATE_RECLAIMABLE : SF_MIGRATE_UNMOVABLE;
	if (!z->grouping)
		due = SF_MIGRATE_UNMOVABLE;
	type = sf_zone_type(z, s->pfn);
	if (!z->last_alloc.valid || z->last_alloc.pfn != s->pfn)
		fault = NULL;
	else if (!effort_good(c, s, z->last_alloc.gfp))
		fault = "pages for a slab of %s were asked with more or less effort than is due";
	else if (z->last_alloc.type != due)
		fault = "pages for a slab of %s were asked with another mobility";
	if (!fault && type != due && type < SF_MIGRATE_HIGHATOMIC && !sf_bit(z->fallback, s->pfn) &&
		 !(s->order == SF_PCP_HUGE_ORDER && type != SF_MIGRATE_MOVABLE))
		fault = "a slab of %s lies in a page block of another mobility";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_BUD_11, fault, sf_name_of_cache(&j->sh, s->cache));
	sf_report(j, ev, SF_NONE, SF_NONE,
		  "pfn %#llx, order %u: type %u due, asked %u, page block %u; gfp %#x of %#x",
		  ULL(s->pfn), s->order, due, z->last_alloc.type, type, z->last_alloc.gfp, s->gfp);
	return 1;
}

/* --- BUD-12 --- */

/* The page block of the block that it is about; of a larger block all its page blocks. */
static bool whole_blocks(const struct sf_zone *z, const struct sf_ev_claim *c)
{
	uint64_t span = 1ull << (c->order > z->pageblock_order ? c->order : z->pageblock_order);
	uint64_t start = c->pfn & ~(span - 1);

	return c->start == start &&
	       c->nr_pages == (span < z->pages - start ? span : z->pages - start);
}

static const char *reserve_fault(const struct sf_zone *z, const struct sf_ev_claim *c)
{
	uint64_t block = 1ull << z->pageblock_order;

	if (c->start >= z->pages || c->start % block || !c->nr_pages ||
	    (c->nr_pages % block && c->start + c->nr_pages != z->pages))
		return "the HIGHATOMIC reserve takes or lets go of what is no page block";
	if (c->order > SF_MAX_ORDER || c->pfn >= z->pages || !whole_blocks(z, c))
		return "the HIGHATOMIC reserve takes or lets go of some page blocks of a block";
	if (c->release) {
		if (c->from != SF_MIGRATE_HIGHATOMIC || c->to >= SF_MIGRATE_HIGHATOMIC ||
		    sf_zone_type(z, c->start) != SF_MIGRATE_HIGHATOMIC)
			return "the HIGHATOMIC reserve lets go of a page block that is not its own";
		return c->nr_pages > z->reserved ? "the HIGHATOMIC reserve is below 0" : NULL;
	}
	if (c->to != SF_MIGRATE_HIGHATOMIC || c->from >= SF_MIGRATE_HIGHATOMIC ||
	    sf_zone_type(z, c->start) != c->from)
		return "the HIGHATOMIC reserve takes a page block that is no ordinary one";
	if (z->reserved >= sf_reserve_max(z->pages, z->pageblock_order))
		return "the HIGHATOMIC reserve grows above its bound";
	return NULL;
}

/* RESERVE, before the shadow. */
unsigned int sf_bud_12_change(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_claim *c = &ev->claim;
	const struct sf_zone *z = &j->sh.zone;
	const char *fault;

	if (!z->on)
		return 0;
	fault = reserve_fault(z, c);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_BUD_12, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "%llu pages at pfn %#llx, type %u to %u; reserved %llu",
		  ULL(c->nr_pages), ULL(c->start), c->from, c->to, ULL(z->reserved));
	return 1;
}

/* mm/page_alloc.c:should_reclaim_retry gives up only when no free block of it is left. */
unsigned int sf_bud_12_oom(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;

	if (!z->on || ev->oom.guess || ev->oom.memcg != SF_NONE)
		return 0;
	if (!sf_zone_free_reserve(z))
		return 1;
	sf_title(j, SF_INV_BUD_12, "OOM was declared before the HIGHATOMIC reserve was let go");
	sf_report(j, ev, SF_NONE, SF_NONE, "%llu pages of it are free",
		  ULL(sf_zone_free_reserve(z)));
	return 1;
}

unsigned int sf_bud_12_walk(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_counters *c = &j->snap.counters;
	uint64_t due = sf_zone_free_reserve(z);

	if (!z->on || !j->sh.exact || !j->snap.has_counters)
		return 0;
	if (c->nr_highatomic == z->reserved && c->nr_free_highatomic == due)
		return 1;
	sf_title(j, SF_INV_BUD_12, "%s is wrong", c->nr_highatomic == z->reserved ?
		 "nr_free_highatomic" : "nr_reserved_highatomic");
	sf_report(j, ev, SF_NONE, SF_NONE, "%llu of %llu pages free; %llu of %llu due",
		  ULL(c->nr_free_highatomic), ULL(c->nr_highatomic), ULL(due), ULL(z->reserved));
	return 1;
}

/* --- BUD-13 --- */

static const char *boost_fault(const struct sf_zone *z, uint64_t boost)
{
	uint64_t block = 1ull << z->pageblock_order;
	uint64_t most = sf_boost_max(&z->marks, z->pages, block);

	if (boost == z->boost)
		return NULL;
	if (boost > most)
		return "the watermark boost is above its bound";
	if (!z->boost)
		return "the watermark boost is left when kswapd was woken";
	if (!boost)
		return "a page block was claimed and nothing boosted";
	return "the watermark boost is not a page block for each claim that was tried";
}

unsigned int sf_bud_13(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const char *fault;

	if (!z->on || !j->sh.exact || !j->snap.has_counters)
		return 0;
	fault = boost_fault(z, j->snap.counters.watermark_boost);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_BUD_13, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "boost of %llu pages, %llu due, page blocks of %llu",
		  ULL(j->snap.counters.watermark_boost), ULL(z->boost),
		  1ull << z->pageblock_order);
	return 1;
}
