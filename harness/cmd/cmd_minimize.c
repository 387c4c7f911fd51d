// SPDX-License-Identifier: MIT
/*
 * cmd_minimize.c - `slabfuzz minimize`: the smallest program with the same title. minimize.c does
 * it; this reads the options, draws progress and writes what came of it.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../fuzz/crash_file.h"
#include "../fuzz/minimize.h"
#include "cmd.h"
#include "crash_input.h"
#include "json.h"
#include "output.h"

struct plan {
	struct sf_crash_plan find;
	const char *out;
	uint32_t tries, seconds;
	bool json;
};

static const struct sf_row rows[] = {
	SF_TEXT('o', "output", "OUT", struct plan, out,
		"write the program there (default: standard output)"),
	SF_CRASH_ROWS(struct plan, find),
	SF_NUMBER("tries", "N", struct plan, tries, 1, 100000,
		  "runs that a smaller program has to show it in (default: by how often it does)"),
	SF_NUMBER("seconds", "N", struct plan, seconds, 1, 1000000,
		  "then the best so far (default: no limit)"),
	SF_TEXT(0, "target", "PROGRAM", struct plan, find.target,
		"run them in this fuzz target: for what only its sanitizers see"),
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"minimize", "FILE [-o OUT]",
	"Writes the smallest program that shows what FILE, a program, shows: the same title.\n"
	"First operations go, then what is in them is made simple. Title and allocator are those\n"
	"that a find's text names. Ctrl-C, or the end of its time, ends it with the best so far.",
	rows,
};

static void progress(void *ctx, const struct sf_prog *best, uint64_t runs, double seconds)
{
	(void)ctx;
	if (seconds > 2)
		fprintf(stderr,
			"\r\033[Kminimize: %" PRIu32 " operations, %" PRIu64 " runs, %.0f s",
			best->nr_ops, runs, seconds);
}

static void put_program(const struct sf_crash_input *in, const struct sf_minimized *m,
			const char *report, FILE *f)
{
	sf_crash_file_put(f, "title", m->shows.title, 1);
	sf_crash_file_put(f, "detail", m->shows.detail, 4);
	if (in->on.nr > 1)
		fprintf(f, "# detail: slabfuzz diff -a %s\n", in->label);
	sf_crash_file_put(f, "allocator", in->on.nr > 1 ? in->on.m[0].label : in->label, 1);
	if (!sf_crash_is_judged(m->shows.kind))
		sf_crash_file_put(f, "report", report, SF_CRASH_REPORT_LINES);
	sf_text_write(&in->prog, f);
}

static void print_json(const struct sf_crash_input *in, const struct sf_minimized *m)
{
	sf_json_print(json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:b}",
				"title", sf_json_text(m->shows.title),
				"kind", sf_crash_key(m->shows.kind),
				"allocator", sf_json_text(in->label),
				"before", sf_json_number(m->before),
				"after", sf_json_number(m->after),
				"op", sf_json_op(m->shows.op),
				"repeated", sf_json_number(m->repeated),
				"tried", sf_json_number(m->runs),
				"runs", sf_json_number(m->candidates),
				"seconds", m->seconds, "complete", !m->cut_short), stdout);
}

static void sum_up(const struct sf_minimized *m)
{
	sf_say("minimize: %s", m->shows.title);
	sf_say("minimize: %" PRIu32 " -> %" PRIu32 " operations, %" PRIu64 " runs, %.1f s%s",
	       m->before, m->after, m->candidates, m->seconds,
	       m->cut_short ? "; the best so far" : "");
	if (m->repeated < m->runs)
		sf_say("minimize: it shows in %" PRIu32 " of %" PRIu32 " runs (--tries=%" PRIu32
		       ")", m->repeated, m->runs, m->tries);
}

static int write_out(const struct plan *p, const struct sf_crash_input *in,
		     const struct sf_minimized *m, const char *report)
{
	struct sf_out out;
	int status = sf_out_open(&out, p->out);

	if (status)
		return status;
	put_program(in, m, report, out.file);
	return sf_out_commit(&out);
}

static int minimize(const struct plan *p, struct sf_crash_input *in)
{
	struct sf_target target;
	const struct sf_rerun_options opt = sf_crash_rerun(in, &p->find, &target);
	struct sf_error err = { "" };
	struct sf_minimize how = {
		.again = sf_rerun_open(&opt, &err), .title = in->title, .tries = p->tries,
		.seconds = p->seconds, .interrupted = sf_crash_interrupts(),
		.progress = isatty(STDERR_FILENO) ? progress : NULL,
	};
	struct sf_minimized m;
	int status;

	if (!how.again)
		return sf_bad("minimize: %s", err.text);
	if (!sf_minimize(&how, &in->prog, &m, &err)) {
		status = sf_bad("%s: on %s: %s", in->name, in->label, err.text);
	} else {
		if (how.progress && m.seconds > 2)
			fprintf(stderr, "\r\033[K");
		status = write_out(p, in, &m, sf_rerun_report(how.again));
		if (!status && p->json)
			print_json(in, &m);
		if (!status && !p->json)
			sum_up(&m);
	}
	sf_rerun_close(how.again);
	return status;
}

int sf_cmd_minimize(int argc, char **argv)
{
	struct plan p = { .find = SF_CRASH_PLAN, .out = "-" };
	int status = sf_take_options(&usage, &p, argc, argv);
	struct sf_crash_input in;

	if (status == SF_GO_ON && optind + 1 != argc) {
		status = sf_usage_error(&usage, "expected one file");
	} else if (status == SF_GO_ON && p.json && !strcmp(p.out, "-")) {
		status = sf_usage_error(&usage, "--json: where does the program go to? -o OUT");
	} else if (status == SF_GO_ON) {
		status = sf_crash_open(&in, &p.find, &usage, argv[optind]);
		if (!status)
			status = minimize(&p, &in);
		sf_crash_close(&in);
	}
	sf_crash_plan_free(&p.find);
	return status;
}
