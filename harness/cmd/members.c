// SPDX-License-Identifier: MIT
/*
 * members.c - members.h: each member is read with what reads -a and --set.
 */
#include <stdlib.h>
#include <string.h>

#include "members.h"

static struct sf_member_choice *append(struct sf_members *m, const struct sf_allocator *a,
				       const char *label)
{
	SF_GROW(m->m, m->nr, m->cap);
	m->m[m->nr] = (struct sf_member_choice){ .allocator = a, .label = sf_strdup(label) };
	return &m->m[m->nr++];
}

static bool is_trait(const char *set)
{
	return sf_trait_by_name(set, strcspn(set, "=")) != NULL;
}

/* The next of "KEY=VALUE@KEY=VALUE", cut off; NULL: there is none. */
static char *next_set(char **at)
{
	char *set = *at;

	if (set) {
		*at = strchr(set, '@');
		if (*at)
			*(*at)++ = 0;
	}
	return set;
}

/* "NAME@KEY=VALUE@KEY=VALUE", changed in place: settings, and traits of who is from outside. */
static int add_member(struct sf_members *m, const struct sf_usage *u, char *text)
{
	struct sf_selection one = { .nr = 0 };
	struct sf_overrides sets = { .nr = 0 };
	char *label = sf_strdup(text), *at = text, *set;
	int status;

	next_set(&at);
	status = sf_select_allocators(&one, u, text);
	while (!status && (set = next_set(&at)))
		status = is_trait(set) ? sf_trait_add(&one, u, set) :
					 sf_override_add(&sets, u, set);
	if (!status)
		status = sf_select_open(&one, u, text);
	if (!status && sets.nr && one.nr > 1)
		status = sf_bad("%s: -a %s: settings are for one allocator", u->name, label);
	for (uint32_t i = 0; !status && i < one.nr; i++)
		append(m, one.allocator[i], one.nr > 1 ? one.allocator[i]->name : label)
			->overrides = sets;
	if (status || one.nr != 1)
		sf_overrides_free(&sets);
	sf_selection_free(&one);
	free(label);
	return status;
}

int sf_members_add(void *members, const struct sf_usage *u, const char *list)
{
	int status = 0;

	for (size_t len; !status && (list += strspn(list, ","), (len = strcspn(list, ",")));
	     list += len) {
		char *text = sf_sprintf("%.*s", (int)len, list);

		status = add_member(members, u, text);
		free(text);
	}
	return status;
}

void sf_members_free(struct sf_members *m)
{
	for (uint32_t i = 0; i < m->nr; i++) {
		sf_overrides_free(&m->m[i].overrides);
		free(m->m[i].label);
	}
	free(m->m);
	*m = (struct sf_members){ 0 };
}
