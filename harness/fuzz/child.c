// SPDX-License-Identifier: MIT
/*
 * child.c - child.h. The program is a process group of its own, so that what it starts (a
 * symbolizer) ends with it. Its output goes into a file without a name: nobody has to read along.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"

enum { TEXT_MAX = 4 << 20 };

static _Noreturn void become(const struct sf_child *c, int in, int out)
{
	const struct rlimit none = { 0, 0 };
	sigset_t all;

	/* Whoever waits with signals blocked does not want that for others. */
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGPIPE, SIG_DFL);
	setrlimit(RLIMIT_CORE, &none);
	setpgid(0, 0);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(127);
	for (const char *const *e = c->env; e && *e; e++)
		putenv((char *)(uintptr_t)*e);
	execvp(c->argv[0], (char *const *)(uintptr_t)c->argv);
	_exit(127);
}

static int file_with(const char *name, const char *text)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	size_t len = text ? strlen(text) : 0;

	if (fd >= 0 && (write(fd, text ? text : "", len) != (ssize_t)len ||
			lseek(fd, 0, SEEK_SET))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void read_back(int fd, struct sf_child_output *out)
{
	struct stat st;
	ssize_t n;

	out->len = fstat(fd, &st) ? 0 : (size_t)(st.st_size < TEXT_MAX ? st.st_size : TEXT_MAX);
	out->text = sf_grow(NULL, out->len + 1, 1);
	n = pread(fd, out->text, out->len, 0);
	out->len = n > 0 ? (size_t)n : 0;
	out->text[out->len] = 0;
	/* A NUL would hide what is behind it. */
	for (size_t i = 0; i < out->len; i++)
		if (!out->text[i])
			out->text[i] = ' ';
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Quick at first: most of what is run takes some milliseconds. */
static void wait_for(pid_t pid, unsigned int seconds, struct sf_child_output *out)
{
	double deadline = now() + seconds;
	long pause = 200000;
	pid_t got;

	while ((got = waitpid(pid, &out->status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
		const struct timespec t = { .tv_nsec = pause };

		if (now() > deadline) {
			out->hung = true;
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			while (waitpid(pid, &out->status, 0) < 0 && errno == EINTR)
				;
			return;
		}
		nanosleep(&t, NULL);
		pause = pause < 20000000 ? pause * 2 : pause;
	}
	kill(-pid, SIGKILL);
}

bool sf_child_run(const struct sf_child *c, struct sf_child_output *out)
{
	int in = file_with("input", c->input), text = memfd_create("output", MFD_CLOEXEC);
	pid_t pid = -1;

	*out = (struct sf_child_output){ NULL, 0, 0, false };
	if (in >= 0 && text >= 0)
		pid = fork();
	if (!pid)
		become(c, in, text);
	if (pid > 0) {
		setpgid(pid, pid);
		wait_for(pid, c->seconds, out);
		read_back(text, out);
	}
	if (in >= 0)
		close(in);
	if (text >= 0)
		close(text);
	return pid > 0;
}

unsigned int sf_memory_mb(void)
{
	const unsigned int least = 3072, most = 12288;
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	uint64_t half = pages > 0 && size > 0 ? ((uint64_t)pages * (uint64_t)size) >> 21 : 0;

	return half < least ? least : half > most ? most : (unsigned int)half;
}
