// SPDX-License-Identifier: MIT
/*
 * rcu.c - frees that wait for a grace period: sheaves of kfree_rcu(), objects, and the slabs of
 * SLAB_TYPESAFE_BY_RCU caches.
 *
 * Follows mm/slub.c (__kfree_rcu_sheaf, rcu_free_sheaf, rcu_free_slab) and mm/slab_common.c
 * (kvfree_rcu_barrier, kmem_cache_destroy) of Linux 7.2. Relies on lru.c, which notifies the
 * objects' user, and on slab.c for sheaves and slabs. One queue stands for all CPUs' callbacks. A
 * grace period ends when the program says so, or where kmem_cache_destroy() waits for one: nothing
 * else waits. Left out: the batches of what goes through no sheaf, and their timer (struct
 * kfree_rcu_cpu): such objects wait for the next grace period, in order.
 */
#include "arena.h"
#include "base/grow.h"
#include "heap_assert.h"
#include "kmalloc.h"
#include "lru.h"
#include "rcu.h"
#include "slab.h"
#include "slab_internal.h"

#include <stdlib.h>
#include <string.h>

#define BARN_EMPTY_MAX 10 /* mm/slub.c:MAX_EMPTY_SHEAVES: only here it is kept to */

static struct rcu *rcu_of(struct sf_heap *h)
{
	if (!h->rcu) {
		h->rcu = sf_grow(NULL, 1, sizeof(*h->rcu));
		*h->rcu = (struct rcu){ 0 };
	}
	return h->rcu;
}

static void call_rcu(struct sf_heap *h, enum rcu_kind kind, uint64_t what, uint32_t cache)
{
	struct rcu *r = rcu_of(h);

	if (r->nr == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->queue = sf_grow(r->queue, r->cap, sizeof(*r->queue));
	}
	r->queue[r->nr++] = (struct rcu_callback){ .what = what, .cache = cache,
					       .kind = (uint8_t)kind, .cpu = (uint8_t)h->cpu };
	heap_assert(h, r->nr <= r->cap && h->cpu < h->set.cpus);
}

/* --- kfree_rcu() --- */

static void queue_open(struct sf_heap *h, struct kcache *s, enum rcu_kind kind)
{
	struct cpu_cache *pc = &s->cpu[h->cpu];

	heap_assert(h, pc->rcu_free < h->nr_sheaves && h->sheaves[pc->rcu_free].nr > 0);
	heap_assert(h, h->rcu->nr_open > 0);
	call_rcu(h, kind, pc->rcu_free, s->id);
	pc->rcu_free = NO_SHEAF;
	h->rcu->nr_open--;
	heap_assert(h, pc->rcu_free == NO_SHEAF);
}

void rcu_hand_over(struct sf_heap *h, struct kcache *s)
{
	if (s->cpu[h->cpu].rcu_free != NO_SHEAF)
		queue_open(h, s, RCU_SHEAF_NOBARN);
}

/* mm/slub.c:__kfree_rcu_sheaf, where it takes an empty sheaf. */
static void open_sheaf(struct sf_heap *h, struct kcache *s)
{
	struct cpu_cache *pc = &s->cpu[h->cpu];

	heap_assert(h, pc->rcu_free == NO_SHEAF);
	if (pc->spare != NO_SHEAF && !h->sheaves[pc->spare].nr) {
		pc->rcu_free = pc->spare;
		pc->spare = NO_SHEAF;
	} else if (s->barn.nr_empty) {
		pc->rcu_free = sheaf_list_pop(h, &s->barn.empty, &s->barn.nr_empty);
	} else {
		pc->rcu_free = sheaf_new(h, s);
	}
	s->touched = true;
	rcu_of(h)->nr_open++;
	heap_assert(h, h->sheaves[pc->rcu_free].nr == 0);
	heap_assert(h, h->sheaves[pc->rcu_free].capacity == s->sheaf_capacity);
}

/* Into this CPU's sheaf: addresses as users know them, which slot_offset may make inner ones. */
static void kfree_rcu_sheaf(struct sf_heap *h, struct kcache *s, uint64_t addr)
{
	struct sheaf *sh;

	if (s->cpu[h->cpu].rcu_free == NO_SHEAF)
		open_sheaf(h, s);
	sh = &h->sheaves[s->cpu[h->cpu].rcu_free];
	heap_assert(h, sh->nr < sh->capacity);
	sh->obj[sh->nr++] = (uint32_t)((addr - slab_window(h)) / 8);
	if (sh->nr == sh->capacity)
		queue_open(h, s, RCU_SHEAF);
}

void rcu_defer(struct sf_heap *h, uint64_t addr, enum sf_free_how how)
{
	struct kcache *s = NULL;
	uint32_t head;

	if (addr <= SF_ZERO_SIZE_PTR)
		return;
	lru_defer(h, addr, how);
	if (how == SF_KFREE_RCU)
		s = slab_cache(h, addr, &head);
	if (s && s->sheaf_capacity)
		kfree_rcu_sheaf(h, s, addr);
	else
		call_rcu(h, RCU_OBJECT, addr, SF_NONE);
}

void rcu_defer_slab(struct sf_heap *h, uint32_t head)
{
	heap_assert(h, h->arena.page[head].state == PAGE_RCU && !h->arena.page[head].inuse);
	call_rcu(h, RCU_SLAB, head, SF_NONE);
}

/* --- callbacks --- */

/* One object of a sheaf is free from here on; where its slot begins (__rcu_free_sheaf_prepare). */
static uint64_t prepare_object(struct sf_heap *h, struct kcache *s, uint64_t addr)
{
	uint32_t head, cookie;
	bool known = lru_going(h, addr, &cookie);
	uint64_t slot = addr;

	if (slab_cache(h, addr, &head))
		slot -= offset_in_slot(h, s, head, addr);
	slab_free_hook(h, s, slot);
	if (known)
		lru_gone(h, cookie, addr, true);
	return slot;
}

/* What the objects own goes with them: any sheaf but this one may change meanwhile. */
static void free_sheaf(struct sf_heap *h, struct kcache *s, uint32_t id, bool barn)
{
	struct barn *b = &s->barn;

	heap_assert(h, h->sheaves[id].nr > 0);
	heap_assert(h, !barn || h->sheaves[id].nr == h->sheaves[id].capacity);
	for (uint32_t i = 0; i < h->sheaves[id].nr; i++) {
		uint64_t slot = prepare_object(h, s, slab_window(h) + h->sheaves[id].obj[i] * 8ull);

		h->sheaves[id].obj[i] = (uint32_t)((slot - slab_window(h)) / 8);
	}
	if (barn && b->nr_full < BARN_MAX) {
		sheaf_list_push(h, &b->full, &b->nr_full, id);
		return;
	}
	sheaf_flush(h, s, id, SHEAF_MAX);
	if (barn && b->nr_empty < BARN_EMPTY_MAX)
		sheaf_list_push(h, &b->empty, &b->nr_empty, id);
	else
		sheaf_drop(h, id);
}

static void run(struct sf_heap *h, const struct rcu_callback *c)
{
	switch (c->kind) {
	case RCU_OBJECT:
		lru_free_deferred(h, c->what);
		break;
	case RCU_SLAB:
		slab_free_deferred(h, (uint32_t)c->what);
		break;
	default:
		heap_assert(h, c->cache < h->nr_caches && c->what < h->nr_sheaves);
		free_sheaf(h, h->cache[c->cache], (uint32_t)c->what, c->kind == RCU_SHEAF);
	}
}

/* What the callbacks queue waits for the next one. */
static void end_grace(struct sf_heap *h, bool barrier)
{
	struct rcu *r = rcu_of(h);
	unsigned int here = h->cpu;
	uint32_t nr = r->nr;

	r->nr_graces++;
	EMIT(h, GRACE, grace, .nr = r->nr_graces, .barrier = barrier);
	for (uint32_t i = 0; i < nr; i++) {
		struct rcu_callback c = r->queue[i];

		h->cpu = c.cpu;
		run(h, &c);
	}
	h->cpu = here;
	heap_assert(h, r->nr >= nr);
	r->nr -= nr;
	if (r->nr)
		memmove(r->queue, r->queue + nr, r->nr * sizeof(*r->queue));
}

void rcu_grace_period(struct sf_heap *h)
{
	end_grace(h, false);
}

/* --- barriers --- */

/* All CPUs' (mm/slub.c:flush_rcu_sheaves_on_cache). */
static void hand_over_all(struct sf_heap *h, struct kcache *s)
{
	unsigned int here = h->cpu;

	for (h->cpu = 0; h->cpu < h->set.cpus; h->cpu++)
		rcu_hand_over(h, s);
	h->cpu = here;
	heap_assert(h, h->cpu < h->set.cpus);
}

/*
 * mm/slab_common.c:kvfree_rcu_barrier, the newest cache first, as the list of caches has it; and
 * rcu_barrier() until callbacks queue no more.
 */
void rcu_barrier(struct sf_heap *h)
{
	struct rcu *r = h->rcu;

	if (!r)
		return;
	do {
		for (uint32_t i = h->nr_caches; i-- > 0 && r->nr_open;)
			hand_over_all(h, h->cache[i]);
		if (r->nr)
			end_grace(h, true);
	} while (r->nr);
	heap_assert(h, !r->nr && !r->nr_open);
}

void rcu_barrier_on_slabs(struct sf_heap *h)
{
	if (h->rcu && h->rcu->nr)
		end_grace(h, true);
}

void rcu_barrier_on_cache(struct sf_heap *h, struct kcache *s)
{
	if (h->rcu && h->rcu->nr_open)
		hand_over_all(h, s);
	rcu_barrier_on_slabs(h);
}

/* --- snapshots, heaps --- */

bool rcu_next_sheaf(const struct sf_heap *h, uint32_t *at, uint32_t *cache, uint32_t *sheaf)
{
	const struct rcu *r = h->rcu;

	for (; r && *at < r->nr; ++*at) {
		const struct rcu_callback *c = &r->queue[*at];

		if (c->kind != RCU_SHEAF && c->kind != RCU_SHEAF_NOBARN)
			continue;
		*cache = c->cache;
		*sheaf = (uint32_t)c->what;
		++*at;
		return true;
	}
	return false;
}

void rcu_reset(struct sf_heap *h)
{
	if (!h->rcu)
		return;
	h->rcu->nr = h->rcu->nr_open = 0;
	h->rcu->nr_graces = 0;
}

void rcu_free(struct sf_heap *h)
{
	if (!h->rcu)
		return;
	free(h->rcu->queue);
	free(h->rcu);
}
