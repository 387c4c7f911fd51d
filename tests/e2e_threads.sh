#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_threads.sh - `slabfuzz diff --threads`: mistakes that only several threads show, each found
# in every way of ordering their calls that can show it; none in what is right.
#
# Needs: tsan/slabfuzz
. tests/lib/e2e.sh

TSAN=$(dirname "$SLABFUZZ")/tsan/slabfuzz
[ -x "$TSAN" ] || TSAN=$(dirname "$SLABFUZZ")/../tsan/slabfuzz

plug_in()
{
	OUT="$tmp/$1.so" SRC=tests/plugins/threads.c CFLAGS="$2" SANITIZE="${3-}" \
		CLANG="${CLANG:-$(command -v clang-22 || command -v clang)}" sh ci/plugin.sh \
		>"$tmp/out" 2>"$tmp/err"
}

cat >"$tmp/small.txt" <<'END'
r0 = malloc(64)
r1 = malloc(200)
r2 = realloc(r0, 100)
free(r1)
r3 = malloc(48)
free(r2)
END
cat >"$tmp/many.txt" <<'END'
r0 = malloc(10)
r1 = malloc(20)
r2 = malloc(30)
r3 = malloc(40)
free(r0)
free(r1)
free(r2)
r4 = malloc(50)
r5 = malloc(60)
r6 = malloc(70)
r7 = realloc(r3, 80)
verify(r7)
free(r4)
free(r5)
END

check 'a plug-in for several threads is built' plug_in right ''
# The C library's own, but where AddressSanitizer has taken its place in the command.
libc=,malloc:
case $SLABFUZZ in
*/asan/*)
	libc=
	skip "malloc: with threads" "AddressSanitizer is the command's own malloc"
	;;
esac
slabfuzz 0 diff --threads 3 -a "plugin:$tmp/right.so$libc" "$tmp/many.txt" corpora/user/*.txt
out_has '^plugin:.*: 3 threads, [1-9][0-9]* programs, [1-9][0-9]* rounds, .*s, 0 faults$'
[ -z "$libc" ] || out_has '^malloc:: 3 threads, .* 0 faults$'
slabfuzz 0 diff --threads 4 --schedules free -a "plugin:$tmp/right.so$libc" --programs 60 \
	"$tmp/many.txt"

# Every order: how many there are is known.
slabfuzz 0 diff --threads 2 --schedules all -a "plugin:$tmp/right.so" "$tmp/small.txt"
out_has ' 0 faults$'
out_lacks 'there are more orders'
slabfuzz 0 diff --threads 2 --schedules all --rounds 20 -a "plugin:$tmp/right.so" "$tmp/many.txt"
out_has '^plugin:.*: 2 threads, 1 programs, 20 rounds, '
out_has '^  there are more orders than 20 of some programs$'
cat >"$tmp/two.txt" <<'END'
thread(0)
r0 = malloc(1)
r1 = malloc(2)
free(r0)
free(r1)
thread(1)
r2 = malloc(3)
r3 = malloc(4)
free(r2)
free(r3)
END
slabfuzz 0 diff --threads 2 --schedules all -a "plugin:$tmp/right.so" "$tmp/two.txt"
out_has ': 2 threads, 1 programs, 70 rounds, 560 calls, 0 faults$'

# A free list that hands out one object twice: the calls must meet.
check 'with a race' plug_in race -DTHREADS_RACE
slabfuzz 1 diff --threads 4 --schedules free --rounds 400 --junit "$tmp/report.xml" \
	-a "plugin:$tmp/race.so" --programs 20 "$tmp/many.txt"
out_has "^  threads overlap: plugin:$tmp/race.so: an object is another one's, too, after "
out_has '^>>> r[0-9]* = '
check 'JUnit has it' grep -q '<failure message="threads overlap: ' "$tmp/report.xml"
slabfuzz 0 diff --threads 3 -a "plugin:$tmp/race.so" "$tmp/many.txt"

# What is freed elsewhere and lost, in any order; the program that is printed shows it again.
check 'with an inbox that loses' plug_in lost -DTHREADS_LOST
slabfuzz 1 diff --threads 3 --json -a "plugin:$tmp/lost.so" "$tmp/many.txt"
out_has '"what": "live"'
out_has '"again": true'
slabfuzz 1 diff --threads 2 --schedules all -a "plugin:$tmp/lost.so" "$tmp/many.txt"
out_has '^  threads live: .*: objects are left when all are freed$'
slabfuzz 1 diff --threads 3 -a "plugin:$tmp/lost.so" "$tmp/many.txt"
sed -n '/^  round/,/^>>>/p' "$tmp/out" | sed -n 's/^    //p' >"$tmp/order.txt"
check 'it is a program' test "$(grep -c '^thread(' "$tmp/order.txt")" -ge 2
slabfuzz 0 run -a "plugin:$tmp/right.so" "$tmp/order.txt"
slabfuzz 1 run -a "plugin:$tmp/lost.so" "$tmp/order.txt"

# A NULL is one too many only where there is room for all that is asked for.
check 'with one that refuses' plug_in dry -DTHREADS_DRY
slabfuzz 1 diff --threads 3 -a "plugin:$tmp/dry.so" "$tmp/many.txt"
out_has '^  threads result: .*: NULL, and there is memory, after '
sed 's/malloc([0-9]*)/malloc(9000)/' "$tmp/many.txt" >"$tmp/large.txt"
slabfuzz 0 diff --threads 3 -a "plugin:$tmp/right.so" "$tmp/large.txt"
out_has '^  [1-9][0-9]* rounds had a NULL that may be for want of memory$'

# What it was, copied too late.
check 'with a realloc that is too slow' plug_in stale -DTHREADS_STALE
slabfuzz 1 diff --threads 4 --schedules free --rounds 400 -a "plugin:$tmp/stale.so" --programs 40
out_has '^  threads [a-z]*: '

# In source: ThreadSanitizer, which needs no bad luck.
if [ -x "$TSAN" ] && plug_in tsan '' thread; then
	SLABFUZZ=$TSAN
	slabfuzz 0 diff --threads 3 -a "plugin:$tmp/tsan.so" --programs 20 "$tmp/many.txt"
	slabfuzz 0 diff --threads 3 --schedules free -a "plugin:$tmp/tsan.so" "$tmp/many.txt"
	check 'with a counter that nobody guards' plug_in count -DTHREADS_COUNT thread
	for order in seeded free; do
		slabfuzz 1 diff --threads 3 --schedules $order -a "plugin:$tmp/count.so" \
			"$tmp/many.txt"
		out_has '^  threads crash: .*: TSan: data race in threads_malloc$'
	done
	SLABFUZZ=$(dirname "$TSAN")/../slabfuzz
else
	skip 'ThreadSanitizer' 'this compiler has none'
fi

# Who is for one thread is not called by two; nothing done is not nothing wrong.
slabfuzz 2 diff --threads 2 -a baseline "$tmp/small.txt"
says 'several threads may call it at once'
slabfuzz 2 diff --threads 9 -a malloc: "$tmp/small.txt"
slabfuzz 2 diff --schedules all -a malloc:,reference "$tmp/small.txt"
check 'says with what' grep -q 'go with --threads' "$tmp/err"
slabfuzz 2 diff --threads 2 --relations -a malloc: "$tmp/small.txt"
slabfuzz 1 diff --threads 2 -a malloc: corpora/seeds/bulk.txt
says 'no operation that threads can do'
slabfuzz 2 diff --threads 2 -a malloc: "$tmp/nosuch.txt"
finish
