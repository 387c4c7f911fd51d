// SPDX-License-Identifier: MIT
/*
 * tally.c - tally.h: counting.
 */
#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

#define BIT(outcome) (1u << SF_OUTCOME_##outcome)

void sf_tally_init(struct sf_tally *t, uint32_t trials, uint32_t starts)
{
	*t = (struct sf_tally){ .trials = trials, .starts = starts };
	for (unsigned int s = 0; s < SF_SCENARIO_COUNT; s++)
		t->trial[s] = sf_zalloc(s == SF_SCENARIO_PLACE ? starts : trials,
					sizeof(struct sf_trial));
}

void sf_tally_free(struct sf_tally *t)
{
	for (unsigned int s = 0; s < SF_SCENARIO_COUNT; s++)
		free(t->trial[s]);
	*t = (struct sf_tally){ 0 };
}

static uint32_t number_of(const struct sf_tally *t, unsigned int what)
{
	return what == SF_SCENARIO_PLACE ? t->starts : t->trials;
}

void sf_tally_add(void *tally, enum sf_scenario what, uint32_t trial, const struct sf_trial *it)
{
	struct sf_tally *t = tally;

	if (what < SF_SCENARIO_COUNT && trial < number_of(t, what))
		t->trial[what][trial] = *it;
}

/* --- names --- */

static const struct sf_figure features[] = {
	{ .subject = "canary", .measure = "seen", .scenario = SF_SCENARIO_EDGE,
	  .any = BIT(LATER), .none = BIT(OBJECT), .within = 1 },
	{ .subject = "guard-page", .measure = "seen", .scenario = SF_SCENARIO_GUARD,
	  .any = BIT(UNMAPPED) },
	{ .subject = "zeroing", .measure = "seen", .scenario = SF_SCENARIO_LOOK,
	  .any = BIT(ZEROED) },
	{ .subject = "filling", .measure = "seen", .scenario = SF_SCENARIO_LOOK,
	  .any = BIT(FILLED) },
	{ .subject = "unmapping", .measure = "seen", .scenario = SF_SCENARIO_LOOK,
	  .any = BIT(UNMAPPED) },
	{ .subject = "reuse", .measure = "after", .scenario = SF_SCENARIO_REUSE,
	  .unit = SF_FIGURE_FREES },
	{ .subject = "next-address", .measure = "bits", .scenario = SF_SCENARIO_PLACE,
	  .unit = SF_FIGURE_BITS },
	{ .subject = "first-address", .measure = "bits", .scenario = SF_SCENARIO_PLACE,
	  .unit = SF_FIGURE_BITS },
};

enum {
	NR_FEATURES = sizeof(features) / sizeof(features[0]),
	MISTAKES = SF_SCENARIO_GUARD, /* scenarios below it, but for those of models alone */
	MEASURES = SF_OUTCOME_ZEROED + 2, /* outcomes that a mistake can have; noticed, nothing */
};

static void name_after(char *to, size_t size, const char *name)
{
	snprintf(to, size, "%s", name);
	for (; *to; to++)
		if (*to == ' ')
			*to = '-';
}

static bool mistake_at(uint32_t i, struct sf_figure *f)
{
	uint32_t what = i / MEASURES, k = i % MEASURES;

	*f = (struct sf_figure){ .scenario = (uint8_t)what };
	name_after(f->subject, sizeof(f->subject), sf_scenarios[what].name);
	if (k == SF_OUTCOME_ZEROED) {
		f->any = BIT(AT_ONCE) | BIT(LATER);
		snprintf(f->measure, sizeof(f->measure), "noticed");
	} else if (k > SF_OUTCOME_ZEROED) {
		f->nothing = true;
		snprintf(f->measure, sizeof(f->measure), "nothing");
	} else {
		f->any = 1u << k;
		snprintf(f->measure, sizeof(f->measure), "%s", sf_outcomes[k].claim);
	}
	return sf_scenarios[what].use & SF_FOR_PROMISE;
}

bool sf_figure_at(uint32_t i, struct sf_figure *f)
{
	uint32_t seen = 0;

	for (uint32_t k = 0; k < MISTAKES * MEASURES; k++)
		if (mistake_at(k, f) && seen++ == i)
			return true;
	if (i - seen >= NR_FEATURES)
		return false;
	*f = features[i - seen];
	return true;
}

bool sf_figure_find(const char *subject, const char *measure, struct sf_figure *f)
{
	for (uint32_t i = 0; sf_figure_at(i, f); i++)
		if (!strcmp(f->subject, subject) && (!measure || !strcmp(f->measure, measure)))
			return true;
	return false;
}

/* --- counts --- */

static bool counts(const struct sf_trial *it, const struct sf_figure *f, uint32_t least)
{
	if (f->unit == SF_FIGURE_FREES)
		return it->after >= least;
	if (f->nothing)
		return !it->what;
	return it->what & f->any && !(it->what & f->none) && (!f->within || it->after <= f->within);
}

static int by_value(const void *a, const void *b)
{
	uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;

	return (p > q) - (p < q);
}

/* How often the likeliest value came. */
static struct sf_chance likeliest(const struct sf_tally *t, bool first)
{
	uint64_t *value = sf_zalloc(t->starts, sizeof(*value)), most = 0, run = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->starts; i++) {
		const struct sf_trial *it = &t->trial[SF_SCENARIO_PLACE][i];

		if (it->ran)
			value[n++] = first ? it->first : it->next;
	}
	if (n > 1)
		qsort(value, n, sizeof(*value), by_value);
	for (uint32_t i = 0; i < n; i++) {
		run = i && value[i] == value[i - 1] ? run + 1 : 1;
		most = run > most ? run : most;
	}
	free(value);
	return sf_chance(most, n);
}

struct sf_chance sf_tally_chance(const struct sf_tally *t, const struct sf_figure *f,
				 uint32_t least)
{
	uint64_t hits = 0, n = 0;

	if (f->unit == SF_FIGURE_BITS)
		return likeliest(t, f->subject[0] == 'f');
	for (uint32_t i = 0; i < number_of(t, f->scenario); i++) {
		const struct sf_trial *it = &t->trial[f->scenario][i];

		n += it->ran;
		hits += it->ran && counts(it, f, least);
	}
	return sf_chance(hits, n);
}

uint32_t sf_tally_left_out(const struct sf_tally *t, enum sf_scenario what)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < number_of(t, what); i++)
		n += !t->trial[what][i].ran;
	return n;
}

struct sf_bits sf_bits(const struct sf_chance *c)
{
	if (!c->n)
		return (struct sf_bits){ 0, 0, INFINITY };
	/* + 0.0: a chance of 1 is 0 bits, not -0 */
	return (struct sf_bits){ -log2(c->share) + 0.0, -log2(c->high) + 0.0, -log2(c->low) + 0.0 };
}

unsigned int sf_tally_varying(const struct sf_tally *t)
{
	const struct sf_trial *it = t->trial[SF_SCENARIO_PLACE];
	uint64_t vary = 0, first = 0;
	bool any = false;

	for (uint32_t i = 0; i < t->starts; i++) {
		if (!it[i].ran)
			continue;
		vary |= any ? it[i].first ^ first : 0;
		first = it[i].first;
		any = true;
	}
	return (unsigned int)__builtin_popcountll(vary);
}

static int by_after(const void *a, const void *b)
{
	uint32_t p = *(const uint32_t *)a, q = *(const uint32_t *)b;

	return (p > q) - (p < q);
}

bool sf_tally_after(const struct sf_tally *t, enum sf_scenario what, uint32_t any,
		    struct sf_spread *s)
{
	uint32_t *after = sf_zalloc(t->trials, sizeof(*after)), n = 0;

	for (uint32_t i = 0; i < t->trials; i++) {
		const struct sf_trial *it = &t->trial[what][i];

		if (it->ran && (!any || it->what & any))
			after[n++] = it->after;
	}
	if (n > 1)
		qsort(after, n, sizeof(*after), by_after);
	if (n)
		*s = (struct sf_spread){ after[0], after[n / 2], after[n - 1] };
	free(after);
	return n > 0;
}
