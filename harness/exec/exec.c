// SPDX-License-Identifier: MIT
/*
 * exec.c - the executor: its tables, the contents of objects, and running a program from begin to
 * end.
 *
 * Relies on allocator.h and the type table only: every touch of an object goes through the
 * interface, so the same file drives a model, a library and a kernel. The operations themselves are
 * exec_ops.c's. Memory is taken when a table grows and at no other time.
 */
#include "exec_internal.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "../program/token.h"

/* --- tables --- */

struct slot *x_slot(struct sf_exec *x, uint32_t res)
{
	if (res >= x->nr_slots) {
		x->slot = sf_grow_zeroed(x->slot, &x->cap_slots, res + 1, sizeof(*x->slot));
		memset(x->slot + x->nr_slots, 0, (res + 1 - x->nr_slots) * sizeof(*x->slot));
		x->nr_slots = res + 1;
	}
	return &x->slot[res];
}

uint8_t *x_cache_state(struct sf_exec *x, uint32_t cache)
{
	if (cache >= x->nr_caches) {
		x->cache_state = sf_grow_zeroed(x->cache_state, &x->cap_caches, cache + 1, 1);
		memset(x->cache_state + x->nr_caches, 0, cache + 1 - x->nr_caches);
		x->nr_caches = cache + 1;
	}
	return &x->cache_state[cache];
}

uint32_t x_object_new(struct sf_exec *x, uint64_t addr, uint64_t size)
{
	uint32_t id = x->free_obj;
	struct object *o;

	if (id != SF_NONE) {
		x->free_obj = x->obj[id].next;
	} else {
		id = x->nr_objs++;
		x->obj = sf_grow_zeroed(x->obj, &x->cap_objs, x->nr_objs, sizeof(*x->obj));
	}
	o = &x->obj[id];
	*o = (struct object){ .addr = addr, .size = size, .next = SF_NONE, .cache = SF_NONE,
			      .device = SF_NONE, .alive = true,
			      .key = x_new_key(x) };
	x->counts.live++;
	return id;
}

void x_object_drop(struct sf_exec *x, uint32_t id)
{
	if (__builtin_expect(!x->obj[id].alive, false))
		return; /* a broken allocator freed it again, on its own */
	if (__builtin_expect(x->obj[id].device != SF_NONE, false))
		x_device_forget(x, id);
	if (__builtin_expect(x->obj[id].patch != 0, false))
		x_patches_drop(x, &x->obj[id]);
	x->obj[id].alive = false;
	x->obj[id].next = x->free_obj;
	x->free_obj = id;
	x->counts.live--;
}

void x_split(struct sf_exec *x, uint32_t bulk, const uint32_t *res)
{
	struct slot was = *x_slot(x, bulk);

	*x_slot(x, bulk) = (struct slot){ 0 };
	for (uint32_t i = 0, id = was.obj; i < was.count; i++) {
		struct object *o = &x->obj[id];

		*x_slot(x, res[i]) = (struct slot){ .kind = SF_RES_OBJ, .obj = id, .count = 1,
						    .cache = SF_NONE };
		id = o->next;
		o->next = SF_NONE;
		o->res = res[i];
	}
}

void x_join(struct sf_exec *x, uint32_t bulk, const uint32_t *res, uint32_t n)
{
	struct slot to = { .kind = SF_RES_BULK, .obj = SF_NONE, .count = n, .cache = SF_NONE };

	while (n-- > 0) {
		struct slot *s = x_slot(x, res[n]);
		struct object *o = &x->obj[s->obj];

		o->next = to.obj;
		o->res = bulk;
		to.obj = s->obj;
		*s = (struct slot){ 0 };
	}
	*x_slot(x, bulk) = to;
}

bool x_touches(struct sf_exec *x, const struct sf_op *op, uint64_t bytes)
{
	const uint64_t beyond = 1ull << 46; /* more than there are addresses: it is refused */

	if (!x->opt.touch_max || bytes >= beyond || x_has(x, SF_CAP_KMALLOC))
		return true;
	if (x->touched + bytes > x->opt.touch_max) {
		x_skip(x, op, SF_SKIP_BYTES);
		return false;
	}
	x->touched += bytes;
	return true;
}

/* --- contents --- */

static enum sf_contents how(const struct sf_exec *x, const struct object *o)
{
	return x->opt.whole || o->whole ? SF_CONTENTS_WHOLE : SF_CONTENTS_SPARSE;
}

/*
 * Once the allocator is misused objects may lie anywhere, and on top of each other: their
 * contents are not judged, and to touch them is not for checked accesses.
 */
bool x_has_contents(const struct sf_exec *x, const struct object *o, uint64_t size)
{
	return size && x->opt.contents && x_has(x, SF_CAP_CONTENTS) && x_is_real(o->addr) &&
	       !x->tainted;
}

void x_write(struct sf_exec *x, const struct object *o)
{
	if (x_has_contents(x, o, o->size))
		x->a->fill(x->heap, o->addr, o->size, o->key, how(x, o));
	if (__builtin_expect(o->spare != 0, false))
		x_spare_write(x, o);
}

uint64_t x_bad(struct sf_exec *x, const struct object *o, uint64_t size, uint64_t *verified)
{
	uint64_t bad = SF_GOOD;

	*verified = 0;
	if (x_has_contents(x, o, size)) {
		*verified = size;
		if (__builtin_expect(o->pool != 0, false))
			return x_pool_bad(x, o);
		bad = x->a->verify(x->heap, o->addr, size, o->key, how(x, o));
	}
	if (__builtin_expect(o->spare != 0, false) && size == o->size && bad == SF_GOOD)
		return x_spare_bad(x, o, verified);
	return bad;
}

void x_check(struct sf_exec *x, uint32_t id)
{
	uint64_t verified, bad = x_bad(x, &x->obj[id], x->obj[id].size, &verified);

	if (verified)
		X_EMIT(x, CONTENT, content, .id = id, .addr = x->obj[id].addr, .bad = bad,
		     .verified = verified);
}

static void walk(struct sf_exec *x, bool final)
{
	if (!x->emit || !x_has(x, SF_CAP_WALK))
		return;
	x->sink.op = x->op;
	x->a->walk(x->heap, &x->sink, true, final);
}

/* Calls `fn` for the first object of every result that has some. */
static void each_result(struct sf_exec *x, void (*fn)(struct sf_exec *x, struct slot *s))
{
	for (uint32_t i = 0; i < x->nr_slots; i++)
		if (x_has_objects(&x->slot[i]))
			fn(x, &x->slot[i]);
}

static void check_slot(struct sf_exec *x, struct slot *s)
{
	X_EACH_OF(x, s, id)
		x_check(x, id);
}

void x_look_at_all(struct sf_exec *x)
{
	each_result(x, check_slot);
	walk(x, false);
}

/* --- running --- */

static void emit_run(struct sf_exec *x, uint8_t type, const char *name)
{
	struct sf_event ev = { .type = type, .cpu = x->cpu, .op = SF_NONE };

	ev.run.program = name;
	ev.run.ops = x->counts.ops;
	x_emit(x, &ev);
}

void sf_exec_begin(struct sf_exec *x, const char *name)
{
	x->a->reset(x->heap);
	x->nr_slots = x->nr_objs = 0;
	x->free_obj = SF_NONE;
	x->nr_patches = x->free_patch = 0;
	x->nr_prefilled = 0;
	x->rare.id = SF_NONE;
	memset(x->cache_state, 0, x->nr_caches);
	x->seq = x->touched = 0;
	x->cpu = 0;
	x->blocked = x->failed = x->tainted = x->stopped = false;
	if (x->lab)
		x_lab_begin(x);
	memset(&x->counts, 0, sizeof(x->counts));
	x->op = x->sink.op = SF_NONE;
	emit_run(x, SF_EV_BEGIN, name);
	x_user_begin(x);
}

/* The rows of SF_OPS: who carries out an operation, and what the allocator must be capable of. */
static const struct handler {
	void (*run)(struct sf_exec *x, const struct sf_op *op);
	uint64_t needs;
} handlers[SF_CODE_MAX + 1] = {
	[SF_OP_NOP] = { .run = exec_nothing },
#define X(code, id, name, res, handler, caps, ...) \
	[code] = { .run = exec_##handler, .needs = (caps) },
	SF_OPS(X)
#undef X
};

uint64_t sf_exec_needs(unsigned int code)
{
	return handlers[code & SF_CODE_MAX].needs;
}

static inline const struct handler *begin_step(struct sf_exec *x, const struct sf_op *op)
{
	const struct handler *h = &handlers[op->code & SF_CODE_MAX];

	x->op = x->sink.op = (uint32_t)x->counts.ops++;
	x->out = (struct sf_outcome){ .status = SF_OK };
	if (x_has(x, h->needs))
		return h;
	x_skip(x, op, SF_SKIP_NO_CAP);
	return NULL;
}

static inline bool end_step(struct sf_exec *x)
{
	if (__builtin_expect(x->check_every != 0, false) && !x->blocked &&
	    x->counts.ops % x->check_every == 0)
		x_integrity(x);
	if (x->opt.walk_every && x->counts.ops % x->opt.walk_every == 0)
		x_look_at_all(x);
	return !x->blocked;
}

bool sf_exec_step(struct sf_exec *x, const struct sf_op *op, const char *strings)
{
	const struct handler *h = begin_step(x, op);

	x->strings = strings;
	if (h)
		h->run(x, op);
	return end_step(x);
}

bool sf_exec_step_object(struct sf_exec *x, const struct sf_op *op, const struct sf_type *type)
{
	if (begin_step(x, op))
		x_objects(x, op, type, op->size);
	return end_step(x);
}

static void free_slot(struct sf_exec *x, struct slot *s)
{
	const struct object *o = &x->obj[s->obj];

	if (o->cache != SF_NONE && (*x_cache_state(x, o->cache) & CACHE_LEAKED))
		check_slot(x, s);
	else if (s->kind == SF_RES_BULK)
		x_free_bulk(x, o->cache, s->obj);
	else if (s->kind == SF_RES_PAGES_BULK)
		x_free_pages_bulk(x, s->obj);
	else if (s->kind == SF_RES_PAGES || s->kind == SF_RES_EXACT)
		x_free_pages(x, s->obj);
	else if (o->api == SF_API_FOREIGN)
		x_user_free(x, s->obj, SF_CALL_FREE);
	else if (s->kind == SF_RES_KV)
		x_free_object(x, s->obj, SF_KVFREE);
	else
		x_free_object(x, s->obj, SF_KFREE);
	s->kind = SF_RES_NONE;
}

/*
 * Caches first: a set's shrinking has no event of its own, and the slabs that it frees would
 * be laid at the door of the cache destroyed next.
 */
static void close_caches(struct sf_exec *x)
{
	for (uint32_t i = 0; i < x->nr_slots; i++)
		if (x->slot[i].kind == SF_RES_CACHE)
			x_destroy(x, i);
	for (uint32_t i = 0; i < x->nr_slots; i++)
		if (x->slot[i].kind == SF_RES_BUCKETS && x->slot[i].cache != SF_BUCKETS_OFF)
			x->a->buckets_shrink(x->heap, x->slot[i].cache);
}

static void rcu_barrier(struct sf_exec *x)
{
	if (x_has(x, SF_CAP_RCU))
		x->a->rcu_barrier(x->heap);
}

/*
 * Everything is given back: what is deferred, devices and pools with what is theirs, objects (an
 * owner takes with it what it owns), then caches, then what caches, grace periods and CPUs keep.
 */
static void teardown(struct sf_exec *x)
{
	rcu_barrier(x);
	for (uint32_t i = 0; i < x->nr_slots; i++)
		if (x->slot[i].kind == SF_RES_DEVICE)
			x_device_release(x, i);
		else if (x->slot[i].kind == SF_RES_POOL)
			x_pool_release(x, i);
	each_result(x, free_slot);
	x_user_close(x);
	close_caches(x);
	if (!x_has(x, SF_CAP_CACHES))
		return;
	for (uint32_t id = 0; id < x->nr_boot; id++)
		if (x->failed || (*x_cache_state(x, id) & CACHE_USED))
			x_shrink(x, id);
	rcu_barrier(x);
	if (x_has(x, SF_CAP_DRAIN))
		x->a->drain(x->heap);
}

void sf_exec_end(struct sf_exec *x)
{
	x->op = x->sink.op = SF_NONE;
	if (x->opt.end == SF_END_WALK || x->opt.end == SF_END_TEARDOWN)
		x_look_at_all(x);
	if (x->opt.end >= SF_END_TEARDOWN) {
		teardown(x);
		walk(x, true);
	}
	emit_run(x, SF_EV_END, NULL);
}

static void boot_emit(void *ctx, const struct sf_event *ev)
{
	struct sf_exec *x = ctx;

	if (ev->type == SF_EV_CACHE && ev->cache.boot && ev->cache.id >= x->nr_boot)
		x->nr_boot = ev->cache.id + 1;
	if (x->lab)
		x_lab_emit(x, ev);
	else
		x->emit(x->ctx, ev);
}

static void emit_types(struct sf_exec *x)
{
	for (uint32_t i = 1; i < sf_type_count; i++) {
		const struct sf_type *t = &sf_types[i];

		X_EMIT(x, CTYPE, ctype, .index = (uint16_t)i, .name = t->name,
		       .canonical = t->canonical, .size = t->size, .align = t->align,
		       .pointer = t->pointer, .token = x->token[i]);
	}
}

static bool new_heap(struct sf_exec *x, const struct sf_settings *set, struct sf_error *err)
{
	x->nr_boot = 0;
	x->set = *set;
	x->check_every = !x_has(x, SF_CAP_INTEGRITY) ? 0 : x->opt.check_every ? x->opt.check_every :
										1;
	x->wiped = set->init_on_free && x->a->settings >> SF_SET_init_on_free & 1;
	x_lab_close(x);
	if (set->misuse && x_has(x, SF_CAP_MISUSE))
		x_lab_open(x);
	x->sink = (struct sf_sink){ .emit = boot_emit, .ctx = x, .op = SF_NONE };
	x->op = SF_NONE;
	x->heap = x->a->create(x->a, set, x->emit || x->lab ? &x->sink : NULL, err);
	x->sink.emit = x->lab ? x_lab_emit : x->emit;
	x->sink.ctx = x->lab ? x : x->ctx;
	if (!x->heap)
		return false;
	x_user_open(x);
	emit_types(x);
	return true;
}

static void learn_types(struct sf_exec *x)
{
	static const char devres[] = "struct devres";

	x->devres = (uint16_t)sf_type_index(sf_type_by_name(devres, sizeof(devres) - 1));
	x->token = sf_grow(NULL, sf_type_count, 1);
	for (uint32_t i = 0; i < sf_type_count; i++)
		x->token[i] = sf_type_token(i);
}

struct sf_exec *sf_exec_create(const struct sf_allocator *a, const struct sf_settings *set,
			       const struct sf_exec_options *opt,
			       void (*emit)(void *ctx, const struct sf_event *ev), void *ctx,
			       struct sf_error *err)
{
	struct sf_exec *x = sf_zalloc(1, sizeof(*x));

	x->a = a;
	x->opt = *opt;
	x->emit = emit;
	x->ctx = ctx;
	x->free_obj = SF_NONE;
	*x_cache_state(x, 63) = 0;
	learn_types(x);
	if (!new_heap(x, set, err)) {
		sf_exec_destroy(x);
		return NULL;
	}
	return x;
}

void sf_exec_destroy(struct sf_exec *x)
{
	if (!x)
		return;
	if (x->heap)
		x->a->destroy(x->heap);
	free(x->slot);
	free(x->obj);
	free(x->patch);
	free(x->cache_state);
	free(x->token);
	x_lab_close(x);
	free(x);
}

bool sf_exec_open(struct sf_exec *x, const struct sf_allocator *a, const struct sf_settings *set,
		  struct sf_error *err)
{
	struct sf_heap *h = x->heap;

	x->heap = NULL; /* should this not return */
	if (h)
		x->a->destroy(h);
	x->a = a;
	return new_heap(x, set, err);
}

void sf_exec_stop(struct sf_exec *x)
{
	x->stopped = x->blocked = true;
}

int64_t sf_exec_run(struct sf_exec *x, const struct sf_prog *p, const char *name,
		    struct sf_error *err)
{
	if (memcmp(&x->set, &p->settings, sizeof(x->set)) != 0 &&
	    !sf_exec_open(x, x->a, &p->settings, err))
		return -1;
	sf_exec_begin(x, name);
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (!sf_exec_step(x, &p->ops[i], p->strings))
			break;
	if (!x->stopped)
		sf_exec_end(x);
	return (int64_t)x->counts.ops;
}

bool sf_exec_abort_refuses(const struct sf_traits *t, const struct sf_op *op, bool tainted)
{
	const struct sf_op_info *info = &sf_op_table[op->code];
	uint64_t product;

	if (t->abort_misuse && (tainted || (info->flags & SF_OPF_MISUSE)))
		return true;
	if (t->abort_overflow && (info->flags & SF_OPF_ARRAY) &&
	    __builtin_mul_overflow(op->n, op->size, &product))
		return true;
	return t->abort_exhaustion && (info->res != SF_RES_NONE || (info->flags & SF_OPF_MOVES));
}

uint32_t sf_exec_op(const struct sf_exec *x)
{
	return x->op;
}

const struct sf_outcome *sf_exec_outcome(const struct sf_exec *x)
{
	return &x->out;
}

void sf_exec_counts(const struct sf_exec *x, struct sf_exec_counts *out)
{
	*out = x->counts;
}

void sf_exec_set_end(struct sf_exec *x, enum sf_end end)
{
	x->opt.end = (uint8_t)end;
}

void sf_exec_set_touch_max(struct sf_exec *x, uint64_t bytes)
{
	x->opt.touch_max = bytes;
}

struct sf_heap *sf_exec_heap(struct sf_exec *x)
{
	return x->heap;
}
