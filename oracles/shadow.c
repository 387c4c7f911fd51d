// SPDX-License-Identifier: MIT
/*
 * shadow.c - the shadow as a whole: a heap, a program, the end. Its parts are in files of their own
 * (shadow.h lists them); intake.c calls it.
 */
#include "shadow.h"

#include <stdlib.h>
#include <string.h>

#include "areas.h"
#include "caches.h"
#include "designs.h"
#include "groups.h"
#include "objects.h"
#include "taken.h"
#include "zone.h"

/* What is promised where nobody says anything: the table's defaults. */
static const struct sf_traits unsaid = {
#define X(code, field, def, lo, hi, unit, doc) .field = def,
	SF_TRAITS(X)
#undef X
};

static void drop_all(struct sf_shadow *sh)
{
	sf_objects_clear(sh);
	sh->grace = 0;
	if (sh->groups.used)
		sf_groups_begin(&sh->groups);
	for (size_t i = 0; sh->vm_mapped && i < sh->vm_high; i++) {
		if (!sh->vm_pfn[i])
			continue;
		sh->direct.used[sh->vm_pfn[i] - 1] = 0;
		sh->vm_pfn[i] = 0;
		sh->vm_mapped--;
	}
	sh->vm_high = 0;
	sh->vm_mapped = 0;
	if (sh->pools.used)
		sf_pools_begin(sh);
}

void sf_shadow_heap(struct sf_shadow *sh, const struct sf_ev_heap *heap)
{
	drop_all(sh);
	sh->run++;
	sh->caps = heap->caps;
	sh->design = sf_design_of(heap->caps);
	sh->exact = heap->exact;
	sh->partition_seed = heap->partition_seed;
	sh->traits = heap->traits ? *heap->traits : unsaid;
	if (heap->settings)
		sh->set = *heap->settings;
	else
		sf_settings_init(&sh->set);
	sf_caches_clear(sh);
	if (sh->site_seen)
		memset(sh->site, 0, SF_SITES);
	sh->site_seen = false;
	sf_windows_setup(sh, heap);
	sf_zone_setup(sh, (heap->caps & SF_CAP_TRACE) ? sh->direct.pages : 0);
}

void sf_shadow_begin(struct sf_shadow *sh)
{
	drop_all(sh);
	if (sh->exact) {
		sh->run++;
		sf_slabs_forget(sh);
		sf_zone_begin(&sh->zone);
	}
	sf_caches_begin(sh);
}

void sf_shadow_free(struct sf_shadow *sh)
{
	free(sh->obj);
	free(sh->tied);
	sf_windows_free(sh);
	sf_caches_free(sh);
	free(sh->site);
	free(sh->side);
	sf_groups_free(&sh->groups);
	sf_pools_free(sh);
	sf_zone_free(&sh->zone);
}
