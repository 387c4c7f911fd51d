/* SPDX-License-Identifier: MIT */
/*
 * libfuzzer_mutator.h - libFuzzer's mutation hooks on our mutator, and its coverage counters
 * forgotten at the start of an input. Included once by each target whose inputs are byte programs.
 */
#ifndef SLABFUZZ_LIBFUZZER_MUTATOR_H
#define SLABFUZZ_LIBFUZZER_MUTATOR_H

#include <stdint.h>
#include <string.h>

#include "../fuzz/fuzz.h"
#include "../generate/mutate.h"

/* Not every engine that calls us has one (AFL++, honggfuzz, Centipede). */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
				 uint8_t *out, size_t max_size, unsigned int seed);

/*
 * libFuzzer's own changes to bytes 1 time in 8: they reach encodings that ours never makes. Not for
 * inputs above the bound, which are being minimised: its mutations cannot shrink them.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t room = sf_fuzz_room(max_size);
	char mark[SF_MARK_NAME_MAX + 1];

	size = sf_fuzz_unmark(data, size, mark);
	if (LLVMFuzzerMutate && seed % 8 == 0 && size && size <= room)
		size = LLVMFuzzerMutate(data, size, room);
	else
		size = sf_mutate_bytes(data, size, room, NULL, 0, sf_fuzz_caps(), seed);
	return sf_fuzz_mark(data, size, max_size, mark, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
				 uint8_t *out, size_t max_size, unsigned int seed)
{
	size_t room = sf_fuzz_room(max_size), size = a_size < max_size ? a_size : max_size;
	char mark[SF_MARK_NAME_MAX + 1];

	memcpy(out, a, size);
	size = sf_fuzz_unmark(out, size, mark);
	size = sf_mutate_bytes(out, size, room, b, b_size, sf_fuzz_caps(), seed);
	return sf_fuzz_mark(out, size, max_size, mark, seed);
}

/*
 * The 8-bit counters of everything instrumented; the linker names the section's ends. Taken in
 * assembly, because in a file that is instrumented itself a C declaration of these names makes the
 * compiler rename its own, and libFuzzer is then told of no counters at all.
 */
__asm__(".weak __start___sancov_cntrs, __stop___sancov_cntrs\n"
	".pushsection .data.sf_counters, \"aw\"\n"
	".balign 8\n"
	".globl sf_counters\n"
	"sf_counters: .quad __start___sancov_cntrs, __stop___sancov_cntrs\n"
	".popsection\n");

extern uint8_t *const volatile sf_counters[2];

static void forget_coverage(void)
{
	if (sf_counters[0])
		memset(sf_counters[0], 0, (size_t)(sf_counters[1] - sf_counters[0]));
}

/* For the LLVMFuzzerInitialize() of what runs programs. */
static inline void use_coverage(void)
{
	sf_fuzz_forget_coverage = forget_coverage;
	if (sf_counters[0])
		sf_fuzz_counters(sf_counters[0], sf_counters[1]);
}

#endif
