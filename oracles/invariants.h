/* SPDX-License-Identifier: MIT */
/*
 * invariants.h - every invariant that is judged: one table.
 *
 * `slabfuzz list oracles`, docs/invariants.md, the trap functions of the fuzzers and the counters
 * come from it. Numbers are permanent; an id is never reused.
 */
#ifndef SLABFUZZ_INVARIANTS_H
#define SLABFUZZ_INVARIANTS_H

#include "../allocators/allocator.h"

enum sf_cost {
	SF_COST_EVENT, /* O(1) or O(log n) each event: always on */
	SF_COST_WALK,  /* judged from snapshots */
	SF_COST_BOOTS, /* judged over many heaps: boots.h */
};

/*
 * Which heaps it can be judged on, and for how long, beside capabilities and a setting.
 */
enum sf_rule_marks {
	SF_RULE_ADDRESS = 1, /* addresses must be addresses, not hashes that name objects */
	SF_RULE_MISUSE = 2,  /* goes on after misuse has begun: it is about that */
	/*
	 * Of some variants, some settings: where it is not judged, that is counted once a run and
	 * not at each event, and costs a look at a bit.
	 */
	SF_RULE_ONCE = 4,
};

#define SF_SET_ANY UINT8_MAX /* no setting has this code: it is judged under all */

/*
 * SF_INVARIANTS(X): X(FAMILY, number, cost, capabilities it needs, setting that must be on or ANY,
 * marks, statement, where the rule is from). ISO-1 is SF_INV_ISO_1 in C and "ISO-1" in titles.
 * Which events it looks at, with which functions, is in listing.h.
 */
#define SF_INVARIANTS(X)                                                                          \
	X(MEM, 1, EVENT, 0, ANY, SF_RULE_ADDRESS,                                                 \
	  "live objects are disjoint, and disjoint from free and foreign pages", "general")       \
	X(MEM, 2, EVENT, SF_CAP_PLACE, ANY, SF_RULE_ADDRESS,                                      \
	  "an object starts at base + index * stride of its slab",                                \
	  "mm/slub.c:init_slab_obj_iter")                                                         \
	X(MEM, 3, EVENT, 0, ANY, SF_RULE_ADDRESS,                                                 \
	  "addresses have the promised alignment",                                                \
	  "include/linux/slab.h kernel-doc of kmalloc; mm/slab_common.c:create_boot_cache")       \
	X(MEM, 4, EVENT, SF_CAP_CONTENTS | SF_CAP_ZERO, ANY, 0,                                   \
	  "__GFP_ZERO and init_on_alloc zero the whole object (class, not request) or block",     \
	  "mm/slab.h:slab_want_init_on_alloc; mm/page_alloc.c:post_alloc_hook")                   \
	X(MEM, 5, EVENT, SF_CAP_CONTENTS, ANY, 0,                                                 \
	  "contents of live objects never change by themselves", "general")                       \
	X(MEM, 6, EVENT, SF_CAP_REALLOC, ANY, 0,                                                  \
	  "krealloc keeps min(old, new) bytes; size 0 frees; NULL leaves the old object alone",   \
	  "mm/slub.c:krealloc_node_align_noprof")                                                 \
	X(MEM, 7, WALK, SF_CAP_WALK, ANY, 0,                                                      \
	  "a free object is in exactly one free list or sheaf slot, a deferred one in a sheaf "   \
	  "that waits",                                                                           \
	  "mm/slub.c:free_to_pcs, __slab_free")                                                   \
	X(MEM, 8, WALK, SF_CAP_WALK, ANY, 0,                                                      \
	  "free lists are acyclic, aligned, inside their slab, and as long as objects - inuse",   \
	  "mm/slub.c:set_freepointer")                                                            \
	X(MEM, 9, EVENT, 0, ANY, SF_RULE_ADDRESS | SF_RULE_MISUSE,                                \
	  "a double free is noticed where that is promised, and only then",                       \
	  "mm/slub.c:set_freepointer")                                                            \
	X(MEM, 10, EVENT, 0, ANY, SF_RULE_ADDRESS | SF_RULE_MISUSE,                               \
	  "a free of what was never allocated changes nothing", "mm/slub.c:free_large_kmalloc")   \
	X(MEM, 11, EVENT, SF_CAP_KMALLOC, ANY, 0,                                                 \
	  "size 0 gives ZERO_SIZE_PTR; kfree(NULL) and ksize(NULL) do nothing, nor does kfree() " \
	  "of an error pointer, but warn",                                                        \
	  "include/linux/slab.h:ZERO_OR_NULL_PTR")                                                \
	X(MEM, 12, EVENT, SF_CAP_GFP | SF_CAP_TRACE, ANY, 0,                                      \
	  "NULL only for a reason; __GFP_NOFAIL that may reclaim is never NULL; a failure "       \
	  "changes nothing", "mm/page_alloc.c:__alloc_pages_slowpath")                            \
	X(MEM, 13, EVENT, 0, ANY, 0,                                                              \
	  "a product that overflows gives NULL", "include/linux/overflow.h")                      \
	X(MEM, 14, EVENT, SF_CAP_FLEX | SF_CAP_CONTENTS, ANY, SF_RULE_ONCE,                       \
	  "the counter of a flexible array holds its count, or the call failed",                  \
	  "include/linux/slab.h:__alloc_flex")                                                    \
	X(MEM, 15, WALK, SF_CAP_WALK, freelist_hardened, SF_RULE_ONCE,                            \
	  "with freelist_hardened free pointers are stored encoded, by cache and place",          \
	  "mm/slub.c:freelist_ptr_encode")                                                        \
	X(MEM, 16, EVENT, SF_CAP_TRACE, ANY, 0,                                                   \
	  "a fresh slab's order is a rotation of its cache's; ascending without freelist_random", \
	  "mm/slub.c:init_slab_obj_iter")                                                         \
	X(MEM, 17, EVENT, SF_CAP_USABLE, ANY, 0,                                                  \
	  "object_size <= ksize <= stride; a fresh kmalloc has ksize = "                          \
	  "kmalloc_size_roundup(size)", "mm/slab_common.c:kmalloc_size_roundup")                  \
	X(MEM, 18, WALK, SF_CAP_WALK, init_on_free, SF_RULE_ONCE,                                 \
	  "with init_on_free a free object is zero, its free pointer apart, and zero when "       \
	  "handed out", "mm/slub.c:slab_free_hook")                                               \
	X(MEM, 19, EVENT, SF_CAP_TRACE | SF_CAP_RCU, ANY, SF_RULE_ONCE,                           \
	  "what is deferred is not freed before a grace period has passed: objects, and slabs "   \
	  "of SLAB_TYPESAFE_BY_RCU caches",                                                       \
	  "mm/slub.c:free_slab, __kfree_rcu_sheaf; mm/slab_common.c:kvfree_call_rcu")             \
	X(MEM, 20, EVENT, SF_CAP_MISUSE | SF_CAP_USABLE, ANY, SF_RULE_ONCE,                       \
	  "kfree_sensitive() leaves nothing of what was in all of ksize(), but for a free "       \
	  "pointer", "mm/slab_common.c:kfree_sensitive")                                          \
	X(MEM, 21, EVENT, SF_CAP_SHEAVES, ANY, SF_RULE_ONCE,                                      \
	  "a prefilled sheaf has at least what was asked for; an allocation from it takes one, "  \
	  "makes no effort, and fails only when it is empty; returned, it is unowned",             \
	  "mm/slub.c:kmem_cache_prefill_sheaf, kmem_cache_alloc_from_sheaf")                      \
	X(MEM, 22, EVENT, SF_CAP_TRACE | SF_CAP_GFP, ANY, SF_RULE_ONCE,                           \
	  "a request that no memory could grant is complained of, unless __GFP_NOWARN, and "      \
	  "nothing that is right is",                                                             \
	  "mm/page_alloc.c:__alloc_frozen_pages_noprof, make_alloc_exact; mm/vmalloc.c:"          \
	  "__vmalloc_node_range_noprof; mm/slub.c:kvmalloc")                                      \
	X(BUD, 1, EVENT, SF_CAP_TRACE, ANY, 0,                                                    \
	  "free blocks are naturally aligned, in the zone, of order <= 10",                       \
	  "mm/page_alloc.c:__free_one_page")                                                      \
	X(BUD, 2, EVENT, SF_CAP_TRACE, ANY, 0,                                                    \
	  "free blocks overlap neither each other nor pages in use",                              \
	  "mm/page_alloc.c:__free_one_page")                                                      \
	X(BUD, 3, EVENT, SF_CAP_TRACE, ANY, 0,                                                    \
	  "no two free buddies that could merge stay apart", "mm/page_alloc.c:__free_one_page")   \
	X(BUD, 4, WALK, SF_CAP_WALK, ANY, 0,                                                      \
	  "counters equal the lists; a block's page block has its list's type",                   \
	  "mm/page_alloc.c:__add_to_free_list")                                                   \
	X(BUD, 5, EVENT, SF_CAP_TRACE, ANY, 0,                                                    \
	  "a split keeps the low part; the rest keeps the source's type",                         \
	  "mm/page_alloc.c:expand")                                                               \
	X(BUD, 6, EVENT, SF_CAP_TRACE, ANY, 0,                                                    \
	  "another type is used only if need be, in table order; claims scan down, steals scan "  \
	  "up", "mm/page_alloc.c:__rmqueue_claim, __rmqueue_steal")                               \
	X(BUD, 7, EVENT, SF_CAP_TRACE, ANY, 0,                                                    \
	  "after a claim all free pages of the page block are on the new type's lists",           \
	  "mm/page_alloc.c:move_freepages_block")                                                 \
	X(BUD, 8, EVENT, SF_CAP_TRACE | SF_CAP_GFP, ANY, 0,                                       \
	  "an allocation without reserve rights left the watermark intact, and the mark is the "  \
	  "zone's",                                                                               \
	  "mm/page_alloc.c:__zone_watermark_ok")                                                  \
	X(BUD, 9, WALK, SF_CAP_WALK, ANY, 0,                                                      \
	  "per-CPU page lists: counts, list index, bounds",                                       \
	  "mm/page_alloc.c:free_frozen_page_commit")                                              \
	X(BUD, 10, EVENT, SF_CAP_TRACE | SF_CAP_EXACT, ANY, 0,                                    \
	  "alloc_pages_exact keeps just its pages", "mm/page_alloc.c:make_alloc_exact")           \
	X(BUD, 11, EVENT, SF_CAP_TRACE, ANY, 0,                                                   \
	  "slabs come from page blocks of their mobility or a traced fallback, the preferred "    \
	  "order without effort",                                                                 \
	  "mm/slub.c:allocate_slab")                                                              \
	X(BUD, 12, EVENT, SF_CAP_TRACE, ANY, SF_RULE_ONCE,                                        \
	  "the HIGHATOMIC reserve stays within 1 % of the zone, in whole page blocks, and is "    \
	  "let go before OOM",                                                                    \
	  "mm/page_alloc.c:reserve_highatomic_pageblock, unreserve_highatomic_pageblock")         \
	X(BUD, 13, WALK, SF_CAP_WALK | SF_CAP_TRACE, ANY, SF_RULE_ONCE,                           \
	  "the watermark boost is a page block for each time that a part of one was to be "       \
	  "claimed, up to a bound, since somebody woke kswapd",                                   \
	  "mm/page_alloc.c:boost_watermark, rmqueue")                                             \
	X(BUD, 14, EVENT, SF_CAP_TRACE, ANY, SF_RULE_ONCE,                                        \
	  "free lists: ascending at boot; the first block is taken; the rest of a split goes to " \
	  "the front, what changes its type, or is freed where a merge is likely, to the end",    \
	  "mm/page_alloc.c:__rmqueue_smallest, expand, move_freepages_block, __free_one_page")    \
	X(BUD, 15, EVENT, SF_CAP_TRACE, ANY, SF_RULE_ONCE,                                        \
	  "per-CPU page lists: the first block is taken, the last drained, a list is emptied "    \
	  "before the next one's turn comes",                                                     \
	  "mm/page_alloc.c:__rmqueue_pcplist, free_pcppages_bulk")                                \
	X(BUD, 16, EVENT, SF_CAP_TRACE | SF_CAP_COMPACT, ANY, SF_RULE_ONCE,                       \
	  "compaction is tried where it is needed and can work; it moves smaller blocks up, out " \
	  "of page blocks and into such as suit how hard it tries; then it says what there is",   \
	  "mm/compaction.c:compaction_suit_allocation_order, suitable_migration_source, "         \
	  "suitable_migration_target")                                                            \
	X(BUD, 17, EVENT, SF_CAP_PAGES_BULK, ANY, SF_RULE_ONCE,                                   \
	  "alloc_pages_bulk() fills empty entries in order, leaves full ones alone, counts what " \
	  "is full from the first on, and gives up only when memory is short",                    \
	  "mm/page_alloc.c:alloc_pages_bulk_noprof")                                              \
	X(ACC, 1, WALK, SF_CAP_WALK, ANY, 0,                                                      \
	  "inuse + free list = objects = floor(slab / stride); the order is the preferred or "    \
	  "the smallest", "mm/slub.c:allocate_slab")                                              \
	X(ACC, 2, WALK, SF_CAP_WALK, ANY, 0,                                                      \
	  "sum of inuse = live + parked + internal", "mm/slub.c:get_slabinfo")                    \
	X(ACC, 3, WALK, SF_CAP_WALK, ANY, 0,                                                      \
	  "nr_partial, nr_slabs, total_objects equal the lists",                                  \
	  "mm/slub.c:inc_slabs_node, add_partial")                                                \
	X(ACC, 4, WALK, SF_CAP_WALK, ANY, 0,                                                      \
	  "on the partial list if and only if a slab has free objects", "mm/slub.c:__slab_free")  \
	X(ACC, 5, WALK, SF_CAP_WALK, ANY, 0,                                                      \
	  "empty slabs stay within min_partial, and up to that they are kept",                    \
	  "mm/slub.c:__slab_free")                                                                \
	X(ACC, 6, WALK, SF_CAP_WALK, ANY, 0,                                                      \
	  "after a shrink: nothing parked, no empty slab, result 0 iff no slab",                  \
	  "mm/slub.c:__kmem_cache_do_shrink")                                                     \
	X(ACC, 7, WALK, SF_CAP_WALK, ANY, 0,                                                      \
	  "every page is in exactly one state", "mm/page_alloc.c")                                \
	X(ACC, 8, WALK, SF_CAP_WALK | SF_CAP_TRACE, ANY, 0,                                       \
	  "NR_SLAB_RECLAIMABLE_B: pages of slabs of SLAB_RECLAIM_ACCOUNT caches; "                \
	  "NR_SLAB_UNRECLAIMABLE_B: of all others, and large kmalloc",                            \
	  "mm/slub.c:account_slab, ___kmalloc_large_node")                                        \
	X(ACC, 9, WALK, SF_CAP_WALK | SF_CAP_TRACE, ANY, 0,                                       \
	  "no counter goes below 0, or above all memory; nothing is uncharged that was not "      \
	  "charged", "general")                                                                   \
	X(ACC, 10, WALK, SF_CAP_WALK | SF_CAP_RECLAIM, ANY, SF_RULE_ONCE,                         \
	  "the counter of indirectly reclaimable bytes is the sum of ksize() of what is owned "   \
	  "and not counted elsewhere", "fs/dcache.c:__d_alloc (4.17)")                            \
	X(ACC, 11, WALK, SF_CAP_WALK | SF_CAP_TRACE | SF_CAP_RECLAIM, ANY, SF_RULE_ONCE,          \
	  "what counts as reclaimable is what reclaim could free, pinned, unowned, deferred, "    \
	  "parked, free or slack, to the byte; and what it could free is counted", "general")     \
	X(ACC, 12, EVENT, SF_CAP_PLACE | SF_CAP_KMALLOC | SF_CAP_RECLAIM, ANY, SF_RULE_ONCE,      \
	  "no kmalloc-rcl slab holds what was not asked for as reclaimable",                      \
	  "include/linux/slab.h:kmalloc_type")                                                    \
	X(ACC, 13, WALK, SF_CAP_WALK | SF_CAP_TRACE, ANY, 0,                                      \
	  "the estimate of available memory and the reserves follow their formulas",              \
	  "mm/show_mem.c:si_mem_available; mm/page_alloc.c:calculate_totalreserve_pages")         \
	X(ACC, 14, EVENT, SF_CAP_TRACE | SF_CAP_RECLAIM, ANY, SF_RULE_ONCE,                       \
	  "out of memory is declared where the policy in force demands it and only where it "     \
	  "allows it, after the last pass of all shrinkers",                                      \
	  "mm/page_alloc.c:__alloc_pages_may_oom, should_reclaim_retry; "                         \
	  "mm/util.c:__vm_enough_memory (4.16)")                                                  \
	X(ACC, 15, EVENT, SF_CAP_TRACE | SF_CAP_RECLAIM, ANY, SF_RULE_ONCE,                       \
	  "a round of reclaim tells as progress the slab pages that were freed in it",            \
	  "mm/slub.c:__free_slab; include/linux/swap.h:mm_account_reclaimed_pages")               \
	X(ACC, 16, WALK, SF_CAP_WALK, ANY, 0,                                                     \
	  "objects parked in sheaves stay within cpus * 3 + 10 sheaves, each within its "         \
	  "capacity; spares are empty or full, those of the barn full",                           \
	  "mm/slub.c:barn_replace_full_sheaf")                                                    \
	X(ACC, 17, EVENT, SF_CAP_CACHES, ANY, 0,                                                  \
	  "destroy: everything back, or an error and nothing touched; an alias only lets go",     \
	  "mm/slab_common.c:kmem_cache_destroy")                                                  \
	X(ACC, 18, WALK, SF_CAP_WALK | SF_CAP_TEARDOWN, ANY, 0,                                   \
	  "after teardown everything is free and merged", "general")                              \
	X(ACC, 19, EVENT, SF_CAP_TRACE | SF_CAP_MEMCG, ANY, SF_RULE_ONCE,                         \
	  "a memory cgroup is charged for its live accounted objects and those below it: stride " \
	  "+ 8 bytes, or the block; never over its limit but for __GFP_NOFAIL and __GFP_HIGH; "   \
	  "until they are freed",                                                                 \
	  "mm/memcontrol.c:__memcg_slab_post_alloc_hook, try_charge_memcg")                       \
	X(ACC, 20, WALK, SF_CAP_WALK, ANY, 0,                                                     \
	  "the slabinfo line follows its formulas",                                               \
	  "mm/slub.c:get_slabinfo; mm/slab_common.c:cache_show")                                  \
	X(ACC, 21, EVENT, SF_CAP_RECLAIM, ANY, SF_RULE_ONCE,                                      \
	  "reclaim frees only what it may; what an object owns goes just before it, and never "   \
	  "without it; a pinned object stays", "fs/dcache.c:shrink_dentry_list")                  \
	X(ACC, 22, EVENT, SF_CAP_TRACE | SF_CAP_RECLAIM, ANY, SF_RULE_ONCE,                       \
	  "a shrinker is asked for the share of its objects that the priority says and for what " \
	  "it put off, no pass more or less than is needed; it stops only without __GFP_FS",      \
	  "mm/shrinker.c:do_shrink_slab; mm/vmscan.c:do_try_to_free_pages")                       \
	X(ACC, 23, WALK, SF_CAP_WALK | SF_CAP_TRACE | SF_CAP_RECLAIM, ANY, SF_RULE_ONCE,          \
	  "/proc/vmstat counts what reclaim, compaction and the OOM killer did",                  \
	  "mm/vmscan.c; mm/compaction.c; mm/oom_kill.c")                                          \
	X(ACC, 24, EVENT, SF_CAP_TRACE | SF_CAP_WALK | SF_CAP_KMALLOC, ANY, SF_RULE_ONCE,         \
	  "a cache's slab order, objects in a slab, place of the free pointer, empty slabs to "   \
	  "keep and sheaf capacity follow their formulas",                                        \
	  "mm/slub.c:calculate_order, calculate_sizes, calculate_sheaf_capacity, set_min_partial") \
	X(ISO, 1, EVENT, SF_CAP_PLACE | SF_CAP_KMALLOC, ANY, 0,                                   \
	  "the cache is the one that size, gfp, token or site and bucket select",                 \
	  "include/linux/slab.h:kmalloc_type; mm/slab.h:kmalloc_slab")                            \
	X(ISO, 2, EVENT, 0, ANY, 0,                                                               \
	  "the object fits, in the smallest class that holds it",                                 \
	  "mm/slab_common.c:kmalloc_size_index")                                                  \
	X(ISO, 3, EVENT, SF_CAP_PLACE, ANY, 0,                                                    \
	  "a slab page belongs to one cache; all on it came from it", "mm/slab.h:struct slab")    \
	X(ISO, 4, EVENT, SF_CAP_CACHES, ANY, 0,                                                   \
	  "caches of partitions and buckets never merge and have no other name",                  \
	  "mm/slab_common.c:new_kmalloc_cache, kmem_buckets_create")                              \
	X(ISO, 5, EVENT, SF_CAP_CACHES, ANY, 0,                                                   \
	  "a cache is merged if and only if another can serve it: size, alignment, flags, no "    \
	  "constructor, no window", "mm/slab_common.c:find_mergeable")                           \
	X(ISO, 6, EVENT, SF_CAP_PLACE | SF_CAP_TYPED, ANY, SF_RULE_ONCE,                          \
	  "no cache holds a live pointer-bearing object and a live pointer-free one",             \
	  "include/linux/slab.h:kmalloc_type (TYPED)")                                            \
	X(ISO, 7, EVENT, SF_CAP_TYPED, ANY, SF_RULE_ONCE,                                         \
	  "the token is its type's: at least 8 if and only if the type has a pointer, below 16, " \
	  "0 without a type", "clang: AllocToken")                                                \
	X(ISO, 8, EVENT, SF_CAP_PLACE | SF_CAP_RANDOM, ANY, SF_RULE_ONCE,                         \
	  "one call site, one partition, as long as the kernel runs",                             \
	  "include/linux/slab.h:kmalloc_type (RANDOM)")                                           \
	X(ISO, 9, BOOTS, SF_CAP_PLACE | SF_CAP_TYPED, ANY, 0,                                     \
	  "one type, one partition, in every boot", "clang: AllocToken")                          \
	X(ISO, 10, BOOTS, SF_CAP_PLACE | SF_CAP_RANDOM, ANY, 0,                                   \
	  "over boots a site's partitions are uniform", "include/linux/hash.h:hash_64_generic")   \
	X(ISO, 11, BOOTS, SF_CAP_RANDOM, ANY, 0,                                                  \
	  "each boot has a seed of its own", "mm/slab_common.c:create_kmalloc_caches")            \
	X(ISO, 12, EVENT, SF_CAP_PLACE | SF_CAP_BUCKETS, buckets, SF_RULE_ONCE,                   \
	  "in a bucket's cache if and only if it was asked of that bucket",                       \
	  "mm/slab.h:kmalloc_slab")                                                               \
	X(ISO, 13, EVENT, SF_CAP_PLACE | SF_CAP_KMALLOC, ANY, 0,                                  \
	  "caches for reclaimable memory hold what was asked for as reclaimable, and all of it; " \
	  "classes and sets of buckets are there, under their names",                             \
	  "include/linux/slab.h:kmalloc_type; mm/slab_common.c:kmem_buckets_create")              \
	X(ISO, 14, EVENT, SF_CAP_TRACE, ANY, SF_RULE_ADDRESS,                                     \
	  "no live object lies on pages that leave a slab", "mm/slub.c:__free_slab")              \
	X(ISO, 15, EVENT, SF_CAP_TRACE, ANY, SF_RULE_ADDRESS,                                     \
	  "an address that was one cache's becomes another's: counted; never under slab_virtual", \
	  "general")                                                                              \
	X(ISO, 16, EVENT, SF_CAP_TRACE, init_on_free, SF_RULE_ONCE,                               \
	  "with init_on_free pages are zero when they become a slab",                             \
	  "mm/page_alloc.c:__free_pages_prepare")                                                 \
	X(ISO, 17, EVENT, SF_CAP_PLACE | SF_CAP_KMALLOC, ANY, 0,                                  \
	  "what is larger than 8 KiB lies in no cache, whatever its partition or bucket",         \
	  "mm/slub.c:__do_kmalloc_node")                                                          \
	X(ISO, 18, EVENT, SF_CAP_PLACE | SF_CAP_REALLOC, ANY, 0,                                  \
	  "krealloc in place keeps the cache; moved, it follows the new arguments",               \
	  "mm/slub.c:__do_krealloc")                                                              \
	X(SHF, 1, WALK, SF_CAP_WALK | SF_CAP_TRACE, shuffle, SF_RULE_ONCE,                        \
	  "shuffling changes neither the free blocks nor their orders and types",                 \
	  "mm/shuffle.c:__shuffle_zone")                                                          \
	X(SHF, 2, BOOTS, SF_CAP_TRACE, ANY, 0,                                                    \
	  "blocks of the largest order come in another order each boot and go back to either "    \
	  "end; smaller ones do not", "mm/shuffle.c")                                             \
	X(BIG, 1, EVENT, SF_CAP_TRACE | SF_CAP_LARGE, ANY, SF_RULE_ONCE,                          \
	  "every slab of a large cache is one block of 2 MiB, and its objects lie in it",         \
	  "slab caches of 2 MiB blocks (2018)")                                                   \
	X(BIG, 2, EVENT, SF_CAP_TRACE | SF_CAP_LARGE, ANY, SF_RULE_ONCE,                          \
	  "a large request is refused only when no 2 MiB block was there after the effort that "  \
	  "its flags ask for, and then nothing has changed; no smaller slab is tried",            \
	  "slab caches of 2 MiB blocks (2018)")                                                   \
	X(BIG, 3, WALK, SF_CAP_WALK | SF_CAP_LARGE, ANY, SF_RULE_ONCE,                            \
	  "a block holds as many objects as fit, and no more blocks are held than objects live "  \
	  "and parked and empty slabs account for", "slab caches of 2 MiB blocks (2018)")         \
	X(BIG, 4, EVENT, SF_CAP_LARGE, ANY, SF_RULE_ONCE,                                         \
	  "a cache is large if and only if 2 MiB hold more of its objects that way",              \
	  "slab caches of 2 MiB blocks (2018)")                                                   \
	X(BIG, 5, EVENT, SF_CAP_TRACE | SF_CAP_MIN_ORDER, ANY, SF_RULE_ONCE,                      \
	  "no slab is smaller than its cache asked for; no other cache's geometry changes",       \
	  "none: per-cache min_order")                                                            \
	X(BIG, 6, EVENT, SF_CAP_CACHES, ANY, SF_RULE_ONCE,                                        \
	  "a slab holds at most 32767 objects; a larger order is lowered for that, and for "      \
	  "nothing else", "mm/slub.c:calculate_order")                                            \
	X(BIG, 7, WALK, SF_CAP_WALK | SF_CAP_TRACE | SF_CAP_LARGE, ANY, SF_RULE_ONCE,             \
	  "an empty block beyond min_partial goes back, whole, and merges once drained",          \
	  "slab caches of 2 MiB blocks (2018)")                                                   \
	X(BIG, 8, EVENT, SF_CAP_LARGE | SF_CAP_PLACE, ANY, SF_RULE_ONCE,                          \
	  "large objects are aligned to the largest power of two that divides their size, at "    \
	  "most a page; all large kmalloc to a page",                                             \
	  "drivers/md/dm-bufio.c:dm_bufio_client_create")                                         \
	X(PMA, 1, EVENT, SF_CAP_TRACE | SF_CAP_POOLS, ANY, SF_RULE_ONCE,                          \
	  "no page of a sealed area is writable through its area", "pmalloc (2018)")              \
	X(PMA, 2, EVENT, SF_CAP_TRACE | SF_CAP_POOLS, ANY, SF_RULE_ONCE,                          \
	  "no writable mapping of a sealed page exists outside a rare write, but the direct map " \
	  "where that is left open", "pmalloc (2018)")                                            \
	X(PMA, 3, EVENT, SF_CAP_TRACE | SF_CAP_POOLS, ANY, SF_RULE_ONCE,                          \
	  "in a rare write there is one more mapping, of the pages it concerns and no others, "   \
	  "not executable, at an address that the last one did not have; after it there is none", \
	  "pmalloc (2018)")                                                                       \
	X(PMA, 4, EVENT, SF_CAP_TRACE | SF_CAP_POOLS, ANY, SF_RULE_ONCE,                          \
	  "a rare write is carried out if and only if it lies in one area of the pool that it "   \
	  "names, and the pool's mode is for it; a pool is opened again if and only if its mode " \
	  "is for it", "pmalloc (2018)")                                                          \
	X(PMA, 5, EVENT, SF_CAP_POOLS | SF_CAP_CONTENTS, ANY, SF_RULE_ONCE,                       \
	  "what is in a pool is what was last written to it; a write to sealed memory faults "    \
	  "and changes nothing; a reader sees all of a rare write or nothing", "pmalloc (2018)")  \
	X(PMA, 6, EVENT, SF_CAP_TRACE | SF_CAP_POOLS, ANY, SF_RULE_ONCE,                          \
	  "a page is in one pool, and in no slab, block or other area then", "pmalloc (2018)")    \
	X(PMA, 7, EVENT, SF_CAP_TRACE | SF_CAP_POOLS, ANY, SF_RULE_ONCE,                          \
	  "no object comes from an area that is sealed, but of a pool that is so from the start", \
	  "pmalloc (2018)")                                                                       \
	X(PMA, 8, EVENT, SF_CAP_TRACE | SF_CAP_POOLS, ANY, SF_RULE_ONCE,                          \
	  "a destroyed pool leaves nothing mapped or sealed, and its pages are wiped",            \
	  "pmalloc (2018)")                                                                       \
	X(PMA, 9, EVENT, SF_CAP_POOLS, ANY, SF_RULE_ONCE,                                         \
	  "nothing of size 0, and no product that overflows, comes from a pool",                  \
	  "pmalloc (2018)")                                                            \
	X(MAL, 1, EVENT, SF_CAP_MALLOC, ANY, SF_RULE_ADDRESS | SF_RULE_ONCE,                      \
	  "an object is aligned as it was asked, and for any type that fits (max_align_t, or the " \
	  "trait align)", "ISO C 7.24.3; POSIX: posix_memalign, aligned_alloc")                   \
	X(MAL, 2, EVENT, SF_CAP_MALLOC | SF_CAP_USABLE, ANY, SF_RULE_ONCE,                        \
	  "the usable size is at least what was asked, does not change, and all of it can be "    \
	  "written to and keeps it", "malloc_usable_size(3)")                                     \
	X(MAL, 3, EVENT, SF_CAP_MALLOC | SF_CAP_GOOD_SIZE, ANY, SF_RULE_ONCE,                     \
	  "a good size is at least the request, and no less than that of a smaller one",          \
	  "nallocx(3), malloc_good_size(3)")                                                      \
	X(MAL, 4, EVENT, SF_CAP_MALLOC, ANY, SF_RULE_ONCE,                                        \
	  "a product that overflows gives NULL, and so does more than PTRDIFF_MAX",               \
	  "ISO C 7.24.3; POSIX: calloc, reallocarray")                                            \
	X(MAL, 5, EVENT, SF_CAP_CALLOC | SF_CAP_CONTENTS, ANY, SF_RULE_ONCE,                      \
	  "calloc zeroes what was asked, and where that is promised all that can be used",        \
	  "ISO C 7.24.3: calloc")                                                                 \
	X(MAL, 6, EVENT, SF_CAP_MALLOC | SF_CAP_REALLOC | SF_CAP_CONTENTS, ANY, SF_RULE_ONCE,     \
	  "realloc keeps min(old, new) bytes, wherever it puts them; one that fails leaves the "  \
	  "old object as it was", "ISO C 7.24.3: realloc")                                        \
	X(MAL, 7, EVENT, SF_CAP_MALLOC, ANY, SF_RULE_ONCE,                                        \
	  "malloc(0) and realloc(p, 0) do as promised; an object of 0 bytes is one of its own",   \
	  "ISO C 7.24.3; traits malloc_zero, realloc_zero")                                       \
	X(MAL, 8, EVENT, SF_CAP_POSIX_MEMALIGN, ANY, SF_RULE_ONCE,                                \
	  "posix_memalign returns 0, EINVAL of an alignment that is no power of two times "       \
	  "sizeof(void *) and of no other, or ENOMEM; failed, it leaves its argument or NULL",    \
	  "POSIX: posix_memalign")                                                                \
	X(MAL, 9, EVENT, SF_CAP_ALIGNED_ALLOC, ANY, SF_RULE_ONCE,                                 \
	  "aligned_alloc refuses what is no power of two",                                        \
	  "ISO C 7.24.3: aligned_alloc; trait align_power")                                       \
	X(MAL, 10, EVENT, SF_CAP_MALLOC, ANY, SF_RULE_ONCE,                                       \
	  "a failure sets errno to ENOMEM, a free leaves it alone where that is promised; a free " \
	  "of NULL does nothing; what is not NULL is an address",                                 \
	  "POSIX: malloc, free; traits error, free_error")                                        \
	X(MAL, 11, EVENT, SF_CAP_MALLOC | SF_CAP_HEAPS, ANY, SF_RULE_ADDRESS | SF_RULE_ONCE,      \
	  "an object lies in a block of the heap that it was asked of, and in no other heap's",   \
	  "general")                                                                              \
	X(MAL, 12, EVENT, SF_CAP_MALLOC | SF_CAP_REGIONS, ANY, SF_RULE_ADDRESS | SF_RULE_ONCE,    \
	  "a region with live objects in it cannot be removed", "general")                        \
	X(MAL, 13, EVENT, SF_CAP_MALLOC | SF_CAP_STATS, ANY, SF_RULE_ONCE,                        \
	  "statistics count the objects that are alive, and bytes between what was asked for "    \
	  "and what can be used; with everything freed they are where they began",                \
	  "general; traits stats_rounding, stats_return")                                         \
	X(MAL, 14, EVENT, SF_CAP_MALLOC | SF_CAP_INTEGRITY, ANY, SF_RULE_ONCE,                    \
	  "the allocator's check of itself finds nothing", "general")                             \
	X(MAL, 15, EVENT, SF_CAP_MALLOC, ANY, SF_RULE_ADDRESS | SF_RULE_MISUSE | SF_RULE_ONCE,    \
	  "a double free, a free of what was never handed out, and a sized free with a wrong "    \
	  "size are noticed in the call, where that is promised",                                 \
	  "traits double_free, wild_free, sized_free")                                            \
	X(MAL, 16, EVENT, SF_CAP_MALLOC | SF_CAP_TEARDOWN, ANY, SF_RULE_ONCE,                     \
	  "with everything freed, what fitted before fits again", "general")                      \
	X(MAL, 17, EVENT, 0, ANY, SF_RULE_ONCE,                                                   \
	  "no call ends the process, but where the allocator promises to refuse that way",        \
	  "general; traits abort_misuse, abort_overflow, abort_exhaustion")

enum sf_invariant {
#define X(family, nr, cost, needs, setting, marks, statement, source) SF_INV_##family##_##nr,
	SF_INVARIANTS(X)
#undef X
	SF_INV_COUNT,
};

/* Sets of invariants. */
typedef unsigned __int128 sf_invariant_set;

static inline sf_invariant_set sf_invariant_bit(enum sf_invariant inv)
{
	return (sf_invariant_set)1 << inv;
}

struct sf_invariant_info {
	const char *id;    /* "MEM-1" */
	uint64_t needs;    /* enum sf_cap */
	const char *statement, *source;
	uint8_t cost;      /* enum sf_cost */
	uint8_t setting;   /* enum sf_setting_code, or SF_SET_ANY */
	uint8_t marks;     /* enum sf_rule_marks */
};

extern const struct sf_invariant_info sf_invariants[SF_INV_COUNT];

#endif
