// SPDX-License-Identifier: MIT
/*
 * libfuzzer_bench.c - the program target, fed by the benchmark's sampler: what `bench` times.
 */
#include "../fuzz/fuzz.h"
#include "bench_sampler.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sf_fuzz_setup();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sf_fuzz_program(data, size);
	return 0;
}
