// SPDX-License-Identifier: MIT
/*
 * slab.c - slabs and the per-CPU sheaves in front of them, as in mm/slub.c of Linux 7.2.
 *
 * Relies on page_alloc.c for slab pages and on arena.c for memory; kmalloc.c and cache.c rely on
 * it. Free objects hold their next-word where the kernel holds it (in the middle of the object or
 * behind it), so that a stray write reaches it as it would there.
 *
 * Not as in the kernel: sheaves and barns live beside the simulated memory (there they are kmalloc
 * objects); slabs of SLAB_TYPESAFE_BY_RCU caches are given back at once, as if a grace period had
 * passed; slabs made of the last reserves (pfmemalloc) serve everybody.
 */
#include "heap.h"

#include <stdlib.h>
#include <string.h>

#include "slab_internal.h"

/* --- free lists --- */

static uint64_t object_addr(const struct kcache *s, uint32_t head, uint32_t index)
{
	return pfn_addr(head) + (uint64_t)index * s->stride;
}

static void push_free(struct sf_heap *h, const struct kcache *s, uint32_t head, uint64_t addr)
{
	struct page *pg = &h->arena.page[head];
	uint64_t base = pfn_addr(head);

	raw_store(h, addr + s->freeptr, pg->freelist ? base + (pg->freelist - 1) * 8ull : 0);
	pg->freelist = (uint32_t)((addr - base) / 8) + 1;
}

static uint64_t pop_free(struct sf_heap *h, const struct kcache *s, uint32_t head)
{
	struct page *pg = &h->arena.page[head];
	uint64_t base = pfn_addr(head), addr = base + (pg->freelist - 1) * 8ull;
	uint64_t next = raw_load(h, addr + s->freeptr);

	pg->freelist = next ? (uint32_t)((next - base) / 8) + 1 : 0;
	return addr;
}

/* --- partial list --- */

static void partial_add(struct sf_heap *h, struct kcache *s, uint32_t head, bool tail)
{
	struct page *page = h->arena.page, *pg = &page[head];
	struct page_list *l = &s->partial;

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
}

static void partial_del(struct sf_heap *h, struct kcache *s, uint32_t head)
{
	struct page *page = h->arena.page, *pg = &page[head];
	struct page_list *l = &s->partial;

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
}

/* --- slabs --- */

static void account_slab(struct sf_heap *h, const struct kcache *s, int64_t pages)
{
	if (s->flags & SF_SLAB_RECLAIM_ACCOUNT)
		h->nr_slab_reclaimable += (uint64_t)pages;
	else
		h->nr_slab_unreclaimable += (uint64_t)pages;
}

/* What a slab's pages inherit of the caller's flags (mm/internal.h, mm/slub.c:new_slab). */
#define SLAB_GFP_KEEP                                                                           \
	(SF_GFP_RECLAIM | SF_GFP_HIGH | SF_GFP_IO | SF_GFP_FS | SF_GFP_NOWARN |                 \
	 SF_GFP_RETRY_MAYFAIL | SF_GFP_NOFAIL | SF_GFP_NORETRY | SF_GFP_MEMALLOC |              \
	 SF_GFP_NOMEMALLOC | SF_GFP_HARDWALL | SF_GFP_THISNODE)

/*
 * The preferred order first, without effort; then the smallest with all that the caller allows
 * (mm/slub.c:allocate_slab). No free list yet: the caller takes objects from the low end.
 */
static uint32_t new_slab(struct sf_heap *h, struct kcache *s, uint32_t gfp, enum sf_status *status)
{
	uint32_t flags, first, pfn;
	unsigned int order = s->order, objects = s->objects;
	struct page *pg;

	flags = (gfp & SLAB_GFP_KEEP) | SF_GFP_COMP;
	if (s->flags & SF_SLAB_RECLAIM_ACCOUNT)
		flags |= SF_GFP_RECLAIMABLE;
	if (s->flags & SF_SLAB_CACHE_DMA)
		flags |= SF_GFP_DMA;
	if (s->flags & SF_SLAB_CACHE_DMA32)
		flags |= SF_GFP_DMA32;
	first = (flags | SF_GFP_NOWARN | SF_GFP_NORETRY) & ~SF_GFP_NOFAIL;
	if ((first & SF_GFP_DIRECT_RECLAIM) && s->order > s->min_order)
		first = (first | SF_GFP_NOMEMALLOC) & ~SF_GFP_RECLAIM;
	pfn = page_alloc(h, first, order, status);
	if (pfn == NO_PFN) {
		order = s->min_order;
		objects = s->min_objects;
		pfn = page_alloc(h, flags, order, status);
		if (pfn == NO_PFN)
			return NO_PFN;
	}
	pg = &h->arena.page[pfn];
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
	     .gfp = flags, .pfn = pfn);
	return pfn;
}

static void discard_slab(struct sf_heap *h, struct kcache *s, uint32_t head)
{
	struct page *pg = &h->arena.page[head];
	unsigned int order = pg->order;

	s->nr_slabs--;
	s->total_objects -= pg->objects;
	account_slab(h, s, -(1 << order));
	EMIT(h, SLAB_FREE, slab, .cache = s->id, .order = (uint8_t)order,
	     .migratetype = (uint8_t)page_block_type(h, head), .objects = pg->objects, .pfn = head);
	pg->state = PAGE_USED;
	page_free(h, head, order);
}

/*
 * Up to `max` objects of a fresh slab, lowest address first; the rest becomes its free list in
 * ascending order, and the slab goes to the head of the partial list.
 */
static unsigned int take_from_new(struct sf_heap *h, struct kcache *s, uint32_t head, uint64_t *out,
				  unsigned int max)
{
	struct page *pg = &h->arena.page[head];
	unsigned int n = max < pg->objects ? max : pg->objects;

	for (unsigned int i = 0; i < n; i++)
		out[i] = object_addr(s, head, i);
	for (unsigned int i = pg->objects; i-- > n;)
		push_free(h, s, head, object_addr(s, head, i));
	pg->inuse = (uint16_t)n;
	if (n < pg->objects)
		partial_add(h, s, head, false);
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
		struct page *pg = &h->arena.page[head];

		partial_del(h, s, head);
		while (pg->freelist && n < max) {
			out[n++] = pop_free(h, s, head);
			pg->inuse++;
		}
		if (pg->freelist)
			partial_add(h, s, head, true);
	}
	while (n < max) {
		uint32_t head = new_slab(h, s, gfp, status);

		if (head == NO_PFN)
			break;
		n += take_from_new(h, s, head, out + n, max - n);
	}
	return n;
}

/* One object past the sheaves (mm/slub.c:___slab_alloc). */
static uint64_t slow_alloc(struct sf_heap *h, struct kcache *s, uint32_t gfp,
			   enum sf_status *status)
{
	uint32_t head = s->partial.head;
	uint64_t addr;

	if (s->partial.nr) {
		struct page *pg = &h->arena.page[head];

		addr = pop_free(h, s, head);
		pg->inuse++;
		if (!pg->freelist)
			partial_del(h, s, head);
		return addr;
	}
	head = new_slab(h, s, gfp, status);
	if (head == NO_PFN)
		return 0;
	take_from_new(h, s, head, &addr, 1);
	return addr;
}

static uint32_t slab_head(const struct sf_heap *h, uint64_t addr)
{
	uint32_t pfn = addr_pfn(h, addr);

	return h->arena.page[pfn].state == PAGE_TAIL ? h->arena.page[pfn].head : pfn;
}

/*
 * After objects came back to a slab, some or all of them (mm/slub.c:__slab_free). An empty slab is
 * kept while the node has fewer than min_partial partial slabs; the count includes the slab itself
 * if it is on the list.
 */
static void settle_slab(struct sf_heap *h, struct kcache *s, uint32_t head, bool was_full)
{
	if (!h->arena.page[head].inuse && s->partial.nr >= s->min_partial) {
		if (!was_full)
			partial_del(h, s, head);
		discard_slab(h, s, head);
	} else if (was_full) {
		partial_add(h, s, head, true);
	}
}

static void slab_return(struct sf_heap *h, struct kcache *s, uint64_t addr)
{
	uint32_t head = slab_head(h, addr);
	struct page *pg = &h->arena.page[head];
	bool was_full = !pg->freelist;

	push_free(h, s, head, addr);
	pg->inuse--;
	settle_slab(h, s, head, was_full);
}

#define LOOK_AHEAD 3

/*
 * Objects back to their slabs, from the last on. Those of one slab go together, as far as they are
 * found before the third that is not (mm/slub.c:build_detached_freelist); reorders the array.
 */
static void return_bulk(struct sf_heap *h, struct kcache *s, uint64_t *obj, uint32_t n)
{
	while (n) {
		uint32_t head = slab_head(h, obj[--n]), same = n;
		struct page *pg = &h->arena.page[head];
		bool was_full = !pg->freelist;
		unsigned int look = LOOK_AHEAD;

		push_free(h, s, head, obj[n]);
		pg->inuse--;
		for (uint32_t i = n; i && look;) {
			uint64_t addr = obj[--i];

			if (slab_head(h, addr) != head) {
				look--;
				continue;
			}
			push_free(h, s, head, addr);
			pg->inuse--;
			obj[i] = obj[--same];
			obj[same] = addr;
		}
		n = same;
		settle_slab(h, s, head, was_full);
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
		} else if (nr_free <= SHRINK_PROMOTE_MAX) {
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
}

/* --- sheaves --- */

static uint32_t sheaf_new(struct sf_heap *h, const struct kcache *s)
{
	uint32_t id = h->free_sheaf;
	struct sheaf *sh;

	if (id != NO_SHEAF) {
		h->free_sheaf = h->sheaves[id].next;
	} else {
		if (h->nr_sheaves == h->cap_sheaves) {
			h->cap_sheaves = h->cap_sheaves ? 2 * h->cap_sheaves : 64;
			sh = realloc(h->sheaves, h->cap_sheaves * sizeof(*sh));
			if (!sh)
				abort(); /* no memory for bookkeeping: not the model's failure */
			h->sheaves = sh;
		}
		id = h->nr_sheaves++;
	}
	sh = &h->sheaves[id];
	sh->nr = 0;
	sh->capacity = (uint16_t)s->sheaf_capacity;
	sh->next = NO_SHEAF;
	return id;
}

static void sheaf_drop(struct sf_heap *h, uint32_t id)
{
	h->sheaves[id].next = h->free_sheaf;
	h->free_sheaf = id;
}

#define PCS_BATCH_MAX 32u /* of a CPU's main sheaf; others are flushed in one go */

static void sheaf_flush(struct sf_heap *h, struct kcache *s, uint32_t id, uint32_t batch)
{
	struct sheaf *sh = &h->sheaves[id];
	uint64_t obj[SHEAF_MAX];

	while (sh->nr) {
		uint32_t n = sh->nr < batch ? sh->nr : batch;

		sh->nr = (uint16_t)(sh->nr - n);
		for (uint32_t i = 0; i < n; i++)
			obj[i] = SF_DIRECT_MAP + sh->obj[sh->nr + i] * 8ull;
		return_bulk(h, s, obj, n);
	}
}

static uint32_t list_pop(struct sf_heap *h, uint32_t *list, uint32_t *nr)
{
	uint32_t id = *list;

	*list = h->sheaves[id].next;
	(*nr)--;
	return id;
}

static void list_push(struct sf_heap *h, uint32_t *list, uint32_t *nr, uint32_t id)
{
	h->sheaves[id].next = *list;
	*list = id;
	(*nr)++;
}

/* An empty sheaf for a full one and back; NO_SHEAF if the barn has none. */
static uint32_t barn_full_for_empty(struct sf_heap *h, struct barn *b, uint32_t empty)
{
	uint32_t full;

	if (!b->nr_full)
		return NO_SHEAF;
	full = list_pop(h, &b->full, &b->nr_full);
	list_push(h, &b->empty, &b->nr_empty, empty);
	return full;
}

static bool sheaf_fill(struct sf_heap *h, struct kcache *s, uint32_t id, uint32_t gfp,
		       enum sf_status *status)
{
	uint64_t objs[SHEAF_MAX];
	struct sheaf *sh = &h->sheaves[id];
	unsigned int want = (unsigned int)sh->capacity - sh->nr;
	unsigned int n = refill_objects(h, s, objs, want, gfp | SF_GFP_NOMEMALLOC | SF_GFP_NOWARN,
					status);

	for (unsigned int i = 0; i < n; i++)
		sh->obj[sh->nr++] = (uint32_t)((objs[i] - SF_DIRECT_MAP) / 8);
	return n == want;
}

/*
 * main is empty: make it one that is not (mm/slub.c:__pcs_replace_empty_main). __GFP_NOFAIL holds
 * for a whole sheaf to `refill`, which may block though one object could be had.
 */
static bool replace_empty_main(struct sf_heap *h, struct kcache *s, struct cpu_cache *pc,
			       uint32_t gfp, bool refill, enum sf_status *status)
{
	uint32_t id;

	if (pc->spare != NO_SHEAF && h->sheaves[pc->spare].nr) {
		id = pc->spare;
		pc->spare = pc->main;
		pc->main = id;
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
		id = list_pop(h, &s->barn.empty, &s->barn.nr_empty);
	} else {
		id = sheaf_new(h, s);
	}
	if (!sheaf_fill(h, s, id, gfp, status)) {
		sheaf_flush(h, s, id, SHEAF_MAX);
		sheaf_drop(h, id);
		return false;
	}
	/* There is no spare now: it was what was filled, or there was none. */
	pc->spare = pc->main;
	pc->main = id;
	return true;
}

/*
 * main is full: make it one that is not (mm/slub.c:__pcs_replace_full_main). A bulk neither flushes
 * nor makes sheaves for that (free_to_pcs_bulk).
 */
static bool replace_full_main(struct sf_heap *h, struct kcache *s, struct cpu_cache *pc, bool bulk)
{
	struct barn *b = &s->barn;
	uint32_t id;

	if (pc->spare == NO_SHEAF) {
		if (bulk && !b->nr_empty)
			return false;
		id = b->nr_empty ? list_pop(h, &b->empty, &b->nr_empty) : sheaf_new(h, s);
		pc->spare = pc->main;
		pc->main = id;
		return true;
	}
	id = pc->spare;
	if (h->sheaves[id].nr == h->sheaves[id].capacity && b->nr_full >= BARN_MAX && !bulk)
		sheaf_flush(h, s, id, SHEAF_MAX);
	if (h->sheaves[id].nr < h->sheaves[id].capacity) {
		pc->spare = pc->main;
		pc->main = id;
		return true;
	}
	if (bulk && (b->nr_full >= BARN_MAX || !b->nr_empty))
		return false;
	id = b->nr_empty ? list_pop(h, &b->empty, &b->nr_empty) : sheaf_new(h, s);
	list_push(h, &b->full, &b->nr_full, pc->main);
	pc->main = id;
	return true;
}

static struct cpu_cache *this_cpu_cache(struct sf_heap *h, struct kcache *s)
{
	struct cpu_cache *pc = &s->cpu[h->cpu];

	if (pc->main == NO_SHEAF) {
		pc->main = sheaf_new(h, s);
		s->touched = true;
	}
	return pc;
}

/*
 * Everything parked goes back to its slab: all CPUs, each by itself, so that the pages come to its
 * own lists (mm/slub.c:flush_all); then the barn.
 */
void sheaves_flush(struct sf_heap *h, struct kcache *s)
{
	unsigned int here = h->cpu;

	for (unsigned int i = 0; i < h->set.cpus; i++) {
		struct cpu_cache *pc = &s->cpu[i];

		h->cpu = i;
		if (pc->spare != NO_SHEAF) {
			sheaf_flush(h, s, pc->spare, SHEAF_MAX);
			sheaf_drop(h, pc->spare);
			pc->spare = NO_SHEAF;
		}
		if (pc->main != NO_SHEAF)
			sheaf_flush(h, s, pc->main, PCS_BATCH_MAX);
	}
	h->cpu = here;
	while (s->barn.nr_full) {
		uint32_t id = list_pop(h, &s->barn.full, &s->barn.nr_full);

		sheaf_flush(h, s, id, SHEAF_MAX);
		sheaf_drop(h, id);
	}
	while (s->barn.nr_empty)
		sheaf_drop(h, list_pop(h, &s->barn.empty, &s->barn.nr_empty));
}

/* --- objects --- */

struct kcache *slab_cache(struct sf_heap *h, uint64_t addr, uint32_t *head)
{
	uint32_t pfn;
	const struct page *pg;

	if (addr < SF_DIRECT_MAP || (addr - SF_DIRECT_MAP) >> SF_PAGE_SHIFT >= h->arena.pages)
		return NULL;
	pfn = (uint32_t)((addr - SF_DIRECT_MAP) >> SF_PAGE_SHIFT);
	pg = &h->arena.page[pfn];
	if (pg->state == PAGE_TAIL) {
		pfn = pg->head;
		pg = &h->arena.page[pfn];
	}
	if (pg->state != PAGE_SLAB)
		return NULL;
	*head = pfn;
	return h->cache[pg->cache];
}

/* mm/slab.h:slab_want_init_on_alloc */
static bool want_init(const struct sf_heap *h, const struct kcache *s, uint32_t gfp)
{
	if (gfp & SF_GFP_ZERO)
		return true;
	return h->set.init_on_alloc && !(s->flags & (SF_SLAB_CTOR | SF_SLAB_TYPESAFE_BY_RCU));
}

static void hand_out(struct sf_heap *h, const struct kcache *s, uint32_t gfp, uint64_t addr,
		     uint64_t size)
{
	if (want_init(h, s, gfp))
		raw_wipe(h, addr, s->object_size);
	arena_open(h, addr, size);
}

static uint64_t take_one(struct sf_heap *h, struct kcache *s, uint32_t gfp, enum sf_status *status)
{
	if (s->sheaf_capacity) {
		struct cpu_cache *pc = this_cpu_cache(h, s);
		struct sheaf *sh = &h->sheaves[pc->main];

		if (sh->nr == 0) {
			if (!replace_empty_main(h, s, pc, gfp, true, status))
				return *status == SF_BLOCKED ? 0 : slow_alloc(h, s, gfp, status);
			sh = &h->sheaves[pc->main];
		}
		return SF_DIRECT_MAP + sh->obj[--sh->nr] * 8ull;
	}
	return slow_alloc(h, s, gfp, status);
}

uint64_t slab_alloc(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint64_t size,
		    enum sf_status *status)
{
	uint64_t addr;

	*status = SF_NULL;
	if (!(gfp & SF_GFP_NOFAIL) && fault_fires(h, SF_FAULT_SLAB))
		return 0;
	addr = take_one(h, s, gfp, status);
	if (!addr)
		return 0;
	*status = SF_OK;
	hand_out(h, s, gfp, addr, size);
	return addr;
}

static void put_one(struct sf_heap *h, struct kcache *s, uint64_t addr)
{
	if (s->sheaf_capacity) {
		struct cpu_cache *pc = this_cpu_cache(h, s);
		struct sheaf *sh = &h->sheaves[pc->main];

		if (sh->nr == sh->capacity) {
			replace_full_main(h, s, pc, false);
			sh = &h->sheaves[pc->main];
		}
		sh->obj[sh->nr++] = (uint32_t)((addr - SF_DIRECT_MAP) / 8);
	} else {
		slab_return(h, s, addr);
	}
}

void slab_free(struct sf_heap *h, struct kcache *s, uint64_t addr)
{
	arena_close(h, addr, (s->object_size + 7) & ~7u);
	put_one(h, s, addr);
}

/*
 * To the sheaves as long as that makes no work, the rest to the slabs (mm/slub.c:
 * kmem_cache_free_bulk).
 */
void slab_free_bulk(struct sf_heap *h, struct kcache *s, uint32_t n, const uint64_t *addrs)
{
	struct cpu_cache *pc = s->sheaf_capacity ? this_cpu_cache(h, s) : NULL;
	uint32_t done = 0;

	for (uint32_t i = 0; i < n; i++)
		arena_close(h, addrs[i], (s->object_size + 7) & ~7u);
	for (; pc && done < n; done++) {
		struct sheaf *sh = &h->sheaves[pc->main];

		if (sh->nr == sh->capacity) {
			if (!replace_full_main(h, s, pc, true))
				break;
			sh = &h->sheaves[pc->main];
		}
		sh->obj[sh->nr++] = (uint32_t)((addrs[done] - SF_DIRECT_MAP) / 8);
	}
	while (n > done) {
		uint32_t nr = n - done < h->walk_cap ? n - done : h->walk_cap;

		n -= nr;
		memcpy(h->walk_buf, addrs + n, nr * sizeof(*addrs));
		return_bulk(h, s, h->walk_buf, nr);
	}
}

/* Drains sheaves without refilling them, then the slabs; all or nothing. */
bool slab_alloc_bulk(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint32_t n, uint64_t *addrs,
		     enum sf_status *status)
{
	uint32_t got = 0, parked;

	*status = SF_NULL;
	if (!(gfp & SF_GFP_NOFAIL) && fault_fires(h, SF_FAULT_SLAB))
		return false;
	if (s->sheaf_capacity) {
		struct cpu_cache *pc = this_cpu_cache(h, s);

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
				addrs[got++] = SF_DIRECT_MAP + sh->obj[sh->nr + i] * 8ull;
		}
	}
	parked = got;
	if (got < n)
		got += refill_objects(h, s, addrs + got, n - got, gfp, status);
	if (got < n) {
		/* Out of memory: not back to the sheaves. */
		return_bulk(h, s, addrs + parked, got - parked);
		return_bulk(h, s, addrs, parked);
		return false;
	}
	*status = SF_OK;
	for (uint32_t i = 0; i < n; i++)
		hand_out(h, s, gfp, addrs[i], s->object_size);
	return true;
}
