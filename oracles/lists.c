// SPDX-License-Identifier: MIT
/*
 * lists.c - the order of free lists and per-CPU lists, as circles through a head for each.
 *
 * Blocks that boot left are one link of their list until they are taken. Relies on lists.h
 * and shadow_mem.c.
 */
#include "lists.h"

#include <stdlib.h>
#include <string.h>

#include "shadow_mem.h"

#define FREE_LISTS (SF_NR_ORDERS * SF_MIGRATE_TYPES)
#define LIST_CPUS 64u /* of more CPUs nothing is said */
#define NR_LISTS (FREE_LISTS + LIST_CPUS * SF_PCP_LISTS)

static uint32_t head_of(const struct sf_lists *l, uint32_t list)
{
	return (uint32_t)l->cap + list;
}

/* The link that stands for boot's blocks. */
static uint32_t boot_of(const struct sf_lists *l, uint32_t list)
{
	return (uint32_t)l->cap + NR_LISTS + list;
}

void sf_lists_grow(struct sf_lists *l, uint64_t cap, size_t *bytes)
{
	sf_lists_free(l);
	l->cap = cap;
	l->next = sf_shadow_zalloc(cap + NR_LISTS + FREE_LISTS, sizeof(*l->next), bytes);
	l->prev = sf_shadow_zalloc(cap + NR_LISTS + FREE_LISTS, sizeof(*l->prev), bytes);
	l->on = sf_shadow_zalloc(cap, sizeof(*l->on), bytes);
}

void sf_lists_free(struct sf_lists *l)
{
	free(l->next);
	free(l->prev);
	free(l->on);
	*l = (struct sf_lists){ 0 };
}

static void link_between(struct sf_lists *l, uint32_t prev, uint32_t x, uint32_t next)
{
	l->next[prev] = x;
	l->prev[x] = prev;
	l->next[x] = next;
	l->prev[next] = x;
}

static void take_out(struct sf_lists *l, uint32_t x)
{
	l->next[l->prev[x]] = l->next[x];
	l->prev[l->next[x]] = l->prev[x];
}

void sf_lists_begin(struct sf_lists *l, uint32_t cpus, unsigned int type, const uint32_t *boot_nr)
{
	uint32_t nr;

	l->cpus = cpus < LIST_CPUS ? cpus : LIST_CPUS;
	l->boot_low = 0;
	nr = FREE_LISTS + l->cpus * SF_PCP_LISTS;
	memset(l->boot, 0, sizeof(l->boot));
	for (uint32_t i = 0; i < nr; i++)
		l->next[head_of(l, i)] = l->prev[head_of(l, i)] = head_of(l, i);
	for (unsigned int o = 0; o < SF_NR_ORDERS; o++) {
		uint32_t list = sf_free_list(o, type), head = head_of(l, list);

		l->boot[o][type] = boot_nr[o];
		if (boot_nr[o])
			link_between(l, head, boot_of(l, list), head);
	}
}

void sf_lists_boot(struct sf_lists *l, uint64_t first, uint64_t nr)
{
	memset(l->on + first, 0, nr * sizeof(*l->on));
}

uint32_t sf_free_list(unsigned int order, unsigned int type)
{
	return order * SF_MIGRATE_TYPES + type;
}

uint32_t sf_pcp_list(unsigned int cpu, unsigned int list)
{
	return FREE_LISTS + cpu * SF_PCP_LISTS + list;
}

void sf_list_add(struct sf_lists *l, uint32_t list, uint64_t pfn, bool tail)
{
	uint32_t head = head_of(l, list), x = (uint32_t)pfn;

	/* an event that contradicts others: reported elsewhere */
	if (l->on[pfn] && l->on[pfn] != SF_ON_LIST_NONE)
		take_out(l, x);
	l->on[pfn] = list + 1;
	if (tail)
		link_between(l, l->prev[head], x, head);
	else
		link_between(l, head, x, l->next[head]);
}

void sf_list_del(struct sf_lists *l, uint32_t list, uint64_t pfn)
{
	uint32_t *left;

	if (l->on[pfn]) {
		if (l->on[pfn] != SF_ON_LIST_NONE)
			take_out(l, (uint32_t)pfn);
		l->on[pfn] = SF_ON_LIST_NONE;
		return;
	}
	if (list >= FREE_LISTS)
		return;
	l->on[pfn] = SF_ON_LIST_NONE;
	left = &l->boot[list / SF_MIGRATE_TYPES][list % SF_MIGRATE_TYPES];
	if (*left && !--*left)
		take_out(l, boot_of(l, list));
}

/* It, or one of boot's. */
static bool stands_for(const struct sf_lists *l, uint32_t list, uint32_t x, uint64_t pfn)
{
	return x == pfn || (list < FREE_LISTS && x == boot_of(l, list) && !l->on[pfn]);
}

bool sf_list_first(struct sf_lists *l, uint32_t list, uint64_t pfn)
{
	uint32_t first = l->next[head_of(l, list)];

	if (!stands_for(l, list, first, pfn))
		return false;
	if (first == pfn || l->shuffled || list / SF_MIGRATE_TYPES != SF_NR_ORDERS - 1)
		return true;
	while (l->boot_low < pfn && l->on[l->boot_low])
		l->boot_low += 1u << (SF_NR_ORDERS - 1);
	return l->boot_low == pfn;
}

bool sf_list_last(const struct sf_lists *l, uint32_t list, uint64_t pfn)
{
	return stands_for(l, list, l->prev[head_of(l, list)], pfn);
}

bool sf_list_empty(const struct sf_lists *l, uint32_t list)
{
	return l->next[head_of(l, list)] == head_of(l, list);
}
