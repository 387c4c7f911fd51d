// SPDX-License-Identifier: MIT
/*
 * judge_trace.c - a recording as events for the oracles, as it is: nothing is replayed.
 *
 * The recorded kernel appears as an allocator "trace" that promises what recordings show: usable
 * sizes (bytes_alloc), kmalloc's rules, and addresses unless they are hashes. It promises no
 * placement (a recording does not say where slabs begin), so what needs that is skipped and
 * counted. Relies on pair.c and scan.c; the command relies on it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "private.h"

/*
 * Addresses last freed, for double frees: the recent ones, so that memory stays bounded. An
 * identifier of an object waits here until it can be reported no more.
 */
#define FREED_MAX 16384u
/* An object at a page's end is followed by less than its cache's alignment: a cache line. */
#define KFENCE_SLACK 64u
#define ID_UNBORN 0u /* never an object's: frees of what was born before the recording */

struct freed {
	uint64_t addr; /* 0: taken out again */
	uint32_t id;
};

struct judge {
	const struct sf_trace_scan *scan;
	struct sf_pair *pair;
	void (*emit)(void *ctx, const struct sf_event *ev);
	void *ctx;
	uint64_t double_free, lost, kfence;
	uint32_t *ids, nr_ids, cap_ids, next_id; /* free identifiers */
	struct sf_map freed;     /* address -> place in the ring */
	struct freed ring[FREED_MAX];
	uint32_t at;
	bool seen[SF_TR_CACHES_MAX];
};

/* Where objects lie, and how they are aligned. */
static bool judges_addresses(const struct sf_trace_scan *s)
{
	return !s->hashed && s->evidence.complete && s->base && s->kernel.plain_sizes &&
	       s->kernel.plain_align;
}

static void put_id(struct judge *j, uint32_t id)
{
	if (j->nr_ids == j->cap_ids) {
		j->cap_ids = j->cap_ids ? 2 * j->cap_ids : 4096;
		j->ids = sf_tr_grow(j->ids, j->cap_ids * sizeof(*j->ids));
	}
	j->ids[j->nr_ids++] = id;
}

static void forget_freed(struct judge *j, uint64_t addr)
{
	uint32_t i = sf_map_get(&j->freed, addr);

	if (i == SF_MAP_NONE)
		return;
	put_id(j, j->ring[i].id);
	j->ring[i].addr = 0;
	sf_map_del(&j->freed, addr);
}

static void keep_freed(struct judge *j, uint64_t addr, uint32_t id)
{
	struct freed *f = &j->ring[j->at];

	if (f->addr)
		forget_freed(j, f->addr);
	*f = (struct freed){ addr, id };
	sf_map_put(&j->freed, addr, j->at);
	j->at = (j->at + 1) % FREED_MAX;
}

/* The line is the operation's number: a report leads back to the recording. */
static struct sf_event make(enum sf_event_type type, const struct sf_trace_record *rec)
{
	struct sf_event ev;

	memset(&ev, 0, sizeof(ev));
	ev.type = type;
	ev.op = SF_NONE;
	if (type == SF_EV_CACHE)
		ev.cache.bucket = SF_NONE;
	if (type == SF_EV_ALLOC)
		ev.alloc.bucket = SF_NONE;
	if (rec) {
		ev.cpu = (uint8_t)rec->cpu;
		ev.op = rec->line < SF_NONE ? (uint32_t)rec->line : SF_NONE;
	}
	return ev;
}

static void cache_name(char *out, size_t cap, const struct sf_tr_cache *c)
{
	if (c->name) {
		snprintf(out, cap, "%s", c->name);
		/* It may be anything, and goes to a terminal. */
		for (; *out; out++)
			if ((unsigned char)*out < ' ' || *out == 0x7f)
				*out = '?';
	} else if (c->bytes_alloc >= 1024 && c->bytes_alloc % 1024 == 0) {
		snprintf(out, cap, "kmalloc-%uk", c->bytes_alloc / 1024);
	} else {
		snprintf(out, cap, "kmalloc-%u", c->bytes_alloc);
	}
}

/*
 * At first sight. What recordings do not say: the order, and a named cache's alignment, of which
 * only the least that any cache has can be demanded.
 */
static void show_cache(struct judge *j, uint32_t id, const struct sf_trace_record *rec)
{
	const struct sf_tr_cache *c = sf_pair_cache(j->pair, id);
	struct sf_event ev = make(SF_EV_CACHE, rec);
	char name[256];

	if (j->seen[id])
		return;
	j->seen[id] = true;
	cache_name(name, sizeof(name), c);
	ev.cache.name = name;
	ev.cache.id = id;
	ev.cache.stride = c->bytes_alloc;
	ev.cache.object_size = c->name ? (uint32_t)rec->bytes_req : c->bytes_alloc;
	ev.cache.align = c->name ? 8 : c->bytes_alloc & -c->bytes_alloc;
	ev.cache.flags = c->name ? (rec->accounted ? SF_SLAB_ACCOUNT : 0) : SF_SLAB_KMALLOC;
	ev.cache.kind = c->name ? SF_CACHE_NAMED : SF_CACHE_KMALLOC;
	ev.cache.class_size = c->name ? 0 : c->bytes_alloc;
	j->emit(j->ctx, &ev);
}

static void blank_alloc(struct sf_event *ev, const struct sf_trace_record *rec)
{
	struct sf_ev_alloc *a = &ev->alloc;

	a->id = a->res = a->old_id = a->cache = SF_NONE;
	a->gfp = rec->gfp;
	a->n = 1;
	a->elem = a->size = rec->bytes_req;
	a->dirty = a->bad = SF_GOOD;
	a->place.cache = a->place.index = SF_NONE;
	a->place.pfn = SF_NO_PFN;
}

/*
 * KFENCE puts an object now and then on a page of a pool of its own, at the beginning or at the end
 * (mm/kfence/core.c:kfence_guarded_alloc), aligned as its cache asks for and not as the geometry of
 * slabs gives. What lies so, and where the slab's first page has no object, may be one.
 */
static bool may_be_kfence(const struct judge *j, const struct sf_tr_event *t)
{
	const struct sf_trace_record *rec = t->rec;
	uint64_t off = rec->ptr & (SF_PAGE_SIZE - 1), end = off + rec->bytes_req;

	if (j->scan->hashed || t->obj->cache == SF_NONE || rec->bytes_alloc > SF_PAGE_SIZE)
		return false;
	if (!rec->bytes_alloc || off % rec->bytes_alloc == 0)
		return false;
	return end <= SF_PAGE_SIZE && SF_PAGE_SIZE - end < KFENCE_SLACK;
}

static void on_alloc(struct judge *j, const struct sf_tr_event *t)
{
	struct sf_event ev = make(SF_EV_ALLOC, t->rec);
	struct sf_ev_alloc *a = &ev.alloc;
	uint32_t cache = t->obj->cache;

	blank_alloc(&ev, t->rec);
	forget_freed(j, t->rec->ptr);
	if (may_be_kfence(j, t)) {
		j->kfence++;
		return;
	}
	if (cache != SF_NONE)
		show_cache(j, cache, t->rec);
	a->id = a->res = t->obj->user = j->nr_ids ? j->ids[--j->nr_ids] : j->next_id++;
	a->api = t->rec->kind == SF_TRACE_CACHE_ALLOC ? SF_API_CACHE : SF_API_KMALLOC;
	a->cache = a->api == SF_API_CACHE ? cache : SF_NONE;
	a->addr = t->rec->ptr;
	a->usable = t->rec->bytes_alloc;
	a->place.kind = cache == SF_NONE ? SF_PLACE_LARGE : SF_PLACE_SLAB;
	/* A class means nothing where it is not known which there are. */
	if (a->api == SF_API_KMALLOC && !j->scan->kernel.plain_sizes)
		a->place.kind = SF_PLACE_UNKNOWN;
	a->place.cache = cache;
	a->place.stride = (uint32_t)t->rec->bytes_alloc;
	a->place.object_size = (uint32_t)(a->api == SF_API_CACHE ? t->rec->bytes_req :
								   t->rec->bytes_alloc);
	if (cache == SF_NONE)
		while (SF_PAGE_SIZE << a->place.order < t->rec->bytes_alloc)
			a->place.order++;
	j->emit(j->ctx, &ev);
}

/* Only with real pointers and a known direct map: hashes say nothing of page frames. */
static void on_pages(struct judge *j, const struct sf_tr_event *t)
{
	struct sf_event ev = make(SF_EV_ALLOC, t->rec);
	struct sf_ev_alloc *a = &ev.alloc;

	if (j->scan->hashed || !j->scan->base)
		return;
	blank_alloc(&ev, t->rec);
	a->id = a->res = t->obj->user = j->nr_ids ? j->ids[--j->nr_ids] : j->next_id++;
	a->api = SF_API_PAGES;
	a->elem = a->size = a->usable = SF_PAGE_SIZE << t->rec->order;
	a->addr = j->scan->base + (t->rec->pfn << SF_PAGE_SHIFT);
	a->place.kind = SF_PLACE_PAGES;
	a->place.order = t->rec->order;
	a->place.pfn = t->rec->pfn;
	j->emit(j->ctx, &ev);
}

static void on_pages_free(struct judge *j, const struct sf_tr_event *t)
{
	struct sf_event ev = make(SF_EV_FREE, t->rec);
	struct sf_ev_free *f = &ev.free;

	if (t->obj->user == SF_NONE)
		return;
	f->id = f->res = t->obj->user;
	f->api = SF_API_PAGES;
	f->cache = SF_NONE;
	f->addr = j->scan->base + (t->obj->key << SF_PAGE_SHIFT);
	f->bad = SF_GOOD;
	f->known = true;
	f->implied = t->implied;
	j->emit(j->ctx, &ev);
	put_id(j, t->obj->user);
}

/* The cache that a kmem_cache_free() names, if it has been seen. */
static uint32_t named_cache(struct judge *j, const struct sf_trace_record *rec, uint32_t own)
{
	if (own != SF_NONE) {
		const char *name = sf_pair_cache(j->pair, own)->name;

		if (name && !strcmp(name, rec->cache))
			return own;
	}
	for (uint32_t i = 0; i < sf_pair_caches(j->pair); i++) {
		const char *name = sf_pair_cache(j->pair, i)->name;

		if (name && j->seen[i] && !strcmp(name, rec->cache))
			return i;
	}
	return SF_NONE;
}

static void on_free(struct judge *j, const struct sf_tr_event *t)
{
	struct sf_event ev = make(SF_EV_FREE, t->rec);
	struct sf_ev_free *f = &ev.free;
	uint32_t own = t->obj->cache;
	bool slab = own != SF_NONE && sf_pair_cache(j->pair, own)->name;

	if (t->obj->user == SF_NONE) /* may be KFENCE's: not judged */
		return;
	f->id = f->res = t->obj->user;
	f->api = slab ? SF_API_CACHE : SF_API_KMALLOC;
	f->cache = SF_NONE;
	/* Bulk allocation has no tracepoint: only pages show that it is still the same slab. */
	if (!t->implied && t->rec->kind == SF_TRACE_CACHE_FREE && judges_addresses(j->scan))
		f->cache = named_cache(j, t->rec, own);
	f->addr = t->obj->key;
	f->bad = SF_GOOD;
	f->known = true;
	f->implied = t->implied;
	j->emit(j->ctx, &ev);
	if (!slab && !t->implied && !j->scan->hashed)
		keep_freed(j, t->obj->key, t->obj->user);
	else
		put_id(j, t->obj->user);
}

/*
 * A kfree() of nothing alive. Rule: a double free if that very address was a kmalloc object whose
 * free was seen, and no allocation since. Not for hashes (another object may have the same), not
 * for named caches (bulk allocation has no tracepoint), not after the last kmalloc of the recording
 * (its tracepoint may have been switched off before kfree's), not across lost events, and only
 * where all that could have allocated it in between would have been recorded.
 */
static bool double_free(struct judge *j, const struct sf_trace_record *rec, uint32_t *id)
{
	uint32_t i = sf_map_get(&j->freed, rec->ptr);

	if (i == SF_MAP_NONE || rec->kind != SF_TRACE_KFREE || j->scan->hashed)
		return false;
	if (!judges_addresses(j->scan))
		return false;
	if (sf_pair_counts(j->pair)->events > j->scan->last_kmalloc)
		return false;
	*id = j->ring[i].id;
	j->double_free++;
	return true;
}

static void on_unborn(struct judge *j, const struct sf_tr_event *t)
{
	struct sf_event ev = make(SF_EV_FREE, t->rec);
	struct sf_ev_free *f = &ev.free;

	if (t->rec->kind == SF_TRACE_PAGE_FREE)
		return;
	f->id = ID_UNBORN;
	f->res = SF_NONE;
	f->api = t->rec->kind == SF_TRACE_CACHE_FREE ? SF_API_CACHE : SF_API_KMALLOC;
	f->cache = SF_NONE;
	f->addr = t->rec->ptr;
	f->bad = SF_GOOD;
	f->known = double_free(j, t->rec, &f->id);
	j->emit(j->ctx, &ev);
}

static void on_null(struct judge *j, const struct sf_tr_event *t)
{
	struct sf_event ev = make(SF_EV_FREE, t->rec);

	ev.free.id = ev.free.res = ev.free.cache = SF_NONE;
	ev.free.api = SF_API_KMALLOC;
	ev.free.addr = t->rec->ptr;
	ev.free.bad = SF_GOOD;
	ev.free.known = true;
	j->emit(j->ctx, &ev);
}

static void on_failed(struct judge *j, const struct sf_tr_event *t)
{
	static const uint8_t api[SF_TRACE_KINDS] = {
		[SF_TRACE_KMALLOC] = SF_API_KMALLOC,
		[SF_TRACE_CACHE_ALLOC] = SF_API_CACHE,
		[SF_TRACE_PAGE_ALLOC] = SF_API_PAGES,
	};
	struct sf_event ev = make(SF_EV_ALLOC, t->rec);

	blank_alloc(&ev, t->rec);
	ev.alloc.api = api[t->rec->kind];
	ev.alloc.status = SF_NULL;
	if (t->rec->kind == SF_TRACE_PAGE_ALLOC)
		ev.alloc.elem = ev.alloc.size = SF_PAGE_SIZE << t->rec->order;
	j->emit(j->ctx, &ev);
}

static void on_owns(struct judge *j, const struct sf_tr_event *t)
{
	struct sf_event ev = make(SF_EV_OWNS, t->rec);

	if (t->obj->user == SF_NONE || t->other->user == SF_NONE)
		return;
	ev.owns.owner = t->obj->user;
	ev.owns.owned = t->other->user;
	j->emit(j->ctx, &ev);
}

static bool on_event(void *ctx, const struct sf_tr_event *t)
{
	static void (*const handler[])(struct judge *, const struct sf_tr_event *) = {
		[SF_STEP_ALLOC] = on_alloc,
		[SF_STEP_FREE] = on_free,
		[SF_STEP_FREE_NULL] = on_null,
		[SF_STEP_UNBORN] = on_unborn,
		[SF_STEP_FAILED] = on_failed,
		[SF_STEP_PAGES] = on_pages,
		[SF_STEP_PAGES_FREE] = on_pages_free,
		[SF_STEP_OWNS] = on_owns,
	};

	handler[t->step](ctx, t);
	return true;
}

/* What the recording does not allow to judge, and why. */
static void say_left_out(const struct sf_trace_scan *s, struct sf_trace *t)
{
	char text[300];

	if (!s->kernel.plain_sizes)
		sf_trace_left_out(t, "classes, sizes and alignment of kmalloc: it is no plain "
				  "kernel's");
	if (s->hashed) {
		sf_trace_left_out(t, "double frees, overlaps and alignment: pointers are "
				  "hashes, or of 32 bits");
		return;
	}
	if (!s->evidence.complete)
		snprintf(text, sizeof(text), "double frees, overlaps and alignment: %s",
			 s->evidence.why);
	else if (!s->base)
		snprintf(text, sizeof(text), "double frees, overlaps and alignment: too few slabs "
			 "show which pages lie where");
	else if (!judges_addresses(s))
		snprintf(text, sizeof(text), "double frees, overlaps and alignment: it is no plain "
			 "kernel's");
	else
		return;
	sf_trace_left_out(t, text);
}

static void say_kfence(const struct judge *j, struct sf_trace *t)
{
	char text[120];

	if (!j->kfence)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " objects at the end of a page, as KFENCE's are",
		 j->kfence);
	sf_trace_left_out(t, text);
}

static void begin(struct judge *j, const struct sf_trace *t)
{
	struct sf_event ev = make(SF_EV_HEAP, NULL);

	ev.heap.allocator = "trace";
	ev.heap.caps = SF_CAP_USABLE | (j->scan->kernel.plain_sizes ? SF_CAP_KMALLOC : 0) |
		       (judges_addresses(j->scan) ? SF_CAP_ADDRESS : 0);
	ev.heap.settings = &j->scan->settings;
	j->emit(j->ctx, &ev);
	ev = make(SF_EV_BEGIN, NULL);
	ev.run.program = sf_trace_name(t);
	ev.run.ops = j->scan->counts.events;
	j->emit(j->ctx, &ev);
}

/* What is alive, and what was freed last, is no longer known. */
static void after_loss(struct judge *j, const struct sf_trace *t)
{
	if (sf_trace_notes(t)->lost == j->lost)
		return;
	j->lost = sf_trace_notes(t)->lost;
	sf_pair_forget(j->pair);
	for (uint32_t i = 0; i < FREED_MAX; i++)
		if (j->ring[i].addr)
			forget_freed(j, j->ring[i].addr);
}

static int run(struct judge *j, struct sf_trace *t, struct sf_error *err)
{
	struct sf_trace_record rec;
	struct sf_event ev;
	int r;

	begin(j, t);
	while ((r = sf_trace_read(t, &rec, err)) > 0) {
		after_loss(j, t);
		if (sf_pair_record(j->pair, t, &rec, err) < 0)
			return -1;
	}
	if (r < 0)
		return -1;
	ev = make(SF_EV_END, NULL);
	ev.run.program = sf_trace_name(t);
	j->emit(j->ctx, &ev);
	return 0;
}

int sf_trace_judge(struct sf_trace *t, void (*emit)(void *ctx, const struct sf_event *ev),
		   void *ctx, struct sf_trace_counts *counts, struct sf_error *err)
{
	struct sf_pair_options opt = { .event = on_event };
	struct sf_trace_scan *s;
	struct judge *j;
	int r;

	if (sf_trace_is_calls(t))
		return sf_tr_error(err, sf_trace_name(t), 0, "calls of malloc, no kernel's events "
				   "to judge: replay them (run, diff, compare)");
	if (sf_trace_rewind(t, err))
		return -1;
	s = sf_trace_scan(t, err);
	if (!s)
		return -1;
	say_left_out(s, t);
	r = sf_trace_rewind(t, err);
	j = sf_tr_alloc(sizeof(*j));
	memset(j, 0, sizeof(*j));
	j->scan = s;
	j->emit = emit;
	j->ctx = ctx;
	j->next_id = ID_UNBORN + 1;
	opt.backing = &s->backing;
	opt.hashed = s->hashed;
	opt.base = s->base;
	opt.ctx = j;
	j->pair = sf_pair_create(&opt);
	if (!r)
		r = run(j, t, err);
	sf_pair_finish(j->pair, t);
	say_kfence(j, t);
	if (counts) {
		*counts = *sf_pair_counts(j->pair);
		counts->odd_caches = s->counts.odd_caches;
		counts->double_free = j->double_free;
		counts->kfence = j->kfence;
	}
	sf_pair_destroy(j->pair);
	sf_map_free(&j->freed);
	free(j->ids);
	free(j);
	sf_trace_scan_free(s);
	return r;
}
