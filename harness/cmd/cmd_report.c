// SPDX-License-Identifier: MIT
/*
 * cmd_report.c - `slabfuzz report`: one page that opens from disk: what ran, finds, each
 * invariant's checks, and the heap of each program as a film. session.c runs and judges, film.c
 * takes down what changes; report_page.c writes the page.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../fuzz/apart.h"
#include "../fuzz/crash_file.h"
#include "../fuzz/files.h"
#include "report_page.h"

struct plan {
	struct sf_selection on;
	struct sf_session_options session;
	const char *out;
	uint32_t ops;
	bool bytes;
};

static const struct sf_row rows[] = {
	SF_TEXT('o', "output", "DIR", struct plan, out, "write DIR/index.html (one file)"),
	SF_ALLOCATORS_ROW("NAME,…", struct plan, on,
			  "side by side on these (default: the find's own, or baseline)"),
	SF_TRAIT_ROW(struct plan, on),
	SF_SET_ROW(struct plan, session.overrides,
		   "change a heap setting, whatever the program says"),
	SF_NUMBER("walk-every", "N", struct plan, session.exec.walk_every, 0, UINT32_MAX - 1,
		  "look at free lists every N operations (default: each, if not many)"),
	SF_NUMBER("ops", "N", struct plan, ops, 1, 10000000,
		  "show the first N operations of each file (default: 200000)"),
	SF_FLAG("bytes", struct plan, bytes,
		"take every FILE for a byte program, whatever it begins with"),
	{ 0 },
};

static const struct sf_usage usage = {
	"report", "-o DIR [FILE…|DIR…]",
	"Runs each FILE, a program or a recording, on each allocator under all oracles, and\n"
	"writes DIR/index.html, which opens in a browser without network: what ran, finds with\n"
	"their programs, checks and skips of each invariant, and each heap as a film, operation\n"
	"by operation. A DIR stands for its files and those of its folders (what fuzz or triage\n"
	"left); none: build/crashes. Exit status 0: the page is written, whatever it shows.",
	rows,
};

/* --- which files --- */

struct names {
	char **name;
	uint32_t nr, cap;
};

static void add_name(struct names *n, char *name)
{
	SF_GROW(n->name, n->nr, n->cap);
	n->name[n->nr++] = name;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static void add_folder(struct names *n, const char *folder)
{
	char **files = sf_list_files(folder, NULL);

	for (char **f = files; *f; f++)
		if (ends_with(*f, ".txt"))
			add_name(n, sf_path("%s/%s", folder, *f));
	sf_free_names(files);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Finds are texts, in the folder or in one for each title. */
static void add_tree(struct names *n, const char *folder)
{
	struct names below = { 0 };

	add_folder(n, folder);
	sf_report_folders(folder, &below.name, &below.nr, &below.cap);
	if (below.nr)
		qsort(below.name, below.nr, sizeof(*below.name), by_name);
	for (uint32_t i = 0; i < below.nr; i++) {
		add_folder(n, below.name[i]);
		free(below.name[i]);
	}
	free(below.name);
}

static void add_all(struct names *n, char **args)
{
	for (; *args; args++) {
		struct stat st;

		if (!stat(*args, &st) && S_ISDIR(st.st_mode))
			add_tree(n, *args);
		else
			add_name(n, sf_strdup(*args));
	}
}

/* --- running them --- */

static void tap_frame(void *ctx, uint32_t op, const char *text)
{
	struct sf_report_run *r = ctx;

	if (op == r->op)
		return;
	r->op = op;
	sf_film_frame(&r->film, text);
}

static void tap_event(void *ctx, const struct sf_event *ev)
{
	struct sf_report_run *r = ctx;

	sf_film_event(&r->film, ev);
}

static void tap_violation(void *ctx, const struct sf_violation *v)
{
	struct sf_report_run *r = ctx;

	sf_film_violation(&r->film, v);
}

enum { WALK_EACH = 2000 };

/* A snapshot takes as long as the heap is large: about so many in a program. */
static uint32_t walk_every(const struct plan *p, const struct sf_prog *prog)
{
	if (p->session.exec.walk_every != SF_WALK_UNSAID)
		return p->session.exec.walk_every;
	if (!prog)
		return WALK_EACH;
	return prog->nr_ops <= WALK_EACH ? 1 : prog->nr_ops / (WALK_EACH / 4);
}

/* The lines of a program's operations, which are its last; all of them are in *text. */
static const char **op_lines(const struct sf_prog *prog, char **text)
{
	const char **lines = sf_grow(NULL, (uint64_t)prog->nr_ops + 1, sizeof(*lines));
	uint32_t left = prog->nr_ops;
	size_t len = 0;
	FILE *f = open_memstream(text, &len);

	if (!f)
		sf_out_of_memory();
	sf_text_write(prog, f);
	fclose(f);
	for (char *at = *text + len; left; lines[--left] = at) {
		*--at = 0;
		while (at > *text && at[-1] != '\n')
			at--;
	}
	return lines;
}

static void run_one(const struct plan *p, struct sf_report *r, const struct sf_input *in,
		    const struct sf_prog *prog, const struct sf_allocator *a)
{
	struct sf_report_run *run = sf_report_add(r, in, prog, a->name, p->ops);
	char *text = NULL;
	const char **lines = prog ? op_lines(prog, &text) : NULL;
	const struct sf_session_tap tap = { tap_frame, tap_event, tap_violation, run, lines };
	struct sf_session_options opt = p->session;
	struct sf_session *s;

	opt.tap = &tap;
	opt.exec.walk_every = walk_every(p, prog);
	s = sf_session_create(a, &opt, r->results);
	if (prog)
		sf_session_program(s, in->name, prog);
	else
		sf_session_recording(s, in->name, &in->path, 1);
	sf_session_destroy(s);
	sf_film_finish(&run->film);
	free(lines);
	free(text);
}

/* The allocator that a find was found on, if nobody says another. */
static const struct sf_allocator *own_allocator(const struct sf_input *in)
{
	char *name = in->kind == SF_INPUT_TEXT ?
			     sf_crash_file_get((const char *)in->data, "allocator") : NULL;
	const struct sf_allocator *a = NULL;

	for (size_t i = 0; name && sf_allocators[i]; i++)
		if (!strcmp(sf_allocators[i]->name, name))
			a = sf_allocators[i];
	free(name);
	return a ? a : sf_allocators[0];
}

static int run_file(const struct plan *p, struct sf_report *r, const char *name)
{
	struct sf_prog prog;
	struct sf_input in;
	int status = sf_input_open(&in, name, p->bytes);
	const struct sf_prog *has;

	sf_prog_init(&prog);
	if (!status && in.kind != SF_INPUT_TRACE)
		status = sf_input_program(&in, &prog);
	has = in.kind == SF_INPUT_TRACE ? NULL : &prog;
	for (uint32_t i = 0; !status && i < p->on.nr; i++)
		run_one(p, r, &in, has, p->on.allocator[i]);
	if (!status && !p->on.nr)
		run_one(p, r, &in, has, own_allocator(&in));
	sf_prog_free(&prog);
	sf_input_close(&in);
	return status;
}

static int write_page(const struct plan *p, const struct sf_report *r)
{
	char *path = sf_path("%s/index.html", p->out);
	struct sf_out out = { 0 };
	int status;

	if (!sf_make_folder(p->out))
		status = sf_bad("%s: %s", p->out, strerror(errno));
	else
		status = sf_out_open(&out, path);
	if (!status) {
		sf_report_write(r, out.file);
		status = sf_out_commit(&out);
	}
	free(path);
	return status;
}

static int run_all(const struct plan *p, struct names *names)
{
	struct sf_report r = { .results = sf_results_shared() };
	int status = 0;

	for (uint32_t i = 0; !status && i < names->nr; i++)
		status = run_file(p, &r, names->name[i]);
	if (!status)
		status = r.results->status;
	if (!status)
		status = write_page(p, &r);
	sf_results_free(r.results);
	sf_report_free(&r);
	return status;
}

static int report(struct plan *p, int argc, char **argv)
{
	char crashes[] = "build/crashes", *otherwise[] = { crashes, NULL };
	int status = sf_take_options(&usage, p, argc, argv);
	struct names names = { 0 };

	if (status != SF_GO_ON)
		return status;
	if (!p->out)
		return sf_usage_error(&usage, "where to? -o DIR");
	if (p->on.nr_asked)
		status = sf_select_open(&p->on, &usage, sf_allocators[0]->name);
	else
		status = 0;
	if (status)
		return status;
	add_all(&names, optind < argc ? argv + optind : otherwise);
	if (names.nr)
		status = run_all(p, &names);
	else
		status = sf_bad("report: no program in %s", optind < argc ? argv[optind] :
									    otherwise[0]);
	for (uint32_t i = 0; i < names.nr; i++)
		free(names.name[i]);
	free(names.name);
	return status;
}

int sf_cmd_report(int argc, char **argv)
{
	struct plan p = {
		.ops = 200000,
		.session = { .worker = SF_WORKER_PROGRAM, .timeout_ms = 60000,
			     .exec = { .end = SF_END_TEARDOWN, .contents = true,
				       .walk_every = SF_WALK_UNSAID } },
	};
	int status = report(&p, argc, argv);

	sf_selection_free(&p.on);
	sf_overrides_free(&p.session.overrides);
	return status;
}
