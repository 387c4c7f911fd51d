// SPDX-License-Identifier: MIT
/*
 * settings.c - the table of heap settings made from SF_SETTINGS, and look-ups in it.
 */
#include "settings.h"

#include <string.h>

const struct sf_setting_info sf_setting_table[] = {
#define X(code, field, def, lo, hi, unit, kernel, doc)                                     \
	{ #field, code, offsetof(struct sf_settings, field), def, lo, hi, unit, kernel, doc },
	SF_SETTINGS(X)
#undef X
};

const size_t sf_setting_count = sizeof(sf_setting_table) / sizeof(sf_setting_table[0]);

void sf_settings_init(struct sf_settings *set)
{
	for (size_t i = 0; i < sf_setting_count; i++)
		*sf_setting_slot(set, &sf_setting_table[i]) = sf_setting_table[i].def;
}

const struct sf_setting_info *sf_setting_by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < sf_setting_count; i++) {
		const char *s = sf_setting_table[i].name;

		if (strlen(s) == len && !memcmp(s, name, len))
			return &sf_setting_table[i];
	}
	return NULL;
}

const struct sf_setting_info *sf_setting_by_code(unsigned int code)
{
	for (size_t i = 0; i < sf_setting_count; i++)
		if (sf_setting_table[i].code == code)
			return &sf_setting_table[i];
	return NULL;
}

void sf_settings_fixup(struct sf_settings *set)
{
	if (set->slab_max_order < set->slab_min_order)
		set->slab_max_order = set->slab_min_order;
}
