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
#include <stdio.h>
#include <string.h>

static const struct crash_signal {
	int nr;
	const char *name;
} signals[] = {
	{ SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" },   { SIGILL, "SIGILL" },
	{ SIGFPE, "SIGFPE" },   { SIGABRT, "SIGABRT" }, { SIGTRAP, "SIGTRAP" },
};

enum {
	NR_SIGNALS = sizeof(signals) / sizeof(signals[0]),
	FRAMES_MAX = 16,
	PLACES = 2, /* an assertion's own function, and whose it is */
};

/* Ends of the program's file as the linker puts it together. */
extern const char __executable_start[] __attribute__((weak)), etext[] __attribute__((weak));

static struct sigaction outer[NR_SIGNALS];
static sigjmp_buf *back; /* NULL: no call is guarded */
static char *where;

static void describe(const char *name)
{
	void *frame[FRAMES_MAX];
	uintptr_t start = (uintptr_t)__executable_start, end = (uintptr_t)etext;
	int nr = backtrace(frame, FRAMES_MAX), places = 0;
	int len = snprintf(where, SF_CRASH_MAX, "%s at", name);

	/* The first are this function and its caller. */
	for (int i = 2; i < nr && places < PLACES; i++) {
		uintptr_t pc = (uintptr_t)frame[i];

		if (pc < start || pc >= end)
			continue;
		len += snprintf(where + len, (size_t)(SF_CRASH_MAX - len), " +%#lx",
				(unsigned long)(pc - start));
		places++;
	}
	if (!places)
		snprintf(where + len, (size_t)(SF_CRASH_MAX - len), " an unknown place");
}

static void on_crash(int nr, siginfo_t *info, void *context)
{
	sigjmp_buf *to = back;
	int i = 0;

	(void)context;
	while (i < NR_SIGNALS - 1 && signals[i].nr != nr)
		i++;
	if (to) {
		back = NULL;
		describe(signals[i].name);
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
