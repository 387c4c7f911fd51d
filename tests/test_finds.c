// SPDX-License-Identifier: MIT
/*
 * test_finds.c - what becomes of finds once a run is over: confirmed alone, or with the programs
 * before them, cut down to those that are needed; or not. The target is a script that says a title
 * when it is given the inputs that it is about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../harness/fuzz/files.h"
#include "../harness/fuzz/find.h"
#include "../harness/fuzz/finds.h"

static char folder[] = "/tmp/slabfuzz-finds-XXXXXX";

static char *in(const char *name)
{
	return sf_path("%s/%s", folder, name);
}

static void put(const char *name, const char *text)
{
	char *path = in(name);

	assert_true(sf_write_file(path, text, strlen(text)));
	free(path);
}

static bool there(const char *name)
{
	char *path = in(name);
	bool yes = !access(path, F_OK);

	free(path);
	return yes;
}

/* Fails on input X; on input Y if B was before it, in the same process. */
static const char script[] = "#!/bin/sh\n"
			     "state=\n"
			     "for f; do\n"
			     "	case $f in -*) continue ;; esac\n"
			     "	case $(cat \"$f\")$state in\n"
			     "	B) state=b ;;\n"
			     "	X*) echo 'MEM-1: always'; exit 77 ;;\n"
			     "	Yb) echo 'MEM-2: after B'; exit 77 ;;\n"
			     "	H) echo \"MEM-4: on $SLABFUZZ_ALLOCATOR\"; exit 77 ;;\n"
			     "	W) echo 'ASan: SEGV in f'; echo how; exit 77 ;;\n"
			     "	esac\n"
			     "done\n";

static int set_up(void **state)
{
	char *path;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	put("target", script);
	path = in("target");
	chmod(path, 0755);
	free(path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sf_remove_tree(folder);
	return 0;
}

static void put_find(const char *name, const char *title, const char *input)
{
	char *text = sf_path("%s.txt", name), *words = sf_path("# title: %s\n# allocator: none\n",
							       title);

	put(name, input);
	put(text, words);
	free(text);
	free(words);
}

static const struct sf_find *find_of(const struct sf_finds *f, const char *title)
{
	for (uint32_t i = 0; i < f->nr; i++)
		if (!strcmp(f->list[i].title, title))
			return &f->list[i];
	fail_msg("no find '%s'", title);
	return NULL;
}

static void test_confirmed(void **state)
{
	static const char history[] = "\1\0\0\0A\1\0\0\0B\1\0\0\0C\1\0\0\0D\1\0\0\0E";
	char *target = in("target"), *path = in("c"), *text;
	const char *const env[] = { "TOY=1", NULL };
	struct sf_finds_options opt = { .target = { .program = target, .env = env },
					.crashes = folder, .programs = true };
	struct sf_finds f = { .nr = 0 };
	const struct sf_find *find;

	(void)state;
	put_find("a", "MEM-1: always", "X");
	put_find("a2", "MEM-1: always", "Xlonger");
	put_find("b", "MEM-2: after B", "Y");
	free(path);
	path = in("b.history");
	assert_true(sf_write_file(path, history, sizeof(history) - 1));
	put_find("c", "MEM-3: never again", "Z");
	put_find("d", "ASan: SEGV in f", "W");
	sf_finds_count(&f, "MEM-1: always", 5);
	sf_finds_count(&f, "MEM-1: always", 2);
	sf_finds_collect(&f, &opt);
	assert_int_equal(f.nr, 4);

	find = find_of(&f, "MEM-1: always");
	assert_int_equal(find->repeated, 3);
	assert_int_equal(find->tried, 3);
	assert_int_equal(find->times, 7);
	assert_int_equal(find->before, 0);

	/* Of a crash the text has the report. */
	find = find_of(&f, "ASan: SEGV in f");
	assert_int_equal(find->repeated, 3);
	assert_int_equal(find->kind, SF_CRASH_ASAN);
	text = sf_read_file(find->text, NULL);
	assert_string_equal(text, "# title: ASan: SEGV in f\n# allocator: none\n"
				  "# report: ASan: SEGV in f\n# report: how\n");
	free(text);

	find = find_of(&f, "MEM-2: after B");
	assert_int_equal(find->repeated, 3);
	assert_int_equal(find->before, 1);
	assert_true(there("b.before/0002"));
	assert_false(there("b.before/0001"));
	assert_false(there("b.before/0003"));
	assert_false(there("b.history"));

	find = find_of(&f, "MEM-3: never again");
	assert_int_equal(find->repeated, 0);
	assert_int_equal(find->tried, 3);
	sf_finds_free(&f);
	free(target);
	free(path);
}

/* What only the engine saved runs on what the engine ran on. */
static void test_adopted(void **state)
{
	char *target = in("target"), *crashes = in("adopted"), *raw = in("adopted/raw");
	char *path = in("adopted/raw/0-timeout-1"), *text;
	struct sf_finds_options opt = { .target.program = target, .crashes = crashes,
					.programs = true, .allocators = "toy" };
	struct sf_finds f = { .nr = 0 };

	(void)state;
	assert_true(sf_make_folder(raw));
	assert_true(sf_write_file(path, "H", 1));
	sf_finds_adopt(&f, &opt, path, NULL);
	sf_finds_collect(&f, &opt);
	assert_int_equal(f.nr, 1);
	assert_string_equal(f.list[0].title, "MEM-4: on toy");
	assert_string_equal(f.list[0].allocator, "toy");
	assert_int_equal(f.list[0].repeated, 3);
	text = sf_read_file(f.list[0].text, NULL);
	assert_non_null(strstr(text, "# allocator: toy\n"));
	sf_finds_free(&f);
	free(text);
	free(target);
	free(crashes);
	free(raw);
	free(path);
}

static void test_history(void **state)
{
	static const uint8_t one[] = "one", two[] = "two!", bad[] = "bad";
	char *counts = in("counts"), *crashes = in("crashes"), *path, *data;
	char name[SF_FIND_NAME_MAX];
	size_t len;

	(void)state;
	assert_true(sf_make_folder(crashes));
	setenv("SLABFUZZ_GO_ON", counts, 1);
	setenv("SLABFUZZ_CRASHES", crashes, 1);
	sf_find_setup();
	sf_find_take(one, 3);
	sf_find_take(two, 4);
	sf_find_take(bad, 3);
	sf_find_save("MEM-1: a title", "");
	sf_find_name(name, "MEM-1: a title", bad, 3);
	path = sf_path("%s/%s.history", crashes, name);
	data = sf_read_file(path, &len);
	assert_non_null(data);
	assert_int_equal(len, 15);
	assert_memory_equal(data, "\3\0\0\0one\4\0\0\0two!", 15);
	free(data);
	free(path);
	/* It ends with what there is room for. */
	for (int i = 0; i < 1000; i++)
		sf_find_take(i % 2 ? one : two, 3);
	sf_find_take(bad, 2);
	sf_find_save("MEM-2: another", "");
	sf_find_name(name, "MEM-2: another", bad, 2);
	path = sf_path("%s/%s.history", crashes, name);
	data = sf_read_file(path, &len);
	assert_non_null(data);
	assert_int_equal(len, (SF_HISTORY_INPUTS - 1) * 7);
	assert_memory_equal(data + len - 7, "\3\0\0\0one", 7);
	free(data);
	free(path);
	free(counts);
	free(crashes);
	unsetenv("SLABFUZZ_GO_ON");
	unsetenv("SLABFUZZ_CRASHES");
}

static void test_files(void **state)
{
	char *deep = in("x/y/z"), *file = in("x/y/z/f"), *x = in("x"), *data;
	struct timespec now = sf_file_time(folder), never = { .tv_sec = INT32_MAX };
	size_t len;

	(void)state;
	assert_true(sf_make_folder(deep));
	assert_true(sf_make_folder(deep));
	assert_true(sf_write_file(file, "a\0b", 3));
	data = sf_read_file(file, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "a\0b", 4);
	assert_int_equal(sf_count_files(deep), 1);
	assert_int_equal(sf_count_files(x), 0);
	assert_true(sf_file_since(file, &now));
	assert_false(sf_file_since(file, &never));
	assert_false(sf_make_folder(file));
	assert_null(sf_read_file("/nonexistent/file", NULL));
	assert_false(sf_write_file("/nonexistent/file", "", 0));
	sf_remove_tree(x);
	assert_int_not_equal(access(x, F_OK), 0);
	free(data);
	free(deep);
	free(file);
	free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_confirmed),
		cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_history),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
