// SPDX-License-Identifier: MIT
/*
 * libfuzzer_canary.c - a libFuzzer target that fails on purpose: if its find is not made, saved,
 * titled and reported, then no other target's would be either. Relies on fuzz.c; the end-to-end
 * tests run it.
 */
#include "libfuzzer_mutator.h"
#include "../program/program.h"

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

__attribute__((noinline)) static void canary_sings(void)
{
	if (sf_fuzz_caught("CANARY-1: a kmalloc object is freed on another CPU",
			   "This target fails on purpose; nothing is wrong with the allocator."))
		__builtin_trap();
}

/* The CPU that operation `index` runs on. */
static uint8_t cpu_at(const struct sf_prog *p, uint32_t index)
{
	while (index--)
		if (p->ops[index].code == SF_OP_CPU)
			return p->ops[index].cpu;
	return 0;
}

static bool has_remote_free(const struct sf_prog *p)
{
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		if (p->ops[i].code != SF_OP_KFREE)
			continue;
		for (uint32_t k = 0; k < i; k++)
			if (p->ops[k].code == SF_OP_KMALLOC && p->ops[k].res == p->ops[i].obj)
				if (cpu_at(p, k) != cpu_at(p, i))
					return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sf_fuzz_program(data, size);
	if (has_remote_free(sf_fuzz_last()))
		canary_sings();
	return 0;
}
