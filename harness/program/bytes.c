// SPDX-License-Identifier: MIT
/*
 * bytes.c - programs as bytes, for fuzzers: 4 bytes of header, then records of 32 bytes.
 *
 *   operation:  code, flags, slot of its result (4 bytes, if it has one), arguments in table order
 *   setting:    SF_CODE_SETTING, setting's code, value (8 bytes); in front of the first operation
 *   string:     SF_CODE_STRING, 'N' (name) or 'X' (expectation), 30 bytes; behind its operation
 *
 * All numbers are little endian. Any bytes are a program: what does not fit is repaired (live.c). A
 * reference names the slot that its result was stored in, not a result number and not a distance:
 * a record that goes or comes changes no other. Slot 0 is NULL. A string counts only behind an
 * operation whose flags announce it, and ends with a chunk that is not full: when its operation is
 * deleted, it does not stick to the one before.
 */
#include "live.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"

#define HEADER_SIZE 4u
#define CHUNK_SIZE (SF_RECORD_SIZE - 2u)

enum record_flags {
	RECORD_NAME = 1,
	RECORD_EXPECT = 2,
};

/* Spelled out by width, so that compilers make one load of each. */
static uint64_t load(const uint8_t *at, unsigned int width)
{
	uint32_t low, high;

	switch (width) {
	case 0:
		return 0;
	case 1:
		return at[0];
	case 2:
		return at[0] | (uint32_t)at[1] << 8;
	}
	low = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
	if (width == 4)
		return low;
	high = at[4] | (uint32_t)at[5] << 8 | (uint32_t)at[6] << 16 | (uint32_t)at[7] << 24;
	return low | (uint64_t)high << 32;
}

static uint8_t *store(uint8_t *at, uint64_t v, unsigned int width)
{
	for (unsigned int i = 0; i < width; i++)
		at[i] = (uint8_t)(v >> 8 * i);
	return at + width;
}

static bool is_reference(unsigned int kind)
{
	const uint64_t kinds =
		1ull << SF_ARG_OBJ | 1ull << SF_ARG_OBJ2 | 1ull << SF_ARG_PAGES |
		1ull << SF_ARG_EXACT | 1ull << SF_ARG_BULK | 1ull << SF_ARG_CACHE |
		1ull << SF_ARG_BUCKETS | 1ull << SF_ARG_DEVICE | 1ull << SF_ARG_DEAD |
		1ull << SF_ARG_CACHE2 | 1ull << SF_ARG_MEMCG | 1ull << SF_ARG_POOL |
		1ull << SF_ARG_PAGES_BULK | 1ull << SF_ARG_SHEAF | 1ull << SF_ARG_UOBJ |
		1ull << SF_ARG_SIZED | 1ull << SF_ARG_ALIGNED | 1ull << SF_ARG_HEAP |
		1ull << SF_ARG_HEAP2 | 1ull << SF_ARG_REGION;

	_Static_assert(SF_ARG_KINDS <= 64, "one bit each");
	return kinds >> kind & 1;
}

static inline const uint8_t *take_result(struct sf_op *op, const uint8_t *at)
{
	uint32_t slot = (uint32_t)load(at, 4);

	op->res = slot ? slot : SF_NONE;
	return at + 4;
}

/*
 * take_KIND(): one argument of a record, and where the next one is. take_args() is the table of
 * operations as straight code: here its argument macros mean these calls.
 */
#define X(kind, field, width, doc)                                                    \
	static inline const uint8_t *take_##kind(struct sf_op *op, const uint8_t *at) \
	{                                                                             \
		uint64_t v = load(at, width);                                         \
		                                                                      \
		if (!v && is_reference(SF_ARG_##kind))                                \
			v = SF_NONE;                                                  \
		op->field = v;                                                        \
		return at + (width);                                                  \
	}
SF_ARGS(X)
#undef X

#undef SF_POS
#undef SF_KEY
#define SF_POS(kind, name) at = take_##kind(op, at)
#define SF_KEY(kind, name) SF_POS(kind, name)

static void take_args(struct sf_op *op, const uint8_t *at)
{
	switch (op->code) {
#define X(code, id, name, reskind, handler, needs, weight, flags, doc, ...)           \
	case (code):                                                                  \
		if (SF_RES_##reskind != SF_RES_NONE)                                  \
			at = take_result(op, at);                                     \
		(void)at, ##__VA_ARGS__;                                              \
		return;
	SF_OPS(X)
#undef X
	}
}

/* A string on its way in. */
struct chain {
	char text[SF_STRING_MAX];
	uint32_t len;
	bool open;
};

struct decoder {
	struct sf_prog *p;
	struct sf_live *l;
	/*
	 * The operation whose strings may follow, or NULL; references are slots. It is built where
	 * it stays: copying what was just written in small pieces stalls.
	 */
	struct sf_op *op;
	struct chain name, expect;
};

static void decode_op(struct decoder *d, const uint8_t *rec)
{
	d->op = &d->p->ops[d->p->nr_ops];
	*d->op = sf_op_blank(rec[0] & SF_CODE_MAX);
	take_args(d->op, rec + 2);
	d->name.len = d->expect.len = 0;
	d->name.open = rec[1] & RECORD_NAME;
	d->expect.open = rec[1] & RECORD_EXPECT;
}

static bool takes_name(const struct sf_op *op)
{
	const struct sf_arg_info *arg = sf_op_info(op)->arg;

	while (arg->kind != SF_ARG_END && arg->kind != SF_ARG_NAME)
		arg++;
	return arg->kind == SF_ARG_NAME;
}

static void decode_string(struct decoder *d, const uint8_t *rec)
{
	struct chain *c = rec[1] == 'N' ? &d->name : &d->expect;

	if (!d->op || (rec[1] != 'N' && rec[1] != 'X') || !c->open)
		return;
	if (rec[1] == 'N' && !takes_name(d->op))
		return;
	for (unsigned int i = 2; i < SF_RECORD_SIZE; i++) {
		if (!rec[i]) {
			c->open = false;
			return;
		}
		if (c->len < SF_STRING_MAX && sf_name_char(rec[i]))
			c->text[c->len++] = (char)rec[i];
	}
}

static void decode_setting(struct sf_prog *p, const uint8_t *rec)
{
	const struct sf_setting_info *info = sf_setting_by_code(rec[1]);
	uint64_t v = load(rec + 2, 8);

	if (info)
		*sf_setting_slot(&p->settings, info) =
			v < info->min ? info->min : v > info->max ? info->max : v;
}

/* The pending operation is complete. */
static void finish(struct decoder *d)
{
	struct sf_prog *p = d->p;

	if (!d->op)
		return;
	if (d->name.len)
		d->op->name = sf_prog_string(p, d->name.text, d->name.len);
	if (d->expect.len)
		d->op->expect = sf_prog_string(p, d->expect.text, d->expect.len);
	p->nr_ops += sf_live_fix(d->l, p, d->op);
	d->op = NULL;
}

void sf_bytes_decode(struct sf_prog *p, const uint8_t *data, size_t len, uint32_t max_ops)
{
	struct decoder d; /* not cleared: its strings are large, and empty until they are open */
	uint8_t last[SF_RECORD_SIZE];
	uint32_t taken = 0;

	d.p = p;
	d.l = sf_live_begin(p);
	d.op = NULL;
	sf_prog_clear(p);
	if (len <= HEADER_SIZE)
		return;
	data += HEADER_SIZE;
	len -= HEADER_SIZE;
	sf_prog_reserve(p, max_ops && max_ops < len / SF_RECORD_SIZE + 1 ?
			max_ops : len / SF_RECORD_SIZE + 1);
	while (len) {
		size_t n = len < SF_RECORD_SIZE ? len : SF_RECORD_SIZE;
		const uint8_t *rec = data;

		if (n < SF_RECORD_SIZE) {
			memset(last, 0, sizeof(last));
			rec = memcpy(last, data, n);
		}
		data += n;
		len -= n;
		if ((rec[0] & SF_CODE_MAX) == SF_CODE_STRING) {
			decode_string(&d, rec);
		} else if ((rec[0] & SF_CODE_MAX) == SF_CODE_SETTING) {
			if (!taken)
				decode_setting(p, rec);
		} else if (sf_op_table[rec[0] & SF_CODE_MAX].name) {
			finish(&d);
			if (max_ops && taken == max_ops)
				break;
			if (!taken++)
				sf_settings_fixup(&p->settings);
			decode_op(&d, rec);
		}
	}
	finish(&d);
	sf_settings_fixup(&p->settings);
	p->nr_res = d.l->nr;
}

/*
 * Slots by linear scan: each result has the smallest slot that is free from its definition to its
 * last use. Free slots are kept in a binary heap.
 */
struct slots {
	uint32_t *last_use; /* of a result: index of the operation */
	uint32_t *slot;     /* of a result */
	uint32_t *heap;     /* free slots below `next` */
	uint32_t nr_heap, next;
};

static void slot_free(struct slots *s, uint32_t slot)
{
	uint32_t i = s->nr_heap++;

	while (i && s->heap[(i - 1) / 2] > slot) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = slot;
}

static uint32_t slot_take(struct slots *s)
{
	uint32_t least, last, i = 0;

	if (!s->nr_heap)
		return s->next++;
	least = s->heap[0];
	last = s->heap[--s->nr_heap];
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child + 1 < s->nr_heap && s->heap[child + 1] < s->heap[child])
			child++;
		if (child >= s->nr_heap || s->heap[child] >= last)
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = last;
	return least;
}

static void find_last_uses(struct slots *s, const struct sf_prog *p)
{
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];

		if (op->obj != SF_NONE)
			s->last_use[op->obj] = i;
		if (op->obj2 != SF_NONE)
			s->last_use[op->obj2] = i;
		if (op->cache != SF_NONE)
			s->last_use[op->cache] = i;
		if (op->res != SF_NONE)
			s->last_use[op->res] = i;
	}
}

static size_t string_records(const struct sf_prog *p, uint32_t off)
{
	return off ? strlen(sf_prog_str(p, off)) / CHUNK_SIZE + 1 : 0;
}

static size_t encoded_size(const struct sf_prog *p)
{
	size_t records = p->nr_ops;

	for (size_t i = 0; i < sf_setting_count; i++)
		records += *(const uint64_t *)(const void *)((const char *)&p->settings +
			   sf_setting_table[i].offset) != sf_setting_table[i].def;
	for (uint32_t i = 0; i < p->nr_ops; i++)
		records += string_records(p, p->ops[i].name) +
			   string_records(p, p->ops[i].expect);
	return HEADER_SIZE + records * SF_RECORD_SIZE;
}

static uint8_t *encode_settings(const struct sf_prog *p, uint8_t *out)
{
	for (size_t i = 0; i < sf_setting_count; i++) {
		const struct sf_setting_info *info = &sf_setting_table[i];
		uint64_t v = *(const uint64_t *)(const void *)((const char *)&p->settings +
							       info->offset);

		if (v == info->def)
			continue;
		memset(out, 0, SF_RECORD_SIZE);
		out[0] = SF_CODE_SETTING;
		out[1] = info->code;
		store(out + 2, v, 8);
		out += SF_RECORD_SIZE;
	}
	return out;
}

static uint8_t *encode_string(const struct sf_prog *p, uint8_t *out, uint32_t off, char letter)
{
	size_t records = string_records(p, off);
	const char *s = sf_prog_str(p, off);

	for (; records; records--) {
		size_t n = strnlen(s, CHUNK_SIZE);

		memset(out, 0, SF_RECORD_SIZE);
		out[0] = SF_CODE_STRING;
		out[1] = (uint8_t)letter;
		memcpy(out + 2, s, n);
		s += n;
		out += SF_RECORD_SIZE;
	}
	return out;
}

/* The slot of a reference; if this is its last use, its slot may hold what this operation makes. */
static uint32_t use_slot(struct slots *s, uint32_t res, uint32_t index)
{
	if (res == SF_NONE)
		return 0;
	if (s->last_use[res] == index) {
		s->last_use[res] = SF_NONE; /* once, if it is named twice */
		slot_free(s, s->slot[res]);
	}
	return s->slot[res];
}

static uint8_t *encode_op(const struct sf_prog *p, uint32_t index, struct slots *s, uint8_t *out)
{
	const struct sf_op *op = &p->ops[index];
	const struct sf_op_info *info = sf_op_info(op);
	uint8_t *at = out + 2 + (op->res != SF_NONE ? 4 : 0);

	memset(out, 0, SF_RECORD_SIZE);
	out[0] = op->code;
	out[1] = (op->name ? RECORD_NAME : 0) | (op->expect ? RECORD_EXPECT : 0);
	for (const struct sf_arg_info *arg = info->arg; arg->kind != SF_ARG_END; arg++) {
		uint64_t v = sf_arg_get(op, arg->kind);

		if (is_reference(arg->kind))
			v = use_slot(s, (uint32_t)v, index);
		at = store(at, v, sf_arg_table[arg->kind].width);
	}
	if (op->res != SF_NONE) {
		s->slot[op->res] = slot_take(s);
		store(out + 2, s->slot[op->res], 4);
		if (s->last_use[op->res] == index)
			slot_free(s, s->slot[op->res]);
	}
	out = encode_string(p, out + SF_RECORD_SIZE, op->name, 'N');
	return encode_string(p, out, op->expect, 'X');
}

/* Programs of fuzzers fit; only files take memory from malloc. */
#define SLOTS_ON_STACK SF_FUZZ_OPS_MAX

size_t sf_bytes_encode(const struct sf_prog *p, uint8_t *out, size_t cap)
{
	uint32_t few[3 * SLOTS_ON_STACK], *many = NULL, *mem = few;
	size_t len = encoded_size(p);
	struct slots s = { .next = 1 };

	if (len > cap)
		return len;
	if (p->nr_res > SLOTS_ON_STACK)
		mem = many = sf_grow(NULL, (uint64_t)p->nr_res * 3, sizeof(*many));
	s.last_use = mem;
	s.slot = mem + p->nr_res;
	s.heap = mem + p->nr_res * (size_t)2;
	find_last_uses(&s, p);
	out = encode_settings(p, (uint8_t *)memcpy(out, SF_BYTES_MAGIC, HEADER_SIZE) + HEADER_SIZE);
	for (uint32_t i = 0; i < p->nr_ops; i++)
		out = encode_op(p, i, &s, out);
	free(many);
	return len;
}
