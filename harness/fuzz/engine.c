// SPDX-License-Identifier: MIT
/*
 * engine.c - what a run of any engine needs (engine.h): its processes, watched; time; signals.
 */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"
#include "files.h"
#include "seeds.h"

enum {
	GRACE = 15,     /* seconds that an engine has to end when it is asked to */
	OVERTIME = 120, /* that it has to end by itself: it reads all seeds before it looks */
};

double sf_engine_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- words --- */

static void add_word(struct sf_words *w, char *word)
{
	if (w->nr + 2 > w->cap) {
		w->cap = w->cap ? 2 * w->cap : 16;
		w->word = sf_grow(w->word, w->cap, sizeof(char *));
	}
	w->word[w->nr++] = word;
	w->word[w->nr] = NULL;
}

void sf_words_add(struct sf_words *w, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		sf_out_of_memory();
	va_end(ap);
	add_word(w, s);
}

void sf_words_split(struct sf_words *w, const char *text)
{
	while (text && *(text += strspn(text, " \t\n"))) {
		size_t n = strcspn(text, " \t\n");

		sf_words_add(w, "%.*s", (int)n, text);
		text += n;
	}
}

void sf_words_free(struct sf_words *w)
{
	for (size_t i = 0; i < w->nr; i++)
		free(w->word[i]);
	free(w->word);
	*w = (struct sf_words){ 0 };
}

/* --- surroundings --- */

/*
 * No leaks are looked for: nothing allocates for each input, and the look costs a quarter. Blocks
 * that were freed wait for 4 MiB to be freed after them: what is fuzzed has memory of its own.
 */
void sf_engine_asan(struct sf_words *env, const char *more)
{
	const char *user = getenv("ASAN_OPTIONS"), *ub = getenv("UBSAN_OPTIONS");
	const char *tunables = getenv("GLIBC_TUNABLES");

	sf_words_add(env, "ASAN_OPTIONS=detect_leaks=0:handle_sigill=1:handle_sigtrap=1:"
		     "handle_abort=1:quarantine_size_mb=4:"
		     "dedup_token_length=3:allocator_may_return_null=1%s%s%s%s",
		     user && *user ? ":" : "", user ? user : "", more ? ":" : "", more ? more : "");
	/* For libraries whose thread-local variables must be there from the beginning. */
	sf_words_add(env, "GLIBC_TUNABLES=%s%sglibc.rtld.optional_static_tls=65536",
		     tunables ? tunables : "", tunables && *tunables ? ":" : "");
	sf_words_add(env, "UBSAN_OPTIONS=print_stacktrace=1%s%s", ub ? ":" : "", ub ? ub : "");
}

char *sf_engine_beside(const struct sf_engine_plan *plan, const char *what)
{
	return sf_path("%s-%s", plan->corpus, what);
}

static int lacks(struct sf_error *err, int status, const char *path)
{
	snprintf(err->text, sizeof(err->text), "%s: %s", path, strerror(errno));
	return status;
}

int sf_engine_prepare(const struct sf_engine_plan *plan, struct sf_engine_result *r,
		      struct sf_error *err)
{
	struct sf_words names = { 0 };
	char *seeds = sf_engine_beside(plan, "seeds");
	int status = 0;

	*r = (struct sf_engine_result){ .log = sf_path("%s.log", plan->corpus) };
	if (access(plan->target, X_OK))
		status = lacks(err, 3, plan->target);
	else if (!sf_make_folder(plan->corpus))
		status = lacks(err, 2, plan->corpus);
	else if (!sf_make_folder(plan->crashes))
		status = lacks(err, 2, plan->crashes);
	else if (!sf_seeds_prepare(seeds, plan->seeds, plan->raw, err))
		status = 2;
	else
		r->seeds = sf_count_files(seeds);
	free(seeds);
	sf_words_split(&names, plan->allocators);
	r->nr_allocators = (uint32_t)names.nr;
	r->allocators = sf_zalloc(names.nr, sizeof(*r->allocators));
	for (size_t i = 0; i < names.nr; i++)
		r->allocators[i].name = sf_path("%s", names.word[i]);
	sf_words_free(&names);
	return status;
}

void sf_engine_result_free(struct sf_engine_result *r)
{
	for (uint32_t i = 0; i < r->nr_allocators; i++)
		free(r->allocators[i].name);
	free(r->allocators);
	free(r->corpus);
	free(r->log);
	sf_finds_free(&r->finds);
	*r = (struct sf_engine_result){ 0 };
}

/* --- processes --- */

/* The last CPU that this process may use: the first is the busiest as a rule. */
static void pin(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return;
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
		return;
	}
}

static _Noreturn void become(const struct sf_engine_run *run, const char *const *argv,
			     const char *const *env, const char *log)
{
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644), in = open("/dev/null", O_RDONLY);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	/* From here on a signal is the supervisor's to pass on, not the terminal's. */
	setpgid(0, 0);
	if (run->plan->jobs == 1)
		pin();
	for (; env && *env; env++)
		putenv((char *)(uintptr_t)*env);
	if (out >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2)
		execvp(argv[0], (char *const *)(uintptr_t)argv);
	dprintf(2, "slabfuzz: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

void sf_engine_start(struct sf_engine_run *run, uint32_t nr, const char *const *argv,
		     const char *const *env, const char *log)
{
	pid_t pid = fork();

	if (!pid)
		become(run, argv, env, log);
	run->job[nr] = (struct sf_engine_job){ .pid = pid > 0 ? pid : 0 };
}

static bool any_runs(const struct sf_engine_run *run)
{
	for (uint32_t i = 0; i < run->plan->jobs; i++)
		if (run->job[i].pid)
			return true;
	return false;
}

static void send(const struct sf_engine_run *run, int nr)
{
	for (uint32_t i = 0; i < run->plan->jobs; i++)
		if (run->job[i].pid)
			kill(run->job[i].pid, nr);
}

static uint64_t ns_of(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * 1000u;
}

static void collect(struct sf_engine_run *run)
{
	for (uint32_t i = 0; i < run->plan->jobs; i++) {
		struct sf_engine_job *job = &run->job[i];
		struct rusage used;

		if (!job->pid || wait4(job->pid, &job->status, WNOHANG, &used) != job->pid)
			continue;
		job->pid = 0;
		run->cpu += ns_of(&used.ru_utime) + ns_of(&used.ru_stime);
		if (!run->stopping && sf_engine_now() < run->deadline)
			run->ended(run->ctx, i);
	}
}

static void draw(struct sf_engine_run *run)
{
	double now = sf_engine_now();
	char line[160] = "";

	run->tell(run->ctx, line, sizeof(line));
	fprintf(stderr, "\r\033[K%.0f of %u s%s%.70s", now - run->start, run->plan->seconds,
		*line ? ", " : "", line);
}

/* Asked, once the time is over for good; made to, once asking did not help. */
static void see_to_end(struct sf_engine_run *run, double *patience)
{
	double now = sf_engine_now();

	if (now < *patience)
		return;
	send(run, run->stopping ? SIGKILL : SIGINT);
	run->stopping = true;
	*patience = now + GRACE;
}

void sf_engine_wait(struct sf_engine_run *run)
{
	const struct timespec beat = { .tv_nsec = 200000000 };
	double patience = run->deadline + OVERTIME, drawn = 0;
	sigset_t watched;

	sigemptyset(&watched);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGHUP);
	sigaddset(&watched, SIGCHLD);
	sigprocmask(SIG_BLOCK, &watched, NULL);
	for (collect(run); any_runs(run); collect(run)) {
		int nr = sigtimedwait(&watched, NULL, &beat);

		if (nr > 0 && nr != SIGCHLD) {
			run->interrupted = true;
			patience = 0;
		}
		see_to_end(run, &patience);
		if (run->plan->progress && sf_engine_now() > drawn + 1) {
			draw(run);
			drawn = sf_engine_now();
		}
	}
	if (run->plan->progress)
		fprintf(stderr, "\r\033[K");
	sigprocmask(SIG_UNBLOCK, &watched, NULL);
}
