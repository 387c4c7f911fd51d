// SPDX-License-Identifier: MIT
/*
 * print.c - results for people (results.h).
 */
#include <inttypes.h>
#include <string.h>

#include "../program/ops.h"
#include "cmd.h"
#include "results.h"

static void print_place(const struct sf_results *r, uint32_t trial, uint32_t op, uint64_t line,
			const char *text, FILE *out)
{
	const char *file = r->trials[trial].file;

	if (line)
		fprintf(out, "  at %s:%" PRIu64 "%s%s\n", file, line, text ? ": " : "",
			text ? text : "");
	else if (op != SF_NONE && text)
		fprintf(out, "  at %s: operation %u: %s\n", file, op, text);
	else if (op != SF_NONE)
		fprintf(out, "  at %s: event %u\n", file, op);
	else
		fprintf(out, "  at the end of %s\n", file);
}

static void print_found(const struct sf_results *r, const struct sf_found *f, FILE *out)
{
	const struct sf_invariant_info *inv = &sf_invariants[f->invariant];

	fprintf(out, "%s\n", f->title);
	fprintf(out, "  invariant %s: %s (%s)\n", inv->id, inv->statement, inv->source);
	print_place(r, f->trial, f->op, f->line, f->text, out);
	if (*f->detail)
		fprintf(out, "  %s\n", f->detail);
}

static void print_missed(const struct sf_results *r, const struct sf_missed *m, FILE *out)
{
	fprintf(out, "expected: %s; got: %s\n", m->expected, m->got);
	print_place(r, m->trial, m->op, m->line, m->text, out);
}

void sf_print_counts(const struct sf_trace_counts *c, bool all, FILE *out)
{
#define X(field, what)         \
	if (all || c->field)   \
		fprintf(out, "  %12" PRIu64 "  %s\n", c->field, what);
	SF_TRACE_COUNTS(X)
#undef X
}

void sf_print_remarks(const struct sf_replay *p, FILE *out)
{
	for (uint32_t i = 0; i < p->nr_remarks; i++)
		fprintf(out, "  %s\n", p->remarks[i]);
}

/* Rounded down: 100 % is said only of all, and nothing of none. */
static void print_agreement(const char *what, const struct sf_agreement *a, FILE *out)
{
	uint64_t percent = a->total ? a->agree * 100 / a->total : 0;

	if (!a->total) {
		fprintf(out, "%s none allocated", what);
		return;
	}
	fprintf(out, "%s %" PRIu64 " of %" PRIu64 " agree (%" PRIu64 " %%)", what, a->agree,
		a->total, percent);
}

static void print_replay(const struct sf_replay *p, bool all, FILE *out)
{
	if (p->counts.calls)
		fprintf(out, "  format: %s\n", p->format);
	else
		fprintf(out, "  format: %s, pointers %s\n", p->format ? p->format : "unknown",
			p->hashed ? "hashed" : "as they are");
	sf_print_counts(&p->counts, all, out);
	sf_print_remarks(p, out);
	if (p->counts.calls)
		return;
	print_agreement("bytes_alloc: kmalloc", &p->kmalloc, out);
	print_agreement(", named caches", &p->named, out);
	fprintf(out, "\n");
	if (p->nulls)
		fprintf(out, "NULL where the recording had an object: %" PRIu64 "\n", p->nulls);
	for (uint32_t i = 0; i < p->nr_shown; i++)
		fprintf(out, "%s\n", p->shown[i]);
	if (p->nr_shown && p->kernel && *p->kernel)
		fprintf(out, "likely because %s\n", p->kernel);
}

/* The stack is enough: what a sanitizer shows besides is of addresses. */
static void print_crashed(const struct sf_results *r, const struct sf_crashed *c, FILE *out)
{
	const char *line = c->report;
	bool frames = false;

	fprintf(out, "%s\n", c->title);
	fprintf(out, "  crash: the program ends here (%s)\n", sf_crash_key(c->kind));
	print_place(r, c->trial, c->op, c->line, c->text, out);
	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		bool frame = line[strspn(line, " \t")] == '#';

		if (frames && !frame)
			break;
		frames |= frame;
		if (frame)
			fprintf(out, "  %.*s\n", (int)strcspn(line, "\n"), line);
	}
}

void sf_print_violations(const struct sf_results *r, uint32_t index, FILE *out)
{
	for (uint32_t i = 0; i < r->nr_found; i++)
		if (r->found[i].trial == index)
			print_found(r, &r->found[i], out);
	for (uint32_t i = 0; i < r->nr_missed; i++)
		if (r->missed[i].trial == index)
			print_missed(r, &r->missed[i], out);
	for (uint32_t i = 0; i < r->nr_crashed; i++)
		if (r->crashed[i].trial == index)
			print_crashed(r, &r->crashed[i], out);
}

void sf_print_trial(const struct sf_results *r, uint32_t index, bool all, FILE *out)
{
	const struct sf_trial *t = &r->trials[index];

	fprintf(out, "%s: %s: ", t->file, t->allocator);
	if (t->crashed)
		fprintf(out, "crashed after %" PRIu64 " operations, %u violations\n",
			t->operations, t->found);
	else if (t->error)
		fprintf(out, "%s\n", t->error);
	else
		fprintf(out,
			"%" PRIu64 " operations (%" PRIu64 " skipped), %" PRIu64 " events, "
			"%u violations, %u of %u expectations held\n",
			t->operations, t->skipped, t->events, t->found, t->held,
			t->held + t->missed);
	if (t->unjudged)
		fprintf(out, "  %u expectations could not be judged\n", t->unjudged);
	if (t->replay)
		print_replay(t->replay, all, out);
	sf_print_violations(r, index, out);
}

static void print_ledger(const struct sf_isolation *i, FILE *out)
{
	const struct sf_ledger *l = &i->ledger;

	fprintf(out, "%s: pages of slabs: %" PRIu64 " fresh, %" PRIu64
		" reused by the same cache, %" PRIu64 " by another (%" PRIu64
		" with a stale handle)", i->allocator, l->fresh, l->same, l->other_cache,
		l->stale_cache);
	if (l->other_partition)
		fprintf(out, "; by another partition %" PRIu64 " (%" PRIu64 ")", l->other_partition,
			l->stale_partition);
	if (l->other_half)
		fprintf(out, "; by the other half %" PRIu64 " (%" PRIu64 ")", l->other_half,
			l->stale_half);
	fputc('\n', out);
}

static void print_attacks(const struct sf_isolation *i, FILE *out)
{
	static const char *const reach[] = {
#define X(id, name, doc) name,
		SF_REACH(X)
#undef X
	};

	for (int code = 0; code < SF_ATTACK_CODES; code++) {
		const struct sf_attack_count *a = &i->attacks[code];

		if (!a->attacks)
			continue;
		fprintf(out, "%s: %s: %" PRIu64 " carried out, %" PRIu64 " noticed, %" PRIu64
			" later; reached", i->allocator, sf_op_table[code].name, a->attacks,
			a->noticed, a->later);
		for (int k = 0, n = 0; k < SF_REACHES; k++)
			if (a->reached[k])
				fprintf(out, "%s %s %" PRIu64, n++ ? "," : ":", reach[k],
					a->reached[k]);
		fputc('\n', out);
	}
}

static void print_isolation(const struct sf_results *r, bool all, FILE *out)
{
	bool any = false;

	for (uint32_t i = 0; i < r->nr_isolation; i++) {
		if (!sf_isolation_counted(&r->isolation[i]))
			continue;
		if (!any && all)
			fputc('\n', out);
		any = true;
		if (all)
			print_ledger(&r->isolation[i], out);
		print_attacks(&r->isolation[i], out);
	}
}

static void print_oracles(const struct sf_results *r, FILE *out)
{
	fprintf(out, "\n%-8s %12s %12s %10s  %s\n", "oracle", "checked", "skipped", "violations",
		"why not");
	for (int i = 0; i < SF_INV_COUNT; i++) {
		const struct sf_oracle_count *c = &r->oracles[i];

		if (r->only && !(r->only & sf_invariant_bit((enum sf_invariant)i)))
			continue;
		fprintf(out, "%-8s %12" PRIu64 " %12" PRIu64 " %10" PRIu64, sf_invariants[i].id,
			c->checked, c->skipped, c->violations);
		if (sf_oracle_why(c))
			fprintf(out, "  %s", sf_oracle_why(c));
		fprintf(out, "\n");
	}
}

/* What was not judged is never passed over in silence. */
static void print_sums(const struct sf_results *r, FILE *out)
{
	uint64_t checked = 0, skipped = 0;
	int judging = 0, skipping = 0;

	for (int i = 0; i < SF_INV_COUNT; i++) {
		checked += r->oracles[i].checked;
		skipped += r->oracles[i].skipped;
		judging += r->oracles[i].checked != 0;
		skipping += r->oracles[i].skipped != 0;
	}
	fprintf(out, "%" PRIu64 " judgements of %d oracles, %" PRIu64 " skipped of %d "
		"(each, and why: --oracles)\n", checked, judging, skipped, skipping);
}

void sf_print_results(const struct sf_results *r, bool all, FILE *out)
{
	uint64_t operations = 0, events = 0;
	uint32_t held = 0, unjudged = 0;

	for (uint32_t i = 0; i < r->nr_trials; i++) {
		operations += r->trials[i].operations;
		events += r->trials[i].events;
		held += r->trials[i].held;
		unjudged += r->trials[i].unjudged;
	}
	if (!events && !r->nr_crashed)
		return; /* nothing ran: what was wrong has been said */
	if (all)
		print_oracles(r, out);
	print_isolation(r, all, out);
	if (all)
		fputc('\n', out);
	else
		print_sums(r, out);
	fprintf(out, "%u files, %" PRIu64 " operations, %" PRIu64 " events: %u violations, "
		"%u of %u expectations held", r->files, operations, events, r->nr_found, held,
		held + r->nr_missed);
	if (r->nr_crashed)
		fprintf(out, ", %u crashed", r->nr_crashed);
	fprintf(out, unjudged ? ", %u could not be judged\n" : "\n", unjudged);
}
