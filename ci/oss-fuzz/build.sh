#!/bin/bash -eu
# SPDX-License-Identifier: MIT
#
# build.sh - builds the fuzz targets as OSS-Fuzz and ClusterFuzzLite ask for it: with $CC, $CFLAGS,
# $CXX, $CXXFLAGS and $LIB_FUZZING_ENGINE as they come, into $OUT, for $SANITIZER (address,
# undefined, memory, coverage, none) and $FUZZING_ENGINE (libfuzzer, afl, honggfuzz, centipede);
# project.yaml has those that it was tried with. With each target its seeds and options. Needs make,
# zip, zstd, and jansson for the seeds.
: "${OUT:?}" "${CC:?}" "${CXX:?}" "${LIB_FUZZING_ENGINE:?}"
SANITIZER=${SANITIZER:-address}
WORK=${WORK:-$OUT/../work}
src=$(cd "$(dirname "$0")/../.." && pwd)
[ -d "$src/allocators" ] || src=${SRC:?}/slabfuzz # it was copied to $SRC
build=$WORK/slabfuzz-$SANITIZER
targets='program text trace'

# Only what allocates guides the engine: harness and oracles are the same whatever it does. For a
# report of coverage, and for parsers, all counts.
flags=${CFLAGS:-}
guide=
if [ "$SANITIZER" != coverage ]; then
	for word in $flags; do
		case $word in
		-fsanitize=fuzzer-no-link | -fsanitize-coverage=*) guide="$guide $word" ;;
		esac
	done
	for word in $guide; do
		flags=${flags/ $word/}
	done
fi

# build NAME FLAGS MORE: libslabfuzz.a and the targets' objects; MORE: of allocators/ alone.
build()
{
	make -C "$src" -j"$(nproc)" BUILD="$build/$1" CC="$CC" CFLAGS="$2" plain_CFLAGS= \
		plain_ALLOC_CFLAGS="$3" HAVE_JANSSON= HAVE_ZSTD= \
		HAVE_LZMA= HAVE_ZLIB= HAVE_TRACECMD= HAVE_LIBBPF= HAVE_CMOCKA= \
		"$build/$1/plain/libslabfuzz.a" \
		"${@:4}" >"$build.log" 2>&1 || { tail -n 30 "$build.log" >&2; return 1; }
}

mkdir -p "$OUT" "$WORK"
build guided "$flags" "$guide" "$build/guided/plain/harness/entry/libfuzzer_program.o"
build parsers "${CFLAGS:-}" '' "$build/parsers/plain/harness/entry/libfuzzer_text.o" \
	"$build/parsers/plain/harness/entry/libfuzzer_trace.o"

for target in $targets; do
	how=parsers
	[ "$target" != program ] || how=guided
	# shellcheck disable=SC2086 # flags
	$CXX ${CXXFLAGS:-} -o "$OUT/slabfuzz_$target" \
		"$build/$how/plain/harness/entry/libfuzzer_$target.o" \
		"$build/$how/plain/libslabfuzz.a" $LIB_FUZZING_ENGINE -lpthread -lm
	{
		echo '[libfuzzer]'
		echo 'max_len = 4096'
		[ ! -f "$src/corpora/$target.dict" ] || echo "dict = slabfuzz_$target.dict"
	} >"$OUT/slabfuzz_$target.options"
	[ ! -f "$src/corpora/$target.dict" ] ||
		cp "$src/corpora/$target.dict" "$OUT/slabfuzz_$target.dict"
done

# Seeds: programs as text, and as the bytes that the main target reads; plain recordings.
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
mkdir "$seeds/program" "$seeds/text" "$seeds/trace"
cp "$src"/corpora/seeds/*.txt "$src"/corpora/regressions/*.txt "$seeds/text"
for f in "$src"/corpora/traces/*.txt.zst; do
	zstd -q -d -c "$f" | head -n 400 >"$seeds/trace/$(basename "$f" .txt.zst)"
done
env -u CFLAGS -u CXXFLAGS -u LDFLAGS make -C "$src" -j"$(nproc)" BUILD="$build/host" \
	CC="${HOST_CC:-cc}" "$build/host/plain/slabfuzz" >"$build.log" 2>&1 ||
	{ tail -n 30 "$build.log" >&2; exit 1; }
for f in "$seeds"/text/*.txt; do
	"$build/host/plain/slabfuzz" compile "$f" -o "$seeds/program/$(basename "$f" .txt)"
done
for target in $targets; do
	(cd "$seeds/$target" && zip -q -r "$OUT/slabfuzz_${target}_seed_corpus.zip" .)
done
