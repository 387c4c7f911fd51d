// SPDX-License-Identifier: MIT
/*
 * test_boots.c - the judge of many boots on boots made by hand: what is random raises nothing,
 * whatever the seed; each way of not being random raises its title.
 */
#define FIXTURE_BOOTS
#define FIXTURE_MEMBERS uint64_t rng;

#include "event_fixture.h"

#include <math.h>

#define BOOTS 512u
#define OBJECTS 16u
#define LARGE 10u /* blocks of the largest order */

/* What is wrong with a set of boots. */
struct how {
	const char *name;
	const char *title; /* NULL: nothing may be raised */
	uint64_t caps;
	enum sf_invariant inv;
	bool same_seed, skewed, one_of_8, changes, type_moves;
	bool same_secret;
	bool same_order, ascending, same_start;
	bool one_end, same_blocks, small_moves;
};

static uint64_t draw(struct fixture *f)
{
	uint64_t z = f->rng += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static void object(struct fixture *f, uint32_t site, uint16_t type, uint8_t partition)
{
	EMIT(f, ALLOC, alloc, .status = SF_OK, .site = site, .type = type,
	     .place = { .kind = SF_PLACE_SLAB, .cache = 0, .partition = partition });
}

static void partitions(struct fixture *f, const struct how *h, unsigned int boot)
{
	uint8_t p = (uint8_t)(draw(f) % (h->one_of_8 ? 8 : 16));

	if (h->skewed && draw(f) % 4 == 0)
		p = 3;
	object(f, 7, 0, p);
	object(f, 7, 0, h->changes && boot == 300 ? p ^ 1 : p);
	if (h->caps & SF_CAP_TYPED)
		object(f, 7, 5, h->type_moves && boot == 400 ? 2 : 9);
}

static void shuffle(struct fixture *f, uint16_t *a, unsigned int n)
{
	for (unsigned int i = n; i-- > 1;) {
		unsigned int k = (unsigned int)(draw(f) % (i + 1));
		uint16_t t = a[k];

		a[k] = a[i];
		a[i] = t;
	}
}

static void orders(struct fixture *f, const struct how *h)
{
	static const uint16_t fixed[OBJECTS] = { 5, 0, 9, 12, 2,  7, 15, 1,
						 8, 3, 4, 14, 11, 6, 13, 10 };
	uint16_t order[OBJECTS], turned[OBJECTS];

	for (uint16_t i = 0; i < OBJECTS; i++)
		order[i] = h->same_order ? fixed[i] : i;
	if (!h->same_order && !h->ascending)
		shuffle(f, order, OBJECTS);
	for (unsigned int slab = 0; slab < 3; slab++) {
		unsigned int start = h->same_start ? 0 : (unsigned int)(draw(f) % OBJECTS);

		for (unsigned int i = 0; i < OBJECTS; i++)
			turned[i] = order[(start + i) % OBJECTS];
		EMIT(f, SLAB_ORDER, slaborder, .cache = 0, .objects = OBJECTS, .index = turned);
	}
}

static void blocks(struct fixture *f, const struct how *h, unsigned int boot)
{
	uint16_t pfn[LARGE];

	for (uint16_t i = 0; i < LARGE; i++)
		pfn[i] = i;
	if (!h->same_blocks)
		shuffle(f, pfn, LARGE);
	EMIT(f, PAGE_ALLOC, page, .pfn = 1024 * (draw(f) % 16) +
	     (h->small_moves && boot == 200 ? 17 : 16));
	for (unsigned int i = 0; i < LARGE; i++)
		EMIT(f, PAGE_ALLOC, page, .pfn = 1024u * pfn[i], .order = SF_NR_ORDERS - 1);
	for (unsigned int i = 0; i < LARGE; i++)
		EMIT(f, BLOCK_ADD, block, .pfn = 1024u * pfn[i], .order = SF_NR_ORDERS - 1,
		     .tail = !h->one_end && draw(f) & 1);
}

static void boot(struct fixture *f, const struct how *h, unsigned int nr)
{
	uint64_t seed = draw(f), secret = draw(f);

	if (h->same_seed && (nr == 100 || nr == 500))
		seed = 42;
	EMIT(f, HEAP, heap, .allocator = "test", .caps = h->caps, .settings = &f->set,
	     .partition_seed = seed);
	EMIT(f, CACHE, cache, .id = 0, .kind = SF_CACHE_KMALLOC,
	     .secret = h->same_secret ? 99 : secret);
	partitions(f, h, nr);
	orders(f, h);
	blocks(f, h, nr);
}

static struct fixture *run(const struct how *h, unsigned int boots, uint64_t rng)
{
	struct fixture *f = fixture_open();

	f->set.freelist_random = f->set.freelist_hardened = f->set.shuffle = 1;
	f->rng = rng;
	for (unsigned int i = 0; i < boots; i++)
		boot(f, h, i);
	sf_boots_finish(f->j);
	return f;
}

static void test_random_boots_raise_nothing(void **state)
{
	static const struct how right = { .caps = SF_CAP_RANDOM };
	static const enum sf_invariant judged[] = { SF_INV_ISO_10, SF_INV_ISO_11, SF_INV_MEM_15,
						    SF_INV_MEM_16, SF_INV_SHF_2 };

	(void)state;
	for (uint64_t rng = 1; rng <= 200; rng++) {
		struct fixture *f = run(&right, BOOTS, rng << 32);

		if (f->nr_titles)
			fail_msg("seed %d: %s", (int)rng, f->title[0]);
		for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++)
			assert_true(sf_boots_counts(f->j)[judged[i]].checked > 0);
		fixture_close(f);
	}
}

static void test_what_is_not_random(void **state)
{
	static const struct how wrong[] = {
		{ "seed", "ISO-11: two boots have the same seed", SF_CAP_RANDOM, SF_INV_ISO_11,
		  .same_seed = true },
		{ "skewed",
		  "ISO-10: partitions of a call site are not uniform over boots",
		  SF_CAP_RANDOM, SF_INV_ISO_10, .skewed = true },
		{ "eight of them",
		  "ISO-10: partitions of a call site are not uniform over boots",
		  SF_CAP_RANDOM, SF_INV_ISO_10, .one_of_8 = true },
		{ "changes", "ISO-11: the seed changes while the kernel runs",
		  SF_CAP_RANDOM, SF_INV_ISO_11, .changes = true },
		{ "type", "ISO-9: a type has another partition in another boot",
		  SF_CAP_TYPED, SF_INV_ISO_9, .type_moves = true },
		{ "secret", "MEM-15: a cache has the same secret in another boot",
		  SF_CAP_TYPED, SF_INV_MEM_15, .same_secret = true },
		{ "order", "MEM-16: orders of free lists are not random",
		  SF_CAP_TYPED, SF_INV_MEM_16, .same_order = true },
		{ "ascending", "MEM-16: orders of free lists are not random",
		  SF_CAP_TYPED, SF_INV_MEM_16, .ascending = true },
		{ "start",
		  "MEM-16: fresh slabs do not begin at a random place of their order",
		  SF_CAP_TYPED, SF_INV_MEM_16, .same_start = true },
		{ "end", "SHF-2: the largest blocks prefer one end of their list",
		  SF_CAP_TYPED, SF_INV_SHF_2, .one_end = true },
		{ "blocks",
		  "SHF-2: the largest blocks come in the same order in many boots",
		  SF_CAP_TYPED, SF_INV_SHF_2, .same_blocks = true },
		{ "small", "SHF-2: pages of a small block come in another order",
		  SF_CAP_TYPED, SF_INV_SHF_2, .small_moves = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fixture *f = run(&wrong[i], BOOTS, 7);

		if (f->nr_titles != 1 || strcmp(f->title[0], wrong[i].title) != 0)
			fail_msg("%s: %u raised, %s", wrong[i].name, f->nr_titles, f->title[0]);
		assert_true(sf_boots_counts(f->j)[wrong[i].inv].violations > 0);
		fixture_close(f);
	}
}

static void test_few_boots_are_not_judged(void **state)
{
	static const struct how skewed = { .caps = SF_CAP_RANDOM, .skewed = true,
					   .one_end = true };
	struct fixture *f = run(&skewed, 20, 3);
	const struct sf_oracle_count *count = sf_boots_counts(f->j);

	(void)state;
	assert_int_equal(f->nr_titles, 0);
	assert_int_equal(count[SF_INV_ISO_10].skipped, 1);
	assert_string_equal(count[SF_INV_ISO_10].reason, "too few boots");
	assert_int_equal(count[SF_INV_MEM_16].skipped, 2);
	assert_string_equal(count[SF_INV_ISO_9].reason, "the allocator lacks 'typed'");
	fixture_close(f);
}

/* P(chi-squared of k degrees of freedom > x), from the density by Simpson's rule. */
static double tail(double x, double k, double to)
{
	const int n = 20000;
	double h = (to - x) / n, sum = 0;

	for (int i = 0; i <= n; i++) {
		double y = x + i * h;
		double f = y > 0 ? exp((k / 2 - 1) * log(y) - y / 2 - k / 2 * log(2) -
				       lgamma(k / 2)) : 0;

		sum += f * (i == 0 || i == n ? 1 : i % 2 ? 4 : 2);
	}
	return sum * h / 3;
}

/* The limits that boots.h states are those of 1e-7, half of it at each end. */
static void test_limits(void **state)
{
	static const struct {
		double k, low, high;
	} rows[] = { { 15, 0.796, 64.055 }, { 14, 0.637, 62.104 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double p = tail(0, rows[i].k, rows[i].low) +
			   tail(rows[i].high, rows[i].k, rows[i].high + 200);

		assert_true(p < 1.01e-7 && p > 0.95e-7);
		/* Nine call sites are judged in one call. */
		assert_true(9 * p < 1e-6);
	}
	assert_true(erfc(4.9 / sqrt(2)) < 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_boots_raise_nothing),
		cmocka_unit_test(test_what_is_not_random),
		cmocka_unit_test(test_few_boots_are_not_judged),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
