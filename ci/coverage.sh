#!/bin/sh
# SPDX-License-Identifier: MIT
#
# coverage.sh - what the tests, the corpora and (if there is one) the fuzzers' corpus reach, by
# source line. Prints the table by file; the pages are in BUILD/coverage/.
#
# From the Makefile: BUILD, LLVM_COV, LLVM_PROFDATA, with the programs of the cov flavor built.
set -eu

cov=$BUILD/cov
out=$BUILD/coverage
rm -rf "$out"
mkdir -p "$out/raw"
# Absolute: tests may change their folder.
LLVM_PROFILE_FILE=$(cd "$out" && pwd)/raw/%p-%m.profraw
export LLVM_PROFILE_FILE

run()
{
	"$@" >>"$out/log" 2>&1 </dev/null || echo "coverage: failed (see $out/log): $1" >&2
}

objects=
for src in tests/test_*.c; do
	t=$cov/tests/$(basename "$src" .c)
	[ -x "$t" ] || continue
	run "$t"
	objects="$objects -object $t"
done
if [ -x "$cov/slabfuzz" ]; then
	objects="$objects -object $cov/slabfuzz"
	for folder in seeds regressions traces; do
		files=$(find "corpora/$folder" -type f ! -name '*.md' 2>/dev/null || true)
		# shellcheck disable=SC2086 # file names
		[ -z "$files" ] || run "$cov/slabfuzz" run $files
	done
fi
if [ -d "$BUILD/corpus/program" ]; then
	# In replay's own process: what ends apart leaves no profile.
	find "$BUILD/corpus/program" -type f -exec "$cov/entry/replay" -n {} + \
		>>"$out/log" 2>&1 || true
fi

"$LLVM_PROFDATA" merge -sparse -o "$out/all.profdata" "$out"/raw/*.profraw
rm -rf "$out/raw"
# shellcheck disable=SC2086 # a list of options
set -- -instr-profile="$out/all.profdata" "$cov/entry/replay" $objects
"$LLVM_COV" show -format=html -output-dir="$out" "$@" allocators oracles harness >/dev/null
"$LLVM_COV" report "$@" allocators oracles harness
echo "coverage: pages in $out/index.html"
