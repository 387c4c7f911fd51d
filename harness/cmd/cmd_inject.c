// SPDX-License-Identifier: MIT
/*
 * cmd_inject.c - `slabfuzz inject`: each allocation of a program fails in turn, and what its
 * failure leaves behind is judged. harness/measure/inject.c does it.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../measure/inject.h"
#include "../program/live.h"
#include "cmd.h"
#include "input.h"
#include "json.h"
#include "select.h"

struct plan {
	struct sf_selection on;
	struct sf_overrides overrides;
	uint64_t max;
	bool json;
	json_t *list;
	/* the file in hand */
	const char *file;
	struct sf_prog prog;
	const struct sf_allocator *allocator;
	json_t *violations;
	char (*title)[SF_TITLE_MAX]; /* those that have been reported */
	uint32_t nr_titles, cap_titles;
	uint64_t failures, titles; /* of all files */
	uint32_t files;
};

static const struct sf_row rows[] = {
	SF_ALLOCATORS_ROW("NAME,…", struct plan, on, "on these allocators (default: all)"),
	SF_TRAIT_ROW(struct plan, on),
	SF_SET_ROW(struct plan, overrides, "change a heap setting, whatever the program says"),
	SF_NUMBER("max", "N", struct plan, max, 1, UINT64_MAX,
		  "at most N failures of each kind a program (default: all)"),
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"inject", "FILE…",
	"Runs each FILE, a program, as it is; then once for each of its allocations, which\n"
	"fails: as failslab would have it (slab), as fail_page_alloc would (page); or all that\n"
	"one operation asks of the page allocator (outage). What the program itself says of\n"
	"failures is left out then. Each run is torn down and judged: nothing may leak, all\n"
	"counters must stay true.",
	rows,
};

static bool reported(struct plan *p, const char *title)
{
	for (uint32_t i = 0; i < p->nr_titles; i++)
		if (!strcmp(p->title[i], title))
			return true;
	SF_GROW(p->title, p->nr_titles, p->cap_titles);
	snprintf(p->title[p->nr_titles++], sizeof(*p->title), "%s", title);
	p->titles++;
	return false;
}

static uint64_t line_of(const struct plan *p, uint32_t op)
{
	return op < p->prog.nr_ops ? p->prog.ops[op].line : 0;
}

#define OUTAGE "fault_attr(page, probability=100, times=SIZE_MAX, wait=1)"

/* The operation that makes a program of its own of it. Returns buf; NULL: nothing is injected. */
static const char *spell(const struct sf_injection *at, char buf[64])
{
	if (!at->nth)
		return NULL;
	if (at->kind == SF_INJECT_OUTAGE)
		return OUTAGE;
	snprintf(buf, 64, "fail(%s, after=%" PRIu64 ")", sf_injection_names[at->kind],
		 at->nth - 1);
	return buf;
}

static void print_place(const struct plan *p, const char *what, uint32_t op)
{
	if (op == SF_NONE)
		printf("  %s at the end\n", what);
	else if (line_of(p, op))
		printf("  %s at %s:%" PRIu64 "\n", what, p->file, line_of(p, op));
	else
		printf("  %s in operation %" PRIu32 "\n", what, op);
}

static void print_violation(const struct plan *p, const struct sf_injection *at, const char *how,
			    const struct sf_violation *v)
{
	printf("%s\n  on %s, ", v->title, p->allocator->name);
	if (how && at->kind == SF_INJECT_OUTAGE) {
		printf("with %s\n  before one operation and fault_attr(page) behind it\n", how);
		print_place(p, "that is", (uint32_t)at->nth - 1);
	} else if (how) {
		printf("with %s before the first operation, and no other\n", how);
		if (at->op != SF_NONE)
			print_place(p, "an allocation fails", at->op);
	} else {
		printf("without an injected failure\n");
	}
	print_place(p, "seen", v->op);
	printf("  %s\n", v->detail);
}

static void on_violation(void *ctx, const struct sf_injection *at, const struct sf_violation *v)
{
	struct plan *p = ctx;
	char buf[64];
	const char *how = spell(at, buf);

	if (reported(p, v->title))
		return;
	if (!p->json) {
		print_violation(p, at, how, v);
		return;
	}
	json_array_append_new(p->violations,
			      json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "title",
					sf_json_text(v->title), "invariant",
					sf_invariants[v->invariant].id, "injection",
					sf_json_text(how), "failed_op", sf_json_op(at->op),
					"failed_line", sf_json_number(line_of(p, at->op)), "op",
					sf_json_op(v->op), "line",
					sf_json_number(line_of(p, v->op)), "detail",
					sf_json_text(v->detail)));
}

static json_t *json_oracles(const struct sf_oracle_count *c)
{
	json_t *all = json_object();

	for (int i = 0; i < SF_INV_COUNT; i++)
		json_object_set_new(all, sf_invariants[i].id, sf_json_oracle(&c[i]));
	return all;
}

static void show(struct plan *p, const struct sf_inject_result *r)
{
	json_t *o;

	for (unsigned int kind = 0; kind < SF_INJECTION_KINDS; kind++)
		p->failures += r->failures[kind];
	if (!p->json) {
		printf("%-44s %-10s", p->file, p->allocator->name);
		for (unsigned int kind = 0; kind < SF_INJECTION_KINDS; kind++)
			printf(" %8" PRIu64 "%s", r->failures[kind], r->cut[kind] ? "+" : " ");
		printf(" %10" PRIu64 " %10u\n", r->operations, p->nr_titles);
		return;
	}
	o = json_pack("{s:o, s:s, s:o, s:o, s:O}", "program", sf_json_text(p->file), "allocator",
		      p->allocator->name, "operations", sf_json_number(r->operations), "oracles",
		      json_oracles(r->oracles), "violations", p->violations);
	for (unsigned int kind = 0; kind < SF_INJECTION_KINDS; kind++)
		json_object_set_new(o, sf_injection_names[kind],
				    json_pack("{s:o, s:b}", "failures",
					      sf_json_number(r->failures[kind]), "cut",
					      r->cut[kind]));
	json_array_append_new(p->list, o);
}

static int inject(struct plan *p)
{
	struct sf_settings set = p->prog.settings;
	struct sf_inject_options opt = { .allocator = p->allocator, .settings = &set,
					 .max = p->max, .found = on_violation, .ctx = p };
	const char *fault = sf_overrides_apply(&p->overrides, &set);
	struct sf_inject_result r;
	struct sf_error err = { "" };
	bool fine;

	if (fault)
		return sf_bad("%s: %s", p->file, fault);
	p->nr_titles = 0;
	p->violations = json_array();
	fine = sf_inject_run(&opt, &p->prog, p->file, &r, &err);
	if (fine)
		show(p, &r);
	json_decref(p->violations);
	return fine ? 0 : sf_bad("%s: %s: %s", p->file, p->allocator->name, err.text);
}

static int inject_file(struct plan *p, const char *name)
{
	struct sf_input in;
	int status = sf_input_open(&in, name, false);

	sf_prog_init(&p->prog);
	p->file = name;
	p->files++;
	if (!status && in.kind == SF_INPUT_TRACE)
		status = sf_bad("inject: %s is a recording; make a program of it first (slabfuzz "
				"import)", name);
	else if (!status)
		status = sf_input_program(&in, &p->prog);
	for (uint32_t i = 0; !status && i < p->on.nr; i++) {
		p->allocator = p->on.allocator[i];
		status = inject(p);
	}
	sf_prog_free(&p->prog);
	sf_input_close(&in);
	return status;
}

static void head(const struct plan *p)
{
	if (p->json)
		return;
	printf("%-44s %-10s", "program", "allocator");
	for (unsigned int kind = 0; kind < SF_INJECTION_KINDS; kind++)
		printf(" %8s ", sf_injection_names[kind]);
	printf(" %10s %10s\n", "operations", "violations");
}

static int inject_files(struct plan *p, int argc, char **argv)
{
	int status = sf_take_options(&usage, p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (optind == argc)
		return sf_usage_error(&usage, "which file? At least one is wanted");
	status = sf_select_open(&p->on, &usage, "all");
	if (status)
		return status;
	head(p);
	for (int i = optind; i < argc; i++) {
		status = inject_file(p, argv[i]);
		if (status)
			return status;
	}
	if (p->json)
		sf_json_print(json_incref(p->list), stdout);
	else
		printf("\n%u files, %" PRIu64 " failures injected: %" PRIu64 " violations\n",
		       p->files, p->failures, p->titles);
	return p->titles ? SF_EXIT_WRONG : SF_EXIT_GOOD;
}

int sf_cmd_inject(int argc, char **argv)
{
	struct plan p = { .list = json_array() };
	int status = inject_files(&p, argc, argv);

	json_decref(p.list);
	free(p.title);
	sf_selection_free(&p.on);
	sf_overrides_free(&p.overrides);
	return status;
}
