/* SPDX-License-Identifier: MIT */
/*
 * prefill.h - prefilled sheaves (prefill.c), after mm/slub.c of Linux 7.2: objects that a caller
 * sets aside while it may wait, for when it may not. The interface's functions of these names;
 * a sheaf is its caller's from sheaf_prefill() until sheaf_return(), known by a number from 1 on.
 */
#ifndef SLABFUZZ_PREFILL_H
#define SLABFUZZ_PREFILL_H

#include "heap.h"

uint32_t sheaf_prefill(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t n,
		       struct sf_result *rs);
void sheaf_alloc(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t sheaf,
		 struct sf_result *rs);
enum sf_status sheaf_refill(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t *sheaf,
			    uint32_t n);
enum sf_status sheaf_return(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t sheaf);
uint32_t sheaf_size(struct sf_heap *h, uint32_t sheaf);

#endif
