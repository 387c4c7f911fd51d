// SPDX-License-Identifier: MIT
/*
 * libfuzzer_bytes.c - libFuzzer target for the byte decoder: any bytes are a program, and text and
 * bytes of it agree. Relies on fuzz.c.
 */
#include "libfuzzer_mutator.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sf_fuzz_setup();
	forget_coverage();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sf_fuzz_bytes(data, size);
	return 0;
}
