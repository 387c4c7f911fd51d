// SPDX-License-Identifier: MIT
/*
 * model-so.c - what a shared object of models exports (ci/model-so.sh): compiled with the headers
 * of the tree that it is made of.
 */
#include "allocator.h"

#include "../allocators/load_model.h"

__attribute__((visibility("default"))) extern const struct slabfuzz_models slabfuzz_models;
const struct slabfuzz_models slabfuzz_models = SLABFUZZ_MODELS;
