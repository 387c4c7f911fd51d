/* SPDX-License-Identifier: MIT */
/*
 * shape.h - the shape of a heap as its last snapshot shows it: what the expectations of a `check`
 * are held against. Relies on event.h alone.
 */
#ifndef SLABFUZZ_SHAPE_H
#define SLABFUZZ_SHAPE_H

#include "../../allocators/event.h"

struct sf_shape_cache {
	uint64_t slabs, inuse, parked;
};

struct sf_shape_name {
	char *name;
	uint32_t cache;
};

struct sf_shape {
	struct sf_shape_cache *caches; /* by cache id */
	uint32_t nr_caches;
	struct sf_shape_name *names;   /* aliases too; later ones win */
	uint32_t nr_names, cap_names;
	uint32_t nr_boot;              /* how many of the names were there at boot */
	uint64_t free[SF_NR_ORDERS];
	bool valid;                    /* a snapshot is complete */
};

void sf_shape_event(struct sf_shape *s, const struct sf_event *ev);
void sf_shape_free(struct sf_shape *s);

/*
 * Holds "live <cache> = N", "slabs <cache> = N" or "free <order> = N" against the shape. 1:
 * holds; 0: does not, and `got` says what is; -1: it is no such expectation.
 */
int sf_shape_check(const struct sf_shape *s, const char *expect, char *got, size_t size);

#endif
