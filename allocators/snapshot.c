// SPDX-License-Identifier: MIT
/*
 * snapshot.c - walks of a heap: placement of an address, and snapshots.
 *
 * Everything is read from descriptors, list links and stored next-words; counters are emitted as
 * what they are and never used to find anything. A broken structure is reported as broken, not
 * followed.
 */
#include "arena.h"
#include "base/grow.h"
#include "heap_assert.h"
#include "heap_check.h"
#include "kmalloc.h"
#include "maps.h"
#include "memcg.h"
#include "overcommit.h"
#include "page_alloc.h"
#include "pool.h"
#include "rcu.h"
#include "slab.h"
#include "snapshot.h"
#include "vmalloc.h"

#include <stdlib.h>
#include <string.h>

/* --- placement --- */

static void place_nowhere(struct sf_place *pl)
{
	*pl = (struct sf_place){ .kind = SF_PLACE_NOWHERE, .cache = SF_NONE, .pfn = SF_NO_PFN };
}

static void place_block(const struct sf_heap *h, uint32_t head, uint32_t pfn, uint64_t addr,
			uint8_t kind, struct sf_place *pl)
{
	uint64_t size = SF_PAGE_SIZE << h->arena.page[head].order, base = pfn_addr(head);
	uint32_t stride = size < (1ull << 31) ? (uint32_t)size : 1u << 31;

	*pl = (struct sf_place){ .kind = kind, .order = h->arena.page[head].order,
				 .migratetype = (uint8_t)page_block_type(h, head),
				 .cache = SF_NONE, .stride = stride, .object_size = stride,
				 .offset = (uint32_t)(addr - base), .objects = 1, .base = base,
				 .pfn = pfn };
}

/* Frame and address may come from different windows. */
static void place_slab(const struct sf_heap *h, uint32_t head, uint32_t pfn, uint64_t addr,
		       struct sf_place *pl)
{
	const struct page *pg = &h->arena.page[head];
	const struct kcache *s = h->cache[pg->cache];
	uint32_t at = (pfn - head) << SF_PAGE_SHIFT | (uint32_t)(addr & (SF_PAGE_SIZE - 1));

	*pl = (struct sf_place){ .kind = SF_PLACE_SLAB, .order = pg->order,
				 .migratetype = (uint8_t)page_block_type(h, head),
				 .partition = s->partition, .cache = s->id, .stride = s->stride,
				 .object_size = s->object_size, .index = at / s->stride,
				 .offset = at % s->stride, .objects = pg->objects,
				 .base = slab_addr(h, head), .pfn = pfn };
}

static void place_vmalloc(struct sf_heap *h, uint64_t addr, struct sf_place *pl)
{
	const struct vm_area *v = vmalloc_area(h, addr);
	uint64_t size;

	if (!v || !v->pages)
		return;
	size = (uint64_t)v->pages << SF_PAGE_SHIFT;
	pl->kind = SF_PLACE_VMALLOC;
	pl->base = addr;
	pl->pfn = h->arena.vmap[v->start] - 1;
	pl->stride = pl->object_size = size < (1ull << 31) ? (uint32_t)size : 1u << 31;
	pl->objects = 1;
}

/* Of either window: areas of pools have both. */
static void place_pool(const struct sf_heap *h, const struct vm_area *v, uint32_t pfn,
		       struct sf_place *pl)
{
	uint64_t size = (uint64_t)v->pages << SF_PAGE_SHIFT;

	*pl = (struct sf_place){ .kind = SF_PLACE_POOL, .cache = SF_NONE, .pool = v->pool,
				 .migratetype = (uint8_t)page_block_type(h, pfn),
				 .base = area_addr(v), .pfn = pfn, .objects = 1,
				 .stride = size < (1ull << 31) ? (uint32_t)size : 1u << 31 };
	pl->object_size = pl->stride;
}

void snapshot_place(struct sf_heap *h, uint64_t addr, struct sf_place *pl)
{
	const struct vm_area *pooled = h->pools ? pool_area(h, addr) : NULL;
	uint64_t n = (addr - SF_DIRECT_MAP) >> SF_PAGE_SHIFT;
	uint32_t pfn = n < h->arena.pages ? (uint32_t)n : NO_PFN, head;

	if (pfn == NO_PFN && addr - SF_SLAB_WINDOW < (uint64_t)SMAP_PAGES << SF_PAGE_SHIFT)
		pfn = addr_pfn(h, addr);
	if (pooled) {
		place_pool(h, pooled, addr_pfn(h, addr), pl);
		return;
	}
	if (pfn == NO_PFN) {
		place_nowhere(pl);
		place_vmalloc(h, addr, pl);
		return;
	}
	head = h->arena.page[pfn].state == PAGE_TAIL ? h->arena.page[pfn].head : pfn;
	switch (h->arena.page[head].state) {
	case PAGE_SLAB:
		place_slab(h, head, pfn, addr, pl);
		break;
	case PAGE_LARGE:
		place_block(h, head, pfn, addr, SF_PLACE_LARGE, pl);
		break;
	case PAGE_USED:
		place_block(h, head, pfn, addr, SF_PLACE_PAGES, pl);
		break;
	default:
		place_nowhere(pl);
	}
}

/* --- snapshots --- */

struct walk {
	struct sf_heap *h;
	struct sf_sink *sink;
	struct sf_event ev; /* one for all, as only one payload is written each time */
};

#define SNAP(w, evtype, member, ...)                                                      \
	do {                                                                              \
		(w)->ev.type = SF_EV_##evtype;                                            \
		(w)->ev.member = (struct sf_ev_##member){ __VA_ARGS__ };                  \
		(w)->sink->emit((w)->sink->ctx, &(w)->ev);                                \
	} while (0)

static void emit_cache(struct walk *w, const struct kcache *s)
{
	/* mm/slub.c:get_slabinfo: free objects are counted on the partial list only. */
	uint64_t nr_free = 0;
	uint32_t head = s->partial.head;

	for (uint32_t i = 0; i < s->partial.nr && head != NO_PFN; i++) {
		const struct page *pg = &w->h->arena.page[head];

		nr_free += (uint64_t)pg->objects - pg->inuse;
		head = pg->next;
	}
	SNAP(w, SNAP_CACHE, snapcache, .cache = s->id, .refs = s->refs, .nr_slabs = s->nr_slabs,
	     .total_objects = s->total_objects, .nr_partial = s->partial.nr,
	     .active_objs = s->total_objects - nr_free, .num_objs = s->total_objects,
	     .objsize = s->stride, .objperslab = s->objects, .pagesperslab = 1ull << s->order,
	     .active_slabs = s->nr_slabs, .num_slabs = s->nr_slabs);
}

/* What slab_free_hook() wipes (mm/slab.h:slab_want_init_on_free). */
static bool wiped_on_free(const struct sf_heap *h, const struct kcache *s)
{
	return h->set.init_on_free && !(s->flags & (SF_SLAB_CTOR | SF_SLAB_TYPESAFE_BY_RCU));
}

/* Address of the first byte of free objects, their free pointers apart, that is not zero. */
static uint64_t first_unwiped(struct sf_heap *h, const struct kcache *s, const uint64_t *obj,
			      uint32_t n)
{
	uint32_t end = s->object_size, ptr = s->freeptr < end ? s->freeptr : end;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t bad = arena_zeroed(h, obj[i], 0, ptr, SF_CONTENTS_WHOLE);

		if (bad == SF_GOOD)
			bad = arena_zeroed(h, obj[i], ptr + 8, end, SF_CONTENTS_WHOLE);
		if (bad != SF_GOOD)
			return obj[i] + bad;
	}
	return SF_GOOD;
}

/*
 * Follows a free list into walk_buf, and its words as they are stored into `stored`, unless NULL:
 * then they are not encoded. Each step is checked before it is made.
 */
static uint8_t walk_free(const struct sf_heap *h, uint32_t head, uint64_t *stored, uint32_t *nr)
{
	const struct page *pg = &h->arena.page[head];
	const struct kcache *s = h->cache[pg->cache];
	uint64_t base = slab_addr(h, head), size = (uint64_t)pg->objects * s->stride;
	uint64_t alias = pfn_addr(head) - base; /* the same in the direct map, which is faster */
	/* just for offsets that are multiples of the stride: off * factor < factor */
	uint64_t addr = pg->freelist ? base + (pg->freelist - 1) * 8ull : 0;
	uint64_t factor = UINT64_MAX / s->stride + 1;
	uint64_t *out = h->walk_buf, *const full = out + pg->objects;
	uint8_t error = SF_WALK_OK;

	while (addr) {
		uint64_t off = addr - base;

		if (off >= size)
			error = SF_WALK_OUTSIDE;
		else if (off * factor >= factor)
			error = SF_WALK_UNALIGNED;
		else if (out == full)
			error = SF_WALK_CYCLE;
		if (error != SF_WALK_OK)
			break;
		*out++ = addr;
		off = addr + alias + s->freeptr;
		addr = raw_load(h, off);
		if (stored) {
			*stored++ = addr;
			addr ^= s->secret ^ __builtin_bswap64(off - alias);
		}
	}
	*nr = (uint32_t)(out - h->walk_buf);
	return error;
}

static void emit_slab(struct walk *w, uint32_t head, uint8_t list, uint32_t position)
{
	struct sf_heap *h = w->h;
	const struct page *pg = &h->arena.page[head];
	const struct kcache *s = h->cache[pg->cache];
	uint64_t *stored = NULL, *borrowed = NULL;
	uint64_t unwiped = SF_GOOD;
	uint8_t error;
	uint32_t n = 0;

	if (h->set.freelist_hardened && 2u * pg->objects <= h->walk_cap) {
		stored = h->walk_buf + pg->objects;
	} else if (h->set.freelist_hardened) {
		stored = borrowed = sf_grow(NULL, pg->objects, sizeof(*borrowed));
	}
	error = walk_free(h, head, stored, &n);
	if (wiped_on_free(h, s))
		unwiped = first_unwiped(h, s, h->walk_buf, n);
	SNAP(w, SNAP_SLAB, snapslab, .cache = pg->cache, .pfn = head, .order = pg->order,
	     .list = list, .flag_partial = pg->on_partial, .error = error, .position = position,
	     .objects = pg->objects, .inuse = pg->inuse, .nr_free = n, .free = h->walk_buf,
	     .addr = slab_addr(h, head), .stored = stored, .unwiped = unwiped);
	free(borrowed);
}

/* True if an object of this cache begins there: a misuse may have parked anything. */
static bool is_object(const struct sf_heap *h, const struct kcache *s, uint64_t addr)
{
	uint32_t head = addr_pfn(h, addr);
	const struct page *pg;
	uint64_t off;

	if (head == NO_PFN)
		return false;
	if (h->arena.page[head].state == PAGE_TAIL)
		head = h->arena.page[head].head;
	pg = &h->arena.page[head];
	off = addr - slab_addr(h, head);
	return pg->state == PAGE_SLAB && pg->cache == s->id && off % s->stride == 0 &&
	       off / s->stride < pg->objects;
}

/* Where the slot begins of an object that waits in a sheaf. */
static uint64_t slot_of(struct sf_heap *h, uint64_t addr)
{
	uint32_t head;
	const struct kcache *s = slab_cache(h, addr, &head);

	return s ? addr - offset_in_slot(h, s, head, addr) : addr;
}

/* Objects that wait for a grace period are as their users left them, not wiped yet. */
static void emit_sheaf(struct walk *w, const struct kcache *s, uint8_t kind, uint8_t cpu,
		       uint32_t id)
{
	struct sf_heap *h = w->h;
	uint64_t *objs = h->walk_buf, unwiped = SF_GOOD;
	const struct sheaf *sh;

	if (id == NO_SHEAF || !h->sheaves[id].nr)
		return;
	sh = &h->sheaves[id];
	for (uint32_t i = 0, nr = sh->nr; i < nr; i++)
		objs[i] = slab_window(h) + sh->obj[i] * 8ull;
	if (kind == SF_SHEAF_RCU)
		for (uint32_t i = 0; i < sh->nr; i++)
			objs[i] = slot_of(h, objs[i]);
	else if (wiped_on_free(h, s))
		for (uint32_t i = 0; i < sh->nr && unwiped == SF_GOOD; i++)
			if (is_object(h, s, objs[i]))
				unwiped = first_unwiped(h, s, &objs[i], 1);
	SNAP(w, SNAP_SHEAF, snapsheaf, .cache = s->id, .kind = kind, .cpu = cpu, .nr = sh->nr,
	     .capacity = sh->capacity, .objs = objs, .unwiped = unwiped);
}

static void emit_sheaves(struct walk *w, const struct kcache *s)
{
	uint32_t id = s->barn.full;

	for (unsigned int cpu = 0; cpu < w->h->set.cpus; cpu++) {
		emit_sheaf(w, s, SF_SHEAF_MAIN, (uint8_t)cpu, s->cpu[cpu].main);
		emit_sheaf(w, s, SF_SHEAF_SPARE, (uint8_t)cpu, s->cpu[cpu].spare);
		emit_sheaf(w, s, SF_SHEAF_RCU, (uint8_t)cpu, s->cpu[cpu].rcu_free);
	}
	for (uint32_t i = 0; i < s->barn.nr_full && id != NO_SHEAF; i++) {
		emit_sheaf(w, s, SF_SHEAF_BARN, 0xff, id);
		id = w->h->sheaves[id].next;
	}
}

static void emit_queued_sheaves(struct walk *w)
{
	uint32_t at = 0, cache, id;

	while (rcu_next_sheaf(w->h, &at, &cache, &id))
		emit_sheaf(w, w->h->cache[cache], SF_SHEAF_RCU, 0xff, id);
}

static void emit_prefilled(struct walk *w)
{
	const struct sf_heap *h = w->h;

	for (uint32_t id = 0, nr = h->nr_prefilled; nr && id < h->nr_sheaves; id++) {
		if (h->sheaves[id].holder == SF_NONE)
			continue;
		emit_sheaf(w, h->cache[h->sheaves[id].holder], SF_SHEAF_PREFILLED, 0xff, id);
		nr--;
	}
}

/* Slabs on the partial list; those that are on no list are found by their descriptors. */
static void emit_partial(struct walk *w, const struct kcache *s)
{
	uint32_t head = s->partial.head;

	for (uint32_t i = 0; head != NO_PFN && i < w->h->arena.pages; i++) {
		emit_slab(w, head, SF_SLAB_PARTIAL, i);
		head = w->h->arena.page[head].next;
	}
}

static void emit_page(struct walk *w, uint32_t pfn)
{
	const struct page *pg = &w->h->arena.page[pfn];

	if (pg->state == PAGE_SLAB) {
		if (!pg->on_partial)
			emit_slab(w, pfn, SF_SLAB_UNLISTED, 0);
	} else if (pg->state == PAGE_RCU) {
		emit_slab(w, pfn, SF_SLAB_DEFERRED, 0);
	} else if (pg->state == PAGE_LARGE || pg->state == PAGE_USED) {
		SNAP(w, SNAP_USED, snapused, .pfn = pfn, .order = pg->order,
		     .kind = pg->state == PAGE_LARGE ? SF_PLACE_LARGE : SF_PLACE_PAGES);
	} else if (pg->state == PAGE_POOL) {
		SNAP(w, SNAP_USED, snapused, .pfn = pfn, .order = pg->order,
		     .kind = SF_PLACE_POOL);
	}
}

/* False: none of the 8 frames is the head of a block in use (all are free or as at boot). */
static bool in_use(const struct page *pg)
{
	_Static_assert(PAGE_BOOT == 0 && PAGE_FREE == 1 && PAGE_PCP == 2, "the lowest are free");
	return (pg[0].state | pg[1].state | pg[2].state | pg[3].state | pg[4].state | pg[5].state |
		pg[6].state | pg[7].state) > PAGE_PCP;
}

static void emit_group(struct walk *w, uint32_t pfn, uint32_t end)
{
	const struct page *page = w->h->arena.page;

	for (; pfn < end; pfn += 8) {
		if (end - pfn >= 8 && !in_use(&page[pfn]))
			continue;
		for (uint32_t p = pfn; p < end && p < pfn + 8; p++)
			emit_page(w, p);
	}
}

/* Every frame that is no longer as at boot, in ascending order. */
static void emit_pages(struct walk *w)
{
	const struct arena *a = &w->h->arena;

	for (uint32_t i = 0; i < (a->groups + 63) / 64; i++) {
		for (uint64_t bits = a->touched[i]; bits; bits &= bits - 1) {
			uint32_t first = (i * 64 + (uint32_t)__builtin_ctzll(bits)) * 64;

			emit_group(w, first, first + 64 < a->pages ? first + 64 : a->pages);
		}
	}
}

static void emit_blocks(struct walk *w)
{
	const struct sf_heap *h = w->h;

	for (unsigned int order = 0; order < SF_NR_ORDERS; order++) {
		for (unsigned int mt = 0; mt < SF_MIGRATE_TYPES; mt++) {
			uint32_t pfn = h->zone.free[order][mt].head;

			for (uint32_t i = 0; pfn != NO_PFN && i < h->arena.pages; i++) {
				SNAP(w, SNAP_BLOCK, snapblock, .pfn = pfn, .order = (uint8_t)order,
				     .list = (uint8_t)mt,
				     .pageblock = (uint8_t)page_block_type(h, pfn), .position = i);
				pfn = h->arena.page[pfn].next;
			}
		}
	}
}

static void emit_pcps(struct walk *w)
{
	struct sf_heap *h = w->h;

	for (unsigned int cpu = 0; cpu < h->set.cpus; cpu++) {
		const struct pcp *pcp = &h->zone.pcp[cpu];

		for (unsigned int l = 0; l < NR_PCP_LISTS; l++) {
			uint32_t n = 0, pfn = pcp->list[l].nr ? pcp->list[l].head : NO_PFN;

			if (pfn == NO_PFN)
				continue;
			for (; pfn != NO_PFN && n < h->walk_cap; pfn = h->arena.page[pfn].next)
				h->walk_buf[n++] = pfn;
			SNAP(w, SNAP_PCP, snappcp, .cpu = (uint8_t)cpu, .list = (uint8_t)l,
			     .order = l < 12 ? (uint8_t)(l / 3) : 9, .nr = n, .pfns = h->walk_buf,
			     .count = pcp->count, .batch = h->zone.pcp_batch,
			     .high = pcp->high > h->zone.pcp_high_min ? pcp->high :
									h->zone.pcp_high_min);
		}
	}
}

static void emit_block_types(struct walk *w)
{
	const struct zone *z = &w->h->zone;

	for (uint32_t i = 0; i < z->nr_blocks; i++)
		if (z->block_type[i] != SF_MIGRATE_MOVABLE)
			SNAP(w, SNAP_PAGEBLOCK, snappb, .pfn = (uint64_t)i << z->pageblock_order,
			     .migratetype = z->block_type[i]);
}

static void emit_memcgs(struct walk *w)
{
	uint32_t at = 0;

	w->ev.type = SF_EV_SNAP_MEMCG;
	while (memcg_next(w->h, &at, &w->ev.snapmemcg))
		w->sink->emit(w->sink->ctx, &w->ev);
}

/* VM_EVENTS(X): X(field): what /proc/vmstat has of both. */
#define VM_EVENTS(X)                                                                     \
	X(allocstall) X(pgscan_slab) X(pgsteal_slab) X(oom_kill) X(compact_stall)        \
	X(compact_success) X(pgmigrate_success) X(drop_slab) X(slabs_scanned)

static void emit_counters(struct walk *w)
{
	const struct sf_heap *h = w->h;
	struct sf_ev_counters *c = &w->ev.counters;

	w->ev.type = SF_EV_SNAP_COUNTERS;
	c->nr_free_pages = h->zone.nr_free_pages;
	c->nr_slab_reclaimable = h->nr_slab_reclaimable;
	c->nr_slab_unreclaimable = h->nr_slab_unreclaimable;
	memcpy(c->nr_free, h->zone.nr_free, sizeof(c->nr_free));
	c->watermark_min = h->zone.wmark[0];
	c->watermark_low = h->zone.wmark[1];
	c->watermark_high = h->zone.wmark[2];
	c->watermark_boost = h->zone.boost;
	c->nr_free_highatomic = h->zone.nr_free_highatomic;
	c->nr_highatomic = h->zone.nr_highatomic;
	c->indirect_bytes = h->indirect_bytes;
	c->nr_kernel_misc_reclaimable = misc_reclaimable(h);
	c->mem_available = mem_available(h);
	c->totalreserve = totalreserve(h);
#define X(field) c->field = h->vm.field;
	VM_EVENTS(X)
#undef X
	w->sink->emit(w->sink->ctx, &w->ev);
}

void snapshot_walk(struct sf_heap *h, struct sf_sink *sink, bool touched, bool final)
{
	struct walk w = { h, sink, { .cpu = (uint8_t)h->cpu, .op = sink->op } };

	heap_assert_slow(h, h->set.misuse || !heap_check(h));
	SNAP(&w, SNAP_BEGIN, snap, .managed = h->zone.managed, .final = final);
	for (uint32_t i = 0; i < h->nr_caches; i++) {
		const struct kcache *s = h->cache[i];

		if ((touched && !s->touched) || (!s->refs && !s->leaked))
			continue;
		emit_cache(&w, s);
		emit_partial(&w, s);
		emit_sheaves(&w, s);
	}
	emit_queued_sheaves(&w);
	emit_prefilled(&w);
	emit_pages(&w);
	emit_blocks(&w);
	emit_pcps(&w);
	emit_block_types(&w);
	emit_memcgs(&w);
	emit_counters(&w);
	if (pool_any(h))
		maps_emit(h, sink, SF_MAPS_WALK, 0, 0, 0);
	SNAP(&w, SNAP_END, snap, .managed = h->zone.managed, .final = final);
}
