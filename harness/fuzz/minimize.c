// SPDX-License-Identifier: MIT
/*
 * minimize.c - minimize.h: a bound on time and tries around reduce.c, and a last look at what came
 * out of it.
 */
#include "minimize.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	LOOKS = 3,        /* runs of the whole program, and of the result */
	SELDOM = 20,      /* runs until a title that is not seen is not there */
	TRIES_MAX = 12,   /* of a candidate, unless the user says more */
};

struct work {
	const struct sf_minimize *how;
	struct sf_minimized *m;
	const char *title;
	double start, told;
	uint64_t runs;
	struct sf_error err;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool is_interrupted(const struct work *w)
{
	return w->how->interrupted && *w->how->interrupted;
}

static bool stop(void *ctx)
{
	struct work *w = ctx;

	if (is_interrupted(w) || (w->how->seconds > 0 && now() - w->start > w->how->seconds))
		w->m->cut_short = true;
	return w->m->cut_short;
}

/* One run. What an interrupt did to a worker shows nothing. */
static bool shows(struct work *w, const struct sf_prog *p, struct sf_symptom *s)
{
	w->runs++;
	return sf_rerun(w->how->again, p, w->title, s, &w->err) && !is_interrupted(w);
}

static bool candidate_shows(struct work *w, const struct sf_prog *p, struct sf_symptom *s)
{
	w->runs++;
	return sf_rerun_candidate(w->how->again, p, w->title, s, &w->err) && !is_interrupted(w);
}

static bool keeps(void *ctx, const struct sf_prog *p, struct sf_reduce_point *at)
{
	struct work *w = ctx;
	struct sf_symptom s;
	uint32_t i = 0;

	while (!candidate_shows(w, p, &s))
		if (++i >= w->m->tries || stop(w))
			return false;
	w->m->shows = s;
	at->op = s.op;
	memcpy(at->objects, s.objects, sizeof(at->objects));
	return true;
}

static void smaller(void *ctx, const struct sf_prog *p)
{
	struct work *w = ctx;

	if (!w->how->progress || now() - w->told < 0.2)
		return;
	w->told = now();
	w->how->progress(w->how->ctx, p, w->runs, w->told - w->start);
}

/* How often of how many times; a hang takes its time, and is believed. */
static void look(struct work *w, const struct sf_prog *p, uint32_t most)
{
	struct sf_symptom s;

	w->m->repeated = w->m->runs = 0;
	while (w->m->runs < most && !is_interrupted(w) && !(w->m->runs && stop(w))) {
		w->m->runs++;
		if (!shows(w, p, &s))
			continue;
		w->m->shows = s;
		w->title = w->title ? w->title : w->m->shows.title;
		w->m->repeated++;
		if (s.kind == SF_CRASH_HANG)
			break;
	}
}

/* Seldom enough that one run says little: so many that all but few candidates are seen through. */
static uint32_t tries_for(const struct sf_minimized *m)
{
	uint32_t tries = 3 * m->runs / m->repeated;

	if (m->repeated == m->runs)
		return 1;
	return tries > TRIES_MAX ? TRIES_MAX : tries;
}

static bool begin(struct work *w, const struct sf_prog *p, struct sf_error *err)
{
	look(w, p, LOOKS);
	if (!w->m->repeated && !*w->err.text && !is_interrupted(w))
		look(w, p, w->how->tries > SELDOM ? w->how->tries : SELDOM);
	if (w->m->repeated) {
		w->m->tries = w->how->tries ? w->how->tries : tries_for(w->m);
		return true;
	}
	if (*w->err.text)
		*err = w->err;
	else if (is_interrupted(w))
		snprintf(err->text, sizeof(err->text), "interrupted");
	else if (w->title)
		snprintf(err->text, sizeof(err->text), "does not show '%.120s', in %u runs",
			 w->title, w->m->runs);
	else
		snprintf(err->text, sizeof(err->text), "nothing is wrong with it, in %u runs",
			 w->m->runs);
	return false;
}

bool sf_minimize(const struct sf_minimize *how, struct sf_prog *p, struct sf_minimized *m,
		 struct sf_error *err)
{
	struct work w = { .how = how, .m = m, .title = how->title, .start = now() };
	const struct sf_reduce reduce = { .keeps = keeps, .stop = stop, .smaller = smaller,
					  .ctx = &w };
	struct sf_reduce_point at;
	char title[SF_TITLE_MAX];

	*m = (struct sf_minimized){ .before = p->nr_ops };
	if (!begin(&w, p, err))
		return false;
	/* It is what all are held against, and the result has one of its own. */
	snprintf(title, sizeof(title), "%s", m->shows.title);
	w.title = title;
	at.op = m->shows.op;
	memcpy(at.objects, m->shows.objects, sizeof(at.objects));
	sf_reduce(&reduce, p, &at);
	if (!is_interrupted(&w))
		look(&w, p, m->tries > LOOKS ? m->tries : LOOKS);
	m->after = p->nr_ops;
	m->candidates = w.runs;
	m->seconds = now() - w.start;
	return true;
}
