// SPDX-License-Identifier: MIT
/*
 * bucket.c - kmem_buckets: sets of size classes of their own (mm/slab_common.c:kmem_buckets_create
 * of Linux 7.2).
 *
 * Relies on cache.c for the caches; kmalloc.c takes from a set what names one. A set is never
 * destroyed, as there.
 */
#include "bucket.h"
#include "cache.h"
#include "heap_assert.h"

#include <stdio.h>
#include <stdlib.h>

static bool grow(struct sf_heap *h)
{
	uint32_t cap = h->cap_buckets ? 2 * h->cap_buckets : 4;
	uint32_t (*p)[NR_CLASSES];

	if (h->nr_buckets < h->cap_buckets)
		return true;
	p = realloc(h->bucket, cap * sizeof(*p));
	if (!p)
		return false;
	h->bucket = p;
	h->cap_buckets = cap;
	return true;
}

/* "<name>-96" from "kmalloc-96": classes are named as kmalloc names them. */
static struct kcache *new_class(struct sf_heap *h, const struct sf_cache_request *set,
				const struct kcache *like)
{
	const char *suffix = like->name + sizeof("kmalloc") - 1;
	struct sf_cache_request rq = *set;
	char name[sizeof(like->name)];
	struct kcache *s;

	snprintf(name, sizeof(name), "%.40s%s", set->name, suffix);
	rq.name = name;
	rq.size = like->object_size;
	if (rq.usersize > rq.size)
		rq.usersize = rq.size;
	s = cache_new(h, &rq, SF_CACHE_BUCKET, 0, like->class_size);
	if (!s)
		return NULL;
	s->bucket = h->nr_buckets;
	s->touched = true;
	return s;
}

uint32_t bucket_create(struct sf_heap *h, const char *name, uint32_t flags, uint32_t usersize)
{
	struct sf_cache_request rq = { .name = name, .flags = flags | SF_SLAB_NO_MERGE,
				       .usersize = h->set.usercopy ? usersize : 0 };
	uint32_t first = h->nr_caches;

	if (!h->set.buckets)
		return SF_BUCKETS_OFF;
	if (!grow(h))
		return SF_NONE;
	if (!h->set.memcg)
		rq.flags &= ~(uint32_t)SF_SLAB_ACCOUNT;
	if (rq.flags & SF_SLAB_TEMPORARY)
		rq.flags = (rq.flags & ~SF_SLAB_TEMPORARY) | SF_SLAB_RECLAIM_ACCOUNT;
	for (unsigned int slot = 1; slot < NR_CLASSES; slot++) {
		struct kcache *s = new_class(h, &rq, h->cache[h->kmalloc[KMALLOC_NORMAL][slot]]);

		if (!s) {
			h->nr_caches = first;
			return SF_NONE;
		}
		h->bucket[h->nr_buckets][slot] = s->id;
	}
	heap_assert(h, h->nr_caches == first + NR_CLASSES - 1 && h->nr_buckets < h->cap_buckets);
	for (unsigned int slot = 1; slot < NR_CLASSES; slot++)
		cache_announce(h, h->cache[h->bucket[h->nr_buckets][slot]]);
	return h->nr_buckets++;
}

void bucket_shrink(struct sf_heap *h, uint32_t bucket)
{
	if (bucket >= h->nr_buckets)
		return;
	for (unsigned int slot = 1; slot < NR_CLASSES; slot++)
		cache_shrink(h, h->bucket[bucket][slot]);
}

void bucket_reset(struct sf_heap *h)
{
	h->nr_buckets = 0;
}
