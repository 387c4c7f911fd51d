/* SPDX-License-Identifier: MIT */
/*
 * live.h - static liveness: what each result of a program is, and whether it can still be used.
 *
 * Private to program.c, bytes.c and text_*.c. fixup and decode repair operations with it, the text
 * parser refuses with it, so all three agree on what a valid program is.
 */
#ifndef SLABFUZZ_LIVE_H
#define SLABFUZZ_LIVE_H

#include "../../allocators/base/hash_map.h"
#include "program.h"

/* What a reference may point to: kinds of results, with objects of named caches told apart. */
enum sf_class {
	SF_CLASS_KMALLOC,
	SF_CLASS_NAMED, /* kmem_cache_alloc(): goes with its cache */
	SF_CLASS_KV,
	SF_CLASS_PAGES,
	SF_CLASS_EXACT,
	SF_CLASS_BULK,  /* goes with its cache */
	SF_CLASS_CACHE,
	SF_CLASS_BUCKETS,
	SF_CLASS_DEVICE,
	SF_CLASS_DEVM,  /* goes with its device */
	SF_CLASS_MEMCG,
	SF_CLASS_POOL,
	SF_CLASS_POOLED, /* goes with its pool */
	SF_CLASS_PAGES_BULK,
	SF_CLASS_SHEAF, /* goes with its cache */
	SF_CLASS_USER,  /* of user space: goes with its heap, if it is of one */
	SF_CLASS_ALIGNED,
	SF_CLASS_MEMALIGNED,
	SF_CLASS_HEAP,
	SF_CLASS_REGION, /* goes with its heap */
	SF_CLASSES,
};

extern const char *const sf_class_names[SF_CLASSES];

struct sf_live_res {
	uint64_t label;        /* what the program calls it */
	uint32_t older, newer; /* list of the live ones of its class */
	uint32_t cache;        /* cache or device it was allocated from, or SF_NONE */
	uint32_t defined, died;/* lines, for messages; died is meant only if dead */
	uint8_t class;         /* enum sf_class */
	bool dead;             /* freed for certain (not: moved by a realloc) */
	bool listed;
};

_Static_assert(SF_MAP_NONE == SF_NONE, "what a map does not have is no result");

struct sf_live {
	struct sf_live_res *res;
	uint32_t nr, cap;
	uint32_t nr_caches;
	uint32_t newest[SF_CLASSES];
	uint32_t newest_dead;  /* object, or SF_NONE; the ones before are linked by `older` */
	struct sf_map labels; /* label -> result */
	struct sf_map names;  /* hash of a cache's name -> result of its latest create */
};

/* The program's own, made on first use; empty. */
struct sf_live *sf_live_begin(struct sf_prog *p);
void sf_live_free(struct sf_live *l);

uint32_t sf_live_find(const struct sf_live *l, uint64_t label); /* SF_NONE: undefined */
bool sf_live_usable(const struct sf_live *l, uint32_t res);
/* Classes that argument `kind` of `op` takes, as bits. Its cache argument is known already. */
unsigned int sf_live_accepts(const struct sf_op *op, unsigned int kind);
/* The result of the live cache of that name, or SF_NONE. */
uint32_t sf_live_named(const struct sf_live *l, const char *name);

/*
 * The effects of a valid operation, whose references are result numbers: what it frees is dead,
 * what it defines gets the next number (in op->res) and is found by `label`, unless that is
 * SF_NONE.
 */
void sf_live_apply(struct sf_live *l, const struct sf_prog *p, struct sf_op *op, uint64_t label);

/*
 * Repairs an operation whose references and res are labels, and applies it. False: it must be
 * dropped (nothing was applied).
 */
bool sf_live_fix(struct sf_live *l, struct sf_prog *p, struct sf_op *op);

/*
 * Smallest and largest value of a COUNT or ORDER argument. Positional they are the objects of a
 * bulk and the order of a block, as keys just small numbers.
 */
struct sf_limits {
	uint32_t lo, hi;
};
struct sf_limits sf_arg_limits(unsigned int kind, bool key);

/* Fields of an operation by the argument table, as numbers. */
static inline uint64_t sf_arg_get(const struct sf_op *op, unsigned int kind)
{
	const char *at = (const char *)op + sf_arg_table[kind].offset;

	switch (sf_arg_table[kind].size) {
	case 1:
		return *(const uint8_t *)at;
	case 2:
		return *(const uint16_t *)(const void *)at;
	case 4:
		return *(const uint32_t *)(const void *)at;
	}
	return *(const uint64_t *)(const void *)at;
}

static inline void sf_arg_set(struct sf_op *op, unsigned int kind, uint64_t value)
{
	char *at = (char *)op + sf_arg_table[kind].offset;

	switch (sf_arg_table[kind].size) {
	case 1:
		*(uint8_t *)at = (uint8_t)value;
		return;
	case 2:
		*(uint16_t *)(void *)at = (uint16_t)value;
		return;
	case 4:
		*(uint32_t *)(void *)at = (uint32_t)value;
		return;
	}
	*(uint64_t *)(void *)at = value;
}

/* sf_op_make(), inline for the decoder's sake. */
static inline struct sf_op sf_op_blank(unsigned int code)
{
	return (struct sf_op){
		.code = (uint8_t)code,
		.res = SF_NONE,
		.obj = SF_NONE,
		.obj2 = SF_NONE,
		.cache = SF_NONE,
	};
}

static inline const struct sf_op_info *sf_op_info(const struct sf_op *op)
{
	return &sf_op_table[op->code & SF_CODE_MAX];
}

bool sf_name_char(unsigned char c);
/* Room for `n` operations, so that the next ones append without malloc. */
void sf_prog_reserve(struct sf_prog *p, uint64_t n);

/*
 * Canonical form of an expectation behind `op`, with its condition; false: it is none.
 */
bool sf_expect_parse(const struct sf_op *op, const char *s, size_t len,
		     char out[SF_STRING_MAX + 1]);

extern const char *const sf_fault_names[SF_FAULTS];
extern const char *const sf_pool_mode_names[SF_POOL_MODE_COUNT];

#endif
