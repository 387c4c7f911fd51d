// SPDX-License-Identifier: MIT
/*
 * generate.c - swarms, and whole programs drawn from them. Relies on draw.c for values and on
 * program.c to make the result valid; mutate.c, tests and the benchmark rely on it.
 */
#include "mutate_internal.h"

void sf_swarm_draw(struct sf_swarm *sw, uint64_t caps, struct sf_rng *r)
{
	enum sf_opcode plain = sf_plain_word(caps);

	sw->caps = caps;
	sw->total = 0;
	for (unsigned int code = 0; code <= SF_CODE_MAX; code++) {
		unsigned int w = sf_op_table[code].weight;

		sw->weight[code] = sf_rng_one_in(r, 3) ? 0 : (uint16_t)(w << sf_rng_below(r, 5));
		if (!sf_word_fits(code, caps))
			sw->weight[code] = 0;
	}
	/* The one operation that can stand anywhere and fails for no lack of anything. */
	if (!sw->weight[plain])
		sw->weight[plain] = 1;
	for (unsigned int code = 0; code <= SF_CODE_MAX; code++)
		sw->total += sw->weight[code];
}

enum sf_opcode sf_swarm_pick(const struct sf_swarm *sw, struct sf_draw *d)
{
	for (unsigned int attempt = 0; attempt < 8; attempt++) {
		uint32_t x = (uint32_t)sf_rng_below(d->rng, sw->total), code = 0;

		while (x >= sw->weight[code])
			x -= sw->weight[code++];
		if (sf_draw_possible(d, code))
			return code;
	}
	return sf_plain_word(sw->caps);
}

/* Operations: in a longer program what is looked for has an index. */
enum { WALKED_MAX = 24 };

/* The same allocation again and again: fills slabs, sheaves and per-CPU lists. */
static uint32_t burst_length(struct sf_draw *d, enum sf_opcode code, uint32_t room)
{
	uint64_t n = 1;

	if (sf_op_table[code].res == SF_RES_NONE) {
		if (sf_op_table[code].flags & SF_OPF_FREES && sf_rng_one_in(d->rng, 4))
			n = 1 + sf_rng_below(d->rng, 16);
	} else if (sf_op_table[code].res < SF_RES_CACHE && sf_rng_one_in(d->rng, 12)) {
		n = 1 + sf_rng_below(d->rng, sf_rng_one_in(d->rng, 4) ? 64 : 12);
	}
	return n < room ? (uint32_t)n : room;
}

/* Up to the end of the program. */
static void follow(struct sf_draw *d)
{
	while (d->index && d->pos < d->p->nr_ops)
		sf_draw_note(d);
	d->pos = d->p->nr_ops;
}

static void append(struct sf_prog *p, uint32_t nr_ops, const struct sf_swarm *sw, struct sf_rng *r)
{
	struct sf_draw d = { .rng = r, .p = p, .caps = sw->caps };

	if (nr_ops > WALKED_MAX)
		d.index = sf_index_create();
	while (p->nr_ops < nr_ops) {
		enum sf_opcode code;
		struct sf_op op;
		uint32_t n;

		follow(&d);
		code = sf_swarm_pick(sw, &d);
		n = burst_length(&d, code, nr_ops - p->nr_ops);
		op = sf_draw_op(&d, code);
		for (; n; n--) {
			sf_prog_add(p, &op);
			follow(&d);
			if (sf_op_table[code].flags & SF_OPF_FREES) {
				op = sf_draw_op(&d, code);
				if (op.obj == SF_NONE)
					break;
			}
		}
	}
	sf_index_free(d.index);
}

/*
 * Families: memory under pressure, and pools. Operations drawn one by one hardly ever fill a heap
 * with objects that a shrinker can free, or with pages that can move, or a pool with what is sealed
 * and changed then; some programs begin with many of them.
 */

enum {
	FAMILY_MIN = 48,       /* operations: a shorter program is none */
	SHORT_FAMILY_MIN = 24, /* of the families of families.c, but for the longest */
};

static struct sf_op *put(struct sf_prog *p, enum sf_opcode code, uint32_t gfp, uint64_t size)
{
	struct sf_op op = sf_op_make(code);

	op.gfp = gfp;
	op.size = size;
	return sf_prog_add(p, &op);
}

static void put_ref(struct sf_prog *p, enum sf_opcode code, uint32_t obj, uint32_t obj2)
{
	struct sf_op *op = put(p, code, 0, 0);

	op->obj = obj;
	op->obj2 = obj2;
}

static uint64_t family_size(struct sf_rng *r)
{
	static const uint16_t sizes[] = { 40, 192, 1024, 4096, 4096, 8192, 8192 };

	return sizes[sf_rng_below(r, sizeof(sizes) / sizeof(sizes[0]))];
}

/* Blocks below an order, the largest first. */
static void put_blocks(struct sf_prog *p, uint32_t nr_ops, uint32_t gfp, uint8_t orders,
		       struct sf_rng *r)
{
	while (orders--)
		for (uint64_t n = 1 + sf_rng_below(r, 2); n && p->nr_ops < nr_ops; n--)
			put(p, SF_OP_ALLOC_PAGES, gfp, 0)->order = orders;
}

/* A group with a limit that is soon reached, and what follows is charged to it. */
static void append_group(struct sf_prog *p, struct sf_rng *r)
{
	uint32_t group = put(p, SF_OP_MEMCG_CREATE, 0, 4000u << sf_rng_below(r, 7))->res;

	put_ref(p, SF_OP_MEMCG_SET, SF_NONE, group);
}

/* A cache with a shrinker; returns its handle. */
static uint32_t append_cache(struct sf_prog *p, struct sf_rng *r, bool charged)
{
	static const char name[] = "dentry";
	uint32_t str = sf_prog_string(p, name, sizeof(name) - 1);
	struct sf_op *op = put(p, SF_OP_CACHE_CREATE, 0, family_size(r));
	uint32_t cache = op->res;

	op->name = str;
	op->flags = SF_SLAB_RECLAIM_ACCOUNT | (charged ? SF_SLAB_ACCOUNT : 0);
	if (sf_rng_one_in(r, 4)) {
		op = put(p, SF_OP_SHRINKER, 0, 0);
		op->cache = cache;
		op->flag = sf_rng_one_in(r, 2);
		op->count = (uint16_t)sf_rng_below(r, 8);
	}
	return cache;
}

/*
 * Dentries, each with a name of its own; names of names, now and then. Then the rest of memory is
 * asked for, and more.
 */
static void append_dentries(struct sf_prog *p, uint32_t nr_ops, struct sf_rng *r)
{
	bool charged = sf_rng_one_in(r, 3);
	uint32_t gfp = charged ? SF_GFP_KERNEL_ACCOUNT : SF_GFP_KERNEL, cache, dentry, owner;
	uint64_t name = family_size(r);
	struct sf_op *op;

	if (charged)
		append_group(p, r);
	cache = append_cache(p, r, charged);
	while (p->nr_ops + 18 <= nr_ops) {
		op = put(p, SF_OP_CACHE_ALLOC, gfp, 0);
		op->cache = cache;
		owner = dentry = op->res;
		for (bool more = !sf_rng_one_in(r, 8); more; more = sf_rng_one_in(r, 8)) {
			uint32_t b = put(p, SF_OP_KMALLOC, gfp | SF_GFP_RECLAIMABLE, name)->res;

			put_ref(p, SF_OP_OWNS, owner, b);
			owner = b;
		}
		if (sf_rng_one_in(r, 16))
			put_ref(p, SF_OP_PIN, sf_rng_one_in(r, 2) ? owner : dentry, SF_NONE);
	}
	put_blocks(p, nr_ops, gfp, 6, r);
}

/* Movable pages, some of them free again: no two of those lie side by side. */
static void append_movable(struct sf_prog *p, uint32_t nr_ops, struct sf_rng *r)
{
	uint32_t first = p->nr_res, nr = nr_ops / 2;

	for (uint32_t i = 0; i < nr; i++)
		put(p, SF_OP_ALLOC_PAGES, SF_GFP_HIGHUSER_MOVABLE, 0);
	for (uint32_t i = 0; i < nr; i += 2 + (uint32_t)sf_rng_one_in(r, 8))
		put_ref(p, SF_OP_FREE_PAGES, first + i, SF_NONE);
	put(p, SF_OP_DRAIN, 0, 0);
	if (sf_rng_one_in(r, 2))
		put(p, SF_OP_COMPACT, 0, 0);
	else
		put_blocks(p, nr_ops, SF_GFP_KERNEL, SF_NR_ORDERS, r);
}

/* Most of memory in few blocks, then who cannot wait: that is what reserves are for. */
static void append_blocks(struct sf_prog *p, uint32_t nr_ops, struct sf_rng *r)
{
	put_blocks(p, nr_ops, SF_GFP_KERNEL, SF_NR_ORDERS, r);
	put_blocks(p, nr_ops, SF_GFP_ATOMIC, 4, r);
	put_blocks(p, nr_ops, SF_GFP_KERNEL, 4, r);
}

static uint32_t put_pool(struct sf_prog *p, struct sf_rng *r)
{
	struct sf_op *op = put(p, SF_OP_POOL_CREATE, 0, 0);

	op->fault = (uint8_t)sf_rng_below(r, SF_POOL_MODE_COUNT);
	op->count = (uint16_t)sf_rng_below(r, 3);
	return op->res;
}

static void put_rare(struct sf_prog *p, uint32_t pool, uint32_t obj, struct sf_rng *r)
{
	struct sf_op *op = put(p, SF_OP_RARE_WRITE, 0, sf_rng_below(r, 100));

	op->cache = pool;
	op->obj = obj;
	op->count = (uint16_t)sf_rng_below(r, 50);
}

/* A policy: tables are loaded, sealed, looked up, changed by rare writes, and thrown away. */
static void append_policy(struct sf_prog *p, uint32_t nr_ops, struct sf_rng *r)
{
	uint32_t pool = put_pool(p, r), first, nr = 1 + (uint32_t)sf_rng_below(r, nr_ops / 3);
	uint32_t other = sf_rng_one_in(r, 3) ? put_pool(p, r) : pool;

	first = p->nr_res;
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t size = 1 + sf_rng_below(r, sf_rng_one_in(r, 8) ? 9000 : 200);

		put(p, SF_OP_PMALLOC, 0, size)->cache = pool;
	}
	put(p, SF_OP_POOL_PROTECT, 0, 0)->cache = pool;
	while (p->nr_ops + 4 < nr_ops) {
		uint32_t obj = first + (uint32_t)sf_rng_below(r, nr);

		if (sf_rng_one_in(r, 16))
			put(p, sf_rng_one_in(r, 2) ? SF_OP_POOL_PROTECT : SF_OP_POOL_UNPROTECT, 0,
			    0)->cache = pool;
		else if (p->settings.misuse && sf_rng_one_in(r, 16))
			put_ref(p, SF_OP_DIRECTMAP_WRITE, obj, SF_NONE);
		else if (sf_rng_one_in(r, 3))
			put_ref(p, sf_rng_one_in(r, 2) ? SF_OP_VERIFY : SF_OP_WRITE, obj, SF_NONE);
		else
			put_rare(p, sf_rng_one_in(r, 12) ? other : pool, obj, r);
	}
	if (sf_rng_one_in(r, 2))
		put(p, SF_OP_POOL_DESTROY, 0, 0)->cache = pool;
}

static void append_family(struct sf_prog *p, uint32_t nr_ops, struct sf_rng *r)
{
	if (p->settings.pageblock_order != 4)
		append_dentries(p, nr_ops, r);
	else if (p->settings.pages < 1024)
		append_movable(p, nr_ops, r);
	else
		append_blocks(p, nr_ops, r);
}

/* How a program begins, of a kernel's allocator. */
static void begin(struct sf_prog *p, uint32_t nr_ops, struct sf_rng *r)
{
	if (nr_ops >= SHORT_FAMILY_MIN && sf_rng_one_in(r, 8)) {
		sf_family_draw(p, sf_family_pick(r), r);
		if (p->nr_ops > nr_ops)
			sf_prog_clear(p);
	} else if (nr_ops >= FAMILY_MIN && sf_rng_one_in(r, 10)) {
		sf_draw_tight(&p->settings, r);
		append_family(p, nr_ops - (uint32_t)sf_rng_below(r, nr_ops / 4), r);
	} else {
		sf_draw_preset(&p->settings, r);
		if (nr_ops >= FAMILY_MIN && sf_rng_one_in(r, p->settings.misuse ? 8 : 20))
			append_policy(p, nr_ops - (uint32_t)sf_rng_below(r, nr_ops / 4), r);
	}
}

void sf_generate(struct sf_prog *p, uint32_t nr_ops, const struct sf_swarm *sw, struct sf_rng *r)
{
	struct sf_swarm only = { .caps = sw->caps, .total = 1 };

	sf_prog_clear(p);
	if (sw->caps & SF_CAP_MALLOC)
		sf_user_begin(p, nr_ops, sw->caps, r);
	else
		begin(p, nr_ops, r);
	sf_prog_respell(p, sw->caps);
	only.weight[sf_plain_word(sw->caps)] = 1;
	/* A few operations are dropped by the fix-up; plain words never are, so this ends. */
	for (unsigned int round = 0; p->nr_ops < nr_ops; round++) {
		append(p, nr_ops, round < 8 ? sw : &only, r);
		sf_prog_fixup(p);
	}
}
