// SPDX-License-Identifier: MIT
/*
 * load_model.c - load_model.h: what another build of the models exports, compared with what this
 * one would, then taken as it is: its code has symbols of its own.
 */
#include "load_model.h"

#include <stdio.h>
#include <string.h>

#include "base/grow.h"
#include "load.h"

static const struct slabfuzz_models own = SLABFUZZ_MODELS;

static const struct sf_allocator *refuse(struct sf_error *err, const char *path, const char *why)
{
	snprintf(err->text, sizeof(err->text), "%.90s: %.100s", path, why);
	return NULL;
}

static bool is_same_language(const struct slabfuzz_models *m)
{
	return m->size == own.size && m->abi == own.abi &&
	       m->allocator_bytes == own.allocator_bytes && m->event_bytes == own.event_bytes &&
	       m->settings_bytes == own.settings_bytes && m->request_bytes == own.request_bytes;
}

static const struct sf_allocator *named(const struct slabfuzz_models *m, const char *name)
{
	for (int i = 0; m->list[i]; i++)
		if (!*name || !strcmp(m->list[i]->name, name))
			return m->list[i];
	return NULL;
}

static const struct sf_allocator *open_file(const char *file, const char *model,
					    struct sf_error *err)
{
	struct load *l = load_open(file, false, err);
	const struct sf_allocator *a;
	const struct slabfuzz_models *m;

	if (!l)
		return NULL;
	m = load_symbol(l, "slabfuzz_models");
	if (!m)
		return refuse(err, file, "exports no slabfuzz_models (make model-so)");
	if (!is_same_language(m))
		return refuse(err, file, "of a revision whose events or settings are others");
	a = named(m, model);
	return a ? a : refuse(err, file, "has no model of that name");
}

const struct sf_allocator *load_model(const char *name, const char *path, struct sf_error *err)
{
	/* Behind the last colon, unless that is in a folder's name. */
	const char *colon = strrchr(path, ':');
	const struct sf_allocator *a;
	struct sf_allocator *mine;
	char *file, *called;
	size_t len;

	if (colon && strchr(colon, '/'))
		colon = NULL;
	len = colon ? (size_t)(colon - path) : strlen(path);
	file = sf_zalloc(len + 1, 1);
	memcpy(file, path, len);
	a = open_file(file, colon ? colon + 1 : "", err);
	free(file);
	if (!a)
		return NULL;
	len = strlen(name) + 1;
	called = memcpy(sf_zalloc(len, 1), name, len);
	mine = sf_zalloc(1, sizeof(*mine));
	*mine = *a;
	mine->name = called;
	return mine;
}
