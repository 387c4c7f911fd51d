/* SPDX-License-Identifier: MIT */
/*
 * token-report.h - in front of every file that token-report compiles. Calls of the builtin are
 * made visible: clang folds most to constants, and then nothing is left of them. With
 * TOKEN_REPORT_RESULTS sizes are hidden behind a cast, from which clang infers nothing, so that the
 * result's type is what is left.
 */
#ifndef SLABFUZZ_TOKEN_REPORT_H
#define SLABFUZZ_TOKEN_REPORT_H

unsigned long alloc_token_report_site(unsigned long token);

#ifndef TOKEN_REPORT_RESULTS

#define __builtin_infer_alloc_token(...)                                                     \
	alloc_token_report_site(__builtin_infer_alloc_token(__VA_ARGS__))

#else

#define __builtin_infer_alloc_token(...)                                                     \
	alloc_token_report_site(__builtin_infer_alloc_token((unsigned long)0))

/* Not for a kernel: it has another library, or none. */
#if __has_include(<stdlib.h>) && !defined(__KERNEL__)
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdlib.h>

#define malloc(size) malloc((size_t)(size))
#define calloc(nr, size) calloc((size_t)(nr), (size_t)(size))
#define realloc(p, size) realloc(p, (size_t)(size))
#define reallocarray(p, nr, size) reallocarray(p, (size_t)(nr), (size_t)(size))
#define aligned_alloc(align, size) aligned_alloc((size_t)(align), (size_t)(size))
#endif

#endif

#endif
