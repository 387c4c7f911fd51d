// SPDX-License-Identifier: MIT
/*
 * compare_sealed.c - `slabfuzz compare --sealed`: the chance that a write through the direct map,
 * to an address drawn at random, reaches sealed memory. blind.c does the writing.
 */
#include <inttypes.h>
#include <string.h>

#include "../measure/blind.h"
#include "../measure/chance.h"
#include "compare.h"

#define PAGES 1024u /* of the heap, unless --set says otherwise */

static const uint32_t pool_pages[] = { 1, 16, 256 };

static double formula(uint64_t bytes, const struct sf_blind_result *r)
{
	return (double)bytes / (double)r->map_bytes;
}

static json_t *json_figure(uint64_t hits, uint64_t bytes, const struct sf_blind_result *r)
{
	struct sf_chance f = sf_chance(hits, r->writes);

	return json_pack("{s:o, s:o, s:f, s:f, s:f, s:f}", "bytes", sf_json_number(bytes), "hits",
			 sf_json_number(hits), "chance", f.share, "low", f.low, "high", f.high,
			 "formula", formula(bytes, r));
}

static void add_json(struct sf_compare *c, const struct sf_allocator *a, const char *directmap,
		     uint32_t pages, const struct sf_blind_result *r)
{
	json_array_append_new(
		c->list,
		json_pack("{s:s, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "allocator",
			  a->name, "settings", sf_compare_settings(&c->overrides), "directmap",
			  directmap, "pool_pages", (int)pages, "writes", sf_json_number(r->writes),
			  "refused", sf_json_number(r->refused), "map_bytes",
			  sf_json_number(r->map_bytes), "object",
			  json_figure(r->object, r->object_bytes, r), "pool",
			  json_figure(r->pool, r->pool_bytes, r), "layouts",
			  sf_json_number(r->layouts), "known", sf_json_number(r->known)));
}

static void print_head(uint64_t writes)
{
	printf("chance that a write through the direct map, to an address drawn at random, reaches "
	       "sealed memory\n%" PRIu64 " writes of 8 bytes for each line, over %u layouts; "
	       "in brackets the 95 %% interval\n\n"
	       "%-10s %-9s %5s  %-34s %-10s  %-29s %-8s %8s %13s\n",
	       writes, SF_BLIND_LAYOUTS, "allocator", "directmap", "pages",
	       "one object of 256 bytes", "formula", "anything in the pool", "formula", "refused",
	       "address known");
}

static void print_row(const struct sf_allocator *a, const char *directmap, uint32_t pages,
		      const struct sf_blind_result *r)
{
	struct sf_chance o = sf_chance(r->object, r->writes), p = sf_chance(r->pool, r->writes);
	char object[64], pool[64];

	snprintf(object, sizeof(object), "%.5f %% (%.5f to %.5f)", 100 * o.share, 100 * o.low,
		 100 * o.high);
	snprintf(pool, sizeof(pool), "%.3f %% (%.3f to %.3f)", 100 * p.share, 100 * p.low,
		 100 * p.high);
	printf("%-10s %-9s %5u  %-34s %.5f %%  %-29s %.3f %% %8" PRIu64 " %7" PRIu64 "/%" PRIu64
	       "\n", a->name, directmap, pages, object, 100 * formula(r->object_bytes, r), pool,
	       100 * formula(r->pool_bytes, r), r->refused, r->known, r->layouts);
}

static int compare_row(struct sf_compare *c, const struct sf_allocator *a, uint64_t directmap,
		       uint32_t pages, uint64_t writes, uint64_t seed)
{
	struct sf_blind_options opt = { .allocator = a, .pool_pages = pages, .writes = writes,
					.seed = seed };
	const char *name = directmap ? "sealed" : "open", *fault;
	struct sf_error err = { "" };
	struct sf_blind_result r;

	sf_settings_init(&opt.settings);
	opt.settings.pages = PAGES;
	opt.settings.directmap = directmap;
	fault = sf_overrides_apply(&c->overrides, &opt.settings);
	if (fault)
		return sf_bad("compare: %s", fault);
	if (!sf_blind_run(&opt, &r, &err))
		return sf_bad("compare: %s: %s", a->name, err.text);
	if (c->json)
		add_json(c, a, name, pages, &r);
	else
		print_row(a, name, pages, &r);
	return 0;
}

int sf_compare_sealed(struct sf_compare *c, uint64_t trials, uint64_t seed)
{
	uint32_t done = 0;
	int status = 0;

	if (sf_override_names(&c->overrides, "directmap"))
		return sf_bad("compare: --sealed has a row for each value of directmap");
	for (uint32_t i = 0; !status && i < c->on.nr; i++) {
		const struct sf_allocator *a = c->on.allocator[i];

		if (!(a->caps & SF_CAP_POOLS))
			continue;
		if (!done++ && !c->json)
			print_head(trials / SF_BLIND_LAYOUTS * SF_BLIND_LAYOUTS);
		for (uint64_t d = 0; !status && d < 2; d++)
			for (size_t k = 0; !status && k < sizeof(pool_pages) / 4; k++)
				status = compare_row(c, a, d, pool_pages[k], trials, seed);
	}
	if (!status && !done)
		return sf_bad("compare: --sealed: none of these allocators has pools");
	return status;
}
