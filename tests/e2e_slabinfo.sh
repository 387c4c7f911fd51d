#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_slabinfo.sh - `slabfuzz slabinfo`: the shape of /proc/slabinfo, and the partitions.
. tests/lib/e2e.sh

cat >"$tmp/program.txt" <<'END'
r0 = kmalloc_obj(struct cred, GFP_KERNEL)
r1 = kmalloc_obj(struct cred, GFP_KERNEL)
r2 = kmalloc(100, GFP_KERNEL, type=u8)
r3 = kmalloc(512, GFP_KERNEL|__GFP_RECLAIMABLE)
kfree(r1)
END

slabfuzz 0 slabinfo "$tmp/program.txt"
silent
check 'the header is the kernel'"'"'s' test "$(head -n 1 "$tmp/out")" = 'slabinfo - version: 2.1'
out_has '^# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tun'
# One sheaf of 28 is filled, and what is left of the second slab is free.
out_has '^kmalloc-rcl-512  *28  *32  *512  *16  *2 : tunables  *0  *0  *0 : slabdata  *2  *2  *0$'
out_lacks '^partition'
check 'every line of a cache has its sixteen words' \
	test "$(awk 'NR > 2 && NF != 16' "$tmp/out" | wc -l)" -eq 0

slabfuzz 0 slabinfo -a typed "$tmp/program.txt"
out_has '^kmalloc-part-12-96 '
out_has '^partition  *objects  *bytes  *slabs  *pages$'
check 'one object of a type with pointers is alive' test \
	"$(awk '/^partition/ { on = 1 } /^objects/ { on = 0 }
		on && $1 ~ /^[0-9]+$/ && $1 >= 8 { n += $2 } END { print n }' "$tmp/out")" -eq 1
out_has '^objects by size class and partition$'
check 'and two objects by class: the reclaimable one is not partitioned' test \
	"$(awk 'on && $1 ~ /^[0-9]+k?$/ { for (i = 2; i <= NF; i++) n += $i } /^class/ { on = 1 }
		END { print n }' "$tmp/out")" -eq 2
slabfuzz 0 slabinfo -a typed --at 2 --histogram "$tmp/program.txt"
out_lacks '^slabinfo'
check 'two of them after two operations' test \
	"$(awk '$1 ~ /^[0-9]+$/ && $1 >= 8 { n += $2 } END { print n }' "$tmp/out")" -eq 2
slabfuzz 0 slabinfo --json corpora/traces/sockets-6.18.trace-cmd-report.txt.zst
out_has '"name": "kmalloc-512"'

# The neighbours of /proc/slabinfo. An unmovable page and a large block of four.
cat >"$tmp/pages.txt" <<'END'
heap pages=4096 cpus=1
r0 = kmalloc(16384, GFP_KERNEL)
r1 = alloc_pages(GFP_KERNEL, 10)
r2 = kvmalloc(8000000, GFP_KERNEL)
END
kb() { awk -v name="$1:" '$1 == name { print $2 }' "$tmp/out"; }

slabfuzz 0 slabinfo --meminfo "$tmp/pages.txt"
silent
out_lacks '^slabinfo'
out_has '^MemTotal:          16384 kB$'
check 'a large block is unreclaimable' test "$(kb SUnreclaim)" = 16
check 'Slab is the sum' test "$(kb Slab)" = 16
check 'vmalloc is counted' test "$(kb VmallocUsed)" = 7816
slabfuzz 0 slabinfo --meminfo --at 1 "$tmp/pages.txt"
check 'less is free after the last operation than after the first' test "$(kb MemFree)" -gt 16000
check 'no vmalloc yet' test "$(kb VmallocUsed)" = 0
slabfuzz 0 slabinfo --buddyinfo --at 2 "$tmp/pages.txt"
out_has '^Node 0, zone   Normal  *[0-9]'
check 'eleven orders' test "$(awk '{ print NF }' "$tmp/out")" = 15
slabfuzz 0 slabinfo --vmstat "$tmp/pages.txt"
out_has '^nr_slab_unreclaimable 4$'
out_has '^nr_kernel_misc_reclaimable 0$'
slabfuzz 0 slabinfo --pagetypeinfo "$tmp/pages.txt"
out_has '^Page block order: 9$'
out_has 'type    Unmovable '
check 'eight page blocks' test "$(awk '/^Node 0, zone   Normal  *[0-9]/ {
	for (i = 5; i <= NF; i++) n += $i; print n }' "$tmp/out")" = 8
slabfuzz 0 slabinfo --json --meminfo --vmstat --buddyinfo --pagetypeinfo "$tmp/pages.txt"
for key in meminfo vmstat buddyinfo pagetypeinfo MemAvailable page_blocks; do
	out_has "\"$key\": "
done
slabfuzz 2 slabinfo --histogram --meminfo -a typed "$tmp/pages.txt"

slabfuzz 2 slabinfo
slabfuzz 2 slabinfo "$tmp/none.txt"
slabfuzz 2 slabinfo --at 0 "$tmp/program.txt"
slabfuzz 2 slabinfo -a all "$tmp/program.txt"
slabfuzz 2 slabinfo --histogram "$tmp/program.txt"
says 'baseline has no partitions'
slabfuzz 2 slabinfo --set cpus=0 "$tmp/program.txt"
finish
