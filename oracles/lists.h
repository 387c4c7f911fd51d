/* SPDX-License-Identifier: MIT */
/*
 * lists.h - in which order blocks are on the zone's free lists and on the per-CPU lists. Blocks
 * that boot left are between what is put before them and what is put behind them: in ascending
 * order (mm/page_alloc.c:__free_pages_core), or, once they are shuffled, in one that is not known.
 * Of an order below the largest there is but one, at the zone's end. Relies on the contract
 * headers; zone.c drives it, list_rules.c reads it.
 */
#ifndef SLABFUZZ_LISTS_H
#define SLABFUZZ_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../allocators/allocator.h"

#define SF_PCP_LISTS 14u /* 3 types of orders 0 to 3, and two of order 9 */
#define SF_ON_LIST_NONE UINT32_MAX

struct sf_lists {
	uint32_t *next, *prev; /* circles: by pfn, then a head for each list, then boot's blocks */
	uint32_t *on;          /* by pfn: the list, plus 1; 0: boot's; or SF_ON_LIST_NONE */
	uint64_t cap;          /* pfns */
	uint32_t cpus;
	uint32_t boot[SF_NR_ORDERS][SF_MIGRATE_TYPES]; /* blocks of boot's that are left */
	uint64_t boot_low;     /* below it, none of the largest order */
	bool shuffled;
};

void sf_lists_grow(struct sf_lists *l, uint64_t cap, size_t *bytes);
void sf_lists_free(struct sf_lists *l);
/* Fresh: what boot left is on the lists of `type`, by order. */
void sf_lists_begin(struct sf_lists *l, uint32_t cpus, unsigned int type, const uint32_t *boot_nr);
/* The pages of a chunk are as at boot. */
void sf_lists_boot(struct sf_lists *l, uint64_t first, uint64_t nr);

uint32_t sf_free_list(unsigned int order, unsigned int type);
uint32_t sf_pcp_list(unsigned int cpu, unsigned int list);
void sf_list_add(struct sf_lists *l, uint32_t list, uint64_t pfn, bool tail);
/* Off a list; of a free list it may be a block that boot put there. */
void sf_list_del(struct sf_lists *l, uint32_t list, uint64_t pfn);
/* Could it be the first, the last of the list? */
bool sf_list_first(struct sf_lists *l, uint32_t list, uint64_t pfn);
bool sf_list_last(const struct sf_lists *l, uint32_t list, uint64_t pfn);
bool sf_list_empty(const struct sf_lists *l, uint32_t list);

#endif
