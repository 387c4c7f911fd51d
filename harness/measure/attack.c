// SPDX-License-Identifier: MIT
/*
 * attack.c - attack.h: layouts, scenarios, and the counting of what they reached.
 *
 * A layout is what a kernel's heap looks like to one who did not make it: objects of the type
 * table, each type from a few call sites, and plain buffers, allocated and freed in turn on two
 * CPUs. Everything is drawn from the trial's number and nothing else.
 */
#include "attack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../exec/exec.h"
#include "../../allocators/base/grow.h"
#include "../../allocators/base/rng.h"
#include "../program/types.h"

enum {
	LAYOUT_STEPS = 900,
	ONWARD_STEPS = 120,   /* "the kernel goes on" */
	SPRAY = 2048,         /* objects of the cross-cache scenario: far more than stay parked */
	SPRAY_SITE = 77,
	SPRAY_SIZE = 256,
	SMALL_MAX = 1024,     /* larger types would be few and far between */
	BUFFER_SITES = 64,
};

const struct sf_scenario_info sf_scenarios[SF_SCENARIO_COUNT] = {
#define X(id, name, doc) { name, doc },
	SF_SCENARIOS(X)
#undef X
};

/* A result of the layout. */
struct thing {
	uint32_t res;
	bool plain;
};

struct lab {
	const struct sf_attack_options *opt;
	struct sf_exec *exec;
	struct sf_rng rng;
	uint16_t *bearing, *data;   /* type numbers with and without pointers, SMALL_MAX at most */
	uint32_t nr_bearing, nr_data;
	struct thing *live;
	uint32_t nr_live, cap_live;
	uint32_t next_res;
	bool going;
	/* what the last misuse reached */
	bool attacked, noticed;
	uint32_t reached;
};

static void listen(void *ctx, const struct sf_event *ev)
{
	struct lab *l = ctx;

	if (ev->type != SF_EV_ATTACK)
		return;
	l->attacked = true;
	l->noticed = ev->attack.noticed;
	l->reached = ev->attack.reached;
}

static void step(struct lab *l, const struct sf_op *op)
{
	l->going = l->going && sf_exec_step(l->exec, op, "");
}

static void remember(struct lab *l, uint32_t res, bool plain)
{
	SF_GROW(l->live, l->nr_live, l->cap_live);
	l->live[l->nr_live++] = (struct thing){ res, plain };
}

/* --- what a kernel does --- */

static uint16_t one_of(struct lab *l, const uint16_t *types, uint32_t nr)
{
	return types[sf_rng_below(&l->rng, nr)];
}

/* Each type is allocated at a few places of its own. */
static uint16_t site_of(struct lab *l, uint16_t type)
{
	return (uint16_t)(1000 + 4u * type + sf_rng_below(&l->rng, 3));
}

static void allocate_type(struct lab *l, uint16_t type)
{
	struct sf_op op = sf_op_make(SF_OP_KMALLOC_OBJ);

	op.type = type;
	op.site = site_of(l, type);
	op.gfp = SF_GFP_KERNEL;
	op.res = l->next_res++;
	step(l, &op);
	remember(l, op.res, !sf_types[type].pointer);
}

static uint16_t buffer_type(const char *name)
{
	return (uint16_t)sf_type_index(sf_type_by_name(name, strlen(name)));
}

static void allocate_buffer(struct lab *l, uint64_t size, uint16_t type, uint16_t site)
{
	struct sf_op op = sf_op_make(SF_OP_KMALLOC);

	op.size = size;
	op.type = type;
	op.site = site;
	op.gfp = SF_GFP_KERNEL;
	op.res = l->next_res++;
	step(l, &op);
	remember(l, op.res, true);
}

static void allocate_any_buffer(struct lab *l, uint64_t size)
{
	uint16_t type = buffer_type(sf_rng_below(&l->rng, 2) ? "u8" : "char");

	allocate_buffer(l, size, type, (uint16_t)(1 + sf_rng_below(&l->rng, BUFFER_SITES)));
}

static uint32_t forget(struct lab *l, uint32_t i)
{
	uint32_t res = l->live[i].res;

	l->live[i] = l->live[--l->nr_live];
	return res;
}

static void free_result(struct lab *l, uint32_t res)
{
	struct sf_op op = sf_op_make(SF_OP_KFREE);

	op.obj = res;
	step(l, &op);
}

static void change_cpu(struct lab *l)
{
	struct sf_op op = sf_op_make(SF_OP_CPU);

	op.cpu = (uint8_t)sf_rng_below(&l->rng, l->opt->settings.cpus);
	step(l, &op);
}

static void kernel_steps(struct lab *l, uint32_t nr)
{
	while (nr-- && l->going) {
		uint64_t x = sf_rng_below(&l->rng, 100);

		if (x < 4)
			change_cpu(l);
		else if (x < 36 && l->nr_live)
			free_result(l, forget(l, (uint32_t)sf_rng_below(&l->rng, l->nr_live)));
		else if (x < 64)
			allocate_type(l, one_of(l, l->bearing, l->nr_bearing));
		else if (x < 78)
			allocate_type(l, one_of(l, l->data, l->nr_data));
		else
			allocate_any_buffer(l, 1 + sf_rng_below(&l->rng, 1ull << (4 + x % 7)));
	}
}

/* --- layouts --- */

/*
 * The program's operations, result numbers as they are. What is plain is asked of the types; what
 * has no type is taken for a buffer.
 */
static void lay_out_program(struct lab *l)
{
	const struct sf_prog *p = l->opt->layout;
	bool *dead = sf_zalloc(p->nr_res + 1u, 1);

	for (uint32_t i = 0; i < p->nr_ops && l->going; i++) {
		const struct sf_op *op = &p->ops[i];
		unsigned int flags = sf_op_table[op->code].flags;

		l->going = sf_exec_step(l->exec, op, p->strings);
		if ((flags & (SF_OPF_FREES | SF_OPF_MOVES)) && op->obj != SF_NONE)
			dead[op->obj] = true;
	}
	for (uint32_t i = 0; i < p->nr_ops && l->going; i++) {
		const struct sf_op *op = &p->ops[i];

		if (op->res == SF_NONE || dead[op->res] || op->cache != SF_NONE ||
		    sf_op_table[op->code].res != SF_RES_OBJ)
			continue;
		remember(l, op->res, op->type >= sf_type_count || !sf_types[op->type].pointer);
	}
	l->next_res = p->nr_res;
	free(dead);
}

static void lay_out(struct lab *l, uint32_t trial)
{
	sf_rng_seed(&l->rng, l->opt->seed * 1000003 + trial);
	l->nr_live = l->next_res = 0;
	l->going = true;
	l->attacked = false;
	if (l->opt->layout)
		lay_out_program(l);
	else
		kernel_steps(l, LAYOUT_STEPS);
}

/* --- scenarios --- */

/* A live plain buffer, taken off the list; SF_NONE: there is none. */
static uint32_t pick_plain(struct lab *l)
{
	uint32_t start = l->nr_live ? (uint32_t)sf_rng_below(&l->rng, l->nr_live) : 0;

	for (uint32_t n = 0; n < l->nr_live; n++) {
		uint32_t i = (start + n) % l->nr_live;

		if (l->live[i].plain)
			return forget(l, i);
	}
	return SF_NONE;
}

static void misuse(struct lab *l, enum sf_opcode code, uint32_t res)
{
	struct sf_op op = sf_op_make(code);

	op.obj = res;
	op.count = l->opt->bytes;
	step(l, &op);
}

static void misuse_live(struct lab *l, enum sf_opcode code)
{
	uint32_t res = pick_plain(l);

	if (res != SF_NONE)
		misuse(l, code, res);
}

static void misuse_freed(struct lab *l, enum sf_opcode code)
{
	uint32_t res = pick_plain(l);

	if (res == SF_NONE)
		return;
	free_result(l, res);
	kernel_steps(l, ONWARD_STEPS);
	misuse(l, code, res);
}

static void run_OVERFLOW(struct lab *l)
{
	misuse_live(l, SF_OP_OVERFLOW);
}

static void run_UNDERFLOW(struct lab *l)
{
	misuse_live(l, SF_OP_UNDERFLOW);
}

static void run_STALE(struct lab *l)
{
	misuse_freed(l, SF_OP_STALE_WRITE);
}

static void run_CROSS(struct lab *l)
{
	uint32_t first = l->next_res, chosen = first + (uint32_t)sf_rng_below(&l->rng, SPRAY);
	uint32_t before = l->nr_live;

	for (uint32_t i = 0; i < SPRAY && l->going; i++)
		allocate_buffer(l, SPRAY_SIZE, buffer_type("u8"), SPRAY_SITE);
	l->nr_live = before;
	for (uint32_t i = 0; i < SPRAY && l->going; i++)
		free_result(l, first + i);
	for (uint32_t i = 0; i < SPRAY && l->going; i++)
		allocate_type(l, one_of(l, l->bearing, l->nr_bearing));
	misuse(l, SF_OP_STALE_WRITE, chosen);
}

static void run_DOUBLE(struct lab *l)
{
	misuse_freed(l, SF_OP_DOUBLE_FREE);
}

static void (*const run[SF_SCENARIO_COUNT])(struct lab *l) = {
#define X(id, name, doc) run_##id,
	SF_SCENARIOS(X)
#undef X
};

static void count(const struct lab *l, struct sf_attack_result *r)
{
	if (!l->attacked) {
		r->left_out++;
		return;
	}
	r->trials++;
	r->noticed += l->noticed;
	for (unsigned int i = 0; i < SF_REACHES; i++)
		r->reached[i] += l->reached >> i & 1;
}

static bool prepare(struct lab *l)
{
	l->bearing = sf_zalloc(sf_type_count, sizeof(*l->bearing));
	l->data = sf_zalloc(sf_type_count, sizeof(*l->data));
	for (uint32_t i = 1; i < sf_type_count; i++) {
		if (sf_types[i].size > SMALL_MAX)
			continue;
		if (sf_types[i].pointer)
			l->bearing[l->nr_bearing++] = (uint16_t)i;
		else
			l->data[l->nr_data++] = (uint16_t)i;
	}
	return l->nr_bearing && l->nr_data;
}

/* One trial of each scenario, on a heap that this trial's seed decides. */
static bool run_trial(struct lab *l, uint32_t trial, struct sf_attack_result *result,
		      struct sf_error *err)
{
	static const struct sf_exec_options how = { .end = SF_END_PLAIN, .contents = true };
	struct sf_settings set = l->opt->settings;

	set.misuse = 1;
	set.seed = l->opt->seed * 1000003 + trial;
	l->exec = sf_exec_create(l->opt->allocator, &set, &how, listen, l, err);
	if (!l->exec)
		return false;
	for (unsigned int s = 0; s < SF_SCENARIO_COUNT; s++) {
		sf_exec_begin(l->exec, sf_scenarios[s].name);
		lay_out(l, trial);
		run[s](l);
		count(l, &result[s]);
		sf_exec_end(l->exec);
	}
	sf_exec_destroy(l->exec);
	return true;
}

bool sf_attack_run(const struct sf_attack_options *opt,
		   struct sf_attack_result result[SF_SCENARIO_COUNT], struct sf_error *err)
{
	struct lab l = { .opt = opt };
	bool fine = prepare(&l);

	memset(result, 0, SF_SCENARIO_COUNT * sizeof(*result));
	if (!(opt->allocator->caps & SF_CAP_MISUSE)) {
		snprintf(err->text, sizeof(err->text), "%s cannot be misused: it has no 'misuse'",
			 opt->allocator->name);
		fine = false;
	}
	for (uint32_t i = 0; fine && i < opt->trials; i++)
		fine = run_trial(&l, i, result, err);
	free(l.bearing);
	free(l.data);
	free(l.live);
	return fine;
}
