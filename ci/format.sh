#!/bin/sh
# SPDX-License-Identifier: MIT
#
# format.sh - the part of the house style that needs no judgement: an SPDX line, lines of at most
# 100 columns (tabs are 8), no trailing blanks, tabs for indentation, a newline at the end.
#
# clang-format is not run over the tree: it would tear apart the tables that are laid out by hand.
# .clang-format is for new code in an editor.
set -eu

status=0

report()
{
	status=1
	echo "$*" >&2
}

for f in $(ci/files.sh '*.c' '*.h' '*.sh' Makefile ci/setup .ci/run '*.mk'); do
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: MIT' ||
		report "$f:1: no SPDX-License-Identifier: MIT"
	if [ -s "$f" ] && [ "$(tail -c 1 "$f" | wc -l)" = 0 ]; then
		report "$f: no newline at the end"
	fi
	bad=$(grep -nE '[[:blank:]]+$' "$f" | sed 's/:.*//' | tr '\n' ' ' || true)
	[ -z "$bad" ] || report "$f: blanks at the end of line $bad"
	bad=$(expand "$f" | awk 'length > 100 { printf "%d ", NR }')
	[ -z "$bad" ] || report "$f: more than 100 columns in line $bad"
done

for f in $(ci/files.sh '*.c' '*.h'); do
	bad=$(grep -nE '^ {8}' "$f" | sed 's/:.*//' | tr '\n' ' ' || true)
	[ -z "$bad" ] || report "$f: indented with blanks in line $bad"
done

exit $status
