// SPDX-License-Identifier: MIT
/*
 * with_libfuzzer.c - libFuzzer in several processes on one corpus (engine.h). A find does not end
 * one: the target saves it and goes on. What ends one is not known to the target, or killed it: a
 * hang, exhausted memory, exit(). Then there is another, with what the first had kept of the corpus
 * (its names there are those of its feature sets) and what the run has found since, not with the
 * whole corpus. (libFuzzer's own -fork costs most of a short run in merging.)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"
#include "child.h"
#include "counts.h"
#include "engine.h"
#include "files.h"
#include "find.h"

enum {
	INTERRUPTED = 72, /* libFuzzer's exit status */
	ADOPTED_MAX = 40,
	SILENT_MAX = 1000,
};

struct lf_run {
	const struct sf_engine_plan *plan;
	struct sf_engine_result *r;
	struct sf_engine_run run;
	struct sf_words env;      /* of all */
	char *seeds, *live, *raw; /* folders */
	size_t *said;             /* of each job: where the log of its process begins */
	bool gave_up;             /* a job is not started again */
	unsigned int silent;      /* processes that died without a word */
};

/* CORPUS-what.NUMBER */
static char *of_job(const struct lf_run *l, const char *what, uint32_t nr)
{
	return sf_path("%s-%s.%u", l->plan->corpus, what, nr);
}

/* What this run, or one that was cut short, has grown is corpus. */
static void keep_live(const struct lf_run *l)
{
	char **names = sf_list_files(l->live, NULL);

	for (char **n = names; *n; n++) {
		char *from = sf_path("%s/%s", l->live, *n);
		char *to = sf_path("%s/%s", l->plan->corpus, *n);

		rename(from, to);
		free(from);
		free(to);
	}
	sf_free_names(names);
}

/* Files of the corpus that the engine before this one kept, as -seed_inputs wants them. */
static char *chosen(const struct lf_run *l, const char *kept)
{
	char **names = sf_list_files(kept, NULL), *list = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&list, &len);

	for (char **n = names; f && *n; n++) {
		char *path = sf_path("%s/%s", l->plan->corpus, *n);

		if (!access(path, R_OK))
			fprintf(f, "%s%s", ftell(f) ? "," : "", path);
		free(path);
	}
	sf_free_names(names);
	if (!f)
		sf_out_of_memory();
	fclose(f);
	return list;
}

/* The first reads the whole corpus; those after it what the first kept of it. */
static void add_folders(const struct lf_run *l, uint32_t nr, struct sf_words *argv)
{
	char *kept = of_job(l, "kept", nr), *list, *file;

	sf_words_add(argv, "-features_dir=%s", kept);
	sf_words_add(argv, "%s", l->live);
	if (access(kept, F_OK)) {
		sf_make_folder(kept);
		sf_words_add(argv, "%s", l->plan->corpus);
	} else {
		list = chosen(l, kept);
		file = sf_path("%s.list", kept);
		if (*list && sf_write_file(file, list, strlen(list)))
			sf_words_add(argv, "-seed_inputs=@%s", file);
		free(list);
		free(file);
	}
	sf_words_add(argv, "%s", l->seeds);
	free(kept);
}

static void start(struct lf_run *l, uint32_t nr)
{
	const struct sf_engine_plan *p = l->plan;
	struct sf_words argv = { 0 }, env = { 0 };
	double left = l->run.deadline - sf_engine_now();
	char *log = of_job(l, "log", nr), *said;

	sf_words_add(&argv, "%s", p->target);
	sf_words_add(&argv, "-max_total_time=%u", left > 1 ? (unsigned int)(left + 0.5) : 1);
	sf_words_add(&argv, "-max_len=%u", p->max_len);
	if (p->dict)
		sf_words_add(&argv, "-dict=%s", p->dict);
	if (p->seed)
		sf_words_add(&argv, "-seed=%u", (unsigned int)(p->seed + nr) | 1);
	sf_words_split(&argv, "-print_final_stats=1");
	sf_words_add(&argv, "-timeout=%u", SF_HANG_SECONDS);
	sf_words_add(&argv, "-rss_limit_mb=%u", sf_memory_mb());
	sf_words_add(&argv, "-detect_leaks=0");
	sf_words_add(&argv, "-artifact_prefix=%s/%u-", l->raw, nr);
	sf_words_split(&argv, p->flags);
	add_folders(l, nr, &argv);
	for (size_t i = 0; i < l->env.nr; i++)
		sf_words_add(&env, "%s", l->env.word[i]);
	sf_words_add(&env, "SLABFUZZ_GO_ON=%s-counts.%u", p->corpus, nr);
	said = sf_read_file(log, &l->said[nr]);
	free(said);
	sf_engine_start(&l->run, nr, (const char *const *)argv.word, (const char *const *)env.word,
			log);
	free(log);
	sf_words_free(&argv);
	sf_words_free(&env);
}

/* What the last process of a job said. */
static char *last_log(const struct lf_run *l, uint32_t nr)
{
	char *path = of_job(l, "log", nr);
	size_t len = 0;
	char *all = sf_read_file(path, &len);

	free(path);
	if (all && l->said[nr] <= len)
		memmove(all, all + l->said[nr], len - l->said[nr] + 1);
	return all ? all : sf_path("%s", "");
}

/* The file that it was writing when it ended; NULL: none. */
static char *artifact(const char *log)
{
	const char *at = log, *last = NULL;

	while ((at = strstr(at, "Test unit written to ")))
		last = at += 21;
	return last ? sf_path("%.*s", (int)strcspn(last, "\n"), last) : NULL;
}

/* An input that stops an engine before it begins is saved; the copy it came from has to go. */
static void weed(const struct lf_run *l, const char *path)
{
	const char *const folders[] = { l->plan->corpus, l->live, l->seeds };
	size_t len, n;
	char *bad = sf_read_file(path, &len);

	for (int i = 0; bad && i < 3; i++) {
		char **names = sf_list_files(folders[i], NULL);

		for (char **name = names; *name; name++) {
			char *file = sf_path("%s/%s", folders[i], *name);
			char *data = sf_read_file(file, &n);

			if (data && n == len && !memcmp(data, bad, n))
				unlink(file);
			free(data);
			free(file);
		}
		sf_free_names(names);
	}
	free(bad);
}

/*
 * Who died without a word and saved nothing: what he had in hand, as a file of the folder of the
 * engine's own finds. NULL: nothing.
 */
static char *in_hand(const struct lf_run *l, uint32_t nr)
{
	char *counts = of_job(l, "counts", nr), *from = sf_path("%s.input", counts), *to = NULL;
	size_t size = 0;
	uint8_t *data = (uint8_t *)sf_read_file(from, &size);
	uint32_t len = 0;

	for (unsigned int i = 0; data && size >= 4 && i < 4; i++)
		len |= (uint32_t)data[i] << 8 * i;
	if (data && len && len <= size - 4) {
		to = sf_path("%s/%u-crash-in-hand-%u", l->raw, nr, l->silent);
		if (!sf_write_file(to, data + 4, len)) {
			free(to);
			to = NULL;
		}
	}
	free(data);
	free(counts);
	free(from);
	return to;
}

/* The next one reads the whole corpus again. */
static void forget_kept(const struct lf_run *l, uint32_t nr)
{
	char *kept = of_job(l, "kept", nr);

	sf_remove_tree(kept);
	free(kept);
}

static void ended(void *ctx, uint32_t nr)
{
	struct lf_run *l = ctx;
	int status = l->run.job[nr].status;
	char *log, *saved;
	bool again = true;

	if (WIFEXITED(status) && WEXITSTATUS(status) == INTERRUPTED)
		return;
	log = last_log(l, nr);
	saved = artifact(log);
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		/* Its seconds were whole ones. */
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == SF_FIND_AGAIN) {
		if (!strstr(log, "INITED"))
			forget_kept(l, nr);
	} else if (saved && !access(saved, R_OK)) {
		/* Not all of the corpus was read: again from the beginning. */
		if (!strstr(log, "INITED")) {
			weed(l, saved);
			forget_kept(l, nr);
		}
	} else if (!strstr(log, "INITED")) {
		free(saved);
		saved = l->silent < SILENT_MAX ? in_hand(l, nr) : NULL;
		l->silent++;
		again = saved;
		l->gave_up |= !again;
		if (again) {
			weed(l, saved);
			forget_kept(l, nr);
		}
	} else {
		sleep(1);
	}
	if (again)
		start(l, nr);
	free(log);
	free(saved);
}

/* --- counts --- */

struct tally {
	struct sf_engine_result *r;
	bool titles;
};

/* Counters of all jobs that are summed up. */
static const struct {
	const char *name;
	size_t offset;
} sums[] = {
	{ "ns opening", offsetof(struct sf_engine_result, opening) },
	{ "ns running", offsetof(struct sf_engine_result, running) },
	{ "ns costliest", offsetof(struct sf_engine_result, costliest) },
	{ "compared", offsetof(struct sf_engine_result, compared) },
	{ "uncompared", offsetof(struct sf_engine_result, uncompared) },
};

enum { NR_SUMS = sizeof(sums) / sizeof(sums[0]) };

static void take_count(void *ctx, const char *name, uint64_t n)
{
	struct tally *t = ctx;
	struct sf_engine_result *r = t->r;

	for (uint32_t i = 0; i < r->nr_allocators; i++) {
		struct sf_engine_allocator *a = &r->allocators[i];

		if (!strncmp(name, "runs ", 5) && !strcmp(name + 5, a->name))
			a->runs += n;
		if (!strncmp(name, "edges ", 6) && !strcmp(name + 6, a->name) && n > a->edges)
			a->edges = n;
	}
	for (size_t i = 0; i < NR_SUMS; i++)
		if (!strcmp(name, sums[i].name))
			*(uint64_t *)((char *)r + sums[i].offset) += n;
	if (t->titles && !strncmp(name, "title ", 6))
		sf_finds_count(&r->finds, name + 6, n);
}

static void take_counts(struct lf_run *l, bool titles)
{
	struct tally t = { .r = l->r, .titles = titles };

	for (uint32_t i = 0; i < l->r->nr_allocators; i++)
		l->r->allocators[i].runs = l->r->allocators[i].edges = 0;
	for (size_t i = 0; i < NR_SUMS; i++)
		*(uint64_t *)((char *)l->r + sums[i].offset) = 0;
	for (uint32_t i = 0; i < l->plan->jobs; i++) {
		char *path = of_job(l, "counts", i);

		sf_counts_each(path, take_count, &t);
		free(path);
	}
	l->r->executions = 0;
	for (uint32_t i = 0; i < l->r->nr_allocators; i++)
		l->r->executions += l->r->allocators[i].runs;
}

static void tell(void *ctx, char *line, size_t size)
{
	struct lf_run *l = ctx;

	take_counts(l, false);
	snprintf(line, size, "%llu executions", (unsigned long long)l->r->executions);
}

/* Logs of all jobs become one; the engine's own figures are in it. */
static void take_logs(struct lf_run *l)
{
	FILE *to = fopen(l->r->log, "w");
	uint64_t executed = 0;

	for (uint32_t i = 0; i < l->plan->jobs; i++) {
		char *path = of_job(l, "log", i), *log = sf_read_file(path, NULL);

		for (const char *at = log; at && *at; at = strchr(at, '\n'), at += at != NULL) {
			const char *cov = *at == '#' ? strstr(at, " cov: ") : NULL;
			uint64_t n = cov && cov < at + strcspn(at, "\n") ?
					     strtoull(cov + 6, NULL, 10) : 0;

			l->r->edges = n > l->r->edges ? n : l->r->edges;
			if (!strncmp(at, "stat::number_of_executed_units:", 31))
				executed += strtoull(at + 31, NULL, 10);
		}
		if (to && log)
			fputs(log, to);
		free(log);
		unlink(path);
		free(path);
	}
	if (to)
		fclose(to);
	if (!l->plan->allocators)
		l->r->executions = executed;
}

/* Engines' own finds, newest last; not all, if there are very many. */
static void adopt(struct lf_run *l, const struct sf_finds_options *opt)
{
	char **names = sf_list_files(l->raw, NULL), *log = sf_read_file(l->r->log, NULL);
	int left = ADOPTED_MAX;

	for (char **n = names; *n && left; n++) {
		char *path = sf_path("%s/%s", l->raw, *n), *at = NULL, *part = NULL;

		if (sf_file_since(path, &opt->since) &&
		    (strstr(*n, "-timeout-") || strstr(*n, "-oom-") || strstr(*n, "-crash-"))) {
			/* Its report is what stands before its name. */
			at = log ? strstr(log, path) : NULL;
			if (at) {
				part = sf_path("%.*s", (int)(at - log), log);
				for (at = part; strstr(at + 1, "ERROR: libFuzzer"); )
					at = strstr(at + 1, "ERROR: libFuzzer");
			}
			sf_finds_adopt(&l->r->finds, opt, path, at);
			left--;
		}
		free(part);
		free(path);
	}
	free(log);
	sf_free_names(names);
}

/* What the corpus covers, by function, as libFuzzer says it. */
static void write_coverage(struct lf_run *l)
{
	const char *const argv[] = { l->plan->target, "-runs=0", "-print_coverage=1",
				     l->plan->corpus, l->seeds, NULL };
	const struct sf_child child = { .argv = argv, .env = (const char *const *)l->env.word,
					.seconds = 600 };
	struct sf_child_output out;
	char *at, *text;

	if (!sf_child_run(&child, &out))
		return;
	at = strstr(out.text, "COVERAGE");
	text = sf_path("%s%s%s%s", l->plan->allocators ? "on " : "",
		       l->plan->allocators ? l->plan->allocators : "",
		       l->plan->allocators ? "\n" : "", at ? at : "");
	sf_write_file(l->plan->coverage, text, strlen(text));
	free(text);
	free(out.text);
}

/* --- the run --- */

static void begin(struct lf_run *l)
{
	const struct sf_engine_plan *p = l->plan;

	l->seeds = sf_engine_beside(p, "seeds");
	l->live = sf_engine_beside(p, "live");
	l->raw = sf_path("%s/libfuzzer", p->crashes);
	l->said = sf_zalloc(p->jobs, sizeof(*l->said));
	l->run.job = sf_zalloc(p->jobs, sizeof(*l->run.job));
	sf_make_folder(l->live);
	sf_make_folder(l->raw);
	keep_live(l);
	for (uint32_t i = 0; i < p->jobs; i++) {
		static const char *const left[] = { "log", "counts", "kept" };
		char *counts = of_job(l, "counts", i), *input = sf_path("%s.input", counts);

		for (int k = 0; k < 3; k++) {
			char *path = of_job(l, left[k], i);

			sf_remove_tree(path);
			free(path);
		}
		unlink(input);
		free(input);
		free(counts);
	}
	sf_engine_asan(&l->env, "halt_on_error=0:symbolize=0");
	sf_words_add(&l->env, "SLABFUZZ_CRASHES=%s", p->crashes);
	if (p->allocators)
		sf_words_add(&l->env, "SLABFUZZ_ALLOCATOR=%s", p->allocators);
}

static void finish(struct lf_run *l)
{
	sf_words_free(&l->env);
	free(l->seeds);
	free(l->live);
	free(l->raw);
	free(l->said);
	free(l->run.job);
}

static void collect(struct lf_run *l, const struct timespec *since)
{
	struct sf_finds_options opt = { .target.program = l->plan->target,
					.crashes = l->plan->crashes, .since = *since,
					.programs = l->plan->allocators,
					.allocators = l->plan->allocators };
	struct sf_words env = { 0 };

	sf_engine_asan(&env, "symbolize=0");
	opt.target.env = (const char *const *)env.word;
	adopt(l, &opt);
	sf_finds_collect(&l->r->finds, &opt);
	sf_words_free(&env);
	if (l->plan->coverage)
		write_coverage(l);
}

int sf_with_libfuzzer(const struct sf_engine_plan *plan, struct sf_engine_result *r,
		      struct sf_error *err)
{
	struct lf_run l = { .plan = plan, .r = r,
			    .run = { .plan = plan, .ended = ended, .tell = tell } };
	int status = sf_engine_prepare(plan, r, err);
	struct timespec since;

	if (status)
		return status;
	begin(&l);
	since = sf_file_time(plan->crashes);
	l.run.ctx = &l;
	l.run.start = sf_engine_now();
	l.run.deadline = l.run.start + plan->seconds;
	for (uint32_t i = 0; i < plan->jobs; i++)
		start(&l, i);
	sf_engine_wait(&l.run);
	r->seconds = sf_engine_now() - l.run.start;
	r->interrupted = l.run.interrupted;
	r->cpu = l.run.cpu;
	keep_live(&l);
	take_counts(&l, true);
	take_logs(&l);
	r->corpus = sf_path("%s", plan->corpus);
	r->files = sf_count_files(plan->corpus);
	collect(&l, &since);
	if (!r->finds.nr && !r->interrupted && (!r->executions || l.gave_up)) {
		snprintf(err->text, sizeof(err->text), "%.80s did not run%s; see %.80s",
			 plan->target, r->executions ? " on" : "", r->log);
		status = 3;
	}
	finish(&l);
	return status;
}
