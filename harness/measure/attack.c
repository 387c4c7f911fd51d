// SPDX-License-Identifier: MIT
/*
 * attack.c - attack.h: each scenario's program is run in this process, and what it reached counted.
 */
#include "attack.h"

#include <stdio.h>
#include <string.h>

#include "../exec/exec.h"

struct lab {
	const struct sf_attack_options *opt;
	struct sf_scene *scene;
	struct sf_prog prog;
	struct sf_exec *exec;
	/* what the last misuse reached */
	bool attacked, noticed;
	uint32_t reached;
};

static void listen(void *ctx, const struct sf_event *ev)
{
	struct lab *l = ctx;

	if (ev->type != SF_EV_ATTACK)
		return;
	l->attacked = true;
	l->noticed = ev->attack.noticed;
	l->reached = ev->attack.reached;
}

static void count(const struct lab *l, struct sf_attack_result *r)
{
	if (!l->attacked) {
		r->left_out++;
		return;
	}
	r->trials++;
	r->noticed += l->noticed;
	for (unsigned int i = 0; i < SF_REACHES; i++)
		r->reached[i] += l->reached >> i & 1;
}

static void run_scenario(struct lab *l, enum sf_scenario what, uint32_t trial)
{
	bool going = true;

	sf_scene_build(l->scene, what, trial, &l->prog);
	l->attacked = false;
	sf_exec_begin(l->exec, sf_scenarios[what].name);
	for (uint32_t i = 0; i < l->prog.nr_ops && going; i++)
		going = sf_exec_step(l->exec, &l->prog.ops[i], l->prog.strings);
	sf_exec_end(l->exec);
}

/* One trial of each scenario, on a heap that this trial's seed decides. */
static bool run_trial(struct lab *l, uint32_t trial, struct sf_attack_result *result,
		      struct sf_error *err)
{
	static const struct sf_exec_options how = { .end = SF_END_PLAIN, .contents = true };
	struct sf_settings set = l->opt->settings;

	set.misuse = 1;
	set.seed = l->opt->seed * 1000003 + trial;
	l->exec = sf_exec_create(l->opt->allocator, &set, &how, listen, l, err);
	if (!l->exec)
		return false;
	for (unsigned int s = 0; s < SF_SCENARIO_COUNT; s++) {
		if (!(sf_scenarios[s].use & SF_FOR_REACH))
			continue;
		run_scenario(l, s, trial);
		count(l, &result[s]);
	}
	sf_exec_destroy(l->exec);
	return true;
}

static bool run_trials(struct lab *l, struct sf_attack_result *result, struct sf_error *err)
{
	bool fine = true;

	for (uint32_t i = 0; fine && i < l->opt->trials; i++)
		fine = run_trial(l, i, result, err);
	return fine;
}

bool sf_attack_run(const struct sf_attack_options *opt,
		   struct sf_attack_result result[SF_SCENARIO_COUNT], struct sf_error *err)
{
	const struct sf_scene_options scene = { .caps = opt->allocator->caps,
						.settings = opt->settings, .bytes = opt->bytes,
						.seed = opt->seed, .layout = opt->layout };
	struct lab l = { .opt = opt };
	bool fine;

	memset(result, 0, SF_SCENARIO_COUNT * sizeof(*result));
	if (!(opt->allocator->caps & SF_CAP_MISUSE)) {
		snprintf(err->text, sizeof(err->text), "%s cannot be misused: it has no 'misuse'",
			 opt->allocator->name);
		return false;
	}
	l.scene = sf_scene_create(&scene);
	if (!l.scene)
		return false;
	sf_prog_init(&l.prog);
	fine = run_trials(&l, result, err);
	sf_prog_free(&l.prog);
	sf_scene_destroy(l.scene);
	return fine;
}
