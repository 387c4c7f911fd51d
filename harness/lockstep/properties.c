// SPDX-License-Identifier: MIT
/*
 * properties.c - properties.h: the tables, and what follows from them for two members.
 */
#include "properties.h"

#include <string.h>

const struct sf_property_info sf_properties[SF_PROPERTY_COUNT] = {
#define X(id, name, group, needs, doc) { name, doc, SF_GROUP_##group, needs },
	SF_PROPERTIES(X)
#undef X
};

_Static_assert(SF_PROPERTY_COUNT <= 8 * sizeof(sf_property_set), "a bit for each property");

sf_property_set sf_property_group(unsigned int groups)
{
	sf_property_set set = 0;

	for (unsigned int i = 0; i < SF_PROPERTY_COUNT; i++)
		if (sf_properties[i].group & groups)
			set |= (sf_property_set)1 << i;
	return set;
}

const char *sf_property_group_name(unsigned int group)
{
	if (group == SF_GROUP_MEANING)
		return "meaning";
	return group == SF_GROUP_CHOICE ? "choice" : "layout";
}

sf_property_set sf_setting_reach(const struct sf_setting_info *info)
{
	switch (info->code) {
#define X(setting, reach)            \
	case SF_SET_##setting:       \
		return reach;
	SF_SETTING_REACH(X)
#undef X
	}
	return ~(sf_property_set)0;
}

static bool differs(const struct sf_settings *a, const struct sf_settings *b, size_t offset)
{
	return memcmp((const char *)a + offset, (const char *)b + offset, sizeof(uint64_t)) != 0;
}

static sf_property_set settings_reach(const struct sf_settings *a, const struct sf_settings *b)
{
	sf_property_set set = 0;

	for (size_t i = 0; i < sf_setting_count; i++)
		if (differs(a, b, sf_setting_table[i].offset))
			set |= sf_setting_reach(&sf_setting_table[i]);
	return set;
}

static const char *family(const struct sf_allocator *a)
{
	return a->family ? a->family : a->name;
}

static sf_property_set design_reach(const struct sf_allocator *a, const struct sf_allocator *b)
{
	uint64_t differ = a->caps ^ b->caps;
	sf_property_set set = 0;

#define X(cap, reach)                   \
	if (differ & SF_CAP_##cap)      \
		set |= (reach);
	SF_DESIGN_REACH(X)
#undef X
	/* Libraries round as they like; builds of one alike. */
	if (a->caps & b->caps & SF_CAP_MALLOC && strcmp(family(a), family(b)))
		set |= SF_WHERE;
	/* What a reset leaves behind is a history: addresses are never compared. */
	if (a->reset_kind != SF_RESET_EXACT || b->reset_kind != SF_RESET_EXACT)
		set |= SF_LAYOUT;
	return set;
}

sf_property_set sf_may_differ(const struct sf_allocator *x, const struct sf_settings *a,
			      const struct sf_allocator *y, const struct sf_settings *b,
			      sf_property_set besides)
{
	sf_property_set set = settings_reach(a, b) | design_reach(x, y) | besides;

	/* Random offsets in slots are drawn when an object is, after what else is drawn. */
	if (set & SF_LAYOUT && a->slot_offset | b->slot_offset)
		set |= SF_PROP(USABLE);
	if (a->slot_offset != b->slot_offset) {
		/* ... such as orders in slabs; and who counts usable bytes counts others. */
		if (a->freelist_random | b->freelist_random)
			set |= SF_PROP(LISTS);
		if (a->accounting == 1) /* indirect */
			set |= SF_PROP(COUNTERS);
	}
	/* So are the ends of lists that free blocks go to. */
	if (set & SF_PROP(INDEX) && a->shuffle | b->shuffle)
		set |= SF_LAYOUT;
	if (set)
		set |= SF_PROP(WHOLE);
	return set;
}

bool sf_same_room(const struct sf_allocator *a, const struct sf_allocator *b)
{
	uint64_t pages = 1ull << SF_SET_pages;

	return a->settings & b->settings & pages && !strcmp(family(a), family(b)) &&
	       !sf_traits_of(a)->history && !sf_traits_of(b)->history;
}

sf_property_set sf_properties_claimed(const struct sf_allocator *a, const struct sf_allocator *b)
{
	uint64_t both = a->caps & b->caps;
	sf_property_set set = 0;

	for (unsigned int i = 0; i < SF_PROPERTY_COUNT; i++)
		if ((sf_properties[i].needs & ~both) == 0)
			set |= (sf_property_set)1 << i;
	/* Who says that it leaves errno alone is believed. */
	if (!sf_traits_of(a)->error || !sf_traits_of(b)->error)
		set &= ~SF_PROP(ERROR);
	return set;
}
