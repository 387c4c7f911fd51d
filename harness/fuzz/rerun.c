// SPDX-License-Identifier: MIT
/*
 * rerun.c - rerun.h. Who runs a hundred variants of one crash looks the names of its functions up
 * once: what a process said is told apart by its places in files, which do not move.
 */
#include "rerun.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"
#include "../../allocators/base/hash.h"
#include "../exec/worker.h"
#include "../lockstep/lockstep.h"
#include "files.h"
#include "worker_end.h"

enum {
	BRIEF_MS = 1000, /* that an operation of a candidate may take; */
	HANG_MS = 2000,  /* if it is about a hang */
};

/* A crash that was met before. */
struct known {
	uint64_t said; /* hash of what it said */
	struct sf_crash crash;
	char *report;
};

struct sf_rerun {
	struct sf_rerun_options opt;
	const struct sf_allocator *allocator;
	struct sf_judge *judge;
	/*
	 * One runs many programs, where a reset is exact: quick, and believed in nothing that it
	 * shows, for what one leaves behind that breaks its heap may show in the next. The others
	 * have a process for each, one of them with little patience. NULL: not yet, or it is gone.
	 */
	struct sf_worker *quick, *brief, *fresh;
	struct sf_exec *exec;         /* here */
	struct sf_lockstep *lockstep;
	char *input;                  /* file that the target is given; NULL: not yet */
	char *said;                   /* by the target, of its last crash */
	struct known *known;
	uint32_t nr_known, cap_known;
	uint64_t runs;

	/* The run in hand. */
	const char *title;            /* wanted; NULL: the first */
	struct sf_symptom *seen;
	bool shown;
	bool begun;                   /* the program, not only its heap */
	bool early;                   /* what was shown last was before that */
	uint32_t last;                /* crash of this run, in `known`; SF_NONE: none */
	struct sf_error *err;
};

static const struct sf_exec_options in_full = { .end = SF_END_TEARDOWN, .contents = true };

/* --- what is seen --- */

static bool wanted(const struct sf_rerun *r, const char *title)
{
	size_t n = r->title ? strlen(r->title) : 0;

	if (r->shown || !n)
		return !r->shown;
	if (r->title[n - 1] == '*')
		return !strncmp(r->title, title, n - 1);
	return !strcmp(r->title, title);
}

static void see(struct sf_rerun *r, enum sf_crash_kind kind, const char *title, uint32_t op)
{
	*r->seen = (struct sf_symptom){ .kind = kind, .op = op, .objects = { SF_NONE, SF_NONE } };
	snprintf(r->seen->title, sizeof(r->seen->title), "%s", title);
	r->shown = true;
	r->early = !r->begun;
}

static void on_violation(void *ctx, const struct sf_violation *v)
{
	struct sf_rerun *r = ctx;

	if (!wanted(r, v->title))
		return;
	see(r, SF_CRASH_VIOLATION, v->title, v->op);
	r->seen->invariant = (uint8_t)v->invariant;
	memcpy(r->seen->objects, v->objects, sizeof(v->objects));
	memcpy(r->seen->detail, v->detail, sizeof(v->detail));
}

/* What follows from a difference is no find of its own. */
static void on_diverged(void *ctx, const struct sf_divergence *d)
{
	struct sf_rerun *r = ctx;
	const struct sf_members *on = r->opt.on;

	if (d->consequence || !wanted(r, d->key))
		return;
	see(r, SF_CRASH_DIFFERENCE, d->key, d->op);
	snprintf(r->seen->detail, sizeof(r->seen->detail), "%s: %s %s, %s %s", d->what,
		 on->m[d->a].label, d->a_has, on->m[d->b].label, d->b_has);
}

/* Without addresses in memory and numbers of processes: they are others each time. */
static uint64_t hash_of(const struct sf_worker_end *end)
{
	uint64_t h = sf_fnv1a(SF_FNV_START, &end->fate, sizeof(end->fate));
	char before = 0;

	h = sf_fnv1a(h, &end->status, sizeof(end->status));
	for (const char *s = end->text ? end->text : ""; *s; s++) {
		bool place = !strncmp(s, "0x", 2) && before != '+';

		if (place || (isdigit((unsigned char)*s) && before == '='))
			s += strspn(s + 1 + place, "0123456789abcdef") + place;
		else
			h = sf_fnv1a(h, s, 1);
		before = *s;
	}
	return h;
}

static uint32_t know(struct sf_rerun *r, const struct sf_worker_end *end)
{
	uint64_t said = hash_of(end);
	struct known *k;

	for (uint32_t i = 0; i < r->nr_known; i++)
		if (r->known[i].said == said)
			return i;
	SF_GROW(r->known, r->nr_known, r->cap_known);
	k = &r->known[r->nr_known++];
	k->said = said;
	k->report = sf_crash_symbolize(end->text ? end->text : "");
	sf_worker_crash(end, k->report ? k->report : "", &k->crash);
	if (!*k->crash.title)
		snprintf(k->crash.title, sizeof(k->crash.title), "%.*s", SF_TITLE_MAX - 1,
			 *end->title ? end->title : end->why);
	return r->nr_known - 1;
}

static void crash_title(void *ctx, const struct sf_worker_end *end, char title[SF_CRASH_TITLE_MAX])
{
	struct sf_rerun *r = ctx;

	r->last = know(r, end);
	snprintf(title, SF_CRASH_TITLE_MAX, "%s", r->known[r->last].crash.title);
}

/* --- one allocator --- */

/* A crash is a find by its own title, and not by what the judge makes of its event. */
static void hear(void *ctx, const struct sf_event *ev)
{
	struct sf_rerun *r = ctx;

	if (ev->type == SF_EV_CRASH && !ev->crash.refusal)
		return;
	r->begun = r->begun || ev->type == SF_EV_BEGIN;
	sf_judge_event(r->judge, ev);
	if (r->opt.event)
		r->opt.event(r->opt.ctx, ev);
}

static void over(void *ctx, uint32_t job, const struct sf_worker_end *end)
{
	struct sf_rerun *r = ctx;

	(void)job;
	if (end->fate == SF_FATE_NO_HEAP)
		snprintf(r->err->text, sizeof(r->err->text), "%s", end->why);
	else if (end->fate != SF_FATE_DONE && !end->refusal && r->last != SF_NONE &&
		 wanted(r, r->known[r->last].crash.title))
		see(r, r->known[r->last].crash.kind, r->known[r->last].crash.title, end->op);
}

static struct sf_worker *open_worker(struct sf_rerun *r, const struct sf_settings *set,
				     enum sf_worker_fork fork, uint32_t timeout_ms)
{
	const struct sf_worker_options opt = {
		.exec = in_full, .fork = (uint8_t)fork,
		.timeout_ms = timeout_ms, .memory_bytes = r->opt.memory_bytes,
		.emit = hear, .over = over, .inside = sf_worker_speaks, .title = crash_title,
		.ctx = r,
	};

	return sf_worker_open(r->allocator, set, &opt, r->err);
}

static void run_in(struct sf_rerun *r, struct sf_worker **w, const struct sf_prog *p,
		   enum sf_worker_fork fork, uint32_t timeout_ms)
{
	const struct sf_worker_job job = { .prog = p };

	if (!*w)
		*w = open_worker(r, &p->settings, fork, timeout_ms);
	if (!*w || sf_worker_run(*w, &job, 1, r->err))
		return;
	sf_worker_close(*w);
	*w = NULL;
}

/*
 * Worth a quick look first: a judge's title, on an allocator that is reset exactly; but not what is
 * wrong with a heap as it is made, for that is told once.
 */
static bool is_quick(const struct sf_rerun *r)
{
	return r->allocator->reset_kind == SF_RESET_EXACT && !r->allocator->instance && !r->early &&
	       r->title && sf_crash_of_title(r->title) == SF_CRASH_VIOLATION;
}

/* Of a candidate: what hangs is not waited for unless that is what it is about. */
static uint32_t little_time(const struct sf_rerun *r)
{
	uint32_t ms = r->title && !strncmp(r->title, "hang", 4) ? HANG_MS : BRIEF_MS;

	return !r->opt.timeout_ms || r->opt.timeout_ms > ms ? ms : r->opt.timeout_ms;
}

static void run_candidate(struct sf_rerun *r, const struct sf_prog *p)
{
	bool quick = is_quick(r);

	if (quick) {
		run_in(r, &r->quick, p, SF_FORK_NONE, little_time(r));
		if (!r->shown && r->last == SF_NONE)
			return;
		r->shown = r->begun = false;
		r->last = SF_NONE;
	}
	run_in(r, &r->brief, p, SF_FORK_PROGRAM, little_time(r));
	if (!quick || r->shown)
		return;
	/* What it was led astray by is in its heap still. */
	sf_worker_close(r->quick);
	r->quick = NULL;
}

static void run_here(struct sf_rerun *r, const struct sf_prog *p)
{
	if (!r->exec)
		r->exec = sf_exec_create(r->allocator, &p->settings, &in_full, hear, r, r->err);
	if (r->exec)
		sf_exec_run(r->exec, p, NULL, r->err);
}

/* --- several --- */

static bool open_lockstep(struct sf_rerun *r, struct sf_error *err)
{
	const struct sf_tape_options worker = {
		.exec = in_full, .timeout_ms = r->opt.timeout_ms,
		.memory_bytes = r->opt.memory_bytes, .inside = sf_worker_speaks,
		.title = crash_title, .ctx = r,
	};
	const struct sf_lockstep_options opt = {
		.exec = in_full, .diverged = on_diverged, .ctx = r, .worker = &worker,
	};

	r->lockstep = sf_lockstep_create(r->opt.on, &opt, err);
	return r->lockstep;
}

static void run_lockstep(struct sf_rerun *r, const struct sf_prog *p)
{
	struct sf_settings set[SF_MEMBERS_MAX];

	if (sf_lockstep_settings(r->lockstep, &p->settings, NULL, set, r->err))
		sf_lockstep_run(r->lockstep, p, NULL, set, r->err);
}

/* --- in a target --- */

static bool write_input(struct sf_rerun *r, const struct sf_prog *p)
{
	const char *dir = getenv("TMPDIR");
	size_t len = sf_bytes_encode(p, NULL, 0);
	uint8_t *data = sf_grow(NULL, len, 1);
	bool fine;
	int fd;

	if (!r->input) {
		r->input = sf_path("%s/slabfuzz.XXXXXX", dir && *dir ? dir : "/tmp");
		fd = mkstemp(r->input);
		if (fd >= 0)
			close(fd);
	}
	sf_bytes_encode(p, data, len);
	fine = sf_write_file(r->input, data, len);
	if (!fine)
		snprintf(r->err->text, sizeof(r->err->text), "%s: %s", r->input, strerror(errno));
	free(data);
	return fine;
}

static void run_target(struct sf_rerun *r, const struct sf_prog *p)
{
	const char *paths[2] = { NULL, NULL };
	struct sf_crash c;

	if (!write_input(r, p))
		return;
	paths[0] = r->input;
	free(r->said);
	r->said = NULL;
	if (sf_target_run(r->opt.target, r->allocator->name, NULL, paths, &c, &r->said) &&
	    wanted(r, c.title))
		see(r, c.kind, c.title, SF_NONE);
}

/* --- for all --- */

struct sf_rerun *sf_rerun_open(const struct sf_rerun_options *opt, struct sf_error *err)
{
	struct sf_rerun *r = sf_zalloc(1, sizeof(*r));
	const struct sf_judge_options judge = { .violation = on_violation, .ctx = r };

	r->opt = *opt;
	r->allocator = opt->on->m[0].allocator;
	if (opt->target)
		return r;
	if (opt->on->nr == 1) {
		r->judge = sf_judge_create(&judge);
	} else if (!open_lockstep(r, err)) {
		free(r);
		return NULL;
	}
	return r;
}

void sf_rerun_close(struct sf_rerun *r)
{
	if (!r)
		return;
	sf_worker_close(r->quick);
	sf_worker_close(r->brief);
	sf_worker_close(r->fresh);
	if (r->exec)
		sf_exec_destroy(r->exec);
	if (r->judge)
		sf_judge_destroy(r->judge);
	if (r->lockstep)
		sf_lockstep_destroy(r->lockstep);
	for (uint32_t i = 0; i < r->nr_known; i++)
		free(r->known[i].report);
	if (r->input)
		unlink(r->input);
	free(r->input);
	free(r->said);
	free(r->known);
	free(r);
}

static bool rerun(struct sf_rerun *r, const struct sf_prog *p, const char *title, bool candidate,
		  struct sf_symptom *seen, struct sf_error *err)
{
	r->title = title;
	r->seen = seen;
	r->shown = r->begun = false;
	r->last = SF_NONE;
	r->err = err;
	err->text[0] = 0;
	r->runs++;
	if (r->opt.target)
		run_target(r, p);
	else if (r->lockstep)
		run_lockstep(r, p);
	else if (r->opt.here)
		run_here(r, p);
	else if (candidate)
		run_candidate(r, p);
	else
		run_in(r, &r->fresh, p, SF_FORK_PROGRAM, r->opt.timeout_ms);
	return r->shown;
}

bool sf_rerun(struct sf_rerun *r, const struct sf_prog *p, const char *title,
	      struct sf_symptom *seen, struct sf_error *err)
{
	return rerun(r, p, title, false, seen, err);
}

bool sf_rerun_candidate(struct sf_rerun *r, const struct sf_prog *p, const char *title,
			struct sf_symptom *seen, struct sf_error *err)
{
	return rerun(r, p, title, true, seen, err);
}

const char *sf_rerun_report(const struct sf_rerun *r)
{
	if (r->said)
		return r->said;
	return r->last == SF_NONE ? NULL : r->known[r->last].report;
}

uint64_t sf_rerun_runs(const struct sf_rerun *r)
{
	return r->runs;
}
