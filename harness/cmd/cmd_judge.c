// SPDX-License-Identifier: MIT
/*
 * cmd_judge.c - `slabfuzz judge`: the recorded events themselves before the oracles that need no
 * more than a recording has. Relies on the importer's judge adapter.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "input.h"
#include "results.h"

struct plan {
	struct sf_trace_hints hints;
	bool json;
};

static int take_set(void *to, const struct sf_usage *u, const char *assignment)
{
	return sf_input_hint_set(to, u, assignment);
}

static int take_listing(void *to, const struct sf_usage *u, const char *path)
{
	(void)u;
	return sf_input_hint_file(to, path);
}

static const struct sf_row rows[] = {
	SF_CALL(0, "set", "KEY=VALUE", struct plan, hints, take_set,
		"about the kernel: kmalloc_min, page_size, slub_debug"),
	SF_CALL(0, "slabinfo", "FILE", struct plan, hints, take_listing,
		"likewise: its slabinfo, or /sys/kernel/slab"),
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"judge", "TRACE…",
	"Puts the events of a recording, as they are, before the oracles that need no more:\n"
	"overlap, alignment, size class, double free, bytes asked against bytes given.\n"
	"Nothing is replayed. What the recording cannot prove is not judged, and said. Several\n"
	"files are one recording: of one CPU each, or rotated.",
	rows,
};

struct judging {
	struct sf_results *results;
	struct sf_judge *judge;
	uint64_t events;
	bool lines; /* events are told by line; of several files, by number */
};

static void on_event(void *ctx, const struct sf_event *ev)
{
	struct judging *g = ctx;

	g->events++;
	sf_judge_event(g->judge, ev);
}

static void on_violation(void *ctx, const struct sf_violation *v)
{
	struct judging *g = ctx;

	/* The reader numbers operations by lines. */
	const struct sf_found where = {
		.op = v->op,
		.line = v->op == SF_NONE || !g->lines ? 0 : v->op,
	};

	sf_results_found(g->results, v, &where);
}

static int judge(struct sf_results *r, char **names, const struct sf_trace_hints *hints)
{
	struct judging g = { .results = r };
	struct sf_counted counted = { .isolation = { .allocator = NULL } };
	struct sf_judge_options opt = { .violation = on_violation, .ctx = &g };
	struct sf_trial *t = sf_results_trial(r, names[0], "trace");
	struct sf_error err = { "" };
	struct sf_trace *tr;
	int status;

	/*
	 * What does not look like a recording is still opened as one: the reader says what it
	 * lacks.
	 */
	tr = sf_input_traces(names, &status);
	if (!tr)
		return status;
	sf_trace_set_hints(tr, hints);
	g.lines = !names[1];
	t->replay = sf_grow(NULL, 1, sizeof(*t->replay));
	*t->replay = (struct sf_replay){ 0 };
	g.judge = sf_judge_create(&opt);
	status = sf_trace_judge(tr, on_event, &g, &t->replay->counts, &err);
	t->replay->format = sf_strdup(sf_trace_format(tr));
	t->replay->hashed = sf_trace_hashed(tr);
	sf_results_remarks(r, t->replay, tr);
	t->operations = t->replay->counts.events;
	t->events = g.events;
	sf_results_count(r, g.judge, "recording", &counted);
	sf_judge_destroy(g.judge);
	sf_trace_close(tr);
	return status ? sf_bad("%s", err.text) : 0;
}

static void print(const struct sf_results *r)
{
	const struct sf_replay *p = r->trials[0].replay;

	printf("%s: %s, pointers %s\n", r->trials[0].file, p->format,
	       p->hashed ? "hashed" : "as they are");
	sf_print_counts(&p->counts, true, stdout);
	sf_print_remarks(p, stdout);
	sf_print_violations(r, 0, stdout);
	sf_print_results(r, true, stdout);
}

int sf_cmd_judge(int argc, char **argv)
{
	struct sf_results r = { .files = 1 };
	struct plan p = { .hints = { .source = "" } };
	int status = sf_take_options(&usage, &p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (optind == argc)
		return sf_usage_error(&usage, "expected one recording, in one file or several");
	r.files = (uint32_t)(argc - optind);
	status = judge(&r, argv + optind, &p.hints);
	if (!status) {
		if (p.json)
			sf_json_results(&r, stdout);
		else
			print(&r);
		status = sf_results_exit(&r);
	}
	sf_results_free(&r);
	return status;
}
