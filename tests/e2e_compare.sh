#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_compare.sh - `slabfuzz compare`: costs side by side, and how far attacks reach. The figures of
# attacks are deterministic, so what designs promise can be asked of them.
. tests/lib/e2e.sh

# percent ALLOCATOR HARDENING COLUMN: the figure of one cell of the last table.
percent()
{
	awk -v a="$1" -v h="$2" -v c="$3" '$1 == a && $2 == h { print $(2 * c + 1) }' "$tmp/out"
}

# figure NAME LEFT OPERATOR RIGHT: one test, on numbers.
figure()
{
	check "$1: ${2:-missing} $3 ${4:-missing}" holds "${2:-none}" "$3" "${4:-none}"
}

holds()
{
	awk -v a="$1" -v o="$2" -v b="$3" 'BEGIN {
		if (a == "none" || b == "none")
			exit 1
		exit !(o == "<" ? a + 0 < b + 0 : o == ">" ? a + 0 > b + 0 : a + 0 == b + 0)
	}'
}

slabfuzz 0 compare corpora/seeds/sheaves_cpus.txt
silent
out_has '^baseline  *[0-9]* '
out_has '^random  *[0-9]* '
out_has '^typed  *[0-9]* '

slabfuzz 0 compare --json -a baseline,typed corpora/seeds/types.txt corpora/seeds/bulk.txt
for key in program allocator settings allocations failures requested_bytes backing_bytes \
	peak_pages most_pages overhead slabs caches; do
	out_has "\"$key\": "
done

# Every table is of the moment when most bytes are alive: that of the last of 30 objects, though the
# block that it lies in came earlier.
{
	echo 'heap pages=32768'
	for i in $(seq 0 29); do echo "r$i = kmalloc(655360, GFP_KERNEL)"; done
	for i in $(seq 0 29); do echo "kfree(r$i)"; done
} >"$tmp/thirty.txt"
slabfuzz 0 compare -a baseline,large "$tmp/thirty.txt"
out_has '^baseline  *30  *0  *19660800  *31457280  *37.5 %  *0  *0$'
out_has '^large  *30  *0  *19660800  *20971520  *6.2 %  *10  *1$'
slabfuzz 0 compare --large "$tmp/thirty.txt"
out_has '^kmalloc  *19200  *30720  *11520  *37.5 %'
out_has '^exact  *19200  *19200  *0  *0.0 %'
out_has '^large  *19200  *20480  *1280  *6.2 %'

slabfuzz 0 compare corpora/traces/sockets-6.18.trace-cmd-report.txt.zst
out_has '^typed  *[0-9]* '

# Columns: overflow, underflow, stale write, cross-cache, double free.
slabfuzz 0 compare --attacks --trials 60 --hardening none,slab_virtual
silent
cp "$tmp/out" "$tmp/first"
figure 'baseline lets an overflow reach pointers' "$(percent baseline none 1)" '>' 5
figure 'typed does not' "$(percent typed none 1)" '<' "$(percent baseline none 1)"
figure 'baseline lets a stale write reach pointers' "$(percent baseline none 3)" '>' 5
figure 'typed never does within a cache' "$(percent typed none 3)" '<' 3
figure 'pages move between partitions' "$(percent typed none 4)" '>' 1
figure 'slab_virtual stops that' "$(percent typed slab_virtual 4)" = 0
slabfuzz 0 compare --attacks --trials 60 --hardening none,slab_virtual
check 'the same figures again' cmp -s "$tmp/out" "$tmp/first"

slabfuzz 0 compare --attacks --trials 3 --detail -a typed --hardening all --bytes 8 --seed 9
out_has 'noticed'
slabfuzz 0 compare --attacks --trials 3 --json -a random --hardening none corpora/seeds/types.txt
for key in layout allocator hardening settings attacks trials left_out noticed reached pointer; do
	out_has "\"$key\": "
done

# Three designs on the workload that told them apart: what is counted, and what is refused for it.
slabfuzz 0 workload dentry --pages 2048 -o "$tmp/dentry.txt"
slabfuzz 0 compare --reclaim --set oom=4.16 "$tmp/dentry.txt"
silent
# cell ACCOUNTING COLUMN: counted 3, truth 4, uncounted 5, OOMs 9, needless 10.
cell() { awk -v a="$1" -v c="$2" '$2 == a { print $c }' "$tmp/out"; }
figure 'none counts less than there is' "$(cell none 3)" '<' "$(cell none 4)"
figure 'none leaves some uncounted' "$(cell none 5)" '>' 1000
figure 'none refuses needlessly' "$(cell none 10)" '>' 0
for design in indirect reclaimable; do
	figure "$design leaves nothing uncounted" "$(cell $design 5)" = 0
	figure "$design counts no less than there is" "$(cell $design 4)" '<' "$(cell $design 3)"
	figure "$design refuses nothing" "$(cell $design 9)" = 0
done
figure 'the truth is the same for all' "$(cell none 4)" = "$(cell reclaimable 4)"
slabfuzz 0 compare --reclaim --json --set oom=4.16 --set memcg=off "$tmp/dentry.txt"
for pair in '"oom": 2,' '"oom_name": "4.16"' '"memcg": 0,' '"accounting": 2,' \
	'"accounting_name": "none"' '"accounting_name": "reclaimable"'; do
	out_has "$pair"
done
out_lacks memcg_name
slabfuzz 0 compare --reclaim --set oom=4.16 --ask 100 --every 2000 "$tmp/dentry.txt"
figure 'what could be had is refused again and again' "$(cell none 10)" '>' 1
figure 'and granted where it is counted' "$(cell indirect 9)" = 0
slabfuzz 0 compare --reclaim --each oom=kernel,flush corpora/seeds/oom_kernel.txt
figure 'parked memory is out of reach' "$(cell kernel 10)" '>' 0
figure 'unless it is flushed' "$(cell flush 9)" = 0
slabfuzz 0 compare --reclaim --every 500 corpora/traces/longnames-6.18.ftrace.txt.zst
figure 'names of a real kernel are not counted' "$(cell none 5)" '>' 0
figure 'but in the design it has' "$(cell reclaimable 5)" = 0
slabfuzz 2 compare --reclaim
slabfuzz 2 compare --reclaim --attacks "$tmp/dentry.txt"
slabfuzz 2 compare --reclaim --each accounting "$tmp/dentry.txt"
slabfuzz 2 compare --reclaim --each accounting=some "$tmp/dentry.txt"
slabfuzz 2 compare --reclaim --every 0 "$tmp/dentry.txt"
slabfuzz 2 compare --reclaim --ask 101 "$tmp/dentry.txt"

# Rivals for 640 KiB: three of them in 2 MiB, or two, or what is left of it.
slabfuzz 0 workload buffers --pages 4096 --size 655360 --noise 0 --keep 1 -o "$tmp/b640.txt"
slabfuzz 0 compare --large "$tmp/b640.txt"
silent
# large RIVAL COLUMN: requested 2, wasted 4, overhead 5, free 2 MiB blocks 8, at end 12.
large() { awk -v r="$1" -v c="$2" '$1 == r { print $c; exit }' "$tmp/out"; }
figure 'kmalloc wastes 3/8 of its blocks' "$(large kmalloc 5)" = 37.5
figure 'exact pages waste nothing' "$(large exact 4)" = 0
figure 'slabs of 2 MiB waste a sixteenth' "$(large large 5)" = 6.2
figure 'more objects fit into slabs of 2 MiB' "$(large large 2)" '>' "$(large kmalloc 2)"
figure 'and more than into exact pages' "$(large large 2)" '>' "$(large exact 2)"
figure 'stock caches keep what was freed' "$(large kmalloc 12)" '>' 8000
figure 'large ones keep nothing' "$(large large 12)" = 0
out_has 'free blocks by order then'
# timeless: without what was measured.
timeless() { sed '/%/s/ *[0-9]*$//' "$tmp/out"; }
timeless >"$tmp/first"
slabfuzz 0 compare --large "$tmp/b640.txt"
timeless >"$tmp/again"
check 'the same figures again, but the time' cmp -s "$tmp/first" "$tmp/again"
slabfuzz 0 compare --large --each large_sheaf=0,4 "$tmp/b640.txt"
figure 'a sheaf pins what was freed' \
	"$(awk '$1 == "large" && $2 == 4 { print $13; exit }' "$tmp/out")" '>' 8000
# 12 sheaves of 4 and 9 empty slabs: what Linux 7.2 was seen to keep of 100 objects.
slabfuzz 0 workload buffers --pages 32768 --size 655360 --noise 0 --keep 1 --blocks 100 \
	-o "$tmp/b100.txt"
slabfuzz 0 compare --large "$tmp/b100.txt"
figure 'a stock cache keeps 57 MiB' "$(large kmalloc 12)" = 58368
check 'all of 100 blocks were had' test "$(large large 9)" = 0/100
slabfuzz 0 workload buffers --pages 4096 --size 655360 --kmalloc 2 --keep 1 -o "$tmp/kv.txt"
slabfuzz 0 compare --large --json --each min_order=0,3,9 "$tmp/kv.txt"
for key in rival allocator settings requests failures fallbacks peak end requested_bytes \
	backing_bytes wasted_bytes overhead free_bytes free_blocks blocks_2m \
	fragmentation_index unusable_index regions_2m regions_each small_pages \
	ns_per_operation min_order; do
	out_has "\"$key\": "
done
check 'kvmalloc falls back' grep -q '"fallbacks": [1-9]' "$tmp/out"
slabfuzz 0 compare --large corpora/traces/longnames-6.18.ftrace.txt.zst
check 'a recording has no time' grep -q '^large .* -$' "$tmp/out"
slabfuzz 2 compare --large
slabfuzz 2 compare --large -a large "$tmp/b640.txt"
says 'its own rows'
slabfuzz 2 compare --large --each min_order=11 "$tmp/b640.txt"
slabfuzz 2 compare --large --reclaim "$tmp/b640.txt"
says 'one table at a time'

# Writes into a sealed pool that do not know where it is.
slabfuzz 0 compare --sealed --trials 16384
silent
# sealed DIRECTMAP PAGES COLUMN: the object 4, the pool 11.
sealed()
{
	awk -v d="$1" -v p="$2" -v c="$3" \
		'$2 == d && $3 == p { print $(c == "NF" ? NF : c) }' "$tmp/out"
}
figure 'an open direct map reaches a large pool' "$(sealed open 256 11)" '>' 20
figure 'about as often as its share of memory' "$(sealed open 256 11)" '<' 30
figure 'a small one more rarely' "$(sealed open 1 11)" '<' 1
for pages in 1 16 256; do
	figure "sealed there too, $pages pages are out of reach" "$(sealed sealed $pages 11)" = 0
	check "with the address known: $pages pages" test \
		"$(sealed open $pages NF) $(sealed sealed $pages NF)" = '64/64 0/64'
done
slabfuzz 0 compare --sealed --trials 64 --json --set pages=1024
for key in allocator directmap pool_pages writes refused map_bytes object pool layouts known \
	bytes hits chance low high formula; do
	out_has "\"$key\": "
done
slabfuzz 2 compare --sealed "$tmp/b640.txt"
says 'takes no file'
slabfuzz 2 compare --sealed -a baseline
says 'has pools'
slabfuzz 2 compare --sealed --set directmap=open
slabfuzz 2 compare --sealed --set pages=64
slabfuzz 2 compare --sealed --trials 0

slabfuzz 2 compare
says 'which file?'
slabfuzz 2 compare "$tmp/none"
slabfuzz 2 compare --attacks --trials 0
slabfuzz 2 compare --attacks --bytes 65536
slabfuzz 2 compare --attacks --hardening nonesuch
says "no hardening 'nonesuch'"
slabfuzz 2 compare --attacks -a nonesuch
slabfuzz 2 compare --attacks --set nonesuch=1
slabfuzz 2 compare --attacks corpora/traces/sockets-6.18.trace-cmd-report.txt.zst
says 'no types'
printf '# nothing\n\n' >"$tmp/words.txt"
: >"$tmp/empty.txt"
slabfuzz 0 compare "$tmp/words.txt"
slabfuzz 2 compare "$tmp/empty.txt"
says 'empty: neither a program nor a recording'
finish
