# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# fuzz-common.sh - what fuzz.sh and afl.sh share: seeds, surroundings, the report of what was found.
# Read by them with `.`; relies on their variables: SLABFUZZ, crashes, marker.

: "${SLABFUZZ:?}" "${crashes:?}" "${marker:?}"

need_number()
{
	case $2 in
	'' | *[!0-9]* | 0)
		echo "$(basename "$0"): $1='$2': a number above 0 was expected" >&2
		exit 2
		;;
	esac
}

need_program()
{
	[ -x "$1" ] && return
	echo "$(basename "$0"): $1 is missing: run 'make' (and 'ci/setup' if it says so)" >&2
	exit 3
}

# compile_seeds DIR: corpora/seeds and corpora/regressions as bytes.
compile_seeds()
{
	rm -rf "$1"
	mkdir -p "$1" || exit 2
	for f in corpora/seeds/*.txt corpora/regressions/*; do
		case $f in
		*/\* | */\*.txt | *.md) continue ;;
		*.txt)
			"$SLABFUZZ" compile "$f" -o "$1/$(basename "$f" .txt)" || exit 2
			;;
		*) cp "$f" "$1/" || exit 2 ;;
		esac
	done
}

# copy_seeds DIR FROM...: small files as they are.
copy_seeds()
{
	to=$1
	shift
	rm -rf "$to"
	mkdir -p "$to" || exit 2
	for from; do
		[ ! -d "$from" ] ||
			find "$from" -type f ! -name '*.md' -size -64k -exec cp {} "$to/" \;
	done
}

# trace_seeds DIR: the beginnings of the recordings, as the engine can change them: text, not
# compressed; all layouts; and trace.dat.
trace_seeds()
{
	rm -rf "$1"
	mkdir -p "$1" || exit 2
	for f in corpora/traces/*.txt corpora/traces/*.txt.zst; do
		[ -f "$f" ] || continue
		case $f in
		*.zst) zstd -dqc "$f" 2>/dev/null ;;
		*) cat "$f" ;;
		esac | head -n 24 >"$1/$(basename "$f" .zst)"
	done
	cp corpora/layouts/*.txt corpora/traces/*.dat "$1/" || exit 2
}

count_files()
{
	find "$1" -type f 2>/dev/null | wc -l | tr -d ' '
}

rate()
{
	awk -v n="$1" -v s="$2" 'BEGIN { printf "%d", n / (s > 0 ? s : 1) }'
}

# The last CPU that this process may use, for one job; the first is the busiest as a rule.
last_cpu()
{
	taskset -cp $$ 2>/dev/null | sed 's/.*[-,: ]\([0-9]*\)$/\1/'
}

# pin JOBS: the words to put in front of a command.
pin()
{
	if [ "$1" = 1 ] && command -v taskset >/dev/null; then
		echo "taskset -c $(last_cpu)"
	fi
}

# No leaks are looked for: nothing allocates for each input, and the look costs a quarter. Blocks
# that were freed wait for 4 MiB to be freed after them: what is fuzzed has memory of its own.
fuzz_environment()
{
	ASAN_OPTIONS="allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
	ASAN_OPTIONS="quarantine_size_mb=4:dedup_token_length=3:$ASAN_OPTIONS"
	ASAN_OPTIONS="detect_leaks=0:handle_sigill=1:$ASAN_OPTIONS"
	export ASAN_OPTIONS
	if [ -z "${ASAN_SYMBOLIZER_PATH-}" ]; then
		for s in llvm-symbolizer-22 llvm-symbolizer; do
			if command -v "$s" >/dev/null; then
				ASAN_SYMBOLIZER_PATH=$(command -v "$s")
				export ASAN_SYMBOLIZER_PATH
				break
			fi
		done
	fi
}

new_crashes()
{
	find "$crashes" -type f -name '*.txt' -newer "$marker" 2>/dev/null | sort
}

# spoke TARGET FILE: runs it once more; true if it ends under a title (and so has its text).
spoke()
{
	timeout 20 "$1" "$2" 2>&1 </dev/null | grep -Eq '^([A-Z]+-[0-9]+|ASan): '
}

# adopt TARGET FILE: gives an engine's own find a text, unless an oracle did. Hangs are not run
# again.
adopt()
{
	base=$(basename "$2" | tr -c 'A-Za-z0-9\n-' '_' | sed 's/^[0-9]*-//')
	case $2 in
	*timeout-* | */hangs/*) what="a hang" ;;
	*oom-*) what="out of memory" ;;
	*)
		what="a crash"
		(spoke "$1" "$2") 2>/dev/null && return
		;;
	esac
	cp "$2" "$crashes/$base"
	{
		echo "# title: $what, and no oracle spoke"
		"$SLABFUZZ" show "$2" 2>/dev/null ||
			echo "# the input is no program: $crashes/$base"
	} >"$crashes/$base.txt.tmp"
	mv "$crashes/$base.txt.tmp" "$crashes/$base.txt"
}

# adopt_new TARGET FILE...: those of this run; not all, if there are very many.
adopt_new()
{
	by=$1
	shift
	left=40
	for f; do
		if [ "$left" -gt 0 ] && [ -n "$(find "$f" -newer "$marker" 2>/dev/null)" ]; then
			adopt "$by" "$f"
			left=$((left - 1))
		fi
	done
}

# report [COUNTS]: each distinct title once, with the smallest text, and how often it was found
# where that is known; 1 if there is any.
report()
{
	for f in $(new_crashes); do
		printf '%s\t%s\t%s\n' "$(sed -n '1s/^# title: //p' "$f")" "$(wc -c <"$f")" "$f"
	done | sort -t '	' -k1,1 -k2,2n | awk -F '\t' -v counts="${1-}" '
		BEGIN {
			while (counts && (getline line < counts) > 0) {
				split(line, field, "\t")
				times[field[2]] += field[1]
			}
		}
		$1 != last {
			print "  found       " $1
			print "              " $3
			if (times[$1] > 1)
				print "              " times[$1] " times"
			last = $1
			n++
		}
		END { if (!n) print "  found       nothing"; exit n > 0 }'
}
