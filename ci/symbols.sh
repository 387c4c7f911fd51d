#!/bin/sh
# SPDX-License-Identifier: MIT
#
# symbols.sh - what is tested and what judges share no code: a rule that both took from one function
# would check nothing. Verified on the objects (no symbol of one is used by the other) and on the
# includes. The table of settings is the one exception: it is data that both are handed.
#
# From the Makefile: BUILD, with the objects of the plain flavor.
set -eu

objects=${BUILD:-build}/plain
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

defined()
{
	nm -g --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u
}

used()
{
	nm -u "$@" | awk '$1 == "U" { print $2 }' | sort -u
}

complain()
{
	status=1
	sed "s|^|ci/symbols.sh: $1: |" >&2
}

sources()
{
	ci/files.sh "$1/*.c" | grep -v "^$1/.*/" | sed "s|\(.*\)\.c$|$objects/\1.o|"
}

# shellcheck disable=SC2046 # object files, one a word
{
	defined $(sources allocators | grep -v '/settings\.o$') >"$tmp/allocators.defined"
	used $(sources allocators) >"$tmp/allocators.used"
	defined $(sources oracles) >"$tmp/oracles.defined"
	used $(sources oracles) >"$tmp/oracles.used"
	defined $(sources harness) >"$tmp/harness.defined"
}

# A list that came out empty would pass everything.
for list in allocators.defined allocators.used oracles.defined oracles.used harness.defined; do
	[ -s "$tmp/$list" ] || echo "$list" | complain 'no symbols found for'
done

shared()
{
	comm -12 "$tmp/$1.used" "$tmp/$2.defined" >"$tmp/shared"
	[ ! -s "$tmp/shared" ] || complain "$1/ uses a symbol of $2/" <"$tmp/shared"
}

shared oracles allocators
shared allocators oracles
shared allocators harness
shared oracles harness

includes()
{
	# shellcheck disable=SC2046 # file names
	grep -nE '^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*"' $(ci/files.sh "$1/*.[ch]") || true
}

includes oracles | grep -vE '"(\.\./)?(allocators/)?(allocator|event|gfp|settings)\.h"' |
	grep -E '"[^"]*/' >"$tmp/bad" || true
[ ! -s "$tmp/bad" ] || complain 'a private header in oracles/' <"$tmp/bad"

includes allocators | grep -E '"[^"]*(oracles|harness)/' >"$tmp/bad" || true
[ ! -s "$tmp/bad" ] || complain 'allocators/ knows programs or oracles' <"$tmp/bad"

exit $status
