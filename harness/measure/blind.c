// SPDX-License-Identifier: MIT
/*
 * blind.c - blind.h: layouts, and writes that are looked for where they should not be.
 */
#include "blind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "../../allocators/base/rng.h"

#define WORD 8u

struct range {
	const struct sf_allocator *a;
	struct sf_heap *h;
	struct sf_rng rng;
	uint64_t direct_map, pages;
	uint64_t *page_at;     /* by frame: where the pool has it, 0: nowhere */
	uint32_t pool;
	uint64_t target;
};

static void listen(void *ctx, const struct sf_event *ev)
{
	struct range *g = ctx;

	if (ev->type != SF_EV_HEAP)
		return;
	g->direct_map = ev->heap.direct_map;
	g->pages = ev->heap.pages;
}

static bool fail(struct sf_error *err, const char *what)
{
	snprintf(err->text, sizeof(err->text), "%s", what);
	return false;
}

/* --- a layout --- */

static void others(struct range *g)
{
	uint64_t n = sf_rng_below(&g->rng, g->pages / 4);
	struct sf_result rs;

	for (uint64_t i = 0; i < n; i++)
		g->a->pages_alloc(g->h, SF_GFP_KERNEL, (unsigned int)sf_rng_below(&g->rng, 2), &rs);
}

static void note_pages(struct range *g, uint64_t addr)
{
	struct sf_place pl;

	for (uint64_t at = addr & ~(SF_PAGE_SIZE - 1); at < addr + SF_BLIND_OBJECT;
	     at += SF_PAGE_SIZE) {
		g->a->place(g->h, at < addr ? addr : at, &pl);
		if (pl.pfn < g->pages)
			g->page_at[pl.pfn] = at;
	}
}

static bool fill_pool(struct range *g, uint32_t pages)
{
	struct sf_pool_request rq = { .mode = SF_POOL_RO, .refill = pages };
	uint64_t n = pages * SF_PAGE_SIZE / SF_BLIND_OBJECT, chosen = sf_rng_below(&g->rng, n);
	struct sf_result rs;

	memset(g->page_at, 0, g->pages * sizeof(*g->page_at));
	g->pool = g->a->pool_create(g->h, &rq);
	if (g->pool == SF_NONE)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		g->a->pool_alloc(g->h, g->pool, 1, SF_BLIND_OBJECT, &rs);
		if (!rs.addr)
			return false;
		note_pages(g, rs.addr);
		if (i == chosen)
			g->target = rs.addr;
	}
	return g->a->pool_protect(g->h, g->pool) == SF_OK;
}

/* --- writes --- */

static uint64_t word_at(struct range *g, uint64_t addr)
{
	uint64_t v = 0;

	g->a->peek(g->h, addr, &v, sizeof(v));
	return v;
}

struct hit {
	bool refused, changed; /* changed: as the pool's own address has it */
	uint64_t where;        /* in the pool, 0: nothing of it is there */
};

static struct hit write_at(struct range *g, uint64_t frame, uint64_t offset)
{
	uint64_t addr = g->direct_map + frame * SF_PAGE_SIZE + offset, was = word_at(g, addr);
	uint64_t value = ~was;
	struct hit hit = { .where = g->page_at[frame] ? g->page_at[frame] + offset : 0 };
	uint64_t before = hit.where ? word_at(g, hit.where) : 0;

	hit.refused = g->a->poke(g->h, addr, &value, sizeof(value)) != sizeof(value);
	hit.changed = hit.where && word_at(g, hit.where) != before;
	g->a->poke(g->h, addr, &was, sizeof(was));
	return hit;
}

static void write_blind(struct range *g, struct sf_blind_result *r)
{
	uint64_t at = sf_rng_below(&g->rng, g->pages * SF_PAGE_SIZE / WORD) * WORD;
	struct hit hit = write_at(g, at / SF_PAGE_SIZE, at % SF_PAGE_SIZE);

	r->writes++;
	r->refused += hit.refused;
	r->pool += hit.changed;
	r->object += hit.changed && hit.where >= g->target &&
		     hit.where < g->target + SF_BLIND_OBJECT;
}

static void write_known(struct range *g, struct sf_blind_result *r)
{
	struct sf_place pl;

	g->a->place(g->h, g->target, &pl);
	r->layouts++;
	if (pl.pfn < g->pages)
		r->known += write_at(g, pl.pfn, g->target % SF_PAGE_SIZE).changed;
}

static bool layout(struct range *g, const struct sf_blind_options *opt, uint64_t nr,
		   struct sf_blind_result *r, struct sf_error *err)
{
	uint64_t writes = opt->writes / SF_BLIND_LAYOUTS;

	g->a->reset(g->h);
	sf_rng_seed(&g->rng, opt->seed * 1000003 + nr);
	others(g);
	if (!fill_pool(g, opt->pool_pages))
		return fail(err, "the pool does not fit into this heap");
	for (uint64_t i = 0; i < writes; i++)
		write_blind(g, r);
	write_known(g, r);
	g->a->pool_destroy(g->h, g->pool);
	return true;
}

bool sf_blind_run(const struct sf_blind_options *opt, struct sf_blind_result *r,
		  struct sf_error *err)
{
	struct range g = { .a = opt->allocator };
	struct sf_sink sink = { .emit = listen, .ctx = &g, .op = SF_NONE };
	struct sf_settings set = opt->settings;
	bool good = true;

	*r = (struct sf_blind_result){ 0 };
	if (~g.a->caps & (SF_CAP_POOLS | SF_CAP_MISUSE | SF_CAP_PLACE | SF_CAP_PAGES))
		return fail(err, "it has no pools, or cannot be misused");
	set.misuse = 1;
	g.h = g.a->create(g.a, &set, &sink, err);
	if (!g.h)
		return false;
	g.page_at = sf_grow(NULL, g.pages, sizeof(*g.page_at));
	r->map_bytes = g.pages * SF_PAGE_SIZE;
	r->object_bytes = SF_BLIND_OBJECT;
	r->pool_bytes = opt->pool_pages * SF_PAGE_SIZE;
	for (uint64_t i = 0; good && i < SF_BLIND_LAYOUTS; i++)
		good = layout(&g, opt, i, r, err);
	free(g.page_at);
	g.a->destroy(g.h);
	return good;
}
