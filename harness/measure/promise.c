// SPDX-License-Identifier: MIT
/*
 * promise.c - promise.h: programs of scenario.c go to a worker; their events say what came of it.
 *
 * What a write reached the executor reports (exec_misuse.c). What a free reached shows when memory
 * is handed out again, to two at once: so all that is alive is known here, by its address.
 */
#include "promise.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "../exec/worker.h"
#include "../../allocators/base/grow.h"

enum {
	TIMEOUT_MS = 500,
	HANGS_MAX = 1,        /* of one scenario, in one part: the rest of it is left out */
	SPARED = 16,          /* bytes of freed memory that an allocator may need itself */
	STRANGER = 4096,      /* ids from the highest one on: no program has so many objects more */
};

#define MEMORY_BYTES (512ull << 20)
#define BIT(outcome) (1u << SF_OUTCOME_##outcome)
#define REACHES_OBJECT (1u << SF_REACH_SAME_TYPE | 1u << SF_REACH_SAME_PARTITION | \
			1u << SF_REACH_OTHER_PARTITION | 1u << SF_REACH_POINTER | \
			1u << SF_REACH_POOLED)

const struct sf_outcome_info sf_outcomes[SF_OUTCOME_COUNT] = {
#define X(id, name, claim, doc) { name, claim, doc },
	SF_OUTCOMES(X)
#undef X
};

/* An object of the program, by its id. */
struct known {
	uint64_t addr, size, usable;
	uint32_t cache, heap, res;
	uint16_t type;
	bool alive;
};

struct lab {
	const struct sf_promise_options *opt;
	struct sf_allocator allocator;
	struct sf_settings settings;
	struct sf_scene_options scene_opt;
	struct sf_scene *scene;
	struct sf_prog prog;
	struct sf_worker *worker;

	struct known *known;
	size_t cap_known;
	uint32_t nr_known;

	/* The trial in hand. */
	enum sf_scenario what;
	uint32_t mistake;     /* index of its operation */
	bool spoke;           /* before there was a mistake */
	bool attacked;
	struct known of;      /* the object that is misused */
	uint32_t of_id;
	uint32_t frees;       /* REUSE */
	uint64_t addr;        /* PLACE: of the allocation before */
	uint64_t own;         /* bytes that the allocator wrote, of those that were hit */
	struct sf_trial trial;
	uint8_t fate;         /* enum sf_worker_fate */
	char why[200];

	uint32_t surveyed;    /* SURVEY: sizes that have come */
};

/* --- what is alive --- */

static struct known *slot_of(struct lab *l, uint32_t id)
{
	l->known = sf_grow_zeroed(l->known, &l->cap_known, (size_t)id + 1, sizeof(*l->known));
	while (l->nr_known <= id)
		l->known[l->nr_known++].alive = false;
	return &l->known[id];
}

static struct known *find(struct lab *l, uint32_t id)
{
	return id < l->nr_known && l->known[id].alive ? &l->known[id] : NULL;
}

static bool overlap(const struct known *a, const struct known *b)
{
	return a->addr < b->addr + b->size && b->addr < a->addr + a->size;
}

static bool other_class(const struct known *a, const struct known *b)
{
	if (a->heap != b->heap)
		return true;
	if (a->cache != SF_NONE || b->cache != SF_NONE)
		return a->cache != b->cache;
	return a->usable && b->usable && a->usable != b->usable;
}

static void reached(struct lab *l, const struct known *victim)
{
	l->trial.what |= BIT(OBJECT);
	if (victim->heap == SF_NONE || (l->of.addr && other_class(&l->of, victim)))
		l->trial.what |= BIT(CLASS);
	if (victim->type < sf_type_count && sf_types[victim->type].pointer)
		l->trial.what |= BIT(POINTER);
}

static void noticed(struct lab *l, uint32_t op)
{
	uint32_t both = BIT(AT_ONCE) | BIT(LATER);

	if (l->trial.what & both)
		return;
	if (op == SF_NONE)
		op = l->prog.nr_ops;
	l->trial.what |= op == l->mistake ? BIT(AT_ONCE) : BIT(LATER);
	l->trial.after = op - l->mistake;
}

/* --- events --- */

static void on_place(struct lab *l, const struct sf_event *ev)
{
	if (ev->op == l->mistake) {
		l->trial = (struct sf_trial){ .ran = true, .first = ev->alloc.addr,
					      .next = ev->alloc.addr - l->addr };
	}
	l->addr = ev->alloc.addr;
}

static void on_alloc(struct lab *l, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	struct known now = { .addr = a->addr, .size = a->size ? a->size : 1, .usable = a->usable,
			     .cache = a->place.cache, .heap = a->heap, .type = a->type,
			     .res = a->res, .alive = true };

	if (ev->type == SF_EV_REALLOC && find(l, a->old_id) && a->status != SF_NULL)
		l->known[a->old_id].alive = false;
	if (a->status == SF_NOTICED && l->attacked)
		noticed(l, ev->op);
	if (a->status != SF_OK || a->id == SF_NONE)
		return;
	if (l->what == SF_SCENARIO_REUSE && l->attacked && l->trial.after == SF_NEVER &&
	    overlap(&now, &l->of))
		l->trial.after = l->frees;
	for (uint32_t i = 0; l->attacked && l->what != SF_SCENARIO_REUSE && i < l->nr_known; i++)
		if (l->known[i].alive && overlap(&now, &l->known[i]))
			reached(l, &l->known[i]);
	*slot_of(l, a->id) = now;
	if (l->what == SF_SCENARIO_PLACE)
		on_place(l, ev);
}

/* The object that is to be misused is dead from here on. */
static void on_free(struct lab *l, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;
	struct known *o = find(l, f->id);

	if (!o)
		return;
	if (l->attacked && f->bad != SF_GOOD && f->id != l->of_id && l->what != SF_SCENARIO_REUSE)
		reached(l, o);
	if (l->attacked && f->status == SF_NOTICED)
		noticed(l, ev->op);
	if (l->attacked)
		l->frees++;
	if (l->what == SF_SCENARIO_REUSE && ev->op == l->mistake) {
		l->of = *o;
		l->attacked = true;
		l->trial = (struct sf_trial){ .ran = true, .after = SF_NEVER };
	}
	if (l->mistake < l->prog.nr_ops && o->res == l->prog.ops[l->mistake].obj)
		l->of = *o;
	if (f->status != SF_NOTICED)
		o->alive = false;
}

static void on_reach(struct lab *l, const struct sf_ev_reach *r)
{
	const struct known *o = find(l, r->id);
	const struct sf_op *op = &l->prog.ops[l->mistake];

	if (!l->of.addr && op->obj != SF_NONE)
		for (uint32_t i = 0; i < l->nr_known; i++)
			if (l->known[i].alive && l->known[i].res == op->obj)
				l->of = l->known[i];
	if (1u << r->what & REACHES_OBJECT && o)
		reached(l, o);
	if (r->what == SF_REACH_OTHER_PARTITION)
		l->trial.what |= BIT(CLASS);
	if (r->what == SF_REACH_METADATA)
		l->own += r->size;
	if (r->what == SF_REACH_UNMAPPED && l->what == SF_SCENARIO_GUARD)
		l->trial.after = (uint32_t)(r->addr - (l->of.addr + l->of.size));
}

static void look_at_freed(struct lab *l, const struct sf_ev_attack *t)
{
	if (t->zero + SPARED >= t->size)
		l->trial.what |= BIT(ZEROED);
	else if (l->own + SPARED >= t->size)
		l->trial.what |= BIT(FILLED);
}

/* Memory that is no object of this allocator's is somebody's all the same. */
static void know_stranger(struct lab *l, const struct sf_ev_attack *t)
{
	struct known *o;

	if (t->code != SF_OP_WILD_FREE && t->code != SF_OP_STRANGE_FREE)
		return;
	l->of_id = l->nr_known + STRANGER;
	o = slot_of(l, l->of_id);
	*o = (struct known){ .addr = t->addr, .size = 16, .cache = SF_NONE, .res = SF_NONE,
			     .heap = SF_NONE, .alive = true };
	if (t->code == SF_OP_STRANGE_FREE)
		o->size = l->prog.ops[l->mistake].count;
}

/* The object that it is about is known by its id, so that its own bytes are none of another. */
static void on_attack(struct lab *l, const struct sf_event *ev)
{
	const struct sf_ev_attack *t = &ev->attack;

	l->attacked = l->trial.ran = true;
	know_stranger(l, t);
	for (uint32_t i = 0; t->res != SF_NONE && i < l->nr_known; i++) {
		if (!l->known[i].alive || l->known[i].res != t->res)
			continue;
		l->of = l->known[i];
		l->of_id = i;
	}
	if (t->reached & 1u << SF_REACH_METADATA)
		l->trial.what |= BIT(OWN);
	if (t->reached & 1u << SF_REACH_UNMAPPED)
		l->trial.what |= BIT(UNMAPPED);
	if (t->noticed || t->reached & 1u << SF_REACH_UNMAPPED) {
		uint32_t after = l->trial.after;

		noticed(l, l->mistake);
		l->trial.after = after;
	}
	if (l->what == SF_SCENARIO_LOOK)
		look_at_freed(l, t);
}

static void listen(void *ctx, const struct sf_event *ev)
{
	struct lab *l = ctx;

	switch (ev->type) {
	case SF_EV_ALLOC:
	case SF_EV_REALLOC:
		on_alloc(l, ev);
		break;
	case SF_EV_FREE:
		on_free(l, ev);
		break;
	case SF_EV_REACH:
		on_reach(l, &ev->reach);
		break;
	case SF_EV_ATTACK:
		on_attack(l, ev);
		break;
	case SF_EV_WARN:
		if (l->attacked)
			noticed(l, ev->op);
		break;
	default:
		break;
	}
}

/* Who speaks at each turn says nothing of the mistake. */
static void on_step(void *ctx, const struct sf_worker_step *step)
{
	struct lab *l = ctx;

	if (!step->said || l->spoke)
		return;
	if (step->op < l->mistake)
		l->spoke = true;
	else if (l->attacked)
		noticed(l, step->op);
}

/* An end that the allocator chose, as far as a stranger can tell. */
static bool is_check(const struct sf_worker_end *end)
{
	int nr = WIFSIGNALED(end->status) ? WTERMSIG(end->status) : 0;

	if (end->fate == SF_FATE_EXIT)
		return true;
	return end->fate == SF_FATE_SIGNAL &&
	       (nr == SIGABRT || nr == SIGILL || nr == SIGTRAP || nr == SIGSYS || nr == SIGKILL);
}

static void on_over(void *ctx, uint32_t job, const struct sf_worker_end *end)
{
	struct lab *l = ctx;
	uint32_t op = end->op == SF_NONE ? l->prog.nr_ops : end->op;

	(void)job;
	l->fate = end->fate;
	snprintf(l->why, sizeof(l->why), "%s", end->fate == SF_FATE_NO_HEAP ? end->why :
								      end->title);
	if (end->fate <= SF_FATE_NO_HEAP || l->mistake == SF_NONE || op < l->mistake)
		return;
	l->trial.ran = l->attacked = true;
	if (is_check(end)) {
		noticed(l, op);
	} else {
		l->trial.what |= BIT(DIED);
		if (!(l->trial.what & (BIT(AT_ONCE) | BIT(LATER))))
			l->trial.after = op - l->mistake;
	}
}

/* --- trials --- */

static bool has_seed(const struct lab *l)
{
	return l->allocator.settings >> SF_SET_seed & 1;
}

static bool run_program(struct lab *l, uint32_t trial, struct sf_error *err)
{
	struct sf_worker_job job = { .prog = &l->prog, .settings = &l->settings,
				     .name = sf_scenarios[l->what].name };

	if (has_seed(l))
		l->settings.seed = l->opt->seed * 1000003 + trial;
	l->nr_known = 0;
	l->spoke = l->attacked = false;
	l->of = (struct known){ 0 };
	l->of_id = SF_NONE;
	l->frees = 0;
	l->own = 0;
	l->trial = (struct sf_trial){ 0 };
	l->fate = SF_FATE_DONE;
	if (!sf_worker_run(l->worker, &job, 1, err))
		return false;
	if (l->fate == SF_FATE_NO_HEAP)
		snprintf(err->text, sizeof(err->text), "%.190s", l->why);
	return l->fate != SF_FATE_NO_HEAP;
}

static bool run_scenario(struct lab *l, enum sf_scenario what,
			 void (*tell)(void *ctx, enum sf_scenario what, uint32_t trial,
				      const struct sf_trial *outcome),
			 void *ctx, struct sf_error *err)
{
	uint32_t hangs = 0, to = what == SF_SCENARIO_PLACE ? l->opt->part + 1 : l->opt->trials;

	l->what = what;
	for (uint32_t i = l->opt->part; i < to; i += l->opt->parts) {
		l->trial = (struct sf_trial){ 0 };
		l->fate = SF_FATE_DONE;
		l->mistake = sf_scene_build(l->scene, what, i, &l->prog);
		if (l->mistake != SF_NONE && hangs < HANGS_MAX && !run_program(l, i, err))
			return false;
		hangs += l->fate == SF_FATE_HANG;
		tell(ctx, what, i, &l->trial);
	}
	return true;
}

/* --- the start --- */

static const uint16_t edge_sizes[SF_EDGES] = { 24, 56, 120, 248 };

static void listen_survey(struct lab *l, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;

	if (ev->type != SF_EV_ALLOC || l->surveyed >= SF_EDGES)
		return;
	if (a->status == SF_OK && a->usable >= a->size && a->usable <= 4096)
		l->scene_opt.edge[l->surveyed] = (uint16_t)a->usable;
	l->surveyed++;
}

static void listen_all(void *ctx, const struct sf_event *ev)
{
	struct lab *l = ctx;

	if (l->scene)
		listen(l, ev);
	else
		listen_survey(l, ev);
}

/* How much of an object may be used: what is written beyond that is a mistake. */
static bool survey(struct lab *l, struct sf_error *err)
{
	memcpy(l->scene_opt.edge, edge_sizes, sizeof(edge_sizes));
	l->prog.settings = l->settings;
	for (unsigned int i = 0; i < SF_EDGES; i++) {
		struct sf_op op = sf_op_make(SF_OP_KMALLOC);

		op.size = edge_sizes[i];
		op.gfp = SF_GFP_KERNEL;
		sf_prog_add(&l->prog, &op);
	}
	l->mistake = SF_NONE;
	if (!run_program(l, 0, err))
		return false;
	if (l->surveyed == SF_EDGES)
		return true;
	snprintf(err->text, sizeof(err->text), "it ends before it is misused: %.150s", l->why);
	return false;
}

static bool get_ready(struct lab *l, struct sf_error *err)
{
	const struct sf_worker_options how = {
		.exec = { .end = SF_END_PLAIN, .contents = true },
		.fork = SF_FORK_PROGRAM, .batch = 1, .timeout_ms = TIMEOUT_MS,
		.memory_bytes = MEMORY_BYTES, .emit = listen_all, .step = on_step,
		.step_said = true,
		.over = on_over, .ctx = l,
	};

	if (!sf_allocator_expend(l->opt->allocator, &l->allocator, err))
		return false;
	l->settings = l->opt->settings;
	l->settings.misuse = 1;
	l->worker = sf_worker_open(&l->allocator, &l->settings, &how, err);
	if (!l->worker || !survey(l, err))
		return false;
	l->scene_opt.caps = l->allocator.caps;
	l->scene_opt.settings = l->settings;
	l->scene_opt.bytes = l->opt->bytes;
	l->scene_opt.seed = l->opt->seed;
	l->scene_opt.layout = l->opt->layout;
	l->scene_opt.goes_on = true;
	l->scene = sf_scene_create(&l->scene_opt);
	return l->scene;
}

bool sf_promise_run(const struct sf_promise_options *opt,
		    void (*tell)(void *ctx, enum sf_scenario what, uint32_t trial,
				 const struct sf_trial *outcome),
		    void *ctx, struct sf_error *err)
{
	struct lab l = { .opt = opt };
	bool fine;

	sf_prog_init(&l.prog);
	fine = get_ready(&l, err);
	for (unsigned int s = 0; fine && s < SF_SCENARIO_COUNT; s++)
		if (sf_scenarios[s].use & SF_FOR_PROMISE)
			fine = run_scenario(&l, s, tell, ctx, err);
	sf_worker_close(l.worker);
	sf_scene_destroy(l.scene);
	sf_prog_free(&l.prog);
	free(l.known);
	return fine;
}
