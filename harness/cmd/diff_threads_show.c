// SPDX-License-Identifier: MIT
/*
 * diff_threads_show.c - diff_threads.h: programs of threads, what was found in them, and how much
 * was looked at, as text, JSON and JUnit.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "diff_threads.h"
#include "json.h"
#include "output.h"

uint32_t sf_threads_programs(const struct sf_threads *t)
{
	return t->nr_progs + t->plan->programs;
}

const struct sf_prog *sf_threads_program(struct sf_threads *t, uint32_t nr)
{
	char name[40];

	if (nr < t->nr_progs)
		return &t->prog[nr];
	sf_diff_generate(t->plan, nr - t->nr_progs, &t->drawn, name);
	return &t->drawn;
}

/* --- programs --- */

static void put_name(const struct sf_threads *t, uint32_t nr, char *name, size_t size)
{
	if (nr < t->nr_progs)
		snprintf(name, size, "%s", t->file[nr]);
	else
		snprintf(name, size, "generated/%" PRIu64, t->plan->seed + nr - t->nr_progs);
}

static const char *label(const struct sf_threads *t, uint32_t member)
{
	return t->plan->on.m[member].label;
}

/* The heap, each operation, `>>>` at what was found, and what it was. */
static void print_lines(const struct sf_prog *p, const struct sf_threads_find *f, uint32_t at,
			uint32_t other)
{
	sf_diff_print_heap(p);
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		fputs(i == at ? ">>> " : "    ", stdout);
		sf_text_write_op(p, i, stdout);
		if (i != at)
			continue;
		printf("    %s: %s\n", sf_thread_rules[f->fault.rule].name, f->fault.detail);
		if (other == SF_NONE)
			continue;
		fputs("    the other one: ", stdout);
		sf_text_write_op(p, other, stdout);
	}
	if (at != SF_NONE || f->crash)
		return;
	printf(">>> the end, on thread %u: every object is freed\n    %s: %s\n", f->fault.thread,
	       sf_thread_rules[f->fault.rule].name, f->fault.detail);
}

static uint32_t place_of(uint32_t op, const uint32_t *at, uint32_t nr)
{
	return op < nr ? at[op] : SF_NONE;
}

/* As it runs again: thread() says whose each operation is. */
static void print_program(struct sf_threads *t, const struct sf_threads_find *f)
{
	const struct sf_prog *p = sf_threads_program(t, f->at.program);
	uint32_t *at = sf_zalloc(p->nr_ops + 1, sizeof(*at));
	struct sf_rounds rounds;
	struct sf_prog ordered;

	sf_rounds_init(&rounds, t->plan);
	sf_prog_init(&ordered);
	if (sf_rounds_make(&rounds, t->plan->on.m[f->at.member].allocator, p, f->at.round)) {
		sf_order_program(&rounds.deal, p, rounds.order, &ordered, at);
		print_lines(&ordered, f, place_of(f->fault.op, at, p->nr_ops),
			    place_of(f->fault.other, at, p->nr_ops));
	}
	sf_prog_free(&ordered);
	sf_rounds_free(&rounds);
	free(at);
}

static void print_find(struct sf_threads *t, const struct sf_threads_find *f)
{
	char name[200];

	put_name(t, f->at.program, name, sizeof(name));
	printf("%s:\n  %s\n", name, f->title);
	printf("  round %u, %s; %s\n", f->at.round,
	       t->plan->order == SF_ORDERS_FREE ? "threads ran as they liked" :
						  "calls in this order",
	       f->again ? "again in a process of its own" : "not again in a process of its own");
	print_program(t, f);
}

static void print_total(const struct sf_threads *t, uint32_t member)
{
	const struct sf_threads_total *n = &t->shared->total[member];

	printf("%s: %u threads, %u programs, %" PRIu64 " rounds, %" PRIu64 " calls, %u faults\n",
	       label(t, member), t->plan->threads, n->programs, n->rounds, n->calls, n->faults);
	if (n->more)
		printf("  there are more orders than %u of some programs\n", t->plan->rounds);
	if (n->falls_short)
		printf("  %" PRIu64 " rounds had a NULL that may be for want of memory\n",
		       n->falls_short);
	if (n->left_out)
		printf("  %" PRIu64 " operations left out: no thread's to do\n", n->left_out);
	if (n->given_up)
		printf("  %u programs left out after so many faults\n", n->given_up);
}

void sf_threads_print(struct sf_threads *t)
{
	for (uint32_t i = 0; i < t->nr_finds; i++)
		if (!t->find[i].known)
			print_find(t, &t->find[i]);
	for (uint32_t i = 0; i < t->plan->on.nr; i++)
		print_total(t, i);
}

/* --- JSON --- */

static json_t *find_json(const struct sf_threads *t, const struct sf_threads_find *f)
{
	char name[200];

	put_name(t, f->at.program, name, sizeof(name));
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:I, s:I, s:o, s:b, s:b}", "file",
			 sf_json_text(name), "op", sf_json_op(f->fault.op), "member",
			 sf_json_text(label(t, f->at.member)), "what",
			 f->crash ? "crash" : sf_thread_rules[f->fault.rule].name, "title",
			 sf_json_text(f->title), "round", (json_int_t)f->at.round, "thread",
			 (json_int_t)f->fault.thread, "detail", sf_json_text(f->fault.detail),
			 "again", f->again, "known", f->known);
}

static json_t *total_json(const struct sf_threads *t, uint32_t member)
{
	const struct sf_threads_total *n = &t->shared->total[member];

	return json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:b, s:I, s:I}", "allocator",
			 sf_json_text(label(t, member)), "programs", (json_int_t)n->programs,
			 "rounds", sf_json_number(n->rounds), "calls", sf_json_number(n->calls),
			 "short", sf_json_number(n->falls_short), "left_out",
			 sf_json_number(n->left_out), "more_orders", n->more, "faults",
			 (json_int_t)n->faults, "given_up", (json_int_t)n->given_up);
}

void sf_threads_print_json(struct sf_threads *t)
{
	static const char *const orders[] = { "seeded", "all", "free" };
	json_t *members = json_array(), *faults = json_array();

	for (uint32_t i = 0; i < t->plan->on.nr; i++)
		json_array_append_new(members, total_json(t, i));
	for (uint32_t i = 0; i < t->nr_finds; i++)
		json_array_append_new(faults, find_json(t, &t->find[i]));
	sf_json_print(json_pack("{s:I, s:s, s:I, s:o, s:o}", "threads",
				(json_int_t)t->plan->threads, "schedules",
				orders[t->plan->order], "rounds", (json_int_t)t->plan->rounds,
				"members", members, "faults", faults), stdout);
}

/* --- JUnit --- */

/* SF_THREAD_RULE_COUNT: crashes. */
static bool is_of(const struct sf_threads_find *f, uint32_t member, unsigned int rule)
{
	return f->at.member == member && f->crash == (rule == SF_THREAD_RULE_COUNT) &&
	       (f->crash || f->fault.rule == rule);
}

static void put_case(const struct sf_threads *t, uint32_t member, unsigned int rule, FILE *out)
{
	char name[200];

	fputs("    <testcase classname=\"", out);
	sf_put_xml(label(t, member), out);
	fprintf(out, "\" name=\"%s\">\n",
		rule == SF_THREAD_RULE_COUNT ? "crash" : sf_thread_rules[rule].name);
	for (uint32_t i = 0; i < t->nr_finds; i++) {
		if (!is_of(&t->find[i], member, rule))
			continue;
		put_name(t, t->find[i].at.program, name, sizeof(name));
		fputs("      <failure message=\"", out);
		sf_put_xml(t->find[i].title, out);
		fputs("\">", out);
		sf_put_xml(name, out);
		fprintf(out, ": round %u</failure>\n", t->find[i].at.round);
	}
	fputs("    </testcase>\n", out);
}

static void put_suite(const struct sf_threads *t, uint32_t member, FILE *out)
{
	unsigned int failures = 0;

	for (unsigned int rule = 0; rule <= SF_THREAD_RULE_COUNT; rule++) {
		uint32_t i = 0;

		while (i < t->nr_finds && !is_of(&t->find[i], member, rule))
			i++;
		failures += i < t->nr_finds;
	}
	fputs("  <testsuite name=\"", out);
	sf_put_xml(label(t, member), out);
	fprintf(out, "\" tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"0\">\n",
		SF_THREAD_RULE_COUNT + 1u, failures);
	for (unsigned int rule = 0; rule <= SF_THREAD_RULE_COUNT; rule++)
		put_case(t, member, rule, out);
	fputs("  </testsuite>\n", out);
}

void sf_threads_junit(struct sf_threads *t, FILE *out)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", out);
	for (uint32_t i = 0; i < t->plan->on.nr; i++)
		put_suite(t, i, out);
	fputs("</testsuites>\n", out);
}

/* --- from the options to the end --- */

static int read_files(struct sf_threads *t, char **files)
{
	int status = 0;

	for (t->file = files; *files && !status; files++) {
		SF_GROW(t->prog, t->nr_progs, t->cap_progs);
		sf_prog_init(&t->prog[t->nr_progs]);
		status = sf_diff_read(t->plan, *files, &t->prog[t->nr_progs++]);
	}
	return status;
}

static int write_junit(struct sf_threads *t)
{
	struct sf_out out;
	int status = sf_out_open(&out, t->plan->junit);

	if (status)
		return status;
	sf_threads_junit(t, out.file);
	return sf_out_commit(&out);
}

/* Who was never called was not found to be right. */
static int judge(const struct sf_threads *t)
{
	int status = SF_EXIT_GOOD;

	for (uint32_t i = 0; i < t->plan->on.nr; i++) {
		const struct sf_threads_total *n = &t->shared->total[i];

		if (n->faults)
			status = SF_EXIT_WRONG;
		if (n->calls || n->faults)
			continue;
		sf_say("diff: %s: no operation that threads can do", label(t, i));
		status = SF_EXIT_WRONG;
	}
	return status;
}

static int run_and_show(struct sf_threads *t)
{
	struct sf_error err = { "" };
	int status;

	if (!sf_threads_run(t, &err))
		return sf_bad("diff: %s", err.text);
	if (t->plan->json)
		sf_threads_print_json(t);
	else
		sf_threads_print(t);
	status = t->plan->junit ? write_junit(t) : 0;
	return status ? status : judge(t);
}

int sf_diff_threads(const struct sf_diff_plan *plan, char **files)
{
	struct sf_threads t = { .plan = plan };
	int status = 0;

	for (uint32_t i = 0; i < plan->on.nr; i++) {
		const struct sf_member *m = &plan->on.m[i];

		if (m->relation)
			return sf_bad("diff: %s: a relation is no allocator for threads", m->label);
		if (!(m->allocator->caps & SF_CAP_PARALLEL))
			return sf_bad("diff: %s: does not say that several threads may call it at "
				      "once (capability parallel)", m->label);
	}
	sf_prog_init(&t.drawn);
	status = read_files(&t, files);
	if (!status)
		status = run_and_show(&t);
	for (uint32_t i = 0; i < t.nr_progs; i++)
		sf_prog_free(&t.prog[i]);
	free(t.prog);
	sf_prog_free(&t.drawn);
	free(t.find);
	return status;
}
