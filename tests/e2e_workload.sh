#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_workload.sh - `slabfuzz workload`: programs of a family, the same each time, that run clean.
. tests/lib/e2e.sh

differ() { ! cmp -s "$1" "$2"; }

slabfuzz 0 workload dentry --pages 512 -o "$tmp/a.txt"
silent
check 'nothing on standard output' empty "$tmp/out"
slabfuzz 0 workload dentry --pages 512
check 'the same program again' cmp -s "$tmp/out" "$tmp/a.txt"
slabfuzz 0 workload dentry --pages 512 --seed 2
check 'another seed, another program' differ "$tmp/out" "$tmp/a.txt"
slabfuzz 0 show "$tmp/a.txt"
check 'it is canonical text' cmp -s "$tmp/out" "$tmp/a.txt"
check 'dentries own their names' test "$(grep -c '^owns(' "$tmp/a.txt")" -gt 100

for design in none indirect reclaimable; do
	for oom in kernel flush 4.16; do
		slabfuzz 0 run --set "accounting=$design" --set "oom=$oom" "$tmp/a.txt"
	done
done
slabfuzz 0 workload dentry --pages 512 --rcu 1 -o "$tmp/rcu.txt"
slabfuzz 0 run -a all "$tmp/rcu.txt"
slabfuzz 0 workload dentry --files 3 --shortest 40 --longest 40 --negative 0 --open 100
check 'three open files with an inode and a name each' test "$(grep -c '^owns(' "$tmp/out")" = 6
check 'all pinned' test "$(grep -c '^pin(' "$tmp/out")" = 3

slabfuzz 0 workload buffers --pages 2048 -o "$tmp/b.txt"
slabfuzz 0 workload buffers --pages 2048
check 'the same buffers again' cmp -s "$tmp/out" "$tmp/b.txt"
slabfuzz 0 show "$tmp/b.txt"
check 'buffers are canonical text' cmp -s "$tmp/out" "$tmp/b.txt"
check 'four clients' test "$(grep -c '^c[0-3] = kmem_cache_create(' "$tmp/b.txt")" = 4
slabfuzz 0 run -a all "$tmp/b.txt"
slabfuzz 0 workload buffers --pages 2048 --size 655360 --min-order 9 --noise 60 -o "$tmp/b.txt"
check 'each slab is a block of 2 MiB' grep -q 'min_order=9)' "$tmp/b.txt"
slabfuzz 0 run -a all "$tmp/b.txt"
for form in 1 2; do
	slabfuzz 0 workload buffers --pages 2048 --kmalloc $form -o "$tmp/b.txt"
	slabfuzz 0 run -a all "$tmp/b.txt"
done
slabfuzz 0 workload policydb --rules 200 -o "$tmp/p.txt"
slabfuzz 0 show "$tmp/p.txt"
check 'a policy database is canonical text' cmp -s "$tmp/out" "$tmp/p.txt"
slabfuzz 0 run -a all "$tmp/p.txt"
for map in open sealed; do
	slabfuzz 0 run -v -a protected --set directmap=$map "$tmp/p.txt"
	out_has '^PMA-5  *[1-9]'
done

slabfuzz 2 workload
slabfuzz 2 workload nonesuch
slabfuzz 2 workload dentry --pages 0
slabfuzz 2 workload dentry --shortest 9 --longest 8
says 'longer than the longest'
slabfuzz 2 workload buffers --kmalloc 3
slabfuzz 2 workload buffers --min-order 11
slabfuzz 2 workload buffers --noise 91
slabfuzz 2 workload policydb --rules 0
slabfuzz 2 workload dentry -o "$tmp/no/such/folder"
finish
