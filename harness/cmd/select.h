/* SPDX-License-Identifier: MIT */
/*
 * select.h - what several subcommands take in the same way: which allocators (-a), which
 * settings (--set). Relies on the tables of allocators and settings; run, boots, slabinfo,
 * compare and inject rely on it.
 */
#ifndef SLABFUZZ_SELECT_H
#define SLABFUZZ_SELECT_H

#include "../../allocators/allocator.h"
#include "../program/overrides.h"
#include "cmd.h"

struct sf_selection {
	const struct sf_allocator **allocator; /* opened: each once, in the order asked */
	uint32_t nr, cap;
	char **asked; /* names, as -a had them */
	uint32_t nr_asked, cap_asked;
	bool leave;   /* what only a process with sanitizers can load is left to one */
	char **left;  /* its names */
	uint32_t nr_left, cap_left;
	char *traits; /* of those from outside, "KEY=VALUE KEY=VALUE…"; NULL: none */
};

/* -a "NAME,NAME…" or "all" into a struct sf_selection; also malloc:LIB.so and plugin:X.so. */
int sf_select_allocators(void *selection, const struct sf_usage *u, const char *list);
#define SF_ALLOCATORS_ROW(arg, plan, member, help)                                                 \
	SF_CALL('a', "allocator", arg, plan, member, sf_select_allocators, help)
/* --trait "KEY=VALUE" into a struct sf_selection. */
int sf_trait_add(void *selection, const struct sf_usage *u, const char *text);
#define SF_TRAIT_ROW(plan, member)                                                                 \
	SF_CALL(0, "trait", "KEY=VALUE", plan, member, sf_trait_add,                               \
		"what malloc:LIB.so or plugin:X.so promises (list traits)")
/*
 * Once all options are read: what was asked for is there in s->allocator, or `otherwise` (a name,
 * or "all"). 0, or what to exit with after a message.
 */
int sf_select_open(struct sf_selection *s, const struct sf_usage *u, const char *otherwise);
void sf_selection_free(struct sf_selection *s);

/* --set "KEY=VALUE" into a struct sf_overrides. */
int sf_override_add(void *overrides, const struct sf_usage *u, const char *s);
#define SF_SET_ROW(plan, member, help)                                                             \
	SF_CALL(0, "set", "KEY=VALUE", plan, member, sf_override_add, help)

#endif
