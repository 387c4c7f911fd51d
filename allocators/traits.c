// SPDX-License-Identifier: MIT
/*
 * traits.c - the table of traits made from SF_TRAITS, and the look-up in it.
 */
#include "traits.h"

#include <string.h>

const struct sf_setting_info sf_trait_table[] = {
#define X(code, field, def, lo, hi, unit, doc) \
	{ #field, code, offsetof(struct sf_traits, field), def, lo, hi, unit, "", doc },
	SF_TRAITS(X)
#undef X
};

const size_t sf_trait_count = sizeof(sf_trait_table) / sizeof(sf_trait_table[0]);

const struct sf_traits sf_traits_default = {
#define X(code, field, def, lo, hi, unit, doc) .field = (def),
	SF_TRAITS(X)
#undef X
};

const struct sf_setting_info *sf_trait_by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < sf_trait_count; i++) {
		const char *s = sf_trait_table[i].name;

		if (strlen(s) == len && !memcmp(s, name, len))
			return &sf_trait_table[i];
	}
	return NULL;
}
