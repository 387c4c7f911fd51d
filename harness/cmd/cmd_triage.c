// SPDX-License-Identifier: MIT
/*
 * cmd_triage.c - `slabfuzz triage`: what engines, or anybody, left in folders: each file is run
 * again, in a worker, and sorted by its title into a folder that keeps the smallest program.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../allocators/base/hash.h"
#include "../fuzz/files.h"
#include "../fuzz/minimize.h"
#include "cmd.h"
#include "crash_input.h"
#include "crash_store.h"
#include "json.h"
#include "known.h"

enum { RUNS = 3 };

struct plan {
	struct sf_crash_plan find;
	const char *out, *known;
	uint32_t seconds;
	bool json;
};

static const struct sf_row rows[] = {
	SF_TEXT('o', "output", "DIR", struct plan, out,
		"keep finds there, a folder for each title (default: slabfuzz-crashes)"),
	SF_CRASH_ROWS(struct plan, find),
	SF_TEXT(0, "known", "FILE", struct plan, known,
		"titles that are known: counted, not reported (TITLE | ADDRESS | EXPIRY)"),
	SF_NUMBER("minimize", "SECONDS", struct plan, seconds, 0, 1000000,
		  "time for the smallest program of each title (default: 10; 0: none)"),
	SF_TEXT(0, "target", "PROGRAM", struct plan, find.target,
		"run them in this fuzz target: for what only its sanitizers see"),
	SF_JSON(struct plan, json),
	{ 0 },
};

static const struct sf_usage usage = {
	"triage", "DIR…",
	"Runs every file in the folders again, whatever left it there (libFuzzer, AFL++,\n"
	"ClusterFuzz, slabfuzz fuzz), and sorts them by title: a folder for each, with its\n"
	"smallest program, when it was first and last seen, how often, and what was said.\n"
	"Exit status 1: something was found that is not known.",
	rows,
};

/* A title of this run. */
struct title {
	struct sf_stored_find stored;
	char *smallest;          /* path of the smallest file that showed it */
	uint32_t operations;
	uint64_t files;          /* of this run */
	const struct sf_known_title *known;
};

struct triage {
	const struct plan *plan;
	struct sf_known known;
	struct title *list;
	uint32_t nr, cap;
	uint64_t files, fine, unread;
	const volatile sig_atomic_t *interrupted;
	int status;
};

/* --- which files --- */

static bool ends_with(const char *name, const char *ending)
{
	size_t n = strlen(name), e = strlen(ending);

	return n > e && !strcmp(name + n - e, ending);
}

/* What tells of finds and is none. */
static bool is_no_input(const char *name)
{
	static const char *const endings[] = { ".json", ".history", ".tmp", ".log", ".md", ".sh",
					       NULL };

	for (const char *const *e = endings; *e; e++)
		if (ends_with(name, *e))
			return true;
	return !strcmp(name, "README.txt") || !strcmp(name, "fuzzer_stats") ||
	       !strcmp(name, "plot_data") || !strcmp(name, "cmdline");
}

/* Of AFL++'s folders those with finds; programs that were before one are none. */
static bool is_no_folder(const char *name)
{
	return !strcmp(name, "queue") || ends_with(name, ".before");
}

/* "NAME" where "NAME.txt" says more. */
static bool has_text(const char *folder, const char *name)
{
	char *path = sf_path("%s/%s.txt", folder, name);
	bool there = !access(path, F_OK);

	free(path);
	return there;
}

static bool is_binary(const char *path)
{
	size_t len = 0;
	char *data = sf_read_file(path, &len);
	bool binary = data && memchr(data, 0, len);

	free(data);
	return binary;
}

/* --- one file --- */

static struct title *title_of(struct triage *t, const char *title)
{
	for (uint32_t i = 0; i < t->nr; i++)
		if (!strcmp(t->list[i].stored.title, title))
			return &t->list[i];
	return NULL;
}

static void keep(struct triage *t, const struct sf_stored *f, const char *path)
{
	struct sf_stored_find now;
	int status = sf_store_add(t->plan->out, f, &now);
	struct title *one = title_of(t, f->shows->title);

	if (status)
		t->status = status;
	if (!one) {
		SF_GROW(t->list, t->nr, t->cap);
		one = &t->list[t->nr++];
		*one = (struct title){ .operations = UINT32_MAX };
		one->known = sf_known_find(&t->known, f->shows->title);
	} else {
		sf_stored_free(&one->stored);
	}
	one->stored = now;
	one->files += f->times;
	if (!path || f->prog->nr_ops >= one->operations)
		return;
	free(one->smallest);
	one->smallest = sf_strdup(path);
	one->operations = f->prog->nr_ops;
}

/* How often it shows that again. */
static void look_again(struct sf_rerun *r, struct sf_stored *f)
{
	struct sf_error err = { "" };
	struct sf_symptom s;

	f->repeated = f->tried = 1;
	while (f->tried < RUNS && f->shows->kind != SF_CRASH_HANG) {
		f->tried++;
		f->repeated += sf_rerun(r, f->prog, f->shows->title, &s, &err);
	}
}

/* The title that its text names, if it shows that, or the first. */
static bool run_again(struct sf_rerun *r, const struct sf_crash_input *in, struct sf_symptom *s)
{
	struct sf_error err = { "" };

	if (in->title && sf_rerun(r, &in->prog, in->title, s, &err))
		return true;
	for (int i = 0; i < RUNS; i++)
		if (sf_rerun(r, &in->prog, NULL, s, &err))
			return true;
	if (*err.text)
		sf_say("%s: %s", in->name, err.text);
	return false;
}

static uint64_t hash_of(const struct sf_prog *p)
{
	size_t len = sf_bytes_encode(p, NULL, 0);
	uint8_t *data = sf_grow(NULL, len, 1);
	uint64_t hash;

	sf_bytes_encode(p, data, len);
	hash = sf_fnv1a(SF_FNV_START, data, len);
	free(data);
	return hash;
}

static void take(struct triage *t, const struct sf_crash_input *in, const char *path)
{
	struct sf_target target;
	const struct sf_rerun_options opt = sf_crash_rerun(in, &t->plan->find, &target);
	struct sf_error err = { "" };
	struct sf_rerun *r = sf_rerun_open(&opt, &err);
	struct sf_symptom s;
	struct stat st;

	if (!r) {
		sf_say("%s: %s", path, err.text);
		t->unread++;
		return;
	}
	if (run_again(r, in, &s)) {
		struct sf_stored f = {
			.shows = &s, .prog = &in->prog, .allocator = in->label, .times = 1,
			.report = sf_rerun_report(r), .input = hash_of(&in->prog),
			.seen = stat(path, &st) ? time(NULL) : st.st_mtime,
		};

		look_again(r, &f);
		keep(t, &f, path);
	} else {
		t->fine++;
		sf_say("%s: shows nothing on %s", path, in->label);
	}
	sf_rerun_close(r);
}

static void take_file(struct triage *t, const char *path)
{
	struct sf_crash_plan plan = t->plan->find;
	struct sf_crash_input in;

	t->files++;
	plan.bytes = plan.bytes || (!ends_with(path, ".txt") && is_binary(path));
	if (sf_crash_open(&in, &plan, &usage, path))
		t->unread++;
	else
		take(t, &in, path);
	sf_crash_close(&in);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void take_folder(struct triage *t, const char *folder);

static void take_entry(struct triage *t, const char *folder, const char *name)
{
	char *path = sf_path("%s/%s", folder, name);
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		if (!is_no_folder(name))
			take_folder(t, path);
	} else if (S_ISREG(st.st_mode) && !is_no_input(name) && !has_text(folder, name)) {
		take_file(t, path);
	}
	free(path);
}

/* In the order of names, and the folders in it. */
static void take_folder(struct triage *t, const char *folder)
{
	char **names = NULL;
	uint32_t nr = 0, cap = 0;
	DIR *dir = opendir(folder);
	struct dirent *e;

	if (!dir)
		t->status = sf_bad("%s: %s", folder, strerror(errno));
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		SF_GROW(names, nr, cap);
		names[nr++] = sf_strdup(e->d_name);
	}
	if (dir)
		closedir(dir);
	if (nr)
		qsort(names, nr, sizeof(*names), by_name);
	for (uint32_t i = 0; i < nr; i++) {
		if (!*t->interrupted)
			take_entry(t, folder, names[i]);
		free(names[i]);
	}
	free(names);
}

/* --- smaller --- */

static void minimize(struct triage *t, struct title *one)
{
	struct sf_crash_plan plan = t->plan->find;
	struct sf_crash_input in;
	struct sf_target target;
	struct sf_error err = { "" };
	struct sf_minimized m;

	plan.title = one->stored.title;
	plan.bytes = plan.bytes ||
		     (!ends_with(one->smallest, ".txt") && is_binary(one->smallest));
	if (!sf_crash_open(&in, &plan, &usage, one->smallest)) {
		const struct sf_rerun_options opt = sf_crash_rerun(&in, &plan, &target);
		const struct sf_minimize how = {
			.again = sf_rerun_open(&opt, &err), .title = plan.title,
			.seconds = t->plan->seconds, .interrupted = t->interrupted,
		};

		if (how.again && sf_minimize(&how, &in.prog, &m, &err)) {
			const struct sf_stored f = {
				.shows = &m.shows, .prog = &in.prog, .allocator = in.label,
				.report = sf_rerun_report(how.again), .repeated = m.repeated,
				.tried = m.runs, .seen = 0,
			};

			keep(t, &f, NULL);
		}
		sf_rerun_close(how.again);
	}
	sf_crash_close(&in);
}

/* --- the result --- */

static void print_one(const struct title *one)
{
	const struct sf_stored_find *s = &one->stored;

	printf("%s%s\n  %s\n  %" PRIu64 " times (%" PRIu64 " here), %.10s to %.10s, on %s; "
	       "%u operations; %u of %u runs\n", one->known ? "known: " : "", s->title, s->program,
	       s->count, one->files, s->first, s->last, s->allocator, s->operations, s->repeated,
	       s->tried);
	if (one->known && *one->known->address)
		printf("  %s\n", one->known->address);
}

static json_t *json_one(const struct title *one)
{
	const struct sf_stored_find *s = &one->stored;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}",
			 "title", sf_json_text(s->title), "kind", sf_json_text(s->kind),
			 "program", sf_json_text(s->program), "allocator",
			 sf_json_text(s->allocator), "count", sf_json_number(s->count),
			 "first_seen", sf_json_text(s->first), "last_seen", sf_json_text(s->last),
			 "operations", sf_json_number(s->operations), "repeated",
			 sf_json_number(s->repeated), "tried", sf_json_number(s->tried), "known",
			 one->known != NULL, "issue",
			 sf_json_text(one->known ? one->known->address : NULL));
}

static uint32_t show(const struct triage *t)
{
	json_t *found = json_array();
	uint32_t new = 0;

	for (uint32_t i = 0; i < t->nr; i++) {
		new += !t->list[i].known;
		if (t->plan->json)
			json_array_append_new(found, json_one(&t->list[i]));
		else
			print_one(&t->list[i]);
	}
	if (t->plan->json) {
		sf_json_print(json_pack("{s:o, s:o, s:o, s:o}", "files", sf_json_number(t->files),
					"fine", sf_json_number(t->fine), "unread",
					sf_json_number(t->unread), "found", found), stdout);
		return new;
	}
	json_decref(found);
	sf_known_print_rest(&t->known);
	printf("%" PRIu64 " files: %u titles, %u of them new; %" PRIu64 " show nothing, %" PRIu64
	       " are no programs\n", t->files, t->nr, new, t->fine, t->unread);
	return new;
}

static void triage_free(struct triage *t)
{
	for (uint32_t i = 0; i < t->nr; i++) {
		sf_stored_free(&t->list[i].stored);
		free(t->list[i].smallest);
	}
	free(t->list);
	sf_known_free(&t->known);
}

static int triage(const struct plan *p, char **folders)
{
	struct triage t = { .plan = p, .interrupted = sf_crash_interrupts() };
	struct stat st;
	uint32_t new;

	t.status = sf_known_read(&t.known, p->known);
	for (; !t.status && *folders; folders++) {
		if (!stat(*folders, &st) && S_ISREG(st.st_mode))
			take_file(&t, *folders);
		else
			take_folder(&t, *folders);
	}
	for (uint32_t i = 0; i < t.nr && p->seconds && !*t.interrupted; i++)
		minimize(&t, &t.list[i]);
	if (!t.status || t.nr) {
		new = show(&t);
		if (!t.status)
			t.status = new ? SF_EXIT_WRONG : SF_EXIT_GOOD;
	}
	triage_free(&t);
	return t.status;
}

int sf_cmd_triage(int argc, char **argv)
{
	struct plan p = { .find = SF_CRASH_PLAN, .out = "slabfuzz-crashes", .seconds = 10 };
	int status = sf_take_options(&usage, &p, argc, argv);

	if (status == SF_GO_ON && optind == argc)
		status = sf_usage_error(&usage, "which folder?");
	else if (status == SF_GO_ON)
		status = triage(&p, argv + optind);
	sf_crash_plan_free(&p.find);
	return status;
}
