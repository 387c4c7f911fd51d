// SPDX-License-Identifier: MIT
/*
 * isolation.c - who lives with whom (ISO): ownership of pages, merging, reuse, krealloc. The cache
 * that a request selects is in partition.c.
 *
 * Relies on judge.h; listed in listing.h.
 */
#include "isolation.h"
#include "bitmap.h"
#include "caches.h"
#include "designs.h"
#include "judge.h"
#include "listing.h"
#include "objects.h"
#include "partition.h"
#include "report.h"
#include "requests.h"
#include "rules.h"
#include "shadow_mem.h"
#include "taken.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))

/* kmalloc_nolock() tries the next class too, once (mm/slub.c:__kmalloc_nolock_noprof). */
static bool smallest_class(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	uint32_t due = sf_due_slot(&j->sh, a) << SF_PAGE_SHIFT;

	if (!due)
		due = sf_type_class(&j->sh.set, a->size, a->type_align);
	return a->place.object_size == due ||
	       (a->api == SF_API_NOLOCK && a->place.object_size == sf_class_of(due + 1));
}

/* Of a design that no row describes only that it fits is judged. */
static const char *fit_fault(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	bool kmalloc = sf_is_kmalloc(a->api) && (j->sh.caps & SF_CAP_KMALLOC) && j->sh.design;

	if (a->place.kind == SF_PLACE_SLAB) {
		if (a->size > a->place.object_size ||
		    a->size + a->place.offset > a->place.object_size)
			return "an object of %s is smaller than was asked";
		if (kmalloc && a->size && !smallest_class(j, a))
			return "%s is not the smallest class that fits";
	} else if (kmalloc && a->size && a->size <= SF_KMALLOC_CACHE_MAX &&
		   (a->api != SF_API_KVMALLOC || a->size <= SF_PAGE_SIZE)) {
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
	if (!j->sh.design && a->size && sf_is_kmalloc(a->api))
		sf_skip(j, SF_INV_ISO_2, SF_NO_DESIGN);
	fault = fit_fault(j, a);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ISO_2, fault, sf_name_of_event(&j->sh, a));
	sf_report(j, ev, a->res, SF_NONE, "%llu bytes asked, object size %u", ULL(a->size),
		  a->place.object_size);
	return 1;
}

/* Of a slab in the slab window. */
static uint64_t window_addr(const struct sf_shadow *sh, const struct sf_shadow_slab *slab)
{
	return sh->slabs.base + ((uint64_t)(slab->window - 1) << SF_PAGE_SHIFT);
}

/* Is there a slab already on these pages of the slab window? */
static bool window_taken(const struct sf_shadow *sh, const struct sf_ev_slab *s)
{
	uint64_t first = (s->addr - sh->slabs.base) >> SF_PAGE_SHIFT;

	if (!s->addr || s->addr < sh->slabs.base || s->order > SF_MAX_ORDER)
		return false;
	for (uint64_t p = first; p < sh->slabs.pages && p - first < 1ull << s->order; p++)
		if (sh->frame[p])
			return true;
	return false;
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
	else if (slab->order != pl->order || slab->objects != pl->objects ||
		 (slab->window && pl->base != window_addr(&j->sh, slab)))
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
	else if (j->sh.slab_limit && window_taken(&j->sh, s))
		fault = "a slab of %s was made at another slab's address";
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
	else if (slab->cache != s->cache || slab->order != s->order ||
		 (slab->window && s->addr != window_addr(&j->sh, slab)))
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

/* Caches that exist to be apart: ordinary kmalloc where there are other sorts of it, buckets. */
static bool isolating(const struct sf_shadow *sh, uint8_t kind, uint8_t partition)
{
	return kind == SF_CACHE_BUCKET ||
	       (kind == SF_CACHE_KMALLOC && sh->design &&
		(partition || sh->set.memcg || sf_design_parts(sh->design)));
}

static bool is_isolating(const struct sf_shadow *sh, const struct sf_shadow_cache *c)
{
	return c && isolating(sh, c->kind, c->partition);
}

/* CACHE, before the shadow: one that is reported again must still be what it was. */
unsigned int sf_iso_4_cache(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cache *c = &ev->cache;
	const struct sf_shadow_cache *was = sf_shadow_cache_at(&j->sh, c->id);
	bool isolates = isolating(&j->sh, c->kind, c->partition);

	if (c->kind == SF_CACHE_KMALLOC && !j->sh.design)
		sf_skip(j, SF_INV_ISO_4, SF_NO_DESIGN);
	if (!isolates && !is_isolating(&j->sh, was))
		return 0;
	if (was && was->is != sf_selector_of(c->kind, c->partition, c->class_size, c->bucket)) {
		sf_title(j, SF_INV_ISO_4, "%s became another cache's",
			 is_isolating(&j->sh, was) ? sf_name_of_cache(&j->sh, c->id) : "a cache");
	} else if (isolates && !(c->flags & SF_SLAB_NO_MERGE)) {
		sf_title(j, SF_INV_ISO_4, "%s may be merged",
			 c->kind == SF_CACHE_BUCKET ? "bucket cache" : c->name ? c->name : "?");
	} else {
		return 1;
	}
	sf_report(j, ev, SF_NONE, SF_NONE, "cache %u is \"%s\", flags %#x", c->id,
		  c->name ? c->name : "?", c->flags);
	return 1;
}

unsigned int sf_iso_4_create(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cacheop *op = &ev->cacheop;

	if (!is_isolating(&j->sh, sf_shadow_cache_at(&j->sh, op->cache)))
		return 0;
	sf_title(j, SF_INV_ISO_4, "%s got another name", sf_name_of_cache(&j->sh, op->cache));
	sf_report(j, ev, op->handle, SF_NONE, "%u bytes, flags %#x", op->size, op->flags);
	return 1;
}

unsigned int sf_iso_4_refs(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_snapcache *sc = &ev->snapcache;

	if (!is_isolating(&j->sh, sf_shadow_cache_at(&j->sh, sc->cache)))
		return 0;
	if (sc->refs == 1)
		return 1;
	sf_title(j, SF_INV_ISO_4, "%s has aliases", sf_name_of_cache(&j->sh, sc->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "%u references", sc->refs);
	return 1;
}

#define NEVER_MERGE                                                              \
	(SF_SLAB_TYPESAFE_BY_RCU | SF_SLAB_NOLEAKTRACE | SF_SLAB_NO_MERGE |      \
	 SF_SLAB_CTOR)

/* Flags on which two caches must agree. Without CONFIG_MEMCG there is no SLAB_ACCOUNT. */
static uint32_t same_flags(const struct sf_settings *set, uint32_t flags)
{
	uint32_t same = SF_SLAB_RECLAIM_ACCOUNT | SF_SLAB_CACHE_DMA | SF_SLAB_CACHE_DMA32;

	if (flags & SF_SLAB_TEMPORARY)
		flags |= SF_SLAB_RECLAIM_ACCOUNT;
	return flags & (set->memcg ? same | SF_SLAB_ACCOUNT : same);
}

/* The alignment that was asked, cache lines included (mm/slab_common.c:calculate_alignment). */
static uint32_t asked_align(const struct sf_ev_cacheop *op, uint32_t size)
{
	uint32_t align = op->align > 8 ? op->align : 8;

	if (op->flags & SF_SLAB_HWCACHE_ALIGN) {
		uint32_t line = 64;

		while (line > 8 && size <= line / 2)
			line /= 2;
		align = align > line ? align : line;
	}
	return (align & (align - 1)) ? 8 : align;
}

static const char *merge_fault(const struct sf_judge *j, const struct sf_ev_cacheop *op,
			       const struct sf_shadow_cache *c)
{
	const struct sf_settings *set = &j->sh.set;
	uint32_t word = (op->size + 7) & ~7u, align = asked_align(op, word);
	uint32_t size = (word + align - 1) & ~(align - 1);
	bool window = set->usercopy && op->usersize && op->usersize <= op->size;

	if (set->slab_nomerge)
		return "a cache was merged into %s though merging is off";
	if ((op->flags & NEVER_MERGE) || window || op->sheaf_capacity || op->min_order)
		return "a cache that never merges was merged into %s";
	if ((c->flags & NEVER_MERGE) || (set->usercopy && c->usersize) ||
	    c->asked_order > set->min_order)
		return "a cache was merged into %s, which never merges";
	if (same_flags(set, op->flags) != same_flags(set, c->flags))
		return "a cache was merged into %s, which has other flags";
	if (c->stride & (align - 1))
		return "a cache was merged into %s, which is not aligned for it";
	if (c->stride < size)
		return "a cache was merged into %s, whose objects are smaller";
	if (c->stride - size >= 8)
		return "a cache was merged into %s, whose objects are larger";
	return NULL;
}

/* Merging is a duty too (mm/slab_common.c:find_mergeable). CACHE came before. */
static void merge_due(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cacheop *op = &ev->cacheop;

	for (uint32_t id = 0; id < j->sh.nr_cache; id++) {
		const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, id);

		if (!c || !c->refs || id == op->cache || merge_fault(j, op, c))
			continue;
		sf_title(j, SF_INV_ISO_5, "a cache was not merged into %s, which can serve it",
			 sf_name_of_cache(&j->sh, id));
		sf_report(j, ev, op->handle, SF_NONE, "%u bytes, align %u, flags %#x", op->size,
			  op->align, op->flags);
		return;
	}
}

/* CACHE_CREATE, before the shadow. */
/* CACHE: kinds that the settings rule out (mm/slab_common.c:new_kmalloc_cache). */
unsigned int sf_iso_13_cache(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cache *c = &ev->cache;
	const struct sf_settings *set = &j->sh.set;
	bool wrong = (c->kind == SF_CACHE_KMALLOC_RCL &&
		      set->accounting != SF_ACCOUNTING_RECLAIMABLE) ||
		     (c->kind == SF_CACHE_KMALLOC_DMA && !set->zone_dma) ||
		     (c->kind == SF_CACHE_KMALLOC_CG && (!set->memcg || set->nokmem));

	if (!j->sh.design || !c->boot)
		return 0;
	if (!wrong)
		return 1;
	sf_title(j, SF_INV_ISO_13, "%s exists, which nothing selects", c->name ? c->name : "?");
	sf_report(j, ev, SF_NONE, SF_NONE, "kind %u", c->kind);
	return 1;
}

static bool is_class(const struct sf_ev_cache *c)
{
	switch (c->kind) {
	case SF_CACHE_KMALLOC: case SF_CACHE_KMALLOC_RCL: case SF_CACHE_KMALLOC_CG:
	case SF_CACHE_KMALLOC_DMA: case SF_CACHE_BUCKET:
		return c->class_size;
	default:
		return false;
	}
}

/*
 * CACHE: /proc/slabinfo tells classes by their size, "kmalloc-rcl-96", "msg_msg-4k"
 * (mm/slab_common.c:kmalloc_info, kmem_buckets_create).
 */
unsigned int sf_iso_13_name(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cache *c = &ev->cache;
	uint32_t size = c->class_size;
	size_t len, end;
	char due[16];

	if (!j->sh.design || !c->name || !is_class(c))
		return 0;
	snprintf(due, sizeof(due), "-%u%s", size < 1024 ? size : size / 1024,
		 size < 1024 ? "" : "k");
	len = strlen(c->name);
	end = strlen(due);
	/* (A set may have no name.) */
	if (len >= end && !strcmp(c->name + len - end, due) &&
	    (c->kind == SF_CACHE_BUCKET || strstr(c->name, "kmalloc-")))
		return 1;
	sf_title(j, SF_INV_ISO_13, "a size class does not have the name of one");
	sf_report(j, ev, SF_NONE, SF_NONE, "\"%s\", %u bytes", c->name, size);
	return 1;
}

/*
 * BUCKETS_CREATE: there are some, or kmalloc() serves (mm/slab_common.c:kmem_buckets_create). It
 * takes no pages: nothing that programs do makes it fail.
 */
unsigned int sf_iso_13_buckets(struct sf_judge *j, const struct sf_event *ev)
{
	bool off = ev->cacheop.cache == SF_BUCKETS_OFF;

	if (!j->sh.design || !(j->sh.caps & SF_CAP_BUCKETS))
		return 0;
	if (ev->cacheop.status == SF_NULL) {
		sf_title(j, SF_INV_ISO_13, "kmem_buckets_create failed");
		sf_report(j, ev, ev->cacheop.handle, SF_NONE, "flags %#x", ev->cacheop.flags);
		return 1;
	}
	if (ev->cacheop.status != SF_OK)
		return 0;
	if (off != (bool)j->sh.set.buckets)
		return 1;
	sf_title(j, SF_INV_ISO_13, off ? "no buckets were made where there are some"
				       : "buckets were made where there are none");
	sf_report(j, ev, ev->cacheop.handle, SF_NONE, "set %u", ev->cacheop.cache);
	return 1;
}

unsigned int sf_iso_5(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cacheop *op = &ev->cacheop;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, op->cache);
	const char *fault;

	if (!c)
		return 0;
	fault = op->merged ? merge_fault(j, op, c) : NULL;
	if (!op->merged && j->sh.exact && (j->sh.caps & SF_CAP_KMALLOC))
		merge_due(j, ev);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ISO_5, fault, sf_name_of_cache(&j->sh, op->cache));
	sf_report(j, ev, op->handle, SF_NONE,
		  "%u bytes, align %u, flags %#x; its stride is %u, its flags %#x", op->size,
		  op->align, op->flags, c->stride, c->flags);
	return 1;
}

/*
 * SLAB_FREE, SLAB_DEFER and PAGE_FREE. The FREE that may explain them is reported only afterwards,
 * so pages that have live objects on them wait for the end of the operation.
 */
unsigned int sf_iso_14(struct sf_judge *j, const struct sf_event *ev)
{
	bool is_slab = ev->type != SF_EV_PAGE_FREE;
	uint64_t pfn = is_slab ? ev->slab.pfn : ev->page.pfn;
	uint64_t addr = sf_slab_addr(&j->sh, is_slab ? ev->slab.addr : 0, pfn);
	uint8_t order = is_slab ? ev->slab.order : ev->page.order;

	if (!sf_zone_has(&j->sh.zone, pfn, order))
		return 0;
	for (size_t i = 0; i < j->nr_leaving; i++)
		if (j->leaving[i].pfn == pfn && j->leaving[i].order == order)
			return 1;
	if (!sf_shadow_range_live(&j->sh, addr, 1ull << order))
		return 1;
	j->leaving = sf_shadow_grow(j->leaving, &j->cap_leaving, j->nr_leaving + 1,
				    sizeof(*j->leaving), &j->sh.bytes);
	j->leaving[j->nr_leaving++] = (struct sf_leaving){
		.pfn = pfn, .addr = addr, .order = order,
		.cache = is_slab ? ev->slab.cache : SF_NONE,
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
		const struct sf_shadow_obj *o;

		if (!sf_shadow_range_live(&j->sh, l->addr, 1ull << l->order))
			continue;
		o = sf_shadow_hit(&j->sh, l->addr, SF_PAGE_SIZE << l->order, NULL);
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

/* A page's address went from the slab that was there last to this cache's. */
static void count_reuse(struct sf_judge *j, const struct sf_past *was,
			const struct sf_shadow_cache *c)
{
	struct sf_ledger *l = &j->ledger;
	bool both = was->kind == SF_CACHE_KMALLOC && c->kind == SF_CACHE_KMALLOC;
	const struct sf_design *d = j->sh.design;
	bool half = sf_design_halves(d) && sf_design_pointers(d, was->partition) !=
						   sf_design_pointers(d, c->partition);

	l->other_cache++;
	l->stale_cache += was->stale;
	if (!both || was->partition == c->partition)
		return;
	l->other_partition++;
	l->stale_partition += was->stale;
	l->other_half += half;
	l->stale_half += half && was->stale;
}

static void report_reuse(struct sf_judge *j, const struct sf_event *ev, const struct sf_past *was)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, was->cache);
	const char *of = c && c->serial == was->serial ? sf_name_of_cache(&j->sh, was->cache)
						       : "a destroyed cache";

	sf_title(j, SF_INV_ISO_15, "an address of %s became one of %s", of,
		 sf_name_of_cache(&j->sh, ev->slab.cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "%#llx, order %u%s", ULL(ev->slab.addr), ev->slab.order,
		  was->stale ? "; objects had been handed out there" : "");
}

/* SLAB_NEW, after the shadow. Whose the addresses were is only counted, unless that is promised. */
unsigned int sf_iso_15(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, ev->slab.cache);
	const struct sf_shadow_slab *slab = sf_zone_slab_at(&j->sh.zone, ev->slab.pfn);
	struct sf_past *past;

	if (!c || !slab || slab->cache != ev->slab.cache)
		return 0;
	past = slab->window ? &j->sh.slab_past[slab->window - 1] : &j->sh.past[ev->slab.pfn];
	for (uint64_t p = 0; p < 1ull << slab->order; p++) {
		if (past[p].run != j->sh.run) {
			j->ledger.fresh++;
		} else if (past[p].serial == c->serial) {
			j->ledger.same++;
		} else {
			count_reuse(j, &past[p], c);
			if (j->sh.set.slab_virtual)
				report_reuse(j, ev, &past[p]);
		}
		past[p] = (struct sf_past){
			.run = j->sh.run, .serial = c->serial, .cache = ev->slab.cache,
			.kind = c->kind, .partition = c->partition,
		};
	}
	return 1;
}

/* Could krealloc have stayed? Only if the old object's slot or block holds the new size. */
static uint64_t room_of(const struct sf_shadow_obj *old)
{
	if (old->kind == SF_PLACE_SLAB)
		return old->object_size - (uint64_t)old->offset;
	return old->usable;
}

static const char *in_place_fault(const struct sf_ev_alloc *a, const struct sf_shadow_obj *old)
{
	if (a->place.kind == SF_PLACE_SLAB && old->cache != SF_NONE && a->place.cache != old->cache)
		return "krealloc in place left %s";
	if (a->place.kind != SF_PLACE_UNKNOWN && a->place.kind != old->kind)
		return "krealloc in place changed what a %s object is";
	if (room_of(old) && a->size > room_of(old) &&
	    !(old->kind == SF_PLACE_SLAB &&
	      a->size + old->offset <= a->place.object_size) &&
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
	else if (j->sh.design && old->addr > SF_ZERO_SIZE_PTR && old->kind != SF_PLACE_VMALLOC &&
		 a->size <= room_of(old) && !(a->gfp & SF_GFP_THISNODE) &&
		 !(a->align && (old->addr & (a->align - 1))))
		fault = "krealloc moved a %s object that had room";
	if (fault) {
		sf_title(j, SF_INV_ISO_18, fault, sf_name_of(&j->sh, old));
		sf_report(j, ev, a->res, old->res, "%llu to %llu bytes, room for %llu",
			  ULL(old->size), ULL(a->size), ULL(room_of(old)));
		return 1;
	}
	if (a->moved && !j->sh.design)
		sf_skip(j, SF_INV_ISO_18, SF_NO_DESIGN);
	else if (a->moved && sf_in_kmalloc_slab(a) && (j->sh.caps & SF_CAP_KMALLOC))
		return sf_judge_selection(j, ev, SF_INV_ISO_18);
	return 1;
}
