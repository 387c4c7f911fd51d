/* SPDX-License-Identifier: MIT */
/*
 * mutate.h - structure-aware mutation and generation of programs. Knows no engine: libFuzzer's and
 * AFL++'s hooks are a page of glue each (harness/entry).
 */
#ifndef SLABFUZZ_MUTATE_H
#define SLABFUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

#include "../../allocators/base/rng.h"
#include "../program/program.h"

/*
 * What programs are drawn for: capabilities (allocator.h). An operation that would be skipped for
 * want of one is not drawn; where there is SF_CAP_MALLOC the words of user space are. This stands
 * for all models together: one that lacks something skips it, and is compared with one that does
 * not.
 */
#define SF_DRAW_KERNEL ((uint64_t)SF_CAP_MALLOC - 1)

/* A swarm: weights of operations; some are 0. Drawn anew for each generated program. */
struct sf_swarm {
	uint64_t caps;
	uint16_t weight[SF_CODE_MAX + 1];
	uint32_t total;
};
void sf_swarm_draw(struct sf_swarm *sw, uint64_t caps, struct sf_rng *r);

/* Replaces *p by a generated, valid program of nr_ops operations. */
void sf_generate(struct sf_prog *p, uint32_t nr_ops, const struct sf_swarm *sw, struct sf_rng *r);

/*
 * One to a few changes; if there is an `other`, the first one splices from it. Result is valid, and
 * in words that the allocator has: what came in others is said in those.
 */
void sf_mutate(struct sf_prog *p, const struct sf_prog *other, uint64_t caps, struct sf_rng *r);

/*
 * The engines' form: decode, mutate, encode; 1 time in 8 a program generated anew instead, unless
 * size > max_size (libFuzzer's minimisation asks that). Never longer than max_size, never 0 bytes.
 * Returns the new size. Allocates nothing per call once warm, but the index of a new program.
 */
size_t sf_mutate_bytes(uint8_t *data, size_t size, size_t max_size, const uint8_t *other,
		       size_t other_size, uint64_t caps, uint64_t seed);

#endif
