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

/*
 * Reads the names of the functions of the program and of what is loaded. Before the first crash,
 * and again when more was loaded; not from several threads at once.
 */
void sf_where_setup(void);
/*
 * Of a crash of that kind ("SEGV", "use-after-poison": `len` bytes), whose stack is `pc`, innermost
 * first, addresses of instructions and not of what comes after a call. Named is the first function
 * that is neither the system's nor the sanitizer's nor an assertion's own; "at libx.so+0x1234" (from
 * the begin of the file) where a library or the program has no name for it. Allocates nothing:
 * signal handlers call it.
 */
void sf_where_title(const char *kind, size_t len, const uintptr_t *pc, unsigned int nr,
		    char title[SF_CRASH_MAX]);

#endif
