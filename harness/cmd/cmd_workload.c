// SPDX-License-Identifier: MIT
/*
 * cmd_workload.c - `slabfuzz workload`: writes a program of a family, as text.
 * harness/generate/workload.c makes them.
 */
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

#include "../generate/workload.h"
#include "cmd.h"
#include "output.h"

struct plan {
	struct sf_workload_options opt;
	const char *out;
};

#define STRING(x) #x
static const struct sf_row rows[] = {
	SF_TEXT('o', "output", "OUT", struct plan, out,
		"write there, whole or not at all (default: standard output)"),
#define X(field, option, def, lo, hi, doc) \
	SF_NUMBER(option, "N", struct plan, opt.field, lo, hi, \
		  doc " (default: " STRING(def) ")"),
	SF_WORKLOAD_OPTIONS(X)
#undef X
	{ 0 },
};

static const struct sf_usage usage = {
	"workload", "NAME",
	"Writes a program of a family, as text:\n"
#define X(name, doc) "  " #name "  " doc "\n"
	SF_WORKLOADS(X)
#undef X
	"The same options make the same program.",
	rows,
};

static int write_program(const struct sf_workload *w, const struct sf_workload_options *opt,
			 const char *path)
{
	struct sf_prog p;
	struct sf_out out;
	int status = sf_out_open(&out, path);

	if (status)
		return status;
	sf_prog_init(&p);
	w->make(&p, opt);
	sf_text_write(&p, out.file);
	sf_prog_free(&p);
	return sf_out_commit(&out);
}

int sf_cmd_workload(int argc, char **argv)
{
	struct plan p = { .out = "-" };
	const struct sf_workload *w;
	const char *fault;
	int status;

	sf_workload_defaults(&p.opt);
	status = sf_take_options(&usage, &p, argc, argv);
	if (status != SF_GO_ON)
		return status;
	if (optind + 1 != argc)
		return sf_usage_error(&usage, "which one? One name is wanted");
	w = sf_workload_by_name(argv[optind]);
	if (!w)
		return sf_usage_error(&usage, "there is no workload '%s'", argv[optind]);
	fault = sf_workload_fault(&p.opt);
	if (fault)
		return sf_bad("workload: %s", fault);
	return write_program(w, &p.opt, p.out);
}
