// SPDX-License-Identifier: MIT
/*
 * forked.c - forked.h. A byte through a pipe says that an input is there, another that it was run;
 * what both are about is in memory that they share. The child looks at itself each second: a hang
 * is told from there, as its stack is what names it. The engine, which waits, would see it later.
 */
#include "forked.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

enum {
	LOOK_SECONDS = 1,
	HANG_CPU = 15,                  /* seconds: much longer than anything that is due */
	HANG_WALL = SF_HANG_SECONDS - 3, /* who sleeps: before the engine loses patience */
	DATA_MAX = 1 << 20,
};

static struct {
	struct input {
		uint32_t which, size;
		bool broken;
		uint64_t ns; /* CPU time that it took */
		uint8_t data[DATA_MAX];
		uint8_t bytes[]; /* of all ranges */
	} *shared;
	pid_t pid;        /* 0: there is none */
	int to, from;     /* the child */
} child;

static bool pass(int fd)
{
	const char c = 0;
	ssize_t n;

	do
		n = write(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static bool wait_for(int fd)
{
	ssize_t n;
	char c;

	do
		n = read(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static void copy(const struct sf_forked *f, bool out)
{
	uint8_t *at = child.shared->bytes;

	for (unsigned int i = 0; i < f->nr_ranges; at += f->range[i++].size)
		memcpy(out ? at : f->range[i].begin, out ? f->range[i].begin : at,
		       f->range[i].size);
}

/* --- the child --- */

static uint64_t resident_pages(void)
{
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128] = "";
	const char *second;

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	second = strchr(text, ' ');
	return second ? strtoull(second, NULL, 10) : 0;
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct {
	const struct sf_forked *f;
	unsigned int memory_mb;
	volatile bool midst; /* of an input, which began when: */
	volatile uint64_t cpu, wall;
} watch;

static bool hangs(void)
{
	const uint64_t second = 1000000000u;

	return watch.midst && (now_ns(CLOCK_PROCESS_CPUTIME_ID) - watch.cpu > HANG_CPU * second ||
			       now_ns(CLOCK_MONOTONIC) - watch.wall > HANG_WALL * second);
}

static void look(int nr, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)nr;
	(void)info;
	if (resident_pages() >> 8 > watch.memory_mb)
		_exit(SF_FORKED_MEMORY);
	if (hangs()) {
		watch.f->hung(context);
		_exit(SF_FORKED_HUNG);
	}
	errno = saved;
}

static void be_watched(const struct sf_forked *f)
{
	const struct itimerval each = { { LOOK_SECONDS, 0 }, { LOOK_SECONDS, 0 } };
	const struct sigaction ours = { .sa_sigaction = look,
					.sa_flags = SA_RESTART | SA_SIGINFO | SA_ONSTACK };

	watch.f = f;
	watch.memory_mb = sf_memory_mb();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGALRM, &ours, NULL);
	setitimer(ITIMER_REAL, &each, NULL);
}

static _Noreturn void serve(const struct sf_forked *f, int in, int out)
{
	struct input *s = child.shared;

	be_watched(f);
	while (wait_for(in)) {
		watch.cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
		watch.wall = now_ns(CLOCK_MONOTONIC);
		watch.midst = true;
		for (unsigned int i = 0; i < f->nr_ranges; i++)
			memset(f->range[i].begin, 0, f->range[i].size);
		s->broken = !f->work(s->which, s->data, s->size);
		watch.midst = false;
		s->ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - watch.cpu;
		copy(f, true);
		if (!pass(out) || s->broken)
			break;
	}
	_exit(0);
}

/* --- whose it is --- */

static bool make_shared(const struct sf_forked *f)
{
	size_t size = sizeof(*child.shared);
	void *p;

	for (unsigned int i = 0; i < f->nr_ranges; i++)
		size += f->range[i].size;
	if (!child.shared) {
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		child.shared = p == MAP_FAILED ? NULL : p;
	}
	return child.shared;
}

static bool make_child(const struct sf_forked *f)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC))
		return false;
	if (pipe2(from, O_CLOEXEC)) {
		close(to[0]);
		close(to[1]);
		return false;
	}
	child.pid = fork();
	if (!child.pid) {
		close(to[1]);
		close(from[0]);
		serve(f, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	child.to = to[1];
	child.from = from[0];
	if (child.pid > 0)
		return true;
	close(child.to);
	close(child.from);
	child.pid = 0;
	return false;
}

static int child_ended(void)
{
	int status = -1;

	close(child.to);
	close(child.from);
	while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
		;
	child.pid = 0;
	return status;
}

uint64_t sf_forked_ns(void)
{
	return child.shared ? child.shared->ns : 0;
}

int sf_forked(const struct sf_forked *f, unsigned int which, const uint8_t *data, size_t size)
{
	int status;

	if (size > DATA_MAX || !make_shared(f) || (!child.pid && !make_child(f)))
		return -1;
	child.shared->which = which;
	child.shared->size = (uint32_t)size;
	child.shared->broken = false;
	child.shared->ns = 0;
	memcpy(child.shared->data, data, size);
	if (!pass(child.to) || !wait_for(child.from)) {
		status = child_ended();
		return status ? status : 1 << 8; /* it left of itself */
	}
	copy(f, false);
	if (child.shared->broken)
		child_ended();
	return 0;
}
