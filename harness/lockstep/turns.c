// SPDX-License-Identifier: MIT
/*
 * turns.c - turns.h, on futexes.
 */
#include "turns.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SPINS = 200, DONE = 1, AWAITED = 2 };

/* Of ThreadSanitizer's runtime. */
void __tsan_acquire(void *addr) __attribute__((weak));
void __tsan_release(void *addr) __attribute__((weak));

/* The first report ends the process: what comes after it need not be believed. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "halt_on_error=1:report_signal_unsafe=0";
}

void sf_hand_over(void *what)
{
	if (__tsan_release)
		__tsan_release(what);
}

void sf_take_over(void *what)
{
	if (__tsan_acquire)
		__tsan_acquire(what);
}

static void futex(uint32_t *word, int what, uint32_t value, uint32_t mask)
{
	syscall(SYS_futex, word, what | FUTEX_PRIVATE_FLAG, value, NULL, NULL, mask);
}

void sf_turn_wait(uint32_t *turn, uint32_t until, unsigned int thread)
{
	uint32_t now;

	while ((now = __atomic_load_n(turn, __ATOMIC_ACQUIRE)) != until)
		futex(turn, FUTEX_WAIT_BITSET, now, 1u << thread);
}

void sf_turn_pass(uint32_t *turn, uint32_t to, unsigned int thread)
{
	__atomic_store_n(turn, to, __ATOMIC_RELEASE);
	futex(turn, FUTEX_WAKE_BITSET, INT_MAX, 1u << thread);
}

void sf_done_wait(uint32_t *done)
{
	for (int i = 0; i < SPINS; i++)
		if (__atomic_load_n(done, __ATOMIC_ACQUIRE) == DONE)
			return;
	for (;;) {
		uint32_t was = 0;

		__atomic_compare_exchange_n(done, &was, AWAITED, false, __ATOMIC_ACQUIRE,
					    __ATOMIC_ACQUIRE);
		if (was == DONE)
			return;
		futex(done, FUTEX_WAIT_BITSET, AWAITED, FUTEX_BITSET_MATCH_ANY);
	}
}

void sf_done(uint32_t *done)
{
	if (__atomic_exchange_n(done, DONE, __ATOMIC_ACQ_REL) == AWAITED)
		futex(done, FUTEX_WAKE_BITSET, INT_MAX, FUTEX_BITSET_MATCH_ANY);
}
