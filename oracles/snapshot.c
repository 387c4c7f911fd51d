// SPDX-License-Identifier: MIT
/*
 * snapshot.c - collects a snapshot and indexes it by page and by cache.
 *
 * Relies on snapshot.h; judge.c feeds it, the rules of memory.c, buddy.c and slab.c read it.
 */
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

/* The new last element of list `name`. */
#define PUSH(s, name, bytes)                                                          \
	((s)->name = sf_shadow_grow((s)->name, &(s)->cap_##name, (s)->nr_##name + 1,         \
			     sizeof(*(s)->name), bytes),                              \
	 &(s)->name[(s)->nr_##name++])

/* The index by page is emptied by what filled it: a snapshot costs what it reports, not the arena. */
static void clear_index(struct sf_snapshot *s)
{
	for (size_t i = 0; i < s->nr_blocks; i++)
		if (s->blocks[i].pfn < s->pages)
			s->head_at[s->blocks[i].pfn] = 0;
	for (size_t i = 0; i < s->nr_slabs; i++) {
		const struct sf_ev_snapslab *ev = &s->slabs[i].ev;

		for (uint64_t p = ev->pfn; p < s->pages && ev->order <= SF_MAX_ORDER &&
					   p - ev->pfn < 1ull << ev->order; p++)
			s->owner[p] = 0;
	}
}

void sf_snap_begin(struct sf_snapshot *s, const struct sf_ev_snap *ev)
{
	clear_index(s);
	s->open = true;
	s->head = *ev;
	s->has_counters = false;
	s->nr_caches = 0;
	s->nr_slabs = 0;
	s->nr_sheaves = 0;
	s->nr_blocks = 0;
	s->nr_pcps = 0;
	s->nr_used = 0;
	s->nr_pbs = 0;
	s->nr_pool = 0;
}

static size_t pool_add(struct sf_snapshot *s, const uint64_t *from, size_t nr, size_t *bytes)
{
	size_t at = s->nr_pool;

	if (!nr)
		return at;
	s->pool = sf_shadow_grow(s->pool, &s->cap_pool, at + nr, sizeof(*s->pool), bytes);
	memcpy(s->pool + at, from, nr * sizeof(*from));
	s->nr_pool += nr;
	return at;
}

static void add_slab(struct sf_snapshot *s, const struct sf_ev_snapslab *ev, size_t *bytes)
{
	struct sf_snap_slab *slab = PUSH(s, slabs, bytes);

	*slab = (struct sf_snap_slab){ .ev = *ev };
	if (!ev->free)
		slab->ev.nr_free = 0;
	slab->free = pool_add(s, ev->free, slab->ev.nr_free, bytes);
}

static void add_sheaf(struct sf_snapshot *s, const struct sf_ev_snapsheaf *ev, size_t *bytes)
{
	struct sf_snap_sheaf *sheaf = PUSH(s, sheaves, bytes);

	*sheaf = (struct sf_snap_sheaf){ .ev = *ev };
	if (!ev->objs)
		sheaf->ev.nr = 0;
	sheaf->objs = pool_add(s, ev->objs, sheaf->ev.nr, bytes);
}

static void add_pcp(struct sf_snapshot *s, const struct sf_ev_snappcp *ev, size_t *bytes)
{
	struct sf_snap_pcp *pcp = PUSH(s, pcps, bytes);

	*pcp = (struct sf_snap_pcp){ .ev = *ev };
	if (!ev->pfns)
		pcp->ev.nr = 0;
	pcp->pfns = pool_add(s, ev->pfns, pcp->ev.nr, bytes);
}

void sf_snap_add(struct sf_snapshot *s, const struct sf_event *ev, size_t *bytes)
{
	if (!s->open)
		return;
	switch (ev->type) {
	case SF_EV_SNAP_CACHE:
		*PUSH(s, caches, bytes) = ev->snapcache;
		break;
	case SF_EV_SNAP_SLAB:
		add_slab(s, &ev->snapslab, bytes);
		break;
	case SF_EV_SNAP_SHEAF:
		add_sheaf(s, &ev->snapsheaf, bytes);
		break;
	case SF_EV_SNAP_BLOCK:
		*PUSH(s, blocks, bytes) = ev->snapblock;
		break;
	case SF_EV_SNAP_PCP:
		add_pcp(s, &ev->snappcp, bytes);
		break;
	case SF_EV_SNAP_USED:
		*PUSH(s, used, bytes) = ev->snapused;
		break;
	case SF_EV_SNAP_PAGEBLOCK:
		*PUSH(s, pbs, bytes) = ev->snappb;
		break;
	case SF_EV_SNAP_COUNTERS:
		s->counters = ev->counters;
		s->has_counters = true;
		break;
	}
}

static bool covers(uint64_t pfn, unsigned int order, uint64_t page)
{
	return page - pfn < 1ull << order;
}

/* What a page was first reported as, in the order in which index_pages() goes. */
static enum sf_page_state first_state(const struct sf_snapshot *s, uint64_t page)
{
	for (size_t i = 0; i < s->nr_blocks; i++)
		if (covers(s->blocks[i].pfn, s->blocks[i].order, page))
			return SF_PAGE_FREE;
	for (size_t i = 0; i < s->nr_pcps; i++)
		for (uint32_t k = 0; k < s->pcps[i].ev.nr; k++)
			if (covers(s->pool[s->pcps[i].pfns + k], s->pcps[i].ev.order, page))
				return SF_PAGE_PCP;
	for (size_t i = 0; i < s->nr_slabs; i++)
		if (covers(s->slabs[i].ev.pfn, s->slabs[i].ev.order, page))
			return SF_PAGE_SLAB;
	return SF_PAGE_USED;
}

/* Gives pages a state, 64 at a time; the first one that has one already is remembered. */
static void mark(struct sf_snapshot *s, uint64_t pfn, unsigned int order, enum sf_page_state as)
{
	uint64_t end = pfn + (1ull << order);

	if (order > SF_MAX_ORDER || pfn >= s->pages)
		return;
	if (end > s->pages)
		end = s->pages;
	while (pfn < end) {
		uint64_t n = 64 - (pfn & 63) < end - pfn ? 64 - (pfn & 63) : end - pfn;
		uint64_t mask = (n == 64 ? ~0ull : (1ull << n) - 1) << (pfn & 63);
		uint64_t *taken = &s->taken[pfn >> 6], again = *taken & mask;

		if (again && s->twice == SF_NO_PFN) {
			s->twice = (pfn & ~63ull) + (uint64_t)__builtin_ctzll(again);
			s->twice_as[0] = (uint8_t)first_state(s, s->twice);
			s->twice_as[1] = (uint8_t)as;
		}
		s->counted += (uint64_t)__builtin_popcountll(mask & ~*taken);
		*taken |= mask;
		pfn += n;
	}
}

static void size_index(struct sf_snapshot *s, uint64_t pages, size_t *bytes)
{
	s->pages = pages;
	if (pages > s->cap_pages) {
		size_t each = sizeof(*s->head_at) + sizeof(*s->owner) + sizeof(*s->parked);

		free(s->taken);
		free(s->head_at);
		free(s->owner);
		free(s->parked);
		*bytes -= s->cap_pages * each + (s->cap_pages + 63) / 64 * sizeof(*s->taken);
		s->cap_pages = pages;
		s->taken = sf_shadow_zalloc((pages + 63) / 64, sizeof(*s->taken), bytes);
		s->head_at = sf_shadow_zalloc(pages, sizeof(*s->head_at), bytes);
		s->owner = sf_shadow_zalloc(pages, sizeof(*s->owner), bytes);
		s->parked = sf_shadow_zalloc(pages, sizeof(*s->parked), bytes);
		return;
	}
	if (pages)
		memset(s->taken, 0, (pages + 63) / 64 * sizeof(*s->taken));
}

static void index_pages(struct sf_snapshot *s)
{
	s->twice = SF_NO_PFN;
	s->counted = 0;
	for (size_t i = 0; i < s->nr_blocks; i++) {
		const struct sf_ev_snapblock *b = &s->blocks[i];

		if (b->pfn < s->pages && b->order <= SF_MAX_ORDER)
			s->head_at[b->pfn] = (uint8_t)(1 + b->order);
		mark(s, b->pfn, b->order, SF_PAGE_FREE);
	}
	for (size_t i = 0; i < s->nr_pcps; i++)
		for (uint32_t k = 0; k < s->pcps[i].ev.nr; k++)
			mark(s, s->pool[s->pcps[i].pfns + k], s->pcps[i].ev.order, SF_PAGE_PCP);
	for (size_t i = 0; i < s->nr_slabs; i++) {
		const struct sf_ev_snapslab *ev = &s->slabs[i].ev;

		mark(s, ev->pfn, ev->order, SF_PAGE_SLAB);
		for (uint64_t p = ev->pfn; p < s->pages && ev->order <= SF_MAX_ORDER &&
					   p - ev->pfn < 1ull << ev->order; p++)
			if (!s->owner[p])
				s->owner[p] = (uint32_t)i + 1;
	}
	for (size_t i = 0; i < s->nr_used; i++)
		mark(s, s->used[i].pfn, s->used[i].order,
		     s->used[i].kind == SF_PLACE_NOWHERE ? SF_PAGE_LOST : SF_PAGE_USED);
}

static struct sf_snap_sum *sum_of(struct sf_snapshot *s, uint32_t cache)
{
	if (cache >= s->nr_sum)
		return NULL;
	s->sum[cache].marked = true;
	return &s->sum[cache];
}

static void sum_slab(struct sf_snapshot *s, const struct sf_ev_snapslab *ev)
{
	struct sf_snap_sum *sum = sum_of(s, ev->cache);

	if (!sum)
		return;
	sum->slabs++;
	sum->objects += ev->objects;
	sum->inuse += ev->inuse;
	sum->nr_free += ev->nr_free;
	sum->empty += !ev->inuse;
	if (ev->list == SF_SLAB_PARTIAL) {
		sum->partial++;
		sum->partial_free += ev->nr_free;
	}
}

static void index_caches(struct sf_snapshot *s, const struct sf_shadow *sh, size_t *bytes)
{
	s->nr_sum = sh->nr_cache;
	s->sum = sf_shadow_grow(s->sum, &s->cap_sum, s->nr_sum, sizeof(*s->sum), bytes);
	if (s->nr_sum)
		memset(s->sum, 0, s->nr_sum * sizeof(*s->sum));
	for (size_t i = 0; i < s->nr_slabs; i++) {
		struct sf_shadow_slab *slab = sf_zone_slab_at(&sh->zone, s->slabs[i].ev.pfn);

		s->slabs[i].live = slab ? slab->live : 0;
		s->slabs[i].orphan = slab && slab->orphan;
		if (!s->slabs[i].orphan) /* its cache's id may have another owner by now */
			sum_slab(s, &s->slabs[i].ev);
	}
	for (size_t i = 0; i < s->nr_sheaves; i++) {
		struct sf_snap_sum *sum = sum_of(s, s->sheaves[i].ev.cache);

		if (sum)
			sum->parked += s->sheaves[i].ev.nr;
	}
}

struct sf_snap_slab *sf_snap_slab_of(const struct sf_snapshot *s, const struct sf_shadow *sh,
				     uint64_t addr)
{
	uint64_t pfn = (addr - sh->direct.base) >> SF_PAGE_SHIFT;

	if (addr < sh->direct.base || pfn >= s->pages || !s->owner[pfn])
		return NULL;
	return &s->slabs[s->owner[pfn] - 1];
}

static void index_parked(struct sf_snapshot *s, const struct sf_shadow *sh)
{
	for (size_t i = 0; i < s->nr_sheaves; i++)
		for (uint32_t k = 0; k < s->sheaves[i].ev.nr; k++) {
			struct sf_snap_slab *slab =
				sf_snap_slab_of(s, sh, s->pool[s->sheaves[i].objs + k]);

			if (slab)
				slab->parked++;
		}
}

void sf_snap_close(struct sf_snapshot *s, const struct sf_shadow *sh, size_t *bytes)
{
	size_index(s, sh->direct.pages, bytes);
	index_pages(s);
	index_caches(s, sh, bytes);
	index_parked(s, sh);
}

void sf_snap_free(struct sf_snapshot *s)
{
	free(s->caches);
	free(s->slabs);
	free(s->sheaves);
	free(s->blocks);
	free(s->pcps);
	free(s->used);
	free(s->pbs);
	free(s->pool);
	free(s->sum);
	free(s->taken);
	free(s->head_at);
	free(s->owner);
	free(s->parked);
}
