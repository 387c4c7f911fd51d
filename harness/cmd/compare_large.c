// SPDX-License-Identifier: MIT
/*
 * compare_large.c - `slabfuzz compare --large`: rivals for objects of more than a page: what each
 * takes for them, what it leaves of the zone, how often it refuses, how long it takes. large_cost.c
 * does the adding up, exactly.c is one of the rivals.
 *
 * A row is a program run three times: to find the moment when most bytes were alive, to look at the
 * zone then and at what is still held at the end, and, with no events emitted, for the time.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../measure/large_cost.h"
#include "compare.h"
#include "runner.h"

#define TIMED_NS 40000000u /* of CPU time for each row, at least */
#define TIMED_RUNS 50u

static const struct rival {
	const char *name, *allocator;
	bool exact;
} rivals[] = {
	{ "kmalloc", "baseline", false },
	{ "exact", "baseline", true },
	{ "large", "large", false },
};

#define NR_RIVALS (sizeof(rivals) / sizeof(rivals[0]))

struct row {
	const struct rival *rival;
	const struct sf_override *each;
	struct sf_large large;
	struct sf_exactly exact;
	struct sf_large_moment most, last;
	uint64_t requests, failures;
	bool looked;
	uint64_t began, best; /* CPU time: of a run's begin, of the shortest run */
};

static uint64_t cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static const struct sf_allocator *allocator_of(const struct rival *r)
{
	for (int i = 0; sf_allocators[i]; i++)
		if (!strcmp(sf_allocators[i]->name, r->allocator))
			return sf_allocators[i];
	return NULL;
}

/* --- one row --- */

static bool exact_step(void *ctx, struct sf_exec *x, const struct sf_op *op, const char *strings)
{
	return sf_exactly_step(ctx, x, op, strings);
}

static void count_step(void *ctx, struct sf_exec *x, const struct sf_allocator *a)
{
	struct row *r = ctx;

	(void)x;
	(void)a;
	sf_large_step(&r->large);
}

static struct sf_large_moment moment(struct row *r, struct sf_exec *x, const struct sf_allocator *a)
{
	struct sf_sink sink = { .emit = sf_large_event, .ctx = &r->large, .op = SF_NONE };

	a->walk(sf_exec_heap(x), &sink, false, false);
	sf_large_regions(&r->large);
	return r->large.now;
}

static void look_at_most(void *ctx, struct sf_exec *x, const struct sf_allocator *a)
{
	struct row *r = ctx;

	if (r->looked)
		return;
	r->looked = true;
	r->most = moment(r, x, a);
}

static void look_at_last(void *large, struct sf_exec *x, const struct sf_allocator *a)
{
	struct row *r = (struct row *)((char *)large - offsetof(struct row, large));

	r->last = moment(r, x, a);
	if (!r->looked)
		r->most = r->last;
	r->requests = r->large.requests - r->exact.again;
	r->failures = r->large.failures - r->exact.again;
}

static void start_clock(void *ctx)
{
	struct row *r = ctx;

	r->began = cpu_time();
}

static void stop_clock(void *ctx, struct sf_exec *x, const struct sf_allocator *a)
{
	struct row *r = ctx;
	uint64_t took = cpu_time() - r->began;

	(void)x;
	(void)a;
	if (!r->best || took < r->best)
		r->best = took;
}

static int run(struct row *r, struct sf_runner *runner, const struct sf_input *in,
	       const struct sf_prog *prog)
{
	int status;

	sf_exactly_init(&r->exact);
	if (r->rival->exact) {
		runner->step = exact_step;
		runner->step_ctx = &r->exact;
	}
	status = sf_runner_run(runner, in, prog);
	return status;
}

/* Programs only: of a recording most of the time goes into reading it. */
static int run_timed(struct row *r, struct sf_runner *runner, const struct sf_input *in,
		     const struct sf_prog *prog)
{
	uint64_t start = cpu_time();
	int status = 0;

	for (unsigned int i = 0; !status && i < TIMED_RUNS; i++) {
		status = run(r, runner, in, prog);
		sf_exactly_free(&r->exact);
		if (cpu_time() - start > TIMED_NS)
			break;
	}
	return status;
}

static int measure(struct row *r, const struct sf_overrides *set, const struct sf_input *in,
		   const struct sf_prog *prog)
{
	const struct sf_allocator *a = allocator_of(r->rival);
	struct sf_runner first = { .allocator = a, .overrides = set, .emit = sf_large_event,
				   .ctx = &r->large, .look_every = 1, .look = count_step,
				   .look_ctx = r };
	struct sf_runner second = first;
	struct sf_runner timed = { .allocator = a, .overrides = set, .ctx = r,
				   .at_begin = start_clock, .at_end = stop_clock };
	int status = run(r, &first, in, prog);
	uint64_t peak = r->large.peak_operations;

	sf_exactly_free(&r->exact);
	sf_large_free(&r->large);
	if (status)
		return status;
	second.look_every = peak;
	second.look = look_at_most;
	second.at_end = look_at_last;
	status = run(r, &second, in, prog);
	r->most.operations = peak;
	sf_exactly_free(&r->exact);
	if (!status && in->kind != SF_INPUT_TRACE)
		status = run_timed(r, &timed, in, prog);
	return status;
}

static uint64_t wasted(const struct sf_large_moment *m)
{
	return m->backing > m->requested ? m->backing - m->requested : 0;
}

/* --- JSON --- */

static json_t *json_free_blocks(const struct sf_large_moment *m)
{
	json_t *j = json_array();

	for (unsigned int i = 0; i < SF_NR_ORDERS; i++)
		json_array_append_new(j, sf_json_number(m->free[i]));
	return j;
}

static json_t *json_moment(const struct sf_large_moment *m)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}",
			 "objects", sf_json_number(m->objects), "requested_bytes",
			 sf_json_number(m->requested), "backing_bytes", sf_json_number(m->backing),
			 "wasted_bytes", sf_json_number(wasted(m)), "overhead",
			 m->backing ? (double)wasted(m) / (double)m->backing : 0.0, "free_bytes",
			 sf_json_number(sf_large_free_pages(m) * SF_PAGE_SIZE), "free_blocks",
			 json_free_blocks(m), "blocks_2m", sf_json_number(sf_large_blocks(m)),
			 "fragmentation_index", (json_int_t)sf_large_fragmentation(m, 9),
			 "unusable_index", sf_json_number(sf_large_unusable(m, 9)),
			 "regions_2m", sf_json_number(m->regions), "regions_each",
			 sf_json_number(m->regions_each), "small_pages",
			 sf_json_number(m->small_pages));
}

static void add_json(struct sf_compare *c, const char *file, const struct row *r,
		     const struct sf_overrides *set, uint64_t nr_ops)
{
	json_t *j = json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "program",
			      sf_json_text(file), "rival", r->rival->name, "allocator",
			      r->rival->allocator, "settings", sf_compare_settings(set),
			      "operation", sf_json_number(r->most.operations), "requests",
			      sf_json_number(r->requests), "failures",
			      sf_json_number(r->failures), "fallbacks",
			      sf_json_number(r->large.fallbacks), "peak", json_moment(&r->most),
			      "end", json_moment(&r->last), "ns_per_operation",
			      r->best && nr_ops ? json_real((double)r->best / (double)nr_ops) :
						  json_null());

	json_array_append_new(c->list, j);
}

/* --- text --- */

static void print_head(const struct sf_compare *c, const char *file)
{
	printf("%s: objects of more than a page, when most bytes of them were alive (kB)\n%-8s",
	       file, "rival");
	if (c->each.nr)
		printf(" %-17s", c->each.o[0].info->name);
	printf(" %9s %9s %9s %8s %9s %7s %8s %9s %9s %8s %8s\n", "requested", "backing", "wasted",
	       "overhead", "free", "2M free", "refused", "regions", "each", "at end", "ns/op");
}

static void print_key(const struct sf_compare *c, const struct row *r)
{
	char value[40];

	printf("%-8s", r->rival->name);
	if (c->each.nr)
		printf(" %-17s", sf_setting_text(r->each->info, r->each->value, value));
}

static void print_row(const struct sf_compare *c, const struct row *r, uint64_t nr_ops)
{
	const struct sf_large_moment *m = &r->most;
	char refused[48];

	print_key(c, r);
	snprintf(refused, sizeof(refused), "%" PRIu64 "/%" PRIu64, r->failures, r->requests);
	printf(" %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %6.1f %% %9" PRIu64 " %7" PRIu64
	       " %8s %9" PRIu64 " %9.2f %8" PRIu64, m->requested / 1024, m->backing / 1024,
	       wasted(m) / 1024,
	       m->backing ? 100 * (double)wasted(m) / (double)m->backing : 0.0,
	       sf_large_free_pages(m) * 4, sf_large_blocks(m), refused, m->regions,
	       m->objects ? (double)m->regions_each / (double)m->objects : 0.0,
	       r->last.backing / 1024);
	if (r->best && nr_ops)
		printf(" %8.0f\n", (double)r->best / (double)nr_ops);
	else
		printf(" %8s\n", "-");
}

static void print_thousandths(int64_t n)
{
	char s[24];

	snprintf(s, sizeof(s), "%s%" PRId64 ".%03" PRId64, n < 0 ? "-" : "",
		 (n < 0 ? -n : n) / 1000, (n < 0 ? -n : n) % 1000);
	printf(" %8s", s);
}

static void print_free(const struct sf_compare *c, const struct row *row, size_t nr)
{
	printf("\nfree blocks by order then; fragmentation and unusable index for order 9; "
	       "pages in vmalloc\n%-8s", "rival");
	if (c->each.nr)
		printf(" %-17s", c->each.o[0].info->name);
	for (unsigned int i = 0; i < SF_NR_ORDERS; i++)
		printf(" %5u", i);
	printf(" %8s %8s %8s\n", "index", "unusable", "vmalloc");
	for (size_t k = 0; k < nr; k++) {
		print_key(c, &row[k]);
		for (unsigned int i = 0; i < SF_NR_ORDERS; i++)
			printf(" %5" PRIu64, row[k].most.free[i]);
		print_thousandths(sf_large_fragmentation(&row[k].most, 9));
		print_thousandths((int64_t)sf_large_unusable(&row[k].most, 9));
		printf(" %8" PRIu64 "\n", row[k].most.small_pages);
	}
}

static int compare_row(struct sf_compare *c, struct row *r, const struct sf_input *in,
		       const struct sf_prog *prog)
{
	struct sf_overrides set = sf_compare_overrides(c, r->each);
	int status = measure(r, &set, in, prog);

	if (!status && c->json)
		add_json(c, in->name, r, &set, prog->nr_ops);
	else if (!status)
		print_row(c, r, prog->nr_ops);
	sf_large_free(&r->large);
	sf_overrides_free(&set);
	return status;
}

int sf_compare_large(struct sf_compare *c, const struct sf_input *in, const struct sf_prog *prog)
{
	uint32_t each = c->each.nr ? c->each.nr : 1;
	struct row *row = sf_grow(NULL, NR_RIVALS * each, sizeof(*row));
	int status = 0;
	size_t nr = 0;

	if (!c->json)
		print_head(c, in->name);
	for (size_t i = 0; !status && i < NR_RIVALS; i++)
		for (uint32_t k = 0; !status && k < each; k++) {
			row[nr] = (struct row){ .rival = &rivals[i],
						.each = c->each.nr ? &c->each.o[k] : NULL };
			status = compare_row(c, &row[nr++], in, prog);
		}
	if (!status && !c->json)
		print_free(c, row, nr);
	free(row);
	return status;
}
