// SPDX-License-Identifier: MIT
/*
 * test_tally.c - figures of hand-made trials: chances and their intervals, bits, spreads, and the
 * names that claims use; programs of scenarios.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/measure/tally.h"

#define BIT(outcome) (1u << SF_OUTCOME_##outcome)

enum { TRIALS = 100, STARTS = 8 };

static bool near(double a, double b)
{
	return fabs(a - b) < 0.00005;
}

/* Against tables of Wilson's interval. */
static void test_intervals(void **state)
{
	struct sf_chance c = sf_chance(0, 0);

	(void)state;
	assert_true(c.low == 0 && c.high == 1 && !c.n);
	c = sf_chance(0, 10);
	assert_true(c.low == 0 && near(c.high, 0.27753));
	c = sf_chance(10, 10);
	assert_true(c.high == 1 && near(c.low, 0.72247));
	c = sf_chance(50, 100);
	assert_true(near(c.low, 0.40383) && near(c.high, 0.59617) && c.share == 0.5);
	c = sf_chance(1, 64);
	assert_true(near(c.low, 0.00276) && near(c.high, 0.08334));
}

static void put(struct sf_tally *t, enum sf_scenario what, uint32_t i, uint32_t outcome,
		uint32_t after)
{
	const struct sf_trial it = { .ran = true, .what = outcome, .after = after };

	sf_tally_add(t, what, i, &it);
}

static struct sf_chance chance(const struct sf_tally *t, const char *subject, const char *measure,
			       uint32_t least)
{
	struct sf_figure f;

	assert_true(sf_figure_find(subject, measure, &f));
	return sf_tally_chance(t, &f, least);
}

static void test_names(void **state)
{
	struct sf_figure f, g;
	uint32_t nr = 0;

	(void)state;
	for (; sf_figure_at(nr, &f); nr++) {
		assert_true(f.subject[0] && f.measure[0]);
		assert_true(sf_figure_find(f.subject, f.measure, &g));
		assert_memory_equal(&f, &g, sizeof(f));
	}
	assert_int_equal(nr, 9 * 10 + 8);
	assert_true(sf_figure_find("reuse", NULL, &f));
	assert_string_equal(f.measure, "after");
	assert_false(sf_figure_find("cross-cache", NULL, &f)); /* of models alone */
	assert_false(sf_figure_find("overflow", "seen", &f));
	assert_false(sf_figure_find("overflo", NULL, &f));
}

static void test_counts(void **state)
{
	struct sf_tally t;
	struct sf_spread s;

	(void)state;
	sf_tally_init(&t, TRIALS, STARTS);
	assert_int_equal(chance(&t, "overflow", "noticed", 0).n, 0);
	assert_int_equal(sf_tally_left_out(&t, SF_SCENARIO_OVERFLOW), TRIALS);
	assert_false(sf_tally_after(&t, SF_SCENARIO_OVERFLOW, 0, &s));
	for (uint32_t i = 0; i < 80; i++)
		put(&t, SF_SCENARIO_OVERFLOW, i, i < 10 ? BIT(AT_ONCE) | BIT(OBJECT) :
		    i < 30 ? BIT(LATER) : 0, i);
	put(&t, SF_SCENARIO_OVERFLOW, TRIALS, BIT(DIED), 1); /* there is no such trial */
	assert_int_equal(sf_tally_left_out(&t, SF_SCENARIO_OVERFLOW), 20);
	assert_int_equal(chance(&t, "overflow", "noticed", 0).hits, 30);
	assert_int_equal(chance(&t, "overflow", "noticed", 0).n, 80);
	assert_int_equal(chance(&t, "overflow", "noticed-at-once", 0).hits, 10);
	assert_int_equal(chance(&t, "overflow", "noticed-later", 0).hits, 20);
	assert_int_equal(chance(&t, "overflow", "reaches-other-object", 0).hits, 10);
	assert_int_equal(chance(&t, "overflow", "crashes", 0).hits, 0);
	assert_int_equal(chance(&t, "overflow", "nothing", 0).hits, 50);
	assert_true(sf_tally_after(&t, SF_SCENARIO_OVERFLOW, BIT(LATER), &s));
	assert_true(s.least == 10 && s.median == 20 && s.most == 29);
	sf_tally_free(&t);
}

/* Noticed by the free that follows, and not because of another object. */
static void test_features(void **state)
{
	struct sf_tally t;

	(void)state;
	sf_tally_init(&t, TRIALS, STARTS);
	put(&t, SF_SCENARIO_EDGE, 0, BIT(LATER), 1);
	put(&t, SF_SCENARIO_EDGE, 1, BIT(LATER), 2);
	put(&t, SF_SCENARIO_EDGE, 2, BIT(LATER) | BIT(OBJECT), 1);
	put(&t, SF_SCENARIO_EDGE, 3, BIT(AT_ONCE), 0);
	assert_int_equal(chance(&t, "canary", "seen", 0).hits, 1);
	assert_int_equal(chance(&t, "canary", "seen", 0).n, 4);
	put(&t, SF_SCENARIO_LOOK, 0, BIT(ZEROED), 0);
	put(&t, SF_SCENARIO_LOOK, 1, BIT(FILLED) | BIT(OWN), 0);
	assert_int_equal(chance(&t, "zeroing", "seen", 0).hits, 1);
	assert_int_equal(chance(&t, "filling", "seen", 0).hits, 1);
	for (uint32_t i = 0; i < 3; i++)
		put(&t, SF_SCENARIO_REUSE, i, 0, i ? 64 * i : SF_NEVER);
	assert_int_equal(chance(&t, "reuse", "after", 64).hits, 3);
	assert_int_equal(chance(&t, "reuse", "after", 65).hits, 2);
	assert_int_equal(chance(&t, "reuse", "after", SF_NEVER).hits, 1);
	sf_tally_free(&t);
}

static void test_addresses(void **state)
{
	struct sf_tally t;
	struct sf_chance c;
	struct sf_bits b;

	(void)state;
	sf_tally_init(&t, TRIALS, STARTS);
	for (uint32_t i = 0; i < STARTS; i++) {
		const struct sf_trial it = { .ran = true, .first = 0x1000 + i * 0x100ull,
					     .next = i < 6 ? 64 : 128 };

		sf_tally_add(&t, SF_SCENARIO_PLACE, i, &it);
	}
	c = chance(&t, "next-address", "bits", 0);
	assert_true(c.hits == 6 && c.n == STARTS);
	b = sf_bits(&c);
	assert_true(near(b.bits, 0.41504) && b.low < b.bits && b.bits < b.high);
	c = chance(&t, "first-address", "bits", 0);
	assert_true(c.hits == 1 && c.n == STARTS);
	assert_true(near(sf_bits(&c).bits, 3));
	assert_int_equal(sf_tally_varying(&t), 3);
	c = sf_chance(0, 0);
	assert_true(sf_bits(&c).low == 0 && isinf(sf_bits(&c).high));
	c = sf_chance(8, 8);
	assert_true(!signbit(sf_bits(&c).bits) && !signbit(sf_bits(&c).low));
	sf_tally_free(&t);
}

/* Valid as they are: they cross to a worker in bytes. The mistake is where it is said to be. */
static void test_scenes(void **state)
{
	struct sf_scene_options opt = { .caps = UINT64_MAX, .bytes = 64, .seed = 1, .goes_on = true,
					.edge = { 24, 56, 120, 248 } };
	struct sf_scene *s;
	struct sf_prog p, again;

	(void)state;
	sf_settings_init(&opt.settings);
	opt.settings.misuse = 1;
	s = sf_scene_create(&opt);
	sf_prog_init(&p);
	sf_prog_init(&again);
	for (unsigned int what = 0; what < SF_SCENARIO_COUNT; what++) {
		for (uint32_t trial = 0; trial < 5; trial++) {
			uint32_t at = sf_scene_build(s, what, trial, &p);

			assert_true(at < p.nr_ops);
			assert_int_equal(sf_scene_build(s, what, trial, &again), at);
			assert_true(sf_prog_equal(&p, &again));
			assert_int_equal(sf_prog_fixup(&again), 0);
			assert_true(sf_prog_equal(&p, &again));
			if (what != SF_SCENARIO_REUSE && what != SF_SCENARIO_PLACE)
				assert_true(sf_op_table[p.ops[at].code].flags & SF_OPF_MISUSE);
		}
	}
	sf_prog_free(&p);
	sf_prog_free(&again);
	sf_scene_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_scenes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
