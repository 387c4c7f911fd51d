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

enum {
	OPT_FIRST = SF_OPTION_OWN,
#define X(field, option, def, lo, hi, doc) OPT_##field,
	SF_WORKLOAD_OPTIONS(X)
#undef X
};

static const struct parameter {
	int key;
	const char *option;
	size_t offset;
	uint64_t lo, hi;
} parameters[] = {
#define X(field, option, def, lo, hi, doc) \
	{ OPT_##field, option, offsetof(struct sf_workload_options, field), lo, hi },
	SF_WORKLOAD_OPTIONS(X)
#undef X
};

#define STRING(x) #x
static const struct sf_option options[] = {
	{ 'o', "output", "OUT", "write there, whole or not at all (default: standard output)" },
#define X(field, option, def, lo, hi, doc) \
	{ OPT_##field, option, "N", doc " (default: " STRING(def) ")" },
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
	options,
};

static int take_parameter(struct sf_workload_options *opt, int key)
{
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		const struct parameter *p = &parameters[i];
		uint64_t n;

		if (p->key != key)
			continue;
		if (!sf_parse_number(optarg, &n) || n < p->lo || n > p->hi)
			return sf_usage_error(&usage, "--%s wants a number from %" PRIu64
					      " to %" PRIu64 ", not '%s'", p->option, p->lo, p->hi,
					      optarg);
		*(uint64_t *)((char *)opt + p->offset) = n;
	}
	return 0;
}

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
	struct sf_workload_options opt;
	const struct sf_workload *w;
	const char *out = "-", *fault;
	int key, status;

	sf_workload_defaults(&opt);
	while ((key = sf_option_next(&usage, argc, argv)) >= 0) {
		if (key == 'o')
			out = optarg;
		status = take_parameter(&opt, key);
		if (status)
			return status;
	}
	if (key != SF_OPTION_END)
		return sf_option_exit(key);
	if (optind + 1 != argc)
		return sf_usage_error(&usage, "which one? One name is wanted");
	w = sf_workload_by_name(argv[optind]);
	if (!w)
		return sf_usage_error(&usage, "there is no workload '%s'", argv[optind]);
	fault = sf_workload_fault(&opt);
	if (fault)
		return sf_bad("workload: %s", fault);
	return write_program(w, &opt, out);
}
