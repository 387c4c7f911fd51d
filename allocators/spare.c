// SPDX-License-Identifier: MIT
/*
 * spare.c - the arenas that are kept for the next heap. Relies on the operating system for nothing
 * but a lock; arena.c, which knows how to clean one, relies on it.
 */
#include "spare.h"

#include <pthread.h>
#include <unistd.h>

enum {
	SPARES_MAX = 8,
	/* 64 MiB, the default heap. What a heap wrote stays in memory: larger ones are unmapped. */
	SPARE_PAGES_MAX = 16384,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct spare {
	struct arena arena;
	pid_t pid; /* whose frames these are: a child's copy of shared ones is its parent's too */
} spares[SPARES_MAX];
static unsigned int nr_spares;

static bool fits(const struct spare *s, uint32_t pages, bool shared)
{
	return s->arena.cap_pages >= pages && s->arena.shared == shared &&
	       (!shared || s->pid == getpid());
}

/* The smallest that fits: the larger ones are for larger heaps. */
bool spare_take(struct arena *a, uint32_t pages, bool shared)
{
	struct spare *best = NULL;

	pthread_mutex_lock(&lock);
	for (struct spare *s = spares; s < spares + nr_spares; s++)
		if (fits(s, pages, shared) &&
		    (!best || s->arena.cap_pages < best->arena.cap_pages))
			best = s;
	if (best) {
		*a = best->arena;
		*best = spares[--nr_spares];
	}
	pthread_mutex_unlock(&lock);
	return best;
}

bool spare_keep(const struct arena *a)
{
	bool kept = false;

	pthread_mutex_lock(&lock);
	if (nr_spares < SPARES_MAX && a->cap_pages <= SPARE_PAGES_MAX) {
		spares[nr_spares++] = (struct spare){ .arena = *a, .pid = getpid() };
		kept = true;
	}
	pthread_mutex_unlock(&lock);
	return kept;
}
