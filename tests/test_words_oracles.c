// SPDX-License-Identifier: MIT
/*
 * test_words_oracles.c - the rules of alloc_pages_bulk() and of prefilled sheaves: streams of
 * hand-made events that break one each, and ones that only look like it. Relies on event_fixture.h
 * and tiny_heap.h.
 */
#include "tiny_heap.h"

#define ENTRIES 8u

static void in_bulk(struct fixture *f)
{
	f->caps |= SF_CAP_PAGES_BULK;
}

/* An array of which entry 0 was full before. */
static struct sf_ev_pagesbulk array(uint32_t filled, uint32_t got, uint32_t empty)
{
	return (struct sf_ev_pagesbulk){ .gfp = SF_GFP_KERNEL, .n = ENTRIES, .full = 1,
					 .filled = filled, .got = got, .empty = empty,
					 .status = got ? SF_OK : SF_NULL };
}

static void bulk(struct fixture *f, struct sf_ev_pagesbulk e)
{
	emit(f, SF_EV_PAGES_BULK, (struct sf_event){ .pagesbulk = e });
}

static void right(struct fixture *f)
{
	bulk(f, array(ENTRIES, ENTRIES - 1, ENTRIES));
	EMIT(f, FAULT, fault, .kind = SF_FAULT_PAGE);
	bulk(f, array(1, 0, 1));
}

static void changed(struct fixture *f)
{
	struct sf_ev_pagesbulk e = array(ENTRIES, ENTRIES - 1, ENTRIES);

	e.changed = 1;
	bulk(f, e);
}

static void counts_empty(struct fixture *f)
{
	bulk(f, array(4, 2, 3));
}

static void beyond(struct fixture *f)
{
	struct sf_ev_pagesbulk e = array(ENTRIES - 1, ENTRIES - 1, ENTRIES);

	e.beyond = 1;
	bulk(f, e);
}

static void unsaid(struct fixture *f)
{
	struct sf_ev_pagesbulk e = array(1, 0, 1);

	e.status = SF_OK;
	EMIT(f, FAULT, fault, .kind = SF_FAULT_PAGE);
	bulk(f, e);
}

static void too_few(struct fixture *f)
{
	bulk(f, array(2, 1, 2));
}

/* Above LOW for one page, but not for all. */
static void too_many(struct fixture *f)
{
	while (f->free_pages > LOW_MARK + 4)
		take(f, f->free_pages - LOW_MARK >= 1024 ? 10 : 0, SF_MIGRATE_MOVABLE);
	f->op++;
	bulk(f, array(ENTRIES, ENTRIES - 1, ENTRIES));
}

/* What is charged comes one page at a time. */
static void charged(struct fixture *f)
{
	struct sf_ev_pagesbulk e = array(2, 1, 2);

	e.gfp = SF_GFP_KERNEL_ACCOUNT;
	bulk(f, e);
}

static void in_sheaves(struct fixture *f)
{
	f->caps |= SF_CAP_SHEAVES;
}

/* What happens to sheaf 1, of kmalloc-64. */
static void sheaf(struct fixture *f, enum sf_sheaf_act act, uint32_t before, uint32_t after)
{
	EMIT(f, SHEAF, sheaf, .act = (uint8_t)act, .cache = C_64, .sheaf = 1,
	     .was = act != SF_SHEAF_PREFILL, .asked = 4, .before = before, .after = after);
}

static void not_filled(struct fixture *f, uint32_t gfp, uint8_t status)
{
	EMIT(f, SHEAF, sheaf, .act = SF_SHEAF_PREFILL, .cache = C_64, .asked = 4, .gfp = gfp,
	     .status = status);
}

static void not_taken(struct fixture *f, uint32_t objects)
{
	EMIT(f, SHEAF, sheaf, .act = SF_SHEAF_TAKE, .cache = C_64, .sheaf = 1, .was = 1,
	     .before = objects, .after = objects, .status = SF_NULL);
}

static void sheaf_right(struct fixture *f)
{
	sheaf(f, SF_SHEAF_PREFILL, 0, 4);
	sheaf(f, SF_SHEAF_TAKE, 4, 3);
	sheaf(f, SF_SHEAF_REFILL, 3, 5);
	sheaf(f, SF_SHEAF_RETURN, 5, 0);
	look(f, 0);
	snap(f);
	EMIT(f, FAULT, fault, .kind = SF_FAULT_PAGE);
	not_filled(f, SF_GFP_KERNEL, SF_NULL);
	not_filled(f, SF_GFP_KERNEL | SF_GFP_NOFAIL, SF_BLOCKED);
}

static void sheaf_short(struct fixture *f)
{
	sheaf(f, SF_SHEAF_PREFILL, 0, 3);
}

static void sheaf_loses(struct fixture *f)
{
	sheaf(f, SF_SHEAF_PREFILL, 0, 8);
	sheaf(f, SF_SHEAF_REFILL, 8, 6);
}

static void sheaf_changes(struct fixture *f)
{
	sheaf(f, SF_SHEAF_PREFILL, 0, 4);
	sheaf(f, SF_SHEAF_TAKE, 5, 4);
}

static void sheaf_no_reason(struct fixture *f)
{
	not_filled(f, SF_GFP_KERNEL, SF_NULL);
}

static void sheaf_nofail(struct fixture *f)
{
	EMIT(f, FAULT, fault, .kind = SF_FAULT_PAGE);
	not_filled(f, SF_GFP_KERNEL | SF_GFP_NOFAIL, SF_NULL);
}

static void sheaf_blocked(struct fixture *f)
{
	not_filled(f, SF_GFP_KERNEL, SF_BLOCKED);
}

static void take_failed(struct fixture *f)
{
	sheaf(f, SF_SHEAF_PREFILL, 0, 4);
	not_taken(f, 4);
}

static void take_nothing(struct fixture *f)
{
	sheaf(f, SF_SHEAF_PREFILL, 0, 4);
	for (uint32_t n = 4; n; n--)
		sheaf(f, SF_SHEAF_TAKE, n, n - 1);
	not_taken(f, 0); /* that is as it should be */
	sheaf(f, SF_SHEAF_TAKE, 0, 0);
}

static void take_two(struct fixture *f)
{
	sheaf(f, SF_SHEAF_PREFILL, 0, 4);
	sheaf(f, SF_SHEAF_TAKE, 4, 2);
}

static void take_effort(struct fixture *f)
{
	sheaf(f, SF_SHEAF_PREFILL, 0, 4);
	f->op++;
	EMIT(f, PAGE_FAIL, pagefail, .gfp = SF_GFP_NOWAIT, .refused = true, .order = 11);
	sheaf(f, SF_SHEAF_TAKE, 4, 3);
}

static void sheaf_left(struct fixture *f)
{
	sheaf(f, SF_SHEAF_PREFILL, 0, 4);
	look(f, 0);
	snap(f);
}

static const struct stream streams[] = {
	{ SF_INV_MEM_21, sheaf_right, NULL, in_sheaves },
	STREAM_IN(in_sheaves, MEM, 21, sheaf_short,
		  "a sheaf of kmalloc-64 was filled with fewer objects than were asked"),
	STREAM_IN(in_sheaves, MEM, 21, sheaf_loses,
		  "a refill took objects out of a sheaf of kmalloc-64"),
	STREAM_IN(in_sheaves, MEM, 21, sheaf_changes,
		  "a sheaf of kmalloc-64 has not what its caller left in it"),
	STREAM_IN(in_sheaves, MEM, 21, sheaf_no_reason,
		  "a sheaf of kmalloc-64 was not filled, without a reason"),
	STREAM_IN(in_sheaves, MEM, 21, sheaf_nofail,
		  "a sheaf of kmalloc-64 was not filled under __GFP_NOFAIL"),
	STREAM_IN(in_sheaves, MEM, 21, sheaf_blocked,
		  "filling a sheaf of kmalloc-64 blocked that may fail"),
	STREAM_IN(in_sheaves, MEM, 21, take_failed,
		  "an allocation from a sheaf of kmalloc-64 failed that had objects"),
	STREAM_IN(in_sheaves, MEM, 21, take_nothing,
		  "an allocation from a sheaf of kmalloc-64 that was empty"),
	STREAM_IN(in_sheaves, MEM, 21, take_two,
		  "an allocation took more or less than one object of a sheaf of kmalloc-64"),
	STREAM_IN(in_sheaves, MEM, 21, take_effort,
		  "an allocation from a sheaf of kmalloc-64 made an effort"),
	STREAM_IN(in_sheaves, MEM, 21, sheaf_left,
		  "prefilled sheaves hold more or less than their callers have"),
	{ SF_INV_BUD_17, right, NULL, in_bulk },
	{ SF_INV_BUD_17, charged, NULL, in_bulk },
	STREAM_IN(in_bulk, BUD, 17, changed, "alloc_pages_bulk changed entries that were full"),
	STREAM_IN(in_bulk, BUD, 17, counts_empty,
		  "alloc_pages_bulk counts entries that are empty"),
	STREAM_IN(in_bulk, BUD, 17, beyond,
		  "alloc_pages_bulk filled entries that it does not count"),
	STREAM_IN(in_bulk, BUD, 17, unsaid,
		  "alloc_pages_bulk does not say whether it got pages"),
	STREAM_IN(in_bulk, BUD, 17, too_few, "alloc_pages_bulk gave up with memory at hand"),
	STREAM_IN(in_bulk, BUD, 17, too_many,
		  "alloc_pages_bulk took several pages where one is due"),
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
