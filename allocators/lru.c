// SPDX-License-Identifier: MIT
/*
 * lru.c - what users have made known of their objects: which may be reclaimed and in what order,
 * which go with which, which are held. What a kernel's caches of dentries and inodes know
 * (fs/dcache.c, fs/inode.c, mm/list_lru.c) in one place, so that reclaim has something to reclaim.
 *
 * One entry an object, found by address. Relies on kmalloc.c to free by address and on rcu.c for
 * what must wait; vmscan.c asks it for objects, and all free paths report to it what has gone. With
 * accounting=indirect it counts what goes with an owner and lies in no reclaimable slab: added when
 * ownership begins, subtracted just before the memory is freed, as the dcache of 4.17 did. Left
 * out: objects that are referenced get no second round on the list, and there is one list a
 * shrinker, not one for each group.
 */
#include "arena.h"
#include "base/hash_map.h"
#include "heap_assert.h"
#include "kmalloc.h"
#include "lru.h"
#include "memcg.h"
#include "page_alloc.h"
#include "rcu.h"
#include "slab.h"

#include <stdlib.h>

#define DEFAULT_SEEKS 2  /* include/linux/shrinker.h */
#define SHRINK_BATCH 128 /* mm/shrinker.c */

/* --- entries --- */

static uint32_t find(const struct sf_heap *h, uint64_t addr)
{
	return h->nr_tracked ? sf_map_get(&h->lru->by_addr, addr) : NO_ENTRY;
}

static uint32_t entry_new(struct sf_heap *h, uint64_t addr)
{
	struct lru *l = h->lru;
	uint32_t i = l->unused;

	heap_assert(h, find(h, addr) == NO_ENTRY);
	heap_assert(h, addr > SF_ZERO_SIZE_PTR);
	if (i != NO_ENTRY) {
		l->unused = l->e[i].next;
	} else {
		if (l->nr == l->cap) {
			l->cap = l->cap ? 2 * l->cap : 128;
			l->e = sf_grow(l->e, l->cap, sizeof(*l->e));
		}
		i = l->nr++;
	}
	l->e[i] = (struct lru_entry){
		.addr = addr, .shrinker = NO_ENTRY, .group = SF_NONE, .older = NO_ENTRY,
		.newer = NO_ENTRY, .owner = NO_ENTRY, .first = NO_ENTRY, .last = NO_ENTRY,
		.next = NO_ENTRY, .prev = NO_ENTRY,
	};
	sf_map_put(&l->by_addr, addr, i);
	h->nr_tracked++;
	heap_assert(h, h->nr_tracked == l->by_addr.nr && i < l->nr);
	return i;
}

/* --- lists --- */

static void list_add(struct sf_heap *h, uint32_t i)
{
	struct lru_entry *e = &h->lru->e[i];
	struct shrinker *s = &h->shrinker[e->shrinker];

	heap_assert(h, e->shrinker < h->nr_shrinkers);
	heap_assert(h, !e->listed && !e->pinned && !e->deferred);
	heap_assert(h, !s->nr == (s->tail == NO_ENTRY));
	e->older = s->tail;
	e->newer = NO_ENTRY;
	*(s->tail == NO_ENTRY ? &s->head : &h->lru->e[s->tail].newer) = i;
	s->tail = i;
	s->nr++;
	e->listed = true;
	e->group = memcg_of(h, e->addr);
	if (e->group != SF_NONE)
		memcg_count_lru(h, e->group, true);
}

static void list_del(struct sf_heap *h, uint32_t i)
{
	struct lru *l = h->lru;
	struct lru_entry *e = &l->e[i];
	struct shrinker *s;

	if (!e->listed)
		return;
	if (l->cursor == i)
		l->cursor = e->newer;
	s = &h->shrinker[e->shrinker];
	heap_assert(h, s->nr > 0 && e->shrinker < h->nr_shrinkers);
	heap_assert(h, (e->older == NO_ENTRY ? s->head : l->e[e->older].newer) == i);
	heap_assert(h, (e->newer == NO_ENTRY ? s->tail : l->e[e->newer].older) == i);
	*(e->older == NO_ENTRY ? &s->head : &l->e[e->older].newer) = e->newer;
	*(e->newer == NO_ENTRY ? &s->tail : &l->e[e->newer].older) = e->older;
	s->nr--;
	e->listed = false;
	if (e->group != SF_NONE)
		memcg_count_lru(h, e->group, false);
	heap_assert(h, !s->nr == (s->head == NO_ENTRY) && !s->nr == (s->tail == NO_ENTRY));
}

/* The shrinker of a cache, made when it is first needed: there are few. */
static uint32_t shrinker_of(struct sf_heap *h, uint32_t cache)
{
	heap_assert(h, cache < h->nr_caches && h->cache[cache]->flags & SF_SLAB_RECLAIM_ACCOUNT);
	for (uint32_t i = h->nr_shrinkers; i-- > 0;)
		if (h->shrinker[i].cache == cache)
			return i;
	if (h->nr_shrinkers == h->cap_shrinkers) {
		h->cap_shrinkers = h->cap_shrinkers ? 2 * h->cap_shrinkers : 8;
		h->shrinker = sf_grow(h->shrinker, h->cap_shrinkers, sizeof(*h->shrinker));
	}
	h->shrinker[h->nr_shrinkers] = (struct shrinker){
		.cache = cache, .seeks = DEFAULT_SEEKS, .batch = SHRINK_BATCH, .head = NO_ENTRY,
		.tail = NO_ENTRY,
	};
	return h->nr_shrinkers++;
}

/* --- what counts indirectly --- */

/* The head of a block of alloc_pages(), NO_PFN if none begins there. */
static uint32_t block_at(const struct sf_heap *h, uint64_t addr)
{
	uint64_t n = (addr - SF_DIRECT_MAP) >> SF_PAGE_SHIFT;

	if (n >= h->arena.pages || h->arena.page[n].state != PAGE_USED)
		return NO_PFN;
	return (uint32_t)n;
}

/* What is counted as reclaimable nowhere else: ksize(), or whole pages. */
static uint64_t indirect_bytes(struct sf_heap *h, uint64_t addr)
{
	uint32_t head;
	const struct kcache *s = slab_cache(h, addr, &head);

	if (s)
		return s->flags & SF_SLAB_RECLAIM_ACCOUNT ? 0 : kmalloc_usable(h, addr);
	head = block_at(h, addr);
	return head == NO_PFN ? kmalloc_usable(h, addr) : SF_PAGE_SIZE << h->arena.page[head].order;
}

static void uncount(struct sf_heap *h, struct lru_entry *e)
{
	heap_assert(h, h->indirect_bytes >= e->indirect);
	h->indirect_bytes -= e->indirect;
	e->indirect = 0;
}

static void count(struct sf_heap *h, struct lru_entry *e)
{
	uncount(h, e);
	if (h->set.accounting != ACCOUNTING_INDIRECT)
		return;
	e->indirect = indirect_bytes(h, e->addr);
	h->indirect_bytes += e->indirect;
}

/* --- ownership --- */

static void disown(struct sf_heap *h, uint32_t i)
{
	struct lru_entry *all = h->lru->e, *e = &all[i], *owner;

	if (e->owner == NO_ENTRY)
		return;
	owner = &all[e->owner];
	heap_assert(h, owner->addr && (e->prev == NO_ENTRY ? owner->first : all[e->prev].next) ==
		    i);
	heap_assert(h, (e->next == NO_ENTRY ? owner->last : all[e->next].prev) == i);
	*(e->prev == NO_ENTRY ? &owner->first : &all[e->prev].next) = e->next;
	*(e->next == NO_ENTRY ? &owner->last : &all[e->next].prev) = e->prev;
	e->owner = e->next = e->prev = NO_ENTRY;
	heap_assert(h, (owner->first == NO_ENTRY) == (owner->last == NO_ENTRY));
}

/* What is owned goes first: the entry owns nothing any more. */
static void entry_drop(struct sf_heap *h, uint32_t i)
{
	struct lru *l = h->lru;
	struct lru_entry *e = &l->e[i];

	heap_assert(h, e->addr && e->first == NO_ENTRY);
	list_del(h, i);
	disown(h, i);
	uncount(h, e);
	sf_map_del(&l->by_addr, e->addr);
	*e = (struct lru_entry){ .next = l->unused };
	l->unused = i;
	h->nr_tracked--;
	heap_assert(h, h->nr_tracked == l->by_addr.nr);
}

/* The entry is gone: kmalloc_free() has nothing to forget. It refuses what misuse has left. */
static bool free_memory(struct sf_heap *h, uint64_t addr, bool block)
{
	uint32_t pfn = block ? block_at(h, addr) : NO_PFN;
	struct sf_result rs;
	unsigned int order;

	if (pfn == NO_PFN) {
		kmalloc_free(h, addr, SF_KVFREE, &rs);
		return rs.status == SF_OK;
	}
	order = h->arena.page[pfn].order;
	if (page_free(h, pfn, order))
		arena_close(h, addr, SF_PAGE_SIZE << order);
	return true;
}

/* Freed now, or deferred. Its owner, if it had one, does not know it any more. */
static void let_go(struct sf_heap *h, uint32_t i, enum sf_free_how how, bool rcu)
{
	uint64_t addr = h->lru->e[i].addr;
	uint32_t cookie = h->lru->e[i].cookie;
	bool block = h->lru->e[i].block;

	heap_assert(h, addr && !h->lru->e[i].pinned);
	heap_assert(h, rcu || h->lru->e[i].first == NO_ENTRY);
	disown(h, i);
	if (rcu) {
		rcu_defer(h, addr, how);
		return;
	}
	h->user->going(h->user->ctx, cookie, addr, how);
	entry_drop(h, i);
	lru_gone(h, cookie, addr, free_memory(h, addr, block));
}

/*
 * All that `root` owns goes, the deepest first and in the order of owns(). What is pinned stays:
 * unowned, if its owner is freed now; as its owner's until then, if that is deferred. A walk along
 * the links, without a stack: chains may be as long as memory.
 */
static void owned_go(struct sf_heap *h, uint32_t root, bool rcu)
{
	const struct lru_entry *all = h->lru->e;
	uint32_t i = root, child = all[root].first;

	for (;;) {
		while (child != NO_ENTRY && all[child].pinned) {
			uint32_t next = all[child].next;

			if (!rcu) {
				disown(h, child);
				uncount(h, &h->lru->e[child]);
			}
			child = next;
		}
		if (child != NO_ENTRY) {
			i = child;
			child = all[i].first;
		} else if (i == root) {
			heap_assert(h, rcu || all[root].first == NO_ENTRY);
			return;
		} else {
			uint32_t owner = all[i].owner;

			child = all[i].next;
			let_go(h, i, SF_FREE_OWNER, rcu);
			i = owner;
		}
	}
}

void lru_forget_slow(struct sf_heap *h, uint64_t addr)
{
	uint32_t i = find(h, addr);

	if (i == NO_ENTRY)
		return;
	owned_go(h, i, false);
	entry_drop(h, i);
}

void lru_forget_bulk(struct sf_heap *h, uint32_t n, const uint64_t *addrs)
{
	if (!h->nr_tracked)
		return;
	/* None of them goes by another of them: its user frees it. */
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = find(h, addrs[k]);

		if (i != NO_ENTRY)
			disown(h, i);
	}
	for (uint32_t k = 0; k < n; k++)
		lru_forget(h, addrs[k]);
}

/* What outlives its cache is leaked: reclaim keeps off for good. */
void lru_cache_gone(struct sf_heap *h, uint32_t cache)
{
	uint32_t s = 0, i;

	while (s < h->nr_shrinkers && h->shrinker[s].cache != cache)
		s++;
	while (s < h->nr_shrinkers && (i = h->shrinker[s].head) != NO_ENTRY) {
		list_del(h, i);
		h->lru->e[i].shrinker = NO_ENTRY;
	}
}

/* --- grace periods --- */

/* What it owns stays its own until it is freed, and can go or be held by itself till then. */
void lru_defer(struct sf_heap *h, uint64_t addr, enum sf_free_how how)
{
	uint32_t i = find(h, addr);
	struct lru_entry *e;

	if (i == NO_ENTRY || h->lru->e[i].deferred)
		return;
	list_del(h, i);
	disown(h, i);
	e = &h->lru->e[i];
	e->pinned = false;
	e->deferred = true;
	heap_assert(h, !e->listed && e->owner == NO_ENTRY);
	h->user->deferred(h->user->ctx, e->cookie, addr, how);
}

bool lru_going(struct sf_heap *h, uint64_t addr, uint32_t *cookie)
{
	uint32_t i = find(h, addr);

	if (i == NO_ENTRY || !h->lru->e[i].deferred)
		return false;
	owned_go(h, i, false);
	*cookie = h->lru->e[i].cookie;
	h->user->going(h->user->ctx, *cookie, addr, SF_KFREE_RCU);
	entry_drop(h, i);
	return true;
}

void lru_gone(struct sf_heap *h, uint32_t cookie, uint64_t addr, bool freed)
{
	h->user->gone(h->user->ctx, cookie, addr, freed ? SF_OK : SF_NOTICED);
}

void lru_free_deferred(struct sf_heap *h, uint64_t addr)
{
	uint32_t i = find(h, addr), cookie;
	bool block = i != NO_ENTRY && h->lru->e[i].block;
	bool known = lru_going(h, addr, &cookie);
	bool freed = free_memory(h, addr, known && block);

	if (known)
		lru_gone(h, cookie, addr, freed);
}

/* --- the interface --- */

void lru_set_user(struct sf_heap *h, const struct sf_user *user)
{
	h->user = user;
	if (h->lru)
		return;
	h->lru = sf_grow(NULL, 1, sizeof(*h->lru));
	*h->lru = (struct lru){ .unused = NO_ENTRY, .cursor = NO_ENTRY };
}

void lru_track(struct sf_heap *h, uint64_t addr, uint32_t cookie, bool lru)
{
	const struct kcache *s;
	uint32_t i, head;

	if (!h->lru || addr <= SF_ZERO_SIZE_PTR)
		return;
	i = find(h, addr);
	if (i != NO_ENTRY) {
		h->lru->e[i].cookie = cookie;
		return;
	}
	i = entry_new(h, addr);
	h->lru->e[i].cookie = cookie;
	h->lru->e[i].block = block_at(h, addr) != NO_PFN;
	s = lru ? slab_cache(h, addr, &head) : NULL;
	if (!s || !(s->flags & SF_SLAB_RECLAIM_ACCOUNT))
		return;
	h->lru->e[i].shrinker = shrinker_of(h, s->id);
	list_add(h, i);
}

/* Would `b` own itself? Not if it owns nothing; else the way up from `a` decides. */
static bool is_cycle(const struct lru *l, uint32_t a, uint32_t b)
{
	if (a == b)
		return true;
	if (l->e[b].first == NO_ENTRY)
		return false;
	while (a != NO_ENTRY && a != b)
		a = l->e[a].owner;
	return a == b;
}

bool lru_owns(struct sf_heap *h, uint64_t addr_a, uint64_t addr_b)
{
	uint32_t a = find(h, addr_a), b = find(h, addr_b);
	struct lru_entry *all, *owner, *owned;

	if (a == NO_ENTRY || b == NO_ENTRY)
		return false;
	all = h->lru->e;
	owner = &all[a];
	owned = &all[b];
	if (owned->owner != NO_ENTRY || owner->deferred || owned->deferred ||
	    is_cycle(h->lru, a, b))
		return false;
	heap_assert(h, owned->prev == NO_ENTRY && owned->next == NO_ENTRY);
	owned->owner = a;
	owned->prev = owner->last;
	*(owner->last == NO_ENTRY ? &owner->first : &all[owner->last].next) = b;
	owner->last = b;
	count(h, owned);
	heap_assert(h, all[owner->last].owner == a && all[owner->first].owner == a);
	return true;
}

/* Of a cache that is still there? (lru_cache_gone) */
static bool has_shrinker(const struct sf_heap *h, const struct lru_entry *e)
{
	return e->shrinker != NO_ENTRY && h->cache[h->shrinker[e->shrinker].cache]->refs;
}

void lru_pin(struct sf_heap *h, uint64_t addr, bool on)
{
	uint32_t i = find(h, addr);
	struct lru_entry *e = i == NO_ENTRY ? NULL : &h->lru->e[i];

	if (!e || e->deferred)
		return;
	e->pinned = on;
	if (on)
		list_del(h, i);
	else if (has_shrinker(h, e) && !e->listed)
		list_add(h, i);
}

void lru_shrinker(struct sf_heap *h, uint32_t cache, const struct sf_shrinker *how)
{
	struct shrinker *s;
	uint32_t i;

	if (cache >= h->nr_caches || !(h->cache[cache]->flags & SF_SLAB_RECLAIM_ACCOUNT))
		return;
	i = shrinker_of(h, cache);
	s = &h->shrinker[i];
	s->seeks = how->seeks ? how->seeks : DEFAULT_SEEKS;
	s->batch = how->batch ? how->batch : SHRINK_BATCH;
	s->rcu = how->rcu;
}

/* --- for vmscan.c --- */

uint64_t lru_count(struct sf_heap *h, uint32_t shrinker, uint32_t memcg)
{
	const struct shrinker *s = &h->shrinker[shrinker];
	uint64_t n = 0;

	if (memcg == SF_NONE)
		return s->nr;
	if (!memcg_has_lru(h, memcg))
		return 0;
	for (uint32_t i = s->head; i != NO_ENTRY; i = h->lru->e[i].newer)
		n += memcg_below(h, h->lru->e[i].group, memcg);
	return n;
}

uint64_t lru_scan(struct sf_heap *h, uint32_t shrinker, uint64_t nr, uint32_t memcg)
{
	const struct shrinker *s = &h->shrinker[shrinker];
	struct lru *l = h->lru;
	uint64_t freed = 0;
	uint32_t i;

	heap_assert(h, shrinker < h->nr_shrinkers);
	if (!l)
		return 0;
	l->cursor = s->head;
	while (freed < nr && (i = l->cursor) != NO_ENTRY) {
		heap_assert(h, l->e[i].listed && l->e[i].shrinker == shrinker);
		l->cursor = l->e[i].newer;
		if (memcg != SF_NONE && !memcg_below(h, l->e[i].group, memcg))
			continue;
		owned_go(h, i, s->rcu);
		let_go(h, i, SF_FREE_SHRINK, s->rcu);
		freed++;
	}
	l->cursor = NO_ENTRY;
	heap_assert(h, freed <= nr);
	return freed;
}

/* --- places change --- */

static void rekey(struct sf_heap *h, uint32_t i, uint64_t to)
{
	struct lru *l = h->lru;
	struct lru_entry *e = &l->e[i];
	uint32_t stale = find(h, to);

	if (e->addr == to)
		return;
	/* Memory that was freed behind our back, by misuse. */
	if (stale != NO_ENTRY) {
		while (l->e[stale].first != NO_ENTRY)
			disown(h, l->e[stale].first);
		entry_drop(h, stale);
	}
	sf_map_del(&l->by_addr, e->addr);
	e->addr = to;
	sf_map_put(&l->by_addr, to, i);
	heap_assert(h, find(h, to) == i);
}

void lru_resized(struct sf_heap *h, uint64_t from, uint64_t to)
{
	uint32_t i = find(h, from);

	if (i == NO_ENTRY)
		return;
	rekey(h, i, to);
	if (h->lru->e[i].owner != NO_ENTRY)
		count(h, &h->lru->e[i]);
}

bool lru_may_move(const struct sf_heap *h, uint64_t addr)
{
	uint32_t i = find(h, addr);

	return i != NO_ENTRY && !h->lru->e[i].pinned && !h->lru->e[i].deferred;
}

void lru_moved(struct sf_heap *h, uint64_t from, uint64_t to)
{
	uint32_t i = find(h, from);

	if (i == NO_ENTRY)
		return;
	rekey(h, i, to);
	h->user->moved(h->user->ctx, h->lru->e[i].cookie, from, to);
}

/* --- heaps --- */

void lru_reset(struct sf_heap *h)
{
	struct lru *l = h->lru;

	h->nr_shrinkers = 0;
	h->indirect_bytes = 0;
	h->nr_tracked = 0;
	if (!l || !l->nr)
		return;
	sf_map_clear(&l->by_addr);
	l->nr = 0;
	l->unused = NO_ENTRY;
	heap_assert(h, l->by_addr.nr == 0);
}

void lru_free(struct sf_heap *h)
{
	free(h->shrinker);
	if (!h->lru)
		return;
	free(h->lru->e);
	sf_map_free(&h->lru->by_addr);
	free(h->lru);
}
