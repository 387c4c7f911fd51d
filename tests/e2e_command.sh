#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_command.sh - the command by itself: help, lists, and what it says to bad usage.
. tests/lib/e2e.sh

slabfuzz 0 --help
for command in list run judge show compile import; do
	out_has "^  $command "
done
for command in list run judge show compile import; do
	slabfuzz 0 "$command" --help
	out_has "^usage: slabfuzz $command "
	out_has '  -h, --help '
	slabfuzz 2 "$command" --no-such-option
	says "^slabfuzz: $command: bad option '--no-such-option' (see slabfuzz $command --help)$"
	slabfuzz 2 "$command" -Z
	says "$command: unknown option '-Z'"
done
for command in record nonesuch; do
	slabfuzz 2 "$command"
	says "no command '$command'"
done

slabfuzz 2
says 'which command'
slabfuzz 2 run
says 'run: which file?'
slabfuzz 2 judge
says 'expected one recording'
slabfuzz 2 show a b
says 'expected one file'
slabfuzz 2 compile corpora/seeds/bulk.txt
says 'where to? -o OUT'
slabfuzz 2 import corpora/seeds/bulk.txt
says 'where to? -o OUT'
slabfuzz 2 compile -o
says "option '-o' needs a value"
slabfuzz 2 run -a nonesuch corpora/seeds/bulk.txt
says "no allocator 'nonesuch'; there are: baseline"
slabfuzz 2 run -a , corpora/seeds/bulk.txt
slabfuzz 2 run -o XYZ-1 corpora/seeds/bulk.txt
says "no oracle 'XYZ-1'"
slabfuzz 2 run -o MEM- corpora/seeds/bulk.txt
slabfuzz 2 run --set cpus corpora/seeds/bulk.txt
says "wants KEY=VALUE, not 'cpus'"
slabfuzz 2 run --set nonesuch=1 corpora/seeds/bulk.txt
says "no setting 'nonesuch'"
slabfuzz 2 run --set cpus=65 corpora/seeds/bulk.txt
says 'expected a number from 1 to 64'
slabfuzz 0 run --set watermarks=off --set sheaves=on corpora/seeds/bulk.txt
slabfuzz 2 run --set watermarks=of corpora/seeds/bulk.txt
says '^slabfuzz: run: --set watermarks=of: expected on, off, 1 or 0$'
slabfuzz 2 run --set cpus=-1 corpora/seeds/bulk.txt
slabfuzz 2 run --set cpus=99999999999999999999999 corpora/seeds/bulk.txt
slabfuzz 2 run --set seed= corpora/seeds/bulk.txt
slabfuzz 2 run --end=never corpora/seeds/bulk.txt
says "not 'never'"
slabfuzz 2 run --walk-every=x corpora/seeds/bulk.txt
slabfuzz 2 run --tap --json corpora/seeds/bulk.txt
slabfuzz 2 list nonesuch
says "no table 'nonesuch'"
slabfuzz 2 list ops types

slabfuzz 0 list
for table in allocators oracles types ops settings traits; do
	out_has "^$table\$"
done
silent
slabfuzz 0 list allocators
out_has '^baseline '
out_has ' reset: exact; can:.* place walk '
slabfuzz 0 list oracles
check 'every invariant of the table is listed' \
	test "$(grep -c '^	X([A-Z]*, [0-9]*, ' oracles/invariants.h)" = "$(wc -l <"$tmp/out")"
slabfuzz 0 list ops
check 'every operation of the table is listed' \
	test "$(grep -c '^	X([0-9]*, [A-Z_]*, "' harness/program/ops.h)" = \
		"$(wc -l <"$tmp/out")"
out_has '^r = krealloc(p, size, gfp, site=, type=, token=) '
slabfuzz 0 list settings
check 'every setting of the table is listed' \
	test "$(grep -c '^	X([0-9]*, ' allocators/settings.h)" = "$(wc -l <"$tmp/out")"
slabfuzz 0 list types
check 'at least 64 types' test "$(wc -l <"$tmp/out")" -ge 64
slabfuzz 0 list --json
for key in allocators oracles types ops settings traits; do
	out_has "^  \"$key\": \["
done
slabfuzz 0 list settings --json
out_has '"name": "slab_min_order"'
finish
