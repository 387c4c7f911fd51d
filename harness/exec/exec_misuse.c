// SPDX-License-Identifier: MIT
/*
 * exec_misuse.c - misuse on purpose, and what it reached.
 *
 * Nothing is concluded from where things lie: the mistake is made, and then everything is looked
 * at. Before it every live object is copied and all free lists and sheaves are walked. After a
 * write the objects and the free pointers that hold other bytes were reached; it inverts each byte
 * of its range, so nothing that it hits stays as it was. After a free so was every live object
 * whose memory a free list or a sheaf names now, or whose slab or pages went; and the allocator
 * itself, if it holds the same memory twice.
 *
 * An allocator that shows no free lists is known by what it leaves: bytes that are nobody's, and
 * hold neither what the last owner left there nor what fresh memory holds, are its own
 * (exec_left.c). What a free of such a one reached only shows when memory is handed out again.
 *
 * Relies on peek(), poke() and walk(). The table of exec_ops.c leads here; exec.c opens a lab where
 * the setting misuse is on, so that nothing else pays for any of this.
 */
#include "exec_internal.h"

#include <stdlib.h>
#include <string.h>

#define PIECE 4096u
#define RANGE_MAX X_RANGE_MAX

/* What is left of an object that was freed, for misuse by those who hold on to it. */
struct quarantined {
	uint64_t addr, size;
	uint32_t head;       /* bytes in front that its user never saw */
	uint32_t cache, asked; /* it lay in, and was asked of; SF_NONE */
	uint16_t type;
	uint8_t partition, api;
	uint32_t heap;       /* FOREIGN: it is of, 0: the first */
};

/* A cache, as far as its free objects are concerned. */
struct shape {
	uint32_t stride, freeptr;
};

/* A live object, as it was before. */
struct witness {
	uint32_t id;
	uint32_t cache;
	uint8_t kind, partition; /* of its place */
	bool reported;
	uint64_t base;
	uint64_t at, copied; /* in the lab's copy */
};

/* A free object, as a walk names it. */
struct entry {
	uint64_t addr;
	uint64_t word;       /* its free pointer, as it is stored */
	uint32_t cache;
	bool listed;         /* on a slab's free list: it has a free pointer */
};

struct entries {
	struct entry *e;
	uint32_t nr;
	size_t cap;
};

struct lab {
	struct quarantined *quarantine; /* by result number */
	uint32_t nr_quarantined;
	size_t cap_quarantine;
	struct shape *shape; /* by cache id */
	uint32_t nr_shapes;
	size_t cap_shapes;
	struct witness *witness;
	uint32_t nr_witnesses;
	size_t cap_witnesses;
	uint8_t *copy;
	size_t cap_copy;     /* in pieces */
	struct entries before, after;
	bool acting;
	uint64_t warnings;   /* while acting */
	uint8_t claimed[RANGE_MAX / 8]; /* bit by byte of the range: an object's, or a free one's */
	struct left *left;   /* NULL: free lists are shown */
	void *given;         /* by the C library, to be freed to the allocator */
	uint8_t unheard[RANGE_MAX + 64]; /* memory that it never had */
};

/* A misuse under way. */
struct misuse {
	const struct sf_op *op;
	uint32_t id;         /* of the object, if it is alive, or SF_NONE */
	struct quarantined of;     /* the object, as it is or was */
	uint64_t addr, size; /* to write, or to free: size 0 */
	uint64_t aliased;    /* bytes that changed at other addresses than those written */
	uint64_t zero;       /* bytes written that had been zero */
	uint32_t reached;
};

/* --- the lab --- */

void x_lab_open(struct sf_exec *x)
{
	x->lab = sf_zalloc(1, sizeof(*x->lab));
	if (!x_has(x, SF_CAP_WALK))
		x->lab->left = x_left_create();
}

void x_lab_begin(struct sf_exec *x)
{
	x->lab->nr_quarantined = 0;
	if (x->lab->left)
		x_left_begin(x->lab->left);
}

void x_lab_close(struct sf_exec *x)
{
	struct lab *l = x->lab;

	x->lab = NULL;
	if (!l)
		return;
	free(l->quarantine);
	free(l->shape);
	free(l->witness);
	free(l->copy);
	free(l->before.e);
	free(l->after.e);
	x_left_free(l->left);
	free(l->given);
	free(l);
}

void x_lab_emit(void *exec, const struct sf_event *ev)
{
	struct sf_exec *x = exec;
	struct lab *l = x->lab;

	if (ev->type == SF_EV_CACHE) {
		uint32_t id = ev->cache.id;

		l->shape = sf_grow_zeroed(l->shape, &l->cap_shapes, id + 1, sizeof(*l->shape));
		if (id >= l->nr_shapes)
			l->nr_shapes = id + 1;
		l->shape[id] = (struct shape){ ev->cache.stride, ev->cache.freeptr };
	}
	l->warnings += l->acting && ev->type == SF_EV_WARN;
	x_emit(x, ev);
}

static struct shape shape_of(const struct lab *l, uint32_t cache)
{
	return cache < l->nr_shapes ? l->shape[cache] : (struct shape){ .stride = 1 };
}

/* --- who was where --- */

static void place_of(struct sf_exec *x, uint64_t addr, struct sf_place *pl)
{
	*pl = (struct sf_place){ .kind = SF_PLACE_UNKNOWN, .cache = SF_NONE, .pfn = SF_NO_PFN };
	if (x_has(x, SF_CAP_PLACE))
		x->a->place(x->heap, addr, pl);
}

static struct quarantined describe(struct sf_exec *x, const struct object *o)
{
	struct sf_place pl;

	place_of(x, o->addr, &pl);
	return (struct quarantined){ .addr = o->addr, .size = o->size,
			       .head = (uint32_t)x_head_size(x, o), .cache = pl.cache,
			       .asked = o->cache, .type = o->type, .partition = pl.partition,
			       .api = o->api, .heap = o->heap };
}

void x_lab_quarantine(struct sf_exec *x, uint32_t id)
{
	const struct object *o = &x->obj[id];
	struct lab *l = x->lab;

	if (!x_is_real(o->addr))
		return;
	if (o->res >= l->nr_quarantined) {
		l->quarantine = sf_grow_zeroed(l->quarantine, &l->cap_quarantine, o->res + 1,
					  sizeof(*l->quarantine));
		memset(l->quarantine + l->nr_quarantined, 0,
		       (o->res + 1 - l->nr_quarantined) * sizeof(*l->quarantine));
		l->nr_quarantined = o->res + 1;
	}
	l->quarantine[o->res] = describe(x, o);
	if (l->left)
		x_left_note(l->left, x, o);
}

void x_lab_release(struct sf_exec *x, uint32_t res)
{
	if (res < x->lab->nr_quarantined)
		x->lab->quarantine[res] = (struct quarantined){ 0 };
}

/* Its objects can be freed with kfree() alone: there is no cache to name. */
void x_lab_cache_gone(struct sf_exec *x, uint32_t cache)
{
	struct lab *l = x->lab;

	for (uint32_t i = 0; i < l->nr_quarantined; i++)
		if (l->quarantine[i].asked == cache)
			l->quarantine[i].asked = SF_NONE;
}

/* --- before --- */

static uint64_t piece(uint64_t left)
{
	return left < PIECE ? left : PIECE;
}

/* What is freed to who never had it is dead to its owner all the same. */
static bool goes_elsewhere(const struct sf_op *op)
{
	return op->code == SF_OP_WRONG_CACHE_FREE || op->code == SF_OP_HEAP_FREE ||
	       op->code == SF_OP_HEAP_REALLOC;
}

static void watch(struct sf_exec *x, const struct misuse *m, uint32_t id, uint64_t *used)
{
	const struct object *o = &x->obj[id];
	struct lab *l = x->lab;
	struct sf_place pl;

	if (!x_is_real(o->addr) || !o->size ||
	    (id == m->id && goes_elsewhere(m->op)))
		return;
	l->witness = sf_grow_zeroed(l->witness, &l->cap_witnesses, l->nr_witnesses + 1u,
				    sizeof(*l->witness));
	l->copy = sf_grow_zeroed(l->copy, &l->cap_copy, (*used + o->size) / PIECE + 1, PIECE);
	place_of(x, o->addr, &pl);
	l->witness[l->nr_witnesses++] = (struct witness){
		.id = id, .cache = pl.cache, .kind = pl.kind, .partition = pl.partition,
		.base = pl.base, .at = *used,
		.copied = x->a->peek(x->heap, o->addr, l->copy + *used, o->size),
	};
	*used += o->size;
}

static void watch_all(struct sf_exec *x, const struct misuse *m)
{
	uint64_t used = 0;

	x->lab->nr_witnesses = 0;
	for (uint32_t i = 0; i < x->nr_slots; i++)
		if (x_has_objects(&x->slot[i]))
			X_EACH_OF(x, &x->slot[i], id)
				watch(x, m, id, &used);
}

struct walker {
	const struct sf_exec *x;
	struct entries *to;
};

static void add(struct walker *w, uint32_t cache, bool listed, const uint64_t *addrs, uint32_t nr)
{
	struct entries *to = w->to;

	to->e = sf_grow_zeroed(to->e, &to->cap, to->nr + nr, sizeof(*to->e));
	for (uint32_t i = 0; i < nr; i++) {
		struct entry *e = &to->e[to->nr++];
		const struct sf_exec *x = w->x;

		*e = (struct entry){ .addr = addrs[i], .cache = cache, .listed = listed };
		if (listed)
			x->a->peek(x->heap, e->addr + shape_of(x->lab, cache).freeptr, &e->word,
				   sizeof(e->word));
	}
}

static void on_walk(void *ctx, const struct sf_event *ev)
{
	if (ev->type == SF_EV_SNAP_SLAB)
		add(ctx, ev->snapslab.cache, true, ev->snapslab.free, ev->snapslab.nr_free);
	else if (ev->type == SF_EV_SNAP_SHEAF)
		add(ctx, ev->snapsheaf.cache, false, ev->snapsheaf.objs, ev->snapsheaf.nr);
}

static void walk(struct sf_exec *x, struct entries *to)
{
	struct walker w = { x, to };
	struct sf_sink sink = { .emit = on_walk, .ctx = &w, .op = x->op };

	to->nr = 0;
	if (x_has(x, SF_CAP_WALK))
		x->a->walk(x->heap, &sink, true, false);
}

/* --- what was reached --- */

static void claim(struct sf_exec *x, struct misuse *m, uint64_t addr, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++) {
		uint64_t at = addr + i - m->addr;

		if (at < m->size)
			x->lab->claimed[at / 8] |= (uint8_t)(1u << (at % 8));
		else
			m->aliased++;
	}
}

static void reach(struct sf_exec *x, struct misuse *m, enum sf_reach what, const struct witness *w,
		  uint32_t cache, uint64_t addr, uint64_t size)
{
	const struct object *o = w ? &x->obj[w->id] : NULL;

	m->reached |= 1u << what;
	X_EMIT(x, REACH, reach, .code = m->op->code, .what = (uint8_t)what,
	       .partition = w ? w->partition : 0, .type = o ? o->type : 0,
	       .id = w ? w->id : SF_NONE, .res = o ? o->res : SF_NONE, .cache = cache,
	       .addr = addr, .size = size);
}

/* Once for each that is true of it. What lies in a pool is in no cache, and no partition. */
static void reach_object(struct sf_exec *x, struct misuse *m, struct witness *w, uint64_t addr,
			 uint64_t size)
{
	uint16_t type = x->obj[w->id].type;
	bool same = type && type == m->of.type;

	if (w->reported)
		return;
	w->reported = true;
	if (w->kind == SF_PLACE_POOL)
		reach(x, m, SF_REACH_POOLED, w, w->cache, addr, size);
	else if (same)
		reach(x, m, SF_REACH_SAME_TYPE, w, w->cache, addr, size);
	else if (w->cache == m->of.cache)
		reach(x, m, SF_REACH_SAME_PARTITION, w, w->cache, addr, size);
	if (w->cache != m->of.cache && w->kind != SF_PLACE_POOL)
		reach(x, m, SF_REACH_OTHER_PARTITION, w, w->cache, addr, size);
	if (sf_types[type].pointer)
		reach(x, m, SF_REACH_POINTER, w, w->cache, addr, size);
}

/* The bytes of an object that are not what they were: the first one, and how many. */
static uint64_t changes(struct sf_exec *x, const struct witness *w, uint64_t *first)
{
	const struct object *o = &x->obj[w->id];
	const uint8_t *was = x->lab->copy + w->at;
	uint8_t have[PIECE];
	uint64_t nr = 0;

	for (uint64_t at = 0; at < w->copied; at += PIECE) {
		uint64_t n = piece(w->copied - at);
		uint64_t got = x->a->peek(x->heap, o->addr + at, have, n);

		if (got == n && !memcmp(have, was + at, n))
			continue;
		for (uint64_t i = 0; i < n; i++) {
			if (i < got && have[i] == was[at + i])
				continue;
			if (!nr++)
				*first = at + i;
		}
	}
	return nr;
}

static void compare_contents(struct sf_exec *x, struct misuse *m)
{
	for (uint32_t i = 0; i < x->lab->nr_witnesses; i++) {
		struct witness *w = &x->lab->witness[i];
		uint64_t first = 0, nr = changes(x, w, &first);

		if (!nr)
			continue;
		reach_object(x, m, w, x->obj[w->id].addr + first, nr);
		if (m->size)
			claim(x, m, x->obj[w->id].addr + first, nr);
	}
}

/* --- writes --- */

/*
 * Inverts a range upwards, until something is not mapped, or sealed. Returns how many bytes it did.
 */
static uint64_t write_up(struct sf_exec *x, uint64_t addr, uint64_t size)
{
	uint8_t bytes[PIECE];
	uint64_t done = 0;

	while (done < size) {
		uint64_t n = piece(size - done);
		uint64_t got = x->a->peek(x->heap, addr + done, bytes, n);

		for (uint64_t i = 0; i < got; i++)
			bytes[i] = (uint8_t)~bytes[i];
		got = x->a->poke(x->heap, addr + done, bytes, got);
		done += got;
		if (got < n)
			break;
	}
	return done;
}

/* The same from its end downwards, page by page: a page is mapped or it is not. */
static uint64_t write_down(struct sf_exec *x, uint64_t end, uint64_t size)
{
	uint64_t done = 0;

	while (done < size) {
		uint64_t n = (end - done - 1) % SF_PAGE_SIZE + 1;

		if (n > size - done)
			n = size - done;
		if (write_up(x, end - done - n, n) < n)
			break;
		done += n;
	}
	return done;
}

/* The same where the frames of the range are in the direct map. */
static uint64_t write_direct(struct sf_exec *x, uint64_t addr, uint64_t size)
{
	uint64_t done = 0;

	while (done < size) {
		uint64_t in = (addr + done) % SF_PAGE_SIZE, n = SF_PAGE_SIZE - in, got;
		struct sf_place pl;

		if (n > size - done)
			n = size - done;
		place_of(x, addr + done, &pl);
		if (pl.pfn == SF_NO_PFN)
			break;
		got = write_up(x, SF_DIRECT_MAP + pl.pfn * SF_PAGE_SIZE + in, n);
		done += got;
		if (got < n)
			break;
	}
	return done;
}

/* Free pointers that were hit. */
static void compare_words(struct sf_exec *x, struct misuse *m)
{
	const struct entries *was = &x->lab->before;

	for (uint32_t i = 0; i < was->nr; i++) {
		const struct entry *e = &was->e[i];
		uint64_t at = e->addr + shape_of(x->lab, e->cache).freeptr, now = 0, first, nr;

		if (!e->listed)
			continue;
		x->a->peek(x->heap, at, &now, sizeof(now));
		if (now == e->word)
			continue;
		/* Inverted bytes: those that changed lie together. */
		first = (uint64_t)__builtin_ctzll(now ^ e->word) / 8;
		nr = 8 - first - (uint64_t)__builtin_clzll(now ^ e->word) / 8;
		reach(x, m, SF_REACH_METADATA, NULL, e->cache, at + first, nr);
		claim(x, m, at + first, nr);
	}
}

/*
 * Before there is a write: an allocator that is asked for a usable size may look at the object, and
 * would notice then what it does not notice by itself. What an object may use is its owner's.
 */
static void expect_left(struct sf_exec *x, const struct misuse *m)
{
	const struct lab *l = x->lab;

	x_left_aim(l->left, m->addr, m->size);
	for (uint32_t i = 0; i < l->nr_witnesses; i++) {
		const struct object *o = &x->obj[l->witness[i].id];

		x_left_pass(l->left, o->addr, x_usable(x, o->addr, o->api));
	}
}

/* The same where nothing shows them: the allocator's bytes, as they were before inverting. */
static void compare_left(struct sf_exec *x, struct misuse *m, uint64_t from, uint64_t done)
{
	const struct lab *l = x->lab;
	uint64_t nr = 0, first = 0;
	uint8_t now[PIECE];

	for (uint64_t k = 0; k < done; k++) {
		uint64_t i = from + k - m->addr;

		if (k % PIECE == 0)
			x->a->peek(x->heap, from + k, now, piece(done - k));
		if (l->claimed[i / 8] >> (i % 8) & 1 ||
		    !x_left_strange(l->left, i, (uint8_t)~now[k % PIECE]))
			continue;
		if (!nr++)
			first = from + k;
		claim(x, m, from + k, 1);
	}
	if (nr)
		reach(x, m, SF_REACH_METADATA, NULL, SF_NONE, first, nr);
}

/* Every byte was inverted. */
static uint64_t count_zeroes(struct sf_exec *x, uint64_t addr, uint64_t size)
{
	uint8_t bytes[PIECE];
	uint64_t zero = 0;

	for (uint64_t at = 0; at < size; at += PIECE) {
		uint64_t got = x->a->peek(x->heap, addr + at, bytes, piece(size - at));

		for (uint64_t i = 0; i < got; i++)
			zero += bytes[i] == 0xff;
	}
	return zero;
}

/* What was written and is unowned. */
static void compare_rest(struct sf_exec *x, struct misuse *m, uint64_t from, uint64_t done)
{
	uint64_t nr = 0, first = 0;

	for (uint64_t at = from - m->addr; at < from - m->addr + done; at++) {
		if (x->lab->claimed[at / 8] >> (at % 8) & 1)
			continue;
		if (!nr++)
			first = at;
	}
	if (nr > m->aliased)
		reach(x, m, SF_REACH_SLACK, NULL, SF_NONE, m->addr + first, nr - m->aliased);
	if (done < m->size && m->op->code != SF_OP_DIRECTMAP_WRITE)
		reach(x, m, SF_REACH_UNMAPPED, NULL, SF_NONE,
		      from == m->addr ? from + done : m->addr, m->size - done);
}

/* Noticed is a write through the direct map that faults: the frames are mapped, and sealed. */
static bool carry_out_write(struct sf_exec *x, struct misuse *m)
{
	bool down = m->op->code == SF_OP_UNDERFLOW, direct = m->op->code == SF_OP_DIRECTMAP_WRITE;
	uint64_t end = m->addr + m->size, done;

	memset(x->lab->claimed, 0, m->size / 8 + 1);
	if (x->lab->left && !direct)
		expect_left(x, m);
	if (direct)
		done = write_direct(x, m->addr, m->size);
	else
		done = down ? write_down(x, end, m->size) : write_up(x, m->addr, m->size);
	m->zero = count_zeroes(x, down ? end - done : m->addr, done);
	compare_contents(x, m);
	compare_words(x, m);
	if (x->lab->left && !direct)
		compare_left(x, m, down ? end - done : m->addr, done);
	compare_rest(x, m, down ? end - done : m->addr, done);
	return direct && done < m->size;
}

/* --- frees --- */

static int by_address(const void *a, const void *b)
{
	const struct entry *p = a, *q = b;

	if (p->addr != q->addr)
		return p->addr < q->addr ? -1 : 1;
	return (p->cache > q->cache) - (p->cache < q->cache);
}

static void sort(struct entries *l)
{
	if (l->nr > 1)
		qsort(l->e, l->nr, sizeof(*l->e), by_address);
}

/* A slot that is free now: whose is it? */
static void compare_slot(struct sf_exec *x, struct misuse *m, const struct entry *e)
{
	uint64_t size = shape_of(x->lab, e->cache).stride;

	for (uint32_t i = 0; i < x->lab->nr_witnesses; i++) {
		struct witness *w = &x->lab->witness[i];
		const struct object *o = &x->obj[w->id];

		if (o->addr - e->addr < size || e->addr - o->addr < o->size)
			reach_object(x, m, w, e->addr, size);
	}
}

/* Free slots that were not free before, or not so often. Both lists are sorted. */
static void compare_slots(struct sf_exec *x, struct misuse *m)
{
	const struct entries *was = &x->lab->before, *is = &x->lab->after;
	uint32_t k = 0;

	for (uint32_t i = 0; i < is->nr; i++) {
		const struct entry *e = &is->e[i], *prev = i ? e - 1 : NULL;
		const struct entry *next = i + 1 < is->nr ? e + 1 : NULL;
		uint64_t size = shape_of(x->lab, e->cache).stride;

		while (k < was->nr && by_address(&was->e[k], e) < 0)
			k++;
		if (k < was->nr && !by_address(&was->e[k], e)) {
			k++;
			continue;
		}
		compare_slot(x, m, e);
		if ((next && next->addr - e->addr < size) ||
		    (prev && e->addr - prev->addr < shape_of(x->lab, prev->cache).stride))
			reach(x, m, SF_REACH_METADATA, NULL, e->cache, e->addr, size);
	}
}

/* Live objects whose slab or pages are not what they were. */
static void compare_places(struct sf_exec *x, struct misuse *m)
{
	for (uint32_t i = 0; i < x->lab->nr_witnesses; i++) {
		struct witness *w = &x->lab->witness[i];
		const struct object *o = &x->obj[w->id];
		struct sf_place pl;

		place_of(x, o->addr, &pl);
		if (pl.kind != w->kind || pl.cache != w->cache || pl.base != w->base)
			reach_object(x, m, w, o->addr, o->size);
	}
}

/* In user space: to its own heap, or to another, which may be asked to resize it. */
static void free_user(struct sf_exec *x, const struct misuse *m, struct sf_result *rs)
{
	bool other = m->op->code == SF_OP_HEAP_FREE || m->op->code == SF_OP_HEAP_REALLOC;
	uint32_t heap = other ? x_slot(x, m->op->obj2)->cache : m->of.heap;
	struct sf_free_request give = { .addr = m->addr, .call = SF_CALL_FREE, .heap = heap };
	struct sf_request resize = { .api = SF_API_FOREIGN, .call = SF_CALL_REALLOC, .n = 1,
				     .size = m->op->size, .bucket = SF_NONE, .heap = heap };

	if (m->op->code == SF_OP_HEAP_REALLOC)
		x->a->realloc(x->heap, m->addr, &resize, rs);
	else
		x_user_release(x, &give, rs);
}

static enum sf_status free_again(struct sf_exec *x, const struct misuse *m)
{
	struct sf_result rs = { .status = SF_OK };
	uint32_t cache = SF_NONE;

	if (m->of.api == SF_API_FOREIGN) {
		free_user(x, m, &rs);
		return (enum sf_status)rs.status;
	}
	if (m->op->code == SF_OP_WRONG_CACHE_FREE)
		cache = x_slot(x, m->op->obj2)->cache;
	else if (m->op->code == SF_OP_DOUBLE_FREE && m->of.api == SF_API_CACHE)
		cache = m->of.asked;
	if (cache != SF_NONE)
		x->a->cache_free(x->heap, cache, m->addr, &rs);
	else
		x->a->free(x->heap, m->addr,
			   m->of.api == SF_API_KVMALLOC ? SF_KVFREE : SF_KFREE, &rs);
	return (enum sf_status)rs.status;
}

static enum sf_status carry_out_free(struct sf_exec *x, struct misuse *m)
{
	enum sf_status status;

	x->lab->acting = true;
	x->lab->warnings = 0;
	status = free_again(x, m);
	x->lab->acting = false;
	walk(x, &x->lab->after);
	sort(&x->lab->before);
	sort(&x->lab->after);
	compare_contents(x, m);
	compare_slots(x, m);
	compare_places(x, m);
	return x->lab->warnings ? SF_NOTICED : status;
}

/* --- the operations --- */

static bool is_write(const struct sf_op *op)
{
	return op->code == SF_OP_OVERFLOW || op->code == SF_OP_UNDERFLOW ||
	       op->code == SF_OP_STALE_WRITE || op->code == SF_OP_DIRECTMAP_WRITE;
}

static bool is_objectless(const struct sf_op *op)
{
	return op->code == SF_OP_WILD_FREE || op->code == SF_OP_STRANGE_FREE;
}

/* Memory that is no object of the allocator's. */
static bool find_strange(struct sf_exec *x, struct misuse *m)
{
	struct lab *l = x->lab;
	uint64_t n = m->op->count ? m->op->count : 1;

	m->of = (struct quarantined){ .cache = SF_NONE, .asked = SF_NONE, .api = SF_API_FOREIGN };
	m->addr = ((uintptr_t)l->unheard + 63) / 64 * 64 + n - 1;
	if (m->op->code == SF_OP_WILD_FREE)
		return true;
	free(l->given);
	l->given = sf_zalloc(n, 1);
	m->addr = (uintptr_t)l->given;
	return true;
}

/* The object that is misused. False: there is none of the sort that it takes. */
static bool find(struct sf_exec *x, struct misuse *m)
{
	const struct sf_op *op = m->op;
	const struct slot *s = op->obj == SF_NONE ? NULL : x_slot(x, op->obj);

	if (is_objectless(op))
		return find_strange(x, m);
	if (!s)
		return false;
	if (op->code == SF_OP_STALE_WRITE || op->code == SF_OP_DOUBLE_FREE) {
		if (s->kind != SF_RES_NONE || op->obj >= x->lab->nr_quarantined)
			return false;
		m->of = x->lab->quarantine[op->obj];
	} else {
		if (!x_has_objects(s) || s->kind == SF_RES_BULK ||
		    s->kind == SF_RES_PAGES_BULK)
			return false;
		m->id = s->obj;
		m->of = describe(x, &x->obj[m->id]);
		if (op->code == SF_OP_DIRECTMAP_WRITE && !x->obj[m->id].pool)
			return false;
	}
	return x_is_real(m->of.addr) && m->of.size > m->of.head;
}

static bool paged(const struct misuse *m)
{
	return m->of.api == SF_API_PAGES || m->of.api == SF_API_EXACT;
}

/* Where it writes, or what it frees. False: it would be no misuse. */
static bool aim(struct sf_exec *x, struct misuse *m)
{
	uint64_t user = m->of.addr + m->of.head, size = m->of.size - m->of.head;
	uint64_t n = m->op->count ? m->op->count : 1;
	const struct slot *s;

	if (is_objectless(m->op))
		return true;
	m->addr = m->of.addr;
	m->size = is_write(m->op) ? n : 0;
	switch (m->op->code) {
	case SF_OP_OVERFLOW:
		m->addr = user + size;
		return true;
	case SF_OP_UNDERFLOW:
		m->addr = user - n;
		return true;
	case SF_OP_STALE_WRITE:
	case SF_OP_DIRECTMAP_WRITE:
		m->addr = user;
		m->size = n < size ? n : size;
		return true;
	case SF_OP_INNER_FREE:
		m->addr = user + (n < size ? n : size - 1);
		return !paged(m) && m->addr != m->of.addr;
	case SF_OP_WRONG_CACHE_FREE:
		s = m->op->obj2 == SF_NONE ? NULL : x_slot(x, m->op->obj2);
		return s && s->kind == SF_RES_CACHE && s->cache != m->of.cache && !paged(m);
	case SF_OP_HEAP_FREE:
	case SF_OP_HEAP_REALLOC:
		s = m->op->obj2 == SF_NONE ? NULL : x_slot(x, m->op->obj2);
		return s && s->kind == SF_RES_HEAP && s->cache != m->of.heap;
	}
	return !paged(m);
}

static void emit_attack(struct sf_exec *x, const struct misuse *m, bool noticed)
{
	X_EMIT(x, ATTACK, attack, .code = m->op->code, .noticed = noticed,
	       .reached = m->reached ? m->reached : 1u << SF_REACH_NOTHING, .res = m->op->obj,
	       .partition = m->of.partition, .type = m->of.type, .cache = m->of.cache,
	       .addr = m->addr, .size = m->size, .zero = m->zero);
}

/* To its owner it was freed; if the cache or the heap refused it, it is lost. */
static void quarantine_wrong(struct sf_exec *x, const struct misuse *m, bool noticed)
{
	const struct object *o = &x->obj[m->id];
	uint32_t to = x_slot(x, m->op->obj2)->cache;
	bool user = o->api == SF_API_FOREIGN;

	x_lab_quarantine(x, m->id);
	X_EMIT(x, FREE, free, .id = m->id, .res = o->res, .api = o->api,
	       .status = noticed ? SF_NOTICED : SF_OK, .cache = user ? SF_NONE : to,
	       .how = user ? SF_FREE_USER : SF_KFREE, .call = user ? SF_CALL_FREE : SF_CALL_NONE,
	       .heap = user ? to : 0, .addr = o->addr, .bad = SF_GOOD, .known = true);
	x_object_drop(x, m->id);
	*x_slot(x, m->op->obj) = (struct slot){ 0 };
}

void exec_misuse(struct sf_exec *x, const struct sf_op *op)
{
	struct misuse m = { .op = op, .id = SF_NONE };
	bool noticed;

	if (!x->lab) { /* the heap's settings allow no misuse */
		x_skip(x, op, SF_SKIP_NO_CAP);
		return;
	}
	if (!find(x, &m) || !aim(x, &m)) {
		x_skip(x, op, SF_SKIP_SAFE);
		return;
	}
	if (!x->tainted)
		X_EMIT(x, TAINT, taint, .code = op->code);
	x->tainted = true;
	watch_all(x, &m);
	walk(x, &x->lab->before);
	if (is_write(op))
		noticed = carry_out_write(x, &m);
	else
		noticed = carry_out_free(x, &m) == SF_NOTICED;
	x->out.status = noticed ? SF_NOTICED : SF_OK;
	emit_attack(x, &m, noticed);
	if (!noticed && op->code == SF_OP_STRANGE_FREE)
		x->lab->given = NULL; /* the allocator's now, whatever it does with it */
	if (goes_elsewhere(op))
		quarantine_wrong(x, &m, noticed);
}
