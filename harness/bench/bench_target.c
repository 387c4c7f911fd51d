// SPDX-License-Identifier: MIT
/*
 * bench_target.c - executions of the libFuzzer target on the committed sample, beside those of an
 * empty target built with the same flags. Both run in libFuzzer's own loop: their mutator hands out
 * the sample and keeps the time (harness/entry/bench_sampler.h). Relies on these two programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

extern char **environ;

/* Each program as its length (4 bytes) and its bytes. */
static void write_sample(const struct bench *b, const char *path)
{
	FILE *f = fopen(path, "wb");

	if (!f)
		bench_die("%s: %s", path, strerror(errno));
	for (uint32_t i = 0; i < b->nr_sample; i++) {
		size_t len = sf_bytes_encode(&b->sample[i], NULL, 0);
		uint32_t size = (uint32_t)len;
		uint8_t *data = sf_grow(NULL, len, 1);

		sf_bytes_encode(&b->sample[i], data, len);
		fwrite(&size, sizeof(size), 1, f);
		fwrite(data, 1, len, f);
		free(data);
	}
	if (fclose(f))
		bench_die("%s: %s", path, strerror(errno));
}

static bool run(const char *program, const char *sample, const char *result)
{
	char *argv[] = { (char *)program, "-runs=-1", "-max_len=65536", "-len_control=0",
			 "-detect_leaks=0", "-verbosity=0", "-handle_sigill=1", NULL };
	posix_spawn_file_actions_t quiet;
	int status = -1;
	pid_t pid;

	setenv("SLABFUZZ_BENCH_SAMPLE", sample, 1);
	setenv("SLABFUZZ_BENCH_RESULT", result, 1);
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	if (!posix_spawn(&pid, program, &quiet, NULL, argv, environ))
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&quiet);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* One line of nanoseconds for each program of the sample. */
static bool read_result(const char *path, double *ns, uint32_t nr)
{
	FILE *f = fopen(path, "r");
	uint32_t i = 0;

	while (f && i < nr && fscanf(f, "%lf", &ns[i]) == 1)
		i++;
	if (f)
		fclose(f);
	return i == nr;
}

static bool measure(const struct bench *b, const char *program, const char *sample, double *ns)
{
	char result[4200];
	bool fine;

	snprintf(result, sizeof(result), "%s.ns", sample);
	fine = run(program, sample, result) && read_result(result, ns, b->nr_sample);
	unlink(result);
	return fine;
}

static bool round_of(struct bench *b, const char *const program[2], const char *sample,
		     struct series s[3])
{
	double *ns = sf_zalloc(3 * (size_t)b->nr_sample, sizeof(*ns));
	double *target = ns, *empty = ns + b->nr_sample, *ratio = empty + b->nr_sample;
	bool fine = measure(b, program[1], sample, empty) && measure(b, program[0], sample, target);

	for (uint32_t i = 0; fine && i < b->nr_sample; i++)
		ratio[i] = target[i] / empty[i];
	if (fine) {
		series_add(&s[0], 1e9 / median_of(target, b->nr_sample));
		series_add(&s[1], 1e9 / median_of(empty, b->nr_sample));
		series_add(&s[2], median_of(ratio, b->nr_sample));
	}
	free(ns);
	return fine;
}

void bench_target(struct bench *b)
{
	struct series s[3] = { { .nr = 0 } };
	char path[2][4200], sample[64];
	const char *program[2] = { b->target, b->empty };
	static const char *const names[2] = { "libfuzzer_bench", "libfuzzer_bench_empty" };
	const char *tmp = getenv("TMPDIR");
	int fd;

	for (int i = 0; i < 2; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/%s", b->folder, names[i]);
		if (!program[i])
			program[i] = path[i];
		if (access(program[i], X_OK)) {
			bench_skip(b, "libFuzzer target: there is no %s (clang is missing?)",
				   program[i]);
			return;
		}
	}
	snprintf(sample, sizeof(sample), "%.40s/slabfuzz.XXXXXX", tmp ? tmp : "/tmp");
	fd = mkstemp(sample);
	if (fd < 0)
		bench_die("%s: %s", sample, strerror(errno));
	close(fd);
	write_sample(b, sample);
	for (unsigned int r = 0; r < b->rounds; r++)
		if (!round_of(b, program, sample, s))
			bench_die("%s or %s failed", program[0], program[1]);
	unlink(sample);
	bench_add(b, BENCH_RATE, "target_executions", &s[0], 0, "per second");
	bench_add(b, BENCH_RATE, "empty_target_executions", &s[1], 0, "per second");
	bench_add(b, BENCH_RATIO, "target_empty", &s[2], 4.0, "");
}
