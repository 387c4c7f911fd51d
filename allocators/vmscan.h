/* SPDX-License-Identifier: MIT */
/*
 * vmscan.h - reclaim (vmscan.c), after mm/vmscan.c and mm/shrinker.c of Linux 7.2.
 *
 * Any object, sheaf, list or slab of any cache may change in a round. Rounds do not nest: within
 * one nothing happens, and there is no progress.
 */
#ifndef SLABFUZZ_VMSCAN_H
#define SLABFUZZ_VMSCAN_H

#include "heap.h"

/* Direct reclaim (mm/vmscan.c:try_to_free_pages): pages of progress. */
uint64_t vmscan_direct(struct sf_heap *h, uint32_t gfp, unsigned int order);
/* Of what is charged to a group and below (try_to_free_mem_cgroup_pages): pages of progress. */
uint64_t vmscan_memcg(struct sf_heap *h, uint32_t memcg, uint32_t gfp);
/* The interface's kswapd() and shrink(). */
void vmscan_kswapd(struct sf_heap *h);
uint64_t vmscan_shrink(struct sf_heap *h, uint64_t n);
/* Counters of /proc/vmstat at 0; shrinkers are lru_reset()'s. */
void vmscan_reset(struct sf_heap *h);
void vmscan_free(struct sf_heap *h);

#endif
