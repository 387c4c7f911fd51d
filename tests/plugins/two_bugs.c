// SPDX-License-Identifier: MIT
/*
 * two_bugs.c - a malloc library, and a plug-in, with one state for the process and two bugs: every
 * calloc() leaves a byte as it was, and aligned_alloc() counts in its header. What the first leaves
 * behind hides the second from who goes on in the same process. tests/e2e_fuzz_plugin.sh fuzzes it.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <slabfuzz/plugin.h>

struct head {
	uint32_t class, broken;
	union {
		struct head *next;
		size_t before; /* of an aligned object: bytes to the head that counts */
	};
};

enum { CLASSES = 24, LEAST = 5 };
static struct head *lists[CLASSES];
static int broken; /* once a bug was met, nothing is ever right again */

static void *grown(uint32_t class)
{
	size_t size = (size_t)1 << (class + LEAST), all = size < 65536 ? 65536 : size;
	char *p = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	for (size_t at = 0; at < all; at += size) {
		struct head *h = (struct head *)(p + at);

		h->class = class;
		h->next = lists[class];
		lists[class] = h;
	}
	return lists[class];
}

void *malloc(size_t size)
{
	uint32_t class = 0;
	struct head *h;

	while (class < CLASSES && ((size_t)1 << (class + LEAST)) - sizeof(*h) < size)
		class++;
	h = class < CLASSES ? lists[class] : NULL;
	if (class < CLASSES && !h)
		h = grown(class);
	if (!h) {
		errno = ENOMEM;
		return NULL;
	}
	if (!broken)
		lists[class] = h->next;
	h->before = 0;
	return h + 1;
}

void free(void *p)
{
	struct head *h;

	if (!p)
		return;
	h = (struct head *)p - 1;
	h = (struct head *)((char *)h - h->before);
	h->next = lists[h->class];
	lists[h->class] = h;
}

void *calloc(size_t n, size_t size)
{
	char *p = NULL;

	if (__builtin_mul_overflow(n, size, &size))
		errno = ENOMEM;
	else
		p = malloc(size);
	if (p && size) {
		memset(p, 0, size - 1);
		if (p[size - 1])
			broken = 1;
	}
	return p;
}

void *aligned_alloc(size_t align, size_t size)
{
	char *p, *q;

	if (!align || align & (align - 1) || align > 65536 || size > PTRDIFF_MAX) {
		errno = align && !(align & (align - 1)) ? ENOMEM : EINVAL;
		return NULL;
	}
	p = malloc(size + align + sizeof(struct head));
	if (!p || align <= sizeof(struct head))
		return p;
	q = p + (-(uintptr_t)(p - sizeof(struct head)) & (align - 1));
	if (q != p && q - p < (ptrdiff_t)sizeof(struct head))
		q += align;
	if (q != p) {
		((struct head *)q)[-1].class = 0;
		((struct head *)q)[-1].before = (size_t)(q - p);
	}
	return q;
}

static void *table_malloc(void *heap, size_t size)
{
	(void)heap;
	return malloc(size);
}

static void table_free(void *heap, void *p)
{
	(void)heap;
	free(p);
}

static void *table_calloc(void *heap, size_t n, size_t size)
{
	(void)heap;
	return calloc(n, size);
}

static void *table_aligned_alloc(void *heap, size_t align, size_t size)
{
	(void)heap;
	return aligned_alloc(align, size);
}

SLABFUZZ_PLUGIN(.name = "two_bugs", .malloc = table_malloc, .free = table_free,
		.calloc = table_calloc, .aligned_alloc = table_aligned_alloc);
