/* SPDX-License-Identifier: MIT */
/*
 * slabinfo.h - what every cache holds, from events: /proc/slabinfo's numbers as the allocator shows
 * them in a snapshot, and what is alive by cache and partition, counted here.
 *
 * Relies on event.h alone; `slabfuzz slabinfo` relies on it.
 */
#ifndef SLABFUZZ_SLABINFO_H
#define SLABFUZZ_SLABINFO_H

#include <stddef.h>

#include "../../allocators/event.h"

#define SF_PARTITIONS 16u

struct sf_slabinfo_cache {
	char name[64];
	bool present, shown;         /* exists; was in the last snapshot */
	uint8_t kind, partition;
	uint32_t class_size;
	struct sf_ev_snapcache snap;
	uint64_t live, live_bytes;   /* objects, and bytes asked for */
};

struct sf_slabinfo {
	struct sf_slabinfo_cache *cache; /* by id */
	size_t nr_caches, cap_caches, nr_boot;
	struct sf_slabinfo_object {
		uint32_t cache; /* plus 1; 0: none */
		uint64_t size;
	} *object;                       /* by id */
	size_t cap_objects;
	uint64_t caps;
};

/* Ordinary kmalloc by partition. */
struct sf_slabinfo_partition {
	uint64_t live, live_bytes, slabs, pages;
};

/* Fits struct sf_sink.emit. */
void sf_slabinfo_event(void *info, const struct sf_event *ev);
void sf_slabinfo_free(struct sf_slabinfo *s);
void sf_slabinfo_partitions(const struct sf_slabinfo *s,
			    struct sf_slabinfo_partition part[SF_PARTITIONS]);

#endif
