// SPDX-License-Identifier: MIT
/*
 * program.c - programs in memory: building, comparing, and making any list of operations valid.
 *
 * Relies on the tables and on live.c. The encodings (bytes.c, text_*.c), the mutator, the executor
 * and the trace importer rely on it.
 */
#include "live.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

const char *const sf_fault_names[SF_FAULTS] = {
	[SF_FAULT_SLAB] = "slab",
	[SF_FAULT_PAGE] = "page",
};

const char *const sf_pool_mode_names[SF_POOL_MODE_COUNT] = {
#define X(id, name, doc) [SF_POOL_##id] = name,
	SF_POOL_MODES(X)
#undef X
};

void sf_prog_init(struct sf_prog *p)
{
	memset(p, 0, sizeof(*p));
	sf_settings_init(&p->settings);
}

void sf_prog_clear(struct sf_prog *p)
{
	sf_settings_init(&p->settings);
	p->nr_ops = p->nr_res = p->nr_strings = 0;
}

void sf_prog_free(struct sf_prog *p)
{
	free(p->ops);
	free(p->strings);
	sf_live_free(p->live);
	sf_prog_init(p);
}

void sf_prog_reserve(struct sf_prog *p, uint64_t n)
{
	uint64_t cap = p->cap_ops;

	if (n <= cap)
		return;
	cap = n > cap + cap / 2 ? n : cap + cap / 2;
	if (cap < 64)
		cap = 64;
	/* Numbers of operations and results are 32 bits wide, SF_NONE apart. */
	if (cap > UINT32_MAX - 1)
		cap = n <= UINT32_MAX - 1 ? UINT32_MAX - 1 : UINT64_MAX;
	p->ops = sf_grow(p->ops, cap, sizeof(*p->ops));
	p->cap_ops = (uint32_t)cap;
}

struct sf_op *sf_prog_add(struct sf_prog *p, const struct sf_op *op)
{
	struct sf_op copy = *op; /* it may lie in the array that moves */
	struct sf_op *to;

	sf_prog_reserve(p, p->nr_ops + (uint64_t)1);
	to = &p->ops[p->nr_ops++];
	*to = copy;
	to->res = sf_op_info(to)->res == SF_RES_NONE ? SF_NONE : p->nr_res++;
	return to;
}

bool sf_name_char(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

uint32_t sf_prog_string(struct sf_prog *p, const char *s, size_t len)
{
	char buf[SF_STRING_MAX];
	uint32_t off, n = 0;

	for (size_t i = 0; i < len && n < SF_STRING_MAX; i++)
		if (sf_name_char((unsigned char)s[i]))
			buf[n++] = s[i];
	if (!n)
		return 0;
	if (!p->nr_strings)
		p->nr_strings = 1; /* offset 0 is the empty string */
	if (p->nr_strings > UINT32_MAX - 2 * (SF_STRING_MAX + 1))
		sf_grow(NULL, UINT64_MAX, 2);
	if ((uint64_t)p->nr_strings + n + 1 > p->cap_strings) {
		uint64_t cap = (uint64_t)p->cap_strings * 2;

		cap = cap < 1024 ? 1024 : cap > UINT32_MAX ? UINT32_MAX : cap;
		p->strings = sf_grow(p->strings, cap, 1);
		p->cap_strings = (uint32_t)cap;
	}
	off = p->nr_strings;
	p->strings[0] = '\0';
	memcpy(p->strings + off, buf, n);
	p->strings[off + n] = '\0';
	p->nr_strings += n + 1;
	return off;
}

struct sf_op sf_op_make(enum sf_opcode code)
{
	return sf_op_blank(code);
}

static bool op_equal(const struct sf_prog *a, const struct sf_op *x, const struct sf_prog *b,
		     const struct sf_op *y)
{
	const struct sf_arg_info *arg = sf_op_info(x)->arg;

	if (x->code != y->code || x->res != y->res)
		return false;
	if (strcmp(sf_prog_str(a, x->expect), sf_prog_str(b, y->expect)))
		return false;
	for (; arg->kind != SF_ARG_END; arg++) {
		if (arg->kind == SF_ARG_NAME) {
			if (strcmp(sf_prog_str(a, x->name), sf_prog_str(b, y->name)))
				return false;
		} else if (sf_arg_get(x, arg->kind) != sf_arg_get(y, arg->kind)) {
			return false;
		}
	}
	return true;
}

bool sf_prog_equal(const struct sf_prog *a, const struct sf_prog *b)
{
	if (a->nr_ops != b->nr_ops || memcmp(&a->settings, &b->settings, sizeof(a->settings)))
		return false;
	for (uint32_t i = 0; i < a->nr_ops; i++)
		if (!op_equal(a, &a->ops[i], b, &b->ops[i]))
			return false;
	return true;
}

static void fix_settings(struct sf_settings *set)
{
	for (size_t i = 0; i < sf_setting_count; i++) {
		const struct sf_setting_info *info = &sf_setting_table[i];
		uint64_t *v = sf_setting_slot(set, info);

		*v = *v < info->min ? info->min : *v > info->max ? info->max : *v;
	}
	sf_settings_fixup(set);
}

/* Only what the table says it has: leftovers of another operation must not tell programs apart. */
static void copy_args(struct sf_op *to, const struct sf_op *from)
{
	const struct sf_op_info *info = sf_op_info(from);

	*to = sf_op_blank(from->code);
	to->res = info->res == SF_RES_NONE ? SF_NONE : from->res;
	to->expect = from->expect;
	to->line = from->line;
	for (const struct sf_arg_info *arg = info->arg; arg->kind != SF_ARG_END; arg++)
		sf_arg_set(to, arg->kind, sf_arg_get(from, arg->kind));
}

uint32_t sf_prog_fixup(struct sf_prog *p)
{
	struct sf_live *l = sf_live_begin(p);
	uint32_t dropped, kept = 0;

	fix_settings(&p->settings);
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		struct sf_op op = p->ops[i];

		if (op.code > SF_CODE_MAX || !sf_op_table[op.code].name)
			continue;
		copy_args(&p->ops[kept], &op);
		kept += sf_live_fix(l, p, &p->ops[kept]);
	}
	dropped = p->nr_ops - kept;
	p->nr_ops = kept;
	p->nr_res = l->nr;
	return dropped;
}
