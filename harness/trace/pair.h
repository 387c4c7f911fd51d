/* SPDX-License-Identifier: MIT */
/*
 * pair.h - the state of a pairing: what is alive where, by object, page and task.
 *
 * Relies on hash_map.h; scan, import and judge listen to a pairing's events and do not look inside
 * it.
 */
#ifndef SLABFUZZ_TRACE_PAIR_H
#define SLABFUZZ_TRACE_PAIR_H

#include "private.h"

#define SF_TR_TASKS 1024u  /* of the tasks that ran last */
#define SF_TR_PEND 4u      /* blocks that wait for the next event of their task */
#define SF_TR_VOTES 8u
#define SF_TR_CHAIN 4u     /* objects under one hash */

struct sf_tr_task {
	int32_t pid;
	uint32_t cpu;
	bool used;
	uint32_t nr_pend;
	uint32_t pend[SF_TR_PEND];     /* object index */
	uint64_t serial[SF_TR_PEND];   /* of that object, so that a later one is not taken for it */
	uint32_t dentry;               /* the last one from __d_alloc(), SF_NONE */
	uint64_t dentry_serial;
	uint64_t page_freed;           /* frame + 1 of the page last freed, 0: none since */
};

struct sf_pair {
	struct sf_pair_options opt;
	struct sf_trace_counts counts;
	bool hashed, go_on;
	uint64_t base;                 /* of the direct map, 0: not known */
	uint64_t serial, ordinal;      /* of events, of page allocations */

	struct sf_map live;           /* pointer or hash -> object, chained by `next` */
	struct sf_map block;          /* first pfn -> block */
	struct sf_map page;           /* real pointer >> 12 -> objects that begin there */
	struct sf_map named, sized;   /* hash of a name, bytes -> cache */
	struct sf_tr_obj *obj;
	uint32_t nr_obj, cap_obj, free_obj;
	uint32_t top_obj;              /* those alive are below it */
	uint64_t nr_live, nr_blocks;
	uint32_t nr_order[SF_TR_ORDER_MAX + 1]; /* live blocks */

	struct sf_tr_cache *cache;
	uint32_t nr_cache, cap_cache;

	struct sf_bits backing;        /* first pass: found so far */
	uint64_t bytes, pages, pages_peak;
	uint64_t large_fit, large_unfit; /* large kmalloc: of a block's size, and not */
	uint8_t page_shift;            /* of the recorded kernel, as addresses show; 0: unknown */
	struct {
		uint64_t base;
		uint32_t nr;
		uint8_t shift;
	} vote[SF_TR_VOTES];
	struct sf_tr_task task[SF_TR_TASKS];
};

#endif
