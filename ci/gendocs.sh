#!/bin/sh
# SPDX-License-Identifier: MIT
#
# gendocs.sh write|check - the parts of Markdown files that come from the sources: tables, between
# the lines "<!-- table NAME -->" and "<!-- end -->", and source files, likewise after "<!-- file
# PATH -->". `write` puts them there again; `check` fails if one is not what the sources say.
set -eu

action=${1-}
case $action in
write | check) ;;
*)
	echo 'usage: ci/gendocs.sh write|check' >&2
	exit 2
	;;
esac

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
${CC:-cc} -std=gnu11 -o "$tmp/gendocs" ci/gendocs.c

# part KIND WHAT: what belongs between the lines.
part()
{
	case $1 in
	table) "$tmp/gendocs" "$2" ;;
	file)
		echo '```c'
		cat "$2"
		echo '```'
		;;
	esac
}

status=0
parts=0
for f in $(ci/files.sh '*.md'); do
	sed -n 's/^<!-- \(table\|file\) \(.*\) -->$/\1 \2/p' "$f" >"$tmp/parts"
	[ -s "$tmp/parts" ] || continue
	while read -r kind what; do
		parts=$((parts + 1))
		part "$kind" "$what" >"$tmp/$(echo "$kind $what" | tr ' /' '--')"
	done <"$tmp/parts"
	awk -v dir="$tmp" '
		/^<!-- end -->$/ { skip = 0 }
		!skip { print }
		/^<!-- (table|file) .* -->$/ {
			file = $2 "-" $3
			gsub("/", "-", file)
			file = dir "/" file
			while ((getline line < file) > 0)
				print line
			close(file)
			skip = 1
		}
		END { exit skip }' "$f" >"$tmp/new" || {
		echo "$f: a part has no end" >&2
		exit 1
	}
	cmp -s "$f" "$tmp/new" && continue
	if [ "$action" = write ]; then
		cat "$tmp/new" >"$f"
		echo "wrote $f"
	else
		echo "$f is not what the sources say; run: make docs" >&2
		status=1
	fi
done
if [ "$parts" = 0 ]; then
	echo 'ci/gendocs.sh: no generated part found in any Markdown file' >&2
	exit 1
fi
exit $status
