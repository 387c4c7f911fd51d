#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_run.sh - running programs: text, bytes, standard input, expectations, and every form of
# output.
. tests/lib/e2e.sh

cat >"$tmp/good.txt" <<'END'
# comes back as it went in
heap pages=4096
r0 = kmalloc(100, GFP_KERNEL)  # ok
r1 = kmalloc(SIZE_MAX, GFP_KERNEL)  # NULL
check  # live kmalloc-128 = 1
kfree(r0)
check  # live kmalloc-128 = 0
check  # slabs kmalloc-128 = 2
END
cat >"$tmp/wrong.txt" <<'END'
r0 = kmalloc(100, GFP_KERNEL)  # NULL
check  # live kmalloc-128 = 7
check  # live no_such_cache = 1
r1 = kmalloc(SIZE_MAX, GFP_KERNEL)  # ok
r2 = kmalloc(8, GFP_KERNEL)  # violation MEM-1
END

slabfuzz 0 run "$tmp/good.txt"
out_has 'good.txt: baseline: 6 operations (0 skipped), [0-9]* events, 0 violations, 5 of 5 '
out_lacks '^MEM-1 '
out_lacks 'pages of slabs'
out_has '^[1-9][0-9]* judgements of [1-9][0-9]* oracles, [1-9][0-9]* skipped of [1-9]'
check 'what matters is three lines' test "$(wc -l <"$tmp/out")" = 3
out_has '^1 files, 6 operations, [0-9]* events: 0 violations, 5 of 5 expectations held$'
silent
# In another process it is the same; each process of its own tells its heap once more.
slabfuzz 0 run --worker=no "$tmp/good.txt" "$tmp/good.txt"
cp "$tmp/out" "$tmp/here"
slabfuzz 0 run --worker=batch "$tmp/good.txt" "$tmp/good.txt"
check 'a worker gives what this process gives' cmp -s "$tmp/out" "$tmp/here"
silent
slabfuzz 1 run --worker=no "$tmp/wrong.txt"
cp "$tmp/out" "$tmp/here"
slabfuzz 1 run --worker=batch "$tmp/wrong.txt"
check 'and misses what it misses' cmp -s "$tmp/out" "$tmp/here"
slabfuzz 1 run --worker=program "$tmp/wrong.txt"
check 'in a process for each, too' cmp -s "$tmp/out" "$tmp/here"
slabfuzz 0 run --worker=program "$tmp/good.txt"
out_has '^1 files, 6 operations, [0-9]* events: 0 violations, 5 of 5 expectations held$'
slabfuzz 2 run --worker=elsewhere "$tmp/good.txt"
says 'worker'
slabfuzz 2 run --worker=program --set pages=64 --set shuffle=1 "$tmp/good.txt"
says 'shuffle=1 needs'
for flag in -v --oracles; do
	slabfuzz 0 run $flag "$tmp/good.txt"
	out_has '^MEM-1  *[1-9][0-9]*  *0  *0$'
	out_has '^MEM-15  *0  *1  *0  freelist_hardened is off$'
	out_has '^baseline: pages of slabs: '
	out_lacks ' judgements of '
	out_has '^1 files, 6 operations, [0-9]* events: 0 violations, 5 of 5 expectations held$'
done

slabfuzz 1 run "$tmp/wrong.txt"
out_has '^expected: NULL; got: ok$'
out_has '^  at .*wrong.txt:1: r0 = kmalloc(100, GFP_KERNEL)$'
out_has '^expected: live kmalloc-128 = 7; got: live kmalloc-128 = 1$'
out_has "^expected: live no_such_cache = 1; got: there is no cache or order 'no_such_cache'\$"
out_has '^expected: ok; got: NULL$'
out_has '^expected: violation MEM-1; got: no violation of MEM-1$'
out_has '0 of 5 expectations held$'

slabfuzz 1 run --json "$tmp/wrong.txt"
out_has '"programs": 1'
out_has '"expected": "NULL"'
out_has '"line": 4'
out_has '"violations": \[\]'
slabfuzz 1 run --tap "$tmp/good.txt" "$tmp/wrong.txt"
out_has '^1\.\.2$'
out_has '^ok 1 - .*good.txt on baseline$'
out_has '^not ok 2 - .*wrong.txt on baseline$'
out_has '^# line 1: expected: NULL; got: ok$'
slabfuzz 1 run --junit "$tmp/report.xml" "$tmp/good.txt" "$tmp/wrong.txt"
check 'JUnit counts' grep -q '<testsuites tests="2" failures="1" errors="0">' "$tmp/report.xml"
check 'JUnit names the line' grep -q 'wrong.txt:1: r0 = kmalloc(100, GFP_KERNEL)' "$tmp/report.xml"
opened=$(grep -c '<testcase' "$tmp/report.xml")
check 'JUnit: every element is closed' \
	test "$opened" = "$(grep -c '</testcase>' "$tmp/report.xml")"

# What an expectation rests on is said behind it.
cat >"$tmp/design.txt" <<'END'
r0 = kmalloc(100, GFP_KERNEL)  # NULL if large
check  # live kmalloc-128 = 1 unless random|typed
check  # live kmalloc-128 = 7 if typed
END
slabfuzz 0 run "$tmp/design.txt"
out_has '1 of 1 expectations held$'
out_has '^  2 expectations could not be judged$'
slabfuzz 1 run -a typed,large "$tmp/design.txt"
out_has '^expected: live kmalloc-128 = 7 if typed; got: live kmalloc-128 = 1$'
out_has '^expected: NULL if large; got: ok$'
slabfuzz 0 show "$tmp/design.txt"
check 'conditions are canonical text' cmp -s "$tmp/out" "$tmp/design.txt"

# A blocked request ends the program, legally; what follows is not judged.
cat >"$tmp/blocked.txt" <<'END'
heap pages=256 watermarks=0
r0 = alloc_pages(GFP_KERNEL, 8)
r1 = kmalloc(64, GFP_KERNEL|__GFP_NOFAIL)  # blocked
r2 = kmalloc(64, GFP_KERNEL)  # ok
END
slabfuzz 0 run "$tmp/blocked.txt"
out_has '2 operations .* 1 of 1 expectations held$'
out_has '^  1 expectations could not be judged$'

# Bytes and text are the same program, and it does the same.
slabfuzz 0 compile "$tmp/good.txt" -o "$tmp/good.bin"
check 'bytes begin with the magic' test "$(head -c 3 "$tmp/good.bin")" = SFb
slabfuzz 0 show "$tmp/good.bin"
cp "$tmp/out" "$tmp/shown.txt"
slabfuzz 0 show "$tmp/good.txt"
check 'show of the bytes is the canonical text' cmp -s "$tmp/out" "$tmp/shown.txt"
slabfuzz 0 compile "$tmp/shown.txt" -o "$tmp/again.bin"
check 'compile of that is the same bytes' cmp -s "$tmp/good.bin" "$tmp/again.bin"
slabfuzz 0 run "$tmp/good.bin"
out_has '6 operations (0 skipped), .* 5 of 5 expectations held$'
head -c 700 /dev/urandom >"$tmp/random"
printf '\0' >>"$tmp/random"
slabfuzz 0 run --bytes "$tmp/random"
slabfuzz 0 show "$tmp/random"
slabfuzz 2 run "$tmp/random"
says '(if this is a fuzzer.s input: --bytes)'

# Standard input, as a file and as a pipe.
slabfuzz 0 run - <"$tmp/good.txt"
out_has '^-: baseline: 6 operations'
"$SLABFUZZ" run - <"$tmp/good.txt" | grep -q '^-: baseline: 6 operations'
check 'run - prints to a pipe' test $? = 0
check 'run - reads a pipe' sh -c \
	"cat '$tmp/good.bin' | '$SLABFUZZ' run - | grep -q '5 of 5 expectations held'"
check 'compile to standard output' sh -c \
	"'$SLABFUZZ' compile '$tmp/good.txt' -o - | cmp -s - '$tmp/good.bin'"

# Settings of the user come over those of the program.
slabfuzz 1 run --set nokmem=1 corpora/seeds/kmalloc_types.txt
out_has 'live kmalloc-cg-64 = 1; got:'
slabfuzz 0 run -o MEM-1,bud corpora/seeds/bulk.txt
out_has '^MEM-1 '
out_has '^BUD-11 '
out_lacks '^MEM-2 '
out_lacks '^ACC-'
slabfuzz 0 run --walk-every=1 --whole -a all,baseline corpora/seeds/bulk.txt
trials=$(grep -c ': baseline: ' "$tmp/out")
check 'one trial, however often an allocator is named' test "$trials" = 1
for end in plain walk teardown; do
	slabfuzz 0 run --end=$end corpora/seeds/bulk.txt
done

# Every run is the same.
slabfuzz 0 run corpora/seeds/remote_free.txt
cp "$tmp/out" "$tmp/first"
slabfuzz 0 run corpora/seeds/remote_free.txt
check 'two runs print the same' cmp -s "$tmp/out" "$tmp/first"

# Bad input: one line that says where, and the good files are still run.
printf 'r0 = kmalloc(64, GFP_KERNEL)\nr1 = kmalloc(64, GFP_KERNL)\n' >"$tmp/typo.txt"
slabfuzz 2 run "$tmp/typo.txt"
says '^slabfuzz: .*typo.txt:2:[0-9]*: expected '
slabfuzz 2 run "$tmp/good.txt" "$tmp/typo.txt" --json
out_has '"message": "bad input"'
out_has '"operations": 6'
slabfuzz 2 run "$tmp/no_such_file"
says 'no_such_file: No such file or directory'
slabfuzz 2 run "$tmp"
says ': Is a directory'
: >"$tmp/empty"
slabfuzz 2 run "$tmp/empty"
says 'empty: empty: neither a program nor a recording'
out_lacks ' 0 violations, 0 of 0 expectations held$'
finish
