// SPDX-License-Identifier: MIT
/*
 * tape.c - tape.h.
 */
#include "tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

/* A step: its values lie behind one another, by property. */
struct step {
	uint32_t first, nr[SF_PROPERTY_COUNT];
	struct sf_outcome out;
	bool short_of_memory, was_short, moved, tainted;
	uint32_t faults;
	uint64_t asking, asked;
};

struct sf_tape {
	const struct sf_allocator *allocator;
	struct sf_tape_options opt;
	struct sf_worker *worker; /* NULL: none yet, or it could not be made again */
	struct sf_exec *exec;     /* in place of it: here */
	struct sf_settings set;   /* of its heap ... */
	bool open;                /* ... which there is */
	struct sf_observer seen;  /* in the step in hand; names of caches */
	struct sf_value *v;
	uint32_t nr_values, cap_values;
	struct step *step; /* the last is the end, if it ended well */
	uint32_t nr, cap;
	bool ended;        /* it did */
	uint32_t ops;      /* of the program */
	char why[200];     /* its heap cannot be */
};

struct sf_tape *sf_tape_create(const struct sf_allocator *a, const struct sf_tape_options *opt)
{
	struct sf_tape *t = sf_zalloc(1, sizeof(*t));

	t->allocator = a;
	t->opt = *opt;
	return t;
}

void sf_tape_free(struct sf_tape *t)
{
	sf_worker_close(t->worker);
	if (t->exec)
		sf_exec_destroy(t->exec);
	sf_observer_free(&t->seen);
	free(t->v);
	free(t->step);
	free(t);
}

void sf_tape_renew(struct sf_tape *t)
{
	t->open = false;
}

void sf_tape_set_end(struct sf_tape *t, enum sf_end end)
{
	t->opt.exec.end = (uint8_t)end;
	if (t->exec)
		sf_exec_set_end(t->exec, end);
}

/* --- recording --- */

static void finish_step(struct sf_tape *t, const struct sf_outcome *out)
{
	const struct sf_observer *o = &t->seen;
	struct step *s;

	SF_GROW(t->step, t->nr, t->cap);
	s = &t->step[t->nr++];
	*s = (struct step){
		.first = t->nr_values, .out = *out, .short_of_memory = o->short_of_memory,
		.was_short = o->was_short, .moved = o->moved, .tainted = o->tainted,
		.faults = o->faults, .asking = o->asking, .asked = o->asked,
	};
	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++) {
		s->nr[p] = o->seen[p].nr;
		for (uint32_t i = 0; i < s->nr[p]; i++) {
			SF_GROW(t->v, t->nr_values, t->cap_values);
			t->v[t->nr_values++] = o->seen[p].v[i];
		}
	}
	sf_observe_begin(&t->seen);
}

static void hear(void *ctx, const struct sf_event *ev)
{
	struct sf_tape *t = ctx;

	/* What a heap says of itself is no step. */
	if (ev->type == SF_EV_BEGIN)
		sf_observe_begin(&t->seen);
	sf_observe_event(&t->seen, ev);
}

static void hear_step(void *ctx, const struct sf_worker_step *step)
{
	struct sf_tape *t = ctx;

	sf_observe_value(&t->seen, SF_PROP_LIVE, "objects", step->live);
	finish_step(t, &step->outcome);
}

static void hear_over(void *ctx, uint32_t job, const struct sf_worker_end *end)
{
	const struct sf_outcome none = { .status = SF_NULL };
	struct sf_tape *t = ctx;

	(void)job;
	if (end->fate == SF_FATE_NO_HEAP)
		snprintf(t->why, sizeof(t->why), "%s", end->why);
	finish_step(t, &none);
	t->ended = end->fate == SF_FATE_DONE;
}

static void hear_title(void *ctx, const struct sf_worker_end *end, char title[SF_CRASH_TITLE_MAX])
{
	struct sf_tape *t = ctx;

	if (t->opt.title)
		t->opt.title(t->opt.ctx, end, title);
}

static bool open_worker(struct sf_tape *t, const struct sf_settings *set, struct sf_error *err)
{
	const struct sf_worker_options opt = {
		.exec = t->opt.exec,
		.fork = t->allocator->reset_kind == SF_RESET_EXACT ? SF_FORK_NONE : SF_FORK_PROGRAM,
		.timeout_ms = t->opt.timeout_ms, .memory_bytes = t->opt.memory_bytes,
		.emit = hear, .step = hear_step, .over = hear_over, .inside = t->opt.inside,
		.title = hear_title, .ctx = t,
	};

	if (!t->worker)
		t->worker = sf_worker_open(t->allocator, set, &opt, err);
	return t->worker;
}

static bool open_exec(struct sf_tape *t, const struct sf_settings *set, struct sf_error *err)
{
	if (t->open && !memcmp(&t->set, set, sizeof(*set)))
		return true;
	t->set = *set;
	if (t->exec) {
		t->open = sf_exec_open(t->exec, t->allocator, set, err);
	} else {
		t->exec = sf_exec_create(t->allocator, set, &t->opt.exec, hear, t, err);
		t->open = t->exec;
	}
	return t->open;
}

static void run_here(struct sf_tape *t, const struct sf_prog *p, const char *name)
{
	const struct sf_outcome none = { .status = SF_NULL };
	struct sf_exec_counts counts;
	bool going = true;

	sf_exec_begin(t->exec, name);
	for (uint32_t i = 0; i < p->nr_ops && going; i++) {
		going = sf_exec_step(t->exec, &p->ops[i], p->strings);
		sf_exec_counts(t->exec, &counts);
		sf_observe_value(&t->seen, SF_PROP_LIVE, "objects", counts.live);
		finish_step(t, sf_exec_outcome(t->exec));
	}
	sf_exec_end(t->exec);
	finish_step(t, &none);
	t->ended = true;
}

static bool run_in_worker(struct sf_tape *t, const struct sf_prog *p, const char *name,
			  const struct sf_settings *set, struct sf_error *err)
{
	const struct sf_worker_job job = { .prog = p, .settings = set, .name = name };

	if (!open_worker(t, set, err) || !sf_worker_run(t->worker, &job, 1, err)) {
		sf_worker_close(t->worker);
		t->worker = NULL;
		return false;
	}
	if (t->why[0])
		snprintf(err->text, sizeof(err->text), "%s", t->why);
	return !t->why[0];
}

bool sf_tape_record(struct sf_tape *t, const struct sf_prog *p, const char *name,
		    const struct sf_settings *set, struct sf_error *err)
{
	t->nr = t->nr_values = 0;
	t->seen.whole = !t->opt.no_whole;
	t->ops = p->nr_ops;
	t->ended = false;
	t->why[0] = 0;
	sf_observe_begin(&t->seen);
	if (!t->opt.here)
		return run_in_worker(t, p, name, set, err);
	if (!open_exec(t, set, err))
		return false;
	run_here(t, p, name);
	return true;
}

/* --- playing --- */

static void play(const struct sf_tape *t, const struct step *s, struct sf_observer *to)
{
	const struct sf_value *v = t->v + s->first;

	for (unsigned int p = 0; p < SF_PROPERTY_COUNT; p++)
		for (uint32_t i = 0; i < s->nr[p]; i++)
			sf_observe_again(to, (enum sf_property)p, v++);
	to->short_of_memory = s->short_of_memory;
	to->was_short = s->was_short;
	to->moved = s->moved;
	to->tainted = s->tainted;
	to->faults = s->faults;
	to->asking = s->asking;
	to->asked = s->asked;
}

/* There is a step for the end, which may have come to grief itself. */
static bool has_end(const struct sf_tape *t)
{
	return t->ended || t->nr > t->ops;
}

uint32_t sf_tape_steps(const struct sf_tape *t)
{
	return t->nr - has_end(t);
}

bool sf_tape_play(const struct sf_tape *t, uint32_t nr, struct sf_observer *to,
		  struct sf_outcome *out)
{
	uint32_t steps = sf_tape_steps(t);

	if (nr == SF_NONE && has_end(t))
		nr = steps;
	else if (nr >= steps)
		return false;
	play(t, &t->step[nr], to);
	*out = t->step[nr].out;
	return nr + 1 < t->nr && out->status != SF_BLOCKED;
}
