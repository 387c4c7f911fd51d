#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_types.sh - `slabfuzz types`: the table, the BTF of this machine's kernel if it has one, and
# BTF that is none.
. tests/lib/e2e.sh

slabfuzz 0 types
silent
out_has '^struct cred  *[0-9]*  yes  *[0-9]*  *96  kmalloc-part-[0-9]*-96$'
out_has '^char  *1  no  *4  *8  kmalloc-part-04-8$'
check 'tokens of 8 and more are those with pointers, and no others' test \
	"$(awk 'NF >= 6 && $(NF - 3) ~ /^(yes|no)$/ && ($(NF - 3) == "yes") != ($(NF - 2) >= 8)' \
		"$tmp/out" | wc -l)" -eq 0
slabfuzz 0 types --sort size --pointer no --class 64 --json
out_has '"class": 64'
out_lacks '"pointer": true'
slabfuzz 0 types --shares 'struct:cred'
out_has '^struct cred '
slabfuzz 0 types --name 'struct *_head'
out_has '^struct list_head '
out_lacks '^char '
slabfuzz 2 types --shares nonesuch
says "no type 'nonesuch'"
slabfuzz 2 types --token 16
says '0 to 15'
slabfuzz 2 types --class 65
slabfuzz 0 types --anonymous
slabfuzz 2 types --sort colour
slabfuzz 2 types --pointer maybe
slabfuzz 2 types --base /dev/null
slabfuzz 2 types file

btf=/sys/kernel/btf/vmlinux
"$SLABFUZZ" types --btf /dev/null >"$tmp/out" 2>"$tmp/err"
if [ $? = 3 ]; then
	says 'libbpf-dev'
	skip 'BTF' 'built without libbpf'
	finish
fi
slabfuzz 2 types --btf "$tmp/none"
: >"$tmp/empty"
slabfuzz 2 types --btf "$tmp/empty"
slabfuzz 2 types --btf "$0"
says 'not BTF'
if [ ! -r "$btf" ]; then
	skip 'types of a real kernel' "there is no $btf"
	finish
fi
slabfuzz 0 types --btf "$btf" --json
check 'thousands of types' test "$(grep -c '"name"' "$tmp/out")" -gt 2000
slabfuzz 0 types --btf "$btf" --name task_struct
out_has '^struct task_struct  *[0-9]*  yes  *\([89]\|1[0-5]\) '
slabfuzz 0 types --btf "$btf" --name list_head
out_has '^struct list_head  *16  yes '

# Damaged: one line and exit 2, or a table; never a crash.
size=$(wc -c <"$btf")
wrong=0
n=0
while [ "$n" -lt 120 ]; do
	at=$(((n * 7919 + 13) * 31 % size))
	case $((n % 3)) in
	0) head -c "$at" "$btf" >"$tmp/damaged" ;;
	1)
		cp "$btf" "$tmp/damaged"
		printf '\377\376\001\200' |
			dd of="$tmp/damaged" bs=1 seek=$((n * 4)) conv=notrunc 2>"$tmp/dd"
		;;
	2)
		cp "$btf" "$tmp/damaged"
		printf '\377\177\001\377\300' |
			dd of="$tmp/damaged" bs=1 seek="$at" conv=notrunc 2>"$tmp/dd"
		;;
	esac
	timeout 20 "$SLABFUZZ" types --btf "$tmp/damaged" >"$tmp/out" 2>"$tmp/err"
	case $? in
	0) ;;
	2) [ "$(wc -l <"$tmp/err")" = 1 ] || wrong=$((wrong + 1)) ;;
	*) wrong=$((wrong + 1)) ;;
	esac
	n=$((n + 1))
done
check "no crash on $n damaged files" test "$wrong" = 0
finish
