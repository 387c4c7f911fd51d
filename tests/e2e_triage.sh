#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_triage.sh - `triage`: what engines left is run again and sorted, a folder for each title with
# the smallest program; what is known is counted and not reported; who is killed in its midst loses
# nothing and leaves nothing half.
#
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

cc=${CC:-cc}
here=$PWD

if ! $cc -shared -fPIC -O1 -fno-builtin -Wl,-Bsymbolic -Iallocators/include \
	-o "$tmp/two_bugs.so" tests/plugins/two_bugs.c 2>"$tmp/err"; then
	echo "1..0 # SKIP no compiler for a plug-in"
	exit 0
fi
cd "$tmp" || exit 1
on=plugin:./two_bugs.so
old='MAL-5: an object of calloc holds old data'
unaligned='MAL-1: an object of aligned_alloc is not aligned as asked'

md=.md
holds() { jq -e "$1" "$2" >/dev/null; }
operations() { grep -cv -e '^#' -e '^heap ' "$1"; }

# As engines leave it: AFL++ crashes/ and hangs/ beside its queue/, libFuzzer files by name, text.
printf 'r0 = malloc(100)\nfree(r0)\nr1 = calloc(1, 100)\nfree(r1)\n' >old.txt
printf 'r0 = aligned_alloc(64, 64)\nfree(r0)\n' >unaligned.txt
printf 'r0 = malloc(8)\n' >fine.txt
mkdir -p left/afl/default/crashes left/afl/default/hangs left/afl/default/queue left/lf left/text
many() { seq -f "r%.0f = malloc($2)" 10 "$1"; }
for size in 100 200 400; do
	{
		many $((size / 3)) 5000
		sed "s/100/$size/;s/r\([01]\)/r90\1/g" old.txt
	} >"left/text/old$size.txt"
	{
		many 40 5000
		sed "s/64)/$size)/;s/r0/r900/" unaligned.txt
	} >u.txt
	"$SLABFUZZ" compile u.txt -o "left/afl/default/crashes/id:000$size,sig:06"
	"$SLABFUZZ" compile "left/text/old$size.txt" -o "left/lf/crash-$size"
done
echo 'Command line used to find this crash' >left/afl/default/crashes/README.txt
cp left/lf/crash-100 left/afl/default/queue/
cp fine.txt left/text/
printf '# title: %s\n# allocator: %s\n' "$old" "$on" >left/text/named.txt
cat old.txt >>left/text/named.txt

slabfuzz 1 triage -a "$on" left -o store
check 'two folders' test "$(find store -mindepth 1 -maxdepth 1 -type d | wc -l)" = 2
out_has "^$old"
out_has "^$unaligned"
out_has '^11 files: 2 titles, 2 of them new; 1 show nothing'
check 'what shows nothing is said' grep -q 'text/fine.txt: shows nothing' err
for find in store/*/find.json; do
	for key in title first_seen last_seen count allocator operations detail stack repeated \
		tried; do
		check "it has $key" holds "has(\"$key\")" "$find"
	done
done
smallest=$(grep -l "^# title: $old" store/*/program.txt)
check 'the smallest program' test "$(operations "$smallest")" -le 3
check 'runs on what it names' "$SLABFUZZ" minimize "$smallest" -o again.txt 2>err
count() { jq .count "$(dirname "$smallest")/find.json"; }
check 'each file counts' test "$(count)" = 4

# --- again: nothing counts twice, and what is known is counted ---
slabfuzz 1 triage -a "$on" left -o store
check 'the same files are no new finds' test "$(count)" = 4
sed 's/100/50/' old.txt >left/text/new.txt
slabfuzz 1 triage -a "$on" left/text/new.txt -o store
check 'another one is' test "$(count)" = 5
cat >known <<END
# titles that are known
$old | https://example.org/1 | 2999-12-31
MAL-1: * | https://example.org/2
MAL-99: gone | https://example.org/3
END
slabfuzz 0 triage -a "$on" left -o store --known known
out_has "^known: $old"
out_has 'https://example.org/1'
out_has '^known, and not seen any more: MAL-99: gone https://example.org/3'
out_has '0 of them new'
echo "$old | https://example.org/1 | 2020-01-01" >known
slabfuzz 1 triage -a "$on" left/text -o store --known known
out_has '^known only until 2020-01-01'
slabfuzz 1 triage --json -a "$on" left -o store
check 'JSON' holds '.files == 12 and .fine == 1 and (.found | length) >= 2' out
for key in $(jq -r '.found[0], . | keys[]' out); do
	check "$key is documented" grep -q "\`$key\`" "$here/docs/json$md"
done
echo 'MAL-1 | | soon' >known
slabfuzz 2 triage left --known known -o store
says "known:1: 'soon' is no day"
slabfuzz 2 triage
says 'which folder'
slabfuzz 2 triage nowhere -o store
says 'nowhere: No such file'

# --- killed at any moment ---
whole()
{
	for f in "$1"/*/find.json; do
		[ ! -e "$f" ] || jq -e .title "$f" >/dev/null || return 1
	done
	for f in "$1"/*/program.txt; do
		[ ! -e "$f" ] || "$SLABFUZZ" show "$f" >/dev/null || return 1
	done
}
for ms in 02 05 08 10 12 15 20 25 30 40 50 60 70 80 90; do
	"$SLABFUZZ" triage -a "$on" left -o killed >/dev/null 2>&1 &
	pid=$!
	sleep "0.$ms"
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	check "killed after 0.$ms s: all is whole" whole killed
done
slabfuzz 1 triage -a "$on" left -o killed
check 'then all is there' test "$(find killed -name program.txt | wc -l)" -ge 2
check 'and nothing half' test -z "$(find killed -name '*.tmp')"
finish
