/* SPDX-License-Identifier: MIT */
/*
 * grid.h - counts by size class and partition as a table: a line for each class that has any, a
 * column for each partition. Relies on nothing; types and slabinfo rely on it.
 */
#ifndef SLABFUZZ_GRID_H
#define SLABFUZZ_GRID_H

#include <stdint.h>

#define SF_GRID_ROWS 32u /* more classes than kmalloc has; what comes after is not counted */
#define SF_GRID_COLUMNS 16u

struct sf_grid {
	struct sf_grid_row {
		uint32_t class; /* 0: larger than all */
		uint64_t n[SF_GRID_COLUMNS];
	} row[SF_GRID_ROWS];    /* by size, 0 last */
	unsigned int nr;
};

void sf_grid_add(struct sf_grid *g, uint32_t class, unsigned int partition, uint64_t n);
void sf_grid_print(const struct sf_grid *g);
/* As in names of caches: 96, 1k. */
void sf_class_name(uint32_t class, char buf[16]);

#endif
