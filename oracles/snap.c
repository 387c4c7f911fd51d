// SPDX-License-Identifier: MIT
/*
 * snap.c - collects a snapshot and indexes it by page and by cache.
 *
 * Relies on snap.h; intake.c feeds it, the rules of memory.c, buddy.c and slab_rules.c read it.
 */
#include "snap.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "caches.h"
#include "rules.h"
#include "shadow.h"
#include "shadow_mem.h"
#include "taken.h"
#include "zone.h"

/* Room for `more` elements on list `name`. */
#define ROOM(s, name, more, bytes)                                                    \
	do {                                                                          \
		if ((s)->nr_##name + (more) > (s)->cap_##name)                        \
			(s)->name = sf_shadow_grow((s)->name, &(s)->cap_##name,       \
						   (s)->nr_##name + (more),           \
						   sizeof(*(s)->name), bytes);        \
	} while (0)

/* The new last element of list `name`. */
#define PUSH(s, name, bytes)                                                          \
	({                                                                            \
		ROOM(s, name, 1, bytes);                                              \
		&(s)->name[(s)->nr_##name++];                                         \
	})

/* The index is emptied by what filled it: a snapshot costs what it reports, not the arena. */
static void clear_index(struct sf_snapshot *s)
{
	for (size_t i = 0; i < s->nr_ids; i++)
		s->sum[s->ids[i]] = (struct sf_snap_sum){ 0 };
	s->nr_ids = 0;
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
	s->nr_memcgs = 0;
	s->nr_pool = 0;
}

static size_t pool_add(struct sf_snapshot *s, const uint64_t *from, size_t nr, size_t *bytes)
{
	size_t at = s->nr_pool;

	if (!nr)
		return at;
	ROOM(s, pool, nr, bytes);
	memcpy(s->pool + at, from, nr * sizeof(*from));
	s->nr_pool += nr;
	return at;
}

static void add_slab(struct sf_snapshot *s, const struct sf_ev_snapslab *ev, size_t *bytes)
{
	struct sf_snap_slab *slab = PUSH(s, slabs, bytes);

	slab->ev = *ev;
	slab->parked = 0;
	if (!ev->free)
		slab->ev.nr_free = 0;
	slab->free = pool_add(s, ev->free, slab->ev.nr_free, bytes);
}

static void add_sheaf(struct sf_snapshot *s, const struct sf_ev_snapsheaf *ev, size_t *bytes)
{
	struct sf_snap_sheaf *sheaf = PUSH(s, sheaves, bytes);

	sheaf->ev = *ev;
	if (!ev->objs)
		sheaf->ev.nr = 0;
	sheaf->objs = pool_add(s, ev->objs, sheaf->ev.nr, bytes);
}

static void add_pcp(struct sf_snapshot *s, const struct sf_ev_snappcp *ev, size_t *bytes)
{
	struct sf_snap_pcp *pcp = PUSH(s, pcps, bytes);

	pcp->ev = *ev;
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
	case SF_EV_SNAP_MEMCG:
		*PUSH(s, memcgs, bytes) = ev->snapmemcg;
		break;
	case SF_EV_SNAP_COUNTERS:
		s->counters = ev->counters;
		s->has_counters = true;
		break;
	}
}

static bool covers(uint64_t pfn, unsigned int order, uint64_t page)
{
	return order <= SF_MAX_ORDER && page - pfn < 1ull << order;
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
static void mark_slowly(struct sf_snapshot *s, uint64_t pfn, unsigned int order,
			enum sf_page_state as)
{
	uint64_t end;

	if (order > SF_MAX_ORDER || pfn >= s->pages)
		return;
	end = pfn + (1ull << order);
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
		s->counted += again ? (uint64_t)__builtin_popcountll(mask & ~*taken) : n;
		*taken |= mask;
		pfn += n;
	}
}

/* All of a naturally aligned block at once. False: it is none, or a page has a state already. */
static bool mark_block(struct sf_snapshot *s, uint64_t pfn, unsigned int order)
{
	uint64_t nr = 1ull << (order & 63), *w = &s->taken[pfn / 64], again = 0;

	if (order > SF_MAX_ORDER || (pfn & (nr - 1)) || pfn >= s->pages || s->pages - pfn < nr)
		return false;
	if (order < 6) {
		again = *w & sf_bits_mask(pfn, nr);
		*w |= again ? 0 : sf_bits_mask(pfn, nr);
	} else {
		for (uint64_t i = 0; i < nr / 64; i++)
			again |= w[i];
		for (uint64_t i = 0; !again && i < nr / 64; i++)
			w[i] = ~0ull;
	}
	s->counted += again ? 0 : nr;
	return !again;
}

static void mark(struct sf_snapshot *s, uint64_t pfn, unsigned int order, enum sf_page_state as)
{
	if (!mark_block(s, pfn, order))
		mark_slowly(s, pfn, order, as);
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
	s->listed[cache / 64] |= 1ull << (cache % 64);
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
	size_t words = (sh->nr_cache + 63) / 64;

	s->nr_sum = sh->nr_cache;
	s->sum = sf_shadow_grow(s->sum, &s->cap_sum, s->nr_sum, sizeof(*s->sum), bytes);
	s->listed = sf_shadow_grow(s->listed, &s->cap_listed, words, sizeof(*s->listed), bytes);
	for (size_t w = 0; w < words; w++)
		s->listed[w] = sh->touched[w];
	for (size_t i = 0; i < s->nr_slabs; i++) {
		struct sf_shadow_slab *slab = sf_zone_slab_at(&sh->zone, s->slabs[i].ev.pfn);

		s->slabs[i].live = slab ? slab->live : 0;
		s->slabs[i].orphan = slab && slab->orphan;
		/* of others, the cache's id may have another owner by now */
		if (!s->slabs[i].orphan && s->slabs[i].ev.list != SF_SLAB_DEFERRED)
			sum_slab(s, &s->slabs[i].ev);
	}
	for (size_t i = 0; i < s->nr_sheaves; i++) {
		struct sf_snap_sum *sum = sum_of(s, s->sheaves[i].ev.cache);

		if (sum)
			*(s->sheaves[i].ev.kind == SF_SHEAF_RCU ? &sum->waiting : &sum->parked) +=
				s->sheaves[i].ev.nr;
	}
	ROOM(s, ids, s->nr_sum, bytes);
	for (size_t w = 0; w < words; w++)
		for (uint64_t m = s->listed[w]; m; m &= m - 1)
			s->ids[s->nr_ids++] = (uint32_t)(w * 64 + (size_t)__builtin_ctzll(m));
}

struct sf_snap_slab *sf_snap_slab_of(const struct sf_snapshot *s, const struct sf_shadow *sh,
				     uint64_t addr)
{
	uint64_t pfn = sf_shadow_frame(sh, addr);

	if (pfn >= s->pages || !s->owner[pfn])
		return NULL;
	return &s->slabs[s->owner[pfn] - 1];
}

/* Where a slab's objects are. */
struct slots {
	uint64_t base, room; /* bytes of objects */
	uint64_t inverse;    /* of the stride: see park() */
	uint64_t *parked;
};

/* False: this slab is not plain, or not as it should be. */
static bool slots_of(const struct sf_snapshot *s, const struct sf_shadow *sh,
		     const struct sf_snap_slab *slab, struct slots *at)
{
	const struct sf_ev_snapslab *ev = &slab->ev;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(sh, ev->cache);
	uint64_t page;

	if (!c || slab->orphan || ev->error != SF_WALK_OK || !c->stride || c->stride % 8 ||
	    ev->order > SF_MAX_ORDER || ev->pfn >= s->pages ||
	    1ull << ev->order > s->pages - ev->pfn || ev->addr % SF_PAGE_SIZE ||
	    !sf_shadow_window(sh, ev->addr, SF_PAGE_SIZE << ev->order, &page))
		return false;
	at->base = ev->addr;
	at->room = (uint64_t)ev->objects * c->stride;
	at->inverse = UINT64_MAX / c->stride + 1;
	at->parked = s->parked[ev->pfn].w;
	return at->room <= SF_PAGE_SIZE << ev->order;
}

#define NOT_SOUND UINT32_MAX

/*
 * Marks objects as free, up to the first that is not in this slab. How many, or NOT_SOUND: one is
 * no object, or was marked already.
 *
 * An offset below 2^32 is a multiple of the stride exactly if its product with 2^64 / stride,
 * rounded up, wraps to less than that.
 */
static uint32_t park(const struct slots *at, const uint64_t *objs, uint32_t nr)
{
	const uint64_t base = at->base, room = at->room, inverse = at->inverse;
	const uint64_t *obj = objs, *const end = objs + nr;
	uint64_t *const parked = at->parked;

	for (; obj < end; obj++) {
		uint64_t off = *obj - base, bit = 1ull << (off / 8 % 64), word;

		if (off >= room)
			break;
		word = parked[off / 512];
		if (off * inverse >= inverse || (word & bit))
			return NOT_SOUND;
		parked[off / 512] = word | bit;
	}
	return (uint32_t)(obj - objs);
}

/* Nothing was ever listed: there is no pool, and nothing will be read of it. */
static const uint64_t *in_pool(const struct sf_snapshot *s, size_t at)
{
	return s->pool ? s->pool + at : NULL;
}

static bool sheaf_sound(const struct sf_snapshot *s, const struct sf_shadow *sh,
			const struct sf_snap_sheaf *sheaf)
{
	const uint64_t *objs = in_pool(s, sheaf->objs);
	struct slots at;

	for (uint32_t k = 0, n; k < sheaf->ev.nr; k += n) {
		struct sf_snap_slab *slab = sf_snap_slab_of(s, sh, objs[k]);

		if (!slab || slab->ev.cache != sheaf->ev.cache || !slots_of(s, sh, slab, &at))
			return false;
		n = park(&at, objs + k, sheaf->ev.nr - k);
		if (!n || n == NOT_SOUND)
			return false;
		slab->parked += n;
	}
	return true;
}

/* Is something alive where something is marked as free in this slab? Takes the marks off. */
static bool unpark(struct sf_snapshot *s, const struct sf_shadow *sh,
		   const struct sf_ev_snapslab *ev)
{
	uint64_t both = 0, first = 0, nr = 1ull << ev->order;
	const struct sf_window *w = sf_shadow_window(sh, ev->addr, nr << SF_PAGE_SHIFT, &first);

	for (uint64_t p = 0; w && p < nr; p++) {
		uint64_t whole = w->used[first + p] == SF_PAGE_WHOLE ? ~0ull : 0;
		const uint64_t *alive = w->bits[first + p].w;
		uint64_t *free = s->parked[ev->pfn + p].w;

		if (w->used[first + p])
			for (size_t i = 0; i < SF_PAGE_GRANULES / 64; i++)
				both |= free[i] & (alive[i] | whole);
		s->parked[ev->pfn + p] = (struct sf_page_bits){ { 0 } };
	}
	return both;
}

/* The whole of it at once; which object is wrong, and how, is for the rules to find. */
static bool objects_sound(struct sf_snapshot *s, const struct sf_shadow *sh)
{
	size_t nr = 0;
	struct slots at;
	bool sound = true;

	for (; sound && nr < s->nr_slabs && slots_of(s, sh, &s->slabs[nr], &at); nr++)
		sound = park(&at, in_pool(s, s->slabs[nr].free), s->slabs[nr].ev.nr_free) ==
			s->slabs[nr].ev.nr_free;
	sound = sound && nr == s->nr_slabs;
	for (size_t i = 0; sound && i < s->nr_sheaves; i++)
		sound = s->sheaves[i].ev.kind == SF_SHEAF_RCU || sheaf_sound(s, sh, &s->sheaves[i]);
	for (size_t i = 0; i < nr; i++)
		if (unpark(s, sh, &s->slabs[i].ev))
			sound = false;
	return sound;
}

static void index_parked(struct sf_snapshot *s, const struct sf_shadow *sh)
{
	for (size_t i = 0; i < s->nr_slabs; i++)
		s->slabs[i].parked = 0;
	for (size_t i = 0; i < s->nr_sheaves; i++)
		for (uint32_t k = 0; s->sheaves[i].ev.kind != SF_SHEAF_RCU &&
				     k < s->sheaves[i].ev.nr; k++) {
			struct sf_snap_slab *slab =
				sf_snap_slab_of(s, sh, s->pool[s->sheaves[i].objs + k]);

			if (slab)
				slab->parked++;
		}
}

void sf_snap_close(struct sf_snapshot *s, const struct sf_shadow *sh, size_t *bytes)
{
	for (size_t i = 0; i < s->nr_slabs; i++)
		s->slabs[i].ev.addr = sf_slab_addr(sh, s->slabs[i].ev.addr, s->slabs[i].ev.pfn);
	size_index(s, sh->direct.pages, bytes);
	index_pages(s);
	index_caches(s, sh, bytes);
	s->sound = s->pages && sh->addresses && s->twice == SF_NO_PFN && objects_sound(s, sh);
	if (!s->sound)
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
	free(s->memcgs);
	free(s->pool);
	free(s->ids);
	free(s->listed);
	free(s->sum);
	free(s->taken);
	free(s->head_at);
	free(s->owner);
	free(s->parked);
}
