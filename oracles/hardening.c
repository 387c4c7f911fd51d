// SPDX-License-Identifier: MIT
/*
 * hardening.c - do the hardenings do what they say: encoded free pointers, random orders, wiped
 * memory, counters of flexible arrays, shuffled blocks.
 *
 * Relies on judge.h; listed in listing.h. What it remembers of a cache (its order, once a
 * slab has shown it) is its own, found by the cache's serial number.
 */
#include "hardening.h"

#include <stdlib.h>
#include <string.h>

#include "caches.h"
#include "judge.h"
#include "listing.h"
#include "objects.h"
#include "report.h"
#include "requests.h"
#include "rules.h"
#include "shadow_mem.h"
#include "snap.h"
#include "zone.h"

#define ULL(x) ((unsigned long long)(x))

/* Words stored as they are may happen: one in so many, judged when there are that many. */
#define PLAIN_ONE_IN 1000u

struct order {
	uint32_t serial;   /* of the cache, 0: nothing is known */
	uint16_t objects;
	uint16_t *index;   /* rotated so that 0 comes first */
	uint16_t *place;   /* of each index in it */
	uint32_t cap;
};

struct sf_hardening {
	struct order *order; /* by cache id */
	size_t nr_orders;
	uint64_t words, plain;            /* stored free pointers */
	uint64_t end_word, end_addr;      /* the last list's end, as it is stored; 0: none yet */
};

static struct sf_hardening *mine(struct sf_judge *j)
{
	if (!j->hardening)
		j->hardening = sf_shadow_zalloc(1, sizeof(*j->hardening), &j->sh.bytes);
	return j->hardening;
}

void sf_hardening_free(struct sf_judge *j)
{
	if (!j->hardening)
		return;
	for (size_t i = 0; i < j->hardening->nr_orders; i++)
		free(j->hardening->order[i].index);
	free(j->hardening->order);
	free(j->hardening);
	j->hardening = NULL;
}

/* --- MEM-14 --- */

unsigned int sf_mem_14(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	uint64_t due = a->count;
	const char *fault = NULL;

	if (!a->counter_size)
		return 0;
	if (!sf_got(a))
		return 1;
	if (a->counter_size < 8)
		due &= (1ull << 8 * a->counter_size) - 1;
	if (!j->sh.set.flex && !sf_counter_fits(a->counter_size, a->count))
		fault = "a count that its counter cannot hold was accepted";
	else if (a->counter != due)
		fault = "the counter of a flexible array does not hold its count";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MEM_14, "%s", fault);
	sf_report(j, ev, a->res, SF_NONE, "count %llu, %u bytes of counter hold %llu",
		  ULL(a->count), a->counter_size, ULL(a->counter));
	return 1;
}

/* --- MEM-15 --- */

static const char *encoding_fault(struct sf_hardening *m, const struct sf_shadow_cache *c,
				  const struct sf_ev_snapslab *s, uint32_t i)
{
	uint64_t at = s->free[i] + c->freeptr, next = i + 1 < s->nr_free ? s->free[i + 1] : 0;
	uint64_t word = s->stored[i];

	if ((word ^ c->secret ^ __builtin_bswap64(at)) != next)
		return "a free pointer of %s does not decode to the next object";
	m->words++;
	m->plain += word == next;
	if (m->words >= PLAIN_ONE_IN && m->plain * PLAIN_ONE_IN > m->words)
		return "free pointers of %s are stored as they are";
	if (next)
		return NULL;
	if (m->end_addr && m->end_addr != at && m->end_word == word)
		return "the end of a free list of %s looks the same in two places";
	m->end_addr = at;
	m->end_word = word;
	return NULL;
}

/* mm/slub.c:kmem_cache_open draws one for each cache. The cache before it stands for all others. */
unsigned int sf_mem_15_cache(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_cache *c = &ev->cache;
	const struct sf_shadow_cache *before =
		c->id ? sf_shadow_cache_at(&j->sh, c->id - 1) : NULL;
	const char *fault = NULL;

	if (!c->secret)
		fault = "%s encodes free pointers with 0";
	else if (before && before->secret == c->secret)
		fault = "%s encodes free pointers as another cache does";
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MEM_15, fault, sf_name_of_cache(&j->sh, c->id));
	sf_report(j, ev, SF_NONE, SF_NONE, "secret %#llx", ULL(c->secret));
	return 1;
}

unsigned int sf_mem_15(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_snapslab *s = &ev->snapslab;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, s->cache);
	struct sf_hardening *m = mine(j);

	if (!c || s->error != SF_WALK_OK || !s->nr_free)
		return 0;
	if (!s->stored) {
		sf_skip(j, SF_INV_MEM_15, "the allocator does not tell what it stores");
		return 0;
	}
	for (uint32_t i = 0; i < s->nr_free; i++) {
		const char *fault = encoding_fault(m, c, s, i);

		if (!fault)
			continue;
		sf_title(j, SF_INV_MEM_15, fault, sf_name_of_cache(&j->sh, s->cache));
		sf_report(j, ev, SF_NONE, SF_NONE, "free object at %#llx holds %#llx",
			  ULL(s->free[i]), ULL(s->stored[i]));
		break;
	}
	return s->nr_free;
}

/* --- MEM-16 --- */

static struct order *order_of(struct sf_judge *j, uint32_t cache)
{
	struct sf_hardening *m = mine(j);

	m->order = sf_shadow_grow(m->order, &m->nr_orders, (size_t)cache + 1, sizeof(*m->order),
				  &j->sh.bytes);
	return &m->order[cache];
}

/* The order of the cache's first whole slab. False: it is none, an index is missing. */
static bool learn(struct sf_judge *j, struct order *o, uint32_t serial,
		  const struct sf_ev_slaborder *s)
{
	uint32_t zero = 0;

	if (o->cap < s->objects) {
		free(o->index);
		o->index = sf_shadow_zalloc(2u * s->objects, sizeof(*o->index), &j->sh.bytes);
		o->cap = s->objects;
	}
	o->place = o->index + s->objects;
	memset(o->place, 0xff, s->objects * sizeof(*o->place));
	while (zero < s->objects && s->index[zero])
		zero++;
	for (uint32_t i = 0; i < s->objects; i++) {
		uint16_t index = s->index[(zero + i) % s->objects];

		if (index >= s->objects || o->place[index] != UINT16_MAX)
			return false;
		o->index[i] = index;
		o->place[index] = (uint16_t)i;
	}
	o->serial = serial;
	o->objects = s->objects;
	return true;
}

/* A slab of fewer objects leaves out those that it does not have. */
static bool rotated(const struct order *o, const struct sf_ev_slaborder *s)
{
	uint32_t at;

	if (!s->objects || s->objects > o->objects || s->index[0] >= o->objects)
		return false;
	at = o->place[s->index[0]];
	for (uint32_t i = 0; i < s->objects; i++) {
		if (s->index[i] != o->index[at])
			return false;
		do
			at = at + 1u < o->objects ? at + 1 : 0;
		while (o->index[at] >= s->objects);
	}
	return true;
}

static bool ascending(const struct sf_ev_slaborder *s)
{
	unsigned int wrong = 0;

	for (uint32_t i = 0; i < s->objects; i++)
		wrong |= s->index[i] ^ i;
	return !wrong;
}

unsigned int sf_mem_16(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_slaborder *s = &ev->slaborder;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, s->cache);
	const char *fault = NULL;
	struct order *o;

	if (!c || !s->objects)
		return 0;
	if (!j->sh.set.freelist_random) {
		if (!ascending(s))
			fault = "a fresh slab of %s hands out its objects out of order";
	} else {
		o = order_of(j, s->cache);
		if (o->serial == c->serial) {
			if (!rotated(o, s))
				fault = "a fresh slab of %s is no rotation of its cache's order";
		} else if (s->objects < c->objects) {
			sf_skip(j, SF_INV_MEM_16, "no slab has shown its cache's order yet");
			return 0;
		} else if (!learn(j, o, c->serial, s)) {
			fault = "a fresh slab of %s hands out an object twice";
		}
	}
	if (!fault)
		return 1;
	sf_title(j, SF_INV_MEM_16, fault, sf_name_of_cache(&j->sh, s->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "slab at pfn %#llx, %u objects, the first is %u",
		  ULL(s->pfn), s->objects, s->index[0]);
	return 1;
}

/* --- MEM-18, ISO-16 --- */

/* Is what is freed to this cache wiped, and still wiped? False: it need not be (counted). */
static bool wiped(struct sf_judge *j, const struct sf_shadow_cache *c)
{
	if (!j->sh.set.init_on_free ||
	    (c && (c->flags & (SF_SLAB_CTOR | SF_SLAB_TYPESAFE_BY_RCU))))
		return false;
	if (!c || !c->nolock)
		return true;
	sf_skip(j, SF_INV_MEM_18, "kfree_nolock does not wipe");
	return false;
}

unsigned int sf_mem_18_alloc(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_alloc *a = &ev->alloc;
	const struct sf_shadow_cache *c = a->place.kind == SF_PLACE_SLAB ?
						  sf_shadow_cache_at(&j->sh, a->place.cache) : NULL;

	if (!sf_fresh(ev) || !a->zeroed || sf_zeroing_due(&j->sh, a) || !wiped(j, c))
		return 0;
	if (a->dirty == SF_GOOD)
		return 1;
	sf_title(j, SF_INV_MEM_18, "%s memory is handed out as it was left",
		 sf_name_of_event(&j->sh, a));
	sf_report(j, ev, a->res, SF_NONE, "byte %llu of the object at %#llx", ULL(a->dirty),
		  ULL(a->addr));
	return 1;
}

unsigned int sf_mem_18_walk(struct sf_judge *j, const struct sf_event *ev)
{
	bool slab = ev->type == SF_EV_SNAP_SLAB;
	uint32_t cache = slab ? ev->snapslab.cache : ev->snapsheaf.cache;
	uint64_t unwiped = slab ? ev->snapslab.unwiped : ev->snapsheaf.unwiped;
	uint32_t nr = slab ? ev->snapslab.nr_free : ev->snapsheaf.nr;
	const struct sf_shadow_cache *c = sf_shadow_cache_at(&j->sh, cache);

	if (!c || !nr || !wiped(j, c))
		return 0;
	if (slab ? ev->snapslab.list == SF_SLAB_DEFERRED : ev->snapsheaf.kind == SF_SHEAF_RCU)
		return 0; /* wiped when it is freed */
	if (unwiped == SF_GOOD)
		return nr;
	sf_title(j, SF_INV_MEM_18, "a free object of %s is not wiped",
		 sf_name_of_cache(&j->sh, cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "byte at %#llx", ULL(unwiped));
	return nr;
}

unsigned int sf_iso_16(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_ev_slab *s = &ev->slab;

	if (!j->sh.set.init_on_free)
		return 0;
	if (s->dirty == SF_GOOD)
		return 1;
	sf_title(j, SF_INV_ISO_16, "a slab of %s is made of pages that were not wiped",
		 sf_name_of_cache(&j->sh, s->cache));
	sf_report(j, ev, SF_NONE, SF_NONE, "order %u at pfn %#llx, byte %llu", s->order,
		  ULL(s->pfn), ULL(s->dirty));
	return 1;
}

/* --- SHF-1 --- */

unsigned int sf_shf_1(struct sf_judge *j, const struct sf_event *ev)
{
	const struct sf_zone *z = &j->sh.zone;
	const struct sf_snapshot *s = &j->snap;
	uint64_t due = 0;
	const char *fault = NULL;
	uint64_t pfn = 0;

	if (!j->sh.set.shuffle || !z->on || !j->sh.exact)
		return 0;
	for (unsigned int order = 0; order < SF_NR_ORDERS; order++)
		for (unsigned int type = 0; type < SF_MIGRATE_TYPES; type++)
			due += z->nr[order][type];
	if (due != s->nr_blocks)
		fault = "there are other free blocks than before the shuffle";
	for (size_t i = 0; !fault && i < s->nr_blocks; i++) {
		const struct sf_ev_snapblock *b = &s->blocks[i];

		pfn = b->pfn;
		if (!sf_zone_has(z, pfn, b->order) || z->head[pfn] != sf_head(b->order, b->list))
			fault = "a free block is on another list than before the shuffle";
	}
	if (fault) {
		sf_title(j, SF_INV_SHF_1, "%s", fault);
		sf_report(j, ev, SF_NONE, SF_NONE, "pfn %#llx; %llu blocks, %llu were due",
			  ULL(pfn), ULL(s->nr_blocks), ULL(due));
	}
	return (unsigned int)s->nr_blocks + 1;
}
