#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mutants.sh [--json] [NAME...] - is each seeded bug caught? For every tests/mutants/NAME.patch the
# allocators are copied and patched, linked with the harness and oracles as they are, and run: first
# on the programs in corpora/, then under libFuzzer for up to MUTANT_SECONDS; what only many boots,
# failing allocations or a large heap show, under `slabfuzz boots`, `inject` or `run`. Only the
# title that the patch names counts (SLABFUZZ_EXPECT). Exit 1 if one is missed; 0 if all are
# caught.
#
# tests/mutants/README.md says what a patch's header looks like. From the Makefile: BUILD,
# MUTANT_CC, MUTANT_LD, MUTANT_LIBS, MUTANT_CMD_LIBS (how the fuzz flavor compiles
# allocators/ and links; an engine is linked with -fsanitize=fuzzer besides).
set -u

BUILD=${BUILD:-build}
dir=$BUILD/mutants
driver=$BUILD/fuzz/harness/entry/libfuzzer_program.o
archive=$BUILD/fuzz/libslabfuzz.a
seconds_max=${MUTANT_SECONDS:-30}

export ASAN_OPTIONS="detect_leaks=0:handle_sigill=1:${ASAN_OPTIONS-}"
# What is not patched is linked as it is, with the assertions of the fuzz flavor: one that fails
# before an oracle does would hide the title that is due.
export SLABFUZZ_ASSERT=0
unset SLABFUZZ_CRASHES SLABFUZZ_ALLOCATOR SLABFUZZ_EXPECT

# shellcheck source=ci/mutant-common.sh
. "$(dirname "$0")/mutant-common.sh"

# build NAME BY: the mutated allocators in $dir/NAME, linked as $dir/NAME/target.
build()
{
	patch=tests/mutants/$1.patch
	by=$2
	work=$(cd "$dir" && pwd)/$1
	mutated_objects . "$patch" "$work" || return
	mkdir -p "$work/corpus"
	if is_command "$by"; then
		# shellcheck disable=SC2086
		$MUTANT_LD -o "$work/target" "$BUILD"/fuzz/harness/cmd/*.o "$work"/*.o "$archive" \
			$MUTANT_CMD_LIBS $MUTANT_LIBS
		return
	fi
	# shellcheck disable=SC2086
	$MUTANT_LD -fsanitize=fuzzer -o "$work/target" "$driver" "$work"/*.o "$archive" \
		$MUTANT_LIBS
}

# verdict NAME TITLE HOW EXECUTIONS: 0 executions: it was missed.
verdict()
{
	now=$(date +%s.%N)
	awk -v n="$1" -v t="$2" -v h="$3" -v r="$4" -v a="$start" -v b="$now" \
		'BEGIN { printf "%s\t%s\t%s\t%s\t%.1f\n", n, t, h, r, b - a }' >"$dir/$1/verdict"
}

# judge HOW COUNT ARGUMENT...: the patched command itself raises the title, or it was missed. COUNT
# picks the executions out of what it printed (for sed).
judge()
{
	how=$1
	count=$2
	shift 2
	"$dir/$name/target" "$@" >"$log" 2>&1
	if grep -q "^$title" "$log"; then
		runs=$(sed -n "$count" "$log")
		verdict "$name" "$title" "$how" "${runs:-1}"
	else
		verdict "$name" "$title" missed 0
	fi
}

# one NAME: builds and runs one mutant.
one()
{
	name=$1
	patch=tests/mutants/$name.patch
	title=$(field title "$patch")
	by=$(field by "$patch")
	on=$(field on "$patch")
	log=$dir/$name/log

	mkdir -p "$dir/$name"
	start=$(date +%s.%N)
	if [ -z "$title" ] || [ -z "$by" ]; then
		verdict "$name" "${title:--}" 'no "# title:" or "# by:" line' 0
		return
	fi
	if ! build "$name" "$by" >"$dir/$name.build" 2>&1; then
		verdict "$name" "$title" "does not build: $dir/$name.build" 0
		return
	fi

	export SLABFUZZ_EXPECT="$title" SLABFUZZ_ALLOCATOR="${on:-baseline}"
	start=$(date +%s.%N)
	case $by in
	boots)
		judge boots 's/^.*: \([0-9]*\) boots$/\1/p' boots -a "$SLABFUZZ_ALLOCATOR"
		return
		;;
	inject)
		judge inject 's/^.* files, \([0-9]*\) failures injected.*$/\1/p' \
			inject -a "$SLABFUZZ_ALLOCATOR" corpora/seeds/*.txt
		return
		;;
	"run "*)
		judge "${by#run }" 's/^.*: \([0-9]*\) operations .*$/\1/p' \
			run -a "$SLABFUZZ_ALLOCATOR" "corpora/seeds/${by#run }"
		return
		;;
	"seed "*) programs=$dir/programs/$(basename "${by#seed }" .txt) ;;
	*) programs=$(find "$dir/programs" -type f | sort) ;;
	esac
	# Without a file the engine would begin to fuzz.
	if [ -n "$programs" ]; then
		# shellcheck disable=SC2086 # file names
		"$dir/$name/target" -timeout=60 -artifact_prefix="$dir/$name/" $programs \
			>"$log" 2>&1
		if grep -qF "$title" "$log"; then
			last=$(sed -n 's/^Running: //p' "$log" | tail -n 1)
			verdict "$name" "$title" "$(basename "$last")" \
				"$(awk '/^Running: / { n++ } END { print n ? n : 1 }' "$log")"
			return
		fi
	fi
	if [ "$by" = fuzz ]; then
		"$dir/$name/target" -max_total_time="$seconds_max" -seed=1 -print_final_stats=1 \
			-timeout=60 -max_len=4096 -artifact_prefix="$dir/$name/" \
			"$dir/$name/corpus" "$dir/programs" >"$log" 2>&1
		if grep -qF "$title" "$log"; then
			runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
			verdict "$name" "$title" libFuzzer "${runs:-1}"
			return
		fi
	fi
	verdict "$name" "$title" missed 0
}

if [ "${1-}" = --one ]; then
	one "$2"
	exit 0
fi

json=no
names=
for arg; do
	case $arg in
	--json) json=yes ;;
	-*)
		echo "ci/mutants.sh: unknown option '$arg'" >&2
		echo 'usage: ci/mutants.sh [--json] [NAME...]' >&2
		exit 2
		;;
	*)
		if [ ! -f "tests/mutants/$arg.patch" ]; then
			echo "ci/mutants.sh: there is no tests/mutants/$arg.patch" >&2
			exit 2
		fi
		names="$names $arg"
		;;
	esac
done
if [ -z "$names" ]; then
	for p in tests/mutants/*.patch; do
		[ ! -f "$p" ] || names="$names $(basename "$p" .patch)"
	done
fi
if [ -z "$names" ]; then
	echo 'ci/mutants.sh: tests/mutants/ has no patches' >&2
	exit 2
fi

# The programs in the encoding that the fuzz target reads.
mkdir -p "$dir"
rm -rf "$dir/programs"
mkdir -p "$dir/programs"
for f in corpora/seeds/*.txt corpora/user/*.txt corpora/regressions/*; do
	name=$(basename "$f" .txt)
	case $f in
	*.md | *'*'*) ;;
	*.txt) "$BUILD/slabfuzz" compile "$f" -o "$dir/programs/$name" || exit 1 ;;
	*) cp "$f" "$dir/programs/$name" || exit 1 ;;
	esac
done

# A target that complains about the unchanged allocators would "catch" anything.
for a in $("$BUILD/slabfuzz" list allocators | sed -n 's/^\([a-z0-9_-]\{1,\}\) .*/\1/p'); do
	if [ -n "$(ls "$dir/programs")" ] &&
		! SLABFUZZ_ALLOCATOR="$a" "$BUILD/libfuzzer_program" -timeout=60 \
			-artifact_prefix="$dir/" "$dir"/programs/* >"$dir/clean.log" 2>&1; then
		echo "ci/mutants.sh: $a, unchanged, fails on corpora/: see $dir/clean.log" >&2
		exit 1
	fi
done
for what in boots 'inject corpora/seeds/*.txt'; do
	# shellcheck disable=SC2086 # a command with its files
	if ! "$BUILD/slabfuzz" $what >"$dir/clean.log" 2>&1; then
		echo "ci/mutants.sh: the unchanged allocators fail $what: see $dir/clean.log" >&2
		exit 1
	fi
done

# shellcheck disable=SC2086 # a list of names
{
	for name in $names; do
		rm -f "$dir/$name/verdict"
	done
	printf '%s\n' $names | xargs -P "${JOBS:-$(nproc)}" -n 1 sh "$0" --one
	for name in $names; do
		cat "$dir/$name/verdict" || printf '%s\t-\tdid not run\t0\t0.0\n' "$name"
	done >"$dir/table"
}

awk -F '\t' -v json=$json -f ci/mutants.awk "$dir/table"
