/* SPDX-License-Identifier: MIT */
/*
 * caches.h - caches and C types by number. Relies on shadow.h; intake.c drives it, rules read it.
 */
#ifndef SLABFUZZ_CACHES_H
#define SLABFUZZ_CACHES_H

#include "shadow.h"

#define SF_CACHES_MAX 65536u

struct sf_shadow_cache {
	uint32_t live, slabs, refs;
	uint32_t freeable; /* live objects that its shrinker may free */
	uint32_t deferred; /* ... that wait for a grace period since their kfree_rcu() */
	/* round of reclaim in which its shrinker was asked at priority 0; for a memory cgroup */
	uint32_t asked, asked_group;
	uint32_t gone, gone_in; /* objects that were freeable, since call `gone_in` of shrinkers */
	uint64_t put_off;  /* what its shrinker was to scan and has not (nr_deferred) */
	uint32_t sheaf_capacity;
	uint32_t half[2];  /* live objects of ordinary kmalloc: without pointers, with */
	sf_selector is;    /* what it is selected by */
	uint32_t object_size, stride, align, flags;
	uint16_t objects, min_objects;
	uint8_t order, min_order, kind, partition;
	bool present, boot;
	bool again;        /* it was reported before: a merge has changed its object size */
	bool shrunk;       /* and not touched since */
	bool nolock;       /* kfree_nolock() was called on an object of it in this run */
	bool prefilled;    /* a sheaf of it was asked for in this run: callers keep slabs in use */
	uint32_t serial;   /* no other cache ever has it: ids are used again */
	uint32_t min_partial, class_size, usersize, bucket, freeptr;
	uint64_t secret;
	bool large;            /* its slabs are blocks of 2 MiB */
	uint8_t asked_order;   /* as CACHE reported */
	uint32_t asked_sheaf;  /* capacity that its create asked for */
};

/* A type that CTYPE reported. */
struct sf_shadow_type {
	bool known, pointer;
	uint8_t token;
};

void sf_shadow_cache(struct sf_shadow *sh, const struct sf_ev_cache *c);
void sf_shadow_create(struct sf_shadow *sh, const struct sf_ev_cacheop *c);
void sf_shadow_destroy(struct sf_shadow *sh, uint32_t id);
void sf_shadow_type(struct sf_shadow *sh, const struct sf_ev_ctype *t);
/* HEAP: there are none. BEGIN: boot caches, as they were at boot. */
void sf_caches_clear(struct sf_shadow *sh);
void sf_caches_begin(struct sf_shadow *sh);
void sf_caches_free(struct sf_shadow *sh);

static inline const struct sf_shadow_type *sf_shadow_type_at(const struct sf_shadow *sh,
							      uint32_t type)
{
	return type < sh->nr_type && sh->type[type].known ? &sh->type[type] : NULL;
}

static inline struct sf_shadow_cache *sf_shadow_cache_at(const struct sf_shadow *sh, uint32_t id)
{
	return id < sh->nr_cache && sh->cache[id].present ? &sh->cache[id] : NULL;
}

static inline void sf_touch_cache(struct sf_shadow *sh, uint32_t id)
{
	sh->touched[id / 64] |= 1ull << (id % 64);
}

/*
 * For titles. A cache that a program made is "named cache" there, or "bucket cache": the program
 * chose its name, and a title must not change with it. The name itself goes into the detail,
 * through `left_out`.
 */
const char *sf_name_of_cache(struct sf_shadow *sh, uint32_t id);

#endif
