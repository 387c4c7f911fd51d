/* SPDX-License-Identifier: MIT */
/*
 * meminfo.h - the memory of a heap as a kernel shows it: /proc/meminfo, vmstat, buddyinfo,
 * pagetypeinfo, from the events of one snapshot.
 *
 * Counters are the allocator's own (SNAP_COUNTERS); free blocks by order and type, and page blocks,
 * are added up from what a walk found. Relies on event.h alone; `slabfuzz slabinfo` relies on it.
 */
#ifndef SLABFUZZ_MEMINFO_H
#define SLABFUZZ_MEMINFO_H

#include <stdio.h>

#include "../../allocators/event.h"
#include "../../allocators/gfp.h"

struct sf_meminfo {
	bool complete;           /* a snapshot with counters has been seen */
	bool indirect;           /* the design has a counter for memory that goes with its owner */
	uint64_t managed;        /* pages */
	uint64_t pageblock_order;
	uint64_t vmalloc_pages;  /* mapped now */
	uint64_t free[SF_NR_ORDERS][SF_MIGRATE_TYPES]; /* blocks on free lists */
	uint64_t types[SF_MIGRATE_TYPES];              /* page blocks that are not MOVABLE */
	struct sf_ev_counters c;
};

/* Fits struct sf_sink.emit. */
void sf_meminfo_event(void *info, const struct sf_event *ev);

/*
 * SF_MEMINFO_FILES(X): X(name, what it is) - the shapes; sf_meminfo_NAME() prints each. Lines that
 * this model has nothing for (page cache, processes, swap) are left out, not shown as 0.
 */
#define SF_MEMINFO_FILES(X)                                                                  \
	X(meminfo, "memory in kB, as /proc/meminfo")                                         \
	X(vmstat, "counters, as /proc/vmstat")                                               \
	X(buddyinfo, "free blocks by order, as /proc/buddyinfo")                             \
	X(pagetypeinfo, "free blocks by type and order, page blocks by type, as /proc/pagetypeinfo")

#define X(name, doc) void sf_meminfo_##name(const struct sf_meminfo *m, FILE *out);
SF_MEMINFO_FILES(X)
#undef X

extern const char *const sf_meminfo_types[SF_MIGRATE_TYPES]; /* as pagetypeinfo spells them */
/* Free blocks of an order, all types; page blocks of a type. */
uint64_t sf_meminfo_free(const struct sf_meminfo *m, unsigned int order);
uint64_t sf_meminfo_blocks(const struct sf_meminfo *m, unsigned int type);

/* SF_MEMINFO_LINES(X): X(name in /proc/meminfo, pages) of a struct sf_meminfo `m`. */
#define SF_MEMINFO_LINES(X)                                                                  \
	X("MemTotal", m->managed)                                                            \
	X("MemFree", m->c.nr_free_pages)                                                     \
	X("MemAvailable", m->c.mem_available)                                                \
	X("KReclaimable", m->c.nr_slab_reclaimable +                                         \
			  (m->indirect ? 0 : m->c.nr_kernel_misc_reclaimable))               \
	X("Slab", m->c.nr_slab_reclaimable + m->c.nr_slab_unreclaimable)                     \
	X("SReclaimable", m->c.nr_slab_reclaimable)                                          \
	X("SUnreclaim", m->c.nr_slab_unreclaimable)                                          \
	X("VmallocUsed", m->vmalloc_pages)

/* SF_VMSTAT_LINES(X): X(name in /proc/vmstat, value) of a struct sf_meminfo `m`. */
#define SF_VMSTAT_LINES(X)                                                                   \
	X("nr_free_pages", m->c.nr_free_pages)                                               \
	X("nr_slab_reclaimable", m->c.nr_slab_reclaimable)                                   \
	X("nr_slab_unreclaimable", m->c.nr_slab_unreclaimable)                               \
	X("nr_kernel_misc_reclaimable", m->c.nr_kernel_misc_reclaimable)                     \
	X("nr_free_highatomic", m->c.nr_free_highatomic)                                     \
	X("allocstall_normal", m->c.allocstall)                                              \
	X("pgmigrate_success", m->c.pgmigrate_success)                                       \
	X("compact_stall", m->c.compact_stall)                                               \
	X("compact_success", m->c.compact_success)                                           \
	X("slabs_scanned", m->c.slabs_scanned)                                               \
	X("drop_slab", m->c.drop_slab)                                                       \
	X("oom_kill", m->c.oom_kill)

#endif
