#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_output.sh - output that cannot be written is an error that is reported, and leaves nothing
# half-written.
#
# shellcheck disable=SC2016,SC2317 # inner shells expand for themselves; check calls functions
. tests/lib/e2e.sh

seed=corpora/seeds/bulk.txt
trace=corpora/traces/sockets-6.18.trace-cmd-report.txt.zst

# refused COMMAND...: its status is 2, and it says why in one line.
refused()
{
	"$@" 2>"$tmp/err"
	[ $? = 2 ] && one_line_with "$pattern" "$tmp/err"
}

if [ -c /dev/full ]; then
	pattern='standard output: No space left on device'
	for args in list --help "run $seed" "run --json $seed" "run --tap $seed" "show $seed" \
		"compile $seed -o -" "judge $trace"; do
		# shellcheck disable=SC2086 # words
		check "$args >/dev/full" refused sh -c '"$0" "$@" >/dev/full' "$SLABFUZZ" $args
	done
	slabfuzz 2 compile "$seed" -o /dev/full
	says '/dev/full: No space left on device'
	slabfuzz 2 import "$trace" -o /dev/full
	says 'No space left on device'
	slabfuzz 2 run --junit /dev/full "$seed"
	says '/dev/full: No space left on device'
	check '/dev/full is still a device' test -c /dev/full
else
	skip 'a full disk' 'there is no /dev/full'
fi

pattern='standard output: '
check 'closed standard output' refused sh -c '"$0" list >&-' "$SLABFUZZ"
check 'closed standard output is not the next file' refused sh -c \
	'"$0" run "$1" --junit "$2" >&-' "$SLABFUZZ" "$seed" "$tmp/report.xml"
check 'which is as it should be' grep -q '^<?xml' "$tmp/report.xml"
check 'a reader that went away' sh -c \
	'{ "$0" list types 2>"$1"; echo $? >"$1.status"; } | :; sleep 1; cat "$1.status" >"$1"' \
	"$SLABFUZZ" "$tmp/epipe"
check 'is exit 2 or came too late' grep -q '^[02]$' "$tmp/epipe.status"

# A limit on the size of files stands for a disk that fills up half way.
i=0
while [ $i -lt 3000 ]; do
	echo "r$i = kmalloc(64, GFP_KERNEL)"
	i=$((i + 1))
done >"$tmp/long.txt"
echo old >"$tmp/out.bin"
pattern='out.bin: File too large'
check 'compile stops at the limit' refused sh -c \
	'ulimit -f 8; "$0" compile "$1" -o "$2"' "$SLABFUZZ" "$tmp/long.txt" "$tmp/out.bin"
check 'the old file is whole' test "$(cat "$tmp/out.bin")" = old
check 'no temporary file is left' test "$(find "$tmp" -name 'out.bin*' | wc -l)" = 1
pattern='File too large'
check 'import stops at the limit' refused sh -c \
	'ulimit -f 8; "$0" import "$1" -o "$2"' "$SLABFUZZ" "$trace" "$tmp/import.txt"
check 'import leaves nothing' test "$(find "$tmp" -name 'import.txt*' | wc -l)" = 0

slabfuzz 2 compile "$seed" -o "$tmp/no/such/folder"
says 'folder: No such file or directory'
slabfuzz 2 compile "$seed" -o "$tmp"
says ': Is a directory'
slabfuzz 2 compile "$tmp/nonesuch" -o "$tmp/never"
check 'bad input makes no output' test ! -e "$tmp/never"

# What is replaced keeps being what it was for others: links are followed, the umask holds.
echo old >"$tmp/real"
ln -s real "$tmp/link"
slabfuzz 0 compile "$seed" -o "$tmp/link"
check 'a link stays a link' test -L "$tmp/link"
check 'and the file behind it is new' test "$(head -c 3 "$tmp/real")" = SFb
(umask 027 && "$SLABFUZZ" compile "$seed" -o "$tmp/masked")
check 'the umask holds' test "$(stat -c %a "$tmp/masked")" = 640
finish
