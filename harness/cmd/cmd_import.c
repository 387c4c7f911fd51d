// SPDX-License-Identifier: MIT
/*
 * cmd_import.c - `slabfuzz import`: a recording of a real kernel into a program as text. Relies
 * on the importer; the program is written as it is read, so memory grows with the objects alive.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "input.h"
#include "json.h"
#include "output.h"
#include "results.h"

struct plan {
	const char *out;
	bool json;
};

static const struct sf_row rows[] = {
	SF_TEXT('o', "output", "OUT", struct plan, out,
		"write the program there (- is standard output)"),
	SF_FLAG("json", struct plan, json, "print the counts as JSON (docs/json.md)"),
	{ 0 },
};

static const struct sf_usage usage = {
	"import", "TRACE… -o OUT",
	"Turns a recording of a kernel (ftrace text, trace-cmd report, perf script, trace.dat)\n"
	"or of malloc() (mtrace, ltrace, heaptrack, memory_replay, malloc lab; plain, .gz, .xz or\n"
	".zst) into a program as text, and prints what it met on the way. Several files are one\n"
	"recording: of one CPU each, or rotated. OUT is written whole or not at all; if it is\n"
	"standard output, the counts go to standard error.",
	rows,
};

static void print_counts(const struct sf_replay *p, bool json, FILE *out)
{
	json_t *j, *remarks;

	if (!json) {
		sf_print_counts(&p->counts, true, out);
		sf_print_remarks(p, out);
		return;
	}
	j = json_object();
	remarks = json_array();
#define X(field, what) json_object_set_new(j, #field, sf_json_number(p->counts.field));
	SF_TRACE_COUNTS(X)
#undef X
	for (uint32_t i = 0; i < p->nr_remarks; i++)
		json_array_append_new(remarks, sf_json_text(p->remarks[i]));
	sf_json_print(json_pack("{s:o, s:o}", "counts", j, "remarks", remarks), out);
}

static int import(char **names, const char *path, struct sf_replay *p)
{
	struct sf_results none = { .files = 0 };
	struct sf_error err = { "" };
	struct sf_trace *tr;
	struct sf_out out;
	int status;

	tr = sf_input_traces(names, &status);
	if (!tr)
		return status;
	status = sf_out_open(&out, path);
	if (!status && sf_trace_import_text(tr, NULL, out.file, &p->counts, &err)) {
		sf_out_abort(&out);
		status = sf_bad("%s", err.text);
	} else if (!status) {
		status = sf_out_commit(&out);
	}
	sf_results_remarks(&none, p, tr);
	sf_trace_close(tr);
	return status;
}

static void free_replay(struct sf_replay *p)
{
	for (uint32_t i = 0; i < p->nr_remarks; i++)
		free(p->remarks[i]);
	free(p->remarks);
	free(p->kernel);
}

int sf_cmd_import(int argc, char **argv)
{
	struct sf_replay replay = { 0 };
	struct plan p = { .out = NULL };
	int status = sf_take_options(&usage, &p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (optind == argc)
		return sf_usage_error(&usage, "expected one recording, in one file or several");
	if (!p.out)
		return sf_usage_error(&usage, "where to? -o OUT");
	status = import(argv + optind, p.out, &replay);
	if (!status)
		print_counts(&replay, p.json, strcmp(p.out, "-") ? stdout : stderr);
	free_replay(&replay);
	return status;
}
