/* SPDX-License-Identifier: MIT */
/*
 * listing.h - which functions see which event, in which order: one list for each type of event.
 *
 * RULE(invariant, function) judges: unsigned int function(struct sf_judge *, const struct sf_event
 * *) returns how many judgements it made, 0 if the event has nothing for it. INTAKE(function) takes
 * the event in: rules before it see the heap as it was, rules after it as it is. Whether a rule is
 * judged at all is in its row of invariants.h.
 *
 * A rule is declared by being listed; dispatch and what is skipped are derived (judge.c). Relies on
 * event.h's table of events, each of which has a list here; every file with rules relies on it.
 */
#ifndef SLABFUZZ_LISTING_H
#define SLABFUZZ_LISTING_H

#include "../allocators/event.h"

struct sf_judge;

/* What ALLOC and REALLOC share: was it answered as asked, is it the place that is due, ... */
#define ALLOC_ANSWERED(RULE, INTAKE)                                                     \
	RULE(BIG_2, sf_big_2) RULE(BIG_4, sf_big_4_alloc) RULE(BIG_1, sf_big_1_alloc)    \
	RULE(MEM_13, sf_mem_13) RULE(MEM_11, sf_mem_11_alloc)                            \
	RULE(MEM_12, sf_mem_12_alloc) RULE(ACC_14, sf_acc_14_alloc)                      \
	RULE(MEM_22, sf_mem_22_alloc)                                                    \
	RULE(MAL_4, sf_mal_4) RULE(MAL_10, sf_mal_10_alloc) RULE(MAL_16, sf_mal_16)      \
	RULE(MAL_7, sf_mal_7)
#define ALLOC_CHOSEN(RULE, INTAKE)                                                       \
	RULE(ISO_2, sf_iso_2) RULE(ISO_1, sf_iso_1) RULE(ISO_13, sf_iso_13)              \
	RULE(ISO_17, sf_iso_17) RULE(ISO_7, sf_iso_7) RULE(ISO_8, sf_iso_8)              \
	RULE(ISO_12, sf_iso_12)
#define ALLOC_PLACED(RULE, INTAKE)                                                       \
	RULE(MEM_17, sf_mem_17_alloc) RULE(MEM_2, sf_mem_2) RULE(MEM_3, sf_mem_3)        \
	RULE(BIG_8, sf_big_8) RULE(ISO_3, sf_iso_3_alloc) RULE(ACC_12, sf_acc_12)        \
	RULE(MAL_1, sf_mal_1) RULE(MAL_2, sf_mal_2_alloc) RULE(MAL_11, sf_mal_11)
/* ... and, once it has been taken in, whose memory it is. */
#define ALLOC_TAKEN(RULE, INTAKE)                                                        \
	RULE(ISO_6, sf_iso_6) RULE(MEM_1, sf_mem_1) RULE(MEM_4, sf_mem_4)                \
	RULE(MEM_18, sf_mem_18_alloc) RULE(ACC_19, sf_acc_19_alloc)                      \
	RULE(MAL_7, sf_mal_7_taken)

#define ON_HEAP(RULE, INTAKE) INTAKE(sf_on_heap) INTAKE(sf_rules_heap)
#define ON_CACHE(RULE, INTAKE)                                                           \
	RULE(ISO_4, sf_iso_4_cache) RULE(ISO_13, sf_iso_13_cache)                        \
	RULE(ISO_13, sf_iso_13_name) INTAKE(sf_on_cache) RULE(MEM_15, sf_mem_15_cache)   \
	RULE(BIG_4, sf_big_4_cache) RULE(BIG_5, sf_big_5_cache)                          \
	RULE(BIG_6, sf_big_6_cache) RULE(ACC_24, sf_acc_24_cache)                        \
	RULE(ACC_24, sf_acc_24_sheaf)
#define ON_CTYPE(RULE, INTAKE) RULE(ISO_7, sf_iso_7_type) INTAKE(sf_on_ctype)
#define ON_BEGIN(RULE, INTAKE)                                                           \
	INTAKE(sf_titles_begin) INTAKE(sf_rules_begin) INTAKE(sf_on_begin)                \
	INTAKE(sf_sheaves_begin) INTAKE(sf_malloc_begin)
#define ON_END(RULE, INTAKE) INTAKE(sf_settle)
#define ON_ALLOC(RULE, INTAKE)                                                           \
	RULE(PMA_9, sf_pma_9) RULE(PMA_6, sf_pma_6_alloc) RULE(PMA_7, sf_pma_7)          \
	ALLOC_ANSWERED(RULE, INTAKE) RULE(MEM_14, sf_mem_14) ALLOC_CHOSEN(RULE, INTAKE)  \
	ALLOC_PLACED(RULE, INTAKE) INTAKE(sf_on_alloc) ALLOC_TAKEN(RULE, INTAKE)         \
	RULE(BUD_10, sf_bud_10_alloc) RULE(MAL_5, sf_mal_5)                              \
	RULE(MAL_8, sf_mal_8) RULE(MAL_9, sf_mal_9)
#define ON_FREE(RULE, INTAKE)                                                            \
	RULE(MEM_11, sf_mem_11_free) RULE(MEM_9, sf_mem_9) RULE(MEM_10, sf_mem_10)       \
	RULE(MEM_5, sf_mem_5_free) RULE(BUD_10, sf_bud_10_free)                          \
	RULE(MEM_20, sf_mem_20) RULE(MEM_19, sf_mem_19_free)                             \
	RULE(ACC_21, sf_acc_21_free)                                                     \
	RULE(MAL_15, sf_mal_15_free) RULE(MAL_10, sf_mal_10_free)                        \
	RULE(MAL_2, sf_mal_2_free)                                                       \
	RULE(ACC_19, sf_acc_19_free) INTAKE(sf_excuse_free) INTAKE(sf_on_free)
#define ON_REALLOC(RULE, INTAKE)                                                         \
	ALLOC_ANSWERED(RULE, INTAKE) RULE(MEM_6, sf_mem_6) RULE(MAL_6, sf_mal_6)         \
	ALLOC_CHOSEN(RULE, INTAKE)    \
	RULE(ISO_18, sf_iso_18) ALLOC_PLACED(RULE, INTAKE)                               \
	RULE(ACC_21, sf_acc_21_realloc) INTAKE(sf_on_realloc) ALLOC_TAKEN(RULE, INTAKE)
#define ON_KSIZE(RULE, INTAKE) RULE(MEM_11, sf_mem_11_ksize) RULE(MEM_17, sf_mem_17_ksize) \
	RULE(MAL_2, sf_mal_2_ksize)
#define ON_CONTENT(RULE, INTAKE)                                                         \
	RULE(MAL_2, sf_mal_2_content) RULE(MEM_5, sf_mem_5_content)
#define ON_CACHE_CREATE(RULE, INTAKE)                                                    \
	RULE(ISO_4, sf_iso_4_create) RULE(ISO_5, sf_iso_5) RULE(BIG_4, sf_big_4_cache)   \
	RULE(BIG_5, sf_big_5_cache) RULE(BIG_6, sf_big_6_cache) INTAKE(sf_excuse_cache)  \
	INTAKE(sf_on_create) RULE(ACC_24, sf_acc_24_create)
#define ON_CACHE_DESTROY(RULE, INTAKE)                                                   \
	INTAKE(sf_early_forget) INTAKE(sf_excuse_cache) INTAKE(sf_settle)                \
	RULE(ACC_17, sf_acc_17) INTAKE(sf_on_destroy)
#define ON_CACHE_SHRINK(RULE, INTAKE)                                                    \
	INTAKE(sf_early_forget) INTAKE(sf_settle) RULE(ACC_6, sf_acc_6_shrink)           \
	INTAKE(sf_on_shrink)
#define ON_SKIP(RULE, INTAKE)
#define ON_OWNS(RULE, INTAKE) INTAKE(sf_on_owns)
#define ON_PIN(RULE, INTAKE) INTAKE(sf_on_pin)
#define ON_DEFER(RULE, INTAKE)                                                           \
	RULE(MEM_5, sf_mem_5_defer) RULE(ACC_21, sf_acc_21_defer) INTAKE(sf_on_defer)
#define ON_MIGRATE(RULE, INTAKE)                                                         \
	RULE(MEM_5, sf_mem_5_migrate) RULE(BUD_16, sf_bud_16) INTAKE(sf_on_migrate)      \
	RULE(MEM_1, sf_mem_1_migrate)
#define ON_MEMCG(RULE, INTAKE) INTAKE(sf_on_memcg)
#define ON_ASK(RULE, INTAKE) RULE(ACC_14, sf_acc_14_ask)
#define ON_POOL(RULE, INTAKE)                                                            \
	RULE(PMA_1, sf_pma_1_pool) RULE(PMA_4, sf_pma_4_open) RULE(PMA_8, sf_pma_8)      \
	INTAKE(sf_excuse_any) INTAKE(sf_on_pool)
#define ON_WRITE(RULE, INTAKE) RULE(PMA_5, sf_pma_5_write) INTAKE(sf_excuse_any)
#define ON_RARE(RULE, INTAKE) RULE(PMA_4, sf_pma_4) RULE(PMA_5, sf_pma_5_rare)           \
	INTAKE(sf_excuse_any)
#define ON_BUCKETS_CREATE(RULE, INTAKE) RULE(ISO_13, sf_iso_13_buckets)
#define ON_TAINT(RULE, INTAKE) INTAKE(sf_rules_taint) INTAKE(sf_on_taint)
#define ON_REACH(RULE, INTAKE)
#define ON_ATTACK(RULE, INTAKE)                                                          \
	RULE(MEM_9, sf_mem_9_attack) RULE(MEM_10, sf_mem_10_attack)                      \
	RULE(MAL_15, sf_mal_15_attack) INTAKE(sf_excuse_any) INTAKE(sf_on_attack)
#define ON_SLAB_NEW(RULE, INTAKE)                                                        \
	RULE(BIG_1, sf_big_1_new) RULE(BIG_5, sf_big_5_new) RULE(BIG_6, sf_big_6_new)    \
	RULE(PMA_6, sf_pma_6_slab) RULE(ISO_3, sf_iso_3_new) RULE(BUD_11, sf_bud_11)     \
	RULE(ISO_16, sf_iso_16) INTAKE(sf_on_slab_new) RULE(ISO_15, sf_iso_15)
#define ON_SLAB_ORDER(RULE, INTAKE) RULE(MEM_16, sf_mem_16)
#define ON_SLAB_FREE(RULE, INTAKE)                                                       \
	RULE(BIG_7, sf_big_7_slab) RULE(ISO_3, sf_iso_3_slab_free)                       \
	RULE(ISO_14, sf_iso_14) RULE(MEM_19, sf_mem_19_slab) RULE(ACC_5, sf_acc_5_free)  \
	INTAKE(sf_on_slab_free)
#define ON_BLOCK_ADD(RULE, INTAKE)                                                       \
	RULE(BUD_1, sf_bud_1_add) RULE(BUD_5, sf_bud_5_add) RULE(BUD_2, sf_bud_2_add)    \
	RULE(BUD_3, sf_bud_3) RULE(BUD_14, sf_bud_14_add) INTAKE(sf_on_block_add)
#define ON_BLOCK_DEL(RULE, INTAKE)                                                       \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_2, sf_bud_2_del) INTAKE(sf_on_block_del)
#define ON_RMQUEUE(RULE, INTAKE)                                                         \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_7, sf_bud_7) RULE(BUD_5, sf_bud_5_rmqueue)   \
	RULE(BUD_6, sf_bud_6_rmqueue) RULE(BUD_14, sf_bud_14_rmqueue)                    \
	INTAKE(sf_on_rmqueue)
#define ON_CLAIM(RULE, INTAKE)                                                           \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_6, sf_bud_6_claim)                        \
	RULE(BUD_14, sf_bud_14_claim) INTAKE(sf_on_claim)
#define ON_PAGE_ALLOC(RULE, INTAKE)                                                      \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_1, sf_bud_1_page)                            \
	RULE(BUD_2, sf_bud_2_alloc) RULE(BUD_8, sf_bud_8)                                \
	RULE(BUD_15, sf_bud_15_bypass) RULE(BUD_15, sf_bud_15_alloc)                     \
	INTAKE(sf_on_page_alloc)
#define ON_PAGE_FREE(RULE, INTAKE)                                                       \
	RULE(BUD_5, sf_bud_5_done) RULE(BIG_7, sf_big_7_page) RULE(BUD_2, sf_bud_2_free) \
	RULE(ISO_3, sf_iso_3_page_free) RULE(ISO_14, sf_iso_14) INTAKE(sf_on_page_free)
#define ON_PCP_DRAIN(RULE, INTAKE)                                                       \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_2, sf_bud_2_drain)                        \
	RULE(BUD_15, sf_bud_15_drain) INTAKE(sf_on_drain)
#define ON_PAGE_FAIL(RULE, INTAKE)                                                       \
	RULE(BIG_2, sf_big_2_fail) RULE(MEM_12, sf_mem_12_fail)                          \
	RULE(ACC_14, sf_acc_14_fail) INTAKE(sf_on_fail)
#define ON_FAULT(RULE, INTAKE) INTAKE(sf_on_fault)
#define ON_OOM(RULE, INTAKE) RULE(BUD_12, sf_bud_12_oom) RULE(ACC_14, sf_acc_14)         \
	INTAKE(sf_on_oom)
#define ON_SHRINK(RULE, INTAKE) RULE(ACC_22, sf_acc_22) INTAKE(sf_on_shrinker)
#define ON_RECLAIM(RULE, INTAKE) RULE(ACC_15, sf_acc_15)                           \
	RULE(ACC_22, sf_acc_22_round) INTAKE(sf_on_reclaim)
#define ON_COMPACT(RULE, INTAKE) RULE(BUD_16, sf_bud_16_run) INTAKE(sf_on_compact)
#define ON_GRACE(RULE, INTAKE) INTAKE(sf_on_grace)
#define ON_SLAB_DEFER(RULE, INTAKE)                                                      \
	RULE(ISO_3, sf_iso_3_slab_free) RULE(ISO_14, sf_iso_14)                          \
	RULE(MEM_19, sf_mem_19_slab) RULE(ACC_5, sf_acc_5_free) INTAKE(sf_on_slab_defer)
#define ON_RESERVE(RULE, INTAKE)                                                         \
	RULE(BUD_5, sf_bud_5_done) RULE(BUD_12, sf_bud_12_change)                     \
	RULE(BUD_14, sf_bud_14_claim) INTAKE(sf_on_reserve)
#define ON_CHARGE(RULE, INTAKE)                                                          \
	RULE(ACC_9, sf_acc_9_charge) RULE(ACC_19, sf_acc_19_charge) INTAKE(sf_on_charge)
#define ON_WARN(RULE, INTAKE) RULE(MEM_22, sf_mem_22_warn) INTAKE(sf_on_warn)
#define ON_MAP(RULE, INTAKE)                                                             \
	RULE(PMA_6, sf_pma_6_map) RULE(MEM_1, sf_mem_1_map) INTAKE(sf_on_map)
#define ON_UNMAP(RULE, INTAKE) RULE(PMA_8, sf_pma_8_unmap) INTAKE(sf_on_unmap)
#define ON_MAPPING(RULE, INTAKE) INTAKE(sf_on_mapping)
#define ON_MAPS(RULE, INTAKE)                                                            \
	INTAKE(sf_pool_expect) RULE(PMA_3, sf_pma_3) RULE(PMA_1, sf_pma_1)               \
	RULE(PMA_2, sf_pma_2) RULE(PMA_8, sf_pma_8_maps) INTAKE(sf_on_maps)
#define ON_SNAP_BEGIN(RULE, INTAKE) INTAKE(sf_settle) INTAKE(sf_on_snap_begin)
#define ON_SNAP_CACHE(RULE, INTAKE) RULE(ISO_4, sf_iso_4_refs) INTAKE(sf_on_snap)
#define ON_SNAP_SLAB(RULE, INTAKE)                                                       \
	INTAKE(sf_on_snap) RULE(MEM_15, sf_mem_15) RULE(MEM_18, sf_mem_18_walk)
#define ON_SNAP_SHEAF(RULE, INTAKE) INTAKE(sf_on_snap) RULE(MEM_18, sf_mem_18_walk)
#define ON_SNAP_BLOCK(RULE, INTAKE) INTAKE(sf_on_snap)
#define ON_SNAP_PCP(RULE, INTAKE) INTAKE(sf_on_snap)
#define ON_SNAP_USED(RULE, INTAKE) INTAKE(sf_on_snap)
#define ON_SNAP_PAGEBLOCK(RULE, INTAKE) INTAKE(sf_on_snap)
#define ON_SNAP_MEMCG(RULE, INTAKE) INTAKE(sf_on_snap)
#define ON_SNAP_COUNTERS(RULE, INTAKE) INTAKE(sf_on_snap)
#define ON_SHEAF(RULE, INTAKE) RULE(MEM_21, sf_mem_21) INTAKE(sf_excuse_any)             \
	INTAKE(sf_on_sheaf)
#define ON_PAGES_BULK(RULE, INTAKE) RULE(BUD_17, sf_bud_17) INTAKE(sf_excuse_bulk)
#define ON_GOOD_SIZE(RULE, INTAKE) RULE(MAL_3, sf_mal_3)
#define ON_TRIM(RULE, INTAKE)
#define ON_STATS(RULE, INTAKE) RULE(MAL_13, sf_mal_13)
#define ON_INTEGRITY(RULE, INTAKE) RULE(MAL_14, sf_mal_14)
#define ON_USER_HEAP(RULE, INTAKE) RULE(MAL_12, sf_mal_12) INTAKE(sf_on_user_heap)
#define ON_CRASH(RULE, INTAKE) RULE(MAL_17, sf_mal_17)
#define ON_SNAP_END(RULE, INTAKE)                                                        \
	INTAKE(sf_on_snap_end) RULE(MEM_8, sf_mem_8) RULE(MEM_7, sf_mem_7)               \
	RULE(BIG_3, sf_big_3) RULE(BIG_7, sf_big_7) RULE(ACC_1, sf_acc_1)                \
	RULE(ACC_2, sf_acc_2) RULE(ACC_3, sf_acc_3) RULE(ACC_4, sf_acc_4)                \
	RULE(ACC_5, sf_acc_5) RULE(ACC_6, sf_acc_6) RULE(ACC_7, sf_acc_7)                \
	RULE(ACC_8, sf_acc_8) RULE(ACC_9, sf_acc_9) RULE(ACC_10, sf_acc_10)              \
	RULE(ACC_11, sf_acc_11) RULE(ACC_13, sf_acc_13) RULE(ACC_16, sf_acc_16)          \
	RULE(ACC_19, sf_acc_19) RULE(ACC_20, sf_acc_20) RULE(ACC_23, sf_acc_23)          \
	RULE(BUD_3, sf_bud_3_walk)                                                       \
	RULE(BUD_4, sf_bud_4) RULE(BUD_9, sf_bud_9) RULE(BUD_12, sf_bud_12_walk)         \
	RULE(BUD_13, sf_bud_13) RULE(SHF_1, sf_shf_1) RULE(ACC_18, sf_acc_18)                 \
	RULE(MEM_21, sf_mem_21_walk)

/* Listed twice is declared twice: that is no harm. */
#define DECLARE_RULE(inv, fn) unsigned int fn(struct sf_judge *j, const struct sf_event *ev);
#define DECLARE_INTAKE(fn) void fn(struct sf_judge *j, const struct sf_event *ev);
#define X(id, member, doc) ON_##id(DECLARE_RULE, DECLARE_INTAKE)
SF_EVENTS(X)
#undef X
#undef DECLARE_RULE
#undef DECLARE_INTAKE

#endif
