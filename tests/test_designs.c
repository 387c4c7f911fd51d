// SPDX-License-Identifier: MIT
/*
 * test_designs.c - the judge on designs of kmalloc that no row describes: nothing of the kernel's
 * classes is demanded, what rests on them is skipped with the reason, and inconsistency is caught.
 *
 * The events are made by hand: two caches on a heap of 64 pages, and objects on pages of their own.
 * Relies on oracles/oracle.h only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../allocators/allocator.h"
#include "../oracles/oracle.h"

#define REASON "the allocator places by rules of its own"
#define CAPS (SF_CAP_USABLE | SF_CAP_PLACE | SF_CAP_KMALLOC | SF_CAP_ADDRESS | SF_CAP_CACHES | \
	      SF_CAP_OWN_DESIGN)

enum { NO_CACHE, CACHE_A, CACHE_B };

struct watch {
	struct sf_judge *j;
	struct sf_settings set;
	char title[SF_TITLE_MAX]; /* the last */
	unsigned int violations;
	uint32_t next;            /* object */
};

static void on_violation(void *ctx, const struct sf_violation *v)
{
	struct watch *w = ctx;

	w->violations++;
	strcpy(w->title, v->title);
}

static void send(struct watch *w, uint8_t type, struct sf_event ev)
{
	ev.type = type;
	ev.op = w->next;
	sf_judge_event(w->j, &ev);
}

#define SEND(w, TYPE, member, ...) \
	send(w, SF_EV_##TYPE, (struct sf_event){ .member = { __VA_ARGS__ } })

static void cache(struct watch *w, uint32_t id, const char *name, uint8_t partition)
{
	SEND(w, CACHE, cache, .name = name, .id = id, .object_size = 64, .stride = 64, .align = 8,
	     .objects = 64, .min_objects = 64, .kind = SF_CACHE_KMALLOC, .partition = partition,
	     .boot = true, .class_size = 64, .bucket = SF_NONE, .flags = SF_SLAB_NO_MERGE);
}

static void open_heap(struct watch *w, uint64_t caps)
{
	struct sf_judge_options opt = { .violation = on_violation, .ctx = w };

	memset(w, 0, sizeof(*w));
	sf_settings_init(&w->set);
	w->set.memcg = 0;
	w->j = sf_judge_create(&opt);
	SEND(w, HEAP, heap, .allocator = "own", .caps = caps, .settings = &w->set,
	     .direct_map = SF_DIRECT_MAP, .pages = 64, .exact = true);
	cache(w, CACHE_A, "kmalloc-64", 0);
	cache(w, CACHE_B, "kmalloc-part-01-64", 1);
	SEND(w, BEGIN, run, 0);
}

static void close_heap(struct watch *w)
{
	sf_judge_destroy(w->j);
}

static uint64_t page(uint64_t pfn)
{
	return SF_DIRECT_MAP + (pfn << SF_PAGE_SHIFT);
}

/* kmalloc(size), answered with `offset` bytes of page `pfn`: of a cache's slab, or of its own. */
static void got(struct watch *w, uint64_t size, uint32_t in, uint64_t pfn, uint64_t offset)
{
	uint64_t base = page(pfn), usable = in == NO_CACHE ? SF_PAGE_SIZE : 64;
	struct sf_place place = {
		.kind = in == NO_CACHE ? SF_PLACE_LARGE : SF_PLACE_SLAB,
		.cache = in == NO_CACHE ? SF_NONE : in,
		.stride = (uint32_t)usable, .object_size = (uint32_t)usable,
		.index = (uint32_t)(offset / 64), .objects = in == NO_CACHE ? 1 : 64,
		.base = base, .pfn = pfn,
	};

	SEND(w, ALLOC, alloc, .id = w->next, .res = w->next, .api = SF_API_KMALLOC,
	     .gfp = SF_GFP_KERNEL, .cache = SF_NONE, .bucket = SF_NONE, .n = 1, .elem = size,
	     .size = size, .addr = base + offset, .usable = usable, .dirty = SF_GOOD,
	     .bad = SF_GOOD, .old_id = SF_NONE, .place = place);
	w->next++;
}

static void assert_skipped(struct watch *w, enum sf_invariant inv, uint64_t times)
{
	const struct sf_oracle_count *c = &sf_judge_counts(w->j)[inv];

	assert_int_equal(c->skipped, times);
	assert_string_equal(c->reason, REASON);
}

static void pages_of_its_own_are_no_fault(void **state)
{
	struct watch w;

	(void)state;
	open_heap(&w, CAPS);
	got(&w, 100, NO_CACHE, 1, 0);
	got(&w, 100, NO_CACHE, 2, 0);
	got(&w, 64, CACHE_A, 3, 64);
	assert_int_equal(w.violations, 0);
	assert_int_equal(sf_judge_counts(w.j)[SF_INV_ISO_1].checked, 3);
	assert_int_equal(sf_judge_counts(w.j)[SF_INV_ISO_2].checked, 3);
	assert_int_equal(sf_judge_counts(w.j)[SF_INV_MEM_17].checked, 3);
	assert_skipped(&w, SF_INV_ISO_1, 3);
	assert_skipped(&w, SF_INV_ISO_2, 3);
	assert_skipped(&w, SF_INV_ISO_13, 3);
	assert_skipped(&w, SF_INV_ISO_17, 3);
	assert_skipped(&w, SF_INV_MEM_17, 3);
	assert_skipped(&w, SF_INV_ISO_4, 2);
	close_heap(&w);
}

static void the_same_is_a_fault_of_the_kernels_design(void **state)
{
	struct watch w;

	(void)state;
	open_heap(&w, CAPS & ~(uint64_t)SF_CAP_OWN_DESIGN);
	got(&w, 100, NO_CACHE, 1, 0);
	assert_int_equal(w.violations, 2); /* ISO-2, MEM-17 */
	close_heap(&w);
}

static void two_designs_at_once_are_none_that_is_known(void **state)
{
	struct watch w;

	(void)state;
	open_heap(&w, (CAPS & ~(uint64_t)SF_CAP_OWN_DESIGN) | SF_CAP_RANDOM | SF_CAP_TYPED);
	got(&w, 100, NO_CACHE, 1, 0);
	assert_skipped(&w, SF_INV_ISO_1, 1);
	close_heap(&w);
}

static void equal_requests_lie_in_equal_places(void **state)
{
	struct watch w;

	(void)state;
	open_heap(&w, CAPS);
	got(&w, 64, CACHE_A, 1, 0);
	got(&w, 32, CACHE_B, 2, 0);
	got(&w, 64, CACHE_A, 1, 64);
	assert_int_equal(w.violations, 0);
	got(&w, 64, CACHE_B, 2, 64);
	assert_int_equal(w.violations, 1);
	assert_string_equal(w.title, "ISO-1: equal requests lie in different places");
	close_heap(&w);
	open_heap(&w, CAPS);
	got(&w, 64, CACHE_A, 1, 0);
	got(&w, 64, NO_CACHE, 2, 0);
	assert_int_equal(w.violations, 1);
	close_heap(&w);
}

static void no_page_holds_two_partitions(void **state)
{
	struct watch w;

	(void)state;
	open_heap(&w, CAPS);
	got(&w, 64, CACHE_A, 1, 0);
	got(&w, 32, CACHE_B, 1, 64);
	assert_int_equal(w.violations, 1);
	assert_string_equal(w.title, "ISO-1: a page holds two partitions");
	close_heap(&w);
	/* once nothing lives there any more any partition may have the page */
	open_heap(&w, CAPS);
	got(&w, 64, CACHE_A, 1, 0);
	SEND(&w, FREE, free, .id = 0, .res = 0, .addr = page(1), .cache = SF_NONE, .known = true,
	     .bad = SF_GOOD);
	got(&w, 32, CACHE_B, 1, 64);
	assert_int_equal(w.violations, 0);
	close_heap(&w);
}

static void what_is_documented_is_still_demanded(void **state)
{
	struct watch w;

	(void)state;
	open_heap(&w, CAPS);
	got(&w, 64, CACHE_A, 1, 0);
	got(&w, 0, NO_CACHE, 2, 0);
	assert_int_equal(w.violations, 1);
	assert_string_equal(w.title, "MEM-11: an allocation of 0 bytes is not ZERO_SIZE_PTR");
	got(&w, 128, NO_CACHE, 3, 64);
	assert_string_equal(w.title, "MEM-3: object of large kmalloc is not aligned as promised");
	close_heap(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_its_own_are_no_fault),
		cmocka_unit_test(the_same_is_a_fault_of_the_kernels_design),
		cmocka_unit_test(two_designs_at_once_are_none_that_is_known),
		cmocka_unit_test(equal_requests_lie_in_equal_places),
		cmocka_unit_test(no_page_holds_two_partitions),
		cmocka_unit_test(what_is_documented_is_still_demanded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
