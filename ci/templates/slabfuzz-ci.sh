#!/bin/sh
# SPDX-License-Identifier: MIT
#
# slabfuzz-ci.sh test|change|night - fuzzes an allocator in its own repository's CI. A copy of this
# file there is all that is needed beside an installed slabfuzz; the templates for GitHub and GitLab
# call it, and so may anything else.
#
#   test    the repository's own programs (regressions); no fuzzing
#   change  test, then fuzzing for SLABFUZZ_SECONDS (default: 300): for each change
#   night   the same for SLABFUZZ_SECONDS (default: 3600)
#
# Exit status: 0 nothing wrong but what is known, 1 something was found, 2 bad usage, 3 something is
# missing. Ends when it said it would: fuzzing by the clock, all else by a limit of its own.
#
# From the environment:
#   SLABFUZZ              the command (default: slabfuzz)
#   SLABFUZZ_ALLOCATOR    what to fuzz: malloc:LIB.so, plugin:X.so, or a model's name; needed
#   SLABFUZZ_PROGRAMS     folder of the repository's own programs (default: slabfuzz; may be absent)
#   SLABFUZZ_KNOWN        file of known titles (default: $SLABFUZZ_PROGRAMS/known; may be absent)
#   SLABFUZZ_STATE        kept between runs: corpus/ and crashes/ (default: slabfuzz-state)
#   SLABFUZZ_REPORTS      what came out: regressions.xml, finds.xml, slabfuzz.sarif, summary.txt,
#                         and finds/ with a C reproducer for each (default: slabfuzz-reports)
#   SLABFUZZ_SECONDS      of fuzzing
#   SLABFUZZ_SEED         of the engine's random numbers (default: of the commit: the same commit is
#                         fuzzed in the same way, the next one in another)
#   SLABFUZZ_FLAGS        more options of `slabfuzz fuzz`
set -u

usage()
{
	echo "usage: slabfuzz-ci.sh test|change|night (its first lines tell more)" >&2
	exit 2
}

[ $# = 1 ] || usage
case $1 in
test) seconds=0 ;;
change) seconds=${SLABFUZZ_SECONDS:-300} ;;
night) seconds=${SLABFUZZ_SECONDS:-3600} ;;
*) usage ;;
esac
command=${SLABFUZZ:-slabfuzz}
allocator=${SLABFUZZ_ALLOCATOR:-}
programs=${SLABFUZZ_PROGRAMS:-slabfuzz}
known=${SLABFUZZ_KNOWN:-$programs/known}
state=${SLABFUZZ_STATE:-slabfuzz-state}
reports=${SLABFUZZ_REPORTS:-slabfuzz-reports}
if [ -z "$allocator" ]; then
	echo 'slabfuzz-ci.sh: SLABFUZZ_ALLOCATOR says what to fuzz: malloc:LIB.so, plugin:X.so' >&2
	exit 2
fi
if ! command -v "$command" >/dev/null; then
	echo "slabfuzz-ci.sh: there is no command '$command': install slabfuzz, or set SLABFUZZ" >&2
	exit 3
fi
if [ -z "${SLABFUZZ_SEED:-}" ]; then
	commit=$(git rev-parse HEAD 2>/dev/null | cut -c 1-7)
	SLABFUZZ_SEED=$((0x${commit:-1}))
fi
mkdir -p "$state/corpus" "$state/crashes" "$reports" || exit 3
status=0

# worse STATUS: the worst so far is how this ends; 1 hides nothing that is worse.
worse()
{
	[ "$1" -le "$status" ] || status=$1
}

# annotations where GitHub runs this
annotate=
[ "${GITHUB_ACTIONS:-}" != true ] || annotate=--annotations

# run NAME FILE...: programs on the allocator; NAME.xml, and slabfuzz.sarif of the last run.
run()
{
	name=$1
	shift
	[ $# -gt 0 ] || return 0
	# shellcheck disable=SC2086 # an option or none
	timeout 600 "$command" run -a "$allocator" $annotate --junit "$reports/$name.xml" \
		--sarif "$reports/slabfuzz.sarif" "$@" >"$reports/$name.txt" 2>"$reports/$name.err"
	ended=$?
	cat "$reports/$name.txt"
	cat "$reports/$name.err" >&2
	[ $ended != 124 ] || echo "slabfuzz-ci.sh: $name: not done within 600 s" >&2
	return $ended
}

set --
for f in "$programs"/*.txt; do
	[ ! -e "$f" ] || set -- "$@" "$f"
done
echo "slabfuzz-ci.sh: $# programs of $programs on $allocator"
run regressions "$@"
worse $?
[ "$seconds" -gt 0 ] || exit "$status"

echo "slabfuzz-ci.sh: fuzzing for $seconds s, seed $SLABFUZZ_SEED"
set --
[ ! -f "$known" ] || set -- --known "$known"
# shellcheck disable=SC2086 # options
timeout $((seconds + 300)) "$command" fuzz -a "$allocator" --seconds "$seconds" \
	--seed "$SLABFUZZ_SEED" --corpus "$state/corpus" --crashes "$state/crashes" "$@" \
	${SLABFUZZ_FLAGS:-} >"$reports/summary.txt"
fuzzed=$?
cat "$reports/summary.txt"
worse $fuzzed
[ $fuzzed = 1 ] || exit "$status"

# What is to be looked at: all of it where people look, and each find in C.
set --
for f in "$programs"/*.txt "$state"/crashes/*/program.txt; do
	[ ! -e "$f" ] || set -- "$@" "$f"
done
run finds "$@"
mkdir -p "$reports/finds"
for f in "$state"/crashes/*/program.txt; do
	folder=$(basename "$(dirname "$f")")
	[ ! -e "$reports/finds/$folder" ] || continue
	timeout 120 "$command" repro "$f" -o "$reports/finds/$folder" ||
		cp -R "$(dirname "$f")" "$reports/finds/$folder"
done
exit "$status"
