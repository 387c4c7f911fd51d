#!/bin/sh
# SPDX-License-Identifier: MIT
#
# automutants.sh [--json] - small mistakes drawn at random from all that could be made in
# allocators/*.c (tests/mutator.c): is each noticed? A mutated object is compiled alone and linked
# with tests/behaviour.c, which runs the corpora and then generated programs under all oracles; what
# raises nothing there, though other things happen, runs in lockstep with the build without it (a
# column of its own: no rule is needed for that); then what raises nothing is fuzzed for a while.
# What is left is sorted by measurement (ci/automutants.awk): the same events as without the
# mistake, or others that no rule forbids; tests/mutants/free.txt says which of these are no
# mistakes, and why.
#
# With KILL=1 what breaks a rule, and what is left, is then fuzzed from an empty corpus until it is
# found: ci/kill.sh has these mutants as patches.
#
# From the Makefile: BUILD, AUTO (how many), SEED, AUTO_SECONDS (of fuzzing for each that is left;
# 0: none), AUTO_PROGRAMS (generated), AUTO_FILES (mutate only these; default all that the models
# are made of: what is other people's, tests/behaviour.c does not run), BEHAVIOUR
# (arguments of tests/behaviour), AUTO_CC, AUTO_LD, AUTO_LIBS (plain flavor), PIC_CC, PIC_LD (of
# shared objects), MUTANT_CC, MUTANT_LD,
# MUTANT_LIBS (fuzz flavor). Exit 1 if something was neither noticed nor the same nor free.
set -u

BUILD=${BUILD:-build}
dir=$BUILD/automutants
free=tests/mutants/free.txt
models=$(printf '%s\n' allocators/*.c |
	grep -v -e /load -e /user_ -e /open -e /reference -e /traits \
		-e /settings)
seconds_max=${AUTO_SECONDS:-20}
programs=${AUTO_PROGRAMS:-10000}
tab=$(printf '\t')

# mutated FILE OFFSET LENGTH REPLACEMENT: the file with the mistake, to stdout.
mutated()
{
	head -c "$2" "$1"
	printf '%s' "$4"
	tail -c +"$(($2 + $3 + 1))" "$1"
}

# verdict HOW WHAT PROGRAMS: one line in the mutant's folder.
verdict()
{
	now=$(date +%s.%N)
	{
		printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t' "$1" "$file" "$line" "$column" "$kind" \
			"$old" "$new" "$2"
		awk -v n="$3" -v a="$start" -v b="$now" 'BEGIN { printf "%d\t%.1f\t", n, b - a }'
		sed -n "${line}p" "$file" | tr -s '\t ' '  ' |
			sed "s/^ //; s/\$/$tab$number$tab${lockstep:--}/"
	} >"$work/verdict"
	rm -f "$work"/*.o "$work"/*.so "$work/behaviour" "$work/target"
	exit 0
}

# ran STATUS LOG HOW: did that run end in a way that anybody would notice?
ran()
{
	title=$(sed -n 's/^# .*: op [0-9]*: \([A-Z]*-[0-9]*: .*\)$/\1/p' "$2" | head -n 1)
	after=$(sed -n 's/^# after \([0-9]*\) programs$/\1/p' "$2")
	tried=$((tried + ${after:-0}))
	[ -z "$title" ] || verdict "$3" "$title" "$tried"
	case $1 in
	0 | 1) ;;
	137 | 152) verdict "$3" "does not end" "$tried" ;;
	*) verdict "$3" "ends with status $1" "$tried" ;;
	esac
}

# behave HOW SECONDS PROGRAMS FILE...: CPU seconds, so that a busy machine makes nothing seem to
# hang.
behave()
{
	how=$1 limit=$2 nr=$3
	shift 3
	prlimit --cpu="$limit" "$work/behaviour" --stop --programs "$nr" "$@" \
		>"$work/$how.log" 2>&1
	ran $? "$work/$how.log" "$how"
}

# In lockstep with the build without the mistake: `lockstep` is the first difference, or "none".
compared()
{
	# shellcheck disable=SC2086 # commands with their flags
	$PIC_CC -iquote allocators -w -c -o "$work/pic.o" "$work/$(basename "$file")" &&
		$PIC_LD -shared -Wl,--version-script=ci/model-so.map -o "$work/mutant.so" \
			"$BUILD/pic/ci/model-so.o" "$work/pic.o" "$BUILD/pic/libslabfuzz.a" \
			$AUTO_LIBS 2>"$work/ld.log" || return
	lockstep=none
	for a in baseline typed large protected random; do
		prlimit --cpu=60 "$BUILD/slabfuzz" diff -a "$a,model:$work/mutant.so:$a" \
			--walk-every 16 --programs "${AUTO_COMPARED:-2000}" \
			corpora/seeds/*.txt corpora/regressions/*.txt >"$work/diff.log" 2>&1
		status=$?
		[ "$status" = 0 ] && continue
		lockstep=$(sed -n "s/^  \(diff [a-z]*: \).* \(after .*\)/\1$a \2/p" \
			"$work/diff.log" | head -n 1 | tr "$tab" ' ')
		lockstep=${lockstep:-status $status}
		return
	done
}

fuzzed()
{
	# shellcheck disable=SC2086 # commands with their flags
	$MUTANT_CC -iquote allocators -w -c -o "$work/fuzz.o" "$work/$(basename "$file")" &&
		$MUTANT_LD -fsanitize=fuzzer -o "$work/target" \
			"$BUILD/fuzz/harness/entry/libfuzzer_program.o" "$work/fuzz.o" \
			"$BUILD/fuzz/libslabfuzz.a" $MUTANT_LIBS || return
	for a in baseline typed large protected random; do
		mkdir -p "$work/corpus.$a"
		SLABFUZZ_ALLOCATOR=$a timeout "$((seconds_max + 20))" "$work/target" -seed=1 \
			-max_total_time="$((seconds_max / 5 + 1))" -timeout=30 -max_len=4096 \
			-print_final_stats=1 -artifact_prefix="$work/" "$work/corpus.$a" \
			>"$work/fuzz.log" 2>&1
		status=$?
		rm -rf "$work/corpus.$a"
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/fuzz.log" |
			tail -n 1)
		tried=$((tried + ${runs:-0}))
		[ "$status" = 0 ] && continue
		title=$(grep -aE '^[A-Z]+-[0-9]+: |^ASan: |ERROR: ' "$work/fuzz.log" | head -n 1)
		verdict fuzz "${title:-status $status}" "$tried"
	done
}

# compiles: the mutated object, and the behaviour test with it.
compiles()
{
	object=$work/$(basename "$file" .c).o
	mutated "$file" "$offset" "$length" "$new" >"$work/$(basename "$file")"
	# shellcheck disable=SC2086 # a command with its flags
	$AUTO_CC -g0 -iquote allocators -w -c -o "$object" "$work/$(basename "$file")" \
		2>"$work/cc.log" || verdict invalid '' 0
	if cmp -s "$object" "$dir/clean/$(basename "$file" .c).o"; then
		verdict same 'the same code' 0
	fi
	# shellcheck disable=SC2086
	$AUTO_LD -o "$work/behaviour" "$BUILD/plain/tests/behaviour.o" "$object" \
		"$BUILD/plain/libslabfuzz.a" $AUTO_LIBS 2>"$work/ld.log" || verdict invalid '' 0
}

# one NUMBER: tries the mutant of that number in $dir/drawn.
one()
{
	number=$1
	work=$dir/$1
	rm -rf "$work"
	mkdir -p "$work"
	start=$(date +%s.%N)
	tried=0
	row=$(sed -n "$1p" "$dir/drawn")
	# Not by IFS: blanks and tabs in a row would be one.
	file=$(echo "$row" | cut -f 1) offset=$(echo "$row" | cut -f 2)
	length=$(echo "$row" | cut -f 3) line=$(echo "$row" | cut -f 4)
	kind=$(echo "$row" | cut -f 5) new=$(echo "$row" | cut -f 6)
	old=$(head -c "$((offset + length))" "$file" | tail -c "$length" | tr -s '\n\t ' '   ')
	column=$(($(head -c "$offset" "$file" | tail -n +"$line" | wc -c) + 1))
	compiles

	# What most mistakes fail at comes first: the corpora, in a third of a second.
	recorded=${BEHAVIOUR%% *}
	# shellcheck disable=SC2086 # files
	behave corpora 20 0 $BEHAVIOUR
	[ "$programs" -le 1000 ] || behave generated 40 1000 "$recorded"
	tried=$(sed -n 's/^# after \([0-9]*\) programs$/\1/p' "$work/corpora.log")
	behave generated 120 "$programs" "$recorded"
	areas=$(cat "$work/corpora.log" "$work/generated.log" | sed -n 's/^# [^:]*://p' |
		tr ' ' '\n' | sort -u | grep -v '^$' | paste -s -d ' ')
	if grep -q '^ok 1 ' "$work/corpora.log" && grep -q '^ok 1 ' "$work/generated.log"; then
		alike=yes
	else
		alike=no
		compared
	fi
	[ "$seconds_max" = 0 ] || fuzzed
	if [ $alike = yes ]; then
		verdict same 'the same events' "$tried"
	fi
	verdict left "$areas" "$tried"
}

# patches FILE: of the mutants of these numbers, one a line, those with no title that is due.
patches()
{
	mkdir -p "$dir/patches"
	while read -r number; do
		source=$(cut -f 2 "$dir/$number/verdict")
		to=$dir/patches/$(basename "$source" .c)-$(cut -f 3 "$dir/$number/verdict")-$number
		{
			echo "# on: $("$BUILD/slabfuzz" list allocators |
				sed -n 's/^\([a-z0-9_-]\{1,\}\) .*/\1/p' | tr '\n' ' ')"
			diff -u --label "a/$source" --label "b/$source" "$source" \
				"$dir/$number/$(basename "$source")"
		} >"$to.patch"
	done <"$1"
}

# Lines of free.txt are found by the text that they are about: one whose text is gone is mended.
check_free()
{
	status=0
	while IFS=$tab read -r name text _ why; do
		case $name in
		'' | '#'*) continue ;;
		esac
		[ "$name" != '*' ] || name='*.c'
		# shellcheck disable=SC2086 # a pattern
		if [ -z "$why" ] ||
			! cat allocators/$name | tr -s '\t ' '  ' | grep -qF -- "$text"; then
			echo "ci/automutants.sh: $free: no such text, or no reason: $name: $text" \
				>&2
			status=2
		fi
	done <"$free"
	return $status
}

if [ "${1-}" = --one ]; then
	one "$2"
	exit 0
fi

json=no
for arg; do
	case $arg in
	--json) json=yes ;;
	*)
		echo "ci/automutants.sh: unknown argument '$arg'" >&2
		echo 'usage: ci/automutants.sh [--json]' >&2
		exit 2
		;;
	esac
done
check_free || exit 2
rm -rf "$dir"
mkdir -p "$dir/clean"
# shellcheck disable=SC2086 # files
"$BUILD/mutator" ${AUTO_FILES:-$models} >"$dir/all" || exit 2
# In an order that depends on the seed alone. What only looks whether all is well allocates nothing.
grep -v '^allocators/heap_\(check\|assert\)\.c' "$dir/all" |
	awk -v seed="${SEED:-1}" 'BEGIN { srand(seed) } { printf "%.9f\t%s\n", rand(), $0 }' |
	sort | cut -f 2- >"$dir/drawn"
for f in ${AUTO_FILES:-$models}; do
	echo "$AUTO_CC -g0 -w -c -o $dir/clean/$(basename "$f" .c).o $f"
done | xargs -P "${JOBS:-$(nproc)}" -I CMD sh -c CMD || exit 2

# What does not compile is drawn again: batches, until there are enough.
from=1
want=${AUTO:-100}
while [ "$want" -gt 0 ] && [ "$from" -le "$(wc -l <"$dir/drawn")" ]; do
	seq "$from" $((from + want - 1)) | xargs -P "${JOBS:-$(nproc)}" -n 1 sh "$0" --one
	from=$((from + want))
	tried=$(cat "$dir"/*/verdict | grep -vc "^invalid$tab")
	want=$((${AUTO:-100} - tried))
done

cat "$dir"/*/verdict | sort -t "$tab" -k 2,2 -k 3,3n -k 4,4n >"$dir/verdicts"
sorted()
{
	awk -F '\t' -v json=$json -v breaking="$dir/breaking" -f ci/automutants.awk "$free" \
		"$dir/verdicts"
}
if [ -z "${KILL-}" ]; then
	sorted
	exit
fi
[ $json = no ] || echo '{"sorted":'
sorted
status=$?
patches "$dir/breaking"
[ $json = no ] && echo || echo ', "kill":'
# shellcheck disable=SC2046 # an option or none
PATCHES=$dir/patches ci/kill.sh $([ $json = no ] || echo --json) || status=$?
[ $json = no ] || echo '}'
exit $status
