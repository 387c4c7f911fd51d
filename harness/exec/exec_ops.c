// SPDX-License-Identifier: MIT
/*
 * exec_ops.c - what operations do: exec_HANDLER() for the HANDLER of a row of SF_OPS, each called
 * by exec.c if the allocator can what the row needs.
 *
 * Relies on exec.c for tables and contents; memory of devices is exec_device.c's, that of pools
 * exec_pool.c's, reclaim, grace periods and groups are exec_reclaim.c's, misuse is exec_misuse.c's.
 * A handler asks the allocator, emits the result as an event, and skips (emitted, counted) what
 * cannot be carried out.
 */
#include "exec_internal.h"

#include <string.h>

/* How far an object's zeroes reach: the slot or block, where that is known. */
static uint64_t slot_size(const struct sf_place *pl, uint64_t size, uint64_t usable)
{
	if (pl->kind == SF_PLACE_SLAB)
		return pl->object_size - pl->offset;
	if (pl->kind == SF_PLACE_LARGE || pl->kind == SF_PLACE_PAGES)
		return SF_PAGE_SIZE << pl->order;
	return usable > size ? usable : size;
}

/* --- reports --- */

void x_look(struct sf_exec *x, uint64_t addr, struct sf_place *pl)
{
	*pl = (struct sf_place){ .kind = SF_PLACE_UNKNOWN, .cache = SF_NONE, .pfn = SF_NO_PFN };
	if (x_is_real(addr) && x_has(x, SF_CAP_PLACE))
		x->a->place(x->heap, addr, pl);
	if (pl->cache != SF_NONE)
		*x_cache_state(x, pl->cache) |= CACHE_USED;
}

uint64_t x_usable(struct sf_exec *x, uint64_t addr, uint8_t api)
{
	if (!x_has(x, SF_CAP_USABLE) || !x_is_real(addr) || api == SF_API_PAGES ||
	    api == SF_API_EXACT || api == SF_API_PMALLOC)
		return 0;
	return x->a->usable(x->heap, addr);
}

void x_note_outcome(struct sf_exec *x, const struct sf_result *rs)
{
	x->out.status = rs->status;
	x->out.addr = rs->addr;
	if (rs->status == SF_BLOCKED)
		x->blocked = true;
	if (!rs->addr)
		x->failed = true;
}

struct sf_event x_alloc_event(const struct sf_exec *x, const struct sf_op *op,
			      const struct alloc_record *ar, const struct sf_result *rs)
{
	struct sf_event ev;

	ev.type = SF_EV_ALLOC;
	ev.cpu = x->cpu;
	ev.op = x->op;
	ev.alloc = (struct sf_ev_alloc){
		.id = SF_NONE, .res = op->res, .api = ar->rq.api, .status = rs->status,
		.overflow = ar->overflow, .type = ar->rq.type, .token = ar->rq.token,
		.forced = ar->forced, .counter_size = ar->rq.counter_size, .bucket = ar->rq.bucket,
		.type_align = ar->rq.type_align, .gfp = ar->rq.gfp, .site = ar->rq.site,
		.cache = ar->cache, .align = ar->rq.align, .n = ar->n, .elem = ar->elem,
		.size = ar->size, .addr = rs->addr, .dirty = SF_GOOD, .count = ar->rq.count,
		.old_id = SF_NONE, .bad = SF_GOOD, .lru = ar->lru, .pool = ar->pool,
	};
	return ev;
}

/* The first byte of [from, to) that is not zero; the counter of a flexible array is not meant. */
static uint64_t first_dirty(struct sf_exec *x, uint64_t addr, const struct alloc_record *ar,
			    uint64_t from, uint64_t to)
{
	uint64_t counter = ar->rq.counter_at, after = counter + ar->rq.counter_size;
	uint64_t dirty = SF_GOOD;

	if (!ar->rq.counter_size || after <= from || counter >= to)
		return x->a->zeroed(x->heap, addr, from, to, SF_CONTENTS_SPARSE);
	if (from < counter)
		dirty = x->a->zeroed(x->heap, addr, from, counter, SF_CONTENTS_SPARSE);
	if (dirty == SF_GOOD && after < to)
		dirty = x->a->zeroed(x->heap, addr, after, to, SF_CONTENTS_SPARSE);
	return dirty;
}

static void check_zero(struct sf_exec *x, struct sf_ev_alloc *e, const struct alloc_record *ar,
		       uint64_t from)
{
	uint64_t to = ar->exact ? ar->exact : slot_size(&e->place, e->size, e->usable);

	if (!x->opt.contents || !x_has(x, SF_CAP_CONTENTS | SF_CAP_ZERO) || from >= to ||
	    x->tainted)
		return;
	e->dirty = first_dirty(x, e->addr, ar, from, to);
	e->zeroed = to - from;
}

static bool zero_due(const struct sf_exec *x, const struct sf_op *op, const struct alloc_record *ar)
{
	const struct slot *s;

	if (ar->rq.gfp & SF_GFP_ZERO || ar->pool)
		return true;
	if (!x->set.init_on_alloc || !(x->a->settings & (1ull << SF_SET_init_on_alloc)))
		return false;
	s = ar->rq.api == SF_API_CACHE ? &x->slot[op->cache] : NULL;
	return !s || !(s->flags & (SF_SLAB_CTOR | SF_SLAB_TYPESAFE_BY_RCU));
}

/* What the counter of a flexible array holds now. Where it cannot be read, none is judged. */
static void read_counter(struct sf_exec *x, struct sf_ev_alloc *e, const struct alloc_record *ar)
{
	uint8_t bytes[8] = { 0 };

	if (!x_is_real(e->addr) || !x_has(x, SF_CAP_MISUSE) ||
	    x->a->peek(x->heap, e->addr + ar->rq.counter_at, bytes, e->counter_size) !=
		    e->counter_size) {
		e->counter_size = 0;
		return;
	}
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		e->counter |= (uint64_t)bytes[i] << (8 * i);
}

/* A new object, emitted and filled. Returns its id, SF_NONE if there is none. */
uint32_t x_allocated(struct sf_exec *x, const struct sf_op *op, const struct alloc_record *ar,
		const struct sf_result *rs)
{
	struct sf_event ev = x_alloc_event(x, op, ar, rs);
	struct object *o;
	uint32_t id;

	x_note_outcome(x, rs);
	if (!rs->addr) {
		x_emit(x, &ev);
		return SF_NONE;
	}
	id = ev.alloc.id = x_object_new(x, rs->addr, ar->size);
	o = &x->obj[id];
	o->res = op->res;
	o->cache = ar->cache;
	o->type = ar->rq.type;
	o->api = ar->rq.api;
	o->order = ar->order;
	o->pool = ar->pool;
	o->zeroed = zero_due(x, op, ar);
	x_look(x, rs->addr, &ev.alloc.place);
	ev.alloc.usable = x_usable(x, rs->addr, ar->rq.api);
	if ((o->zeroed || x->wiped) && x_is_real(rs->addr))
		check_zero(x, &ev.alloc, ar, 0);
	if (ar->rq.counter_size)
		read_counter(x, &ev.alloc, ar);
	x_emit(x, &ev);
	if (!ar->pool) /* that has its own ways */
		x_write(x, o);
	if (ar->lru)
		x_track(x, id, true);
	return id;
}

void x_result(struct sf_exec *x, const struct sf_op *op, uint32_t id)
{
	uint8_t kind = id == SF_NONE ? SF_RES_NONE : sf_op_table[op->code].res;

	*x_slot(x, op->res) = (struct slot){ .kind = kind, .obj = id, .count = 1,
					     .cache = SF_NONE };
}

void x_skip(struct sf_exec *x, const struct sf_op *op, enum sf_skip_reason why)
{
	x->counts.skipped[why]++;
	x->out.skipped = true;
	X_EMIT(x, SKIP, skip, .code = op->code, .reason = (uint8_t)why);
	if (op->res != SF_NONE)
		*x_slot(x, op->res) = (struct slot){ 0 };
}

/* The object a reference stands for, SF_NONE if it is gone (skipped then). */
uint32_t x_object_of(struct sf_exec *x, const struct sf_op *op, uint32_t res)
{
	const struct slot *s = x_slot(x, res);

	if (x_has_objects(s))
		return s->obj;
	x_skip(x, op, SF_SKIP_DEAD);
	return SF_NONE;
}

/* The same of an operation that makes no sense for NULL. */
uint32_t x_object_or_skip(struct sf_exec *x, const struct sf_op *op)
{
	if (op->obj != SF_NONE)
		return x_object_of(x, op, op->obj);
	x_skip(x, op, SF_SKIP_NULL);
	return SF_NONE;
}

/* A result that is no object: of that kind, or NULL and the operation is skipped. */
struct slot *x_slot_of(struct sf_exec *x, const struct sf_op *op, uint32_t res,
		       enum sf_res_kind kind)
{
	struct slot *s;

	if (res == SF_NONE) {
		x_skip(x, op, SF_SKIP_NULL);
		return NULL;
	}
	s = x_slot(x, res);
	if (s->kind == kind)
		return s;
	x_skip(x, op, SF_SKIP_DEAD);
	return NULL;
}

static struct slot *cache_of(struct sf_exec *x, const struct sf_op *op)
{
	return x_slot_of(x, op, op->cache, SF_RES_CACHE);
}

/* --- kmalloc and its forms --- */

/* The size, as the allocator multiplies it or as it must be multiplied. False: nothing to ask. */
static inline bool set_size(struct sf_exec *x, const struct sf_op *op, struct alloc_record *ar)
{
	if (!(sf_op_table[op->code].flags & SF_OPF_ARRAY)) {
		ar->size = ar->rq.size = ar->elem;
		return true;
	}
	ar->overflow = __builtin_mul_overflow(ar->n, ar->elem, &ar->size);
	if (ar->overflow)
		ar->size = UINT64_MAX;
	ar->rq.array = x_has(x, SF_CAP_ARRAY);
	ar->rq.n = ar->rq.array ? ar->n : 1;
	ar->rq.size = ar->rq.array ? ar->elem : ar->size;
	return ar->rq.array || !ar->overflow;
}

static inline uint32_t allocate(struct sf_exec *x, const struct sf_op *op, struct alloc_record *ar)
{
	struct sf_result rs = { .status = SF_NULL };
	bool ask = set_size(x, op, ar);
	uint32_t id;

	if (ar->rq.gfp & SF_GFP_ZERO && !x_touches(x, op, ar->size))
		return SF_NONE;
	if (ask)
		x->a->alloc(x->heap, &ar->rq, &rs);
	id = x_allocated(x, op, ar, &rs);
	x_result(x, op, id);
	return id;
}

uint32_t x_alloc(struct sf_exec *x, const struct sf_op *op, struct alloc_record *ar)
{
	return allocate(x, op, ar);
}

static uint64_t count_of(const struct sf_op *op)
{
	return sf_op_table[op->code].flags & SF_OPF_ARRAY ? op->n : 1;
}

static void do_alloc(struct sf_exec *x, const struct sf_op *op, uint8_t api, uint32_t bucket)
{
	struct alloc_record ar = x_record(x, op, api);

	ar.n = count_of(op);
	ar.elem = op->size;
	ar.rq.bucket = bucket;
	allocate(x, op, &ar);
}

void exec_kmalloc(struct sf_exec *x, const struct sf_op *op)
{
	do_alloc(x, op, SF_API_KMALLOC, SF_NONE);
}

void exec_kvmalloc(struct sf_exec *x, const struct sf_op *op)
{
	do_alloc(x, op, SF_API_KVMALLOC, SF_NONE);
}

void exec_kmalloc_nolock(struct sf_exec *x, const struct sf_op *op)
{
	do_alloc(x, op, SF_API_NOLOCK, SF_NONE);
}

/* size_mul() and size_add() of include/linux/overflow.h: SIZE_MAX if it does not fit. */
static uint64_t size_mul(uint64_t a, uint64_t b)
{
	uint64_t n;

	return __builtin_mul_overflow(a, b, &n) ? UINT64_MAX : n;
}

static uint64_t size_add(uint64_t a, uint64_t b)
{
	uint64_t n;

	return __builtin_add_overflow(a, b, &n) ? UINT64_MAX : n;
}

static const struct sf_type *type_of(const struct sf_op *op)
{
	return &sf_types[op->type < sf_type_count ? op->type : 0];
}

/* The object family, of kmalloc or kvmalloc by what comes of it: its calls name the type. */
void x_objects(struct sf_exec *x, const struct sf_op *op, const struct sf_type *t, uint64_t size)
{
	bool kv = sf_op_table[op->code].res == SF_RES_KV;
	struct alloc_record ar = x_record(x, op, kv ? SF_API_KVMALLOC : SF_API_KMALLOC);

	ar.elem = size;
	ar.rq.type_align = t->align;
	if ((sf_op_table[op->code].flags & SF_OPF_FLEX) && t->counter && x_has(x, SF_CAP_FLEX)) {
		ar.rq.counter_size = t->counter;
		ar.rq.counter_at = t->counter_offset;
		ar.rq.count = op->n;
	}
	x_alloc(x, op, &ar);
}

void exec_kmalloc_obj(struct sf_exec *x, const struct sf_op *op)
{
	const struct sf_type *t = type_of(op);

	x_objects(x, op, t, t->size);
}

void exec_kmalloc_objs(struct sf_exec *x, const struct sf_op *op)
{
	const struct sf_type *t = type_of(op);

	x_objects(x, op, t, size_mul(t->size, op->n));
}

void exec_kmalloc_flex(struct sf_exec *x, const struct sf_op *op)
{
	const struct sf_type *t = type_of(op);

	x_objects(x, op, t, size_add(t->size, size_mul(t->flex_elem, op->n)));
}

/* --- sets of buckets --- */

void exec_buckets_create(struct sf_exec *x, const struct sf_op *op)
{
	const char *name = op->name ? x->strings + op->name : "";
	uint32_t flags = op->flags & SF_SLAB_USER, id;

	id = x->a->buckets_create(x->heap, name, flags, op->count);
	x->out.status = id == SF_NONE ? SF_NULL : SF_OK;
	X_EMIT(x, BUCKETS_CREATE, cacheop, .handle = op->res, .cache = id, .status = x->out.status,
	       .name = name, .flags = flags, .usersize = op->count);
	*x_slot(x, op->res) = (struct slot){ .kind = id == SF_NONE ? SF_RES_NONE : SF_RES_BUCKETS,
					     .cache = id, .obj = SF_NONE };
}

static void do_buckets_alloc(struct sf_exec *x, const struct sf_op *op, uint8_t api)
{
	const struct slot *s = x_slot_of(x, op, op->obj2, SF_RES_BUCKETS);

	if (s)
		do_alloc(x, op, api, s->cache);
}

void exec_buckets_alloc(struct sf_exec *x, const struct sf_op *op)
{
	do_buckets_alloc(x, op, SF_API_KMALLOC);
}

void exec_buckets_valloc(struct sf_exec *x, const struct sf_op *op)
{
	do_buckets_alloc(x, op, SF_API_KVMALLOC);
}

struct sf_event x_free_event(struct sf_exec *x, uint32_t id)
{
	const struct object *o = &x->obj[id];
	struct sf_event ev;

	ev.type = SF_EV_FREE;
	ev.cpu = x->cpu;
	ev.op = x->op;
	ev.free = (struct sf_ev_free){ .id = id, .res = o->res, .api = o->api, .cache = SF_NONE,
				       .addr = o->addr, .known = true };
	ev.free.bad = x_bad(x, o, o->size, &ev.free.verified);
	if (__builtin_expect(x->lab != NULL, false))
		x_lab_quarantine(x, id);
	return ev;
}

/* --- krealloc --- */

/* What realloc must keep, in a pattern that fits its length: the prefix as an object of its own. */
static uint64_t prepare_kept(struct sf_exec *x, struct object *o, uint64_t size)
{
	if (size >= o->size)
		return o->size;
	if (!o->whole && !x->opt.whole && o->size > SF_SPARSE_MIN && x_has_contents(x, o, size))
		x->a->fill(x->heap, o->addr, size, o->key, SF_CONTENTS_SPARSE);
	return size;
}

/*
 * The same object under a new result, and under its old id. `copied`: bytes that may have come with
 * it, more than its owner asked for.
 */
static void moved(struct sf_exec *x, const struct sf_op *op, struct sf_event *ev,
		  const struct alloc_record *ar, uint32_t old, uint64_t keep, uint64_t copied)
{
	uint32_t id = old == SF_NONE ? x_object_new(x, ev->alloc.addr, ar->size) : old;
	struct object was = { 0 }, *o = &x->obj[id];

	if (old != SF_NONE) {
		was = *o;
		*x_slot(x, op->obj) = (struct slot){ 0 };
		o->addr = ev->alloc.addr;
		o->size = ar->size;
		o->key = x_new_key(x);
		o->cache = SF_NONE;
		o->order = 0;
		o->whole = false;
	}
	ev->alloc.id = id;
	o->res = op->res;
	o->type = ar->rq.type ? ar->rq.type : was.type;
	o->api = ar->rq.api;
	o->zeroed = zero_due(x, op, ar) && (old == SF_NONE || was.zeroed || !x_is_real(was.addr));
	x_look(x, o->addr, &ev->alloc.place);
	ev->alloc.usable = x_usable(x, o->addr, ar->rq.api);
	ev->alloc.moved = o->addr != was.addr;
	if (old != SF_NONE && x_is_real(o->addr) && keep) {
		struct object kept = was;

		kept.addr = o->addr;
		ev->alloc.bad = x_bad(x, &kept, keep, &ev->alloc.kept);
	}
	if (o->zeroed && x_is_real(o->addr))
		check_zero(x, &ev->alloc, ar, keep);
	else if (x->wiped && ev->alloc.moved && x_is_real(o->addr))
		check_zero(x, &ev->alloc, ar, copied < o->size ? copied : o->size);
	if (x->lab && old != SF_NONE && !ev->alloc.moved)
		x_lab_release(x, was.res);
	x_emit(x, ev);
	x_write(x, o);
	x_result(x, op, id);
}

/* The old object is its user's all the while: no owner and no shrinker takes it. */
static void reallocate(struct sf_exec *x, uint32_t old, const struct sf_request *rq,
		       struct sf_result *rs)
{
	uint64_t from = old == SF_NONE ? 0 : x->obj[old].addr, now;
	bool held = old != SF_NONE && x_hold(x, old);

	x->a->realloc(x->heap, from, rq, rs);
	now = rs->addr ? rs->addr : from;
	if (!x_is_real(now) && old != SF_NONE)
		x->obj[old].tracked = x->obj[old].pinned = false;
	else if (held)
		x->a->pin(x->heap, now, false);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void x_realloc(struct sf_exec *x, const struct sf_op *op, struct alloc_record *ar)
{
	struct sf_result rs = { .status = SF_NULL };
	struct sf_event ev;
	uint32_t old = SF_NONE;
	uint64_t keep = 0, copied = 0;
	bool ask;

	if (op->obj != SF_NONE) {
		old = x_object_of(x, op, op->obj);
		if (old == SF_NONE)
			return;
		x_check(x, old);
	}
	ask = set_size(x, op, ar);
	if (old != SF_NONE && !x_touches(x, op, least(ar->size, x->obj[old].size)))
		return;
	if (old != SF_NONE && !ar->overflow)
		keep = prepare_kept(x, &x->obj[old], ar->size);
	if (x->lab && old != SF_NONE)
		x_lab_quarantine(x, old);
	if (x->wiped && old != SF_NONE)
		copied = x_has(x, SF_CAP_USABLE) ? x->a->usable(x->heap, x->obj[old].addr) :
						   UINT64_MAX;
	if (ask)
		reallocate(x, old, &ar->rq, &rs);
	x_note_outcome(x, &rs);
	ev = x_alloc_event(x, op, ar, &rs);
	ev.type = SF_EV_REALLOC;
	if (old != SF_NONE) {
		ev.alloc.old_id = old;
		ev.alloc.old_addr = x->obj[old].addr;
		ev.alloc.old_size = x->obj[old].size;
	}
	if (rs.addr) {
		moved(x, op, &ev, ar, old, keep, copied);
		return;
	}
	if (rs.status == SF_FREED && old != SF_NONE) { /* no kernel's, in a kernel's words */
		x_emit(x, &ev);
		x_object_drop(x, old);
		*x_slot(x, op->obj) = (struct slot){ 0 };
		*x_slot(x, op->res) = (struct slot){ 0 };
		return;
	}
	/* It failed: the old object is as it was, which the oracle hears from its contents. */
	if (old != SF_NONE)
		ev.alloc.bad = x_bad(x, &x->obj[old], keep, &ev.alloc.kept);
	x_emit(x, &ev);
	if (old != SF_NONE)
		x_write(x, &x->obj[old]);
	if (x->lab && old != SF_NONE)
		x_lab_release(x, x->obj[old].res);
	*x_slot(x, op->res) = (struct slot){ 0 };
}

static void do_realloc(struct sf_exec *x, const struct sf_op *op, uint8_t api)
{
	struct alloc_record ar = x_record(x, op, api);

	ar.n = count_of(op);
	ar.elem = op->size;
	x_realloc(x, op, &ar);
}

void exec_krealloc(struct sf_exec *x, const struct sf_op *op)
{
	do_realloc(x, op, SF_API_KMALLOC);
}

void exec_krealloc_node_align(struct sf_exec *x, const struct sf_op *op)
{
	struct alloc_record ar = x_record(x, op, SF_API_KMALLOC);

	ar.elem = op->size;
	ar.rq.align = op->align;
	x_realloc(x, op, &ar);
}

void exec_kvrealloc(struct sf_exec *x, const struct sf_op *op)
{
	do_realloc(x, op, SF_API_KVMALLOC);
}

/* --- frees --- */

/* False: it was refused, and the object is as it was. */
bool x_freed(struct sf_exec *x, struct sf_event *ev, const struct sf_result *rs)
{
	uint32_t id = ev->free.id;

	ev->free.status = rs->status;
	x->out.status = rs->status;
	x_emit(x, ev);
	if (__builtin_expect(rs->status == SF_NOTICED, false)) {
		if (x->lab)
			x_lab_release(x, x->obj[id].res);
		return false;
	}
	x_object_drop(x, id);
	return true;
}

/* What is left of a freed object: from the first byte that is not zero to the last. */
static void look_for_rest(struct sf_exec *x, struct sf_ev_free *f)
{
	static const uint8_t zero[1024];
	uint8_t buf[sizeof(zero)];

	f->left = SF_GOOD;
	for (uint64_t at = 0; at < f->wiped; at += sizeof(buf)) {
		uint64_t nr = f->wiped - at < sizeof(buf) ? f->wiped - at : sizeof(buf);

		if (x->a->peek(x->heap, f->addr + at, buf, nr) < nr) {
			f->wiped = at; /* no longer mapped */
			return;
		}
		for (uint64_t i = 0; memcmp(buf, zero, nr) && i < nr; i++) {
			if (!buf[i])
				continue;
			if (f->left == SF_GOOD)
				f->left = at + i;
			f->left_end = at + i + 1;
		}
	}
}

bool x_free_object(struct sf_exec *x, uint32_t id, enum sf_free_how spelled)
{
	struct sf_event ev = x_free_event(x, id);
	struct sf_result rs;

	ev.free.how = (uint8_t)spelled;
	if (spelled == SF_KFREE_SENSITIVE && (x->a->caps & SF_CAP_MISUSE) &&
	    (x->a->caps & SF_CAP_USABLE) && !x->lab)
		ev.free.wiped = x->a->usable(x->heap, x->obj[id].addr);
	x->a->free(x->heap, x->obj[id].addr, spelled, &rs);
	if (ev.free.wiped)
		look_for_rest(x, &ev.free);
	return x_freed(x, &ev, &rs);
}

static void do_free(struct sf_exec *x, const struct sf_op *op, enum sf_free_how spelled)
{
	struct sf_event ev = { .type = SF_EV_FREE, .cpu = x->cpu, .op = x->op };
	struct sf_result rs;
	uint32_t id;

	if (op->obj == SF_NONE) {
		ev.free = (struct sf_ev_free){ .id = SF_NONE, .res = SF_NONE, .cache = SF_NONE,
					       .bad = SF_GOOD, .known = true,
					       .how = (uint8_t)spelled };
		x->a->free(x->heap, 0, spelled, &rs);
		ev.free.status = rs.status;
		x_emit(x, &ev);
		return;
	}
	id = x_object_of(x, op, op->obj);
	if (id == SF_NONE)
		return;
	if (x_free_object(x, id, spelled))
		*x_slot(x, op->obj) = (struct slot){ 0 };
}

void exec_kfree(struct sf_exec *x, const struct sf_op *op)
{
	do_free(x, op, SF_KFREE);
}

void exec_kfree_sensitive(struct sf_exec *x, const struct sf_op *op)
{
	do_free(x, op, SF_KFREE_SENSITIVE);
}

void exec_kvfree(struct sf_exec *x, const struct sf_op *op)
{
	do_free(x, op, SF_KVFREE);
}

void exec_kfree_nolock(struct sf_exec *x, const struct sf_op *op)
{
	do_free(x, op, SF_KFREE_NOLOCK);
}

/* ERR_PTR(-errno): a free of no object, as that of NULL is. */
void exec_kfree_err_ptr(struct sf_exec *x, const struct sf_op *op)
{
	struct sf_event ev = { .type = SF_EV_FREE, .cpu = x->cpu, .op = x->op };
	struct sf_result rs;

	ev.free = (struct sf_ev_free){ .id = SF_NONE, .res = SF_NONE, .cache = SF_NONE,
				       .addr = -(uint64_t)op->count, .bad = SF_GOOD, .known = true,
				       .how = SF_KFREE };
	x->a->free(x->heap, ev.free.addr, SF_KFREE, &rs);
	ev.free.status = x->out.status = rs.status;
	x_emit(x, &ev);
}

/* Memory of kvmalloc() that is of vmalloc() is no slab's and no large block's: not asked for. */
void exec_ksize(struct sf_exec *x, const struct sf_op *op)
{
	struct sf_place pl;
	uint32_t id = SF_NONE;

	if (op->obj != SF_NONE) {
		id = x_object_of(x, op, op->obj);
		if (id == SF_NONE)
			return;
		x_look(x, x->obj[id].addr, &pl);
		if (pl.kind == SF_PLACE_VMALLOC) {
			x_skip(x, op, SF_SKIP_REFUSED);
			return;
		}
	}
	X_EMIT(x, KSIZE, ksize, .id = id, .addr = id == SF_NONE ? 0 : x->obj[id].addr,
	     .value = x->a->usable(x->heap, id == SF_NONE ? 0 : x->obj[id].addr));
}

/* --- caches --- */

void exec_cache_create(struct sf_exec *x, const struct sf_op *op)
{
	struct sf_cache_request rq = { .flags = op->flags & SF_SLAB_USER, .align = op->align,
				       .usersize = op->count, .sheaf_capacity = op->order,
				       .min_order = op->cpu };
	bool merged = false;
	uint32_t id;

	rq.name = op->name ? x->strings + op->name : "";
	rq.size = op->size > UINT32_MAX ? UINT32_MAX : (uint32_t)op->size;
	id = x->a->cache_create(x->heap, &rq, &merged);
	X_EMIT(x, CACHE_CREATE, cacheop, .handle = op->res, .cache = id, .merged = merged,
	     .status = id == SF_NONE ? SF_NULL : SF_OK, .name = rq.name, .size = rq.size,
	     .align = rq.align, .flags = rq.flags, .usersize = rq.usersize,
	     .sheaf_capacity = rq.sheaf_capacity, .min_order = rq.min_order);
	x->out.status = id == SF_NONE ? SF_NULL : SF_OK;
	*x_slot(x, op->res) = (struct slot){ .kind = id == SF_NONE ? SF_RES_NONE : SF_RES_CACHE,
					      .cache = id, .flags = rq.flags, .size = rq.size,
					      .obj = SF_NONE };
	if (id != SF_NONE)
		*x_cache_state(x, id) |= CACHE_USED;
}

/* A cache's object is as large as the cache says: the request carries no size. */
struct alloc_record x_cache_record(const struct sf_exec *x, const struct slot *s,
				   const struct sf_op *op)
{
	struct alloc_record ar = x_record(x, op, SF_API_CACHE);

	ar.cache = s->cache;
	ar.size = ar.elem = s->size;
	ar.lru = s->flags & SF_SLAB_RECLAIM_ACCOUNT && x_has(x, SF_CAP_RECLAIM);
	return ar;
}

void exec_cache_alloc(struct sf_exec *x, const struct sf_op *op)
{
	const struct slot *s = cache_of(x, op);
	struct sf_result rs;
	struct alloc_record ar;

	if (!s)
		return;
	ar = x_cache_record(x, s, op);
	x->a->cache_alloc(x->heap, s->cache, ar.rq.gfp, &rs);
	x_result(x, op, x_allocated(x, op, &ar, &rs));
}

void exec_cache_free(struct sf_exec *x, const struct sf_op *op)
{
	const struct slot *s = cache_of(x, op);
	struct sf_event ev;
	struct sf_result rs;
	uint32_t id;

	if (!s)
		return;
	id = x_object_or_skip(x, op);
	if (id == SF_NONE)
		return;
	ev = x_free_event(x, id);
	ev.free.cache = s->cache;
	x->a->cache_free(x->heap, s->cache, x->obj[id].addr, &rs);
	if (x_freed(x, &ev, &rs))
		*x_slot(x, op->obj) = (struct slot){ 0 };
}

#define BULK_MAX (sizeof(((struct sf_exec *)0)->bulk) / sizeof(uint64_t))

void exec_cache_alloc_bulk(struct sf_exec *x, const struct sf_op *op)
{
	const struct slot *s = cache_of(x, op);
	uint32_t n = op->count ? op->count : 1, first = SF_NONE;
	struct sf_result rs;
	struct alloc_record ar;

	if (!s)
		return;
	if (n > BULK_MAX)
		n = BULK_MAX;
	ar = x_cache_record(x, s, op);
	ar.lru = false; /* a bulk is in use */
	x->a->cache_alloc_bulk(x->heap, s->cache, op->gfp, n, x->bulk, &rs);
	if (rs.status != SF_OK) {
		rs.addr = 0;
		x_result(x, op, x_allocated(x, op, &ar, &rs));
		return;
	}
	for (uint32_t i = n; i-- > 0;) {
		uint32_t id;

		rs.addr = x->bulk[i];
		id = x_allocated(x, op, &ar, &rs);
		x->obj[id].next = first;
		first = id;
	}
	x_result(x, op, first);
	x_slot(x, op->res)->count = n;
}

void x_free_bulk(struct sf_exec *x, uint32_t cache, uint32_t first)
{
	struct sf_event ev = { .type = SF_EV_FREE, .cpu = x->cpu, .op = x->op };
	struct sf_result rs;
	uint32_t n = 0, next;

	for (uint32_t id = first; id != SF_NONE; id = x->obj[id].next) {
		x_check(x, id);
		x->bulk[n++] = x->obj[id].addr;
	}
	x->a->cache_free_bulk(x->heap, cache, n, x->bulk, &rs);
	for (uint32_t id = first; id != SF_NONE; id = next) {
		next = x->obj[id].next;
		ev.free = (struct sf_ev_free){ .id = id, .res = x->obj[id].res, .cache = cache,
					       .api = SF_API_CACHE, .addr = x->obj[id].addr,
					       .known = true, .bad = SF_GOOD };
		x_freed(x, &ev, &rs);
	}
}

void exec_cache_free_bulk(struct sf_exec *x, const struct sf_op *op)
{
	const struct slot *s = cache_of(x, op);
	uint32_t id;

	if (!s)
		return;
	id = x_object_or_skip(x, op);
	if (id == SF_NONE)
		return;
	x_free_bulk(x, s->cache, id);
	*x_slot(x, op->obj) = (struct slot){ 0 };
}

void x_shrink(struct sf_exec *x, uint32_t cache)
{
	int32_t ret = x->a->cache_shrink(x->heap, cache);

	x->out.ret = ret;
	X_EMIT(x, CACHE_SHRINK, cacheop, .handle = SF_NONE, .cache = cache, .ret = ret);
}

void exec_cache_shrink(struct sf_exec *x, const struct sf_op *op)
{
	const struct slot *s = cache_of(x, op);

	if (s)
		x_shrink(x, s->cache);
}

void x_destroy(struct sf_exec *x, uint32_t res)
{
	enum sf_status status;
	struct slot *s;

	if (x->nr_prefilled)
		x_sheaves_return(x, res);
	s = x_slot(x, res);
	status = x->a->cache_destroy(x->heap, s->cache);
	if (status == SF_NOTICED)
		*x_cache_state(x, s->cache) |= CACHE_LEAKED;
	if (x->lab)
		x_lab_cache_gone(x, s->cache);
	X_EMIT(x, CACHE_DESTROY, cacheop, .handle = res, .cache = s->cache,
	       .status = (uint8_t)status);
	x->out.status = (uint8_t)status;
	*s = (struct slot){ 0 };
}

void exec_cache_destroy(struct sf_exec *x, const struct sf_op *op)
{
	if (cache_of(x, op))
		x_destroy(x, op->cache);
}

/* --- pages --- */

void exec_alloc_pages(struct sf_exec *x, const struct sf_op *op)
{
	struct alloc_record ar = x_record(x, op, SF_API_PAGES);
	struct sf_result rs;
	uint32_t id;

	ar.order = op->order;
	ar.size = ar.elem = SF_PAGE_SIZE << op->order;
	x->a->pages_alloc(x->heap, op->gfp, op->order, &rs);
	id = x_allocated(x, op, &ar, &rs);
	if (id != SF_NONE && op->gfp & SF_GFP_MOVABLE && x_has(x, SF_CAP_COMPACT))
		x_track(x, id, false);
	x_result(x, op, id);
}

void x_free_pages(struct sf_exec *x, uint32_t id)
{
	struct sf_event ev = x_free_event(x, id);
	struct sf_result rs = { .status = SF_OK };

	if (x->obj[id].api == SF_API_PAGES)
		x->a->pages_free(x->heap, x->obj[id].addr, x->obj[id].order);
	else
		x->a->exact_free(x->heap, x->obj[id].addr, x->obj[id].size);
	x_freed(x, &ev, &rs);
}

void exec_free_pages(struct sf_exec *x, const struct sf_op *op)
{
	uint32_t id;

	id = x_object_or_skip(x, op);
	if (id == SF_NONE)
		return;
	x_free_pages(x, id);
	*x_slot(x, op->obj) = (struct slot){ 0 };
}

void exec_alloc_exact(struct sf_exec *x, const struct sf_op *op)
{
	struct alloc_record ar = x_record(x, op, SF_API_EXACT);
	struct sf_result rs;

	ar.size = ar.elem = op->size;
	ar.exact = (op->size + SF_PAGE_SIZE - 1) & ~(SF_PAGE_SIZE - 1);
	x->a->exact_alloc(x->heap, op->size, op->gfp, &rs);
	x_result(x, op, x_allocated(x, op, &ar, &rs));
}

/* What stands in an entry that is full before, which nothing may look at. */
#define FULL_ENTRY 1u

static bool is_full(const struct sf_op *op, uint32_t entry)
{
	return op->order && (entry + 1) % op->order == 0;
}

/* What became of the array, entry by entry. */
static struct sf_event bulk_event(const struct sf_exec *x, const struct sf_op *op, uint32_t n,
				  uint32_t filled, const struct sf_result *rs)
{
	struct sf_event ev = { .type = SF_EV_PAGES_BULK, .cpu = x->cpu, .op = x->op };
	struct sf_ev_pagesbulk *e = &ev.pagesbulk;

	*e = (struct sf_ev_pagesbulk){ .res = op->res, .gfp = op->gfp, .n = n, .filled = filled,
				       .empty = n, .status = rs->status };
	for (uint32_t i = n; i-- > 0;) {
		bool full = is_full(op, i), got = !full && x->bulk[i];

		e->full += full;
		e->changed += full && x->bulk[i] != FULL_ENTRY;
		e->got += got;
		e->beyond += got && i >= filled;
		if (!x->bulk[i])
			e->empty = i;
	}
	return ev;
}

/* The pages that came, each an object by itself; the first of them. */
static uint32_t bulk_pages(struct sf_exec *x, const struct sf_op *op, uint32_t n)
{
	struct alloc_record ar = x_record(x, op, SF_API_PAGES);
	uint32_t first = SF_NONE;

	ar.size = ar.elem = SF_PAGE_SIZE;
	for (uint32_t i = n; i-- > 0;) {
		struct sf_result rs = { .status = SF_OK, .addr = x->bulk[i] };
		uint32_t id;

		if (is_full(op, i) || !x->bulk[i])
			continue;
		id = x_allocated(x, op, &ar, &rs);
		if (op->gfp & SF_GFP_MOVABLE && x_has(x, SF_CAP_COMPACT))
			x_track(x, id, false);
		x->obj[id].next = first;
		first = id;
	}
	return first;
}

void exec_alloc_pages_bulk(struct sf_exec *x, const struct sf_op *op)
{
	struct alloc_record ar = x_record(x, op, SF_API_PAGES);
	uint32_t n = op->count < BULK_MAX ? op->count : BULK_MAX, filled, first;
	struct sf_result rs;
	struct sf_event ev;

	for (uint32_t i = 0; i < n; i++)
		x->bulk[i] = is_full(op, i) ? FULL_ENTRY : 0;
	filled = x->a->pages_alloc_bulk(x->heap, op->gfp, n, x->bulk, &rs);
	ev = bulk_event(x, op, n, filled, &rs);
	if (ev.pagesbulk.got) {
		first = bulk_pages(x, op, n);
	} else {
		ar.size = ar.elem = SF_PAGE_SIZE;
		rs.addr = 0;
		first = ev.pagesbulk.empty < n ? x_allocated(x, op, &ar, &rs) : SF_NONE;
	}
	x_emit(x, &ev);
	x_result(x, op, first);
	x_slot(x, op->res)->count = ev.pagesbulk.got;
}

void x_free_pages_bulk(struct sf_exec *x, uint32_t first)
{
	for (uint32_t next; first != SF_NONE; first = next) {
		next = x->obj[first].next;
		x_free_pages(x, first);
	}
}

void exec_free_pages_bulk(struct sf_exec *x, const struct sf_op *op)
{
	uint32_t id = x_object_or_skip(x, op);

	if (id == SF_NONE)
		return;
	x_free_pages_bulk(x, id);
	*x_slot(x, op->obj) = (struct slot){ 0 };
}

/* --- the rest --- */

void exec_cpu(struct sf_exec *x, const struct sf_op *op)
{
	x->cpu = (uint8_t)(op->cpu % x->set.cpus);
	x->a->set_cpu(x->heap, x->cpu);
}

void exec_fail(struct sf_exec *x, const struct sf_op *op)
{
	x->a->fail(x->heap, op->fault, op->count);
}

void exec_drain(struct sf_exec *x, const struct sf_op *op)
{
	(void)op;
	x->a->drain(x->heap);
}

void exec_check(struct sf_exec *x, const struct sf_op *op)
{
	(void)op;
	x_look_at_all(x);
}

void exec_write(struct sf_exec *x, const struct sf_op *op)
{
	uint32_t id;

	id = x_object_or_skip(x, op);
	if (id == SF_NONE)
		return;
	if (x->obj[id].pool) {
		x_pool_write(x, id);
		return;
	}
	x_check(x, id);
	x->obj[id].key = x_new_key(x);
	/* A library hands out what no machine can write in a run. */
	x->obj[id].whole = op->flag &&
			   (!x_has(x, SF_CAP_MALLOC) || x->obj[id].size <= SF_USER_WHOLE_MAX);
	x_write(x, &x->obj[id]);
}

void exec_verify(struct sf_exec *x, const struct sf_op *op)
{
	uint32_t id;

	id = x_object_or_skip(x, op);
	if (id != SF_NONE)
		x_check(x, id);
}

void exec_nothing(struct sf_exec *x, const struct sf_op *op)
{
	(void)x;
	(void)op;
}
