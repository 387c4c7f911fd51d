// SPDX-License-Identifier: MIT
/*
 * inject.c - inject.h. How many allocations can fail is found by trying: the last run of a kind is
 * the one in which the failure was still waiting when the program ended.
 */
#include "inject.h"

#include <stdio.h>
#include <string.h>

#include "../exec/exec.h"

_Static_assert(SF_INJECT_SLAB == (int)SF_FAULT_SLAB && SF_INJECT_PAGE == (int)SF_FAULT_PAGE,
	       "kinds of failures are kinds of injections");

const char *const sf_injection_names[SF_INJECTION_KINDS] = {
#define X(id, name, doc) [SF_INJECT_##id] = name,
	SF_INJECTIONS(X)
#undef X
};

struct run {
	const struct sf_inject_options *opt;
	struct sf_inject_result *result;
	struct sf_judge *judge;
	struct sf_exec *exec;
	struct sf_injection at;
	bool armed, fired;
};

static void listen(void *ctx, const struct sf_event *ev)
{
	struct run *r = ctx;

	if (ev->type == SF_EV_FAULT && r->armed) {
		r->fired = true;
		r->at.op = ev->op;
	}
	sf_judge_event(r->judge, ev);
}

static void found(void *ctx, const struct sf_violation *v)
{
	struct run *r = ctx;

	r->result->violations++;
	r->opt->found(r->opt->ctx, &r->at, v);
}

/* The whole program, with one failure to come if `armed`: then there are none of its own. */
/* What a program says of failures is left out where one is injected. */
static bool left_out(const struct run *r, const struct sf_op *op)
{
	return r->armed && (op->code == SF_OP_FAIL || op->code == SF_OP_FAULT_ATTR);
}

static void set_outage(struct run *r, bool on)
{
	const struct sf_fault_attr attr = { .probability = on ? 100 : 0, .times = UINT64_MAX,
					    .wait = true };

	r->opt->allocator->fault_attr(sf_exec_heap(r->exec), SF_FAULT_PAGE, &attr);
}

static bool step(struct run *r, const struct sf_prog *p, uint32_t i)
{
	const struct sf_op nothing = sf_op_make(SF_OP_NOP), *op = &p->ops[i];
	bool outage = r->armed && r->at.kind == SF_INJECT_OUTAGE && r->at.nth == i + 1ull, more;

	if (outage)
		set_outage(r, true);
	more = sf_exec_step(r->exec, left_out(r, op) ? &nothing : op, p->strings);
	if (outage)
		set_outage(r, false);
	return more;
}

static void run_once(struct run *r, const struct sf_prog *p, const char *name)
{
	struct sf_exec_counts counts;

	r->fired = false;
	r->at.op = SF_NONE;
	sf_exec_begin(r->exec, name);
	if (r->armed && r->at.kind < SF_FAULTS)
		r->opt->allocator->fail(sf_exec_heap(r->exec), r->at.kind, r->at.nth - 1);
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (!step(r, p, i))
			break;
	sf_exec_end(r->exec);
	sf_exec_counts(r->exec, &counts);
	r->result->operations += counts.ops;
}

static void run_kind(struct run *r, enum sf_fault kind, const struct sf_prog *p, const char *name)
{
	r->armed = true;
	for (uint64_t nth = 1; !r->opt->max || nth <= r->opt->max; nth++) {
		r->at = (struct sf_injection){ .kind = (uint8_t)kind, .nth = nth, .op = SF_NONE };
		run_once(r, p, name);
		if (!r->fired)
			return;
		r->result->failures[kind]++;
	}
	r->result->cut[kind] = true;
}

/* Nothing but what asks with gfp flags can be out of pages. */
static bool may_ask(const struct sf_op *op)
{
	const struct sf_arg_info *a = sf_op_table[op->code & SF_CODE_MAX].arg;

	while (a->kind != SF_ARG_END && a->kind != SF_ARG_GFP)
		a++;
	return a->kind == SF_ARG_GFP;
}

static void run_outages(struct run *r, const struct sf_prog *p, const char *name)
{
	uint64_t *failures = &r->result->failures[SF_INJECT_OUTAGE];

	r->armed = true;
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		if (!may_ask(&p->ops[i]))
			continue;
		if (r->opt->max && *failures == r->opt->max) {
			r->result->cut[SF_INJECT_OUTAGE] = true;
			return;
		}
		r->at = (struct sf_injection){ .kind = SF_INJECT_OUTAGE, .nth = i + 1ull,
					       .op = SF_NONE };
		run_once(r, p, name);
		*failures += r->fired;
	}
}

bool sf_inject_run(const struct sf_inject_options *opt, const struct sf_prog *p, const char *name,
		   struct sf_inject_result *r, struct sf_error *err)
{
	static const struct sf_exec_options how = { .end = SF_END_TEARDOWN, .contents = true };
	struct run run = { .opt = opt, .result = r };
	struct sf_judge_options judging = { .violation = found, .ctx = &run };

	memset(r, 0, sizeof(*r));
	if (~opt->allocator->caps & (SF_CAP_FAIL | SF_CAP_TRACE)) {
		snprintf(err->text, sizeof(err->text),
			 "no failure can be injected: it lacks 'fail' or 'trace'");
		return false;
	}
	run.judge = sf_judge_create(&judging);
	run.exec = sf_exec_create(opt->allocator, opt->settings, &how, listen, &run, err);
	if (run.exec) {
		run_once(&run, p, name);
		for (unsigned int kind = 0; kind < SF_FAULTS; kind++)
			run_kind(&run, kind, p, name);
		if (opt->allocator->caps & SF_CAP_FAULT_ATTR)
			run_outages(&run, p, name);
		memcpy(r->oracles, sf_judge_counts(run.judge), sizeof(r->oracles));
	}
	sf_exec_destroy(run.exec);
	sf_judge_destroy(run.judge);
	return run.exec != NULL;
}
