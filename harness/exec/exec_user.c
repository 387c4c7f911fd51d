// SPDX-License-Identifier: MIT
/*
 * exec_user.c - the words of user space: malloc() and its forms, heaps, threads, and what an
 * allocator says of itself.
 *
 * The executor is a user who takes what he is promised: what he may use he writes to its end, and
 * what he wrote must be there when he comes back, on every path. Relies on exec.c's tables and on
 * the parts of exec_ops.c; rows of SF_OPS lead here. What an answer means the traits say, what is
 * right the oracles.
 */
#include "exec_internal.h"

uint8_t sf_exec_call(const struct sf_op *op)
{
	switch (op->code) {
	case SF_OP_CALLOC:
		return SF_CALL_CALLOC;
	case SF_OP_REALLOC:
		return SF_CALL_REALLOC;
	case SF_OP_REALLOCARRAY:
		return SF_CALL_REALLOCARRAY;
	case SF_OP_ALIGNED_ALLOC:
		return SF_CALL_ALIGNED_ALLOC;
	case SF_OP_POSIX_MEMALIGN:
		return SF_CALL_POSIX_MEMALIGN;
	case SF_OP_MEMALIGN:
		return SF_CALL_MEMALIGN;
	case SF_OP_FREE:
		return SF_CALL_FREE;
	case SF_OP_FREE_SIZED:
		return SF_CALL_FREE_SIZED;
	case SF_OP_FREE_ALIGNED_SIZED:
		return SF_CALL_FREE_ALIGNED;
	}
	return SF_CALL_MALLOC;
}

/* --- contents behind the end --- */

/* A pattern of their own: the object's must be there without them, should it move. */
static uint64_t spare_key(const struct object *o)
{
	return ~o->key;
}

static enum sf_contents spare_how(const struct sf_exec *x, const struct object *o)
{
	return x->opt.whole || o->whole ? SF_CONTENTS_WHOLE : SF_CONTENTS_SPARSE;
}

void x_spare_write(struct sf_exec *x, const struct object *o)
{
	if (x_has_contents(x, o, o->spare))
		x->a->fill(x->heap, o->addr + o->size, o->spare, spare_key(o), spare_how(x, o));
}

uint64_t x_spare_bad(struct sf_exec *x, const struct object *o, uint64_t *verified)
{
	uint64_t bad;

	if (!x_has_contents(x, o, o->spare))
		return SF_GOOD;
	*verified = o->size + o->spare;
	bad = x->a->verify(x->heap, o->addr + o->size, o->spare, spare_key(o), spare_how(x, o));
	return bad == SF_GOOD ? SF_GOOD : o->size + bad;
}

/* --- what is asked, and what came --- */

/* The allocator multiplies itself: that it does it right is what is looked at. */
static struct alloc_record record(const struct sf_op *op)
{
	struct alloc_record ar = {
		.rq = { .api = SF_API_FOREIGN, .call = sf_exec_call(op), .n = 1, .size = op->size,
			.align = op->align, .bucket = SF_NONE },
		.n = 1, .elem = op->size, .size = op->size, .cache = SF_NONE,
	};

	if (!(sf_op_table[op->code].flags & SF_OPF_ARRAY))
		return ar;
	ar.n = ar.rq.n = op->n;
	ar.rq.array = true;
	ar.overflow = __builtin_mul_overflow(ar.n, ar.elem, &ar.size);
	if (ar.overflow)
		ar.size = UINT64_MAX;
	return ar;
}

static struct sf_event event(const struct sf_exec *x, const struct sf_op *op,
			     const struct alloc_record *ar, const struct sf_result *rs)
{
	struct sf_event ev = x_alloc_event(x, op, ar, rs);

	ev.alloc.call = ar->rq.call;
	ev.alloc.heap = ar->rq.heap;
	ev.alloc.error = rs->error;
	ev.alloc.ret = rs->ret;
	ev.alloc.touched = rs->touched;
	return ev;
}

/* No object is larger, whatever came of it: it is neither read nor written. */
static bool can_be(const struct alloc_record *ar)
{
	return ar->size <= INT64_MAX;
}

/* What is new about an object: where it is, and how far it may be used. */
static void describe(struct sf_exec *x, struct object *o, const struct alloc_record *ar,
		     struct sf_ev_alloc *e)
{
	o->addr = e->addr;
	o->size = can_be(ar) ? ar->size : 0;
	o->api = SF_API_FOREIGN;
	o->res = e->res;
	o->heap = ar->rq.heap;
	o->align = ar->rq.align;
	x_look(x, e->addr, &e->place);
	e->usable = x_usable(x, e->addr, SF_API_FOREIGN);
	o->spare = can_be(ar) && e->usable > o->size ? e->usable - o->size : 0;
}

/* calloc(): what is promised, before it is written. */
static void look_at_zeroes(struct sf_exec *x, struct sf_ev_alloc *e)
{
	const struct sf_traits *t = sf_traits_of(x->a);
	uint64_t to = t->zeroed == SF_ZEROED_USABLE && e->usable > e->size ? e->usable : e->size;

	/* None is larger, whatever came of it. */
	if (t->zeroed == SF_ZEROED_NONE || !to || to > INT64_MAX ||
	    !x->opt.contents || x->tainted ||
	    !x_has(x, SF_CAP_CONTENTS) || !x_is_real(e->addr))
		return;
	e->zeroed = to;
	e->dirty = x->a->zeroed(x->heap, e->addr, 0, to,
				x->opt.whole ? SF_CONTENTS_WHOLE : SF_CONTENTS_SPARSE);
}

void exec_user_alloc(struct sf_exec *x, const struct sf_op *op)
{
	struct alloc_record ar = record(op);
	struct sf_result rs = { .status = SF_NULL };
	struct sf_event ev;
	uint32_t id = SF_NONE;

	if (op->cache != SF_NONE) {
		const struct slot *s = x_slot_of(x, op, op->cache, SF_RES_HEAP);

		if (!s)
			return;
		ar.rq.heap = s->cache;
	}
	if (op->code == SF_OP_CALLOC && !x_touches(x, op, ar.size))
		return;
	x->a->alloc(x->heap, &ar.rq, &rs);
	x_note_outcome(x, &rs);
	ev = event(x, op, &ar, &rs);
	if (rs.addr) {
		id = ev.alloc.id = x_object_new(x, rs.addr, ar.size);
		describe(x, &x->obj[id], &ar, &ev.alloc);
		if (op->code == SF_OP_CALLOC)
			look_at_zeroes(x, &ev.alloc);
	}
	x_emit(x, &ev);
	if (id != SF_NONE)
		x_write(x, &x->obj[id]);
	x_result(x, op, id);
}

/* --- realloc() --- */

/*
 * What it must keep is a pattern that fits its length: of a long object that becomes shorter the
 * rest is written as one of its own.
 */
static uint64_t prepare(struct sf_exec *x, const struct object *o, const struct alloc_record *ar)
{
	if (ar->overflow || ar->size >= o->size)
		return o->size;
	if (!o->whole && !x->opt.whole && o->size > SF_SPARSE_MIN &&
	    x_has_contents(x, o, ar->size))
		x->a->fill(x->heap, o->addr, ar->size, o->key, SF_CONTENTS_SPARSE);
	return ar->size;
}

/* The object as it was, under its old id, at the new address. */
static void resized(struct sf_exec *x, const struct sf_op *op, const struct alloc_record *ar,
		    struct sf_event *ev, uint32_t old, uint64_t keep)
{
	uint32_t id = old == SF_NONE ? x_object_new(x, ev->alloc.addr, ar->size) : old;
	struct object was = x->obj[id], *o = &x->obj[id];

	ev->alloc.id = id;
	describe(x, o, ar, &ev->alloc);
	if (old != SF_NONE) {
		*x_slot(x, op->obj) = (struct slot){ 0 };
		ev->alloc.moved = o->addr != was.addr;
		o->key = x_new_key(x);
		o->whole = false;
		if (x->lab && !ev->alloc.moved)
			x_lab_release(x, was.res);
		was.addr = o->addr;
		was.spare = 0;
		if (keep && can_be(ar))
			ev->alloc.bad = x_bad(x, &was, keep, &ev->alloc.kept);
	}
	x_emit(x, ev);
	x_write(x, o);
	x_result(x, op, id);
}

/* There is no new object: the old one is as it was, or (SF_FREED) gone. */
static void not_resized(struct sf_exec *x, const struct sf_op *op, struct sf_event *ev,
			uint32_t old, uint64_t keep)
{
	bool gone = ev->alloc.status == SF_FREED;

	if (old != SF_NONE && !gone)
		ev->alloc.bad = x_bad(x, &x->obj[old], keep, &ev->alloc.kept);
	x_emit(x, ev);
	x_slot(x, op->res)->kind = SF_RES_NONE;
	if (old == SF_NONE)
		return;
	if (gone) {
		x_object_drop(x, old);
		*x_slot(x, op->obj) = (struct slot){ 0 };
		return;
	}
	x_write(x, &x->obj[old]);
	if (x->lab)
		x_lab_release(x, x->obj[old].res);
}

void exec_user_realloc(struct sf_exec *x, const struct sf_op *op)
{
	struct alloc_record ar = record(op);
	struct sf_result rs = { .status = SF_NULL };
	uint32_t old = SF_NONE;
	uint64_t keep = 0;
	struct sf_event ev;

	if (op->obj != SF_NONE) {
		old = x_object_of(x, op, op->obj);
		if (old == SF_NONE ||
		    !x_touches(x, op, ar.size < x->obj[old].size ? ar.size : x->obj[old].size))
			return;
		x_check(x, old);
		ar.rq.heap = x->obj[old].heap;
		keep = prepare(x, &x->obj[old], &ar);
		if (x->lab)
			x_lab_quarantine(x, old);
	}
	x->a->realloc(x->heap, old == SF_NONE ? 0 : x->obj[old].addr, &ar.rq, &rs);
	x_note_outcome(x, &rs);
	ev = event(x, op, &ar, &rs);
	ev.type = SF_EV_REALLOC;
	if (old != SF_NONE) {
		ev.alloc.old_id = old;
		ev.alloc.old_addr = x->obj[old].addr;
		ev.alloc.old_size = x->obj[old].size;
	}
	if (rs.addr)
		resized(x, op, &ar, &ev, old, keep);
	else
		not_resized(x, op, &ev, old, keep);
}

/* --- free() --- */

void x_user_release(struct sf_exec *x, const struct sf_free_request *rq, struct sf_result *rs)
{
	*rs = (struct sf_result){ .status = SF_OK };
	if (x->a->caps & (SF_CAP_FREE_SIZED | SF_CAP_FREE_ALIGNED | SF_CAP_HEAPS))
		x->a->user_free(x->heap, rq, rs);
	else
		x->a->free(x->heap, rq->addr, SF_FREE_USER, rs);
}

static bool give_back(struct sf_exec *x, struct sf_event *ev, const struct sf_free_request *rq)
{
	struct sf_result rs;

	ev->free.how = SF_FREE_USER;
	ev->free.call = rq->call;
	ev->free.heap = rq->heap;
	ev->free.size = rq->size;
	ev->free.align = rq->align;
	x_user_release(x, rq, &rs);
	ev->free.error = rs.error;
	if (ev->free.id != SF_NONE)
		return x_freed(x, ev, &rs);
	ev->free.status = x->out.status = rs.status;
	x_emit(x, ev);
	return true;
}

bool x_user_free(struct sf_exec *x, uint32_t id, uint8_t call)
{
	const struct object *o = &x->obj[id];
	struct sf_event ev = x_free_event(x, id);
	struct sf_free_request rq = { .addr = o->addr, .call = call, .heap = o->heap };

	if (call != SF_CALL_FREE)
		rq.size = o->size;
	if (call == SF_CALL_FREE_ALIGNED)
		rq.align = o->align;
	return give_back(x, &ev, &rq);
}

void exec_user_free(struct sf_exec *x, const struct sf_op *op)
{
	struct sf_event ev = { .type = SF_EV_FREE, .cpu = x->cpu, .op = x->op };
	struct sf_free_request rq = { .call = sf_exec_call(op) };
	uint32_t id;

	if (op->obj == SF_NONE) {
		ev.free = (struct sf_ev_free){ .id = SF_NONE, .res = SF_NONE, .cache = SF_NONE,
					       .api = SF_API_FOREIGN, .bad = SF_GOOD,
					       .known = true };
		give_back(x, &ev, &rq);
		return;
	}
	id = x_object_of(x, op, op->obj);
	if (id != SF_NONE && x_user_free(x, id, rq.call))
		*x_slot(x, op->obj) = (struct slot){ 0 };
}

/* --- heaps --- */

static void emit_heap(struct sf_exec *x, enum sf_user_heap_act act, const struct slot *s,
		      const struct sf_op *op, enum sf_status status)
{
	bool region = act == SF_HEAP_ADD || act == SF_HEAP_REMOVE;
	uint32_t heap = region ? s->flags : s->cache, nr = region ? s->cache : 0;
	uint64_t addr = 0;

	if (x->a->heap_addr && status == SF_OK && (act == SF_HEAP_CREATE || act == SF_HEAP_ADD))
		addr = x->a->heap_addr(x->heap, heap, nr);
	x->out.status = (uint8_t)status;
	X_EMIT(x, USER_HEAP, userheap, .act = (uint8_t)act, .status = (uint8_t)status,
	       .heap = heap, .region = nr, .addr = addr,
	       .res = !op ? SF_NONE : op->res != SF_NONE ? op->res :
		      region ? op->obj : op->cache,
	       .size = op ? op->size : 0, .at = op ? op->count : 0);
}

void exec_user_heap_create(struct sf_exec *x, const struct sf_op *op)
{
	struct slot s = { .kind = SF_RES_HEAP, .obj = SF_NONE };

	s.cache = x->a->heap_create(x->heap, op->size, op->count);
	if (!s.cache)
		s.kind = SF_RES_NONE;
	emit_heap(x, SF_HEAP_CREATE, &s, op, s.cache ? SF_OK : SF_NULL);
	*x_slot(x, op->res) = s;
}

void exec_user_heap_add(struct sf_exec *x, const struct sf_op *op)
{
	const struct slot *heap = x_slot_of(x, op, op->cache, SF_RES_HEAP);
	struct slot s = { .kind = SF_RES_REGION, .obj = SF_NONE };

	if (!heap)
		return;
	s.flags = heap->cache;
	s.cache = x->a->heap_add(x->heap, heap->cache, op->size, op->count);
	if (!s.cache)
		s.kind = SF_RES_NONE;
	emit_heap(x, SF_HEAP_ADD, &s, op, s.cache ? SF_OK : SF_NULL);
	*x_slot(x, op->res) = s;
}

/* One that is in use stays until its heap goes. */
void exec_user_heap_remove(struct sf_exec *x, const struct sf_op *op)
{
	struct slot *s = x_slot_of(x, op, op->obj, SF_RES_REGION);

	if (!s)
		return;
	emit_heap(x, SF_HEAP_REMOVE, s, op, x->a->heap_remove(x->heap, s->flags, s->cache));
	*s = (struct slot){ 0 };
}

static void objects_go(struct sf_exec *x, uint32_t heap)
{
	for (uint32_t id = 0; id < x->nr_objs; id++) {
		const struct object *o = &x->obj[id];
		uint32_t res = o->res;
		struct sf_event ev;

		if (!o->alive || o->api != SF_API_FOREIGN || o->heap != heap)
			continue;
		ev = x_free_event(x, id);
		ev.free.how = SF_FREE_HEAP;
		ev.free.heap = heap;
		x_emit(x, &ev);
		x_object_drop(x, id);
		*x_slot(x, res) = (struct slot){ 0 };
	}
}

static void destroy(struct sf_exec *x, struct slot *s, const struct sf_op *op)
{
	objects_go(x, s->cache);
	x->a->heap_destroy(x->heap, s->cache);
	for (uint32_t i = 0; i < x->nr_slots; i++)
		if (x->slot[i].kind == SF_RES_REGION && x->slot[i].flags == s->cache)
			x->slot[i] = (struct slot){ 0 };
	emit_heap(x, SF_HEAP_DESTROY, s, op, SF_OK);
	*s = (struct slot){ 0 };
}

void exec_user_heap_destroy(struct sf_exec *x, const struct sf_op *op)
{
	struct slot *s = x_slot_of(x, op, op->cache, SF_RES_HEAP);

	if (s)
		destroy(x, s, op);
}

/* --- the rest --- */

void exec_malloc_usable_size(struct sf_exec *x, const struct sf_op *op)
{
	uint32_t id = SF_NONE;
	uint64_t addr = 0;

	if (op->obj != SF_NONE) {
		id = x_object_of(x, op, op->obj);
		if (id == SF_NONE)
			return;
		addr = x->obj[id].addr;
	}
	X_EMIT(x, KSIZE, ksize, .id = id, .addr = addr, .value = x->a->usable(x->heap, addr));
}

void exec_malloc_good_size(struct sf_exec *x, const struct sf_op *op)
{
	X_EMIT(x, GOOD_SIZE, goodsize, .size = op->size,
	       .value = x->a->good_size(x->heap, op->size));
}

void exec_thread(struct sf_exec *x, const struct sf_op *op)
{
	x->a->set_thread(x->heap, op->cpu);
}

void exec_malloc_trim(struct sf_exec *x, const struct sf_op *op)
{
	int ret = x->a->trim(x->heap, op->size);

	x->out.ret = ret;
	X_EMIT(x, TRIM, trim, .ret = ret);
}

static void emit_stats(struct sf_exec *x, bool final)
{
	struct sf_stats st = { SF_UNKNOWN, SF_UNKNOWN, SF_UNKNOWN, SF_UNKNOWN, SF_UNKNOWN };

	x->a->stats(x->heap, &st);
	X_EMIT(x, STATS, stats, .live = st.live, .used = st.used, .free = st.free,
	       .total = st.total, .peak = st.peak, .final = final);
}

void exec_malloc_stats(struct sf_exec *x, const struct sf_op *op)
{
	(void)op;
	emit_stats(x, false);
}

void x_integrity(struct sf_exec *x)
{
	X_EMIT(x, INTEGRITY, integrity, .what = x->a->integrity(x->heap));
}

void exec_malloc_check(struct sf_exec *x, const struct sf_op *op)
{
	(void)op;
	x_integrity(x);
}

/* What is counted before there is any object of the program. */
void x_user_begin(struct sf_exec *x)
{
	if (x_has(x, SF_CAP_MALLOC | SF_CAP_STATS))
		emit_stats(x, false);
}

void x_user_close(struct sf_exec *x)
{
	if (!x_has(x, SF_CAP_MALLOC))
		return;
	for (uint32_t i = 0; i < x->nr_slots; i++)
		if (x->slot[i].kind == SF_RES_HEAP)
			destroy(x, &x->slot[i], NULL);
	if (x_has(x, SF_CAP_STATS))
		emit_stats(x, x->counts.live == 0);
	if (x_has(x, SF_CAP_INTEGRITY))
		x_integrity(x);
}
