/* SPDX-License-Identifier: MIT */
/*
 * trace_map.h - a hash map from 64-bit keys to 32-bit values: linear probing, deletion by shifting
 * back.
 *
 * Memory follows the number of keys, not the number of operations (no tombstones): a map of live
 * objects stays small however long the recording. Relies on nothing; the pairing relies on it.
 */
#ifndef SLABFUZZ_TRACE_MAP_H
#define SLABFUZZ_TRACE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SF_TMAP_NONE UINT32_MAX /* no such key; never a value */

struct sf_tmap_slot {
	uint64_t key;
	uint32_t value; /* SF_TMAP_NONE: empty */
};

struct sf_tmap {
	struct sf_tmap_slot *slot;
	uint32_t mask; /* slots - 1; 0: nothing allocated */
	uint32_t nr;
};

void sf_tmap_free(struct sf_tmap *m);
void sf_tmap_set(struct sf_tmap *m, uint64_t key, uint32_t value);
bool sf_tmap_del(struct sf_tmap *m, uint64_t key);
size_t sf_tmap_bytes(const struct sf_tmap *m);

static inline uint32_t sf_tmap_home(const struct sf_tmap *m, uint64_t key)
{
	key *= 0x9e3779b97f4a7c15ull;
	return (uint32_t)(key >> 32) & m->mask;
}

static inline uint32_t sf_tmap_get(const struct sf_tmap *m, uint64_t key)
{
	if (!m->mask)
		return SF_TMAP_NONE;
	for (uint32_t i = sf_tmap_home(m, key);; i = (i + 1) & m->mask)
		if (m->slot[i].value == SF_TMAP_NONE || m->slot[i].key == key)
			return m->slot[i].value;
}

#endif
