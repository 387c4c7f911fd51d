// SPDX-License-Identifier: MIT
/*
 * test_words_oracles.c - the rules of alloc_pages_bulk(): streams of hand-made events that break
 * one each, and ones that only look like it. Relies on event_fixture.h and tiny_heap.h.
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

/* What is charged comes one page at a time. */
static void charged(struct fixture *f)
{
	struct sf_ev_pagesbulk e = array(2, 1, 2);

	e.gfp = SF_GFP_KERNEL_ACCOUNT;
	bulk(f, e);
}

static const struct stream streams[] = {
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
