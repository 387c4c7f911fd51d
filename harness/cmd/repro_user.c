// SPDX-License-Identifier: MIT
/*
 * repro_user.c - repro.h for what is asked in the words of user space: each operation is a call of
 * malloc() and its family, or of a plug-in's table, and plain ifs look at what came of it: aligned,
 * apart from all that is alive, zeroed, with the contents that were left in it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../program/live.h"
#include "cmd.h"
#include "repro.h"

/* What checks. `object` has room for all results. */
static const char covered[] =
"/* What is built for fuzzing calls these when it is loaded. */\n"
"#define COVERAGE_CALL(name) \\\n"
"	void name(void *begin, void *end); \\\n"
"	void __attribute__((weak)) name(void *begin, void *end) { (void)begin; (void)end; }\n"
"COVERAGE_CALL(__sanitizer_cov_8bit_counters_init)\n"
"COVERAGE_CALL(__sanitizer_cov_pcs_init)\n"
"\n";

static const char prelude[] =
"/* Memory that was handed out, and what was written to it. */\n"
"static struct object {\n"
"	unsigned char *p; /* NULL: it is gone, or never came */\n"
"	size_t size;\n"
"	unsigned int key;\n"
"} object[OBJECTS];\n"
"\n"
"static int line; /* of the program */\n"
"\n"
"static void bug(const char *what)\n"
"{\n"
"	fprintf(stderr, \"BUG: line %d: %s\\n\", line, what);\n"
"	_exit(1);\n"
"}\n"
"\n"
"static void failed(const void *p) __attribute__((unused));\n"
"\n"
"static unsigned char byte_of(const struct object *o, size_t i)\n"
"{\n"
"	return (unsigned char)((o->key + i * 7) | 1);\n"
"}\n"
"\n"
"static void fill(struct object *o)\n"
"{\n"
"	o->key += 16;\n"
"	for (size_t i = 0; i < o->size; i++)\n"
"		o->p[i] = byte_of(o, i);\n"
"}\n"
"\n"
"static void verify(const struct object *o)\n"
"{\n"
"	for (size_t i = 0; o->p && i < o->size; i++)\n"
"		if (o->p[i] != byte_of(o, i))\n"
"			bug(\"what was written to an object is not in it any more\");\n"
"}\n"
"\n"
"static void verify_all(void)\n"
"{\n"
"	for (int i = 0; i < OBJECTS; i++)\n"
"		verify(&object[i]);\n"
"}\n"
"\n"
"/* `p` was handed out as object `nr`; the first `kept` bytes are those of `old`. */\n"
"static void came(int nr, void *p, size_t size, size_t align, int zeroed,\n"
"		 const struct object *old)\n"
"{\n"
"	struct object *o = &object[nr];\n"
"	size_t kept = old ? (old->size < size ? old->size : size) : 0;\n"
"	uintptr_t at = (uintptr_t)p;\n"
"\n"
"	if (!p)\n"
"		return;\n"
"	if (at % align)\n"
"		bug(\"an object is not aligned as it must be\");\n"
"	for (int i = 0; i < OBJECTS; i++) {\n"
"		uintptr_t other = (uintptr_t)object[i].p;\n"
"\n"
"		if (!other || &object[i] == old)\n"
"			continue;\n"
"		if (at == other || (at < other + object[i].size && other < at + size))\n"
"			bug(\"an object overlaps another one that is alive\");\n"
"	}\n"
"	for (size_t i = 0; zeroed && i < size; i++)\n"
"		if (((unsigned char *)p)[i])\n"
"			bug(\"an object that was asked for zeroed is not\");\n"
"	for (size_t i = 0; i < kept; i++)\n"
"		if (((unsigned char *)p)[i] != byte_of(old, i))\n"
"			bug(\"what was in an object is lost in realloc\");\n"
"	o->p = p;\n"
"	o->size = size;\n"
"	o->key = (unsigned int)nr * 37;\n"
"	fill(o);\n"
"}\n"
"\n"
"/* NULL says why. */\n"
"static void failed(const void *p)\n"
"{\n"
"	if (!p && errno != ENOMEM)\n"
"		bug(\"a failure does not set errno to ENOMEM\");\n"
"}\n"
"\n"
"/* Nothing that is asked so can be had. */\n"
"static void must_fail(void *p)\n"
"{\n"
"	if (p)\n"
"		bug(\"what cannot be is handed out\");\n"
"}\n"
"\n"
"static void *gone(int nr)\n"
"{\n"
"	void *p = object[nr].p;\n"
"\n"
"	verify(&object[nr]);\n"
"	object[nr].p = NULL;\n"
"	return p;\n"
"}\n"
"\n";

static const char block[] =
"/* A block between two pages that nobody may touch. */\n"
"static void *block_of(size_t size, size_t at)\n"
"{\n"
"	size_t page = 4096, whole = (at + size + page - 1) / page * page;\n"
"	char *p = mmap(NULL, whole + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
"\n"
"	if (p == MAP_FAILED || mprotect(p + page, whole, PROT_READ | PROT_WRITE))\n"
"		exit(125);\n"
"	memset(p + page, 0xcb, whole < 16384 ? whole : 16384);\n"
"	return p + page + at;\n"
"}\n"
"\n";

struct out {
	const struct sf_repro *r;
	FILE *f;
	struct sf_error *err;
};

/* --- calls --- */

/* The heap that an object is of: what it was asked of, and its owner before realloc(). */
static uint32_t heap_of(const struct out *o, uint32_t res)
{
	const struct sf_prog *p = o->r->prog;

	for (uint32_t i = p->nr_ops; i-- > 0 && res != SF_NONE;) {
		const struct sf_op *op = &p->ops[i];

		if (op->res != res)
			continue;
		if (!(sf_op_info(op)->flags & SF_OPF_MOVES) || op->obj == SF_NONE)
			return op->cache;
		res = op->obj;
	}
	return SF_NONE;
}

/* "malloc(" or "t->malloc(heap, ". */
static void call(const struct out *o, const char *name, uint32_t heap)
{
	if (!o->r->plugin)
		fprintf(o->f, "%s(", name);
	else if (heap == SF_NONE)
		fprintf(o->f, "t->%s(heap, ", name);
	else
		fprintf(o->f, "t->%s(heap_%u, ", name, heap);
}

static const char *number(uint64_t v, char buf[40])
{
	if (v > UINT64_MAX - 4096)
		snprintf(buf, 40, "SIZE_MAX%s%.0" PRIu64, v == UINT64_MAX ? "" : " - ",
			 UINT64_MAX - v);
	else
		snprintf(buf, 40, "%" PRIu64, v);
	return buf;
}

/* What any type that fits in `size` bytes needs, unless the allocator says otherwise. */
static uint64_t natural(const struct sf_repro *r, uint64_t size)
{
	const struct sf_traits *t = sf_traits_of(r->allocator);
	uint64_t align = t->align;

	while (!t->align_small && align > 1 && align > size)
		align /= 2;
	return align ? align : 1;
}

/* came() or must_fail(): of `bytes`, unless that is more than there can be. */
static void take(const struct out *o, const struct sf_op *op, uint64_t bytes, uint64_t align,
		 int zeroed)
{
	if (bytes > INT64_MAX)
		fputs("\tmust_fail(p);\n", o->f);
	else
		fprintf(o->f, "\tcame(%u, p, %" PRIu64 ", %" PRIu64 ", %d, NULL);\n", op->res,
			bytes, align, zeroed);
}

static uint64_t product(const struct sf_op *op)
{
	uint64_t bytes;

	return __builtin_mul_overflow(op->n, op->size, &bytes) ? UINT64_MAX : bytes;
}

static void put_failure(const struct out *o, uint64_t bytes)
{
	if (bytes && sf_traits_of(o->r->allocator)->error)
		fputs("\tfailed(p);\n", o->f);
}

static void put_alloc(const struct out *o, const struct sf_op *op)
{
	const char *name = sf_op_table[op->code].name;
	char a[40], b[40];

	fputs("\terrno = 0;\n\tp = ", o->f);
	call(o, name, op->cache);
	if (op->code == SF_OP_MALLOC) {
		fprintf(o->f, "%s);\n", number(op->size, a));
		put_failure(o, op->size);
		take(o, op, op->size, natural(o->r, op->size), 0);
	} else if (op->code == SF_OP_CALLOC) {
		fprintf(o->f, "%s, %s);\n", number(op->n, a), number(op->size, b));
		put_failure(o, product(op));
		take(o, op, product(op), natural(o->r, product(op)),
		     sf_traits_of(o->r->allocator)->zeroed != 0);
	} else {
		bool power = op->align && !(op->align & (op->align - 1));

		fprintf(o->f, "%s, %s);\n", number(op->align, a), number(op->size, b));
		take(o, op, op->size, power ? op->align : 1, 0);
	}
}

static void put_posix(const struct out *o, const struct sf_op *op)
{
	bool fine = op->align >= sizeof(void *) && !(op->align & (op->align - 1));
	char a[40], b[40];

	fputs("\tp = NULL;\n\terror = ", o->f);
	if (o->r->plugin)
		fputs("t->posix_memalign(heap, ", o->f);
	else
		fputs("posix_memalign(", o->f);
	fprintf(o->f, "&p, %s, %s);\n", number(op->align, a), number(op->size, b));
	fputs("\tif (error && p)\n"
	      "\t\tbug(\"posix_memalign fails, and leaves a pointer\");\n", o->f);
	if (!fine)
		fputs("\tif (!error)\n\t\tbug(\"posix_memalign takes an alignment that is "
		      "none\");\n", o->f);
	take(o, op, op->size, fine ? op->align : 1, 0);
}

static void put_realloc(const struct out *o, const struct sf_op *op)
{
	bool array = op->code == SF_OP_REALLOCARRAY;
	uint64_t bytes = array ? product(op) : op->size;
	char old[40] = "NULL", a[40], b[40];

	if (op->obj != SF_NONE) {
		snprintf(old, sizeof(old), "object[%u].p", op->obj);
		fprintf(o->f, "\tverify(&object[%u]);\n", op->obj);
	}
	fputs("\terrno = 0;\n\tp = ", o->f);
	call(o, array ? "reallocarray" : "realloc", heap_of(o, op->obj));
	fprintf(o->f, "%s, ", old);
	if (array)
		fprintf(o->f, "%s, %s);\n", number(op->n, a), number(op->size, b));
	else
		fprintf(o->f, "%s);\n", number(op->size, a));
	put_failure(o, bytes);
	if (bytes > INT64_MAX) {
		fputs("\tmust_fail(p);\n", o->f);
		return;
	}
	if (op->obj == SF_NONE) {
		take(o, op, bytes, natural(o->r, bytes), 0);
		return;
	}
	/* realloc(p, 0) may free and return NULL. */
	fprintf(o->f, "\told = object[%u];\n\tif (p%s)\n\t\tobject[%u].p = NULL;\n", op->obj,
		bytes ? "" : " || 1", op->obj);
	fprintf(o->f, "\tcame(%u, p, %" PRIu64 ", %" PRIu64 ", 0, &old);\n", op->res, bytes,
		natural(o->r, bytes));
}

static void put_free(const struct out *o, const struct sf_op *op)
{
	const char *name = sf_op_table[op->code].name;

	fputs("\terrno = 0;\n\t", o->f);
	if (op->code == SF_OP_FREE) {
		call(o, name, heap_of(o, op->obj));
		if (op->obj == SF_NONE)
			fputs("NULL);\n", o->f);
		else
			fprintf(o->f, "gone(%u));\n", op->obj);
	} else if (op->obj != SF_NONE) {
		call(o, name, heap_of(o, op->obj));
		if (op->code == SF_OP_FREE_SIZED)
			fprintf(o->f, "gone(%u), object[%u].size);\n", op->obj, op->obj);
		else
			fprintf(o->f, "gone(%u), align_of[%u], object[%u].size);\n", op->obj,
				op->obj, op->obj);
	}
	if (sf_traits_of(o->r->allocator)->free_error)
		fputs("\tif (errno)\n\t\tbug(\"free() changes errno\");\n", o->f);
}

static void put_usable(const struct out *o, const struct sf_op *op)
{
	if (op->obj == SF_NONE)
		return;
	fprintf(o->f, "\tif (object[%u].p && ", op->obj);
	call(o, o->r->plugin ? "usable_size" : "malloc_usable_size", heap_of(o, op->obj));
	fprintf(o->f, "object[%u].p) < object[%u].size)\n"
		"\t\tbug(\"less of an object can be used than was asked for\");\n", op->obj,
		op->obj);
}

static bool put_plugin_only(const struct out *o, const struct sf_op *op)
{
	char a[40];

	switch (op->code) {
	case SF_OP_MALLOC_CHECK:
		fputs("\tif ((said = t->integrity(heap)))\n\t\tbug(said);\n", o->f);
		return true;
	case SF_OP_HEAP_CREATE:
		number(op->size, a);
		fprintf(o->f, "\tvoid *heap_%u = t->create_at(block_of(%s, %u), %s);\n", op->res, a,
			op->count, a);
		return true;
	case SF_OP_HEAP_DESTROY:
		fprintf(o->f, "\tif (t->destroy)\n\t\tt->destroy(heap_%u);\n", op->cache);
		return true;
	case SF_OP_MALLOC_STATS:
		fputs("\tt->stats(heap, &stats);\n", o->f);
		return true;
	}
	return false;
}

/* Words of the kernel that an allocator of user space was asked in: what they came to. */
static struct sf_op in_user_words(const struct sf_op *op)
{
	static const struct {
		uint8_t from, to;
	} words[] = {
		{ SF_OP_KMALLOC, SF_OP_MALLOC }, { SF_OP_KZALLOC, SF_OP_CALLOC },
		{ SF_OP_KCALLOC, SF_OP_CALLOC }, { SF_OP_KREALLOC, SF_OP_REALLOC },
		{ SF_OP_KFREE, SF_OP_FREE }, { SF_OP_KSIZE, SF_OP_MALLOC_USABLE_SIZE },
	};
	struct sf_op user = *op;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (op->code == words[i].from)
			user.code = words[i].to;
	if (op->code == SF_OP_KZALLOC)
		user.n = 1;
	return user;
}

static bool put_op(const struct out *o, const struct sf_op *op)
{
	switch (op->code) {
	case SF_OP_MALLOC:
	case SF_OP_CALLOC:
	case SF_OP_ALIGNED_ALLOC:
	case SF_OP_MEMALIGN:
		put_alloc(o, op);
		return true;
	case SF_OP_POSIX_MEMALIGN:
		put_posix(o, op);
		return true;
	case SF_OP_REALLOC:
	case SF_OP_REALLOCARRAY:
		put_realloc(o, op);
		return true;
	case SF_OP_FREE:
	case SF_OP_FREE_SIZED:
	case SF_OP_FREE_ALIGNED_SIZED:
		put_free(o, op);
		return true;
	case SF_OP_MALLOC_USABLE_SIZE:
		put_usable(o, op);
		return true;
	case SF_OP_MALLOC_TRIM:
		fputs("\t", o->f);
		call(o, o->r->plugin ? "trim" : "malloc_trim", SF_NONE);
		fprintf(o->f, "%" PRIu64 ");\n", op->size);
		return true;
	case SF_OP_WRITE:
		fprintf(o->f, "\tif (object[%u].p)\n\t\tfill(&object[%u]);\n", op->obj, op->obj);
		return true;
	case SF_OP_VERIFY:
		fprintf(o->f, "\tverify(&object[%u]);\n", op->obj);
		return true;
	case SF_OP_CHECK:
		fputs("\tverify_all();\n", o->f);
		return true;
	}
	return o->r->plugin && put_plugin_only(o, op);
}

/* --- the file --- */

static void put_includes(const struct out *o)
{
	fputs("#include <errno.h>\n#include <malloc.h>\n#include <stdint.h>\n#include <stdio.h>\n"
	      "#include <stdlib.h>\n#include <string.h>\n#include <sys/mman.h>\n"
	      "#include <unistd.h>\n\n", o->f);
	if (o->r->plugin)
		fprintf(o->f, "#include \"plugin.h\"\n\n%s", covered);
	else
		fputs("/* Of C23; libraries that have them do not say so in headers yet. */\n"
		      "extern void free_sized(void *p, size_t size) __attribute__((weak));\n"
		      "extern void free_aligned_sized(void *p, size_t align, size_t size)\n"
		      "	__attribute__((weak));\n\n", o->f);
	fprintf(o->f, "#define OBJECTS %u\n\n", o->r->prog->nr_res ? o->r->prog->nr_res : 1);
	fputs(prelude, o->f);
	if (o->r->plugin)
		fputs(block, o->f);
}

/* As far as sized frees need them. */
static void put_alignments(const struct out *o)
{
	const struct sf_prog *p = o->r->prog;

	fputs("static const size_t align_of[OBJECTS] = {\n", o->f);
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (p->ops[i].code == SF_OP_ALIGNED_ALLOC)
			fprintf(o->f, "\t[%u] = %" PRIu64 ",\n", p->ops[i].res, p->ops[i].align);
	fputs("};\n\n", o->f);
}

static void put_heap(const struct out *o)
{
	uint64_t bytes = o->r->prog->settings.pages * 4096;

	fprintf(o->f, "\tconst struct slabfuzz_plugin *t = &slabfuzz_plugin;\n"
		"\tsize_t bytes = %" PRIu64 ";\n"
		"\tvoid *heap = t->create_at ? t->create_at(block_of(bytes, 0), bytes) :\n"
		"\t\t\tt->create ? t->create(bytes) : NULL;\n"
		"\tstruct slabfuzz_stats stats;\n\tconst char *said;\n", bytes);
}

static bool uses(const struct sf_prog *p, unsigned int code)
{
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (p->ops[i].code == code)
			return true;
	return false;
}

static bool is_object(const struct sf_prog *p, uint32_t res)
{
	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (p->ops[i].res == res)
			return p->ops[i].code != SF_OP_HEAP_CREATE &&
			       p->ops[i].code != SF_OP_HEAP_ADD;
	return false;
}

bool sf_repro_user(const struct sf_repro *r, FILE *f, struct sf_error *err)
{
	const struct out o = { .r = r, .f = f, .err = err };

	sf_repro_head(r, f);
	put_includes(&o);
	if (uses(r->prog, SF_OP_FREE_ALIGNED_SIZED))
		put_alignments(&o);
	fputs("int main(void)\n{\n", f);
	if (r->plugin)
		put_heap(&o);
	fputs("\tstruct object old;\n\tvoid *p;\n\tint error;\n\n"
	      "\t(void)old, (void)p, (void)error;\n", f);
	if (r->plugin)
		fputs("\t(void)stats, (void)said;\n", f);
	for (uint32_t i = 0; i < r->prog->nr_ops; i++) {
		const struct sf_op op = in_user_words(&r->prog->ops[i]);

		sf_repro_comment(r, i, f);
		fprintf(f, "\tline = %u;\n", i + 1);
		if (put_op(&o, &op))
			continue;
		snprintf(err->text, sizeof(err->text), "%s() cannot be said in plain C yet",
			 sf_op_table[r->prog->ops[i].code].name);
		return false;
	}
	fputs("\n\t/* All that is alive is looked at, and given back. */\n\tline = 0;\n"
	      "\tverify_all();\n", f);
	for (uint32_t i = 0; i < r->prog->nr_res; i++) {
		if (!is_object(r->prog, i))
			continue;
		fprintf(f, "\tif (object[%u].p)\n\t\t", i);
		call(&o, "free", heap_of(&o, i));
		fprintf(f, "gone(%u));\n", i);
	}
	fputs("\treturn 0;\n}\n", f);
	return true;
}
