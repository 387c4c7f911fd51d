/* SPDX-License-Identifier: MIT */
/*
 * member.h - members of a lockstep as a user names them: NAME@KEY=VALUE@…, an allocator with
 * settings (and, from outside, traits) of its own, or under a relation (NAME@relation=checks): it
 * runs what that makes of the program. Relies on the tables of allocators, settings and relations.
 */
#ifndef SLABFUZZ_MEMBER_H
#define SLABFUZZ_MEMBER_H

#include "../program/overrides.h"
#include "relations.h"

struct sf_member {
	const struct sf_allocator *allocator;
	struct sf_overrides overrides; /* on top of a program's settings */
	enum sf_relation relation;
	char *label;                   /* as given */
};

struct sf_members {
	struct sf_member *m;
	uint32_t nr, cap;
};

/*
 * "NAME@KEY=VALUE@KEY=VALUE" behind the others, an allocator that sf_allocator_open() opens. One
 * may be there twice. False with one line in `err`.
 */
bool sf_members_read(struct sf_members *m, const char *text, struct sf_error *err);
/* An allocator that is open already, as it is. */
void sf_members_put(struct sf_members *m, const struct sf_allocator *a);
/* The first of them once more, behind the others, under a relation: NAME@relation=… */
void sf_members_relate(struct sf_members *m, enum sf_relation r);
/* One of another list, which has an empty place for it then. */
void sf_members_move(struct sf_members *m, struct sf_member *from);
/* Several, with commas or blanks between them. */
bool sf_members_read_all(struct sf_members *m, const char *list, struct sf_error *err);
void sf_members_free(struct sf_members *m);

/*
 * Whom an allocator is best held against if nobody says: a list as sf_members_read_all() takes it,
 * to be freed. For models another design, which shares all but placement, and itself with one
 * setting apart, which moves no object; for the words of user space the reference, for that the C
 * library.
 */
char *sf_members_beside(const struct sf_allocator *a);

#endif
