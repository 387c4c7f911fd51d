#!/bin/sh
# SPDX-License-Identifier: MIT
#
# symbols.sh - who may use whom, verified on the objects (which symbols of a room another one uses)
# and on the includes.
#
# What is tested and what judges share no code: a rule that both took from one function would check
# nothing. The table of settings is the one exception: it is data that both are handed. Containers
# and hashes of allocators/base/ are for everybody: headers, so that no symbol is shared, without
# rules. Of harness/'s rooms none uses one above it.
#
# From the Makefile: BUILD, with the objects of the plain flavor.
set -eu

objects=${BUILD:-build}/plain
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
status=0

# Lowest first.
rooms='program exec lockstep generate trace measure fuzz cmd bench entry'

complain()
{
	status=1
	sed "s|^|ci/symbols.sh: $1: |" >&2
}

# objects_of FOLDER: its own, not those of folders in it.
objects_of()
{
	ci/files.sh "$1/*.c" | grep -v "^$1/.*/" | sed "s|\(.*\)\.c$|$objects/\1.o|"
}

# symbols NAME FILE...: NAME.defined, NAME.used. A list that came out empty would pass everything.
symbols()
{
	name=$1
	shift
	for object; do
		[ -f "$object" ] || echo "$object"
	done >"$tmp/bad"
	[ ! -s "$tmp/bad" ] || complain 'is not built (make lint builds it)' <"$tmp/bad"
	nm -g --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u >"$tmp/$name.defined"
	nm -u "$@" | awk '$1 == "U" { print $2 }' | sort -u >"$tmp/$name.used"
	# From a file: in a pipe complain() would set the status of a shell of its own.
	for list in "$name.defined" "$name.used"; do
		echo "$list" >"$tmp/bad"
		[ -s "$tmp/$list" ] || complain 'no symbols found for' <"$tmp/bad"
	done
}

shared()
{
	comm -12 "$tmp/$1.used" "$tmp/$2.defined" >"$tmp/shared"
	[ ! -s "$tmp/shared" ] || complain "$1/ uses a symbol of $2/" <"$tmp/shared"
}

# includes FOLDER: FILE:LINE:#include "path from the top"
includes()
{
	# shellcheck disable=SC2046 # file names
	grep -nE '^[[:blank:]]*#[[:blank:]]*include[[:blank:]]*"' $(ci/files.sh "$1/*.[ch]") || true
}

below=
for room in $rooms; do
	[ -n "$(ci/files.sh "harness/$room/*.c")" ] || continue
	# An entry point is a program, which nobody can use: only its includes are of interest.
	if [ "$room" != entry ]; then
		# shellcheck disable=SC2046 # object files, one a word
		symbols "$room" $(objects_of "harness/$room")
		for lower in $below; do
			shared "$lower" "$room"
		done
	fi
	for lower in $below; do
		includes "harness/$lower" | grep -E "\"\.\./$room/" >"$tmp/bad" || true
		[ ! -s "$tmp/bad" ] || complain "$lower/ includes of $room/, above it" <"$tmp/bad"
	done
	below="$below $room"
done

# A folder that is no room would be looked at by nobody.
ci/files.sh 'harness/*.[ch]' | sed 's|harness/||' | awk -F/ -v rooms=" $rooms " '
	NF != 2 || !index(rooms, " " $1 " ")' >"$tmp/bad"
[ ! -s "$tmp/bad" ] || complain 'in no room of harness/' <"$tmp/bad"

# shellcheck disable=SC2046 # object files, one a word
{
	symbols allocators $(objects_of allocators | grep -v '/settings\.o$')
	symbols oracles $(objects_of oracles)
}
for room in $below; do
	[ "$room" = entry ] && continue
	shared allocators "$room"
	shared oracles "$room"
done
shared oracles allocators
shared allocators oracles

includes oracles | grep -vE '"(\.\./)?(allocators/)?(allocator|event|gfp|settings)\.h"' |
	grep -vE '"\.\./allocators/base/[a-z_]+\.h"' |
	grep -E '"[^"]*/' >"$tmp/bad" || true
[ ! -s "$tmp/bad" ] || complain 'a private header in oracles/' <"$tmp/bad"

includes allocators | grep -E '"[^"]*(oracles|harness)/' >"$tmp/bad" || true
[ ! -s "$tmp/bad" ] || complain 'allocators/ knows programs or oracles' <"$tmp/bad"

# What both sides may include must not be shared code: headers of static functions, of nobody's.
ci/files.sh 'allocators/base/*' | grep -v '\.h$' >"$tmp/bad" || true
[ ! -s "$tmp/bad" ] || complain 'allocators/base/ is headers only' <"$tmp/bad"
includes allocators/base | grep '"[^"]*/' >"$tmp/bad" || true
[ ! -s "$tmp/bad" ] || complain 'allocators/base/ includes of another folder' <"$tmp/bad"

# One name, one file: grep, gdb and people.
ci/files.sh '*.c' '*.h' '*.sh' | sed 's|.*/||' | sort | uniq -d >"$tmp/bad"
[ ! -s "$tmp/bad" ] || complain 'the name of two files' <"$tmp/bad"

exit $status
