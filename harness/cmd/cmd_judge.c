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
	bool json;
};

static const struct sf_row rows[] = {
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"judge", "TRACE",
	"Puts the events of a recording, as they are, before the oracles that need no more:\n"
	"overlap, alignment, size class, double free, bytes asked against bytes given.\n"
	"Nothing is replayed.",
	rows,
};

struct judging {
	struct sf_results *results;
	struct sf_judge *judge;
	uint64_t events;
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
	sf_results_found(g->results, v)->line = v->op == SF_NONE ? 0 : v->op;
}

static int judge(struct sf_results *r, const char *name)
{
	struct judging g = { .results = r };
	struct sf_judge_options opt = { .violation = on_violation, .ctx = &g };
	struct sf_trial *t = sf_results_trial(r, name, "trace");
	struct sf_error err = { "" };
	struct sf_trace *tr;
	struct sf_input in;
	int status = sf_input_open(&in, name, false);

	if (status)
		return status;
	/*
	 * What does not look like a recording is still opened as one: the reader says what it
	 * lacks.
	 */
	tr = sf_input_trace(&in, &status);
	sf_input_close(&in);
	if (!tr)
		return status;
	t->replay = sf_realloc(NULL, 1, sizeof(*t->replay));
	*t->replay = (struct sf_replay){ 0 };
	g.judge = sf_judge_create(&opt);
	status = sf_trace_judge(tr, on_event, &g, &t->replay->counts, &err);
	t->replay->format = sf_strdup(sf_trace_format(tr));
	t->replay->hashed = sf_trace_hashed(tr);
	t->operations = t->replay->counts.events;
	t->events = g.events;
	sf_results_count(r, g.judge, "recording");
	sf_judge_destroy(g.judge);
	sf_trace_close(tr);
	return status ? sf_bad("%s", err.text) : 0;
}

static void print(const struct sf_results *r)
{
	const struct sf_replay *p = r->trials[0].replay;

	printf("%s: %s, pointers %s\n", r->trials[0].file, p->format,
	       p->hashed ? "hashed" : "as they are");
	sf_print_counts(&p->counts, stdout);
	sf_print_violations(r, 0, stdout);
	sf_print_results(r, stdout);
}

int sf_cmd_judge(int argc, char **argv)
{
	struct sf_results r = { .files = 1 };
	struct plan p = { false };
	int status = sf_take_options(&usage, &p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (optind + 1 != argc)
		return sf_usage_error(&usage, "expected one recording");
	status = judge(&r, argv[optind]);
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
