// SPDX-License-Identifier: MIT
/*
 * test_user_block.c - the blocks that other people's heaps live in: what is in a new one is the
 * same each time, whatever the last heap left in it, poisoned or leaked to its neighbours; writes
 * beside it are seen; blocks beyond all memory cost nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../allocators/user_block.h"

extern void __asan_poison_memory_region(const volatile void *p, size_t size)
	__attribute__((weak));
extern int __asan_address_is_poisoned(const volatile void *p) __attribute__((weak));

#define MIB (1ull << 20)

static uint64_t sum_of(const struct user_block *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < b->size; i++)
		sum = sum * 31 + b->start[i];
	return sum;
}

static void poison(const struct user_block *b, size_t at, size_t size)
{
	if (__asan_poison_memory_region)
		__asan_poison_memory_region(b->start + at, size);
}

static bool poisoned(const uint8_t *p)
{
	return __asan_address_is_poisoned && __asan_address_is_poisoned(p);
}

/* What a heap does to its block: its own data at the end, objects in the midst, poison about. */
static void use(struct user_block *b)
{
	memset(b->start + b->size / 3, 0x5a, b->size / 4);
	b->start[0] = 1;
	b->start[b->size - 1] = 2;
	poison(b, b->size / 3, b->size / 8 & ~(size_t)7);
}

static void test_same_each_time(void **state)
{
	static const struct {
		uint64_t size;
		uint32_t at;
	} blocks[] = {
		{ 100, 0 }, { 4096, 16 }, { 65536 + 24, 8 },
		{ MIB, 0 }, { 3 * MIB + 40, 40 }, { 64 * MIB, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct user_block b;
		uint64_t sum;

		assert_true(user_block_make(&b, blocks[i].size, blocks[i].at));
		assert_int_equal((uintptr_t)b.start % 4096, blocks[i].at);
		sum = sum_of(&b);
		assert_int_not_equal(b.start[0], 0);
		use(&b);
		user_block_renew(&b);
		assert_int_equal(sum_of(&b), sum);
		use(&b);
		user_block_drop(&b);
		assert_null(b.map);
		assert_true(user_block_make(&b, blocks[i].size, blocks[i].at));
		assert_int_equal(sum_of(&b), sum);
		assert_true(user_block_sound(&b));
		user_block_drop(&b);
	}
}

static void test_writes_beside_it(void **state)
{
	struct user_block b;

	(void)state;
	assert_true(user_block_make(&b, 1000, 512));
	assert_true(user_block_sound(&b));
	if (__asan_address_is_poisoned) {
		assert_true(poisoned(b.start + 1000));
		assert_true(poisoned(b.start - 1));
		user_block_drop(&b);
		return;
	}
	b.start[1000] ^= 1;
	assert_false(user_block_sound(&b));
	b.start[1000] ^= 1;
	b.start[-1] ^= 1;
	assert_false(user_block_sound(&b));
	user_block_drop(&b);
	/* The next heap is not blamed for it. */
	assert_true(user_block_make(&b, 1000, 512));
	assert_true(user_block_sound(&b));
	user_block_drop(&b);
}

/* More than are kept: the addresses of those that went are for others, who poisoned nothing. */
static void test_no_poison_is_left(void **state)
{
	struct user_block b[40];

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < 40; i++) {
			assert_true(user_block_make(&b[i], 3000 + 5000 * i + round, i));
			for (size_t at = 0; at < b[i].size; at += 97)
				assert_false(poisoned(b[i].start + at));
			poison(&b[i], 0, b[i].size);
		}
		for (unsigned int i = 0; i < 40; i++)
			user_block_drop(&b[i]);
	}
}

static void test_beyond_all_memory(void **state)
{
	struct user_block b;

	(void)state;
	assert_false(user_block_make(&b, 0, 0));
	assert_false(user_block_make(&b, UINT64_MAX / 2, 0));
	for (unsigned int shift = 30; shift < 44; shift++) {
		if (!user_block_make(&b, 1ull << shift, 0))
			continue;
		b.start[b.size / 2] = 1;
		poison(&b, b.size / 2 + 64, 4096);
		user_block_renew(&b);
		assert_int_equal(b.start[b.size / 2], 0);
		assert_false(poisoned(b.start + b.size / 2 + 64));
		user_block_drop(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_each_time),
		cmocka_unit_test(test_writes_beside_it),
		cmocka_unit_test(test_no_poison_is_left),
		cmocka_unit_test(test_beyond_all_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
