#!/bin/sh
# SPDX-License-Identifier: MIT
#
# automutants.sh - small mistakes drawn at random from all that could be made in allocators/*.c
# (tests/mutator.c): is each noticed? A mutated object is compiled alone and linked with
# tests/behaviour.c, which runs the corpora and then generated programs under all oracles; what
# raises nothing there is fuzzed for a while. What is left is sorted by measurement: the same events
# as without the mistake (equivalent, as far as seen), or others that no rule forbids.
#
# From the Makefile: BUILD, AUTO (how many), SEED, AUTO_SECONDS (of fuzzing for each that is left;
# 0: none), AUTO_PROGRAMS (generated), AUTO_FILES (mutate only these; default all), BEHAVIOUR
# (arguments of tests/behaviour), AUTO_CC, AUTO_LD, AUTO_LIBS (plain flavor), MUTANT_CC, MUTANT_LD,
# MUTANT_LIBS (fuzz flavor). Exit 1 if something was neither noticed nor equivalent.
set -u

BUILD=${BUILD:-build}
dir=$BUILD/automutants
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

# verdict HOW WHAT: one line in the mutant's folder.
verdict()
{
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$file" "$line" "$kind" "$old" "$new" "$2" \
		>"$work/verdict"
	rm -f "$work"/*.o "$work/behaviour" "$work/target"
	exit 0
}

# ran STATUS LOG HOW: did that run end in a way that anybody would notice?
ran()
{
	title=$(sed -n 's/^# .*: op [0-9]*: \([A-Z]*-[0-9]*: .*\)$/\1/p' "$2" | head -n 1)
	[ -z "$title" ] || verdict "$3" "$title"
	case $1 in
	0 | 1) ;;
	137 | 152) verdict "$3" "does not end" ;;
	*) verdict "$3" "ends with status $1" ;;
	esac
}

# behave HOW SECONDS PROGRAMS: CPU seconds, so that a busy machine makes nothing seem to hang.
behave()
{
	# shellcheck disable=SC2086 # files
	(ulimit -t "$2" && exec "$work/behaviour" --stop --programs "$3" $BEHAVIOUR) \
		>"$work/log" 2>&1
	ran $? "$work/log" "$1"
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
			-artifact_prefix="$work/" "$work/corpus.$a" >"$work/fuzz.log" 2>&1
		status=$?
		rm -rf "$work/corpus.$a"
		[ "$status" = 0 ] && continue
		title=$(grep -aE '^[A-Z]+-[0-9]+: |^ASan: |ERROR: ' "$work/fuzz.log" | head -n 1)
		verdict fuzz "${title:-status $status}"
	done
}

# one NUMBER: tries the mutant of that number in $dir/drawn.
one()
{
	work=$dir/$1
	rm -rf "$work"
	mkdir -p "$work"
	row=$(sed -n "$1p" "$dir/drawn")
	# Not by IFS: blanks and tabs in a row would be one.
	file=$(echo "$row" | cut -f 1) offset=$(echo "$row" | cut -f 2)
	length=$(echo "$row" | cut -f 3) line=$(echo "$row" | cut -f 4)
	kind=$(echo "$row" | cut -f 5) new=$(echo "$row" | cut -f 6)
	old=$(head -c "$((offset + length))" "$file" | tail -c "$length" | tr '\n\t' '  ')
	object=$work/$(basename "$file" .c).o
	mutated "$file" "$offset" "$length" "$new" >"$work/$(basename "$file")"

	# shellcheck disable=SC2086 # a command with its flags
	$AUTO_CC -g0 -iquote allocators -w -c -o "$object" "$work/$(basename "$file")" \
		2>"$work/cc.log" || verdict invalid ''
	if cmp -s "$object" "$dir/clean/$(basename "$file" .c).o"; then
		verdict same 'the same code'
	fi
	# shellcheck disable=SC2086
	$AUTO_LD -o "$work/behaviour" "$BUILD/plain/tests/behaviour.o" "$object" \
		"$BUILD/plain/libslabfuzz.a" $AUTO_LIBS 2>"$work/ld.log" || verdict invalid ''

	behave corpora 30 0
	behave generated 120 "$programs"
	areas=$(sed -n 's/^# [^:]*://p' "$work/log" | tr ' ' '\n' | sort -u | grep -v '^$' |
		paste -s -d ' ')
	[ "$seconds_max" = 0 ] || fuzzed
	if grep -q '^ok 1 ' "$work/log"; then
		verdict same 'the same events'
	fi
	verdict left "$areas"
}

if [ "${1-}" = --one ]; then
	one "$2"
	exit 0
fi

rm -rf "$dir"
mkdir -p "$dir/clean"
"$BUILD/mutator" ${AUTO_FILES:-allocators/*.c} >"$dir/all" || exit 2
# In an order that depends on the seed alone.
awk -v seed="${SEED:-1}" 'BEGIN { srand(seed) } { printf "%.9f\t%s\n", rand(), $0 }' "$dir/all" |
	sort | cut -f 2- >"$dir/drawn"
for f in ${AUTO_FILES:-allocators/*.c}; do
	# shellcheck disable=SC2086 # a command with its flags
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

cat "$dir"/*/verdict | sort -t "$tab" -k 2,2 -k 3,3n >"$dir/verdicts"
awk -F '\t' '
	$1 == "left" || ($1 == "same" && $7 == "the same events") {
		printf "%s\n  %s:%s: %s: %s -> %s\n",
			$1 == "left" ? "no rule forbids it; other events: " $7 : $7, $2, $3, $4,
			$5, $6 == "" ? "nothing" : $6
	}
	$1 != "invalid" { n[$1]++; total++ }
	END {
		caught = n["corpora"] + n["generated"] + n["fuzz"]
		judged = caught + n["left"]
		printf "%d mutants: %d noticed (%d by the corpora, %d by generated programs, " \
			"%d by fuzzing), %d equivalent as far as seen, %d left\n", total, caught,
			n["corpora"], n["generated"], n["fuzz"], n["same"], n["left"]
		if (judged)
			printf "%.1f %% of those that change anything are noticed\n",
				100 * caught / judged
		exit n["left"] > 0
	}' "$dir/verdicts"
