// SPDX-License-Identifier: MIT
/*
 * isolation.c - who lives with whom (ISO): selection of the cache, ownership of pages.
 *
 * Relies on judge.h; listed in judge.c's tables.
 */
#include "judge.h"

#include <stdio.h>
#include <string.h>

#define ULL(x) ((unsigned long long)(x))

/* Name of the kmalloc cache of a kind and class, as the kernel spells it. */
static void due_name(char *to, size_t size, enum sf_cache_kind kind, uint32_t class)
{
	static const char *const prefix[SF_CACHE_KINDS] = {
		[SF_CACHE_KMALLOC] = "kmalloc", [SF_CACHE_KMALLOC_RCL] = "kmalloc-rcl",
		[SF_CACHE_KMALLOC_DMA] = "dma-kmalloc", [SF_CACHE_KMALLOC_CG] = "kmalloc-cg",
	};

	if (class >= 1024)
		snprintf(to, size, "%s-%uk", prefix[kind], class / 1024);
	else
		snprintf(to, size, "%s-%u", prefix[kind], class);
}

/* Sel(): the cache against size and flags. Partitions are other invariants' business. */
static bool selected(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, a->place.cache);

	return c && c->kind == sf_kind_of(&j->sh.set, a->gfp) &&
	       c->class_size == sf_class_of(a->size);
}

static bool in_kmalloc_slab(const struct sf_ev_alloc *a)
{
	return sf_got(a) && sf_is_kmalloc(a->api) && a->place.kind == SF_PLACE_SLAB && a->size;
}

static unsigned int selection(struct sf_judge *j, const struct sf_event *ev, enum sf_invariant inv)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	char due[SF_CACHE_NAME];

	if (a->size > SF_KMALLOC_CACHE_MAX) /* no cache is due: ISO-2 */
		return 0;
	if (selected(j, a))
		return 1;
	due_name(due, sizeof(due), sf_kind_of(&j->sh.set, a->gfp), sf_class_of(a->size));
	sf_title(j, inv, "%s where %s was due", sf_name_of_cache(&j->sh, a->place.cache), due);
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes, gfp %#x, at %#llx", ULL(a->size), a->gfp,
		  ULL(a->addr));
	return 1;
}

unsigned int sf_iso_1(struct sf_judge *j, const struct sf_event *ev)
{
	if (!in_kmalloc_slab(&ev->alloc) ||
	    (ev->type == SF_EV_REALLOC && ev->alloc.old_id != SF_NONE))
		return 0;
	return selection(j, ev, SF_INV_ISO_1);
}

static const char *fit_fault(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	bool kmalloc = sf_is_kmalloc(a->api) && (j->sh.caps & SF_CAP_KMALLOC);

	if (a->place.kind == SF_PLACE_SLAB) {
		if (a->size > a->place.object_size)
			return "an object of %s is smaller than was asked";
		if (kmalloc && a->size && a->place.object_size != sf_class_of(a->size))
			return "%s is not the smallest class that fits";
	} else if (kmalloc && a->size && a->size <= SF_KMALLOC_CACHE_MAX &&
		   (a->api == SF_API_KMALLOC || a->size <= SF_PAGE_SIZE)) {
		return "%s memory holds a request that has a class";
	}
	return NULL;
}

unsigned int sf_iso_2(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const char *fault;

	if (!sf_fresh(ev))
		return 0;
	if (a->place.kind == SF_PLACE_UNKNOWN) {
		sf_skip(j, SF_INV_ISO_2, "the allocator does not tell placement");
		return 0;
	}
	fault = fit_fault(j, a);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ISO_2, fault, sf_name_of_event(&j->sh, a));
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes asked, object size %u", ULL(a->size),
		  a->place.object_size);
	return 1;
}

/* Before the shadow: the object's place against the slabs that were made. */
unsigned int sf_iso_3_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_place *pl = &a->place;
	const struct sf_shadow_slab *slab;
	const char *fault = NULL;
	uint64_t back = (a->addr >> SF_PAGE_SHIFT) - (pl->base >> SF_PAGE_SHIFT);

	if (!sf_got(a) || pl->kind != SF_PLACE_SLAB)
		return 0;
	if (a->api == SF_API_CACHE && a->cache != SF_NONE && a->cache != pl->cache) {
		sf_title(j, SF_INV_ISO_3, "an object of %s lies in a slab of %s",
			 sf_name_of_cache(&j->sh, a->cache), sf_name_of_cache(&j->sh, pl->cache));
		sf_report(j, ev, a->res, SF_NONE, "%#llx", ULL(a->addr));
		return 1;
	}
	if (!j->sh.zone.on || !j->sh.exact) {
		sf_skip(j, SF_INV_ISO_3, "slabs are not traced from boot");
		return 0;
	}
	slab = sf_zone_slab_at(&j->sh.zone, pl->pfn - back);
	if (!slab || back >= 1ull << slab->order)
		fault = "an object of %s lies in no slab";
	else if (slab->cache != pl->cache || slab->orphan)
		fault = "an object of %s lies in another cache's slab";
	else if (slab->order != pl->order || slab->objects != pl->objects)
		fault = "a slab of %s is not as it was made";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ISO_3, fault, sf_name_of_cache(&j->sh, pl->cache));
	sf_report(j, ev, a->res, SF_NONE, "%#llx, slab at pfn %#llx, made for %s", ULL(a->addr),
		  ULL(pl->pfn - back), slab ? sf_name_of_cache(&j->sh, slab->cache) : "nothing");
	return 1;
}

unsigned int sf_iso_3_new(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_slab *s = &ev->slab;
	const struct sf_zone *z = &j->sh.zone;
	const char *fault = NULL;

	if (!z->on)
		return 0;
	if (!sf_zone_has(z, s->pfn, s->order) || !sf_bits_all(z->out, s->pfn, 1ull << s->order))
		fault = "a slab of %s was made on pages that were not allocated";
	else if (sf_bits_any(z->slabs, s->pfn, 1ull << s->order))
		fault = "a slab of %s was made on another slab's pages";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ISO_3, fault, sf_name_of_cache(&j->sh, s->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx, order %u", ULL(s->pfn), s->order);
	return 1;
}

unsigned int sf_iso_3_slab_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_slab *s = &ev->slab;
	const struct sf_shadow_slab *slab = sf_zone_slab_at(&j->sh.zone, s->pfn);
	const char *fault = NULL;

	if (!j->sh.zone.on || !j->sh.exact)
		return 0;
	if (!slab)
		fault = "a slab of %s was freed that was never made";
	else if (slab->cache != s->cache || slab->order != s->order)
		fault = "a slab of %s was freed as another's";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ISO_3, fault, sf_name_of_cache(&j->sh, slab ? slab->cache : s->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx, order %u", ULL(s->pfn), s->order);
	return 1;
}

unsigned int sf_iso_3_page_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_page *p = &ev->page;
	const struct sf_zone *z = &j->sh.zone;

	if (!z->on || !sf_zone_has(z, p->pfn, p->order))
		return 0;
	if (!sf_bits_any(z->slabs, p->pfn, 1ull << p->order))
		return 1;
	sf_title(j, SF_INV_ISO_3, "pages of a slab were freed under it");
	sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx, order %u", ULL(p->pfn), p->order);
	return 1;
}

/*
 * SLAB_FREE and PAGE_FREE. The FREE that may explain them is reported only afterwards, so pages
 * that have live objects on them wait for the end of the operation.
 */
unsigned int sf_iso_14(struct sf_judge *j, const struct sf_event *ev)
{
	bool is_slab = ev->type == SF_EV_SLAB_FREE;
	uint64_t pfn = is_slab ? ev->slab.pfn : ev->page.pfn;
	uint8_t order = is_slab ? ev->slab.order : ev->page.order;

	if (!sf_zone_has(&j->sh.zone, pfn, order))
		return 0;
	for (size_t i = 0; i < j->nr_leaving; i++)
		if (j->leaving[i].pfn == pfn && j->leaving[i].order == order)
			return 1;
	if (!sf_shadow_pages_live(&j->sh, pfn, 1ull << order))
		return 1;
	j->leaving = sf_shadow_grow(j->leaving, &j->cap_leaving, j->nr_leaving + 1,
				    sizeof(*j->leaving), &j->sh.bytes);
	j->leaving[j->nr_leaving++] = (struct sf_leaving){
		.pfn = pfn, .order = order, .cache = is_slab ? ev->slab.cache : SF_NONE,
	};
	return 1;
}

/* Pages that came back into use inside the operation are judged by MEM-1. */
void sf_leaving_drop(struct sf_judge *j, uint64_t pfn, unsigned int order)
{
	for (size_t i = 0; i < j->nr_leaving;) {
		const struct sf_leaving *l = &j->leaving[i];

		if (order <= SF_MAX_ORDER && l->pfn < pfn + (1ull << order) &&
		    pfn < l->pfn + (1ull << l->order))
			j->leaving[i] = j->leaving[--j->nr_leaving];
		else
			i++;
	}
}

void sf_leaving_settle(struct sf_judge *j, const struct sf_event *ev)
{
	for (size_t i = 0; i < j->nr_leaving; i++) {
		const struct sf_leaving *l = &j->leaving[i];
		uint64_t addr = j->sh.direct.base + (l->pfn << SF_PAGE_SHIFT);
		const struct sf_shadow_obj *o;

		if (!sf_shadow_pages_live(&j->sh, l->pfn, 1ull << l->order))
			continue;
		o = sf_shadow_hit(&j->sh, addr, SF_PAGE_SIZE << l->order, NULL);
		if (l->cache != SF_NONE)
			sf_title(j, SF_INV_ISO_14, "a slab of %s was freed with live objects",
				 sf_name_of_cache(&j->sh, l->cache));
		else if (o)
			sf_title(j, SF_INV_ISO_14, "pages of a live %s object were freed",
				 sf_name_of(&j->sh, o));
		else
			sf_title(j, SF_INV_ISO_14, "mapped pages were freed");
		sf_report(j, ev, o ? o->res : SF_NONE, SF_NONE, "order %u at pfn %#llx", l->order,
			  ULL(l->pfn));
	}
	j->nr_leaving = 0;
}

/* Could krealloc have stayed? Only if the old object's slot or block holds the new size. */
static uint64_t room_of(const struct sf_shadow_obj *old)
{
	if (old->kind == SF_PLACE_SLAB)
		return old->object_size;
	return old->usable;
}

static const char *in_place_fault(const struct sf_ev_alloc *a, const struct sf_shadow_obj *old)
{
	if (a->place.kind == SF_PLACE_SLAB && old->cache != SF_NONE && a->place.cache != old->cache)
		return "krealloc in place left %s";
	if (a->place.kind != SF_PLACE_UNKNOWN && a->place.kind != old->kind)
		return "krealloc in place changed what a %s object is";
	if (room_of(old) && a->size > room_of(old) &&
	    !(old->kind == SF_PLACE_SLAB && a->size <= a->place.object_size) &&
	    !(old->kind == SF_PLACE_VMALLOC && a->size <= a->usable))
		return "krealloc stayed in a %s object that is too small";
	return NULL;
}

/* Before the shadow. */
unsigned int sf_iso_18(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_obj *old = sf_shadow_find(&j->sh, a->old_id);
	const char *fault = NULL;

	if (!sf_got(a) || !old || !(old->flags & SF_OBJ_ALIVE) || a->place.kind == SF_PLACE_UNKNOWN)
		return 0;
	if (!a->moved)
		fault = in_place_fault(a, old);
	else if (old->addr > SF_ZERO_SIZE_PTR && old->kind != SF_PLACE_VMALLOC &&
		 a->size <= room_of(old) && !(a->gfp & SF_GFP_THISNODE) &&
		 !(a->align && (old->addr & (a->align - 1))))
		fault = "krealloc moved a %s object that had room";
	if (fault) {
		sf_title(j, SF_INV_ISO_18, fault, sf_name_of(&j->sh, old));
		sf_report(j, ev, a->res, old->res, "%llu to %llu bytes, room for %llu",
			  ULL(old->size), ULL(a->size), ULL(room_of(old)));
		return 1;
	}
	if (a->moved && in_kmalloc_slab(a) && (j->sh.caps & SF_CAP_KMALLOC))
		return selection(j, ev, SF_INV_ISO_18);
	return 1;
}
