// SPDX-License-Identifier: MIT
/*
 * shape.c - shape.h: adds a snapshot up, by cache and by order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "shape.h"

/* An allocator that numbers its caches from there is not to be believed. */
#define CACHE_ID_MAX (1u << 20)

static struct sf_shape_cache *cache_at(struct sf_shape *s, uint32_t id)
{
	uint32_t nr = s->nr_caches ? s->nr_caches : 128;

	if (id >= CACHE_ID_MAX)
		return NULL;
	while (nr <= id)
		nr *= 2;
	if (nr != s->nr_caches) {
		s->caches = sf_grow(s->caches, nr, sizeof(*s->caches));
		memset(s->caches + s->nr_caches, 0, (nr - s->nr_caches) * sizeof(*s->caches));
		s->nr_caches = nr;
	}
	return &s->caches[id];
}

static void add_name(struct sf_shape *s, const char *name, uint32_t cache)
{
	if (!name || !cache_at(s, cache))
		return;
	SF_GROW(s->names, s->nr_names, s->cap_names);
	s->names[s->nr_names++] = (struct sf_shape_name){ sf_strdup(name), cache };
}

static void drop_names(struct sf_shape *s, uint32_t keep)
{
	while (s->nr_names > keep)
		free(s->names[--s->nr_names].name);
}

static void clear_snapshot(struct sf_shape *s)
{
	if (s->nr_caches)
		memset(s->caches, 0, s->nr_caches * sizeof(*s->caches));
	memset(s->free, 0, sizeof(s->free));
	s->valid = false;
}

void sf_shape_event(struct sf_shape *s, const struct sf_event *ev)
{
	struct sf_shape_cache *c;

	switch (ev->type) {
	case SF_EV_HEAP:
		drop_names(s, 0);
		s->nr_boot = 0;
		break;
	case SF_EV_BEGIN:
		drop_names(s, s->nr_boot);
		clear_snapshot(s);
		break;
	case SF_EV_CACHE:
		add_name(s, ev->cache.name, ev->cache.id);
		if (ev->cache.boot)
			s->nr_boot = s->nr_names;
		break;
	case SF_EV_CACHE_CREATE:
		if (ev->cacheop.merged)
			add_name(s, ev->cacheop.name, ev->cacheop.cache);
		break;
	case SF_EV_SNAP_BEGIN:
		clear_snapshot(s);
		break;
	case SF_EV_SNAP_SLAB:
		c = cache_at(s, ev->snapslab.cache);
		if (c && ev->snapslab.list != SF_SLAB_DEFERRED) {
			c->slabs++;
			c->inuse += ev->snapslab.objects - ev->snapslab.nr_free;
		}
		break;
	case SF_EV_SNAP_SHEAF:
		/* What waits for a grace period is not free. */
		c = ev->snapsheaf.kind == SF_SHEAF_RCU ? NULL :
							 cache_at(s, ev->snapsheaf.cache);
		if (c)
			c->parked += ev->snapsheaf.nr;
		break;
	case SF_EV_SNAP_BLOCK:
		if (ev->snapblock.order < SF_NR_ORDERS)
			s->free[ev->snapblock.order]++;
		break;
	case SF_EV_SNAP_END:
		s->valid = true;
		break;
	default:
		break;
	}
}

void sf_shape_free(struct sf_shape *s)
{
	drop_names(s, 0);
	free(s->names);
	free(s->caches);
	*s = (struct sf_shape){ 0 };
}

static bool lookup(const struct sf_shape *s, const char *what, const char *subject, uint64_t *value)
{
	const struct sf_shape_cache *c;
	uint64_t order;

	if (!strcmp(what, "free")) {
		if (!sf_parse_number(subject, &order) || order >= SF_NR_ORDERS)
			return false;
		*value = s->free[order];
		return true;
	}
	for (uint32_t i = s->nr_names; i-- > 0;) {
		if (strcmp(s->names[i].name, subject))
			continue;
		c = &s->caches[s->names[i].cache];
		*value = !strcmp(what, "slabs") ? c->slabs : c->inuse - c->parked;
		return true;
	}
	return false;
}

int sf_shape_check(const struct sf_shape *s, const char *expect, char *got, size_t size)
{
	char what[8], subject[128];
	uint64_t want, value;

	/* A cache's name may hold blanks: the last " = " ends it. */
	if (sscanf(expect, "%7[a-z] ", what) != 1 ||
	    (strcmp(what, "live") && strcmp(what, "slabs") && strcmp(what, "free")))
		return -1;
	for (const char *at = expect + strlen(what) + 1, *eq = at; *at && (eq = strstr(eq, " = "));
	     eq++) {
		if (strstr(eq + 1, " = "))
			continue;
		if (!sf_parse_number(eq + 3, &want) || (size_t)(eq - at) >= sizeof(subject))
			return -1;
		snprintf(subject, sizeof(subject), "%.*s", (int)(eq - at), at);
		if (!lookup(s, what, subject, &value)) {
			snprintf(got, size, "there is no cache or order '%s'", subject);
			return 0;
		}
		snprintf(got, size, "%s %s = %" PRIu64, what, subject, value);
		return value == want;
	}
	return -1;
}
