/* SPDX-License-Identifier: MIT */
/*
 * heap.h - what a heap of the models consists of, for the files of allocators/ only.
 *
 * Everything of one heap hangs off struct sf_heap; nothing is global. The structures are here
 * because that one must be whole; what can be done with them is in a header for each concept
 * (README.md lists them). A variant is a struct policy: what it leaves to chance, to types, to
 * size. baseline.c has none of it.
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
#define MAX_SLAB_OBJECTS 32768u /* slab->objects has 15 bits */

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
 * from boot. Where AddressSanitizer is: all bytes of a frame whose bit in `open` is set are usable,
 * none if it is clear; but if its bit in `shaded` is set, the sanitizer's shadow knows.
 */
struct arena {
	uint8_t *mem;
	uint64_t words;             /* of 8 bytes: pages * 512 */
	uint32_t pages;
	uint32_t cap_pages;         /* so many are mapped: spares serve smaller heaps, too */
	uint32_t groups;
	struct page *page;
	uint64_t *dirty, *open, *shaded; /* a word per group */
	uint64_t *touched;          /* a bit per group */
	uint64_t *used;             /* the same: was touched ever, or has a head at boot */
	/*
	 * The vmalloc window: its page n is frame vmap[n] - 1; 0: not mapped. The page before each
	 * area is its guard, where VMAP_AREA | index says which area begins after it. Ranges are
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
	uint32_t *smap, *slabs;     /* slabs: its memory, also if this heap has no such window */
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
	uint64_t *walk;             /* what heaps have as walk_buf and order_buf */
	uint32_t walk_cap;
	uint16_t *order;
	struct kcache **cache;      /* while no heap has them: structures of caches */
	uint32_t cap_caches;
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
#define SHEAF_ROOM 64u       /* of one that its caller asked for (prefill.c) */
#define BARN_MAX 10          /* full sheaves in a barn; empty ones have no limit */

/* An array of free objects, used as a stack. `next` links it in a barn or among the unused. */
struct sheaf {
	uint16_t nr, capacity;
	uint32_t next;
	uint32_t holder;         /* prefilled: id of its cache while a caller has it, or SF_NONE */
	bool reserves;           /* prefilled: the last reserves were open to it */
	uint32_t obj[SHEAF_ROOM]; /* (address - slab_window(h)) / 8 */
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
	 * Is that kmalloc met by whole pages of its own, whatever its size (rq->n * rq->size: of an
	 * array rq->size is an element's)? NULL: only those larger than any class are. Not asked
	 * for kmalloc_nolock(), which has no pages to give.
	 */
	bool (*whole_pages)(const struct sf_heap *h, const struct sf_request *rq);
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
	struct sf_sink *sink;    /* NULL: no listener */
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
	uint32_t kmalloc_classes;    /* up to that size, bytes, classes are it without a question */
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
	uint32_t nr_prefilled;       /* sheaves that callers have */
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
	uint64_t *walk_buf;      /* for snapshots. Both are the arena's, which is kept */
	uint32_t walk_cap;
	bool reclaiming;         /* current->reclaim_state is set */
	char fault_line[160];    /* heap_check()'s answer */
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

/*
 * What a kernel takes from get_random_u64(): a stream that settings.seed decides (splitmix64), back
 * at its beginning after reset. Lower bits are as good as upper ones.
 */
uint64_t heap_random(struct sf_heap *h);
/* A number that only settings.seed and `what` decide: for what is fixed at boot. */
uint64_t heap_boot_random(const struct sf_heap *h, uint64_t what);

/* Emits WARN: what a kernel would complain of. `what` is a literal, `addr` may be 0. */
void warn(struct sf_heap *h, const char *what, uint64_t addr);

#endif
