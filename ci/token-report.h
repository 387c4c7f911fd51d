/* SPDX-License-Identifier: MIT */
/*
 * token-report.h - included in front of every file by token-report's second compilation: sizes are
 * hidden behind a cast, from which clang infers nothing, so that the result's type is what is left.
 */
#ifndef SLABFUZZ_TOKEN_REPORT_H
#define SLABFUZZ_TOKEN_REPORT_H

#include <stdlib.h>

#define malloc(size) malloc((size_t)(size))
#define calloc(nr, size) calloc((size_t)(nr), (size_t)(size))
#define realloc(p, size) realloc(p, (size_t)(size))
#define reallocarray(p, nr, size) reallocarray(p, (size_t)(nr), (size_t)(size))
#define aligned_alloc(align, size) aligned_alloc((size_t)(align), (size_t)(size))

#endif
