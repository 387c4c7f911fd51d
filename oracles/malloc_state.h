/* SPDX-License-Identifier: MIT */
/*
 * malloc_state.h - what the rules of user space (MAL) must remember of a run, and what they ask
 * alike. Relies on judge.h; malloc_rules.c and heap_rules.c keep it, judge.c frees it.
 */
#ifndef SLABFUZZ_MALLOC_STATE_H
#define SLABFUZZ_MALLOC_STATE_H

#include "judge.h"

#define SF_GOODS 32u   /* good sizes that are remembered */
#define SF_BLOCKS 256u /* blocks of heaps that are looked after */

/* A block that a heap of the program has. */
struct sf_heap_block {
	uint32_t heap, region;
	uint64_t addr, size; /* addr 0: not known */
};

/* What is in the statistics and is no object of the program; it does not change. */
struct sf_stats_base {
	bool live_seen, used_seen;
	uint64_t live;             /* objects */
	uint64_t used_lo, used_hi; /* bytes: between these */
	uint64_t peak;
	bool free_seen;
	uint64_t free, free_of; /* bytes with nothing alive, of a total of so many */
};

struct sf_malloc_state {
	struct sf_ev_goodsize good[SF_GOODS];
	uint32_t nr_good;  /* asked in this run; the last SF_GOODS are there */
	struct sf_heap_block block[SF_BLOCKS];
	uint32_t nr_blocks;
	bool lost_blocks;  /* there were more */
	bool resize_failed; /* a realloc(), of an object that is still there */
	struct sf_stats_base base, alone; /* alone: as it was before there was a block */
	uint64_t fitted;   /* largest request that an empty heap met ... */
	uint32_t refused;  /* ... and how often running it met none as small */
};

/* This run's; made when it is first asked for. */
struct sf_malloc_state *sf_malloc_state(struct sf_judge *j);
void sf_malloc_state_free(struct sf_judge *j);

/* A word of user space? */
static inline bool sf_is_user(const struct sf_ev_alloc *a)
{
	return a->api == SF_API_FOREIGN;
}

/* ... that names an alignment. */
static inline bool sf_names_align(const struct sf_ev_alloc *a)
{
	return a->call == SF_CALL_ALIGNED_ALLOC || a->call == SF_CALL_POSIX_MEMALIGN ||
	       a->call == SF_CALL_MEMALIGN;
}

static inline bool sf_is_power(uint64_t n)
{
	return n && !(n & (n - 1));
}

/* For titles. */
const char *sf_call_name(uint8_t call);

#endif
