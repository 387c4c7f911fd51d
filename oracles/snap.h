/* SPDX-License-Identifier: MIT */
/*
 * snap.h - a snapshot, collected from SNAP_BEGIN to SNAP_END and indexed for the rules.
 *
 * Events may come in any order in between. Arrays keep their memory from one snapshot to the next.
 * Relies on taken.h; the rules that need a walk read it.
 */
#ifndef SLABFUZZ_SNAP_H
#define SLABFUZZ_SNAP_H

#include "taken.h"

struct sf_shadow;

#define SF_CPUS_MAX 256u

struct sf_snap_slab {
	struct sf_ev_snapslab ev; /* .free and .stored are not valid; .addr is, at SNAP_END */
	size_t free;              /* of its addresses in pool */
	bool orphan;              /* its cache was destroyed over it */
	uint32_t live, parked;
};

struct sf_snap_sheaf {
	struct sf_ev_snapsheaf ev; /* .objs is not valid */
	size_t objs;
};

struct sf_snap_pcp {
	struct sf_ev_snappcp ev; /* .pfns is not valid */
	size_t pfns;
};

enum sf_page_state {
	SF_PAGE_NONE, /* not reported */
	SF_PAGE_FREE,
	SF_PAGE_PCP,
	SF_PAGE_SLAB,
	SF_PAGE_USED,
	SF_PAGE_LOST, /* reported as neither free nor known */
	SF_PAGE_STATES,
};

/*
 * Sums over the slabs and sheaves of one cache. Slabs that wait for a grace period are no longer
 * its own; objects in sheaves that do are alive, not parked.
 */
struct sf_snap_sum {
	uint64_t slabs, objects, inuse, nr_free, partial, partial_free, empty, parked, promoted;
	uint64_t waiting;    /* objects in sheaves that wait for a grace period */
	uint64_t in_barn, in_sheaves; /* objects in sheaves whose number is bounded */
	bool marked; /* some slab or sheaf of it was reported */
	bool shown;  /* its own counters were: for slab_rules.c */
};

/* Growing array of one kind of event. */
#define SF_SNAP_LIST(type, name) \
	type *name;              \
	size_t nr_##name, cap_##name

struct sf_snapshot {
	bool open;
	struct sf_ev_snap head;
	bool has_counters;
	struct sf_ev_counters counters;
	SF_SNAP_LIST(struct sf_ev_snapcache, caches);
	SF_SNAP_LIST(struct sf_snap_slab, slabs);
	SF_SNAP_LIST(struct sf_snap_sheaf, sheaves);
	SF_SNAP_LIST(struct sf_ev_snapblock, blocks);
	SF_SNAP_LIST(struct sf_snap_pcp, pcps);
	SF_SNAP_LIST(struct sf_ev_snapused, used);
	SF_SNAP_LIST(struct sf_ev_snappb, pbs);
	SF_SNAP_LIST(struct sf_ev_snapmemcg, memcgs);
	SF_SNAP_LIST(uint64_t, pool);
	SF_SNAP_LIST(uint32_t, ids); /* index too: caches that were reported, or that this run
					has touched, ascending */
	uint64_t *listed;        /* bit by cache id, for ids */
	size_t cap_listed;
	/* index, made at SNAP_END */
	struct sf_snap_sum *sum; /* by cache id, nr_sum of them */
	size_t nr_sum, cap_sum;
	uint64_t pages;          /* of the arena, 0: unknown and there is no index by page */
	size_t cap_pages;
	uint64_t *taken;         /* a bit per pfn: it has a state */
	uint8_t *head_at;        /* by pfn: 1 + order of a free block */
	uint32_t *owner;         /* by pfn: 1 + index in slabs */
	struct sf_page_bits *parked; /* by pfn, granules of free and parked objects; all zero
					between the calls that use it */
	bool sound;              /* every free or parked object is one, free once, and not alive */
	/* the first page that two things had, or SF_NO_PFN */
	uint64_t twice;
	uint8_t twice_as[2];
	uint64_t counted;        /* pages that have a state */
};

void sf_snap_begin(struct sf_snapshot *s, const struct sf_ev_snap *ev);
void sf_snap_add(struct sf_snapshot *s, const struct sf_event *ev, size_t *bytes);
/* Index. */
void sf_snap_close(struct sf_snapshot *s, const struct sf_shadow *sh, size_t *bytes);
void sf_snap_free(struct sf_snapshot *s);

/* Slab that holds an address, or NULL. */
struct sf_snap_slab *sf_snap_slab_of(const struct sf_snapshot *s, const struct sf_shadow *sh,
				     uint64_t addr);

#endif
