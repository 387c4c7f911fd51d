// SPDX-License-Identifier: MIT
/*
 * draw.c - values for arguments: one function for each kind of SF_ARGS, so that a new kind does not
 * build until its interesting values are thought about. Relies on the operation and type
 * tables; generate.c and mutate.c rely on it.
 */
#include "mutate_internal.h"

#include <assert.h>
#include <string.h>

#include "../program/types.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum {
	/* Results looked at for a reference: that one is alive takes a walk over what follows. */
	TARGETS_MAX = 24,
	DEVRES_HEADER = 56, /* drivers/base/devres.c:struct devres */
};

/* Sizes at which a kmalloc class begins or ends (mm/slab_common.c:kmalloc_size_index). */
static const uint16_t class_sizes[] = { 8,   16,  32,   64,   96,   128, 192,
					256, 512, 1024, 2048, 4096, 8192 };

/* Values at which 32- and 64-bit arithmetic, and the page allocator's limit, turn over. */
static const uint64_t edges[] = { 0,          1ull << 16, 1ull << 22, 1ull << 31, 1ull << 32,
				  1ull << 33, 1ull << 48, 1ull << 63, UINT64_MAX };

/* Objects around a sheaf's capacity (mm/slub.c:calculate_sheaf_capacity) and a flush batch. */
static const uint8_t bulk_counts[] = { 1, 2, 4, 12, 13, 28, 29, 32, 33, 60, 61, 64 };

static const char *const names[] = { "dentry", "inode_cache", "filp", "cred_jar", "task_struct",
				     "vm_area_struct", "skbuff_head_cache", "maple_node",
				     "anon_vma", "names_cache", "a", "b" };

struct weighted {
	uint8_t weight;
	uint32_t value;
};

static const struct weighted gfps[] = {
	{ 24, SF_GFP_KERNEL },
	{ 6, SF_GFP_KERNEL_ACCOUNT },
	{ 6, SF_GFP_KERNEL | SF_GFP_RECLAIMABLE },
	{ 4, SF_GFP_ATOMIC },
	{ 4, SF_GFP_NOWAIT },
	{ 3, SF_GFP_KERNEL | SF_GFP_DMA },
	{ 2, SF_GFP_KERNEL | SF_GFP_ZERO },
	{ 2, SF_GFP_HIGHUSER_MOVABLE },
	{ 2, SF_GFP_KERNEL | SF_GFP_MOVABLE },
	{ 2, SF_GFP_KERNEL | SF_GFP_NORETRY | SF_GFP_NOWARN },
	{ 2, SF_GFP_KERNEL | SF_GFP_RETRY_MAYFAIL },
	{ 1, SF_GFP_KERNEL | SF_GFP_NOFAIL },
	{ 1, SF_GFP_KERNEL | SF_GFP_MEMALLOC },
	{ 1, SF_GFP_KERNEL | SF_GFP_COMP },
	{ 1, SF_GFP_KERNEL_ACCOUNT | SF_GFP_RECLAIMABLE | SF_GFP_DMA },
	{ 1, SF_GFP_NOIO },
	{ 1, SF_GFP_NOFS },
	{ 1, SF_GFP_USER },
	{ 1, 0 },
};

/* What kmalloc_nolock() takes without complaint, and what counts to a prefilled sheaf. */
static const struct weighted nolock_gfps[] = {
	{ 4, 0 },
	{ 2, SF_GFP_ZERO },
	{ 2, SF_GFP_ACCOUNT },
	{ 1, SF_GFP_ACCOUNT | SF_GFP_ZERO | SF_GFP_NOWARN },
};

static const struct weighted slab_flags[] = {
	{ 12, 0 },
	{ 4, SF_SLAB_HWCACHE_ALIGN },
	{ 8, SF_SLAB_RECLAIM_ACCOUNT },
	{ 3, SF_SLAB_ACCOUNT },
	{ 3, SF_SLAB_CTOR },
	{ 2, SF_SLAB_TYPESAFE_BY_RCU },
	{ 2, SF_SLAB_NO_MERGE },
	{ 1, SF_SLAB_CACHE_DMA },
	{ 1, SF_SLAB_NOLEAKTRACE },
	{ 1, SF_SLAB_HWCACHE_ALIGN | SF_SLAB_PANIC | SF_SLAB_ACCOUNT },
	{ 1, SF_SLAB_RECLAIM_ACCOUNT | SF_SLAB_ACCOUNT },
};

static uint32_t pick_weighted(struct sf_rng *r, const struct weighted *w, size_t nr)
{
	uint32_t total = 0, x;

	for (size_t i = 0; i < nr; i++)
		total += w[i].weight;
	x = (uint32_t)sf_rng_below(r, total);
	for (size_t i = 0; i < nr; i++) {
		if (x < w[i].weight)
			return w[i].value;
		x -= w[i].weight;
	}
	return w[0].value;
}

/* x - 1, x or x + 1. */
static uint64_t near(struct sf_rng *r, uint64_t x)
{
	return x + sf_rng_below(r, 3) - 1;
}

static uint64_t pick_edge(struct sf_rng *r)
{
	uint64_t x = edges[sf_rng_below(r, NR(edges))];

	if (sf_rng_one_in(r, 4))
		return x - sf_rng_below(r, 2 * SF_PAGE_SIZE);
	return near(r, x);
}

static uint64_t pick_class_edge(struct sf_rng *r)
{
	return near(r, class_sizes[sf_rng_below(r, NR(class_sizes))]);
}

/*
 * Whole pages, mostly few: an input that does nothing but map and zero megabytes keeps others
 * waiting.
 */
static uint64_t pick_pages(struct sf_rng *r)
{
	if (sf_rng_one_in(r, 2))
		return SF_PAGE_SIZE << sf_rng_below(r, sf_rng_one_in(r, 4) ? SF_NR_ORDERS : 5);
	return SF_PAGE_SIZE * (1 + sf_rng_below(r, sf_rng_one_in(r, 4) ? 160 : 20));
}

static uint64_t pick_size(struct sf_rng *r)
{
	uint64_t x = sf_rng_below(r, 64);

	if (x < 30)
		return pick_class_edge(r);
	if (x < 38)
		return sf_rng_below(r, 257);
	if (x < 46)
		return near(r, pick_pages(r));
	if (x < 52)
		return (1 + sf_rng_below(r, 64)) * class_sizes[sf_rng_below(r, NR(class_sizes))];
	if (x < 58)
		return sf_rng_next(r) >> (44 + sf_rng_below(r, 20));
	if (x < 59)
		return 0;
	if (x < 63)
		return pick_edge(r);
	return sf_rng_next(r);
}

/* A neighbour of a number, in one of the senses in which sizes are neighbours. */
static uint64_t tweak_number(struct sf_rng *r, uint64_t x)
{
	switch (sf_rng_below(r, 6)) {
	case 0:
		return x + 1;
	case 1:
		return x - 1;
	case 2:
		return x << 1;
	case 3:
		return x >> 1;
	case 4:
		return x ^ (1ull << sf_rng_below(r, 64));
	default:
		return x + sf_rng_below(r, 33) - 16;
	}
}

static bool op_has(enum sf_opcode code, enum sf_arg_kind kind)
{
	const struct sf_arg_info *a = sf_op_table[code].arg;

	for (unsigned int i = 0; i < SF_OP_ARGS_MAX && a[i].kind; i++)
		if (a[i].kind == kind)
			return true;
	return false;
}

static bool from_pool(const struct sf_op *def)
{
	return sf_op_table[def->code].flags & SF_OPF_POOL;
}

/*
 * Sizes that slabs of 2 MiB are for: where one object more or less fits into 512 pages, and where
 * it fits no better any more.
 */
static uint64_t pick_large(struct sf_rng *r)
{
	static const uint32_t sizes[] = { 4096,   5856,   8448,   32768,  51472,  419430, 524288,
					  655360, 655360, 699050, 699392, 720896 };
	uint64_t size = sizes[sf_rng_below(r, NR(sizes))];

	if (sf_rng_one_in(r, 2))
		return sf_rng_one_in(r, 3) ? near(r, size) : size;
	return near(r, 512 / (3 + sf_rng_below(r, sf_rng_one_in(r, 4) ? 61 : 13)) * SF_PAGE_SIZE);
}

/* Of a pool's objects: small, next to each other; or across pages. */
static uint64_t pick_pooled(struct sf_rng *r)
{
	if (sf_rng_one_in(r, 16))
		return pick_size(r);
	return sf_rng_one_in(r, 4) ? 1 + sf_rng_below(r, 3 * SF_PAGE_SIZE) :
				     1 + sf_rng_below(r, 257);
}

/* Of a rare write: the rest of the object, a word or a few, or anything. */
static uint64_t pick_rare(struct sf_rng *r)
{
	if (sf_rng_one_in(r, 2))
		return 0;
	return sf_rng_one_in(r, 8) ? pick_size(r) :
				     1 + sf_rng_below(r, sf_rng_one_in(r, 4) ? 5000 : 33);
}

/* --- user space --- */

/* Where arithmetic of 32 and 64 bits turns over, and the largest object that C allows. */
static uint64_t pick_impossible(struct sf_rng *r)
{
	static const uint64_t at[] = { 1ull << 31, 1ull << 32, 1ull << 47, 1ull << 63, UINT64_MAX };
	uint64_t size = at[sf_rng_below(r, NR(at))];

	if (sf_rng_one_in(r, 2))
		return near(r, size);
	return size - sf_rng_below(r, 2 * SF_PAGE_SIZE);
}

/*
 * Around what size classes are made of (16 bytes, powers of two and their quarters), around pages,
 * and, rarely, the size of the heap.
 */
static uint64_t pick_user_size(struct sf_draw *d)
{
	struct sf_rng *r = d->rng;
	uint64_t x = sf_rng_below(r, 64), power;

	if (x < 22)
		return near(r, 16 * (1 + sf_rng_below(r, x < 14 ? 16 : 128)));
	if (x < 36) {
		power = 1ull << sf_rng_below(r, sf_rng_one_in(r, 6) ? 21 : 13);
		return near(r, power + power / 4 * sf_rng_below(r, 4));
	}
	if (x < 48)
		return sf_rng_below(r, 257);
	if (x < 55)
		return near(r, SF_PAGE_SIZE * (1 + sf_rng_below(r, 40)));
	if (x < 60)
		return sf_rng_next(r) >> (44 + sf_rng_below(r, 20));
	if (x < 61)
		return 0;
	if (x < 62)
		return near(r, d->p->settings.pages * SF_PAGE_SIZE - sf_rng_below(r, 4096));
	return pick_impossible(r);
}

/* Of a heap, or a further block: some odd, many small enough to be filled. */
static uint64_t pick_block(struct sf_rng *r)
{
	uint64_t size = 512ull << sf_rng_below(r, 12);

	if (sf_rng_one_in(r, 16))
		return sf_rng_one_in(r, 2) ? sf_rng_below(r, 512) : pick_impossible(r);
	return sf_rng_one_in(r, 3) ? size : size + sf_rng_below(r, size);
}

/* Heaps in which many objects of 2 MiB slabs may lie. */
static bool is_roomy(const struct sf_settings *set)
{
	return set->pages >= 2048 && set->pages <= 4096;
}

/* Sizes with which one operation is mostly called; the others see all kinds. */
static uint64_t pick_size_of(struct sf_draw *d, enum sf_opcode code)
{
	struct sf_rng *r = d->rng;

	if (code == SF_OP_HEAP_CREATE || code == SF_OP_HEAP_ADD)
		return pick_block(r);
	if (sf_is_user_word(code))
		return pick_user_size(d);
	if (code == SF_OP_RARE_WRITE)
		return pick_rare(r);
	if (sf_op_table[code].flags & SF_OPF_POOL)
		return pick_pooled(r);
	if (sf_op_table[code].res != SF_RES_MEMCG && code != SF_OP_FAULT_ATTR &&
	    sf_rng_one_in(r, is_roomy(&d->p->settings) ? 12 : 64))
		return pick_large(r);
	if (code == SF_OP_MEMCG_CREATE) /* a limit that a program can reach, or none */
		return sf_rng_one_in(r, 4) ? 0 : sf_rng_below(r, 1u << (8 + sf_rng_below(r, 12)));
	if (code == SF_OP_FAULT_ATTR) /* space */
		return sf_rng_one_in(r, 2) ? 0 : sf_rng_below(r, 4096);
	if (code == SF_OP_CACHE_CREATE && !sf_rng_one_in(r, 16))
		return sf_rng_one_in(r, 2) ? pick_class_edge(r) : 1 + sf_rng_below(r, 4096);
	/* Each of a set's classes by itself; what is larger leaves the set. */
	if (op_has(code, SF_ARG_BUCKETS) && !sf_rng_one_in(r, 4))
		return pick_class_edge(r);
	/* The classes are those of the object and its header together. */
	if (sf_op_table[code].flags & SF_OPF_DEVM && sf_rng_one_in(r, 2)) {
		uint64_t size = pick_class_edge(r);

		return size > DEVRES_HEADER ? size - DEVRES_HEADER : size;
	}
	return pick_size(r);
}

static void draw_SIZE(struct sf_draw *d, struct sf_op *op)
{
	if (d->tweak && sf_rng_one_in(d->rng, 2))
		op->size = tweak_number(d->rng, op->size);
	else
		op->size = pick_size_of(d, op->code);
	/*
	 * vmalloc() and pools take their pages one by one: megabytes of them are slow and show
	 * little.
	 */
	if ((sf_op_table[op->code].res == SF_RES_KV || from_pool(op)) && op->size > 1 << 18 &&
	    op->size < 1 << 26 && !sf_rng_one_in(d->rng, 8))
		op->size >>= 6;
}

/* Makes n * size a number that looks small in 64 bits although the product does not fit. */
static void draw_wrap(struct sf_rng *r, struct sf_op *op)
{
	unsigned int k = 1 + (unsigned int)sf_rng_below(r, 62);

	op->n = 1ull << k;
	op->size = (1ull << (64 - k)) + sf_rng_below(r, 64);
	if (sf_rng_one_in(r, 2)) {
		uint64_t n = op->n;

		op->n = op->size;
		op->size = n;
	}
}

static uint64_t element_size(const struct sf_op *op)
{
	if (op_has(op->code, SF_ARG_SIZE))
		return op->size;
	if (op->type >= sf_type_count)
		return 0;
	if (sf_op_table[op->code].flags & SF_OPF_FLEX)
		return sf_types[op->type].flex_elem;
	return sf_types[op->type].size;
}

/*
 * Whether it cannot be met, or leaves nothing behind: what it defines is hardly worth a use. Of a
 * kernel's words only where no kernel is asked: to run out of memory is what those are drawn for.
 */
static bool is_hopeless(const struct sf_draw *d, const struct sf_op *def)
{
	uint64_t size = element_size(def), most = d->p->settings.pages * SF_PAGE_SIZE;

	if (!sf_is_user_word(def->code) && (!d->caps || d->caps & SF_CAP_KMALLOC))
		return false;
	if (op_has(def->code, SF_ARG_N) && __builtin_mul_overflow(def->n, size, &size))
		return true;
	if (size >= most || (!size && sf_op_table[def->code].flags & SF_OPF_MOVES))
		return true;
	if (sf_op_table[def->code].res == SF_RES_HEAP)
		return size < 1024;
	return op_has(def->code, SF_ARG_ANY_ALIGN) &&
	       (def->align < sizeof(void *) || def->align & (def->align - 1) || def->align > most);
}

static void draw_N(struct sf_draw *d, struct sf_op *op)
{
	uint64_t elem = element_size(op);

	if (d->tweak && sf_rng_one_in(d->rng, 3)) {
		op->n = tweak_number(d->rng, op->n);
		return;
	}
	if (op->code == SF_OP_VM_ENOUGH_MEMORY) {
		op->n = sf_rng_below(d->rng, 2 * d->p->settings.pages);
		return;
	}
	if (!elem)
		elem = 1;
	switch (sf_rng_below(d->rng, 8)) {
	case 0:
		op->n = pick_edge(d->rng);
		break;
	case 1:
		op->n = UINT64_MAX / elem + sf_rng_below(d->rng, 2);
		break;
	case 2:
		if (op_has(op->code, SF_ARG_SIZE))
			draw_wrap(d->rng, op);
		else /* what an 8- or 16-bit counter holds, and one more */
			op->n = (sf_rng_one_in(d->rng, 2) ? 256 : 65536) - sf_rng_below(d->rng, 2);
		break;
	case 3:
		op->n = pick_size(d->rng) / elem + sf_rng_below(d->rng, 2);
		break;
	default:
		op->n = sf_rng_below(d->rng, 33);
	}
}

static void draw_GFP(struct sf_draw *d, struct sf_op *op)
{
	static const uint8_t bits[] = {
#define X(id, name, bit) bit,
		SF_GFP_BITS(X)
#undef X
	};

	if (d->tweak && sf_rng_one_in(d->rng, 2))
		op->gfp ^= 1u << bits[sf_rng_below(d->rng, NR(bits))];
	else if ((op->code == SF_OP_KMALLOC_NOLOCK || op->code == SF_OP_ALLOC_FROM_SHEAF) &&
		 !sf_rng_one_in(d->rng, 16))
		op->gfp = pick_weighted(d->rng, nolock_gfps, NR(nolock_gfps));
	else
		op->gfp = pick_weighted(d->rng, gfps, NR(gfps));
}

static void draw_SLAB_FLAGS(struct sf_draw *d, struct sf_op *op)
{
	static const uint8_t bits[] = {
#define X(id, name, bit) bit,
		SF_SLAB_FLAGS(X)
#undef X
	};

	if (sf_rng_one_in(d->rng, d->tweak ? 2 : 16))
		op->flags ^= 1u << bits[sf_rng_below(d->rng, NR(bits))];
	else
		op->flags = pick_weighted(d->rng, slab_flags, NR(slab_flags));
	op->flags &= SF_SLAB_USER;
}

static void draw_ALIGN(struct sf_draw *d, struct sf_op *op)
{
	if (sf_rng_one_in(d->rng, 3))
		op->align = 0;
	else if (sf_rng_one_in(d->rng, 8))
		op->align = 1u << sf_rng_below(d->rng, 32);
	else
		op->align = 1u << sf_rng_below(d->rng, 13);
}

static bool has_flex(const struct sf_type *t)
{
	return t->flex_elem != 0;
}

static bool is_aligned(const struct sf_type *t)
{
	return t->align > 8;
}

/* The first type from number 1 + t on that is so, round and round; less 1, like t. */
static uint32_t next_type(uint32_t t, bool (*is)(const struct sf_type *t))
{
	for (uint32_t i = 0; i < sf_type_count && !is(&sf_types[1 + t]); i++)
		t = (t + 1) % (sf_type_count - 1);
	return t;
}

/* Few types are aligned, but two settings are about little else. */
static uint64_t aligned_one_in(const struct sf_settings *set)
{
	return set->type_align || set->slot_offset ? 4 : 64;
}

static void draw_TYPE(struct sf_draw *d, struct sf_op *op)
{
	uint32_t t;

	if (sf_type_count < 2 || (d->arg->key && sf_rng_one_in(d->rng, 2))) {
		op->type = 0;
		return;
	}
	t = (uint32_t)sf_rng_below(d->rng, sf_type_count - 1);
	if (sf_op_table[op->code].flags & SF_OPF_FLEX)
		t = next_type(t, has_flex);
	else if (sf_rng_one_in(d->rng, aligned_one_in(&d->p->settings)))
		t = next_type(t, is_aligned);
	op->type = (uint16_t)(1 + t);
}

static void draw_SITE(struct sf_draw *d, struct sf_op *op)
{
	if (d->arg->key && sf_rng_one_in(d->rng, 2))
		op->site = 0;
	else
		op->site = (uint16_t)(1 + sf_rng_below(d->rng, 16));
}

static void draw_ORDER(struct sf_draw *d, struct sf_op *op)
{
	if (d->tweak && sf_rng_one_in(d->rng, 2))
		op->order = (uint8_t)(op->order + (sf_rng_one_in(d->rng, 2) ? 1 : -1));
	else if (op->code == SF_OP_ALLOC_PAGES_BULK) /* an array that is full here and there */
		op->order = sf_rng_one_in(d->rng, 3) ? (uint8_t)sf_rng_below(d->rng, 5) : 0;
	else if (d->arg->key) /* a sheaf's capacity: mostly left to the allocator */
		op->order = sf_rng_one_in(d->rng, 4) ? (uint8_t)sf_rng_below(d->rng, 256) : 0;
	else if (sf_rng_one_in(d->rng, 2))
		op->order = (uint8_t)sf_rng_below(d->rng, 4);
	else
		op->order = (uint8_t)sf_rng_below(d->rng, SF_NR_ORDERS + sf_rng_one_in(d->rng, 8));
}

static void draw_CPU(struct sf_draw *d, struct sf_op *op)
{
	op->cpu = (uint8_t)sf_rng_below(d->rng, d->p->settings.cpus);
}

static void draw_COUNT(struct sf_draw *d, struct sf_op *op)
{
	if (d->tweak && sf_rng_one_in(d->rng, 2))
		op->count = (uint16_t)tweak_number(d->rng, op->count);
	else if (!d->arg->key)
		op->count = sf_rng_one_in(d->rng, 2)
				    ? bulk_counts[sf_rng_below(d->rng, NR(bulk_counts))]
				    : (uint16_t)(1 + sf_rng_below(d->rng, 64));
	else if (op->code == SF_OP_RARE_WRITE) /* where in the object it begins */
		op->count = sf_rng_one_in(d->rng, 2) ? 0 :
			    (uint16_t)sf_rng_below(d->rng, sf_rng_one_in(d->rng, 4) ? 4200 : 40);
	else if (op->code == SF_OP_POOL_CREATE) /* pages of an area */
		op->count = (uint16_t)sf_rng_below(d->rng, sf_rng_one_in(d->rng, 16) ? 600 : 5);
	else if (op->code == SF_OP_CACHE_CREATE || op->code == SF_OP_BUCKETS_CREATE)
		op->count = sf_rng_one_in(d->rng, 4) ? (uint16_t)sf_rng_below(d->rng, 1025) : 0;
	else
		op->count = (uint16_t)sf_rng_below(d->rng, sf_rng_one_in(d->rng, 4) ? 64 : 4);
}

static void draw_FAULT(struct sf_draw *d, struct sf_op *op)
{
	op->fault = (uint8_t)sf_rng_below(d->rng, SF_FAULTS);
}

static void draw_NAME(struct sf_draw *d, struct sf_op *op)
{
	const char *s = names[sf_rng_below(d->rng, NR(names))];

	op->name = sf_prog_string(d->p, s, strlen(s));
}

static void draw_BOOL(struct sf_draw *d, struct sf_op *op)
{
	op->flag = d->tweak ? !op->flag : sf_rng_one_in(d->rng, 4);
}

#define TAKES_USER (1u << SF_RES_USER | 1u << SF_RES_ALIGNED | 1u << SF_RES_MEMALIGNED)

/* Which kinds of result an argument takes, as bits 1 << enum sf_res_kind; 0: it is no reference. */
static uint32_t takes(enum sf_opcode code, uint8_t kind)
{
	uint32_t bits = 1u << SF_RES_OBJ;
	unsigned int flags = sf_op_table[code].flags;

	switch (kind) {
	case SF_ARG_PAGES:
		return 1u << SF_RES_PAGES;
	case SF_ARG_EXACT:
		return 1u << SF_RES_EXACT;
	case SF_ARG_BULK:
		return 1u << SF_RES_BULK;
	case SF_ARG_PAGES_BULK:
		return 1u << SF_RES_PAGES_BULK;
	case SF_ARG_SHEAF:
		return 1u << SF_RES_SHEAF;
	case SF_ARG_CACHE:
	case SF_ARG_CACHE2:
		return 1u << SF_RES_CACHE;
	case SF_ARG_BUCKETS:
		return 1u << SF_RES_BUCKETS;
	case SF_ARG_DEVICE:
		return 1u << SF_RES_DEVICE;
	case SF_ARG_MEMCG:
		return 1u << SF_RES_MEMCG;
	case SF_ARG_POOL:
		return 1u << SF_RES_POOL;
	case SF_ARG_DEAD:
		return 1u << SF_RES_OBJ | 1u << SF_RES_KV | TAKES_USER;
	case SF_ARG_UOBJ:
		return TAKES_USER;
	case SF_ARG_SIZED:
		return 1u << SF_RES_USER;
	case SF_ARG_ALIGNED:
		return 1u << SF_RES_ALIGNED;
	case SF_ARG_HEAP:
	case SF_ARG_HEAP2:
		return 1u << SF_RES_HEAP;
	case SF_ARG_REGION:
		return 1u << SF_RES_REGION;
	case SF_ARG_OBJ:
	case SF_ARG_OBJ2:
		if (flags & SF_OPF_KV)
			bits |= 1u << SF_RES_KV;
		/* Contents, and misuse that names no cache, are the same everywhere. */
		if (flags & SF_OPF_POOLED || (flags & SF_OPF_MISUSE && !(flags & SF_OPF_FREES)))
			bits |= TAKES_USER;
		return bits;
	default:
		return 0;
	}
}

static bool is_ref(uint8_t kind)
{
	return takes(SF_OP_NOP, kind) != 0;
}

bool sf_draw_ends(const struct sf_op *o, const struct sf_op *def)
{
	uint32_t ends;

	if (sf_op_table[o->code].flags & (SF_OPF_FREES | SF_OPF_MOVES))
		return o->obj == def->res;
	if (!(sf_op_table[o->code].flags & SF_OPF_ENDS))
		return false;
	if (!sf_op_ends_many(o->code))
		return o->obj2 == def->res;
	/* What it ends: the thing itself, or what came from there. */
	ends = takes(o->code, sf_op_table[o->code].arg[0].kind);
	return o->cache == (ends >> sf_op_table[def->code].res & 1 ? def->res : def->cache);
}

static bool from_cache(const struct sf_op *def)
{
	return op_has(def->code, SF_ARG_CACHE);
}

static bool from_device(const struct sf_op *def)
{
	return sf_op_table[def->code].flags & SF_OPF_DEVM;
}

static bool fits(enum sf_opcode code, uint8_t kind, const struct sf_op *def)
{
	if (def->res == SF_NONE || !(takes(code, kind) & 1u << sf_op_table[def->code].res))
		return false;
	if (code == SF_OP_OWNS && from_device(def))
		return false;
	if (kind != SF_ARG_OBJ)
		return !from_pool(def);
	if (from_pool(def))
		return sf_op_table[code].flags & (SF_OPF_POOL | SF_OPF_POOLED);
	if (sf_op_table[code].flags & SF_OPF_POOL)
		return false;
	if (sf_op_table[code].flags & SF_OPF_DEVM)
		return from_device(def);
	if (from_device(def))
		return (sf_op_table[code].flags &
			(SF_OPF_KV | SF_OPF_FREES | SF_OPF_MOVES | SF_OPF_OWN)) == SF_OPF_KV;
	if (code == SF_OP_CACHE_FREE)
		return from_cache(def);
	/* krealloc() is for kmalloc memory only. */
	return !(sf_op_table[code].flags & SF_OPF_MOVES) || !from_cache(def);
}

static bool frees_object(enum sf_opcode code)
{
	return sf_op_table[code].flags & SF_OPF_FREES &&
	       (op_has(code, SF_ARG_OBJ) || op_has(code, SF_ARG_UOBJ) ||
		op_has(code, SF_ARG_SIZED) || op_has(code, SF_ARG_ALIGNED));
}

/* --- what d->index is told --- */

#define GROUP_DEAD 1u /* bit of what leaves something dead, or ends many */

/* Operations that fits() does not tell apart are a group. Made once. */
static struct {
	unsigned int nr;
	uint8_t of[SF_CODE_MAX + 1];
	uint8_t example[SF_INDEX_GROUPS];
	uint32_t fitting[SF_CODE_MAX + 1][SF_ARG_KINDS]; /* bits of groups; 0: not asked yet */
} groups;

static bool same_group(enum sf_opcode a, enum sf_opcode b)
{
	struct sf_op x = { .code = (uint8_t)a }, y = { .code = (uint8_t)b };

	return sf_op_table[a].res == sf_op_table[b].res && from_cache(&x) == from_cache(&y) &&
	       from_device(&x) == from_device(&y) && from_pool(&x) == from_pool(&y);
}

static void make_groups(void)
{
	if (groups.nr)
		return;
	groups.nr = 1; /* GROUP_DEAD */
	for (unsigned int code = 0; code <= SF_CODE_MAX; code++) {
		unsigned int g = 1;

		if (sf_op_table[code].res == SF_RES_NONE)
			continue;
		while (g < groups.nr && !same_group(code, groups.example[g]))
			g++;
		if (g == groups.nr)
			groups.example[groups.nr++ % SF_INDEX_GROUPS] = (uint8_t)code;
		groups.of[code] = (uint8_t)g;
	}
	assert(groups.nr <= SF_INDEX_GROUPS);
}

/* The groups whose results an argument takes; bit GROUP_DEAD says that it was asked. */
static uint32_t fitting(enum sf_opcode code, uint8_t kind)
{
	uint32_t *m = &groups.fitting[code][kind];

	if (*m)
		return *m & ~GROUP_DEAD;
	make_groups();
	*m = GROUP_DEAD;
	for (unsigned int g = 1; g < groups.nr; g++) {
		struct sf_op def = sf_op_make(groups.example[g]);

		def.res = 0;
		*m |= (uint32_t)fits(code, kind, &def) << g;
	}
	return *m & ~GROUP_DEAD;
}

void sf_draw_note(struct sf_draw *d)
{
	const struct sf_op *op = &d->p->ops[d->pos];
	const struct sf_op_info *info = &sf_op_table[op->code];
	struct sf_index_entry e = { .gone = SF_NONE, .ends = SF_NONE,
				    .object = info->res == SF_RES_OBJ };
	bool many = sf_op_ends_many(op->code);

	make_groups();
	e.groups = groups.of[op->code] ? 1u << groups.of[op->code] : 0;
	if (info->flags & (SF_OPF_FREES | SF_OPF_MOVES)) {
		e.ends = op->obj;
	} else if (many) {
		e.ends = op->cache;
		e.ends_many = takes(op->code, info->arg[0].kind);
	} else if (info->flags & SF_OPF_ENDS) {
		e.ends = op->obj2;
	}
	if (frees_object(op->code))
		e.gone = op->obj;
	else if (many && op->code != SF_OP_POOL_DESTROY)
		e.gone = sf_index_last_object(d->index, op->cache);
	if (e.gone != SF_NONE || many)
		e.groups |= GROUP_DEAD;
	sf_index_add(d->index, op, &e);
	d->pos++;
}

/*
 * The operation that comes next, from `i` down to 0 and from the end down again to where that
 * began; SF_NONE at the end of it. *turned: that it has come to 0.
 */
static uint32_t next_of(const struct sf_draw *d, uint32_t bits, uint32_t i, uint32_t begin,
			bool *turned)
{
	uint32_t at = sf_index_before(d->index, bits, i);

	if (at == SF_NONE && !*turned) {
		*turned = true;
		at = sf_index_before(d->index, bits, d->pos);
	}
	return at != SF_NONE && *turned && at < begin ? SF_NONE : at;
}

/* --- what can be referred to --- */

static bool alive(const struct sf_draw *d, uint32_t i)
{
	const struct sf_op *def = &d->p->ops[i];

	if (d->index)
		return sf_index_alive(d->index, i);
	while (++i < d->pos)
		if (sf_draw_ends(&d->p->ops[i], def))
			return false;
	return true;
}

static bool is_worth(const struct sf_draw *d, uint32_t i)
{
	return !is_hopeless(d, &d->p->ops[i]) || sf_rng_one_in(d->rng, 16);
}

/* The last object that went with the cache or the device that operation `i` ends. */
static uint32_t last_gone(const struct sf_draw *d, uint32_t i)
{
	uint32_t from = d->p->ops[i].cache;

	while (i--) {
		const struct sf_op *def = &d->p->ops[i];

		if (def->cache == from && sf_op_table[def->code].res == SF_RES_OBJ)
			return def->res;
	}
	return SF_NONE;
}

/* What operation `i` leaves dead: one object of it, or SF_NONE. */
static uint32_t dead_by(const struct sf_draw *d, uint32_t i)
{
	const struct sf_op *op = &d->p->ops[i];

	if (frees_object(op->code))
		return op->obj;
	if (sf_op_ends_many(op->code) && op->code != SF_OP_POOL_DESTROY)
		return last_gone(d, i);
	return SF_NONE;
}

static uint32_t indexed_dead(const struct sf_draw *d, uint32_t begin)
{
	uint32_t i = begin, tries = TARGETS_MAX;
	bool turned = false;

	while (tries && (i = next_of(d, GROUP_DEAD, i, begin, &turned)) != SF_NONE) {
		if (sf_index_gone(d->index, i) != SF_NONE)
			return sf_index_gone(d->index, i);
		tries--;
	}
	return SF_NONE;
}

/* An object that is dead for certain at `pos`, or SF_NONE. */
static uint32_t pick_dead(struct sf_draw *d)
{
	/* As of what lives: the last few half of the time. */
	uint32_t window = sf_rng_one_in(d->rng, 2) && d->pos > 8 ? 8 : d->pos;
	uint32_t i = d->pos - (uint32_t)sf_rng_below(d->rng, window), tries = TARGETS_MAX;

	if (d->index)
		return indexed_dead(d, i);
	for (uint32_t n = d->pos; n && tries; n--, i = i ? i : d->pos) {
		uint32_t res = dead_by(d, --i);

		if (res != SF_NONE)
			return res;
		tries -= sf_op_ends_many(d->p->ops[i].code);
	}
	return SF_NONE;
}

static const struct sf_op *indexed_target(const struct sf_draw *d, uint32_t bits, uint32_t begin)
{
	uint32_t i = begin, tries = TARGETS_MAX;
	bool turned = false;

	while (tries && (i = next_of(d, bits, i, begin, &turned)) != SF_NONE) {
		if (alive(d, i) && is_worth(d, i))
			return &d->p->ops[i];
		tries--;
	}
	return NULL;
}

/* What defines a result alive at `pos` that argument `kind` of `code` takes, or NULL. */
static const struct sf_op *target(struct sf_draw *d, enum sf_opcode code, enum sf_arg_kind kind)
{
	/* Recent results half of the time: reuse after a short time is where bugs are. */
	uint32_t window = sf_rng_one_in(d->rng, 2) && d->pos > 8 ? 8 : d->pos;
	uint32_t i = d->pos - (uint32_t)sf_rng_below(d->rng, window), tries = TARGETS_MAX;

	if (d->index)
		return indexed_target(d, fitting(code, kind), i);
	for (uint32_t n = d->pos; n && tries; n--, i = i ? i : d->pos) {
		if (!fits(code, kind, &d->p->ops[--i]))
			continue;
		if (alive(d, i) && is_worth(d, i))
			return &d->p->ops[i];
		tries--;
	}
	return NULL;
}

static uint32_t pick_ref(struct sf_draw *d, const struct sf_op *op, uint32_t *cache)
{
	const struct sf_op *def = target(d, op->code, d->arg->kind);

	if (!def)
		return SF_NONE;
	if (cache && ((from_cache(def) && op_has(op->code, SF_ARG_CACHE)) ||
		      (from_device(def) && op_has(op->code, SF_ARG_DEVICE))))
		*cache = def->cache;
	/* A rare write mostly goes through the pool of its object; another must refuse it. */
	if (cache && from_pool(def) && op_has(op->code, SF_ARG_POOL) && !sf_rng_one_in(d->rng, 4))
		*cache = def->cache;
	return def->res;
}

/* Is it an object that a shrinker may free? */
static bool is_reclaimable(const struct sf_draw *d, const struct sf_op *def)
{
	if (def->code != SF_OP_CACHE_ALLOC && def->code != SF_OP_CACHE_ZALLOC)
		return false;
	if (d->index) {
		uint32_t i = sf_index_definer(d->index, def->cache);

		return i != SF_NONE && d->p->ops[i].code == SF_OP_CACHE_CREATE &&
		       d->p->ops[i].flags & SF_SLAB_RECLAIM_ACCOUNT;
	}
	for (uint32_t i = 0; i < d->pos; i++)
		if (d->p->ops[i].code == SF_OP_CACHE_CREATE && d->p->ops[i].res == def->cache)
			return d->p->ops[i].flags & SF_SLAB_RECLAIM_ACCOUNT;
	return false;
}

/* What is owned by memory that is not reclaimed is a case, but not the one that matters. */
static uint32_t pick_owner(struct sf_draw *d)
{
	const struct sf_op *def = NULL;

	for (unsigned int tries = 6; tries; tries--) {
		def = target(d, SF_OP_OWNS, SF_ARG_OBJ);
		if (!def || is_reclaimable(d, def))
			break;
	}
	return def ? def->res : SF_NONE;
}

static void draw_OBJ(struct sf_draw *d, struct sf_op *op)
{
	if (op->code == SF_OP_OWNS)
		op->obj = pick_owner(d);
	else if (sf_op_table[op->code].flags & SF_OPF_NULL_OK && sf_rng_one_in(d->rng, 32))
		op->obj = SF_NONE;
	else
		op->obj = pick_ref(d, op, &op->cache);
}

static void draw_OBJ2(struct sf_draw *d, struct sf_op *op)
{
	op->obj2 = pick_ref(d, op, NULL);
}

static void draw_PAGES(struct sf_draw *d, struct sf_op *op)
{
	op->obj = pick_ref(d, op, NULL);
}

static void draw_EXACT(struct sf_draw *d, struct sf_op *op)
{
	op->obj = pick_ref(d, op, NULL);
}

static void draw_BULK(struct sf_draw *d, struct sf_op *op)
{
	op->obj = pick_ref(d, op, &op->cache);
}

static void draw_SHEAF(struct sf_draw *d, struct sf_op *op)
{
	op->obj = pick_ref(d, op, &op->cache);
}

static void draw_PAGES_BULK(struct sf_draw *d, struct sf_op *op)
{
	op->obj = pick_ref(d, op, NULL);
}

static void draw_CACHE(struct sf_draw *d, struct sf_op *op)
{
	unsigned int tries = op->code == SF_OP_SHRINKER ? 6 : 1;

	/* Few caches have a shrinker. */
	while (tries--) {
		const struct sf_op *def = target(d, op->code, d->arg->kind);

		op->cache = def ? def->res : SF_NONE;
		if (!def || def->flags & SF_SLAB_RECLAIM_ACCOUNT)
			break;
	}
}

static void draw_BUCKETS(struct sf_draw *d, struct sf_op *op)
{
	op->obj2 = pick_ref(d, op, NULL);
}

static void draw_DEVICE(struct sf_draw *d, struct sf_op *op)
{
	op->cache = pick_ref(d, op, NULL);
}

/* NULL, the root, is where groups begin and what to come back to. */
static void draw_MEMCG(struct sf_draw *d, struct sf_op *op)
{
	bool null_ok = sf_op_table[op->code].flags & SF_OPF_NULL_OK;

	op->obj2 = null_ok && sf_rng_one_in(d->rng, 3) ? SF_NONE : pick_ref(d, op, NULL);
}

static void draw_PERCENT(struct sf_draw *d, struct sf_op *op)
{
	op->cpu = (uint8_t)(sf_rng_one_in(d->rng, 3) ? 100 : sf_rng_below(d->rng, 101));
}

static void draw_MIN_ORDER(struct sf_draw *d, struct sf_op *op)
{
	op->cpu = (uint8_t)(sf_rng_one_in(d->rng, 8) ? sf_rng_below(d->rng, SF_NR_ORDERS) : 0);
}

static void draw_POOL(struct sf_draw *d, struct sf_op *op)
{
	op->cache = pick_ref(d, op, NULL);
}

static void draw_UOBJ(struct sf_draw *d, struct sf_op *op)
{
	bool null_ok = sf_op_table[op->code].flags & SF_OPF_NULL_OK;

	op->obj = null_ok && sf_rng_one_in(d->rng, 32) ? SF_NONE : pick_ref(d, op, NULL);
}

#define draw_SIZED draw_UOBJ
#define draw_ALIGNED draw_UOBJ

static void draw_REGION(struct sf_draw *d, struct sf_op *op)
{
	op->obj = pick_ref(d, op, NULL);
}

static void draw_HEAP(struct sf_draw *d, struct sf_op *op)
{
	op->cache = d->arg->key && sf_rng_one_in(d->rng, 2) ? SF_NONE : pick_ref(d, op, NULL);
}

static void draw_HEAP2(struct sf_draw *d, struct sf_op *op)
{
	op->obj2 = pick_ref(d, op, NULL);
}

/* Powers of two, mostly of a page at most; what is none, and what there cannot be. */
static void draw_ANY_ALIGN(struct sf_draw *d, struct sf_op *op)
{
	if (d->tweak && sf_rng_one_in(d->rng, 2))
		op->align = tweak_number(d->rng, op->align);
	else if (sf_rng_one_in(d->rng, 24))
		op->align = sf_rng_below(d->rng, 3) * (1 + sf_rng_below(d->rng, 64));
	else if (sf_rng_one_in(d->rng, 24))
		op->align = (1ull << (24 + sf_rng_below(d->rng, 40))) + sf_rng_below(d->rng, 2);
	else
		op->align = 1u << (3 + sf_rng_below(d->rng, sf_rng_one_in(d->rng, 8) ? 18 : 10));
}

/* Where a block begins: at a page's, at a word's, anywhere. */
static void draw_AT(struct sf_draw *d, struct sf_op *op)
{
	uint32_t mask = sf_rng_one_in(d->rng, 2) ? ~7u : ~0u;

	op->count = (uint16_t)(sf_rng_below(d->rng, sf_rng_one_in(d->rng, 2) ? 1 : 4096) & mask);
}

static void draw_THREAD(struct sf_draw *d, struct sf_op *op)
{
	op->cpu = (uint8_t)sf_rng_below(d->rng, sf_rng_one_in(d->rng, 4) ? SF_THREADS_MAX : 2);
}

static void draw_MODE(struct sf_draw *d, struct sf_op *op)
{
	op->fault = (uint8_t)sf_rng_below(d->rng, SF_POOL_MODE_COUNT);
}

static void draw_CACHE2(struct sf_draw *d, struct sf_op *op)
{
	op->obj2 = pick_ref(d, op, NULL);
}

static void draw_DEAD(struct sf_draw *d, struct sf_op *op)
{
	op->obj = pick_dead(d);
}

/* A word or a few, a slot, rarely many pages. */
static void draw_SPAN(struct sf_draw *d, struct sf_op *op)
{
	uint64_t n;

	if (d->tweak && sf_rng_one_in(d->rng, 2))
		n = tweak_number(d->rng, op->count) & UINT16_MAX;
	else if (sf_rng_one_in(d->rng, 16))
		n = sf_rng_below(d->rng, UINT16_MAX);
	else if (sf_rng_one_in(d->rng, 2))
		n = sf_rng_below(d->rng, 65);
	else
		n = pick_class_edge(d->rng);
	op->count = (uint16_t)(n ? n : 1);
}

static void draw_ERRNO(struct sf_draw *d, struct sf_op *op)
{
	static const uint16_t errnos[] = { 1, 12, 22, 512, SF_MAX_ERRNO };

	op->count = sf_rng_one_in(d->rng, 2) ? errnos[sf_rng_below(d->rng, NR(errnos))] :
					       (uint16_t)(1 + sf_rng_below(d->rng, SF_MAX_ERRNO));
}

/* Mostly left to the type: that is what sorts real allocations. */
static void draw_TOKEN(struct sf_draw *d, struct sf_op *op)
{
	if (d->tweak || sf_rng_one_in(d->rng, 16))
		op->token = (uint8_t)sf_rng_below(d->rng, SF_TOKENS_MAX + 1);
	else
		op->token = 0;
}

static void (*const draw_arg[SF_ARG_KINDS])(struct sf_draw *, struct sf_op *) = {
#define X(kind, field, width, doc) [SF_ARG_##kind] = draw_##kind,
	SF_ARGS(X)
#undef X
};

static unsigned int count_args(enum sf_opcode code)
{
	unsigned int n = 0;

	while (n < SF_OP_ARGS_MAX && sf_op_table[code].arg[n].kind)
		n++;
	return n;
}

static void draw_one(struct sf_draw *d, struct sf_op *op, unsigned int i)
{
	d->arg = &sf_op_table[op->code].arg[i];
	draw_arg[d->arg->kind](d, op);
}

struct sf_op sf_draw_op(struct sf_draw *d, enum sf_opcode code)
{
	struct sf_op op = sf_op_make(code);
	unsigned int nr = count_args(code);

	d->tweak = false;
	for (unsigned int i = 0; i < nr; i++)
		draw_one(d, &op, i);
	/* Again: how many are interesting depends on how large one is. */
	for (unsigned int i = 0; i < nr; i++)
		if (sf_op_table[code].arg[i].kind == SF_ARG_N)
			draw_one(d, &op, i);
	return op;
}

static bool same_args(const struct sf_op *a, const struct sf_op *b)
{
	for (unsigned int i = 0; i < count_args(a->code); i++) {
		const struct sf_arg_layout *l = &sf_arg_table[sf_op_table[a->code].arg[i].kind];

		if (memcmp((const char *)a + l->offset, (const char *)b + l->offset, l->size))
			return false;
	}
	return true;
}

bool sf_draw_change(struct sf_draw *d, struct sf_op *op)
{
	unsigned int nr = count_args(op->code);
	struct sf_op old = *op;

	if (!nr)
		return false;
	d->tweak = true;
	draw_one(d, op, (unsigned int)sf_rng_below(d->rng, nr));
	return !same_args(&old, op);
}

bool sf_draw_repoint(struct sf_draw *d, struct sf_op *op)
{
	unsigned int refs[SF_OP_ARGS_MAX], nr = 0;
	struct sf_op old = *op;

	for (unsigned int i = 0; i < count_args(op->code); i++)
		if (is_ref(sf_op_table[op->code].arg[i].kind))
			refs[nr++] = i;
	if (!nr)
		return false;
	d->tweak = true;
	draw_one(d, op, refs[sf_rng_below(d->rng, nr)]);
	return !same_args(&old, op);
}

bool sf_draw_possible(struct sf_draw *d, enum sf_opcode code)
{
	const struct sf_op_info *info = &sf_op_table[code];

	if (info->flags & SF_OPF_MISUSE && !d->p->settings.misuse)
		return false;
	/* NULL is a case of its own, but no substitute for objects. */
	if (info->flags & SF_OPF_NULL_OK && sf_rng_one_in(d->rng, 32))
		return true;
	for (unsigned int i = 0; i < count_args(code); i++) {
		uint8_t kind = info->arg[i].kind;

		if (kind == SF_ARG_MEMCG && info->flags & SF_OPF_NULL_OK)
			continue;
		if (kind == SF_ARG_DEAD ? pick_dead(d) == SF_NONE :
		    is_ref(kind) && !target(d, code, kind))
			return false;
	}
	return true;
}

enum sf_opcode sf_draw_free_code(const struct sf_op *def)
{
	switch (sf_op_table[def->code].res) {
	case SF_RES_OBJ:
		if (from_pool(def))
			return SF_OP_NOP;
		if (from_device(def))
			return SF_OP_DEVM_KFREE;
		return from_cache(def) ? SF_OP_CACHE_FREE : SF_OP_KFREE;
	case SF_RES_KV:
		return SF_OP_KVFREE;
	case SF_RES_PAGES:
		return SF_OP_FREE_PAGES;
	case SF_RES_EXACT:
		return SF_OP_FREE_EXACT;
	case SF_RES_BULK:
		return SF_OP_CACHE_FREE_BULK;
	case SF_RES_PAGES_BULK:
		return SF_OP_FREE_PAGES_BULK;
	case SF_RES_SHEAF:
		return SF_OP_RETURN_SHEAF;
	case SF_RES_CACHE:
		return SF_OP_CACHE_DESTROY;
	case SF_RES_DEVICE:
		return SF_OP_DEVICE_UNREGISTER;
	case SF_RES_MEMCG:
		return SF_OP_MEMCG_DESTROY;
	case SF_RES_POOL:
		return SF_OP_POOL_DESTROY;
	case SF_RES_USER:
	case SF_RES_ALIGNED:
	case SF_RES_MEMALIGNED:
		return SF_OP_FREE;
	case SF_RES_HEAP:
		return SF_OP_HEAP_DESTROY;
	default:
		return SF_OP_NOP;
	}
}

/*
 * Heaps. A fuzzer keeps a few heaps and pays for each new combination, so there are few; small ones
 * come first, because in them memory runs out. Where misuse is allowed most rules stop early: those
 * heaps are seven of all, about one in 20 of those drawn.
 */
#define PRESET_CHANGES 7
struct change {
	uint8_t code; /* 0: no more */
	uint16_t value;
};

static const struct change presets[][PRESET_CHANGES] = {
	{ { SF_SET_pages, 1024 } },
	{ { SF_SET_pages, 256 } },
	{ { SF_SET_pages, 512 }, { SF_SET_cpus, 1 } },
	{ { SF_SET_pages, 2048 }, { SF_SET_cpus, 4 } },
	{ { 0, 0 } },
	{ { SF_SET_pages, 512 }, { SF_SET_watermarks, 0 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_sheaves, 0 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_init_on_alloc, 1 } },
	{ { SF_SET_pages, 512 }, { SF_SET_pageblock_order, 4 } },
	{ { SF_SET_pages, 2048 }, { SF_SET_pageblock_order, 10 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_memcg, 0 }, { SF_SET_zone_dma, 0 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_nokmem, 1 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_slab_nomerge, 1 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_usercopy, 0 } },
	{ { SF_SET_pages, 2048 }, { SF_SET_slab_min_order, 2 } },
	{ { SF_SET_pages, 2048 }, { SF_SET_slab_max_order, 0 } },
	{ { SF_SET_pages, 2048 }, { SF_SET_slab_min_objects, 64 }, { SF_SET_slab_max_order, 5 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_init_on_free, 1 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_freelist_random, 1 }, { SF_SET_seed, 3 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_freelist_hardened, 1 }, { SF_SET_sheaves, 0 } },
	{ { SF_SET_pages, 4096 }, { SF_SET_shuffle, 1 }, { SF_SET_seed, 5 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_slab_virtual, 1 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_slot_offset, 1 }, { SF_SET_type_align, 1 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_flex, 1 }, { SF_SET_buckets, 0 } },
	{ { SF_SET_pages, 256 }, { SF_SET_pageblock_order, 4 } },
	{ { SF_SET_pages, 512 }, { SF_SET_accounting, 0 }, { SF_SET_oom, 2 } },
	{ { SF_SET_pages, 512 }, { SF_SET_accounting, 1 }, { SF_SET_oom, 2 } },
	{ { SF_SET_pages, 256 }, { SF_SET_accounting, 1 }, { SF_SET_oom, 1 } },
	{ { SF_SET_pages, 512 }, { SF_SET_oom, 2 } },
	{ { SF_SET_pages, 256 }, { SF_SET_oom, 1 } },
	{ { SF_SET_pages, 4096 }, { SF_SET_pageblock_order, 4 }, { SF_SET_cpus, 1 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_misuse, 1 } },
	{ { SF_SET_pages, 256 }, { SF_SET_misuse, 1 }, { SF_SET_cpus, 1 } },
	{ { SF_SET_pages, 512 }, { SF_SET_misuse, 1 }, { SF_SET_sheaves, 0 },
	  { SF_SET_freelist_hardened, 1 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_misuse, 1 }, { SF_SET_freelist_random, 1 },
	  { SF_SET_init_on_free, 1 }, { SF_SET_seed, 3 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_misuse, 1 }, { SF_SET_slab_virtual, 1 },
	  { SF_SET_cpus, 1 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_misuse, 1 }, { SF_SET_cpus, 1 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_misuse, 1 }, { SF_SET_directmap, 1 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_directmap, 1 } },
	{ { SF_SET_pages, 512 }, { SF_SET_directmap, 1 }, { SF_SET_init_on_free, 1 } },
	{ { SF_SET_pages, 2048 }, { SF_SET_min_order, 3 } },
	{ { SF_SET_pages, 1024 }, { SF_SET_min_order, 1 }, { SF_SET_sheaves, 0 } },
	{ { SF_SET_pages, 4096 }, { SF_SET_large_sheaf, 4 }, { SF_SET_large_min_partial, 1 } },
	{ { SF_SET_pages, 4096 }, { SF_SET_large_min_partial, 2 }, { SF_SET_cpus, 1 } },
	{ { SF_SET_pages, 4096 } },
	{ { SF_SET_pages, 4096 }, { SF_SET_init_on_free, 1 }, { SF_SET_freelist_random, 1 },
	  { SF_SET_freelist_hardened, 1 }, { SF_SET_shuffle, 1 }, { SF_SET_slab_virtual, 1 },
	  { SF_SET_slot_offset, 1 } },
};
enum { COMMON_PRESETS = 4 };

/* What sheaves and partial lists keep is much in a heap of this size: some go without. */
static const struct change tight[][PRESET_CHANGES] = {
	{ { SF_SET_pages, 64 }, { SF_SET_cpus, 1 } },
	{ { SF_SET_pages, 64 }, { SF_SET_watermarks, 0 }, { SF_SET_sheaves, 0 },
	  { SF_SET_slab_max_order, 0 } },
	{ { SF_SET_pages, 128 }, { SF_SET_pageblock_order, 4 }, { SF_SET_sheaves, 0 },
	  { SF_SET_slab_max_order, 0 } },
	{ { SF_SET_pages, 128 }, { SF_SET_oom, 1 }, { SF_SET_accounting, 1 },
	  { SF_SET_slab_max_order, 0 } },
	{ { SF_SET_pages, 96 }, { SF_SET_oom, 2 }, { SF_SET_accounting, 0 },
	  { SF_SET_sheaves, 0 } },
	{ { SF_SET_pages, 96 }, { SF_SET_oom, 2 }, { SF_SET_accounting, 1 },
	  { SF_SET_sheaves, 0 } },
	{ { SF_SET_pages, 2048 }, { SF_SET_pageblock_order, 4 } },
};

static void change(struct sf_settings *set, const struct change *c)
{
	sf_settings_init(set);
	for (unsigned int k = 0; k < PRESET_CHANGES && c[k].code; k++)
		*sf_setting_slot(set, sf_setting_by_code(c[k].code)) = c[k].value;
	sf_settings_fixup(set);
}

void sf_draw_preset(struct sf_settings *set, struct sf_rng *rng)
{
	change(set, presets[sf_rng_below(rng, sf_rng_one_in(rng, 3) ? NR(presets) :
								      COMMON_PRESETS)]);
}

void sf_draw_tight(struct sf_settings *set, struct sf_rng *rng)
{
	change(set, tight[sf_rng_below(rng, NR(tight))]);
}

void sf_draw_setting(struct sf_settings *set, struct sf_rng *rng)
{
	const struct sf_setting_info *info = &sf_setting_table[sf_rng_below(rng, sf_setting_count)];
	uint64_t *slot = sf_setting_slot(set, info), span = info->max - info->min;

	switch (sf_rng_below(rng, 4)) {
	case 0:
		*slot = info->def;
		break;
	case 1: /* small, where ranges are wide */
		*slot = info->min + sf_rng_below(rng, span < 16 ? span + 1 : 16);
		break;
	default:
		*slot = info->min + (span == UINT64_MAX ? sf_rng_next(rng)
							: sf_rng_below(rng, span + 1));
		/* Memory for its own sake finds nothing. */
		if (info->code == SF_SET_pages && *slot > 4096)
			*slot = 64 + *slot % 4033;
	}
	sf_settings_fixup(set);
}
