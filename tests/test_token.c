// SPDX-License-Identifier: MIT
/*
 * test_token.c - allocation tokens: what clang 22 gave once, and, where there is such a clang, what
 * it gives now for every type of the table, all 64 bits of it.
 *
 * Relies on token.c and types.c. clang compiles a generated program that includes
 * harness/program/type_defs.h.
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

#include "../harness/program/token.h"

static const struct sf_type *type_named(const char *name)
{
	return sf_type_by_name(name, strlen(name));
}

static uint64_t token_named(const char *name, uint64_t max)
{
	const struct sf_type *t = type_named(name);

	assert_non_null(t);
	return sf_token_of(t->canonical, t->pointer, max);
}

/* From clang 22.1.8 with -falloc-token-max=0, 16, 7 and 100. */
static void test_known_answers(void **state)
{
	static const struct {
		const char *name;
		uint64_t all;
		unsigned int of16, of7, of100;
	} known[] = {
		{ "char", 1538840549748785101u, 4, 2, 8 },
		{ "u8", 5988873160543934240u, 0, 2, 40 },
		{ "int", 2689373973731826898u, 2, 1, 48 },
		{ "u64", 5716397221604496188u, 4, 2, 38 },
		{ "uintptr_t", 17354139750442747133u, 14, 4, 76 },
		{ "void *", 12328930509377180626u, 11, 3, 69 },
		{ "void *[4]", 13795439992133993805u, 14, 5, 98 },
		{ "char[64]", 5336864468391173208u, 7, 1, 15 },
		{ "struct cred", 11790212800131865164u, 12, 3, 64 },
		{ "const struct cred", 15698269735855149396u, 13, 5, 89 },
		{ "struct list_head", 15737088554851104048u, 8, 3, 98 },
		{ "struct extent", 7563555723148376370u, 2, 0, 20 },
		{ "struct devres", 14568222925000486263u, 15, 3, 63 },
		{ "notifier_fn_t", 16024537456793682827u, 12, 4, 70 },
		{ "struct key_payload", 5424323811786700987u, 3, 1, 37 },
		{ "struct atomic_link", 8008745193394397929u, 0, 2, 36 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_true(token_named(known[i].name, 0) == known[i].all);
		assert_int_equal(token_named(known[i].name, 16), known[i].of16);
		assert_int_equal(token_named(known[i].name, 7), known[i].of7);
		assert_int_equal(token_named(known[i].name, 100), known[i].of100);
		assert_int_equal(sf_type_token(sf_type_index(type_named(known[i].name))),
				 known[i].of16);
	}
}

/* What people see most: scalars and buffers, from the same compiler. */
static void test_plain_types(void **state)
{
	static const struct {
		const char *name;
		unsigned int token;
	} known[] = {
		{ "s8", 0 }, { "short", 7 }, { "u16", 1 }, { "u32", 1 }, { "long", 6 },
		{ "unsigned long", 6 }, { "s64", 2 }, { "bool", 5 }, { "double", 0 },
		{ "char[32]", 0 }, { "int[10]", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(token_named(known[i].name, SF_TOKENS), known[i].token);
}

static void test_halves(void **state)
{
	uint32_t seen = 0;

	(void)state;
	assert_int_equal(sf_type_token(0), 0);
	assert_int_equal(sf_type_token(sf_type_count), 0);
	for (uint32_t i = 1; i < sf_type_count; i++) {
		uint8_t token = sf_type_token(i);

		assert_true(token < SF_TOKENS);
		assert_int_equal(token >= SF_TOKENS / 2, sf_types[i].pointer);
		assert_int_equal(token, sf_token_of(sf_types[i].canonical, sf_types[i].pointer,
						    SF_TOKENS));
		seen |= 1u << token;
	}
	assert_int_equal(seen, 0xffff);
}

/* One token: none to tell apart. Two: the halves alone. */
static void test_few_tokens(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < sf_type_count; i++) {
		const struct sf_type *t = &sf_types[i];

		assert_int_equal(sf_token_of(t->canonical, t->pointer, 1), 0);
		assert_int_equal(sf_token_of(t->canonical, t->pointer, 2), t->pointer);
		assert_int_equal(sf_token_of(t->canonical, t->pointer, 3), t->pointer);
	}
}

/* Names of all lengths around a word end differently. */
static void test_lengths(void **state)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz";
	uint64_t hash[sizeof(name)];

	(void)state;
	for (size_t len = 0; len < sizeof(name); len++) {
		hash[len] = sf_token_hash(name, len);
		for (size_t i = 0; i < len; i++)
			assert_true(hash[i] != hash[len]);
	}
	/* Bytes behind the name are not part of it. */
	assert_true(sf_token_hash("intX", 3) == sf_token_hash("int", 3));
}

/* --- clang itself --- */

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

	snprintf(relative, sizeof(relative), "%.*s/../harness/program/type_defs.h",
		 slash ? (int)(slash - __FILE__) : 1, slash ? __FILE__ : ".");
	return realpath(relative, path) != NULL;
}

/* Compiles and runs the source for `max` tokens, and compares. */
static void compare(const char *clang, const char *source, const char *program, uint64_t max)
{
	unsigned long long token;
	uint32_t seen = 0, i;
	char command[400];
	FILE *f;

	snprintf(command, sizeof(command), "%s -falloc-token-max=%llu -o %s %s", clang,
		 (unsigned long long)max, program, source);
	assert_int_equal(system(command), 0);
	f = popen(program, "r");
	assert_non_null(f);
	while (fscanf(f, "%u %llu", &i, &token) == 2) {
		const struct sf_type *t = &sf_types[i];
		uint64_t ours = sf_token_of(t->canonical, t->pointer, max);

		assert_int_equal(i, ++seen);
		if (token != ours)
			fail_msg("%s (canonical \"%s\", pointer %d): of %llu clang says %llu, "
				 "not %llu", t->name, t->canonical, t->pointer,
				 (unsigned long long)max, token, (unsigned long long)ours);
	}
	assert_int_equal(pclose(f), 0);
	assert_int_equal(seen, sf_type_count - 1);
	unlink(program);
}

static void test_clang_agrees(void **state)
{
	static const uint64_t max[] = { SF_TOKENS, 0, 1, 7, 123 };
	char dir[] = "/tmp/slabfuzz-token-XXXXXX", header[4096], source[64], program[64];
	const char *clang = find_clang();

	(void)state;
	if (!clang || !find_header(header)) {
		print_message("skipped: %u types not compared with clang: no %s\n",
			      sf_type_count - 1, clang ? "harness/program/type_defs.h here" :
			      "clang with allocation tokens (clang-22)");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	snprintf(source, sizeof(source), "%s/types.c", dir);
	snprintf(program, sizeof(program), "%s/types", dir);
	write_source(source, header);
	for (size_t i = 0; i < sizeof(max) / sizeof(max[0]); i++)
		compare(clang, source, program, max[i]);
	unlink(source);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_plain_types),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_few_tokens),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_clang_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
