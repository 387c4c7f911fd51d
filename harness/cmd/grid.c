// SPDX-License-Identifier: MIT
/*
 * grid.c - grid.h.
 */
#include "grid.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void sf_class_name(uint32_t class, char buf[16])
{
	snprintf(buf, 16, class >= 1024 ? "%uk" : "%u", class >= 1024 ? class / 1024 : class);
}

static struct sf_grid_row *row_of(struct sf_grid *g, uint32_t class)
{
	unsigned int at = 0;

	/* Minus one: 0 comes last. */
	while (at < g->nr && g->row[at].class - 1 < class - 1)
		at++;
	if (at < g->nr && g->row[at].class == class)
		return &g->row[at];
	if (g->nr == SF_GRID_ROWS)
		return NULL;
	memmove(&g->row[at + 1], &g->row[at], (g->nr++ - at) * sizeof(g->row[0]));
	g->row[at] = (struct sf_grid_row){ .class = class };
	return &g->row[at];
}

void sf_grid_add(struct sf_grid *g, uint32_t class, unsigned int partition, uint64_t n)
{
	struct sf_grid_row *r = n ? row_of(g, class) : NULL;

	if (r)
		r->n[partition % SF_GRID_COLUMNS] += n;
}

void sf_grid_print(const struct sf_grid *g)
{
	char name[16];

	printf("%-7s", "class");
	for (unsigned int i = 0; i < SF_GRID_COLUMNS; i++)
		printf(" %5u", i);
	putchar('\n');
	for (unsigned int r = 0; r < g->nr; r++) {
		sf_class_name(g->row[r].class, name);
		printf("%-7s", g->row[r].class ? name : "larger");
		for (unsigned int i = 0; i < SF_GRID_COLUMNS; i++)
			if (g->row[r].n[i])
				printf(" %5" PRIu64, g->row[r].n[i]);
			else
				printf(" %5s", ".");
		putchar('\n');
	}
}
