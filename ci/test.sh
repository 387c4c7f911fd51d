#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test.sh - what `make test` runs once everything is built: unit tests in every flavor, end-to-end
# tests and the corpora, each a process that speaks TAP. The last line is "N passed, N failed, N
# skipped"; exit 1 if anything failed. What a test printed is kept in BUILD/test/.
#
# From the Makefile: BUILD, and what ci/select-tests.sh takes, which lists the tests.
set -u

BUILD=${BUILD:-build}
out=$BUILD/test
limit_seconds=${TEST_TIMEOUT:-600}

# sum(file): "passed failed skipped planned" of a TAP stream; -1: it had no plan.
sum()
{
	awk '
		BEGIN { plan = -1 }
		/^1\.\.[0-9]+/ { plan = (plan < 0 ? 0 : plan) + substr($0, 4) + 0 }
		/^(not )?ok .*# *SKIP/ { skipped++; next }
		/^ok/ { passed++ }
		/^not ok/ { failed++ }
		END { print passed + 0, failed + 0, skipped + 0, plan }' "$1"
}

# one LABEL COMMAND...: runs a test, leaves LABEL.tap, LABEL.err and LABEL.sum, says how it went.
one()
{
	label=$1
	shift
	base=$out/$(echo "$label" | tr '/ :*' '--.+')
	start=$(date +%s)
	timeout -k 10 "$limit_seconds" "$@" >"$base.tap" 2>"$base.err" </dev/null
	status=$?
	seconds=$(($(date +%s) - start))

	# shellcheck disable=SC2046 # four words
	set -- $(sum "$base.tap")
	passed=$1 failed=$2 skipped=$3 plan=$4
	why=
	if [ "$status" = 124 ] || [ "$status" = 137 ]; then
		why="killed after $limit_seconds seconds"
	elif [ "$plan" = -1 ]; then
		why="no TAP plan (exit status $status)"
	elif [ "$plan" != $((passed + failed + skipped)) ]; then
		why="$((passed + failed + skipped)) of $plan tests were run (exit status $status)"
	elif [ "$status" != 0 ] && [ "$failed" = 0 ]; then
		why="exit status $status"
	fi
	[ -z "$why" ] || failed=$((failed + 1))
	echo "$passed $failed $skipped" >"$base.sum"

	if [ "$failed" = 0 ]; then
		echo "PASS $label: $passed passed, $skipped skipped, $seconds s"
		sed -n 's/^\(not \)\{0,1\}ok .*# *SKIP/skipped:/p' "$base.tap" | sed 's/^/     /'
		return
	fi
	echo "FAIL $label: $passed passed, $failed failed, $skipped skipped${why:+; $why}"
	grep -v '^ok' "$base.tap" | head -n 60 | sed 's/^/     /'
	tail -n 40 "$base.err" | sed 's/^/     /'
	echo "     (all of it: $base.tap, $base.err)"
}

if [ "${1-}" = --one ]; then
	shift
	# In one write, so that tests running at the same time do not mix their lines.
	report=$(one "$@")
	echo "$report"
	exit 0
fi

# Recordings of real kernels and printouts of their slabinfo, if somebody keeps them beside the
# checkout.
if [ -z "${SLABFUZZ_TRACES-}" ] && [ -d ../shared/traces ]; then
	SLABFUZZ_TRACES=$(cd ../shared/traces && pwd)
fi
if [ -z "${SLABFUZZ_KERNEL-}" ] && [ -d ../shared/kernel ]; then
	SLABFUZZ_KERNEL=$(cd ../shared/kernel && pwd)
fi
for v in SLABFUZZ_TRACES SLABFUZZ_KERNEL; do
	eval "value=\${$v-}"
	if [ -n "$value" ]; then
		export "${v?}"
		echo "$v=$value"
	else
		echo "$v is not set: tests on real data beyond corpora/ are skipped"
	fi
done

export BUILD CMOCKA_MESSAGE_OUTPUT=TAP LC_ALL=C
# Nothing of the caller's surroundings may change what the tests see.
unset SLABFUZZ_EXPECT SLABFUZZ_CRASHES SLABFUZZ_ALLOCATOR SLABFUZZ_THOROUGH SLABFUZZ_CASE
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1}"
export LSAN_OPTIONS="suppressions=$PWD/ci/lsan.txt:print_suppressions=0"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

rm -rf "$out"
mkdir -p "$out"
list=$out/list

TESTS=${TESTS-} BUILD=$BUILD ci/select-tests.sh list >"$list" || exit 2

xargs -P "${JOBS:-$(nproc)}" -L 1 sh "$0" --one <"$list" || exit 1

runs=$(wc -l <"$list")
sums=$(find "$out" -name '*.sum' | wc -l)
cat "$out"/*.sum /dev/null 2>/dev/null | awk -v lost=$((runs - sums)) '
	{ passed += $1; failed += $2; skipped += $3 }
	END {
		failed += lost
		printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
		exit failed > 0 || passed == 0
	}'
