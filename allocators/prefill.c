// SPDX-License-Identifier: MIT
/*
 * prefill.c - prefilled sheaves, after mm/slub.c of Linux 7.2 (kmem_cache_prefill_sheaf() and its
 * family).
 *
 * Relies on slab.c for sheaves and slabs. A sheaf of the cache's own capacity comes from the CPU or
 * the barn, is filled whole, and goes back there; what a caller asks beyond that ("oversize"), or
 * of a cache without sheaves, is a sheaf of its own that is flushed when it comes back. So is one
 * for which the last reserves were open.
 *
 * Reclaim, which a refill may do, moves h->sheaves: sheaves are looked up anew after it.
 */
#include "arena.h"
#include "heap_assert.h"
#include "prefill.h"
#include "slab_internal.h"

static struct sheaf *at(struct sf_heap *h, uint32_t id)
{
	heap_assert(h, id < h->nr_sheaves);
	return &h->sheaves[id];
}

/* Full, or with what could be had. */
static bool fill(struct sf_heap *h, struct kcache *s, uint32_t id, uint32_t gfp,
		 enum sf_status *status)
{
	uint64_t objs[SHEAF_ROOM];
	unsigned int want = (unsigned int)at(h, id)->capacity - at(h, id)->nr, n;
	struct sheaf *sh;

	if (!want)
		return true;
	n = slab_refill(h, s, gfp, objs, want, status);
	sh = at(h, id);
	for (unsigned int i = 0; i < n; i++)
		sh->obj[sh->nr++] = (uint32_t)((objs[i] - slab_window(h)) / 8);
	heap_assert(h, sh->nr <= sh->capacity);
	return n == want;
}

/* mm/slub.c:__prefill_sheaf_pfmemalloc */
static bool fill_carefully(struct sf_heap *h, struct kcache *s, uint32_t id, uint32_t gfp,
			   enum sf_status *status)
{
	if (fill(h, s, id, gfp | SF_GFP_NOMEMALLOC, status))
		return true;
	if ((gfp & SF_GFP_NOMEMALLOC) || !((gfp & SF_GFP_MEMALLOC) || h->reclaiming))
		return false;
	at(h, id)->reserves = true;
	return fill(h, s, id, gfp, status);
}

/* mm/slub.c:__kmem_cache_alloc_bulk: all that is missing, or nothing. */
static bool fill_or_leave(struct sf_heap *h, struct kcache *s, uint32_t id, uint32_t gfp,
			  enum sf_status *status)
{
	uint64_t objs[SHEAF_ROOM];
	unsigned int want = (unsigned int)at(h, id)->capacity - at(h, id)->nr;
	unsigned int n = slab_refill(h, s, gfp, objs, want, status);

	if (n < want) {
		slab_return_unused(h, s, objs, n);
		return false;
	}
	for (unsigned int i = 0; i < n; i++)
		at(h, id)->obj[at(h, id)->nr++] = (uint32_t)((objs[i] - slab_window(h)) / 8);
	heap_assert(h, at(h, id)->nr == at(h, id)->capacity);
	return true;
}

static void flush(struct sf_heap *h, struct kcache *s, uint32_t id)
{
	sheaf_flush(h, s, id, SHEAF_ROOM);
	sheaf_drop(h, id);
}

static uint32_t oversize(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint32_t n,
			 enum sf_status *status)
{
	uint32_t id = sheaf_of(h, n);

	if (fill_or_leave(h, s, id, gfp, status))
		return id;
	sheaf_drop(h, id);
	return NO_SHEAF;
}

/* The CPU's spare, a full one of the barn, an empty one, a new one; filled if it has too little. */
static uint32_t usual(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint32_t n,
		      enum sf_status *status)
{
	struct cpu_cache *pc = sheaf_cpu(h, s);
	struct barn *b = &s->barn;
	uint32_t id = pc->spare;

	if (id != NO_SHEAF)
		pc->spare = NO_SHEAF;
	else if (b->nr_full)
		id = sheaf_list_pop(h, &b->full, &b->nr_full);
	else if (b->nr_empty)
		id = sheaf_list_pop(h, &b->empty, &b->nr_empty);
	else
		id = sheaf_new(h, s);
	at(h, id)->reserves = false;
	if (at(h, id)->nr >= n || fill_carefully(h, s, id, gfp, status))
		return id;
	flush(h, s, id);
	return NO_SHEAF;
}

uint32_t sheaf_prefill(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t n,
		       struct sf_result *rs)
{
	struct kcache *s = h->cache[cache];
	enum sf_status status = SF_NULL;
	uint32_t id = NO_SHEAF;

	heap_assert(h, cache < h->nr_caches && s->refs);
	if (n > s->sheaf_capacity && n <= SHEAF_ROOM)
		id = oversize(h, s, gfp, n, &status);
	else if (n && n <= SHEAF_ROOM)
		id = usual(h, s, gfp, n, &status);
	*rs = (struct sf_result){ .status = (uint8_t)(id == NO_SHEAF ? status : SF_OK) };
	if (id == NO_SHEAF)
		return 0;
	heap_assert(h, at(h, id)->nr >= n && at(h, id)->holder == SF_NONE);
	at(h, id)->holder = cache;
	h->nr_prefilled++;
	return id + 1;
}

void sheaf_alloc(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t sheaf,
		 struct sf_result *rs)
{
	struct sheaf *sh = at(h, sheaf - 1);

	heap_assert(h, sh->holder == cache);
	*rs = (struct sf_result){ .status = SF_NULL };
	if (!sh->nr)
		return;
	rs->status = SF_OK;
	rs->addr = slab_window(h) + sh->obj[--sh->nr] * 8ull;
	slab_hand_over(h, h->cache[cache], gfp, rs->addr);
}

enum sf_status sheaf_refill(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t *sheaf,
			    uint32_t n)
{
	struct kcache *s = h->cache[cache];
	enum sf_status status = SF_NULL;
	uint32_t id = *sheaf - 1, other;
	struct sf_result rs;

	heap_assert(h, at(h, id)->holder == cache);
	if (at(h, id)->nr >= n)
		return SF_OK;
	if (at(h, id)->capacity >= n) {
		bool full = at(h, id)->capacity == s->sheaf_capacity ?
				    fill_carefully(h, s, id, gfp, &status) :
				    fill_or_leave(h, s, id, gfp, &status);

		return full ? SF_OK : status;
	}
	other = sheaf_prefill(h, cache, gfp, n, &rs);
	if (!other)
		return rs.status;
	status = sheaf_return(h, cache, gfp, *sheaf);
	*sheaf = other;
	return status;
}

/*
 * It becomes this CPU's spare, or the barn's if that has room and it can be filled; else its
 * objects go back to their slabs.
 */
enum sf_status sheaf_return(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t sheaf)
{
	struct kcache *s = h->cache[cache];
	enum sf_status status = SF_NULL;
	uint32_t id = sheaf - 1;
	struct cpu_cache *pc;

	heap_assert(h, at(h, id)->holder == cache && h->nr_prefilled);
	at(h, id)->holder = SF_NONE;
	h->nr_prefilled--;
	if (at(h, id)->capacity != s->sheaf_capacity || at(h, id)->reserves) {
		flush(h, s, id);
		return SF_OK;
	}
	pc = sheaf_cpu(h, s);
	if (pc->spare == NO_SHEAF) {
		pc->spare = id;
		return SF_OK;
	}
	if (s->barn.nr_full < BARN_MAX && fill(h, s, id, gfp, &status)) {
		sheaf_list_push(h, &s->barn.full, &s->barn.nr_full, id);
		return SF_OK;
	}
	flush(h, s, id);
	return status == SF_BLOCKED ? SF_BLOCKED : SF_OK;
}

uint32_t sheaf_size(struct sf_heap *h, uint32_t sheaf)
{
	return at(h, sheaf - 1)->nr;
}
