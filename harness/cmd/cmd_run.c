// SPDX-License-Identifier: MIT
/*
 * cmd_run.c - `slabfuzz run`: programs and recordings on allocators, under oracles. Reads the
 * options; session.c does the work, print.c, json.c and junit.c show what came out.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd.h"
#include "output.h"
#include "select.h"
#include "session.h"

struct plan {
	struct sf_selection on;
	struct sf_session_options session;
	const char *junit;
	bool tap, json, bytes, merge, all;
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
	SF_TEXT(0, "junit", "FILE", struct plan, junit, "write a JUnit report too"),
	SF_FLAG("tap", struct plan, tap, "print TAP"),
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
	return !p->tap && !p->json;
}

/* A recorder or a compressor that failed leaves such files: no success without a word in them. */
static int hold_words(const struct sf_input *in)
{
	for (size_t i = 0; i < in->len; i++)
		if (!in->data[i] || !strchr(" \t\r\n\f\v", in->data[i]))
			return 0;
	return sf_bad("%s: empty: neither a program nor a recording", in->name);
}

/* What could not be read has been said in a line, and has nothing to show. */
static void print_last(const struct plan *p, const struct sf_results *r)
{
	if (prints_text(p) && !r->trials[r->nr_trials - 1].said)
		sf_print_trial(r, r->nr_trials - 1, p->all, stdout);
}

static void run_file(const struct plan *p, struct sf_session **sessions, struct sf_results *r,
		     struct sf_prog *prog, const char *name)
{
	struct sf_input in;
	int status = sf_input_open(&in, name, p->bytes);

	if (!status && in.kind == SF_INPUT_TEXT)
		status = hold_words(&in);
	if (!status && in.kind != SF_INPUT_TRACE)
		status = sf_input_program(&in, prog);
	for (uint32_t i = 0; i < p->on.nr; i++) {
		if (status)
			sf_results_trial(r, name, p->on.allocator[i]->name)->error =
				sf_strdup("bad input");
		else if (in.kind == SF_INPUT_TRACE)
			sf_session_recording(sessions[i], name, &in.path, 1);
		else
			sf_session_program(sessions[i], name, prog);
		if (!status)
			print_last(p, r);
	}
	if (status)
		r->status = status;
	sf_input_close(&in);
}

/* Files of one recording: one trial of all. */
static void run_merged(const struct plan *p, struct sf_session **sessions, struct sf_results *r,
		       char **files)
{
	const char **paths = NULL, *name = *files;
	uint32_t nr = 0, cap = 0;
	int status = 0;

	for (; !status && *files; files++) {
		struct sf_input in;

		SF_GROW(paths, nr, cap);
		status = sf_input_open(&in, *files, false);
		if (status)
			break;
		if (in.kind != SF_INPUT_TRACE)
			status = sf_bad("%s: no recording, and --merge is for recordings", *files);
		sf_input_close(&in);
		paths[nr++] = in.path;
		r->files++;
	}
	if (status)
		r->status = status;
	for (uint32_t i = 0; !status && i < p->on.nr; i++) {
		sf_session_recording(sessions[i], name, paths, nr);
		print_last(p, r);
	}
	free(paths);
}

static void run_files(const struct plan *p, struct sf_results *r, char **files)
{
	struct sf_session **sessions;
	struct sf_prog prog;

	sessions = sf_grow(NULL, p->on.nr, sizeof(struct sf_session *));
	sf_prog_init(&prog);
	for (uint32_t i = 0; i < p->on.nr; i++)
		sessions[i] = sf_session_create(p->on.allocator[i], &p->session, r);
	if (p->merge)
		run_merged(p, sessions, r, files);
	for (; !p->merge && *files; files++) {
		r->files++;
		run_file(p, sessions, r, &prog, *files);
	}
	for (uint32_t i = 0; i < p->on.nr; i++)
		sf_session_destroy(sessions[i]);
	sf_prog_free(&prog);
	free(sessions);
}

static int write_junit(const char *path, const struct sf_results *r)
{
	struct sf_out out;
	int status = sf_out_open(&out, path);

	if (status)
		return status;
	sf_junit_results(r, out.file);
	return sf_out_commit(&out);
}

static int show(const struct plan *p, struct sf_results *r)
{
	int status = 0;

	if (p->json)
		sf_json_results(r, stdout);
	else if (p->tap)
		sf_tap_results(r, stdout);
	else
		sf_print_results(r, p->all || p->session.only, stdout);
	if (p->junit)
		status = write_junit(p->junit, r);
	return status ? status : sf_results_exit(r);
}

static int run(struct plan *p, int argc, char **argv)
{
	struct sf_results r = { .only = 0 };
	int status = sf_take_options(&usage, p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (optind == argc)
		return sf_usage_error(&usage, "which file?");
	if (p->tap && p->json)
		return sf_usage_error(&usage, "--tap and --json are two forms of the same output");
	status = sf_select_open(&p->on, &usage, sf_allocators[0]->name);
	if (status)
		return status;
	r.only = p->session.only;
	run_files(p, &r, argv + optind);
	status = show(p, &r);
	sf_results_free(&r);
	return status;
}

int sf_cmd_run(int argc, char **argv)
{
	struct plan p = { .session.exec = { .end = SF_END_TEARDOWN, .contents = true,
					     .walk_every = SF_WALK_UNSAID } };
	int status = run(&p, argc, argv);

	sf_selection_free(&p.on);
	sf_overrides_free(&p.session.overrides);
	return status;
}
