/* SPDX-License-Identifier: MIT */
/*
 * rig.h - what an input runs on: an allocator's heap under the judge, alone or in lockstep with
 * partners (SLABFUZZ_LOCKSTEP). Relies on the executor, the judge and lockstep.h; fuzz.c keeps some
 * of them.
 */
#ifndef SLABFUZZ_RIG_H
#define SLABFUZZ_RIG_H

#include "../../oracles/oracle.h"
#include "../lockstep/lockstep.h"

/* Whom a rig calls. */
struct sf_rig_hooks {
	/* What the allocator tells, for `judge`; what a partner does, with NULL for one. */
	void (*event)(void *judge, const struct sf_event *ev);
	struct sf_judge_options judging;
	void (*diverged)(void *ctx, const struct sf_divergence *d);
};

/* Zeroed it is closed. */
struct sf_rig {
	struct sf_judge *judge; /* NULL: it is closed */
	struct sf_exec *exec;   /* alone; else NULL */
	struct sf_lockstep *lockstep;
	const struct sf_members *on; /* the allocator first; more: these are its partners */
	const struct sf_rig_hooks *hooks;
	struct sf_settings set[SF_MEMBERS_MAX];
};

/*
 * Fresh heaps with these settings, whatever it had; `on` and `hooks` outlive it. False with one
 * line in `err`: it is closed.
 */
bool sf_rig_open(struct sf_rig *r, const struct sf_members *on, const struct sf_settings *set,
		 const struct sf_rig_hooks *hooks, struct sf_error *err);
/* Nothing is left in it from the start: closing may crash, and is not tried again. */
void sf_rig_close(struct sf_rig *r);
/*
 * A program whose settings are those that it was opened with. Alone it may have `touch_max` bytes
 * zeroed and copied (exec.h), in lockstep the usual number.
 */
void sf_rig_run(struct sf_rig *r, const struct sf_prog *p, enum sf_end end, uint64_t touch_max);
enum { SF_RIG_TOUCH_MAX = 64 << 20 };
/* From the midst of a run: the operation in hand is finished, and no other. */
void sf_rig_stop(struct sf_rig *r);

#endif
