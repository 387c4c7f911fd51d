#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_tokens.sh - allocation tokens against the compiler that makes them: the expressions that
# kernel code allocates with, the kernel's calls in C, and `make alloc-token-report`. All need
# clang 22.
#
# Needs: token-report
. tests/lib/e2e.sh

builtin='int main(void) { return __builtin_infer_alloc_token(sizeof(void *)) != 11; }'
for clang in clang-22 clang-25 clang-24 clang-23 clang none; do
	[ "$clang" != none ] || break
	command -v "$clang" >/dev/null || continue
	echo "$builtin" | "$clang" -falloc-token-max=16 -x c -o "$tmp/probe" - 2>"$tmp/err" &&
		"$tmp/probe" && break
done
if [ "$clang" = none ]; then
	skip 'tokens of expressions' 'there is no clang 22'
	skip 'tokens of kernel calls' 'there is no clang 22'
	skip 'alloc-token-report' 'there is no clang 22'
	finish
fi

# tap NAME PROGRAM: all that PROGRAM tests holds, and it tests something.
tap()
{
	"$2" >"$tmp/out" 2>"$tmp/err"
	check "$1: exit 0" test $? = 0
	check "$1: $(grep -c '^ok ' "$tmp/out") of $(sed -n 's/^1\.\.//p' "$tmp/out")" \
		test "$(grep -c '^ok ' "$tmp/out")" = "$(sed -n 's/^1\.\.//p' "$tmp/out")"
	check "$1: at least $3" test "$(grep -c '^ok ' "$tmp/out")" -ge "$3"
}

check 'expressions compile' "$clang" -std=gnu11 -O1 -w -falloc-token-max=16 \
	-mllvm -alloc-token-fallback=99 -o "$tmp/expressions" tests/tokens/expressions.c
tap 'tokens of expressions' "$tmp/expressions" 105

# The library as the command was built with it; libraries that it does not need go unused.
library=$(dirname "$SLABFUZZ")/libslabfuzz.a
[ -f "$library" ] || library=$(dirname "$SLABFUZZ")/plain/libslabfuzz.a
case $SLABFUZZ in
*/asan/*) flags=-fsanitize=address ;;
*/ubsan/*) flags=-fsanitize=undefined ;;
*) flags= ;;
esac
for std in gnu11 gnu2x; do
	# shellcheck disable=SC2086 # no flag or one
	check "kernel calls compile as $std" "$clang" -std="$std" -O2 -falloc-token-max=16 -I. \
		-Wall -Wextra -Werror $flags -o "$tmp/calls" tests/tokens/kernel_calls.c \
		"$library" -lpthread -lm
	tap "tokens of kernel calls in $std" "$tmp/calls" 215
done

# --- alloc-token-report ---

report=$PWD/build/token-report
[ -x "${BUILD:-build}/token-report" ] && report=$(cd "${BUILD:-build}" && pwd)/token-report
if ! [ -x "$report" ]; then
	skip 'alloc-token-report' 'it was not built'
	finish
fi
export CLANG="$clang" TOKEN_REPORT_H="$PWD/ci/token-report.h"

# report STATUS ARGUMENT...
report()
{
	want=$1
	shift
	"$report" "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	what=$(echo "$*" | sed "s|$tmp/||g")
	check "token-report $what: exit $want" test "$got" = "$want"
}

line_of() { grep -n "$1" "$tmp/sites.c" | head -n 1 | cut -d: -f1; }

cat >"$tmp/sites.c" <<'END'
#include <stdlib.h>
struct np { int a; long b; };
struct hp { int a; void *p; };
void *own(size_t n) __attribute__((malloc, alloc_size(1)));
struct token { unsigned long v; };
void *__kmalloc(size_t n, struct token t);
#define kmalloc(size) __kmalloc(size, (struct token){ .v = __builtin_infer_alloc_token(size) })
static char table[8];
struct hp *lost(void) { struct hp *p = malloc(sizeof(struct np)); return p; }
struct hp *captured(void) { return calloc(sizeof(table) / sizeof(table[0]), sizeof(struct hp)); }
void *none(size_t n) { return malloc(n); }
struct np *fine(void) { return malloc(sizeof(struct np)); }
struct hp *kernel_lost(void) { struct hp *p = kmalloc(sizeof(struct np)); return p; }
struct hp *kernel_fine(size_t n) { struct hp *p = kmalloc(n); return p; }
void *kernel_none(size_t n) { return kmalloc(n); }
struct hp *own_fine(void) { return own(sizeof(struct hp)); }
END
report 0 "$tmp/sites.c"
silent
check 'a size of another type loses the pointer' grep -q \
	"sites\.c:$(line_of 'lost(void)'):[0-9]*: malloc() in lost: np, token 5; .* a hp, which" \
	"$tmp/out"
check 'a count that is captured loses the pointer' grep -q \
	"sites\.c:$(line_of captured):[0-9]*: calloc() in captured: char\[8\], token 2; .* a hp" \
	"$tmp/out"
check 'a size alone has no type' grep -q \
	"sites\.c:$(line_of 'none(size_t')*:[0-9]*: malloc() in none: no type, token 0\$" "$tmp/out"
check 'the same of kmalloc()' grep -q \
	"sites\.c:[0-9]*:[0-9]*: __builtin_infer_alloc_token() in kernel_lost: .* a hp, which has" \
	"$tmp/out"
check 'and without a type' grep -q 'in kernel_none: no type, token 0$' "$tmp/out"
out_lacks 'fine'
out_has '^7 allocation sites: 5 with a type, 2 without; 3 whose result has pointers are in the data'
report 0 --extended "$tmp/sites.c"
out_has '^8 allocation sites: 6 with a type'

report 0 --json "$tmp/sites.c"
check 'seven sites' test "$(grep -c '"loses_pointer": ' "$tmp/out")" = 7
check 'three of them lose a pointer' test "$(grep -c '"loses_pointer": true' "$tmp/out")" = 3

cat >"$tmp/good.json" <<END
[ { "directory": "$tmp", "file": "sites.c", "command": "cc -DX='a b' -c sites.c -o sites.o" },
  { "directory": "$tmp", "file": "sites.c",
    "arguments": [ "cc", "-DX=it's", "-c", "sites.c", "-o", "sites.o" ] } ]
END
report 0 --compdb="$tmp/good.json"
out_has '^14 allocation sites: '
check 'nothing is compiled to where the entries say' test ! -e "$tmp/sites.o"

said_once() { [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q "^alloc-token-report: .*$1" "$tmp/err"; }
report 2 --compdb="$tmp/none.json"
check 'it says what is missing' said_once 'none\.json'
echo '[ {' >"$tmp/bad.json"
report 2 --compdb="$tmp/bad.json"
check 'it says where JSON ends' said_once 'bad\.json:[0-9]'
echo '{}' >"$tmp/object.json"
report 2 --compdb="$tmp/object.json"
check 'it says that a list is wanted' said_once 'not a list'
echo '[ { "file": "a.c" } ]' >"$tmp/half.json"
report 2 --compdb="$tmp/half.json"
check 'it says what an entry lacks' said_once 'an entry without'
echo 'int main(' >"$tmp/broken.c"
report 2 "$tmp/broken.c"
check 'it names what does not compile' said_once 'broken\.c does not compile'
report 2 "$tmp/none.c"
check 'it names the file that is not there' said_once 'none\.c: '
report 2 --nonesuch
CLANG=false report 3 "$tmp/sites.c"
check 'without clang 22 it names the package' said_once 'clang-22'
finish
