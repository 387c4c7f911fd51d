#!/bin/sh
# SPDX-License-Identifier: MIT
#
# select-tests.sh list|targets - the tests that TESTS names, or all. `list`: a line for each run, as
# ci/test.sh takes it: label, blank, command. `targets`: what make must have built for these runs.
#
# TESTS: words [FLAVOR/]NAME[:CASE], each part a shell pattern: "slab", "test_slab", "asan/slab",
# "e2e_run", "slab:test_krealloc*". Cases are those of a unit test. A word that names no test ends
# it with status 2, and what was perhaps meant on stderr. From the Makefile: BUILD, TEST_FLAVORS,
# BEHAVIOUR (arguments of tests/behaviour). A script that needs more than the command says so in a
# line "# Needs: NAME...", names in BUILD.
set -u -f

BUILD=${BUILD:-build}
TEST_FLAVORS=${TEST_FLAVORS:-plain asan ubsan}
mode=$1

# run KIND FLAVOR NAME TARGETS COMMAND: one line for each word of TESTS that names it.
run()
{
	if [ -z "${TESTS-}" ]; then
		echo "$1|$2/$3|$4|$5"
		return
	fi
	for word in $TESTS; do
		name=${word%%:*} case=
		[ "$name" = "$word" ] || case=${word#*:}
		# shellcheck disable=SC2254 # the words are patterns
		case $2/$3 in
		$name | */$name | */test_$name) ;;
		"${name%%/*}"/test_"${name#*/}") ;;
		*) continue ;;
		esac
		if [ -z "$case" ]; then
			echo "$1|$2/$3|$4|$5"
		elif [ "$1" = unit ]; then
			echo "$1|$2/$3:$case|$4|env SLABFUZZ_CASE=$case $5"
		else
			echo "no-cases|$word||"
		fi
	done
}

# Programs and recordings of a folder, on one line.
files_of()
{
	find "corpora/$1" -type f ! -name '*.md' ! -name '.*' 2>/dev/null | sort | paste -s -d ' '
}

# What a script needs built besides the command.
needs_of()
{
	while read -r line; do
		case $line in
		'# Needs: '*) for n in ${line#\# Needs: }; do echo " $BUILD/$n"; done ;;
		'#'* | '') ;;
		*) break ;;
		esac
	done <"$1"
}

# Every run there is, unit tests first; with TESTS those that it names.
runs()
{
	for flavor in $TEST_FLAVORS; do
		for src in $units; do
			name=${src#tests/} name=${name%.c}
			run unit "$flavor" "$name" "$BUILD/$flavor/tests/$name" \
				"$BUILD/$flavor/tests/$name"
		done
	done
	for flavor in plain asan; do
		for script in $scripts; do
			name=${script#tests/}
			run script "$flavor" "${name%.sh}" "$BUILD/$flavor/slabfuzz" \
				"env SLABFUZZ=$BUILD/$flavor/slabfuzz sh $script"
		done
	done
	# One line for all of a folder: its files are programs, and a program is a test. Models
	# would skip those of user space, operation by operation.
	for flavor in plain asan ubsan; do
		for folder in seeds regressions traces user; do
			eval "files=\$files_$folder"
			on=all
			[ "$folder" != user ] || on=reference
			[ -z "$files" ] || run corpora "$flavor" "corpora_$folder" \
				"$BUILD/$flavor/slabfuzz" \
				"$BUILD/$flavor/slabfuzz run -a $on --tap $files"
		done
	done
	# The same events from every compiler: a short form of `make check-behaviour`.
	for flavor in $TEST_FLAVORS; do
		run behaviour "$flavor" behaviour "$BUILD/$flavor/tests/behaviour" \
			"$BUILD/$flavor/tests/behaviour --programs 500 ${BEHAVIOUR-}"
	done
}

# near WORD: the names of stdin that are nearest, by letters to change; those that contain it first.
near()
{
	awk -v want="${1##*/}" '
		function least(a, b) { return a < b ? a : b }
		function distance(s, t, i, k, d, keep)
		{
			for (i = 0; i <= length(s); i++)
				d[i, 0] = i
			for (k = 0; k <= length(t); k++)
				d[0, k] = k
			for (i = 1; i <= length(s); i++)
				for (k = 1; k <= length(t); k++) {
					keep = d[i - 1, k - 1]
					keep += substr(s, i, 1) != substr(t, k, 1)
					d[i, k] = least(d[i - 1, k], d[i, k - 1]) + 1
					d[i, k] = least(d[i, k], keep)
				}
			return d[length(s), length(t)]
		}
		{
			short = $0
			sub(/^test_/, "", short)
			bare = want
			sub(/^test_/, "", bare)
			far = index(short, bare) ? 0 : distance(short, bare)
			if (far <= 1 + length(bare) / 3)
				print far "\t" short
		}' | sort -n | cut -f 2 | head -n 8 | paste -s -d ' '
}

units=$(set +f && echo tests/test_*.c)
scripts=$(set +f && echo tests/*.sh)
for folder in seeds regressions traces user; do
	eval "files_$folder=\$(files_of $folder)"
done
selected=$(runs)

bad=
for word in ${TESTS-}; do
	if [ -z "$(TESTS=$word runs)" ]; then
		like=$(TESTS='' runs | sed 's/^[^|]*|[^/]*\/\([^|]*\).*/\1/' | sort -u |
			near "${word%%:*}")
		echo "TESTS: there is no test '$word'${like:+; near it: $like}" >&2
		bad=1
	fi
done
echo "$selected" | grep '^no-cases' | cut -d '|' -f 2 | sort -u | grep . |
	sed 's/.*/TESTS: &: only a unit test has cases that can be named/' >&2
if [ -n "$bad" ] || echo "$selected" | grep -q '^no-cases'; then
	exit 2
fi

case $mode in
list) echo "$selected" | awk -F '|' '!seen[$2]++ { print $2 " " $4 }' ;;
targets)
	{
		echo "$selected" | cut -d '|' -f 3
		for script in $(echo "$selected" | sed -n 's/^script|.* sh //p' | sort -u); do
			needs_of "$script" | tr ' ' '\n' | sed '/^$/d'
		done
	} | sort -u
	;;
esac
