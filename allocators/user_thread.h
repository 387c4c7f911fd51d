/* SPDX-License-Identifier: MIT */
/*
 * user_thread.h - threads that operations of somebody else's allocator run on, one at a time: a
 * caller hands a call over and waits, so that a program is as deterministic as on one thread.
 * Relied on by user_heap.c.
 */
#ifndef SLABFUZZ_USER_THREAD_H
#define SLABFUZZ_USER_THREAD_H

#include <stdbool.h>

struct user_threads;

struct user_threads *user_threads_create(void);
/*
 * Runs fn(arg) on thread `nr` (1 to SF_THREADS_MAX - 1), which begins when it is first needed, and
 * again after a fork. False: there can be no such thread, and fn was not called.
 */
bool user_threads_run(struct user_threads *t, unsigned int nr, void (*fn)(void *), void *arg);
/* NULL is nothing. */
void user_threads_destroy(struct user_threads *t);

#endif
