// SPDX-License-Identifier: MIT
/*
 * meminfo.c - meminfo.h. Formats are those of fs/proc/meminfo.c and mm/vmstat.c, with one zone
 * ("Normal") on one node.
 */
#include "meminfo.h"

#include <inttypes.h>
#include <string.h>

static void begin(struct sf_meminfo *m, const struct sf_ev_snap *snap)
{
	m->complete = false;
	m->managed = snap->managed;
	memset(m->free, 0, sizeof(m->free));
	memset(m->types, 0, sizeof(m->types));
	memset(&m->c, 0, sizeof(m->c));
}

void sf_meminfo_event(void *info, const struct sf_event *ev)
{
	struct sf_meminfo *m = info;

	switch (ev->type) {
	case SF_EV_HEAP:
		m->indirect = ev->heap.settings->accounting == 1;
		m->pageblock_order = ev->heap.settings->pageblock_order;
		break;
	case SF_EV_BEGIN:
		m->vmalloc_pages = 0;
		break;
	case SF_EV_MAP:
		m->vmalloc_pages += ev->map.pages;
		break;
	case SF_EV_UNMAP:
		m->vmalloc_pages -= ev->map.pages;
		break;
	case SF_EV_SNAP_BEGIN:
		begin(m, &ev->snap);
		break;
	case SF_EV_SNAP_BLOCK:
		if (ev->snapblock.order < SF_NR_ORDERS && ev->snapblock.list < SF_MIGRATE_TYPES)
			m->free[ev->snapblock.order][ev->snapblock.list]++;
		break;
	case SF_EV_SNAP_PAGEBLOCK:
		if (ev->snappb.migratetype < SF_MIGRATE_TYPES)
			m->types[ev->snappb.migratetype]++;
		break;
	case SF_EV_SNAP_COUNTERS:
		m->c = ev->counters;
		m->complete = true;
		break;
	}
}

void sf_meminfo_meminfo(const struct sf_meminfo *m, FILE *out)
{
#define X(name, pages) fprintf(out, "%-16s%8" PRIu64 " kB\n", name ":", (uint64_t)(pages) * 4);
	SF_MEMINFO_LINES(X)
#undef X
}

void sf_meminfo_vmstat(const struct sf_meminfo *m, FILE *out)
{
#define X(name, value) fprintf(out, "%s %" PRIu64 "\n", name, (uint64_t)(value));
	SF_VMSTAT_LINES(X)
#undef X
}

uint64_t sf_meminfo_free(const struct sf_meminfo *m, unsigned int order)
{
	uint64_t n = 0;

	for (unsigned int t = 0; t < SF_MIGRATE_TYPES; t++)
		n += m->free[order][t];
	return n;
}

/* mm/vmstat.c:frag_show_print */
void sf_meminfo_buddyinfo(const struct sf_meminfo *m, FILE *out)
{
	fprintf(out, "Node %d, zone %8s ", 0, "Normal");
	for (unsigned int order = 0; order < SF_NR_ORDERS; order++)
		fprintf(out, "%6" PRIu64 " ", sf_meminfo_free(m, order));
	putc('\n', out);
}

const char *const sf_meminfo_types[SF_MIGRATE_TYPES] = {
	[SF_MIGRATE_UNMOVABLE] = "Unmovable",
	[SF_MIGRATE_MOVABLE] = "Movable",
	[SF_MIGRATE_RECLAIMABLE] = "Reclaimable",
	[SF_MIGRATE_HIGHATOMIC] = "HighAtomic",
};

/* Page blocks that a snapshot does not show are as at boot. */
uint64_t sf_meminfo_blocks(const struct sf_meminfo *m, unsigned int type)
{
	uint64_t n = m->managed ? ((m->managed - 1) >> m->pageblock_order) + 1 : 0;

	if (type != SF_MIGRATE_MOVABLE)
		return m->types[type];
	for (unsigned int t = 0; t < SF_MIGRATE_TYPES; t++)
		n -= t == SF_MIGRATE_MOVABLE || m->types[t] > n ? 0 : m->types[t];
	return n;
}

/* mm/vmstat.c:pagetypeinfo_show */
void sf_meminfo_pagetypeinfo(const struct sf_meminfo *m, FILE *out)
{
	fprintf(out, "Page block order: %" PRIu64 "\nPages per block:  %" PRIu64 "\n\n",
		m->pageblock_order, (uint64_t)1 << m->pageblock_order);
	fprintf(out, "%-43s ", "Free pages count per migrate type at order");
	for (unsigned int order = 0; order < SF_NR_ORDERS; order++)
		fprintf(out, "%6u ", order);
	putc('\n', out);
	for (unsigned int t = 0; t < SF_MIGRATE_TYPES; t++) {
		fprintf(out, "Node %4d, zone %8s, type %12s ", 0, "Normal", sf_meminfo_types[t]);
		for (unsigned int order = 0; order < SF_NR_ORDERS; order++)
			fprintf(out, "%6" PRIu64 " ", m->free[order][t]);
		putc('\n', out);
	}
	fprintf(out, "\n%-23s", "Number of blocks type ");
	for (unsigned int t = 0; t < SF_MIGRATE_TYPES; t++)
		fprintf(out, "%12s ", sf_meminfo_types[t]);
	fprintf(out, "\nNode %d, zone %8s ", 0, "Normal");
	for (unsigned int t = 0; t < SF_MIGRATE_TYPES; t++)
		fprintf(out, "%12" PRIu64 " ", sf_meminfo_blocks(m, t));
	putc('\n', out);
}
