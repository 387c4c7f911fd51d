// SPDX-License-Identifier: MIT
/*
 * cmd_run.c - `slabfuzz run`: programs and recordings on allocators, under oracles. Reads the
 * options; session.c does the work, print.c, json.c and junit.c show what came out.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../fuzz/apart.h"
#include "cmd.h"
#include "output.h"
#include "select.h"
#include "session.h"

struct plan {
	struct sf_selection on;
	struct sf_session_options session;
	const char *junit, *sarif;
	uint32_t timeout, memory;
	bool tap, ktap, annotations, json, bytes, merge, all, here;
};

static int take_oracles(void *to, const struct sf_usage *u, const char *list);

static int take_listing(void *to, const struct sf_usage *u, const char *path)
{
	(void)u;
	return sf_input_hint_file(to, path);
}

static const char *const ends[] = {
	[SF_END_PLAIN] = "plain",
	[SF_END_WALK] = "walk",
	[SF_END_TEARDOWN] = "teardown",
	NULL,
};

static const char *const workers[] = {
	[SF_WORKER_NO] = "no",
	[SF_WORKER_BATCH] = "batch",
	[SF_WORKER_PROGRAM] = "program",
	NULL,
};

static const struct sf_row rows[] = {
	SF_ALLOCATORS_ROW("NAME,…", struct plan, on,
			  "on these allocators, or all (default: baseline)"),
	SF_TRAIT_ROW(struct plan, on),
	SF_CALL('o', "oracle", "ID,…", struct plan, session.only, take_oracles,
		"judge only these invariants (MEM-1) or families (MEM)"),
	{ .letter = 'v', .name = "oracles", .kind = SF_ROW_FLAG,
	  .offset = SF_ROW_AT(struct plan, all, bool),
	  .help = "a line for each oracle; whose pages slabs got" },
	SF_SET_ROW(struct plan, session.overrides,
		   "change a heap setting, whatever the program says"),
	SF_NUMBER("walk-every", "N", struct plan, session.exec.walk_every, 0, UINT32_MAX - 1,
		  "a snapshot every N operations (recordings: 100000)"),
	SF_FLAG("whole", struct plan, session.exec.whole,
		"fill and verify large objects whole, not in samples"),
	SF_WORD("end", "HOW", struct plan, session.exec.end, ends,
		"teardown (default), walk, or plain: how a program ends"),
	SF_FLAG("bytes", struct plan, bytes,
		"take every FILE for a byte program, whatever it begins with"),
	SF_FLAG("merge", struct plan, merge, "all FILEs are one recording, merged by time"),
	SF_CALL(0, "slabinfo", "FILE", struct plan, session.hints, take_listing,
		"the recorded kernel's /proc/slabinfo, for reasons"),
	SF_WORD("worker", "HOW", struct plan, session.worker, workers,
		"no, batch, or program (libraries, plug-ins): a process for all, for each"),
	SF_NUMBER("timeout", "SECONDS", struct plan, timeout, 0, UINT32_MAX,
		  "an operation that takes longer hangs (default: 60; 0: none)"),
	SF_NUMBER("memory", "MB", struct plan, memory, 0, UINT32_MAX,
		  "who takes more has run away (default: 3/4 of all; 0: no limit)"),
	SF_FLAG("here", struct plan, here,
		"in this process, for a debugger: a crash ends it"),
	SF_TEXT(0, "junit", "FILE", struct plan, junit, "write a JUnit report too"),
	SF_TEXT(0, "sarif", "FILE", struct plan, sarif, "write what is wrong as SARIF 2.1.0 too"),
	SF_FLAG("annotations", struct plan, annotations,
		"print GitHub's annotations of it too (on standard error)"),
	SF_FLAG("tap", struct plan, tap, "print TAP"),
	SF_FLAG("ktap", struct plan, ktap, "print the kernel's KTAP"),
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"run", "FILE…",
	"Runs each FILE on each allocator, under the oracles. A FILE is a program as text or\n"
	"as bytes, or a recording of a real kernel (ftrace text, trace-cmd report, perf script,\n"
	"trace.dat; plain, .gz, .xz or .zst), told apart by content; - is standard input.\n"
	"Comments such as \"# NULL\" after an operation are checked.",
	rows,
};

/* The next of a list "A,B,C": its length, 0 at the end. */
static size_t next_word(const char **at)
{
	*at += strspn(*at, ",");
	return strcspn(*at, ",");
}

/* An id is an invariant ("ISO-14") or a family ("ISO"), in either case of letters. */
static int take_oracles(void *to, const struct sf_usage *u, const char *list)
{
	sf_invariant_set *only = to;

	for (size_t len; (len = next_word(&list)); list += len) {
		bool any = false;

		for (int i = 0; i < SF_INV_COUNT; i++) {
			const char *id = sf_invariants[i].id;

			if (strncasecmp(id, list, len) || (id[len] && id[len] != '-'))
				continue;
			*only |= sf_invariant_bit((enum sf_invariant)i);
			any = true;
		}
		if (!any)
			return sf_bad("run: no oracle '%.*s' (see slabfuzz list oracles)",
				      (int)len, list);
	}
	if (!*only)
		return sf_usage_error(u, "-o: which oracle?");
	return 0;
}

static bool prints_text(const struct plan *p)
{
	return !p->tap && !p->ktap && !p->json;
}

/*
 * The trials are numbered, file by file, each on every allocator. They are done in a child, until
 * one brings it down; then another child goes on behind that.
 */
struct work {
	const struct plan *plan;
	struct sf_results *results;
	char **files;
	uint32_t nr_files;   /* 1: all are one recording */
	uint32_t from;       /* where the child begins */
	uint32_t printed;    /* trials */
	/* In the child. */
	struct sf_session **sessions;
	struct sf_prog prog;
};

static uint32_t nr_trials(const struct work *w)
{
	return w->nr_files * w->plan->on.nr;
}

/* What could not be read has been said in a line, and has nothing to show. */
static void print_finished(void *ctx)
{
	struct work *w = ctx;
	uint32_t nr = __atomic_load_n(&w->results->nr_complete, __ATOMIC_ACQUIRE);

	for (; w->printed < nr; w->printed++)
		if (prints_text(w->plan) && !w->results->trials[w->printed].said)
			sf_print_trial(w->results, w->printed, w->plan->all, stdout);
}

static void finish_trial(struct work *w)
{
	__atomic_store_n(&w->results->nr_complete, w->results->nr_trials, __ATOMIC_RELEASE);
	sf_apart_tell();
}

/* Of the file's trials those from `from` on. */
static void run_file(struct work *w, const char *name, uint32_t position)
{
	const struct plan *p = w->plan;
	struct sf_input in = { .name = name };
	uint32_t i = w->from > position ? w->from - position : 0;
	int status;

	if (i && sf_input_is_stream(name))
		status = sf_bad("%s: cannot be read again after a crash", name);
	else
		status = sf_input_open(&in, name, p->bytes);
	if (!status && in.kind != SF_INPUT_TRACE)
		status = sf_input_program(&in, &w->prog);
	for (; i < p->on.nr; i++) {
		w->results->now.position = position + i;
		if (status) {
			struct sf_trial *t = sf_results_trial(w->results, name,
							      p->on.allocator[i]->name);

			t->error = sf_results_keep(w->results, sf_strdup("bad input"));
			t->said = true;
		} else if (in.kind == SF_INPUT_TRACE) {
			sf_session_recording(w->sessions[i], name, &in.path, 1);
		} else {
			sf_session_program(w->sessions[i], name, &w->prog);
		}
		finish_trial(w);
	}
	if (status)
		w->results->status = status;
	sf_input_close(&in);
}

/* Files of one recording: one trial of all. */
static void run_merged(struct work *w)
{
	const char **paths = NULL;
	uint32_t nr = 0, cap = 0;
	int status = 0;

	for (char **f = w->files; !status && *f; f++) {
		struct sf_input in;

		SF_GROW(paths, nr, cap);
		status = sf_input_open(&in, *f, false);
		if (status)
			break;
		if (in.kind != SF_INPUT_TRACE)
			status = sf_bad("%s: no recording, and --merge is for recordings", *f);
		sf_input_close(&in);
		paths[nr++] = in.path;
	}
	if (status)
		w->results->status = status;
	for (uint32_t i = w->from; !status && i < w->plan->on.nr; i++) {
		w->results->now.position = i;
		sf_session_recording(w->sessions[i], *w->files, paths, nr);
		finish_trial(w);
	}
	free(paths);
}

static void do_work(void *ctx)
{
	struct work *w = ctx;
	const struct plan *p = w->plan;

	w->sessions = sf_grow(NULL, p->on.nr, sizeof(struct sf_session *));
	sf_prog_init(&w->prog);
	for (uint32_t i = 0; i < p->on.nr; i++)
		w->sessions[i] = sf_session_create(p->on.allocator[i], &p->session, w->results);
	if (p->merge)
		run_merged(w);
	for (uint32_t i = 0; !p->merge && i < w->nr_files; i++)
		if (w->from < (i + 1) * p->on.nr)
			run_file(w, w->files[i], i * p->on.nr);
	w->results->now.position = nr_trials(w);
	for (uint32_t i = 0; i < p->on.nr; i++)
		sf_session_destroy(w->sessions[i]);
	sf_prog_free(&w->prog);
	free(w->sessions);
}

/* The operation in hand, as the file has it. */
static void say_where(struct work *w, const char *name, struct sf_found *where)
{
	struct sf_input in;
	bool program = false;

	sf_prog_init(&w->prog);
	if (!w->plan->merge && !sf_input_is_stream(name) &&
	    !sf_input_open(&in, name, w->plan->bytes)) {
		program = in.kind != SF_INPUT_TRACE && !sf_input_program(&in, &w->prog);
		sf_input_close(&in);
	}
	sf_session_where(w->results, program ? &w->prog : NULL, where);
	sf_prog_free(&w->prog);
}

static void take_crash(struct work *w, const struct sf_apart_end *end)
{
	struct sf_results *r = w->results;
	uint32_t position = r->now.position, nr = nr_trials(w);
	struct sf_found where = { .op = SF_NONE };

	if (position < nr) {
		const char *name = w->files[position / w->plan->on.nr];

		say_where(w, name, &where);
		if (r->nr_trials == r->nr_complete)
			sf_results_trial(r, name,
					 w->plan->on.allocator[position % w->plan->on.nr]->name);
		sf_results_last(r)->operations = r->now.op + 1;
	}
	if (r->nr_trials)
		sf_results_crashed(r, &end->crash, end->report, &where);
	r->nr_complete = r->nr_trials;
	w->from = position + 1;
}

static uint64_t memory_limit(const struct plan *p)
{
	if (p->memory != UINT32_MAX)
		return (uint64_t)p->memory << 20;
	return (uint64_t)sysconf(_SC_PHYS_PAGES) / 4 * 3 * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Of who waits for a worker: its time is over first. */
static unsigned int patience(const struct plan *p)
{
	bool worker = p->session.worker == SF_WORKER_BATCH ||
		      p->session.worker == SF_WORKER_PROGRAM;

	for (uint32_t i = 0; i < p->on.nr && p->session.worker == SF_WORKER_UNSAID; i++)
		worker = worker || p->on.allocator[i]->instance;
	return p->timeout && worker ? p->timeout + 10 : p->timeout;
}

static int run_files(const struct plan *p, struct sf_results *r, char **files, uint32_t nr)
{
	struct work w = { .plan = p, .results = r, .files = files,
			  .nr_files = p->merge ? 1 : nr };
	const struct sf_apart_options opt = {
		.seconds = patience(p), .memory_bytes = memory_limit(p),
		.told = print_finished, .work = do_work, .ctx = &w,
	};
	int status = sf_input_keep_standard(files);

	r->files = nr;
	if (p->here && !status) {
		do_work(&w);
		print_finished(&w);
		return 0;
	}
	while (!status && w.from < nr_trials(&w)) {
		struct sf_apart_end end;

		if (!sf_apart_run(&opt, &end)) {
			sf_say("run: fork: %s", strerror(errno));
			return SF_EXIT_MISSING;
		}
		if (end.crash.kind == SF_CRASH_NONE)
			w.from = nr_trials(&w);
		else
			take_crash(&w, &end);
		print_finished(&w);
		free(end.report);
	}
	return status;
}

static int write_to(const char *path, const struct sf_results *r,
		    void (*write)(const struct sf_results *r, FILE *out))
{
	struct sf_out out;
	int status = sf_out_open(&out, path);

	if (status)
		return status;
	write(r, out.file);
	return sf_out_commit(&out);
}

static int show(const struct plan *p, struct sf_results *r)
{
	int status = 0;

	if (p->json)
		sf_json_results(r, stdout);
	else if (p->tap || p->ktap)
		sf_tap_results(r, p->ktap, stdout);
	else
		sf_print_results(r, p->all || p->session.only, stdout);
	if (p->annotations)
		sf_annotate_results(r, stderr);
	if (p->junit)
		status = write_to(p->junit, r, sf_junit_results);
	if (!status && p->sarif)
		status = write_to(p->sarif, r, sf_sarif_results);
	return status ? status : sf_results_exit(r);
}

static int run(struct plan *p, int argc, char **argv)
{
	int status = sf_take_options(&usage, p, argc, argv);
	struct sf_results *r;

	if (status != SF_GO_ON)
		return status;
	if (optind == argc)
		return sf_usage_error(&usage, "which file?");
	if (p->tap + p->ktap + p->json > 1)
		return sf_usage_error(&usage,
				      "--tap, --ktap and --json are forms of the same output");
	status = sf_select_open(&p->on, &usage, sf_allocators[0]->name);
	if (status)
		return status;
	r = sf_results_shared();
	r->only = p->session.only;
	p->session.timeout_ms = p->timeout > UINT32_MAX / 1000 ? UINT32_MAX : p->timeout * 1000;
	p->session.memory_bytes = memory_limit(p);
	status = run_files(p, r, argv + optind, (uint32_t)(argc - optind));
	if (!status)
		status = show(p, r);
	sf_results_free(r);
	return status;
}

int sf_cmd_run(int argc, char **argv)
{
	struct plan p = {
		.timeout = 60,
		.memory = UINT32_MAX,
		.session.worker = SF_WORKER_UNSAID,
		.session.exec = { .end = SF_END_TEARDOWN, .contents = true,
				  .walk_every = SF_WALK_UNSAID },
	};
	int status = run(&p, argc, argv);

	sf_selection_free(&p.on);
	sf_overrides_free(&p.session.overrides);
	return status;
}
