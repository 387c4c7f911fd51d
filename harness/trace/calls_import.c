// SPDX-License-Identifier: MIT
/*
 * calls_import.c - recordings of malloc() as operations: in the words of user space, or as
 * kmalloc() and its like for allocators that know no others.
 *
 * Left out: what failed, frees that belong to nothing alive, calls without an address. Relies on
 * calls_pair.c; scan.c and import.c rely on it.
 */
#include <stdlib.h>
#include <string.h>

#include "../program/program.h"
#include "calls.h"

#define THREADS 8u               /* of the operation thread() */
#define KMALLOC_MAX (1ull << 22) /* larger objects are kvmalloc's */
#define KMALLOC_ALIGN 8u

struct import {
	const struct sf_import_options *opt;
	struct sf_calls_pair *pair;
	struct sf_trace_record rec;
	uint64_t ops;
	uint32_t thread;
	struct sf_tr_results res;
};

static bool emit(struct import *im, const struct sf_op *op, const struct sf_call *call)
{
	im->ops++;
	im->rec.line = call ? call->line : 0;
	return im->opt->op(im->opt->ctx, op, "", call ? &im->rec : NULL);
}

static bool set_thread(struct import *im, const struct sf_call *call)
{
	struct sf_op op = sf_op_make(im->opt->kernel_words ? SF_OP_CPU : SF_OP_THREAD);
	uint32_t thread = sf_calls_pair_thread(im->pair, call->thread) % THREADS;

	if (thread == im->thread)
		return true;
	im->thread = thread;
	op.cpu = (uint8_t)thread;
	return emit(im, &op, call);
}

/* --- the words of user space --- */

static enum sf_opcode user_word(const struct sf_call *call)
{
	switch (call->call) {
	case SF_CALL_CALLOC:
		return SF_OP_CALLOC;
	case SF_CALL_REALLOC:
		return SF_OP_REALLOC;
	case SF_CALL_REALLOCARRAY:
		return SF_OP_REALLOCARRAY;
	case SF_CALL_MEMALIGN:
		return SF_OP_MEMALIGN;
	case SF_CALL_POSIX_MEMALIGN:
		return SF_OP_POSIX_MEMALIGN;
	}
	return SF_OP_MALLOC;
}

static struct sf_op user_alloc(const struct sf_call *call)
{
	struct sf_op op = sf_op_make(user_word(call));

	op.size = call->size;
	if (op.code == SF_OP_CALLOC || op.code == SF_OP_REALLOCARRAY)
		op.n = call->n;
	op.align = (uint32_t)call->align;
	return op;
}

/* --- those of the kernel --- */

/* kmalloc() aligns what is a power of two to its size. */
static uint64_t kernel_size(const struct sf_call *call)
{
	uint64_t size = call->n * call->size, round = 1;

	if (call->align <= KMALLOC_ALIGN)
		return size;
	while (round < size || round < call->align)
		round *= 2;
	return round;
}

static struct sf_op kernel_alloc(const struct sf_call *call, struct sf_calls_obj *o, bool resize)
{
	uint64_t size = kernel_size(call);
	bool array = call->call == SF_CALL_CALLOC, kv = size > KMALLOC_MAX || (resize && o->kv);
	struct sf_op op;

	o->kv = kv;
	if (resize)
		op = sf_op_make(kv ? SF_OP_KVREALLOC : SF_OP_KREALLOC);
	else if (array)
		op = sf_op_make(kv ? SF_OP_KVCALLOC : SF_OP_KCALLOC);
	else
		op = sf_op_make(kv ? SF_OP_KVMALLOC : SF_OP_KMALLOC);
	op.size = array && !resize ? call->size : size;
	op.n = array && !resize ? call->n : 0;
	op.gfp = SF_GFP_KERNEL;
	return op;
}

/* --- operations --- */

static bool on_alloc(struct import *im, struct sf_calls_obj *o, const struct sf_call *call)
{
	struct sf_op op = im->opt->kernel_words ? kernel_alloc(call, o, false) : user_alloc(call);

	/* realloc(NULL, n) is one by itself. */
	op.obj = SF_NONE;
	op.res = o->user = sf_tr_result_take(&im->res);
	return emit(im, &op, call);
}

static bool on_resize(struct import *im, struct sf_calls_obj *o, const struct sf_call *call)
{
	uint32_t old = o->user;
	struct sf_op op = im->opt->kernel_words ? kernel_alloc(call, o, true) : user_alloc(call);

	op.obj = old;
	op.res = o->user = sf_tr_result_take(&im->res);
	sf_tr_result_put(&im->res, old);
	return emit(im, &op, call);
}

static bool on_free(struct import *im, struct sf_calls_obj *o, const struct sf_call *call)
{
	struct sf_op op = sf_op_make(!im->opt->kernel_words ? SF_OP_FREE :
				     o && o->kv ? SF_OP_KVFREE : SF_OP_KFREE);

	if (o) {
		op.obj = o->user;
		sf_tr_result_put(&im->res, o->user);
	}
	return emit(im, &op, call);
}

static bool on_event(void *ctx, enum sf_calls_step step, struct sf_calls_obj *o,
		     const struct sf_call *call)
{
	static bool (*const handler[])(struct import *, struct sf_calls_obj *,
				       const struct sf_call *) = {
		[SF_CALLS_ALLOC] = on_alloc,
		[SF_CALLS_RESIZE] = on_resize,
		[SF_CALLS_FREE] = on_free,
	};
	struct import *im = ctx;

	return (!call || set_thread(im, call)) && handler[step](im, o, call);
}

/* --- both passes --- */

/* 0: the end; 1: stopped; -1: err. */
static int run(struct sf_trace *t, struct sf_calls_pair *p, struct sf_error *err)
{
	struct sf_call call;
	int r;

	while ((r = sf_trace_call(t, &call, err)) > 0)
		if (!sf_calls_pair_call(p, &call))
			return 1;
	if (!r)
		sf_calls_pair_finish(p, t);
	return r;
}

static int hold_content(const struct sf_trace *t, const struct sf_trace_counts *c,
			struct sf_error *err)
{
	const struct sf_tr_notes *n = sf_trace_notes(t);
	char seen[120];

	if (c->calls - c->frees > c->failed + c->alloc_no_ptr)
		return 0;
	if (n->heard->damage_line)
		return sf_tr_error(err, sf_trace_name(t), n->heard->damage_line, "%s; no other "
				   "allocation can be read", n->heard->damage_why);
	sf_tr_tally_text(&n->heard->events, 3, seen, sizeof(seen));
	return sf_tr_error(err, sf_trace_name(t), 0, "no allocation among %llu calls of malloc and "
			   "its like: record from the program's start; seen: %s",
			   (unsigned long long)c->calls, *seen ? seen : "no others");
}

/* Twice what was alive at most, and what a heap has if nobody asks. */
static void size_heap(struct sf_trace_scan *s, uint32_t threads)
{
	const struct sf_setting_info *info = sf_setting_by_name("pages", 5);
	uint64_t pages = 2 * s->counts.peak_bytes / SF_PAGE_SIZE + info->def;

	sf_settings_init(&s->settings);
	s->settings.cpus = threads < THREADS ? threads : THREADS;
	pages = (pages + 1023) / 1024 * 1024;
	s->settings.pages = pages < info->max ? pages : info->max;
}

struct sf_trace_scan *sf_calls_scan(struct sf_trace *t, struct sf_error *err)
{
	static const struct sf_calls_pair_options nobody = { .event = NULL };
	struct sf_calls_pair *p = sf_calls_pair_create(&nobody);
	struct sf_trace_scan *s = sf_tr_alloc(sizeof(*s));
	int r = run(t, p, err);

	memset(s, 0, sizeof(*s));
	if (!r) {
		s->counts = *sf_calls_pair_counts(p);
		r = hold_content(t, &s->counts, err);
	}
	sf_trace_say(t, sf_calls_pair_remark(p));
	sf_calls_pair_destroy(p);
	if (r) {
		sf_trace_scan_free(s);
		return NULL;
	}
	size_heap(s, (uint32_t)s->counts.threads);
	return s;
}

int sf_calls_import(struct sf_trace *t, const struct sf_import_options *opt,
		    struct sf_trace_counts *counts, struct sf_error *err)
{
	struct import im = {
		.opt = opt, .rec = { .kind = SF_TRACE_CALL },
		.res = { .unique = opt->unique_results },
	};
	struct sf_calls_pair_options popt = { .event = on_event, .ctx = &im };
	int r;

	if (sf_trace_rewind(t, err))
		return -1;
	im.rec.site = im.rec.cache = im.rec.comm = "";
	im.pair = sf_calls_pair_create(&popt);
	r = run(t, im.pair, err);
	if (counts) {
		*counts = *sf_calls_pair_counts(im.pair);
		counts->ops = im.ops;
	}
	sf_calls_pair_destroy(im.pair);
	free(im.res.gone);
	return r;
}
