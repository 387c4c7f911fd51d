# SPDX-License-Identifier: MIT
#
# planted.sh - what the end-to-end tests of fuzzing allocators with bugs planted share: sourced,
# never run. Speaks TAP. Relies on BUILD and SLABFUZZ, set by ci/test.sh. The allocators are in
# $dir/allocators, once plant() of the test has put them there; $dir/out is what was said last.
# shellcheck shell=sh

flags=$BUILD/fuzz/flags
driver=$BUILD/fuzz/harness/entry/libfuzzer_program.o

# begin NAME WHAT: the test's folder; ends the test where it cannot be run.
begin()
{
	case $SLABFUZZ in
	*/asan/*)
		echo "1..0 # the target is the same in every flavor"
		exit 0
		;;
	esac
	if [ ! -x "$BUILD/libfuzzer_program" ] || ! command -v patch >/dev/null; then
		printf '1..1\nok 1 - %s # SKIP no libFuzzer, or no patch\n' "$2"
		exit 0
	fi
	dir=$BUILD/test/$1.work
	rm -rf "$dir"
	mkdir -p "$dir"
	unset SLABFUZZ_CRASHES SLABFUZZ_ALLOCATOR SLABFUZZ_EXPECT FUZZ_FLAGS
}

n=0
# check WHAT STATUS: one TAP line.
check()
{
	n=$((n + 1))
	if [ "$2" = 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' "$dir/out" | tail -n 30
	fi
}

# build FILE...: of allocators/, with the flags of the flavor; the rest is linked as it is.
build()
{
	for f; do
		# shellcheck disable=SC2046 # a command with its flags
		$(sed 's/ -l[a-z]*//g' "$flags") -w -c -I. -o "$dir/$f.o" "$dir/allocators/$f.c" ||
			return 1
	done
	# shellcheck disable=SC2046
	$(sed 's/ -l[a-z]*//g' "$flags") -w -fsanitize=fuzzer -o "$dir/libfuzzer_program" \
		"$driver" "$dir"/*.o "$BUILD/fuzz/libslabfuzz.a" $(grep -o ' -l[a-z]*' "$flags")
}
