// SPDX-License-Identifier: MIT
/*
 * cmd_debug.c - `slabfuzz debug`: a find in a debugger, stopped before the operation that shows it.
 * The debugger runs this command once more (--inside), which runs the program in its own process
 * and has a function for each thing that one may ask (debug_inside.c); a script makes commands of
 * them.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crash_input.h"
#include "cmd.h"
#include "debug.h"

struct plan {
	struct sf_crash_plan find;
	const char *debugger;
	uint64_t at;          /* 0: not said; else the operation's number, from 1 */
	bool batch, inside;
};

static const struct sf_row rows[] = {
	SF_CRASH_ROWS(struct plan, find),
	SF_NUMBER("at", "N", struct plan, at, 1, UINT32_MAX,
		  "stop before operation N (default: the one that shows it)"),
	SF_TEXT(0, "debugger", "PROGRAM", struct plan, debugger,
		"gdb or lldb (default: the first that is there)"),
	SF_FLAG("batch", struct plan, batch,
		"print what there is to see at the stop, go on, and end"),
	SF_FLAG("inside", struct plan, inside, "what the debugger runs: no debugger"),
	{ 0 },
};

static const struct sf_usage usage = {
	"debug", "FILE",
	"Runs FILE, a program, in gdb or lldb, stopped before the operation that shows what is\n"
	"wrong. There are new commands: program, object N, slab N, page N (N: number of a result\n"
	"or an address), step-op (to the next operation), violation (on to what is wrong).",
	rows,
};

static const char gdb_script[] =
"set pagination off\n"
"set confirm off\n"
"set breakpoint pending on\n"
"handle SIGPIPE nostop noprint pass\n"
"define program\n call (void)sf_debug_program()\nend\n"
"document program\nThe program, with the operation that comes next.\nend\n"
"define object\n call (void)sf_debug_object((unsigned long)$arg0)\nend\n"
"document object\nobject N: the object of result N, or at an address.\nend\n"
"define slab\n call (void)sf_debug_slab((unsigned long)$arg0)\nend\n"
"document slab\nslab N: the slab with that object, slot by slot.\nend\n"
"define page\n call (void)sf_debug_page((unsigned long)$arg0)\nend\n"
"document page\npage N: the page with that object.\nend\n"
"define step-op\n call (void)sf_debug_next()\n continue\nend\n"
"document step-op\nOn to the next operation.\nend\n"
"define violation\n continue\nend\n"
"document violation\nOn to what is wrong.\nend\n"
"break sf_debug_stop\n"
"commands\n silent\n call (void)sf_debug_program()\nend\n"
"break sf_debug_violation\n";

static const char gdb_talk[] = "commands\n silent\n backtrace 12\nend\nrun\n";

static const char gdb_batch[] =
"commands\n silent\nend\n"
"run\n"
"call (void)sf_debug_objects()\n"
"continue\n"
"backtrace 12\n";

static const char lldb_script[] =
"settings set auto-confirm true\n"
"command alias program expression -- (void)sf_debug_program()\n"
"command regex object 's/(.+)/expression -- (void)sf_debug_object((unsigned long)%1)/'\n"
"command regex slab 's/(.+)/expression -- (void)sf_debug_slab((unsigned long)%1)/'\n"
"command regex page 's/(.+)/expression -- (void)sf_debug_page((unsigned long)%1)/'\n"
"command alias violation process continue\n"
"breakpoint set --name sf_debug_stop\n"
"breakpoint set --name sf_debug_violation\n"
"process launch\n"
"expression -- (void)sf_debug_program()\n";

static const char lldb_batch[] =
"expression -- (void)sf_debug_objects()\n"
"process continue\n"
"thread backtrace\n";

/* --- the debugger --- */

static bool is_there(const char *program)
{
	const char *path = getenv("PATH");
	bool there = strchr(program, '/') && !access(program, X_OK);

	for (; path && *path && !there; path += strcspn(path, ":"), path += *path == ':') {
		char *file = sf_sprintf("%.*s/%s", (int)strcspn(path, ":"), path, program);

		there = !access(file, X_OK);
		free(file);
	}
	return there;
}

/* A file that is gone once it was read: the debugger has it open. */
static char *script(const struct plan *p, bool lldb)
{
	const char *dir = getenv("TMPDIR");
	char *path = sf_sprintf("%s/slabfuzz.XXXXXX", dir && *dir ? dir : "/tmp");
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f) {
		free(path);
		return NULL;
	}
	fputs(lldb ? lldb_script : gdb_script, f);
	if (lldb)
		fputs(p->batch ? lldb_batch : "", f);
	else
		fputs(p->batch ? gdb_batch : gdb_talk, f);
	/* Nobody else removes it. */
	if (!lldb)
		fprintf(f, "shell rm -f %s\n", path);
	else
		fprintf(f, "platform shell rm -f %s\n", path);
	fclose(f);
	return path;
}

static int start(const struct plan *p, const struct sf_crash_input *in, uint32_t at)
{
	const char *name = p->debugger ? p->debugger : is_there("gdb") ? "gdb" : "lldb";
	bool lldb = strstr(name, "lldb");
	char *number = sf_sprintf("--at=%u", at + 1), *file, self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *argv[24];
	int nr = 0;

	if (!is_there(name)) {
		sf_say("debug: %s is missing; Debian: apt install gdb", name);
		return SF_EXIT_MISSING;
	}
	file = script(p, lldb);
	if (!file || n <= 0)
		return sf_bad("debug: a script cannot be written: %s", strerror(errno));
	self[n] = 0;
	argv[nr++] = name;
	if (p->batch)
		argv[nr++] = "--batch";
	argv[nr++] = lldb ? "--source" : "-q";
	if (!lldb)
		argv[nr++] = "-x";
	argv[nr++] = file;
	argv[nr++] = lldb ? "--" : "--args";
	argv[nr++] = self;
	argv[nr++] = "debug";
	argv[nr++] = "--inside";
	argv[nr++] = number;
	argv[nr++] = "-a";
	argv[nr++] = in->on.m[0].label;
	if (p->find.bytes)
		argv[nr++] = "--bytes";
	argv[nr++] = in->name;
	argv[nr] = NULL;
	fflush(NULL);
	execvp(name, (char *const *)(uintptr_t)argv);
	return sf_bad("debug: %s: %s", name, strerror(errno));
}

/* --- the whole --- */

/* Where it shows it: the operation's place, or behind the last. */
static int find_place(const struct plan *p, struct sf_crash_input *in, uint32_t *at)
{
	struct sf_target target;
	const struct sf_rerun_options opt = sf_crash_rerun(in, &p->find, &target);
	struct sf_error err = { "" };
	struct sf_rerun *r = sf_rerun_open(&opt, &err);
	struct sf_symptom s;
	bool shown = r && sf_rerun(r, &in->prog, in->title, &s, &err);

	if (shown) {
		*at = s.op < in->prog.nr_ops ? s.op : in->prog.nr_ops;
		fprintf(stderr, "%s\n", s.title);
		if (*s.detail)
			fprintf(stderr, "  %s\n", s.detail);
	}
	sf_rerun_close(r);
	if (shown)
		return 0;
	return sf_bad("%s: on %s: %s", in->name, in->label,
		      *err.text ? err.text : "it does not show it (--at=N stops all the same)");
}

static int debug(const struct plan *p, struct sf_crash_input *in)
{
	uint32_t at = (uint32_t)p->at - 1;
	int status = 0;

	if (in->on.nr > 1)
		return sf_bad("debug: a difference is seen with diff --here; -a NAME debugs one");
	if (p->inside)
		return sf_debug_inside(in, at);
	if (!p->at)
		status = find_place(p, in, &at);
	return status ? status : start(p, in, at);
}

int sf_cmd_debug(int argc, char **argv)
{
	struct plan p = { .find = SF_CRASH_PLAN };
	int status = sf_take_options(&usage, &p, argc, argv);
	struct sf_crash_input in;

	if (status == SF_GO_ON && optind + 1 != argc) {
		status = sf_usage_error(&usage, "expected one file");
	} else if (status == SF_GO_ON) {
		status = sf_crash_open(&in, &p.find, &usage, argv[optind]);
		if (!status)
			status = debug(&p, &in);
		sf_crash_close(&in);
	}
	sf_crash_plan_free(&p.find);
	return status;
}
