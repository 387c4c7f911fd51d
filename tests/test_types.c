// SPDX-License-Identifier: MIT
/*
 * test_types.c - the type table: look-ups, layout, flexible arrays and their counters. Relies on
 * types.c; what clang makes of the types is test_token.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../harness/program/types.h"

static const struct sf_type *type_named(const char *name)
{
	return sf_type_by_name(name, strlen(name));
}

static void test_lookup(void **state)
{
	(void)state;
	assert_true(sf_type_count >= 72 && sf_type_count <= UINT16_MAX);
	assert_null(type_named(""));
	assert_null(type_named("cred"));
	assert_null(type_named("struct cre"));
	assert_null(type_named("struct credx"));
	assert_null(type_named("struct  cred"));
	assert_null(sf_type_by_name("u8 ", 3));
	assert_ptr_equal(sf_type_by_name("u8 ", 2), type_named("u8"));
	assert_int_equal(sf_type_index(NULL), 0);
	for (uint32_t i = 1; i < sf_type_count; i++) {
		const struct sf_type *t = &sf_types[i];

		/* Its name alone finds it, so all names differ. */
		assert_int_equal(sf_type_index(type_named(t->name)), i);
		assert_true(t->size > 0 && t->align > 0 && !(t->align & (t->align - 1)));
		assert_int_equal(t->size % t->align, 0);
		/* Text ends a type at the first comma or parenthesis that is not nested. */
		assert_null(strpbrk(t->name, ",)#\""));
	}
}

/* Numbers are in saved inputs: the first, one in the middle, and the last when this was written. */
static void test_numbers_are_permanent(void **state)
{
	(void)state;
	assert_string_equal(sf_types[1].name, "char");
	assert_string_equal(sf_types[11].name, "u64");
	assert_string_equal(sf_types[42].name, "struct cred");
	assert_string_equal(sf_types[70].name, "struct posix_acl");
	assert_string_equal(sf_types[108].name, "struct odd_size");
	assert_string_equal(sf_types[109].name, "struct devres");
	assert_string_equal(sf_types[114].name, "struct atomic_link");
}

/* The kernel's own: u64 is unsigned long long whatever the machine's uint64_t is. */
static void test_layout(void **state)
{
	static const struct {
		const char *name;
		uint32_t size, flex_elem, flex_offset, counter, counter_offset;
	} want[] = {
		{ "u64", 8, 0, 0, 0, 0 },
		{ "bool", 1, 0, 0, 0, 0 },
		{ "struct list_head", 16, 0, 0, 0, 0 },
		{ "void *[4]", 32, 0, 0, 0, 0 },
		{ "struct io_vector[8]", 128, 0, 0, 0, 0 },
		{ "struct ether_header", 14, 0, 0, 0, 0 },
		{ "struct packed_pointer", 9, 0, 0, 0, 0 },
		{ "struct just_over_page", 4104, 0, 0, 0, 0 },
		{ "struct external_name", 16, 1, 16, 0, 0 },
		{ "struct bitmap", 8, 8, 8, 0, 0 },
		{ "struct short_label", 1, 1, 1, 1, 0 },
		{ "struct key_payload", 2, 1, 2, 2, 0 },
		{ "struct fdtable", 32, 8, 32, 4, 0 },
		{ "struct io_batch", 8, 16, 8, 8, 0 },
		{ "struct scatter_table", 24, 24, 24, 1, 16 },
		{ "struct sample_ring", 24, 8, 24, 8, 16 },
		{ "struct posix_acl", 8, 8, 8, 4, 4 },
		{ "struct dma_ring", 64, 8, 16, 4, 8 },
		{ "struct message_log", 8, 304, 8, 1, 1 },
		{ "struct route_table", 8, 16, 8, 2, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct sf_type *t = type_named(want[i].name);

		assert_non_null(t);
		assert_int_equal(t->size, want[i].size);
		assert_int_equal(t->flex_elem, want[i].flex_elem);
		assert_int_equal(t->flex_offset, want[i].flex_offset);
		assert_int_equal(t->counter, want[i].counter);
		assert_int_equal(t->counter_offset, want[i].counter_offset);
	}
	assert_string_equal(type_named("u64")->canonical, "unsigned long long");
}

/* There is something of each sort, or what is tested with types is tested with few. */
static void test_variety(void **state)
{
	uint32_t pointer = 0, data = 0, flex = 0, counted = 0, flex_pointer = 0;

	(void)state;
	for (uint32_t i = 1; i < sf_type_count; i++) {
		const struct sf_type *t = &sf_types[i];

		pointer += t->pointer;
		data += !t->pointer;
		flex += t->flex_elem != 0;
		counted += t->counter != 0;
		flex_pointer += t->flex_elem && t->pointer;
		assert_true(!t->counter || t->flex_elem);
		assert_true(t->counter_offset + t->counter <= t->size);
	}
	assert_true(pointer >= 30 && data >= 30);
	assert_true(flex >= 10 && counted >= 5 && flex - counted >= 4 && flex_pointer >= 4);
}

/* drivers/base/devres.c, drivers/base/base.h: what lies in front of memory of a device. */
static void test_devres(void **state)
{
	const struct sf_type *t = type_named("struct devres");

	(void)state;
	assert_non_null(t);
	assert_int_equal(t->size, 56);
	assert_int_equal(t->flex_offset, 56);
	assert_int_equal(t->flex_elem, 1);
	assert_true(t->pointer && t->align == 8 && !t->counter);
}

/* There are types that ask for more than a size class promises. */
static void test_alignments(void **state)
{
	(void)state;
	assert_int_equal(type_named("struct dma_ring")->align, 64);
	assert_int_equal(type_named("struct percpu_slot")->align, 64);
	assert_int_equal(type_named("struct ether_header")->align, 1);
	assert_int_equal(type_named("struct one_byte")->align, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_numbers_are_permanent),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_variety),
		cmocka_unit_test(test_devres),
		cmocka_unit_test(test_alignments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
