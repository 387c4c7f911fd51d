/* SPDX-License-Identifier: MIT */
/*
 * plugin.h - what an allocator shows to slabfuzz: one table of functions, in a shared object.
 *
 * For `slabfuzz run -a plugin:./x.so`. Relies on nothing else of slabfuzz, links against nothing,
 * and is C99 or C++. The shared object exports one symbol, `slabfuzz_plugin`; SLABFUZZ_PLUGIN(…)
 * defines it. Entries that are NULL or beyond the table's size are not there: what needs them is
 * not run, and counted as skipped. How to build and what is judged: docs/plugin.md.
 *
 * Pointers are real ones: slabfuzz writes to objects, and reads them, through them. One heap is
 * used by one thread at a time, unless the flags say otherwise; entries are called again and again
 * in one process, and must not keep pointers to anything of slabfuzz's but the blocks that they are
 * given.
 */
#ifndef SLABFUZZ_PLUGIN_H
#define SLABFUZZ_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

/* The table only grows, at its end: `size` says how much of it is there. */
#define SLABFUZZ_PLUGIN_VERSION 1u

#define SLABFUZZ_UNKNOWN UINT64_MAX

/* The allocator's own counts, in bytes but for `live`. SLABFUZZ_UNKNOWN: it does not know. */
struct slabfuzz_stats {
	uint64_t live;  /* objects handed out and not given back */
	uint64_t used;  /* in them, as the allocator counts */
	uint64_t free;  /* that it could hand out without asking for more memory */
	uint64_t total; /* that it holds */
	uint64_t peak;  /* most of `used` so far */
};

/* flags */
#define SLABFUZZ_THREADS 1u /* entries may be called from several threads, one after the other */
#define SLABFUZZ_PARALLEL 2u /* ... of one heap, and at once: malloc to trim, as far as there */

struct slabfuzz_plugin {
	uint32_t version; /* SLABFUZZ_PLUGIN_VERSION */
	uint32_t size;    /* sizeof(struct slabfuzz_plugin), as this object was compiled */
	const char *name;    /* [a-z0-9_-]+ */
	const char *summary; /* one line, or NULL */
	/*
	 * What its answers mean where it promises more, or less, than ISO C: "align=8
	 * zeroed=usable" (`slabfuzz list traits`). NULL: as ISO C has it. What is not said here is
	 * tried out once (malloc(0), realloc(p, 0), …).
	 */
	const char *traits;
	uint64_t flags;

	/*
	 * A heap. `heap` in all that follows is what one of these returned; NULL: it cannot be.
	 * create_at(): in this block, and nowhere else; the block is all there is, may begin at
	 * any address and have any size, and what is in it is anything. It is the one that is
	 * called where both are there, and with it programs have several heaps. create(): about
	 * `size` bytes, for an allocator that gets its memory by itself. Neither: there is one
	 * state for the whole process, and `heap` is NULL.
	 */
	void *(*create_at)(void *block, size_t size);
	void *(*create)(size_t size);
	/* What is alive in it goes with it. NULL: a block is simply used anew. */
	void (*destroy)(void *heap);
	/* As if it were new. NULL: destroy() and create again; or else what is alive is freed. */
	void (*reset)(void *heap);

	/*
	 * Required. malloc() may be asked for 0 bytes, free() may be given NULL. An allocator that
	 * wants to be told the size has free_sized() instead of free(), and free_aligned_sized() if
	 * it wants to be told the alignment of those that were asked for with one.
	 */
	void *(*malloc)(void *heap, size_t size);
	void (*free)(void *heap, void *p);

	/* As ISO C and POSIX have them. realloc() may be given NULL, and 0 bytes. */
	void *(*calloc)(void *heap, size_t n, size_t size);
	void *(*realloc)(void *heap, void *p, size_t size);
	void *(*reallocarray)(void *heap, void *p, size_t n, size_t size);
	void *(*aligned_alloc)(void *heap, size_t align, size_t size);
	int (*posix_memalign)(void *heap, void **p, size_t align, size_t size);
	void *(*memalign)(void *heap, size_t align, size_t size);
	void (*free_sized)(void *heap, void *p, size_t size);
	void (*free_aligned_sized)(void *heap, void *p, size_t align, size_t size);
	/* Bytes that the owner of `p`, which is alive, may use. */
	size_t (*usable_size)(void *heap, void *p);
	/* Bytes that a request of `size` would get. */
	size_t (*good_size)(void *heap, size_t size);
	/* malloc_trim(): gives memory back; 1 if there was some. */
	int (*trim)(void *heap, size_t pad);
	void (*stats)(void *heap, struct slabfuzz_stats *out);
	/* NULL if all its structures are sound, or what is wrong, in a line. */
	const char *(*integrity)(void *heap);
	/* What the last call refused as misuse, in a line; NULL: nothing. Asked after each call. */
	const char *(*noticed)(void *heap);
	/*
	 * With create_at(): one more block for a heap, and back again. add(): what remove() takes
	 * later, NULL: refused. remove(): 0, or not 0, and nothing happened, if it is in use.
	 */
	void *(*add)(void *heap, void *block, size_t size);
	int (*remove)(void *heap, void *region);
};

#ifdef __cplusplus
#define SLABFUZZ_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define SLABFUZZ_EXPORT extern __attribute__((visibility("default")))
#endif

SLABFUZZ_EXPORT const struct slabfuzz_plugin slabfuzz_plugin;

/* SLABFUZZ_PLUGIN(.name = "mine", .malloc = my_malloc, .free = my_free); */
#define SLABFUZZ_PLUGIN(...)                                            \
	const struct slabfuzz_plugin slabfuzz_plugin = {                \
		.version = SLABFUZZ_PLUGIN_VERSION,                     \
		.size = sizeof(struct slabfuzz_plugin),                 \
		__VA_ARGS__                                             \
	}

#endif
