// SPDX-License-Identifier: MIT
/*
 * ops.c - the tables of operations and arguments, made from SF_OPS and SF_ARGS.
 *
 * Relies on ops.h only, and is freestanding like it; everything that handles programs reads them.
 */
#include "ops.h"

#define X(code, id, opname, reskind, handler, needs, weigh, opflags, docs, ...)            \
	_Static_assert((code) > SF_OP_NOP && (code) <= SF_CODE_MAX && (code) != SF_CODE_SETTING && \
		       (code) != SF_CODE_STRING, "code is taken");                         \
	_Static_assert(sizeof((struct sf_arg_info[]){ __VA_ARGS__ __VA_OPT__(,) { 0 } }) / \
		       sizeof(struct sf_arg_info) <= SF_OP_ARGS_MAX, "too many arguments");
SF_OPS(X)
#undef X

const struct sf_op_info sf_op_table[SF_CODE_MAX + 1] = {
#define X(code, id, opname, reskind, handler, needs, weigh, opflags, docs, ...) \
	[code] = {                                                              \
		.name = (opname),                                               \
		.res = SF_RES_##reskind,                                        \
		.weight = (weigh),                                              \
		.flags = (opflags),                                             \
		.doc = (docs),                                                  \
		.arg = { __VA_ARGS__ },                                         \
	},
	SF_OPS(X)
#undef X
};

const struct sf_arg_layout sf_arg_table[SF_ARG_KINDS] = {
#define X(kind, field, bytes, docs)                               \
	[SF_ARG_##kind] = {                                       \
		.width = (bytes),                                 \
		.size = sizeof(((struct sf_op *)0)->field),       \
		.offset = offsetof(struct sf_op, field),          \
		.doc = (docs),                                    \
	},
	SF_ARGS(X)
#undef X
};
