#!/bin/sh
# SPDX-License-Identifier: MIT
#
# e2e_layouts.sh - recordings as they really look, through the command: every file of
# corpora/layouts, compressed ones, several files of one recording, what is known of the recorded
# kernel, and files that are no recordings.
. tests/lib/e2e.sh

dir=corpora/layouts

# Refused in one line, by every subcommand that reads recordings.
for f in wrapped other-events; do
	for what in run judge; do
		slabfuzz 2 $what $dir/$f.txt
		says "$f.txt"
		out_lacks '100 %'
	done
	slabfuzz 2 import $dir/$f.txt -o "$tmp/program.txt"
	check 'nothing half-written' test ! -e "$tmp/program.txt"
done
slabfuzz 2 run $dir/other-events.txt
says '0 memory events in 7 lines: enable events/kmem; seen: sched_switch 2, sched_wakeup 1'
slabfuzz 2 run $dir/wrapped.txt
says 'wrapped.txt:1: 2 events were wrapped into two lines'
check 'and once' empty "$tmp/out"
slabfuzz 2 run -v $dir/wrapped.txt $dir/excerpts.txt
says 'wrapped.txt:1: 2 events were wrapped into two lines'
out_has 'excerpts.txt: baseline: [0-9]* operations'
out_lacks 'wrapped.txt'

# Read, never accused; the model agrees unless the kernel is another.
for f in "$dir"/*; do
	case $f in
	*/wrapped.txt | */other-events.txt | *.md) continue ;;
	esac
	want=0
	case $f in
	*/least-size-64.txt | */slub-debug.txt) want=1 ;;
	esac
	slabfuzz $want run "$f"
	out_lacks ' 0 of 0 agree'
	out_has ' 0 violations, '
	slabfuzz 0 judge "$f"
	out_has ' 0 violations, '
	slabfuzz 0 import "$f" -o "$tmp/program.txt"
	slabfuzz 0 run "$tmp/program.txt"
done

# Why the model disagrees.
slabfuzz 1 run $dir/least-size-64.txt
out_has "^likely because kmalloc's least size is 64 bytes"
slabfuzz 0 judge $dir/least-size-64.txt
out_has "recorded kernel: kmalloc's least size is 64 bytes"
out_has 'not judged: classes, sizes and alignment of kmalloc'

# What is counted is printed, and is in the JSON.
slabfuzz 0 judge $dir/overwritten.txt
out_has '^ *1000  events overwritten before they were read, as headers say$'
out_has '^  unknown gfp flags: __GFP_SOMETHING 1$'
slabfuzz 0 judge --json $dir/overwritten.txt
out_has '"overwritten": 1000'
out_has '"unknown gfp flags: __GFP_SOMETHING 1"'
slabfuzz 0 import --json $dir/torn.txt -o "$tmp/program.txt"
out_has '"torn": 2'
out_has '"remarks": \['

# trace.dat of a kernel whose page events have no frame.
slabfuzz 0 judge $dir/no-frame.trace.dat.zst
out_has '^ *9  page allocations whose frame is not told$'

# Lines cut at a column: an error if no allocation is left, else said.
if command -v zstd >/dev/null; then
	zstd -qdc corpora/traces/sockets-6.18.trace-cmd-report.txt.zst | cut -c1-120 >"$tmp/cut"
	for what in run judge "import -o $tmp/program.txt"; do
		# shellcheck disable=SC2086 # a command and its options
		slabfuzz 2 $what "$tmp/cut"
		says 'among 650 memory events read, and 4350 that cannot be; 4350 end at column 120'
	done
	zstd -qdc corpora/traces/build-6.18.perf-script.txt.zst | cut -c1-180 >"$tmp/cut"
	slabfuzz 0 judge "$tmp/cut"
	out_has '^  [0-9]* events end at column 180: lines were cut there (cut, less -S): take them'
fi

# Empty ones, packed or not.
printf '\n' >"$tmp/blank"
: | gzip -c >"$tmp/none.gz"
for cmd in run judge "import -o $tmp/program.txt"; do
	# shellcheck disable=SC2086 # a command and its options
	slabfuzz 2 $cmd "$tmp/blank"
	says 'blank: empty: n'
	# shellcheck disable=SC2086 # a command and its options
	slabfuzz 2 $cmd "$tmp/none.gz"
	says 'none.gz: empty: no recording'
done

# Packed, told by content and not by name; several members; from a pipe; broken.
f=corpora/traces/sockets-6.18.trace-cmd-report.txt.zst
if command -v zstd >/dev/null; then
	zstd -qdc $f >"$tmp/plain"
	"$SLABFUZZ" judge "$tmp/plain" | sed 1d >"$tmp/want"
	for pack in 'gzip -c' 'xz -c' 'zstd -qc'; do
		if ! command -v "${pack%% *}" >/dev/null; then
			skip "$pack" 'no such command'
			continue
		fi
		head -n 3000 "$tmp/plain" | $pack >"$tmp/packed"
		tail -n +3001 "$tmp/plain" | $pack >>"$tmp/packed"
		slabfuzz 0 judge "$tmp/packed"
		sed 1d "$tmp/out" >"$tmp/got"
		check "$pack: the same as unpacked" cmp -s "$tmp/want" "$tmp/got"
		check "$pack: from a pipe" sh -c "cat '$tmp/packed' | '$SLABFUZZ' judge - |
			sed 1d | cmp -s - '$tmp/want'"
		head -c "$(($(wc -c <"$tmp/packed") * 2 / 3))" "$tmp/packed" >"$tmp/broken"
		slabfuzz 0 judge "$tmp/broken"
		out_has '^ *1  files whose compressed data ends too early: read as far as it goes$'
		out_has '^ *[1-9][0-9]*  kmem events read$'
		head -c 20 "$tmp/packed" >"$tmp/broken"
		slabfuzz 2 judge "$tmp/broken"
		says 'data ends too early, before anything that can be unpacked'
		$pack <"$tmp/packed" >"$tmp/twice"
		slabfuzz 2 judge "$tmp/twice"
		says 'compressed twice: decompress it once first'
	done
else
	skip 'packed recordings' 'no zstd'
fi

# The same recording in every layout: the same program comes of it.
relaid()
{
	awk -v layout="$1" '
		!match($0, /-[0-9]+ +\[[0-9]+\] [^ ]+ +[0-9]+[.][0-9]+: /) { next }
		{
			task = substr($0, 1, RSTART - 1)
			sub(/^ +/, "", task)
			split(substr($0, RSTART + 1, RLENGTH), part, /[] :[]+/)
			event = substr($0, RSTART + RLENGTH)
			split(part[4], time, ".")
			name = event
			sub(/:.*/, "", name)
			us = time[1] time[2]
			cpu = part[2] + 0
		}
		layout == "latency" {
			printf "%8.8s-%-7s %3d%s %4dus%s: %s\n", task, part[1], cpu, part[3], us,
				substr(" !+#", NR % 4 + 1, 1), event
		}
		layout == "log" {
			printf "[%5d.%s] %8.8s-%-7s %3d%s %4dus : %s\n", time[1], time[2], task,
				part[1], cpu, part[3], us, event
		}
		layout == "graph" {
			printf " %s |   %d)  %s-%s  |               |  /* %s */\n", part[4], cpu,
				task, part[1], event
		}
		layout == "perf" {
			printf "%s %s/%s [%s] %s: kmem:%s\n", task, part[1], part[1], part[2],
				part[4], event
		}
		layout == "dated" {
			printf "%s %s/%s [%s] 2026-11-29 09:00:01.000003 %s: kmem:%s\n", task,
				part[1], part[1], part[2], part[4], event
		}
		layout == "relative" {
			printf "%s-%s [%s] +0.000001: %s\n", task, part[1], part[2], event
		}
		layout == "coloured" {
			printf "%s-\033[01;32m%s\033[0m [%s] %s: \033[K%s\n", task, part[1],
				part[2], part[4], event
		}
		layout == "timeless" {
			printf "%s %s [%s] kmem:%s\n", task, part[1], part[2], event
		}
		layout == "difference" {
			printf "%s-%s [%s] %s: (+%d) %s\n", task, part[1], part[2], part[4],
				NR % 99, event
		}
		layout == "quoted" {
			printf "> \t%s-%s\t[%s]\t%s %s:\t%s\r\n", task, part[1], part[2], part[3],
				part[4], event
		}' "$tmp/ftrace"
}
if command -v zstd >/dev/null; then
	zstd -qdc corpora/traces/longnames-6.18.ftrace.txt.zst >"$tmp/ftrace"
	slabfuzz 0 import "$tmp/ftrace" -o "$tmp/program.txt"
	for layout in latency log graph perf timeless difference quoted dated relative \
		coloured; do
		relaid $layout >"$tmp/relaid"
		slabfuzz 0 import "$tmp/relaid" -o "$tmp/again.txt"
		check "$layout: the same program" cmp -s "$tmp/program.txt" "$tmp/again.txt"
		check "$layout: no escapes are printed" sh -c \
			"! grep -q '$(printf '\033')' '$tmp/out'"
	done
fi

# Events missing that nothing says are: no accusation, and why there is none.
if command -v zstd >/dev/null; then
	zstd -qdc corpora/traces/build-6.18.perf-script.txt.zst >"$tmp/full"
	slabfuzz 0 judge "$tmp/full"
	out_lacks 'not judged'
	for some in 'NR % 2' 'NR % 2 == 0' 'NR % 10' 'NR % 50' 'NR % 100' 'NR % 200 != 77' \
		'NR < 4500 || NR > 4800' '!/\[001\]/ || ++n < 700 || n > 1500'; do
		awk "$some" "$tmp/full" >"$tmp/some"
		slabfuzz 0 judge "$tmp/some"
		out_has 'not judged: .*: events are missing though nothing says so'
	done
	sed '3000i PERF_RECORD_LOST lost 600' "$tmp/full" >"$tmp/some"
	slabfuzz 0 judge "$tmp/some"
	out_has '^ *600  events the recorder says it lost$'
	out_has 'not judged: .*: the recorder lost events'
fi

# One recording in several files: by CPU, and rotated.
grep -v '\[001\]' "$tmp/plain" >"$tmp/cpu0"
grep '\[001\]' "$tmp/plain" >"$tmp/cpu1"
head -n 3000 "$tmp/plain" >"$tmp/first"
tail -n +3001 "$tmp/plain" >"$tmp/second"
count() { sed -n 's/^ *\([0-9]*\)  frees paired with.*/\1/p' "$1"; }
slabfuzz 0 judge "$tmp/first" "$tmp/second"
check 'rotated files are paired like the whole' test "$(count "$tmp/out")" = "$(count "$tmp/want")"
slabfuzz 0 judge "$tmp/cpu0" "$tmp/cpu1"
out_has ' 0 violations, '
slabfuzz 0 run --merge "$tmp/first" "$tmp/second"
out_has ' agree (100 %), named caches \([0-9]*\) of \1 agree (100 %)$'
slabfuzz 0 import "$tmp/second" "$tmp/first" -o "$tmp/program.txt"
slabfuzz 0 import "$tmp/first" "$tmp/second" -o "$tmp/again.txt"
check 'the order of the files does not matter' cmp -s "$tmp/program.txt" "$tmp/again.txt"
# The same events in several files are taken once, and prove nothing.
"$SLABFUZZ" judge "$tmp/full" | sed 1d | grep -v 'that several files have' >"$tmp/want"
gzip -c "$tmp/full" >"$tmp/full.gz"
grep '\[001\]' "$tmp/full" >"$tmp/full1"
for other in "$tmp/full.gz" "$tmp/full1"; do
	slabfuzz 0 judge "$tmp/full" "$other"
	out_has '^ *[1-9][0-9]*  events that several files have: taken once$'
	out_has "^  .*$other has events of $tmp/full, too, since 4015[.]048523: taken once$"
	sed 1d "$tmp/out" | grep -v 'that several files have\|has events of\|^1 files\|^2 files' \
		>"$tmp/got"
	check 'the same as the whole' sh -c "grep -v '^1 files' '$tmp/want' | cmp -s - '$tmp/got'"
done
slabfuzz 2 run --merge "$tmp/first" corpora/seeds/bulk.txt
says 'no recording, and --merge is for recordings'
slabfuzz 2 judge "$tmp/first" "$tmp/nonesuch"
says 'nonesuch'

# What is known of the recorded kernel: a size that a plain one would never give.
{
	echo '  a-1 [000] ..... 1.0: kmalloc: call_site=f ptr=00000000aaaa0a01 bytes_req=60' \
		'bytes_alloc=128 gfp_flags=GFP_KERNEL'
	echo '  a-1 [000] ..... 1.0: kmalloc: call_site=f ptr=00000000aaaa0b01 bytes_req=64' \
		'bytes_alloc=64 gfp_flags=GFP_KERNEL'
} >"$tmp/odd.txt"
slabfuzz 1 judge "$tmp/odd.txt"
out_has '^ISO-2: '
slabfuzz 0 judge --set kmalloc_min=64 "$tmp/odd.txt"
out_has "recorded kernel: kmalloc's least size is 64 (--set)"
slabfuzz 2 judge --set kmalloc_min=65 "$tmp/odd.txt"
slabfuzz 2 judge --set pages=65 "$tmp/odd.txt"
printf 'kmalloc-128 1 32 128 32 1 : tunables 0 0 0\n' >"$tmp/slabinfo"
slabfuzz 0 judge --slabinfo "$tmp/slabinfo" "$tmp/odd.txt"
out_has "recorded kernel: kmalloc's least size is 128 (slabinfo)"
slabfuzz 1 run --slabinfo "$tmp/slabinfo" "$tmp/odd.txt"
out_has "^likely because kmalloc's least size is 128 (slabinfo)"
mkdir -p "$tmp/slab/kmalloc-8" "$tmp/slab/kmalloc-1k"
echo 8 >"$tmp/slab/kmalloc-8/slab_size"
echo 1 >"$tmp/slab/kmalloc-8/red_zone"
slabfuzz 0 judge --slabinfo "$tmp/slab" "$tmp/odd.txt"
out_has 'red zones, poisoning or tracking (slab)'
slabfuzz 2 judge --slabinfo "$tmp/odd.txt" "$tmp/odd.txt"
says 'no kmalloc cache in it'
slabfuzz 2 judge --slabinfo "$tmp/nonesuch" "$tmp/odd.txt"
says 'nonesuch'

# What is no recording is named, by run as well, which would take it for a program.
printf 'slabinfo - version: 2.1\n# name\n' >"$tmp/other"
for what in run judge; do
	slabfuzz 2 $what "$tmp/other"
	says '/proc/slabinfo, a listing of caches: give it beside a recording'
done
printf 'desc: (none)\ncmd: ls\ntime_unit: i\n' >"$tmp/other"
slabfuzz 2 run "$tmp/other"
says "output of valgrind's massif"
finish
