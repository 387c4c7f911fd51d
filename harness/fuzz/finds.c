// SPDX-License-Identifier: MIT
/*
 * finds.c - finds.h. What is believed of a find is what it does again, in a process of its own.
 */
#include "finds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"
#include "../program/program.h"
#include "crash_file.h"
#include "ddmin.h"
#include "files.h"
#include "find.h"
#include "mark.h"

enum {
	TRIES = 3,        /* of a find, alone, and with what was before it */
	CUTS_MAX = 40,    /* runs that go into making a history shorter */
};

/* A crash file: its bytes, and its text in parts. */
struct file {
	char *base;                /* path of the bytes */
	char title[SF_TITLE_MAX];
	char *allocator;           /* NULL: none */
	char *text;
	size_t size;
};

/* --- runs again --- */

/* Where something hangs is a matter of when one looks. */
static bool is_same(const struct sf_crash *c, const struct sf_find *f)
{
	return !strcmp(c->title, f->title) ||
	       (c->kind == SF_CRASH_HANG && f->kind == SF_CRASH_HANG);
}

static bool repeats(const struct sf_finds_options *opt, const struct sf_find *f,
		    const char *const *paths, const char *expect)
{
	struct sf_crash c;

	return sf_target_run(&opt->target, f->allocator, expect, paths, &c, NULL) &&
	       is_same(&c, f);
}

/* --- crash files --- */

static bool read_crash_file(struct file *f, const char *folder, const char *name)
{
	char *path = sf_path("%s/%s", folder, name), *title;

	*f = (struct file){ .text = sf_read_file(path, &f->size) };
	f->size = f->text ? strlen(f->text) : 0;
	title = sf_crash_file_get(f->text, "title");
	f->allocator = sf_crash_file_get(f->text, "allocator");
	if (f->allocator && !strcmp(f->allocator, "none")) {
		free(f->allocator);
		f->allocator = NULL;
	}
	f->base = path;
	path[strlen(path) - 4] = 0;
	snprintf(f->title, sizeof(f->title), "%s", title ? title : "");
	free(title);
	return *f->title;
}

static void free_file(struct file *f)
{
	free(f->base);
	free(f->text);
	free(f->allocator);
}

/* Title, allocator, what was said, and the program. */
static bool write_text(const char *path, const char *title, const char *allocator,
		       const char *said, const char *program)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool fine;

	if (!f)
		sf_out_of_memory();
	fprintf(f, "# title: %s\n# allocator: %s\n", title, allocator ? allocator : "none");
	sf_crash_file_put(f, "report", said, SF_CRASH_REPORT_LINES);
	fputs(program, f);
	fclose(f);
	fine = sf_write_file(path, text, len);
	free(text);
	return fine;
}

/* What was said of it, into its text. */
static void put_report(const struct sf_find *f, const char *said)
{
	char *text = sf_read_file(f->text, NULL), *report = sf_crash_file_get(text, "report");

	if (text && !report)
		write_text(f->text, f->title, f->allocator, said, sf_crash_file_program(text));
	free(report);
	free(text);
}

/* --- each title once --- */

void sf_finds_count(struct sf_finds *f, const char *title, uint64_t n)
{
	for (uint32_t i = 0; i < f->nr_counts; i++) {
		if (strcmp(f->counts[i].title, title))
			continue;
		f->counts[i].n += n;
		return;
	}
	SF_GROW(f->counts, f->nr_counts, f->cap_counts);
	snprintf(f->counts[f->nr_counts].title, sizeof(f->counts[0].title), "%s", title);
	f->counts[f->nr_counts++].n = n;
}

static void add(struct sf_finds *f, struct file *file)
{
	struct sf_find *find = NULL;

	for (uint32_t i = 0; i < f->nr && !find; i++)
		if (!strcmp(f->list[i].title, file->title))
			find = &f->list[i];
	if (!find) {
		SF_GROW(f->list, f->nr, f->cap);
		find = &f->list[f->nr++];
		*find = (struct sf_find){ .size = SIZE_MAX };
		find->kind = sf_crash_of_title(file->title);
		memcpy(find->title, file->title, sizeof(find->title));
	}
	if (file->size >= find->size)
		return;
	free(find->text);
	free(find->allocator);
	find->text = sf_path("%s.txt", file->base);
	find->allocator = file->allocator;
	file->allocator = NULL;
	find->size = file->size;
}

/* --- with what was before --- */

/* The inputs of a history, as files of a folder; how many. */
static uint32_t unpack(const char *path, const char *folder)
{
	size_t len = 0, at = 0;
	uint8_t *all = (uint8_t *)sf_read_file(path, &len);
	uint32_t nr = 0;

	sf_remove_tree(folder);
	if (!all || !sf_make_folder(folder))
		len = 0;
	while (len - at > 4) {
		const uint8_t *p = all + at;
		size_t n = p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
		char *file = sf_path("%s/%04u", folder, nr + 1);

		if (n <= len - at - 4 && sf_write_file(file, p + 4, n))
			nr++;
		free(file);
		if (n > len - at - 4)
			break;
		at += 4 + n;
	}
	free(all);
	return nr;
}

/* A history that is made shorter. */
struct cutting {
	const struct sf_finds_options *opt;
	const struct sf_find *f;
	const char **paths;  /* the find is behind the last */
	const char **fewer;  /* scratch */
	const char *expect;
	uint32_t nr;
	int runs;
};

static bool still_repeats(void *ctx, bool *out)
{
	struct cutting *c = ctx;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < c->nr; i++)
		if (!out[i])
			c->fewer[kept++] = c->paths[i];
	c->fewer[kept] = c->paths[c->nr];
	c->fewer[kept + 1] = NULL;
	c->runs++;
	return repeats(c->opt, c->f, c->fewer, c->expect);
}

static bool cut_enough(void *ctx)
{
	const struct cutting *c = ctx;

	return c->runs >= CUTS_MAX;
}

/* Leaves out what is not needed for it. */
static uint32_t cut(const struct sf_finds_options *opt, const struct sf_find *f,
		    const char **paths, uint32_t nr, const char *expect)
{
	struct cutting c = { .opt = opt, .f = f, .paths = paths, .expect = expect, .nr = nr };
	const struct sf_ddmin d = { .good = still_repeats, .stop = cut_enough, .ctx = &c };
	bool *out = sf_zalloc(nr, sizeof(*out));
	uint32_t kept = 0;

	c.fewer = sf_zalloc(nr + 2, sizeof(*c.fewer));
	sf_ddmin(&d, out, nr);
	for (uint32_t i = 0; i < nr; i++)
		if (!out[i])
			paths[kept++] = paths[i];
	paths[kept] = paths[nr];
	paths[kept + 1] = NULL;
	free(c.fewer);
	free(out);
	return kept;
}

/* What is not needed goes, what is stays: as bytes and as text. */
static void keep(const char *folder, const char *const *paths, uint32_t nr)
{
	char **names = sf_list_files(folder, NULL);

	for (char **n = names; *n; n++) {
		char *path = sf_path("%s/%s", folder, *n);
		bool wanted = false;

		for (uint32_t i = 0; i < nr; i++)
			wanted |= !strcmp(paths[i], path);
		if (!wanted)
			unlink(path);
		free(path);
	}
	sf_free_names(names);
}

static void try_history(const struct sf_finds_options *opt, struct sf_find *f, const char *base)
{
	char *path = sf_path("%s.history", base), *folder = sf_path("%s.before", base);
	const char *expect = f->title; /* what else they do is not what it is about */
	uint32_t nr = unpack(path, folder);
	const char **paths = sf_zalloc(nr + 2, sizeof(*paths));
	char **all = sf_zalloc(nr + 1, sizeof(*all));

	for (uint32_t i = 0; i < nr; i++)
		paths[i] = all[i] = sf_path("%s/%04u", folder, i + 1);
	paths[nr] = base;
	if (nr && repeats(opt, f, paths, expect)) {
		f->before = cut(opt, f, paths, nr, expect);
		for (f->tried = 0; f->tried < TRIES; f->tried++)
			f->repeated += repeats(opt, f, paths, expect);
		keep(folder, paths, f->before);
	} else {
		sf_remove_tree(folder);
	}
	sf_free_names(all);
	free(paths);
	free(folder);
	free(path);
}

/* The same; then its kind is known, and its text has the report. */
static bool repeats_in_words(const struct sf_finds_options *opt, struct sf_find *f,
			     const char *const *paths)
{
	struct sf_crash c;
	char *said = NULL;
	bool same = sf_target_run(&opt->target, f->allocator, f->title, paths, &c, &said) &&
		    is_same(&c, f);

	if (same)
		f->kind = c.kind;
	if (same && !sf_crash_is_judged(c.kind))
		put_report(f, said);
	free(said);
	return same;
}

static void confirm(const struct sf_finds_options *opt, struct sf_find *f)
{
	char *base = sf_path("%.*s", (int)strlen(f->text) - 4, f->text);
	const char *const alone[] = { base, NULL };
	char *history = sf_path("%s.history", base);

	for (f->tried = 0; f->tried < TRIES; f->tried++) {
		if (!f->repeated)
			f->repeated += repeats_in_words(opt, f, alone);
		else
			f->repeated += repeats(opt, f, alone, f->title);
		/* A hang takes its time. */
		if (f->kind == SF_CRASH_HANG && f->repeated) {
			f->tried++;
			break;
		}
	}
	if (!f->repeated && opt->programs)
		try_history(opt, f, base);
	unlink(history);
	free(history);
	free(base);
}

/* --- from outside --- */

static void write_program(FILE *f, const uint8_t *bytes, size_t len)
{
	struct sf_prog p;

	sf_prog_init(&p);
	sf_bytes_decode(&p, bytes, len, SF_FUZZ_OPS_MAX);
	sf_text_write(&p, f);
	sf_prog_free(&p);
}

void sf_finds_adopt(struct sf_finds *f, const struct sf_finds_options *opt, const char *path,
		    const char *log)
{
	const char *const alone[] = { path, NULL };
	char mark[SF_MARK_NAME_MAX + 1] = "", name[SF_FIND_NAME_MAX];
	struct sf_crash c = { .kind = SF_CRASH_NONE };
	const char *on = opt->allocators;
	char *said = NULL, *text = NULL, *bytes, *to;
	size_t len = 0, size = 0;
	FILE *program;

	(void)f;
	bytes = sf_read_file(path, &len);
	if (!bytes)
		return;
	if (opt->programs)
		sf_mark_get((const uint8_t *)bytes, len, mark);
	on = *mark ? mark : on;
	if (!sf_target_run(&opt->target, on, NULL, alone, &c, &said)) {
		said = sf_crash_symbolize(log ? log : "");
		if (!sf_crash_read(&c, said, NULL))
			snprintf(c.title, sizeof(c.title), "a crash, and nothing was said");
	}
	program = open_memstream(&text, &size);
	if (!program)
		sf_out_of_memory();
	if (opt->programs)
		write_program(program, (const uint8_t *)bytes, len);
	fclose(program);
	sf_find_name(name, c.title, (const uint8_t *)bytes, len);
	to = sf_path("%s/%s", opt->crashes, name);
	if (sf_write_file(to, bytes, len)) {
		free(to);
		to = sf_path("%s/%s.txt", opt->crashes, name);
		write_text(to, c.title, on, said, text);
	}
	free(to);
	free(text);
	free(said);
	free(bytes);
}

void sf_finds_collect(struct sf_finds *f, const struct sf_finds_options *opt)
{
	char **names = sf_list_files(opt->crashes, NULL);

	for (char **n = names; *n; n++) {
		size_t len = strlen(*n);
		char *path = sf_path("%s/%s", opt->crashes, *n);
		struct file file;

		if (len > 4 && !strcmp(*n + len - 4, ".txt") &&
		    sf_file_since(path, &opt->since) && read_crash_file(&file, opt->crashes, *n)) {
			add(f, &file);
			free_file(&file);
		}
		free(path);
	}
	sf_free_names(names);
	for (uint32_t i = 0; i < f->nr; i++) {
		for (uint32_t k = 0; k < f->nr_counts; k++)
			if (!strcmp(f->counts[k].title, f->list[i].title))
				f->list[i].times = f->counts[k].n;
		confirm(opt, &f->list[i]);
	}
}

void sf_finds_free(struct sf_finds *f)
{
	for (uint32_t i = 0; i < f->nr; i++) {
		free(f->list[i].text);
		free(f->list[i].allocator);
	}
	free(f->list);
	free(f->counts);
	*f = (struct sf_finds){ 0 };
}
