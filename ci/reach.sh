#!/bin/sh
# SPDX-License-Identifier: MIT
#
# reach.sh - what `make coverage FUZZ=SECONDS` runs: which parts of allocators/ so much fuzzing from
# an empty corpus reaches, which only the seeds do, which neither; ci/reach.awk prints the lists. A
# part is a region of clang's source coverage. What neither reaches has a line in
# tests/coverage/unreached.txt that says why it cannot be, or may be left.
#
# From the Makefile: BUILD, LLVM_COV, LLVM_PROFDATA, FUZZ (seconds), UNCOVERED (files of allocators/
# in which no allocator decides anything), JOBS; with the programs of the cov flavor and the fuzz
# target built. FUZZ=0: what was grown before is looked at again. Exit status: 1 if a part that
# neither reaches has no line, or the fuzzing found something.
set -u

BUILD=${BUILD:-build}
SLABFUZZ=$BUILD/slabfuzz
cov=$BUILD/cov
out=$BUILD/reach
list=tests/coverage/unreached.txt
crashes=$out/crashes

allocators=$("$SLABFUZZ" list allocators | sed -n 's/^\([a-z0-9_-]\{1,\}\) .*/\1/p' | tr '\n' ' ')

fuzz()
{
	rm -rf "$out"
	mkdir -p "$out"
	echo "coverage: fuzzing for $FUZZ s from an empty corpus" >&2
	target=$BUILD/libfuzzer_program
	BUILD=$out SLABFUZZ=$SLABFUZZ FUZZ_TARGET=$target FUZZ_SECONDS=$FUZZ FUZZ_SEEDS=none \
		SLABFUZZ_ALLOCATOR="$allocators" SLABFUZZ_CRASHES=$crashes \
		ci/fuzz.sh >"$out/log" && return
	cat "$out/log" >&2
	exit 1
}

# profile NAME COMMAND...: runs it, some files at a time (stdin names them), and keeps what it
# reached as NAME.profdata.
profile()
{
	what=$1
	shift
	rm -rf "$out/raw"
	mkdir -p "$out/raw"
	LLVM_PROFILE_FILE=$(cd "$out" && pwd)/raw/%p-%m.profraw xargs -n 500 "$@" \
		>"$out/$what.log" 2>&1 || echo "coverage: failed, see $out/$what.log" >&2
	"$LLVM_PROFDATA" merge -sparse -o "$out/$what.profdata" "$out"/raw/*.profraw
	rm -rf "$out/raw"
}

# regions PROFILE PROGRAM: of each function of allocators/ its file, name, and regions with counts,
# a line each.
regions()
{
	"$LLVM_COV" export -instr-profile="$out/$1.profdata" "$2" allocators |
		sed 's/{"branches"/\n&/g' | awk -v skip="$UNCOVERED" -v from="$1" '
		!/"regions":\[\[/ { next }
		{
			file = $0
			sub(/.*"filenames":\["/, "", file)
			sub(/".*/, "", file)
			if (!sub(/.*allocators\//, "allocators/", file) ||
			    file ~ /^allocators\/base\//)
				next
			base = file
			gsub(/.*\/|\.[ch]$/, "", base)
			if (index(" " skip " ", " " base " "))
				next
			name = $0
			sub(/.*"name":"/, "", name)
			sub(/".*/, "", name)
			sub(/.*:/, "", name)
			sub(/.*"regions":\[\[/, "")
			sub(/\]\].*/, "")
			n = split($0, r, /\],\[/)
			for (i = 1; i <= n; i++) {
				split(r[i], f, ",")
				# Code of this file, and not where a macro of no code stands.
				if (!f[6] && !f[8] && (f[1] != f[3] || f[2] != f[4]))
					print from "\t" file "\t" name "\t" f[1] "\t" f[2] "\t" \
						f[3] "\t" f[4] "\t" f[5]
			}
		}'
}

# compile_seeds: to $out/seeds, as bytes.
compile_seeds()
{
	rm -rf "$out/seeds"
	mkdir -p "$out/seeds"
	for f in corpora/seeds/*.txt corpora/regressions/*; do
		case $f in
		*.md) continue ;;
		*.txt)
			"$SLABFUZZ" compile "$f" -o "$out/seeds/$(basename "$f" .txt)" || exit 2
			;;
		*) cp "$f" "$out/seeds/" || exit 2 ;;
		esac
	done
}

if [ "$FUZZ" != 0 ] || [ ! -d "$out/corpus/program" ]; then
	fuzz
fi
compile_seeds
export SLABFUZZ_ALLOCATOR="$allocators"
export SLABFUZZ_THOROUGH=
find "$out/corpus/program" -type f | sort | profile fuzz "$cov/entry/replay" -n
find "$out/seeds" -type f | sort | profile seeds "$cov/entry/replay" -n
find corpora/seeds corpora/regressions -name '*.txt' | sort |
	profile whole "$cov/slabfuzz" run -a all
{
	regions fuzz "$cov/entry/replay"
	regions seeds "$cov/entry/replay"
	regions whole "$cov/slabfuzz"
} >"$out/regions"
awk -F '\t' -v seconds="$FUZZ" -f ci/reach.awk "$list" "$out/regions"
