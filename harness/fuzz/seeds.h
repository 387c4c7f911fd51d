/* SPDX-License-Identifier: MIT */
/*
 * seeds.h - what an engine begins with: programs of folders, as bytes (seeds.c). Relies on both
 * encodings.
 */
#ifndef SLABFUZZ_SEEDS_H
#define SLABFUZZ_SEEDS_H

#include <stdbool.h>

#include "../../allocators/allocator.h"

/*
 * Makes `to` anew, with all files of the folders (NULL ends them) but Markdown: texts (NAME.txt) as
 * bytes, all else as it is; `raw`: everything as it is. False: err says what cannot be read.
 */
bool sf_seeds_prepare(const char *to, const char *const *folders, bool raw, struct sf_error *err);

#endif
