// SPDX-License-Identifier: MIT
/*
 * overrides.c - overrides.h.
 */
#include "overrides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

static bool refuse(struct sf_error *err, const char *text, const char *why)
{
	snprintf(err->text, sizeof(err->text), "%.60s: %.130s", text, why);
	return false;
}

bool sf_overrides_read(struct sf_overrides *l, const char *text, struct sf_error *err)
{
	size_t len = strcspn(text, "=");
	const struct sf_setting_info *info = sf_setting_by_name(text, len);
	const char *expected;
	uint64_t value;
	char buf[120], why[140];

	if (!text[len])
		return refuse(err, text, "KEY=VALUE is expected");
	if (!info) {
		snprintf(err->text, sizeof(err->text),
			 "no setting '%.*s' (see slabfuzz list settings)",
			 len < 100 ? (int)len : 100, text);
		return false;
	}
	expected = sf_setting_parse(info, text + len + 1, strlen(text + len + 1), &value, buf);
	if (expected) {
		snprintf(why, sizeof(why), "expected %s", expected);
		return refuse(err, text, why);
	}
	SF_GROW(l->o, l->nr, l->cap);
	l->o[l->nr++] = (struct sf_override){ info, value };
	return true;
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
	*l = (struct sf_overrides){ .nr = 0 };
}
