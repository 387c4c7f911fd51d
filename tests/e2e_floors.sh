#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_floors.sh - nothing is silently left out: over all committed programs every invariant is
# judged often enough, and none is skipped on an allocator that can do everything. The negative
# controls (control_*.txt: what looks wrong and is the kernel's way) are silent under all of them.
. tests/lib/e2e.sh

floor=20 # judgements of each invariant over all programs

slabfuzz 0 run corpora/seeds/*.txt corpora/bench/*.txt
awk '/^(MEM|BUD|ACC|ISO)-[0-9]+ / { checked[$1] += $2; skipped[$1] += $3 }
	END { for (id in checked) print id, checked[id], skipped[id] }' "$tmp/out" |
	sort >"$tmp/sums"
known=$("$SLABFUZZ" list oracles | grep -c '^ *[A-Z]*-[0-9]')
check "all $known invariants are counted" test "$(wc -l <"$tmp/sums")" -eq "$known"
while read -r id checked skipped; do
	check "$id is judged at least $floor times: $checked" test "$checked" -ge "$floor"
	check "$id is never skipped" test "$skipped" -eq 0
done <"$tmp/sums"

for program in corpora/seeds/control_*.txt; do
	slabfuzz 0 run "$program"
	out_has ' 0 violations'
done
finish
