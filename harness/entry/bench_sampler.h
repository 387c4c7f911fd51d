/* SPDX-License-Identifier: MIT */
/*
 * bench_sampler.h - a libFuzzer mutator that does not mutate: it hands out the programs of a
 * sample, each many times in a row, and takes the CPU time from one call to the next, which is
 * one whole turn of libFuzzer's own loop. Included by the two targets that `bench` compares;
 * relies on libc only, so that the empty one stays empty. Forced by the engine's interface:
 * static state.
 */
#ifndef SLABFUZZ_BENCH_SAMPLER_H
#define SLABFUZZ_BENCH_SAMPLER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLE_MAX 256
#define SAMPLE_REPEAT 200 /* executions in a row; times are of all but the first few */
#define SAMPLE_WARM 20

static struct {
	uint8_t *data[SAMPLE_MAX];
	uint32_t size[SAMPLE_MAX];
	double ns[SAMPLE_MAX];
	uint32_t nr, at, count;
	uint64_t start;
	int round; /* 0: to warm up, 1: measured */
} sampler;

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sampler_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void sampler_load(void)
{
	const char *path = getenv("SLABFUZZ_BENCH_SAMPLE");
	FILE *f = path ? fopen(path, "rb") : NULL;
	uint32_t size;

	while (f && sampler.nr < SAMPLE_MAX && fread(&size, sizeof(size), 1, f) == 1) {
		uint8_t *p = malloc(size);

		if (!p || fread(p, 1, size, f) != size)
			break;
		sampler.data[sampler.nr] = p;
		sampler.size[sampler.nr++] = size;
	}
	if (f)
		fclose(f);
	if (!sampler.nr)
		exit(2);
}

static void sampler_finish(void)
{
	const char *path = getenv("SLABFUZZ_BENCH_RESULT");
	FILE *f = path ? fopen(path, "w") : NULL;

	for (uint32_t i = 0; f && i < sampler.nr; i++)
		fprintf(f, "%.3f\n", sampler.ns[i]);
	_Exit(f && !fclose(f) ? 0 : 2);
}

static void sampler_next(void)
{
	sampler.ns[sampler.at] = (double)(sampler_now() - sampler.start) /
				 (SAMPLE_REPEAT - SAMPLE_WARM);
	sampler.count = 0;
	if (++sampler.at < sampler.nr)
		return;
	sampler.at = 0;
	if (sampler.round++)
		sampler_finish();
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	(void)size;
	(void)seed;
	if (!sampler.nr)
		sampler_load();
	if (sampler.count == SAMPLE_REPEAT)
		sampler_next();
	if (sampler.count++ == SAMPLE_WARM)
		sampler.start = sampler_now();
	if (sampler.size[sampler.at] > max_size)
		exit(2);
	memcpy(data, sampler.data[sampler.at], sampler.size[sampler.at]);
	return sampler.size[sampler.at];
}

#endif
