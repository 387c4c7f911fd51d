// SPDX-License-Identifier: MIT
/*
 * exec_pool.c - pools of memory that is sealed: allocation, writes, rare writes, destruction; and
 * what is in their objects.
 *
 * An object of a pool is its own pattern, whole, and on top of it what rare writes of parts left
 * there: a list of patches, the newest first, so that every byte has one value that is due. Words
 * with a patch are verified one by one, each as the pattern of a key that is the word itself.
 * Relies on exec.c's tables and exec_ops.c's records of allocations; rows of SF_OPS lead here. The
 * objects of a pool are a list from its result, the one allocated last in front.
 */
#include "exec_internal.h"

enum {
	RUN_WORDS = 512, /* of a run of patched words so many are looked at, unless all are */
};

/* Bytes [from, to) of an object, written by a rare write that counted from another place. */
struct patch {
	uint32_t next;       /* older one; 0: none */
	uint64_t from, to;
	uint64_t key;
	uint64_t ahead;      /* words between where it counted from and the object */
};

/* --- patches: from 1 on, 0 is none --- */

static uint32_t patch_new(struct sf_exec *x, const struct patch *p)
{
	uint32_t i = x->free_patch;

	if (i) {
		x->free_patch = x->patch[i].next;
	} else {
		i = ++x->nr_patches;
		x->patch = sf_grow_zeroed(x->patch, &x->cap_patches, i + 1, sizeof(*x->patch));
	}
	x->patch[i] = *p;
	return i;
}

/* Takes out what `link` refers to. */
static void patch_drop(struct sf_exec *x, uint32_t *link)
{
	uint32_t i = *link;

	*link = x->patch[i].next;
	x->patch[i].next = x->free_patch;
	x->free_patch = i;
}

void x_patches_drop(struct sf_exec *x, struct object *o)
{
	while (o->patch)
		patch_drop(x, &o->patch);
}

/* What a new patch hides wholly is not needed any more; one that hides all is no patch. */
static void settle(struct sf_exec *x, struct object *o)
{
	const struct patch top = x->patch[o->patch];
	uint32_t *link = &x->patch[o->patch].next;

	while (*link) {
		const struct patch *p = &x->patch[*link];

		if (p->from >= top.from && p->to <= top.to)
			patch_drop(x, link);
		else
			link = &x->patch[*link].next;
	}
	if (top.from || top.to < o->size || top.ahead)
		return;
	o->key = top.key;
	o->blank = false;
	patch_drop(x, &o->patch);
}

/* --- what is due --- */

/* Bytes [.., end) that were written at once. */
struct run {
	uint64_t end, key, ahead;
	bool blank;          /* never written: zero */
};

static struct run run_at(const struct sf_exec *x, const struct object *o, uint32_t head,
			 uint64_t pos)
{
	struct run r = { .end = o->size, .key = o->key, .blank = o->blank };

	for (uint32_t i = head; i; i = x->patch[i].next) {
		const struct patch *p = &x->patch[i];

		if (pos >= p->from && pos < p->to) {
			r = (struct run){ .end = p->to < r.end ? p->to : r.end, .key = p->key,
					  .ahead = p->ahead };
			break;
		}
		if (p->from > pos && p->from < r.end)
			r.end = p->from;
	}
	return r;
}

static uint64_t verify_word(struct sf_exec *x, const struct object *o, uint64_t pos, uint64_t end,
			    uint64_t word)
{
	uint64_t n = end - pos < 8 ? end - pos : 8;
	uint64_t bad = x->a->verify(x->heap, o->addr + pos, n, word, SF_CONTENTS_WHOLE);

	return bad == SF_GOOD ? SF_GOOD : pos + bad;
}

/* Whole words of one run: from `pos`, a multiple of 8, to `end`, another or the object's end. */
static uint64_t bad_in_run(struct sf_exec *x, const struct object *o, const struct run *r,
			   uint64_t pos, uint64_t end)
{
	uint64_t step = x->opt.whole ? 8 : ((end - pos) / (8 * RUN_WORDS) + 1) * 8;
	uint64_t last = (end - 1) & ~7ull, bad;

	if (r->blank)
		return x->a->zeroed(x->heap, o->addr, pos, end, SF_CONTENTS_WHOLE);
	if (!pos && !r->ahead)
		return x->a->verify(x->heap, o->addr, end, r->key, SF_CONTENTS_WHOLE);
	while ((bad = verify_word(x, o, pos, end, sf_pattern(r->key, pos / 8 + r->ahead))) ==
		       SF_GOOD && pos < last)
		pos = last - pos < step ? last : pos + step;
	return bad;
}

/*
 * A word in which runs meet. Each pattern's lowest bit is set, so such a word is a pattern as well;
 * but for zeroes in it, and there is no key for those: it is not looked at then.
 */
static uint64_t bad_in_word(struct sf_exec *x, const struct object *o, uint32_t head, uint64_t pos)
{
	uint64_t end = o->size - pos < 8 ? o->size : pos + 8, word = 0;

	for (uint64_t k = 0; k < end - pos; k++) {
		struct run r = run_at(x, o, head, pos + k);

		if (r.blank)
			return SF_GOOD;
		word |= sf_pattern(r.key, pos / 8 + r.ahead) & 0xffull << (8 * k);
	}
	return verify_word(x, o, pos, end, word);
}

/* The first offset of an object that is not as it is due with the patches from `head` on. */
static uint64_t bad_with(struct sf_exec *x, const struct object *o, uint32_t head)
{
	uint64_t pos = 0, bad = SF_GOOD;

	while (pos < o->size && bad == SF_GOOD) {
		struct run r = run_at(x, o, head, pos);
		uint64_t end = r.end == o->size ? r.end : r.end & ~7ull;

		if (end > pos) {
			bad = bad_in_run(x, o, &r, pos, end);
			pos = end;
		} else {
			bad = bad_in_word(x, o, head, pos);
			pos += 8;
		}
	}
	return bad;
}

uint64_t x_pool_bad(struct sf_exec *x, const struct object *o)
{
	return bad_with(x, o, o->patch);
}

/* --- rare writes --- */

/* A range of a pool, to be written. It may reach beyond the object that it counts from. */
struct range {
	struct slot *pool;
	uint32_t id;         /* the object */
	uint64_t addr, from, size; /* where it lies; the range */
	uint64_t key;
};

/* Puts the part of the range that lies in an object on top of it. */
static bool put_patch(struct sf_exec *x, const struct range *r, uint32_t id)
{
	struct object *o = &x->obj[id];
	struct patch p = { .next = o->patch, .to = o->size, .key = r->key };
	uint64_t start = r->addr + r->from;

	if (start > o->addr)
		p.from = start - o->addr;
	else if (o->addr - start >= r->size)
		return false;
	if (p.from >= o->size)
		return false;
	if (r->size < o->addr + o->size - start)
		p.to = start + r->size - o->addr;
	p.ahead = (o->addr - r->addr) / 8;
	o->patch = patch_new(x, &p);
	return true;
}

static bool within(const struct sf_exec *x, const struct range *r)
{
	const struct object *o = &x->obj[r->id];

	return r->from <= o->size && r->size <= o->size - r->from;
}

/*
 * The range as patches of all objects that it concerns; or those become contents (`done`), or go
 * again. A range that leaves its object may concern any of the pool.
 */
static void put_patches(struct sf_exec *x, const struct range *r)
{
	uint64_t end;

	if (__builtin_add_overflow(r->addr + r->from, r->size, &end))
		return;
	if (within(x, r)) {
		put_patch(x, r, r->id);
		return;
	}
	for (uint32_t id = r->pool->obj; id != SF_NONE; id = x->obj[id].next)
		put_patch(x, r, id);
}

static bool is_patched(const struct sf_exec *x, uint32_t id, uint64_t key)
{
	return x->obj[id].patch && x->patch[x->obj[id].patch].key == key;
}

static void end_patch(struct sf_exec *x, const struct range *r, uint32_t id, bool done)
{
	if (!is_patched(x, id, r->key))
		return;
	if (done)
		settle(x, &x->obj[id]);
	else
		patch_drop(x, &x->obj[id].patch);
}

static void end_patches(struct sf_exec *x, const struct range *r, bool done)
{
	if (within(x, r)) {
		end_patch(x, r, r->id, done);
		return;
	}
	for (uint32_t id = r->pool->obj; id != SF_NONE; id = x->obj[id].next)
		end_patch(x, r, id, done);
}

/* A reader in the midst of a rare write: all of it, or nothing. */
void x_pool_midst(void *exec, bool after)
{
	struct sf_exec *x = exec;
	struct rare *r = &x->rare;
	const struct object *o;
	uint32_t head;

	if (r->id == SF_NONE)
		return;
	o = &x->obj[r->id];
	if (!x_has_contents(x, o, o->size))
		return;
	head = o->patch;
	if (!after && is_patched(x, r->id, r->key))
		head = x->patch[head].next;
	r->seen |= after ? 2 : 1;
	*(after ? &r->after : &r->before) = bad_with(x, o, head);
}

/* Writes n bytes from `off` on of an object, through the pool of that slot; emits. */
static enum sf_status rare_write(struct sf_exec *x, struct slot *s, uint32_t id, uint64_t off,
				 uint64_t n)
{
	const struct object *o = &x->obj[id];
	struct range r = { .pool = s, .id = id, .addr = o->addr, .from = off, .size = n,
			   .key = x_new_key(x) };
	uint64_t verified = 0, bad;
	enum sf_status status;

	if (o->pool == s->cache)
		put_patches(x, &r);
	x->rare = (struct rare){ .id = id, .key = r.key, .before = SF_GOOD, .after = SF_GOOD };
	status = x->a->rare_write(x->heap, s->cache, r.addr, off, n, r.key);
	x->rare.id = SF_NONE;
	if (o->pool == s->cache)
		end_patches(x, &r, status == SF_OK);
	bad = x_bad(x, o, o->size, &verified);
	X_EMIT(x, RARE, rare, .pool = s->cache, .id = id, .res = o->res, .addr = r.addr,
	       .offset = off, .size = n, .status = (uint8_t)status, .seen = x->rare.seen,
	       .before = x->rare.before, .after = x->rare.after, .bad = bad, .verified = verified);
	return status;
}

void exec_rare_write(struct sf_exec *x, const struct sf_op *op)
{
	uint64_t off = op->count, n = op->size;
	struct slot *s;
	uint32_t id;

	s = x_slot_of(x, op, op->cache, SF_RES_POOL);
	id = s ? x_object_or_skip(x, op) : SF_NONE;
	if (id == SF_NONE)
		return;
	if (!n && off < x->obj[id].size)
		n = x->obj[id].size - off;
	x->out.status = (uint8_t)rare_write(x, s, id, off, n);
}

/* --- writes --- */

static enum sf_status store(struct sf_exec *x, uint32_t id)
{
	struct object *o = &x->obj[id];
	uint64_t key = x_new_key(x);
	enum sf_status status = x->a->pool_write(x->heap, o->addr, o->size, key,
						 SF_CONTENTS_WHOLE);

	if (status == SF_OK) {
		x_patches_drop(x, o);
		o->key = key;
		o->blank = false;
	}
	return status;
}

/* The first contents, as the pool allows. If it does not, the object stays zero. */
static void fill(struct sf_exec *x, uint32_t id, struct slot *s)
{
	struct object *o = &x->obj[id];

	o->blank = true;
	if (!x_has_contents(x, o, o->size))
		return;
	if (s->flags == SF_POOL_START_WR || store(x, id) != SF_OK)
		rare_write(x, s, id, 0, o->size);
}

void x_pool_write(struct sf_exec *x, uint32_t id)
{
	const struct object *o = &x->obj[id];
	uint64_t verified = 0, bad;

	if (x->tainted)
		return;
	x_check(x, id);
	x->out.status = (uint8_t)store(x, id);
	bad = x_bad(x, o, o->size, &verified);
	X_EMIT(x, WRITE, write, .id = id, .res = o->res, .addr = o->addr, .size = o->size,
	       .status = x->out.status, .bad = bad, .verified = verified);
}

/* --- pools --- */

static void emit_pool(struct sf_exec *x, uint32_t res, enum sf_pool_act act, enum sf_status status)
{
	const struct slot *s = x_slot(x, res);

	X_EMIT(x, POOL, pool, .pool = s->cache, .res = res, .refill = s->size, .act = (uint8_t)act,
	       .mode = (uint8_t)s->flags, .status = (uint8_t)status);
}

void exec_pool_create(struct sf_exec *x, const struct sf_op *op)
{
	const struct sf_pool_request rq = { .mode = op->fault, .refill = op->count };
	struct slot *s;

	s = x_slot(x, op->res);
	*s = (struct slot){ .kind = SF_RES_POOL, .obj = SF_NONE, .flags = rq.mode,
			    .size = rq.refill };
	s->cache = x->a->pool_create(x->heap, &rq);
	x->out.status = s->cache == SF_NONE ? SF_NULL : SF_OK;
	emit_pool(x, op->res, SF_POOL_CREATE, (enum sf_status)x->out.status);
	if (s->cache == SF_NONE)
		*s = (struct slot){ 0 };
}

void exec_pmalloc(struct sf_exec *x, const struct sf_op *op)
{
	struct alloc_record ar = x_record(x, op, SF_API_PMALLOC);
	struct sf_result rs = { .status = SF_NULL };
	struct slot *s;
	uint32_t id;

	s = x_slot_of(x, op, op->cache, SF_RES_POOL);
	if (!s)
		return;
	ar.rq.gfp |= SF_GFP_KERNEL;
	ar.n = sf_op_table[op->code].flags & SF_OPF_ARRAY ? op->n : 1;
	ar.elem = op->size;
	ar.pool = s->cache;
	ar.overflow = __builtin_mul_overflow(ar.n, ar.elem, &ar.size);
	if (ar.overflow)
		ar.size = UINT64_MAX;
	x->a->pool_alloc(x->heap, s->cache, ar.n, ar.elem, &rs);
	id = x_allocated(x, op, &ar, &rs);
	x_result(x, op, id);
	if (id == SF_NONE)
		return;
	s = x_slot(x, op->cache); /* x_result() may have moved the table */
	x->obj[id].next = s->obj;
	s->obj = id;
	fill(x, id, s);
}

void exec_pool_protect(struct sf_exec *x, const struct sf_op *op)
{
	bool seal = op->code == SF_OP_POOL_PROTECT;
	const struct slot *s;

	s = x_slot_of(x, op, op->cache, SF_RES_POOL);
	if (!s)
		return;
	x->out.status = (uint8_t)(seal ? x->a->pool_protect(x->heap, s->cache)
				       : x->a->pool_unprotect(x->heap, s->cache));
	emit_pool(x, op->cache, seal ? SF_POOL_PROTECT : SF_POOL_UNPROTECT,
		  (enum sf_status)x->out.status);
}

/* What was found in an object before its pool went is emitted after; it keeps it till then. */
static void emit_freed(struct sf_exec *x, uint32_t id)
{
	const struct object *o = &x->obj[id];
	struct slot *s = x_slot(x, o->res);

	X_EMIT(x, FREE, free, .id = id, .res = o->res, .api = o->api, .how = SF_FREE_POOL,
	       .status = SF_OK, .cache = SF_NONE, .addr = o->addr, .known = true, .bad = o->key,
	       .verified = o->verified ? o->size : 0);
	if (x_has_objects(s) && s->obj == id)
		*s = (struct slot){ 0 };
	x_object_drop(x, id);
}

void x_pool_release(struct sf_exec *x, uint32_t res)
{
	uint32_t first = x_slot(x, res)->obj, next;

	for (uint32_t id = first; id != SF_NONE; id = x->obj[id].next) {
		struct sf_event ev = x_free_event(x, id);

		x->obj[id].key = ev.free.bad;
		x->obj[id].verified = ev.free.verified != 0;
	}
	x->a->pool_destroy(x->heap, x_slot(x, res)->cache);
	for (uint32_t id = first; id != SF_NONE; id = next) {
		next = x->obj[id].next;
		emit_freed(x, id);
	}
	emit_pool(x, res, SF_POOL_DESTROY, SF_OK);
	*x_slot(x, res) = (struct slot){ 0 };
}

void exec_pool_destroy(struct sf_exec *x, const struct sf_op *op)
{
	if (x_slot_of(x, op, op->cache, SF_RES_POOL))
		x_pool_release(x, op->cache);
}
