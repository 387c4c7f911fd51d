// SPDX-License-Identifier: MIT
/*
 * families.c - short programs of operations that belong together, with free arguments: what they
 * lead to is hardly ever reached by operations drawn one by one. A family is a row of a table.
 *
 * Relies on program.c to number results and on mutate_internal.h; generate.c begins some programs
 * with one, test_generate.c runs each.
 */
#include "mutate_internal.h"

static uint32_t upto(struct sf_rng *r, uint32_t n)
{
	return (uint32_t)sf_rng_below(r, n);
}

/* The operation, at the end of the program. */
static struct sf_op *put(struct sf_prog *p, enum sf_opcode code, uint32_t gfp, uint64_t size)
{
	struct sf_op op = sf_op_make(code);

	op.gfp = gfp;
	op.size = size;
	return sf_prog_add(p, &op);
}

static void put_of(struct sf_prog *p, enum sf_opcode code, uint32_t cache, uint32_t obj)
{
	struct sf_op *op = put(p, code, 0, 0);

	op->cache = cache;
	op->obj = obj;
}

static uint32_t put_pages(struct sf_prog *p, uint32_t gfp, uint32_t order)
{
	struct sf_op *op = put(p, SF_OP_ALLOC_PAGES, gfp, 0);

	op->order = (uint8_t)order;
	return op->res;
}

static uint32_t put_cache(struct sf_prog *p, uint64_t size, uint32_t flags)
{
	static const char name[] = "alpha";
	uint32_t str = sf_prog_string(p, name, sizeof(name) - 1);
	struct sf_op *op = put(p, SF_OP_CACHE_CREATE, 0, size);

	op->name = str;
	op->align = 8;
	op->flags = SF_SLAB_NO_MERGE | flags;
	return op->res;
}

static uint32_t put_object(struct sf_prog *p, uint32_t cache, uint32_t gfp)
{
	struct sf_op *op = put(p, SF_OP_CACHE_ALLOC, gfp, 0);

	op->cache = cache;
	return op->res;
}

static void put_count(struct sf_prog *p, enum sf_opcode code, uint32_t cache, uint32_t gfp,
		      uint32_t obj, uint32_t count)
{
	struct sf_op *op = put(p, code, gfp, 0);

	op->cache = cache;
	op->obj = obj;
	op->count = (uint16_t)count;
}

#define FOUR_MIB (4u << 20)

/* More than kmalloc() has, and odd: around the edge of a page, within one, pages further on. */
static uint64_t vmalloc_size(struct sf_rng *r)
{
	uint64_t pages = FOUR_MIB + SF_PAGE_SIZE * (1 + upto(r, 40));

	return sf_rng_one_in(r, 2) ? pages + upto(r, 3) - 1 : pages + upto(r, SF_PAGE_SIZE);
}

static void vrealloc(struct sf_prog *p, struct sf_rng *r)
{
	uint32_t gfp = SF_GFP_KERNEL | (sf_rng_one_in(r, 2) ? SF_GFP_ZERO : 0);
	uint64_t size = vmalloc_size(r);
	struct sf_op *op = put(p, SF_OP_KVMALLOC, gfp, size);
	uint32_t last = op->res;

	for (uint32_t n = 2 + upto(r, 4); n; n--) {
		if (sf_rng_one_in(r, 8))
			put(p, SF_OP_FAIL, 0, 0)->fault = SF_FAULT_PAGE;
		op = put(p, SF_OP_KVREALLOC, gfp, sf_rng_one_in(r, 3) ? size : vmalloc_size(r));
		if (sf_rng_one_in(r, 3))
			op->size = size - upto(r, SF_PAGE_SIZE);
		else if (sf_rng_one_in(r, 6))
			op->size = 1 + upto(r, FOUR_MIB);
		else if (sf_rng_one_in(r, 16))
			op->size = 0;
		op->obj = last;
		last = op->res;
		if (sf_rng_one_in(r, 3))
			put_pages(p, SF_GFP_KERNEL, 0);
	}
	put_of(p, SF_OP_VERIFY, SF_NONE, last);
	put_of(p, SF_OP_KVFREE, SF_NONE, last);
}

/* From kmalloc to vmalloc and back. */
static void kvrealloc(struct sf_prog *p, struct sf_rng *r)
{
	/* One draw a statement: arguments are evaluated in an order that compilers choose. */
	uint8_t code = sf_rng_one_in(r, 2) ? SF_OP_KMALLOC : SF_OP_KVMALLOC;
	struct sf_op *op = put(p, code, SF_GFP_KERNEL, 1 + upto(r, FOUR_MIB / 4));
	uint32_t last = op->res;

	for (uint32_t n = 1 + upto(r, 3); n; n--) {
		op = put(p, SF_OP_KVREALLOC, SF_GFP_KERNEL,
			 n & 1 ? vmalloc_size(r) : 1 + upto(r, 20000));
		op->obj = last;
		last = op->res;
	}
	put_of(p, SF_OP_KVFREE, SF_NONE, last);
}

/* Most of memory goes in few blocks; what is left is for who cannot wait. */
static void highatomic(struct sf_prog *p, struct sf_rng *r)
{
	static const uint8_t orders[] = { 10, 9, 8, 6, 5 };
	const uint32_t atomic = SF_GFP_ATOMIC | SF_GFP_NOWARN;
	const uint32_t high = SF_GFP_HIGH | SF_GFP_NOWARN | SF_GFP_NOMEMALLOC;
	uint32_t block;

	for (unsigned int i = 0; i < sizeof(orders); i++)
		put_pages(p, SF_GFP_KERNEL, orders[i] - (i > 2 && sf_rng_one_in(r, 8)));
	block = put_pages(p, atomic, sf_rng_one_in(r, 4) ? upto(r, 7) : 6);
	if (sf_rng_one_in(r, 3))
		put(p, SF_OP_CHECK, 0, 0);
	put_of(p, SF_OP_FREE_PAGES, SF_NONE, block);
	if (sf_rng_one_in(r, 2))
		put(p, SF_OP_DRAIN, 0, 0);
	for (uint32_t n = 5 + upto(r, 3); n; n--)
		put_pages(p, high, 4);
	put_pages(p, SF_GFP_NOWAIT, 0);
	for (uint32_t n = 1 + upto(r, 4); n; n--)
		put_pages(p, atomic, sf_rng_one_in(r, 3) ? upto(r, 5) : 0);
}

/* Some objects are parked or charged, the rest of a bulk cannot be had. */
static void bulk_fails(struct sf_prog *p, struct sf_rng *r)
{
	uint32_t size = 500 + upto(r, 4000);
	uint32_t cache = put_cache(p, size, sf_rng_one_in(r, 2) ? SF_SLAB_ACCOUNT : 0);
	uint32_t obj[4], nr = 1 + upto(r, 4);

	if (sf_rng_one_in(r, 2)) {
		struct sf_op *op = put(p, SF_OP_MEMCG_CREATE, 0, 2000u << upto(r, 6));
		uint32_t group = op->res;

		put(p, SF_OP_MEMCG_SET, 0, 0)->obj2 = group;
	}
	for (uint32_t i = 0; i < nr; i++)
		obj[i] = put_object(p, cache, SF_GFP_KERNEL);
	put_pages(p, SF_GFP_KERNEL, 3 + upto(r, 3));
	for (uint32_t n = 1 + upto(r, 2); n; n--)
		put_count(p, SF_OP_CACHE_ALLOC_BULK, cache,
			  SF_GFP_KERNEL | SF_GFP_NORETRY | SF_GFP_NOWARN, SF_NONE, 64 - upto(r, 8));
	for (uint32_t i = 0; i < nr; i++)
		put_of(p, SF_OP_CACHE_FREE, cache, obj[i]);
	put_of(p, SF_OP_CACHE_DESTROY, cache, SF_NONE);
}

/* Sheaves of kfree_rcu() become full, wiped or charged. */
static void rcu_sheaf(struct sf_prog *p, struct sf_rng *r)
{
	static const uint16_t sizes[] = { 200, 1000, 2000, 5000 };
	static const uint8_t full[] = { 60, 28, 12, 4 };
	uint32_t which = upto(r, 4), nr = full[which] + upto(r, 5), first, group = SF_NONE, cache;

	cache = put_cache(p, sizes[which], sf_rng_one_in(r, 2) ? SF_SLAB_ACCOUNT : 0);
	/* Small ones: more of them are full than a barn takes. */
	if (sf_rng_one_in(r, 3)) {
		uint8_t capacity = (uint8_t)(1 + upto(r, 4));

		p->ops[p->nr_ops - 1].order = capacity;
		nr = 13u * capacity;
	}
	if (sf_rng_one_in(r, 2)) {
		group = put(p, SF_OP_MEMCG_CREATE, 0, 0)->res;
		put(p, SF_OP_MEMCG_SET, 0, 0)->obj2 = group;
	}
	first = p->nr_res;
	for (uint32_t i = 0; i < nr; i++)
		put_object(p, cache, SF_GFP_KERNEL);
	for (uint32_t i = 0; i < nr; i++)
		put_of(p, SF_OP_KFREE_RCU, SF_NONE, first + i);
	put(p, SF_OP_GRACE_PERIOD, 0, 0);
	put(p, SF_OP_CHECK, 0, 0);
}

/* All that is left in a cache is deferred, on another CPU. */
static void destroy_deferred(struct sf_prog *p, struct sf_rng *r)
{
	uint32_t size = 8 + upto(r, 3000);
	uint32_t cache = put_cache(p, size, sf_rng_one_in(r, 4) ? SF_SLAB_TYPESAFE_BY_RCU : 0);

	for (uint32_t n = 1 + upto(r, 4); n; n--) {
		put(p, SF_OP_CPU, 0, 0)->cpu = (uint8_t)upto(r, (uint32_t)p->settings.cpus);
		put_of(p, SF_OP_KFREE_RCU, SF_NONE, put_object(p, cache, SF_GFP_KERNEL));
	}
	put(p, SF_OP_CPU, 0, 0)->cpu = (uint8_t)upto(r, (uint32_t)p->settings.cpus);
	put_of(p, SF_OP_CACHE_DESTROY, cache, SF_NONE);
}

/* Full objects, and ones with slack that was written to before. */
static void sensitive(struct sf_prog *p, struct sf_rng *r)
{
	for (uint32_t n = 1 + upto(r, 3); n; n--) {
		uint64_t size = 8u << upto(r, 12);
		uint32_t obj = put(p, SF_OP_KMALLOC, SF_GFP_KERNEL, size)->res;
		struct sf_op *op;

		put_of(p, SF_OP_WRITE, SF_NONE, obj);
		p->ops[p->nr_ops - 1].flag = 1;
		if (sf_rng_one_in(r, 2)) {
			op = put(p, SF_OP_KREALLOC, SF_GFP_KERNEL, 1 + sf_rng_below(r, size));
			op->obj = obj;
			obj = op->res;
		}
		put_of(p, SF_OP_KFREE_SENSITIVE, SF_NONE, obj);
	}
}

/* Parts of page blocks are claimed by who wakes kswapd, and who does not. */
static void boost(struct sf_prog *p, struct sf_rng *r)
{
	uint32_t block[5], freed = upto(r, 5);

	for (unsigned int i = 0; i < 5; i++)
		block[i] = put_pages(p, SF_GFP_HIGHUSER_MOVABLE, i == 2 || i == 3 ? 9 : 8);
	put_of(p, SF_OP_FREE_PAGES, SF_NONE, block[freed]);
	for (uint32_t n = 2 + upto(r, 4); n; n--) {
		uint32_t gfp = sf_rng_one_in(r, 3) ? SF_GFP_KERNEL : SF_GFP_HIGH;

		gfp |= sf_rng_one_in(r, 2) ? SF_GFP_RECLAIMABLE : 0;
		put_pages(p, gfp, upto(r, 6));
		put(p, sf_rng_one_in(r, 4) ? SF_OP_KSWAPD : SF_OP_CHECK, 0, 0);
	}
}

/* A prefilled sheaf is used while nothing else is to be had, refilled and returned. */
static void prefilled(struct sf_prog *p, struct sf_rng *r)
{
	uint32_t cache = put_cache(p, 64 + upto(r, 3000), 0), sheaf, gfp = SF_GFP_KERNEL;

	/* Objects that came and went leave sheaves behind: full ones, and empty ones. */
	if (sf_rng_one_in(r, 2)) {
		uint32_t first = p->nr_res, nr = 1 + upto(r, 16), keep = upto(r, nr);

		p->ops[p->nr_ops - 1].order = (uint8_t)(1 + upto(r, 4));
		for (uint32_t i = 0; i < nr; i++)
			put_object(p, cache, SF_GFP_KERNEL);
		for (uint32_t i = keep; i < nr; i++)
			put_of(p, SF_OP_CACHE_FREE, cache, first + i);
	}
	if (sf_rng_one_in(r, 4)) {
		put_pages(p, SF_GFP_KERNEL, 7);
		gfp |= SF_GFP_MEMALLOC | SF_GFP_NOWARN;
	}
	put_count(p, SF_OP_PREFILL_SHEAF, cache, gfp, SF_NONE, 1 + upto(r, 64));
	sheaf = p->ops[p->nr_ops - 1].res;
	for (uint32_t n = upto(r, 12); n; n--)
		put_count(p, SF_OP_ALLOC_FROM_SHEAF, cache,
			  sf_rng_one_in(r, 3) ? SF_GFP_ZERO : 0, sheaf, 0);
	if (sf_rng_one_in(r, 2))
		put_count(p, SF_OP_REFILL_SHEAF, cache, SF_GFP_KERNEL, sheaf, 1 + upto(r, 64));
	put_count(p, SF_OP_RETURN_SHEAF, cache, SF_GFP_NOWAIT, sheaf, 0);
	put_count(p, SF_OP_PREFILL_SHEAF, cache, gfp, SF_NONE, 1 + upto(r, 64));
}

/* Caches that one could serve for all, or almost: some share slabs. */
static void merge(struct sf_prog *p, struct sf_rng *r)
{
	static const uint32_t flags[] = { 0, 0, SF_SLAB_RECLAIM_ACCOUNT, SF_SLAB_ACCOUNT,
					  SF_SLAB_TEMPORARY, SF_SLAB_CTOR,
					  SF_SLAB_HWCACHE_ALIGN, SF_SLAB_TYPESAFE_BY_RCU };
	const uint32_t nr_flags = sizeof(flags) / sizeof(flags[0]);
	uint64_t size = 16 + 8ull * upto(r, sf_rng_one_in(r, 4) ? 1000 : 64);
	uint32_t common = flags[upto(r, nr_flags)];

	for (uint32_t n = 3 + upto(r, 5); n; n--) {
		uint32_t cache = put_cache(p, size - upto(r, 10), 0), obj;
		struct sf_op *op = &p->ops[p->nr_ops - 1];

		op->flags = sf_rng_one_in(r, 4) ? flags[upto(r, nr_flags)] : common;
		op->align = sf_rng_one_in(r, 3) ? 1u << upto(r, 8) : 0;
		obj = put_object(p, cache, SF_GFP_KERNEL);
		put_of(p, sf_rng_one_in(r, 2) ? SF_OP_WRITE : SF_OP_KSIZE, SF_NONE, obj);
		if (sf_rng_one_in(r, 3))
			put_of(p, SF_OP_CACHE_FREE, cache, obj);
		if (sf_rng_one_in(r, 3))
			put_of(p, SF_OP_CACHE_DESTROY, cache, SF_NONE);
	}
}

/* Pages that can move, some charged, with gaps between; they do, or somebody needs blocks. */
static void moved(struct sf_prog *p, struct sf_rng *r)
{
	static const uint32_t effort[] = { 0, SF_GFP_NORETRY, SF_GFP_RETRY_MAYFAIL,
					   SF_GFP_NORETRY | SF_GFP_THISNODE, SF_GFP_THISNODE };
	uint32_t movable = SF_GFP_HIGHUSER_MOVABLE, nr = 24 + upto(r, 16), first, group;
	uint32_t order = sf_rng_one_in(r, 4) ? 1 + upto(r, 3) : 0;

	if (sf_rng_one_in(r, 2)) {
		group = put(p, SF_OP_MEMCG_CREATE, 0, 0)->res;
		put(p, SF_OP_MEMCG_SET, 0, 0)->obj2 = group;
		movable |= SF_GFP_ACCOUNT;
	}
	/* Little is left besides: who needs a block has none. */
	if (sf_rng_one_in(r, 2))
		put_pages(p, SF_GFP_KERNEL, 6);
	first = p->nr_res;
	for (uint32_t i = 0; i < nr; i++)
		put_pages(p, movable, order);
	for (uint32_t i = 0; i < nr; i += 2 + upto(r, 2))
		put_of(p, SF_OP_FREE_PAGES, SF_NONE, first + i);
	put(p, SF_OP_DRAIN, 0, 0);
	if (sf_rng_one_in(r, 2)) {
		put(p, SF_OP_COMPACT, 0, 0);
		return;
	}
	for (uint32_t n = 3 + upto(r, 4); n; n--) {
		uint32_t gfp = SF_GFP_KERNEL | SF_GFP_NOWARN | effort[upto(r, 5)];

		put_pages(p, gfp, 2 + upto(r, 6));
	}
}

/* A group at its limit, maybe below another: of its objects some go in reclaim, some stay. */
static void memcg_limit(struct sf_prog *p, struct sf_rng *r)
{
	static const uint32_t effort[] = { 0, 0, SF_GFP_NORETRY, SF_GFP_RETRY_MAYFAIL };
	uint32_t limit = 4096u << upto(r, 5), cache, obj, group;

	group = put(p, SF_OP_MEMCG_CREATE, 0, limit)->res;
	if (sf_rng_one_in(r, 2)) {
		uint32_t below = sf_rng_one_in(r, 2) ? limit / 2 : 0;
		struct sf_op *op = put(p, SF_OP_MEMCG_CREATE, 0, below);

		op->obj2 = group;
		group = op->res;
	}
	put(p, SF_OP_MEMCG_SET, 0, 0)->obj2 = group;
	cache = put_cache(p, limit / 16 + upto(r, 2000), SF_SLAB_RECLAIM_ACCOUNT | SF_SLAB_ACCOUNT);
	for (uint32_t n = 2 + upto(r, 10); n; n--) {
		obj = put_object(p, cache, SF_GFP_KERNEL_ACCOUNT);
		if (sf_rng_one_in(r, 4))
			put_of(p, SF_OP_PIN, SF_NONE, obj);
	}
	for (uint32_t n = 2 + upto(r, 4); n; n--) {
		uint64_t size = 1 + upto(r, limit + limit / 4);

		put(p, SF_OP_KMALLOC, SF_GFP_KERNEL_ACCOUNT | effort[upto(r, 4)], size);
	}
}

/* Slabs become empty as a grace period ends, and have to wait for the next. */
static void rcu_slabs(struct sf_prog *p, struct sf_rng *r)
{
	uint32_t cache = put_cache(p, 6000 + upto(r, 2000), SF_SLAB_TYPESAFE_BY_RCU);
	uint32_t first, nr = 40 + upto(r, 16);

	p->ops[p->nr_ops - 1].order = (uint8_t)(1 + upto(r, 2));
	first = p->nr_res;
	for (uint32_t i = 0; i < nr; i++)
		put_object(p, cache, SF_GFP_KERNEL);
	for (uint32_t i = 0; i < nr; i++)
		put_of(p, SF_OP_KFREE_RCU, SF_NONE, first + i);
	for (uint32_t n = 1 + upto(r, 3); n; n--)
		put(p, SF_OP_GRACE_PERIOD, 0, 0);
}

/* pages, CPUs, page block order, watermarks: of the heap that it needs. */
const struct sf_family sf_families[] = {
	{ "vrealloc", 3, SF_EV_MAP, { 4096, 2, 9, 1 }, vrealloc },
	{ "kvrealloc", 2, SF_EV_MAP, { 4096, 2, 9, 1 }, kvrealloc },
	{ "highatomic", 4, SF_EV_RESERVE, { 2048, 1, 4, 1 }, highatomic },
	{ "bulk_fails", 2, SF_EV_PAGE_FAIL, { 64, 1, 9, 0 }, bulk_fails },
	{ "rcu_sheaf", 3, SF_EV_GRACE, { 1024, 2, 9, 1 }, rcu_sheaf },
	{ "destroy_deferred", 3, SF_EV_CACHE_DESTROY, { 1024, 2, 9, 1 }, destroy_deferred },
	{ "sensitive", 1, SF_EV_FREE, { 1024, 2, 9, 1 }, sensitive },
	{ "boost", 2, SF_EV_CLAIM, { 2048, 1, 9, 1 }, boost },
	{ "prefilled", 3, SF_EV_SHEAF, { 256, 2, 9, 1 }, prefilled },
	{ "merge", 3, SF_EV_CACHE_CREATE, { 1024, 2, 9, 1 }, merge },
	{ "moved", 3, SF_EV_COMPACT, { 120, 1, 4, 1 }, moved },
	{ "memcg_limit", 3, SF_EV_SHRINK, { 1024, 2, 9, 1 }, memcg_limit },
	{ "rcu_slabs", 1, SF_EV_SLAB_DEFER, { 1024, 1, 9, 1 }, rcu_slabs },
};

const unsigned int sf_family_count = sizeof(sf_families) / sizeof(sf_families[0]);

void sf_family_draw(struct sf_prog *p, unsigned int which, struct sf_rng *r)
{
	const struct sf_family *f = &sf_families[which];

	sf_settings_init(&p->settings);
	p->settings.pages = f->heap.pages;
	p->settings.cpus = f->heap.cpus;
	p->settings.pageblock_order = f->heap.pageblock_order;
	p->settings.watermarks = f->heap.watermarks;
	p->settings.init_on_free = f->emit == rcu_sheaf && sf_rng_one_in(r, 2);
	sf_settings_fixup(&p->settings);
	f->emit(p, r);
}

unsigned int sf_family_pick(struct sf_rng *r)
{
	uint32_t total = 0, x;
	unsigned int i = 0;

	for (unsigned int k = 0; k < sf_family_count; k++)
		total += sf_families[k].weight;
	for (x = upto(r, total); x >= sf_families[i].weight; i++)
		x -= sf_families[i].weight;
	return i;
}
