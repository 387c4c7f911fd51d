#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_diff.sh - `slabfuzz diff`: members in lockstep, over the corpora, and what is shown of a
# difference.
. tests/lib/e2e.sh

cat >"$tmp/program.txt" <<'END'
heap pages=4096 seed=3
r0 = kmalloc(100, GFP_KERNEL)
r1 = kzalloc(100, GFP_KERNEL)
check
kfree(r0)
END

# The designs, and settings that change one thing each: nothing else differs.
slabfuzz 0 diff -a baseline,typed,random,large,protected,baseline@init_on_alloc=1,baseline@cpus=4 \
	corpora/seeds/*.txt
out_has '^baseline, typed: [1-9][0-9]* compared, [1-9][0-9]* skipped, 0 diverged$'
out_has '; 0 divergences$'
silent

slabfuzz 0 diff -v -a baseline@seed=3,baseline@freelist_random=1@seed=3 "$tmp/program.txt"
out_has '^  index  *0 compared  *0 diverged  differ 2$'
out_has '^  place  *2 compared  *0 diverged$'

# What a user of malloc relies on, whatever it rounds up to.
slabfuzz 0 diff -v -a reference,malloc: corpora/user/*.txt
out_has '^  result  *[1-9][0-9]* compared  *0 diverged'
out_has '^  zeroing  *[1-9][0-9]* compared  *0 diverged'
out_has '^  usable  *0 compared'

slabfuzz 0 diff --json -a baseline,typed "$tmp/program.txt"
out_has '"a": "baseline"'
out_has '"divergences": \[\]'

slabfuzz 2 diff -a baseline "$tmp/program.txt"
out_lacks .
check 'says how many' grep -q 'Two at least' "$tmp/err"
slabfuzz 2 diff -a baseline,nosuch "$tmp/program.txt"
says "no allocator 'nosuch'"
slabfuzz 2 diff -a baseline,baseline@nosuch=1 "$tmp/program.txt"
says "no setting 'nosuch'"
slabfuzz 2 diff -a baseline,typed corpora/traces/sockets-6.18.trace-cmd-report.txt.zst
says 'a recording of a kernel: turn it into a program first'
finish
