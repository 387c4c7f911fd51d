// SPDX-License-Identifier: MIT
/*
 * relations.c - relations.h: the table, and a function for each relation.
 */
#include "relations.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "../exec/exec.h"

enum {
	CHECKS_MAX = 32,  /* a check looks at the whole heap */
	FRESH_MAX = 4,    /* each is a cache of its own, and stays */
	FAILING_MAX = 64,
	FRESH_SIZE = 208, /* of an object: no class of kmalloc() */
	SMALL_MAX = 4096,
};

/* --- making --- */

struct making {
	const struct sf_prog *from;
	const struct sf_allocator *allocator;
	struct sf_related *to;
	uint32_t labels; /* results so far, with those of operations that were put in */
	uint32_t put_in;
};

static void begin(struct making *m, const struct sf_prog *p, const struct sf_allocator *a,
		  struct sf_related *to)
{
	*m = (struct making){ .from = p, .allocator = a, .to = to, .labels = p->nr_res };
	sf_prog_clear(&to->prog);
	to->prog.settings = p->settings;
	/* Offsets stay what they are. */
	if (p->nr_strings > to->prog.cap_strings) {
		to->prog.strings = sf_grow(to->prog.strings, p->nr_strings, 1);
		to->prog.cap_strings = p->nr_strings;
	}
	if (p->nr_strings)
		memcpy(to->prog.strings, p->strings, p->nr_strings);
	to->prog.nr_strings = p->nr_strings;
	to->nr = 0;
}

static struct sf_op *append(struct making *m, const struct sf_op *op)
{
	struct sf_prog *p = &m->to->prog;

	SF_GROW(p->ops, p->nr_ops, p->cap_ops);
	p->ops[p->nr_ops] = *op;
	return &p->ops[p->nr_ops++];
}

/* The next operation of the other program, as it is. */
static void copy(struct making *m, const struct sf_op *op)
{
	struct sf_related *to = m->to;

	SF_GROW(to->at, to->nr, to->cap);
	to->at[to->nr++] = to->prog.nr_ops;
	append(m, op);
}

/* One that the other program has not. Its result, SF_NONE if it has none. */
static uint32_t put_in(struct making *m, struct sf_op op)
{
	op.res = sf_op_table[op.code].res == SF_RES_NONE ? SF_NONE : m->labels++;
	append(m, &op);
	m->put_in++;
	return op.res;
}

/* Numbers results anew. Anything but that would be another program. */
static bool finish(struct making *m, struct sf_error *err)
{
	uint32_t want = m->to->prog.nr_ops, dropped;

	/* One that is as it was need not be valid: whoever made it has seen to that. */
	if (!m->put_in) {
		m->to->prog.nr_res = m->from->nr_res;
		return true;
	}
	dropped = sf_prog_fixup(&m->to->prog);
	if (!dropped && m->to->prog.nr_ops == want)
		return true;
	snprintf(err->text, sizeof(err->text),
		 "%u operations do not fit with others put in between", dropped);
	return false;
}

/* From here on requests are counted until one fails: another one would take its place. */
static bool counts_requests(const struct sf_op *op)
{
	return op->code == SF_OP_FAIL || op->code == SF_OP_FAULT_ATTR;
}

static bool has(const struct making *m, unsigned int code)
{
	return !(sf_exec_needs(code) & ~m->allocator->caps);
}

static bool is_user_word(const struct sf_op *op)
{
	return sf_exec_needs(op->code) & SF_CAP_MALLOC;
}

/* Behind which operations something is put in: every so many-th. */
static uint32_t stride(const struct sf_prog *p, uint32_t most)
{
	return (p->nr_ops + most - 1) / most;
}

/* --- the relations --- */

static bool make_same(const struct sf_prog *p, const struct sf_allocator *a,
		      struct sf_related *to, struct sf_error *err)
{
	struct making m;

	begin(&m, p, a, to);
	for (uint32_t i = 0; i < p->nr_ops; i++)
		copy(&m, &p->ops[i]);
	return finish(&m, err);
}

static bool make_checks(const struct sf_prog *p, const struct sf_allocator *a,
			struct sf_related *to, struct sf_error *err)
{
	uint32_t every = stride(p, CHECKS_MAX);
	struct making m;

	begin(&m, p, a, to);
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		copy(&m, &p->ops[i]);
		if (i % every == every - 1)
			put_in(&m, sf_op_make(SF_OP_CHECK));
	}
	return finish(&m, err);
}

static bool differ(struct sf_error *err, const char *how)
{
	snprintf(err->text, sizeof(err->text), "another program came back from %s", how);
	return false;
}

static bool through_bytes(const struct sf_prog *p, struct sf_prog *to, struct sf_error *err)
{
	size_t size = sf_bytes_encode(p, NULL, 0);
	uint8_t *bytes = sf_zalloc(size + 1, 1);

	sf_bytes_encode(p, bytes, size);
	sf_bytes_decode(to, bytes, size, 0);
	free(bytes);
	return sf_prog_equal(p, to) || differ(err, "bytes");
}

static bool through_text(const struct sf_prog *p, struct sf_prog *to, struct sf_error *err)
{
	struct sf_text_error fault = { .text = "" };
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	bool fine;

	if (!f) {
		snprintf(err->text, sizeof(err->text), "no memory for a program as text");
		return false;
	}
	sf_text_write(p, f);
	fclose(f);
	fine = !sf_text_parse(to, text, len, &fault);
	free(text);
	if (!fine)
		snprintf(err->text, sizeof(err->text), "its text is refused: line %u: %.120s",
			 fault.line, fault.text);
	return fine && (sf_prog_equal(p, to) || differ(err, "text"));
}

static bool make_bytes(const struct sf_prog *p, const struct sf_allocator *a,
		       struct sf_related *to, struct sf_error *err)
{
	struct sf_prog once;
	struct making m;
	bool fine;

	begin(&m, p, a, to);
	for (uint32_t i = 0; i < p->nr_ops; i++)
		copy(&m, &p->ops[i]);
	sf_prog_init(&once);
	fine = through_bytes(p, &once, err) && through_text(&once, &to->prog, err);
	sf_prog_free(&once);
	return fine;
}

static void put_in_user_pair(struct making *m)
{
	struct sf_op op = sf_op_make(SF_OP_MALLOC);
	uint32_t obj;

	op.size = FRESH_SIZE;
	obj = put_in(m, op);
	op = sf_op_make(SF_OP_FREE);
	op.obj = obj;
	put_in(m, op);
}

static void put_in_pair(struct making *m)
{
	struct sf_op op = sf_op_make(SF_OP_KMALLOC);
	uint32_t obj;

	op.size = FRESH_SIZE;
	op.gfp = SF_GFP_KERNEL;
	obj = put_in(m, op);
	op = sf_op_make(SF_OP_KFREE);
	op.obj = obj;
	put_in(m, op);
}

/* Gives the cache, which is there still: see put_in_destroy(). */
static uint32_t put_in_cache(struct making *m, uint32_t nr)
{
	struct sf_op op = sf_op_make(SF_OP_CACHE_CREATE);
	uint32_t cache, obj;
	char name[40];
	int len = snprintf(name, sizeof(name), "put-in-fresh-%u", nr);

	op.name = sf_prog_string(&m->to->prog, name, (size_t)len);
	op.size = FRESH_SIZE;
	op.flags = SF_SLAB_NO_MERGE;
	cache = put_in(m, op);
	op = sf_op_make(SF_OP_CACHE_ALLOC);
	op.cache = cache;
	op.gfp = SF_GFP_KERNEL;
	obj = put_in(m, op);
	op = sf_op_make(SF_OP_CACHE_FREE);
	op.cache = cache;
	op.obj = obj;
	put_in(m, op);
	return cache;
}

/* At the end: to destroy a cache waits for objects that are freed later, and they go then. */
static void put_in_destroy(struct making *m, uint32_t cache)
{
	struct sf_op op = sf_op_make(SF_OP_CACHE_DESTROY);

	op.cache = cache;
	put_in(m, op);
}

static bool make_fresh(const struct sf_prog *p, const struct sf_allocator *a,
		       struct sf_related *to, struct sf_error *err)
{
	uint32_t every = stride(p, FRESH_MAX), cache[FRESH_MAX], nr = 0;
	bool quiet = false;
	struct making m;

	begin(&m, p, a, to);
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		copy(&m, &p->ops[i]);
		quiet |= counts_requests(&p->ops[i]);
		if (quiet || i % every != every / 2)
			continue;
		if (is_user_word(&p->ops[i]))
			put_in_user_pair(&m);
		else if (has(&m, SF_OP_CACHE_CREATE))
			cache[nr++] = put_in_cache(&m, i);
		else
			put_in_pair(&m);
	}
	assert(nr <= FRESH_MAX);
	while (nr)
		put_in_destroy(&m, cache[--nr]);
	return finish(&m, err);
}

/* Of n * size that is no size; of a size that no memory has. */
static bool can_refuse(const struct making *m, bool product)
{
	const struct sf_traits *t = sf_traits_of(m->allocator);

	return product ? !t->abort_overflow : !t->abort_exhaustion;
}

/* The object that it would resize stays what it is. */
static void put_in_failing_resize(struct making *m, const struct sf_op *after)
{
	bool user = is_user_word(after);
	struct sf_op op = sf_op_make(user ? SF_OP_REALLOC : SF_OP_KREALLOC);

	op.obj = after->res;
	op.size = SIZE_MAX - 4 * SF_PAGE_SIZE;
	op.gfp = user ? 0 : SF_GFP_KERNEL | SF_GFP_NOWARN;
	if (has(m, op.code) && can_refuse(m, false))
		put_in(m, op);
}

static void put_in_failing_request(struct making *m, const struct sf_op *after, bool product)
{
	bool user = is_user_word(after);
	struct sf_op op = sf_op_make(user ? product ? SF_OP_CALLOC : SF_OP_MALLOC
					  : product ? SF_OP_KCALLOC : SF_OP_KMALLOC);

	op.n = product ? 3 : 0;
	op.size = product ? SIZE_MAX / 2 : SIZE_MAX - 4 * SF_PAGE_SIZE;
	op.gfp = user ? 0 : SF_GFP_KERNEL | SF_GFP_NOWARN;
	if (has(m, op.code) && can_refuse(m, product))
		put_in(m, op);
}

/* What krealloc() or realloc() takes for certain. */
static bool gives_resizable(const struct sf_op *op)
{
	if (op->res == SF_NONE)
		return false;
	return (op->code >= SF_OP_KMALLOC && op->code <= SF_OP_KREALLOC_ARRAY) ||
	       (op->code >= SF_OP_MALLOC && op->code <= SF_OP_REALLOCARRAY);
}

static bool make_failing(const struct sf_prog *p, const struct sf_allocator *a,
			 struct sf_related *to, struct sf_error *err)
{
	uint32_t every = stride(p, FAILING_MAX);
	bool quiet = false;
	struct making m;

	begin(&m, p, a, to);
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];

		copy(&m, op);
		quiet |= counts_requests(op);
		if (quiet || i % every)
			continue;
		if (gives_resizable(op))
			put_in_failing_resize(&m, op);
		else
			put_in_failing_request(&m, op, i / every % 2);
	}
	return finish(&m, err);
}

/* --- what can be exchanged --- */

/* Requests so small that none is refused for its size alone, and what is done with one object. */
static bool is_simple(const struct sf_op *op)
{
	switch (op->code) {
	case SF_OP_KMALLOC:
	case SF_OP_KZALLOC:
	case SF_OP_MALLOC:
		return op->size <= SMALL_MAX;
	case SF_OP_CALLOC:
		return op->size <= SMALL_MAX && op->n <= 16;
	case SF_OP_KMALLOC_OBJ:
	case SF_OP_KZALLOC_OBJ:
	case SF_OP_CACHE_ALLOC:
	case SF_OP_CACHE_ZALLOC:
	case SF_OP_KFREE:
	case SF_OP_KFREE_SENSITIVE:
	case SF_OP_CACHE_FREE:
	case SF_OP_KSIZE:
	case SF_OP_WRITE:
	case SF_OP_VERIFY:
	case SF_OP_FREE:
	case SF_OP_FREE_SIZED:
	case SF_OP_MALLOC_USABLE_SIZE:
		return true;
	}
	return false;
}

/*
 * One object may go with another, or by itself: who goes first at the end decides about others, and
 * results that are defined in another order go in another order.
 */
static bool ties(const struct sf_prog *p)
{
	const uint64_t tie = SF_CAP_RECLAIM | SF_CAP_COMPACT | SF_CAP_MISUSE;

	for (uint32_t i = 0; i < p->nr_ops; i++)
		if (sf_exec_needs(p->ops[i].code) & tie)
			return true;
	return p->settings.misuse;
}

/* The first name of each object: a resized one has several. By result; to be freed. */
static uint32_t *first_names(const struct sf_prog *p)
{
	uint32_t *first = sf_zalloc(p->nr_res + 1, sizeof(*first));

	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];
		bool moves = sf_op_table[op->code].flags & SF_OPF_MOVES;

		if (op->res != SF_NONE && op->res < p->nr_res)
			first[op->res] = moves && op->obj < op->res ? first[op->obj] : op->res;
	}
	return first;
}

static uint32_t object_of(const struct sf_op *op, const struct sf_prog *p, const uint32_t *first)
{
	uint32_t obj = op->obj != SF_NONE ? op->obj : op->res;

	return obj < p->nr_res ? first[obj] : SF_NONE;
}

/* Neither the same object nor the same cache, and nothing that one makes for the other. */
static bool are_unrelated(const struct sf_op *x, const struct sf_op *y, const struct sf_prog *p,
			  const uint32_t *first)
{
	uint32_t a = object_of(x, p, first), b = object_of(y, p, first);

	if (!is_simple(x) || !is_simple(y))
		return false;
	if (a == SF_NONE || b == SF_NONE || a == b)
		return false;
	return x->cache == SF_NONE || x->cache != y->cache;
}

static void exchange(struct making *m, const struct sf_op *op)
{
	struct sf_related *to = m->to;

	copy(m, &op[1]);
	copy(m, &op[0]);
	to->at[to->nr - 2]++;
	to->at[to->nr - 1]--;
	m->put_in++; /* results are defined in another order */
}

static bool make_exchanged(const struct sf_prog *p, const struct sf_allocator *a,
			   struct sf_related *to, struct sf_error *err)
{
	uint32_t *first = first_names(p);
	bool tied = ties(p);
	struct making m;

	begin(&m, p, a, to);
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];

		tied |= counts_requests(op);
		if (!tied && i + 1 < p->nr_ops && are_unrelated(&op[0], &op[1], p, first)) {
			exchange(&m, op);
			i++;
		} else {
			copy(&m, op);
		}
	}
	free(first);
	return finish(&m, err);
}

/* --- other names --- */

static const char prefix[] = "renamed-";

size_t sf_renamed_prefix(const char *name)
{
	return strncmp(name, prefix, sizeof(prefix) - 1) ? 0 : sizeof(prefix) - 1;
}

/* An allocator may look at what is in an object; nobody says what it is. */
void sf_relation_exec(enum sf_relation r, struct sf_exec_options *opt)
{
	if (r == SF_RELATION_RENAMED)
		opt->keys = 0x5bd1e995;
}

/* One that would be too long keeps its name. */
static uint32_t other_name(struct making *m, const struct sf_op *op)
{
	char name[SF_STRING_MAX + 1];
	int len = snprintf(name, sizeof(name), "%s%s", prefix, sf_prog_str(m->from, op->name));

	if (!op->name || len > (int)SF_STRING_MAX)
		return op->name;
	return sf_prog_string(&m->to->prog, name, (size_t)len);
}

static bool make_renamed(const struct sf_prog *p, const struct sf_allocator *a,
			 struct sf_related *to, struct sf_error *err)
{
	struct making m;

	begin(&m, p, a, to);
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		struct sf_op op = p->ops[i];

		op.name = other_name(&m, &op);
		copy(&m, &op);
	}
	return finish(&m, err);
}

/* --- the table --- */

const struct sf_relation_info sf_relations[SF_RELATION_COUNT] = {
#define X(id, name, reach, strangers, make, rounds, doc) \
	[SF_RELATION_##id] = { name, doc, make_##make, rounds },
	SF_RELATIONS(X)
#undef X
};

enum sf_relation sf_relation_by_name(const char *name, size_t len)
{
	for (unsigned int r = 1; r < SF_RELATION_COUNT; r++)
		if (strlen(sf_relations[r].name) == len && !memcmp(sf_relations[r].name, name, len))
			return (enum sf_relation)r;
	return SF_RELATION_NONE;
}

sf_property_set sf_relation_reach(enum sf_relation r, const struct sf_allocator *a)
{
	bool stranger = a->caps & (SF_CAP_OWN_DESIGN | SF_CAP_MALLOC);
	sf_property_set set = 0;

	switch (r) {
#define X(id, name, reach, strangers, make, rounds, doc)        \
	case SF_RELATION_##id:                                  \
		set = (reach) | (stranger ? (strangers) : 0);   \
		break;
	SF_RELATIONS(X)
#undef X
	default:
		return 0;
	}
	/* Each has a history of its own. */
	if (a->reset_kind != SF_RESET_EXACT || sf_traits_of(a)->history)
		set |= SF_WHERE;
	return set;
}

bool sf_related_moved(const struct sf_related *r, uint32_t nr)
{
	return (nr + 1 < r->nr && r->at[nr] > r->at[nr + 1]) ||
	       (nr && nr < r->nr && r->at[nr] < r->at[nr - 1]);
}

void sf_related_free(struct sf_related *r)
{
	sf_prog_free(&r->prog);
	free(r->at);
	*r = (struct sf_related){ .nr = 0 };
}
