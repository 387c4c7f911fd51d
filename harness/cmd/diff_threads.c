// SPDX-License-Identifier: MIT
/*
 * diff_threads.c - `slabfuzz diff --threads`: programs dealt to threads (deal.h), on each member,
 * round by round, each round another order of calls; held against the reference in order.
 *
 * The work is done in a child, until one round finds something or brings it down: then nothing of
 * that process is to be trusted, and another one goes on behind it. What is found is tried once
 * more, by itself. diff_threads_show.c shows what came of it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../fuzz/apart.h"
#include "diff_threads.h"

enum {
	FINDS_EACH = 20,     /* of a member: then it is known */
	AGAIN = 20,          /* rounds of one that runs freely */
	STEPS_MAX = 100000,
	ROOM_BYTES = 256 << 20, /* who asks for more in all is not asked whether there is more */
};

/* --- rounds --- */

void sf_rounds_init(struct sf_rounds *r, const struct sf_diff_plan *plan)
{
	*r = (struct sf_rounds){ .plan = plan, .made = UINT32_MAX };
}

void sf_rounds_free(struct sf_rounds *r)
{
	sf_deal_free(&r->deal);
	free(r->order);
}

/* In the program's own order, if it is one of threads that take turns. */
static void own_order(struct sf_rounds *r)
{
	for (uint32_t i = 0; i < r->deal.nr; i++)
		r->order[i] = i;
}

static bool next_order(struct sf_rounds *r, uint32_t nr)
{
	if (r->made == UINT32_MAX || r->made > nr) {
		sf_order_first(&r->deal, r->order);
		r->made = 0;
	}
	for (; r->made < nr; r->made++)
		if (!sf_order_next(&r->deal, r->order))
			return false;
	return true;
}

bool sf_rounds_make(struct sf_rounds *r, const struct sf_allocator *a, const struct sf_prog *p,
		    uint32_t nr)
{
	bool all = r->plan->order == SF_ORDERS_ALL;
	struct sf_rng rng;

	if (!all || r->made == UINT32_MAX)
		sf_deal(&r->deal, p, a, r->plan->threads, all ? 0 : nr);
	if (r->cap < r->deal.nr + 1) {
		r->cap = r->deal.nr + 1;
		r->order = sf_grow(r->order, r->cap, sizeof(*r->order));
	}
	if (all)
		return next_order(r, nr);
	own_order(r);
	sf_rng_seed(&rng, nr);
	if (nr && r->plan->order == SF_ORDERS_SEEDED)
		sf_order_draw(&r->deal, &rng, r->order);
	return true;
}

void sf_rounds_forget(struct sf_rounds *r)
{
	r->made = UINT32_MAX;
}

/* --- in the child --- */

struct answers {
	struct sf_answer *must, *alone;
	uint32_t cap;
};

struct work {
	struct sf_threads *t;
	struct sf_rounds rounds;
	struct sf_concurrent *reference, *on;
	struct answers answers;
	struct sf_settings set;    /* of the program in hand */
	const struct sf_prog *prog;
};

static const struct sf_allocator *member(const struct work *w)
{
	return w->t->plan->on.m[w->t->shared->at.member].allocator;
}

static bool say_why(const struct work *w, const char *why)
{
	struct sf_threads_shared *s = w->t->shared;

	snprintf(s->why, sizeof(s->why), "%.80s: %.110s",
		 w->t->plan->on.m[s->at.member].label, why);
	return false;
}

static bool open_heaps(struct work *w)
{
	struct sf_error err = { "" };

	sf_concurrent_destroy(w->on);
	sf_concurrent_destroy(w->reference);
	w->on = sf_concurrent_create(member(w), &w->set, &err);
	w->reference = w->on ? sf_concurrent_create(sf_allocator_by_name("reference"), &w->set,
						    &err) : NULL;
	return w->reference || say_why(w, err.text);
}

/* What is wrong with its settings on that member; NULL: nothing. */
static const char *take_program(struct work *w)
{
	const struct sf_diff_plan *plan = w->t->plan;
	const struct sf_threads_at *at = &w->t->shared->at;
	const char *fault;

	w->prog = sf_threads_program(w->t, at->program);
	w->set = w->prog->settings;
	fault = sf_overrides_apply(&plan->overrides, &w->set);
	return fault ? fault : sf_overrides_apply(&plan->on.m[at->member].overrides, &w->set);
}

static bool open_program(struct work *w)
{
	const struct sf_member *m = &w->t->plan->on.m[w->t->shared->at.member];
	const char *fault = take_program(w);
	struct answers *a = &w->answers;

	if (fault)
		return say_why(w, fault);
	if (a->cap < w->prog->nr_ops + 1) {
		a->cap = w->prog->nr_ops + 1;
		a->must = sf_grow(a->must, a->cap, sizeof(*a->must));
		a->alone = sf_grow(a->alone, a->cap, sizeof(*a->alone));
	}
	sf_rounds_forget(&w->rounds);
	sf_rounds_make(&w->rounds, m->allocator, w->prog, 0);
	if (w->rounds.deal.nr > STEPS_MAX)
		return say_why(w, "more than 100000 operations: too many for threads");
	if (!open_heaps(w))
		return false;
	sf_concurrent_alone(w->reference, &w->rounds.deal, w->prog, a->must);
	sf_concurrent_alone(w->on, &w->rounds.deal, w->prog, a->alone);
	return true;
}

static struct sf_concurrent_run run_of(const struct work *w)
{
	const struct sf_threads_shared *s = w->t->shared;

	return (struct sf_concurrent_run){
		.deal = &w->rounds.deal, .prog = w->prog,
		.order = w->t->plan->order == SF_ORDERS_FREE ? NULL : w->rounds.order,
		.must = w->answers.must, .alone = w->answers.alone, .seed = s->at.round,
		.enough = s->room == SF_ROOM_ENOUGH,
	};
}

/* False: this process is of no more use. */
static bool run_round(struct work *w)
{
	struct sf_threads_shared *s = w->t->shared;
	struct sf_threads_total *total = &s->total[s->at.member];
	struct sf_concurrent_run run = run_of(w);
	enum sf_ran ran;

	sf_apart_step(true);
	ran = sf_concurrent_run(w->on, &run, &s->fault, &total->calls);
	sf_apart_step(false);
	s->ran = (uint8_t)ran;
	/* Is there room? Who fills the heap to find out does so elsewhere; then it runs again. */
	if (ran == SF_RAN_SHORT && s->room == SF_ROOM_UNKNOWN)
		return false;
	total->rounds++;
	total->falls_short += ran == SF_RAN_SHORT;
	return ran == SF_RAN_WELL || ran == SF_RAN_SHORT;
}

static bool run_program(struct work *w)
{
	struct sf_threads_shared *s = w->t->shared;
	uint32_t last = s->only ? s->at.round + 1 : w->t->plan->rounds;

	/* Nobody wrote this one for that member. */
	if (s->at.program >= w->t->nr_progs && take_program(w))
		return true;
	sf_apart_step(true);
	if (!open_program(w)) {
		s->ran = SF_RAN_NOT;
		return false;
	}
	sf_apart_step(false);
	if (!s->at.round)
		s->total[s->at.member].left_out += w->rounds.deal.left_out;
	for (; s->at.round < last; s->at.round++) {
		if (!sf_rounds_make(&w->rounds, member(w), w->prog, s->at.round))
			return true;
		for (uint32_t i = 0; i < s->repeats; i++)
			if (!run_round(w))
				return false;
	}
	s->total[s->at.member].more |= w->t->plan->order == SF_ORDERS_ALL && !s->only &&
				       sf_order_next(&w->rounds.deal, w->rounds.order);
	return true;
}

/* Kept to the end of the process: what a find has ruined is not to be taken down. */
static struct work in_hand;

static void run_child(void *ctx)
{
	struct work *w = &in_hand;
	struct sf_threads_shared *s;

	w->t = ctx;
	s = w->t->shared;
	sf_rounds_init(&w->rounds, w->t->plan);
	for (; s->at.member < w->t->plan->on.nr; s->at.member++) {
		for (; s->at.program < sf_threads_programs(w->t); s->at.program++) {
			if (!run_program(w))
				return;
			s->at.round = 0;
			s->room = SF_ROOM_UNKNOWN;
			if (s->only)
				return;
			s->total[s->at.member].programs++;
		}
		s->at.program = 0;
	}
	s->done = true;
}

/* Everything that the program asks for at once, in the order of its round. */
static void ask_for_room(void *ctx)
{
	struct work *w = &in_hand;
	struct sf_threads_shared *s;
	struct sf_concurrent_run run;

	w->t = ctx;
	s = w->t->shared;
	sf_rounds_init(&w->rounds, w->t->plan);
	sf_apart_step(true);
	if (!open_program(w) ||
	    !sf_rounds_make(&w->rounds, member(w), w->prog, s->at.round))
		return;
	run = run_of(w);
	if (sf_concurrent_has_room(w->on, &run))
		s->room = SF_ROOM_ENOUGH;
}

/* --- its parent --- */

static bool apart(struct sf_threads *t, void (*work)(void *ctx), struct sf_apart_end *end)
{
	const struct sf_apart_options opt = { .seconds = t->plan->timeout, .work = work,
					      .ctx = t };

	if (sf_apart_run(&opt, end))
		return true;
	snprintf(t->shared->why, sizeof(t->shared->why), "no process to run in");
	return false;
}

static uint64_t asks_for(const struct sf_prog *p)
{
	uint64_t sum = 0, size;

	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];
		bool array = sf_op_table[op->code].flags & SF_OPF_ARRAY;

		if (op->res == SF_NONE || op->size > ROOM_BYTES || op->align > ROOM_BYTES)
			continue;
		if (__builtin_mul_overflow(array ? op->n : 1, op->size, &size))
			continue;
		if (size <= ROOM_BYTES)
			sum += size + op->align;
	}
	return sum;
}

/* A NULL: for want of memory? */
static void find_room(struct sf_threads *t)
{
	struct sf_threads_shared *s = t->shared;
	struct sf_apart_end end = { .report = NULL };

	s->room = SF_ROOM_SCARCE;
	if (asks_for(sf_threads_program(t, s->at.program)) > ROOM_BYTES)
		return;
	apart(t, ask_for_room, &end);
	free(end.report);
}

static struct sf_threads_find *add_find(struct sf_threads *t, const struct sf_apart_end *end)
{
	const struct sf_threads_shared *s = t->shared;
	const char *label = t->plan->on.m[s->at.member].label;
	struct sf_threads_find *f;

	SF_GROW(t->find, t->nr_finds, t->cap_finds);
	f = &t->find[t->nr_finds++];
	*f = (struct sf_threads_find){ .at = s->at, .fault = s->fault,
				       .crash = s->ran != SF_RAN_FAULT };
	if (f->crash) {
		snprintf(f->title, sizeof(f->title), "threads crash: %.80s: %.120s", label,
			 end->crash.title);
		f->fault = (struct sf_thread_fault){ .op = SF_NONE, .other = SF_NONE };
	} else {
		snprintf(f->title, sizeof(f->title), "threads %s: %.80s: %.100s",
			 sf_thread_rules[s->fault.rule].name, label, s->fault.what);
	}
	return f;
}

static bool is_known(const struct sf_threads *t, const struct sf_threads_find *f)
{
	for (const struct sf_threads_find *g = t->find; g < f; g++)
		if (g->at.member == f->at.member && !strcmp(g->title, f->title))
			return true;
	return false;
}

/* Once more, with nothing before it. */
static void try_again(struct sf_threads *t, struct sf_threads_find *f)
{
	struct sf_threads_shared *s = t->shared, was = *s;
	struct sf_apart_end end = { .report = NULL };

	s->at = f->at;
	s->only = true;
	s->room = was.room;
	s->repeats = t->plan->order == SF_ORDERS_FREE ? AGAIN : 1;
	s->ran = SF_RAN_WELL;
	memset(&s->fault, 0, sizeof(s->fault));
	if (apart(t, run_child, &end))
		f->again = f->crash ? end.crash.kind != SF_CRASH_NONE :
				      s->ran == SF_RAN_FAULT && s->fault.rule == f->fault.rule;
	free(end.report);
	*s = was;
}

/* What was found, and where to go on: with the next program, this one is known. */
static void note_find(struct sf_threads *t, const struct sf_apart_end *end)
{
	struct sf_threads_shared *s = t->shared;
	struct sf_threads_total *total = &s->total[s->at.member];
	struct sf_threads_find *f = add_find(t, end);

	f->known = is_known(t, f);
	total->programs++;
	if (!f->known)
		try_again(t, f);
	total->faults++;
	s->at.round = 0;
	s->room = SF_ROOM_UNKNOWN;
	s->at.program++;
	if (total->faults == FINDS_EACH) {
		total->given_up = sf_threads_programs(t) - s->at.program;
		s->at.program = 0;
		s->at.member++;
	}
}

/* False: it cannot go on; why is said. */
static bool go_on(struct sf_threads *t)
{
	struct sf_threads_shared *s = t->shared;
	struct sf_apart_end end = { .report = NULL };
	bool fine;

	s->ran = SF_RAN_WELL;
	memset(&s->fault, 0, sizeof(s->fault));
	fine = apart(t, run_child, &end);
	/* Who found something, and died of it, found it. */
	if (fine && end.crash.kind != SF_CRASH_NONE && s->fault.what[0])
		s->ran = SF_RAN_FAULT;
	if (fine && s->ran == SF_RAN_SHORT && end.crash.kind == SF_CRASH_NONE)
		find_room(t);
	else if (fine && (s->ran == SF_RAN_FAULT || end.crash.kind != SF_CRASH_NONE))
		note_find(t, &end);
	else if (!s->done && !s->why[0])
		snprintf(s->why, sizeof(s->why), "there can be no such threads");
	free(end.report);
	return fine && !s->why[0];
}

bool sf_threads_run(struct sf_threads *t, struct sf_error *err)
{
	struct sf_threads_shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool fine = true;

	if (s == MAP_FAILED)
		sf_out_of_memory();
	t->shared = s;
	s->repeats = 1;
	while (fine && !s->done && s->at.member < t->plan->on.nr)
		fine = go_on(t);
	if (!fine)
		snprintf(err->text, sizeof(err->text), "%s", s->why);
	return fine;
}
