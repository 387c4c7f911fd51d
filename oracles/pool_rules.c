// SPDX-License-Identifier: MIT
/*
 * pool_rules.c - memory that is sealed (PMA): no way to write to it but a rare write, nothing in it
 * but what was written legitimately, nothing left of it in the end.
 *
 * Mappings are judged from what the process's own memory map says (MAPPING, MAPS), against areas
 * and seals as areas.c has them. MAPS comes from inside the call that POOL reports later, so what
 * the call is about is taken for done when the mappings are reported. Relies on judge.h; listed in
 * listing.h.
 */
#include "judge.h"
#include "areas.h"
#include "bitmap.h"
#include "caches.h"
#include "listing.h"
#include "objects.h"
#include "report.h"
#include "requests.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))
#define DIRECTMAP_SEALED 1u /* the setting `directmap`, as it is spelled */

/* --- what is in a pool --- */

unsigned int sf_pma_9(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint64_t product;
	bool over;

	if (a->api != SF_API_PMALLOC)
		return 0;
	over = a->overflow || (a->n != 1 && __builtin_mul_overflow(a->n, a->elem, &product));
	if ((!over && a->size) || (!a->addr && a->status != SF_OK))
		return 1;
	sf_title(j, SF_INV_PMA_9, over ? "a product that overflows got memory of a pool"
				       : "a request for nothing got memory of a pool");
	sf_report(j, ev, a->res, SF_NONE, "%llu * %llu gave %#llx", ULL(a->n), ULL(a->elem),
		  ULL(a->addr));
	return 1;
}

/* MAP, before the shadow: the pages must be this pool's alone. */
unsigned int sf_pma_6_map(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_map *m = &ev->map;
	const char *fault = NULL;
	uint64_t i;

	if (!m->pool || !m->pfns)
		return 0;
	for (i = 0; !fault && i < m->pages; i++) {
		uint64_t pfn = m->pfns[i];

		if (pfn >= z->pages || !sf_bit(z->out, pfn))
			fault = "a pool has a page that is not allocated";
		else if (j->sh.pools.used && sf_bit(j->sh.pools.pages, pfn))
			fault = "a page of a pool is in another area";
		else if (sf_bit(z->slabs, pfn))
			fault = "a page of a pool is in a slab";
		else if (j->sh.direct.used[pfn])
			fault = "a page of a pool is in use elsewhere";
	}
	if (!fault && sf_area_of(&j->sh, m->addr, 1))
		fault = "an area of a pool lies over another one";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_PMA_6, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "pool %u, %llu pages at %#llx, looked at %llu", m->pool,
		  ULL(m->pages), ULL(m->addr), ULL(i));
	return 1;
}

/* SLAB_NEW, before the shadow. */
unsigned int sf_pma_6_slab(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_slab *s = &ev->slab;

	if (!j->sh.pools.used || !sf_zone_has(&j->sh.zone, s->pfn, s->order))
		return 0;
	if (!sf_bits_any(j->sh.pools.pages, s->pfn, 1ull << s->order))
		return 1;
	sf_title(j, SF_INV_PMA_6, "a slab of %s is made of a pool's pages",
		 sf_name_of_cache(&j->sh, s->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "order %u at pfn %#llx", s->order, ULL(s->pfn));
	return 1;
}

/* An area that was begun for this object: as many as the pool wants, or as the object needs. */
static bool wrong_pages(const struct sf_judge *j, const struct sf_event *ev,
			const struct sf_area *area)
{
	const struct sf_pool *pool = sf_pool_of(&j->sh, area->pool);
	uint64_t due = sf_pages_of(ev->alloc.size);

	if (!pool || pool->map_op != ev->op + 1)
		return false;
	if (due < pool->refill)
		due = pool->refill;
	return area->pages != due;
}

static const char *area_fault(const struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_area *area = sf_area_of(&j->sh, a->addr, a->size);

	if (!area)
		return "an object of a pool lies in none of its areas";
	if (area->pool != a->pool)
		return "an object lies in another pool's area";
	if (wrong_pages(j, ev, area))
		return "a new area of a pool has other pages than it is to";
	if ((j->sh.caps & SF_CAP_PLACE) && a->place.kind != SF_PLACE_POOL)
		return "an object of a pool is said to lie elsewhere";
	return NULL;
}

unsigned int sf_pma_6_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const char *fault;

	if (a->api != SF_API_PMALLOC || !sf_got(a) || !j->sh.addresses)
		return 0;
	fault = area_fault(j, ev);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_PMA_6, "%s", fault);
	sf_report(j, ev, a->res, SF_NONE, "%#llx + %llu bytes, pool %u", ULL(a->addr),
		  ULL(a->size), a->pool);
	return 1;
}

unsigned int sf_pma_7(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_area *area;
	const struct sf_pool *pool;

	if (a->api != SF_API_PMALLOC || !sf_got(a))
		return 0;
	area = sf_area_of(&j->sh, a->addr, a->size);
	pool = area ? sf_pool_of(&j->sh, area->pool) : NULL;
	if (!pool)
		return 0;
	if (!area->sealed || pool->mode == SF_POOL_START_WR)
		return 1;
	sf_title(j, SF_INV_PMA_7, "an object comes from an area that is sealed");
	sf_report(j, ev, a->res, SF_NONE,
		  "%#llx + %llu bytes, pool %u, area of %llu pages at %#llx", ULL(a->addr),
		  ULL(a->size), a->pool, ULL(area->pages), ULL(area->addr));
	return 1;
}

/* --- writes --- */

/* Its contents are not what they were: nothing more is said of them. */
static void spoilt(struct sf_judge *j, uint32_t id)
{
	struct sf_shadow_obj *o = sf_shadow_find(&j->sh, id);

	if (o)
		o->flags |= SF_OBJ_REPORTED;
}

static bool is_spoilt(struct sf_judge *j, uint32_t id)
{
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, id);

	return !o || (o->flags & SF_OBJ_REPORTED);
}

unsigned int sf_pma_5_write(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_write *w = &ev->write;
	const struct sf_area *area = sf_area_of(&j->sh, w->addr, w->size);
	const char *fault = NULL;

	if (!area || !w->size || is_spoilt(j, w->id))
		return 0;
	if (area->sealed && w->status == SF_OK)
		fault = "a write to sealed memory did not fault";
	else if (area->sealed && w->bad != SF_GOOD)
		fault = "a write to sealed memory faulted and changed it";
	else if (!area->sealed && w->status != SF_OK)
		fault = "a write to memory that is not sealed faulted";
	else if (w->bad != SF_GOOD)
		fault = "a write to a pool left other contents than it wrote";
	if (!fault)
		return 1;
	spoilt(j, w->id);
	sf_title(j, SF_INV_PMA_5, "%s", fault);
	sf_report(j, ev, w->res, SF_NONE, "%llu bytes at %#llx, pool %u, status %u, byte %lld",
		  ULL(w->size), ULL(w->addr), area->pool, w->status, (long long)w->bad);
	return 1;
}

unsigned int sf_pma_5_rare(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_rare *r = &ev->rare;
	const char *fault = NULL;

	if (is_spoilt(j, r->id))
		return 0;
	if ((r->seen & 1) && r->before != SF_GOOD)
		fault = "a reader saw a rare write before its first store";
	else if ((r->seen & 2) && r->after != SF_GOOD)
		fault = "a reader did not see a rare write after its last store";
	else if (r->bad != SF_GOOD)
		fault = r->status == SF_OK ? "a rare write left other contents than it wrote"
					   : "a rare write that was refused changed contents";
	if (!fault)
		return 1;
	spoilt(j, r->id);
	sf_title(j, SF_INV_PMA_5, "%s", fault);
	sf_report(j, ev, r->res, SF_NONE,
		  "pool %u, %llu bytes at %#llx + %llu, status %u; before: byte %lld, after: %lld, "
		  "in the end: %lld", r->pool, ULL(r->size), ULL(r->addr), ULL(r->offset),
		  r->status, (long long)r->before, (long long)r->after, (long long)r->bad);
	return 1;
}

/* How a rare write is to be taken: NULL, it must be carried out. */
static const char *no_authority(const struct sf_judge *j, const struct sf_ev_rare *r,
				const struct sf_pool *pool, bool *near)
{
	uint64_t start = r->addr + r->offset, end = start + r->size;
	const struct sf_area *area;

	*near = false;
	if (!r->size)
		return "a rare write of nothing was carried out";
	if (start < r->addr || end < start)
		return "a rare write beyond all addresses was carried out";
	area = sf_area_of(&j->sh, start, r->size);
	if (!area || area->pool != r->pool)
		return "a rare write outside of the pool that it names was carried out";
	if (!sf_pool_rewritable(pool))
		return "a rare write was carried out in a pool whose mode is not for it";
	if (end - area->addr <= area->used)
		return NULL;
	/* what is left of the last object's word is unowned */
	*near = end - area->addr <= ((area->used + 7) & ~7ull);
	return "a rare write beyond the objects of an area was carried out";
}

unsigned int sf_pma_4(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_rare *r = &ev->rare;
	const struct sf_pool *pool = sf_pool_of(&j->sh, r->pool);
	const char *fault;
	bool near;

	if (!pool || !j->sh.addresses)
		return 0;
	fault = no_authority(j, r, pool, &near);
	if (fault ? r->status != SF_OK || near : r->status != SF_NOTICED)
		return 1;
	sf_title(j, SF_INV_PMA_4, "%s", fault ? fault : "a legitimate rare write was refused");
	sf_report(j, ev, r->res, SF_NONE, "pool %u of mode %u, %llu bytes at %#llx + %llu", r->pool,
		  pool->mode, ULL(r->size), ULL(r->addr), ULL(r->offset));
	return 1;
}

/* POOL, before the shadow. */
unsigned int sf_pma_4_open(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_pool *p = &ev->pool;
	const struct sf_pool *pool = sf_pool_of(&j->sh, p->pool);

	if (p->act != SF_POOL_UNPROTECT || !pool || p->status == SF_NULL)
		return 0;
	if (sf_pool_rewritable(pool) == (p->status == SF_OK))
		return 1;
	sf_title(j, SF_INV_PMA_4, p->status == SF_OK ?
		 "a pool was opened whose mode is not for it" :
		 "a pool was not opened whose mode is for it");
	sf_report(j, ev, p->res, SF_NONE, "pool %u of mode %u", p->pool, pool->mode);
	return 1;
}

/* --- mappings --- */

#define FEW_PAGES 16384u /* a quarter of what a process may have mappings (vm.max_map_count) */

/* Each run of pages has a mapping; mprotect() fails only when there would be too many of them. */
static bool few_mappings(const struct sf_judge *j)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < j->sh.pools.nr_areas; i++)
		pages += j->sh.pools.area[i].mapped ? j->sh.pools.area[i].pages : 0;
	return pages < FEW_PAGES;
}

static const char *pool_fault(const struct sf_judge *j, const struct sf_ev_pool *p,
			      const struct sf_pool *pool)
{
	static const uint8_t when[] = {
		[SF_POOL_PROTECT] = SF_MAPS_PROTECT, [SF_POOL_UNPROTECT] = SF_MAPS_UNPROTECT,
		[SF_POOL_DESTROY] = SF_MAPS_DESTROY,
	};

	if (p->status == SF_OK)
		return j->op.maps >> when[p->act] & 1 ? NULL :
			"a pool was changed and its mappings were not shown";
	if (p->status == SF_NULL && few_mappings(j) &&
	    (p->act == SF_POOL_PROTECT ||
	     (p->act == SF_POOL_UNPROTECT && sf_pool_rewritable(pool))))
		return "a pool was not sealed or opened that could be";
	return NULL;
}

/* POOL, before the shadow. */
unsigned int sf_pma_1_pool(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_pool *p = &ev->pool;
	const struct sf_pool *pool = sf_pool_of(&j->sh, p->pool);
	const char *fault;

	if (p->act == SF_POOL_CREATE || p->act > SF_POOL_DESTROY || !pool || !j->sh.exact)
		return 0;
	fault = pool_fault(j, p, pool);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_PMA_1, "%s", fault);
	sf_report(j, ev, p->res, SF_NONE, "pool %u, %u areas, status %u", p->pool, pool->areas,
		  p->status);
	return 1;
}

void sf_pool_expect(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_maps *m = &ev->maps;
	const struct sf_pool *pool = sf_pool_of(&j->sh, m->pool);

	if (!pool || j->op.warned || j->misuse.tainted)
		return;
	/* an area that was begun in this operation sealed those before it by that */
	if (m->when == SF_MAPS_PROTECT && pool->map_op != ev->op + 1)
		sf_pools_seal(&j->sh, m->pool, true, SIZE_MAX);
	if (m->when == SF_MAPS_UNPROTECT && sf_pool_rewritable(pool))
		sf_pools_seal(&j->sh, m->pool, false, SIZE_MAX);
}

/* Were all mappings reported, and is it known what is to be sealed? After a refusal it is not. */
static bool maps_known(struct sf_judge *j, const struct sf_ev_maps *m, enum sf_invariant inv)
{
	if (m->nr != j->nr_mappings) {
		sf_skip(j, inv, "not all mappings were told");
		return false;
	}
	return !j->op.warned || (m->when != SF_MAPS_PROTECT && m->when != SF_MAPS_UNPROTECT);
}

static const char *const kinds[] = {
	[SF_MAPPING_DIRECT] = "the direct map", [SF_MAPPING_AREA] = "its area",
	[SF_MAPPING_ALIAS] = "the mapping of a rare write",
	[SF_MAPPING_OTHER] = "a mapping that nobody knows",
};

static void mapping_fault(struct sf_judge *j, const struct sf_event *ev, enum sf_invariant inv,
			  const char *fault, const struct sf_ev_mapping *run)
{
	sf_title(j, inv, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "%s, %c%c%c: %llu pages at %#llx, from pfn %#llx on; "
		  "pool %u, mappings told at %u", kinds[run->kind & 3], run->read ? 'r' : '-',
		  run->write ? 'w' : '-', run->exec ? 'x' : '-', ULL(run->pages), ULL(run->addr),
		  ULL(run->pfn), ev->maps.pool, ev->maps.when);
}

static bool run_in_zone(const struct sf_judge *j, const struct sf_ev_mapping *run)
{
	return j->sh.pools.used && run->pages && run->pfn < j->sh.direct.pages &&
	       run->pages <= j->sh.direct.pages - run->pfn;
}

/* Is any page of the run sealed? */
static bool hits_sealed(const struct sf_judge *j, const struct sf_ev_mapping *run)
{
	return run_in_zone(j, run) && sf_bits_any(j->sh.pools.sealed, run->pfn, run->pages);
}

/* Sealed pages that the run shows where their area has them; *strange: one that is not its own. */
static uint64_t shown(const struct sf_judge *j, const struct sf_ev_mapping *run, bool *strange)
{
	uint64_t first = (run->addr - j->sh.vmalloc.base) >> SF_PAGE_SHIFT, nr = 0;

	if (!run_in_zone(j, run) || run->addr < j->sh.vmalloc.base)
		return 0;
	for (uint64_t i = 0; i < run->pages && first + i < j->sh.vm_high; i++) {
		uint32_t has = j->sh.vm_pfn[first + i];

		*strange |= has && has != run->pfn + i + 1;
		nr += has == run->pfn + i + 1 && sf_bit(j->sh.pools.sealed, run->pfn + i);
	}
	return nr;
}

unsigned int sf_pma_1(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_mapping *run;
	uint64_t nr = 0;
	bool strange = false;

	if (!maps_known(j, &ev->maps, SF_INV_PMA_1))
		return 0;
	for (size_t i = 0; i < j->nr_mappings; i++) {
		run = &j->mapping[i];
		if (run->kind != SF_MAPPING_AREA)
			continue;
		if (run->write && hits_sealed(j, run))
			mapping_fault(j, ev, SF_INV_PMA_1, "a page of a sealed area is writable",
				      run);
		if (run->read)
			nr += shown(j, run, &strange);
		if (!strange)
			continue;
		mapping_fault(j, ev, SF_INV_PMA_1, "an area shows a page that is not its own", run);
		return 1;
	}
	if (nr == j->sh.pools.nr_sealed)
		return 1;
	sf_title(j, SF_INV_PMA_1, "a page of a sealed area cannot be read");
	sf_report(j, ev, SF_NONE, SF_NONE, "%llu of %llu sealed pages are there", ULL(nr),
		  ULL(j->sh.pools.nr_sealed));
	return 1;
}

unsigned int sf_pma_2(struct sf_judge *j, const struct sf_event *ev)
{
	bool open = j->sh.set.directmap != DIRECTMAP_SEALED;

	if (!maps_known(j, &ev->maps, SF_INV_PMA_2))
		return 0;
	for (size_t i = 0; i < j->nr_mappings; i++) {
		const struct sf_ev_mapping *run = &j->mapping[i];

		if (!run->write || !hits_sealed(j, run))
			continue;
		if (run->kind == SF_MAPPING_DIRECT && !open)
			mapping_fault(j, ev, SF_INV_PMA_2,
				      "a sealed page is writable through the direct map", run);
		else if (run->kind == SF_MAPPING_OTHER)
			mapping_fault(j, ev, SF_INV_PMA_2,
				      "a sealed page is writable through a mapping that nobody "
				      "knows", run);
	}
	return 1;
}

/* The pages that a rare write concerns. */
struct target {
	uint64_t first, pages; /* of the vmalloc window */
};

static struct target target_of(const struct sf_judge *j, const struct sf_ev_maps *m)
{
	uint64_t first = (m->addr - j->sh.vmalloc.base) >> SF_PAGE_SHIFT;
	uint64_t last = (m->addr + m->size - 1 - j->sh.vmalloc.base) >> SF_PAGE_SHIFT;

	if (!m->size || !sf_area_of(&j->sh, m->addr, m->size))
		return (struct target){ 0, 0 };
	return (struct target){ first, last - first + 1 };
}

/*
 * One mapping may be several runs: where its frames are not contiguous. Its runs follow each other
 * without a gap, page for page as the area has them.
 */
static const char *alias_fault(const struct sf_judge *j, const struct target *t, uint64_t done,
			       uint64_t next, const struct sf_ev_mapping *run)
{
	if (done && run->addr != next)
		return "a rare write has more than one mapping";
	if (!run->read || !run->write)
		return "the mapping of a rare write cannot be written";
	if (run->exec)
		return "the mapping of a rare write is executable";
	for (uint64_t i = 0; i < run->pages; i++)
		if (done + i >= t->pages ||
		    j->sh.vm_pfn[t->first + done + i] != run->pfn + i + 1)
			return "the mapping of a rare write shows other pages than it is for";
	if (!done && j->sh.pools.aliased && run->addr == j->sh.pools.last_alias)
		return "a rare write is mapped where the last one was";
	return NULL;
}

static void midst(struct sf_judge *j, const struct sf_event *ev)
{
	struct target t = target_of(j, &ev->maps);
	uint64_t done = 0, next = 0, start = 0;

	for (size_t i = 0; i < j->nr_mappings; i++) {
		const struct sf_ev_mapping *run = &j->mapping[i];
		const char *fault;

		if (run->kind != SF_MAPPING_ALIAS)
			continue;
		fault = alias_fault(j, &t, done, next, run);
		if (fault) {
			mapping_fault(j, ev, SF_INV_PMA_3, fault, run);
			return;
		}
		start = done ? start : run->addr;
		done += run->pages;
		next = run->addr + (run->pages << SF_PAGE_SHIFT);
	}
	if (done != t.pages) {
		sf_title(j, SF_INV_PMA_3, "the mapping of a rare write does not cover what is "
			 "written");
		sf_report(j, ev, SF_NONE, SF_NONE, "%llu of %llu pages", ULL(done), ULL(t.pages));
	}
	j->sh.pools.aliased |= done != 0;
	j->sh.pools.last_alias = start;
}

unsigned int sf_pma_3(struct sf_judge *j, const struct sf_event *ev)
{
	if (!maps_known(j, &ev->maps, SF_INV_PMA_3))
		return 0;
	if (ev->maps.when == SF_MAPS_MIDST) {
		midst(j, ev);
		return 1;
	}
	for (size_t i = 0; i < j->nr_mappings; i++)
		if (j->mapping[i].kind == SF_MAPPING_ALIAS) {
			mapping_fault(j, ev, SF_INV_PMA_3, "a rare write left its mapping behind",
				      &j->mapping[i]);
			break;
		}
	return 1;
}

/* --- the end of a pool --- */

unsigned int sf_pma_8_unmap(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_map *m = &ev->map;
	const struct sf_area *area = sf_area_of(&j->sh, m->addr, 1);
	const char *fault = NULL;

	if (!area && !m->pool)
		return 0;
	if (!area || area->addr != m->addr || area->pages != m->pages || area->pool != m->pool)
		fault = "what was unmapped is no area of the pool";
	else if (m->dirty != SF_GOOD)
		fault = "pages of a pool go back with its contents";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_PMA_8, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "pool %u, %llu pages at %#llx, byte %lld", m->pool,
		  ULL(m->pages), ULL(m->addr), (long long)m->dirty);
	return 1;
}

/* POOL, before the shadow. */
unsigned int sf_pma_8(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_pool *p = &ev->pool;
	const struct sf_pool *pool = sf_pool_of(&j->sh, p->pool);

	if (p->act != SF_POOL_DESTROY || p->status != SF_OK || !pool)
		return 0;
	if (!pool->areas)
		return 1;
	sf_title(j, SF_INV_PMA_8, "a destroyed pool keeps an area");
	sf_report(j, ev, p->res, SF_NONE, "pool %u, %u areas", p->pool, pool->areas);
	return 1;
}

/* Does the run have a page that is in no area? */
static bool outside_areas(const struct sf_judge *j, const struct sf_ev_mapping *run)
{
	for (uint64_t i = 0; i < run->pages; i++)
		if (!sf_area_of(&j->sh, run->addr + (i << SF_PAGE_SHIFT), 1))
			return true;
	return false;
}

/*
 * MAPS: what is in no area is mapped nowhere but in the direct map, and writable there. An area may
 * be mapped a moment before MAP reports it, so this waits for ends of pools and for snapshots.
 */
unsigned int sf_pma_8_maps(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_maps *m = &ev->maps;

	if (!maps_known(j, m, SF_INV_PMA_8))
		return 0;
	for (size_t i = 0; i < j->nr_mappings; i++) {
		const struct sf_ev_mapping *run = &j->mapping[i];

		if (run->kind == SF_MAPPING_DIRECT && !run->write && run_in_zone(j, run) &&
		    !sf_bits_all(j->sh.pools.sealed, run->pfn, run->pages))
			mapping_fault(j, ev, SF_INV_PMA_8, "pages of no sealed area are read-only "
				      "in the direct map", run);
		if (run->kind == SF_MAPPING_AREA && outside_areas(j, run) &&
		    (m->when == SF_MAPS_DESTROY || m->when == SF_MAPS_WALK))
			mapping_fault(j, ev, SF_INV_PMA_8, "a destroyed pool is still mapped", run);
	}
	return 1;
}
