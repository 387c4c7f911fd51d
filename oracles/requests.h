/* SPDX-License-Identifier: MIT */
/*
 * requests.h - what an allocation event says: did it give memory, by which function, and what must
 * hold of any request like it. Relies on caches.h and rules.h; rules of all families rely on it.
 */
#ifndef SLABFUZZ_REQUESTS_H
#define SLABFUZZ_REQUESTS_H

#include "caches.h"

/* An allocation that gave memory. */
static inline bool sf_got(const struct sf_ev_alloc *a)
{
	return a->status == SF_OK && a->addr > SF_ZERO_SIZE_PTR;
}

/* ... and not an object that was resized where it lay. */
static inline bool sf_fresh(const struct sf_event *ev)
{
	return sf_got(&ev->alloc) && (ev->type == SF_EV_ALLOC || ev->alloc.old_id == SF_NONE ||
				      ev->alloc.moved);
}

/* An object of user space without bytes. */
static inline bool sf_user_empty(const struct sf_ev_alloc *a)
{
	return a->api == SF_API_FOREIGN && !a->size && !a->usable;
}

/* Is it MEM-4 that says this memory must be zero? */
static inline bool sf_zeroing_due(const struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	const struct sf_shadow_cache *c = a->place.kind == SF_PLACE_SLAB ?
						  sf_shadow_cache_at(sh, a->place.cache) : NULL;

	if (a->api == SF_API_PMALLOC) /* always */
		return true;
	return sf_zero_due(&sh->set, a->gfp, c ? c->flags : 0);
}

/* No allocator could meet this, however much memory there is (memory.c). */
bool sf_impossible(const struct sf_shadow *sh, const struct sf_ev_alloc *a);

static inline bool sf_is_kmalloc(uint8_t api)
{
	return api == SF_API_KMALLOC || api == SF_API_KVMALLOC || api == SF_API_NOLOCK;
}

/* Pages of the slot in a block of 2 MiB that kmalloc owes this request; 0: none. */
static inline uint32_t sf_due_slot(const struct sf_shadow *sh, const struct sf_ev_alloc *a)
{
	if (!(sh->caps & SF_CAP_LARGE) || a->size <= SF_KMALLOC_CACHE_MAX ||
	    (a->api != SF_API_KMALLOC && a->api != SF_API_KVMALLOC) ||
	    ((a->gfp & SF_GFP_DMA) && sh->set.zone_dma) || sh->set.min_order > SF_LARGE_ORDER)
		return 0;
	return sf_large_slot(a->size);
}

/* Ordinary kmalloc memory of a slab: what the rules of selection are about. */
static inline bool sf_in_kmalloc_slab(const struct sf_ev_alloc *a)
{
	return sf_got(a) && a->size && a->place.kind == SF_PLACE_SLAB && sf_is_kmalloc(a->api);
}

/* Asked of a set of buckets that exists? With the setting `buckets` off there is none. */
static inline bool sf_of_bucket(const struct sf_ev_alloc *a)
{
	return a->bucket < SF_BUCKETS_OFF;
}

#endif
