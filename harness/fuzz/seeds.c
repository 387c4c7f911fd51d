// SPDX-License-Identifier: MIT
/*
 * seeds.c - seeds.h.
 */
#include "seeds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "../program/program.h"
#include "files.h"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

static bool refuse(struct sf_error *err, const char *path)
{
	snprintf(err->text, sizeof(err->text), "%s: %s", path, strerror(errno));
	return false;
}

static bool compile(const char *from, const char *to, struct sf_error *err)
{
	struct sf_text_error bad;
	struct sf_prog p;
	bool fine = false;
	uint8_t *bytes;
	size_t len;
	char *text = sf_read_file(from, &len);

	if (!text)
		return refuse(err, from);
	sf_prog_init(&p);
	if (sf_text_parse(&p, text, len, &bad)) {
		snprintf(err->text, sizeof(err->text), "%.80s:%u:%u: %.80s", from, bad.line,
			 bad.col, bad.text);
	} else {
		len = sf_bytes_encode(&p, NULL, 0);
		bytes = sf_grow(NULL, len, 1);
		sf_bytes_encode(&p, bytes, len);
		fine = sf_write_file(to, bytes, len) || refuse(err, to);
		free(bytes);
	}
	sf_prog_free(&p);
	free(text);
	return fine;
}


static bool take(const char *to, const char *folder, const char *name, bool raw,
		 struct sf_error *err)
{
	bool text = !raw && ends_with(name, ".txt");
	char *from = sf_path("%s/%s", folder, name);
	char *into = sf_path("%s/%.*s", to, (int)(strlen(name) - (text ? 4 : 0)), name);
	bool fine;

	if (text)
		fine = compile(from, into, err);
	else
		fine = sf_copy_file(from, into) || refuse(err, from);
	free(from);
	free(into);
	return fine;
}

bool sf_seeds_prepare(const char *to, const char *const *folders, bool raw, struct sf_error *err)
{
	bool fine = true;

	sf_remove_tree(to);
	if (!sf_make_folder(to))
		return refuse(err, to);
	for (; fine && *folders; folders++) {
		size_t nr;
		char **names = sf_list_files(*folders, &nr);

		for (size_t i = 0; fine && i < nr; i++)
			if (!ends_with(names[i], ".md"))
				fine = take(to, *folders, names[i], raw, err);
		sf_free_names(names);
	}
	return fine;
}
