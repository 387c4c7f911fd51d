// SPDX-License-Identifier: MIT
/*
 * crash_speak.c - a process that says how it dies (crash.h). Relies on the operating system alone.
 * What handlers must find is static.
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "crash.h"

enum { FRAMES_MAX = 40 };

static const int taken[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGALRM };
static const volatile bool *in_midst;

static void say(const char *line, int len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, (size_t)len);

		if (n <= 0)
			return;
		line += n;
		len -= (int)n;
	}
}

/* A caller's address is that of the call: one less than where it returns to. */
static void say_frame(int nr, uintptr_t pc)
{
	char line[512];
	Dl_info at;
	int len;

	if (!dladdr((void *)pc, &at) || !at.dli_fname)
		len = snprintf(line, sizeof(line), "    #%d %#lx\n", nr, (unsigned long)pc);
	else
		len = snprintf(line, sizeof(line), "    #%d %#lx%s%s (%s+%#lx)\n", nr,
			       (unsigned long)pc, at.dli_sname ? " in " : "",
			       at.dli_sname ? at.dli_sname : "", at.dli_fname,
			       (unsigned long)(pc - (uintptr_t)at.dli_fbase));
	say(line, len < (int)sizeof(line) ? len : (int)sizeof(line) - 1);
}

/* `pc`: where it begins; 0: at the caller. */
static void say_stack(const char *what, uintptr_t pc)
{
	void *frame[FRAMES_MAX];
	char line[64];
	int nr, first = 1, shown = 0;

	say(line, snprintf(line, sizeof(line), "slabfuzz: %s\n", what));
	nr = backtrace(frame, FRAMES_MAX);
	for (int i = 0; pc && i < nr; i++)
		if ((uintptr_t)frame[i] == pc)
			first = i + 1;
	/* Where it happened is an address, of callers there is only where they go on. */
	if (pc)
		say_frame(shown++, pc);
	for (int i = first; i < nr; i++)
		say_frame(shown++, (uintptr_t)frame[i] - 1);
}

static uintptr_t where(const void *context)
{
	const ucontext_t *c = context;

#if defined(__x86_64__)
	return (uintptr_t)c->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (uintptr_t)c->uc_mcontext.pc;
#else
	(void)c;
	return 0;
#endif
}

static void on_signal(int nr, siginfo_t *info, void *context)
{
	char what[16];

	(void)info;
	signal(nr, SIG_DFL);
	snprintf(what, sizeof(what), "SIG%s", sigabbrev_np(nr));
	say_stack(what, where(context));
	raise(nr);
}

static void on_exit_early(void)
{
	if (in_midst && *in_midst)
		say_stack("exit()", 0);
}

void sf_crash_speak(const volatile bool *midst)
{
	const struct sigaction ours = { .sa_sigaction = on_signal,
					.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
	static char stack[1 << 18];
	const stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction was;
	void *frame[1];

	backtrace(frame, 1); /* the first call loads a library */
	sigaltstack(&other, NULL);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (!sigaction(taken[i], NULL, &was) && was.sa_handler == SIG_DFL)
			sigaction(taken[i], &ours, NULL);
	if (!in_midst)
		atexit(on_exit_early);
	in_midst = midst;
}
