// SPDX-License-Identifier: MIT
/*
 * scenario.c - scenario.h: layouts, and what goes wrong in them.
 *
 * A layout is what a kernel's heap looks like to one who did not make it: objects of the type
 * table, each type from a few call sites, and plain buffers, allocated and freed in turn on two
 * CPUs. Everything is drawn from the trial's number and nothing else.
 */
#include "scenario.h"

#include <stdlib.h>
#include <string.h>

#include "../../allocators/base/grow.h"
#include "../program/types.h"

enum {
	LAYOUT_STEPS = 900,
	ONWARD_STEPS = 120,   /* "the kernel goes on" */
	AFTER_STEPS = 200,    /* after the mistake */
	SPRAY = 2048,         /* objects of the cross-cache scenario: far more than stay parked */
	SPRAY_SITE = 77,
	SPRAY_SIZE = 256,
	SMALL_MAX = 1024,     /* larger types would be few and far between */
	BUFFER_SITES = 64,
	LOOK_MIN = 64,        /* an allocator's own few bytes are not all of it */
	LOOK_MAX = 256,       /* contents are written whole */
	LONG_WRITE = 65535,
	CANARY = 8,
	OTHER_HEAP = 1 << 16,
	OTHERS = 16,          /* objects that are allocated there then */
};

const struct sf_scenario_info sf_scenarios[SF_SCENARIO_COUNT] = {
#define X(id, name, use, doc) { name, doc, SF_FOR_##use },
	SF_SCENARIOS(X)
#undef X
};

/* A result of the layout. */
struct thing {
	uint32_t res;
	bool plain;
	uint64_t size; /* 0: not known */
};

struct sf_scene {
	struct sf_scene_options opt;
	struct sf_prog *to;
	struct sf_rng rng;
	uint16_t *bearing, *data;   /* type numbers with and without pointers, SMALL_MAX at most */
	uint32_t nr_bearing, nr_data;
	struct thing *live;
	uint32_t nr_live, cap_live;
	uint32_t other;             /* FOREIGN: a heap or cache, SF_NONE */
	uint32_t mistake;           /* index of the operation, SF_NONE */
};

/* The number of its result. */
static uint32_t add(struct sf_scene *s, const struct sf_op *op)
{
	return sf_prog_add(s->to, op)->res;
}

static void remember(struct sf_scene *s, uint32_t res, bool plain, uint64_t size)
{
	SF_GROW(s->live, s->nr_live, s->cap_live);
	s->live[s->nr_live++] = (struct thing){ res, plain, size };
}

/* --- what a kernel does --- */

static uint16_t one_of(struct sf_scene *s, const uint16_t *types, uint32_t nr)
{
	return types[sf_rng_below(&s->rng, nr)];
}

/* Each type is allocated at a few places of its own. */
static uint16_t site_of(struct sf_scene *s, uint16_t type)
{
	return (uint16_t)(1000 + 4u * type + sf_rng_below(&s->rng, 3));
}

static void allocate_type(struct sf_scene *s, uint16_t type)
{
	struct sf_op op = sf_op_make(SF_OP_KMALLOC_OBJ);

	op.type = type;
	op.site = site_of(s, type);
	op.gfp = SF_GFP_KERNEL;
	remember(s, add(s, &op), !sf_types[type].pointer, sf_types[type].size);
}

static uint16_t buffer_type(const char *name)
{
	return (uint16_t)sf_type_index(sf_type_by_name(name, strlen(name)));
}

static uint32_t allocate_buffer(struct sf_scene *s, uint64_t size, uint16_t type, uint16_t site)
{
	struct sf_op op = sf_op_make(SF_OP_KMALLOC);

	op.size = size;
	op.type = type;
	op.site = site;
	op.gfp = SF_GFP_KERNEL;
	return add(s, &op);
}

static void allocate_any_buffer(struct sf_scene *s, uint64_t size)
{
	uint16_t type = buffer_type(sf_rng_below(&s->rng, 2) ? "u8" : "char");
	uint16_t site = (uint16_t)(1 + sf_rng_below(&s->rng, BUFFER_SITES));

	remember(s, allocate_buffer(s, size, type, site), true, size);
}

static uint32_t forget(struct sf_scene *s, uint32_t i)
{
	uint32_t res = s->live[i].res;

	s->live[i] = s->live[--s->nr_live];
	return res;
}

static void free_result(struct sf_scene *s, uint32_t res)
{
	struct sf_op op = sf_op_make(SF_OP_KFREE);

	op.obj = res;
	add(s, &op);
}

static void change_cpu(struct sf_scene *s)
{
	struct sf_op op = sf_op_make(SF_OP_CPU);

	op.cpu = (uint8_t)sf_rng_below(&s->rng, s->opt.settings.cpus);
	add(s, &op);
}

static void kernel_steps(struct sf_scene *s, uint32_t nr)
{
	while (nr--) {
		uint64_t x = sf_rng_below(&s->rng, 100);

		if (x < 4)
			change_cpu(s);
		else if (x < 36 && s->nr_live)
			free_result(s, forget(s, (uint32_t)sf_rng_below(&s->rng, s->nr_live)));
		else if (x < 64)
			allocate_type(s, one_of(s, s->bearing, s->nr_bearing));
		else if (x < 78)
			allocate_type(s, one_of(s, s->data, s->nr_data));
		else
			allocate_any_buffer(s, 1 + sf_rng_below(&s->rng, 1ull << (4 + x % 7)));
	}
}

/* --- layouts --- */

static void copy_program(struct sf_scene *s)
{
	const struct sf_prog *p = s->opt.layout;

	for (uint32_t i = 0; i < p->nr_ops; i++) {
		struct sf_op op = p->ops[i];
		const char *name = sf_prog_str(p, op.name);

		op.name = op.name ? sf_prog_string(s->to, name, strlen(name)) : 0;
		op.expect = 0;
		add(s, &op);
	}
}

/* What has no type is taken for a buffer. */
static void take_result(struct sf_scene *s, const struct sf_op *op)
{
	bool plain = op->type >= sf_type_count || !sf_types[op->type].pointer;

	if (sf_op_table[op->code].res == SF_RES_OBJ)
		remember(s, op->res, plain, op->code == SF_OP_KMALLOC ? op->size : 0);
}

/* The program's operations, result numbers as they are. What is plain is asked of the types. */
static void lay_out_program(struct sf_scene *s)
{
	const struct sf_prog *p = s->opt.layout;
	bool *dead = sf_zalloc(p->nr_res + 1u, 1);

	copy_program(s);
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];

		if (sf_op_table[op->code].flags & (SF_OPF_FREES | SF_OPF_MOVES) &&
		    op->obj != SF_NONE)
			dead[op->obj] = true;
	}
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		const struct sf_op *op = &p->ops[i];

		if (op->res != SF_NONE && !dead[op->res] && op->cache == SF_NONE)
			take_result(s, op);
	}
	free(dead);
}

static void lay_out(struct sf_scene *s, uint32_t trial)
{
	sf_rng_seed(&s->rng, s->opt.seed * 1000003 + trial);
	s->nr_live = 0;
	if (s->opt.layout)
		lay_out_program(s);
	else
		kernel_steps(s, LAYOUT_STEPS);
}

/* --- scenarios --- */

/* A live plain buffer, taken off the list; res SF_NONE: there is none. */
static struct thing pick_plain(struct sf_scene *s)
{
	uint32_t start = s->nr_live ? (uint32_t)sf_rng_below(&s->rng, s->nr_live) : 0;

	for (uint32_t n = 0; n < s->nr_live; n++) {
		uint32_t i = (start + n) % s->nr_live;
		struct thing it = s->live[i];

		if (!it.plain)
			continue;
		forget(s, i);
		return it;
	}
	return (struct thing){ .res = SF_NONE };
}

static void mistake(struct sf_scene *s, struct sf_op *op)
{
	s->mistake = s->to->nr_ops;
	add(s, op);
}

static void misuse(struct sf_scene *s, enum sf_opcode code, uint32_t res, uint16_t bytes)
{
	struct sf_op op = sf_op_make(code);

	op.obj = res;
	op.count = bytes;
	mistake(s, &op);
}

/* Its owner goes on to use it, and frees it some time. */
static void misuse_live(struct sf_scene *s, enum sf_opcode code, uint16_t bytes)
{
	struct thing it = pick_plain(s);

	if (it.res == SF_NONE)
		return;
	misuse(s, code, it.res, bytes);
	if (s->opt.goes_on)
		remember(s, it.res, it.plain, it.size);
}

static void misuse_freed(struct sf_scene *s, enum sf_opcode code, uint32_t steps)
{
	struct thing it = pick_plain(s);

	if (it.res == SF_NONE)
		return;
	free_result(s, it.res);
	kernel_steps(s, steps);
	misuse(s, code, it.res, s->opt.bytes);
}

static void run_OVERFLOW(struct sf_scene *s)
{
	misuse_live(s, SF_OP_OVERFLOW, s->opt.bytes);
}

static void run_UNDERFLOW(struct sf_scene *s)
{
	misuse_live(s, SF_OP_UNDERFLOW, s->opt.bytes);
}

static void run_STALE(struct sf_scene *s)
{
	misuse_freed(s, SF_OP_STALE_WRITE, ONWARD_STEPS);
}

static void run_CROSS(struct sf_scene *s)
{
	uint32_t first = s->to->nr_res, chosen = first + (uint32_t)sf_rng_below(&s->rng, SPRAY);

	for (uint32_t i = 0; i < SPRAY; i++)
		allocate_buffer(s, SPRAY_SIZE, buffer_type("u8"), SPRAY_SITE);
	for (uint32_t i = 0; i < SPRAY; i++)
		free_result(s, first + i);
	for (uint32_t i = 0; i < SPRAY; i++)
		allocate_type(s, one_of(s, s->bearing, s->nr_bearing));
	misuse(s, SF_OP_STALE_WRITE, chosen, s->opt.bytes);
}

static void run_DOUBLE(struct sf_scene *s)
{
	misuse_freed(s, SF_OP_DOUBLE_FREE, ONWARD_STEPS);
}

static void run_AGAIN(struct sf_scene *s)
{
	misuse_freed(s, SF_OP_DOUBLE_FREE, 0);
}

/* In the midst of it, aligned as an object would be where there is room for that. */
static void run_INNER(struct sf_scene *s)
{
	struct thing it = pick_plain(s);

	for (uint32_t n = 0; n < 64 && it.res != SF_NONE && it.size < 32; n++)
		it = pick_plain(s);
	if (it.res == SF_NONE)
		return;
	misuse(s, SF_OP_INNER_FREE, it.res,
	       it.size < 32 ? 1 : (uint16_t)(16 + 16 * sf_rng_below(&s->rng, it.size / 16 - 1)));
	remember(s, it.res, it.plain, it.size);
}

static void run_WILD(struct sf_scene *s)
{
	struct sf_op op = sf_op_make(SF_OP_WILD_FREE);

	op.count = (uint16_t)(1 + 16 * sf_rng_below(&s->rng, 4095));
	if (s->opt.caps & SF_CAP_MALLOC)
		mistake(s, &op);
}

static void free_to_heap(struct sf_scene *s)
{
	struct sf_op get = sf_op_make(SF_OP_MALLOC), op = sf_op_make(SF_OP_HEAP_FREE);

	get.size = 16 + sf_rng_below(&s->rng, 512);
	op.obj = add(s, &get);
	op.obj2 = s->other;
	mistake(s, &op);
	get.cache = s->other;
	for (uint32_t i = 0; i < OTHERS && s->opt.goes_on; i++)
		add(s, &get);
}

static void run_FOREIGN(struct sf_scene *s)
{
	struct sf_op op = sf_op_make(SF_OP_STRANGE_FREE);

	if (s->opt.caps & SF_CAP_HEAPS) {
		free_to_heap(s);
	} else if (s->opt.caps & SF_CAP_CACHES) {
		op = sf_op_make(SF_OP_WRONG_CACHE_FREE);
		op.obj = pick_plain(s).res;
		op.obj2 = s->other;
		if (op.obj != SF_NONE)
			mistake(s, &op);
	} else if (s->opt.caps & SF_CAP_MALLOC) {
		op.count = (uint16_t)(16 + sf_rng_below(&s->rng, 512));
		mistake(s, &op);
	}
}

static void run_EDGE(struct sf_scene *s)
{
	uint16_t size = s->opt.edge[sf_rng_below(&s->rng, SF_EDGES)];
	uint32_t res = allocate_buffer(s, size, buffer_type("u8"), 1);

	misuse(s, SF_OP_OVERFLOW, res, CANARY);
	free_result(s, res);
}

static void run_GUARD(struct sf_scene *s)
{
	misuse_live(s, SF_OP_OVERFLOW, LONG_WRITE);
}

static void run_LOOK(struct sf_scene *s)
{
	uint64_t size = LOOK_MIN + sf_rng_below(&s->rng, LOOK_MAX - LOOK_MIN + 1);
	uint32_t res = allocate_buffer(s, size, buffer_type("u8"), 1);

	free_result(s, res);
	misuse(s, SF_OP_STALE_WRITE, res, (uint16_t)size);
}

static void run_REUSE(struct sf_scene *s)
{
	struct thing it = pick_plain(s);

	while (it.res != SF_NONE && !it.size)
		it = pick_plain(s);
	if (it.res == SF_NONE)
		return;
	s->mistake = s->to->nr_ops;
	free_result(s, it.res);
	for (uint32_t i = 0; i <= SF_REUSE_FREES; i++)
		free_result(s, allocate_buffer(s, it.size, buffer_type("u8"), 1));
}

static void run_PLACE(struct sf_scene *s)
{
	allocate_buffer(s, SF_PLACE_SIZE, buffer_type("u8"), 1);
	s->mistake = s->to->nr_ops;
	allocate_buffer(s, SF_PLACE_SIZE, buffer_type("u8"), 1);
}

static void (*const run[SF_SCENARIO_COUNT])(struct sf_scene *s) = {
#define X(id, name, use, doc) run_##id,
	SF_SCENARIOS(X)
#undef X
};

/* --- whole programs --- */

/* What an object is freed to that is not of it, before there is anything else. */
static void make_other(struct sf_scene *s, enum sf_scenario what)
{
	struct sf_op op = sf_op_make(SF_OP_HEAP_CREATE);

	s->other = SF_NONE;
	if (what != SF_SCENARIO_FOREIGN || s->opt.layout)
		return;
	op.size = OTHER_HEAP;
	if (s->opt.caps & SF_CAP_HEAPS) {
		s->other = add(s, &op);
	} else if (s->opt.caps & SF_CAP_CACHES) {
		op = sf_op_make(SF_OP_CACHE_CREATE);
		op.name = sf_prog_string(s->to, "other", 5);
		op.size = 96;
		s->other = add(s, &op);
	}
}

static void go_on(struct sf_scene *s)
{
	kernel_steps(s, AFTER_STEPS);
	while (s->nr_live)
		free_result(s, forget(s, s->nr_live - 1));
}

/* After these there is nothing to be seen. */
static bool ends_there(enum sf_scenario what)
{
	return what == SF_SCENARIO_GUARD || what == SF_SCENARIO_LOOK ||
	       what == SF_SCENARIO_REUSE || what == SF_SCENARIO_PLACE;
}

uint32_t sf_scene_build(struct sf_scene *s, enum sf_scenario what, uint32_t trial,
			struct sf_prog *out)
{
	sf_prog_clear(out);
	out->settings = s->opt.settings;
	s->to = out;
	s->mistake = SF_NONE;
	make_other(s, what);
	lay_out(s, what == SF_SCENARIO_PLACE ? 0 : trial);
	if (what == SF_SCENARIO_FOREIGN && s->opt.layout &&
	    s->opt.caps & (SF_CAP_HEAPS | SF_CAP_CACHES))
		return SF_NONE;
	run[what](s);
	if (s->opt.goes_on && !ends_there(what))
		go_on(s);
	return s->mistake;
}

static bool sort_types(struct sf_scene *s)
{
	s->bearing = sf_zalloc(sf_type_count, sizeof(*s->bearing));
	s->data = sf_zalloc(sf_type_count, sizeof(*s->data));
	for (uint32_t i = 1; i < sf_type_count; i++) {
		if (sf_types[i].size > SMALL_MAX)
			continue;
		if (sf_types[i].pointer)
			s->bearing[s->nr_bearing++] = (uint16_t)i;
		else
			s->data[s->nr_data++] = (uint16_t)i;
	}
	return s->nr_bearing && s->nr_data;
}

struct sf_scene *sf_scene_create(const struct sf_scene_options *opt)
{
	struct sf_scene *s = sf_zalloc(1, sizeof(*s));

	s->opt = *opt;
	if (sort_types(s))
		return s;
	sf_scene_destroy(s);
	return NULL;
}

void sf_scene_destroy(struct sf_scene *s)
{
	if (!s)
		return;
	free(s->bearing);
	free(s->data);
	free(s->live);
	free(s);
}
