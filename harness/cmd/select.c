// SPDX-License-Identifier: MIT
/*
 * select.c - select.h: lists of allocators and of settings from the command line.
 */
#include <stdlib.h>
#include <string.h>

#include "select.h"

static void add_allocator(struct sf_selection *s, const struct sf_allocator *a)
{
	for (uint32_t i = 0; i < s->nr; i++)
		if (s->allocator[i] == a)
			return;
	SF_GROW(s->allocator, s->nr, s->cap);
	s->allocator[s->nr++] = a;
}

static int unknown_allocator(const struct sf_usage *u, const char *name)
{
	char known[256] = "";

	for (int i = 0; sf_allocators[i]; i++) {
		size_t n = strlen(known);

		snprintf(known + n, sizeof(known) - n, " %s", sf_allocators[i]->name);
	}
	for (int i = 0; sf_other_allocators[i]; i++) {
		size_t n = strlen(known);

		snprintf(known + n, sizeof(known) - n, " %s", sf_other_allocators[i]->name);
	}
	return sf_bad("%s: no allocator '%s'; there are:%s", u->name, name, known);
}

int sf_select_allocators(void *selection, const struct sf_usage *u, const char *list)
{
	struct sf_selection *s = selection;

	for (size_t len; list += strspn(list, ","), (len = strcspn(list, ",")); list += len) {
		const struct sf_allocator *a;
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)len, list);
		if (!strcmp(name, "all")) {
			for (int i = 0; sf_allocators[i]; i++)
				add_allocator(s, sf_allocators[i]);
			continue;
		}
		a = sf_allocator_by_name(name);
		if (!a)
			return unknown_allocator(u, name);
		add_allocator(s, a);
	}
	if (!s->nr)
		return sf_usage_error(u, "-a: which allocator?");
	return 0;
}

void sf_select_default(struct sf_selection *s)
{
	if (!s->nr)
		add_allocator(s, sf_allocators[0]);
}

void sf_selection_free(struct sf_selection *s)
{
	free(s->allocator);
	*s = (struct sf_selection){ 0 };
}

int sf_override_add(void *overrides, const struct sf_usage *u, const char *s)
{
	struct sf_overrides *l = overrides;
	size_t len = strcspn(s, "=");
	const struct sf_setting_info *info = sf_setting_by_name(s, len);
	const char *expected;
	uint64_t value;
	char buf[120];

	if (!s[len])
		return sf_usage_error(u, "--set wants KEY=VALUE, not '%s'", s);
	if (!info)
		return sf_bad("%s: no setting '%.*s' (see slabfuzz list settings)", u->name,
			      (int)len, s);
	expected = sf_setting_parse(info, s + len + 1, strlen(s + len + 1), &value, buf);
	if (expected)
		return sf_bad("%s: --set %s: expected %s", u->name, s, expected);
	SF_GROW(l->o, l->nr, l->cap);
	l->o[l->nr++] = (struct sf_override){ info, value };
	return 0;
}

bool sf_override_names(const struct sf_overrides *l, const char *name)
{
	for (uint32_t i = 0; i < l->nr; i++)
		if (!strcmp(l->o[i].info->name, name))
			return true;
	return false;
}

const char *sf_overrides_apply(const struct sf_overrides *l, struct sf_settings *set)
{
	const char *fault;

	for (uint32_t i = 0; i < l->nr; i++)
		*sf_setting_slot(set, l->o[i].info) = l->o[i].value;
	fault = sf_settings_fault(set);
	sf_settings_fixup(set);
	return fault;
}

void sf_overrides_free(struct sf_overrides *l)
{
	free(l->o);
	*l = (struct sf_overrides){ 0 };
}
