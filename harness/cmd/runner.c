// SPDX-License-Identifier: MIT
/*
 * runner.c - runner.h: one way for programs and recordings.
 */
#include <inttypes.h>

#include "cmd.h"
#include "runner.h"

struct run {
	const struct sf_runner *of;
	const char *file;
	struct sf_exec *exec;
	uint64_t steps;
};

static int start(struct run *r, const struct sf_settings *wanted)
{
	static const struct sf_exec_options how = { .end = SF_END_PLAIN };
	struct sf_settings set = *wanted;
	struct sf_error err = { "" };
	const char *fault = sf_overrides_apply(r->of->overrides, &set);

	if (fault)
		return sf_bad("%s: %s", r->file, fault);
	r->exec = sf_exec_create(r->of->allocator, &set, &how, r->of->emit, r->of->ctx, &err);
	if (!r->exec)
		return sf_bad("%s: %s: %s", r->file, r->of->allocator->name, err.text);
	sf_exec_begin(r->exec, r->file);
	if (r->of->at_begin)
		r->of->at_begin(r->of->ctx);
	return 0;
}

static bool step(struct run *r, const struct sf_op *op, const char *strings)
{
	if (r->of->stop_at && r->steps == r->of->stop_at)
		return false;
	if (r->of->step ? !r->of->step(r->of->step_ctx, r->exec, op, strings) :
			  !sf_exec_step(r->exec, op, strings))
		return false;
	r->steps++;
	if (r->of->look_every && r->steps % r->of->look_every == 0)
		r->of->look(r->of->look_ctx, r->exec, r->of->allocator);
	return true;
}

static void finish(struct run *r)
{
	if (r->of->at_end)
		r->of->at_end(r->of->ctx, r->exec, r->of->allocator);
	sf_exec_end(r->exec);
	sf_exec_destroy(r->exec);
}

static bool replay_op(void *ctx, const struct sf_op *op, const char *strings,
		      const struct sf_trace_record *rec)
{
	(void)rec;
	return step(ctx, op, strings);
}

static int run_recording(struct run *r, const struct sf_input *in)
{
	struct sf_import_options opt = {
		.kernel_words = !(r->of->allocator->caps & SF_CAP_MALLOC),
		.op = replay_op, .ctx = r,
	};
	struct sf_trace_counts counts = { 0 };
	struct sf_error err = { "" };
	struct sf_trace_scan *scan;
	int status;
	struct sf_trace *tr = sf_input_trace(in, &status);

	if (!tr)
		return status;
	scan = sf_trace_scan(tr, &err);
	if (!scan || sf_trace_rewind(tr, &err))
		status = sf_bad("%s", err.text);
	else
		status = start(r, sf_trace_scan_settings(scan));
	if (!status) {
		if (sf_trace_import(tr, scan, &opt, &counts, &err) < 0)
			status = sf_bad("%s", err.text);
		finish(r);
	}
	sf_trace_scan_free(scan);
	sf_trace_close(tr);
	return status;
}

int sf_runner_run(const struct sf_runner *runner, const struct sf_input *in,
		  const struct sf_prog *prog)
{
	struct run r = { .of = runner, .file = in->name };
	int status;

	if (in->kind == SF_INPUT_TRACE)
		return run_recording(&r, in);
	status = start(&r, &prog->settings);
	if (status)
		return status;
	for (uint32_t i = 0; i < prog->nr_ops; i++)
		if (!step(&r, &prog->ops[i], prog->strings))
			break;
	finish(&r);
	return 0;
}
