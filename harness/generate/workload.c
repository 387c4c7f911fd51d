// SPDX-License-Identifier: MIT
/*
 * workload.c - workload.h: the families.
 *
 * dentry: what made Linux count names. A name that does not fit into its dentry (fs/dcache.c:
 * __d_alloc: 40 bytes with the NUL) is a kmalloc of its own, freed with the dentry and in no other
 * way. Lookups of names that have no file leave negative dentries behind; those that have one hold
 * an inode. Then a process asks for memory and takes it page by page, so that dentries must go.
 *
 * buffers: what made people ask for slabs of 2 MiB (drivers/md/dm-bufio.c). Clients keep blocks of
 * their devices in memory, in sizes that are no powers of two; each has a cache for them that the
 * kernel may shrink. A block is first asked for without waiting, then with. Others have been there
 * before and left movable and small pages all over the zone.
 *
 * policydb: what made people ask for sealed memory (security/selinux/ss/policydb.c). Rules are
 * loaded into a pool, which is then sealed; lookups read; booleans are set by rare writes; a new
 * policy is a new pool, and the old one goes.
 */
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "../../allocators/base/rng.h"

enum {
	SITE_DENTRY = 1,
	SITE_NAME,
	SITE_INODE,
	SITE_OTHER,
	DENTRY_SIZE = 192,
	DNAME_INLINE_LEN = 40,
	NAME_HEADER = 25,      /* struct external_name and the NUL */
	INODE_SIZE = 1120,
	CPUS = 2,
	GRACE_EVERY = 64,
};

struct dentry_plan {
	struct sf_prog *p;
	const struct sf_workload_options *opt;
	struct sf_rng rng;
	uint32_t dentries, inodes; /* caches */
	uint32_t *live;            /* dentries that can be removed */
	uint32_t nr_live;
};

static struct sf_op *add(struct sf_prog *p, enum sf_opcode code)
{
	struct sf_op op = sf_op_make(code);

	return sf_prog_add(p, &op);
}

static uint32_t add_cache(struct sf_prog *p, const char *name, uint32_t size, uint16_t usersize)
{
	uint32_t at = sf_prog_string(p, name, strlen(name));
	struct sf_op *op = add(p, SF_OP_CACHE_CREATE);

	op->name = at;
	op->size = size;
	op->align = 8;
	op->flags = SF_SLAB_RECLAIM_ACCOUNT | SF_SLAB_ACCOUNT;
	op->count = usersize;
	return op->res;
}

static void add_site(struct sf_prog *p, uint16_t site, const char *symbol)
{
	uint32_t at = sf_prog_string(p, symbol, strlen(symbol));
	struct sf_op *op = add(p, SF_OP_SITE);

	op->site = site;
	op->name = at;
}

static bool percent(struct dentry_plan *d, uint64_t n)
{
	return sf_rng_below(&d->rng, 100) < n;
}

static uint32_t from_cache(struct dentry_plan *d, uint32_t cache, uint32_t gfp, uint16_t site)
{
	struct sf_op *op = add(d->p, SF_OP_CACHE_ALLOC);

	op->cache = cache;
	op->gfp = gfp;
	op->site = site;
	return op->res;
}

static void owns(struct sf_prog *p, uint32_t a, uint32_t b)
{
	struct sf_op *op = add(p, SF_OP_OWNS);

	op->obj = a;
	op->obj2 = b;
}

/* fs/dcache.c:__d_alloc, and the inode if there is a file. Bytes of slots. */
static void look_up(struct dentry_plan *d)
{
	uint64_t range = d->opt->longest - d->opt->shortest + 1;
	uint64_t len = d->opt->shortest + sf_rng_below(&d->rng, range);
	uint32_t dentry = from_cache(d, d->dentries, SF_GFP_KERNEL, SITE_DENTRY);

	if (len >= DNAME_INLINE_LEN) {
		struct sf_op *op = add(d->p, SF_OP_KMALLOC);

		op->size = NAME_HEADER + len;
		op->gfp = SF_GFP_KERNEL_ACCOUNT | SF_GFP_RECLAIMABLE;
		op->site = SITE_NAME;
		owns(d->p, dentry, op->res);
	}
	if (!percent(d, d->opt->negative)) {
		owns(d->p, dentry, from_cache(d, d->inodes, SF_GFP_NOFS, SITE_INODE));
		if (percent(d, d->opt->open)) {
			add(d->p, SF_OP_PIN)->obj = dentry;
			return;
		}
	}
	d->live[d->nr_live++] = dentry;
}

static void unlink_one(struct dentry_plan *d)
{
	uint32_t at = (uint32_t)sf_rng_below(&d->rng, d->nr_live);
	struct sf_op *op;

	if (!d->nr_live)
		return;
	op = add(d->p, SF_OP_CACHE_FREE);
	op->cache = d->dentries;
	op->obj = d->live[at];
	d->live[at] = d->live[--d->nr_live];
}

/* What else a kernel does meanwhile: memory that no shrinker gives back. */
static void go_on(struct dentry_plan *d, uint64_t i)
{
	struct sf_op *op;

	if (i % 16 == 0)
		add(d->p, SF_OP_CPU)->cpu = (uint8_t)sf_rng_below(&d->rng, CPUS);
	if (d->opt->rcu && i % GRACE_EVERY == 0)
		add(d->p, SF_OP_GRACE_PERIOD);
	if (i % 8)
		return;
	op = add(d->p, SF_OP_KMALLOC);
	op->size = 16 + sf_rng_below(&d->rng, 500);
	op->gfp = SF_GFP_KERNEL;
	op->site = (uint16_t)(SITE_OTHER + sf_rng_below(&d->rng, 8));
}

/* Bytes that stay of a lookup, in the mean: a dentry, a name and what its class adds, an inode. */
static uint64_t bytes_each(const struct sf_workload_options *opt)
{
	uint64_t name = (opt->shortest + opt->longest) / 2 + NAME_HEADER;
	uint64_t kept = 100 - opt->unlink;

	return (DENTRY_SIZE + (opt->longest < DNAME_INLINE_LEN ? 0 : name + name / 6) +
		INODE_SIZE * (100 - opt->negative) / 100) * (kept ? kept : 1) / 100;
}

/* A process: may it have so much? Then page by page, which is where reclaim comes in. */
static void press(struct dentry_plan *d)
{
	uint64_t pages = d->opt->pages * d->opt->ask / 100;

	add(d->p, SF_OP_VM_ENOUGH_MEMORY)->n = pages;
	add(d->p, SF_OP_CHECK);
	for (uint64_t i = 0; i < pages; i++) {
		struct sf_op *op = add(d->p, SF_OP_ALLOC_PAGES);

		op->gfp = SF_GFP_HIGHUSER_MOVABLE;
		if (d->opt->rcu && i % GRACE_EVERY == 0)
			add(d->p, SF_OP_GRACE_PERIOD);
	}
	add(d->p, SF_OP_CHECK);
}

static void make_dentry(struct sf_prog *p, const struct sf_workload_options *opt)
{
	struct dentry_plan d = { .p = p, .opt = opt };
	uint64_t files = opt->files ? opt->files :
				      opt->pages * 3 / 4 * SF_PAGE_SIZE / bytes_each(opt);

	sf_prog_clear(p);
	p->settings.pages = opt->pages;
	p->settings.cpus = CPUS;
	sf_rng_seed(&d.rng, opt->seed);
	d.live = sf_grow(NULL, files + 1, sizeof(*d.live));
	add_site(p, SITE_DENTRY, "__d_alloc");
	add_site(p, SITE_NAME, "__d_alloc (name)");
	add_site(p, SITE_INODE, "ext4_alloc_inode");
	d.dentries = add_cache(p, "dentry", DENTRY_SIZE, DNAME_INLINE_LEN);
	d.inodes = add_cache(p, "ext4_inode_cache", INODE_SIZE, 60);
	if (opt->rcu) {
		struct sf_op *op = add(p, SF_OP_SHRINKER);

		op->cache = d.dentries;
		op->flag = true;
	}
	for (uint64_t i = 0; i < files; i++) {
		go_on(&d, i);
		look_up(&d);
		if (percent(&d, opt->unlink))
			unlink_one(&d);
	}
	add(p, SF_OP_CHECK);
	press(&d);
	free(d.live);
}

/* --- buffers --- */

enum {
	SITE_BLOCK = 1,
	SITE_SMALL,
	CLIENTS = 4,
	SHRINK_EVERY = 48, /* blocks */
};

static const uint64_t block_sizes[CLIENTS] = { 160 << 10, 320 << 10, 640 << 10, 704 << 10 };

struct block {
	uint32_t res, client;
};

struct buffers_plan {
	struct sf_prog *p;
	const struct sf_workload_options *opt;
	struct sf_rng rng;
	uint32_t clients;
	uint64_t size[CLIENTS];
	uint32_t cache[CLIENTS];
	struct block *live;
	uint32_t nr_live;
};

/* drivers/md/dm-bufio.c:dm_bufio_client_create */
static void add_clients(struct buffers_plan *b)
{
	char name[32];

	b->clients = b->opt->size ? 1 : CLIENTS;
	for (uint32_t i = 0; i < b->clients; i++) {
		uint64_t size = b->size[i] = b->opt->size ? b->opt->size : block_sizes[i];
		uint64_t align = size & -size;
		struct sf_op *op;
		uint32_t at;

		if (b->opt->kmalloc)
			continue;
		snprintf(name, sizeof(name), "dm_bufio_cache-%u", (unsigned int)size);
		at = sf_prog_string(b->p, name, strlen(name));
		op = add(b->p, SF_OP_CACHE_CREATE);
		op->name = at;
		op->size = size;
		op->align = (uint32_t)(align < SF_PAGE_SIZE ? align : SF_PAGE_SIZE);
		op->flags = SF_SLAB_RECLAIM_ACCOUNT;
		op->cpu = (uint8_t)b->opt->min_order;
		b->cache[i] = op->res;
	}
}

/* Pages of others, of which every second one goes again: nothing large is left of their share. */
static void fragment(struct buffers_plan *b)
{
	uint64_t nr = b->opt->pages * b->opt->noise / 100;
	uint32_t *res = sf_grow(NULL, nr + 1, sizeof(*res));

	for (uint64_t i = 0; i < nr; i++) {
		bool movable = sf_rng_below(&b->rng, 8);
		struct sf_op *op = add(b->p, movable ? SF_OP_ALLOC_PAGES : SF_OP_KMALLOC);

		op->gfp = movable ? SF_GFP_HIGHUSER_MOVABLE : SF_GFP_KERNEL;
		op->size = movable ? 0 : 2048 + sf_rng_below(&b->rng, 2048);
		op->site = movable ? 0 : SITE_SMALL;
		res[i] = movable ? op->res : SF_NONE;
	}
	for (uint64_t i = 0; i < nr; i++)
		if (res[i] != SF_NONE && sf_rng_below(&b->rng, 2))
			add(b->p, SF_OP_FREE_PAGES)->obj = res[i];
	free(res);
}

static void take_block(struct buffers_plan *b)
{
	static const enum sf_opcode codes[] = { SF_OP_CACHE_ALLOC, SF_OP_KMALLOC, SF_OP_KVMALLOC };
	uint32_t client = (uint32_t)sf_rng_below(&b->rng, b->clients);
	struct sf_op *op = add(b->p, codes[b->opt->kmalloc]);

	/* alloc_buffer_data(): __GFP_NORETRY until that fails, and it may be asked for again. */
	op->gfp = sf_rng_below(&b->rng, 4) ? SF_GFP_NOWAIT | SF_GFP_NORETRY | SF_GFP_NOMEMALLOC :
					     SF_GFP_NOIO | SF_GFP_NORETRY | SF_GFP_NOWARN;
	if (b->opt->kmalloc)
		op->size = b->size[client];
	else
		op->cache = b->cache[client];
	op->site = SITE_BLOCK;
	b->live[b->nr_live++] = (struct block){ op->res, client };
}

static void drop_block(struct buffers_plan *b)
{
	static const enum sf_opcode codes[] = { SF_OP_CACHE_FREE, SF_OP_KFREE, SF_OP_KVFREE };
	uint32_t at = (uint32_t)sf_rng_below(&b->rng, b->nr_live);
	struct sf_op *op = add(b->p, codes[b->opt->kmalloc]);

	if (!b->opt->kmalloc)
		op->cache = b->cache[b->live[at].client];
	op->obj = b->live[at].res;
	b->live[at] = b->live[--b->nr_live];
}

static uint64_t blocks_asked(const struct buffers_plan *b)
{
	uint64_t sum = 1; /* never 0 */

	if (b->opt->blocks)
		return b->opt->blocks;
	for (uint32_t i = 0; i < b->clients; i++)
		sum += b->size[i];
	return b->opt->pages * SF_PAGE_SIZE * 3 / 2 * b->clients / sum + 1;
}

static void make_buffers(struct sf_prog *p, const struct sf_workload_options *opt)
{
	struct buffers_plan b = { .p = p, .opt = opt };
	uint64_t nr;

	sf_prog_clear(p);
	p->settings.pages = opt->pages;
	p->settings.cpus = CPUS;
	sf_rng_seed(&b.rng, opt->seed);
	add_site(p, SITE_BLOCK, "alloc_buffer_data");
	add_site(p, SITE_SMALL, "others");
	add_clients(&b);
	nr = blocks_asked(&b);
	b.live = sf_grow(NULL, nr + 1, sizeof(*b.live));
	fragment(&b);
	for (uint64_t i = 0; i < nr; i++) {
		if (i % 16 == 0)
			add(p, SF_OP_CPU)->cpu = (uint8_t)sf_rng_below(&b.rng, CPUS);
		take_block(&b);
		if (!opt->keep && sf_rng_below(&b.rng, 3) == 0)
			drop_block(&b);
		if (!opt->keep && i % SHRINK_EVERY == SHRINK_EVERY - 1)
			add(p, SF_OP_SHRINK)->n = 4;
	}
	add(p, SF_OP_CHECK);
	while (b.nr_live)
		drop_block(&b);
	add(p, SF_OP_CHECK);
	free(b.live);
}

/* --- policydb --- */

enum {
	AVTAB_NODE = 24,    /* struct avtab_node: key, datum, next */
	EBITMAP_NODE = 64,  /* struct ebitmap_node */
	SYMBOL = 40,        /* a name and its value */
	BOOLEAN = 16,
	LOOKUPS = 4,        /* for each rule */
	REFILL = 16,        /* pages of an area */
};

struct policy {
	uint32_t pool, htable;
	uint32_t *rule, *boolean;
	uint32_t nr_rules, nr_booleans;
};

static uint32_t from_pool(struct sf_prog *p, uint32_t pool, uint64_t size, bool zero)
{
	struct sf_op *op = add(p, zero ? SF_OP_PZALLOC : SF_OP_PMALLOC);

	op->cache = pool;
	op->size = size;
	return op->res;
}

/* ss/policydb.c:policydb_read: the hash table of the rules, the rules, symbols, booleans. */
static void load(struct sf_prog *p, struct policy *y, uint64_t rules, struct sf_rng *rng)
{
	struct sf_op *op = add(p, SF_OP_POOL_CREATE);

	op->fault = SF_POOL_WR;
	op->count = REFILL;
	y->pool = op->res;
	y->nr_rules = y->nr_booleans = 0;
	op = add(p, SF_OP_PCALLOC);
	op->cache = y->pool;
	op->n = rules / 4 + 1;
	op->size = 8;
	y->htable = op->res;
	for (uint64_t i = 0; i < rules; i++) {
		y->rule[y->nr_rules++] = from_pool(p, y->pool, AVTAB_NODE, false);
		if (i % 4 == 0)
			from_pool(p, y->pool, EBITMAP_NODE, true);
		if (i % 8 == 0)
			from_pool(p, y->pool, SYMBOL + sf_rng_below(rng, 48), false);
		if (i % 16 == 0)
			y->boolean[y->nr_booleans++] = from_pool(p, y->pool, BOOLEAN, true);
	}
	add(p, SF_OP_POOL_PROTECT)->cache = y->pool;
}

static void look_rules_up(struct sf_prog *p, const struct policy *y, struct sf_rng *rng)
{
	for (uint64_t i = 0; i < (uint64_t)LOOKUPS * y->nr_rules; i++) {
		add(p, SF_OP_VERIFY)->obj = y->htable;
		add(p, SF_OP_VERIFY)->obj = y->rule[sf_rng_below(rng, y->nr_rules)];
	}
}

/* ss/services.c:security_set_bools; and a stray store, which must fault. */
static void set_booleans(struct sf_prog *p, const struct policy *y, struct sf_rng *rng)
{
	for (uint32_t i = 0; i < y->nr_booleans; i++) {
		struct sf_op *op = add(p, SF_OP_RARE_WRITE);

		op->cache = y->pool;
		op->obj = y->boolean[i];
	}
	add(p, SF_OP_WRITE)->obj = y->rule[sf_rng_below(rng, y->nr_rules)];
}

static void policy_init(struct policy *y, uint64_t rules)
{
	y->rule = sf_grow(NULL, rules, sizeof(*y->rule));
	y->boolean = sf_grow(NULL, rules, sizeof(*y->boolean));
}

static void make_policydb(struct sf_prog *p, const struct sf_workload_options *opt)
{
	struct policy now, next;
	struct sf_rng rng;

	sf_prog_clear(p);
	p->settings.pages = opt->pages;
	p->settings.cpus = CPUS;
	sf_rng_seed(&rng, opt->seed);
	policy_init(&now, opt->rules);
	policy_init(&next, opt->rules);
	load(p, &now, opt->rules, &rng);
	look_rules_up(p, &now, &rng);
	for (uint64_t i = 0; i < opt->reloads; i++) {
		if (i % 2 == 0) {
			set_booleans(p, &now, &rng);
		} else {
			struct policy old = now;

			load(p, &next, opt->rules, &rng);
			add(p, SF_OP_POOL_DESTROY)->cache = old.pool;
			now = next;
			next = old;
		}
		look_rules_up(p, &now, &rng);
	}
	add(p, SF_OP_CHECK);
	add(p, SF_OP_POOL_DESTROY)->cache = now.pool;
	add(p, SF_OP_CHECK);
	free(now.rule);
	free(now.boolean);
	free(next.rule);
	free(next.boolean);
}

const struct sf_workload sf_workloads[] = {
#define X(name, doc) { #name, doc, make_##name },
	SF_WORKLOADS(X)
#undef X
	{ NULL, NULL, NULL },
};

const struct sf_workload *sf_workload_by_name(const char *name)
{
	for (const struct sf_workload *w = sf_workloads; w->name; w++)
		if (!strcmp(w->name, name))
			return w;
	return NULL;
}

void sf_workload_defaults(struct sf_workload_options *opt)
{
#define X(field, option, def, lo, hi, doc) opt->field = (def);
	SF_WORKLOAD_OPTIONS(X)
#undef X
}

const char *sf_workload_fault(const struct sf_workload_options *opt)
{
	return opt->shortest > opt->longest ? "the shortest name is longer than the longest" : NULL;
}
