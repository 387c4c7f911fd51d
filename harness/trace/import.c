// SPDX-License-Identifier: MIT
/*
 * import.c - the second pass: a recording as operations.
 *
 * Caches first, then one operation for each event that did something, with CPU changes and names of
 * call sites where they first matter. Left out: frees that belong to nothing, kfree(NULL),
 * allocations that failed, page blocks that back slabs (the model takes its own). Relies on pair.c
 * and scan.c; the command and import_text.c rely on it.
 */
#include <stdlib.h>
#include <string.h>

#include "../program/program.h"
#include "calls.h"

#define SITES_MAX UINT16_MAX

struct import {
	struct sf_trace *trace;
	const struct sf_trace_scan *scan;
	const struct sf_import_options *opt;
	struct sf_pair *pair;
	uint64_t ops;
	uint32_t cpu;
	struct sf_tr_results res;
	struct sf_map sites;     /* hash of a name -> site number */
	char **site;              /* [0] is no site */
	uint32_t nr_sites, cap_sites;
	char strings[SF_STRING_MAX + 3];
};

static bool emit(struct import *im, const struct sf_op *op, const struct sf_trace_record *rec)
{
	im->ops++;
	return im->opt->op(im->opt->ctx, op, im->strings, rec);
}

/* A name in the strings of the operation; what a program cannot hold is left out. */
static uint32_t put_name(struct import *im, const char *s)
{
	size_t n = 1;

	for (; *s && n <= SF_STRING_MAX; s++)
		if (*s >= 0x20 && *s < 0x7f && *s != '"' && *s != '\\')
			im->strings[n++] = *s;
	im->strings[n] = '\0';
	return n > 1;
}

static bool create_caches(struct import *im)
{
	for (uint32_t i = 0; i < im->scan->nr_named; i++) {
		const struct sf_tr_named *n = &im->scan->named[i];
		struct sf_op op = sf_op_make(SF_OP_CACHE_CREATE);

		op.res = im->res.next++;
		op.name = put_name(im, n->name);
		op.size = n->size;
		op.align = n->align;
		op.flags = n->flags;
		if (!emit(im, &op, NULL))
			return false;
	}
	return true;
}

/*
 * The pairing meets caches in the order in which the scan met them, so the n-th named one here is
 * the n-th there.
 */
static uint32_t cache_res(struct import *im, uint32_t cache)
{
	struct sf_tr_cache *c = sf_pair_cache(im->pair, cache);

	if (c->user == SF_NONE) {
		uint32_t nr = 0;

		for (uint32_t i = 0; i < cache; i++)
			nr += sf_pair_cache(im->pair, i)->name != NULL;
		c->user = nr;
	}
	return c->user;
}

static bool set_cpu(struct import *im, const struct sf_trace_record *rec)
{
	uint32_t cpu = rec->cpu % (uint32_t)im->scan->settings.cpus;
	struct sf_op op = sf_op_make(SF_OP_CPU);

	if (cpu == im->cpu)
		return true;
	im->cpu = cpu;
	op.cpu = (uint8_t)cpu;
	return emit(im, &op, NULL);
}

/* The number of a call site, declared at its first use. 0: there is no name, or too many. */
static bool site_of(struct import *im, const char *name, uint16_t *site)
{
	struct sf_op op = sf_op_make(SF_OP_SITE);
	uint64_t key = sf_tr_hash(name);
	uint32_t i;

	*site = 0;
	if (!*name)
		return true;
	for (; (i = sf_map_get(&im->sites, key)) != SF_MAP_NONE; key++) {
		*site = (uint16_t)i;
		if (!strcmp(im->site[i], name))
			return true;
	}
	*site = 0;
	if (im->nr_sites >= SITES_MAX)
		return true;
	if (im->nr_sites + 2 > im->cap_sites) {
		im->cap_sites = im->cap_sites ? 2 * im->cap_sites : 1024;
		im->site = sf_tr_grow(im->site, im->cap_sites * sizeof(*im->site));
	}
	i = ++im->nr_sites;
	im->site[i] = strcpy(sf_tr_alloc(strlen(name) + 1), name);
	sf_map_put(&im->sites, key, i);
	*site = (uint16_t)i;
	op.site = *site;
	op.name = put_name(im, name);
	return emit(im, &op, NULL);
}

static bool on_alloc(struct import *im, const struct sf_tr_event *ev)
{
	bool named = ev->rec->kind == SF_TRACE_CACHE_ALLOC;
	struct sf_op op = sf_op_make(named ? SF_OP_CACHE_ALLOC : SF_OP_KMALLOC);

	if (!site_of(im, ev->rec->site, &op.site))
		return false;
	op.gfp = ev->rec->gfp;
	if (named)
		op.cache = cache_res(im, ev->obj->cache);
	else
		op.size = ev->rec->bytes_req;
	op.res = ev->obj->user = sf_tr_result_take(&im->res);
	return emit(im, &op, ev->rec);
}

/* kfree() of a named cache's object stays a kfree(); an implied free goes to its cache. */
static bool on_free(struct import *im, const struct sf_tr_event *ev)
{
	const struct sf_tr_obj *obj = ev->obj;
	bool named = obj->cache != SF_NONE && sf_pair_cache(im->pair, obj->cache)->name;
	bool to_cache = named && (ev->implied || ev->rec->kind == SF_TRACE_CACHE_FREE);
	struct sf_op op = sf_op_make(to_cache ? SF_OP_CACHE_FREE : SF_OP_KFREE);

	op.obj = obj->user;
	if (to_cache)
		op.cache = cache_res(im, obj->cache);
	sf_tr_result_put(&im->res, obj->user);
	return emit(im, &op, ev->implied ? NULL : ev->rec);
}

static bool on_pages(struct import *im, const struct sf_tr_event *ev)
{
	struct sf_op op = sf_op_make(SF_OP_ALLOC_PAGES);

	op.gfp = ev->rec->gfp;
	op.order = ev->rec->order;
	op.res = ev->obj->user = sf_tr_result_take(&im->res);
	return emit(im, &op, ev->rec);
}

static bool on_pages_free(struct import *im, const struct sf_tr_event *ev)
{
	struct sf_op op = sf_op_make(SF_OP_FREE_PAGES);

	op.obj = ev->obj->user;
	sf_tr_result_put(&im->res, ev->obj->user);
	return emit(im, &op, ev->implied ? NULL : ev->rec);
}

static bool on_owns(struct import *im, const struct sf_tr_event *ev)
{
	struct sf_op op = sf_op_make(SF_OP_OWNS);

	op.obj = ev->obj->user;
	op.obj2 = ev->other->user;
	return emit(im, &op, NULL);
}

static bool on_event(void *ctx, const struct sf_tr_event *ev)
{
	static bool (*const handler[])(struct import *, const struct sf_tr_event *) = {
		[SF_STEP_ALLOC] = on_alloc,
		[SF_STEP_FREE] = on_free,
		[SF_STEP_PAGES] = on_pages,
		[SF_STEP_PAGES_FREE] = on_pages_free,
		[SF_STEP_OWNS] = on_owns,
	};
	struct import *im = ctx;

	if (ev->step >= sizeof(handler) / sizeof(handler[0]) || !handler[ev->step])
		return true;
	return set_cpu(im, ev->rec) && handler[ev->step](im, ev);
}

static int run(struct import *im, struct sf_error *err)
{
	struct sf_trace_record rec;
	int r;

	if (!create_caches(im))
		return 1;
	while ((r = sf_trace_read(im->trace, &rec, err)) > 0) {
		r = sf_pair_record(im->pair, im->trace, &rec, err);
		if (r <= 0)
			return r < 0 ? -1 : 1;
	}
	return r;
}

static int import_kernel(struct sf_trace *t, const struct sf_trace_scan *s,
			 const struct sf_import_options *opt, struct sf_trace_counts *counts,
			 struct sf_error *err)
{
	struct import im = {
		.trace = t, .scan = s, .opt = opt, .res = { .unique = opt->unique_results },
	};
	struct sf_pair_options popt = {
		.backing = &s->backing,
		.hashed = s->hashed,
		.base = s->base,
		.event = on_event,
		.ctx = &im,
	};
	int r;

	if (sf_trace_rewind(t, err))
		return -1;
	im.pair = sf_pair_create(&popt);
	r = run(&im, err);
	sf_pair_finish(im.pair, t);
	if (counts) {
		*counts = *sf_pair_counts(im.pair);
		counts->odd_caches = s->counts.odd_caches;
		counts->ops = im.ops;
	}
	sf_pair_destroy(im.pair);
	for (uint32_t i = 1; i <= im.nr_sites; i++)
		free(im.site[i]);
	free(im.site);
	free(im.res.gone);
	sf_map_free(&im.sites);
	return r;
}

int sf_trace_import(struct sf_trace *t, const struct sf_trace_scan *s,
		    const struct sf_import_options *opt, struct sf_trace_counts *counts,
		    struct sf_error *err)
{
	return sf_trace_is_calls(t) ? sf_calls_import(t, opt, counts, err) :
				      import_kernel(t, s, opt, counts, err);
}
