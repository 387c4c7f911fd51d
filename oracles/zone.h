/* SPDX-License-Identifier: MIT */
/*
 * zone.h - the page allocator's part of the shadow: free blocks, per-CPU pages, pages with users,
 * slabs. Relies on rules.h and bitmap.h; intake.c drives it, rules read it.
 */
#ifndef SLABFUZZ_ZONE_H
#define SLABFUZZ_ZONE_H

#include "bitmap.h"
#include "lists.h"
#include "rules.h"

#define SF_CHUNK_SHIFT 10             /* the zone is reset by chunks of the largest block */
#define SF_CHUNK_PAGES (1u << SF_CHUNK_SHIFT)

struct sf_shadow;

struct sf_shadow_slab {
	uint32_t cache, live;
	uint32_t window; /* page of the slab window where it begins, plus 1; 0: in the direct map */
	uint16_t objects;
	uint8_t order;
	bool orphan : 1; /* its cache was destroyed over it */
	bool used : 1;   /* objects of it have been handed out */
	bool reclaim : 1;  /* its cache has SLAB_RECLAIM_ACCOUNT */
	bool deferred : 1; /* off its cache, waits for a grace period */
	uint32_t grace;  /* deferred: grace periods that had ended by then */
	uint32_t op;     /* that it was made in */
};

/* The slab that a page's address had last. Valid if `run` is the shadow's. */
struct sf_past {
	uint32_t run;
	uint32_t serial, cache; /* of its cache */
	uint8_t kind, partition;
	bool stale;             /* objects had been handed out when it went */
};

/* Types that may stand in for one, in that order (mm/page_alloc.c:fallbacks). */
extern const uint8_t sf_fallbacks[SF_MIGRATE_HIGHATOMIC][2];

/*
 * The zone. Invariant: a pfn is in at most one of listed, pcp, out; slabs is a part of out;
 * head[] is nonzero exactly where `heads` has a bit.
 */
struct sf_zone {
	bool on;              /* the source has tracepoints and a known arena */
	bool grouping;        /* by mobility */
	uint8_t boot_type, pageblock_order;
	uint64_t pages, cap;
	uint32_t cpus;
	struct sf_marks marks;
	uint64_t boost;       /* of the marks, in pages */
	uint32_t tries;       /* to claim a part of a page block, for the request under way */
	bool stolen;          /* its refill goes on stealing, and tries no more */
	uint8_t *head;        /* by pfn: 1 + order | type << 4 of a block on a free list */
	uint8_t *pbtype;      /* by page block */
	uint64_t *listed, *pcp, *out, *slabs; /* bit by pfn */
	uint64_t *fallback;   /* bit by pfn: came by a traced fallback */
	uint64_t *heads, *slab_heads;
	struct sf_shadow_slab *slab; /* by first pfn */
	uint32_t nr[SF_NR_ORDERS][SF_MIGRATE_TYPES], boot_nr[SF_NR_ORDERS];
	uint64_t free_pages, out_pages, slab_pages, orphan_pages;
	uint64_t reclaim_pages; /* of slab_pages: of SLAB_RECLAIM_ACCOUNT caches */
	uint64_t idle_pages;    /* of slab_pages: of slabs that sf_slab_idle() */
	uint64_t freed_slab_pages; /* that were given back, ever */
	uint64_t reserved;    /* pages of page blocks in the HIGHATOMIC reserve */
	uint8_t *touched;     /* by chunk */
	uint32_t *journal;    /* chunks touched since BEGIN */
	uint32_t nr_journal;
	uint64_t changes;     /* in what each page is */
	/* the block last taken off, and the split and the claim that are under way */
	struct {
		uint64_t pfn;
		uint8_t order, type;
		bool valid;
		bool first;       /* del: of its list */
		uint32_t gfp;     /* alloc: as asked of the page allocator */
	} last_del, last_alloc;
	struct sf_lists lists;
	/* what was freed and is not on a free list yet; to_tail: to its end, perhaps */
	struct {
		uint64_t pfn, nr;
		bool to_tail;
	} freed;
	/* page blocks whose free blocks change their lists; nr is 0 if none do */
	struct {
		uint64_t start, nr;
	} moved;
	/* the per-CPU list that was drained last, freed to last; cpu: plus 1, 0: none was */
	struct {
		unsigned int cpu, list;
	} drained, freed_to;
	struct {
		uint64_t pfn;
		uint32_t orders; /* bit k: the upper half of order k is still to come */
		uint8_t type;
	} split;
	struct {
		uint64_t pfn, start, nr;
		uint8_t order, to;
		bool whole, valid;
	} claim;
};

/*
 * HEAP: a zone of so many pages, as boot leaves it; 0: unknown, and nothing of it is judged. Memory
 * is the shadow's, kept for the next heap; running out ends the process.
 */
void sf_zone_setup(struct sf_shadow *sh, uint64_t pages);
/* BEGIN: as boot left it. Costs what events have touched since. */
void sf_zone_begin(struct sf_zone *z);
void sf_zone_free(struct sf_zone *z);
/*
 * The events of the same names. They take in what a zone can take in: a block that leaves the zone,
 * is not aligned or overlaps what is listed changes nothing here (BUD-1, BUD-2 judge it). Allocate
 * nothing.
 */
void sf_zone_add(struct sf_zone *z, const struct sf_ev_block *b);
void sf_zone_del(struct sf_zone *z, const struct sf_ev_block *b);
void sf_zone_rmqueue(struct sf_zone *z, const struct sf_ev_rmqueue *r, unsigned int cpu);
void sf_zone_claim(struct sf_zone *z, const struct sf_ev_claim *c);
/* May `type` claim page blocks by a block of that order (should_try_claim_block)? */
static inline bool sf_may_claim(const struct sf_zone *z, unsigned int type, unsigned int order)
{
	return type != SF_MIGRATE_MOVABLE || order >= z->pageblock_order / 2u;
}

/* First type that stands in for `type` and has a block of that order, or -1. */
int sf_zone_fallback(const struct sf_zone *z, unsigned int type, unsigned int order);
/* The boost that a request meets at an attempt: kswapd, once woken, has taken it back. */
uint64_t sf_zone_boost(const struct sf_zone *z, uint32_t gfp, unsigned int attempt);
/* The mark that a request of that order is held against in the end, rights of its flags apart. */
uint64_t sf_zone_mark(const struct sf_zone *z, unsigned int order, uint32_t gfp);
void sf_zone_page_alloc(struct sf_zone *z, const struct sf_ev_page *p);
void sf_zone_page_free(struct sf_zone *z, const struct sf_ev_page *p);
void sf_zone_drain(struct sf_zone *z, const struct sf_ev_page *p);
/* SLAB_NEW, SLAB_FREE, SLAB_DEFER: also counted for the slab's cache. */
void sf_zone_slab_new(struct sf_shadow *sh, const struct sf_ev_slab *s);
void sf_zone_slab_free(struct sf_shadow *sh, const struct sf_ev_slab *s);
void sf_zone_slab_defer(struct sf_shadow *sh, const struct sf_ev_slab *s);
/* RESERVE: page blocks become the HIGHATOMIC reserve's, or (release) are no longer. */
void sf_zone_reserve(struct sf_zone *z, const struct sf_ev_claim *c);
/* Pages on the free lists of the HIGHATOMIC reserve. */
uint64_t sf_zone_free_reserve(const struct sf_zone *z);
/* Could the request be met at this mark, by the free lists alone? */
bool sf_zone_can_give(const struct sf_zone *z, unsigned int order, uint32_t gfp, uint64_t mark);
/* MAP, UNMAP: pages of the vmalloc window, counted in `vm_used`. */
void sf_zone_map(struct sf_shadow *sh, const struct sf_ev_map *m);
void sf_zone_unmap(struct sf_shadow *sh, const struct sf_ev_map *m);
/* Order of the block that boot puts at pfn when `end` pages are there. */
unsigned int sf_zone_boot_order(uint64_t pfn, uint64_t end);

/* A block inside the zone, of an order that exists (alignment is not asked). */
static inline bool sf_zone_has(const struct sf_zone *z, uint64_t pfn, unsigned int order)
{
	return order <= SF_MAX_ORDER && pfn < z->pages && (1ull << order) <= z->pages - pfn;
}

static inline uint8_t sf_zone_type(const struct sf_zone *z, uint64_t pfn)
{
	return z->pbtype[pfn >> z->pageblock_order];
}

static inline uint8_t sf_head(unsigned int order, unsigned int type)
{
	return (uint8_t)(1 + order + (type << 4));
}

/* Nothing lives in it, as far as the shadow knows, or it is off its cache and waits. */
static inline bool sf_slab_idle(const struct sf_shadow_slab *slab)
{
	return !slab->live || slab->deferred;
}

/* One object more, or one less, lives in it. */
static inline void sf_slab_count(struct sf_zone *z, struct sf_shadow_slab *slab, bool more)
{
	bool was = sf_slab_idle(slab), is;

	slab->live += more ? 1 : UINT32_MAX;
	is = sf_slab_idle(slab);
	if (was != is)
		z->idle_pages += is ? 1ull << slab->order : -(1ull << slab->order);
}

/* The slab that starts at pfn, or NULL. */
static inline struct sf_shadow_slab *sf_zone_slab_at(const struct sf_zone *z, uint64_t pfn)
{
	return z->on && pfn < z->pages && sf_bit(z->slab_heads, pfn) ? &z->slab[pfn] : NULL;
}

/* Is any of these pages on a free list or a per-CPU list, or out? */
bool sf_zone_known_long(const struct sf_zone *z, uint64_t pfn, uint64_t nr);

static inline bool sf_zone_known(const struct sf_zone *z, uint64_t pfn, uint64_t nr)
{
	if (!sf_bits_short(pfn, nr))
		return sf_zone_known_long(z, pfn, nr);
	return (z->listed[pfn / 64] | z->out[pfn / 64] | z->pcp[pfn / 64]) & sf_bits_mask(pfn, nr);
}

#endif
