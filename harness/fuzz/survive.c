// SPDX-License-Identifier: MIT
/*
 * survive.c - crashes survived: signal handlers that jump back to where the call was made. Relies
 * on the operating system alone, and on signals coming from the thread's own code (assertions,
 * traps, faults). fuzz.c relies on it where a run goes on after a find. What a handler must find is
 * global; one thread at a time.
 */
#include "survive.h"

#include <execinfo.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

static const struct crash_signal {
	int nr;
	const char *name;
} signals[] = {
	{ SIGSEGV, "SEGV" }, { SIGBUS, "BUS" },   { SIGILL, "ILL" },
	{ SIGFPE, "FPE" },   { SIGABRT, "ABRT" }, { SIGTRAP, "TRAP" },
};

enum {
	NR_SIGNALS = sizeof(signals) / sizeof(signals[0]),
	FRAMES_MAX = 24,
};

static struct sigaction outer[NR_SIGNALS];
static sigjmp_buf *back; /* NULL: no call is guarded */
static char *where;

/* Where the signal came from; 0: not known how this machine says so. */
static uintptr_t signal_pc(const void *context)
{
#if defined(__x86_64__)
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
#else
	(void)context;
	return 0;
#endif
}

__attribute__((noinline)) void sf_survive_title(const char *name, const void *context,
						char crash[SF_CRASH_MAX])
{
	void *frame[FRAMES_MAX];
	uintptr_t pc[FRAMES_MAX + 1], at = signal_pc(context);
	int nr = backtrace(frame, FRAMES_MAX);
	unsigned int n = 0;

	/* The handler's own frames come first, and maybe a sanitizer's. */
	pc[n++] = at;
	for (int i = 0; i < nr; i++) {
		if ((uintptr_t)frame[i] == at)
			n = 1;
		else
			/* Where a call returns to may be in the next function. */
			pc[n++] = (uintptr_t)frame[i] - 1;
	}
	sf_where_title(name, strlen(name), pc, n, crash);
}

static void on_crash(int nr, siginfo_t *info, void *context)
{
	sigjmp_buf *to = back;
	int i = 0;

	while (i < NR_SIGNALS - 1 && signals[i].nr != nr)
		i++;
	if (to) {
		back = NULL;
		sf_survive_title(signals[i].name, context, where);
		siglongjmp(*to, 1);
	}
	/* Not ours: the instruction faults again, into the other handler. If sent, it is resent. */
	sigaction(nr, &outer[i], NULL);
	if (info->si_code <= 0)
		raise(nr);
}

void sf_survive_setup(void)
{
	const struct sigaction ours = { .sa_sigaction = on_crash,
					.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
	/* The sanitizer's own stack for handlers is too small to unwind on. */
	static char stack[1 << 18];
	const stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };
	void *frame[1];

	backtrace(frame, 1); /* the first call loads a library */
	sf_where_setup();
	sigaltstack(&other, NULL);
	for (int i = 0; i < NR_SIGNALS; i++)
		sigaction(signals[i].nr, &ours, &outer[i]);
}

bool sf_survive(void (*fn)(void *ctx), void *ctx, char crash[SF_CRASH_MAX])
{
	sigjmp_buf here;

	where = crash;
	/* With the mask: a sanitizer may have had the signal blocked in its handler. */
	if (sigsetjmp(here, 1))
		return false;
	back = &here;
	fn(ctx);
	back = NULL;
	return true;
}
