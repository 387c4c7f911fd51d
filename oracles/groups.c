// SPDX-License-Identifier: MIT
/*
 * groups.c - memory cgroups as the shadow model knows them: limits, and who is charged for which
 * memory, from CHARGE events alone.
 *
 * What is charged is a table by address. A block that was split is uncharged page by page: it
 * becomes single pages in the table when the first of them goes. A group that is destroyed keeps
 * its place, so that what it was charged for still counts for those above it. Relies on groups.h;
 * accounting.c judges.
 */
#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "objects.h"
#include "rules.h"
#include "shadow.h"
#include "shadow_mem.h"

#define BLOCK_PAGES_MAX (1u << SF_MAX_ORDER)

void sf_groups_begin(struct sf_groups *g)
{
	g->used = false;
	g->active = 0;
	g->nr = 0;
	g->nr_charged = 0;
	sf_map_clear(&g->by_addr);
}

void sf_groups_free(struct sf_groups *g)
{
	free(g->group);
	free(g->charged);
	sf_map_free(&g->by_addr);
}

uint32_t sf_group_of(const struct sf_groups *g, uint32_t id)
{
	if (id == SF_NONE)
		return 0;
	if (g->active && g->group[g->active - 1].id == id)
		return g->active;
	for (size_t i = g->nr; i; i--)
		if (g->group[i - 1].online && g->group[i - 1].id == id)
			return (uint32_t)i;
	return 0;
}

void sf_groups_act(struct sf_shadow *sh, const struct sf_ev_memcg *m)
{
	struct sf_groups *g = &sh->groups;
	uint32_t group = sf_group_of(g, m->id);

	if (m->status != SF_OK)
		return;
	g->used = true;
	switch (m->act) {
	case SF_MEMCG_CREATE:
		g->group = sf_shadow_grow(g->group, &g->cap, g->nr + 1, sizeof(*g->group),
					  &sh->bytes);
		g->group[g->nr] = (struct sf_group){
			.id = m->id, .parent = sf_group_of(g, m->parent), .online = true,
			.max = m->max,
		};
		g->nr++;
		break;
	case SF_MEMCG_SET:
		g->active = group;
		break;
	case SF_MEMCG_DESTROY:
		if (group)
			g->group[group - 1].online = false;
		if (group == g->active)
			g->active = 0;
		break;
	}
}

static void add_usage(struct sf_groups *g, uint32_t group, uint64_t bytes)
{
	for (; group; group = g->group[group - 1].parent)
		g->group[group - 1].usage += bytes;
}

bool sf_group_below(const struct sf_groups *g, uint32_t group, uint32_t above)
{
	while (group && group != above)
		group = g->group[group - 1].parent;
	return group == above;
}

uint32_t sf_group_full(const struct sf_groups *g, uint32_t group, uint64_t bytes)
{
	for (; group; group = g->group[group - 1].parent) {
		const struct sf_group *at = &g->group[group - 1];

		if (at->usage > at->max || at->max - at->usage < bytes)
			return group;
	}
	return 0;
}

const struct sf_charged *sf_group_charged(const struct sf_groups *g, uint64_t addr)
{
	uint32_t i = sf_map_get(&g->by_addr, addr);

	return i == SF_MAP_NONE ? NULL : &g->charged[i];
}

static void put(struct sf_shadow *sh, uint64_t addr, uint32_t bytes, uint32_t group)
{
	struct sf_groups *g = &sh->groups;

	g->charged = sf_shadow_grow(g->charged, &g->cap_charged, g->nr_charged + 1,
				    sizeof(*g->charged), &sh->bytes);
	g->charged[g->nr_charged] = (struct sf_charged){ addr, bytes, group };
	sf_shadow_put(&g->by_addr, addr, (uint32_t)g->nr_charged++, &sh->bytes);
}

/* The last one takes the place of what goes. */
static void take_out(struct sf_groups *g, uint64_t addr)
{
	uint32_t i = sf_map_get(&g->by_addr, addr);
	struct sf_charged last = g->charged[--g->nr_charged];

	g->charged[i] = last;
	sf_map_put(&g->by_addr, last.addr, i);
	sf_map_del(&g->by_addr, addr);
}

void sf_group_charge(struct sf_shadow *sh, uint64_t addr, uint32_t bytes, uint32_t group)
{
	sf_group_uncharge(sh, addr, 0);
	put(sh, addr, bytes, group);
	add_usage(&sh->groups, group, bytes);
	sh->groups.group[group - 1].direct += bytes;
}

const struct sf_charged *sf_group_charged_inside(const struct sf_groups *g, uint64_t addr,
						 uint64_t bytes)
{
	const struct sf_charged *c = NULL;

	if (bytes != SF_PAGE_SIZE || addr % SF_PAGE_SIZE)
		return NULL;
	for (uint64_t size = SF_PAGE_SIZE; !c && size <= SF_PAGE_SIZE * BLOCK_PAGES_MAX; size *= 2)
		c = sf_group_charged(g, addr & ~(size - 1));
	return c && c->bytes % SF_PAGE_SIZE == 0 && addr - c->addr < c->bytes ? c : NULL;
}

/* The charged block that the page lies inside of becomes pages. False: there is none. */
static bool split(struct sf_shadow *sh, uint64_t addr)
{
	struct sf_groups *g = &sh->groups;
	const struct sf_charged *c = sf_group_charged_inside(g, addr, SF_PAGE_SIZE);
	struct sf_charged block;

	if (!c)
		return false;
	block = *c;
	take_out(g, block.addr);
	for (uint64_t at = 0; at < block.bytes; at += SF_PAGE_SIZE)
		if (!sf_group_charged(g, block.addr + at))
			put(sh, block.addr + at, (uint32_t)SF_PAGE_SIZE, block.group);
	return true;
}

uint64_t sf_group_uncharge(struct sf_shadow *sh, uint64_t addr, uint64_t bytes)
{
	struct sf_groups *g = &sh->groups;
	const struct sf_charged *c = sf_group_charged(g, addr);
	uint32_t group;
	uint64_t was;

	if (bytes == SF_PAGE_SIZE && (!c || c->bytes > bytes) && g->nr_charged && split(sh, addr))
		c = sf_group_charged(g, addr);
	if (!c)
		return 0;
	was = c->bytes;
	group = c->group;
	take_out(g, addr);
	add_usage(g, group, 0 - was);
	g->group[group - 1].direct -= was;
	return was;
}

void sf_group_move(struct sf_shadow *sh, uint64_t from, uint64_t to)
{
	const struct sf_charged *c = sf_group_charged(&sh->groups, from);
	struct sf_charged was;

	if (!c || sf_group_charged(&sh->groups, to))
		return;
	was = *c;
	take_out(&sh->groups, from);
	put(sh, to, was.bytes, was.group);
}

/* Sums what is charged at and behind `addr`, of `bytes` of pages. */
static uint64_t charged_pages(const struct sf_shadow *sh, uint64_t addr, uint64_t bytes,
			      uint32_t *group, bool *mixed)
{
	uint64_t sum = 0;

	if (bytes > sh->direct.pages << SF_PAGE_SHIFT)
		return 0;
	for (uint64_t at = 0; at < bytes;) {
		const struct sf_charged *c = sf_group_charged(&sh->groups, addr + at);

		if (!c || !c->bytes) {
			at += SF_PAGE_SIZE;
			continue;
		}
		if (*group && *group != c->group)
			*mixed = true;
		*group = c->group;
		sum += c->bytes;
		at += c->bytes;
	}
	return sum;
}

static uint64_t charged_area(const struct sf_shadow *sh, const struct sf_shadow_obj *o,
			     uint32_t *group, bool *mixed)
{
	uint64_t first = (o->addr - sh->vmalloc.base) >> SF_PAGE_SHIFT, sum = 0;
	uint64_t pages = sf_shadow_pages_of(o) >> SF_PAGE_SHIFT;

	for (uint64_t p = first; o->addr >= sh->vmalloc.base && p < sh->vm_high &&
				 p - first < pages; p++)
		if (sh->vm_pfn[p])
			sum += charged_pages(sh, sh->direct.base +
					     ((uint64_t)(sh->vm_pfn[p] - 1) << SF_PAGE_SHIFT),
					     SF_PAGE_SIZE, group, mixed);
	return sum;
}

uint64_t sf_group_of_object(const struct sf_shadow *sh, const struct sf_shadow_obj *o,
			    uint32_t *group, bool *mixed)
{
	const struct sf_charged *c;
	uint64_t pages = sf_shadow_pages_of(o);

	*group = 0;
	*mixed = false;
	if (!sh->groups.nr_charged)
		return 0;
	if (o->kind == SF_PLACE_VMALLOC)
		return charged_area(sh, o, group, mixed);
	if (pages)
		return charged_pages(sh, o->addr, pages, group, mixed);
	c = sf_group_charged(&sh->groups, o->addr - o->offset);
	if (!c)
		return 0;
	*group = c->group;
	return c->bytes;
}
