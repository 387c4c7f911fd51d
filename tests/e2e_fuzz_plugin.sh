#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_fuzz_plugin.sh - allocators from outside are fuzzed: one with two bugs and a state that the
# first of them ruins shows both in one run, as a plug-in and as a library, each confirmed in fresh
# processes; titles name its own functions, edges are its own; a plug-in with sanitizers is left to
# the target; one that is right is found nothing of.
set -u

. tests/lib/planted.sh

begin fuzz_plugin 'allocators from outside are fuzzed'

# plugin OUT WORDS SOURCE...
plugin()
{
	out=$1
	more=$2
	shift 2
	# shellcheck disable=SC2086 # words
	make -s plugin SRC="$*" OUT="$dir/$out" COVERAGE=1 $more >"$dir/out" 2>&1
}

# fuzz STATUS SPEC: for twelve seconds.
fuzz()
{
	rm -rf "$dir/corpus"* "$dir/crashes"
	"$SLABFUZZ" fuzz -a "$2" --seconds 12 --jobs 1 --seed 1 --corpus "$dir/corpus" \
		--crashes "$dir/crashes" >"$dir/out" 2>&1
	status=$?
	check "fuzz -a $2: exit status $1" "$([ $status = "$1" ]; echo $?)"
}

# found TITLE: and it came again in each fresh process.
found()
{
	grep -A 2 "found  *$1" "$dir/out" | grep -q 'confirmed: 3 of 3'
	check "found and confirmed: $1" $?
}

# A library has a C library of its own if nothing in it is the target's.
plugin two.so "CFLAGS=-fno-builtin" tests/plugins/two_bugs.c
check 'two_bugs builds' $?
plugin libtwo.so "CFLAGS=-fno-builtin COVERAGE=" tests/plugins/two_bugs.c
check 'two_bugs builds as a library' $?
for spec in plugin:$dir/two.so malloc:$dir/libtwo.so; do
	fuzz 1 "$spec"
	# Old data may be an earlier program's: then it does not come again alone.
	grep -q 'found  *MAL-5: an object of calloc holds old data' "$dir/out"
	check 'found: MAL-5: an object of calloc holds old data' $?
	found 'MAL-1: an object of aligned_alloc is not aligned as asked'
	grep -q '([1-9][0-9]* edges)' "$dir/out"
	case $spec in
	plugin:*) check 'its edges are counted' $? ;;
	esac
done

plugin ff.so "SANITIZE=address,undefined" tests/plugins/first_fit.c \
	tests/plugins/first_fit_plugin.c
check 'first_fit builds with sanitizers' $?
fuzz 0 "plugin:$dir/ff.so"
"$SLABFUZZ" run -a "plugin:$dir/ff.so" corpora/user/user_zero.txt >"$dir/out" 2>&1
check 'run does not load it, and says so' "$([ $? = 2 ] && grep -q sanitizers "$dir/out"; echo $?)"

echo "1..$n"
