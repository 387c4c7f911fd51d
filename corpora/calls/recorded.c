// SPDX-License-Identifier: MIT
/*
 * recorded.c - what the recordings of corpora/calls are of: each call of the malloc family, then
 * some hundred drawn ones; with "t" on three more threads, with "f" in a child, too.
 *
 *	gcc -O0 -no-pie -fcf-protection=none -Wl,-z,lazy -pthread recorded.c -o recorded
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <mcheck.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS 16
#define TURNS 60
#define THREADS 3

static void *work(void *seed)
{
	uint32_t s = (uint32_t)(uintptr_t)seed;
	void *slot[SLOTS] = { NULL };

	for (int i = 0; i < TURNS; i++) {
		void **p;

		s = s * 1103515245u + 12345;
		p = &slot[s >> 16 & (SLOTS - 1)];
		if (*p && (s & 64)) {
			free(*p);
			*p = NULL;
		} else if (*p) {
			void *more = realloc(*p, 1 + (s >> 8 & 1023));

			if (!more)
				abort();
			*p = more;
		} else {
			*p = malloc(1 + (s >> 8 & 511));
		}
	}
	for (int i = 0; i < SLOTS; i++)
		free(slot[i]);
	return NULL;
}

static void threads(void)
{
	pthread_t t[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, work, (void *)(i + 1)))
			abort();
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

/* The child frees what it has a copy of; its parent frees it, too. */
static void forks(void *shared)
{
	pid_t child = fork();

	if (!child) {
		free(shared);
		free(malloc(77));
		exit(0);
	}
	waitpid(child, NULL, 0);
}

static void *lost; /* and never freed */

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	void *zeroed, *aligned, *old, *posix = NULL, *large, *too_large, *text;

	if (getenv("MALLOC_TRACE"))
		mtrace();
	zeroed = calloc(10, 30);
	aligned = aligned_alloc(64, 128);
	old = memalign(256, 100);
	if (posix_memalign(&posix, 64, 1000))
		abort();
	large = malloc(300000);
	free(NULL);
	too_large = malloc(SIZE_MAX / 4);
	text = strdup("hello");
	work((void *)7);
	if (strchr(how, 't'))
		threads();
	if (strchr(how, 'f'))
		forks(zeroed);
	free(zeroed);
	free(aligned);
	free(old);
	free(posix);
	free(large);
	free(too_large);
	free(text);
	lost = malloc(13);
	return lost ? 0 : 1;
}
