// SPDX-License-Identifier: MIT
/*
 * addr_map.c - addr_map.h. No slot is ever marked as deleted: what lies behind a hole moves up.
 */
#include "addr_map.h"

#include <stdlib.h>
#include <string.h>

#define LEAST_SLOTS 256u

void *map_grown(void *p, size_t nr, size_t size)
{
	p = realloc(p, nr * size);
	if (!p)
		abort();
	return p;
}

static uint32_t home(const struct map *m, uint64_t key)
{
	return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 32) & m->mask;
}

/* The slot of the key, or the free one where it belongs. */
static uint32_t slot_of(const struct map *m, uint64_t key)
{
	uint32_t at = home(m, key);

	while (m->slot[at].key && m->slot[at].key != key)
		at = (at + 1) & m->mask;
	return at;
}

uint32_t map_get(const struct map *m, uint64_t key)
{
	const struct map_slot *s;

	if (!m->nr)
		return MAP_NONE;
	s = &m->slot[slot_of(m, key)];
	return s->key ? s->value : MAP_NONE;
}

static void grow(struct map *m)
{
	struct map old = *m;
	uint32_t nr = old.mask ? 2 * (old.mask + 1) : LEAST_SLOTS;

	m->slot = calloc(nr, sizeof(*m->slot));
	if (!m->slot)
		abort();
	m->mask = nr - 1;
	for (uint32_t i = 0; old.mask && i <= old.mask; i++)
		if (old.slot[i].key)
			m->slot[slot_of(m, old.slot[i].key)] = old.slot[i];
	free(old.slot);
}

void map_put(struct map *m, uint64_t key, uint32_t value)
{
	if (2 * (m->nr + 1) > m->mask)
		grow(m);
	m->slot[slot_of(m, key)] = (struct map_slot){ key, value };
	m->nr++;
}

void map_del(struct map *m, uint64_t key)
{
	uint32_t hole;

	if (!m->nr)
		return;
	hole = slot_of(m, key);
	if (!m->slot[hole].key)
		return;
	for (uint32_t at = (hole + 1) & m->mask; m->slot[at].key; at = (at + 1) & m->mask) {
		/* What belongs behind the hole stays. */
		if (((at - home(m, m->slot[at].key)) & m->mask) < ((at - hole) & m->mask))
			continue;
		m->slot[hole] = m->slot[at];
		hole = at;
	}
	m->slot[hole].key = 0;
	m->nr--;
}

void map_clear(struct map *m)
{
	if (m->nr)
		memset(m->slot, 0, (m->mask + (size_t)1) * sizeof(*m->slot));
	m->nr = 0;
}

void map_free(struct map *m)
{
	free(m->slot);
	*m = (struct map){ 0 };
}
