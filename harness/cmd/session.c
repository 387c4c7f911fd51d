// SPDX-License-Identifier: MIT
/*
 * session.c - session.h: steps through a program or a recording, listens to every event on its
 * way to the judge, and holds what happened against what the text or the recording says should
 * have.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../exec/worker.h"
#include "../fuzz/apart.h"
#include "../fuzz/worker_end.h"
#include "cmd.h"
#include "session.h"
#include "shape.h"

struct sf_session {
	const struct sf_allocator *allocator;
	const struct sf_session_options *opt;
	struct sf_results *results;
	struct sf_judge *judge;
	struct sf_exec *exec; /* NULL until the first program says what heap it wants */
	struct sf_worker *worker; /* the same; in its place where work is done in a worker */
	struct sf_settings settings; /* of its heap */
	struct sf_shape shape;
	struct sf_counted counted;
	uint64_t events;

	/* The program in hand. */
	const struct sf_prog *prog;   /* NULL: a recording */
	uint32_t op;                  /* being carried out; SF_NONE: none */
	uint32_t next;                /* first whose expectation was not held against anything */
	uint32_t first;               /* violations found before it */
	struct sf_exec_counts counts; /* when it was over */
	struct sf_crash crash;        /* the last one, and its report */
	char *report;
	uint64_t no_cap;              /* so far: skipped because the allocator cannot */

	/* The recording in hand. */
	const struct sf_op *trace_op;
	const struct sf_trace_record *record;
	struct sf_place place;        /* of the last object that came */
	uint64_t addr;
	bool allocated;               /* the current step gave an ALLOC event */
	bool stopped;                 /* by an operation that blocked */
	bool lines;                   /* its events are told by line */
};

static void listen(void *ctx, const struct sf_event *ev)
{
	struct sf_session *s = ctx;

	s->events++;
	if (ev->type == SF_EV_ALLOC) {
		s->allocated = true;
		s->addr = ev->alloc.addr;
		s->place = ev->alloc.place;
	} else {
		sf_shape_event(&s->shape, ev);
	}
	if (s->opt->tap)
		s->opt->tap->event(s->opt->tap->ctx, ev);
	sf_judge_event(s->judge, ev);
}

/* The operation as the program's text has it, without its comment. */
static char *op_text(const struct sf_prog *p, uint32_t op)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return sf_strdup("");
	sf_text_write_op(p, op, f);
	fclose(f);
	text[strcspn(text, "\n")] = 0;
	/* An expectation is shown apart. */
	if (p->ops[op].expect && strstr(text, "  # "))
		*strstr(text, "  # ") = 0;
	return text;
}

/* Recordings have no text of their own: the operation, and the numbers that matter. */
static char *trace_text(uint8_t code, uint64_t size)
{
	const char *name = sf_op_table[code].name;

	if (size)
		return sf_sprintf("%s(%" PRIu64 ")", name ? name : "?", size);
	return sf_sprintf("%s()", name ? name : "?");
}

static void tap_op(struct sf_session *s, const struct sf_op *o)
{
	const struct sf_session_tap *tap = s->opt->tap;
	char *text = NULL;

	if (o && !s->prog)
		text = trace_text(o->code, o->size);
	else if (o && !tap->lines)
		text = op_text(s->prog, s->op);
	tap->op(tap->ctx, s->op, text || !o ? text : tap->lines[s->op]);
	free(text);
}

/* The results say at any time where the work is: it may end there. */
static void at(struct sf_session *s, uint32_t op)
{
	struct sf_results *r = s->results;
	const struct sf_op *o = op == SF_NONE ? NULL : s->prog ? &s->prog->ops[op] : s->trace_op;

	s->op = op;
	r->now.op = op;
	r->now.line = s->prog && o ? o->line : s->record && s->lines ? s->record->line : 0;
	r->now.code = o ? o->code : 0;
	r->now.size = o ? o->size : 0;
	if (s->opt->tap)
		tap_op(s, o);
	sf_apart_step(true);
}

void sf_session_where(const struct sf_results *r, const struct sf_prog *p, struct sf_found *where)
{
	*where = (struct sf_found){ .op = r->now.op };
	if (r->now.op == SF_NONE)
		return;
	where->line = r->now.line;
	if (!p)
		where->text = trace_text(r->now.code & SF_CODE_MAX, r->now.size);
	else if (r->now.op < p->nr_ops)
		where->text = op_text(p, r->now.op);
}

static void on_violation(void *ctx, const struct sf_violation *v)
{
	struct sf_session *s = ctx;
	struct sf_found where = { .op = v->op };

	if (s->opt->tap)
		s->opt->tap->violation(s->opt->tap->ctx, v);
	if (s->op != SF_NONE && (s->prog || s->trace_op))
		sf_session_where(s->results, s->prog, &where);
	sf_results_found(s->results, v, &where);
}

struct sf_session *sf_session_create(const struct sf_allocator *a,
				     const struct sf_session_options *opt, struct sf_results *r)
{
	struct sf_session *s = sf_grow(NULL, 1, sizeof(*s));
	struct sf_judge_options judge = { .only = opt->only, .violation = on_violation, .ctx = s };

	*s = (struct sf_session){ .allocator = a, .opt = opt, .results = r, .op = SF_NONE };
	s->judge = sf_judge_create(&judge);
	return s;
}

void sf_session_destroy(struct sf_session *s)
{
	sf_apart_step(true);
	if (s->exec)
		sf_exec_destroy(s->exec);
	sf_apart_step(false);
	sf_worker_close(s->worker);
	free(s->report);
	sf_judge_destroy(s->judge);
	sf_shape_free(&s->shape);
	free(s);
}

static void fail(struct sf_session *s, char *why)
{
	sf_results_last(s->results)->error = sf_results_keep(s->results, why);
}

/* Settings with the user's on top. False: they contradict each other, error is set. */
static bool override(struct sf_session *s, struct sf_settings *set)
{
	const char *fault = sf_overrides_apply(&s->opt->overrides, set);

	if (!fault)
		return true;
	sf_say("%s: %s", sf_results_last(s->results)->file, fault);
	fail(s, sf_strdup(fault));
	s->results->status = SF_EXIT_BAD;
	return false;
}

/*
 * An executor whose heap has the program's settings, with the user's on top. False: error is set.
 */
static bool prepare(struct sf_session *s, const struct sf_settings *set, bool recording)
{
	struct sf_exec_options exec = s->opt->exec;
	struct sf_settings want = *set;
	struct sf_error err = { "" };

	if (!override(s, &want))
		return false;
	if (exec.walk_every == SF_WALK_UNSAID)
		exec.walk_every = recording ? SF_REPLAY_WALK_EVERY : 0;
	if (s->exec && !recording && !memcmp(&want, &s->settings, sizeof(want)))
		return true;
	if (s->exec)
		sf_exec_destroy(s->exec);
	s->exec = sf_exec_create(s->allocator, &want, &exec, listen, s, &err);
	s->settings = want;
	/* The next program must not inherit a recording's options. */
	if (recording)
		memset(&s->settings, 0, sizeof(s->settings));
	if (s->exec)
		return true;
	fail(s, sf_strdup(err.text));
	s->results->status = SF_EXIT_BAD;
	return false;
}

static void miss(struct sf_session *s, uint32_t op, const char *got)
{
	const struct sf_op *o = &s->prog->ops[op];
	const struct sf_missed m = {
		.op = op,
		.line = o->line,
		.text = op_text(s->prog, op),
		.expected = sf_strdup(sf_prog_str(s->prog, o->expect)),
		.got = sf_strdup(got),
	};

	sf_results_missed(s->results, &m);
}

/* An expected violation is no violation: it leaves the list. */
static bool expected_violation(struct sf_session *s, const char *id, uint32_t first)
{
	struct sf_results *r = s->results;
	bool seen = false;

	for (uint32_t i = r->nr_found; i-- > first;) {
		if (strcmp(sf_invariants[r->found[i].invariant].id, id))
			continue;
		sf_results_unfound(r, i);
		seen = true;
	}
	return seen;
}

/* After operation `op`. */
static void hold_expectation(struct sf_session *s, uint32_t op, const struct sf_outcome *out)
{
	const char *text = sf_prog_str(s->prog, s->prog->ops[op].expect);
	char expect[SF_STRING_MAX + 1], got[160];
	bool held;
	int shape;

	if (!*text)
		return;
	if (!sf_expect_applies(text, s->allocator->caps, expect)) {
		sf_results_last(s->results)->unjudged++;
		return;
	}
	if (!strncmp(expect, "violation ", 10)) {
		held = expected_violation(s, expect + 10, s->first);
		snprintf(got, sizeof(got), "no violation of %s", expect + 10);
	} else if (s->prog->ops[op].code == SF_OP_CHECK) {
		shape = s->shape.valid ?
				sf_shape_check(&s->shape, expect, got, sizeof(got)) : -1;
		if (shape < 0) {
			sf_results_last(s->results)->unjudged++;
			return;
		}
		held = shape;
	} else if (out->skipped && (s->no_cap || !(s->allocator->caps & SF_CAP_KMALLOC))) {
		/*
		 * For lack of it, or of what an operation gives that it cannot do; or of an object
		 * that a stranger's heap has no room for.
		 */
		sf_results_last(s->results)->unjudged++;
		return;
	} else {
		held = !out->skipped && !strcmp(expect, sf_status_name(out->status));
		snprintf(got, sizeof(got), "%s",
			 out->skipped ? "skipped" : sf_status_name(out->status));
	}
	if (held)
		sf_results_last(s->results)->held++;
	else
		miss(s, op, got);
}

static void count_trial(struct sf_session *s, struct sf_trial *t, uint64_t events)
{
	sf_results_count(s->results, s->judge, s->allocator->name, &s->counted);
	t->operations = s->counts.ops;
	t->events = s->events - events;
	for (int i = 0; i < SF_SKIP_REASONS; i++)
		t->skipped += s->counts.skipped[i];
}

/* --- the two sources of a program's events --- */

/* The operation is over, its events have come. */
static void after(struct sf_session *s, uint32_t op, const struct sf_outcome *out, uint64_t no_cap)
{
	s->no_cap = no_cap;
	hold_expectation(s, op, out);
	s->next = op + 1;
	s->first = s->results->nr_found;
}

static bool run_here(struct sf_session *s, const char *file, const struct sf_prog *p)
{
	bool going = true;

	if (!prepare(s, &p->settings, false))
		return false;
	sf_exec_begin(s->exec, file);
	for (uint32_t op = 0; op < p->nr_ops && going; op++) {
		at(s, op);
		going = sf_exec_step(s->exec, &p->ops[op], p->strings);
		sf_exec_counts(s->exec, &s->counts);
		after(s, op, sf_exec_outcome(s->exec), s->counts.skipped[SF_SKIP_NO_CAP]);
	}
	at(s, SF_NONE);
	sf_exec_end(s->exec);
	sf_exec_counts(s->exec, &s->counts);
	return true;
}

/* Nothing of the allocator's runs in this process. */
static void hear(void *ctx, const struct sf_event *ev)
{
	struct sf_session *s = ctx;
	uint32_t op = s->prog && ev->op < s->prog->nr_ops ? ev->op : SF_NONE;

	if (op != s->op)
		at(s, op);
	sf_apart_step(false);
	if (ev->type == SF_EV_CRASH)
		s->first = s->results->nr_found;
	listen(s, ev);
}

static void hear_step(void *ctx, const struct sf_worker_step *step)
{
	struct sf_session *s = ctx;

	at(s, step->op);
	sf_apart_step(false);
	after(s, step->op, &step->outcome, step->no_cap);
}

static void crash_title(void *ctx, const struct sf_worker_end *end, char title[SF_CRASH_TITLE_MAX])
{
	struct sf_session *s = ctx;

	_Static_assert(sizeof(s->crash.title) == SF_CRASH_TITLE_MAX, "as long as an oracle's");
	free(s->report);
	s->report = sf_crash_symbolize(end->text);
	sf_worker_crash(end, s->report ? s->report : end->text, &s->crash);
	memcpy(title, s->crash.title, SF_CRASH_TITLE_MAX);
}

/* A crash is listed as one, with its report, and not as what the judge made of its event. */
static void take_crash(struct sf_session *s, const struct sf_worker_end *end)
{
	struct sf_found where = { .op = SF_NONE };

	while (s->results->nr_found > s->first)
		sf_results_unfound(s->results, s->results->nr_found - 1);
	memcpy(s->crash.title, end->title, sizeof(s->crash.title));
	at(s, end->op);
	sf_apart_step(false);
	sf_session_where(s->results, s->prog, &where);
	sf_results_crashed(s->results, &s->crash, s->report && *s->report ? s->report : end->why,
			   &where);
	s->counts.ops = end->op == SF_NONE ? 0 : end->op + 1;
}

static void hear_over(void *ctx, uint32_t job, const struct sf_worker_end *end)
{
	struct sf_session *s = ctx;

	(void)job;
	s->counts = end->counts;
	if (end->fate == SF_FATE_NO_HEAP) {
		fail(s, sf_strdup(end->why));
		s->results->status = SF_EXIT_BAD;
	} else if (end->fate != SF_FATE_DONE && !end->refusal) {
		take_crash(s, end);
	}
}

static struct sf_worker *open_worker(struct sf_session *s, const struct sf_settings *set,
				     struct sf_error *err)
{
	struct sf_worker_options opt = {
		.exec = s->opt->exec,
		.fork = s->opt->worker == SF_WORKER_PROGRAM ||
			s->opt->worker == SF_WORKER_UNSAID ? SF_FORK_PROGRAM : SF_FORK_NONE,
		.timeout_ms = s->opt->timeout_ms,
		.memory_bytes = s->opt->memory_bytes,
		.emit = hear, .step = hear_step, .over = hear_over, .inside = sf_worker_speaks,
		.title = crash_title, .ctx = s,
	};

	if (opt.exec.walk_every == SF_WALK_UNSAID)
		opt.exec.walk_every = 0;
	return sf_worker_open(s->allocator, set, &opt, err);
}

static bool run_in_worker(struct sf_session *s, const char *file, const struct sf_prog *p)
{
	struct sf_settings want = p->settings;
	const struct sf_worker_job job = { .prog = p, .settings = &want, .name = file };
	struct sf_error err = { "" };

	if (!override(s, &want))
		return false;
	sf_apart_step(false);
	if (!s->worker)
		s->worker = open_worker(s, &want, &err);
	if (s->worker && sf_worker_run(s->worker, &job, 1, &err))
		return true;
	sf_worker_close(s->worker);
	s->worker = NULL;
	sf_say("%s: %s: %s", sf_results_last(s->results)->file, s->allocator->name, err.text);
	fail(s, sf_strdup(err.text));
	s->results->status = SF_EXIT_BAD;
	return false;
}

/* Strangers' code is kept apart if the user does not say. */
static bool uses_worker(const struct sf_session *s)
{
	return s->opt->worker == SF_WORKER_UNSAID ? s->allocator->instance != NULL :
						    s->opt->worker != SF_WORKER_NO;
}

void sf_session_program(struct sf_session *s, const char *file, const struct sf_prog *p)
{
	struct sf_trial *t = sf_results_trial(s->results, file, s->allocator->name);
	uint64_t events = s->events;
	bool ran;

	s->prog = p;
	s->next = 0;
	s->first = s->results->nr_found;
	s->counts = (struct sf_exec_counts){ .ops = 0 };
	at(s, SF_NONE);
	ran = uses_worker(s) ? run_in_worker(s, file, p) : run_here(s, file, p);
	at(s, SF_NONE);
	sf_apart_step(false);
	for (; ran && s->next < p->nr_ops; s->next++)
		t->unjudged += p->ops[s->next].expect != 0;
	if (ran)
		count_trial(s, t, events);
	s->prog = NULL;
}

static const char *cache_name(const struct sf_session *s, uint32_t cache)
{
	for (uint32_t i = 0; i < s->shape.nr_names; i++)
		if (s->shape.names[i].cache == cache)
			return s->shape.names[i].name;
	return s->place.kind == SF_PLACE_LARGE ? "pages" : "no cache";
}

/*
 * The kernel's bytes_alloc against the stride of the cache, or the size of the block, in which the
 * allocator's own descriptors find the object. A request of 0 bytes has neither.
 */
static void hold_record(struct sf_session *s, struct sf_replay *p)
{
	const struct sf_trace_record *rec = s->record;
	bool named = rec->kind == SF_TRACE_CACHE_ALLOC;
	struct sf_agreement *a = named ? &p->named : &p->kmalloc;
	uint64_t given = 0;

	if (!rec->ptr || !s->allocated)
		return;
	a->total++;
	if (!s->addr)
		p->nulls++;
	else if (s->place.kind == SF_PLACE_SLAB || s->place.kind == SF_PLACE_LARGE)
		given = s->place.stride;
	if (s->addr && given == rec->bytes_alloc) {
		a->agree++;
		return;
	}
	if (p->nr_shown == SF_DISAGREEMENTS_SHOWN)
		return;
	p->shown[p->nr_shown] = sf_results_keep(s->results,
		sf_sprintf("%s:%s%" PRIu64 ": %s of %" PRIu64 " bytes: recorded bytes_alloc=%"
			   PRIu64 ", the model gives %" PRIu64 " (%s)",
			   sf_results_last(s->results)->file, s->lines ? "" : " event ", rec->line,
			   named ? rec->cache : "kmalloc", rec->bytes_req, rec->bytes_alloc, given,
			   s->addr ? cache_name(s, s->place.cache) : "NULL"));
	p->nr_shown++;
}

static bool on_operation(void *ctx, const struct sf_op *op, const char *strings,
			 const struct sf_trace_record *rec)
{
	struct sf_session *s = ctx;
	struct sf_replay *p = sf_results_last(s->results)->replay;
	bool going;

	s->trace_op = op;
	s->record = rec;
	at(s, s->op + 1); /* from SF_NONE: the first is 0 */
	s->allocated = false;
	going = sf_exec_step(s->exec, op, strings);
	if (rec && (rec->kind == SF_TRACE_KMALLOC || rec->kind == SF_TRACE_CACHE_ALLOC))
		hold_record(s, p);
	if (!going)
		s->stopped = true;
	if (!(s->op & 0xffff) && isatty(sf_apart_messages()))
		dprintf(sf_apart_messages(), "\r%u operations", s->op);
	return going;
}

/* 100 % of what was replayed is worth nothing if something was not. */
static void hold_replay(struct sf_session *s, const struct sf_trial *t)
{
	const struct sf_trace_counts *c = &t->replay->counts;
	uint64_t due = c->kmalloc + c->cache_alloc - c->failed - c->alloc_no_ptr -
		       c->alloc_too_large;
	uint64_t done = t->replay->kmalloc.total + t->replay->named.total;

	if (s->stopped)
		fail(s, sf_sprintf("an operation blocked: %" PRIu64 " of %" PRIu64
				   " allocations were replayed", done, due));
	else if (done != due && !c->calls)
		fail(s, sf_sprintf("%" PRIu64 " of %" PRIu64 " allocations were replayed", done,
				   due));
}

/* Both passes over the recording. False: `err` says why. */
static bool replay(struct sf_session *s, struct sf_trace *tr, struct sf_error *err)
{
	struct sf_import_options opt = {
		.kernel_words = !(s->allocator->caps & SF_CAP_MALLOC),
		.op = on_operation, .ctx = s,
	};
	struct sf_trial *t = sf_results_last(s->results);
	struct sf_trace_scan *scan = sf_trace_scan(tr, err);
	bool fine = false;

	if (!scan)
		return false;
	t->replay->format = sf_results_keep(s->results, sf_strdup(sf_trace_format(tr)));
	at(s, SF_NONE);
	if (!sf_trace_rewind(tr, err) && prepare(s, sf_trace_scan_settings(scan), true)) {
		t->replay->hashed = sf_trace_hashed(tr);
		sf_exec_begin(s->exec, t->file);
		fine = sf_trace_import(tr, scan, &opt, &t->replay->counts, err) >= 0;
		s->record = NULL;
		at(s, SF_NONE);
		sf_exec_end(s->exec);
		if (isatty(sf_apart_messages()))
			dprintf(sf_apart_messages(), "\r%*s\r", 30, "");
	}
	sf_apart_step(false);
	sf_trace_scan_free(scan);
	return fine;
}

void sf_session_recording(struct sf_session *s, const char *name, const char *const *paths,
			  unsigned int nr)
{
	struct sf_trial *t = sf_results_trial(s->results, name, s->allocator->name);
	uint64_t events = s->events;
	struct sf_error err = { "" };
	struct sf_trace *tr;
	int status = SF_EXIT_BAD;

	s->prog = NULL;
	s->trace_op = NULL;
	s->record = NULL;
	s->op = SF_NONE;
	s->stopped = false;
	s->lines = nr == 1;
	tr = sf_trace_open_files(paths, nr, &err, &status);
	if (!tr) {
		sf_say("%s", err.text);
		fail(s, sf_strdup("cannot be opened"));
		t->said = true;
		s->results->status = status;
		return;
	}
	sf_trace_set_hints(tr, &s->opt->hints);
	t->replay = sf_results_alloc(s->results, sizeof(*t->replay));
	*t->replay = (struct sf_replay){ 0 };
	if (!replay(s, tr, &err) && !t->error) {
		sf_say("%s", err.text);
		fail(s, sf_strdup(err.text));
		t->said = true;
		s->results->status = SF_EXIT_BAD;
	} else if (!t->error) {
		hold_replay(s, t);
	}
	sf_results_remarks(s->results, t->replay, tr);
	if (s->exec) {
		sf_exec_counts(s->exec, &s->counts);
		count_trial(s, t, events);
	}
	sf_trace_close(tr);
}
