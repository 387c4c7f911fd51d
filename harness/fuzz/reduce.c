// SPDX-License-Identifier: MIT
/*
 * reduce.c - reduce.h: which operations are needed. What comes after the failing one and what it
 * does not depend on goes at once, guessed from the references; then delta debugging, in which an
 * operation goes with those that use its result, and at last singly and in pairs, where these are
 * given another result instead (program.h: fixup).
 */
#include "reduce.h"

#include <stdlib.h>
#include <string.h>

#include "../program/live.h"
#include "ddmin.h"
#include "reduce_internal.h"

enum {
	ROUNDS = 6,
	SINGLES_MAX = 300,  /* operations of a program of which each is tried singly, repaired */
	PAIRS_MAX = 40,     /* ... in pairs */
};

/* --- the question --- */

static void copy(struct sf_prog *to, const struct sf_prog *from)
{
	sf_prog_clear(to);
	to->settings = from->settings;
	for (uint32_t i = 0; i < from->nr_ops; i++) {
		struct sf_op *op = sf_prog_add(to, &from->ops[i]);
		const char *name = sf_prog_str(from, op->name);
		const char *expect = sf_prog_str(from, op->expect);

		op->res = from->ops[i].res;
		op->name = sf_prog_string(to, name, strlen(name));
		op->expect = sf_prog_string(to, expect, strlen(expect));
	}
	to->nr_res = from->nr_res;
}

void reduce_copy(struct reduce *r)
{
	copy(&r->trial, r->best);
}

/* False: it was asked about before. */
static bool is_new(struct reduce *r)
{
	size_t len = sf_bytes_encode(&r->trial, r->bytes, r->cap);
	uint64_t hash;

	if (len > r->cap) {
		r->cap = 2 * len;
		r->bytes = sf_grow(r->bytes, r->cap, 1);
		sf_bytes_encode(&r->trial, r->bytes, r->cap);
	}
	hash = sf_mix64(sf_fnv1a(SF_FNV_START, r->bytes, len));
	if (sf_map_get(&r->asked, hash) != SF_MAP_NONE)
		return false;
	sf_map_put(&r->asked, hash, 1);
	return true;
}

bool reduce_try(struct reduce *r)
{
	struct sf_reduce_point at = { SF_NONE, { SF_NONE, SF_NONE } };

	sf_prog_fixup(&r->trial);
	if (reduce_stops(r) || !is_new(r) || !r->how->keeps(r->how->ctx, &r->trial, &at))
		return false;
	copy(r->best, &r->trial);
	r->at = at;
	if (r->how->smaller)
		r->how->smaller(r->how->ctx, r->best);
	return true;
}

/* --- what one operation is to another --- */

/* The operation that defines a result; SF_NONE: none. */
static uint32_t *definitions(const struct sf_prog *p)
{
	uint32_t *def = sf_grow(NULL, p->nr_res + (size_t)1, sizeof(*def));

	memset(def, 0xff, (p->nr_res + (size_t)1) * sizeof(*def));
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (p->ops[i].res < p->nr_res)
			def[p->ops[i].res] = i;
	return def;
}

/* Results that it names, of which it may have three. */
static unsigned int named(const struct sf_op *op, uint32_t res[3])
{
	const uint32_t all[3] = { op->obj, op->obj2, op->cache };
	unsigned int n = 0;

	for (unsigned int i = 0; i < 3; i++)
		if (all[i] != SF_NONE)
			res[n++] = all[i];
	return n;
}

/* --- slices --- */

/* How much of what may have to do with it is kept; each holds the one before. */
enum slice {
	SLICE_NEEDS,   /* the operation, and what defines what it names, and so on */
	SLICE_TOUCHES, /* ... and whatever names the same objects */
	SLICE_CACHES,  /* ... or the same caches, pools, heaps */
	SLICE_STATE,   /* ... and what has no object: CPUs, failures, limits */
	SLICES,
};

struct slicing {
	const struct sf_prog *p;
	uint32_t *def;
	bool *in;      /* operations */
	bool *result;  /* results that matter */
};

static void need(struct slicing *s, uint32_t res)
{
	if (res >= s->p->nr_res || s->result[res])
		return;
	s->result[res] = true;
	if (s->def[res] != SF_NONE)
		s->in[s->def[res]] = true;
}

static bool touches(const struct slicing *s, const struct sf_op *op, enum slice how)
{
	if (op->obj < s->p->nr_res && s->result[op->obj])
		return true;
	if (op->obj2 < s->p->nr_res && s->result[op->obj2])
		return true;
	if (how >= SLICE_CACHES && op->cache < s->p->nr_res && s->result[op->cache])
		return true;
	return how >= SLICE_STATE && op->obj == SF_NONE && op->cache == SF_NONE &&
	       sf_op_info(op)->res == SF_RES_NONE;
}

/* From the last operation to the first, until nothing more comes in. */
static void close_slice(struct slicing *s, enum slice how)
{
	bool more = true;
	uint32_t res[3];

	while (more) {
		more = false;
		for (uint32_t i = s->p->nr_ops; i-- > 0;) {
			const struct sf_op *op = &s->p->ops[i];

			if (!s->in[i] && how >= SLICE_TOUCHES && touches(s, op, how))
				s->in[i] = more = true;
			if (!s->in[i])
				continue;
			for (unsigned int n = named(op, res); n-- > 0;) {
				more = more || !s->result[res[n]];
				need(s, res[n]);
			}
		}
	}
}

static bool try_slice(struct reduce *r, enum slice how)
{
	const struct sf_prog *p = r->best;
	struct slicing s = { .p = p, .def = definitions(p) };
	uint32_t from = r->at.op < p->nr_ops ? r->at.op : p->nr_ops - 1, kept = 0;
	bool kept_it;

	s.in = sf_zalloc(p->nr_ops, sizeof(*s.in));
	s.result = sf_zalloc(p->nr_res, sizeof(*s.result));
	s.in[from] = true;
	need(&s, r->at.objects[0]);
	need(&s, r->at.objects[1]);
	close_slice(&s, how);
	reduce_copy(r);
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (s.in[i])
			r->trial.ops[kept++] = r->trial.ops[i];
	kept_it = kept < p->nr_ops;
	r->trial.nr_ops = kept;
	kept_it = kept_it && reduce_try(r);
	free(s.in);
	free(s.result);
	free(s.def);
	return kept_it;
}

/* What comes after the operation that shows it. */
static void cut_tail(struct reduce *r)
{
	if (r->at.op >= r->best->nr_ops)
		return;
	reduce_copy(r);
	r->trial.nr_ops = r->at.op + 1;
	reduce_try(r);
}

static void slice(struct reduce *r)
{
	cut_tail(r);
	for (int how = 0; how < SLICES && r->best->nr_ops > 1; how++)
		if (try_slice(r, (enum slice)how))
			return;
}

/* --- delta debugging --- */

struct list {
	struct reduce *r;
	struct sf_prog of;    /* as it was: labels of its results stay */
	bool follow;          /* what uses a result goes with it; else it gets another one */
};

/* Operations whose results are gone. */
static void drop_users(const struct sf_prog *p, bool *out)
{
	bool *gone = sf_zalloc(p->nr_res, sizeof(*gone));
	uint32_t res[3];

	for (uint32_t i = 0; i < p->nr_ops; i++) {
		for (unsigned int n = named(&p->ops[i], res); n-- > 0;)
			out[i] = out[i] || (res[n] < p->nr_res && gone[res[n]]);
		if (out[i] && p->ops[i].res < p->nr_res)
			gone[p->ops[i].res] = true;
	}
	free(gone);
}

static bool good(void *ctx, bool *out)
{
	struct list *l = ctx;
	uint32_t kept = 0;

	if (l->follow)
		drop_users(&l->of, out);
	copy(&l->r->trial, &l->of);
	for (uint32_t i = 0; i < l->of.nr_ops; i++)
		if (!out[i])
			l->r->trial.ops[kept++] = l->r->trial.ops[i];
	l->r->trial.nr_ops = kept;
	return reduce_try(l->r);
}

static bool stops(void *ctx)
{
	const struct list *l = ctx;

	return reduce_stops(l->r);
}

static void begin_list(struct list *l, struct reduce *r, bool follow)
{
	*l = (struct list){ .r = r, .follow = follow };
	sf_prog_init(&l->of);
	copy(&l->of, r->best);
}

static void without_parts(struct reduce *r, bool follow)
{
	struct list l;
	struct sf_ddmin d = { .good = good, .stop = stops, .ctx = &l };
	bool *out = sf_zalloc(r->best->nr_ops, sizeof(*out));

	begin_list(&l, r, follow);
	sf_ddmin(&d, out, l.of.nr_ops);
	sf_prog_free(&l.of);
	free(out);
}

/* Two at once, what may be a pair that is only good together: a lock and its opening. */
static bool without_pair(struct reduce *r)
{
	uint32_t nr = r->best->nr_ops;
	bool *out = sf_zalloc(nr, sizeof(*out)), gone = false;
	struct list l;

	begin_list(&l, r, true);
	for (uint32_t b = nr; b-- > 1 && !gone;) {
		for (uint32_t a = b; a-- > 0 && !gone && !reduce_stops(r);) {
			memset(out, 0, nr * sizeof(*out));
			out[a] = out[b] = true;
			gone = good(&l, out);
		}
	}
	sf_prog_free(&l.of);
	free(out);
	return gone;
}

static void fewer(struct reduce *r)
{
	uint32_t before;

	do {
		before = r->best->nr_ops;
		cut_tail(r);
		without_parts(r, true);
		if (r->best->nr_ops <= SINGLES_MAX)
			without_parts(r, false);
		while (r->best->nr_ops <= PAIRS_MAX && without_pair(r))
			;
	} while (r->best->nr_ops < before && !reduce_stops(r));
}

/* --- the whole --- */

void sf_reduce(const struct sf_reduce *how, struct sf_prog *p, const struct sf_reduce_point *at)
{
	struct reduce r = { .how = how, .best = p, .at = *at };
	bool simpler = true;

	sf_prog_init(&r.trial);
	/* What was expected of a line is not what a smaller program does. */
	for (uint32_t i = 0; i < p->nr_ops; i++)
		p->ops[i].expect = p->ops[i].line = 0;
	if (p->nr_ops)
		slice(&r);
	for (int i = 0; i < ROUNDS && simpler && !reduce_stops(&r); i++) {
		uint32_t before = p->nr_ops;

		fewer(&r);
		simpler = reduce_settings(&r);
		simpler |= reduce_arguments(&r);
		simpler |= p->nr_ops < before && i;
	}
	reduce_names(&r);
	sf_prog_free(&r.trial);
	sf_map_free(&r.asked);
	free(r.bytes);
}
