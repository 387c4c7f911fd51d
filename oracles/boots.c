// SPDX-License-Identifier: MIT
/*
 * boots.c - boots.h: what many boots show together.
 *
 * Counts only: which partition each call site and type got, which seeds there were, where fresh
 * slabs began, in which order large blocks came. Relies on oracle.h; shares nothing with the judge.
 */
#include "boots.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../allocators/base/grow.h"
#include "../allocators/base/hash.h"
#include "designs.h"

#define PARTITIONS 16u
#define SITES 64u             /* call sites that are followed, the first met */
#define TYPES 1024u
#define START_OBJECTS 16u     /* slabs of so many objects show where they begin: 16 bins */
/* Chi-squared: two-sided, false alarms 1e-7, so that those of nine sites stay below 1e-6. */
#define CHI_15_LOW 0.796
#define CHI_15_HIGH 64.055
#define CHI_14_LOW 0.637
#define CHI_14_HIGH 62.104
#define BINOMIAL_SIGMAS 4.9   /* two-sided, 1e-6 */
#define NOT_YET 0xff

struct site {
	uint32_t site;
	uint8_t now;              /* partition in this boot */
	uint64_t count[PARTITIONS];
};

struct sf_boots {
	struct sf_judge_options opt;
	struct sf_oracle_count count[SF_INV_COUNT];
	uint64_t boots;
	const struct sf_design *design; /* of the last heap */
	struct sf_settings set;
	/* RANDOM, TYPED */
	struct site site[SITES];
	uint32_t nr_sites;
	uint8_t type[TYPES];      /* partition in the first boot, plus 1; 0: not met */
	uint8_t *normal;          /* by cache id: it is an ordinary kmalloc cache */
	size_t cap_normal;
	uint64_t *seed;           /* of each boot */
	size_t cap_seed;
	/* freelist_random */
	uint32_t *first;          /* by cache id: 1 + index into `order`: this boot's first slab */
	size_t cap_first;
	uint16_t (*order)[START_OBJECTS];
	size_t nr_order, cap_order;
	uint64_t start[START_OBJECTS], starts;
	uint64_t next[START_OBJECTS], nexts; /* what follows object 0 in a cache's order */
	/* freelist_hardened, by cache id: secret, and the boot that it is of */
	struct secret {
		uint64_t value, boot;
	} *secret;
	size_t cap_secret;
	/* shuffle */
	uint64_t hash, last_hash; /* of the order in which the largest blocks came */
	uint32_t large;           /* of them in this boot */
	uint64_t same_order, tails, ends;
	uint64_t small;           /* 1 + place of this boot's first page in its largest block */
	uint64_t first_small;
};

__attribute__((format(printf, 4, 5), cold))
static void raise_violation(struct sf_boots *b, enum sf_invariant inv, const char *what,
			    const char *fmt, ...)
{
	struct sf_violation v = { .invariant = inv, .op = SF_NONE,
				  .objects = { SF_NONE, SF_NONE } };
	va_list ap;

	b->count[inv].violations++;
	if (b->count[inv].violations > 1 || !b->opt.violation)
		return;
	snprintf(v.title, sizeof(v.title), "%s", what);
	va_start(ap, fmt);
	vsnprintf(v.detail, sizeof(v.detail), fmt, ap);
	va_end(ap);
	b->opt.violation(b->opt.ctx, &v);
}

struct sf_boots *sf_boots_create(const struct sf_judge_options *opt)
{
	struct sf_boots *b = sf_zalloc(1, sizeof(*b));

	b->opt = *opt;
	return b;
}

void sf_boots_destroy(struct sf_boots *b)
{
	if (!b)
		return;
	free(b->normal);
	free(b->seed);
	free(b->first);
	free(b->secret);
	free(b->order);
	free(b);
}

/* --- events --- */

/* What the boot that is over showed. */
static void end_boot(struct sf_boots *b)
{
	if (b->large > 1) {
		b->same_order += b->last_hash == b->hash;
		b->last_hash = b->hash;
	}
	if (b->small && b->set.shuffle) {
		if (!b->first_small)
			b->first_small = b->small;
		b->count[SF_INV_SHF_2].checked++;
		if (b->small != b->first_small)
			raise_violation(b, SF_INV_SHF_2,
					"SHF-2: pages of a small block come in another order",
					"place %llu in its block, %llu in the first boot",
					(unsigned long long)b->small - 1,
					(unsigned long long)b->first_small - 1);
	}
}

static void on_heap(struct sf_boots *b, const struct sf_ev_heap *h)
{
	if (b->boots)
		end_boot(b);
	b->design = sf_design_of(h->caps);
	b->set = *h->settings;
	b->seed = sf_grow_zeroed(b->seed, &b->cap_seed, (size_t)b->boots + 1, sizeof(*b->seed));
	b->seed[b->boots++] = h->partition_seed;
	for (uint32_t i = 0; i < b->nr_sites; i++)
		b->site[i].now = NOT_YET;
	if (b->cap_first)
		memset(b->first, 0, b->cap_first * sizeof(*b->first));
	b->nr_order = 0;
	b->hash = b->small = 0;
	b->large = 0;
}

static void secret_of(struct sf_boots *b, const struct sf_ev_cache *c)
{
	struct secret *s;

	b->secret = sf_grow_zeroed(b->secret, &b->cap_secret, (size_t)c->id + 1,
				   sizeof(*b->secret));
	s = &b->secret[c->id];
	if (s->boot && s->boot != b->boots) {
		b->count[SF_INV_MEM_15].checked++;
		if (s->value == c->secret)
			raise_violation(b, SF_INV_MEM_15,
					"MEM-15: a cache has the same secret in another boot",
					"cache %u: %#llx", c->id, (unsigned long long)s->value);
	}
	*s = (struct secret){ c->secret, b->boots };
}

static void on_cache(struct sf_boots *b, const struct sf_ev_cache *c)
{
	if (b->set.freelist_hardened)
		secret_of(b, c);
	b->normal = sf_grow_zeroed(b->normal, &b->cap_normal, (size_t)c->id + 1, 1);
	b->normal[c->id] = c->kind == SF_CACHE_KMALLOC;
}

static struct site *site_of(struct sf_boots *b, uint32_t site)
{
	for (uint32_t i = 0; i < b->nr_sites; i++)
		if (b->site[i].site == site)
			return &b->site[i];
	if (b->nr_sites == SITES)
		return NULL;
	b->site[b->nr_sites] = (struct site){ .site = site, .now = NOT_YET };
	return &b->site[b->nr_sites++];
}

static void random_partition(struct sf_boots *b, const struct sf_ev_alloc *a)
{
	struct site *s = site_of(b, a->site);
	uint8_t partition = a->place.partition % PARTITIONS;

	if (!s)
		return;
	if (s->now == NOT_YET) {
		s->now = partition;
		s->count[partition]++;
		return;
	}
	b->count[SF_INV_ISO_11].checked++;
	if (s->now != partition)
		raise_violation(b, SF_INV_ISO_11,
				"ISO-11: the seed changes while the kernel runs",
				"call site %u was in partition %u, is in %u", a->site, s->now,
				partition);
}

static void typed_partition(struct sf_boots *b, const struct sf_ev_alloc *a)
{
	uint8_t *first = &b->type[a->type % TYPES];

	if (!a->type || a->forced)
		return;
	if (!*first)
		*first = (uint8_t)(a->place.partition + 1);
	b->count[SF_INV_ISO_9].checked++;
	if (*first != a->place.partition + 1)
		raise_violation(b, SF_INV_ISO_9,
				"ISO-9: a type has another partition in another boot",
				"type %u: partition %u, and %u in the first boot", a->type,
				a->place.partition, *first - 1);
}

static void on_alloc(struct sf_boots *b, const struct sf_ev_alloc *a)
{
	if (a->status != SF_OK || a->place.kind != SF_PLACE_SLAB ||
	    a->place.cache >= b->cap_normal || !b->normal[a->place.cache])
		return;
	if (b->design && b->design->by == SF_BY_SITE)
		random_partition(b, a);
	if (b->design && b->design->by == SF_BY_TOKEN)
		typed_partition(b, a);
}

/* Any place in a cache's order will do: slabs only rotate it. */
static void order_of(struct sf_boots *b, const uint16_t *index)
{
	for (uint32_t i = 0; i < START_OBJECTS; i++) {
		if (index[i])
			continue;
		b->next[index[(i + 1) % START_OBJECTS] % START_OBJECTS]++;
		b->nexts++;
		return;
	}
}

/* How far a cache's slab begins from where the one before it did. */
static void on_order(struct sf_boots *b, const struct sf_ev_slaborder *s)
{
	uint16_t *before;

	if (!b->set.freelist_random || s->objects != START_OBJECTS)
		return;
	b->first = sf_grow_zeroed(b->first, &b->cap_first, (size_t)s->cache + 1, sizeof(*b->first));
	if (!b->first[s->cache]) {
		b->order = sf_grow_zeroed(b->order, &b->cap_order, b->nr_order + 1,
					  sizeof(*b->order));
		memcpy(b->order[b->nr_order], s->index, sizeof(*b->order));
		b->first[s->cache] = (uint32_t)++b->nr_order;
		order_of(b, s->index);
		return;
	}
	before = b->order[b->first[s->cache] - 1];
	for (uint32_t i = 0; i < START_OBJECTS; i++) {
		if (before[i] != s->index[0])
			continue;
		b->start[i]++;
		b->starts++;
		break;
	}
	memcpy(before, s->index, sizeof(*b->order));
}

static void on_page(struct sf_boots *b, const struct sf_ev_page *p)
{
	if (p->order == SF_NR_ORDERS - 1) {
		b->hash = (b->hash ^ p->pfn) * SF_FNV_PRIME;
		b->large++;
	} else if (p->order == 0 && !b->small) {
		b->small = 1 + p->pfn % (1u << (SF_NR_ORDERS - 1));
	}
}

void sf_boots_event(void *boots, const struct sf_event *ev)
{
	struct sf_boots *b = boots;

	switch (ev->type) {
	case SF_EV_HEAP:
		on_heap(b, &ev->heap);
		break;
	case SF_EV_CACHE:
		on_cache(b, &ev->cache);
		break;
	case SF_EV_ALLOC:
		on_alloc(b, &ev->alloc);
		break;
	case SF_EV_SLAB_ORDER:
		on_order(b, &ev->slaborder);
		break;
	case SF_EV_PAGE_ALLOC:
		on_page(b, &ev->page);
		break;
	case SF_EV_BLOCK_ADD:
		if (b->set.shuffle && ev->block.order == SF_NR_ORDERS - 1) {
			b->ends++;
			b->tails += ev->block.tail;
		}
		break;
	}
}

/* --- verdicts --- */

static double chi_squared(const uint64_t *count, unsigned int bins, uint64_t total)
{
	double expected = (double)total / bins, sum = 0;

	for (unsigned int i = 0; i < bins; i++)
		sum += ((double)count[i] - expected) * ((double)count[i] - expected) / expected;
	return sum;
}

static uint64_t total_of(const struct site *s)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < PARTITIONS; i++)
		n += s->count[i];
	return n;
}

/* A judgement, or a skip if there is too little to judge by. */
static bool enough(struct sf_boots *b, enum sf_invariant inv, uint64_t n, const char *why)
{
	if (n >= SF_BOOTS_MIN) {
		b->count[inv].checked++;
		return true;
	}
	b->count[inv].skipped++;
	b->count[inv].reason = why;
	return false;
}

static void judge_sites(struct sf_boots *b)
{
	for (uint32_t i = 0; i < b->nr_sites; i++) {
		const struct site *s = &b->site[i];
		double chi;

		if (!enough(b, SF_INV_ISO_10, total_of(s), "too few boots"))
			continue;
		chi = chi_squared(s->count, PARTITIONS, total_of(s));
		if (chi > CHI_15_LOW && chi < CHI_15_HIGH)
			continue;
		raise_violation(b, SF_INV_ISO_10,
				"ISO-10: partitions of a call site are not uniform over boots",
				"call site %u, chi-squared %.3f (15 degrees), %llu boots",
				s->site, chi, (unsigned long long)total_of(s));
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void judge_seeds(struct sf_boots *b)
{
	qsort(b->seed, b->boots, sizeof(*b->seed), by_value);
	for (uint64_t i = 1; i < b->boots; i++) {
		b->count[SF_INV_ISO_11].checked++;
		if (b->seed[i] == b->seed[i - 1])
			raise_violation(b, SF_INV_ISO_11, "ISO-11: two boots have the same seed",
					"%#llx", (unsigned long long)b->seed[i]);
	}
}

static void judge_starts(struct sf_boots *b)
{
	double chi;

	if (!enough(b, SF_INV_MEM_16, b->starts, "too few slabs of 16 objects"))
		return;
	chi = chi_squared(b->start, START_OBJECTS, b->starts);
	if (chi <= CHI_15_LOW || chi >= CHI_15_HIGH)
		raise_violation(b, SF_INV_MEM_16,
				"MEM-16: fresh slabs do not begin at a random place of their order",
				"chi-squared %.3f (15 degrees of freedom) in %llu slabs", chi,
				(unsigned long long)b->starts);
}

/* Nothing follows itself: fifteen are left, and a shuffled order prefers none. */
static void judge_orders(struct sf_boots *b)
{
	double chi;

	if (!enough(b, SF_INV_MEM_16, b->nexts, "too few slabs of 16 objects"))
		return;
	chi = chi_squared(b->next + 1, START_OBJECTS - 1, b->nexts);
	if (b->next[0] || chi <= CHI_14_LOW || chi >= CHI_14_HIGH)
		raise_violation(b, SF_INV_MEM_16, "MEM-16: orders of free lists are not random",
				"chi-squared %.3f (14 degrees of freedom) in %llu caches", chi,
				(unsigned long long)b->nexts);
}

static void judge_shuffle(struct sf_boots *b)
{
	double off;

	if (!enough(b, SF_INV_SHF_2, b->ends, "too few of the largest blocks were freed"))
		return;
	off = fabs((double)b->tails - (double)b->ends / 2) / (sqrt((double)b->ends) / 2);
	if (off > BINOMIAL_SIGMAS)
		raise_violation(b, SF_INV_SHF_2,
				"SHF-2: the largest blocks prefer one end of their list",
				"%llu of %llu at the tail", (unsigned long long)b->tails,
				(unsigned long long)b->ends);
	b->count[SF_INV_SHF_2].checked++;
	/* Of eight blocks and more one order in 40320 comes twice in a row. */
	if (b->same_order > 3 + b->boots / 1000)
		raise_violation(b, SF_INV_SHF_2,
				"SHF-2: the largest blocks come in the same order in many boots",
				"%llu of %llu boots like the one before",
				(unsigned long long)b->same_order, (unsigned long long)b->boots);
}

static void skip(struct sf_boots *b, enum sf_invariant inv, const char *why)
{
	b->count[inv].skipped++;
	b->count[inv].reason = why;
}

void sf_boots_finish(struct sf_boots *b)
{
	end_boot(b);
	if (b->design && b->design->by == SF_BY_SITE) {
		judge_sites(b);
		judge_seeds(b);
	} else {
		skip(b, SF_INV_ISO_10, "the allocator lacks 'random'");
		skip(b, SF_INV_ISO_11, "the allocator lacks 'random'");
	}
	if (!b->design || b->design->by != SF_BY_TOKEN)
		skip(b, SF_INV_ISO_9, "the allocator lacks 'typed'");
	if (b->set.freelist_random) {
		judge_starts(b);
		judge_orders(b);
	} else {
		skip(b, SF_INV_MEM_16, "freelist_random is off");
	}
	if (!b->set.freelist_hardened)
		skip(b, SF_INV_MEM_15, "freelist_hardened is off");
	if (b->set.shuffle)
		judge_shuffle(b);
	else
		skip(b, SF_INV_SHF_2, "shuffle is off");
}

const struct sf_oracle_count *sf_boots_counts(const struct sf_boots *b)
{
	return b->count;
}
