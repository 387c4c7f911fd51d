/* SPDX-License-Identifier: MIT */
/*
 * libfuzzer_mutator.h - libFuzzer's mutation hooks on our mutator, and its coverage counters
 * forgotten at the start of an input. Included once by each target whose inputs are byte programs.
 */
#ifndef SLABFUZZ_LIBFUZZER_MUTATOR_H
#define SLABFUZZ_LIBFUZZER_MUTATOR_H

#include <stdint.h>
#include <string.h>

#include "../fuzz.h"
#include "../mutate.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
				 uint8_t *out, size_t max_size, unsigned int seed);

/*
 * libFuzzer's own changes to bytes 1 time in 8: they reach encodings that ours never makes. Not for
 * inputs above the bound, which are being minimised: its mutations cannot shrink them.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	if (seed % 8 == 0 && size && size <= max_size)
		return LLVMFuzzerMutate(data, size, max_size);
	return sf_mutate_bytes(data, size, max_size, NULL, 0, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
				 uint8_t *out, size_t max_size, unsigned int seed)
{
	size_t size = a_size < max_size ? a_size : max_size;

	memcpy(out, a, size);
	return sf_mutate_bytes(out, size, max_size, b, b_size, seed);
}

/* The 8-bit counters of everything instrumented; the linker names the section's ends. */
extern uint8_t __start___sancov_cntrs[] __attribute__((weak));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak));

static void forget_coverage(void)
{
	if (__start___sancov_cntrs)
		memset(__start___sancov_cntrs, 0,
		       (size_t)(__stop___sancov_cntrs - __start___sancov_cntrs));
}

#endif
