/* SPDX-License-Identifier: MIT */
/*
 * exec_internal.h - the executor's state, shared by exec.c (tables, contents, running) and
 * exec_ops.c (one handler per operation).
 */
#ifndef SLABFUZZ_EXEC_INTERNAL_H
#define SLABFUZZ_EXEC_INTERNAL_H

#include "exec.h"

/* An object alive: what its user knows of it. */
struct object {
	uint64_t addr, size; /* as asked */
	uint64_t key;        /* of its contents */
	uint32_t res;
	uint32_t cache;      /* id it was asked of, SF_NONE */
	uint32_t next;       /* next of its bulk, or of the unused */
	uint8_t api, order;
	bool zeroed;         /* every byte beyond `size` is zero: each request had __GFP_ZERO */
	bool whole;          /* contents were written whole */
};

/* What a result number stands for now. */
struct slot {
	uint8_t kind;        /* enum sf_res_kind; NONE: nothing, or no longer */
	uint32_t obj;        /* first object */
	uint32_t count;      /* objects: 1, or those of a bulk */
	uint32_t cache;      /* CACHE: id */
	uint32_t flags;      /* CACHE: as created */
	uint32_t size;       /* CACHE: of an object, as created */
};

struct sf_exec {
	const struct sf_allocator *a;
	struct sf_heap *heap;
	struct sf_settings set;
	struct sf_exec_options opt;
	struct sf_sink sink;
	void (*emit)(void *ctx, const struct sf_event *ev);
	void *ctx;
	uint32_t nr_boot;    /* boot caches: ids below it */

	struct slot *slot;
	uint32_t nr_slots, cap_slots;
	struct object *obj;
	uint32_t nr_objs, cap_objs, free_obj;
	uint8_t *cache_state;/* by cache id */
	uint32_t cap_caches, nr_caches;

	const char *strings; /* of the program */
	uint32_t op;         /* index of the operation under way */
	uint64_t seq;        /* objects ever made: keys */
	uint8_t cpu;
	bool blocked, failed;
	struct sf_outcome out;
	struct sf_exec_counts counts;
	uint64_t bulk[64];
};

enum cache_state {
	CACHE_USED = 1,      /* something was allocated from it */
	CACHE_LEAKED = 2,    /* destroyed while objects were alive */
};

#define X_TELL(x, evtype, member, ...)                                                      \
	do {                                                                               \
		if ((x)->emit) {                                                           \
			struct sf_event tell_ev;                                           \
			tell_ev.type = SF_EV_##evtype;                                     \
			tell_ev.cpu = (x)->cpu;                                            \
			tell_ev.op = (x)->op;                                              \
			tell_ev.member = (__typeof__(tell_ev.member)){ __VA_ARGS__ };      \
			(x)->emit((x)->ctx, &tell_ev);                                     \
		}                                                                          \
	} while (0)

static inline void x_tell(struct sf_exec *x, const struct sf_event *ev)
{
	if (x->emit)
		x->emit(x->ctx, ev);
}

static inline bool x_has(const struct sf_exec *x, uint64_t caps)
{
	return (x->a->caps & caps) == caps;
}

/* Neither NULL nor what kmalloc(0) returns. */
static inline bool x_is_real(uint64_t addr)
{
	return addr > SF_ZERO_SIZE_PTR;
}

/* Tables: by result number, by cache id; objects. They grow, and are emptied by begin. */
struct slot *x_slot(struct sf_exec *x, uint32_t res);
uint8_t *x_cache_state(struct sf_exec *x, uint32_t cache);
uint32_t x_object_new(struct sf_exec *x, uint64_t addr, uint64_t size);
void x_object_drop(struct sf_exec *x, uint32_t id);

/* Contents: write an object's pattern; first bad offset in `size` bytes of it; verify and tell. */
void x_write(struct sf_exec *x, const struct object *o);
uint64_t x_bad(struct sf_exec *x, const struct object *o, uint64_t size, uint64_t *verified);
void x_check(struct sf_exec *x, uint32_t id);
void x_check_slot(struct sf_exec *x, struct slot *s);
/* All contents, then a snapshot. */
void x_look_at_all(struct sf_exec *x);

/* Giving things back, for handlers and for teardown. */
void x_free_object(struct sf_exec *x, uint32_t id, enum sf_free_how spelled);
void x_free_pages(struct sf_exec *x, uint32_t id);
void x_free_bulk(struct sf_exec *x, uint32_t cache, uint32_t first);
void x_shrink(struct sf_exec *x, uint32_t cache);
void x_destroy(struct sf_exec *x, uint32_t res);

/* By operation code; every code has one. */
extern void (*const x_handlers[SF_CODE_MAX + 1])(struct sf_exec *x, const struct sf_op *op);

#endif
