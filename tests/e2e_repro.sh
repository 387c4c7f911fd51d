#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_repro.sh - `repro`: a find becomes a folder with a C program that shows it without slabfuzz,
# fails where the bug is and passes where it is not; of a model with a mistake planted, a plug-in
# and a library. What plain C does not show is not written. Needs BUILD.
#
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

flavor=$(basename "$(dirname "$SLABFUZZ")")
BUILD=${BUILD:-build}
here=$PWD
cc=${CC:-cc}
export CFLAGS=-O0

# shellcheck disable=SC2046,SC2086 # a command with its flags
build()
{
	compile=$(sed 's/ -l[a-z]*//g' "$BUILD/$flavor/flags")
	cp -r allocators "$tmp/allocators" &&
		patch -N -s -p1 -d "$tmp" <tests/mutants/M9-class-off-by-one.patch &&
		$compile -w -c -I. -o "$tmp/kmalloc.o" "$tmp/allocators/kmalloc.c" &&
		$compile -w -o "$tmp/mutant" $(find "$BUILD/$flavor/harness/cmd" -name '*.o') \
			"$tmp/kmalloc.o" "$BUILD/$flavor/libslabfuzz.a" \
			$(grep -o ' -l[a-z]*' "$BUILD/$flavor/flags") -ljansson
}

# ends STATUS COMMAND...
ends()
{
	want=$1
	shift
	"$@" >out 2>err
	[ $? = "$want" ]
}

if [ "$flavor" != plain ] || ! command -v patch >/dev/null; then
	echo "1..0 # SKIP compiles what it makes: once is enough; or no patch"
	exit 0
fi
build >"$tmp/out" 2>"$tmp/err"
check 'a model with a mistake is built' test $? = 0
$cc -shared -fPIC -O1 -fno-builtin -Wl,-Bsymbolic -Iallocators/include -o "$tmp/two_bugs.so" \
	tests/plugins/two_bugs.c 2>"$tmp/err"
check 'a plug-in is built' test $? = 0
correct=$SLABFUZZ
cd "$tmp" || exit 1

# --- a model ---
SLABFUZZ=$tmp/mutant
printf 'r0 = kmalloc(256, GFP_KERNEL)\n' >find.txt
dir=model
readme=README.md
slabfuzz 0 repro find.txt --source allocators -o "$dir"
out_has '^model: ISO-2: kmalloc-512 is not the smallest class that fits'
for f in repro.c Makefile README.md bisect.sh program.txt event_hash.h; do
	check "it has $f" test -s "$dir/$f"
done
check 'it says what is due, and where from' grep -q 'mm/slab_common.c' "$dir/$readme"
check 'and how often it came' grep -q '3 of 3 runs' "$dir/$readme"
check 'nothing else is left' test -z "$(ls -d model.* 2>/dev/null)"
check 'where the bug is it fails' ends 2 make -s -j2 -C model run
check 'with the title' grep -q '^BUG: ISO-2: kmalloc-512' err
check 'git bisect: bad' ends 1 model/bisect.sh
check 'git bisect: good' ends 0 env ALLOCATORS="$here/allocators" model/bisect.sh
check 'git bisect: cannot be told' ends 125 env REPRO_BUILD=false model/bisect.sh
slabfuzz 2 repro find.txt --source allocators -o model
says 'model is there already'

# --- a plug-in and a library ---
SLABFUZZ=$correct
printf 'r0 = malloc(100)\nfree(r0)\nr1 = calloc(1, 100)\n' >user.txt
for on in plugin:./two_bugs.so malloc:./two_bugs.so; do
	dir=${on%%:*}
	slabfuzz 0 repro -a "$on" user.txt -o "$dir"
	check "$dir: it fails" ends 2 make -s -C "$dir" run
	check "$dir: and says how" grep -q 'BUG: line 3: an object that was asked for zeroed' err
done
check 'plain calls' grep -q '^	p = calloc(1, 100);' malloc/repro.c
check 'calls of the table' grep -q '^	p = t->calloc(heap, 1, 100);' plugin/repro.c
check 'another library: it passes' ends 0 make -s -C malloc run LIBRARY=
slabfuzz 0 repro -a reference,plugin:./two_bugs.so user.txt -o difference
out_has '^difference: diff zeroing: '

# --- what is not there, and what plain C does not see ---
printf 'r0 = malloc(100)\n' >fine.txt
slabfuzz 2 repro -a malloc: fine.txt -o nothing
says 'fine.txt: on malloc:: it does not show it'
printf 'r0 = malloc(100)\nfree(r0)\nr1 = calloc(1, 100)\nthread(1)\n' >thread.txt
slabfuzz 2 repro -a malloc:./two_bugs.so thread.txt -o nothing
says 'thread() cannot be said in plain C yet'
check 'nothing is written' test -z "$(ls -d nothing* 2>/dev/null)"
slabfuzz 2 repro user.txt
says 'where to? -o DIR'
finish
