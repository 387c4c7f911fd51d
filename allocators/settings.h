/* SPDX-License-Identifier: MIT */
/*
 * settings.h - heap settings: one table; `--set`, `heap` lines, `slabfuzz list settings`, the byte
 * encoding and the defaults all come from it.
 *
 * A setting stands for a boot or build option of a kernel. Settings are read once, by create();
 * nothing changes them later. Codes are permanent: the byte encoding of programs uses them.
 */
#ifndef SLABFUZZ_SETTINGS_H
#define SLABFUZZ_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * SF_SETTINGS(X): X(code, field, default, min, max, unit, kernel option, what it does)
 */
#define SF_SETTINGS(X)                                                                           \
	X(1, pages, 16384, 64, 1u << 26, "pages of 4 KiB", "mem=", "simulated physical memory")  \
	X(2, cpus, 2, 1, 64, "CPUs", "nr_cpus=", "simulated CPUs")                               \
	X(3, seed, 0, 0, UINT64_MAX, "", "get_random_u64()", "per-boot random seed")             \
	X(4, slab_min_order, 0, 0, 10, "order", "slab_min_order=", "smallest preferred slab")    \
	X(5, slab_max_order, 3, 0, 10, "order", "slab_max_order=", "largest preferred slab")     \
	X(6, slab_min_objects, 0, 0, 32767, "objects", "slab_min_objects=",                      \
	  "objects a slab should hold; 0: by number of CPUs")                                    \
	X(7, slab_nomerge, 0, 0, 1, "bool", "slab_nomerge", "never merge caches")                \
	X(8, memcg, 1, 0, 1, "bool", "CONFIG_MEMCG", "kmalloc-cg caches exist")                  \
	X(9, zone_dma, 1, 0, 1, "bool", "CONFIG_ZONE_DMA", "dma-kmalloc caches exist")           \
	X(10, nokmem, 0, 0, 1, "bool", "cgroup.memory=nokmem", "kmalloc-cg is kmalloc")          \
	X(11, usercopy, 1, 0, 1, "bool", "CONFIG_HARDENED_USERCOPY",                             \
	  "caches with a usercopy window (all kmalloc caches) never merge")                      \
	X(12, watermarks, 1, 0, 1, "bool", "min_free_kbytes=",                                   \
	  "keep the zone's reserves; off: allocate to the last page")                            \
	X(13, pageblock_order, 9, 4, 10, "order", "HUGETLB_PAGE_ORDER",                          \
	  "size of a page block (10 where there are no huge pages, as under UML)")               \
	X(14, init_on_alloc, 0, 0, 1, "bool", "init_on_alloc=", "zero every object handed out")  \
	X(15, sheaves, 1, 0, 1, "bool", "CONFIG_SLUB_TINY=n",                                    \
	  "per-CPU sheaves; off: every free goes to its slab")

struct sf_settings {
#define X(code, field, def, lo, hi, unit, kernel, doc) uint64_t field;
	SF_SETTINGS(X)
#undef X
};

enum sf_setting_code {
#define X(code, field, def, lo, hi, unit, kernel, doc) SF_SET_##field = (code),
	SF_SETTINGS(X)
#undef X
};

struct sf_setting_info {
	const char *name;
	uint8_t code;
	uint16_t offset; /* of the uint64_t in struct sf_settings */
	uint64_t def, min, max;
	const char *unit, *kernel, *doc;
};

extern const struct sf_setting_info sf_setting_table[];
extern const size_t sf_setting_count;

/* All defaults. */
void sf_settings_init(struct sf_settings *set);

/* NULL if there is none of that name / code. */
const struct sf_setting_info *sf_setting_by_name(const char *name, size_t len);
const struct sf_setting_info *sf_setting_by_code(unsigned int code);

static inline uint64_t *sf_setting_slot(struct sf_settings *set, const struct sf_setting_info *info)
{
	return (uint64_t *)((char *)set + info->offset);
}

/*
 * Brings a combination into what a kernel would accept, as its boot code does (slab_min_order above
 * slab_max_order raises the maximum; mm/slub.c:setup_slub_min_order). Values are in range already.
 */
void sf_settings_fixup(struct sf_settings *set);

#endif
