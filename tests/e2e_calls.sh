#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_calls.sh - recordings of malloc() by real tools through run, import, diff and compare; those
# of corpora/calls are always there, others are made here where the tools are.
. tests/lib/e2e.sh

jemalloc=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2

# number KEY: the first number that goes by that name in the JSON printed last.
number()
{
	sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p" "$tmp/out" | head -n 1
}

# Replayed on a library, on the reference and on a model, without a violation and without a skip;
# and as a program it is the same.
replays()
{
	for a in malloc: reference baseline; do
		slabfuzz 0 run -a "$a" "$1"
		out_has ' operations (0 skipped), .* 0 violations'
		out_lacks 'kmalloc'
	done
	slabfuzz 0 import --json "$1" -o "$tmp/program.txt"
	operations=$(number ops)
	slabfuzz 0 run -a malloc: "$tmp/program.txt"
	out_has "malloc:: $operations operations (0 skipped), .* 0 violations"
	slabfuzz 0 show "$tmp/program.txt"
	check 'an import is canonical' cmp -s "$tmp/program.txt" "$tmp/out"
	slabfuzz 0 diff -a reference,malloc: "$1"
	out_has "$operations operations, no difference"
	slabfuzz 0 diff -a baseline,typed,malloc: "$1"
	out_has ' operations, no difference'
	slabfuzz 2 judge "$1"
	says "calls of malloc, no kernel's events to judge"
}

for f in corpora/calls/*; do
	case $f in
	*.md | *.c | *.cc) ;;
	*) replays "$f" ;;
	esac
done

# From a pipe, compressed or not, with the line ends of another system: the same program.
slabfuzz 0 import corpora/calls/sort.mtrace -o "$tmp/one"
gzip -c corpora/calls/sort.mtrace >"$tmp/packed"
slabfuzz 0 import "$tmp/packed" -o "$tmp/two"
check 'compressed' cmp -s "$tmp/one" "$tmp/two"
sed 's/$/\r/' corpora/calls/sort.mtrace >"$tmp/crlf"
slabfuzz 0 import "$tmp/crlf" -o "$tmp/two"
check 'CR LF' cmp -s "$tmp/one" "$tmp/two"
f=corpora/calls/sort.mtrace
check 'from a pipe' sh -c \
	"cat $f | '$SLABFUZZ' import - -o - 2>/dev/null | cmp -s - '$tmp/one'"

# A violation is at the line of the recording.
cat >"$tmp/broken.c" <<'END'
#include <stddef.h>
#include <string.h>
static char room[1 << 20];
static size_t used;
void *malloc(size_t n)
{
	char *p = room + used;
	if (used + n > sizeof(room))
		return NULL;
	if (n != 700)
		used += (n + 16) & ~(size_t)15;
	return p;
}
void free(void *p) { (void)p; }
END
if cc -shared -fPIC -fno-builtin -o "$tmp/broken.so" "$tmp/broken.c" 2>"$tmp/cc"; then
	printf '9\n3\n4\n1\na 0 16\na 1 700\na 2 48\nf 0\n' >"$tmp/bug.rep"
	slabfuzz 1 run -a "malloc:$tmp/broken.so" "$tmp/bug.rep"
	out_has 'overlap'
	out_has "at $tmp/bug.rep:7: malloc(48)"
else
	skip 'a violation in a recording' 'there is no cc'
fi

# Wrong and cut files: one line, where, and what to do; nothing half-written.
head -n 40 corpora/calls/drawn.rep >"$tmp/cut.rep"
slabfuzz 2 import "$tmp/cut.rep" -o "$tmp/none"
says 'cut.rep:40: ends after 36 of the 144 operations that its header announces: it was cut, take'
check 'nothing is written' test ! -e "$tmp/none"
for command in 'run -a malloc:' 'diff -a reference,malloc:' 'compare -a malloc:'; do
	# shellcheck disable=SC2086
	slabfuzz 2 $command "$tmp/cut.rep"
	says 'cut.rep:40: ends after 36'
done
zstd -qdc corpora/calls/sort.heaptrack.zst | sed '30,$s/^+ .*/+ fff/' >"$tmp/bad.heaptrack"
slabfuzz 2 run -a malloc: "$tmp/bad.heaptrack"
says 'bad.heaptrack:[0-9]*:3: kind fff of object, and [0-9a-f]* are known: a line is missing before'
zstd -qdc corpora/calls/threads.heaptrack-raw.zst | gzip -c | head -c 1500 >"$tmp/cut.gz"
slabfuzz 0 run -a malloc: "$tmp/cut.gz"
out_has ' 1  files whose compressed data ends too early'
head -c 5000 corpora/calls/threads.ltrace >"$tmp/cut.ltrace"
slabfuzz 0 run -a malloc: "$tmp/cut.ltrace"
out_has 'other lines: '
cat corpora/calls/*.zst >"$tmp/junk"
{ echo '= Start'; cat "$tmp/junk"; } >"$tmp/junk.mtrace"
slabfuzz 2 run -a malloc: "$tmp/junk.mtrace"
says 'junk.mtrace:.* no other allocation can be read'
slabfuzz 2 judge corpora/calls/sort.mtrace corpora/calls/threads.mtrace
says 'mtrace has no times to merge files by: give one file at a time'

# What is held is never less than what is alive, and the reference, which gives each object pages of
# its own, holds most.
table()
{
	members=malloc:,reference,baseline
	[ ! -f "$jemalloc" ] || members=malloc:$jemalloc,$members
	awk 'BEGIN {
		print "9\n4000\n8000\n1"
		for (i = 0; i < 4000; i++)
			print "a", i, 100 + i * 37 % 3000
		for (i = 0; i < 4000; i++)
			print "f", i
	}' >"$tmp/up.rep"
	slabfuzz 0 compare -a "$members" "$tmp/up.rep"
	silent
	out_has '^allocator  *operations  *skipped  *failures  *live  *held  by  *held/live'
	live=$(awk '$1 == "malloc:" { print $5 }' "$tmp/out")
	check "alive at most: $live kB" test "$live" = 6220
	held() { awk -v a="$1" '$1 == a { print $6 }' "$tmp/out"; }
	for a in malloc: baseline reference; do
		check "$a holds $(held $a) kB" test "$(held $a)" -ge "$live"
	done
	check 'the reference holds most' test "$(held reference)" -gt "$(held malloc:)"
	check 'and gives it back' test "$(awk '$1 == "reference" { print $9 }' "$tmp/out")" -lt 1200
	slabfuzz 0 compare --json -a malloc:,baseline "$tmp/up.rep"
	for key in program allocator settings operations skipped failures peak_live_bytes \
		peak_held_bytes held_by fragmentation end_held_bytes ns_per_operation; do
		out_has "\"$key\": "
	done
	slabfuzz 0 compare -a malloc: corpora/calls/three.rep
	out_has 'so little is alive that what libraries had before'
	if [ -f "$tmp/broken.so" ]; then
		cat >"$tmp/dies.c" <<-'END'
			#include <stddef.h>
			#include <stdlib.h>
			static char room[1 << 20];
			static size_t used;
			void *malloc(size_t n)
			{
				if (n == 700)
					abort();
				used += (n + 16) & ~(size_t)15;
				return room + used;
			}
			void free(void *p) { (void)p; }
	END
		cc -shared -fPIC -fno-builtin -o "$tmp/dies.so" "$tmp/dies.c"
		slabfuzz 1 compare -a "malloc:$tmp/dies.so" "$tmp/bug.rep"
		says 'the process died after 2 operations (Aborted): run says more'
		# The others have their rows.
		slabfuzz 1 compare -a "malloc:$tmp/dies.so,reference,baseline" "$tmp/bug.rep"
		out_has '^reference  .* resident '
		out_has '^baseline  .* pages '
	fi
	# A heap in a block holds from its beginning to its farthest object.
	if make -s plugin SRC="tests/plugins/first_fit.c tests/plugins/first_fit_plugin.c" \
		OUT="$tmp/first_fit.so" >"$tmp/out" 2>&1; then
		slabfuzz 0 compare -a "plugin:$tmp/first_fit.so" "$tmp/up.rep"
		out_has ' 6220  *6[0-9]*  block  *1\.0[0-9]  *-  '
		# To go on in another thread is no call, whether it could or not.
		slabfuzz 0 compare -a "reference,plugin:$tmp/first_fit.so" \
			corpora/calls/threads.ltrace
		awk '$1 == "reference" { n = $2 + $3 } /^plugin:/ { m = $2 + $3 }
			END { exit !n || n != m }' "$tmp/out"
		check 'all calls are counted, and nothing else' test $? = 0
	else
		skip 'a heap in a block' 'plug-ins cannot be built here'
	fi
}

case $SLABFUZZ in
*/asan/* | */ubsan/*)
	# A sanitizer's shadow is resident, too, and its malloc() stands before a library's.
	skip 'the table of compare' 'a sanitizer holds memory of its own'
	;;
*) table ;;
esac

# Recordings made here.
if command -v ltrace >/dev/null && cc -no-pie -fcf-protection=none -Wl,-z,lazy -pthread -w -O0 \
	-o "$tmp/recorded" corpora/calls/recorded.c 2>"$tmp/cc" &&
	ltrace -o "$tmp/new.ltrace" "$tmp/recorded" >/dev/null 2>&1 &&
	[ -s "$tmp/new.ltrace" ]; then
	slabfuzz 0 import --json "$tmp/new.ltrace" -o "$tmp/program.txt"
	# every call of the program, but what was not told by an address
	check "13 reallocs" test "$(number reallocs)" = 13
	check "each pointer that is freed was seen, but strdup's and posix_memalign's" \
		test "$(number free_unborn)" = 2
else
	skip 'a recording of ltrace' 'ltrace cannot trace here'
fi
if [ -x "$tmp/recorded" ] && ls /lib/*/libc_malloc_debug.so.0 >/dev/null 2>&1; then
	MALLOC_TRACE=$tmp/new.mtrace LD_PRELOAD=libc_malloc_debug.so.0 "$tmp/recorded" t
	slabfuzz 0 import --json "$tmp/new.mtrace" -o "$tmp/program.txt"
	check 'one object is lost' test "$(number alive)" = 1
	check 'no free is of something else' test "$(number free_unborn)" = 0
	check 'each free is one' test "$(number freed_twice)" = 0
else
	skip 'a recording of mtrace' 'there is no libc_malloc_debug.so'
fi
if [ -x "$tmp/recorded" ] && command -v heaptrack >/dev/null &&
	heaptrack -o "$tmp/new" "$tmp/recorded" >/dev/null 2>&1; then
	slabfuzz 0 import --json "$tmp"/new.*st* -o "$tmp/program.txt"
	check 'realloc is a free and a malloc' test "$(number reallocs)" = 0
	check 'one object is lost at least' test "$(number alive)" -ge 1
else
	skip 'a recording of heaptrack' 'heaptrack does not run here'
fi
finish
