// SPDX-License-Identifier: MIT
/*
 * compare_heap.c - `slabfuzz compare` of a recording of malloc(): what it asks for at most, what
 * each allocator holds for that at most, and the time of a call. heap_cost.c makes the calls; pages
 * of models are counted from their events.
 */
#include <inttypes.h>
#include <string.h>

#include "../measure/cost.h"
#include "../measure/heap_cost.h"
#include "compare.h"
#include "runner.h"

/* Libraries have up to some 100 kB before anything is asked of them. */
#define SMALL (4u << 20)

/* What the operations of a recording come from, again and again. */
struct feed {
	const struct sf_input *in;
	bool kernel_words;
	bool (*op)(void *op_ctx, const struct sf_op *op);
	void *op_ctx;
};

bool sf_compare_is_heap(const struct sf_input *in)
{
	struct sf_error err = { "" };
	struct sf_trace *t;
	bool calls;
	int status;

	if (in->kind != SF_INPUT_TRACE)
		return false;
	t = sf_trace_open(in->path, &err, &status);
	calls = t && sf_trace_is_calls(t);
	sf_trace_close(t);
	return calls;
}

static bool pass_op(void *ctx, const struct sf_op *op, const char *strings,
		    const struct sf_trace_record *rec)
{
	struct feed *f = ctx;

	(void)strings;
	(void)rec;
	return f->op(f->op_ctx, op);
}

static int feed_ops(void *ctx, bool (*op)(void *op_ctx, const struct sf_op *op), void *op_ctx)
{
	struct feed *f = ctx;
	struct sf_import_options opt = { .kernel_words = f->kernel_words, .op = pass_op, .ctx = f };
	struct sf_error err = { "" };
	int status;
	struct sf_trace *t = sf_input_trace(f->in, &status);

	if (!t)
		return status;
	f->op = op;
	f->op_ctx = op_ctx;
	status = sf_trace_import(t, NULL, &opt, NULL, &err) < 0 ? sf_bad("%s", err.text) : 0;
	sf_trace_close(t);
	return status;
}

/* What it is about, before any row. */
static int scan(const struct sf_input *in, struct sf_settings *set, struct sf_trace_counts *counts)
{
	struct sf_error err = { "" };
	struct sf_trace_scan *s;
	int status;
	struct sf_trace *t = sf_input_trace(in, &status);

	if (!t)
		return status;
	s = sf_trace_scan(t, &err);
	if (s) {
		*set = *sf_trace_scan_settings(s);
		*counts = *sf_trace_scan_counts(s);
	}
	sf_trace_scan_free(s);
	sf_trace_close(t);
	return s ? 0 : sf_bad("%s", err.text);
}

/* Pages of a model. */
static int count_pages(const struct sf_compare *c, const struct sf_input *in,
		       const struct sf_allocator *a, struct sf_heap_cost *h)
{
	struct sf_cost cost = { 0 };
	struct sf_runner runner = { .allocator = a, .overrides = &c->overrides,
				    .emit = sf_cost_event, .ctx = &cost };
	int status = sf_runner_run(&runner, in, NULL);

	h->peak_held = cost.most_pages * SF_PAGE_SIZE;
	sf_cost_free(&cost);
	return status;
}

static double fragmentation(const struct sf_heap_cost *h)
{
	return h->peak_live ? (double)h->peak_held / (double)h->peak_live : 0;
}

/* Of the first column. */
static int width(const struct sf_compare *c)
{
	size_t most = strlen("allocator");

	for (uint32_t i = 0; i < c->on.nr; i++)
		if (strlen(c->on.allocator[i]->name) > most)
			most = strlen(c->on.allocator[i]->name);
	return (int)most;
}

static void show(struct sf_compare *c, const struct sf_input *in, const struct sf_allocator *a,
		 const struct sf_heap_cost *h)
{
	char end[24] = "-";

	if (h->held == SF_HELD_RESIDENT)
		snprintf(end, sizeof(end), "%" PRIu64, h->end_held / 1024);
	if (!c->json) {
		printf("%-*s %10" PRIu64 " %8" PRIu64 " %8" PRIu64 " %10" PRIu64 " %10" PRIu64
		       "  %-8s %9.2f %10s %8.0f\n", width(c), a->name, h->operations, h->skipped,
		       h->failures, h->peak_live / 1024, h->peak_held / 1024,
		       sf_held_names[h->held], fragmentation(h), end, h->ns);
		return;
	}
	json_array_append_new(
		c->list,
		json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:f, s:o, s:f}", "program",
			  sf_json_text(in->name), "allocator", a->name, "settings",
			  sf_compare_settings(&c->overrides), "operations",
			  sf_json_number(h->operations), "skipped", sf_json_number(h->skipped),
			  "failures", sf_json_number(h->failures), "peak_live_bytes",
			  sf_json_number(h->peak_live), "peak_held_bytes",
			  sf_json_number(h->peak_held), "held_by", sf_held_names[h->held],
			  "fragmentation", fragmentation(h), "end_held_bytes",
			  h->held == SF_HELD_RESIDENT ? sf_json_number(h->end_held) : json_null(),
			  "ns_per_operation", h->ns));
}

static int compare_one(struct sf_compare *c, const struct sf_input *in,
		       const struct sf_allocator *a, const struct sf_settings *set)
{
	struct feed f = { .in = in, .kernel_words = !(a->caps & SF_CAP_MALLOC) };
	struct sf_heap_cost_options opt = { .allocator = a, .settings = *set, .feed = feed_ops,
					    .ctx = &f };
	const char *fault = sf_overrides_apply(&c->overrides, &opt.settings);
	struct sf_error err = { "" };
	struct sf_heap_cost h;
	int status;

	if (fault)
		return sf_bad("compare: %s", fault);
	status = sf_heap_cost_run(&opt, &h, &err);
	if (status < 0) {
		sf_say("compare: %s: %s: %s", in->name, a->name, err.text);
		return SF_EXIT_WRONG;
	}
	if (!status && h.held == SF_HELD_PAGES)
		status = count_pages(c, in, a, &h);
	if (!status)
		show(c, in, a, &h);
	return status;
}

int sf_compare_heap(struct sf_compare *c, const struct sf_input *in)
{
	struct sf_trace_counts counts = { 0 };
	struct sf_settings set;
	int status = scan(in, &set, &counts), one;

	if (status)
		return status;
	if (!c->json)
		printf("%s: %" PRIu64 " calls, at most %" PRIu64 " kB asked for (kB):\n"
		       "%-*s %10s %8s %8s %10s %10s  %-8s %9s %10s %8s\n", in->name, counts.calls,
		       counts.peak_bytes / 1024, width(c), "allocator", "operations", "skipped",
		       "failures", "live", "held", "by", "held/live", "at end", "ns/op");
	/* One that dies of it has no row, the others have. */
	for (uint32_t i = 0; status <= SF_EXIT_WRONG && i < c->on.nr; i++) {
		one = compare_one(c, in, c->on.allocator[i], &set);
		status = one > status ? one : status;
	}
	if (status <= SF_EXIT_WRONG && !c->json && counts.peak_bytes < SMALL)
		printf("so little is alive that what libraries had before the first call, which is "
		       "not in \"held\", weighs\n");
	return status;
}
