# shellcheck shell=sh
# SPDX-License-Identifier: MIT
#
# mutant-common.sh - what mutants.sh and kill.sh share: headers of patches, and patched allocators
# compiled. Read by them with `.`; relies on their variable MUTANT_CC (how the fuzz flavor compiles
# allocators/).

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
