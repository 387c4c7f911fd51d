#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_debug.sh - `debug`: gdb, stopped before the operation that shows what is wrong, with what
# there is to see. Skipped where there is no gdb, or it may trace nothing.
#
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

cc=${CC:-cc}
if ! command -v gdb >/dev/null || ! gdb -batch -ex run /bin/true >/dev/null 2>&1 ||
	! $cc -shared -fPIC -g -O1 -fno-builtin -Wl,-Bsymbolic -Iallocators/include \
		-o "$tmp/two_bugs.so" tests/plugins/two_bugs.c 2>"$tmp/err"; then
	echo "1..0 # SKIP no gdb, or no compiler for a plug-in"
	exit 0
fi
case $SLABFUZZ in
*/asan/*)
	echo "1..0 # SKIP the debugger is the same in every flavor"
	exit 0
	;;
esac
cd "$tmp" || exit 1
mkdir scripts
TMPDIR="$tmp/scripts"
export TMPDIR
printf 'r0 = malloc(100)\nfree(r0)\nr1 = malloc(40)\nr2 = calloc(1, 100)\n' >find.txt

"$SLABFUZZ" debug --batch -a plugin:./two_bugs.so find.txt </dev/null >out 2>err
check 'it says what is wrong' grep -q '^MAL-5: an object of calloc holds old data' err
out_has '^>>>    4  r2 = calloc(1, 100)'
out_has '^r1 at 0x[0-9a-f]*, 40 bytes'
out_lacks '^r0 at'
out_has '^#0 .*sf_debug_violation'
printf 'r0 = kmalloc(100, GFP_KERNEL)\nr1 = kmalloc(200, GFP_KERNEL)\nkfree(r0)\n' >fine.txt
slabfuzz 2 debug fine.txt
says 'it does not show it (--at=N stops all the same)'
printf 'program\nobject 0\nslab 0\npage 1\nstep-op\nobject 0\nquit\n' |
	"$SLABFUZZ" debug --at 3 fine.txt >out 2>err
out_has '^>>>    3  kfree(r0)'
out_has 'r0 at 0xffff8880[0-9a-f]*, 100 bytes (128 usable), of operation 1'
out_has 'in a slab of kmalloc-128 (partition 0): slot '
out_has 'slab of kmalloc-128: pfn 0x'
out_has '# a result.s, o in use otherwise'
out_has 'page frame 0x'
out_has '100 bytes (128 usable), of operation 1, freed'
check 'no script is left' test -z "$(ls scripts)"
slabfuzz 3 debug --at 1 --debugger no-such-debugger fine.txt
says 'no-such-debugger is missing'
slabfuzz 2 debug -a baseline,random fine.txt
says 'a difference is seen with diff --here'
finish
