#!/bin/sh
# SPDX-License-Identifier: MIT
#
# afl.sh - what `make afl` runs: afl-fuzz for FUZZ_SECONDS on our own AFL++ target and mutator. It
# goes on from the queue of the last run, if there is one. From the Makefile: BUILD, SLABFUZZ (the
# command), FUZZ_TARGET, FUZZ_MUTATOR, FUZZ_SECONDS. Also heeded: SLABFUZZ_ALLOCATOR. Stability
# below 100 % means that something survives from one input to the next: that counts as found. Exit
# status: 0 nothing found, 1 something found, 2 bad usage or seeds, 3 something is missing.
set -u

BUILD=${BUILD:-build}
SLABFUZZ=${SLABFUZZ:-$BUILD/slabfuzz}
FUZZ_TARGET=${FUZZ_TARGET:-$BUILD/afl_program}
FUZZ_MUTATOR=${FUZZ_MUTATOR:-$BUILD/afl_mutator.so}
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
need_program "$FUZZ_TARGET"
need_program "$SLABFUZZ"
[ -f "$FUZZ_MUTATOR" ] || need_program "$FUZZ_MUTATOR"
mkdir -p "$crashes" "$(dirname "$out")" || exit 2
compile_seeds "$seeds"
# afl-fuzz wants at least one file to begin with: the empty program.
printf 'SFb\001' >"$seeds/empty"

stat()
{
	sed -n "s/^$1 *: *//p" "$stats" 2>/dev/null
}

input=$seeds
before=0
if [ -n "$(find "$out/default/queue" -type f 2>/dev/null)" ]; then
	input=-
	before=$(stat execs_done)
fi
touch "$marker"

SLABFUZZ_CRASHES=$(cd "$crashes" && pwd)
export SLABFUZZ_CRASHES
ASAN_OPTIONS="abort_on_error=1:symbolize=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
fuzz_environment
AFL_CUSTOM_MUTATOR_LIBRARY=$(cd "$(dirname "$FUZZ_MUTATOR")" && pwd)/$(basename "$FUZZ_MUTATOR")
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
		-- "$FUZZ_TARGET"
}
start=$(date +%s)
if [ -t 1 ]; then
	run_afl
else
	run_afl >"$log" 2>&1
fi
status=$?
seconds=$(($(date +%s) - start))
if [ -z "$(find "$stats" -newer "$marker" 2>/dev/null)" ]; then
	echo "afl.sh: afl-fuzz did not run (exit status $status); the end of $log:" >&2
	tail -n 20 "$log" >&2
	exit 3
fi

adopt_new "$FUZZ_TARGET" "$out"/default/crashes/id* "$out"/default/hangs/id*

stability=$(stat stability)
# A run that goes on from another counts on from it, too.
runs=$(($(stat execs_done) - ${before:-0}))
[ "$runs" -ge 0 ] || runs=$(stat execs_done)
echo "afl: $seconds s of $FUZZ_TARGET on ${SLABFUZZ_ALLOCATOR:-baseline}"
echo "  executions  $runs ($(rate "$runs" "$seconds")/s)"
echo "  edges       $(stat edges_found) of $(stat total_edges)"
echo "  stability   $stability"
echo "  corpus      $out/default/queue ($(count_files "$out/default/queue") files)"
echo "  crashes     $crashes"
report ""
found=$?
if [ "$stability" != "100.00%" ]; then
	echo "  found       stability below 100 %: coverage depends on the inputs before"
	found=1
fi
exit "$found"
