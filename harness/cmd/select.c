// SPDX-License-Identifier: MIT
/*
 * select.c - select.h: lists of allocators and of settings from the command line.
 */
#include <stdlib.h>
#include <string.h>

#include "../../allocators/load.h"
#include "select.h"
#include "static_tls.h"

static void add_allocator(struct sf_selection *s, const struct sf_allocator *a)
{
	for (uint32_t i = 0; i < s->nr; i++)
		if (s->allocator[i] == a)
			return;
	SF_GROW(s->allocator, s->nr, s->cap);
	s->allocator[s->nr++] = a;
}

/* Asked for as they come: --trait may come after -a. */
int sf_select_allocators(void *selection, const struct sf_usage *u, const char *list)
{
	struct sf_selection *s = selection;
	uint32_t before = s->nr_asked;

	for (size_t len; list += strspn(list, ","), (len = strcspn(list, ",")); list += len) {
		SF_GROW(s->asked, s->nr_asked, s->cap_asked);
		s->asked[s->nr_asked++] = sf_sprintf("%.*s", (int)len, list);
	}
	if (s->nr_asked == before)
		return sf_usage_error(u, "-a: which allocator?");
	return 0;
}

int sf_trait_add(void *selection, const struct sf_usage *u, const char *text)
{
	struct sf_selection *s = selection;
	char *all;

	if (!strchr(text, '='))
		return sf_usage_error(u, "--trait wants KEY=VALUE, not '%s'", text);
	all = sf_sprintf("%s%s%s", s->traits ? s->traits : "", s->traits ? " " : "", text);
	free(s->traits);
	s->traits = all;
	return 0;
}

static int open_one(struct sf_selection *s, const struct sf_usage *u, const char *name)
{
	const struct sf_allocator *a;
	struct sf_error err = { "" };

	for (int i = 0; !strcmp(name, "all") && sf_allocators[i]; i++)
		add_allocator(s, sf_allocators[i]);
	if (!strcmp(name, "all"))
		return 0;
	a = sf_allocator_open(name, s->traits, &err);
	if (!a && s->leave && strstr(err.text, SF_LOAD_SANITIZERS)) {
		SF_GROW(s->left, s->nr_left, s->cap_left);
		s->left[s->nr_left++] = sf_sprintf("%s", name);
		return 0;
	}
	if (!a) {
		sf_static_tls_again(err.text);
		return sf_bad("%s: %s", u->name, err.text);
	}
	add_allocator(s, a);
	return 0;
}

int sf_select_open(struct sf_selection *s, const struct sf_usage *u, const char *otherwise)
{
	int status = 0;

	for (uint32_t i = 0; !status && i < s->nr_asked; i++)
		status = open_one(s, u, s->asked[i]);
	if (!s->nr_asked)
		status = open_one(s, u, otherwise);
	return status;
}

void sf_selection_free(struct sf_selection *s)
{
	for (uint32_t i = 0; i < s->nr_asked; i++)
		free(s->asked[i]);
	free(s->asked);
	for (uint32_t i = 0; i < s->nr_left; i++)
		free(s->left[i]);
	free(s->left);
	free(s->traits);
	free(s->allocator);
	*s = (struct sf_selection){ 0 };
}

int sf_override_add(void *overrides, const struct sf_usage *u, const char *s)
{
	struct sf_error err = { "" };

	if (!strchr(s, '='))
		return sf_usage_error(u, "--set wants KEY=VALUE, not '%s'", s);
	if (!sf_setting_by_name(s, strcspn(s, "=")))
		return sf_bad("%s: no setting '%.*s' (see slabfuzz list settings)", u->name,
			      (int)strcspn(s, "="), s);
	if (!sf_overrides_read(overrides, s, &err))
		return sf_bad("%s: --set %s", u->name, err.text);
	return 0;
}
