#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fuzz.sh - what `make fuzz` runs: one libFuzzer target for FUZZ_SECONDS. A find does not end the
# run; all are reported at the end, each title once. From the Makefile: BUILD, SLABFUZZ (the
# command), FUZZ_TARGET, FUZZ_SECONDS. Also heeded: SLABFUZZ_ALLOCATOR, FUZZ_JOBS (default 1),
# FUZZ_FLAGS. Exit status: 0 nothing found, 1 something found, 2 bad usage or seeds, 3 something is
# missing.
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
trace) trace_seeds "$seeds" ;;
*)
	need_program "$SLABFUZZ"
	compile_seeds "$seeds"
	;;
esac
touch "$marker"

export SLABFUZZ_CRASHES="$crashes"
fuzz_environment

# weed FILE: an input that stops the engine before it begins is saved with the crashes; the copy
# that it came from has to go.
weed()
{
	find "$corpus" "$seeds" -type f -size "$(($(wc -c <"$1")))c" -exec cmp -s {} "$1" \; \
		-exec rm {} \;
}

# job NUMBER: one engine, started again after each find until the time is over. (libFuzzer's own
# -fork costs most of a short run in merging.) Crashes are ours to save, with their text; the engine
# keeps its own copies, and hangs, in $raw.
job()
{
	joblog=$log.$1
	: >"$joblog"
	trap 'kill -INT "$engine" 2>/dev/null; exit' TERM
	while left=$((deadline - $(date +%s))) && [ "$left" -gt 0 ]; do
		# shellcheck disable=SC2046,SC2086 # words
		$(pin "$FUZZ_JOBS") "$FUZZ_TARGET" -max_total_time="$left" -max_len=4096 \
			-timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
			-artifact_prefix="$raw/$1-" ${FUZZ_FLAGS-} "$corpus" "$seeds" \
			>"$joblog.run" 2>&1 &
		engine=$!
		wait "$engine"
		status=$?
		cat "$joblog.run" >>"$joblog"
		case $status in
		0) ;;
		72) break ;; # interrupted
		*)
			saved=$(sed -n 's/^.*Test unit written to //p' "$joblog.run" | tail -n 1)
			if [ ! -f "$saved" ]; then
				# It says nothing and saves nothing: not again.
				grep -q '^#' "$joblog.run" || break
				sleep 1
			else
				grep -q 'INITED' "$joblog.run" || weed "$saved"
				# Under a title it has been saved by ourselves.
				grep -Eq '^([A-Z]+-[0-9]+|ASan): ' "$joblog.run" && rm -f "$saved"
			fi
			;;
		esac
	done
	rm -f "$joblog.run"
}

# progress: the engines' last line of statistics, until the time is over.
progress()
{
	while [ "$(date +%s)" -lt "$deadline" ]; do
		line=$(tail -q -n 1 "$log".*.run 2>/dev/null | tail -n 1 | cut -c 1-78)
		printf '\r\033[K%s' "$line" >&2
		sleep 1
	done
	printf '\r\033[K' >&2
}

start=$(date +%s)
deadline=$((start + FUZZ_SECONDS))
rm -f "$log" "$log".*
jobs=
n=0
while [ "$n" -lt "$FUZZ_JOBS" ]; do
	job "$n" &
	jobs="$jobs $!"
	n=$((n + 1))
done
# shellcheck disable=SC2086 # words
trap 'deadline=0; kill -TERM $jobs 2>/dev/null' INT TERM
[ -t 2 ] && progress
wait
trap - INT TERM
seconds=$(($(date +%s) - start))
cat "$log".* >"$log" && rm -f "$log".*

runs=$(awk '/^stat::number_of_executed_units/ { sum += $2 } END { print sum + 0 }' "$log")
edges=$(sed -n 's/^#[0-9].* cov: \([0-9]*\).*/\1/p' "$log" | sort -n | tail -n 1)
if [ "$runs" = 0 ] && [ -z "$(new_crashes)" ]; then
	echo "fuzz.sh: $FUZZ_TARGET did not run; the end of $log:" >&2
	tail -n 20 "$log" >&2
	exit 3
fi

# Hangs and exhausted memory are known to the engine alone.
adopt_new "$FUZZ_TARGET" "$raw"/*-timeout-* "$raw"/*-oom-* "$raw"/*-crash-*

"$FUZZ_TARGET" -runs=0 -print_coverage=1 "$corpus" >"$coverage.tmp" 2>&1
sed -n '/^COVERAGE/,$p' "$coverage.tmp" >"$coverage"
rm -f "$coverage.tmp"

case $name in
text | bytes | trace) on= ;;
*) on=" on ${SLABFUZZ_ALLOCATOR:-baseline}" ;;
esac
echo "fuzz: $seconds s of $FUZZ_TARGET$on"
echo "  executions  $runs ($(rate "$runs" "$seconds")/s)"
echo "  edges       ${edges:-0}"
echo "  corpus      $corpus ($(count_files "$corpus") files; seeds: $(count_files "$seeds"))"
echo "  coverage    $coverage"
echo "  crashes     $crashes"
echo "  log         $log"
report
