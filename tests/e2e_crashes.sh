#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_crashes.sh - `run` outlives the allocator that it runs: one is built that crashes in five
# ways, by the CPU that a program goes to; each is a title with its operation, and what comes behind
# it is run. (tests/test_crash.c has all kinds of crashes.) Needs BUILD.
#
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

flavor=$(basename "$(dirname "$SLABFUZZ")")
BUILD=${BUILD:-build}

# In front of the first assertion of heap_set_cpu().
plant()
{
	cp -r allocators "$tmp/allocators"
	awk '
		{ print }
		/^void heap_set_cpu\(/ { in_it = 1 }
		in_it && /heap_assert/ {
			print "\tplanted(cpu);"
			in_it = 0
			n++
		}
		END { exit n != 1 }' allocators/heap.c >"$tmp/body" &&
		{
			cat <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((noinline)) static void planted(unsigned int cpu)
{
	static volatile int go_on = 1;

	if (cpu == 1)
		*(volatile char *)16 = 1;
	if (cpu == 2) {
		fprintf(stderr, "toy: page %d is gone\n", 4711);
		abort();
	}
	if (cpu == 3)
		exit(0);
	if (cpu == 4)
		while (go_on)
			;
	if (cpu == 5)
		for (int fd = 0; fd < 256; fd++)
			close(fd);
}
END
			cat "$tmp/body"
		} >"$tmp/allocators/heap.c"
}

# shellcheck disable=SC2046,SC2086 # a command with its flags
build()
{
	compile=$(sed 's/ -l[a-z]*//g' "$BUILD/$flavor/flags")
	$compile -w -c -I. -o "$tmp/heap.o" "$tmp/allocators/heap.c" &&
		$compile -w -o "$tmp/slabfuzz" \
			$(find "$BUILD/$flavor/harness/cmd" -name '*.o') "$tmp/heap.o" \
			"$BUILD/$flavor/libslabfuzz.a" \
			$(grep -o ' -l[a-z]*' "$BUILD/$flavor/flags") -ljansson
}

(plant && build) >"$tmp/out" 2>"$tmp/err"
check 'an allocator that crashes is built' test $? = 0
SLABFUZZ=$tmp/slabfuzz

program()
{
	printf 'heap cpus=8\nr0 = kmalloc(100, GFP_KERNEL)\ncpu(%s)\nkfree(r0)\n' "$2" \
		>"$tmp/$1.txt"
}
program fine 0
program segv 1
program abort 2
program exit 3
program hang 4
program closes 5
cd "$tmp" || exit 1

slabfuzz 1 run segv.txt fine.txt
if [ "$flavor" = asan ]; then
	out_has '^ASan: SEGV in planted'
else
	out_has '^SIGSEGV in planted'
fi
out_has 'at segv.txt:3: cpu(1)'
out_has '^fine.txt: baseline: 3 operations'
out_has '2 files, .* 1 crashed'
silent
slabfuzz 1 run abort.txt exit.txt closes.txt fine.txt
out_has '^abort: toy: page N is gone in planted'
out_has '^exit() in planted'
out_has '^closes the process.s own descriptors'
out_has '^fine.txt: baseline: 3 operations'
out_has '3 crashed'
slabfuzz 1 run --timeout 1 hang.txt fine.txt
out_has '^hang in planted'
out_has '^fine.txt: baseline: 3 operations'
slabfuzz 1 run -a baseline,random fine.txt abort.txt fine.txt
check 'each allocator crashes by itself' test "$(grep -c '^abort: toy' "$tmp/out")" = 2
check 'all else is run' test "$(grep -c '^fine.txt: .* 3 operations' "$tmp/out")" = 4
slabfuzz 1 run --json exit.txt fine.txt
out_has '"kind": "exit"'
out_has '"op": 1,'
out_has '"text": "cpu(3)"'
slabfuzz 1 run --tap abort.txt fine.txt
out_has '^not ok 1'
out_has '^# line 3: abort: toy'
out_has '^ok 2'
piped() { "$SLABFUZZ" run -a baseline,random - <abort.txt >out 2>err; }
piped
check 'standard input is read again' test "$(grep -c '^abort: toy' out)" = 2
finish
