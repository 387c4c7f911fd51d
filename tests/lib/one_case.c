// SPDX-License-Identifier: MIT
/*
 * one_case.c - linked into every unit test: SLABFUZZ_CASE names the cases to run, as a shell
 * pattern. A pattern that matches none ends the program with status 2 and the names there are.
 *
 * The linker hands it each call of cmocka_run_group_tests() (--wrap in the Makefile), so that no
 * test's main() knows of it. `make test TESTS="slab:test_x"` relies on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fnmatch.h>

int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t nr,
				   CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t nr,
				   CMFixtureFunction setup, CMFixtureFunction teardown);

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t nr,
				   CMFixtureFunction setup, CMFixtureFunction teardown)
{
	const char *pattern = getenv("SLABFUZZ_CASE");
	size_t matches = 0;

	if (!pattern || !*pattern)
		return __real__cmocka_run_group_tests(name, tests, nr, setup, teardown);
	for (size_t i = 0; i < nr; i++)
		matches += !fnmatch(pattern, tests[i].name, 0);
	if (matches) {
		cmocka_set_test_filter(pattern);
		return __real__cmocka_run_group_tests(name, tests, nr, setup, teardown);
	}
	fprintf(stderr, "no case is named '%s'; there are:\n", pattern);
	for (size_t i = 0; i < nr; i++)
		fprintf(stderr, "  %s\n", tests[i].name);
	return 2;
}
