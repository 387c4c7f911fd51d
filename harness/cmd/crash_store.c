// SPDX-License-Identifier: MIT
/*
 * crash_store.c - crash_store.h. The program is written before the file that tells of it: who is
 * killed between the two has the smaller program and the older number.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../fuzz/crash_file.h"
#include "../fuzz/files.h"
#include "../fuzz/find.h"
#include "cmd.h"
#include "crash_store.h"
#include "json.h"

enum { INPUTS_MAX = 4096 }; /* that a title remembers */

void sf_store_text(const struct sf_stored *f, FILE *out)
{
	const char *comma = strchr(f->allocator, ',');

	sf_crash_file_put(out, "title", f->shows->title, 1);
	sf_crash_file_put(out, "detail", f->shows->detail, 4);
	if (comma)
		fprintf(out, "# detail: slabfuzz diff -a %s\n", f->allocator);
	fprintf(out, "# allocator: %.*s\n", (int)strcspn(f->allocator, ","), f->allocator);
	if (!sf_crash_is_judged(f->shows->kind))
		sf_crash_file_put(out, "report", f->report, SF_CRASH_REPORT_LINES);
	sf_text_write(f->prog, out);
}

/* For targets: beside the text, without its ending. */
static int write_bytes(const char *text, const struct sf_prog *p)
{
	char *path = sf_sprintf("%.*s", (int)strlen(text) - 4, text);
	size_t len = sf_bytes_encode(p, NULL, 0);
	uint8_t *data = sf_grow(NULL, len, 1);
	int status = 0;

	sf_bytes_encode(p, data, len);
	if (!sf_write_file(path, data, len))
		status = sf_bad("%s: %s", path, strerror(errno));
	free(data);
	free(path);
	return status;
}

static int write_program(const char *path, const struct sf_stored *f)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int status = 0;

	if (!out)
		sf_out_of_memory();
	sf_store_text(f, out);
	fclose(out);
	if (!sf_write_file(path, text, len))
		status = sf_bad("%s: %s", path, strerror(errno));
	free(text);
	return status ? status : write_bytes(path, f->prog);
}

static int write_json(const char *path, json_t *j)
{
	char *text = json_dumps(j, JSON_INDENT(2));
	int status = 0;

	if (!text)
		sf_out_of_memory();
	if (!sf_write_file(path, text, strlen(text)))
		status = sf_bad("%s: %s", path, strerror(errno));
	free(text);
	return status;
}

static void set(json_t *j, const char *key, json_t *value)
{
	json_object_set_new(j, key, value);
}

static uint64_t get(const json_t *j, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(j, key));
}

static const char *text_of(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static void put_time(time_t t, char to[24])
{
	struct tm tm;

	strftime(to, 24, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
}

/* True: it was there. */
static bool remember(json_t *j, uint64_t input)
{
	json_t *list = json_object_get(j, "inputs"), *one;
	char hash[20];
	size_t i;

	if (!json_is_array(list))
		set(j, "inputs", list = json_array());
	snprintf(hash, sizeof(hash), "%016" PRIx64, input);
	json_array_foreach(list, i, one)
		if (json_is_string(one) && !strcmp(json_string_value(one), hash))
			return true;
	if (json_array_size(list) == INPUTS_MAX)
		json_array_remove(list, 0);
	json_array_append_new(list, json_string(hash));
	return false;
}

static json_t *lines(const char *text)
{
	json_t *list = json_array();

	for (; text && *text; text += strcspn(text, "\n"), text += *text == '\n') {
		char *line = sf_sprintf("%.*s", (int)strcspn(text, "\n"), text);

		json_array_append_new(list, sf_json_text(line));
		free(line);
	}
	return list;
}

static void describe(json_t *j, const struct sf_stored *f)
{
	set(j, "allocator", sf_json_text(f->allocator));
	set(j, "kind", json_string(sf_crash_key(f->shows->kind)));
	set(j, "detail", sf_json_text(f->shows->detail));
	set(j, "op", sf_json_op(f->shows->op));
	set(j, "operations", sf_json_number(f->prog->nr_ops));
	set(j, "repeated", sf_json_number(f->repeated));
	set(j, "tried", sf_json_number(f->tried));
	set(j, "stack", lines(f->report));
}

static void count(json_t *j, const struct sf_stored *f)
{
	char now[24], first[24];

	/* The same find once more, only smaller. */
	if (!f->times)
		return;
	put_time(f->seen, now);
	snprintf(first, sizeof(first), "%s", text_of(j, "first_seen"));
	if (!*first || strcmp(now, first) < 0)
		set(j, "first_seen", json_string(now));
	if (strcmp(now, text_of(j, "last_seen")) > 0)
		set(j, "last_seen", json_string(now));
	if (!f->input || !remember(j, f->input))
		set(j, "count", sf_json_number(get(j, "count") + f->times));
}

static void tell(const json_t *j, char *folder, char *program, struct sf_stored_find *now)
{
	*now = (struct sf_stored_find){
		.title = sf_strdup(text_of(j, "title")), .folder = folder, .program = program,
		.allocator = sf_strdup(text_of(j, "allocator")),
		.kind = sf_strdup(text_of(j, "kind")), .count = get(j, "count"),
		.operations = (uint32_t)get(j, "operations"),
		.repeated = (uint32_t)get(j, "repeated"), .tried = (uint32_t)get(j, "tried"),
	};
	snprintf(now->first, sizeof(now->first), "%s", text_of(j, "first_seen"));
	snprintf(now->last, sizeof(now->last), "%s", text_of(j, "last_seen"));
}

/* What somebody who was killed in the midst of writing left: "NAME.PID.tmp". */
static void clean(const char *folder)
{
	char **names = sf_list_files(folder, NULL);

	for (char **n = names; *n; n++) {
		size_t len = strlen(*n);
		char *path = sf_path("%s/%s", folder, *n), *dot;
		long pid = 0;

		if (len > 4 && !strcmp(*n + len - 4, ".tmp")) {
			(*n)[len - 4] = 0;
			dot = strrchr(*n, '.');
			pid = dot ? strtol(dot + 1, NULL, 10) : 0;
		}
		if (pid > 0 && kill((pid_t)pid, 0) && errno == ESRCH)
			unlink(path);
		free(path);
	}
	sf_free_names(names);
}

int sf_store_add(const char *store, const struct sf_stored *f, struct sf_stored_find *now)
{
	char name[SF_FIND_NAME_MAX], *folder, *program, *path;
	int prefix = sf_find_name(name, f->shows->title, NULL, 0), status = 0;
	json_t *j;

	folder = sf_sprintf("%s/%.*s", store, prefix, name);
	program = sf_sprintf("%s/program.txt", folder);
	path = sf_sprintf("%s/find.json", folder);
	*now = (struct sf_stored_find){ .title = NULL };
	if (!sf_make_folder(folder))
		status = sf_bad("%s: %s", folder, strerror(errno));
	clean(folder);
	j = status ? NULL : json_load_file(path, 0, NULL);
	if (!json_is_object(j)) {
		json_decref(j);
		j = json_object();
	}
	set(j, "title", sf_json_text(f->shows->title));
	if (!json_object_get(j, "operations") || f->prog->nr_ops < get(j, "operations")) {
		status = status ? status : write_program(program, f);
		describe(j, f);
	}
	count(j, f);
	if (!status)
		status = write_json(path, j);
	tell(j, folder, program, now);
	json_decref(j);
	free(path);
	return status;
}

void sf_stored_free(struct sf_stored_find *f)
{
	free(f->title);
	free(f->folder);
	free(f->program);
	free(f->allocator);
	free(f->kind);
}
