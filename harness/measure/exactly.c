// SPDX-License-Identifier: MIT
/*
 * exactly.c - large_cost.h: the same program with alloc_pages_exact() for what is larger than a
 * page and no power of two. Operations change on their way to the executor; the program does not.
 */
#include "large_cost.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

#define LARGEST (SF_PAGE_SIZE << (SF_NR_ORDERS - 1))

struct sf_exactly_result {
	uint64_t size;         /* of a cache's objects */
	uint32_t flags;        /* of a cache */
	uint32_t older, newer; /* listed */
	bool exact, listed;
};

void sf_exactly_init(struct sf_exactly *e)
{
	*e = (struct sf_exactly){ .oldest = SF_NONE, .newest = SF_NONE };
}

void sf_exactly_free(struct sf_exactly *e)
{
	free(e->res);
	sf_exactly_init(e);
}

static struct sf_exactly_result *at(struct sf_exactly *e, uint32_t res)
{
	e->res = sf_grow_zeroed(e->res, &e->cap, (size_t)res + 1, sizeof(*e->res));
	return &e->res[res];
}

static bool is_exact(struct sf_exactly *e, uint32_t res)
{
	return res != SF_NONE && at(e, res)->exact;
}

/* --- what its user may give back, oldest first --- */

static void list_add(struct sf_exactly *e, uint32_t res)
{
	struct sf_exactly_result *r = at(e, res);

	r->listed = true;
	r->older = e->newest;
	r->newer = SF_NONE;
	*(e->newest == SF_NONE ? &e->oldest : &at(e, e->newest)->newer) = res;
	e->newest = res;
}

static void list_del(struct sf_exactly *e, uint32_t res)
{
	struct sf_exactly_result *r = at(e, res);

	if (!r->listed)
		return;
	r->listed = false;
	*(r->older == SF_NONE ? &e->oldest : &at(e, r->older)->newer) = r->newer;
	*(r->newer == SF_NONE ? &e->newest : &at(e, r->newer)->older) = r->older;
}

static bool give_back(struct sf_exactly *e, struct sf_exec *x, uint32_t res, const char *strings)
{
	struct sf_op op = sf_op_make(SF_OP_FREE_EXACT);

	list_del(e, res);
	at(e, res)->exact = false;
	op.obj = res;
	return sf_exec_step(x, &op, strings);
}

static bool reclaim(struct sf_exactly *e, struct sf_exec *x, uint64_t nr, const char *strings)
{
	while (nr-- && e->oldest != SF_NONE) {
		e->reclaimed++;
		if (!give_back(e, x, e->oldest, strings))
			return false;
	}
	return true;
}

/* --- what is asked for --- */

static bool for_exact(uint64_t size)
{
	return size > SF_PAGE_SIZE && size <= LARGEST && size & (size - 1);
}

static uint64_t typed_size(const struct sf_op *op, uint64_t n)
{
	uint64_t size;

	if (op->type >= sf_type_count || __builtin_mul_overflow(n, sf_types[op->type].size, &size))
		return 0;
	return size;
}

/* Bytes that an operation asks for; 0: it is left as it is. */
static uint64_t asked(struct sf_exactly *e, const struct sf_op *op)
{
	uint64_t size;

	switch (op->code) {
	case SF_OP_KMALLOC:
	case SF_OP_KZALLOC:
	case SF_OP_KVMALLOC:
	case SF_OP_KVZALLOC:
	case SF_OP_KREALLOC:
	case SF_OP_KVREALLOC:
		return op->size;
	case SF_OP_KMALLOC_ARRAY:
	case SF_OP_KCALLOC:
	case SF_OP_KVMALLOC_ARRAY:
	case SF_OP_KVCALLOC:
	case SF_OP_KREALLOC_ARRAY:
		return __builtin_mul_overflow(op->n, op->size, &size) ? 0 : size;
	case SF_OP_KMALLOC_OBJ:
	case SF_OP_KZALLOC_OBJ:
	case SF_OP_KVMALLOC_OBJ:
	case SF_OP_KVZALLOC_OBJ:
		return typed_size(op, 1);
	case SF_OP_KMALLOC_OBJS:
	case SF_OP_KZALLOC_OBJS:
	case SF_OP_KVMALLOC_OBJS:
	case SF_OP_KVZALLOC_OBJS:
		return typed_size(op, op->n);
	case SF_OP_CACHE_ALLOC:
	case SF_OP_CACHE_ZALLOC:
		return op->cache == SF_NONE ? 0 : at(e, op->cache)->size;
	}
	return 0;
}

static bool may_fall_back(const struct sf_op *op)
{
	return sf_op_table[op->code].res == SF_RES_KV;
}

/* mm/slub.c:kmalloc_gfp_adjust, for what may fall back to vmalloc(). */
static uint32_t exact_gfp(const struct sf_op *op)
{
	uint32_t gfp = op->gfp;

	if (sf_op_table[op->code].flags & SF_OPF_ZERO)
		gfp |= SF_GFP_ZERO;
	if (!may_fall_back(op))
		return gfp;
	gfp = (gfp | SF_GFP_NOWARN) & ~SF_GFP_NOFAIL;
	return gfp & SF_GFP_RETRY_MAYFAIL ? gfp : gfp & ~SF_GFP_DIRECT_RECLAIM;
}

/* False: the program is over. *came: there is such an object now. */
static bool take(struct sf_exactly *e, struct sf_exec *x, const struct sf_op *op, uint64_t size,
		 const char *strings, bool *came)
{
	struct sf_op exact = sf_op_make(SF_OP_ALLOC_EXACT);
	bool cached = op->code == SF_OP_CACHE_ALLOC || op->code == SF_OP_CACHE_ZALLOC;

	exact.size = size;
	exact.gfp = exact_gfp(op);
	exact.res = op->res;
	for (;;) {
		if (!sf_exec_step(x, &exact, strings))
			return false;
		*came = sf_exec_outcome(x)->addr;
		if (*came || !(exact.gfp & SF_GFP_DIRECT_RECLAIM) || e->oldest == SF_NONE)
			break;
		e->again++;
		if (!reclaim(e, x, 1, strings))
			return false;
	}
	at(e, op->res)->exact = *came;
	if (*came && cached && at(e, op->cache)->flags & SF_SLAB_RECLAIM_ACCOUNT)
		list_add(e, op->res);
	if (*came || !may_fall_back(op))
		return true;
	e->again++;
	return sf_exec_step(x, op, strings);
}

/* --- resizes: always a new object, then the old one goes --- */

static bool resize(struct sf_exactly *e, struct sf_exec *x, const struct sf_op *op, uint64_t size,
		   const char *strings)
{
	bool kv = op->code == SF_OP_KVREALLOC, came = false;
	struct sf_op fresh = sf_op_make(kv ? SF_OP_KVMALLOC : SF_OP_KMALLOC);
	struct sf_op old = sf_op_make(kv ? SF_OP_KVFREE : SF_OP_KFREE);

	fresh.size = size;
	fresh.gfp = op->gfp;
	fresh.site = op->site;
	fresh.type = op->type;
	fresh.token = op->token;
	fresh.res = op->res;
	old.obj = op->obj;
	if (for_exact(size)) {
		if (!take(e, x, &fresh, size, strings, &came))
			return false;
	} else if (!sf_exec_step(x, &fresh, strings)) {
		return false;
	}
	came = sf_exec_outcome(x)->addr;
	if (!came || op->obj == SF_NONE)
		return true;
	return is_exact(e, op->obj) ? give_back(e, x, op->obj, strings) :
				      sf_exec_step(x, &old, strings);
}

/* An operation on what is of alloc_pages_exact() now. */
static bool concerns(struct sf_exactly *e, struct sf_exec *x, const struct sf_op *op,
		     const char *strings)
{
	unsigned int flags = sf_op_table[op->code].flags;

	if (is_exact(e, op->obj) && flags & SF_OPF_FREES && !(flags & SF_OPF_MISUSE))
		return give_back(e, x, op->obj, strings);
	return true;
}

bool sf_exactly_step(struct sf_exactly *e, struct sf_exec *x, const struct sf_op *op,
		     const char *strings)
{
	uint64_t size = asked(e, op);
	bool moves = sf_op_table[op->code].flags & SF_OPF_MOVES &&
		     !(sf_op_table[op->code].flags & SF_OPF_DEVM), came;

	if (op->res != SF_NONE) {
		list_del(e, op->res);
		*at(e, op->res) = (struct sf_exactly_result){ 0 };
	}
	if (op->code == SF_OP_CACHE_CREATE) {
		at(e, op->res)->size = op->size;
		at(e, op->res)->flags = op->flags;
	}
	if (moves && (for_exact(size) || is_exact(e, op->obj)))
		return resize(e, x, op, size, strings);
	if (!moves && for_exact(size))
		return take(e, x, op, size, strings, &came);
	if (is_exact(e, op->obj) || is_exact(e, op->obj2))
		return concerns(e, x, op, strings);
	if (op->code == SF_OP_SHRINK && !reclaim(e, x, op->n, strings))
		return false;
	return sf_exec_step(x, op, strings);
}
