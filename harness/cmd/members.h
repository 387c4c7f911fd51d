/* SPDX-License-Identifier: MIT */
/*
 * members.h - members of a lockstep from the command line. Relies on member.h and select.h; diff
 * and fuzz rely on it.
 */
#ifndef SLABFUZZ_MEMBERS_H
#define SLABFUZZ_MEMBERS_H

#include "../lockstep/member.h"
#include "select.h"

/* "NAME@KEY=VALUE@…,NAME…", or "all", into a struct sf_members. */
int sf_members_add(void *members, const struct sf_usage *u, const char *list);

#endif
