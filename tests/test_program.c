// SPDX-License-Identifier: MIT
/*
 * test_program.c - programs: the three laws of their encodings as properties, the locality of
 * edits, the text grammar and its messages, and the repair rules one by one.
 *
 * Relies on the core library. Everything random comes from a seed that is written here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/program/live.h"
#include "../harness/program/types.h"

static const uint8_t codes[] = {
#define X(code, ...) code,
	SF_OPS(X)
#undef X
};

enum { NR_OPS = sizeof(codes) };

static uint64_t rnd(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static uint64_t below(uint64_t *state, uint64_t n)
{
	return rnd(state) % n;
}

static char *text_of(const struct sf_prog *p)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	sf_text_write(p, f);
	fclose(f);
	return text;
}

/* From memory that ends where the text ends: a sanitizer sees a look beyond it. */
static int parse(struct sf_prog *p, const char *text, size_t len, struct sf_text_error *err)
{
	char *exact = malloc(len ? len : 1);
	int ret;

	assert_non_null(exact);
	memcpy(exact, text, len);
	ret = sf_text_parse(p, exact, len, err);
	free(exact);
	return ret;
}

static void parse_ok(struct sf_prog *p, const char *text, size_t len)
{
	struct sf_text_error err;

	if (!parse(p, text, len, &err))
		return;
	fail_msg("%u:%u: %s\nin: %.*s", err.line, err.col, err.text, (int)len, text);
}

static uint8_t *bytes_of(const struct sf_prog *p, size_t *len)
{
	uint8_t *data;

	*len = sf_bytes_encode(p, NULL, 0);
	data = malloc(*len);
	assert_non_null(data);
	assert_int_equal(sf_bytes_encode(p, data, *len), *len);
	return data;
}

/* parse(text) must print as `want`. */
static void reads_as(const char *text, const char *want)
{
	struct sf_prog p;
	char *got;

	sf_prog_init(&p);
	parse_ok(&p, text, strlen(text));
	got = text_of(&p);
	assert_string_equal(got, want);
	free(got);
	sf_prog_free(&p);
}

static void refused(const char *text, size_t len, uint32_t line, uint32_t col, const char *message)
{
	struct sf_text_error err;
	struct sf_prog p;

	sf_prog_init(&p);
	if (!parse(&p, text, len, &err))
		fail_msg("accepted: %.*s", (int)len, text);
	assert_string_equal(err.text, message);
	assert_int_equal(err.line, line);
	assert_int_equal(err.col, col);
	sf_prog_free(&p);
}

static void assert_same(const struct sf_prog *a, const struct sf_prog *b)
{
	char *x, *y;

	if (sf_prog_equal(a, b))
		return;
	x = text_of(a);
	y = text_of(b);
	fail_msg("programs differ:\n%s----\n%s", x, y);
}

static void copy_prog(struct sf_prog *to, const struct sf_prog *from)
{
	sf_prog_clear(to);
	to->settings = from->settings;
	for (uint32_t i = 0; i < from->nr_ops; i++) {
		struct sf_op op = from->ops[i];

		op.name = sf_prog_string(to, sf_prog_str(from, op.name),
					 strlen(sf_prog_str(from, op.name)));
		op.expect = sf_prog_string(to, sf_prog_str(from, op.expect),
					   strlen(sf_prog_str(from, op.expect)));
		sf_prog_add(to, &op)->res = op.res;
	}
	to->nr_res = from->nr_res;
}

/* The laws, on a program that claims to be valid. */
static void check_laws(struct sf_prog *p)
{
	struct sf_prog q, fixed;
	size_t len, again_len;
	uint8_t *data, *again;
	char *text = text_of(p), *text2;

	sf_prog_init(&q);
	sf_prog_init(&fixed);
	/* Strict parsing accepts what is valid, and nothing else. */
	parse_ok(&q, text, strlen(text));
	assert_same(p, &q);
	assert_int_equal(p->nr_res, q.nr_res);
	/* Fix-up changes nothing in a valid program. */
	copy_prog(&fixed, p);
	assert_int_equal(sf_prog_fixup(&fixed), 0);
	assert_same(p, &fixed);
	/* text -> bytes -> text is the identity; and encode() of that is the same bytes. */
	data = bytes_of(&q, &len);
	sf_bytes_decode(&q, data, len, 0);
	assert_same(p, &q);
	text2 = text_of(&q);
	assert_string_equal(text, text2);
	again = bytes_of(&q, &again_len);
	assert_int_equal(len, again_len);
	assert_memory_equal(data, again, len);
	free(text);
	free(text2);
	free(data);
	free(again);
	sf_prog_free(&q);
	sf_prog_free(&fixed);
}

/* Bytes with enough sense in them that references meet: few slots, codes that exist. */
static size_t random_bytes(uint64_t *s, uint8_t *out, size_t cap)
{
	size_t len = below(s, cap + 1);
	unsigned int style = (unsigned int)below(s, 4);

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(below(s, 3) ? rnd(s) : 0);
	if (!style)
		return len;
	for (size_t at = 4; at + SF_RECORD_SIZE <= len; at += SF_RECORD_SIZE) {
		uint8_t *rec = out + at;

		uint64_t which = below(s, NR_OPS + 8);

		rec[0] = which < NR_OPS ? codes[which] :
			 which > NR_OPS ? SF_CODE_STRING : SF_CODE_SETTING;
		if (at < 100 && below(s, 2))
			rec[0] = SF_CODE_SETTING;
		/* Names and expectations mostly stand where they are announced. */
		if (rec[0] == SF_CODE_STRING && below(s, 4))
			rec[1] = at > 4 && rec[1 - (int)SF_RECORD_SIZE] & 1 ? 'N' : 'X';
		else if (rec[0] == SF_CODE_STRING)
			rec[1] = below(s, 2) ? 'N' : 'X';
		else if (rec[0] == SF_CODE_SETTING)
			rec[1] = (uint8_t)(below(s, 3) ? below(s, 33) : SF_SET_misuse);
		else
			rec[1] = (uint8_t)below(s, 4);
		if (sf_op_table[rec[0]].name && style < 3)
			for (unsigned int i = 2; i < 14; i += 4)
				memcpy(rec + i, (uint8_t[4]){ (uint8_t)below(s, 9), 0, 0, 0 }, 4);
		if (rec[0] == SF_CODE_STRING && below(s, 2)) {
			static const char *const texts[] = {
				"NULL", "ok", "blocked", "violation MEM-1", "live x = 3",
				"free 10 = 0", "slabs  a=1", "dentry", "violation X",
				"live x = 3 if large", "NULL unless random|typed", "ok if x",
			};

			memset(rec + 2, 0, 30);
			strcpy((char *)rec + 2, texts[below(s, 12)]);
		}
	}
	return len;
}

static void test_any_bytes_are_a_program(void **state)
{
	static uint8_t data[4096];
	uint32_t seen[SF_CODE_MAX + 1] = { 0 }, names = 0, expects = 0, settings = 0;
	struct sf_prog p, warm;
	uint64_t s = 1;

	(void)state;
	sf_prog_init(&warm);
	for (unsigned int round = 0; round < 24000; round++) {
		size_t len = random_bytes(&s, data, round % 8 ? 1500 : sizeof(data));

		/* A pure function: what the program held before does not matter. */
		sf_prog_init(&p);
		sf_bytes_decode(&p, data, len, 0);
		sf_bytes_decode(&warm, data, len, 0);
		assert_same(&p, &warm);
		assert_int_equal(p.nr_res, warm.nr_res);
		check_laws(&p);
		for (uint32_t i = 0; i < p.nr_ops; i++) {
			seen[p.ops[i].code]++;
			names += p.ops[i].name != 0;
			expects += p.ops[i].expect != 0;
		}
		settings += p.settings.cpus != 2;
		sf_prog_free(&p);
	}
	sf_prog_free(&warm);
	/* The property was tried on every operation, not on empty programs. */
	for (unsigned int i = 0; i < NR_OPS; i++)
		if (seen[codes[i]] < 40)
			fail_msg("%s(): seen %u times", sf_op_table[codes[i]].name,
				 seen[codes[i]]);
	assert_true(names > 1000 && expects > 500 && settings > 100);
}

static struct sf_op random_op(uint64_t *s, uint32_t nr_res)
{
	struct sf_op op = sf_op_make((enum sf_opcode)codes[below(s, NR_OPS)]);

	for (const struct sf_arg_info *arg = sf_op_table[op.code].arg; arg->kind; arg++) {
		uint64_t v = below(s, 4) ? below(s, 300) : rnd(s);

		if (arg->kind == SF_ARG_NAME)
			continue;
		if (arg->key && below(s, 2))
			continue;
		sf_arg_set(&op, arg->kind, v);
	}
	if (op.obj != SF_NONE)
		op.obj = (uint32_t)below(s, nr_res + 2);
	if (op.obj2 != SF_NONE)
		op.obj2 = (uint32_t)below(s, nr_res + 2);
	if (op.cache != SF_NONE)
		op.cache = (uint32_t)below(s, nr_res + 2);
	return op;
}

static void random_prog(uint64_t *s, struct sf_prog *p, uint32_t nr_ops)
{
	sf_prog_clear(p);
	if (!below(s, 3))
		p->settings.cpus = 1 + below(s, 8);
	if (!below(s, 3))
		p->settings.pages = 64 + below(s, 4096);
	p->settings.misuse = below(s, 2);
	for (uint32_t i = 0; i < nr_ops; i++) {
		struct sf_op op = random_op(s, p->nr_res);
		char name[16];

		snprintf(name, sizeof(name), "n%u", i);
		if (op.code == SF_OP_CACHE_CREATE || op.code == SF_OP_SITE ||
		    op.code == SF_OP_BUCKETS_CREATE || op.code == SF_OP_DEVICE_REGISTER)
			op.name = sf_prog_string(p, name, strlen(name));
		if (!below(s, 8))
			op.expect = sf_prog_string(p, "ok", 2);
		sf_prog_add(p, &op);
	}
	sf_prog_fixup(p);
}

static void test_any_operations_become_a_program(void **state)
{
	struct sf_prog p;
	uint64_t s = 2, total = 0;

	(void)state;
	sf_prog_init(&p);
	for (unsigned int round = 0; round < 3000; round++) {
		random_prog(&s, &p, 1 + (uint32_t)below(&s, 60));
		total += p.nr_ops;
		check_laws(&p);
	}
	assert_true(total > 30000);
	sf_prog_free(&p);
}

static bool is_used(const struct sf_prog *p, uint32_t res)
{
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (p->ops[i].obj == res || p->ops[i].obj2 == res || p->ops[i].cache == res)
			return true;
	return false;
}

/* Whether a later operation needs `res` to be dead: without what kills it, that one changes. */
static bool is_misused(const struct sf_prog *p, uint32_t i, uint32_t res)
{
	while (++i < p->nr_ops)
		if (sf_op_table[p->ops[i].code].arg[0].kind == SF_ARG_DEAD && p->ops[i].obj == res)
			return true;
	return false;
}

static bool is_needed(const struct sf_prog *p, uint32_t i)
{
	const struct sf_op *op = &p->ops[i];

	if (op->res != SF_NONE && is_used(p, op->res))
		return true;
	if (sf_op_table[op->code].flags & SF_OPF_FREES)
		return op->obj != SF_NONE && is_misused(p, i, op->obj);
	if (op->code != SF_OP_CACHE_DESTROY && op->code != SF_OP_DEVICE_UNREGISTER)
		return false;
	for (uint32_t k = 0; k < i; k++)
		if (p->ops[k].res != SF_NONE && p->ops[k].cache == op->cache &&
		    is_misused(p, i, p->ops[k].res))
			return true;
	return false;
}

/* Where the record of each operation is. */
static void find_records(const uint8_t *data, size_t len, size_t *at, uint32_t nr_ops)
{
	uint32_t n = 0;

	for (size_t i = 4; i < len; i += SF_RECORD_SIZE)
		if (sf_op_table[data[i]].name && n < nr_ops)
			at[n++] = i;
	assert_int_equal(n, nr_ops);
}

/* Its record alone goes; a name or an expectation behind it must not stick to another operation. */
static void test_deleting_a_record_deletes_one_operation(void **state)
{
	struct sf_prog p, want, got;
	uint64_t s = 3, tried = 0, misuse = 0;

	(void)state;
	sf_prog_init(&p);
	sf_prog_init(&want);
	sf_prog_init(&got);
	for (unsigned int round = 0; round < 300; round++) {
		size_t len, at[64];
		uint8_t *data, edited[64 * 4 * SF_RECORD_SIZE];

		random_prog(&s, &p, 40);
		data = bytes_of(&p, &len);
		assert_true(len <= sizeof(edited));
		find_records(data, len, at, p.nr_ops);
		for (uint32_t i = 0; i < p.nr_ops; i++) {
			if (is_needed(&p, i))
				continue;
			misuse += p.settings.misuse;
			memcpy(edited, data, at[i]);
			memcpy(edited + at[i], data + at[i] + SF_RECORD_SIZE,
			       len - at[i] - SF_RECORD_SIZE);
			sf_bytes_decode(&got, edited, len - SF_RECORD_SIZE, 0);
			copy_prog(&want, &p);
			memmove(&want.ops[i], &want.ops[i + 1],
				(want.nr_ops - i - 1) * sizeof(want.ops[0]));
			want.nr_ops--;
			assert_int_equal(sf_prog_fixup(&want), 0);
			assert_same(&want, &got);
			tried++;
		}
		free(data);
	}
	assert_true(tried > 5000 && misuse > 2000);
	sf_prog_free(&p);
	sf_prog_free(&want);
	sf_prog_free(&got);
}

static bool is_ref_arg(unsigned int kind)
{
	return kind == SF_ARG_OBJ || kind == SF_ARG_OBJ2 || kind == SF_ARG_PAGES ||
	       kind == SF_ARG_EXACT || kind == SF_ARG_BULK || kind == SF_ARG_CACHE ||
	       kind == SF_ARG_BUCKETS || kind == SF_ARG_DEVICE || kind == SF_ARG_DEAD ||
	       kind == SF_ARG_CACHE2 || kind == SF_ARG_UOBJ || kind == SF_ARG_SIZED ||
	       kind == SF_ARG_ALIGNED || kind == SF_ARG_HEAP || kind == SF_ARG_HEAP2 ||
	       kind == SF_ARG_REGION;
}

/* Offset in a record of a random byte of what is no reference; 0: there is none. */
static size_t value_byte(uint64_t *s, const struct sf_op *op)
{
	const struct sf_op_info *info = &sf_op_table[op->code];
	size_t pick[SF_RECORD_SIZE], nr = 0, at = info->res == SF_RES_NONE ? 2 : 6;

	for (const struct sf_arg_info *arg = info->arg; arg->kind; arg++) {
		unsigned int width = sf_arg_table[arg->kind].width;

		for (unsigned int i = 0; i < width && !is_ref_arg(arg->kind); i++)
			pick[nr++] = at + i;
		at += width;
	}
	return nr ? pick[below(s, nr)] : 0;
}

static void test_flipping_a_value_changes_one_operation(void **state)
{
	struct sf_prog p, got;
	uint64_t s = 4;
	uint32_t tried = 0, changed = 0;

	(void)state;
	sf_prog_init(&p);
	sf_prog_init(&got);
	for (unsigned int round = 0; round < 2000; round++) {
		size_t len, at[64], off;
		uint8_t *data;
		uint32_t i;

		random_prog(&s, &p, 40);
		if (!p.nr_ops)
			continue;
		i = (uint32_t)below(&s, p.nr_ops);
		off = value_byte(&s, &p.ops[i]);
		if (!off)
			continue;
		data = bytes_of(&p, &len);
		find_records(data, len, at, p.nr_ops);
		data[at[i] + off] ^= (uint8_t)(1 + below(&s, 255));
		sf_bytes_decode(&got, data, len, 0);
		free(data);
		assert_int_equal(got.nr_ops, p.nr_ops);
		tried++;
		changed += !sf_prog_equal(&p, &got);
		/* With that operation put back, all is as before. */
		got.ops[i] = p.ops[i];
		got.ops[i].name = sf_prog_string(&got, sf_prog_str(&p, p.ops[i].name),
						 strlen(sf_prog_str(&p, p.ops[i].name)));
		got.ops[i].expect = sf_prog_string(&got, sf_prog_str(&p, p.ops[i].expect),
						   strlen(sf_prog_str(&p, p.ops[i].expect)));
		assert_same(&p, &got);
	}
	assert_true(tried > 1000 && changed > tried / 2);
	sf_prog_free(&p);
	sf_prog_free(&got);
}

/* Whatever happens to the text of a program: it is refused, or is a program. */
static void test_broken_text(void **state)
{
	static const char alphabet[] = "rc01234567890123456789(),=|#\"\\ \t\n\rSIZE_MAX-x\0\377[]*{"
				       "check";
	uint32_t accepted = 0, rejected = 0;
	struct sf_text_error err;
	struct sf_prog p, q;
	uint64_t s = 5;

	(void)state;
	sf_prog_init(&p);
	sf_prog_init(&q);
	for (unsigned int round = 0; round < 6000; round++) {
		char *text;
		size_t len;

		random_prog(&s, &p, 12);
		text = text_of(&p);
		len = strlen(text);
		for (uint64_t n = below(&s, 4) ? 1 : 4; n && len; n--) {
			size_t at = below(&s, len);

			if (below(&s, 2))
				text[at] = alphabet[below(&s, sizeof(alphabet))];
			else
				memmove(text + at, text + at + 1, --len - at);
		}
		if (!parse(&q, text, len, &err)) {
			accepted++;
			check_laws(&q);
		} else {
			rejected++;
			assert_true(err.line >= 1 && err.col >= 1 && err.text[0]);
			assert_true(strlen(err.text) < sizeof(err.text) - 1);
		}
		free(text);
	}
	assert_true(accepted > 300 && rejected > 3000);
	sf_prog_free(&p);
	sf_prog_free(&q);
}

static void test_tables(void **state)
{
	unsigned int ops = 0;

	(void)state;
	for (unsigned int c = 0; c <= SF_CODE_MAX; c++) {
		const struct sf_op_info *info = &sf_op_table[c];
		unsigned int size = 2 + (info->res != SF_RES_NONE ? 4 : 0);
		uint64_t fields = 0;

		if (!info->name)
			continue;
		assert_int_equal(c, codes[ops++]); /* rows in the order of their codes */
		for (unsigned int i = 0; i < SF_OP_ARGS_MAX && info->arg[i].kind; i++) {
			const struct sf_arg_layout *lay = &sf_arg_table[info->arg[i].kind];

			size += lay->width;
			/* Two arguments in one field could not both be kept. */
			assert_true(lay->offset / 2 < 64);
			assert_false(fields & 1ull << info->arg[i].kind);
			fields |= 1ull << info->arg[i].kind;
			for (unsigned int j = 0; j < i; j++)
				assert_int_not_equal(sf_arg_table[info->arg[j].kind].offset,
						     lay->offset);
			/* Positional arguments come first. */
			if (i && info->arg[i - 1].key)
				assert_true(info->arg[i].key);
		}
		assert_int_equal(info->arg[SF_OP_ARGS_MAX - 1].kind, SF_ARG_END);
		assert_true(size <= SF_RECORD_SIZE);
		for (unsigned int d = 0; d < c; d++)
			if (sf_op_table[d].name)
				assert_string_not_equal(sf_op_table[d].name, info->name);
	}
	assert_int_equal(ops, NR_OPS);
	assert_int_equal(SF_OP_DIRECTMAP_WRITE, 90); /* codes are permanent */
	assert_int_equal(sf_arg_table[SF_ARG_SIZE].offset, offsetof(struct sf_op, size));
	assert_int_equal(sf_arg_table[SF_ARG_CACHE].width, 4);
}

static void test_sample(void **state)
{
	(void)state;
	reads_as("# an external dentry name is reclaimed with its dentry\n"
		 "heap pages=4096 cpus=2 seed=7\n"
		 "c0 = kmem_cache_create(\"dentry\", 192, 8, SLAB_RECLAIM_ACCOUNT)\n"
		 "r0 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
		 "r1 = kmalloc(200, GFP_KERNEL|__GFP_RECLAIMABLE, site=12)\n"
		 "owns(r0, r1)\n"
		 "r2 = kzalloc_obj(struct cred, GFP_KERNEL_ACCOUNT)\n"
		 "r3 = krealloc(r2, 400, GFP_KERNEL)\n"
		 "cpu(1)\n"
		 "fail(slab, after=3)\n"
		 "r4 = kmalloc(SIZE_MAX, GFP_KERNEL)      # NULL\n"
		 "kfree(r3)\n"
		 "check                                   # live kmalloc-rcl-256 = 0\n",
		 "heap pages=4096 seed=7\n"
		 "c0 = kmem_cache_create(\"dentry\", 192, 8, SLAB_RECLAIM_ACCOUNT)\n"
		 "r0 = kmem_cache_alloc(c0, GFP_KERNEL)\n"
		 "r1 = kmalloc(200, GFP_KERNEL|__GFP_RECLAIMABLE, site=12)\n"
		 "owns(r0, r1)\n"
		 "r2 = kzalloc_obj(struct cred, GFP_KERNEL_ACCOUNT)\n"
		 "r3 = krealloc(r2, 400, GFP_KERNEL)\n"
		 "cpu(1)\n"
		 "fail(slab, after=3)\n"
		 "r4 = kmalloc(SIZE_MAX, GFP_KERNEL)  # NULL\n"
		 "kfree(r3)\n"
		 "check  # live kmalloc-rcl-256 = 0\n");
}

static const struct {
	const char *in, *out;
} readings[] = {
	{ "", "" },
	{ "\r\n  \n\t# only a comment\r\n", "" },
	{ "heap\nheap seed=0x10 # why\nheap cpus=4", "heap cpus=4 seed=16\n" },
	{ "heap pages=16384 seed=0\ncheck", "check\n" },
	{ "heap slab_min_order=5", "heap slab_min_order=5 slab_max_order=5\n" },
	{ "check()\r\ndrain_all_pages\ncheck", "check\ndrain_all_pages()\ncheck\n" },
	/* Labels are renumbered, caches apart from the rest; zeros in front do not matter. */
	{ "r7 = kmalloc(1, 0)\nc9=kmem_cache_create(\"a\",8,0,0)\nr2 = kmem_cache_alloc( c9 , 0 )\n"
	  "kmem_cache_free(c09, r02)\nkfree(r7)",
	  "r0 = kmalloc(1, 0)\nc0 = kmem_cache_create(\"a\", 8, 0, 0)\n"
	  "r1 = kmem_cache_alloc(c0, 0)\nkmem_cache_free(c0, r1)\nkfree(r0)\n" },
	{ "kmalloc(8, GFP_KERNEL)", "r0 = kmalloc(8, GFP_KERNEL)\n" },
	{ "r4294967294 = kmalloc(0x40, 0x400cc0)\nkfree(r4294967294)",
	  "r0 = kmalloc(64, GFP_KERNEL_ACCOUNT)\nkfree(r0)\n" },
	/* Numbers. */
	{ "r0 = kmalloc(SIZE_MAX-65535, 0)\nr1 = kmalloc(SIZE_MAX-65536, 0)",
	  "r0 = kmalloc(SIZE_MAX-65535, 0)\nr1 = kmalloc(18446744073709486079, 0)\n" },
	{ "r0 = kmalloc(18446744073709551615, 0)\nr1 = kmalloc(0xFFFFFFFFFFFFFFFE, 0)",
	  "r0 = kmalloc(SIZE_MAX, 0)\nr1 = kmalloc(SIZE_MAX-1, 0)\n" },
	{ "r0 = kmalloc(SIZE_MAX-18446744073709551615, 0)", "r0 = kmalloc(0, 0)\n" },
	{ "r0 = kcalloc(SIZE_MAX, 2, 0, site=3)", "r0 = kcalloc(SIZE_MAX, 2, 0, site=3)\n" },
	/* Flags: the widest name first, then bits in table order; numbers may be mixed in. */
	{ "r0 = kmalloc(1, __GFP_ZERO|__GFP_IO | __GFP_FS|0xc00)",
	  "r0 = kmalloc(1, GFP_KERNEL|__GFP_ZERO)\n" },
	{ "r0 = kmalloc(1, GFP_ATOMIC|__GFP_NOWARN)",
	  "r0 = kmalloc(1, GFP_ATOMIC|__GFP_NOWARN)\n" },
	{ "r0 = kmalloc(1, GFP_HIGHUSER_MOVABLE|__GFP_ACCOUNT)",
	  "r0 = kmalloc(1, GFP_HIGHUSER_MOVABLE|__GFP_ACCOUNT)\n" },
	{ "r0 = kmalloc(1, __GFP_DMA)", "r0 = kmalloc(1, __GFP_DMA)\n" },
	{ "c0 = kmem_cache_create(\"a b\", 8, 2147483648, SLAB_PANIC|SLAB_TEMPORARY, sheaf=60, "
	  "usersize=8)",
	  "c0 = kmem_cache_create(\"a b\", 8, 2147483648, SLAB_PANIC|SLAB_RECLAIM_ACCOUNT, "
	  "usersize=8, sheaf=60)\n" },
	/* Types. */
	{ "r0 = kmalloc(8, 0, type=struct cred , site=1)",
	  "r0 = kmalloc(8, 0, site=1, type=struct cred)\n" },
	{ "r0 = kmalloc(8, 0, type=void *[4])", "r0 = kmalloc(8, 0, type=void *[4])\n" },
	{ "r0 = kzalloc_objs(u8, 3, 0)", "r0 = kzalloc_objs(u8, 3, 0)\n" },
	{ "r0 = kmalloc_flex(struct fdtable, SIZE_MAX, 0)",
	  "r0 = kmalloc_flex(struct fdtable, SIZE_MAX, 0)\n" },
	/* Zero-valued keys are left out. */
	{ "r0 = kmalloc(8, 0, site=0)\nwrite(r0, whole=0)\nverify(r0, whole=1)\nfail(page)",
	  "r0 = kmalloc(8, 0)\nwrite(r0)\nverify(r0, whole=1)\nfail(page)\n" },
	{ "site(3, \"d_alloc+0x12/0x30 [mod]\") # NULL", "site(3, \"d_alloc+0x12/0x30 [mod]\")\n" },
	{ "site(3, \"a#b\")", "site(3, \"a#b\")\n" },
	{ "site(3, \"\")", "site(3, \"\")\n" },
	/* NULL where it is allowed; both names after a realloc; a name again after destroy. */
	{ "kfree(NULL)\nksize(NULL)\nkvfree(NULL)\nr0 = krealloc(NULL, 3, 0)",
	  "kfree(NULL)\nksize(NULL)\nkvfree(NULL)\nr0 = krealloc(NULL, 3, 0)\n" },
	{ "r0 = kmalloc(8, 0)\nr1 = krealloc(r0, 9, 0)\nr2 = krealloc(r0, 9, 0)\nkfree(r0)\n"
	  "kfree(r1)",
	  "r0 = kmalloc(8, 0)\nr1 = krealloc(r0, 9, 0)\nr2 = krealloc(r0, 9, 0)\nkfree(r0)\n"
	  "kfree(r1)\n" },
	{ "c0 = kmem_cache_create(\"a\", 8, 0, 0)\nkmem_cache_destroy(c0)\n"
	  "c1 = kmem_cache_create(\"a\", 8, 0, 0)\n",
	  "c0 = kmem_cache_create(\"a\", 8, 0, 0)\nkmem_cache_destroy(c0)\n"
	  "c1 = kmem_cache_create(\"a\", 8, 0, 0)\n" },
	/* Who may free what. */
	{ "r0 = kvmalloc(8, 0)\nr1 = kmalloc(8, 0)\nc0 = kmem_cache_create(\"a\", 8, 0, 0)\n"
	  "r2 = kmem_cache_alloc(c0, 0)\nr3 = kmem_cache_zalloc(c0, 0)\nr4 = kmalloc(1, 0)\n"
	  "kvfree(r0)\nkvfree(r1)\nkvfree(r2)\nkfree(r3)\nr5 = kvrealloc(r4, 2, 0)\nowns(r5, r4)",
	  "r0 = kvmalloc(8, 0)\nr1 = kmalloc(8, 0)\nc0 = kmem_cache_create(\"a\", 8, 0, 0)\n"
	  "r2 = kmem_cache_alloc(c0, 0)\nr3 = kmem_cache_zalloc(c0, 0)\nr4 = kmalloc(1, 0)\n"
	  "kvfree(r0)\nkvfree(r1)\nkvfree(r2)\nkfree(r3)\nr5 = kvrealloc(r4, 2, 0)\n"
	  "owns(r5, r4)\n" },
	{ "r0 = alloc_pages(GFP_KERNEL, 11)\nr1 = alloc_pages_exact(5000, GFP_KERNEL)\n"
	  "__free_pages(r0)\nfree_pages_exact(r1)",
	  "r0 = alloc_pages(GFP_KERNEL, 11)\nr1 = alloc_pages_exact(5000, GFP_KERNEL)\n"
	  "__free_pages(r0)\nfree_pages_exact(r1)\n" },
	/* Tokens: 0 is one of them, and not the same as none. */
	{ "r0 = kmalloc(8, 0, token=0, type=u8)\nr1 = kmalloc_obj(u8, 0, token=15)\n"
	  "r2 = krealloc(r0, 9, 0, token=0x7)",
	  "r0 = kmalloc(8, 0, type=u8, token=0)\nr1 = kmalloc_obj(u8, 0, token=15)\n"
	  "r2 = krealloc(r0, 9, 0, token=7)\n" },
	{ "r0 = kvmalloc_obj(u8, 0)\nr1 = kvzalloc_objs(u8, SIZE_MAX, 0, site=2)\n"
	  "r2 = kvzalloc_flex(struct fdtable, 3, 0)\nkvfree(r0)\nr3 = kvrealloc(r1, 1, 0)",
	  "r0 = kvmalloc_obj(u8, 0)\nr1 = kvzalloc_objs(u8, SIZE_MAX, 0, site=2)\n"
	  "r2 = kvzalloc_flex(struct fdtable, 3, 0)\nkvfree(r0)\nr3 = kvrealloc(r1, 1, 0)\n" },
	/* Buckets: what comes from them is ordinary memory. */
	{ "r5 = kmem_buckets_create(\"\", 0)\n"
	  "r6 = kmem_buckets_create(\"a\", SLAB_ACCOUNT, usersize=64)\n"
	  "r7 = kmem_buckets_alloc(r6, 9, 0, token=3)\nr8 = kmem_buckets_valloc(r5, 9, 0)\n"
	  "r9 = krealloc(r7, 1, 0)\nkvfree(r8)\nkfree_nolock(r9)\nkfree_nolock(NULL)\n"
	  "r10 = kmalloc_nolock(8, __GFP_ACCOUNT)",
	  "r0 = kmem_buckets_create(\"\", 0)\n"
	  "r1 = kmem_buckets_create(\"a\", SLAB_ACCOUNT, usersize=64)\n"
	  "r2 = kmem_buckets_alloc(r1, 9, 0, token=3)\nr3 = kmem_buckets_valloc(r0, 9, 0)\n"
	  "r4 = krealloc(r2, 1, 0)\nkvfree(r3)\nkfree_nolock(r4)\nkfree_nolock(NULL)\n"
	  "r5 = kmalloc_nolock(8, __GFP_ACCOUNT)\n" },
	/* Devices. */
	{ "r1 = root_device_register(\"a\")\nr2 = devm_kmalloc(r1, 8, 0)\nwrite(r2)\n"
	  "r3 = devm_krealloc(r1, r2, 9, 0)\nr4 = devm_krealloc(r1, NULL, 9, 0)\n"
	  "r5 = devm_kcalloc(r1, 3, 4, 0)\nowns(r4, r5)\ndevm_kfree(r1, r3)\n"
	  "devm_kfree(r1, r2)\nroot_device_unregister(r1)",
	  "r0 = root_device_register(\"a\")\nr1 = devm_kmalloc(r0, 8, 0)\nwrite(r1)\n"
	  "r2 = devm_krealloc(r0, r1, 9, 0)\nr3 = devm_krealloc(r0, NULL, 9, 0)\n"
	  "r4 = devm_kcalloc(r0, 3, 4, 0)\nowns(r3, r4)\ndevm_kfree(r0, r2)\n"
	  "devm_kfree(r0, r1)\nroot_device_unregister(r0)\n" },
	/* Pools: a rare write may name another than its object's. */
	{ "r1 = pmalloc_create_pool(start_wr, refill=3)\nr2 = pmalloc_create_pool(ro)\n"
	  "r5 = pmalloc(r1, 8)\nr6 = pcalloc(r2, SIZE_MAX, 2)\nwrite(r5)\nverify(r6)\n"
	  "pmalloc_protect_pool(r1)\npmalloc_unprotect_pool(r2)\npmalloc_rare_write(r2, r5)\n"
	  "pmalloc_rare_write(r1, r5, n=9, off=7)\npmalloc_destroy_pool(r1)\nwrite(r6)",
	  "r0 = pmalloc_create_pool(start_wr, refill=3)\nr1 = pmalloc_create_pool(ro)\n"
	  "r2 = pmalloc(r0, 8)\nr3 = pcalloc(r1, SIZE_MAX, 2)\nwrite(r2)\nverify(r3)\n"
	  "pmalloc_protect_pool(r0)\npmalloc_unprotect_pool(r1)\npmalloc_rare_write(r1, r2)\n"
	  "pmalloc_rare_write(r0, r2, off=7, n=9)\npmalloc_destroy_pool(r0)\nwrite(r3)\n" },
	{ "c0 = kmem_cache_create(\"a\", 8, 0, 0, min_order=10)",
	  "c0 = kmem_cache_create(\"a\", 8, 0, 0, min_order=10)\n" },
	{ "heap directmap=sealed min_order=2 misuse=1\nr0 = pmalloc_create_pool(wr)\n"
	  "r1 = pzalloc(r0, 8)\ndirectmap_write(r1, 8)",
	  "heap misuse=1 min_order=2 directmap=sealed\nr0 = pmalloc_create_pool(wr)\n"
	  "r1 = pzalloc(r0, 8)\ndirectmap_write(r1, 8)\n" },
	/* Settings that are choices, by name or number; those that a kernel adjusts. */
	{ "heap flex=implemented misuse=1\ncheck", "heap flex=implemented misuse=1\ncheck\n" },
	{ "heap flex=1\nheap shuffle=1", "heap shuffle=1 flex=implemented\n" },
	{ "heap flex=documented", "" },
	{ "heap watermarks=off sheaves=no memcg=on misuse=yes\ncheck",
	  "heap watermarks=0 sheaves=0 misuse=1\ncheck\n" },
	/* What contradicts itself in one line may be put right in the next. */
	{ "heap shuffle=1 pages=512\nheap pages=1024", "heap pages=1024 shuffle=1\n" },
	/* Misuse: of what lives, and of what is dead in one way or another. */
	{ "heap misuse=1\nr0 = kmalloc(8, 0)\noverflow(r0, 65535)\nunderflow(r0, 1)\n"
	  "inner_free(r0, 8)\nc0 = kmem_cache_create(\"a\", 8, 0, 0)\n"
	  "wrong_cache_free(r0, c0)  # noticed\nstale_write(r0, 8)\ndouble_free(r0)\n"
	  "double_free(r0)",
	  "heap misuse=1\nr0 = kmalloc(8, 0)\noverflow(r0, 65535)\nunderflow(r0, 1)\n"
	  "inner_free(r0, 8)\nc0 = kmem_cache_create(\"a\", 8, 0, 0)\n"
	  "wrong_cache_free(r0, c0)  # noticed\nstale_write(r0, 8)\ndouble_free(r0)\n"
	  "double_free(r0)\n" },
	{ "heap misuse=1\nc0 = kmem_cache_create(\"a\", 8, 0, 0)\nr0 = kmem_cache_alloc(c0, 0)\n"
	  "r1 = root_device_register(\"a\")\nr2 = devm_kmalloc(r1, 8, 0)\noverflow(r2, 1)\n"
	  "r3 = kvmalloc(8, 0)\nunderflow(r3, 1)\nkvfree(r3)\nroot_device_unregister(r1)\n"
	  "kmem_cache_destroy(c0)\nstale_write(r2, 1)\ndouble_free(r0)\ndouble_free(r3)",
	  "heap misuse=1\nc0 = kmem_cache_create(\"a\", 8, 0, 0)\nr0 = kmem_cache_alloc(c0, 0)\n"
	  "r1 = root_device_register(\"a\")\nr2 = devm_kmalloc(r1, 8, 0)\noverflow(r2, 1)\n"
	  "r3 = kvmalloc(8, 0)\nunderflow(r3, 1)\nkvfree(r3)\nroot_device_unregister(r1)\n"
	  "kmem_cache_destroy(c0)\nstale_write(r2, 1)\ndouble_free(r0)\ndouble_free(r3)\n" },
};

static void test_readings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
		if (readings[i].out)
			reads_as(readings[i].in, readings[i].out);
}

static const struct {
	const char *text;
	uint32_t line, col;
	const char *message;
} refusals[] = {
	{ "r0 = mem_cgroup_create(NULL)\nmem_cgroup_destroy(NULL)", 2, 20,
	  "expected memcg (a result like r0), got 'NULL'" },
	{ "r0 = kmalloc(8, GFP_KERNEL)\nset_active_memcg(r0)", 2, 18,
	  "set_active_memcg() cannot take r0: it is a kmalloc object" },
	{ "r0 = mem_cgroup_create(NULL)\nmem_cgroup_destroy(r0)\nset_active_memcg(r0)", 3, 18,
	  "r0 was destroyed at line 2" },
	{ "r0 = mem_cgroup_create(NULL)\nr1 = mem_cgroup_create(r0, min=4)", 2, 28,
	  "expected max=, got 'min'" },
	{ "fault_attr(slab, probability=101)", 1, 30,
	  "expected probability (percent, 0 to 100), got '101'" },
	{ "r0 = kmalloc(8, GFP_KERNEL)\nkfree_rcu(r0)\npin(r0)", 3, 5, "r0 was freed at line 2" },
	{ "pin(NULL)", 1, 5, "expected p (a result like r0), got 'NULL'" },
	{ "r0 = kvmalloc(8, GFP_KERNEL)\nkfree_rcu(r0)", 2, 11,
	  "kfree_rcu() cannot take r0: it is a kvmalloc object" },
	{ "shrink()", 1, 8, "expected n (a count, SIZE_MAX or SIZE_MAX-n), got ')'" },
	{ "r0 = kmalloc(8, GFP_KERNL)", 1, 17, "expected a gfp flag, got 'GFP_KERNL'" },
	{ "r0 = kmalloc(8, )", 1, 17, "expected a gfp flag, got ')'" },
	{ "r0 = kmalloc(8, GFP_KERNEL|)", 1, 28, "expected a gfp flag, got ')'" },
	{ "r0 = kmalloc(8, 0x80000000)", 1, 17, "expected a gfp flag, got '0x80000000'" },
	{ "\n\nfoo(1)", 3, 1, "expected an operation, got 'foo'" },
	{ "  =", 1, 4, "expected an operation, got end of line" },
	{ "(", 1, 1, "expected an operation, got '('" },
	{ "r0 = ", 1, 6, "expected an operation, got end of line" },
	{ "r0 = r1 = kmalloc(1, 0)", 1, 6, "expected an operation, got 'r1'" },
	{ "kmalloc", 1, 8, "expected '(', got end of line" },
	{ "kmalloc 8", 1, 9, "expected '(', got '8'" },
	{ "kmalloc()", 1, 9, "expected size (bytes, SIZE_MAX or SIZE_MAX-n), got ')'" },
	{ "kmalloc(8)", 1, 10, "expected ', gfp', got ')'" },
	{ "kmalloc(8", 1, 10, "expected ', gfp', got end of line" },
	{ "kmalloc(8, 0", 1, 13, "expected ',' or ')', got end of line" },
	{ "kmalloc(8, 0 # NULL", 1, 14, "expected ',' or ')', got end of line" },
	{ "kmalloc(8, 0, 0)", 1, 15, "expected site= or type= or token=, got '0'" },
	{ "kmalloc(8, 0,)", 1, 14, "expected site= or type= or token=, got ')'" },
	{ "kmalloc(8, 0, site)", 1, 19, "expected '=', got ')'" },
	{ "kmalloc(8, 0, site=1, site=1)", 1, 23, "site= is given twice" },
	{ "kmalloc(8, 0, site=65536)", 1, 20,
	  "expected site (a call site, 0 to 65535), got '65536'" },
	{ "kmalloc(8, 0) kfree(r0)", 1, 15, "expected end of line, got 'kfree'" },
	{ "kmalloc(18446744073709551616, 0)", 1, 9,
	  "expected size (bytes, SIZE_MAX or SIZE_MAX-n), got '18446744073709551616'" },
	{ "kmalloc(-1, 0)", 1, 9, "expected size (bytes, SIZE_MAX or SIZE_MAX-n), got '-1'" },
	{ "kmalloc(SIZE_MAX+1, 0)", 1, 9,
	  "expected size (bytes, SIZE_MAX or SIZE_MAX-n), got 'SIZE_MAX+1'" },
	{ "kmalloc_array(x, 1, 0)", 1, 15,
	  "expected n (a count, SIZE_MAX or SIZE_MAX-n), got 'x'" },
	{ "kmalloc(4K, 0)", 1, 9, "expected size (bytes, SIZE_MAX or SIZE_MAX-n), got '4K'" },
	{ "kmalloc(8, 0, type=struct foo)", 1, 20, "expected a type, got 'struct foo'" },
	{ "kmalloc_obj(, 0)", 1, 13, "expected a type, got ','" },
	{ "kmalloc_flex(struct cred, 1, 0)", 1, 14,
	  "expected a type with a flexible array, got 'struct cred'" },
	{ "kfree(r0)", 1, 7, "r0 is not defined" },
	{ "r0 = kmalloc(1, 0)\nkfree(r0)\n\nkfree(r0)", 4, 7, "r0 was freed at line 2" },
	{ "r0 = kmalloc(1, 0)\nr0 = kmalloc(1, 0)", 2, 1, "r0 is defined already, at line 1" },
	{ "r0 = kfree(NULL)", 1, 1, "kfree() has no result" },
	{ "c0 = kmalloc(1, 0)", 1, 1, "expected a label like r0, got 'c0'" },
	{ "x = kmalloc(1, 0)", 1, 1, "expected a label like r0, got 'x'" },
	{ "r4294967295 = kmalloc(1, 0)", 1, 1, "expected a label like r0, got 'r4294967295'" },
	{ "r0 = kmem_cache_create(\"a\", 1, 0, 0)", 1, 1, "expected a label like c0, got 'r0'" },
	{ "kfree(c0)", 1, 7, "expected p (a result like r0, or NULL), got 'c0'" },
	{ "write(NULL)", 1, 7, "expected p (a result like r0), got 'NULL'" },
	{ "kmem_cache_shrink(r0)", 1, 19, "expected s (a cache like c0), got 'r0'" },
	{ "r0 = alloc_pages(0, 1)\nkfree(r0)", 2, 7,
	  "kfree() cannot take r0: it is from alloc_pages" },
	{ "r0 = kvmalloc(1, 0)\nkfree(r0)", 2, 7,
	  "kfree() cannot take r0: it is a kvmalloc object" },
	{ "r0 = kmalloc(1, 0)\n__free_pages(r0)", 2, 14,
	  "__free_pages() cannot take r0: it is a kmalloc object" },
	{ "c0 = kmem_cache_create(\"a\", 8, 0, 0)\nr0 = kmem_cache_alloc(c0, 0)\n"
	  "r1 = krealloc(r0, 1, 0)", 3, 15,
	  "krealloc() cannot take r0: it is an object of a named cache" },
	{ "c0 = kmem_cache_create(\"a\", 8, 0, 0)\nc3 = kmem_cache_create(\"b\", 8, 0, 0)\n"
	  "r0 = kmem_cache_alloc(c0, 0)\nkmem_cache_free(c3, r0)", 4, 21,
	  "r0 came from c0, not from c3" },
	{ "c0 = kmem_cache_create(\"a\", 8, 0, 0)\nr0 = kmem_cache_alloc(c0, 0)\n"
	  "kmem_cache_destroy(c0)\nkfree(r0)", 4, 7,
	  "r0 went with its cache c0, destroyed at line 3" },
	{ "c0 = kmem_cache_create(\"a\", 8, 0, 0)\nkmem_cache_destroy(c0)\nkmem_cache_shrink(c0)",
	  3, 19, "c0 was destroyed at line 2" },
	{ "c5 = kmem_cache_create(\"a\", 8, 0, 0)\nc1 = kmem_cache_create(\"a\", 8, 0, 0)", 2, 25,
	  "a live cache of that name is c5, of line 1" },
	{ "c0 = kmem_cache_create(\"\", 8, 0, 0)", 1, 25,
	  "expected a cache name, got an empty string" },
	{ "c0 = kmem_cache_create(a, 8, 0, 0)", 1, 24, "expected a quoted string, got 'a'" },
	{ "c0 = kmem_cache_create(\"a, 8, 0, 0)", 1, 36,
	  "expected a closing quote or a printable character but \\, got end of line" },
	{ "c0 = kmem_cache_create(\"a\\\", 8, 0, 0)", 1, 26,
	  "expected a closing quote or a printable character but \\, got '\\'" },
	{ "c0 = kmem_cache_create(\"a\", 8, 3, 0)", 1, 32,
	  "expected align (0, or a power of two up to 2^31), got '3'" },
	{ "c0 = kmem_cache_create(\"a\", 8, 0, SLAB_KMALLOC)", 1, 35,
	  "expected a cache flag, got 'SLAB_KMALLOC'" },
	{ "heap cpus=2\nr0 = kmalloc(1, 0)\ncpu(2)", 3, 5,
	  "expected cpu (a CPU of the heap, 0 to 1), got '2'" },
	{ "alloc_pages(0, 12)", 1, 16, "expected order (a block order, 0 to 11), got '12'" },
	{ "c0 = kmem_cache_create(\"a\", 8, 0, 0)\nkmem_cache_alloc_bulk(c0, 0, 65)", 2, 30,
	  "expected n (a count, 1 to 64), got '65'" },
	{ "fail(cpu)", 1, 6, "expected slab or page, got 'cpu'" },
	{ "r0 = kmalloc(1, 0)\nwrite(r0, whole=2)", 2, 17,
	  "expected whole (yes or no, 0 to 1), got '2'" },
	{ "heap foo=1", 1, 6, "expected a heap setting, got 'foo'" },
	{ "heap cpus", 1, 10, "expected '=', got end of line" },
	{ "heap cpus=65", 1, 11, "expected cpus (a number from 1 to 64), got '65'" },
	{ "heap cpus=", 1, 11, "expected cpus (a number from 1 to 64), got end of line" },
	{ "check\nheap cpus=1", 2, 1, "heap settings come before the first operation" },
	{ "check(1)", 1, 7, "expected ')', got '1'" },
	{ "kmalloc(8, 0, token=16)", 1, 21,
	  "expected token (an alloc token, 0 to 15), got '16'" },
	{ "kmalloc(8, 0, token=cred)", 1, 21,
	  "expected token (an alloc token, 0 to 15), got 'cred'" },
	{ "krealloc_array(NULL, 1, 1, 0, token=1)", 1, 31, "expected site=, got 'token'" },
	{ "heap flex=both", 1, 11, "expected flex (documented or implemented), got 'both'" },
	{ "heap memcg=maybe", 1, 12, "expected memcg (on, off, 1 or 0), got 'maybe'" },
	{ "heap flex=2", 1, 11, "expected flex (documented or implemented), got '2'" },
	{ "heap memcg=0\n\nheap nokmem=1 # which?\n\ncheck", 3, 1,
	  "nokmem=1 needs memcg=1: it says what memory cgroups leave alone" },
	{ "heap shuffle=1 pages=512", 1, 1,
	  "shuffle=1 needs pages=1024 or more: it shuffles blocks of order 10" },
	{ "c0 = kmem_buckets_create(\"a\", 0)", 1, 1, "expected a label like r0, got 'c0'" },
	{ "r0 = kmalloc(1, 0)\nkmem_buckets_alloc(r0, 1, 0)", 2, 20,
	  "kmem_buckets_alloc() cannot take r0: it is a kmalloc object" },
	{ "r0 = kmem_buckets_create(\"a\", 0)\nkfree(r0)", 2, 7,
	  "kfree() cannot take r0: it is a set of buckets" },
	{ "kmem_buckets_alloc(c0, 1, 0)", 1, 20, "expected b (a result like r0), got 'c0'" },
	{ "r0 = root_device_register(\"a\")\nr1 = devm_kmalloc(r0, 1, 0)\nkfree(r1)", 3, 7,
	  "kfree() cannot take r1: it is memory of a device" },
	{ "r0 = root_device_register(\"a\")\nr1 = devm_kmalloc(r0, 1, 0)\n"
	  "r2 = krealloc(r1, 1, 0)", 3, 15,
	  "krealloc() cannot take r1: it is memory of a device" },
	{ "r0 = root_device_register(\"a\")\nr1 = kmalloc(1, 0)\ndevm_kfree(r0, r1)", 3, 16,
	  "devm_kfree() cannot take r1: it is a kmalloc object" },
	{ "r0 = root_device_register(\"a\")\ndevm_kfree(r0, NULL)", 2, 16,
	  "expected p (a result like r0), got 'NULL'" },
	{ "r4 = root_device_register(\"a\")\nr7 = root_device_register(\"a\")\n"
	  "r9 = devm_kmalloc(r4, 1, 0)\ndevm_kfree(r7, r9)", 4, 16,
	  "r9 came from r4, not from r7" },
	{ "r0 = root_device_register(\"a\")\nr1 = devm_kmalloc(r0, 1, 0)\n"
	  "root_device_unregister(r0)\nwrite(r1)", 4, 7,
	  "r1 went with its device r0, unregistered at line 3" },
	{ "r0 = root_device_register(\"a\")\nroot_device_unregister(r0)\n"
	  "devm_kmalloc(r0, 1, 0)", 3, 14, "r0 was unregistered at line 2" },
	{ "r0 = root_device_register(\"a\")\nr1 = devm_kmalloc(r0, 1, 0)\n"
	  "devm_kfree(r0, r1)\ndevm_kfree(r0, r1)", 4, 16, "r1 was freed at line 3" },
	{ "r0 = pmalloc_create_pool(rw)", 1, 26,
	  "expected ro, wr, auto_ro, auto_wr or start_wr, got 'rw'" },
	{ "r0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 1)\nkfree(r1)", 3, 7,
	  "kfree() cannot take r1: it is memory of a pool" },
	{ "r0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 1)\nr2 = krealloc(r1, 1, 0)", 3, 15,
	  "krealloc() cannot take r1: it is memory of a pool" },
	{ "r0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 1)\npmalloc_destroy_pool(r0)\nwrite(r1)",
	  4, 7, "r1 went with its pool r0, destroyed at line 3" },
	{ "r0 = pmalloc_create_pool(wr)\npmalloc_destroy_pool(r0)\nr1 = pmalloc(r0, 1)", 3, 14,
	  "r0 was destroyed at line 2" },
	{ "r0 = pmalloc_create_pool(wr)\nr1 = kmalloc(1, 0)\npmalloc_rare_write(r0, r1)", 3, 24,
	  "pmalloc_rare_write() cannot take r1: it is a kmalloc object" },
	{ "r0 = root_device_register(\"a\")\nr1 = pmalloc(r0, 1)", 2, 14,
	  "pmalloc() cannot take r0: it is a device" },
	{ "heap misuse=1\nr0 = kmalloc(1, 0)\ndirectmap_write(r0, 1)", 3, 17,
	  "directmap_write() cannot take r0: it is a kmalloc object" },
	{ "heap misuse=1\nr0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 1)\noverflow(r1, 1)", 4,
	  10, "overflow() cannot take r1: it is memory of a pool" },
	{ "heap misuse=1\nr0 = pmalloc_create_pool(wr)\nr1 = pmalloc(r0, 1)\n"
	  "pmalloc_destroy_pool(r0)\nstale_write(r1, 1)", 5, 13,
	  "stale_write() cannot take r1: it is memory of a pool" },
	{ "c0 = kmem_cache_create(\"a\", 8, 0, 0, min_order=11)", 1, 48,
	  "expected min_order (an order, 0 to 10), got '11'" },
	{ "r0 = kmalloc(1, 0)\n overflow(r0, 8)", 2, 2,
	  "overflow() misuses the allocator: say `heap misuse=1`" },
	{ "heap misuse=0\nr0 = kmalloc(1, 0)\nkfree(r0)\ndouble_free(r0)", 4, 1,
	  "double_free() misuses the allocator: say `heap misuse=1`" },
	{ "heap misuse=1\nr0 = kmalloc(1, 0)\noverflow(r0, 0)", 3, 14,
	  "expected n (bytes, 1 to 65535), got '0'" },
	{ "heap misuse=1\nr0 = kmalloc(1, 0)\ndouble_free(r0)", 3, 13, "r0 was not freed" },
	{ "heap misuse=1\nr0 = kmalloc(1, 0)\nr1 = krealloc(r0, 9, 0)\nstale_write(r0, 1)", 4,
	  13, "r0 was not freed" },
	{ "heap misuse=1\ndouble_free(NULL)", 2, 13, "expected p (a result like r0), got 'NULL'" },
	{ "heap misuse=1\nr0 = alloc_pages(0, 0)\n__free_pages(r0)\ndouble_free(r0)", 4, 13,
	  "double_free() cannot take r0: it is from alloc_pages" },
	{ "heap misuse=1\nr0 = kmalloc(1, 0)\nkfree(r0)\noverflow(r0, 1)", 4, 10,
	  "r0 was freed at line 3" },
	{ "heap misuse=1\nc0 = kmem_cache_create(\"a\", 8, 0, 0)\n"
	  "r0 = kmem_cache_alloc(c0, 0)\nwrong_cache_free(r0, c0)", 4, 22,
	  "c0 is the object's own cache" },
	{ "heap misuse=1\nr0 = kmalloc(1, 0)\nwrong_cache_free(r0, r0)", 3, 22,
	  "expected s (a cache like c0), got 'r0'" },
	{ "heap misuse=1\nr0 = kmalloc(1, 0)\nc0 = kmem_cache_create(\"a\", 8, 0, 0)\n"
	  "wrong_cache_free(r0, c0)\nkfree(r0)", 5, 7, "r0 was freed at line 4" },
	{ "heap misuse=1\nr0 = kvmalloc(1, 0)\ninner_free(r0, 1)", 3, 12,
	  "inner_free() cannot take r0: it is a kvmalloc object" },
	{ "\x01\x80\xff(", 1, 1, "expected an operation, got '?\?\?'" },
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		refused(refusals[i].text, strlen(refusals[i].text), refusals[i].line,
			refusals[i].col, refusals[i].message);
	refused("ch\0ck", 5, 1, 1, "expected an operation, got 'ch?ck'");
}

static const struct {
	const char *comment, *kept; /* behind kfree(NULL), NULL: dropped */
	bool check;                 /* behind check instead */
} comments[] = {
	{ "NULL", "NULL", false },
	{ "  NULL \t", "NULL", false },
	{ "blocked", "blocked", false },
	{ "ok", "ok", true },
	{ " noticed", "noticed", false },
	{ "noticed it", NULL, false },
	{ "violation  ISO-14", "violation ISO-14", true },
	{ "violation iso-1", NULL, false },
	{ "violation MEM-0", NULL, false },
	{ "violation MEM-1 maybe", NULL, false },
	{ "violation", NULL, false },
	{ "violation MEM-", NULL, false },
	{ "violation MEM", NULL, true },
	{ "live a =", NULL, true },
	{ "NULL is what it gives", NULL, false },
	{ "null", NULL, false },
	{ "", NULL, false },
	{ "live kmalloc-8=3", "live kmalloc-8 = 3", true },
	{ "live kmalloc-8 = 03", "live kmalloc-8 = 3", true },
	{ "live a = b = 4", "live a = b = 4", true },
	{ "live kmalloc-8 = 3", NULL, false },
	{ "live = 3", NULL, true },
	{ "live a", NULL, true },
	{ "live a = x", NULL, true },
	{ "live a = 18446744073709551615", "live a = 18446744073709551615", true },
	{ "live a = 18446744073709551616", NULL, true },
	{ "slabs ext4 inode = 0", "slabs ext4 inode = 0", true },
	{ "free 010 = 7", "free 10 = 7", true },
	{ "free 11 = 7", NULL, true },
	{ "free x = 7", NULL, true },
	{ "live \"a\" = 1", NULL, true },
	{ " live kmalloc-8=3  if\ttyped|random ", "live kmalloc-8 = 3 if random|typed", true },
	{ "live kmalloc-8 = 3 unless typed", "live kmalloc-8 = 3 unless typed", true },
	{ "live kmalloc-8 = 3 unless typed|typed", "live kmalloc-8 = 3 unless typed", true },
	{ "NULL if large", "NULL if large", false },
	{ "violation PMA-1 if pools", "violation PMA-1 if pools", false },
	{ "live a if b = 4 if large", "live a if b = 4 if large", true },
	{ "free 3 = 1 if", NULL, true },
	{ "free 3 = 1 if nonesuch", NULL, true },
	{ "free 3 = 1 if typed|nonesuch", NULL, true },
	{ "free 3 = 1 if typed|", NULL, true },
	{ "free 3 = 1 if typed random", NULL, true },
	{ "free 3 = 1 when typed", NULL, true },
	{ "free 3 = 1 if typed if large", NULL, true },
	{ "if large", NULL, true },
	{ "NULL if it is large", NULL, false },
};

/* Which allocators an expectation is about: what it says, else what it names. */
static const struct {
	const char *expect, *body;
	uint64_t caps;
	bool applies;
} conditions[] = {
	{ "live a = 1 if large", "live a = 1", SF_CAP_LARGE | SF_CAP_WALK, true },
	{ "live a = 1 if large", "live a = 1", SF_CAP_WALK, false },
	{ "live a = 1 unless large", "live a = 1", SF_CAP_LARGE, false },
	{ "live a = 1 unless large", "live a = 1", 0, true },
	{ "NULL if random|typed", "NULL", SF_CAP_TYPED, true },
	{ "NULL unless random|typed", "NULL", SF_CAP_TYPED, false },
	{ "live kmalloc-64 = 1 if walk", "live kmalloc-64 = 1", SF_CAP_TYPED | SF_CAP_WALK, true },
	{ "live kmalloc-64 = 1", "live kmalloc-64 = 1", 0, true },
	{ "live kmalloc-64 = 1", "live kmalloc-64 = 1", SF_CAP_TYPED, false },
	{ "slabs kmalloc-64 = 1", "slabs kmalloc-64 = 1", SF_CAP_RANDOM, false },
	{ "free 3 = 1", "free 3 = 1", SF_CAP_RANDOM, false },
	{ "free 3 = 1", "free 3 = 1", SF_CAP_LARGE, true },
	{ "live kmalloc-rcl-64 = 1", "live kmalloc-rcl-64 = 1", SF_CAP_TYPED, true },
	{ "live kmalloc-part-03-64 = 1", "live kmalloc-part-03-64 = 1", 0, false },
	{ "live kmalloc-part-03-64 = 1", "live kmalloc-part-03-64 = 1", SF_CAP_RANDOM, true },
	{ "live kmalloc-large-60k = 1", "live kmalloc-large-60k = 1", SF_CAP_RANDOM, false },
	{ "live kmalloc-large-60k = 1", "live kmalloc-large-60k = 1", SF_CAP_LARGE, true },
	{ "live free = 1", "live free = 1", SF_CAP_RANDOM, true },
	{ "violation MEM-1", "violation MEM-1", 0, true },
};

static void test_conditions(void **state)
{
	char body[SF_STRING_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		assert_int_equal(sf_expect_applies(conditions[i].expect, conditions[i].caps, body),
				 conditions[i].applies);
		assert_string_equal(body, conditions[i].body);
	}
}

static void test_expectations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(comments) / sizeof(comments[0]); i++) {
		const char *op = comments[i].check ? "check" : "kfree(NULL)";
		char in[200], want[200];

		snprintf(in, sizeof(in), "%s #%s", op, comments[i].comment);
		snprintf(want, sizeof(want), "%s%s%s\n", op, comments[i].kept ? "  # " : "",
			 comments[i].kept ? comments[i].kept : "");
		reads_as(in, want);
	}
}

/* A longest expectation fits its string whole. */
static void test_long_strings(void **state)
{
	char name[200], text[600];
	struct sf_prog p, q;

	(void)state;
	memset(name, 'x', sizeof(name));
	sf_prog_init(&p);
	sf_prog_init(&q);
	for (int n = 1; n <= (int)SF_STRING_MAX; n++) {
		int shape = n <= (int)SF_STRING_MAX - 31;
		size_t len;
		uint8_t *data;

		snprintf(text, sizeof(text),
			 "kmem_cache_create(\"%.*s\", 8, 0, 0) # NULL\n"
			 "check # slabs %.*s = 18446744073709551615\n", n, name, n, name);
		parse_ok(&p, text, strlen(text));
		assert_int_equal(strlen(sf_prog_str(&p, p.ops[0].name)), n);
		assert_int_equal(p.ops[1].expect != 0, shape);
		check_laws(&p);
		/* Without the create's record its strings belong to nothing. */
		data = bytes_of(&p, &len);
		memmove(data + 4, data + 4 + SF_RECORD_SIZE, len - 4 - SF_RECORD_SIZE);
		sf_bytes_decode(&q, data, len - SF_RECORD_SIZE, 0);
		assert_int_equal(q.nr_ops, 1);
		assert_int_equal(q.ops[0].expect != 0, shape);
		free(data);
	}
	snprintf(text, sizeof(text), "site(1, \"%.*s\")", (int)SF_STRING_MAX + 1, name);
	refused(text, strlen(text), 1, 10 + SF_STRING_MAX, "expected at most 120 characters");
	sf_prog_free(&p);
	sf_prog_free(&q);
}

/* Repair rules, one program each: operations as they are given, and what becomes of them. */
static struct sf_op op_with(enum sf_opcode code, uint32_t cache, uint32_t obj)
{
	struct sf_op op = sf_op_make(code);

	op.cache = cache;
	op.obj = obj;
	return op;
}

static void becomes(const struct sf_op *ops, size_t nr, uint32_t dropped, const char *want)
{
	struct sf_prog p;
	char *got;

	sf_prog_init(&p);
	for (size_t i = 0; i < nr; i++)
		sf_prog_add(&p, &ops[i]);
	assert_int_equal(sf_prog_fixup(&p), dropped);
	got = text_of(&p);
	assert_string_equal(got, want);
	free(got);
	check_laws(&p);
	sf_prog_free(&p);
}

#define BECOMES(ops, dropped, want) becomes(ops, sizeof(ops) / sizeof((ops)[0]), dropped, want)
#define NO SF_NONE

static void test_fixup_references(void **state)
{
	const struct sf_op newest[] = {
		op_with(SF_OP_KMALLOC, NO, NO), op_with(SF_OP_KMALLOC, NO, NO),
		op_with(SF_OP_ALLOC_PAGES, NO, NO),
		op_with(SF_OP_WRITE, NO, 2), /* pages: the newest object instead */
		op_with(SF_OP_KFREE, NO, 77),/* undefined: likewise */
		op_with(SF_OP_KFREE, NO, 1), /* dead by now */
		op_with(SF_OP_KFREE, NO, 1), /* nothing left, but NULL will do */
		op_with(SF_OP_WRITE, NO, 1), /* here it will not */
	};
	const struct sf_op cache[] = {
		op_with(SF_OP_CACHE_CREATE, NO, NO), op_with(SF_OP_CACHE_CREATE, NO, NO),
		op_with(SF_OP_CACHE_ALLOC, 0, NO), op_with(SF_OP_CACHE_ALLOC_BULK, 1, NO),
		op_with(SF_OP_CACHE_FREE, 1, 2),      /* the object decides */
		op_with(SF_OP_CACHE_FREE_BULK, 0, 2), /* the newest bulk, and its cache */
		op_with(SF_OP_CACHE_FREE, 0, 2),      /* nothing of that kind */
	};
	const struct sf_op destroy[] = {
		op_with(SF_OP_CACHE_CREATE, NO, NO), op_with(SF_OP_KMALLOC, NO, NO),
		op_with(SF_OP_CACHE_ALLOC, 0, NO), op_with(SF_OP_CACHE_DESTROY, 0, NO),
		op_with(SF_OP_WRITE, NO, 2), op_with(SF_OP_CACHE_ALLOC, 0, NO),
	};
	const struct sf_op moved[] = {
		op_with(SF_OP_KMALLOC, NO, NO), op_with(SF_OP_KREALLOC, NO, 0),
		op_with(SF_OP_KFREE, NO, 1), op_with(SF_OP_WRITE, NO, 0),
		op_with(SF_OP_WRITE, NO, 9), /* perhaps moved: not a target for repair */
	};

	(void)state;
	BECOMES(newest, 1, "r0 = kmalloc(0, 0)\nr1 = kmalloc(0, 0)\nr2 = alloc_pages(0, 0)\n"
		"write(r1)\nkfree(r1)\nkfree(r0)\nkfree(NULL)\n");
	BECOMES(cache, 1, "c0 = kmem_cache_create(\"c0\", 0, 0, 0)\n"
		"c1 = kmem_cache_create(\"c1\", 0, 0, 0)\nr0 = kmem_cache_alloc(c0, 0)\n"
		"r1 = kmem_cache_alloc_bulk(c1, 0, 1)\nkmem_cache_free(c0, r0)\n"
		"kmem_cache_free_bulk(c1, r1)\n");
	BECOMES(destroy, 1, "c0 = kmem_cache_create(\"c0\", 0, 0, 0)\nr0 = kmalloc(0, 0)\n"
		"r1 = kmem_cache_alloc(c0, 0)\nkmem_cache_destroy(c0)\nwrite(r0)\n");
	BECOMES(moved, 1, "r0 = kmalloc(0, 0)\nr1 = krealloc(r0, 0, 0)\nkfree(r1)\nwrite(r0)\n");
}

/* What goes with a device; as with caches, the object decides which. */
static void test_fixup_devices(void **state)
{
	const struct sf_op ops[] = {
		op_with(SF_OP_DEVM_KMALLOC, NO, NO),  /* for no device */
		op_with(SF_OP_DEVICE_REGISTER, NO, NO), op_with(SF_OP_DEVICE_REGISTER, NO, NO),
		op_with(SF_OP_DEVM_KMALLOC, 1, NO), op_with(SF_OP_DEVM_KZALLOC, 77, NO),
		op_with(SF_OP_KFREE, NO, 3),          /* not its to free: nothing else, so NULL */
		op_with(SF_OP_WRITE, NO, 3),
		op_with(SF_OP_DEVM_KREALLOC, 2, 3),   /* its device is the other one */
		op_with(SF_OP_DEVM_KREALLOC, 2, NO),  /* NULL stays, and so does the device */
		op_with(SF_OP_DEVM_KFREE, 1, 4),
		op_with(SF_OP_DEVICE_UNREGISTER, 2, NO),
		op_with(SF_OP_DEVM_KFREE, 2, 8),      /* gone: the newest that is left */
		op_with(SF_OP_DEVM_KFREE, 1, 7),
	};
	const struct sf_op buckets[] = {
		op_with(SF_OP_BUCKETS_ALLOC, NO, NO), /* from no set */
		op_with(SF_OP_BUCKETS_CREATE, NO, NO), op_with(SF_OP_KMALLOC, NO, NO),
		op_with(SF_OP_BUCKETS_VALLOC, NO, NO),/* the newest */
		op_with(SF_OP_KFREE, NO, 1),          /* a set is no object */
	};

	(void)state;
	BECOMES(ops, 2, "r0 = root_device_register(\"\")\nr1 = root_device_register(\"\")\n"
		"r2 = devm_kmalloc(r0, 0, 0)\nr3 = devm_kzalloc(r1, 0, 0)\nkfree(NULL)\n"
		"write(r2)\nr4 = devm_krealloc(r0, r2, 0, 0)\n"
		"r5 = devm_krealloc(r1, NULL, 0, 0)\ndevm_kfree(r1, r3)\n"
		"root_device_unregister(r1)\ndevm_kfree(r0, r4)\n");
	BECOMES(buckets, 1, "r0 = kmem_buckets_create(\"\", 0)\nr1 = kmalloc(0, 0)\n"
		"r2 = kmem_buckets_valloc(r0, 0, 0)\nkfree(r1)\n");
}

static struct sf_op misuse_of(enum sf_opcode code, uint32_t obj, uint32_t obj2, uint16_t count)
{
	struct sf_op op = op_with(code, NO, obj);

	op.obj2 = obj2;
	op.count = count;
	return op;
}

static void test_fixup_misuse(void **state)
{
	const struct sf_op ops[] = {
		op_with(SF_OP_KMALLOC, NO, NO), op_with(SF_OP_KMALLOC, NO, NO),
		misuse_of(SF_OP_DOUBLE_FREE, 0, NO, 0),  /* nothing is dead */
		misuse_of(SF_OP_OVERFLOW, 99, NO, 0),    /* the newest object, at least a byte */
		misuse_of(SF_OP_WRONG_CACHE_FREE, 0, NO, 0), /* no cache at all */
		op_with(SF_OP_CACHE_CREATE, NO, NO), op_with(SF_OP_CACHE_ALLOC, 5, NO),
		misuse_of(SF_OP_WRONG_CACHE_FREE, 6, 5, 0), /* no other cache */
		op_with(SF_OP_CACHE_CREATE, NO, NO),
		misuse_of(SF_OP_WRONG_CACHE_FREE, 6, 5, 0), /* now there is one */
		op_with(SF_OP_KFREE, NO, 1),
		misuse_of(SF_OP_STALE_WRITE, 6, NO, 7),
		misuse_of(SF_OP_STALE_WRITE, 0, NO, 7),  /* it lives: the one that died last */
		misuse_of(SF_OP_WRONG_CACHE_FREE, 0, 8, 0),
		misuse_of(SF_OP_INNER_FREE, 0, NO, 3),   /* no object is left */
		misuse_of(SF_OP_DOUBLE_FREE, 99, NO, 0),
	};
	struct sf_prog p;
	char *got;

	(void)state;
	sf_prog_init(&p);
	p.settings.misuse = 1;
	/* Numbered by place, so that a label tells which line above it is. */
	for (uint32_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct sf_op *op = sf_prog_add(&p, &ops[i]);

		if (op->res != SF_NONE)
			op->res = i;
	}
	assert_int_equal(sf_prog_fixup(&p), 4);
	got = text_of(&p);
	assert_string_equal(got,
		"heap misuse=1\nr0 = kmalloc(0, 0)\nr1 = kmalloc(0, 0)\noverflow(r1, 1)\n"
		"c0 = kmem_cache_create(\"c0\", 0, 0, 0)\nr2 = kmem_cache_alloc(c0, 0)\n"
		"c1 = kmem_cache_create(\"c1\", 0, 0, 0)\nwrong_cache_free(r2, c1)\nkfree(r1)\n"
		"stale_write(r2, 7)\nstale_write(r1, 7)\nwrong_cache_free(r0, c1)\n"
		"double_free(r0)\n");
	free(got);
	check_laws(&p);
	/* Without the setting none of it is left. */
	p.settings.misuse = 0;
	assert_int_equal(sf_prog_fixup(&p), 6);
	for (uint32_t i = 0; i < p.nr_ops; i++)
		assert_false(sf_op_table[p.ops[i].code].flags & SF_OPF_MISUSE);
	check_laws(&p);
	sf_prog_free(&p);
}

static void test_fixup_tokens(void **state)
{
	struct sf_op token = sf_op_make(SF_OP_KMALLOC);

	(void)state;
	for (unsigned int i = 0; i < 256; i++) {
		struct sf_prog p;

		token.token = (uint8_t)i;
		sf_prog_init(&p);
		sf_prog_add(&p, &token);
		assert_int_equal(sf_prog_fixup(&p), 0);
		assert_int_equal(p.ops[0].token, i % (SF_TOKENS_MAX + 1));
		sf_prog_free(&p);
	}
}

static void test_fixup_values(void **state)
{
	struct sf_op ops[10];
	struct sf_prog p;
	char *got;

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		ops[i] = sf_op_make(SF_OP_CPU);
	ops[0].cpu = 7;
	ops[0].size = 12345; /* no argument of cpu(): must not survive */
	ops[1] = sf_op_make(SF_OP_ALLOC_PAGES);
	ops[1].order = 200;
	ops[1].gfp = UINT32_MAX;
	ops[2] = sf_op_make(SF_OP_CACHE_CREATE);
	ops[2].align = 3000;
	ops[2].flags = UINT32_MAX;
	ops[2].order = 200;
	ops[3] = op_with(SF_OP_CACHE_ALLOC_BULK, 1, NO);
	ops[3].count = 1000;
	ops[4] = sf_op_make(SF_OP_KMALLOC_FLEX);
	ops[4].type = 1;
	ops[5] = sf_op_make(SF_OP_KMALLOC_OBJ);
	ops[6] = sf_op_make(SF_OP_FAIL);
	ops[6].fault = 9;
	ops[6].count = 65535;
	ops[7] = sf_op_make((enum sf_opcode)SF_CODE_SETTING);
	ops[8] = sf_op_make((enum sf_opcode)200);
	ops[9] = op_with(SF_OP_WRITE, NO, 4);
	ops[9].flag = 5;
	sf_prog_init(&p);
	for (unsigned int i = 0; i < 10; i++) {
		struct sf_op *op = sf_prog_add(&p, &ops[i]);

		if (i == 9)
			op->expect = sf_prog_string(&p, "live x = 1", 10); /* not behind write() */
	}
	p.settings.cpus = 3;
	p.settings.pages = 1;
	assert_int_equal(sf_prog_fixup(&p), 2);
	assert_int_equal(p.ops[0].size, 0);
	got = text_of(&p);
	assert_string_equal(got,
		"heap pages=64 cpus=3\ncpu(1)\n"
		"r0 = alloc_pages(GFP_HIGHUSER_MOVABLE|__GFP_DMA|__GFP_DMA32|__GFP_RECLAIMABLE|"
		"__GFP_HIGH|__GFP_ZERO|__GFP_WRITE|__GFP_NOWARN|__GFP_RETRY_MAYFAIL|__GFP_NOFAIL|"
		"__GFP_NORETRY|__GFP_MEMALLOC|__GFP_COMP|__GFP_NOMEMALLOC|__GFP_THISNODE|"
		"__GFP_ACCOUNT, 11)\n"
		"c0 = kmem_cache_create(\"c0\", 0, 2048, SLAB_HWCACHE_ALIGN|SLAB_CACHE_DMA|"
		"SLAB_CACHE_DMA32|SLAB_PANIC|SLAB_TYPESAFE_BY_RCU|SLAB_NOLEAKTRACE|SLAB_NO_MERGE|"
		"SLAB_ACCOUNT|SLAB_RECLAIM_ACCOUNT|SLAB_CTOR, sheaf=200)\n"
		"r1 = kmem_cache_alloc_bulk(c0, 0, 64)\n"
		"r2 = kmalloc_flex(struct external_name, 0, 0)\n"
		"r3 = kmalloc_obj(char, 0)\n"
		"fail(page, after=65535)\n"
		"write(r3, whole=1)\n");
	free(got);
	check_laws(&p);
	sf_prog_free(&p);
}

static void test_fixup_names(void **state)
{
	struct sf_prog p;
	char *got;

	(void)state;
	sf_prog_init(&p);
	for (unsigned int i = 0; i < 5; i++) {
		struct sf_op op = sf_op_make(SF_OP_CACHE_CREATE);

		if (i == 0)
			op.name = sf_prog_string(&p, "c2", 2);
		if (i == 1)
			op.name = sf_prog_string(&p, "c2.1", 4);
		if (i == 3)
			op.name = sf_prog_string(&p, "c2", 2); /* taken */
		if (i == 4)
			op.name = sf_prog_string(&p, "a\"b\\c\nd\x80", 8);
		sf_prog_add(&p, &op);
	}
	assert_int_equal(sf_prog_fixup(&p), 0);
	got = text_of(&p);
	assert_string_equal(got, "c0 = kmem_cache_create(\"c2\", 0, 0, 0)\n"
				 "c1 = kmem_cache_create(\"c2.1\", 0, 0, 0)\n"
				 "c2 = kmem_cache_create(\"c2.2\", 0, 0, 0)\n"
				 "c3 = kmem_cache_create(\"c3\", 0, 0, 0)\n"
				 "c4 = kmem_cache_create(\"abcd\", 0, 0, 0)\n");
	free(got);
	check_laws(&p);
	sf_prog_free(&p);
}

/* The format is for ever: saved inputs must keep their meaning. */
static void test_bytes_golden(void **state)
{
	static const char text[] = "heap seed=258\nr0 = kmalloc(200, GFP_KERNEL, site=12)\n"
				   "r1 = krealloc(r0, SIZE_MAX, 0)  # NULL\nkfree(r0)\n"
				   "c0 = kmem_cache_create(\"a\", 64, 8, SLAB_PANIC)\n";
	static const uint8_t want[] = {
		'S', 'F', 'b', 1,
		120, 3, 2, 1, [4 + 32] = 1, 0, 1, 0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0,
		0xc0, 0x0c, 0, 0, 12, 0,
		/* Result in slot 2: r0 is used below. */
		[4 + 64] = 11, 2, 2, 0, 0, 0, 1, 0, 0, 0,
		255, 255, 255, 255, 255, 255, 255, 255,
		[4 + 96] = 121, 'X', 'N', 'U', 'L', 'L',
		[4 + 128] = 13, 0, 1, 0, 0, 0,
		[4 + 160] = 22, 1, 1, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0,
		[4 + 192] = 121, 'N', 'a',
		[4 + 223] = 0,
	};
	struct sf_prog p;
	size_t len;
	uint8_t *data;

	(void)state;
	sf_prog_init(&p);
	parse_ok(&p, text, strlen(text));
	data = bytes_of(&p, &len);
	assert_int_equal(len, sizeof(want));
	assert_memory_equal(data, want, sizeof(want));
	/* The header's value does not matter, zero bytes at the end need not be there. */
	memset(data, 0xee, 4);
	sf_bytes_decode(&p, data, 4 + 192 + 3, 0);
	free(data);
	data = (uint8_t *)text_of(&p);
	assert_string_equal((char *)data, text);
	free(data);
	sf_prog_free(&p);
}

/*
 * Where arguments stand that came later; and records of before there were tokens, which have zeros
 * there, mean what they meant.
 */
static void test_bytes_golden_later(void **state)
{
	static const char text[] =
		"heap flex=implemented misuse=1\n"
		"r0 = kmalloc_obj(u8, GFP_KERNEL, site=12, token=15)\n"
		"r1 = root_device_register(\"a\")\nr2 = devm_krealloc(r1, NULL, 64, GFP_KERNEL)\n"
		"kfree(r0)\nstale_write(r0, 258)\n"
		"r3 = kmem_buckets_create(\"\", SLAB_PANIC, usersize=8)\n"
		"r4 = kmem_buckets_alloc(r3, 200, 0, site=2, token=0)\n"
		"c0 = kmem_cache_create(\"b\", 64, 8, 0)\nwrong_cache_free(r4, c0)\n";
	uint8_t want[] = {
		'S', 'F', 'b', 1,
		120, 22, 1,
		[4 + 32] = 120, 25, 1,
		[4 + 64] = 5, 0, 1, 0, 0, 0, 0, 0, 0xc0, 0x0c, 0, 0, 12, 0, 16,
		[4 + 96] = 53, 1, 2, 0, 0, 0,
		[4 + 128] = 121, 'N', 'a',
		[4 + 160] = 59, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
		64, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0x0c, 0, 0,
		[4 + 192] = 13, 0, 1, 0, 0, 0,
		[4 + 224] = 63, 0, 1, 0, 0, 0, 2, 1,
		[4 + 256] = 48, 0, 1, 0, 0, 0, 8, 0, 0, 0, 8, 0,
		[4 + 288] = 49, 0, 1, 0, 0, 0, 1, 0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 2, 0, 0, 0, 1,
		[4 + 320] = 22, 1, 2, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0,
		[4 + 352] = 121, 'N', 'b',
		[4 + 384] = 66, 0, 1, 0, 0, 0, 2, 0, 0, 0,
		[4 + 415] = 0,
	};
	struct sf_prog p;
	size_t len;
	uint8_t *data;
	char *got;

	(void)state;
	sf_prog_init(&p);
	parse_ok(&p, text, strlen(text));
	data = bytes_of(&p, &len);
	want[4 + 64 + 6] = (uint8_t)p.ops[0].type; /* the type table's to say */
	assert_int_equal(len, sizeof(want));
	assert_memory_equal(data, want, sizeof(want));
	data[4 + 64 + 14] = 0;
	sf_bytes_decode(&p, data, len, 0);
	assert_int_equal(p.ops[0].token, 0);
	free(data);
	got = text_of(&p);
	assert_non_null(strstr(got, "r0 = kmalloc_obj(u8, GFP_KERNEL, site=12)\n"));
	free(got);
	sf_prog_free(&p);
}

static void test_bytes_limits(void **state)
{
	uint8_t data[4 + 8 * SF_RECORD_SIZE] = { 0 };
	struct sf_prog p;

	(void)state;
	sf_prog_init(&p);
	for (size_t len = 0; len <= 4; len++) {
		sf_bytes_decode(&p, data, len, 0);
		assert_int_equal(p.nr_ops, 0);
	}
	for (unsigned int i = 0; i < 8; i++)
		data[4 + i * SF_RECORD_SIZE] = SF_OP_CHECK | 128; /* the top bit is not looked at */
	/* A setting behind the first operation is ignored, before it is brought into range. */
	data[4] = data[4 + 3 * SF_RECORD_SIZE] = SF_CODE_SETTING;
	data[5] = data[5 + 3 * SF_RECORD_SIZE] = SF_SET_cpus;
	data[6] = 200;
	data[6 + 3 * SF_RECORD_SIZE] = 5;
	sf_bytes_decode(&p, data, sizeof(data), 0);
	assert_int_equal(p.nr_ops, 6);
	assert_int_equal(p.settings.cpus, 64);
	sf_bytes_decode(&p, data, sizeof(data), 4);
	assert_int_equal(p.nr_ops, 4);
	assert_int_equal(sf_bytes_encode(&p, data, 4), 4 + 5 * SF_RECORD_SIZE);
	sf_prog_free(&p);
}

/* Once warm, decode, fix-up and encode take no memory. */
static void test_warm(void **state)
{
	static uint8_t data[4 + SF_FUZZ_OPS_MAX * 4 * SF_RECORD_SIZE];
	struct sf_prog p;
	struct sf_live live;
	void *ops, *strings;
	size_t len;
	uint64_t s = 6;

	(void)state;
	sf_prog_init(&p);
	do
		random_prog(&s, &p, SF_FUZZ_OPS_MAX);
	while (p.nr_ops < 400);
	len = sf_bytes_encode(&p, data, sizeof(data));
	assert_true(len <= sizeof(data));
	sf_bytes_decode(&p, data, len, SF_FUZZ_OPS_MAX);
	ops = p.ops;
	strings = p.strings;
	live = *p.live;
	for (unsigned int i = 0; i < 100; i++) {
		sf_bytes_decode(&p, data, len, SF_FUZZ_OPS_MAX);
		assert_int_equal(sf_prog_fixup(&p), 0);
		assert_int_equal(sf_bytes_encode(&p, data, sizeof(data)), len);
	}
	assert_ptr_equal(p.ops, ops);
	assert_ptr_equal(p.strings, strings);
	assert_ptr_equal(p.live->res, live.res);
	assert_ptr_equal(p.live->labels.slot, live.labels.slot);
	assert_ptr_equal(p.live->names.slot, live.names.slot);
	sf_prog_free(&p);
}

/* Long lines and long programs: that the right result comes soon shows linear time. */
static void test_large_text(void **state)
{
	enum { LINES = 60000, LONG = 1 << 22 };
	char *text = malloc(LONG + 100), *at = text, *copy;
	struct sf_prog p;
	size_t len;
	FILE *f;

	(void)state;
	assert_non_null(text);
	sf_prog_init(&p);
	at += sprintf(at, "kfree(NULL) #");
	memset(at, ' ', LONG);
	parse_ok(&p, text, LONG);
	assert_int_equal(p.nr_ops, 1);
	memset(text, 'r', LONG);
	refused(text, LONG, 1, 1,
		"expected an operation, got 'rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr...'");
	memcpy(text, "kmalloc(8, GFP_KERNEL|", 22);
	for (at = text + 22; at < text + LONG - 20; at += 11)
		memcpy(at, "GFP_KERNEL|", 11);
	memcpy(at, "0)", 3);
	parse_ok(&p, text, strlen(text));
	assert_int_equal(p.ops[0].gfp, SF_GFP_KERNEL);
	free(text);

	f = open_memstream(&text, &len);
	assert_non_null(f);
	/* Labels that are far apart, all alive at once, freed in the order in which they came. */
	for (uint32_t i = 0; i < LINES; i++)
		fprintf(f, "r%u = kmalloc(%u, GFP_KERNEL)\n", i * 65536 % 4294967291u, i);
	for (uint32_t i = 0; i < LINES; i++)
		fprintf(f, "kfree(r%u)\n", i * 65536 % 4294967291u);
	fclose(f);
	parse_ok(&p, text, len);
	assert_int_equal(p.nr_ops, 2 * LINES);
	check_laws(&p);
	copy = text_of(&p);
	assert_non_null(strstr(copy, "\nr59999 = kmalloc(59999, GFP_KERNEL)\nkfree(r0)\n"));
	free(copy);
	free(text);
	sf_prog_free(&p);
}

static void test_write_one(void **state)
{
	static const char text[] = "kmalloc(1, 0)\nkmem_cache_create(\"a\", 8, 0, 0)\n"
				   "kmalloc(2, 0)\n";
	struct sf_prog p;
	char *one = NULL;
	size_t len;
	FILE *f;

	(void)state;
	sf_prog_init(&p);
	parse_ok(&p, text, strlen(text));
	f = open_memstream(&one, &len);
	assert_non_null(f);
	sf_text_write_op(&p, 2, f);
	sf_text_write_op(&p, 1, f);
	fclose(f);
	assert_string_equal(one, "r1 = kmalloc(2, 0)\nc0 = kmem_cache_create(\"a\", 8, 0, 0)\n");
	free(one);
	assert_int_equal(p.ops[2].line, 3);
	sf_prog_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_readings),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_expectations),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_long_strings),
		cmocka_unit_test(test_fixup_references),
		cmocka_unit_test(test_fixup_devices),
		cmocka_unit_test(test_fixup_misuse),
		cmocka_unit_test(test_fixup_tokens),
		cmocka_unit_test(test_fixup_values),
		cmocka_unit_test(test_fixup_names),
		cmocka_unit_test(test_bytes_golden),
		cmocka_unit_test(test_bytes_golden_later),
		cmocka_unit_test(test_bytes_limits),
		cmocka_unit_test(test_warm),
		cmocka_unit_test(test_any_bytes_are_a_program),
		cmocka_unit_test(test_any_operations_become_a_program),
		cmocka_unit_test(test_deleting_a_record_deletes_one_operation),
		cmocka_unit_test(test_flipping_a_value_changes_one_operation),
		cmocka_unit_test(test_broken_text),
		cmocka_unit_test(test_large_text),
		cmocka_unit_test(test_write_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
