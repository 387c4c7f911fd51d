// SPDX-License-Identifier: MIT
/*
 * report.c - what the judge says: titles, each once a run, and the counts of what was judged and
 * what was not. Relies on judge.h's state alone; every rule reports through it.
 */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../allocators/base/hash.h"
#include "judge.h"
#include "listing.h"

const struct sf_invariant_info sf_invariants[SF_INV_COUNT] = {
#define X(family, nr, cost, needs, setting, marks, statement, source)                             \
	{ #family "-" #nr, needs, statement, source, SF_COST_##cost, SF_SET_##setting, marks },
	SF_INVARIANTS(X)
#undef X
};

void sf_skip(struct sf_judge *j, enum sf_invariant inv, const char *why)
{
	j->report.count[inv].skipped++;
	j->report.count[inv].reason = why;
}

void sf_title(struct sf_judge *j, enum sf_invariant inv, const char *fmt, ...)
{
	size_t size = sizeof(j->report.v.title);
	size_t n = (size_t)snprintf(j->report.v.title, size, "%s: ", sf_invariants[inv].id);
	va_list ap;

	j->report.v.invariant = inv;
	va_start(ap, fmt);
	vsnprintf(j->report.v.title + n, size - n, fmt, ap);
	va_end(ap);
}

/* Has this title been reported in this run? Too many different ones count as reported. */
static bool seen_before(struct sf_judge *j)
{
	uint64_t hash = sf_fnv1a_text(j->report.v.title) | 1;
	uint32_t at;

	for (at = hash >> 32 & (SF_SEEN_SLOTS - 1); j->report.seen[at];
	     at = (at + 1) & (SF_SEEN_SLOTS - 1))
		if (j->report.seen[at] == hash)
			return true;
	if (j->report.nr_seen >= SF_SEEN_SLOTS / 2)
		return true;
	j->report.nr_seen++;
	j->report.seen[at] = hash;
	return false;
}

void sf_report(struct sf_judge *j, const struct sf_event *ev, uint32_t res, uint32_t other,
	       const char *fmt, ...)
{
	struct sf_reports *r = &j->report;
	const char *name = j->sh.left_out;
	va_list ap;
	int n;

	j->sh.left_out = NULL;
	r->count[r->v.invariant].violations++;
	if (seen_before(j) || !r->opt.violation)
		return;
	r->v.op = ev->op;
	r->v.objects[0] = res;
	r->v.objects[1] = other;
	va_start(ap, fmt);
	n = vsnprintf(r->v.detail, sizeof(r->v.detail), fmt, ap);
	va_end(ap);
	if (name && n >= 0 && (size_t)n < sizeof(r->v.detail))
		snprintf(r->v.detail + n, sizeof(r->v.detail) - (size_t)n, "; cache \"%s\"", name);
	r->opt.violation(r->opt.ctx, &r->v);
}

/* BEGIN: what the last program showed may be reported again. */
void sf_titles_begin(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_reports *r = &j->report;

	(void)ev;
	if (r->nr_seen)
		memset(r->seen, 0, sizeof(r->seen));
	r->nr_seen = 0;
}
