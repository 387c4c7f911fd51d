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

# A count that its counter cannot hold is refused by who has counters.
slabfuzz 0 diff -a baseline,reference corpora/seeds/flex_documented.txt

# Generated programs, and what machines read of all that.
slabfuzz 0 diff --programs 60 --junit "$tmp/report.xml" -a baseline,typed,baseline@cpus=4
out_has '^60 programs, [1-9][0-9]* operations'
out_lacks 'no difference'
check 'a suite for each pair' test "$(grep -c '<testsuite ' "$tmp/report.xml")" = 2
check 'a case for each property' test "$(grep -c '<testcase ' "$tmp/report.xml")" = \
	$(($("$SLABFUZZ" list properties | wc -l) * 2))
check 'what was never compared is skipped' grep -q '<skipped message="never compared"/>' \
	"$tmp/report.xml"
# That member cannot be what some programs want: these are counted.
slabfuzz 0 diff --programs 40 -a baseline,baseline@memcg=0 --seed 370
out_has '^[1-9][0-9]* generated programs left out: their settings contradict'
slabfuzz 2 diff -a baseline,typed
says 'which file? Or --programs=N'

# Two builds of the models: none differs; with a mistake that no rule forbids, the property says it.
tree=$tmp/tree
model_so()
{
	OUT="$tmp/$1.so" TREE="$tree" CFLAGS=-O0 JOBS=2 sh ci/model-so.sh >"$tmp/out" 2>"$tmp/err"
}
mkdir -p "$tree"
cp -r allocators "$tree/"
check 'the models become a shared object' model_so same
slabfuzz 0 diff -a "typed,model:$tmp/same.so:typed" --programs 60 corpora/seeds/*.txt
out_has ' [1-9][0-9]* compared, 0 skipped, 0 diverged$'
# A refill of per-CPU lists takes what it likes, within bounds.
sed -i 's/base << p->alloc_factor/base << (p->alloc_factor \& 0)/' "$tree/allocators/page_pcp.c"
check 'a changed one, too' model_so changed
slabfuzz 1 diff --junit "$tmp/report.xml" -a "typed,model:$tmp/changed.so:typed" --programs 60 \
	corpora/seeds/*.txt
out_has "^  diff events: typed [0-9]*, model:$tmp/changed.so:typed [0-9]* after "
out_has '^>>> '
check 'JUnit has it' grep -q '<failure message="diff events: typed ' "$tmp/report.xml"
slabfuzz 0 run -a "model:$tmp/changed.so:typed" corpora/seeds/*.txt
out_has ': 0 violations'
slabfuzz 2 diff -a "typed,model:$tmp/same.so:nosuch" "$tmp/program.txt"
says 'has no model of that name'
slabfuzz 2 diff -a "typed,model:$tmp/program.txt" "$tmp/program.txt"
says 'not a shared object'

# Two builds of one plug-in, in one process, with the same symbols.
plug_in()
{
	OUT="$tmp/$1.so" SRC="$tmp/ff/first_fit.c $tmp/ff/first_fit_plugin.c" sh ci/plugin.sh \
		>"$tmp/out" 2>"$tmp/err"
}
mkdir -p "$tmp/ff"
cp tests/plugins/* "$tmp/ff/"
check 'a plug-in is built' plug_in old
cp "$tmp/old.so" "$tmp/again.so"
sed -i 's/size_t want = chunk_size(size);/size_t want = size ? chunk_size(size) : 0;/' \
	"$tmp/ff/first_fit.c"
check 'and once more, changed' plug_in new
slabfuzz 0 diff -a "plugin:$tmp/old.so,plugin:$tmp/again.so" corpora/user/*.txt --programs 60
out_has '; 0 divergences$'
slabfuzz 1 diff -a "plugin:$tmp/old.so,plugin:$tmp/new.so" corpora/user/user_zero.txt
out_has "^  diff result: plugin:$tmp/old.so ok, plugin:$tmp/new.so NULL after malloc\$"
# The other way round as well: neither has the other's code.
slabfuzz 1 diff -a "plugin:$tmp/new.so,plugin:$tmp/old.so" corpora/user/user_zero.txt
out_has "^  diff result: plugin:$tmp/new.so NULL, plugin:$tmp/old.so ok after malloc\$"

# A member that crashes differs, and ends nothing.
cp tests/plugins/first_fit.c "$tmp/ff/"
crash='if (!size) __builtin_trap();'
sed -i "/size_t want = chunk_size(size);/a $crash" "$tmp/ff/first_fit.c"
check 'and once more, with a crash' plug_in crash
slabfuzz 1 diff --worker -a "plugin:$tmp/old.so,plugin:$tmp/crash.so" corpora/user/user_zero.txt \
	corpora/user/user_usable.txt
out_has "^  diff result: plugin:$tmp/old.so ok, plugin:$tmp/crash.so trap in ff_memalign after "
out_has '^[^ ]*user_usable.txt: [0-9]* operations, no difference$'
slabfuzz 0 diff --worker -a "plugin:$tmp/old.so,plugin:$tmp/again.so" corpora/user/*.txt

# So does one with no heap of its own, whose NULL would need no reason; by itself, of a library too.
cat >"$tmp/bump.c" <<'END'
#include <stdlib.h>
static _Alignas(16) char arena[1 << 20];
static size_t top;
static int frees;
void *malloc(size_t n)
{
	size_t at = top;
#ifdef ANSWER
	if (n == 777 && frees)
		return ANSWER;
#endif
#ifdef DIES
	if (n == 777)
		DIES;
#endif
	if (n > sizeof(arena) - top - 16)
		return NULL;
	top += (n | 15) + 1;
	return arena + at;
}
void free(void *p) { (void)p; frees++; }
END
bump()
{
	${CC:-cc} -g -shared -fPIC -fno-builtin "$@" "$tmp/bump.c"
}
printf 'r0 = malloc(100)\nr1 = malloc(777)\nfree(r0)\n' >"$tmp/777.txt"
printf 'r0 = malloc(100)\nfree(r0)\n' >"$tmp/100.txt"
check 'a library is built' bump -o "$tmp/bump.so"
for dies in '__builtin_trap()' 'exit(0)' 'abort()'; do
	check "one that ends by $dies" bump -o "$tmp/dies.so" "-DDIES=$dies"
	slabfuzz 1 diff -a "reference,malloc:$tmp/dies.so" "$tmp/777.txt" "$tmp/100.txt"
	out_has "^  diff result: reference ok, malloc:$tmp/dies.so [a-z()]* .*after malloc\$"
	out_has '^[^ ]*100.txt: 2 operations, no difference$'
	slabfuzz 1 diff -a "malloc:$tmp/dies.so,malloc:$tmp/bump.so" "$tmp/777.txt"
	out_has '; 1 divergences$'
done
# Whose NULL tells no reason is asked: with room for twice all that, and nothing freed, it differs.
printf 'r0 = malloc(100)\nfree(r0)\nr1 = malloc(777)\n' >"$tmp/freed.txt"
printf 'r0 = malloc(600000)\nfree(r0)\nr1 = malloc(600000)\n' >"$tmp/full.txt"
check 'one that refuses' bump -o "$tmp/null.so" -DANSWER=NULL
for with in "reference,malloc:$tmp/null.so" "malloc:$tmp/bump.so,malloc:$tmp/null.so"; do
	slabfuzz 1 diff -a "$with" "$tmp/freed.txt"
	out_has "^  diff result: [^ ]* ok, malloc:$tmp/null.so NULL after malloc\$"
done
slabfuzz 0 diff -a "reference,malloc:$tmp/bump.so" "$tmp/freed.txt" "$tmp/full.txt"
slabfuzz 0 diff -a "reference,malloc:$tmp/null.so" "$tmp/full.txt" "$tmp/777.txt"
# An address of nothing is no object, and no want of room.
check 'one that answers with no address' bump -o "$tmp/nowhere.so" '-DANSWER=(void *)16'
for with in "reference,malloc:$tmp/nowhere.so" "malloc:$tmp/bump.so,malloc:$tmp/nowhere.so"; do
	slabfuzz 1 diff -a "$with" "$tmp/freed.txt"
	out_has "^  diff result: [^ ]* ok, malloc:$tmp/nowhere.so nowhere after malloc\$"
done

slabfuzz 2 diff --here --worker -a reference,malloc: "$tmp/777.txt"
says 'worker or --here?'
slabfuzz 0 diff --here -a reference,malloc: "$tmp/777.txt"
out_has '; 0 divergences$'
out_has ' [1-9][0-9]* compared, [0-9]* skipped, 0 diverged$'
slabfuzz 0 diff --worker -a baseline,typed --programs 30
out_has '^baseline, typed: [1-9][0-9]* compared'

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
