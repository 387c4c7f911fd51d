#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fuzz.sh - what `make fuzz` runs: one libFuzzer target for FUZZ_SECONDS, on all allocators in one
# engine, JOBS of them side by side on one corpus. A find does not end the run: the target saves it
# and goes on (SLABFUZZ_GO_ON); an engine that ends all the same is started again. All finds are
# reported at the end, each title once. From the Makefile: BUILD, SLABFUZZ (the command),
# FUZZ_TARGET, FUZZ_SECONDS, JOBS. Also heeded: SLABFUZZ_ALLOCATOR (only these; default: all),
# FUZZ_JOBS (default JOBS, or all CPUs), FUZZ_FLAGS, FUZZ_SEEDS=none (programs: the engine has
# nothing but what it has grown before). Exit status: 0 nothing found, 1 something
# found, 2 bad usage or seeds, 3 something is missing.
set -u

BUILD=${BUILD:-build}
SLABFUZZ=${SLABFUZZ:-$BUILD/slabfuzz}
FUZZ_TARGET=${FUZZ_TARGET:-$BUILD/libfuzzer_program}
FUZZ_SECONDS=${FUZZ_SECONDS:-60}
FUZZ_JOBS=${FUZZ_JOBS:-${JOBS:-$(nproc 2>/dev/null || echo 1)}}

name=$(basename "$FUZZ_TARGET" | sed 's/^libfuzzer_//')
corpus=$BUILD/corpus/$name
seeds=$BUILD/corpus/$name-seeds
live=$BUILD/corpus/$name-live
kept=$BUILD/corpus/$name-kept
crashes=${SLABFUZZ_CRASHES:-$BUILD/crashes}
raw=$crashes/libfuzzer
log=$BUILD/$name-fuzz.log
coverage=$BUILD/$name-coverage.txt
marker=$BUILD/$name-fuzz.start
counts=$BUILD/$name-fuzz.counts
titles=$BUILD/$name-fuzz.titles

# shellcheck source=ci/fuzz-common.sh
. "$(dirname "$0")/fuzz-common.sh"

need_number FUZZ_SECONDS "$FUZZ_SECONDS"
need_number FUZZ_JOBS "$FUZZ_JOBS"
need_program "$FUZZ_TARGET"
mkdir -p "$corpus" "$live" "$raw" || exit 2
# keep_live: what this run, or one that was cut short, has grown is corpus.
keep_live()
{
	find "$live" -type f -exec mv -f {} "$corpus/" \;
}
keep_live
# What runs on no allocator.
allocators=
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
	if [ "${FUZZ_SEEDS-}" = none ]; then
		rm -rf "$seeds"
		mkdir -p "$seeds" || exit 2
	else
		compile_seeds "$seeds"
	fi
	allocators=${SLABFUZZ_ALLOCATOR:-$("$SLABFUZZ" list allocators |
		sed -n 's/^\([a-z0-9_-]\{1,\}\) .*/\1/p' | tr '\n' ' ')}
	export SLABFUZZ_ALLOCATOR="$allocators"
	;;
esac
dict=
[ ! -f "corpora/$name.dict" ] || dict=-dict=corpora/$name.dict
touch "$marker"

export SLABFUZZ_CRASHES="$crashes"
fuzz_environment

# weed FILE: an input that stops the engine before it begins is saved with the crashes; the copy
# that it came from has to go.
weed()
{
	find "$corpus" "$live" "$seeds" -type f -size "$(($(wc -c <"$1")))c" \
		-exec cmp -s {} "$1" \; -exec rm {} \;
}

# chosen NUMBER: what the engine that was there before kept of the corpus, as -seed_inputs wants it.
# Its names are those of its feature sets.
chosen()
{
	for f in "$kept.$1"/*; do
		f=$corpus/$(basename "$f")
		[ ! -f "$f" ] || printf '%s,' "$f"
	done | sed 's/,$//'
}

# engine NUMBER SECONDS: one engine, to its end; 0 if its time was over. The first reads the whole
# corpus; those after it only what the first kept of it, and what this run has found since.
engine()
{
	if [ ! -d "$kept.$1" ]; then
		mkdir -p "$kept.$1"
		set -- "$1" "$2" "$live" "$corpus" "$seeds"
	else
		chosen "$1" >"$kept.$1.list"
		set -- "$1" "$2" "$live" "$seeds"
		[ ! -s "$kept.$1.list" ] || set -- "$@" "-seed_inputs=@$kept.$1.list"
	fi
	job=$1
	left=$2
	shift 2
	# shellcheck disable=SC2046,SC2086 # words
	SLABFUZZ_GO_ON="$counts.$job" ASAN_OPTIONS="$ASAN_OPTIONS:halt_on_error=0:symbolize=0" \
		$(pin "$FUZZ_JOBS") "$FUZZ_TARGET" -max_total_time="$left" -max_len=$max_len \
		$dict -timeout=10 -rss_limit_mb=3072 -print_final_stats=1 -detect_leaks=0 \
		-features_dir="$kept.$job" -artifact_prefix="$raw/$job-" ${FUZZ_FLAGS-} "$@" \
		>"$log.$job.run" 2>&1 &
	engine=$!
	wait "$engine"
}

# job NUMBER: engines until the time is over. (libFuzzer's own -fork costs most of a short run in
# merging.) What ends one is not known to the target, or killed it: hangs, exhausted memory.
job()
{
	trap 'kill -INT "$engine" 2>/dev/null; wait "$engine"; exit' TERM
	while left=$((deadline - $(date +%s))) && [ "$left" -gt 0 ]; do
		engine "$1" "$left"
		status=$?
		cat "$log.$1.run" >>"$log.$1"
		case $status in
		0) ;;
		72) break ;; # interrupted
		*)
			saved=$(sed -n 's/^.*Test unit written to //p' "$log.$1.run" | tail -n 1)
			if [ -f "$saved" ]; then
				# Not all of the corpus was read: again from the beginning.
				grep -q 'INITED' "$log.$1.run" || {
					weed "$saved"
					rm -rf "$kept.$1"
				}
			else
				# It says nothing and saves nothing: not again.
				grep -q '^#' "$log.$1.run" || break
				sleep 1
			fi
			;;
		esac
	done
	rm -f "$log.$1.run"
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
rm -rf "$log" "$log".* "$counts" "$counts".* "$titles" "$kept".*
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
keep_live

# counted NAME: a counter of the targets, the sum of all jobs; highest NAME: the highest of them.
# (A file of counters has NUL bytes behind its last line.)
counters()
{
	cat "$counts".* 2>/dev/null | tr -d '\000'
}
counted()
{
	counters | awk -v name="$1" '{ n = $1; sub(/^[^ ]* /, "") } $0 == name { sum += n }
		END { printf "%.0f\n", sum }'
}
highest()
{
	counters | awk -v name="$1" '{ n = $1 + 0; sub(/^[^ ]* /, "") }
		$0 == name && n > max { max = n } END { printf "%.0f\n", max }'
}
# share PART WHOLE: in percent.
share()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f %%", (b > 0 ? 100 * a / b : 0) }'
}

edges=$(sed -n 's/^#[0-9].* cov: \([0-9]*\).*/\1/p' "$log" | sort -n | tail -n 1)
turns=
runs=0
for a in $allocators; do
	n=$(counted "runs $a")
	runs=$((runs + n))
	turns="$turns$(printf '\n    %-12s %s (%s edges)' "$a" "$n" "$(highest "edges $a")")"
done
[ -n "$allocators" ] ||
	runs=$(awk '/^stat::number_of_executed_units/ { n += $2 } END { print n + 0 }' "$log")
if [ "$runs" = 0 ] && [ -z "$(new_crashes)" ]; then
	echo "fuzz.sh: $FUZZ_TARGET did not run; the end of $log:" >&2
	tail -n 20 "$log" >&2
	exit 3
fi

# Then hangs and exhausted memory, which are known to the engine alone.
counters | sed -n 's/^\([0-9]*\) title /\1\t/p' >"$titles"
adopt_new "$FUZZ_TARGET" "$raw"/*-timeout-* "$raw"/*-oom-* "$raw"/*-crash-*
"$FUZZ_TARGET" -runs=0 -print_coverage=1 "$corpus" "$seeds" >"$coverage.tmp" 2>&1
{
	[ -z "$allocators" ] || echo "on $allocators"
	sed -n '/^COVERAGE/,$p' "$coverage.tmp"
} >"$coverage"
rm -f "$coverage.tmp"

echo "fuzz: $seconds s of $FUZZ_TARGET"
echo "  executions  $runs ($(rate "$runs" "$seconds")/s)$turns"
echo "  edges       ${edges:-0}"
if [ -n "$allocators" ]; then
	running=$(counted 'ns running')
	opening=$(counted 'ns opening')
	echo "  time        $(share "$opening" $((running + opening))) opens heaps;" \
		"the costliest 1 % of programs took $(share "$(counted 'ns costliest')" "$running")"
fi
echo "  corpus      $corpus ($(count_files "$corpus") files; seeds: $(count_files "$seeds"))"
echo "  coverage    $coverage"
echo "  crashes     $crashes"
echo "  log         $log"
report "$titles"
