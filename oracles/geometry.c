// SPDX-License-Identifier: MIT
/*
 * geometry.c - what a cache is made like (ACC-24): its slab's order and objects, the place of the
 * free pointer, how many empty slabs it keeps and how much a sheaf holds, each by the kernel's
 * formula.
 *
 * Blocks of 2 MiB have rules of their own (BIG). Relies on judge.h and rules.h; listed in
 * listing.h.
 */
#include "caches.h"
#include "judge.h"
#include "listing.h"
#include "report.h"
#include "rules.h"

#define ULL(x) ((unsigned long long)(x))
#define MAX_OBJECTS 32767ull /* MAX_OBJS_PER_PAGE: struct slab counts in 15 bits */

static unsigned int log2_of(uint64_t n)
{
	return 63 - (unsigned int)__builtin_clzll(n);
}

/* mm/slub.c:calculate_order: as many objects as CPUs ask for, unless a larger slab wastes less. */
static unsigned int due_order(const struct sf_settings *set, uint64_t size, unsigned int asked)
{
	unsigned int most = (unsigned int)set->slab_max_order;
	unsigned int least = (unsigned int)set->slab_min_order;
	uint64_t want = set->slab_min_objects ? set->slab_min_objects :
						4 * (log2_of(set->cpus) + 2);
	uint64_t fit;

	most = most > asked ? most : asked;
	least = least > asked ? least : asked;
	fit = (SF_PAGE_SIZE << most) / size;
	if (want > fit)
		want = fit ? fit : 1;
	if (sf_order_of(want * size) > least)
		least = sf_order_of(want * size);
	if ((SF_PAGE_SIZE << least) / size > MAX_OBJECTS)
		return sf_order_of(size * MAX_OBJECTS) - 1;
	for (unsigned int share = 16; share > 1; share /= 2)
		for (unsigned int order = least; order <= most; order++)
			if ((SF_PAGE_SIZE << order) % size <= (SF_PAGE_SIZE << order) / share)
				return order;
	return sf_order_of(size);
}

/* ilog2(size) / 2, from MIN_PARTIAL to MAX_PARTIAL. */
static uint32_t due_partial(uint32_t stride)
{
	uint32_t n = log2_of(stride) / 2;

	return n < 5 ? 5 : n > 10 ? 10 : n;
}

/* Behind the object if that keeps its contents while it is free, else in its middle. */
static uint32_t due_freeptr(const struct sf_ev_cache *c)
{
	if (c->flags & (SF_SLAB_TYPESAFE_BY_RCU | SF_SLAB_CTOR))
		return (c->object_size + 7) & ~7u;
	return c->object_size / 2 & ~7u;
}

/*
 * mm/slub.c:calculate_sheaf_capacity: by size; then as much as the kmalloc class of a sheaf has
 * room for, behind its header of 32 bytes.
 */
static uint32_t due_sheaf(const struct sf_settings *set, const struct sf_shadow_cache *c)
{
	uint32_t n = c->stride >= 4096 ? 4 : c->stride >= 1024 ? 12 : c->stride >= 256 ? 26 : 60;

	if (!set->sheaves || (c->flags & SF_SLAB_NOLEAKTRACE))
		return 0;
	return (sf_class_of(32 + 8 * n) - 32) / 8;
}

static const char *cache_fault(const struct sf_settings *set, const struct sf_ev_cache *c)
{
	uint64_t slab = SF_PAGE_SIZE << c->order;
	bool behind = c->flags & (SF_SLAB_TYPESAFE_BY_RCU | SF_SLAB_CTOR);
	uint64_t size = ((c->object_size + 7ull) & ~7ull) + (behind ? 8 : 0);

	if (c->stride != (size + c->align - 1) / c->align * c->align)
		return "objects of %s are further apart, or closer, than size and alignment say";
	if (c->order != due_order(set, c->stride, c->asked_order))
		return "slabs of %s have another order than their objects ask for";
	if (c->objects != slab / c->stride)
		return "slabs of %s hold more or fewer objects than fit";
	if (c->freeptr != due_freeptr(c))
		return "the free pointer of %s is neither in the middle of an object nor behind it";
	if (c->min_partial != due_partial(c->stride))
		return "%s keeps another number of empty slabs than its objects' size says";
	return NULL;
}

static bool has_formulas(const struct sf_judge *j, bool large)
{
	return j->sh.design && !large && !(j->sh.caps & SF_CAP_OWN_DESIGN);
}

/* Events may say anything: is it a cache that formulas can be asked of? */
static bool sound(const struct sf_settings *set, const struct sf_ev_cache *c)
{
	return c->stride && c->align && c->order <= SF_MAX_ORDER &&
	       c->asked_order <= SF_MAX_ORDER && set->slab_max_order <= SF_MAX_ORDER &&
	       set->slab_min_order <= SF_MAX_ORDER && set->cpus && set->cpus <= UINT32_MAX &&
	       set->slab_min_objects <= UINT32_MAX;
}

/* CACHE, once it is known. */
unsigned int sf_acc_24_cache(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cache *c = &ev->cache;
	const struct sf_shadow_cache *sc = sf_shadow_cache_at(&j->sh, c->id);
	const char *fault;

	if (!sc || sc->again || !has_formulas(j, c->large) || !sound(&j->sh.set, c))
		return 0;
	fault = cache_fault(&j->sh.set, c);
	if (!fault)
		return 1;
	sf_title(j, SF_INV_ACC_24, fault, sf_name_of_cache(&j->sh, c->id));
	sf_report(j, ev, SF_NONE, SF_NONE,
		  "object size %u, stride %u, alignment %u; order %u (%u asked), %u objects; free "
		  "pointer at %u; %u empty slabs", c->object_size, c->stride, c->align, c->order,
		  c->asked_order, c->objects, c->freeptr, c->min_partial);
	return 1;
}

/* Boot caches, of which nobody asked for anything. */
unsigned int sf_acc_24_sheaf(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, ev->cache.id);
	uint32_t due;

	if (!c || !c->stride || !ev->cache.boot || !has_formulas(j, c->large))
		return 0;
	due = due_sheaf(&j->sh.set, c);
	if (c->sheaf_capacity == due)
		return 1;
	sf_title(j, SF_INV_ACC_24, "sheaves of %s have another capacity than their objects' size "
		 "says", sf_name_of_cache(&j->sh, ev->cache.id));
	sf_report(j, ev, SF_NONE, SF_NONE, "%u, due %u", c->sheaf_capacity, due);
	return 1;
}

/* CACHE_CREATE, once it is known: at least the usual, and no more than was asked for besides. */
unsigned int sf_acc_24_create(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cacheop *op = &ev->cacheop;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, op->cache);
	uint32_t due, most;

	if (!c || !c->stride || op->merged || !has_formulas(j, c->large))
		return 0;
	due = due_sheaf(&j->sh.set, c);
	most = due && op->sheaf_capacity > due ? op->sheaf_capacity : due;
	if (c->sheaf_capacity >= due && c->sheaf_capacity <= most)
		return 1;
	sf_title(j, SF_INV_ACC_24, "sheaves of a named cache have another capacity than was asked "
		 "for and their objects' size says");
	sf_report(j, ev, op->handle, SF_NONE, "%u, due %u, asked %u", c->sheaf_capacity, due,
		  op->sheaf_capacity);
	return 1;
}
