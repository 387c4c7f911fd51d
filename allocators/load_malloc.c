// SPDX-License-Identifier: MIT
/*
 * load_malloc.c - `malloc:/path/lib.so`, and `malloc:` for the C library's own: any library of the
 * malloc family. Symbols that are there become entries of a table; there is no code to write.
 *
 * The library is loaded apart, with a C library of its own, where the loader can do that: then none
 * of our allocations is among those that are judged, and errno is another one.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/grow.h"
#include "load.h"
#include "user_heap.h"

/* The functions of one library: `heap` of the table's entries. */
struct library {
	void *(*malloc)(size_t size);
	void (*free)(void *p);
	void *(*calloc)(size_t n, size_t size);
	void *(*realloc)(void *p, size_t size);
	void *(*reallocarray)(void *p, size_t n, size_t size);
	void *(*aligned_alloc)(size_t align, size_t size);
	int (*posix_memalign)(void **p, size_t align, size_t size);
	void *(*memalign)(size_t align, size_t size);
	void (*free_sized)(void *p, size_t size);
	void (*free_aligned_sized)(void *p, size_t align, size_t size);
	size_t (*malloc_usable_size)(void *p);
	size_t (*good_size)(size_t size);
	size_t (*nallocx)(size_t size, int flags);
	int (*malloc_trim)(size_t pad);
};

static void *lib_malloc(void *heap, size_t size)
{
	return ((struct library *)heap)->malloc(size);
}

static void lib_free(void *heap, void *p)
{
	((struct library *)heap)->free(p);
}

static void *lib_calloc(void *heap, size_t n, size_t size)
{
	return ((struct library *)heap)->calloc(n, size);
}

static void *lib_realloc(void *heap, void *p, size_t size)
{
	return ((struct library *)heap)->realloc(p, size);
}

static void *lib_reallocarray(void *heap, void *p, size_t n, size_t size)
{
	return ((struct library *)heap)->reallocarray(p, n, size);
}

static void *lib_aligned_alloc(void *heap, size_t align, size_t size)
{
	return ((struct library *)heap)->aligned_alloc(align, size);
}

static int lib_posix_memalign(void *heap, void **p, size_t align, size_t size)
{
	return ((struct library *)heap)->posix_memalign(p, align, size);
}

static void *lib_memalign(void *heap, size_t align, size_t size)
{
	return ((struct library *)heap)->memalign(align, size);
}

static void lib_free_sized(void *heap, void *p, size_t size)
{
	((struct library *)heap)->free_sized(p, size);
}

static void lib_free_aligned_sized(void *heap, void *p, size_t align, size_t size)
{
	((struct library *)heap)->free_aligned_sized(p, align, size);
}

static size_t lib_usable_size(void *heap, void *p)
{
	return ((struct library *)heap)->malloc_usable_size(p);
}

static size_t lib_good_size(void *heap, size_t size)
{
	const struct library *lib = heap;

	/* nallocx() takes no 0. */
	return lib->good_size ? lib->good_size(size) : lib->nallocx(size ? size : 1, 0);
}

static int lib_trim(void *heap, size_t pad)
{
	return ((struct library *)heap)->malloc_trim(pad);
}

/* A name may be put before each of theirs, as a library that does not replace malloc() does. */
static const char *const prefixes[] = { "", "je_", "ff", "mi_", "tc_", "rp", "scalable_", "sn_",
					"iso_", "hm_", "scudo_", "nedalloc_", "dl", "h_" };

/* Where in struct library, and what it is called: the usual name, then others. */
static const struct {
	size_t offset;
	const char *name[3];
} functions[] = {
#define AT(member) offsetof(struct library, member)
	{ AT(malloc), { "malloc" } },
	{ AT(free), { "free" } },
	{ AT(calloc), { "calloc" } },
	{ AT(realloc), { "realloc" } },
	{ AT(reallocarray), { "reallocarray" } },
	{ AT(aligned_alloc), { "aligned_alloc" } },
	{ AT(posix_memalign), { "posix_memalign" } },
	{ AT(memalign), { "memalign" } },
	{ AT(free_sized), { "free_sized" } },
	{ AT(free_aligned_sized), { "free_aligned_sized" } },
	{ AT(malloc_usable_size), { "malloc_usable_size", "usable_size", "msize" } },
	{ AT(good_size), { "malloc_good_size", "good_size" } },
	{ AT(nallocx), { "nallocx" } },
	{ AT(malloc_trim), { "malloc_trim" } },
#undef AT
};

static void *find(const struct load *l, const char *prefix, const char *const name[3])
{
	char full[64];

	for (int i = 0; i < 3 && name[i]; i++) {
		void *p;

		snprintf(full, sizeof(full), "%s%s", prefix, name[i]);
		p = load_symbol(l, full);
		if (p)
			return p;
	}
	return NULL;
}

/* All under one prefix, the first that has malloc() and free(). */
static bool find_all(const struct load *l, struct library *lib)
{
	for (size_t k = 0; k < sizeof(prefixes) / sizeof(prefixes[0]); k++) {
		for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
			void *p = find(l, prefixes[k], functions[i].name);

			memcpy((char *)lib + functions[i].offset, &p, sizeof(p));
		}
		if (lib->malloc && lib->free)
			return true;
	}
	return false;
}

static void fill_table(struct slabfuzz_plugin *t, const struct library *lib)
{
	t->malloc = lib_malloc;
	t->free = lib_free;
	t->calloc = lib->calloc ? lib_calloc : NULL;
	t->realloc = lib->realloc ? lib_realloc : NULL;
	t->reallocarray = lib->reallocarray ? lib_reallocarray : NULL;
	t->aligned_alloc = lib->aligned_alloc ? lib_aligned_alloc : NULL;
	t->posix_memalign = lib->posix_memalign ? lib_posix_memalign : NULL;
	t->memalign = lib->memalign ? lib_memalign : NULL;
	t->free_sized = lib->free_sized ? lib_free_sized : NULL;
	t->free_aligned_sized = lib->free_aligned_sized ? lib_free_aligned_sized : NULL;
	t->usable_size = lib->malloc_usable_size ? lib_usable_size : NULL;
	t->good_size = lib->good_size || lib->nallocx ? lib_good_size : NULL;
	t->trim = lib->malloc_trim ? lib_trim : NULL;
	t->flags = SLABFUZZ_THREADS | SLABFUZZ_PARALLEL;
}

/* "/usr/lib/libtoy.so.2.1" is a build of libtoy. */
static void name_family(struct user_source *s, const char *path)
{
	const char *slash = strrchr(path, '/'), *end;

	path = slash ? slash + 1 : path;
	end = strstr(path, ".so");
	snprintf(s->family, sizeof(s->family), "%.*s", end ? (int)(end - path) : 63, path);
}

bool user_load_malloc(struct user_source *s, const char *path, struct sf_error *err)
{
	const char *file = *path && strcmp(path, "libc") ? path : "libc.so.6";
	struct load *l = load_open(file, true, err);
	struct library *lib;

	if (!l)
		return false;
	lib = sf_zalloc(1, sizeof(*lib));
	if (!find_all(l, lib)) {
		snprintf(err->text, sizeof(err->text),
			 "%.120s: defines no malloc and free, with no prefix that is known", file);
		free(lib);
		return false;
	}
	fill_table(&s->table, lib);
	name_family(s, load_path(l));
	s->table.summary = "a library of the malloc family";
	s->state = lib;
	*(void **)&s->errno_at = load_symbol_any(l, "__errno_location");
	*(void **)&s->threads.create = load_symbol_any(l, "pthread_create");
	*(void **)&s->threads.join = load_symbol_any(l, "pthread_join");
	return true;
}
