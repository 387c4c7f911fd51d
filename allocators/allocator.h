/* SPDX-License-Identifier: MIT */
/*
 * allocator.h - the one interface: what an allocator must and may offer to be fuzzed.
 *
 * Required: create, destroy, reset, alloc, free. Everything else is optional and announced by a
 * capability; an oracle that needs a capability the allocator lacks is skipped, and the skip is
 * counted and reported. An adapter around malloc() is about 40 lines (docs/plugin.md).
 *
 * The contract assumes nothing about the place an allocator runs in: addresses are numbers, object
 * memory is touched only through fill(), verify() and zeroed(), and reset() says how exact it is.
 * So a model in this process, a malloc library, a shared object and a kernel in a process of its
 * own all fit. Arguments carry what the kernel's functions carry.
 *
 * Threads: a heap is used by one thread at a time, but within parallel(), for those that have it.
 * Two heaps are independent. Nothing here is
 * global but the memory of heaps that are gone, which the models keep for the next ones, bounded
 * and under a lock (spare.h): clean, so nothing tells it from new memory.
 */
#ifndef SLABFUZZ_ALLOCATOR_H
#define SLABFUZZ_ALLOCATOR_H

#include "event.h"
#include "gfp.h"
#include "settings.h"
#include "traits.h"

#define SF_ALLOCATOR_ABI 8

struct sf_heap; /* the allocator's own */

/* SF_CAPS(X): X(IDENTIFIER, name, bit, what it promises) */
#define SF_CAPS(X)                                                                             \
	X(USABLE, "usable", 0, "usable(): ksize")                                              \
	X(REALLOC, "realloc", 1, "realloc()")                                                  \
	X(ZERO, "zero", 2, "__GFP_ZERO is honoured")                                           \
	X(CONTENTS, "contents", 3, "fill(), verify(), zeroed()")                               \
	X(CACHES, "caches", 4, "cache_create() and its family")                                \
	X(PAGES, "pages", 5, "pages_alloc(), pages_free()")                                    \
	X(EXACT, "exact", 6, "exact_alloc(), exact_free()")                                    \
	X(PLACE, "place", 7, "place(): cache, slab, order, index, migrate type")               \
	X(WALK, "walk", 8, "walk(): snapshots of every slab, free list, sheaf and block")      \
	X(TRACE, "trace", 9, "tracepoints from inside")                                        \
	X(CPUS, "cpus", 10, "set_cpu(): operations run on simulated CPUs")                     \
	X(FAIL, "fail", 11, "fail(): failure injection")                                       \
	X(KVMALLOC, "kvmalloc", 12, "alloc() and realloc() take SF_API_KVMALLOC")              \
	X(ARRAY, "array", 13, "alloc() and realloc() multiply n * size themselves")            \
	X(BULK, "bulk", 14, "cache_alloc_bulk(), cache_free_bulk()")                           \
	X(GFP, "gfp", 15, "gfp flags mean what they mean in the kernel")                       \
	X(DRAIN, "drain", 16, "drain(): per-CPU page lists are emptied")                       \
	X(KMALLOC, "kmalloc", 17, "kmalloc rules: classes (but OWN_DESIGN), alignment, "       \
	  "ZERO_SIZE_PTR")                                                                     \
	X(TEARDOWN, "teardown", 18, "after everything is freed, all memory can be accounted for") \
	X(ADDRESS, "address", 19, "addresses are addresses (not hashes that name objects)")      \
	X(BUCKETS, "buckets", 20, "buckets_create(), and requests that name a bucket")           \
	X(NOLOCK, "nolock", 21, "alloc() takes SF_API_NOLOCK, free() SF_KFREE_NOLOCK")           \
	X(FLEX, "flex", 22, "alloc() stores the count of a flexible array in its counter")       \
	X(MISUSE, "misuse", 23, "survives misuse; peek(), poke()")                               \
	X(RANDOM, "random", 24, "ordinary kmalloc is partitioned by call site and seed")         \
	X(TYPED, "typed", 25, "ordinary kmalloc is partitioned by alloc token")                  \
	X(RECLAIM, "reclaim", 26, "track(), owns(), pin(), shrinkers; reclaims by itself") \
	X(RCU, "rcu", 27, "free() takes SF_KFREE_RCU; grace_period()")                           \
	X(MEMCG, "memcg", 28, "memcg_create() and its family: __GFP_ACCOUNT is charged")         \
	X(COMPACT, "compact", 29, "compact(): movable pages migrate")                            \
	X(FAULT_ATTR, "fault_attr", 30, "fault_attr(): failslab, fail_page_alloc")               \
	X(OVERCOMMIT, "overcommit", 31, "vm_enough_memory()")                                  \
	X(LARGE, "large", 32, "what fits better in slabs of 2 MiB lies there or nowhere")      \
	X(MIN_ORDER, "min_order", 33, "cache_create() and the setting min_order: no slab is "  \
	  "smaller")                                                                           \
	X(POOLS, "pools", 34, "pool_create() and its family: memory that is sealed for real")  \
	X(OWN_DESIGN, "own_design", 35, "kmalloc places by rules of its own, not by the "      \
	  "kernel's classes: equal requests in equal places, no page holds two partitions")    \
	X(REALLOC_ALIGN, "realloc_align", 36, "realloc() looks at the alignment asked for: in " \
	  "place only where the object has it")                                                \
	X(ERR_PTR, "err_ptr", 37, "free() takes error pointers: warns, and frees nothing")     \
	X(PAGES_BULK, "pages_bulk", 38, "pages_alloc_bulk(): many single pages at once")       \
	X(SHEAVES, "sheaves", 39, "sheaf_prefill() and its family: objects that are set aside") \
	X(MALLOC, "malloc", 40, "the words of user space: alloc() takes SF_API_FOREIGN with a "  \
	  "call, free() SF_FREE_USER")                                                           \
	X(CALLOC, "calloc", 41, "alloc() takes SF_CALL_CALLOC")                                  \
	X(REALLOCARRAY, "reallocarray", 42, "realloc() takes SF_CALL_REALLOCARRAY")              \
	X(ALIGNED_ALLOC, "aligned_alloc", 43, "alloc() takes SF_CALL_ALIGNED_ALLOC")             \
	X(POSIX_MEMALIGN, "posix_memalign", 44, "alloc() takes SF_CALL_POSIX_MEMALIGN")          \
	X(MEMALIGN, "memalign", 45, "alloc() takes SF_CALL_MEMALIGN")                            \
	X(FREE_SIZED, "free_sized", 46, "user_free() takes a size")                              \
	X(FREE_ALIGNED, "free_aligned_sized", 47, "user_free() takes a size and an alignment")   \
	X(GOOD_SIZE, "good_size", 48, "good_size(): what a request is rounded up to")            \
	X(TRIM, "trim", 49, "trim(): malloc_trim()")                                             \
	X(STATS, "stats", 50, "stats(): the allocator's own counts")                             \
	X(INTEGRITY, "integrity", 51, "integrity(): the allocator looks at itself")              \
	X(HEAPS, "heaps", 52, "heap_create(): several heaps, in blocks of given place and size") \
	X(REGIONS, "regions", 53, "heap_add(), heap_remove(): a heap of several blocks")         \
	X(THREADS, "threads", 54, "set_thread(): operations run on threads of their own")        \
	X(PARALLEL, "parallel", 55, "parallel(): several threads call it at once")

enum sf_cap {
#define X(id, name, bit, doc) SF_CAP_##id = 1ull << (bit),
	SF_CAPS(X)
#undef X
};

enum sf_reset_kind {
	SF_RESET_EXACT,       /* the next program sees a fresh heap, byte for byte */
	/* Leftovers may differ: history is kept and addresses are never compared. */
	SF_RESET_BEST_EFFORT,
};

/* An error for a person: one line, without a newline. */
struct sf_error {
	char text[200];
};

/* What an allocation asks for. */
struct sf_request {
	uint8_t api;       /* enum sf_api: KMALLOC, KVMALLOC; NOLOCK with SF_CAP_NOLOCK */
	uint16_t type;     /* type table index, 0: none */
	uint16_t token;    /* alloc token of the type, 0 to 15 (clang's allocation tokens) */
	uint32_t gfp;      /* enum sf_gfp */
	uint32_t site;     /* call site: stands for the code address */
	uint64_t align;    /* 0: natural */
	/*
	 * n elements of `size` bytes. n != 1 only with SF_CAP_ARRAY, and the product may overflow:
	 * then the request must fail.
	 */
	uint64_t n, size;
	bool array;        /* came through an array form: n and size are as written */
	uint32_t bucket;   /* BUCKETS: set of kmem_buckets_create() to take it from, or SF_NONE */
	/* Alignment of the type if the call names it (the kmalloc_obj family), 0: not known. */
	uint32_t type_align;
	/*
	 * FLEX: after success `count` is stored in the counter_size bytes at offset counter_at of
	 * the object, little endian (__counted_by). counter_size 0: there is no counter. A count
	 * that does not fit: see the setting flex.
	 */
	uint8_t counter_size;
	uint32_t counter_at;
	uint64_t count;
	/* api SF_API_FOREIGN: how the caller spelled it, and the heap it asks (0: the first). */
	uint8_t call;      /* enum sf_user_call */
	uint32_t heap;
};

/* What came back. */
struct sf_result {
	uint8_t status;    /* enum sf_status */
	uint64_t addr;     /* 0: NULL. SF_ZERO_SIZE_PTR for size 0 with SF_CAP_KMALLOC */
	/* MALLOC. errno afterwards, 0 before; what posix_memalign() returned */
	int32_t error, ret;
	/* A posix_memalign() that failed left something in its argument that is not NULL. */
	bool touched;
};

/* MALLOC: how an object is given back. */
struct sf_free_request {
	uint64_t addr;
	uint8_t call;   /* SF_CALL_FREE, SF_CALL_FREE_SIZED, SF_CALL_FREE_ALIGNED */
	uint32_t heap;  /* HEAPS: the heap that is told to; it need not be the object's (misuse) */
	uint64_t size, align; /* FREE_SIZED, FREE_ALIGNED: what the caller says it asked for */
};

/* STATS. What an allocator does not know is SF_UNKNOWN. Bytes, but for live. */
struct sf_stats {
	uint64_t live;  /* objects handed out and not given back */
	uint64_t used;  /* in them, as the allocator counts */
	uint64_t free;  /* that it could hand out without asking for more memory */
	uint64_t total; /* that it holds */
	uint64_t peak;  /* most of `used` so far */
};

#define SF_UNKNOWN UINT64_MAX
#define SF_BLOCK_JUNK 0xcb /* what blocks for heaps are filled with, as far as they are */

struct sf_cache_request {
	const char *name;
	uint32_t size, align;
	uint32_t flags;          /* enum sf_slab_flags, SF_SLAB_USER only */
	uint32_t usersize;       /* usercopy window, 0: none */
	uint32_t sheaf_capacity; /* 0: by size */
	/*
	 * MIN_ORDER: no slab of it is smaller, not even when memory is short, as far as a slab may
	 * hold so many objects (32767). A cache that asks for it merges with no other. 0: none.
	 */
	uint8_t min_order;
};

/*
 * POOLS: how a pool is used, after the pmalloc series of 2018 (never merged).
 * SF_POOL_MODES(X): X(identifier, name, what it is)
 */
#define SF_POOL_MODES(X)                                                                       \
	X(RO, "ro", "once it is sealed, nothing in it changes any more")                       \
	X(WR, "wr", "once it is sealed, rare writes are allowed, and it can be opened again")  \
	X(AUTO_RO, "auto_ro", "ro; an area is sealed when the next one is begun")              \
	X(AUTO_WR, "auto_wr", "wr; an area is sealed when the next one is begun")              \
	X(START_WR, "start_wr", "wr; sealed from the start: rare writes alone fill it")

enum sf_pool_mode {
#define X(id, name, doc) SF_POOL_##id,
	SF_POOL_MODES(X)
#undef X
	SF_POOL_MODE_COUNT,
};

struct sf_pool_request {
	uint8_t mode;    /* enum sf_pool_mode */
	uint32_t refill; /* pages of an area, at least; 0: 1. A larger object gets what it needs */
};

/*
 * fill() and verify() patterns: the word at byte offset 8*i is sf_pattern(key, i), a trailing part
 * of a word is its low bytes (little endian). Sparse (for objects above SF_SPARSE_MIN bytes): the
 * first and the last SF_SPARSE_EDGE bytes, and the first word at each of SF_SPARSE_POINTS multiples
 * of a step, which is size / SF_SPARSE_POINTS rounded up to 4096. So the cost has a bound, whatever
 * the size.
 */
#define SF_SPARSE_MIN 256u
#define SF_SPARSE_EDGE 64u
#define SF_SPARSE_POINTS 8u

static inline uint64_t sf_pattern(uint64_t key, uint64_t i)
{
	/* Never the zero of fresh or wiped memory. */
	return (key ^ (i * 0x9e3779b97f4a7c15ull)) | 1;
}

enum sf_contents {
	SF_CONTENTS_SPARSE,
	SF_CONTENTS_WHOLE,
};

/*
 * RECLAIM, RCU, COMPACT: the user of the memory, who is notified, in the midst of a call, when
 * objects that he has made known with track() go or move without his doing. These must not call
 * back into the allocator but for verify(), zeroed(), place(), usable(), peek().
 */
struct sf_user {
	/* The object is about to be freed. `how`: SF_FREE_SHRINK, SF_FREE_OWNER or SF_KFREE_RCU. */
	void (*going)(void *ctx, uint32_t cookie, uint64_t addr, enum sf_free_how how);
	/* ... and it was (SF_OK), or the allocator refused (SF_NOTICED). Follows each going(). */
	void (*gone)(void *ctx, uint32_t cookie, uint64_t addr, enum sf_status status);
	/*
	 * The object is its user's no more, but its memory must stay as it is until a grace period
	 * has passed: going() comes then, with SF_KFREE_RCU. `how`: who let go of it; SF_KFREE_RCU:
	 * its user. It cannot be reclaimed, owned or pinned any more.
	 */
	void (*deferred)(void *ctx, uint32_t cookie, uint64_t addr, enum sf_free_how how);
	/* The pages are at `to` from now on, with what was in them. */
	void (*moved)(void *ctx, uint32_t cookie, uint64_t from, uint64_t to);
	/*
	 * POOLS: a reader comes in the midst of rare_write(), while there is a second mapping:
	 * before the first store, and (`after`) after the last. May call verify() only.
	 */
	void (*midst)(void *ctx, bool after);
	void *ctx;
};

/* How the shrinker of a cache behaves (include/linux/shrinker.h). */
struct sf_shrinker {
	uint32_t seeks; /* cost of making an object again; 0: DEFAULT_SEEKS (2) */
	uint32_t batch; /* objects scanned at once; 0: SHRINK_BATCH (128) */
	bool rcu;       /* what it frees waits for a grace period, as dentries and their names do */
};

/* struct fault_attr (include/linux/fault-inject.h), for failslab and fail_page_alloc. */
struct sf_fault_attr {
	uint8_t probability; /* percent; 0: off */
	uint8_t min_order;   /* PAGE: smaller requests never fail */
	bool wait;           /* requests that may wait can fail too (ignore-gfp-wait=N) */
	uint32_t interval;   /* only every so many requests; 0: 1 */
	uint64_t times;      /* failures, at most; 0: 1; UINT64_MAX: no limit */
	uint64_t space;      /* bytes (slab) or pages that must be asked for first */
};

/*
 * Every function takes the heap; unless it says otherwise it cannot fail. `rs` is written in full.
 * Entries whose capability is not announced may be NULL and are never called.
 */
struct sf_allocator {
	uint32_t abi;         /* SF_ALLOCATOR_ABI */
	const char *name;     /* [a-z0-9_-]+ */
	const char *summary;  /* one line */
	uint64_t caps;        /* enum sf_cap */
	uint64_t settings;    /* bit SF_SET_* set: this setting has an effect, others have none */
	uint8_t reset_kind;   /* enum sf_reset_kind */
	const struct sf_traits *traits; /* NULL: sf_traits_default */
	const void *instance; /* the adapter's own: which library or plug-in this is */
	/* What builds and revisions of one allocator have in common; NULL: its name. */
	const char *family;

	/*
	 * A fresh heap, owned by the caller until destroy(). NULL on failure with one line in
	 * `err`. `sink` may be NULL (no events) and must outlive the heap; if there is one,
	 * create() emits HEAP and then a CACHE for every cache that exists at boot. `self`: the
	 * table that it was called through, which outlives the heap.
	 */
	struct sf_heap *(*create)(const struct sf_allocator *self, const struct sf_settings *set,
				  struct sf_sink *sink, struct sf_error *err);
	void (*destroy)(struct sf_heap *h);
	/* Costs what was touched since the last reset, not what the heap holds. */
	void (*reset)(struct sf_heap *h);

	/* NULL when memory is short (SF_NULL), or the request can never end (SF_BLOCKED). */
	void (*alloc)(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs);
	/*
	 * addr may be 0 or SF_ZERO_SIZE_PTR: no-ops. SF_NOTICED: refused as misuse. ERR_PTR: what
	 * SF_IS_ERR() says is no address is a no-op (SF_OK) with a WARN.
	 */
	void (*free)(struct sf_heap *h, uint64_t addr, enum sf_free_how how, struct sf_result *rs);

	/* USABLE: bytes the owner may use, 0 for NULL and ZERO_SIZE_PTR. */
	uint64_t (*usable)(struct sf_heap *h, uint64_t addr);
	/*
	 * REALLOC: on success the old object is gone unless the address is the same; SF_NULL:
	 * untouched.
	 */
	void (*realloc)(struct sf_heap *h, uint64_t addr, const struct sf_request *rq,
			struct sf_result *rs);

	/*
	 * CONTENTS. addr..addr+size is inside one live object. fill() writes the pattern of `key`;
	 * verify() returns the first offset that differs, or SF_GOOD; zeroed() returns the first
	 * offset in [from, to) that is not zero, or SF_GOOD, and may look beyond the requested size
	 * but not beyond the object's slot. Contents are judged where they live.
	 */
	void (*fill)(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
		     enum sf_contents how);
	uint64_t (*verify)(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
			   enum sf_contents how);
	uint64_t (*zeroed)(struct sf_heap *h, uint64_t addr, uint64_t from, uint64_t to,
			   enum sf_contents how);

	/*
	 * CACHES. cache_create() returns an id, SF_NONE on failure; with merging, the id of an
	 * older cache (and *merged true). Each create is matched by one cache_destroy(), which
	 * returns SF_NOTICED if live objects were left. cache_shrink() returns 0 iff no slab is
	 * left.
	 */
	uint32_t (*cache_create)(struct sf_heap *h, const struct sf_cache_request *rq,
				 bool *merged);
	enum sf_status (*cache_destroy)(struct sf_heap *h, uint32_t cache);
	int (*cache_shrink)(struct sf_heap *h, uint32_t cache);
	void (*cache_alloc)(struct sf_heap *h, uint32_t cache, uint32_t gfp, struct sf_result *rs);
	void (*cache_free)(struct sf_heap *h, uint32_t cache, uint64_t addr, struct sf_result *rs);
	/* BULK. All n or nothing: addrs[0..n) is written iff the status is SF_OK. n >= 1. */
	void (*cache_alloc_bulk)(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t n,
				 uint64_t *addrs, struct sf_result *rs);
	void (*cache_free_bulk)(struct sf_heap *h, uint32_t cache, uint32_t n,
				const uint64_t *addrs, struct sf_result *rs);

	/* PAGES, EXACT. Addresses are of the direct map. */
	void (*pages_alloc)(struct sf_heap *h, uint32_t gfp, unsigned int order,
			    struct sf_result *rs);
	void (*pages_free)(struct sf_heap *h, uint64_t addr, unsigned int order);
	void (*exact_alloc)(struct sf_heap *h, uint64_t size, uint32_t gfp, struct sf_result *rs);
	void (*exact_free)(struct sf_heap *h, uint64_t addr, uint64_t size);

	/*
	 * CPUS: the CPU of the operations that follow; cpu < settings.cpus. reset() goes back to 0.
	 */
	void (*set_cpu)(struct sf_heap *h, unsigned int cpu);
	/* FAIL: after `after` more requests of that kind, the next one fails (once). */
	void (*fail)(struct sf_heap *h, enum sf_fault kind, uint64_t after);
	/*
	 * DRAIN: all CPUs' page lists go back to the free lists (mm/page_alloc.c:drain_all_pages).
	 */
	void (*drain)(struct sf_heap *h);

	/* PLACE: read from descriptors, for any address. */
	void (*place)(struct sf_heap *h, uint64_t addr, struct sf_place *pl);
	/*
	 * WALK: a snapshot, SNAP_BEGIN to SNAP_END, to `sink`, read from the primary structures.
	 * Changes nothing. Emits only caches, blocks and pages touched since reset when `touched`;
	 * the rest is as at boot.
	 */
	void (*walk)(struct sf_heap *h, struct sf_sink *sink, bool touched, bool final);

	/*
	 * BUCKETS: a set of caches of its own, one a size class (mm/slab_common.c:
	 * kmem_buckets_create). Returns its id, SF_NONE on failure; with the setting `buckets` off
	 * SF_BUCKETS_OFF, which requests may name and which means plain kmalloc. Sets live until
	 * reset(): a kernel never destroys them.
	 */
	uint32_t (*buckets_create)(struct sf_heap *h, const char *name, uint32_t flags,
				   uint32_t usersize);
	/* cache_shrink() of each of its caches; nothing for SF_BUCKETS_OFF. */
	void (*buckets_shrink)(struct sf_heap *h, uint32_t bucket);

	/*
	 * MISUSE: memory as it is, whoever owns it; never the business of a sanitizer. Any address.
	 * Return how many bytes, from the first on, are mapped and were copied.
	 */
	uint64_t (*peek)(struct sf_heap *h, uint64_t addr, void *to, uint64_t len);
	uint64_t (*poke)(struct sf_heap *h, uint64_t addr, const void *from, uint64_t len);

	/*
	 * RECLAIM, RCU, COMPACT. set_user() comes once, before any other call after create(); it is
	 * kept over reset(), and `user` outlives the heap. track(): the object at `addr` is
	 * `cookie` to its user until it is freed, by whomever. What is not tracked is never
	 * reclaimed, moved, owned or pinned. `lru`: it is of a cache with SLAB_RECLAIM_ACCOUNT,
	 * whose shrinker may free it from now on, the one tracked (or unpinned) longest ago first.
	 * Tracking again changes the cookie only.
	 */
	void (*set_user)(struct sf_heap *h, const struct sf_user *user);
	void (*track)(struct sf_heap *h, uint64_t addr, uint32_t cookie, bool lru);
	/*
	 * RECLAIM, of tracked objects. owns(): `b` goes when `a` goes, however that comes:
	 * reclaimed, freed by its user, or after a grace period. False, and nothing changes: b has
	 * an owner, or is a, or owns a, directly or not. Ownership ends when b is freed by itself,
	 * or when a goes while b is pinned. pin(): nothing but its own user frees or moves it (a
	 * reference is held).
	 */
	bool (*owns)(struct sf_heap *h, uint64_t a, uint64_t b);
	void (*pin)(struct sf_heap *h, uint64_t addr, bool on);
	/* RECLAIM. Each cache with SLAB_RECLAIM_ACCOUNT has a shrinker: how it works. */
	void (*shrinker)(struct sf_heap *h, uint32_t cache, const struct sf_shrinker *how);
	/*
	 * RECLAIM. Every shrinker, oldest cache first, frees up to `n` objects as if a filesystem
	 * asked for it (drop_slab): how many were freed. kswapd(): the daemon runs until the zone
	 * is balanced, or nothing helps (mm/vmscan.c:balance_pgdat).
	 */
	uint64_t (*shrink)(struct sf_heap *h, uint64_t n);
	void (*kswapd)(struct sf_heap *h);

	/*
	 * RCU. A grace period ends: what was complete before it is freed. barrier(): all that is
	 * deferred is (kvfree_rcu_barrier, rcu_barrier).
	 */
	void (*grace_period)(struct sf_heap *h);
	void (*rcu_barrier)(struct sf_heap *h);

	/*
	 * MEMCG. A group below `parent` (SF_NONE: the root, which is never charged) with a limit in
	 * bytes; SF_NONE: it cannot be. memcg_set(): the group that is charged for what follows
	 * (set_active_memcg). memcg_destroy(): what is still charged to it is its parent's from now
	 * on; SF_NULL, and nothing happens, if it has children or is the active one.
	 */
	uint32_t (*memcg_create)(struct sf_heap *h, uint32_t parent, uint64_t max);
	void (*memcg_set)(struct sf_heap *h, uint32_t memcg);
	enum sf_status (*memcg_destroy)(struct sf_heap *h, uint32_t memcg);

	/* COMPACT. The whole zone, as /proc/sys/vm/compact_memory does. */
	void (*compact)(struct sf_heap *h);

	/* FAULT_ATTR. Besides fail(), which comes first (lib/fault-inject.c:should_fail_ex). */
	void (*fault_attr)(struct sf_heap *h, enum sf_fault kind, const struct sf_fault_attr *attr);

	/*
	 * OVERCOMMIT. A process asks for `pages` of memory of its own: SF_NULL, after an OOM event,
	 * if that is refused (mm/util.c:__vm_enough_memory; by the guess of 4.16 with oom=4.16).
	 */
	enum sf_status (*vm_enough_memory)(struct sf_heap *h, uint64_t pages);

	/*
	 * POOLS. Memory of a pool comes in areas: pages with addresses of their own (in the vmalloc
	 * window), in which objects follow each other, aligned to 8 bytes. An object may cross
	 * pages, never areas. There is no free: objects go with their pool. fill() is not for them.
	 * All of it is zero when it is handed out. pool_create(): an id from 1 on, SF_NONE: it
	 * cannot be.
	 */
	uint32_t (*pool_create)(struct sf_heap *h, const struct sf_pool_request *rq);
	/* n * size bytes; NULL if that is 0 or overflows. Never from an area that is sealed, but of
	 * a START_WR pool. */
	void (*pool_alloc)(struct sf_heap *h, uint32_t pool, uint64_t n, uint64_t size,
			   struct sf_result *rs);
	/*
	 * Seals all areas, with the directmap setting `sealed` in the direct map too; what is left
	 * of the last one is lost, later objects get new areas. SF_OK also when there is nothing to
	 * do. SF_NULL: the system refused, nothing is sealed that was not.
	 */
	enum sf_status (*pool_protect)(struct sf_heap *h, uint32_t pool);
	/*
	 * Makes all areas writable again, as protect() found them. SF_NOTICED: the mode is not for
	 * it, nothing happened.
	 */
	enum sf_status (*pool_unprotect)(struct sf_heap *h, uint32_t pool);
	/* Wiped, unmapped, given back; so are all its objects. */
	void (*pool_destroy)(struct sf_heap *h, uint32_t pool);
	/*
	 * A store of the object's user, as fill() of the first `size` bytes of an object. Sealed
	 * memory faults, really: SF_NOTICED, and nothing was written from the fault on.
	 */
	enum sf_status (*pool_write)(struct sf_heap *h, uint64_t addr, uint64_t size, uint64_t key,
				     enum sf_contents how);
	/*
	 * Rare write: the pattern of `key` (counted from `addr`, where the object begins) into
	 * `size` bytes from addr + offset on, through a second, short-lived mapping at an address
	 * that cannot be known. To a reader each aligned word changes at once, lower addresses
	 * first. SF_NOTICED, and nothing happened: the range is not wholly in one area of that
	 * pool, the pool's mode is not for it, or size is 0; SF_NULL: there was no mapping to be
	 * had. Of memory that is not sealed (yet) it is a store like any other, done the same way.
	 */
	enum sf_status (*rare_write)(struct sf_heap *h, uint32_t pool, uint64_t addr,
				     uint64_t offset, uint64_t size, uint64_t key);

	/*
	 * PAGES_BULK: alloc_pages_bulk(). Single pages into the entries of pages[0..n) that are 0,
	 * first to last; others stay as they are. Returns how many entries, from the first on, are
	 * not 0 when it gives up or is done; what lies behind is as it was. *rs: SF_OK, SF_NULL if
	 * there was not a single page to be had, or SF_BLOCKED. Each page is freed by itself.
	 */
	uint32_t (*pages_alloc_bulk)(struct sf_heap *h, uint32_t gfp, uint32_t n, uint64_t *pages,
				     struct sf_result *rs);

	/*
	 * SHEAVES, of caches made by cache_create(). sheaf_prefill(): at least `n` objects (1 to
	 * SF_PREFILL_MAX) are set aside for the caller, as gfp allows; a number from 1 on, or 0:
	 * there was no memory. sheaf_alloc(): one of them; it makes no effort and fails (SF_NULL)
	 * only if there is none left; of gfp only __GFP_ZERO and __GFP_ACCOUNT count, and no limit
	 * of a memory cgroup does. sheaf_refill(): there are at least `n` again; the sheaf may be
	 * another one afterwards; SF_NULL: there may be more of them than before, never fewer.
	 * sheaf_return(): the caller has it no more; it may be filled, as gfp allows, to be parked.
	 * sheaf_size(): objects in it. All of them go before their cache does.
	 */
	uint32_t (*sheaf_prefill)(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t n,
				  struct sf_result *rs);
	void (*sheaf_alloc)(struct sf_heap *h, uint32_t cache, uint32_t gfp, uint32_t sheaf,
			    struct sf_result *rs);
	enum sf_status (*sheaf_refill)(struct sf_heap *h, uint32_t cache, uint32_t gfp,
				       uint32_t *sheaf, uint32_t n);
	enum sf_status (*sheaf_return)(struct sf_heap *h, uint32_t cache, uint32_t gfp,
				       uint32_t sheaf);
	uint32_t (*sheaf_size)(struct sf_heap *h, uint32_t sheaf);

	/*
	 * MALLOC. alloc() and realloc() carry rq->call; realloc(p, 0) that frees and returns NULL
	 * is SF_FREED. user_free(): only with FREE_SIZED, FREE_ALIGNED or HEAPS; else free() with
	 * SF_FREE_USER is called. What the allocator refuses as misuse without dying is SF_NOTICED.
	 */
	void (*user_free)(struct sf_heap *h, const struct sf_free_request *rq,
			  struct sf_result *rs);
	/* GOOD_SIZE: bytes that a request of `size` gets (malloc_good_size, nallocx). */
	uint64_t (*good_size)(struct sf_heap *h, uint64_t size);
	/* TRIM: what malloc_trim(pad) returns. */
	int (*trim)(struct sf_heap *h, uint64_t pad);
	/* STATS: of all heaps. */
	void (*stats)(struct sf_heap *h, struct sf_stats *out);
	/*
	 * INTEGRITY: NULL if all structures are sound, or what the allocator says of them: one
	 * line, valid until the next call.
	 */
	const char *(*integrity)(struct sf_heap *h);
	/*
	 * HEAPS. One more heap, in a block of `size` bytes that begins `at` bytes behind a page
	 * boundary: an id from 1 on, 0: refused (too small, for instance). heap_destroy(): objects
	 * in it are gone, with no further word. What is in a new block is 0 or SF_BLOCK_JUNK, which
	 * no allocator may count on. REGIONS. heap_add(): a further block; an id from 1
	 * on, 0: refused. heap_remove(): SF_NULL, and nothing happens, if it is in use.
	 */
	uint32_t (*heap_create)(struct sf_heap *h, uint64_t size, uint32_t at);
	void (*heap_destroy)(struct sf_heap *h, uint32_t heap);
	uint32_t (*heap_add)(struct sf_heap *h, uint32_t heap, uint64_t size, uint32_t at);
	enum sf_status (*heap_remove)(struct sf_heap *h, uint32_t heap, uint32_t region);
	/*
	 * HEAPS; may be NULL. Where a block begins: that of heap_create() is region 0. 0: not
	 * known. Without it that objects lie in their heap cannot be judged.
	 */
	uint64_t (*heap_addr)(struct sf_heap *h, uint32_t heap, uint32_t region);
	/* THREADS: what follows runs on thread `nr`, below SF_THREADS_MAX; one at a time. */
	void (*set_thread)(struct sf_heap *h, unsigned int nr);
	/*
	 * MALLOC; may be NULL: 0. Bytes that what stands between this interface and the allocator
	 * has of its own in this process, and that grow with the heap: none of the allocator's.
	 */
	uint64_t (*own_bytes)(struct sf_heap *h);
	/*
	 * PARALLEL. fn(arg, i) for each i below `nr` (2 to SF_THREADS_MAX), at once, each on a
	 * thread of its own, 0 on the caller's; all have returned when this does. In them alloc(),
	 * realloc(), user_free(), usable(), good_size() and trim() may be called at any time, of
	 * the first heap; user_free() is told size and alignment whatever the call. What is alive
	 * afterwards is forgotten. False: there can be no such threads, and fn was not called.
	 */
	bool (*parallel)(struct sf_heap *h, unsigned int nr,
			 void (*fn)(void *arg, unsigned int nr), void *arg);
};

#define SF_THREADS_MAX 8u

static inline const struct sf_traits *sf_traits_of(const struct sf_allocator *a)
{
	return a->traits ? a->traits : &sf_traits_default;
}

#define SF_PREFILL_MAX 64u

#define SF_BUCKETS_OFF (SF_NONE - 1)

/*
 * The allocators of this build, NULL-terminated, in the order in which they are listed (registry.h,
 * where a new one is added); likewise those that no run is about unless it names them; and any of
 * them by name (NULL: there is none of that name).
 */
extern const struct sf_allocator *const sf_allocators[];
extern const struct sf_allocator *const sf_other_allocators[];
const struct sf_allocator *sf_allocator_by_name(const char *name);
/*
 * The same, and allocators from outside this build: "malloc:" (the C library's), "malloc:LIB.so"
 * (any library of the malloc family), "plugin:X.so" (a table of slabfuzz/plugin.h), "model:X.so" or
 * "model:X.so:NAME" (load_model.h). `traits`: what is to be said of one from outside, "align=8
 * zeroed=usable", against all that it says and that is found; NULL: nothing. Lives until the
 * process ends; the same again gives the same. NULL: one line in *err. Not to be called by two
 * threads at once.
 */
const struct sf_allocator *sf_allocator_open(const char *name, const char *traits,
					     struct sf_error *err);
/*
 * The same allocator, to be misused on purpose in a process that may die of it: MISUSE, whether or
 * not it survives that. False: it cannot be looked at from outside; one line in *err. `copy` must
 * live as long as its heaps.
 */
bool sf_allocator_expend(const struct sf_allocator *a, struct sf_allocator *copy,
			 struct sf_error *err);

/* Those that benchmarks and tests compare with one another by their identifiers. */
extern const struct sf_allocator sf_baseline, sf_random, sf_typed, sf_large, sf_protected;

#endif
