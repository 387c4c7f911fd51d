// SPDX-License-Identifier: MIT
/*
 * compare_reclaim.c - `slabfuzz compare --reclaim`: what can be reclaimed, by the counters and by
 * the truth, and when memory was out, under several designs. pressure.c does the adding up.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../measure/pressure.h"
#include "compare.h"
#include "runner.h"

#define EVERY_PROGRAM 256
#define EVERY_RECORDING 20000

struct row {
	struct sf_pressure pressure;
	uint64_t looks, every;
	uint64_t ask;            /* percent */
	uint64_t asked, refused; /* by us */
};

int sf_compare_each(void *overrides, const struct sf_usage *u, const char *s)
{
	size_t key = strcspn(s, "=");
	int status = 0;

	sf_overrides_free(overrides);
	if (!s[key] || !s[key + 1])
		return sf_usage_error(u, "--each wants KEY=VALUE,VALUE…, not '%s'", s);
	for (const char *at = s + key + 1; !status; at++) {
		size_t len = strcspn(at, ",");
		char *one = sf_sprintf("%.*s=%.*s", (int)key, s, (int)len, at);

		status = sf_override_add(overrides, u, one);
		free(one);
		at += len;
		if (!*at)
			break;
	}
	return status;
}

struct sf_overrides sf_compare_overrides(const struct sf_compare *c,
					 const struct sf_override *each)
{
	struct sf_overrides set = { 0 };

	for (uint32_t i = 0; i < c->overrides.nr; i++) {
		SF_GROW(set.o, set.nr, set.cap);
		set.o[set.nr++] = c->overrides.o[i];
	}
	if (each) {
		SF_GROW(set.o, set.nr, set.cap);
		set.o[set.nr++] = *each;
	}
	return set;
}

json_t *sf_compare_settings(const struct sf_overrides *set)
{
	json_t *j = json_object();

	for (uint32_t i = 0; i < set->nr; i++) {
		const struct sf_override *o = &set->o[i];
		char text[40], key[48];

		json_object_set_new(j, o->info->name, sf_json_number(o->value));
		snprintf(key, sizeof(key), "%s_name", o->info->name);
		if (sf_setting_is_choice(o->info))
			json_object_set_new(j, key, json_string(sf_setting_text(o->info, o->value,
										text)));
	}
	return j;
}

/* A snapshot, and a process that asks for what there was then. */
static void look(void *ctx, struct sf_exec *x, const struct sf_allocator *a)
{
	struct row *r = ctx;
	struct sf_sink sink = { .emit = sf_pressure_event, .ctx = &r->pressure, .op = SF_NONE };
	struct sf_heap *h = sf_exec_heap(x);
	uint64_t pages;

	a->walk(h, &sink, true, false);
	sf_pressure_note(&r->pressure, ++r->looks * r->every);
	if (!r->ask || !(a->caps & SF_CAP_OVERCOMMIT) || !r->pressure.now.sums.valid)
		return;
	pages = sf_pressure_obtainable(&r->pressure.now) * r->ask / 100;
	r->asked++;
	r->refused += a->vm_enough_memory(h, pages) != SF_OK;
}

static uint64_t needless(const struct sf_ooms *o)
{
	return o->total - o->exhausted - o->memcg;
}

static uint64_t uncounted(const struct sf_reclaim_sums *s)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < SF_UNCOUNTEDS; i++)
		n += s->uncounted[i];
	return n;
}

/* --- JSON --- */

static json_t *json_causes(const struct sf_ooms *o)
{
	json_t *j = json_object();
	char key[40];

	for (unsigned int i = 0; i < SF_CAUSES; i++)
		json_object_set_new(j, sf_json_key(sf_oom_causes[i].name, key),
				    sf_json_number(o->cause[i]));
	return j;
}

static json_t *json_terms(const struct sf_reclaim_sums *s)
{
	json_t *j = json_object();
	char key[40];

	for (unsigned int i = 0; i < SF_TERMS; i++)
		json_object_set_new(j, sf_json_key(sf_reclaim_terms[i].name, key),
				    sf_json_number(s->term[i]));
	for (unsigned int i = 0; i < SF_UNCOUNTEDS; i++)
		json_object_set_new(j, sf_json_key(sf_uncounteds[i].name, key),
				    sf_json_number(s->uncounted[i]));
	return j;
}

static void add_json(struct sf_compare *c, const char *file, const struct sf_allocator *a,
		     const struct sf_overrides *set, const struct row *r)
{
	const struct sf_pressure_moment *m = &r->pressure.most;
	const struct sf_ooms *o = sf_judge_ooms(r->pressure.judge);
	json_t *j = json_pack("{s:o, s:s, s:o, s:o}", "program", sf_json_text(file), "allocator",
			      a->name, "settings", sf_compare_settings(set), "operation",
			      sf_json_number(m->operations));

	json_object_set_new(j, "counted_bytes", sf_json_number(m->sums.counted));
	json_object_set_new(j, "truth_bytes", sf_json_number(m->sums.truth));
	json_object_set_new(j, "uncounted_bytes", sf_json_number(uncounted(&m->sums)));
	json_object_set_new(j, "terms", json_terms(&m->sums));
	json_object_set_new(j, "free_bytes", sf_json_number(m->free * SF_PAGE_SIZE));
	json_object_set_new(j, "available_bytes",
			    sf_json_number(m->sums.available * SF_PAGE_SIZE));
	json_object_set_new(j, "page_blocks",
			    json_pack("{s:o, s:o}", "reclaimable", sf_json_number(m->blocks),
				      "mixed", sf_json_number(m->mixed)));
	json_object_set_new(j, "ooms",
			    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "total",
				      sf_json_number(o->total), "exhausted",
				      sf_json_number(o->exhausted), "memcg",
				      sf_json_number(o->memcg), "needless",
				      sf_json_number(needless(o)), "refused_requests",
				      sf_json_number(o->guesses), "causes", json_causes(o)));
	json_object_set_new(j, "asked", sf_json_number(r->asked));
	json_array_append_new(c->list, j);
}

/* --- text --- */

static void print_head(const struct sf_compare *c, const char *file, const struct row *r)
{
	printf("%s, when most was reclaimable (a look every %" PRIu64 " operations; kB):\n"
	       "%-10s %-12s %9s %9s %9s %9s %9s %11s %6s %8s  %s\n", file, r->every, "allocator",
	       c->each.o[0].info->name, "counted", "truth", "uncounted", "available", "free",
	       "page blocks", "OOMs", "needless", "because");
}

static void print_causes(const struct sf_ooms *o)
{
	const char *comma = "";

	for (unsigned int i = 0; i < SF_CAUSES; i++) {
		if (!o->cause[i])
			continue;
		printf("%s%s %" PRIu64, comma, sf_oom_causes[i].name, o->cause[i]);
		comma = ", ";
	}
	puts(*comma ? "" : "-");
}

static void print_row(const struct sf_allocator *a, const struct sf_override *each,
		      const struct row *r)
{
	const struct sf_pressure_moment *m = &r->pressure.most;
	const struct sf_ooms *o = sf_judge_ooms(r->pressure.judge);
	char value[40], blocks[48];

	snprintf(blocks, sizeof(blocks), "%" PRIu64 "/%" PRIu64, m->mixed, m->blocks);
	printf("%-10s %-12s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64
	       " %11s %6" PRIu64 " %8" PRIu64 "  ",
	       a->name, sf_setting_text(each->info, each->value, value), m->sums.counted / 1024,
	       m->sums.truth / 1024, uncounted(&m->sums) / 1024, m->sums.available * 4,
	       m->free * 4, blocks, o->total, needless(o));
	print_causes(o);
}

/* --- one row, one file --- */

static int run_row(struct sf_compare *c, struct row *r, const struct sf_allocator *a,
		   const struct sf_override *each, const struct sf_input *in,
		   const struct sf_prog *prog)
{
	struct sf_overrides set = sf_compare_overrides(c, each);
	struct sf_runner runner = { .allocator = a, .overrides = &set, .emit = sf_pressure_event,
				    .ctx = &r->pressure, .look_every = r->every, .look = look,
				    .look_ctx = r };
	int status = sf_runner_run(&runner, in, prog);

	if (!status && c->json)
		add_json(c, in->name, a, &set, r);
	else if (!status)
		print_row(a, each, r);
	sf_overrides_free(&set);
	return status;
}

static int compare_row(struct sf_compare *c, const struct sf_allocator *a,
		       const struct sf_override *each, const struct sf_input *in,
		       const struct sf_prog *prog, bool first)
{
	const struct sf_judge_options judging = {
		.only = sf_invariant_bit(SF_INV_ACC_11) | sf_invariant_bit(SF_INV_ACC_14),
	};
	bool recording = in->kind == SF_INPUT_TRACE;
	struct row r = { .ask = c->ask ? c->ask : recording ? 100 : 0 };
	int status;

	r.every = c->every ? c->every : recording ? EVERY_RECORDING : EVERY_PROGRAM;
	if (!(a->caps & SF_CAP_RECLAIM) || !(a->caps & SF_CAP_WALK))
		return sf_bad("compare: %s cannot reclaim, or cannot be looked at", a->name);
	if (first && !c->json)
		print_head(c, in->name, &r);
	sf_pressure_init(&r.pressure, sf_judge_create(&judging));
	status = run_row(c, &r, a, each, in, prog);
	sf_judge_destroy(r.pressure.judge);
	sf_pressure_free(&r.pressure);
	return status;
}

int sf_compare_reclaim(struct sf_compare *c, const struct sf_input *in, const struct sf_prog *prog)
{
	int status = 0;

	for (uint32_t i = 0; !status && i < c->on.nr; i++)
		for (uint32_t k = 0; !status && k < c->each.nr; k++)
			status = compare_row(c, c->on.allocator[i], &c->each.o[k], in, prog,
					     i == 0 && k == 0);
	return status;
}
