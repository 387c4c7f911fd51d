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
	"import", "TRACE -o OUT",
	"Turns a recording (ftrace text, trace-cmd report, perf script, trace.dat; plain or .zst)\n"
	"into a program as text, and prints what it met on the way. OUT is written whole or not\n"
	"at all; if it is standard output, the counts go to standard error.",
	rows,
};

static void print_counts(const struct sf_trace_counts *c, bool json, FILE *out)
{
	json_t *j;

	if (!json) {
		sf_print_counts(c, out);
		return;
	}
	j = json_object();
#define X(field, what) json_object_set_new(j, #field, sf_json_number(c->field));
	SF_TRACE_COUNTS(X)
#undef X
	sf_json_print(json_pack("{s:o}", "counts", j), out);
}

static int import(const char *name, const char *path, struct sf_trace_counts *counts)
{
	struct sf_error err = { "" };
	struct sf_trace *tr;
	struct sf_input in;
	struct sf_out out;
	int status = sf_input_open(&in, name, false);

	if (status)
		return status;
	tr = sf_input_trace(&in, &status);
	sf_input_close(&in);
	if (!tr)
		return status;
	status = sf_out_open(&out, path);
	if (!status && sf_trace_import_text(tr, NULL, out.file, counts, &err)) {
		sf_out_abort(&out);
		status = sf_bad("%s", err.text);
	} else if (!status) {
		status = sf_out_commit(&out);
	}
	sf_trace_close(tr);
	return status;
}

int sf_cmd_import(int argc, char **argv)
{
	struct sf_trace_counts counts = { 0 };
	struct plan p = { .out = NULL };
	int status = sf_take_options(&usage, &p, argc, argv);

	if (status != SF_GO_ON)
		return status;
	if (optind + 1 != argc)
		return sf_usage_error(&usage, "expected one recording");
	if (!p.out)
		return sf_usage_error(&usage, "where to? -o OUT");
	status = import(argv[optind], p.out, &counts);
	if (!status)
		print_counts(&counts, p.json, strcmp(p.out, "-") ? stdout : stderr);
	return status;
}
