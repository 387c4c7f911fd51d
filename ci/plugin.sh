#!/bin/sh
# SPDX-License-Identifier: MIT
#
# plugin.sh - `make plugin`: sources of an allocator and of its adapter become a shared object for
# `slabfuzz run -a plugin:OUT`. Prints the two compiler lines, which do the same without make.
#
# From the Makefile: SRC, OUT, CFLAGS, SANITIZE ("address,undefined"), COVERAGE (not empty: for
# fuzzers), CC, CLANG (what sanitizers and coverage are built with, as slabfuzz itself is).
set -eu

say()
{
	echo "ci/plugin.sh: $*" >&2
	exit 2
}

[ -n "${SRC-}" ] || say 'SRC="adapter.c allocator.c": which sources?'
[ -n "${OUT-}" ] || say 'OUT=my_allocator.so: what is it to be called?'
for f in $SRC; do
	[ -f "$f" ] || say "SRC: there is no file $f"
done

cc=${CC:-cc}
flags='-g -O2 -fPIC'
if [ -n "${SANITIZE-}${COVERAGE-}" ]; then
	[ -n "${CLANG-}" ] || { echo 'ci/plugin.sh: clang is missing (run ci/setup)' >&2; exit 3; }
	cc=$CLANG
	flags="$flags -fno-omit-frame-pointer"
fi
[ -z "${SANITIZE-}" ] || flags="$flags -fsanitize=$SANITIZE"
[ -z "${COVERAGE-}" ] || flags="$flags -fsanitize-coverage=inline-8bit-counters,pc-table"

objects=
dir=$(dirname "$OUT")
mkdir -p "$dir"
tmp=$(mktemp -d "$dir/plugin.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
for f in $SRC; do
	o=$tmp/$(echo "$f" | tr '/.' '__').o
	objects="$objects $o"
done

# One line for all sources when it is printed; each has an object of its own.
include=-I$(dirname "$0")/../allocators/include
echo "$cc $flags $include ${CFLAGS-} -c $SRC"
# shellcheck disable=SC2086 # a list
set -- $objects
for f in $SRC; do
	# shellcheck disable=SC2086 # lists of words
	$cc $flags "$include" ${CFLAGS-} -c -o "$1" "$f"
	shift
done
echo "$cc $flags -shared -o $OUT *.o"
# shellcheck disable=SC2086 # lists of words
$cc $flags -shared -o "$tmp/out.so" $objects
mv "$tmp/out.so" "$OUT"
