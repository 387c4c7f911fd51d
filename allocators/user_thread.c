// SPDX-License-Identifier: MIT
/*
 * user_thread.c - user_thread.h: two semaphores for each thread, one for each direction.
 */
#include "user_thread.h"

#include <semaphore.h>
#include <unistd.h>

#include "allocator.h"
#include "base/grow.h"

struct user_threads {
	struct user_thread_calls calls;
	pid_t pid; /* whose threads they are: none outlives a fork */
	struct user_one_thread {
		pthread_t id;
		bool begun;
		sem_t called, done;
		void (*fn)(void *); /* NULL: it ends */
		void *arg;
	} thread[SF_THREADS_MAX];
};

static void wait_for(sem_t *s)
{
	while (sem_wait(s))
		; /* a signal */
}

static void *serve(void *arg)
{
	struct user_one_thread *one = arg;

	for (;;) {
		wait_for(&one->called);
		if (!one->fn)
			return NULL;
		one->fn(one->arg);
		sem_post(&one->done);
	}
}

struct user_threads *user_threads_create(const struct user_thread_calls *calls)
{
	struct user_threads *t = sf_zalloc(1, sizeof(*t));

	t->calls.create = calls->create ? calls->create : pthread_create;
	t->calls.join = calls->join ? calls->join : pthread_join;
	t->pid = getpid();
	return t;
}

static bool begun(struct user_threads *t, struct user_one_thread *one)
{
	if (t->pid != getpid()) {
		for (unsigned int i = 0; i < SF_THREADS_MAX; i++)
			t->thread[i].begun = false;
		t->pid = getpid();
	}
	if (one->begun)
		return true;
	sem_init(&one->called, 0, 0);
	sem_init(&one->done, 0, 0);
	one->begun = !t->calls.create(&one->id, NULL, serve, one);
	return one->begun;
}

bool user_threads_run(struct user_threads *t, unsigned int nr, void (*fn)(void *), void *arg)
{
	struct user_one_thread *one = &t->thread[nr];

	if (!begun(t, one))
		return false;
	one->fn = fn;
	one->arg = arg;
	sem_post(&one->called);
	wait_for(&one->done);
	return true;
}

struct one_of_all {
	void (*fn)(void *arg, unsigned int nr);
	void *arg;
	unsigned int nr;
};

static void run_one(void *arg)
{
	const struct one_of_all *one = arg;

	one->fn(one->arg, one->nr);
}

bool user_threads_all(struct user_threads *t, unsigned int nr,
		      void (*fn)(void *arg, unsigned int nr), void *arg)
{
	struct one_of_all all[SF_THREADS_MAX];

	for (unsigned int i = 1; i < nr; i++)
		if (!begun(t, &t->thread[i]))
			return false;
	for (unsigned int i = 1; i < nr; i++) {
		all[i] = (struct one_of_all){ .fn = fn, .arg = arg, .nr = i };
		t->thread[i].fn = run_one;
		t->thread[i].arg = &all[i];
		sem_post(&t->thread[i].called);
	}
	fn(arg, 0);
	for (unsigned int i = 1; i < nr; i++)
		wait_for(&t->thread[i].done);
	return true;
}

void user_threads_destroy(struct user_threads *t)
{
	for (unsigned int i = 0; t && t->pid == getpid() && i < SF_THREADS_MAX; i++) {
		struct user_one_thread *one = &t->thread[i];

		if (!one->begun)
			continue;
		one->fn = NULL;
		sem_post(&one->called);
		t->calls.join(one->id, NULL);
	}
	free(t);
}
