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
	X(1, pages, 16384, 64, 1u << 23, "pages of 4 KiB", "mem=", "simulated physical memory")  \
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
	  "per-CPU sheaves; off: every free goes to its slab")                                   \
	X(16, init_on_free, 0, 0, 1, "bool", "init_on_free=", "wipe what is freed")              \
	X(17, freelist_random, 0, 0, 1, "bool", "CONFIG_SLAB_FREELIST_RANDOM",                   \
	  "a fresh slab hands out its objects in a random rotation of a random order")           \
	X(18, freelist_hardened, 0, 0, 1, "bool", "CONFIG_SLAB_FREELIST_HARDENED",               \
	  "free pointers are encoded; frees are checked against the cache and the list's head")  \
	X(19, shuffle, 0, 0, 1, "bool", "page_alloc.shuffle=",                                   \
	  "the largest free blocks are shuffled at boot and go back to a random end")            \
	X(20, slab_virtual, 0, 0, 1, "bool", "CONFIG_SLAB_VIRTUAL (not merged)",                 \
	  "slabs have addresses of their own, which no other cache ever gets")                   \
	X(21, buckets, 1, 0, 1, "bool", "CONFIG_SLAB_BUCKETS",                                   \
	  "kmem_buckets are caches of their own; off: plain kmalloc")                            \
	X(22, flex, 0, 0, 1, "documented|implemented", "kmalloc_flex()",                         \
	  "a count that its counter cannot hold: refused, or cut off as Linux 7.2 does")         \
	X(23, type_align, 0, 0, 1, "bool", "none (proposed with kmalloc_obj)",                   \
	  "an allocation of a known type is aligned as the type is")                             \
	X(24, slot_offset, 0, 0, 1, "bool", "none (proposed with kmalloc_obj)",                  \
	  "an object of a known type begins at a random offset in its slot")                     \
	X(25, misuse, 0, 0, 1, "bool", "none",                                                   \
	  "operations that misuse the allocator on purpose are carried out, and taint the run")    \
	X(26, accounting, 2, 0, 2, "none|indirect|reclaimable", "none (4.16, 4.17, 4.20)",       \
	  "how memory that goes with its owner is counted: not at all, in a counter of its own, "  \
	  "or in kmalloc-rcl caches")                                                            \
	X(27, oom, 0, 0, 2, "kernel|flush|4.16", "none",                                         \
	  "out of memory: as Linux 7.2; only after sheaves were flushed; or with the overcommit "  \
	  "guess of 4.16 as well")                                                               \
	X(28, min_order, 0, 0, 10, "order", "none",                                              \
	  "no slab of any cache is smaller, not even when memory is short")                      \
	X(29, large_sheaf, 0, 0, 60, "objects", "none",                                          \
	  "capacity of the sheaves of caches whose slabs are 2 MiB blocks")                      \
	X(30, large_min_partial, 0, 0, 10, "slabs", "none",                                      \
	  "min_partial of caches whose slabs are 2 MiB blocks")                                  \
	X(31, directmap, 0, 0, 1, "open|sealed", "none (proposed with pmalloc)",                 \
	  "sealed memory can be written through the direct map, or is sealed there too")

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
	/* A unit with a '|' is a choice: the names of the values from 0 on ("off|on"). */
	const char *unit, *kernel, *doc;
};

extern const struct sf_setting_info sf_setting_table[];
extern const size_t sf_setting_count;

/* All defaults. */
void sf_settings_init(struct sf_settings *set);

/* NULL if there is none of that name / code. */
const struct sf_setting_info *sf_setting_by_name(const char *name, size_t len);
const struct sf_setting_info *sf_setting_by_code(unsigned int code);

/* Its values have names, and sf_setting_text() gives them. */
bool sf_setting_is_choice(const struct sf_setting_info *info);

/*
 * A value as people write it: a number (decimal or 0x), a name if the setting is a choice, on, off,
 * yes, no, y or n if it is a bool. Returns NULL and writes *value, or what was expected instead
 * ("a number from 0 to 10", "documented or implemented"), valid until the next call with the same
 * `buf`.
 */
const char *sf_setting_parse(const struct sf_setting_info *info, const char *s, size_t len,
			     uint64_t *value, char buf[120]);
/* The value as people write it, in buf. */
const char *sf_setting_text(const struct sf_setting_info *info, uint64_t value, char buf[40]);

static inline uint64_t *sf_setting_slot(struct sf_settings *set, const struct sf_setting_info *info)
{
	return (uint64_t *)((char *)set + info->offset);
}

/*
 * What contradicts itself in these settings, as one line for a person, or NULL. For settings that
 * a person wrote down (`--set`, a `heap` line): a byte program's are brought in line instead.
 */
const char *sf_settings_fault(const struct sf_settings *set);

/*
 * Brings a combination into what a kernel would accept, as its boot code does (slab_min_order above
 * slab_max_order raises the maximum; mm/slub.c:setup_slub_min_order). Values are in range already.
 */
void sf_settings_fixup(struct sf_settings *set);

#endif
