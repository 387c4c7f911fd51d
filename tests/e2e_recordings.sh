#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_recordings.sh - recordings of real kernels through run, judge and import. Excerpts in
# corpora/traces are always tested; whole ones where SLABFUZZ_TRACES names a folder.
. tests/lib/e2e.sh

# number KEY: the first number that goes by that name in the JSON printed last.
number()
{
	sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" "$tmp/out" | head -n 1
}

# Replayed whole, and the model gives the kernel's own bytes_alloc for every event.
replays()
{
	slabfuzz 0 run "$1"
	out_has 'kmalloc \([0-9]*\) of \1 agree (100 %), '
	out_has 'named caches \([0-9]*\) of \1 agree (100 %)$'
	out_has ' 0 violations'
	slabfuzz 0 run --json "$1"
	total=$(number total)
	check "every allocation was compared ($total)" \
		test "$total" = $(($(number kmalloc) + $(number cache_alloc) - $(number failed)))
	slabfuzz 0 judge "$1"
	out_has '^MEM-17  *[1-9]'
	out_has ' 0 violations, '
}

for f in corpora/traces/*; do
	case $f in
	*.md) ;;
	*) replays "$f" ;;
	esac
done
if [ -n "${SLABFUZZ_TRACES-}" ]; then
	for f in "$SLABFUZZ_TRACES"/*; do
		case $f in
		*.md) ;;
		*) replays "$f" ;;
		esac
	done
else
	skip 'whole recordings' 'SLABFUZZ_TRACES is not set'
fi

# A program made from a recording runs by itself, and does the same.
f=corpora/traces/sockets-6.18.trace-cmd-report.txt.zst
slabfuzz 0 import "$f" -o "$tmp/program.txt"
out_has ' operations made$'
operations=$(sed -n 's/^ *\([0-9]*\)  operations made$/\1/p' "$tmp/out")
slabfuzz 0 run "$tmp/program.txt"
out_has ": baseline: $operations operations (0 skipped), .* 0 violations"
slabfuzz 0 import --json "$f" -o "$tmp/again.txt"
out_has '"counts": {'
check 'an import is the same every time' cmp -s "$tmp/program.txt" "$tmp/again.txt"
"$SLABFUZZ" import "$f" -o - >"$tmp/piped.txt" 2>"$tmp/err"
check 'import to standard output' cmp -s "$tmp/program.txt" "$tmp/piped.txt"
check 'with the counts on standard error' grep -q ' operations made$' "$tmp/err"
slabfuzz 0 show "$tmp/program.txt"
check 'an import is canonical' cmp -s "$tmp/program.txt" "$tmp/out"
slabfuzz 2 show "$f"
says 'is a recording'

# From standard input, although it is read twice.
check 'run - reads a recording from a pipe' sh -c \
	"cat '$f' | '$SLABFUZZ' run - | grep -q 'agree (100 %), named'"
check 'judge - likewise' sh -c "cat '$f' | '$SLABFUZZ' judge - | grep -q '^MEM-17  *[1-9]'"

# A recording that lies: told by line, exit 1.
# event TIME NAME FIELDS
event()
{
	echo "            bash-18844   [001] .....  3784.$1: $2: call_site=f+0x1/0x2 $3"
}
{
	printf '# tracer: nop\n#\n'
	tail='gfp_flags=GFP_KERNEL node=-1 accounted=false'
	event 243230 kmalloc "ptr=0000000001c1052c bytes_req=64 bytes_alloc=64 $tail"
	event 243231 kmalloc "ptr=0000000001c1052d bytes_req=64 bytes_alloc=128 $tail"
	event 243232 kfree 'ptr=0000000001c1052c'
} >"$tmp/lie.txt"
slabfuzz 1 run "$tmp/lie.txt"
out_has 'lie.txt:4: kmalloc of 64 bytes: recorded bytes_alloc=128, the model gives 64 (kmalloc-64)$'
out_has "^bytes_alloc: kmalloc 1 of 2 agree (50 %), named caches none allocated$"
slabfuzz 1 judge "$tmp/lie.txt"
out_has '^MEM-17: '
out_has '^  at .*lie.txt:4'
slabfuzz 1 run --tap "$tmp/lie.txt"
out_has '^not ok 1 - '

# Broken ones: one line, exit 2, no crash.
sed '4s/bytes_req=64/bytes_req=99999999999999999999999/' "$tmp/lie.txt" >"$tmp/range.txt"
slabfuzz 0 run "$tmp/range.txt"
out_has '^ *1  events with values that make no sense$'
out_has '^  first damaged event: line 4: bytes_req=99999999999999999999999: no such value$'
head -c 5000 corpora/traces/longnames-6.18.ftrace.txt.zst >"$tmp/cut.zst"
slabfuzz 0 run "$tmp/cut.zst"
out_has '^ *297  kmem events read$'
out_has '^ *1  files whose compressed data ends too early: read as far as it goes$'
head -c 50 corpora/traces/longnames-6.18.ftrace.txt.zst >"$tmp/cut.zst"
slabfuzz 2 run "$tmp/cut.zst"
says 'cut.zst'
slabfuzz 2 judge "$tmp/cut.zst"
slabfuzz 2 import "$tmp/cut.zst" -o "$tmp/cut.txt"
check 'nothing half-written' test ! -e "$tmp/cut.txt"
check 'nothing left behind' test -z "$(find "$tmp" -name 'cut.txt*')"
dat=corpora/traces/sockets-6.18.trace.dat
head -c "$(($(wc -c <$dat) / 2))" $dat >"$tmp/cut.dat"
slabfuzz 2 run "$tmp/cut.dat"
slabfuzz 2 judge corpora/seeds/bulk.txt
slabfuzz 2 judge "$tmp/nonesuch"
says 'nonesuch'
finish
