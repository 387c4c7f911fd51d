// SPDX-License-Identifier: MIT
/*
 * with_afl.c - afl-fuzz on our own target and mutator (engine.h), in several processes that share
 * one folder: CORPUS/default is the first, CORPUS/1 ... the others. It goes on from the queue of
 * the last run, if there is one. Stability below 100 % means that something survives from one input
 * to the next.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"
#include "engine.h"
#include "files.h"

enum { ADOPTED_MAX = 40 };

struct afl_run {
	const struct sf_engine_plan *plan;
	struct sf_engine_result *r;
	struct sf_engine_run run;
	struct sf_words env;
	char *seeds;
	bool goes_on; /* from an earlier run, which had so many: */
	uint64_t before;
};

/* "default", "1", "2" ... */
static char *job_folder(const struct afl_run *a, uint32_t nr, const char *what)
{
	if (!nr)
		return sf_path("%s/default/%s", a->plan->corpus, what);
	return sf_path("%s/%u/%s", a->plan->corpus, nr, what);
}

/* "KEY   : VALUE" of fuzzer_stats; to be freed; NULL: it is not there. */
static char *stat_of(const struct afl_run *a, uint32_t nr, const char *key)
{
	char *path = job_folder(a, nr, "fuzzer_stats"), *all = sf_read_file(path, NULL);
	char *value = NULL;
	size_t n = strlen(key);

	for (const char *at = all; !value && at && *at; at = strchr(at, '\n'), at += at != NULL) {
		const char *colon = at + n + strspn(at + (strncmp(at, key, n) ? 0 : n), " ");

		if (!strncmp(at, key, n) && *colon == ':') {
			colon += 1 + strspn(colon + 1, " ");
			value = sf_path("%.*s", (int)strcspn(colon, "\n"), colon);
		}
	}
	free(all);
	free(path);
	return value;
}

static uint64_t number_of(const struct afl_run *a, uint32_t nr, const char *key)
{
	char *text = stat_of(a, nr, key);
	uint64_t n = text ? strtoull(text, NULL, 10) : 0;

	free(text);
	return n;
}

static void start(struct afl_run *a, uint32_t nr)
{
	const struct sf_engine_plan *p = a->plan;
	struct sf_words argv = { 0 };

	sf_words_add(&argv, "afl-fuzz");
	sf_words_add(&argv, "-V");
	sf_words_add(&argv, "%u", p->seconds);
	sf_words_add(&argv, "-i");
	sf_words_add(&argv, "%s", a->goes_on ? "-" : a->seeds);
	sf_words_add(&argv, "-o");
	sf_words_add(&argv, "%s", p->corpus);
	sf_words_split(&argv, "-c 0 -m none -t 1000+");
	if (p->jobs > 1) {
		sf_words_add(&argv, nr ? "-S" : "-M");
		sf_words_add(&argv, nr ? "%u" : "default", nr);
	}
	if (p->seed) {
		sf_words_add(&argv, "-s");
		sf_words_add(&argv, "%u", (unsigned int)p->seed + nr);
	}
	sf_words_split(&argv, p->flags);
	sf_words_add(&argv, "--");
	sf_words_add(&argv, "%s", p->target);
	sf_engine_start(&a->run, nr, (const char *const *)argv.word,
			(const char *const *)a->env.word, a->r->log);
	sf_words_free(&argv);
}

/* It has a time of its own, and knows what crashes: if it ends early there is no use in another. */
static void ended(void *ctx, uint32_t nr)
{
	(void)ctx;
	(void)nr;
}

static uint64_t executed(const struct afl_run *a)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < a->plan->jobs; i++)
		n += number_of(a, i, "execs_done");
	/* A run that goes on from another counts on from it, too. */
	return n >= a->before ? n - a->before : n;
}

static void tell(void *ctx, char *line, size_t size)
{
	snprintf(line, size, "%llu executions", (unsigned long long)executed(ctx));
}

static void adopt(struct afl_run *a, const struct sf_finds_options *opt, uint32_t nr,
		  const char *what)
{
	char *folder = job_folder(a, nr, what), **names = sf_list_files(folder, NULL);
	int left = ADOPTED_MAX;

	for (char **n = names; *n && left; n++) {
		char *path = sf_path("%s/%s", folder, *n);

		if (!strncmp(*n, "id", 2) && sf_file_since(path, &opt->since)) {
			sf_finds_adopt(&a->r->finds, opt, path, NULL);
			left--;
		}
		free(path);
	}
	sf_free_names(names);
	free(folder);
}

static void collect(struct afl_run *a, const struct timespec *since)
{
	struct sf_finds_options opt = { .target.program = a->plan->target,
					.crashes = a->plan->crashes, .since = *since,
					.programs = true,
					.allocators = a->plan->allocators };
	struct sf_words env = { 0 };

	sf_engine_asan(&env, "symbolize=0");
	opt.target.env = (const char *const *)env.word;
	for (uint32_t i = 0; i < a->plan->jobs; i++) {
		adopt(a, &opt, i, "crashes");
		adopt(a, &opt, i, "hangs");
	}
	sf_finds_collect(&a->r->finds, &opt);
	sf_words_free(&env);
}

static void take_stats(struct afl_run *a)
{
	char *text = stat_of(a, 0, "stability");

	a->r->executions = executed(a);
	for (uint32_t i = 0; i < a->plan->jobs; i++) {
		uint64_t edges = number_of(a, i, "edges_found");

		a->r->edges = edges > a->r->edges ? edges : a->r->edges;
	}
	a->r->edges_total = number_of(a, 0, "total_edges");
	snprintf(a->r->stability, sizeof(a->r->stability), "%s", text ? text : "unknown");
	free(text);
	a->r->corpus = job_folder(a, 0, "queue");
	a->r->files = sf_count_files(a->r->corpus);
}

static bool begin(struct afl_run *a, struct sf_error *err)
{
	const struct sf_engine_plan *p = a->plan;
	char *queue = job_folder(a, 0, "queue"), *empty;
	bool fine;

	a->seeds = sf_engine_beside(p, "seeds");
	a->run.job = sf_zalloc(p->jobs, sizeof(*a->run.job));
	/* afl-fuzz wants at least one file to begin with: the empty program. */
	empty = sf_path("%s/empty", a->seeds);
	fine = sf_write_file(empty, "SFb\001", 4);
	if (!fine)
		snprintf(err->text, sizeof(err->text), "%.150s: %s", empty, strerror(errno));
	a->goes_on = sf_count_files(queue) > 0;
	a->before = a->goes_on ? executed(a) : 0;
	unlink(a->r->log);
	sf_engine_asan(&a->env, "abort_on_error=1:symbolize=0");
	sf_words_add(&a->env, "SLABFUZZ_CRASHES=%s", p->crashes);
	sf_words_add(&a->env, "SLABFUZZ_ALLOCATOR=%s", p->allocators);
	sf_words_add(&a->env, "AFL_CUSTOM_MUTATOR_LIBRARY=%s", p->mutator);
	sf_words_split(&a->env, "AFL_SKIP_CPUFREQ=1 AFL_IGNORE_SEED_PROBLEMS=1 AFL_NO_UI=1 "
		       "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CRASHES=1");
	sf_words_add(&a->env, p->jobs == 1 ? "AFL_NO_AFFINITY=1" : "AFL_TRY_AFFINITY=1");
	free(empty);
	free(queue);
	return fine;
}

int sf_with_afl(const struct sf_engine_plan *plan, struct sf_engine_result *r, struct sf_error *err)
{
	struct afl_run a = { .plan = plan, .r = r,
			     .run = { .plan = plan, .ended = ended, .tell = tell } };
	int status = sf_engine_prepare(plan, r, err);
	struct timespec since;
	char *stats;

	if (status)
		return status;
	if (!begin(&a, err))
		return 2;
	since = sf_file_time(plan->crashes);
	a.run.ctx = &a;
	a.run.start = sf_engine_now();
	/* It counts its seconds from when it has tried the seeds. */
	a.run.deadline = a.run.start + plan->seconds * 1.5 + 60;
	for (uint32_t i = 0; i < plan->jobs; i++)
		start(&a, i);
	sf_engine_wait(&a.run);
	r->seconds = sf_engine_now() - a.run.start;
	r->interrupted = a.run.interrupted;
	stats = job_folder(&a, 0, "fuzzer_stats");
	if (!sf_file_since(stats, &since)) {
		snprintf(err->text, sizeof(err->text), "afl-fuzz did not run; see %.150s", r->log);
		status = 3;
	} else {
		take_stats(&a);
		collect(&a, &since);
	}
	free(stats);
	sf_words_free(&a.env);
	free(a.seeds);
	free(a.run.job);
	return status;
}
