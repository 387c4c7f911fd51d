#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_inject.sh - `slabfuzz inject`: each allocation of a program fails in turn.
. tests/lib/e2e.sh

cat >"$tmp/program.txt" <<'END'
heap sheaves=0
r0 = kmalloc(100, GFP_KERNEL)
r1 = kmalloc(1000, GFP_KERNEL)
END
# row ALLOCATOR SLAB PAGE OUTAGE: a line of the table, numbers as they are printed.
row() { out_has "program.txt  *$1  *$2  *$3  *$4  *[0-9][0-9]*  *0\$"; }

slabfuzz 0 inject corpora/seeds/*.txt
silent
out_has '^program  *allocator  *slab  *page  *outage  *operations  *violations$'
out_has '^[0-9]* files, [1-9][0-9]* failures injected: 0 violations$'
allocators=$("$SLABFUZZ" list allocators | grep -c '^[a-z0-9_-]\{1,\} ')
files=$(find corpora/seeds -name '*.txt' | wc -l)
check 'a line for each file and allocator' \
	test "$(grep -c '^corpora/seeds/.* 0$' "$tmp/out")" -eq $((allocators * files))

slabfuzz 0 inject "$tmp/program.txt"
for a in $("$SLABFUZZ" list allocators | sed -n 's/^\([a-z0-9_-]\{1,\}\) .*/\1/p'); do
	row "$a" 2 2 2
done
slabfuzz 0 inject -a typed --max 1 "$tmp/program.txt"
row typed 1+ 1+ 1+
out_lacks baseline
out_has '^1 files, 3 failures injected: 0 violations$'
slabfuzz 0 inject -a typed --max 3 "$tmp/program.txt"
row typed 2 2 2
# A sheaf is filled with several slabs: more pages are asked for.
slabfuzz 0 inject -a baseline --set sheaves=1 "$tmp/program.txt"
row baseline 2 '[3-9]' 2
slabfuzz 0 compile "$tmp/program.txt" -o "$tmp/program"
slabfuzz 0 inject -a baseline "$tmp/program"
out_has ' baseline  *2  *2 '

slabfuzz 0 inject --json -a baseline --max 1 "$tmp/program.txt"
silent
for key in program allocator operations oracles violations slab page outage failures cut; do
	out_has "\"$key\": "
done
out_has '"violations": \[\]'
out_has '"cut": true'
out_has '"ACC-18": {'

slabfuzz 2 inject
says 'which file'
slabfuzz 2 inject "$tmp/none.txt"
says 'none.txt'
slabfuzz 2 inject corpora/traces/sockets-6.18.trace-cmd-report.txt.zst
says 'recording.*slabfuzz import'
slabfuzz 2 inject --max 0 "$tmp/program.txt"
says "from 1 on, not '0'"
slabfuzz 2 inject --max some "$tmp/program.txt"
says "not 'some'"
slabfuzz 2 inject -a nonesuch "$tmp/program.txt"
says nonesuch
slabfuzz 2 inject --set nonesuch=1 "$tmp/program.txt"
says nonesuch
slabfuzz 2 inject --set nokmem=1 --set memcg=0 "$tmp/program.txt"
says 'program.txt'
echo 'r0 = nonsense()' >"$tmp/wrong.txt"
slabfuzz 2 inject "$tmp/wrong.txt"
says 'wrong.txt:1:'
finish
