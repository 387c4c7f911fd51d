// SPDX-License-Identifier: MIT
/*
 * words.c - which words an allocator is asked in: by its capabilities, so that next to nothing is
 * skipped, and a program in other words is said in its own.
 *
 * Relies on the table of operations; generate.c, draw.c and mutate.c rely on it.
 */
#include "../exec/exec.h"
#include "mutate_internal.h"

bool sf_is_user_word(enum sf_opcode code)
{
	return sf_exec_needs(code) & SF_CAP_MALLOC;
}

/* Of no world: contents, snapshots, and misuse of any object. */
static bool is_common(enum sf_opcode code)
{
	const struct sf_op_info *info = &sf_op_table[code];

	return code == SF_OP_CHECK || info->flags & SF_OPF_POOLED ||
	       (info->flags & SF_OPF_MISUSE &&
		!(info->flags & (SF_OPF_FREES | SF_OPF_POOL)));
}

bool sf_word_fits(enum sf_opcode code, uint64_t caps)
{
	if (sf_exec_needs(code) & ~caps)
		return false;
	return !(caps & SF_CAP_MALLOC) || sf_is_user_word(code) || is_common(code);
}

/* What an operation is for, in whatever words. */
enum meaning {
	MEANS_NOTHING,
	MEANS_ALLOC,
	MEANS_ZALLOC,
	MEANS_ARRAY,
	MEANS_ALIGNED,
	MEANS_REALLOC,
	MEANS_FREE,
	MEANINGS,
};

static enum meaning meaning_of(const struct sf_op_info *info)
{
	bool defines = info->res >= SF_RES_OBJ && info->res < SF_RES_CACHE;

	if (info->flags & SF_OPF_MISUSE)
		return MEANS_NOTHING;
	if (info->flags & SF_OPF_MOVES)
		return MEANS_REALLOC;
	if (info->flags & SF_OPF_FREES)
		return MEANS_FREE;
	if (!defines)
		return MEANS_NOTHING;
	if (info->flags & SF_OPF_ARRAY)
		return MEANS_ARRAY;
	if (info->flags & SF_OPF_ZERO)
		return MEANS_ZALLOC;
	return info->res == SF_RES_PAGES || info->res == SF_RES_EXACT ||
		info->res == SF_RES_ALIGNED || info->res == SF_RES_MEMALIGNED ? MEANS_ALIGNED :
										MEANS_ALLOC;
}

/* The first that fits says it. */
static const uint8_t user_words[MEANINGS][3] = {
	[MEANS_ALLOC] = { SF_OP_MALLOC },
	[MEANS_ZALLOC] = { SF_OP_CALLOC, SF_OP_MALLOC },
	[MEANS_ARRAY] = { SF_OP_CALLOC, SF_OP_MALLOC },
	[MEANS_ALIGNED] = { SF_OP_ALIGNED_ALLOC, SF_OP_POSIX_MEMALIGN, SF_OP_MALLOC },
	[MEANS_REALLOC] = { SF_OP_REALLOC, SF_OP_MALLOC },
	[MEANS_FREE] = { SF_OP_FREE },
};
static const uint8_t kernel_words[MEANINGS][3] = {
	[MEANS_ALLOC] = { SF_OP_KMALLOC },
	[MEANS_ZALLOC] = { SF_OP_KZALLOC },
	[MEANS_ARRAY] = { SF_OP_KCALLOC },
	[MEANS_ALIGNED] = { SF_OP_ALLOC_PAGES, SF_OP_KMALLOC },
	[MEANS_REALLOC] = { SF_OP_KREALLOC, SF_OP_KMALLOC },
	[MEANS_FREE] = { SF_OP_KFREE },
};

static enum sf_opcode word_for(enum meaning m, uint64_t caps)
{
	const uint8_t *w = caps & SF_CAP_MALLOC ? user_words[m] : kernel_words[m];

	for (unsigned int i = 0; i < sizeof(user_words[m]); i++)
		if (w[i] && sf_word_fits(w[i], caps))
			return w[i];
	return SF_OP_NOP;
}

/* The same operation in another word. False: there is none. */
static bool respell(struct sf_op *op, uint64_t caps)
{
	const struct sf_op_info *was = &sf_op_table[op->code];
	enum meaning m = meaning_of(was);
	enum sf_opcode code = word_for(m, caps);
	struct sf_op to = sf_op_make(code);

	if (code == SF_OP_NOP)
		return false;
	to.res = sf_op_table[code].res == SF_RES_NONE ? SF_NONE : op->res;
	to.obj = sf_op_table[code].flags & (SF_OPF_FREES | SF_OPF_MOVES) ? op->obj : SF_NONE;
	to.size = op->size;
	to.n = m == MEANS_ZALLOC ? 1 : op->n;
	to.gfp = SF_GFP_KERNEL;
	to.align = 16;
	if (was->res == SF_RES_PAGES || was->res == SF_RES_EXACT) {
		to.align = SF_PAGE_SIZE;
		to.size = was->res == SF_RES_PAGES ? SF_PAGE_SIZE << op->order : op->size;
	}
	if (!to.size && was->res != SF_RES_NONE) /* a type's, or a cache's */
		to.size = op->type ? 16ull * op->type : 64;
	*op = to;
	return true;
}

bool sf_prog_respell(struct sf_prog *p, uint64_t caps)
{
	uint32_t to = 0;
	bool changed = false;

	for (uint32_t i = 0; i < p->nr_ops; i++) {
		struct sf_op op = p->ops[i];
		bool fits = sf_word_fits(op.code, caps);

		changed |= !fits;
		if (fits || respell(&op, caps))
			p->ops[to++] = op;
	}
	p->nr_ops = to;
	return changed;
}
