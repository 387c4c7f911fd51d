/* SPDX-License-Identifier: MIT */
/*
 * select.h - what several subcommands take in the same way: which allocators (-a), which
 * settings (--set). Relies on the tables of allocators and settings; run, boots, slabinfo,
 * compare and inject rely on it.
 */
#ifndef SLABFUZZ_SELECT_H
#define SLABFUZZ_SELECT_H

#include "../../allocators/allocator.h"
#include "cmd.h"

struct sf_selection {
	const struct sf_allocator **allocator; /* each once, in the order asked */
	uint32_t nr, cap;
};

/* -a "NAME,NAME…" or "all" into a struct sf_selection. */
int sf_select_allocators(void *selection, const struct sf_usage *u, const char *list);
#define SF_ALLOCATORS_ROW(arg, plan, member, help)                                                 \
	SF_CALL('a', "allocator", arg, plan, member, sf_select_allocators, help)
/* The first of the table if none was named. */
void sf_select_default(struct sf_selection *s);
void sf_selection_free(struct sf_selection *s);

struct sf_override {
	const struct sf_setting_info *info;
	uint64_t value;
};

struct sf_overrides {
	struct sf_override *o; /* in order: a later one wins */
	uint32_t nr, cap;
};

/* --set "KEY=VALUE" into a struct sf_overrides. */
int sf_override_add(void *overrides, const struct sf_usage *u, const char *s);
#define SF_SET_ROW(plan, member, help)                                                             \
	SF_CALL(0, "set", "KEY=VALUE", plan, member, sf_override_add, help)
bool sf_override_names(const struct sf_overrides *l, const char *name);
/*
 * On top of `set`. NULL, or what contradicts itself in the result (one line, static); values are
 * brought in line with each other as a kernel does.
 */
const char *sf_overrides_apply(const struct sf_overrides *l, struct sf_settings *set);
void sf_overrides_free(struct sf_overrides *l);

#endif
