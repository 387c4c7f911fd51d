#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_fuzz_restarts.sh - an engine that is ended is started again: an allocator is fuzzed, as
# `make fuzz` does, that now and then ends the process, as one without memory does. The engine must
# go on with the corpus that it had, other bugs must be found all the same, and the counts must be
# those of all its lives. Speaks TAP. Needs BUILD and SLABFUZZ; skipped where libFuzzer is not
# there.
#
# Needs: libfuzzer_program
set -u

. tests/lib/planted.sh
begin e2e_fuzz_restarts "starts again"

# Every so many programs, so that an engine lives for a while, whatever it runs; and size classes
# off by one, for the oracles.
plant()
{
	cp -r allocators "$dir/allocators" &&
		patch -s -p1 -d "$dir" <tests/mutants/M9-class-off-by-one.patch &&
		sed '/^void heap_reset(/,/^}/s/^	h->cpu = 0;/&\
	static unsigned int nr;\
	if (++nr == 2500)\
		exit(3);/' "$dir/allocators/heap.c" >"$dir/heap.c" &&
		grep -q 'nr == 2500' "$dir/heap.c" && mv "$dir/heap.c" "$dir/allocators/heap.c"
}

plant >"$dir/out" 2>&1 && build heap kmalloc >>"$dir/out" 2>&1
check "allocators with bugs are built" $?

BUILD="$dir" SLABFUZZ="$SLABFUZZ" FUZZ_TARGET="$dir/libfuzzer_program" FUZZ_JOBS=1 \
	FUZZ_SECONDS=${RESTARTS_SECONDS:-20} SLABFUZZ_ASSERT=0 sh ci/fuzz.sh >"$dir/out" 2>&1
check "finds make the exit status 1" $(($? != 1))

log=$dir/corpus/program.log
lives=$(grep -c 'INITED' "$log")
test "$lives" -gt 1 && grep -q 'fuzz target exited' "$log"
check "the engine was ended, and started again" $?
# What an engine covers with what it begins with, against what the one before it had.
awk '/^#[0-9]+.* cov: / {
		for (i = 1; i < NF; i++)
			if ($i == "cov:")
				cov = $(i + 1)
	}
	/INITED/ { if (lives++ && cov < 0.95 * before) bad++ }
	{ before = cov > before ? cov : before }
	END { exit bad || lives < 2 }' "$log"
check "it goes on with its corpus" $?
grep -q 'found *ISO-2: kmalloc-[0-9k]* is not the smallest class that fits' "$dir/out"
check "another bug is found" $?
# (What it did alone may be another bug's: then that is what the summary says of it.)
find "$dir/crashes/libfuzzer" -type f -name '0-crash-*' | grep -q .
check "what the engine was at when it ended is saved" $?
awk '/executions/ { all = $2 }
	/^    [a-z]* *[0-9]+ \([0-9]+ edges\)$/ {
		n++
		sum += $2
		gsub(/\(/, "", $3)
		if ($3 + 0 < 500) exit 1
	}
	END { exit !(all > 0 && sum == all && n >= 5) }' "$dir/out"
check "executions and edges are whole, for each allocator" $?
# The seeds alone are run by each life: on five allocators.
seeds=$(find corpora/seeds -name '*.txt' | wc -l)
runs=$(awk '/executions/ { print $2; exit }' "$dir/out")
test "${runs:-0}" -gt "$((lives * seeds))"
check "the executions of all lives are counted" $?
echo "1..$n"
