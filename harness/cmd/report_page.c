// SPDX-License-Identifier: MIT
/*
 * report_page.c - report_page.h: the page, whose markup, looks and scripts the command carries in
 * itself (parts.h), with the data of the runs in it as JSON that no HTML can be hidden in (film.h).
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../fuzz/files.h"
#include "parts.h"
#include "report_page.h"

enum { PROGRAM_MAX = 1 << 16 };

static char *program_text(const struct sf_prog *p)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		sf_out_of_memory();
	sf_text_write(p, f);
	fclose(f);
	if (len > PROGRAM_MAX) {
		text[PROGRAM_MAX] = 0;
		strcpy(strrchr(text, '\n') ? strrchr(text, '\n') : text, "\n…");
	}
	return text;
}

struct sf_report_run *sf_report_add(struct sf_report *r, const struct sf_input *in,
				    const struct sf_prog *prog, const char *allocator, uint32_t ops)
{
	struct sf_report_run *run = sf_zalloc(1, sizeof(*run));

	SF_GROW(r->runs, r->nr, r->cap);
	r->runs[r->nr++] = run;
	run->file = sf_strdup(in->name);
	run->program = prog ? program_text(prog) : NULL;
	run->allocator = allocator;
	run->op = SF_NONE;
	/* One before the first operation, one after the last. */
	sf_film_init(&run->film, ops + 2);
	return run;
}

void sf_report_free(struct sf_report *r)
{
	for (uint32_t i = 0; i < r->nr; i++) {
		free(r->runs[i]->file);
		free(r->runs[i]->program);
		sf_film_free(&r->runs[i]->film);
		free(r->runs[i]);
	}
	free(r->runs);
}

void sf_report_folders(const char *folder, char ***names, uint32_t *nr, uint32_t *cap)
{
	DIR *d = opendir(folder);

	for (struct dirent *e; d && (e = readdir(d));) {
		char *path = sf_path("%s/%s", folder, e->d_name);
		struct stat st;

		if (e->d_name[0] == '.' || stat(path, &st) || !S_ISDIR(st.st_mode)) {
			free(path);
			continue;
		}
		SF_GROW(*names, *nr, *cap);
		(*names)[(*nr)++] = path;
	}
	if (d)
		closedir(d);
}

/* --- the data --- */

static void key(const char *name, FILE *out)
{
	fprintf(out, ",\n\"%s\":", name);
}

static void text(const char *name, const char *value, FILE *out)
{
	key(name, out);
	if (value)
		sf_film_string(value, out);
	else
		fputs("null", out);
}

static void list(const char *name, const char *inside, FILE *out)
{
	key(name, out);
	fprintf(out, "[%s]", inside ? inside : "");
}

static void put_crash(const struct sf_results *r, uint32_t trial, FILE *out)
{
	for (uint32_t i = 0; i < r->nr_crashed; i++) {
		const struct sf_crashed *c = &r->crashed[i];

		if (c->trial != trial)
			continue;
		key("crash", out);
		fputc('[', out);
		sf_film_string(c->title, out);
		fputc(',', out);
		sf_film_string(c->report, out);
		fprintf(out, ",%" PRId64 "]", c->op == SF_NONE ? INT64_C(-1) : (int64_t)c->op);
	}
}

static void put_run(const struct sf_report *r, uint32_t i, FILE *out)
{
	const struct sf_report_run *run = r->runs[i];
	const struct sf_trial *t = &r->results->trials[i];
	const struct sf_film *f = &run->film;

	fprintf(out, "%s{\"operations\":%" PRIu64 ",\"skipped\":%" PRIu64 ",\"events\":%" PRIu64
		",\"pages\":%" PRIu64 ",\"dropped\":%" PRIu64, i ? ",\n" : "", t->operations,
		t->skipped, t->events, f->pages, f->dropped);
	text("file", run->file, out);
	text("allocator", run->allocator, out);
	text("program", run->program, out);
	text("error", t->error, out);
	put_crash(r->results, i, out);
	list("settings", f->settings, out);
	list("caches", f->caches, out);
	list("violations", f->violations, out);
	list("frames", f->frames, out);
	fputc('}', out);
}

static void put_oracle(enum sf_invariant i, const struct sf_oracle_count *c, FILE *out)
{
	fputs(i ? ",\n[" : "[", out);
	sf_film_string(sf_invariants[i].id, out);
	fputc(',', out);
	sf_film_string(sf_invariants[i].statement, out);
	fputc(',', out);
	sf_film_string(sf_invariants[i].source, out);
	fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", c->checked, c->skipped,
		c->violations);
	sf_film_string(sf_oracle_why(c), out);
	fputc(']', out);
}

static void put_data(const struct sf_report *r, FILE *out)
{
	fputs("{\"version\":1,\"runs\":[", out);
	for (uint32_t i = 0; i < r->nr; i++)
		put_run(r, i, out);
	fputs("],\n\"oracles\":[", out);
	for (int i = 0; i < SF_INV_COUNT; i++)
		put_oracle((enum sf_invariant)i, &r->results->oracles[i], out);
	fputs("]}\n", out);
}

/* The markup has a line "@name@" for each part. */
void sf_report_write(const struct sf_report *r, FILE *out)
{
	for (const char *line = sf_report_html, *end; *line; line = end) {
		end = strchrnul(line, '\n');
		end += *end == '\n';
		if (!strncmp(line, "@css@", 5)) {
			fputs(sf_report_css, out);
		} else if (!strncmp(line, "@js@", 4)) {
			fputs(sf_report_heap_js, out);
			fputs(sf_report_plots_js, out);
			fputs(sf_report_js, out);
		} else if (!strncmp(line, "@data@", 6)) {
			put_data(r, out);
		} else {
			fwrite(line, 1, (size_t)(end - line), out);
		}
	}
}
