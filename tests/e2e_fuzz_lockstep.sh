#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_fuzz_lockstep.sh - `slabfuzz fuzz --lockstep`: a change that no rule forbids is a find, named,
# counted, confirmed, and ends no engine; members that may differ are none. Speaks TAP. Needs BUILD
# and SLABFUZZ; skipped where libFuzzer is not there.
#
# Needs: libfuzzer_program replay
set -u

. tests/lib/planted.sh
begin e2e_fuzz_lockstep "in lockstep"

# A refill of per-CPU lists takes what it likes, within bounds.
plant()
{
	cp -r allocators "$dir/allocators" &&
		sed -i 's/base << p->alloc_factor/base << (p->alloc_factor \& 0)/' \
			"$dir/allocators/page_pcp.c" &&
		! cmp -s allocators/page_pcp.c "$dir/allocators/page_pcp.c" &&
		OUT="$dir/changed.so" TREE="$dir" CFLAGS=-O1 JOBS=2 sh ci/model-so.sh
}

plant >"$dir/out" 2>&1
check "a changed build of the models is made" $?

# fuzz NAME OPTION...: ten seconds in a corpus of its own.
fuzz()
{
	name=$1
	shift
	"$SLABFUZZ" fuzz --seconds "${LOCKSTEP_SECONDS:-10}" --jobs 1 --seed 1 \
		--corpus "$dir/$name" --crashes "$dir/$name-crashes" "$@" >"$dir/out" 2>&1
}

fuzz changed -a typed --lockstep="model:$dir/changed.so:typed"
check "differences make the exit status 1" $(($? != 1))
title="diff events: typed N, model:$dir/changed.so:typed N after "
grep -q "found *$title" "$dir/out"
check "the change is found under its property and its members" $?
! grep -q 'found *[A-Z]*-[0-9]*: ' "$dir/out"
check "no rule forbids it" $?
! grep 'found *' "$dir/out" | sort | uniq -d | grep -q .
check "each title is there once" $?
grep -A2 "found *$title" "$dir/out" | grep -q 'confirmed: 3 of 3 fresh processes'
check "it is confirmed in fresh processes" $?
grep -A2 "found *$title" "$dir/out" | grep -q '[0-9] times; '
check "it was met more than once: it ended nothing" $?
test "$(grep -c 'stat::number_of_executed_units' "$dir/changed.log")" = 1
check "the engine ended by itself" $?
grep -q 'lockstep *model:.*: [1-9][0-9]* values compared' "$dir/out"
check "the summary says how much was compared" $?

text=$(grep -A1 "found *$title" "$dir/out" | sed -n '2s/^ *//p')
on=$(sed -n 's/^# detail: slabfuzz diff -a //p' "$text" 2>/dev/null)
test "$on" = "typed,model:$dir/changed.so:typed" &&
	"$SLABFUZZ" diff -a "$on" "$text" >"$dir/out" 2>&1
test $? = 1 && grep -q '^  diff events: typed [0-9]*, ' "$dir/out" && grep -q '^>>> ' "$dir/out"
check "its text says how to see it whole, and that shows it" $?
SLABFUZZ_ALLOCATOR=typed SLABFUZZ_LOCKSTEP="model:$dir/changed.so:typed" \
	timeout 60 "$BUILD/replay" "$text" >"$dir/out" 2>&1
test $? = 1 && grep -q "^$title" "$dir/out"
check "it comes again without an engine" $?

fuzz may -a typed --lockstep
status=$?
grep -q 'lockstep *default: [1-9][0-9]* values compared' "$dir/out" && test $status = 0
check "nothing is found in members that may differ" $?
fuzz json -a reference --lockstep --json
status=$?
grep -q '"with": "default"' "$dir/out" && grep -q '"compared": [1-9]' "$dir/out" &&
	test $status = 0
check "user space has partners, too" $?

# A snapshot that goes on on another CPU: only a check that is put in shows it.
move()
{
	rm -rf "$dir/allocators" && cp -r allocators "$dir/allocators" &&
		sed -i 's/^	emit_counters(&w);/&\n	h->cpu = 0;/' \
			"$dir/allocators/snapshot.c" &&
		! cmp -s allocators/snapshot.c "$dir/allocators/snapshot.c" &&
		OUT="$dir/moves.so" TREE="$dir" CFLAGS=-O1 JOBS=2 sh ci/model-so.sh
}

move >"$dir/out" 2>&1
check "a build whose snapshots have a side effect is made" $?
fuzz relations -a "model:$dir/moves.so:typed" --lockstep=relations --seconds 3
status=$?
grep -q 'found *relation checks: ' "$dir/out" && test $status = 1
check "it is found under its relation" $?
grep -A2 'found *relation checks: ' "$dir/out" | grep -q 'confirmed: 3 of 3 fresh processes'
check "it is confirmed, too" $?

"$SLABFUZZ" fuzz -a typed --lockstep=nosuch >"$dir/out" 2>&1
test $? = 2 && grep -q "no allocator 'nosuch'" "$dir/out"
check "who is no allocator is no partner" $?
echo "1..$n"
