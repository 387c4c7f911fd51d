#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_plugin.sh - docs/plugin.md is true: libraries of the malloc family and plug-ins load, say what
# they can, run all seeds without an accusation; bugs that are planted are found; what is no
# allocator is refused in a line. A library that is not installed is a skip with its package.
#
# shellcheck disable=SC2317 # check calls functions
. tests/lib/e2e.sh

# A sanitizer's malloc() stands before a library's, and finds what is planted before a rule does.
case $SLABFUZZ in
*/asan/* | */ubsan/*)
	skip 'libraries and plug-ins' 'the malloc() is a sanitizer'"'"'s; plain runs these'
	finish
	;;
esac

plugins=tests/plugins
sanitize=
case $SLABFUZZ in
*/asan/*) sanitize=address,undefined ;;
esac

# build OUT SOURCE...: as the page says, by make.
build()
{
	out=$1
	shift
	make -s plugin SRC="$*" OUT="$out" SANITIZE="$sanitize" \
		CFLAGS="-I$PWD/$plugins -Wall -Wextra -Werror" >"$tmp/make" 2>&1
}

# clean SPEC [TITLES]: all seeds, and no rule is said to be broken, but for the titles that are
# known of it (a pattern). What seeds expect is a kernel's.
clean()
{
	"$SLABFUZZ" run -a "$1" corpora/seeds/*.txt >"$tmp/out" 2>"$tmp/err"
	[ $? -le 1 ] && grep -q ' events: [0-9]* violations, ' "$tmp/out" &&
		! grep -e '^[A-Z]*-[0-9]*: ' "$tmp/out" | grep -v -e "${2:-^none$}" &&
		! grep -q -e Sanitizer -e 'runtime error' "$tmp/err"
}

# --- a plug-in in source ---

check 'an adapter takes at most 40 lines' \
	test "$(wc -l <$plugins/first_fit_plugin.c)" -le 40
check 'first_fit builds' build "$tmp/ff.so" $plugins/first_fit.c $plugins/first_fit_plugin.c
slabfuzz 0 list -a "plugin:$tmp/ff.so"
out_has ' can:.* realloc .* malloc memalign integrity heaps$'
out_has ' traits:.* align_small=1 .* error=0 '
slabfuzz 0 list -a "plugin:$tmp/ff.so" --trait align=8
out_has ' traits: align=8 '
slabfuzz 0 list --json -a "plugin:$tmp/ff.so"
check 'first_fit runs clean' clean "plugin:$tmp/ff.so"
slabfuzz 2 run -a "plugin:$tmp/ff.so" --trait aline=8 corpora/seeds/types.txt
says "no trait 'aline'"
slabfuzz 2 run -a "plugin:$tmp/ff.so" --trait align=x corpora/seeds/types.txt
says 'trait align=x: expected a number'
slabfuzz 2 run -a baseline --trait align=8 corpora/seeds/types.txt
says 'baseline: its traits are what they are'

# --- bugs that the page, and reports of others, speak of ---

cat >"$tmp/words.txt" <<'EOF'
r0 = malloc(200)
r1 = malloc(16)
r2 = realloc(r0, 1000)
r3 = realloc(r2, 5000)
r4 = malloc(17)
r5 = malloc(18)
free(r1)
r6 = memalign(64, 100)
r7 = malloc(33)
malloc_check()
EOF
slabfuzz 0 run -a "plugin:$tmp/ff.so" "$tmp/words.txt"

# plant NAME SED TITLE: first_fit with that change is caught, on one small program.
plant()
{
	sed "$2" $plugins/first_fit.c >"$tmp/$1.c"
	check "$1 is planted" differ "$tmp/$1.c" $plugins/first_fit.c
	check "$1 builds" build "$tmp/$1.so" "$tmp/$1.c" $plugins/first_fit_plugin.c
	slabfuzz 1 run -a "plugin:$tmp/$1.so" "$tmp/words.txt"
	out_has "$3"
}
differ() { ! cmp -s "$1" "$2"; }

plant header 's/-(uintptr_t)(c + 1) % align/-(uintptr_t)c % align/' \
	'^MAL-1: an object of memalign is not aligned as asked$'
plant small_align 's/define ALIGN 16u/define ALIGN 8u/' \
	'^MAL-1: an object of malloc is not aligned for all that fits$'
plant no_room 's/size_of(c) - want < skip/size_of(c) < skip/' \
	'^MEM-1: object of malloc overlaps a live object$'
plant realloc_copy 's/had < size ? had : size/had < size ? had - 16 : size/' \
	'^MAL-6: realloc lost contents$'

# --- one that must be told the size ---

# It tells by itself whether it was told the right ones.
check 'sized builds' build "$tmp/sized.so" $plugins/sized.c
slabfuzz 0 list -a "plugin:$tmp/sized.so"
out_has ' can:.* malloc memalign free_sized free_aligned_sized '
check 'sized runs clean' clean "plugin:$tmp/sized.so"
slabfuzz 0 run -a "plugin:$tmp/sized.so" corpora/user/*.txt
sed 's/take(size, 16, 0)/take(size, 16, 16)/' $plugins/sized.c >"$tmp/told.c"
check 'a size that is told wrongly builds' build "$tmp/told.so" "$tmp/told.c"
slabfuzz 1 run -a "plugin:$tmp/told.so" "$tmp/words.txt"
out_has '^MAL-14: the allocator finds itself unsound$'

# --- what is no plug-in ---

# refused SOURCE TEXT: compiled and loaded, it is refused with that.
refused()
{
	printf '#include <stdlib.h>\n#include <slabfuzz/plugin.h>\n%s\n' "$1" >"$tmp/bad.c"
	check "builds: $2" build "$tmp/bad.so" "$tmp/bad.c"
	slabfuzz 2 list -a "plugin:$tmp/bad.so"
	says "$2"
}
entries='static void *m(void *h, size_t n) { (void)h; return malloc(n); }
static void f(void *h, void *p) { (void)h; free(p); }
SLABFUZZ_EXPORT const struct slabfuzz_plugin slabfuzz_plugin;
const struct slabfuzz_plugin slabfuzz_plugin = '
head='.version = 1, .size = sizeof(slabfuzz_plugin)'

slabfuzz 2 list -a plugin:"$tmp/none.so"
says 'none.so: No such file'
slabfuzz 2 list -a plugin:README.md
says 'README.md: not a shared object'
refused 'int nothing;' 'exports no slabfuzz_plugin'
refused "$entries{ .version = 7, .size = sizeof(slabfuzz_plugin), .name = \"x\", .malloc = m,
	.free = f };" \
	'slabfuzz_plugin is version 7, this slabfuzz knows 1'
refused "$entries{ .version = 1, .size = 4096, .name = \"x\", .malloc = m, .free = f };" \
	'its table says that it has 4096 bytes'
refused "$entries{ .version = 1, .size = 16, .name = \"x\", .malloc = m, .free = f };" \
	'its table says that it has 16 bytes'
refused "$entries{ $head, .name = \"x\", .malloc = m };
void (*use)(void *, void *) = f;" 'no malloc, or no free (nor free_sized)'
refused "$entries{ $head, .malloc = m, .free = f };" 'no name of'
refused "static int data;
$entries{ $head, .name = \"x\", .malloc = m, .free = f, .calloc = (void *)&data };" \
	'entry calloc of its table is no function'
refused "$entries{ $head, .name = \"x\", .malloc = m, .free = f, .traits = \"aline=8\" };" \
	"no trait 'aline'"
cp "$tmp/ff.so" "$tmp/other.so"
# e_machine: none that anybody has.
printf '\377\076' | dd of="$tmp/other.so" bs=1 seek=18 conv=notrunc 2>/dev/null
slabfuzz 2 list -a "plugin:$tmp/other.so"
says 'other.so: built for another machine'
slabfuzz 2 list -a "malloc:$tmp/ff.so"
says 'ff.so: defines no malloc and free'
head -c 40 "$tmp/ff.so" >"$tmp/short.so"
slabfuzz 2 list -a "plugin:$tmp/short.so"
says 'short.so: not a shared object'
# Nobody's code is trusted to come through its own loading.
head -c 3000 "$tmp/ff.so" >"$tmp/short.so"
slabfuzz 2 list -a "plugin:$tmp/short.so"
says 'short.so: \(crashes when it is loaded\|.*file too short\|.*cannot\)'
for loading in 'exit(0)/calls exit(0) when it is loaded' \
	'__builtin_trap()/crashes when it is loaded'; do
	printf '#include <stdlib.h>\n%s { %s; }\n%s\n' \
		'__attribute__((constructor)) static void c(void)' "${loading%%/*}" \
		'void *malloc(size_t n) { return (void *)(n & 0); }
		void free(void *p) { (void)p; }' \
		>"$tmp/loading.c"
	check "builds: ${loading%%/*}" "${CC:-cc}" -shared -fPIC -fno-builtin \
		-o "$tmp/loading.so" "$tmp/loading.c"
	for word in list "run corpora/user/user_zero.txt" \
		"diff corpora/user/user_zero.txt -a reference"; do
		# shellcheck disable=SC2086 # words
		slabfuzz 2 $word -a "malloc:$tmp/loading.so"
		says "loading.so: ${loading#*/}"
	done
done
one_says()
{
	want=$1
	shift
	! make -s plugin "$@" >"$tmp/out" 2>"$tmp/err" && grep -q -e "$want" "$tmp/err"
}
check 'make plugin wants SRC' one_says 'SRC=' OUT="$tmp/x.so"
check 'make plugin wants files' one_says 'there is no file none.c' SRC=none.c OUT="$tmp/x.so"

# --- malloc libraries ---

# library PACKAGE CAPABILITIES FILE [TITLES]: what is known of it is in docs/plugin.md.
library()
{
	if [ -n "$3" ] && [ ! -e "$3" ]; then
		skip "$1 runs clean" "$1 is not installed (ci/setup --dev)"
		return
	fi
	slabfuzz 0 list -a "malloc:$3"
	out_has " can:.* $2"
	check "$1 runs clean" clean "malloc:$3" "${4-}"
}
lib=/usr/lib/$(${CC:-cc} -print-multiarch 2>/dev/null)
library libc6 'malloc calloc reallocarray aligned_alloc posix_memalign memalign trim' ''
library libjemalloc2 'malloc calloc aligned_alloc posix_memalign memalign good_size' \
	"$lib/libjemalloc.so.2" '^MAL-10: realloc failed and did not set errno to ENOMEM$'
library libmimalloc2.0 'malloc calloc reallocarray aligned_alloc' "$lib/libmimalloc.so.2" \
	'^MAL-10: [a-z_]* failed and did not set errno to ENOMEM$'
library libtcmalloc-minimal4 'malloc calloc aligned_alloc' "$lib/libtcmalloc_minimal.so.4" \
	'^MAL-10: calloc failed and did not set errno to ENOMEM$'
library libtbbmalloc2 'malloc calloc posix_memalign' "$lib/libtbbmalloc.so.2"
library libdmalloc5 'malloc calloc posix_memalign memalign' "$lib/libdmalloc.so.5" \
	'^MAL-4: \|^MEM-1: object of malloc lies outside\|^MAL-1: an object of memalign'

finish
