/* SPDX-License-Identifier: MIT */
/*
 * properties.h - what members of a lockstep are compared by: one table, and since when a difference
 * is legal: one table of settings, one of designs.
 *
 * A property is compared where both members claim what it needs, and where nothing that tells them
 * apart may change it. All else is counted as skipped, by reason. Relies on the tables of
 * capabilities and settings alone.
 */
#ifndef SLABFUZZ_PROPERTIES_H
#define SLABFUZZ_PROPERTIES_H

#include "../../allocators/allocator.h"

/*
 * SF_PROPERTIES(X): X(IDENTIFIER, name, group, capabilities that both must have, what is compared).
 * MEANING is what a user relies on, whatever the allocator; CHOICE is where a request goes; LAYOUT
 * is which memory that is, and everything that follows from it.
 */
#define SF_PROPERTIES(X)                                                                          \
	X(RESULT, "result", MEANING, 0, "what a call returned: an object, NULL, an error")        \
	X(ERROR, "error", MEANING, SF_CAP_MALLOC, "errno, and the code of posix_memalign()")      \
	X(ZEROING, "zeroing", MEANING, SF_CAP_CONTENTS,                                           \
	  "what had to be zero, and whether it was")                                              \
	X(CONTENTS, "contents", MEANING, SF_CAP_CONTENTS, "contents kept, on every path")         \
	X(LIVE, "live", MEANING, 0, "objects alive after the operation")                          \
	X(COMPLAINTS, "complaints", MEANING, 0, "what the allocator complained of")    \
	X(USABLE, "usable", CHOICE, SF_CAP_USABLE, "bytes that the owner may use")                \
	X(CACHE, "cache", CHOICE, SF_CAP_PLACE, "the cache that an object lies in")               \
	X(PARTITION, "partition", CHOICE, SF_CAP_PLACE, "the partition of that cache")            \
	X(SLAB, "slab", CHOICE, SF_CAP_PLACE, "order, objects and stride of its slab")            \
	X(PLACE, "place", LAYOUT, SF_CAP_PLACE, "the slab or block itself")                       \
	X(WIPED, "wiped", LAYOUT, SF_CAP_CONTENTS,                                                \
	  "what a wiped object holds when it is handed out")                                      \
	X(INDEX, "index", LAYOUT, SF_CAP_PLACE, "the object's number in its slab")                \
	X(EVENTS, "events", LAYOUT, SF_CAP_TRACE, "what happened inside, in order")               \
	X(FILL, "fill", LAYOUT, SF_CAP_WALK, "objects in use in each slab, and its list")         \
	X(LISTS, "lists", LAYOUT, SF_CAP_WALK, "free lists and sheaves, in order")                \
	X(BLOCKS, "blocks", LAYOUT, SF_CAP_WALK, "free blocks, per-CPU lists, page-block types")  \
	X(COUNTERS, "counters", LAYOUT, SF_CAP_WALK, "the allocator's own counters")              \
	X(AFTER, "after", MEANING, SF_CAP_WALK | SF_CAP_TEARDOWN,                                 \
	  "memory that is not free after everything was freed")                                   \
	X(WHOLE, "whole", LAYOUT, SF_CAP_TRACE,                                                   \
	  "every event, whole, where nothing tells members apart: builds of one design")

enum sf_property {
#define X(id, name, group, needs, doc) SF_PROP_##id,
	SF_PROPERTIES(X)
#undef X
	SF_PROPERTY_COUNT,
};

typedef uint32_t sf_property_set;
#define SF_PROP(id) ((sf_property_set)1 << SF_PROP_##id)

#define SF_GROUP_MEANING 1u
#define SF_GROUP_CHOICE 2u
#define SF_GROUP_LAYOUT 4u

struct sf_property_info {
	const char *name, *doc;
	uint8_t group; /* SF_GROUP_* */
	uint64_t needs;
};

extern const struct sf_property_info sf_properties[SF_PROPERTY_COUNT];

/* "meaning", "choice", "layout": one of SF_GROUP_*. */
const char *sf_property_group_name(unsigned int group);

/* All properties of these groups. */
sf_property_set sf_property_group(unsigned int groups);

/*
 * SF_SETTING_REACH(X): X(setting, properties that may differ when it does). One that has no row may
 * change everything: it is never held against a member.
 */
#define SF_LAYOUT sf_property_group(SF_GROUP_LAYOUT)
#define SF_WHERE sf_property_group(SF_GROUP_CHOICE | SF_GROUP_LAYOUT)
#define SF_SETTING_REACH(X)                                                               \
	X(pages, SF_LAYOUT)                                                               \
	X(cpus, SF_WHERE)                                                                 \
	X(seed, SF_WHERE)                                                                 \
	X(slab_min_order, SF_PROP(SLAB) | SF_LAYOUT)                                      \
	X(slab_max_order, SF_PROP(SLAB) | SF_LAYOUT)                                      \
	X(slab_min_objects, SF_PROP(SLAB) | SF_LAYOUT)                                    \
	X(slab_nomerge, SF_WHERE | SF_PROP(LIVE))                                         \
	X(memcg, SF_WHERE)                                                                \
	X(zone_dma, SF_WHERE)                                                             \
	X(nokmem, SF_WHERE)                                                               \
	X(usercopy, SF_PROP(CACHE) | SF_PROP(USABLE) | SF_PROP(SLAB) | SF_LAYOUT |        \
	  SF_PROP(COMPLAINTS))                                                    \
	X(watermarks, SF_LAYOUT)                                                          \
	X(pageblock_order, SF_LAYOUT)                                                     \
	X(init_on_alloc, SF_PROP(ZEROING) | SF_PROP(WIPED))                               \
	X(sheaves, SF_LAYOUT | SF_PROP(LIVE))                                             \
	X(init_on_free, SF_PROP(ZEROING) | SF_PROP(WIPED))                                \
	X(freelist_random, SF_PROP(INDEX) | SF_PROP(LISTS))                               \
	X(freelist_hardened, SF_PROP(COMPLAINTS))                                         \
	X(shuffle, SF_LAYOUT)                                                             \
	X(slab_virtual, SF_LAYOUT)                                                        \
	X(buckets, SF_WHERE)                                                              \
	X(flex, SF_PROP(RESULT) | SF_PROP(LIVE) | SF_LAYOUT)                              \
	X(type_align, SF_WHERE)                                                           \
	X(slot_offset, SF_PROP(USABLE) | SF_PROP(INDEX) | SF_PROP(WIPED))                 \
	X(misuse, ~0u)                                                                    \
	X(accounting, SF_WHERE)                                                           \
	X(oom, SF_LAYOUT)                                                                 \
	X(min_order, SF_WHERE)                                                            \
	X(large_sheaf, SF_LAYOUT)                                                         \
	X(large_min_partial, SF_LAYOUT)                                                   \
	X(directmap, 0)

/*
 * SF_DESIGN_REACH(X): X(capability, properties that may differ if one member has it and the other
 * does not). A capability that is not here only adds calls: what the other lacks is left out.
 */
#define SF_DESIGN_REACH(X)                                                                \
	X(RANDOM, SF_PROP(CACHE) | SF_PROP(PARTITION) | SF_LAYOUT)                        \
	X(TYPED, SF_PROP(CACHE) | SF_PROP(PARTITION) | SF_LAYOUT)                         \
	X(LARGE, SF_WHERE | SF_PROP(LIVE))                                                \
	X(OWN_DESIGN, SF_WHERE)                                                           \
	X(KMALLOC, SF_WHERE | SF_PROP(ZEROING))                                           \
	X(GFP, SF_LAYOUT | SF_PROP(ZEROING))                                              \
	X(RECLAIM, SF_LAYOUT | SF_PROP(LIVE))                                             \
	X(MALLOC, SF_WHERE | SF_PROP(ZEROING))

/* What may differ when the setting does; of one without a row everything. */
sf_property_set sf_setting_reach(const struct sf_setting_info *info);

/*
 * Where the layout may differ, so may the room that is left: who fails, falls back and reclaims
 * when memory is short, and everything from there on. These are compared until then.
 */
#define SF_ROOM                                                                                   \
	(SF_PROP(LIVE) | SF_PROP(COMPLAINTS) | SF_PROP(AFTER) |                                   \
	 sf_property_group(SF_GROUP_CHOICE))

/*
 * What may differ between two allocators, each under its settings; `besides` what else tells them
 * apart may change (relations.h).
 */
sf_property_set sf_may_differ(const struct sf_allocator *x, const struct sf_settings *a,
			      const struct sf_allocator *y, const struct sf_settings *b,
			      sf_property_set besides);

/* Builds of one allocator, each of which has a heap of its own, of a size that is a setting. */
bool sf_same_room(const struct sf_allocator *a, const struct sf_allocator *b);

/* What both claim. */
sf_property_set sf_properties_claimed(const struct sf_allocator *a, const struct sf_allocator *b);

#endif
