// SPDX-License-Identifier: MIT
/*
 * cmd_regress.c - `slabfuzz regress`: a find that was fixed becomes a test: its program in the
 * folder of regressions, with a name from its title, where it came from, and what the operation
 * that showed it does now. A find that still shows is refused.
 */
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../exec/exec.h"
#include "../fuzz/crash_file.h"
#include "cmd.h"
#include "crash_input.h"
#include "output.h"

enum { NAME_LEN = 48, RUNS = 3 };

struct plan {
	struct sf_crash_plan find;
	const char *out, *name;
};

static const struct sf_row rows[] = {
	SF_TEXT('o', "output", "DIR", struct plan, out,
		"the folder (default: corpora/regressions)"),
	SF_CRASH_ROWS(struct plan, find),
	SF_TEXT(0, "name", "NAME", struct plan, name,
		"what the file is called, without .txt (default: from the title)"),
	{ 0 },
};

static const struct sf_usage usage = {
	"regress", "FILE",
	"Makes a test of FILE, a find that was fixed: DIR/NAME.txt, its program with what it\n"
	"showed, where, and what its last allocation gives now on all allocators. If it still\n"
	"shows anything, nothing is written. make test runs what is in corpora/regressions.",
	rows,
};

/* "iso_2_kmalloc_512_is_not_the_smallest_class". */
static char *name_of(const char *title)
{
	char name[NAME_LEN + 1];
	size_t n = 0;

	for (; *title && n < NAME_LEN; title++) {
		if (isalnum((unsigned char)*title))
			name[n++] = (char)tolower((unsigned char)*title);
		else if (n && name[n - 1] != '_')
			name[n++] = '_';
	}
	while (n && name[n - 1] == '_')
		n--;
	name[n] = 0;
	return sf_strdup(n ? name : "regression");
}

/* A name is a file of that folder, and no other. */
static bool is_name(const char *s)
{
	return *s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_-")];
}

/* 0: it shows nothing, so often. */
static int look(const struct plan *p, struct sf_crash_input *in)
{
	struct sf_target target;
	const struct sf_rerun_options opt = sf_crash_rerun(in, &p->find, &target);
	struct sf_error err = { "" };
	struct sf_rerun *r = sf_rerun_open(&opt, &err);
	struct sf_symptom s;
	bool shown = false;

	if (!r)
		return sf_bad("regress: %s", err.text);
	for (int i = 0; i < RUNS && !shown && !*err.text; i++)
		shown = sf_rerun(r, &in->prog, NULL, &s, &err);
	sf_rerun_close(r);
	if (*err.text)
		return sf_bad("%s: on %s: %s", in->name, in->label, err.text);
	if (!shown)
		return 0;
	sf_say("%s: on %s: it still shows: %s", in->name, in->label, s.title);
	return SF_EXIT_WRONG;
}

/* --- what is expected --- */

/* The last operation that allocates; SF_NONE: none does. */
static uint32_t last_allocation(const struct sf_prog *p)
{
	for (uint32_t i = p->nr_ops; i-- > 0;)
		if (p->ops[i].res != SF_NONE)
			return i;
	return SF_NONE;
}

/* What it gives there; "": it was not carried out. */
static const char *outcome(const struct sf_allocator *a, const struct sf_prog *p, uint32_t op)
{
	static const struct sf_exec_options how = { .end = SF_END_PLAIN, .contents = true };
	struct sf_error err = { "" };
	struct sf_exec *x = sf_exec_create(a, &p->settings, &how, NULL, NULL, &err);
	const char *word = "";

	if (!x)
		return word;
	sf_exec_begin(x, NULL);
	for (uint32_t i = 0; i <= op; i++) {
		bool going = sf_exec_step(x, &p->ops[i], p->strings);

		if (i == op && !sf_exec_outcome(x)->skipped)
			word = sf_status_name(sf_exec_outcome(x)->status);
		if (!going)
			break;
	}
	sf_exec_destroy(x);
	return word;
}

/* Only what all models agree in. */
static void expect(struct sf_prog *p)
{
	uint32_t op = last_allocation(p);
	const char *agreed = NULL;

	for (int i = 0; op != SF_NONE && sf_allocators[i]; i++) {
		const char *word = outcome(sf_allocators[i], p, op);

		if (!*word)
			continue;
		if (agreed && strcmp(agreed, word))
			return;
		agreed = word;
	}
	if (agreed)
		p->ops[op].expect = sf_prog_string(p, agreed, strlen(agreed));
}

/* --- the file --- */

static void put(const struct sf_crash_input *in, FILE *f)
{
	char *detail = sf_crash_file_get(in->said, "detail");

	fprintf(f, "# %s\n# found on %s", in->title ? in->title : "a find", in->label);
	fprintf(f, "%s%s\n", detail ? ": " : "", detail ? detail : "");
	sf_text_write(&in->prog, f);
	free(detail);
}

static int write_test(const struct plan *p, struct sf_crash_input *in)
{
	char *name = p->name ? sf_strdup(p->name) : name_of(in->title ? in->title : "");
	char *path = sf_sprintf("%s/%s.txt", p->out, name);
	struct sf_out out = { .file = NULL };
	int status = 0;

	if (!is_name(name))
		status = sf_bad("regress: --name '%s': letters, digits, _ and - alone", name);
	else if (!access(path, F_OK))
		status = sf_bad("regress: %s is there already: another --name", path);
	else
		status = sf_out_open(&out, path);
	if (!status) {
		put(in, out.file);
		status = sf_out_commit(&out);
	}
	if (!status)
		printf("%s\n", path);
	free(path);
	free(name);
	return status;
}

static int regress(const struct plan *p, struct sf_crash_input *in)
{
	int status = look(p, in);

	if (status)
		return status;
	for (uint32_t i = 0; i < in->prog.nr_ops; i++)
		in->prog.ops[i].expect = 0;
	if (!in->on.m[0].allocator->instance)
		expect(&in->prog);
	return write_test(p, in);
}

int sf_cmd_regress(int argc, char **argv)
{
	struct plan p = { .find = SF_CRASH_PLAN, .out = "corpora/regressions" };
	int status = sf_take_options(&usage, &p, argc, argv);
	struct sf_crash_input in;

	if (status == SF_GO_ON && optind + 1 != argc) {
		status = sf_usage_error(&usage, "expected one file");
	} else if (status == SF_GO_ON) {
		status = sf_crash_open(&in, &p.find, &usage, argv[optind]);
		if (!status)
			status = regress(&p, &in);
		sf_crash_close(&in);
	}
	sf_crash_plan_free(&p.find);
	return status;
}
