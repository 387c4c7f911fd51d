// SPDX-License-Identifier: MIT
/*
 * libfuzzer_bench_empty.c - a target that does nothing, built like the others and fed by the same
 * sampler: what an execution costs by itself.
 */
#include "bench_sampler.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	(void)data;
	(void)size;
	return 0;
}
