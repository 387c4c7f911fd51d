// SPDX-License-Identifier: MIT
/*
 * libfuzzer_trace.c - libFuzzer target for the trace importer: a recording, however broken, is read
 * or refused in words, and counts add up. Relies on fuzz.c. libFuzzer mutates the recording itself.
 */
#include "../fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sf_fuzz_setup();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sf_fuzz_trace(data, size);
	return 0;
}
