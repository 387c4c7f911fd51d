/* SPDX-License-Identifier: MIT */
/*
 * shadow.h - what the oracles believe the heap looks like, built from events alone.
 *
 * Objects in a dense table by event id; which bytes are taken, one bit per 8 bytes; the zone (free
 * blocks, per-CPU pages, pages with users, slabs) by page frame; caches and C types by number; who
 * owns whom, and who is charged for what, beside the objects once a program says so.
 * Events are not trusted: whatever they say, the shadow stays inside its arrays. Relies on event.h
 * and rules.h; judge.c drives it and every oracle reads it.
 */
#ifndef SLABFUZZ_SHADOW_H
#define SLABFUZZ_SHADOW_H

#include <stddef.h>

#include "rules.h"

#define SF_PAGES_MAX (1ull << 26)     /* a window above this counts as unknown */
#define SF_CACHES_MAX 65536u
#define SF_CACHE_NAME 56
#define SF_CHUNK_SHIFT 10             /* the zone is reset by chunks of the largest block */
#define SF_CHUNK_PAGES (1u << SF_CHUNK_SHIFT)
#define SF_PAGE_GRANULES 512u         /* of 8 bytes */
#define SF_PAGE_WHOLE UINT16_MAX
#define SF_SITES 65536u

enum sf_obj_flags {
	SF_OBJ_ALIVE = 1,
	SF_OBJ_CLAIMED = 2,  /* its bytes are marked as taken; Invariant: only if ALIVE */
	SF_OBJ_REPORTED = 4, /* judged no more */
	SF_OBJ_BORN = 8,     /* this slot has held an object in this run */
	SF_OBJ_ORPHAN = 16,  /* its cache was destroyed over it */
	/* what its token says of its type; neither: it is no ordinary kmalloc, or has no half */
	SF_OBJ_DATA = 32,
	SF_OBJ_POINTER = 64,
	SF_OBJ_SIDE = 128,   /* its entry in `side` is valid */
};

struct sf_shadow_obj {
	uint64_t addr, size, extent; /* extent: bytes marked as taken */
	uint64_t usable;             /* 0: unknown */
	uint32_t res, gfp;           /* gfp: that brought it where it lies */
	uint32_t cache;              /* it lies in, or was asked of; SF_NONE */
	uint32_t object_size;        /* of that cache, 0: unknown */
	uint32_t slab;               /* first pfn of its slab, SF_NONE */
	uint16_t offset;             /* in its slot */
	uint8_t api, kind, order, flags;
};

_Static_assert(sizeof(struct sf_shadow_obj) <= 64, "one cache line per object");

enum sf_side_flags {
	SF_SIDE_LRU = 1,      /* its cache's shrinker may free it */
	SF_SIDE_PINNED = 2,
	SF_SIDE_DEFERRED = 4, /* freed after a grace period; nobody's until then */
	SF_SIDE_GOING = 8,    /* something it owned has gone: it must go in the same operation */
};

/* What becomes of an object if all that can be reclaimed is (sf_side_fates()). */
enum sf_fate {
	SF_FATE_STAYS,    /* no shrinker knows it or what owns it */
	SF_FATE_GOES,
	SF_FATE_PINNED,   /* it, or what owns it, directly or not */
	SF_FATE_DEFERRED, /* likewise */
	SF_FATES,
};

/*
 * What only some objects have: by id, beside `obj`. Objects are linked by id + 1, 0: none.
 * Invariant: x is in the list of y exactly if y is the owner of x; nothing DEFERRED has an owner.
 */
struct sf_side {
	uint32_t owner, owned, next, prev; /* owned: the first; next, prev: of the same owner */
	uint32_t group;    /* that is charged for it: index + 1, 0: none */
	uint32_t grace;    /* grace periods that had ended when it was deferred */
	uint64_t charged;  /* bytes */
	uint64_t indirect; /* bytes that accounting=indirect counts for it */
	uint8_t flags, fate;
};

/* A memory cgroup. Its place in the table is its own in all the run; ids are used again. */
struct sf_group {
	uint32_t id, parent; /* parent: index + 1, 0: the root */
	bool online;
	uint64_t max;
	uint64_t usage;      /* bytes, with all below it, by CHARGE events */
	uint64_t direct;     /* ... without */
	uint64_t objects;    /* bytes of live objects that are charged to it itself */
};

/* Memory that is charged. */
struct sf_charged {
	uint64_t addr;
	uint32_t bytes, group; /* index + 1; 0: empty slot */
};

struct sf_groups {
	bool used;
	uint32_t active;       /* index + 1, 0: the root */
	struct sf_group *group;
	size_t nr, cap;
	struct sf_charged *slot; /* by address, open addressing */
	size_t nr_slots, cap_slot; /* cap_slot is 0 or a power of two */
};

/* A window of addresses. Invariant: used[p] is SF_PAGE_WHOLE or counts the bits set in bits[p]. */
struct sf_page_bits {
	uint64_t w[SF_PAGE_GRANULES / 64];
};

struct sf_window {
	uint64_t base, pages, cap;
	uint16_t *used;
	struct sf_page_bits *bits;
};

/* A page outside both windows (or anywhere, when the windows are unknown). */
struct sf_far_page {
	uint64_t page; /* address >> 12, plus 1; 0: empty slot */
	uint16_t used;
	struct sf_page_bits bits;
};

struct sf_far {
	struct sf_far_page *slot;
	size_t cap, filled; /* cap is 0 or a power of two */
	struct sf_wide { /* objects too wide for page entries */
		uint64_t addr, end;
	} *wide;
	size_t nr_wide, cap_wide;
};

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

/*
 * The zone. Invariant: a pfn is in at most one of listed, pcp, out; slabs is a part of out;
 * head[] is nonzero exactly where `heads` has a bit.
 */
struct sf_zone {
	bool on;              /* the source has tracepoints and a known arena */
	bool grouping;        /* by mobility */
	uint8_t boot_type, pageblock_order;
	uint64_t pages, cap;
	struct sf_marks marks;
	uint8_t *head;        /* by pfn: 1 + order | type << 4 of a block on a free list */
	uint8_t *pbtype;      /* by page block */
	uint64_t *listed, *pcp, *out, *slabs; /* bit by pfn */
	uint64_t *fallback;   /* bit by pfn: came by a traced fallback */
	uint64_t *heads, *slab_heads;
	struct sf_shadow_slab *slab; /* by first pfn */
	uint32_t nr[SF_NR_ORDERS][SF_MIGRATE_TYPES], boot_nr[SF_NR_ORDERS];
	uint64_t free_pages, out_pages, slab_pages, orphan_pages;
	uint64_t reclaim_pages; /* of slab_pages: of SLAB_RECLAIM_ACCOUNT caches */
	uint64_t freed_slab_pages; /* that were given back, ever */
	uint64_t reserved;    /* pages of page blocks in the HIGHATOMIC reserve */
	uint8_t *touched;     /* by chunk */
	uint32_t *journal;    /* chunks touched since BEGIN */
	uint32_t nr_journal;
	/* the block last taken off, and the split and the claim that are under way */
	struct {
		uint64_t pfn;
		uint8_t order, type;
		bool valid;
	} last_del, last_alloc;
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

struct sf_shadow_cache {
	uint32_t live, slabs, refs;
	uint32_t freeable; /* live objects that its shrinker may free */
	uint32_t asked;    /* round of reclaim in which its shrinker was asked at priority 0 */
	uint32_t sheaf_capacity;
	uint32_t half[2];  /* live objects of ordinary kmalloc: without pointers, with */
	sf_selector is;    /* what it is selected by */
	uint32_t object_size, stride, align, flags;
	uint16_t objects, min_objects;
	uint8_t order, min_order, kind, partition;
	bool present, boot;
	bool shrunk;       /* and not touched since */
	bool nolock;       /* kfree_nolock() was called on an object of it in this run */
	uint32_t serial;   /* no other cache ever has it: ids are used again */
	uint32_t min_partial, class_size, usersize, bucket, freeptr;
	uint64_t secret;
	bool large;            /* its slabs are blocks of 2 MiB */
	uint8_t asked_order;   /* as CACHE told */
	uint32_t asked_sheaf;  /* capacity that its create asked for */
};

/* Areas of pools: areas.c. */
struct sf_area {
	uint64_t addr, pages;
	uint64_t used;       /* bytes from `addr` on in which objects have been handed out */
	uint32_t pool;
	bool mapped, sealed;
};

struct sf_pool {
	bool known;
	uint8_t mode;
	uint32_t areas;      /* that are mapped */
	uint32_t map_op;     /* operation of its last MAP, plus 1 */
};

/* Invariant: `pages` are those of mapped areas, `sealed` of these those of sealed ones. */
struct sf_pools {
	bool used;
	struct sf_area *area;
	size_t nr_areas, cap_areas;
	struct sf_pool *pool;        /* by id */
	size_t nr_pools;
	uint32_t *area_at;           /* by page of the vmalloc window: 1 + index in area */
	uint64_t *pages, *sealed;    /* bit by pfn */
	size_t cap_area_at, cap_pages; /* cap_pages in words */
	uint64_t nr_sealed;          /* pages */
	bool aliased;                /* there has been a rare write in this run ... */
	uint64_t last_alias;         /* ... and its mapping was there */
};

/* A type that CTYPE told of. */
struct sf_shadow_type {
	bool known, pointer;
	uint8_t token;
};

enum sf_claim {
	SF_CLAIM_NONE, /* nothing to claim */
	SF_CLAIM_OK,
	SF_CLAIM_OVERLAP,
	SF_CLAIM_OUTSIDE,
	SF_CLAIM_FREE_PAGE,
	SF_CLAIM_TOO_WIDE,
};

struct sf_shadow {
	uint64_t caps;
	struct sf_settings set;
	bool exact, addresses;
	uint64_t partition_seed;
	struct sf_shadow_obj *obj;
	size_t cap_obj, peak; /* peak: highest id of this run, plus 1 */
	size_t live, orphans, untracked;
	struct sf_window direct, vmalloc;
	/*
	 * The slab window grows with the slabs that are made in it: slabs.pages is what this run
	 * has touched, slab_limit what HEAP told.
	 */
	struct sf_window slabs;
	uint64_t slab_limit;
	uint32_t *frame;      /* by page of the slab window: pfn + 1; 0: nothing is there */
	struct sf_past *past, *slab_past; /* by page of the direct map, of the slab window */
	uint32_t run;         /* programs begun on a fresh heap */
	uint32_t *vm_pfn;     /* by page of the vmalloc window: pfn + 1 */
	size_t vm_mapped, vm_high, vm_used;
	struct sf_far far;
	struct sf_zone zone;
	struct sf_shadow_cache *cache;
	char (*name)[SF_CACHE_NAME];
	uint32_t cap_cache, nr_cache, serial;
	uint64_t *touched;    /* bit by cache: this run has done something to it */
	struct sf_shadow_type *type;
	size_t cap_type, nr_type;
	uint8_t *site;        /* by call site below SF_SITES: 1 + its partition, 0: unknown */
	bool site_seen;
	struct sf_side *side; /* as long as cap_side, which is 0 until a program needs it */
	size_t cap_side, nr_sides; /* nr_sides: live objects that have an entry */
	uint64_t nr_deferred; /* live objects that wait for a grace period */
	uint64_t indirect_bytes, large_pages; /* of live objects */
	uint64_t changes;     /* in what is alive, owned, pinned or deferred */
	uint32_t grace;       /* grace periods that have ended in this run */
	struct sf_groups groups;
	struct sf_pools pools;
	enum sf_claim claim;  /* how the last object's went */
	const char *told;     /* name that a title leaves out, for the detail */
	size_t bytes;         /* of memory, for the benchmark */
};

void sf_shadow_free(struct sf_shadow *sh);
void sf_shadow_heap(struct sf_shadow *sh, const struct sf_ev_heap *heap);
void sf_shadow_begin(struct sf_shadow *sh);
void sf_shadow_cache(struct sf_shadow *sh, const struct sf_ev_cache *c);
void sf_shadow_create(struct sf_shadow *sh, const struct sf_ev_cacheop *c);
void sf_shadow_destroy(struct sf_shadow *sh, uint32_t id);

/* Objects. NULL: that id is out of range, or nothing was ever there. */
static inline struct sf_shadow_obj *sf_shadow_find(struct sf_shadow *sh, uint32_t id)
{
	return id < sh->cap_obj && (sh->obj[id].flags & SF_OBJ_BORN) ? &sh->obj[id] : NULL;
}

/* NULL: nothing lives there. */
static inline struct sf_shadow_obj *sf_shadow_alive(struct sf_shadow *sh, uint32_t id)
{
	struct sf_shadow_obj *o = sf_shadow_find(sh, id);

	return o && (o->flags & SF_OBJ_ALIVE) ? o : NULL;
}

void sf_shadow_alloc(struct sf_shadow *sh, const struct sf_ev_alloc *a);
void sf_shadow_realloc(struct sf_shadow *sh, const struct sf_ev_alloc *a);
void sf_shadow_drop(struct sf_shadow *sh, struct sf_shadow_obj *o);
/* The object is at `to` from now on; sh->claim says how that went. */
void sf_shadow_migrate(struct sf_shadow *sh, struct sf_shadow_obj *o, uint64_t to);
/* Bytes of pages that a live object has that is in no slab, 0: it is in one, or nobody knows. */
uint64_t sf_shadow_pages_of(const struct sf_shadow_obj *o);
/* A live object, not `skip`, that has a byte of [addr, addr + size). Slow: for reports. */
const struct sf_shadow_obj *sf_shadow_hit(const struct sf_shadow *sh, uint64_t addr, uint64_t size,
					  const struct sf_shadow_obj *skip);
bool sf_shadow_live_at(const struct sf_shadow *sh, uint64_t addr);
/* Is something alive on these pages: by frame, in the direct map, and by address, anywhere? */
bool sf_shadow_pages_live(const struct sf_shadow *sh, uint64_t pfn, uint64_t nr);
bool sf_shadow_range_live(const struct sf_shadow *sh, uint64_t addr, uint64_t nr);
/* Page frame behind an address where slabs can be, or SF_NO_PFN. */
uint64_t sf_shadow_frame(const struct sf_shadow *sh, uint64_t addr);
/*
 * The window that holds all of [addr, addr + size), with arrays, and the page of addr in it; only
 * windows where slabs can be. NULL: none does.
 */
const struct sf_window *sf_shadow_window(const struct sf_shadow *sh, uint64_t addr, uint64_t size,
					 uint64_t *page);
/* Where a slab's first object is: as told, or (not told) in the direct map. */
static inline uint64_t sf_slab_addr(const struct sf_shadow *sh, uint64_t told, uint64_t pfn)
{
	return told ? told : sh->direct.base + (pfn << SF_PAGE_SHIFT);
}

/* Room for slabs on these pages of the slab window; false: there can be none. */
bool sf_slabs_reach(struct sf_shadow *sh, uint64_t addr, uint64_t nr);

void sf_shadow_type(struct sf_shadow *sh, const struct sf_ev_ctype *t);

static inline const struct sf_shadow_type *sf_shadow_type_at(const struct sf_shadow *sh,
							      uint32_t type)
{
	return type < sh->nr_type && sh->type[type].known ? &sh->type[type] : NULL;
}

static inline struct sf_shadow_cache *sf_shadow_cache_at(const struct sf_shadow *sh, uint32_t id)
{
	return id < sh->nr_cache && sh->cache[id].present ? &sh->cache[id] : NULL;
}

static inline void sf_touch_cache(struct sf_shadow *sh, uint32_t id)
{
	sh->touched[id / 64] |= 1ull << (id % 64);
}

/*
 * For titles. A cache that a program made is "named cache" there, or "bucket cache": the program
 * chose its name, and a title must not change with it. The name itself goes into the detail,
 * through `told`.
 */
const char *sf_name_of_cache(struct sf_shadow *sh, uint32_t id);
const char *sf_name_of(struct sf_shadow *sh, const struct sf_shadow_obj *o);
const char *sf_name_of_event(struct sf_shadow *sh, const struct sf_ev_alloc *a);

static inline uint32_t sf_shadow_id(const struct sf_shadow *sh, const struct sf_shadow_obj *o)
{
	return (uint32_t)(o - sh->obj);
}

/* Owners: owners.c. */
static inline struct sf_side *sf_side_at(const struct sf_shadow *sh, const struct sf_shadow_obj *o)
{
	return o->flags & SF_OBJ_SIDE ? &sh->side[o - sh->obj] : NULL;
}

static inline bool sf_side_has(const struct sf_shadow *sh, const struct sf_shadow_obj *o,
			       enum sf_side_flags flag)
{
	return (o->flags & SF_OBJ_SIDE) && (sh->side[o - sh->obj].flags & flag);
}

/* One more, or one less, of SF_SIDE_LRU, SF_SIDE_PINNED. */
void sf_side_set(struct sf_shadow *sh, struct sf_shadow_obj *o, enum sf_side_flags flag, bool on);
void sf_side_own(struct sf_shadow *sh, struct sf_shadow_obj *owner, struct sf_shadow_obj *owned);
void sf_side_defer(struct sf_shadow *sh, struct sf_shadow_obj *o);
/* What it is worth may be another number, who is charged for it (CHARGE came before) another. */
void sf_side_revalue(struct sf_shadow *sh, struct sf_shadow_obj *o);
/* Of an object that dies; what it owned has no owner any more. */
void sf_side_drop(struct sf_shadow *sh, struct sf_shadow_obj *o);
/* The entry is taken out of the table: nothing is counted for it any more. False: there is none. */
bool sf_side_take(struct sf_shadow *sh, struct sf_shadow_obj *o, struct sf_side *kept);
/* The object is another entry of `obj`, or another thing in the same one: its ties go with it. */
void sf_side_carry(struct sf_shadow *sh, struct sf_side *kept, uint32_t from,
		   struct sf_shadow_obj *to);
struct sf_side *sf_side_make(struct sf_shadow *sh, struct sf_shadow_obj *o);
/* Fills in `fate` of every live object that has an entry: linear in objects. */
void sf_side_fates(struct sf_shadow *sh);
/* Is it counted as reclaimable because of the slab it lies in? */
bool sf_shadow_in_reclaim_slab(const struct sf_shadow *sh, const struct sf_shadow_obj *o);
/* What it is worth where no slab counts it: ksize(), or its pages. */
uint64_t sf_shadow_worth(const struct sf_shadow_obj *o);

/* Groups: groups.c. Indices are plus 1, 0: the root. */
void sf_groups_begin(struct sf_groups *g);
void sf_groups_free(struct sf_groups *g);
void sf_groups_act(struct sf_shadow *sh, const struct sf_ev_memcg *m);
uint32_t sf_group_of(const struct sf_groups *g, uint32_t id);
/* The first of the group and those above it that has no room for so many bytes more, or 0. */
uint32_t sf_group_full(const struct sf_groups *g, uint32_t group, uint64_t bytes);
void sf_group_charge(struct sf_shadow *sh, uint64_t addr, uint32_t bytes, uint32_t group);
/* Bytes that were charged there, 0: none. */
uint64_t sf_group_uncharge(struct sf_shadow *sh, uint64_t addr, uint64_t bytes);
const struct sf_charged *sf_group_charged(const struct sf_groups *g, uint64_t addr);
/* A page of a block that is charged as a whole: that block. */
const struct sf_charged *sf_group_charged_inside(const struct sf_groups *g, uint64_t addr,
						 uint64_t bytes);
void sf_group_move(struct sf_shadow *sh, uint64_t from, uint64_t to);
/*
 * What is charged for an object: bytes, and to whom; *mixed: to more than one group.
 */
uint64_t sf_group_of_object(const struct sf_shadow *sh, const struct sf_shadow_obj *o,
			    uint32_t *group, bool *mixed);

/* Pools: areas.c. */
void sf_pools_begin(struct sf_shadow *sh);
void sf_pools_free(struct sf_shadow *sh);
void sf_pools_map(struct sf_shadow *sh, const struct sf_ev_map *m, uint32_t op);
void sf_pools_unmap(struct sf_shadow *sh, const struct sf_ev_map *m);
void sf_pools_act(struct sf_shadow *sh, const struct sf_ev_pool *p);
/* All areas of the pool, `but` the one with that index. */
void sf_pools_seal(struct sf_shadow *sh, uint32_t pool, bool sealed, size_t but);
void sf_pools_handed(struct sf_shadow *sh, const struct sf_ev_alloc *a);
/* The mapped area that holds all of [addr, addr + size), or NULL. */
struct sf_area *sf_area_of(const struct sf_shadow *sh, uint64_t addr, uint64_t size);
/* What is known of a pool, or NULL. */
struct sf_pool *sf_pool_of(const struct sf_shadow *sh, uint32_t pool);

/* May it be opened again, and written to by rare writes? */
static inline bool sf_pool_rewritable(const struct sf_pool *p)
{
	return p->mode == SF_POOL_WR || p->mode == SF_POOL_AUTO_WR || p->mode == SF_POOL_START_WR;
}

/* The zone: zone.c. */
void sf_zone_setup(struct sf_shadow *sh, uint64_t pages);
void sf_zone_begin(struct sf_zone *z);
void sf_zone_free(struct sf_zone *z);
void sf_zone_add(struct sf_zone *z, const struct sf_ev_block *b);
void sf_zone_del(struct sf_zone *z, const struct sf_ev_block *b);
void sf_zone_rmqueue(struct sf_zone *z, const struct sf_ev_rmqueue *r);
void sf_zone_claim(struct sf_zone *z, const struct sf_ev_claim *c);
void sf_zone_page_alloc(struct sf_zone *z, const struct sf_ev_page *p);
void sf_zone_page_free(struct sf_zone *z, const struct sf_ev_page *p);
void sf_zone_drain(struct sf_zone *z, const struct sf_ev_page *p);
void sf_zone_slab_new(struct sf_shadow *sh, const struct sf_ev_slab *s);
void sf_zone_slab_free(struct sf_shadow *sh, const struct sf_ev_slab *s);
void sf_zone_slab_defer(struct sf_shadow *sh, const struct sf_ev_slab *s);
void sf_zone_reserve(struct sf_zone *z, const struct sf_ev_claim *c);
/* Pages on the free lists of the HIGHATOMIC reserve. */
uint64_t sf_zone_free_reserve(const struct sf_zone *z);
/* Could the request be met at this mark, by the free lists alone? */
bool sf_zone_can_give(const struct sf_zone *z, unsigned int order, uint32_t gfp, uint64_t mark);
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

static inline bool sf_bit(const uint64_t *b, uint64_t i)
{
	return b[i / 64] >> (i % 64) & 1;
}

/* The slab that starts at pfn, or NULL. */
static inline struct sf_shadow_slab *sf_zone_slab_at(const struct sf_zone *z, uint64_t pfn)
{
	return z->on && pfn < z->pages && sf_bit(z->slab_heads, pfn) ? &z->slab[pfn] : NULL;
}

/* The first bit from `from` on, `end` if there is none before. */
uint64_t sf_bits_next(const uint64_t *b, uint64_t from, uint64_t end);
/* for SF_EACH_BIT(p, b, from, end): p is each bit that is set, in order. */
#define SF_EACH_BIT(p, b, from, end)                                             \
	(uint64_t p = sf_bits_next(b, from, end); p < (end); p = sf_bits_next(b, p + 1, end))
void sf_bits_set_long(uint64_t *b, uint64_t from, uint64_t nr);
void sf_bits_clear_long(uint64_t *b, uint64_t from, uint64_t nr);
uint64_t sf_bits_count_long(const uint64_t *b, uint64_t from, uint64_t nr);
bool sf_bits_any_long(const uint64_t *b, uint64_t from, uint64_t nr);
bool sf_bits_all_long(const uint64_t *b, uint64_t from, uint64_t nr);

/* Most ranges lie in one word: those need no loop. */
static inline bool sf_bits_short(uint64_t from, uint64_t nr)
{
	return nr - 1 <= 63 - from % 64;
}

static inline uint64_t sf_bits_mask(uint64_t from, uint64_t nr)
{
	return ~0ull >> ((64 - nr) & 63) << (from % 64); /* nr >= 1 */
}

static inline void sf_bits_set(uint64_t *b, uint64_t from, uint64_t nr)
{
	if (sf_bits_short(from, nr))
		b[from / 64] |= sf_bits_mask(from, nr);
	else
		sf_bits_set_long(b, from, nr);
}

static inline void sf_bits_clear(uint64_t *b, uint64_t from, uint64_t nr)
{
	if (sf_bits_short(from, nr))
		b[from / 64] &= ~sf_bits_mask(from, nr);
	else
		sf_bits_clear_long(b, from, nr);
}

static inline bool sf_bits_any(const uint64_t *b, uint64_t from, uint64_t nr)
{
	if (sf_bits_short(from, nr))
		return b[from / 64] & sf_bits_mask(from, nr);
	return sf_bits_any_long(b, from, nr);
}

static inline bool sf_bits_all(const uint64_t *b, uint64_t from, uint64_t nr)
{
	if (sf_bits_short(from, nr))
		return !(~b[from / 64] & sf_bits_mask(from, nr));
	return sf_bits_all_long(b, from, nr);
}

/* Mostly all or none: on many machines counting is a call. */
static inline uint64_t sf_bits_count(const uint64_t *b, uint64_t from, uint64_t nr)
{
	uint64_t mask, set;

	if (!sf_bits_short(from, nr))
		return sf_bits_count_long(b, from, nr);
	mask = sf_bits_mask(from, nr);
	set = b[from / 64] & mask;
	if (set == mask)
		return nr;
	return set ? (uint64_t)__builtin_popcountll(set) : 0;
}

/* Is any of these pages on a free list or a per-CPU list, or out? */
bool sf_zone_known_long(const struct sf_zone *z, uint64_t pfn, uint64_t nr);

static inline bool sf_zone_known(const struct sf_zone *z, uint64_t pfn, uint64_t nr)
{
	if (!sf_bits_short(pfn, nr))
		return sf_zone_known_long(z, pfn, nr);
	return (z->listed[pfn / 64] | z->out[pfn / 64] | z->pcp[pfn / 64]) & sf_bits_mask(pfn, nr);
}

/* calloc() and realloc() that end the process when memory runs out; counted in *bytes. */
void *sf_shadow_zalloc(size_t nr, size_t size, size_t *bytes);
void *sf_shadow_grow(void *p, size_t *cap, size_t need, size_t size, size_t *bytes);
/*
 * For tables as long as a window, of which little is ever touched: a leak checker at a process' end
 * would read, and so make, every page of what malloc() gave.
 */
void *sf_shadow_map(size_t nr, size_t size, size_t *bytes);
void sf_shadow_unmap(void *p, size_t nr, size_t size, size_t *bytes);

#endif
