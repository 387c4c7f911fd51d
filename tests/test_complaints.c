// SPDX-License-Identifier: MIT
/*
 * test_complaints.c - MEM-22: streams of hand-made events in which the allocator complains, or does
 * not, rightly or wrongly. Relies on tiny_heap.h.
 */
#include "tiny_heap.h"

#define KMALLOC_MAX (4ull << 20)
#define KVMALLOC_MAX 0x7fffffffull

static struct sf_event refused(uint8_t api, uint64_t size, uint32_t gfp)
{
	struct sf_event ev = failed(gfp);

	ev.alloc.api = api;
	ev.alloc.size = ev.alloc.elem = size;
	return ev;
}

static void complain(struct fixture *f)
{
	EMIT(f, WARN, warn, .what = "enough");
}

static void over(struct fixture *f)
{
	EMIT(f, END, run, .ops = f->op);
}

/* What is owed, and what no one owes. */
static void right(struct fixture *f)
{
	static const struct {
		uint8_t api;
		uint64_t size;
	} beyond[] = {
		{ SF_API_KMALLOC, KMALLOC_MAX + 1 },
		{ SF_API_PAGES, KMALLOC_MAX * 2 },
		{ SF_API_EXACT, KMALLOC_MAX + 1 },
		{ SF_API_EXACT, 0 },
		{ SF_API_KVMALLOC, KVMALLOC_MAX + 1 },
		{ SF_API_KVMALLOC, (PAGES + 1) * SF_PAGE_SIZE },
	};

	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		complain(f);
		alloc(f, refused(beyond[i].api, beyond[i].size, SF_GFP_KERNEL));
		alloc(f, refused(beyond[i].api, beyond[i].size, SF_GFP_KERNEL | SF_GFP_NOWARN));
	}
	over(f);
}

static void right_silence(struct fixture *f)
{
	struct sf_event ev = refused(SF_API_KMALLOC, KMALLOC_MAX + 1, SF_GFP_KERNEL);

	alloc(f, refused(SF_API_NOLOCK, KMALLOC_MAX + 1, 0));
	ev.alloc.counter_size = 1;
	alloc(f, ev);
	ev.alloc.counter_size = 0;
	ev.alloc.overflow = true;
	alloc(f, ev);
	complain(f);
	alloc(f, refused(SF_API_KMALLOC, KMALLOC_MAX + 1, SF_GFP_KERNEL));
	over(f);
}

static void right_free(struct fixture *f)
{
	complain(f);
	EMIT(f, FREE, free, .id = SF_NONE, .cache = SF_NONE, .bad = SF_GOOD, .addr = -12ull,
	     .known = true);
	f->op++;
	complain(f);
	alloc(f, refused(SF_API_PAGES, KMALLOC_MAX * 2, SF_GFP_KERNEL));
	over(f);
}

/* Half-way between two operations: what the cache's result says is known before it is judged. */
static void right_destroy(struct fixture *f)
{
	complain(f);
	EMIT(f, CACHE_DESTROY, cacheop, .cache = C_NAMED, .status = SF_NOTICED);
	f->op++;
	complain(f);
	alloc(f, refused(SF_API_PAGES, KMALLOC_MAX * 2, SF_GFP_KERNEL));
	over(f);
}

static void in_silence(struct fixture *f)
{
	alloc(f, refused(SF_API_KVMALLOC, (PAGES + 1) * SF_PAGE_SIZE, SF_GFP_KERNEL));
}

static void flag_taken_off(struct fixture *f)
{
	alloc(f, refused(SF_API_EXACT, SF_PAGE_SIZE, SF_GFP_KERNEL | SF_GFP_COMP));
}

static void without_cause(struct fixture *f)
{
	complain(f);
	alloc(f, refused(SF_API_KMALLOC, KMALLOC_MAX + 1, SF_GFP_KERNEL | SF_GFP_NOWARN));
	over(f);
}

/* The next operation's result is none of its business. */
static void of_the_one_before(struct fixture *f)
{
	complain(f);
	f->op++;
	complain(f);
	alloc(f, refused(SF_API_KMALLOC, KMALLOC_MAX + 1, SF_GFP_KERNEL));
	over(f);
}

static void of_a_bulk(struct fixture *f)
{
	struct sf_ev_pagesbulk e = { .gfp = SF_GFP_NOWAIT | SF_GFP_NOFAIL, .n = 2 };

	complain(f);
	emit(f, SF_EV_PAGES_BULK, (struct sf_event){ .pagesbulk = e });
	f->op++;
	complain(f);
	e.gfp = SF_GFP_KERNEL;
	emit(f, SF_EV_PAGES_BULK, (struct sf_event){ .pagesbulk = e });
	over(f);
}

/* What is not wrong is at least looked at. */
#define RIGHT(run) { SF_INV_MEM_22, run, NULL, NULL }

static const struct stream streams[] = {
	RIGHT(right),
	RIGHT(right_silence),
	RIGHT(right_free),
	RIGHT(right_destroy),
	STREAM(MEM, 22, in_silence, "a request beyond all memory was refused without a word"),
	STREAM(MEM, 22, flag_taken_off, "alloc_pages_exact() took a flag off without a word"),
	STREAM(MEM, 22, without_cause, "a complaint without a cause: enough"),
	STREAM(MEM, 22, of_the_one_before, "a complaint without a cause: enough"),
	STREAM(MEM, 22, of_a_bulk, "a complaint without a cause: enough"),
};

static void test_streams_have_exact_titles(void **state)
{
	(void)state;
	check_streams(streams, sizeof(streams) / sizeof(streams[0]));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_have_exact_titles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
