#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_floors.sh - nothing is silently left out: over all committed programs every invariant is
# judged often enough, and none is skipped on an allocator that can do everything. The negative
# controls (control_*.txt: what looks wrong and is the kernel's way) are silent under all of them.
. tests/lib/e2e.sh

floor=20 # judgements of each invariant over all programs

# What may be skipped, and why: what this heap or allocator does not have. Programs that misuse the
# allocator skip nearly everything from there on: they are left out.
excuses=" is off$|the allocator lacks '(random|typed|large|pools)'$|^kfree_nolock does not wipe$"
excuses="$excuses|^no slab has shown its cache's order yet$|^judged over many boots"

set --
for program in corpora/seeds/*.txt corpora/bench/*.txt; do
	grep -q '^heap.* misuse=1' "$program" || set -- "$@" "$program"
done
slabfuzz 0 run -v -a all "$@"
awk '/^[A-Z]+-[0-9]+ / && !/^MAL/ { print }' "$tmp/out" >"$tmp/sums"

# The rules of user space have programs and an allocator of their own. That it has no blocks is an
# excuse, and so is that it does not die: tests/test_malloc_oracles.c has these three.
slabfuzz 0 run -v -a reference corpora/user/*.txt
awk '/^MAL-[0-9]+ / { print }' "$tmp/out" >"$tmp/user"
while read -r id checked skipped _ why; do
	case $id in
	MAL-11 | MAL-12)
		case $why in
		*'is not known') unknown=yes ;;
		*) unknown=no ;;
		esac
		check "$id: $why" test $unknown = yes
		;;
	MAL-17) check "$id is left to who dies" test "$checked" -eq 0 ;;
	*) check "$id is judged: $checked" test "$checked" -ge 1 ;;
	esac
done <"$tmp/user"
cat "$tmp/user" >>"$tmp/all"
cat "$tmp/sums" >>"$tmp/all"
known=$("$SLABFUZZ" list oracles | grep -c '^ *[A-Z]*-[0-9]')
check "all $known invariants are counted" test "$(wc -l <"$tmp/all")" -eq "$known"
boots=$("$SLABFUZZ" list oracles | awk '$2 == "boots" { print $1 }' | tr '\n' ' ')
while read -r id checked skipped _ why; do
	case " $boots" in
	*" $id "*) check "$id is left to the boots" test "$checked" -eq 0 ;;
	*) check "$id is judged at least $floor times: $checked" test "$checked" -ge "$floor" ;;
	esac
	# shellcheck disable=SC2016 # the inner shell's
	[ "$skipped" -eq 0 ] ||
		check "$id is skipped for a good reason: $why" \
			sh -c 'echo "$1" | grep -Eq "$2"' sh "$why" "$excuses"
done <"$tmp/sums"

for program in corpora/seeds/control_*.txt; do
	slabfuzz 0 run "$program"
	out_has ' 0 violations'
done
finish
