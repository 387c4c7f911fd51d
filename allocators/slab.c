// SPDX-License-Identifier: MIT
/*
 * slab.c - slabs and the per-CPU sheaves in front of them, as in mm/slub.c of Linux 7.2.
 *
 * Relies on page_alloc.c for slab pages and on arena.c for memory; kmalloc.c and cache.c rely on
 * it. Free objects hold their next-word where the kernel holds it (in the middle of the object or
 * behind it: freelist.c), so that a stray write reaches it as it would there. Addresses are of the
 * direct map, or of the slab window (window.c).
 *
 * After a misuse anything may be freed, twice, or to the wrong cache, and a free list may say
 * anything: what could not be carried out without harm to the model itself is complained about and
 * dropped.
 *
 * Whoever asks for pages may reclaim: while new_slab() does, any object, sheaf, list or slab of any
 * cache may change, and where sheaves are may too. What was known of them before is looked at anew.
 *
 * Not as in the kernel: sheaves and barns live beside the simulated memory (there they are kmalloc
 * objects); slabs made of the last reserves (pfmemalloc) serve every caller.
 */
#include "arena.h"
#include "base/grow.h"
#include "fault.h"
#include "freelist.h"
#include "heap_assert.h"
#include "memcg.h"
#include "page_alloc.h"
#include "rcu.h"
#include "slab.h"
#include "slab_internal.h"
#include "window.h"

#include <stdlib.h>
#include <string.h>

static uint64_t object_addr(const struct kcache *s, uint64_t base, uint32_t index)
{
	return base + (uint64_t)index * s->stride;
}

/* Can the object be one of that cache's, as its slab's descriptor says? For assertions. */
static bool is_of(const struct sf_heap *h, const struct kcache *s, uint64_t addr)
{
	uint32_t pfn = addr_pfn(h, addr);

	if (pfn == NO_PFN)
		return false;
	if (h->arena.page[pfn].state == PAGE_TAIL)
		pfn = h->arena.page[pfn].head;
	return h->arena.page[pfn].state == PAGE_SLAB && h->arena.page[pfn].cache == s->id;
}

static bool is_full(const struct sf_heap *h, uint32_t sheaf)
{
	return h->sheaves[sheaf].nr == h->sheaves[sheaf].capacity;
}

/* --- partial list --- */

static void partial_add(struct sf_heap *h, struct kcache *s, uint32_t head, bool tail)
{
	struct page *page = h->arena.page, *pg = &page[head];
	struct page_list *l = &s->partial;

	heap_assert(h, pg->state == PAGE_SLAB && pg->cache == s->id);
	heap_assert(h, !pg->on_partial);
	heap_assert(h, pg->freelist && pg->inuse < pg->objects);
	pg->next = tail ? NO_PFN : l->head;
	pg->prev = tail ? l->tail : NO_PFN;
	if (l->nr == 0)
		l->head = l->tail = head;
	else if (tail)
		l->tail = page[l->tail].next = head;
	else
		l->head = page[l->head].prev = head;
	l->nr++;
	pg->on_partial = 1;
	heap_assert(h, page_is_linked(h, l, head));
	heap_assert(h, l->nr <= s->nr_slabs);
}

static void partial_del(struct sf_heap *h, struct kcache *s, uint32_t head)
{
	struct page *page = h->arena.page, *pg = &page[head];
	struct page_list *l = &s->partial;

	heap_assert(h, pg->on_partial && pg->cache == s->id);
	heap_assert(h, page_is_linked(h, l, head));
	if (pg->prev == NO_PFN)
		l->head = pg->next;
	else
		page[pg->prev].next = pg->next;
	if (pg->next == NO_PFN)
		l->tail = pg->prev;
	else
		page[pg->next].prev = pg->prev;
	l->nr--;
	pg->on_partial = 0;
	heap_assert(h, page_list_agrees(l));
}

/* --- slabs --- */

static void account_slab(struct sf_heap *h, const struct kcache *s, int64_t pages)
{
	if (s->flags & SF_SLAB_RECLAIM_ACCOUNT)
		h->nr_slab_reclaimable += (uint64_t)pages;
	else
		h->nr_slab_unreclaimable += (uint64_t)pages;
	heap_assert(h, h->nr_slab_reclaimable <= h->zone.managed);
	heap_assert(h, h->nr_slab_unreclaimable <= h->zone.managed);
}

/* What a slab's pages inherit of the caller's flags (mm/internal.h, mm/slub.c:new_slab). */
#define SLAB_GFP_KEEP                                                                           \
	(SF_GFP_RECLAIM | SF_GFP_HIGH | SF_GFP_IO | SF_GFP_FS | SF_GFP_NOWARN |                 \
	 SF_GFP_RETRY_MAYFAIL | SF_GFP_NOFAIL | SF_GFP_NORETRY | SF_GFP_MEMALLOC |              \
	 SF_GFP_NOMEMALLOC | SF_GFP_HARDWALL | SF_GFP_THISNODE)

/* What alloc_pages_nolock() asks for, whatever its caller did (mm/page_alloc.c). */
#define NOLOCK_PAGES_GFP (SF_GFP_NOWARN | SF_GFP_ZERO | SF_GFP_NOMEMALLOC | SF_GFP_COMP)

/* Without waiting: only orders that per-CPU lists have, and no failure is injected. */
static uint32_t slab_pages(struct sf_heap *h, const struct kcache *s, uint32_t gfp,
			   unsigned int order, bool nolock, enum sf_status *status)
{
	bool faults = h->faults;
	uint32_t pfn;

	if (!nolock)
		return s->large ? page_alloc_whole(h, gfp, order, status) :
				  page_alloc(h, gfp, order, status);
	if (order > 3 && order != 9)
		return NO_PFN;
	h->faults = false;
	pfn = page_alloc(h, gfp, order, status);
	h->faults = faults;
	return pfn;
}

static uint32_t slab_gfp(const struct kcache *s, uint32_t gfp, bool nolock)
{
	uint32_t flags = (gfp & SLAB_GFP_KEEP) | SF_GFP_COMP;

	if (s->flags & SF_SLAB_RECLAIM_ACCOUNT)
		flags |= SF_GFP_RECLAIMABLE;
	if (s->flags & SF_SLAB_CACHE_DMA)
		flags |= SF_GFP_DMA;
	if (s->flags & SF_SLAB_CACHE_DMA32)
		flags |= SF_GFP_DMA32;
	if (nolock)
		flags = (flags & ~(uint32_t)SLAB_GFP_KEEP) | NOLOCK_PAGES_GFP;
	return flags;
}

/* The preferred order without effort: the smallest is still to come. */
static uint32_t preferred_block(struct sf_heap *h, const struct kcache *s, uint32_t flags,
				bool nolock, enum sf_status *status)
{
	uint32_t first = (flags | SF_GFP_NOWARN | SF_GFP_NORETRY) & ~SF_GFP_NOFAIL;

	if ((first & SF_GFP_DIRECT_RECLAIM) && s->order > s->min_order)
		first = (first | SF_GFP_NOMEMALLOC) & ~SF_GFP_RECLAIM;
	return slab_pages(h, s, first, s->order, nolock, status);
}

/*
 * The preferred order first; then the smallest with all that the caller allows
 * (mm/slub.c:allocate_slab). A large cache has but one order, and that second attempt only: what
 * the caller allows, nothing less and nothing more. No free list yet: the caller makes it of what
 * it does not take.
 */
static uint32_t new_slab(struct sf_heap *h, struct kcache *s, uint32_t gfp, bool nolock,
			 enum sf_status *status)
{
	uint32_t flags = slab_gfp(s, gfp, nolock), pfn = NO_PFN;
	unsigned int order = s->order, objects = s->objects;
	struct page *pg;

	if (!s->large)
		pfn = preferred_block(h, s, flags, nolock, status);
	if (pfn == NO_PFN) {
		order = s->min_order;
		objects = s->min_objects;
		pfn = slab_pages(h, s, flags, order, nolock, status);
		if (pfn == NO_PFN)
			return NO_PFN;
	}
	if (!window_map(h, s, pfn, order)) {
		warn(h, "slab: no addresses left", 0);
		page_free(h, pfn, order);
		*status = gfp & SF_GFP_NOFAIL ? SF_BLOCKED : SF_NULL;
		return NO_PFN;
	}
	pg = &h->arena.page[pfn];
	heap_assert(h, pg->state == PAGE_USED && pg->order == order);
	heap_assert(h, objects && (uint64_t)objects * s->stride <= SF_PAGE_SIZE << order);
	pg->state = PAGE_SLAB;
	pg->cache = s->id;
	pg->objects = (uint16_t)objects;
	pg->inuse = 0;
	pg->freelist = 0;
	pg->on_partial = 0;
	s->touched = true;
	s->nr_slabs++;
	s->total_objects += objects;
	account_slab(h, s, 1 << order);
	EMIT(h, SLAB_NEW, slab, .cache = s->id, .order = (uint8_t)order,
	     .migratetype = (uint8_t)page_block_type(h, pfn), .objects = (uint16_t)objects,
	     .gfp = flags, .pfn = pfn, .addr = slab_addr(h, pfn),
	     .dirty = h->set.init_on_free ? arena_dirty(h, pfn, 1u << order) : SF_GOOD);
	heap_assert(h, s->total_objects >= s->nr_slabs);
	return pfn;
}

/* mm/slub.c:__free_slab */
static void free_slab(struct sf_heap *h, struct kcache *s, uint32_t head)
{
	struct page *pg = &h->arena.page[head];
	unsigned int order = pg->order;

	heap_assert(h, pg->state == PAGE_SLAB || pg->state == PAGE_RCU);
	heap_assert(h, !pg->on_partial && !pg->inuse);
	heap_assert(h, pg->cache == s->id);
	if (h->reclaiming)
		h->reclaimed += 1u << order;
	account_slab(h, s, -(1 << order));
	EMIT(h, SLAB_FREE, slab, .cache = s->id, .order = (uint8_t)order,
	     .migratetype = (uint8_t)page_block_type(h, head), .objects = pg->objects, .pfn = head,
	     .addr = slab_addr(h, head), .dirty = SF_GOOD);
	window_unmap(h, s, head, order);
	pg->state = PAGE_USED;
	page_free(h, head, order);
}

/* Its free list stays as it is meanwhile: readers may still be at the objects. */
static void defer_slab(struct sf_heap *h, struct kcache *s, uint32_t head)
{
	struct page *pg = &h->arena.page[head];

	heap_assert(h, pg->state == PAGE_SLAB && !pg->on_partial && !pg->inuse);
	pg->state = PAGE_RCU;
	EMIT(h, SLAB_DEFER, slab, .cache = s->id, .order = pg->order,
	     .migratetype = (uint8_t)page_block_type(h, head), .objects = pg->objects, .pfn = head,
	     .addr = slab_addr(h, head), .dirty = SF_GOOD);
	rcu_defer_slab(h, head);
}

static void discard_slab(struct sf_heap *h, struct kcache *s, uint32_t head)
{
	heap_assert(h, s->nr_slabs > 0);
	heap_assert(h, s->total_objects >= h->arena.page[head].objects);
	s->nr_slabs--;
	s->total_objects -= h->arena.page[head].objects;
	heap_assert(h, !s->nr_slabs == !s->total_objects && s->partial.nr <= s->nr_slabs);
	if (s->flags & SF_SLAB_TYPESAFE_BY_RCU)
		defer_slab(h, s, head);
	else
		free_slab(h, s, head);
}

void slab_free_deferred(struct sf_heap *h, uint32_t head)
{
	heap_assert(h, h->arena.page[head].state == PAGE_RCU);
	free_slab(h, h->cache[h->arena.page[head].cache], head);
}

/*
 * Up to `max` objects of a fresh slab, in the slab's order; the rest becomes its free list in that
 * order, and the slab goes to the head of the partial list.
 */
static unsigned int take_from_new(struct sf_heap *h, struct kcache *s, uint32_t head, uint64_t *out,
				  unsigned int max)
{
	struct page *pg = &h->arena.page[head];
	unsigned int n = max < pg->objects ? max : pg->objects;
	uint64_t base = slab_addr(h, head);

	heap_assert(h, n > 0);
	heap_assert(h, !pg->freelist && !pg->inuse && !pg->on_partial);
	freelist_order(h, s, pg->objects);
	for (unsigned int i = 0; i < n; i++)
		out[i] = object_addr(s, base, h->order_buf[i]);
	for (unsigned int i = pg->objects; i-- > n;)
		freelist_push(h, s, pg, base, object_addr(s, base, h->order_buf[i]));
	pg->inuse = (uint16_t)n;
	heap_assert(h, !pg->freelist == (n == pg->objects));
	heap_assert_slow(h, freelist_length(h, s, head) == pg->objects - n);
	if (h->sink)
		freelist_emit(h, s, head, out, n);
	if (n < pg->objects)
		partial_add(h, s, head, false);
	return n;
}

/*
 * Up to `max` objects of an isolated slab, as many as it says it has. A list that leads round and
 * round is followed that far and no further, as there; one that is too short would be a null
 * pointer to go on from (mm/slub.c:__refill_objects_node).
 */
static unsigned int take_listed(struct sf_heap *h, struct kcache *s, uint32_t head, uint64_t *out,
				unsigned int max)
{
	struct page *pg = &h->arena.page[head];
	uint64_t base = slab_addr(h, head);
	unsigned int n = 0;

	heap_assert(h, pg->freelist && !pg->on_partial);
	heap_assert(h, pg->inuse < pg->objects);
	while (n < max && pg->freelist && pg->inuse < pg->objects) {
		out[n++] = freelist_pop(h, s, pg, base);
		pg->inuse++;
	}
	if (pg->inuse >= pg->objects)
		pg->freelist = 0;
	else if (!pg->freelist)
		warn(h, "slab: free list ends too early", base);
	heap_assert(h, n <= max && pg->inuse <= pg->objects);
	heap_assert(h, !pg->freelist == (pg->inuse == pg->objects));
	return n;
}

/*
 * `max` objects: from partial slabs, then new ones (mm/slub.c:refill_objects). Slabs are isolated
 * until their free objects suffice; what is left of the last goes back to the tail.
 */
static unsigned int refill_objects(struct sf_heap *h, struct kcache *s, uint64_t *out,
				   unsigned int max, uint32_t gfp, enum sf_status *status)
{
	unsigned int n = 0;

	while (n < max && s->partial.nr) {
		uint32_t head = s->partial.head;

		partial_del(h, s, head);
		n += take_listed(h, s, head, out + n, max - n);
		if (h->arena.page[head].freelist)
			partial_add(h, s, head, true);
	}
	while (n < max) {
		uint32_t head = new_slab(h, s, gfp, false, status);

		if (head == NO_PFN)
			break;
		n += take_from_new(h, s, head, out + n, max - n);
	}
	heap_assert(h, n <= max);
	return n;
}

/*
 * One object past the sheaves (mm/slub.c:___slab_alloc). A list that leads round and round never
 * ends here: more objects are in use than there are, until the counter can count no further.
 */
static uint64_t slow_alloc(struct sf_heap *h, struct kcache *s, uint32_t gfp, bool nolock,
			   enum sf_status *status)
{
	uint32_t head = s->partial.head;
	uint64_t addr;

	if (s->partial.nr) {
		struct page *pg = &h->arena.page[head];

		heap_assert(h, pg->on_partial && pg->freelist && pg->inuse < pg->objects);
		addr = freelist_pop(h, s, pg, slab_addr(h, head));
		pg->inuse += pg->inuse != UINT16_MAX;
		heap_assert(h, !pg->freelist == (pg->inuse == pg->objects));
		if (!pg->freelist)
			partial_del(h, s, head);
		return addr;
	}
	head = new_slab(h, s, gfp, nolock, status);
	if (head == NO_PFN)
		return 0;
	take_from_new(h, s, head, &addr, 1);
	return addr;
}

/* The head of the slab that the address is in; NO_PFN if it is in none. */
static uint32_t slab_head(const struct sf_heap *h, uint64_t addr)
{
	uint32_t pfn = addr_pfn(h, addr);

	if (pfn == NO_PFN)
		return NO_PFN;
	if (h->arena.page[pfn].state == PAGE_TAIL)
		pfn = h->arena.page[pfn].head;
	return h->arena.page[pfn].state == PAGE_SLAB ? pfn : NO_PFN;
}

/*
 * After objects came back to a slab, some or all of them (mm/slub.c:__slab_free). An empty slab is
 * kept while the node has fewer than min_partial partial slabs; the count includes the slab itself
 * if it is on the list.
 */
static void settle_slab(struct sf_heap *h, struct kcache *s, uint32_t head, bool was_full)
{
	heap_assert(h, h->arena.page[head].state == PAGE_SLAB);
	heap_assert(h, was_full == !h->arena.page[head].on_partial);
	if (!h->arena.page[head].inuse && s->partial.nr >= s->min_partial) {
		if (!was_full)
			partial_del(h, s, head);
		discard_slab(h, s, head);
	} else if (was_full) {
		partial_add(h, s, head, true);
	}
}

/*
 * One object back on its slab's list. False: dropped, with a complaint. The free pointer goes where
 * the cache that frees it has it; whose slab it is, its descriptor says.
 */
static bool give_back(struct sf_heap *h, const struct kcache *s, uint32_t head, uint64_t addr)
{
	struct page *pg;
	uint64_t base;

	if (head == NO_PFN) {
		warn(h, "slab: object freed whose slab is gone", addr);
		return false;
	}
	pg = &h->arena.page[head];
	base = slab_addr(h, head);
	if (h->set.freelist_hardened && pg->freelist == (addr - base) / 8 + 1) {
		/* set_freepointer(): "naive detection of double free or corruption" */
		warn(h, "slab: object freed twice in a row", addr);
		return false;
	}
	if (!pg->inuse) {
		warn(h, "slab: more objects freed than are in use", addr);
		return false;
	}
	heap_assert(h, addr - base < (uint64_t)pg->objects * s->stride);
	heap_assert(h, (uint32_t)(addr - base) % s->stride == 0 && pg->cache == s->id);
	freelist_push(h, s, pg, base, addr);
	pg->inuse--;
	return true;
}

/* The cache whose slab it is: `s`, unless an object was freed to the wrong one. */
static struct kcache *owner(struct sf_heap *h, uint32_t head)
{
	return h->cache[h->arena.page[head].cache];
}

static bool slab_return(struct sf_heap *h, struct kcache *s, uint64_t addr)
{
	uint32_t head = slab_head(h, addr);
	bool was_full = head != NO_PFN && !h->arena.page[head].on_partial;

	if (!give_back(h, s, head, addr))
		return false;
	settle_slab(h, owner(h, head), head, was_full);
	return true;
}

/* Objects of one slab: the first found is the last of the array, and the first on the list ... */
static void return_group(struct sf_heap *h, struct kcache *s, uint32_t head, const uint64_t *obj,
			 uint32_t n, bool hooks)
{
	bool was_full = head != NO_PFN && !h->arena.page[head].on_partial, any = false;

	heap_assert(h, n > 0);
	/* ... or the last, if they pass slab_free_freelist_hook(), which turns the list round. */
	for (uint32_t i = 0; i < n; i++)
		any |= give_back(h, s, head, obj[hooks ? i : n - 1 - i]);
	if (any)
		settle_slab(h, owner(h, head), head, was_full);
}

#define LOOK_AHEAD 3

/*
 * Objects back to their slabs, from the last on. Those of one slab go together, as far as they are
 * found before the third that is not (mm/slub.c:build_detached_freelist); reorders the array.
 * `hooks`: they come straight from their users (slab_free_bulk, not __kmem_cache_free_bulk).
 */
static void return_bulk(struct sf_heap *h, struct kcache *s, uint64_t *obj, uint32_t n, bool hooks)
{
	for (uint32_t same; n; n = same) {
		uint32_t head = slab_head(h, obj[n - 1]);
		unsigned int look = LOOK_AHEAD;

		same = n - 1;
		for (uint32_t i = same; i && look;) {
			uint64_t addr = obj[--i];

			if (slab_head(h, addr) != head) {
				look--;
				continue;
			}
			obj[i] = obj[--same];
			obj[same] = addr;
		}
		return_group(h, s, head, obj + same, n - same, hooks);
	}
}

static void discard_all(struct sf_heap *h, struct kcache *s, uint32_t head)
{
	for (uint32_t next; head != NO_PFN; head = next) {
		next = h->arena.page[head].next;
		discard_slab(h, s, head);
	}
}

/*
 * Reorders the list by free objects, fullest first, and frees empty slabs, the last on the list
 * first (mm/slub.c:__kmem_cache_do_shrink).
 */
#define SHRINK_PROMOTE_MAX 32

void slab_shrink_partial(struct sf_heap *h, struct kcache *s)
{
	uint32_t promote[SHRINK_PROMOTE_MAX + 1];
	uint32_t head = s->partial.head, next, discard = NO_PFN;

	for (unsigned int i = 0; i <= SHRINK_PROMOTE_MAX; i++)
		promote[i] = NO_PFN;
	for (uint32_t nr = s->partial.nr; nr; nr--, head = next) {
		struct page *pg = &h->arena.page[head];
		unsigned int nr_free = (unsigned int)pg->objects - pg->inuse;

		next = pg->next;
		if (nr_free == pg->objects) {
			partial_del(h, s, head);
			pg->next = discard;
			discard = head;
		} else if (nr_free && nr_free <= SHRINK_PROMOTE_MAX) {
			partial_del(h, s, head);
			pg->next = promote[nr_free];
			promote[nr_free] = head;
		}
	}
	/*
	 * Head insertion from the emptiest on: within one count the kernel's order, last moved
	 * first.
	 */
	for (unsigned int i = SHRINK_PROMOTE_MAX; i > 0; i--) {
		uint32_t rev = NO_PFN;

		for (head = promote[i]; head != NO_PFN; head = next) {
			next = h->arena.page[head].next;
			h->arena.page[head].next = rev;
			rev = head;
		}
		for (head = rev; head != NO_PFN; head = next) {
			next = h->arena.page[head].next;
			partial_add(h, s, head, false);
		}
	}
	discard_all(h, s, discard);
	heap_assert(h, page_list_agrees(&s->partial));
}

/* As above, the last first (mm/slub.c:free_partial). */
void slab_free_empty(struct sf_heap *h, struct kcache *s)
{
	uint32_t head = s->partial.head, next, discard = NO_PFN;

	for (uint32_t nr = s->partial.nr; nr; nr--, head = next) {
		next = h->arena.page[head].next;
		if (!h->arena.page[head].inuse) {
			partial_del(h, s, head);
			h->arena.page[head].next = discard;
			discard = head;
		}
	}
	discard_all(h, s, discard);
	heap_assert(h, page_list_agrees(&s->partial));
}

/* --- sheaves --- */

uint32_t sheaf_of(struct sf_heap *h, uint32_t capacity)
{
	uint32_t id = h->free_sheaf;
	struct sheaf *sh;

	if (id != NO_SHEAF) {
		h->free_sheaf = h->sheaves[id].next;
	} else {
		if (h->nr_sheaves == h->cap_sheaves) {
			h->cap_sheaves = h->cap_sheaves ? 2 * h->cap_sheaves : 64;
			h->sheaves = sf_grow(h->sheaves, h->cap_sheaves, sizeof(*sh));
		}
		id = h->nr_sheaves++;
	}
	sh = &h->sheaves[id];
	sh->nr = 0;
	sh->capacity = (uint16_t)capacity;
	sh->next = NO_SHEAF;
	sh->holder = SF_NONE;
	heap_assert(h, id < h->nr_sheaves);
	heap_assert(h, sh->capacity > 0 && sh->capacity <= SHEAF_ROOM);
	return id;
}

uint32_t sheaf_new(struct sf_heap *h, const struct kcache *s)
{
	heap_assert(h, s->sheaf_capacity <= SHEAF_MAX);
	return sheaf_of(h, s->sheaf_capacity);
}

void sheaf_drop(struct sf_heap *h, uint32_t id)
{
	heap_assert(h, id < h->nr_sheaves);
	heap_assert(h, h->sheaves[id].nr == 0);
	h->sheaves[id].next = h->free_sheaf;
	h->free_sheaf = id;
}

#define PCS_BATCH_MAX 32u /* of a CPU's main sheaf; others are flushed in one go */

void sheaf_flush(struct sf_heap *h, struct kcache *s, uint32_t id, uint32_t batch)
{
	struct sheaf *sh = &h->sheaves[id];
	uint64_t obj[SHEAF_ROOM];

	heap_assert(h, batch > 0 && batch <= SHEAF_ROOM);
	heap_assert(h, sh->nr <= sh->capacity);
	while (sh->nr) {
		uint32_t n = sh->nr < batch ? sh->nr : batch;

		sh->nr = (uint16_t)(sh->nr - n);
		for (uint32_t i = 0; i < n; i++)
			obj[i] = slab_window(h) + sh->obj[sh->nr + i] * 8ull;
		return_bulk(h, s, obj, n, false);
	}
	heap_assert(h, h->sheaves[id].nr == 0);
}

uint32_t sheaf_list_pop(struct sf_heap *h, uint32_t *list, uint32_t *nr)
{
	uint32_t id = *list;

	heap_assert(h, *nr > 0 && id < h->nr_sheaves);
	*list = h->sheaves[id].next;
	(*nr)--;
	heap_assert(h, !*nr == (*list == NO_SHEAF));
	return id;
}

void sheaf_list_push(struct sf_heap *h, uint32_t *list, uint32_t *nr, uint32_t id)
{
	heap_assert(h, id < h->nr_sheaves && id != *list);
	heap_assert(h, !*nr == (*list == NO_SHEAF));
	h->sheaves[id].next = *list;
	*list = id;
	(*nr)++;
}

/* An empty sheaf for a full one and back; NO_SHEAF if the barn has none. */
static uint32_t barn_full_for_empty(struct sf_heap *h, struct barn *b, uint32_t empty)
{
	uint32_t full;

	heap_assert(h, h->sheaves[empty].nr == 0);
	if (!b->nr_full)
		return NO_SHEAF;
	full = sheaf_list_pop(h, &b->full, &b->nr_full);
	sheaf_list_push(h, &b->empty, &b->nr_empty, empty);
	heap_assert(h, is_full(h, full));
	return full;
}

static bool sheaf_fill(struct sf_heap *h, struct kcache *s, uint32_t id, uint32_t gfp,
		       enum sf_status *status)
{
	uint64_t objs[SHEAF_MAX];
	unsigned int want = (unsigned int)h->sheaves[id].capacity - h->sheaves[id].nr;
	unsigned int n = refill_objects(h, s, objs, want, gfp | SF_GFP_NOMEMALLOC | SF_GFP_NOWARN,
					status);
	struct sheaf *sh = &h->sheaves[id];

	heap_assert(h, want > 0 && want <= SHEAF_MAX);
	for (unsigned int i = 0; i < n; i++)
		sh->obj[sh->nr++] = (uint32_t)((objs[i] - slab_window(h)) / 8);
	heap_assert(h, sh->nr <= sh->capacity);
	return n == want;
}

/*
 * A full sheaf becomes main, if that is still empty. What was freed meanwhile may have filled it:
 * then the sheaf is kept where there is room, in the barn beyond its limit if nowhere else.
 */
static void put_filled(struct sf_heap *h, struct kcache *s, struct cpu_cache *pc, uint32_t id)
{
	struct barn *b = &s->barn;

	heap_assert(h, is_full(h, id));
	heap_assert(h, pc->main != NO_SHEAF && pc->main != id && pc->spare != id);
	if (!h->sheaves[pc->main].nr) {
		if (pc->spare == NO_SHEAF)
			pc->spare = pc->main;
		else
			sheaf_list_push(h, &b->empty, &b->nr_empty, pc->main);
		pc->main = id;
	} else if (pc->spare == NO_SHEAF) {
		pc->spare = id;
	} else if (!h->sheaves[pc->spare].nr) {
		sheaf_list_push(h, &b->empty, &b->nr_empty, pc->spare);
		pc->spare = id;
	} else {
		sheaf_list_push(h, &b->full, &b->nr_full, id);
	}
	heap_assert(h, h->sheaves[pc->main].nr > 0);
	heap_assert(h, pc->main != pc->spare);
}

/*
 * main is empty: make it one that is not (mm/slub.c:__pcs_replace_empty_main). __GFP_NOFAIL holds
 * for a whole sheaf to `refill`, which may block though one object could be had.
 */
static bool replace_empty_main(struct sf_heap *h, struct kcache *s, struct cpu_cache *pc,
			       uint32_t gfp, bool refill, enum sf_status *status)
{
	uint32_t id;

	heap_assert(h, h->sheaves[pc->main].nr == 0);
	heap_assert(h, pc->main != pc->spare);
	if (pc->spare != NO_SHEAF && h->sheaves[pc->spare].nr) {
		id = pc->spare;
		pc->spare = pc->main;
		pc->main = id;
		heap_assert(h, h->sheaves[pc->main].nr > 0);
		return true;
	}
	id = barn_full_for_empty(h, &s->barn, pc->main);
	if (id != NO_SHEAF) {
		pc->main = id;
		return true;
	}
	if (!refill)
		return false;
	if (pc->spare != NO_SHEAF) {
		id = pc->spare;
		pc->spare = NO_SHEAF;
	} else if (s->barn.nr_empty) {
		id = sheaf_list_pop(h, &s->barn.empty, &s->barn.nr_empty);
	} else {
		id = sheaf_new(h, s);
	}
	if (!sheaf_fill(h, s, id, gfp, status)) {
		sheaf_flush(h, s, id, SHEAF_MAX);
		sheaf_drop(h, id);
		return false;
	}
	put_filled(h, s, pc, id);
	return true;
}

/*
 * main is full: make it one that is not (mm/slub.c:__pcs_replace_full_main). A bulk neither flushes
 * nor makes sheaves for that (free_to_pcs_bulk), nor does kfree_nolock(): `lazy`.
 */
static bool replace_full_main(struct sf_heap *h, struct kcache *s, struct cpu_cache *pc, bool lazy)
{
	struct barn *b = &s->barn;
	uint32_t id;

	heap_assert(h, is_full(h, pc->main));
	heap_assert(h, pc->main != pc->spare);
	if (pc->spare == NO_SHEAF) {
		if (lazy && !b->nr_empty)
			return false;
		id = b->nr_empty ? sheaf_list_pop(h, &b->empty, &b->nr_empty) : sheaf_new(h, s);
		pc->spare = pc->main;
		pc->main = id;
		return true;
	}
	id = pc->spare;
	if (h->sheaves[id].nr == h->sheaves[id].capacity && b->nr_full >= BARN_MAX && !lazy)
		sheaf_flush(h, s, id, SHEAF_MAX);
	if (h->sheaves[id].nr < h->sheaves[id].capacity) {
		pc->spare = pc->main;
		pc->main = id;
		return true;
	}
	if (lazy && (b->nr_full >= BARN_MAX || !b->nr_empty))
		return false;
	id = b->nr_empty ? sheaf_list_pop(h, &b->empty, &b->nr_empty) : sheaf_new(h, s);
	sheaf_list_push(h, &b->full, &b->nr_full, pc->main);
	pc->main = id;
	heap_assert(h, !is_full(h, pc->main) && pc->main != pc->spare);
	return true;
}

struct cpu_cache *sheaf_cpu(struct sf_heap *h, struct kcache *s)
{
	struct cpu_cache *pc = &s->cpu[h->cpu];

	if (pc->main == NO_SHEAF) {
		pc->main = sheaf_new(h, s);
		s->touched = true;
	}
	heap_assert(h, pc->main < h->nr_sheaves);
	heap_assert(h, h->sheaves[pc->main].capacity == s->sheaf_capacity);
	return pc;
}

/*
 * Everything parked goes back to its slab: all CPUs, each by itself, so that the pages come to its
 * own lists (mm/slub.c:flush_all, pcs_flush_all); then the barn.
 */
void sheaves_flush(struct sf_heap *h, struct kcache *s)
{
	unsigned int here = h->cpu;

	heap_assert(h, s->id < h->nr_caches && h->cache[s->id] == s);
	for (unsigned int i = 0; i < h->set.cpus; i++) {
		struct cpu_cache *pc = &s->cpu[i];

		h->cpu = i;
		if (pc->spare != NO_SHEAF) {
			sheaf_flush(h, s, pc->spare, SHEAF_MAX);
			sheaf_drop(h, pc->spare);
			pc->spare = NO_SHEAF;
		}
		rcu_hand_over(h, s);
		if (pc->main != NO_SHEAF)
			sheaf_flush(h, s, pc->main, PCS_BATCH_MAX);
	}
	h->cpu = here;
	while (s->barn.nr_full) {
		uint32_t id = sheaf_list_pop(h, &s->barn.full, &s->barn.nr_full);

		sheaf_flush(h, s, id, SHEAF_MAX);
		sheaf_drop(h, id);
	}
	while (s->barn.nr_empty)
		sheaf_drop(h, sheaf_list_pop(h, &s->barn.empty, &s->barn.nr_empty));
	heap_assert(h, s->barn.full == NO_SHEAF && s->barn.empty == NO_SHEAF);
}

/* Flushing alone would leave the empty slabs that each cache keeps. */
void slab_flush_all(struct sf_heap *h)
{
	for (uint32_t i = 0; i < h->nr_caches; i++) {
		if (!h->cache[i]->touched || !h->cache[i]->refs)
			continue;
		sheaves_flush(h, h->cache[i]);
		slab_free_empty(h, h->cache[i]);
	}
}

/* --- objects --- */

struct kcache *slab_cache(struct sf_heap *h, uint64_t addr, uint32_t *head)
{
	uint64_t n = (addr - SF_DIRECT_MAP) >> SF_PAGE_SHIFT;
	const struct page *pg;

	/* Under slab_virtual a slab's frames have another address, which no user was ever given. */
	if (h->arena.smap)
		n = addr < SF_SLAB_WINDOW ? NO_PFN : addr_pfn(h, addr);
	if (n >= h->arena.pages)
		return NULL;
	pg = &h->arena.page[n];
	if (pg->state == PAGE_TAIL) {
		n = pg->head;
		pg = &h->arena.page[n];
	}
	if (pg->state != PAGE_SLAB)
		return NULL;
	*head = (uint32_t)n;
	heap_assert(h, pg->cache < h->nr_caches);
	return h->cache[pg->cache];
}

/* mm/slub.c:maybe_wipe_obj_freeptr, slab_post_alloc_hook */
static void zero(struct sf_heap *h, const struct kcache *s, uint32_t gfp, uint64_t addr)
{
	bool ctor = h->set.init_on_alloc && (s->flags & SF_SLAB_CTOR); /* not even if asked */

	if (s->wipe)
		raw_wipe(h, addr + s->freeptr, 8);
	if (s->init || ((gfp & SF_GFP_ZERO) && !ctor))
		raw_wipe(h, addr, s->object_size);
}

static inline void hand_out(struct sf_heap *h, const struct kcache *s, uint32_t gfp, uint64_t addr,
			    uint64_t size)
{
	if ((gfp & SF_GFP_ZERO) | s->init | s->wipe)
		zero(h, s, gfp, addr);
	arena_open(h, addr, size);
}

static inline uint64_t take_one(struct sf_heap *h, struct kcache *s, uint32_t gfp, bool nolock,
				enum sf_status *status)
{
	if (s->sheaf_capacity) {
		struct cpu_cache *pc = sheaf_cpu(h, s);
		struct sheaf *sh = &h->sheaves[pc->main];

		if (sh->nr == 0) {
			if (!replace_empty_main(h, s, pc, gfp, !nolock, status))
				return *status == SF_BLOCKED ?
					       0 : slow_alloc(h, s, gfp, nolock, status);
			sh = &h->sheaves[pc->main];
		}
		heap_assert(h, sh->nr > 0 && sh->nr <= sh->capacity);
		return slab_window(h) + sh->obj[--sh->nr] * 8ull;
	}
	return slow_alloc(h, s, gfp, nolock, status);
}

/* mm/slub.c:slab_free_hook: the object, and what lies between it and the next. */
static void wipe_freed(struct sf_heap *h, const struct kcache *s, uint64_t addr)
{
	raw_wipe(h, addr, s->object_size);
	raw_wipe(h, addr + s->inuse, s->stride - s->inuse);
}

/* mm/slub.c:slab_free: memcg_slab_free_hook, slab_free_hook */
static inline void free_hook(struct sf_heap *h, const struct kcache *s, uint64_t addr, bool wipe)
{
	if (h->nr_charged)
		memcg_uncharge(h, addr);
	if (wipe)
		wipe_freed(h, s, addr);
	arena_close(h, addr, (s->object_size + 7) & ~7u);
}

void slab_free_hook(struct sf_heap *h, struct kcache *s, uint64_t addr)
{
	free_hook(h, s, addr, s->wipe);
}

#define OBJ_EXT 8u /* struct slabobj_ext, which is charged with the object (obj_full_size) */

/*
 * mm/slub.c:memcg_slab_post_alloc_hook. At a limit the object goes back to its slab, not to a sheaf
 * (memcg_alloc_abort_single).
 */
__attribute__((noinline)) static bool charge(struct sf_heap *h, struct kcache *s, uint32_t gfp,
					     uint64_t addr)
{
	if (!memcg_is_due(h, s, gfp) || memcg_charge(h, addr, s->stride + OBJ_EXT, gfp))
		return true;
	free_hook(h, s, addr, s->wipe);
	slab_return(h, s, addr);
	return false;
}

uint64_t slab_alloc(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint64_t size,
		    enum sf_status *status)
{
	uint64_t addr;

	*status = SF_NULL;
	if (fault_fires(h, SF_FAULT_SLAB, gfp, s->object_size))
		return 0;
	addr = take_one(h, s, gfp, false, status);
	if (!addr)
		return 0;
	*status = SF_OK;
	heap_assert(h, is_of(h, s, addr));
	hand_out(h, s, gfp, addr, size);
	if (h->memcg != SF_NONE && !charge(h, s, gfp, addr)) {
		*status = SF_NULL;
		return 0;
	}
	return addr;
}

uint64_t slab_alloc_nolock(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint64_t size,
			   bool *refused)
{
	enum sf_status status = SF_NULL;
	uint64_t addr = take_one(h, s, gfp, true, &status);

	*refused = false;
	if (!addr)
		return 0;
	heap_assert(h, is_of(h, s, addr));
	hand_out(h, s, gfp, addr, size);
	*refused = h->memcg != SF_NONE && !charge(h, s, gfp, addr);
	return *refused ? 0 : addr;
}

static inline bool put_one(struct sf_heap *h, struct kcache *s, uint64_t addr, bool nolock)
{
	struct cpu_cache *pc;
	struct sheaf *sh;

	heap_assert(h, is_of(h, s, addr));
	if (!s->sheaf_capacity)
		return slab_return(h, s, addr);
	pc = sheaf_cpu(h, s);
	sh = &h->sheaves[pc->main];
	if (sh->nr == sh->capacity) {
		/* A kernel defers it until it may wait for locks; here there are none. */
		if (!replace_full_main(h, s, pc, nolock))
			return slab_return(h, s, addr);
		sh = &h->sheaves[pc->main];
	}
	heap_assert(h, sh->nr < sh->capacity);
	sh->obj[sh->nr++] = (uint32_t)((addr - slab_window(h)) / 8);
	return true;
}

/*
 * As in a kernel the address is taken for an object, be it one or not; but free pointers and
 * sheaves count in words here, so that one inside a word stands for all of it.
 */
bool slab_free(struct sf_heap *h, struct kcache *s, uint64_t addr)
{
	addr &= ~7ull;
	free_hook(h, s, addr, s->wipe);
	return put_one(h, s, addr, false);
}

bool slab_free_nolock(struct sf_heap *h, struct kcache *s, uint64_t addr)
{
	addr &= ~7ull;
	free_hook(h, s, addr, false);
	return put_one(h, s, addr, true);
}

/*
 * To the sheaves as long as that makes no work, the rest to the slabs (mm/slub.c:
 * kmem_cache_free_bulk).
 */
void slab_free_bulk(struct sf_heap *h, struct kcache *s, uint32_t n, const uint64_t *addrs)
{
	struct cpu_cache *pc = s->sheaf_capacity ? sheaf_cpu(h, s) : NULL;
	uint32_t done = 0;

	for (uint32_t i = 0; i < n; i++)
		free_hook(h, s, addrs[i], s->wipe);
	for (; pc && done < n; done++) {
		struct sheaf *sh = &h->sheaves[pc->main];

		if (sh->nr == sh->capacity) {
			if (!replace_full_main(h, s, pc, true))
				break;
			sh = &h->sheaves[pc->main];
		}
		heap_assert(h, sh->nr < sh->capacity && is_of(h, s, addrs[done]));
		sh->obj[sh->nr++] = (uint32_t)((addrs[done] - slab_window(h)) / 8);
	}
	while (n > done) {
		uint32_t nr = n - done < h->walk_cap ? n - done : h->walk_cap;

		n -= nr;
		memcpy(h->walk_buf, addrs + n, nr * sizeof(*addrs));
		return_bulk(h, s, h->walk_buf, nr, !pc);
	}
}

/* All or none (mm/slub.c:memcg_slab_post_alloc_hook). */
__attribute__((noinline)) static bool charge_bulk(struct sf_heap *h, struct kcache *s, uint32_t gfp,
						  uint32_t n, const uint64_t *addrs)
{
	if (!memcg_is_due(h, s, gfp))
		return true;
	if (n == 1)
		return charge(h, s, gfp, addrs[0]);
	for (uint32_t i = 0; i < n; i++) {
		if (memcg_charge(h, addrs[i], s->stride + OBJ_EXT, gfp))
			continue;
		slab_free_bulk(h, s, n, addrs);
		return false;
	}
	return true;
}

/* Drains sheaves without refilling them, then the slabs; all or nothing. */
bool slab_alloc_bulk(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint32_t n, uint64_t *addrs,
		     enum sf_status *status)
{
	uint32_t got = 0, parked;

	*status = SF_NULL;
	if (fault_fires(h, SF_FAULT_SLAB, gfp, s->object_size))
		return false;
	if (s->sheaf_capacity) {
		struct cpu_cache *pc = sheaf_cpu(h, s);

		while (got < n) {
			struct sheaf *sh = &h->sheaves[pc->main];

			uint32_t nr = sh->nr < n - got ? sh->nr : n - got;

			if (!nr) {
				if (!replace_empty_main(h, s, pc, gfp, false, status))
					break;
				continue;
			}
			sh->nr = (uint16_t)(sh->nr - nr);
			for (uint32_t i = 0; i < nr; i++)
				addrs[got++] = slab_window(h) + sh->obj[sh->nr + i] * 8ull;
		}
	}
	parked = got;
	if (got < n)
		got += refill_objects(h, s, addrs + got, n - got, gfp, status);
	if (got < n) {
		/* Out of memory: not back to the sheaves. */
		return_bulk(h, s, addrs + parked, got - parked, false);
		return_bulk(h, s, addrs, parked, false);
		return false;
	}
	heap_assert(h, got == n);
	for (uint32_t i = 0; i < n; i++)
		hand_out(h, s, gfp, addrs[i], s->object_size);
	*status = h->memcg == SF_NONE || charge_bulk(h, s, gfp, n, addrs) ? SF_OK : SF_NULL;
	return *status == SF_OK;
}

/* --- what prefill.c needs --- */

unsigned int slab_refill(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint64_t *out,
			 unsigned int max, enum sf_status *status)
{
	return refill_objects(h, s, out, max, gfp, status);
}

void slab_return_unused(struct sf_heap *h, struct kcache *s, uint64_t *obj, uint32_t n)
{
	return_bulk(h, s, obj, n, false);
}

void slab_hand_over(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint64_t addr)
{
	bool charged;

	heap_assert(h, is_of(h, s, addr));
	hand_out(h, s, gfp, addr, s->object_size);
	if (h->memcg == SF_NONE)
		return;
	charged = charge(h, s, gfp | SF_GFP_NOFAIL, addr);
	heap_assert(h, charged);
	(void)charged;
}
