/* SPDX-License-Identifier: MIT */
/*
 * user_thread.h - threads that operations of somebody else's allocator run on. One at a time: a
 * caller hands a call over and waits, so that a program is as deterministic as on one thread; or
 * all of them at once.
 * Relied on by user_heap.c.
 */
#ifndef SLABFUZZ_USER_THREAD_H
#define SLABFUZZ_USER_THREAD_H

#include <pthread.h>
#include <stdbool.h>

struct user_threads;

/*
 * A thread belongs to the C library that made it: whose variables it has, and what becomes of its
 * stack. NULL: ours.
 */
struct user_thread_calls {
	int (*create)(pthread_t *id, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
	int (*join)(pthread_t id, void **result);
};

struct user_threads *user_threads_create(const struct user_thread_calls *calls);
/*
 * Runs fn(arg) on thread `nr` (1 to SF_THREADS_MAX - 1), which begins when it is first needed, and
 * again after a fork. False: there can be no such thread, and fn was not called.
 */
bool user_threads_run(struct user_threads *t, unsigned int nr, void (*fn)(void *), void *arg);
/*
 * Runs fn(arg, i) for each i below `nr`, at once, 0 here, and waits for all. False: there can be no
 * such threads, and fn was not called.
 */
bool user_threads_all(struct user_threads *t, unsigned int nr,
		      void (*fn)(void *arg, unsigned int nr), void *arg);
/* NULL is nothing. */
void user_threads_destroy(struct user_threads *t);

#endif
