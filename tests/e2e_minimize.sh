#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_minimize.sh - `minimize`: what shows a violation, a crash or a difference, among thousands of
# random operations, becomes a few lines with the same title; on allocators of the build (one is
# built with a mistake and a crash), a plug-in and a library. Needs BUILD.
#
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

flavor=$(basename "$(dirname "$SLABFUZZ")")
BUILD=${BUILD:-build}
here=$PWD
bury=$PWD/$BUILD/plain/tests/bury
correct=$SLABFUZZ

crash='\tif (cpu == 3)\n\t\t*(volatile char *)16 = 1;'

# shellcheck disable=SC2046,SC2086 # a command with its flags
build()
{
	compile=$(sed 's/ -l[a-z]*//g' "$BUILD/$flavor/flags")
	cp -r allocators "$tmp/allocators" &&
		patch -N -s -p1 -d "$tmp" <tests/mutants/M9-class-off-by-one.patch &&
		sed -i "/^void heap_set_cpu(/,/^}/s/^{/&\n$crash/" "$tmp/allocators/heap.c" ||
		return
	for f in kmalloc heap; do
		$compile -w -c -I. -o "$tmp/$f.o" "$tmp/allocators/$f.c" || return
	done
	$compile -w -o "$tmp/slabfuzz" $(find "$BUILD/$flavor/harness/cmd" -name '*.o') \
		"$tmp/kmalloc.o" "$tmp/heap.o" "$BUILD/$flavor/libslabfuzz.a" \
		$(grep -o ' -l[a-z]*' "$BUILD/$flavor/flags") -ljansson
}

if [ ! -x "$bury" ] || ! command -v patch >/dev/null; then
	echo "1..0 # SKIP tests/bury is not built, or no patch"
	exit 0
fi
build >"$tmp/out" 2>"$tmp/err"
check 'an allocator with a mistake and a crash is built' test $? = 0
SLABFUZZ=$tmp/slabfuzz
cd "$tmp" || exit 1

operations() { grep -cv -e '^#' -e '^heap ' "$1"; }
at_most() { [ "$(operations "$1")" -le "$2" ]; }
shows() { "$SLABFUZZ" run "$1" 2>&1 | grep -q "^$2"; }

# --- a violation ---
printf 'r0 = kmalloc(193, GFP_KERNEL)\nkfree(r0)\n' >seed.txt
"$bury" seed.txt 5000 1 >long.txt
start=$(date +%s)
slabfuzz 0 minimize long.txt --title 'ISO-2*' -o short.txt
check 'in under 20 s' test $(($(date +%s) - start)) -lt 20
check 'below 10 operations' at_most short.txt 9
check 'it says how it went' grep -q '^slabfuzz: minimize: 500[0-9] -> 1 operations, [0-9]* runs' err
check 'the same title' shows short.txt 'ISO-2: '
check 'which it names' grep -q '^# title: ISO-2: ' short.txt
check 'and the allocator' grep -q '^# allocator: baseline' short.txt
check 'sizes are round' grep -q 'r0 = kmalloc([0-9]*, GFP_KERNEL)$' short.txt
"$SLABFUZZ" minimize long.txt --title 'ISO-2*' -o again.txt 2>err
check 'the same again' cmp -s short.txt again.txt
slabfuzz 0 minimize short.txt
check 'what is smallest stays' cmp -s out short.txt
slabfuzz 0 minimize --json long.txt --title 'ISO-2*' -o short.txt
holds() { jq -e "$1" out >/dev/null; }
doc=docs/json.md
check 'JSON' holds '.title | startswith("ISO-2: ")'
# shellcheck disable=SC2016 # backquotes of Markdown
documented()
{
	for key in $(jq -r 'keys[]' out); do
		grep -q "\`$key\`" "$here/$doc" || return 1
	done
}
check 'its keys are in docs/json.md' documented
check 'JSON says how small' holds '.before >= 5000 and .after == 1 and .complete'
"$SLABFUZZ" compile long.txt -o long
slabfuzz 0 minimize long --title 'ISO-2*' -o short.txt
check 'from bytes' at_most short.txt 1

# --- a crash ---
{
	echo 'heap cpus=4'
	seq -f 'r%.0f = kmalloc(8, GFP_KERNEL)' 0 499
	seq -f 'kfree(r%.0f)' 100 200
	printf 'cpu(1)\ncpu(3)\nkfree(r0)\n'
} >long.txt
segv='SIGSEGV in heap_set_cpu'
[ "$flavor" != asan ] || segv='ASan: SEGV in heap_set_cpu'
slabfuzz 0 minimize long.txt --title "$segv" -o short.txt
check 'a crash: one operation' at_most short.txt 1
check 'its report is in the text' grep -q '^# report: ' short.txt

# --- what shows nothing ---
printf 'r0 = kmalloc(8, GFP_KERNEL)\n' >fine.txt
slabfuzz 2 minimize fine.txt -o nothing.txt
says 'fine.txt: on baseline: nothing is wrong with it'
check 'nothing is written' test ! -e nothing.txt
slabfuzz 2 minimize fine.txt --title 'MEM-1: no'
says "does not show 'MEM-1: no'"
slabfuzz 2 minimize
says 'expected one file'
slabfuzz 2 minimize seed.txt --json
says '-o OUT'

# --- time ---
"$bury" seed.txt 5000 3 >long.txt
slabfuzz 0 minimize --seconds 1 long.txt --title 'ISO-2*' -o short.txt
check 'a bound of time: the best so far' shows short.txt ISO-2
"$SLABFUZZ" minimize --tries 1000 long.txt --title 'ISO-2*' -o interrupted.txt 2>err &
pid=$!
sleep 2
kill -INT "$pid" 2>/dev/null
wait "$pid"
check 'Ctrl-C: the best so far' shows interrupted.txt ISO-2

# --- a difference ---
SLABFUZZ=$correct
cd "$here" || exit 1
cc=${CC:-cc}
if $cc -shared -fPIC -O1 -fno-builtin -Wl,-Bsymbolic -Iallocators/include -o "$tmp/two_bugs.so" \
	tests/plugins/two_bugs.c \
	2>"$tmp/err"; then
	cd "$tmp" || exit 1
	cat >user.txt <<'END'
r0 = malloc(100)
free(r0)
r1 = calloc(1, 100)
free(r1)
END
	"$bury" user.txt 300 5 reference >long.txt
	slabfuzz 0 minimize -a plugin:./two_bugs.so long.txt -o short.txt
	check 'a plug-in' at_most short.txt 3
	slabfuzz 1 diff -a reference,plugin:./two_bugs.so long.txt
	slabfuzz 0 minimize -a reference,plugin:./two_bugs.so long.txt -o short.txt
	check 'a difference' at_most short.txt 3
	check 'its title' grep -q '^# title: diff ' short.txt
	check 'how to see it' grep -q '^# detail: slabfuzz diff -a reference,plugin' short.txt
	slabfuzz 0 minimize short.txt
	check 'the find says who' cmp -s out short.txt
	slabfuzz 0 minimize -a malloc:./two_bugs.so long.txt -o short.txt
	check 'a library' at_most short.txt 3
else
	skip 'a plug-in' 'it cannot be built'
fi
finish
