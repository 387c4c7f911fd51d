/* SPDX-License-Identifier: MIT */
/*
 * designs.h - what the designs of kmalloc promise: a row for each.
 *
 * A heap's design is announced by capabilities (HEAP). Of one that has no row here nothing is known
 * but that it follows rules of its own: it is judged for consistency (consistency.c), and what
 * rests on size classes and partitions is skipped and counted. Relies on rules.h; the shadow keeps
 * the heap's row, the rules of selection, alignment and size ask it.
 */
#ifndef SLABFUZZ_DESIGNS_H
#define SLABFUZZ_DESIGNS_H

#include "rules.h"

/* What the partition of an ordinary kmalloc comes from. */
enum sf_partition_by {
	SF_BY_NOTHING, /* there is but one */
	SF_BY_SITE,    /* hash of the call site and the seed of the boot */
	SF_BY_TOKEN,   /* alloc token */
};

/*
 * SF_DESIGNS(X): X(identifier, capabilities that announce it, partitions of ordinary kmalloc, what
 * a request's comes from, first partition of the half whose types have pointers or 0: there are no
 * halves). All have the kernel's size classes (mm/slab_common.c).
 */
#define SF_DESIGNS(X)                                                                  \
	X(PLAIN, 0, 1, NOTHING, 0)                                                     \
	X(RANDOM, SF_CAP_RANDOM, 16, SITE, 0)                                          \
	X(TYPED, SF_CAP_TYPED, 16, TOKEN, 8)

/* What announces a design, known or not. */
#define SF_DESIGN_CAPS (SF_CAP_RANDOM | SF_CAP_TYPED | SF_CAP_OWN_DESIGN)

#define SF_NO_DESIGN "the allocator places by rules of its own"

struct sf_design {
	uint64_t caps;
	uint8_t partitions;
	uint8_t by;            /* enum sf_partition_by */
	uint8_t pointers_from;
};

/* The row of what these capabilities announce, or NULL: there is none. */
const struct sf_design *sf_design_of(uint64_t caps);

/* Are there copies of the ordinary caches that must stay apart? */
static inline bool sf_design_parts(const struct sf_design *d)
{
	return d && d->partitions > 1;
}

static inline bool sf_design_halves(const struct sf_design *d)
{
	return d && d->pointers_from;
}

/* Of which half is that partition, where there are halves? */
static inline bool sf_design_pointers(const struct sf_design *d, unsigned int partition)
{
	return partition >= d->pointers_from;
}

/* Partition that is due to an ordinary kmalloc under a design that is known. */
static inline uint8_t sf_design_partition(const struct sf_design *d, uint64_t seed,
					  const struct sf_ev_alloc *a)
{
	switch (d->by) {
	case SF_BY_SITE:
		return sf_site_partition(a->site, seed);
	case SF_BY_TOKEN:
		return (uint8_t)a->token;
	default:
		return 0;
	}
}

#endif
