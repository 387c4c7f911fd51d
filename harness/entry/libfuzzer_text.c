// SPDX-License-Identifier: MIT
/*
 * libfuzzer_text.c - libFuzzer target for the text parser: what it accepts survives text -> bytes
 * -> text, what it refuses it refuses in words. Relies on fuzz.c, and on our mutator for text that
 * still parses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/fuzz.h"
#include "../generate/mutate.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sf_fuzz_setup();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sf_fuzz_text(data, size);
	return 0;
}

/* The program in `data`, changed, or a new one, as text; 0 if it does not fit. */
static size_t mutate_program(uint8_t *data, size_t size, size_t max_size, struct sf_rng *r)
{
	static struct sf_prog p;
	struct sf_text_error err;
	struct sf_swarm sw;
	char *text = NULL;
	size_t len = 0;
	FILE *f;

	if (!p.cap_ops)
		sf_prog_init(&p);
	if (sf_text_parse(&p, (const char *)data, size, &err)) {
		sf_swarm_draw(&sw, SF_DRAW_KERNEL, r);
		sf_generate(&p, 1 + (uint32_t)sf_rng_below(r, 16), &sw, r);
	} else {
		sf_mutate(&p, NULL, SF_DRAW_KERNEL, r);
	}
	f = open_memstream(&text, &len);
	if (!f)
		abort();
	sf_text_write(&p, f);
	fclose(f);
	if (len > max_size)
		len = 0;
	memcpy(data, text, len);
	free(text);
	return len;
}

/*
 * Valid text from our mutator, then often damaged by libFuzzer's: both sides of the parser are
 * seen.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct sf_rng r;
	size_t len = 0;

	sf_rng_seed(&r, seed);
	if (size <= max_size && sf_rng_below(&r, 2))
		len = mutate_program(data, size, max_size, &r);
	if (len && sf_rng_below(&r, 2))
		return len;
	if (!len)
		len = size < max_size ? size : max_size;
	return LLVMFuzzerMutate(data, len, max_size);
}
