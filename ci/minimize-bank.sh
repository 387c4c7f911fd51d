#!/bin/sh
# SPDX-License-Identifier: MIT
#
# minimize-bank.sh [NAME...] - how small does `slabfuzz minimize` make what shows a seeded bug? For
# each tests/mutants/NAME.patch that a program shows: the allocators are copied and patched and
# linked to a command; the shortest program of the corpora that shows the title is buried in OPS
# random operations (tests/bury.c) and minimized. Prints a table by bug and the sum; exit 1 if fewer
# than LEAST (default: half) come out no longer than the program that was written by hand.
#
# From the Makefile: BUILD, MUTANT_CC, MUTANT_LD, MUTANT_LIBS (plain flavor).
set -u

BUILD=${BUILD:-build}
OPS=${OPS:-1000}
dir=$BUILD/minimize

# shellcheck source=ci/mutant-common.sh
. "$(dirname "$0")/mutant-common.sh"

# link WORK: the command with the patched allocators.
link()
{
	# shellcheck disable=SC2086
	$MUTANT_LD -o "$1/slabfuzz" "$BUILD"/plain/harness/cmd/*.o "$1"/*.o \
		"$BUILD/plain/libslabfuzz.a" $MUTANT_LIBS
}

# shortest WORK TITLE ON: the program of the corpora that shows it with the fewest operations, and
# how many.
shortest()
{
	"$1/slabfuzz" run -a "$3" --json corpora/seeds/*.txt corpora/user/*.txt \
		corpora/regressions/*.txt >"$1/all.json" 2>"$1/run.log"
	jq -r --arg t "$2" '[.violations[], .crashes[]? | select(.title | startswith($t)) |
		.program] | unique | .[]' "$1/all.json" |
		while read -r file; do
			printf '%s %s\n' "$("$BUILD/slabfuzz" show "$file" |
				grep -cv -e '^heap ' -e '^#' -e '^$')" "$file"
		done | sort -n | head -n 1
}

# row NAME WRITTEN BURIED AFTER SECONDS REMARK
row()
{
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@" >"$dir/$1/row"
}

one()
{
	name=$1
	patch=tests/mutants/$name.patch
	title=$(field title "$patch")
	by=$(field by "$patch")
	on=$(field on "$patch")
	on=${on:-baseline}
	work=$(cd "$dir" && pwd)/$name

	mkdir -p "$work"
	case $by in
	boots | inject | "run "*)
		row "$name" - - - - "shown by $by alone"
		return
		;;
	esac
	if ! { mutated_objects . "$patch" "$work" && link "$work"; } >"$work.build" 2>&1; then
		mkdir -p "$work"
		row "$name" - - - - "does not build: $work.build"
		return
	fi
	hand=$(shortest "$work" "$title" "$on")
	if [ -z "$hand" ]; then
		row "$name" - - - - 'no program of the corpora shows it without sanitizers'
		return
	fi
	for seed in 1 2 3 4 5 6 7 8; do
		"$BUILD/plain/tests/bury" "${hand#* }" "$OPS" "$seed" "$on" >"$work/buried.txt" ||
			break
		if "$work/slabfuzz" minimize "$work/buried.txt" -a "$on" --title "$title*" \
			--seconds 60 --json -o "$work/small.txt" >"$work/small.json" \
			2>"$work/log"; then
			row "$name" "${hand%% *}" "$(jq .before "$work/small.json")" \
				"$(jq .after "$work/small.json")" \
				"$(jq '.seconds * 10 | round / 10' "$work/small.json")" \
				"$(basename "${hand#* }")"
			return
		fi
	done
	row "$name" "${hand%% *}" - - - 'buried, it does not show'
}

if [ "${1-}" = --one ]; then
	one "$2"
	exit 0
fi

names=$*
if [ -z "$names" ]; then
	for p in tests/mutants/*.patch; do
		names="$names $(basename "$p" .patch)"
	done
fi
mkdir -p "$dir"
for name in $names; do
	rm -f "$dir/$name/row"
done
# shellcheck disable=SC2086 # a list of names
printf '%s\n' $names | xargs -P "${JOBS:-$(nproc)}" -n 1 sh "$0" --one
for name in $names; do
	cat "$dir/$name/row"
done | awk -F '\t' -v least="${LEAST:-}" '
	BEGIN {
		form = "%-36s %8s %8s %8s %8s  %s\n"
		printf form, "bug", "by hand", "buried", "after", "seconds", ""
	}
	{ printf form, $1, $2, $3, $4, $5, $6 }
	$4 != "-" { n++; good += $4 <= $2; ten += $4 < 10; sum += $5; if ($5 > worst) worst = $5 }
	END {
		printf "%d bugs minimized: %d no longer than by hand, %d below 10 operations; " \
			"%.1f s each, %.1f s at most\n", n, good, ten, n ? sum / n : 0, worst
		exit good < (least == "" ? n / 2 : least)
	}'
