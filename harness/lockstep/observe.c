// SPDX-License-Identifier: MIT
/*
 * observe.c - observe.h: one function for each sort of event that says something comparable.
 */
#include "observe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "../exec/event_hash.h"
#include "../program/program.h"
#include "relations.h"

static void add(struct sf_observer *o, enum sf_property p, const char *what, uint64_t value,
		const char *text)
{
	struct sf_seen *s = &o->seen[p];

	SF_GROW(s->v, s->nr, s->cap);
	s->v[s->nr++] = (struct sf_value){ what, value, text };
}

void sf_observe_value(struct sf_observer *o, enum sf_property p, const char *what, uint64_t value)
{
	add(o, p, what, value, NULL);
}

static const char lost_at[] = "lost at", not_zero[] = "first that is not zero";
static const char nowhere_at[] = "nowhere";

void sf_observe_again(struct sf_observer *o, enum sf_property p, const struct sf_value *v)
{
	add(o, p, v->what, v->value, v->text);
}

#define SEE(property, what, value) add(o, SF_PROP_##property, what, (uint64_t)(value), NULL)
#define SEE_TEXT(property, what, text) add(o, SF_PROP_##property, what, 0, text)

/* What is lost, of all that was looked at in this step: the first, or that nothing is. */
static void see_loss(struct sf_observer *o, enum sf_property p, const char *what, uint64_t bad)
{
	struct sf_seen *s = &o->seen[p];

	if (!s->nr)
		add(o, p, what, bad, NULL);
	else if (s->v[0].value == SF_GOOD)
		s->v[0].value = bad;
}

void sf_observe_begin(struct sf_observer *o)
{
	for (unsigned int i = 0; i < SF_PROPERTY_COUNT; i++)
		o->seen[i].nr = 0;
	o->short_of_memory = o->moved = false;
	o->faults = 0;
	o->asking = 0;
}

/* The first name that a cache had: aliases come later. */
static void name_cache(struct sf_observer *o, uint32_t id, const char *name, bool boot)
{
	if (id == SF_NONE || !name)
		return;
	while (o->nr_caches <= id) {
		SF_GROW(o->cache, o->nr_caches, o->cap_caches);
		o->cache[o->nr_caches++] = NULL;
	}
	/* Values of the step in hand may still point to the old one: ids are not used again. */
	if (!o->cache[id])
		o->cache[id] = strdup(name + sf_renamed_prefix(name));
	if (boot && o->nr_boot <= id)
		o->nr_boot = id + 1;
}

/* Another heap has other caches. */
static void forget_heap(struct sf_observer *o)
{
	for (uint32_t i = 0; i < o->nr_caches; i++)
		free(o->cache[i]);
	o->nr_caches = o->nr_boot = 0;
}

void sf_observer_free(struct sf_observer *o)
{
	for (unsigned int i = 0; i < SF_PROPERTY_COUNT; i++)
		free(o->seen[i].v);
	forget_heap(o);
	free(o->cache);
	*o = (struct sf_observer){ .final = false };
}

static void fall_short(struct sf_observer *o)
{
	o->short_of_memory = o->was_short = true;
}

/* The next program makes caches of its own. */
static void forget_program(struct sf_observer *o)
{
	o->tainted = o->was_short = false;
	o->asked = 0;
	for (uint32_t i = o->nr_boot; i < o->nr_caches; i++) {
		free(o->cache[i]);
		o->cache[i] = NULL;
	}
}

static const char *cache_name(const struct sf_observer *o, uint32_t id)
{
	return id < o->nr_caches && o->cache[id] ? o->cache[id] : "none";
}

static const char *place_name(const struct sf_observer *o, const struct sf_place *p)
{
	static const char *const kinds[] = {
		[SF_PLACE_UNKNOWN] = "unknown", [SF_PLACE_LARGE] = "pages of its own",
		[SF_PLACE_PAGES] = "pages", [SF_PLACE_VMALLOC] = "vmalloc",
		[SF_PLACE_POOL] = "a pool", [SF_PLACE_NOWHERE] = "nowhere",
	};

	return p->kind == SF_PLACE_SLAB ? cache_name(o, p->cache) : kinds[p->kind];
}

static void see_place(struct sf_observer *o, const struct sf_place *p)
{
	SEE_TEXT(CACHE, "cache", place_name(o, p));
	SEE(PARTITION, "partition", p->kind == SF_PLACE_SLAB ? p->partition : 0);
	SEE(SLAB, "order", p->order);
	SEE(SLAB, "objects", p->objects);
	SEE(SLAB, "stride", p->stride);
	SEE(PLACE, "first page", p->base >> SF_PAGE_SHIFT);
	SEE(INDEX, "index", p->index);
	SEE(INDEX, "offset", p->offset);
}

/* Who asks for an alignment that is none may be told so, or of no memory, or be served. */
static bool is_odd(const struct sf_ev_alloc *e)
{
	switch (e->call) {
	case SF_CALL_ALIGNED_ALLOC:
	case SF_CALL_MEMALIGN:
	case SF_CALL_POSIX_MEMALIGN:
		return !e->align || e->align & (e->align - 1);
	}
	return false;
}

static void see_error(struct sf_observer *o, const struct sf_ev_alloc *e)
{
	if (is_odd(e))
		return;
	/* Who succeeds may leave in errno what it likes; so may who returns the code (POSIX). */
	if (e->status == SF_NULL && e->call != SF_CALL_POSIX_MEMALIGN)
		SEE(ERROR, "errno", e->error);
	SEE(ERROR, "returned", e->ret);
}

/*
 * What it takes of a heap in which nothing is ever used again, with what goes with an object. How
 * large a heap is that the program made, nobody knows here.
 */
static void count_bytes(struct sf_observer *o, const struct sf_ev_alloc *e, bool object)
{
	const uint64_t most = 1ull << 40;

	o->asking = e->size < most && e->align < most ? e->size + e->align + 64 : most;
	if (e->heap)
		o->asking = most;
	else if (object)
		o->asked += o->asking;
}

static void see_alloc(struct sf_observer *o, const struct sf_ev_alloc *e)
{
	/* A pointer that stands for nothing is no answer to a request for something. */
	bool nowhere = e->status == SF_OK && e->addr && e->addr <= SF_ZERO_SIZE_PTR && e->size;
	bool object = e->status == SF_OK && e->addr && !nowhere;

	count_bytes(o, e, object);

	SEE_TEXT(RESULT, "result", nowhere ? nowhere_at : sf_status_name(e->status));
	if (e->api == SF_API_FOREIGN)
		see_error(o, e);
	see_loss(o, SF_PROP_CONTENTS, lost_at, e->bad);
	o->moved |= e->moved;
	if (!object)
		return;
	/* What the executor looked at hangs on what an allocator can, and promises. */
	if (!(e->gfp & SF_GFP_ZERO) && e->api != SF_API_FOREIGN)
		see_loss(o, SF_PROP_WIPED, not_zero, e->dirty);
	else if (e->zeroed)
		see_loss(o, SF_PROP_ZEROING, not_zero, e->dirty);
	if (e->counter_size)
		SEE(CONTENTS, "counter", e->counter);
	SEE(USABLE, "usable", e->usable);
	if (e->addr != SF_ZERO_SIZE_PTR)
		see_place(o, &e->place);
}

/* What goes or moves by itself goes with the layout: of interest is what was lost on the way. */
static void see_unasked(struct sf_observer *o, uint64_t bad)
{
	if (bad != SF_GOOD)
		see_loss(o, SF_PROP_CONTENTS, lost_at, bad);
}

static void see_free(struct sf_observer *o, const struct sf_ev_free *e)
{
	switch (e->how) {
	case SF_KFREE_RCU:
	case SF_FREE_SHRINK:
	case SF_FREE_OWNER:
		see_unasked(o, e->bad);
		return;
	default:
		SEE_TEXT(RESULT, "free", sf_status_name(e->status));
		see_loss(o, SF_PROP_CONTENTS, lost_at, e->bad);
	}
}

static void see_cacheop(struct sf_observer *o, const struct sf_event *ev)
{
	const struct sf_ev_cacheop *e = &ev->cacheop;

	if (ev->type == SF_EV_CACHE_SHRINK) {
		/* Which caches the end shrinks hangs on what failed before, anywhere. */
		if (ev->op != SF_NONE)
			SEE(FILL, "shrink returned", e->ret);
		return;
	}
	SEE_TEXT(RESULT, "result", sf_status_name(e->status));
	SEE(RESULT, "there", e->cache != SF_NONE);
	if (ev->type == SF_EV_CACHE_CREATE)
		SEE(CACHE, "merged", e->merged);
}

/* Who refuses by ending the process, as its traits allow, might as well have said NULL. */
static void see_crash(struct sf_observer *o, const struct sf_ev_crash *e)
{
	snprintf(o->crash, sizeof(o->crash), "%s", e->title ? e->title : "crash");
	SEE_TEXT(RESULT, e->refusal ? "result" : "crash",
		 e->refusal ? sf_status_name(SF_NULL) : o->crash);
}

/* Results that are no allocation. */
static bool see_result(struct sf_observer *o, const struct sf_event *ev)
{
	switch (ev->type) {
	case SF_EV_ALLOC:
	case SF_EV_REALLOC:
		see_alloc(o, &ev->alloc);
		return true;
	case SF_EV_FREE:
		see_free(o, &ev->free);
		return true;
	case SF_EV_KSIZE:
		SEE(USABLE, "usable", ev->ksize.value);
		return true;
	case SF_EV_CONTENT:
		see_loss(o, SF_PROP_CONTENTS, lost_at, ev->content.bad);
		return true;
	case SF_EV_DEFER:
		see_unasked(o, ev->defer.bad);
		return true;
	case SF_EV_MIGRATE:
		see_unasked(o, ev->migrate.bad);
		return true;
	case SF_EV_WRITE:
		SEE_TEXT(RESULT, "result", sf_status_name(ev->write.status));
		see_loss(o, SF_PROP_CONTENTS, lost_at, ev->write.bad);
		return true;
	case SF_EV_RARE:
		SEE_TEXT(RESULT, "result", sf_status_name(ev->rare.status));
		see_loss(o, SF_PROP_CONTENTS, lost_at, ev->rare.bad);
		return true;
	case SF_EV_CACHE_CREATE:
	case SF_EV_CACHE_DESTROY:
	case SF_EV_CACHE_SHRINK:
	case SF_EV_BUCKETS_CREATE:
		see_cacheop(o, ev);
		return true;
	case SF_EV_MEMCG:
		/* Without memory cgroups there is none to be had. */
		if (ev->memcg.status == SF_NULL)
			fall_short(o);
		SEE_TEXT(RESULT, "result", sf_status_name(ev->memcg.status));
		return true;
	case SF_EV_ASK:
		SEE_TEXT(RESULT, "result", sf_status_name(ev->ask.status));
		return true;
	case SF_EV_POOL:
		SEE_TEXT(RESULT, "result", sf_status_name(ev->pool.status));
		return true;
	case SF_EV_PAGES_BULK:
		SEE(RESULT, "entries filled", ev->pagesbulk.filled);
		return true;
	case SF_EV_SHEAF:
		SEE_TEXT(RESULT, "result", sf_status_name(ev->sheaf.status));
		/* Nothing is left in it. */
		if (!ev->sheaf.before)
			fall_short(o);
		SEE(FILL, "objects in the sheaf", ev->sheaf.after);
		return true;
	case SF_EV_ATTACK:
		SEE(COMPLAINTS, "noticed", ev->attack.noticed);
		return true;
	case SF_EV_GOOD_SIZE:
		SEE(USABLE, "good size", ev->goodsize.value);
		return true;
	case SF_EV_INTEGRITY:
		/* Who cannot look at himself says nothing. */
		if (ev->integrity.what)
			SEE(COMPLAINTS, "unsound", 1);
		return true;
	case SF_EV_USER_HEAP:
		SEE_TEXT(RESULT, "result", sf_status_name(ev->userheap.status));
		return true;
	case SF_EV_CRASH:
		see_crash(o, &ev->crash);
		return true;
	}
	return false;
}

/* What the allocator tells of its inside. */
static void see_trace(struct sf_observer *o, const struct sf_event *ev)
{
	switch (ev->type) {
	case SF_EV_SLAB_NEW:
	case SF_EV_SLAB_FREE:
	case SF_EV_SLAB_DEFER:
		SEE_TEXT(EVENTS, ev->type == SF_EV_SLAB_NEW ? "slab made" : "slab freed",
			 cache_name(o, ev->slab.cache));
		SEE(EVENTS, "order", ev->slab.order);
		return;
	case SF_EV_RMQUEUE:
		SEE(EVENTS, "block of order", ev->rmqueue.from_order);
		SEE(EVENTS, "from type", ev->rmqueue.from_type);
		return;
	case SF_EV_CLAIM:
	case SF_EV_RESERVE:
		SEE(EVENTS, "page blocks claimed for", ev->claim.to);
		return;
	case SF_EV_PAGE_ALLOC:
	case SF_EV_PAGE_FREE:
	case SF_EV_PCP_DRAIN:
		SEE(EVENTS, "pages of order", ev->page.order);
		SEE(EVENTS, "migrate type", ev->page.migratetype);
		return;
	case SF_EV_FAULT:
		o->faults++;
		fall_short(o);
		return;
	case SF_EV_PAGE_FAIL:
		fall_short(o);
		return;
	case SF_EV_CHARGE:
		if (ev->charge.refused)
			fall_short(o);
		SEE(EVENTS, "bytes charged", ev->charge.bytes);
		return;
	case SF_EV_OOM:
		fall_short(o);
		SEE(EVENTS, "out of memory, order", ev->oom.order);
		return;
	case SF_EV_SHRINK:
		fall_short(o);
		SEE_TEXT(EVENTS, "shrinker of", cache_name(o, ev->shrink.cache));
		SEE(EVENTS, "freed", ev->shrink.freed);
		return;
	case SF_EV_RECLAIM:
		fall_short(o);
		SEE(EVENTS, "reclaimed", ev->reclaim.freed);
		return;
	case SF_EV_COMPACT:
		fall_short(o);
		SEE(EVENTS, "migrated", ev->compact.migrated);
		return;
	case SF_EV_GRACE:
		SEE(EVENTS, "grace period", ev->grace.nr);
		return;
	case SF_EV_WARN:
		SEE(COMPLAINTS, "complaints", 1);
		return;
	}
}

static void see_slab(struct sf_observer *o, const struct sf_ev_snapslab *e)
{
	SEE_TEXT(FILL, "slab of", cache_name(o, e->cache));
	SEE(FILL, "its first page", e->pfn);
	SEE(FILL, "objects in use", e->inuse);
	SEE(FILL, "list", e->list);
	SEE(FILL, "place on it", e->position);
	for (uint32_t i = 0; i < e->nr_free; i++)
		SEE(LISTS, "free object at", e->free[i] - e->addr);
}

static void see_blocks(struct sf_observer *o, const struct sf_event *ev)
{
	switch (ev->type) {
	case SF_EV_SNAP_BLOCK:
		SEE(BLOCKS, "free block", ev->snapblock.pfn);
		SEE(BLOCKS, "its order", ev->snapblock.order);
		SEE(BLOCKS, "its list", ev->snapblock.list);
		SEE(BLOCKS, "its place", ev->snapblock.position);
		return;
	case SF_EV_SNAP_PCP:
		SEE(BLOCKS, "pages on a CPU's list", ev->snappcp.nr);
		for (uint32_t i = 0; i < ev->snappcp.nr; i++)
			SEE(BLOCKS, "page", ev->snappcp.pfns[i]);
		return;
	case SF_EV_SNAP_USED:
		SEE(BLOCKS, "pages in use", ev->snapused.pfn);
		return;
	case SF_EV_SNAP_PAGEBLOCK:
		SEE(BLOCKS, "page block", ev->snappb.pfn);
		SEE(BLOCKS, "its type", ev->snappb.migratetype);
		return;
	}
}

static void see_counters(struct sf_observer *o, const struct sf_ev_counters *e)
{
	SEE(COUNTERS, "nr_free_pages", e->nr_free_pages);
	SEE(COUNTERS, "nr_slab_reclaimable", e->nr_slab_reclaimable);
	SEE(COUNTERS, "nr_slab_unreclaimable", e->nr_slab_unreclaimable);
	for (unsigned int i = 0; i < SF_NR_ORDERS; i++)
		SEE(COUNTERS, "nr_free", e->nr_free[i]);
	SEE(COUNTERS, "nr_highatomic", e->nr_highatomic);
	SEE(COUNTERS, "indirect_bytes", e->indirect_bytes);
	SEE(COUNTERS, "nr_kernel_misc_reclaimable", e->nr_kernel_misc_reclaimable);
	SEE(COUNTERS, "MemAvailable", e->mem_available);
	SEE(COUNTERS, "oom_kill", e->oom_kill);
}

static void see_snapshot(struct sf_observer *o, const struct sf_event *ev)
{
	switch (ev->type) {
	case SF_EV_SNAP_BEGIN:
		o->final = ev->snap.final;
		return;
	case SF_EV_SNAP_SLAB:
		see_slab(o, &ev->snapslab);
		return;
	case SF_EV_SNAP_SHEAF:
		SEE(FILL, "objects in a sheaf", ev->snapsheaf.nr);
		for (uint32_t i = 0; i < ev->snapsheaf.nr; i++)
			SEE(LISTS, "parked object", ev->snapsheaf.objs[i]);
		return;
	case SF_EV_SNAP_CACHE:
		SEE_TEXT(COUNTERS, "cache", cache_name(o, ev->snapcache.cache));
		SEE(COUNTERS, "active_objs", ev->snapcache.active_objs);
		SEE(COUNTERS, "num_objs", ev->snapcache.num_objs);
		SEE(COUNTERS, "num_slabs", ev->snapcache.num_slabs);
		return;
	case SF_EV_SNAP_COUNTERS:
		see_counters(o, &ev->counters);
		/* How many hold what was leaked hangs on where it lies. */
		if (o->final)
			SEE(AFTER, "slabs are left", (ev->counters.nr_slab_reclaimable |
						      ev->counters.nr_slab_unreclaimable) != 0);
		return;
	case SF_EV_SNAP_MEMCG:
		add(o, o->final ? SF_PROP_AFTER : SF_PROP_COUNTERS, "bytes charged",
		    ev->snapmemcg.usage, NULL);
		return;
	default:
		see_blocks(o, ev);
	}
}

static const char *event_name(uint8_t type)
{
	static const char *const names[] = {
#define X(id, member, doc) [SF_EV_##id] = #id,
		SF_EVENTS(X)
#undef X
	};

	return type < sizeof(names) / sizeof(names[0]) && names[type] ? names[type] : "event";
}

/* What a heap is called, and what a program, says nothing of what was done. */
static void see_whole(struct sf_observer *o, const struct sf_event *ev)
{
	uint64_t hash = 0;

	if (ev->type == SF_EV_HEAP || ev->type == SF_EV_BEGIN || ev->type == SF_EV_END)
		return;
	hash_event(&hash, ev);
	SEE(WHOLE, event_name(ev->type), hash & UINT32_MAX);
}

void sf_observe_event(struct sf_observer *o, const struct sf_event *ev)
{
	if (o->whole)
		see_whole(o, ev);
	if (ev->type == SF_EV_CACHE)
		name_cache(o, ev->cache.id, ev->cache.name, ev->cache.boot);
	else if (ev->type == SF_EV_HEAP)
		forget_heap(o);
	else if (ev->type == SF_EV_BEGIN)
		forget_program(o);
	else if (ev->type == SF_EV_TAINT)
		o->tainted = true;
	else if (ev->type >= SF_EV_SNAP_BEGIN && ev->type <= SF_EV_SNAP_END)
		see_snapshot(o, ev);
	else if (!see_result(o, ev))
		see_trace(o, ev);
}

static bool same(const struct sf_value *a, const struct sf_value *b)
{
	if (a->what != b->what && strcmp(a->what, b->what))
		return false;
	if (a->value != b->value || !a->text != !b->text)
		return false;
	return !a->text || !strcmp(a->text, b->text);
}

/* What one of them had no reason to look at tells nothing, unless the other found a loss there. */
static bool is_loss(const struct sf_value *v)
{
	return (v->what == lost_at || v->what == not_zero) && v->value != SF_GOOD;
}

uint32_t sf_observed_differ(const struct sf_observer *a, const struct sf_observer *b,
			    enum sf_property p)
{
	const struct sf_seen *x = &a->seen[p], *y = &b->seen[p], *longer = x->nr > y->nr ? x : y;
	bool looked = p == SF_PROP_CONTENTS || p == SF_PROP_ZEROING || p == SF_PROP_WIPED;
	uint32_t i;

	for (i = 0; i < x->nr && i < y->nr; i++)
		if (!same(&x->v[i], &y->v[i]))
			return i;
	while (looked && i < longer->nr && !is_loss(&longer->v[i]))
		i++;
	return i == longer->nr ? UINT32_MAX : i;
}

bool sf_observed_crash(const struct sf_observer *o)
{
	const struct sf_seen *s = &o->seen[SF_PROP_RESULT];

	for (uint32_t i = 0; i < s->nr; i++)
		if (!strcmp(s->v[i].what, "crash"))
			return true;
	return false;
}

bool sf_observed_nowhere(const struct sf_observer *o)
{
	const struct sf_seen *s = &o->seen[SF_PROP_RESULT];

	for (uint32_t i = 0; i < s->nr; i++)
		if (s->v[i].text && !strcmp(s->v[i].text, nowhere_at))
			return true;
	return false;
}

const char *sf_value_text(const struct sf_seen *s, uint32_t index, char buf[40])
{
	const struct sf_value *v = &s->v[index];

	if (index >= s->nr)
		return "nothing";
	if (v->text)
		return v->text;
	if (v->value == SF_GOOD)
		return "none";
	snprintf(buf, 40, "%" PRIu64, v->value);
	return buf;
}
