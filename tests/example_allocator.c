// SPDX-License-Identifier: MIT
/*
 * example_allocator.c - malloc() under slabfuzz: the example of docs/plugin.md, word for word.
 * Relies on allocator.h alone; tests/test_plugin.c runs programs on it under the oracles.
 */
#include <stdlib.h>

#include "../allocators/allocator.h"

/* In front of each object, so that reset() finds what a program left behind. */
struct block {
	_Alignas(16) struct block *next, **prev;
};

struct sf_heap {
	struct block *live;
	uint64_t size_max;
};

static struct sf_heap *create(const struct sf_allocator *self, const struct sf_settings *set,
			      struct sf_sink *sink, struct sf_error *err)
{
	struct sf_event ev = {
		.type = SF_EV_HEAP,
		.heap = { .allocator = self->name, .caps = self->caps, .settings = set },
	};
	struct sf_heap *h = calloc(1, sizeof(*h));

	if (!h) {
		*err = (struct sf_error){ "out of memory" };
		return NULL;
	}
	h->size_max = set->pages * 4096;
	if (sink)
		sink->emit(sink->ctx, &ev);
	return h;
}

static void give_back(struct sf_heap *h, uint64_t addr, enum sf_free_how how, struct sf_result *rs)
{
	struct block *b;

	(void)h;
	(void)how;
	*rs = (struct sf_result){ .status = SF_OK };
	if (addr <= SF_ZERO_SIZE_PTR)
		return;
	b = (struct block *)(uintptr_t)addr - 1;
	if (b->next)
		b->next->prev = b->prev;
	*b->prev = b->next;
	free(b);
}

static void reset(struct sf_heap *h)
{
	while (h->live) {
		struct block *b = h->live;

		h->live = b->next;
		free(b);
	}
}

static void destroy(struct sf_heap *h)
{
	reset(h);
	free(h);
}

static void alloc(struct sf_heap *h, const struct sf_request *rq, struct sf_result *rs)
{
	/* Without SF_CAP_ARRAY n is 1: the executor multiplies. */
	struct block *b = rq->size > h->size_max ? NULL : malloc(sizeof(*b) + rq->size);

	*rs = (struct sf_result){ .status = SF_NULL };
	if (!b)
		return;
	*b = (struct block){ .next = h->live, .prev = &h->live };
	if (h->live)
		h->live->prev = &b->next;
	h->live = b;
	*rs = (struct sf_result){ .status = SF_OK, .addr = (uintptr_t)(b + 1) };
}

extern const struct sf_allocator sf_example;
const struct sf_allocator sf_example = {
	.abi = SF_ALLOCATOR_ABI,
	.name = "example",
	.summary = "malloc() of the C library",
	.caps = SF_CAP_ADDRESS,
	.settings = 1ull << SF_SET_pages,
	.reset_kind = SF_RESET_BEST_EFFORT,
	.create = create,
	.destroy = destroy,
	.reset = reset,
	.alloc = alloc,
	.free = give_back,
};
