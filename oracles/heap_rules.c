// SPDX-License-Identifier: MIT
/*
 * heap_rules.c - several heaps of user space in blocks of their own, and what an allocator says of
 * itself: statistics and its integrity check (MAL). Relies on malloc_state.h; listed in listing.h.
 */
#include <string.h>

#include "listing.h"
#include "malloc_state.h"
#include "objects.h"
#include "report.h"
#include "requests.h"

#define ULL(x) ((unsigned long long)(x))

/* --- blocks --- */

static void block_add(struct sf_malloc_state *m, const struct sf_ev_userheap *u)
{
	if (m->nr_blocks == SF_BLOCKS) {
		m->lost_blocks = true;
		return;
	}
	m->block[m->nr_blocks++] = (struct sf_heap_block){
		.heap = u->heap,
		.region = u->act == SF_HEAP_CREATE ? 0 : u->region,
		.addr = u->addr,
		.size = u->size,
	};
}

static void blocks_del(struct sf_malloc_state *m, const struct sf_ev_userheap *u)
{
	for (uint32_t i = 0; i < m->nr_blocks;) {
		const struct sf_heap_block *b = &m->block[i];

		if (b->heap == u->heap && (u->act == SF_HEAP_DESTROY || b->region == u->region))
			m->block[i] = m->block[--m->nr_blocks];
		else
			i++;
	}
}

void sf_on_user_heap(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_userheap *u = &ev->userheap;
	struct sf_malloc_state *m = sf_malloc_state(j);

	if (u->status != SF_OK)
		return;
	if (!m->nr_blocks)
		m->alone = m->base;
	if (u->act == SF_HEAP_CREATE || u->act == SF_HEAP_ADD)
		block_add(m, u);
	else
		blocks_del(m, u);
	/* What a heap takes for itself may count, and goes with it. */
	if (m->nr_blocks || m->lost_blocks)
		memset(&m->base, 0, sizeof(m->base));
	else
		m->base = m->alone;
}

/* Is [addr, addr + size) in the block? It never wraps: MEM-1 says so of objects, size of blocks. */
static bool block_holds(const struct sf_heap_block *b, uint64_t addr, uint64_t size)
{
	return addr >= b->addr && addr - b->addr <= b->size && size <= b->size - (addr - b->addr);
}

static bool block_meets(const struct sf_heap_block *b, uint64_t addr, uint64_t size)
{
	return addr < b->addr ? b->addr - addr < size : addr - b->addr < b->size;
}

/* --- MAL-11 --- */

/*
 * What is wrong with where heap `heap` put an object; 0: the first, of which no block is known.
 * *known: that could be told.
 */
static const char *place_fault(const struct sf_malloc_state *m, uint32_t heap, uint64_t addr,
			       uint64_t size, bool *known)
{
	uint32_t nr = 0;
	bool in = false;

	*known = true;
	for (uint32_t i = 0; i < m->nr_blocks; i++) {
		const struct sf_heap_block *b = &m->block[i];

		if (!b->addr)
			*known = false;
		else if (b->heap != heap && block_meets(b, addr, size))
			return "an object lies in another heap's block";
		nr += b->heap == heap;
		in = in || (b->heap == heap && b->addr && block_holds(b, addr, size));
	}
	if (!heap || in)
		return NULL;
	if (!nr)
		return "an object came from a heap that is gone";
	return *known ? "an object lies outside its heap's blocks" : NULL;
}

unsigned int sf_mal_11(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint64_t size = a->usable > a->size ? a->usable : a->size;
	struct sf_malloc_state *m = sf_malloc_state(j);
	const char *fault;
	bool known;

	/* One without bytes may be where the block ends. */
	if (!sf_is_user(a) || !sf_got(a) || !size || (!a->heap && !m->nr_blocks))
		return 0;
	if (m->lost_blocks) {
		sf_skip(j, SF_INV_MAL_11, "more blocks of heaps than are tracked");
		return 0;
	}
	fault = place_fault(m, a->heap, a->addr, size, &known);
	if (!fault && !known)
		sf_skip(j, SF_INV_MAL_11, "where a heap's block lies is not known");
	if (!fault)
		return known;
	sf_title(j, SF_INV_MAL_11, "%s", fault);
	sf_report(j, ev, a->res, SF_NONE, "heap %u: %#llx + %llu bytes", a->heap, ULL(a->addr),
		  ULL(size));
	return 1;
}

/* --- MAL-12 --- */

static const struct sf_heap_block *region_of(const struct sf_malloc_state *m,
					const struct sf_ev_userheap *u)
{
	for (uint32_t i = 0; i < m->nr_blocks; i++)
		if (m->block[i].heap == u->heap && m->block[i].region == u->region)
			return &m->block[i];
	return NULL;
}

/* USER_HEAP, before it is taken in. What a heap held is freed before it is destroyed. */
unsigned int sf_mal_12(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_userheap *u = &ev->userheap;
	const struct sf_heap_block *b;
	const struct sf_shadow_obj *o;

	if (u->act != SF_HEAP_REMOVE || u->status != SF_OK)
		return 0;
	b = region_of(sf_malloc_state(j), u);
	if (!b || !b->addr) {
		sf_skip(j, SF_INV_MAL_12, "where the region lies is not known");
		return 0;
	}
	o = sf_shadow_hit(&j->sh, b->addr, b->size, NULL);
	if (!o)
		return 1;
	sf_title(j, SF_INV_MAL_12, "a region with live objects was removed");
	sf_report(j, ev, o->res, u->res, "heap %u, region %u: %#llx + %llu bytes; object at %#llx",
		  u->heap, u->region, ULL(b->addr), ULL(b->size), ULL(o->addr));
	return 1;
}

/* --- MAL-13 --- */

/* What they say that contradicts itself. */
static const char *stats_odd(const struct sf_ev_stats *s, struct sf_stats_base *base)
{
	uint64_t peak = base->peak;

	if (s->peak != SF_UNKNOWN)
		base->peak = s->peak;
	if (s->used == SF_UNKNOWN)
		return NULL;
	if (s->total != SF_UNKNOWN && s->used > s->total)
		return "statistics have more in use than is held";
	if (s->peak != SF_UNKNOWN && s->peak < s->used)
		return "statistics have a peak below what is in use";
	if (s->peak != SF_UNKNOWN && s->peak < peak)
		return "statistics have a peak that fell";
	return NULL;
}

static const char *live_fault(const struct sf_judge *j, const struct sf_ev_stats *s,
			      struct sf_stats_base *base)
{
	uint64_t others = s->live - j->sh.live, was = base->live;

	if (s->live == SF_UNKNOWN)
		return NULL;
	if (s->live < j->sh.live)
		return "statistics count fewer objects than are alive";
	if (!j->sh.traits.stats_return)
		return NULL;
	base->live = others;
	if (!base->live_seen || others == was) {
		base->live_seen = true;
		return NULL;
	}
	return others < was ? "statistics count fewer objects than are alive" :
			      "statistics count more objects than are alive";
}

/*
 * What is in use and no object of the program is between what is left if objects are counted with
 * all that they can be, and as they were asked for. Each look narrows it down.
 */
static const char *used_fault(const struct sf_judge *j, const struct sf_ev_stats *s,
			      struct sf_stats_base *base)
{
	const struct sf_sums *sum = &j->sh.sums;
	uint64_t most = sum->usable + j->sh.traits.stats_rounding * j->sh.live, lo = 0, hi;
	bool bounded = j->sh.traits.stats_return && j->sh.traits.stats_rounding && !sum->unsized;
	const char *fault = NULL;

	if (s->used == SF_UNKNOWN)
		return NULL;
	if (s->used < sum->asked)
		return "statistics have fewer bytes in use than were asked for";
	hi = s->used - sum->asked;
	if (!j->sh.live && j->sh.traits.stats_return)
		lo = s->used; /* nothing but that */
	else if (bounded && s->used > most)
		lo = s->used - most;
	if (base->used_seen && hi < base->used_lo)
		fault = j->sh.live ? "statistics have fewer bytes in use than were asked for" :
				     "statistics have fewer bytes in use than at first";
	else if (base->used_seen && lo > base->used_hi)
		fault = j->sh.live ? "statistics have more bytes in use than objects have" :
				     "statistics have bytes in use with everything freed";
	if (fault || !base->used_seen || lo > base->used_lo)
		base->used_lo = lo;
	if (fault || !base->used_seen || hi < base->used_hi)
		base->used_hi = hi;
	base->used_seen = true;
	return fault;
}

/* What can be handed out with nothing alive, of as much memory as before. */
static const char *free_fault(const struct sf_judge *j, const struct sf_ev_stats *s,
			      struct sf_stats_base *base)
{
	if (s->free == SF_UNKNOWN || j->sh.live || !j->sh.traits.stats_return)
		return NULL;
	if (s->total == SF_UNKNOWN && !(j->sh.caps & SF_CAP_HEAPS))
		return NULL; /* it may have given some back */
	if (base->free_seen && s->total == base->free_of && s->free < base->free)
		return "statistics have less free than at first with everything freed";
	base->free_seen = true;
	base->free = s->free;
	base->free_of = s->total;
	return NULL;
}

unsigned int sf_mal_13(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_stats *s = &ev->stats;
	struct sf_stats_base *base = &sf_malloc_state(j)->base;
	const char *fault[4];

	if (j->sh.untracked) {
		sf_skip(j, SF_INV_MAL_13, "more objects than are tracked");
		return 0;
	}
	fault[0] = stats_odd(s, base);
	fault[1] = live_fault(j, s, base);
	fault[2] = used_fault(j, s, base);
	fault[3] = free_fault(j, s, base);
	for (int i = 0; i < 4; i++) {
		if (!fault[i])
			continue;
		sf_title(j, SF_INV_MAL_13, "%s", fault[i]);
		sf_report(j, ev, SF_NONE, SF_NONE,
			  "%lld objects, %lld bytes used of %lld, peak %lld; %zu are alive, %llu "
			  "bytes asked for, %llu usable", (long long)s->live, (long long)s->used,
			  (long long)s->total, (long long)s->peak, j->sh.live,
			  ULL(j->sh.sums.asked), ULL(j->sh.sums.usable));
	}
	return 1;
}

/* --- MAL-14 --- */

unsigned int sf_mal_14(struct sf_judge *j, const struct sf_event *ev)
{
	if (!ev->integrity.what)
		return 1;
	sf_title(j, SF_INV_MAL_14, "the allocator finds itself unsound");
	sf_report(j, ev, SF_NONE, SF_NONE, "%s", ev->integrity.what);
	return 1;
}
