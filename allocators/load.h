/* SPDX-License-Identifier: MIT */
/*
 * load.h - shared objects of strangers: opened with a word for each way in which that can fail, and
 * their symbols, which must be their own. Relied on by load_malloc.c and load_plugin.c.
 */
#ifndef SLABFUZZ_LOAD_H
#define SLABFUZZ_LOAD_H

#include "allocator.h"

struct load;

/* Why an object is refused that calls a sanitizer's functions: this process has none. */
#define SF_LOAD_SANITIZERS                                                                         \
	"built with sanitizers: fuzz takes it; else build it without, or run "                     \
	"build/asan/slabfuzz"

/*
 * `apart`: with a C library of its own where that can be, so that nothing of this process calls
 * into it, and it into nothing of this process. NULL: *err says why.
 */
struct load *load_open(const char *path, bool apart, struct sf_error *err);
/* NULL: it defines no such symbol (libraries that it needs do not count). */
void *load_symbol(const struct load *l, const char *name);
/* ... and those count. */
void *load_symbol_any(const struct load *l, const char *name);
/* Bytes of the object that the symbol names, 0: not known. */
uint64_t load_symbol_size(const struct load *l, const void *symbol);
/* Something of this process can be called there. */
bool load_callable(const void *p);
/* Its path, as the loader found it. */
const char *load_path(const struct load *l);

#endif
