// SPDX-License-Identifier: MIT
/*
 * deal.c - deal.h.
 */
#include "deal.h"

#include <assert.h>
#include <stdlib.h>

#include "../../allocators/base/grow.h"
#include "../exec/exec.h"

enum { LARGE = 256 << 20 };

/* --- what is dealt --- */

/* Of the first heap, and done by one thread with one object. */
static bool is_dealt(const struct sf_op *op)
{
	switch (op->code) {
	case SF_OP_MALLOC:
	case SF_OP_CALLOC:
	case SF_OP_REALLOC:
	case SF_OP_REALLOCARRAY:
	case SF_OP_ALIGNED_ALLOC:
	case SF_OP_POSIX_MEMALIGN:
	case SF_OP_MEMALIGN:
		return op->cache == SF_NONE;
	case SF_OP_FREE:
	case SF_OP_FREE_SIZED:
	case SF_OP_FREE_ALIGNED_SIZED:
	case SF_OP_MALLOC_USABLE_SIZE:
	case SF_OP_WRITE:
	case SF_OP_VERIFY:
	case SF_OP_MALLOC_GOOD_SIZE:
	case SF_OP_MALLOC_TRIM:
		return true;
	}
	return false;
}

/* What nobody has to do: the program says who is next, or looks at the whole heap. */
static bool is_nothing(const struct sf_op *op)
{
	return op->code == SF_OP_THREAD || op->code == SF_OP_CHECK ||
	       sf_op_table[op->code].flags & SF_OPF_DECL;
}

static bool is_call(const struct sf_op *op)
{
	return op->code != SF_OP_WRITE && op->code != SF_OP_VERIFY;
}

/*
 * By its traits the allocator may end the process rather than say NULL; and what takes a second to
 * zero says nothing of threads. Of sizes that no memory has all can be asked.
 */
static bool is_unfit(const struct sf_op *op, const struct sf_traits *t)
{
	bool array = sf_op_table[op->code].flags & SF_OPF_ARRAY;
	uint64_t size = op->size;

	if (array && __builtin_mul_overflow(op->n, op->size, &size))
		return t->abort_overflow;
	return size > LARGE && (size <= INT64_MAX || t->abort_exhaustion);
}

static bool can(const struct sf_op *op, const struct sf_allocator *a)
{
	return is_dealt(op) && !(sf_exec_needs(op->code) & ~a->caps) &&
	       !is_unfit(op, sf_traits_of(a));
}

/* --- dealing --- */

static void begin(struct sf_deal *d, const struct sf_prog *p, uint32_t threads)
{
	d->threads = threads;
	d->nr = d->left_out = 0;
	if (p->nr_res > d->cap_results) {
		d->cap_results = p->nr_res;
		d->first = sf_grow(d->first, d->cap_results, sizeof(*d->first));
		d->last = sf_grow(d->last, d->cap_results, sizeof(*d->last));
		d->resized = sf_grow(d->resized, d->cap_results, sizeof(*d->resized));
	}
	for (uint32_t i = 0; i < p->nr_res; i++) {
		d->first[i] = d->last[i] = SF_NONE;
		d->resized[i] = false;
	}
}

/* The object that it is about, or makes. SF_NONE: none; *strange: one that nobody here made. */
static uint32_t object_of(struct sf_deal *d, const struct sf_op *op, bool *strange)
{
	*strange = false;
	if (op->obj != SF_NONE) {
		uint32_t object = d->first[op->obj];

		*strange = object == SF_NONE;
		if (op->res != SF_NONE && !*strange) {
			d->first[op->res] = object;
			d->resized[object] = true;
		}
		return object;
	}
	if (op->res != SF_NONE)
		d->first[op->res] = op->res;
	return op->res;
}

static void add(struct sf_deal *d, struct sf_step s)
{
	SF_GROW(d->step, d->nr, d->cap);
	s.before = s.object == SF_NONE ? SF_NONE : d->last[s.object];
	if (s.object != SF_NONE)
		d->last[s.object] = d->nr;
	d->step[d->nr++] = s;
}

static bool deals_itself(const struct sf_prog *p)
{
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (p->ops[i].code == SF_OP_THREAD)
			return true;
	return false;
}

/* Half of the time whoever had the object last goes on with it. */
static uint8_t draw_thread(const struct sf_deal *d, struct sf_rng *r, uint32_t object)
{
	uint32_t last = object == SF_NONE ? SF_NONE : d->last[object];

	if (last != SF_NONE && sf_rng_one_in(r, 2))
		return d->step[last].thread;
	return (uint8_t)sf_rng_below(r, d->threads);
}

static void free_the_rest(struct sf_deal *d, const struct sf_prog *p, struct sf_rng *r)
{
	for (uint32_t i = 0; i < p->nr_res; i++) {
		const struct sf_step *last;

		if (d->first[i] != i || d->last[i] == SF_NONE)
			continue;
		last = &d->step[d->last[i]];
		if (!d->resized[i] && sf_op_table[p->ops[last->op].code].flags & SF_OPF_FREES)
			continue;
		add(d, (struct sf_step){ .op = SF_NONE, .object = i, .call = true,
					 .thread = draw_thread(d, r, i) });
	}
}

void sf_deal(struct sf_deal *d, const struct sf_prog *p, const struct sf_allocator *a,
	     uint32_t threads, uint64_t seed)
{
	bool itself = deals_itself(p), strange;
	uint8_t said = 0;
	struct sf_rng r;

	assert(threads && threads <= SF_THREADS_MAX);
	begin(d, p, threads);
	sf_rng_seed(&r, seed);
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];
		uint32_t object;

		if (op->code == SF_OP_THREAD)
			said = (uint8_t)(op->cpu % threads);
		if (is_nothing(op))
			continue;
		if (!can(op, a)) {
			d->left_out++;
			continue;
		}
		object = object_of(d, op, &strange);
		if (strange) {
			d->left_out++;
			continue;
		}
		add(d, (struct sf_step){ .op = i, .object = object, .call = is_call(op),
					 .thread = itself ? said : draw_thread(d, &r, object) });
	}
	free_the_rest(d, p, &r);
}

void sf_deal_free(struct sf_deal *d)
{
	free(d->step);
	free(d->first);
	free(d->last);
	free(d->resized);
	*d = (struct sf_deal){ .nr = 0 };
}

/* --- orders --- */

/* How far each thread has come in an order that is being made. */
struct progress {
	const struct sf_deal *d;
	uint32_t next[SF_THREADS_MAX]; /* its next step; d->nr: it has done all */
	bool *done;
	uint32_t *order, nr;
};

static uint32_t next_of(const struct sf_deal *d, uint32_t thread, uint32_t from)
{
	while (from < d->nr && d->step[from].thread != thread)
		from++;
	return from;
}

static void start(struct progress *g, const struct sf_deal *d, uint32_t *order)
{
	*g = (struct progress){ .d = d, .order = order };
	g->done = sf_zalloc(d->nr + 1, sizeof(*g->done));
	for (uint32_t t = 0; t < d->threads; t++)
		g->next[t] = next_of(d, t, 0);
}

static bool is_ready(const struct progress *g, uint32_t thread)
{
	const struct sf_step *s = &g->d->step[g->next[thread]];

	return g->next[thread] < g->d->nr && (s->before == SF_NONE || g->done[s->before]);
}

static void take(struct progress *g, uint32_t thread)
{
	uint32_t at = g->next[thread];

	g->done[at] = true;
	g->order[g->nr++] = at;
	g->next[thread] = next_of(g->d, thread, at + 1);
}

/* What calls nobody makes no difference to the others: it is done as soon as it can be. */
static void take_quiet(struct progress *g)
{
	for (uint32_t t = 0; t < g->d->threads; t++)
		while (is_ready(g, t) && !g->d->step[g->next[t]].call)
			take(g, t);
}

/* A thread that can go on, `from` or a later one; d->threads: none. */
static uint32_t ready_from(const struct progress *g, uint32_t from)
{
	while (from < g->d->threads && !is_ready(g, from))
		from++;
	return from;
}

void sf_order_draw(const struct sf_deal *d, struct sf_rng *r, uint32_t *order)
{
	uint64_t stays = 1ull << sf_rng_below(r, 5);
	uint32_t thread = 0;
	struct progress g;

	start(&g, d, order);
	while (g.nr < d->nr) {
		if (!is_ready(&g, thread) || sf_rng_one_in(r, stays))
			thread = ready_from(&g, (uint32_t)sf_rng_below(r, d->threads));
		if (thread == d->threads)
			thread = ready_from(&g, 0);
		/* The program's own order is possible: somebody can always go on. */
		assert(thread < d->threads);
		take(&g, thread);
	}
	free(g.done);
}

static void finish(struct progress *g)
{
	take_quiet(g);
	while (g->nr < g->d->nr) {
		take(g, ready_from(g, 0));
		take_quiet(g);
	}
}

void sf_order_first(const struct sf_deal *d, uint32_t *order)
{
	struct progress g;

	start(&g, d, order);
	finish(&g);
	free(g.done);
}

/* Of the calls in `order`, the last in whose place a later thread could go on. SF_NONE: none. */
static uint32_t last_choice(const struct sf_deal *d, const uint32_t *order, uint32_t *copy)
{
	uint32_t last = SF_NONE;
	struct progress g;

	start(&g, d, copy);
	take_quiet(&g);
	while (g.nr < d->nr) {
		uint32_t thread = d->step[order[g.nr]].thread;

		if (ready_from(&g, thread + 1) < d->threads)
			last = g.nr;
		take(&g, thread);
		take_quiet(&g);
	}
	free(g.done);
	return last;
}

bool sf_order_next(const struct sf_deal *d, uint32_t *order)
{
	uint32_t *made = sf_zalloc(d->nr + 1, sizeof(*made));
	uint32_t last = last_choice(d, order, made);
	struct progress g;

	if (last == SF_NONE) {
		free(made);
		return false;
	}
	start(&g, d, made);
	take_quiet(&g);
	while (g.nr < last) {
		take(&g, d->step[order[g.nr]].thread);
		take_quiet(&g);
	}
	take(&g, ready_from(&g, d->step[order[last]].thread + 1u));
	finish(&g);
	memcpy(order, made, d->nr * sizeof(*order));
	free(g.done);
	free(made);
	return true;
}

/* --- as a program --- */

void sf_order_program(const struct sf_deal *d, const struct sf_prog *p, const uint32_t *order,
		      struct sf_prog *to, uint32_t *at)
{
	struct sf_op change = sf_op_make(SF_OP_THREAD);
	uint32_t dropped;

	sf_prog_clear(to);
	to->settings = p->settings;
	for (uint32_t i = 0; at && i < p->nr_ops; i++)
		at[i] = SF_NONE;
	for (uint32_t i = 0; i < d->nr; i++) {
		const struct sf_step *s = &d->step[order[i]];

		if (s->op == SF_NONE)
			continue;
		if (change.cpu != s->thread) {
			change.cpu = s->thread;
			SF_GROW(to->ops, to->nr_ops, to->cap_ops);
			to->ops[to->nr_ops++] = change;
		}
		if (at)
			at[s->op] = to->nr_ops;
		SF_GROW(to->ops, to->nr_ops, to->cap_ops);
		to->ops[to->nr_ops] = p->ops[s->op];
		to->ops[to->nr_ops++].expect = 0;
	}
	dropped = sf_prog_fixup(to);
	assert(!dropped);
	(void)dropped;
}
