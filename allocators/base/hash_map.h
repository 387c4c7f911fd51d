/* SPDX-License-Identifier: MIT */
/*
 * hash_map.h - a map from 64-bit keys, addresses mostly, to 32-bit values: open addressing, linear
 * probing, grown as needed.
 *
 * No rule of any allocator lives in this folder, which is why both sides may include it. No slot is
 * ever marked as deleted: what lies behind a hole moves up, so that memory follows the keys that
 * were there at once, not the operations. Entries of older epochs count as free, so that clearing
 * costs nothing. A zeroed struct is an empty map. Relies on hash.h and grow.h.
 */
#ifndef SLABFUZZ_BASE_HASH_MAP_H
#define SLABFUZZ_BASE_HASH_MAP_H

#include <stdbool.h>

#include "grow.h"
#include "hash.h"

#define SF_MAP_NONE UINT32_MAX /* no such key; never a value */
#define SF_MAP_LEAST 256u      /* slots of the smallest map; a power of two */

struct sf_map {
	struct sf_map_slot {
		uint64_t key;
		uint32_t value;
		uint32_t epoch; /* the map's: in use */
	} *slot;
	uint32_t nr;    /* keys */
	uint32_t mask;  /* slots less 1; 0: there are none */
	uint32_t epoch; /* never 0 once there are slots */
};

static inline uint32_t sf_map_home(const struct sf_map *m, uint64_t key)
{
	return sf_hash_u64(key) & m->mask;
}

static inline bool sf_map_used(const struct sf_map *m, uint32_t at)
{
	return m->slot[at].epoch == m->epoch;
}

/* The slot of the key, or the free one where it belongs. There are slots, and free ones. */
static inline uint32_t sf_map_find(const struct sf_map *m, uint64_t key)
{
	uint32_t at = sf_map_home(m, key);

	while (sf_map_used(m, at) && m->slot[at].key != key)
		at = (at + 1) & m->mask;
	return at;
}

/* SF_MAP_NONE: it is not there. */
static inline uint32_t sf_map_get(const struct sf_map *m, uint64_t key)
{
	uint32_t at;

	if (!m->nr)
		return SF_MAP_NONE;
	at = sf_map_find(m, key);
	return sf_map_used(m, at) ? m->slot[at].value : SF_MAP_NONE;
}

static inline void sf_map_double(struct sf_map *m)
{
	struct sf_map old = *m;
	uint32_t nr = old.mask ? 2 * (old.mask + 1) : SF_MAP_LEAST;

	if (!nr)
		sf_out_of_memory();
	m->slot = sf_zalloc(nr, sizeof(*m->slot));
	m->mask = nr - 1;
	m->epoch = 1;
	for (uint32_t at = 0; old.mask && at <= old.mask; at++) {
		struct sf_map_slot *s;

		if (!sf_map_used(&old, at))
			continue;
		s = &m->slot[sf_map_find(m, old.slot[at].key)];
		*s = old.slot[at];
		s->epoch = 1;
	}
	free(old.slot);
}

/* In place of what the key had, if it is there. */
static inline void sf_map_put(struct sf_map *m, uint64_t key, uint32_t value)
{
	uint32_t at;

	/* Half of the slots stay free: chains are short. */
	if (__builtin_expect(2 * ((uint64_t)m->nr + 1) > m->mask, false))
		sf_map_double(m);
	at = sf_map_find(m, key);
	m->nr += !sf_map_used(m, at);
	m->slot[at] = (struct sf_map_slot){ key, value, m->epoch };
}

/* False: it was not there. */
static inline bool sf_map_del(struct sf_map *m, uint64_t key)
{
	uint32_t hole;

	if (!m->nr)
		return false;
	hole = sf_map_find(m, key);
	if (!sf_map_used(m, hole))
		return false;
	for (uint32_t at = (hole + 1) & m->mask; sf_map_used(m, at); at = (at + 1) & m->mask) {
		uint32_t home = sf_map_home(m, m->slot[at].key);

		/* What belongs behind the hole stays. */
		if (((at - home) & m->mask) < ((at - hole) & m->mask))
			continue;
		m->slot[hole] = m->slot[at];
		hole = at;
	}
	m->slot[hole].epoch = 0;
	m->nr--;
	return true;
}

static inline void sf_map_clear(struct sf_map *m)
{
	m->nr = 0;
	/* 2^32 times later, entries of then could pass for new ones. */
	if (m->slot && !++m->epoch) {
		memset(m->slot, 0, (m->mask + (size_t)1) * sizeof(*m->slot));
		m->epoch = 1;
	}
}

static inline void sf_map_free(struct sf_map *m)
{
	free(m->slot);
	*m = (struct sf_map){ 0 };
}

static inline size_t sf_map_bytes(const struct sf_map *m)
{
	return m->mask ? (m->mask + (size_t)1) * sizeof(*m->slot) : 0;
}

#endif
