/* SPDX-License-Identifier: MIT */
/*
 * overcommit.h - estimates of memory (overcommit.c), in pages, after mm/show_mem.c, mm/page_alloc.c
 * and mm/util.c of Linux 7.2.
 */
#ifndef SLABFUZZ_OVERCOMMIT_H
#define SLABFUZZ_OVERCOMMIT_H

#include "heap.h"

/* MemAvailable (mm/show_mem.c:si_mem_available). */
uint64_t mem_available(const struct sf_heap *h);
/* totalreserve_pages (mm/page_alloc.c:calculate_totalreserve_pages). */
uint64_t totalreserve(const struct sf_heap *h);
/* NR_KERNEL_MISC_RECLAIMABLE. */
uint64_t misc_reclaimable(const struct sf_heap *h);
/* The interface's vm_enough_memory(): SF_NULL, after an OOM event, if it is refused. */
enum sf_status overcommit_enough(struct sf_heap *h, uint64_t pages);

#endif
