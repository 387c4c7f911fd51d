#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fuzz.sh - what `make fuzz` runs: one libFuzzer target for FUZZ_SECONDS, on each allocator in turn
# for its share of the time, all on one corpus. A find does not end the run; all are reported at the
# end, each title once. From the Makefile: BUILD, SLABFUZZ (the command), FUZZ_TARGET, FUZZ_SECONDS.
# Also heeded: SLABFUZZ_ALLOCATOR (only this one; default: all), FUZZ_JOBS (default 1), FUZZ_FLAGS.
# Exit status: 0 nothing found, 1 something found, 2 bad usage or seeds, 3 something is
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
# What does not run on an allocator takes one turn, under a name that stands for none.
allocators=-
max_len=4096
case $name in
text) copy_seeds "$seeds" corpora/seeds corpora/regressions ;;
trace)
	trace_seeds "$seeds"
	# A trace.dat begins with some 40 KiB of formats.
	max_len=65536
	;;
bytes)
	need_program "$SLABFUZZ"
	compile_seeds "$seeds"
	;;
*)
	need_program "$SLABFUZZ"
	compile_seeds "$seeds"
	allocators=${SLABFUZZ_ALLOCATOR:-$("$SLABFUZZ" list allocators |
		sed -n 's/^\([a-z0-9_-]\{1,\}\) .*/\1/p')}
	;;
esac
dict=
[ ! -f "corpora/$name.dict" ] || dict=-dict=corpora/$name.dict
# shellcheck disable=SC2086 # a list of names
nr_allocators=$(printf '%s\n' $allocators | wc -l)
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

# turn NUMBER ALLOCATOR DEADLINE: one engine, started again after each find until the deadline.
# (libFuzzer's own -fork costs most of a short run in merging.) Crashes are ours to save, with their
# text; the engine keeps its own copies, and hangs, in $raw.
turn()
{
	turnlog=$log.$1.$2
	: >"$turnlog"
	[ "$2" = - ] || export SLABFUZZ_ALLOCATOR="$2"
	while left=$(($3 - $(date +%s))) && [ "$left" -gt 0 ]; do
		# shellcheck disable=SC2046,SC2086 # words
		$(pin "$FUZZ_JOBS") "$FUZZ_TARGET" -max_total_time="$left" -max_len=$max_len \
			$dict -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
			-artifact_prefix="$raw/$1-$2-" ${FUZZ_FLAGS-} "$corpus" "$seeds" \
			>"$turnlog.run" 2>&1 &
		engine=$!
		wait "$engine"
		status=$?
		cat "$turnlog.run" >>"$turnlog"
		case $status in
		0) ;;
		72) break ;; # interrupted
		*)
			saved=$(sed -n 's/^.*Test unit written to //p' "$turnlog.run" | tail -n 1)
			if [ ! -f "$saved" ]; then
				# It says nothing and saves nothing: not again.
				grep -q '^#' "$turnlog.run" || break
				sleep 1
			else
				grep -q 'INITED' "$turnlog.run" || weed "$saved"
				# Under a title it has been saved by ourselves.
				grep -Eq '^([A-Z]+-[0-9]+|ASan): ' "$turnlog.run" && rm -f "$saved"
			fi
			;;
		esac
	done
	rm -f "$turnlog.run"
}

# job NUMBER: the turns of all allocators, equal shares of the time.
job()
{
	trap 'kill -INT "$engine" 2>/dev/null; exit' TERM
	nr=0
	for a in $allocators; do
		nr=$((nr + 1))
		turn "$1" "$a" $((start + FUZZ_SECONDS * nr / nr_allocators))
	done
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
# executed FILE..., edges FILE...: of all engines in these logs.
executed()
{
	awk '/^stat::number_of_executed_units/ { sum += $2 } END { print sum + 0 }' "$@"
}
edges()
{
	sed -n 's/^#[0-9].* cov: \([0-9]*\).*/\1/p' "$@" | sort -n | tail -n 1
}
turns=
for a in $allocators; do
	[ "$a" = - ] ||
		turns="$turns$(printf '\n    %-12s %s (%s edges)' "$a" \
			"$(executed "$log".*."$a")" "$(edges "$log".*."$a")")"
done
cat "$log".* >"$log" && rm -f "$log".*

runs=$(executed "$log")
edges=$(edges "$log")
if [ "$runs" = 0 ] && [ -z "$(new_crashes)" ]; then
	echo "fuzz.sh: $FUZZ_TARGET did not run; the end of $log:" >&2
	tail -n 20 "$log" >&2
	exit 3
fi

# Hangs and exhausted memory are known to the engine alone.
: >"$coverage"
for a in $allocators; do
	[ "$a" = - ] || export SLABFUZZ_ALLOCATOR="$a"
	adopt_new "$FUZZ_TARGET" "$raw"/*-"$a"-timeout-* "$raw"/*-"$a"-oom-* \
		"$raw"/*-"$a"-crash-*
	"$FUZZ_TARGET" -runs=0 -print_coverage=1 "$corpus" >"$coverage.tmp" 2>&1
	echo "on $a" >>"$coverage"
	sed -n '/^COVERAGE/,$p' "$coverage.tmp" >>"$coverage"
done
rm -f "$coverage.tmp"

echo "fuzz: $seconds s of $FUZZ_TARGET"
echo "  executions  $runs ($(rate "$runs" "$seconds")/s)$turns"
echo "  edges       ${edges:-0}"
echo "  corpus      $corpus ($(count_files "$corpus") files; seeds: $(count_files "$seeds"))"
echo "  coverage    $coverage"
echo "  crashes     $crashes"
echo "  log         $log"
report
