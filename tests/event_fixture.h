/* SPDX-License-Identifier: MIT */
/*
 * event_fixture.h - a judge that is played events made by hand, and a table of such streams: each
 * breaks one invariant and has its exact title, or only looks like it and has none.
 *
 * A file that includes it may say before:
 *	CAPS		what the source can; without it nothing
 *	FIXTURE_MEMBERS	what its fixture has beyond the common
 *	ON_EMIT(f, ev)	what is done with each event on its way to the judge
 * and defines heap(), which emits HEAP, caches and BEGIN. With FIXTURE_BOOTS the judge is the one
 * of many boots, and there is no heap().
 *
 * Relies on cmocka and oracles/oracle.h; all tests of the oracles rely on it.
 */
#ifndef SLABFUZZ_TEST_EVENT_FIXTURE_H
#define SLABFUZZ_TEST_EVENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../oracles/boots.h"
#include "../oracles/oracle.h"

#define TITLES_MAX 16

#ifndef CAPS
#define CAPS 0
#endif
#ifndef FIXTURE_MEMBERS
#define FIXTURE_MEMBERS
#endif
#ifndef ON_EMIT
#define ON_EMIT(f, ev) ((void)(f))
#endif

struct fixture {
#ifdef FIXTURE_BOOTS
	struct sf_boots *j;
#else
	struct sf_judge *j;
#endif
	struct sf_settings set;
	uint64_t caps;
	uint32_t op;
	char title[TITLES_MAX][SF_TITLE_MAX];
	unsigned int nr_titles;
	FIXTURE_MEMBERS
};

static inline void record(void *ctx, const struct sf_violation *v)
{
	struct fixture *f = ctx;

	if (f->nr_titles < TITLES_MAX)
		strcpy(f->title[f->nr_titles++], v->title);
}

static inline void emit(struct fixture *f, uint8_t type, struct sf_event ev)
{
	ev.type = type;
	ev.op = f->op;
	ON_EMIT(f, &ev);
#ifdef FIXTURE_BOOTS
	sf_boots_event(f->j, &ev);
#else
	sf_judge_event(f->j, &ev);
#endif
}

#define EMIT(f, TYPE, member, ...) \
	emit(f, SF_EV_##TYPE, (struct sf_event){ .member = { __VA_ARGS__ } })

static inline uint64_t at(uint64_t pfn)
{
	return SF_DIRECT_MAP + (pfn << SF_PAGE_SHIFT);
}

static inline struct fixture *fixture_alloc(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	sf_settings_init(&f->set);
	f->caps = CAPS;
	return f;
}

/* Nothing is wrong so far. */
static inline void assert_no_title(const struct fixture *f)
{
	assert_string_equal(f->nr_titles ? f->title[0] : "", "");
}

#ifdef FIXTURE_BOOTS

static inline struct fixture *fixture_open(void)
{
	struct fixture *f = fixture_alloc();
	struct sf_judge_options opt = { .violation = record, .ctx = f };

	f->j = sf_boots_create(&opt);
	return f;
}

static inline void fixture_close(struct fixture *f)
{
	sf_boots_destroy(f->j);
	free(f);
}

#else

struct stream {
	enum sf_invariant inv;
	void (*run)(struct fixture *f);
	const char *title; /* NULL: nothing is wrong */
	void (*mode)(struct fixture *f); /* settings, capabilities; NULL: as they are */
};

/* STREAM(MEM, 9, run, "title without its id"), STREAM_IN(mode, …): rows of a table. */
#define STREAM(family, nr, run, title) STREAM_IN(NULL, family, nr, run, title)
#define STREAM_IN(mode, family, nr, run, title) \
	{ SF_INV_##family##_##nr, run, #family "-" #nr ": " title, mode }

static void heap(struct fixture *f);

/* A judge of `only` (0: of all) on a heap with what `mode` changes; fixture_close() ends it. */
static inline struct fixture *fixture_open(sf_invariant_set only, void (*mode)(struct fixture *f))
{
	struct fixture *f = fixture_alloc();
	struct sf_judge_options opt = { .only = only, .violation = record, .ctx = f };

	if (mode)
		mode(f);
	f->j = sf_judge_create(&opt);
	heap(f);
	return f;
}

static inline void fixture_close(struct fixture *f)
{
	sf_judge_destroy(f->j);
	free(f);
}

static inline struct fixture *play(const struct stream *s, sf_invariant_set only)
{
	struct fixture *f = fixture_open(only, s->mode);

	s->run(f);
	return f;
}

static inline bool has_its_title(const struct stream *s)
{
	struct fixture *f = play(s, sf_invariant_bit(s->inv));
	unsigned int want = s->title != NULL;
	bool good = f->nr_titles == want && (!want || !strcmp(f->title[0], s->title));

	if (!good)
		print_error("want \"%s\", got %u: \"%s\"\n", want ? s->title : "nothing",
			    f->nr_titles, f->title[0]);
	if (!sf_judge_counts(f->j)[s->inv].checked) {
		print_error("%s: nothing was judged\n", want ? s->title : "a clean stream");
		good = false;
	}
	for (unsigned int inv = 0; inv < SF_INV_COUNT; inv++)
		if (inv != (unsigned int)s->inv && sf_judge_counts(f->j)[inv].violations) {
			print_error("%s: another invariant's violation\n", sf_invariants[inv].id);
			good = false;
		}
	fixture_close(f);
	return good;
}

static inline void check_streams(const struct stream *streams, size_t nr)
{
	unsigned int bad = 0;

	for (size_t i = 0; i < nr; i++) {
		if (has_its_title(&streams[i]))
			continue;
		print_error("... in stream %zu\n", i);
		bad++;
	}
	assert_int_equal(bad, 0);
}

/* Where the source lacks what they need, they judge nothing, and say so once. */
static inline void check_not_judged(const struct stream *streams, size_t nr, enum sf_invariant but,
				    void (*mode)(struct fixture *f))
{
	for (size_t i = 0; i < nr; i++) {
		struct stream s = streams[i];
		struct fixture *f;

		if (s.inv == but)
			continue;
		s.mode = mode;
		f = play(&s, sf_invariant_bit(s.inv));
		assert_int_equal(f->nr_titles, 0);
		assert_int_equal(sf_judge_counts(f->j)[s.inv].checked, 0);
		assert_int_equal(sf_judge_counts(f->j)[s.inv].skipped, 1);
		assert_non_null(sf_judge_counts(f->j)[s.inv].reason);
		fixture_close(f);
	}
}

#endif /* FIXTURE_BOOTS */
#endif
