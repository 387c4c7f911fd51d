// SPDX-License-Identifier: MIT
/*
 * libfuzzer_program.c - the main libFuzzer target: bytes -> program -> allocator -> oracles. Relies
 * on fuzz.c; `make fuzz` runs it.
 */
#include "libfuzzer_mutator.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sf_fuzz_setup();
	use_coverage();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sf_fuzz_program(data, size);
	return 0;
}
