/* SPDX-License-Identifier: MIT */
/*
 * user_heap.h - the adapter between a plug-in's table (include/slabfuzz/plugin.h) and allocator.h:
 * user-space words, real pointers, heaps in blocks that it makes. load_malloc.c and load_plugin.c
 * bring tables, open.c makes allocators of them.
 */
#ifndef SLABFUZZ_USER_HEAP_H
#define SLABFUZZ_USER_HEAP_H

#include "allocator.h"
#include "include/slabfuzz/plugin.h"
#include "user_thread.h"

/* One allocator from outside. Lives until the process ends. */
struct user_source {
	struct sf_allocator allocator;  /* its .instance is this */
	struct sf_traits traits;
	uint64_t said;                  /* bit SF_TRAIT_*: somebody said it, nothing to find out */
	struct slabfuzz_plugin table;   /* what was not there is NULL */
	void *state;                    /* `heap` of a table that creates none */
	int *(*errno_at)(void);         /* its C library's, NULL: ours */
	struct user_thread_calls threads; /* likewise */
	char *name;                     /* as opened */
	char family[64];                /* the same of every build of it */
};

/* Fills in s->allocator from s->name and s->table: capabilities are what is there. */
void user_source_finish(struct user_source *s);

/*
 * Finds what nobody said of the traits of `s` by trying, each in a child of its own that may die.
 * What it cannot find stays as it is.
 */
void user_probe(struct user_source *s);

/* load_malloc.c, load_plugin.c: fill in s->table and what goes with it. False: *err says why. */
bool user_load_malloc(struct user_source *s, const char *path, struct sf_error *err);
bool user_load_plugin(struct user_source *s, const char *path, struct sf_error *err);

/* "align=8 zeroed=usable", or with commas. False: *err says what is wrong with it. */
bool user_traits_read(struct user_source *s, const char *text, struct sf_error *err);

#endif
