// SPDX-License-Identifier: MIT
/*
 * user_probe.c - what an allocator from outside answers where the standards leave it a choice,
 * found out by asking. Each question is asked in a child of its own, which may die of it: that is
 * an answer too, and whatever it did to the allocator's state is gone.
 *
 * Only choices are found in this way. What is a duty (alignment, zeroing, errno where it was kept
 * once) is never made less of because a library fails in it.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user_heap.h"

enum {
	PATIENCE_MS = 5000,
	TRIES = 64,
	ALIGN_TRIED = 1 << 22,
	DIED = -1,   /* by a signal other than abort()'s, or it exited */
	ABORTED = -2,
	NO_IDEA = -3,
};

struct probe {
	const struct sf_allocator *a;
	struct sf_heap *h;
	struct sf_result rs;
};

static uint64_t get(struct probe *p, enum sf_user_call call, uint64_t align, uint64_t n,
		    uint64_t size)
{
	struct sf_request rq = { .api = SF_API_FOREIGN, .call = (uint8_t)call, .n = n, .size = size,
				 .align = align };

	p->a->alloc(p->h, &rq, &p->rs);
	return p->rs.status == SF_OK ? p->rs.addr : 0;
}

static void give_back(struct probe *p, uint64_t addr)
{
	p->a->free(p->h, addr, SF_FREE_USER, &p->rs);
}

/* --- the questions --- */

static int ask_malloc_zero(struct probe *p)
{
	int nulls = 0;

	for (int i = 0; i < TRIES; i++)
		nulls += !get(p, SF_CALL_MALLOC, 0, 1, 0);
	if (nulls == TRIES)
		return SF_MALLOC_ZERO_NULL;
	return nulls ? SF_MALLOC_ZERO_ANY : SF_MALLOC_ZERO_OBJECT;
}

/* NULL: the object is gone if its place is handed out again, or there was no error. */
static int ask_realloc_zero(struct probe *p)
{
	struct sf_request rq = { .api = SF_API_FOREIGN, .call = SF_CALL_REALLOC, .n = 1 };
	uint64_t addr = get(p, SF_CALL_MALLOC, 0, 1, 64);

	if (!addr)
		return NO_IDEA;
	p->a->realloc(p->h, addr, &rq, &p->rs);
	if (p->rs.addr)
		return SF_REALLOC_ZERO_OBJECT;
	if (!p->rs.error)
		return SF_REALLOC_ZERO_FREED;
	for (int i = 0; i < TRIES; i++)
		if (get(p, SF_CALL_MALLOC, 0, 1, 64) == addr)
			return SF_REALLOC_ZERO_FREED;
	return SF_REALLOC_ZERO_NULL;
}

static int ask_align_small(struct probe *p)
{
	uint64_t align = ((const struct user_source *)p->a->instance)->traits.align, all = 0;

	for (uint64_t size = 1; size < align; size++)
		for (int i = 0; i < TRIES; i++)
			all |= get(p, SF_CALL_MALLOC, 0, 1, size);
	return all && !(all % align);
}

static int ask_error(struct probe *p)
{
	if (get(p, SF_CALL_MALLOC, 0, 1, PTRDIFF_MAX))
		return NO_IDEA;
	return p->rs.error != 0;
}

static enum sf_user_call aligned_call(const struct probe *p)
{
	return p->a->caps & SF_CAP_MEMALIGN ? SF_CALL_MEMALIGN : SF_CALL_ALIGNED_ALLOC;
}

static int ask_align_power(struct probe *p)
{
	bool taken = false;

	if (p->a->caps & SF_CAP_MEMALIGN)
		taken = get(p, SF_CALL_MEMALIGN, 48, 1, 96) != 0;
	if (p->a->caps & SF_CAP_ALIGNED_ALLOC)
		taken |= get(p, SF_CALL_ALIGNED_ALLOC, 48, 1, 96) != 0;
	return !taken;
}

/* Up to what is refused; beyond ALIGN_TRIED it may be for want of memory. */
static int ask_align_max(struct probe *p)
{
	for (uint64_t align = 16; align <= ALIGN_TRIED; align *= 2) {
		uint64_t addr = get(p, aligned_call(p), align, 1, align);

		if (!addr)
			return (int)(align / 2);
		give_back(p, addr);
	}
	return 0;
}

static int ask_overflow(struct probe *p)
{
	return get(p, SF_CALL_CALLOC, 0, SIZE_MAX / 2, 4) ? NO_IDEA : 0;
}

/*
 * What is no size at all may be refused politely, and what there is no memory for not: terabytes
 * can be had as addresses, but not as memory that may be written.
 */
static int ask_exhaustion(struct probe *p)
{
	static const uint64_t sizes[] = { PTRDIFF_MAX, 1ull << 44, 3ull << 38 };
	bool given = false;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		given |= get(p, SF_CALL_MALLOC, 0, 1, sizes[i]) != 0;
	return given ? NO_IDEA : 0;
}

static int ask_misuse(struct probe *p)
{
	uint64_t addr = get(p, SF_CALL_MALLOC, 0, 1, 64);

	give_back(p, addr);
	give_back(p, addr);
	return 0;
}

static const struct {
	const char *trait;
	uint64_t caps;  /* all of these, and one of those */
	uint64_t any;
	int (*ask)(struct probe *p);
	bool aborts;    /* an abort() is what is asked about */
} questions[] = {
	{ "malloc_zero", 0, 0, ask_malloc_zero, false },
	{ "realloc_zero", SF_CAP_REALLOC, 0, ask_realloc_zero, false },
	{ "align_small", 0, 0, ask_align_small, false },
	{ "error", 0, 0, ask_error, false },
	{ "align_power", 0, SF_CAP_MEMALIGN | SF_CAP_ALIGNED_ALLOC, ask_align_power, false },
	{ "align_max", 0, SF_CAP_MEMALIGN | SF_CAP_ALIGNED_ALLOC, ask_align_max, false },
	{ "abort_overflow", SF_CAP_CALLOC, 0, ask_overflow, true },
	{ "abort_exhaustion", 0, 0, ask_exhaustion, true },
	{ "abort_misuse", 0, 0, ask_misuse, true },
};

#define NR_QUESTIONS (sizeof(questions) / sizeof(questions[0]))

/* --- children --- */

static void answer(const struct sf_allocator *a, int (*ask)(struct probe *p), int to)
{
	struct probe p = { .a = a };
	struct rlimit none = { 0, 0 };
	struct sf_settings set;
	struct sf_error err;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), value = NO_IDEA;

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGABRT, SIG_DFL);
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
	sf_settings_init(&set);
	p.h = a->create(a, &set, NULL, &err);
	if (p.h)
		value = ask(&p);
	if (write(to, &value, sizeof(value)) != (ssize_t)sizeof(value))
		_exit(1);
	_exit(0);
}

static int reap(pid_t child, int from)
{
	struct pollfd pfd = { .fd = from, .events = POLLIN };
	int value = DIED, status = 0;

	if (poll(&pfd, 1, PATIENCE_MS) <= 0)
		kill(child, SIGKILL);
	else if (read(from, &value, sizeof(value)) != (ssize_t)sizeof(value))
		value = DIED;
	if (waitpid(child, &status, 0) != child)
		return NO_IDEA;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
		return ABORTED;
	return value;
}

static int ask_child(const struct sf_allocator *a, int (*ask)(struct probe *p))
{
	int ends[2], value;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return NO_IDEA;
	fflush(stdout);
	fflush(stderr);
	child = fork();
	if (!child)
		answer(a, ask, ends[1]);
	close(ends[1]);
	value = child < 0 ? NO_IDEA : reap(child, ends[0]);
	close(ends[0]);
	return value;
}

static bool applies(const struct user_source *s, size_t i)
{
	uint64_t caps = s->allocator.caps;

	return (caps & questions[i].caps) == questions[i].caps &&
	       (!questions[i].any || caps & questions[i].any);
}

void user_probe(struct user_source *s)
{
	for (size_t i = 0; i < NR_QUESTIONS; i++) {
		const char *name = questions[i].trait;
		const struct sf_setting_info *info = sf_trait_by_name(name, strlen(name));
		int value;

		if (s->said >> info->code & 1 || !applies(s, i))
			continue;
		value = ask_child(&s->allocator, questions[i].ask);
		if (value == ABORTED && questions[i].aborts)
			value = 1;
		if (value >= 0)
			*sf_trait_slot(&s->traits, info) = (uint64_t)value;
	}
}
