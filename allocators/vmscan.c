// SPDX-License-Identifier: MIT
/*
 * vmscan.c - reclaim: how much the shrinkers are asked for, direct reclaim, kswapd, reclaim of a
 * memory cgroup.
 *
 * Follows Linux 7.2's mm/shrinker.c and mm/vmscan.c. Relies on lru.c for what a shrinker can free
 * and on slab.c for the pages that go meanwhile (sf_heap.reclaimed); page_gfp.c, memcg.c and the
 * interface call it. Left out: there are no pages but of slabs, so what the kernel counts as
 * scanned is 0; all of a zone's shrinkers see the objects of all groups at once. Deferred scans are
 * kept for those only, not for groups. In reclaim of a group the pages of slabs count as progress,
 * which flush_reclaim_state() does not credit: the kernel has pages that are surely the group's.
 */
#include "base/grow.h"
#include "compact.h"
#include "heap_assert.h"
#include "lru.h"
#include "page_internal.h"
#include "vmscan.h"

#include <stdlib.h>

#define DEF_PRIORITY 12
#define NOT_ASKED 0xff /* sf_ev_shrink.priority: not by reclaim */

/* One round (struct scan_control). */
struct scan {
	uint8_t kind;     /* enum sf_reclaim_kind */
	uint8_t priority; /* from DEF_PRIORITY, light, to 0 */
	uint8_t passes;   /* of all priorities */
	bool ready;       /* compaction can do the rest */
	unsigned int order;
	uint32_t gfp, memcg;
	uint64_t scanned, freed; /* objects */
};

static uint64_t at_most(uint64_t n, uint64_t most)
{
	return n < most ? n : most;
}

/* --- shrinkers --- */

/*
 * Shrinkers are asked in the order of their caches. They come into being in any order, and rarely:
 * those since the last time are put in their places.
 */
static void sort_shrinkers(struct sf_heap *h)
{
	if (h->nr_shrinkers > h->cap_shrink_order) {
		h->cap_shrink_order = h->nr_shrinkers * 2;
		h->shrink_order = sf_grow(h->shrink_order, h->cap_shrink_order,
					    sizeof(*h->shrink_order));
	}
	for (; h->nr_shrink_order < h->nr_shrinkers; h->nr_shrink_order++) {
		uint32_t i = h->nr_shrink_order, cache = h->shrinker[i].cache, at = i;

		for (; at && h->shrinker[h->shrink_order[at - 1]].cache > cache; at--)
			h->shrink_order[at] = h->shrink_order[at - 1];
		h->shrink_order[at] = i;
	}
	heap_assert(h, h->nr_shrink_order == h->nr_shrinkers);
}

/* mm/shrinker.c:do_shrink_slab. Without __GFP_FS its scan stops (fs/super.c:super_cache_scan). */
static void shrink_slab(struct sf_heap *h, struct scan *sc, uint32_t i)
{
	bool forbidden = !(sc->gfp & SF_GFP_FS), stopped;
	uint64_t freeable = lru_count(h, i, sc->memcg), batch = h->shrinker[i].batch;
	uint64_t nr, delta, total, left, next, scanned = 0, freed = 0;

	heap_assert(h, h->shrinker[i].batch && h->shrinker[i].seeks);
	if (!freeable)
		return;
	nr = sc->memcg == SF_NONE ? h->shrinker[i].nr_deferred : 0;
	delta = (freeable >> sc->priority) * 4 / h->shrinker[i].seeks;
	total = at_most((nr >> sc->priority) + delta, 2 * freeable);
	left = total;
	stopped = forbidden && (left >= batch || left >= freeable);
	while (!stopped && (left >= batch || left >= freeable)) {
		uint64_t n = at_most(batch, left);

		freed += lru_scan(h, i, n, sc->memcg);
		left -= n;
		scanned += n;
	}
	heap_assert(h, freed <= scanned && scanned <= total);
	next = nr + delta > scanned ? nr + delta - scanned : 0;
	if (sc->memcg == SF_NONE)
		h->shrinker[i].nr_deferred = at_most(next, 2 * freeable);
	sc->scanned += scanned;
	sc->freed += freed;
	h->vm.slabs_scanned += scanned;
	EMIT(h, SHRINK, shrink, .cache = h->shrinker[i].cache, .memcg = sc->memcg,
	     .priority = sc->priority, .stopped = stopped, .freeable = freeable, .deferred = nr,
	     .delta = delta, .total = total, .scanned = scanned, .freed = freed);
}

/* Up to `n` objects at once, whatever the shrinker would do by itself. */
static void shrink_some(struct sf_heap *h, struct scan *sc, uint32_t i, uint64_t n)
{
	uint64_t freeable = lru_count(h, i, SF_NONE), scanned = at_most(n, freeable), freed;

	if (!scanned)
		return;
	freed = lru_scan(h, i, scanned, SF_NONE);
	heap_assert(h, freed <= scanned);
	sc->scanned += scanned;
	sc->freed += freed;
	h->vm.slabs_scanned += scanned;
	EMIT(h, SHRINK, shrink, .cache = h->shrinker[i].cache, .memcg = SF_NONE,
	     .priority = NOT_ASKED, .freeable = freeable, .delta = n, .total = n,
	     .scanned = scanned, .freed = freed);
}

/* mm/vmscan.c:shrink_node, mm/shrinker.c:shrink_slab */
static void shrink_all(struct sf_heap *h, struct scan *sc)
{
	sort_shrinkers(h);
	for (uint32_t i = 0; i < h->nr_shrinkers; i++)
		shrink_slab(h, sc, h->shrink_order[i]);
}

/* --- rounds --- */

static void begin(struct sf_heap *h, const struct scan *sc)
{
	heap_assert(h, !h->reclaiming);
	h->reclaiming = true;
	h->reclaimed = 0;
	EMIT(h, RECLAIM, reclaim, .kind = sc->kind, .begin = true, .order = (uint8_t)sc->order,
	     .gfp = sc->gfp, .memcg = sc->memcg);
}

static uint64_t end(struct sf_heap *h, const struct scan *sc)
{
	heap_assert(h, h->reclaiming);
	heap_assert(h, sc->freed <= sc->scanned);
	h->reclaiming = false;
	h->vm.pgscan_slab += sc->scanned;
	h->vm.pgsteal_slab += h->reclaimed;
	EMIT(h, RECLAIM, reclaim, .kind = sc->kind, .order = (uint8_t)sc->order, .gfp = sc->gfp,
	     .memcg = sc->memcg, .priority = sc->priority, .passes = sc->passes,
	     .ready = sc->ready, .scanned = sc->scanned, .freed = sc->freed,
	     .progress = h->reclaimed);
	return h->reclaimed;
}

/* mm/vmscan.c:compaction_ready: for costly orders free pages may be had already. */
static bool compaction_ready(const struct sf_heap *h, const struct scan *sc)
{
	const struct zone *z = &h->zone;

	if (sc->kind != SF_RECLAIM_DIRECT || sc->order <= PAGE_ALLOC_COSTLY_ORDER ||
	    !(sc->gfp & SF_GFP_IO) || !h->nr_tracked)
		return false;
	return watermark_ok(z, sc->order, wmark_pages(z, WMARK_MIN), 0) ||
	       compaction_suitable(z, sc->order, wmark_pages(z, WMARK_HIGH));
}

/*
 * mm/vmscan.c:do_try_to_free_pages: until enough is freed, or priority 0 is through. Without any
 * progress all of it once more.
 */
static uint64_t try_to_free(struct sf_heap *h, struct scan *sc)
{
	begin(h, sc);
	while (sc->passes < 2 && !h->reclaimed && !sc->ready) {
		sc->passes++;
		h->vm.allocstall += sc->kind == SF_RECLAIM_DIRECT;
		for (sc->priority = DEF_PRIORITY;; sc->priority--) {
			sc->ready = compaction_ready(h, sc);
			if (!sc->ready)
				shrink_all(h, sc);
			if (sc->ready || h->reclaimed >= SWAP_CLUSTER_MAX || sc->priority == 0)
				break;
		}
	}
	/* Given up in favour of compaction: no reason for OOM. */
	return end(h, sc) || !sc->ready ? h->reclaimed : 1;
}

uint64_t vmscan_direct(struct sf_heap *h, uint32_t gfp, unsigned int order)
{
	struct scan sc = { .kind = SF_RECLAIM_DIRECT, .order = order, .gfp = gfp,
			   .memcg = SF_NONE };

	return h->reclaiming ? 0 : try_to_free(h, &sc);
}

uint64_t vmscan_memcg(struct sf_heap *h, uint32_t memcg, uint32_t gfp)
{
	struct scan sc = { .kind = SF_RECLAIM_MEMCG, .gfp = gfp, .memcg = memcg };

	return h->reclaiming ? 0 : try_to_free(h, &sc);
}

/* --- kswapd --- */

/*
 * mm/vmscan.c:balance_pgdat. A boost is worked off first, and not very hard, unless the zone is out
 * of balance without it.
 */
static void balance(struct sf_heap *h, struct scan *sc)
{
	const struct zone *z = &h->zone;
	uint64_t boost = z->boost, goal = wmark_pages(z, WMARK_HIGH);

	if (goal < SWAP_CLUSTER_MAX)
		goal = SWAP_CLUSTER_MAX;
	for (sc->priority = DEF_PRIORITY; sc->priority;) {
		bool balanced = watermark_ok(z, 0, wmark_pages(z, WMARK_HIGH), 0), harder = true;
		uint64_t before = h->reclaimed, got;

		if (balanced && !boost)
			return;
		if (!balanced && boost) {
			boost = 0;
			sc->priority = DEF_PRIORITY;
			continue;
		}
		if (boost && sc->priority == DEF_PRIORITY - 2)
			harder = false;
		shrink_all(h, sc);
		got = h->reclaimed - before;
		if (boost && !got)
			return;
		boost -= at_most(boost, got);
		if ((harder && got < goal) || !got)
			sc->priority--;
	}
}

void vmscan_kswapd(struct sf_heap *h)
{
	struct scan sc = { .kind = SF_RECLAIM_KSWAPD, .gfp = SF_GFP_KERNEL, .memcg = SF_NONE };
	struct zone *z = &h->zone;

	begin(h, &sc);
	z->reclaim_active = true;
	balance(h, &sc);
	z->reclaim_active = false;
	z->boost = z->boosted = 0;
	end(h, &sc);
}

uint64_t vmscan_shrink(struct sf_heap *h, uint64_t n)
{
	struct scan sc = { .kind = SF_RECLAIM_SHRINK, .gfp = SF_GFP_KERNEL, .memcg = SF_NONE };

	sort_shrinkers(h);
	begin(h, &sc);
	sc.priority = NOT_ASKED;
	for (uint32_t i = 0; i < h->nr_shrinkers; i++)
		shrink_some(h, &sc, h->shrink_order[i], n);
	h->vm.drop_slab++;
	end(h, &sc);
	return sc.freed;
}

/* --- heaps --- */

void vmscan_reset(struct sf_heap *h)
{
	h->nr_shrink_order = 0;
	h->vm = (struct vm_events){ 0 };
}

void vmscan_free(struct sf_heap *h)
{
	free(h->shrink_order);
}
