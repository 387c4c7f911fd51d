// SPDX-License-Identifier: MIT
/*
 * bench_target.c - what a program costs that `make fuzz` runs, by part: libFuzzer draws programs
 * from the seeds as always, on a target with a clock in it (harness/entry/libfuzzer_bench.c).
 * Relies on that program.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define PARTS 16 /* at most */
#define PATH 4200

extern char **environ;

struct parts {
	char name[PARTS][40];
	struct series us[PARTS], whole, rate;
	int nr;
};

/* The seeds as bytes, each a file of its own. */
static void write_seeds(const struct bench *b, const char *folder)
{
	for (uint32_t i = 0; i < b->nr_sample; i++) {
		size_t len = sf_bytes_encode(&b->sample[i], NULL, 0);
		uint8_t *data = sf_grow(NULL, len, 1);
		char path[PATH];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%u", folder, i);
		f = fopen(path, "wb");
		sf_bytes_encode(&b->sample[i], data, len);
		if (!f || fwrite(data, 1, len, f) != len || fclose(f))
			bench_die("%s: %s", path, strerror(errno));
		free(data);
	}
}

static void remove_folder(const char *folder)
{
	struct dirent *e;
	DIR *d = opendir(folder);

	while (d && (e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(folder);
}

/* Violations are not the subject: they are passed over. */
static bool run(const char *program, const char *seeds, const char *result, unsigned int round)
{
	char seed[32];
	char *argv[] = { (char *)program, seed, "-max_len=4096", "-detect_leaks=0", "-verbosity=0",
			 "-handle_sigill=1", (char *)seeds, NULL };
	posix_spawn_file_actions_t quiet;
	int status = -1;
	pid_t pid;

	snprintf(seed, sizeof(seed), "-seed=%u", round + 1);
	setenv("SLABFUZZ_BENCH_RESULT", result, 1);
	setenv("SLABFUZZ_EXPECT", "none", 1);
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	if (!posix_spawn(&pid, program, &quiet, NULL, argv, environ))
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&quiet);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* A line for each part: its name, and microseconds a program. */
static bool read_parts(const char *path, struct parts *p)
{
	FILE *f = fopen(path, "r");
	double us, sum = 0;
	int nr = 0;

	while (f && nr < PARTS && fscanf(f, "%39s %lf", p->name[nr], &us) == 2) {
		series_add(&p->us[nr++], us);
		sum += us;
	}
	if (f)
		fclose(f);
	p->nr = nr;
	series_add(&p->whole, sum);
	series_add(&p->rate, sum > 0 ? 1e6 / sum : 0);
	return nr > 0;
}

void bench_target(struct bench *b)
{
	char path[PATH], folder[64], result[80], name[64];
	const char *program = b->target, *tmp = getenv("TMPDIR");
	struct parts *p;

	snprintf(path, sizeof(path), "%s/libfuzzer_bench", b->folder);
	if (!program)
		program = path;
	if (access(program, X_OK)) {
		bench_skip(b, "libFuzzer target: there is no %s (clang is missing?)", program);
		return;
	}
	snprintf(folder, sizeof(folder), "%.40s/slabfuzz.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		bench_die("%s: %s", folder, strerror(errno));
	snprintf(result, sizeof(result), "%s.parts", folder);
	write_seeds(b, folder);
	p = sf_zalloc(1, sizeof(*p));
	for (unsigned int r = 0; r < b->rounds; r++)
		if (!run(program, folder, result, r) || !read_parts(result, p))
			bench_die("%s failed", program);
	unlink(result);
	remove_folder(folder);
	bench_add(b, BENCH_RATE, "target_executions", &p->rate, 0, "per second");
	bench_add(b, BENCH_RATE, "fuzz_program", &p->whole, 0, "us");
	for (int i = 0; i < p->nr; i++) {
		snprintf(name, sizeof(name), "fuzz_%s", p->name[i]);
		bench_add(b, BENCH_RATE, name, &p->us[i], 0, "us");
	}
	free(p);
}
