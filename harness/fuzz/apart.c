// SPDX-License-Identifier: MIT
/*
 * apart.c - apart.h: one fork for as much work as goes well. The state is static: there is one
 * child at a time.
 */
#include "apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../allocators/base/grow.h"

enum {
	LOOK_MS = 200,      /* how often the child is looked at, */
	ENDS_MS = 5,        /* and when it has closed its pipe: it is about to end */
	SAID_MAX = 1 << 20, /* of a report; */
	SAID_LIMIT = 64 << 20, /* and who says more than that is not listened to */
};

static struct sf_apart_state *state;
static int messages = STDERR_FILENO;
static int to_parent = -1;    /* in the child */
static ino_t own_text, own_pipe;

int sf_apart_messages(void)
{
	return messages;
}

struct sf_apart_state *sf_apart_state(void)
{
	if (!state) {
		state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (state == MAP_FAILED)
			sf_out_of_memory();
	}
	return state;
}

/* --- the child --- */

static ino_t inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static void hold_descriptors(void)
{
	if (inode(STDERR_FILENO) == own_text && inode(to_parent) == own_pipe)
		return;
	state->closed = true;
	_exit(0);
}

void sf_apart_step(bool midst)
{
	struct sf_apart_state *s = sf_apart_state();

	s->beat++;
	if (to_parent >= 0 && s->midst != midst) {
		hold_descriptors();
		s->said = lseek(STDERR_FILENO, 0, SEEK_CUR);
	}
	s->midst = midst;
}

void sf_apart_tell(void)
{
	const char c = 0;

	if (to_parent >= 0 && write(to_parent, &c, 1) != 1)
		hold_descriptors();
}

/* Far up, where an allocator that opens and closes files does not come by. */
static int out_of_the_way(int fd)
{
	int to = fcntl(fd, F_DUPFD_CLOEXEC, 200);

	if (to < 0)
		return fd;
	close(fd);
	return to;
}

static _Noreturn void be_child(const struct sf_apart_options *opt, int text, int pipe_out)
{
	const struct rlimit none = { 0, 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &none);
	messages = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 200);
	dup2(text, STDERR_FILENO);
	close(text);
	to_parent = out_of_the_way(pipe_out);
	own_text = inode(STDERR_FILENO);
	own_pipe = inode(to_parent);
	sf_crash_speak(&state->midst);
	opt->work(opt->ctx);
	sf_apart_step(false);
	state->finished = true;
	exit(0);
}

/* --- its supervisor --- */

struct watch {
	const struct sf_apart_options *opt;
	pid_t pid;
	int text, from_child;
	uint64_t beat;
	double since;          /* when the beat changed */
	struct sf_crash_end end;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t resident_bytes(pid_t pid)
{
	unsigned long long total, pages = 0;
	char path[40];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%llu %llu", &total, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool ended(struct watch *w, int flags)
{
	pid_t got;

	do
		got = waitpid(w->pid, &w->end.status, flags);
	while (got < 0 && errno == EINTR);
	return got != 0;
}

/* It is asked where it is, and has two seconds to say so. */
static void stop(struct watch *w)
{
	const struct timespec t = { .tv_nsec = 20000000 };

	kill(w->pid, SIGALRM);
	for (int i = 0; i < 100; i++) {
		if (ended(w, WNOHANG))
			return;
		nanosleep(&t, NULL);
	}
	kill(w->pid, SIGKILL);
	ended(w, 0);
}

/* True: it was stopped. */
static bool look(struct watch *w)
{
	struct stat st;

	if (w->beat != state->beat || !state->midst) {
		w->beat = state->beat;
		w->since = now();
	}
	w->end.hung = w->opt->seconds && now() - w->since > w->opt->seconds;
	w->end.memory = w->opt->memory_bytes && resident_bytes(w->pid) > w->opt->memory_bytes;
	if (!fstat(w->text, &st) && st.st_size > SAID_LIMIT && ftruncate(w->text, 0))
		w->end.memory = true;
	if (!w->end.hung && !w->end.memory)
		return false;
	stop(w);
	return true;
}

/* Until the child has ended. */
static void watch(struct watch *w)
{
	struct pollfd p = { .fd = w->from_child, .events = POLLIN };
	char buf[256];

	w->since = now();
	for (;;) {
		int n = poll(&p, 1, p.fd < 0 ? ENDS_MS : LOOK_MS);

		if (n > 0 && (p.revents & POLLIN) && read(w->from_child, buf, sizeof(buf)) > 0) {
			if (w->opt->told)
				w->opt->told(w->opt->ctx);
			/* Busy children are looked at, too. */
			if (now() - w->since < LOOK_MS / 1000.0)
				continue;
		} else if (n > 0) {
			p.fd = -1; /* closed: it is about to end, or was robbed of it */
		}
		if (ended(w, WNOHANG) || look(w))
			return;
	}
}

/* What was said from `from` on. */
static char *said(int text, int64_t from)
{
	struct stat st;
	size_t len;
	ssize_t n;
	char *s;

	if (fstat(text, &st) || from < 0 || from > st.st_size)
		from = 0;
	len = (size_t)(st.st_size - from < SAID_MAX ? st.st_size - from : SAID_MAX);
	s = sf_grow(NULL, len + 1, 1);
	n = pread(text, s, len, from);
	s[n > 0 ? n : 0] = 0;
	for (ssize_t i = 0; i < n; i++)
		if (!s[i])
			s[i] = ' ';
	return s;
}

static void judge_end(struct watch *w, struct sf_apart_end *end)
{
	bool fine = state->finished && WIFEXITED(w->end.status);
	char *text = said(w->text, fine ? 0 : state->said);

	w->end.closed = state->closed;
	w->end.left = !fine && WIFEXITED(w->end.status) && !w->end.closed;
	if (fine) {
		/* What nobody died of is passed on: warnings, leaks. */
		fputs(text, stderr);
		*end = (struct sf_apart_end){ .report = text };
		return;
	}
	end->report = sf_crash_symbolize(text);
	free(text);
	if (!sf_crash_read(&end->crash, end->report, &w->end))
		end->crash = (struct sf_crash){
			.kind = SF_CRASH_KILLED, .title = "ended in an unknown way",
		};
}

bool sf_apart_run(const struct sf_apart_options *opt, struct sf_apart_end *end)
{
	struct watch w = { .opt = opt, .text = memfd_create("said", MFD_CLOEXEC) };
	int fds[2] = { -1, -1 };

	*end = (struct sf_apart_end){ .report = NULL };
	*sf_apart_state() = (struct sf_apart_state){ .beat = state->beat };
	w.pid = w.text < 0 || pipe2(fds, O_CLOEXEC) ? -1 : (fflush(NULL), fork());
	if (!w.pid)
		be_child(opt, w.text, fds[1]);
	w.from_child = fds[0];
	if (fds[1] >= 0)
		close(fds[1]);
	if (w.pid > 0) {
		watch(&w);
		if (opt->told)
			opt->told(opt->ctx);
		judge_end(&w, end);
	}
	if (fds[0] >= 0)
		close(fds[0]);
	if (w.text >= 0)
		close(w.text);
	return w.pid > 0;
}
