// SPDX-License-Identifier: MIT
/*
 * worker_child.c - a worker as processes. One watches (warm: for allocators without an exact reset
 * it has the heap already); it forks who executes, and tells how that ended. What it tells lies in
 * memory that who executes does not have, so an allocator cannot forge it. Relies on Linux.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "worker.h"
#include "worker_link.h"

/* How who executes ends when it was robbed of its descriptors: not well. */
#define STATUS_ROBBED 99

void sf_futex_wait(const uint32_t *word, uint32_t value, unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	syscall(SYS_futex, word, FUTEX_WAIT, value, ms ? &ts : NULL, NULL, 0);
}

void sf_futex_wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

struct child {
	const struct sf_child_options *opt;
	struct sf_serve *serve;
	struct stat text;    /* what descriptors 1 and 2 should be */
	off_t said, heard;   /* bytes in it when last looked at, and when last told of */
};

/* Who executes; 0: nobody does. For the handler of signals. */
static volatile sig_atomic_t runner;

/* The judge asks for an end: at first so that it can say where it hangs. */
static void on_signal(int nr)
{
	int saved = errno;

	if (runner)
		kill(runner, nr == SIGUSR1 ? SIGALRM : SIGKILL);
	errno = saved;
}

static bool is_robbed(void *ctx)
{
	struct child *c = ctx;
	struct stat st;

	if (fstat(STDERR_FILENO, &st) || st.st_ino != c->text.st_ino ||
	    st.st_dev != c->text.st_dev)
		return true;
	c->said = st.st_size;
	return false;
}

/* As of when it was last looked whether it was robbed: that is once for each operation. */
static bool has_said(void *ctx)
{
	struct child *c = ctx;
	bool more = c->said > c->heard;

	c->heard = c->said;
	return more;
}

/* --- who executes --- */

static void wait_for_batch(const struct sf_link_in *in, uint32_t last)
{
	while (SF_LINK_LOAD(in->batch) == last && !SF_LINK_LOAD(in->quit))
		sf_futex_wait(&in->batch, last, 0);
	if (SF_LINK_LOAD(in->quit))
		_exit(0);
}

static void serve(struct child *c, uint32_t from, uint32_t to)
{
	/* What others said is none of its own. */
	is_robbed(c);
	has_said(c);
	if (!sf_serve_batch(c->serve, from, to))
		_exit(STATUS_ROBBED);
}

_Noreturn static void execute(struct child *c, uint32_t batch, uint32_t from, uint32_t to)
{
	const struct sf_link_in *in = c->opt->in;

	serve(c, from, to);
	while (c->opt->fork == SF_FORK_NONE) {
		wait_for_batch(in, batch);
		batch = SF_LINK_LOAD(in->batch);
		serve(c, 0, in->programs);
	}
	_exit(0);
}

/* --- who watches --- */

static bool dies_with(int parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return getppid() == parent;
}

/* A process of that number, whoever has it by now, must not be signalled once ours is reaped. */
static int reap(int pid)
{
	siginfo_t info;
	int status;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
		;
	runner = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void as_runner(struct child *c, uint32_t batch, uint32_t from, uint32_t to, int watcher)
{
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
	if (!dies_with(watcher))
		_exit(0);
	execute(c, batch, from, to);
}

/* How it ended; -1: there was none, state->error says why. */
static int run_one(struct child *c, uint32_t batch, uint32_t from, uint32_t to)
{
	struct sf_link_state *state = c->opt->state;
	int watcher = getpid(), pid, status;

	pid = fork();
	if (!pid)
		as_runner(c, batch, from, to, watcher);
	if (pid < 0) {
		snprintf(state->error.text, sizeof(state->error.text), "fork: %s",
			 strerror(errno));
		return -1;
	}
	runner = pid;
	SF_LINK_STORE(state->runner, pid);
	status = reap(pid);
	SF_LINK_STORE(state->runner, 0);
	return status;
}

static void tell_end(struct child *c, int status)
{
	struct sf_link_state *state = c->opt->state;
	struct sf_link_out *out = c->opt->out;
	struct sf_link_in *in = c->opt->in;
	uint32_t nr = state->ended + 1;

	state->status = status;
	SF_LINK_STORE(state->ended, nr);
	SF_LINK_STORE(out->bell, out->bell + 1);
	sf_futex_wake(&out->bell);
	for (uint32_t seen; (seen = SF_LINK_LOAD(in->ack)) != nr; sf_futex_wait(&in->ack, seen, 0))
		if (SF_LINK_LOAD(in->quit))
			_exit(0);
}

/* Programs of one batch that are still to be run. */
struct span {
	uint32_t batch, from, to;
};

static void run_span(struct child *c, struct span *s)
{
	struct sf_link_in *in = c->opt->in;
	struct sf_link_out *out = c->opt->out;
	uint32_t to = c->opt->fork == SF_FORK_PROGRAM ? s->from + 1 : s->to;
	int status;

	sf_serve_resume(c->serve, out->written, out->nr);
	status = run_one(c, s->batch, s->from, to);
	if (SF_LINK_LOAD(in->quit))
		_exit(0);
	if (!status && c->opt->fork != SF_FORK_NONE && SF_LINK_LOAD(out->done) == to) {
		s->from = to;
		return;
	}
	tell_end(c, status);
	*s = (struct span){ in->ack_batch, in->ack_from, in->ack_to };
	out->nr = in->ack_nr;
	SF_LINK_STORE(out->written, in->taken);
}

_Noreturn static void watch(struct child *c)
{
	struct sf_link_in *in = c->opt->in;
	struct span s = { 0, 0, 0 };

	for (;;) {
		wait_for_batch(in, s.batch);
		s = (struct span){ SF_LINK_LOAD(in->batch), 0, in->programs };
		SF_LINK_STORE(c->opt->out->done, 0);
		while (s.from < s.to)
			run_span(c, &s);
		SF_LINK_STORE(c->opt->state->finished, s.batch);
	}
}

/* --- set-up --- */

static void redirect(struct child *c)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(c->opt->text, STDOUT_FILENO);
	dup2(c->opt->text, STDERR_FILENO);
	fstat(STDERR_FILENO, &c->text);
	/* Text is lost with the process that has not written it yet. */
	setvbuf(stdout, NULL, _IOLBF, 0);
}

/* Of any sanitizer: then the handlers are its own. */
extern void __sanitizer_print_stack_trace(void) __attribute__((weak));

/* What the judge's process does about its own crashes is not for its copy. */
static void forget_handlers(void)
{
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP };

	if (__sanitizer_print_stack_trace)
		return;
	for (size_t i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		signal(deadly[i], SIG_DFL);
}

static void settle(struct child *c)
{
	const struct rlimit none = { 0, 0 };
	const struct sigaction ask = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	setpgid(0, 0); /* so that all that it starts can be ended at once */
	setrlimit(RLIMIT_CORE, &none);
	redirect(c);
	sigaction(SIGUSR1, &ask, NULL);
	sigaction(SIGUSR2, &ask, NULL);
	signal(SIGALRM, SIG_DFL);
	forget_handlers();
	madvise(c->opt->state, sizeof(*c->opt->state), MADV_DONTFORK);
	/* Whoever writes there by mistake faults, and is found. */
	mprotect(c->opt->in, sizeof(*c->opt->in), PROT_READ);
}

static void get_ready(struct child *c)
{
	struct sf_link_state *state = c->opt->state;
	uint32_t ready = SF_LINK_READY;

	/* What a model maps, a child would share with its parent; and its reset is exact. */
	if (!sf_serve_understands(c->opt->in, &state->error) ||
	    (c->opt->allocator->reset_kind == SF_RESET_BEST_EFFORT &&
	     !sf_serve_open(c->serve, c->opt->settings, &state->error)))
		ready = SF_LINK_REFUSED;
	SF_LINK_STORE(state->ready, ready);
	SF_LINK_STORE(c->opt->out->bell, c->opt->out->bell + 1);
	sf_futex_wake(&c->opt->out->bell);
	if (ready == SF_LINK_REFUSED)
		_exit(0);
}

_Noreturn void sf_child_main(const struct sf_child_options *opt)
{
	struct child c = { .opt = opt };
	struct sf_serve_options serving = {
		.allocator = opt->allocator,
		.exec = opt->exec,
		.steps = opt->steps,
		.steps_said = opt->steps_said,
		.careful = opt->fork == SF_FORK_PROGRAM,
		.in = opt->in,
		.out = opt->out,
		.os = { sf_futex_wait, sf_futex_wake, is_robbed, has_said, &c },
	};

	if (!dies_with(opt->parent))
		_exit(0);
	settle(&c);
	if (opt->inside)
		opt->inside();
	c.serve = sf_serve_create(&serving);
	get_ready(&c);
	watch(&c);
}
