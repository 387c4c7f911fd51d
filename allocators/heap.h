/* SPDX-License-Identifier: MIT */
/*
 * heap.h - the shared mechanism of the models, for the files of allocators/ only.
 *
 *   arena.c       memory: page frames, windows, raw accessors, poison, contents
 *   page_alloc.c  buddy: free lists, per-CPU lists, watermarks, gfp modifiers
 *   shuffle.c     the order of the largest free blocks
 *   slab.c        slabs, sheaves
 *   cache.c       caches: geometry, merging, shrink, destroy
 *   freelist.c    free lists of slabs: links, their encoding, the order of a fresh slab
 *   window.c      addresses of slabs under slab_virtual
 *   kmalloc.c     size classes, selection, krealloc, kvmalloc, large kmalloc
 *   bucket.c      kmem_buckets
 *   vmalloc.c     the fallback of kvmalloc; pages and addresses of pools' areas
 *   pool.c        pools: areas that are sealed, rare writes
 *   maps.c        the process's memory map read aloud
 *   trap.c        stores that may fault
 *   lru.c         what reclaim may free: objects by age, who owns whom, who is pinned
 *   rcu.c         frees that wait for a grace period
 *   memcg.c       memory cgroups: who is charged for what
 *   vmscan.c      reclaim: shrinkers, priorities, kswapd
 *   addr_map.c         numbers by address, for lru.c and memcg.c; arrays that grow
 *   compact.c     compaction: movable pages migrate
 *   overcommit.c  estimates: memory available, the overcommit guess
 *   fault.c       injected failures
 *   heap.c        putting it together; faults and warnings
 *   snapshot.c    reading it all aloud
 *
 * A variant is a struct policy: what it leaves to chance, to types, to size. baseline.c has none of
 * it. Everything of one heap hangs off struct sf_heap; nothing is global.
 */
#ifndef SLABFUZZ_HEAP_H
#define SLABFUZZ_HEAP_H

#include "allocator.h"

#define NO_PFN UINT32_MAX
#define NR_PCP_LISTS 14  /* 3 types x orders 0..3, two for order 9 (order_to_pindex) */
#define NR_CLASSES 14    /* slots of a kmalloc array; slot 0 is never a cache */
#define LARGE_ORDER 9    /* of the slabs of a large cache: 2 MiB */
#define PAGE_ALLOC_COSTLY_ORDER 3
#define MAX_CPUS 64

enum page_state {
	PAGE_BOOT,  /* zero: as at boot, and inside a free block of the boot layout */
	PAGE_FREE,  /* head of a block on a free list */
	PAGE_PCP,   /* head of a block on a per-CPU list */
	PAGE_SLAB,  /* head of a slab */
	PAGE_LARGE, /* head of a large kmalloc */
	PAGE_USED,  /* head of a block of alloc_pages(), a page of exact or vmalloc */
	PAGE_RCU,   /* head of an empty slab that waits for a grace period */
	PAGE_POOL,  /* a page of a pool's area, which `cache` is the index of */
	PAGE_TAIL,  /* inside a slab or a large block: `head` says of which */
};

/*
 * One per page frame; all zero at boot but for the heads of free blocks. Links are page frame
 * numbers, NO_PFN ends a list. The fields below `head` mean something in the head of a slab only.
 */
struct page {
	uint32_t next, prev;
	uint8_t state;       /* enum page_state */
	uint8_t order;       /* heads */
	uint8_t list;        /* PAGE_FREE: migrate type; PAGE_PCP: index of the list */
	uint8_t on_partial;  /* Invariant: set iff the slab is on its cache's partial list */
	uint32_t head;       /* PAGE_TAIL */
	uint32_t cache;
	uint16_t inuse, objects;
	uint32_t freelist;   /* first free object: offset in the slab / 8 + 1; 0: none */
	uint32_t window;     /* slab_virtual: page of the slab window where the slab begins */
};
_Static_assert(sizeof(struct page) == 32, "reset clears whole groups of 64: keep it small");

struct page_list {
	uint32_t head, tail, nr;
};

/*
 * Simulated memory. One mapping; frame n is at mem + n * 4096. Invariant: a page whose dirty bit is
 * clear is all zero. `touched` has a bit per group of 64 frames some descriptor of which differs
 * from boot; `open` a bit per frame in which some byte is not poisoned.
 */
struct arena {
	uint8_t *mem;
	uint64_t words;             /* of 8 bytes: pages * 512 */
	uint32_t pages;
	uint32_t groups;
	struct page *page;
	uint64_t *dirty, *open;     /* a word per group */
	uint64_t *touched;          /* a bit per group */
	/*
	 * The vmalloc window: its page n is frame vmap[n] - 1; 0: not mapped. The page before each
	 * area is its guard, where VMAP_AREA | index tells which area begins after it. Ranges are
	 * never reused in one program: a stale address finds nothing.
	 */
	uint32_t *vmap;
	uint32_t vmap_next;
	struct vm_area *area;
	uint32_t nr_areas, cap_areas;
	/*
	 * The slab window (slab_virtual only, else NULL): its page n is frame smap[n] - 1; 0: not
	 * mapped. Ranges stay with the cache that had them first (window.c).
	 */
	uint32_t *smap;
	uint32_t smap_next;
	/*
	 * Pools only (else false and NULL). The frames are those of a file in memory, which is
	 * mapped at `mem`, piece by piece at `areas` (the vmalloc window as pools have it: offsets
	 * are the same), and in `alias` while a rare write lasts. What of it is sealed, pool.c
	 * knows; here is only how many areas are.
	 */
	bool shared;
	int fd;
	uint8_t *areas, *alias;
	uint32_t sealed;
	bool traps;                 /* misuse: any store may hit sealed memory */
};

#define ALIAS_PAGES (1u << 24)

#define SMAP_PAGES (1u << 23) /* 32 GiB: a sheaf's entries reach no further */
#define SMAP_FREE (1u << 31)  /* first page of a range that no slab has now: a link (window.c) */

#define VMAP_PAGES (1u << 24)
#define VMAP_AREA (1u << 31)

struct vm_area {
	uint32_t start, pages; /* in the window, without the guard; pages 0: gone */
	uint64_t size;         /* requested; of a pool's: up to the end of the last object */
	uint32_t pool;         /* 0: none */
	uint32_t next;         /* pools: index of the next area of the pool, or SF_NONE */
	bool sealed, changed;  /* pools; the latter is pool.c's own */
};

struct pcp {
	struct page_list list[NR_PCP_LISTS];
	uint32_t count;             /* pages, all lists */
	uint32_t high;              /* from where frees go on to the zone; tunes itself */
	uint32_t alloc_factor;      /* refills double, up to PCP_BATCH_SCALE_MAX */
	uint32_t free_count;        /* pages freed in a row; halved by each allocation */
	bool prev_high_order;       /* the last free was of order 1..3 */
};

struct zone {
	uint32_t managed;
	uint32_t pageblock_order;
	bool one_type;              /* mobility grouping is off: all requests are UNMOVABLE */
	struct page_list free[SF_NR_ORDERS][SF_MIGRATE_TYPES];
	uint64_t nr_free[SF_NR_ORDERS]; /* counters of their own, never derived from the lists */
	uint64_t nr_free_pages;
	uint8_t *block_type;        /* migrate type of each page block */
	uint32_t nr_blocks;
	uint32_t *retyped;          /* page blocks whose type was set since boot: for reset */
	uint32_t nr_retyped;
	uint8_t *was_retyped;       /* by page block: is in `retyped` */
	uint64_t wmark[3];          /* MIN, LOW, HIGH, without boost */
	uint64_t boost;
	bool boosted;               /* kswapd is to be woken for it (ZONE_BOOSTED_WATERMARK) */
	bool below_high;            /* HIGH was missed lately (ZONE_BELOW_HIGH) */
	bool reclaim_active;        /* kswapd is at work (ZONE_RECLAIM_ACTIVE) */
	uint64_t nr_highatomic;     /* pages of page blocks in the reserve */
	uint64_t nr_free_highatomic;/* of them, on free lists */
	uint64_t shuffle;           /* random bits not used yet (shuffle.c) ... */
	uint32_t shuffle_bits;      /* ... and how many there are */
	uint32_t pcp_high_min, pcp_high_max, pcp_batch;
	uint64_t pcp_used;          /* CPUs whose pcp differs from boot */
	struct pcp pcp[MAX_CPUS];
};

#define SHEAF_MAX 60
#define BARN_MAX 10          /* full sheaves in a barn; empty ones have no limit */

/* An array of free objects, used as a stack. `next` links it in a barn or among the unused. */
struct sheaf {
	uint16_t nr, capacity;
	uint32_t next;
	uint32_t obj[SHEAF_MAX]; /* (address - slab_window(h)) / 8 */
};

#define NO_SHEAF UINT32_MAX

struct cpu_cache {
	uint32_t main, spare;    /* sheaves; main is made at first use */
	uint32_t rcu_free;       /* sheaf of objects from kfree_rcu(), NO_SHEAF */
};

struct barn {
	uint32_t full, empty;    /* lists */
	uint32_t nr_full, nr_empty;
};

struct kcache {
	char name[64];
	uint32_t id;
	uint32_t object_size, inuse, stride, align;
	uint32_t freeptr;        /* offset of the free pointer; >= inuse: outside the object */
	uint32_t flags, usersize;
	uint32_t min_partial, sheaf_capacity;
	uint16_t objects, min_objects;
	uint8_t order, min_order;
	uint8_t asked_order;     /* no slab is to be smaller: of its create, or of the setting */
	bool large;              /* one slab is one block of LARGE_ORDER: no smaller one is tried */
	uint8_t kind, partition; /* enum sf_cache_kind */
	uint8_t migratetype;     /* its slabs are asked for with */
	bool boot;               /* there before the first program: outlives reset */
	bool touched;            /* differs from boot */
	uint32_t class_size;
	bool leaked;             /* destroyed while objects were alive */
	bool init, wipe;         /* init_on_alloc, init_on_free apply (mm/slab.h) */
	bool has_seq;            /* order_seq was made */
	uint32_t refs;           /* 0: this slot is unused (destroyed, or leaked: see leaked) */
	uint64_t nr_slabs, total_objects; /* counters, never derived */
	struct page_list partial;
	struct barn barn;
	uint32_t boot_object_size, boot_inuse; /* an alias may raise them: reset restores */
	uint32_t bucket;         /* set of buckets that it belongs to, or SF_NONE */
	uint64_t secret;         /* freelist_hardened */
	/*
	 * freelist_random: a permutation of 0..objects-1, made when the first slab is; kept over
	 * reset by boot caches, whose seed does not change.
	 */
	uint16_t *order_seq;
	uint32_t cap_seq;
	/* slab_virtual: ranges that its slabs left, by order: window page + 1, linked in smap */
	uint32_t ranges[SF_NR_ORDERS];
	struct cpu_cache cpu[MAX_CPUS]; /* only settings.cpus of them are in use */
};

enum kmalloc_type {
	KMALLOC_NORMAL,          /* partition 0; 1..15 follow in variants that have them */
	KMALLOC_RECLAIM = 16,
	KMALLOC_DMA,
	KMALLOC_CGROUP,
	KMALLOC_TYPES,
};

/* What a variant changes. */
struct policy {
	/* Partition of an ordinary kmalloc, below `partitions`; NULL: there is but one. */
	unsigned int (*partition)(const struct sf_heap *h, const struct sf_request *rq);
	unsigned int partitions; /* copies of the normal caches, at least 1 */
	bool pools;              /* memory that can be sealed */
	/*
	 * Is a cache large whose objects lie `stride` apart, and of which 2 MiB hold `otherwise`
	 * objects if it is not? NULL: none is.
	 */
	bool (*is_large)(uint64_t stride, uint64_t otherwise);
};

/* Of a cache with SLAB_RECLAIM_ACCOUNT whose objects are tracked. By index, until reset. */
struct shrinker {
	uint32_t cache;
	uint32_t seeks, batch;   /* in force: never 0 */
	bool rcu;
	uint64_t nr_deferred;    /* scans that earlier rounds left undone (vmscan.c) */
	uint64_t nr;             /* objects on the LRU list; pinned ones are on none */
	uint32_t head, tail;     /* of it, oldest first: lru.c's own */
};

/* What /proc/vmstat counts of it. */
struct vm_events {
	uint64_t allocstall, pgscan_slab, pgsteal_slab, oom_kill, compact_stall, compact_success;
	uint64_t pgmigrate_success, drop_slab, slabs_scanned;
};

struct lru;   /* lru.c */
struct rcu;   /* rcu.c */
struct memcgs;/* memcg.c */
struct pools; /* pool.c */
struct maps;  /* maps.c */

struct sf_heap {
	struct sf_settings set;
	const struct sf_allocator *ops;
	const struct policy *policy;
	struct sf_sink *sink;    /* NULL: nobody listens */
	unsigned int cpu;
	bool faults;             /* some of what follows is on */
	uint64_t fault_after[SF_FAULTS]; /* 0: off; n: the n-th request from now fails */
	struct sf_fault_attr fault_attr[SF_FAULTS]; /* fault.c; probability 0: off */
	uint64_t fault_count[SF_FAULTS];
	struct arena arena;
	struct zone zone;
	struct kcache **cache;   /* by id */
	uint32_t nr_caches, nr_boot, cap_caches;
	uint32_t kmalloc[KMALLOC_TYPES][NR_CLASSES]; /* cache ids */
	uint32_t kmalloc_special;    /* gfp bits that make a kmalloc no ordinary one */
	/* Caches of large objects by pages asked for; 0, which is another: none, whole pages */
	uint32_t kmalloc_large[(1u << LARGE_ORDER) + 1];
	/* kmem_buckets: cache ids by set and slot */
	uint32_t (*bucket)[NR_CLASSES];
	uint32_t nr_buckets, cap_buckets;
	uint64_t partition_seed;     /* random_kmalloc_seed: from settings.seed, never changes */
	uint64_t partition_key;      /* the same XOR what all call sites have in common */
	uint64_t rng;                /* everything else that is random: as at boot after reset */
	struct sheaf *sheaves;
	uint32_t nr_sheaves, cap_sheaves, free_sheaf;
	uint64_t nr_slab_reclaimable, nr_slab_unreclaimable; /* pages */
	const struct sf_user *user;  /* NULL: none; then nothing is tracked */
	struct lru *lru;
	struct shrinker *shrinker;
	uint32_t nr_shrinkers, cap_shrinkers;
	uint32_t *shrink_order;      /* shrinkers in the order of their caches (vmscan.c) */
	uint32_t nr_shrink_order, cap_shrink_order;
	uint32_t nr_tracked;         /* 0: no free needs to look */
	struct rcu *rcu;
	struct memcgs *memcgs;
	struct pools *pools;         /* NULL: the variant has none */
	struct maps *maps;           /* the same */
	uint32_t memcg;              /* the active one, SF_NONE: the root */
	uint32_t nr_charged;         /* objects and blocks that some group is charged for */
	uint64_t indirect_bytes;     /* accounting=indirect */
	uint64_t reclaimed;          /* pages of slabs given back while `reclaiming` */
	struct vm_events vm;
	uint16_t *order_buf;     /* for the order of a fresh slab's objects: those of the largest */
	uint64_t *walk_buf;      /* for snapshots */
	uint32_t walk_cap;
	bool reclaiming;         /* current->reclaim_state is set */
};

/*
 * Events. The payload is given as an initialiser: EMIT(h, SLAB_NEW, slab, .pfn = pfn). Only that
 * payload is written: clearing the whole union costs more than most events (and is a call under a
 * sanitizer).
 */
#define EMIT(h, evtype, member, ...)                                                     \
	do {                                                                             \
		if ((h)->sink) {                                                         \
			struct sf_event emit_ev;                                         \
			emit_ev.type = SF_EV_##evtype;                                   \
			emit_ev.cpu = (uint8_t)(h)->cpu;                                 \
			emit_ev.op = (h)->sink->op;                                      \
			emit_ev.member = (__typeof__(emit_ev.member)){ __VA_ARGS__ };    \
			(h)->sink->emit((h)->sink->ctx, &emit_ev);                       \
		}                                                                        \
	} while (0)

/* --- heap.c --- */

/*
 * What a kernel takes from get_random_u64(): a stream that settings.seed decides (splitmix64), back
 * at its beginning after reset. Lower bits are as good as upper ones.
 */
uint64_t heap_random(struct sf_heap *h);
/* A number that only settings.seed and `what` decide: for what is fixed at boot. */
uint64_t heap_boot_random(const struct sf_heap *h, uint64_t what);
uint64_t heap_peek(struct sf_heap *h, uint64_t addr, void *to, uint64_t len);
uint64_t heap_poke(struct sf_heap *h, uint64_t addr, const void *from, uint64_t len);

void warn(struct sf_heap *h, const char *what, uint64_t addr);

/* What every model's table begins as, and its create(): a variant adds a name and a policy. */
#define SF_MODEL_CAPS                                                                            \
	(SF_CAP_USABLE | SF_CAP_REALLOC | SF_CAP_ZERO | SF_CAP_CONTENTS | SF_CAP_CACHES |        \
	 SF_CAP_PAGES | SF_CAP_EXACT | SF_CAP_PLACE | SF_CAP_WALK | SF_CAP_TRACE | SF_CAP_CPUS | \
	 SF_CAP_FAIL | SF_CAP_KVMALLOC | SF_CAP_ARRAY | SF_CAP_BULK | SF_CAP_GFP | SF_CAP_DRAIN | \
	 SF_CAP_KMALLOC | SF_CAP_TEARDOWN | SF_CAP_ADDRESS | SF_CAP_BUCKETS | SF_CAP_NOLOCK |    \
	 SF_CAP_FLEX | SF_CAP_MISUSE | SF_CAP_RECLAIM | SF_CAP_RCU | SF_CAP_MEMCG |              \
	 SF_CAP_COMPACT | SF_CAP_FAULT_ATTR | SF_CAP_OVERCOMMIT | SF_CAP_MIN_ORDER)
struct sf_heap *heap_create(const struct sf_allocator *ops, const struct policy *policy,
			    const struct sf_settings *set, struct sf_sink *sink,
			    struct sf_error *err);
void heap_destroy(struct sf_heap *h);
void heap_reset(struct sf_heap *h);
void heap_set_cpu(struct sf_heap *h, unsigned int cpu);

/* --- arena.c --- */

bool arena_init(struct sf_heap *h, struct sf_error *err);
void arena_free(struct sf_heap *h);
/* Descriptors, dirty pages, poison, vmalloc window: as at boot. */
void arena_reset(struct sf_heap *h);
/* The frame is written, or about to be, by other means than the functions below. */
void arena_dirtied(struct sf_heap *h, uint32_t pfn);
/* So many areas more (or less) are sealed. */
void arena_sealed(struct sf_heap *h, int32_t more);

static inline void arena_touch(struct arena *a, uint32_t pfn)
{
	a->touched[pfn >> 12] |= 1ull << ((pfn >> 6) & 63);
}

static inline uint64_t pfn_addr(uint32_t pfn)
{
	return SF_DIRECT_MAP + ((uint64_t)pfn << SF_PAGE_SHIFT);
}

/* NO_PFN if the address is in no window, or nothing is mapped there. */
uint32_t addr_pfn(const struct sf_heap *h, uint64_t addr);

/* Where slabs have their addresses: free pointers and sheaves count from here. */
static inline uint64_t slab_window(const struct sf_heap *h)
{
	return h->arena.smap ? SF_SLAB_WINDOW : SF_DIRECT_MAP;
}

/* Address of the first object of the slab that begins at frame `head`. */
static inline uint64_t slab_addr(const struct sf_heap *h, uint32_t head)
{
	if (h->arena.smap)
		return SF_SLAB_WINDOW + ((uint64_t)h->arena.page[head].window << SF_PAGE_SHIFT);
	return pfn_addr(head);
}

/* The first byte of `nr` frames that is not zero, as an offset, or SF_GOOD. */
uint64_t arena_dirty(const struct sf_heap *h, uint32_t pfn, uint32_t nr);
/*
 * Memory as it is, of any address of any window: how many bytes from the first on are mapped and
 * were copied. Never AddressSanitizer's business.
 */
uint64_t arena_peek(const struct sf_heap *h, uint64_t addr, void *to, uint64_t len);
uint64_t arena_poke(struct sf_heap *h, uint64_t addr, const void *from, uint64_t len);

/*
 * Raw accessors: the listed few that may touch poisoned memory. Everything else goes through
 * instrumented code. Of any window. A misuse may have left any address in a free list: what nothing
 * is mapped at loads as 0 and is not stored, wiped or copied.
 */
uint64_t raw_load(const struct sf_heap *h, uint64_t addr);
void raw_store(struct sf_heap *h, uint64_t addr, uint64_t value);
/* Zeroes [addr, addr + len); pages known to be zero are left alone. */
void raw_wipe(struct sf_heap *h, uint64_t addr, uint64_t len);
void raw_copy(struct sf_heap *h, uint64_t to, uint64_t from, uint64_t len);

/* [addr, addr + len) of either window becomes usable / poisoned (nothing happens without ASan). */
void arena_open(struct sf_heap *h, uint64_t addr, uint64_t len);
void arena_close(struct sf_heap *h, uint64_t addr, uint64_t len);

/* The interface's contents functions. */
void arena_fill(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		enum sf_contents how);
/* arena_fill() of what may be sealed: false: it faulted, nothing was written from there on. */
bool arena_try_fill(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		    enum sf_contents how);
uint64_t arena_verify(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		      enum sf_contents how);
uint64_t arena_zeroed(struct sf_heap *h, uint64_t addr, uint64_t from, uint64_t to,
		      enum sf_contents how);

/* --- page_alloc.c, page_pcp.c, page_gfp.c --- */

bool zone_init(struct sf_heap *h, struct sf_error *err);
void zone_free(struct sf_heap *h);
/* After arena_reset(): free lists, counters, block types, pcps as at boot. */
void zone_reset(struct sf_heap *h);

static inline unsigned int gfp_migratetype(uint32_t gfp)
{
	/* (MOVABLE, RECLAIMABLE) bits; both together is a caller's bug: treated as MOVABLE. */
	if (gfp & SF_GFP_MOVABLE)
		return SF_MIGRATE_MOVABLE;
	return gfp & SF_GFP_RECLAIMABLE ? SF_MIGRATE_RECLAIMABLE : SF_MIGRATE_UNMOVABLE;
}

unsigned int page_block_type(const struct sf_heap *h, uint32_t pfn);
/* ceil(log2(pages of size)); size >= 1. */
unsigned int get_order(uint64_t size);

/*
 * A block of 2^order pages whose descriptors are its owner's from now on (state PAGE_USED, head set
 * in every tail; the caller changes state as it needs). NO_PFN if it cannot be had; *status says
 * SF_NULL or SF_BLOCKED. Zeroes it if gfp has __GFP_ZERO.
 */
uint32_t page_alloc(struct sf_heap *h, uint32_t gfp, unsigned int order, enum sf_status *status);
/* As above, for who has no use for a smaller block: __GFP_NORETRY is one real try (page_gfp.c). */
uint32_t page_alloc_whole(struct sf_heap *h, uint32_t gfp, unsigned int order,
			  enum sf_status *status);
void page_free(struct sf_heap *h, uint32_t pfn, unsigned int order);
/* A block in use becomes single pages, each to be freed by itself (or in any larger block). */
void page_split(struct sf_heap *h, uint32_t pfn, unsigned int order);
/* exact: ceil(size / 4096) pages of a block, the rest given back page by page, to the tail. */
uint32_t page_alloc_exact(struct sf_heap *h, uint64_t size, uint32_t gfp, enum sf_status *status);
void page_free_exact(struct sf_heap *h, uint32_t pfn, uint64_t size);
void page_drain_all(struct sf_heap *h);

/* --- window.c: slab_virtual --- */

/*
 * Addresses for a slab's 2^order frames from `pfn` on: a range that this cache had before, or a new
 * one; sets page[pfn].window. False: the window is used up. window_unmap() leaves the range to the
 * cache. Both do nothing without slab_virtual.
 */
bool window_map(struct sf_heap *h, struct kcache *s, uint32_t pfn, unsigned int order);
void window_unmap(struct sf_heap *h, struct kcache *s, uint32_t pfn, unsigned int order);
void window_reset(struct sf_heap *h);

/* --- shuffle.c --- */

/* At boot, once the free lists are made: mm/shuffle.c:__shuffle_free_memory. */
void shuffle_zone(struct sf_heap *h);
/* Which end a freed block of the largest order goes to (mm/shuffle.c:shuffle_pick_tail). */
bool shuffle_pick_tail(struct sf_heap *h);
void shuffle_reset(struct sf_heap *h);

/* --- slab.c, cache.c, freelist.c --- */

bool slab_init(struct sf_heap *h, struct sf_error *err);
void slab_free_all(struct sf_heap *h);
void slab_reset(struct sf_heap *h);
/* NULL: no such cache can be. Boot caches are made before the heap is handed out. */
struct kcache *cache_new(struct sf_heap *h, const struct sf_cache_request *rq, uint8_t kind,
			 unsigned int partition, uint32_t class_size);
void cache_announce(struct sf_heap *h, const struct kcache *s);
uint32_t cache_create(struct sf_heap *h, const struct sf_cache_request *rq, bool *merged);
enum sf_status cache_destroy(struct sf_heap *h, uint32_t cache);
int cache_shrink(struct sf_heap *h, uint32_t cache);
/*
 * One object, unpoisoned to `size` bytes, zeroed whole if gfp asks for it. 0: none; *status says
 * why. nolock: takes what is there and makes no effort (kmalloc_nolock); *refused: by the limit of
 * a memory cgroup.
 */
uint64_t slab_alloc(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint64_t size,
		    enum sf_status *status);
uint64_t slab_alloc_nolock(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint64_t size,
			   bool *refused);
/*
 * The object to the cache, which after a misuse need not be that of its slab. False: noticed, and
 * dropped. nolock: kfree_nolock(), makes no effort and does not wipe.
 */
bool slab_free(struct sf_heap *h, struct kcache *s, uint64_t addr);
bool slab_free_nolock(struct sf_heap *h, struct kcache *s, uint64_t addr);
/* All that is parked of all caches goes back to the slabs, and empty slabs go (oom=flush). */
void slab_flush_all(struct sf_heap *h);
void slab_free_bulk(struct sf_heap *h, struct kcache *s, uint32_t n, const uint64_t *addrs);
bool slab_alloc_bulk(struct sf_heap *h, struct kcache *s, uint32_t gfp, uint32_t n, uint64_t *addrs,
		     enum sf_status *status);
/* The cache that the slab at addr belongs to, NULL if addr is in no slab. */
struct kcache *slab_cache(struct sf_heap *h, uint64_t addr, uint32_t *head);

/* --- kmalloc.c --- */

bool kmalloc_init(struct sf_heap *h, struct sf_error *err);
/* The interface's functions of the same names. */
void kmalloc_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs);
void kmalloc_realloc(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
		     struct sf_result *rs);
void kmalloc_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how, struct sf_result *rs);
uint64_t kmalloc_usable(struct sf_heap *h, uint64_t addr);

/* --- bucket.c --- */

/* The interface's functions of these names. */
uint32_t bucket_create(struct sf_heap *h, const char *name, uint32_t flags, uint32_t usersize);
void bucket_shrink(struct sf_heap *h, uint32_t bucket);
void bucket_reset(struct sf_heap *h);

/* --- vmalloc.c --- */

uint64_t vmalloc(struct sf_heap *h, uint64_t size, uint32_t gfp, enum sf_status *status);
void vfree(struct sf_heap *h, uint64_t addr);
/* NULL if no area begins there, or it is a pool's. */
struct vm_area *vmalloc_area(const struct sf_heap *h, uint64_t addr);
static inline uint64_t area_addr(const struct vm_area *v)
{
	return SF_VMALLOC + ((uint64_t)v->start << SF_PAGE_SHIFT);
}
/*
 * An area for a pool: addresses, and pages that are all zero. Nobody is told, and nothing is mapped
 * on the host. SF_NONE: it cannot be had.
 */
uint32_t vmalloc_take(struct sf_heap *h, uint32_t pages, uint32_t pool);
/* Its pages go back. */
void vmalloc_give(struct sf_heap *h, uint32_t area);
uint64_t vrealloc(struct sf_heap *h, uint64_t addr, uint64_t size, uint32_t gfp,
		  enum sf_status *status);

/* --- pool.c: the interface's functions --- */

bool pool_init(struct sf_heap *h, struct sf_error *err);
void pool_free(struct sf_heap *h);
/* Before arena_reset(): nothing is sealed, or mapped a second time. */
void pool_reset(struct sf_heap *h);
uint32_t pool_create(struct sf_heap *h, const struct sf_pool_request *rq);
void pool_alloc(struct sf_heap *h, uint32_t pool, uint64_t n, uint64_t size, struct sf_result *rs);
enum sf_status pool_protect(struct sf_heap *h, uint32_t pool);
enum sf_status pool_unprotect(struct sf_heap *h, uint32_t pool);
void pool_destroy(struct sf_heap *h, uint32_t pool);
enum sf_status pool_write(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
			  enum sf_contents how);
enum sf_status pool_rare_write(struct sf_heap *h, uint32_t pool, uint64_t addr, uint64_t offset,
			       uint64_t size, uint64_t key);
/* There have been pools since reset. */
bool pool_any(const struct sf_heap *h);
/* The area of a pool that the address lies in, NULL: none. */
struct vm_area *pool_area(const struct sf_heap *h, uint64_t addr);

/* --- maps.c --- */

bool maps_init(struct sf_heap *h, struct sf_error *err);
void maps_free(struct sf_heap *h);
/*
 * The mappings of the arena's frames, as /proc/self/maps has them now, one by one and then MAPS
 * with the rest of the arguments. Nothing happens if nobody listens (sink NULL).
 */
void maps_tell(struct sf_heap *h, struct sf_sink *sink, enum sf_maps_when when, uint32_t pool,
	       uint64_t addr, uint64_t size);

/* --- trap.c --- */

/*
 * Calls store(ctx). False if it wrote into p[0..len) what cannot be written there: it was left at
 * that store. Any other fault is what it would be without this.
 */
bool trap_store(const void *p, uint64_t len, void (*store)(void *ctx), void *ctx);

/* --- fault.c --- */

/* fail(): the request after `after` more fails. */
void fault_fail(struct sf_heap *h, enum sf_fault kind, uint64_t after);
void fault_set(struct sf_heap *h, enum sf_fault kind, const struct sf_fault_attr *attr);
void fault_reset(struct sf_heap *h);
bool fault_fires_slow(struct sf_heap *h, enum sf_fault kind, uint32_t gfp, uint64_t size);
/*
 * True if an injected failure of that kind fires now; tells of it. `size`: bytes (SLAB), or the
 * order (PAGE). __GFP_NOFAIL is never failed.
 */
static inline bool fault_fires(struct sf_heap *h, enum sf_fault kind, uint32_t gfp, uint64_t size)
{
	return __builtin_expect(h->faults, false) && fault_fires_slow(h, kind, gfp, size);
}

/* --- lru.c: what the allocator's users have told it of their objects --- */

/* The interface's functions. */
void lru_set_user(struct sf_heap *h, const struct sf_user *user);
void lru_track(struct sf_heap *h, uint64_t addr, uint32_t cookie, bool lru);
bool lru_owns(struct sf_heap *h, uint64_t a, uint64_t b);
void lru_pin(struct sf_heap *h, uint64_t addr, bool on);
void lru_shrinker(struct sf_heap *h, uint32_t cache, const struct sf_shrinker *how);
void lru_reset(struct sf_heap *h);
void lru_free(struct sf_heap *h);
/* What a shrinker could free: all, or what is charged to `memcg` and below. */
uint64_t lru_count(struct sf_heap *h, uint32_t shrinker, uint32_t memcg);
/* Frees, or defers, up to `nr` of them, the oldest first, with all they own: how many (owners). */
uint64_t lru_scan(struct sf_heap *h, uint32_t shrinker, uint64_t nr, uint32_t memcg);
void lru_forget_slow(struct sf_heap *h, uint64_t addr);
/* Its user has freed it, or is about to: what it owns goes too. */
static inline void lru_forget(struct sf_heap *h, uint64_t addr)
{
	if (h->nr_tracked)
		lru_forget_slow(h, addr);
}
/* A pinned or unknown block stays where it is; else it may migrate. */
bool lru_may_move(const struct sf_heap *h, uint64_t addr);
/* The tracked block has moved; tells its user. */
void lru_moved(struct sf_heap *h, uint64_t from, uint64_t to);

/* --- rcu.c --- */

void rcu_grace_period(struct sf_heap *h);
void rcu_barrier(struct sf_heap *h);
/*
 * A tracked object waits for a grace period; tells its user. SF_KFREE_RCU: kfree_rcu(), by a sheaf
 * where the cache has some (mm/slub.c:__kfree_rcu_sheaf); else call_rcu(), and a plain free then.
 */
void rcu_defer(struct sf_heap *h, uint64_t addr, enum sf_free_how how);
/* An empty slab of a SLAB_TYPESAFE_BY_RCU cache, off all lists. */
void rcu_defer_slab(struct sf_heap *h, uint32_t head);
void rcu_reset(struct sf_heap *h);
void rcu_free(struct sf_heap *h);

/* --- memcg.c --- */

uint32_t memcg_create(struct sf_heap *h, uint32_t parent, uint64_t max);
void memcg_set(struct sf_heap *h, uint32_t memcg);
enum sf_status memcg_destroy(struct sf_heap *h, uint32_t memcg);
void memcg_reset(struct sf_heap *h);
void memcg_free(struct sf_heap *h);
/*
 * Charges the active group for what is at `addr`; false: over a limit, and reclaim did not help:
 * the caller gives the memory back and fails. Call only while h->memcg is not SF_NONE. Uncharge
 * where nr_charged is not 0; what was not charged is left alone.
 */
bool memcg_charge(struct sf_heap *h, uint64_t addr, uint64_t bytes, uint32_t gfp);
void memcg_uncharge(struct sf_heap *h, uint64_t addr);
/* A charged block is single pages from now on (mm/memcontrol.c:split_page_memcg). */
void memcg_split(struct sf_heap *h, uint32_t pfn, unsigned int order);
/* The charge of a block goes with it to another place. */
void memcg_moved(struct sf_heap *h, uint64_t from, uint64_t to);
/* Is what is at `addr` charged to that group or one below it? */
bool memcg_charged_in(const struct sf_heap *h, uint64_t addr, uint32_t memcg);

/* --- vmscan.c --- */

/* Direct reclaim (mm/vmscan.c:try_to_free_pages): pages of progress. */
uint64_t vmscan_direct(struct sf_heap *h, uint32_t gfp, unsigned int order);
/* Of what is charged to a group and below (try_to_free_mem_cgroup_pages): pages of progress. */
uint64_t vmscan_memcg(struct sf_heap *h, uint32_t memcg, uint32_t gfp);
void vmscan_kswapd(struct sf_heap *h);
uint64_t vmscan_shrink(struct sf_heap *h, uint64_t n);
void vmscan_reset(struct sf_heap *h);
void vmscan_free(struct sf_heap *h);

/* --- compact.c --- */

void compact_zone(struct sf_heap *h);

/* --- overcommit.c --- */

uint64_t mem_available(const struct sf_heap *h);
uint64_t totalreserve(const struct sf_heap *h);
/* NR_KERNEL_MISC_RECLAIMABLE, pages. */
uint64_t misc_reclaimable(const struct sf_heap *h);
enum sf_status overcommit_enough(struct sf_heap *h, uint64_t pages);

/* --- snapshot.c --- */

void snapshot_walk(struct sf_heap *h, struct sf_sink *sink, bool touched, bool final);
void snapshot_place(struct sf_heap *h, uint64_t addr, struct sf_place *pl);

#endif
