// SPDX-License-Identifier: MIT
/*
 * open.c - sf_allocator_open(): one function for every name that -a takes. An allocator of this
 * build, or one from outside, which is loaded once and stays.
 */
#include <stdio.h>
#include <string.h>

#include "base/grow.h"
#include "load_model.h"
#include "user_contents.h"
#include "user_heap.h"

/* What was opened. Not for several threads at once: it is for command lines. */
static struct opened {
	char *name, *traits;
	const struct sf_allocator *allocator;
	struct opened *next;
} *opened;

static char *copy(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(sf_zalloc(size, 1), s, size);
}

bool user_traits_read(struct user_source *s, const char *text, struct sf_error *err)
{
	while (text += strspn(text, " ,"), *text) {
		size_t len = strcspn(text, " ,"), key = strcspn(text, "= ,");
		const struct sf_setting_info *info = sf_trait_by_name(text, key);
		const char *expected = "KEY=VALUE";
		char buf[120];

		if (key < len && !info) {
			snprintf(err->text, sizeof(err->text),
				 "no trait '%.*s' (see slabfuzz list traits)", (int)key, text);
			return false;
		}
		if (key < len)
			expected = sf_setting_parse(info, text + key + 1, len - key - 1,
						    sf_trait_slot(&s->traits, info), buf);
		if (expected) {
			snprintf(err->text, sizeof(err->text), "trait %.*s: expected %s",
				 (int)len, text, expected);
			return false;
		}
		s->said |= 1ull << info->code;
		text += len;
	}
	return true;
}

static void drop(struct user_source *s)
{
	free(s->name);
	free(s);
}

static const struct sf_allocator *
open_user(bool (*load)(struct user_source *s, const char *path, struct sf_error *err),
	  const char *name, const char *path, const char *traits, struct sf_error *err)
{
	struct user_source *s = sf_zalloc(1, sizeof(*s));

	s->name = copy(name);
	s->traits = sf_traits_default;
	if (!load(s, path, err) || !user_traits_read(s, traits, err)) {
		drop(s);
		return NULL;
	}
	user_source_finish(s);
	user_probe(s);
	return &s->allocator;
}

static const struct sf_allocator *open_malloc(const char *name, const char *path,
					      const char *traits, struct sf_error *err)
{
	return open_user(user_load_malloc, name, path, traits, err);
}

static const struct sf_allocator *open_plugin(const char *name, const char *path,
					      const char *traits, struct sf_error *err)
{
	return open_user(user_load_plugin, name, path, traits, err);
}

static const struct sf_allocator *has_traits(const char *name, struct sf_error *err)
{
	snprintf(err->text, sizeof(err->text), "%.64s: its traits are what they are", name);
	return NULL;
}

static const struct sf_allocator *open_model(const char *name, const char *path,
					     const char *traits, struct sf_error *err)
{
	return *traits ? has_traits(name, err) : load_model(name, path, err);
}

/* From outside: "PREFIXpath". What comes of it stays. */
static const struct {
	const char *prefix;
	const struct sf_allocator *(*open)(const char *name, const char *path,
					   const char *traits, struct sf_error *err);
} kinds[] = {
	{ "malloc:", open_malloc },
	{ "plugin:", open_plugin },
	{ "model:", open_model },
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct sf_allocator *open_new(size_t kind, const char *name, const char *traits,
					   struct sf_error *err)
{
	const char *path = name + strlen(kinds[kind].prefix);
	const struct sf_allocator *a = kinds[kind].open(name, path, traits, err);
	struct opened *o;

	if (!a)
		return NULL;
	o = sf_zalloc(1, sizeof(*o));
	*o = (struct opened){ copy(name), copy(traits), a, opened };
	opened = o;
	return a;
}

/* Behind the first n bytes of the text; how many there are then. */
static size_t add_names(struct sf_error *err, size_t n, const struct sf_allocator *const *list)
{
	for (int i = 0; list[i] && n < sizeof(err->text); i++)
		n += (size_t)snprintf(err->text + n, sizeof(err->text) - n, " %s", list[i]->name);
	return n;
}

static const struct sf_allocator *by_name(const char *name, const char *traits,
					  struct sf_error *err)
{
	const struct sf_allocator *a = sf_allocator_by_name(name);
	size_t n;

	if (a && !*traits)
		return a;
	if (a)
		return has_traits(name, err);
	n = (size_t)snprintf(err->text, sizeof(err->text), "no allocator '%.64s'; there are:",
			     name);
	n = add_names(err, n, sf_allocators);
	n = add_names(err, n, sf_other_allocators);
	if (n < sizeof(err->text))
		snprintf(err->text + n, sizeof(err->text) - n,
			 " malloc:LIB.so plugin:X.so model:X.so");
	return NULL;
}

const struct sf_allocator *sf_allocator_open(const char *name, const char *traits,
					     struct sf_error *err)
{
	traits = traits ? traits : "";
	for (struct opened *o = opened; o; o = o->next)
		if (!strcmp(o->name, name) && !strcmp(o->traits, traits))
			return o->allocator;
	for (size_t i = 0; i < NR_KINDS; i++)
		if (!strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)))
			return open_new(i, name, traits, err);
	return by_name(name, traits, err);
}

bool sf_allocator_expend(const struct sf_allocator *a, struct sf_allocator *copy,
			 struct sf_error *err)
{
	*copy = *a;
	if (a->caps & SF_CAP_MISUSE && !(a->caps & SF_CAP_MALLOC))
		return true;
	if ((a->caps & (SF_CAP_ADDRESS | SF_CAP_MALLOC)) != (SF_CAP_ADDRESS | SF_CAP_MALLOC)) {
		snprintf(err->text, sizeof(err->text), "%.120s cannot be misused: it has no "
			 "'misuse', and its addresses are no pointers", a->name);
		return false;
	}
	if (!user_can_peek()) {
		snprintf(err->text, sizeof(err->text), "process_vm_readv() and process_vm_writev() "
			 "are refused here (a seccomp filter?)");
		return false;
	}
	copy->caps |= SF_CAP_MISUSE;
	copy->settings |= 1ull << SF_SET_misuse;
	copy->peek = user_peek;
	copy->poke = user_poke;
	return true;
}
