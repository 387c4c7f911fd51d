#!/bin/sh
# SPDX-License-Identifier: MIT
#
# words.sh - the repository stands alone: no file names a folder of the machine it was written on;
# every Markdown file that is mentioned exists, and every source that a Markdown file mentions.
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

# In backquotes: a path from the top, or a name that some file has. What has a function behind it
# (mm/slub.c:f) or lies in the kernel's folders is the kernel's; my_*.c is the reader's own.
names=$(ci/files.sh | sed 's|.*/||' | sort -u)
missing=$(
	for f in $(ci/files.sh '*.md'); do
		# shellcheck disable=SC2016 # backquotes of Markdown
		grep -ohE '`[[:alnum:]_./-]+\.[ch]`' "$f" | tr -d '`' | sort -u |
			while read -r name; do
			case $name in
			mm/* | fs/* | include/* | lib/* | drivers/* | kernel/* | my_*) continue ;;
			*/*) [ -e "$name" ] || [ -e "$(dirname "$f")/$name" ] && continue ;;
			*) echo "$names" | grep -qx "$name" && continue ;;
			esac
			echo "$f: mentions $name, which is not there"
		done
	done
)
if [ -n "$missing" ]; then
	echo "$missing" >&2
	status=1
fi

exit $status
