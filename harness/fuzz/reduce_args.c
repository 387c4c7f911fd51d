// SPDX-License-Identifier: MIT
/*
 * reduce_args.c - what is in operations, as simple as it may be: the plainest word for it, then
 * each argument by its kind, then the settings. Of numbers the first that does of 0, 1, powers of
 * two and what lies beside these, and only then the smallest at all: 4096 says more than 4031.
 */
#include <stdlib.h>
#include <string.h>

#include "../program/live.h"
#include "../program/types.h"
#include "reduce_internal.h"

enum { BISECTIONS_MAX = 64 };

/* A place in the program that holds a value. */
struct slot {
	uint32_t op;
	uint8_t kind;    /* enum sf_arg_kind */
	bool all;        /* and others of that kind with the same value: sizes that must agree */
	const struct sf_setting_info *setting; /* instead of an operation's */
};

static uint64_t get(const struct sf_prog *p, const struct slot *s)
{
	struct sf_settings set = p->settings;

	if (s->setting)
		return *sf_setting_slot(&set, s->setting);
	return sf_arg_get(&p->ops[s->op], s->kind);
}

static bool has(const struct sf_op_info *info, unsigned int kind)
{
	for (const struct sf_arg_info *a = info->arg; a->kind != SF_ARG_END; a++)
		if (a->kind == kind)
			return true;
	return false;
}

/* Is it another place with that value? */
static bool is_like(const struct sf_prog *p, const struct slot *s, uint32_t op)
{
	return op != s->op && has(sf_op_info(&p->ops[op]), s->kind) &&
	       sf_arg_get(&p->ops[op], s->kind) == get(p, s);
}

static void set_all(struct sf_prog *p, const struct slot *s, uint64_t value)
{
	for (uint32_t op = 0; op < p->nr_ops; op++)
		if (is_like(p, s, op))
			sf_arg_set(&p->ops[op], s->kind, value);
	sf_arg_set(&p->ops[s->op], s->kind, value);
}

static bool try_value(struct reduce *r, const struct slot *s, uint64_t value)
{
	if (get(r->best, s) == value)
		return false;
	reduce_copy(r);
	if (s->setting)
		*sf_setting_slot(&r->trial.settings, s->setting) = value;
	else if (s->all)
		set_all(&r->trial, s, value);
	else
		sf_arg_set(&r->trial.ops[s->op], s->kind, value);
	return reduce_try(r);
}

/* --- numbers --- */

/*
 * The smallest that does between one that does not and one that does, as far as what lies between
 * is of one mind.
 */
static bool bisect(struct reduce *r, const struct slot *s, uint64_t low)
{
	uint64_t high = get(r->best, s);
	bool any = false;

	for (int i = 0; i < BISECTIONS_MAX && high - low > 1; i++) {
		uint64_t mid = low + (high - low) / 2;

		if (try_value(r, s, mid)) {
			high = get(r->best, s);
			any = true;
		} else {
			low = mid;
		}
	}
	return any;
}

static bool is_power(uint64_t v)
{
	return !(v & (v - 1));
}

static bool try_number(struct reduce *r, const struct slot *s)
{
	uint64_t v = get(r->best, s), low = 0;

	if (!v || try_value(r, s, 0))
		return v;
	for (uint64_t p = 1; p && p < v; p *= 2) {
		if (try_value(r, s, p))
			return true;
		low = p;
	}
	/* A power of two is as round as it gets. */
	if (is_power(v))
		return false;
	for (uint64_t p = 4; p && p - 1 < v; p *= 2) {
		if (try_value(r, s, p - 1) || (p + 1 < v && try_value(r, s, p + 1)))
			return true;
		if (p / 2 * 3 < v && try_value(r, s, p / 2 * 3))
			return true;
	}
	if (is_power(v + 1) || is_power(v - 1))
		return false;
	return bisect(r, s, low);
}

/* The first that does, from the smallest on: of a few values only. */
static bool try_smallest(struct reduce *r, const struct slot *s)
{
	uint64_t v = get(r->best, s);

	for (uint64_t i = 0; i < v && i < 64; i++)
		if (try_value(r, s, i))
			return true;
	return false;
}

/* --- flags --- */

/* `plain` and as little of the rest as will do. */
static bool try_flags(struct reduce *r, const struct slot *s, uint64_t plain)
{
	uint64_t v = get(r->best, s);
	bool any = v != plain && try_value(r, s, plain);

	if (any || v == plain)
		return any;
	any = (v & plain) != plain && try_value(r, s, v | plain);
	v = get(r->best, s);
	for (uint64_t bit = 1; bit <= v && bit; bit *= 2)
		if ((v & bit) && !(plain & bit))
			any |= try_value(r, s, get(r->best, s) & ~bit);
	return any;
}

/* --- one argument --- */

static bool try_argument(struct reduce *r, uint32_t op, const struct sf_arg_info *arg, bool all)
{
	const struct slot s = { .op = op, .kind = arg->kind, .all = all };
	const struct sf_op *o = &r->best->ops[op];

	switch (arg->kind) {
	case SF_ARG_SIZE:
	case SF_ARG_N:
	case SF_ARG_ALIGN:
	case SF_ARG_ANY_ALIGN:
	case SF_ARG_COUNT:
	case SF_ARG_SPAN:
	case SF_ARG_AT:
	case SF_ARG_SITE:
		return try_number(r, &s);
	case SF_ARG_GFP:
		return try_flags(r, &s, SF_GFP_KERNEL);
	case SF_ARG_SLAB_FLAGS:
		return try_flags(r, &s, 0);
	case SF_ARG_TYPE:
		return arg->key ? try_value(r, &s, 0) : try_smallest(r, &s);
	case SF_ARG_ORDER:
	case SF_ARG_CPU:
	case SF_ARG_FAULT:
	case SF_ARG_BOOL:
	case SF_ARG_TOKEN:
	case SF_ARG_MIN_ORDER:
	case SF_ARG_MODE:
	case SF_ARG_THREAD:
		return try_smallest(r, &s);
	case SF_ARG_PERCENT:
		return get(r->best, &s) != 100 && (try_value(r, &s, 100) || try_smallest(r, &s));
	case SF_ARG_ERRNO:
		return try_value(r, &s, 1);
	case SF_ARG_MEMCG:
		return try_value(r, &s, SF_NONE);
	case SF_ARG_HEAP:
		return arg->key && try_value(r, &s, SF_NONE);
	case SF_ARG_OBJ:
	case SF_ARG_UOBJ:
	case SF_ARG_SIZED:
		return sf_op_info(o)->flags & SF_OPF_NULL_OK && try_value(r, &s, SF_NONE);
	}
	return false;
}

/* --- words --- */

/* Forms of a call, and one that says the same, or nearly so, with less. */
static const struct {
	uint8_t from, to;
} plainer[] = {
	{ SF_OP_KZALLOC, SF_OP_KMALLOC },
	{ SF_OP_KMALLOC_ARRAY, SF_OP_KMALLOC },
	{ SF_OP_KCALLOC, SF_OP_KMALLOC },
	{ SF_OP_KCALLOC, SF_OP_KZALLOC },
	{ SF_OP_KMALLOC_OBJ, SF_OP_KMALLOC },
	{ SF_OP_KZALLOC_OBJ, SF_OP_KMALLOC },
	{ SF_OP_KZALLOC_OBJ, SF_OP_KZALLOC },
	{ SF_OP_KZALLOC_OBJ, SF_OP_KMALLOC_OBJ },
	{ SF_OP_KMALLOC_OBJS, SF_OP_KMALLOC },
	{ SF_OP_KZALLOC_OBJS, SF_OP_KMALLOC },
	{ SF_OP_KZALLOC_OBJS, SF_OP_KZALLOC },
	{ SF_OP_KZALLOC_OBJS, SF_OP_KMALLOC_OBJS },
	{ SF_OP_KMALLOC_FLEX, SF_OP_KMALLOC },
	{ SF_OP_KZALLOC_FLEX, SF_OP_KMALLOC },
	{ SF_OP_KZALLOC_FLEX, SF_OP_KZALLOC },
	{ SF_OP_KZALLOC_FLEX, SF_OP_KMALLOC_FLEX },
	{ SF_OP_KMALLOC_NOLOCK, SF_OP_KMALLOC },
	{ SF_OP_KREALLOC_ARRAY, SF_OP_KREALLOC },
	{ SF_OP_KREALLOC_NODE_ALIGN, SF_OP_KREALLOC },
	{ SF_OP_DEVM_KMALLOC, SF_OP_KMALLOC },
	{ SF_OP_DEVM_KZALLOC, SF_OP_KZALLOC },
	{ SF_OP_KVMALLOC, SF_OP_KMALLOC },
	{ SF_OP_KVZALLOC, SF_OP_KZALLOC },
	{ SF_OP_BUCKETS_ALLOC, SF_OP_KMALLOC },
	{ SF_OP_BUCKETS_VALLOC, SF_OP_KVMALLOC },
	{ SF_OP_KVFREE, SF_OP_KFREE },
	{ SF_OP_KFREE_SENSITIVE, SF_OP_KFREE },
	{ SF_OP_KFREE_NOLOCK, SF_OP_KFREE },
	{ SF_OP_KVZALLOC, SF_OP_KVMALLOC },
	{ SF_OP_KVMALLOC_ARRAY, SF_OP_KVMALLOC },
	{ SF_OP_KVCALLOC, SF_OP_KVMALLOC },
	{ SF_OP_KVMALLOC_OBJ, SF_OP_KVMALLOC },
	{ SF_OP_KVZALLOC_OBJ, SF_OP_KVMALLOC },
	{ SF_OP_KVMALLOC_OBJS, SF_OP_KVMALLOC },
	{ SF_OP_KVZALLOC_OBJS, SF_OP_KVMALLOC },
	{ SF_OP_KVMALLOC_FLEX, SF_OP_KVMALLOC },
	{ SF_OP_KVZALLOC_FLEX, SF_OP_KVMALLOC },
	{ SF_OP_CACHE_ZALLOC, SF_OP_CACHE_ALLOC },
	{ SF_OP_DEVM_KZALLOC, SF_OP_DEVM_KMALLOC },
	{ SF_OP_DEVM_KMALLOC_ARRAY, SF_OP_DEVM_KMALLOC },
	{ SF_OP_DEVM_KCALLOC, SF_OP_DEVM_KMALLOC },
	{ SF_OP_PZALLOC, SF_OP_PMALLOC },
	{ SF_OP_PMALLOC_ARRAY, SF_OP_PMALLOC },
	{ SF_OP_PCALLOC, SF_OP_PMALLOC },
	{ SF_OP_REALLOC, SF_OP_MALLOC },
	{ SF_OP_CALLOC, SF_OP_MALLOC },
	{ SF_OP_REALLOCARRAY, SF_OP_REALLOC },
	{ SF_OP_ALIGNED_ALLOC, SF_OP_MALLOC },
	{ SF_OP_POSIX_MEMALIGN, SF_OP_MALLOC },
	{ SF_OP_POSIX_MEMALIGN, SF_OP_ALIGNED_ALLOC },
	{ SF_OP_MEMALIGN, SF_OP_MALLOC },
	{ SF_OP_MEMALIGN, SF_OP_ALIGNED_ALLOC },
	{ SF_OP_FREE_SIZED, SF_OP_FREE },
	{ SF_OP_FREE_ALIGNED_SIZED, SF_OP_FREE },
};

/* Bytes that an operation asks for. */
static uint64_t bytes_of(const struct sf_op *op)
{
	const struct sf_op_info *info = sf_op_info(op);
	const struct sf_type *t = &sf_types[op->type < sf_type_count ? op->type : 0];
	uint64_t bytes = op->size, n = op->n;

	if (has(info, SF_ARG_TYPE) && !has(info, SF_ARG_SIZE))
		bytes = info->flags & SF_OPF_FLEX ? t->flex_elem : t->size;
	if (!has(info, SF_ARG_N))
		return bytes;
	if (__builtin_mul_overflow(bytes, n, &bytes))
		return UINT64_MAX;
	if (info->flags & SF_OPF_FLEX && __builtin_add_overflow(bytes, t->flex_offset, &bytes))
		return UINT64_MAX;
	return bytes;
}

static bool try_plainer(struct reduce *r, uint32_t op, uint8_t to)
{
	const struct sf_op *old = &r->best->ops[op];
	const struct sf_op_info *info = &sf_op_table[to];
	struct sf_op *now;

	reduce_copy(r);
	now = &r->trial.ops[op];
	now->code = to;
	if (has(info, SF_ARG_SIZE) && !has(info, SF_ARG_N))
		now->size = bytes_of(old);
	/* Of what has a type as its argument it stays only where it is one, too. */
	if (!has(sf_op_info(old), SF_ARG_SIZE) && has(info, SF_ARG_SIZE))
		now->type = 0;
	return reduce_try(r);
}

static bool try_words(struct reduce *r, uint32_t op)
{
	uint8_t code = r->best->ops[op].code;
	uint32_t nr = r->best->nr_ops;
	bool any = false;

	for (size_t i = 0; i < sizeof(plainer) / sizeof(plainer[0]); i++) {
		if (plainer[i].from != code || op >= r->best->nr_ops)
			continue;
		if (!try_plainer(r, op, plainer[i].to))
			continue;
		any = true;
		if (r->best->nr_ops != nr)
			return true;
		code = r->best->ops[op].code;
	}
	return any;
}

/* What two have alike, and neither can change alone. */
static bool try_together(struct reduce *r, uint32_t op)
{
	bool any = false;

	for (int i = 0; i < SF_OP_ARGS_MAX && op < r->best->nr_ops; i++) {
		const struct sf_arg_info *arg = &sf_op_info(&r->best->ops[op])->arg[i];
		const struct slot s = { .op = op, .kind = arg->kind };
		uint32_t other = op + 1;

		if (arg->kind == SF_ARG_END)
			break;
		if (arg->kind != SF_ARG_SIZE && arg->kind != SF_ARG_N && arg->kind != SF_ARG_GFP &&
		    arg->kind != SF_ARG_ORDER && arg->kind != SF_ARG_SITE)
			continue;
		while (other < r->best->nr_ops && !is_like(r->best, &s, other))
			other++;
		if (other < r->best->nr_ops)
			any |= try_argument(r, op, arg, true);
	}
	return any;
}

bool reduce_arguments(struct reduce *r)
{
	bool any = false;

	for (uint32_t op = r->best->nr_ops; op-- > 0 && !reduce_stops(r);) {
		if (op >= r->best->nr_ops)
			continue;
		any |= try_words(r, op);
		for (int i = 0; i < SF_OP_ARGS_MAX && op < r->best->nr_ops; i++) {
			const struct sf_arg_info *arg = &sf_op_info(&r->best->ops[op])->arg[i];

			if (arg->kind == SF_ARG_END)
				break;
			any |= try_argument(r, op, arg, false);
		}
	}
	for (uint32_t op = 0; op < r->best->nr_ops && !reduce_stops(r); op++)
		any |= try_together(r, op);
	return any;
}

/* --- settings and names --- */

bool reduce_settings(struct reduce *r)
{
	bool any = false;

	for (size_t i = 0; i < sf_setting_count && !reduce_stops(r); i++) {
		const struct sf_setting_info *info = &sf_setting_table[i];
		const struct slot s = { .setting = info };
		uint64_t v = get(r->best, &s);

		if (v == info->def || try_value(r, &s, info->def)) {
			any |= v != info->def;
			continue;
		}
		if (info->max - info->min > 1 && !sf_setting_is_choice(info))
			any |= try_number(r, &s);
	}
	return any;
}

/* As a program calls them that nobody gave names. */
void reduce_names(struct reduce *r)
{
	for (uint32_t op = 0; op < r->best->nr_ops && !reduce_stops(r); op++) {
		if (!r->best->ops[op].name)
			continue;
		reduce_copy(r);
		r->trial.ops[op].name = 0;
		reduce_try(r);
	}
}
