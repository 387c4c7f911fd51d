/* SPDX-License-Identifier: MIT */
/*
 * addr_map.h - numbers by address, for what the allocator knows of some objects only: open
 * addressing, grown as needed. A zeroed struct is an empty map; address 0 is never in one. Relies
 * on nothing; lru.c and memcg.c rely on it, and for map_grown() whatever keeps an array of its own.
 */
#ifndef SLABFUZZ_ADDR_MAP_H
#define SLABFUZZ_ADDR_MAP_H

#include <stddef.h>
#include <stdint.h>

#define MAP_NONE UINT32_MAX

struct map {
	struct map_slot {
		uint64_t key; /* 0: free */
		uint32_t value;
	} *slot;
	uint32_t nr, mask; /* mask: slots less 1, 0: there are none */
};

/* MAP_NONE: it is not there. */
uint32_t map_get(const struct map *m, uint64_t key);
/* The key is not there yet. */
void map_put(struct map *m, uint64_t key, uint32_t value);
/* Nothing happens if it is not there. */
void map_del(struct map *m, uint64_t key);
/* Costs what the map has room for, which follows what was in it at once. */
void map_clear(struct map *m);
void map_free(struct map *m);

/* realloc() that ends the process where there is no memory: bookkeeping is not the model's. */
void *map_grown(void *p, size_t nr, size_t size);

#endif
