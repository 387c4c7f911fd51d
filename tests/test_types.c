// SPDX-License-Identifier: MIT
/*
 * test_types.c - the type table: look-ups, flexible arrays, and, where clang knows allocation
 * tokens, that its pointer column and canonical names are what clang itself infers.
 *
 * Relies on types.c. clang compiles a generated program that includes harness/type_defs.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../harness/types.h"

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
}

/* The kernel's own: u64 is unsigned long long whatever the machine's uint64_t is. */
static void test_layout(void **state)
{
	static const struct {
		const char *name;
		uint32_t size, flex_elem, flex_offset, counter;
	} want[] = {
		{ "u64", 8, 0, 0, 0 },
		{ "bool", 1, 0, 0, 0 },
		{ "struct list_head", 16, 0, 0, 0 },
		{ "void *[4]", 32, 0, 0, 0 },
		{ "struct io_vector[8]", 128, 0, 0, 0 },
		{ "struct ether_header", 14, 0, 0, 0 },
		{ "struct packed_pointer", 9, 0, 0, 0 },
		{ "struct just_over_page", 4104, 0, 0, 0 },
		{ "struct external_name", 16, 1, 16, 0 },
		{ "struct bitmap", 8, 8, 8, 0 },
		{ "struct short_label", 1, 1, 1, 1 },
		{ "struct key_payload", 2, 1, 2, 2 },
		{ "struct fdtable", 32, 8, 32, 4 },
		{ "struct io_batch", 8, 16, 8, 8 },
		{ "struct scatter_table", 24, 24, 24, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct sf_type *t = type_named(want[i].name);

		assert_non_null(t);
		assert_int_equal(t->size, want[i].size);
		assert_int_equal(t->flex_elem, want[i].flex_elem);
		assert_int_equal(t->flex_offset, want[i].flex_offset);
		assert_int_equal(t->counter, want[i].counter);
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
	}
	assert_true(pointer >= 30 && data >= 30);
	assert_true(flex >= 10 && counted >= 5 && flex - counted >= 4 && flex_pointer >= 4);
}

static uint64_t rotate(uint64_t v, unsigned int by)
{
	return v << by | v >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-2-4 with the key that clang hashes type names with. */
static uint64_t name_hash(const char *s)
{
	uint64_t k0 = 0x794a1079ebc9d4b5ull, k1 = 0xd48187421b8bec6full;
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575ull, k1 ^ 0x646f72616e646f6dull,
			  k0 ^ 0x6c7967656e657261ull, k1 ^ 0x7465646279746573ull };
	size_t len = strlen(s);

	for (size_t at = 0;; at += 8) {
		uint64_t m = 0;

		for (size_t i = 0; i < 8 && at + i < len; i++)
			m |= (uint64_t)(unsigned char)s[at + i] << 8 * i;
		if (at + 8 > len)
			m |= (uint64_t)len << 56;
		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
		if (at + 8 > len)
			break;
	}
	v[2] ^= 0xff;
	for (unsigned int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The half by the pointer column, the rest by the name: clang's rule for 16 tokens. */
static unsigned int expected_token(const struct sf_type *t)
{
	return (unsigned int)(name_hash(t->canonical) % 8) + (t->pointer ? 8 : 0);
}

/* Known answers: what clang 22 gave, so that the rule is judged even where there is no clang. */
static void test_token_rule(void **state)
{
	static const struct {
		const char *name;
		unsigned int token;
	} known[] = {
		{ "char", 4 }, { "u8", 0 }, { "short", 7 }, { "u16", 1 }, { "int", 2 },
		{ "u32", 1 },
		{ "long", 6 }, { "u64", 4 }, { "bool", 5 }, { "double", 0 }, { "uintptr_t", 14 },
		{ "void *", 11 }, { "void *[4]", 14 }, { "char[64]", 7 }, { "char[32]", 0 },
		{ "int[10]", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(expected_token(type_named(known[i].name)), known[i].token);
}

static void write_source(const char *path, const char *header)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "#include <stdio.h>\n#include \"%s\"\nint main(void)\n{\n", header);
	for (uint32_t i = 1; i < sf_type_count; i++)
		fprintf(f, "\tprintf(\"%u %%llu\\n\", (unsigned long long)"
			"__builtin_infer_alloc_token(sizeof(%s)));\n", i, sf_types[i].name);
	fprintf(f, "\treturn 0;\n}\n");
	assert_int_equal(fclose(f), 0);
}

/* A clang with allocation tokens, or NULL. */
static const char *find_clang(void)
{
	static const char *const names[] = { "clang-22", "clang-23", "clang-24", "clang" };
	char command[200];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(command, sizeof(command),
			 "echo 'int x = __builtin_infer_alloc_token(sizeof(int));"
			 "int main(void) { return 0; }' | %s -falloc-token-max=16 -fsyntax-only "
			 "-x c - >/dev/null 2>&1", names[i]);
		if (!system(command))
			return names[i];
	}
	return NULL;
}

/* This file's folder's sibling; tests run in the source tree or are told an absolute __FILE__. */
static bool find_header(char *path)
{
	const char *slash = strrchr(__FILE__, '/');
	char relative[1000];

	snprintf(relative, sizeof(relative), "%.*s/../harness/type_defs.h",
		 slash ? (int)(slash - __FILE__) : 1, slash ? __FILE__ : ".");
	return realpath(relative, path) != NULL;
}

static void test_clang_agrees(void **state)
{
	char dir[] = "/tmp/slabfuzz-types-XXXXXX", header[4096], source[64], program[64];
	char command[400];
	const char *clang = find_clang();
	uint32_t seen = 0, i;
	unsigned long long token;
	FILE *f;

	(void)state;
	if (!clang || !find_header(header)) {
		print_message("skipped: %u types not compared with clang: no %s\n",
			      sf_type_count - 1, clang ? "harness/type_defs.h here" :
			      "clang with allocation tokens (clang-22)");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	snprintf(source, sizeof(source), "%s/types.c", dir);
	snprintf(program, sizeof(program), "%s/types", dir);
	write_source(source, header);
	snprintf(command, sizeof(command), "%s -falloc-token-max=16 -o %s %s", clang, program,
		 source);
	assert_int_equal(system(command), 0);
	f = popen(program, "r");
	assert_non_null(f);
	while (fscanf(f, "%u %llu", &i, &token) == 2) {
		assert_int_equal(i, ++seen);
		if (sf_types[i].pointer != (token >= 8) || token != expected_token(&sf_types[i]))
			fail_msg("%s (canonical \"%s\", pointer %d): clang says %llu, not %u",
				 sf_types[i].name, sf_types[i].canonical, sf_types[i].pointer,
				 token, expected_token(&sf_types[i]));
	}
	assert_int_equal(pclose(f), 0);
	assert_int_equal(seen, sf_type_count - 1);
	unlink(source);
	unlink(program);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_numbers_are_permanent),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_variety),
		cmocka_unit_test(test_token_rule),
		cmocka_unit_test(test_clang_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
