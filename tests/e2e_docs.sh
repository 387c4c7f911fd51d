#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_docs.sh - docs/command.md and docs/json.md say what the command does, no more and no less.
#
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

# section COMMAND: its part of docs/command.md.
section()
{
	awk -v want="## slabfuzz $1" '/^## / { on = $0 == want } on' docs/command.md
}

"$SLABFUZZ" --help >"$tmp/help"
commands=$(sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p' "$tmp/help" | tr '\n' ' ')
documented=$(sed -n 's/^## slabfuzz //p' docs/command.md | tr '\n' ' ')
check "documented: $commands" test "$commands" = "$documented"

for command in $commands; do
	"$SLABFUZZ" "$command" --help | sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p' |
		grep -v '^help$' | sort >"$tmp/has"
	# shellcheck disable=SC2016 # backquotes of Markdown
	section "$command" | sed -n 's/^| \(`-.`, \)\{0,1\}`--\([a-z-]*\).*/\2/p' |
		sort >"$tmp/says"
	check "options of $command" cmp -s "$tmp/has" "$tmp/says"
done

# keys FILE: the keys of a JSON text, but invariant ids.
keys()
{
	sed -n 's/^ *"\([^"]*\)": .*/\1/p' "$1" | grep -v '^[A-Z]*-[0-9]*$' | sort -u
}

documented()
{
	for key in $(keys "$1"); do
		grep -q "\`$key\`" docs/json.md && continue
		echo "# '$key' is not in docs/json.md"
		return 1
	done
}

printf 'r0 = kmalloc(8, GFP_KERNEL)  # NULL\n' >"$tmp/wrong.txt"
trace=corpora/traces/sockets-6.18.trace-cmd-report.txt.zst
slabfuzz 1 run --json "$tmp/wrong.txt" "$trace"
check 'keys of run' documented "$tmp/out"
for key in programs operations events violations oracles trace unpaired bytes_alloc agree total \
	checked skipped reason; do
	check "run has $key" grep -q "^ *\"$key\": " "$tmp/out"
done
slabfuzz 0 judge --json "$trace"
check 'keys of judge' documented "$tmp/out"
slabfuzz 0 import --json "$trace" -o "$tmp/program.txt"
check 'keys of import' documented "$tmp/out"
slabfuzz 0 list --json
check 'keys of list' documented "$tmp/out"
slabfuzz 0 compare --json corpora/seeds/types.txt
check 'keys of compare' documented "$tmp/out"
slabfuzz 0 compare --attacks --trials 2 --hardening none --json
check 'keys of compare --attacks' documented "$tmp/out"
echo 'free-twice: crashes >= 0' >"$tmp/claims"
slabfuzz 0 compare --attacks -a reference --trials 2 --starts 1 --claims "$tmp/claims" --json
check 'keys of what allocators promise' documented "$tmp/out"
slabfuzz 0 compare --reclaim --json corpora/seeds/oom_416_none.txt
check 'keys of compare --reclaim' documented "$tmp/out"
slabfuzz 0 compare --large --json --each min_order=0,9 corpora/seeds/large_objects.txt
check 'keys of compare --large' documented "$tmp/out"
slabfuzz 0 compare --sealed --json --trials 64
check 'keys of compare --sealed' documented "$tmp/out"
slabfuzz 0 inject --json --max 1 corpora/seeds/types.txt
check 'keys of inject' documented "$tmp/out"
slabfuzz 0 boots --boots 320 --json
check 'keys of boots' documented "$tmp/out"
slabfuzz 0 slabinfo -a typed --json corpora/seeds/types.txt
check 'keys of slabinfo' documented "$tmp/out"
slabfuzz 0 slabinfo --meminfo --vmstat --buddyinfo --pagetypeinfo --json corpora/seeds/types.txt
check 'keys of the views of memory' documented "$tmp/out"
slabfuzz 0 types --json
check 'keys of types' documented "$tmp/out"
finish
