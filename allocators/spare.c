// SPDX-License-Identifier: MIT
/*
 * spare.c - the arenas that are kept for the next heap. Relies on the operating system for nothing
 * but a lock; arena.c, which knows how to clean one, relies on it.
 */
#include "spare.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum {
	SPARES_MAX = 32,
	KEPT_PAGES_MAX = 65536, /* of all together: 256 MiB */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct spare {
	struct arena arena;
	pid_t pid; /* whose frames these are: a child's copy of shared ones is its parent's too */
} spares[SPARES_MAX];
static unsigned int nr_spares; /* the oldest first */
static uint32_t kept_pages;

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
		kept_pages -= a->cap_pages;
		nr_spares--;
		memmove(best, best + 1, (size_t)(spares + nr_spares - best) * sizeof(*best));
	}
	pthread_mutex_unlock(&lock);
	return best;
}

bool spare_keep(const struct arena *a)
{
	pthread_mutex_lock(&lock);
	if (nr_spares == SPARES_MAX || kept_pages + a->cap_pages > KEPT_PAGES_MAX) {
		pthread_mutex_unlock(&lock);
		return false;
	}
	spares[nr_spares++] = (struct spare){ .arena = *a, .pid = getpid() };
	kept_pages += a->cap_pages;
	pthread_mutex_unlock(&lock);
	return true;
}

bool spare_drop(struct arena *a)
{
	bool any;

	pthread_mutex_lock(&lock);
	any = nr_spares;
	if (any) {
		*a = spares[0].arena;
		kept_pages -= a->cap_pages;
		memmove(spares, spares + 1, --nr_spares * sizeof(*spares));
	}
	pthread_mutex_unlock(&lock);
	return any;
}
