/* SPDX-License-Identifier: MIT */
/*
 * pressure.h - what can be reclaimed in the course of a program: by the counters, by the truth, and
 * how memory of different mobility shares page blocks, when most of it could be.
 *
 * Relies on the judge, which knows the truth, and on event.h; `slabfuzz compare --reclaim` relies
 * on it.
 */
#ifndef SLABFUZZ_PRESSURE_H
#define SLABFUZZ_PRESSURE_H

#include "../../oracles/oracle.h"

/* A snapshot. */
struct sf_pressure_moment {
	struct sf_reclaim_sums sums;
	uint64_t free, slab_reclaimable, slab_unreclaimable, totalreserve; /* pages */
	uint64_t managed;
	/* page blocks with slabs of reclaimable caches; of these: with other memory as well */
	uint64_t blocks, mixed;
	uint64_t operations; /* carried out before it */
};

struct sf_pressure {
	struct sf_judge *judge;
	struct sf_pressure_moment now, most; /* most: with the greatest truth */
	uint64_t pageblock_order;
	/* by page block: bits, what of it is in use */
	uint8_t *block;
	size_t cap_blocks, nr_blocks;
	uint8_t *reclaimable; /* by cache id */
	size_t cap_caches;
};

/* `judge` sees all events first; it must judge ACC-11 and ACC-14. */
void sf_pressure_init(struct sf_pressure *p, struct sf_judge *judge);
/* Fits struct sf_sink.emit. */
void sf_pressure_event(void *pressure, const struct sf_event *ev);
/* The snapshot that is complete now was taken after so many operations. */
void sf_pressure_note(struct sf_pressure *p, uint64_t operations);
void sf_pressure_free(struct sf_pressure *p);

/*
 * Pages that a process could be given at that moment if all that can be reclaimed were counted
 * (mm/util.c:__vm_enough_memory of 4.16, with the truth for NR_SLAB_RECLAIMABLE).
 */
uint64_t sf_pressure_obtainable(const struct sf_pressure_moment *m);

#endif
