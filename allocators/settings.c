// SPDX-License-Identifier: MIT
/*
 * settings.c - the table of heap settings made from SF_SETTINGS; look-ups in it, values as people
 * write them, and combinations that no kernel has.
 */
#include "settings.h"

#include <stdio.h>
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

/* Decimal or 0x, of at most 64 bits. */
static bool parse_number(const char *s, size_t len, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";
	unsigned int base = 10;
	size_t i = 0;

	if (len > 2 && s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		i = 2;
	}
	*value = 0;
	if (i == len)
		return false;
	for (; i < len; i++) {
		int c = s[i] >= 'A' && s[i] <= 'F' ? s[i] + 0x20 : s[i];
		const char *d = c ? memchr(digits, c, base) : NULL;

		if (!d || __builtin_mul_overflow(*value, (uint64_t)base, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(d - digits), value))
			return false;
	}
	return true;
}

bool sf_setting_is_choice(const struct sf_setting_info *info)
{
	return strchr(info->unit, '|') != NULL;
}

/* What a kernel takes for a bool (lib/kstrtox.c:kstrtobool), written out. */
static bool parse_bool(const char *s, size_t len, uint64_t *value)
{
	static const char *const words[] = { "off", "on", "no", "yes", "n", "y" };

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) != len || memcmp(words[i], s, len))
			continue;
		*value = i % 2;
		return true;
	}
	return false;
}

/* Name `n` of a choice, *len bytes; NULL if it has no more. */
static const char *choice(const struct sf_setting_info *info, uint64_t n, size_t *len)
{
	const char *s = info->unit;

	for (; n; n--) {
		s = strchr(s, '|');
		if (!s)
			return NULL;
		s++;
	}
	*len = strcspn(s, "|");
	return s;
}

/* "a, b or c" */
static void expected_choice(const struct sf_setting_info *info, char buf[120])
{
	size_t at = 0, len, next;
	const char *s;

	for (uint64_t n = 0; (s = choice(info, n, &len)); n++) {
		const char *sep = !n ? "" : choice(info, n + 1, &next) ? ", " : " or ";

		at += (size_t)snprintf(buf + at, 120 - at, "%s%.*s", sep, (int)len, s);
		if (at >= 120)
			return;
	}
}

const char *sf_setting_parse(const struct sf_setting_info *info, const char *s, size_t len,
			     uint64_t *value, char buf[120])
{
	const char *name;
	size_t name_len;
	uint64_t v;

	if (parse_number(s, len, &v) && v >= info->min && v <= info->max) {
		*value = v;
		return NULL;
	}
	if (!strcmp(info->unit, "bool")) {
		if (parse_bool(s, len, value))
			return NULL;
		return strcpy(buf, "on, off, 1 or 0");
	}
	if (!sf_setting_is_choice(info)) {
		snprintf(buf, 120, "a number from %llu to %llu", (unsigned long long)info->min,
			 (unsigned long long)info->max);
		return buf;
	}
	for (v = 0; (name = choice(info, v, &name_len)); v++) {
		if (name_len == len && !memcmp(name, s, len)) {
			*value = v;
			return NULL;
		}
	}
	expected_choice(info, buf);
	return buf;
}

const char *sf_setting_text(const struct sf_setting_info *info, uint64_t value, char buf[40])
{
	size_t len;
	const char *name = sf_setting_is_choice(info) ? choice(info, value, &len) : NULL;

	if (name)
		snprintf(buf, 40, "%.*s", (int)len, name);
	else
		snprintf(buf, 40, "%llu", (unsigned long long)value);
	return buf;
}

#define LARGEST_BLOCK 1024u /* pages of order 10 */

/*
 * SETTING_FAULTS(X): X(what is wrong, how a kernel would understand it, one line for a person).
 * Each is a setting that could have no effect at all beside the others.
 */
#define SETTING_FAULTS(X)                                                                       \
	X(set->nokmem && !set->memcg, set->nokmem = 0,                                          \
	  "nokmem=1 needs memcg=1: it says what memory cgroups leave alone")                    \
	X(set->shuffle && set->pages < LARGEST_BLOCK, set->shuffle = 0,                         \
	  "shuffle=1 needs pages=1024 or more: it shuffles blocks of order 10")

const char *sf_settings_fault(const struct sf_settings *set)
{
#define X(wrong, repair, line) \
	if (wrong)             \
		return line;
	SETTING_FAULTS(X)
#undef X
	return NULL;
}

void sf_settings_fixup(struct sf_settings *set)
{
	/* mm/slub.c:setup_slub_min_order */
	if (set->slab_max_order < set->slab_min_order)
		set->slab_max_order = set->slab_min_order;
#define X(wrong, repair, line) \
	if (wrong)             \
		repair;
	SETTING_FAULTS(X)
#undef X
}
