/* SPDX-License-Identifier: MIT */
/*
 * groups.h - memory cgroups as the shadow knows them, and who is charged for which memory. Indices
 * are plus 1, 0: the root. Relies on the contract headers; intake.c drives it.
 */
#ifndef SLABFUZZ_GROUPS_H
#define SLABFUZZ_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../allocators/base/hash_map.h"
#include "../allocators/event.h"

struct sf_shadow;
struct sf_shadow_obj;

/* A memory cgroup. Its place in the table is its own in all the run; ids are used again. */
struct sf_group {
	uint32_t id, parent; /* parent: index + 1, 0: the root */
	bool online;
	uint64_t max;
	uint64_t usage;      /* bytes, with all below it, by CHARGE events */
	uint64_t direct;     /* ... without */
	uint64_t objects;    /* bytes of live objects that are charged to it itself */
};

/* Memory that is charged. */
struct sf_charged {
	uint64_t addr;
	uint32_t bytes, group; /* group: index + 1 */
};

struct sf_groups {
	bool used;
	uint32_t active;       /* index + 1, 0: the root */
	struct sf_group *group;
	size_t nr, cap;
	struct sf_map by_addr; /* index of what is charged there */
	struct sf_charged *charged;
	size_t nr_charged, cap_charged;
};

void sf_groups_begin(struct sf_groups *g);
void sf_groups_free(struct sf_groups *g);
void sf_groups_act(struct sf_shadow *sh, const struct sf_ev_memcg *m);
uint32_t sf_group_of(const struct sf_groups *g, uint32_t id);
/* Is a group, or one above it, that one? Of a group that was destroyed too. */
bool sf_group_below(const struct sf_groups *g, uint32_t group, uint32_t above);
/* The first of the group and those above it that has no room for so many bytes more, or 0. */
uint32_t sf_group_full(const struct sf_groups *g, uint32_t group, uint64_t bytes);
void sf_group_charge(struct sf_shadow *sh, uint64_t addr, uint32_t bytes, uint32_t group);
/* Bytes that were charged there, 0: none. */
uint64_t sf_group_uncharge(struct sf_shadow *sh, uint64_t addr, uint64_t bytes);
const struct sf_charged *sf_group_charged(const struct sf_groups *g, uint64_t addr);
/* A page of a block that is charged as a whole: that block. */
const struct sf_charged *sf_group_charged_inside(const struct sf_groups *g, uint64_t addr,
						 uint64_t bytes);
void sf_group_move(struct sf_shadow *sh, uint64_t from, uint64_t to);
/*
 * What is charged for an object: bytes, and to whom; *mixed: to more than one group.
 */
uint64_t sf_group_of_object(const struct sf_shadow *sh, const struct sf_shadow_obj *o,
			    uint32_t *group, bool *mixed);

#endif
