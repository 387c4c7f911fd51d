#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_fuzz_names.sh - a plug-in that was built with sanitizers is fuzzed by a command without them,
# guided by its own coverage, and its crash is titled by its own function, not by who called it.
# Needs BUILD and SLABFUZZ; skipped where libFuzzer is not there.
#
# Needs: libfuzzer_program
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

case $SLABFUZZ in
*/asan/* | */ubsan/*)
	echo "1..0 # the engine is the same in every flavor"
	exit 0
	;;
esac
if [ ! -x "$BUILD/libfuzzer_program" ]; then
	skip 'fuzzes' 'no libFuzzer'
	finish
fi

build()
{
	make -s plugin SRC=tests/plugins/wild.c OUT="$tmp/wild.so" SANITIZE="$1" COVERAGE=1 \
		>"$tmp/make" 2>&1
}

for with in '' address; do
	check "the plug-in is built ($with)" build "$with"
	slabfuzz 1 fuzz -a "plugin:$tmp/wild.so" --target "$BUILD/libfuzzer_program" --jobs 1 \
		--seconds 4 --seed 1 --corpus "$tmp/c$with" --crashes "$tmp/x$with"
	out_has '^  found       ASan: SEGV in write_wildly$'
	out_has '^              .*confirmed: 3 of 3 fresh processes$'
	check 'nothing else is said of it' test "$(grep -c '^  found ' "$tmp/out")" = 1
	check 'its code guides the engine' grep -q '^  edges       [1-9]' "$tmp/out"
done
slabfuzz 2 list -a "plugin:$tmp/wild.so"
says 'a sanitizer'"'"'s (build/asan/slabfuzz has it)'
finish
