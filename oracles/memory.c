// SPDX-License-Identifier: MIT
/*
 * memory.c - memory safety (MEM): who has which bytes, and what is in them.
 *
 * Relies on judge.h; listed in listing.h.
 */
#include "judge.h"
#include "bitmap.h"
#include "caches.h"
#include "designs.h"
#include "listing.h"
#include "objects.h"
#include "report.h"
#include "requests.h"
#include "rules.h"
#include "snap.h"
#include "taken.h"
#include "zone.h"

#define WHAT(j, a) sf_name_of_event(&(j)->sh, a)

/* MEM-1, after the shadow has tried to take the object's bytes. */
unsigned int sf_mem_1(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	struct sf_shadow_obj *o;
	const struct sf_shadow_obj *other = NULL;
	static const char *const said[] = {
		[SF_CLAIM_OVERLAP] = "overlaps a live object",
		[SF_CLAIM_OUTSIDE] = "lies outside the allocator's memory",
		[SF_CLAIM_FREE_PAGE] = "lies on a free page",
	};

	if (j->sh.claim == SF_CLAIM_NONE)
		return 0;
	if (j->sh.claim == SF_CLAIM_TOO_WIDE) {
		sf_skip(j, SF_INV_MEM_1, "more wide objects than are tracked");
		return 0;
	}
	if (j->sh.claim == SF_CLAIM_OK || sf_user_empty(a)) /* MAL-7 */
		return 1;
	o = sf_shadow_find(&j->sh, a->id);
	if (o)
		o->flags |= SF_OBJ_REPORTED;
	if (o && j->sh.claim == SF_CLAIM_OVERLAP)
		other = sf_shadow_hit(&j->sh, o->addr, o->extent, o);
	sf_title(j, SF_INV_MEM_1, "object of %s %s", WHAT(j, a), said[j->sh.claim]);
	if (other)
		sf_report(j, ev, a->res, other->res,
			  "%#llx + %llu bytes; r%u of %s has %#llx + %llu bytes",
			  (unsigned long long)a->addr,
			  (unsigned long long)(o ? o->extent : a->size), other->res,
			  sf_name_of(&j->sh, other), (unsigned long long)other->addr,
			  (unsigned long long)other->extent);
	else
		sf_report(j, ev, a->res, SF_NONE, "%#llx + %llu bytes, pfn %#llx",
			  (unsigned long long)a->addr,
			  (unsigned long long)(o ? o->extent : a->size),
			  (unsigned long long)a->place.pfn);
	return 1;
}

/* MIGRATE, after the shadow. */
unsigned int sf_mem_1_migrate(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_shadow_obj *o = sf_shadow_find(&j->sh, ev->migrate.id);

	if (!o || j->sh.claim == SF_CLAIM_NONE)
		return 0;
	if (j->sh.claim == SF_CLAIM_OK || j->sh.claim == SF_CLAIM_TOO_WIDE)
		return 1;
	o->flags |= SF_OBJ_REPORTED;
	sf_title(j, SF_INV_MEM_1, "a %s object moved to where it cannot be",
		 sf_name_of(&j->sh, o));
	sf_report(j, ev, o->res, SF_NONE, "%#llx to %#llx", (unsigned long long)ev->migrate.from,
		  (unsigned long long)ev->migrate.to);
	return 1;
}

/* Before the shadow: pages that are mapped must be in use, and by no object. */
unsigned int sf_mem_1_map(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_ev_map *m = &ev->map;

	if (!z->on || !m->pfns || (m->pool && sf_judges(j, SF_INV_PMA_6)))
		return 0;
	for (uint64_t i = 0; i < m->pages; i++) {
		uint64_t pfn = m->pfns[i];
		const char *what = "a free page";

		if (pfn < z->pages && sf_bit(z->out, pfn) && !j->sh.direct.used[pfn])
			continue;
		if (pfn >= z->pages)
			what = "a page outside the allocator's memory";
		else if (j->sh.direct.used[pfn])
			what = "a page with a live object";
		sf_title(j, SF_INV_MEM_1, "a mapping covers %s", what);
		sf_report(j, ev, SF_NONE, SF_NONE, "page %llu of %#llx is pfn %#llx",
			  (unsigned long long)i, (unsigned long long)m->addr,
			  (unsigned long long)pfn);
		break;
	}
	return 1;
}

/*
 * May an object begin at this offset in its slot? Under slot_offset one of a known type may, at
 * multiples of its alignment; it stays there when it is resized where it lies.
 */
static bool offset_good(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint32_t offset = a->place.offset, step = a->type_align > 8 ? a->type_align : 8;

	if (!sf_fresh(ev)) {
		const struct sf_shadow_obj *old = sf_shadow_find(&j->sh, a->old_id);

		if (!old || !(old->flags & SF_OBJ_ALIVE) || old->kind != SF_PLACE_SLAB)
			return true;
		return offset == old->offset;
	}
	if (!offset)
		return true;
	return j->sh.set.slot_offset && a->type_align && offset % step == 0 &&
	       a->size + offset <= a->place.object_size;
}

unsigned int sf_mem_2(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_place *pl = &a->place;
	uint64_t off = a->addr - pl->base;
	bool good;

	if (!sf_got(a) || pl->kind == SF_PLACE_UNKNOWN)
		return 0;
	if (pl->kind == SF_PLACE_SLAB)
		good = pl->stride && offset_good(j, ev) && pl->offset < pl->stride &&
		       off == (uint64_t)pl->index * pl->stride + pl->offset &&
		       pl->index < pl->objects && pl->order <= SF_MAX_ORDER &&
		       (uint64_t)pl->objects * pl->stride <= SF_PAGE_SIZE << pl->order;
	else if (pl->kind == SF_PLACE_POOL) /* in which area: PMA-6 */
		good = a->addr >= pl->base && off % 8 == 0;
	else
		good = pl->kind != SF_PLACE_NOWHERE && off == 0;
	if (good)
		return 1;
	if (pl->kind == SF_PLACE_NOWHERE)
		sf_title(j, SF_INV_MEM_2, "object of %s is nowhere", WHAT(j, a));
	else
		sf_title(j, SF_INV_MEM_2, "object of %s is not where its slab puts it", WHAT(j, a));
	sf_report(j, ev, a->res, SF_NONE, "base + %lld, index %u of %u, stride %u, order %u",
		  (long long)off, pl->index, pl->objects, pl->stride, pl->order);
	return 1;
}

/*
 * What is promised of kmalloc whatever its classes are: the largest power of two that divides the
 * size; of kvmalloc no more than a page, of a known type under slot_offset no more than it needs.
 */
static uint64_t documented_align(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	uint64_t align = a->size & -a->size;

	if (a->api == SF_API_KVMALLOC && align > SF_PAGE_SIZE)
		align = SF_PAGE_SIZE;
	if (j->sh.set.slot_offset && a->type_align && a->type_align < align)
		align = a->type_align;
	return align > 8 ? align : 8;
}

/* Alignment that the caller was promised. 1: none. */
static uint64_t promised_align(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, a->cache);

	if (a->place.kind == SF_PLACE_VMALLOC)
		return SF_PAGE_SIZE;
	if (a->api == SF_API_CACHE)
		return c && c->align ? c->align : 1;
	if (a->api == SF_API_PMALLOC)
		return 8;
	if (a->api == SF_API_PAGES || a->api == SF_API_EXACT)
		return a->size && sf_order_of(a->size) <= SF_MAX_ORDER ?
			       SF_PAGE_SIZE << sf_order_of(a->size) : SF_PAGE_SIZE;
	if (!sf_is_kmalloc(a->api) || !(j->sh.caps & SF_CAP_KMALLOC) || !a->size)
		return 1;
	if (sf_of_bucket(a) && a->size <= SF_KMALLOC_CACHE_MAX)
		return 8; /* kmem_buckets_create() asks for none */
	if (!j->sh.design)
		return documented_align(j, a);
	if (a->size <= SF_KMALLOC_CACHE_MAX) {
		uint32_t class = sf_type_class(&j->sh.set, a->size, a->type_align);

		if (j->sh.set.slot_offset && a->type_align) {
			/* No more than its slot has. */
			uint64_t align = a->type_align < (class & -class) ? a->type_align :
									    (class & -class);

			return align > 8 ? align : 8;
		}
		if (a->api == SF_API_NOLOCK) /* may come from the next class */
			class |= sf_class_of(class + 1);
		return class & -class;
	}
	if ((a->api == SF_API_KVMALLOC && a->place.kind != SF_PLACE_LARGE) ||
	    sf_due_slot(&j->sh, a))
		return SF_PAGE_SIZE;
	return sf_order_of(a->size) <= SF_MAX_ORDER ? SF_PAGE_SIZE << sf_order_of(a->size) : 1;
}

unsigned int sf_mem_3(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint64_t align = 1;

	if (!sf_got(a))
		return 0;
	if (sf_fresh(ev))
		align = promised_align(j, ev);
	else if (a->align && !(a->align & (a->align - 1)))
		align = a->align; /* krealloc stays in place only if this holds */
	if (align == 1)
		return 0;
	if (!(a->addr & (align - 1)))
		return 1;
	sf_title(j, SF_INV_MEM_3, "object of %s is not aligned as promised", WHAT(j, a));
	sf_report(j, ev, a->res, SF_NONE, "%#llx is not aligned to %llu",
		  (unsigned long long)a->addr, (unsigned long long)align);
	return 1;
}

/* Of kmalloc the whole object is promised, of others what they say, and no growth. NULL: it is. */
static const char *dirt_allowed(const struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint64_t zeroed = j->sh.traits.zeroed;

	if ((j->sh.caps & SF_CAP_KMALLOC) || !sf_is_kmalloc(a->api))
		return NULL;
	if (ev->type == SF_EV_REALLOC)
		return "only krealloc zeroes what it adds";
	if (zeroed == SF_ZEROED_NONE || (zeroed == SF_ZEROED_REQUEST && a->dirty >= a->size))
		return "not promised: zeroed";
	return NULL;
}

unsigned int sf_mem_4(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const char *why;

	if (!sf_got(a) || (!a->zeroed && a->dirty == SF_GOOD) || a->api == SF_API_FOREIGN)
		return 0;
	if (!sf_zeroing_due(&j->sh, a)) /* MEM-18 */
		return 0;
	if (a->dirty == SF_GOOD)
		return 1;
	why = dirt_allowed(j, ev);
	if (why) {
		sf_skip(j, SF_INV_MEM_4, why);
		return 0;
	}
	sf_title(j, SF_INV_MEM_4, "a zeroed object of %s holds old data", WHAT(j, a));
	sf_report(j, ev, a->res, SF_NONE, "byte %llu of %llu is not zero, %llu were asked",
		  (unsigned long long)a->dirty, (unsigned long long)a->zeroed,
		  (unsigned long long)a->size);
	return 1;
}

static unsigned int contents(struct sf_judge *j, const struct sf_event *ev, uint32_t id,
			     uint64_t bad, uint64_t verified)
{
	struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, id);

	if (bad == SF_GOOD || !o || (o->flags & SF_OBJ_REPORTED))
		return verified != 0;
	if (o->api == SF_API_FOREIGN && bad >= o->size) /* MAL-2 */
		return verified != 0;
	o->flags |= SF_OBJ_REPORTED;
	sf_title(j, SF_INV_MEM_5, "contents of a %s object changed", sf_name_of(&j->sh, o));
	sf_report(j, ev, o->res, SF_NONE, "byte %llu of %llu, at %#llx", (unsigned long long)bad,
		  (unsigned long long)o->size, (unsigned long long)o->addr);
	return 1;
}

unsigned int sf_mem_5_content(struct sf_judge *j, const struct sf_event *ev)
{
	return contents(j, ev, ev->content.id, ev->content.bad, ev->content.verified);
}

unsigned int sf_mem_5_free(struct sf_judge *j, const struct sf_event *ev)
{
	return contents(j, ev, ev->free.id, ev->free.bad, ev->free.verified);
}

unsigned int sf_mem_5_defer(struct sf_judge *j, const struct sf_event *ev)
{
	return contents(j, ev, ev->defer.id, ev->defer.bad, ev->defer.verified);
}

unsigned int sf_mem_5_migrate(struct sf_judge *j, const struct sf_event *ev)
{
	return contents(j, ev, ev->migrate.id, ev->migrate.bad, ev->migrate.verified);
}

/* MEM-6, before the shadow. Whether NULL left the old object alone shows in its contents. */
unsigned int sf_mem_6(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_obj *old = sf_shadow_find(&j->sh, a->old_id);

	if (a->api == SF_API_FOREIGN) /* MAL-6 */
		return 0;
	if (a->bad != SF_GOOD) {
		sf_title(j, SF_INV_MEM_6, "krealloc to %s lost contents", WHAT(j, a));
		sf_report(j, ev, a->res, old ? old->res : SF_NONE,
			  "byte %llu of %llu kept, %llu to %llu bytes", (unsigned long long)a->bad,
			  (unsigned long long)a->kept, (unsigned long long)a->old_size,
			  (unsigned long long)a->size);
	}
	if (!a->size && a->status == SF_OK && (j->sh.caps & SF_CAP_KMALLOC) &&
	    a->addr != SF_ZERO_SIZE_PTR) {
		sf_title(j, SF_INV_MEM_6, "krealloc to size 0 did not free");
		sf_report(j, ev, a->res, old ? old->res : SF_NONE, "it returned %#llx",
			  (unsigned long long)a->addr);
	}
	if (sf_got(a) && a->moved && old && (old->flags & SF_OBJ_ALIVE) && a->addr == old->addr) {
		sf_title(j, SF_INV_MEM_6, "krealloc says it moved and did not");
		sf_report(j, ev, a->res, old->res, "%#llx", (unsigned long long)a->addr);
	}
	return 1;
}

/* Does the caller of a free say of the object what is true? */
static bool rightly_told(const struct sf_ev_free *f, const struct sf_shadow_obj *o)
{
	bool sized = f->call == SF_CALL_FREE_SIZED || f->call == SF_CALL_FREE_ALIGNED;

	return f->heap == sf_shadow_heap_of(o) && (!sized || f->size == o->size);
}

unsigned int sf_mem_9(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;
	const struct sf_shadow_obj *o = sf_shadow_find(&j->sh, f->id);

	if (f->id == SF_NONE)
		return 0;
	if (!f->known || f->implied) {
		sf_skip(j, SF_INV_MEM_9, f->implied ? "the free itself was not seen"
						    : "born before the recording");
		return 0;
	}
	if (!o)
		return 0;
	if (j->misuse.tainted) {
		sf_skip(j, SF_INV_MEM_9, SF_TAINTED);
		return 0;
	}
	if (f->how == SF_FREE_USER && !rightly_told(f, o)) /* MAL-15 */
		return 0;
	if (f->how == SF_KFREE_NOLOCK && o->kind == SF_PLACE_LARGE && (o->flags & SF_OBJ_ALIVE)) {
		if (!j->sh.design) { /* may well take what it has no class for */
			sf_skip(j, SF_INV_MEM_9, SF_NO_DESIGN);
			return 0;
		}
		if (f->status == SF_NOTICED) /* mm/slub.c:kfree_nolock takes no such object */
			return 1;
		sf_title(j, SF_INV_MEM_9, "kfree_nolock took a %s object", sf_name_of(&j->sh, o));
	} else if (o->flags & SF_OBJ_ALIVE) {
		if (f->status != SF_NOTICED)
			return 1;
		sf_title(j, SF_INV_MEM_9, "a correct free of a %s object was refused",
			 sf_name_of(&j->sh, o));
	} else {
		if (f->status == SF_NOTICED)
			return 1;
		sf_title(j, SF_INV_MEM_9, "a %s object was freed twice", sf_name_of(&j->sh, o));
	}
	sf_report(j, ev, o->res, f->res, "%#llx", (unsigned long long)f->addr);
	return 1;
}

unsigned int sf_mem_10(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, f->id);

	if (f->id == SF_NONE || !o || !f->known || f->implied)
		return 0;
	if (j->misuse.tainted) {
		sf_skip(j, SF_INV_MEM_10, SF_TAINTED);
		return 0;
	}
	if (f->addr != o->addr && f->status != SF_NOTICED) {
		sf_title(j, SF_INV_MEM_10, "a free inside a %s object went unnoticed",
			 sf_name_of(&j->sh, o));
		sf_report(j, ev, o->res, f->res, "%#llx, the object is at %#llx",
			  (unsigned long long)f->addr, (unsigned long long)o->addr);
	} else if (f->cache != SF_NONE && o->cache != SF_NONE && f->cache != o->cache &&
		   f->status != SF_NOTICED) {
		sf_title(j, SF_INV_MEM_10, "a %s object was freed to %s", sf_name_of(&j->sh, o),
			 sf_name_of_cache(&j->sh, f->cache));
		sf_report(j, ev, o->res, f->res, "%#llx", (unsigned long long)f->addr);
	}
	return 1;
}

/*
 * Only the first misuse of a run is judged: later on it is not known what is where. Slabs that went
 * meanwhile may have gone because of it.
 */
static bool judged_attack(struct sf_judge *j, const struct sf_ev_attack *t, enum sf_invariant inv)
{
	if (t->size) /* a write: nothing is promised */
		return false;
	if (!j->misuse.attacks && !j->op.slab_frees && j->sh.zone.on && j->sh.exact &&
	    t->addr > SF_ZERO_SIZE_PTR)
		return true;
	sf_skip(j, inv, SF_TAINTED);
	return false;
}

/* A page that is no slab's, and on which nothing is alive: what is freed there is freed again. */
static bool unowned(const struct sf_judge *j, uint64_t addr)
{
	uint64_t pfn = sf_shadow_frame(&j->sh, addr);

	if (pfn == SF_NO_PFN) /* a slab was there */
		return addr - j->sh.slabs.base < j->sh.slabs.pages << SF_PAGE_SHIFT;
	return pfn < j->sh.zone.pages && !sf_bit(j->sh.zone.slabs, pfn) &&
	       !sf_shadow_range_live(&j->sh, addr, 1);
}

/*
 * ATTACK: an address was freed that no live object has. That must be noticed where there is no
 * allocation any more (kfree() looks for a large block then; kmem_cache_free() looks only if
 * freelist_hardened), and by a hardened free list whose head the object still is. Nothing is
 * promised for an object in a sheaf.
 */
unsigned int sf_mem_9_attack(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_attack *t = &ev->attack;
	const struct sf_misuse *m = &j->misuse;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, t->cache);
	bool by_page = t->cache == SF_NONE || (c && c->kind != SF_CACHE_NAMED) ||
		       j->sh.set.freelist_hardened;

	if (!judged_attack(j, t, SF_INV_MEM_9) || sf_shadow_hit(&j->sh, t->addr, 1, NULL))
		return 0;
	if (!(m->freed_hardened && m->freed == t->addr && m->freed_op + 1 == ev->op) &&
	    !(by_page && unowned(j, t->addr)))
		return 0;
	if (t->noticed)
		return 1;
	sf_title(j, SF_INV_MEM_9, "a double free of a %s object went unnoticed",
		 t->cache == SF_NONE ? "large" : sf_name_of_cache(&j->sh, t->cache));
	sf_report(j, ev, t->res, SF_NONE, "%#llx", (unsigned long long)t->addr);
	return 1;
}

/*
 * ATTACK: the live object that is misused was freed with an inner pointer, or to another cache.
 * kfree() takes any address in the first page of a large block for the block's; of slabs it finds
 * the slot, or what it thinks is one. kmem_cache_free() looks at the cache only if
 * freelist_hardened.
 */
unsigned int sf_mem_10_attack(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_attack *t = &ev->attack;
	const struct sf_shadow_obj *o;

	if (!judged_attack(j, t, SF_INV_MEM_10))
		return 0;
	o = sf_shadow_hit(&j->sh, t->addr, 1, NULL);
	if (!o || o->res != t->res) /* a double free, of what is another's by now */
		return 0;
	if (t->addr == o->addr ? !j->sh.set.freelist_hardened
			       : o->kind != SF_PLACE_LARGE || t->addr - o->addr < SF_PAGE_SIZE)
		return 0;
	if (t->noticed)
		return 1;
	if (t->addr == o->addr)
		sf_title(j, SF_INV_MEM_10, "a %s object was freed to another cache unnoticed",
			 sf_name_of(&j->sh, o));
	else
		sf_title(j, SF_INV_MEM_10, "a free inside a %s object went unnoticed",
			 sf_name_of(&j->sh, o));
	sf_report(j, ev, t->res, SF_NONE, "%#llx, the object is at %#llx",
		  (unsigned long long)t->addr, (unsigned long long)o->addr);
	return 1;
}

unsigned int sf_mem_11_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;

	if (!sf_is_kmalloc(a->api) || a->size || a->overflow)
		return 0;
	if (a->addr == SF_ZERO_SIZE_PTR)
		return 1;
	sf_title(j, SF_INV_MEM_11, "an allocation of 0 bytes is not ZERO_SIZE_PTR");
	sf_report(j, ev, a->res, SF_NONE, "it is %#llx", (unsigned long long)a->addr);
	return 1;
}

/* A free of ERR_PTR(-errno): refused, carried out on something, or without a word? */
static unsigned int err_ptr(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;
	const struct sf_zone *z = &j->sh.zone;
	bool lost = z->on && (j->op.slab_frees || sf_pages_changed(j));

	if (f->status != SF_OK || lost)
		sf_title(j, SF_INV_MEM_11, "a free of an error pointer is no no-op");
	else if (z->on && !j->op.warned)
		sf_title(j, SF_INV_MEM_11, "a free of an error pointer went without a warning");
	else
		return 1;
	sf_report(j, ev, SF_NONE, SF_NONE, "ERR_PTR(-%llu), status %u",
		  (unsigned long long)-f->addr, f->status);
	return 1;
}

unsigned int sf_mem_11_free(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;

	if (f->id == SF_NONE && SF_IS_ERR(f->addr))
		return err_ptr(j, ev);
	if (f->addr > SF_ZERO_SIZE_PTR)
		return 0;
	if (f->status == SF_OK)
		return 1;
	sf_title(j, SF_INV_MEM_11, "a free of NULL or ZERO_SIZE_PTR is no no-op");
	sf_report(j, ev, f->res, SF_NONE, "status %u", f->status);
	return 1;
}

unsigned int sf_mem_11_ksize(struct sf_judge *j, const struct sf_event *ev)
{
	if (ev->ksize.addr > SF_ZERO_SIZE_PTR)
		return 0;
	if (!ev->ksize.value)
		return 1;
	sf_title(j, SF_INV_MEM_11, "ksize of NULL or ZERO_SIZE_PTR is not 0");
	sf_report(j, ev, SF_NONE, SF_NONE, "it is %llu", (unsigned long long)ev->ksize.value);
	return 1;
}

bool sf_impossible(const struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	if (a->counter_size && !sf_counter_fits(a->counter_size, a->count) && !sh->set.flex)
		return true; /* refused, as include/linux/slab.h documents kmalloc_flex() */
	switch (a->api) {
	case SF_API_NOLOCK:
		return a->size > SF_KMALLOC_CACHE_MAX;
	case SF_API_KMALLOC:
	case SF_API_PAGES:
		return a->size > SF_KMALLOC_MAX;
	case SF_API_EXACT:
		return a->size > SF_KMALLOC_MAX || !a->size;
	case SF_API_PMALLOC:
		return !a->size || a->size > SF_KVMALLOC_MAX ||
		       a->size / SF_PAGE_SIZE >= sh->direct.pages;
	case SF_API_KVMALLOC:
		/* mm/vmalloc.c:__vmalloc_node_range refuses whole pages beyond all memory */
		return a->size > SF_KVMALLOC_MAX ||
		       (sh->direct.pages && a->size / SF_PAGE_SIZE > sh->direct.pages);
	default:
		return false;
	}
}

/*
 * kvmalloc: could the window have been too full for a mapping of that size? Where areas lie in it
 * is open, so half of it may be of no use.
 */
static bool window_full(const struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	return ((a->api == SF_API_KVMALLOC && a->size > SF_PAGE_SIZE) ||
		a->api == SF_API_PMALLOC) &&
	       sh->vm_used + 2 * sf_pages_of(a->size) > sh->vmalloc.pages / 2;
}

/* Why a request may have blocked: no pages, which is told, or no addresses for them. */
static bool starved(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	return !j->sh.zone.on || j->op.page_fail || j->op.warned || window_full(&j->sh, a);
}

/* Do the caller's flags reach the page allocator? kvmalloc() and kmalloc_nolock() change them. */
static bool passes_flags(const struct sf_ev_alloc *a)
{
	return a->api == SF_API_KMALLOC || a->api == SF_API_CACHE || a->api == SF_API_PAGES ||
	       a->api == SF_API_EXACT;
}

/* Above order 3 there are per-CPU lists of one order only, and no others are asked. */
static bool nolock_gives_up(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	unsigned int order = a->size > SF_PAGE_SIZE;

	if (order < j->sh.set.min_order)
		order = (unsigned int)j->sh.set.min_order;
	return !j->sh.design || order > SF_COSTLY_ORDER ||
	       !sf_zone_can_give(&j->sh.zone, order, SF_GFP_NOMEMALLOC,
				 j->sh.zone.marks.min);
}

/* mm/page_alloc.c:pcp_allowed_order: all that alloc_frozen_pages_nolock() may be asked for. */
static bool pcp_order(unsigned int order)
{
	return order <= SF_COSTLY_ORDER || order == SF_PCP_HUGE_ORDER;
}

static const char *null_fault(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	const struct sf_zone *z = &j->sh.zone;

	if (a->addr)
		return "a failed allocation left an address";
	if (sf_pages_changed(j))
		return "a failed allocation kept pages";
	if (a->overflow || sf_impossible(&j->sh, a) || j->op.from_sheaf) /* MEM-21 */
		return NULL;
	if (a->api == SF_API_PMALLOC && j->op.warned) /* there was no mapping to be had */
		return NULL;
	if (a->api != SF_API_NOLOCK && sf_never_fails(a->gfp))
		return "a __GFP_NOFAIL request failed";
	if (a->api == SF_API_NOLOCK && z->on && nolock_gives_up(j, a)) /* without a word */
		return NULL;
	if (!j->op.fault && !j->op.page_fail && !j->op.refused && !window_full(&j->sh, a))
		return "an allocation failed without a reason";
	if (!j->op.fault && !j->op.refused && passes_flags(a) && j->op.page_fail &&
	    (a->gfp & ~j->op.fail_gfp & SF_EFFORT))
		return "an allocation failed after less effort than its flags ask for";
	return NULL;
}

unsigned int sf_mem_12_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const char *fault = NULL;

	if (a->status == SF_NULL)
		fault = null_fault(j, a);
	else if (a->status == SF_BLOCKED && !sf_never_fails(a->gfp))
		fault = "a request that may fail blocked";
	else if (a->status == SF_BLOCKED && !starved(j, a))
		fault = "a request blocked with memory at hand";
	else if (a->status == SF_OK && !a->addr)
		fault = "NULL was returned as a success";
	else if (j->op.slab_news && passes_flags(a) && ((a->gfp ^ j->op.slab_gfp) & SF_EFFORT))
		fault = "a slab was made with more or less effort than flags ask for";
	else if (j->op.slab_news && a->api == SF_API_NOLOCK && !pcp_order(j->op.slab_order))
		fault = "kmalloc_nolock() made a slab of an order that it cannot have";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MEM_12, "%s", fault);
	sf_report(j, ev, a->res, SF_NONE, "%s of %llu bytes, gfp %#x, %llu pages free",
		  WHAT(j, a), (unsigned long long)a->size, a->gfp,
		  (unsigned long long)j->sh.zone.free_pages);
	return 1;
}

/*
 * Is the mark that it was held against last the zone's? HIGH, if the zone was not known to be below
 * it, and yet had no page for it; none where none holds.
 */
static bool fail_mark_good(const struct sf_judge *j, const struct sf_ev_pagefail *f)
{
	const struct sf_zone *z = &j->sh.zone;
	uint64_t boost = sf_zone_boost(z, f->gfp, SF_ATTEMPT_SLOW);
	bool none = (f->gfp & SF_GFP_MEMALLOC) && !(f->gfp & SF_GFP_NOMEMALLOC);

	if (none || j->op.rounds.open) /* PF_MEMALLOC */
		return !f->mark || !none;
	return f->mark == sf_zone_mark(z, f->order, f->gfp) || f->mark == z->marks.high + boost;
}

/* mm/page_alloc.c:__alloc_pages_slowpath: is more than one round of reclaim made for it? */
static bool retries(const struct sf_ev_pagefail *f)
{
	if (f->gfp & SF_GFP_NOFAIL)
		return true;
	return !(f->gfp & SF_GFP_NORETRY) &&
	       (f->order <= SF_COSTLY_ORDER || (f->gfp & SF_GFP_RETRY_MAYFAIL));
}

/* PAGE_FAIL. A caller that may reclaim has had all per-CPU lists drained for it. */
unsigned int sf_mem_12_fail(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_pagefail *f = &ev->pagefail;
	const struct sf_zone *z = &j->sh.zone;
	uint64_t mark = sf_zone_mark(z, f->order, f->gfp);
	const char *fault = NULL;

	if (!z->on)
		return 0;
	if (f->refused && f->order <= SF_MAX_ORDER)
		fault = "a block order that exists was refused";
	else if (!f->refused && sf_zone_can_give(z, f->order, f->gfp, mark))
		fault = "the page allocator gave up with memory at hand";
	else if (!f->refused && (f->gfp & SF_GFP_DIRECT_RECLAIM) &&
		 z->pages > z->free_pages + z->out_pages)
		fault = "the page allocator gave up with pages in per-CPU lists";
	else if (!f->refused && !retries(f) && j->op.rounds.tried > 1)
		fault = "a request that is not to be tried again was";
	else if (!f->refused && j->sh.exact && !fail_mark_good(j, f))
		fault = "the page allocator gave up at a mark that is none of the zone's";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MEM_12, "%s", fault);
	sf_report(j, ev, SF_NONE, SF_NONE, "order %u, gfp %#x, mark %llu, %llu pages free",
		  f->order, f->gfp, (unsigned long long)f->mark, (unsigned long long)z->free_pages);
	return 1;
}

unsigned int sf_mem_13(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint64_t product;
	bool over = a->overflow || a->size == UINT64_MAX;

	if (a->n != 1 && __builtin_mul_overflow(a->n, a->elem, &product))
		over = true;
	if (!over || a->api == SF_API_PMALLOC || a->api == SF_API_FOREIGN) /* PMA-9, MAL-4 */
		return 0;
	if (!a->addr && a->status == SF_NULL)
		return 1;
	sf_title(j, SF_INV_MEM_13, "a product that overflows was allocated");
	sf_report(j, ev, a->res, SF_NONE, "%llu * %llu gave %#llx", (unsigned long long)a->n,
		  (unsigned long long)a->elem, (unsigned long long)a->addr);
	return 1;
}

/* `known`: the design is. */
static bool usable_fits_place(const struct sf_place *pl, uint64_t usable, bool known)
{
	switch (pl->kind) {
	case SF_PLACE_SLAB:
		return usable + pl->offset >= pl->object_size && usable + pl->offset <= pl->stride;
	case SF_PLACE_LARGE: /* exactly, where ksize() is the kernel's */
		return pl->order <= SF_MAX_ORDER && usable <= SF_PAGE_SIZE << pl->order &&
		       (!known || usable == SF_PAGE_SIZE << pl->order);
	case SF_PLACE_VMALLOC:
		return !known || (pl->stride == (usable < 1u << 31 ? usable : 1u << 31) &&
				  pl->stride == pl->object_size);
	default:
		return true;
	}
}

/* What ksize() of a fresh object must be; 0: not known. */
static uint64_t due_size(const struct sf_judge *j, const struct sf_ev_alloc *a)
{
	/* a recording does not say whether kvmalloc fell back */
	if (!sf_is_kmalloc(a->api) || !(j->sh.caps & SF_CAP_KMALLOC) || !j->sh.design ||
	    (a->api == SF_API_KVMALLOC && a->place.kind == SF_PLACE_UNKNOWN))
		return 0;
	if (a->place.kind == SF_PLACE_VMALLOC)
		return sf_pages_of(a->size) * SF_PAGE_SIZE;
	if (a->place.kind == SF_PLACE_SLAB && sf_due_slot(&j->sh, a))
		return (uint64_t)sf_due_slot(&j->sh, a) << SF_PAGE_SHIFT;
	if (a->place.kind != SF_PLACE_SLAB || a->size > SF_KMALLOC_CACHE_MAX || !a->size)
		return sf_roundup(a->size);
	if (sf_of_bucket(a)) /* its flags decide the stride */
		return 0;
	return sf_type_class(&j->sh.set, a->size, a->type_align) - (uint64_t)a->place.offset;
}

unsigned int sf_mem_17_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const char *fault = NULL;
	uint64_t due;

	if (!sf_got(a) || !a->usable || a->api == SF_API_FOREIGN) /* MAL-2 */
		return 0;
	if (!j->sh.design && sf_fresh(ev) && sf_is_kmalloc(a->api))
		sf_skip(j, SF_INV_MEM_17, SF_NO_DESIGN);
	due = sf_fresh(ev) ? due_size(j, a) : 0;
	if (due && due <= SF_KMALLOC_CACHE_MAX && a->api == SF_API_NOLOCK && a->usable != due)
		due = sf_class_of(due + 1); /* the one retry, in the next class */
	if (a->usable < a->size)
		fault = "ksize of a %s object is less than was asked";
	else if (due && a->usable != due)
		fault = "ksize of a %s object is not kmalloc_size_roundup";
	else if (!usable_fits_place(&a->place, a->usable, j->sh.design))
		fault = "ksize of a %s object is not between object size and stride";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MEM_17, fault, WHAT(j, a));
	sf_report(j, ev, a->res, SF_NONE, "%llu asked, ksize %llu, object size %u, stride %u",
		  (unsigned long long)a->size, (unsigned long long)a->usable,
		  a->place.object_size, a->place.stride);
	return 1;
}

unsigned int sf_mem_17_ksize(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_obj *o = sf_shadow_alive(&j->sh, ev->ksize.id);

	if (ev->ksize.addr <= SF_ZERO_SIZE_PTR || !o || o->api == SF_API_FOREIGN)
		return 0;
	if (o->usable ? ev->ksize.value == o->usable : ev->ksize.value >= o->size)
		return 1;
	sf_title(j, SF_INV_MEM_17, "ksize of a %s object changed", sf_name_of(&j->sh, o));
	sf_report(j, ev, o->res, SF_NONE, "%llu now, %llu before, %llu asked",
		  (unsigned long long)ev->ksize.value, (unsigned long long)o->usable,
		  (unsigned long long)o->size);
	return 1;
}

/* Under slot_offset an object need not begin where its slot does. */
static bool slot_live(const struct sf_judge *j, uint64_t addr, uint32_t cache)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, cache);
	uint32_t room = j->sh.set.slot_offset && c ? c->stride : 8;

	for (uint32_t off = 0; off < room; off += 8)
		if (sf_shadow_live_at(&j->sh, addr + off))
			return true;
	return false;
}

/* Objects in a sheaf that waits for a grace period are unowned, but not free. */
static void park_deferred(struct sf_judge *j, const struct sf_event *ev,
			  const struct sf_snap_sheaf *sheaf)
{
	for (uint32_t i = 0; i < sheaf->ev.nr; i++) {
		uint64_t addr = j->snap.pool[sheaf->objs + i];

		if (slot_live(j, addr, sheaf->ev.cache))
			continue;
		sf_title(j, SF_INV_MEM_7, "an rcu_free sheaf of %s holds what is not deferred",
			 sf_name_of_cache(&j->sh, sheaf->ev.cache));
		sf_report(j, ev, SF_NONE, SF_NONE, "%#llx, sheaf slot %u",
			  (unsigned long long)addr, i);
		return;
	}
}

/* Marks a free or parked object; returns what is wrong with it, or NULL. */
static const char *park(struct sf_judge *j, uint64_t addr, uint32_t cache, bool sheaf)
{
	struct sf_snap_slab *slab = sf_snap_slab_of(&j->snap, &j->sh, addr);
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, cache);
	uint64_t off, pfn, *w, bit = 1ull << (addr / 8 % 64);

	if (!slab)
		return sheaf ? "a sheaf of %s holds what lies in no slab" : NULL; /* MEM-8 */
	if (sheaf && slab->ev.cache != cache)
		return "a sheaf of %s holds another cache's object";
	off = addr - slab->ev.addr;
	if (sheaf && c && c->stride && (off % c->stride || off / c->stride >= slab->ev.objects))
		return "a sheaf of %s holds what is no object";
	pfn = sf_shadow_frame(&j->sh, addr); /* of a slab: it has an owner */
	w = &j->snap.parked[pfn].w[addr / 8 % SF_PAGE_GRANULES / 64];
	if (*w & bit)
		return "an object of %s is free twice";
	*w |= bit;
	if (sf_shadow_live_at(&j->sh, addr))
		return "a live object of %s is free too";
	return NULL;
}

static void park_all(struct sf_judge *j, const struct sf_event *ev, uint32_t cache, size_t at,
		     uint32_t nr, bool sheaf)
{
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t addr = j->snap.pool[at + i];
		const char *fault = park(j, addr, cache, sheaf);
		const struct sf_shadow_obj *o;

		if (!fault)
			continue;
		o = sf_shadow_hit(&j->sh, addr, 1, NULL);
		sf_title(j, SF_INV_MEM_7, fault, sf_name_of_cache(&j->sh, cache));
		sf_report(j, ev, o ? o->res : SF_NONE, SF_NONE, "%#llx, %s %u",
			  (unsigned long long)addr, sheaf ? "sheaf slot" : "free list entry", i);
		return;
	}
}

/* mm/slub.c:__kfree_rcu_sheaf: what a cache with sheaves defers waits in one of them, all of it. */
static void waiting(struct sf_judge *j, const struct sf_event *ev)
{
	for (size_t i = 0; i < j->snap.nr_ids; i++) {
		uint32_t id = j->snap.ids[i];
		const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, id);

		if (!c || !c->sheaf_capacity || j->snap.sum[id].waiting >= c->deferred)
			continue;
		sf_title(j, SF_INV_MEM_7, "rcu_free sheaves of %s do not hold all that is deferred",
			 sf_name_of_cache(&j->sh, id));
		sf_report(j, ev, SF_NONE, SF_NONE, "%llu objects, %u due",
			  (unsigned long long)j->snap.sum[id].waiting, c->deferred);
	}
}

unsigned int sf_mem_7(struct sf_judge *j, const struct sf_event *ev)
{
	struct sf_snapshot *s = &j->snap;

	if (!s->pages || !j->sh.addresses) {
		sf_skip(j, SF_INV_MEM_7, "the arena's address is unknown");
		return 0;
	}
	if ((j->sh.caps & SF_CAP_RCU) && j->sh.exact && !j->sh.untracked)
		waiting(j, ev);
	for (size_t i = 0; !s->sound && i < s->nr_slabs; i++)
		park_all(j, ev, s->slabs[i].ev.cache, s->slabs[i].free, s->slabs[i].ev.nr_free,
			 false);
	for (size_t i = 0; i < s->nr_sheaves; i++)
		if (s->sheaves[i].ev.kind == SF_SHEAF_RCU)
			park_deferred(j, ev, &s->sheaves[i]);
		else if (!s->sound)
			park_all(j, ev, s->sheaves[i].ev.cache, s->sheaves[i].objs,
				 s->sheaves[i].ev.nr, true);
	for (size_t i = 0; i < s->nr_slabs; i++) {
		const struct sf_snap_slab *slab = &s->slabs[i];
		const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, slab->ev.cache);

		for (uint64_t p = slab->ev.pfn;
		     !s->sound && p < s->pages && slab->ev.order <= SF_MAX_ORDER &&
		     p - slab->ev.pfn < 1ull << slab->ev.order; p++)
			s->parked[p] = (struct sf_page_bits){ { 0 } };
		if (!j->sh.zone.on || !j->sh.exact || slab->orphan || j->sh.untracked ||
		    slab->ev.list == SF_SLAB_DEFERRED || slab->ev.error != SF_WALK_OK ||
		    (c && c->kind == SF_CACHE_INTERNAL) ||
		    slab->ev.nr_free + slab->parked + slab->live >= slab->ev.objects)
			continue;
		sf_title(j, SF_INV_MEM_7, "a free object of %s is on no list",
			 sf_name_of_cache(&j->sh, slab->ev.cache));
		sf_report(j, ev, SF_NONE, SF_NONE,
			  "slab at pfn %#llx: %u objects, %u on its list, %u parked, %u live",
			  (unsigned long long)slab->ev.pfn, slab->ev.objects, slab->ev.nr_free,
			  slab->parked, slab->live);
	}
	return (unsigned int)(s->nr_slabs + s->nr_sheaves);
}

static const char *freelist_fault(struct sf_judge *j, const struct sf_snap_slab *slab)
{
	static const char *const by_error[] = {
		[SF_WALK_CYCLE] = "the free list of a %s slab has a cycle",
		[SF_WALK_OUTSIDE] = "the free list of a %s slab leaves it",
		[SF_WALK_UNALIGNED] = "the free list of a %s slab holds what is no object",
	};
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, slab->ev.cache);

	if (slab->ev.error != SF_WALK_OK)
		return by_error[slab->ev.error <= SF_WALK_UNALIGNED ? slab->ev.error
								    : SF_WALK_CYCLE];
	for (uint32_t i = 0; !j->snap.sound && i < slab->ev.nr_free && j->snap.pages &&
			     slab->ev.order <= SF_MAX_ORDER; i++) {
		uint64_t off = j->snap.pool[slab->free + i] - slab->ev.addr;

		if (off >= SF_PAGE_SIZE << slab->ev.order)
			return by_error[SF_WALK_OUTSIDE];
		if (!slab->orphan && slab->ev.list != SF_SLAB_DEFERRED && c && c->stride &&
		    (off % c->stride || off / c->stride >= slab->ev.objects))
			return by_error[SF_WALK_UNALIGNED];
	}
	if (slab->ev.list == SF_SLAB_DEFERRED) /* nothing will be allocated from it */
		return NULL;
	if (slab->ev.inuse > slab->ev.objects ||
	    slab->ev.nr_free != slab->ev.objects - slab->ev.inuse)
		return "the free list of a %s slab is not as long as objects - inuse";
	return NULL;
}

unsigned int sf_mem_8(struct sf_judge *j, const struct sf_event *ev)
{
	for (size_t i = 0; i < j->snap.nr_slabs; i++) {
		const struct sf_snap_slab *slab = &j->snap.slabs[i];
		const char *fault = freelist_fault(j, slab);

		if (!fault)
			continue;
		sf_title(j, SF_INV_MEM_8, fault, sf_name_of_cache(&j->sh, slab->ev.cache));
		sf_report(j, ev, SF_NONE, SF_NONE,
			  "slab at pfn %#llx: %u objects, %u in use, %u on its list",
			  (unsigned long long)slab->ev.pfn, slab->ev.objects, slab->ev.inuse,
			  slab->ev.nr_free);
	}
	return (unsigned int)j->snap.nr_slabs;
}

/* --- MEM-20 --- */

/* Where the free pointer of a slot was stored when the object went back to its slab. */
static bool is_freeptr(const struct sf_judge *j, const struct sf_shadow_obj *o, uint64_t from,
		       uint64_t to)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, o->cache);
	uint64_t begin;

	if (o->kind != SF_PLACE_SLAB || !c || c->freeptr < o->offset)
		return false;
	begin = c->freeptr - o->offset;
	return from >= begin && to <= begin + sizeof(uint64_t);
}

/* FREE, before the shadow forgets the object. */
unsigned int sf_mem_20(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_free *f = &ev->free;
	const struct sf_shadow_obj *o = f->wiped ? sf_shadow_alive(&j->sh, f->id) : NULL;

	if (!o || f->how != SF_KFREE_SENSITIVE || f->status != SF_OK)
		return 0;
	if (f->left == SF_GOOD || is_freeptr(j, o, f->left, f->left_end))
		return 1;
	sf_title(j, SF_INV_MEM_20, "kfree_sensitive left bytes of a %s object",
		 sf_name_of(&j->sh, o));
	sf_report(j, ev, o->res, SF_NONE, "bytes %llu to %llu of %llu are not zero",
		  (unsigned long long)f->left, (unsigned long long)f->left_end,
		  (unsigned long long)f->wiped);
	return 1;
}
