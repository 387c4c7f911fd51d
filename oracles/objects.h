/* SPDX-License-Identifier: MIT */
/*
 * objects.h - live objects, by the id that events give them. Relies on shadow.h; intake.c drives
 * it, rules read it.
 */
#ifndef SLABFUZZ_OBJECTS_H
#define SLABFUZZ_OBJECTS_H

#include "shadow.h"

enum sf_obj_flags {
	SF_OBJ_ALIVE = 1,
	SF_OBJ_CLAIMED = 2,  /* its bytes are marked as taken; Invariant: only if ALIVE */
	SF_OBJ_REPORTED = 4, /* judged no more */
	SF_OBJ_KNOWN = 8,     /* this slot has held an object in this run */
	SF_OBJ_ORPHAN = 16,  /* its cache was destroyed over it */
	/* what its token says of its type; neither: it is no ordinary kmalloc, or has no half */
	SF_OBJ_DATA = 32,
	SF_OBJ_POINTER = 64,
	SF_OBJ_SIDE = 128,   /* its entry in `side` is valid */
};

struct sf_shadow_obj {
	uint64_t addr, size, extent; /* extent: bytes marked as taken */
	uint64_t usable;             /* 0: unknown */
	uint32_t res;
	union {
		uint32_t gfp;        /* that brought it where it lies */
		uint32_t heap;       /* FOREIGN: that it was asked of */
	};
	uint32_t cache;              /* it lies in, or was asked of; SF_NONE */
	uint32_t object_size;        /* of that cache, 0: unknown */
	uint32_t slab;               /* first pfn of its slab, SF_NONE */
	uint16_t offset;             /* in its slot */
	uint8_t api, kind, order, flags;
	uint32_t tied;               /* place in `tied`, plus 1; 0: it is not there */
};

_Static_assert(sizeof(struct sf_shadow_obj) <= 64, "one cache line per object");

/* NULL: that id is out of range, or nothing was ever there. */
static inline struct sf_shadow_obj *sf_shadow_find(struct sf_shadow *sh, uint32_t id)
{
	return id < sh->cap_obj && (sh->obj[id].flags & SF_OBJ_KNOWN) ? &sh->obj[id] : NULL;
}

/* NULL: nothing lives there. */
static inline struct sf_shadow_obj *sf_shadow_alive(struct sf_shadow *sh, uint32_t id)
{
	struct sf_shadow_obj *o = sf_shadow_find(sh, id);

	return o && (o->flags & SF_OBJ_ALIVE) ? o : NULL;
}

static inline uint32_t sf_shadow_id(const struct sf_shadow *sh, const struct sf_shadow_obj *o)
{
	return (uint32_t)(o - sh->obj);
}

/* Of user space: the heap that it was asked of; 0: the first one. */
static inline uint32_t sf_shadow_heap_of(const struct sf_shadow_obj *o)
{
	return o->api == SF_API_FOREIGN ? o->heap : 0;
}

void sf_shadow_alloc(struct sf_shadow *sh, const struct sf_ev_alloc *a);
void sf_shadow_realloc(struct sf_shadow *sh, const struct sf_ev_alloc *a);
void sf_shadow_drop(struct sf_shadow *sh, struct sf_shadow_obj *o);
/* Whether it is among `tied` is found out anew, as of what it is now. */
void sf_shadow_tie(struct sf_shadow *sh, struct sf_shadow_obj *o);
/* The object is at `to` from now on; sh->claim says how that went. */
void sf_shadow_migrate(struct sf_shadow *sh, struct sf_shadow_obj *o, uint64_t to);
/* Bytes of pages that a live object has that is in no slab, 0: it is in one, or not known. */
uint64_t sf_shadow_pages_of(const struct sf_shadow_obj *o);
/* A live object, not `skip`, that has a byte of [addr, addr + size). Slow: for reports. */
const struct sf_shadow_obj *sf_shadow_hit(const struct sf_shadow *sh, uint64_t addr, uint64_t size,
					  const struct sf_shadow_obj *skip);
/* Nothing lives any more. */
void sf_objects_clear(struct sf_shadow *sh);

/* For titles: sf_name_of_cache(), or what kind of memory it is. */
const char *sf_name_of(struct sf_shadow *sh, const struct sf_shadow_obj *o);
const char *sf_name_of_event(struct sf_shadow *sh, const struct sf_ev_alloc *a);

#endif
