/* SPDX-License-Identifier: MIT */
/*
 * traits.h - what an allocator's answers mean: one table; `list traits`, `--trait KEY=VALUE`, what
 * a probe finds and what the rules of user space ask all come from it.
 *
 * A capability says what can be called, a trait what it promises. A rule that nobody promised is
 * not judged. Defaults promise what ISO C promises, and nothing beyond.
 */
#ifndef SLABFUZZ_TRAITS_H
#define SLABFUZZ_TRAITS_H

#include "settings.h"

/*
 * SF_TRAITS(X): X(code, field, default, min, max, unit, what it promises). A unit with a '|' names
 * the values from 0 on. Codes are permanent.
 */
#define SF_TRAITS(X)                                                                               \
	X(1, align, 16, 1, 1u << 20, "bytes",                                                      \
	  "least alignment of an object that is at least as large (max_align_t)")                  \
	X(2, align_small, 0, 0, 1, "bool", "smaller objects are aligned like that too")            \
	X(3, zeroed, 1, 0, 2, "none|request|usable",                                               \
	  "calloc(): bytes that are zero: as asked, or all that can be used")                      \
	X(4, malloc_zero, 0, 0, 2, "any|object|null", "malloc(0)")                                 \
	X(5, realloc_zero, 0, 0, 3, "any|freed|object|null",                                       \
	  "realloc(p, 0): frees and returns NULL, returns an object, or NULL and p stays")         \
	X(6, error, 1, 0, 1, "bool", "a failure sets errno to ENOMEM (POSIX)")                     \
	X(7, free_error, 0, 0, 1, "bool", "free() leaves errno alone (POSIX.1-2024)")              \
	X(8, abort_misuse, 0, 0, 1, "bool", "misuse that is noticed ends the process")             \
	X(9, abort_overflow, 0, 0, 1, "bool", "a product that overflows ends the process")         \
	X(10, abort_exhaustion, 0, 0, 1, "bool", "too little memory ends the process")             \
	X(11, history, 0, 0, 1, "bool", "state that no reset clears: programs see each other")     \
	X(12, double_free, 0, 0, 2, "unsaid|chance|always",                                        \
	  "free() of what was freed is noticed in the call")                                       \
	X(13, wild_free, 0, 0, 2, "unsaid|chance|always",                                          \
	  "free() of what was never handed out is noticed in the call")                            \
	X(14, sized_free, 0, 0, 1, "bool", "free_sized() with a wrong size is noticed")            \
	X(15, stats_rounding, 0, 0, 1u << 20, "bytes",                                             \
	  "`used` counts an object with at most so many bytes beyond its usable size; 0: unsaid")  \
	X(16, stats_return, 1, 0, 1, "bool",                                                       \
	  "with everything freed `live` and `used` are where they began")                          \
	X(17, align_power, 1, 0, 1, "bool",                                                        \
	  "an alignment that is no power of two is refused, not rounded")                          \
	X(18, align_max, 0, 0, 1u << 30, "bytes", "no larger alignment can be asked for; 0: any")

struct sf_traits {
#define X(code, field, def, lo, hi, unit, doc) uint64_t field;
	SF_TRAITS(X)
#undef X
};

/* Each as a setting is described (settings.h), so that it is read and written as one is. */
extern const struct sf_setting_info sf_trait_table[];
extern const size_t sf_trait_count;
extern const struct sf_traits sf_traits_default;

/* Values of the traits that have names. */
enum { SF_ZEROED_NONE, SF_ZEROED_REQUEST, SF_ZEROED_USABLE };
enum { SF_MALLOC_ZERO_ANY, SF_MALLOC_ZERO_OBJECT, SF_MALLOC_ZERO_NULL };
enum { SF_REALLOC_ZERO_ANY, SF_REALLOC_ZERO_FREED, SF_REALLOC_ZERO_OBJECT, SF_REALLOC_ZERO_NULL };
enum { SF_NOTICE_UNSAID, SF_NOTICE_CHANCE, SF_NOTICE_ALWAYS };

/* NULL if there is none of that name. */
const struct sf_setting_info *sf_trait_by_name(const char *name, size_t len);
static inline uint64_t *sf_trait_slot(struct sf_traits *t, const struct sf_setting_info *info)
{
	return (uint64_t *)((char *)t + info->offset);
}

#endif
