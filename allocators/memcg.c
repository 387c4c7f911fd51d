// SPDX-License-Identifier: MIT
/*
 * memcg.c - memory cgroups: who is charged for which memory, up to which limit.
 *
 * Follows mm/memcontrol.c of Linux 7.2 (try_charge_memcg, __memcg_slab_post_alloc_hook,
 * memcg_reparent_objcgs) for the kernel's own memory. Relies on vmscan.c for reclaim at a limit;
 * slab.c charges objects, page_gfp.c blocks. Left out: charges are exact to the byte, where a
 * kernel charges whole pages and keeps the rest of them in a stock of each CPU (struct
 * obj_stock_pcp); there is no memory but the kernel's, no swap, no high mark, and no
 * process that could be killed at a limit.
 */
#include "arena.h"
#include "base/hash_map.h"
#include "heap_assert.h"
#include "memcg.h"
#include "page_alloc.h"
#include "vmscan.h"

#include <stdlib.h>

#define MAX_GROUPS 65535u /* mm/memcontrol.c:MEM_CGROUP_ID_MAX */
#define MAX_RECLAIM_RETRIES 16

/* --- groups --- */

static bool is_online(const struct memcgs *m, uint32_t memcg)
{
	return m && memcg < m->nr && m->group[memcg].online;
}

uint32_t memcg_create(struct sf_heap *h, uint32_t parent, uint64_t max)
{
	struct memcgs *m = h->memcgs;

	if (!h->set.memcg || (parent != SF_NONE && !is_online(m, parent)))
		return SF_NONE;
	if (!m) {
		m = h->memcgs = sf_grow(NULL, 1, sizeof(*m));
		*m = (struct memcgs){ .unused = SF_MAP_NONE };
	}
	if (m->nr == MAX_GROUPS)
		return SF_NONE;
	if (m->nr == m->cap) {
		m->cap = m->cap ? 2 * m->cap : 16;
		m->group = sf_grow(m->group, m->cap, sizeof(*m->group));
	}
	heap_assert(h, m->nr < m->cap && (parent == SF_NONE || parent < m->nr));
	m->group[m->nr] = (struct memcg_group){ .parent = parent, .online = true, .max = max };
	if (parent != SF_NONE)
		m->group[parent].children++;
	return m->nr++;
}

void memcg_set(struct sf_heap *h, uint32_t memcg)
{
	if (memcg == SF_NONE || is_online(h->memcgs, memcg))
		h->memcg = memcg;
}

enum sf_status memcg_destroy(struct sf_heap *h, uint32_t memcg)
{
	struct memcg_group *g;

	if (!is_online(h->memcgs, memcg) || memcg == h->memcg)
		return SF_NULL;
	g = &h->memcgs->group[memcg];
	if (g->children)
		return SF_NULL;
	g->online = false;
	heap_assert(h, g->parent == SF_NONE || h->memcgs->group[g->parent].children > 0);
	if (g->parent != SF_NONE)
		h->memcgs->group[g->parent].children--;
	return SF_OK;
}

/* Whose the charges of a group are now: its own, or of the first that is left above it. */
static uint32_t online_above(const struct memcgs *m, uint32_t group)
{
	while (group != SF_NONE && !m->group[group].online)
		group = m->group[group].parent;
	return group;
}

bool memcg_below(const struct sf_heap *h, uint32_t group, uint32_t memcg)
{
	heap_assert(h, group == SF_NONE || group < h->memcgs->nr);
	while (group != SF_NONE && group != memcg)
		group = h->memcgs->group[group].parent;
	return group != SF_NONE;
}

void memcg_count_lru(struct sf_heap *h, uint32_t group, bool more)
{
	heap_assert(h, group < h->memcgs->nr);
	heap_assert(h, more || h->memcgs->group[group].nr_lru > 0);
	h->memcgs->group[group].nr_lru += more ? 1 : UINT64_MAX;
}

bool memcg_has_lru(const struct sf_heap *h, uint32_t memcg)
{
	const struct memcgs *m = h->memcgs;

	for (uint32_t i = 0; m && i < m->nr; i++)
		if (m->group[i].nr_lru && memcg_below(h, i, memcg))
			return true;
	return false;
}

/* --- limits --- */

/* The first on the way up that has no room for it (mm/page_counter.c), SF_NONE: all have. */
static uint32_t over_limit(const struct memcgs *m, uint32_t group, uint64_t bytes)
{
	for (; group != SF_NONE; group = m->group[group].parent) {
		const struct memcg_group *g = &m->group[group];

		if (g->usage > g->max || g->max - g->usage < bytes)
			return group;
	}
	return SF_NONE;
}

/* mm/memcontrol.c:mem_cgroup_oom. Nothing is killed: what follows is as if that had not helped. */
static void memcg_oom(struct sf_heap *h, uint32_t over, uint64_t bytes, uint32_t gfp,
		      uint32_t rounds)
{
	if (get_order(bytes) > PAGE_ALLOC_COSTLY_ORDER)
		return;
	h->vm.oom_kill++;
	EMIT(h, OOM, oom, .policy = (uint8_t)h->set.oom, .order = (uint8_t)get_order(bytes),
	     .migratetype = (uint8_t)gfp_migratetype(gfp), .gfp = gfp, .memcg = over,
	     .rounds = rounds, .free = h->zone.nr_free_pages);
}

/*
 * Reclaim until there is room (mm/memcontrol.c:try_charge_memcg). SF_NONE: there is; else the group
 * that has none. A round in which nothing was freed would go on as it did: it ends the retries.
 */
static uint32_t make_room(struct sf_heap *h, uint64_t bytes, uint32_t gfp)
{
	const struct memcgs *m = h->memcgs;
	bool small = get_order(bytes) <= PAGE_ALLOC_COSTLY_ORDER, drained = false;
	unsigned int retries = MAX_RECLAIM_RETRIES;
	uint32_t over, rounds = 0;

	while ((over = over_limit(m, h->memcg, bytes)) != SF_NONE) {
		uint64_t usage = m->group[over].usage, progress;

		if (h->reclaiming || !(gfp & SF_GFP_DIRECT_RECLAIM))
			return over;
		rounds++;
		progress = vmscan_memcg(h, over, gfp);
		if (over_limit(m, h->memcg, bytes) != over)
			continue;
		if (progress || m->group[over].usage != usage) {
			if (!drained) {
				drained = true;
				continue;
			}
			if (!(gfp & SF_GFP_NORETRY) && ((progress && small) || retries--))
				continue;
		}
		if (!(gfp & (SF_GFP_NORETRY | SF_GFP_RETRY_MAYFAIL)))
			memcg_oom(h, over, bytes, gfp, rounds);
		return over;
	}
	return SF_NONE;
}

/* Over the limit all the same: reclaim itself, and what must not fail or is an emergency. */
static bool is_forced(const struct sf_heap *h, uint32_t gfp)
{
	return h->reclaiming || (gfp & (SF_GFP_NOFAIL | SF_GFP_HIGH));
}

/* --- charges --- */

static const struct memcg_charge *find(const struct sf_heap *h, uint64_t addr)
{
	uint32_t i = h->nr_charged ? sf_map_get(&h->memcgs->by_addr, addr) : SF_MAP_NONE;

	return i == SF_MAP_NONE ? NULL : &h->memcgs->charge[i];
}

static void add_usage(struct memcgs *m, uint32_t group, uint64_t bytes)
{
	for (; group != SF_NONE; group = m->group[group].parent)
		m->group[group].usage += bytes;
}

/* What was charged there, and freed behind our back by a misuse, is not any more. */
static void charge_put(struct sf_heap *h, uint64_t addr, uint64_t bytes, uint32_t group)
{
	struct memcgs *m = h->memcgs;
	uint32_t i;

	heap_assert(h, bytes > 0 && group < m->nr);
	memcg_uncharge(h, addr);
	i = m->unused;
	if (i != SF_MAP_NONE) {
		m->unused = m->charge[i].group;
	} else {
		if (m->nr_charges == m->cap_charges) {
			m->cap_charges = m->cap_charges ? 2 * m->cap_charges : 128;
			m->charge = sf_grow(m->charge, m->cap_charges, sizeof(*m->charge));
		}
		i = m->nr_charges++;
	}
	heap_assert(h, sf_map_get(&m->by_addr, addr) == SF_MAP_NONE && i < m->nr_charges);
	m->charge[i] = (struct memcg_charge){ addr, bytes, group };
	sf_map_put(&m->by_addr, addr, i);
	h->nr_charged++;
	add_usage(m, group, bytes);
	heap_assert(h, h->nr_charged == m->by_addr.nr);
	heap_assert(h, m->group[group].usage >= bytes);
}

static struct memcg_charge charge_take(struct sf_heap *h, uint64_t addr)
{
	struct memcgs *m = h->memcgs;
	uint32_t i = sf_map_get(&m->by_addr, addr);
	struct memcg_charge c = m->charge[i];

	heap_assert(h, c.addr == addr && c.bytes > 0 && m->group[c.group].usage >= c.bytes);
	sf_map_del(&m->by_addr, addr);
	m->charge[i].group = m->unused;
	m->unused = i;
	h->nr_charged--;
	add_usage(m, c.group, 0 - c.bytes);
	heap_assert(h, h->nr_charged == m->by_addr.nr);
	return c;
}

bool memcg_charge(struct sf_heap *h, uint64_t addr, uint64_t bytes, uint32_t gfp)
{
	uint32_t over = make_room(h, bytes, gfp);

	if (over != SF_NONE && !is_forced(h, gfp)) {
		h->memcgs->group[over].failcnt++;
		EMIT(h, CHARGE, charge, .memcg = h->memcg, .refused = true, .bytes = bytes);
		return false;
	}
	heap_assert(h, is_online(h->memcgs, h->memcg));
	heap_assert(h, over != SF_NONE ||
		    h->memcgs->group[h->memcg].max - h->memcgs->group[h->memcg].usage >= bytes);
	charge_put(h, addr, bytes, h->memcg);
	EMIT(h, CHARGE, charge, .memcg = h->memcg, .addr = addr, .bytes = bytes);
	return true;
}

void memcg_uncharge(struct sf_heap *h, uint64_t addr)
{
	struct memcg_charge c;

	if (!find(h, addr))
		return;
	c = charge_take(h, addr);
	EMIT(h, CHARGE, charge, .memcg = online_above(h->memcgs, c.group), .uncharge = true,
	     .addr = addr, .bytes = c.bytes);
}

void memcg_split(struct sf_heap *h, uint32_t pfn, unsigned int order)
{
	struct memcg_charge c;

	if (!find(h, pfn_addr(pfn)))
		return;
	c = charge_take(h, pfn_addr(pfn));
	heap_assert(h, c.bytes == SF_PAGE_SIZE << order);
	for (uint32_t i = 0; i < 1u << order; i++)
		charge_put(h, pfn_addr(pfn + i), SF_PAGE_SIZE, c.group);
}

void memcg_moved(struct sf_heap *h, uint64_t from, uint64_t to)
{
	struct memcg_charge c;

	if (!find(h, from))
		return;
	c = charge_take(h, from);
	heap_assert(h, from != to && !find(h, to));
	charge_put(h, to, c.bytes, c.group);
}

uint32_t memcg_of(const struct sf_heap *h, uint64_t addr)
{
	const struct memcg_charge *c = find(h, addr);

	return c ? c->group : SF_NONE;
}

/* --- snapshots, heaps --- */

bool memcg_next(const struct sf_heap *h, uint32_t *at, struct sf_ev_snapmemcg *ev)
{
	const struct memcgs *m = h->memcgs;
	const struct memcg_group *g;

	if (!m || *at >= m->nr)
		return false;
	g = &m->group[*at];
	*ev = (struct sf_ev_snapmemcg){ .id = *at, .parent = g->parent, .online = g->online,
					.usage = g->usage, .max = g->max, .failcnt = g->failcnt };
	++*at;
	return true;
}

void memcg_reset(struct sf_heap *h)
{
	struct memcgs *m = h->memcgs;

	h->memcg = SF_NONE;
	h->nr_charged = 0;
	if (!m)
		return;
	sf_map_clear(&m->by_addr);
	m->nr = m->nr_charges = 0;
	m->unused = SF_MAP_NONE;
}

void memcg_free(struct sf_heap *h)
{
	if (!h->memcgs)
		return;
	free(h->memcgs->group);
	free(h->memcgs->charge);
	sf_map_free(&h->memcgs->by_addr);
	free(h->memcgs);
}
