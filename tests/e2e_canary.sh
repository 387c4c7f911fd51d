#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_canary.sh - the fuzzing pipeline from end to end, on the target that fails on purpose: the
# find is made, saved as bytes and text, titled, reported once, reproduced, and shrunk without
# sliding into another bug. Speaks TAP. Needs BUILD and SLABFUZZ; skipped where libFuzzer is not
# there.
#
# Needs: libfuzzer_canary
set -u

target=$BUILD/libfuzzer_canary
case $SLABFUZZ in
*/asan/*)
	echo "1..0 # the target is the same in every flavor"
	exit 0
	;;
esac
if [ ! -x "$target" ]; then
	printf '1..1\nok 1 - canary # SKIP no libFuzzer\n'
	exit 0
fi

dir=$BUILD/test/e2e_canary.work
title='CANARY-1: a kmalloc object is freed on another CPU'
rm -rf "$dir"
mkdir -p "$dir"
unset SLABFUZZ_CRASHES SLABFUZZ_ALLOCATOR
export ASAN_OPTIONS=detect_leaks=0

n=0
# check WHAT STATUS: one TAP line.
check()
{
	n=$((n + 1))
	if [ "$2" = 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' "$dir/out" | tail -n 30
	fi
}

# The expect filter keeps a real bug, should there be one, from ending the run first.
SLABFUZZ_EXPECT=CANARY BUILD="$dir" SLABFUZZ="$SLABFUZZ" FUZZ_TARGET="$target" FUZZ_SECONDS=6 \
	sh ci/fuzz.sh >"$dir/out" 2>&1
check "a find makes the exit status 1" $(($? != 1))
grep -c "found *$title\$" "$dir/out" | grep -qx 1
check "its title is reported once" $?
text=$(grep -A1 "found *$title\$" "$dir/out" | tail -n 1 | tr -d ' ')
test -f "$text" && head -n 1 "$text" | grep -qx "# title: $title"
check "its text is where the report says, under its title" $?
grep -A2 "found *$title\$" "$dir/out" | grep -q 'confirmed: 3 of 3 fresh processes'
check "it is confirmed in fresh processes" $?
bytes=${text%.txt}
"$SLABFUZZ" show "$bytes" >"$dir/shown" 2>"$dir/out" && sed '/^[#h]/d' "$text" >"$dir/text" &&
	grep -v '^heap' "$dir/shown" | cmp - "$dir/text" >>"$dir/out"
check "the bytes beside it are the same program" $?
SLABFUZZ_EXPECT=CANARY "$target" "$bytes" >"$dir/out" 2>&1
test $? != 0 && grep -qx "$title" "$dir/out" && grep -q 'in canary_sings' "$dir/out"
check "it reproduces, in a function of its own" $?
SLABFUZZ_EXPECT=MEM-1 "$target" "$bytes" >"$dir/out" 2>&1
check "expecting another title, the target goes on" $?

SLABFUZZ_EXPECT=CANARY "$target" -minimize_crash=1 -runs=3000 -max_total_time=20 \
	-exact_artifact_path="$dir/small" "$bytes" >"$dir/out" 2>&1
test -s "$dir/small" && test "$(wc -c <"$dir/small")" -le "$(wc -c <"$bytes")"
check "it can be shrunk" $?
SLABFUZZ_EXPECT=CANARY "$target" "$dir/small" 2>&1 | grep -qx "$title"
check "the small one has the same title" $?

BUILD="$dir" SLABFUZZ="$SLABFUZZ" FUZZ_TARGET="$target" FUZZ_SECONDS=soon \
	sh ci/fuzz.sh >"$dir/out" 2>&1
check "a bad number is exit status 2" $(($? != 2))
BUILD="$dir" SLABFUZZ="$SLABFUZZ" FUZZ_TARGET="$dir/none" FUZZ_SECONDS=1 \
	sh ci/fuzz.sh >"$dir/out" 2>&1
check "a missing target is exit status 3" $(($? != 3))
echo "1..$n"
