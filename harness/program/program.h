/* SPDX-License-Identifier: MIT */
/*
 * program.h - a program in memory, and its two encodings.
 *
 * A program is a heap (settings) and a list of operations. Three laws hold, each a property test
 * and a fuzz target: every byte string decodes to a valid program; text -> bytes -> text is the
 * identity; decoding is a pure function.
 *
 * *Valid* means: results are numbered 0, 1, 2 … in the order in which operations define them
 * (one number space; text shows caches as c0, c1 … and all others as r0, r1 …, counted apart);
 * a reference names an earlier result of a fitting kind that no operation in between frees for
 * certain (a realloc does so only if it succeeds, so both names may be used after it; what a
 * cache gave or a device owns dies with it); kmem_cache_free() and the devm_ family name the cache
 * or device that their object came from; live caches have different names; values are in the range
 * of their kind; only a heap whose settings allow misuse has operations that misuse it, and what
 * these take for dead is dead for certain. What is only known when it runs (an allocation failed, a
 * realloc moved) is the executor's to skip, counted.
 */
#ifndef SLABFUZZ_PROGRAM_H
#define SLABFUZZ_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "../../allocators/allocator.h"
#include "ops.h"

/* A bound for the fuzzers' decoder, so that one input takes bounded time. Files may be longer. */
#define SF_FUZZ_OPS_MAX 512u
#define SF_RECORD_SIZE 32u
#define SF_BYTES_VERSION 1u
#define SF_STRING_MAX 120u /* bytes in a name or an expectation */

struct sf_prog {
	struct sf_settings settings;
	struct sf_op *ops;
	uint32_t nr_ops, cap_ops;
	uint32_t nr_res;          /* results defined */
	char *strings;            /* NUL-terminated strings; offset 0 is "" */
	uint32_t nr_strings, cap_strings; /* bytes */
	struct sf_live *live;     /* scratch of fixup, decode and parse (live.h), kept while warm */
};

/* Where and why text was refused: "FILE:LINE:COL: message". */
struct sf_text_error {
	uint32_t line, col; /* from 1 */
	char text[200];     /* what was expected */
};

/* Memory comes from malloc; running out of it ends the process (exit 3 in the command). */
void sf_prog_init(struct sf_prog *p);
void sf_prog_clear(struct sf_prog *p); /* empty again, keeps its memory */
void sf_prog_free(struct sf_prog *p);
/* Appends a copy, gives its `res` the next number if its kind defines one. Returns it. */
struct sf_op *sf_prog_add(struct sf_prog *p, const struct sf_op *op);
uint32_t sf_prog_string(struct sf_prog *p, const char *s, size_t len);
/*
 * Whether an expectation is bound to an allocator with these capabilities, by its condition ("if
 * large", "unless random|typed") or, without one, by what it names; `body` is what it expects then.
 */
bool sf_expect_applies(const char *expect, uint64_t caps, char body[SF_STRING_MAX + 1]);
/* The word that an expectation has for a status (enum sf_status); "?": it is none. */
const char *sf_status_name(uint8_t status);
static inline const char *sf_prog_str(const struct sf_prog *p, uint32_t off)
{
	return off ? p->strings + off : "";
}
/* An operation with every reference SF_NONE and everything else zero. */
struct sf_op sf_op_make(enum sf_opcode code);
bool sf_prog_equal(const struct sf_prog *a, const struct sf_prog *b);

/*
 * Makes any list of operations valid. On the way in `res` and references are labels: a reference
 * means the latest operation before it whose `res` is that number (so operations may be deleted,
 * copied and moved without renumbering); SF_NONE as `res` is a result that is not named. What does
 * not fit is re-pointed (to the newest live result of the right kind; where there is none to
 * NULL if the operation takes it, else the operation is dropped); kmem_cache_free() follows its
 * object's cache, devm_kfree() its object's device; values are clamped, alignments rounded down to
 * a power of two, CPUs and tokens taken modulo; results are renumbered. Idempotent; a valid program
 * is not changed. Returns the number of operations dropped.
 */
uint32_t sf_prog_fixup(struct sf_prog *p);

/* Text (text.c). `name` is for messages of the caller only. 0, or -1 with *err filled in. */
int sf_text_parse(struct sf_prog *p, const char *text, size_t len, struct sf_text_error *err);

/* Canonical text of the whole program, or of one operation, into a stdio stream. */
#include <stdio.h>
void sf_text_write(const struct sf_prog *p, FILE *out);
void sf_text_write_op(const struct sf_prog *p, uint32_t index, FILE *out);

/*
 * Bytes (bytes.c). decode() accepts everything; at most max_ops operations are taken (0: all).
 * encode() returns the length, and writes it if it fits in `cap` (like snprintf).
 */
void sf_bytes_decode(struct sf_prog *p, const uint8_t *data, size_t len, uint32_t max_ops);
size_t sf_bytes_encode(const struct sf_prog *p, uint8_t *out, size_t cap);
/* Programs written by encode() begin with these 4 bytes; decode() does not insist. */
#define SF_BYTES_MAGIC "SFb\1"

#endif
