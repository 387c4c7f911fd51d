/* SPDX-License-Identifier: MIT */
/*
 * event.h - what happened, as a stream: the only thing that oracles ever see.
 *
 * Three sources feed one stream: results (the executor reports what was asked and what came back),
 * tracepoints (an allocator reports what it did inside; all optional), and snapshots (walk() reads
 * the allocator's primary structures). A recorded kernel trace is turned into the same events.
 *
 * An event is valid only during the call that delivers it: a listener copies what it keeps. Strings
 * and arrays in it belong to the sender. Addresses are 64-bit numbers in the allocator's own space,
 * not pointers: the models number their direct map from SF_DIRECT_MAP and their vmalloc window from
 * SF_VMALLOC (the values x86-64 has without KASLR), so that events are equal on every machine.
 * Slabs have a window of their own, from SF_SLAB_WINDOW, under the setting slab_virtual only.
 */
#ifndef SLABFUZZ_EVENT_H
#define SLABFUZZ_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "settings.h"
#include "traits.h"

#define SF_DIRECT_MAP 0xffff888000000000ull
#define SF_VMALLOC 0xffffc90000000000ull
#define SF_SLAB_WINDOW 0xfffffe0000000000ull /* slabs under slab_virtual */
#define SF_PAGE_SHIFT 12
#define SF_PAGE_SIZE 4096ull
#define SF_NR_ORDERS 11
#define SF_ZERO_SIZE_PTR 16ull /* what kmalloc(0) returns (include/linux/slab.h) */

#define SF_MAX_ERRNO 4095ull
/* Is it no address, but ERR_PTR(-errno)? (include/linux/err.h) */
#define SF_IS_ERR(addr) ((addr) >= -SF_MAX_ERRNO)

#define SF_NONE UINT32_MAX     /* "no such cache / object / result" */
#define SF_GOOD UINT64_MAX     /* verify(), zeroed(): nothing bad was found */
#define SF_NO_PFN UINT64_MAX

/*
 * SF_EVENTS(X): X(IDENTIFIER, payload struct suffix / union member, what it reports)
 * Grouped: run, results, tracepoints, snapshot; then what came later.
 */
#define SF_EVENTS(X)                                                                               \
	X(HEAP, heap, "a heap exists: its settings and address windows; its caches follow")        \
	X(CACHE, cache, "a cache exists: geometry and flags (boot caches once, after HEAP)")       \
	X(CTYPE, ctype, "a C type that programs allocate, with its allocation token (after HEAP)") \
	X(BEGIN, run, "a program begins on a fresh (or best-effort reset) heap")                   \
	X(END, run, "the program is over; nothing of it follows")                                  \
	X(ALLOC, alloc, "result: an allocation returned (success, NULL or blocked)")               \
	X(FREE, free, "result: an object was given back (after what the free caused)")             \
	X(REALLOC, alloc, "result: krealloc/kvrealloc returned")                                   \
	X(KSIZE, ksize, "result: ksize() of an object")                                            \
	X(CONTENT, content, "result: contents of a live object were verified")                     \
	X(CACHE_CREATE, cacheop, "result: kmem_cache_create() returned")                           \
	X(CACHE_DESTROY, cacheop, "result: kmem_cache_destroy() returned")                         \
	X(CACHE_SHRINK, cacheop, "result: kmem_cache_shrink() returned")                           \
	X(SKIP, skip, "result: an operation was not carried out, and why")                         \
	X(OWNS, owns, "result: one object goes when another goes, from here on")                   \
	X(PIN, pin, "result: a reference is held, or no longer: reclaim keeps off")                \
	X(DEFER, defer, "result: an object is to be freed after a grace period")                   \
	X(MIGRATE, migrate, "result: movable pages are at another address")                        \
	X(MEMCG, memcg, "result: a memory cgroup was made, made active, or destroyed")             \
	X(ASK, ask, "result: a process asked for memory of its own (refused: after its OOM)")      \
	X(POOL, pool, "result: a pool was made, sealed, opened or destroyed")                      \
	X(WRITE, write, "result: the user of an object in a pool wrote to it, or tried to")        \
	X(RARE, rare, "result: a rare write returned")                                             \
	X(BUCKETS_CREATE, cacheop, "result: kmem_buckets_create() returned")                       \
	X(TAINT, taint, "the allocator is misused on purpose from here on")                        \
	X(REACH, reach, "result: one thing that a misuse changed")                                 \
	X(ATTACK, attack, "result: a misuse was carried out (after its REACH)")                    \
	X(SLAB_NEW, slab, "trace: a slab was made")                                                \
	X(SLAB_ORDER, slaborder, "trace: the order in which a fresh slab hands out")               \
	X(SLAB_FREE, slab, "trace: a slab was given back to the page allocator")                   \
	X(BLOCK_ADD, block, "trace: a block was put on a free list")                               \
	X(BLOCK_DEL, block, "trace: a block was taken off a free list")                            \
	X(RMQUEUE, rmqueue, "trace: a block was chosen from the free lists (after its BLOCK_DEL)") \
	X(CLAIM, claim, "trace: page blocks changed their migrate type")                           \
	X(PAGE_ALLOC, page, "trace: a block left the page allocator for a user")                   \
	X(PAGE_FREE, page, "trace: a user gave a block back")                                      \
	X(PCP_DRAIN, page, "trace: a block moves from a per-CPU list to the free lists")           \
	X(PAGE_FAIL, pagefail, "trace: the page allocator gives up on a request")                  \
	X(FAULT, fault, "trace: an injected failure fired")                                        \
	X(OOM, oom, "trace: out of memory was declared")                                           \
	X(SHRINK, shrink, "trace: a shrinker was asked (after what it freed)")                     \
	X(RECLAIM, reclaim, "trace: a round of reclaim begins, or is over, and its progress")      \
	X(COMPACT, compact, "trace: a run of compaction begins, or is over")                       \
	X(GRACE, grace, "trace: a grace period ends; what it frees follows")                       \
	X(SLAB_DEFER, slab, "trace: an empty slab waits for a grace period")                       \
	X(RESERVE, claim, "trace: a page block became, or was, of the HIGHATOMIC reserve")         \
	X(CHARGE, charge, "trace: a memory cgroup was charged, uncharged, or refused")             \
	X(WARN, warn, "trace: the allocator complained (a WARN or a BUG in a kernel)")             \
	X(MAP, map, "trace: pages were mapped into the vmalloc window")                            \
	X(UNMAP, map, "trace: a mapping was removed")                                              \
	X(MAPPING, mapping, "trace: pages of the arena as the process's own memory map has them")  \
	X(MAPS, maps, "trace: these were all its mappings (after their MAPPING)")                  \
	X(SNAP_BEGIN, snap, "snapshot begins")                                                     \
	X(SNAP_CACHE, snapcache, "snapshot: a cache's own counters")                               \
	X(SNAP_SLAB, snapslab, "snapshot: a slab with its free list, walked")                      \
	X(SNAP_SHEAF, snapsheaf, "snapshot: a sheaf and the objects parked in it")                 \
	X(SNAP_BLOCK, snapblock, "snapshot: a block on a free list")                               \
	X(SNAP_PCP, snappcp, "snapshot: a per-CPU page list")                                      \
	X(SNAP_USED, snapused, "snapshot: pages in use that are no slab")                          \
	X(SNAP_PAGEBLOCK, snappb, "snapshot: a page block whose type is not the boot type")        \
	X(SNAP_MEMCG, snapmemcg, "snapshot: a memory cgroup's own counters")                       \
	X(SNAP_COUNTERS, counters, "snapshot: the allocator's own counters (not of walks)")        \
	X(SNAP_END, snap, "snapshot is complete")                                                  \
	X(PAGES_BULK, pagesbulk, "result: alloc_pages_bulk() returned (after the ALLOC of each "   \
	  "page)")                                                                                 \
	X(SHEAF, sheaf, "result: a sheaf was prefilled, refilled or returned, or the ALLOC that "  \
	  "follows is from it")                                                                    \
	X(GOOD_SIZE, goodsize, "result: what a request of that size would get")                    \
	X(TRIM, trim, "result: malloc_trim() returned")                                            \
	X(STATS, stats, "result: the allocator's own counts")                                      \
	X(INTEGRITY, integrity, "result: the allocator looked at itself")                          \
	X(USER_HEAP, userheap, "result: a heap or a region of one was made or destroyed (after "   \
	  "the FREE of what was in it)")                                                           \
	X(CRASH, crash, "the allocator's process ended in the midst of an operation")

enum sf_event_type {
#define X(id, member, doc) SF_EV_##id,
	SF_EVENTS(X)
#undef X
	SF_EV_TYPES,
};

/*
 * The code address that a call site stands for: RANDOM partitions hash it. Sites are numbers in
 * programs; they lie in different functions, each at a multiple of 16 in a kernel's text of 16 MiB
 * (a multiplicative hash, without collisions below 65536). Part of the contract, not of any rule.
 */
static inline uint64_t sf_code_location(uint32_t site)
{
	return 0xffffffff81000000ull + ((uint32_t)(site * 2654435769u) >> 8 & 0xfffff0u);
}

enum sf_status {
	SF_OK,
	SF_NULL,    /* the allocation failed (NULL), or an operation reported an error */
	SF_BLOCKED, /* would loop for ever in a kernel (__GFP_NOFAIL): the program ends here */
	SF_NOTICED, /* misuse was noticed and refused */
	SF_FREED,   /* realloc(p, 0): p was freed, and NULL returned */
	SF_STATUSES,
};

/* How a request of user space was spelled (api SF_API_FOREIGN). */
enum sf_user_call {
	SF_CALL_NONE, /* a word of the kernel */
	SF_CALL_MALLOC,
	SF_CALL_CALLOC,
	SF_CALL_REALLOC,
	SF_CALL_REALLOCARRAY,
	SF_CALL_ALIGNED_ALLOC,
	SF_CALL_POSIX_MEMALIGN,
	SF_CALL_MEMALIGN,
	SF_CALL_FREE,
	SF_CALL_FREE_SIZED,
	SF_CALL_FREE_ALIGNED,
	SF_CALLS,
};

/* Which entry point an object came through. Decides which oracles apply. */
enum sf_api {
	SF_API_KMALLOC,
	SF_API_KVMALLOC,
	SF_API_CACHE,   /* kmem_cache_alloc() */
	SF_API_PAGES,   /* alloc_pages() */
	SF_API_EXACT,   /* alloc_pages_exact() */
	SF_API_FOREIGN, /* a plug-in's own malloc() */
	SF_API_NOLOCK,  /* kmalloc_nolock() */
	SF_API_PMALLOC, /* pmalloc() */
	SF_APIS,
};

/* How a free was spelled. */
enum sf_free_how {
	SF_KFREE,
	SF_KFREE_SENSITIVE,
	SF_KVFREE,
	SF_KFREE_NOLOCK,
	SF_KFREE_RCU,   /* in events: the grace period is over */
	SF_FREE_SHRINK, /* by a shrinker */
	SF_FREE_OWNER,  /* with its owner */
	SF_FREE_POOL,   /* with its pool */
	SF_FREE_USER,   /* free() and its sized forms */
	SF_FREE_HEAP,   /* with its heap (user space) */
	SF_FREE_HOWS,
};

enum sf_place_kind {
	SF_PLACE_UNKNOWN, /* the allocator does not know */
	SF_PLACE_SLAB,
	SF_PLACE_LARGE,   /* large kmalloc: whole pages */
	SF_PLACE_PAGES,
	SF_PLACE_VMALLOC,
	SF_PLACE_POOL,
	SF_PLACE_NOWHERE, /* the allocator knows no allocation at this address */
};

/* Where an address is, as the allocator's own descriptors say (never its size tables). */
struct sf_place {
	uint8_t kind;        /* enum sf_place_kind */
	uint8_t order;       /* of the slab or the block */
	uint8_t migratetype; /* of its page block */
	uint8_t partition;   /* of its cache */
	uint32_t cache;      /* id, or SF_NONE */
	uint32_t stride;     /* bytes per object: of the cache; a block's size, capped at 2^31 */
	uint32_t object_size;/* the cache's object_size */
	uint32_t index;      /* of the object in its slab */
	uint32_t offset;     /* of the address in its slot: 0 unless slot_offset, or an inner one */
	uint32_t objects;    /* that its slab holds */
	uint32_t pool;       /* it belongs to; 0: none */
	uint64_t base;       /* address of the slab, block or area */
	uint64_t pfn;        /* page frame that holds the address */
};

struct sf_ev_heap {
	const char *allocator;
	uint64_t caps;                    /* of the allocator: enum sf_cap in allocator.h */
	const struct sf_settings *settings;
	uint64_t direct_map, pages;       /* window of the arena; 0 pages: unknown */
	uint64_t vmalloc, vmalloc_pages;  /* window of mappings */
	uint64_t slabs, slab_pages;       /* window of slabs, 0 pages: they are in the direct map */
	uint64_t partition_seed;          /* of the RANDOM partitions (random_kmalloc_seed) */
	bool exact;                       /* reset() is exact */
	const struct sf_traits *traits;   /* NULL: sf_traits_default */
};

enum sf_cache_kind {
	SF_CACHE_NAMED,
	SF_CACHE_KMALLOC,     /* partitions 0..15: see partition */
	SF_CACHE_KMALLOC_RCL,
	SF_CACHE_KMALLOC_DMA,
	SF_CACHE_KMALLOC_CG,
	SF_CACHE_INTERNAL,    /* the allocator's own */
	SF_CACHE_BUCKET,      /* of a kmem_buckets_create() */
	SF_CACHE_KMALLOC_LARGE, /* kmalloc in slabs of 2 MiB (LARGE) */
	SF_CACHE_KINDS,
};

struct sf_ev_cache {
	const char *name;
	uint32_t id;
	uint32_t object_size, stride, align;
	uint32_t freeptr;         /* offset of the free pointer in a free object */
	uint32_t flags;           /* enum sf_slab_flags */
	uint32_t min_partial, sheaf_capacity;
	uint16_t objects, min_objects; /* per slab: preferred and smallest */
	uint8_t order, min_order;      /* likewise */
	uint8_t kind;             /* enum sf_cache_kind */
	uint8_t partition;
	uint8_t allocflags_mt;    /* migrate type its slabs are asked for */
	bool boot;                /* there before the first program; outlives reset */
	uint32_t class_size;      /* kmalloc caches: the size class */
	uint32_t usersize;        /* usercopy window, 0: none */
	uint32_t bucket;          /* set of buckets that it belongs to, SF_NONE */
	uint64_t secret;          /* freelist_hardened: what its free pointers are encoded with */
	bool large;               /* its slabs are 2 MiB blocks, or there are none */
	uint8_t asked_order;      /* min_order of its create, and of the setting: the larger */
};

struct sf_ev_ctype {
	uint16_t index;           /* in the type table; 1 and up */
	const char *name;         /* as in C */
	const char *canonical;    /* as clang names it for allocation tokens */
	uint32_t size, align;
	bool pointer;             /* contains a pointer, by clang's rules */
	uint8_t token;
};

struct sf_ev_run {
	const char *program; /* name for reports, may be NULL */
	uint64_t ops;
};

struct sf_ev_alloc {
	uint32_t id;         /* object, dense, recycled after its FREE; SF_NONE if none came */
	uint32_t res;        /* result number in the program, for reports */
	uint8_t api;         /* enum sf_api */
	uint8_t status;      /* enum sf_status */
	bool overflow;       /* n * size does not fit in 64 bits */
	bool moved;          /* REALLOC: the address changed */
	uint16_t type;       /* type table index, 0: none */
	uint16_t token;      /* alloc token */
	bool forced;         /* the program named the token: it need not be the type's */
	bool lru;            /* its cache's shrinker may free it from now on */
	uint8_t counter_size;/* flexible arrays: bytes of the __counted_by member, 0: none */
	uint32_t bucket;     /* set of buckets it was asked of, SF_NONE */
	uint32_t pool;       /* PMALLOC: pool it was asked of; 0: none */
	uint32_t type_align; /* alignment of the type, 0: not known to the allocator */
	uint32_t gfp;        /* as asked */
	uint32_t site;
	uint32_t cache;      /* CACHE: id of the cache asked; else SF_NONE */
	uint64_t align;      /* asked explicitly, 0: none */
	uint64_t n, elem;    /* the operands; n == 1 for plain requests */
	uint64_t size;       /* bytes asked: n * elem, SIZE_MAX if it overflows or saturates */
	uint64_t addr;       /* 0: NULL */
	uint64_t usable;     /* ksize(), 0: unknown */
	uint64_t dirty;      /* zeroing was due: offset of the first non-zero byte of what the
				allocator promises to be zero, or SF_GOOD; not asked: SF_GOOD */
	uint64_t zeroed;     /* bytes that were looked at for that */
	uint64_t count;      /* counter_size: the count asked ... */
	uint64_t counter;    /* ... and what the counter holds afterwards */
	struct sf_place place;
	/* REALLOC only: the object that went in. On success its id is dead unless id == old_id. */
	uint32_t old_id;     /* SF_NONE: krealloc(NULL, …) */
	uint64_t old_addr, old_size;
	uint64_t bad;        /* first offset whose old contents were lost, or SF_GOOD */
	uint64_t kept;       /* bytes that were looked at for that */
	/* FOREIGN only. */
	uint8_t call;        /* enum sf_user_call */
	bool touched;        /* posix_memalign() failed and left what is not NULL in its argument */
	int32_t error, ret;  /* errno; what posix_memalign() returned */
	uint32_t heap;       /* that was asked, 0: the first */
};

struct sf_ev_free {
	uint32_t id;       /* SF_NONE: a free of NULL or ZERO_SIZE_PTR */
	uint32_t res;
	uint8_t api;
	uint8_t status;    /* SF_NOTICED: refused, the object is as it was */
	uint32_t cache;    /* kmem_cache_free(): id of the cache named; else SF_NONE */
	uint8_t how;       /* enum sf_free_how */
	uint64_t addr;
	uint64_t bad;      /* contents just before: first bad offset or SF_GOOD */
	uint64_t verified; /* bytes looked at */
	/*
	 * KFREE_SENSITIVE: of `wiped` bytes looked at once it was free, from the first that is not
	 * zero to the last, as offsets; SF_GOOD: all are.
	 */
	uint64_t wiped, left, left_end;
	bool known;        /* traces: false if the object was born before the recording */
	bool implied;      /* traces: no free was seen, the address was handed out again */
	/* USER: as spelled; sized forms: what the caller said; the heap that was told. */
	uint8_t call;      /* enum sf_user_call */
	uint32_t heap;
	uint64_t size, align;
	int32_t error;     /* errno: free() leaves it alone */
};

struct sf_ev_ksize {
	uint32_t id;
	uint64_t addr, value;
};

struct sf_ev_content {
	uint32_t id;
	uint64_t addr, bad, verified;
};

struct sf_ev_cacheop {
	uint32_t handle;   /* result number of the create */
	uint32_t cache;    /* id, SF_NONE: failed */
	uint8_t status;    /* DESTROY: SF_NOTICED if live objects were left */
	bool merged;       /* CREATE: an alias of an older cache */
	int32_t ret;       /* SHRINK: what it returned */
	const char *name;
	uint32_t size, align, flags, usersize, sheaf_capacity; /* CREATE: as asked */
	uint8_t min_order; /* CREATE: as asked */
};

enum sf_sheaf_act {
	SF_SHEAF_PREFILL,
	SF_SHEAF_REFILL,
	SF_SHEAF_TAKE,   /* kmem_cache_alloc_from_sheaf() */
	SF_SHEAF_RETURN,
};

struct sf_ev_sheaf {
	uint8_t act;       /* enum sf_sheaf_act */
	uint8_t status;    /* not OK: it could not be filled */
	uint32_t res;      /* result number of its prefill */
	uint32_t cache, gfp;
	uint32_t sheaf;    /* the allocator's number, from 1 on; 0: there is none */
	uint32_t was;      /* its number before: a refill may give another one; 0: there was none */
	uint32_t asked;    /* PREFILL, REFILL: objects */
	uint32_t before, after; /* objects in it */
};

/* Of an array of `n` entries, some of them full before. */
struct sf_ev_pagesbulk {
	uint32_t res, gfp;
	uint32_t n, full;
	uint32_t filled;   /* entries that are full, from the first on: what it returned */
	uint32_t got;      /* entries that were empty and are not */
	uint32_t empty;    /* afterwards: first entry that is empty; n: none */
	uint32_t beyond;   /* entries behind the first `filled` that were empty and are not */
	uint32_t changed;  /* entries that were full and hold something else */
	uint8_t status;
};

enum sf_skip_reason {
	SF_SKIP_NO_CAP,  /* the allocator cannot do this */
	SF_SKIP_DEAD,    /* the object is already gone (realloc moved it, its alloc failed) */
	SF_SKIP_NULL,    /* the operation needs an object and there is none */
	SF_SKIP_SAFE,    /* a misuse that would be none: the object is of the wrong sort for it */
	SF_SKIP_REFUSED, /* it has an owner, would own itself, or is of the wrong sort */
	SF_SKIP_BYTES,   /* more would be zeroed or copied than the program may have touched */
	SF_SKIP_REASONS,
};

struct sf_ev_skip {
	uint8_t code;    /* operation */
	uint8_t reason;  /* enum sf_skip_reason */
};

struct sf_ev_owns {
	uint32_t owner, owned; /* object ids */
};

struct sf_ev_pin {
	uint32_t id;
	bool on;
};

/* From here on it is unowned, and yet its memory is not free before FREE says so. */
struct sf_ev_defer {
	uint32_t id, res;
	uint64_t addr;
	uint8_t how;       /* enum sf_free_how: who let go of it */
	uint64_t bad;      /* contents just before: first bad offset or SF_GOOD */
	uint64_t verified; /* bytes looked at */
};

struct sf_ev_migrate {
	uint32_t id;
	uint64_t from, to;
	uint64_t bad;      /* contents at `to`: first bad offset or SF_GOOD */
	uint64_t verified;
};

enum sf_memcg_act {
	SF_MEMCG_CREATE,
	SF_MEMCG_SET,
	SF_MEMCG_DESTROY,
};

struct sf_ev_memcg {
	uint8_t act;         /* enum sf_memcg_act */
	uint8_t status;      /* SF_NULL: it was refused */
	uint32_t id, parent; /* SF_NONE: the root */
	uint64_t max;        /* CREATE: bytes, UINT64_MAX: no limit */
};

struct sf_ev_ask {
	uint64_t pages;
	uint8_t status;      /* SF_NULL: refused */
};

enum sf_pool_act {
	SF_POOL_CREATE,
	SF_POOL_PROTECT,
	SF_POOL_UNPROTECT,
	SF_POOL_DESTROY, /* after the FREE of its objects */
};

struct sf_ev_pool {
	uint32_t pool;       /* SF_NONE: it could not be made */
	uint32_t res, refill;
	uint8_t act;         /* enum sf_pool_act */
	uint8_t mode;        /* enum sf_pool_mode */
	uint8_t status;      /* SF_NOTICED, SF_NULL: it was refused */
};

struct sf_ev_write {
	uint32_t id, res;
	uint64_t addr, size;
	uint8_t status;      /* SF_NOTICED: it faulted */
	/* Contents afterwards: first offset that is not as written, or (faulted) as before */
	uint64_t bad, verified;
};

struct sf_ev_rare {
	uint32_t pool;       /* named */
	uint32_t id, res;    /* of the object */
	uint64_t addr;       /* of the object */
	uint64_t offset, size; /* to be written, from there on */
	uint8_t status;      /* SF_NOTICED, SF_NULL: nothing was written */
	/*
	 * What a reader saw meanwhile (seen: 1 before the first store, 2 after the last, as bits):
	 * first offset of the object that was not as before, or not as after; or SF_GOOD.
	 */
	uint8_t seen;
	uint64_t before, after;
	uint64_t bad;        /* contents afterwards: first offset that is not what is due */
	uint64_t verified;
};

/* A misuse, as the program spelled it: an operation that taints. */
struct sf_ev_taint {
	uint8_t code;
};

/*
 * What a misuse can reach. Found by doing it: whatever holds other bytes afterwards was reached.
 * SF_REACH(X): X(IDENTIFIER, name, what it is)
 */
#define SF_REACH(X)                                                                               \
	X(NOTHING, "nothing", "no byte outside the object changed hands")                         \
	X(SLACK, "slack", "unowned bytes of a slot or page: padding, tails, free memory") \
	X(SAME_TYPE, "same type", "a live object of the same type")                               \
	X(SAME_PARTITION, "same partition", "a live object of another type in the same cache")    \
	X(OTHER_PARTITION, "another partition", "a live object of another cache")                 \
	X(POINTER, "pointer-bearing object", "a live object whose type has pointers")             \
	X(METADATA, "allocator metadata", "a free pointer, or a descriptor")                      \
	X(UNMAPPED, "unmapped", "an address that nothing is mapped at: a kernel would fault")     \
	X(POOLED, "object in a pool", "a live object of a pool, sealed or not")

enum sf_reach {
#define X(id, name, doc) SF_REACH_##id,
	SF_REACH(X)
#undef X
	SF_REACHES,
};

struct sf_ev_reach {
	uint8_t code;        /* operation */
	uint8_t what;        /* enum sf_reach; an object has one for each that is true of it */
	uint8_t partition;   /* of the victim's cache */
	uint16_t type;       /* of the victim, 0: unknown */
	uint32_t id, res;    /* of the victim, SF_NONE: no object */
	uint32_t cache;      /* of the victim or of the slab, SF_NONE */
	uint64_t addr, size; /* bytes that changed: from the first on, how many */
};

struct sf_ev_attack {
	uint8_t code;        /* operation */
	bool noticed;        /* the allocator refused it, or complained, in the same operation */
	uint32_t reached;    /* bits 1 << enum sf_reach */
	uint32_t res;        /* result that was misused */
	uint8_t partition;   /* of its cache */
	uint16_t type;       /* its type */
	uint32_t cache;      /* it lay in; SF_NONE */
	uint64_t addr, size; /* written, or freed (size 0) */
	uint64_t zero;       /* bytes that were written and had been zero */
};

struct sf_ev_slab {
	uint32_t cache;
	uint8_t order;
	uint8_t migratetype; /* of the page block it came from */
	uint16_t objects;
	uint32_t gfp;
	uint64_t pfn;
	uint64_t addr;       /* of its first object: in the direct map, or in the slab window */
	uint64_t dirty;      /* NEW, with init_on_free: offset of the first byte that is not zero
				before the free list is written, or SF_GOOD; not looked: SF_GOOD */
};

struct sf_ev_slaborder {
	uint32_t cache;
	uint16_t objects;
	uint64_t pfn;
	const uint16_t *index; /* of the objects, `objects` of them, first to be handed out first */
};

struct sf_ev_block {
	uint64_t pfn;
	uint8_t order;
	uint8_t migratetype; /* the list */
	bool tail;           /* ADD: at the tail */
};

enum sf_rmqueue_mode {
	SF_RMQUEUE_OWN,   /* from the lists of the type asked */
	SF_RMQUEUE_CLAIM, /* after claiming page blocks of another type */
	SF_RMQUEUE_STEAL, /* from another type's list, block type unchanged */
};

struct sf_ev_rmqueue {
	uint64_t pfn;         /* of the block returned */
	uint8_t order;        /* asked */
	uint8_t migratetype;  /* asked */
	uint8_t from_order;   /* of the block it was split from */
	uint8_t from_type;    /* of the list it came off */
	uint8_t mode;         /* enum sf_rmqueue_mode */
	bool nofragment;
	bool to_pcp;          /* refill of a per-CPU list, else for the caller */
};

struct sf_ev_claim {
	uint64_t pfn;         /* of the block that was found */
	uint8_t order;        /* of it */
	uint8_t from, to;     /* migrate types */
	bool whole;           /* order >= pageblock_order: all its page blocks change type */
	bool merge;           /* not a claim: page blocks retyped by a merge across types */
	bool release;         /* RESERVE: the reserve lets go of it */
	uint64_t start;       /* first pfn whose page block changed type */
	uint64_t nr_pages;    /* pages in the page blocks that changed */
	uint32_t free, alike; /* what the threshold was judged by (whole: 0) */
	uint8_t want;         /* order of the request */
};

/* How far a request had come when it got its pages (mm/page_alloc.c:__alloc_pages_slowpath). */
enum sf_attempt {
	SF_ATTEMPT_FIRST,     /* the mark is LOW, and kswapd has not been woken */
	SF_ATTEMPT_SLOW,      /* from here on it is MIN, and who may wake kswapd has */
	SF_ATTEMPT_RECLAIMED, /* right after a round of direct reclaim */
	SF_ATTEMPT_COMPACTED, /* right after direct compaction */
	SF_ATTEMPT_LAST,      /* before OOM, at HIGH, or where others give up: wakes nobody */
	SF_ATTEMPT_BULK,      /* alloc_pages_bulk(): asks for no mark, wakes nobody */
	SF_ATTEMPT_MOVE,      /* compaction moves something there */
	SF_ATTEMPTS,
};

struct sf_ev_page {
	uint64_t pfn;
	uint8_t order;
	uint8_t migratetype;  /* ALLOC: asked; FREE, DRAIN: of the page block */
	uint8_t list;         /* per-CPU list index, 0xff: none was involved */
	uint8_t cpu;
	uint32_t gfp;
	bool pcp;             /* through a per-CPU list */
	uint8_t attempt;      /* ALLOC: enum sf_attempt */
	bool reserve;         /* ALLOC: the caller's flags allow going below the mark */
	uint64_t free_before; /* ALLOC, not pcp: NR_FREE_PAGES before */
	uint64_t mark;        /* ALLOC, not pcp: the mark it was held against */
};

struct sf_ev_pagefail {
	uint8_t order;
	uint8_t migratetype;
	uint32_t gfp;
	uint64_t free, mark;
	bool refused;         /* order too large: never tried */
};

enum sf_oom_policy {
	SF_OOM_KERNEL,
	SF_OOM_FLUSH,
	SF_OOM_416,
};

struct sf_ev_oom {
	uint8_t policy;       /* enum sf_oom_policy: the setting */
	bool guess;           /* vm_enough_memory() refused; else an allocation gave up */
	uint8_t order, migratetype;
	uint32_t gfp;
	uint32_t memcg;       /* its limit was the reason; SF_NONE: the zone's memory */
	uint32_t rounds;      /* of reclaim, in this request */
	uint64_t free, mark;  /* NR_FREE_PAGES; what it was held against last */
	uint64_t pages;       /* guess: asked for */
	uint64_t guessed;     /* guess: pages that were taken to be there */
};

/* One call of a shrinker (mm/shrinker.c:do_shrink_slab). */
struct sf_ev_shrink {
	uint32_t cache;
	uint32_t memcg;       /* whose objects were looked at; SF_NONE: all */
	uint8_t priority;     /* 12 to 0; 0xff: not asked by reclaim */
	bool stopped;         /* SHRINK_STOP: the flags forbid it */
	uint64_t freeable;    /* objects, before */
	uint64_t deferred, delta, total; /* as trace_mm_shrink_slab_start has them */
	uint64_t scanned, freed;         /* objects */
};

enum sf_reclaim_kind {
	SF_RECLAIM_DIRECT,
	SF_RECLAIM_KSWAPD,
	SF_RECLAIM_MEMCG,
	SF_RECLAIM_SHRINK, /* shrink() */
};

struct sf_ev_reclaim {
	uint8_t kind;         /* enum sf_reclaim_kind */
	bool begin;           /* nothing below `memcg` is known yet */
	uint8_t order;
	uint32_t gfp, memcg;
	uint8_t priority;        /* the last that was tried */
	uint8_t passes;          /* from the mildest priority down: without progress, a second */
	bool ready;              /* given up: compaction can do the rest (compaction_ready) */
	uint64_t scanned, freed; /* objects */
	uint64_t progress;    /* pages that count as reclaimed (mm_account_reclaimed_pages) */
};

/* How hard compaction tries (include/linux/compaction.h: enum compact_priority). */
enum sf_compact_mode {
	SF_COMPACT_SYNC_FULL,  /* page blocks of any type are emptied, and filled */
	SF_COMPACT_SYNC_LIGHT, /* ... are emptied; movable ones are filled */
	SF_COMPACT_ASYNC,      /* only those of the request's type are emptied */
};

struct sf_ev_compact {
	int8_t order;         /* wanted; -1: as much as can be */
	bool begin;           /* nothing below `migratetype` is known yet */
	uint8_t mode;         /* enum sf_compact_mode */
	uint8_t migratetype;  /* of the request; order -1: nothing */
	uint32_t gfp;         /* likewise */
	bool skipped;         /* too little is free to work with: nothing was tried */
	bool success;         /* there is a block of that order now */
	uint64_t migrated, failed; /* pages */
};

struct sf_ev_grace {
	uint64_t nr;          /* grace periods that have ended, with this one */
	bool barrier;         /* rcu_barrier(): incomplete batches too */
};

struct sf_ev_charge {
	uint32_t memcg;
	bool uncharge, refused;
	uint64_t addr, bytes; /* refused: addr 0 */
};

enum sf_fault {
	SF_FAULT_SLAB, /* failslab */
	SF_FAULT_PAGE, /* fail_page_alloc */
	SF_FAULTS,
};

struct sf_ev_fault {
	uint8_t kind; /* enum sf_fault */
};

struct sf_ev_warn {
	const char *what; /* the kernel's words where it has some */
	uint64_t addr;
};

struct sf_ev_map {
	uint64_t addr, pages;
	const uint64_t *pfns; /* MAP: the pages behind it, `pages` of them */
	uint32_t pool;        /* the area is of this pool; 0: of none */
	/*
	 * UNMAP of a pool's area: offset of the first byte that is not zero in what goes back, or
	 * SF_GOOD
	 */
	uint64_t dirty;
};

enum sf_mapping_kind {
	SF_MAPPING_DIRECT, /* the direct map */
	SF_MAPPING_AREA,   /* the vmalloc window: areas of pools */
	SF_MAPPING_ALIAS,  /* the window of rare writes */
	SF_MAPPING_OTHER,  /* anywhere else */
};

/* A run of pages that one entry of /proc/self/maps has, or what it has of one window. */
struct sf_ev_mapping {
	uint8_t kind;        /* enum sf_mapping_kind */
	bool read, write, exec;
	uint64_t addr;       /* DIRECT, AREA: simulated; ALIAS: offset in its window; OTHER: 0 */
	uint64_t pfn, pages;
};

enum sf_maps_when {
	SF_MAPS_PROTECT,
	SF_MAPS_UNPROTECT,
	SF_MAPS_MIDST,     /* of a rare write: addr and size say of what */
	SF_MAPS_RARE,      /* ... after it, refused ones too if they got as far as a mapping */
	SF_MAPS_DESTROY,
	SF_MAPS_WALK,      /* in a snapshot */
};

struct sf_ev_maps {
	uint8_t when;        /* enum sf_maps_when */
	uint32_t pool;       /* WALK: 0 */
	uint32_t nr;         /* MAPPING events since the last MAPS */
	uint64_t addr, size;
};

struct sf_ev_snap {
	uint64_t managed;  /* pages the allocator manages */
	bool final;        /* after teardown: everything is given back */
};

struct sf_ev_snapcache {
	uint32_t cache;
	uint32_t refs;
	uint64_t nr_slabs, total_objects, nr_partial; /* the cache's counters */
	/* /proc/slabinfo's line as the allocator reports it */
	uint64_t active_objs, num_objs, objsize, objperslab, pagesperslab, active_slabs, num_slabs;
};

enum sf_slab_list {
	SF_SLAB_UNLISTED, /* on no list: full, or lost */
	SF_SLAB_PARTIAL,
	SF_SLAB_DEFERRED, /* empty, waits for a grace period; no longer its cache's */
};

enum sf_walk_error {
	SF_WALK_OK,
	SF_WALK_CYCLE,    /* more entries than objects */
	SF_WALK_OUTSIDE,  /* a pointer that leaves the slab */
	SF_WALK_UNALIGNED,/* a pointer that is no object's */
};

struct sf_ev_snapslab {
	uint32_t cache;
	uint64_t pfn;
	uint8_t order;
	uint8_t list;         /* enum sf_slab_list: where the walk found it */
	bool flag_partial;    /* what its descriptor says */
	uint8_t error;        /* enum sf_walk_error of the free list walk */
	uint32_t position;    /* on its list, 0 = head */
	uint32_t objects, inuse;
	uint32_t nr_free;     /* entries walked */
	const uint64_t *free; /* their addresses, in list order */
	uint64_t addr;        /* of its first object */
	/* freelist_hardened: the words as they are stored, `nr_free` of them; else NULL */
	const uint64_t *stored;
	/*
	 * init_on_free: address of the first byte of a free object, its free pointer apart, that is
	 * not zero, or SF_GOOD; not looked: SF_GOOD
	 */
	uint64_t unwiped;
};

enum sf_sheaf_kind {
	SF_SHEAF_MAIN,
	SF_SHEAF_SPARE,
	SF_SHEAF_RCU,
	SF_SHEAF_BARN,
	SF_SHEAF_PREFILLED, /* a caller has it */
	SF_SHEAF_KINDS,
};

struct sf_ev_snapsheaf {
	uint32_t cache;
	uint8_t kind; /* enum sf_sheaf_kind */
	uint8_t cpu;  /* barn, prefilled: 0xff */
	uint32_t nr, capacity;
	const uint64_t *objs;
	uint64_t unwiped;     /* as in a slab, of the objects parked here */
};

struct sf_ev_snapblock {
	uint64_t pfn;
	uint8_t order, list;  /* list: migrate type of the list it is on */
	uint8_t pageblock;    /* migrate type of its page block */
	uint32_t position;
};

struct sf_ev_snappcp {
	uint8_t cpu, list;    /* list index: 3 * order + type; 12, 13: order 9 */
	uint8_t order;
	uint32_t nr;
	const uint64_t *pfns;
	uint32_t count, high, batch; /* of the CPU's whole set */
};

struct sf_ev_snapused {
	uint64_t pfn;
	uint8_t order;
	uint8_t kind;         /* enum sf_place_kind; NOWHERE: neither free nor known */
};

struct sf_ev_snappb {
	uint64_t pfn;
	uint8_t migratetype;
};

struct sf_ev_snapmemcg {
	uint32_t id, parent;
	bool online;
	uint64_t usage, max;  /* bytes, with all below it */
	uint64_t failcnt;     /* charges that were refused */
};

/* Counter names are the kernel's, in pages. */
struct sf_ev_counters {
	uint64_t nr_free_pages, nr_slab_reclaimable, nr_slab_unreclaimable;
	uint64_t nr_free[SF_NR_ORDERS];  /* blocks by order, all types */
	uint64_t watermark_min, watermark_low, watermark_high, watermark_boost;
	uint64_t nr_free_highatomic, nr_highatomic; /* free pages, pages of the reserve */
	uint64_t indirect_bytes;    /* accounting=indirect: NR_INDIRECTLY_RECLAIMABLE_BYTES */
	uint64_t nr_kernel_misc_reclaimable;
	uint64_t mem_available;     /* si_mem_available() */
	uint64_t totalreserve;      /* totalreserve_pages */
	/* /proc/vmstat */
	uint64_t allocstall, pgscan_slab, pgsteal_slab, oom_kill, compact_stall, compact_success;
	uint64_t pgmigrate_success, drop_slab, slabs_scanned;
};

struct sf_ev_goodsize {
	uint64_t size, value;
};

struct sf_ev_trim {
	int32_t ret;
};

struct sf_ev_stats {
	uint64_t live, used, free, total, peak; /* struct sf_stats; UINT64_MAX: not known */
	bool final;        /* everything has been given back */
};

struct sf_ev_integrity {
	const char *what;  /* NULL: sound */
};

enum sf_user_heap_act {
	SF_HEAP_CREATE,
	SF_HEAP_ADD,
	SF_HEAP_REMOVE,
	SF_HEAP_DESTROY,
};

struct sf_ev_userheap {
	uint8_t act;       /* enum sf_user_heap_act */
	uint8_t status;    /* not OK: refused */
	uint32_t heap, region, res; /* ids; result number of its create or add */
	uint64_t addr;     /* where the block begins, 0: not known */
	uint64_t size;     /* of the block, as asked */
	uint32_t at;       /* bytes behind a page boundary at which it begins */
};

/* How a process ended. Its title is made where its report is read (harness/fuzz/crash.h). */
struct sf_ev_crash {
	uint8_t code;      /* operation in hand, 0: none */
	bool refusal;      /* an abort that the traits allow in this place: the program ends here */
	const char *title; /* kind, and the allocator's own frame */
};

struct sf_event {
	uint8_t type; /* enum sf_event_type */
	uint8_t cpu;
	uint32_t op;  /* index in the program, SF_NONE outside */
	union {
		struct sf_ev_heap heap;
		struct sf_ev_cache cache;
		struct sf_ev_ctype ctype;
		struct sf_ev_run run;
		struct sf_ev_alloc alloc;
		struct sf_ev_free free;
		struct sf_ev_ksize ksize;
		struct sf_ev_content content;
		struct sf_ev_cacheop cacheop;
		struct sf_ev_skip skip;
		struct sf_ev_owns owns;
		struct sf_ev_pin pin;
		struct sf_ev_defer defer;
		struct sf_ev_migrate migrate;
		struct sf_ev_memcg memcg;
		struct sf_ev_ask ask;
		struct sf_ev_pool pool;
		struct sf_ev_write write;
		struct sf_ev_rare rare;
		struct sf_ev_taint taint;
		struct sf_ev_reach reach;
		struct sf_ev_attack attack;
		struct sf_ev_slab slab;
		struct sf_ev_slaborder slaborder;
		struct sf_ev_block block;
		struct sf_ev_rmqueue rmqueue;
		struct sf_ev_claim claim;
		struct sf_ev_page page;
		struct sf_ev_pagefail pagefail;
		struct sf_ev_oom oom;
		struct sf_ev_shrink shrink;
		struct sf_ev_reclaim reclaim;
		struct sf_ev_compact compact;
		struct sf_ev_grace grace;
		struct sf_ev_charge charge;
		struct sf_ev_fault fault;
		struct sf_ev_warn warn;
		struct sf_ev_map map;
		struct sf_ev_mapping mapping;
		struct sf_ev_maps maps;
		struct sf_ev_snap snap;
		struct sf_ev_snapcache snapcache;
		struct sf_ev_snapslab snapslab;
		struct sf_ev_snapsheaf snapsheaf;
		struct sf_ev_snapblock snapblock;
		struct sf_ev_snappcp snappcp;
		struct sf_ev_snapused snapused;
		struct sf_ev_snappb snappb;
		struct sf_ev_snapmemcg snapmemcg;
		struct sf_ev_counters counters;
		struct sf_ev_pagesbulk pagesbulk;
		struct sf_ev_sheaf sheaf;
		struct sf_ev_goodsize goodsize;
		struct sf_ev_trim trim;
		struct sf_ev_stats stats;
		struct sf_ev_integrity integrity;
		struct sf_ev_userheap userheap;
		struct sf_ev_crash crash;
	};
};

/*
 * Where events go. `emit` may be called from inside any allocator function; it must not call back
 * into the allocator. An allocator sets type, cpu and payload; `op` is the executor's to fill in,
 * through `op` here, which it advances before each operation.
 */
struct sf_sink {
	void (*emit)(void *ctx, const struct sf_event *ev);
	void *ctx;
	uint32_t op;
};

#endif
