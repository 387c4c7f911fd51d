// SPDX-License-Identifier: MIT
/*
 * test_base.c - the containers of allocators/base/, against plain arrays; and the numbers that they
 * must give for ever: names of files and generated programs are made with them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../allocators/base/hash_map.h"
#include "../allocators/base/rng.h"

enum { KEYS = 700 };

/* Some keys collide in small maps, some lie side by side, one is 0. */
static uint64_t key_of(uint32_t i)
{
	return i % 3 ? (uint64_t)i << (i % 29) : i;
}

static bool is_unique(uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (key_of(k) == key_of(i))
			return false;
	return true;
}

static void assert_map(const struct sf_map *m, const uint32_t *value, const bool *unique)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < KEYS; i++) {
		if (!unique[i])
			continue;
		assert_int_equal(sf_map_get(m, key_of(i)), value[i]);
		nr += value[i] != SF_MAP_NONE;
	}
	assert_int_equal(m->nr, nr);
}

static void test_map(void **state)
{
	static uint32_t value[KEYS];
	static bool unique[KEYS];
	struct sf_map m = { 0 };
	struct sf_rng rng;
	uint32_t dropped = 0;

	(void)state;
	sf_rng_seed(&rng, 7);
	for (uint32_t i = 0; i < KEYS; i++) {
		value[i] = SF_MAP_NONE;
		unique[i] = is_unique(i);
	}
	assert_map(&m, value, unique);
	for (uint32_t step = 0; step < 40000; step++) {
		uint32_t i = (uint32_t)sf_rng_below(&rng, KEYS);

		if (!unique[i])
			continue;
		if (sf_rng_below(&rng, step / 4000 % 2 ? 4 : 2)) {
			sf_map_put(&m, key_of(i), step);
			value[i] = step;
		} else {
			assert_int_equal(sf_map_del(&m, key_of(i)), value[i] != SF_MAP_NONE);
			dropped += value[i] != SF_MAP_NONE;
			value[i] = SF_MAP_NONE;
		}
		if (step % 7919 == 0) {
			sf_map_clear(&m);
			for (uint32_t k = 0; k < KEYS; k++)
				value[k] = SF_MAP_NONE;
		}
		if (step % 97 == 0)
			assert_map(&m, value, unique);
	}
	assert_true(dropped > 1000);
	sf_map_free(&m);
	assert_int_equal(sf_map_get(&m, 1), SF_MAP_NONE);
	assert_int_equal(sf_map_bytes(&m), 0);
}

/* What was in the map 2^32 clearings ago is not in it now. */
static void test_map_epochs(void **state)
{
	struct sf_map m = { 0 };

	(void)state;
	sf_map_put(&m, 5, 50);
	sf_map_clear(&m);
	m.epoch = UINT32_MAX;
	sf_map_put(&m, 6, 60);
	sf_map_clear(&m);
	assert_int_equal(m.epoch, 1);
	assert_int_equal(sf_map_get(&m, 5), SF_MAP_NONE);
	assert_int_equal(sf_map_get(&m, 6), SF_MAP_NONE);
	sf_map_put(&m, 5, 51);
	assert_int_equal(sf_map_get(&m, 5), 51);
	sf_map_free(&m);
}

static void test_grow(void **state)
{
	size_t cap = 0;
	uint16_t *a = sf_grow_zeroed(NULL, &cap, 3, sizeof(*a));
	uint32_t nr = 16, room = 16;
	uint64_t *b = sf_zalloc(nr, sizeof(*b));

	(void)state;
	assert_int_equal(cap, 64);
	for (size_t i = 0; i < cap; i++)
		a[i] = (uint16_t)(a[i] + i + 1);
	a = sf_grow_zeroed(a, &cap, 65, sizeof(*a));
	assert_int_equal(cap, 128);
	for (size_t i = 0; i < cap; i++)
		assert_int_equal(a[i], i < 64 ? i + 1 : 0);
	assert_ptr_equal(sf_grow_zeroed(a, &cap, 128, sizeof(*a)), a);
	SF_GROW(b, nr, room);
	assert_int_equal(room, 32);
	b[nr++] = 1;
	SF_GROW(b, nr, room);
	assert_int_equal(room, 32);
	free(a);
	free(b);
}

/* Crash files are named with the one, programs generated with the other. */
static void test_numbers_are_for_ever(void **state)
{
	struct sf_rng rng;

	(void)state;
	assert_true(sf_fnv1a_text("") == SF_FNV_START);
	assert_true(sf_fnv1a_text("foobar") == 0x85944171f73967e8ull);
	assert_true(sf_fnv1a(SF_FNV_START, "foobar", 6) == 0x85944171f73967e8ull);
	assert_true(sf_mix64(SF_GOLDEN) == 0xe220a8397b1dcdafull);
	sf_rng_seed(&rng, 0);
	assert_true(rng.s[0] == 0xe220a8397b1dcdafull);
	assert_true(rng.s[1] == (0x6e789e6aa1b965f4ull | 1));
	assert_true(sf_rng_next(&rng) == 0xe220a8397b1dcdafull + (0x6e789e6aa1b965f4ull | 1));
	assert_int_equal(sf_rng_below(&rng, 0), 0);
	assert_int_equal(sf_rng_below(&rng, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_map_epochs),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_numbers_are_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
