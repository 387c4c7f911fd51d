/* SPDX-License-Identifier: MIT */
/*
 * overrides.h - settings on top of a program's: what `--set KEY=VALUE` and a member of a lockstep
 * ask for. Relies on the table of settings alone.
 */
#ifndef SLABFUZZ_OVERRIDES_H
#define SLABFUZZ_OVERRIDES_H

#include "../../allocators/allocator.h"

struct sf_override {
	const struct sf_setting_info *info;
	uint64_t value;
};

/* Zeroed there are none. */
struct sf_overrides {
	struct sf_override *o; /* in order: a later one wins */
	uint32_t nr, cap;
};

/* "KEY=VALUE" behind the others. False with one line in `err`. */
bool sf_overrides_read(struct sf_overrides *l, const char *text, struct sf_error *err);
bool sf_override_names(const struct sf_overrides *l, const char *name);
/*
 * On top of `set`. NULL, or what contradicts itself in the result (one line, static); values are
 * brought in line with each other as a kernel does.
 */
const char *sf_overrides_apply(const struct sf_overrides *l, struct sf_settings *set);
void sf_overrides_free(struct sf_overrides *l);

#endif
