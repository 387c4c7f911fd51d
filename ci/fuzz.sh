#!/bin/sh
# SPDX-License-Identifier: MIT
#
# fuzz.sh libfuzzer|afl - what `make fuzz` and `make afl` run: `slabfuzz fuzz` on what was built,
# with corpus, crashes and seeds where the checkout has them. From the Makefile: BUILD, SLABFUZZ
# (the command), FUZZ_TARGET, FUZZ_SECONDS, JOBS. Also heeded: SLABFUZZ_ALLOCATOR (only these;
# default: all, afl: baseline), SLABFUZZ_CRASHES, FUZZ_JOBS (default JOBS, or all CPUs), FUZZ_FLAGS,
# FUZZ_SEEDS=none (programs: the engine has nothing but what it has grown before), LOCKSTEP=yes (or
# MEMBER,...: programs, each allocator in lockstep with these). Exit status: 0
# nothing found, 1 something found, 2 bad usage or seeds, 3 something is missing.
set -u

BUILD=${BUILD:-build}
SLABFUZZ=${SLABFUZZ:-$BUILD/slabfuzz}
engine=${1:-libfuzzer}
case $engine in
afl) FUZZ_TARGET=${FUZZ_TARGET:-$BUILD/afl_program} name=afl ;;
*)
	FUZZ_TARGET=${FUZZ_TARGET:-$BUILD/libfuzzer_program}
	name=$(basename "$FUZZ_TARGET" | sed 's/^libfuzzer_//')
	;;
esac

if [ ! -x "$SLABFUZZ" ]; then
	echo "fuzz.sh: $SLABFUZZ is missing: run 'make' (and 'ci/setup' if it says so)" >&2
	exit 3
fi

# raw DIR FROM...: small files as they are.
raw()
{
	to=$1
	shift
	rm -rf "$to"
	mkdir -p "$to" || exit 2
	find "$@" -type f ! -name '*.md' -size -64k -exec cp {} "$to/" \;
}

# trace_seeds DIR: the beginnings of the recordings, as the engine can change them: text, not
# compressed; all layouts; trace.dat; and of calls of malloc().
trace_seeds()
{
	rm -rf "$1"
	mkdir -p "$1" || exit 2
	for f in corpora/traces/*.txt corpora/traces/*.zst corpora/calls/*.rep \
		corpora/calls/*trace* corpora/calls/*.txt corpora/calls/*.zst; do
		[ -f "$f" ] || continue
		case $f in
		*.zst) zstd -dqc "$f" 2>/dev/null ;;
		*) cat "$f" ;;
		esac | head -n 24 >"$1/$(basename "$f" .zst)"
	done
	cp corpora/layouts/*.txt corpora/traces/*.dat "$1/" || exit 2
}

# program_seeds: which programs these allocators have words for: the kernel's, malloc()'s.
program_seeds()
{
	kernel=no user=no
	for a in ${SLABFUZZ_ALLOCATOR:-all}; do
		case $a in
		malloc:* | plugin:*) user=yes ;;
		*) kernel=yes ;;
		esac
	done
}

given=$BUILD/corpus/$name-given
set -- --engine "$engine" --target "$FUZZ_TARGET" --seconds "${FUZZ_SECONDS:-60}" \
	--corpus "$BUILD/corpus/$name" --crashes "${SLABFUZZ_CRASHES:-$BUILD/crashes}" \
	--flags "${FUZZ_FLAGS-}"
case $name in
bytes)
	rm -rf "$given"
	mkdir -p "$given" || exit 2
	for f in corpora/seeds/*.txt corpora/regressions/*.txt; do
		"$SLABFUZZ" compile "$f" -o "$given/$(basename "$f" .txt)" || exit 2
	done
	set -- "$@" --raw --seeds "$given"
	;;
text)
	raw "$given" corpora/seeds corpora/regressions
	set -- "$@" --raw --seeds "$given"
	;;
trace)
	trace_seeds "$given"
	# A trace.dat begins with some 40 KiB of formats.
	set -- "$@" --raw --seeds "$given" --max-len 65536
	;;
*)
	case ${LOCKSTEP-} in
	'') ;;
	yes | 1) set -- "$@" --lockstep ;;
	*) set -- "$@" --lockstep="$(echo "$LOCKSTEP" | tr ' ' ',')" ;;
	esac
	if [ "${FUZZ_SEEDS-}" = none ]; then
		set -- "$@" --no-seeds
	else
		program_seeds
		[ "$kernel" = no ] ||
			set -- "$@" --seeds corpora/seeds --seeds corpora/regressions
		[ "$user" = no ] || set -- "$@" --seeds corpora/user
	fi
	;;
esac
jobs=${FUZZ_JOBS:-${JOBS-}}
[ -z "$jobs" ] || set -- "$@" --jobs "$jobs"
[ -z "${SLABFUZZ_ALLOCATOR-}" ] || set -- "$@" -a "$(echo "$SLABFUZZ_ALLOCATOR" | tr ' ' ',')"
[ ! -f "corpora/$name.dict" ] || set -- "$@" --dict "corpora/$name.dict"
[ "$engine" = afl ] || set -- "$@" --coverage "$BUILD/$name-coverage.txt"
exec "$SLABFUZZ" fuzz "$@"
