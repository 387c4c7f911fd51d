#!/bin/sh
# SPDX-License-Identifier: MIT
#
# files.sh [GLOB...] - the project's own files, one a line: what git tracks or would track; in an
# unpacked archive, everything outside build/. The checks of `make lint` go over this list.
set -eu

if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	git ls-files -co --exclude-standard
else
	find . -type f ! -path './build/*' ! -path './.git/*' | sed 's|^\./||'
fi | sort | while read -r f; do
	[ -f "$f" ] || continue
	[ $# -gt 0 ] || { echo "$f"; continue; }
	for glob; do
		# shellcheck disable=SC2254 # a glob is what it is
		case $f in
		$glob)
			echo "$f"
			break
			;;
		esac
	done
done
