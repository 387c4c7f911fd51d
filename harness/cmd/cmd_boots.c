// SPDX-License-Identifier: MIT
/*
 * cmd_boots.c - `slabfuzz boots`: invariants that only many boots can show.
 * harness/measure/boot_runs.c drives, oracles/boots.c judges.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "../../oracles/boots.h"
#include "../measure/boot_runs.h"
#include "cmd.h"
#include "json.h"
#include "select.h"

struct plan {
	struct sf_selection on;
	struct sf_overrides overrides;
	uint64_t boots;
	bool json, wrong;
	json_t *list, *violations;
};

enum { BOOTS_DEFAULT = 1024, BOOTS_MAX = 10000000 };

static const struct sf_row rows[] = {
	SF_ALLOCATORS_ROW("NAME,…", struct plan, on, "these allocators (default: all)"),
	SF_TRAIT_ROW(struct plan, on),
	SF_NUMBER("boots", "N", struct plan, boots, SF_BOOTS_MIN, BOOTS_MAX,
		  "so many boots of each (default: 1024; 320 is the least)"),
	SF_SET_ROW(struct plan, overrides,
		   "change a heap setting (free-list hardenings, shuffle are on)"),
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"boots", "",
	"Boots each allocator many times, each time with another seed, and judges what only many\n"
	"boots show: uniform partitions, fresh seeds, random orders. A correct allocator fails a\n"
	"statistical test once in a million runs.",
	rows,
};

static void on_violation(void *ctx, const struct sf_violation *v)
{
	struct plan *p = ctx;

	p->wrong = true;
	if (p->json)
		json_array_append_new(p->violations,
				      json_pack("{s:o, s:s, s:o}", "title", sf_json_text(v->title),
						"invariant", sf_invariants[v->invariant].id,
						"detail", sf_json_text(v->detail)));
	else
		printf("%s\n  %s\n", v->title, v->detail);
}

static void show(struct plan *p, const struct sf_allocator *a, const struct sf_oracle_count *c)
{
	json_t *oracles = json_object();

	if (!p->json)
		printf("%s: %" PRIu64 " boots\n", a->name, p->boots);
	for (int i = 0; i < SF_INV_COUNT; i++) {
		if (!c[i].checked && !c[i].skipped)
			continue;
		if (p->json)
			json_object_set_new(oracles, sf_invariants[i].id, sf_json_oracle(&c[i]));
		else
			printf("  %-8s %10" PRIu64 " checked %6" PRIu64 " skipped %6" PRIu64
			       " violations  %s\n", sf_invariants[i].id, c[i].checked, c[i].skipped,
			       c[i].violations, c[i].skipped && c[i].reason ? c[i].reason : "");
	}
	if (p->json)
		json_array_append_new(p->list,
				      json_pack("{s:s, s:o, s:O, s:O}", "allocator", a->name,
						"boots", sf_json_number(p->boots), "oracles",
						oracles, "violations", p->violations));
	json_decref(oracles);
}

static int boot(struct plan *p, const struct sf_allocator *a)
{
	struct sf_judge_options judging = { .violation = on_violation, .ctx = p };
	struct sf_error err = { "" };
	struct sf_settings set;
	struct sf_boots *b;
	const char *fault;
	bool fine;

	sf_settings_init(&set);
	set.pages = 16384;
	set.freelist_random = set.freelist_hardened = set.shuffle = 1;
	fault = sf_overrides_apply(&p->overrides, &set);
	if (fault)
		return sf_bad("boots: %s", fault);
	p->violations = json_array();
	b = sf_boots_create(&judging);
	fine = sf_boots_drive(a, &set, (uint32_t)p->boots, sf_boots_event, b, &err);
	if (fine) {
		sf_boots_finish(b);
		show(p, a, sf_boots_counts(b));
	}
	sf_boots_destroy(b);
	json_decref(p->violations);
	return fine ? 0 : sf_bad("boots: %s: %s", a->name, err.text);
}

static int boots(struct plan *p, int argc, char **argv)
{
	int status = sf_take_options(&usage, p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (optind < argc)
		return sf_usage_error(&usage, "no argument is expected: '%s'", argv[optind]);
	status = sf_select_open(&p->on, &usage, "all");
	if (status)
		return status;
	for (uint32_t i = 0; !status && i < p->on.nr; i++)
		status = boot(p, p->on.allocator[i]);
	if (p->json && !status)
		sf_json_print(json_incref(p->list), stdout);
	return status ? status : p->wrong ? SF_EXIT_WRONG : SF_EXIT_GOOD;
}

int sf_cmd_boots(int argc, char **argv)
{
	struct plan p = { .boots = BOOTS_DEFAULT, .list = json_array() };
	int status = boots(&p, argc, argv);

	json_decref(p.list);
	sf_selection_free(&p.on);
	sf_overrides_free(&p.overrides);
	return status;
}
