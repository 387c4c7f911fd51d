// SPDX-License-Identifier: MIT
/*
 * trap.c - stores that may fault: sealed memory is sealed for real, a store to it raises SIGSEGV.
 *
 * Relies on the operating system alone; arena.c does such stores through it. The handler is there
 * only while one is made, and takes nothing but a refused access to the very range that it is
 * about: any other fault, meanwhile or else, is AddressSanitizer's or the engine's, as if this were
 * not here. What a signal handler must find is global: hence the variables, and the lock that
 * gives them to one thread at a time.
 */
#include "trap.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

struct trap {
	sigjmp_buf back;
	uintptr_t p;
	uint64_t len;
};

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction outer;     /* what was there before */
static __thread struct trap *mine; /* NULL: this thread is making no such store */

static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct trap *t = mine;

	(void)context;
	if (t && info->si_code == SEGV_ACCERR && (uintptr_t)info->si_addr - t->p < t->len)
		siglongjmp(t->back, 1);
	/* Not ours: the instruction faults again, into the other handler. If sent, it is resent. */
	sigaction(sig, &outer, NULL);
	if (info->si_code <= 0)
		raise(sig);
}

bool trap_store(const void *p, uint64_t len, void (*store)(void *ctx), void *ctx)
{
	/* The mask is as it was when the handler is left by a jump: nothing is blocked in it. */
	const struct sigaction ours = { .sa_sigaction = on_fault,
					.sa_flags = SA_SIGINFO | SA_NODEFER };
	struct trap t = { .p = (uintptr_t)p, .len = len };
	bool done;

	pthread_mutex_lock(&one);
	mine = &t;
	sigaction(SIGSEGV, &ours, &outer);
	if (!sigsetjmp(t.back, 0)) {
		store(ctx);
		done = true;
	} else {
		done = false;
	}
	sigaction(SIGSEGV, &outer, NULL);
	mine = NULL;
	pthread_mutex_unlock(&one);
	return done;
}
