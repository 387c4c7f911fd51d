#!/bin/sh
# SPDX-License-Identifier: MIT
#
# model-so.sh - `make model-so`: the models of another revision, or of another tree, as a shared
# object for `-a model:OUT:NAME`, so that two builds of one allocator run in lockstep. Nothing but
# one table is exported: its symbols and those of the command never meet.
#
# From the Makefile: OUT; REV (a revision of this repository) or TREE (a folder with allocators/;
# default: this tree); CC, CFLAGS, JOBS.
set -eu

say()
{
	echo "ci/model-so.sh: $*" >&2
	exit 2
}

[ -n "${OUT-}" ] || say 'OUT=old.so: what is it to be called?'
[ -z "${REV-}" ] || [ -z "${TREE-}" ] || say 'REV and TREE: one of them'
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$(dirname "$OUT")"
tmp=$(mktemp -d "$(dirname "$OUT")/model-so.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
tree=${TREE:-$here}
if [ -n "${REV-}" ]; then
	git -C "$here" archive --format=tar "$REV" allocators >"$tmp/tar" 2>"$tmp/err" ||
		say "REV=$REV: $(head -n 1 "$tmp/err")"
	tar -x -C "$tmp" -f "$tmp/tar"
	tree=$tmp
fi
[ -f "$tree/allocators/registry.c" ] || say "$tree: no models there (allocators/registry.c)"

# One compiler line for each source, with an object of its own.
mkdir "$tmp/o"
for f in "$tree"/allocators/*.c "$tree"/allocators/base/*.c "$here/ci/model-so.c"; do
	[ -f "$f" ] || continue
	echo "${CC:-cc} -std=gnu11 -D_GNU_SOURCE= -O2 -g -fPIC -w" \
		"-fno-strict-aliasing -fno-common -DSF_ASSERT=0 -I$tree -iquote $tree/allocators" \
		"${CFLAGS-} -c -o $tmp/o/$(echo "${f#"$tree"/}" | tr '/' '_').o $f"
done | xargs -P "${JOBS:-$(nproc)}" -I LINE sh -c LINE
# shellcheck disable=SC2086 # words
${CC:-cc} ${CFLAGS-} -shared -Wl,--version-script="$here/ci/model-so.map" -o "$tmp/out.so" \
	"$tmp"/o/*.o -lpthread -lm
mv "$tmp/out.so" "$OUT"
