// SPDX-License-Identifier: MIT
/*
 * cmd_compare.c - `slabfuzz compare`: allocators side by side: what a workload costs in memory on
 * each; with --attacks, how far mistakes reach. cost.c and attack.c do the work. The other tables
 * have files of their own (compare.h).
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../measure/attack.h"
#include "../measure/chance.h"
#include "../measure/cost.h"
#include "compare.h"
#include "runner.h"

/* HARDENINGS(X): X(name, settings switched on, bit set of SF_SET_*) */
#define ON(field) (1ull << SF_SET_##field)
#define HARDENINGS(X)                                                                         \
	X("none", 0)                                                                          \
	X("freelist_random", ON(freelist_random))                                             \
	X("shuffle", ON(shuffle))                                                             \
	X("init_on_free", ON(init_on_free))                                                   \
	X("freelist_hardened", ON(freelist_hardened))                                         \
	X("slot_offset", ON(slot_offset))                                                     \
	X("slab_virtual", ON(slab_virtual))                                                   \
	X("all", ON(freelist_random) | ON(shuffle) | ON(init_on_free) | ON(freelist_hardened) | \
	  ON(slot_offset) | ON(slab_virtual))

static const struct hardening {
	const char *name;
	uint64_t on;
} hardenings[] = {
#define X(name, on) { name, on },
	HARDENINGS(X)
#undef X
};

#define NR_HARDENINGS (sizeof(hardenings) / sizeof(hardenings[0]))

struct plan {
	struct sf_compare c;
	struct sf_promise_plan promises;
	uint64_t trials, bytes, seed;
	bool chosen[NR_HARDENINGS];
	bool attacks, detail, reclaim, large, sealed;
};

static int take_hardening(void *to, const struct sf_usage *u, const char *list);

static const struct sf_row rows[] = {
	SF_ALLOCATORS_ROW("NAME,…", struct plan, c.on,
			  "these allocators (default: all; reclaim: baseline)"),
	SF_TRAIT_ROW(struct plan, c.on),
	SF_SET_ROW(struct plan, c.overrides, "change a heap setting, whatever the program says"),
	SF_FLAG("attacks", struct plan, attacks,
		"how far mistakes reach; FILEs are layouts, none: drawn"),
	SF_CALL(0, "hardening", "NAME,…", struct plan, chosen, take_hardening,
		"attacks: only these rows (default: all)"),
	SF_NUMBER("trials", "N", struct plan, trials, 1, UINT32_MAX,
		  "attacks: layouts, sealed: writes for each figure (default: 400, 1048576)"),
	SF_NUMBER("bytes", "N", struct plan, bytes, 1, UINT16_MAX,
		  "attacks: bytes that a write writes (default: 64)"),
	SF_NUMBER("seed", "N", struct plan, seed, 1, UINT32_MAX,
		  "attacks, sealed: of the layouts (default: 1)"),
	SF_FLAG("promises", struct plan, promises.asked,
		"attacks: what hardened allocators promise, of models too (always of others)"),
	SF_NUMBER("starts", "N", struct plan, promises.starts, 1, 4096,
		  "promises: processes that the trials are spread over (default: 64)"),
	SF_TEXT(0, "claims", "FILE", struct plan, promises.claims,
		"promises: exit 1 unless they are shown; docs/attacks.md"),
	SF_FLAG("detail", struct plan, detail,
		"attacks: all that was reached, not pointers alone"),
	SF_FLAG("reclaim", struct plan, reclaim,
		"what can be reclaimed, by the counters and by the truth"),
	SF_CALL(0, "each", "KEY=VALUE,…", struct plan, c.each, sf_compare_each,
		"reclaim, large: a row for each (default: the three designs of accounting; none)"),
	SF_NUMBER("every", "N", struct plan, c.every, 1, UINT32_MAX,
		  "reclaim: operations between looks (default: 256, 20000)"),
	SF_NUMBER("ask", "N", struct plan, c.ask, 1, 100,
		  "reclaim: percent of what is there to ask for (default: 0, 100)"),
	SF_FLAG("large", struct plan, large, "rivals for objects of more than a page"),
	SF_FLAG("sealed", struct plan, sealed,
		"blind writes through the direct map into sealed memory"),
	SF_JSON(struct plan, c.json),
	{ 0 },
};

static const struct sf_usage usage = {
	"compare", "FILE…",
	"Runs each FILE on each allocator and prints what it costs in memory. With --attacks:\n"
	"the chance, over seeds and layouts, that a mistake with a plain buffer reaches an object\n"
	"with pointers, for each allocator, alone and with each hardening. The mistakes are made,\n"
	"and what changed is looked up; see docs/attacks.md. Allocators of other sorts\n"
	"(malloc:LIB.so, plugin:X.so, reference) are attacked in processes that may die: what\n"
	"each mistake reaches, whether it is noticed, how soon memory is used again.\n"
	"With --reclaim: what the counters say can be reclaimed and what could be, when most\n"
	"could; how often memory was said to be out, and how often needlessly. At each look a\n"
	"process asks for N percent of what could be had. Of two defaults the second is for\n"
	"recordings. See docs/reclaim.md.\n"
	"With --large: kmalloc as it is, alloc_pages_exact() in its place, and slabs of 2 MiB:\n"
	"memory, fragmentation, refusals, regions, time; see docs/large.md. With --sealed: the\n"
	"chance that a write to an address drawn at random hits a sealed pool; docs/protected.md.\n"
	"Of a recording of malloc() (mtrace, heaptrack, ltrace …): what it asks for, what each\n"
	"allocator holds for that, and the time of a call; docs/traces.md.",
	rows,
};

/* --- costs --- */

static void show_cost(const struct plan *p, const char *file, const struct sf_allocator *a,
		      const struct sf_cost *c)
{
	if (p->c.json) {
		json_array_append_new(
			p->c.list,
			json_pack("{s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:f,s:o}", "program",
				  sf_json_text(file), "allocator", a->name, "settings",
				  sf_compare_settings(&p->c.overrides), "allocations",
				  sf_json_number(c->allocations),
				  "failures", sf_json_number(c->failures), "requested_bytes",
				  sf_json_number(c->peak_requested), "backing_bytes",
				  sf_json_number(c->peak_pages * SF_PAGE_SIZE), "peak_pages",
				  sf_json_number(c->peak_pages), "most_pages",
				  sf_json_number(c->most_pages), "slabs",
				  sf_json_number(c->peak_slabs), "overhead",
				  sf_cost_overhead(c), "caches", sf_json_number(c->caches)));
		return;
	}
	printf("%-10s %12" PRIu64 " %9" PRIu64 " %14" PRIu64 " %14" PRIu64 " %8.1f %% %8" PRIu64
	       " %7" PRIu64 "\n", a->name, c->allocations, c->failures, c->peak_requested,
	       (uint64_t)(c->peak_pages * SF_PAGE_SIZE), 100 * sf_cost_overhead(c), c->peak_slabs,
	       c->caches);
}

static int compare_cost(struct plan *p, const struct sf_input *in, const struct sf_prog *prog)
{
	int status = 0;

	if (!p->c.json)
		printf("%s, when most bytes were alive:\n%-10s %12s %9s %14s %14s %10s %8s %7s\n",
		       in->name, "allocator", "allocations", "failures", "requested", "backing",
		       "overhead", "slabs", "caches");
	for (uint32_t i = 0; !status && i < p->c.on.nr; i++) {
		struct sf_cost cost = { 0 };
		struct sf_runner runner = { .allocator = p->c.on.allocator[i],
					    .overrides = &p->c.overrides, .emit = sf_cost_event,
					    .ctx = &cost };

		status = sf_runner_run(&runner, in, prog);
		if (!status)
			show_cost(p, in->name, p->c.on.allocator[i], &cost);
		sf_cost_free(&cost);
	}
	return status;
}

/* --- attacks --- */

static double share(uint64_t hits, uint64_t n)
{
	return n ? (double)hits / (double)n : 0;
}

static json_t *json_scenario(const struct sf_attack_result *r)
{
	static const char *const names[] = {
#define X(id, name, doc) name,
		SF_REACH(X)
#undef X
	};
	json_t *reached = json_object();
	char key[40];

	for (unsigned int i = 0; i < SF_REACHES; i++)
		json_object_set_new(reached, sf_json_key(names[i], key),
				    sf_json_number(r->reached[i]));
	return json_pack("{s:o,s:o,s:o,s:o,s:f}", "trials", sf_json_number(r->trials), "left_out",
			 sf_json_number(r->left_out), "noticed", sf_json_number(r->noticed),
			 "reached", reached, "pointer",
			 share(r->reached[SF_REACH_POINTER], r->trials));
}

static void show_row(const struct plan *p, const char *layout, const struct sf_allocator *a,
		     const struct hardening *h, const struct sf_attack_result *r, double *widest)
{
	json_t *attacks;
	char key[40];

	if (p->c.json) {
		attacks = json_object();
		for (unsigned int s = 0; s < SF_SCENARIO_COUNT; s++)
			if (sf_scenarios[s].use & SF_FOR_REACH)
				json_object_set_new(attacks, sf_json_key(sf_scenarios[s].name, key),
						    json_scenario(&r[s]));
		json_array_append_new(p->c.list,
				      json_pack("{s:o, s:s, s:s, s:o, s:o}", "layout",
						sf_json_text(layout), "allocator", a->name,
						"hardening", h->name, "settings",
						sf_compare_settings(&p->c.overrides),
						"attacks", attacks));
		return;
	}
	printf("%-10s %-18s", a->name, h->name);
	for (unsigned int s = 0; s < SF_SCENARIO_COUNT; s++) {
		struct sf_chance c = sf_chance(r[s].reached[SF_REACH_POINTER], r[s].trials);

		if (!(sf_scenarios[s].use & SF_FOR_REACH))
			continue;
		printf(" %11.1f %%", 100 * c.share);
		if ((c.high - c.low) / 2 > *widest)
			*widest = (c.high - c.low) / 2;
	}
	putchar('\n');
}

/* Everything that was reached, one line a scenario. */
static void show_detail(const struct sf_attack_result *r)
{
	static const char *const names[] = {
#define X(id, name, doc) name,
		SF_REACH(X)
#undef X
	};

	for (unsigned int s = 0; s < SF_SCENARIO_COUNT; s++) {
		if (!(sf_scenarios[s].use & SF_FOR_REACH))
			continue;
		printf("    %-12s", sf_scenarios[s].name);
		for (unsigned int i = 0; i < SF_REACHES; i++)
			if (r[s].reached[i])
				printf(" %s %.1f %%,", names[i],
				       100 * share(r[s].reached[i], r[s].trials));
		printf(" noticed %.1f %%", 100 * share(r[s].noticed, r[s].trials));
		printf(r[s].left_out ? " (%" PRIu64 " of %" PRIu64 " left out)\n" : "\n",
		       r[s].left_out, r[s].left_out + r[s].trials);
	}
}

static void print_heading(const struct plan *p, const char *layout)
{
	printf("chance that a mistake with a plain buffer reaches an object with pointers\n"
	       "%" PRIu64 " trials for each figure, writes of %" PRIu64 " bytes, layout: %s\n\n"
	       "%-10s %-18s", p->trials, p->bytes, layout ? layout : "drawn, a new one each trial",
	       "allocator", "hardening");
	for (unsigned int s = 0; s < SF_SCENARIO_COUNT; s++)
		if (sf_scenarios[s].use & SF_FOR_REACH)
			printf(" %13s", sf_scenarios[s].name);
	putchar('\n');
}

static int attack_row(struct plan *p, const char *layout, const struct sf_prog *prog,
		      const struct sf_allocator *a, const struct hardening *h, double *widest)
{
	struct sf_attack_result result[SF_SCENARIO_COUNT];
	struct sf_attack_options opt = { .allocator = a, .trials = (uint32_t)p->trials,
					 .bytes = (uint16_t)p->bytes, .seed = p->seed,
					 .layout = prog };
	struct sf_error err = { "" };
	const char *fault;

	if (prog) {
		opt.settings = prog->settings;
	} else {
		sf_settings_init(&opt.settings);
		opt.settings.pages = 8192;
	}
	for (size_t i = 0; i < sf_setting_count; i++)
		if (h->on >> sf_setting_table[i].code & 1)
			*sf_setting_slot(&opt.settings, &sf_setting_table[i]) = 1;
	fault = sf_overrides_apply(&p->c.overrides, &opt.settings);
	if (fault)
		return sf_bad("compare: %s", fault);
	if (!sf_attack_run(&opt, result, &err))
		return sf_bad("compare: %s: %s", a->name, err.text);
	show_row(p, layout, a, h, result, widest);
	if (p->detail && !p->c.json)
		show_detail(result);
	return 0;
}

static int compare_promises(struct plan *p, const char *layout, const struct sf_prog *prog)
{
	for (size_t k = 0; k < NR_HARDENINGS; k++)
		if (!p->chosen[k])
			return sf_usage_error(&usage, "--hardening is for the table of models; "
					      "here: --set");
	p->promises.trials = (uint32_t)p->trials;
	p->promises.bytes = (uint16_t)p->bytes;
	p->promises.seed = p->seed;
	return sf_compare_promises(&p->c, &p->promises, layout, prog);
}

static int compare_attacks(struct plan *p, const char *layout, const struct sf_prog *prog)
{
	double widest = 0;
	int status = 0;

	if (sf_promises_due(&p->c, &p->promises))
		return compare_promises(p, layout, prog);
	if (!p->c.json)
		print_heading(p, layout);
	for (uint32_t i = 0; !status && i < p->c.on.nr; i++) {
		for (size_t k = 0; !status && k < NR_HARDENINGS; k++)
			if (p->chosen[k])
				status = attack_row(p, layout, prog, p->c.on.allocator[i],
						    &hardenings[k], &widest);
		if (!p->c.json && !isatty(STDOUT_FILENO))
			fflush(stdout);
	}
	if (!status && !p->c.json)
		printf("\n95 %% intervals: at most ±%.1f %%\n", 100 * widest);
	return status;
}

/* --- options --- */

static int take_hardening(void *to, const struct sf_usage *u, const char *list)
{
	bool *chosen = to;

	memset(chosen, 0, NR_HARDENINGS * sizeof(*chosen));
	for (size_t len; list += strspn(list, ","), (len = strcspn(list, ",")); list += len) {
		bool found = false;

		for (size_t i = 0; i < NR_HARDENINGS; i++) {
			if (strlen(hardenings[i].name) != len ||
			    memcmp(hardenings[i].name, list, len))
				continue;
			chosen[i] = found = true;
		}
		if (!found)
			return sf_bad("%s: no hardening '%.*s'; there are: none, "
				      "freelist_random, shuffle, init_on_free, freelist_hardened, "
				      "slot_offset, slab_virtual, all", u->name, (int)len, list);
	}
	return 0;
}

static int compare_file(struct plan *p, const char *name)
{
	struct sf_input in;
	struct sf_prog prog;
	int status = sf_input_open(&in, name, false);

	sf_prog_init(&prog);
	if (!status && in.kind != SF_INPUT_TRACE)
		status = sf_input_program(&in, &prog);
	else if (!status && p->attacks)
		status = sf_bad("compare: %s: a recording has no types to tell buffers by", name);
	if (!status && p->attacks && !strcmp(name, "-") && sf_promises_due(&p->c, &p->promises))
		status = sf_bad("compare: a layout from standard input cannot be read again in "
				"each start; give it as a file");
	else if (!status && p->attacks)
		status = compare_attacks(p, name, &prog);
	else if (!status && p->reclaim)
		status = sf_compare_reclaim(&p->c, &in, &prog);
	else if (!status && p->large)
		status = sf_compare_large(&p->c, &in, &prog);
	else if (!status && sf_compare_is_heap(&in))
		status = sf_compare_heap(&p->c, &in);
	else if (!status)
		status = compare_cost(p, &in, &prog);
	sf_prog_free(&prog);
	sf_input_close(&in);
	return status;
}

/* What was asked for fits together; defaults for what was not. */
static int settle(struct plan *p, int files)
{
	if (p->attacks + p->reclaim + p->large + p->sealed > 1)
		return sf_usage_error(&usage, "--attacks, --reclaim, --large or --sealed: one "
				      "table at a time");
	if (p->sealed && files)
		return sf_usage_error(&usage, "--sealed takes no file");
	if (!p->attacks && (p->promises.asked || p->promises.claims || p->promises.starts))
		return sf_usage_error(&usage, "--promises, --starts, --claims: of --attacks");
	if (!files && !p->attacks && !p->sealed)
		return sf_usage_error(&usage, "which file?");
	if (p->large && p->c.on.nr_asked)
		return sf_usage_error(&usage, "--large has its own rows: no -a");
	if (!p->c.each.nr && p->reclaim)
		sf_compare_each(&p->c.each, &usage, "accounting=none,indirect,reclaimable");
	if (!p->trials)
		p->trials = p->sealed ? 1u << 20 : 400;
	if (p->attacks && p->trials > 1000000)
		return sf_usage_error(&usage, "--attacks: at most 1000000 trials");
	return sf_select_open(&p->c.on, &usage, p->reclaim ? sf_allocators[0]->name : "all");
}

static int compare(struct plan *p, int argc, char **argv)
{
	int status = sf_take_options(&usage, p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	status = settle(p, argc - optind);
	if (!status && p->sealed)
		status = sf_compare_sealed(&p->c, p->trials, p->seed);
	else if (!status && optind == argc)
		status = compare_attacks(p, NULL, NULL);
	/* A claim that is not shown is an answer, too. */
	for (; status <= SF_EXIT_WRONG && optind < argc; optind++) {
		int one = compare_file(p, argv[optind]);

		status = one > status ? one : status;
	}
	if (p->c.json && status <= SF_EXIT_WRONG) {
		sf_json_print(p->c.list, stdout);
		p->c.list = NULL;
	}
	return status;
}

int sf_cmd_compare(int argc, char **argv)
{
	struct plan p = { .bytes = 64, .seed = 1, .c = { .list = json_array() } };
	int status;

	memset(p.chosen, true, sizeof(p.chosen));
	status = compare(&p, argc, argv);
	json_decref(p.c.list);
	sf_selection_free(&p.c.on);
	sf_overrides_free(&p.c.overrides);
	sf_overrides_free(&p.c.each);
	return status;
}
