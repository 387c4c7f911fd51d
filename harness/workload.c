// SPDX-License-Identifier: MIT
/*
 * workload.c - workload.h: the families.
 *
 * dentry: what made Linux count names. A name that does not fit into its dentry (fs/dcache.c:
 * __d_alloc: 40 bytes with the NUL) is a kmalloc of its own, freed with the dentry and by nobody
 * else. Lookups of names that have no file leave negative dentries behind; those that have one hold
 * an inode. Then a process asks for memory and takes it page by page, so that dentries must go.
 */
#include "workload.h"

#include <stdlib.h>
#include <string.h>

#include "mutate.h"

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
	d.live = malloc((files + 1) * sizeof(*d.live));
	if (!d.live)
		abort();
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

const struct sf_workload sf_workloads[] = {
#define X(name, doc) { #name, doc, make_##name },
	SF_WORKLOADS(X)
#undef X
	{ NULL, NULL, NULL },
};

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
