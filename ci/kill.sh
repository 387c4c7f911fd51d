#!/bin/sh
# SPDX-License-Identifier: MIT
#
# kill.sh [--json] [NAME...] - time to kill: each seeded bug is fuzzed from an empty corpus, by
# SEEDS engines with seeds of their own, each until it finds the bug under the rule that is due or
# has used MUTANT_SECONDS of CPU time; ci/kill.awk makes figures of it. With AGAINST=REV the same
# for that revision, built beside this one, run by run in turn on the same machine.
#
# The rule is the id in front of a title: which size class or partition the rest of it names is up
# to the program that leads there. Of a title without an id all of it is due.
#
# A patch without a title (ci/automutants.sh makes such) is killed by whatever the engine finds.
# From the Makefile: BUILD, MUTANT_CC, MUTANT_LD, MUTANT_LIBS, MUTANT_SECONDS, SEEDS, AGAINST, JOBS.
# Also heeded: PATCHES, the folder (default tests/mutants). Exit 0 if all ran, however fast they
# were killed.
set -u

BUILD=${BUILD:-build}
PATCHES=${PATCHES:-tests/mutants}
limit=${MUTANT_SECONDS:-60}
dir=$BUILD/kill

# shellcheck source=ci/mutant-common.sh
. "$(dirname "$0")/mutant-common.sh"
fuzz_environment
unset SLABFUZZ_CRASHES SLABFUZZ_ALLOCATOR SLABFUZZ_EXPECT SLABFUZZ_GO_ON SLABFUZZ_THOROUGH

usage()
{
	echo "ci/kill.sh: $1" >&2
	echo 'usage: ci/kill.sh [--json] [NAME...]' >&2
	exit 2
}

need_number()
{
	case $2 in
	'' | 0* | *[!0-9]*) usage "$1=$2: not a number above 0" ;;
	esac
}

# built ROOT: where what it was built to is.
built()
{
	if [ "$1" = . ]; then
		echo "$BUILD"
	else
		echo "$1/build"
	fi
}

# link_target SIDE ROOT
link_target()
{
	mutated_objects "$2" "$patch" "$work/$1" || return
	# shellcheck disable=SC2086 # a command with its flags
	$MUTANT_LD -fsanitize=fuzzer -o "$work/$1/target" \
		"$(built "$2")/fuzz/harness/entry/libfuzzer_program.o" "$work/$1"/*.o \
		"$(built "$2")/fuzz/libslabfuzz.a" $MUTANT_LIBS
}

# killed STATUS: by what is due, or by anything; 137 and 152: its time was over.
killed()
{
	if [ -n "$title" ]; then
		grep -aqF "$title" "$log"
		return
	fi
	case $1 in
	0 | 137 | 152) return 1 ;;
	esac
}

# engine SIDE SEED LEFT: one engine on its corpus, and its CPU time in hundredths of a second. (A
# shell's times of its children: the symbolizer that a report starts is not among them.)
engine()
{
	(
		prlimit --cpu="$3" "$work/$1/target" -seed="$2" -timeout=20 -max_len=4096 \
			-detect_leaks=0 -rss_limit_mb=3072 -print_final_stats=1 \
			-artifact_prefix="$work/$1/" "$work/$1/corpus" >"$log" 2>&1
		status=$?
		times >"$log.times"
		exit "$status"
	) 2>/dev/null
	status=$?
	hundredths=$(awk 'NR == 2 { gsub(/[ms]/, " ")
		printf "%.0f", 6000 * ($1 + $3) + 100 * ($2 + $4) }' "$log.times")
	n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
	[ -n "$n" ] || n=$(sed -n 's/^#\([0-9]*\)[^0-9].*/\1/p' "$log" | tail -n 1)
	executions=$((executions + ${n:-0}))
	used=$((used + hundredths))
}

# one_run SIDE SEED: engines until it is killed or the time is over. What ends one under another
# title (a crash before the oracle sees it) ends no run: the next goes on from the same corpus.
one_run()
{
	log=$work/$1/log.$2
	used=0 executions=0 found=0 others=0
	rm -rf "$work/$1/corpus"
	mkdir -p "$work/$1/corpus"
	while left=$((limit - used / 100)) && [ "$left" -gt 0 ] && [ "$others" -lt 100 ]; do
		engine "$1" "$(($2 + 1000 * others))" "$left"
		if killed "$status"; then
			found=1
			break
		fi
		others=$((others + 1))
	done
	printf '%s\t%s\t%s\t%s\t%s.%02d\t%s\t%s\n' "$name" "$1" "$2" "$found" $((used / 100)) \
		$((used % 100)) "$executions" "$(first_line)" >>"$work/runs"
	rm -rf "$work/$1/corpus"
}

# What the engine said last.
first_line()
{
	grep -aE '^[A-Z]+-[0-9]+: |^ASan: |^SUMMARY: |: Assertion |ERROR: libFuzzer' "$log" |
		head -n 1 | tr '\t' ' '
}

# one NAME: builds the bug on each side and runs it. What is not run is in its `apart`.
one()
{
	name=$1
	patch=$PATCHES/$name.patch
	title=$(field title "$patch")
	by=$(field by "$patch")
	work=$(cd "$dir" && pwd)/$name
	rm -rf "$work"
	mkdir -p "$work"
	if is_command "$by"; then
		echo "only slabfuzz ${by%% *} shows it" >"$work/apart"
		return
	fi
	sides=
	for side in ${AGAINST:+base} here; do
		root=.
		[ "$side" = here ] || root=$BASE
		if ! link_target "$side" "$root" >"$work/$side.log" 2>&1; then
			echo "does not apply to $side, or does not build: $work/$side.log" \
				>"$work/apart"
			return
		fi
		sides="$sides $side"
	done
	SLABFUZZ_ALLOCATOR=$(field on "$patch")
	export SLABFUZZ_ALLOCATOR="${SLABFUZZ_ALLOCATOR:-baseline}"
	# An assertion that fails before an oracle does would hide the title that is due.
	title=$(echo "$title" | sed 's/^\([A-Z]*-[0-9]*:\) .*/\1 /')
	[ -z "$title" ] || export SLABFUZZ_EXPECT="$title" SLABFUZZ_ASSERT=0
	seed=0
	while [ "$seed" -lt "$SEEDS" ]; do
		seed=$((seed + 1))
		for side in $sides; do
			one_run "$side" "$seed"
		done
	done
	rm -rf "$work/here" "$work/base"
}

if [ "${1-}" = --one ]; then
	one "$2"
	exit 0
fi

# base_tree REV: built in a folder of its own; prints that folder.
base_tree()
{
	sha=$(git rev-parse --verify --quiet "$1^{commit}") ||
		usage "AGAINST=$1: no such revision"
	tree=$BUILD/against/$sha
	if [ ! -e "$tree/.built" ]; then
		rm -rf "$tree"
		mkdir -p "$tree"
		git archive "$sha" | tar -x -C "$tree" || exit 2
		env -u MAKEFLAGS -u MAKELEVEL -u MAKEOVERRIDES make -C "$tree" BUILD=build \
			JOBS="${JOBS:-$(nproc)}" build/libfuzzer_program >"$tree/log" 2>&1 || {
			echo "ci/kill.sh: AGAINST=$1 does not build: see $tree/log" >&2
			exit 2
		}
		touch "$tree/.built"
	fi
	(cd "$tree" && pwd)
}

# clean SIDE TARGET: one that complains about the unchanged allocators would "kill" anything.
clean()
{
	SLABFUZZ_ALLOCATOR="$allocators" "$2" -seed=1 -runs=500 -max_len=4096 -timeout=60 \
		-artifact_prefix="$dir/" >"$dir/clean.log" 2>&1 && return
	echo "ci/kill.sh: the unchanged allocators ($1) fail: see $dir/clean.log" >&2
	exit 1
}

json=no
names=
for arg; do
	case $arg in
	--json) json=yes ;;
	-*) usage "unknown option '$arg'" ;;
	*)
		[ -f "$PATCHES/$arg.patch" ] || usage "there is no $PATCHES/$arg.patch"
		names="$names $arg"
		;;
	esac
done
if [ -z "$names" ]; then
	names=$(find "$PATCHES" -name '*.patch' | sed 's|.*/||; s|\.patch$||' | sort)
fi
[ -n "$names" ] || usage "$PATCHES has no patches"
SEEDS=${SEEDS:-3}
need_number SEEDS "$SEEDS"
need_number MUTANT_SECONDS "$limit"
export SEEDS AGAINST="${AGAINST-}"

mkdir -p "$dir"
allocators=$("$BUILD/slabfuzz" list allocators | sed -n 's/^\([a-z0-9_-]\{1,\}\) .*/\1/p' |
	tr '\n' ' ')
clean here "$BUILD/libfuzzer_program"
if [ -n "$AGAINST" ]; then
	BASE=$(base_tree "$AGAINST") || exit
	export BASE
	clean "$AGAINST" "$BASE/build/libfuzzer_program"
fi

for name in $names; do
	rm -rf "${dir:?}/$name"
done
# shellcheck disable=SC2086 # a list of names
printf '%s\n' $names | xargs -P "${JOBS:-$(nproc)}" -n 1 sh "$0" --one
for name in $names; do
	title=$(field title "$PATCHES/$name.patch")
	if [ -f "$dir/$name/apart" ]; then
		printf '%s\tapart\t%s\t%s\n' "$name" "$title" "$(cat "$dir/$name/apart")"
	elif [ ! -f "$dir/$name/runs" ]; then
		printf '%s\tapart\t%s\tdid not run\n' "$name" "$title"
	else
		awk -v title="$title" '{ print $0 "\t" title }' "$dir/$name/runs"
	fi
done >"$dir/table"
awk -F '\t' -v json=$json -v limit="$limit" -v seeds="$SEEDS" -v against="$AGAINST" \
	-f ci/kill.awk "$dir/table"
