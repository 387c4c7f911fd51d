/* SPDX-License-Identifier: MIT */
/*
 * where.h - the title of a crash (where.c): "ASan: SEGV in slab_free". The one place where such
 * titles are made, whether AddressSanitizer reports the crash or the process survives its signal,
 * with and without a symbolizer, so that one crash has one title.
 */
#ifndef SLABFUZZ_WHERE_H
#define SLABFUZZ_WHERE_H

#include <stddef.h>
#include <stdint.h>

enum { SF_CRASH_MAX = 80 };

/* Reads the names of the program's functions. Before the first crash; may be called again. */
void sf_where_setup(void);
/*
 * Those of a shared object that is loaded, too: an allocator's. What is no such path adds nothing.
 * Where its section of that name is, NULL: there is none.
 */
uint8_t *sf_where_add(const char *path, const char *section, size_t *size);
/*
 * Of a crash of that kind ("SEGV", "use-after-poison": `len` bytes), whose stack is `pc`, innermost
 * first, addresses of instructions and not of what comes after a call. Named is the first function
 * of the program, or of an allocator from outside, that is neither the sanitizer's nor an
 * assertion's own; "at +0x1234" (from the begin of the program's file) where the program has no
 * symbols. Allocates nothing: signal handlers call it.
 */
void sf_where_title(const char *kind, size_t len, const uintptr_t *pc, unsigned int nr,
		    char title[SF_CRASH_MAX]);

#endif
