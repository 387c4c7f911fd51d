/* SPDX-License-Identifier: MIT */
/*
 * members.h - members of a lockstep as a user names them: NAME@KEY=VALUE@…, an allocator with
 * settings of its own. Relies on select.h; diff relies on it.
 */
#ifndef SLABFUZZ_MEMBERS_H
#define SLABFUZZ_MEMBERS_H

#include "../lockstep/lockstep.h"
#include "select.h"

struct sf_member_choice {
	const struct sf_allocator *allocator;
	struct sf_overrides overrides;
	char *label; /* as given */
};

struct sf_members {
	struct sf_member_choice *m;
	uint32_t nr, cap;
};

/* -a "NAME@KEY=VALUE,NAME…", or "all", into a struct sf_members. One may be there twice. */
int sf_members_add(void *members, const struct sf_usage *u, const char *list);
void sf_members_free(struct sf_members *m);

#endif
