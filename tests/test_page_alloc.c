// SPDX-License-Identifier: MIT
/*
 * test_page_alloc.c - the page allocator beside a second, naive one, and exact shapes.
 *
 * The naive allocator keeps one cell per page frame and a number for the place in a list; it walks
 * all of memory for every question. It is written from the rules of mm/page_alloc.c and shares
 * nothing with allocators/ but names of constants. Both get the same random requests and must agree
 * on every answer, list, counter and page block after every operation; meanwhile a shadow of the
 * heap is kept from events alone. Relies on arena.c for memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocators/arena.h"
#include "allocators/fault.h"
#include "allocators/page_alloc.h"
#include "tests/sound.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define U SF_MIGRATE_UNMOVABLE
#define M SF_MIGRATE_MOVABLE
#define R SF_MIGRATE_RECLAIMABLE
#define H SF_MIGRATE_HIGHATOMIC

/* --- the naive allocator --- */

enum kind { INSIDE, FREE, PCP, USED };

struct cell {
	uint8_t kind, order;
	uint8_t list;  /* FREE: type; PCP: list; USED: type asked for */
	uint8_t cpu;   /* PCP */
	int64_t place; /* in its list: ascending from the head */
};

struct naive {
	uint32_t pages, batch, high_min, high_max;
	unsigned int pbo, cpu, cpus;
	bool one_type, low, wake; /* below HIGH; kswapd is to be woken */
	uint64_t mark[3], boost;
	struct cell *cell;
	uint8_t *type; /* by page block */
	uint32_t reserve; /* pages of page blocks of type H */
	int64_t first, last;
	struct {
		uint32_t factor, run;
		int64_t high;
		bool small_high;
	} pcp[64];
	/* What it did: by mode of taking; claims of parts, and what the last one was judged by. */
	uint64_t modes[3], parts;
	uint32_t nr_free, alike;
	/* Filled by survey(). */
	uint32_t best[11][4], free_pages, free_reserve;
	/* Which end blocks of order 10 went to, by the events; each must have been asked for. */
	bool shuffle;
	const bool *ends;
	uint32_t nr_ends;
};

static void put(struct naive *n, uint32_t pfn, unsigned int kind, unsigned int order,
		unsigned int list, bool tail)
{
	memset(&n->cell[pfn], 0, sizeof(struct cell) << order);
	n->cell[pfn] = (struct cell){ (uint8_t)kind, (uint8_t)order, (uint8_t)list,
				      (uint8_t)n->cpu, tail ? ++n->last : --n->first };
}

static void naive_init(struct naive *n, const struct sf_settings *set)
{
	uint64_t root = 0, kb, pages = set->pages, batch = pages / 4096, gap;

	*n = (struct naive){ .pages = (uint32_t)pages, .pbo = (unsigned int)set->pageblock_order,
			     .cpus = (unsigned int)set->cpus, .shuffle = set->shuffle };
	while ((root + 1) * (root + 1) <= pages * 64)
		root++;
	kb = root < 128 ? 128 : root > 262144 ? 262144 : root;
	gap = pages / 1000 > kb / 4 / 4 ? pages / 1000 : kb / 4 / 4;
	for (uint64_t i = 0; set->watermarks && i < 3; i++)
		n->mark[i] = kb / 4 + i * gap;
	if (batch > 64)
		batch = 64;
	for (n->batch = 1; 2 * n->batch <= batch + batch / 2;)
		n->batch *= 2;
	n->batch = n->batch > 2 ? n->batch - 1 : 1;
	n->high_min = (uint32_t)(n->mark[1] / set->cpus);
	if (n->high_min < 4 * n->batch)
		n->high_min = 4 * n->batch;
	n->high_max = (uint32_t)(pages / 8 / set->cpus);
	if (n->high_max < 4 * n->batch)
		n->high_max = 4 * n->batch;
	n->one_type = pages < 4ull << n->pbo;
	n->cell = calloc(pages, sizeof(*n->cell));
	n->type = calloc((pages >> n->pbo) + 1, 1);
	assert_non_null(n->cell);
	assert_non_null(n->type);
	memset(n->type, M, (pages >> n->pbo) + 1);
	for (uint32_t p = 0; p < pages;) {
		unsigned int o = 10;

		while (p % (1u << o) || p + (1u << o) > pages)
			o--;
		put(n, p, FREE, o, M, true);
		p += 1u << o;
	}
}

static void survey(struct naive *n)
{
	memset(n->best, 0xff, sizeof(n->best));
	n->free_pages = n->free_reserve = 0;
	for (uint32_t p = 0; p < n->pages; p += 1u << n->cell[p].order) {
		const struct cell *c = &n->cell[p];
		uint32_t *b = &n->best[c->order][c->list & 3];

		if (c->kind != FREE)
			continue;
		n->free_pages += 1u << c->order;
		n->free_reserve += c->list == H ? 1u << c->order : 0;
		if (*b == NO_PFN || c->place < n->cell[*b].place)
			*b = p;
	}
}

static uint32_t split(struct naive *n, uint32_t pfn, unsigned int order, unsigned int type)
{
	for (unsigned int o = n->cell[pfn].order; o-- > order;)
		put(n, pfn + (1u << o), FREE, o, type, false);
	put(n, pfn, USED, order, 0, false);
	return pfn;
}

static const uint8_t first_choice[] = { R, R, U }, second_choice[] = { M, U, M };

static uint32_t victim(const struct naive *n, unsigned int order, unsigned int type)
{
	uint32_t p = n->best[order][first_choice[type]];

	return p != NO_PFN ? p : n->best[order][second_choice[type]];
}

/* True if the page block around `pfn` now is of type `want`. */
static bool naive_claim(struct naive *n, uint32_t pfn, unsigned int want, bool kswapd)
{
	uint32_t size = 1u << n->pbo, start = pfn / size * size, nr_free = 0, movable = 0, alike;
	unsigned int from = n->cell[pfn].list;
	uint64_t cap = n->mark[2] * 15000 / 10000;

	if (n->cell[pfn].order >= n->pbo) {
		memset(n->type + pfn / size, (int)want, (1u << n->cell[pfn].order) / size);
		return true;
	}
	if (4 * size <= n->pages && cap) {
		cap = cap < size ? size : cap;
		n->boost = n->boost + size > cap ? cap : n->boost + size;
		n->wake = n->wake || kswapd;
	}
	if (start + size > n->pages)
		return false;
	for (uint32_t p = start; p < start + size; p += 1u << n->cell[p].order) {
		if (n->cell[p].kind == FREE)
			nr_free += 1u << n->cell[p].order;
		if (n->cell[p].kind == USED && n->cell[p].list == M)
			movable += 1u << n->cell[p].order;
	}
	alike = want == M ? movable : from == M ? size - nr_free - movable : 0;
	if (!n->one_type && 2 * (nr_free + alike) < size)
		return false;
	for (uint32_t p = start; p < start + size; p += 1u << n->cell[p].order)
		if (n->cell[p].kind == FREE)
			put(n, p, FREE, n->cell[p].order, want, true);
	n->type[start / size] = (uint8_t)want;
	n->parts++;
	n->nr_free = nr_free;
	n->alike = alike;
	return true;
}

static uint32_t own(struct naive *n, unsigned int order, unsigned int type)
{
	survey(n);
	for (unsigned int o = order; o <= 10; o++)
		if (n->best[o][type] != NO_PFN)
			return split(n, n->best[o][type], order, type);
	return NO_PFN;
}

static uint32_t naive_take(struct naive *n, unsigned int order, unsigned int type, bool kswapd,
			   bool *stealing)
{
	uint32_t p = *stealing ? NO_PFN : own(n, order, type);

	if (p != NO_PFN) {
		n->modes[SF_RMQUEUE_OWN]++;
		return p;
	}
	survey(n);
	for (int o = 10; !*stealing && o >= (int)order; o--) {
		uint32_t v = victim(n, (unsigned int)o, type);

		if (type == M && o < (int)n->pbo && o < (int)n->pbo / 2)
			break;
		if (v == NO_PFN || !naive_claim(n, v, type, kswapd))
			continue;
		n->modes[SF_RMQUEUE_CLAIM]++;
		return (unsigned int)o >= n->pbo ? split(n, v, order, type) : own(n, order, type);
	}
	for (unsigned int o = order; o <= 10; o++) {
		p = victim(n, o, type);
		if (p == NO_PFN)
			continue;
		*stealing = true;
		n->modes[SF_RMQUEUE_STEAL]++;
		return split(n, p, order, n->cell[p].list);
	}
	return NO_PFN;
}

static bool is_free(const struct naive *n, uint32_t pfn, unsigned int order)
{
	return pfn < n->pages && n->cell[pfn].kind == FREE && n->cell[pfn].order == order;
}

static void naive_merge(struct naive *n, uint32_t pfn, unsigned int order, bool tail)
{
	uint8_t type = n->type[pfn >> n->pbo];

	while (order < 10 && is_free(n, pfn ^ (1u << order), order)) {
		uint32_t b = pfn ^ (1u << order);

		if (n->type[b >> n->pbo] != type && (type == H || n->type[b >> n->pbo] == H))
			break;
		for (uint32_t p = b; p < b + (1u << order); p++)
			n->type[p >> n->pbo] = order >= n->pbo ? type : n->type[p >> n->pbo];
		n->cell[b].kind = n->cell[pfn].kind = INSIDE;
		pfn = b < pfn ? b : pfn;
		order++;
	}
	if (order < 9 && is_free(n, (pfn & ~(1u << order)) ^ (2u << order), order + 1))
		tail = true;
	if (order == 10) {
		bool end = n->ends[n->nr_ends++];

		/* Chance decides where nothing else does. */
		assert_true(end == tail || (n->shuffle && !tail));
		tail = end;
	}
	put(n, pfn, FREE, order, type, tail);
}

static unsigned int pcp_list(const struct naive *n, unsigned int order, unsigned int type)
{
	if (order <= 3)
		return 3 * order + type;
	return order == 9 && n->pbo == 9 ? (type == M ? 13 : 12) : 99;
}

/* The first or last block of that list of a CPU; and how many pages all its lists hold. */
static uint32_t pcp_end(const struct naive *n, unsigned int cpu, unsigned int list, bool tail,
			uint32_t *count)
{
	uint32_t found = NO_PFN;

	*count = 0;
	for (uint32_t p = 0; p < n->pages; p += 1u << n->cell[p].order) {
		const struct cell *c = &n->cell[p];

		if (c->kind != PCP || c->cpu != cpu)
			continue;
		*count += 1u << c->order;
		if (c->list == list &&
		    (found == NO_PFN || (c->place < n->cell[found].place) != tail))
			found = p;
	}
	return found;
}

/* As the kernel's macro, whichever of the two is larger. */
static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value >= high ? high : value <= low ? low : value;
}

static uint32_t naive_pop(struct naive *n, unsigned int order, unsigned int type, bool kswapd,
			  bool no_refill)
{
	unsigned int list = pcp_list(n, order, type);
	bool stealing = false;
	uint32_t count, p, want = n->batch << (order ? 0 : n->pcp[n->cpu].factor);
	int64_t *high = &n->pcp[n->cpu].high, room;

	n->pcp[n->cpu].run /= 2;
	p = pcp_end(n, n->cpu, list, false, &count);
	if (p != NO_PFN)
		return p;
	*high = clamp(*high, n->high_min, n->high_max);
	if (n->high_min != n->high_max && !n->low)
		*high = *high + want < n->high_max ? *high + want : n->high_max;
	if (order == 0) {
		room = *high - count - n->batch;
		room = room < n->batch ? n->batch : room;
		if (want <= room && n->pcp[n->cpu].factor < 5)
			n->pcp[n->cpu].factor++;
		want = want > room ? (uint32_t)room : want;
	}
	if (want > 1)
		want = want >> order < 2 ? 2 : want >> order;
	while (!no_refill && want--) {
		p = naive_take(n, order, type, kswapd, &stealing);
		if (p == NO_PFN)
			break;
		put(n, p, PCP, order, list, true);
	}
	return pcp_end(n, n->cpu, list, false, &count);
}

static void naive_bulk(struct naive *n, unsigned int cpu, int64_t want, unsigned int list)
{
	uint32_t count, p = pcp_end(n, cpu, list, true, &count);

	while (want > 0 && count) {
		if (p == NO_PFN) {
			list = list == 13 ? 0 : list + 1;
		} else {
			unsigned int order = n->cell[p].order;

			want -= 1 << order;
			naive_merge(n, p, order, false);
		}
		p = pcp_end(n, cpu, list, true, &count);
	}
}

static void naive_push(struct naive *n, uint32_t pfn, unsigned int order, unsigned int list)
{
	bool small = order >= 1 && order <= 3, run_ends, tuned = n->high_min != n->high_max;
	int64_t *high = &n->pcp[n->cpu].high, limit, fewer;
	uint32_t count, todo;

	put(n, pfn, PCP, order, list, false);
	n->pcp[n->cpu].factor /= 2;
	pcp_end(n, n->cpu, list, false, &count);
	run_ends = small && n->pcp[n->cpu].small_high && count >= n->batch &&
		   n->pcp[n->cpu].run >= n->batch + n->high_min / 2;
	n->pcp[n->cpu].small_high = small;
	if (n->pcp[n->cpu].run < n->batch * 32)
		n->pcp[n->cpu].run += 1u << order;
	todo = n->pcp[n->cpu].run > n->batch ? n->pcp[n->cpu].run : n->batch;
	limit = *high = clamp(*high, n->high_min, n->high_max);
	fewer = limit - (run_ends ? n->batch * 32 : todo);
	if (run_ends || (n->low && tuned))
		*high = fewer > n->high_min ? fewer : n->high_min;
	if (!run_ends && n->low && tuned)
		limit = count > n->high_min ? count : n->high_min;
	if (!run_ends && !n->low && count >= limit && limit < n->pcp[n->cpu].run + n->batch)
		*high = tuned ? clamp(n->pcp[n->cpu].run + n->batch, n->high_min, n->high_max)
			      : limit;
	if (run_ends)
		todo = count < n->batch * 32 ? count : n->batch * 32;
	else if (count < limit)
		return;
	else if (todo > limit - n->batch)
		todo = (uint32_t)limit - n->batch;
	for (; todo >= n->batch; todo -= n->batch)
		naive_bulk(n, n->cpu, n->batch, list);
	naive_bulk(n, n->cpu, todo, list);
	survey(n);
	if (n->free_pages - n->free_reserve > n->mark[2] + n->boost)
		n->low = false;
}

static void naive_drain(struct naive *n)
{
	for (unsigned int c = 0; c < n->cpus; c++)
		naive_bulk(n, c, INT64_MAX / 2, 0);
}

/* Cannot wait, and may use reserves instead? */
static bool is_urgent(uint32_t gfp)
{
	return !(gfp & (SF_GFP_DIRECT_RECLAIM | SF_GFP_NOMEMALLOC));
}

/* Is that mark met, less what the flags waive if they count? */
static bool naive_meets(const struct naive *n, unsigned int order, int64_t min, uint32_t gfp,
			bool counts)
{
	bool any = order == 0, high = gfp & SF_GFP_HIGH;
	int64_t have = (int64_t)n->free_pages - (1 << order) + 1;

	for (unsigned int o = order; o <= 10; o++)
		for (unsigned int t = 0; t < 4; t++)
			any = any || (n->best[o][t] != NO_PFN &&
				      (t != H || (counts && high && is_urgent(gfp))));
	if (!counts || !(high || is_urgent(gfp)))
		have -= n->free_reserve;
	if (counts && high) {
		min -= min / 2;
		if (is_urgent(gfp))
			min -= min / 4;
	}
	return any && have > min;
}

static void naive_retype(struct naive *n, uint32_t pfn, unsigned int order, unsigned int type)
{
	uint32_t size = 1u << (order > n->pbo ? order : n->pbo), start = pfn / size * size;

	for (uint32_t p = start; p < start + size; p++)
		n->type[p >> n->pbo] = (uint8_t)type;
	if (type == H)
		n->reserve += size;
	else
		n->reserve -= size;
	if (order >= n->pbo)
		return;
	for (uint32_t p = start; p < start + size; p += 1u << n->cell[p].order)
		if (n->cell[p].kind == FREE)
			put(n, p, FREE, n->cell[p].order, type, true);
}

/* The page block of a block just handed out to a high-order atomic request. */
static void naive_reserve(struct naive *n, uint32_t pfn, unsigned int order)
{
	uint32_t size = 1u << n->pbo, most = (n->pages / 100 + size - 1) / size * size;
	bool fits = (pfn / size + 1) * size <= n->pages;

	if (n->pages / 100 >= size && n->reserve < most && n->type[pfn / size] != H &&
	    (order >= n->pbo || fits))
		naive_retype(n, pfn, order, H);
}

/* True if free pages left the reserve. */
static bool naive_unreserve(struct naive *n, unsigned int type, bool last)
{
	if (!last && n->reserve <= 1u << n->pbo)
		return false;
	survey(n);
	for (unsigned int o = 0; o <= 10; o++) {
		uint32_t p = n->best[o][H];

		if (p == NO_PFN)
			continue;
		naive_retype(n, p, o, type);
		for (uint32_t q = p; o >= n->pbo && q < p + (1u << o); q += 1u << n->pbo)
			put(n, q, USED, n->pbo, 0, false);
		for (uint32_t q = p; o >= n->pbo && q < p + (1u << o); q += 1u << n->pbo)
			naive_merge(n, q, n->pbo, true);
		return true;
	}
	return false;
}

/* From the free lists; the reserve first, or last. */
static uint32_t naive_buddy(struct naive *n, unsigned int order, unsigned int type, bool kswapd,
			    bool urgent, bool atomic, bool *stealing)
{
	uint32_t p = atomic ? own(n, order, H) : NO_PFN;

	if (p == NO_PFN)
		p = naive_take(n, order, type, kswapd, stealing);
	else
		n->modes[SF_RMQUEUE_OWN]++;
	if (p != NO_PFN || !urgent)
		return p;
	p = own(n, order, H);
	n->modes[SF_RMQUEUE_OWN] += p != NO_PFN;
	return p;
}

/* An attempt against mark[w]; flags count for MIN only. `none`: no mark at all counts. */
static uint32_t naive_try(struct naive *n, unsigned int order, unsigned int type, unsigned int w,
			  uint32_t gfp, bool none)
{
	bool ok, stealing = false, slow = w == 0 && !none, kswapd = gfp & SF_GFP_KSWAPD_RECLAIM;
	bool urgent = slow && is_urgent(gfp), atomic = urgent && order && (gfp & SF_GFP_HIGH);
	uint32_t p = NO_PFN;

	survey(n);
	if (!n->low && !naive_meets(n, order, (int64_t)(n->mark[2] + n->boost), gfp, slow))
		n->low = true;
	ok = none || naive_meets(n, order, (int64_t)(n->mark[w] + n->boost), gfp, slow) ||
	     (slow && order == 0 && (gfp & SF_GFP_HIGH) &&
	      naive_meets(n, order, (int64_t)n->mark[w], gfp, slow));
	if (!ok)
		return NO_PFN;
	if (pcp_list(n, order, type) != 99)
		p = naive_pop(n, order, type, kswapd, atomic);
	if (p == NO_PFN) {
		p = naive_buddy(n, order, type, kswapd, urgent, atomic, &stealing);
		if (p != NO_PFN && atomic)
			naive_reserve(n, p, order);
	}
	if (kswapd && n->wake) {
		n->wake = false;
		n->boost = 0;
	}
	if (p != NO_PFN)
		put(n, p, USED, order, type, false);
	return p;
}

static unsigned int type_of(uint32_t gfp)
{
	return gfp & SF_GFP_MOVABLE ? M : gfp & SF_GFP_RECLAIMABLE ? R : U;
}

/* All that reclaim can do here. True: more of the reserve was let go of, try again. */
static bool naive_drained(struct naive *n, uint32_t gfp, unsigned int order, unsigned int type,
			  bool mem, uint32_t *p)
{
	naive_unreserve(n, type, false);
	naive_drain(n);
	*p = naive_try(n, order, type, 0, mem ? gfp & ~SF_GFP_HIGH : gfp, mem);
	if (*p != NO_PFN || (gfp & SF_GFP_NORETRY) ||
	    (order > 3 && !((gfp & SF_GFP_RETRY_MAYFAIL) && (gfp & SF_GFP_IO))))
		return false;
	return naive_unreserve(n, type, true);
}

/* __GFP_NOFAIL after OOM, if that may be declared, and after all. */
static uint32_t naive_last(struct naive *n, uint32_t gfp, unsigned int order, unsigned int type)
{
	bool oom = order <= 3 &&
		   !(gfp & (SF_GFP_NORETRY | SF_GFP_RETRY_MAYFAIL | SF_GFP_THISNODE));
	uint32_t p = NO_PFN;

	gfp &= ~SF_GFP_KSWAPD_RECLAIM;
	if (oom)
		p = naive_try(n, order, type, 0, gfp, true);
	return p != NO_PFN ? p : naive_try(n, order, type, 0, gfp | SF_GFP_HIGH, false);
}

static uint32_t naive_alloc(struct naive *n, uint32_t gfp, unsigned int order, unsigned int *status)
{
	unsigned int type = n->one_type ? U : type_of(gfp);
	bool direct = gfp & SF_GFP_DIRECT_RECLAIM, nofail = gfp & SF_GFP_NOFAIL;
	bool mem = (gfp & SF_GFP_MEMALLOC) && !(gfp & SF_GFP_NOMEMALLOC);
	uint32_t p;

	*status = SF_NULL;
	if (order > 10)
		return NO_PFN;
	p = naive_try(n, order, type, 1, gfp, false);
	for (bool again = p == NO_PFN, first = true; again; first = false) {
		if (gfp & SF_GFP_KSWAPD_RECLAIM)
			n->boost = 0;
		if (first || !mem)
			p = naive_try(n, order, type, 0, gfp, false);
		if (p == NO_PFN && mem)
			p = naive_try(n, order, type, 0, gfp, true);
		again = p == NO_PFN && direct &&
			naive_drained(n, gfp, order, type, mem, &p);
	}
	if (p == NO_PFN && direct && nofail)
		p = naive_last(n, gfp, order, type);
	if (p == NO_PFN && direct && nofail)
		*status = SF_BLOCKED;
	if (p != NO_PFN)
		*status = SF_OK;
	return p;
}

static void naive_free(struct naive *n, uint32_t pfn, unsigned int order)
{
	unsigned int t = n->type[pfn >> n->pbo], list = pcp_list(n, order, t == H ? M : t);
	unsigned int o = order < n->pbo ? order : n->pbo;

	if (list != 99) {
		naive_push(n, pfn, order, list);
		return;
	}
	/* Taken apart first: every cell up to the end must be a block's. */
	for (uint32_t p = pfn; p < pfn + (1u << order); p += 1u << o)
		put(n, p, USED, o, 0, false);
	for (uint32_t p = pfn; p < pfn + (1u << order); p += 1u << o)
		naive_merge(n, p, o, false);
}

static uint32_t naive_exact(struct naive *n, uint64_t size, uint32_t gfp, unsigned int *status)
{
	unsigned int order = 0, type;
	uint32_t pfn;

	while (order < 52 && 4096ull << order < size)
		order++;
	pfn = naive_alloc(n, gfp, order, status);
	if (pfn == NO_PFN)
		return NO_PFN;
	type = n->cell[pfn].list;
	for (uint32_t i = 0; i < 1u << order; i++)
		put(n, pfn + i, USED, 0, type, false);
	for (uint32_t i = (uint32_t)((size + 4095) / 4096); i < 1u << order; i++)
		naive_merge(n, pfn + i, 0, true);
	return pfn;
}

/* --- a shadow from events --- */

enum { S_FREE, S_MOVING, S_PCP, S_USED };

struct shadow {
	uint32_t pages, moving;
	unsigned int pbo;
	bool one_type;
	uint8_t *state, *order, *list; /* by page; the latter two in heads of free blocks */
	uint8_t *type;                 /* by page block */
	int64_t *place, first, last;
	uint32_t deleted;              /* of the last BLOCK_DEL */
	uint32_t taken, rest, low;     /* last RMQUEUE: upper parts to come, their least order */
	uint64_t seen[SF_EV_TYPES], modes[3], claims[3], reserve, refused, hash;
	bool *ends;                    /* of blocks of order 10 since the last operation: tail */
	uint32_t nr_ends;
	uint64_t sides[2];             /* and since boot: head, tail */
	uint64_t reserves[2];          /* page blocks that were reserved, released */
	struct sf_ev_pagefail fail;
	struct sf_ev_claim part;
};

static void move(struct shadow *s, uint64_t pfn, unsigned int order, unsigned int from,
		 unsigned int to)
{
	assert_true(pfn + (1u << order) <= s->pages);
	for (uint64_t p = pfn; p < pfn + (1u << order); p++) {
		assert_int_equal(s->state[p], from);
		s->state[p] = (uint8_t)to;
	}
	s->moving += to == S_MOVING ? 1u << order : 0;
	s->moving -= from == S_MOVING ? 1u << order : 0;
}

static void on_block(struct shadow *s, const struct sf_ev_block *b, bool add)
{
	assert_int_equal(b->pfn & ((1u << b->order) - 1), 0);
	if (add) {
		move(s, b->pfn, b->order, S_MOVING, S_FREE);
		assert_int_equal(b->migratetype, s->type[b->pfn >> s->pbo]);
		s->order[b->pfn] = b->order;
		s->list[b->pfn] = b->migratetype;
		s->place[b->pfn] = b->tail ? ++s->last : --s->first;
		if (b->order == 10) {
			s->ends[s->nr_ends++ % s->pages] = b->tail;
			s->sides[b->tail]++;
		}
		if (s->rest) {
			s->rest--;
			assert_false(b->tail);
			assert_int_equal(b->order, s->low + s->rest);
			assert_int_equal(b->pfn, s->taken + (1u << b->order));
		}
	} else {
		assert_int_equal(s->rest, 0);
		move(s, b->pfn, b->order, S_FREE, S_MOVING);
		assert_int_equal(s->order[b->pfn], b->order);
		assert_int_equal(s->list[b->pfn], b->migratetype);
		s->deleted = (uint32_t)b->pfn;
	}
}

static void on_take(struct shadow *s, const struct sf_ev_rmqueue *q)
{
	assert_int_equal(q->pfn, s->deleted);
	assert_int_equal(q->from_order, s->order[q->pfn]);
	assert_int_equal(q->from_type, s->list[q->pfn]);
	if (q->mode == SF_RMQUEUE_OWN)
		assert_int_equal(q->from_type, q->migratetype);
	if (q->mode == SF_RMQUEUE_STEAL)
		assert_int_not_equal(q->from_type, q->migratetype);
	if (q->to_pcp)
		move(s, q->pfn, q->order, S_MOVING, S_PCP);
	s->modes[q->mode]++;
	s->taken = (uint32_t)q->pfn;
	s->low = q->order;
	s->rest = q->from_order - q->order;
}

static void on_claim(struct shadow *s, const struct sf_ev_claim *c)
{
	assert_int_not_equal(c->from, c->to);
	assert_int_equal(c->nr_pages, c->whole ? 1u << c->order : 1u << s->pbo);
	assert_true(c->whole ? c->start == c->pfn :
			       s->one_type || c->free + c->alike >= c->nr_pages / 2);
	for (uint64_t p = c->start; p < c->start + c->nr_pages; p += 1u << s->pbo) {
		assert_int_equal(s->type[p >> s->pbo], c->from);
		s->type[p >> s->pbo] = c->to;
	}
	s->claims[c->merge ? 2 : c->whole]++;
	if (!c->whole)
		s->part = *c;
}

/* The reserve takes ordinary page blocks, and lets go only of its own. */
static void on_reserve(struct shadow *s, const struct sf_ev_claim *c)
{
	assert_int_equal(c->start & ((1u << s->pbo) - 1), 0);
	assert_int_equal(c->release ? c->from : c->to, H);
	assert_int_not_equal(c->from, c->to);
	for (uint64_t p = c->start; p < c->start + c->nr_pages; p += 1u << s->pbo) {
		assert_int_equal(s->type[p >> s->pbo], c->from);
		s->type[p >> s->pbo] = c->to;
	}
	s->reserves[c->release]++;
}

static void on_page(struct shadow *s, const struct sf_event *ev)
{
	const struct sf_ev_page *p = &ev->page;

	if (ev->type == SF_EV_PAGE_ALLOC) {
		move(s, p->pfn, p->order, p->pcp ? S_PCP : S_MOVING, S_USED);
		if (!p->pcp && !p->reserve)
			assert_true(p->free_before + 1 > p->mark + (1u << p->order));
		s->reserve += p->reserve;
		return;
	}
	assert_int_equal(p->migratetype, s->type[p->pfn >> s->pbo]);
	if (ev->type == SF_EV_PAGE_FREE)
		move(s, p->pfn, p->order, S_USED, p->pcp ? S_PCP : S_MOVING);
	else
		move(s, p->pfn, p->order, S_PCP, S_MOVING);
	assert_int_equal(p->list == 0xff, !p->pcp);
}

static void mix(struct shadow *s, uint64_t x)
{
	s->hash = (s->hash ^ x) * 0x100000001b3ull;
	s->hash ^= s->hash >> 32;
}

/* Members, never bytes: what an event does not carry is not written. */
static void mix_event(struct shadow *s, const struct sf_event *ev)
{
	mix(s, ev->type);
	mix(s, ev->cpu);
	switch (ev->type) {
	case SF_EV_BLOCK_ADD:
	case SF_EV_BLOCK_DEL:
		mix(s, ev->block.pfn);
		mix(s, ev->block.order << 9 | ev->block.migratetype << 1 | ev->block.tail);
		break;
	case SF_EV_RMQUEUE:
		mix(s, ev->rmqueue.pfn);
		mix(s, ev->rmqueue.order << 16 | ev->rmqueue.from_order << 8 | ev->rmqueue.mode);
		mix(s, ev->rmqueue.migratetype << 8 | ev->rmqueue.from_type);
		mix(s, ev->rmqueue.to_pcp);
		break;
	case SF_EV_RESERVE:
	case SF_EV_CLAIM:
		mix(s, ev->claim.pfn);
		mix(s, ev->claim.start);
		mix(s, ev->claim.nr_pages);
		mix(s, (uint64_t)ev->claim.free << 32 | ev->claim.alike);
		mix(s, ev->claim.from << 8 | ev->claim.to);
		mix(s, ev->claim.whole << 1 | ev->claim.merge);
		break;
	case SF_EV_PAGE_ALLOC:
	case SF_EV_PAGE_FREE:
	case SF_EV_PCP_DRAIN:
		mix(s, ev->page.pfn);
		mix(s, ev->page.order << 16 | ev->page.migratetype << 8 | ev->page.list);
		mix(s, ev->page.pcp << 1 | ev->page.reserve);
		mix(s, ev->page.free_before);
		mix(s, ev->page.mark);
		break;
	case SF_EV_OOM:
		mix(s, ev->oom.order << 8 | ev->oom.migratetype);
		mix(s, ev->oom.free);
		mix(s, ev->oom.mark);
		mix(s, ev->oom.rounds);
		break;
	case SF_EV_PAGE_FAIL:
		mix(s, ev->pagefail.order << 8 | ev->pagefail.migratetype);
		mix(s, ev->pagefail.free);
		mix(s, ev->pagefail.mark);
		break;
	}
}

static void on_event(void *ctx, const struct sf_event *ev)
{
	struct shadow *s = ctx;

	s->seen[ev->type]++;
	mix_event(s, ev);
	if (ev->type == SF_EV_BLOCK_ADD || ev->type == SF_EV_BLOCK_DEL)
		on_block(s, &ev->block, ev->type == SF_EV_BLOCK_ADD);
	else if (ev->type == SF_EV_RMQUEUE)
		on_take(s, &ev->rmqueue);
	else if (ev->type == SF_EV_CLAIM)
		on_claim(s, &ev->claim);
	else if (ev->type == SF_EV_RESERVE)
		on_reserve(s, &ev->claim);
	else if (ev->type == SF_EV_PAGE_ALLOC || ev->type == SF_EV_PAGE_FREE ||
		 ev->type == SF_EV_PCP_DRAIN)
		on_page(s, ev);
	else if (ev->type == SF_EV_PAGE_FAIL)
		s->fail = ev->pagefail;
	s->refused += ev->type == SF_EV_PAGE_FAIL && ev->pagefail.refused;
}

static void shadow_boot(struct shadow *s, const struct sf_heap *h)
{
	*s = (struct shadow){ .pages = s->pages, .pbo = s->pbo, .state = s->state,
			      .order = s->order, .list = s->list, .type = s->type,
			      .place = s->place, .one_type = h->zone.one_type,
			      .ends = s->ends };
	memset(s->state, S_FREE, s->pages);
	memset(s->type, M, (s->pages >> s->pbo) + 1);
	for (unsigned int o = 0; o <= 10; o++) {
		for (uint32_t p = h->zone.free[o][M].head; p != NO_PFN; p = h->arena.page[p].next) {
			s->order[p] = h->arena.page[p].order;
			s->list[p] = h->arena.page[p].list;
			s->place[p] = ++s->last;
		}
	}
}

/* The largest blocks of a fresh zone, in the order that the heap has them in: any will do. */
static void naive_shuffle(struct naive *n, const struct sf_heap *h)
{
	int64_t first = n->last + 1;
	uint32_t nr = 0;

	for (uint32_t p = h->zone.free[10][M].head; p != NO_PFN; p = h->arena.page[p].next, nr++) {
		assert_true(is_free(n, p, 10) && n->cell[p].place < first);
		n->cell[p].place = ++n->last;
	}
	assert_int_equal(nr, n->pages >> 10);
}

/* --- the rig --- */

struct block {
	uint32_t pfn, order;
	uint64_t size; /* exact: bytes; else 0 */
};

struct rig {
	struct sf_heap *h;
	struct sf_sink sink;
	struct shadow s;
	struct naive n;
	struct block *live;
	uint32_t nr_live;
	uint64_t random;
	bool urgent; /* many small blocks for who cannot wait */
};

/* The heap is fresh: so are its shadow and its twin, and the dice. */
static void rig_begin(struct rig *r)
{
	const struct sf_settings *set = &r->h->set;

	shadow_boot(&r->s, r->h);
	naive_init(&r->n, set);
	if (set->shuffle)
		naive_shuffle(&r->n, r->h);
	r->n.ends = r->s.ends;
	r->nr_live = 0;
	r->random = set->pages * 0x9e3779b97f4a7c15ull + set->cpus * 77 + set->pageblock_order +
		    set->watermarks;
}

static void rig_open_set(struct rig *r, const struct sf_settings *set)
{
	struct sf_error err = { "" };
	struct shadow *s = &r->s;
	uint64_t pages = set->pages, pbo = set->pageblock_order;

	memset(r, 0, sizeof(*r));
	r->h = calloc(1, sizeof(*r->h));
	assert_non_null(r->h);
	r->h->set = *set;
	r->h->sink = &r->sink;
	r->h->memcg = SF_NONE;
	r->sink = (struct sf_sink){ .emit = on_event, .ctx = s };
	assert_true(arena_init(r->h, &err));
	assert_true(zone_init(r->h, &err));
	s->pages = (uint32_t)pages;
	s->pbo = (unsigned int)pbo;
	s->state = calloc(pages, 1);
	s->order = calloc(pages, 1);
	s->list = calloc(pages, 1);
	s->type = calloc((pages >> pbo) + 1, 1);
	s->place = calloc(pages, sizeof(*s->place));
	s->ends = calloc(pages, sizeof(*s->ends));
	r->live = calloc(pages, sizeof(*r->live));
	rig_begin(r);
}

static struct sf_settings settings(uint64_t pages, uint64_t cpus, uint64_t pbo, uint64_t watermarks)
{
	struct sf_settings set;

	sf_settings_init(&set);
	set.pages = pages;
	set.cpus = cpus;
	set.pageblock_order = pbo;
	set.watermarks = watermarks;
	return set;
}

static void rig_open(struct rig *r, uint64_t pages, uint64_t cpus, uint64_t pbo,
		     uint64_t watermarks)
{
	struct sf_settings set = settings(pages, cpus, pbo, watermarks);

	rig_open_set(r, &set);
}

static void rig_reset(struct rig *r)
{
	assert_sound(r->h);
	arena_reset(r->h);
	zone_reset(r->h);
	r->h->cpu = 0;
	r->h->rng = 0;
	free(r->n.cell);
	free(r->n.type);
	rig_begin(r);
}

static void rig_close(struct rig *r)
{
	assert_sound(r->h);
	zone_free(r->h);
	arena_free(r->h);
	free(r->h);
	free(r->s.state);
	free(r->s.order);
	free(r->s.list);
	free(r->s.type);
	free(r->s.place);
	free(r->s.ends);
	free(r->n.cell);
	free(r->n.type);
	free(r->live);
}

static uint64_t rnd(struct rig *r, uint64_t below)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random % below;
}

/* Follows a list both ways; every block must be where the naive allocator and the events put it. */
static uint32_t check_list(const struct rig *r, const struct page_list *l, unsigned int kind,
			   unsigned int cpu, unsigned int order, unsigned int list)
{
	const struct page *page = r->h->arena.page;
	uint32_t nr = 0, prev = NO_PFN;

	for (uint32_t p = l->head; p != NO_PFN; prev = p, p = page[p].next, nr++) {
		const struct cell *c = &r->n.cell[p];

		assert_true(p < r->s.pages && nr < l->nr);
		assert_int_equal(page[p].prev, prev);
		assert_int_equal(page[p].state, kind == FREE ? PAGE_FREE : PAGE_PCP);
		assert_int_equal(page[p].order, order);
		assert_int_equal(page[p].list, list);
		assert_int_equal(c->kind, kind);
		assert_int_equal(c->order, order);
		assert_int_equal(c->list, list);
		assert_true(kind == FREE || c->cpu == cpu);
		assert_int_equal(r->s.state[p], kind == FREE ? S_FREE : S_PCP);
		assert_true(prev == NO_PFN || c->place > r->n.cell[prev].place);
		if (kind == FREE && prev != NO_PFN)
			assert_true(r->s.place[p] > r->s.place[prev]);
	}
	assert_int_equal(l->tail, prev);
	assert_int_equal(l->nr, nr);
	return nr;
}

/* Descriptors inside blocks: all zero if free, tails if used; if parked and large either, all. */
static void check_inside(const struct rig *r, uint32_t pfn)
{
	static const struct page zero;
	const struct page *page = r->h->arena.page;
	unsigned int kind = r->n.cell[pfn].kind, order = r->n.cell[pfn].order;
	bool tails = kind == USED || (kind == PCP && order > 3 && page[pfn + 1].state == PAGE_TAIL);

	for (uint32_t p = pfn + 1; p < pfn + (1u << order); p++) {
		assert_int_equal(r->n.cell[p].kind, INSIDE);
		if (!tails)
			assert_memory_equal(&page[p], &zero, sizeof(zero));
		else
			assert_true(page[p].state == PAGE_TAIL && page[p].head == pfn);
	}
}

static void check_all(const struct rig *r, bool inside)
{
	const struct zone *z = &r->h->zone;
	uint32_t listed = 0, heads = 0, free_pages = 0, reserve = 0;

	assert_int_equal(r->s.moving, 0);
	for (unsigned int o = 0; o <= 10; o++) {
		uint32_t nr = 0;

		for (unsigned int t = 0; t < SF_MIGRATE_TYPES; t++)
			nr += check_list(r, &z->free[o][t], FREE, 0, o, t);
		reserve += z->free[o][H].nr << o;
		assert_int_equal(z->nr_free[o], nr);
		free_pages += nr << o;
		listed += nr;
	}
	assert_int_equal(z->nr_free_pages, free_pages);
	assert_int_equal(z->nr_highatomic, r->n.reserve);
	assert_int_equal(z->nr_free_highatomic, reserve);
	for (unsigned int c = 0; c < r->n.cpus; c++) {
		uint32_t count = 0;

		for (unsigned int l = 0; l < NR_PCP_LISTS; l++) {
			unsigned int o = l < 12 ? l / 3 : 9;
			uint32_t nr = check_list(r, &z->pcp[c].list[l], PCP, c, o, l);

			count += nr << o;
			listed += nr;
		}
		assert_int_equal(z->pcp[c].count, count);
		assert_int_equal(z->pcp[c].high, r->n.pcp[c].high);
	}
	for (uint32_t p = 0; p < r->s.pages; p += 1u << r->n.cell[p].order) {
		heads += r->n.cell[p].kind != USED;
		if (r->n.cell[p].kind == USED) {
			assert_int_equal(r->h->arena.page[p].state, PAGE_USED);
			assert_int_equal(r->h->arena.page[p].order, r->n.cell[p].order);
			assert_int_equal(r->s.state[p], S_USED);
		}
		if (inside)
			check_inside(r, p);
	}
	assert_int_equal(heads, listed);
	assert_int_equal(z->boost, r->n.boost);
	assert_int_equal(z->below_high, r->n.low);
	assert_memory_equal(r->s.modes, r->n.modes, sizeof(r->n.modes));
	assert_int_equal(r->s.claims[0], r->n.parts);
	assert_int_equal(r->s.part.free, r->n.nr_free);
	assert_int_equal(r->s.part.alike, r->n.alike);
	assert_memory_equal(z->block_type, r->n.type, z->nr_blocks);
	assert_memory_equal(z->block_type, r->s.type, z->nr_blocks);
}

/* The twin makes as many of the largest blocks as the heap did just before it. */
static void forget_ends(struct rig *r)
{
	r->n.nr_ends = r->s.nr_ends = 0;
}

static void check_ends(const struct rig *r)
{
	assert_int_equal(r->n.nr_ends, r->s.nr_ends);
}

static void do_alloc(struct rig *r, uint32_t gfp, unsigned int order, uint64_t size)
{
	enum sf_status status = SF_NOTICED;
	unsigned int expected;
	uint64_t fails = r->s.seen[SF_EV_PAGE_FAIL];
	uint32_t pfn, naive;

	forget_ends(r);
	if (size) {
		pfn = page_alloc_exact(r->h, size, gfp, &status);
		naive = naive_exact(&r->n, size, gfp, &expected);
	} else {
		pfn = page_alloc(r->h, gfp, order, &status);
		naive = naive_alloc(&r->n, gfp, order, &expected);
	}
	assert_int_equal(pfn, naive);
	assert_int_equal(status, expected);
	check_ends(r);
	assert_int_equal(r->s.seen[SF_EV_PAGE_FAIL] - fails, pfn == NO_PFN);
	if (pfn != NO_PFN)
		r->live[r->nr_live++] = (struct block){ pfn, order, size };
}

static void do_free(struct rig *r, uint32_t i)
{
	struct block b = r->live[i];

	forget_ends(r);
	r->live[i] = r->live[--r->nr_live];
	if (b.size) {
		page_free_exact(r->h, b.pfn, b.size);
		for (uint32_t p = 0; p < (b.size + 4095) / 4096; p++)
			naive_free(&r->n, b.pfn + p, 0);
	} else {
		page_free(r->h, b.pfn, b.order);
		naive_free(&r->n, b.pfn, b.order);
	}
	check_ends(r);
}

static void drain(struct rig *r)
{
	forget_ends(r);
	page_drain_all(r->h);
	naive_drain(&r->n);
	check_ends(r);
}

static void free_all(struct rig *r)
{
	while (r->nr_live)
		do_free(r, r->nr_live - 1);
	drain(r);
}

static const uint32_t some_gfp[] = {
	SF_GFP_KERNEL, SF_GFP_KERNEL, SF_GFP_KERNEL | SF_GFP_RECLAIMABLE, SF_GFP_HIGHUSER_MOVABLE,
	SF_GFP_HIGHUSER_MOVABLE, SF_GFP_ATOMIC, SF_GFP_ATOMIC | SF_GFP_NOMEMALLOC, SF_GFP_NOWAIT,
	SF_GFP_NOFS, SF_GFP_KERNEL | SF_GFP_HIGH, SF_GFP_KERNEL | SF_GFP_NORETRY,
	SF_GFP_KERNEL | SF_GFP_NOFAIL, SF_GFP_KERNEL | SF_GFP_MEMALLOC | SF_GFP_HIGH,
	SF_GFP_KERNEL | SF_GFP_MEMALLOC | SF_GFP_NOMEMALLOC, 0, SF_GFP_RECLAIMABLE,
	SF_GFP_KERNEL | SF_GFP_NOFAIL | SF_GFP_NORETRY, SF_GFP_HIGH | SF_GFP_NOFAIL,
	SF_GFP_KERNEL | SF_GFP_NOFAIL | SF_GFP_RETRY_MAYFAIL,
	SF_GFP_MOVABLE | SF_GFP_DIRECT_RECLAIM,
};

/*
 * Phases lean towards allocating or freeing, to large or small blocks and to one kind of request,
 * so that memory runs full and falls empty in different ways.
 */
static void random_op(struct rig *r, unsigned int phase)
{
	uint64_t what = rnd(r, 100), grow = phase & 1 ? 70 : 38;
	unsigned int order = phase & 2 ? (unsigned int)rnd(r, 4) : (unsigned int)rnd(r, 11);
	uint32_t gfp = some_gfp[phase % 5 ? rnd(r, ARRAY_SIZE(some_gfp)) : phase / 5 % 5];

	if (phase & 4 && rnd(r, 4))
		order = 0;
	if (r->urgent && rnd(r, 3)) {
		order = (unsigned int)rnd(r, 5);
		gfp = rnd(r, 2) ? SF_GFP_ATOMIC : SF_GFP_KERNEL;
	}
	if (what < 3) {
		r->n.cpu = (unsigned int)rnd(r, r->n.cpus);
		r->h->cpu = r->n.cpu;
	} else if (what == 3) {
		drain(r);
	} else if (what < 4 + grow) {
		uint64_t exact = rnd(r, 8) ? 0 : 1 + rnd(r, 4096ull << order);

		do_alloc(r, gfp, rnd(r, 200) ? order : 11, exact);
	} else if (r->nr_live) {
		do_free(r, (uint32_t)rnd(r, r->nr_live));
	}
}

/* --- random programs --- */

enum { SHUFFLE = 1, URGENT = 2 };

struct shape {
	uint32_t pages, cpus, pbo, watermarks, ops, how;
};

static const struct shape shapes[] = {
	{ 64, 1, 9, 0, 6000, 0 },     { 64, 2, 4, 1, 6000, 0 },    { 100, 3, 4, 0, 6000, 0 },
	{ 256, 2, 4, 0, 12000, 0 },   { 333, 4, 4, 1, 8000, 0 },   { 1023, 2, 6, 0, 8000, 0 },
	{ 1024, 1, 9, 1, 4000, 0 },   { 2600, 2, 9, 1, 4000, 0 },  { 2600, 2, 8, 0, 4000, 0 },
	{ 5000, 3, 9, 0, 4000, 0 },   { 5120, 2, 10, 1, 3000, 0 }, { 9001, 4, 9, 1, 2500, 0 },
	{ 16384, 2, 9, 1, 2000, 0 },  { 20000, 4, 9, 0, 2000, 0 }, { 1024, 1, 9, 0, 2000, 1 },
	{ 5000, 3, 9, 0, 3000, 1 },   { 9001, 4, 4, 1, 2500, 1 },  { 20480, 2, 10, 0, 2000, 1 },
	{ 1700, 2, 4, 1, 8000, 2 },   { 3300, 3, 5, 0, 5000, 2 },  { 4000, 1, 4, 1, 4000, 3 },
};

static void shape_open(struct rig *r, const struct shape *sh)
{
	struct sf_settings set = settings(sh->pages, sh->cpus, sh->pbo, sh->watermarks);

	set.shuffle = sh->how & SHUFFLE;
	set.seed = sh->ops;
	rig_open_set(r, &set);
	r->urgent = sh->how & URGENT;
}

static struct shadow total; /* of all shapes: that everything happened */

static void add_up(const struct shadow *s)
{
	for (unsigned int i = 0; i < SF_EV_TYPES; i++)
		total.seen[i] += s->seen[i];
	for (unsigned int i = 0; i < 3; i++) {
		total.modes[i] += s->modes[i];
		total.claims[i] += s->claims[i];
	}
	total.reserves[0] += s->reserves[0];
	total.reserves[1] += s->reserves[1];
	total.sides[0] += s->sides[0];
	total.sides[1] += s->sides[1];
	total.reserve += s->reserve;
	total.refused += s->refused;
}

static void test_random(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape *sh = &shapes[i];
		struct rig r;

		shape_open(&r, sh);
		check_all(&r, true);
		for (uint32_t op = 0; op < sh->ops; op++) {
			random_op(&r, op / (sh->ops / 40));
			check_all(&r, sh->pages <= 1024 || op % 32 == 0);
		}
		free_all(&r);
		check_all(&r, true);
		assert_int_equal(r.h->zone.nr_free_pages, sh->pages);
		add_up(&r.s);
		rig_close(&r);
	}
}

/* Each rare thing happened, or test_random() proved nothing about it. */
static void test_random_reached_everything(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(total.modes[i] > 100);
		assert_true(total.claims[i] > 20);
	}
	assert_true(total.seen[SF_EV_PCP_DRAIN] > 1000);
	assert_true(total.seen[SF_EV_PAGE_FAIL] > 1000);
	assert_true(total.seen[SF_EV_OOM] > 100);
	assert_true(total.seen[SF_EV_WARN] > 10);
	assert_true(total.reserve > 20);
	assert_true(total.refused > 20);
	assert_true(total.sides[0] > 50 && total.sides[1] > 50);
	assert_true(total.reserves[0] > 20 && total.reserves[1] > 20);
}

/* --- reset and determinism --- */

static void check_fresh(const struct rig *r, const struct rig *fresh)
{
	const struct zone *a = &r->h->zone, *b = &fresh->h->zone;

	assert_memory_equal(r->h->arena.page, fresh->h->arena.page,
			    r->s.pages * sizeof(struct page));
	assert_memory_equal(a->block_type, b->block_type, a->nr_blocks);
	assert_memory_equal(a->free, b->free, sizeof(a->free));
	assert_memory_equal(a->nr_free, b->nr_free, sizeof(a->nr_free));
	assert_memory_equal(a->pcp, b->pcp, sizeof(a->pcp));
	assert_int_equal(a->nr_free_pages, b->nr_free_pages);
	assert_int_equal(a->boost, b->boost);
	assert_int_equal(a->nr_highatomic, 0);
	assert_int_equal(a->nr_free_highatomic, 0);
}

/* After a reset the heap is fresh, byte for byte, and does the same again, event for event. */
static void test_reset(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape *sh = &shapes[i];
		struct rig r, fresh;
		uint64_t hash = 0;

		shape_open(&r, sh);
		shape_open(&fresh, sh);
		for (unsigned int round = 0; round < 3; round++) {
			for (uint32_t op = 0; op < 1000; op++)
				random_op(&r, op / 25);
			check_all(&r, true);
			assert_true(round == 0 || hash == r.s.hash);
			hash = r.s.hash;
			r.h->zone.boost += 16;
			rig_reset(&r);
			check_fresh(&r, &fresh);
		}
		rig_close(&r);
		rig_close(&fresh);
	}
}

/* --- exact shapes --- */

static uint32_t take(struct rig *r, uint32_t gfp, unsigned int order)
{
	enum sf_status status;
	uint32_t pfn = page_alloc(r->h, gfp, order, &status);

	assert_int_equal(pfn == NO_PFN, status != SF_OK);
	return pfn;
}

static void test_order_of_size(void **state)
{
	(void)state;
	assert_int_equal(get_order(1), 0);
	assert_int_equal(get_order(4096), 0);
	assert_int_equal(get_order(4097), 1);
	assert_int_equal(get_order(640 << 10), 8);
	assert_int_equal(get_order(4 << 20), 10);
	assert_int_equal(get_order((4 << 20) + 1), 11);
	assert_int_equal(get_order(1ull << 63), 51);
	assert_int_equal(get_order(UINT64_MAX), 52);
}

/* The figures of a 64 MiB zone (256, 320, 384; batch 3), of the smallest, and of 1 GiB. */
static void test_zone_figures(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 16384, 2, 9, 1);
	assert_int_equal(r.h->zone.wmark[0], 256);
	assert_int_equal(r.h->zone.wmark[1], 320);
	assert_int_equal(r.h->zone.wmark[2], 384);
	assert_int_equal(r.h->zone.pcp_batch, 3);
	assert_int_equal(r.h->zone.pcp_high_min, 160);
	assert_int_equal(r.h->zone.pcp_high_max, 1024);
	assert_false(r.h->zone.one_type);
	rig_close(&r);
	rig_open(&r, 64, 64, 9, 1);
	assert_int_equal(r.h->zone.wmark[0], 32);
	assert_int_equal(r.h->zone.wmark[1], 40);
	assert_int_equal(r.h->zone.pcp_batch, 1);
	assert_int_equal(r.h->zone.pcp_high_min, 4);
	assert_true(r.h->zone.one_type);
	rig_close(&r);
	rig_open(&r, 262144, 4, 9, 1);
	assert_int_equal(r.h->zone.wmark[0], 1024);
	assert_int_equal(r.h->zone.wmark[1], 1024 + 262);
	assert_int_equal(r.h->zone.pcp_batch, 63);
	rig_close(&r);
}

/* All page blocks begin MOVABLE: the first of each other type claims a whole block of order 10. */
static void test_first_claims(void **state)
{
	struct rig r;
	const struct zone *z;

	(void)state;
	rig_open(&r, 16384, 1, 9, 1);
	z = &r.h->zone;
	assert_int_equal(z->nr_free[10], 16);
	assert_int_equal(take(&r, SF_GFP_KERNEL, 4), 0);
	assert_int_equal(r.s.claims[1], 1);
	assert_int_equal(take(&r, SF_GFP_KERNEL | SF_GFP_RECLAIMABLE, 4), 1024);
	assert_int_equal(r.s.claims[1], 2);
	assert_int_equal(take(&r, SF_GFP_HIGHUSER_MOVABLE, 4), 2048);
	assert_int_equal(r.s.claims[1], 2);
	assert_int_equal(page_block_type(r.h, 1023), U);
	assert_int_equal(page_block_type(r.h, 1024), R);
	assert_int_equal(page_block_type(r.h, 2048), M);
	for (unsigned int o = 4; o < 10; o++) {
		assert_int_equal(z->free[o][U].head, 1u << o);
		assert_int_equal(z->free[o][R].head, 1024 + (1u << o));
		assert_int_equal(z->free[o][M].head, 2048 + (1u << o));
	}
	rig_close(&r);
}

/* 640 KiB: 256 pages, 160 kept, 96 back at once as 32 + 64. */
static void test_exact(void **state)
{
	enum sf_status status;
	struct rig r;
	const struct zone *z;
	uint32_t pfn;

	(void)state;
	rig_open(&r, 16384, 1, 9, 1);
	z = &r.h->zone;
	pfn = page_alloc_exact(r.h, 640 << 10, SF_GFP_KERNEL, &status);
	assert_int_equal(pfn, 0);
	assert_int_equal(z->nr_free_pages, 16384 - 160);
	assert_int_equal(z->pcp[0].count, 0);
	for (unsigned int o = 0; o < 10; o++)
		assert_int_equal(z->nr_free[o], o == 5 || o == 6 || o == 8 || o == 9);
	assert_int_equal(z->free[5][U].head, 160);
	assert_int_equal(z->free[6][U].head, 192);
	assert_int_equal(r.s.seen[SF_EV_PAGE_ALLOC], 1);
	assert_int_equal(r.s.seen[SF_EV_PAGE_FREE], 96);
	page_free_exact(r.h, pfn, 640 << 10);
	assert_int_equal(r.s.seen[SF_EV_PAGE_FREE], 256);
	page_drain_all(r.h);
	assert_int_equal(z->nr_free[10], 16);
	assert_int_equal(page_alloc_exact(r.h, 0, SF_GFP_KERNEL, &status), NO_PFN);
	rig_close(&r);
}

/* Order 9: refilled two at a time, and one list for unmovable and reclaimable. */
static void test_order_9(void **state)
{
	struct rig r;
	const struct zone *z;
	uint32_t pfn;

	(void)state;
	rig_open(&r, 16384, 1, 9, 1);
	z = &r.h->zone;
	pfn = take(&r, SF_GFP_KERNEL, 9);
	assert_int_equal(pfn, 0);
	assert_int_equal(z->pcp[0].count, 512);
	assert_int_equal(z->pcp[0].list[12].head, 512);
	assert_int_equal(take(&r, SF_GFP_KERNEL | SF_GFP_RECLAIMABLE, 9), 512);
	assert_int_equal(page_block_type(r.h, 512), U);
	assert_int_equal(take(&r, SF_GFP_HIGHUSER_MOVABLE, 9), 1024);
	assert_int_equal(z->pcp[0].list[13].head, 1536);
	rig_close(&r);
	/* Below 32 MiB the batch is one page, and one block is what is taken. */
	rig_open(&r, 4096, 1, 9, 1);
	assert_int_equal(take(&r, SF_GFP_KERNEL, 9), 0);
	assert_int_equal(r.h->zone.pcp[0].count, 0);
	rig_close(&r);
	/* Where a page block is larger there are no huge pages: no list. */
	rig_open(&r, 16384, 1, 10, 1);
	assert_int_equal(take(&r, SF_GFP_KERNEL, 9), 0);
	assert_int_equal(r.h->zone.pcp[0].count, 0);
	assert_int_equal(r.h->zone.nr_free[9], 1);
	rig_close(&r);
}

/* Refills of order 0 double while nothing is freed: 3, 6, 12, ... up to 96. */
static void test_refill_doubles(void **state)
{
	static const uint32_t sizes[] = { 3, 6, 12, 24, 48, 96, 96 };
	struct rig r;
	uint32_t pfn = 0;

	(void)state;
	rig_open(&r, 16384, 1, 9, 1);
	assert_int_equal(r.h->zone.pcp_high_min, 320);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint64_t before = r.h->zone.nr_free_pages;

		assert_int_equal(r.h->zone.pcp[0].count, 0);
		pfn = take(&r, SF_GFP_KERNEL, 0);
		assert_int_equal(before - r.h->zone.nr_free_pages, sizes[i]);
		while (r.h->zone.pcp[0].count)
			take(&r, SF_GFP_KERNEL, 0);
	}
	page_free(r.h, pfn, 0);
	assert_int_equal(r.h->zone.pcp[0].alloc_factor, 2);
	/* Each refill raised the high mark by as much. */
	assert_int_equal(r.h->zone.pcp[0].high, 320 + 285);
	rig_close(&r);
}

/* Below the zone's HIGH mark refills raise nothing, and frees take the lists' own mark down. */
static void test_high_mark_follows_memory(void **state)
{
	struct rig r;
	const struct zone *z;
	uint32_t n = 0;

	(void)state;
	rig_open(&r, 16384, 1, 9, 1);
	z = &r.h->zone;
	while (!z->below_high)
		r.live[n++].pfn = take(&r, SF_GFP_NOWAIT, 0);
	assert_true(z->nr_free_pages <= 384 + 96);
	assert_int_equal(z->pcp[0].high, 2048);
	while (z->below_high)
		page_free(r.h, r.live[--n].pfn, 0);
	assert_true(z->pcp[0].high < 2048);
	assert_true(z->nr_free_pages > 384);
	while (n)
		page_free(r.h, r.live[--n].pfn, 0);
	assert_true(z->pcp[0].count < z->pcp[0].high);
	rig_close(&r);
}

/*
 * A large atomic request under pressure takes what a per-CPU list has and does not refill it, so
 * that the reserve is not parked (mm/page_alloc.c:__rmqueue_pcplist).
 */
static void test_atomic_does_not_refill(void **state)
{
	struct rig r;
	uint64_t pcp;

	(void)state;
	rig_open(&r, 64, 1, 9, 1);
	while (take(&r, SF_GFP_NOWAIT, 1) != NO_PFN)
		;
	pcp = r.h->zone.pcp[0].count;
	assert_int_not_equal(take(&r, SF_GFP_ATOMIC, 2), NO_PFN);
	assert_int_equal(r.h->zone.pcp[0].count, pcp);
	assert_int_equal(r.h->zone.nr_free_pages, 28);
	rig_close(&r);
	/* Who may reclaim is served as ever. */
	rig_open(&r, 16384, 1, 9, 1);
	while (take(&r, SF_GFP_NOWAIT, 1) != NO_PFN)
		;
	pcp = r.h->zone.pcp[0].count;
	assert_int_not_equal(take(&r, SF_GFP_KERNEL | SF_GFP_HIGH, 2), NO_PFN);
	assert_int_equal(r.h->zone.pcp[0].count, pcp + 4);
	rig_close(&r);
}

/*
 * 16-page page blocks, all memory taken as single movable pages; then `nr` pages of one page block
 * are freed, none next to another where that can be.
 */
static void open_holes(struct rig *r, uint32_t block, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		page_free(r->h, block * 16 + (i < 8 ? 2 * i : 2 * (i - 8) + 1), 0);
	page_drain_all(r->h);
}

static void fill(struct rig *r, uint32_t gfp)
{
	for (uint32_t i = 0; i < r->s.pages; i++)
		assert_int_not_equal(take(r, gfp, 0), NO_PFN);
	assert_int_equal(take(r, gfp | SF_GFP_NORETRY, 0), NO_PFN);
}

/* Too small a zone to group by: page blocks begin MOVABLE, the one type there is claims each. */
static void test_no_grouping(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 2048, 1, 9, 1);
	assert_false(r.h->zone.one_type);
	rig_close(&r);
	rig_open(&r, 2047, 1, 9, 1);
	assert_true(r.h->zone.one_type);
	assert_int_equal(r.h->zone.free[10][M].head, 0);
	assert_int_equal(take(&r, SF_GFP_HIGHUSER_MOVABLE, 0), 0);
	assert_int_equal(r.s.claims[1], 1);
	assert_int_equal(page_block_type(r.h, 1023), U);
	assert_int_equal(page_block_type(r.h, 1024), M);
	rig_close(&r);
	/* However little of it is free: one page of 16 is enough. */
	rig_open(&r, 63, 1, 4, 0);
	fill(&r, SF_GFP_KERNEL);
	for (uint32_t b = 0; b < 3; b++)
		assert_int_equal(page_block_type(r.h, 16 * b), U);
	/* A page block that leaves the zone keeps its type: its pages were stolen. */
	assert_int_equal(page_block_type(r.h, 48), M);
	assert_true(r.s.modes[SF_RMQUEUE_STEAL] > 0);
	rig_close(&r);
}

/* Half of the page block decides: 8 of 16 free are enough, 7 are not. */
static void test_claim_threshold(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 256, 1, 4, 0);
	fill(&r, SF_GFP_HIGHUSER_MOVABLE);
	open_holes(&r, 3, 7);
	assert_int_equal(take(&r, SF_GFP_KERNEL, 0) / 16, 3);
	assert_int_equal(r.s.modes[SF_RMQUEUE_STEAL], 1);
	assert_int_equal(page_block_type(r.h, 3 * 16), M);
	/*
	 * 6 free and the stolen page, which is not movable: 7. Two are taken this time, one of them
	 * for the per-CPU list: it is neither free nor movable.
	 */
	assert_int_equal(take(&r, SF_GFP_KERNEL, 0) / 16, 3);
	assert_int_equal(r.s.modes[SF_RMQUEUE_STEAL], 3);
	/* One more free page: 6 free, 2 alike. */
	page_free(r.h, 3 * 16 + 15, 0);
	page_drain_all(r.h);
	assert_int_equal(take(&r, SF_GFP_KERNEL, 0) / 16, 3);
	assert_int_equal(r.s.claims[0], 1);
	assert_int_equal(page_block_type(r.h, 3 * 16), U);
	assert_int_equal(r.h->zone.free[0][U].nr + 2 * r.h->zone.free[1][U].nr +
				 r.h->zone.pcp[0].count,
			 5);
	assert_int_equal(r.h->zone.free[0][M].nr, 0);
	rig_close(&r);
	/* In a page block that is not MOVABLE nothing counts as alike: 7 free stay 7. */
	rig_open(&r, 256, 1, 4, 0);
	fill(&r, SF_GFP_KERNEL);
	open_holes(&r, 5, 7);
	assert_int_equal(take(&r, SF_GFP_KERNEL | SF_GFP_RECLAIMABLE, 0) / 16, 5);
	page_free(r.h, 5 * 16 + 15, 0);
	page_drain_all(r.h);
	assert_int_equal(take(&r, SF_GFP_KERNEL | SF_GFP_RECLAIMABLE, 0) / 16, 5);
	assert_int_equal(page_block_type(r.h, 5 * 16), U);
	assert_int_equal(r.s.claims[0], 0);
	open_holes(&r, 9, 8);
	while (r.h->zone.free[0][U].nr > 7)
		take(&r, SF_GFP_KERNEL | SF_GFP_RECLAIMABLE, 0);
	assert_int_equal(r.s.claims[0], 1);
	assert_int_equal(page_block_type(r.h, 9 * 16), R);
	rig_close(&r);
}

/* Movable requests never claim below half the page block order, however much of it is free. */
static void test_movable_claims_large_only(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 256, 1, 4, 0);
	fill(&r, SF_GFP_KERNEL);
	open_holes(&r, 2, 8);
	assert_int_equal(take(&r, SF_GFP_HIGHUSER_MOVABLE, 0) / 16, 2);
	assert_int_equal(r.s.modes[SF_RMQUEUE_STEAL], 1);
	assert_int_equal(page_block_type(r.h, 2 * 16), U);
	/* Blocks of order 2 it does claim, if half of the page block is free. */
	for (uint32_t p = 0; p < 8; p++)
		page_free(r.h, 7 * 16 + (p < 4 ? p : p + 4), 0);
	page_drain_all(r.h);
	assert_int_equal(take(&r, SF_GFP_HIGHUSER_MOVABLE, 0) / 16, 7);
	assert_int_equal(page_block_type(r.h, 7 * 16), M);
	rig_close(&r);
}

/* Rows of the fallback table: a page and a pair of each other type are there to choose from. */
static void test_fallback_rows(void **state)
{
	static const struct {
		uint32_t gfp, from;
	} rows[] = {
		{ SF_GFP_KERNEL, R },
		{ SF_GFP_KERNEL | SF_GFP_RECLAIMABLE, U },
		{ SF_GFP_HIGHUSER_MOVABLE, R },
	};
	static const uint32_t of_type[] = { [U] = SF_GFP_KERNEL,
					    [M] = SF_GFP_HIGHUSER_MOVABLE,
					    [R] = SF_GFP_KERNEL | SF_GFP_RECLAIMABLE };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t taken[3], got;
		struct rig r;

		rig_open(&r, 3072, 1, 4, 0);
		/* Each type has a block of order 10, with holes in those of the others. */
		for (unsigned int t = 0; t < 3; t++)
			taken[t] = take(&r, of_type[t], 10);
		for (unsigned int t = 0; t < 3; t++)
			assert_int_equal(page_block_type(r.h, taken[t]), t);
		for (unsigned int t = 0; t < 3; t++) {
			enum sf_status status;
			uint32_t pfn;

			page_free(r.h, taken[t], 10);
			pfn = page_alloc_exact(r.h, 4 << 20, of_type[t], &status);
			assert_int_equal(pfn, taken[t]);
			if (t != type_of(rows[i].gfp)) {
				page_free(r.h, pfn + 5, 0);
				page_free(r.h, pfn + 102, 0);
				page_free(r.h, pfn + 103, 0);
			}
		}
		page_drain_all(r.h);
		got = take(&r, rows[i].gfp, 0);
		assert_int_equal(got, taken[rows[i].from] + 5);
		assert_int_equal(r.s.modes[SF_RMQUEUE_STEAL], 1);
		assert_int_equal(page_block_type(r.h, got), rows[i].from);
		rig_close(&r);
	}
}

/* Blocks of two types that merge become one of the type freed last. */
static void test_merge_across_types(void **state)
{
	struct rig r;
	uint32_t low, high;

	(void)state;
	rig_open(&r, 64 * 16, 1, 4, 0);
	low = take(&r, SF_GFP_HIGHUSER_MOVABLE, 4);
	high = take(&r, SF_GFP_HIGHUSER_MOVABLE, 4);
	assert_int_equal(high, low + 16);
	while (take(&r, SF_GFP_HIGHUSER_MOVABLE | SF_GFP_NORETRY, 4) != NO_PFN)
		;
	page_free(r.h, low, 4);
	assert_int_equal(take(&r, SF_GFP_KERNEL, 4), low);
	assert_int_equal(page_block_type(r.h, low), U);
	assert_int_equal(page_block_type(r.h, high), M);
	page_free(r.h, high, 4);
	page_free(r.h, low, 4);
	assert_int_equal(r.s.claims[2], 1);
	assert_int_equal(page_block_type(r.h, high), U);
	assert_int_equal(r.h->zone.free[5][U].head, low);
	rig_close(&r);
}

/* --- watermarks and gfp flags --- */

/*
 * How many free pages requests of these flags leave in the smallest heap: marks 32, 40, 48. Pairs,
 * since single pages are taken in bulk, and only the first of a bulk is held against a mark.
 */
static void test_reserves(void **state)
{
	static const struct {
		uint32_t gfp;
		uint64_t left;
	} cases[] = {
		{ SF_GFP_KERNEL, 32 },
		{ SF_GFP_NOWAIT, 32 },
		{ SF_GFP_KERNEL | SF_GFP_NORETRY, 32 },
		{ SF_GFP_KERNEL | SF_GFP_HIGH, 16 },
		{ SF_GFP_ATOMIC | SF_GFP_NOMEMALLOC, 16 },
		{ SF_GFP_ATOMIC, 12 },
		{ SF_GFP_KERNEL | SF_GFP_MEMALLOC | SF_GFP_NOMEMALLOC, 32 },
		{ SF_GFP_KERNEL | SF_GFP_MEMALLOC, 0 },
		{ SF_GFP_KERNEL | SF_GFP_NOFAIL, 0 },
		{ SF_GFP_KERNEL | SF_GFP_NOFAIL | SF_GFP_NORETRY, 16 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig r;

		rig_open(&r, 64, 1, 9, 1);
		while (take(&r, cases[i].gfp, 1) != NO_PFN)
			;
		assert_int_equal(r.h->zone.nr_free_pages, cases[i].left);
		assert_int_equal(r.s.seen[SF_EV_PAGE_FAIL], 1);
		assert_int_equal(r.s.fail.free, cases[i].left);
		rig_close(&r);
	}
}

/* The order counts: 2^order - 1 pages must be left above the mark, and a block must be there. */
static void test_watermark_of_order(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 64, 1, 9, 1);
	assert_int_equal(take(&r, SF_GFP_NOWAIT, 4), 0);
	assert_int_equal(take(&r, SF_GFP_NOWAIT, 4), 16);
	/* 32 left, and min 32: strictly more is asked for. */
	assert_int_equal(take(&r, SF_GFP_NOWAIT, 0), NO_PFN);
	page_free(r.h, 16, 4);
	assert_int_equal(take(&r, SF_GFP_NOWAIT, 5), NO_PFN);
	assert_int_equal(take(&r, SF_GFP_NOWAIT, 3), 16);
	assert_int_equal(take(&r, SF_GFP_NOWAIT, 3), 24);
	rig_close(&r);
	rig_open(&r, 64, 1, 9, 0);
	assert_int_equal(take(&r, SF_GFP_NOWAIT, 6), 0);
	assert_int_equal(r.h->zone.nr_free_pages, 0);
	rig_close(&r);
}

/* What failing looks like: status, OOM, warnings. */
static void test_failures(void **state)
{
	static const struct {
		uint32_t gfp;
		uint8_t order, status, oom, warn;
	} cases[] = {
		{ SF_GFP_KERNEL, 0, SF_NULL, 1, 0 },
		{ SF_GFP_KERNEL, 3, SF_NULL, 1, 0 },
		{ SF_GFP_KERNEL, 4, SF_NULL, 0, 0 },
		{ SF_GFP_NOFS, 0, SF_NULL, 0, 0 },
		{ SF_GFP_ATOMIC, 0, SF_NULL, 0, 0 },
		{ SF_GFP_KERNEL | SF_GFP_NORETRY, 0, SF_NULL, 0, 0 },
		{ SF_GFP_KERNEL | SF_GFP_RETRY_MAYFAIL, 0, SF_NULL, 0, 0 },
		{ SF_GFP_KERNEL | SF_GFP_THISNODE, 0, SF_NULL, 0, 0 },
		{ SF_GFP_KERNEL | SF_GFP_NOFAIL, 0, SF_BLOCKED, 1, 0 },
		{ SF_GFP_KERNEL | SF_GFP_NOFAIL, 4, SF_BLOCKED, 0, 0 },
		{ SF_GFP_NOFS | SF_GFP_NOFAIL, 1, SF_BLOCKED, 0, 0 },
		{ SF_GFP_ATOMIC | SF_GFP_NOFAIL, 0, SF_NULL, 0, 1 },
		{ SF_GFP_KERNEL, 11, SF_NULL, 0, 1 },
		{ SF_GFP_KERNEL | SF_GFP_NOWARN, 11, SF_NULL, 0, 0 },
		{ SF_GFP_KERNEL | SF_GFP_NOFAIL, 11, SF_NULL, 0, 1 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		enum sf_status status;
		struct rig r;

		rig_open(&r, 64, 1, 9, 0);
		assert_int_equal(take(&r, SF_GFP_KERNEL, 6), 0);
		assert_int_equal(page_alloc(r.h, cases[i].gfp, cases[i].order, &status), NO_PFN);
		assert_int_equal(status, cases[i].status);
		assert_int_equal(r.s.seen[SF_EV_OOM], cases[i].oom);
		assert_int_equal(r.s.seen[SF_EV_WARN], cases[i].warn);
		assert_int_equal(r.s.seen[SF_EV_PAGE_FAIL], 1);
		assert_int_equal(r.s.fail.order, cases[i].order);
		assert_int_equal(r.s.fail.refused, cases[i].order > 10);
		rig_close(&r);
	}
}

/* Pages on another CPU's list are got back only by who may reclaim. */
static void test_drain_before_failing(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 64, 2, 9, 0);
	for (uint32_t i = 0; i < 64; i++)
		take(&r, SF_GFP_KERNEL, 0);
	r.h->cpu = 1;
	page_free(r.h, 7, 0);
	assert_int_equal(r.h->zone.pcp[1].count, 1);
	r.h->cpu = 0;
	assert_int_equal(take(&r, SF_GFP_ATOMIC, 0), NO_PFN);
	assert_int_equal(r.s.seen[SF_EV_PCP_DRAIN], 0);
	assert_int_equal(take(&r, SF_GFP_KERNEL | SF_GFP_NORETRY, 0), 7);
	assert_int_equal(r.s.seen[SF_EV_PCP_DRAIN], 1);
	rig_close(&r);
}

/* A block above the page block order goes back in page blocks, which merge. */
static void test_free_above_page_block(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 16384, 1, 9, 1);
	assert_int_equal(take(&r, SF_GFP_KERNEL, 10), 0);
	assert_int_equal(r.s.seen[SF_EV_BLOCK_ADD], 0);
	page_free(r.h, 0, 10);
	assert_int_equal(r.s.seen[SF_EV_BLOCK_ADD], 2);
	assert_int_equal(r.s.seen[SF_EV_BLOCK_DEL], 2);
	assert_int_equal(r.h->zone.nr_free[10], 16);
	assert_int_equal(r.h->zone.nr_free[9], 0);
	rig_close(&r);
}

static void test_injected_failure(void **state)
{
	struct rig r;
	uint64_t before;

	(void)state;
	rig_open(&r, 64, 1, 9, 0);
	fault_fail(r.h, SF_FAULT_PAGE, 1);
	assert_int_equal(take(&r, SF_GFP_KERNEL | SF_GFP_NOFAIL, 1), 0);
	assert_int_equal(take(&r, SF_GFP_KERNEL, 1), 2);
	before = r.h->zone.nr_free_pages;
	assert_int_equal(take(&r, SF_GFP_KERNEL, 1), NO_PFN);
	assert_int_equal(r.s.seen[SF_EV_FAULT], 1);
	assert_int_equal(r.s.seen[SF_EV_PAGE_FAIL], 0);
	assert_int_equal(r.h->zone.nr_free_pages, before);
	assert_int_equal(take(&r, SF_GFP_KERNEL, 1), 4);
	rig_close(&r);
}

/* A claim of a part boosts all marks by a page block, up to 150 % of HIGH; kswapd takes it back. */
static void test_boost(void **state)
{
	struct rig r;
	struct zone *z;

	(void)state;
	/* With many CPUs the bulks are small. */
	rig_open(&r, 256, 64, 4, 1);
	z = &r.h->zone;
	assert_int_equal(z->wmark[2], 48);
	while (take(&r, SF_GFP_MOVABLE | SF_GFP_MEMALLOC, 0) != NO_PFN)
		;
	assert_int_equal(z->nr_free_pages, 0);
	for (uint32_t p = 0; p < 256; p += 2)
		page_free(r.h, p, 0);
	page_drain_all(r.h);
	for (unsigned int i = 1; i <= 6; i++) {
		uint32_t nr = z->free[0][U].nr;

		assert_int_not_equal(take(&r, SF_GFP_HIGH | SF_GFP_MEMALLOC, 0), NO_PFN);
		if (!nr)
			assert_true(z->boost > 0 && z->boost <= 72);
		while (z->free[0][U].nr)
			take(&r, SF_GFP_HIGH | SF_GFP_MEMALLOC, 0);
	}
	assert_int_equal(z->boost, 72);
	assert_int_equal(z->wmark[0], 32);
	/* Without kswapd it stays; with kswapd a request that fails the low mark takes it back. */
	while (take(&r, SF_GFP_MOVABLE, 0) != NO_PFN)
		;
	assert_int_equal(z->boost, 72);
	take(&r, SF_GFP_NOWAIT, 10);
	assert_int_equal(z->boost, 0);
	rig_close(&r);
}

/* A boost does not bind single pages of __GFP_HIGH: 12 of the mark of 32 do, not 39 of 104. */
static void test_boost_and_reserve(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 256, 64, 4, 1);
	r.h->zone.boost = 72;
	while (r.h->zone.nr_free_pages > 32)
		take(&r, SF_GFP_MEMALLOC, 4);
	take(&r, SF_GFP_MEMALLOC, 1);
	assert_int_equal(r.h->zone.nr_free_pages, 30);
	assert_int_equal(take(&r, SF_GFP_HIGH, 1), NO_PFN);
	assert_int_not_equal(take(&r, SF_GFP_HIGH, 0), NO_PFN);
	r.h->zone.boost = 0;
	assert_int_not_equal(take(&r, SF_GFP_HIGH, 1), NO_PFN);
	rig_close(&r);
}

/* __GFP_ZERO: the whole block, and only what was written costs anything. */
static void test_zero(void **state)
{
	struct rig r;

	(void)state;
	rig_open(&r, 64, 1, 9, 0);
	for (uint32_t p = 0; p < 64; p += 3)
		raw_store(r.h, pfn_addr(p) + 8 * p, 0x1234);
	assert_int_equal(take(&r, SF_GFP_KERNEL, 4), 0);
	assert_true(arena_zeroed(r.h, pfn_addr(0), 0, 16 << 12, SF_CONTENTS_WHOLE) != SF_GOOD);
	page_free(r.h, 0, 4);
	assert_int_equal(take(&r, SF_GFP_KERNEL | SF_GFP_ZERO, 4), 0);
	assert_true(arena_zeroed(r.h, pfn_addr(0), 0, 16 << 12, SF_CONTENTS_WHOLE) == SF_GOOD);
	assert_true(arena_zeroed(r.h, pfn_addr(16), 0, 16 << 12, SF_CONTENTS_WHOLE) != SF_GOOD);
	r.h->set.init_on_alloc = 1;
	assert_int_equal(take(&r, SF_GFP_KERNEL, 4), 16);
	assert_true(arena_zeroed(r.h, pfn_addr(16), 0, 16 << 12, SF_CONTENTS_WHOLE) == SF_GOOD);
	rig_close(&r);
}

/* --- shuffling --- */

static struct sf_settings shuffled(uint64_t pages, uint64_t seed)
{
	struct sf_settings set = settings(pages, 1, 9, 0);

	set.shuffle = 1;
	set.seed = seed;
	return set;
}

/* The pfns of a list, in its order. */
static uint32_t read_list(const struct rig *r, unsigned int order, uint32_t *out)
{
	uint32_t n = 0;

	for (uint32_t p = r->h->zone.free[order][M].head; p != NO_PFN; p = r->h->arena.page[p].next)
		out[n++] = p;
	return n;
}

static void rig_reboot(struct rig *r, uint64_t seed)
{
	r->h->set.seed = seed;
	rig_reset(r);
}

#define SHUFFLE_DRAWS 0x73687566666c6500ull /* "shuffle": names the dice of a boot */

/*
 * mm/shuffle.c:__shuffle_zone on an array, with the same dice: each block, in the order of
 * addresses, changes places with one that a random page lies in, if one of ten throws hits another.
 */
static void shuffle_array(const struct sf_heap *h, uint32_t *array, uint32_t nr)
{
	uint64_t draws = 0;

	for (uint32_t b = 0; b < nr; b++)
		array[b] = b * 1024;
	for (uint32_t b = 0; b < nr; b++) {
		uint32_t other = b, x = 0, y = 0;

		for (int i = 0; i < 10 && (other == b || other >= nr); i++)
			other = (uint32_t)(heap_boot_random(h, SHUFFLE_DRAWS + draws++) %
					   h->set.pages / 1024);
		if (other >= nr)
			continue;
		while (array[x] != b * 1024)
			x++;
		while (array[y] != other * 1024)
			y++;
		array[x] = other * 1024;
		array[y] = b * 1024;
	}
}

static void test_shuffle_at_boot(void **state)
{
	static const uint32_t sizes[] = { 1024, 1500, 2048, 3071, 16384, 70000 };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct sf_settings set = shuffled(sizes[i], 0);
		uint32_t want[128], have[128], small[16], nr = sizes[i] / 1024;
		struct rig r;

		rig_open_set(&r, &set);
		/* With two blocks nine throws are too few once in a thousand times. */
		for (uint64_t seed = 0; seed < (nr == 2 ? 5000 : 20); seed++) {
			if (seed < 20) {
				rig_reboot(&r, seed);
				check_all(&r, true);
			}
			r.h->set.seed = seed;
			zone_reset(r.h);
			shuffle_array(r.h, want, nr);
			assert_int_equal(read_list(&r, 10, have), nr);
			assert_memory_equal(have, want, nr * sizeof(*have));
			for (unsigned int o = 0; o < 10; o++)
				assert_int_equal(read_list(&r, o, small), sizes[i] >> o & 1);
		}
		rig_close(&r);
	}
}

/*
 * Over 4096 boots each of 16 blocks comes first about as often as any other: 256 times, within 6
 * standard deviations of 15.5 and the bias that the kernel's shuffle is known to have (which leaves
 * the last blocks where they are a little less often).
 */
static void test_shuffle_spreads(void **state)
{
	struct sf_settings set = shuffled(16384, 0);
	uint32_t order[16] = { 0 }, first[16] = { 0 }, same = 0, before[16] = { 0 };
	struct rig r;

	(void)state;
	rig_open_set(&r, &set);
	for (uint64_t seed = 0; seed < 4096; seed++) {
		r.h->set.seed = seed;
		zone_reset(r.h);
		assert_int_equal(read_list(&r, 10, order), 16);
		first[order[0] / 1024]++;
		same += !memcmp(order, before, sizeof(order));
		memcpy(before, order, sizeof(order));
	}
	for (unsigned int b = 0; b < 16; b++)
		assert_in_range(first[b], 96, 416);
	assert_int_equal(same, 0);
	rig_close(&r);
}

/* Bits of a 64-bit number, the lowest first; then another number. */
static void test_shuffle_reservoir(void **state)
{
	struct sf_settings set = shuffled(8192, 5);
	struct rig r;
	uint64_t word[2], ones = 0;

	(void)state;
	rig_open_set(&r, &set);
	for (unsigned int i = 0; i < 2; i++)
		word[i] = heap_random(r.h);
	r.h->rng = 0;
	for (unsigned int i = 0; i < 128; i++) {
		uint32_t pfn = take(&r, SF_GFP_KERNEL, 10);
		const struct page_list *l = &r.h->zone.free[10][U];
		bool tail = word[i / 64] >> (i % 64) & 1;

		page_free(r.h, pfn, 10);
		if (l->nr > 1)
			assert_int_equal(tail ? l->tail : l->head, pfn);
		assert_int_equal(r.s.ends[r.s.nr_ends - 1], tail);
	}
	assert_int_not_equal(word[0], word[1]);
	/* Heads and tails are as likely: 8192 throws, 6 standard deviations of 45. */
	memset(r.s.sides, 0, sizeof(r.s.sides));
	for (unsigned int i = 0; i < 8192; i++)
		page_free(r.h, take(&r, SF_GFP_KERNEL, 10), 10);
	ones = r.s.sides[1];
	assert_int_equal(r.s.sides[0] + ones, 8192);
	assert_in_range(ones, 4096 - 272, 4096 + 272);
	/* Reset forgets what is left of a number. */
	rig_reset(&r);
	take(&r, SF_GFP_KERNEL, 10);
	page_free(r.h, take(&r, SF_GFP_KERNEL, 10), 10);
	assert_int_equal(r.s.ends[r.s.nr_ends - 1], word[0] & 1);
	rig_close(&r);
}

/* Blocks below order 10 cost no random number, whatever the setting. */
static void test_shuffle_leaves_small_blocks(void **state)
{
	struct sf_settings set = shuffled(4096, 1);
	struct rig r, plain;

	(void)state;
	rig_open_set(&r, &set);
	rig_open(&plain, 4096, 1, 9, 0);
	for (unsigned int order = 0; order < 10; order++) {
		uint32_t base = take(&r, SF_GFP_KERNEL, 10), a;
		uint32_t base2 = take(&plain, SF_GFP_KERNEL, 10), b;

		take(&r, SF_GFP_KERNEL, 10);
		take(&plain, SF_GFP_KERNEL, 10);
		page_split(r.h, base, 10);
		page_split(plain.h, base2, 10);
		/* Every other block of that order, so that nothing merges. */
		for (uint32_t p = 0; p < 1024; p += 2u << order) {
			page_free(r.h, base + p, order);
			page_free(plain.h, base2 + p, order);
		}
		page_drain_all(r.h);
		page_drain_all(plain.h);
		assert_int_equal(r.h->zone.shuffle_bits, 0);
		a = r.h->zone.free[order][U].head;
		b = plain.h->zone.free[order][U].head;
		for (; b != NO_PFN; a = r.h->arena.page[a].next, b = plain.h->arena.page[b].next)
			assert_int_equal(a - base, b - base2);
		assert_int_equal(a, NO_PFN);
		rig_reset(&r);
		rig_reset(&plain);
	}
	rig_close(&r);
	rig_close(&plain);
}

/* --- init_on_free --- */

/* A word in each page of [pfn, pfn + nr). */
static void scribble(struct rig *r, uint32_t pfn, uint32_t nr)
{
	for (uint32_t p = pfn; p < pfn + nr; p++)
		raw_store(r->h, pfn_addr(p) + 8 * (p % 512), 0xdeadbeefdeadbeefull);
}

/* What is freed is zero at once, wherever it goes: the zone or a per-CPU list. */
static void test_wipe_on_free(void **state)
{
	struct sf_settings set = settings(4096, 2, 9, 0);
	struct rig r;
	uint32_t pfn;
	enum sf_status status;

	(void)state;
	for (set.init_on_free = 0; set.init_on_free < 2; set.init_on_free++) {
		bool wiped = set.init_on_free;

		rig_open_set(&r, &set);
		for (unsigned int order = 0; order <= 10; order++) {
			pfn = take(&r, SF_GFP_KERNEL, order);
			scribble(&r, pfn, 1u << order);
			assert_int_equal(arena_dirty(r.h, pfn, 1u << order), 8 * (pfn % 512));
			page_free(r.h, pfn, order);
			assert_int_equal(arena_dirty(r.h, pfn, 1u << order) == SF_GOOD, wiped);
		}
		pfn = page_alloc_exact(r.h, 5 * 4096 + 1, SF_GFP_KERNEL, &status);
		scribble(&r, pfn, 6);
		page_free_exact(r.h, pfn, 5 * 4096 + 1);
		assert_int_equal(arena_dirty(r.h, pfn, 6) == SF_GOOD, wiped);
		rig_close(&r);
	}
}

/* The rest of an exact allocation is freed too: what a stale write left in it goes. */
static void test_wipe_exact_rest(void **state)
{
	struct sf_settings set = settings(4096, 1, 9, 0);
	enum sf_status status;
	struct rig r;
	uint32_t pfn;

	(void)state;
	set.init_on_free = 1;
	rig_open_set(&r, &set);
	scribble(&r, 0, 4096);
	pfn = page_alloc_exact(r.h, 3 * 4096, SF_GFP_KERNEL | SF_GFP_ZERO, &status);
	assert_int_equal(arena_dirty(r.h, pfn, 1), 8 * (pfn % 512));
	assert_int_equal(arena_dirty(r.h, pfn + 3, 1), SF_GOOD);
	assert_int_equal(arena_dirty(r.h, pfn + 4, 1), 8 * ((pfn + 4) % 512));
	rig_close(&r);
}

/* mm/page_alloc.c:post_alloc_hook: with init_on_free __GFP_ZERO and init_on_alloc do no work. */
static void test_zero_trusts_free(void **state)
{
	struct sf_settings set = settings(4096, 1, 9, 0);
	struct rig r;
	uint32_t pfn;

	(void)state;
	for (set.init_on_alloc = 0; set.init_on_alloc < 2; set.init_on_alloc++) {
		set.init_on_free = 1;
		rig_open_set(&r, &set);
		pfn = take(&r, SF_GFP_KERNEL, 0);
		scribble(&r, pfn, 1);
		page_free(r.h, pfn, 0);
		assert_int_equal(take(&r, SF_GFP_KERNEL | SF_GFP_ZERO, 0), pfn);
		assert_int_equal(arena_dirty(r.h, pfn, 1), SF_GOOD);
		page_free(r.h, pfn, 0);
		scribble(&r, pfn, 1);
		assert_int_equal(take(&r, SF_GFP_KERNEL | SF_GFP_ZERO, 0), pfn);
		assert_int_equal(arena_dirty(r.h, pfn, 1), 8 * (pfn % 512));
		rig_close(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_random_reached_everything),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_order_of_size),
		cmocka_unit_test(test_zone_figures),
		cmocka_unit_test(test_first_claims),
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_order_9),
		cmocka_unit_test(test_refill_doubles),
		cmocka_unit_test(test_high_mark_follows_memory),
		cmocka_unit_test(test_no_grouping),
		cmocka_unit_test(test_atomic_does_not_refill),
		cmocka_unit_test(test_claim_threshold),
		cmocka_unit_test(test_movable_claims_large_only),
		cmocka_unit_test(test_fallback_rows),
		cmocka_unit_test(test_merge_across_types),
		cmocka_unit_test(test_reserves),
		cmocka_unit_test(test_watermark_of_order),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_drain_before_failing),
		cmocka_unit_test(test_free_above_page_block),
		cmocka_unit_test(test_injected_failure),
		cmocka_unit_test(test_boost),
		cmocka_unit_test(test_boost_and_reserve),
		cmocka_unit_test(test_zero),
		cmocka_unit_test(test_shuffle_at_boot),
		cmocka_unit_test(test_shuffle_spreads),
		cmocka_unit_test(test_shuffle_reservoir),
		cmocka_unit_test(test_shuffle_leaves_small_blocks),
		cmocka_unit_test(test_wipe_on_free),
		cmocka_unit_test(test_wipe_exact_rest),
		cmocka_unit_test(test_zero_trusts_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
