// SPDX-License-Identifier: MIT
/*
 * afl_program.c - the AFL++ target: our own entry point on AFL++'s runtime object
 * (afl-compiler-rt.o). Persistent loop, test cases in shared memory, fork server started after the
 * heap is made. Relies on fuzz.c and on the runtime's symbols below; `make afl` runs it. Without
 * afl-fuzz it runs the files named, or standard input, once each.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../fuzz/fuzz.h"

/* The runtime (AFL++ instrumentation/afl-compiler-rt.o.c). */
extern unsigned char *__afl_area_ptr;
extern unsigned int __afl_map_size;
extern unsigned char *__afl_fuzz_ptr;
extern unsigned int *__afl_fuzz_len;
extern int __afl_sharedmem_fuzzing;
void __afl_manual_init(void);
int __afl_persistent_loop(unsigned int count);

/* Set: the runtime takes test cases from shared memory. */
int __afl_sharedmem_fuzzing = 1;

/* afl-fuzz looks for these in the file to know what the target can do. */
static const char *volatile const marks[] = { "##SIG_AFL_PERSISTENT##",
					      "##SIG_AFL_DEFER_FORKSRV##" };

enum {
	INPUT_MAX = 1 << 20,
	RUNS_PER_PROCESS = INT_MAX,
};

static void forget_coverage(void)
{
	memset(__afl_area_ptr, 0, __afl_map_size);
	__afl_area_ptr[0] = 1; /* the runtime's own mark that something ran */
}

static int run_stream(FILE *f, const char *name)
{
	static uint8_t input[INPUT_MAX];
	size_t size = fread(input, 1, sizeof(input), f);
	uint8_t *exact;

	if (ferror(f)) {
		perror(name);
		return 2;
	}
	/* A block of just its size, so that reading past the end is seen. */
	exact = malloc(size ? size : 1);
	if (!exact)
		return 3;
	memcpy(exact, input, size);
	sf_fuzz_program(exact, size);
	free(exact);
	return 0;
}

static int run_files(int nr, char **paths)
{
	int status = 0;

	for (int i = 0; i < nr && !status; i++) {
		FILE *f = fopen(paths[i], "rb");

		if (!f) {
			perror(paths[i]);
			return 2;
		}
		status = run_stream(f, paths[i]);
		fclose(f);
	}
	return status;
}

int main(int argc, char **argv)
{
	(void)marks[0];
	sf_fuzz_setup();
	if (argc > 1)
		return run_files(argc - 1, argv + 1);
	__afl_manual_init();
	if (!getenv("__AFL_SHM_FUZZ_ID"))
		return run_stream(stdin, "standard input");
	sf_fuzz_forget_coverage = forget_coverage;
	while (__afl_persistent_loop(RUNS_PER_PROCESS))
		sf_fuzz_program(__afl_fuzz_ptr, *__afl_fuzz_len);
	return 0;
}
