// SPDX-License-Identifier: MIT
/*
 * exec_sheaf.c - prefilled sheaves: kmem_cache_prefill_sheaf() and its family.
 *
 * Relies on exec_ops.c for what an allocation is. A sheaf that a program does not return is, before
 * its cache goes, as all of them are at the end.
 */
#include "exec_internal.h"

/* Of the sheaf that a result stands for now. */
static struct sf_event sheaf_event(struct sf_exec *x, const struct sf_op *op, uint32_t res,
				   enum sf_sheaf_act act)
{
	const struct slot *s = x_slot(x, res);
	struct sf_event ev = { .type = SF_EV_SHEAF, .cpu = x->cpu, .op = x->op };

	ev.sheaf = (struct sf_ev_sheaf){ .act = (uint8_t)act, .res = res, .gfp = op->gfp,
					 .cache = x_slot(x, op->cache)->cache };
	if (s->kind != SF_RES_SHEAF)
		return ev;
	ev.sheaf.sheaf = ev.sheaf.was = s->cache;
	ev.sheaf.before = ev.sheaf.after = x->a->sheaf_size(x->heap, s->cache);
	return ev;
}

/* The sheaf and its cache, or the operation is skipped. */
static struct slot *sheaf_of(struct sf_exec *x, const struct sf_op *op)
{
	if (!x_slot_of(x, op, op->cache, SF_RES_CACHE))
		return NULL;
	return x_slot_of(x, op, op->obj, SF_RES_SHEAF);
}

static void answered(struct sf_exec *x, struct sf_event *ev, uint8_t status)
{
	ev->sheaf.status = x->out.status = status;
	if (status == SF_BLOCKED)
		x->blocked = true;
	if (status != SF_OK)
		x->failed = true;
	x_emit(x, ev);
}

void exec_prefill_sheaf(struct sf_exec *x, const struct sf_op *op)
{
	const struct slot *s = x_slot_of(x, op, op->cache, SF_RES_CACHE);
	uint32_t n = op->count < SF_PREFILL_MAX ? op->count : SF_PREFILL_MAX, sheaf;
	struct sf_result rs;
	struct sf_event ev;

	if (!s)
		return;
	sheaf = x->a->sheaf_prefill(x->heap, s->cache, op->gfp, n, &rs);
	*x_slot(x, op->res) = (struct slot){ .kind = sheaf ? SF_RES_SHEAF : SF_RES_NONE,
					     .cache = sheaf, .flags = op->cache, .obj = SF_NONE };
	x->nr_prefilled += sheaf != 0;
	ev = sheaf_event(x, op, op->res, SF_SHEAF_PREFILL);
	ev.sheaf.asked = n;
	ev.sheaf.before = ev.sheaf.was = 0;
	answered(x, &ev, rs.status);
}

void exec_alloc_from_sheaf(struct sf_exec *x, const struct sf_op *op)
{
	const struct slot *s = sheaf_of(x, op), *cache;
	struct alloc_record ar;
	struct sf_result rs;
	struct sf_event ev;

	if (!s)
		return;
	cache = x_slot(x, op->cache);
	ar = x_cache_record(x, cache, op);
	ev = sheaf_event(x, op, op->obj, SF_SHEAF_TAKE);
	x->a->sheaf_alloc(x->heap, cache->cache, op->gfp, s->cache, &rs);
	ev.sheaf.after = x->a->sheaf_size(x->heap, s->cache);
	ev.sheaf.status = rs.status;
	x_emit(x, &ev);
	x_result(x, op, x_allocated(x, op, &ar, &rs));
}

void exec_refill_sheaf(struct sf_exec *x, const struct sf_op *op)
{
	struct slot *s = sheaf_of(x, op);
	uint32_t n = op->count < SF_PREFILL_MAX ? op->count : SF_PREFILL_MAX;
	struct sf_event ev;
	uint8_t status;

	if (!s)
		return;
	ev = sheaf_event(x, op, op->obj, SF_SHEAF_REFILL);
	status = (uint8_t)x->a->sheaf_refill(x->heap, ev.sheaf.cache, op->gfp, &s->cache, n);
	ev.sheaf.sheaf = s->cache;
	ev.sheaf.asked = n;
	ev.sheaf.after = x->a->sheaf_size(x->heap, s->cache);
	answered(x, &ev, status);
}

static void do_return(struct sf_exec *x, const struct sf_op *op, uint32_t res)
{
	struct sf_event ev = sheaf_event(x, op, res, SF_SHEAF_RETURN);
	struct slot *s = x_slot(x, res);
	uint8_t status;

	status = (uint8_t)x->a->sheaf_return(x->heap, ev.sheaf.cache, op->gfp, s->cache);
	ev.sheaf.after = 0;
	*s = (struct slot){ 0 };
	x->nr_prefilled--;
	answered(x, &ev, status);
}

void exec_return_sheaf(struct sf_exec *x, const struct sf_op *op)
{
	if (sheaf_of(x, op))
		do_return(x, op, op->obj);
}

void x_sheaves_return(struct sf_exec *x, uint32_t cache_res)
{
	struct sf_op op = sf_op_make(SF_OP_RETURN_SHEAF);

	op.cache = cache_res;
	for (uint32_t i = 0; i < x->nr_slots && x->nr_prefilled; i++)
		if (x->slot[i].kind == SF_RES_SHEAF && x->slot[i].flags == cache_res)
			do_return(x, &op, i);
}
