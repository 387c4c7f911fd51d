#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fuzz.sh - what `make fuzz` runs: one libFuzzer target for FUZZ_SECONDS. A find does not end the run;
# all are reported at the end, each title once. From the Makefile: BUILD, SLABFUZZ (the command),
# FUZZ_TARGET, FUZZ_SECONDS. Also heeded: SLABFUZZ_ALLOCATOR, FUZZ_JOBS (default 1), FUZZ_FLAGS.
# Exit status: 0 nothing found, 1 something found, 2 bad usage or seeds, 3 something is missing.
set -u

BUILD=${BUILD:-build}
SLABFUZZ=${SLABFUZZ:-$BUILD/slabfuzz}
FUZZ_TARGET=${FUZZ_TARGET:-$BUILD/libfuzzer_program}
FUZZ_SECONDS=${FUZZ_SECONDS:-60}
FUZZ_JOBS=${FUZZ_JOBS:-1}

name=$(basename "$FUZZ_TARGET" | sed 's/^libfuzzer_//')
corpus=$BUILD/corpus/$name
seeds=$BUILD/corpus/$name-seeds
crashes=${SLABFUZZ_CRASHES:-$BUILD/crashes}
raw=$crashes/libfuzzer
log=$BUILD/$name-fuzz.log
coverage=$BUILD/$name-coverage.txt
marker=$BUILD/$name-fuzz.start

# shellcheck source=ci/fuzz-common.sh
. "$(dirname "$0")/fuzz-common.sh"

need_number FUZZ_SECONDS "$FUZZ_SECONDS"
need_number FUZZ_JOBS "$FUZZ_JOBS"
need_program "$FUZZ_TARGET"
mkdir -p "$corpus" "$raw" || exit 2
case $name in
text) copy_seeds "$seeds" corpora/seeds corpora/regressions ;;
trace) copy_seeds "$seeds" corpora/traces ;;
*)
	need_program "$SLABFUZZ"
	compile_seeds "$seeds"
	;;
esac
touch "$marker"

export SLABFUZZ_CRASHES="$crashes"
fuzz_environment

# progress PID: the engine's last line of statistics, while it runs.
progress()
{
	while kill -0 "$1" 2>/dev/null; do
		line=$(grep '^#[0-9]*: cov:' "$log" 2>/dev/null | tail -n 1)
		printf '\r\033[K%s' "$line" >&2
		sleep 1
	done
	printf '\r\033[K' >&2
}

# Crashes are ours to save, with their text; the engine keeps its own copies, and hangs, in $raw.
# shellcheck disable=SC2086 # words
$(pin "$FUZZ_JOBS") "$FUZZ_TARGET" -fork="$FUZZ_JOBS" -ignore_crashes=1 -ignore_timeouts=1 \
	-ignore_ooms=1 -max_total_time="$FUZZ_SECONDS" -max_len=4096 -timeout=10 \
	-rss_limit_mb=2048 -artifact_prefix="$raw/" ${FUZZ_FLAGS-} "$corpus" "$seeds" \
	>"$log" 2>&1 &
fuzzer=$!
trap 'kill -INT $fuzzer 2>/dev/null' INT TERM
[ -t 2 ] && progress "$fuzzer"
wait "$fuzzer"
status=$?
trap - INT TERM

last=$(grep '^#[0-9]*: cov:' "$log" | tail -n 1)
if [ -z "$last" ] && [ -z "$(new_crashes)" ]; then
	echo "fuzz: $FUZZ_TARGET did not run (exit status $status); the end of $log:" >&2
	tail -n 20 "$log" >&2
	exit 3
fi
field()
{
	echo "$last" | sed -n "s/.*$1 \([0-9/]*\).*/\1/p"
}
runs=$(echo "$last" | sed -n 's/^#\([0-9]*\):.*/\1/p')
seconds=$(field time:)
failures=$(field 'oom\/timeout\/crash:')

# Hangs and exhausted memory are known to the engine alone.
adopt_new "$raw"/timeout-* "$raw"/oom-* "$raw"/crash-*

"$FUZZ_TARGET" -runs=0 -print_coverage=1 "$corpus" 2>/dev/null >"$coverage.tmp" 2>&1
sed -n '/^COVERAGE/,$p' "$coverage.tmp" >"$coverage"
rm -f "$coverage.tmp"

echo "fuzz: ${seconds:-0} s of $FUZZ_TARGET on ${SLABFUZZ_ALLOCATOR:-baseline}"
echo "  executions  ${runs:-0} ($(rate "${runs:-0}" "${seconds:-0}")/s)"
echo "  edges       $(field cov:)"
echo "  corpus      $corpus ($(count_files "$corpus") files; seeds: $(count_files "$seeds"))"
echo "  coverage    $coverage"
echo "  crashes     $crashes"
echo "  log         $log"
report
found=$?
case $failures in
"" | 0/0/0) ;;
*)
	if [ "$found" = 0 ]; then
		echo "  found       oom/timeout/crash: $failures; see $log and $raw"
		found=1
	fi
	;;
esac
exit "$found"
