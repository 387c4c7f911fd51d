// SPDX-License-Identifier: MIT
/*
 * calls_pair.c - which object a call means: allocations and frees by address, whatever was lost
 * between. Memory grows with the objects alive at one time.
 *
 * An address that is handed out while it is in use had a free that was not seen. A free of what is
 * not alive is one of something older than the recording, or a second one: of the last 65536
 * objects that is told. Relies on calls.h; calls_import.c relies on it.
 */
#include <stdlib.h>
#include <string.h>

#include "calls.h"

#define FREED_MAX 65536u

struct freed {
	uint64_t key, line;
};

struct sf_calls_pair {
	struct sf_calls_pair_options opt;
	struct sf_trace_counts counts;
	struct sf_map live;      /* key -> object, chained by `next` if they are of a kind */
	struct sf_calls_obj *obj;
	uint32_t nr_obj, cap_obj, free_obj;
	uint64_t bytes;
	struct sf_map freed_at;  /* key -> place in `freed` */
	struct freed *freed;     /* the last ones, in a ring */
	uint64_t nr_freed;
	struct sf_map thread;
	uint32_t nr_threads;
	char remark[SF_TR_WHY_MAX];
};

struct sf_calls_pair *sf_calls_pair_create(const struct sf_calls_pair_options *opt)
{
	struct sf_calls_pair *p = sf_tr_alloc(sizeof(*p));

	memset(p, 0, sizeof(*p));
	p->opt = *opt;
	p->free_obj = SF_NONE;
	p->freed = sf_tr_alloc(FREED_MAX * sizeof(*p->freed));
	return p;
}

void sf_calls_pair_destroy(struct sf_calls_pair *p)
{
	if (!p)
		return;
	sf_map_free(&p->live);
	sf_map_free(&p->freed_at);
	sf_map_free(&p->thread);
	free(p->obj);
	free(p->freed);
	free(p);
}

struct sf_trace_counts *sf_calls_pair_counts(struct sf_calls_pair *p)
{
	return &p->counts;
}

const char *sf_calls_pair_remark(const struct sf_calls_pair *p)
{
	return p->remark;
}

uint32_t sf_calls_pair_thread(struct sf_calls_pair *p, uint64_t thread)
{
	uint32_t nr = sf_map_get(&p->thread, thread);

	if (nr != SF_MAP_NONE)
		return nr;
	sf_map_put(&p->thread, thread, p->nr_threads);
	return p->nr_threads++;
}

/* --- what is alive --- */

static uint32_t take_obj(struct sf_calls_pair *p)
{
	uint32_t i = p->free_obj;

	if (i != SF_NONE) {
		p->free_obj = p->obj[i].next;
		return i;
	}
	if (p->nr_obj == p->cap_obj) {
		p->cap_obj = p->cap_obj ? 2 * p->cap_obj : 4096;
		p->obj = sf_tr_grow(p->obj, p->cap_obj * sizeof(*p->obj));
	}
	return p->nr_obj++;
}

static void put_obj(struct sf_calls_pair *p, uint32_t i)
{
	p->obj[i].alive = false;
	p->obj[i].next = p->free_obj;
	p->free_obj = i;
}

/* The last one of that name goes. */
static void unname(struct sf_calls_pair *p, const struct sf_calls_obj *o)
{
	if (o->next == SF_NONE)
		sf_map_del(&p->live, o->key);
	else
		sf_map_put(&p->live, o->key, o->next);
}

static void resize(struct sf_calls_pair *p, struct sf_calls_obj *o, const struct sf_call *call)
{
	p->bytes -= o->size;
	o->size = call->n * call->size;
	o->line = call->line;
	p->bytes += o->size;
	if (p->bytes > p->counts.peak_bytes)
		p->counts.peak_bytes = p->bytes;
}

/* --- what was freed --- */

static void remember(struct sf_calls_pair *p, uint64_t key, uint64_t line)
{
	uint32_t at = (uint32_t)(p->nr_freed % FREED_MAX);
	struct freed *f = &p->freed[at];

	if (p->nr_freed++ >= FREED_MAX && sf_map_get(&p->freed_at, f->key) == at)
		sf_map_del(&p->freed_at, f->key);
	*f = (struct freed){ key, line };
	sf_map_put(&p->freed_at, key, at);
}

/* A free of what is not alive. */
static void stray(struct sf_calls_pair *p, const struct sf_call *call, uint64_t key)
{
	uint32_t at = sf_map_get(&p->freed_at, key);

	if (at == SF_MAP_NONE) {
		p->counts.free_unborn++;
		return;
	}
	if (!p->counts.freed_twice++)
		snprintf(p->remark, sizeof(p->remark), "line %llu frees what line %llu freed: a "
			 "double free of the program, two processes in one file, or lost calls",
			 (unsigned long long)call->line, (unsigned long long)p->freed[at].line);
}

/* --- calls --- */

static bool tell(struct sf_calls_pair *p, enum sf_calls_step step, struct sf_calls_obj *o,
		 const struct sf_call *call)
{
	return !p->opt.event || p->opt.event(p->opt.ctx, step, o, call);
}

static bool end_object(struct sf_calls_pair *p, uint32_t i, const struct sf_call *call)
{
	struct sf_calls_obj *o = &p->obj[i];
	bool go_on = tell(p, SF_CALLS_FREE, o, call);

	unname(p, o);
	p->bytes -= o->size;
	if (call)
		p->counts.paired++;
	else
		p->counts.implied_free++;
	put_obj(p, i);
	return go_on;
}

/* Whatever has this name is gone, unless names are of kinds. */
static bool make_room(struct sf_calls_pair *p, const struct sf_call *call, uint32_t but)
{
	uint32_t i = sf_map_get(&p->live, call->ptr);

	return call->kind_only || i == SF_MAP_NONE || i == but || end_object(p, i, NULL);
}

static void name(struct sf_calls_pair *p, uint32_t i, const struct sf_call *call)
{
	struct sf_calls_obj *o = &p->obj[i];

	o->key = call->ptr;
	o->next = call->kind_only ? sf_map_get(&p->live, o->key) : SF_NONE;
	sf_map_put(&p->live, o->key, i);
	if (!call->kind_only)
		sf_map_del(&p->freed_at, o->key);
}

static bool allocate(struct sf_calls_pair *p, const struct sf_call *call)
{
	uint32_t i;

	if (call->failed) {
		p->counts.failed++;
		return true;
	}
	if (call->no_ptr) {
		p->counts.alloc_no_ptr++;
		return true;
	}
	if (!make_room(p, call, SF_NONE))
		return false;
	i = take_obj(p);
	p->obj[i] = (struct sf_calls_obj){ .alive = true };
	name(p, i, call);
	resize(p, &p->obj[i], call);
	return tell(p, SF_CALLS_ALLOC, &p->obj[i], call);
}

static bool release(struct sf_calls_pair *p, const struct sf_call *call, uint64_t key)
{
	uint32_t i = sf_map_get(&p->live, key);

	if (!key) {
		p->counts.free_null++;
		return tell(p, SF_CALLS_FREE, NULL, call);
	}
	if (i == SF_MAP_NONE) {
		stray(p, call, key);
		return true;
	}
	p->counts.by_kind += call->kind_only;
	if (!call->kind_only)
		remember(p, key, call->line);
	return end_object(p, i, call);
}

/* It has another name from now on. */
static bool rename_object(struct sf_calls_pair *p, uint32_t i, const struct sf_call *call)
{
	if (!make_room(p, call, i))
		return false;
	sf_map_del(&p->live, p->obj[i].key);
	name(p, i, call);
	return true;
}

static bool reallocate(struct sf_calls_pair *p, const struct sf_call *call)
{
	uint32_t i = call->old ? sf_map_get(&p->live, call->old) : SF_MAP_NONE;

	if (call->failed) {
		p->counts.failed++;
		return !call->ptr || i == SF_MAP_NONE || rename_object(p, i, call);
	}
	if (call->old && !call->ptr) {
		p->counts.realloc_freed++;
		return release(p, call, call->old);
	}
	if (i == SF_MAP_NONE) {
		p->counts.realloc_unborn += call->old != 0;
		return allocate(p, call);
	}
	p->counts.resized++;
	if (!rename_object(p, i, call))
		return false;
	if (call->old != call->ptr)
		remember(p, call->old, call->line);
	resize(p, &p->obj[i], call);
	return tell(p, SF_CALLS_RESIZE, &p->obj[i], call);
}

static bool is_aligned(uint8_t call)
{
	return call == SF_CALL_MEMALIGN || call == SF_CALL_POSIX_MEMALIGN ||
	       call == SF_CALL_ALIGNED_ALLOC;
}

int sf_calls_pair_call(struct sf_calls_pair *p, const struct sf_call *call)
{
	struct sf_trace_counts *c = &p->counts;
	uint32_t i;

	if (call->call == SF_CALL_NONE) {
		i = sf_map_get(&p->live, call->old);
		return i == SF_MAP_NONE || rename_object(p, i, call);
	}
	c->calls++;
	sf_calls_pair_thread(p, call->thread);
	if (call->call == SF_CALL_FREE) {
		c->frees++;
		return release(p, call, call->ptr);
	}
	c->mallocs += call->call == SF_CALL_MALLOC;
	c->callocs += call->call == SF_CALL_CALLOC;
	c->aligned += is_aligned(call->call);
	if (call->call != SF_CALL_REALLOC && call->call != SF_CALL_REALLOCARRAY)
		return allocate(p, call);
	c->reallocs++;
	return reallocate(p, call);
}

void sf_calls_pair_finish(struct sf_calls_pair *p, const struct sf_trace *t)
{
	const struct sf_tr_notes *n = sf_trace_notes(t);
	struct sf_trace_counts *c = &p->counts;

	for (uint32_t i = 0; i < p->nr_obj; i++)
		c->alive += p->obj[i].alive;
	c->threads = p->nr_threads;
	c->foreign_lines = n->foreign;
	c->other_events = n->other_events;
	c->cut_off = n->damage[SF_TR_CUT];
	c->torn = n->damage[SF_TR_TORN];
	c->bad_values = n->damage[SF_TR_BAD];
	c->ended_early = n->early;
	c->forked = n->forked;
	c->nested = n->nested;
}
