// SPDX-License-Identifier: MIT
/*
 * text_write.c - canonical text of programs.
 *
 * Results are numbered in order (caches apart), defaults are left out, flags are named: equal
 * programs have equal text. What it writes, text_parse.c reads back.
 */
#include "live.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "types.h"

/* Close enough to its end to be written out; the longest operation is far shorter than the rest. */
#define OUT_SIZE 16384u
#define OUT_FLUSH (OUT_SIZE - 4096u)

struct out {
	const struct sf_prog *p;
	uint32_t *shown; /* of a result: its number in text */
	FILE *to;
	size_t len;
	char buf[OUT_SIZE];
};

static void flush(struct out *o)
{
	fwrite(o->buf, 1, o->len, o->to);
	o->len = 0;
}

static void put(struct out *o, const char *s, size_t len)
{
	memcpy(o->buf + o->len, s, len);
	o->len += len;
}

static void puts_out(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

static void put_number(struct out *o, uint64_t v)
{
	char digits[20];
	unsigned int n = sizeof(digits);

	do
		digits[--n] = (char)('0' + v % 10);
	while (v /= 10);
	put(o, digits + n, sizeof(digits) - n);
}

static void put_result(struct out *o, uint32_t res, char letter)
{
	if (res == SF_NONE) {
		puts_out(o, "NULL");
		return;
	}
	put(o, &letter, 1);
	put_number(o, o->shown[res]);
}

/* One function for each kind of argument. */
static void write_OBJ(struct out *o, const struct sf_op *op)
{
	put_result(o, op->obj, 'r');
}

static void write_OBJ2(struct out *o, const struct sf_op *op)
{
	put_result(o, op->obj2, 'r');
}

#define write_PAGES write_OBJ
#define write_EXACT write_OBJ
#define write_BULK write_OBJ
#define write_PAGES_BULK write_OBJ
#define write_SHEAF write_OBJ

static void write_CACHE(struct out *o, const struct sf_op *op)
{
	put_result(o, op->cache, 'c');
}

static void write_BUCKETS(struct out *o, const struct sf_op *op)
{
	put_result(o, op->obj2, 'r');
}

static void write_DEVICE(struct out *o, const struct sf_op *op)
{
	put_result(o, op->cache, 'r');
}

#define write_DEAD write_OBJ
#define write_MEMCG write_OBJ2
#define write_POOL write_DEVICE
#define write_UOBJ write_OBJ
#define write_SIZED write_OBJ
#define write_ALIGNED write_OBJ
#define write_REGION write_OBJ
#define write_HEAP write_DEVICE
#define write_HEAP2 write_OBJ2
#define write_ANY_ALIGN write_ALIGN

static void write_CACHE2(struct out *o, const struct sf_op *op)
{
	put_result(o, op->obj2, 'c');
}

static void put_size(struct out *o, uint64_t v)
{
	uint64_t below = UINT64_MAX - v;

	if (below >= 65536) {
		put_number(o, v);
		return;
	}
	puts_out(o, "SIZE_MAX");
	if (!below)
		return;
	puts_out(o, "-");
	put_number(o, below);
}

static void write_SIZE(struct out *o, const struct sf_op *op)
{
	put_size(o, op->size);
}

static void write_N(struct out *o, const struct sf_op *op)
{
	put_size(o, op->n);
}

struct flag_name {
	const char *name;
	uint32_t bits;
};

static void put_flags(struct out *o, uint32_t flags, const struct flag_name *names, size_t nr,
		      const char *separator)
{
	for (size_t i = 0; i < nr && flags; i++) {
		if (!(flags & names[i].bits))
			continue;
		puts_out(o, separator);
		puts_out(o, names[i].name);
		flags &= ~names[i].bits;
		separator = "|";
	}
}

static void write_GFP(struct out *o, const struct sf_op *op)
{
	static const struct flag_name composite[] = {
#define X(id, name, ...) { name, SF_GFP_##id },
		SF_GFP_NAMES(X)
	}, single[] = {
		SF_GFP_BITS(X)
#undef X
	};
	uint32_t left = op->gfp;

	if (!left) {
		puts_out(o, "0");
		return;
	}
	for (size_t i = 0; i < sizeof(composite) / sizeof(composite[0]); i++) {
		if ((left & composite[i].bits) != composite[i].bits)
			continue;
		puts_out(o, composite[i].name);
		left &= ~composite[i].bits;
		break;
	}
	put_flags(o, left, single, sizeof(single) / sizeof(single[0]), left == op->gfp ? "" : "|");
}

static void write_SLAB_FLAGS(struct out *o, const struct sf_op *op)
{
	static const struct flag_name names[] = {
#define X(id, name, bit) { name, SF_SLAB_##id },
		SF_SLAB_FLAGS(X)
#undef X
	};

	if (!op->flags)
		puts_out(o, "0");
	put_flags(o, op->flags, names, sizeof(names) / sizeof(names[0]), "");
}

static void write_ALIGN(struct out *o, const struct sf_op *op)
{
	put_number(o, op->align);
}

static void write_TYPE(struct out *o, const struct sf_op *op)
{
	puts_out(o, sf_types[op->type].name);
}

static void write_SITE(struct out *o, const struct sf_op *op)
{
	put_number(o, op->site);
}

static void write_ORDER(struct out *o, const struct sf_op *op)
{
	put_number(o, op->order);
}

static void write_CPU(struct out *o, const struct sf_op *op)
{
	put_number(o, op->cpu);
}

static void write_COUNT(struct out *o, const struct sf_op *op)
{
	put_number(o, op->count);
}

static void write_FAULT(struct out *o, const struct sf_op *op)
{
	puts_out(o, sf_fault_names[op->fault]);
}

static void write_NAME(struct out *o, const struct sf_op *op)
{
	puts_out(o, "\"");
	puts_out(o, sf_prog_str(o->p, op->name));
	puts_out(o, "\"");
}

static void write_TOKEN(struct out *o, const struct sf_op *op)
{
	put_number(o, op->token - 1u);
}

#define write_SPAN write_COUNT
#define write_ERRNO write_COUNT
#define write_PERCENT write_CPU
#define write_MIN_ORDER write_CPU
#define write_AT write_COUNT
#define write_THREAD write_CPU

static void write_MODE(struct out *o, const struct sf_op *op)
{
	puts_out(o, sf_pool_mode_names[op->fault]);
}

static void write_BOOL(struct out *o, const struct sf_op *op)
{
	put_number(o, op->flag);
}

static void (*const write_arg[SF_ARG_KINDS])(struct out *o, const struct sf_op *op) = {
#define X(kind, field, width, doc) [SF_ARG_##kind] = write_##kind,
	SF_ARGS(X)
#undef X
};

static void put_op(struct out *o, const struct sf_op *op)
{
	const struct sf_op_info *info = sf_op_info(op);
	const char *comma = "";

	if (info->res != SF_RES_NONE) {
		put_result(o, op->res, info->res == SF_RES_CACHE ? 'c' : 'r');
		puts_out(o, " = ");
	}
	puts_out(o, info->name);
	if (op->code != SF_OP_CHECK)
		puts_out(o, "(");
	for (const struct sf_arg_info *arg = info->arg; arg->kind != SF_ARG_END; arg++) {
		uint64_t left_out = arg->kind == SF_ARG_HEAP ? SF_NONE : 0;

		if (arg->key && sf_arg_get(op, arg->kind) == left_out)
			continue;
		puts_out(o, comma);
		if (arg->key) {
			puts_out(o, arg->name);
			puts_out(o, "=");
		}
		write_arg[arg->kind](o, op);
		comma = ", ";
	}
	if (op->code != SF_OP_CHECK)
		puts_out(o, ")");
	if (op->expect) {
		puts_out(o, "  # ");
		puts_out(o, sf_prog_str(o->p, op->expect));
	}
	puts_out(o, "\n");
	if (o->len > OUT_FLUSH)
		flush(o);
}

static void put_heap(struct out *o, const struct sf_settings *set)
{
	bool any = false;
	char buf[40];

	for (size_t i = 0; i < sf_setting_count; i++) {
		const struct sf_setting_info *info = &sf_setting_table[i];
		uint64_t v = *(const uint64_t *)(const void *)((const char *)set + info->offset);

		if (v == info->def)
			continue;
		puts_out(o, any ? " " : "heap ");
		puts_out(o, info->name);
		puts_out(o, "=");
		puts_out(o, sf_setting_text(info, v, buf));
		any = true;
	}
	if (any)
		puts_out(o, "\n");
}

/* Caches and all other results are counted apart. Only results up to `last` are needed. */
static void out_begin(struct out *o, const struct sf_prog *p, uint32_t last, FILE *to)
{
	uint32_t caches = 0, others = 0;

	o->p = p;
	o->to = to;
	o->len = 0;
	o->shown = sf_grow(NULL, p->nr_res + (uint64_t)1, sizeof(*o->shown));
	for (uint32_t i = 0; i <= last && i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];
		uint8_t kind = sf_op_info(op)->res;

		if (kind != SF_RES_NONE)
			o->shown[op->res] = kind == SF_RES_CACHE ? caches++ : others++;
	}
}

static void out_end(struct out *o)
{
	flush(o);
	free(o->shown);
}

void sf_text_write(const struct sf_prog *p, FILE *out)
{
	struct out o;

	out_begin(&o, p, UINT32_MAX, out);
	put_heap(&o, &p->settings);
	for (uint32_t i = 0; i < p->nr_ops; i++)
		put_op(&o, &p->ops[i]);
	out_end(&o);
}

void sf_text_write_op(const struct sf_prog *p, uint32_t index, FILE *out)
{
	struct out o;

	out_begin(&o, p, index, out);
	put_op(&o, &p->ops[index]);
	out_end(&o);
}
