// SPDX-License-Identifier: MIT
/*
 * bench_worker.c - what it costs to run programs in another process: programs of 32 operations a
 * second, here and in a worker, judged or only listened to; and a process for each, beside a bare
 * fork of the same. Relies on the worker, the executor, the judge and generated programs.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../exec/worker.h"
#include "bench.h"

enum {
	PROGRAMS = 256,
	PROGRAM_OPS = 32,
	PAGES = 1024,
};

struct listener {
	struct sf_judge *judge; /* NULL: it counts */
	uint64_t events;
};

struct rival {
	const char *name;
	bool judged;
	uint8_t fork;      /* of a worker; HERE: none */
	struct listener to;
	struct sf_worker *worker;
	struct sf_exec *exec;
	struct series rate;
};

#define HERE 0xff

static const struct sf_exec_options how = { .end = SF_END_PLAIN, .contents = true };

/*
 * Processes are forked from a warm one, with a heap: as of a library, whose reset is not exact. The
 * heap of this model can be copied: it shares none of its memory.
 */
static struct sf_allocator warm;

static void hear(void *ctx, const struct sf_event *ev)
{
	struct listener *l = ctx;

	l->events++;
	if (l->judge)
		sf_judge_event(l->judge, ev);
}

static void hear_end(void *ctx, uint32_t job, const struct sf_worker_end *end)
{
	(void)ctx;
	(void)job;
	if (end->fate != SF_FATE_DONE)
		bench_die("a program in a worker came to grief: %s %s", end->title, end->why);
}

static void open_rival(struct rival *r, const struct sf_settings *set)
{
	const struct sf_worker_options opt = { .exec = how, .fork = r->fork, .batch = 128,
					       .emit = hear, .over = hear_end, .ctx = &r->to };
	struct sf_error err = { "" };

	if (r->judged)
		r->to.judge = bench_judge();
	if (r->fork == HERE)
		r->exec = sf_exec_create(&sf_baseline, set, &how, hear, &r->to, &err);
	else
		r->worker = sf_worker_open(r->fork == SF_FORK_NONE ? &sf_baseline : &warm, set,
					   &opt, &err);
	if (!r->exec && !r->worker)
		bench_die("%s: %s", r->name, err.text);
}

static void close_rival(struct rival *r)
{
	sf_exec_destroy(r->exec);
	sf_worker_close(r->worker);
	if (r->to.judge)
		sf_judge_destroy(r->to.judge);
}

static void run_all(struct rival *r, const struct sf_worker_job *jobs, uint32_t nr)
{
	struct sf_error err = { "" };

	if (r->worker && !sf_worker_run(r->worker, jobs, nr, &err))
		bench_die("%s: %s", r->name, err.text);
	for (uint32_t i = 0; r->exec && i < nr; i++)
		sf_exec_run(r->exec, jobs[i].prog, NULL, &err);
}

/* Programs a second, by the clock: two processes work at once. */
static double rate_of(struct rival *r, const struct sf_worker_job *jobs, bool quick)
{
	uint64_t start = bench_now_wall(), enough = quick ? 50000000 : 500000000, done = 0;

	do {
		run_all(r, jobs, PROGRAMS);
		done += PROGRAMS;
	} while (bench_now_wall() - start < enough);
	return (double)done * 1e9 / (double)(bench_now_wall() - start);
}

/* A process that does nothing, forked from this one: a second's worth. */
static double rate_of_forks(bool quick)
{
	uint64_t start = bench_now_wall(), enough = quick ? 50000000 : 300000000, done = 0;

	do {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
		done++;
	} while (bench_now_wall() - start < enough);
	return (double)done * 1e9 / (double)(bench_now_wall() - start);
}

void bench_worker(struct bench *b)
{
	struct rival rivals[] = {
		{ .name = "worker_none", .fork = HERE },
		{ .name = "worker_batch", .fork = SF_FORK_NONE },
		{ .name = "worker_fork", .fork = SF_FORK_PROGRAM },
		{ .name = "worker_none_judged", .fork = HERE, .judged = true },
		{ .name = "worker_batch_judged", .fork = SF_FORK_NONE, .judged = true },
	};
	const unsigned int nr = sizeof(rivals) / sizeof(rivals[0]);
	struct sf_prog *programs = sf_zalloc(PROGRAMS, sizeof(*programs));
	struct sf_worker_job jobs[PROGRAMS];
	struct series forks = { .nr = 0 };

	warm = sf_baseline;
	warm.reset_kind = SF_RESET_BEST_EFFORT;
	for (uint32_t i = 0; i < PROGRAMS; i++) {
		sf_prog_init(&programs[i]);
		bench_generate(&programs[i], PROGRAM_OPS, 5000 + i, false);
		programs[i].settings.pages = PAGES;
		jobs[i] = (struct sf_worker_job){ .prog = &programs[i] };
	}
	for (unsigned int i = 0; i < nr; i++)
		open_rival(&rivals[i], &programs[0].settings);
	for (unsigned int round = 0; round < b->rounds; round++) {
		for (unsigned int i = 0; i < nr; i++)
			series_add(&rivals[i].rate, rate_of(&rivals[i], jobs, b->quick));
		series_add(&forks, rate_of_forks(b->quick));
	}
	for (unsigned int i = 0; i < nr; i++) {
		bench_add(b, BENCH_RATE, rivals[i].name, &rivals[i].rate, 0, "programs/s");
		close_rival(&rivals[i]);
	}
	bench_add(b, BENCH_RATE, "worker_bare_fork", &forks, 0, "per second");
	for (uint32_t i = 0; i < PROGRAMS; i++)
		sf_prog_free(&programs[i]);
	free(programs);
}
