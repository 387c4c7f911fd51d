/* SPDX-License-Identifier: MIT */
/*
 * streams.h - oracles on events made by hand: a table of streams, each of which breaks one
 * invariant and has its exact title, or only looks like it and has none.
 *
 * A file that includes it says before what its bed has beyond the common (BED_MEMBERS), and what
 * the source can (CAPS); it defines heap(), which tells HEAP, caches and BEGIN. Relies on cmocka
 * and oracles/oracle.h.
 */
#ifndef SLABFUZZ_TEST_STREAMS_H
#define SLABFUZZ_TEST_STREAMS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../oracles/oracle.h"

#define TITLES_MAX 8

struct bed {
	struct sf_judge *j;
	struct sf_settings set;
	uint64_t caps;
	uint32_t op;
	char title[TITLES_MAX][SF_TITLE_MAX];
	unsigned int nr_titles;
	BED_MEMBERS
};

struct stream {
	enum sf_invariant inv;
	void (*run)(struct bed *b);
	const char *title; /* NULL: nothing is wrong */
	void (*mode)(struct bed *b); /* settings, capabilities; NULL: as they are */
};

static void heap(struct bed *b);

static void record(void *ctx, const struct sf_violation *v)
{
	struct bed *b = ctx;

	if (b->nr_titles < TITLES_MAX)
		strcpy(b->title[b->nr_titles++], v->title);
}

static void emit(struct bed *b, uint8_t type, struct sf_event ev)
{
	ev.type = type;
	ev.op = b->op;
	sf_judge_event(b->j, &ev);
}

#define EMIT(b, TYPE, member, ...) \
	emit(b, SF_EV_##TYPE, (struct sf_event){ .member = { __VA_ARGS__ } })

static uint64_t at(uint64_t pfn)
{
	return SF_DIRECT_MAP + (pfn << SF_PAGE_SHIFT);
}

/* The judge is the caller's to destroy. */
static void play(struct bed *b, const struct stream *s, sf_invariant_set only)
{
	struct sf_judge_options opt = { .only = only, .violation = record, .ctx = b };

	memset(b, 0, sizeof(*b));
	sf_settings_init(&b->set);
	b->caps = CAPS;
	if (s->mode)
		s->mode(b);
	b->j = sf_judge_create(&opt);
	heap(b);
	s->run(b);
}

static bool has_its_title(struct bed *b, const struct stream *s)
{
	unsigned int want = s->title != NULL;
	bool good;

	play(b, s, sf_invariant_bit(s->inv));
	good = b->nr_titles == want && (!want || !strcmp(b->title[0], s->title));
	if (!good)
		print_error("want \"%s\", got %u: \"%s\"\n", want ? s->title : "nothing",
			    b->nr_titles, b->title[0]);
	if (!sf_judge_counts(b->j)[s->inv].checked) {
		print_error("%s: nothing was judged\n", want ? s->title : "a clean stream");
		good = false;
	}
	sf_judge_destroy(b->j);
	return good;
}

static void check_streams(const struct stream *streams, size_t nr)
{
	struct bed *b = malloc(sizeof(*b));
	unsigned int bad = 0;

	assert_non_null(b);
	for (size_t i = 0; i < nr; i++) {
		if (has_its_title(b, &streams[i]))
			continue;
		print_error("... in stream %zu\n", i);
		bad++;
	}
	free(b);
	assert_int_equal(bad, 0);
}

/* Where the source lacks what they need, they judge nothing, and say so once. */
static void check_not_judged(const struct stream *streams, size_t nr, enum sf_invariant but,
			     void (*mode)(struct bed *b))
{
	struct bed *b = malloc(sizeof(*b));

	assert_non_null(b);
	for (size_t i = 0; i < nr; i++) {
		struct stream s = streams[i];

		if (s.inv == but)
			continue;
		s.mode = mode;
		play(b, &s, sf_invariant_bit(s.inv));
		assert_int_equal(b->nr_titles, 0);
		assert_int_equal(sf_judge_counts(b->j)[s.inv].checked, 0);
		assert_int_equal(sf_judge_counts(b->j)[s.inv].skipped, 1);
		assert_non_null(sf_judge_counts(b->j)[s.inv].reason);
		sf_judge_destroy(b->j);
	}
	free(b);
}

#endif
