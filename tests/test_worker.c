// SPDX-License-Identifier: MIT
/*
 * test_worker.c - a worker gives the events that the same programs give in this process, and
 * survives whatever an allocator does to it: toys that fault, abort, exit, hang, take all memory,
 * close all descriptors, and write over what is shared. Relies on the executor, a model, the
 * generator and the corpora.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../allocators/base/grow.h"
#include "../harness/exec/worker.h"
#include "../harness/exec/worker_link.h"
#include "../harness/generate/mutate.h"
#include "../harness/exec/event_hash.h"

enum {
	GENERATED = 60,
	OPS = 48,
};

/* --- what was heard --- */

struct heard {
	uint64_t hash, events, begins;
	uint32_t over;          /* programs */
	uint32_t crashes;       /* events */
	uint32_t crash_op;
	uint8_t crash_code;
	bool refusal;
	char title[SF_CRASH_TITLE_MAX];
	struct sf_worker_end end; /* of the last program that did not end well, or the last */
	char text[400], why[200];
	uint32_t steps;
	uint32_t fates[SF_FATE_SCRIBBLED + 1];
};

static void hear(void *ctx, const struct sf_event *ev)
{
	struct heard *h = ctx;

	h->events++;
	h->begins += ev->type == SF_EV_BEGIN;
	if (ev->type == SF_EV_CRASH) {
		h->crashes++;
		h->crash_op = ev->op;
		h->crash_code = ev->crash.code;
		h->refusal = ev->crash.refusal;
		snprintf(h->title, sizeof(h->title), "%s", ev->crash.title);
	}
	hash_event(&h->hash, ev);
}

static void hear_end(void *ctx, uint32_t job, const struct sf_worker_end *end)
{
	struct heard *h = ctx;

	assert_int_equal(job, h->over);
	h->over++;
	h->fates[end->fate]++;
	if (end->fate == SF_FATE_DONE && h->end.fate != SF_FATE_DONE)
		return;
	h->end = *end;
	snprintf(h->text, sizeof(h->text), "%s", end->text);
	snprintf(h->why, sizeof(h->why), "%s", end->why);
}

static void hear_step(void *ctx, const struct sf_worker_step *step)
{
	struct heard *h = ctx;

	h->steps++;
	mix(&h->hash, step->op);
}

static const struct sf_exec_options exec_options = { .end = SF_END_TEARDOWN, .contents = true };

/* A sanitizer's handlers and cmocka's would make other ends of signals. */
static void forget_handlers(void)
{
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

	for (unsigned int i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		signal(deadly[i], SIG_DFL);
}

static void toy_reset(struct sf_heap *h);

static struct sf_worker *open_worker(const struct sf_allocator *a, const struct sf_settings *set,
				     enum sf_worker_fork fork, struct heard *h)
{
	bool is_toy = a->reset == toy_reset;
	const struct sf_worker_options opt = {
		.exec = exec_options, .fork = (uint8_t)fork, .timeout_ms = is_toy ? 4000 : 0,
		.memory_bytes = is_toy ? 100ull << 20 : 0, .text_bytes = 1 << 20,
		.inside = forget_handlers,
		.emit = hear, .over = hear_end, .ctx = h,
	};
	struct sf_error err = { "" };
	struct sf_worker *w;

	memset(h, 0, sizeof(*h));
	w = sf_worker_open(a, set, &opt, &err);
	if (!w)
		fail_msg("%s", err.text);
	return w;
}

static void run_jobs(struct sf_worker *w, const struct sf_worker_job *jobs, uint32_t nr)
{
	struct sf_error err = { "" };

	if (!sf_worker_run(w, jobs, nr, &err))
		fail_msg("%s", err.text);
}

/* --- the same as here --- */

struct programs {
	struct sf_prog *prog;
	struct sf_worker_job *job;
	uint32_t nr, cap;
};

static struct sf_prog *new_program(struct programs *all)
{
	SF_GROW(all->prog, all->nr, all->cap);
	sf_prog_init(&all->prog[all->nr]);
	return &all->prog[all->nr++];
}

static void free_programs(struct programs *all)
{
	for (uint32_t i = 0; i < all->nr; i++)
		sf_prog_free(&all->prog[i]);
	free(all->prog);
	free(all->job);
}

static void make_jobs(struct programs *all)
{
	all->job = sf_zalloc(all->nr, sizeof(*all->job));
	for (uint32_t i = 0; i < all->nr; i++)
		all->job[i] = (struct sf_worker_job){ .prog = &all->prog[i],
						      .name = i % 2 ? "p" : NULL };
}

static void generate(struct programs *all, uint32_t nr, uint64_t seed)
{
	for (uint32_t i = 0; i < nr; i++) {
		struct sf_swarm sw;
		struct sf_rng r;

		sf_rng_seed(&r, seed + i);
		sf_swarm_draw(&sw, SF_DRAW_KERNEL, &r);
		sf_generate(new_program(all), OPS, &sw, &r);
	}
}

static void read_program(struct programs *all, const char *path)
{
	static char text[1 << 20];
	struct sf_text_error err;
	FILE *f = fopen(path, "r");
	size_t len;

	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	if (sf_text_parse(new_program(all), text, len, &err))
		fail_msg("%s:%u: %s", path, err.line, err.text);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_corpus(struct programs *all, const char *folder)
{
	struct dirent **e;
	int nr = scandir(folder, &e, NULL, by_name);
	char path[400];

	for (int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, e[i]->d_name);
		if (strstr(path, ".txt"))
			read_program(all, path);
		free(e[i]);
	}
	free(e);
	assert_true(all->nr > 10);
}

/* The same steps as a worker's; heaps are made as it makes them. */
static void run_here(const struct sf_allocator *a, const struct programs *all, bool steps,
		     struct heard *h)
{
	struct sf_exec *x = NULL;
	struct sf_error err = { "" };
	const struct sf_settings *set = NULL;

	memset(h, 0, sizeof(*h));
	for (uint32_t i = 0; i < all->nr; i++) {
		const struct sf_prog *p = &all->prog[i];
		uint32_t op;
		bool going = true;

		if (!x)
			x = sf_exec_create(a, &p->settings, &exec_options, hear, h, &err);
		else if (memcmp(set, &p->settings, sizeof(*set)))
			assert_true(sf_exec_open(x, a, &p->settings, &err));
		if (!x)
			fail_msg("%s", err.text);
		set = &p->settings;
		sf_exec_begin(x, all->job[i].name);
		for (op = 0; op < p->nr_ops && going; op++) {
			going = sf_exec_step(x, &p->ops[op], p->strings);
			if (steps)
				mix(&h->hash, op);
		}
		sf_exec_end(x);
	}
	sf_exec_destroy(x);
}

static void same_events(const char *allocator, struct programs *all)
{
	const struct sf_allocator *a = sf_allocator_by_name(allocator);
	struct heard here, there;
	struct sf_worker *w;

	make_jobs(all);
	run_here(a, all, false, &here);
	w = open_worker(a, &all->prog[0].settings, SF_FORK_NONE, &there);
	run_jobs(w, all->job, all->nr);
	sf_worker_close(w);
	assert_int_equal(there.over, all->nr);
	assert_int_equal(there.fates[SF_FATE_DONE], all->nr);
	assert_int_equal(there.events, here.events);
	assert_true(there.hash == here.hash);
}

static void test_corpora(void **state)
{
	struct programs all = { .nr = 0 };

	(void)state;
	read_corpus(&all, "corpora/seeds");
	same_events("baseline", &all);
	free_programs(&all);
}

static void test_generated(void **state)
{
	static const char *const names[] = { "baseline", "typed", "protected" };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct programs all = { .nr = 0 };

		generate(&all, GENERATED, 100 * i + 1);
		same_events(names[i], &all);
		free_programs(&all);
	}
}

/* A record that is larger than the ring: a mapping of all of a large arena. */
static void test_huge_record(void **state)
{
	static const char text[] = "heap pages=1048576\n"
				   "r0 = kvmalloc(2000000000, GFP_KERNEL)\n"
				   "kvfree(r0)\n";
	struct programs all = { .nr = 0 };
	struct sf_text_error err;

	(void)state;
	assert_int_equal(sf_text_parse(new_program(&all), text, strlen(text), &err), 0);
	same_events("baseline", &all);
	free_programs(&all);
}

/* Heaps are made anew for each process: the rest is the same. */
static void hear_programs(void *ctx, const struct sf_event *ev)
{
	if (ev->type != SF_EV_HEAP && ev->type != SF_EV_CACHE && ev->type != SF_EV_CTYPE)
		hear(ctx, ev);
	else if (ev->type == SF_EV_CACHE && !ev->cache.boot)
		hear(ctx, ev);
}

static void test_forks(void **state)
{
	const struct sf_allocator *a = sf_allocator_by_name("baseline");
	struct heard heard[3];
	struct programs all = { .nr = 0 };

	(void)state;
	generate(&all, 20, 7);
	make_jobs(&all);
	for (int fork = SF_FORK_NONE; fork <= SF_FORK_PROGRAM; fork++) {
		struct heard *h = &heard[fork];
		const struct sf_worker_options opt = {
			.exec = exec_options, .fork = (uint8_t)fork, .emit = hear_programs,
			.over = hear_end, .step = hear_step, .ctx = h, .batch = 7,
		};
		struct sf_error err = { "" };
		struct sf_worker *w;

		memset(h, 0, sizeof(*h));
		w = sf_worker_open(a, &all.prog[0].settings, &opt, &err);
		if (!w)
			fail_msg("%s", err.text);
		run_jobs(w, all.job, all.nr);
		sf_worker_close(w);
		assert_int_equal(h->fates[SF_FATE_DONE], all.nr);
		assert_int_equal(h->begins, all.nr);
		assert_true(h->steps > 20 * OPS / 2);
		assert_true(h->hash == heard[0].hash);
	}
	free_programs(&all);
}

/* --- toys --- */

struct sf_heap {
	uint64_t allocs;
};

static enum mischief {
	WELL,
	FAULT,
	ABORT,
	EXIT,
	HANG,
	DEAF,      /* hangs, and takes no signal that can be taken */
	MEMORY,
	OUTPUT,
	CLOSE,
	SCRIBBLE_RING,
	SCRIBBLE_ALL,
	SCRIBBLE_IN,
	DIE_AT_START,
	EXIT_AT_START,
	REFUSE,
	HANG_AT_START,
} mischief;

static volatile uint64_t sink;
static char *volatile hoard;

static bool is_link(const char *line, char access)
{
	return line[strcspn(line, " ") + 2] == access && strstr(line, "/dev/zero");
}

/* Over all memory that is shared with the judge and can be written; or (`in`) cannot. */
static void scribble(char access, size_t from, size_t most)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[400];

	while (f && fgets(line, sizeof(line), f)) {
		if (!is_link(line, access) || sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		for (unsigned long at = start + from; at < end && at < start + from + most; at++)
			*(volatile char *)at = (char)0xa5;
	}
	if (f)
		fclose(f);
}

__attribute__((noinline)) static void misbehave(void)
{
	switch (mischief) {
	case FAULT:
		fprintf(stderr, "a toy is about to fault\n");
		*(volatile int *)(uintptr_t)(sink + 8) = 1;
		break;
	case ABORT:
		fprintf(stderr, "toy: corrupted\n");
		abort();
	case EXIT:
		exit(0);
	case DEAF:
		signal(SIGALRM, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		for (;;)
			sink++;
	case HANG:
		for (;;)
			sink++;
	case MEMORY:
		for (;;) {
			hoard = malloc(1 << 20);
			memset(hoard, 1, 1 << 20);
		}
	case OUTPUT:
		for (;;)
			puts("a line of text that nobody asked for, again and again and again");
	case CLOSE:
		for (int fd = 0; fd < 100; fd++)
			close(fd);
		break;
	case SCRIBBLE_RING:
		scribble('w', 0x1000, (1 << 20) - 0x1000);
		break;
	case SCRIBBLE_ALL:
		scribble('w', 0, 1 << 21);
		break;
	case SCRIBBLE_IN:
		scribble('-', 0, 1);
		break;
	default:
		break;
	}
}

static struct sf_heap *toy_create(const struct sf_allocator *self, const struct sf_settings *set,
				  struct sf_sink *to, struct sf_error *err)
{
	const struct sf_event ev = {
		.type = SF_EV_HEAP, .op = SF_NONE,
		.heap = { .allocator = self->name, .caps = self->caps, .settings = set },
	};

	if (mischief == DIE_AT_START)
		abort();
	if (mischief == EXIT_AT_START)
		exit(5);
	while (mischief == HANG_AT_START)
		sink++;
	if (mischief == REFUSE) {
		*err = (struct sf_error){ "no heap today" };
		return NULL;
	}
	if (to)
		to->emit(to->ctx, &ev);
	return calloc(1, sizeof(struct sf_heap));
}

static void toy_destroy(struct sf_heap *h)
{
	free(h);
}

static void toy_reset(struct sf_heap *h)
{
	h->allocs = 0;
}

/* The third allocation of a program misbehaves, if it is of 333 bytes. */
static void toy_alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	if (++h->allocs == 3 && rq->size == 333)
		misbehave();
	*rs = (struct sf_result){ .status = SF_OK, .addr = 0x100000 + (h->allocs << 16) };
}

static void toy_free(struct sf_heap *h, uint64_t addr, enum sf_free_how how, struct sf_result *rs)
{
	(void)h;
	(void)addr;
	(void)how;
	*rs = (struct sf_result){ .status = SF_OK };
}

static struct sf_traits toy_traits;

static struct sf_allocator toy(enum sf_reset_kind reset)
{
	toy_traits = sf_traits_default;
	return (struct sf_allocator){
		.abi = SF_ALLOCATOR_ABI, .name = "toy", .summary = "misbehaves when told to",
		.reset_kind = (uint8_t)reset, .traits = &toy_traits, .create = toy_create,
		.destroy = toy_destroy, .reset = toy_reset, .alloc = toy_alloc,
		.free = toy_free,
	};
}

static const char good[] = "r0 = kmalloc(10, GFP_KERNEL)\n"
			   "r1 = kmalloc(20, GFP_KERNEL)\n"
			   "r2 = kmalloc(30, GFP_KERNEL)\n"
			   "kfree(r1)\n";
static const char bad[] = "r0 = kmalloc(10, GFP_KERNEL)\n"
			  "kfree(r0)\n"
			  "r1 = kmalloc(20, GFP_KERNEL)\n"
			  "r2 = kmalloc(333, GFP_KERNEL)\n"
			  "kfree(r1)\n";
#define BAD_OP 3u

/* Good, bad, good, good. */
static void toy_programs(struct programs *all)
{
	static const char *const texts[] = { good, bad, good, good };
	struct sf_text_error err;

	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(sf_text_parse(new_program(all), texts[i], strlen(texts[i]),
					       &err), 0);
	make_jobs(all);
}

static unsigned int descriptors(void)
{
	unsigned int nr = 0;
	DIR *d = opendir("/proc/self/fd");

	while (d && readdir(d))
		nr++;
	if (d)
		closedir(d);
	return nr;
}

/*
 * The second of four programs does it: it alone is hit, by a crash of that fate and title at the
 * operation that did it, twice in a row, however processes are forked; nothing is left behind.
 */
static void hit_forked(enum mischief what, enum sf_worker_fate fate, const char *title,
		       enum sf_worker_fork fork, enum sf_reset_kind reset)
{
	const struct sf_allocator a = toy(reset);
	struct programs all = { .nr = 0 };
	unsigned int before = descriptors();
	struct sf_worker *w;
	struct heard h;

	toy_programs(&all);
	mischief = what;
	w = open_worker(&a, &all.prog[0].settings, fork, &h);
	for (unsigned int round = 1; round <= 2; round++) {
		h.over = 0;
		run_jobs(w, all.job, all.nr);
		assert_int_equal(h.over, all.nr);
		if (h.fates[fate] != round)
			print_message("fork %d: fate %u, status %#x: %s %s\n", fork, h.end.fate,
				      (unsigned int)h.end.status, h.why, h.text);
		assert_int_equal(h.fates[SF_FATE_DONE], 3 * round);
		assert_int_equal(h.fates[fate], round);
		assert_int_equal(h.crashes, round);
		assert_string_equal(h.title, title);
		assert_false(h.refusal);
		if (fate != SF_FATE_CLOSED || fork == SF_FORK_PROGRAM) {
			assert_int_equal(h.crash_op, BAD_OP);
			assert_int_equal(h.crash_code, SF_OP_KMALLOC);
		}
	}
	sf_worker_close(w);
	mischief = WELL;
	free_programs(&all);
	assert_int_equal(descriptors(), before);
	errno = 0;
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	if (what == FAULT && fork == SF_FORK_PROGRAM)
		assert_non_null(strstr(h.text, "a toy is about to fault\n"));
}

static void hit(enum mischief what, enum sf_worker_fate fate, const char *title)
{
	hit_forked(what, fate, title, SF_FORK_PROGRAM, SF_RESET_BEST_EFFORT);
	hit_forked(what, fate, title, SF_FORK_BATCH, SF_RESET_BEST_EFFORT);
	hit_forked(what, fate, title, SF_FORK_NONE, SF_RESET_EXACT);
}

static void test_fault(void **state)
{
	(void)state;
	hit(FAULT, SF_FATE_SIGNAL, "SIGSEGV");
}

static void test_abort(void **state)
{
	(void)state;
	hit(ABORT, SF_FATE_SIGNAL, "SIGABRT");
}

static void test_exit(void **state)
{
	(void)state;
	hit(EXIT, SF_FATE_EXIT, "exit(0)");
}

static void test_hang(void **state)
{
	(void)state;
	hit_forked(HANG, SF_FATE_HANG, "hang", SF_FORK_PROGRAM, SF_RESET_BEST_EFFORT);
	hit_forked(DEAF, SF_FATE_HANG, "hang", SF_FORK_NONE, SF_RESET_EXACT);
}

static void test_memory(void **state)
{
	(void)state;
	hit_forked(MEMORY, SF_FATE_MEMORY, "runaway memory", SF_FORK_PROGRAM,
		   SF_RESET_BEST_EFFORT);
}

static void test_output(void **state)
{
	(void)state;
	hit_forked(OUTPUT, SF_FATE_OUTPUT, "runaway output", SF_FORK_PROGRAM,
		   SF_RESET_BEST_EFFORT);
}

static void test_close(void **state)
{
	(void)state;
	hit(CLOSE, SF_FATE_CLOSED, "closed descriptors");
}

/*
 * Records that were not taken yet may be an earlier program's: then that one is blamed first. What
 * was taken is written anew, so that the ring alone may be scribbled over without harm. One program
 * at a time it is exact.
 */
static void scribbled(enum mischief what, enum sf_worker_fork fork, uint32_t at_once, bool exact)
{
	const struct sf_allocator a = toy(SF_RESET_EXACT);
	struct programs all = { .nr = 0 };
	struct sf_worker *w;
	struct heard h;

	toy_programs(&all);
	mischief = what;
	w = open_worker(&a, &all.prog[0].settings, fork, &h);
	for (unsigned int round = 1; round <= 5; round++) {
		for (uint32_t i = 0; i < all.nr; i += at_once) {
			h.over = 0;
			run_jobs(w, all.job + i, at_once);
			assert_int_equal(h.over, at_once);
		}
		assert_int_equal(h.fates[SF_FATE_DONE] + h.fates[SF_FATE_SCRIBBLED], 4 * round);
		if (exact)
			assert_int_equal(h.fates[SF_FATE_SCRIBBLED], round);
	}
	if (exact)
		assert_string_equal(h.title, "the worker's own memory was written over");
	sf_worker_close(w);
	mischief = WELL;
	free_programs(&all);
}

static void test_scribble(void **state)
{
	(void)state;
	for (int fork = SF_FORK_NONE; fork <= SF_FORK_PROGRAM; fork++) {
		scribbled(SCRIBBLE_ALL, (enum sf_worker_fork)fork, 1, true);
		scribbled(SCRIBBLE_ALL, (enum sf_worker_fork)fork, 4, false);
		scribbled(SCRIBBLE_RING, (enum sf_worker_fork)fork, 4, false);
	}
}

static void test_scribble_in(void **state)
{
	(void)state;
	hit(SCRIBBLE_IN, SF_FATE_SIGNAL, "SIGSEGV");
}

/* An abort that is promised is marked, and only where it is. */
static void test_refusal(void **state)
{
	const struct sf_allocator a = toy(SF_RESET_BEST_EFFORT);
	struct programs all = { .nr = 0 };
	struct sf_worker *w;
	struct heard h;

	(void)state;
	toy_programs(&all);
	mischief = ABORT;
	w = open_worker(&a, &all.prog[0].settings, SF_FORK_PROGRAM, &h);
	toy_traits.abort_misuse = toy_traits.abort_overflow = 1;
	run_jobs(w, all.job, all.nr);
	assert_int_equal(h.crashes, 1);
	assert_false(h.refusal);
	toy_traits.abort_exhaustion = 1;
	h.over = 0;
	run_jobs(w, all.job, all.nr);
	assert_int_equal(h.crashes, 2);
	assert_true(h.refusal);
	sf_worker_close(w);
	mischief = WELL;
	free_programs(&all);
}

static void no_start(enum mischief what, const char *why)
{
	const struct sf_allocator a = toy(SF_RESET_BEST_EFFORT);
	const struct sf_worker_options opt = { .exec = exec_options,
					       .timeout_ms = what == HANG_AT_START ? 1000 : 0,
					       .inside = forget_handlers, .emit = hear };
	struct sf_error err = { "" };
	struct sf_settings set;

	sf_settings_init(&set);
	mischief = what;
	assert_null(sf_worker_open(&a, &set, &opt, &err));
	mischief = WELL;
	if (!strstr(err.text, why))
		fail_msg("%s", err.text);
	assert_null(strchr(err.text, '\n'));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_start(void **state)
{
	(void)state;
	no_start(DIE_AT_START, "dies as it starts: SIGABRT");
	no_start(EXIT_AT_START, "ends as it starts");
	no_start(HANG_AT_START, "does not start");
	no_start(REFUSE, "no heap today");
}

/* With an exact reset the heap comes with the program: that is over, the next one goes on. */
static void test_no_heap(void **state)
{
	const struct sf_allocator a = toy(SF_RESET_EXACT);
	struct programs all = { .nr = 0 };
	struct sf_worker *w;
	struct heard h;

	(void)state;
	toy_programs(&all);
	mischief = REFUSE;
	w = open_worker(&a, &all.prog[0].settings, SF_FORK_PROGRAM, &h);
	run_jobs(w, all.job, all.nr);
	assert_int_equal(h.fates[SF_FATE_NO_HEAP], 4);
	assert_string_equal(h.why, "no heap today");
	assert_int_equal(h.crashes, 0);
	sf_worker_close(w);
	mischief = WELL;
	free_programs(&all);
}

/* Whoever watches is killed by somebody: another takes its place. */
static void test_killed_watcher(void **state)
{
	const struct sf_allocator a = toy(SF_RESET_BEST_EFFORT);
	struct programs all = { .nr = 0 };
	struct sf_worker *w;
	struct heard h;
	char path[64];
	int pid = 0;
	FILE *f;

	(void)state;
	toy_programs(&all);
	w = open_worker(&a, &all.prog[0].settings, SF_FORK_PROGRAM, &h);
	run_jobs(w, all.job, all.nr);
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	kill(pid, SIGKILL);
	h.over = 0;
	run_jobs(w, all.job, all.nr);
	assert_int_equal(h.fates[SF_FATE_DONE], 8);
	sf_worker_close(w);
	free_programs(&all);
}

/* Both sides are of one version, or it is said which they are. */
static void test_versions(void **state)
{
	struct sf_link_in *in = mmap(NULL, sizeof(*in), PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct sf_error err;

	(void)state;
	assert_true(in != MAP_FAILED);
	assert_false(sf_serve_understands(in, &err));
	assert_non_null(strstr(err.text, "no worker's memory"));
	in->magic = SF_LINK_MAGIC;
	in->version = SF_LINK_VERSION + 1;
	assert_false(sf_serve_understands(in, &err));
	assert_non_null(strstr(err.text, "version 2"));
	in->version = SF_LINK_VERSION;
	assert_false(sf_serve_understands(in, &err));
	assert_non_null(strstr(err.text, "lay out"));
	in->layout = sf_wire_layout();
	assert_true(sf_serve_understands(in, &err));
	munmap(in, sizeof(*in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_corpora),
		cmocka_unit_test(test_generated),
		cmocka_unit_test(test_huge_record),
		cmocka_unit_test(test_forks),
		cmocka_unit_test(test_fault),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_scribble),
		cmocka_unit_test(test_scribble_in),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_no_heap),
		cmocka_unit_test(test_killed_watcher),
		cmocka_unit_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
