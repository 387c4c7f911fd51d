/* SPDX-License-Identifier: MIT */
/*
 * blind.h - the attack that critics of sealed memory named: sealed or not, its pages are in the
 * direct map as well, and a writer who does not know where hits it by chance. How
 * often, is found by writing.
 *
 * Relies on the allocator interface; `slabfuzz compare --sealed` relies on it.
 */
#ifndef SLABFUZZ_BLIND_H
#define SLABFUZZ_BLIND_H

#include "../../allocators/allocator.h"

#define SF_BLIND_OBJECT 256u /* bytes of each object of the pool; one of them is the target */
#define SF_BLIND_LAYOUTS 64u

struct sf_blind_options {
	const struct sf_allocator *allocator; /* with pools and misuse */
	struct sf_settings settings;
	uint32_t pool_pages;
	uint64_t writes; /* of 8 bytes each, over all layouts */
	uint64_t seed;
};

struct sf_blind_result {
	uint64_t writes;
	uint64_t object, pool; /* that changed the target; anything in the pool */
	uint64_t refused;      /* that faulted */
	uint64_t layouts, known; /* of these a write to the target's address there changed it */
	uint64_t map_bytes, object_bytes, pool_bytes;
};

/*
 * In each layout pages of others come first, as many as is drawn; then a pool is filled and sealed.
 * Then 8 bytes are inverted at addresses of the direct map, each drawn anew among all multiples of
 * 8; whether the pool has changed is read at its own addresses; and what was there is put back.
 * False, with a line in `err`: there is no such heap or pool.
 */
bool sf_blind_run(const struct sf_blind_options *opt, struct sf_blind_result *r,
		  struct sf_error *err);

#endif
