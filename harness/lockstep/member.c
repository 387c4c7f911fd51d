// SPDX-License-Identifier: MIT
/*
 * member.c - member.h.
 */
#include "member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

static char *copy(const char *s, size_t len)
{
	char *to = sf_zalloc(len + 1, 1);

	return memcpy(to, s, len);
}

/* The next of "NAME@KEY=VALUE@KEY=VALUE", cut off; NULL: there is none. */
static char *next_part(char **at)
{
	char *part = *at;

	if (part) {
		*at = strchr(part, '@');
		if (*at)
			*(*at)++ = 0;
	}
	return part;
}

static bool read_relation(struct sf_member *m, const char *name, struct sf_error *err)
{
	m->relation = sf_relation_by_name(name, strlen(name));
	if (!m->relation)
		snprintf(err->text, sizeof(err->text),
			 "no relation '%.100s' (see slabfuzz list relations)", name);
	return m->relation;
}

/* Traits go to `traits`, a text that grows. */
static bool read_part(struct sf_member *m, char **traits, const char *part, struct sf_error *err)
{
	size_t len = *traits ? strlen(*traits) : 0, more = strlen(part) + 2;
	static const char relation[] = "relation=";

	if (!strncmp(part, relation, sizeof(relation) - 1))
		return read_relation(m, part + sizeof(relation) - 1, err);
	if (!sf_trait_by_name(part, strcspn(part, "=")))
		return sf_overrides_read(&m->overrides, part, err);
	*traits = sf_grow(*traits, len + more, 1);
	snprintf(*traits + len, more, " %s", part);
	return true;
}

static bool read_member(struct sf_member *m, char *text, struct sf_error *err)
{
	char *at = text, *traits = NULL, *part;
	bool fine = true;

	next_part(&at);
	while (fine && (part = next_part(&at)))
		fine = read_part(m, &traits, part, err);
	if (fine)
		m->allocator = sf_allocator_open(text, traits, err);
	free(traits);
	return fine && m->allocator;
}

static void free_member(struct sf_member *m)
{
	sf_overrides_free(&m->overrides);
	free(m->label);
}

static void append(struct sf_members *m, struct sf_member one)
{
	SF_GROW(m->m, m->nr, m->cap);
	m->m[m->nr++] = one;
}

static bool read_one(struct sf_members *m, const char *text, size_t len, struct sf_error *err)
{
	struct sf_member one = { .label = copy(text, len) };
	char *parts = copy(text, len);
	bool fine = read_member(&one, parts, err);

	free(parts);
	if (fine)
		append(m, one);
	else
		free_member(&one);
	return fine;
}

bool sf_members_read(struct sf_members *m, const char *text, struct sf_error *err)
{
	return read_one(m, text, strlen(text), err);
}

void sf_members_put(struct sf_members *m, const struct sf_allocator *a)
{
	append(m, (struct sf_member){ .allocator = a, .label = copy(a->name, strlen(a->name)) });
}

void sf_members_relate(struct sf_members *m, enum sf_relation r)
{
	const struct sf_member *of = &m->m[0];
	size_t size = strlen(of->label) + strlen(sf_relations[r].name) + 11;
	struct sf_member one = { .allocator = of->allocator, .relation = r,
				 .label = sf_zalloc(size, 1) };

	snprintf(one.label, size, "%s@relation=%s", of->label, sf_relations[r].name);
	for (uint32_t i = 0; i < of->overrides.nr; i++) {
		SF_GROW(one.overrides.o, one.overrides.nr, one.overrides.cap);
		one.overrides.o[one.overrides.nr++] = of->overrides.o[i];
	}
	append(m, one);
}

void sf_members_move(struct sf_members *m, struct sf_member *from)
{
	append(m, *from);
	*from = (struct sf_member){ .allocator = NULL };
}

bool sf_members_read_all(struct sf_members *m, const char *list, struct sf_error *err)
{
	bool fine = true;

	for (size_t len; fine && (list += strspn(list, ", "), (len = strcspn(list, ", ")));
	     list += len)
		fine = read_one(m, list, len, err);
	return fine;
}

void sf_members_free(struct sf_members *m)
{
	for (uint32_t i = 0; i < m->nr; i++)
		free_member(&m->m[i]);
	free(m->m);
	*m = (struct sf_members){ .nr = 0 };
}

char *sf_members_beside(const struct sf_allocator *a)
{
	size_t size = strlen(a->name) + 40;
	char *list = sf_zalloc(size, 1);

	if (a->caps & SF_CAP_MALLOC)
		snprintf(list, size, "%s", strcmp(a->name, "reference") ? "reference" : "malloc:");
	else
		snprintf(list, size, "%s %s@init_on_free=1",
			 strcmp(a->name, "baseline") ? "baseline" : "typed", a->name);
	return list;
}
