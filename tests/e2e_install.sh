#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_install.sh - what `make install` puts in place is enough: from a stranger's folder the
# installed command fuzzes, with built-in seeds, finds a bug that was planted in its engine, and
# outlives an allocator that crashes. Needs BUILD; what needs an engine is skipped where there is
# none.
#
# Needs: libfuzzer_program replay
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

case $SLABFUZZ in
*/asan/*)
	echo "1..0 # what is installed is the same in every flavor"
	exit 0
	;;
esac
src=$PWD
case $BUILD in
/*) ;;
*) BUILD=$PWD/$BUILD ;;
esac
engine=$BUILD/libfuzzer_program
root=$tmp/root
unset SLABFUZZ_CRASHES SLABFUZZ_ALLOCATOR SLABFUZZ_EXPECT MAKEFLAGS MAKELEVEL
set -- BUILD="$BUILD" DESTDIR="$root" PREFIX=/opt/sf AFL_RT=/nonexistent

# What is built is installed; nothing is built for it here but what is small.
make_in() { make -j1 "$@" >"$tmp/out" 2>"$tmp/err"; }
check 'make install' make_in install "$@"
for f in bin/slabfuzz bin/slabfuzz-replay lib/libslabfuzz.a lib/pkgconfig/slabfuzz.pc \
	include/slabfuzz/allocator.h include/slabfuzz/plugin.h share/man/man1/slabfuzz.1 \
	share/doc/slabfuzz/LICENSE \
	share/slabfuzz/seeds/types.txt share/slabfuzz/user/user_zero.txt; do
	check "installs $f" test -s "$root/opt/sf/$f"
done

compiles()
{
	printf '#include <slabfuzz/%s.h>\n' allocator traits plugin >"$tmp/mine.c"
	echo 'struct sf_allocator mine;' >>"$tmp/mine.c"
	${CC:-cc} -std=gnu11 -Wall -Werror -I"$root/opt/sf/include" -c -o "$tmp/mine.o" \
		"$tmp/mine.c" 2>"$tmp/err"
}
check 'a program includes its headers' compiles
check 'the page names each command' \
	grep -q '^.SH "slabfuzz fuzz"' "$root/opt/sf/share/man/man1/slabfuzz.1"

SLABFUZZ=$root/opt/sf/bin/slabfuzz
mkdir "$tmp/stranger"
cd "$tmp/stranger" || exit 1
printf 'r0 = kmalloc(8, GFP_KERNEL)\n' >one.txt
slabfuzz 0 run one.txt
slabfuzz 2 fuzz --seconds 0
says 'seconds wants a number'
slabfuzz 2 fuzz -a nobody
says "no allocator 'nobody'"
slabfuzz 2 fuzz --seeds "$tmp/none"
says 'no such folder'
slabfuzz 2 fuzz stray
says 'nothing but options'
mv "$root/opt/sf/libexec/slabfuzz" "$tmp/libexec" 2>/dev/null
slabfuzz 3 fuzz --seconds 1
says 'libfuzzer_program is not there'
without_afl() { PATH=/nonexistent "$SLABFUZZ" fuzz --engine afl >"$tmp/out" 2>"$tmp/err"; }
without_afl
check 'without AFL++: exit 3' test $? = 3
says 'afl-fuzz is missing; Debian: apt install afl++'

if [ ! -x "$engine" ] || ! command -v patch >/dev/null; then
	skip 'fuzzes' 'no libFuzzer, or no patch'
	cd "$src" || exit 1
	finish
fi
mv "$tmp/libexec" "$root/opt/sf/libexec/slabfuzz"

slabfuzz 0 fuzz -a baseline,typed --seconds 4 --jobs 1 --seed 1
out_has '^  found       nothing'
out_has '^    typed '
check 'the corpus is where it was run' test -d slabfuzz-corpus

slabfuzz 0 fuzz -a malloc: --trait align=8 --seconds 2 --jobs 1 --corpus m
out_has '^    malloc: '
out_has '^  corpus .*; seeds: [1-9]'
slabfuzz 0 fuzz -a typed --seconds 1 --jobs 1 --corpus n --no-seeds
out_has '; seeds: 0)'

# An engine with a bug: size classes off by one.
# shellcheck disable=SC2046,SC2086 # a command with its flags
plant()
{
	compile=$(sed 's/ -l[a-z]*//g' "$BUILD/fuzz/flags")
	cp -r allocators "$tmp/allocators" &&
		patch -s -p1 -d "$tmp" <tests/mutants/M9-class-off-by-one.patch &&
		$compile -w -c -I. -o "$tmp/kmalloc.o" "$tmp/allocators/kmalloc.c" &&
		$compile -w -fsanitize=fuzzer \
			-o "$root/opt/sf/libexec/slabfuzz/libfuzzer_program" \
			"$BUILD/fuzz/harness/entry/libfuzzer_program.o" "$tmp/kmalloc.o" \
			"$BUILD/fuzz/libslabfuzz.a" $(grep -o ' -l[a-z]*' "$BUILD/fuzz/flags")
}
(cd "$src" && plant) >"$tmp/out" 2>&1
check 'an engine with a bug' test $? = 0
export SLABFUZZ_ASSERT=0
slabfuzz 1 fuzz -a baseline --seconds 5 --jobs 1 --corpus c --crashes d --json
out_has '"title": "ISO-2: kmalloc-[0-9k]* is not the smallest class that fits"'
out_has '"repeated": 3'
check 'a program of it is in its folder' test -n "$(ls d/ISO-2-*.txt)"
# Each key of what was printed is in the page.
documented()
{
	sed -n 's/^ *"\([^"]*\)": .*/\1/p' "$tmp/out" | sort -u >"$tmp/keys"
	while read -r k; do
		grep -q "\`$k\`" docs/json.md || {
			echo "# $k"
			return 1
		}
	done <"$tmp/keys"
}
cd "$src" || exit 1
check 'keys of fuzz are documented' documented
cd "$tmp/stranger" || exit 1

# Asked to end, it sums up.
"$SLABFUZZ" fuzz -a baseline --seconds 600 --jobs 1 --corpus c --crashes d \
	>"$tmp/out" 2>"$tmp/err" &
pid=$!
sleep 4
kill -TERM "$pid"
wait "$pid"
check 'a signal ends it with what was found' test $? = 1
out_has 'interrupted$'
out_has '^  found       ISO-2'

cd "$src" || exit 1
check 'make uninstall' make_in uninstall "$@"
check 'leaves no file' test -z "$(find "$root" -type f)"
finish
