// SPDX-License-Identifier: MIT
/*
 * threads.c - an allocator for several threads whose mistakes are macros: for e2e_threads.sh.
 * Without one it is right. Slots of one size, in one block of its own; each slot belongs to the
 * thread that took it first, whose list it goes back to; what other threads free waits in that
 * one's inbox. All lists are under one lock.
 *
 *   THREADS_RACE   the list of free slots is not under it: two threads may take one
 *   THREADS_LOST   what is put into an inbox with something in it takes the place of that
 *   THREADS_COUNT  requests are counted without it
 *   THREADS_DRY    who frees what is another's gets nothing with his next request
 *   THREADS_STALE  realloc() copies once the old object was given back
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>

#include <slabfuzz/plugin.h>

enum { SLOT = 4096, SLOTS = 4096, HEAD = 16, OWNERS = 16 };

struct slot {
	struct slot *next;
	uint32_t owner, size;
};

static _Alignas(64) unsigned char pool[SLOTS * SLOT];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct slot *list[OWNERS], *inbox[OWNERS];
static uint32_t top, owners, live, requests;
static __thread uint32_t me; /* plus 1 */
#ifdef THREADS_DRY
static __thread int dry;
#endif

static void take_lock(void)
{
	pthread_mutex_lock(&lock);
}

static void leave_lock(void)
{
	pthread_mutex_unlock(&lock);
}

static uint32_t self(void)
{
	if (!me)
		me = __atomic_fetch_add(&owners, 1, __ATOMIC_RELAXED) % OWNERS + 1;
	return me - 1;
}

static void empty_inbox(uint32_t i)
{
	while (inbox[i]) {
		struct slot *s = inbox[i];

		inbox[i] = s->next;
		s->next = list[i];
		list[i] = s;
		live--;
	}
}

/* Whoever is out of slots helps himself from the others. */
static struct slot *take_slot(uint32_t i)
{
	struct slot *s = NULL;

	empty_inbox(i);
	for (uint32_t k = 0; k < OWNERS && !s; k++) {
		uint32_t from = (i + k) % OWNERS;

		empty_inbox(from);
		s = list[from];
#ifdef THREADS_RACE
		leave_lock();
		sched_yield();
		take_lock();
#endif
		if (s)
			list[from] = s->next;
	}
	if (!s && top < SLOTS)
		s = (struct slot *)(pool + (size_t)SLOT * top++);
	if (s) {
		s->owner = i;
		live++;
	}
	return s;
}

static void *threads_malloc(void *heap, size_t size)
{
	struct slot *s;

	(void)heap;
#ifdef THREADS_COUNT
	requests++;
#else
	__atomic_fetch_add(&requests, 1, __ATOMIC_RELAXED);
#endif
	if (size > SLOT - HEAD)
		return NULL;
#ifdef THREADS_DRY
	if (dry--)
		return NULL;
	dry = 0;
#endif
	take_lock();
	s = take_slot(self());
	leave_lock();
	if (!s)
		return NULL;
	s->size = (uint32_t)size;
	return (unsigned char *)s + HEAD;
}

static void threads_free(void *heap, void *p)
{
	struct slot *s = (struct slot *)((unsigned char *)p - HEAD);

	(void)heap;
	if (!p)
		return;
	take_lock();
	if (s->owner == self()) {
		s->next = list[s->owner];
		list[s->owner] = s;
		live--;
	} else {
#ifdef THREADS_DRY
		dry = 1;
#endif
#ifdef THREADS_LOST
		s->next = NULL;
#else
		s->next = inbox[s->owner];
#endif
		inbox[s->owner] = s;
	}
	leave_lock();
}

static void *threads_realloc(void *heap, void *p, size_t size)
{
	void *to = threads_malloc(heap, size);
	size_t was;

	if (!to || !p)
		return to;
	was = ((struct slot *)((unsigned char *)p - HEAD))->size;
#ifdef THREADS_STALE
	threads_free(heap, p);
	sched_yield();
	memcpy(to, p, was < size ? was : size);
#else
	memcpy(to, p, was < size ? was : size);
	threads_free(heap, p);
#endif
	return to;
}

static size_t threads_usable(void *heap, void *p)
{
	(void)heap;
	return p ? SLOT - HEAD : 0;
}

static void threads_stats(void *heap, struct slabfuzz_stats *out)
{
	(void)heap;
	take_lock();
	for (uint32_t i = 0; i < OWNERS; i++)
		empty_inbox(i);
	out->live = live;
	leave_lock();
}

SLABFUZZ_PLUGIN(.name = "threads", .summary = "its mistakes are known",
		.traits = "error=0 realloc_zero=object", .flags = SLABFUZZ_PARALLEL,
		.malloc = threads_malloc, .free = threads_free, .realloc = threads_realloc,
		.usable_size = threads_usable, .stats = threads_stats);
