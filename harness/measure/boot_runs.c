// SPDX-License-Identifier: MIT
/*
 * boot_runs.c - boot_runs.h: the program of a boot. Call sites far apart and every type of the
 * table, so that partitions show; enough objects of one class for two slabs; all of the largest
 * blocks, taken and given back; a page; and the call sites once more, at the end.
 *
 * Relies on the executor; `slabfuzz boots` and the tests rely on it.
 */
#include "boot_runs.h"

#include "../exec/exec.h"
#include "../program/types.h"

#define SITES 8u
#define SITE_STEP 997u   /* code locations well over 64 KiB apart */
#define CLASS 512u       /* 16 objects a slab with two CPUs */
#define LARGE_BLOCKS 12u

static void step(struct sf_exec *x, struct sf_op *op, uint32_t *res)
{
	if (sf_op_table[op->code].res != SF_RES_NONE)
		op->res = (*res)++;
	sf_exec_step(x, op, "");
}

static void show_sites(struct sf_exec *x, uint32_t *res)
{
	struct sf_op op = sf_op_make(SF_OP_KMALLOC);

	op.gfp = SF_GFP_KERNEL;
	op.size = 64;
	for (uint32_t i = 0; i < SITES; i++) {
		op.site = (uint16_t)(1 + i * SITE_STEP);
		step(x, &op, res);
	}
}

static void show_types(struct sf_exec *x, uint32_t *res)
{
	struct sf_op op = sf_op_make(SF_OP_KMALLOC_OBJ);

	op.gfp = SF_GFP_KERNEL;
	for (uint32_t i = 1; i < sf_type_count; i++) {
		op.type = (uint16_t)i;
		if (sf_types[i].size <= SF_PAGE_SIZE / 4)
			step(x, &op, res);
	}
}

static void show_slabs(struct sf_exec *x, uint32_t *res)
{
	struct sf_op op = sf_op_make(SF_OP_KMALLOC);

	op.gfp = SF_GFP_KERNEL;
	op.size = CLASS;
	op.site = 1;
	for (uint32_t i = 0; i < 40; i++)
		step(x, &op, res);
}

static void show_blocks(struct sf_exec *x, uint32_t *res)
{
	struct sf_op alloc = sf_op_make(SF_OP_ALLOC_PAGES), give = sf_op_make(SF_OP_FREE_PAGES);
	uint32_t first = *res;

	alloc.gfp = SF_GFP_KERNEL | SF_GFP_NOWARN | SF_GFP_NORETRY;
	step(x, &alloc, res);
	alloc.order = SF_NR_ORDERS - 1;
	for (uint32_t i = 0; i < LARGE_BLOCKS; i++)
		step(x, &alloc, res);
	for (uint32_t i = first + 1; i < *res; i++) {
		give.obj = i;
		sf_exec_step(x, &give, "");
	}
}

bool sf_boots_drive(const struct sf_allocator *a, const struct sf_settings *set, uint32_t boots,
		    void (*emit)(void *ctx, const struct sf_event *ev), void *ctx,
		    struct sf_error *err)
{
	static const struct sf_exec_options how = { .end = SF_END_PLAIN };
	struct sf_settings seeded = *set;

	for (uint32_t i = 0; i < boots; i++, seeded.seed++) {
		struct sf_exec *x = sf_exec_create(a, &seeded, &how, emit, ctx, err);
		uint32_t res = 0;

		if (!x)
			return false;
		sf_exec_begin(x, "boot");
		show_blocks(x, &res);
		show_sites(x, &res);
		show_types(x, &res);
		show_slabs(x, &res);
		show_sites(x, &res);
		sf_exec_end(x);
		sf_exec_destroy(x);
	}
	return true;
}
