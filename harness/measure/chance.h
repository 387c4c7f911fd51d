/* SPDX-License-Identifier: MIT */
/*
 * chance.h - what a count of trials says of a chance: Wilson's 95 % interval, which holds for few
 * trials and near 0 and 1 as well. It takes trials for independent of each other.
 */
#ifndef SLABFUZZ_CHANCE_H
#define SLABFUZZ_CHANCE_H

#include <math.h>
#include <stdint.h>

struct sf_chance {
	uint64_t hits, n;
	double share, low, high; /* n 0: nothing is known, 0 to 1 */
};

static inline struct sf_chance sf_chance(uint64_t hits, uint64_t n)
{
	double z = 1.959964, m = (double)n, p = n ? (double)hits / m : 0;
	double mid = (p + z * z / (2 * m)) / (1 + z * z / m);
	double half = z * sqrt(p * (1 - p) / m + z * z / (4 * m * m)) / (1 + z * z / m);

	if (!n)
		return (struct sf_chance){ 0, 0, 0, 0, 1 };
	return (struct sf_chance){ hits, n, p, hits ? mid - half : 0, hits < n ? mid + half : 1 };
}

#endif
