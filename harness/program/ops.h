/* SPDX-License-Identifier: MIT */
/*
 * ops.h - the operations of a program: one table.
 *
 * Text form, byte form, help, documentation, liveness, fix-up, what generators and mutators draw,
 * and who carries it out are derived from SF_OPS. A new operation is a row here and the function
 * that the row names, in harness/exec. Codes are permanent and only ever appended: saved inputs
 * keep their meaning. Freestanding (a kernel driver compiles it too).
 */
#ifndef SLABFUZZ_OPS_H
#define SLABFUZZ_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What an argument is. Decides its text form, its width in a byte record, how it is fixed up and
 * how it is mutated. SF_ARGS(X): X(KIND, field of struct sf_op, bytes in a record, text form)
 */
#define SF_ARGS(X)                                                                   \
	X(OBJ, obj, 4, "result: an object, or NULL")                                 \
	X(OBJ2, obj2, 4, "result: a second object")                                  \
	X(PAGES, obj, 4, "result of alloc_pages()")                                  \
	X(EXACT, obj, 4, "result of alloc_pages_exact()")                            \
	X(BULK, obj, 4, "result of kmem_cache_alloc_bulk()")                         \
	X(CACHE, cache, 4, "result of kmem_cache_create()")                          \
	X(SIZE, size, 8, "bytes: decimal, 0x, SIZE_MAX, or SIZE_MAX-n")              \
	X(N, n, 8, "a count, like SIZE")                                             \
	X(GFP, gfp, 4, "gfp flags by name, joined with |")                           \
	X(SLAB_FLAGS, flags, 4, "cache flags by name, joined with |, or 0")          \
	X(ALIGN, align, 4, "a power of two, or 0")                                   \
	X(TYPE, type, 2, "a C type of `slabfuzz list types`")                        \
	X(SITE, site, 2, "call site number")                                         \
	X(ORDER, order, 1, "block order, 0 to 11 (11 is always refused)")            \
	X(CPU, cpu, 1, "CPU number")                                                 \
	X(COUNT, count, 2, "a small count")                                          \
	X(FAULT, fault, 1, "slab or page")                                           \
	X(NAME, name, 0, "a quoted string")                                          \
	X(BOOL, flag, 1, "0 or 1")                                                   \
	X(TOKEN, token, 1, "an alloc token, 0 to 15; left out: the type's")          \
	X(BUCKETS, obj2, 4, "result of kmem_buckets_create()")                       \
	X(DEVICE, cache, 4, "result of root_device_register()")                      \
	X(DEAD, obj, 4, "result: an object that was freed")                          \
	X(CACHE2, obj2, 4, "result of kmem_cache_create(), not the object's")        \
	X(SPAN, count, 2, "bytes, 1 to 65535")                                       \
	X(MEMCG, obj2, 4, "result of mem_cgroup_create(), or NULL: the root")        \
	X(PERCENT, cpu, 1, "0 to 100")                                               \
	X(MIN_ORDER, cpu, 1, "smallest order of a slab, 0 to 10")                    \
	X(POOL, cache, 4, "result of pmalloc_create_pool()")                         \
	X(MODE, fault, 1, "ro, wr, auto_ro, auto_wr or start_wr")                    \
	X(ERRNO, count, 2, "an error number, 1 to 4095")                             \
	X(PAGES_BULK, obj, 4, "result of alloc_pages_bulk()")                        \
	X(SHEAF, obj, 4, "result of kmem_cache_prefill_sheaf()")                     \
	X(UOBJ, obj, 4, "result: an object of user space, or NULL")                  \
	X(SIZED, obj, 4, "result of malloc(), calloc(), realloc() or reallocarray()") \
	X(ALIGNED, obj, 4, "result of aligned_alloc()")                              \
	X(HEAP, cache, 4, "result of heap_create(); left out: the first heap")       \
	X(HEAP2, obj2, 4, "result of heap_create(), not the object's")               \
	X(REGION, obj, 4, "result of heap_add()")                                    \
	X(ANY_ALIGN, align, 8, "any alignment, like SIZE")                     \
	X(AT, count, 2, "bytes behind a page boundary, 0 to 4095")                   \
	X(THREAD, cpu, 1, "thread number, 0 to 7")

enum sf_arg_kind {
	SF_ARG_END,
#define X(kind, field, width, doc) SF_ARG_##kind,
	SF_ARGS(X)
#undef X
	SF_ARG_KINDS,
};

/* What an operation leaves behind. */
enum sf_res_kind {
	SF_RES_NONE,
	SF_RES_OBJ,   /* kmalloc family, or kmem_cache_alloc */
	SF_RES_KV,    /* kvmalloc family: freed with kvfree */
	SF_RES_PAGES,
	SF_RES_EXACT,
	SF_RES_BULK,
	SF_RES_PAGES_BULK,
	SF_RES_USER,      /* malloc(), calloc(), realloc(), reallocarray() */
	SF_RES_ALIGNED,   /* aligned_alloc() */
	SF_RES_MEMALIGNED,/* posix_memalign(), memalign(): no sized form frees it */
	SF_RES_CACHE,
	SF_RES_BUCKETS,
	SF_RES_DEVICE,
	SF_RES_MEMCG,
	SF_RES_POOL,
	SF_RES_SHEAF,
	SF_RES_HEAP,
	SF_RES_REGION,
	SF_RES_KINDS,
};

enum sf_op_flags {
	SF_OPF_FREES = 1,   /* the result its OBJ/PAGES/EXACT/BULK names is dead afterwards */
	SF_OPF_MOVES = 2,   /* ... is dead if the operation succeeds (realloc) */
	SF_OPF_ZERO = 4,    /* adds __GFP_ZERO */
	SF_OPF_ARRAY = 8,   /* n * size is the allocator's to multiply */
	SF_OPF_NULL_OK = 16,/* its object may be NULL */
	SF_OPF_DECL = 32,   /* a declaration: nothing runs */
	SF_OPF_KV = 64,     /* its object may also come from the kvmalloc family */
	SF_OPF_FLEX = 128,  /* its type has a flexible array */
	SF_OPF_MISUSE = 256,/* a misuse: only with the setting misuse, and it taints the run */
	SF_OPF_DEVM = 512,  /* its object lies behind a struct devres, and dies with its device */
	SF_OPF_POOL = 1024, /* its object lies in a pool, and dies with it */
	SF_OPF_POOLED = 2048, /* its object may also lie in a pool */
	/* The cache, device, pool, heap or group that it names is dead afterwards, with theirs. */
	SF_OPF_ENDS = 4096,
	SF_OPF_OWN = 8192, /* its object begins where the allocator's does: none of a device */
};

/* POS: positional argument. KEY: `name=value`, left out when zero. */
#define SF_POS(kind, name) { SF_ARG_##kind, false, name }
#define SF_KEY(kind, name) { SF_ARG_##kind, true, name }
#define SF_SITE_TYPE SF_KEY(SITE, "site"), SF_KEY(TYPE, "type"), SF_KEY(TOKEN, "token")
#define SF_SITE SF_KEY(SITE, "site"), SF_KEY(TOKEN, "token")

/*
 * SF_OPS(X): X(code, IDENTIFIER, text name, result, handler, needs, weight, flags, what it does,
 *              arguments...)
 *
 * handler: exec_HANDLER() of harness/exec/ carries it out; forms of one call share it.
 * needs: capabilities (allocator.h) without which it is skipped, and the handler not called.
 * weight: how often generators take it, before the swarm has its say. There are many ways to spell
 *   kmalloc() and one to free it; named caches, devices and sets of buckets need several operations
 *   in a row to be of any use; a check looks at the whole heap, a set of buckets is thirteen caches
 *   each time; few allocators have pools, few heaps allow misuse. Words of the kernel and of user
 *   space are never drawn together.
 * flags: enum sf_op_flags.
 */
#define SF_OPS(X)                                                                                  \
	X(1, KMALLOC, "kmalloc", OBJ, kmalloc, 0, 3, 0, "allocate",                                \
	  SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)                                  \
	X(2, KZALLOC, "kzalloc", OBJ, kmalloc, 0, 3, SF_OPF_ZERO, "allocate, zeroed",              \
	  SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)                                  \
	X(3, KMALLOC_ARRAY, "kmalloc_array", OBJ, kmalloc, 0, 3, SF_OPF_ARRAY,                     \
	  "allocate n * size",                                                                     \
	  SF_POS(N, "n"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)                  \
	X(4, KCALLOC, "kcalloc", OBJ, kmalloc, 0, 3, SF_OPF_ARRAY | SF_OPF_ZERO,                   \
	  "allocate n * size, zeroed",                                                             \
	  SF_POS(N, "n"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)                  \
	X(5, KMALLOC_OBJ, "kmalloc_obj", OBJ, kmalloc_obj, 0, 3, 0,                                \
	  "allocate one object of a type", SF_POS(TYPE, "type"), SF_POS(GFP, "gfp"), SF_SITE)      \
	X(6, KZALLOC_OBJ, "kzalloc_obj", OBJ, kmalloc_obj, 0, 3, SF_OPF_ZERO,                      \
	  "allocate one object, zeroed", SF_POS(TYPE, "type"), SF_POS(GFP, "gfp"), SF_SITE)        \
	X(7, KMALLOC_OBJS, "kmalloc_objs", OBJ, kmalloc_objs, 0, 3, 0,                             \
	  "allocate n objects of a type, saturating",                                              \
	  SF_POS(TYPE, "type"), SF_POS(N, "n"), SF_POS(GFP, "gfp"), SF_SITE)                       \
	X(8, KZALLOC_OBJS, "kzalloc_objs", OBJ, kmalloc_objs, 0, 3, SF_OPF_ZERO,                   \
	  "allocate n objects, zeroed",                                                            \
	  SF_POS(TYPE, "type"), SF_POS(N, "n"), SF_POS(GFP, "gfp"), SF_SITE)                       \
	X(9, KMALLOC_FLEX, "kmalloc_flex", OBJ, kmalloc_flex, 0, 3, SF_OPF_FLEX,                   \
	  "allocate with a flexible array of n",                                                   \
	  SF_POS(TYPE, "type"), SF_POS(N, "n"), SF_POS(GFP, "gfp"), SF_SITE)                       \
	X(10, KZALLOC_FLEX, "kzalloc_flex", OBJ, kmalloc_flex, 0, 3, SF_OPF_ZERO | SF_OPF_FLEX,    \
	  "the same, zeroed", SF_POS(TYPE, "type"), SF_POS(N, "n"), SF_POS(GFP, "gfp"), SF_SITE)   \
	X(11, KREALLOC, "krealloc", OBJ, krealloc, SF_CAP_REALLOC, 3,                              \
	  SF_OPF_MOVES | SF_OPF_NULL_OK, "resize",                                                 \
	  SF_POS(OBJ, "p"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)                \
	X(12, KREALLOC_ARRAY, "krealloc_array", OBJ, krealloc, SF_CAP_REALLOC, 3,                  \
	  SF_OPF_MOVES | SF_OPF_NULL_OK | SF_OPF_ARRAY, "resize to n * size",                      \
	  SF_POS(OBJ, "p"), SF_POS(N, "n"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"),              \
	  SF_KEY(SITE, "site"))                                                                    \
	X(13, KFREE, "kfree", NONE, kfree, 0, 10, SF_OPF_FREES | SF_OPF_NULL_OK, "free",           \
	  SF_POS(OBJ, "p"))                                                                        \
	X(14, KFREE_SENSITIVE, "kfree_sensitive", NONE, kfree_sensitive, 0, 10,                    \
	  SF_OPF_FREES | SF_OPF_NULL_OK, "wipe and free", SF_POS(OBJ, "p"))                        \
	X(15, KSIZE, "ksize", NONE, ksize, SF_CAP_USABLE, 3,                                       \
	  SF_OPF_NULL_OK | SF_OPF_KV | SF_OPF_OWN,                                                 \
	  "ask for the usable size (of vmalloc memory there is none)", SF_POS(OBJ, "p"))           \
	X(16, KVMALLOC, "kvmalloc", KV, kvmalloc, SF_CAP_KVMALLOC, 3, 0,                           \
	  "allocate, falling back to vmalloc",                                                     \
	  SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)                                  \
	X(17, KVZALLOC, "kvzalloc", KV, kvmalloc, SF_CAP_KVMALLOC, 3, SF_OPF_ZERO,                 \
	  "the same, zeroed", SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)              \
	X(18, KVMALLOC_ARRAY, "kvmalloc_array", KV, kvmalloc, SF_CAP_KVMALLOC, 3, SF_OPF_ARRAY,    \
	  "kvmalloc of n * size",                                                                  \
	  SF_POS(N, "n"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)                  \
	X(19, KVCALLOC, "kvcalloc", KV, kvmalloc, SF_CAP_KVMALLOC, 3, SF_OPF_ARRAY | SF_OPF_ZERO,  \
	  "the same, zeroed",                                                                      \
	  SF_POS(N, "n"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)                  \
	X(20, KVREALLOC, "kvrealloc", KV, kvrealloc, SF_CAP_REALLOC | SF_CAP_KVMALLOC, 3,          \
	  SF_OPF_MOVES | SF_OPF_NULL_OK | SF_OPF_KV, "resize",                                     \
	  SF_POS(OBJ, "p"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)                \
	X(21, KVFREE, "kvfree", NONE, kvfree, SF_CAP_KVMALLOC, 10,                                 \
	  SF_OPF_FREES | SF_OPF_NULL_OK | SF_OPF_KV, "free what kvmalloc gave", SF_POS(OBJ, "p"))  \
	X(22, CACHE_CREATE, "kmem_cache_create", CACHE, cache_create, SF_CAP_CACHES, 14, 0,        \
	  "make a named cache",                                                                    \
	  SF_POS(NAME, "name"), SF_POS(SIZE, "size"), SF_POS(ALIGN, "align"),                      \
	  SF_POS(SLAB_FLAGS, "flags"), SF_KEY(COUNT, "usersize"), SF_KEY(ORDER, "sheaf"),          \
	  SF_KEY(MIN_ORDER, "min_order"))                                                          \
	X(23, CACHE_ALLOC, "kmem_cache_alloc", OBJ, cache_alloc, SF_CAP_CACHES, 14, 0,             \
	  "allocate from a cache", SF_POS(CACHE, "s"), SF_POS(GFP, "gfp"), SF_KEY(SITE, "site"))   \
	X(24, CACHE_ZALLOC, "kmem_cache_zalloc", OBJ, cache_alloc, SF_CAP_CACHES, 14, SF_OPF_ZERO, \
	  "the same, zeroed", SF_POS(CACHE, "s"), SF_POS(GFP, "gfp"), SF_KEY(SITE, "site"))        \
	X(25, CACHE_FREE, "kmem_cache_free", NONE, cache_free, SF_CAP_CACHES, 14, SF_OPF_FREES,    \
	  "free to its cache", SF_POS(CACHE, "s"), SF_POS(OBJ, "p"))                               \
	X(26, CACHE_ALLOC_BULK, "kmem_cache_alloc_bulk", BULK, cache_alloc_bulk,                   \
	  SF_CAP_CACHES | SF_CAP_BULK, 14, 0, "allocate n at once, or none",                       \
	  SF_POS(CACHE, "s"), SF_POS(GFP, "gfp"), SF_POS(COUNT, "n"))                              \
	X(27, CACHE_FREE_BULK, "kmem_cache_free_bulk", NONE, cache_free_bulk,                      \
	  SF_CAP_CACHES | SF_CAP_BULK, 14, SF_OPF_FREES, "free all of a bulk",                     \
	  SF_POS(CACHE, "s"), SF_POS(BULK, "p"))                                                   \
	X(28, CACHE_SHRINK, "kmem_cache_shrink", NONE, cache_shrink, SF_CAP_CACHES, 2, 0,          \
	  "flush sheaves, free empty slabs", SF_POS(CACHE, "s"))                                   \
	X(29, CACHE_DESTROY, "kmem_cache_destroy", NONE, cache_destroy, SF_CAP_CACHES, 1,          \
	  SF_OPF_ENDS, "destroy a cache", SF_POS(CACHE, "s"))                                      \
	X(30, ALLOC_PAGES, "alloc_pages", PAGES, alloc_pages, SF_CAP_PAGES, 6, 0,                  \
	  "allocate 2^order pages", SF_POS(GFP, "gfp"), SF_POS(ORDER, "order"))                    \
	X(31, FREE_PAGES, "__free_pages", NONE, free_pages, 0, 10, SF_OPF_FREES, "free them",      \
	  SF_POS(PAGES, "p"))                                                                      \
	X(32, ALLOC_EXACT, "alloc_pages_exact", EXACT, alloc_exact, SF_CAP_EXACT, 6, 0,            \
	  "allocate pages, give back the tail", SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"))          \
	X(33, FREE_EXACT, "free_pages_exact", NONE, free_pages, 0, 10, SF_OPF_FREES, "free them",  \
	  SF_POS(EXACT, "p"))                                                                      \
	X(34, CPU, "cpu", NONE, cpu, SF_CAP_CPUS, 6, 0, "go on on another CPU",                    \
	  SF_POS(CPU, "cpu"))                                                                      \
	X(35, FAIL, "fail", NONE, fail, SF_CAP_FAIL, 2, 0, "make a later request fail",            \
	  SF_POS(FAULT, "what"), SF_KEY(COUNT, "after"))                                           \
	X(36, DRAIN, "drain_all_pages", NONE, drain, SF_CAP_DRAIN, 2, 0,                           \
	  "empty the per-CPU page lists")                                                          \
	X(37, CHECK, "check", NONE, check, 0, 1, 0, "snapshot, and every oracle looks at it")      \
	X(38, WRITE, "write", NONE, write, SF_CAP_CONTENTS, 3, SF_OPF_KV | SF_OPF_POOLED,          \
	  "write new contents", SF_POS(OBJ, "p"), SF_KEY(BOOL, "whole"))                           \
	X(39, VERIFY, "verify", NONE, verify, SF_CAP_CONTENTS, 3, SF_OPF_KV | SF_OPF_POOLED,       \
	  "verify contents", SF_POS(OBJ, "p"), SF_KEY(BOOL, "whole"))                              \
	X(40, OWNS, "owns", NONE, owns, SF_CAP_RECLAIM, 16, SF_OPF_KV,                             \
	  "the second goes when the first goes", SF_POS(OBJ, "a"), SF_POS(OBJ2, "b"))              \
	X(41, SITE, "site", NONE, nothing, 0, 1, SF_OPF_DECL, "name a call site",                  \
	  SF_POS(SITE, "site"), SF_POS(NAME, "symbol"))                                            \
	X(42, KVMALLOC_OBJ, "kvmalloc_obj", KV, kmalloc_obj, SF_CAP_KVMALLOC, 3, 0,                \
	  "kvmalloc of one object of a type", SF_POS(TYPE, "type"), SF_POS(GFP, "gfp"), SF_SITE)   \
	X(43, KVZALLOC_OBJ, "kvzalloc_obj", KV, kmalloc_obj, SF_CAP_KVMALLOC, 3, SF_OPF_ZERO,      \
	  "the same, zeroed", SF_POS(TYPE, "type"), SF_POS(GFP, "gfp"), SF_SITE)                   \
	X(44, KVMALLOC_OBJS, "kvmalloc_objs", KV, kmalloc_objs, SF_CAP_KVMALLOC, 3, 0,             \
	  "kvmalloc of n objects, saturating",                                                     \
	  SF_POS(TYPE, "type"), SF_POS(N, "n"), SF_POS(GFP, "gfp"), SF_SITE)                       \
	X(45, KVZALLOC_OBJS, "kvzalloc_objs", KV, kmalloc_objs, SF_CAP_KVMALLOC, 3, SF_OPF_ZERO,   \
	  "the same, zeroed", SF_POS(TYPE, "type"), SF_POS(N, "n"), SF_POS(GFP, "gfp"), SF_SITE)   \
	X(46, KVMALLOC_FLEX, "kvmalloc_flex", KV, kmalloc_flex, SF_CAP_KVMALLOC, 3, SF_OPF_FLEX,   \
	  "kvmalloc with a flexible array of n",                                                   \
	  SF_POS(TYPE, "type"), SF_POS(N, "n"), SF_POS(GFP, "gfp"), SF_SITE)                       \
	X(47, KVZALLOC_FLEX, "kvzalloc_flex", KV, kmalloc_flex, SF_CAP_KVMALLOC, 3,                \
	  SF_OPF_ZERO | SF_OPF_FLEX, "the same, zeroed",                                           \
	  SF_POS(TYPE, "type"), SF_POS(N, "n"), SF_POS(GFP, "gfp"), SF_SITE)                       \
	X(48, BUCKETS_CREATE, "kmem_buckets_create", BUCKETS, buckets_create, SF_CAP_BUCKETS, 2,   \
	  0, "make a dedicated set of classes",                                                    \
	  SF_POS(NAME, "name"), SF_POS(SLAB_FLAGS, "flags"), SF_KEY(COUNT, "usersize"))            \
	X(49, BUCKETS_ALLOC, "kmem_buckets_alloc", OBJ, buckets_alloc, SF_CAP_BUCKETS, 8, 0,       \
	  "allocate from a set",                                                                   \
	  SF_POS(BUCKETS, "b"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)            \
	X(50, BUCKETS_VALLOC, "kmem_buckets_valloc", KV, buckets_valloc,                           \
	  SF_CAP_BUCKETS | SF_CAP_KVMALLOC, 8, 0, "allocate from a set, falling back to vmalloc",  \
	  SF_POS(BUCKETS, "b"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)            \
	X(51, KMALLOC_NOLOCK, "kmalloc_nolock", OBJ, kmalloc_nolock, SF_CAP_NOLOCK, 3, 0,          \
	  "allocate in any context", SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"), SF_SITE_TYPE)       \
	X(52, KFREE_NOLOCK, "kfree_nolock", NONE, kfree_nolock, SF_CAP_NOLOCK, 10,                 \
	  SF_OPF_FREES | SF_OPF_NULL_OK, "free in any context; init_on_free does not wipe",        \
	  SF_POS(OBJ, "p"))                                                                        \
	X(53, DEVICE_REGISTER, "root_device_register", DEVICE, device_register, 0, 8, 0,           \
	  "a device that owns memory", SF_POS(NAME, "name"))                                       \
	X(54, DEVICE_UNREGISTER, "root_device_unregister", NONE, device_unregister, 0, 6,          \
	  SF_OPF_ENDS, "the device goes, and all its memory, last first", SF_POS(DEVICE, "dev"))   \
	X(55, DEVM_KMALLOC, "devm_kmalloc", OBJ, devm_kmalloc, 0, 8, SF_OPF_DEVM,                  \
	  "allocate for a device",                                                                 \
	  SF_POS(DEVICE, "dev"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"))                         \
	X(56, DEVM_KZALLOC, "devm_kzalloc", OBJ, devm_kmalloc, 0, 8, SF_OPF_DEVM | SF_OPF_ZERO,    \
	  "the same, zeroed", SF_POS(DEVICE, "dev"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"))     \
	X(57, DEVM_KMALLOC_ARRAY, "devm_kmalloc_array", OBJ, devm_kmalloc_array, 0, 8,             \
	  SF_OPF_DEVM, "allocate n * size for a device, or NULL if that overflows",                \
	  SF_POS(DEVICE, "dev"), SF_POS(N, "n"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"))         \
	X(58, DEVM_KCALLOC, "devm_kcalloc", OBJ, devm_kmalloc_array, 0, 8,                         \
	  SF_OPF_DEVM | SF_OPF_ZERO, "the same, zeroed",                                           \
	  SF_POS(DEVICE, "dev"), SF_POS(N, "n"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"))         \
	X(59, DEVM_KREALLOC, "devm_krealloc", OBJ, devm_krealloc, 0, 8,                            \
	  SF_OPF_DEVM | SF_OPF_MOVES | SF_OPF_NULL_OK, "resize memory of a device",                \
	  SF_POS(DEVICE, "dev"), SF_POS(OBJ, "p"), SF_POS(SIZE, "size"), SF_POS(GFP, "gfp"))       \
	X(60, DEVM_KFREE, "devm_kfree", NONE, devm_kfree, 0, 8, SF_OPF_DEVM | SF_OPF_FREES,        \
	  "free before its device", SF_POS(DEVICE, "dev"), SF_POS(OBJ, "p"))                       \
	X(61, OVERFLOW, "overflow", NONE, misuse, SF_CAP_MISUSE, 20, SF_OPF_MISUSE | SF_OPF_KV,    \
	  "misuse: write n bytes from the end of an object on",                                    \
	  SF_POS(OBJ, "p"), SF_POS(SPAN, "n"))                                                     \
	X(62, UNDERFLOW, "underflow", NONE, misuse, SF_CAP_MISUSE, 20, SF_OPF_MISUSE | SF_OPF_KV,  \
	  "misuse: write the n bytes before an object", SF_POS(OBJ, "p"), SF_POS(SPAN, "n"))       \
	X(63, STALE_WRITE, "stale_write", NONE, misuse, SF_CAP_MISUSE, 20, SF_OPF_MISUSE,          \
	  "misuse: write the first n bytes of an object that was freed",                           \
	  SF_POS(DEAD, "p"), SF_POS(SPAN, "n"))                                                    \
	X(64, DOUBLE_FREE, "double_free", NONE, misuse, SF_CAP_MISUSE, 20, SF_OPF_MISUSE,          \
	  "misuse: free an object that was freed", SF_POS(DEAD, "p"))                              \
	X(65, INNER_FREE, "inner_free", NONE, misuse, SF_CAP_MISUSE, 20, SF_OPF_MISUSE,            \
	  "misuse: kfree of n bytes into an object", SF_POS(OBJ, "p"), SF_POS(SPAN, "n"))          \
	X(66, WRONG_CACHE_FREE, "wrong_cache_free", NONE, misuse, SF_CAP_MISUSE | SF_CAP_CACHES,   \
	  80, SF_OPF_MISUSE | SF_OPF_FREES, "misuse: kmem_cache_free of another cache's object",   \
	  SF_POS(OBJ, "p"), SF_POS(CACHE2, "s"))                                                   \
	X(67, KFREE_RCU, "kfree_rcu", NONE, kfree_rcu, SF_CAP_RCU, 10,                             \
	  SF_OPF_FREES | SF_OPF_NULL_OK, "free after a grace period", SF_POS(OBJ, "p"))            \
	X(68, GRACE_PERIOD, "grace_period", NONE, grace_period, SF_CAP_RCU, 4, 0,                  \
	  "a grace period ends")                                                                   \
	X(69, RCU_BARRIER, "kvfree_rcu_barrier", NONE, rcu_barrier, SF_CAP_RCU, 2, 0,              \
	  "all that is deferred is freed")                                                         \
	X(70, PIN, "pin", NONE, pin, SF_CAP_RECLAIM, 3, SF_OPF_KV,                                 \
	  "hold a reference: reclaim keeps off", SF_POS(OBJ, "p"))                                 \
	X(71, UNPIN, "unpin", NONE, pin, SF_CAP_RECLAIM, 3, SF_OPF_KV, "let go of it",             \
	  SF_POS(OBJ, "p"))                                                                        \
	X(72, SHRINKER, "shrinker", NONE, shrinker, SF_CAP_RECLAIM, 14, 0,                         \
	  "how the shrinker of a cache works",                                                     \
	  SF_POS(CACHE, "s"), SF_KEY(ORDER, "seeks"), SF_KEY(COUNT, "batch"), SF_KEY(BOOL, "rcu")) \
	X(73, SHRINK, "shrink", NONE, shrink_all, SF_CAP_RECLAIM, 3, 0,                            \
	  "every shrinker frees up to n objects", SF_POS(N, "n"))                                  \
	X(74, KSWAPD, "kswapd", NONE, kswapd, SF_CAP_RECLAIM, 3, 0,                                \
	  "kswapd runs until the zone is balanced")                                                \
	X(75, COMPACT, "compact_memory", NONE, compact, SF_CAP_COMPACT, 2, 0,                      \
	  "movable pages move together")                                                           \
	X(76, MEMCG_CREATE, "mem_cgroup_create", MEMCG, memcg_create, SF_CAP_MEMCG, 3,             \
	  SF_OPF_NULL_OK, "make a memory cgroup", SF_POS(MEMCG, "parent"), SF_KEY(SIZE, "max"))    \
	X(77, MEMCG_SET, "set_active_memcg", NONE, memcg_set, SF_CAP_MEMCG, 3, SF_OPF_NULL_OK,     \
	  "charge it for what follows", SF_POS(MEMCG, "memcg"))                                    \
	X(78, MEMCG_DESTROY, "mem_cgroup_destroy", NONE, memcg_destroy, SF_CAP_MEMCG, 3,           \
	  SF_OPF_ENDS, "its charges become its parent's", SF_POS(MEMCG, "memcg"))                  \
	X(79, FAULT_ATTR, "fault_attr", NONE, fault_attr, SF_CAP_FAULT_ATTR, 2, 0,                 \
	  "make later requests fail, as debugfs does",                                             \
	  SF_POS(FAULT, "what"), SF_KEY(PERCENT, "probability"), SF_KEY(COUNT, "interval"),        \
	  SF_KEY(N, "times"), SF_KEY(SIZE, "space"), SF_KEY(ORDER, "min_order"),                   \
	  SF_KEY(BOOL, "wait"))                                                                    \
	X(80, VM_ENOUGH_MEMORY, "vm_enough_memory", NONE, vm_enough_memory, SF_CAP_OVERCOMMIT, 3,  \
	  0, "a process asks for n pages of its own: may it?", SF_POS(N, "n"))                     \
	X(81, POOL_CREATE, "pmalloc_create_pool", POOL, pool_create, SF_CAP_POOLS, 4, 0,           \
	  "make a pool of memory to be sealed", SF_POS(MODE, "mode"), SF_KEY(COUNT, "refill"))     \
	X(82, PMALLOC, "pmalloc", OBJ, pmalloc, SF_CAP_POOLS, 4, SF_OPF_POOL,                      \
	  "allocate from a pool", SF_POS(POOL, "pool"), SF_POS(SIZE, "size"))                      \
	X(83, PZALLOC, "pzalloc", OBJ, pmalloc, SF_CAP_POOLS, 2, SF_OPF_POOL | SF_OPF_ZERO,        \
	  "the same, zeroed", SF_POS(POOL, "pool"), SF_POS(SIZE, "size"))                          \
	X(84, PMALLOC_ARRAY, "pmalloc_array", OBJ, pmalloc, SF_CAP_POOLS, 4,                       \
	  SF_OPF_POOL | SF_OPF_ARRAY, "allocate n * size from a pool",                             \
	  SF_POS(POOL, "pool"), SF_POS(N, "n"), SF_POS(SIZE, "size"))                              \
	X(85, PCALLOC, "pcalloc", OBJ, pmalloc, SF_CAP_POOLS, 2,                                   \
	  SF_OPF_POOL | SF_OPF_ARRAY | SF_OPF_ZERO, "the same, zeroed",                            \
	  SF_POS(POOL, "pool"), SF_POS(N, "n"), SF_POS(SIZE, "size"))                              \
	X(86, POOL_PROTECT, "pmalloc_protect_pool", NONE, pool_protect, SF_CAP_POOLS, 10, 0,       \
	  "seal what is in a pool", SF_POS(POOL, "pool"))                                          \
	X(87, POOL_UNPROTECT, "pmalloc_unprotect_pool", NONE, pool_protect, SF_CAP_POOLS, 4, 0,    \
	  "make it modifiable again, if its mode allows", SF_POS(POOL, "pool"))                    \
	X(88, POOL_DESTROY, "pmalloc_destroy_pool", NONE, pool_destroy, SF_CAP_POOLS, 2,           \
	  SF_OPF_ENDS, "the pool goes, and all in it", SF_POS(POOL, "pool"))                       \
	X(89, RARE_WRITE, "pmalloc_rare_write", NONE, rare_write, SF_CAP_POOLS, 10, SF_OPF_POOL,   \
	  "new contents through a second mapping: n bytes (0: the rest) from `off` on",            \
	  SF_POS(POOL, "pool"), SF_POS(OBJ, "p"), SF_KEY(COUNT, "off"), SF_KEY(SIZE, "n"))         \
	X(90, DIRECTMAP_WRITE, "directmap_write", NONE, misuse, SF_CAP_MISUSE | SF_CAP_POOLS, 80,  \
	  SF_OPF_MISUSE | SF_OPF_POOL,                                                             \
	  "misuse: write the first n bytes of a pool's object through the direct map",             \
	  SF_POS(OBJ, "p"), SF_POS(SPAN, "n"))                                                     \
	X(91, KREALLOC_NODE_ALIGN, "krealloc_node_align", OBJ, krealloc_node_align,                \
	  SF_CAP_REALLOC | SF_CAP_REALLOC_ALIGN, 3, SF_OPF_MOVES | SF_OPF_NULL_OK,                 \
	  "resize; it stays where it is only if it is aligned there",                              \
	  SF_POS(OBJ, "p"), SF_POS(SIZE, "size"), SF_POS(ALIGN, "align"), SF_POS(GFP, "gfp"),      \
	  SF_SITE_TYPE)                                                                            \
	X(92, KFREE_ERR_PTR, "kfree_err_ptr", NONE, kfree_err_ptr, SF_CAP_ERR_PTR, 2, 0,           \
	  "kfree(ERR_PTR(-errno)): nothing is freed, and it is complained about",                  \
	  SF_POS(ERRNO, "errno"))                                                                  \
	X(93, ALLOC_PAGES_BULK, "alloc_pages_bulk", PAGES_BULK, alloc_pages_bulk,                  \
	  SF_CAP_PAGES | SF_CAP_PAGES_BULK, 3, 0,                                                  \
	  "allocate up to n single pages; every so many-th entry of the array is full already",    \
	  SF_POS(GFP, "gfp"), SF_POS(COUNT, "n"), SF_KEY(ORDER, "full"))                           \
	X(94, FREE_PAGES_BULK, "free_pages_bulk", NONE, free_pages_bulk, 0, 6, SF_OPF_FREES,      \
	  "free them, one by one", SF_POS(PAGES_BULK, "p"))                                        \
	X(95, PREFILL_SHEAF, "kmem_cache_prefill_sheaf", SHEAF, prefill_sheaf,                     \
	  SF_CAP_CACHES | SF_CAP_SHEAVES, 6, 0, "set n objects of a cache aside",                 \
	  SF_POS(CACHE, "s"), SF_POS(GFP, "gfp"), SF_POS(COUNT, "n"))                              \
	X(96, ALLOC_FROM_SHEAF, "kmem_cache_alloc_from_sheaf", OBJ, alloc_from_sheaf,              \
	  SF_CAP_CACHES | SF_CAP_SHEAVES, 12, 0, "allocate one of them",                           \
	  SF_POS(CACHE, "s"), SF_POS(GFP, "gfp"), SF_POS(SHEAF, "sheaf"), SF_KEY(SITE, "site"))    \
	X(97, REFILL_SHEAF, "kmem_cache_refill_sheaf", NONE, refill_sheaf,                         \
	  SF_CAP_CACHES | SF_CAP_SHEAVES, 7, 0, "have n of them again",                            \
	  SF_POS(CACHE, "s"), SF_POS(GFP, "gfp"), SF_POS(SHEAF, "sheaf"), SF_POS(COUNT, "n"))      \
	X(98, RETURN_SHEAF, "kmem_cache_return_sheaf", NONE, return_sheaf,                         \
	  SF_CAP_CACHES | SF_CAP_SHEAVES, 7, SF_OPF_FREES, "let go of those that are left",        \
	  SF_POS(CACHE, "s"), SF_POS(GFP, "gfp"), SF_POS(SHEAF, "sheaf"))                          \
	X(99, MALLOC, "malloc", USER, user_alloc, SF_CAP_MALLOC, 12, 0, "allocate (user space)",   \
	  SF_POS(SIZE, "size"), SF_KEY(HEAP, "heap"))                                              \
	X(100, CALLOC, "calloc", USER, user_alloc, SF_CAP_MALLOC | SF_CAP_CALLOC, 8,               \
	  SF_OPF_ARRAY | SF_OPF_ZERO, "allocate n * size, zeroed",                                 \
	  SF_POS(N, "n"), SF_POS(SIZE, "size"), SF_KEY(HEAP, "heap"))                              \
	X(101, REALLOC, "realloc", USER, user_realloc, SF_CAP_MALLOC | SF_CAP_REALLOC, 14,         \
	  SF_OPF_MOVES | SF_OPF_NULL_OK, "resize, in the object's own heap",                       \
	  SF_POS(UOBJ, "p"), SF_POS(SIZE, "size"))                                                 \
	X(102, REALLOCARRAY, "reallocarray", USER, user_realloc,                                   \
	  SF_CAP_MALLOC | SF_CAP_REALLOC | SF_CAP_REALLOCARRAY, 5,                                 \
	  SF_OPF_MOVES | SF_OPF_NULL_OK | SF_OPF_ARRAY, "resize to n * size",                      \
	  SF_POS(UOBJ, "p"), SF_POS(N, "n"), SF_POS(SIZE, "size"))                                 \
	X(103, ALIGNED_ALLOC, "aligned_alloc", ALIGNED, user_alloc,                                \
	  SF_CAP_MALLOC | SF_CAP_ALIGNED_ALLOC, 6, 0, "allocate, aligned",                         \
	  SF_POS(ANY_ALIGN, "align"), SF_POS(SIZE, "size"), SF_KEY(HEAP, "heap"))                  \
	X(104, POSIX_MEMALIGN, "posix_memalign", MEMALIGNED, user_alloc,                           \
	  SF_CAP_MALLOC | SF_CAP_POSIX_MEMALIGN, 6, 0,                                             \
	  "allocate, aligned; the error is returned, and the pointer left alone then",             \
	  SF_POS(ANY_ALIGN, "align"), SF_POS(SIZE, "size"), SF_KEY(HEAP, "heap"))                  \
	X(105, MEMALIGN, "memalign", MEMALIGNED, user_alloc, SF_CAP_MALLOC | SF_CAP_MEMALIGN, 5,   \
	  0,                                                                                       \
	  "allocate, aligned (before POSIX)",                                                      \
	  SF_POS(ANY_ALIGN, "align"), SF_POS(SIZE, "size"), SF_KEY(HEAP, "heap"))                  \
	X(106, FREE, "free", NONE, user_free, SF_CAP_MALLOC, 30, SF_OPF_FREES | SF_OPF_NULL_OK,    \
	  "free, to the object's own heap", SF_POS(UOBJ, "p"))                                     \
	X(107, FREE_SIZED, "free_sized", NONE, user_free, SF_CAP_MALLOC | SF_CAP_FREE_SIZED, 8,    \
	  SF_OPF_FREES | SF_OPF_NULL_OK, "free, with the size that was asked for",                 \
	  SF_POS(SIZED, "p"))                                                                      \
	X(108, FREE_ALIGNED_SIZED, "free_aligned_sized", NONE, user_free,                          \
	  SF_CAP_MALLOC | SF_CAP_FREE_ALIGNED, 8, SF_OPF_FREES | SF_OPF_NULL_OK,                   \
	  "free, with the alignment and size that were asked for", SF_POS(ALIGNED, "p"))           \
	X(109, MALLOC_USABLE_SIZE, "malloc_usable_size", NONE, malloc_usable_size,                 \
	  SF_CAP_MALLOC | SF_CAP_USABLE, 4, SF_OPF_NULL_OK, "ask for the usable size",             \
	  SF_POS(UOBJ, "p"))                                                                       \
	X(110, MALLOC_GOOD_SIZE, "malloc_good_size", NONE, malloc_good_size,                       \
	  SF_CAP_MALLOC | SF_CAP_GOOD_SIZE, 3, 0, "ask what a request would get",                  \
	  SF_POS(SIZE, "size"))                                                                    \
	X(111, HEAP_CREATE, "heap_create", HEAP, user_heap_create, SF_CAP_MALLOC | SF_CAP_HEAPS,   \
	  4,                                                                                       \
	  0, "one more heap, in a block of that size and place", SF_POS(SIZE, "size"),             \
	  SF_KEY(AT, "at"))                                                                        \
	X(112, HEAP_ADD, "heap_add", REGION, user_heap_add,                                        \
	  SF_CAP_MALLOC | SF_CAP_HEAPS | SF_CAP_REGIONS, 4, 0, "a further block for a heap",       \
	  SF_POS(HEAP, "heap"), SF_POS(SIZE, "size"), SF_KEY(AT, "at"))                            \
	X(113, HEAP_REMOVE, "heap_remove", NONE, user_heap_remove,                                 \
	  SF_CAP_MALLOC | SF_CAP_HEAPS | SF_CAP_REGIONS, 2, SF_OPF_FREES,                          \
	  "take it away again; refused while it is in use", SF_POS(REGION, "region"))              \
	X(114, HEAP_DESTROY, "heap_destroy", NONE, user_heap_destroy,                              \
	  SF_CAP_MALLOC | SF_CAP_HEAPS,                                                            \
	  2, SF_OPF_ENDS, "the heap goes, and all in it", SF_POS(HEAP, "heap"))                    \
	X(115, THREAD, "thread", NONE, thread, SF_CAP_MALLOC | SF_CAP_THREADS, 4, 0,               \
	  "go on on another thread", SF_POS(THREAD, "thread"))                                     \
	X(116, MALLOC_TRIM, "malloc_trim", NONE, malloc_trim, SF_CAP_MALLOC | SF_CAP_TRIM, 1, 0,   \
	  "give free memory back, but for so many bytes", SF_POS(SIZE, "pad"))                     \
	X(117, MALLOC_STATS, "malloc_stats", NONE, malloc_stats, SF_CAP_MALLOC | SF_CAP_STATS,     \
	  2, 0,                                                                                    \
	  "the allocator's own counts")                                                            \
	X(118, MALLOC_CHECK, "malloc_check", NONE, malloc_check, SF_CAP_MALLOC | SF_CAP_INTEGRITY, \
	  1, 0, "the allocator looks at itself")                                                   \
	X(119, HEAP_FREE, "heap_free", NONE, misuse,                                               \
	  SF_CAP_MALLOC | SF_CAP_HEAPS | SF_CAP_MISUSE, 20, SF_OPF_MISUSE | SF_OPF_FREES,          \
	  "misuse: free an object to a heap that it is not of", SF_POS(UOBJ, "p"),                 \
	  SF_POS(HEAP2, "heap"))                                                                   \
	X(122, HEAP_REALLOC, "heap_realloc", NONE, misuse,                                         \
	  SF_CAP_MALLOC | SF_CAP_HEAPS | SF_CAP_REALLOC | SF_CAP_MISUSE, 20,                       \
	  SF_OPF_MISUSE | SF_OPF_FREES, "misuse: resize an object in a heap that it is not of",    \
	  SF_POS(UOBJ, "p"), SF_POS(HEAP2, "heap"), SF_POS(SIZE, "size"))                          \
	X(123, WILD_FREE, "wild_free", NONE, misuse, SF_CAP_MALLOC | SF_CAP_MISUSE, 20,            \
	  SF_OPF_MISUSE, "misuse: free n bytes into memory that was never handed out",             \
	  SF_POS(SPAN, "n"))                                                                       \
	X(124, STRANGE_FREE, "strange_free", NONE, misuse, SF_CAP_MALLOC | SF_CAP_MISUSE, 20,      \
	  SF_OPF_MISUSE, "misuse: free n bytes that the C library's own malloc() gave",            \
	  SF_POS(SPAN, "n"))

#define SF_TOKENS_MAX 16u /* alloc tokens are below it */

/* Codes of records that are no operations (bytes.c). Never an sf_op code. */
#define SF_CODE_SETTING 120 /* a heap setting; only in front of the first operation */
#define SF_CODE_STRING 121  /* text that continues the record before it */
#define SF_CODE_MAX 127

enum sf_opcode {
	SF_OP_NOP,
#define X(code, id, ...) SF_OP_##id = (code),
	SF_OPS(X)
#undef X
};

#define SF_OP_ARGS_MAX 8

struct sf_arg_info {
	uint8_t kind; /* enum sf_arg_kind */
	bool key;
	const char *name;
};

struct sf_op_info {
	const char *name; /* NULL: no operation has this code */
	uint8_t res;      /* enum sf_res_kind */
	uint8_t weight;
	uint16_t flags;   /* enum sf_op_flags */
	const char *doc;
	struct sf_arg_info arg[SF_OP_ARGS_MAX]; /* ends with SF_ARG_END */
};

extern const struct sf_op_info sf_op_table[SF_CODE_MAX + 1];

struct sf_arg_layout {
	uint8_t width;   /* bytes in a record */
	uint8_t size;    /* bytes in struct sf_op */
	uint16_t offset; /* in struct sf_op */
	const char *doc;
};

extern const struct sf_arg_layout sf_arg_table[SF_ARG_KINDS];

/*
 * One operation. Arguments are named members, so that handlers read like calls; which of them an
 * operation has is in its table line, the others are zero (references: SF_NONE).
 */
struct sf_op {
	uint8_t code;    /* enum sf_opcode */
	uint8_t order, cpu, fault, flag;
	uint8_t token;   /* 0: the type's; else the token, plus 1 */
	uint16_t type, site, count;
	uint32_t res;    /* number of the result it defines, or SF_NONE */
	uint32_t obj, obj2, cache; /* result numbers; SF_NONE: NULL */
	uint32_t gfp, flags;
	uint32_t name;   /* offset in the program's strings, 0: none */
	uint32_t expect; /* trailing comment that is checked; offset in the strings, 0: none */
	uint32_t line;   /* of the text it came from, 0: none */
	uint64_t size, n, align;
};

#endif
