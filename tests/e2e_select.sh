#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_select.sh - TESTS of `make test`: which runs a word names, what they need built, and that a
# name or a case that is not there is an error and no empty success.
#
# Needs: plain/tests/test_hardening
. tests/lib/e2e.sh

case $SLABFUZZ in
*/asan/*)
	echo '1..0 # names are the same in every flavor'
	exit 0
	;;
esac
program=${BUILD:-build}/plain/tests/test_hardening

# select STATUS WORDS MODE: leaves $tmp/out and $tmp/err.
select_tests()
{
	BUILD=build TEST_FLAVORS='plain asan ubsan' TESTS="$2" ci/select-tests.sh "$3" \
		>"$tmp/out" 2>"$tmp/err"
	got=$?
	check "TESTS='$2' $3: exit $1" test "$got" = "$1"
}
lines() { check "$1 line(s)" test "$(wc -l <"$tmp/out")" = "$1"; }
err_has() { check "says: $1" grep -q -e "$1" "$tmp/err"; }

select_tests 0 slab list
lines 3
out_has '^asan/test_slab build/asan/tests/test_slab$'
select_tests 0 'asan/slab' list
lines 1
select_tests 0 'test_slab slab' list
lines 3
select_tests 0 'ubsan/slab:*krealloc*' list
lines 1
out_has '^ubsan/test_slab:\*krealloc\* env SLABFUZZ_CASE=\*krealloc\* build/ubsan/tests/test_slab$'
select_tests 0 'asan/e2e_run plain/corpora_seeds' list
lines 2
out_has '^asan/e2e_run env SLABFUZZ=build/asan/slabfuzz sh tests/e2e_run.sh$'
out_has '^plain/corpora_seeds build/plain/slabfuzz run -a all --tap corpora/seeds/'
select_tests 0 '' list
check 'all of them without TESTS' test "$(wc -l <"$tmp/out")" -gt 120

select_tests 0 'plain/slab asan/e2e_tokens' targets
lines 3
out_has '^build/plain/tests/test_slab$'
out_has '^build/asan/slabfuzz$'
out_has '^build/token-report$'

for word in slap e2e_rnu; do
	select_tests 2 "slab $word" list
	lines 0
done
err_has "there is no test 'e2e_rnu'; near it: e2e_run"
select_tests 2 'plan/slab' targets
err_has "there is no test 'plan/slab'"
select_tests 2 'e2e_run:x' list
err_has 'only a unit test has cases'

if [ -x "$program" ]; then
	SLABFUZZ_CASE='*secrets*' CMOCKA_MESSAGE_OUTPUT=TAP "$program" >"$tmp/out" 2>"$tmp/err"
	check 'one case: exit 0' test $? = 0
	check 'one case is run' test "$(grep -c '^ok ' "$tmp/out")" = 1
	SLABFUZZ_CASE=nonesuch "$program" >"$tmp/out" 2>"$tmp/err"
	check 'no such case: exit 2' test $? = 2
	err_has '^  test_secrets$'
else
	skip 'cases' 'there are no unit tests'
fi
finish
