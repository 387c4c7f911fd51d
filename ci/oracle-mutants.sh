#!/bin/sh
# SPDX-License-Identifier: MIT
#
# oracle-mutants.sh [--json] [--rules] [NAME...] - would a test notice if a rule of the oracles were
# gone? In turn each rule function, each call of sf_title() and each text that titles are made of is
# disarmed: what it raises is dropped (tests/lib/disarm.c). Some unit test of the oracles must fail.
# Exit 1 if one can go and none does; 0 if each is missed. --rules: rule functions alone.
#
# Names: rule functions (sf_bud_3), places of a title (oracles/buddy.c:120), texts ("a split lost a
# part"). Rules are found in the objects of oracles/: global functions named after their invariant,
# sf_<family>_<number>[_<part>]; texts in the files that have rules, by ci/oracle-titles.awk. A rule
# that raises nothing itself and only keeps what another one needs is not run at all. From the
# Makefile: BUILD, ORACLE_TESTS, COMPILE (with flags), TEST_LIBS, CMD_LIBS, LIBS.
set -u

BUILD=${BUILD:-build}
dir=$BUILD/oracle-mutants
tests=${ORACLE_TESTS:?the tests of oracles}

# fails TARGET PROGRAM...: the first program that fails when TARGET is disarmed.
fails()
{
	target=$1
	shift
	for program; do
		if ! SLABFUZZ_DISARM=$target "$dir/test_$program" >/dev/null 2>&1; then
			echo "$program"
			return
		fi
	done
}

# one NAME TARGET INVARIANT: writes its line of the table.
one()
{
	start=$(date +%s.%N)
	# shellcheck disable=SC2086 # a list of names
	how=$(fails "$2" $tests)
	now=$(date +%s.%N)
	awk -v n="$1" -v i="$3" -v h="${how:-missed}" -v a="$start" -v b="$now" 'BEGIN {
		printf "%s\t%s\t%s\t%d\t%.1f\n", n, i, h, h != "missed", b - a }' \
		>"$(verdict_of "$1")"
}

verdict_of()
{
	echo "$dir/verdict/$(echo "$1" | cksum | tr ' ' -)"
}

if [ "${1-}" = --one ]; then
	IFS='	' read -r name target invariant <<-END
		$2
	END
	one "$name" "$target" "$invariant"
	exit 0
fi

json=no
only=.
names=
for arg; do
	case $arg in
	--json) json=yes ;;
	--rules) only='^sf_' ;;
	-*)
		echo "ci/oracle-mutants.sh: unknown option '$arg'" >&2
		echo 'usage: ci/oracle-mutants.sh [--json] [--rules] [NAME...]' >&2
		exit 2
		;;
	*)
		names="$names
$arg"
		;;
	esac
done

# The oracles without optimization: each title is then raised from a place of its own.
rm -rf "$dir"
mkdir -p "$dir/verdict"
# shellcheck disable=SC2016 # a command line of the inner shell
printf '%s\n' oracles/*.c | xargs -P "${JOBS:-$(nproc)}" -I '{}' sh -c \
	'$COMPILE -O0 -fno-pie -c -o "$1/$(basename "$2" .c).o" "$2"' - "$dir" '{}' || exit 1
nm -A --defined-only "$dir"/*.o | grep -E ' T sf_[a-z]+_[0-9]+(_[a-z0-9_]+)?$' >"$dir/objects"
sed 's/.* T //' "$dir/objects" | sort -u >"$dir/rules"
sed 's/.*/X(&)/' "$dir/rules" >"$dir/disarmed_rules.h"
wrap=$(for f in $(cat "$dir/rules") sf_title sf_report sf_boots_create; do
	printf ' -Wl,--wrap=%s' "$f"
done)
# shellcheck disable=SC2086
$COMPILE -O1 -fno-pie -I"$dir" -c -o "$dir/disarm.o" tests/lib/disarm.c || exit 1
# shellcheck disable=SC2086
for t in $tests; do
	$COMPILE -no-pie $wrap -o "$dir/test_$t" "$dir"/*.o "$BUILD/plain/tests/test_$t.o" \
		"$BUILD/plain/libslabfuzz.a" $TEST_LIBS $CMD_LIBS $LIBS || exit 1
done

# What is to be disarmed, a line each: name, target and invariant, separated by tabs.

# Functions from which calls lead to sf_title().
raising()
{
	objdump -d --no-show-raw-insn "$dir/test_oracles" | awk '
		/^[0-9a-f]+ <.*>:$/ { fn = substr($2, 2, length($2) - 3) }
		/call.*<[^+>]*>/ {
			callee = $NF
			gsub(/[<>]/, "", callee)
			sub(/^__wrap_/, "", callee)
			calls[fn, callee] = 1
		}
		END {
			raises["sf_title"] = 1
			do {
				more = 0
				for (c in calls) {
					split(c, pair, SUBSEP)
					if (raises[pair[2]] && !raises[pair[1]])
						more = raises[pair[1]] = 1
				}
			} while (more)
			for (fn in raises)
				if (raises[fn])
					print fn
		}'
}

rules()
{
	raising >"$dir/raising"
	while read -r f; do
		not=
		grep -qx "$f" "$dir/raising" || not=!
		invariant=$(echo "$f" | sed 's/^sf_\([a-z]*\)_\([0-9]*\).*/\1-\2/' |
			tr '[:lower:]' '[:upper:]')
		printf '%s\t%s\t%s\n' "$f" "$not$f" "$invariant"
	done <"$dir/rules"
}

# Objects of oracles/ come first in every program, so that a call has one distance from sf_title().
places()
{
	base=$((0x$(nm "$dir/test_oracles" | sed -n 's/ T __wrap_sf_title$//p')))
	objdump -d --no-show-raw-insn "$dir/test_oracles" | awk '
		wanted { sub(/:/, "", $1); print $1; wanted = 0 }
		/call.*<__wrap_sf_title>/ { wanted = 1 }' | while read -r a; do
		place=$(addr2line -e "$dir/test_oracles" "$(printf '%x' $((0x$a - 1)))" |
			sed 's|.*/\(oracles/[^ ]*\).*|\1|')
		line=${place#*:}
		invariant=$(sed -n "$line,$((line + 1))s/.*SF_INV_\([A-Z]*\)_\([0-9]*\).*/\1-\2/p" \
			"${place%:*}" | head -n 1)
		printf '%s\t0x%x\t%s\n' "$place" $((0x$a - base)) "${invariant:--}"
	done
}

# boots.c has no rule functions; its titles are constant, and have their id in front.
texts()
{
	sed -n 's|.*/\([a-z_]*\)\.o:.*|oracles/\1.c|p' "$dir/objects" | sort -u |
		xargs awk -f ci/oracle-titles.awk | sed 's/.*/&	=&	-/'
	awk -f ci/oracle-titles.awk oracles/boots.c | grep -E '^[A-Z]+-[0-9]+: ' |
		sed 's/^\([^:]*\): \(.*\)/\2	=\2	\1/'
}

{
	rules
	places
	texts
} >"$dir/targets"

if [ -n "$names" ]; then
	echo "$names" | while read -r n; do
		[ -n "$n" ] || continue
		awk -F '\t' -v n="$n" '$1 == n' "$dir/targets" >"$dir/target"
		if [ ! -s "$dir/target" ]; then
			echo "ci/oracle-mutants.sh: there is no rule or title '$n'" >&2
			exit 2
		fi
		cat "$dir/target"
	done >"$dir/chosen" || exit 2
else
	grep "$only" "$dir/targets" >"$dir/chosen"
fi

# What fails with everything armed would "miss" anything.
for t in $tests; do
	if ! "$dir/test_$t" >"$dir/clean.log" 2>&1; then
		echo "ci/oracle-mutants.sh: test_$t fails as it is: see $dir/clean.log" >&2
		exit 1
	fi
done

tr '\n' '\0' <"$dir/chosen" | xargs -0 -P "${JOBS:-$(nproc)}" -n 1 sh "$0" --one
while IFS='	' read -r name target invariant; do
	cat "$(verdict_of "$name")" ||
		printf '%s\t%s\tdid not run\t0\t0.0\n' "$name" "$invariant"
done <"$dir/chosen" >"$dir/table"
awk -F '\t' -v json=$json -v what='rules and titles whose loss a test notices' \
	-f ci/mutants.awk "$dir/table"
