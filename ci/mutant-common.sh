# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# mutant-common.sh - what mutants.sh and kill.sh share: headers of patches, patched allocators
# compiled, and surroundings of what is fuzzed. Read by them with `.`; relies on their variable
# MUTANT_CC (how the fuzz flavor compiles allocators/).

: "${MUTANT_CC:?}"

# field NAME PATCH: what its header says there.
field()
{
	sed -n "s/^# $1: *//p" "$2" | head -n 1
}

# What the command catches, not the fuzz target.
is_command()
{
	case $1 in
	boots | inject | "run "*) return 0 ;;
	esac
	return 1
}

# mutated_objects ROOT PATCH WORK: allocators/ of the tree ROOT, patched and copied to WORK (an
# absolute path); those of its objects that are not as they were, as WORK/*.o.
mutated_objects()
{
	rm -rf "$3"
	mkdir -p "$3"
	cp -r "$1/allocators" "$3/allocators"
	patch -N -s -p1 -d "$3" <"$2" || return 1

	# A patched header may change the layout of what every file shares.
	files=$(sed -n 's|^+++ b/\(allocators/.*\.c\)[[:blank:]]*.*$|\1|p' "$2")
	if grep -q '^+++ b/.*\.h' "$2"; then
		files=$(cd "$3" && echo allocators/*.c)
	fi
	[ -n "$files" ] || { echo "$2: changes no file of allocators/"; return 1; }
	for f in $files; do
		# shellcheck disable=SC2086 # a command with its flags
		(cd "$1" && $MUTANT_CC -w -c -o "$3/$(basename "$f" .c).o" "$3/$f") || return 1
	done
}

# As `slabfuzz fuzz` has it for its engines (harness/fuzz/engine.c): no leaks are looked for, blocks
# that were freed wait for 4 MiB to be freed after them.
fuzz_environment()
{
	ASAN_OPTIONS="allocator_may_return_null=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
	ASAN_OPTIONS="quarantine_size_mb=4:dedup_token_length=3:$ASAN_OPTIONS"
	ASAN_OPTIONS="detect_leaks=0:handle_sigill=1:$ASAN_OPTIONS"
	export ASAN_OPTIONS
	[ -z "${ASAN_SYMBOLIZER_PATH-}" ] || return 0
	for s in llvm-symbolizer-22 llvm-symbolizer; do
		if command -v "$s" >/dev/null; then
			ASAN_SYMBOLIZER_PATH=$(command -v "$s")
			export ASAN_SYMBOLIZER_PATH
			return
		fi
	done
}
