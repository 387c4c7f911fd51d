// SPDX-License-Identifier: MIT
/*
 * load_plugin.c - `plugin:/path/x.so`: a shared object that exports a table (plugin.h in
 * include/slabfuzz/). What the table says of itself is not believed until it was looked at.
 */
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "user_heap.h"

/* As far as the first version went: without that there is nothing to call. */
#define LEAST offsetof(struct slabfuzz_plugin, calloc)
#define REASON (1u << 16) /* no table will ever be as large */

static bool refuse(struct sf_error *err, const char *path, const char *why)
{
	snprintf(err->text, sizeof(err->text), "%.100s: %.90s", path, why);
	return false;
}

static bool check_size(const char *path, const struct slabfuzz_plugin *t, uint64_t there,
		       struct sf_error *err)
{
	char why[90];

	if (t->size >= LEAST && t->size <= REASON && t->size % sizeof(void *) == 0 &&
	    (!there || t->size <= there))
		return true;
	snprintf(why, sizeof(why), "its table says that it has %u bytes, and has %llu", t->size,
		 (unsigned long long)there);
	return refuse(err, path, why);
}

static bool check_version(const char *path, const struct slabfuzz_plugin *t, struct sf_error *err)
{
	char why[90];

	if (t->version == SLABFUZZ_PLUGIN_VERSION)
		return true;
	snprintf(why, sizeof(why), "slabfuzz_plugin is version %u, this slabfuzz knows %u",
		 t->version, SLABFUZZ_PLUGIN_VERSION);
	return refuse(err, path, why);
}

static bool check_name(const char *path, const char *name, struct sf_error *err)
{
	if (name && *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] &&
	    strlen(name) < 64)
		return true;
	return refuse(err, path, "its table has no name of [a-z0-9_-]+");
}

/* All of the table that can be called. */
#define ENTRIES(X)                                                                              \
	X(create_at) X(create) X(destroy) X(reset) X(malloc) X(free) X(calloc) X(realloc)       \
	X(reallocarray) X(aligned_alloc) X(posix_memalign) X(memalign) X(free_sized)            \
	X(free_aligned_sized) X(usable_size) X(good_size) X(trim) X(stats) X(integrity)         \
	X(noticed) X(add) X(remove)

static const struct {
	const char *name;
	size_t offset;
} entries[] = {
#define X(name) { #name, offsetof(struct slabfuzz_plugin, name) },
	ENTRIES(X)
#undef X
};

static bool check_entries(const char *path, const struct slabfuzz_plugin *t, struct sf_error *err)
{
	char why[90];

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		void *p;

		memcpy(&p, (const char *)t + entries[i].offset, sizeof(p));
		if (!p || load_callable(p))
			continue;
		snprintf(why, sizeof(why), "entry %s of its table is no function",
			 entries[i].name);
		return refuse(err, path, why);
	}
	if (!t->malloc || (!t->free && !t->free_sized))
		return refuse(err, path, "its table has no malloc, or no free (nor free_sized)");
	if ((t->add || t->remove) && !(t->create_at && t->add && t->remove))
		return refuse(err, path, "add and remove need each other, and create_at");
	return true;
}

bool user_load_plugin(struct user_source *s, const char *path, struct sf_error *err)
{
	struct load *l = load_open(path, false, err);
	const struct slabfuzz_plugin *t;

	if (!l)
		return false;
	t = load_symbol(l, "slabfuzz_plugin");
	if (!t)
		return refuse(err, path, "exports no slabfuzz_plugin (docs/plugin.md)");
	if (!check_version(path, t, err) || !check_size(path, t, load_symbol_size(l, t), err))
		return false;
	memcpy(&s->table, t, t->size < sizeof(s->table) ? t->size : sizeof(s->table));
	if (!check_name(path, s->table.name, err))
		return false;
	snprintf(s->family, sizeof(s->family), "%s", s->table.name);
	return check_entries(path, &s->table, err) &&
	       (!s->table.traits || user_traits_read(s, s->table.traits, err));
}
