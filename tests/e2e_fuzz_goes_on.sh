#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_fuzz_goes_on.sh - a find does not end a fuzzing run: allocators with bugs planted, one of them
# where every second program goes, are fuzzed as `make fuzz` does. All titles must be found by
# engines that nothing ended, and the summary must be whole. Speaks TAP. Needs BUILD and SLABFUZZ;
# skipped where libFuzzer is not there.
#
# Needs: libfuzzer_program
set -u

. tests/lib/planted.sh
begin e2e_fuzz_goes_on "goes on"

# after FUNCTION LINE: puts LINE in front of the first statement of that function of heap.c.
after()
{
	awk -v fn="$1(" -v line="$2" '
		{ print }
		index($0, fn) && /^void/ { in_it = 1 }
		in_it && /heap_assert/ { print line; in_it = 0; n++ }
		END { exit n != 1 }' "$heap" >"$heap.new" && mv "$heap.new" "$heap"
}

# Size classes off by one, for the oracles; another CPU, which every second program goes to, is a
# crash; page blocks are read after they are freed, for AddressSanitizer.
plant()
{
	heap=$dir/allocators/heap.c
	cp -r allocators "$dir/allocators" &&
		patch -s -p1 -d "$dir" <tests/mutants/M9-class-off-by-one.patch &&
		after heap_set_cpu '	if (cpu == 1) *(volatile char *)0 = 0;' &&
		after heap_pages_free \
			'	arena_close(h, addr, 4096); arena_verify(h, addr, 8, 0, 0);'
}

plant >"$dir/out" 2>&1 && build heap kmalloc >>"$dir/out" 2>&1
check "allocators with bugs are built" $?

BUILD="$dir" SLABFUZZ="$SLABFUZZ" FUZZ_TARGET="$dir/libfuzzer_program" FUZZ_JOBS=2 \
	FUZZ_SECONDS=${GOES_ON_SECONDS:-20} SLABFUZZ_ASSERT=0 sh ci/fuzz.sh >"$dir/out" 2>&1
check "finds make the exit status 1" $(($? != 1))
grep -q 'found *ISO-2: kmalloc-[0-9k]* is not the smallest class that fits' "$dir/out"
check "the oracles' bug is found" $?
grep -q 'found *ASan: SEGV in heap_set_cpu' "$dir/out"
check "the crash in every second program is found, with its function" $?
grep -q 'found *ASan: use-after-poison in ' "$dir/out"
check "the read of freed memory is found" $?
! grep 'found *' "$dir/out" | sort | uniq -d | grep -q .
check "each title is there once" $?
grep -A2 'found *ISO-2: kmalloc' "$dir/out" | grep -q 'confirmed: 3 of 3 fresh processes'
check "the oracles' bug is confirmed in fresh processes" $?
grep -A2 'found *ASan: SEGV in heap_set_cpu' "$dir/out" | grep -q 'confirmed: 3 of 3'
check "so is the crash" $?

log=$dir/corpus/program.log
test "$(grep -c 'INITED' "$log")" = 2
check "no find ended an engine" $?
test "$(grep -c 'stat::number_of_executed_units' "$log")" = 2
check "both engines ended by themselves" $?
awk '/executions/ { all = $2 }
	/^    [a-z]* *[0-9]+ \([0-9]+ edges\)$/ {
		n++
		sum += $2
		gsub(/\(/, "", $3)
		if ($3 + 0 < 500) exit 1
	}
	END { exit !(all > 0 && sum == all && n >= 5) }' "$dir/out"
check "executions and edges are whole, for each allocator" $?
text=$(grep -A1 'found *ASan: SEGV in heap_set_cpu' "$dir/out" | tail -n 1 | tr -d ' ')
on=$(sed -n 's/^# allocator: //p' "$text" 2>/dev/null)
test -s "$text" && test -s "${text%.txt}" &&
	grep -q '^# report:.* in heap_set_cpu' "$text" &&
	SLABFUZZ_ALLOCATOR=$on "$dir/libfuzzer_program" "${text%.txt}" 2>&1 | grep -q 'SEGV'
check "its program crashes again, and the report is in its text" $?
times=$(cat "$dir"/corpus/program-counts.* | tr -d '\000' |
	awk '/title ASan: SEGV in heap_set_cpu$/ { sum += $1 } END { print sum + 0 }')
test "$times" -gt 1 &&
	grep -A2 'found *ASan: SEGV in heap_set_cpu' "$dir/out" | grep -q " $times times"
check "it was counted under that title" $?
# One title for one crash: of a run that goes on, and of one that ends with it. (What depends on the
# programs before it is another crash alone: what was confirmed does not.)
bad=0
seen=0
grep -A2 'found  *ASan: ' "$dir/out" | grep -B1 'confirmed: 3 of 3 fresh processes$' |
	sed -n 's/^ *\(.*\.txt\)$/\1/p' >"$dir/alone"
while read -r text; do
	title=$(sed -n 's/^# title: //p' "$text")
	on=$(sed -n 's/^# allocator: //p' "$text")
	[ "$seen" -lt 6 ] || break
	mkdir -p "$dir/again"
	SLABFUZZ_CRASHES="$dir/again" SLABFUZZ_ALLOCATOR=$on SLABFUZZ_ASSERT=0 \
		timeout 60 "$dir/libfuzzer_program" -artifact_prefix="$dir/again/" "${text%.txt}" \
		>"$dir/again.log" 2>&1
	seen=$((seen + 1))
	grep -qxF "$title" "$dir/again.log" || {
		bad=$((bad + 1))
		echo "# $title: $(grep -a '^ASan: ' "$dir/again.log" | head -n 1)"
	}
done <"$dir/alone"
test "$seen" -gt 0 && test "$bad" = 0
check "an input that runs alone has the title that it was found under" $?
# Two engines may be at it at the same time.
find "$dir/crashes" -maxdepth 1 -type f -name '*-*-*' ! -name '*.txt' | sed 's/-[0-9a-f]*$//' |
	sort | uniq -c | awk '$1 > 9 { bad = 1 } END { exit bad || !NR }'
check "a title has no more than its files" $?
echo "1..$n"
