#!/bin/sh
# SPDX-License-Identifier: MIT
#
# words.sh - the repository stands alone: no file names a folder of the machine it was written on,
# and every Markdown file that is mentioned exists.
set -eu

status=0

# The only look outside the checkout is the one in ci/test.sh.
ci/files.sh | grep -v '^ci/words\.sh$' | xargs grep -nIE \
	'(^|[^[:alnum:]_.~-])/(work|home|root|Users|tmp/brief)/|\.\./shared' |
	grep -v '^ci/test\.sh:.*\.\./shared/' >&2 && status=1

missing=$(
	for f in $(ci/files.sh '*.md' '*.[ch]' '*.sh' Makefile); do
		grep -ohE '[[:alnum:]_./-]+\.md\b' "$f" | sort -u | while read -r name; do
			[ -e "$name" ] || [ -e "$(dirname "$f")/$name" ] ||
				echo "$f: mentions $name, which is not there"
		done
	done
)
if [ -n "$missing" ]; then
	echo "$missing" >&2
	status=1
fi

exit $status
