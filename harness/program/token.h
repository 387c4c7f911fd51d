/* SPDX-License-Identifier: MIT */
/*
 * token.h - allocation tokens as clang 22 computes them (-falloc-token-max=16, mode
 * typehashpointersplit), for compilers that cannot: SipHash-2-4 of the canonical type name modulo
 * half of the tokens, plus half of them if the type contains a pointer.
 *
 * Relies on types.h. The executor gives each allocation its token with it. Freestanding.
 */
#ifndef SLABFUZZ_TOKEN_H
#define SLABFUZZ_TOKEN_H

#include "types.h"

#define SF_TOKENS 16u /* -falloc-token-max: KMALLOC_PARTITION_CACHES_NR + 1 */

/* clang's hash of a type's name, all 64 bits. */
uint64_t sf_token_hash(const char *canonical, size_t len);
/* Of `max` tokens (0: all 64 bits' worth; 1: always 0). */
uint64_t sf_token_of(const char *canonical, bool pointer, uint64_t max);
/* Token of a type of the table; 0 for number 0. Computed, not looked up: keep it off hot paths. */
uint8_t sf_type_token(uint32_t type);

#endif
