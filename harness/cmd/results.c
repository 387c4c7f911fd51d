// SPDX-License-Identifier: MIT
/*
 * results.c - results.h: lists that grow, and what they add up to.
 */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "results.h"

struct sf_trial *sf_results_trial(struct sf_results *r, const char *file, const char *allocator)
{
	struct sf_trial *t;

	SF_GROW(r->trials, r->nr_trials, r->cap_trials);
	t = &r->trials[r->nr_trials++];
	*t = (struct sf_trial){ .file = sf_strdup(file), .allocator = allocator };
	return t;
}

struct sf_found *sf_results_found(struct sf_results *r, const struct sf_violation *v)
{
	struct sf_found *f;

	SF_GROW(r->found, r->nr_found, r->cap_found);
	f = &r->found[r->nr_found++];
	*f = (struct sf_found){
		.trial = r->nr_trials - 1,
		.invariant = (uint8_t)v->invariant,
		.op = v->op,
		.title = sf_strdup(v->title),
		.detail = sf_strdup(v->detail),
	};
	sf_results_last(r)->found++;
	return f;
}

static void free_found(struct sf_found *f)
{
	free(f->text);
	free(f->title);
	free(f->detail);
}

void sf_results_unfound(struct sf_results *r, uint32_t index)
{
	free_found(&r->found[index]);
	for (uint32_t i = index + 1; i < r->nr_found; i++)
		r->found[i - 1] = r->found[i];
	r->nr_found--;
	sf_results_last(r)->found--;
}

struct sf_missed *sf_results_missed(struct sf_results *r)
{
	struct sf_missed *m;

	SF_GROW(r->missed, r->nr_missed, r->cap_missed);
	m = &r->missed[r->nr_missed++];
	*m = (struct sf_missed){ .trial = r->nr_trials - 1 };
	sf_results_last(r)->missed++;
	return m;
}

static void add_isolation(struct sf_isolation *to, const struct sf_judge *j)
{
	const struct sf_ledger *l = sf_judge_ledger(j);
	const struct sf_attack_count *a = sf_judge_attacks(j);

	to->ledger = *l;
	memcpy(to->attacks, a, sizeof(to->attacks));
}

void sf_results_count(struct sf_results *r, const struct sf_judge *j, const char *allocator)
{
	const struct sf_oracle_count *c = sf_judge_counts(j);

	for (int i = 0; i < SF_INV_COUNT; i++) {
		r->oracles[i].checked += c[i].checked;
		r->oracles[i].skipped += c[i].skipped;
		r->oracles[i].violations += c[i].violations;
		if (c[i].reason)
			r->oracles[i].reason = c[i].reason;
		else if (!r->oracles[i].reason)
			r->oracles[i].reason = sf_judge_lacks(j, (enum sf_invariant)i);
	}
	SF_GROW(r->isolation, r->nr_isolation, r->cap_isolation);
	r->isolation[r->nr_isolation] = (struct sf_isolation){ .allocator = allocator };
	add_isolation(&r->isolation[r->nr_isolation++], j);
}

void sf_results_remarks(struct sf_replay *p, struct sf_trace *t)
{
	const char *text;

	for (unsigned int i = 0; (text = sf_trace_remark(t, i)); i++) {
		SF_GROW(p->remarks, p->nr_remarks, p->cap_remarks);
		p->remarks[p->nr_remarks++] = sf_strdup(text);
	}
	p->kernel = sf_strdup(sf_trace_kernel(t));
}

static void free_trial(struct sf_trial *t)
{
	if (t->replay) {
		for (uint32_t i = 0; i < t->replay->nr_shown; i++)
			free(t->replay->shown[i]);
		for (uint32_t i = 0; i < t->replay->nr_remarks; i++)
			free(t->replay->remarks[i]);
		free(t->replay->remarks);
		free(t->replay->kernel);
		free(t->replay->format);
		free(t->replay);
	}
	free(t->file);
	free(t->error);
}

void sf_results_free(struct sf_results *r)
{
	for (uint32_t i = 0; i < r->nr_found; i++)
		free_found(&r->found[i]);
	for (uint32_t i = 0; i < r->nr_missed; i++) {
		free(r->missed[i].text);
		free(r->missed[i].expected);
		free(r->missed[i].got);
	}
	for (uint32_t i = 0; i < r->nr_trials; i++)
		free_trial(&r->trials[i]);
	free(r->isolation);
	free(r->found);
	free(r->missed);
	free(r->trials);
	*r = (struct sf_results){ 0 };
}

bool sf_trial_wrong(const struct sf_trial *t)
{
	const struct sf_replay *p = t->replay;

	if (t->error || t->found || t->missed)
		return true;
	return p && (p->nulls || p->kmalloc.agree != p->kmalloc.total ||
		     p->named.agree != p->named.total);
}

int sf_results_exit(const struct sf_results *r)
{
	if (r->status)
		return r->status;
	for (uint32_t i = 0; i < r->nr_trials; i++)
		if (sf_trial_wrong(&r->trials[i]))
			return SF_EXIT_WRONG;
	return SF_EXIT_GOOD;
}

uint64_t sf_replay_unpaired(const struct sf_replay *p)
{
	const struct sf_trace_counts *c = &p->counts;

	return c->free_unborn + c->implied_free + c->alive + c->page_unborn + c->page_implied +
	       c->page_alive + c->page_mismatch;
}
