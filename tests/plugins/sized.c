// SPDX-License-Identifier: MIT
/*
 * sized.c - an allocator that wants to be told the size when it frees, and the alignment of what
 * was asked for with one: its table has no free(). It keeps both in front of each object, and finds
 * itself unsound if it is ever told others. tests/e2e_plugin.sh runs it.
 */
#include <stdlib.h>
#include <string.h>

#include <slabfuzz/plugin.h>

struct head {
	size_t size, align; /* align 0: none was asked for */
	void *start;        /* of what the C library gave */
	size_t pad;
};

struct heap {
	const char *wrong;
};

static void *create(size_t size)
{
	(void)size;
	return calloc(1, sizeof(struct heap));
}

static void destroy(void *heap)
{
	free(heap);
}

static void *take(size_t size, size_t align, size_t told)
{
	size_t room = align + sizeof(struct head);
	char *start, *p;

	if (align & (align - 1) || align > (1u << 26) || size > PTRDIFF_MAX - room)
		return NULL;
	start = malloc(size + room);
	if (!start)
		return NULL;
	p = start + sizeof(struct head);
	p += -(uintptr_t)p & (align - 1);
	((struct head *)(void *)p)[-1] = (struct head){ size, told, start, 0 };
	return p;
}

static void *get(void *heap, size_t size)
{
	(void)heap;
	return take(size, 16, 0);
}

static void *get_aligned(void *heap, size_t align, size_t size)
{
	(void)heap;
	return align ? take(size, align < 16 ? 16 : align, align) : NULL;
}

static void give_back(struct heap *h, void *p, size_t align, size_t size)
{
	struct head *head = p;

	if (!p)
		return;
	head--;
	if (head->size != size)
		h->wrong = "freed with another size than was asked for";
	else if (head->align != align)
		h->wrong = "freed with another alignment than was asked for";
	free(head->start);
}

static void give_sized(void *heap, void *p, size_t size)
{
	give_back(heap, p, 0, size);
}

static void give_aligned(void *heap, void *p, size_t align, size_t size)
{
	give_back(heap, p, align, size);
}

/* Freed by the allocator itself, which knows. */
static void *resize(void *heap, void *p, size_t size)
{
	struct head *head = p;
	void *q = get(heap, size);

	if (!p || !q)
		return q;
	head--;
	memcpy(q, p, head->size < size ? head->size : size);
	free(head->start);
	return q;
}

static const char *integrity(void *heap)
{
	return ((struct heap *)heap)->wrong;
}

SLABFUZZ_PLUGIN(.name = "sized", .summary = "wants to be told sizes", .traits = "error=0",
		.create = create, .destroy = destroy, .malloc = get, .free_sized = give_sized,
		.free_aligned_sized = give_aligned, .realloc = resize, .memalign = get_aligned,
		.integrity = integrity);
