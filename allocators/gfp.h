/* SPDX-License-Identifier: MIT */
/*
 * gfp.h - the kernel's allocation and cache flags, as tables.
 *
 * Bit positions are those of Linux 7.2 (include/linux/gfp_types.h) so that raw numbers from
 * recordings mean the same here. Text, help and the trace reader derive their names from these
 * tables; an adapter to another kernel version maps bits, the rest of slabfuzz does not care.
 * Relies on nothing; everything relies on it.
 */
#ifndef SLABFUZZ_GFP_H
#define SLABFUZZ_GFP_H

#include <stdint.h>

/* SF_GFP_BITS(X): X(identifier, kernel name, bit). Order is the order in which text prints them. */
#define SF_GFP_BITS(X)                                      \
	X(DMA, "__GFP_DMA", 0)                              \
	X(HIGHMEM, "__GFP_HIGHMEM", 1)                      \
	X(DMA32, "__GFP_DMA32", 2)                          \
	X(MOVABLE, "__GFP_MOVABLE", 3)                      \
	X(RECLAIMABLE, "__GFP_RECLAIMABLE", 4)              \
	X(HIGH, "__GFP_HIGH", 5)                            \
	X(IO, "__GFP_IO", 6)                                \
	X(FS, "__GFP_FS", 7)                                \
	X(ZERO, "__GFP_ZERO", 8)                            \
	X(DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM", 10)       \
	X(KSWAPD_RECLAIM, "__GFP_KSWAPD_RECLAIM", 11)       \
	X(WRITE, "__GFP_WRITE", 12)                         \
	X(NOWARN, "__GFP_NOWARN", 13)                       \
	X(RETRY_MAYFAIL, "__GFP_RETRY_MAYFAIL", 14)         \
	X(NOFAIL, "__GFP_NOFAIL", 15)                       \
	X(NORETRY, "__GFP_NORETRY", 16)                     \
	X(MEMALLOC, "__GFP_MEMALLOC", 17)                   \
	X(COMP, "__GFP_COMP", 18)                           \
	X(NOMEMALLOC, "__GFP_NOMEMALLOC", 19)               \
	X(HARDWALL, "__GFP_HARDWALL", 20)                   \
	X(THISNODE, "__GFP_THISNODE", 21)                   \
	X(ACCOUNT, "__GFP_ACCOUNT", 22)

enum sf_gfp {
#define X(id, name, bit) SF_GFP_##id = 1u << (bit),
	SF_GFP_BITS(X)
#undef X
#define X(id, name, bit) | (1u << (bit))
	SF_GFP_ALL = 0 SF_GFP_BITS(X),
#undef X
	SF_GFP_RECLAIM = SF_GFP_DIRECT_RECLAIM | SF_GFP_KSWAPD_RECLAIM,
	SF_GFP_ATOMIC = SF_GFP_HIGH | SF_GFP_KSWAPD_RECLAIM,
	SF_GFP_NOWAIT = SF_GFP_KSWAPD_RECLAIM | SF_GFP_NOWARN,
	SF_GFP_NOIO = SF_GFP_RECLAIM,
	SF_GFP_NOFS = SF_GFP_RECLAIM | SF_GFP_IO,
	SF_GFP_KERNEL = SF_GFP_RECLAIM | SF_GFP_IO | SF_GFP_FS,
	SF_GFP_KERNEL_ACCOUNT = SF_GFP_KERNEL | SF_GFP_ACCOUNT,
	SF_GFP_USER = SF_GFP_KERNEL | SF_GFP_HARDWALL,
	SF_GFP_HIGHUSER = SF_GFP_USER | SF_GFP_HIGHMEM,
	SF_GFP_HIGHUSER_MOVABLE = SF_GFP_HIGHUSER | SF_GFP_MOVABLE,
};

/*
 * SF_GFP_NAMES(X): composite names, widest first: text takes the first whose bits are all set, then
 * the single bits that remain. `GFP_DMA` is not here: text spells it `__GFP_DMA`.
 */
#define SF_GFP_NAMES(X)                               \
	X(HIGHUSER_MOVABLE, "GFP_HIGHUSER_MOVABLE")   \
	X(HIGHUSER, "GFP_HIGHUSER")                   \
	X(USER, "GFP_USER")                           \
	X(KERNEL_ACCOUNT, "GFP_KERNEL_ACCOUNT")       \
	X(KERNEL, "GFP_KERNEL")                       \
	X(NOFS, "GFP_NOFS")                           \
	X(NOIO, "GFP_NOIO")                           \
	X(ATOMIC, "GFP_ATOMIC")                       \
	X(NOWAIT, "GFP_NOWAIT")

/*
 * SF_SLAB_FLAGS(X): cache flags of kmem_cache_create(): X(identifier, kernel name, bit). Bits are
 * our own (the kernel's depend on its configuration); recordings give names, never numbers.
 */
#define SF_SLAB_FLAGS(X)                                     \
	X(HWCACHE_ALIGN, "SLAB_HWCACHE_ALIGN", 0)            \
	X(CACHE_DMA, "SLAB_CACHE_DMA", 1)                    \
	X(CACHE_DMA32, "SLAB_CACHE_DMA32", 2)                \
	X(PANIC, "SLAB_PANIC", 3)                            \
	X(TYPESAFE_BY_RCU, "SLAB_TYPESAFE_BY_RCU", 4)        \
	X(NOLEAKTRACE, "SLAB_NOLEAKTRACE", 5)                \
	X(NO_MERGE, "SLAB_NO_MERGE", 6)                      \
	X(ACCOUNT, "SLAB_ACCOUNT", 7)                        \
	X(RECLAIM_ACCOUNT, "SLAB_RECLAIM_ACCOUNT", 8)        \
	X(TEMPORARY, "SLAB_TEMPORARY", 9)                    \
	X(CTOR, "SLAB_CTOR", 10)                             \
	X(KMALLOC, "SLAB_KMALLOC", 11)                       \
	X(NO_OBJ_EXT, "SLAB_NO_OBJ_EXT", 12)

/*
 * SLAB_CTOR stands for "has a constructor" (the kernel passes a function pointer). SLAB_KMALLOC and
 * SLAB_NO_OBJ_EXT are set by the allocator only. SLAB_TEMPORARY is RECLAIM_ACCOUNT by another name
 * (include/linux/slab.h) and is folded into it.
 */
enum sf_slab_flags {
#define X(id, name, bit) SF_SLAB_##id = 1u << (bit),
	SF_SLAB_FLAGS(X)
#undef X
#define X(id, name, bit) | (1u << (bit))
	SF_SLAB_ALL = 0 SF_SLAB_FLAGS(X),
#undef X
	/* What a program may pass; the other two are the allocator's own marks. */
	SF_SLAB_USER = SF_SLAB_ALL & ~(SF_SLAB_KMALLOC | SF_SLAB_NO_OBJ_EXT),
};

enum sf_migratetype {
	SF_MIGRATE_UNMOVABLE,
	SF_MIGRATE_MOVABLE,
	SF_MIGRATE_RECLAIMABLE,
	SF_MIGRATE_HIGHATOMIC,
	SF_MIGRATE_TYPES,
};

#endif
