// SPDX-License-Identifier: MIT
/*
 * live.c - static liveness of results, and the repair of one operation by it.
 *
 * Relies on the tables of ops.c and types.c. A result is live, perhaps moved (a realloc of it may
 * have succeeded: still usable, but no target for repair), or dead. What came from a named cache or
 * was made for a device also dies with that; its list entry is dropped when it is met, so
 * that this end costs O(1). Objects that were freed one by one are listed too, for what misuses
 * them.
 */
#include "live.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "types.h"

const char *const sf_class_names[SF_CLASSES] = {
	[SF_CLASS_KMALLOC] = "a kmalloc object",
	[SF_CLASS_NAMED] = "an object of a named cache",
	[SF_CLASS_KV] = "a kvmalloc object",
	[SF_CLASS_PAGES] = "from alloc_pages",
	[SF_CLASS_EXACT] = "from alloc_pages_exact",
	[SF_CLASS_BULK] = "from kmem_cache_alloc_bulk",
	[SF_CLASS_CACHE] = "a cache",
	[SF_CLASS_BUCKETS] = "a set of buckets",
	[SF_CLASS_DEVICE] = "a device",
	[SF_CLASS_DEVM] = "memory of a device",
	[SF_CLASS_MEMCG] = "a memory cgroup",
	[SF_CLASS_POOL] = "a pool",
	[SF_CLASS_POOLED] = "memory of a pool",
	[SF_CLASS_PAGES_BULK] = "from alloc_pages_bulk",
	[SF_CLASS_SHEAF] = "a prefilled sheaf",
	[SF_CLASS_USER] = "from malloc or its like",
	[SF_CLASS_ALIGNED] = "from aligned_alloc",
	[SF_CLASS_MEMALIGNED] = "from posix_memalign or memalign",
	[SF_CLASS_HEAP] = "a heap",
	[SF_CLASS_REGION] = "a region of a heap",
};

struct sf_live *sf_live_begin(struct sf_prog *p)
{
	struct sf_live *l = p->live;

	if (!l)
		l = p->live = sf_zalloc(1, sizeof(*l));
	l->nr = l->nr_caches = 0;
	for (unsigned int c = 0; c < SF_CLASSES; c++)
		l->newest[c] = SF_NONE;
	l->newest_dead = SF_NONE;
	sf_map_clear(&l->labels);
	sf_map_clear(&l->names);
	return l;
}

void sf_live_free(struct sf_live *l)
{
	if (!l)
		return;
	free(l->res);
	sf_map_free(&l->labels);
	sf_map_free(&l->names);
	free(l);
}

uint32_t sf_live_find(const struct sf_live *l, uint64_t label)
{
	return sf_map_get(&l->labels, label);
}

bool sf_live_usable(const struct sf_live *l, uint32_t res)
{
	const struct sf_live_res *r = &l->res[res];

	return !r->dead && (r->cache == SF_NONE || !l->res[r->cache].dead);
}

uint32_t sf_live_named(const struct sf_live *l, const char *name)
{
	uint32_t res = sf_map_get(&l->names, sf_fnv1a_text(name));

	return res != SF_NONE && sf_live_usable(l, res) ? res : SF_NONE;
}

static void unlist(struct sf_live *l, uint32_t res)
{
	struct sf_live_res *r = &l->res[res];

	if (!r->listed)
		return;
	r->listed = false;
	if (r->older != SF_NONE)
		l->res[r->older].newer = r->newer;
	if (r->newer != SF_NONE)
		l->res[r->newer].older = r->older;
	else
		l->newest[r->class] = r->older;
}

static uint32_t newest(struct sf_live *l, unsigned int classes)
{
	uint32_t best = SF_NONE;

	for (unsigned int c = 0; c < SF_CLASSES; c++) {
		if (!(classes & 1u << c))
			continue;
		while (l->newest[c] != SF_NONE && !sf_live_usable(l, l->newest[c]))
			unlist(l, l->newest[c]);
		if (l->newest[c] != SF_NONE && (best == SF_NONE || l->newest[c] > best))
			best = l->newest[c];
	}
	return best;
}

#define USER_CLASSES (1u << SF_CLASS_USER | 1u << SF_CLASS_ALIGNED | 1u << SF_CLASS_MEMALIGNED)
#define DEAD_CLASSES (1u << SF_CLASS_KMALLOC | 1u << SF_CLASS_NAMED | 1u << SF_CLASS_KV | \
		      1u << SF_CLASS_DEVM | USER_CLASSES)

unsigned int sf_live_accepts(const struct sf_op *op, unsigned int kind)
{
	const struct sf_op_info *info = sf_op_info(op);
	unsigned int classes = 1u << SF_CLASS_KMALLOC;

	switch (kind) {
	case SF_ARG_PAGES:
		return 1u << SF_CLASS_PAGES;
	case SF_ARG_EXACT:
		return 1u << SF_CLASS_EXACT;
	case SF_ARG_BULK:
		return 1u << SF_CLASS_BULK;
	case SF_ARG_PAGES_BULK:
		return 1u << SF_CLASS_PAGES_BULK;
	case SF_ARG_SHEAF:
		return 1u << SF_CLASS_SHEAF;
	case SF_ARG_CACHE:
	case SF_ARG_CACHE2:
		return 1u << SF_CLASS_CACHE;
	case SF_ARG_BUCKETS:
		return 1u << SF_CLASS_BUCKETS;
	case SF_ARG_DEVICE:
		return 1u << SF_CLASS_DEVICE;
	case SF_ARG_MEMCG:
		return 1u << SF_CLASS_MEMCG;
	case SF_ARG_POOL:
		return 1u << SF_CLASS_POOL;
	case SF_ARG_DEAD:
		return DEAD_CLASSES;
	case SF_ARG_UOBJ:
		return USER_CLASSES;
	case SF_ARG_SIZED:
		return 1u << SF_CLASS_USER;
	case SF_ARG_ALIGNED:
		return 1u << SF_CLASS_ALIGNED;
	case SF_ARG_HEAP:
	case SF_ARG_HEAP2:
		return 1u << SF_CLASS_HEAP;
	case SF_ARG_REGION:
		return 1u << SF_CLASS_REGION;
	}
	if (info->flags & SF_OPF_DEVM)
		return 1u << SF_CLASS_DEVM;
	if (info->flags & SF_OPF_POOL)
		return 1u << SF_CLASS_POOLED;
	if (op->cache != SF_NONE)
		return 1u << SF_CLASS_NAMED;
	/* kfree() takes objects of named caches too, krealloc() does not. */
	if (!(info->flags & SF_OPF_MOVES))
		classes |= 1u << SF_CLASS_NAMED;
	if (info->flags & SF_OPF_KV)
		classes |= 1u << SF_CLASS_KV;
	/* What neither frees nor moves may have it from anywhere. */
	if ((info->flags & (SF_OPF_KV | SF_OPF_FREES | SF_OPF_MOVES | SF_OPF_OWN)) == SF_OPF_KV)
		classes |= 1u << SF_CLASS_DEVM;
	if (info->flags & SF_OPF_POOLED)
		classes |= 1u << SF_CLASS_POOLED;
	/* Contents, and misuse that names no cache, are the same everywhere. */
	if (info->flags & SF_OPF_POOLED ||
	    (info->flags & SF_OPF_MISUSE && !(info->flags & SF_OPF_FREES)))
		classes |= USER_CLASSES;
	return classes;
}

static enum sf_class class_of(const struct sf_op *op, unsigned int res_kind)
{
	switch (res_kind) {
	case SF_RES_KV:
		return SF_CLASS_KV;
	case SF_RES_PAGES:
		return SF_CLASS_PAGES;
	case SF_RES_EXACT:
		return SF_CLASS_EXACT;
	case SF_RES_BULK:
		return SF_CLASS_BULK;
	case SF_RES_PAGES_BULK:
		return SF_CLASS_PAGES_BULK;
	case SF_RES_SHEAF:
		return SF_CLASS_SHEAF;
	case SF_RES_CACHE:
		return SF_CLASS_CACHE;
	case SF_RES_BUCKETS:
		return SF_CLASS_BUCKETS;
	case SF_RES_DEVICE:
		return SF_CLASS_DEVICE;
	case SF_RES_MEMCG:
		return SF_CLASS_MEMCG;
	case SF_RES_POOL:
		return SF_CLASS_POOL;
	case SF_RES_USER:
		return SF_CLASS_USER;
	case SF_RES_ALIGNED:
		return SF_CLASS_ALIGNED;
	case SF_RES_MEMALIGNED:
		return SF_CLASS_MEMALIGNED;
	case SF_RES_HEAP:
		return SF_CLASS_HEAP;
	case SF_RES_REGION:
		return SF_CLASS_REGION;
	}
	if (sf_op_info(op)->flags & SF_OPF_DEVM)
		return SF_CLASS_DEVM;
	if (sf_op_info(op)->flags & SF_OPF_POOL)
		return SF_CLASS_POOLED;
	return op->cache == SF_NONE ? SF_CLASS_KMALLOC : SF_CLASS_NAMED;
}

static void kill_result(struct sf_live *l, uint32_t res, uint32_t line)
{
	if (res == SF_NONE)
		return;
	unlist(l, res);
	l->res[res].dead = true;
	l->res[res].died = line;
	if (!(DEAD_CLASSES >> l->res[res].class & 1))
		return;
	l->res[res].older = l->newest_dead;
	l->newest_dead = res;
}

static void define(struct sf_live *l, struct sf_op *op, enum sf_class class, uint64_t label)
{
	struct sf_live_res *r;

	if (l->nr == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 256;
		l->res = sf_grow(l->res, l->cap, sizeof(*l->res));
	}
	op->res = l->nr++;
	r = &l->res[op->res];
	*r = (struct sf_live_res){
		.label = label,
		.older = l->newest[class],
		.newer = SF_NONE,
		.cache = op->cache,
		.defined = op->line,
		.class = class,
		.listed = true,
	};
	if (r->older != SF_NONE)
		l->res[r->older].newer = op->res;
	l->newest[class] = op->res;
	if (label != SF_NONE)
		sf_map_put(&l->labels, label, op->res);
}

void sf_live_apply(struct sf_live *l, const struct sf_prog *p, struct sf_op *op, uint64_t label)
{
	const struct sf_op_info *info = sf_op_info(op);

	if (info->flags & SF_OPF_FREES)
		kill_result(l, op->obj, op->line);
	if (info->flags & SF_OPF_MOVES && op->obj != SF_NONE)
		unlist(l, op->obj);
	if (info->flags & SF_OPF_ENDS) {
		kill_result(l, op->cache, op->line);
		kill_result(l, op->obj2, op->line);
	}
	if (info->res == SF_RES_NONE) {
		op->res = SF_NONE;
		return;
	}
	define(l, op, class_of(op, info->res), label);
	/* What is resized stays in its heap. */
	if (info->res == SF_RES_USER && info->flags & SF_OPF_MOVES && op->obj != SF_NONE)
		l->res[op->res].cache = l->res[op->obj].cache;
	if (info->res == SF_RES_CACHE) {
		l->nr_caches++;
		sf_map_put(&l->names, sf_fnv1a_text(sf_prog_str(p, op->name)), op->res);
	}
}

struct sf_limits sf_arg_limits(unsigned int kind, bool key)
{
	if (kind == SF_ARG_COUNT)
		return key ? (struct sf_limits){ 0, UINT16_MAX } : (struct sf_limits){ 1, 64 };
	return key ? (struct sf_limits){ 0, UINT8_MAX } : (struct sf_limits){ 0, SF_NR_ORDERS };
}

/* What a repair of one argument may look at. */
struct fix {
	struct sf_live *l;
	struct sf_prog *p;
	struct sf_op *op;
	const struct sf_op_info *info;
	bool key; /* of the argument */
};

/* The result that a label means here, or the best there is. SF_NONE: nothing fits. */
static uint32_t fix_ref(struct fix *f, unsigned int kind, uint32_t label, bool null_ok)
{
	unsigned int classes = sf_live_accepts(f->op, kind);
	uint32_t res;

	if (label == SF_NONE)
		return null_ok ? SF_NONE : newest(f->l, classes);
	res = sf_map_get(&f->l->labels, label);
	if (res != SF_NONE && classes & 1u << f->l->res[res].class && sf_live_usable(f->l, res))
		return res;
	return newest(f->l, classes);
}

static bool fix_object(struct fix *f, unsigned int kind)
{
	bool null_ok = f->info->flags & SF_OPF_NULL_OK;

	f->op->obj = fix_ref(f, kind, f->op->obj, null_ok);
	if (f->op->obj == SF_NONE)
		return null_ok;
	/* An object decides which cache it goes back to; a rare write may name any pool. */
	if (f->op->cache != SF_NONE && !(f->info->flags & SF_OPF_POOL))
		f->op->cache = f->l->res[f->op->obj].cache;
	return true;
}

/* One function for each kind of argument, false if there is no way to repair it. */
static bool fix_OBJ(struct fix *f)
{
	return fix_object(f, SF_ARG_OBJ);
}

static bool fix_OBJ2(struct fix *f)
{
	f->op->obj2 = fix_ref(f, SF_ARG_OBJ2, f->op->obj2, false);
	return f->op->obj2 != SF_NONE;
}

static bool fix_PAGES(struct fix *f)
{
	return fix_object(f, SF_ARG_PAGES);
}

static bool fix_EXACT(struct fix *f)
{
	return fix_object(f, SF_ARG_EXACT);
}

static bool fix_BULK(struct fix *f)
{
	return fix_object(f, SF_ARG_BULK);
}

static bool fix_SHEAF(struct fix *f)
{
	return fix_object(f, SF_ARG_SHEAF);
}

static bool fix_PAGES_BULK(struct fix *f)
{
	return fix_object(f, SF_ARG_PAGES_BULK);
}

static bool fix_CACHE(struct fix *f)
{
	f->op->cache = fix_ref(f, SF_ARG_CACHE, f->op->cache, false);
	return f->op->cache != SF_NONE;
}

static bool fix_BUCKETS(struct fix *f)
{
	f->op->obj2 = fix_ref(f, SF_ARG_BUCKETS, f->op->obj2, false);
	return f->op->obj2 != SF_NONE;
}

static bool fix_DEVICE(struct fix *f)
{
	f->op->cache = fix_ref(f, SF_ARG_DEVICE, f->op->cache, false);
	return f->op->cache != SF_NONE;
}

static bool fix_MEMCG(struct fix *f)
{
	bool null_ok = f->info->flags & SF_OPF_NULL_OK;

	f->op->obj2 = fix_ref(f, SF_ARG_MEMCG, f->op->obj2, null_ok);
	return null_ok || f->op->obj2 != SF_NONE;
}

static bool fix_POOL(struct fix *f)
{
	f->op->cache = fix_ref(f, SF_ARG_POOL, f->op->cache, false);
	return f->op->cache != SF_NONE;
}

static bool fix_UOBJ(struct fix *f)
{
	return fix_object(f, SF_ARG_UOBJ);
}

static bool fix_SIZED(struct fix *f)
{
	return fix_object(f, SF_ARG_SIZED);
}

static bool fix_ALIGNED(struct fix *f)
{
	return fix_object(f, SF_ARG_ALIGNED);
}

static bool fix_REGION(struct fix *f)
{
	return fix_object(f, SF_ARG_REGION);
}

/* As a key it may be left out. */
static bool fix_HEAP(struct fix *f)
{
	f->op->cache = fix_ref(f, SF_ARG_HEAP, f->op->cache, f->key);
	return f->key || f->op->cache != SF_NONE;
}

static bool fix_AT(struct fix *f)
{
	f->op->count %= SF_PAGE_SIZE;
	return true;
}

static bool fix_THREAD(struct fix *f)
{
	f->op->cpu %= SF_THREADS_MAX;
	return true;
}

static bool fix_MODE(struct fix *f)
{
	f->op->fault %= SF_POOL_MODE_COUNT;
	return true;
}

static bool fix_MIN_ORDER(struct fix *f)
{
	f->op->cpu %= SF_NR_ORDERS;
	return true;
}

static bool fix_PERCENT(struct fix *f)
{
	f->op->cpu %= 101;
	return true;
}

static bool fix_DEAD(struct fix *f)
{
	uint32_t res = f->op->obj == SF_NONE ? SF_NONE : sf_map_get(&f->l->labels, f->op->obj);

	if (res == SF_NONE || !(DEAD_CLASSES >> f->l->res[res].class & 1) ||
	    sf_live_usable(f->l, res))
		res = f->l->newest_dead;
	f->op->obj = res;
	return res != SF_NONE;
}

/* A cache or a heap that the object is not from: the one named, or the newest. */
static bool fix_other(struct fix *f, unsigned int kind, enum sf_class class)
{
	uint32_t own = f->l->res[f->op->obj].cache;
	uint32_t res = fix_ref(f, kind, f->op->obj2, false);

	if (res == own)
		res = f->l->newest[class];
	if (res != SF_NONE && res == own)
		res = f->l->res[res].older;
	f->op->obj2 = res;
	return res != SF_NONE;
}

static bool fix_CACHE2(struct fix *f)
{
	return fix_other(f, SF_ARG_CACHE2, SF_CLASS_CACHE);
}

static bool fix_HEAP2(struct fix *f)
{
	return fix_other(f, SF_ARG_HEAP2, SF_CLASS_HEAP);
}

static bool fix_SPAN(struct fix *f)
{
	if (!f->op->count)
		f->op->count = 1;
	return true;
}

static bool fix_ERRNO(struct fix *f)
{
	f->op->count = (uint16_t)(f->op->count ? 1 + (f->op->count - 1) % SF_MAX_ERRNO : 1);
	return true;
}

static bool fix_TOKEN(struct fix *f)
{
	f->op->token %= SF_TOKENS_MAX + 1;
	return true;
}

/* Every value of these will do. */
#define fix_SIZE(f) true
#define fix_N(f) true
#define fix_SITE(f) true
#define fix_ANY_ALIGN(f) true

static bool fix_GFP(struct fix *f)
{
	f->op->gfp &= SF_GFP_ALL;
	return true;
}

static bool fix_SLAB_FLAGS(struct fix *f)
{
	if (f->op->flags & SF_SLAB_TEMPORARY)
		f->op->flags |= SF_SLAB_RECLAIM_ACCOUNT;
	f->op->flags &= SF_SLAB_USER & ~SF_SLAB_TEMPORARY;
	return true;
}

static bool fix_ALIGN(struct fix *f)
{
	f->op->align &= UINT32_MAX; /* no more is encoded */
	if (f->op->align)
		f->op->align = 1ull << (63 - __builtin_clzll(f->op->align));
	return true;
}

static bool fix_TYPE(struct fix *f)
{
	uint32_t t = f->op->type;

	if (!t && f->key)
		return true;
	t = t && t < sf_type_count ? t : 1 + t % (sf_type_count - 1);
	/* Some type has a flexible array (types.c asserts it), so this ends. */
	if (f->info->flags & SF_OPF_FLEX)
		while (!sf_types[t].flex_elem)
			t = t + 1 < sf_type_count ? t + 1 : 1;
	f->op->type = (uint16_t)t;
	return true;
}

static uint32_t clamp(uint32_t v, struct sf_limits lim)
{
	return v < lim.lo ? lim.lo : v > lim.hi ? lim.hi : v;
}

static bool fix_ORDER(struct fix *f)
{
	f->op->order = (uint8_t)clamp(f->op->order, sf_arg_limits(SF_ARG_ORDER, f->key));
	return true;
}

static bool fix_COUNT(struct fix *f)
{
	f->op->count = (uint16_t)clamp(f->op->count, sf_arg_limits(SF_ARG_COUNT, f->key));
	return true;
}

static bool fix_CPU(struct fix *f)
{
	f->op->cpu = (uint8_t)(f->op->cpu % f->p->settings.cpus);
	return true;
}

static bool fix_FAULT(struct fix *f)
{
	f->op->fault %= SF_FAULTS;
	return true;
}

static bool fix_BOOL(struct fix *f)
{
	f->op->flag = !!f->op->flag;
	return true;
}

/* A cache must have a name that no live cache has: c<its number>, and if need be .1, .2, … */
static bool fix_NAME(struct fix *f)
{
	const char *name;
	char made[40];

	if (f->op->name >= f->p->nr_strings)
		f->op->name = 0;
	if (f->info->res != SF_RES_CACHE)
		return true;
	name = sf_prog_str(f->p, f->op->name);
	if (*name && sf_live_named(f->l, name) == SF_NONE)
		return true;
	snprintf(made, sizeof(made), "c%u", f->l->nr_caches);
	for (unsigned int i = 1; sf_live_named(f->l, made) != SF_NONE; i++)
		snprintf(made, sizeof(made), "c%u.%u", f->l->nr_caches, i);
	f->op->name = sf_prog_string(f->p, made, strlen(made));
	return true;
}

/* The table of operations as straight code: here its argument macros mean a repair each. */
#undef SF_POS
#undef SF_KEY
#define SF_POS(kind, name) (f->key = false, ok = ok && fix_##kind(f))
#define SF_KEY(kind, name) (f->key = true, ok = ok && fix_##kind(f))

static bool fix_args(struct fix *f)
{
	bool ok = true;

	switch (f->op->code) {
#define X(code, id, name, reskind, handler, needs, weight, flags, doc, ...) \
	case (code):                                                        \
		(void)0, ##__VA_ARGS__;                                     \
		break;
	SF_OPS(X)
#undef X
	}
	return ok;
}

static void fix_expect(struct sf_prog *p, struct sf_op *op)
{
	char canon[SF_STRING_MAX + 1];
	const char *s;

	if (op->expect >= p->nr_strings)
		op->expect = 0;
	if (!op->expect)
		return;
	s = sf_prog_str(p, op->expect);
	if (!sf_expect_parse(op, s, strlen(s), canon) || strcmp(s, canon))
		op->expect = 0;
}

bool sf_live_fix(struct sf_live *l, struct sf_prog *p, struct sf_op *op)
{
	struct fix f = { .l = l, .p = p, .op = op, .info = sf_op_info(op) };
	uint32_t label = op->res;

	if (f.info->flags & SF_OPF_MISUSE && !p->settings.misuse)
		return false;
	if (!fix_args(&f))
		return false;
	if (op->expect)
		fix_expect(p, op);
	sf_live_apply(l, p, op, label);
	return true;
}
