// SPDX-License-Identifier: MIT
/*
 * rig.c - rig.h.
 */
#include "rig.h"

static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true,
					    .touch_max = SF_RIG_TOUCH_MAX };

static void on_member(void *ctx, uint32_t nr, const struct sf_event *ev)
{
	struct sf_rig *r = ctx;

	r->hooks->event(nr ? NULL : r->judge, ev);
}

static bool is_alone(const struct sf_members *on)
{
	return on->nr < 2;
}

/* Executor and judge keep their tables where the rig was alone before. */
static bool open_alone(struct sf_rig *r, const struct sf_settings *set, struct sf_error *err)
{
	const struct sf_allocator *a = r->on->m[0].allocator;

	if (r->exec)
		return sf_exec_open(r->exec, a, set, err);
	r->exec = sf_exec_create(a, set, &how, r->hooks->event, r->judge, err);
	return r->exec;
}

static bool open_lockstep(struct sf_rig *r, const struct sf_settings *set, struct sf_error *err)
{
	const struct sf_lockstep_options opt = {
		.exec = how, .diverged = r->hooks->diverged, .event = on_member, .ctx = r,
	};

	if (!r->lockstep)
		r->lockstep = sf_lockstep_create(r->on, &opt, err);
	return r->lockstep && sf_lockstep_settings(r->lockstep, set, NULL, r->set, err) &&
	       sf_lockstep_open(r->lockstep, r->set, err);
}

bool sf_rig_open(struct sf_rig *r, const struct sf_members *on, const struct sf_settings *set,
		 const struct sf_rig_hooks *hooks, struct sf_error *err)
{
	bool fine;

	if (r->judge && !(is_alone(r->on) && is_alone(on)) && r->on != on)
		sf_rig_close(r);
	r->on = on;
	r->hooks = hooks;
	if (!r->judge)
		r->judge = sf_judge_create(&hooks->judging);
	fine = is_alone(on) ? open_alone(r, set, err) : open_lockstep(r, set, err);
	if (!fine)
		sf_rig_close(r);
	return fine;
}

void sf_rig_close(struct sf_rig *r)
{
	struct sf_rig was = *r;

	*r = (struct sf_rig){ .judge = NULL };
	if (was.exec)
		sf_exec_destroy(was.exec);
	if (was.lockstep)
		sf_lockstep_destroy(was.lockstep);
	if (was.judge)
		sf_judge_destroy(was.judge);
}

void sf_rig_run(struct sf_rig *r, const struct sf_prog *p, enum sf_end end, uint64_t touch_max)
{
	struct sf_error err;

	if (r->lockstep) {
		sf_lockstep_set_end(r->lockstep, end);
		sf_lockstep_run(r->lockstep, p, NULL, r->set, &err);
	} else {
		sf_exec_set_end(r->exec, end);
		sf_exec_set_touch_max(r->exec, touch_max);
		sf_exec_run(r->exec, p, NULL, &err);
	}
}

void sf_rig_stop(struct sf_rig *r)
{
	if (r->lockstep)
		sf_lockstep_stop(r->lockstep);
	else
		sf_exec_stop(r->exec);
}
