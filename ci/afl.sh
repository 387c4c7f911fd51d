#!/bin/sh
# SPDX-License-Identifier: MIT
#
# afl.sh - what `make afl` runs: afl-fuzz for FUZZ_SECONDS on our own AFL++ target and mutator. From
# the Makefile: BUILD, SLABFUZZ (the command), AFL_TARGET, AFL_MUTATOR, FUZZ_SECONDS. Also heeded:
# SLABFUZZ_ALLOCATOR. Stability below 100 % means that something survives from one input to the
# next: that counts as found. Exit status: 0 nothing found, 1 something found, 2 bad usage or seeds,
# 3 something is missing.
set -u

BUILD=${BUILD:-build}
SLABFUZZ=${SLABFUZZ:-$BUILD/slabfuzz}
AFL_TARGET=${AFL_TARGET:-$BUILD/afl_program}
AFL_MUTATOR=${AFL_MUTATOR:-$BUILD/afl_mutator.so}
FUZZ_SECONDS=${FUZZ_SECONDS:-60}

seeds=$BUILD/corpus/afl-seeds
out=$BUILD/corpus/afl
crashes=${SLABFUZZ_CRASHES:-$BUILD/crashes}
log=$BUILD/afl.log
marker=$BUILD/afl.start
stats=$out/default/fuzzer_stats

# shellcheck source=ci/fuzz-common.sh
. "$(dirname "$0")/fuzz-common.sh"

need_number FUZZ_SECONDS "$FUZZ_SECONDS"
if ! command -v afl-fuzz >/dev/null; then
	echo "afl.sh: afl-fuzz is missing; Debian: apt install afl++ (or ci/setup)" >&2
	exit 3
fi
need_program "$AFL_TARGET"
need_program "$SLABFUZZ"
[ -f "$AFL_MUTATOR" ] || need_program "$AFL_MUTATOR"
mkdir -p "$crashes" "$(dirname "$out")" || exit 2
compile_seeds "$seeds"
# afl-fuzz wants at least one file to begin with: the empty program.
printf 'SFb\001' >"$seeds/empty"
if [ -d "$out/default/queue" ]; then
	input=-
else
	input=$seeds
fi
touch "$marker"

SLABFUZZ_CRASHES=$(cd "$crashes" && pwd)
export SLABFUZZ_CRASHES
ASAN_OPTIONS="abort_on_error=1:symbolize=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
fuzz_environment
AFL_CUSTOM_MUTATOR_LIBRARY=$(cd "$(dirname "$AFL_MUTATOR")" && pwd)/$(basename "$AFL_MUTATOR")
export AFL_CUSTOM_MUTATOR_LIBRARY
export AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_IGNORE_SEED_PROBLEMS=1
export AFL_SKIP_CRASHES=1
[ -t 1 ] || export AFL_NO_UI=1
pin=$(pin 1)
if [ -n "$pin" ]; then
	export AFL_NO_AFFINITY=1
else
	export AFL_TRY_AFFINITY=1
fi

# shellcheck disable=SC2086 # words
run_afl()
{
	$pin afl-fuzz -V "$FUZZ_SECONDS" -i "$input" -o "$out" -c 0 -m none -t 1000+ \
		-- "$AFL_TARGET"
}
if [ -t 1 ]; then
	run_afl
else
	run_afl >"$log" 2>&1
fi
status=$?

stat()
{
	sed -n "s/^$1 *: *//p" "$stats" 2>/dev/null
}
if [ -z "$(stat execs_done)" ]; then
	echo "afl.sh: afl-fuzz did not run (exit status $status); the end of $log:" >&2
	tail -n 20 "$log" >&2
	exit 3
fi

adopt_new "$AFL_TARGET" "$out"/default/crashes/id* "$out"/default/hangs/id*

stability=$(stat stability)
echo "afl: $(stat run_time) s of $AFL_TARGET on ${SLABFUZZ_ALLOCATOR:-baseline}"
echo "  executions  $(stat execs_done) ($(stat execs_per_sec)/s)"
echo "  edges       $(stat edges_found) of $(stat total_edges)"
echo "  stability   $stability"
echo "  corpus      $out/default/queue ($(count_files "$out/default/queue") files)"
echo "  crashes     $crashes"
report
found=$?
if [ "$stability" != "100.00%" ]; then
	echo "  found       stability below 100 %: coverage depends on the inputs before"
	found=1
fi
exit "$found"
